"""How a plan is to be pushed: the decisions of the user, the sizes of requests, the waits."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import TYPE_CHECKING, Any

from sispy.errors import Unauthorized
from sispy.remedies import Argument, Call, Message, message_of

from ..planning.change_set import FREE_DELETES, PlanRefused
from ..planning.plan_file import digest
from ..values.blocks import show
from .guards import GUARDS, Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sispy import Client

    from ..planning.change_set import ChangeSet
    from ..planning.merge import OnConflict

CLOCKS_APART = 5_000
"""Milliseconds by which the clocks of a server's processes may differ."""


@dataclass(frozen=True, slots=True)
class Options:
    """The decisions about a push; see `Plan.push` for each of them.

    Raises:
        ValueError: An unknown word.
    """

    guard: Guard = "check"
    on_conflict: OnConflict = "skip"
    skip_problems: bool = False
    allow_dangling: bool = False
    note: str | None = None
    reviewer: str | None = None

    def __post_init__(self) -> None:
        if self.guard not in GUARDS:
            raise ValueError(f"guard={self.guard!r}: one of {', '.join(map(repr, GUARDS))}")
        if self.on_conflict not in ("skip", "mine", "theirs"):
            raise ValueError(f"on_conflict={self.on_conflict!r}: 'skip', 'mine' or 'theirs'")

    def resumed(self, begin: Mapping[str, Any]) -> Options:
        """Return the options for the rest of a push: what was decided at first, unless given anew."""
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        return replace(
            self,
            **{n: begin[n] for n, value in own.items() if n in begin and value == getattr(_DEFAULT, n)},
        )


_DEFAULT = Options()


class Pace:
    """Lets callers through one by one, from any thread, each after the time that the one before has taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = 0.0

    def __reduce__(self) -> tuple[type[Pace], tuple[()]]:
        return Pace, ()  # another process has a pace of its own

    def take(self, seconds: float, sleep: Callable[[float], object] = time.sleep) -> None:
        """Return when it is our turn; the next one comes so many seconds later.

        Where `sleep` raises, the turn is given back if nobody waits behind it.
        """
        with self._lock:
            now = time.monotonic()
            ours = max(now, self._free)
            self._free = ours + seconds
        try:
            if ours > now:
                sleep(ours - now)
        except BaseException:
            with self._lock:
                if self._free == ours + seconds:
                    self._free = ours
            raise


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes and waits of a push; the defaults suit a server with one process (SIS-API 15).

    Pushes that are given the same object share its `rate` and its `pause`.

    Raises:
        ValueError: A size below 1 or a negative time.
        TypeError: It is no number.

    Example:
        >>> Limits(rows=100).bytes
        900000
    """

    rows: int = 250
    """Rows in one request."""
    bytes: int = 900_000
    """Encoded bytes in one request; the server refuses 10 MiB, proxies in front of it often 1 MB."""
    url: int = 6_000
    """Bytes of an encoded query in a URL."""
    readers: int = 2
    """Reads at a time; a server process does one thing at a time."""
    settle: float = 5.0
    """Seconds, at least, before the fate of a write without an answer is looked up."""
    settle_row: float = 0.010
    """Seconds more for each row of that write."""
    patience: float = 60.0
    """Seconds to wait for a server that takes no connections or asks for patience (429, 503)."""
    attempts: int = 4
    """Times that a chunk is sent whose answer does not arrive."""
    rate: float = math.inf
    """Rows in a second, at the most, and requests, reads as well; a request has no more rows than these."""
    pause: float = 0.0
    """Seconds, at least, from the beginning of one request to that of the next, whatever they are for."""
    row_pace: Pace = field(default_factory=Pace, init=False, repr=False, compare=False)
    request_pace: Pace = field(default_factory=Pace, init=False, repr=False, compare=False)

    @property
    def between(self) -> float:
        """Seconds, at least, from the beginning of one request to that of the next."""
        return max(self.pause, 1 / self.rate)

    def __post_init__(self) -> None:
        for item in (item for item in fields(self) if item.init):
            value = getattr(self, item.name)
            if not isinstance(value, Real):
                raise TypeError(f"{item.name}={value!r}: it is a number")
            least = 1 if item.name in ("rows", "bytes", "url", "readers", "attempts") else 0
            if not float(value) >= least:
                raise ValueError(f"{item.name}={value!r}: at least {least} is needed")
        if not self.rate > 0:
            raise ValueError(f"rate={self.rate!r}: more than 0 rows a second are needed")


def need_token(client: Client) -> None:
    """Raise where there is no token, which the server would refuse, or the profile is for reading alone.

    Raises:
        sispy.Unauthorized: There is none, or the profile is read-only.
    """
    client.rules.refuse_write()
    if not client.auth_token:
        raise Unauthorized(
            Message(
                f"there is no token for {client.url}, and writing needs one (SIS_TOKEN may hold it)",
                Call("client.authenticate()", "gets one", ("login",)),
            )
        )


def refuse(
    plan: ChangeSet, options: Options, expect_deletes: int | None, expect_digest: str | None = None
) -> None:
    """Raise if a plan must not be pushed with these options.

    Raises:
        PlanRefused: It deletes more rows than stated, is another than the expected one, or lacks the note
            that the profile asks for.
        ValueError: It is not known whose the token is, whose name compare-and-set writes into each row.
        sispy.Unauthorized: There is no token.
    """
    need_token(plan.endpoint.client)
    try:
        plan.endpoint.client.rules.refuse_note(options.note)
    except ValueError as error:
        raise PlanRefused(message_of(error), plan) from error
    if options.guard == "cas" and not plan.endpoint.client.username:
        raise ValueError(
            Message(
                "guard='cas' writes your name into each row, and it is not known whose the token "
                "is: set SIS_USER to its owner",
                Call("client.username = NAME", "says so, too"),
                Call("client.authenticate()", "proves it", ("login",)),
            )
        )
    if expect_digest is not None and (found := digest(plan)) != expect_digest.strip().lower():
        said = f"this is not the plan that was reviewed: its digest is {found}, not {show(expect_digest, 80)}"
        raise PlanRefused(said, plan)
    deletes = plan.counts["deletes"]
    unstated = expect_deletes is None and deletes > FREE_DELETES and plan.journal is None
    if unstated or expect_deletes not in (None, deletes):
        other = "" if expect_deletes is None else f", not {expect_deletes}"
        stating = Argument("expect_deletes", "confirms it", deletes)
        raise PlanRefused(Message(f"this deletes {deletes} rows{other}", stating), plan)
