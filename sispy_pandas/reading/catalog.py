"""All fields of all schemas of a server, as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..values.records import table
from ..values.schema import Schema, parse_schema
from ..values.types.base import Field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from sispy import Client

_COLUMNS = (
    "schema", "field", "type", "required", "unique", "enum", "default", "refers_to", "referred_to_by",
    "rows", "description",
)  # fmt: skip


def schemas(client: Client) -> pd.DataFrame:
    """Return a frame with a row for every field of every schema of a server.

    `type` is that of the definition, of arrays with the members' type in brackets. `refers_to` is the schema
    that a reference leads to; `referred_to_by` lists, beside a schema's key, the fields of others that lead
    here; `rows` is the number of entities of the schema.

    Args:
        client: Of the server.

    Raises:
        sispy.Error: The server could not be asked.

    Example:
        >>> schemas(client)["schema"].unique().tolist()
        ['host', 'rack', 'service', 'site']
    """
    documents = list(client.schemas.fetch_all({"with_counts": True, "sort": "name"}))
    parsed = [parse_schema(document) for document in documents]
    pointing: dict[str, list[str]] = {}
    for schema in parsed:
        for path, field in _leaves(schema.fields):
            if field.ref:
                pointing.setdefault(field.ref, []).append(f"{schema.name}.{path}")
    rows = [
        _row(schema, path, field, pointing, document.get("entity_count"))
        for schema, document in zip(parsed, documents, strict=True)
        for path, field in _leaves(schema.fields)
    ]
    return table(rows, _COLUMNS)


def _row(
    schema: Schema, path: str, field: Field, pointing: dict[str, list[str]], count: int | None
) -> tuple[Any, ...]:
    is_key = path == (schema.key or schema.columns[0])
    return (
        schema.name,
        path,
        _type(field),
        field.required,
        field.unique,
        field.enum,
        field.default,
        field.ref,
        tuple(pointing.get(schema.name, ())) if is_key else (),
        count,
        field.description,
    )


def _type(field: Field) -> str:
    if field.kind.is_array:
        return f"[{_type(field.item) if field.item else 'document'}]"
    return field.unknown or field.type


def _leaves(fields: Sequence[Field], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Yield all fields with their paths, members of arrays of documents included; arrays show their ref."""
    for field in fields:
        path = prefix + field.path
        item = field.item
        yield path, field if not (item and item.ref) else _with_ref(field, item.ref)
        yield from _leaves(field.fields, f"{path}.")


def _with_ref(field: Field, ref: str) -> Field:
    return Field(field.path, field.type, required=field.required, item=field.item, ref=ref)
