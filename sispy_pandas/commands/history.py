"""What was changed, and putting it back: `sispy history`, `sispy changes` and `sispy revert`."""

from __future__ import annotations

import functools
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sispy.cli.completion import fields as field_names
from sispy.cli.completion import rows, several_tables
from sispy.cli.exits import Misuse, misuse
from sispy.cli.options import Session, answers, examples, session, yes
from sispy.cli.terminal import is_terminal
from sispy.remedies import Call
from sispy_pandas.commands.inputs import STANDARD, TableFile, several, when, zone, zones
from sispy_pandas.commands.output import Answer, tell, time_text
from sispy_pandas.commands.sending import pushing, send, with_references
from sispy_pandas.commands.tables import entity_of, filtered, of_table, query_of, refuse_unknown, table_of
from sispy_pandas.commands.targets import refuse_target
from sispy_pandas.formats.atomic import OutFile
from sispy_pandas.values.blocks import Column, Lines, Table, count, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from sispy.cli.exits import Exit
    from sispy_pandas.revisions.edits import Changes

Command = TypeVar("Command", bound="Callable[..., Any]")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def span(command: Command) -> Command:
    """Give a command the options of a span of changes; it receives them as one keyword argument `chosen`."""

    @filtered
    @click.option("--since", required=True, metavar="TIME", help="2h, 3d, or 2026-11-20T14:05+01:00.")
    @click.option("--until", metavar="TIME", help="As --since; now if left out.")
    @click.option(
        "--tz",
        type=zone,
        shell_complete=zones,
        metavar="ZONE",
        help="Zone of times that name none, e.g. Europe/Berlin.",
    )
    @click.option("--by", multiple=True, metavar="USER", help="Only what USER changed; may be repeated.")
    @click.option(
        "--fields", type=several, metavar="A,B", shell_complete=field_names, help="Only these fields."
    )
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
        fields: list[str] | None,
        known: Path | None,
        **kwargs: Any,
    ) -> Any:
        chosen = {
            "filters": filters,
            "since": when(since, tz, "--since"),
            "until": None if until is None else when(until, tz, "--until"),
            "by": by or None,
            "fields": fields,
            "known": known,
        }
        return command(*args, chosen=chosen, **kwargs)

    return with_span  # type: ignore[return-value] # click reads the options that hang on the wrapper


def every_change(session: Session, names: str, chosen: dict[str, Any]) -> list[Changes]:
    """Read the changes of tables that the options mean.

    Raises:
        Misuse: FILTERs, fields or an export are given for more than one.
    """
    tables = [name.strip() for name in names.split(",")]
    if len(tables) > 1 and (chosen["filters"] or chosen["fields"] or chosen["known"]):
        raise Misuse("FILTER, --fields and --known are about one table, and these are several.")
    return [changes_of(session, name, chosen) for name in tables]


def changes_of(session: Session, name: str, chosen: dict[str, Any]) -> Changes:
    """Read the changes of a table that the options mean."""
    from sispy_pandas.formats.options import ReadOptions
    from sispy_pandas.revisions.edits import changes as changes_in

    endpoint, schema = table_of(session.client(), name)
    refuse_unknown(schema, chosen["fields"] or ())
    q = query_of(endpoint, chosen["filters"])
    file = chosen["known"]
    known = None if file is None else TableFile.of(file).frame(schema, ReadOptions())
    options = {key: value for key, value in chosen.items() if key not in ("filters", "known")}
    return changes_in(endpoint, query={"q": q}, known=known, progress=session.progress, **options)


@click.command(
    epilog=examples(
        "sispy history host web01",
        "sispy history host web01 --blame",
        "sispy history host web01 --output json | jq '.edits[0].by'",
    )
)
@of_table
@click.argument("row", shell_complete=rows)
@click.option("--blame", is_flag=True, help="Show the last change of every field instead.")
@answers("json", "csv", "md")
@session
def history(session: Session, name: str, row: str, blame: bool) -> None:
    """Show who changed ROW (its _id or key) of table SCHEMA, the newest change first.

    Owners, tags and locks have no history. A deleted row is known by its _id alone.
    """
    from sispy_pandas.revisions.history import HistoryWarning
    from sispy_pandas.revisions.history import blame as blame_of
    from sispy_pandas.revisions.history import history as history_of

    endpoint, schema = table_of(session.client(), name)
    there = entity_of(endpoint, schema, row)
    id_ = row if there is None else there["_id"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HistoryWarning)
        try:
            found = blame_of(endpoint, id_).reset_index() if blame else history_of(endpoint, id_)
        except ValueError as error:
            raise misuse(error) from error
    steps = found.astype(object).where(found.notna(), None).to_dict("records")
    notes = [str(warning.message) for warning in caught]
    facts = {"server": endpoint.client.url, "table": name, "row": row, "notes": notes}
    kind, table = ("blame", _blame(steps)) if blame else ("history", _steps(steps))
    answer = Answer(kind, table, facts, limit=None)
    if not session.is_told_at_once or (len(found) and not (blame and found["by"].isna().all())):
        tell(session, answer)
    for note in notes:
        session.say(note)


def _steps(steps: Sequence[Mapping[Hashable, Any]]) -> Table:
    columns = (
        *_AT,
        *(Column(name, name, spare=True) for name in ("by", "action")),
        Column("field", "field"),
        *(Column(name, name, "value") for name in ("before", "after")),
    )
    names = ("by", "action", "field", "before", "after")
    return Table(columns, [(*_at(s["at"]), *(s[name] for name in names)) for s in steps], "edit", "edits")


def _blame(fields: Sequence[Mapping[Hashable, Any]]) -> Table:
    columns = (
        Column("field", "field"),
        Column("value", "value", "value"),
        Column("by", "by"),
        *_AT,
        Column("action", "action", spare=True),
    )
    rows = [(f["field"], f["value"], f["by"], *_at(f["at"]), f["action"]) for f in fields]
    return Table(columns, rows, "field", "fields")


_AT = (Column("at", whole=True), Column(None, "at"))
"""A time for people, and for programs."""


def _at(moment: Any) -> tuple[str, str | None]:
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S"), time_text(moment)


@click.command(
    epilog=examples(
        "sispy changes host --since 2h",
        "sispy changes host rack.site.name=fra1 --since 1d --by alice --cells",
        "sispy changes host,rack --since 2h --by alice",
        "sispy changes host --since 1d --output json | jq -r '.edits[].key'",
        "sispy changes host --since 60d --output xlsx -o report.xlsx",
    )
)
@click.argument("name", metavar="SCHEMA", shell_complete=several_tables)
@span
@click.option("--cells", is_flag=True, help="Show the cells, not only how many; JSON and CSV always do.")
@answers("json", "csv", "md", "xlsx")
@click.option(
    "-o",
    "target",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Where `--output xlsx` goes, a workbook with charts; - is standard output.",
)
@session
def changes(session: Session, name: str, chosen: dict[str, Any], cells: bool, target: Path | None) -> None:
    """Show who changed what in table SCHEMA (or several: A,B) in a span of time: by user, minute and field.

    Rows that were deleted since are not seen, nor are changes of owners, tags and locks. A FILTER, as
    `sispy export --help` has it, chooses rows by their values of today. `sispy revert` takes the same options
    and puts the old values back. `--output xlsx` is for those who want to see how much: charts by week, user
    and field, and a sheet with every cell.
    """
    file = _book(session, target)
    found = every_change(session, name, chosen)
    if file is not None:
        from sispy_pandas.revisions.changes_book import write_book

        n = write_book(file, found)
        session.say(f"{'the workbook' if file.path is None else file.path} is written: {count(n, 'cell')}")
        return
    tables = [_edits(one) for one in found]
    seen = [
        block
        for one, edits in zip(found, tables, strict=True)
        if len(one)
        for block in (Lines((repr(one).splitlines()[0],)), edits if cells else _summary(one))
    ]
    notes = list(dict.fromkeys(note for one in found for note in one.notes))
    edits = replace(tables[0], rows=[row for table in tables for row in table.rows])
    facts = {"server": found[0].endpoint.client.url, "table": name, "notes": notes}
    if seen or not session.is_told_at_once:
        tell(session, Answer("changes", edits, facts, blocks=lambda: seen))
    else:
        session.say(f"{name}: no such changes")
    for note in notes:
        session.say(note)


def _book(session: Session, target: Path | None) -> OutFile | None:
    """Return the file of a workbook, None if another answer is asked for.

    Raises:
        Misuse: A file is named for what is not a workbook, or none where a terminal would get its bytes.
        OSError: It cannot be written.
    """
    if session.output != "xlsx":
        if target is not None:
            raise Misuse(f"-o {target} is for --output xlsx: give both, or neither.")
        return None
    if target is None and is_terminal(sys.stdout):
        raise Misuse("a workbook is not text for a terminal: name a file, as in -o report.xlsx.")
    if target is None or str(target) == STANDARD:
        return OutFile.of(sys.stdout)
    refuse_target("-o", target, [".xlsx"])
    return OutFile.of(target)


def _edits(found: Changes) -> Table:
    from sispy_pandas.values.times import iso

    columns = (
        Column(None, "_id"),
        Column(None, "key"),
        Column(found.schema.key or "_id"),
        Column("field", "field"),
        *(Column(name, name, "value") for name in ("before", "after")),
        *(Column(name, name) for name in ("by", "action")),
        Column(None, "at"),
    )
    rows = [
        (e.id, e.key, name_of(e), e.field, e.before, e.after, e.by, e.action, iso(e.at)) for e in found.edits
    ]
    rest = Call(".frame()", "has all of them", ("--output", "csv"))
    return Table(columns, rows, "cell", "edits", rest=rest)


def _summary(found: Changes) -> Table:
    summary = found.summary()
    minutes = summary["minute"].dt.strftime("%Y-%m-%d %H:%M")
    others = (summary[column].tolist() for column in ("field", "action", "cells", "rows"))
    minute, action = Column("minute (UTC)", whole=True), Column("action", spare=True)
    columns = (Column("by"), minute, Column("field"), action, Column("cells"), Column("rows"))
    return Table(columns, list(zip(summary["by"], minutes, *others, strict=True)), "group")


@click.command(epilog=examples("sispy revert host --since 2h --by alice --fields os,tags"))
@click.argument("name", metavar="SCHEMA", shell_complete=several_tables)
@span
@answers("json", "csv", "md")
@pushing
@yes
@session
def revert(session: Session, name: str, chosen: dict[str, Any], how: dict[str, Any], yes: bool) -> Exit:
    """Put back what was changed in table SCHEMA (or A,B) in a span, and spare what others changed later.

    `sispy changes` with the same options and FILTERs shows what is meant. Cells that were changed again since
    are conflicts and stay as they are. Rows that the changes created are deleted. The revert is a push like
    any other: `sispy undo` takes it back.
    """
    from sispy_pandas.revisions.revert import revert as revert_plan

    found = every_change(session, name, chosen)
    for note in dict.fromkeys(note for one in found for note in one.notes):
        session.say(note)
    plan = revert_plan(found[0]) if len(found) == 1 else revert_plan(found)
    _, status = send(session, with_references(plan), yes=yes, **how)
    return status
