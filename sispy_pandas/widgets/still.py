"""What is shown of widgets where none can be drawn: tables without a stylesheet, texts cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sispy.text import shorten

from ..values.preview import preview
from .markup import Html, h, table

if TYPE_CHECKING:
    import pandas as pd

    from .browse.tables import Tables

_FIELDS = 100
"""Characters of the fields of a table."""


def tables_html(url: str, tables: Tables) -> Html:
    """List tables with their counts, owners and fields."""
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


def frame_html(title: str, frame: pd.DataFrame) -> Html:
    """Write the first rows of a frame below a title."""
    return h("div", h("p", title), Html(preview(frame)) if len(frame) else h("p", "No rows."))
