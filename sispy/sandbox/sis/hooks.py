"""Calls to hooks: who wants to know of an event, what is sent, and how often it is tried."""

from __future__ import annotations

import asyncio
import http.client
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from sispy.sandbox.js.json import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sispy.sandbox.mongo.store import Document

_log = logging.getLogger("sispy.sandbox")
TIMEOUT = 20.0


@dataclass(frozen=True)
class Event:
    """Something that hooks may want to know."""

    kind: str
    action: str
    data: Any
    bulk: bool = False
    old: Document | None = None
    bare: bool = False
    """Neither data nor old value: the create of an upsert."""


@dataclass(frozen=True)
class Call:
    """One call to make: method, URL, body, and how often it is repeated when it fails."""

    method: str
    url: str
    body: bytes | None
    retries: int
    delay: float


def calls(hooks: Iterable[Document], event: Event) -> Iterator[Call]:
    """Return the calls that an event leads to."""
    for hook in hooks:
        if hook["entity_type"] != event.kind or event.action not in hook["events"]:
            continue
        yield _call(hook, event)


def _call(hook: Document, event: Event) -> Call:
    content: Document = {
        "hook": hook["name"],
        "entity_type": event.kind,
        "event": event.action,
        "is_bulk": event.bulk,
    }
    if not event.bare:
        content["data"] = event.data
        if event.old is not None:
            content["old_value"] = event.old
    target = hook["target"]
    method, url, body = str(target["action"]), str(target["url"]), None
    if method == "GET":
        texts = {
            f"data[{key}]": value if isinstance(value, str) else encode(value).decode()
            for key, value in content.items()
        }
        url += ("&" if "?" in url else "?") + urlencode(texts)
    else:
        body = encode(content)
    return Call(method, url, body, int(hook.get("retry_count") or 0), float(hook.get("retry_delay") or 1))


class Dispatcher:
    """Makes calls in the background; they end with the server."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads: ThreadPoolExecutor | None = None

    def start(self, call: Call) -> None:
        """Begin a call; nobody waits for it."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(4, thread_name_prefix="sis-hook")
        task = asyncio.get_running_loop().create_task(self._run(call, self._threads))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, call: Call, threads: ThreadPoolExecutor) -> None:
        for attempt in range(1 + call.retries):
            if attempt:
                await asyncio.sleep(call.delay)
            if await asyncio.get_running_loop().run_in_executor(threads, send, call):
                return
        where = call.url.partition("?")[0]  # behind it are the data, and perhaps a secret of the receiver
        _log.info("hook call %s %s failed", call.method, where)

    async def stop(self) -> None:
        """Give up all calls that are still to be made."""
        for task in list(self._tasks):
            task.cancel()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


def send(call: Call) -> bool:
    """Make a call once; return whether the receiver took it."""
    parts = urlsplit(call.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"accept": "application/json"}
    if call.body is not None:
        headers["content-type"] = "application/json"
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    except (ValueError, http.client.HTTPException):
        return False
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(call.method, path, call.body, headers)
        answer = connection.getresponse()
        answer.read(65536)
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return answer.status < 300
