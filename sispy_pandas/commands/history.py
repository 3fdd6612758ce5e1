"""`sispy history`: who changed a row, what and when."""

from __future__ import annotations

import warnings

import click

from sispy.completion import tables
from sispy.options import Session, examples, session
from sispy.terminal import out, table
from sispy_pandas.commands.tables import table_of
from sispy_pandas.history import HistoryWarning
from sispy_pandas.history import blame as blame_of
from sispy_pandas.history import history as history_of
from sispy_pandas.planning.plan_text import show


@click.command(epilog=examples("sispy history host web01", "sispy history host web01 --blame"))
@click.argument("name", metavar="SCHEMA", shell_complete=tables)
@click.argument("row")
@click.option("--blame", is_flag=True, help="Show the last change of every field instead.")
@session
def history(session: Session, name: str, row: str, blame: bool) -> None:
    """Show who changed ROW (its _id or key) of table SCHEMA, the newest change first.

    Owners, tags and locks have no history. A deleted row is known by its _id alone.
    """
    endpoint, _ = table_of(session.client(), name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HistoryWarning)
        found = blame_of(endpoint, row).reset_index() if blame else history_of(endpoint, row)
    columns = (
        ["field", "value", "by", "at", "action"]
        if blame
        else ["at", "by", "action", "field", "before", "after"]
    )
    if len(found) and not (blame and found["by"].isna().all()):
        rows = zip(*(found[column].map(_shown(column)) for column in columns), strict=True)
        out(table(columns, [list(cells) for cells in rows], keep=("at",)))
    for warning in caught:
        session.say(str(warning.message))


def _shown(column: str):  # type: ignore[no-untyped-def] # a function of one cell
    if column == "at":
        return lambda at: "" if at is None or at != at else at.strftime("%Y-%m-%d %H:%M:%S")
    if column in ("before", "after", "value"):
        return show
    return lambda text: "" if text is None or text != text else text
