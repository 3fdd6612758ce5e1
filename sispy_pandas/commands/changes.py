"""`sispy changes`: all cells changed in a span of time."""

from __future__ import annotations

from typing import Any

import click

from sispy.cli.completion import tables
from sispy.cli.options import Session, examples, session
from sispy.cli.terminal import out, table
from sispy_pandas.commands.spans import changes_of, span
from sispy_pandas.formats.csv import as_text
from sispy_pandas.values.blocks import name_of, show_apart

from ..values.types.cell_text import escape
from ..values.types.cells import is_missing, json_text

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
