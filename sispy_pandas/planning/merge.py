"""The guard: a row's changes merged with what the server holds now, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..values.changes import Conflict, Delete, Update
from ..values.entity import EDITABLE_META, receipt, stored
from ..values.schema import RECEIPT
from ..values.types.equality import equal
from ..values.types.mixed import NeedsReplacing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..values.schema import Schema

OnConflict = Literal["skip", "mine", "theirs"]
"""What becomes of a cell that somebody else changed: it is reported, written over, or left without a word."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What is left to write of a row's changes."""

    write: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Path -> (what the server holds, what shall be there)."""
    there: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Cells in which the server holds the wanted value already: path -> (before, after)."""
    conflicts: tuple[Conflict, ...] = ()
    given_up: tuple[str, ...] = ()
    """Cells that were left to the others, as `on_conflict="theirs"` says."""


def merge(
    schema: Schema, change: Update, entity: Mapping[str, Any], on_conflict: OnConflict = "skip"
) -> Merged:
    """Compare base, mine and theirs of every cell that the change touches."""
    write: dict[str, tuple[Any, Any]] = {}
    there: dict[str, tuple[Any, Any]] = {}
    conflicts: list[Conflict] = []
    given_up: list[str] = []
    for path, mine in change.after.items():
        column = schema.field(path)
        base, theirs = change.before.get(path), stored(column, entity)
        if equal(column, theirs, mine):
            there[path] = (base, mine)
        elif equal(column, theirs, base) or on_conflict == "mine":
            write[path] = (theirs, mine)
        elif on_conflict == "theirs":
            given_up.append(path)
        else:
            conflicts.append(Conflict(change.id, path, base, mine, theirs, change.key))
    return Merged(write, there, tuple(conflicts), tuple(given_up))


def unguarded(change: Update) -> Merged:
    """Return the change as it is: what is stored is taken for what the change was made from."""
    return Merged({path: (change.before.get(path), mine) for path, mine in change.after.items()})


def foreign_edits(schema: Schema, change: Delete, entity: Mapping[str, Any]) -> tuple[Conflict, ...]:
    """Return the cells of a row to be deleted that somebody else changed since it was read."""
    found = []
    for path, base in change.before.items():
        column = schema.field(path)
        theirs = stored(column, entity)
        if not equal(column, theirs, base):
            found.append(Conflict(change.id, path, base, None, theirs, change.key))
    now = receipt(entity)
    if change.receipt not in (None, now) and not {*schema.columns, *EDITABLE_META} <= set(change.before):
        # somebody wrote to the row, perhaps into a field that was not compared
        found.append(Conflict(change.id, RECEIPT.path, change.receipt, None, now, change.key))
    return tuple(found)


def payload(schema: Schema, write: Mapping[str, tuple[Any, Any]]) -> tuple[dict[str, Any], bool]:
    """Return path -> value to send, and whether Mixed fields must be replaced instead of merged."""
    try:
        patches = {
            path: schema.field(path).kind.patch(theirs, mine) for path, (theirs, mine) in write.items()
        }
    except NeedsReplacing:
        return {path: mine for path, (_, mine) in write.items()}, True
    return patches, False


def not_stored(schema: Schema, wanted: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """Return the fields in which the server's answer does not hold the value that was sent."""
    return [
        path
        for path, value in wanted.items()
        if not equal(schema.field(path), stored(schema.field(path), answer), value)
    ]
