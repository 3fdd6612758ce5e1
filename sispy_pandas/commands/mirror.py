"""`sispy mirror`: a table as Parquet files in a folder, brought up to date."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sispy.cli.completion import fields as field_names
from sispy.cli.completion import tables
from sispy.cli.exits import refuse_stream
from sispy.cli.options import Session, answers, examples, session
from sispy_pandas.commands.output import Answer, tell
from sispy_pandas.commands.tables import filtered, query_of, table_of
from sispy_pandas.values.blocks import Column, Lines, Table

if TYPE_CHECKING:
    from sispy_pandas.workflow.mirror import MirrorReport


@click.command(
    epilog=examples(
        "sispy mirror host mirrors/host",
        "sispy mirror host mirrors/live status=live --fields name,os,rack",
        "*/15 * * * * sispy mirror --quiet host /srv/mirrors/host",
    )
)
@click.argument("schema", metavar="TABLE", shell_complete=tables)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@filtered
@click.option(
    "--fields",
    metavar="A,B",
    shell_complete=field_names,
    help="Columns to keep; a nested document stands for all below it.",
)
@click.option("--meta", is_flag=True, help="Keep owner, tags, creator and the like, too.")
@click.option(
    "--full", is_flag=True, help="Fetch all rows anew, by the filters and fields given here, if any."
)
@answers("json", "csv", "md")
@session
def mirror(
    session: Session,
    schema: str,
    folder: Path,
    filters: tuple[str, ...],
    fields: str | None,
    meta: bool,
    full: bool,
) -> None:
    """Keep TABLE, or the rows that meet every FILTER, as Parquet files in FOLDER.

    The first run fetches all rows, later ones those that were written since, and learns which were deleted.
    FOLDER remembers filters and fields. Any program that reads Parquet reads it; it is a link, which leads to
    the new state when that is complete. The files are beside it, in .FOLDER.mirror.

    Nothing is written to the server, and no token is needed.
    """
    from sispy_pandas.workflow.mirror import mirror as bring_up_to_date

    refuse_stream("FOLDER", folder, "folder")
    client = session.client()
    endpoint, _ = table_of(client, schema)
    report = bring_up_to_date(
        endpoint,
        folder,
        query_of(endpoint, filters) if filters else None,
        fields=[name.strip() for name in fields.split(",")] if fields else None,
        meta=meta or None,
        full=full,
        progress=session.progress,
    )
    if not session.quiet or session.output != "text":
        tell(session, _answer(report, client.url))


def _answer(report: MirrorReport, server: str) -> Answer:
    facts = {
        "server": server,
        **{key: str(value) if isinstance(value, Path) else value for key, value in asdict(report).items()},
    }
    table = Table(tuple(Column(None, key) for key in facts), [tuple(facts.values())])
    return Answer("mirror", table, document=lambda: facts, blocks=lambda: [Lines((repr(report),))])
