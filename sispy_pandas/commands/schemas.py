"""`sispy schemas`: which tables there are, and what is in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import tables
from sispy.cli.options import Session, answers, examples, session
from sispy.cli.terminal import out, width
from sispy.text import cells, cut, printable
from sispy_pandas.commands.output import Answer, tell
from sispy_pandas.commands.tables import table_of
from sispy_pandas.values.blocks import Column, Lines, Table
from sispy_pandas.values.definition import branches, enum_of, kind, rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sispy.client import Client
    from sispy_pandas.values.blocks import Block
    from sispy_pandas.values.schema import Schema

    from ..values.definition import Branch
    from ..values.types.base import Field


@click.command(
    epilog=examples(
        "sispy schemas",
        "sispy schemas host",
        "sispy schemas host --output json | jq '.fields[] | select(.unique).field'",
    )
)
@click.argument("name", metavar="[SCHEMA]", required=False, shell_complete=tables)
@answers("json", "csv", "md")
@session
def schemas(session: Session, name: str | None) -> None:
    """List the tables of the server, or show the fields of SCHEMA.

    A table's fields come as a tree with types, rules and references both ways.
    """
    client = session.client()
    if name is None:
        tell(session, _all(client))
        return
    answer, text = _one(client, name)
    if session.output == "text":
        out(text)
    else:
        tell(session, answer)


def _all(client: Client) -> Answer:
    columns = (
        *(Column(name, name) for name in ("table", "rows", "fields", "key")),
        *map(Column, ("owners", "refers to")),
        *(Column(None, name) for name in ("owners", "refers_to")),
    )
    documents = client.schemas.fetch_all({"with_counts": True, "sort": "name"})
    table = Table(columns, list(map(_row, documents)), "table", "tables")
    return Answer("schemas", table, {"server": client.url}, limit=None)


def _row(document: dict[str, Any]) -> tuple[object, ...]:
    from sispy_pandas.values.schema import parse_schema

    schema = parse_schema(document)
    lists = (list(schema.owner), _references(schema))
    count = document.get("entity_count")
    return (schema.name, count, len(schema.fields), schema.key, *map(", ".join, lists), *lists)


def _one(client: Client, name: str) -> tuple[Answer, str]:
    """Return a table's definition as an answer, and as text with its fields as a tree."""
    from sispy_pandas.values.schema import parse_schema

    endpoint, schema = table_of(client, name)
    others = [parse_schema(document) for document in client.schemas.fetch_all({"sort": "name"})]
    rows, referrers = endpoint.count(), [o.name for o in others if name in _references(o)]
    head = f"{name}: {rows:,} rows, {len(schema.fields)} fields"
    about = [
        ("key", schema.key or "(none: rows are known by _id alone)"),
        ("owners", f"{', '.join(schema.owner)}{_openness(schema)}"),
        ("history", "kept" if schema.track_history else "not kept"),
        ("refers to", ", ".join(_references(schema)) or "-"),
        ("referred by", ", ".join(referrers) or "-"),
        *([("locked", ", ".join(schema.locked_fields))] if schema.locked_fields else []),
    ]
    facts = {
        "server": client.url,
        "table": name,
        "rows": rows,
        "key": schema.key,
        "owners": list(schema.owner),
        "is_open": schema.is_open,
        "is_public": schema.is_public,
        "track_history": schema.track_history,
        "locked_fields": list(schema.locked_fields),
        "refers_to": _references(schema),
        "referred_by": referrers,
    }
    fields = fields_of(schema)
    blocks: list[Block] = [Lines((head,)), Table((Column(""), Column("")), about), fields]
    answer = Answer("schema", fields, facts, blocks=lambda: blocks, limit=None)
    return answer, "\n".join([head, *(f"{word:<13}{value}" for word, value in about), "", tree(schema)])


_RULES = ("required", "unique", "min", "max", "minlength", "maxlength", "match")
_FIELD = (
    Column("field", "field"),
    *map(Column, ("type", "rules")),
    *(Column(None, name) for name in ("type", "is_list", "ref", *_RULES, "enum", "default", "description")),
)


def fields_of(schema: Schema) -> Table:
    """Return a schema's fields with their types and rules, those of members behind their array."""
    return Table(_FIELD, list(_field_rows(schema.fields)), "field", "fields")


def _field_rows(fields: Sequence[Field], above: str = "") -> Iterator[tuple[object, ...]]:
    """Yield a line for each field; those of the members of an array of documents follow their array."""
    for field in fields:
        path, value = above + field.path, field.item or field
        rules_ = (field.required, field.unique, *(getattr(value, name) for name in _RULES[2:]))
        ends = (list(value.enum), field.default, field.description)
        yield path, kind(field), _rules(field), value.type, field.kind.is_array, value.ref, *rules_, *ends
        yield from _field_rows(field.fields, f"{path}.")


def _openness(schema: Schema) -> str:
    if schema.is_open:
        return " (open: anybody may change rows and definition)"
    return " (public: anybody with a role may change rows)" if schema.is_public else ""


def _references(schema: Schema) -> list[str]:
    from sispy_pandas.values.references import reference_fields

    return sorted({target for _, target in reference_fields(schema)})


def tree(schema: Schema, *, limit: int | None = None) -> str:
    """Return a schema's fields as a tree with types and rules, at most `limit` columns wide."""
    rows = [(_drawn(one), *_type_and_rules(one.field)) for one in branches(schema.fields)]
    names = max((cells(name) for name, _, _ in rows), default=0)
    types = max((cells(type_) for _, type_, _ in rows), default=0)
    limit = limit or width()
    lines = []
    for name, type_, rule in rows:
        line = f"{name}{' ' * (names - cells(name))}  {type_:<{types}}  {rule}".rstrip()
        lines.append(cut(line, limit) if limit else line)
    return "\n".join(lines)


def _drawn(branch: Branch) -> str:
    *above, last = branch.last
    indent = "".join("   " if is_last else "│  " for is_last in above)
    return f"{indent}{'└─ ' if last else '├─ '}{printable(branch.name)}"


def _type_and_rules(field: Field | None) -> tuple[str, str]:
    return ("", "") if field is None else (kind(field), _rules(field))


def _rules(field: Field) -> str:
    words = rules(field)
    words += [" | ".join(enum_of(field))] if enum_of(field) else []
    words += [f"- {field.description}"] if field.description else []
    return printable(", ".join(words))
