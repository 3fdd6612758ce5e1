"""`sispy export`: a table, or a part of it, to a file."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import click

from sispy.cli.completion import tables
from sispy.cli.exits import Misuse, misuse
from sispy.cli.options import Session, examples, session
from sispy.remedies import message_of
from sispy_pandas.commands.tables import filtered, query_of, table_of
from sispy_pandas.formats.atomic import refuse_unwritable
from sispy_pandas.reading.listing import schemas_of
from sispy_pandas.reading.query import parse_query
from sispy_pandas.values.blocks import count
from sispy_pandas.workflow.fetch import fetch
from sispy_pandas.workflow.to_files import to_csv, to_excel, to_ndjson, to_parquet

_FORMATS = (".csv", ".xlsx", ".parquet", ".ndjson")


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
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A .csv, .xlsx, .parquet or .ndjson file; it appears when it is complete.",
)
@click.option("--where", multiple=True, metavar="FILTER", help="The same as FILTER.")
@click.option("--query", metavar="JSON", help="A filter in the server's own language, added to the others.")
@click.option("--fields", metavar="A,B", help="Columns to write; a nested document stands for all below it.")
@click.option("--sort", metavar="A,-B", help="Order of the rows; '-' descends. Default: _id.")
@click.option("--expand", metavar="A.B,C.D", help="Columns of referenced rows to add: rack.site.name.")
@click.option(
    "--refs", type=click.Choice(["id", "label"]), default="id", help="Show references as ids or by name."
)
@click.option("--meta", is_flag=True, help="Write owner, tags, creator and the like, too.")
@click.option(
    "--tz", default="UTC", metavar="ZONE", help="Zone of times in .csv and .xlsx, e.g. Europe/Berlin."
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
    where: tuple[str, ...],
    query: str | None,
    fields: str | None,
    sort: str | None,
    expand: str | None,
    refs: str,
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
    A shell takes blanks, <, > and quotes in quotes alone: 'price >= 8000'.
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    if output.suffix.lower() not in _FORMATS:
        raise Misuse(f"{output.name}: the name must end in one of {', '.join(_FORMATS)}")
    if expand and output.suffix.lower() == ".ndjson":
        raise Misuse(".ndjson holds the records of the table alone: --expand wants .csv, .xlsx or .parquet")
    refuse_unwritable(output)
    client = session.client()
    endpoint, known = table_of(client, schema)
    asked: dict[str, Any] = {"sort": sort} if sort else {}
    names = [name.strip() for name in fields.split(",")] if fields else None
    filters += where
    try:
        q = [part for part in (query_of(endpoint, filters), _query(query)) if part]
        if q:
            asked["q"] = q[0] if len(q) == 1 else {"$and": q}
        parse_query(known, asked, names, schemas_of(client))
    except ValueError as error:
        raise misuse(error) from error
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if output.suffix.lower() == ".xlsx" or expand or refs != "id":
            wanted = [name.strip() for name in expand.split(",")] if expand else None
            labels: Any = refs
            source: Any = fetch(
                endpoint, asked, fields=names, expand=wanted, refs=labels, progress=session.progress
            )
            options: dict[str, Any] = {"meta": meta}
        else:
            source = endpoint
            options = {"meta": meta, "query": asked, "fields": names, "progress": session.progress}
        if fail_if_empty and not (endpoint.count(asked.get("q")) if source is endpoint else len(source)):
            raise ValueError(f"no row matches: {output} is not written")
        rows = _write(source, output, tz=tz, options=options)
    for warning in (one.message for one in caught if isinstance(one.message, Warning)):
        session.say(message_of(warning))
    session.say(f"{output} is written: {count(rows, 'row') if rows else 'its header alone, no row matches'}")


def _write(source: Any, output: Path, *, tz: str, options: dict[str, Any]) -> int:
    match output.suffix.lower():
        case ".csv":
            return to_csv(source, output, tz=tz, **options)
        case ".ndjson":
            return to_ndjson(source, output, **options)
        case ".parquet":
            return to_parquet(source, output, **options)
    return to_excel(source, output, tz=tz, **options)


def _query(text: str | None) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"--query is no JSON: {error}") from error
