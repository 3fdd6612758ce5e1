"""Rounds of one chunk: what was not sent, or whose fate is open, begins again with the guard."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..values.changes import Change, row_of
from ..values.extras import no_collection
from .server import FateUnknown, NotSent, Patience, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .run import Run

C = TypeVar("C", bound=Change)


def until_settled(
    run: Run,
    changes: Sequence[C],
    attempt: Callable[[Sequence[C]], None],
    look: Callable[[Sequence[C]], Any],
    *,
    apart: bool = False,
    lost: int = 0,
) -> None:
    """Try some rows again and again until each has its outcome.

    Args:
        run: The push.
        changes: One chunk.
        attempt: One round, which begins by reading what the server holds, merges, and sends at most one
            request. It ends rows; those that it leaves open go into the next round.
        look: Reads what a lost request for these rows would have changed.
        apart: Where the server itself fails, find the row that breaks it by sending one at a time; a row
            that it fails on twice, and that did not arrive, is to be ended by the next attempt.
        lost: How often the answer for these rows did not arrive.

    Raises:
        Stopped: The server cannot be reached, does not answer, or the push was cancelled.
    """
    left, patience, renewed = changes, Patience(run.server), False
    while left := list(filter(run.is_open, left)):
        try:
            with no_collection():  # it looks for long at the entities of all rows, and finds no cycle
                attempt(left)
            run.server.waits.over()
            patience = Patience(run.server)
        except NotSent as cause:
            if cause.renewed and renewed:
                raise Stopped(f"the server does not accept the new token either: {cause}") from cause
            renewed |= cause.renewed
            patience.wait(cause, cause.pause)
        except FateUnknown as cause:
            left, since = list(filter(run.is_open, left)), int(time.time() * 1000)
            failing = apart and cause.by_server
            if cause.busy:
                patience.wait(cause, cause.pause)
            else:
                lost += 1
                if lost >= run.server.limits.attempts and not failing:
                    raise Stopped(f"no answer {lost} times: {cause}") from cause
            if len(left) > 1 or not cause.ended:
                run.server.until_quiet(partial(look, left), len(left), since=since)
            if failing and len(left) > 1:
                for change in left:
                    run.server.stop_if_cancelled()
                    until_settled(run, [change], attempt, look, apart=True, lost=lost)
            elif failing and lost > 1:
                run.failing[row_of(left[0])] = cause
