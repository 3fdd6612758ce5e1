"""The row of buttons below a filter: fetch, export, edit, with progress and a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from ..formats.registry import suffixes

if TYPE_CHECKING:
    from collections.abc import Callable


class ExportRow(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Ask for a variable or a file name, and show how far the work has come."""

    def __init__(
        self,
        *,
        fetch: Callable[[str], None],
        export: Callable[[str], None],
        edit: Callable[[], None],
        cancel: Callable[[], None],
    ) -> None:
        self.variable = widgets.Text(value="df", tooltip="Name of the variable", layout={"width": "90px"})
        known = f"File: {', '.join(suffixes())}"
        self.path = widgets.Text(value="export.csv", tooltip=known, layout={"width": "150px"})
        self.fetch = _button("Fetch as", "download", lambda: fetch(self.variable.value.strip()))
        self.export = _button("Export to", "file", lambda: export(self.path.value.strip()))
        self.edit = _button("Open in the editor", "table", edit)
        self.cancel = _button("Cancel", "stop", cancel)
        self._bar = widgets.IntProgress(layout={"width": "180px"})
        self._message = widgets.HTML()
        self._busy = widgets.HBox([self._bar, self.cancel], layout={"display": "none"})
        actions = widgets.HBox(
            [self.fetch, self.variable, self.export, self.path, self.edit], layout={"flex_flow": "row wrap"}
        )
        super().__init__(children=[actions, self._busy, self._message])

    def show_busy(self, busy: bool) -> None:
        """Show the bar and Cancel instead of active buttons, or the other way round."""
        self._busy.layout.display = "flex" if busy else "none"
        for button in (self.fetch, self.export, self.edit):
            button.disabled = busy
        if busy:
            self._bar.value = 0
            self._message.value = ""

    def show_progress(self, done: int, total: float | None) -> None:
        """Move the bar."""
        self._bar.max = int(total or max(done, 1))
        self._bar.value = done

    def say(self, text: str) -> None:
        """Show a line of HTML below the buttons."""
        self._message.value = text


def _button(text: str, icon: str, act: Callable[[], None]) -> widgets.Button:
    button = widgets.Button(description=text, icon=icon, layout={"width": "auto"})
    button.on_click(lambda _: act())
    return button
