"""The way from a plan to the server that every writing command takes: show, ask, push, account for it."""

from __future__ import annotations

import functools
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sispy.cli.exits import Declined, Exit, Misuse, first
from sispy.cli.options import Session
from sispy.cli.terminal import confirm, is_terminal, say, say_now
from sispy.errors import Error
from sispy.remedies import Argument, Message, message_of
from sispy_pandas.commands.endings import next_steps, status_of_plan, steps_of_parts
from sispy_pandas.commands.output import later, plan_blocks, show, shown, tell_push, whole
from sispy_pandas.commands.targets import refuse_target
from sispy_pandas.pushing.guards import GUARDS
from sispy_pandas.pushing.journal import folder, undoing
from sispy_pandas.values.blocks import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sispy_pandas.planning.change_set import ChangeSet
    from sispy_pandas.planning.merge import OnConflict
    from sispy_pandas.pushing.guards import Guard
    from sispy_pandas.values.blocks import Block
    from sispy_pandas.workflow.objects import Plan, Report
    from sispy_pandas.workflow.parts import Plans, Reports
    from sispy_pandas.workflow.plan_parts import PlanParts

Command = TypeVar("Command", bound="Callable[..., Any]")
P = TypeVar("P", bound="Plan | Plans | PlanParts")

BEGUN = "sispy.push"
"""Key in the `meta` of a command's context that is there once it pushes."""
SERVER = "sispy.server"
"""Key in the same: the address of the server, once there is a plan."""
_PATH = click.Path(dir_okay=False, path_type=Path)
_GUARD = "; ".join(f"{name}: {words[0].lower()}{words[1:]}" for name, (_, words) in GUARDS.items()) + "."
_AGAIN = "Push rows once more that an earlier push wrote, or new rows that it may have created."
_ON_CONFLICT = "A cell that somebody else changed: leave it, write mine, or take theirs."


every_cell = click.option("--all", "every", is_flag=True, help="Show every cell; in a terminal in a pager.")
"""Gives a command the option to see a whole plan; it receives it as `every`."""


def pushing(command: Command) -> Command:
    """Give a command the options of a push; it receives them as one keyword argument `how`, for `send`."""

    @click.option("--guard", type=click.Choice(list(GUARDS)), default="check", help=_GUARD)
    @click.option(
        "--on-conflict", type=click.Choice(["skip", "mine", "theirs"]), default="skip", help=_ON_CONFLICT
    )
    @click.option("--skip-problems", is_flag=True, help="Push the rows without problems.")
    @click.option(
        "--expect-deletes",
        type=int,
        metavar="N",
        help="How many rows shall be deleted; needed for more than 10.",
    )
    @click.option("--allow-dangling", is_flag=True, help="Delete rows that others refer to.")
    @click.option("--note", metavar="TEXT", help="A note for the journal, e.g. CHG0012345.")
    @every_cell
    @click.option(
        "--journal",
        type=_PATH,
        metavar="FILE",
        help="Where to keep the journal; default: where `sispy pushes` looks.",
    )
    @click.option(
        "--rate",
        type=click.FloatRange(min=0, min_open=True),
        metavar="N",
        help="At most N rows a second are sent, in at most N requests, those that read included.",
    )
    @click.option("--again", is_flag=True, help=_AGAIN)
    @click.option(
        "--no-wait", is_flag=True, help="Push nothing (status 4) while another push writes to the table."
    )
    @click.option(
        "--verify/--no-verify",
        default=None,
        help="Look up afterwards whether values of others were replaced unseen; default: up to 1,000 rows.",
    )
    @functools.wraps(command)
    def with_how(
        *args: Any,
        guard: str,
        on_conflict: str,
        skip_problems: bool,
        expect_deletes: int | None,
        allow_dangling: bool,
        note: str | None,
        every: bool,
        journal: Path | None,
        rate: float | None,
        again: bool,
        no_wait: bool,
        verify: bool | None,
        **kwargs: Any,
    ) -> Any:
        from sispy_pandas.pushing.options import Limits
        from sispy_pandas.pushing.recall import note_attempt

        how = {
            "guard": guard,
            "on_conflict": on_conflict,
            "skip_problems": skip_problems,
            "expect_deletes": expect_deletes,
            "allow_dangling": allow_dangling,
            "note": note,
            "every": every,
            "journal": journal,
            "again": again,
            **({"limits": Limits(rate=rate)} if rate is not None else {}),
            **({"wait": False} if no_wait else {}),
            "verify": verify,
        }
        at, context = int(time.time() * 1000), click.get_current_context()
        try:
            refuse_target("--journal", journal)
            return command(*args, how=how, **kwargs)
        except Declined:
            at = 0
            raise
        except (KeyboardInterrupt, click.Abort) as stop:
            if BEGUN not in context.meta:
                stop.add_note("interrupted: nothing was pushed")
            raise
        finally:
            if at and context.info_name != "undo":  # who goes back has tried nothing new
                note_attempt(_server(context), f"`{context.command_path}`", at)

    return with_how  # type: ignore[return-value] # click reads the options that hang on the wrapper


def _server(context: click.Context) -> str:
    """Return the address of the server that a command pushes to, or would have; empty if none is named."""
    session = Session(context.params["profile"], context.params["url"])
    try:
        return str(context.meta[SERVER]) if SERVER in context.meta else session.address
    except Misuse:
        return ""


def send(
    session: Session,
    plan: Plan | Plans | PlanParts,
    *,
    yes: bool,
    require_fresh: bool = False,
    skip_problems: bool = False,
    expect_updates: int | None = None,
    every: bool = False,
    **how: Any,
) -> tuple[tuple[Report, ...], Exit]:
    """Show a plan, or several that are one change, ask, push and print what became of every row.

    Args:
        session: How much to say, and in which form.
        plan: What to push.
        yes: Do not ask.
        require_fresh: Push nothing if anything in the plan was changed by others meanwhile.
        skip_problems: Push the rows without problems although others have some.
        expect_updates: Push nothing if it is another number of rows; None: it may be any.
        every: Show every cell of the plan.
        how: Further arguments of `Plan.push`.

    Returns:
        The report of each plan, none if nothing was pushed; and the exit status.
    """
    from sispy_pandas.pushing.render import blocks
    from sispy_pandas.workflow.objects import Report
    from sispy_pandas.workflow.plan_parts import PlanParts
    from sispy_pandas.workflow.series import PartsReport

    context = click.get_current_context()
    dangling, is_made = how.get("allow_dangling", False), isinstance(plan, PlanParts)
    if how.get("journal") and (is_made or len(parts(plan)) > 1):
        each = "part" if is_made else "table"
        raise Misuse(f"--journal names one file, and each {each} has a journal of its own: leave it out.")
    if isinstance(plan, PlanParts):  # which are counted as they are checked
        how.pop("journal", None)
        plan = plan.check(allow_dangling=dangling, progress=session.progress)
    if not parts(plan):
        _say_nothing(session, plan)
        return (), Exit.DONE
    context.meta[SERVER] = parts(plan)[0].endpoint.client.url
    asks = not yes and is_terminal(sys.stdin)
    if asks and not isinstance(plan, PlanParts) and not any(one.journal for one in parts(plan)):
        # else a person would hear of some problems after the answer alone
        plan = plan.check(allow_dangling=dangling, progress=session.progress)
    limit = whole(session, every=every)
    show(session, blocks_of(plan, limit), limit=limit, paged=every)
    try:
        _refuse(parts(plan), skip_problems=skip_problems, expect_updates=expect_updates)
        if require_fresh:
            _refuse_stale(plan, session.progress)
        if not len(plan):
            _say_nothing(session, plan, how.get("expect_digest"))
            tell_push(session, parts(plan), ())
            return (), first(map(status_of_plan, parts(plan)))
        _refuse_options(plan, skip_problems=skip_problems, **how)
        _ask(session, plan, yes=yes, limit=limit)
        context.meta[BEGUN] = True
        pushed, stopped, seen = _push(session, plan, skip_problems=skip_problems, **how)
    except NotPushedError as refused:
        show(session, refused.seen)
        told = tuple(refused.plan if one.schema is refused.plan.schema else one for one in parts(plan))
        tell_push(session, told if len(told) > 1 else (refused.plan,), ())
        return (), session.refuse(Message("nothing was pushed: ", refused.message), refused.status)
    reports = (pushed,) if isinstance(pushed, Report) else pushed.reports
    ways, status = (
        steps_of_parts(pushed, stopped=stopped)
        if isinstance(pushed, PartsReport)
        else next_steps(reports, stopped=stopped)
    )
    try:
        for number, report in enumerate(reports):
            show(session, later(report) if number < seen else blocks(report, journal=False))
        tell_push(session, parts(plan), reports, ways)
    finally:
        for way in ways:
            session.say(way)
    return reports, status


def _say_nothing(session: Session, plan: Plan | Plans | PlanParts, expect_digest: str | None = None) -> None:
    """Say that there is nothing to push, and which push that was cut off has come to its end by that."""
    from sispy_pandas.workflow.plan_parts import PlanParts

    session.say("nothing to push")
    if expect_digest is not None and plan.digest != expect_digest.strip().lower():
        session.say(f"this is not the plan that was reviewed: its digest is {plan.digest}")
    if isinstance(plan, PlanParts) and (path := plan.end()) is not None:
        session.say(
            Message("so the push that was cut off has ended", undoing(path, "puts the old values back"))
        )


def with_references(plan: P) -> P:
    """Return a change with names in place of the ids of rows that it refers to, for people.

    Whoever edits a file reads there what its references are called; here nobody has seen any.
    """
    from sispy_pandas.workflow.objects import Plan
    from sispy_pandas.workflow.parts import Plans
    from sispy_pandas.workflow.references import with_names

    if isinstance(plan, Plan):
        return with_names(plan)
    return replace(plan, plans=tuple(map(with_names, plan.plans))) if isinstance(plan, Plans) else plan


def parts(plan: Plan | Plans | PlanParts) -> tuple[Plan, ...]:
    """Return the plans of a change; of one that is made part by part what is known of each table."""
    from sispy_pandas.workflow.objects import Plan

    return (plan,) if isinstance(plan, Plan) else plan.plans


def blocks_of(plan: Plan | Plans | PlanParts, limit: int | None) -> list[Block]:
    """Return what there is to see of a change."""
    from sispy_pandas.workflow.plan_parts import PlanParts

    return plan.blocks(limit) if isinstance(plan, PlanParts) else plan_blocks(parts(plan), limit)


class NotPushedError(Exception):
    """A plan was not pushed.

    Attributes:
        plan: The plan, with all that is known against it.
        message: Why.
        status: How the command ends.
        seen: What people have not seen of it yet.
    """

    def __init__(self, plan: ChangeSet, message: str, status: Exit, seen: Sequence[Block] = ()) -> None:
        super().__init__(message)
        self.plan, self.message, self.status, self.seen = plan, message, status, seen


def _refuse(plans: Sequence[Plan], *, skip_problems: bool, expect_updates: int | None) -> None:
    """Raise NotPushedError for plans that are not pushed as they are."""
    for plan in plans:
        if plan.problem_list and not skip_problems:
            others = Argument("skip_problems", "pushes the other rows", True)
            raise NotPushedError(
                plan, Message("fix the problems above and run it again", others), status_of_plan(plan)
            )
    updates, plan = sum(plan.counts["updates"] for plan in plans), plans[0]
    if expect_updates not in (None, updates):
        said = f"the plan has {count(updates, 'update')}, and --expect-updates says {expect_updates:,}"
        raise NotPushedError(plan, said, Exit.PROBLEMS)


def _refuse_options(
    plan: Plan | Plans | PlanParts,
    *,
    guard: Guard = "check",
    on_conflict: OnConflict = "skip",
    skip_problems: bool = False,
    allow_dangling: bool = False,
    note: str | None = None,
    reviewer: str | None = None,
    expect_deletes: int | None = None,
    expect_digest: str | None = None,
    **_: Any,
) -> None:
    """Raise NotPushedError for what a push would refuse after the question alone."""
    from sispy_pandas.planning.change_set import PlanRefused
    from sispy_pandas.pushing.options import Options
    from sispy_pandas.pushing.parts import allowed_together
    from sispy_pandas.workflow.plan_parts import PlanParts

    options = Options(guard, on_conflict, skip_problems, allow_dangling, note, reviewer)
    if isinstance(plan, PlanParts):
        expect_digest = None  # which its `push` compares
    try:
        allowed_together(parts(plan), options, expect_deletes=expect_deletes, expect_digest=expect_digest)
    except PlanRefused as refused:
        raise NotPushedError(refused.plan, message_of(refused), Exit.PROBLEMS) from refused


def _refuse_stale(plan: Plan | Plans | PlanParts, progress: Any) -> None:
    """Raise NotPushedError for a plan of which others have changed something."""
    from sispy_pandas.planning.render import conflicts, stale_rows

    for fresh in parts(plan.refresh(progress=progress)) if len(plan) else ():
        if gone := [table for table in (conflicts(fresh.conflict_list), stale_rows(fresh)) if table.rows]:
            raise NotPushedError(fresh, "the plan is stale: make a new one", Exit.CONFLICT, gone)


def _ask(session: Session, plan: Plan | Plans | PlanParts, *, yes: bool, limit: int | None) -> None:
    """Ask whether to push; who gets an answer in another form sees the plan as text before."""
    plans = parts(plan)
    client = plans[0].endpoint.client
    rows = sum(plan.sendable[f"{verb}s"] for plan in plans for verb in ("create", "update", "delete"))
    if not (yes or session.is_told_at_once) and is_terminal(sys.stdin):
        say(shown(blocks_of(plan, limit), limit))
    tables = ", ".join(dict.fromkeys(plan.schema.name for plan in plans))
    confirm(f"Push {count(rows, 'row')} to {tables} on {client.rules.told_at(client.url)}?", yes=yes)


def _push(
    session: Session, plan: Plan | Plans | PlanParts, *, skip_problems: bool, **how: Any
) -> tuple[Report | Reports, bool, int]:
    """Push, and return the report, whether the user stopped it, and how many people have seen already.

    Raises:
        NotPushedError: The server, or another push, is against it.
    """
    from sispy_pandas.planning.change_set import PlanRefused
    from sispy_pandas.planning.render import problems
    from sispy_pandas.pushing.turns import TableInUse
    from sispy_pandas.workflow.plan_parts import PlanParts

    early: list[Report] = []  # before the server's commits are read: that may take a while

    def show_early(report: Report) -> None:
        from sispy_pandas.pushing import render as pushed

        early.append(report)
        show(session, pushed.blocks(report, journal=False))

    journals: list[Path | None] = []  # of the parts that were sent, should a later one not be made
    tell = (lambda part: journals.append(part.journal)) if isinstance(plan, PlanParts) else show_early
    with stoppable("stopping after the request under way; once more to stop at once") as stopped:
        try:
            how = {"wait": partial(_waiting, session), "progress": session.progress, **how}
            report = plan.push(skip_problems=skip_problems, cancel=stopped, on_report=tell, **how)
        except TableInUse as refused:
            raise NotPushedError(refused.plan, message_of(refused), Exit.CONFLICT) from refused
        except PlanRefused as refused:
            known = [problem for one in parts(plan) for problem in one.problem_list]
            more = tuple(problem for problem in refused.plan.problem_list if problem not in known)
            # the server knows of them
            seen = [problems(replace(refused.plan, problem_list=more))] if more else []
            status = status_of_plan(refused.plan) or Exit.PROBLEMS
            raise NotPushedError(refused.plan, message_of(refused), status, seen) from refused
        except ValueError:
            if (path := next(filter(None, journals), None)) is not None:
                rows = count(sum(map(written_rows, filter(None, journals))), "row")
                back = undoing(path, "puts the old values back")
                session.say(Message(f"the push ended early, and {rows} are written", back))
            raise
        except Error:
            raise  # of the server: some are OSErrors as well
        except OSError as error:
            session.say(
                "the push has stopped: once its journal can be written, `sispy pushes` tells how far it came "
                "and `sispy resume` goes on"
            )
            raise OSError(error.errno, error.strerror, str(how.get("journal") or folder())) from error
    return report, stopped(), len(early)


def written_rows(journal: Path) -> int:
    """Return how many rows a push has written, as its journal tells."""
    from sispy_pandas.pushing.record import read

    return sum(bool(entry.written) or entry.word == "done" for entry in read(journal).entries.values())


def _waiting(session: Session, told: str) -> None:
    if told:  # in a terminal the bar stands on the line
        session.say(f"\n{told}" if is_terminal(sys.stderr) and not session.quiet else told)


@contextmanager
def stoppable(told: str) -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C (or SIGTERM) end work in good order, and say so; a second one ends it at once."""
    pressed = threading.Event()

    def stop(*_: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()
        say_now(told)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pressed.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
