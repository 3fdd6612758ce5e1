"""What references are called: ids shown as labels, and labels taken back for ids. Pure, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.remedies import Call, Message

from .types.cells import STRINGS, Refused, is_missing
from .types.object_id import is_object_id

if TYPE_CHECKING:
    from .schema import Schema
    from .types.base import Field

_ASK = Call("sp.snapshot_of(endpoint, frame).diff(frame)", "asks the server for it")


@dataclass(frozen=True, eq=False)
class Labels:
    """The names of the rows that a table refers to.

    Rows that share a name have none here: they are shown as ids, which are never ambiguous.
    """

    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Column -> `_id` -> label."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Column -> field of the schema referred to that holds the labels."""

    def shown(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with labels in the columns that refer."""
        columns = {p: replaced(frame[p], names) for p, names in self.names.items() if p in frame.columns}
        return frame.assign(**columns) if columns else frame

    def ids(self, path: str) -> dict[str, str]:
        """Return label -> `_id` of a column."""
        return {label: id_ for id_, label in self.names.get(path, {}).items()}


class RefusedList(Refused):
    """A list of references with names of no rows in it; `members` are ids, and these names."""

    __slots__ = ("members",)
    members: tuple[Any, ...]

    @classmethod
    def of(cls, members: tuple[Any, ...], text: str, reason: str) -> RefusedList:
        """Take the members, their text and the reason in words."""
        cell = cls(text, reason)
        cell.members = members
        return cell

    def __reduce__(self) -> tuple[Any, ...]:
        return RefusedList.of, (self.members, str(self), self.reason)


def reference_columns(schema: Schema) -> Iterator[tuple[Field, str]]:
    """Yield the fields whose cells are references or lists of them, and the schema that each refers to."""
    for one in schema.fields:
        ref = one.ref or (one.item.ref if one.item else None)
        if ref:
            yield one, ref


def members(cells: pd.Series[Any]) -> set[str]:
    """Return all references in a column: ids or labels, those in lists too."""
    found: set[str] = set()
    for cell in cells.tolist():
        if isinstance(cell, tuple | list | np.ndarray):
            found.update(member for member in cell if isinstance(member, str))
        elif isinstance(cell, str) and not isinstance(cell, Refused):
            found.add(cell)
    return found


def with_ids(frame: pd.DataFrame, schema: Schema, known: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return a frame with ids in place of known labels; other labels are refused, with the way out.

    Args:
        frame: Its references are labels or ids.
        schema: Names the columns.
        known: Column -> label -> `_id`.
    """
    made = {}
    for column, _ in reference_columns(schema):
        if column.path not in frame.columns:
            continue
        ids: Mapping[str, str] = known.get(column.path, {})
        new = {name for name in members(frame[column.path]) if name not in ids and not is_object_id(name)}
        refused = {
            name: Refused(name, Message(f"{name!r} is a name that the file did not hold", _ASK))
            for name in new
        }
        made[column.path] = replaced(frame[column.path], {**ids, **refused})
    return frame.assign(**made) if made else frame


def replaced(cells: pd.Series[Any], new: Mapping[str, str | Refused]) -> pd.Series[Any]:
    """Return a column with known references replaced; a list with a refused member is refused whole."""

    def cell_of(cell: Any) -> Any:
        if isinstance(cell, tuple | list | np.ndarray):
            found = tuple(new.get(m, m) if isinstance(m, str) else m for m in cell)
            bad = next((m for m in found if isinstance(m, Refused)), None)
            return found if bad is None else RefusedList.of(found, str(list(cell)), bad.reason)
        if isinstance(cell, Refused) or not isinstance(cell, str):
            return None if is_missing(cell) else cell
        return new.get(cell, cell)

    made = [cell_of(cell) for cell in cells.tolist()]
    plain = all(cell is None or type(cell) is str for cell in made)
    return pd.Series(made, index=cells.index, dtype=STRINGS if plain else object)
