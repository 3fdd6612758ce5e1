"""The plan that puts back what somebody changed, and spares what others changed later."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from .cast import equal
from .changes import Change, Conflict, Create, Delete, Problem, Update
from .entity import receipt, stored, values_of
from .plan import Plan
from .replay import edits, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .edits import Changes
    from .replay import Edit, Step
    from .schema import Schema


def revert(changes: Changes) -> Plan:
    """Return the plan that gives cells the values they had before these changes.

    A cell that was changed again since, by a change that is not among these, is a conflict: `plan.conflicts`
    names it, and a push leaves it alone unless `on_conflict="mine"` says otherwise. Rows that these changes
    created are deleted; rows that they deleted are created again, with a new `_id`. A cell that somebody else
    changed between two of these changes gets that person's value.

    Nothing is written: read the plan, push it; its push can be undone like any other.

    Args:
        changes: From `sp.changes`, perhaps narrowed by `.only(...)`.

    Example:
        >>> found = changes(client.entities("host"), since="2001-01-01T00:00Z", by="nobody", progress=False)
        >>> len(revert(found))
        0
    """
    schema = changes.schema
    chosen: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for edit in changes.edits:
        chosen[edit.id].add((edit.field, edit.at))
    plans: list[Change] = []
    conflicts: list[Conflict] = []
    problems: list[Problem] = []
    again = 0
    for id_, wanted in chosen.items():
        steps = changes.history[id_]
        change, clashes, faults = _row(schema, id_, steps, wanted)
        again += isinstance(change, Create)
        if change is not None:
            plans.append(change)
        conflicts += clashes
        problems += faults
    notes = (
        ["takes back changes of " + ", ".join(sorted({edit.by for edit in changes.edits}))] if plans else []
    )
    if again:
        notes.append(
            f"{again} deleted rows come back with a new _id: what referred to them has to be re-pointed"
        )
    return Plan(
        changes.endpoint,
        schema,
        tuple(plans),
        faults=tuple(problems),
        clashes=tuple(conflicts),
        notes=tuple(notes),
    )


def _row(
    schema: Schema, id_: str, steps: Sequence[Step], wanted: set[tuple[str, int]]
) -> tuple[Change | None, list[Conflict], list[Problem]]:
    newest = steps[0]
    now = newest.after
    meant = [step for step in steps if any(at == step.at for _, at in wanted)]
    if any(step.action == "insert" for step in meant):
        if now is None:
            return None, [], []
        last = meant[0].after or {}
        values = {field.path: stored(field, last) for field in schema.fields}
        made = Delete(id_, values, key_of(schema, newest), receipt(now) if meant[0] is newest else None)
        return made, [], []
    if any(step.action == "delete" for step in meant):
        gone = next(step for step in meant if step.action == "delete")
        values = {
            path: value
            for path, value in values_of(schema, gone.before or {}).items()
            if not path.startswith("_sis.") or path == "_sis.owner"
        }
        return Create(id_, values, key_of(schema, gone)), [], []
    return _cells(schema, id_, steps, wanted)


def _cells(
    schema: Schema, id_: str, steps: Sequence[Step], wanted: set[tuple[str, int]]
) -> tuple[Change | None, list[Conflict], list[Problem]]:
    chains: dict[str, list[Edit]] = defaultdict(list)
    for step in steps:
        for edit in edits(schema, step):
            chains[edit.field].append(edit)
    key = key_of(schema, steps[0])
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    conflicts: list[Conflict] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(path for path, _ in sorted(wanted)):
        chain = chains[path]  # the newest first
        if not all(edit.known for edit in chain):
            problems.append(Problem(id_, "the schema has lost this field since", path, None, key))
            continue
        start = next(i for i, edit in enumerate(chain) if (path, edit.at) in wanted)
        end = start
        while end + 1 < len(chain) and (path, chain[end + 1].at) in wanted:
            end += 1
        base, target, theirs = chain[start].after, chain[end].before, chain[0].after
        field = schema.field(path)
        if equal(field, target, theirs):
            continue
        before[path], after[path] = base, target
        if not equal(field, base, theirs):
            conflicts.append(Conflict(id_, path, base, target, theirs, key))
    if not after or steps[0].after is None:
        return None, [], problems
    return Update(id_, before, after, key, receipt(steps[0].after)), conflicts, problems
