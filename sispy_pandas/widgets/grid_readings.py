"""What a pasted block means where its program writes numbers and dates in another way."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from ..values.types.base import PLAIN, Style
from . import cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..values.types.base import Field
    from .grid_model import GridModel

Edits = list[tuple[int, str, Any]]


@dataclass(frozen=True)
class Reading:
    """One way to read the texts of a question."""

    style: Style
    values: Sequence[Any]
    """JSON values, one per text; None where it has none."""


@dataclass(frozen=True)
class Question:
    """Texts for columns of one type, some of which say nothing as they stand, and the ways to read them."""

    field: Field
    """One of the columns."""
    texts: Sequence[str]
    readings: Sequence[Reading]
    """The likeliest first."""

    def known(self, habit: Style) -> int:
        """Return which reading, from 1 on, is the one that was chosen before; 0 if none is."""
        for number, reading in enumerate(self.readings, 1):
            if reading.values == _values(self.field, self.texts, _with_marks(habit, reading.style)):
                return number
        return 0

    def learned(self, habit: Style, choice: int) -> Style:
        """Return the habit after a reading was chosen, or with 0 without what the readings are about."""
        if not choice:
            names = {name for reading in self.readings for name in _said(reading.style)}
            return replace(habit, **{name: getattr(PLAIN, name) for name in names})
        reading = self.readings[choice - 1]
        both = _joined(habit, reading.style)
        is_kept = reading.values == _values(self.field, self.texts, both)
        return both if is_kept else reading.style

    def shown(self) -> dict[str, Any]:
        """Return `text`, an example, and of each of the `readings` its `value` and what it is in `words`."""
        kind, found = self.field.kind, [reading.values for reading in self.readings]
        plain = _values(self.field, self.texts, None)

        def tells(at: int) -> tuple[int, int]:
            values = [values[at] for values in found]
            told = [value for value in values if value not in (None, plain[at])]
            return len(set(told)), len(told)

        at = max(range(len(self.texts)), key=tells)  # the readings differ most in it
        values = [str(cells.show(self.field, one[at])) if one[at] is not None else "" for one in found]
        words = [kind.in_words(reading.style) for reading in self.readings]
        return {
            "text": self.texts[at],
            "readings": [
                {
                    "value": value if values.count(value) == 1 and value else f"{value} ({said})".lstrip(),
                    "words": said,
                }
                for value, said in zip(values, words, strict=True)
            ],
        }


def questions(model: GridModel, edits: Edits) -> list[Question]:
    """Return what is to be asked about a block, one question per type of its columns."""
    columns: dict[str, Field] = {}
    texts: dict[str, set[str]] = {}
    for _, path, raw in edits:
        column = model.column(path)
        if isinstance(raw, str) and raw.strip() and column.field.kind.told_by and not column.readonly:
            columns.setdefault(column.field.type, column.field)
            texts.setdefault(column.field.type, set()).add(raw)
    found = [(columns[type_], sorted(of_type)) for type_, of_type in texts.items()]
    asked = [Question(field, of_type, _ways(field, of_type)) for field, of_type in found]
    return [one for one in asked if one.readings]


def read_as(model: GridModel, edits: Edits, styles: Mapping[str, Style]) -> Edits:
    """Return the edits with what their texts mean in styles by type; those that mean nothing stay."""
    found = []
    for position, path, raw in edits:
        field = model.column(path).field
        style = styles.get(field.type)
        value = _value(field, raw, style) if style is not None and isinstance(raw, str) else None
        found.append((position, path, raw if value is None else value))
    return found


def _ways(field: Field, texts: Sequence[str]) -> list[Reading]:
    """Return the styles that read most texts, also those without a meaning so far; of equals the first."""
    plain = _values(field, texts, None)
    if None not in plain:
        return []
    found = [Reading(style, _values(field, texts, style)) for style in field.kind.pasted_styles(texts)]
    read = [sum(value is not None for value in one.values) for one in found]
    kept: list[Reading] = []
    for one, count in zip(found, read, strict=True):
        helps = any(value is not None and old is None for value, old in zip(one.values, plain, strict=True))
        if count == max(read) and helps and all(one.values != other.values for other in kept):
            kept.append(one)
    return kept


def _said(style: Style) -> dict[str, Any]:
    """Return what a style says that differs from the usual one. Its two marks belong together."""
    names = [one.name for one in fields(Style)]
    said = {name: getattr(style, name) for name in names if getattr(style, name) != getattr(PLAIN, name)}
    if said.keys() & {"decimal", "thousands"}:
        said |= {"decimal": style.decimal, "thousands": style.thousands}
    return said


def _joined(habit: Style, style: Style) -> Style:
    """Return a habit with what a style says, which counts where they differ."""
    units = {one.partition("=")[0] for one in style.unit}
    others = {one for one in habit.unit if one.partition("=")[0] not in units}
    joined = replace(habit, **_said(style) | {"unit": style.unit | others})
    return _with_marks(joined, habit)


def _with_marks(style: Style, other: Style) -> Style:
    """Return a style with another's mark between thousands, if it has decimal commas and none."""
    lacks = style.decimal == other.decimal == "," and not style.thousands
    return replace(style, thousands=other.thousands) if lacks else style


def _values(field: Field, texts: Sequence[str], style: Style | None) -> list[Any]:
    return [_value(field, text, style) for text in texts]


def _value(field: Field, text: str, style: Style | None) -> Any:
    """Return the JSON value of a text as it is typed, or in a style; None if it has none."""
    kind = field.kind
    try:
        return kind.cast(kind.typed(text) if style is None else kind.read(text, style))
    except ValueError:
        return None
