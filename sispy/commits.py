"""The history of one object as a list of commits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .encoding import path_part
from .paging import MAX_PAGE, Query, by_offset, page_limit
from .reading import ReadOnlyEndpoint

if TYPE_CHECKING:
    from .response import RawPage, Response

_FIELDS = {
    "_id": "id", "entity_oid": "id",
    "type": "text", "entity_id": "text", "action": "text", "modified_by": "text",
    "date_modified": "time",
}  # fmt: skip
_COMPARE = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")


class Commits(ReadOnlyEndpoint):
    """Read the commits of one object, newest first.

    The server ignores `sort` here, so it is refused. A `q` that the server cannot understand would be ignored
    and, worse, spoil the server's later bulk calls (SIS-API 17): only plain conditions on
    _id, type, entity_id, entity_oid, action, modified_by and date_modified are let through, combined by
    $and, $or, $nor; anything else is a ValueError, and nothing is sent.
    """

    def __init__(self, endpoint: ReadOnlyEndpoint, id: object) -> None:  # noqa: A002 -- as in Endpoint
        part = path_part("id", id)
        super().__init__(endpoint.endpoint, endpoint.client)
        self._wait, self._before = endpoint._wait, endpoint._before
        self.endpoint: str = f"{endpoint.endpoint}/{id}/commits"
        self._path = f"{self._path}/{part}/commits"

    def fetch_page(self, query: Query = None) -> Response:
        """Fetch one page of commits; see `ReadOnlyEndpoint.fetch_page`."""
        return super().fetch_page(_checked(query))

    def raw_page(self, query: Query = None) -> RawPage:
        """Fetch one page of commits without decoding it."""
        return super().raw_page(_checked(query))

    def count(self, q: Mapping[str, Any] | str | None = None) -> int:
        """Count the commits that match."""
        _checked({"q": q})
        return super().count(q)

    def pages(self, query: Query = None, *, page_size: int = MAX_PAGE) -> Iterator[Response]:
        """Fetch the commits page by page, newest first, by offset."""
        query = _checked(query)
        return by_offset(self.fetch_page, query, page_limit(query, page_size))


def _checked(query: Query) -> dict[str, Any]:
    asked = dict(query or {})
    if asked.get("sort"):
        raise ValueError("commits come newest first, the server ignores sort: sort what you fetched")
    if any(str(name).startswith("q[") for name in asked):
        raise ValueError("conditions on commits are given as q, not as q[name]: these would go unchecked")
    q = asked.get("q")
    if isinstance(q, str) and q:
        try:
            q = json.loads(q)
        except ValueError:
            raise ValueError(f"q is not JSON: {q!r}") from None
    if q not in (None, ""):
        _check(q)
    return asked


def _check(q: Any) -> None:
    if not isinstance(q, Mapping):
        raise ValueError(f"q is a dict of conditions, got {q!r}")
    for key, condition in q.items():
        if key in ("$and", "$or", "$nor"):
            if not isinstance(condition, list | tuple) or not condition:
                raise ValueError(f"{key} takes a list of queries, got {condition!r}")
            for item in condition:
                _check(item)
        elif key not in _FIELDS:
            raise ValueError(f"q of commits knows {', '.join(_FIELDS)}, got {key!r}")
        elif isinstance(condition, Mapping):
            for operator, value in condition.items():
                _check_operator(key, operator, value)
        else:
            _check_value(key, condition)


def _check_operator(key: str, operator: str, value: Any) -> None:
    if operator in ("$in", "$nin") and isinstance(value, list | tuple):
        for item in value:
            _check_value(key, item)
    elif operator in _COMPARE:
        _check_value(key, value)
    elif not (operator == "$exists" and isinstance(value, bool)):
        raise ValueError(f"q of commits: {key} cannot take {operator}: {value!r}")


def _check_value(key: str, value: Any) -> None:
    kind = _FIELDS[key]
    if (
        value is None
        or (kind == "text" and isinstance(value, str))
        or (kind == "id" and isinstance(value, str) and re.fullmatch("[0-9a-fA-F]{24}", value))
        or (kind == "time" and isinstance(value, int | float | datetime) and not isinstance(value, bool))
    ):
        return
    raise ValueError(f"q of commits: {key} is compared with {_KINDS[kind]}, got {value!r}")


_KINDS = {"id": "24 hex digits", "text": "a text", "time": "a datetime or milliseconds since 1970"}
