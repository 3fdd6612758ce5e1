"""Options of the commands that push a plan."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sispy.cli.exits import Declined, Misuse
from sispy.cli.options import Session
from sispy_pandas.commands.targets import refuse_target
from sispy_pandas.pushing.recall import note_attempt

if TYPE_CHECKING:
    from collections.abc import Callable

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

    @click.option("--guard", type=click.Choice(["check", "cas", "off"]), default="check", help=_GUARD)
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
