"""A push whose parts are made one after the other: what is done of one is not kept in memory.

Each part is a push as `parts` makes it, and its journal says that nobody knows yet how many there will be.
The last one is told when there are no more. A push that was cut off before that may be begun again by the
same loop, which makes the same parts anew: rows that are done already are known by the journals.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Call, Message

from ..planning.change_set import FREE_DELETES, ChangeSet, PlanRefused
from ..values.changes import Create, Outcome, action_of, row_of
from ..values.references import new_rows
from .cut import Cut, Made, cut_push, stamp_of, without
from .journal import Journal, new_name, short
from .options import Options, need_token
from .outcome import PushResult
from .parts import Series, left, parts_of, push_parts
from .recall import ALL_PARTS, PARTS, alone, noted, remember
from .record import read, table_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


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
    _tried: Counter[tuple[str, bytes, bool]] = field(default_factory=Counter)
    """New rows among them, by table, what stands for them, and whether they were made."""
    _cut: dict[tuple[str, str], list[tuple[Cut, Made]]] = field(default_factory=dict)
    _notes: list[Message] = field(default_factory=list)
    """What is to be told with the next result."""

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
        ids: dict[str, str] = {}
        known = [self._without_done(plan, ids) for plan in plans]
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
                ids=ids,
                **how,
            )
        except PlanRefused:
            self._series.begun = begun
            raise
        self.deletes += deletes
        self.journals += [result.journal for result in results if result.journal is not None]
        notes, self._notes = self._notes, []
        return tuple(
            replace(result, outcomes=(*done, *result.outcomes), notes=(*notes, *result.notes))
            for result, done in _joined(results, known)
        )

    @property
    def parts(self) -> int:
        """How many parts there are by now."""
        return self._series.begun

    def finish(self, rest: ChangeSet, **how: Any) -> PushResult:
        """Push what is left of a part of the push that is resumed; see `push`."""
        table = rest.schema.name
        self._rest.update((table, row_of(change)) for change in rest.changes)
        (result,) = push_parts([rest], self.options, again=self.again, **how)
        made = {outcome.row for outcome in result.outcomes if outcome.word == "done"}
        self._tried.update(
            (table, stamp_of(change, named=self._named), change.row in made)
            for change in rest.changes
            if isinstance(change, Create)
        )
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

    def _without_done(self, plan: ChangeSet, ids: dict[str, str]) -> tuple[ChangeSet, tuple[Outcome, ...]]:
        """Return what is left of a plan after a push that was cut off, and the outcomes of the rest.

        Into `ids` goes what others call new rows that are there, with their `_id`s.

        Raises:
            PlanRefused: It cannot be told whether rows that such a push wrote are meant once more.
        """
        table = plan.endpoint.client.url, plan.schema.name
        # an undo leaves out what is back already, and a file says the same however often it is read
        if self.resumed is None and (self.again or plan.undoes or plan.origin.sha256 is not None):
            return plan, ()
        if self.resumed is None:
            self._ask(plan, table)
            return plan, ()
        cut, made = self._known_of(table)[0]
        tried = self._tried_of(plan, made)
        changes = [change for change in plan.changes if row_of(change) not in tried]
        done = cut.done(changes, made)
        outcomes = tuple(
            Outcome(row_of(c), action_of(c), "unchanged", done[row_of(c)], c.key, None, cut.reason)
            for c in changes
            if row_of(c) in done and (isinstance(c, Create) or (table[1], row_of(c)) not in self._rest)
        )
        found = tried | done
        names = new_rows(table[1], plan.changes)
        ids.update((name, id_) for name, row in names.items() if (id_ := found.get(row)) is not None)
        return (without(plan, found) if found else plan), outcomes

    def _ask(self, plan: ChangeSet, table: tuple[str, str]) -> None:
        """Note that there are pushes to a table that were cut off and are others than this one.

        Raises:
            PlanRefused: It would do once more what one of them did, or was about to.
        """
        is_first = table not in self._cut
        for cut, _ in self._known_of(table):
            if found := list(cut.again(plan)):
                raise PlanRefused(cut.question(found), plan)
            if is_first and cut.wrote:
                self._notes.append(cut.apart())

    def _known_of(self, table: tuple[str, str]) -> list[tuple[Cut, Made]]:
        """Return what the push that is resumed has done to a table, or what those that were cut off have."""
        if table not in self._cut:
            mine = self.resumed is not None
            cuts = [
                Cut.of(paths, table[1], mine=mine, named=self._named) for paths in self._cut_before(table)
            ]
            self._cut[table] = [(cut, cut.made()) for cut in cuts]
        return self._cut[table]

    def _tried_of(self, plan: ChangeSet, made: Made) -> dict[Any, str | None]:
        """Return the new rows that were left and had their turn, as `finish` told, with their `_id`s."""
        found: dict[Any, str | None] = {}
        for create in (change for change in plan.changes if isinstance(change, Create)):
            stamp = stamp_of(create, named=self._named)
            for was_made in (False, True):
                one = plan.schema.name, stamp, was_made
                if self._tried[one]:
                    self._tried[one] -= 1
                    found[create.row] = made.take(stamp) if was_made else None
                    break
        return found

    @property
    def _named(self) -> bool:
        """Return whether new rows have the same names as in the push that is resumed."""
        return self.resumed is not None and self.what is not None

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


def end(what: str) -> Path | None:
    """Note that a push of a change that was cut off has all of its parts; return it if that was so."""
    with alone(what) as free:
        parts = cut_push(what) if free else ()
        if not parts or any(read(path).open for path in parts):
            return None
        Stream(Options(), resumed=parts[0]).close()
    return parts[0]


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
