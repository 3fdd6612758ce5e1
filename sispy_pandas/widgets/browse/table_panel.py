"""The head of a table, its tabs, and those of them that need nothing of the server: fields and references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..markup import Html, button, h, joined, scrolling, tabs
from .fields_html import facts_html, fields_html, links_html
from .panel import Panel
from .picture import around, picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...values.schema import Schema
    from .tables import Tables

TABS = {"fields": "Fields", "rows": "Rows", "references": "References", "history": "History"}


class TablePanel(Panel):
    """Show what a table is.

    Args:
        visit: Called with the name of another table.
        owner: Called with the name of a group.
        back: Called for the table before.
        choose: Called with the name of a tab.
    """

    def __init__(
        self,
        *,
        visit: Callable[[str], None],
        owner: Callable[[str], None],
        back: Callable[[], None],
        choose: Callable[[str], None],
    ) -> None:
        self.schema: Schema | None = None
        self.tables: Tables | None = None
        self.tab = "fields"
        self.searched = ""
        self.before: str | None = None
        super().__init__(
            visit=visit,
            owner=owner,
            back=back,
            tab=choose,
        )

    def content(self) -> Html:
        schema, tables = self.schema, self.tables
        if schema is None or tables is None:
            return h("p", "Choose a table, or search and press Enter.", class_="faint")
        back = self.before and button("←", "back", style="quiet", aria_label=f"Back to {self.before}")
        return h(
            "div",
            h("div", back or None, h("h2", schema.name), class_="line"),
            h("div", facts_html(schema, tables.counts.get(schema.name))),
            tabs(TABS, self.tab, "tab", label="Views of the table"),
            self._body(schema, tables),
            class_="stack",
        )

    def _body(self, schema: Schema, tables: Tables) -> Html | None:
        if self.tab == "fields":
            return fields_html(schema, self.searched)
        if self.tab == "references":
            drawn = picture(tables, around(tables, schema.name), here=schema.name)
            return joined(scrolling(drawn, label="Picture of the references"), links_html(schema, tables))
        return None
