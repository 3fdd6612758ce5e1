"""A push whose parts are made one after the other: what is done of one is not kept in memory.

Each part is a push as `parts` makes it, and its journal says that nobody knows yet how many there will be.
The last one is told when there are no more. A push that was cut off before that may be begun again by the
same loop, which makes the same parts anew: rows that are done already are known by the journals.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from sispy.remedies import Argument, Call, Message

from ..planning.change_set import FREE_DELETES, ChangeSet, PlanRefused, new_rows_of
from ..values.blocks import count, name_of
from ..values.changes import Create, Outcome, Update, action_of, row_of
from ..values.times import clock
from .earlier import taken_back
from .journal import Journal, in_use, new_name, short
from .options import Options, need_token
from .outcome import PushResult
from .parts import Series, is_cut, left, parts_of, push_parts
from .recall import ALL_PARTS, PARTS, SAME, alone, noted, remember
from .record import read, table_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from ..values.changes import Change
    from .record import Record

C = TypeVar("C", bound=ChangeSet)


@dataclass
class Stream:
    """A push whose parts come one after the other."""

    options: Options
    expect_deletes: int | None = None
    """Rows to be deleted in all."""
    journal: bool | None = None
    """As `push` takes it."""
    again: bool = False
    """Write rows once more that a push wrote which was cut off."""
    what: str | None = None
    """The change that the parts make, where it can be made again row for row."""
    resumed: Path | None = None
    """A journal of such a push, which this one goes on with."""
    deletes: int = 0
    """Rows that the parts so far were to delete."""
    journals: list[Path] = field(default_factory=list)
    """Of the parts that were pushed here, and before."""
    _rest: set[tuple[str, Any]] = field(default_factory=set)
    """Rows that were left of the push that is resumed, by table."""
    _cut: dict[tuple[str, str], list[Cut]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._series = Series(new_name(), None, what=self.what)
        if self.resumed is not None:
            self.journals = parts_of(self.resumed)
            first = read(self.journals[0])
            together = first.together
            if together is None or together[2] is not None:
                raise ValueError(
                    Message(
                        f"{self.resumed} has all of its parts",
                        Call(f"sp.resume({str(self.resumed)!r}).push()", "finishes it"),
                    )
                )
            self._series = Series(together[0], None, len(self.journals))
            self.options = self.options.resumed(first.begin)

    def push(self, plans: Sequence[ChangeSet], **how: Any) -> tuple[PushResult, ...]:
        """Push the plans that come next, and account for every row; `how`: as `push` takes it.

        Raises:
            PlanRefused: Nothing of these was sent, and nothing more should be.
            ValueError: See `Plan.push`.
            sispy.Error: See there.
        """
        for plan in plans:
            need_token(plan.endpoint.client)
        known = [self._without_done(plan) for plan in plans]
        deletes = sum(plan.counts["deletes"] for plan, _ in known)
        self._refuse_deletes(deletes, plans[0])
        some = [plan for plan, _ in known if not plan.empty]
        begun = self._series.begun
        try:
            results = push_parts(
                some,
                self.options,
                series=self._series,
                expect_deletes=deletes if some else None,
                journal=self.journal,
                again=self.again,
                **how,
            )
        except PlanRefused:
            self._series.begun = begun
            raise
        self.deletes += deletes
        self.journals += [result.journal for result in results if result.journal is not None]
        return tuple(
            replace(result, outcomes=(*done, *result.outcomes)) for result, done in _joined(results, known)
        )

    @property
    def parts(self) -> int:
        """How many parts there are by now."""
        return self._series.begun

    def finish(self, rest: ChangeSet, **how: Any) -> PushResult:
        """Push what is left of a part of the push that is resumed; see `push`."""
        self._rest.update((rest.schema.name, row_of(change)) for change in rest.changes)
        (result,) = push_parts([rest], self.options, again=self.again, **how)
        return result

    def close(self) -> None:
        """Note that there are no more parts."""
        if not self.journals:
            return
        with Journal(self.journals[-1]) as last:
            last.event("parts", count=self._series.begun)
        for table in set(map(table_in, self.journals)):
            remember(ALL_PARTS, table, self.journals[0])

    def refused(self, plans: Sequence[ChangeSet], why: Message | str) -> tuple[PushResult, ...]:
        """Return what became of plans that were refused: rows with problems, and others not sent."""
        return tuple(_refused(left(plan, None, self.options, why)) for plan in plans)

    def _refuse_deletes(self, deletes: int, plan: ChangeSet) -> None:
        most = FREE_DELETES if self.expect_deletes is None else self.expect_deletes
        if deletes and self.deletes + deletes > most:
            other = "" if self.expect_deletes is None else f", not {self.expect_deletes}"
            stating = Argument("expect_deletes", "confirms how many all parts delete")
            found = f"the parts so far delete {self.deletes + deletes} rows{other}"
            raise PlanRefused(Message(found, stating), plan)

    def _without_done(self, plan: ChangeSet) -> tuple[ChangeSet, tuple[Outcome, ...]]:
        """Return what is left of a plan after a push that was cut off, and the outcomes of the rest.

        Raises:
            PlanRefused: It cannot be told whether rows that such a push wrote are meant once more.
        """
        table = plan.endpoint.client.url, plan.schema.name
        # an undo leaves out what is back already, and a file says the same however often it is read
        if self.resumed is None and (self.again or plan.undoes or plan.origin.sha256 is not None):
            return plan, ()
        if table not in self._cut:
            mine = self.resumed is not None
            named = mine and self.what is not None
            self._cut[table] = [
                Cut.of(paths, table[1], mine=mine, named=named) for paths in self._cut_before(table)
            ]
        done: dict[Any, str] = {}
        if self.what is not None:  # what may have been created has had its turn: `finish` told of it
            done |= {
                row_of(c): ""
                for c in plan.changes
                if isinstance(c, Create) and (plan.schema.name, c.row) in self._rest
            }
        for cut in self._cut[table]:
            found = list(cut.among(plan.changes, anyway=self.resumed is not None))
            if found and self.resumed is None:
                raise PlanRefused(cut.question(found), plan)
            done |= dict.fromkeys(map(row_of, found), cut.reason)
        if not done:
            return plan, ()
        outcomes = tuple(
            Outcome(row_of(c), action_of(c), "unchanged", str(row_of(c)), c.key, None, done[row_of(c)])
            for c in plan.changes
            if row_of(c) in done and (plan.schema.name, row_of(c)) not in self._rest
        )
        return _without(plan, done), outcomes

    def _cut_before(self, table: tuple[str, str]) -> Iterator[list[Path]]:
        """Yield the parts of each push to a table that was cut off, or of the one that is resumed."""
        if self.resumed is not None:
            yield list(self.journals)
            return
        ended = {short(path) for path in noted(ALL_PARTS, table)}
        seen = {self._series.name}
        for path in noted(PARTS, table):
            if short(path) not in ended | seen and path.exists():
                seen.add(short(path))
                yield parts_of(path)


@dataclass(frozen=True)
class Cut:
    """The rows that a push in parts has written before it was cut off: a few bytes for each."""

    name: str
    at: int
    paths: tuple[Path, ...]
    ids: np.ndarray[Any, Any]
    """In their order."""
    stamps: np.ndarray[Any, Any]
    """What was written to each."""
    named: frozenset[Any] = frozenset()
    """Rows that were created or deleted, where each has the same name whenever the change is made."""

    @classmethod
    def of(cls, paths: Sequence[Path], schema: str, *, mine: bool = True, named: bool = True) -> Cut:
        """Read the parts of a push, one after the other.

        Args:
            paths: The parts.
            schema: Of the rows.
            mine: It goes on, also if it is an undo. What any other undo put back is as it was before: to
                change that is nobody's second edit.
            named: New rows have the same names in the change that goes on.
        """
        ids: list[np.ndarray[Any, Any]] = [np.array([], "S24")]
        stamps: list[np.ndarray[Any, Any]] = [np.array([], "S8")]
        at, others = 0, set()
        for path in paths:
            record = read(path)
            at = max(at, record.last)
            if record.head["schema"] == schema and (mine or not record.head.get("undoes")):
                undone = taken_back(record)
                rows = {row: entry for row, entry in _updated(record) if row not in undone}
                ids.append(np.array(list(rows), "S24"))
                written = ({p: after for p, (_, after) in entry.written.items()} for entry in rows.values())
                stamps.append(np.array([_stamp(cells) for cells in written], "S8"))
                others |= {
                    row
                    for row, entry in (record.entries.items() if named else ())
                    if entry.action != "update" and entry.word == "done" and row not in undone
                }
        every = np.concatenate(ids)
        order = np.argsort(every)
        sorted_stamps = np.concatenate(stamps)[order]
        return cls(short(paths[0]), at, tuple(paths), every[order], sorted_stamps, frozenset(others))

    @property
    def reason(self) -> str:
        """Why a row of it is left out."""
        return f"pushed before {clock(self.at)} as {self.name}"

    def among(self, changes: Iterable[Change], *, anyway: bool) -> Iterator[Change]:
        """Yield the changes of rows that were written; unless `anyway`, only where they change just that."""
        changes = tuple(changes)
        yield from (c for c in changes if not isinstance(c, Update) and row_of(c) in self.named)
        if not len(self.ids):
            return
        updates = [change for change in changes if isinstance(change, Update) and len(change.id) == 24]
        wanted = np.array([change.id for change in updates], "S24")
        places = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        for change, place, there in zip(updates, places, self.ids[places] == wanted, strict=True):
            before = {path: change.before.get(path) for path in change.after}
            if there and (anyway or self.stamps[place] == np.bytes_(_stamp(before))):
                yield change

    def left_of(self, plan: C) -> C:
        """Return what a plan of the change that goes on has to do."""
        return _without(plan, {row_of(change) for change in self.among(plan.changes, anyway=True)})

    def question(self, found: Sequence[Change]) -> Message:
        """Return what has to be decided where rows that were written shall be changed once more."""
        journal = str(self.paths[0])
        return Message(
            f"{count(len(found), 'row')}, such as {name_of(found[0])}, would be changed a second time: "
            f"the push {self.name} wrote to them before it was cut off, {clock(self.at)}",
            Call(f"sp.push_parts(..., resume={journal!r})", "goes on with that push"),
            Argument("again", "changes them once more", True),
        )


def cut_push(what: str) -> tuple[Path, ...]:
    """Return the parts of the push of a change that was cut off last, as long as it may go on; else none.

    It does not where somebody is at it, or has undone some of it, or it was followed by another.
    """
    there = [path for path in noted(SAME, what) if path.exists()]
    if not there or not is_cut(there[-1]):
        return ()
    parts = parts_of(there[-1])
    return () if any(in_use(path) or taken_back(read(path)) for path in parts) else tuple(parts)


def end(what: str) -> Path | None:
    """Note that a push of a change that was cut off has all of its parts; return it if that was so."""
    with alone(what) as free:
        parts = cut_push(what) if free else ()
        if not parts or any(read(path).open for path in parts):
            return None
        Stream(Options(), resumed=parts[0]).close()
    return parts[0]


def _without(plan: C, rows: Collection[Any]) -> C:
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if row_of(change) not in rows),
        problem_list=tuple(problem for problem in plan.problem_list if problem.row not in rows),
        made_with=new_rows_of(plan),
    )


def _updated(record: Record) -> Iterator[tuple[str, Any]]:
    for row, entry in record.entries.items():
        if isinstance(row, str) and entry.action == "update" and entry.word == "done" and entry.written:
            yield row, entry


def _stamp(cells: dict[str, Any]) -> bytes:
    text = json.dumps(cells, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest().replace(b"\0", b"\1")


def _joined(
    results: Sequence[PushResult], known: Sequence[tuple[ChangeSet, tuple[Outcome, ...]]]
) -> Iterator[tuple[PushResult, tuple[Outcome, ...]]]:
    """Yield each result with the rows of its plan that were done before; of others without a result, too."""
    pushed = iter(results)
    for plan, done in known:
        if not plan.empty:
            yield next(pushed), done
        elif done:
            yield PushResult(plan, ()), done


def _refused(result: PushResult) -> PushResult:
    """Return the rows of a plan that was not sent, those with a problem named as such."""
    reasons = {problem.row: problem for problem in reversed(result.plan.problem_list)}
    outcomes = [
        replace(one, word="problem", reason=reasons[one.row].reason) if one.row in reasons else one
        for one in result.outcomes
    ]
    known = {one.row for one in outcomes}
    for row, problem in reasons.items():
        if row not in known:  # a row without a change
            id_ = row if isinstance(row, str) else None
            outcomes.append(Outcome(row, "update", "problem", id_, problem.key, None, problem.reason))
    return replace(result, outcomes=tuple(outcomes))
