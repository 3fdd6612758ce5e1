"""`sispy plan`: what an edited file would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sispy.cli.completion import fields, filters
from sispy.cli.exits import Misuse, first, misuse
from sispy.cli.options import Session, answers, examples, session
from sispy.remedies import Call, Message
from sispy_pandas.commands.endings import status_of_plan
from sispy_pandas.commands.in_parts import part_rows, planned, refuse_parts
from sispy_pandas.commands.inputs import format_option
from sispy_pandas.commands.output import plan_answer, show, tell, whole
from sispy_pandas.commands.planning import Asked, edited_file, plan_of_rows, what
from sispy_pandas.commands.reading import Reading, reading
from sispy_pandas.commands.sending import every_cell, parts
from sispy_pandas.commands.tables import query_of
from sispy_pandas.commands.targets import refuse_target
from sispy_pandas.values.blocks import count

if TYPE_CHECKING:
    from sispy.cli.exits import Exit
    from sispy_pandas.workflow.objects import Plan, Snapshot
    from sispy_pandas.workflow.parts import Plans

_PATH = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "sispy plan host hosts.csv",
        "sispy plan host hosts.xlsx --output md -o plan.json",
        'sispy plan host audit.csv --key hostname --rename "Host Name=hostname"',
        "sispy plan host audit.csv --key name --missing-out gone.csv",
        "sispy plan racks.csv hosts.csv -o plan.json",
        "sispy plan plan.json --all --by rack.site.name",
    )
)
@what
@format_option
@click.option("-o", "save", type=_PATH, metavar="PLAN", help="Save the plan, for `sispy push PLAN`.")
@click.option("--note", metavar="TEXT", help="A note that is saved with the plan, e.g. CHG0012345.")
@every_cell
@click.option(
    "--by", metavar="FIELD", shell_complete=fields, help="Split equal changes by FIELD, as rack.site.name."
)
@click.option("--mark", type=_PATH, metavar="OUT.xlsx", help="Copy the workbook FILE, its problems marked.")
@click.option(
    "--missing-out", type=_PATH, metavar="FILE", help="With --key: write the rows that only the table has."
)
@click.option(
    "--within",
    multiple=True,
    metavar="FILTER",
    shell_complete=filters,
    help="Only missing rows that meet FILTER.",
)
@answers("json", "csv", "md", "html")
@click.option(
    "--check/--no-check",
    default=True,
    help="Ask the server for what only it knows: references, unique values, permissions, conflicts.",
)
@click.option("--allow-dangling", is_flag=True, help="Rows that others refer to may be deleted.")
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 if there are changes.")
@part_rows
@reading
@session
def plan(
    session: Session,
    reading: Reading,
    names: tuple[str, ...],
    form: str | None,
    save: Path | None,
    note: str | None,
    every: bool,
    by: str | None,
    mark: Path | None,
    missing_out: Path | None,
    within: tuple[str, ...],
    check: bool,
    allow_dangling: bool,
    detailed_exitcode: bool,
    part_rows: int | None,
) -> Exit:
    """Show what pushing FILE to table SCHEMA would change, or a saved PLAN. Writes nothing to the server.

    Exported files say which table they are of: leave SCHEMA out, or write TABLE=FILE for others. Several
    files, or a workbook with several sheets, are one change, in the order of references.

    A long plan is summed up: equal changes with their number, and the first of the others; Markdown, HTML,
    CSV and JSON hold every cell. A saved plan can be reviewed and then sent as it is: `sispy push PLAN`.
    """
    from sispy_pandas.formats.options import WriteOptions
    from sispy_pandas.formats.registry import FIRST, format_of
    from sispy_pandas.pushing.workbook import mark_problems
    from sispy_pandas.workflow.missing import missing
    from sispy_pandas.workflow.plan_parts import PlanParts
    from sispy_pandas.workflow.split import split_by
    from sispy_pandas.workflow.to_files import write_file

    if allow_dangling and not check:
        raise Misuse("--allow-dangling needs the check that --no-check turns off: leave one of them out.")
    asked = Asked.of(names, form)
    book = None if mark is None else asked.workbook("--mark")
    refuse_target("--mark", mark, (".xlsx",), others=(*asked.paths, save))
    refuse_target("-o", save, others=asked.paths)
    if missing_out is not None and (reading.key is None or len(asked.files) != 1):
        raise Misuse("--missing-out tells what a FILE from elsewhere does not have: give --key FIELD.")
    if within and missing_out is None:
        raise Misuse("--within says which of the missing rows are meant: give --missing-out FILE.")
    refuse_target("--missing-out", missing_out, FIRST, others=(*asked.paths, save, mark))
    found: Plan | Plans | PlanParts
    if missing_out is None:
        told = {"-o": save, "--mark": mark, "--by": by, "--all": every or None}
        found = planned(session, asked, reading, rows=part_rows, told=told)
    else:
        refuse_parts(part_rows, "--missing-out")
        snapshot, frame = edited_file(session, *asked.only_file, reading)
        found = plan_of_rows(snapshot, frame, reading)
    planned_as = None if save is not None or isinstance(found, PlanParts) else parts(found)
    if check:
        found = found.check(allow_dangling=allow_dangling, progress=session.progress)
        found = found.refresh(progress=session.progress)
    plans = parts(found)
    try:
        splits = [None if by is None else split_by(one, by) for one in plans]
    except ValueError as error:
        raise misuse(error) from error
    if isinstance(found, PlanParts):
        show(session, found.blocks(whole(session, every=every)))
        return first(status_of_plan(one, detailed=detailed_exitcode) for one in plans)
    is_saved = not asked.files or (save is not None and session.output != "text")  # which tells how to push
    limit = whole(session, every=every)
    answer = plan_answer(plans, limit, splits, planned_as=planned_as, names_digest=is_saved)
    tell(session, answer, paged=every)
    if save is not None:
        found.save(save, note=note)
        session.say(_sending(found, save))
    if mark is not None and book is not None:
        options = reading.options
        for one in plans:
            mark_problems(book.file, one, mark, sheet=options.sheet, rename=options.rename)
        session.say(f"{mark}: a copy of {book.file} with the problems in their cells")
    if missing_out is not None:
        rows = missing(_within(session, snapshot, within), frame, key=reading.key)
        write_file(rows, missing_out, format_of(str(missing_out)), WriteOptions())
        session.say(f"{missing_out}: {count(len(rows), 'row')} that {asked.names[-1]} does not have")
    return first(status_of_plan(one, detailed=detailed_exitcode) for one in plans)


def _within(session: Session, snapshot: Snapshot, filters: tuple[str, ...]) -> Snapshot:
    """Return the rows of a snapshot that meet filters."""
    from sispy_pandas.workflow.fetch import fetch

    if not filters:
        return snapshot
    query = {"q": query_of(snapshot.endpoint, filters)}
    return fetch(snapshot.endpoint, query, progress=session.progress)


def _sending(plan: Plan | Plans, path: Path) -> Message:
    """Return in words how a saved plan is sent as it is."""
    from sispy_pandas.planning.change_set import FREE_DELETES

    deletes = plan.counts["deletes"]
    stated = ("--expect-deletes", str(deletes)) if deletes > FREE_DELETES else ()
    command = ("push", str(path), "--expect-digest", plan.digest, *stated)
    return Message(f"saved as {path}", Call("", "sends exactly this", command))
