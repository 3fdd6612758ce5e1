"""What others wrote to rows since a push wrote to them: an undo of that push spares it.

The guard of a push compares values, and so does not see a cell that was changed and changed back, nor whose
write it was. The history knows both, of schemas that keep one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..pushing.earlier import came_back
from ..reading.commits import Step, edits, steps_since
from ..reading.lookup import each, read
from ..values.changes import Conflict, Create, Delete, Update
from ..values.entity import EDITABLE_META, receipt, stored
from ..values.progress import BRIEF
from ..values.references import aimed
from ..values.types.cells import get_path
from ..values.types.equality import equal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sispy import Endpoint

    from ..reading.commits import Edit
    from ..values.changes import Change
    from ..values.schema import Schema


def spared(
    endpoint: Endpoint,
    schema: Schema,
    changes: Sequence[Change],
    user: str | None,
    senders: Collection[str] = (),
    *,
    progress: Any = False,
) -> tuple[list[Change], tuple[Conflict, ...]]:
    """Return the changes of an undo so that they are in conflict with all that others wrote since, and where.

    It costs one list of the rows, and the commits of those that were written to since.

    Args:
        endpoint: Of the table.
        schema: Of the table.
        changes: Updates and deletes whose `before` and `receipt` are what the push left.
        user: Who pushed; where the history shows the write itself, it knows better.
        senders: Who else is known to have sent rows of the push: others' commits are none of its writes.
        progress: As `progress.bar` takes it; what takes no second has no bar.

    Raises:
        sispy.Error: The server could not be asked.
    """
    written = {change.id: change for change in changes if isinstance(change, Update | Delete)}
    if not schema.track_history or not written:
        return list(changes), ()
    found = {entity["_id"]: entity for entity in read(endpoint, "_id", list(written))}
    start: dict[str, int] = {}
    for id_, now in found.items():
        change = written[id_]
        since = change.receipt if isinstance(change, Update) else get_path(now, "_sis._created_at")
        if since is not None and since != receipt(now):
            start[id_] = int(since)

    def steps_of(watched: Endpoint, id_: str) -> tuple[Step, ...] | str:
        return steps_since(watched, id_, found[id_], start[id_])

    authors = {name for name in (user, *senders) if name}
    back = came_back(endpoint.client.url) if any(isinstance(written[id_], Delete) for id_ in start) else {}
    ids = {old: one.id for old, one in back.items()}
    conflicts: list[Conflict] = []
    read_commits = each(
        endpoint, steps_of, list(start), progress=progress, desc=f"{schema.name} commits", delay=BRIEF
    )
    for id_, steps in read_commits:
        change, now = written[id_], found[id_]
        if isinstance(steps, str):
            continue  # a history with holes: the guard of the push is what is left
        if isinstance(change, Update):
            written[id_], more = _update(schema, change, steps, now, user, authors)
        else:
            written[id_], more = _delete(schema, change, steps, now, ids)
        conflicts += more
    left = (change if isinstance(change, Create) else written[change.id] for change in changes)
    return list(left), tuple(conflicts)


def _update(
    schema: Schema,
    change: Update,
    steps: Sequence[Step],
    now: Mapping[str, Any],
    user: str | None,
    authors: Collection[str],
) -> tuple[Update, list[Conflict]]:
    own = [step for step in reversed(steps) if not authors or step.by in authors]
    mine = next((step for step in own if _is_write(schema, step, change)), None)
    if mine is not None:
        first = _first_edits(schema, steps[: steps.index(mine)], mine.by)
    else:  # without a name, nothing tells whose the commit of that very moment is
        first = _first_edits(schema, [s for s in steps if user or s.at != change.receipt], user)
    before = dict(change.before)
    conflicts: list[Conflict] = []
    for path in first.keys() & change.after.keys():
        field, theirs = schema.field(path), stored(schema.field(path), now)
        if equal(field, theirs, change.after[path]):
            continue
        if equal(field, theirs, before[path]):  # written since, and back: the guard sees it by another value
            edit = first[path]
            before[path] = edit.before if equal(field, edit.after, theirs) else edit.after
        conflicts.append(Conflict(change.id, path, before[path], change.after[path], theirs, change.key))
    return replace(change, before=before), conflicts


def _delete(
    schema: Schema, change: Delete, steps: Sequence[Step], now: Mapping[str, Any], ids: Mapping[str, str]
) -> tuple[Delete, list[Conflict]]:
    made = next((step for step in steps if step.action == "insert"), None)
    if made is None or made.after is None:
        return change, []
    first = _first_edits(schema, steps[: steps.index(made)], made.by)
    base = {path: edit.before for path, edit in first.items()}
    for path in EDITABLE_META:  # whose change that was, no commit tells
        then, meta = stored(schema.field(path), made.after), schema.field(path)
        if not equal(meta, then, stored(meta, now)):
            base[path] = then
    if base:
        conflicts = [
            Conflict(change.id, path, value, None, stored(schema.field(path), now), change.key)
            for path, value in base.items()
        ]
        return replace(change, before={**change.before, **base}, receipt=made.at), conflicts
    inserted = aimed(schema, {field.path: stored(field, made.after) for field in schema.fields}, ids)
    as_made = any(
        all(equal(field, cells.get(field.path), stored(field, now)) for field in schema.fields)
        for cells in (inserted, change.before)
    )
    # its maker wrote to it and took that back, as undos do in turn, or points to rows that came back
    return (replace(change, receipt=receipt(now)) if as_made else change), []


def _is_write(schema: Schema, step: Step, change: Update) -> bool:
    """Return whether a commit is the write that an undo takes back."""
    after = step.after or {}
    return (
        step.at == change.receipt
        and any(edit.field in change.before for edit in edits(schema, step))
        and all(
            equal(schema.field(path), stored(schema.field(path), after), value)
            for path, value in change.before.items()
        )
    )


def _first_edits(schema: Schema, steps: Sequence[Step], author: str | None) -> dict[str, Edit]:
    """Return field -> the first change of it that somebody else made; steps are the newest first."""
    return {
        edit.field: edit for step in steps if step.by != author for edit in edits(schema, step) if edit.known
    }
