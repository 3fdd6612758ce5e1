"""The writing verbs, and the history of an object."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .commits import Commits
from .encoding import milliseconds, path_part
from .errors import BadRequest, DuplicateKey, NotFound, ServerError
from .reading import ReadOnlyEndpoint
from .response import failed_by_list, failed_by_query

if TYPE_CHECKING:
    from datetime import datetime

    from .paging import Query
    from .response import Response

Content = Mapping[str, Any]
E = TypeVar("E", bound=ReadOnlyEndpoint)

_QUERY_ITEMS = 10_000  # how many rows a bulk call by query is allowed time for


class Endpoint(ReadOnlyEndpoint):
    """Read and write objects: schemas, hooks, hiera, users, or the entities of a schema.

    An `id` is the `_id` or the value of the schema's id field (entities), or the name (all others). It may
    hold any character; an empty one is a ValueError.

    Example:
        >>> racks = client.entities("rack")
        >>> rack = racks.fetch_page({"sort": "name", "limit": 1})[0]
        >>> racks.update(rack["_id"], {"units": 48})["units"]
        48
    """

    def get(self, id: object, query: Query = None) -> Response:  # noqa: A002 -- its name in sispy 1.1
        """Fetch one object.

        Args:
            id: which one.
            query: such as {"populate": False}; `fields` is ignored by the server here.

        Raises:
            NotFound: there is none.
        """
        return self._call("GET", path_part("id", id), query=query)

    def create(self, content: Content | Sequence[Content], *, all_or_none: bool = False) -> Response:
        """Create one object from a dict, or many from a list.

        Args:
            content: a dict, or a list of dicts.
            all_or_none: create all objects of a list or, if one fails, none.

        Returns:
            The object as stored; of a list {"success": [...], "errors": [...]}, where the server may blame
            the wrong item (SIS-API.md, section 7.1).

        Raises:
            DuplicateKey: the value of a unique field is taken (of one object; lists report it as an error).
            ValueError: a list holds None, which would fail the request half way.
        """
        if isinstance(content, Mapping):
            return self._call("POST", content=content)
        rows = _rows(content)
        return self._call(
            "POST", query={"all_or_none": True} if all_or_none else None, content=rows, items=len(rows)
        )

    def update(
        self,
        id: object,  # noqa: A002 -- its name in sispy 1.1
        content: Content,
        query: Query = None,
        *,
        cas: Content | None = None,
        force_mixed: bool = False,
    ) -> Response:
        """Change the given fields of one object.

        Args:
            id: which one.
            content: the fields to change; nested objects and Mixed values are merged.
            query: such as {"cas": {...}}.
            cas: change only an object that meets this condition. Dangerous: the server then replaces `_sis`
                and nested values by what the content holds of them (SIS-API.md, section 8.1).
            force_mixed: replace Mixed values instead of merging them.

        Raises:
            CASConflict: the object does not meet the condition.
            NotFound: there is no such object.
        """
        asked = dict(query or {})
        if cas is not None:
            asked["cas"] = cas
        if force_mixed:
            asked["forceMixed"] = True
        return self._call("PUT", path_part("id", id), query=asked, content=content)

    def upsert(self, id: object, content: Content) -> Response:  # noqa: A002 -- named as in the other verbs
        """Create the object, or update it if there is one with that id.

        Args:
            id: the value of the schema's id field; names for schemas, hooks, hiera and users.
            content: it must hold the id field with exactly that value.

        Raises:
            BadRequest: the content fails as a creation and as an update.
        """
        part = path_part("id", id)
        try:
            return self._call("PUT", part, query={"upsert": True}, content=content)
        except (BadRequest, DuplicateKey, ServerError) as exc:
            if exc.http_status_code not in (400, 500):
                raise
            failure = exc
        # when the update fails the server tries to insert, and reports only that: a plain update tells why
        try:
            self._call("GET", part)
        except NotFound:
            raise failure from None
        return self._call("PUT", part, content=content)

    def update_bulk(self, content: Content | Sequence[Content], query: Query = None) -> Response:
        """Change many objects: each its own way (list), or all matches the same way (dict and query).

        Args:
            content: a list of dicts, each with its `_id` (`name` for other things than entities), in requests
                of at most 10 MiB; or one dict of fields.
            query: {"q": {...}} for a dict.

        Returns:
            {"success": [...], "errors": [...]} in no particular order; `failed_ids` names what was not done.
        """
        if isinstance(content, Mapping):
            if query is None:
                raise BadRequest("dictionary updates must be accompanied with a query", 400, 0)
            return failed_by_query(
                self._call("PUT", query=query, content=content, items=_QUERY_ITEMS), self._key
            )
        if not isinstance(content, Sequence) or isinstance(content, str | bytes):
            raise BadRequest("content must be a list of entities or an update dict with a query", 400, 0)
        rows = _rows(content)
        return failed_by_list(self._call("PUT", query=query, content=rows, items=len(rows)), rows, self._key)

    def delete(self, id: object) -> Response:  # noqa: A002 -- its name in sispy 1.1
        """Delete one object and return it as it was."""
        return self._call("DELETE", path_part("id", id))

    def delete_bulk(self, query: Content) -> Response:
        """Delete all objects that match; a misspelt field name in `q` can match every object.

        Args:
            query: {"q": {...}} with at least one condition.

        Returns:
            {"success": [...], "errors": [...]}; `failed_ids` names what is still there.
        """
        if not isinstance(query, Mapping) or not isinstance(query.get("q"), Mapping):
            raise BadRequest('query must be a dictionary and contain a "q" dict', 400, 0)
        if not query["q"]:
            raise BadRequest("query dictionary must not be empty", 400, 0)
        return failed_by_query(self._call("DELETE", query=query, items=_QUERY_ITEMS), self._key)

    def commits(self, id: object) -> Commits:  # noqa: A002 -- named as in the other verbs
        """Return the history of an object, newest first; entities are known here by `_id` only."""
        return Commits(self, id)

    def commit(self, id: object, commit_id: str) -> Response:  # noqa: A002 -- named as in the other verbs
        """Fetch one commit, with `value_at`: the object as it was after it (deletions: before it)."""
        return self._call("GET", path_part("id", id), "commits", path_part("commit_id", commit_id))

    def revision(self, id: object, when: datetime | int) -> Response:  # noqa: A002 -- as in the other verbs
        """Fetch an object as it was at a time.

        Args:
            id: the `_id` of an entity, the name of anything else.
            when: a datetime with time zone, or milliseconds since 1970.

        Raises:
            NotFound: there was no such object then.
        """
        return self._call("GET", path_part("id", id), "revision", str(milliseconds(when)))

    @property
    def _key(self) -> str:
        return "_id" if self.endpoint.startswith("entities/") else "name"


def tried_once(endpoint: E) -> E:
    """Return the endpoint for somebody who looks before every try: it sends each request exactly once.

    A token that has ended is still renewed, but what was refused for it is not sent again.

    Raises:
        Error: its methods raise what went wrong at the first try; a renewed token is a `TokenRenewed`.

    Example:
        >>> tried_once(client.entities("rack")).name
        'rack'
    """
    view = copy.copy(endpoint)
    view._once = True
    return view


def _rows(content: Sequence[Content]) -> list[Content]:
    if isinstance(content, str | bytes) or not isinstance(content, Iterable):
        raise TypeError(f"content is a dict or a list of dicts, got {type(content).__name__}")
    rows = list(content)
    for number, row in enumerate(rows):
        if row is None:
            raise ValueError(f"item {number} is None: the server would fail the request half way")
    return rows
