"""What the editable grid edits: a frame that never changes, and the edits on top of it. No widget in here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ..planning.validate import unique_fields
from ..values.records import DELETE
from ..values.types.base import Field
from ..values.types.cells import STRINGS
from ..values.types.convert import to_json
from ..values.types.equality import equal
from . import cells
from .cells import Edit
from .columns import Column, columns_of
from .grid_names import Labels, edits_with_ids, named, names_of
from .grid_new_rows import NewRows
from .grid_texts import as_text, texts_of
from .grid_unique import duplicates, owners_of

if TYPE_CHECKING:
    from ..values.schema import Schema

NEW = "_new"
_MARKS = (NEW, DELETE)  # marks of a row, kept beside its edited cells so that undo treats them alike

Slot = tuple[int, str]
"""Row number and column path (or mark)."""
Step = dict[Slot, tuple[Edit | None, Edit | None]]
"""What one action of the user changed: slot -> (before, after)."""
Parse = Callable[[int, Field, Any], Edit]
Filter = str | tuple[str | None, ...]
Along = Callable[[int, str, Edit], Mapping[Slot, Any]]
Order = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a cell, or with column `""` of a row, when it was pushed."""

    kind: Literal["conflict", "failed", "invalid", "done"]
    reason: str = ""
    theirs: Any = None
    base: Any = None
    """Of a conflict, as is `theirs`: what the cell held when it was edited."""
    mine: str | None = None
    """Of a conflict that is decided in this cell and is about another one, what was to be written there."""


@dataclass(frozen=True, slots=True)
class View:
    """Sorts, filters and hidden columns.

    A filter is `text`, `!text`, `=x`, `!=x`, `<x`, `<=x`, `>x`, `>=x`, `=` (no value) or `!=` (any value);
    or the texts that are let through, None for no value.
    """

    sorts: tuple[tuple[str, bool], ...] = ()
    """Column path and whether it descends; the first one counts most."""
    filters: Mapping[str, Filter] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    """Paths of columns that are left out: nothing is found, copied, pasted or filled there."""
    show: Literal["all", "changed", "invalid"] = "all"


class GridModel:
    """A frame, the edits on top of it, and the order in which its rows are shown.

    Rows have numbers: 0 to len(frame)-1 as in the frame, then the new ones. What the user sees are
    positions in `order`. Edits are indexed by row, so that a window of 100 rows costs the same at any
    size of the frame.

    Args:
        schema: What the columns are.
        frame: Index `_id`; one column per field. It is not changed.
        columns: Which columns are shown and how; by default those of `columns_of`.
        fixed: Row number -> why this row cannot be edited (an immutable object, say).
        kept: Row number -> why this row cannot be deleted (a locked object, say).
        parse: Turns (row, field, input) into an Edit, if not every cell of a column has its field's type.
        along: Returns what other cells get, (row, path) -> input, when one gets a valid value.
    """

    def __init__(
        self,
        schema: Schema,
        frame: pd.DataFrame,
        *,
        columns: tuple[Column, ...] | None = None,
        fixed: Mapping[int, str] | None = None,
        kept: Mapping[int, str] | None = None,
        parse: Parse | None = None,
        along: Along = lambda _row, _path, _edit: {},
    ) -> None:
        self.schema: Schema = schema
        self.base: pd.DataFrame = frame
        self.all_columns: tuple[Column, ...] = columns_of(schema, frame) if columns is None else columns
        self.columns: tuple[Column, ...] = self.all_columns  # those that are not hidden
        self.fixed: dict[int, str] = dict(fixed or {})
        self.kept: dict[int, str] = dict(kept or {})
        self.edits: dict[int, dict[str, Edit]] = {}
        self.notes: dict[int, dict[str, Note]] = {}
        self.view: View = View()
        self.labels: Labels | None = None  # who shows the model knows them
        self._by_path = {column.field.path: column for column in self.all_columns}
        self._parse = parse or (lambda _row, field, given: cells.typed(field, given))
        self._along = along
        self._cells = {path: frame[path].array for path in frame.columns}
        self._texts: dict[str, pd.Series[Any]] = {}
        shown = {column.field.path for column in self.all_columns if not column.readonly}
        self._unique = [one for one in unique_fields(schema) if one.path in shown]
        self._owners: dict[str, dict[str, int]] = {}  # of values of unique fields
        self.twins: dict[Slot, str] = {}
        """Edited cells whose value another row has, too: why they cannot be sent."""
        self._rows = len(frame)  # the number that the next new row gets
        self._new_rows = NewRows(len(frame))
        self._touched: set[Slot] = set()
        self._undo: list[Step] = []
        self._redo: list[Step] = []
        self.order: Order = np.arange(self._rows)

    # What is there

    def __len__(self) -> int:
        """Count the rows that are shown."""
        return len(self.order)

    def column(self, path: str) -> Column:
        """Return the column of this path; KeyError if there is none."""
        return self._by_path[path]

    def is_new(self, row: int) -> bool:
        """Return whether the row is a new one, not of the frame."""
        return row >= len(self.base)

    def before(self, row: int, path: str) -> Any:
        """Return the JSON value that the frame holds; None in a new row."""
        if self.is_new(row):
            return None
        if path == "_id":
            return self.base.index[row]
        return to_json(self.column(path).field, self._cells[path][row])

    def value(self, row: int, path: str) -> Any:
        """Return the JSON value as edited; of refused input what was given."""
        edit = self.edits.get(row, {}).get(path)
        return self.before(row, path) if edit is None else edit.value

    def text(self, row: int, path: str) -> str | bool | None:
        """Return what the grid shows in the cell."""
        field = self.column(path).field
        edit = self.edits.get(row, {}).get(path)
        return cells.show(field, self.before(row, path)) if edit is None else cells.show_edit(field, edit)

    def reason(self, row: int, path: str) -> str | None:
        """Return why an edited cell cannot be sent; None if it can, as far as is known here."""
        edit = self.edits.get(row, {}).get(path)
        return edit.reason if edit is not None and edit.reason else self.twins.get((row, path))

    def conflicts(self, row: int) -> dict[str, Note]:
        """Return the cells of a row that somebody else changed, and about which nothing is decided.

        Of a row that is to be deleted each cell counts, of others the edited ones, and those that decide.
        """
        notes, edits = self.notes.get(row, {}), self.edits.get(row, {})
        return {
            path: note
            for path, note in notes.items()
            if note.kind == "conflict" and (path in edits or DELETE in edits or note.mine is not None)
        }

    def cells(self, path: str) -> pd.Series[Any]:
        """Return a column of the frame, without edits."""
        found = pd.Series(self.base.index, dtype=STRINGS) if path == "_id" else self.base[path]
        cells: pd.Series[Any] = found.reset_index(drop=True)
        return cells

    def texts(self, path: str) -> pd.Series[Any]:
        """Return the texts of a column of the frame, without edits, as `text` has them; made once."""
        if path not in self._texts:
            self._texts[path] = texts_of(self.column(path).field, self.cells(path))
        return self._texts[path]

    def edited_texts(self, path: str) -> dict[int, str]:
        """Return what the edited cells of a column show, by row, with names in place of ids."""
        field = self.column(path).field
        texts = {
            row: as_text(self.text(row, path)) or "" for row, edits in self.edits.items() if path in edits
        }
        names = names_of(self.labels, field, texts.values())
        return {row: named(names, field, text) for row, text in texts.items()}

    def changed(self) -> dict[int, dict[str, Edit]]:
        """Return the edited cells, row by row, without marks."""
        rows = {
            row: {path: edit for path, edit in edits.items() if path not in _MARKS}
            for row, edits in self.edits.items()
        }
        return {row: edits for row, edits in rows.items() if edits}

    def new_rows(self) -> list[int]:
        """Return the rows that were added, in the order of their making."""
        return self.rows_with(NEW)

    def with_new_rows(self, rows: Order) -> Order:
        """Return rows of the frame, in the order in which they are shown, with the new ones among them."""
        return self._new_rows.among(rows, {row for row, edits in self.edits.items() if NEW in edits})

    def rows_with(self, mark: str) -> list[int]:
        """Return the rows that carry a mark, NEW or DELETE, in the order of their numbers."""
        return sorted(row for row, edits in self.edits.items() if mark in edits)

    @property
    def deleted_ids(self) -> list[str]:
        """The ids of the rows that are marked for deletion."""
        return [str(self.base.index[row]) for row in self.rows_with(DELETE)]

    def counts(self) -> dict[str, int]:
        """Count what an editor's status line tells."""
        edited = self.changed()
        return {
            "rows": len(self.base) + len(self.new_rows()),
            "changed": sum(len(edits) for row, edits in edited.items() if not self.is_new(row)),
            "invalid": self._count_notes("invalid")
            + len(self.twins)
            + sum(edit.reason is not None for edits in edited.values() for edit in edits.values()),
            "new": len(self.new_rows()),
            "deleted": len(self.rows_with(DELETE)),
            "conflicts": sum(len(self.conflicts(row)) for row in self.notes),
            "failed": self._count_notes("failed"),
        }

    # What the user does

    def edit(
        self, given: Iterable[tuple[int, str, Any]], *, new: int = 0, at: int | None = None
    ) -> list[str]:
        """Set cells of the view, as one step for undo.

        Args:
            given: (position in the view, column path, text or value as `cells.typed` takes it; for a
                reference its name, too).
            new: Rows to add first.
            at: The position of the first of them; None: below all others.

        Returns:
            The reasons why cells were left as they are (read-only ones), each once.
        """
        step: Step = self._added(new, at)
        order = np.insert(self.order, len(self.order) if at is None else at, [row for row, _ in step])
        refused: dict[str, None] = {}
        for position, path, raw in edits_with_ids(self.labels, self._by_path, given):
            row = int(order[position])
            why = self.fixed.get(row)
            if self.column(path).readonly:
                why = f"{path} is read-only"
            if why is not None:
                refused[why] = None
                continue
            edit = self._edit_of(row, path, raw)
            self._change(step, (row, path), edit)
            others = {} if edit is None or edit.reason else self._along(row, path, edit)
            for slot, value in others.items():
                self._change(step, slot, self._edit_of(*slot, value))
        self._commit(step)
        return list(refused)

    def add_rows(self, count: int = 1, *, at: int | None = None) -> None:
        """Add empty rows above the one at a position, and below all others if that is None.

        They stay above that row wherever it goes, and come last where it is not shown.
        """
        self._commit(self._added(count, at))

    def toggle_delete(self, positions: Iterable[int]) -> list[str]:
        """Mark rows for deletion, or take the mark away if all of them have it; new rows vanish.

        Returns:
            The reasons why rows were left as they are, each once.
        """
        chosen = [int(self.order[position]) for position in positions]
        rows = [row for row in chosen if row not in self.kept]
        mark = any(DELETE not in self.edits.get(row, {}) for row in rows)
        step: Step = {}
        for row in rows:
            if self.is_new(row):
                for slot in self.edits[row]:
                    self._change(step, (row, slot), None)
            else:
                self._change(step, (row, DELETE), Edit(True) if mark else None)
        self._commit(step)
        return list(dict.fromkeys(self.kept[row] for row in chosen if row in self.kept))

    def put(self, edits: Mapping[int, Mapping[str, Edit]], new: Sequence[Mapping[str, Edit]] = ()) -> None:
        """Set cells and marks of rows by their numbers, and add rows with theirs, as one step for undo."""
        step = self._added(len(new))
        for row, by_path in (*edits.items(), *enumerate(new, self._rows - len(new))):
            for path, edit in by_path.items():
                self._change(step, (row, path), edit)
        self._commit(step)

    def discard(self) -> None:
        """Take all edits back, as one step for undo."""
        step: Step = {}
        for row, by_path in self.edits.items():
            for path in by_path:
                self._change(step, (row, path), None)
        self._commit(step)

    def undo(self) -> list[Slot]:
        """Take the last step back and list what it had changed; nothing if there is none."""
        return self._replay(self._undo, self._redo, 0)

    def redo(self) -> list[Slot]:
        """Do again what was undone and list it; nothing if there is nothing."""
        return self._replay(self._redo, self._undo, 1)

    @property
    def can_undo(self) -> bool:
        """Return whether there is a step to take back."""
        return bool(self._undo)

    @property
    def last_step(self) -> Step | None:
        """The step that `undo` would take back."""
        return self._undo[-1] if self._undo else None

    @property
    def can_redo(self) -> bool:
        """Return whether there is a step to do again."""
        return bool(self._redo)

    def take_touched(self) -> set[Slot]:
        """Return the cells and marks that look different since the last call."""
        touched, self._touched = self._touched, set()
        return touched

    # What was edited elsewhere, and what becomes of edits

    def seed(self, edits: Mapping[int, Mapping[str, Edit]]) -> None:
        """Start with edits that were made before: they are no step of undo. New rows follow the frame's."""
        for row, by_path in edits.items():
            self.edits[row] = dict(by_path)
            self._rows = max(self._rows, row + 1)
        self._new_rows.put(self.new_rows(), self.order, len(self.order))
        self.order = self.with_new_rows(self.order)
        self._compare({path for by_path in edits.values() for path in by_path})

    def note(self, notes: Mapping[int, Mapping[str, Note]]) -> None:
        """Show what became of rows and cells, instead of what was noted before."""
        self.notes = {row: dict(by_path) for row, by_path in notes.items()}

    # Inside

    def _edit_of(self, row: int, path: str, raw: Any) -> Edit | None:
        """Parse input; None where it says what the frame has already."""
        field = self.column(path).field
        edit = self._parse(row, field, raw)
        before = self.before(row, path)
        same = edit.reason is None and equal(field, edit.value, before)
        return None if same or (edit.value is None and before is None) else edit

    def _added(self, count: int, at: int | None = None) -> Step:
        """Return a step that adds empty rows at a position."""
        rows = range(self._rows, self._rows + count)
        self._rows = rows.stop
        self._new_rows.put(rows, self.order, len(self.order) if at is None else at)
        return {(row, NEW): (None, Edit(True)) for row in rows}

    def _change(self, step: Step, slot: Slot, after: Edit | None) -> None:
        row, path = slot
        before = self.edits.get(row, {}).get(path)
        if before != after:
            step[slot] = (before, after)
        else:
            step.pop(slot, None)  # one action may touch a cell twice

    def _commit(self, step: Step) -> None:
        if step:
            self._undo.append(step)
            self._redo.clear()
            self._put({slot: after for slot, (_, after) in step.items()})

    def _replay(self, source: list[Step], target: list[Step], side: int) -> list[Slot]:
        if not source:
            return []
        step = source.pop()
        target.append(step)
        self._put({slot: sides[side] for slot, sides in step.items()})
        return list(step)

    def _put(self, slots: Mapping[Slot, Edit | None]) -> None:
        self._touched |= slots.keys()
        self._apply(slots)
        self._compare({path for _, path in slots})

    def _compare(self, paths: Collection[str]) -> None:
        """Find duplicates anew where cells of unique fields, or rows with some, were edited."""
        for unique in self._unique:
            path = unique.path
            if path not in paths and not (self.twins and DELETE in paths):
                continue
            if path not in self._owners:
                self._owners[path] = owners_of(unique, self.cells(path))
            found = duplicates(self.edits, path, self._owners[path])
            before = {slot: why for slot, why in self.twins.items() if slot[1] == path}
            now = {(row, path): why for row, why in found.items()}
            self._touched |= before.keys() ^ now.keys()
            self.twins = {slot: why for slot, why in self.twins.items() if slot[1] != path} | now

    def _apply(self, slots: Mapping[Slot, Edit | None]) -> None:
        for (row, path), edit in slots.items():
            self.notes.get(row, {}).pop(path, None)  # a note is about the value that was pushed
            if edit is not None:
                self.edits.setdefault(row, {})[path] = edit
            elif row in self.edits:
                self.edits[row].pop(path, None)
                if not self.edits[row]:
                    del self.edits[row]
        if any(path == NEW for _, path in slots):
            self.order = self.with_new_rows(self.order[self.order < len(self.base)])

    def _count_notes(self, kind: str) -> int:
        return sum(
            note.kind == kind for by_path in self.notes.values() for path, note in by_path.items() if path
        )
