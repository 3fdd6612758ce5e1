"""`sispy history`: who changed a row, what and when."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import tables
from sispy.cli.options import Session, examples, session
from sispy.cli.terminal import out, table
from sispy_pandas.commands.tables import table_of
from sispy_pandas.revisions.history import HistoryWarning
from sispy_pandas.revisions.history import blame as blame_of
from sispy_pandas.revisions.history import history as history_of
from sispy_pandas.values.blocks import show, show_apart

if TYPE_CHECKING:
    from collections.abc import Hashable

_STEP = ("at", "by", "action", "field", "before", "after")


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
    names = ("field", "value", "by", "at", "action") if blame else _STEP
    if len(found) and not (blame and found["by"].isna().all()):
        rows = found.astype(object).where(found.notna(), None).to_dict("records")
        out(table(names, [[_shown(row)[name] for name in names] for row in rows], keep=("at",)))
    for warning in caught:
        session.say(str(warning.message))


def _shown(row: dict[Hashable, Any]) -> dict[Hashable, Any]:
    """Return a step with its values as people read them."""
    if "value" in row:
        values: dict[Hashable, Any] = {"value": show(row["value"])}
    else:
        values = dict(zip(("before", "after"), show_apart(row["before"], row["after"]), strict=True))
    at = row["at"]
    return {**row, **values, "at": "" if at is None else at.strftime("%Y-%m-%d %H:%M:%S")}
