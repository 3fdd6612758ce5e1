"""The `sispy` command: the names of all commands, where each lives, and what happens to their exceptions.

A command's module is imported when the command is used, so that `sispy --help` starts without pandas.
A command returns its exit status (None is done); what it raises becomes one sentence on standard error.
"""

from __future__ import annotations

import difflib
import logging
import os
import signal
import sys
import time
from functools import partial
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.shell_completion import CompletionItem

from sispy.cli.exits import Declined, Exit, Misuse, explain
from sispy.cli.options import end_log, examples
from sispy.cli.terminal import say, tell_error
from sispy.remedies import Meant, Message
from sispy.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# ruff: noqa: ARG002 - click's methods are overridden with their whole signatures

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("sispy_pandas.commands.demo", "Take a tour, on a server with sample data."),
    "notebooks": ("sispy_pandas.commands.notebooks", "Write the tutorial's notebooks into a folder."),
    "sandbox": ("sispy.sandbox.__main__", "Run a SIS server of your own on this machine."),
    "login": ("sispy.cli.login", "Log in to a server and remember the token."),
    "logout": ("sispy.cli.login", "Delete the remembered token."),
    "whoami": ("sispy_pandas.commands.whoami", "Show server, user and where they come from."),
    "schemas": ("sispy_pandas.commands.schemas", "List the tables, or show one's fields."),
    "show": ("sispy_pandas.commands.show", "Show rows of a table, or one of them whole."),
    "export": ("sispy_pandas.commands.export", "Write a table to a CSV, Excel, Parquet or NDJSON file."),
    "mirror": (
        "sispy_pandas.commands.mirror",
        "Keep a table as Parquet files, brought up to date by each run.",
    ),
    "diff": ("sispy_pandas.commands.diff", "Compare two exports, or one with today."),
    "check": ("sispy_pandas.commands.check", "Find dangling references and duplicates."),
    "history": ("sispy_pandas.commands.history", "Show who changed a row, what and when."),
    "changes": ("sispy_pandas.commands.history", "Show all cells changed in a span of time."),
    "plan": ("sispy_pandas.commands.plan", "Show what an edited file would change. Writes nothing."),
    "push": ("sispy_pandas.commands.push", "Write an edited file's changes to the server."),
    "set": ("sispy_pandas.commands.set_", "Set fields of the rows that filters find."),
    "merge": ("sispy_pandas.commands.check", "Merge duplicate rows into one."),
    "edit": ("sispy_pandas.commands.edit", "Edit rows in the browser, and push what was reviewed."),
    "import": ("sispy_pandas.commands.import_", "Make a table from a file: JSON, CSV or a workbook."),
    "verify": ("sispy_pandas.commands.verify", "Show whose values a push replaced without noticing."),
    "resume": ("sispy_pandas.commands.undo", "Go on with a push that was interrupted."),
    "undo": ("sispy_pandas.commands.undo", "Put back what a push changed."),
    "revert": ("sispy_pandas.commands.history", "Put back what somebody changed."),
    "pushes": ("sispy_pandas.commands.undo", "List the pushes made from here."),
}
"""Name -> (module that holds the click command of that name, one line of help)."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "Try it": ("demo", "notebooks", "sandbox"),
    "Connect": ("login", "logout", "whoami"),
    "Look": ("schemas", "show", "export", "mirror", "diff", "check", "history", "changes"),
    "Change": (
        *("plan", "push", "set", "merge", "edit", "import"),
        *("verify", "resume", "undo", "revert", "pushes"),
    ),
}
"""The commands as `sispy --help` groups them."""

log: logging.Logger = logging.getLogger("sispy.cli")

_OF_CLICK = (click.ClickException, click.Abort, click.exceptions.Exit, EOFError, BrokenPipeError)
"""Exceptions that click handles itself."""


class _Commands(click.Group):
    """A group that imports a command's module when the command is used, and explains what goes wrong."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        attribute = f"{cmd_name}_" if cmd_name in ("import", "set") else cmd_name  # Python has them
        command = getattr(import_module(COMMANDS[cmd_name][0]), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} of {COMMANDS[cmd_name][0]} is not a command: {command!r}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else "`sispy --help` lists the commands."
            ctx.fail(f"No command {name!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name][1]) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete command names from the table: pressing TAB must not import pandas."""
        names = [name for name in COMMANDS if name.startswith(incomplete) and not incomplete.startswith("-")]
        commands = [CompletionItem(name, help=COMMANDS[name][1]) for name in names]
        return commands or click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was called; what it raises is explained while its options are known."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, _OF_CLICK) and not isinstance(error, Misuse):
                raise
            status = _explained(error, as_json=ctx.obj)
            if status is None:
                raise
            return status

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command and exit with its status."""
        args = sys.argv[1:] if args is None else args
        extra["obj"] = as_json = _asks_for_json(args)
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            extra["color"] = False
        start = time.monotonic()
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: in good order
        try:
            run = partial(super().main, args, prog_name, complete_var, False, **extra)
            status = _run(run, as_json=as_json)
        finally:
            signal.signal(signal.SIGTERM, before)
        log.info("exit status %d after %.1f s", status, time.monotonic() - start)
        end_log()
        sys.exit(status)


def _asks_for_json(args: Sequence[str]) -> bool:
    """Return whether JSON is asked for: then errors are JSON, too, also those of a wrong call."""
    return "--output=json" in args or ("--output", "json") in pairwise(args)


def _run(command: Callable[[], Any], *, as_json: bool) -> int:
    try:
        return int(command() or Exit.DONE)
    except Declined:
        return Exit.INTERRUPTED
    except click.ClickException as error:
        if as_json:
            said = error.message if isinstance(error, Misuse) else error.format_message()
            meant = map(Meant, getattr(error, "possibilities", None) or ())
            tell_error(Message(said, *meant), Exit.USAGE, as_json=True)
        else:
            say(_usage(error))
        log.info("%s", printable(error.format_message()))
        return Exit.USAGE
    except SystemExit:  # what click makes of a reader of the help that went away
        return Exit.DONE
    except (click.Abort, KeyboardInterrupt) as stop:
        notes = getattr(stop.__cause__ or stop, "__notes__", ["interrupted"])  # click makes an Abort of it
        for note in notes:
            tell_error(note, Exit.INTERRUPTED, as_json=as_json)
        return Exit.INTERRUPTED
    except Exception as error:
        status = _explained(error, as_json=as_json)
        if status is None:
            log.info("failed", exc_info=error)
            raise  # a defect of sispy: its traceback is what the report needs
        return status


def _explained(error: Exception, *, as_json: bool) -> Exit | None:
    """Say in one sentence what a user can act on, and return the exit status; None for a defect of sispy."""
    explained = explain(error)
    if explained is None:
        return None
    log.info("failed", exc_info=error)
    status, message = explained
    tell_error(message, status, as_json=as_json)
    return status


def _usage(error: click.ClickException) -> str:
    """Return what to say about wrong use; of a mistyped command its usage, too."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    said = error.format_message()
    if context is None:
        return f"sispy: {said}"
    hint = "" if "--help" in said else f" `{context.command_path} --help` tells more."
    return f"{context.get_usage()}\nsispy: {said}{hint}"


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
    epilog=examples(
        "sispy login https://sis.example.com",
        "sispy export host status=live -o hosts.csv     # edit hosts.csv",
        "sispy plan host hosts.csv",
        "sispy push host hosts.csv",
    ),
)
@click.version_option(package_name="sispy")
def main() -> None:
    """Work on a SIS CMDB as tables: fetch, edit anywhere, see the plan, push it.

    New here? `sispy demo` shows the whole way on sample data, without a server
    of yours. `sispy COMMAND --help` explains a command.
    """
