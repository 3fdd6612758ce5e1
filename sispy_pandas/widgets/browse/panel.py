"""A part of the browser with a page of its own, work of its own beside the page, and its errors."""

from __future__ import annotations

import time
from threading import RLock
from typing import TYPE_CHECKING

from sispy.remedies import worded

from ..background import Background
from ..drawn import view_class
from ..markup import Html, alert, h

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...workflow.objects import Plan
    from ..view import View

_MOMENT = 0.2  # seconds
_ODD = (AttributeError, KeyError, TypeError, ValueError)
"""What comes of documents that are not of the form a server of this kind gives."""


class Panel:
    """Draw `content()` in `view` whenever something has changed; `work` runs beside the page."""

    def __init__(self, **acts: Callable[..., object]) -> None:
        self.busy: bool = False
        self.problem: str = ""
        self._drawn = 0.0
        self._drawing = RLock()  # a job that ends and a click may draw at the same time
        self.work: Background = Background(busy=self._show_busy, say=self.say)
        self.view: View = view_class()({"cancel": self.cancel, **acts})

    def content(self) -> Html:
        """Write the page."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show the page as it is now."""
        with self._drawing:
            self._drawn = time.monotonic()
            try:
                self.view.html = self.content()
            except _ODD as error:
                self.view.html = alert(f"What the server gave cannot be shown: {error}")

    def draw_soon(self) -> None:
        """Draw, unless that was done a moment ago: for progress, which is followed by the end of its work."""
        if time.monotonic() - self._drawn > _MOMENT:
            self.draw()

    def show_if(self, seen: bool) -> None:
        """Show the panel, or hide it; a page that is hidden keeps its places of scrolling."""
        self.view.layout.display = None if seen else "none"

    def reload(self) -> None:
        """Read again what is shown."""

    def cancel(self) -> None:
        """Wait no longer for what is being read."""
        self.work.cancel()

    def wait(self, seconds: float = 10) -> None:
        """Wait until what runs beside the page has ended; for scripts."""
        self.work.wait(seconds)

    def _show_busy(self, busy: bool) -> None:
        self.busy = busy
        self.draw()

    def say(self, text: str) -> None:
        """Show what went wrong above the page; an empty text takes it away."""
        self.problem = text
        self.draw()


class PlanningPanel(Panel):
    """A panel that makes plans, which are reviewed below it, and says what they leave as it is.

    Args:
        review: Called with a plan.
        acts: As of a Panel.
    """

    def __init__(self, review: Callable[[Plan], None], /, **acts: Callable[..., object]) -> None:
        self._review = review
        self.refused: str = ""
        self.told: tuple[str, ...] = ()
        super().__init__(**acts)
        self.planning: Background = Background(busy=lambda _: self.draw(), say=self._say_refused)

    def cancel(self) -> None:
        super().cancel()
        self.planning.cancel()

    def wait(self, seconds: float = 10) -> None:
        super().wait(seconds)
        self.planning.wait(seconds)

    def _plan(self, make: Callable[[], Plan]) -> None:
        """Make a plan, and have it reviewed if there is anything in it."""

        def take(plan: Plan) -> None:
            is_empty = not (len(plan) or plan.problem_list or plan.conflict_list)
            if not is_empty:
                self._review(plan)
            first = (
                "There is nothing to change."
                if is_empty
                else "The plan is below: nothing is written before you push it."
            )
            self.told = (first, *(worded(note, lambda _: None) for note in plan.notes if is_empty))
            self.draw()

        self._forget()
        self.planning.start(lambda _: make(), take)

    def _forget(self) -> None:
        """Take away what was said of the last plan."""
        self.refused, self.told = "", ()

    def _said(self) -> Html:
        """Write what came of the last plan."""
        lines = [h("div", line) for line in self.told]
        return Html(alert(self.refused) + (h("div", *lines, class_="note", role="status") if lines else ""))

    def _say_refused(self, text: str) -> None:
        self.refused = text
        self.draw()
