"""References across tables: who points at a row, which point at nothing, and how to point them elsewhere.

A reference whose target was deleted blocks every later update of its row (SIS-API 5.4) until it is changed.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sispy.remedies import no_list

from ..pushing.earlier import came_back
from ..reading.chunks import selecting
from ..reading.commits import commits_of
from ..reading.listing import schema_of
from ..reading.lookup import each, missing, read, referring
from ..values.blocks import count
from ..values.changes import Update
from ..values.entity import key_of, receipt, stored
from ..values.records import table
from ..values.references import ids_at, redirected, reference_fields
from ..values.schema import parse_schema
from ..workflow.objects import Plan
from ..workflow.parts import Plans

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    import pandas as pd

    from sispy import Client, Endpoint

    from ..values.schema import Schema


def referrers(client: Client, schema: str, ids: Collection[str]) -> pd.DataFrame:
    """Return who points at rows of a schema: (schema, _id, key, field, target), one line per reference.

    Args:
        client: Of the server.
        schema: Name of the schema that is pointed at.
        ids: `_id`s of its rows, existing or not.

    Raises:
        TypeError: `ids` is one text.
        sispy.Error: The server could not be asked.

    Example:
        >>> rack = client.entities("rack").fetch_page({"limit": 1})[0]
        >>> referrers(client, "rack", [rack["_id"]]).columns.tolist()
        ['schema', '_id', 'key', 'field', 'target']
    """
    wanted = _ids(ids)
    rows = [
        (other.name, row["_id"], key_of(other, row), path, target)
        for other in _schemas(client)
        for path in _paths(other, schema)
        for row in referring(client.entities(other.name), path, wanted, _needed(other, [path]))
        for target in sorted(ids_at(row, path) & set(wanted))
    ]
    return table(rows, ("schema", "_id", "key", "field", "target"))


def dangling(client: Client, schema: str, *, progress: Any = True) -> pd.DataFrame:
    """Return the references of a schema's rows whose target is gone, and what they may have meant.

    The name of a target is taken from its commits, which outlive it; the proposal is the row that has that
    name today. Both are blank where there are none. `sp.repoint` takes the proposals.

    Args:
        client: Of the server.
        schema: Name of the schema whose rows are examined; all of them are read.
        progress: As in `fetch`.

    Returns:
        A frame (_id, key, field, schema, target, was, proposal): schema and id of what is gone, the key it
        had, and the `_id` that has this key today.

    Raises:
        ValueError: There is no such schema.
        sispy.Error: The server could not be asked.

    Example:
        >>> dangling(client, "host", progress=False).empty
        True
    """
    definition = schema_of(client, schema)
    references = reference_fields(definition)
    held: dict[str, list[tuple[str, Any, str, str]]] = defaultdict(list)
    if references:
        fields = selecting(_needed(definition, [path for path, _ in references]))
        for page in client.entities(schema).pages({**fields, "populate": False}):
            for row in page:
                for path, target in references:
                    for id_ in ids_at(row, path):
                        held[target].append((row["_id"], key_of(definition, row), path, id_))
    rows = []
    for target, found in held.items():
        gone = missing(client, target, {id_ for *_, id_ in found})
        told = _remembered(client, target, gone, progress)
        rows += [(row, key, path, target, id_, *told[id_]) for row, key, path, id_ in found if id_ in gone]
    return table(rows, ("_id", "key", "field", "schema", "target", "was", "proposal"))


def repoint(endpoint: Endpoint, targets: Mapping[str, str | None]) -> Plans:
    """Return the plans that make all references to some rows point to others.

    For a duplicate: repoint, push, then delete it. A target that is gone works as well as one that exists.
    Where an array would hold the new id twice, it holds it once. Of a row that was deleted and came back
    several times, references to the `_id`s that it had between come along.

    Args:
        endpoint: Entities of the schema that is pointed at.
        targets: Old `_id` -> new `_id`; None takes the reference away.

    Raises:
        ValueError: A new row does not exist, or is itself to be replaced.
        sispy.Error: The server could not be asked.

    Example:
        >>> racks = client.entities("rack").fetch_page({"limit": 2})
        >>> plans = repoint(client.entities("rack"), {racks[0]["_id"]: racks[1]["_id"]})
    """
    client = endpoint.client
    back = {old: one.id for old, one in came_back(client.url).items()}
    again = {id_ for old, id_ in targets.items() if id_ and back.get(old) == id_}
    targets = {old: id_ for old, id_ in back.items() if id_ in again} | dict(targets)
    old = _ids(targets)
    new = {id_ for id_ in targets.values() if id_ is not None}
    chained = sorted(new & set(old))
    if chained:
        raise ValueError(f"{chained[0]} is to be replaced itself: say where its references shall end")
    for unknown in sorted(missing(client, endpoint.name, new)):
        raise ValueError(f"{endpoint.name} has no row {unknown} to point to")
    plans = (_repointed(client, schema, endpoint.name, old, targets) for schema in _schemas(client))
    return Plans(tuple(plan for plan in plans if plan is not None))


def _repointed(
    client: Client, schema: Schema, target: str, old: list[str], targets: Mapping[str, str | None]
) -> Plan | None:
    paths = _paths(schema, target)
    endpoint = client.entities(schema.name)
    columns = list(dict.fromkeys(_column(schema, path) for path in paths))
    rows: dict[str, Mapping[str, Any]] = {}
    for path in paths:
        for row in referring(endpoint, path, old, [*_needed(schema, columns), "_sis"]):
            rows[row["_id"]] = row
    updates = []
    for id_, row in rows.items():
        before, after = {}, {}
        for column in columns:
            value = stored(schema.field(column), row)
            changed = redirected(column, value, paths, targets)
            if changed != value:
                before[column], after[column] = value, changed
        if after:
            updates.append(Update(id_, before, after, key_of(schema, row), receipt(row)))
    if not updates:
        return None
    note = f"references to {count(len(old), 'row')} of {target} change"
    return Plan(endpoint, schema, tuple(updates), notes=(note,))


def _column(schema: Schema, path: str) -> str:
    """Return the column of a frame that holds a reference."""
    return next(name for name in schema.columns if path == name or path.startswith(f"{name}."))


def _schemas(client: Client) -> Iterator[Schema]:
    for document in client.schemas.fetch_all({"sort": "name"}):
        yield parse_schema(document)


def _paths(schema: Schema, target: str) -> list[str]:
    return [path for path, name in reference_fields(schema) if name == target]


def _needed(schema: Schema, paths: Iterable[str]) -> list[str]:
    """Return the fields to ask for: these, and the key."""
    return list(dict.fromkeys(path for path in (schema.key, *paths) if path is not None))


def _remembered(
    client: Client, schema: str, ids: set[str], progress: Any
) -> dict[str, tuple[Any, str | None]]:
    """Return the keys that rows had, by their commits, and the `_id`s that have these keys today."""
    try:
        definition = schema_of(client, schema)
    except ValueError:  # the schema is gone, too
        return dict.fromkeys(ids, (None, None))
    endpoint = client.entities(schema)

    def key(watched: Endpoint, id_: str) -> Any:
        commits = commits_of(watched, id_)
        is_gone = commits and commits[0]["action"] == "delete"
        return key_of(definition, commits[0]["commit_data"]) if is_gone else None

    was = dict(each(endpoint, key, sorted(ids), progress=progress, desc=f"{schema} commits"))
    if definition.key is None:
        return dict.fromkeys(ids, (None, None))
    keys = sorted({one for one in was.values() if one is not None}, key=str)
    today = {
        key_of(definition, row): row["_id"]
        for row in read(endpoint, definition.key, keys, fields=[definition.key])
    }
    return {id_: (one, today.get(one)) for id_, one in was.items()}


def _ids(ids: Iterable[str]) -> list[str]:
    if isinstance(ids, str):
        raise no_list("ids", ids)
    return list(dict.fromkeys(str(id_) for id_ in ids))
