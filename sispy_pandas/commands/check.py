"""`sispy check`: what is wrong in a table that the server takes; `sispy merge`: one row of duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import fields, rows, tables
from sispy.cli.exits import Exit, Misuse, misuse
from sispy.cli.options import Session, answers, examples, session, yes
from sispy.remedies import Call, Message
from sispy_pandas.commands.inputs import several
from sispy_pandas.commands.output import Answer, tell
from sispy_pandas.commands.sending import pushing, send
from sispy_pandas.commands.tables import entity_of, of_table, table_of
from sispy_pandas.values.blocks import Column, Lines, Table, count, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sispy.client import Client
    from sispy_pandas.values.schema import Schema

_COLUMNS = (
    *(Column(name, name) for name in ("finding", "table")),
    Column(None, "_id"),
    Column(None, "key"),
    Column("row"),
    Column("field", "field"),
    Column("value", "value", "value"),
    Column("was", "was", "value"),
    Column("proposal", "proposal"),
)


@click.command(
    epilog=examples(
        "sispy check",
        "sispy check host --by serial",
        "sispy check host --by serial,ip --output csv > duplicates.csv",
    )
)
@click.argument("name", metavar="[SCHEMA]", required=False, shell_complete=tables)
@click.option(
    "--by",
    type=several,
    metavar="A,B",
    shell_complete=fields,
    help="Rows alike in these fields; default: their keys.",
)
@answers("json", "csv", "md", "html")
@session
def check(session: Session, name: str | None, by: list[str] | None) -> Exit:
    """Find dangling references and duplicates in table SCHEMA, or in all. Ends with 2 if there are some.

    A reference dangles if its row was deleted: the server then refuses each later change of the row that
    holds it. `was` tells what the deleted row was called, the proposal is the row with that name today.
    Duplicates are rows whose keys differ in case or blanks alone, or that are alike in the fields of --by;
    the proposal is the oldest of them: `sispy merge` makes one row of them.
    """
    from sispy_pandas.values.schema import parse_schema

    if by is not None and name is None:
        raise Misuse("--by names fields of one table: name it.")
    client = session.client()
    if name is None:
        schemas = [parse_schema(document) for document in client.schemas.fetch_all({"sort": "name"})]
    else:
        schemas = [table_of(client, name)[1]]
    try:
        found = [row for schema in schemas for row in _found(session, client, schema, by)]
    except ValueError as error:
        raise misuse(error) from error
    findings = Table(_COLUMNS, found, noun="finding", name="findings")
    head = _head(client, [schema.name for schema in schemas], found)
    facts = {"server": client.url, "tables": [schema.name for schema in schemas]}
    tell(session, Answer("check", findings, facts, blocks=lambda: filter(len, [Lines((head,)), findings])))
    if twice := next((row for row in found if row[0] == "duplicate"), None):
        _, table, *_, oldest = twice
        alike = [row for row in found if row[0] == "duplicate" and row[-1] == oldest]
        alike.sort(key=lambda row: row[2] != oldest)
        names = [row[3] if row[3] == row[4] and not row[4].startswith("-") else row[2] for row in alike]
        merge = Call("sp.merge_rows", "makes one row of the first ones", ("merge", table, *names))
        session.say(Message(merge))
    return Exit.CHANGES if found else Exit.DONE


@click.command(
    epilog=examples(
        "sispy merge rack r1 'R 1'",
        "sispy merge host web-fra1-001 695b6f8000000001000002dd --note CHG0012345",
    )
)
@of_table
@click.argument("keep", shell_complete=rows)
@click.argument("others", nargs=-1, required=True, metavar="OTHER...", shell_complete=rows)
@answers("json", "csv", "md")
@pushing
@yes
@session
def merge(
    session: Session, how: dict[str, Any], name: str, keep: str, others: tuple[str, ...], yes: bool
) -> Exit:
    """Merge rows of table SCHEMA into one: KEEP stays, every OTHER becomes part of it.

    KEEP and OTHER are keys or _ids, as `sispy check` finds them. The kept row gets what it lacks; where both
    hold something, its own value stays, and the plan names the fields. All references to the others, from
    whatever table, point to it then, and the others are deleted. It is one push: `sispy undo` takes it back.
    """
    from sispy_pandas.revisions.duplicates import merge_rows

    endpoint, schema = table_of(session.client(), name)
    found = [entity_of(endpoint, schema, one) for one in (keep, *others)]
    for one, row in zip((keep, *others), found, strict=True):
        if row is None:
            raise Misuse(f"{schema.name} has no row {one!r}.")
    kept, *rest = [str(row["_id"]) for row in found if row is not None]
    try:
        plans = merge_rows(endpoint, kept, rest)
    except ValueError as error:
        raise misuse(error) from error
    _, status = send(session, plans, yes=yes, **how)
    return status


def _head(client: Client, names: list[str], rows: list[tuple[Any, ...]]) -> str:
    found = {kind: sum(row[0] == kind for row in rows) for kind in ("dangling reference", "duplicate")}
    told = ", ".join(count(n, kind) for kind, n in found.items())
    where = names[0] if len(names) == 1 else count(len(names), "table")
    return f"{where} on {client.url}: {told}"


def _found(
    session: Session, client: Client, schema: Schema, by: list[str] | None
) -> Iterator[tuple[Any, ...]]:
    """Yield the findings in a table."""
    from sispy_pandas.revisions.dangling import dangling
    from sispy_pandas.revisions.duplicates import duplicates

    for row in dangling(client, schema.name, progress=session.progress).to_dict("records"):
        yield (
            *("dangling reference", schema.name, row["_id"], row["key"], _called(row)),
            *(row["field"], row["target"], row["was"], row["proposal"]),
        )
    if by is None and schema.key is None:
        return
    found = duplicates(client, schema.name, by=by, progress=session.progress)
    oldest = found.groupby("group")["_id"].first()
    for row in found.to_dict("records"):
        yield (
            *("duplicate", schema.name, row["_id"], row["key"], _called(row)),
            *(row["field"], row["value"], None, oldest[row["group"]]),
        )


def _called(row: Any) -> str:
    return show(row["_id"] if row["key"] is None else row["key"])
