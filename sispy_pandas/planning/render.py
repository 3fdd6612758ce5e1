"""A plan as blocks: the head says what and where; a summary if it is long; cells; what stands in the way."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sispy.remedies import Call, Message

from ..values.blocks import SHOWN, Column, Lines, Table, as_object, count, name_of, show, show_apart
from ..values.changes import Change, Create, Delete, Update
from ..values.schema import META
from ..values.types.cells import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sispy.remedies import Remedy

    from ..values.blocks import Block
    from ..values.changes import Conflict, Problem
    from .change_set import ChangeSet


def blocks(plan: ChangeSet, shown: int = SHOWN) -> list[Block]:
    """Return what there is to see of a plan.

    Args:
        plan: The plan.
        shown: Cells that will be shown; if there are more, a summary by field precedes them.
    """
    cells = shown_cells(plan)
    summary = [_summary(plan, cells)] if len(cells) > shown else []
    parts: list[Block] = [
        Lines(tuple(head(plan))),
        *summary,
        _cells(plan, cells),
        Lines(tuple(kinds(plan))),
        problems(plan),
        stale_rows(plan),
        conflicts(plan.clashes),
    ]
    return list(filter(len, parts))


def kinds(plan: ChangeSet) -> list[Message]:
    """Return a line for each kind of cells that an option of reading would solve, if there are several."""
    known = {field.path: field for field in (*plan.schema.fields, *META)}
    groups: dict[str, tuple[list[Problem], tuple[Remedy, ...]]] = {}
    for problem in plan.faults:
        if isinstance(problem.value, Refused) and problem.column in known:
            remedies = known[problem.column].kind.remedies(problem.value)
            if remedies:
                groups.setdefault(Message("", *remedies), ([], remedies))[0].append(problem)
    return [Message(_several(found), *remedies) for found, remedies in groups.values() if len(found) > 1]


def _several(found: list[Problem]) -> str:
    columns = {problem.column for problem in found}
    rows = [f"row {p.row}" if isinstance(p.row, int) else name_of(p) for p in found[:2]]
    where = f"{count(len(found), 'cell')} in {count(len(columns), 'column')}"
    return f"{where} look like {show(found[0].value)} ({', '.join(dict.fromkeys(rows))})"


def object_of(plan: ChangeSet, told: Callable[[str], str] = str) -> dict[str, Any]:
    """Return a plan as a JSON object: server, counts, notes, every cell, problems, stale rows, conflicts."""
    facts = {
        "table": plan.schema.name,
        "server": plan.endpoint.client.url,
        "user": plan.endpoint.client.username,
        "counts": plan.counts,
        "notes": [told(note) for note in plan.notes],
    }
    tables = [every_cell(plan), problems(plan), stale_rows(plan), conflicts(plan.clashes)]
    return as_object(facts, tables, told=told)


def every_cell(plan: ChangeSet) -> Table:
    """Return the table of all cells of a plan, those of deleted rows among them."""
    return _cells(plan, list(plan.cells()))


def head(plan: ChangeSet) -> list[str]:
    """Return the lines that say where the plan goes and how much it changes."""
    n = plan.counts
    lines: list[str] = [
        f"{plan.schema.name} {whereabouts(plan)}: {count(n['updates'], 'update')}, "
        f"{count(n['creates'], 'create')}, {count(n['deletes'], 'delete')} "
        f"({count(n['cells'], 'changed cell')})"
    ]
    if n["creates"]:
        owners = f"owned by {', '.join(plan.owner)}" if plan.owner else _default_owner(plan)
        lines.append(f"new rows will be {owners}")
    if n["problems"]:
        rows = len({fault.row for fault in plan.faults})
        text = f"{count(n['problems'], 'problem')} in {count(rows, 'row')}: not sent"
        lines.append(Message(text, Call(".problems", "names them")))
    if n["stale"]:
        lines.append(f"{count(n['stale'], 'stale row')}: not sent")
    if n["conflicts"]:
        text = f"{count(n['conflicts'], 'cell')} changed by others since"
        lines.append(Message(text, Call(".conflicts", "names them")))
    return [*lines, *plan.notes]


def whereabouts(plan: ChangeSet) -> str:
    """Return server and user in words, as far as they are known."""
    client = plan.endpoint.client
    user = client.username or ("the owner of the token" if client.auth_token else None)
    return f"on {client.url}" + (f" as {user}" if user else "")


def shown_cells(plan: ChangeSet) -> list[tuple[Change, str, Any, Any]]:
    """Return (change, field, before, after) of what there is to see: a deleted row is one line."""
    gone: list[tuple[Change, str, Any, Any]] = [
        (change, "(whole row)", None, None) for change in plan.changes if isinstance(change, Delete)
    ]
    return [*(cell for cell in plan.cells() if not isinstance(cell[0], Delete)), *gone]


def action(change: Update | Create | Delete) -> str:
    """Return the sign of a change: ~ update, + create, - delete."""
    return {Update: "~", Create: "+", Delete: "-"}[type(change)]


def _summary(plan: ChangeSet, cells: list[tuple[Change, str, Any, Any]]) -> Table:
    """Return one line per field: how many cells change, and the change that is most frequent."""
    by_field: dict[str, Counter[str]] = {}
    for change, path, before, after in cells:
        text = " -> ".join(show_apart(before, after)) if isinstance(change, Update) else f"({action(change)})"
        by_field.setdefault(path, Counter())[text] += 1
    rows = []
    for path in (path for path in (*plan.fields, "(whole row)") if path in by_field):
        (most, times), *_ = by_field[path].most_common(1)
        rows.append((path, by_field[path].total(), f"{times} x {most}"))
    return Table((Column("field"), Column("cells"), Column("most frequent")), rows, noun="field")


def _cells(plan: ChangeSet, cells: list[tuple[Change, str, Any, Any]]) -> Table:
    rows = [
        (action(change), getattr(change, "id", None), change.key, _name(change), path, before, after)
        for change, path, before, after in cells
    ]
    columns = (
        Column("", "action"),
        Column(None, "_id"),
        Column(None, "key"),
        Column(plan.schema.key or "_id"),
        Column("field", "field"),
        Column("before", "before", "value"),
        Column("after", "after", "value"),
    )
    return Table(columns, rows, noun="cell", name="cells", rest=Call(".frame()", "has all of them"))


def problems(plan: ChangeSet) -> Table:
    """Return the table of what keeps rows from being sent."""
    columns = (
        Column(None, "row"),
        Column(None, "key"),
        Column("problem in"),
        Column("column", "column"),
        Column("value", "value", "value"),
        Column("reason", "reason", "sentence"),
    )
    rows = [(str(p.row), p.key, name_of(p), p.column, p.value, p.reason) for p in plan.faults]
    return Table(columns, rows, noun="problem", name="problems")


def conflicts(found: Iterable[Conflict]) -> Table:
    """Return the table of conflicts: base, mine and theirs of each cell."""
    columns = (
        Column(None, "_id"),
        Column(None, "key"),
        Column("conflict in"),
        Column("field", "field"),
        *(Column(name, name, "value") for name in ("base", "mine", "theirs")),
    )
    rows = [(c.id, c.key, name_of(c), c.field, c.base, c.mine, c.theirs) for c in found]
    return Table(columns, rows, noun="conflict", name="conflicts")


def stale_rows(plan: ChangeSet) -> Table:
    """Return the table of rows that somebody has written since they were read."""
    columns = (
        Column(None, "_id"),
        Column(None, "key"),
        Column("stale row"),
        Column("reason", "reason", "sentence"),
    )
    rows = [(s.id, s.key, name_of(s), s.reason) for s in plan.stale]
    return Table(columns, rows, noun="stale row", name="stale")


def _name(change: Change) -> str:
    return f"new row {change.row}" if isinstance(change, Create) and change.key is None else name_of(change)


def _default_owner(plan: ChangeSet) -> str:
    owners = ", ".join(plan.schema.owner)
    if plan.schema.is_public or plan.schema.is_open:
        return "owned by your groups"
    return f"owned by those of your groups that are among {owners} (of a super user: by nobody)"
