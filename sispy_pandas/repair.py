"""Plans made from a journal: finish an interrupted push, or take one back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .changes import Change, Create, Delete, Update, row_of
from .journal import Entry, read
from .past.spared import spared
from .plan import Plan
from .planning.plan_file import parse
from .planning.plan_text import count
from .planning.validate import refused
from .relations import referrers
from .report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sispy import Client

FINAL = ("done", "unchanged", "conflict", "failed", "problem")


def resume(journal: str | Path, client: Client | None = None) -> Plan:
    """Return the plan of what an interrupted push left: rows that were not sent, and rows of unknown fate.

    Pushing it writes to the same journal. Rows that were sent without an answer are looked up first; what
    arrived is not sent again.

    Args:
        journal: The file that `report.journal` names.
        client: For the server of the journal; without one, the profile with that address is used.

    Raises:
        ValueError: The file is no journal, there is no client for its server, or the schema has lost a field
            of the push or gives it another type: then a new plan tells what is left.

    Example:
        >>> report = live.diff(live.frame().tail(1).assign(notes="resumed")).push(progress=False)
        >>> resume(report.journal, client).empty  # it was not interrupted
        True
    """
    record = read(journal)
    plan = parse(record.plan, client, where=str(journal))
    settled = {row for row, entry in record.entries.items() if entry.word in FINAL}
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if row_of(change) not in settled),
        faults=tuple(fault for fault in plan.faults if fault.row not in settled),
        notes=(*plan.notes, f"resumes the push of {record.begin.get('user') or 'an unknown user'}"),
        journal=Path(journal),
    )


def undo(source: Report | str | Path, client: Client | None = None) -> Plan:
    """Return the plan that puts back what a push changed; cells that others wrote since are left alone.

    That is so for a cell that holds the same value again, too, where the schema keeps history:
    `plan.conflicts` names what the history shows.

    It is a plan like any other: read it, narrow it by `only`, push it; its push can be undone as well. Rows
    that were created are deleted, unless somebody else wrote to them. Rows that were deleted are created
    again, with a new `_id`: references to the old one stay dangling until they are changed.

    An enum that was blank before cannot be blank again: the server refuses null for it. Such a cell is a
    problem of the plan; `undo(...).without(fields=[...])` puts back the others of its row.

    Args:
        source: The report, or its journal, which also covers what `resume` did.
        client: For the server of the journal; without one, the report's, or the profile with that address.

    Raises:
        ValueError: The journal has rows of unknown fate: `resume` it first. Or it is no journal, or there is
            no client for its server. Or the schema has lost a field of the push or gives it another type:
            then `sp.revert(sp.changes(...))` is the way back for the others.
        sispy.Error: The server could not be asked.

    Example:
        >>> report = live.diff(live.frame().tail(1).assign(notes="undone")).push(progress=False)
        >>> undo(report).push(progress=False).counts["done"]
        1
    """
    if isinstance(source, Report):
        if source.journal is None:
            return _undone(source.plan, ((o.row, _entry(o)) for o in source.outcomes), source.user)
        client = client or source.plan.endpoint.client
        source = source.journal
    record = read(source)
    plan = parse(record.plan, client, where=str(source))
    waiting = [row for row, entry in record.entries.items() if entry.word is None]
    if waiting:
        raise ValueError(
            f"the fate of {len(waiting)} rows is unknown: sp.resume({str(source)!r}).push() first"
        )
    return _undone(plan, record.entries.items(), record.begin.get("user"))


def _entry(outcome: Any) -> Entry:
    return Entry(outcome.word, outcome.id, outcome.action, outcome.written, {}, outcome.receipt, outcome.read)


def _undone(plan: Plan, entries: Iterable[tuple[Any, Entry]], user: str | None) -> Plan:
    keys = {row_of(change): change.key for change in plan.changes}
    changes: list[Change] = []
    again: list[str] = []
    for row, entry in entries:
        key = keys.get(row)
        if not entry.written:
            continue
        before = {path: after for path, (_, after) in entry.written.items()}
        after = {path: old for path, (old, _) in entry.written.items()}
        if entry.action == "update":
            changes.append(Update(str(row), before, after, key, entry.receipt))
        elif entry.action == "create" and entry.id:
            changes.append(Delete(entry.id, before, key, entry.receipt))
        elif entry.action == "delete":
            values = {path: value for path, value in after.items() if value is not None and value != []}
            changes.append(Create(str(row), values, key))
            again.append(str(row))
    changes, clashes = spared(plan.endpoint, plan.schema, changes, user)
    return Plan(
        plan.endpoint,
        plan.schema,
        tuple(changes),
        faults=refused(plan.schema, changes),
        clashes=clashes,
        notes=(_told(plan, again),) if again else (),
        snapshot=plan.snapshot,
    )


def _told(plan: Plan, again: list[str]) -> str:
    """Say what it means for others that deleted rows get a new `_id`."""
    found = referrers(plan.endpoint.client, plan.schema.name, again)["schema"].value_counts()
    text = f"{count(len(again), 'deleted row')} will come back with a new _id"
    if found.empty:
        return f"{text}; nothing refers to the old one"
    counts = ", ".join(f"{count(n, 'reference')} of {name}" for name, n in found.items())
    return f"{text}; {counts} to the old one: afterwards sp.repoint(endpoint, report.new_ids).push()"
