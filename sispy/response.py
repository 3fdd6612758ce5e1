"""What comes back from a call: the decoded answer, and what its headers say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import Error
from .text import printable


class Headers(MutableMapping[str, str]):
    """Hold HTTP headers; names match in any case and keep the spelling of the server."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items: dict[str, tuple[str, str]] = {}
        for name, value in items:
            key = name.lower()
            known = self._items.get(key)
            # a header sent twice means its values joined by commas (RFC 9110, section 5.3)
            self._items[key] = (name, f"{known[1]}, {value}" if known else value)

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        self._items[name.lower()] = (name, value)

    def __delitem__(self, name: str) -> None:
        del self._items[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"Headers({list(self.items())!r})"


class Meta:
    """Hold what the headers of an answer say.

    Attributes:
        headers: The headers; names match in any case.
        total_count: Number of matches before paging; set only where the server says it (lists).

    Example:
        >>> client.schemas.fetch_page({"limit": 1})._meta.total_count
        4
    """

    total_count: int

    def __init__(self, headers: MutableMapping[str, str]) -> None:
        self.headers = headers
        count = counted(headers)
        if count is not None:
            self.total_count = count


def counted(headers: Mapping[str, str]) -> int | None:
    """Return how many objects the headers of a list say that there are; None if they say no number."""
    count = headers.get("x-total-count", "")
    return int(count) if count.isdecimal() and len(count) < 19 else None


class Response:
    """Behave like the list (lists) or the dict (single objects, bulk calls) that the server sent.

    It has length, iteration, indexing, assignment, deletion and `in`; `str` of it is that of the list
    or dict. It is no list or dict itself: `to_list` and `to_dict` make a copy that is.

    Attributes:
        _result: The list or dict itself.
        _meta: Headers and total count, see `Meta`.

    Example:
        >>> found = client.schemas.fetch_all({"sort": "name", "fields": "name"})
        >>> [schema["name"] for schema in found]
        ['host', 'rack', 'service', 'site']
    """

    def __init__(
        self, result: Any, meta: Meta | None = None, *, failed_ids: tuple[str, ...] | None = None
    ) -> None:
        self._result = result
        self._meta = Meta(Headers()) if meta is None else meta
        self._failed_ids = failed_ids

    @property
    def failed_ids(self) -> tuple[str, ...]:
        """Return the ids that a bulk update or delete did not carry out, in the order they were sent.

        The server's error entries mostly lack ids, so those of a list are what was sent minus what came
        back as success. A row whose id field is renamed in the same call, and which is addressed by that
        field, cannot be recognised and counts as failed.

        Raises:
            AttributeError: The answer is not one of `update_bulk` or `delete_bulk`.
        """
        if self._failed_ids is None:
            raise AttributeError("failed_ids: only answers of update_bulk and delete_bulk have it")
        return self._failed_ids

    def to_dict(self) -> dict[str, Any]:
        """Return a shallow copy as a dict; raises Error if the answer is a list."""
        if not isinstance(self._result, dict):
            raise Error(f"{type(self).__name__} is not a dict-like object")
        return dict(self._result)

    def to_list(self) -> list[Any]:
        """Return a shallow copy as a list; raises Error if the answer is a dict."""
        if not isinstance(self._result, list):
            raise Error(f"{type(self).__name__} is not a list-like object")
        return list(self._result)

    def __len__(self) -> int:
        return len(self._result)

    def __getitem__(self, key: Any) -> Any:
        return self._result[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._result[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._result[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._result)

    def __contains__(self, item: object) -> bool:
        return item in self._result

    def __str__(self) -> str:
        return str(self._result)

    def __repr__(self) -> str:
        text = printable(repr(self._result))
        return f"Response({text if len(text) <= 1000 else text[:997] + '...'})"


@dataclass(frozen=True, slots=True)
class RawPage:
    """Hold one page as it came, for decoders that know better than json.

    Attributes:
        body: The undecoded JSON text.
        headers: The headers; names match in any case.
        total_count: Number of matches before paging, None if the server does not say.

    Example:
        >>> page = client.entities("host").raw_page({"limit": 1, "fields": "name"})
        >>> page.body[:1], page.total_count
        (b'[', 10)
    """

    body: bytes
    headers: Headers
    total_count: int | None


def failed_by_list(response: Response, rows: Sequence[Mapping[str, Any]], key: str) -> Response:
    """Set `failed_ids`: the ids sent minus the ids that came back as success, in the order sent."""
    sent = dict.fromkeys(
        str(row[key]) for row in rows if isinstance(row, Mapping) and row.get(key) is not None
    )
    success = _objects(response, "success")
    done = {str(item[key]) for item in success if key in item}
    strange = [item for item in success if str(item.get(key)) not in sent]
    if strange:  # addressed by the value of the schema's id field instead of `_id`
        done |= _other_ids(strange, set(sent) - done)
    response._failed_ids = tuple(id_ for id_ in sent if id_ not in done)
    return response


def failed_by_query(response: Response, key: str) -> Response:
    """Set `failed_ids`: the ids of the error entries."""
    failed = [entry.get("value") for entry in _objects(response, "errors")]
    response._failed_ids = tuple(
        str(item[key]) for item in failed if isinstance(item, Mapping) and key in item
    )
    return response


def _objects(response: Response, part: str) -> list[dict[str, Any]]:
    found = response._result.get(part) if isinstance(response._result, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _other_ids(strange: list[dict[str, Any]], missing: set[str]) -> set[str]:
    """Return the ids of objects addressed by another field: the one that holds a missing id in each."""
    for field in strange[0]:
        values = {str(item.get(field)) for item in strange}
        if values <= missing and len(values) == len(strange):
            return values
    return set()
