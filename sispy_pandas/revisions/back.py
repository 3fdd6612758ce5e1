"""Rows that were deleted and came back: under which `_id`, and with which references.

Pushes of this machine remember old and new `_id`s. A row cannot be created with a reference to a row that is
gone: it comes back without, and gets the reference by the next undo once that row is back, too. So do rows of
two tables that refer to each other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..pushing.earlier import bringing, came_back
from ..reading.lookup import missing, read
from ..values.blocks import count
from ..values.changes import Create, Delete, Update
from ..values.entity import EDITABLE_META, key_of, stored
from ..values.references import aimed, ids_in, reference_fields
from ..values.types.convert import is_blank
from ..values.types.equality import equal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sispy import Client, Endpoint

    from ..pushing.earlier import Sent
    from ..values.changes import Change, Conflict
    from ..values.schema import Schema


def without_gone(
    endpoint: Endpoint,
    schema: Schema,
    changes: Iterable[Change],
    *,
    again: str,
    coming: Collection[str] = (),
) -> tuple[list[Change], list[str]]:
    """Leave references to rows that are gone out of new rows, where they can be created without.

    Args:
        endpoint: Of the table.
        schema: Of the table.
        changes: Of one plan.
        again: What puts them in once those rows are back.
        coming: Rows that come back together with these, by the `_id`s that they had.

    Raises:
        sispy.Error: The server could not be asked.
    """
    changes = list(changes)
    gone = _gone(endpoint.client, schema, [c.values for c in changes if isinstance(c, Create)])
    gone[schema.name] -= {str(change.row) for change in changes if isinstance(change, Create)}
    gone = {target: ids.difference(coming) for target, ids in gone.items()}
    left: Counter[str] = Counter()
    found: list[Change] = []
    for change in changes:
        if isinstance(change, Create):
            values = _without(schema, change.values, gone)
            for path, target in reference_fields(schema):
                left[target] += len(ids_in(change.values, path) - ids_in(values, path))
            change = replace(change, values=values, lacks=_more(schema, change.values, values))
        found.append(change)
    return found, [
        f"left out: {count(n, 'reference')} to rows of {target} that are deleted; "
        f"once those are back, {again} puts them in"
        for target, n in left.items()
        if n
    ]


def from_what_came(
    endpoint: Endpoint, schema: Schema, changes: Iterable[Change], conflicts: Iterable[Conflict]
) -> tuple[list[Change], set[str]]:
    """Let updates of rows that came back begin at what these came back with, where they lack something still.

    Else they would be in conflict with a write that nobody made. With the changes go the journals of the
    pushes that brought those rows back.

    Args:
        endpoint: Of the table.
        schema: Of the table.
        changes: Of one plan; rows go by their `_id`s of today.
        conflicts: Cells that somebody wrote to since; these stay as they are.
    """
    known, changes = came_back(endpoint.client.url), list(changes)
    ids = {old: one.id for old, one in known.items()}
    first = {one.id: old for old, one in reversed(known.items())}
    olds = [first[change.id] for change in changes if isinstance(change, Update) and change.id in first]
    steps = bringing(endpoint.client.url, olds) if olds else {}
    foreign = {(conflict.id, conflict.field) for conflict in conflicts}
    found: list[Change] = []
    journals: set[str] = set()
    for change in changes:
        if isinstance(change, Update) and (old := first.get(change.id)) in steps:
            waiting, instead = _unlike(schema, *reversed(_came(schema, steps[old], ids)))
            waiting = {path: value for path, value in waiting.items() if path in change.before}
            other, _ = _unlike(schema, waiting, change.before)
            lacked = {p: instead[p] for p in waiting if p not in other and (change.id, p) not in foreign}
            if lacked:
                journals.add(str(known[old].undo.path))
                change = replace(change, before={**change.before, **lacked})
        found.append(change)
    return found, journals


def lacking(
    endpoint: Endpoint,
    schema: Schema,
    back: Mapping[str, Mapping[str, tuple[Any, Any]]],
) -> tuple[list[Change], list[str], tuple[str, ...]]:
    """Return the changes that complete rows which came back without all that they shall be.

    A row gets what the push that brought it back could not put in, and loses what is taken back now of what
    it came back with. What it came back without although nothing was in the way was taken out on purpose, and
    stays out. References that still lead nowhere stay away. With the changes go a note and the journals of
    the pushes that brought the rows back.

    Args:
        endpoint: Of the table.
        schema: Of the table.
        back: The rows: old `_id` -> path -> (what was deleted with it, what it shall hold) of the cells that
            are taken back besides the deletion.

    Raises:
        sispy.Error: The server could not be asked.
    """
    known = came_back(endpoint.client.url)
    ids = {old: one.id for old, one in known.items()}
    by = {one.id: str(one.undo.path) for one in known.values()}
    lack: list[Update] = []
    for old, steps in bringing(endpoint.client.url, back).items():
        held, meant = _came(schema, steps, ids)
        left, shall = (aimed(schema, {p: ends[n] for p, ends in back[old].items()}, ids) for n in (0, 1))
        kept, _ = _unlike(schema, left, meant)
        target = meant | {path: value for path, value in shall.items() if path not in kept}
        after, before = _unlike(schema, target, held)
        lack.append(Update(ids[old], before, after, receipt=steps[-1][1].receipt))
    gone = _gone(endpoint.client, schema, [update.after for update in lack])
    there = {row["_id"]: row for row in read(endpoint, "_id", [update.id for update in lack if update.after])}
    changes: list[Update] = []
    for update in (one for one in lack if one.id in there):
        row = there[update.id]
        after = _without(schema, update.after, gone)
        after, _ = _unlike(schema, after, {path: stored(schema.field(path), row) for path in after})
        if after:
            before = {path: update.before[path] for path in after}
            lacks = _more(schema, {path: update.after[path] for path in after}, after)
            changes.append(replace(update, before=before, after=after, lacks=lacks, key=key_of(schema, row)))
    note = f"completes {count(len(changes), 'row')} that came back"
    completes = tuple(sorted({by[update.id] for update in changes}))
    return list(changes), [note] if changes else [], completes


def _came(
    schema: Schema, steps: Iterable[Sent], ids: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return with what cells a row came back, and with what it was to; their references are today's."""
    known = {*schema.columns, *EDITABLE_META}

    def today(cells: Mapping[str, Any]) -> dict[str, Any]:
        return aimed(schema, {path: value for path, value in cells.items() if path in known}, ids)

    held: dict[str, Any] = {}
    meant: dict[str, Any] = {}
    for change, entry in steps:
        written = today({path: after for path, (_, after) in entry.written.items()})
        if isinstance(change, Update) and entry.word in ("done", "unchanged"):
            written |= today(change.after)  # also what was so before
        lacks = {} if isinstance(change, Delete) else today(change.lacks)
        if isinstance(change, Create):  # what it lacked when it was deleted once more it lacks still
            said = today(change.values) | lacks
            waiting, instead = _unlike(schema, meant, held)
            changed, _ = _unlike(schema, instead, said)
            held, meant = written, said | {p: value for p, value in waiting.items() if p not in changed}
        else:
            held |= written
            meant |= written | {path: value for path, value in lacks.items() if path in written}
    return held, meant


def _unlike(
    schema: Schema, one: Mapping[str, Any], other: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return of the cells of one those that the other has not the same, and what it has there."""
    paths = [path for path, value in one.items() if not equal(schema.field(path), value, other.get(path))]
    return {path: one[path] for path in paths}, {path: other.get(path) for path in paths}


def _more(schema: Schema, cells: Mapping[str, Any], fewer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells that hold more references than in `fewer`."""
    return _unlike(schema, cells, fewer)[0]


def _gone(client: Client, schema: Schema, rows: Collection[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Return the rows that are referred to and do not exist, by the name of their schema."""
    meant: dict[str, set[str]] = {schema.name: set()}
    for path, target in reference_fields(schema):
        meant.setdefault(target, set()).update(id_ for values in rows for id_ in ids_in(values, path))
    return {target: missing(client, target, ids) for target, ids in meant.items()}


def _without(schema: Schema, values: Mapping[str, Any], gone: Mapping[str, set[str]]) -> dict[str, Any]:
    """Return cells without references to rows that are gone, but for those that have to be there."""
    left = aimed(schema, values, dict.fromkeys(set().union(*gone.values())))
    return {
        path: value if is_blank(left[path]) and schema.field(path).required else left[path]
        for path, value in values.items()
        if not is_blank(left[path]) or is_blank(value) or schema.field(path).required
    }
