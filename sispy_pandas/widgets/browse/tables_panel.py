"""The list of tables, with its search."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sispy.text import shorten

from ...values.blocks import count
from ..markup import Html, alert, button, h, joined, loading, table, text_field
from .panel import Panel
from .tables import Tables, read_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy import Client

    from ..background import Job
    from .tables import Hit

_MOST_FIELDS = 3
_FIELDS = 100
"""Characters of the fields of a table."""


class TablesPanel(Panel):
    """Find a table by its name or its fields, and open it.

    Args:
        client: The server.
        visit: Called with the name of a table that was chosen.
        loaded: Called when the tables were read.
    """

    def __init__(self, client: Client, *, visit: Callable[[str], None], loaded: Callable[[], None]) -> None:
        self._client = client
        self._visit = visit
        self._loaded = loaded
        self.tables: Tables = Tables()
        self.searched: str = ""
        self.chosen: str | None = None
        super().__init__(search=self._search, first=self._first, visit=visit)

    def reload(self) -> None:
        def work(job: Job) -> Tables:
            return read_tables(self._client, job.check)

        self.work.start(work, self._take)

    def hits(self) -> list[Hit]:
        """Return the tables that the search finds."""
        return self.tables.search(self.searched)

    def content(self) -> Html:
        hits = self.hits()
        search = text_field(
            self.searched,
            "search",
            label="Search tables and fields",
            type="search",
            placeholder="Search tables and fields",
            live="search",
            enter="first",
            title="Enter opens the first one",
        )
        found = [h("li", self._entry(hit), key=hit.name) for hit in hits]
        told = "" if hits or self.busy or self.problem else "Nothing is called so."
        if not len(self.tables) and not self.busy:
            told = "" if self.problem else "The server has no tables."
        number = f"{len(hits):,} of {count(len(self.tables), 'table')}" if self.searched.strip() else ""
        return h(
            "div",
            search,
            alert(self.problem),
            self.busy and loading("Loading the tables …"),
            told and h("div", told, class_="faint"),
            found and h("ul", *found, class_="tables", aria_label="Tables"),
            number and h("div", number, class_="faint"),
            class_="stack list",
        )

    def _entry(self, hit: Hit) -> Html:
        schema, rows = self.tables.schemas[hit.name], self.tables.counts[hit.name]
        facts = [count(rows, "row")] if rows is not None else []
        facts += [", ".join(schema.owner)] if schema.owner else []
        lines = [h("small", " · ".join(facts))] if facts else []
        shown = hit.fields[:_MOST_FIELDS]
        more = len(hit.fields) - len(shown)
        if shown:
            fields = [piece for path in shown for piece in (marked(path, self.searched), ", ")][:-1]
            lines.append(h("small", *fields, f" and {more} more" if more else None))
        return button(
            joined(marked(hit.name, self.searched), *lines),
            "visit",
            with_={"name": hit.name},
            aria_current="true" if hit.name == self.chosen else None,
            data_show=hit.name == self.chosen,
        )

    def _search(self, value: str) -> None:
        self.searched = value
        self.draw()

    def _first(self, value: str) -> None:
        self.searched = value
        hits = self.hits()
        if hits:
            self._visit(hits[0].name)

    def _take(self, tables: Tables) -> None:
        self.tables = tables
        self._loaded()
        self.draw()


def marked(text: str, searched: str) -> Html:
    """Write a text with what was searched for in it marked."""
    searched = searched.strip()
    if not searched:
        return joined(text)
    parts = re.split(f"({re.escape(searched)})", text, flags=re.IGNORECASE)
    return joined(*(h("mark", part) if at % 2 else part for at, part in enumerate(parts)))


def tables_html(url: str, tables: Tables) -> Html:
    """Write tables with their counts, owners and fields: what is shown where no widget can be."""
    rows = [
        (
            h("b", name),
            tables.counts[name],
            ", ".join(schema.owner),
            shorten(", ".join(schema.columns), _FIELDS),
        )
        for name, schema in tables.schemas.items()
    ]
    head = ("Table", "Rows", "Owners", "Fields")
    return h("div", h("p", h("b", url)), table(head, rows, label="Tables"), class_="stack")
