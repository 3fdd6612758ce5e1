"""One row that is being edited: its values, which of them were changed, and refused input."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...values.entity import EDITABLE_META, stored, values_of
from ...values.types.cells import get_path
from ...values.types.convert import is_blank
from ...values.types.equality import equal
from .. import cells
from ..editor_model import in_conflict
from ..grid_model import Note

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ...values.changes import Update
    from ...values.schema import Schema
    from ...values.types.base import Field
    from ...workflow.objects import Plan, Snapshot

At = tuple[str | int, ...]
"""Where a value is: a column, the position of a member in it, the path in that member, and so on."""


@dataclass(frozen=True)
class Refused:
    """What was typed, and why it is no value of its field."""

    text: str
    reason: str


class Added(dict[str, Any]):
    """A member that was added to an array: empty until it is filled in, and not sent before that.

    Nulls that are stored in an array are members like others.
    """


@dataclass(frozen=True)
class Draft:
    """Values of a row by column, as JSON; a new row has no `id`."""

    snapshot: Snapshot
    id: str | None
    before: Mapping[str, Any]
    values: Mapping[str, Any]
    refused: Mapping[At, Refused] = field(default_factory=dict)
    bases: Mapping[str, Any] = field(default_factory=dict)
    """Column -> its value when it was edited, where somebody else has changed it since."""

    @classmethod
    def of(cls, snapshot: Snapshot, entity: Mapping[str, Any]) -> Draft:
        """Return the draft of an entity as the server has it, nothing changed."""
        values = {one.path: stored(one, entity) for one in _fields(snapshot.schema)}
        return cls(snapshot, entity["_id"], values, values)

    @classmethod
    def copy_of(cls, snapshot: Snapshot, entity: Mapping[str, Any]) -> Draft:
        """Return the draft of a new row like an entity, without the values that are unique."""
        schema = snapshot.schema
        found = {
            path: _without_ids(value)
            for path, value in values_of(schema, entity).items()
            if path in EDITABLE_META or (path in schema.columns and not schema.field(path).unique)
        }
        found.pop("_sis.locked", None)
        blank = {one.path: stored(one, {}) for one in _fields(schema)}
        return cls(snapshot, None, blank, blank | found)

    @property
    def schema(self) -> Schema:
        """The definition of the row."""
        return self.snapshot.schema

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns that have another value than before."""
        return tuple(
            path
            for path, value in self.values.items()
            if not equal(self.schema.field(path), self.before[path], _finished(value))
        )

    @property
    def is_touched(self) -> bool:
        """Return whether anything was typed that is not stored."""
        return bool(self.changed or self.refused)

    @property
    def conflicts(self) -> dict[str, Note]:
        """The changed columns that somebody else changed since they were edited."""
        return {
            path: Note("conflict", "somebody else changed it meanwhile", self.before[path], self.bases[path])
            for path in self.changed
            if path in self.bases
        }

    def onto(self, fresh: Draft) -> Draft:
        """Return a fresh draft of the row with what was changed and typed in this one.

        What somebody else has changed since it was edited is in conflict, until that is decided.
        """
        values = {path: self.values[path] for path in self.changed if path in fresh.values}
        refused = {at: one for at, one in self.refused.items() if at[0] in fresh.values}
        bases = {path: self.bases.get(path, self.before[path]) for path in values}
        meanwhile = {
            path: base
            for path, base in bases.items()
            if not equal(self.schema.field(path), base, fresh.before[path])
        }
        return replace(fresh, values={**fresh.values, **values}, refused=refused, bases=meanwhile)

    def settled(self, reviewed: Update, written: Mapping[str, Any], given_way: Collection[str]) -> Draft:
        """Return it without the edits that a push has settled; what was typed since stays.

        Args:
            reviewed: The change that was made of it.
            written: Column -> value that was written.
            given_way: Columns in conflict in which the other's value stays.
        """
        changed = set(self.changed)
        before, values, bases = dict(self.before), dict(self.values), dict(self.bases)
        for path in changed & reviewed.after.keys() & {*written, *given_way}:
            if path in written:
                before[path] = written[path]
                bases.pop(path, None)
            if equal(self.schema.field(path), _finished(values[path]), reviewed.after[path]):
                values[path] = before[path]
        return replace(self, before=before, values=values, bases=bases)

    def typed(self, at: At, given: Any) -> Draft:
        """Return it with what was typed at a place; what is no value there is remembered as refused.

        A member of an array that is emptied is taken out.
        """
        refused = {place: one for place, one in self.refused.items() if place != at}
        edit = cells.typed(self.field_at(at), given)
        if edit.reason is not None:
            return replace(self, refused={**refused, at: Refused(str(given), edit.reason)})
        is_emptied = edit.value is None and isinstance(at[-1], int)
        return replace(self.put(at, Added() if is_emptied else edit.value), refused=refused)

    def unknown(self, at: At, text: str, table: str) -> Draft:
        """Return it with a name at a place that no row of the table has."""
        return replace(self, refused={**self.refused, at: Refused(text, f"no row of {table} is called so")})

    def put(self, at: At, value: Any) -> Draft:
        """Return it with another JSON value at a place."""
        column, *rest = at
        return replace(self, values={**self.values, str(column): _put(self.values[str(column)], rest, value)})

    def added(self, at: At) -> Draft:
        """Return it with one more member in the array at a place."""
        return self.put(at, [*(self.value_at(at) or ()), Added()])

    def without(self, at: At) -> Draft:
        """Return it without the member at a place."""
        *array, position = at
        members = list(self.value_at(tuple(array)) or ())
        del members[int(position)]
        kept = {place: one for place, one in self.refused.items() if place[: len(array)] != tuple(array)}
        return replace(self.put(tuple(array), members), refused=kept)

    def value_at(self, at: At) -> Any:
        """Return the JSON value at a place."""
        column, *rest = at
        value = self.values[str(column)]
        for step in rest:
            value = value[step] if isinstance(step, int) else get_path(value, step)
        return None if value == {} and isinstance(value, Added) else value

    def field_at(self, at: At) -> Field:
        """Return the field of the value at a place."""
        column, *rest = at
        here = self.schema.field(str(column))
        for step in rest:
            if isinstance(step, int):
                here = here.item or here
            else:
                here = next(one for one in here.fields if one.path == step)
        return here

    def plan(self) -> Plan:
        """Return the plan of the changes, or of the new row, with the conflicts that are known.

        Raises:
            ValueError: Something was typed that is no value; or nothing was changed.
        """
        if self.refused:
            at, one = next(iter(self.refused.items()))
            raise ValueError(f"{'.'.join(map(str, at))}: {one.reason}")
        values = {path: _finished(self.values[path]) for path in self.changed}
        if not values:
            raise ValueError("nothing was changed")
        frame = pd.DataFrame({path: pd.Series([value], dtype=object) for path, value in values.items()})
        if self.id is None:
            return self.snapshot.diff(frame, new=True)
        frame.index = pd.Index([self.id], name="_id", dtype="str")
        return in_conflict(self.snapshot.diff(frame), {self.id: self.conflicts})


def text_at(at: At) -> str:
    """Return a place as the text that a page holds."""
    return json.dumps(at)


def at_of(text: str) -> At:
    """Return the place that a page names."""
    return tuple(json.loads(text))


def _fields(schema: Schema) -> tuple[Field, ...]:
    return (*schema.fields, *(schema.field(path) for path in EDITABLE_META))


def _put(value: Any, rest: Sequence[str | int], new: Any) -> Any:
    if not rest:
        return new
    step, *deeper = rest
    if isinstance(step, int):
        members = list(value)
        members[step] = _put(members[step], deeper, new)
        return members
    head, _, tail = step.partition(".")
    inner = [tail, *deeper] if tail else deeper
    here: dict[str, Any] = value or {}
    found = {**here, head: _put(here.get(head), inner, new)}
    return Added(found) if isinstance(value, Added) else found


def _finished(value: Any) -> Any:
    """Return a value without what was added and never filled in."""
    if isinstance(value, dict):
        return {name: _finished(one) for name, one in value.items()}
    if not isinstance(value, list):
        return value
    members = ((_finished(one), isinstance(one, Added)) for one in value)
    return [one for one, is_added in members if not (is_added and all(map(is_blank, one.values())))]


def _without_ids(value: Any) -> Any:
    """Return a value whose members have no `_id`: those of another row get their own."""
    if isinstance(value, list):
        return [_without_ids(one) for one in value]
    return {k: _without_ids(v) for k, v in value.items() if k != "_id"} if isinstance(value, dict) else value
