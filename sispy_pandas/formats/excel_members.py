"""Members of arrays on a sheet of their own: written beside the table, and put back into it on import."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.remedies import Message

from ..values.explode import MEMBER, explode, implode, member_fields
from ..values.records import DELETE, HOW, is_marked
from ..values.source import source_of, with_source
from ..values.types.base import Field
from ..values.types.cells import Refused
from ..values.types.convert import from_json, to_json
from ..values.types.equality import equal
from ..values.types.object_id import ID

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from ..values.row_set import RowSet
    from ..values.schema import Schema
    from .assemble import ReadColumn
    from .table import Table


def member_table(snapshot: RowSet, path: str) -> list[tuple[Field, pd.Series[Any]]]:
    """Return the columns of a sheet of members: hidden names, the key of the row, the fields."""
    members = explode(snapshot, path)
    field = snapshot.schema.field(path)
    flat = members.reset_index()
    table = [(ID, flat["_id"]), (_name_field(field), flat[MEMBER])]
    key = key_field(snapshot.schema)
    if key is not None:
        keys = snapshot.frame()[snapshot.schema.key]
        table.append((key, flat["_id"].map(keys).astype(keys.dtype)))
    return table + [(inner, flat[inner.path]) for inner in member_fields(field)]


def key_field(schema: Schema) -> Field | None:
    """Return the column in which a member names its row: the schema's key, as `host.name`."""
    if schema.key is None:
        return None
    return replace(schema.field(schema.key), path=f"{schema.name}.{schema.key}", required=False, unique=False)


def with_grey(
    frame: pd.DataFrame, field: Field, exported: Mapping[str, Any], sheet: str
) -> tuple[pd.DataFrame, dict[int, Refused]]:
    """Return the frame with an array column as it was exported, and the cells in which it was not.

    The column is for reading only: its members are edited on a sheet of their own.

    Args:
        frame: As read from the table's own sheet.
        field: The column.
        exported: `_id` -> JSON value.
        sheet: Name of the sheet of members.
    """
    column, edited = frame[field.path].tolist(), {}
    for i, (id_, cell) in enumerate(zip(frame.index.tolist(), column, strict=True)):
        before, after = exported.get(id_, []), to_json(field, cell)
        if not equal(field, after, before):
            shown = after if isinstance(after, str) else json.dumps(after, default=str) if after else ""
            reason = f"a grey cell, for reading only: edit sheet {sheet} instead"
            edited[i] = Refused(shown, Message(reason))
            column[i] = from_json(field, before)
    return with_cells(frame, field, column), edited


def with_cells(frame: pd.DataFrame, field: Field, cells: Sequence[Any]) -> pd.DataFrame:
    """Return the frame with other cells in a column; it still knows where it was read from."""
    source = source_of(frame)
    made = frame.assign(**{field.path: pd.Series(cells, index=frame.index, dtype=object)})
    return made if source is None else with_source(made, source)


def with_members(
    frame: pd.DataFrame, table: Table, field: Field, schema: Schema, read: ReadColumn
) -> pd.DataFrame:
    """Return the frame with the members of a sheet put into an array column.

    A row without the hidden names is a new member of the row with its key; one marked in `_delete` goes.
    Rows that are missing change nothing.

    Raises:
        ValueError: A row belongs to no row of the table, or a member is there twice.
    """
    if field.path not in frame.columns:
        raise ValueError(f"the column {field.path} is missing: its members cannot be put back")
    cells = dict(zip(table.header, table.columns, strict=True))
    nothing = [None] * len(table.rows)
    ids = list(read(ID, cells.get("_id", nothing)))
    names = list(read(_name_field(field), cells.get(MEMBER, nothing)))
    marks = [is_marked(cell) for cell in cells.get(DELETE, nothing)]
    if None in marks:
        raise ValueError(f"members of {field.path}, row {table.rows[marks.index(None)]}: {HOW}")
    columns = {f.path: list(read(f, cells[f.path])) for f in member_fields(field) if f.path in cells}
    key = key_field(schema)
    if key is not None and key.path in cells and schema.key in frame.columns:
        parents = dict(zip(frame[schema.key].tolist(), frame.index.tolist(), strict=True))
        for i, value in enumerate(read(key, cells[key.path])):
            if names[i] is None:
                ids[i] = parents.get(value, ids[i])
    known = set(frame.index.tolist())
    lost = next((i for i, name in enumerate(names) if name is None and ids[i] not in known), None)
    if lost is not None:
        raise ValueError(f"members of {field.path}, row {table.rows[lost]}: which row do they belong to?")
    kept = [i for i, id_ in enumerate(ids) if id_ in known and not marks[i]]
    edits = pd.DataFrame({path: pd.Series([v[i] for i in kept], dtype=object) for path, v in columns.items()})
    edits["_id"] = [ids[i] for i in kept]
    edits[MEMBER] = pd.Series([names[i] for i in kept], dtype=object)
    source = source_of(frame)
    made = implode(frame, edits, field.path, schema=schema)
    made = _without(made, field, {(ids[i], names[i]) for i, marked in enumerate(marks) if marked})
    return made if source is None else with_source(made, source)


def _without(frame: pd.DataFrame, field: Field, removed: set[tuple[Hashable, Hashable]]) -> pd.DataFrame:
    if not removed:
        return frame
    cells = [
        tuple(m for i, m in enumerate(cell) if (id_, m.get("_id") if field.fields else i) not in removed)
        for id_, cell in zip(frame.index.tolist(), frame[field.path].tolist(), strict=True)
    ]
    return frame.assign(**{field.path: pd.Series(cells, index=frame.index, dtype=object)})


def _name_field(field: Field) -> Field:
    return Field(MEMBER, "ObjectId" if field.fields else "Number")
