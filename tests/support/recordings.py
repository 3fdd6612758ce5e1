"""Requests that were sent to the SIS server and what it answered, played again step by step.

The steps are lines of JSON: a request (`send`), what of the answer later requests name (`keep`), and what is
expected of it (`expect`, `parts`). In requests `{name}` stands for what was kept. A recorded body is a
pattern, in which texts in angle brackets stand for what differs from run to run: `<ms>` for a time of today,
`<id:3>` for one id wherever it comes in a topic.
"""

import base64
import gzip
import http.client
import json
import re
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

DAY = 86_400_000
VARIABLE = re.compile(r"\{([a-z]\w*)\}")
ID = re.compile(r"[0-9a-f]{24}")


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


STANDS_FOR = {
    "<ms>": lambda value: _is_number(value) and abs(value - time.time() * 1000) < DAY,
    "<ms left>": _is_number,
    "<trans>": lambda value: isinstance(value, dict),
    "<token>": lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{32}", value) is not None,
    "<text>": lambda value: isinstance(value, str) and value != "",
    "<detail>": lambda value: value is not None,
}


class MismatchError(AssertionError):
    """An answer is not as it was recorded."""

    def __init__(self, where, expected, found):
        super().__init__(f"{where}: expected {_brief(expected)}, got {_brief(found)}")


def load(path):
    """Read recordings: topic -> steps."""
    topics = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            step = json.loads(line)
            topics.setdefault(step["topic"], []).append(step)
    return topics


def matched(pattern, value, ids, unordered=(), where="body"):
    """Return the ids known once a value has met a pattern; raise MismatchError where it does not.

    Args:
        pattern: of a recorded answer.
        value: of today's.
        ids: label -> id of what has matched before; one label means one id, and the other way round.
        unordered: where there are lists whose members come in any order.
        where: path of the value.
    """
    if isinstance(pattern, str) and pattern.startswith("<id:"):
        known = ids.get(pattern)
        if known is None and isinstance(value, str) and ID.fullmatch(value) and value not in ids.values():
            return {**ids, pattern: value}
        if known is None or known != value:
            raise MismatchError(where, known or pattern, value)
    elif isinstance(pattern, str) and pattern in STANDS_FOR:
        if not STANDS_FOR[pattern](value):
            raise MismatchError(where, pattern, value)
    elif isinstance(pattern, dict) and isinstance(value, dict):
        if pattern.keys() != value.keys():
            raise MismatchError(where, sorted(pattern), sorted(value))
        for key, inner in pattern.items():
            ids = matched(inner, value[key], ids, unordered, f"{where}.{key}")
    elif isinstance(pattern, list) and isinstance(value, list):
        if len(pattern) != len(value):
            raise MismatchError(where, pattern, value)
        if where in unordered:
            return _in_any_order(pattern, value, ids, where)
        for i, (inner, one) in enumerate(zip(pattern, value, strict=True)):
            ids = matched(inner, one, ids, unordered, f"{where}.{i}")
    elif pattern != value or isinstance(pattern, bool) != isinstance(value, bool):
        raise MismatchError(where, pattern, value)
    return ids


def _in_any_order(patterns, values, ids, where):
    if not patterns:
        return ids
    mismatch = MismatchError(where, patterns[0], values)
    for i, value in enumerate(values):
        try:
            known = matched(patterns[0], value, ids, (), where)
            return _in_any_order(patterns[1:], values[:i] + values[i + 1 :], known, where)
        except MismatchError as error:
            mismatch = error
    raise mismatch


def picked(document, path):
    """What stands at a dotted path: `*` is each member, `name=x` the member with it, `a,b` both values."""
    head, _, rest = path.partition(".")
    if not path:
        return document
    if head == "*":
        return [picked(one, rest) for one in document]
    if "=" in head:
        name, _, text = head.partition("=")
        found = next(one for one in document if one[name] == text)
    elif "," in head:
        found = [document[name] for name in head.split(",")]
    else:
        found = document[int(head)] if isinstance(document, list) else document[head]
    return picked(found, rest)


class Listener:
    """A receiver of hooks on this machine that notes its calls; on `fail-once` it fails once."""

    def __init__(self):
        self.calls = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def note(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                url = urlsplit(self.path)
                call = {"method": self.command, "path": url.path, "content_type": _kind(self.headers)}
                if url.query:
                    call["query"] = {name: _decoded(value.encode()) for name, value in parse_qsl(url.query)}
                if body:
                    call["body"] = _decoded(body)
                fails = "fail-once" in url.path and all(one["path"] != url.path for one in listener.calls)
                listener.calls.append(call)
                self.send_response(500 if fails else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST = do_PUT = do_DELETE = note  # noqa: N815 - as http.server calls them

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, count):
        """Wait for so many calls and return those that came; one too many is found by the next look."""
        until = time.monotonic() + 10
        while len(self.calls) < count and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(0.02)
        calls, self.calls = self.calls, []
        return calls

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Player:
    """Plays the steps of one topic against one server."""

    def __init__(self, sis):
        self.sis = sis
        self.listener = Listener()
        self.known = {"root": sis.token, "listener": self.listener.url}
        self.ids = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def play(self, step):
        """Send what a step sends, and compare; raise MismatchError where the answer is another one."""
        send, expect = step["send"], step["expect"]
        time.sleep(send.get("pause", 0))
        status, headers, body = self._answer(send)
        for name, path in step.get("keep", {}).items():
            try:
                self.known[name] = picked(body, path)
            except (LookupError, TypeError, ValueError, StopIteration):
                self.known.pop(name, None)
        if status != expect["status"]:
            raise MismatchError("status", expect["status"], (status, body))
        for name, value in expect["headers"].items():
            found = _kind(headers) if name == "content-type" else headers.get(name)
            if found != value:
                raise MismatchError(name, value, found)
        if "body" in expect:
            if status >= 400 and isinstance(body, dict) and body and "error" not in body:
                body = {"name": body.get("name")}  # the database's own error: nobody relies on its text
            unordered = {f"body.{path}".rstrip(".") for path in step.get("unordered", ())}
            self.ids = matched(expect["body"], body, self.ids, unordered)
        for part in step.get("parts", ()):
            self._compare(part, picked(body, part["at"]))

    def _compare(self, part, found):
        if "count" in part and len(found) != part["count"]:
            raise MismatchError(part["at"], part["count"], len(found))
        if "after" in part and found <= self._filled(part["after"]):
            raise MismatchError(part["at"], "a later time", found)
        if "is" in part:
            expected = self._filled(part["is"])
            if part.get("in any order"):
                expected, found = sorted(expected), sorted(found)
            if expected != found:
                raise MismatchError(part["at"], expected, found)

    def _answer(self, send):
        if "calls" in send:
            return 200, {}, self.listener.take(send["calls"])
        if "wire" in send:
            with socket.create_connection((self.sis.host, self.sis.port), 10) as connection:
                connection.sendall(self._filled(send["wire"]).encode())
                return int(connection.recv(64).split()[1]), {}, "<wire>"
        if "times" in send:
            with ThreadPoolExecutor(send["times"]) as pool:
                answers = list(pool.map(lambda _: self._exchange(send), range(send["times"])))
            return 200, {}, dict(Counter(str(status) for status, _, _ in answers))
        return self._exchange(send)

    def _exchange(self, send):
        headers = {"accept": "application/json"}
        content = send["text"].encode() if "text" in send else base64.b64decode(send.get("base64", ""))
        if "login" in send:
            pair = ":".join(map(self._filled, send["login"]))
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        elif (token := send.get("token", "root")) is not None:
            headers["x-auth-token"] = self._known(token)
        if "body" in send:
            content = json.dumps(self._filled(send["body"])).encode()
            headers["content-type"] = "application/json"
        headers |= {name.lower(): value for name, value in send.get("headers", {}).items()}
        target = self._filled(send["path"])
        if "query" in send:
            target += f"?{_query(self._filled(send['query']))}"
        connection = http.client.HTTPConnection(self.sis.host, self.sis.port, timeout=60)
        try:
            connection.request(send["method"], target, content or None, headers)
            answer = connection.getresponse()
            found = answer.read()
        finally:
            connection.close()
        return (
            answer.status,
            answer.headers,
            _decoded(found.replace(self.listener.url.encode(), b"<listener>")),
        )

    def _filled(self, value):
        """A value with what was kept in place of its variables, and with what is written shortly in full."""
        if isinstance(value, dict):
            if "<repeat>" in value:
                times, one = value["<repeat>"]
                return one * times
            if "<numbered>" in value:
                times, name = value["<numbered>"]
                return [{name: i} for i in range(times)]
            return {self._filled(key): self._filled(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        if isinstance(value, str):
            whole = VARIABLE.fullmatch(value)
            return self._known(whole[1]) if whole else VARIABLE.sub(lambda v: str(self._known(v[1])), value)
        return value

    def _known(self, name):
        if name not in self.known:
            raise MismatchError("not sent", f"an earlier answer with {name}", None)
        return self.known[name]


def _query(query):
    if isinstance(query, str):
        return query
    return urlencode({name: one if isinstance(one, str) else json.dumps(one) for name, one in query.items()})


def _kind(headers):
    kind = headers.get("content-type")
    return None if kind is None else kind.partition(";")[0].strip().lower()


def _decoded(content):
    if not content:
        return "<empty>"
    try:
        return json.loads(content)
    except ValueError:
        return "<html>" if content.lstrip().startswith(b"<") else content.decode("utf-8", "replace")


def _brief(value):
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:300]}..."
