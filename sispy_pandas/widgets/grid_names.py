"""Names in columns of references: rows are sorted, filtered and found by them, and cells take them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from ..schema import Field
    from .grid_model import GridModel

_MOST = 3_000  # names of one column that a server is asked for; what is left stays an id
_ID = re.compile(r"\s*[0-9a-fA-F]{24}\s*")


class Labels(Protocol):
    """How people call the entities that references point to."""

    def of(self, schema: str, ids: Sequence[str]) -> dict[str, str]:
        """Return id -> label of those that are known or can be found."""

    def ids(self, schema: str, names: Sequence[str]) -> dict[str, str]:
        """Return label -> id of those that are known or can be found."""

    def find(self, schema: str, text: str) -> list[tuple[str, str]]:
        """List some (id, label) whose label holds the text."""


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an id."""
    return _ID.fullmatch(text) is not None


def names_of(labels: Labels | None, field: Field, values: Iterable[Any]) -> dict[str, str]:
    """Return id -> name of what a field's values refer to, as far as there are names."""
    if labels is None or field.ref is None:
        return {}
    ids = dict.fromkeys(value for value in values if isinstance(value, str) and is_id(value))
    return labels.of(field.ref, list(ids)[:_MOST])


def ids_of(labels: Labels | None, field: Field, given: Iterable[Any]) -> Mapping[str, str]:
    """Return name -> id of the names among what was given for a field."""
    if labels is None or field.ref is None:
        return {}
    names = {text for text in given if isinstance(text, str) and text.strip() and not is_id(text)}
    found = labels.ids(field.ref, sorted({name.strip() for name in names})) if names else {}
    return {name: found[name.strip()] for name in names if name.strip() in found}


def named(model: GridModel, path: str, cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column with names in place of ids, as the grid shows it."""
    names = names_of(model.labels, model.column(path).field, cells.dropna().unique())
    if not names:
        return cells
    known = cells.map(names)  # replace() would take seconds where there are thousands of names
    return known.where(known.notna(), cells).astype("str")


def with_ids(model: GridModel, given: Iterable[tuple[int, str, Any]]) -> list[tuple[int, str, Any]]:
    """Return edits, as `GridModel.edit` takes them, with ids for the names in columns of references."""
    edits = list(given)
    paths = {path for _, path, _ in edits}
    ids = {
        path: ids_of(model.labels, model.column(path).field, [raw for _, at, raw in edits if at == path])
        for path in paths
        if model.column(path).field.ref is not None
    }
    return [
        (position, path, ids[path].get(raw, raw) if path in ids and isinstance(raw, str) else raw)
        for position, path, raw in edits
    ]
