"""A schema for a table that has none yet: types, required fields and a key, read off its rows.

A type is chosen only where every value survives it unchanged: `00123`, `1.10` and `1e5` stay text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from .types.base import TYPES
from .types.cells import WHOLE, plain, set_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RESERVED = frozenset(
    {"on", "once", "emit", "listeners", "removeListener", "collection", "db", "errors", "init", "isModified"}
    | {"isNew", "get", "modelName", "save", "schema", "toObject", "validate", "remove", "prototype"}
)
"""Names that the server refuses for a field (SIS-API 4.2)."""

_FEW = 20
"""An enum has at most so many values, and each is used twice on average."""


@dataclass(frozen=True, slots=True)
class _Options:
    references: Mapping[str, str]
    enums: bool
    spelt: tuple[str, ...]
    """Types that are to be recognised by the spelling of texts."""
    rows: int = field(default=0)


def infer_schema(
    data: pd.DataFrame | Iterable[Mapping[str, Any]],
    *,
    name: str,
    key: str | None = None,
    enums: bool = False,
    addresses: bool = False,
    dates: bool = True,
    references: Mapping[str, str] | None = None,
    owner: Sequence[str] = (),
) -> dict[str, Any]:
    """Propose a schema for rows that have none; it creates nothing.

    Nested objects become nested documents, lists become arrays, lists of objects arrays of documents; values
    of several kinds in one place become Mixed. A field is required that no row lacks. Columns that begin with
    `_` are left out.

    >>> infer_schema([{"name": "web1", "cpus": 8}, {"name": "web2"}], name="host")["definition"]
    {'name': {'type': 'String', 'required': True, 'unique': True}, 'cpus': 'Number'}

    Args:
        data: Records, or a frame; in a frame dotted columns are nested documents. If all its cells are text,
            numbers and booleans are recognised by their spelling.
        name: Of the schema: lower-case letters, digits and `_`.
        key: The unique field; by default `name`, `id` or the first text column whose values all differ.
        enums: Make an enum of a text column with few values.
        addresses: Make IpAddress of a text column that holds nothing else.
        dates: Make Date of a text column that holds nothing but ISO dates.
        references: Column -> schema that it refers to, by id or label.
        owner: Groups that shall own the schema; the server wants at least one.

    Returns:
        A schema object with `name`, `definition`, `id_field` and, with an owner, `_sis`.

    Raises:
        ValueError: There are no rows, a name that the server refuses, a key that is not unique, a value that
            is no JSON.
        TypeError: The data are no table.
    """
    if not re.fullmatch(r"(?!sis_)[a-z0-9_]+", name):
        raise ValueError(f"{name!r} is no name of a schema: use a-z, 0-9 and _, and do not begin with sis_")
    records = _rows_of(data)
    if not records:
        raise ValueError("there are no rows to infer a schema from")
    texts = isinstance(data, pd.DataFrame) and _is_text(records)  # as of a CSV
    asked = {"Number": texts, "Boolean": texts, "Date": dates, "IpAddress": addresses}
    spelt = tuple(name for name, wanted in asked.items() if wanted)
    options = _Options(references or {}, enums, spelt, len(records))
    definition = {k: _entry(k, values, options) for k, values in _by_key(records).items()}
    _refuse_names(definition)
    unknown = [column for column in options.references if not _has(definition, column)]
    if unknown:
        raise ValueError(f"no column {', '.join(map(repr, unknown))}: there are {', '.join(definition)}")
    id_field = _key(records, definition, key, set(options.references))
    if id_field != "_id":
        definition[id_field] = _typed(definition[id_field]) | {"required": True, "unique": True}
        definition[id_field].pop("enum", None)
    document: dict[str, Any] = {"name": name, "definition": definition, "id_field": id_field}
    return document | ({"_sis": {"owner": list(owner)}} if owner else {})


def _is_text(records: list[dict[str, Any]]) -> bool:
    return all(
        _is_text([value]) if isinstance(value, dict) else value is None or isinstance(value, str)
        for record in records
        for value in record.values()
    )


def _is_blank(value: Any) -> bool:
    return (
        value is None
        or value == ""
        or value == []
        or (isinstance(value, dict) and all(map(_is_blank, value.values())))
    )


def _by_key(records: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return all values of each key that are not blank, keys in the order in which they turn up."""
    found: dict[str, list[Any]] = {}
    for record in records:
        for key, value in record.items():
            values = found.setdefault(key, [])
            if not _is_blank(value):
                values.append(value)
    return found


def _entry(path: str, values: list[Any], options: _Options) -> Any:
    """Return the definition of one field."""
    if path in options.references:
        kind: Any = {"type": "ObjectId", "ref": options.references[path]}
        kind = [kind] if values and all(isinstance(v, list) for v in values) else kind
    else:
        kind = _kind(path, values, options)
    if _is_nested(kind):
        return kind
    if len(values) < options.rows:
        return {"type": kind} if not isinstance(kind, dict) and path.rpartition(".")[2] == "type" else kind
    return _typed(kind) | {"required": True}


def _is_nested(kind: Any) -> bool:
    """Tell whether a definition is that of a nested document; one of its fields may be called `type`."""
    inner = kind.get("type") if isinstance(kind, dict) else kind
    return isinstance(kind, dict) and ("type" not in kind or (isinstance(inner, dict) and "type" in inner))


def _typed(kind: Any) -> dict[str, Any]:
    return dict(kind) if isinstance(kind, dict) else {"type": kind}


def _kind(path: str, values: list[Any], options: _Options) -> Any:
    kinds = {_json_kind(value) for value in values}
    if kinds == {"object"}:
        return _nested(path, values, options)
    if kinds == {"array"}:
        return _array(path, [member for value in values for member in value], options)
    if kinds == {"text"}:
        return _text(values, options)
    if kinds == {"number"}:
        return "Number" if all(abs(v) <= WHOLE or isinstance(v, float) for v in values) else "Mixed"
    if kinds == {"boolean"}:
        return "Boolean"
    return "Mixed" if kinds else "String"


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = {str: "text", int: "number", float: "number", dict: "object", list: "array", tuple: "array"}
    return kinds.get(type(value), "other")


def _nested(path: str, values: list[Mapping[str, Any]], options: _Options) -> Any:
    inner = _by_key(values)
    if not all(_can_be_named(key, found) for key, found in inner.items()):
        return "Mixed"
    return {key: _entry(f"{path}.{key}", found, options) for key, found in inner.items()}


def _can_be_named(key: str, values: list[Any]) -> bool:
    """A key that no field can have makes the object around it Mixed; so does an object called `type`."""
    odd_type = key == "type" and any(isinstance(value, dict) for value in values)
    return (
        bool(key)
        and "." not in key
        and not key.startswith(("$", "_"))
        and key not in RESERVED
        and not odd_type
    )


def _array(path: str, members: list[Any], options: _Options) -> Any:
    kinds = {_json_kind(member) for member in members}
    inside = _Options({}, False, options.spelt, len(members))
    if kinds == {"object"}:
        nested = _nested(path, members, inside)
        return [] if nested == "Mixed" else [nested]
    if len(kinds) == 1 and kinds <= {"text", "number", "boolean"}:
        kind = _kind(path, members, inside)
        return [] if kind == "Mixed" else [kind]
    return []


def _text(values: list[str], options: _Options) -> Any:
    for name in options.spelt:
        if all(map(TYPES[name].is_spelt, values)):
            return name
    distinct = sorted(set(values))
    if options.enums and len(distinct) <= min(_FEW, len(values) // 2):
        return {"type": "String", "enum": distinct}
    return "String"


def _has(definition: Mapping[str, Any], path: str) -> bool:
    entry: Any = {"": definition}
    for part in f".{path}".split("."):
        entry = entry.get(part) if isinstance(entry, dict) else None
    return entry is not None


def _refuse_names(definition: Mapping[str, Any]) -> None:
    refused = [key for key, entry in definition.items() if not _can_be_named(key, []) or entry == {}]
    if refused:
        raise ValueError(f"the server takes no field of the name {', '.join(map(repr, refused))}: rename it")


def _key(
    records: list[dict[str, Any]], definition: Mapping[str, Any], key: str | None, references: set[str]
) -> str:
    if key is not None:
        if key not in definition:
            raise ValueError(f"there is no column {key!r} to be the key; there are {', '.join(definition)}")
        if not _is_key(records, key):
            raise ValueError(f"{key!r} cannot be the key: some rows lack it or share a value")
        return key
    texts = [
        k for k, entry in definition.items() if _typed(entry).get("type") == "String" and k not in references
    ]
    scalar = [k for k in ("name", "id") if _typed(definition.get(k, [])).get("type") in ("String", "Number")]
    return next((k for k in dict.fromkeys((*scalar, *texts)) if _is_key(records, k)), "_id")


def _is_key(records: list[dict[str, Any]], key: str) -> bool:
    values = [record.get(key) for record in records]
    if any(_is_blank(value) or not isinstance(value, str | int | float) for value in values):
        return False
    return len(set(values)) == len(values)


def _rows_of(data: pd.DataFrame | Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows; columns that begin with `_` are left out.

    Raises:
        TypeError: The data are no rows.
        ValueError: A column or a value that no object can hold.
    """
    if isinstance(data, pd.DataFrame):
        return _nested_rows(data)
    rows = list(data)
    if not all(isinstance(row, Mapping) for row in rows):
        raise TypeError("data are a frame or records, such as [{'name': 'web1'}, {'name': 'web2'}]")
    return [{k: _plain(k, v) for k, v in row.items() if not k.startswith("_")} for row in rows]


def _nested_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    labels = [str(label) for label in frame.columns]
    records: list[dict[str, Any]] = [{} for _ in range(len(frame))]
    for position, label in enumerate(labels):
        if label.startswith("_"):
            continue
        if labels.count(label) > 1:
            raise ValueError(f"the frame has more than one column {label!r}")
        if "" in label.split("."):
            raise ValueError(f"the server takes no field of the name {label!r}: rename it")
        inner = next((other for other in labels if other.startswith(f"{label}.")), None)
        if inner is not None:
            raise ValueError(f"columns {label!r} and {inner!r} cannot both be: rename one")
        for record, cell in zip(records, frame.iloc[:, position].tolist(), strict=True):
            set_path(record, label, _plain(label, cell))
    return records


def _plain(column: str, cell: Any) -> Any:
    try:
        return plain(cell)
    except ValueError as error:
        raise ValueError(f"column {column!r}: {error}") from None
