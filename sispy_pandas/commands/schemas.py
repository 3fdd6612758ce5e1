"""`sispy schemas`: which tables there are, and what is in one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import tables
from sispy.cli.options import Session, examples, session
from sispy.cli.terminal import out, table, width
from sispy.text import cells, cut, printable
from sispy_pandas.commands.tables import table_of
from sispy_pandas.values.schema import Schema, parse_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sispy.client import Client

    from ..values.types.base import Field


def tree(schema: Schema, *, limit: int | None = None) -> str:
    """Return a schema's fields as a tree with types and rules, at most `limit` columns wide."""
    rows = list(_branches(schema.fields, ""))
    names = max((cells(name) for name, _, _ in rows), default=0)
    types = max((cells(kind) for _, kind, _ in rows), default=0)
    limit = limit or width()
    lines = []
    for name, kind, rule in rows:
        line = f"{name}{' ' * (names - cells(name))}  {kind:<{types}}  {rule}".rstrip()
        lines.append(cut(line, limit) if limit else line)
    return "\n".join(lines)


def kind(field: Field) -> str:
    """Return a field's type as people write it: `[String]`, `-> rack`, `[-> rack]`."""
    if field.kind.is_array:
        return f"[{kind(field.item) if field.item else 'documents'}]"
    return f"-> {field.ref}" if field.ref else field.type


def rules(field: Field) -> str:
    """Return what a definition demands of a field's values, in words."""
    value = field.item or field
    words = [word for word in ("required", "unique") if getattr(field, word)]
    if value.min is not None or value.max is not None:
        words.append(f"{_bound(value.min)}..{_bound(value.max)}")
    if value.minlength is not None or value.maxlength is not None:
        words.append(f"{_bound(value.minlength)}..{_bound(value.maxlength)} characters")
    words += [word for word in (value.case, "trim" if value.trim else None) if word]
    if value.match:
        words.append(f"match {value.match}")
    if field.default is not None:
        words.append(f"default {field.default}")
    if value.enum:
        words.append(" | ".join(value.enum))
    if field.description:
        words.append(f"- {field.description}")
    return printable(", ".join(words))


def _bound(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def _branches(fields: Sequence[Field], indent: str) -> Iterator[tuple[str, str, str]]:
    """Yield (drawn name, type, rules) of each line; dotted paths become nested lines again."""
    groups: dict[str, list[tuple[str, Field]]] = {}
    for field in fields:
        head, _, rest = field.path.partition(".")
        groups.setdefault(head, []).append((rest, field))
    for number, (head, members) in enumerate(groups.items(), start=1):
        last = number == len(groups)
        name = f"{indent}{'└─ ' if last else '├─ '}{printable(head)}"
        inner = indent + ("   " if last else "│  ")
        rest, field = members[0]
        if rest:
            yield name, "", ""
            yield from _branches([replace(member, path=path) for path, member in members], inner)
        else:
            yield name, kind(field), rules(field)
            yield from _branches(field.fields, inner)


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
