"""What a widget shows where no widgets are drawn: on a static page, in a viewer, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..values.preview import preview
from .markup import Html, h

if TYPE_CHECKING:
    import pandas as pd

_TOLD = "A picture of a widget: Jupyter, VS Code and Voila show it live."


class Shown(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A column of widgets with a plain HTML view and a short repr beside."""

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any] | None:
        bundle: dict[str, Any] | None = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle["text/html"] = str(still(self._html()))
            bundle["text/plain"] = repr(self)
        return bundle

    def _html(self) -> Html:
        """Return the static view."""
        raise NotImplementedError


def still(shown: Html) -> Html:
    """Return a page of a widget for hosts that show none, and the sentence that says so.

    It has no stylesheet, which most of them would take away.
    """
    return h("div", h("p", h("em", _TOLD)), shown)


def frame_html(title: str, frame: pd.DataFrame) -> Html:
    """Write the first rows of a frame below a title."""
    return h("div", h("p", title), Html(preview(frame)) if len(frame) else h("p", "No rows."))
