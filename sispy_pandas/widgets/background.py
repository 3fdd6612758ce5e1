"""Work beside the page: a slow server keeps a widget busy, never frozen."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from sispy import Error
from sispy.remedies import message_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Say = Callable[[str], None]

T = TypeVar("T")


class Cancelled(Exception):  # noqa: N818  # not an error: somebody asked for it
    """The user does not wait any longer."""


class Job:
    """One piece of work; `check` raises Cancelled in it once nobody waits for its result."""

    def __init__(self) -> None:
        self._wanted = True

    def cancel(self) -> None:
        """Drop the result; the work stops at its next `check`."""
        self._wanted = False

    def check(self, *_: Any) -> None:
        """Raise Cancelled if the job was cancelled; takes a progress callback's arguments."""
        if not self._wanted:
            raise Cancelled


class Background:
    """Run one job at a time in a thread; a new one replaces the one before, whose result is dropped.

    Args:
        busy: Called with True when work starts and with False when the last job ended.
        say: Called with the words of an error, and with "" when a job starts.
    """

    def __init__(self, *, busy: Callable[[bool], None], say: Say) -> None:
        self._busy = busy
        self._say = say
        self._job: Job | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()  # a job is either cancelled or shown, never half of each

    def start(self, work: Callable[[Job], T], done: Callable[[T], None]) -> None:
        """Call `done(work(job))` beside the page. Errors of the server and of values are said in words."""
        self.cancel()
        self._job = job = Job()
        self._say("")
        self._busy(True)

        def run() -> None:
            try:
                result = work(job)
                with self._lock:
                    job.check()
                    done(result)
            except Cancelled:
                pass
            except (Error, ValueError, OSError) as error:
                self._say_if_current(job, message_of(error))
            except Exception as error:
                self._say_if_current(
                    job, f"{type(error).__name__}: {error}"
                )  # nobody waits for what never comes
                raise
            finally:
                with self._lock:
                    if self._job is job:
                        self._busy(False)

        self._thread = threading.Thread(target=run, daemon=True, name="sispy-widget")
        self._thread.start()

    def _say_if_current(self, job: Job, text: str) -> None:
        with self._lock:
            if self._job is job:
                self._say(text)

    def cancel(self) -> None:
        """Drop the job that runs, if one does."""
        with self._lock:
            if self._job is not None:
                self._job.cancel()
                self._job = None
                self._busy(False)

    def wait(self, seconds: float = 10) -> None:
        """Wait until the job that runs has ended; for scripts and tests, a page does not need it."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(seconds)
