"""Columns of referenced entities beside those of a table: `rack.site.name`, for reading only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy.remedies import nearest

from ..values.columns import Column
from ..values.types.base import Field
from ..values.types.cells import get_path
from ..values.types.convert import from_json
from .lookup import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from sispy import Client

    from ..values.schema import Schema
    from .paths import Lookup

Values = list[Any]
"""One JSON value per row; where an array of references was passed, a tuple of them."""


def references_of(schema: Schema, paths: Sequence[str]) -> tuple[str, ...]:
    """Return the reference fields that expanded paths begin with.

    Raises:
        ValueError: A path that does not lead through a reference.
    """
    return tuple(dict.fromkeys(_step(schema, path)[0].path for path in paths))


def expand(
    client: Client, schema: Schema, frame: pd.DataFrame, paths: Sequence[str], lookup: Lookup
) -> dict[str, pd.Series[Any]]:
    """Return a column for every path, aligned with the frame.

    Each schema on the way is read once: the rows that are referred to, and of them what is asked for. What
    a dangling reference would lead to has no value.

    Args:
        client: Of the server.
        schema: Of the frame.
        frame: It has the reference columns.
        paths: Such as `rack.site.name`, or `services.name` through an array of references.
        lookup: Gives the schemas that references lead to.

    Raises:
        ValueError: A path that does not lead through a reference to a field.
    """
    cells = {name: frame[name].tolist() for name in references_of(schema, paths)}
    leaves = {path: _leaf(schema, path, lookup) for path in paths}
    found = _values(client, schema, cells, paths, lookup)
    columns = {}
    for path, values in found.items():
        if any(isinstance(value, tuple) for value in values):
            leaf = leaves[path]
            cell = [tuple(from_json(leaf, v) for v in value or ()) for value in values]
            column = Column(Field(path, "Mixed"))
            column.add(cell)
        else:
            column = Column(leaves[path])
            column.add(values)
        series = column.series()
        series.index = frame.index
        columns[path] = series
    return columns


def _step(schema: Schema, path: str) -> tuple[Field, str, str]:
    """Return the reference that a path begins with, the schema it leads to, and the rest of the path."""
    for field in schema.fields:
        ref = field.ref or (field.item.ref if field.item else None)
        if ref and path.startswith(f"{field.path}."):
            return field, ref, path.removeprefix(f"{field.path}.")
    known = [f.path for f in schema.fields if f.ref or (f.item and f.item.ref)]
    hint = nearest(path.partition(".")[0], known) or f"; references are {', '.join(known) or 'none'}"
    raise ValueError(f"expand: {path!r} does not begin with a reference of schema {schema.name!r}{hint}")


def _leaf(schema: Schema, path: str, lookup: Lookup) -> Field:
    if path in schema.columns:
        return schema.field(path)
    try:
        _, ref, rest = _step(schema, path)
    except ValueError:
        schema.field(path)  # it names the fields of similar spelling
        raise
    return _leaf(lookup(ref), rest, lookup)


def _values(
    client: Client,
    schema: Schema,
    cells: Mapping[str, Sequence[Any]],
    paths: Iterable[str],
    lookup: Lookup,
) -> dict[str, Values]:
    """Return one value per row for each path; `cells` holds ids, or tuples of ids, of the references."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        field, ref, rest = _step(schema, path)
        groups.setdefault((field.path, ref), []).append(rest)
    found: dict[str, Values] = {}
    for (column, ref), rests in groups.items():
        rows = _referred(client, lookup(ref), cells[column], rests, lookup)
        for rest in rests:
            found[f"{column}.{rest}"] = [_through(cell, rows[rest]) for cell in cells[column]]
    return found


def _through(cell: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(cell, tuple | list):
        return values.get(cell) if isinstance(cell, str) else None
    flat: list[Any] = []
    for id_ in cell:
        value = values.get(id_)
        flat.extend(value if isinstance(value, tuple) else [value])
    return tuple(flat)


def _referred(
    client: Client, target: Schema, cells: Sequence[Any], rests: Sequence[str], lookup: Lookup
) -> dict[str, dict[str, Any]]:
    """Return, for each rest of a path, `_id` -> value of the rows that are referred to."""
    ids = {
        id_
        for cell in cells
        for id_ in (cell if isinstance(cell, tuple) else (cell,))
        if isinstance(id_, str)
    }
    own = [rest for rest in rests if rest in target.columns]
    further = [rest for rest in rests if rest not in target.columns]
    wanted = (*own, *references_of(target, further))
    records = list(read(client.entities(target.name), "_id", sorted(ids), fields=wanted)) if ids else []
    known = [record["_id"] for record in records]
    found = {rest: {r["_id"]: get_path(r, rest) for r in records} for rest in own}
    columns = {path: [_ids(get_path(record, path)) for record in records] for path in wanted}
    for rest, values in _values(client, target, columns, further, lookup).items():
        found[rest] = dict(zip(known, values, strict=True))
    return found


def _ids(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
