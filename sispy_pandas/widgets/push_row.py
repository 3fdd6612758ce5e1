"""The row below a review: guard, policy, note, Push with progress, Cancel, Resume, Verify, Undo."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from sispy.remedies import Argument, in_python, worded
from sispy.text import in_html

from ..pushing.guards import GUARDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy.remedies import Remedy

_GUARDS: dict[str, str] = {words: guard for guard, (_, words) in GUARDS.items()}
LINE = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "0 8px"}
"""The layout of controls beside each other."""
_POLICIES = {"Report them": "skip", "Keep mine": "mine", "Keep theirs": "theirs"}


class PushBar(widgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """How far a push is, and what it waits for; it is a `progress` as `Plan.push` takes one."""

    def __init__(self) -> None:
        self.done: widgets.IntProgress = widgets.IntProgress(layout={"width": "220px"})
        self.waits: widgets.HTML = widgets.HTML()
        super().__init__(children=[self.done, self.waits])

    def __call__(self, done: int, total: float | None) -> None:
        """Move the bar; what was waited for has come."""
        self.done.max = int(total or max(done, 1))
        self.done.value = done
        self.set_postfix_str("")

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:  # noqa: ARG002  # as tqdm has it
        """Show what the push waits for, such as "busy, again in 3 s"; an empty text once it goes on."""
        self.waits.value = in_html(s)


class PushRow(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Ask how to push; `stop` is set when the user cancels."""

    def __init__(
        self,
        *,
        push: Callable[[], None],
        cancel: Callable[[], None],
        resume: Callable[[], None],
        verify: Callable[[], None],
        undo: Callable[[], None],
    ) -> None:
        self.stop: threading.Event = threading.Event()
        style = {"description_width": "initial"}
        self.guard: widgets.Dropdown = widgets.Dropdown(options=_GUARDS, description="Guard", style=style)
        self.policy: widgets.Dropdown = widgets.Dropdown(
            options=_POLICIES, description="Conflicts", style=style
        )
        self.note: widgets.Text = widgets.Text(
            placeholder="Note, such as a ticket's number", layout={"width": "260px"}
        )
        self.deletes: widgets.IntText = widgets.IntText(
            description="Rows to delete", style=style, layout={"display": "none"}
        )
        self.push: widgets.Button = _button("Push", "upload", push, style="primary")
        self.resume: widgets.Button = _button("Resume the push", "play", resume)
        self.verify: widgets.Button = _button("Verify", "search", verify)
        self.verify.tooltip = "Look up whether values of others were replaced"
        self.undo: widgets.Button = _button("Undo", "undo", undo)
        self._ways = (self.resume, self.verify, self.undo)
        for way in self._ways:
            way.layout.display = "none"
        self.cancel: widgets.Button = _button("Cancel", "stop", cancel)
        self.cancel.on_click(lambda _: self._show_cancelling(True))
        self.bar: PushBar = PushBar()
        self._busy = widgets.HBox([self.bar, self.cancel], layout={"display": "none"})
        choices = widgets.HBox([self.guard, self.policy, self.note, self.deletes], layout=LINE)
        ways = widgets.HBox([self.push, *self._ways, self._busy], layout=LINE)
        super().__init__(children=[choices, ways])

    @property
    def options(self) -> dict[str, Any]:
        """What the choices are, as `Plan.push` takes them."""
        return {
            "guard": self.guard.value,
            "on_conflict": self.policy.value,
            "note": self.note.value.strip() or None,
            "expect_deletes": self.deletes.value if self.deletes.layout.display != "none" else None,
        }

    def told(self, text: str) -> str:
        """Return a text whose ways out name the controls of this row, and otherwise what one types."""
        return worded(text, self._named)

    def _named(self, remedy: Remedy) -> str | None:
        controls = {
            "guard": (self.guard, _GUARDS),
            "on_conflict": (self.policy, _POLICIES),
            "expect_deletes": (self.deletes, {}),
        }
        if not isinstance(remedy, Argument) or remedy.name not in controls:
            return in_python(remedy)
        control, choices = controls[remedy.name]
        shown = next((label for label, value in choices.items() if value == remedy.value), remedy.value)
        return f"{shown} in \u201c{control.description}\u201d"

    def ask_deletes(self, number: int) -> None:
        """Ask for the number of rows to delete if there are many; 0 asks nothing."""
        self.deletes.layout.display = "flex" if number else "none"

    def allow_resume(self, possible: bool) -> None:
        """Offer to finish a push that ended early, or not."""
        self.resume.layout.display = "inline-block" if possible else "none"

    def allow_verify(self, possible: bool) -> None:
        """Offer to read what the commits of a push tell, or not."""
        self.verify.layout.display = "inline-block" if possible else "none"

    def allow_undo(self, pushes: int) -> None:
        """Offer to undo so many pushes; 0 offers nothing."""
        self.undo.layout.display = "inline-block" if pushes else "none"
        self.undo.description = "Undo this push" if pushes < 2 else f"Undo all {pushes} pushes"

    def show_busy(self, busy: bool) -> None:
        """Show the bar and Cancel while a push runs."""
        self._busy.layout.display = "flex" if busy else "none"
        for button in (self.push, *self._ways):
            button.disabled = busy
        self._show_cancelling(False)
        if busy:
            self.bar(0, None)

    def _show_cancelling(self, cancelling: bool) -> None:
        """Say that Cancel was heard: what is on its way to the server ends before the push does."""
        self.cancel.disabled = cancelling
        self.cancel.description = "Cancelling …" if cancelling else "Cancel"


def _button(text: str, icon: str, act: Callable[[], None], *, style: str = "") -> widgets.Button:
    button = widgets.Button(description=text, icon=icon, button_style=style, layout={"width": "auto"})
    button.on_click(lambda _: act())
    return button
