"""One call, whatever it takes: the exchange, its log line, errors, redirects, retries, the time allowed."""

from __future__ import annotations

import email.utils
import gzip
import logging
import random
import time
from dataclasses import dataclass, replace
from logging import NullHandler
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from .errors import BadAnswer, ConnectionLost, Error, NoAnswer, Refused
from .failures import bad_answer, came_from
from .http.base import body_of, origin_of, proxy_for
from .text import mask_path, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .http import Answer, Handler, Request

LOG = logging.getLogger("sispy")
LOG.addHandler(NullHandler())  # what nobody listens to is not printed

FIRST_PAUSE = 0.25
"""Seconds, at most, before the second try; each later pause may take twice as long."""
_READS = ("GET", "HEAD", "OPTIONS")
_BUSY = (429, 502, 503, 504)
_SECONDS_PER_ITEM = 0.01  # measured: 1 to 4 ms; nothing is sent before all items are done


@dataclass(frozen=True)
class Policy:
    """Say how long and how often to try.

    Attributes:
        connect: Seconds to connect.
        read: Seconds of silence allowed; bulk calls get 10 ms more for every item.
        retries: Further tries of a read, or of a write that certainly did not reach the server.
        retry_seconds: No new try starts after so many seconds.
        compress: Bodies of so many bytes and more travel as gzip; None for never.
    """

    connect: float = 10.0
    read: float = 60.0
    retries: int = 4
    retry_seconds: float = 60.0
    compress: int | None = 65536


def call(handler: Handler, request: Request, policy: Policy, secrets: Sequence[str]) -> Answer:
    """Send the request until there is a successful answer or a reason to give up.

    Args:
        handler: Does the exchanges.
        request: What to send; it stays as it is.
        policy: Time and tries.
        secrets: Tokens that must not appear in errors and logs.

    Raises:
        Error: Of the tree in `sispy.errors`.
    """
    packed = _packed(request, policy.compress)
    start, tries = time.monotonic(), 0
    while True:
        failure: Error
        if request.before is not None:
            request.before()
        try:
            answer = _follow(handler, packed, policy, secrets)
        except NoAnswer as exc:
            failure = exc
        else:
            if answer.status < 300:
                return answer
            failure = _failure(request, answer, secrets)
        pause = _pause(failure, request.method, tries)
        if (
            request.once
            or pause is None
            or tries >= policy.retries
            or time.monotonic() - start + pause > policy.retry_seconds
        ):
            try:
                raise failure
            finally:
                del failure  # or it would hold this frame, and with it the request, until the next collection
        tries += 1
        LOG.info("try again in %.1f s: %s", pause, shorten(failure, 500))
        if request.wait is None:
            time.sleep(pause)
        else:
            request.wait(pause, failure)


def _follow(handler: Handler, request: Request, policy: Policy, secrets: Sequence[str]) -> Answer:
    """Do the exchange; follow a redirect of a read on the same host (or from http to https there)."""
    for _ in range(5):
        answer = _logged(handler, request, policy, secrets)
        if answer.status not in (301, 302, 303, 307, 308) or request.method not in _READS:
            break
        target = urljoin(request.uri, answer.headers.get("location", ""))
        if not _near(request.uri, target):
            break
        request = replace(request, uri=target)
    return answer


def _near(here: str, there: str) -> bool:
    old, new = urlsplit(here), urlsplit(there)
    if here == there or old.hostname != new.hostname:
        return False
    return old[:2] == new[:2] or (old.scheme, new.scheme) == ("http", "https")


def _logged(handler: Handler, request: Request, policy: Policy, secrets: Sequence[str]) -> Answer:
    start = time.perf_counter()
    status, size = "-", 0
    try:
        answer = handler.send(
            request, timeout=(policy.connect, policy.read + request.items * _SECONDS_PER_ITEM)
        )
        status, size = str(answer.status), len(answer.body)
    except NoAnswer as exc:
        status = type(exc).__name__
        raise
    finally:
        if LOG.isEnabledFor(logging.INFO):
            path = printable(mask_path(urlsplit(request.uri).path, secrets))
            ms = (time.perf_counter() - start) * 1000
            LOG.info("%s %s %s %.0f ms %d bytes", request.method, path, status, ms, size)
    return answer


def _failure(request: Request, answer: Answer, secrets: Sequence[str]) -> BadAnswer:
    url, proxy = urlsplit(request.uri), proxy_for(request.uri)
    error = bad_answer(
        answer.status,
        answer.body,
        reason=answer.reason,
        secrets=secrets,
        cas="cas=" in url.query,
        login=url.path.endswith("/users/auth_token"),
        sent_bytes=len(body_of(request) or b""),
        location=answer.headers.get("location", ""),
        path=url.path,
        by=proxy and came_from(origin_of(request.uri), proxy),
    )
    error.retry_after = _seconds(answer.headers.get("retry-after", ""))
    return error


def _seconds(retry_after: str) -> float | None:
    """Read a Retry-After header: seconds, or a date."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        when = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - time.time())


def _pause(failure: Error, method: str, tries: int) -> float | None:
    """Return the seconds to wait before the next try, None if there must be none."""
    backoff: float = random.uniform(0.5, 1.0) * min(FIRST_PAUSE * 2**tries, 8.0)  # noqa: S311 -- jitter
    if isinstance(failure, NoAnswer):
        unsent = isinstance(failure, Refused)
        lost = method in _READS and isinstance(failure, ConnectionLost)
        return backoff if unsent or lost else None
    if method in _READS and failure.http_status_code in _BUSY and isinstance(failure, BadAnswer):
        return max(backoff, failure.retry_after or 0.0)
    return None


def _packed(request: Request, compress: int | None) -> Request:
    body = body_of(request)
    if body is None or compress is None or len(body) < compress:
        return request
    headers = {**(request.headers or {}), "Content-Encoding": "gzip"}
    return replace(request, body=gzip.compress(body, compresslevel=1, mtime=0), headers=headers)
