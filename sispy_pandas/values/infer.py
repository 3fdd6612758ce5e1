"""A schema for a table that has none yet: types, required fields and a key, read off its rows.

A type is chosen only where every value survives it unchanged: `00123`, `1.10` and `1e5` stay text.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.remedies import what_of

from .hints import hints
from .types.base import PLAIN, TYPES
from .types.cells import WHOLE, Rounded, json_text, plain, set_path, values_of
from .types.equality import hollow
from .types.number import is_exact, number_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .types.base import Style

RESERVED = frozenset(
    {"on", "once", "emit", "listeners", "removeListener", "collection", "db", "errors", "init", "isModified"}
    | {"isNew", "get", "modelName", "save", "schema", "toObject", "validate", "remove", "prototype"}
)
"""Names that the server refuses for a field (SIS-API 4.2)."""

_BY_WORDS = ("Number", "Boolean")
"""Types that a text may have because the user told how to read its file; else it stays a text."""
_LONGEST_KEY = 128
_FEW = 20
"""An enum has at most so many values, and each is used twice on average."""


@dataclass(frozen=True, slots=True)
class _Options:
    references: Mapping[str, str]
    enums: bool
    spelt: tuple[str, ...]
    """Types that are to be recognised by the spelling of texts."""
    types: Mapping[str, str] = field(default_factory=dict)
    style: Style = PLAIN
    rows: int = 0


@dataclass(slots=True)
class _Found:
    """What rows have under one key."""

    values: list[Any] = field(default_factory=list)
    """Those that are something: no null, no blanks, no empty list, no object without content."""
    hollow: list[dict[str, Any]] = field(default_factory=list)
    """Objects without content."""
    has_list: bool = False
    """An empty list is among them."""

    def add(self, value: Any) -> None:
        if isinstance(value, dict) and hollow(value):
            self.hollow.append(value)
        elif value == []:
            self.has_list = True
        elif not _is_blank(value):
            self.values.append(value)

    @property
    def objects(self) -> list[dict[str, Any]]:
        """All objects that have keys, if there is nothing else."""
        named = [value for value in self.hollow if value]
        return named + self.values if named or self.values else []

    @property
    def kinds(self) -> set[str]:
        """What JSON calls them."""
        kinds = set(map(_json_kind, self.values))
        return kinds | {"object"} if any(self.hollow) else kinds


def infer_schema(
    data: pd.DataFrame | Iterable[Mapping[str, Any]],
    *,
    name: str,
    key: str | None = None,
    enums: bool = False,
    addresses: bool = False,
    dates: bool = True,
    types: Mapping[str, str] | None = None,
    references: Mapping[str, str] | None = None,
    owner: Sequence[str] = (),
) -> dict[str, Any]:
    """Propose a schema for rows that have none; it creates nothing.

    Nested objects become nested documents, lists become arrays, lists of objects arrays of documents; values
    of several kinds in one place become Mixed. A field that no row lacks is required. Columns that begin with
    `_` are left out. Every row can be created in such a table, and comes back as it was.

    >>> infer_schema([{"name": "web1", "cpus": 8}, {"name": "web2"}], name="host")["definition"]
    {'name': {'type': 'String', 'required': True, 'unique': True}, 'cpus': 'Number'}

    Args:
        data: Records, or a frame; in a frame dotted columns are nested documents. If all its cells are text,
            numbers and booleans are recognised by their spelling.
        name: Of the schema: lower-case letters, digits and `_`.
        key: The unique field; by default `name`, `id` or the first text column whose values all differ.
            "_id" says that there is none.
        enums: Make an enum of a text column with few values.
        addresses: Make IpAddress of a text column that holds nothing else.
        dates: Make Date of a text column that holds nothing but dates that leave one reading:
            2024-01-31, 31 Jan 2024.
        types: Column -> String, Number, Boolean or Date, where it is known already.
        references: Column -> schema that it refers to, by id or label.
        owner: Groups that shall own the schema; the server wants at least one.

    Returns:
        A schema object with `name`, `definition`, `id_field` and, with an owner, `_sis`.

    Warns:
        UserWarning: A column of a frame of texts looks like numbers, dates or booleans, and stays text.

    Raises:
        ValueError: There are no rows, a name that the server refuses, a key that is not unique, a value that
            is not JSON, or one that the server would round.
        TypeError: The data are no table.
    """
    records = _rows_of(data)
    texts = isinstance(data, pd.DataFrame) and types is None and _is_text(records)  # as of a CSV
    asked = {"Number": texts, "Boolean": texts, "Date": dates, "IpAddress": addresses}
    spelt = tuple(name for name, wanted in asked.items() if wanted)
    options = _Options(references or {}, enums, spelt, types or {}, rows=len(records))
    if texts and isinstance(data, pd.DataFrame):
        columns = {
            str(label): [None if _is_blank(cell) else cell for cell in values_of(cells)]
            for label, cells in data.items()
        }
        for note in hints(columns, data.index, PLAIN):
            warnings.warn(what_of(note), stacklevel=2)
    return _document(records, options, name=name, key=key, owner=owner)


def infer_typed(
    data: pd.DataFrame | Iterable[Mapping[str, Any]],
    *,
    types: Mapping[str, str],
    style: Style,
    name: str,
    key: str | None,
    enums: bool,
    references: Mapping[str, str],
) -> dict[str, Any]:
    """Propose a schema for the rows of a file, as `infer_schema` does.

    Args:
        data: Records, or a frame, with the values that their reader made of the cells.
        types: Column -> type that its cells were read as; those of other columns are what their values are.
        style: How the file writes dates that are still texts.
        name: As there, and so is the rest.
        key: As there.
        enums: As there.
        references: As there.

    Raises:
        ValueError: As there.
    """
    records = _rows_of(data)
    options = _Options(references, enums, ("Date",), types, style, len(records))
    return _document(records, options, name=name, key=key)


def is_told(name: str, values: Iterable[Any], style: Style) -> bool:
    """Return whether values have their type only because of what the user told about their file."""
    if style == replace(PLAIN, zone=style.zone, is_exported=style.is_exported):
        return False
    kind = TYPES[name]
    others = [v if isinstance(v, str) else json_text(v) for v in values if type(v) not in kind.json_types]
    return all(kind.is_spelt(text, style) for text in others) and not all(
        kind.is_spelt(text, PLAIN) for text in others
    )


def _document(
    records: list[dict[str, Any]],
    options: _Options,
    *,
    name: str,
    key: str | None,
    owner: Sequence[str] = (),
) -> dict[str, Any]:
    if not re.fullmatch(r"(?!sis_)[a-z0-9_]+", name):
        raise ValueError(f"{name!r} cannot name a schema: use a-z, 0-9 and _, and do not begin with sis_")
    if not any(records):
        raise ValueError("there are no rows to infer a schema from")
    definition = {k: _entry(k, found, options) for k, found in _by_key(records).items()}
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
    """Return whether a value is blank in a column of any type: null, or a text of blanks alone."""
    return value is None or (isinstance(value, str) and not value.strip())


def _by_key(records: Iterable[Mapping[str, Any]]) -> dict[str, _Found]:
    """Return all values of each key, keys in the order in which they turn up."""
    found: dict[str, _Found] = {}
    for record in records:
        for key, value in record.items():
            found.setdefault(key, _Found()).add(value)
    return found


def _entry(path: str, found: _Found, options: _Options) -> Any:
    """Return the definition of one field."""
    values = found.values
    if path in options.references:
        kind: Any = {"type": "ObjectId", "ref": options.references[path]}
        kind = [kind] if values and all(isinstance(v, list) for v in values) else kind
    else:
        kind = _kind(path, found, options)
    if _is_nested(kind):
        return kind
    if len(values) < options.rows:
        return {"type": kind} if not isinstance(kind, dict) and path.rpartition(".")[2] == "type" else kind
    return _typed(kind) | {"required": True}


def _is_nested(kind: Any) -> bool:
    """Return whether a definition is that of a nested document; one of its fields may be called `type`."""
    inner = kind.get("type") if isinstance(kind, dict) else kind
    return isinstance(kind, dict) and ("type" not in kind or (isinstance(inner, dict) and "type" in inner))


def _typed(kind: Any) -> dict[str, Any]:
    return dict(kind) if isinstance(kind, dict) else {"type": kind}


def _kind(path: str, found: _Found, options: _Options) -> Any:
    values, kinds = found.values, found.kinds
    if not kinds:
        if found.hollow:
            return "Mixed"
        return [] if found.has_list else options.types.get(path, "String")
    if kinds == {"object"} and not found.has_list:
        return _nested(path, found.objects, options)
    if kinds == {"array"}:
        return _array(path, [member for value in values for member in value], options)
    if not found.has_list:
        if path in options.types:
            return _text(values, options, path) if options.types[path] == "String" else options.types[path]
        told = next((name for name in _BY_WORDS if is_told(name, values, options.style)), None)
        if told is not None and kinds <= {"text", "number", "boolean"}:
            return told
        if kinds == {"text"}:
            return _text(values, options, path)
        if kinds == {"number"}:
            return "Number" if all(map(is_exact, values)) else "String"
        if kinds == {"boolean"}:
            return "Boolean"
    return _mixed(path, values)


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Rounded):
        return "number"
    kinds = {str: "text", int: "number", float: "number", dict: "object", list: "array", tuple: "array"}
    return kinds.get(type(value), "other")


def _mixed(path: str, values: Iterable[Any]) -> str:
    """Return Mixed for values that it holds.

    Raises:
        ValueError: A number among them would not come back as it is.
    """
    for value in values:
        if isinstance(value, dict | list):
            _mixed(path, value.values() if isinstance(value, dict) else value)
        elif isinstance(value, int | Rounded) and abs(value) > WHOLE and not is_exact(value):
            raise ValueError(
                f"column {path!r}: {number_text(value)} is beyond 2**53, the server would round it:"
                " write it as text"
            )
    return "Mixed"


def _nested(path: str, values: list[dict[str, Any]], options: _Options) -> Any:
    inner = _by_key(values)
    if not all(_can_be_named(key, found) for key, found in inner.items()):
        return _mixed(path, values)
    return {key: _entry(f"{path}.{key}", found, options) for key, found in inner.items()}


def _can_be_named(key: str, found: _Found) -> bool:
    """Return whether a field can have this key; else the object around it is Mixed."""
    return is_name(key) and not (key == "type" and ("object" in found.kinds or found.hollow))


def is_name(key: str) -> bool:
    """Return whether a field can have this name here; the server takes a leading `_` where it is nested."""
    return (
        bool(key)
        and not any(sign in key for sign in ".\0")
        and not key.startswith(("$", "_"))
        and key not in RESERVED
    )


def _array(path: str, members: list[Any], options: _Options) -> Any:
    kinds = set(map(_json_kind, members))
    inside = _Options({}, False, options.spelt, options.types, rows=len(members))  # is told of cells alone
    kind: Any = "Mixed"
    if kinds == {"object"}:
        kind = _nested(path, members, inside) or "Mixed"
    elif len(kinds) == 1 and kinds <= {"text", "number", "boolean"}:
        kind = _kind("", _Found(members), inside)
    return [] if kind == "Mixed" and _mixed(path, members) else [kind]


def _text(values: list[str], options: _Options, path: str) -> Any:
    known = path in options.types
    for name in options.spelt:
        if not known and all(TYPES[name].is_spelt(text, options.style) for text in values):
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
    refused = [key for key, entry in definition.items() if not is_name(key) or entry == {}]
    if refused:
        raise ValueError(
            f"no field can be called {', '.join(map(repr, refused))}: rename it. A name has no dot, begins "
            "with neither _ nor $, and is not one of the server's own, such as get and save"
        )


def _key(
    records: list[dict[str, Any]], definition: Mapping[str, Any], key: str | None, references: set[str]
) -> str:
    if key is not None:
        if key == "_id":
            return key
        if key not in definition:
            raise ValueError(f"there is no column {key!r} to be the key; there are {', '.join(definition)}")
        if not _is_key(records, key):
            raise ValueError(f"{key!r} cannot be the key: some rows lack it or share a value")
        return key
    texts = [
        k for k, entry in definition.items() if _typed(entry).get("type") == "String" and k not in references
    ]
    scalar = [k for k in ("name", "id") if _typed(definition.get(k, [])).get("type") in ("String", "Number")]
    likely = (k for k in dict.fromkeys((*scalar, *texts)) if all(map(_is_short, (r.get(k) for r in records))))
    return next((k for k in likely if _is_key(records, k)), "_id")


def _is_short(value: Any) -> bool:
    """Return whether people may know a row by a value, if it is a text."""
    return not isinstance(value, str) or (len(value) <= _LONGEST_KEY and len(value.splitlines()) <= 1)


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
            raise ValueError(f"column {label!r}: a name has something on either side of a dot; rename it")
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
