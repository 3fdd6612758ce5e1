"""`sispy push`: an edited file's changes, or a reviewed plan, go to the server."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import tables_or_files
from sispy.cli.exits import Misuse, first
from sispy.cli.options import Session, answers, examples, session, yes
from sispy_pandas.commands.inputs import INPUT, TableFile, format_option
from sispy_pandas.commands.planning import plan_of_file, saved
from sispy_pandas.commands.reading import Reading, reading
from sispy_pandas.commands.sending import pushing, send
from sispy_pandas.commands.targets import refuse_target, written
from sispy_pandas.formats.atomic import OutFile
from sispy_pandas.formats.excel import Excel
from sispy_pandas.formats.registry import format_of, suffixes
from sispy_pandas.pushing import retry
from sispy_pandas.pushing.workbook import Copy, copy_to_mark, marked

if TYPE_CHECKING:
    from sispy.cli.exits import Exit
    from sispy_pandas.workflow.objects import Report

_PATH = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "sispy push host hosts.csv",
        "sispy push plan.json --yes --note CHG0012345 --reviewer carol",
        "sispy push host hosts.xlsx --yes --skip-problems --write-back left.xlsx",
    )
)
@click.argument("table", metavar="SCHEMA|PLAN", shell_complete=tables_or_files)
@click.argument("file", required=False, type=INPUT)
@format_option
@click.option("--expect-digest", metavar="DIGEST", help="Push no other plan than the one reviewed.")
@click.option("--reviewer", metavar="NAME", help="Who reviewed the plan; goes into the journal.")
@click.option(
    "--require-fresh", is_flag=True, help="Push nothing (status 4) if anything in the plan is stale."
)
@click.option(
    "--conflicts-out", type=_PATH, metavar="FILE", help="Write what was not pushed to a CSV or .xlsx file."
)
@click.option(
    "--write-back", type=_PATH, metavar="OUT.xlsx", help="Copy the workbook FILE with what is stored now."
)
@answers("json", "csv", "md")
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
    form: str | None,
    expect_digest: str | None,
    reviewer: str | None,
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
    table_file = None if file is None else TableFile.of(file, form)
    if write_back is not None and table_file is not None and not isinstance(table_file.form, Excel):
        raise Misuse(f"--write-back copies a workbook, and {file} is none.")
    source = Path(table) if file is None else file
    refuse_target("--write-back", write_back, (".xlsx",), others=(source,))
    left = suffixes(lambda form: form.holds_any_cell)
    refuse_target("--conflicts-out", conflicts_out, left, others=(source, write_back))
    if conflicts_out is not None:
        format_of(str(conflicts_out)).refuse(OutFile.of(conflicts_out))
    if table_file is None:
        plan = saved(session, table)
    else:
        plan = plan_of_file(session, table, table_file, reading, yes=yes)
    copy: Copy | None = None
    if write_back is not None and table_file is not None:
        how_read = reading.options
        copy = copy_to_mark(
            table_file.file, write_back, plan.schema, sheet=how_read.sheet, rename=how_read.rename
        )
    how |= {"expect_digest": expect_digest, "reviewer": reviewer}
    report, status = send(session, plan, yes=yes, require_fresh=require_fresh, **how)
    statuses = [status]
    if report is not None and conflicts_out is not None:
        statuses.append(written(session, partial(_left, report, conflicts_out)))
    if report is not None and copy is not None:
        statuses.append(written(session, partial(_written_back, report, copy, file)))
    return first(filter(None, statuses))  # interrupted counts more than done


def _left(report: Report, target: Path) -> str:
    if not len(report.failures):  # a file of an earlier push would be taken for one of this
        there = target.exists()
        target.unlink(missing_ok=True)
        return f"{target}: removed, all rows were pushed" if there else ""
    retry.write(report, target, format_of(str(target)))
    return f"{target}: the rows that were not pushed; edit it and push it"


def _written_back(report: Report, copy: Copy, file: Path | None) -> str:
    marked(copy, report, write_back=True)
    return f"{copy.out}: a copy of {file} with new ids, receipts, and what was not written"
