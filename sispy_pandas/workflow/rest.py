"""What an interrupted push left, as its journal tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..pushing.earlier import came_back
from ..pushing.journal import short
from ..pushing.parts import is_cut, lost_parts, parts_of
from ..pushing.record import read
from ..values.blocks import count
from ..values.changes import Create, Update, row_of
from ..values.references import aimed, ids_in, reference_fields
from ..values.times import clock
from .parts import Plans
from .saved import read_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sispy import Client, Endpoint

    from ..pushing.record import Record
    from ..values.changes import Change
    from ..values.schema import Schema
    from .objects import Plan


def resume(journal: str | Path, client: Client | None = None) -> Plan | Plans:
    """Return the plan of what an interrupted push left: rows that were not sent, and rows of unknown fate.

    Pushing it writes to the same journal. Rows that were sent without an answer are looked up first; what
    arrived is not sent again. New rows that failed because they may have been created are looked for once
    more, also where the push was not interrupted: `push(again=True)` sends those that remain in doubt. Of a
    push of several tables it finishes all parts, whichever journal is named.

    Args:
        journal: The file that `report.journal` names.
        client: For the server of the journal; without one, the profile with that address is used.

    Raises:
        ValueError: The file is not a journal, there is no client for its server, or the schema has lost a
            field of the push or gives it another type: then a new plan tells what is left.

    Example:
        >>> report = live.diff(live.frame().tail(1).assign(notes="resumed")).push(progress=False)
        >>> resume(report.journal, client).empty  # it was not interrupted
        True
    """
    plans = [rest_of(part, client) for part in parts_of(Path(journal))]
    left = [plan for plan in plans if not plan.empty]
    notes = lost_parts(Path(journal))
    if is_cut(Path(journal)):
        notes.append(
            "the push was cut off before it had all of its parts: after this, the same loop or command again "
            "does the rest"
        )
    if notes:
        first, *others = left or plans[:1]
        left = [replace(first, notes=(*first.notes, *notes)), *others]
    return Plans(tuple(left)) if len(plans) > 1 else (left or plans)[0]


def rest_of(journal: str | Path, client: Client | None) -> Plan:
    """Return the plan of what is left of the push of one journal, see `resume`."""
    record = read(journal)
    plan = read_plan(record.plan, client, where=str(journal))
    settled = {row for row, entry in record.entries.items() if entry.settled}
    left = [change for change in plan.changes if row_of(change) not in settled]
    changes, notes = at_today(plan.endpoint, plan.schema, left)
    return replace(
        plan,
        changes=tuple(change for change in changes if row_of(change) not in settled),
        problem_list=tuple(problem for problem in plan.problem_list if problem.row not in settled),
        notes=(*plan.notes, f"resumes the push of {record.begin.get('user') or 'an unknown user'}", *notes),
        journal=Path(journal),
    )


def at_today(endpoint: Endpoint, schema: Schema, changes: Iterable[Change]) -> tuple[list[Change], list[str]]:
    """Point changes to rows that came back under a new `_id` since, and say which pushes brought them."""
    back, changes = came_back(endpoint.client.url), list(changes)
    new = {change.row for change in changes if isinstance(change, Create)}  # who names those means them
    ids = {old: found.id for old, found in back.items() if old not in new}
    paths = [path for path, _ in reference_fields(schema)]
    used: set[str] = set()

    def today(cells: Mapping[str, Any]) -> dict[str, Any]:
        used.update(id_ for path in paths for id_ in ids_in(cells, path))
        return aimed(schema, cells, ids)

    found: list[Change] = []
    for change in changes:
        if isinstance(change, Create):
            found.append(replace(change, values=today(change.values)))
            continue
        used.add(change.id)
        if (row := back.get(change.id)) is not None:
            change = replace(change, id=row.id, receipt=row.receipt)
        if isinstance(change, Update):
            change = replace(change, before=today(change.before), after=today(change.after))
        found.append(change if isinstance(change, Update) else replace(change, before=today(change.before)))
    return found, list(_renamed(back[old].undo for old in sorted(used & ids.keys())))


def _renamed(undos: Iterable[Record]) -> Iterator[str]:
    """Yield in words which pushes the new `_id`s of rows that came back are from."""
    by_path: dict[Path, list[Record]] = {}
    for undo in undos:
        by_path.setdefault(undo.path, []).append(undo)
    for path, those in by_path.items():
        rows, when = f"{count(len(those), 'row')} of {those[0].head['schema']}", clock(those[0].begin["at"])
        yield f"{rows} that came back under a new _id {when}, by {short(path)}: this plan means the new one"
