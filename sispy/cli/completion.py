"""What TAB completes beyond options and files: names and values of the server, profiles. It never fails."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import click

    from sispy.client import Client

_PLAIN = re.compile(r"[\w.@:+-]+")
_SPOKEN = re.compile(r"[\w.@:+()-]+(?: [\w.@:+()-]+)*")
_FILTERS = ("settings", "within", "where", "filters")
"""Parameters that commands receive filters and settings as, the last in a line first."""
_KEYS = 30
"""Keys of rows that are offered at most."""
PATIENCE = 2.0
"""Seconds that a press of TAB may wait for a server."""


def tables(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the tables of the server that the command line so far, the environment or a profile names."""
    return offered(_asked(ctx, _names), incomplete)


def several_tables(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the tables of the server; of a list with commas the last one is completed."""
    return of_list(_asked(ctx, _names), incomplete)


def _names(client: Client) -> list[str]:
    return [str(document["name"]) for document in client.schemas.fetch_all({"fields": "name"})]


def fields(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the fields of the table that the command line names; of a list the last one is completed.

    In an order, the minus of a descending field is kept.
    """
    before, comma, last = incomplete.rpartition(",")
    sign = last[: last.startswith("-")]
    return [f"{before}{comma}{sign}{name}" for name in offered(_fields(ctx), last.removeprefix("-"))]


def of_list(names: Iterable[str], incomplete: str) -> list[str]:
    """Return how a list with commas may go on: names that begin like its last one."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in offered(names, last)]


def filters(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return how a filter may go on: fields with `=` and `~`, or a field's possible values."""
    words = [word for name in _FILTERS for word in ctx.params.get(name) or ()]
    values = _fields(ctx)
    if "=" in (incomplete, *words[-1:]):  # bash takes `status=l` for three words
        path = words[-1] if incomplete == "=" else words[-2] if len(words) > 1 else ""
        return offered(values.get(path, ()), incomplete.removeprefix("="))
    path, equals, value = incomplete.partition("=")
    if equals:
        return [f"{path}={one}" for one in offered(values.get(path, ()), value)]
    found = []
    for name in offered(values, path):
        listed = offered(values[name], "")
        found += [f"{name}={one}" for one in listed] or [f"{name}=", f"{name}~"]
    return found


def rows_or_filters(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return how a filter may go on, and keys of rows that begin like it."""
    return [*filters(ctx, parameter, incomplete), *(rows(ctx, parameter, incomplete) if incomplete else ())]


def rows(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return keys of rows of the table in the command line that begin like the word; not all of many."""

    def keys(client: Client) -> list[str]:
        table = _table(ctx)
        key = client.schemas.get(table).to_dict().get("id_field") or "_id"
        q = {key: {"$regex": f"^{re.escape(incomplete)}"}}
        query = {"q": q if incomplete and key != "_id" else {}, "fields": key, "sort": key, "limit": _KEYS}
        return [str(row.get(key)) for row in client.entities(table).fetch_page(query)]

    return offered(_asked(ctx, keys), incomplete)


def _asked(ctx: click.Context, what: Callable[[Client], list[str]]) -> list[str]:
    """Return the answer of the server in force; nothing where no server is named, or it does not answer."""
    from sispy.client import Client  # late: most presses of TAB ask no server
    from sispy.config import options_of, resolve
    from sispy.errors import Error

    try:
        profile = resolve(ctx.params.get("profile"), url=ctx.params.get("url"))
        options = options_of(profile, {"timeout": PATIENCE, "retries": 0})
        return what(Client(profile.url or "", **options))  # reading needs no token: nothing may ask for one
    except (Error, OSError, ValueError, TypeError, AttributeError):
        return []


def _table(ctx: click.Context) -> str:
    given = [ctx.params.get(name) for name in ("name", "schema", "table")]
    # click leaves words in `args` that stand before an option's value
    return str(next(filter(None, [*given, *ctx.args]), ""))


def _fields(ctx: click.Context) -> dict[str, list[str]]:
    """Return field -> its allowed values as far as known, for the table in the command line."""
    found: dict[str, list[str]] = {}

    def read(client: Client) -> list[str]:
        found.update(_leaves(client.schemas.get(_table(ctx)).to_dict()["definition"], ""))
        return []

    _asked(ctx, read)
    return found


def _leaves(definition: Mapping[str, Any], above: str) -> Iterator[tuple[str, list[str]]]:
    for name, value in definition.items():
        options = value if isinstance(value, dict) else {"type": value}
        if "type" in options and not (isinstance(options["type"], dict) and "type" in options["type"]):
            is_boolean = str(options["type"]).lower() == "boolean"
            yield above + name, ["true", "false"] if is_boolean else list(map(str, options.get("enum") or ()))
        else:
            yield from _leaves(options, f"{above}{name}.")


def tables_or_files(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str] | list[CompletionItem]:
    """Return the tables that match, else let the shell complete a file: shells cannot do both.

    Of several words the first alone is a table.
    """
    is_first = not ctx.params.get(parameter.name or "")
    named = tables(ctx, parameter, incomplete) if is_first else []
    return named or [CompletionItem(incomplete, type="file")]


def profiles(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the profiles of the config file."""
    from sispy.config import read_config

    try:
        names = read_config().get("profiles", {})
    except (OSError, ValueError):
        return []
    return offered(names, incomplete)


def with_blanks(names: Iterable[str], incomplete: str) -> list[str]:
    """Return the names that begin so, also those with blanks, as the shell in use takes them.

    bash puts them into the line as they are; other shells quote them.
    """
    found = sorted(name for name in names if name.startswith(incomplete) and _SPOKEN.fullmatch(name))
    is_bash = os.environ.get("_SISPY_COMPLETE", "").startswith("bash")
    return list(map(shlex.quote, found)) if is_bash else found


def offered(names: Iterable[str], incomplete: str) -> list[str]:
    """Return the names that begin so and that hold no signs with a meaning to a shell or a terminal.

    >>> offered(["rack", "host", "h; reboot"], "h")
    ['host']
    """
    return sorted(name for name in names if name.startswith(incomplete) and _PLAIN.fullmatch(name))
