"""The page of a table's rows: filter, columns, rows, their summary, and what to do with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...formats.registry import FIRST
from ...reading import filters
from ...values.blocks import count
from ...values.definition import enum_of
from ...values.entity import stored
from ...values.types.object_id import ID
from ..conditions import UNARY, Condition, operators
from ..markup import (
    NEXT,
    PREVIOUS,
    Html,
    alert,
    button,
    choice,
    h,
    joined,
    scrolling,
    short,
    table,
    text_field,
)
from .cell_html import html_of, link, text_of
from .summary import summary_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...values.schema import Schema
    from ...values.types.base import Field
    from ...workflow.objects import Snapshot
    from ..conditions import Builder
    from .asked import Asked
    from .draft import Draft

PAGE_SIZES = (25, 50, 100, 250)
EXAMPLE = "status = live and cpus >= 8"


@dataclass(frozen=True)
class Progress:
    """How far a fetch or an export has come."""

    done: int = 0
    total: float | None = None


def filter_html(schema: Schema, asked: Asked, builder: Builder, refused: str) -> Html:
    """Write the filter as a line and, folded, as conditions."""
    line = text_field(
        asked.text,
        "line",
        label="Filter",
        type="search",
        placeholder=f"Filter, such as {EXAMPLE}",
        class_="grow mono",
        aria_invalid="true" if refused else None,
        title="Conditions with =, !=, >, <, ~, like, in, nin, is empty; and, or, not, parentheses",
    )
    parts = [_part(schema, at, part) for at, part in enumerate(builder.parts)]
    joins = [("and", "all of these"), ("or", "any of these")]
    several = len(parts) > 1
    conditions = h(
        "details",
        h("summary", "Conditions", len(parts) > 0 and f" ({len(parts)})"),
        h(
            "div",
            several
            and h(
                "div", "Rows meet ", choice(joins, builder.joined, "join", label="How conditions are joined")
            ),
            *parts,
            h("div", button("+ Add a condition", "add", style="quiet")),
            class_="stack",
        ),
        key="conditions",
    )
    return h("div", h("div", line, class_="line"), alert(refused), conditions, _help(schema), class_="stack")


def _help(schema: Schema) -> Html:
    """Write the table of the language, which its module has; it is folded again for another table."""
    cells = re.findall(r"^\| (`.+) \| (.+) \|$", filters.__doc__ or "", re.MULTILINE)
    rows = [
        (h("span", typed.replace("`", ""), class_="mono"), found.replace("`", "")) for typed, found in cells
    ]
    shown = table(("Filter", "Finds rows where"), rows, label="Examples")
    return h(
        "details", h("summary", "What a filter can say"), shown, class_="help", key=f"help {schema.name}"
    )


def _part(schema: Schema, at: int, part: Any) -> Html:
    remove = button("✕", "remove", with_={"at": at}, style="quiet", aria_label=f"Remove condition {at + 1}")
    if not isinstance(part, Condition):
        return h("div", h("code", str(part), class_="grow"), remove, class_="line")
    field, here, number = part.field, {"at": at}, f" of condition {at + 1}"
    paths = [(path, path) for path in schema.columns]
    words = [(word, word) for word in operators(field)]
    return h(
        "div",
        choice(paths, field.path, "field", label=f"Field{number}", with_=here),
        choice(words, part.operator, "operator", label=f"Operator{number}", with_=here),
        part.operator not in UNARY and _value(field, part, f"Value{number}", here),
        remove,
        class_="line",
    )


def _value(field: Field, part: Condition, label: str, here: Mapping[str, int]) -> Html:
    values = enum_of(field) or (("true", "false") if field.kind.presentation == "boolean" else ())
    if values and part.operator in ("is", "is not", "has the member", "lacks the member"):
        known = dict.fromkeys(["", *values, part.text])
        return choice([(one, one or "…") for one in known], part.text, "value", label=label, with_=here)
    hints = {"date": "2026-11-23, or with a time in UTC", "number": "a number"}
    hint = hints.get(field.kind.presentation, "text")
    if "one of" in part.operator or "none of" in part.operator:
        hint = "values, separated by commas"
    return text_field(part.text, "value", label=label, with_=here, placeholder=hint, class_="grow")


def columns_html(schema: Schema, asked: Asked) -> Html:
    """Write the choice of columns, folded."""
    chosen = asked.fields or schema.columns
    boxes = [
        h(
            "label",
            h(
                "input",
                type="checkbox",
                checked=path in chosen,
                disabled=list(chosen) == [path],  # one has to be left
                act="column",
                with_={"path": path},
            ),
            path,
        )
        for path in schema.columns
    ]
    some = f" ({len(chosen)} of {len(schema.columns)})" if asked.fields is not None else ""
    everything = h("div", button("All columns", "all_columns", style="quiet")) if some else None
    body = h("div", everything, h("div", *boxes, class_="columns"), class_="stack")
    return h("details", h("summary", "Columns", some), body, key="columns")


def pager_html(number: int, size: int, shown: int, total: int | None, *, busy: bool) -> Html:
    """Write how many rows match, which of them are shown, and the way to the others."""
    if total is None:
        return h("div", h("span", "Loading …", class_="faint loading", role="status") if busy else None)
    first = number * size + 1
    told = h("b", f"{count(total, 'row')} {'matches' if total == 1 else 'match'}")
    span = f"{first:,} to {first + shown - 1:,}" if shown else ""
    sizes = [(str(one), f"{one} a page") for one in PAGE_SIZES]
    last = max(0, (total - 1) // size)
    return h(
        "div",
        told,
        busy and h("span", "Loading …", class_="faint loading", role="status"),
        h("span", span, class_="faint push"),
        button(PREVIOUS, "turn", with_={"to": number - 1}, disabled=number == 0, aria_label="Previous page"),
        button(NEXT, "turn", with_={"to": number + 1}, disabled=number >= last, aria_label="Next page"),
        total > PAGE_SIZES[0] and choice(sizes, str(size), "size", label="Rows of a page"),
        class_="line",
    )


def older_html(asked: Asked) -> Html:
    """Write that the rows are those of an earlier filter: this one has no answer yet."""
    of = joined("the filter ", h("code", asked.text)) if asked.text else "the table without a filter"
    return h("div", "Below are still the rows of ", of, class_="note", role="status")


def table_html(rows: Snapshot, names: Mapping[str, str], asked: Asked, open_id: str | None) -> Html:
    """Write rows: the key first, then the id, then the other columns; a click opens the row."""
    schema, there = rows.schema, set(rows.frame().columns)
    fields = [field for field in schema.fields if field.path in there]
    fields.sort(key=lambda field: field.path != schema.key)  # stable: only the key moves
    key = [field for field in fields if field.path == schema.key]
    fields = [*key, ID, *fields[len(key) :]]
    order = dict(asked.sort)
    head = [_head(field, order.get(field.path)) for field in fields]
    body = [_row(schema, fields, record, names, open_id) for record in rows.records()]
    if not body:
        return h("p", "No rows.", class_="faint")
    found = h("table", h("thead", h("tr", *head)), h("tbody", *body), class_="rows")
    return scrolling(found, label=f"Rows of {schema.name}")


def _head(field: Field, falls: bool | None) -> Html:
    sign = {None: "", False: " ▲", True: " ▼"}[falls]
    sort = {None: None, False: "ascending", True: "descending"}[falls]
    name = button(f"{field.path}{sign}", "sort", with_={"path": field.path}, title="Sort by this column")
    right = field.kind.presentation == "number"
    return h("th", name, scope="col", aria_sort=sort, align="right" if right else None)


def _row(
    schema: Schema,
    fields: Sequence[Field],
    record: Mapping[str, Any],
    names: Mapping[str, str],
    open_id: str | None,
) -> Html:
    id_ = record["_id"]
    cells = []
    for at, field in enumerate(fields):
        value = id_ if field is ID else stored(field, record)
        if at == 0:
            known = text_of(field, value) or id_
            shown = button(short(known), "row", style="link", with_={"table": schema.name, "row": id_})
            cells.append(h("th", shown, scope="row"))
            continue
        shown = h("span", id_, class_="mono faint") if field is ID else html_of(field, value, names)
        right = field.kind.presentation == "number"
        cells.append(h("td", shown, align="right" if right else None))
    return h("tr", *cells, key=id_, aria_current="true" if id_ == open_id else None)


def summary_html(rows: Snapshot, names: Mapping[str, str]) -> Html:
    """Write what is in the columns of the rows in sight, folded."""
    records = rows.records()
    there = set(rows.frame().columns)
    lines = []
    for field in rows.schema.fields:
        if field.path not in there:
            continue
        found = summary_of(field, [stored(field, record) for record in records])
        top = (
            joined(html_of(field, found.top, names, width=40), f" ({found.top_count} of {len(records)})")
            if found.top_count
            else ""
        )
        span = f"{text_of(field, found.low)} to {text_of(field, found.high)}" if found.low is not None else ""
        lines.append((field.path, found.missing, found.distinct, top, span))
    head = ("Field", "Missing", "Distinct", "Most frequent", "Range")
    title = "Summary of " + ("this row" if len(records) == 1 else f"these {count(len(records), 'row')}")
    return (
        h("details", h("summary", title), table(head, lines, label=title, class_="rows"), key="summary")
        if records
        else Html()
    )


def touched_html(drafts: Mapping[tuple[str, str], Draft]) -> Html | None:
    """Write which rows were edited and not reviewed yet."""
    if not drafts:
        return None
    rows = []
    for (name, id_), draft in drafts.items():
        key = str((draft.before.get(draft.schema.key) if draft.schema.key else None) or id_)
        where = {"table": name, "row": id_}
        forget = button("✕", "forget", with_=where, style="quiet", aria_label=f"Forget the edits of {key}")
        rows.append(h("span", link(name, id_, {id_: key}), forget))
    return h("div", "Edited, not reviewed yet: ", *rows, class_="note line")


def actions_html(variable: str, path: str, progress: Progress | None, told: str, failed: str) -> Html:
    """Write what can be done with all rows that match."""
    busy = progress is not None
    row = h(
        "div",
        button("Fetch as", "fetch", disabled=busy),
        text_field(variable, "name_variable", label="Name of the variable", size=8),
        button("Export to", "export", disabled=busy),
        text_field(path, "name_file", label="File", size=16, title=f"File: {', '.join(FIRST)}"),
        button("Open in the editor", "edit", disabled=busy),
        class_="line",
    )
    return h(
        "div", row, _progress(progress), told and h("div", told, class_="note"), alert(failed), class_="stack"
    )


def _progress(progress: Progress | None) -> Html | None:
    if progress is None:
        return None
    bar = h("progress", value=progress.done, max=progress.total or None, aria_label="Rows")
    return h(
        "div",
        bar,
        h("span", count(progress.done, "row"), class_="faint"),
        button("Cancel", "stop"),
        class_="line",
    )


def code_html(asked: Asked, url: str, schema: str) -> Html:
    """Write the same as Python and as a command, folded."""
    return h(
        "details",
        h("summary", "The same as code"),
        h("div", h("pre", asked.python(url, schema)), h("pre", asked.shell(schema)), class_="stack"),
        key="code",
    )
