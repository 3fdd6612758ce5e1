"""A plan as HTML for a notebook: head, a summary by field, then the first cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sispy.remedies import Message
from sispy.text import in_html

from ..values.changes import Create
from .render import ALL_CELLS, action, count, head, name_of, show, show_apart, shown_cells, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .change_set import ChangeSet

SHOWN = 200
"""Cells in the table; a longer plan shows the summary by field opened above them."""


def html(plan: ChangeSet, told: Callable[[str], str] = str) -> str:
    """Return the plan as one self-contained fragment of a bounded size; `told` is as for `head`."""
    first, *more = head(plan, told)
    parts = [f"<p><b>{in_html(first)}</b></p>", *(f"<p>{in_html(line)}</p>" for line in more)]
    cells = shown_cells(plan)
    if len(cells) > SHOWN:
        parts.append(table(["field", "cells", "most frequent"], summary(plan)))
    if plan.faults:
        faults = [[name_of(f), f.column or "", show(f.value), told(f.reason)] for f in plan.faults[:SHOWN]]
        parts.append(table(["problem in", "column", "value", "reason"], faults))
    if plan.stale:
        stale = [[name_of(s), told(s.reason)] for s in plan.stale[:SHOWN]]
        parts.append(table(["stale row", "reason"], stale))
    if cells:
        rows = [
            [
                action(change),
                "" if isinstance(change, Create) and change.key is None else name_of(change),
                path,
                *show_apart(before, after),
            ]
            for change, path, before, after in cells[:SHOWN]
        ]
        cells_table = table(["", plan.schema.key or "_id", "field", "before", "after"], rows)
        parts.append(f'<div style="max-height: 24em; overflow: auto">{cells_table}</div>')
    if len(cells) > SHOWN:
        more_cells = Message(f"... and {count(len(cells) - SHOWN, 'more cell')}", ALL_CELLS)
        parts.append(f"<p>{in_html(told(more_cells))}</p>")
    return f'<div class="sispy-plan">{"".join(parts)}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table of plain texts, escaped."""
    top = "".join(f"<th>{in_html(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{in_html(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
