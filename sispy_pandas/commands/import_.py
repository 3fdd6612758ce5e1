"""`sispy import`: a file becomes a table, or joins one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import fields as field_names
from sispy.cli.completion import tables
from sispy.cli.exits import Exit, Misuse
from sispy.cli.options import Session, answers, examples, session, yes
from sispy.cli.terminal import confirm, out, say, width
from sispy.remedies import Argument, Call, Message
from sispy.text import printable, shorten
from sispy_pandas.commands.endings import status_of_plan, status_of_report
from sispy_pandas.commands.inputs import INPUT, TableFile, format_option
from sispy_pandas.commands.output import show, tell_push
from sispy_pandas.commands.planning import (
    first_reading,
    refuse_guessed,
    refuse_guesses,
    second_reading,
)
from sispy_pandas.commands.reading import understood
from sispy_pandas.commands.schemas import fields_of, tree
from sispy_pandas.commands.sending import send
from sispy_pandas.commands.tables import refuse_unknown, schema_of
from sispy_pandas.pushing.journal import new_path, short
from sispy_pandas.values.blocks import Column, Lines, Table, as_text, count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from sispy.client import Client
    from sispy_pandas.formats.options import ReadOptions
    from sispy_pandas.values.schema import Schema
    from sispy_pandas.workflow.objects import Snapshot

_FIRST = 6
"""Rows and columns that are shown of a new table."""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    "import",
    epilog=examples(
        "sispy import rack.json --schema rack",
        "sispy import hosts.csv --schema host --key hostname --enums",
        "sispy import hosts.csv --schema host --reference rack --reference place=site",
        "sispy import hosts.json --schema host --definition host.def.json --yes",
    ),
)
@click.argument("file", type=INPUT)
@format_option
@click.option(
    "--schema",
    "name",
    required=True,
    metavar="NAME",
    shell_complete=tables,
    help="The table; made if it does not exist.",
)
@click.option("--definition", type=_FILE, help="Definition of a new table as JSON; else read off the data.")
@click.option(
    "--key",
    metavar="FIELD",
    shell_complete=field_names,
    help="The unique field that rows are recognised by.",
)
@click.option(
    "--again",
    "new",
    is_flag=True,
    help="In a table without a key: add rows even where equal ones are there.",
)
@click.option("--enums", is_flag=True, help="Make enums of text columns that have few values.")
@click.option(
    "--reference",
    "references",
    multiple=True,
    metavar="COLUMN[=TABLE]",
    help="In a new table: a column that names rows of another one by its key.",
)
@click.option("--owner", multiple=True, metavar="GROUP", help="Owner of a new table; default: your groups.")
@click.option("--dry-run", "dry", is_flag=True, help="Show what would be made or changed, and write nothing.")
@click.option("--note", metavar="TEXT", help="A note for the journal, e.g. CHG0012345.")
@understood
@answers("json", "csv", "md")
@yes
@session
def import_(
    session: Session,
    options: ReadOptions,
    file: Path,
    form: str | None,
    name: str,
    definition: Path | None,
    key: str | None,
    new: bool,
    enums: bool,
    references: tuple[str, ...],
    owner: tuple[str, ...],
    dry: bool,
    note: str | None,
    yes: bool,
) -> Exit:
    """Import the rows of FILE (JSON, NDJSON, CSV, Parquet or a workbook) into a table.

    If the table does not exist, it is made: its definition is read off the data and shown first, with the
    first rows, and what was noticed or left out. If it exists, rows are recognised by the key field; those
    that are there already are compared and updated. In a table without a key whole rows are compared, and
    those that are there already are left out. References may be given by the key of the row they point to, or
    by its _id.

    `sispy undo` takes the rows back; with --drop-table the table as well.
    """
    client, rows = session.client(), TableFile.of(file, form)
    options = replace(options, refs="label")
    schema = schema_of(client, name)
    if schema is not None:
        if definition is not None:
            raise Misuse(f"table {name!r} exists already: leave --definition out.")
        if references:
            raise Misuse(f"table {name!r} exists already: leave --reference out, its definition says it.")
        return _join(session, client, schema, rows, options, key=key, new=new, note=note, yes=yes, dry=dry)
    if references and definition is not None:
        raise Misuse("the definition says what refers to what: leave --reference out.")
    refers = {text.partition("=")[0]: text.partition("=")[2] or text for text in references}
    document = _document(
        client,
        session,
        rows,
        options,
        name,
        definition,
        key=key,
        enums=enums,
        references=refers,
        yes=yes,
        dry=dry,
    )
    document["_sis"] = {"owner": list(owner) or _groups(client)}
    return _make(session, client, document, rows, options, note=note, yes=yes, dry=dry)


def _make(
    session: Session,
    client: Client,
    document: dict[str, Any],
    file: TableFile,
    options: ReadOptions,
    *,
    note: str | None,
    yes: bool,
    dry: bool,
) -> Exit:
    """Make a table and its rows, after showing both; nothing is written while a row has a problem."""
    from sispy_pandas.formats.headings import is_beside
    from sispy_pandas.planning.render import blocks
    from sispy_pandas.pushing import render as pushed
    from sispy_pandas.pushing.options import need_token
    from sispy_pandas.pushing.recall import note_made
    from sispy_pandas.values.schema import parse_schema
    from sispy_pandas.workflow.references import labelled

    schema = parse_schema(document)
    rows = file.frame(schema, options)
    if not dry:
        refuse_guesses(rows, yes=yes)
    rows = rows[[name for name in rows.columns if not is_beside(str(name))]]
    plan = labelled(_nothing_yet(client, schema)).diff(rows, new=True)
    title = f"{schema.name}: a new table on {client.url}, {count(len(schema.fields), 'field')}"
    about = [
        ("key", schema.key or "(none: its rows are known by _id alone)"),
        ("owners", ", ".join(schema.owner)),
    ]
    head = "\n".join([title, *(f"{word:<8}{value}" for word, value in about), "", f"{tree(schema)}\n"])
    first = [] if yes or not len(rows) else [_first_rows(schema, rows)]
    if session.output == "md":
        about_it = Table((Column(""), Column("")), about)
        show(session, [Lines((title,)), about_it, fields_of(schema), *first])
    elif session.is_told_at_once or not yes:
        tell = out if session.is_told_at_once else say
        tell("\n".join([head, *(f"{as_text([part], limit=width())}\n" for part in first)]))
    if plan.counts["problems"]:
        show(session, blocks(plan))
        tell_push(session, [plan], ())
        said = "nothing was made: fix the problems above and run it again"
        return session.refuse(said, status_of_plan(plan))
    for told in (*plan.notes, *_no_keys(schema, rows)):  # a guess is said before anything is made
        session.say(told)
    if dry:
        tell_push(session, [plan], ())
        session.say(f"nothing was made: without --dry-run it is a table with {count(len(plan), 'row')}")
        return Exit.DONE
    need_token(client)
    client.rules.refuse_note(note)
    confirm(
        f"Make table {schema.name} with {count(len(rows), 'row')} on {client.rules.told_at(client.url)}?",
        yes=yes,
    )
    created = client.schemas.create(document).to_dict()
    made, journal = parse_schema(created), new_path(schema.name)
    note_made(client, created, journal)
    session.say(f"made table {made.name}")
    plan = labelled(_nothing_yet(client, made)).diff(rows, new=True)
    how = {"note": note, "journal": journal, "progress": session.progress}
    report = plan.push(**how, again=True)  # nothing is there yet
    show(session, pushed.blocks(report, journal=False))
    back = Call("sp.undo(report)", "takes it back", ("undo", short(journal), "--drop-table"))
    tell_push(session, [report.plan], [report], [Message(back)])
    session.say(Message(back))
    return status_of_report(report)


def _no_keys(schema: Schema, rows: pd.DataFrame) -> Iterator[str]:
    """Yield in words why columns that are named like a key cannot be the key, where there is no other."""
    for name in ("name", "id") if schema.key is None else ():
        if name not in rows.columns:
            continue
        blank = int(rows[name].isna().sum())
        alike = int(rows[name].dropna().astype(str).duplicated(keep=False).sum())
        reasons = [f"{count(blank, 'row')} without it"] if blank else []
        reasons += [f"{count(alike, 'row')} with the same value as others"] if alike else []
        if reasons:
            yield f"{name} is not the key: there are {' and '.join(reasons)}"


def _first_rows(schema: Schema, rows: pd.DataFrame) -> Table:
    """Return the beginning of the rows and columns that a table shall have."""
    from sispy_pandas.values.types.cell_text import unescape, write_column

    fields = [field for field in schema.fields if field.path in rows.columns][:_FIRST]
    texts = [map(unescape, write_column(field, rows[field.path].iloc[:_FIRST])) for field in fields]
    columns = tuple(Column(field.path) for field in fields)
    return Table(columns, list(zip(*texts, strict=True)), beside=max(len(rows) - _FIRST, 0))


def _nothing_yet(client: Client, schema: Schema) -> Snapshot:
    """Return the snapshot of a table that has no rows."""
    import pandas as pd

    from sispy_pandas.values.records import frame_of
    from sispy_pandas.workflow.objects import Snapshot

    frame = frame_of(schema, {field.path: [] for field in schema.fields}, [], [])
    return Snapshot(
        schema=schema,
        endpoint=client.entities(schema.name),
        query={},
        fields=None,
        fetched_at=datetime.now(UTC),
        warnings=pd.DataFrame(),
        _frame=frame,
    )


def _join(
    session: Session,
    client: Client,
    schema: Schema,
    file: TableFile,
    options: ReadOptions,
    *,
    key: str | None,
    new: bool,
    note: str | None,
    yes: bool,
    dry: bool,
) -> Exit:
    """Compare a file with a table that exists, and push what is new or different."""
    from sispy_pandas.planning.render import blocks
    from sispy_pandas.workflow.fetch import fetch

    refuse_unknown(schema, [key] if key else ())
    key = key or schema.key
    if new and key is not None:
        raise Misuse(f"rows of {schema.name} are known by {key}: leave --again out.")
    rows, is_read = first_reading(file, schema, options)
    snapshot = fetch(client.entities(schema.name), refs="label", progress=session.progress)
    if key is not None or not is_read:
        rows = second_reading(file, options, rows, snapshot, key, is_read=is_read)
    if not dry:
        refuse_guesses(rows, yes=yes)
    if key is not None:
        plan = snapshot.diff(rows, key=key, create_missing=True)  # blank cells keep what is stored
    else:
        session.say(f"{schema.name} has no unique field to know rows by: whole rows are compared")
        plan = snapshot.diff(rows, new=True if new else "missing")
    if dry:
        show(session, blocks(plan))
        tell_push(session, [plan], ())
        session.say("nothing was pushed: this was a dry run")
        return status_of_plan(plan)
    again = {} if key is not None else {"again": True}  # the table was asked, not what this machine remembers
    return send(session, plan, yes=yes, note=note, **again)[1]


def _document(
    client: Client,
    session: Session,
    file: TableFile,
    options: ReadOptions,
    name: str,
    definition: Path | None,
    *,
    key: str | None,
    enums: bool,
    references: Mapping[str, str],
    yes: bool,
    dry: bool,
) -> dict[str, Any]:
    """Return the schema that a new table shall have: as the definition file says, or read off the data."""
    import pandas as pd

    from sispy_pandas.formats.bounds import InFile, parse_json
    from sispy_pandas.values.infer import infer_typed
    from sispy_pandas.workflow.references import find_references

    if definition is None:
        rows = file.rows(options)
        if not dry:
            refuse_guessed(rows.guesses, yes=yes)
        if not len(rows.data):
            said = f"{printable(str(file.file))} has no rows to read a definition off"
            raise ValueError(Message(said, Argument("definition", "tells what the table is")))
        for note in rows.notes:
            session.say(note)
        frame = pd.DataFrame(rows.data, dtype=object)
        blank = [str(name) for name in frame.columns if frame[name].isna().all()]
        if blank and len(frame):
            session.say(f"no row has a value for {', '.join(map(shorten, blank))}: assumed to be text")
        found = find_references(client, frame)
        for column in sorted(set(found) - set(references)):
            session.say(
                f"{column} names rows of table {found[column]}: --reference {column} makes it point there"
            )
        return infer_typed(
            rows.data,
            types=rows.types,
            style=rows.style,
            name=name,
            key=key,
            enums=enums,
            references=references,
        )
    document = parse_json(InFile.of(definition).text(), definition)
    if not isinstance(document, dict):
        raise ValueError(f"{definition} holds no object: a definition maps field names to types")
    whole = document if isinstance(document.get("definition"), dict) else {"definition": document}
    return {**whole, "name": name} | ({"id_field": key} if key else {})


def _groups(client: Client) -> list[str]:
    """Return the user's groups, admin ones first; the user's name for one without groups (a super user)."""
    if client.username is None:
        raise Misuse("who owns the new table? Give --owner GROUP.")
    roles = client.users.get(client.username).to_dict().get("roles") or {}
    return [group for group, role in roles.items() if role == "admin"] or list(roles) or [client.username]
