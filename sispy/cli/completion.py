"""What TAB completes beyond options and files: tables of the server, profiles. It never fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

_PLAIN = re.compile(r"[\w.@:+-]+")
PATIENCE = 2.0
"""Seconds that a press of TAB may wait for a server."""


def tables(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the tables of the server that the command line so far, the environment or a profile names."""
    from sispy.client import Client  # late: most presses of TAB ask no server
    from sispy.config import options_of, resolve
    from sispy.errors import Error

    try:
        profile = resolve(ctx.params.get("profile"), url=ctx.params.get("url"))
        options = options_of(profile, {"timeout": PATIENCE, "retries": 0})
        client = Client(profile.url or "", **options)  # reading needs no token, and nothing may ask for one
        names = [str(document["name"]) for document in client.schemas.fetch_all({"fields": "name"})]
    except (Error, OSError, ValueError):
        return []
    return offered(names, incomplete)


def tables_or_files(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str] | list[CompletionItem]:
    """Return the tables that match, else let the shell complete a file: shells cannot do both."""
    return tables(ctx, parameter, incomplete) or [CompletionItem(incomplete, type="file")]


def profiles(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the profiles of the config file."""
    from sispy.config import read_config

    try:
        names = read_config().get("profiles", {})
    except (OSError, ValueError):
        return []
    return offered(names, incomplete)


def offered(names: Iterable[str], incomplete: str) -> list[str]:
    """Return the names that begin so, those alone that mean nothing else to a shell or a terminal.

    >>> offered(["rack", "host", "h; reboot"], "h")
    ['host']
    """
    return sorted(name for name in names if name.startswith(incomplete) and _PLAIN.fullmatch(name))
