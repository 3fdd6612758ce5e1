"""`sispy show`: rows of a table in the terminal, or one of them whole."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import fields as field_names
from sispy.cli.completion import rows_or_filters
from sispy.cli.exits import Misuse, misuse
from sispy.cli.options import Session, answers, examples, session
from sispy.cli.terminal import width
from sispy.remedies import Argument, Call, Message, message_of
from sispy.text import SENTENCE, cells, printable
from sispy_pandas.commands.inputs import several
from sispy_pandas.commands.output import Answer, tell, time_text
from sispy_pandas.commands.tables import entity_of, nothing_found, of_table, query_of, table_of
from sispy_pandas.reading.filters import parse
from sispy_pandas.values.blocks import Column, Lines, Table, count
from sispy_pandas.values.blocks import show as line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from sispy.client import Endpoint
    from sispy_pandas.values.blocks import Block
    from sispy_pandas.values.schema import Schema
    from sispy_pandas.workflow.objects import Snapshot

    from ..values.types.base import Field

ROWS = 100
"""That people see, unless they ask for another number."""
_IS_FILTER = re.compile(r"[=<>~]|\s(in|nin|like|is|and|or)\s", re.IGNORECASE)
"""What a key hardly holds, so that somebody means a filter."""
_WIDEST = 24
"""Columns of a terminal that a field takes at most where fields are chosen to fit."""


@click.command(
    epilog=examples(
        "sispy show host status=live 'hardware.cores>=64'",
        "sispy show host --fields name,os.version,rack --sort=-price --limit 10",
        "sispy show host web-fra1-001",
        "sispy show host os.name=rhel --output json | jq -r '.rows[].name'",
    )
)
@of_table
@click.argument("filters", nargs=-1, metavar="[FILTER]...", shell_complete=rows_or_filters)
@click.option(
    "--fields",
    type=several,
    metavar="A,B",
    shell_complete=field_names,
    help="Columns to show; a nested document stands for all below it.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Rows to show; default: {ROWS}, for programs all.",
)
@click.option(
    "--sort",
    metavar="A,-B",
    shell_complete=field_names,
    help="Order of the rows; '-' descends. Default: _id.",
)
@click.option(
    "--refs",
    type=click.Choice(["id", "label"]),
    help="References as ids or by name; default: by name, for programs as ids.",
)
@answers("json", "csv", "md")
@session
def show(
    session: Session,
    name: str,
    filters: tuple[str, ...],
    fields: list[str] | None,
    limit: int | None,
    sort: str | None,
    refs: str | None,
) -> None:
    """Show the rows of table SCHEMA that meet every FILTER, or one row whole.

    FILTERs are as in `sispy export --help`; in place of them, the _id or key of a row shows all of it: each
    value, who wrote it last, and when. In a terminal long answers are paged ($PAGER); as many fields are
    shown as fit. With --output csv it is the file that `sispy export` writes.
    """
    from sispy_pandas.workflow.fetch import fetch

    endpoint, schema = table_of(session.client(), name)
    row = _row_meant(endpoint, schema, filters)
    if row is not None:
        if any((fields, limit, sort)):
            raise Misuse("a row is shown whole: leave --fields, --limit and --sort out.")
        tell(session, _one(endpoint, schema, row), paged=True)
        return
    for_people = session.is_told_at_once
    most = limit or (ROWS if for_people else None)
    q = query_of(endpoint, filters)
    query = {"q": q} | ({"sort": sort} if sort else {}) | ({"limit": most} if most else {})
    labels: Any = refs or ("label" if for_people else "id")
    try:
        found = fetch(endpoint, query, fields=fields, refs=labels, progress=session.progress)
    except ValueError as error:
        raise misuse(error) from error
    total = endpoint.count(q) if len(found) == most else len(found)
    if len(found) or not for_people:
        tell(session, _rows(found, total, fields), paged=True)
    else:
        session.say(f"{name}: {nothing_found(filters)}" if filters else f"{name}: no rows")


def _row_meant(endpoint: Endpoint, schema: Schema, filters: Sequence[str]) -> dict[str, Any] | None:
    """Return the row that the one argument names, None if filters were given instead, or nothing."""
    if len(filters) != 1:
        return None
    try:
        parse(filters[0])
    except ValueError as error:
        row = entity_of(endpoint, schema, filters[0])
        if row is None:
            said = "" if _IS_FILTER.search(filters[0]) else f"{schema.name} has no row {filters[0]!r}; "
            raise Misuse(Message(said, message_of(error))) from error
        return row
    return None


def _rows(found: Snapshot, total: int, chosen: Sequence[str] | None) -> Answer:
    """Return rows as an answer. People see the fields that they chose, else the key and those that fit."""
    from sispy_pandas.formats.table import as_table
    from sispy_pandas.values.schema import RECEIPT
    from sispy_pandas.values.types.object_id import ID

    columns = [(f, series) for f, series in as_table(found) if f not in (ID, RECEIPT)]
    key = found.schema.key
    order = chosen or [found.schema.key or "_id"]
    columns.sort(key=lambda column: _place(column[0].path, order))
    texts = {field.path: _texts(field, series) for field, series in columns}
    if chosen is None and key is None:
        texts = {"_id": list(found.ids), **texts}
    seen = _fitting(texts) if chosen is None else list(texts)
    table = Table(
        tuple(Column(path, whole=path == key) for path in seen),
        list(zip(*(texts[path] for path in seen), strict=True)),
    )

    def blocks() -> Iterator[Block]:
        yield table
        rest = []
        if len(found) < total:
            rest.append(
                Message(f"{count(total - len(found), 'more row')}", Call("", "shows more", ("--limit", "N")))
            )
        if len(seen) < len(texts):
            left = count(len(texts) - len(seen), "more field")
            rest.append(Message(left, Argument("fields", "chooses them")))
        if rest:
            yield Lines(tuple(rest))

    def document() -> Mapping[str, Any]:
        from sispy_pandas.values.records import records_of

        about = {"server": found.endpoint.client.url, "table": found.schema.name, "total": total}
        return {**about, "rows": records_of(found.schema, found.frame(meta=True))}

    return Answer("rows", table, document=document, blocks=blocks, as_csv=lambda: _as_file(found), limit=None)


def _place(path: str, order: Sequence[str]) -> int:
    """Return where a field stands among those that were named, it or a document around it; else behind."""
    return next((n for n, name in enumerate(order) if f"{path}.".startswith(f"{name}.")), len(order))


def _texts(field: Field, series: pd.Series[Any]) -> list[Any]:
    from sispy_pandas.values.types.convert import json_values

    return [_shown(field, value) for value in json_values(field, series)]


def _shown(field: Field, value: Any) -> Any:
    from sispy_pandas.values.times import brief

    if field.kind.presentation == "date" and isinstance(value, str):
        return brief(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, list) and all(isinstance(member, str) for member in value):
        return ", ".join(value)
    return value if isinstance(value, str) else line_of(value)


def _fitting(texts: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the first fields that fit the terminal side by side, but for empty ones; all without one."""
    limit = width()
    if limit is None:
        return list(texts)
    chosen: list[str] = []
    for path, column in texts.items():
        widest = max([cells(path), *(cells(str(text)) for text in column if text is not None)])
        room = limit - (min(widest, _WIDEST) if chosen else widest)
        if chosen and (room < 0 or all(text in (None, "") for text in column)):
            continue
        limit = room - 2
        chosen.append(path)
    return chosen


def _one(endpoint: Endpoint, schema: Schema, row: Mapping[str, Any]) -> Answer:
    """Return a row as an answer: every value, its name if it is a reference, and its last edit."""
    from sispy_pandas.revisions.history import HistoryWarning, blame
    from sispy_pandas.values.types.cells import get_path
    from sispy_pandas.workflow.fetch import fetch
    from sispy_pandas.workflow.references import labelled

    id_ = row["_id"]
    names = labelled(fetch(endpoint, {"q": {"_id": id_}}, progress=False)).labels.names
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HistoryWarning)
        edits = blame(endpoint, id_)
    edits = edits.astype(object).where(edits.notna(), None)
    notes = [str(warning.message) for warning in caught]
    fields = []
    for field in schema.fields:
        value, by, at, action = edits.loc[field.path, ["value", "by", "at", "action"]]
        name = _named(value, names.get(field.path, {}))
        fields.append((field.path, value, name, by, time_text(at), action))
    titles = ("field", "value", "name", "by", "at", "action")
    table = Table(tuple(Column(None, title) for title in titles), fields, "field", "fields")
    sis = row.get("_sis", {})
    facts = {
        "server": endpoint.client.url,
        "table": schema.name,
        "_id": id_,
        "key": get_path(row, schema.key) if schema.key else None,
        "created": {"by": sis.get("_created_by"), "at": _time(sis.get("_created_at"))},
        "updated": {"by": sis.get("_updated_by"), "at": _time(sis.get("_updated_at"))},
        "owners": sis.get("owner", []),
        "tags": sis.get("tags", []),
        "notes": notes,
    }
    return Answer("row", table, facts, blocks=lambda: _whole(schema, facts, fields), limit=None)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A value of a row, and its last edit."""

    value: Any
    by: str | None
    at: str | None


def _whole(schema: Schema, facts: Mapping[str, Any], fields: Sequence[Sequence[Any]]) -> list[Block]:
    """Return what people see of a row: a line per value, documents nested, as `git blame` has a file."""
    from sispy_pandas.values.types.cells import set_path

    nested: dict[str, Any] = {}
    for field, (path, value, name, by, at, _) in zip(schema.fields, fields, strict=True):
        shown = _shown(field, value if name is None else name)
        has_documents = any(isinstance(one, dict) for one in (value if isinstance(value, list) else [value]))
        set_path(nested, path, _Cell(value if has_documents else shown, by, _second(at)))
    lines = [line for name, node in nested.items() for line in _lines(name, node)]
    edits = [
        f"{word} by {facts[word]['by']}, {_second(facts[word]['at'])}" for word in ("created", "updated")
    ]
    head = [
        " ".join(filter(None, [schema.name, line_of(facts["key"]), facts["_id"]])),
        f"{', '.join(edits)}; owned by {', '.join(facts['owners']) or 'nobody'}",
        *([f"tags: {', '.join(facts['tags'])}"] if facts["tags"] else []),
        *facts["notes"],
    ]
    at = Column("at", whole=True, spare=True)
    columns = (Column("by"), at, Column("field"), Column("value", holds="sentence"))
    return [Lines(tuple(head)), Table(columns, lines, "field")]


def _lines(name: str, node: Any, indent: str = "") -> Iterator[tuple[str | None, str | None, str, str]]:
    """Yield the lines of a value: by, at, indented name, text; of a document one for each of its fields."""
    cell = node if isinstance(node, _Cell) else _Cell(node, None, None)
    value, below = cell.value, indent.replace("-", " ") + "  "
    documents = value if isinstance(value, list) else [value]
    if not (documents and all(isinstance(one, dict) and one for one in documents)):
        yield cell.by, cell.at, f"{indent}{printable(name)}", line_of(value, SENTENCE)
        return
    yield cell.by, cell.at, f"{indent}{printable(name)}", ""
    for document in documents:
        for at, (key, inner) in enumerate(document.items()):
            yield from _lines(key, inner, below + ("" if documents is not value else "  " if at else "- "))


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """Return the names of the rows that a value refers to; None if none is known."""
    if isinstance(value, list):
        return [names.get(one, one) for one in value] if names and value else None
    return names.get(value) if isinstance(value, str) else None


def _second(time: str | None) -> str | None:
    return time and time[:19].replace("T", " ")


def _time(ms: Any) -> str | None:
    from sispy_pandas.values.times import iso

    return iso(int(ms)) if isinstance(ms, int | float) else None


def _as_file(found: Snapshot) -> str:
    """Return rows as the CSV file that an export writes."""
    from sispy_pandas.formats import csv
    from sispy_pandas.formats.table import as_table
    from sispy_pandas.values.types.cell_text import write_column, write_heading

    columns = as_table(found)
    file = io.StringIO()
    csv.write_columns(file, [[write_heading(field.path)] for field, _ in columns])
    csv.write_columns(file, [write_column(field, series) for field, series in columns])
    return file.getvalue()
