"""`sispy plan`: what an edited file would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sispy.cli.completion import fields, tables_or_files
from sispy.cli.exits import Misuse, misuse
from sispy.cli.options import Session, answers, examples, session
from sispy.remedies import Call, Message
from sispy_pandas.commands.inputs import INPUT, TableFile, format_option
from sispy_pandas.commands.output import plan_answer, tell, whole
from sispy_pandas.commands.planning import plan_of_file, saved
from sispy_pandas.commands.reading import Reading, reading
from sispy_pandas.commands.sending import every_cell, status_of_plan
from sispy_pandas.commands.targets import refuse_target
from sispy_pandas.formats.excel import Excel
from sispy_pandas.planning.change_set import FREE_DELETES
from sispy_pandas.pushing.workbook import mark_problems
from sispy_pandas.workflow.split import split_by

if TYPE_CHECKING:
    from sispy.cli.exits import Exit
    from sispy_pandas.workflow.objects import Plan

_PATH = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "sispy plan host hosts.csv",
        "sispy plan host hosts.xlsx --output md -o plan.json",
        'sispy plan host audit.csv --key hostname --rename "Host Name=hostname"',
        "sispy plan plan.json --all --by rack.site.name",
    )
)
@click.argument("table", metavar="SCHEMA|PLAN", shell_complete=tables_or_files)
@click.argument("file", required=False, type=INPUT)
@format_option
@click.option("-o", "save", type=_PATH, metavar="PLAN", help="Save the plan, for `sispy push PLAN`.")
@click.option("--note", metavar="TEXT", help="Is saved with the plan, e.g. CHG0012345.")
@every_cell
@click.option(
    "--by", metavar="FIELD", shell_complete=fields, help="Split equal changes by FIELD, as rack.site.name."
)
@click.option("--mark", type=_PATH, metavar="OUT.xlsx", help="Copy the workbook FILE, its problems marked.")
@answers("json", "csv", "md", "html")
@click.option(
    "--check/--no-check",
    default=True,
    help="Ask the server for what only it knows: references, unique values, permissions, conflicts; default.",
)
@click.option("--allow-dangling", is_flag=True, help="Rows that others refer to may be deleted.")
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 if there are changes.")
@reading
@session
def plan(
    session: Session,
    reading: Reading,
    table: str,
    file: Path | None,
    form: str | None,
    save: Path | None,
    note: str | None,
    every: bool,
    by: str | None,
    mark: Path | None,
    check: bool,
    allow_dangling: bool,
    detailed_exitcode: bool,
) -> Exit:
    """Show what pushing FILE to table SCHEMA would change, or a saved PLAN. Writes nothing to the server.

    Of a long plan it shows how often which change is made, and the first cells that are like no other;
    Markdown, HTML, CSV and JSON hold every cell. A saved plan can be reviewed and then sent as it is:
    `sispy push PLAN`.
    """
    if allow_dangling and not check:
        raise Misuse("--allow-dangling says what is no problem: leave --no-check out.")
    table_file = None if file is None else TableFile.of(file, form)
    if mark is not None and (table_file is None or not isinstance(table_file.form, Excel)):
        raise Misuse(f"--mark copies a workbook, and {file or table} is none.")
    source = Path(table) if file is None else file
    refuse_target("--mark", mark, (".xlsx",), others=(source, save))
    refuse_target("-o", save, others=(source,))
    found = saved(session, table) if table_file is None else plan_of_file(session, table, table_file, reading)
    if check:
        found = found.check(allow_dangling=allow_dangling, progress=session.progress)
        found = found.refresh(progress=session.progress)
    try:
        split = None if by is None else split_by(found, by)
    except ValueError as error:
        raise misuse(error) from error
    tell(session, plan_answer(found, whole(session, every=every), split), paged=every)
    if save is not None:
        found.save(save, note=note)
        session.say(_sending(found, save))
    if mark is not None and table_file is not None:
        options = reading.options
        mark_problems(table_file.file, found, mark, sheet=options.sheet, rename=options.rename)
        session.say(f"{mark}: a copy of {file} with the problems in their cells")
    return status_of_plan(found, detailed=detailed_exitcode)


def _sending(plan: Plan, path: Path) -> Message:
    """Say how a saved plan is sent as it is."""
    deletes = plan.counts["deletes"]
    stated = ("--expect-deletes", str(deletes)) if deletes > FREE_DELETES else ()
    command = ("push", str(path), "--expect-digest", plan.digest, *stated)
    return Message(f"saved as {path}", Call("", "sends exactly this", command))
