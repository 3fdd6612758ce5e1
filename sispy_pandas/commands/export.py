"""`sispy export`: a table, or a part of it, to a file."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import click

from sispy.cli.completion import fields as field_names
from sispy.cli.completion import filters as filter_words
from sispy.cli.completion import tables
from sispy.cli.exits import Misuse, misuse
from sispy.cli.options import Session, examples, session
from sispy.remedies import message_of
from sispy_pandas.commands.inputs import STANDARD, format_option, named_format, several, zone, zones
from sispy_pandas.commands.tables import filtered, nothing_found, query_of, table_of
from sispy_pandas.formats.atomic import OutFile, refuse_unwritable
from sispy_pandas.formats.registry import FIRST, suffixes
from sispy_pandas.values.blocks import count


@click.command(
    epilog=examples(
        "sispy export host -o hosts.csv",
        "sispy export host -o web.xlsx status=live 'hardware.cores>=8' 'name~^web'",
        "sispy export host -o odd.csv 'status!=live and (price>90 or rack is empty)'",
        "sispy export host -o fra.csv rack.site.name=fra1 --fields name,os.version",
    )
)
@click.argument("schema", shell_complete=tables)
@filtered
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help=f"A {', '.join(FIRST)} file; it appears when it is complete. - is standard output.",
)
@format_option
@click.option(
    "--where", multiple=True, metavar="FILTER", shell_complete=filter_words, help="The same as FILTER."
)
@click.option("--query", metavar="JSON", help="A filter in the server's own language, added to the others.")
@click.option(
    "--fields",
    type=several,
    metavar="A,B",
    shell_complete=field_names,
    help="Columns to write; a nested document stands for all below it.",
)
@click.option(
    "--sort",
    metavar="A,-B",
    shell_complete=field_names,
    help="Order of the rows; '-' descends. Default: _id.",
)
@click.option(
    "--expand",
    type=several,
    metavar="A.B,C.D",
    shell_complete=field_names,
    help="Columns of referenced rows to add: rack.site.name.",
)
@click.option(
    "--refs", type=click.Choice(["id", "label"]), default="id", help="Show references as ids or by name."
)
@click.option("--meta", is_flag=True, help="Write owner, tags, creator and the like, too.")
@click.option(
    "--tz",
    type=zone,
    shell_complete=zones,
    default="UTC",
    metavar="ZONE",
    help="Zone of times in .csv and .xlsx, e.g. Europe/Berlin.",
)
@click.option(
    "--fail-if-empty", is_flag=True, help="Where no row matches: keep the old file and end with status 3."
)
@session
def export(
    session: Session,
    schema: str,
    filters: tuple[str, ...],
    output: Path,
    form: str | None,
    where: tuple[str, ...],
    query: str | None,
    fields: list[str] | None,
    sort: str | None,
    expand: list[str] | None,
    refs: Any,
    meta: bool,
    tz: str,
    fail_if_empty: bool,
) -> None:
    """Write table SCHEMA, or the rows that meet every FILTER, to a file.

    \b
    FILTER is one or more of these, joined by and, or, not and parentheses:
      status=live   status!=live   price>=8000   bought<2024-01-31
      name~^web     name!~test     notes like FAN
      notes like 'two words'       notes~/^two words/i
      status in live,planned       status nin live,planned
      rack is empty                rack is not empty

    Fields of documents and of referenced rows: os.version=9, rack.site.name=fra1.
    Put a filter with blanks, <, > or quotes into quotes: 'price >= 8000'.
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    from sispy_pandas.formats.options import WriteOptions, zone_of
    from sispy_pandas.reading.listing import schemas_of
    from sispy_pandas.reading.query import parse_query
    from sispy_pandas.workflow.fetch import fetch
    from sispy_pandas.workflow.to_files import write_file

    try:
        written_as = named_format(output, form)
    except ValueError as error:
        raise misuse(error) from error
    if expand and not written_as.holds_any_column:
        others = ", ".join(suffixes(lambda one: one.holds_any_column))
        raise Misuse(f"{written_as.name} holds the records of the table alone: --expand wants {others}")
    is_standard = str(output) == STANDARD
    file = OutFile.of(sys.stdout if is_standard else output)
    if not is_standard:
        refuse_unwritable(output)
    client = session.client()
    endpoint, known = table_of(client, schema)
    asked: dict[str, Any] = {"sort": sort} if sort else {}
    filters += where
    try:
        q = [part for part in (query_of(endpoint, filters), _query(query)) if part]
        if q:
            asked["q"] = q[0] if len(q) == 1 else {"$and": q}
        parse_query(known, asked, fields, schemas_of(client))
    except ValueError as error:
        raise misuse(error) from error
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        source: Any = endpoint
        streamed: dict[str, Any] = {"query": asked, "fields": fields, "progress": session.progress}
        if written_as.is_whole or expand or refs != "id":
            try:
                source = fetch(
                    endpoint, asked, fields=fields, expand=expand, refs=refs, progress=session.progress
                )
            except ValueError as error:
                raise misuse(error) from error
            streamed = {}
        if fail_if_empty and not (endpoint.count(asked.get("q")) if source is endpoint else len(source)):
            raise ValueError(f"{nothing_found(filters)}: {output} is not written")
        rows = write_file(source, file, written_as, WriteOptions(zone_of(tz), meta=meta), **streamed)
    for warning in (one.message for one in caught if isinstance(one.message, Warning)):
        session.say(message_of(warning))
    written = count(rows, "row") if rows else f"its header alone, {nothing_found(filters)}"
    session.say(f"{'the table' if is_standard else output} is written: {written}")


def _query(text: str | None) -> Any:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"--query is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"--query is a JSON object, got {text}")
    return found
