"""Rows that are one thing twice: find them, and make one of them, with all that refers to them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sispy.remedies import no_list

from ..planning.matching import folded
from ..planning.validate import unique_fields
from ..reading.listing import schema_of
from ..reading.lookup import read
from ..values.changes import Delete, Update
from ..values.entity import key_of, receipt, stored, values_of
from ..values.records import table
from ..values.types.cells import is_missing
from ..values.types.convert import is_blank
from ..values.types.equality import equal
from ..values.types.object_id import is_object_id
from ..workflow.fetch import fetch
from ..workflow.objects import Plan
from ..workflow.parts import Plans
from .dangling import repoint

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

    from sispy import Client, Endpoint

    from ..values.schema import Schema

    Row = Mapping[str, Any]


def duplicates(
    client: Client, schema: str, *, by: Collection[str] | None = None, progress: Any = True
) -> pd.DataFrame:
    """Return the rows of a schema that seem to be one thing twice: (group, _id, key, field, value).

    Those are rows whose keys differ in case, blanks, width of letters or signs without width alone; with
    `by` those that have the same values, so read, in all of these fields. Rows that lack one are left out.

    Args:
        client: Of the server.
        schema: Its name; all rows are read.
        by: Fields to compare; by default the key.
        progress: As in `fetch`.

    Returns:
        A frame with the rows of a group below each other, the oldest first; `value` is what they share.

    Raises:
        ValueError: There is no such schema or field, or it has no key and `by` names nothing.
        sispy.Error: The server could not be asked.

    Example:
        >>> duplicates(client, "host", progress=False).empty
        True
    """
    if isinstance(by, str):
        raise no_list("by", by)
    definition = schema_of(client, schema)
    key = definition.key
    if by is None and key is None:
        raise ValueError(f"schema {schema!r} has no key to tell rows by: by= names fields")
    paths = [definition.field(path).path for path in by or [str(key)]]
    fields = list(dict.fromkeys([*([key] if key else []), *paths]))
    frame = fetch(client.entities(schema), fields=fields, progress=progress).frame()
    found: dict[tuple[str, ...], list[tuple[str, Any]]] = defaultdict(list)
    keys = frame[key].tolist() if key else [None] * len(frame)
    columns = [frame[path].tolist() for path in paths]
    for id_, name, *cells in zip(frame.index.tolist(), keys, *columns, strict=True):
        texts = tuple("" if is_missing(cell) or is_blank(cell) else folded(str(cell)) for cell in cells)
        if all(texts):
            found[texts].append((id_, None if is_missing(name) else name))
    rows = [
        (group, id_, name, ", ".join(paths), ", ".join(texts))
        for group, (texts, those) in enumerate(
            ((texts, those) for texts, those in found.items() if len(those) > 1), start=1
        )
        for id_, name in sorted(those)
    ]
    return table(rows, ("group", "_id", "key", "field", "value"))


def merge_rows(endpoint: Endpoint, keep: str, others: Collection[str]) -> Plans:
    """Return the plans that make one row of several: one push, one undo.

    The kept row gets what it lacks from the others, in their order; where both hold something, its own value
    stays, and a note names the fields. References to the others, from whatever table, point to it. Then the
    others are deleted. A unique value that it takes over follows when they are gone.

    Args:
        endpoint: Entities of the schema.
        keep: `_id` or key of the row that stays.
        others: `_id`s or keys of the rows that are the same thing.

    Raises:
        ValueError: There is no such row, or the kept one is among the others.
        TypeError: `others` is one text.
        sispy.Error: The server could not be asked.

    Example:
        >>> racks = client.entities("rack")
        >>> first, second = (rack["_id"] for rack in racks.fetch_page({"limit": 2}))
        >>> plans = merge_rows(racks, first, [second])
        >>> plans.counts["deletes"]
        1
    """
    if isinstance(others, str):
        raise no_list("others", others)
    schema = schema_of(endpoint.client, endpoint.name)
    kept, *rows = _rows(endpoint, schema, [keep, *others])
    ids = [row["_id"] for row in rows]
    if kept["_id"] in ids or len(set(ids)) < len(ids):
        raise ValueError("a row is named twice: it cannot be merged with itself")
    filled, differing = _filled(schema, kept, rows)
    unique = {field.path for field in unique_fields(schema)} & filled.keys()
    pointed = repoint(endpoint, dict.fromkeys(ids, kept["_id"])).plans
    own = next((plan for plan in pointed if plan.schema.name == schema.name), None)
    updates = {u.id: u for u in own.changes if isinstance(u, Update)} if own else {}
    now = {path: value for path, value in filled.items() if path not in unique}
    if now:
        also = updates.get(kept["_id"], Update(kept["_id"], {}, {}, key_of(schema, kept), receipt(kept)))
        updates[kept["_id"]] = Update(
            also.id,
            {path: stored(schema.field(path), kept) for path in now} | dict(also.before),
            now | dict(also.after),
            also.key,
            also.receipt,
        )
    told = [
        f"keeps {_named(schema, kept)}, and makes {', '.join(_named(schema, row) for row in rows)} part of it"
    ]
    if differing:
        told.append(f"its own values stay where others differ: {', '.join(differing)}")
    written = tuple(update for id_, update in updates.items() if id_ not in ids)
    gone = [Delete(row["_id"], values_of(schema, row), key_of(schema, row), receipt(row)) for row in rows]
    taken = {path: filled[path] for path in unique}
    last = Update(kept["_id"], dict.fromkeys(taken), taken, key_of(schema, kept), receipt(kept))
    names = {row["_id"]: _named(schema, row) for row in (kept, *rows)}
    parts = [
        Plan(endpoint, schema, written, notes=tuple(told), names=names),
        *(replace(plan, names=names) for plan in pointed if plan is not own),
        Plan(endpoint, schema, tuple(gone), notes=() if written else tuple(told)),
        Plan(endpoint, schema, (last,) if taken else ()),
    ]
    return Plans(tuple(part for part in parts if len(part)))


def _rows(endpoint: Endpoint, schema: Schema, names: Sequence[str]) -> list[Row]:
    """Return rows by their `_id`s or keys, in this order."""
    ids = [name for name in names if is_object_id(name)]
    found: dict[Any, Row] = {row["_id"]: row for row in read(endpoint, "_id", ids)}
    left = [name for name in names if name not in found]
    if left and schema.key is not None:
        found |= {key_of(schema, row): row for row in read(endpoint, schema.key, left)}
    for name in names:
        if name not in found:
            raise ValueError(f"{schema.name} has no row {name!r}")
    return [found[name] for name in names]


def _filled(schema: Schema, kept: Row, rows: Sequence[Row]) -> tuple[dict[str, Any], list[str]]:
    """Return what the kept row lacks and another has, and the fields in which they hold different values."""
    filled: dict[str, Any] = {}
    differing: list[str] = []
    for field in schema.fields:
        own = stored(field, kept)
        values = [value for row in rows if not is_blank(value := stored(field, row))]
        if is_blank(own) and values:
            filled[field.path] = values[0]
        elif field.path != schema.key and any(not equal(field, own, value) for value in values):
            differing.append(field.path)
    return filled, differing


def _named(schema: Schema, row: Row) -> str:
    key = key_of(schema, row)
    return str(row["_id"] if key is None else key)
