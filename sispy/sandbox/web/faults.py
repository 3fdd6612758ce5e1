"""Faults on purpose, for tests of clients: delays, errors, cut connections, interleaved changes."""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
import random
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from sispy.sandbox.sis.errors import SisError
from sispy.sandbox.web.answers import Answer, error_answer

if TYPE_CHECKING:
    from sispy.sandbox.web.request import Request

Handle = Callable[[], Awaitable[Answer]]
_log = logging.getLogger("sispy.sandbox")


@dataclass(frozen=True)
class Seen:
    """A request as the callables of `Faults` see it.

    Attributes:
        number: 1 for the first request that this server got, and so on.
        method: `GET`, also of a HEAD, `POST`, `PUT`, `DELETE`.
        path: Below `/api/v1.1`, decoded: `/entities/host/web01`.
        query: The parameters.
        body: The bytes of the body.
        status: Of the answer, None before there is one.
        item: For `between`, the `_id` of the object that is written next; None for a new one, and where one
            command writes all of them (bulk POST and bulk DELETE).

    Example:
        >>> from sispy.sandbox import Sandbox
        >>> with Sandbox(samples=3) as sis:
        ...     hosts = sis.client().entities("host").fetch_all()
        ...     seen = sis.requests[-1]
        >>> seen.method, seen.path, seen.status, seen.matches("GET /entities/*")
        ('GET', '/entities/host', 200, True)
    """

    number: int
    method: str
    path: str
    query: Mapping[str, Any]
    body: bytes
    status: int | None = None
    item: str | None = None

    def matches(self, route: str) -> bool:
        """Return whether a route means this request.

        A route is `METHOD /path` or `/path`, where `*` stands for anything: `PUT /entities/*`, `*`.

        Raises:
            ValueError: It is no route.
        """
        method, path = _route(route)
        return method in (None, self.method) and path.fullmatch(self.path) is not None


_ROUTE = re.compile(
    r"(?:(GET|POST|PUT|DELETE|PATCH) )?((?!/(?i:api)/)(?:\*|[/*][^?]*[^?/]))",
    re.DOTALL,
)
"""A route: without parameters, and never OPTIONS, which are answered before."""


@cache
def _route(text: object) -> tuple[str | None, re.Pattern[str]]:
    """Read a route: its method, None for any, and the pattern of its path."""
    found = _ROUTE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(
            f"{text!r} is no route: one is 'METHOD /path' or '/path' below /api/v1.1, without parameters and"
            " without a slash at its end; a HEAD is seen as GET"
        )
    method, path = found.groups()
    pattern = "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", path))
    return method, re.compile(pattern, re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What shall go wrong, off by default.

    Routes are `METHOD /path` or `/path` below `/api/v1.1`, with `*` for anything.

    Attributes:
        latency: Seconds before each answer.
        latencies: Route -> seconds, in addition.
        errors: Route -> (status, rate from 0 to 1). The request is not carried out.
        lost_answers: Route -> (status, rate). The request is carried out, the answer says it was not.
        drop_before: Route -> rate of connections cut before the request is carried out.
        drop_after: Route -> rate of connections cut after it was carried out, before the answer.
        truncate: Route -> rate of answers cut in the middle of the body.
        body_limit: Bytes of a request's body, in place of 10 MiB.
        chunk_delay: Seconds between two chunks of 64 KiB of an answer.
        retry_after: Seconds in the header `Retry-After` of the errors above.
        defects: Whether a bulk create that has invalid items and duplicates at once blames the wrong items,
            null in a bulk array is a 500 `{}`, and the keys of new definitions, Mixed values and hieradata
            are reversed, as on the server.
        before: Called before a request is carried out.
        between: Called when the stored objects were read and checked, before they are written: once for a
            POST or a DELETE, single or bulk, once per object for a PUT.
        after: Called when it was carried out, before its answer goes out.
        seed: Of the rates, and of the order in which the items of a bulk are written and answered; the same
            sequence of requests meets the same faults.

    `before`, `between` and `after` are called with a `Seen` in a thread of their own, one at a time, and may
    use a client of this very sandbox: requests that arrive meanwhile meet no faults and call nothing. What
    they return is ignored, what they raise is an error 500 of the request.

    What somebody else writes in `before` is read by the request: the history tells A -> B, B -> C. What is
    written in `between` is not: the answer and the commit tell A -> C, from what was read, though B stood
    there. Scalars: the last one wins, cell by cell. Mixed values: what the other has merged into it is lost.
    Arrays: the second one fails with 500 (VersionError). A compare-and-set looks at its condition again.

    Raises:
        ValueError: An attribute has another shape; so that a test of faults does not pass without any.

    Example:
        >>> Faults(drop_after={"POST /entities/host": 1.0}, latency=0.01).latency
        0.01
    """

    latency: float = 0.0
    latencies: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    lost_answers: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    drop_before: Mapping[str, float] = field(default_factory=dict)
    drop_after: Mapping[str, float] = field(default_factory=dict)
    truncate: Mapping[str, float] = field(default_factory=dict)
    body_limit: int | None = None
    chunk_delay: float = 0.0
    retry_after: float | None = None
    defects: bool = False
    before: Callable[[Seen], object] | None = None
    between: Callable[[Seen], object] | None = None
    after: Callable[[Seen], object] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse at once what would fail, or do nothing, when a request comes."""
        for name, (fits, allowed) in _SHAPES.items():
            value = getattr(self, name)
            if not fits(value):
                raise ValueError(f"Faults: {name} takes {allowed}, got {value!r}")
        for name, (fits, allowed) in _ROUTED.items():
            routes = getattr(self, name)
            if not isinstance(routes, Mapping):
                raise ValueError(f"Faults: {name} takes {{route: {allowed}}}, got {routes!r}")
            for route, value in routes.items():
                _route(route)
                if not fits(value):
                    raise ValueError(f"Faults: {name} takes {allowed} at {route!r}, got {value!r}")
            object.__setattr__(self, name, dict(routes))  # of its own: nobody would look at what comes later


def _is_number(value: Any, most: float = math.inf) -> bool:
    """Return whether a value is a finite number from 0 up to a bound."""
    return type(value) in (int, float) and 0 <= value <= most and value != math.inf


def _is_rate(value: Any) -> bool:
    return _is_number(value, 1)


def _is_failure(value: Any) -> bool:
    if not isinstance(value, tuple | list) or len(value) != 2:
        return False
    status, rate = value
    return type(status) is int and 400 <= status <= 599 and _is_rate(rate)


def _is_called(value: Any) -> bool:
    """Return whether a value is None, or a function of one argument; coroutines would not be awaited."""
    if value is None or not callable(value):
        return value is None
    if inspect.iscoroutinefunction(value):
        return False
    try:
        inspect.signature(value).bind(None)
    except TypeError:
        return False
    except ValueError:  # of a builtin, which does not tell
        return True
    return True


_SECONDS = (_is_number, "seconds, a number from 0 up")
_RATE = (_is_rate, "a rate from 0 to 1")
_FAILURE = (_is_failure, "(status from 400 to 599, rate from 0 to 1)")
_CALLED = (_is_called, "a function of one argument, or None")
_Shapes = Mapping[str, tuple[Callable[[Any], bool], str]]
_SHAPES: _Shapes = {
    "latency": _SECONDS,
    "chunk_delay": _SECONDS,
    "retry_after": (lambda value: value is None or _is_number(value), "seconds, a number from 0 up, or None"),
    "body_limit": (
        lambda value: value is None or (type(value) is int and value > 0),
        "bytes, a whole number from 1 up, or None",
    ),
    "defects": (lambda value: isinstance(value, bool), "True or False"),
    "seed": (lambda value: type(value) is int, "a whole number"),
    "before": _CALLED,
    "between": _CALLED,
    "after": _CALLED,
}
_ROUTED: _Shapes = {
    "latencies": _SECONDS,
    "errors": _FAILURE,
    "lost_answers": _FAILURE,
    "drop_before": _RATE,
    "drop_after": _RATE,
    "truncate": _RATE,
}
"""What is given per route."""

KEPT = 10_000
KEPT_BYTES = 64 * 1024 * 1024
"""Requests that a server remembers, and the bytes of their bodies in all."""


class _Made(SisError):
    """An error that was asked for."""

    def __init__(self, status: int) -> None:
        super().__init__("injected fault")
        self.status = status


class Injector:
    """Carries out requests in the way that `Faults` say, and remembers them."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.seen: deque[Seen] = deque()
        self._kept = 0
        self._number = 0
        self.begin()

    def begin(self) -> None:
        """Get ready for an event loop: nothing is being called."""
        self._calling = False
        self._order = asyncio.Lock()

    @property
    def faults(self) -> Faults:
        """What shall go wrong from now on."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        if not isinstance(faults, Faults):
            raise TypeError(f"faults are Faults(...), got {faults!r}")
        self._faults = faults
        self._random = random.Random(faults.seed)  # noqa: S311  # which request fails is no secret
        self.order: random.Random = random.Random(faults.seed)  # noqa: S311  # nor is the order of a bulk
        self.plain: bool = faults == Faults()

    async def around(
        self, request: Request, content: bytes, handle: Callable[[], Awaitable[Answer]]
    ) -> Answer | None:
        """Carry out a request; None where the connection is to be cut."""
        self._number += 1
        path = "/" + "/".join(request.segments or [])
        seen = Seen(self._number, request.method, path, request.query, content)
        if self.plain or self._calling:
            answer: Answer | None = await handle()
        else:
            answer = await self._faulty(request, seen, handle)
        if not self._calling:
            self._remember(replace(seen, status=answer.status if answer else None))
        return answer

    def _remember(self, seen: Seen) -> None:
        self.seen.append(seen)
        self._kept += len(seen.body)
        while len(self.seen) > KEPT or (self._kept > KEPT_BYTES and len(self.seen) > 1):
            self._kept -= len(self.seen.popleft().body)

    async def _faulty(self, request: Request, seen: Seen, handle: Handle) -> Answer | None:
        faults = self.faults
        extra = sum(seconds for route, seconds in faults.latencies.items() if seen.matches(route))
        if faults.latency or extra:
            await asyncio.sleep(faults.latency + extra)
        try:
            await self._call(faults.before, seen)
            if self._hit(faults.drop_before, seen):
                return None
            self._fail(faults.errors, seen)
            if faults.between is not None:
                request.window = lambda item: self._call(faults.between, replace(seen, item=item))
            answer = await handle()
            await self._call(faults.after, replace(seen, status=answer.status))
            if self._hit(faults.drop_after, seen):
                return None
            self._fail(faults.lost_answers, seen)
        except SisError as error:
            return self._error(error)
        return replace(answer, cut=self._hit(faults.truncate, seen))

    async def _call(self, function: Callable[[Seen], object] | None, seen: Seen) -> None:
        if function is None:
            return
        async with self._order:
            self._calling = True
            try:
                await asyncio.to_thread(function, seen)
            except Exception as error:
                _log.exception("a callable of Faults failed")
                raise _Made(500) from error
            finally:
                self._calling = False

    def _hit(self, rates: Mapping[str, float], seen: Seen) -> bool:
        return any(self._random.random() < rate for route, rate in rates.items() if seen.matches(route))

    def _fail(self, rates: Mapping[str, tuple[int, float]], seen: Seen) -> None:
        for route, (status, rate) in rates.items():
            if seen.matches(route) and self._random.random() < rate:
                raise _Made(status)

    def _error(self, error: SisError) -> Answer:
        if self.faults.retry_after is None:
            return error_answer(error)
        return error_answer(error, {"retry-after": f"{self.faults.retry_after:g}"})
