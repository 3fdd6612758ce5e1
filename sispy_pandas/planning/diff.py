"""The differences between a snapshot and an edited frame, as a plan. Pure: the server is not asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from sispy.remedies import Argument, Call, Message, no_list

from ..values.arrow import as_frame
from ..values.blocks import count
from ..values.changes import Change, Create, Delete, Problem, Stale, Update
from ..values.entity import EDITABLE_META
from ..values.labels import with_ids
from ..values.records import DELETE, receipts_of
from ..values.schema import RECEIPT
from ..values.source import row_numbers, source_of
from ..values.types.base import Field
from ..values.types.convert import is_blank, json_values
from ..values.types.patterns import Patterns
from .change_set import ChangeSet, Origin
from .compare import changed
from .edited_rows import (
    APART,
    READ_ONLY,
    LeftOut,
    deleted_rows,
    editable,
    new_rows,
    not_stored,
    not_there,
    taken_apart,
    with_fields_apart,
)
from .matching import Matched, all_new, match_by_id, match_by_key, near_misses
from .order import swaps
from .parts import with_new_rows
from .program_edits import REASON, is_changed_by_program
from .validate import check_values, constrained, taken_twice, unique_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ..values.row_set import RowSet
    from ..values.source import Source

ELSEWHERE = Message(
    "exported from another state than this snapshot",
    Call("sp.snapshot_of(endpoint, frame).diff(frame)", "rebuilds it"),
)


def diff(
    snapshot: RowSet,
    frame: Any,
    *,
    key: str | None = None,
    new: bool | Literal["missing"] = False,
    delete: Collection[str] = (),
    create_missing: bool = False,
    blank: Literal["keep", "clear"] | None = None,
    owner: Collection[str] | None = None,
) -> ChangeSet:
    """Compare an edited frame with the rows it was made from; `Snapshot.diff` tells arguments and errors."""
    is_arrow, frame = not isinstance(frame, pd.DataFrame), as_frame(frame)
    for name, value in (("delete", delete), ("owner", owner)):
        if isinstance(value, str):
            raise no_list(name, value)
    if key is not None and new:
        raise ValueError(
            f"key= matches rows and new={new!r} says that there is nothing to match: give one of them"
        )
    if new not in (True, False, "missing"):
        raise ValueError(f"new={new!r}: True, or 'missing' for the rows that are not there just so")
    if blank not in (None, "keep", "clear"):
        raise ValueError(f"blank={blank!r}: 'keep' or 'clear'")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(f"the frame has more than one column {twice[0]!r}")
    schema, base = snapshot.schema, snapshot.frame(meta=True)
    frame = with_fields_apart(frame, schema)
    source = source_of(frame)
    if source is not None and source.labels is not None:
        frame = with_ids(frame, schema, source.labels)
    if new:
        rows = all_new(frame)
    elif key is not None:
        keys = json_values(schema.field(key), base[key]) if key in base.columns else []
        rows = match_by_key(keys, frame, schema=schema, key=key, create=create_missing)
    else:
        rows = match_by_id(base.index, frame, schema=schema)
    comparison = _Comparison(
        snapshot,
        base,
        frame,
        rows,
        key_column=key,
        blank=blank,
        is_arrow=is_arrow,
        leave_stored=new == "missing",
    )
    return comparison.plan(delete, None if owner is None else tuple(sorted(owner)))


class _Comparison:
    """One diff on its way: what was found so far."""

    def __init__(
        self,
        snapshot: RowSet,
        base: pd.DataFrame,
        frame: pd.DataFrame,
        rows: Matched,
        *,
        key_column: str | None,
        blank: Literal["keep", "clear"] | None,
        is_arrow: bool,
        leave_stored: bool,
    ) -> None:
        self.snapshot, self.schema, self.base, self.frame, self.rows = (
            snapshot,
            snapshot.schema,
            base,
            frame,
            rows,
        )
        self.key_column, self.blank, self.is_arrow = key_column, blank, is_arrow
        self.leave_stored = leave_stored
        self.problems: list[Problem] = list(rows.problems)
        self.stale: list[Stale] = []
        self.notes: list[str] = list(rows.notes)
        source = source_of(frame)
        self.from_file = source is not None and not source.accept_program_changes
        if source is not None:
            self.problems += source.problems
            self.notes += source.notes
            self.notes += _missing(source, frame, rows) if key_column is None else ()
        self.origin = Origin() if source is None else Origin(source=source.path, sha256=source.sha256)
        self.fields, notes = editable(self.schema, frame, base, leave=(key_column, DELETE, "_id"))
        self.notes += notes
        self.aligned = len(rows.at) == len(base) == len(frame) and bool((rows.base == rows.at).all())

    def plan(self, delete: Collection[str], owner: tuple[str, ...] | None) -> ChangeSet:
        """Compare everything, and return what was found."""
        deletes, problems = deleted_rows(self.schema, self.base, self.frame, self.rows, delete)
        self.problems += problems
        deletes = self._of_this_state(deletes)
        gone = {change.id for change in deletes}
        updates = [change for change in self._updates() if change.id not in gone]
        creates, problems = new_rows(
            self.schema,
            self.frame,
            self.rows,
            self.fields,
            key_column=self.key_column,
            is_arrow=self.is_arrow,
        )
        creates = not_there(self.schema, self.base, creates)
        self._near_misses(creates)
        if self.leave_stored:
            creates = self._missing_rows(creates)
        left = {create.row for create in creates}
        self.problems += [problem for problem in problems if problem.row in left]
        self._unknown_rows()
        self._validate(updates, creates)
        changes: list[Change] = [*updates, *creates, *deletes]
        rows: list[Update | Create] = [*updates, *creates]
        touched = {path for change in rows for path in _sent(change)}
        stored = {
            field.path: zip(self.base.index.tolist(), json_values(field, self.base[field.path]), strict=True)
            for field in unique_fields(self.schema)
            if field.path in touched and field.path in self.base.columns
        }
        self.problems += taken_twice(self.schema, changes, stored)
        self.problems += swaps(self.schema, changes)
        left_out = LeftOut(self.schema, self.frame, self.rows, self.base.index, changes)
        found = ChangeSet(
            self.snapshot.endpoint,
            self.schema,
            changes=tuple(changes),
            problem_list=tuple(map(left_out.with_rows, _unique(self.problems))),
            stale=tuple(
                map(left_out.with_rows, dict.fromkeys(self.stale))
            ),  # edited and marked for deletion: once
            notes=tuple(self.notes),
            owner=owner,
            snapshot=self.snapshot,
            origin=self.origin,
        )
        return with_new_rows([found])[0]

    def _missing_rows(self, creates: list[Create]) -> list[Create]:
        """Return those of the new rows that are not stored just so, and say how many are."""
        missing = not_stored(self.schema, self.base, self.fields, creates)
        if there := len(creates) - len(missing):
            told = f"{count(there, 'row')} of these {'is' if there == 1 else 'are'} there already, just so"
            self.notes.append(Message(told, Argument("new", "makes new ones of them", True)))
        return missing

    def _updates(self) -> list[Update]:
        cells: dict[int, dict[str, tuple[Any, Any]]] = {}
        problems: dict[int, list[tuple[str, Any, str]]] = {}
        keep, kept = self.blank == "keep" or (self.blank is None and self.key_column is not None), 0
        for field in self.fields:
            if field.path not in self.base.columns:
                if len(self.rows.at):
                    self.notes.append(
                        f"column {field.path!r} is left alone in known rows: it was not fetched"
                    )
                continue
            apart = taken_apart(field, self.frame)
            for position, before, after, reason in changed(field, *self._pair(field.path)):
                if keep and (after in (None, []) or (isinstance(after, str) and not after.strip())):
                    kept += 1
                    continue
                if after is None and apart is not None and apart[self.rows.at[position]]:
                    reason = APART
                cells.setdefault(position, {})[field.path] = (before, after)
                if not reason and self.from_file and is_changed_by_program(field, before, after):
                    reason = REASON
                if reason:
                    problems.setdefault(position, []).append((field.path, after, reason))
        if kept and self.blank is None:
            told = f"{count(kept, 'blank cell')} {'keeps' if kept == 1 else 'keep'} what is stored"
            them = "it" if kept == 1 else "them"
            self.notes.append(Message(told, Argument("blank", f"clears {them}", "clear")))
        self._read_only()
        return self._rows_of(cells, problems)

    def _pair(self, name: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
        """Return a column of the snapshot and of the frame, known rows only, one below the other."""
        base, mine = self.base[name], self.frame[name]
        return (base, mine) if self.aligned else (base.iloc[self.rows.base], mine.iloc[self.rows.at])

    def _rows_of(
        self,
        cells: Mapping[int, Mapping[str, tuple[Any, Any]]],
        problems: Mapping[int, list[tuple[str, Any, str]]],
    ) -> list[Update]:
        found: list[Update] = []
        positions = np.array(sorted(cells), dtype=np.intp)
        at, base = self.rows.at[positions], self.rows.base[positions]
        receipts = receipts_of(self.base[RECEIPT.path].iloc[base])
        exported = receipts
        if RECEIPT.path in self.frame.columns and self.key_column is None:
            exported = [
                ours if theirs is None else theirs
                for ours, theirs in zip(receipts, receipts_of(self.frame[RECEIPT.path].iloc[at]), strict=True)
            ]
        numbers = row_numbers(self.frame)
        for i, (position, id_, key) in enumerate(zip(positions.tolist(), *self._names(base), strict=True)):
            if exported[i] != receipts[i]:
                self.stale.append(Stale(id_, ELSEWHERE, key))
                continue
            before = {path: pair[0] for path, pair in cells[position].items()}
            after = {path: pair[1] for path, pair in cells[position].items()}
            found.append(Update(id_, before, after, key, receipts[i]))
            for path, value, reason in problems.get(position, ()):
                self.problems.append(
                    Problem(id_, reason, path, value, key, line=numbers[at[i]] if numbers else None)
                )
        return found

    def _of_this_state(self, deletes: Sequence[Delete]) -> list[Delete]:
        """Leave out the rows that were exported from another state than the snapshot's: they are stale."""
        if RECEIPT.path not in self.frame.columns or self.key_column is not None or not deletes:
            return list(deletes)
        at = dict(zip(self.base.index[self.rows.base], self.rows.at.tolist(), strict=True))
        found = []
        for delete in deletes:
            cell = self.frame[RECEIPT.path].iloc[[at[delete.id]]] if delete.id in at else None
            exported = None if cell is None else receipts_of(cell)[0]
            if exported in (None, delete.receipt):
                found.append(delete)
            else:
                self.stale.append(Stale(delete.id, ELSEWHERE, delete.key))
        return found

    def _names(self, base: np.ndarray[Any, Any]) -> tuple[list[str], list[Any]]:
        """Return `_id` and key of rows of the snapshot."""
        ids, key = self.base.index[base].tolist(), self.schema.key
        if key is None or key not in self.base.columns:
            return ids, [None] * len(ids)
        return ids, json_values(self.schema.field(key), self.base[key].iloc[base])

    def _read_only(self) -> None:
        """Name the cells of columns that only the server writes and that were changed all the same."""
        for name in map(str, self.frame.columns):
            derived = name not in self.schema.columns and name not in (*EDITABLE_META, RECEIPT.path)
            if name not in self.base.columns or not derived:
                continue
            field = self.schema.field(name) if name in READ_ONLY else Field(name, "Mixed")
            for position, before, after, _ in changed(field, *self._pair(name)):
                if not is_blank(after):
                    (id_,), (key,) = self._names(self.rows.base[[position]])
                    reason = f"only the server writes {name}; it holds {before!r}"
                    self.problems.append(Problem(id_, reason, name, after, key))

    def _near_misses(self, creates: Sequence[Create]) -> None:
        key = self.key_column or self.schema.key
        if creates and key is not None and key in self.base.columns:
            names = [create.values.get(key) for create in creates]
            self.notes += near_misses(names, json_values(self.schema.field(key), self.base[key]))

    def _unknown_rows(self) -> None:
        for _, id_ in self.rows.unknown:
            reason = self.snapshot.lost.get(id_)
            if id_ in self.snapshot.gone:
                continue
            if reason:
                self.stale.append(Stale(id_, reason))
            else:
                self.problems.append(Problem(id_, "this _id is not in this snapshot", "_id", id_))

    def _validate(self, updates: list[Update], creates: list[Create]) -> None:
        known = {(problem.row, problem.column) for problem in self.problems}
        fields = [field for field in constrained(self.schema) if field.path in self.base.columns]
        positions = self.base.index.get_indexer(
            pd.Index([u.id for u in updates], dtype=self.base.index.dtype)
        )
        part = self.base.iloc[positions]
        stored = {field.path: json_values(field, part[field.path]) for field in fields}
        rows: list[Update | Create] = [*updates, *creates]
        patterns = Patterns()
        for i, change in enumerate(rows):
            others = (
                {path: values[i] for path, values in stored.items()} if isinstance(change, Update) else {}
            )
            self.problems += [
                problem
                for problem in check_values(self.schema, change, others, patterns)
                if (problem.row, problem.column) not in known
            ]
        self.notes += patterns.notes


def _missing(source: Source, frame: pd.DataFrame, rows: Matched) -> Iterator[str]:
    """Yield in words how many rows of an export its file lacks now: leaving a row out does not delete it."""
    left = (source.exported or 0) - len(rows.at) - len(rows.unknown) - len(source.problems)
    if left > 0 and frame.index.equals(source.index):
        told = f"{count(left, 'row')} of the export {'is' if left == 1 else 'are'} not in the file"
        yield f"{told}: left alone; an x in a column _delete deletes a row"


def _sent(change: Update | Create) -> Mapping[str, Any]:
    return change.values if isinstance(change, Create) else change.after


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    """Leave out what is said twice of the same cell."""
    return list({(problem.row, problem.column, problem.reason): problem for problem in problems}.values())
