"""What a pasted block means where its program writes numbers and dates in another way."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from . import cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..values.types.base import Field, Style
    from .grid_model import GridModel

Edits = list[tuple[int, str, Any]]
_MOST = 6
"""Readings that are offered."""


@dataclass(frozen=True)
class Reading:
    """One way to read a whole block."""

    styles: Mapping[str, Style]
    """By the type of the columns."""
    words: str
    """What it is, with an example of each style."""


def readings(model: GridModel, edits: Edits) -> list[Reading]:
    """Return the ways to read those texts of a block that say nothing as they stand, the likeliest first."""
    fields: dict[str, Field] = {}
    texts: dict[str, set[str]] = {}
    for _, path, raw in edits:
        column = model.column(path)
        if isinstance(raw, str) and raw.strip() and column.field.kind.told_by and not column.readonly:
            fields.setdefault(column.field.type, column.field)
            texts.setdefault(column.field.type, set()).add(raw)
    ways = {type_: _ways(fields[type_], sorted(found)) for type_, found in texts.items()}
    ways = {type_: found for type_, found in ways.items() if found}
    if not ways:
        return []
    return [
        Reading(dict(zip(ways, (style for style, _ in chosen), strict=True)), "; ".join(w for _, w in chosen))
        for chosen in product(*ways.values())
    ][:_MOST]


def read_as(model: GridModel, edits: Edits, reading: Reading) -> Edits:
    """Return the edits with what their texts mean; those that mean nothing stay."""
    found = []
    for position, path, raw in edits:
        field = model.column(path).field
        style = reading.styles.get(field.type)
        value = _value(field, raw, style) if style is not None and isinstance(raw, str) else None
        found.append((position, path, raw if value is None else value))
    return found


def _ways(field: Field, texts: Sequence[str]) -> list[tuple[Style, str]]:
    """Return the styles that read most texts, also such as say nothing as they stand; of equals the first."""
    plain = [_value(field, text, None) for text in texts]
    if None not in plain:
        return []
    means = {s: [_value(field, text, s) for text in texts] for s in field.kind.pasted_styles(texts)}
    read = {style: sum(value is not None for value in values) for style, values in means.items()}
    most = max(read.values(), default=0)
    kept: list[Style] = []
    for style, values in means.items():
        helps = any(value is not None and old is None for value, old in zip(values, plain, strict=True))
        if read[style] == most and helps and all(values != means[other] for other in kept):
            kept.append(style)

    def is_common(at: int) -> bool:
        return all(means[style][at] == means[kept[0]][at] for style in kept)

    found = []
    for style in kept:
        values = means[style]
        telling = [at for at, value in enumerate(values) if value not in (None, plain[at])]
        at = min(telling, key=is_common)  # one in which the styles differ, if there is one
        found.append((style, f"{field.kind.in_words(style)}: {texts[at]} is {cells.show(field, values[at])}"))
    return found


def _value(field: Field, text: str, style: Style | None) -> Any:
    """Return the JSON value of a text as it is typed, or in a style; None if it has none."""
    kind = field.kind
    try:
        return kind.cast(kind.typed(text) if style is None else kind.read(text, style))
    except ValueError:
        return None
