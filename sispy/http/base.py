"""What both handlers share: requests, answers, connections per thread, reading to the end and no further."""

from __future__ import annotations

import base64
import http.client
import io
import math
import os
import re
import socket
import threading
import time
import urllib.request
import weakref
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from ..failures import TooLargeError
from ..text import mask_path, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..response import Headers


IDLE_SECONDS = 4.0
"""A connection unused for longer is not used again: the server closes idle ones after 5 s."""

LARGEST = 512 * 2**20
"""Bytes of an answer, unpacked: room for the largest page, 10,000 rows, of 50 KiB each. More is refused."""

W = TypeVar("W")

_SLOWEST = 1024  # bytes per second: an answer that comes slower than this on average is given up
_LARGEST_HEAD = 2**20
_PIECE = 2**16  # unpacked at most a thousand times as much


@dataclass(eq=False, repr=False)
class Request:
    """Describe one request.

    Attributes:
        uri: Absolute and percent-encoded.
        method: Such as GET; becomes upper case.
        body: JSON text or bytes.
        headers: They may hold a token, so a repr leaves them out, as it does the body.
        items: Number of rows that a bulk request carries; the time to answer grows with it.
        once: Never send it a second time, for whatever reason: the caller looks first.
        wait: Is called with the seconds to wait before it is sent again, and with why; it returns then.
        before: Is called each time before it is sent, and returns when it may be.
    """

    uri: str
    method: str = "GET"
    body: str | bytes | None = None
    headers: Mapping[str, str] | None = None
    items: int = 0
    once: bool = False
    wait: Callable[[float, Exception], object] | None = None
    before: Callable[[], object] | None = None

    def __repr__(self) -> str:
        return printable(f"Request({self.method} {mask_path(self.uri)})")

    def __post_init__(self) -> None:
        self.method = self.method.upper()  # the server answers others with an empty 400


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold one HTTP answer, complete and uncompressed, whatever its status."""

    status: int
    reason: str
    headers: Headers
    body: bytes = field(repr=False)


class Handler(Protocol):
    """Do one HTTP exchange."""

    def send(self, request: Request, *, timeout: tuple[float, float]) -> Answer:
        """Send the request and read the answer.

        Args:
            request: What to send.
            timeout: Seconds to connect, and seconds of silence allowed while waiting for the answer.

        Raises:
            NoAnswer: There is no complete answer.
        """

    def close(self) -> None:
        """Close all connections; the next request opens new ones."""


class Wires(Generic[W]):
    """Keep one wire (a thread's connections) per thread; close those that were idle too long."""

    def __init__(self, open_wire: Callable[[], W], close_wire: Callable[[W], None]) -> None:
        self._open, self._close = open_wire, close_wire
        self._local = threading.local()
        self._lock = threading.Lock()
        self._all: weakref.WeakSet[Any] = weakref.WeakSet()

    def get(self) -> W:
        """Return the wire of this thread, fit for use."""
        local = self._local
        if getattr(local, "pid", None) != os.getpid():  # a forked child must not use its parent's connection
            local.wire, local.stale, local.pid = self._open(), 0.0, os.getpid()
            with self._lock:
                self._all.add(local.wire)
        elif time.monotonic() > local.stale:
            self._close(local.wire)
        local.stale = -math.inf  # until an answer has come: Ctrl-C may leave half of one, or of its request
        wire: W = local.wire
        return wire

    def used(self, headers: Headers) -> None:
        """Note that the wire of this thread has just carried an answer with these headers."""
        promise = re.search(r"timeout=(\d+)", headers.get("keep-alive", ""))
        idle = min(IDLE_SECONDS, 0.8 * int(promise[1])) if promise else IDLE_SECONDS
        self._local.stale = time.monotonic() + idle

    def close(self) -> None:
        """Close the wires of all threads; they open again when used."""
        with self._lock:
            wires = list(self._all)
        for wire in wires:
            self._close(wire)


def body_of(request: Request) -> bytes | None:
    """Return the request's body as bytes."""
    return request.body.encode() if isinstance(request.body, str) else request.body


def origin_of(uri: str) -> str:
    """Return scheme and host of an address."""
    url = urlsplit(uri)
    return f"{url.scheme}://{url.netloc}"


def headers_of(request: Request, *, keep_alive: bool) -> dict[str, str]:
    """Return the request's headers and those that every request carries."""
    headers = {"Accept-Encoding": "gzip", **(request.headers or {})}
    if not keep_alive:
        headers["Connection"] = "close"
    return headers


class PatientResponse(http.client.HTTPResponse):
    """Read an answer of http.client, but not for ever from a server that sends a byte now and then."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._wire = _Patient(self.fp.detach(), sock.gettimeout())
        self.fp = io.BufferedReader(self._wire)

    def begin(self) -> None:
        """Read the head; what follows may be larger, with the sizes of chunks between."""
        super().begin()
        self._wire.limit += 2 * LARGEST


class _Patient(io.RawIOBase):
    """Give up when an answer, from its first byte, takes longer than its size and the timeout allow.

    And when it is larger than `limit`: heads, chunks and trailers could go on without end.
    """

    def __init__(self, raw: io.RawIOBase, seconds: float | None) -> None:
        self._raw, self._seconds = raw, float("inf") if seconds is None else seconds
        self._start, self._got = 0.0, 0
        self.limit = _LARGEST_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        got: int | None = self._raw.readinto(buffer)
        now = time.monotonic()
        self._start = self._start or now
        self._got += got or 0
        if now - self._start > self._seconds + self._got / _SLOWEST:
            raise TimeoutError
        if self._got > self.limit:
            raise TooLargeError(f"the answer goes on beyond {self.limit / 2**20:g} MiB")
        return got

    def close(self) -> None:
        self._raw.close()
        super().close()


def body_from(read: Callable[[int], bytes], headers: Headers, *, has_body: bool) -> bytes:
    """Read the body of an answer to its end, uncompressed if a proxy has compressed it.

    Args:
        read: Gives so many bytes at most, and none at the end.
        headers: Of the answer.
        has_body: Whether the announced length is that of a body.

    Raises:
        TooLargeError: It has, or becomes when it is unpacked, more than `LARGEST` bytes.
        OSError: The body is shorter than announced, or the compressed data are damaged.
    """
    packed = headers.get("content-encoding", "").lower() in ("gzip", "x-gzip", "deflate")
    engine = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None
    announced = headers.get("content-length", "")
    length = int(announced) if announced.isdecimal() and len(announced) < 20 else 0
    # at once where that is known to be little enough, or the parts would have to be joined by another copy
    amount = _PIECE if packed or not 0 < length <= LARGEST else length
    parts: list[bytes] = []
    came = size = 0
    while piece := read(amount):
        came += len(piece)
        part = piece if engine is None else _unpacked(engine, piece, LARGEST - size + 1)
        size += len(part)
        if size > LARGEST:
            raise TooLargeError(
                f"the answer has more than {LARGEST / 2**20:g} MiB{' when unpacked' if packed else ''}; "
                "ask for fewer rows or fields"
            )
        parts.append(part)
    if has_body and came < length:
        raise OSError(f"{came} of {length} bytes came")
    if engine is not None and came and not engine.eof:
        raise OSError("the compressed answer is damaged: its end is missing")
    return b"".join(parts)


def _unpacked(engine: zlib._Decompress, piece: bytes, limit: int) -> bytes:
    try:
        return engine.decompress(piece, limit)
    except zlib.error as exc:
        text = f"the compressed answer is damaged: {exc}"
    raise OSError(text)


def proxy_for(url: str) -> str:
    """Return the proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY choose, "" for none."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or urllib.request.proxy_bypass(parts.netloc):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def proxy_authorization(proxy: str) -> dict[str, str]:
    """Return the header that logs in to a proxy whose address holds a name and a password."""
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
