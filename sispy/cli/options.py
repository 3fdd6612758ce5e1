"""Options that every command which talks to a server shares, and the session they describe."""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sispy.cli.completion import profiles
from sispy.cli.exits import Misuse, misuse, refuse_stream
from sispy.cli.remedies import in_shell
from sispy.cli.terminal import is_terminal, say, tell_error
from sispy.encoding import one_address
from sispy.text import printable

if TYPE_CHECKING:
    from sispy.cli.exits import Exit
    from sispy.client import Client

_OUTPUT = "sispy.output"
JSON_VERSION = 1
"""Of the JSON that commands print: another one where a key is gone or means something else."""
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Session:
    """Which server a command talks to, and how much it says meanwhile."""

    profile: str | None = None
    url: str | None = None
    timeout: float | None = None
    quiet: bool = False
    output: str = "text"
    """The form of the answer, see `answers`."""

    def client(self) -> Client:
        """Return a client from the options, the environment, the profile or netrc, in this order.

        Raises:
            Misuse: No server is named, or the profile or address is wrong.
        """
        from sispy.client import Client  # late: `sispy --help` needs no HTTP

        options: dict[str, Any] = {"url": self.url, "timeout": self.timeout}
        try:
            return Client.from_profile(self.profile, **{k: v for k, v in options.items() if v is not None})
        except ValueError as error:
            raise misuse(error) from error

    @property
    def address(self) -> str:
        """The server's address in its one spelling, empty where nothing names a server.

        Raises:
            Misuse: There is no such profile.
        """
        from sispy.config import resolve  # late: `sispy --help` needs no profiles

        try:
            return one_address(resolve(self.profile, url=self.url).url)
        except ValueError as error:
            raise misuse(error) from error

    @property
    def user(self) -> str | None:
        """Who the user says to be; None where nothing says it.

        Raises:
            Misuse: There is no such profile.
        """
        from sispy.config import resolve  # late: `sispy --help` needs no profiles

        try:
            return resolve(self.profile, url=self.url).username
        except ValueError as error:
            raise misuse(error) from error

    def client_if_named(self) -> Client | None:
        """Return a client if an option or the environment names a server, else None: the file does."""
        named = self.profile or self.url or os.environ.get("SIS_URL") or os.environ.get("SIS_PROFILE")
        return self.client() if named else None

    @property
    def progress(self) -> Any:
        """What long work reports to: a bar on a terminal, a line every 10 s in a log, nothing if quiet."""
        if self.quiet:
            return False
        if is_terminal(sys.stderr):
            return True
        return False if self.output == "json" else _LogLines()

    def say(self, text: str = "") -> None:
        """Print a line on standard error, but not with `--quiet` or `--output json`."""
        if not self.quiet and self.output != "json":
            say(in_shell(text))

    @property
    def is_told_at_once(self) -> bool:
        """Return whether people read the answer: then each part of it is printed as soon as it is known."""
        return self.output in ("text", "md")

    def refuse(self, message: str, status: Exit) -> Exit:
        """Say why something was not done, to a program as an object, and return the exit status.

        It is an error, so `--quiet` does not silence it.
        """
        if self.output == "json":
            tell_error(message, status, as_json=True)
        else:
            say(in_shell(message))
        return status


class _LogLines:
    """Progress as lines of a log: short work leaves none."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._next = time.monotonic() + seconds
        self._far = ""

    def __call__(self, done: float, total: float | None) -> None:
        self._far = f"{done:,}" + (f" of {total:,}" if total else "")
        self._say(self._far)

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:  # noqa: ARG002 - a bar has it
        if s:
            self._say(f"{self._far}: {s}" if self._far else s)

    def _say(self, text: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._seconds
            say(text)


def session(command: Command) -> Command:
    """Give a command the shared options; it receives them as one keyword argument `session`."""

    @click.option(
        "--profile",
        metavar="NAME",
        shell_complete=profiles,
        help="Profile of the config file; default: SIS_PROFILE, or what the file says.",
    )
    @click.option("--url", metavar="URL", help="Server to talk to, e.g. https://sis.example.com.")
    @click.option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        metavar="SECONDS",
        help="Wait this long for an answer; default: 60.",
    )
    @click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
    @click.option(
        "--log-file",
        type=click.Path(dir_okay=False, writable=True),
        metavar="FILE",
        help="Append requests, outcome and errors to FILE.",
    )
    @functools.wraps(command)
    def with_session(
        *args: Any,
        profile: str | None,
        url: str | None,
        timeout: float | None,
        quiet: bool,
        log_file: str | None,
        **kwargs: Any,
    ) -> Any:
        if log_file is not None:
            refuse_stream("--log-file", log_file)
            _log_to(log_file)
        if quiet:
            silent = logging.NullHandler()  # else warnings go to standard error
            _LOG.addHandler(silent)
            click.get_current_context().call_on_close(lambda: _LOG.removeHandler(silent))
        return command(*args, session=Session(profile, url, timeout, quiet, asked_output()), **kwargs)

    return with_session  # type: ignore[return-value] # click reads the options that hang on the wrapper


def answers(*forms: str) -> Callable[[Command], Command]:
    """Give a command the option `--output`, for `Session.output`: text, and the forms that are given here.

    Standard output then holds the answer alone; with JSON it is one document, whatever the command does.
    """

    def keep(context: click.Context, _: click.Parameter, value: str) -> None:
        context.meta[_OUTPUT] = value

    return click.option(
        "--output",
        type=click.Choice(["text", *forms]),
        default="text",
        expose_value=False,
        callback=keep,
        help="How to print the answer.",
    )


def asked_output() -> str:
    """Return the form of the answer that the command in use was asked for."""
    return str(click.get_current_context().meta.get(_OUTPUT, "text"))


def examples(*lines: str) -> str:
    """Return the end of a command's help: what one would type."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


yes = click.option("-y", "--yes", is_flag=True, help="Do it without asking.")
"""The option of every command that writes."""


def password_from_stdin() -> str:
    """Return the password from standard input: an argument could be read by all users of the machine.

    Raises:
        Misuse: Standard input is empty.
    """
    password = sys.stdin.read().rstrip("\r\n") if sys.stdin is not None else ""
    if not password:
        raise Misuse("the password is empty.")
    return password


_LOG = logging.getLogger("sispy")
_LOGGERS = (_LOG, logging.getLogger("sispy_pandas"))
_AT_END = ExitStack()
"""Takes back all that `--log-file` set up."""
_PASSWORD_IN_URL = re.compile(r"//[^/\s]*@")


class _LogLine(logging.Formatter):
    """One line for each entry, in which everything can be seen; a traceback follows, indented.

    So nothing that a server says can look like an entry of its own.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging names it
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as above
        return textwrap.indent(printable(super().formatException(ei), lines=True), "  ", lambda _: True)


class _LogFile(logging.FileHandler):
    """A log file; a full disk ends the log, and the command goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging names it
        say(f"{self.baseFilename}: the log ends here ({sys.exc_info()[1]})")
        end_log()

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def _log_to(path: str) -> None:
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(_LogLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    _AT_END.callback(handler.close)
    for logger in _LOGGERS:
        _AT_END.callback(logger.setLevel, logger.level)
        _AT_END.callback(logger.removeHandler, handler)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    called = " ".join(["sispy", *sys.argv[1:]])
    logging.getLogger("sispy.cli").info("%s", without_password(called))


def without_password(text: str) -> str:
    """Return a text with the names and passwords in its addresses masked (what stands before an @)."""
    return _PASSWORD_IN_URL.sub("//***@", text)


def end_log() -> None:
    """Close the file of `--log-file`, if there is one, and log as before."""
    _AT_END.close()
