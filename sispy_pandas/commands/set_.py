"""`sispy set`: values for all rows that filters find, in one guarded line."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import filters
from sispy.cli.exits import Misuse, misuse
from sispy.cli.options import Session, answers, examples, session, yes
from sispy.remedies import Call, Message
from sispy_pandas.commands.sending import pushing, send, with_references
from sispy_pandas.commands.tables import filtered, of_table, query_of, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from sispy.cli.exits import Exit
    from sispy.client import Client
    from sispy_pandas.values.schema import Schema

    from ..values.types.base import Field

    Edit = Callable[[pd.Series[Any]], pd.Series[Any]]

_TO = re.compile(r"\s*([^\s=+-][^\s=]*?)\s*(\+=|-=|=)(.*)", re.DOTALL)


@click.command(
    "set",
    epilog=examples(
        "sispy set host status=planned 'bought<2026-01-01' --to status=live",
        "sispy set host rack.site.name=fra1 --to 'labels+=moved' --to rack=fra1-r02",
        "sispy set host os.version=8 --to os.version=9 --yes --expect-updates 12",
    ),
)
@of_table
@filtered
@click.option(
    "--to",
    "settings",
    multiple=True,
    required=True,
    metavar="FIELD=VALUE",
    shell_complete=filters,
    help="What to set, may be repeated; += and -= add and remove a member of an array.",
)
@click.option("--all-rows", is_flag=True, help="Change all rows; needed where there is no FILTER.")
@click.option(
    "--expect-updates",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many rows shall change; needed with --yes.",
)
@answers("json", "csv", "md")
@pushing
@yes
@session
def set_(
    session: Session,
    how: dict[str, Any],
    name: str,
    filters: tuple[str, ...],
    settings: tuple[str, ...],
    all_rows: bool,
    expect_updates: int | None,
    yes: bool,
) -> Exit:
    """Set fields of the rows of table SCHEMA that meet every FILTER.

    Shows the plan and asks: rows that hold the values already are left alone, and a cell that somebody else
    changes meanwhile is a conflict. `sispy undo` takes it back.

    VALUE is as in a cell of a CSV file: a text, a number, a day, true or false, the name of a row that is
    referred to, JSON for arrays; an empty VALUE clears the field. FILTERs are as in `sispy export --help`.
    """
    from sispy_pandas.workflow.assign import set_values

    if not filters and not all_rows:
        raise Misuse(Message("no FILTER chooses rows", Call("--all-rows", "means all", ("--all-rows",))))
    if filters and all_rows:
        raise Misuse("--all-rows means all, and FILTERs choose some: leave one of them out.")
    if yes and expect_updates is None:
        number = Call("", "says how many rows shall change", ("--expect-updates", "N"))
        raise Misuse(Message("with --yes nobody sees how many rows the filter finds", number))
    client = session.client()
    endpoint, schema = table_of(client, name)
    try:
        values = _values(client, schema, settings)
        plan = set_values(endpoint, query_of(endpoint, filters), values, progress=session.progress)
    except ValueError as error:
        raise misuse(error) from error
    _, status = send(session, with_references(plan), yes=yes, expect_updates=expect_updates, **how)
    return status


def _values(client: Client, schema: Schema, settings: Sequence[str]) -> dict[str, Any]:
    """Return the argument `values` of `set_values`; several edits of the members of an array are one."""
    values: dict[str, Any] = {}
    for text in settings:
        path, value = _setting(client, schema, text)
        if path in values:
            if not (callable(value) and callable(values[path])):
                raise ValueError(f"{path} is set twice")
            value = partial(_one_after_the_other, values[path], value)
        values[path] = value
    return values


def _one_after_the_other(first: Edit, second: Edit, cells: pd.Series[Any]) -> pd.Series[Any]:
    return second(first(cells))


def _setting(client: Client, schema: Schema, text: str) -> tuple[str, Any]:
    """Return the field that a text sets, and its value or what makes it of the old one.

    Raises:
        ValueError: It is no such text, or no value of that field.
    """
    from sispy_pandas.values.explode import added, removed

    found = _TO.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not of the form FIELD=VALUE, FIELD+=MEMBER or FIELD-=MEMBER")
    path, operator, value = found.groups()
    field = schema.field(path)
    if operator == "=":
        return path, _value(client, schema, field, value) if value else None
    if field.item is None:
        raise ValueError(f"{path} is not an array of values: {operator} adds or removes a member of one")
    if not value:
        raise ValueError(f"{path}{operator} names no member")
    member = _value(client, schema, replace(field.item, path=path), value)
    return path, partial(added if operator == "+=" else removed, value=member)


def _value(client: Client, schema: Schema, field: Field, text: str) -> Any:
    """Return the value that a text means: of a name the row's id; what a CSV file would mask is itself."""
    import pandas as pd

    from sispy_pandas.values.types.cell_text import escape, read_cell
    from sispy_pandas.values.types.cells import Refused
    from sispy_pandas.workflow.references import to_ids

    if field.ref:
        found = to_ids(client, pd.DataFrame({field.path: [text]}), schema)[field.path].iloc[0]
        if isinstance(found, Refused):
            raise ValueError(f"{field.path}: {found.reason}")
        return found
    try:
        return read_cell(field, escape(text) if field.kind.has_empty else text)
    except ValueError as error:
        raise ValueError(f"{field.path}: {error}") from error
