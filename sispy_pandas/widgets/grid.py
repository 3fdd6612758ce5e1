"""The editable grid as a widget: a GridModel behind grid.js, joined by small messages."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from sispy.text import shorten

from ..values.blocks import count
from ..values.types.base import PLAIN
from .columns import ref_of, wire
from .grid_blocks import block_edits, tsv
from .grid_fill import Area, cells_of, fill_edits
from .grid_names import ids_in
from .grid_order import look
from .grid_readings import questions, read_as
from .grid_search import Finder, Search, replacements
from .grid_summary import summary, values_of
from .grid_window import REASON, patches, window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from ..values.types.base import Style
    from .grid_model import GridModel, Slot, Step, View
    from .grid_names import Labels
    from .grid_readings import Edits, Question

MOST_ROWS = 500_000
"""Browsers limit the height of an element: at 26 px a row this stays below the lowest limit."""
_MOST_IN_WINDOW = 500  # rows; a page asks for 100, and nothing else may ask for the table
_MOST_COPIED = 5_000_000  # cells
_MOST_PATCHED = 1_000
"""Cells and marks that an edit sends; of more the page asks for those in sight."""
_BY_POSITION = frozenset(["edit", "paste", "fill", "clear", "add", "delete", "read", "replace"])
"""Messages that change rows named by position."""


@dataclass(frozen=True)
class _Pasted:
    """Cells whose reading can still be chosen: as long as they are the last step."""

    step: Step | None
    is_step: bool
    """Whether they made it: pasted on cells that held the same, they change nothing."""
    edits: Edits
    new: int
    at: int
    questions: list[Question]


_HERE = Path(__file__).parent


def _joined(*patterns: str) -> str:
    """Join files of the page: anywidget takes one text, and there is no build step."""
    paths = (path for pattern in patterns for path in sorted(_HERE.glob(pattern)))
    return "\n".join(path.read_text("utf-8") for path in paths)


class Grid(anywidget.AnyWidget):
    """Show a GridModel and let it be edited. Only rows in sight travel; values are checked in Python.

    Args:
        model: What to edit.
        labels: Names for references; without them ids are shown.
        rows: Whether rows can be added and marked for deletion.
        height: Of the table, in px.
        label: What a screen reader calls the table.
        noun: What the page calls a row.
        follow: Whether the page tells which row is active, for `active_row`.
        on_change: Called after every change of cells or rows.

    Raises:
        ValueError: More than 500,000 rows.
    """

    _esm = _joined("grid*.js")
    _css = _joined("theme.css", "grid.css")

    columns: Any = traitlets.List(traitlets.Dict()).tag(sync=True)
    status: Any = traitlets.Dict().tag(sync=True)
    options: Any = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        model: GridModel,
        *,
        labels: Labels | None = None,
        rows: bool = True,
        height: int = 440,
        label: str = "Table",
        noun: str = "row",
        follow: bool = False,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        if len(model) > MOST_ROWS:
            raise ValueError(f"{len(model):,} rows, and the grid shows {MOST_ROWS:,}: filter the frame first")
        self.model: GridModel = model
        self.lock: AbstractContextManager[bool] = (
            threading.RLock()
        )  # held while a model is made of the one shown: no edit gets lost
        self._labels = labels
        self._on_change = on_change
        self.active_row: int | None = None
        self._version = 0
        self._order = 0  # counts how often rows have moved
        self._places = (model.base.index, model.order, model.columns)
        self._finder: tuple[tuple[str, bool, bool], Finder] | None = None
        self._pasted: _Pasted | None = None
        self._habits: dict[str, Style] = {}  # by type, how blocks were read that were pasted before
        options = {"height": height, "label": label, "noun": noun, "rows": rows, "follow": follow}
        super().__init__(options=options)
        self.show(model)
        self.on_msg(self._receive)

    def show(self, model: GridModel) -> None:
        """Show another model, or the same one after it was changed from outside."""
        self.model = model
        model.labels = self._labels
        self.active_row = None
        self._finder = None
        with self.hold_sync():  # the page takes columns and rows together
            self._describe()
            self.refresh()

    def _describe(self) -> None:
        """Tell the page what the columns are."""
        model = self.model
        sample = model.base.head(200)
        key = model.schema.key
        self.columns = [
            wire(column, frozen=column.field.path == key, sample=sample.get(column.field.path))
            for column in model.columns
        ]

    def refresh(self) -> None:
        """Let the page fetch again what is in sight."""
        self._version += 1
        self.update()

    def update(self) -> None:
        """Show what was edited: few cells are sent, of many the page fetches again what is in sight."""
        model, since = self.model, self._version
        touched, has_moved = model.take_touched(), self._note_order()
        if touched or has_moved:
            self._version += 1
            if self._finder is not None:
                self._finder[1].forget()
        if touched and not has_moved and len(touched) <= _MOST_PATCHED:
            rows = patches(model, touched)
            now = {"version": self._version, "order": self._order}
            self.send({"type": "cells", "since": since, **now, "rows": rows})
            self._send_labels(
                [(number, text) for row in rows for number, text in row["cells"].items()],
                [row["marks"] for row in rows],
            )
        self.status = model.counts() | {
            "turn": self.status.get("turn", 0) + 1,  # also where nothing else changes this is an answer
            "version": self._version,
            "order": self._order,
            "shown": len(model),
            "undo": model.can_undo,
            "redo": model.can_redo,
            "sorts": [list(sort) for sort in model.view.sorts],
            "hidden": len(model.view.hidden),
            "filters": dict(model.view.filters),
            "show": model.view.show,
        }

    # Messages of the page; grid.js documents them

    def _receive(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        kind = message.get("type", "")
        handler = getattr(self, f"_on_{kind}", None)
        if handler is None:
            raise ValueError(f"grid.js sent an unknown message: {kind!r}")
        with self.lock:
            if kind in _BY_POSITION and message["order"] != self._order:
                moved = "the rows or columns have moved meanwhile"
                self.send({"type": "say", "text": f"Nothing was changed: {moved}"})
                if "id" in message:
                    self.send({"id": message["id"], "error": moved})
                self.update()
                return
            handler(**{name: value for name, value in message.items() if name not in ("type", "order")})

    def _changed(self, refused: Sequence[str] = ()) -> None:
        self.update()
        if refused:
            self.send({"type": "say", "text": "; ".join(refused)})
        self._on_change()

    def _on_window(self, *, start: int, stop: int) -> None:
        seen = window(self.model, start, min(stop, start + _MOST_IN_WINDOW))
        self.send({"type": "window", "version": self._version, "order": self._order, **seen})
        shown = [(number, text) for number, texts in enumerate(seen["cells"]) for text in texts]
        self._send_labels(shown, list(seen["marks"].values()))

    def _on_at(self, *, row: int) -> None:
        self.active_row = int(self.model.order[row]) if row < len(self.model) else None

    def _on_edit(self, *, cells: list[list[Any]]) -> None:
        """Take what was typed; why it is refused is said, as the page has gone on to the next cell."""
        edits = [(row, self._path(column), given) for row, column, given in cells]
        refused, model = self._lay(edits), self.model
        for row, path, _ in edits:
            if (why := model.reason(int(model.order[row]), path)) is not None:
                refused.append(f"Row {row + 1}, {path}: {shorten(why, REASON)}")
        self._changed(refused)

    def _on_paste(self, *, block: list[list[Any]], areas: list[dict[str, int]]) -> None:
        """Lay the block on the last area; in new rows, it brings those that it needs beside them.

        A block of one cell goes into every cell of all areas.
        """
        if len(areas) > 1 and len(block) == len(block[0]) == 1:
            cells = cells_of(self.model, [Area(**area) for area in areas])
            self._changed(self._lay([(row, path, block[0][0]) for row, path in cells]))
            return
        area = Area(**areas[-1])
        edits = block_edits(self.model, block, area)
        is_old = self.model.order[area.top :] < len(self.model.base)
        new_below = int(is_old.argmax()) if is_old.any() else len(is_old)
        lacking = len(block) - new_below if area.rows <= new_below else 0
        end = len(self.model) + max(0, lacking)
        lost = max(0, area.top + len(block) - end)
        fitting = [edit for edit in edits if edit[0] < end]
        refused = self._lay(fitting, new=max(0, lacking), at=area.top + new_below)
        if lost:
            refused.append(
                f"{count(lost, 'pasted row')} did not fit below the last row: a new row takes them"
            )
        if (wide := area.left + max(map(len, block)) - len(self.model.columns)) > 0:
            refused.append(f"{count(wide, 'pasted column')} did not fit")
        self._changed(refused)

    def _lay(self, edits: Edits, *, new: int = 0, at: int = 0) -> list[str]:
        """Edit cells, read as blocks before them were, and ask about what those do not tell."""
        model, before = self.model, self.model.last_step
        asked = questions(model, edits)
        chosen = [one.known(self._habit(one)) for one in asked]
        known = [(one, choice) for one, choice in zip(asked, chosen, strict=True) if choice]
        styles = {one.field.type: one.readings[choice - 1].style for one, choice in known}
        refused = model.edit(read_as(model, edits, styles), new=new, at=at)
        if asked:
            step = model.last_step
            self._pasted = _Pasted(step, step is not before, edits, new, at, asked)
            found = [one.shown() | {"chosen": choice} for one, choice in zip(asked, chosen, strict=True)]
            self.send({"type": "offer", "questions": found})
        return refused

    def _habit(self, question: Question) -> Style:
        return self._habits.get(question.field.type, PLAIN)

    def _on_read(self, *, question: int, choice: int) -> None:
        """Read what was typed or pasted last in another way, 0 for as it stands, and remember which."""
        pasted, model = self._pasted, self.model
        if pasted is None or model.last_step is not pasted.step:
            self.send({"type": "say", "text": "Nothing was changed: other edits came after these cells"})
            return
        about = pasted.questions[question]
        self._habits[about.field.type] = about.learned(self._habit(about), choice)
        if pasted.is_step:
            model.undo()
        refused = self._lay(pasted.edits, new=pasted.new, at=pasted.at)
        self._changed(refused)

    def _on_fill(self, *, source: dict[str, int], target: dict[str, int], count: bool) -> None:
        edits = fill_edits(self.model, Area(**source), Area(**target), count=count)
        self._changed(self.model.edit(edits))

    def _on_clear(self, *, areas: list[dict[str, int]]) -> None:
        cells = cells_of(self.model, [Area(**area) for area in areas])
        self._changed(self.model.edit((row, path, None) for row, path in cells))

    def _on_undo(self) -> None:
        self._replayed(self.model.undo())

    def _on_redo(self) -> None:
        self._replayed(self.model.redo())

    def _on_add(self, *, at: int | None, count: int) -> None:
        """Add so many rows above the one at a position; None: below all others."""
        self.model.add_rows(count, at=at)
        self._changed()

    def _on_delete(self, *, rows: list[tuple[int, int]]) -> None:
        positions = dict.fromkeys(row for first, last in rows for row in range(first, last + 1))
        self._changed(self.model.toggle_delete(positions))

    def _on_sort(self, *, by: list[tuple[str, bool]]) -> None:
        self._look(replace(self.model.view, sorts=tuple((path, descending) for path, descending in by)))

    def _on_hide(self, *, column: str | None) -> None:
        """Hide a column, too; no column shows all."""
        hidden = frozenset() if column is None else self.model.view.hidden | {column}
        self._look(replace(self.model.view, hidden=hidden))

    def _on_filter(
        self, *, column: str | None, text: str = "", values: Sequence[str | None] | None = None
    ) -> None:
        """Set the filter of one column, a text or the values that are let through; no column clears all."""
        filters = {} if column is None else dict(self.model.view.filters)
        if column is not None:
            filters.pop(column, None)
            if values or text.strip():
                filters[column] = tuple(values) if values else text
        self._look(replace(self.model.view, filters=filters))

    def _on_values(self, *, id: str, column: str, text: str) -> None:  # noqa: A002  # the message's word
        self.send({"id": id, **values_of(self.model, column, text)})

    def _on_sum(self, *, id: str, areas: list[dict[str, int]]) -> None:  # noqa: A002  # the message's word
        self.send({"id": id, **summary(self.model, [Area(**area) for area in areas])})

    def _on_show(self, *, show: Any) -> None:
        self._look(replace(self.model.view, show=show))

    def _look(self, view: View) -> None:
        before = self.model.columns
        try:
            look(self.model, view)
        except ValueError as error:
            self.send({"type": "say", "text": f"Left as it was: {error}"})
        with self.hold_sync():
            if self.model.columns != before:
                self._finder = None
                self._describe()
            self.update()

    def _on_seek(self) -> None:
        """Make what Find looks through, while its text is typed."""
        for column in self.model.columns:
            self.model.texts(column.field.path)

    def _on_find(self, *, id: str, row: int, column: int, back: bool, **given: Any) -> None:  # noqa: A002  # the message's word
        try:
            search = Search(**given)
            if self._finder is None or self._finder[0] != search.key:
                self._finder = (search.key, Finder(self.model, search))
            self.send({"id": id, "hit": self._finder[1].next(row, column, back=back)})
        except ValueError as error:
            self.send({"id": id, "hit": None, "error": str(error)})

    def _on_replace(
        self,
        *,
        id: str,  # noqa: A002  # the message's word
        by: str,
        areas: list[dict[str, int]] | None,
        do: bool,
        **given: Any,
    ) -> None:
        """Count what would be replaced, or do it, as one step."""
        scope = None if areas is None else [Area(**area) for area in areas]
        try:
            found = replacements(self.model, Search(**given), by, scope)
        except ValueError as error:
            self.send({"id": id, "error": str(error)})
            return
        refused = self.model.edit(found.edits) if do else []
        counts = {"cells": len(found.edits), "rows": found.rows, "locked": found.locked}
        self.send({"id": id, **counts, "sample": found.sample})
        if do:
            self._changed(refused)

    def _on_copy(self, *, id: str, rows: list[tuple[int, int]], columns: list[int], headers: bool) -> None:  # noqa: A002  # the message's word
        positions = np.concatenate([np.arange(first, last + 1) for first, last in rows])
        if len(positions) * len(columns) > _MOST_COPIED:
            positions = positions[: _MOST_COPIED // len(columns)]
            self.send({"type": "say", "text": f"Only the first {count(len(positions), 'row')} were copied"})
        self.send({"id": id, "text": tsv(self.model, positions, columns, headers=headers)})

    def _on_complete(self, *, id: str, column: int, text: str) -> None:  # noqa: A002  # the message's word
        ref = ref_of(self.model.columns[column].field)
        labels = self._labels

        def answer() -> None:
            found = [] if labels is None or ref is None else labels.find(ref, text)
            self.send({"id": id, "options": [{"value": value, "label": label} for value, label in found]})

        self._aside(answer)

    # Inside

    def _note_order(self) -> bool:
        """Return whether rows or columns have moved; rows that were added at the end move none."""
        (index, order, columns), model = self._places, self.model
        is_same = columns == model.columns and index.equals(model.base.index)
        has_moved = not (is_same and np.array_equal(order, model.order[: len(order)]))
        self._order += has_moved
        self._places = (model.base.index, model.order, model.columns)
        return has_moved

    def _replayed(self, slots: Sequence[Slot]) -> None:
        """Lead the eye to what was undone or done again."""
        self._changed()
        rows = np.flatnonzero(np.isin(self.model.order, [row for row, _ in slots]))
        if len(rows):
            paths = {path for row, path in slots if row == self.model.order[rows[0]]}
            columns = [n for n, column in enumerate(self.model.columns) if column.field.path in paths]
            self.send({"type": "go", "row": int(rows[0]), "column": min(columns, default=0)})

    def _path(self, column: int) -> str:
        return self.model.columns[column].field.path

    def _send_labels(
        self, cells: Sequence[tuple[int, str | bool | None]], marks: Sequence[Mapping[str, Any]]
    ) -> None:
        """Send the names of what references point to: in cells, by their columns, and in marks of rows."""
        labels = self._labels
        if labels is None:
            return
        others = [
            (number, mark.get(side))
            for row in marks
            for number, mark in row.get("cells", {}).items()
            for side in ("was", "theirs")
        ]
        refs = [ref_of(column.field) for column in self.model.columns]
        wanted: dict[str, list[Any]] = {}
        for number, text in (*cells, *others):
            if (ref := refs[number]) is not None:
                wanted.setdefault(ref, []).append(text)
        wanted = {ref: ids for ref, texts in wanted.items() if (ids := ids_in(texts))}
        if not wanted:
            return

        def answer() -> None:
            names: dict[str, str] = {}
            for ref, ids in wanted.items():
                names |= labels.of(ref, ids)
            if names:
                self.send({"type": "labels", "labels": names})

        self._aside(answer)

    def _aside(self, work: Callable[[], None]) -> None:
        """Ask the server without keeping the page waiting; if it does not answer, only labels are missing."""
        threading.Thread(target=work, daemon=True, name="sispy-labels").start()
