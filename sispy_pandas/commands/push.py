"""`sispy push`: an edited file's changes, or a reviewed plan, go to the server."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.exits import Misuse, first
from sispy.cli.options import Session, answers, examples, session, yes
from sispy_pandas.commands.in_parts import part_rows, planned
from sispy_pandas.commands.inputs import format_option
from sispy_pandas.commands.planning import Asked, what
from sispy_pandas.commands.reading import Reading, reading
from sispy_pandas.commands.sending import pushing, send
from sispy_pandas.commands.targets import refuse_target, written
from sispy_pandas.formats.atomic import OutFile

if TYPE_CHECKING:
    from sispy.cli.exits import Exit
    from sispy_pandas.pushing.workbook import Copy
    from sispy_pandas.workflow.objects import Report

_PATH = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "sispy push host hosts.csv",
        "sispy push racks.csv hosts.csv --note CHG0012345",
        "sispy push plan.json --yes --note CHG0012345 --reviewer carol",
        "sispy push host hosts.xlsx --yes --skip-problems --write-back left.xlsx",
    )
)
@what
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
@part_rows
@reading
@yes
@session
def push(
    session: Session,
    reading: Reading,
    how: dict[str, Any],
    names: tuple[str, ...],
    form: str | None,
    expect_digest: str | None,
    reviewer: str | None,
    require_fresh: bool,
    conflicts_out: Path | None,
    write_back: Path | None,
    yes: bool,
    part_rows: int | None,
) -> Exit:
    """Push the changes of FILE to table SCHEMA, or a plan that `sispy plan -o` saved.

    Exported files say which table they are of: leave SCHEMA out, or write TABLE=FILE for others. Several
    files, or a workbook with several sheets, are one change with one note and one undo, in the order of
    references.

    Shows the plan and asks. Only changed cells are sent; a cell that somebody else changed since the file was
    exported is a conflict and is left alone. Every push keeps a journal for `sispy undo`.
    """
    from sispy_pandas.formats.registry import format_of, suffixes
    from sispy_pandas.pushing.workbook import copy_to_mark
    from sispy_pandas.workflow.objects import Plan
    from sispy_pandas.workflow.parts import Plans

    asked = Asked.of(names, form)
    book = None if write_back is None else asked.workbook("--write-back")
    refuse_target("--write-back", write_back, (".xlsx",), others=asked.paths)
    left = suffixes(lambda form: form.holds_any_cell)
    refuse_target("--conflicts-out", conflicts_out, left, others=(*asked.paths, write_back))
    if conflicts_out is not None:
        format_of(str(conflicts_out)).refuse(OutFile.of(conflicts_out))
    told = {
        "--write-back": write_back,
        "--conflicts-out": conflicts_out,
        "--journal": how["journal"],
        "--expect-digest": expect_digest,
        "--all": how["every"] or None,
    }
    plan = planned(session, asked, reading, rows=part_rows, told=told, yes=yes)
    if isinstance(plan, Plans) and (book is not None or conflicts_out is not None):
        option = "--write-back" if book is not None else "--conflicts-out"
        raise Misuse(f"{option} writes one table, and these are several: push them one by one for it.")
    copy: Copy | None = None
    if write_back is not None and book is not None and isinstance(plan, Plan):
        how_read = reading.options
        copy = copy_to_mark(book.file, write_back, plan.schema, sheet=how_read.sheet, rename=how_read.rename)
    how |= {"expect_digest": expect_digest, "reviewer": reviewer}
    reports, status = send(session, plan, yes=yes, require_fresh=require_fresh, **how)
    statuses = [status]
    for report in reports[:1]:
        if conflicts_out is not None:
            statuses.append(written(session, partial(_left, report, conflicts_out)))
        if copy is not None and book is not None:
            statuses.append(written(session, partial(_written_back, report, copy, str(book.file))))
    return first(filter(None, statuses))  # interrupted counts more than done


def _left(report: Report, target: Path) -> str:
    from sispy_pandas.formats.registry import format_of
    from sispy_pandas.pushing import retry

    if not len(report.failures):  # a file of an earlier push would be taken for one of this
        there = target.exists()
        target.unlink(missing_ok=True)
        return f"{target}: removed, all rows were pushed" if there else ""
    retry.write(report, target, format_of(str(target)))
    return f"{target}: the rows that were not pushed; edit it and push it"


def _written_back(report: Report, copy: Copy, file: str) -> str:
    from sispy_pandas.pushing.workbook import marked

    marked(copy, report, write_back=True)
    return f"{copy.out}: a copy of {file} with new ids, receipts, and what was not written"
