"""A push in parts: plans, one after the other, with one name, note and way back.

Each part has a journal of its own; all of them bear the same name, and `together` in their first event tells
which part of how many each is. Plans that are there together are on disk before the first byte of the first
one is sent, so that whatever ends the push, `resume` finds all that is left. Of those that are made one after
the other (see `stream`) each is, before its own first byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import printable

from ..planning.change_set import FREE_DELETES, PlanRefused
from ..planning.parts import digest_of
from ..values.blocks import count
from ..values.changes import Create, Delete, Outcome, action_of, row_of
from ..values.references import new_rows, with_targets
from .earlier import standing, taken_back
from .journal import new_name, new_path, short
from .outcome import PushResult
from .push import allowed, begin, push
from .recall import SAME, remember
from .record import read, together_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..planning.change_set import ChangeSet
    from .options import Options
    from .record import Together


@dataclass
class Series:
    """The parts of a push on their way."""

    name: str
    total: int | None
    """How many there will be; None: that is not known yet."""
    begun: int = 0
    """How many are there."""
    what: str | None = None
    """The change that they make, where it can be made again row for row."""

    def next_part(self, schema: str) -> tuple[Path, Together]:
        """Return where the journal of the next part is, and what is said of it."""
        self.begun += 1
        path = new_path(schema, self.name, part=self.begun)
        if self.what is not None and self.begun == 1:
            remember(SAME, self.what, path)
        return path, (self.name, self.begun, self.total)


def push_parts(
    plans: Sequence[ChangeSet],
    options: Options,
    *,
    series: Series | None = None,
    expect_deletes: int | None = None,
    expect_digest: str | None = None,
    journal: bool | None = None,
    again: bool = False,
    on_result: Callable[[PushResult], object] | None = None,
    ids: Mapping[str, str] | None = None,
    **how: Any,
) -> tuple[PushResult, ...]:
    """Push plans in their order, and account for every row of each.

    What a part cannot do because of an earlier one (a row that it refers to was not made) is a problem of
    its rows: nothing else is held up. A part that stopped ends the push, and `resume` goes on.

    Args:
        plans: Checked together. Those of a `resume` have journals.
        options: For all of them.
        series: The push that they are parts of; None: these are all.
        expect_deletes: Rows to be deleted in all.
        expect_digest: What `digest_of` says of them.
        journal: None: in the folder; False: nowhere.
        again: As for one push.
        on_result: Is given the result of each part when it is known, before its commits are read.
        ids: Of new rows that are there already, by what others call them.
        how: Further arguments of `push`, for each part.

    Raises:
        PlanRefused: They may not be pushed so; nothing was sent.
        ValueError: The same.
        sispy.Unauthorized: There is no token, or the profile is for reading alone.
    """
    resumed = any(plan.journal for plan in plans)
    options = allowed_together(plans, options, expect_deletes=expect_deletes, expect_digest=expect_digest)
    alone = len(plans) == 1 and not resumed  # then `push` checks it, and refuses it
    for plan in plans:
        if plan.problem_list and not (options.skip_problems or alone):
            said = Message(f"{plan.schema.name}: ", plan.problem_list[0].reason)
            raise PlanRefused(Message(said, Argument("skip_problems", "sends the other rows", True)), plan)
    series = series or Series(new_name(), len(plans))
    keeps = not resumed and journal is not False
    begun = _begun(plans, options, series, again=again) if keeps and len(plans) > 1 else []
    known = _known(plans) | dict(ids or {})
    told: list[PushResult] = []

    def tell(result: PushResult) -> None:
        told.append(result)
        if on_result is not None:
            on_result(result)

    results: list[PushResult] = []
    stopped: str | None = None
    for number, plan in enumerate(plans):
        path, together = begun[number] if begun else plan.journal, None
        if stopped is not None:
            results.append(left(plan, path, options, stopped))
            continue
        if keeps and not begun:
            path, together = series.next_part(plan.schema.name)
        aimed = replace(plan, changes=tuple(with_targets(plan.schema, c, known) for c in plan.changes))
        result = push(
            aimed,
            options if alone else replace(options, skip_problems=True),
            expect_deletes=plan.counts["deletes"],
            journal=path if keeps else journal,
            begun=plan if begun else None,
            together=together,
            leaving=[_leaving(later) for later in plans[number + 1 :]],
            again=again,
            on_result=tell,
            **how,
        )
        if len(told) <= number:
            tell(result)
        results.append(result)
        known |= _made(plan, {o.row: o.id for o in result.outcomes if o.id})
        stopped = result.stopped
    return tuple(results)


def parts_of(path: Path) -> list[Path]:
    """Return the journals of a push, of which one is named: of a push in parts all, in their order."""
    name = together_of(path)
    if name is None:
        return [path]
    others = path.parent.glob(f"*-{short(path)}.jsonl")
    parts = ((part, other) for other in others if (part := together_of(other)) is not None)
    found = {part[1]: other for part, other in parts if part[0] == name[0]}
    return [found[number] for number in sorted(found)]


def lost_parts(path: Path) -> list[str]:
    """Return what to say of the parts of a push, of which one is named, that are not among its journals."""
    if (name := together_of(path)) is None:
        return []
    there = {part[1] for other in parts_of(path) if (part := together_of(other)) is not None}
    n = (name[2] or max(there)) - len(there)
    if n <= 0:
        return []
    where = printable(path.parent)
    return [f"left out: {count(n, 'part')} of this push, of which {where} has no journal in order"]


def is_cut(path: Path) -> bool:
    """Return whether a push, of which a part is named, ended before all of its parts were made."""
    name = together_of(path)
    return name is not None and name[2] is None and read(parts_of(path)[-1]).parts is None


def is_undone(path: Path) -> bool:
    """Return whether all that a push wrote, of which a part is named, was taken back."""
    records = map(read, parts_of(path))  # one after the other: each may be large
    found = [(len(back := taken_back(record)), standing(record, back)) for record in records]
    return any(back for back, _ in found) and not any(left for _, left in found)


def allowed_together(
    plans: Sequence[ChangeSet],
    options: Options,
    *,
    expect_deletes: int | None = None,
    expect_digest: str | None = None,
) -> Options:
    """Return the options that hold for plans which are pushed together; see `allowed`.

    Raises:
        PlanRefused: They may not be pushed with them.
        ValueError: See `Plan.push`.
        sispy.Unauthorized: There is no token, or the profile is for reading alone.
    """
    if len(plans) == 1:
        return allowed(plans[0], options, expect_deletes=expect_deletes, expect_digest=expect_digest)
    resumed = any(plan.journal for plan in plans)
    if (
        expect_digest is not None
        and not resumed
        and (found := digest_of(plans)) != expect_digest.strip().lower()
    ):
        raise PlanRefused(f"these are not the plans that were reviewed: their digest is {found}", plans[0])
    deletes = sum(plan.counts["deletes"] for plan in plans)
    unstated = expect_deletes is None and deletes > FREE_DELETES and not resumed
    if unstated or expect_deletes not in (None, deletes):
        other = "" if expect_deletes is None else f", not {expect_deletes}"
        stating = Argument("expect_deletes", "confirms it", deletes)
        raise PlanRefused(Message(f"the plans delete {deletes} rows{other}", stating), plans[0])
    note = options.note or next((plan.origin.note for plan in plans if plan.origin.note), None)
    found_options = replace(options, note=note)
    for plan in plans:
        found_options = allowed(plan, found_options, expect_deletes=plan.counts["deletes"])
    return found_options


def _leaving(plan: ChangeSet) -> ChangeSet:
    """Return what a part deletes, as far as is known."""
    barred = {problem.row for problem in plan.problem_list}
    gone = (change for change in plan.changes if isinstance(change, Delete) and change.id not in barred)
    return replace(plan, changes=tuple(gone))


def _begun(plans: Sequence[ChangeSet], options: Options, series: Series, *, again: bool) -> list[Path]:
    """Write down all parts, before the first of them is sent."""
    paths = []
    for plan in plans:
        path, together = series.next_part(plan.schema.name)
        begin(plan, path, options, again=again, together=together)
        paths.append(path)
    return paths


def _known(plans: Sequence[ChangeSet]) -> dict[str, str]:
    """Return the `_id`s of new rows that earlier pushes of these journals made, by what others call them."""
    known: dict[str, str] = {}
    for journal in {path for plan in plans if plan.journal for path in parts_of(plan.journal)}:
        record = read(journal)
        for line in map(json.loads, record.plan[1:]):
            if "create" in line and (entry := record.entries.get(_row(line["create"]))) and entry.id:
                create = Create(_row(line["create"]), {}, line.get("key"))
                known |= dict.fromkeys(new_rows(str(record.head["schema"]), [create]), entry.id)
    return known


def _row(value: Any) -> Any:
    return tuple(map(_row, value)) if isinstance(value, list) else value


def _made(plan: ChangeSet, ids: dict[Any, str]) -> dict[str, str]:
    """Return the `_id`s of the new rows of a part by what others call them."""
    return {name: ids[row] for name, row in new_rows(plan.schema.name, plan.changes).items() if row in ids}


def left(plan: ChangeSet, path: Path | None, options: Options, stopped: str) -> PushResult:
    """Return what became of a part whose turn did not come."""
    outcomes = tuple(
        Outcome(row_of(c), action_of(c), "unsent", getattr(c, "id", None), c.key, None, stopped)
        for c in plan.changes
    )
    return PushResult(
        plan,
        outcomes,
        journal=path,
        note=options.note,
        reviewer=options.reviewer,
        user=plan.endpoint.client.username,
        stopped=stopped,
    )
