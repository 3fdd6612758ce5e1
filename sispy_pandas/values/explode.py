"""Array columns: their members as rows of their own and back, and edits of arrays under a mask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .columns import Column
from .row_set import RowSet
from .types.cells import STRINGS, get_path, is_missing, objects, set_path
from .types.convert import to_json
from .types.frozen import FrozenDict, freeze, thaw
from .types.mixed import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from .schema import Schema
    from .types.base import Field

MEMBER = "_member"
"""Name of the index level that tells the members of a row apart: their `_id`, or their position."""


def explode(source: RowSet | pd.DataFrame, path: str, *, schema: Schema | None = None) -> pd.DataFrame:
    """Return a frame with one row per member of an array column, to look at or to edit.

    Its index has two levels: `_id` of the row, and `_member`, the `_id` of the member; members of an array
    that is not one of documents have their position. Rows without members are not in it, nor are nulls among
    documents. `implode` puts edits back.

    Args:
        source: A snapshot, or a frame of one.
        path: The column, such as "interfaces".
        schema: Of a frame.

    Raises:
        ValueError: No such column, no array, or a frame without schema.

    Example:
        >>> explode(live, "interfaces")["name"].iloc[0]
        'eth0'
    """
    frame, known = _with_schema(source, schema)
    field = _array(known, path)
    parents: list[Any] = []
    names: list[Any] = []
    members: list[Any] = []
    for id_, cell in zip(frame.index.tolist(), frame[path].tolist(), strict=True):
        for position, member in enumerate(cell if isinstance(cell, tuple | list) else ()):
            if _is_row(field, member):
                parents.append(id_)
                names.append(member.get("_id") if field.fields else position)
                members.append(member)
    columns: dict[str, pd.Series[Any]] = {}
    for inner in member_fields(field):
        column = Column(inner)
        column.add([get_path(m, inner.path) if field.fields else m for m in map(thaw, members)])
        columns[inner.path] = column.series()
    index = pd.MultiIndex.from_arrays(
        [pd.Index(parents, dtype=STRINGS), pd.Index(names, dtype=STRINGS if field.fields else "int64")],
        names=["_id", MEMBER],
    )
    found = pd.DataFrame(columns)
    found.index = index
    return found


def implode(
    source: RowSet | pd.DataFrame,
    members: pd.DataFrame,
    path: str,
    *,
    schema: Schema | None = None,
    remove: bool = False,
) -> pd.DataFrame:
    """Return the frame with the edited members of an array column in it.

    Rows, members and columns that `members` lacks are left alone. A member without a name (`_member` blank)
    is a new one, and goes to the end of its row.

    Args:
        source: The snapshot or frame that the members were taken from.
        members: As from `explode`: `_id` and `_member` in the index or as columns.
        path: The column, such as "interfaces".
        schema: Of a frame.
        remove: Members that a row of `members` lacks are removed from that row.

    Raises:
        ValueError: An unknown row or member, or a member twice.

    Example:
        >>> ports = explode(live, "interfaces")
        >>> whole = implode(live.frame(), ports, "interfaces", schema=live.schema)
        >>> live.diff(whole).empty
        True
    """
    frame, known = _with_schema(source, schema)
    field = _array(known, path)
    edits = _edits(members)
    columns = [inner for inner in member_fields(field) if inner.path in members.columns]
    cells = dict(zip(frame.index.tolist(), frame[path].tolist(), strict=True))
    for id_, rows in edits.items():
        if id_ not in cells:
            raise ValueError(f"row {id_!r} is not in the frame")
        cells[id_] = _merged(field, columns, id_, cells[id_], rows, remove=remove)
    frame[path] = pd.Series([cells[id_] for id_ in frame.index], index=frame.index, dtype=object)
    return frame


def _edits(members: pd.DataFrame) -> dict[Hashable, list[dict[str, Any]]]:
    """Return the rows of members by their parent."""
    flat = members.reset_index() if "_id" in members.index.names else members
    missing = [name for name in ("_id", MEMBER) if name not in flat.columns]
    if missing:
        raise ValueError(f"members have no {' and no '.join(missing)}, neither in the index nor as a column")
    found: dict[Hashable, list[dict[str, Any]]] = {}
    names = list(flat.columns)
    for values in zip(*(flat[name].tolist() for name in names), strict=True):
        row = dict(zip(names, values, strict=True))
        found.setdefault(row["_id"], []).append(row)
    return found


def _merged(
    field: Field, columns: list[Field], id_: Hashable, cell: Any, rows: list[dict[str, Any]], *, remove: bool
) -> tuple[Any, ...]:
    names = [m.get("_id") if field.fields and _is_row(field, m) else i for i, m in enumerate(cell)]
    old = dict(zip(names, cell, strict=True))
    named: dict[Any, Any] = {}
    new = []
    for row in rows:
        name = row[MEMBER]
        if is_missing(name) or name == "":
            new.append(_member(field, columns, {}, row))
            continue
        if name not in old or name in named:
            raise ValueError(f"row {id_!r} has {'no' if name not in old else 'twice the'} member {name!r}")
        named[name] = _member(field, columns, old[name], row)
    kept = [
        named.get(name, member)
        for name, member in old.items()
        if name in named or not (remove and _is_row(field, member))
    ]
    return (*kept, *new)


def _member(field: Field, columns: list[Field], member: Any, row: dict[str, Any]) -> Any:
    if not field.fields:
        (item,) = member_fields(field)
        return freeze(to_json(item, row[item.path]))
    found = thaw(member) if isinstance(member, FrozenDict) else {}
    for inner in columns:
        value = to_json(inner, row[inner.path])
        if value not in (None, []) or get_path(found, inner.path) not in (None, []):
            set_path(found, inner.path, value)
    return freeze(found)


def _is_row(field: Field, member: Any) -> bool:
    return not field.fields or isinstance(member, dict)  # an array of documents may hold nulls


def member_fields(field: Field) -> tuple[Field, ...]:
    """Return the columns of an array's members; those that are no documents have one, named as the array."""
    return field.fields or (replace(field.item or ANYTHING, path=field.path),)


def _array(schema: Schema, path: str) -> Field:
    field = schema.field(path)
    if not field.kind.is_array:
        arrays = [f.path for f in schema.fields if f.kind.is_array]
        raise ValueError(f"{path!r} is not an array; these are: {', '.join(arrays) or 'none'}")
    return field


def _with_schema(source: RowSet | pd.DataFrame, schema: Schema | None) -> tuple[pd.DataFrame, Schema]:
    if isinstance(source, RowSet):
        return source.frame(), source.schema
    if schema is None:
        raise ValueError("a frame alone does not tell its arrays: give schema=snapshot.schema")
    return source.copy(deep=False), schema


def added(arrays: pd.Series, value: Any) -> pd.Series:
    """Return arrays that hold a value; those that lack it get it at their end.

    Assigning a tuple under a mask spreads its members over the rows; this gives every row its own array:

    >>> frame = pd.DataFrame({"tags": [("a",), (), ("b",)]})
    >>> web = [True, True, False]
    >>> frame.loc[web, "tags"] = added(frame.loc[web, "tags"], "b")
    >>> frame["tags"].tolist()
    [('a', 'b'), ('b',), ('b',)]

    Raises:
        ValueError: A cell holds something else than an array.
    """
    return _mapped(arrays, lambda members: members if value in members else (*members, value))


def removed(arrays: pd.Series, value: Any) -> pd.Series:
    """Return arrays without a value, wherever it stands in them.

    >>> removed(pd.Series([("a", "b"), ()]), "b").tolist()
    [('a',), ()]

    Raises:
        ValueError: A cell holds something else than an array.
    """
    return _mapped(arrays, lambda members: tuple(member for member in members if member != value))


def _mapped(arrays: pd.Series[Any], edit: Any) -> pd.Series[Any]:
    cells = [edit(_array_of(cell)) for cell in arrays.tolist()]
    return pd.Series(objects(cells), index=arrays.index, name=arrays.name)


def _array_of(cell: Any) -> tuple[Any, ...]:
    if isinstance(cell, list | tuple | np.ndarray):
        return tuple(cell)
    if is_missing(cell):
        return ()
    raise ValueError(f"{cell!r} is not an array: is this an array column?")
