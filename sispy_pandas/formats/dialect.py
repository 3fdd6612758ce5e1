"""How a file is written, as those of its cells tell that nobody touched: they mean what was exported.

A program of another country saves 1234.5 as 1234,5 and 2024-03-04 as 04.03.2024. Under the right style of
reading the cells that nobody touched mean what they meant before, and under no other. A style is taken for a
column only if there is no doubt; cells that would then still be guesses are refused, with the option that
says what they mean.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.remedies import Message

from ..values.blocks import count
from ..values.types.base import PLAIN, Field, Style
from ..values.types.cells import Refused
from ..values.types.convert import json_values
from ..values.types.object_id import ID
from .table import cells_in

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from ..values.row_set import RowSet
    from ..values.schema import Schema
    from .base import ReadCells
    from .table import Values

LEAST = 5
"""Cells that a style must leave unchanged, at least."""
SURE, DOUBTFUL = 0.95, 0.5
"""The part of the telling cells that it leaves unchanged; and the part that no rival may reach.

A rival leaves a cell unchanged that the style does not: one that reads less of the same cells is no rival.
"""
_NONE: Any = object()
"""The exported value of a row that was not exported."""


@dataclass(frozen=True)
class Known:
    """The rows as they were exported: what the cells of a file meant before."""

    key: str
    """The column by which the rows of a file are known: `_id`, or a unique field."""
    at: Mapping[Hashable, int]
    """Value of that column -> position among the exported rows."""
    values: Callable[[Field], Sequence[Any] | None]
    """Returns the JSON values of a column; None where it was not exported."""

    def rows(self, schema: Schema, columns: Mapping[str, Any], read: ReadCells) -> list[int | None]:
        """Return where the rows of a file stand among the exported ones; None for new ones.

        Args:
            schema: Of the table.
            columns: The cells of the file by name.
            read: Reads them.
        """
        if self.key not in columns:
            return [None] * (len(next(iter(columns.values()))) if columns else 0)
        field = ID if self.key == ID.path else schema.field(self.key)
        names = read(field, columns[self.key], PLAIN)
        return [self.at.get(name) if isinstance(name, str | int | float) else None for name in names]


def known_rows(rows: RowSet, key: str | None = None) -> Known:
    """Return the rows of a snapshot as what was exported.

    Args:
        rows: The snapshot.
        key: The unique field by which the rows of the file are known; None: their `_id`.
    """
    frame = rows.frame(meta=True)
    names = frame.index.tolist() if key is None else json_values(rows.schema.field(key), frame[key])

    def values(field: Field) -> Sequence[Any] | None:
        return json_values(field, frame[field.path]) if field.path in frame.columns else None

    return Known(key or "_id", {name: at for at, name in enumerate(names) if name is not None}, values)


@dataclass(frozen=True)
class Dialect:
    """How a file is written."""

    cells: ReadCells
    usual: Style
    columns: Mapping[str, Values] = field(default_factory=dict)
    """Those in which there is a cell of another style than the usual one."""
    notes: tuple[str, ...] = ()
    own: Style | None = None
    """The style of the file, if it is not the usual one."""

    def read(self, field: Field, cells: Sequence[Any]) -> Values:
        """Return the values of a column."""
        found = self.columns.get(field.path)
        return self.cells(field, cells, self.usual) if found is None else found


def own_dialect(
    fields: Mapping[str, Field],
    columns: Mapping[str, Any],
    known: Known,
    rows: Sequence[int | None],
    read: ReadCells,
    style: Style,
    *,
    told: frozenset[str] = frozenset(),
    is_foreign: bool = False,
) -> Dialect:
    """Return how the columns of a file are written.

    Args:
        fields: By name, those of the file's columns that are of the schema.
        columns: The cells by name.
        known: The rows as they were exported.
        rows: Where the rows of the file stand among them.
        read: Reads the cells of a column.
        style: How they are read unless the file says otherwise.
        told: Names of options that were given: what they decide is not guessed.
        is_foreign: The cells are not parted as an export's are: another program has saved the file.
    """
    trials = []
    for path, one in fields.items():
        if path == known.key or not one.kind.told_by or told.intersection(one.kind.told_by):
            continue
        values = known.values(one)
        if values is not None:
            before = [_NONE if at is None or isinstance(values[at], Refused) else values[at] for at in rows]
            trials.append(_Trial(one, columns[path], before, read, style))
    trials = [trial for trial in trials if trial.odd]
    for trial in trials:
        alone = {
            one.styles[0] for one in trials if one.field.type == trial.field.type and len(one.styles) == 1
        }
        trial.styles = tuple(style for style in trial.styles if style in alone) or trial.styles
        if not trial.styles and len(alone) == 1 and style not in alone:
            trial.follow(*alone)
    adopted: dict[str, list[Style]] = {}
    for trial in trials:
        adopted.setdefault(trial.field.type, []).extend(trial.styles)
    if is_foreign:
        kinds = {trial.field.type for trial in trials} - {t.field.type for t in trials if t.is_plain}
        for kind in kinds:
            adopted[kind] = adopted[kind] or [replace(style, decimal=",", thousands=".")]
    found = {trial.field.path: trial.values(adopted[trial.field.type]) for trial in trials}
    return Dialect(read, style, found, _notes(trials), _overall(trials, style))


class _Trial:
    """A column, read in all styles in which it may be written."""

    def __init__(
        self, field: Field, cells: Any, before: Sequence[Any], read: ReadCells, style: Style
    ) -> None:
        self.field, self.style, self.before = field, style, before
        self.cells = list(cells_in(cells))
        self.styles: tuple[Style, ...] = ()
        """Those that leave no doubt: several, where they differ in other cells alone; else none."""
        self.unchanged = 0
        """Cells that are as they were exported in these styles."""
        self.is_plain = False
        """It is the usual one."""
        self._read = read
        texts = {cell for cell in self.cells if isinstance(cell, str) and cell}
        self.others = field.kind.other_styles(texts, style) if texts else ()
        self._means: dict[Style, dict[str, Any]] = {}
        for one in (style, *self.others) if self.others else ():
            self._means[one] = dict(zip(texts, read(field, list(texts), one), strict=True))
        self.odd = {text for text in texts if self.others and self._is_odd(text)}
        """Texts that mean other things in other styles, nothing in the usual one, or only a part of it."""
        if self.odd:
            self._decide()

    def _is_odd(self, text: str) -> bool:
        usual = self._means[self.style][text]
        others = (self._means[one][text] for one in self.others)
        is_clear = not isinstance(usual, Refused) and all(_same(usual, other) for other in others)
        return not is_clear or self.field.kind.is_cut(text)

    def _decide(self) -> None:
        cells = Counter(
            (cell, before)
            for cell, before in zip(self.cells, self.before, strict=True)
            if before is not _NONE and not isinstance(before, list | dict) and cell in self.odd
        )
        kept: dict[Style, set[tuple[Any, Any]]] = {one: set() for one in self._means}
        total = 0
        for (text, before), n in cells.items():
            keeping = [one for one in self._means if self._keeps(one, text, before)]
            is_value = any(not isinstance(means[text], Refused) for means in self._means.values())
            total += n if keeping or is_value else 0  # what is no value in any style tells nothing
            for one in keeping:
                kept[one].add((text, before))
        self._kept, self._cells, self._total = kept, cells, total
        parts = {one: sum(cells[cell] for cell in found) for one, found in kept.items()}
        sure = tuple(one for one, n in parts.items() if n >= max(LEAST, SURE * total))
        rivals = [one for one in kept if not any(kept[one] <= kept[better] for better in sure)]
        if self.style in sure:
            self.styles, self.is_plain = (self.style,), True
        elif all(parts[one] < DOUBTFUL * total for one in rivals):
            self.styles = sure
        self.unchanged = parts[self.styles[0]] if self.styles else 0

    def follow(self, style: Style) -> None:
        """Take the style that another column proves, if most cells here agree and none speaks for a rival."""
        own = self._kept.get(style, set())
        n = sum(self._cells[cell] for cell in own)
        against = max(sum(self._cells[cell] for cell in found - own) for found in self._kept.values())
        if n >= max(LEAST, DOUBTFUL * self._total) and against <= (1 - SURE) * self._total:
            self.styles, self.unchanged = (style,), n

    def _keeps(self, style: Style, text: str, before: Any) -> bool:
        return _same(self._meant(style, text), before) or self.field.kind.shows(before, text, style)

    def _meant(self, style: Style, text: str) -> Any:
        means = self._means.setdefault(style, {})
        if text not in means:
            (means[text],) = self._read(self.field, [text], style)
        return means[text]

    def values(self, doubts: Sequence[Style]) -> list[Any]:
        """Return the values of the column; what would be a guess is refused.

        Args:
            doubts: Styles of the file's columns of this type: where nothing tells which of them a cell is
                written in, and it matters, its meaning is a guess.
        """
        found = _json_list(self._read(self.field, self.cells, self.style))
        value = self._by_styles if self.styles else self._as_usual
        for i, (cell, before) in enumerate(zip(self.cells, self.before, strict=True)):
            if cell in self.odd:
                found[i] = value(cell, before, doubts)
        return found

    def _by_styles(self, text: str, before: Any, _: Sequence[Style]) -> Any:
        means = [self._meant(style, text) for style in self.styles]
        is_one = all(_same(means[0], other) for other in means)
        if before is _NONE:
            usual = self._meant(self.style, text)
            is_sure = is_one and _same(usual, means[0])
            return (
                usual
                if is_sure
                else self._refused(text, "nothing tells how a new row is written", self.styles)
            )
        if any(self._keeps(style, text, before) for style in self.styles):
            return before
        return means[0] if is_one else self._refused(text, "it may mean more than one thing", self.styles)

    def _as_usual(self, text: str, before: Any, doubts: Sequence[Style]) -> Any:
        usual = self._meant(self.style, text)
        if before is not _NONE and not _same(usual, before):
            same = [style for style in self.others if self._keeps(style, text, before)]
            if same:
                return self._refused(text, "what was exported, written in another way?", same)
        is_value = not isinstance(usual, Refused)
        if is_value and (before is _NONE or not _same(usual, before)):
            other = [style for style in doubts if not _same(self._meant(style, text), usual)]
            if other:
                return self._refused(text, "it may mean more than one thing", other)
        return usual

    def _refused(self, text: str, reason: str, styles: Sequence[Style]) -> Refused:
        return Refused(text, Message(f"{text!r}: {reason}", *self.field.kind.told(styles[0])))


def _same(a: Any, b: Any) -> bool:
    """Return whether two values that were read are the same; what is refused is no value."""
    if isinstance(a, Refused) or isinstance(b, Refused):
        return isinstance(a, Refused) and isinstance(b, Refused)
    return bool(a == b)


def _json_list(values: Values) -> list[Any]:
    if not isinstance(values, pd.Series):
        return list(values)
    return [None if value != value else value for value in values.tolist()]


def _notes(trials: Sequence[_Trial]) -> tuple[str, ...]:
    """Return in words which columns are read in another style, and why that is no guess."""
    alike: dict[Style, list[_Trial]] = {}
    for trial in trials:
        if trial.styles and not trial.is_plain:
            alike.setdefault(trial.styles[0], []).append(trial)
    notes = []
    for style, found in alike.items():
        kind, names = found[0].field.kind, ", ".join(trial.field.path for trial in found)
        cells = count(sum(trial.unchanged for trial in found), "cell")
        notes.append(f"{names}: read with {kind.in_words(style)}, as {cells} tell that nobody touched")
    return tuple(notes)


def _overall(trials: Sequence[_Trial], style: Style) -> Style:
    """Return the styles of all columns in one."""
    for trial in trials:
        if trial.styles and not trial.is_plain:
            names = trial.field.kind.told_by
            style = replace(style, **{name: getattr(trial.styles[0], name) for name in names})
    return style
