"""Options that every command which talks to a server shares, and the session they describe."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sispy.terminal import say

if TYPE_CHECKING:
    from sispy.client import Client

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Session:
    """Which server a command talks to, and how much it says meanwhile."""

    profile: str | None = None
    url: str | None = None
    timeout: float | None = None
    quiet: bool = False

    def client(self) -> Client:
        """Return a client from the options, the environment, the profile or netrc, in this order."""
        from sispy.client import Client  # late: `sispy --help` needs no HTTP

        return Client.from_profile(self.profile, url=self.url, timeout=self.timeout)

    def say(self, text: str = "") -> None:
        """Print a line on standard error unless `--quiet` was given."""
        if not self.quiet:
            say(text)


def session(command: Command) -> Command:
    """Give a command the shared options; it receives them as one keyword argument `session`."""

    @click.option("--profile", metavar="NAME", help="Profile of the config file to use.")
    @click.option("--url", metavar="URL", help="Server to talk to, e.g. https://sis.example.com.")
    @click.option(
        "--timeout", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Wait this long for an answer."
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
            _log_to(log_file)
        return command(*args, session=Session(profile, url, timeout, quiet), **kwargs)

    return with_session  # type: ignore[return-value] # click reads the options that hang on the wrapper


def examples(*lines: str) -> str:
    """Return the end of a command's help: what one would type."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


yes = click.option("-y", "--yes", is_flag=True, help="Do it without asking.")
"""The option of every command that writes."""


def _log_to(path: str) -> None:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for name in ("sispy", "sispy_pandas"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    logging.getLogger("sispy.cli").info("%s", " ".join(["sispy", *sys.argv[1:]]))
