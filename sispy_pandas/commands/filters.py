"""The arguments that say which rows are meant: filters, all of which have to be met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sispy.cli.exits import misuse
from sispy_pandas.reading.filters import joined, parse
from sispy_pandas.reading.listing import where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sispy.client import Endpoint

filtered = click.argument("filters", nargs=-1, metavar="[FILTER]...")
"""Gives a command filters; it receives their texts as `filters`."""


def query_of(endpoint: Endpoint, filters: Sequence[str]) -> dict[str, Any]:
    """Return the `q` of filters that were given as arguments; empty without any.

    Raises:
        Misuse: One is no filter, or asks for what there cannot be.
    """
    try:
        return where(endpoint, str(joined("and", list(map(parse, filters))))) if filters else {}
    except ValueError as error:
        raise misuse(error) from error
