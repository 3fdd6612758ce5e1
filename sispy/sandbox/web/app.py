"""The ASGI application: from bytes to a request, from an answer to bytes."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sispy.sandbox.js import patterns
from sispy.sandbox.sis.errors import Bad, Internal, SisError
from sispy.sandbox.sis.hooks import Dispatcher, calls
from sispy.sandbox.web import protocol
from sispy.sandbox.web.answers import Answer, Foreign, error_answer, html_answer
from sispy.sandbox.web.faults import Faults, Injector
from sispy.sandbox.web.request import BODY_LIMIT, HEAD_LIMIT, Request, parse, parse_body
from sispy.sandbox.web.routes import Routes

if TYPE_CHECKING:
    from sispy.sandbox.sis.disk import Disk
    from sispy.sandbox.sis.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Log = Callable[[str, str, int], None]

_log = logging.getLogger("sispy.sandbox")
CHUNK = 1024 * 1024
SLOW_CHUNK = 64 * 1024
DISCARDED = 64 * 1024 * 1024
"""How much of a body that is too large is read, so that the client sees the answer."""

_CORS = {
    "access-control-allow-methods": "GET,PUT,POST,DELETE",
    "access-control-allow-headers": "Content-Type,X-Requested-With,x-auth-token,Authorization",
    "access-control-expose-headers": "x-total-count",
}


class App:
    """Serves one world over HTTP, to programs of this machine.

    A page that somebody opens in a browser on this machine can send requests, too. It learns nothing without
    `cors`; and neither its own origin, nor a name of its own that it lets lead here, is served.
    """

    def __init__(
        self,
        world: World,
        *,
        faults: Faults | None = None,
        token_lifetime: float = 28_800.0,
        hosts: Iterable[str] = (),
        cors: bool = False,
        log: Log | None = None,
        mask: Callable[[str], str] = str,
    ) -> None:
        self.world = world
        self.hosts: set[str] = {name.lower() for name in hosts} | {"localhost"}
        self.cors = cors
        self.routes: Routes = Routes(world, token_lifetime_ms=int(token_lifetime * 1000))
        self.injector: Injector = Injector(Faults() if faults is None else faults)
        self.dispatcher: Dispatcher = Dispatcher()
        self.disk: Disk | None = None
        self.log = log
        self.mask = mask
        """Makes a target fit for logs: without tokens."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what goes wrong within the server is a 500 of the contract's shape."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method: str = scope["method"]
        transport = scope["state"]["transport"]
        answer = await self._answer(scope, method, headers, receive)
        if answer is None or transport.is_closing():
            transport.abort()
            return
        if self.log is not None:
            self.log(method, self.mask(_target(scope)), answer.status)
        await self._send(answer, headers, send)
        if answer.cut:
            transport.abort()
        self._call_hooks()

    async def _answer(
        self,
        scope: Scope,
        method: str,
        headers: dict[str, str],
        receive: Receive,
    ) -> Answer | None:
        """Return the answer to a request; None where the connection is to be cut."""
        size = sum(len(name) + len(value) + 4 for name, value in headers.items())
        if not method.isupper():
            return Answer(400, headers={"connection": "close"}, cors=False)
        if size + len(scope["raw_path"]) + len(scope["query_string"]) > HEAD_LIMIT:
            return Answer(431, headers={"connection": "close"}, cors=False)
        try:
            self._check_origin(headers, scope)
        except Foreign as error:
            return error_answer(error, {"connection": "close"}, cors=False)
        try:
            limit = self.injector.faults.body_limit or BODY_LIMIT
            content = await _body(receive, limit)
            if content is None:
                return None
            request = parse(
                "GET" if method == "HEAD" else method, scope["raw_path"], scope["query_string"], headers
            )
        except SisError as error:
            return error_answer(error, cors=False)
        if method == "OPTIONS" or not request.segments:
            return _plain(request, method)
        return await self.injector.around(request, content, lambda: self._handle(request, content, limit))

    def _check_origin(self, headers: Mapping[str, str], scope: Scope) -> None:
        host, origin = headers.get("host"), headers.get("origin")
        if host is not None and not self._serves(f"//{host}", scope):
            how = "sispy sandbox --allow-host NAME serves it"
            raise Foreign(421, f"The sandbox is not called {host[:200]}: {how}")
        if origin is not None and not self.cors and not self._serves(origin, scope):
            raise Foreign(403, f"The sandbox does not serve pages of {origin[:200]}: --cors lets it")

    def _serves(self, url: str, scope: Scope) -> bool:
        """Return whether a URL names this machine: a known name, a loopback address, where it was reached."""
        try:
            name = (urlsplit(url).hostname or "").removesuffix(".")
            return name in self.hosts or name == scope["server"][0] or ip_address(name).is_loopback
        except ValueError:
            return False

    async def _handle(self, request: Request, content: bytes, limit: int) -> Answer:
        patterns.metered()
        context = self.world.context
        context.defects, context.order = self.injector.faults.defects, self.injector.order
        try:
            request.body = parse_body(request.headers, content, limit)
        except SisError as error:
            return error_answer(error, cors=False)
        try:
            answer = await self.routes.answer(request)
        except SisError as error:
            answer = error_answer(error)
        except RecursionError:
            answer = error_answer(Bad("the request is nested too deeply"))
        except Exception:  # noqa: BLE001  # one broken request must not stop the server
            _log.exception("%s %s failed", request.method, self.mask(request.target))
            answer = error_answer(Internal("unexpected error"))
        return answer if self.disk is None else self._kept(self.disk, answer)

    def _kept(self, disk: Disk, answer: Answer) -> Answer:
        """Return the answer when all that it reports is on the disk, or an error."""
        try:
            disk.flush(self.world)
        except sqlite3.Error as error:
            _log.exception("%s cannot be written", disk.path)
            return error_answer(Internal(f"the data file cannot be written: {error}"))
        return answer

    async def _send(self, answer: Answer, request_headers: Mapping[str, str], send: Send) -> None:
        headers = dict(answer.headers)
        if answer.cors and self.cors:
            headers |= _CORS | {"access-control-allow-origin": request_headers.get("origin", "*")}
        headers |= {"x-powered-by": "Express"}
        if headers.get("connection") != "close":
            headers |= {"connection": "keep-alive", "keep-alive": f"timeout={protocol.IDLE}"}
        if not answer.streamed:
            headers["content-length"] = str(len(answer.body))
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        body, delay = answer.body, self.injector.faults.chunk_delay
        if answer.cut:
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            return
        if answer.streamed or delay:
            size = SLOW_CHUNK if delay else CHUNK
            for start in range(0, len(body), size):
                if delay:
                    await asyncio.sleep(delay)
                part = body[start : start + size]
                await send({"type": "http.response.body", "body": part, "more_body": True})
            body = b""
        await send({"type": "http.response.body", "body": body})

    def _call_hooks(self) -> None:
        events, self.world.events = self.world.events, []
        for event in events:
            for call in calls(self.world.called(), event):
                self.dispatcher.start(call)


async def _body(receive: Receive, limit: int) -> bytes | None:
    """Read the body of a request; None if the connection ended within it.

    Raises:
        Internal: It is too large; as much as is reasonable was read and dropped.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > DISCARDED:
            break
        if not message.get("more_body"):
            break
    if size > limit:
        raise Internal("PayloadTooLargeError: request entity too large")
    return b"".join(parts)


def _plain(request: Request, method: str) -> Answer:
    """Return the answer to OPTIONS, to the root, and to what is no path of the API."""
    if method == "OPTIONS" and (request.segments or request.target == "/"):
        single = request.segments is not None and len(request.segments) > (
            2 if request.segments[:1] == ["entities"] else 1
        )
        allowed = "GET,HEAD,PUT,DELETE" if single else "GET,HEAD,PUT,POST,DELETE"
        return Answer(200, allowed.encode(), {"content-type": "text/html; charset=utf-8", "allow": allowed})
    if method == "HEAD" and request.target == "/":
        return Answer(200)
    return html_answer(method, request.target)


def _target(scope: Scope) -> str:
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
