"""What is in a column or a selection, in numbers: values to filter by, sums and counts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .grid_fill import positions_in
from .grid_order import order, shown_texts, values
from .grid_texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .grid_fill import Area
    from .grid_model import GridModel

_MOST = 200
"""Values that are listed."""
_MOST_COMPARED = 300_000
"""Cells of which the distinct ones are counted."""


def values_of(model: GridModel, path: str, text: str = "") -> dict[str, Any]:
    """Count the values of a column in the rows that its own filter hides or shows and the others let through.

    Args:
        model: Whose column it is.
        path: Of the column.
        text: Only values that hold it, in any case.

    Returns:
        `values`: [text, how many rows], at most the 200 most frequent, in their order, None (no value) first;
        `more`: how many values are left out.
    """
    others = {other: wanted for other, wanted in model.view.filters.items() if other != path}
    rows = order(model, replace(model.view, filters=others, sorts=()))
    texts = shown_texts(model, path).take(rows[rows < len(model.base)])
    counts = texts.value_counts(dropna=False)
    found = [(None if value != value or value is None else str(value), int(n)) for value, n in counts.items()]
    if text:
        found = [one for one in found if one[0] is not None and text.casefold() in one[0].casefold()]
    number = model.column(path).field.kind.presentation == "number"

    def place(one: tuple[str | None, int]) -> tuple[bool, float, str]:
        value = one[0]
        return value is not None, float(value) if number and value else 0.0, (value or "").casefold()

    return {"values": sorted(found[:_MOST], key=place), "more": max(0, len(found) - _MOST)}


def summary(model: GridModel, areas: Iterable[Area]) -> dict[str, Any]:
    """Count and sum what is selected.

    Returns:
        `cells`; `filled`: those in which something stands; `invalid`: those that cannot be sent as they are;
        `distinct`: how many values that are not refused, None of very many cells; and if there are numbers
        among them, their `sum`, `average`, `min`, `max`.
    """
    scopes = positions_in(model, areas)
    cells = sum(map(len, scopes))
    filled = invalid = 0
    distinct: set[str] | None = set() if cells <= _MOST_COMPARED else None
    numbers: list[float] = []
    for column, positions in zip(model.columns, scopes, strict=True):
        if not len(positions):
            continue
        field, rows = column.field, model.order[positions]
        held = values(model, field.path).take(rows[rows < len(model.base)])
        texts = texts_of(field, held) if distinct is not None or held.dtype == object else held
        filled += int(texts.notna().sum())
        if distinct is not None:
            distinct.update(texts.dropna().unique())
        if field.kind.presentation == "number":
            numbers += held.dropna().tolist()
        edited = [row for row, edits in model.edits.items() if field.path in edits]
        for row in rows[np.isin(rows, edited)].tolist() if edited else ():
            given = model.edits[row][field.path]
            invalid += model.reason(row, field.path) is not None
            filled += given.reason is not None and given.value is not None
        for row in rows[rows >= len(model.base)].tolist():
            edit = model.edits[row].get(field.path)
            if edit is None or edit.reason is not None or edit.value is None:
                continue
            filled += 1
            if distinct is not None:
                distinct.add(str(model.text(row, field.path)))
            if field.kind.presentation == "number":
                numbers.append(edit.value)
    found: dict[str, Any] = {"cells": cells, "filled": filled, "invalid": invalid}
    found["distinct"] = None if distinct is None else len(distinct)
    numbers = [number for number in numbers if isinstance(number, int | float | np.number)]
    if not numbers:
        return found
    total = math.fsum(numbers)
    spread = {"average": total / len(numbers), "min": float(min(numbers)), "max": float(max(numbers))}
    return found | {"sum": total} | spread
