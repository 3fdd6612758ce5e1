"""The reading verbs, which all lists of objects share."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, Self

from .encoding import json_text, path_part, query_string
from .errors import BadAnswer, NotJSON
from .http import Request
from .paging import MAX_PAGE, Query, by_key, by_offset, page_limit, sorts, total_of, with_tie
from .response import RawPage, Response, counted
from .text import excerpt, mask, mask_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .connection import Connection

_LIST = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\[")


class ReadOnlyEndpoint:
    """Read a list of objects.

    Attributes:
        client: The client whose address and token are used.
        endpoint: Path below the API's root, such as "entities/host".
        name: Its last part, such as "host".
    """

    def __init__(self, endpoint: str, client: Connection) -> None:
        self.endpoint = endpoint
        self.client = client
        self._path = "/".join(path_part("endpoint", part) for part in endpoint.split("/"))
        self._once = False
        self._wait: Callable[[float, Exception], object] | None = None
        self._before: Callable[[], object] | None = None

    @property
    def name(self) -> str:
        """Return the last part of the path: of entities the schema's name."""
        return self.endpoint.rpartition("/")[2]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({mask_path(self.endpoint)!r}, {self.client!r})"

    def tried_once(self) -> Self:
        """Return this endpoint without repetitions: it sends each request exactly once.

        A token that has ended is still renewed, but what was refused for it is not sent again.

        Raises:
            Error: Its methods raise what went wrong at the first try; a renewed token is a `TokenRenewed`.

        Example:
            >>> client.entities("rack").tried_once().name
            'rack'
        """
        view = copy.copy(self)
        view._once = True
        return view

    def watched(self, wait: Callable[[float, Exception], object]) -> Self:
        """Return this endpoint with a function that learns when and why a request is repeated.

        Args:
            wait: Is called, perhaps in another thread, with the seconds to wait before the next try, and with
                what went wrong; it returns when they are over. What it raises ends the request.

        Example:
            >>> def wait(seconds, why):
            ...     print(why)
            ...     time.sleep(seconds)
            >>> client.entities("rack").watched(wait).name
            'rack'
        """
        view = copy.copy(self)
        view._wait = wait
        return view

    def paced(self, before: Callable[[], object]) -> Self:
        """Return this endpoint with a function that may hold each request back.

        Args:
            before: Is called, perhaps in another thread, each time before a request is sent, and returns when
                it may be. What it raises ends the request.

        Example:
            >>> client.entities("rack").paced(lambda: time.sleep(0.01)).name
            'rack'
        """
        view = copy.copy(self)
        view._before = before
        return view

    def fetch_page(self, query: Query = None) -> Response:
        """Fetch one page of a list: at most `limit` objects, and never more than 10,000.

        Args:
            query: `q`, `fields`, `sort`, `limit`, `offset`, `populate`; it is not written to.

        Returns:
            A list-like Response; `_meta.total_count` is the number of all matches.
        """
        return self._call("GET", query=query)

    def fetch_all(self, query: Query = None) -> Response:
        """Fetch all objects of a list, however many pages that takes.

        Args:
            query: As of `fetch_page`; `limit` is the page size.

        Returns:
            A list-like Response with the headers of the last request.
        """
        rows: list[Any] = []
        counts = []
        for page in self.pages(query):
            rows += page._result
            counts.append(total_of(page))
            last = page
        last._result = rows
        if counts[0] is not None:
            last._meta.total_count = counts[0]
        return last

    def pages(self, query: Query = None, *, page_size: int = MAX_PAGE) -> Iterator[Response]:
        """Fetch a list page by page, each when it is asked for; at least one page, which may be empty.

        Without `sort` or `offset` in the query the rows come in the order of `_id`, each exactly once, also
        while others are inserted or deleted. With them pages follow by offset, with `_id` to break ties.

        Args:
            query: As of `fetch_page`; its `limit`, if any, is the page size.
            page_size: Rows per request, at most 10,000.
        """
        query = {} if query is None else query
        limit = page_limit(query, page_size)
        if sorts(query):
            return by_offset(self.fetch_page, with_tie(query), limit)
        return by_key(self.fetch_page, query, limit)

    def raw_page(self, query: Query = None) -> RawPage:
        """Fetch one page without decoding it; arguments as of `fetch_page`.

        Raises:
            NotJSON: The answer does not begin like a list.
        """
        answer = self.client._send(self._request("GET", query=query))
        if not _LIST.match(answer.body):
            said = mask(excerpt(answer.body), [self.client.auth_token or ""]) or "it is empty"
            raise NotJSON(f"{self.endpoint}: the answer is not a JSON list: {said}", answer.status)
        return RawPage(answer.body, answer.headers, counted(answer.headers))

    def count(self, q: Mapping[str, Any] | str | None = None) -> int:
        """Count the objects that match, without fetching any.

        The server counts 0 where it cannot understand `q`.

        Args:
            q: The conditions alone, `{"status": "live"}`, where a query has `{"q": {"status": "live"}}`.
        """
        query = {"q": q or None, "limit": 1, "fields": "_id", "populate": False}
        try:
            total = counted(self.client._send(self._request("HEAD", query=query)).headers)
        except BadAnswer:
            total = None  # an answer to HEAD holds no reason: a GET tells it
        total = self.raw_page(query).total_count if total is None else total
        if total is None:
            raise NotJSON(f"{self.endpoint}: the answer has no x-total-count, is this a list?")
        return total

    def _request(
        self, method: str, *below: str, query: Query = None, content: Any = None, items: int = 0
    ) -> Request:
        path = "/".join((self._path, *below))
        return Request(
            uri=f"{self.client.base_uri}/{path}{query_string(query)}",
            method=method,
            body=None if content is None else json_text(content),
            headers=self.client._headers(),
            items=items,
            once=self._once,
            wait=self._wait,
            before=self._before,
        )

    def _call(
        self, method: str, *below: str, query: Query = None, content: Any = None, items: int = 0
    ) -> Response:
        return self.client.request(self._request(method, *below, query=query, content=content, items=items))
