"""The table that a command was told to work on, or a sentence that names the ones there are."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from sispy.cli.exits import Misuse
from sispy.errors import NotFound
from sispy_pandas.reading.filters import parse_filters
from sispy_pandas.reading.listing import schemas_of
from sispy_pandas.values.schema import Schema, parse_schema

if TYPE_CHECKING:
    from sispy.client import Client, Endpoint


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
        raise Misuse(f"{client.url} has no table {name!r}. {hint} `sispy schemas` lists them.")
    return client.entities(name), schema


def query_of(client: Client, name: str, text: str) -> dict[str, Any]:
    """Return the query that finds the rows of a table which meet a filter.

    Raises:
        Misuse: There is no such table, or the text is no filter of its rows.
    """
    _, schema = table_of(client, name)
    try:
        return parse_filters(schema, [text], schemas_of(client))
    except ValueError as error:
        raise Misuse(str(error)) from error


def schema_of(client: Client, name: str) -> Schema | None:
    """Return the schema of that name, None if there is none."""
    try:
        return parse_schema(client.schemas.get(name).to_dict())
    except NotFound:
        return None
