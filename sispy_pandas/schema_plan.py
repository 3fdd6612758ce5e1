"""The change of a schema, told by its effects on the rows that are there before it is made.

SIS applies a new definition at once (SIS-API 4.5): fields that it lacks are erased from all rows without
history, while values that no longer fit stay and block every later write of their row. The safe way to a new
required field is in three steps: add it optional, fill it, make it required.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sispy.delta import same

from .cast import cast, get_path, set_path
from .check import check
from .entity import key_of
from .fetch import schema_of
from .plan_text import count, show
from .progress import bar
from .schema import Field, Schema, parse_schema
from .tables import table
from .validate import hashable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import pandas as pd

    from sispy import Client

_KEPT = ("description", "locked_fields", "is_open", "is_public", "any_owner_can_modify", "track_history")
"""What a schema is besides name, owner, definition and id field: sent again as it is."""
_WORDS = {
    "erased": "these values go, without history",
    "required": "without a value: every later write of these rows would fail",
    "duplicate": "the same value more than once: the index cannot be built",
    "invalid": "values that do not fit: every later write of these rows would fail",
    "refused": "the server refuses the definition",
    "added": "new",
    "changed": "otherwise than before, and all values fit",
}
BREAKING = ("required", "duplicate", "invalid")


class SchemaPlanRefused(ValueError):  # noqa: N818 - named like PlanRefused
    """A schema change that must not be made as it is, and why."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What the new definition does to one field."""

    kind: str
    """erased, required, duplicate, invalid, refused; added and changed, which hurt nobody."""
    field: str
    rows: tuple[tuple[str, Any, Any], ...] = ()
    """(`_id`, key, value) of every row that it concerns."""
    detail: str = ""


@dataclass(frozen=True, eq=False)
class SchemaPlan:
    """The change of a schema and its effects. Making one writes nothing; it has a length (the effects)."""

    client: Client = field(repr=False)
    before: Mapping[str, Any] = field(repr=False)
    """The schema as the server has it."""
    body: Mapping[str, Any] = field(repr=False)
    """The complete schema that a push sends."""
    effects: tuple[Effect, ...] = ()
    total: int = 0
    """Rows of the table."""

    def __len__(self) -> int:
        return len(self.effects)

    def __repr__(self) -> str:
        head = f"schema {self.body['name']} on {self.client.url}: {count(self.total, 'row')}"
        if not self.effects:
            return f"{head}, no change"
        lines = [head]
        for effect in self.effects:
            rows = f"{count(len(effect.rows), 'row')}, " if effect.rows else ""
            example = (
                f" (such as {show(effect.rows[0][2])})" if effect.rows and effect.kind != "required" else ""
            )
            told = effect.detail or _WORDS[effect.kind]
            lines.append(f"  {effect.kind:<9} {effect.field}: {rows}{told}{example}")
        return "\n".join(lines)

    def frame(self) -> pd.DataFrame:
        """Return one line per effect: effect, field, rows, meaning."""
        return table(
            [(e.kind, e.field, len(e.rows), e.detail or _WORDS[e.kind]) for e in self.effects],
            ("effect", "field", "rows", "meaning"),
        )

    def rows(self) -> pd.DataFrame:
        """Return one line per row and effect: effect, field, _id, key, value; all that is erased is here."""
        return table(
            [(e.kind, e.field, *row) for e in self.effects for row in e.rows],
            ("effect", "field", "_id", "key", "value"),
        )

    @property
    def broken(self) -> int:
        """How many rows could not be written any more."""
        return len({row[0] for e in self.effects if e.kind in BREAKING for row in e.rows})

    def push(self, *, erase: Collection[str] = (), expect_broken: int = 0) -> Schema:
        """Send the complete schema, and return it as the server has it then.

        It is no transaction: a change that somebody makes between the look and the write is lost.

        Args:
            erase: Every field whose values the change erases, by name.
            expect_broken: How many rows will be left that cannot be written, exactly; see `broken`.

        Raises:
            SchemaPlanRefused: The server would refuse it; values would be erased, or rows broken, that the
                arguments do not name; or the schema has changed since the plan was made.
            sispy.Error: The server refused, or could not be reached.
        """
        self._refuse(erase, expect_broken)
        name = self.body["name"]
        now = self.client.schemas.get(name).to_dict()
        if not same(_essence(now), _essence(self.before)):
            raise SchemaPlanRefused(f"schema {name!r} has changed since the plan was made: make it anew")
        return parse_schema(self.client.schemas.update(name, dict(self.body)).to_dict())

    def _refuse(self, erase: Collection[str], expect_broken: int) -> None:
        if isinstance(erase, str):
            raise TypeError(f"erase takes a list of names: erase=[{erase!r}]")
        for effect in self.effects:
            if effect.kind == "refused":
                raise SchemaPlanRefused(f"{effect.field}: {effect.detail}")
        lost = [e for e in self.effects if e.kind == "erased" and e.field not in erase]
        if lost:
            told = ", ".join(f"{e.field} ({count(len(e.rows), 'value')})" for e in lost)
            raise SchemaPlanRefused(f"it erases {told}: name them in erase=[...] if that is meant")
        if self.broken != expect_broken:
            raise SchemaPlanRefused(
                f"{count(self.broken, 'row')} could not be written any more: mend them first, "
                f"or say expect_broken={self.broken}"
            )


def plan_schema(
    client: Client,
    name: str,
    definition: Mapping[str, Any],
    *,
    id_field: str | None = None,
    progress: Any = True,
) -> SchemaPlan:
    """Return the plan of giving a schema another definition, by its effects on the rows there are.

    It reads the fields concerned of all rows. Everything else of the schema stays: a plain PUT would reset
    its id_field and description.

    Args:
        client: Of the server.
        name: Of the schema.
        definition: The new one, complete.
        id_field: Another id field; None: that of today.
        progress: As in `fetch`.

    Raises:
        ValueError: There is no such schema.
        sispy.Error: The server could not be asked.

    Example:
        >>> definition = dict(schema_of(client, "host").definition)
        >>> plan = plan_schema(client, "host", {**definition, "asset": "String"}, progress=False)
        >>> plan.frame()["effect"].tolist()
        ['added']
    """
    schema_of(client, name)  # says which names there are
    before = client.schemas.get(name).to_dict()
    old = parse_schema(before)
    body = {
        "name": name,
        "_sis": {"owner": before["_sis"]["owner"]},
        "definition": dict(definition),
        "id_field": id_field or old.id_field,
        **{key: before[key] for key in _KEPT if key in before},
    }
    new = parse_schema({**before, **body})
    refused = list(_refused(old, new, body["id_field"]))
    removed = {field.path: field for field in _all_fields(old) if field.path not in _paths(new)}
    concerned = [f for f in new.fields if not _looser(_field(old, f.path), f)]
    endpoint = client.entities(name)
    found: dict[tuple[str, str], list[tuple[str, Any, Any]]] = defaultdict(list)
    seen: dict[str, dict[str, list[tuple[str, Any, Any]]]] = {
        f.path: defaultdict(list) for f in concerned if f.unique and not _was_unique(old, f.path)
    }
    wanted = sorted({path.partition(".")[0] for path in (*removed, *(f.path for f in concerned))})
    total = 0
    if wanted:
        fields = sorted(
            {*wanted, *([old.key] if old.key and old.key.partition(".")[0] not in wanted else [])}
        )
        asked = {"fields": ",".join(fields), "populate": False}
        with bar(progress, total=None, unit=" rows", desc=name) as shown:
            for page in endpoint.pages(asked):
                shown.update(len(page))
                for row in page:
                    total += 1
                    _look(row, key_of(old, row), removed, concerned, found, seen)
    else:
        total = endpoint.count()
    for path, values in seen.items():
        found["duplicate", path] = [row for rows in values.values() if len(rows) > 1 for row in rows]
    effects = [*refused, *(Effect(kind, path, tuple(rows)) for (kind, path), rows in found.items() if rows)]
    touched = {effect.field for effect in effects}
    touched |= {f.path for f in new.fields for path in touched if path.startswith(f"{f.path}.")}
    effects += [
        Effect("erased", path, detail="no row has a value") for path in removed if path not in touched
    ]
    effects += [
        Effect("added", path) for path in new.columns if path not in _paths(old) and path not in touched
    ]
    effects += [
        Effect("changed", f.path)
        for f in new.fields
        if f.path in _paths(old) and f != _field(old, f.path) and f.path not in touched
    ]
    order = list(_WORDS)
    return SchemaPlan(
        client, before, body, tuple(sorted(effects, key=lambda e: (order.index(e.kind), e.field))), total
    )


def _look(
    row: Mapping[str, Any],
    key: Any,
    removed: Mapping[str, Field],
    concerned: list[Field],
    found: dict[tuple[str, str], list[tuple[str, Any, Any]]],
    seen: dict[str, dict[str, list[tuple[str, Any, Any]]]],
) -> None:
    """Note what the change does to one row."""
    id_ = row["_id"]
    for path in removed:
        values = list(_values(row, path.split(".")))
        if values:
            found["erased", path].append((id_, key, values[0] if len(values) == 1 else values))
    for field_ in concerned:
        value = get_path(dict(row), field_.path)
        if value is None or value in ("", []):
            if field_.required and (field_.default is None or value is not None):
                found["required", field_.path].append((id_, key, value))
            continue
        try:
            fits = check(field_, cast(field_, _kept(field_, value))) is None
        except ValueError:
            fits = False
        if not fits:
            found["invalid", field_.path].append((id_, key, value))
        if field_.path in seen:
            seen[field_.path][hashable(value)].append((id_, key, value))


def _kept(documents: Field, value: Any) -> Any:
    """Return a document array's value without the fields that its members lose."""
    if documents.type != "Documents" or not isinstance(value, list):
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


def _refused(old: Schema, new: Schema, id_field: str) -> Iterator[Effect]:
    if id_field != "_id":
        key = _field(new, id_field)
        if key is None or not (key.required and key.unique):
            yield Effect("refused", id_field, detail="the id field has to stay required and unique")
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
    """Tell whether no row has to be looked at: the field is new and optional, or as it was."""
    if old is None:
        return not new.required
    return old == new


def _essence(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a schema says; who wrote it last and when does not matter."""
    own = {name: value for name, value in document.items() if not name.startswith("_")}
    return {**own, "owner": document.get("_sis", {}).get("owner")}
