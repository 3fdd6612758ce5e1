"""The server as a push talks to it: reads are patient, a write is tried once, cancelling ends every wait."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from sispy import errors

from ..reading.lookup import read
from ..values.progress import BUSY, Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sispy.client import Endpoint

    from .options import Limits

T = TypeVar("T")

READS = 4
"""Times that a read is tried which the server fails on."""
FIRST_PAUSE = 0.2
"""Seconds until a server that was away or busy is asked again; each later pause is twice as long."""
_LOOK = "no answer, looking what arrived"
_NONE = (errors.ServerError, errors.NotJSON)
"""Answers that tell nothing about what was asked for."""


class Stopped(Exception):  # noqa: N818 - not an error of the push: the way to its orderly end
    """The push cannot go on now; the rows left are unsent, and `resume` completes it."""


class NotSent(Exception):  # noqa: N818 - the next round begins
    """A write certainly had no effect; before it is sent again, what the server holds has to be read again.

    Attributes:
        renewed: It was refused for a token that had ended, and there is a new one now.
    """

    pause: float = 0.0
    """Seconds that the server asked to wait."""

    def __init__(self, error: errors.Error) -> None:
        super().__init__(str(error))
        self.renewed: bool = isinstance(error, errors.TokenRenewed)


class FateUnknown(Exception):  # noqa: N818 - the beginning of finding out
    """A write was sent and no usable answer came: it may have been carried out, or be so any moment.

    Attributes:
        status: Of the answer, None if there was none.
        busy: Somebody asks for patience. SIS never does: a proxy may say so for a write that it passed on.
        by_server: The server, or a proxy before it, failed.
        pause: Seconds that the answer asks to wait.
    """

    def __init__(self, text: str, error: errors.Error | None = None) -> None:
        super().__init__(text)
        self.status: int | None = error.http_status_code if error is not None else None
        self.busy: bool = self.status in BUSY
        self.by_server: bool = isinstance(error, errors.ServerError) and not self.busy
        self.pause: float = getattr(error, "retry_after", None) or 0.0

    @property
    def ended(self) -> bool:
        """Return whether the server itself has ended its work; other statuses may be a proxy's."""
        return self.status == 500


@dataclass(frozen=True)
class Server:
    """What a push needs of the server that its plan is for."""

    endpoint: Endpoint
    limits: Limits
    cancel: Callable[[], bool]
    """Tells whether the caller cancelled the push."""
    tell: Callable[[str], object] = str
    """Is told what the push waits for, and nothing once it goes on."""

    @cached_property
    def waits(self) -> Waits:
        """How to wait: not through a cancellation, for which it raises Stopped."""
        return Waits(self.tell, self.stop_if_cancelled)

    @cached_property
    def once(self) -> Endpoint:
        """The endpoint for writes: each is sent once, because the next time has to begin with the guard."""
        return self.endpoint.tried_once()

    def read(
        self, path: str, values: Iterable[Any], *, fields: Iterable[str] | None = None
    ) -> list[dict[str, Any]]:
        """Read the entities with these values of a field, patiently; `_sis` always comes with them.

        Raises:
            Stopped: The server does not answer in time.
        """
        return list(
            read(
                self.endpoint.watched(self.waits.before_another_try),
                path,
                list(values),
                fields=None if fields is None else {"_sis", *fields},
                url=self.limits.url,
                readers=self.limits.readers,
                send=self.patiently,
            )
        )

    def read_rows(
        self, ids: Iterable[str], *, fields: Iterable[str] | None = None
    ) -> dict[str, dict[str, Any]]:
        """Read rows by `_id`; those that do not exist any more are missing in two answers."""
        ids = list(ids)
        found = {entity["_id"]: entity for entity in self.read("_id", ids, fields=fields)}
        missing = [id_ for id_ in ids if id_ not in found]  # an answer may be to another request
        return found | {entity["_id"]: entity for entity in self.read("_id", missing, fields=fields)}

    def patiently(self, read: Callable[[], T]) -> T:
        """Do a read; wait for a server that is away or busy."""
        patience, tries = Patience(self), 0
        while True:
            try:
                found = read()
            except errors.NoAnswer as error:
                failure: errors.Error = error
                pause = 0.0
            except errors.BadAnswer as error:
                tries += error.http_status_code not in BUSY
                if tries > READS or not (isinstance(error, _NONE) or error.http_status_code in BUSY):
                    raise
                failure = error
                pause = error.retry_after or 0.0
            else:
                self.waits.over()
                return found
            patience.wait(failure, pause)

    def write(self, send: Callable[[Endpoint], T]) -> T:
        """Do a write, once; `send` does it with the endpoint given.

        Raises:
            NotSent: It had no effect.
            Stopped: The push was cancelled before the request's turn came.
            FateUnknown: It may have had one.
            sispy.BadAnswer: The request was refused.
        """
        try:
            return send(self.once)
        except errors.TokenRenewed as error:
            raise NotSent(error) from error
        except errors.NoAnswer as error:
            raise (FateUnknown(str(error), error) if error.sent else NotSent(error)) from error
        except errors.BadAnswer as error:
            if isinstance(error, _NONE) or error.http_status_code in (303, *BUSY):
                raise FateUnknown(str(error), error) from error
            raise

    def take_rows(self, rows: int) -> None:
        """Wait until so many rows may be sent.

        Raises:
            Stopped: The push was cancelled.
        """
        self.limits.row_pace.take(rows / self.limits.rate, self.waits.sleep)

    def is_token_dead(self, error: errors.Unauthorized, user: str | None) -> bool:
        """Return whether a user's token was refused, not the right to an object: both are 401 (SIS-API 2)."""
        if not user:
            return "token" in str(error).lower()
        try:
            self.endpoint.client.tokens(user).fetch_page({"limit": 1})
        except errors.Unauthorized:
            return True
        except errors.Error:
            return "token" in str(error).lower()
        return False

    def stop_if_cancelled(self) -> None:
        """Raise Stopped if the caller cancelled the push."""
        if self.cancel():
            raise Stopped("cancelled")

    def until_quiet(self, look: Callable[[], T], rows: int, *, since: int | None = None) -> T:
        """Wait until the server can no longer be working on a lost write, and return what it then holds.

        Args:
            look: Reads it.
            rows: In that write.
            since: When it was sent, in ms; None: now.

        Raises:
            Stopped: It is written to all the time, or the push was cancelled.
        """
        least = self.limits.settle + rows * self.limits.settle_row
        if since is not None:
            least = max(0.0, least - max(0.0, time.time() - since / 1000))
        self.waits.sleep(least, _LOOK)
        found = look()
        end = time.monotonic() + least + self.limits.patience
        while time.monotonic() < end:
            self.waits.sleep(self.limits.settle / 2, _LOOK)
            again = look()
            if again == found:
                self.waits.over()
                return again
            found = again
        raise Stopped("rows keep changing after a write that got no answer")


class Patience:
    """Waits of growing length for a server that is away or busy, until there is no patience left."""

    def __init__(self, server: Server) -> None:
        self._server, self._pause = server, FIRST_PAUSE
        self._end: float | None = None

    def wait(self, failure: Exception, least: float) -> None:
        """Wait for some time.

        Args:
            failure: What is waited for to go away.
            least: Seconds that the server asked for.

        Raises:
            Stopped: That would take too long, or the push was cancelled.
        """
        pause, now = max(self._pause, least), time.monotonic()
        if self._end is None:
            self._end = now + self._server.limits.patience
        if now + pause > self._end:
            raise Stopped(f"the server does not answer: {failure}") from failure
        why = failure if isinstance(failure, errors.Error) else failure.__cause__ or failure
        self._server.waits.before_another_try(pause, why)
        self._pause = min(2 * pause, 5.0)
