"""Send what a push has to send: batch after batch, chunk after chunk."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sispy import errors

from ..planning.order import batches
from ..planning.precheck import to_come
from ..reading.chunks import chunks, encoded_size
from ..values.changes import Change, Create, Delete, Update, row_of
from ..values.entity import body
from .creates import complete, send_creates
from .deletes import PER_REQUEST, send_deletes
from .guards import GUARDS
from .server import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .run import Run


def send_all(run: Run) -> str | None:
    """Send batch after batch, chunk after chunk; return why it stopped early, if it did."""
    barred = {problem.row for problem in run.plan.problem_list}
    module, _, function = GUARDS[run.guard][0].partition(".")
    send_updates = getattr(import_module(f".guards.{module}", __package__), function)
    try:
        run.to_come = to_come(run.plan)
        left = [c for c in run.plan.changes if run.is_open(c) and row_of(c) not in barred]
        for batch in batches(run.schema, left, run.to_come):
            for part in _parts(run, [change for change in batch if isinstance(change, Update)]):
                send_updates(run, run.aim(part))
            for some in _parts(run, [change for change in batch if isinstance(change, Create)]):
                send_creates(run, run.aim(some))
            for few in _parts(
                run, [change for change in batch if isinstance(change, Delete)], rows=PER_REQUEST
            ):
                send_deletes(run, few)
        for some in _parts(run, [change for change in run.plan.changes if row_of(change) in run.waiting]):
            complete(run, run.aim(some))
    except (Stopped, errors.Error) as error:
        return run.stopped_by(error)
    return None


def _parts(run: Run, changes: Sequence[Any], *, rows: int | None = None) -> Iterable[Sequence[Any]]:
    limits = run.server.limits
    most = max(1, int(min(rows or limits.rows, limits.rows, limits.rate)))
    for part in chunks(changes, _size, rows=most, size_limit=limits.bytes):
        run.server.stop_if_cancelled()
        run.server.take_rows(len(part))  # before its rows are read once more
        yield part


def _size(change: Change) -> int:
    if isinstance(change, Delete):
        return 0
    return encoded_size(body(change.values if isinstance(change, Create) else change.after)) + 40
