"""What people call the rows that references point to: from ids to names and back, in few requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sispy.paging import MAX_PAGE

from ..values.types.cells import get_path
from .chunks import chunks, queries, selecting
from .lookup import URL, read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sispy import Client

    from ..values.schema import Schema


def names_by_id(client: Client, target: Schema, label: str, ids: Collection[str]) -> dict[str, str]:
    """Return `_id` -> name of these rows at least, as far as they exist and have one.

    They are read by `_id` in short requests, or all rows of the schema page by page, whichever takes fewer;
    always all if the field is not unique, because only then the rows of one name are known.

    Args:
        client: Of the server.
        target: The schema of the rows.
        label: The field that holds the names.
        ids: Of the rows.

    Raises:
        sispy.Error: The server could not be asked.
    """
    where, endpoint, wanted = target.field(label), client.entities(target.name), sorted(ids)
    requests = sum(1 for _ in queries("_id", wanted, url=URL))
    if (where.unique or label == target.id_field) and (
        requests <= 2 or requests <= endpoint.count({}) / MAX_PAGE + 1
    ):
        rows: Iterable[Mapping[str, Any]] = read(endpoint, "_id", wanted, fields=[label])
    else:
        pages = endpoint.pages({**selecting([label]), "populate": False})
        rows = (row for page in pages for row in page)
    return {id_: name for id_, name in _named(rows, label) if name is not None}


def ids_by_name(client: Client, target: Schema, label: str, names: Collection[str]) -> dict[str, list[str]]:
    """Return name -> `_id`s of the rows that are called so; a name must be written as it is stored.

    Args:
        client: Of the server.
        target: The schema of the rows.
        label: The field that holds the names, which may be one of numbers.
        names: To look for.

    Raises:
        sispy.Error: The server could not be asked.
    """
    key = _number if target.field(label).kind.presentation == "number" else str
    wanted = {name: key(name) for name in names}
    values = sorted(name for name, value in wanted.items() if value is not None)
    rows: dict[Any, list[str]] = {}
    for row in read(client.entities(target.name), label, values, fields=[label]):
        rows.setdefault(key(get_path(row, label)), []).append(row["_id"])
    return {name: rows[value] for name, value in wanted.items() if value in rows}


def names_in_any_case(client: Client, target: Schema, label: str, names: Collection[str]) -> dict[str, str]:
    """Return `_id` -> name of the rows that are called so, regardless of case; none where names are no texts.

    Raises:
        sispy.Error: The server could not be asked.
    """
    if not target.field(label).kind.is_searched:
        return {}
    endpoint = client.entities(target.name)
    rows: list[Mapping[str, Any]] = []
    escaped = map(re.escape, sorted(names))
    for run in chunks(escaped, lambda one: len(quote(one, safe="")) + 3, rows=500, size_limit=URL // 2):
        q = {label: {"$regex": f"^(?:{'|'.join(run)})$", "$options": "i"}}
        for page in endpoint.pages({"q": q, **selecting([label]), "populate": False}):
            rows += page
    return {id_: name for id_, name in _named(rows, label) if name is not None}


def names_with(client: Client, target: Schema, label: str, text: str, most: int) -> list[tuple[str, str]]:
    """Return some (`_id`, name) whose name holds a text, regardless of case, in the order of names.

    Raises:
        sispy.Error: The server could not be asked.
    """
    q = {label: {"$regex": re.escape(text), "$options": "i"}} if text else None
    query = {"q": q, **selecting([label]), "sort": label, "limit": most, "populate": False}
    found = _named(client.entities(target.name).fetch_page(query), label)
    return [(id_, name) for id_, name in found if name is not None]


def _named(rows: Iterable[Mapping[str, Any]], label: str) -> list[tuple[str, str | None]]:
    found = ((row["_id"], get_path(row, label)) for row in rows)
    return [(id_, None if name is None else str(name)) for id_, name in found]


def _number(name: Any) -> float | None:
    try:
        return float(name)
    except (TypeError, ValueError):
        return None
