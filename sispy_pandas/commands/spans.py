"""The options that say which changes are meant, shared by `sispy changes` and `sispy revert`."""

from __future__ import annotations

import functools
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sispy.cli.exits import Misuse
from sispy.cli.remedies import in_shell
from sispy.remedies import message_of
from sispy_pandas.commands.filters import filtered, query_of
from sispy_pandas.commands.inputs import read_rows
from sispy_pandas.commands.tables import table_of
from sispy_pandas.revisions.edits import changes
from sispy_pandas.values.times import milliseconds_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy.cli.options import Session
    from sispy_pandas.revisions.edits import Changes
    from sispy_pandas.values.times import When

Command = TypeVar("Command", bound="Callable[..., Any]")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span(command: Command) -> Command:
    """Give a command the options of a span of changes; it receives them as one keyword argument `chosen`."""

    @filtered
    @click.option("--since", required=True, metavar="TIME", help="2h, 3d, or 2026-11-20T14:05+01:00.")
    @click.option("--until", metavar="TIME", help="As --since; now if left out.")
    @click.option("--tz", metavar="ZONE", help="Zone of times that name none, e.g. Europe/Berlin.")
    @click.option("--by", multiple=True, metavar="USER", help="Only what USER changed; may be repeated.")
    @click.option("--fields", metavar="A,B", help="Only these fields.")
    @click.option(
        "--known", metavar="FILE", type=_FILE, help="An older export: tells which rows were deleted."
    )
    @functools.wraps(command)
    def with_span(
        *args: Any,
        filters: tuple[str, ...],
        since: str,
        until: str | None,
        tz: str | None,
        by: tuple[str, ...],
        fields: str | None,
        known: Path | None,
        **kwargs: Any,
    ) -> Any:
        chosen = {
            "filters": filters,
            "since": _when(since, tz, "--since"),
            "until": None if until is None else _when(until, tz, "--until"),
            "by": by or None,
            "fields": None if fields is None else [name.strip() for name in fields.split(",")],
            "known": known,
        }
        return command(*args, chosen=chosen, **kwargs)

    return with_span  # type: ignore[return-value] # click reads the options that hang on the wrapper


def changes_of(session: Session, name: str, chosen: dict[str, Any]) -> Changes:
    """Read the changes of a table that the options mean."""
    endpoint, schema = table_of(session.client(), name)
    q = query_of(endpoint, chosen["filters"])
    file = chosen["known"]
    known = None if file is None else read_rows(file, schema)
    options = {key: value for key, value in chosen.items() if key not in ("filters", "known")}
    return changes(endpoint, query={"q": q}, known=known, progress=session.progress, **options)


def _when(text: str, tz: str | None, option: str) -> When:
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return timedelta(**{_UNITS[ago[2]]: float(ago[1])})
    try:
        return milliseconds_of(text, tz=tz)
    except ValueError as error:
        raise Misuse(f"{option}: {in_shell(message_of(error))}; 2h, 3d and 1w say how long ago") from error
