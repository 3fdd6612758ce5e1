"""JSON: an array of records, or one record per line (`ndjson`)."""

from __future__ import annotations

import json
from itertools import chain
from itertools import count as count_from
from typing import IO, TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import printable

from ..values.blocks import count
from ..values.records import records_of
from ..values.schema import META, RECEIPT
from ..values.types.cell_text import read_column
from ..values.types.cells import Refused, json_text
from ..values.types.convert import cast
from ..values.types.object_id import ID
from .base import Format, Incoming
from .bounds import MOST_COLUMNS, parse_json
from .headings import documents
from .note import read_beside, write_beside
from .outline import is_nothing
from .table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from ..values.schema import Schema
    from ..values.types.base import Field, Style
    from .atomic import OutFile
    from .base import Outgoing
    from .bounds import InFile
    from .options import ReadOptions, WriteOptions

WHOLE = "."
"""The path of the rows, where the value of the file is one."""
EACH = "*"
"""Stands in a path for every key of an object."""
_NAMED, _DEEPEST_NAMED = 4, 2
"""Lists that are offered for rows, and how deep they may lie."""
_RECEIPT = f"_sis.{RECEIPT.path}"
_SIS = {_RECEIPT: RECEIPT.path} | {field.path: field.path for field in META}
"""What of `_sis` is a column, and of which name; the rest is the server's own."""
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a boolean",
}


class Json(Format):
    """An array of records."""

    name = "JSON"
    heeds = frozenset(("encoding", "at"))
    is_text = holds_objects = True
    holds_any_column = False

    def read(self, file: InFile, schema: Schema | None, options: ReadOptions) -> Incoming:
        note, records = read_beside(file), list(self.records(file, options))
        return Incoming(_table(records, schema, file, options.rename), read_values, lambda cell: cell, note)

    def write(self, file: OutFile, table: Outgoing, options: WriteOptions) -> int:
        with file.text() as opened:
            rows = self.put(opened, _texts(table))
            write_beside(file, table.note, rows, opened)
        return rows

    def records(self, file: InFile, options: ReadOptions) -> Iterator[tuple[int, Any]]:
        """Yield the records of a file, each with the number by which people find it.

        Raises:
            ValueError: The file holds something else; the message names the place.
        """
        found = parse_json(file.text(options.encoding), file)
        rows = _rows(found, file) if options.at is None else rows_at(found, options.at, file)
        yield from enumerate(rows, start=1)

    def put(self, opened: IO[str], texts: Iterable[str]) -> int:
        """Write the texts of records, and return how many they were."""
        rows = 0
        for rows, text in enumerate(texts, start=1):
            opened.write(f"{',' if rows > 1 else '['}\n{text}")
        opened.write("\n]\n" if rows else "[]\n")
        return rows


def _texts(table: Outgoing) -> Iterator[str]:
    for part in table.parts:
        for record in records_of(table.known, part):
            text = _text(record, escaped=False)
            yield text if _is_writable(text) else _text(record, escaped=True)


def _text(record: Mapping[str, Any], *, escaped: bool) -> str:
    return json.dumps(record, ensure_ascii=escaped, sort_keys=True, separators=(",", ":"))


def _is_writable(text: str) -> bool:
    """Return whether UTF-8 has a place for a text: JSON can write half a character, escaped."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _rows(found: Any, file: InFile) -> list[Any]:
    """Return the rows of a file that says nothing of its shape: a list, or an object without any in it."""
    if isinstance(found, list):
        return found
    if not isinstance(found, dict):
        raise ValueError(f"{printable(file)} holds {_kind_of(found)}: an array of objects is needed")
    whole = Argument("at", "takes the object itself for a row", WHOLE)
    lists, each = list(_lists(found, "")), _alike(found)
    if each is not None:
        path, members = each
        said = f"{printable(file)} holds an object of {count(members, 'object')} that are alike"
        raise ValueError(Message(said, Argument("at", "takes each for a row", path), whole))
    if not lists:
        return [found]
    full = [(path, rows) for path, rows in lists if rows]
    if not full:
        raise ValueError(Message(f"{printable(file)}: {lists[0][0]!r} has no rows", whole))
    ways = [Argument("at", f"reads {count(rows, 'row')}", path) for path, rows in full[:_NAMED]]
    raise ValueError(Message(f"{printable(file)} holds an object with lists of objects in it", *ways, whole))


def _alike(value: Mapping[str, Any], path: str = "") -> tuple[str, int] | None:
    """Return the path of the members of an object that look like rows under their names, and their number."""
    members = [one for one in value.values() if one != {}]
    if not members or not all(isinstance(one, dict) for one in members):
        return None
    if len(members) == 1:
        return None if path else _alike(members[0], f"{next(iter(value))}.")
    common = set(members[0]).intersection(*members)
    return (f"{path}{EACH}", len(value)) if 2 * len(common) >= min(map(len, members)) else None


def _lists(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, int]]:
    """Yield where lists of objects are in an object, and how many they hold; the outer ones first.

    A list without anything in it holds none.
    """
    members = value if isinstance(value, list) else [value]
    below: dict[str, list[Any]] = {}
    for member in members:
        for key, inner in member.items() if isinstance(member, dict) else ():
            if isinstance(inner, dict | list):
                below.setdefault(key, []).extend(inner if isinstance(inner, list) else [inner])
                below[key] += [[]] if isinstance(inner, list) else []
    for key, found in below.items():
        rows = sum(isinstance(one, dict) for one in found)
        if (rows and [] in found) or all(one == [] for one in found):
            yield f"{path}{key}", rows
    for key, found in below.items():
        if depth < _DEEPEST_NAMED:
            yield from _lists(found, f"{path}{key}.", depth + 1)


def rows_at(value: Any, path: str, file: InFile) -> list[Any]:
    """Return the rows at a path of a JSON value: members of a list, or one object.

    `.` is the value itself, `*` each member of an object, whose name is its `key` then.

    >>> from .bounds import InFile
    >>> rows_at({"sites": [{"hosts": [{"name": "a"}]}, {"hosts": []}]}, "sites.hosts", InFile("x"))
    [{'name': 'a'}]
    >>> rows_at({"web1": {"cpus": 8}, "web2": {"cpus": 4}}, "*", InFile("x"))
    [{'key': 'web1', 'cpus': 8}, {'key': 'web2', 'cpus': 4}]

    Args:
        value: Of the file.
        path: Keys with dots between them; lists on the way are gone through.
        file: For messages.

    Raises:
        ValueError: There is no such key, or no rows are there.
    """
    found = [value] if path == WHOLE else list(_at(value, path))
    if not found:
        keys = ", ".join(map(repr, value)) if isinstance(value, dict) else _kind_of(value)
        raise ValueError(f"{printable(file)} has nothing at {path!r}; there is {keys}")
    rows = [row for one in found for row in (one if isinstance(one, list) else [one])]
    for row in rows:
        if not isinstance(row, dict):
            raise ValueError(f"{printable(file)} has {_kind_of(row)} at {path!r}: objects are needed")
    return rows


def _at(value: Any, path: str) -> Iterator[Any]:
    if isinstance(value, list):
        for member in value:
            yield from _at(member, path)
    elif isinstance(value, dict):
        if path in value:
            yield value[path]
            return
        if path == EACH:
            yield from _each(value)
            return
        first, _, rest = path.partition(".")
        if first == EACH and first not in value:
            for member in value.values():
                yield from _at(member, rest)
        for key in (key for key in value if path.startswith(f"{key}.")):
            yield from _at(value[key], path[len(key) + 1 :])


def _each(value: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the members of an object, those that are objects themselves with their key."""
    taken = {name for member in value.values() if isinstance(member, dict) for name in member}
    names = chain(["key"], (f"key {n}" for n in count_from(2)))
    name = next(one for one in names if one not in taken)
    for key, member in value.items():
        yield {name: key, **member} if isinstance(member, dict) else member


def read_values(field: Field, cells: Iterable[Any], style: Style) -> list[Any]:
    """Return the JSON values of cells that are values already; texts mean there what they mean in a CSV file.

    Names of rows must be well-formed, else nobody knows the row; of the rest the diff tells what is no value.
    """
    if field in (ID, RECEIPT):
        return [_sure(field, cell) for cell in cells]
    if field.kind.presentation not in ("number", "boolean", "date"):
        return list(cells)
    if field.kind.presentation == "boolean" and (style.true or style.false):
        cells = (json_text(cell) if type(cell) is int else cell for cell in cells)  # 1 may be a word
    return [read_column(field, [cell], style)[0] if isinstance(cell, str) else cell for cell in cells]


def _sure(field: Field, cell: Any) -> Any:
    try:
        return cast(field, cell)
    except ValueError as error:
        return Refused(str(cell), str(error))


def _table(
    records: list[tuple[int, Any]], schema: Schema | None, file: InFile, rename: Mapping[str, str]
) -> Table:
    """Return the cells of records by column: with a schema one for each of its fields, else for each key.

    Raises:
        ValueError: One is not an object, or together they have more columns than any schema.
    """
    inner = inner_paths(schema)
    if file.keys and records:
        records = [(0, file.keys), *records]
    columns: dict[str, list[Any]] = {} if records or schema is None else {"_id": []}
    keys = {key: None for _, record in records if isinstance(record, dict) for key in record} if inner else {}
    top = documents(list(keys), inner, rename, schema.columns if schema else ())
    for row, (number, record) in enumerate(records):
        if not isinstance(record, dict):
            kind = _kind_of(record)
            raise ValueError(f"{printable(file)}: item {number} is {kind}: an array of objects is needed")
        for path, value in _cells(_named(record, top), inner) if schema else record.items():
            cells = columns.setdefault(path, [])
            cells += [None] * (row - len(cells))
            cells[row:] = [value]
        if len(columns) > MOST_COLUMNS:
            raise ValueError(f"{printable(file)}: more than {MOST_COLUMNS:,} columns, by item {number}")
    for cells in columns.values():
        cells += [None] * (len(records) - len(cells))
        del cells[: bool(records and file.keys)]
    records = records[bool(file.keys) :]
    known = [path for path in (schema.columns if schema else ()) if path in columns]
    header = dict.fromkeys([*known, *columns])
    rows = tuple(number for number, _ in records)
    return Table(tuple(header), tuple(columns[path] for path in header), rows, given=frozenset(top))


def add_keys(known: dict[str, Any], record: Any, inner: AbstractSet[str], prefix: str = "") -> None:
    """Add the keys of a record to those that are known, and those in its documents.

    Args:
        known: Gets them.
        record: Of a file.
        inner: The paths of the documents of a schema, and of what may be one by another name.
        prefix: Of the keys.
    """
    for key, value in record.items() if isinstance(record, dict) else ():
        if isinstance(value, dict) and (path := prefix + key) in inner:
            if not isinstance(known.get(key), dict):
                known[key] = {}
            add_keys(known[key], value, inner, f"{path}.")
        else:
            known.setdefault(key, None)


def _named(record: Mapping[str, Any], top: Mapping[str, str]) -> Mapping[str, Any]:
    return {top.get(key, key): value for key, value in record.items()} if top else record


def inner_paths(schema: Schema | None) -> set[str]:
    """Return the paths of the documents of a schema, whose fields are columns of their own."""
    paths = schema.columns if schema else ()
    return {path[:at] for path in paths for at, char in enumerate(path) if char == "."}


def _cells(record: Mapping[str, Any], inner: AbstractSet[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of the fields of a record, those in documents of the schema, and of `_sis`."""
    for name, value in record.items():
        path = prefix + name
        if path == "_sis" and isinstance(value, dict):
            yield from ((_SIS[f"_sis.{n}"], v) for n, v in value.items() if f"_sis.{n}" in _SIS)
        elif path in inner and isinstance(value, dict):
            yield from _cells(value, inner, f"{path}.")
        elif path not in inner or not is_nothing(value):
            yield path, value


def _kind_of(value: Any) -> str:
    return _KINDS.get(type(value), "no value")
