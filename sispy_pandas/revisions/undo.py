"""Plans made from a journal that take a push back, and what its commits tell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

from sispy.remedies import Call, Message

from ..planning.plan_file import digest
from ..planning.validate import refused
from ..pushing.earlier import came_back, pairs, taken_back
from ..pushing.journal import fate_unknown, resuming, short
from ..pushing.parts import lost_parts, parts_of
from ..pushing.record import Entry, Record, read, schema_in, together_of
from ..pushing.verify import is_open
from ..values.blocks import count
from ..values.changes import Change, Create, Delete, Outcome, Update, action_of, row_of
from ..values.entity import as_created
from ..values.times import clock, iso
from ..workflow.objects import Plan, Report
from ..workflow.parts import Plans, Reports
from ..workflow.plan_parts import PlanParts
from ..workflow.rest import at_today
from ..workflow.saved import read_plan
from ..workflow.series import PartsReport
from .back import from_what_came, lacking, without_gone
from .dangling import referrers
from .spared import spared
from .together import together

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from threading import Event

    from sispy import Client

    from ..values.changes import Word

    Source = Report | str | Path


@overload
def undo(source: Report, client: Client | None = None, *, progress: Any = True) -> Plan: ...


@overload
def undo(source: Sequence[Report], client: Client | None = None, *, progress: Any = True) -> Plan | Plans: ...


@overload
def undo(source: PartsReport, client: Client | None = None, *, progress: Any = True) -> PlanParts: ...


@overload
def undo(
    source: Reports | str | Path | Sequence[Source], client: Client | None = None, *, progress: Any = True
) -> Plan | Plans | PlanParts: ...


def undo(
    source: Source | Reports | Sequence[Source], client: Client | None = None, *, progress: Any = True
) -> Plan | Plans | PlanParts:
    """Return the plan that puts back what a push changed; cells that others wrote since are left alone.

    Of several pushes, given with the oldest first, it takes back all at once, and so it does of a push of
    several tables, whichever of its journals is named: these are Plans then. Of a push that was made part by
    part, by `push_parts`, the parts are taken back one after the other, the last one first, in the memory of
    one: these are PlanParts.

    Where the schema keeps history, a cell that others wrote since is left alone also if it holds the same
    value again: `plan.conflicts` names it.

    It is a plan like any other: read it, narrow it by `only`, push it; its push can be undone as well. Rows
    that were created are deleted, unless somebody else wrote to them. Rows that were deleted are created
    again, with a new `_id`: references to the old one stay dangling until they are changed. A reference of
    theirs to a row that is gone is left out; once that row is back, the undo of the same push puts it in.

    An enum that was blank before cannot be blank again: the server refuses null for it. Such a cell is a
    problem of the plan; `undo(...).without(fields=[...])` puts back the others of its row.

    Args:
        source: The report, or its journal, which also covers what `resume` did; or several. A report of one
            table alone stands for that table alone.
        client: For the server of the journal; without one, the report's, or the profile with that address.
        progress: As in `fetch`, of the reading of what others wrote since; what takes no second has no bar.

    Raises:
        ValueError: Whether some of its rows arrived is not known: `resume` it first. Or it is not a journal,
            or there is no client for its server. Or the schema has lost a field of the push or gives it
            another type: then `sp.revert(sp.changes(...))` is the way back for the others.
        sispy.Error: The server could not be asked.

    Example:
        >>> report = live.diff(live.frame().tail(1).assign(notes="undone")).push(progress=False)
        >>> undo(report).push(progress=False).counts["done"]
        1
    """
    if isinstance(source, PartsReport):
        client = client or next((report.plan.endpoint.client for report in source), None)
        return _in_parts(source.journals, client)
    if isinstance(source, str | Path) and (part := together_of(Path(source))) and part[2] is None:
        return _in_parts(parts_of(Path(source)), client)
    given = source.reports if isinstance(source, Reports) else source
    several: Sequence[Source] = [given] if isinstance(given, Report | str | Path) else given
    pushes: list[_Pushed] = []
    for one in several:
        parts = [one] if isinstance(one, Report) else parts_of(Path(one))
        pushes += _noted([_pushed(part, client) for part in parts], one)
    for newer in reversed(pushes):
        for older in pushes:
            if older.name in newer.plan.undoes:
                _cancel(older, newer)
    by_table: dict[tuple[str, str], list[_Pushed]] = {}
    for pushed in pushes:
        table = pushed.plan.endpoint.client.url, pushed.plan.schema.name
        by_table.setdefault(table, []).append(pushed)
    coming = {str(row) for pushed in pushes for row in pushed.left if pushed.brings_back(row)}

    def plan_of(table: tuple[str, str], coming: Collection[str]) -> Plan:
        return _sendable(reduce(together, (_undone(pushed, progress) for pushed in by_table[table])), coming)

    plans = {table: plan_of(table, coming) for table in by_table}
    if len(plans) == 1:
        return next(iter(plans.values()))
    found = Plans.of(*plans.values())
    refused = Counter(plan.schema.name for plan in found for _ in plan.problem_list)
    # of rows that refer to each other some are put in by another undo
    apart = [table for table, plan in plans.items() if refused[table[1]] > len(plan.problem_list)]
    return Plans.of(*(plans | {table: plan_of(table, ()) for table in apart}).values()) if apart else found


def _noted(pushes: Sequence[_Pushed], source: Source) -> list[_Pushed]:
    """Return the parts of a push; the first says which are left out."""
    first, *others = pushes
    lost = [] if isinstance(source, Report) else lost_parts(Path(source))
    return [replace(first, notes=(*first.notes, *lost)), *others]


def _in_parts(journals: Sequence[Path], client: Client | None) -> PlanParts:
    """Return the plans that take back a push in parts, each made when it is asked for."""

    def plans() -> Iterator[Plan]:
        for path in reversed(journals):
            pushed = _pushed(path, client)
            if path == journals[-1]:
                (pushed,) = _noted([pushed], path)
            coming = {str(row) for row in pushed.left if pushed.brings_back(row)}
            yield _sendable(_undone(pushed, False), coming)

    return PlanParts(plans, leans=len(set(map(schema_in, journals))) > 1)


@dataclass
class _Pushed:
    """A push that is to be taken back."""

    name: str
    """What its undo is said to undo."""
    plan: Plan
    entries: Mapping[Any, Entry]
    user: str | None
    left: dict[Any, Entry]
    """The entries that nothing took back yet."""
    notes: tuple[str, ...] = ()
    back: dict[str, Mapping[str, tuple[Any, Any]]] = field(default_factory=dict)
    """Deleted rows that came back, with the cells of which more is known now: what the push had read, and
    what was there."""

    def brings_back(self, row: Any) -> bool:
        """Return whether its undo creates a row again."""
        return (self.left[row].action, self.left[row].word) == ("delete", "done")


def _pushed(source: Source, client: Client | None) -> _Pushed:
    if isinstance(source, Report):
        if source.journal is None:
            entries = {o.row: Entry.of(o) for o in source.outcomes}
            return _Pushed(digest(source.plan), source.plan, entries, source.user, dict(entries))
        client = client or source.plan.endpoint.client
        source = source.journal
    record = read(source)
    plan = read_plan(record.plan, client, where=str(source))
    waiting = [row for row, entry in record.entries.items() if entry.word is None]
    if waiting:
        raise ValueError(
            Message(
                f"whether {count(len(waiting), 'row')} arrived is not known",
                resuming(record.path, "finds out"),
            )
        )
    undone = taken_back(record)
    left = {row: entry for row, entry in record.entries.items() if row not in undone}
    notes = [*_undone_before(undone.values())]
    if maybe := sum(entry.ambiguous for entry in record.entries.values()):
        told = f"leaves {count(maybe, 'new row')} that may have been created"
        notes.append(Message(told, resuming(record.path, "looks for them")))
    back: dict[str, Mapping[str, tuple[Any, Any]]] = {
        row: _more_known(entry)
        for row, entry in record.entries.items()
        if entry.action == "delete" and row in undone
    }
    name, user = str(record.path.absolute()), record.begin.get("user")
    return _Pushed(name, plan, record.entries, user, left, tuple(notes), back)


def _cancel(older: _Pushed, newer: _Pushed) -> None:
    """Leave out what the newer push took back of the older one: together they changed nothing."""
    server = older.plan.endpoint.client.url
    for row, undone in list(pairs(older.entries, newer.left, server)):
        older.left.pop(row, None)
        older.back.pop(row, None)
        newer.left.pop(undone)


def verify(
    source: Report | str | Path,
    client: Client | None = None,
    *,
    progress: Any = True,
    cancel: Callable[[], bool] | Event | None = None,
) -> Report:
    """Look up which values of others a push has replaced unseen; see `Report.verify`.

    Args:
        source: The report, or its journal, which also covers what `resume` did.
        client: For the server of the journal; without one, the profile with that address is used.
        progress: As in `fetch`.
        cancel: As in `Report.verify`.

    Raises:
        ValueError: The file is not a journal, another push is writing to it, there is no client for its
            server, or the schema has lost a field of the push.
        OSError: The journal cannot be written.

    Example:
        >>> report = live.diff(live.frame().tail(1).assign(notes="seen")).push(progress=False, verify=False)
        >>> len(verify(report.journal, client, progress=False).overwritten)
        0
    """
    report = source if isinstance(source, Report) else _reported(source, client)
    return report.verify(progress=progress, cancel=cancel)


def _reported(journal: str | Path, client: Client | None) -> Report:
    """Return the report of a push as its journal tells it."""
    record = read(journal)
    plan = read_plan(record.plan, client, where=str(journal))
    return Report(
        plan,
        tuple(_outcome(change, record.entries.get(row_of(change))) for change in plan.changes),
        journal=Path(journal),
        note=record.begin.get("note"),
        reviewer=record.begin.get("reviewer"),
        user=record.begin.get("user"),
        started=iso(record.begin["at"]),
        stopped=record.stopped,
    )


def _outcome(change: Change, entry: Entry | None) -> Outcome:
    row, action = row_of(change), action_of(change)
    if entry is None or entry.word is None:
        reason = "it was not sent" if entry is None else fate_unknown()
        id_ = None if isinstance(change, Create) else change.id
        return Outcome(row, action, "unsent", id_, change.key, reason=reason)
    return Outcome(
        row,
        action,
        cast("Word", entry.word),
        entry.id,
        change.key,
        entry.status,
        written=entry.written,
        receipt=entry.receipt,
        read=entry.read,
        overwrites=entry.overwrites,
        ambiguous=entry.ambiguous,
        doubted=entry.doubted,
        unverified=entry.unverified or "",
        already=entry.already,
    )


def _undone_before(undos: Collection[Record]) -> Iterator[str]:
    """Yield in words what of a push is undone already."""
    for path, record in {record.path: record for record in undos}.items():
        n = sum(record.path == path for record in undos)
        yield f"{count(n, 'row')} undone already, {clock(record.begin['at'])} by {short(path)}"


def _before(entry: Entry) -> dict[str, Any]:
    """Return what stood in the cells that were written: what somebody else had put there, read or not."""
    theirs = {path: after for path, (_, after) in _more_known(entry).items()}
    return {path: old for path, (old, _) in entry.written.items()} | theirs


def _more_known(entry: Entry) -> dict[str, tuple[Any, Any]]:
    """Return the cells that a push replaced unseen: what it had read, and what was there."""
    return {cell.field: (cell.base, cell.theirs) for cell in entry.overwrites}


def _undone(pushed: _Pushed, progress: Any) -> Plan:
    plan = pushed.plan
    keys = {row_of(change): change.key for change in plan.changes}
    changes: list[Change] = []
    again: list[str] = []
    given = unknown = found_gone = same = 0
    for row, entry in pushed.left.items():
        key = keys.get(row)
        if not entry.written and (entry.action, entry.word) != ("delete", "done"):
            continue
        before = {path: after for path, (_, after) in entry.written.items()}
        after = _before(entry)
        given += bool(entry.overwrites)
        unknown += is_open(entry) and entry.unverified != ""
        found_gone += entry.action == "delete" and entry.status is None and entry.unverified != ""
        if entry.action == "update":
            same += len(entry.already)
            before, after = (
                {p: v for p, v in cells.items() if p not in entry.already} for cells in (before, after)
            )
            if after:
                changes.append(Update(str(row), before, after, key, entry.receipt))
        elif entry.action == "create" and entry.id:
            changes.append(Delete(entry.id, before, key, entry.receipt))
        elif entry.action == "delete":
            changes.append(Create(str(row), as_created(plan.schema, after), key))
            again.append(str(row))
    notes = [_about_new_ids(plan, again)] if again else []
    if given:
        notes.append(
            f"gives back what others had written into {count(given, 'row')} and the push had not read"
        )
    if same:
        notes.append(f"leaves {count(same, 'cell')} that already held what was pushed")
    if unknown and plan.schema.track_history:
        notes.append(
            f"not verified: {count(unknown, 'row')}; what others had written there would not come back"
        )
    if found_gone and not plan.schema.track_history:
        notes.append(
            f"{count(found_gone, 'row')} found deleted after the answer got lost: by whom is not known, "
            "nor what others had written there before"
        )
    changes, renamed = at_today(plan.endpoint, plan.schema, changes)
    completed, put_in, completes = lacking(plan.endpoint, plan.schema, pushed.back)
    changes += completed
    senders = {entry.sender for entry in pushed.left.values() if entry.sender}
    changes, conflicts = spared(plan.endpoint, plan.schema, changes, pushed.user, senders, progress=progress)
    return Plan(
        plan.endpoint,
        plan.schema,
        tuple(changes),
        conflict_list=conflicts,
        notes=(*pushed.notes, *renamed, *notes, *put_in),
        undoes=(pushed.name,),
        completes=completes,
        snapshot=plan.snapshot,
    )


def _sendable(plan: Plan, coming: Collection[str]) -> Plan:
    """Return the undo of all pushes to a table without what cannot be sent; `coming`: see `without_gone`."""
    changes, left_out = without_gone(
        plan.endpoint, plan.schema, plan.changes, again="another undo of this push", coming=coming
    )
    changes, instead = from_what_came(plan.endpoint, plan.schema, changes, plan.conflict_list)
    completes = tuple(sorted({*plan.completes, *instead}))
    problems, left = refused(plan.schema, changes)
    notes = (*plan.notes, *left_out, *left)
    return replace(plan, changes=tuple(changes), problem_list=problems, notes=notes, completes=completes)


def _about_new_ids(plan: Plan, again: list[str]) -> str:
    """Return in words what it means for others that deleted rows get a new `_id`."""
    client = plan.endpoint.client
    back = {old: one.id for old, one in came_back(client.url).items()}
    latest = {back[row] for row in again if row in back}
    names = {*again, *latest, *(old for old, id_ in back.items() if id_ in latest)}
    found = referrers(client, plan.schema.name, sorted(names))["schema"].value_counts()
    text = f"{count(len(again), 'deleted row')} will come back with a new _id"
    if found.empty:
        return f"{text}; nothing refers to the old one"
    counts = ", ".join(f"{count(n, 'reference')} of {name}" for name, n in found.items())
    pointing = Call("sp.repoint(endpoint, report.new_ids).push()", "points them to the new one afterwards")
    return Message(f"{text}; {counts} to the old one", pointing)
