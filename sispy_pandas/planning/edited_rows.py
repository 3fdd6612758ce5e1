"""An edited frame taken apart: columns that may change, rows that are new, to be deleted, or left out."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from sispy.remedies import message_of, nearest
from sispy.text import shorten

from ..values.changes import Change, Create, Delete, Problem, Stale, row_of
from ..values.entity import EDITABLE_META, sorted_as_stored
from ..values.records import DELETE, HOW, edited_row, is_marked, receipts_of
from ..values.schema import META, RECEIPT
from ..values.types.base import Type
from ..values.types.cells import get_path, is_missing
from ..values.types.convert import cast, is_blank, json_values
from ..values.types.equality import as_edited, canonical, equal
from .compare import shown
from .matching import ids_in
from .validate import unique_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Sequence

    from ..values.schema import Schema
    from ..values.types.base import Field
    from .matching import Matched

Left = TypeVar("Left", Problem, Stale)
READ_ONLY = frozenset(field.path for field in META) - frozenset(EDITABLE_META)
"""Columns of `_sis` that the server alone writes."""
REASON = "_reason"
"""The column of a retry file that says why a row was not written; nobody reads it again."""
APART = "its keys have columns of their own, as of json_normalize: leave the column out, or fill it"


def with_fields_apart(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return a frame with a column for each field of the documents that it holds as objects.

    A field that no row has gets no column. A document is left as it is if a field of it has a column already.
    """
    inner = {path[:at] for path in schema.columns for at, char in enumerate(path) if char == "."}
    columns: dict[str, Any] = {}
    for name in frame.columns:
        cells = frame[name].tolist() if name in inner and frame[name].dtype == object else []
        objects = [cell for cell in cells if not is_missing(cell)]
        beside = any(other.startswith(f"{name}.") for other in frame.columns)
        if not objects or beside or not all(isinstance(cell, dict) for cell in objects):
            columns[name] = frame[name]
            continue
        paths = dict.fromkeys(path for cell in objects for path in _paths(cell, inner, f"{name}."))
        for path in paths:
            found = [get_path({name: cell}, path) for cell in cells]
            columns[path] = pd.Series(found, index=frame.index, dtype=object)
    if list(columns) == list(frame.columns):
        return frame
    apart = pd.DataFrame(columns, index=frame.index)
    apart.attrs = frame.attrs
    return apart


def _paths(cell: dict[str, Any], inner: Collection[str], prefix: str) -> Iterator[str]:
    for key, value in cell.items():
        if f"{prefix}{key}" in inner and isinstance(value, dict):
            yield from _paths(value, inner, f"{prefix}{key}.")
        elif f"{prefix}{key}" not in inner or value is not None:
            yield f"{prefix}{key}"


def editable(
    schema: Schema, frame: pd.DataFrame, base: pd.DataFrame, *, leave: Collection[str | None]
) -> tuple[list[Field], list[str]]:
    """Return the fields that a frame may change, and notes about columns that it has beside them.

    Args:
        schema: Of the rows.
        frame: The edited one.
        base: The one it was made from.
        leave: Columns that mean something else.
    """
    fields: list[Field] = []
    notes: list[str] = []
    for name in map(str, frame.columns):
        if name in leave or name in (RECEIPT.path, REASON) or name in READ_ONLY:
            continue
        if name in schema.columns or name in EDITABLE_META:
            field = schema.field(name)
            if field.unknown:
                notes.append(f"column {name!r} is left alone: its type {field.unknown!r} is not known here")
            else:
                fields.append(field)
        elif name not in base.columns:
            inner = [path for path in schema.columns if path.startswith(f"{name}.")]
            why = f"schema {schema.name!r} has no such field{nearest(name, schema.columns)}"
            why = f"its fields are columns of their own: {', '.join(inner)}" if inner else why
            notes.append(f"column {name!r} is left alone: {why}")
    index = frame.index.name
    if index in schema.columns and index not in leave and index not in frame.columns:
        notes.append(f"the index {index!r} is left alone: frame.reset_index() makes a column of it")
    return fields, notes


def taken_apart(field: Field, frame: pd.DataFrame) -> Any:
    """Return a mask of the rows in which keys of a Mixed field have columns of their own; None: no row."""
    if not field.kind.is_untyped:
        return None
    keys = [name for name in frame.columns if str(name).startswith(f"{field.path}.")]
    return frame[keys].notna().any(axis=1).to_numpy() if keys else None


def new_rows(
    schema: Schema,
    frame: pd.DataFrame,
    rows: Matched,
    fields: Sequence[Field],
    *,
    key_column: str | None,
    is_arrow: bool = False,
) -> tuple[list[Create], list[Problem]]:
    """Return the rows to be created, and their cells that cannot be cast.

    Blank cells are left out, so that the server's defaults apply; a row without any value is no row. In a
    table of Arrow that goes for the keys of objects, too: every object there has those of all others.
    """
    if not rows.new:
        return [], []
    part = frame.iloc[np.array(rows.new, dtype=np.intp)]
    if key_column:
        fields = [*fields, schema.field(key_column)]
    cells = {
        field.path: (part[field.path] if field.path in part.columns else part.index).tolist()
        for field in fields
    }
    creates: list[Create] = []
    problems: list[Problem] = []
    for i, position in enumerate(rows.new):
        values: dict[str, Any] = {}
        refused: list[tuple[str, Any, str]] = []
        for field in fields:
            cell = cells[field.path][i]
            if is_missing(cell) or (isinstance(cell, str) and not cell.strip()):
                continue
            try:
                value = sorted_as_stored(field, cast(field, cell))
                value = as_edited(None, value) if is_arrow else value
            except ValueError as error:
                value = shown(field, cell)
                refused.append((field.path, value, message_of(error)))
            if not is_blank(value, field):
                values[field.path] = value
        if values:
            create = Create(rows.labels[position], values, values.get(schema.key) if schema.key else None)
            creates.append(create)
            problems += [
                Problem(create.row, reason, path, value, create.key) for path, value, reason in refused
            ]
    return creates, problems


def not_there(schema: Schema, base: pd.DataFrame, creates: list[Create]) -> list[Create]:
    """Leave out the new rows that the snapshot has just so: the same frame was pushed before."""
    for field in unique_fields(schema):
        if field.path not in base.columns or not creates:
            continue
        known = {
            value: at for at, value in enumerate(json_values(field, base[field.path])) if value is not None
        }
        creates = [
            create
            for create in creates
            if (at := known.get(create.values.get(field.path))) is None
            or not _holds(schema, base.iloc[[at]], create)
        ]
    return creates


def not_stored(
    schema: Schema, base: pd.DataFrame, fields: Sequence[Field], creates: list[Create]
) -> list[Create]:
    """Leave out the new rows that the snapshot has just so in these fields: of equal ones as many as it has.

    A cell that is blank is there just so where nothing is stored, or what the server puts there by itself.
    """
    fields = [field for field in fields if field.path in base.columns and field.path in schema.columns]
    stored = {field.path: json_values(field, base[field.path]) for field in fields}
    told = [field for field in fields if field.default is None and type(field.kind).same is Type.same]
    others = [field for field in fields if field not in told]
    there: dict[Hashable, list[int]] = {}
    for row in range(len(base)):
        cells = [canonical(field, stored[field.path][row], is_sent=False) for field in told]
        there.setdefault(_hashable(cells), []).append(row)
    found = []
    for create in creates:
        cells = [canonical(field, create.values.get(field.path), is_sent=True) for field in told]
        alike = there.get(_hashable(cells), [])
        wanted = [(field, create.values.get(field.path)) for field in others]
        same = (row for row in alike if all(_is_so(f, stored[f.path][row], value) for f, value in wanted))
        at = next(same, None)
        if at is None:
            found.append(create)
        else:
            alike.remove(at)
    return found


def _hashable(value: Any) -> Hashable:
    """Return a canonical value in a form by which equal ones are found at once."""
    if isinstance(value, dict):
        return frozenset((key, _hashable(inner)) for key, inner in value.items())
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value


def _is_so(field: Field, stored: Any, sent: Any) -> bool:
    return equal(field, stored, sent) or (sent is None and equal(field, stored, field.default))


def _holds(schema: Schema, row: pd.DataFrame, create: Create) -> bool:
    for path, value in create.values.items():
        field = schema.field(path)
        if path not in row.columns or not equal(field, json_values(field, row[path])[0], value):
            return False
    return True


def deleted_rows(
    schema: Schema, base: pd.DataFrame, frame: pd.DataFrame, rows: Matched, ids: Collection[str]
) -> tuple[list[Delete], list[Problem]]:
    """Return the rows to be deleted, and the marks that cannot be read.

    Raises:
        ValueError: An id that the snapshot does not have.
    """
    marked, problems = _marked(base, frame, rows)
    wanted = list(dict.fromkeys([*(str(id_) for id_ in ids), *marked]))
    positions = base.index.get_indexer(pd.Index(wanted, dtype=base.index.dtype))
    unknown = [id_ for id_, at in zip(wanted, positions, strict=True) if at < 0]
    if unknown:
        raise ValueError(
            f"delete: not in this snapshot of {schema.name!r}: {', '.join(map(shorten, unknown[:5]))}"
        )
    part = base.iloc[positions]
    paths = [path for path in (*schema.columns, *EDITABLE_META) if path in part.columns]
    values = {path: json_values(schema.field(path), part[path]) for path in paths}
    receipts = receipts_of(part[RECEIPT.path])
    found = []
    for i, id_ in enumerate(wanted):
        before = {path: values[path][i] for path in paths}
        found.append(Delete(id_, before, before.get(schema.key or ""), receipts[i]))
    return found, problems


def marked_ids(frame: pd.DataFrame) -> set[str]:
    """Return the ids of the rows that a frame marks for deletion, known or not."""
    if DELETE not in frame.columns:
        return set()
    marks = frame[DELETE].tolist()
    return {id_ for position, id_ in ids_in(frame).items() if is_marked(marks[position])}


def _marked(base: pd.DataFrame, frame: pd.DataFrame, rows: Matched) -> tuple[list[str], list[Problem]]:
    if DELETE not in frame.columns:
        return [], []
    ids: list[str] = []
    problems: list[Problem] = []
    known = dict(zip(rows.at.tolist(), rows.base.tolist(), strict=True))
    for position, cell in enumerate(frame[DELETE].tolist()):
        id_ = str(base.index[known[position]]) if position in known else None
        wanted = is_marked(cell)
        if wanted is None:
            row = rows.labels[position] if id_ is None else id_
            problems.append(Problem(row, HOW, DELETE, str(cell)))
        elif wanted and id_ is not None:
            ids.append(id_)
    return ids, problems


class LeftOut:
    """The rows of a frame that a diff did not make changes of.

    Args:
        schema: Of the table.
        frame: The edited rows.
        rows: Which of them is which.
        ids: Of the snapshot.
        changes: What the diff made.
    """

    def __init__(
        self,
        schema: Schema,
        frame: pd.DataFrame,
        rows: Matched,
        ids: pd.Index[Any],
        changes: Sequence[Change],
    ) -> None:
        self._schema, self._frame, self._rows, self._ids = schema, frame, rows, ids
        self._changes = changes
        self._columns = [name for name in frame.columns if name != "_id"]

    def with_rows(self, left: Left) -> Left:
        """Return a problem or a stale row with the edited rows that it keeps out of the changes."""
        row = left.id if isinstance(left, Stale) else left.row
        if left.rows or row in self._changed:
            return left
        positions = self._rows.left.get(row) or self._known.get(row, ())
        return replace(left, rows=tuple(map(self._cells, positions)))

    @cached_property
    def _changed(self) -> set[Hashable]:
        return {row_of(change) for change in self._changes}

    @cached_property
    def _known(self) -> dict[Hashable, tuple[int, ...]]:
        ids = self._ids[self._rows.base]
        return {id_: (at,) for id_, at in zip(ids, self._rows.at.tolist(), strict=True)}

    def _cells(self, position: int) -> dict[str, Any]:
        cells = {name: self._frame[name].iloc[position] for name in self._columns}
        ids = self._frame.index if self._frame.index.name == "_id" else self._frame.get("_id", ())
        id_ = list(ids)[position] if len(ids) else None
        return edited_row(self._schema, {"_id": id_, **cells})
