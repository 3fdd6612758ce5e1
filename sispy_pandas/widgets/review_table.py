"""The lines of a review in a grid: ticks to accept, values to correct, conflicts to decide."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from sispy.remedies import Argument, in_python, worded
from sispy.text import shorten

from ..planning.validate import taken_twice, unique_fields
from ..values.schema import Schema
from ..values.types.base import Field
from ..values.types.cells import STRINGS
from . import cells
from .cells import Edit
from .columns import Column, ref_of
from .grid_model import GridModel, Note
from .grid_names import named, names_of, with_ids
from .grid_window import REASON, TO_DELETE
from .review_lines import UNDONE, CellId, as_text

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping, Sequence

    from ..workflow.objects import Plan
    from .grid_model import Slot
    from .grid_names import Labels
    from .review_lines import Line

SEND, AFTER, KEEP = "send", "after", "keep"
MINE, THEIRS = "mine", "theirs"
_FIELDS = (
    Field(SEND, "Boolean", description="Only ticked cells are sent."),
    Field("row", "String"),
    Field("action", "String"),
    Field("field", "String"),
    Field("before", "String"),
    Field(AFTER, "String", description="May be corrected."),
    Field(THEIRS, "String", description="What somebody else wrote meanwhile."),
    Field(KEEP, "String", enum=(MINE, THEIRS), description="Which value of a conflict is to stay."),
    Field("outcome", "String"),
    Field("reason", "String"),
)
_EDITABLE = (SEND, AFTER, KEEP)
_FREE = {SEND: True, "reason": None}
"""What a line gets whose problem is solved."""


class ReviewTable:
    """The model of the grid that shows a plan's lines.

    Args:
        plan: Whose lines they are; its schema parses corrected values.
        lines: From `lines_of`.
        labels: Names for references; without them ids are shown.
        ticked: Cells that are to be ticked; None: all that can be sent and were not.
        like: A table of the same cells whose decisions it takes over.
    """

    def __init__(
        self,
        plan: Plan,
        lines: Sequence[Line],
        *,
        labels: Labels | None = None,
        ticked: Collection[CellId] | None = None,
        like: ReviewTable | None = None,
    ) -> None:
        self._plan = plan
        self._lines = list(lines)
        twice = {(one.row, one.column, one.reason) for one in taken_twice(plan.schema, plan.changes, {})}
        self._shared = {n for n, line in enumerate(lines) if (line.row, line.path, line.reason) in twice}
        unique = {field.path for field in unique_fields(plan.schema)}
        self._unique: dict[str, list[int]] = {}
        for number, line in enumerate(lines):
            if line.path in unique:
                self._unique.setdefault(line.path, []).append(number)
        self._labels = labels
        self._refs = {field.path for field in plan.schema.fields if ref_of(field) is not None}
        self._names = self._names_in(lines)
        pushed = any(line.outcome for line in lines)
        conflicts = any(line.outcome == "conflict" for line in lines)
        hidden = set() if conflicts else {KEEP}
        if not conflicts and not any(line.theirs is not None for line in lines):
            hidden.add(THEIRS)
        if not pushed:
            hidden.add("outcome")
        fields = tuple(field for field in _FIELDS if field.path not in hidden)
        columns = tuple(Column(field, readonly=field.path not in _EDITABLE) for field in fields)
        schema = Schema("review", fields, "row", {})
        stopped = _stopped(lines)
        ticked = like._ticked_at_first if like else ticked
        sent = [_is_sent(line, ticked) if line.row not in stopped else False for line in lines]
        # before anything is decided; what is edited since is few
        self._deletes = [number for number, line in enumerate(lines) if line.action == "delete"]
        self._first = [bool(send) and not line.final for send, line in zip(sent, lines, strict=True)]
        self._cells = Counter(line.path for line in lines)
        self._ticked = Counter(line.path for line, send in zip(lines, self._first, strict=True) if send)
        texts = {
            "row": [line.key for line in lines],
            "action": [line.action for line in lines],
            "field": [line.path for line in lines],
            "before": [self._text(line.path, line.before) for line in lines],
            AFTER: [self._text(line.path, line.after) for line in lines],
            THEIRS: [self._text(line.path, line.theirs) for line in lines],
            KEEP: [""] * len(lines),
            "outcome": [line.outcome for line in lines],
            "reason": [line.reason and shorten(without_options(line.reason), REASON) for line in lines],
        }
        cells = {path: pd.array([text or None for text in texts[path]], dtype=STRINGS) for path in texts}
        frame = pd.DataFrame({SEND: pd.array(sent, dtype="boolean"), **cells})[[f.path for f in fields]]
        frame.index = pd.Index([str(number) for number in range(len(lines))], name="_id", dtype="str")
        fixed = {number: why for number, line in enumerate(lines) if (why := _fixed(line, stopped))}
        self.model: GridModel = GridModel(
            schema, frame, columns=columns, fixed=fixed, parse=self._parse, along=self._along
        )
        if like:
            numbers = {line.cell: number for number, line in enumerate(lines)}
            self.model.seed(
                {numbers[like._lines[row].cell]: edits for row, edits in like.model.edits.items()}
            )
        self.model.note({number: note for number, line in enumerate(lines) if (note := self._notes(line))})

    @property
    def _ticked_at_first(self) -> set[CellId]:
        return {line.cell for line, send in zip(self._lines, self._first, strict=True) if send}

    @property
    def rejected(self) -> set[CellId]:
        """Cells that are not to be sent, as things stand."""
        return {line.cell for number, line in enumerate(self._lines) if not self._is_ticked(number)}

    @property
    def given_way(self) -> set[CellId]:
        """Conflicts in which the other's value is to stay."""
        return {
            line.cell
            for number, line in enumerate(self._lines)
            if line.outcome == "conflict" and not line.final and self.model.value(number, KEEP) == THEIRS
        }

    @property
    def ticked(self) -> set[CellId]:
        """Cells that are ticked; a conflict, which no tick decides, is none of them."""
        return {
            line.cell
            for number, line in enumerate(self._lines)
            if line.outcome != "conflict" and not line.final and self.model.value(number, SEND)
        }

    @property
    def values(self) -> dict[CellId, Any]:
        """Corrected values, as JSON.

        Raises:
            ValueError: A ticked cell holds a value that its field refuses.
        """
        found = {}
        rejected = self.rejected
        for number, edits in self.model.changed().items():
            line, edit = self._lines[number], edits.get(AFTER)
            if line.cell in rejected:
                continue
            if edit is None:
                if "reason" in edits:  # as it is: another line gave way
                    found[line.cell] = line.after
                continue
            if edit.reason is not None:
                raise ValueError(f"{line.key}, {line.path}: {edit.reason}")
            found[line.cell] = self._cast(self._plan.schema.field(line.path), edit.value).value
        return found

    def counts(self) -> dict[str, tuple[int, int]]:
        """Count the cells of each field, and those of them that are ticked."""
        ticked = self._ticked.copy()
        for number in self.model.edits:
            ticked[self._lines[number].path] += self._is_ticked(number) - self._first[number]
        return {path: (cells, ticked[path]) for path, cells in self._cells.items()}

    @property
    def deletes(self) -> tuple[int, int]:
        """How many lines are rows to delete, and how many of them are ticked."""
        return len(self._deletes), sum(map(self._is_ticked, self._deletes))

    def tick(self, send: bool, *, field: str | None = None, row: int | None = None) -> None:
        """Tick or untick all cells of a field, or all cells of the row that line `row` belongs to.

        Conflicts are left out: each is decided on its own, in the column `keep`.
        """
        wanted = [
            number
            for number, line in enumerate(self._lines)
            if line.outcome != "conflict"
            and (field is None or line.path == field)
            and (row is None or line.row == self._lines[row].row)
        ]
        positions = {int(number): position for position, number in enumerate(self.model.order)}
        self.model.edit((positions[number], SEND, send) for number in wanted if number in positions)

    def _is_ticked(self, number: int) -> bool:
        """Return whether a cell is to be sent; of a conflict, only its own decision says so."""
        line = self._lines[number]
        if number not in self.model.edits or line.final:
            return self._first[number]
        if line.outcome == "conflict":
            return bool(self.model.value(number, KEEP) == MINE)
        return bool(self.model.value(number, SEND))

    def _notes(self, line: Line) -> dict[str, Note]:
        if line.outcome == "done":
            return {"outcome": Note("done")}
        if line.outcome in ("unsent", "unchanged", UNDONE):
            return {}
        if line.outcome == "conflict":
            theirs, base, mine = (
                self._text(line.path, one) for one in (line.theirs, line.before, line.after)
            )
            mine = TO_DELETE if line.action == "delete" else mine
            return {} if line.final else {KEEP: Note("conflict", line.reason, theirs, base, mine)}
        kind: Literal["failed", "invalid"] = "failed" if line.outcome else "invalid"
        return {AFTER: Note(kind, line.reason)} if line.reason else {}

    def _parse(self, row: int, field: Field, given: Any) -> Edit:
        """Check a corrected value by the field that the line is about; keep it as text."""
        if field.path == SEND and self._lines[row].outcome == "conflict":
            edit = cells.typed(field, given)
            return Edit(edit.value, "a tick does not decide a conflict: choose in the column keep")
        if field.path != AFTER or self._lines[row].path not in self._plan.schema.columns:
            return cells.typed(field, given)
        own = self._plan.schema.field(self._lines[row].path)
        edit = self._cast(own, given)
        self._names |= names_of(self._labels, own, [edit.value])
        return Edit(None if edit.value is None else self._text(own.path, edit.value), edit.reason)

    def _along(self, row: int, path: str, edit: Edit) -> dict[Slot, Any]:
        """Tick the line of a corrected value, and the one that had shared the value.

        A conflict waits for its own decision.
        """
        line = self._lines[row]
        if path != AFTER or line.outcome == "conflict":
            return {}
        if self._sharing(line.path, edit.value, row):
            return {(row, SEND): False}
        alone = self._sharing(line.path, self.model.value(row, AFTER), row) if row in self._shared else []
        freed = [number for number in alone if number in self._shared] if len(alone) == 1 else []
        for number in freed:
            self.model.notes.pop(number, None)
        return {(number, path): value for number in (row, *freed) for path, value in _FREE.items()}

    def _sharing(self, path: str, value: Any, row: int) -> list[int]:
        """Return the other lines that give the same value to a unique field."""
        return [
            number
            for number in self._unique.get(path, ())
            if number != row and self.model.value(number, AFTER) == value
        ]

    def _cast(self, field: Field, given: Any) -> Edit:
        """Parse a corrected value; a reference may be written as its name."""
        return cells.typed(field, with_ids(self._labels, field, [given])[0])

    def _text(self, path: str, value: Any) -> str:
        if value is None:
            return ""
        text = as_text(self._plan, path, value)
        return named(self._names, self._plan.schema.field(path), text) if path in self._refs else text

    def _names_in(self, lines: Sequence[Line]) -> dict[str, str]:
        """Return id -> name of all references in the lines."""
        values: dict[str, list[Any]] = {}
        for line in lines:
            if line.path in self._refs:
                values.setdefault(line.path, []).extend((line.before, line.after, line.theirs))
        names = (names_of(self._labels, self._plan.schema.field(path), values[path]) for path in values)
        known = {id_: name for found in names for id_, name in found.items()}
        return known | {id_: str(key) for id_, key in self._plan.arrivals.items()}  # of rows that are to come


def without_options(text: str) -> str:
    """Return a text with its ways out as one types them, but for options of a call that no control sets."""
    return worded(text, lambda remedy: None if isinstance(remedy, Argument) else in_python(remedy))


def _is_sent(line: Line, ticked: Collection[CellId] | None) -> bool | None:
    """Return whether a line is ticked at first; None for a conflict, which `keep` decides."""
    if line.outcome == "conflict":
        return None
    return not line.outcome and not line.reason if ticked is None else line.cell in ticked


def _stopped(lines: Sequence[Line]) -> dict[Hashable, str]:
    """Return why rows cannot be sent whatever is decided: a value that is lacking is no cell to leave out."""
    problems = (line for line in lines if line.action == "problem")
    return {line.row: ": ".join(filter(None, (line.path, line.reason))) for line in problems}


def _fixed(line: Line, stopped: Mapping[Hashable, str]) -> str:
    if line.final:
        told = {"done": "it is written", "unchanged": "it is written", UNDONE: "it was taken back"}
        return told.get(line.outcome, line.reason)
    return f"the row cannot be sent as it is: {stopped[line.row]}" if line.row in stopped else ""
