"""The picture of all tables and their references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..markup import Html, choice, h, loading, scrolling
from .panel import Panel
from .picture import picture
from .tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable

_SCALES = ("100", "60", "35", "20")


class MapPanel(Panel):
    """Show which table refers to which; a click opens one.

    Args:
        visit: Called with the name of a table.
    """

    def __init__(self, *, visit: Callable[[str], None]) -> None:
        self.tables: Tables = Tables()
        self.here: str | None = None
        self.is_loading = False
        self.scale: str = "100"
        super().__init__(visit=visit, zoom=self._zoom)

    def content(self) -> Html:
        if self.is_loading and not len(self.tables):
            return loading("Loading the tables …")
        pairs = {(one.table, one.target) for one in self.tables.references}
        told = (
            f"{len(self.tables):,} tables, {len(pairs):,} references; what a table refers to is on its right."
        )
        drawn = picture(self.tables, self.tables.schemas, here=self.here, scale=int(self.scale) / 100)
        size = choice([(one, f"{one} %") for one in _SCALES], self.scale, "zoom", label="Size")
        head = h("div", h("span", told, class_="faint"), size, class_="line")
        return h("div", head, scrolling(drawn, label="Picture of the references"), class_="stack")

    def _zoom(self, value: str) -> None:
        self.scale = value
        self.draw()
