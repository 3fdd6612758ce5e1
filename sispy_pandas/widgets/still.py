"""What is shown of widgets where none can be drawn: tables without a stylesheet, texts cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.text import shorten

from ..values.types.convert import is_blank
from .markup import Html, h, short, table

if TYPE_CHECKING:
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
    """Write the rows of a small frame below a title."""
    rows = [tuple(map(_cell, row)) for row in frame.itertuples(index=False)]
    found = table(list(frame.columns), rows, label="Rows") if rows else h("p", "No rows.")
    return h("div", h("p", title), found)


def _cell(cell: Any) -> object:
    if is_blank(cell):
        return ""
    if isinstance(cell, pd.Timestamp):
        return cell.strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")
    if isinstance(cell, dict | tuple | list):
        return short(json.dumps(cell, ensure_ascii=False, default=str))
    return cell if isinstance(cell, int | float) else short(str(cell))
