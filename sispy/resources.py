"""Endpoints with something of their own: schemas, hooks, tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .encoding import path_part
from .endpoint import Content, Endpoint

if TYPE_CHECKING:
    from .paging import Query
    from .response import Response


class Schemas(Endpoint):
    """Read and write schemas; an update needs the complete schema, what it omits is reset."""

    def get(self, id: object, query: Query = None, *, with_counts: bool = False) -> Response:  # noqa: A002 -- as in Endpoint
        """Fetch one schema; with_counts adds `entity_count`."""
        return super().get(id, {**(query or {}), "with_counts": True} if with_counts else query)


class Hooks(Endpoint):
    """Read and write hooks."""

    def trigger(self, schema: str, id: object) -> Response:  # noqa: A002 -- as in Endpoint
        """Fire all hooks on `update` of a schema, with an entity as it is now.

        Do not use it where such a hook has the action GET: a SIS 1.4.8 server hangs and dies of it.
        """
        return self._call("POST", "trigger", path_part("schema", schema), path_part("id", id))


class Tokens(Endpoint):
    """Read and write the tokens of a user; their id is the token itself."""

    def create(
        self, content: Content | Sequence[Content] | None = None, *, all_or_none: bool = False
    ) -> Response:
        """Create a persistent token, such as {"desc": "nightly import"}; super users cannot have one.

        Raises:
            ValueError: a list, of which the server would store tokens without a name.
        """
        if content is not None and not isinstance(content, Mapping):
            raise ValueError("tokens are created one by one: give a dict, not a list")
        return super().create(content or {}, all_or_none=all_or_none)
