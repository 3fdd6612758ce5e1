"""`sispy schemas`: which tables there are, and what is in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import tables
from sispy.cli.options import Session, examples, session
from sispy.cli.terminal import out, table
from sispy_pandas.commands.tables import table_of
from sispy_pandas.commands.tree import tree
from sispy_pandas.values.schema import Schema, parse_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sispy.client import Client

    from ..values.types.base import Field


@click.command(epilog=examples("sispy schemas", "sispy schemas host"))
@click.argument("name", metavar="[SCHEMA]", required=False, shell_complete=tables)
@session
def schemas(session: Session, name: str | None) -> None:
    """List the tables of the server, or show the fields of SCHEMA.

    A table's fields come as a tree with types, rules and references both ways.
    """
    client = session.client()
    out(_all(client) if name is None else _one(client, name))


def _all(client: Client) -> str:
    documents = client.schemas.fetch_all({"with_counts": True, "sort": "name"})
    rows = [_row(document) for document in documents]
    return table(["table", "rows", "fields", "key", "owners", "refers to"], rows)


def _row(document: dict[str, Any]) -> list[object]:
    schema = parse_schema(document)
    return [
        schema.name,
        document.get("entity_count"),
        len(schema.fields),
        schema.key,
        ", ".join(schema.owner),
        ", ".join(_references(schema)),
    ]


def _one(client: Client, name: str) -> str:
    endpoint, schema = table_of(client, name)
    others = [parse_schema(document) for document in client.schemas.fetch_all({"sort": "name"})]
    lines = [
        f"{name}: {endpoint.count():,} rows, {len(schema.fields)} fields",
        f"key          {schema.key or '(none: rows are known by _id alone)'}",
        f"owners       {', '.join(schema.owner)}{_openness(schema)}",
        f"history      {'kept' if schema.track_history else 'not kept'}",
        f"refers to    {', '.join(_references(schema)) or '-'}",
        f"referred by  {', '.join(o.name for o in others if name in _references(o)) or '-'}",
    ]
    if schema.locked_fields:
        lines.append(f"locked       {', '.join(schema.locked_fields)}")
    return "\n".join([*lines, "", tree(schema)])


def _openness(schema: Schema) -> str:
    if schema.is_open:
        return " (open: anybody may change rows and definition)"
    return " (public: anybody with a role may change rows)" if schema.is_public else ""


def _references(schema: Schema) -> list[str]:
    return sorted(set(_targets(schema.fields)))


def _targets(fields: Sequence[Field]) -> Iterator[str]:
    for field in fields:
        if field.ref:
            yield field.ref
        yield from _targets(field.fields)
        if field.item is not None:
            yield from _targets((field.item,))
