"""A proxy on this machine between a client and a server, and what a network may do to an exchange."""

from __future__ import annotations

import http.client
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from random import Random

UNSAID = ("connection", "content-encoding", "keep-alive", "transfer-encoding")
"""Headers that hold for one wire, or for the bytes on it, and not for the next."""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.method not in ("GET", "HEAD")

    @property
    def names(self) -> frozenset[str]:
        """The `_id`s that stand in it."""
        return frozenset(re.findall(r"\b[0-9a-f]{24}\b", self.target + self.body.decode("utf-8", "replace")))

    @property
    def head(self) -> bytes:
        """Its head, as it is sent on."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {text}" for name, text in self.headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True)
class Answered:
    """An answer as it is passed on."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def encoded(self, method: str, *, body: bytes | None = None, more: str = "") -> bytes:
        """Give its bytes.

        Args:
            method: Of the request: an answer to HEAD has no body.
            body: In place of its own.
            more: A line of the head, with its end.
        """
        body = self.body if body is None else body
        lines = [f"HTTP/1.1 {self.status} {self.reason}"]
        lines += [f"{name}: {text}" for name, text in self.headers if name.lower() != "content-length"]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", ""]) + more + "\r\n"
        return head.encode("latin-1") + (b"" if method == "HEAD" else body)


@dataclass
class Passage:
    """A request that was given to the server."""

    asked: Asked
    fault: str
    started: float
    again: bool
    """Whether the network, not the client, sent it once more."""
    ended: float = 0.0
    shown: frozenset[str] = frozenset()
    """The `_id`s that stand in the answer."""


@dataclass(eq=False)
class Exchange:
    """One request on its way, and the means of a fault.

    A fault is a function of an exchange: it passes the request on or not, and answers or not.
    """

    proxy: Proxy
    wire: socket.socket
    asked: Asked
    rng: Random
    fault: str
    over: bool = False
    """Whether the connection was closed."""
    passed: int = 0

    def forward(self) -> Answered:
        """Give the request to the server, and return what it says."""
        self.passed += 1
        return self.proxy.deliver(self.asked, self.fault, again=self.passed > 1)

    def forward_half(self) -> None:
        """Give the server a request that is cut off in its middle."""
        content = self.asked.head + self.asked.body
        with socket.create_connection(self.proxy.server) as upstream:
            upstream.sendall(content[: (len(self.asked.head) + len(content)) // 2 - 3])

    def later(self, requests: int = 1) -> None:
        """Give the request to the server right before a later one of the client: the next, or the n-th."""
        self.passed += 1
        again = self.passed > 1
        self.proxy.postpone(requests, lambda: self.proxy.deliver(self.asked, self.fault, again=again))

    def send(self, content: bytes) -> None:
        """Send bytes to the client."""
        self.wire.sendall(content)

    def answer(self, answered: Answered, *, body: bytes | None = None, more: str = "") -> None:
        """Send an answer to the client."""
        self.send(answered.encoded(self.asked.method, body=body, more=more))

    def say(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """Send an answer that the server did not give."""
        named = [(name.replace("_", "-"), text) for name, text in headers.items()]
        reason = http.client.responses.get(status, "")
        self.answer(Answered(status, reason, (("Content-Type", kind), *named), body))

    def close(self) -> None:
        """Close the connection."""
        self.over = True

    def reset(self) -> None:
        """Break the connection."""
        self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.over = True


Fault = Callable[[Exchange], None]


def passed_on(exchange: Exchange) -> None:
    """Nothing goes wrong."""
    exchange.answer(exchange.forward())


@dataclass(eq=False)
class Proxy:
    """A proxy before a server, in threads of its own, from `start` to `stop`.

    Attributes:
        server: Host and port of the server.
        choose: Names the fault of a request, "" for none, and gives what the fault draws from.
        faults: The faults by name.
        meets: Called with every request of the client, before anything is done about it.
        before: Called before a write is given to the server.
        passages: What was given to the server.
        delivering: The write that the server is carrying out.
    """

    server: tuple[str, int]
    faults: dict[str, Fault]
    choose: Callable[[Asked], tuple[str, Random]]
    meets: Callable[[Asked], None] = lambda asked: None
    before: Callable[[Asked], None] = lambda asked: None
    passages: list[Passage] = field(default_factory=list)
    delivering: Asked | None = None
    last: Answered | None = None
    """The last answer to a list or a write, for those that meet the wrong request."""

    def __post_init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._late: list[tuple[int, Callable[[], object]]] = []
        self._lock = threading.Lock()
        self._under_way, self._at_rest = 0, threading.Condition()
        self._wires: set[socket.socket] = set()
        self._running = True
        self._listener = self._bound(0)
        self.port = self._listener.getsockname()[1]
        self._listen()

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, work: Callable[[], None]) -> None:
        """Do something in a thread that `stop` waits for."""
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Close everything."""
        self._running = False
        self._listener.close()
        with _QUIETLY, socket.create_connection(("127.0.0.1", self.port), timeout=1):
            pass
        for wire in list(self._wires):
            with _QUIETLY:
                wire.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    @contextmanager
    def _on_its_way(self) -> Iterator[None]:
        with self._at_rest:
            self._under_way += 1
        try:
            yield
        finally:
            with self._at_rest:
                self._under_way -= 1
                self._at_rest.notify_all()

    def rest(self) -> None:
        """Wait until no request is under way: that of a client that was killed arrives all the same."""
        with self._at_rest:
            self._at_rest.wait_for(lambda: not self._under_way, timeout=30)

    def postpone(self, requests: int, deliver: Callable[[], object]) -> None:
        """Do something when the client asks once more, or after some more requests."""
        with self._lock:
            self._late.append((requests, deliver))

    def settle(self, requests: int = 10**9) -> None:
        """Deliver what is late: all of it, or what was postponed by so many requests at most."""
        with self._lock:
            late = [(left - requests, deliver) for left, deliver in self._late]
            self._late = [(left, deliver) for left, deliver in late if left > 0]
        for left, deliver in late:
            if left <= 0:
                deliver()

    def deliver(self, asked: Asked, fault: str, *, again: bool) -> Answered:
        """Give a request to the server."""
        if asked.writes:
            self.before(asked)
            self.delivering = asked
        passage = Passage(asked, fault, time.monotonic(), again)
        self.passages.append(passage)
        upstream = http.client.HTTPConnection(*self.server, timeout=30)
        try:
            headers = {name: text for name, text in asked.headers if name.lower() not in UNSAID}
            headers |= {name: text for name, text in asked.headers if name.lower() == "content-encoding"}
            headers["Accept-Encoding"] = "identity"
            upstream.request(asked.method, asked.target, asked.body or None, headers)
            answer = upstream.getresponse()
            body = answer.read()
            kept = tuple((name, text) for name, text in answer.getheaders() if name.lower() not in UNSAID)
            found = Answered(answer.status, answer.reason, kept, body)
        finally:
            self.delivering = None if asked.writes else self.delivering
            upstream.close()
            passage.ended = time.monotonic()
        self.last = found
        passage.shown = frozenset(re.findall(r'"_id":"([0-9a-f]{24})"', body.decode("utf-8", "replace")))
        return found

    def restart(self, seconds: float) -> None:
        """Take no connections for a while."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = self._bound(self.port)  # nobody else takes the port meanwhile
        time.sleep(seconds)
        if self._running:
            self._listen()

    def _listen(self) -> None:
        self._listener.listen(64)
        self.start(self._accept)

    def _bound(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        return listener

    def _accept(self) -> None:
        listener = self._listener
        while self._running:
            try:
                wire, _ = listener.accept()
            except OSError:
                return
            self.start(lambda wire=wire: self._serve(wire))  # type: ignore[misc]

    def _serve(self, wire: socket.socket) -> None:
        self._wires.add(wire)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with wire, wire.makefile("rb") as reader, _QUIETLY:
                while (asked := _read(reader)) is not None:
                    with self._on_its_way():
                        self.settle(1)
                        self.meets(asked)
                        fault, rng = self.choose(asked)
                        exchange = Exchange(self, wire, asked, rng, fault)
                        self.faults.get(fault, passed_on)(exchange)
                    if exchange.over:
                        return
        finally:
            self._wires.discard(wire)


class _Quietly:
    """Let nothing be heard of a connection that is gone."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, OSError)


_QUIETLY = _Quietly()


def _read(reader: BinaryIO) -> Asked | None:
    """Read a request; None at the end of the connection."""
    line = reader.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = []
    while text := reader.readline().decode("latin-1").strip():
        name, _, value = text.partition(":")
        headers.append((name, value.strip()))
    size = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    body = reader.read(size)
    return Asked(line[0], line[1], tuple(headers), body) if len(body) == size else None
