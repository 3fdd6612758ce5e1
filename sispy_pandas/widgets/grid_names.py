"""Names in columns of references and of lists of them: what a grid shows for ids and takes in their place."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol

from ..values.types.cells import Refused, shown
from ..values.types.object_id import OBJECT_ID, is_object_id
from .columns import ref_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from ..values.types.base import Field
    from .columns import Column

_MOST = 3_000  # names of one column that a server is asked for; what is left stays an id
SEVERAL = "several"
"""In place of an id: more than one entity is called so."""
_ID = re.compile(f"(?<![0-9a-f]){OBJECT_ID.pattern}(?![0-9a-f])", re.IGNORECASE)


class Labels(Protocol):
    """How people call the entities that references point to."""

    def of(self, schema: str, ids: Sequence[str]) -> dict[str, str]:
        """Return id -> label of those that are known or can be found."""

    def ids(self, schema: str, names: Sequence[str]) -> dict[str, str]:
        """Return label -> id of those that can be found, an empty text for one that nothing is called.

        For one that leaves a choice it is SEVERAL.
        """

    def find(self, schema: str, text: str) -> list[tuple[str, str]]:
        """Return some (id, label) whose label holds the text."""


def ids_in(values: Iterable[Any]) -> list[str]:
    """Return the ids in texts, in the JSON of lists, and in lists, each once."""
    members = (
        member for value in values for member in (value if isinstance(value, list | tuple) else [value])
    )
    return list(dict.fromkeys(id_ for text in members if isinstance(text, str) for id_ in _ID.findall(text)))


def names_of(labels: Labels | None, field: Field, values: Iterable[Any]) -> dict[str, str]:
    """Return id -> name of what a field's values refer to, as far as there are names."""
    ref = ref_of(field)
    return {} if labels is None or ref is None else labels.of(ref, ids_in(values)[:_MOST])


def named(names: Mapping[str, str], field: Field, text: str) -> str:
    """Return a cell's text with names in place of ids, as the grid shows it."""

    def name(found: re.Match[str]) -> str:
        called = names.get(found[0], found[0])
        return json.dumps(called, ensure_ascii=False)[1:-1] if field.item else called

    return _ID.sub(name, text) if names else text


def named_column(labels: Labels | None, field: Field, cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column with names in place of ids, as the grid shows it."""
    names = names_of(labels, field, cells.dropna().unique())
    if not names:
        return cells
    if field.item:
        return cells.map(lambda members: tuple(names.get(member, member) for member in members or ()))
    known = cells.map(names)  # replace() would take seconds where there are thousands of names
    return known.where(known.notna(), cells).astype("str")


def with_ids(labels: Labels | None, field: Field, given: Sequence[Any]) -> list[Any]:
    """Return what was typed or pasted into cells of a field with ids in place of the names in it.

    A list that holds names comes back as the JSON text of ids. An unknown name is `Refused`; what nothing
    is known of stays as it is, for the field to refuse.
    """
    ref = ref_of(field)
    if labels is None or ref is None:
        return list(given)
    cells = [_members(raw, field) for raw in given]
    names = {member.strip() for members in cells for member in members if isinstance(member, str)}
    wanted = sorted(name for name in names if name and not is_object_id(name))
    ids = labels.ids(ref, wanted) if wanted else {}
    return [_replaced(raw, members, ids, field) for raw, members in zip(given, cells, strict=True)]


def edits_with_ids(
    labels: Labels | None, columns: Mapping[str, Column], given: Iterable[tuple[int, str, Any]]
) -> list[tuple[int, str, Any]]:
    """Do so for edits, as `GridModel.edit` takes them, with one look-up per column."""
    edits = list(given)
    for path in {path for _, path, _ in edits}:
        numbers = [number for number, (_, at, _) in enumerate(edits) if at == path]
        meant = with_ids(labels, columns[path].field, [edits[number][2] for number in numbers])
        for number, raw in zip(numbers, meant, strict=True):
            edits[number] = (edits[number][0], path, raw)
    return edits


def _members(raw: Any, field: Field) -> list[Any]:
    """Return the names or ids in an input: of a list its members, none if it is not a list."""
    if field.item is None:
        return [raw]
    if isinstance(raw, str):
        raw = field.kind.typed(raw)
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except json.JSONDecodeError:
            return []
    return list(raw) if isinstance(raw, list | tuple) else []


def _replaced(raw: Any, members: Sequence[Any], ids: Mapping[str, str], field: Field) -> Any:
    for member in members:
        found = ids.get(member.strip()) if isinstance(member, str) else None
        if found in ("", SEVERAL):
            how_many = "more than one" if found else "no"
            return Refused(str(raw), f"{how_many} {ref_of(field)} is called {shown(member.strip())}")
    if not any(isinstance(member, str) and member.strip() in ids for member in members):
        return raw
    known = [ids.get(member.strip(), member) if isinstance(member, str) else member for member in members]
    return json.dumps(known, ensure_ascii=False) if field.item else known[0]
