"""The command `sispy sandbox`, also `python -m sispy.sandbox`."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from sispy import Client
from sispy.cli.options import examples, password_from_stdin
from sispy.cli.remedies import program
from sispy.cli.terminal import is_terminal, out, say
from sispy.errors import Error
from sispy.sandbox.server import Sandbox

if TYPE_CHECKING:
    from sispy.sandbox.sis.world import Copy

LOCAL = {"127.0.0.1", "localhost", "::1"}
FILTERS = "sispy_pandas.commands.tables"
"""Where filters are read: named by a text, as in the table of commands, for it is above."""
AGES = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))


@click.command(
    epilog=examples(
        "sispy sandbox --samples 2000",
        "sispy sandbox --port 3000 --data team.sqlite",
        "sispy sandbox --copy-from https://sis.example.com --data copy.sqlite",
        "sispy sandbox --copy-from https://sis.example.com --only 'host status=live'",
    )
)
@click.option("--port", default=3000, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--data", type=click.Path(dir_okay=False), help="SQLite file that keeps everything.")
@click.option("--samples", type=click.IntRange(0), metavar="N", help="Begin with sample data of N hosts.")
@click.option("--user", default="root", show_default=True, metavar="NAME", help="Name of the super user.")
@click.option("--password-stdin", is_flag=True, help="Read its password from standard input; else a new one.")
@click.option("--copy-from", metavar="URL", help="Begin with a copy of a real server; it is only read.")
@click.option(
    "--only",
    multiple=True,
    metavar="TABLE[ FILTER]",
    help="Copy this table, or its rows that meet a filter, and what they refer to. May be repeated.",
)
@click.option(
    "--history",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Copy the last N commits of each row, too: a request per row.",
)
@click.option("--hooks", is_flag=True, help="Call the hooks of the copy, too: their receivers are real.")
@click.option(
    "--allow-host", multiple=True, metavar="NAME", help="Answer to this name, too, such as a container's."
)
@click.option("--cors", is_flag=True, help="Let pages of any origin read the answers.")
@click.option("-v", "--verbose", is_flag=True, help="Print a line per request.")
def sandbox(
    port: int,
    host: str,
    data: str | None,
    samples: int | None,
    user: str,
    password_stdin: bool,
    copy_from: str | None,
    only: tuple[str, ...],
    history: int,
    hooks: bool,
    allow_host: tuple[str, ...],
    cors: bool,
    verbose: bool,
) -> None:
    """Run a SIS server of your own on this machine, until Ctrl-C.

    It keeps everything in memory unless --data names a file. The password
    that it prints is a new one each time; it is also that of all users who
    have none of their own: those of the samples (alice, bob, carol, dave,
    erin) and of a copy.

    A copy has the tables, users (without passwords), hooks (switched off) and
    hiera of a server. One that is interrupted goes on where it ended, if
    --data names its file; one that is complete is not copied again.
    """
    if (only or history) and not copy_from:
        raise click.UsageError("--only and --history say what to copy: give --copy-from URL, too.")
    if samples and copy_from:
        raise click.UsageError("--samples and --copy-from are two beginnings: give one of them.")
    if host not in LOCAL:
        say(f"Warning: anybody who can reach {host} can read everything.")
    source = None if copy_from is None else Client(copy_from)
    server = Sandbox(
        samples=samples or False,
        data=data,
        port=port,
        host=host,
        user=user,
        password=password_from_stdin() if password_stdin else None,
        copy_from=source,
        only=_chosen(source, only) if source is not None and only else None,
        history=history,
        hooks=hooks,
        progress=_Progress(),
        cors=cors,
        allow_hosts=allow_host,
        log=_log if verbose else None,
    )
    try:
        _start(server, data=data)
    except Error:
        raise  # of the server that is copied
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    except sqlite3.Error as error:
        raise OSError(f"{data} cannot be written: {error}") from error
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        raise click.ClickException(f"the sandbox cannot start on {host} port {port}: {reason}") from error
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        if server.world.copy is not None:
            out(f"copy   {_origin(server.world.copy)}")
        out(f"url    {server.url}")
        out(f"user   {server.user}")
        out(f"token  {server.token}")
        out(f"login  {_login(server, told=password_stdin)}")
        if server.world.copy is not None:
            say(_contents(server))
        say("Stop with Ctrl-C.")
        stopped.wait()
    finally:
        server.stop()


def _chosen(client: Client, texts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return the tables that are wanted, each with the query of its rows."""
    chosen: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, _, rows = text.strip().partition(" ")
        if name in chosen:
            raise click.UsageError(f"--only names {name} twice: join its filters")
        chosen[name] = _query(client, name, rows.strip())
    return chosen


def _query(client: Client, name: str, text: str) -> dict[str, Any]:
    if not text:
        return {}
    if not text.startswith("{"):
        found: dict[str, Any] = import_module(FILTERS).query_of(client.entities(name), [text])
        return found
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise click.UsageError(f"--only {name}: {text} is no JSON: {error}") from error


def _start(server: Sandbox, *, data: str | None) -> None:
    """Start the server; if copying was interrupted, say how to go on."""
    try:
        server.start()
    except (Error, sqlite3.Error, KeyboardInterrupt) as stop:
        for note in getattr(stop, "__notes__", ()):
            say(f"It ended {note}.")
        copy = server.world.copy
        if data and copy is not None and copy.ended is None:
            say(f"What was copied so far is in {data}: the same command goes on.")
        raise


class _Progress:
    """Tells how far a copy is: in one line of a terminal, else with a line for each part that is complete."""

    def __init__(self) -> None:
        self._shown = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        text = f"{what}: {done:,} of {total:,}" if total else what
        if is_terminal(sys.stderr):
            ended = done >= total
            click.echo(f"\r{text:<{self._shown}}", nl=ended, err=True)
            self._shown = 0 if ended else len(text)
        elif done >= total:
            say(text)


def _contents(server: Sandbox) -> str:
    """Return in words what a copy holds."""
    world = server.world
    tables = ", ".join(f"{name} ({count:,})" for name, count in server.counts().items())
    kinds = (
        (world.users, "user", "users"),
        (world.hiera, "hiera entry", "hiera entries"),
        (world.hooks, "hook", "hooks"),
    )
    counted = ((len(kind.collection), one, many) for kind, one, many in kinds)
    told = ", ".join(f"{n:,} {one if n == 1 else many}" for n, one, many in counted)
    is_off = len(world.hooks.collection) and not world.calls_copied_hooks
    off = ", switched off (--hooks calls them)" if is_off else ""
    return f"Copied {tables or 'no table'}; {told}{off}."


def _origin(copy: Copy) -> str:
    """Return in words which server this is a copy of, how old it is, and whether it is complete."""
    incomplete = "" if copy.ended is not None else f"; not complete: --copy-from {copy.copy_of} goes on"
    return f"of {copy.copy_of}, {_age(copy.begun)}{incomplete}"


def _age(ms: int) -> str:
    """Return an age in words, in the largest unit of which there are at least two."""
    seconds = max(0, int(time.time() - ms / 1000))
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(ms / 1000))
    for size, unit in AGES:
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} old ({when})"
    return f"new ({when})"


def _login(server: Sandbox, *, told: bool) -> str:
    """Return the complete command that logs in; a password that the user has given is not repeated."""
    login = f"{program()} login {server.url} --profile sandbox --user {server.user}"
    return login if told else f"echo {server.password} | {login} --password-stdin"


def _log(method: str, target: str, status: int) -> None:
    say(f"{status} {method} {target}")


if __name__ == "__main__":
    sandbox()
