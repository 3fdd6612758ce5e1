"""The differences between a snapshot and an edited frame, as a plan. Pure: the server is not asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from .cast import cast, equal, is_blank, is_missing
from .changes import Change, Create, Delete, Problem, Stale, Update
from .compare import changed, shown
from .entity import EDITABLE_META
from .matching import Matched, all_new, match_by_id, match_by_key
from .plan import Plan
from .records import json_values
from .schema import META, RECEIPT, Field, Schema, nearest
from .validate import check_values, constrained, taken_twice, unique_fields
from .waves import swaps

if TYPE_CHECKING:
    from .snapshot import Snapshot

DELETE = "_delete"
"""The column of a file in which rows are marked for deletion."""


def diff(
    snapshot: Snapshot,
    frame: pd.DataFrame,
    *,
    key: str | None = None,
    new: bool = False,
    delete: Collection[str] = (),
    create_missing: bool = False,
    blank: Literal["keep", "clear"] | None = None,
    owner: Collection[str] | None = None,
) -> Plan:
    """Compare an edited frame with the snapshot that it was made from.

    Cells are compared as the server would store them; a row or a column that the frame lacks is left alone.

    Args:
        snapshot: What was fetched.
        frame: Any frame with `_id` as its index or a column, unless `key` or `new` is given.
        key: A unique field to match rows by instead, for frames from elsewhere.
        new: Every row is a new one.
        delete: `_id`s of rows to be deleted. A column `_delete` in the frame marks rows for the same.
        create_missing: With `key`: rows that match nothing are new ones; else the plan's notes name them.
        blank: What a blank cell says: "clear" empties the field, "keep" leaves it alone. The default is
            "keep" with `key` and "clear" otherwise.
        owner: The groups that new rows shall belong to; None leaves it to the server.

    Returns:
        The plan; cells that cannot be sent are in its `problems`.

    Raises:
        ValueError: The rows cannot be told, a column is there twice, `delete` names unknown rows.
        TypeError: `delete` or `owner` is one text instead of a list.
    """
    for name, value in (("delete", delete), ("owner", owner)):
        if isinstance(value, str):
            raise TypeError(f"{name} takes a list: {name}=[{value!r}]")
    if key is not None and new:
        raise ValueError("key= matches rows and new=True says that there is nothing to match: give one of them")
    if blank not in (None, "keep", "clear"):
        raise ValueError(f"blank={blank!r}: 'keep' or 'clear'")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(f"the frame has more than one column {twice[0]!r}")
    schema, base = snapshot.schema, snapshot.frame(meta=True)
    if new:
        rows = all_new(frame)
    elif key is not None:
        keys = json_values(schema.field(key), base[key]) if key in base.columns else []
        rows = match_by_key(keys, frame, schema=schema, key=key, create=create_missing)
    else:
        rows = match_by_id(base.index, frame, schema=schema)
    keep = blank == "keep" or (blank is None and key is not None)
    return _Comparison(snapshot, base, frame, rows, matched_by_key=key, keep=keep).plan(
        delete, None if owner is None else tuple(sorted(owner))
    )


class _Comparison:
    """One diff on its way: what was found so far."""

    def __init__(
        self,
        snapshot: Snapshot,
        base: pd.DataFrame,
        frame: pd.DataFrame,
        rows: Matched,
        *,
        matched_by_key: str | None,
        keep: bool,
    ) -> None:
        self.snapshot, self.schema, self.base, self.frame, self.rows = snapshot, snapshot.schema, base, frame, rows
        self.by_key, self.keep = matched_by_key, keep
        self.problems: list[Problem] = list(rows.problems)
        self.stale: list[Stale] = []
        self.notes: list[str] = list(rows.notes)
        self.aligned = bool(len(rows.at) == len(base) == len(frame) and (rows.base == rows.at).all())
        self.keys = self._stored(self.schema.key) if self.schema.key in base.columns else None

    def plan(self, delete: Collection[str], owner: tuple[str, ...] | None) -> Plan:
        deletes = self._deletes(delete)
        gone = {change.id for change in deletes}
        updates = [change for change in self._updates() if change.id not in gone]
        creates = self._creates()
        changes: list[Change] = [*updates, *creates, *deletes]
        self._unknown_rows()
        self._validate(updates, creates)
        stored = {
            field.path: zip(self.base.index.tolist(), self._stored(field.path), strict=True)
            for field in unique_fields(self.schema)
            if field.path in self.base.columns and any(field.path in _sent(change) for change in changes)
        }
        self.problems += taken_twice(self.schema, changes, stored)
        self.problems += swaps(self.schema, changes)
        return Plan(
            self.snapshot.endpoint,
            self.schema,
            changes=tuple(changes),
            faults=tuple(dict.fromkeys_(self.problems)) if False else tuple(_unique(self.problems)),
            stale=tuple(self.stale),
            notes=tuple(self.notes),
            owner=owner,
            snapshot=self.snapshot,
        )

    def _columns(self) -> Iterable[Field]:
        """Yield the fields that the frame may change, and note what it has beside them."""
        for name in map(str, self.frame.columns):
            if name in ("_id", DELETE, RECEIPT.path, self.by_key) or name in _READ_ONLY:
                continue
            if name in self.schema.columns or name in EDITABLE_META:
                field = self.schema.field(name)
                if field.unknown:
                    self.notes.append(f"column {name!r} is left alone: its type {field.unknown!r} is not known here")
                else:
                    yield field
            elif name not in self.base.columns:
                self.notes.append(
                    f"column {name!r} is left alone: schema {self.schema.name!r} has no such field"
                    f"{nearest(name, self.schema.columns)}"
                )

    def _updates(self) -> list[Update]:
        cells: dict[int, dict[str, tuple[Any, Any]]] = {}
        faults: dict[int, list[tuple[str, Any, str]]] = {}
        self.fields = list(self._columns())
        for field in self.fields:
            if field.path not in self.base.columns:
                if len(self.rows.at):
                    self.notes.append(f"column {field.path!r} is left alone in known rows: it was not fetched")
                continue
            mine, base = self.frame[field.path], self.base[field.path]
            if not self.aligned:
                mine, base = mine.iloc[self.rows.at], base.iloc[self.rows.base]
            for position, before, after, reason in changed(field, base, mine):
                if self.keep and after in (None, []):
                    continue
                cells.setdefault(position, {})[field.path] = (before, after)
                if reason:
                    faults.setdefault(position, []).append((field.path, after, reason))
        self._read_only(cells)
        return self._rows_of(cells, faults)

    def _rows_of(
        self, cells: Mapping[int, Mapping[str, tuple[Any, Any]]], faults: Mapping[int, list[tuple[str, Any, str]]]
    ) -> list[Update]:
        found: list[Update] = []
        receipts = _milliseconds(self.base[RECEIPT.path])
        exported = _milliseconds(self.frame[RECEIPT.path]) if RECEIPT.path in self.frame.columns else None
        ids = self.base.index
        for position in sorted(cells):
            at, base = int(self.rows.at[position]), int(self.rows.base[position])
            id_, key = ids[base], self.keys[base] if self.keys else None
            if exported is not None and exported[at] is not None and exported[at] != receipts[base]:
                reason = "exported from another state than this snapshot: sp.snapshot_of(endpoint, frame) rebuilds it"
                self.stale.append(Stale(id_, reason, key))
                continue
            before = {path: pair[0] for path, pair in cells[position].items()}
            after = {path: pair[1] for path, pair in cells[position].items()}
            found.append(Update(id_, before, after, key, receipts[base]))
            for path, value, reason in faults.get(position, ()):
                self.problems.append(Problem(id_, reason, path, value, key))
        return found

    def _read_only(self, cells: dict[int, dict[str, tuple[Any, Any]]]) -> None:
        """Name the cells of columns that only the server writes and that were changed all the same."""
        for name in map(str, self.frame.columns):
            derived = name in self.base.columns and name not in self.schema.columns and name != RECEIPT.path
            if name in EDITABLE_META or not (name in _READ_ONLY or derived) or name not in self.base.columns:
                continue
            field = self.schema.field(name) if name in _READ_ONLY else Field(name, "Mixed")
            mine, base = self.frame[name].iloc[self.rows.at], self.base[name].iloc[self.rows.base]
            for position, before, after, _ in changed(field, base, mine):
                if not is_blank(after):
                    id_ = self.base.index[self.rows.base[position]]
                    key = self.keys[self.rows.base[position]] if self.keys else None
                    reason = f"only the server writes {name}; it holds {before!r}"
                    self.problems.append(Problem(id_, reason, name, after, key))

    def _creates(self) -> list[Create]:
        if not self.rows.new:
            return []
        positions = np.array(self.rows.new, dtype=np.intp)
        fields = [*self.fields, *([self.schema.field(self.by_key)] if self.by_key else [])]
        part = self.frame.iloc[positions]
        cells = {
            field.path: (part[field.path] if field.path in part.columns else pd.Series(part.index)).tolist()
            for field in fields
        }
        found = []
        for i, position in enumerate(self.rows.new):
            row = self.rows.labels[position]
            values: dict[str, Any] = {}
            faults: list[tuple[str, Any, str]] = []
            for field in fields:
                cell = cells[field.path][i]
                if is_missing(cell) or (isinstance(cell, str) and not cell.strip()):
                    continue
                try:
                    value = cast(field, cell)
                except ValueError as error:
                    value = shown(field, cell)
                    faults.append((field.path, value, str(error)))
                if value not in (None, []):
                    values[field.path] = sorted(value) if field.path == "_sis.owner" and not faults else value
            if values:
                create = Create(row, values, values.get(self.schema.key) if self.schema.key else None)
                found.append(create)
                self.problems += [Problem(row, reason, path, value, create.key) for path, value, reason in faults]
        return self._not_there(found)

    def _not_there(self, creates: list[Create]) -> list[Create]:
        """Leave out the new rows that the snapshot has just so: the same file was pushed before."""
        for field in unique_fields(self.schema):
            if field.path not in self.base.columns or not creates:
                continue
            position = {value: i for i, value in enumerate(self._stored(field.path)) if value is not None}
            left = []
            for create in creates:
                at = position.get(create.values.get(field.path))
                row = None if at is None else self.base.iloc[[at]]
                if row is None or not all(
                    path in row.columns
                    and equal(self.schema.field(path), json_values(self.schema.field(path), row[path])[0], value)
                    for path, value in create.values.items()
                ):
                    left.append(create)
            creates = left
        return creates

    def _deletes(self, ids: Collection[str]) -> list[Delete]:
        marked = list(dict.fromkeys(str(id_) for id_ in ids))
        if DELETE in self.frame.columns:
            marks = self.frame[DELETE].tolist()
            known = dict(zip(self.rows.at.tolist(), self.rows.base.tolist(), strict=True))
            flag = Field(DELETE, "Boolean")
            for position, mark in enumerate(marks):
                try:
                    if is_missing(mark) or (isinstance(mark, str) and not mark.strip()):
                        continue
                    wanted = cast(flag, "yes" if isinstance(mark, str) and mark.strip().lower() == "x" else mark)
                except ValueError as error:
                    id_ = self.base.index[known[position]] if position in known else self.rows.labels[position]
                    self.problems.append(Problem(id_, str(error), DELETE, str(mark)))
                    continue
                if wanted and position in known:
                    marked.append(self.base.index[known[position]])
        if not marked:
            return []
        positions = self.base.index.get_indexer(pd.Index(marked, dtype=self.base.index.dtype))
        unknown = [id_ for id_, at in zip(marked, positions, strict=True) if at < 0]
        if unknown:
            raise ValueError(f"delete: {', '.join(unknown[:5])} is not in this snapshot of {self.schema.name!r}")
        part = self.base.iloc[positions]
        paths = [path for path in (*self.schema.columns, *EDITABLE_META) if path in part.columns]
        values = {path: json_values(self.schema.field(path), part[path]) for path in paths}
        receipts = _milliseconds(part[RECEIPT.path])
        found = {}
        for i, id_ in enumerate(marked):
            before = {path: values[path][i] for path in paths}
            found[id_] = Delete(id_, before, before.get(self.schema.key or ""), receipts[i])
        return list(found.values())

    def _unknown_rows(self) -> None:
        for position, id_ in self.rows.unknown:
            reason = self.snapshot.lost.get(id_)
            if reason:
                self.stale.append(Stale(id_, reason))
            else:
                self.problems.append(Problem(id_, "this _id is not in this snapshot", "_id", id_))

    def _validate(self, updates: list[Update], creates: list[Create]) -> None:
        known = {(problem.row, problem.column) for problem in self.problems}
        fields = [field for field in constrained(self.schema) if field.path in self.base.columns]
        positions = self.base.index.get_indexer(pd.Index([change.id for change in updates], dtype=self.base.index.dtype))
        part = self.base.iloc[positions]
        stored = {field.path: json_values(field, part[field.path]) for field in fields}
        for i, change in enumerate([*updates, *creates]):
            others = {path: values[i] for path, values in stored.items()} if isinstance(change, Update) else {}
            self.problems += [
                problem
                for problem in check_values(self.schema, change, others)
                if (problem.row, problem.column) not in known
            ]

    def _stored(self, path: str | None) -> list[Any]:
        return json_values(self.schema.field(path or ""), self.base[path])


_READ_ONLY = frozenset(field.path for field in META) - frozenset(EDITABLE_META)


def _sent(change: Change) -> Mapping[str, Any]:
    if isinstance(change, Create):
        return change.values
    return change.after if isinstance(change, Update) else {}


def _milliseconds(times: pd.Series[Any]) -> list[int | None]:
    """Return a column of receipts as ms since 1970, whatever kind of column it became on its way."""
    found = []
    for text in times.tolist():
        try:
            value = cast(RECEIPT, text)
        except ValueError:
            value = None
        found.append(None if value is None else int(pd.Timestamp(value).timestamp() * 1000 + 0.5))
    return found


def _unique(problems: list[Problem]) -> list[Problem]:
    found: list[Problem] = []
    seen = set()
    for problem in problems:
        mark = (problem.row, problem.column, problem.reason)
        if mark not in seen:
            seen.add(mark)
            found.append(problem)
    return found
