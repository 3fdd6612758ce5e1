"""The table that a command works on, and the rows of it that filters choose."""

from __future__ import annotations

import difflib
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import filters, tables
from sispy.cli.exits import Misuse, misuse
from sispy.errors import NotFound
from sispy.remedies import Call, Meant, Message, message_of
from sispy_pandas.reading.filters import joined, meant_for, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sispy.client import Client, Endpoint
    from sispy_pandas.values.schema import Schema

of_table = click.argument("name", metavar="SCHEMA", shell_complete=tables)
"""Gives a command a table; it receives its name as `name`."""
filtered = click.argument("filters", nargs=-1, metavar="[FILTER]...", shell_complete=filters)
"""Gives a command filters; it receives their texts as `filters`."""


def table_of(client: Client, name: str) -> tuple[Endpoint, Schema]:
    """Return endpoint and schema of a table.

    Raises:
        Misuse: The server has no table of that name; the nearest names are shown.
    """
    schema = schema_of(client, name)
    if schema is None:
        names = [document["name"] for document in client.schemas.fetch_all({"fields": "name"})]
        near = difflib.get_close_matches(name, names, n=3) or sorted(names)[:5]
        hint = f"Did you mean {' or '.join(near)}?" if near else "It has no tables at all."
        said = f"{client.url} has no table {name!r}. {hint}"
        meant = map(Meant, near)
        raise Misuse(Message(said, *meant, Call("sp.schemas(client)", "lists them", ("schemas",))))
    return client.entities(name), schema


def schema_of(client: Client, name: str) -> Schema | None:
    """Return the schema of that name, None if there is none."""
    from sispy_pandas.values.schema import parse_schema

    try:
        return parse_schema(client.schemas.get(name).to_dict())
    except NotFound:
        return None


def entity_of(endpoint: Endpoint, schema: Schema, name: str) -> dict[str, Any] | None:
    """Return the row that people call so: by its _id or id field, else by the field that is its key.

    Args:
        endpoint: Of the table.
        schema: Of the table.
        name: As it was typed.
    """
    from sispy_pandas.values.types.convert import cast

    if not name.strip():
        return None
    try:
        return endpoint.get(name, {"populate": False}).to_dict()
    except NotFound:
        keys = [path for path in dict.fromkeys((schema.id_field, schema.key)) if path in schema.columns]
    for path in map(str, keys):
        with suppress(ValueError):
            stored = cast(schema.field(path), name)  # such as in lower case
            if (path, stored) != (schema.id_field, name):
                q = {path: stored}
                for found in endpoint.fetch_page({"q": q, "limit": 1, "populate": False}):
                    return dict(found)
    return None


def refuse_unknown(schema: Schema, fields: Iterable[str]) -> None:
    """Refuse fields that an option names and the table does not have.

    Raises:
        Misuse: There is one; the nearest is named.
    """
    try:
        for path in fields:
            schema.field(path)
    except ValueError as error:
        raise misuse(error) from error


def nothing_found(filters: Sequence[str]) -> str:
    """Return in words that no row meets filters, and what may be wrong with them."""
    hint = next(filter(None, map(meant_for, map(parse, filters))), None)
    return f"no row matches; {hint}" if hint else "no row matches"


def query_of(endpoint: Endpoint, filters: Sequence[str]) -> dict[str, Any]:
    """Return the `q` of filters that were given as arguments; empty without any.

    Raises:
        Misuse: One is no filter, or asks for what there cannot be.
    """
    from sispy_pandas.reading.listing import where

    try:
        return where(endpoint, str(joined("and", list(map(parse, filters))))) if filters else {}
    except ValueError as error:
        raise Misuse(Message(message_of(error), unquoted(filters))) from error


def unquoted(filters: Sequence[str]) -> str:
    """Return what to say of arguments that are one filter without quotes; empty if they are not."""
    whole = " ".join(filters)
    with suppress(ValueError):
        for text in filters:
            parse(text)
        return ""
    with suppress(ValueError):
        parse(whole)
        return f"; a shell takes a filter with blanks in quotes alone: {shlex.quote(whole)}"
    return ""
