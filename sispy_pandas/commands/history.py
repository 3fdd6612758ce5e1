"""What was changed, and putting it back: `sispy history`, `sispy changes` and `sispy revert`."""

from __future__ import annotations

import functools
import re
import warnings
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sispy.cli.completion import tables
from sispy.cli.exits import Misuse
from sispy.cli.options import Session, examples, session, yes
from sispy.cli.remedies import in_shell
from sispy.cli.terminal import out, table
from sispy.remedies import message_of
from sispy_pandas.commands.inputs import read_rows
from sispy_pandas.commands.sending import pushing, send
from sispy_pandas.commands.tables import filtered, query_of, table_of
from sispy_pandas.formats.csv import as_text
from sispy_pandas.revisions.edits import changes as changes_in
from sispy_pandas.revisions.history import HistoryWarning
from sispy_pandas.revisions.history import blame as blame_of
from sispy_pandas.revisions.history import history as history_of
from sispy_pandas.revisions.revert import revert as revert_plan
from sispy_pandas.values.blocks import name_of, show, show_apart
from sispy_pandas.values.times import milliseconds_of

from ..values.types.cell_text import escape
from ..values.types.cells import is_missing, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from sispy.cli.exits import Exit
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
    return changes_in(endpoint, query={"q": q}, known=known, progress=session.progress, **options)


def _when(text: str, tz: str | None, option: str) -> When:
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return timedelta(**{_UNITS[ago[2]]: float(ago[1])})
    try:
        return milliseconds_of(text, tz=tz)
    except ValueError as error:
        raise Misuse(f"{option}: {in_shell(message_of(error))}; 2h, 3d and 1w say how long ago") from error


_STEP = ("at", "by", "action", "field", "before", "after")


@click.command(epilog=examples("sispy history host web01", "sispy history host web01 --blame"))
@click.argument("name", metavar="SCHEMA", shell_complete=tables)
@click.argument("row")
@click.option("--blame", is_flag=True, help="Show the last change of every field instead.")
@session
def history(session: Session, name: str, row: str, blame: bool) -> None:
    """Show who changed ROW (its _id or key) of table SCHEMA, the newest change first.

    Owners, tags and locks have no history. A deleted row is known by its _id alone.
    """
    endpoint, _ = table_of(session.client(), name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HistoryWarning)
        found = blame_of(endpoint, row).reset_index() if blame else history_of(endpoint, row)
    names = ("field", "value", "by", "at", "action") if blame else _STEP
    if len(found) and not (blame and found["by"].isna().all()):
        rows = found.astype(object).where(found.notna(), None).to_dict("records")
        out(table(names, [[_shown(row)[name] for name in names] for row in rows], keep=("at",)))
    for warning in caught:
        session.say(str(warning.message))


def _shown(row: dict[Hashable, Any]) -> dict[Hashable, Any]:
    """Return a step with its values as people read them."""
    if "value" in row:
        values: dict[Hashable, Any] = {"value": show(row["value"])}
    else:
        values = dict(zip(("before", "after"), show_apart(row["before"], row["after"]), strict=True))
    at = row["at"]
    return {**row, **values, "at": "" if at is None else at.strftime("%Y-%m-%d %H:%M:%S")}


SHOWN = 40
"""Cells that `--cells` shows on a terminal; `--output csv` has all."""


@click.command(
    epilog=examples(
        "sispy changes host --since 2h",
        "sispy changes host rack.site.name=fra1 --since 1d --by alice --cells",
    )
)
@click.argument("name", metavar="SCHEMA", shell_complete=tables)
@span
@click.option("--cells", is_flag=True, help="Show the cells, not only how many.")
@click.option(
    "--output", type=click.Choice(["text", "csv"]), default="text", help="csv: all cells, one a line."
)
@session
def changes(session: Session, name: str, chosen: dict[str, Any], cells: bool, output: str) -> None:
    """Show who changed what in table SCHEMA in a span of time: by user, minute and field.

    Rows that were deleted since are not seen, nor are changes of owners, tags and locks. A FILTER, as
    `sispy export --help` has it, chooses rows by their values of today. `sispy revert` takes the same options
    and puts the old values back.
    """
    found = changes_of(session, name, chosen)
    if output == "csv":
        rows = found.frame().astype(object).to_numpy().tolist()
        text = as_text([list(found.frame().columns), *(list(map(_text, row)) for row in rows)])
        out(text, newline=False, data=True)
        return
    if not len(found):
        session.say(f"{name}: no such changes")
        return
    out(repr(found).splitlines()[0])
    if cells:
        rows = [[name_of(e), e.field, *show_apart(e.before, e.after), e.by] for e in found.edits[:SHOWN]]
        out("\n" + table([found.schema.key or "_id", "field", "before", "after", "by"], rows))
        if len(found) > SHOWN:
            out(f"... and {len(found) - SHOWN:,} more; --output csv has all")
    else:
        summary = found.summary()
        minutes = summary["minute"].dt.strftime("%Y-%m-%d %H:%M")
        others = (summary[column].tolist() for column in ("field", "action", "cells", "rows"))
        lines = zip(summary["by"], minutes, *others, strict=True)
        out(
            "\n"
            + table(["by", "minute (UTC)", "field", "action", "cells", "rows"], [list(one) for one in lines])
        )
    for note in found.notes:
        session.say(note)


def _text(cell: Any) -> str:
    """Return a cell as the text of a CSV file."""
    if is_missing(cell):
        return ""
    if isinstance(cell, str):
        return escape(cell)
    return json_text(cell) if isinstance(cell, dict | list | tuple) else str(cell)


@click.command(epilog=examples("sispy revert host --since 2h --by alice --fields os,tags"))
@click.argument("name", metavar="SCHEMA", shell_complete=tables)
@span
@pushing
@yes
@session
def revert(session: Session, name: str, chosen: dict[str, Any], how: dict[str, Any], yes: bool) -> Exit:
    """Put back what was changed in table SCHEMA in a span of time, and spare what others changed later.

    `sispy changes` with the same options and FILTERs shows what is meant. Cells that were changed again since
    are conflicts and stay as they are. Rows that the changes created are deleted. The revert is a push like
    any other: `sispy undo` takes it back.
    """
    found = changes_of(session, name, chosen)
    for note in found.notes:
        session.say(note)
    _, status = send(session, revert_plan(found), yes=yes, **how)
    return status
