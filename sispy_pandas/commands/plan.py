"""`sispy plan`: what an edited file would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sispy.cli.completion import tables
from sispy.cli.exits import Misuse
from sispy.cli.options import Session, answers, examples, session
from sispy_pandas.commands.inputs import INPUT, TableFile, format_option
from sispy_pandas.commands.output import plan_answer, tell
from sispy_pandas.commands.planning import plan_of_file
from sispy_pandas.commands.reading import Reading, reading
from sispy_pandas.commands.sending import status_of_plan
from sispy_pandas.commands.targets import refuse_target
from sispy_pandas.formats.excel import Excel
from sispy_pandas.pushing.workbook import mark_problems

if TYPE_CHECKING:
    from sispy.cli.exits import Exit

_PATH = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "sispy plan host hosts.csv",
        "sispy plan host hosts.xlsx --output md -o plan.json",
        'sispy plan host audit.csv --key hostname --rename "Host Name=hostname"',
    )
)
@click.argument("table", metavar="SCHEMA", shell_complete=tables)
@click.argument("file", type=INPUT)
@format_option
@click.option("-o", "save", type=_PATH, metavar="PLAN", help="Save the plan, for `sispy push PLAN`.")
@click.option("--mark", type=_PATH, metavar="OUT.xlsx", help="Copy the workbook FILE, its problems marked.")
@answers("json", "csv", "md", "html")
@click.option(
    "--check", is_flag=True, help="Ask the server, too: references, unique values, permissions, conflicts."
)
@click.option(
    "--allow-dangling", is_flag=True, help="With --check: rows that others refer to may be deleted."
)
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 if there are changes.")
@reading
@session
def plan(
    session: Session,
    reading: Reading,
    table: str,
    file: Path,
    form: str | None,
    save: Path | None,
    mark: Path | None,
    check: bool,
    allow_dangling: bool,
    detailed_exitcode: bool,
) -> Exit:
    """Show what pushing FILE to table SCHEMA would change. Writes nothing to the server.

    A saved plan can be reviewed and then sent as it is: `sispy push PLAN`.
    """
    if allow_dangling and not check:
        raise Misuse("--allow-dangling says what is no problem: give --check, too.")
    table_file = TableFile.of(file, form)
    if mark is not None and not isinstance(table_file.form, Excel):
        raise Misuse(f"--mark copies a workbook, and {file} is none.")
    refuse_target("--mark", mark, (".xlsx",), others=(file, save))
    refuse_target("-o", save, others=(file,))
    found = plan_of_file(session, table, table_file, reading)
    if check:
        found = found.check(allow_dangling=allow_dangling, progress=session.progress)
        found = found.refresh(progress=session.progress)
    tell(session, plan_answer(found))
    if save is not None:
        found.save(save)
        session.say(f"saved as {save}: `sispy push {save}` sends exactly this")
    if mark is not None:
        options = reading.options
        mark_problems(table_file.file, found, mark, sheet=options.sheet, rename=options.rename)
        session.say(f"{mark}: a copy of {file} with the problems in their cells")
    return status_of_plan(found, detailed=detailed_exitcode)
