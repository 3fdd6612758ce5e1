"""Which request means what: the URL space of the contract, and the steps of every operation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sispy.sandbox.js.json import decode
from sispy.sandbox.mongo import query
from sispy.sandbox.sis import bulk, writes
from sispy.sandbox.sis.commits import DEFINITION as COMMIT
from sispy.sandbox.sis.errors import Bad, Empty, Missing, SisError, Unserved
from sispy.sandbox.web import pages
from sispy.sandbox.web.answers import Answer, html_answer, json_answer
from sispy.sandbox.web.pages import condition_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.sis.resources import Resource
    from sispy.sandbox.sis.world import World
    from sispy.sandbox.web.request import Request

INFO = {"build_num": "0", "git_hash": "sandbox", "build_id": "sispy-sandbox", "version": "1.4.8"}
WRITES = {("POST", 0), ("PUT", 0), ("PUT", 1), ("DELETE", 0), ("DELETE", 1)}
"""Methods that write, and how many segments follow the base path."""
NO_SCRIPTS = "The sandbox does not run server-side scripts: they could do whatever its user can"
LOGIN_HEADERS = {"access-control-allow-credentials": "true"}


class NoRoute(Exception):
    """There is no such route: HTML 404."""


class Routes:
    """Answers requests from the state of a world."""

    def __init__(self, world: World, *, token_lifetime_ms: int) -> None:
        self.world = world
        self.token_lifetime_ms = token_lifetime_ms

    async def answer(self, request: Request) -> Answer:
        """Answer a request whose body is parsed.

        Raises:
            SisError: The answer is an error.
        """
        try:
            return await self._route(request)
        except NoRoute:
            return html_answer(request.method, request.target)

    async def _route(self, request: Request) -> Answer:
        parts = request.segments
        if not parts:
            raise NoRoute
        word, rest = parts[0].lower(), parts[1:]
        if word == "info" and not rest and request.method == "GET":
            copy = self.world.copy
            return json_answer(INFO | ({"copy_of": copy.copy_of, "copied_at": copy.begun} if copy else {}))
        if word == "entities" and rest:
            return await self._entities(rest[0], rest[1:], request)
        if word == "users" and len(rest) >= 2 and rest[1].lower() == "tokens":
            return self._tokens(rest[0], rest[2:], request)
        if word in {"scripts", "endpoints"}:
            raise Unserved(NO_SCRIPTS)
        if (word, rest) == ("users", ["auth_token"]) and request.method == "POST":
            return self._log_in(request)
        if word == "hooks" and len(rest) == 3 and rest[0].lower() == "trigger" and request.method == "POST":
            return self._trigger(rest[1], rest[2])
        resource = self.world.named().get(word)
        if resource is None:
            raise NoRoute
        return await self._resource(resource, rest, request)

    async def _entities(self, schema: str, rest: list[str], request: Request) -> Answer:
        if len(rest) >= 2:
            return self._history(schema, rest, request)
        user = None
        if request.method != "GET":
            if (request.method, len(rest)) not in WRITES:
                raise NoRoute
            # A write without a token to a schema that does not exist is told about the token.
            user = self._user(request)
        return await self._resource(self.world.of_schema(schema), rest, request, user)

    async def _resource(
        self, resource: Resource, rest: list[str], request: Request, user: Document | None = None
    ) -> Answer:
        if len(rest) >= 2:
            if resource.type == "sis_users":
                raise NoRoute
            return self._history(resource.type, rest, request)
        if request.method == "GET":
            if not rest:
                return pages.answer_list(resource, request)
            return pages.answer_one(resource, writes.find(resource, rest[0]), request)
        if (request.method, len(rest)) not in WRITES:
            raise NoRoute
        user = user or self._user(request)
        if request.method == "POST":
            return await self._create(resource, request, user)
        if request.method == "DELETE":
            return await self._delete(resource, rest, request, user)
        return await self._update(resource, rest, request, user)

    def _user(self, request: Request) -> Document:
        return self.world.users.of_token(request.headers.get("x-auth-token"))

    # Writes

    async def _create(self, resource: Resource, request: Request, user: Document) -> Answer:
        if isinstance(request.body, list):
            all_or_none = request.query.get("all_or_none") == "true"
            outcome = await bulk.insert(resource, request.body, user, request.window, all_or_none=all_or_none)
            self._tell_bulk(resource, "insert", outcome.success, user)
            return bulk_answer(outcome.encoded(written(resource, request)))
        document = await self._stored(resource, request, user)
        self.world.announce(resource, "insert", resource.written(document))
        remove_empty = pages.removes_empty(resource, request)
        return json_answer(resource.created(document, request.body, remove_empty=remove_empty), 201)

    async def _stored(self, resource: Resource, request: Request, user: Document) -> Document:
        document = writes.draft(resource, request.body, user)
        await request.window(None)
        writes.store(resource, document)
        resource.record("insert", user["name"], document)
        return document

    def _tell_bulk(self, resource: Resource, action: str, documents: list[Document], user: Document) -> None:
        if action == "insert":
            for document in documents:
                resource.record(action, user["name"], document, bulk=True)
        self.world.announce(
            resource, action, [resource.written(document) for document in documents], bulk=True
        )

    async def _update(self, resource: Resource, rest: list[str], request: Request, user: Document) -> Answer:
        if rest:
            return await self._update_one(resource, rest[0], request, user)
        if isinstance(request.body, list):
            outcome = await bulk.update(resource, request.body, user, request.window)
        else:
            found = self._meant(resource, request, Bad("A valid query is required"))
            if not request.body:
                raise Bad("Body should not be empty")
            outcome = await bulk.update_matching(resource, found, request.body, user, request.window)
        self._tell_bulk(resource, "update", outcome.success, user)
        return bulk_answer(outcome.encoded(written(resource, request)))

    def _meant(self, resource: Resource, request: Request, refusal: Bad) -> list[Document]:
        """Return the objects that the query of a bulk operation finds."""
        try:
            condition = condition_of(request)
        except Bad as error:
            raise refusal from error
        if not condition:
            raise refusal
        try:
            return pages.matching(resource, condition)
        except query.CastError as error:
            raise pages.raw(error) from error

    async def _update_one(self, resource: Resource, name: str, request: Request, user: Document) -> Answer:
        condition = cas_condition(request)
        upsert = request.query.get("upsert") == "true"
        stored = resource.find(name)
        if stored is None:
            if not upsert:
                raise Missing(resource.type, name)
            return await self._upsert(resource, name, request, user)
        try:
            if condition is not None:
                made = await writes.compare_and_set(
                    resource, stored, request.body, user, condition, request.window
                )
            else:
                force = bool(request.query.get("forceMixed"))
                change = writes.prepare(resource, stored, request.body, user, force_mixed=force)
                await request.window(stored["_id"])
                made = writes.install(resource, change)
        except SisError:
            if not upsert:
                raise
            return await self._upsert(resource, name, request, user)
        resource.record("update", user["name"], made.after, made.before)
        old = resource.written(made.before)
        self.world.announce(resource, "update", resource.written(made.after), old=old)
        return json_answer(written(resource, request)(made.after))

    async def _upsert(self, resource: Resource, name: str, request: Request, user: Document) -> Answer:
        body, key = request.body, resource.id_field
        if not isinstance(body, dict) or key == "_id" or key not in body or text(body[key]) != name:
            raise Bad("Cannot insert object with specified ID")
        document = await self._stored(resource, request, user)
        self.world.announce(resource, "update", None, bare=True)
        return json_answer(written(resource, request)(document), 201)

    async def _delete(self, resource: Resource, rest: list[str], request: Request, user: Document) -> Answer:
        if rest:
            document = writes.find(resource, rest[0])
            writes.check_delete(resource, document, user)
            await request.window(document["_id"])
            writes.remove(resource, document)
            resource.record("delete", user["name"], document)
            shown = resource.shown(document)
            self.world.announce(resource, "delete", shown)
            return json_answer(shown)
        found = self._meant(resource, request, Bad("Bulk delete requires a non empty query."))
        outcome = await bulk.delete(resource, found, user, request.window)
        self.world.announce(resource, "delete", [resource.shown(d) for d in outcome.success], bulk=True)
        return bulk_answer(outcome.encoded(resource.shown))

    # History

    def _history(self, kind: str, rest: list[str], request: Request) -> Answer:
        if request.method != "GET":
            raise NoRoute
        name, word = rest[0], rest[1].lower()
        commits = self.world.commits
        if word == "commits" and len(rest) == 2:
            return pages.answer_commits(commits.of(kind, name), COMMIT, request)
        if word == "commits" and len(rest) == 3:
            return json_answer(commits.one(kind, name, rest[2]))
        if word == "revision" and len(rest) == 3:
            return json_answer(commits.revision(kind, name, rest[2]))
        raise NoRoute

    # Users, tokens, hooks

    def _log_in(self, request: Request) -> Answer:
        user = self.world.users.log_in(request.headers.get("authorization"))
        tokens = self.world.tokens
        token = tokens.issue(user, self.token_lifetime_ms)
        return json_answer(tokens.shown(token), 201, LOGIN_HEADERS)

    def _tokens(self, name: str, rest: list[str], request: Request) -> Answer:
        tokens = self.world.tokens
        reader = self._user(request)
        user = writes.find(self.world.users, name)
        tokens.check_reader(reader, user)
        method = request.method
        if not rest:
            if method == "GET":
                own = [token for token in tokens.collection if token["username"] == user["name"]]
                return pages.answer_list(tokens, request, among=own)
            if method == "POST":
                return json_answer(tokens.shown(tokens.grant(user, request.body)), 201)
        elif len(rest) == 1 and method in {"GET", "PUT", "DELETE"}:
            token = tokens.of(user, rest[0])
            if method == "PUT":
                token = tokens.describe(token, reader, request.body)
            elif method == "DELETE":
                token = tokens.revoke(token, reader)
            return json_answer(tokens.shown(token))
        raise NoRoute

    def _trigger(self, schema: str, name: str) -> Answer:
        resource = self.world.of_schema(schema)
        shown = resource.written(writes.find(resource, name))
        self.world.announce(resource, "update", shown, old=shown)
        return json_answer({"message": "Hooks triggered successfully", "type": schema, "entity": shown})


def written(resource: Resource, request: Request) -> Callable[[Document], Document]:
    """Return the function that shows objects in the answer to a write."""
    return partial(resource.written, remove_empty=pages.removes_empty(resource, request))


def bulk_answer(body: bytes) -> Answer:
    """Answer a bulk operation: always streamed."""
    return Answer(200, body, {"content-type": "application/json", "x-accel-buffering": "no"}, streamed=True)


def cas_condition(request: Request) -> Any:
    """Return the condition of a compare-and-set, None if there is none.

    Raises:
        Bad: It is no object, or an empty one.
        Empty: It is null.
    """
    value = request.query.get("cas")
    if value is None or value == "":
        return None
    try:
        condition = decode(value.encode()) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        condition = False
    if condition is None:
        raise Empty("the condition is null")
    if not isinstance(condition, dict) or not condition:
        raise Bad("CAS condition must be an object.")
    return condition


def text(value: Any) -> str:
    """Return a value as it stands in a URL."""
    return value if isinstance(value, str) else str(value)
