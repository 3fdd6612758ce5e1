"""The client, and its endpoints with the writing verbs and what some kinds of objects add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from .commits import Commits
from .connection import Connection, Renewal, ask_password
from .encoding import milliseconds, path_part
from .errors import BadRequest, DuplicateKey, NotFound, ServerError
from .http import Request
from .reading import ReadOnlyEndpoint
from .response import Response, failed_by_list, failed_by_query
from .text import printable
from .transport import Policy

if TYPE_CHECKING:
    import os

    from .paging import Query

Content = Mapping[str, Any]

_QUERY_ITEMS = 10_000  # how many rows a bulk call by query is allowed time for


class Client(Connection):
    """Talk to a SIS server; any number of threads may share one client.

    Args:
        url: Address of the server, such as "https://sis.example.com"; it may have a path.
        version: Version of the API.
        auth_token: Token for writes; `authenticate` sets it as well.
        http_keep_alive: False closes the connection after every request.
        timeout: Seconds (to connect, of silence before the answer), or one number for both; 10 and 60 unless
            given. Bulk calls get 10 ms more for every item, those by query 100 s more.
        retries: How often to repeat a read that met a busy server or a lost connection, or any request that
            certainly did not arrive.
        verify: CA file or folder to trust; False trusts anybody. Else SIS_CA_FILE, REQUESTS_CA_BUNDLE,
            SSL_CERT_FILE, or the operating system's store.
        compress: Send bodies of so many bytes and more as gzip; None for never.

    Attributes:
        url: The address in one spelling: scheme and host in lower case, no default port, no slash at its end.
        base_uri: The address of the API below it.
        auth_token: The token in use; may be set.
        username: Whose token is in use, None if unknown; may be set. A name that did not log in counts only
            if the server lists the token as that user's: the first look asks it (SIS-API 12.4).
        token_expires: When the token of `authenticate` ends, None if unknown.
        rules: What the profile says about writing; may be set.

    Raises:
        ValueError: The address is no http(s) address, or holds a password, or there is no such CA file.

    Example:
        >>> import sispy
        >>> client = sispy.Client("https://sis.example.com")
        >>> client.entities("host").endpoint
        'entities/host'
    """

    def __init__(
        self,
        url: str,
        version: float | str = 1.1,
        auth_token: str | None = None,
        http_keep_alive: bool = True,
        *,
        timeout: float | tuple[float, float] | None = None,
        retries: int = 4,
        verify: bool | str | os.PathLike[str] | None = None,
        compress: int | None = 65536,
    ) -> None:
        if timeout is None:
            timeout = (10.0, 60.0)
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        if not (connect > 0 and read > 0 and retries >= 0):
            raise ValueError(f"timeout is above 0 and retries not below, got {timeout!r} and {retries!r}")
        policy = Policy(connect, read, retries, compress=compress)
        super().__init__(url, version, auth_token, policy, http_keep_alive=http_keep_alive, verify=verify)
        self.schemas: Schemas = Schemas("schemas", self)
        self.hooks: Hooks = Hooks("hooks", self)
        self.hiera: Endpoint = Endpoint("hiera", self)
        self.users: Endpoint = Endpoint("users", self)
        self.scripts: Endpoint = Endpoint("scripts", self)

    @classmethod
    def from_profile(
        cls,
        name: str | None = None,
        *,
        url: str | None = None,
        auth_token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        **options: Any,
    ) -> Client:
        """Make a client from what this machine knows, and log in if that takes a password.

        Explicit arguments, the profile `name` among them, win over SIS_URL, SIS_TOKEN, SIS_TOKEN_FILE,
        SIS_USER, SIS_PASSWORD, SIS_PROFILE, these over the config file (see `sispy.config`), and that over
        netrc. Where only an ended token is found, a terminal or notebook asks for the password.

        Args:
            name: Profile of the config file.
            url: Address of the server.
            auth_token: Token for writes.
            username: Whose token or password to use.
            password: To log in with.
            options: Further arguments of `Client`, such as timeout and verify.

        Raises:
            ValueError: Nobody says which server, or there is no such profile.
            Unauthorized: The token has ended and nobody is there to ask, its command gives none, or the login
                fails.
        """
        # here, so that `import sispy` stays fast
        from .config import options_of, resolve, update_profile, which_server

        profile = resolve(name, url=url, auth_token=auth_token, username=username, password=password)
        if not profile.url:
            raise ValueError(which_server())
        client = cls(profile.url, auth_token=profile.asked_token(), **options_of(profile, options))
        client.username = user = profile.username
        client.token_expires = profile.expires
        client.rules = profile.rules

        def store(renewed: Connection) -> None:
            update_profile(profile.name, {"token": renewed.auth_token, "expires": renewed.token_expires})

        if profile.password and user:
            client.authenticate(user, profile.password, renew=True)
        elif profile.stored and profile.expires and user:
            left = (profile.expires - datetime.now(UTC)).total_seconds() * 1000
            client._renewal = Renewal(user, partial(ask_password, user, client.url), left, store)
            if profile.expired:
                client._renewal.renew(client, str(profile.token))
        return client

    def __repr__(self) -> str:
        known = self._proof  # a look must not ask the server
        told = known is not None and known == (self.auth_token, self._claim, True)
        user = f", user {self._claim!r}" if told else ""
        return printable(f"<sispy.Client {self.url}{user}>")

    def entities(self, schema_name: str) -> Endpoint:
        """Return the entities of a schema."""
        return Endpoint(_below("entities/", schema_name), self)

    def tokens(self, username: str) -> Tokens:
        """Return the tokens of a user."""
        return Tokens(_below("users/", username) + "/tokens", self)

    def info(self) -> Response:
        """Fetch the server's description of its build: the cheapest sign of life."""
        return self.request(Request(f"{self.base_uri}/info", headers=self._headers()))


def _below(parent: str, name: str) -> str:
    if not name or "/" in name:
        raise ValueError(f"{parent}NAME: a name is not empty and has no slash, got {name!r}")
    return parent + name


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

    client: Client

    def get(self, id: object, query: Query = None) -> Response:  # noqa: A002 -- its name in sispy 1.1
        """Fetch one object.

        Args:
            id: Which one.
            query: Such as {"populate": False}; `fields` is ignored by the server here.

        Raises:
            NotFound: There is none.
        """
        return self._call("GET", path_part("id", id), query=query)

    def create(self, content: Content | Sequence[Content], *, all_or_none: bool = False) -> Response:
        """Create one object from a dict, or many from a list.

        Args:
            content: A dict, or a list of dicts.
            all_or_none: Create all objects of a list or, if one fails, none.

        Returns:
            The object as stored; of a list {"success": [...], "errors": [...]}, where the server may blame
            the wrong item (SIS-API 7.1).

        Raises:
            DuplicateKey: The value of a unique field is taken (of one object; lists report it as an error).
            ValueError: A list holds None, which would fail the request half way.
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
            id: Which one.
            content: The fields to change; nested objects and Mixed values are merged.
            query: Such as {"cas": {...}}.
            cas: Change only an object that meets this condition. Dangerous: the server then replaces `_sis`
                and nested values by what the content holds of them (SIS-API 8.1).
            force_mixed: Replace Mixed values instead of merging them.

        Raises:
            CASConflict: The object does not meet the condition.
            NotFound: There is no such object.
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
            id: The value of the schema's id field; names for schemas, hooks, hiera and users.
            content: It must hold the id field with exactly that value.

        Raises:
            BadRequest: The content fails as a creation and as an update.
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
            content: A list of dicts, each with its `_id` (`name` for other things than entities), in requests
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
            id: The `_id` of an entity, the name of anything else.
            when: A datetime with time zone, or milliseconds since 1970.

        Raises:
            NotFound: There was no such object then.
        """
        return self._call("GET", path_part("id", id), "revision", str(milliseconds(when)))

    @property
    def _key(self) -> str:
        return "_id" if self.endpoint.startswith("entities/") else "name"


def _rows(content: Sequence[Content]) -> list[Content]:
    if isinstance(content, str | bytes) or not isinstance(content, Iterable):
        raise TypeError(f"content is a dict or a list of dicts, got {type(content).__name__}")
    rows = list(content)
    for number, row in enumerate(rows):
        if row is None:
            raise ValueError(f"item {number} is None: the server would fail the request half way")
    return rows


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
            ValueError: It is a list, which the server would store as tokens without a user.
        """
        if content is not None and not isinstance(content, Mapping):
            raise ValueError("tokens are created one by one: give a dict, not a list")
        return super().create(content or {}, all_or_none=all_or_none)
