"""Push a plan: chunk by chunk, guarded, journalled, with one outcome for every row."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Call, Message
from sispy.text import printable

from ..planning.change_set import ChangeSet, PlanRefused, anonymous
from ..planning.plan_file import lines
from ..planning.precheck import precheck
from ..values.blocks import count, name_of
from ..values.changes import Change, Create, Outcome, action_of, row_of
from ..values.progress import aside, bar
from .earlier import Before, Memory
from .journal import Nowhere, fate_unknown, new_path, opened, refuse_device, resuming, undoing, unsent
from .open_rows import look_up, still_open, take_up
from .options import Limits, Options, refuse
from .outcome import PushResult
from .recall import PARTS, note_attempt, remember
from .record import Entry, NeverBegan, read
from .run import Run
from .sending import send_all
from .server import Server, Stopped
from .turns import turn
from .verify import after_push

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence

    from sispy import Endpoint

    from .journal import Journal
    from .record import Together


def push(
    plan: ChangeSet,
    options: Options,
    *,
    expect_deletes: int | None = None,
    expect_digest: str | None = None,
    journal: str | Path | bool | None = None,
    begun: ChangeSet | None = None,
    together: Together | None = None,
    leaving: Sequence[ChangeSet] = (),
    progress: Any = True,
    cancel: Callable[[], bool] | Event | None = None,
    limits: Limits | None = None,
    again: bool = False,
    wait: bool | Callable[[str], object] = True,
    verify: bool | None = None,
    on_result: Callable[[PushResult], object] | None = None,
) -> PushResult:
    """Send changes to the server and account for every row; `Plan.push` tells arguments and errors.

    Of a push in parts `begun` is the plan that `begin` began the journal with, `together` what is said of the
    part where that is done here, and `leaving` what later parts delete, which may refer to what this one
    deletes.
    """
    with _way_on(plan) as way:
        if plan.journal is not None:
            way.journal, way.begun = plan.journal, True
        options = allowed(plan, options, expect_deletes=expect_deletes, expect_digest=expect_digest)
        endpoint, limits = plan.endpoint, limits or Limits()
        stop = cancel.is_set if isinstance(cancel, Event) else cancel or _never
        if limits.between:
            plan = replace(plan, endpoint=_paced(endpoint, limits, stop))
        started, path = _now(), _path(plan, journal) if begun is None else Path(str(journal))
        memory = Memory.of(plan)
        cancelled: Stopped | None = None
        if plan.journal is None:
            try:
                settled = () if again else memory.done()
                plan = _checked(plan, options, settled=settled, others=leaving, progress=aside(progress))
            except Stopped as stop_:
                cancelled = stop_
            if path is None and anonymous(plan):
                raise PlanRefused(
                    f"schema {plan.schema.name!r} has no unique field to know new rows by: "
                    "they need a journal",
                    plan,
                )
        with bar(progress, total=len(plan), unit=" rows", desc=f"push {plan.schema.name}") as shown:
            user = plan.endpoint.client.username
            server = Server(plan.endpoint, limits, stop, shown.set_postfix_str)
            run = Run(plan, server, Nowhere(), options.guard, options.on_conflict, shown, user)
            tell = wait if callable(wait) else shown.set_postfix_str
            try:
                if cancelled is not None:
                    raise cancelled
                with turn(run, options.note, wait=wait is not False, tell=tell) as run.bar:
                    way.journal, way.run = path, run
                    stopped = _push(
                        run,
                        memory,
                        path,
                        options,
                        again=again,
                        begun=begun,
                        together=together,
                        leaving=leaving,
                    )
            except Stopped as stop_:  # cancelled before its turn came: nothing was sent or written down
                stopped, path = str(stop_), plan.journal
                _settle_the_rest(run, stopped)
        result = PushResult(
            run.plan,
            tuple(_in_plan_order(run)),
            tuple(conflict for row in run.conflicts.values() for conflict in row),
            journal=path,
            note=options.note,
            reviewer=options.reviewer,
            user=run.user,
            started=started,
            ended=_now(),
            notes=(*run.notes, *_sent_once_more(run)),
            stopped=stopped,
            entities=run.entities,
        )
        found = after_push(result, verify, progress=progress, cancel=cancel, on_result=on_result)
        return replace(found, plan=replace(found.plan, endpoint=endpoint)) if limits.between else found


def _paced(endpoint: Endpoint, limits: Limits, stop: Callable[[], bool]) -> Endpoint:
    """Return an endpoint whose requests keep to the limits; who waits for that can be cancelled."""
    sleep = Server(endpoint, limits, stop).waits.sleep
    return endpoint.paced(lambda: limits.request_pace.take(limits.between, sleep))


def allowed(
    plan: ChangeSet,
    options: Options,
    *,
    expect_deletes: int | None = None,
    expect_digest: str | None = None,
) -> Options:
    """Return the options that hold for a plan: those of its first push, and the note that it was saved with.

    Raises:
        PlanRefused: It may not be pushed with them; `Plan.push` tells why that may be.
        ValueError: See there.
        sispy.Unauthorized: There is no token, or the profile is for reading alone.
    """
    if plan.journal is not None:
        options = options.resumed(read(plan.journal).begin)
    options = replace(options, note=options.note or plan.origin.note)
    refuse(plan, options, expect_deletes, expect_digest)
    return options


def begin(plan: ChangeSet, path: Path, options: Options, *, again: bool, together: Together) -> None:
    """Write down the part of a push whose turn comes later: `resume` finds it, whatever happens before."""
    memory = Memory.of(plan)
    memory.refuse_open(again=again)
    with unsent(path), opened(path) as journal:
        _begin(
            journal,
            memory,
            path,
            {**asdict(options), "user": plan.endpoint.client.username},
            together,
        )


def _begin(
    journal: Journal | Nowhere,
    memory: Memory,
    path: Path,
    facts: Mapping[str, Any],
    together: Together | None,
    **more: Any,
) -> None:
    server = memory.plan.endpoint.client.url
    more |= {} if together is None else {"together": list(together)}
    journal.lines(lines(memory.plan))
    journal.event("begin", server=server, **facts, digest=memory.content, **more)
    journal.keep()  # what is remembered of it can be read
    memory.note(path)
    if together is not None and together[2] is None:
        remember(PARTS, (server, memory.plan.schema.name), path)


def _push(
    run: Run,
    memory: Memory,
    path: Path | None,
    options: Options,
    *,
    again: bool,
    begun: ChangeSet | None,
    together: Together | None,
    leaving: Sequence[ChangeSet],
) -> str | None:
    """Bring every row to its outcome, now that no other push writes to the table; return why it stopped."""
    plan, stopped = run.plan, None
    facts = {"user": run.user, **asdict(options)}
    doubtful: dict[Hashable, Entry] = {}
    if plan.journal is None:
        memory.refuse_open(again=again)
        done = {} if again else memory.done()  # once more: another push may have come first
        doubtful = {} if again else {r: e for r, e in memory.ambiguous().items() if r not in done}
    with ExitStack() as ends:
        with unsent(path) if plan.journal is None else nullcontext():
            run.journal = ends.enter_context(opened(path))
        if plan.journal is not None:
            run.journal.event("resume", **facts)
            stopped = take_up(run, read(plan.journal), again=again)
            if stopped is None:
                try:
                    run.plan = _checked(
                        run.plan, options, settled=run.outcomes, pending=run.pending, others=leaving
                    )
                except Stopped as cancelled:
                    stopped = str(cancelled)
        else:
            if path is not None and begun is None:
                more = {"open": still_open(doubtful)} if doubtful else {}
                with unsent(path):
                    _begin(run.journal, memory, path, facts, together, **more)
            elif path is not None:
                run.journal.event("resume", **facts)
                memory.note(path)  # by now it may refer to rows that are there
            run.noted = {row_of(change): change for change in (begun or memory.plan).changes}
            _leave_out(run, done)
            run.explained |= memory.made()
            stopped = look_up(run, doubtful)
        stopped = stopped or send_all(run)
        _settle_the_rest(run, stopped)
        in_vain = run.stop_status == 401 and plan.journal is None and not run.wrote
        run.journal.event("end", stopped=None if in_vain else stopped)  # nothing began: nothing to resume
    memory.note_end(run.outcomes.values(), journal=path is not None)
    return stopped


def _leave_out(run: Run, done: Mapping[Hashable, Before]) -> None:
    """End the rows that an earlier push of this plan wrote, and say so."""
    for change in run.plan.changes:
        if (before := done.get(row_of(change))) is not None:
            run.settle(change, "unchanged", before.reason, id=before.id, receipt=before.receipt)
    reasons = Counter(before.reason for before in done.values())
    run.notes += [Message(f"{count(n, 'row')} left out: ", reason) for reason, n in reasons.items()]


def _sent_once_more(run: Run) -> Iterator[str]:
    """Yield in words which new rows may be there twice: without an `_id` no history tells."""
    if n := sum(run.outcomes[row].word == "done" for row in run.once_more & run.outcomes.keys()):
        yield (
            f"sent once more: {count(n, 'new row')} of which a request without an answer had left nothing; "
            "had somebody deleted them since, they would be back"
        )


@dataclass
class _Way:
    """The way on from a push that is interrupted at this moment."""

    journal: Path | None = None
    begun: bool = False
    """Whether this is the rest of a push."""
    run: Run | None = None

    @property
    def text(self) -> str:
        """What somebody has to know who interrupts it."""
        if not self.begun and (self.run is None or not self.run.wrote):
            return "interrupted before anything was sent"
        if self.journal is None:
            return "interrupted: the push keeps no journal; a new fetch and diff tell what is left"
        path = self.journal
        return Message("interrupted", resuming(path, "goes on"), undoing(path, "goes back"))


@contextmanager
def _way_on(plan: ChangeSet) -> Iterator[_Way]:
    """Put the way on into a KeyboardInterrupt; note the push as tried, of which no journal may tell."""
    way = _Way()
    try:
        if not plan.undoes:
            note_attempt(plan.endpoint.client.url, f"a push to {plan.schema.name}", int(time.time() * 1000))
        yield way
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(way.text)
        raise


def _path(plan: ChangeSet, journal: str | Path | bool | None) -> Path | None:
    """Return where the journal is kept; None for nowhere.

    Raises:
        ValueError: The file is there already, or it is no regular one.
    """
    if plan.journal is not None:
        return plan.journal
    if not isinstance(journal, str | Path):
        return None if journal is False else new_path(plan.schema.name)
    path = Path(journal)
    refuse_device(path)
    if path.exists() and path.stat().st_size and not _never_began(path):
        raise ValueError(
            Message(
                f"{printable(path)} exists, and a new push needs a new file",
                resuming(path, "goes on with it"),
            )
        )
    return path


def _never_began(path: Path) -> bool:
    """Return whether a push was killed before it had written down what it is about to send."""
    try:
        read(path)
    except NeverBegan:
        return True
    except ValueError:
        return False
    return False


def _checked(
    plan: ChangeSet,
    options: Options,
    *,
    settled: Collection[Hashable] = (),
    pending: Collection[Hashable] = (),
    others: Sequence[ChangeSet] = (),
    progress: Any = False,
) -> ChangeSet:
    """Return the plan with the problems that the server knows of, if it may be pushed with them.

    Rows in `settled` need no checks: they will not be sent. Rows in `pending` were sent by a push that was
    interrupted. What the server says about them now may be the effect of that, and is no problem.
    """
    left = tuple(change for change in plan.changes if row_of(change) not in settled)
    known = set(map(id, plan.problem_list))
    checked = precheck(
        replace(plan, changes=left),
        allow_dangling=options.allow_dangling,
        whole=plan,
        others=others,
        progress=progress,
    )
    problems = tuple(
        problem for problem in checked.problem_list if id(problem) in known or problem.row not in pending
    )
    plan = replace(plan, problem_list=problems)
    if plan.problem_list and not options.skip_problems:
        first, all_ = plan.problem_list[0], count(len(plan.problem_list), "problem")
        raise PlanRefused(
            Message(
                f"{all_}; the first: row {name_of(first)}, {first.column}: ",
                first.reason,
                Call("plan.check().problems", "names all"),
                Argument("skip_problems", "sends the other rows", True),
            ),
            plan,
        )
    return plan


def _settle_the_rest(run: Run, stopped: str | None) -> None:
    """Give an outcome to the rows that were not sent."""
    problems: dict[Any, Message] = {}
    for problem in run.plan.problem_list:
        before = [problems[problem.row], "; "] if problem.row in problems else []
        problems[problem.row] = Message(
            *before, f"{problem.column}: " if problem.column else "", problem.reason
        )
    for change in run.plan.changes:
        row = row_of(change)
        if row in run.outcomes:
            continue
        if row in problems:
            run.settle(change, "problem", problems[row])
        elif row in run.waiting:
            told = f"created, but what it refers to is not put in yet ({stopped})"
            run.outcomes[row] = _open(change, Message(told, Call("sp.resume", "finishes it", ("resume",))))
        elif row in run.pending:  # stays open in the journal: only a resume can tell
            run.outcomes[row] = _open(change, fate_unknown(f" ({stopped})"))
        else:
            run.settle(change, "unsent", stopped or "", status=run.stop_status)


def _open(change: Change, reason: str) -> Outcome:
    id_ = None if isinstance(change, Create) else change.id
    return Outcome(row_of(change), action_of(change), "unsent", id_, change.key, None, reason)


def _in_plan_order(run: Run) -> Iterable[Outcome]:
    """Yield one outcome per row of the plan, those without a change (bad ids, stale rows) last."""
    changed = {row_of(change) for change in run.plan.changes}
    yield from (run.outcomes[row_of(change)] for change in run.plan.changes)
    for problem in {problem.row: problem for problem in reversed(run.plan.problem_list)}.values():
        if problem.row not in changed:
            id_ = problem.row if isinstance(problem.row, str) else None
            yield Outcome(problem.row, "update", "problem", id_, problem.key, None, problem.reason)
    for stale in run.plan.stale:
        reason = Message("stale: ", stale.reason)
        yield Outcome(stale.id, "update", "unsent", stale.id, stale.key, None, reason)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _never() -> bool:
    return False
