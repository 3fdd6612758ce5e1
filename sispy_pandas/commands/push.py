"""`sispy push`: an edited file's changes, or a reviewed plan, go to the server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sispy.completion import tables_or_files
from sispy.exits import Misuse
from sispy.options import Session, examples, session, yes
from sispy_pandas.commands.planning import plan_of_file
from sispy_pandas.commands.reading import Reading, reading
from sispy_pandas.commands.sending import send
from sispy_pandas.commands.writing import pushing
from sispy_pandas.planning.plan_file import load_plan
from sispy_pandas.sheets.marks import mark_problems

if TYPE_CHECKING:
    from sispy.exits import Exit
    from sispy_pandas.plan import Plan

_PATH = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "sispy push host hosts.csv",
        "sispy push plan.json --yes --note CHG0012345",
        "sispy push host hosts.xlsx --yes --skip-problems --write-back left.xlsx",
    )
)
@click.argument("table", metavar="SCHEMA|PLAN", shell_complete=tables_or_files)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--require-fresh", is_flag=True, help="Push nothing (status 4) if anything in the plan is stale."
)
@click.option(
    "--conflicts-out", type=_PATH, metavar="FILE", help="Write what was not pushed to a CSV or .xlsx file."
)
@click.option(
    "--write-back", type=_PATH, metavar="OUT.xlsx", help="Copy the workbook FILE with what is stored now."
)
@pushing
@reading
@yes
@session
def push(
    session: Session,
    reading: Reading,
    how: dict[str, Any],
    table: str,
    file: Path | None,
    require_fresh: bool,
    conflicts_out: Path | None,
    write_back: Path | None,
    yes: bool,
) -> Exit:
    """Push the changes of FILE to table SCHEMA, or a plan that `sispy plan -o` saved.

    Shows the plan and asks. Only changed cells are sent; a cell that somebody else changed since the file
    was exported is a conflict and is left alone. Every push keeps a journal for `sispy undo`.
    """
    if write_back is not None and file is None:
        raise Misuse("--write-back copies the workbook FILE; a saved plan knows none.")
    plan = _saved(session, table) if file is None else plan_of_file(session, table, file, reading)
    report, status = send(session, plan, yes=yes, require_fresh=require_fresh, **how)
    if report is not None and conflicts_out is not None and len(report.failures):
        (report.to_excel if conflicts_out.suffix == ".xlsx" else report.to_csv)(conflicts_out)
        session.say(f"{conflicts_out}: the rows that were not pushed; edit it and push it")
    if report is not None and write_back is not None and file is not None:
        cells = reading.cells
        mark_problems(file, report, write_back, sheet=cells["sheet"], rename=cells["rename"], write_back=True)
        session.say(f"{write_back}: a copy of {file} with new ids, receipts, and what was not written")
    return status


def _saved(session: Session, path: str) -> Plan:
    if not Path(path).is_file():
        raise Misuse(f"there is no plan file {path!r}; to push a file: sispy push SCHEMA FILE")
    return load_plan(path, session.client_if_named())
