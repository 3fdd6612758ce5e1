"""A frame out of the cells of a file: which row is which, which column is which, and what is refused."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from sispy.remedies import Argument, Message, nearest
from sispy.text import shorten

from ..values.blocks import show
from ..values.changes import Problem
from ..values.columns import Column
from ..values.records import DELETE, HOW, edited_row, is_marked
from ..values.schema import META, RECEIPT, Schema
from ..values.source import Source, with_source
from ..values.types.cells import STRINGS, Refused, plain
from ..values.types.object_id import ID
from .headings import Names, by_place, refuse_twice
from .table import cells_in

if TYPE_CHECKING:
    from ..values.types.base import Field
    from .options import Copies
    from .table import Table, Values

_ZONE = re.compile(r" \([A-Za-z0-9_+:/-]+\)$")

_MOST_STRANGE = 200
"""Columns that are compared with those that are missing: each with all of them."""
_WELL_FORMED = {str, type(None)}
"""Types of cells that hold an id or a receipt; `Refused` is none of them."""
_STRANGE = Message(
    "column _id is left out: none of its cells is an id of 24 hex digits",
    Argument("rename", "takes it for a field", {"_id": "FIELD"}),
)

ReadColumn: TypeAlias = "Callable[[Field, Sequence[Any]], Values]"
"""Reads the cells of a column."""


def assemble(
    table: Table,
    schema: Schema,
    read: ReadColumn,
    *,
    source: Source,
    rename: Mapping[str, str],
    ignore_case: bool = False,
    copies: Copies = "refuse",
    keys: Callable[[], Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """Build the frame of a file's cells; rows that cannot be told apart go to the problems of its source.

    Args:
        table: The cells.
        schema: Names the types.
        read: Reads the cells of a column.
        source: What is known of the file.
        rename: Name in the file -> name in the schema.
        ignore_case: Names of columns may be written in another case.
        copies: What rows are that carry the id of another row: Problems, or new rows.
        keys: Returns `_id` -> value of the schema's key at the export, to tell a row from its copies.

    Raises:
        ValueError: Two columns have one name, or none is known to the schema.
    """
    names = names_of(table, schema, rename, ignore_case=ignore_case, guesses=source.guesses)
    columns = dict(zip(names, table.columns, strict=True))
    fields = {f.path: f for f in (*schema.fields, *META) if f.path in columns}
    if source.labels is not None:
        fields = {path: label_field(field) for path, field in fields.items()}
    values = {path: read(field, columns[path]) for path, field in fields.items()}
    ids = list(cells_in(read(ID, columns["_id"]))) if "_id" in columns else None
    receipts = list(cells_in(read(RECEIPT, columns[RECEIPT.path]))) if RECEIPT.path in columns else None
    if ids is not None and source.schema is None and are_strange(ids, receipts or []):
        source = replace(source, notes=(*source.notes, _STRANGE))
        ids = receipts = None
    rows = _Rows(table.rows, schema.key, values.get(schema.key or ""), ids, receipts)
    problems = rows.lost()
    if ids is not None:
        problems |= rows.copies(keys, copies)
    marks = _marks(cells_in(columns[DELETE]), problems, rows) if DELETE in columns else None
    keep = [i for i in range(len(table.rows)) if i not in problems]
    frame = _frame(fields, values, rows, keep)
    extra = {
        name: pd.Series(_extra(cells_in(columns[name]), keep), index=frame.index, dtype=object)
        for name in names
        if name not in fields and name not in ("_id", RECEIPT.path, DELETE)
    }
    if extra:
        frame = pd.concat([frame, pd.DataFrame(extra, index=frame.index)], axis=1)
    if marks is not None and any(marks):
        frame[DELETE] = pd.array([marks[i] for i in keep], dtype="boolean")
    if receipts is not None:
        frame[RECEIPT.path] = typed(RECEIPT, _milliseconds(rows.receipts), keep).array
    source = replace(source, notes=source.notes + _renamed(names, schema))
    marked = {} if marks is None else {DELETE: cells_in(columns[DELETE])}
    found = tuple(
        replace(problems[i], rows=(edited_row(schema, rows.cells(i) | _cells({**values, **marked}, i)),))
        for i in sorted(problems)
    )
    numbers = tuple(table.rows[i] for i in keep)
    return with_source(
        frame, replace(source, rows=numbers, index=frame.index, problems=source.problems + found)
    )


def are_strange(ids: Sequence[Any], receipts: Sequence[Any]) -> bool:
    """Return whether ids are another program's: there are some, and no cell is an id or a receipt of SIS."""
    return any(id_ is not None for id_ in ids) and not any(type(cell) is str for cell in (*ids, *receipts))


def _cells(values: Mapping[str, Values | Sequence[Any]], position: int) -> dict[str, Any]:
    return {path: _cell(cells, position) for path, cells in values.items()}


def _cell(cells: Values | Sequence[Any], position: int) -> Any:
    return cells.iloc[position] if isinstance(cells, pd.Series) else cells[position]


def label_field(field: Field) -> Field:
    """Return a reference's field as one whose cells are labels: text, or a list of texts."""
    if field.ref:
        return replace(field, type="String")
    if field.item and field.item.ref:
        return replace(field, item=replace(field.item, type="String"))
    return field


def names_of(
    table: Table,
    schema: Schema | None,
    rename: Mapping[str, str],
    *,
    ignore_case: bool = False,
    guesses: Sequence[str] = (),
) -> list[str]:
    """Return the schema's names of a file's columns; those of others as they are.

    Raises:
        ValueError: Two columns have one name, none is known to the schema, or one that is to be renamed is
            not there.
    """
    paths = [f.path for f in (*schema.fields, *META)] if schema is not None else []
    known = {*paths, RECEIPT.path, "_id", DELETE}
    in_lower = {path.lower(): path for path in known} if ignore_case else {}
    own, names = Names(table, rename, ignore_case=ignore_case), []
    for at, (heading, mended, told) in enumerate(zip(table.header, own.mended, own.told, strict=True)):
        name = heading if told is None else told
        if told is None and heading in table.header[:at] and mended in known:
            name = mended  # of two columns of one name the second
        bare = _ZONE.sub("", name)
        if name not in known and bare not in known:
            name = bare = in_lower.get(bare.lower(), name)
        if name not in known and bare not in known and told is None and mended in known:
            name = mended
        names.append(bare if name not in known and bare in known else name or by_place(own.places[at]))
    refuse_twice(names)
    if schema is not None and not known.intersection(names):
        raise ValueError(_strange(names, schema, known, guesses))
    return names


def _strange(names: Sequence[str], schema: Schema, known: Collection[str], guesses: Sequence[str]) -> Message:
    """Return the refusal of a file without any known column, and what may be the cause."""
    hint = nearest(names[0], schema.columns) if names else ""
    said = f"no column of the file is one of schema {schema.name!r}; its first row has"
    said += f" {[shorten(name) for name in names[:8]]}{hint}"
    if guesses or not names:
        return Message(said, *(part for guess in guesses for part in ("; ", guess)))
    lower = {path.lower() for path in known}
    if any(name.lower() in lower for name in names):
        return Message(said, Argument("ignore_case", "takes names in any case", True))
    return Message(said, Argument("rename", "says which field a column is", {names[0]: "FIELD"}))


def _renamed(names: list[str], schema: Schema) -> tuple[str, ...]:
    """Return a question for every strange column that may be one of those that are missing."""
    known = {*schema.columns, *(f.path for f in (*META, RECEIPT)), "_id", DELETE}
    missing = {_bare(path): path for path in schema.columns if path not in names}
    found = []
    for name in [name for name in names if name not in known][:_MOST_STRANGE]:
        near = difflib.get_close_matches(_bare(name), missing, n=1, cutoff=0.8)
        if near:
            path = missing[near[0]]
            read_as = Argument("rename", "reads it so", {name: path})
            found.append(Message(f"column {name!r}: renamed from {path!r}?", read_as))
    return tuple(found)


def _bare(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


class _Rows:
    """Which row of the table each row of a file is."""

    def __init__(
        self,
        numbers: Sequence[int],
        key: str | None,
        keys: Values | None,
        ids: list[Any] | None,
        receipts: list[Any] | None,
    ) -> None:
        self.numbers, self.key = numbers, key
        self.keys = keys if keys is not None else [None] * len(numbers)
        self.ids = ids
        self.receipts = receipts if receipts is not None else [None] * len(numbers)
        self._copied: set[int] = set()

    def cells(self, position: int) -> dict[str, Any]:
        """Return id and receipt of a row; a copy has the receipt alone: it is not its original."""
        ids = {} if self.ids is None else {"_id": self.ids[position]}
        return (ids if position not in self._copied else {}) | {RECEIPT.path: self.receipts[position]}

    def problem(self, position: int, reason: str, column: str | None = None, value: Any = None) -> Problem:
        return Problem(self.numbers[position], reason, column=column, value=value, key=self.name(position))

    def name(self, position: int) -> Any:
        """Return the key of a row as JSON has it; None: it has none."""
        key = _cell(self.keys, position)
        return key if isinstance(key, Refused) else plain(key)

    def lost(self) -> dict[int, Problem]:
        """Find ids and receipts that lost their form, and receipts without an id."""
        found: dict[int, Problem] = {}
        for column, cells in (("_id", self.ids or []), (RECEIPT.path, self.receipts)):
            if set(map(type, cells)) <= _WELL_FORMED:
                continue
            for i, cell in enumerate(cells):
                if type(cell) not in _WELL_FORMED:
                    found[i] = self.problem(
                        i, f"the {column} was damaged: copy it from the export again", column, str(cell)
                    )
        if self.ids is not None and None in self.ids:
            for i, (id_, receipt) in enumerate(zip(self.ids, self.receipts, strict=True)):
                if id_ is None and receipt is not None and i not in found:
                    reason = "a receipt without an _id: clear _updated_at to make a new row"
                    found[i] = self.problem(i, reason, "_id")
        return found

    def copies(self, keys: Callable[[], Mapping[str, Any]] | None, copies: Copies) -> dict[int, Problem]:
        """Find rows that carry another's id; with `copies="new"` take id and receipt off them instead."""
        ids = self.ids or []
        if len(set(ids)) == len(ids):
            return {}
        places: dict[str, list[int]] = {}
        for i, id_ in enumerate(ids):
            if type(id_) is str:
                places.setdefault(id_, []).append(i)
        places = {id_: positions for id_, positions in places.items() if len(positions) > 1}
        exported = keys() if keys and places else {}
        found: dict[int, Problem] = {}
        for id_, positions in places.items():
            row = self._the_row(positions, exported.get(id_))
            for i in positions:
                if i == row:
                    continue
                if copies == "new" and row is not None:
                    ids[i] = self.receipts[i] = None
                    continue
                if row is not None:
                    self._copied.add(i)
                found[i] = self.problem(i, self._copy_of(id_, positions, row), "_id", id_)
        return found

    def _the_row(self, positions: list[int], key: Any) -> int | None:
        unchanged = [i for i in positions if key is not None and self.name(i) == key]
        return unchanged[0] if unchanged else None

    def _copy_of(self, id_: str, positions: list[int], row: int | None) -> str:
        if row is not None:
            return (
                f"copy of {show(self.name(row))} (row {self.numbers[row]}): clear its _id to make a new row"
            )
        others = ", ".join(str(self.numbers[i]) for i in positions)
        return f"the _id {id_} stands in rows {others}: clear it in the copies to make new rows"


def _marks(cells: Sequence[Any], problems: dict[int, Problem], rows: _Rows) -> list[bool | None]:
    marks = [is_marked(cell) for cell in cells]
    for i, mark in enumerate(marks):
        if mark is None and i not in problems:
            problems[i] = rows.problem(i, HOW, DELETE, str(cells[i]))
    return marks


def _frame(
    fields: Mapping[str, Field], values: Mapping[str, Values], rows: _Rows, keep: list[int]
) -> pd.DataFrame:
    built = {path: typed(field, values[path], keep) for path, field in fields.items()}
    frame = pd.DataFrame(built, index=pd.RangeIndex(len(keep)), copy=False)
    if rows.ids is not None:
        frame.index = pd.Index([rows.ids[i] for i in keep], name="_id", dtype=STRINGS)
    return frame


def typed(field: Field, values: Values, keep: list[int] | None = None) -> pd.Series[Any]:
    """Return the column of a frame that JSON values, or those at some positions, make."""
    keep = list(range(len(values))) if keep is None else keep
    whole = len(keep) == len(values)
    if isinstance(values, pd.Series) and values.dtype != np.float64:
        return values if whole else values.iloc[keep].reset_index(drop=True)
    column = Column(field)
    if isinstance(values, pd.Series):
        numbers = values.to_numpy() if whole else values.to_numpy()[keep]
        column.add(numbers, checked=True)  # type: ignore[arg-type] # an array is a sequence of numbers
    else:
        column.add(values if whole else [values[i] for i in keep])
    return column.series()


def _milliseconds(receipts: list[Any]) -> list[Any]:
    """Return receipts as `_sis` has them; those that lost their form are not asked for."""
    texts = [receipt[:-1] if type(receipt) is str else "NaT" for receipt in receipts]
    times = np.array(texts, dtype="datetime64[ms]").astype(np.int64).tolist()
    return [time if receipt else None for time, receipt in zip(times, receipts, strict=True)]


def _extra(cells: Sequence[Any], keep: list[int]) -> list[Any]:
    """Return the cells of a column that the schema does not have, blanks as None."""
    return [None if cells[i] == "" else cells[i] for i in keep]
