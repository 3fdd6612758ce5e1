"""Changes to several tables: in which order they can be made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, TypeVar

from sispy.text import printable

from ..values.changes import Create, Delete, Problem, Update, row_of
from ..values.labels import RefusedList, reference_columns
from ..values.references import ids_in, new_rows, reference_fields, sent_by, stand_in
from ..values.types.cells import Refused
from ..values.types.convert import cast
from .plan_file import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping

    from ..values.changes import Change
    from .change_set import ChangeSet

C = TypeVar("C", bound="ChangeSet")


def in_order(plans: Sequence[C]) -> tuple[C, ...]:
    """Return plans of different tables in the order of their references.

    Rows that others refer to are written before these, and deleted after them: a plan that does both is two
    parts then. Of tables that refer to each other their new rows alone count. If these refer to each other as
    well, what a row cannot do without goes first; the other references are problems that name the two steps.
    """
    plans = [plan for plan in plans if not plan.empty]
    if len(plans) < 2:
        return tuple(plans)
    tables = {plan.schema.name: plan for plan in plans}
    new = {name: new_rows(name, plan.changes) for name, plan in tables.items()}
    referring = {name: _referring(plan, new) for name, plan in tables.items()}
    ways: tuple[Mapping[str, set[str]], ...] = (
        {name: {target for _, target in reference_fields(plan.schema)} for name, plan in tables.items()},
        {name: {target for _, _, target, _ in cells} for name, cells in referring.items()},
        {
            name: {target for _, path, target, _ in cells if _is_needed(tables[name], path)}
            for name, cells in referring.items()
        },
    )
    names = next(filter(None, (_sorted(tables, waits) for waits in ways)), list(tables))
    for number, name in enumerate(names):
        later = names[number + 1 :]
        ahead = [cell for cell in referring[name] if cell[2] in later]
        tables[name] = tables[name].with_problems([_in_two_steps(tables[name], *cell) for cell in ahead])
    written = [_part(tables[name], deletes=False) for name in names]
    deleted = [_part(tables[name], deletes=True) for name in reversed(names)]
    return tuple(part for part in (*written, *deleted) if part is not None)


def _sorted(tables: Collection[str], waits: Mapping[str, Collection[str]]) -> list[str]:
    """Return tables, each after those that it waits for; none if some wait for each other."""
    others = {name: [other for other in waits[name] if other in tables and other != name] for name in tables}
    try:
        return list(TopologicalSorter(others).static_order())
    except CycleError:
        return []


def _referring(plan: ChangeSet, new: Mapping[str, Collection[str]]) -> list[tuple[Change, str, str, str]]:
    """Return (change, path, table, id) of each reference to a new row of another table."""
    return [
        (change, path, target, id_)
        for path, target in reference_fields(plan.schema)
        if new.get(target) and target != plan.schema.name
        for change in plan.changes
        for id_ in sorted(ids_in(sent_by(change), path) & set(new[target]))
    ]


def _is_needed(plan: ChangeSet, path: str) -> bool:
    """Return whether a row cannot be there without a reference."""
    known = next((field for field in plan.schema.fields if f"{path}.".startswith(f"{field.path}.")), None)
    return known is not None and known.required


def _in_two_steps(plan: ChangeSet, change: Change, path: str, target: str, id_: str) -> Problem:
    row = plan.arrivals.get(id_, id_)
    reason = (
        f"refers to {printable(row)}, a new row of {printable(target)}, whose new rows refer to this table "
        f"in turn: push without {printable(path)} first, then all of it once more"
    )
    return Problem(row_of(change), reason, path, row, change.key)


def with_new_rows(plans: Sequence[C]) -> tuple[C, ...]:
    """Return plans in which names of new rows, of the same or another one, are references to these.

    The problem of a name that no row has goes away if a plan creates a row with that key. An id
    stands for each such row until it has one of its own.
    """
    keys = {plan.schema.name: plan.schema for plan in plans if plan.schema.key is not None}
    named = {
        (plan.schema.name, str(change.key)): change.key
        for plan in plans
        if any(
            problem.value.__class__ in (Refused, RefusedList)
            for other in plans
            for problem in other.problem_list
        )
        for change in plan.changes
        if isinstance(change, Create) and change.key is not None
    }

    def key_of(table: str, name: Any) -> Any:
        schema = keys.get(table)
        if schema is None or not isinstance(name, Refused):
            return None
        try:
            return named.get((table, str(cast(schema.field(str(schema.key)), str(name)))))
        except ValueError:
            return None

    return tuple(_with_new_rows(plan, key_of) if named else plan for plan in plans)


def _with_new_rows(plan: C, key_of: Callable[[str, Any], Any]) -> C:
    targets = {field.path: table for field, table in reference_columns(plan.schema)}
    solved: dict[tuple[Hashable, str | None], Any] = {}
    arrivals: dict[str, Any] = {}
    for problem in plan.problem_list:
        table, several = targets.get(problem.column or ""), isinstance(problem.value, RefusedList)
        if table is None or not isinstance(problem.value, Refused):
            continue
        names = problem.value.members if isinstance(problem.value, RefusedList) else (problem.value,)
        found = [(name, key_of(table, name)) for name in names]
        if any(key is None and isinstance(name, Refused) for name, key in found):
            continue
        ids = [str(name) if key is None else stand_in(table, key) for name, key in found]
        arrivals |= {id_: key for id_, (_, key) in zip(ids, found, strict=True) if key is not None}
        solved[problem.row, problem.column] = ids if several else ids[0]
    if not solved:
        return plan
    return replace(
        plan,
        changes=tuple(_with_cells(change, solved) for change in plan.changes),
        problem_list=tuple(p for p in plan.problem_list if (p.row, p.column) not in solved),
        arrivals={**plan.arrivals, **arrivals},
    )


def _with_cells(change: Change, cells: Mapping[tuple[Hashable, str | None], Any]) -> Change:
    def put(values: Mapping[str, Any]) -> dict[str, Any]:
        return {path: cells.get((row_of(change), path), value) for path, value in values.items()}

    if isinstance(change, Create):
        return replace(change, values=put(change.values))
    return replace(change, after=put(change.after)) if isinstance(change, Update) else change


def _part(plan: C, *, deletes: bool) -> C | None:
    """Return the deletions of a plan, or all else of it; None if there is nothing."""
    changes = tuple(change for change in plan.changes if isinstance(change, Delete) == deletes)
    if len(changes) == len(plan.changes):
        return plan if changes or not deletes else None
    if not changes:
        return None
    rows = {row_of(change) for change in plan.changes if isinstance(change, Delete)}
    return replace(
        plan,
        changes=changes,
        problem_list=tuple(p for p in plan.problem_list if (p.row in rows) == deletes),
        stale=() if deletes else plan.stale,
        conflict_list=tuple(c for c in plan.conflict_list if (c.id in rows) == deletes),
        notes=() if deletes else plan.notes,
    )


def digest_of(plans: Sequence[ChangeSet]) -> str:
    """Return the fingerprint of what plans change together, in their order."""
    return joined(map(digest, plans))


def joined(digests: Iterable[str]) -> str:
    """Return the fingerprint of several in their order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
