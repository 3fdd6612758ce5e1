"""The line above an editor that offers what was edited and not pushed before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from sispy import Error
from sispy.remedies import message_of

from .markup import Html, alert, h

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .drafts import Draft

_LEFT = 8
"""Edits that are named of those which were left out."""


class DraftOffer(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Offer drafts one after the other, to be put back or discarded; nothing happens unasked.

    Args:
        drafts: The newest first.
        put_back: Puts a draft back, and returns what had to be left out; then the draft stays.
    """

    def __init__(self, drafts: Sequence[Draft], put_back: Callable[[Draft], list[str]]) -> None:
        self._drafts = list(drafts)
        self._put_back = put_back
        self._text = widgets.HTML()
        self._told = widgets.HTML()
        self._back = widgets.Button(description="Put them back", icon="history", layout={"width": "auto"})
        self._back.on_click(lambda _: self.take())
        discard = widgets.Button(description="Discard them", icon="trash", layout={"width": "auto"})
        discard.on_click(lambda _: self.discard())
        self._row = widgets.HBox([self._text, self._back, discard], layout={"flex_flow": "row wrap"})
        super().__init__(children=[self._row, self._told])
        self._show()

    def take(self) -> None:
        """Put the draft back that is offered; it goes if nothing of it is left out."""
        draft = self._drafts[0]
        try:
            left = self._put_back(draft)
        except (Error, OSError, ValueError) as error:
            self._told.value = alert(f"Not put back: {message_of(error)}")
            return
        if left:
            self._say("Put back")
            self._back.layout.display = "none"  # once is enough: new rows would come twice
            self._told.value = _list(left)
        else:
            self.discard()

    def discard(self) -> None:
        """Remove the draft that is offered, and offer the next."""
        self._drafts.pop(0).discard()
        self._told.value = ""
        self._show()

    def _show(self) -> None:
        self.layout.display = "" if self._drafts else "none"
        if self._drafts:
            self._say("Not pushed")
            self._back.layout.display = ""

    def _say(self, what: str) -> None:
        more = f" ({len(self._drafts) - 1} more after this)" if len(self._drafts) > 1 else ""
        self._text.value = h("span", f"{what}: {self._drafts[0]}{more}", role="status")


def _list(left: Sequence[str]) -> Html:
    more = [f"and {len(left) - _LEFT:,} more"] if len(left) > _LEFT else []
    items = [h("li", text) for text in (*left[:_LEFT], *more)]
    return h(
        "div",
        "All but this, which changed meanwhile; the draft stays until it is discarded:",
        h("ul", *items),
        role="status",
    )
