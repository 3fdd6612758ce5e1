"""Progress of long work: tqdm's bar, silence, or whatever the caller brings."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from sispy.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
        """There is nowhere to show it."""


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


@contextmanager
def bar(progress: Any, *, total: int | None, unit: str, desc: str) -> Iterator[Bar]:
    """Give a bar for some work, and close it afterwards. Nothing of it reaches stdout.

    >>> with bar(lambda done, total: print(done, "of", total), total=2, unit=" rows", desc="host") as it:
    ...     it.update(2)
    2 of 2

    Args:
        progress: True: tqdm's bar on stderr or in the notebook; False: none; an object with `update(n)`, such
            as a tqdm bar: used as it is; a function: called as `progress(done, total)`.
        total: Expected number of units; None: not known yet, `.total` may be set later; 0: there is no bar.
        unit: What is counted, as it stands behind the rate, such as " rows".
        desc: What the work is about, in a word or two.
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
        interval = 0.1 if in_notebook or sys.stderr.isatty() else 10.0  # a log wants few lines
        with tqdm(
            total=total,
            unit=unit,
            desc=printable(desc),
            mininterval=interval,
            dynamic_ncols=in_notebook,  # else the text leaves the bar no room there
            file=sys.stderr,
        ) as shown:
            yield shown
