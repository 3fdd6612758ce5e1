"""The table that a command was told to work on, or a sentence that names the ones there are."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from sispy.cli.exits import Misuse
from sispy.errors import NotFound
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


def schema_of(client: Client, name: str) -> Schema | None:
    """Return the schema of that name, None if there is none."""
    try:
        return parse_schema(client.schemas.get(name).to_dict())
    except NotFound:
        return None
