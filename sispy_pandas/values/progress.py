"""Progress of long work: tqdm's bar, silence, or whatever the caller brings."""

from __future__ import annotations

import math
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from sispy.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


BUSY = (408, 429, 503)
"""Statuses of an answer that asks for patience."""
BRIEF = 1.0
"""Seconds that work on the way may take before it has a bar."""
_LOGGED = 10.0
"""Seconds between two lines of a log."""
_STEP = 0.2
"""Seconds between two looks whether a wait was cancelled."""


class Bar(Protocol):
    """What work reports to; a tqdm bar is one."""

    total: float | None

    def update(self, n: int = 1) -> Any:
        """Count n more units as done."""

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> Any:
        """Show a short text behind the count."""


class _Quiet:
    """A bar that nobody sees; with a function, one that calls it."""

    def __init__(self, total: int | None, report: Callable[[int, float | None], Any] | None = None) -> None:
        self.total: float | None = total
        self._done = 0
        self._report = report

    def update(self, n: int = 1) -> None:
        self._done += n
        if self._report:
            self._report(self._done, self.total)

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        tell = getattr(self._report, "set_postfix_str", None)
        if tell is not None:
            tell(s, refresh)


class _Borrowed:
    """The caller's own bar, which may know `update` alone and is not closed here."""

    def __init__(self, bar: Any, total: int | None) -> None:
        self._bar = bar
        self.total = total

    @property
    def total(self) -> float | None:
        return self._total

    @total.setter
    def total(self, value: float | None) -> None:
        self._total = value
        if hasattr(self._bar, "total"):
            self._bar.total = value

    def update(self, n: int = 1) -> None:
        self._bar.update(n)

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        if hasattr(self._bar, "set_postfix_str"):
            self._bar.set_postfix_str(s, refresh)

    def refresh(self) -> None:
        show_all(self._bar)


class _Late(_Borrowed):
    """A bar of tqdm that is shown after a while, or at once to tell what is waited for."""

    def __init__(self, bar: Any) -> None:
        super().__init__(bar, bar.total)

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        super().set_postfix_str(s, refresh)
        self._bar.delay = 0.0  # it is seen by now: else its line would never be ended


@contextmanager
def bar(progress: Any, *, total: int | None, unit: str, desc: str, delay: float = 0.0) -> Iterator[Bar]:
    """Yield a bar for some work, and close it afterwards. Nothing of it reaches stdout.

    >>> with bar(lambda done, total: print(done, "of", total), total=2, unit=" rows", desc="host") as it:
    ...     it.update(2)
    2 of 2

    Args:
        progress: True: tqdm's bar on stderr or in the notebook; False: none; an object with `update(n)`, such
            as a tqdm bar: used as it is; a function: called as `progress(done, total)`. The last two are
            told what is waited for if they have a `set_postfix_str`, too.
        total: Expected number of units; None: not known yet, `.total` may be set later; 0: there is no bar.
        unit: What is counted, as it stands behind the rate, such as " rows".
        desc: What the work is about, in a word or two.
        delay: Seconds before which tqdm's bar is not shown: what is over by then has none.
    """
    if hasattr(progress, "update"):
        yield _Borrowed(progress, total)
    elif callable(progress):
        yield _Quiet(total, progress)
    elif not progress or total == 0:
        yield _Quiet(total)
    else:
        from tqdm.auto import tqdm  # late: it looks for a notebook, which takes a while

        in_notebook = any("notebook" in kind.__module__ for kind in tqdm.__mro__)
        interval = 0.1 if in_notebook or sys.stderr.isatty() else _LOGGED  # a log wants few lines
        with tqdm(
            total=total,
            unit=unit,
            desc=printable(desc),
            mininterval=interval,
            delay=delay,
            dynamic_ncols=in_notebook,  # else the text leaves the bar no room there
            file=sys.stderr,
        ) as shown:
            yield _Late(shown) if delay else shown


class _Aside:
    """A caller's bar, or function, that is told of waits alone."""

    def __init__(self, progress: Any) -> None:
        self._tell = getattr(progress, "set_postfix_str", None)

    def update(self, n: int = 1) -> None:
        """Count nothing: the caller counts other work."""

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        if self._tell is not None:
            self._tell(s, refresh)


def aside(progress: Any) -> Any:
    """Return what preparatory work reports to, when `progress` counts the work after it.

    People see a bar of its own; a bar or a function of the caller is told of waits alone.
    """
    return progress if isinstance(progress, bool) else _Aside(progress)


def show_all(shown: Bar) -> None:
    """Let a bar show all that it has counted: it skips counts that come quickly."""
    refresh = getattr(shown, "refresh", None)
    if refresh is not None and getattr(shown, "mininterval", 0) < _LOGGED:
        refresh()


class Waits:
    """Waits that those who watch are told of: what for, and how long.

    Args:
        tell: Is told so, such as a bar's `set_postfix_str`; an empty text once the work goes on.
        check: Is called while it waits; what it raises ends the wait.
    """

    def __init__(self, tell: Callable[[str], object], check: Callable[[], object] = lambda: None) -> None:
        self._tell, self._check = tell, check
        self._told = ""

    def sleep(self, seconds: float, then: str = "") -> None:
        """Wait for some time; `then`: what is done afterwards, empty if nobody has to know."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._check()
            if then:
                self._say(f"{then} in {math.ceil(left)} s")
            time.sleep(min(left, _STEP))
        if then:
            self._say(f"{then} now")

    def before_another_try(self, seconds: float, failure: BaseException) -> None:
        """Wait before a request is sent again: see `Endpoint.watched`."""
        status = getattr(failure, "http_status_code", None)
        self.sleep(seconds, f"{'busy' if status in BUSY else 'no answer'}, again")

    def over(self) -> None:
        """Say that the work goes on."""
        self._say("")

    def _say(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._tell(text)
