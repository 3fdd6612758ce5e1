"""The command `sispy sandbox`, also `python -m sispy.sandbox`."""

from __future__ import annotations

import signal
import threading

import click

from sispy import Client
from sispy.cli.options import examples, password_from_stdin
from sispy.cli.terminal import out, say
from sispy.errors import Error
from sispy.sandbox.server import Sandbox

LOCAL = {"127.0.0.1", "localhost", "::1"}


@click.command(
    epilog=examples(
        "sispy sandbox --samples 2000",
        "sispy sandbox --port 3000 --data team.sqlite",
        "sispy sandbox --copy-from https://sis.example.com --schemas host,rack",
    )
)
@click.option("--port", default=3000, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--data", type=click.Path(dir_okay=False), help="SQLite file that keeps everything.")
@click.option("--samples", type=click.IntRange(0), metavar="N", help="Begin with sample data of N hosts.")
@click.option("--user", default="root", show_default=True, metavar="NAME", help="Name of the super user.")
@click.option("--password-stdin", is_flag=True, help="Read its password from standard input; else a new one.")
@click.option("--copy-from", metavar="URL", help="Begin with a copy of a real server; it is only read.")
@click.option("--schemas", metavar="A,B", help="Which schemas to copy; all of them by default.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="Another name that it is called by.")
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
    schemas: str | None,
    allow_host: tuple[str, ...],
    cors: bool,
    verbose: bool,
) -> None:
    """Run a SIS server of your own on this machine, until Ctrl-C.

    It keeps everything in memory unless --data names a file. Sample data and
    copies are loaded only where there is no schema yet. The password that it
    prints is a new one each time; it is also that of the sample users (alice,
    bob, carol, dave, erin).
    """
    if schemas and not copy_from:
        raise click.UsageError("--schemas says what to copy: give --copy-from URL, too.")
    if host not in LOCAL:
        say(f"Warning: anybody who can reach {host} can read everything.")
    server = Sandbox(
        samples=samples or False,
        data=data,
        port=port,
        host=host,
        user=user,
        password=password_from_stdin() if password_stdin else None,
        copy_from=_source(copy_from),
        schemas=[name.strip() for name in schemas.split(",") if name.strip()] if schemas else None,
        cors=cors,
        allow_hosts=allow_host,
        log=_log if verbose else None,
    )
    try:
        server.start()
    except Error:
        raise  # of the server that is copied
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        if file := getattr(error, "filename", None):
            reason = f"{file}: {reason}"
        raise click.ClickException(f"the sandbox cannot start on {host} port {port}: {reason}") from error
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        out(f"url    {server.url}")
        out(f"user   {server.user}")
        out(f"token  {server.token}")
        out(f"login  {_login(server, told=password_stdin)}")
        if copy_from:
            say("Copied " + ", ".join(f"{name} ({count:,})" for name, count in server.counts().items()))
        say("Stop with Ctrl-C.")
        stopped.wait()
    finally:
        server.stop()


def _login(server: Sandbox, *, told: bool) -> str:
    """The complete command that logs in, beside other servers; a password that was told is not repeated."""
    login = f"sispy login {server.url} --profile sandbox --user {server.user}"
    return login if told else f"echo {server.password} | {login} --password-stdin"


def _source(url: str | None) -> Client | None:
    return None if url is None else Client(url)


def _log(method: str, target: str, status: int) -> None:
    say(f"{status} {method} {target}")


if __name__ == "__main__":
    sandbox()
