"""The way from a plan to the server that every writing command takes: show, ask, push, account for it."""

from __future__ import annotations

import functools
import signal
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sispy.cli.exits import Declined, Exit, Misuse, first
from sispy.cli.options import Session
from sispy.cli.remedies import in_shell
from sispy.cli.terminal import confirm, is_terminal, out, say_now
from sispy.errors import Error
from sispy.remedies import Argument, Message, message_of
from sispy_pandas.commands.output import later_text, plan_text, report_text, shown
from sispy_pandas.commands.targets import refuse_target
from sispy_pandas.planning.change_set import PlanRefused
from sispy_pandas.planning.render import conflicts, problems, stale_rows
from sispy_pandas.pushing.journal import folder, read, short
from sispy_pandas.pushing.options import GUARDS, need_token
from sispy_pandas.pushing.recall import note_attempt
from sispy_pandas.pushing.turns import TableInUse
from sispy_pandas.pushing.verify import too_many
from sispy_pandas.values.blocks import count
from sispy_pandas.values.changes import row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sispy_pandas.planning.change_set import ChangeSet
    from sispy_pandas.workflow.objects import Plan, Report

Command = TypeVar("Command", bound="Callable[..., Any]")

BEGUN = "sispy.push"
"""Is in the `meta` of a command's context once it pushes."""
SERVER = "sispy.server"
"""The address of the server stands there once there is a plan."""
_PATH = click.Path(dir_okay=False, path_type=Path)
_GUARD = (
    "check: read rows again before writing; cas: compare-and-set, row by row; off: write over others' edits."
)
_AGAIN = "Push rows once more that an earlier push wrote, or new rows that it may have created."
_ON_CONFLICT = "A cell that somebody else changed: leave it, write mine, or take theirs."


def pushing(command: Command) -> Command:
    """Give a command the options of a push; it receives them as one keyword argument `how`, for `send`."""

    @click.option("--guard", type=click.Choice(list(GUARDS)), default="check", help=_GUARD)
    @click.option(
        "--on-conflict", type=click.Choice(["skip", "mine", "theirs"]), default="skip", help=_ON_CONFLICT
    )
    @click.option("--skip-problems", is_flag=True, help="Push the rows without problems.")
    @click.option(
        "--expect-deletes", type=int, metavar="N", help="Needed to delete more than 10 rows: how many."
    )
    @click.option("--allow-dangling", is_flag=True, help="Delete rows that others refer to.")
    @click.option("--note", metavar="TEXT", help="Goes into the journal, e.g. CHG0012345.")
    @click.option(
        "--journal",
        type=_PATH,
        metavar="FILE",
        help="Where to keep the journal; default: where `sispy pushes` looks.",
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
        journal: Path | None,
        again: bool,
        no_wait: bool,
        verify: bool | None,
        **kwargs: Any,
    ) -> Any:
        how = {
            "guard": guard,
            "on_conflict": on_conflict,
            "skip_problems": skip_problems,
            "expect_deletes": expect_deletes,
            "allow_dangling": allow_dangling,
            "note": note,
            "journal": journal,
            "again": again,
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


_DENIED = (401, 403)


def status_of_plan(plan: ChangeSet, *, detailed: bool = False) -> Exit:
    """Return the exit status of a plan that was only shown."""
    return first(_of_plan(plan, detailed=detailed))


def _of_plan(plan: ChangeSet, *, detailed: bool) -> Iterator[Exit]:
    if any(problem.denied for problem in plan.faults):
        yield Exit.DENIED
    if plan.counts["stale"] or plan.counts["conflicts"]:
        yield Exit.CONFLICT
    if plan.counts["problems"]:
        yield Exit.PROBLEMS
    if detailed and len(plan):
        yield Exit.CHANGES


def status_of_report(report: Report) -> Exit:
    """Return the exit status of a push: the first that applies to any of its rows."""
    return first(_of_report(report))


def _of_report(report: Report) -> Iterator[Exit]:
    rows = report.frame()
    outcomes = set(rows["outcome"])
    refused = rows.loc[rows["outcome"].isin(("failed", "unsent")), "status"].isin(_DENIED)
    if refused.any() or any(problem.denied for problem in report.plan.faults):
        yield Exit.DENIED
    if "unsent" in outcomes:
        yield Exit.SERVER
    if "failed" in outcomes:
        yield Exit.FAILED
    if "conflict" in outcomes or any(outcome.overwrites for outcome in report.outcomes):
        yield Exit.CONFLICT
    if "problem" in outcomes:
        yield Exit.PROBLEMS


def send(
    session: Session,
    plan: Plan,
    *,
    yes: bool,
    require_fresh: bool = False,
    skip_problems: bool = False,
    **how: Any,
) -> tuple[Report | None, Exit]:
    """Show a plan, ask, push it and print what became of every row.

    Args:
        session: How much to say.
        plan: What to push.
        yes: Do not ask.
        require_fresh: Push nothing if anything in the plan was changed by others meanwhile.
        skip_problems: Push the rows without problems although others have some.
        how: Further arguments of `Plan.push`.

    Returns:
        The report, None if nothing was pushed; and the exit status.
    """
    click.get_current_context().meta[SERVER] = plan.endpoint.client.url
    out(plan_text(plan))
    status = status_of_plan(plan)
    if plan.faults and not skip_problems:
        others = Argument("skip_problems", "pushes the other rows", True)
        session.say(Message("nothing was pushed: mend the problems", others))
        return None, status
    if not len(plan):
        session.say("nothing to push")
        return None, status
    if require_fresh and (stale := _gone_stale(plan)):
        out(f"\n{stale}")
        session.say("nothing was pushed: the plan is stale; make it anew")
        return None, Exit.CONFLICT
    client = plan.endpoint.client
    need_token(client)
    barred = {fault.row for fault in plan.faults}
    rows = sum(row_of(change) not in barred for change in plan.changes)
    confirm(f"Push {count(rows, 'row')} to {plan.schema.name} on {client.url}?", yes=yes)
    early: list[Report] = []  # before the server's commits are read: that may take a while

    def show(report: Report) -> None:
        early.append(report)
        out(f"\n{report_text(report)}")

    click.get_current_context().meta[BEGUN] = True
    with _stoppable() as stopped:
        try:
            how = {"wait": partial(_waiting, session), "progress": session.progress, **how}
            report = plan.push(
                skip_problems=skip_problems,
                cancel=stopped,
                on_report=show,
                **how,
            )
        except TableInUse as refused:
            session.say(f"nothing was pushed: {in_shell(message_of(refused))}")
            return None, Exit.CONFLICT
        except PlanRefused as refused:
            if refused.plan.faults != plan.faults:  # the server knows more of them
                out(f"\n{shown([problems(refused.plan)])}")
            session.say(f"nothing was pushed: {in_shell(message_of(refused))}")
            return None, status_of_plan(refused.plan) or Exit.PROBLEMS
        except Error:
            raise  # of the server: some are OSErrors as well
        except OSError as error:
            session.say(
                "the push has stopped: once its journal can be written, `sispy pushes` tells how far it came "
                "and `sispy resume` goes on"
            )
            raise OSError(error.errno, error.strerror, str(how.get("journal") or folder())) from error
    try:
        if later := later_text(report) if early else report_text(report):
            out(f"\n{later}")
    finally:
        status = _next_step(session, report, stopped=stopped())
    return report, status


def _waiting(session: Session, told: str) -> None:
    if told:  # in a terminal the bar stands on the line
        session.say(f"\n{told}" if is_terminal(sys.stderr) and not session.quiet else told)


def _next_step(session: Session, report: Report, *, stopped: bool) -> Exit:
    """Say how to go on after a push, or back, and return its exit status."""
    name = _name(report.journal)
    if report.journal is None and report.stopped:
        session.say(f"nothing was pushed: {report.stopped}")
        return Exit.INTERRUPTED
    if stopped and report.counts["unsent"]:
        ways = f"`sispy resume {name}` goes on, `sispy undo {name}` goes back"
        session.say(f"interrupted: {ways if _has_written(report) else 'nothing was sent'}")
        return Exit.INTERRUPTED
    if report.counts["unsent"] and report.stopped and not _may_go_on(report):
        session.say(f"nothing was pushed: {report.stopped}; `sispy whoami` shows whose token it is")
    elif report.counts["unsent"]:
        session.say(f"not all rows were sent; `sispy resume {name}` goes on")
    elif len(report.overwritten):
        session.say(
            f"values of others were replaced; `sispy undo {name}` gives theirs back, and the old values"
        )
    elif any(outcome.written for outcome in report.outcomes):
        session.say(f"`sispy undo {name}` puts the old values back")
    if any(outcome.unverified == too_many() for outcome in report.outcomes):
        session.say(f"`sispy verify {name}` looks up whether values of others were replaced")
    if (maybe := sum(outcome.ambiguous for outcome in report.outcomes)) and name:
        session.say(
            f"{count(maybe, 'new row')} may have been created: `sispy resume {name}` looks again, "
            "and with --again sends what remains in doubt"
        )
    if report.counts["conflict"]:
        mine = Argument("on_conflict", "writes over them", "mine")
        session.say(Message("cells in conflict are left as others wrote them", mine))
    return status_of_report(report)


def _has_written(report: Report) -> bool:
    return report.journal is not None and read(report.journal).wrote


def _may_go_on(report: Report) -> bool:
    return report.journal is not None and read(report.journal).open


def _name(path: Path | None) -> str:
    """Return what `sispy undo` and `sispy resume` know a journal by."""
    if path is None:
        return ""
    return short(path) if path.parent == folder() else str(path)


def _gone_stale(plan: Plan) -> str:
    """Return what others changed since the plan was made, as text; empty if there is nothing."""
    fresh = plan.refresh()
    return shown([table for table in (conflicts(fresh.clashes), stale_rows(fresh)) if table.rows])


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C (or SIGTERM) end a push between two requests; a second one ends it at once."""
    pressed = threading.Event()

    def stop(*_: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()
        say_now("stopping after the request under way; once more to stop at once")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pressed.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
