"""A plan as blocks: the head says what and where; equal changes of a long one; cells; what is in the way."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Call, Message
from sispy.text import WIDTH, shorten

from ..formats.options import ReadKeywords
from ..values.blocks import SHOWN, Column, Lines, Table, alike, as_object, count, name_of, names_of, show
from ..values.changes import Change, Create, Delete, action_of
from ..values.schema import META
from ..values.times import brief
from ..values.types.cells import Refused
from .change_set import FREE_DELETES
from .groups import SUCH_AS, WHOLE_ROW, grouped
from .plan_file import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sispy.remedies import Remedy

    from ..values.blocks import Block
    from ..values.changes import Conflict, Problem
    from ..values.types.base import Field
    from .change_set import ChangeSet, Origin
    from .groups import Cell, Grouped, Split

_SIGNS = {"update": "~", "create": "+", "delete": "-"}
_ANY_CASE = Argument("ignore_case", "takes values of an enum in any case", True)
_LONE = 3
"""Lines about cells that are the only one of their kind."""
_READING = frozenset(ReadKeywords.__annotations__)
"""Names of the options of reading."""


def blocks(plan: ChangeSet, shown: int | None = SHOWN, split: Split | None = None) -> list[Block]:
    """Return what there is to see of a plan.

    Equal changes come first where a plan is long, those that only one row has stand for themselves, and so
    does each row to be deleted.

    Args:
        plan: The plan.
        shown: Cells that will be shown; None: all of them.
        split: A column by which the groups of equal changes are split; a short plan has groups then, too.
    """
    parts: list[Block] = [
        Lines(tuple(head(plan))),
        *_changes(plan, shown, split),
        Lines(tuple(kinds(plan))),
        problems(plan, shown),
        stale_rows(plan),
        conflicts(plan.conflict_list),
    ]
    return list(filter(len, parts))


def first_of_many(plan: ChangeSet, shown: int | None = SHOWN) -> list[Block]:
    """Return what there is to see of a plan that has few of its changes, and counts all."""
    found = plan.grouped
    cells = found.rare[:shown]
    told = sum(map(len, found.groups)) + len(cells)
    parts: list[Block] = [
        Lines(tuple(head(plan))),
        groups(found, _names(plan)),
        _cells(plan, cells, beside=plan.counts["cells"] + plan.counts["deletes"] - told),
        Lines(tuple(kinds(plan))),
        problems(plan),
        stale_rows(plan),
        conflicts(plan.conflict_list),
    ]
    return list(filter(len, parts))


def _changes(plan: ChangeSet, shown: int | None, split: Split | None) -> list[Block]:
    found = plan.grouped if split is None else grouped(plan.changes, split)
    if split is None and len(found) <= SHOWN:
        return [_cells(plan, shown_cells(plan))]
    if shown is None:
        return [groups(found, _names(plan)), _cells(plan, shown_cells(plan))]
    told = found.rare[:shown]
    every = Message(f"{count(len(found), 'cell')} in all", Call(".frame()", "shows each", ("--all",)))
    return [
        groups(found, _names(plan)),
        Lines(tuple(_unlike(found)) if len(found.rare) > len(told) else ()),
        _cells(plan, told, beside=len(found.rare) - len(told)),
        Lines((every,) if len(found) > len(told) else ()),
    ]


def kinds(plan: ChangeSet) -> list[Message]:
    """Return a line for each kind of cells that an option of reading would solve.

    Of cells that are the only one of their kind the first few have a line, but where their reason has it.
    """
    groups: dict[str, tuple[list[Problem], tuple[Remedy, ...]]] = {}
    fields = {field.path: field for field in (*plan.schema.fields, *META)}
    for problem in plan.problem_list:
        remedies = _options(
            problem, fields.get(problem.column or ""), is_of_file=plan.origin.source is not None
        )
        if remedies:
            groups.setdefault(Message("", *remedies), ([], remedies))[0].append(problem)
    lone = [found for found, _ in groups.values() if len(found) == 1 and not _says_what_to_do(found[0])][
        :_LONE
    ]
    told = (group for group in groups.values() if len(group[0]) > 1 or group[0] in lone)
    return [Message(_alike(found), *remedies) for found, remedies in told]


def _says_what_to_do(problem: Problem) -> bool:
    """Return whether the reason of a problem says what to do."""
    return isinstance(problem.reason, Message) and bool(problem.reason.remedies)


def _options(problem: Problem, field: Field | None, *, is_of_file: bool) -> tuple[Remedy, ...]:
    """Return the options of reading that would solve a problem: its reason names them, or its type does."""
    if isinstance(problem.reason, Message):
        told = problem.reason.remedies
        return tuple(one for one in told if isinstance(one, Argument) and one.name in _READING)
    value = problem.value
    if field is not None and field.item and field.item.ref and isinstance(value, list):
        field, value = field.item, next((one for one in value if isinstance(one, str)), None)
        value = value if value is None else Refused(value, problem.reason)
    if field is None or not isinstance(value, str):
        return ()
    if is_of_file and field.enum and value not in field.enum and field.kind.typed(value) in field.enum:
        return (_ANY_CASE,)
    return field.kind.remedies(value) if isinstance(value, Refused) else ()


def _alike(found: list[Problem]) -> str:
    columns = {problem.column for problem in found}
    numbers = [p.row if isinstance(p.row, int) else p.line for p in found[:2]]
    rows = [name_of(p) if n is None else f"row {n}" for p, n in zip(found, numbers, strict=False)]
    where = f"{count(len(found), 'cell')} in {count(len(columns), 'column')}"
    verb = "look" if len(found) > 1 else "looks"
    return f"{where} {verb} like {show(found[0].value)} ({', '.join(dict.fromkeys(rows))})"


def object_of(
    plan: ChangeSet, told: Callable[[str], str] = str, split: Split | None = None
) -> dict[str, Any]:
    """Return a plan as a JSON object: server, counts, notes, groups, every cell, and what is in the way."""
    facts = {
        "table": plan.schema.name,
        "server": plan.endpoint.client.url,
        "user": plan.endpoint.client.username,
        "counts": plan.counts,
        "sendable": plan.sendable,
        "notes": [told(note) for note in plan.notes],
        "digest": digest(plan),
        "made": asdict(plan.origin),
    }
    found = plan.grouped if split is None else grouped(plan.changes, split)
    tables = [groups(found, {}), every_cell(plan), problems(plan, None), stale_rows(plan)]
    return as_object(facts, [*tables, conflicts(plan.conflict_list)], told=told)


def every_cell(plan: ChangeSet) -> Table:
    """Return the table of all cells of a plan, those of deleted rows among them; values exact."""
    return _cells(replace(plan, arrivals={}, names={}), list(plan.cells()))


def head(plan: ChangeSet) -> list[str]:
    """Return the lines that say where the plan goes and how much of it can be sent."""
    n, sent = plan.counts, plan.sendable
    rows = ", ".join(_share(sent[f"{verb}s"], n[f"{verb}s"], verb) for verb in ("update", "create", "delete"))
    can = " can be sent" if n["problems"] else ""
    lines: list[str] = [
        f"{plan.schema.name} {whereabouts(plan)}: {rows}{can} ({count(sent['cells'], 'changed cell')})"
    ]
    if made := _made(plan.origin):
        lines.append(made)
    new = (change for change in plan.changes if isinstance(change, Create)) if n["creates"] else ()
    if any("_sis.owner" not in change.values for change in new):
        owners = f"owned by {', '.join(plan.owner)}" if plan.owner else _default_owner(plan)
        lines.append(Message("new rows will be ", owners))
    if n["deletes"] > FREE_DELETES:
        stating = Argument("expect_deletes", "does so", n["deletes"])
        lines.append(Message(f"{n['deletes']:,} deletes have to be confirmed", stating))
    if n["problems"]:
        bad = len({problem.row for problem in plan.problem_list})
        text = f"{count(bad, 'row')} {'has' if bad == 1 else 'have'} problems"
        lines.append(Message(text, Call(".problems", "names them")))
    if n["stale"]:
        lines.append(f"{count(n['stale'], 'stale row')}: not sent")
    if n["conflicts"]:
        text = f"{count(n['conflicts'], 'cell')} changed by others since"
        lines.append(Message(text, Call(".conflicts", "names them")))
    return [*lines, *plan.notes]


def _made(origin: Origin) -> str:
    """Return in words who saved a plan and when; empty for one that was not saved."""
    if origin.at is None:
        return ""
    who = show(origin.author or "an unknown user")
    of = [f"of {shorten(origin.source, WIDTH)}"] if origin.source else []
    return ", ".join([f"planned by {who}", f"{brief(origin.at)} UTC", *of, *filter(None, [origin.note])])


def _share(sent: int, n: int, noun: str) -> str:
    return count(n, noun) if sent == n else f"{sent:,} of {count(n, noun)}"


def whereabouts(plan: ChangeSet) -> str:
    """Return server and user in words, as far as they are known."""
    client = plan.endpoint.client
    user = client.username or ("the owner of the token" if client.auth_token else None)
    return f"on {client.rules.told_at(client.url)}" + (f" as {user}" if user else "")


def shown_cells(plan: ChangeSet) -> list[Cell]:
    """Return (change, field, before, after) of what there is to see: a deleted row is one line."""
    gone: list[Cell] = [
        (change, WHOLE_ROW, None, None) for change in plan.changes if isinstance(change, Delete)
    ]
    return [*(cell for cell in plan.cells() if not isinstance(cell[0], Delete)), *gone]


def action(change: Change) -> str:
    """Return the sign of a change: ~ update, + create, - delete."""
    return _SIGNS[action_of(change)]


def groups(found: Grouped, names: Mapping[str, str]) -> Table:
    """Return the table of equal changes of several rows, the most frequent first.

    Args:
        found: The changes.
        names: What rows are called that are referred to, by their ids.
    """
    split = found.split
    columns = (
        Column("", "action"),
        Column("field", "field"),
        Column("before", "before", "value"),
        Column("after", "after", "value"),
        *((Column(shorten(split.column, WIDTH), "by"),) if split else ()),
        Column("rows"),
        Column(None, "rows"),
        Column("such as"),
    )
    rows = [
        (
            *(
                _SIGNS[group.action],
                group.field,
                _with_names(group.before, names),
                _with_names(group.after, names),
            ),
            *((show(group.by),) if split else ()),
            *(f"{len(group):,}", len(group)),
            ", ".join(map(_name, group.changes[:SUCH_AS])),
        )
        for group in found.groups
    ]
    return Table(columns, rows, noun="group", name="groups", title="Equal changes")


def _unlike(found: Grouped) -> Iterable[str]:
    """Yield in words in how many rows each field changes as in no other row."""
    if found.alone:
        yield "each its own: " + ", ".join(f"{path} in {count(n, 'row')}" for path, n in found.alone.items())


def _names(plan: ChangeSet) -> Mapping[str, str]:
    """Return what people call rows that are referred to, new ones among them, by their ids."""
    return {**plan.names, **{id_: f"{key} (new)" for id_, key in plan.arrivals.items()}}


def _with_names(value: Any, names: Mapping[str, str]) -> Any:
    """Return a value with names in place of ids."""
    if not names:
        return value
    if isinstance(value, list | tuple):
        return [_with_names(member, names) for member in value]
    return names.get(value, value) if isinstance(value, str) else value


def _cells(plan: ChangeSet, cells: Sequence[Cell], *, beside: int = 0) -> Table:
    names = _names(plan)
    rows = [
        (
            *(action(change), getattr(change, "id", None), change.key, _name(change), path),
            *(_with_names(before, names), _with_names(after, names)),
        )
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
    return Table(columns, rows, noun="cell", name="cells", title="Cells", beside=beside)


def problems(plan: ChangeSet, shown: int | None = SHOWN) -> Table:
    """Return the table of what keeps rows from being sent.

    Args:
        plan: The plan.
        shown: Lines that will be shown; None: all, and then each row has its own; else what is the same of
            many rows is told once.
    """
    columns = (
        Column(None, "row"),
        Column(None, "key"),
        Column("problem in"),
        Column("column", "column"),
        Column("value", "value", "value"),
        Column("reason", "reason", "sentence"),
    )
    each = [[problem] for problem in plan.problem_list]
    found = each if shown is None else alike(plan.problem_list, _same)
    rows = [(str(p.row), p.key, names_of([p, *more]), p.column, p.value, p.reason) for p, *more in found]
    return Table(columns, rows, noun="problem", name="problems")


def _same(problem: Problem) -> tuple[str | None, str, str]:
    return problem.column, repr(problem.value), str(problem.reason)


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
    if plan.schema.is_public or plan.schema.is_open:
        return "owned by your groups"
    return Message("owned by your groups", Argument("owner", "is needed as a super user"))
