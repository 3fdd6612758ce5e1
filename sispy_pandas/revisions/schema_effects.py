"""What another definition does to the rows of a schema, found by looking at each of them once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..planning.validate import hashable
from ..values.entity import key_of
from ..values.types.base import Field
from ..values.types.cells import get_path, set_path
from ..values.types.convert import cast, check
from ..values.types.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..values.schema import Schema

WORDS = {
    "erased": "these values go, without history",
    "required": "without a value: every later write of these rows would fail",
    "duplicate": "the same value more than once: the index cannot be built",
    "invalid": "values that do not fit: every later write of these rows would fail",
    "refused": "the server refuses the definition",
    "unchecked": "the pattern takes too long, only the server can tell whether these values fit",
    "added": "new",
    "changed": "changed, and all values fit",
}
BREAKING = ("required", "duplicate", "invalid")

Row = tuple[str, Any, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """What the new definition does to one field."""

    kind: str
    """erased, required, duplicate, invalid, refused, unchecked; added and changed, which hurt nobody."""
    field: str
    rows: tuple[Row, ...] = ()
    """(`_id`, key, value) of every row that it concerns."""
    detail: str = ""


class Comparison:
    """Two definitions of one schema, and what the step from one to the other does to the rows shown to it.

    Attributes:
        fields: what has to be known of each row, as a list is asked for it; empty: nothing.
        total: rows seen.
    """

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        gone = [field.path for field in _all_fields(old) if field.path not in _paths(new)]
        self._removed = [path for path in gone if not is_within(path, gone)]
        mixed = [field.path for field in old.fields]
        self._concerned = [
            f for f in new.fields if is_within(f.path, mixed) or not _looser(_field(old, f.path), f)
        ]
        self._found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self._seen: dict[str, dict[str, list[Row]]] = {
            f.path: defaultdict(list) for f in self._concerned if f.unique and not _was_unique(old, f.path)
        }
        self._patterns = Patterns()
        self.total = 0
        tops = {path.partition(".")[0] for path in (*self._removed, *(f.path for f in self._concerned))}
        if tops and old.key and old.key.partition(".")[0] not in tops:
            tops.add(old.key)
        self.fields: list[str] = sorted(tops)

    def look(self, row: Mapping[str, Any]) -> None:
        """Note what becomes of one row."""
        self.total += 1
        id_, key = row["_id"], key_of(self._old, row)
        for path in self._removed:
            values = list(_values(row, path.split(".")))
            if values:
                self._found["erased", path].append((id_, key, values[0] if len(values) == 1 else values))
        for field in self._concerned:
            value = get_path(row, field.path)
            if value is None or value in ("", []):
                if field.required and (field.default is None or value is not None):
                    self._found["required", field.path].append((id_, key, value))
                continue
            if not self._fits(field, value):
                self._found["invalid", field.path].append((id_, key, value))
            if field.path in self._seen:
                self._seen[field.path][hashable(value)].append((id_, key, value))

    def _fits(self, field: Field, value: Any) -> bool:
        try:
            return check(field, cast(field, _kept(field, value)), patterns=self._patterns) is None
        except ValueError:
            return False

    def effects(self) -> tuple[Effect, ...]:
        """Return what was found, the gravest first."""
        old, new = self._old, self._new
        found = dict(self._found)
        for path, values in self._seen.items():
            found["duplicate", path] = [row for rows in values.values() if len(rows) > 1 for row in rows]
        effects = [*_refused(old, new), *(Effect(*key, tuple(rows)) for key, rows in found.items() if rows)]
        left = self._patterns.left.items()
        effects += [Effect("unchecked", path, detail=f"{WORDS['unchecked']}: {n:,}") for path, n in left if n]
        told = {effect.field for effect in effects}
        told |= {f.path for f in new.fields for path in told if path.startswith(f"{f.path}.")}
        effects += [Effect("erased", p, detail="no row has a value") for p in self._removed if p not in told]
        for field in new.fields:
            before = _field(old, field.path)
            if field != before and field.path not in told:
                detail = f"its type {field.unknown!r} is not known here: the server may refuse it"
                kind = "changed" if before else "added"
                effects.append(Effect(kind, field.path, detail=detail if field.unknown else ""))
        order = list(WORDS)
        return tuple(sorted(effects, key=lambda effect: (order.index(effect.kind), effect.field)))


def is_within(path: str, paths: Iterable[str]) -> bool:
    """Return whether a path leads below one of others."""
    return any(path.startswith(f"{other}.") for other in paths)


def _kept(documents: Field, value: Any) -> Any:
    """Return a document array's value without the fields that its members lose."""
    if not documents.fields or not isinstance(value, list):
        return value
    members: list[Any] = []
    for member in value:
        if not isinstance(member, dict):
            return value
        own: dict[str, Any] = {"_id": member.get("_id")}
        for inner in documents.fields:
            set_path(own, inner.path, get_path(member, inner.path))
        members.append(own)
    return members


def _values(value: Any, parts: list[str]) -> Iterator[Any]:
    """Yield what a path leads to, through arrays; nothing for blanks."""
    if isinstance(value, list) and parts:
        for one in value:
            yield from _values(one, parts)
    elif parts:
        if isinstance(value, dict):
            yield from _values(value.get(parts[0]), parts[1:])
    elif value is not None and value != []:
        yield value


def _refused(old: Schema, new: Schema) -> Iterator[Effect]:
    if new.id_field != "_id":
        key = _field(new, new.id_field)
        if key is None or not (key.required and key.unique):
            yield Effect("refused", new.id_field, detail="the id field has to stay required and unique")
    for path in old.locked_fields:
        if path in _paths(old) and path not in _paths(new):
            yield Effect("refused", path, detail="the field is locked: it cannot be removed")


def _all_fields(schema: Schema) -> Iterator[Field]:
    """Yield all fields, those of members of document arrays with their whole path."""
    for one in schema.fields:
        yield one
        for inner in one.fields:
            yield Field(f"{one.path}.{inner.path}", inner.type)


def _paths(schema: Schema) -> set[str]:
    found: set[str] = set()
    for one in _all_fields(schema):
        parts = one.path.split(".")
        found.update(".".join(parts[:n]) for n in range(1, len(parts) + 1))
    return found


def _field(schema: Schema, path: str) -> Field | None:
    return next((one for one in schema.fields if one.path == path), None)


def _was_unique(schema: Schema, path: str) -> bool:
    old = _field(schema, path)
    return old is not None and old.unique


def _looser(old: Field | None, new: Field) -> bool:
    """Return whether no row has to be looked at: the field is new and optional, or as it was."""
    if old is None:
        return not new.required
    return old == new
