"""A proxy that goes wrong in every way, between the client and the sandbox, for every verb."""

import http.client
import json
import socket
from dataclasses import replace
from typing import Any

import pytest

import sispy
from sispy.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("http_lib")

SCHEMA = {
    "name": "host",
    "_sis": {"owner": ["ops"]},
    "definition": {"name": {"type": "String", "required": True, "unique": True}, "n": "Number"},
}
LIMIT = 0.05  # seconds of silence that are allowed where there shall be a timeout

READS = {
    "fetch_page": lambda sis: [row["name"] for row in sis.entities("host").fetch_page()] == ["a", "b"],
    "fetch_all": lambda sis: len(sis.entities("host").fetch_all({"limit": 1})) == 2,
    "raw_page": lambda sis: len(json.loads(sis.entities("host").raw_page().body)) == 2,
    "count": lambda sis: sis.entities("host").count({"n": 1}) == 2,
    "get": lambda sis: sis.entities("host").get("a")["n"] == 1,
    "commits": lambda sis: len(sis.entities("host").commits(sis.ids["a"]).fetch_page()) == 1,
    "revision": lambda sis: sis.entities("host").revision(sis.ids["a"], 2**42)["n"] == 1,
    "schema": lambda sis: sis.schemas.get("host")["name"] == "host",
    "info": lambda sis: "version" in sis.info(),
}
WRITES = {
    "create": lambda sis: sis.entities("host").create({"name": "new"}),
    "create_list": lambda sis: sis.entities("host").create([{"name": "new"}]),
    "update": lambda sis: sis.entities("host").update("a", {"n": 2}),
    "upsert": lambda sis: sis.entities("host").upsert("new", {"name": "new"}),
    "update_bulk": lambda sis: sis.entities("host").update_bulk([{"_id": sis.ids["a"], "n": 2}]),
    "update_by_query": lambda sis: sis.entities("host").update_bulk({"n": 2}, {"q": {"name": "a"}}),
    "delete": lambda sis: sis.entities("host").delete("a"),
    "delete_bulk": lambda sis: sis.entities("host").delete_bulk({"q": {"name": "a"}}),
    "authenticate": lambda sis: sis.authenticate("root", "secret"),
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(password="secret") as server:
        server.client().schemas.create(SCHEMA)
        yield server


@pytest.fixture
def sis(sandbox, double, no_sleep, monkeypatch):
    """Return a client behind the proxy; `sis.meet(fault, ...)` says what its next requests meet."""
    monkeypatch.setattr("sispy.client._QUERY_ITEMS", 0)  # the time allowed for bulk calls by query
    direct = sandbox.client()
    host = direct.entities("host")
    host.delete_bulk({"q": {"_id": {"$exists": True}}})
    proxy = double()

    def forward(sock):
        far = http.client.HTTPConnection("127.0.0.1", sandbox.port)
        seen = proxy.seen[-1]
        names = ("content-type", "x-auth-token", "authorization", "content-encoding")
        headers = {name: seen.headers[name] for name in names if name in seen.headers}
        far.request(seen.method, seen.target, seen.body, headers)
        answer = far.getresponse()
        body = answer.read()
        far.close()
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}", f"Content-Length: {len(body)}"]
        lines += [
            f"{k}: {v}" for k, v in answer.getheaders() if k.lower() in ("content-type", "x-total-count")
        ]
        return "\r\n".join([*lines, "", ""]).encode(), body

    def passes(sock):
        head, body = forward(sock)
        sock.sendall(head + body)
        return True

    client: Any = sispy.Client(proxy.url, auth_token=sandbox.token, timeout=20)
    client.forward = forward
    client.passes = passes
    client.ids = {
        row["name"]: row["_id"] for row in host.create([{"name": name, "n": 1} for name in "ab"])["success"]
    }
    client.direct = direct
    client.proxy = proxy

    def meet(*faults):
        proxy.script = [*faults, passes]

    client.meet = meet
    return client


def faults(sis, wire, verb):
    """Return name -> (what the proxy does, is the request carried out, the error it makes)."""

    def after(then):
        def act(sock):
            head, body = sis.forward(sock)
            return then(sock, head, body)

        return act

    def truncated(sock, head, body):
        sock.sendall(head + body[: len(body) // 2])
        return False

    page = {"Content-Type": "text/html"}
    bad_gateway = wire.answer(status=502, body=b"<h1>Bad gateway</h1>", headers=page)
    empty = wire.raw(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", stay=False)
    # an answer to HEAD has no body to be slow with
    head = {"head": b"HTTP/1.1 200 OK\r\nX-Slow: "} if verb == "count" else {}
    return {
        "latency": (wire.silence(LIMIT / 5, sis.passes), True, None),
        "reset_before": (wire.reset, False, sispy.ConnectionLost),
        "reset_after": (after(lambda sock, head, body: wire.reset(sock)), True, sispy.ConnectionLost),
        "truncated": (after(truncated), True, sispy.ConnectionLost),
        "too_many": (wire.answer(status=429, headers={"Retry-After": "3"}), False, sispy.TooManyRequests),
        "bad_gateway": (bad_gateway, False, sispy.ServerError),
        "html": (wire.answer(body=b"<html>Please log in</html>", headers=page), False, sispy.NotJSON),
        "empty_400": (empty, False, sispy.BadRequest),
        "trickle": (wire.trickle(3, **head), False, sispy.Timeout),
        "silent": (wire.silence(3, wire.hang_up), False, sispy.Timeout),
    }


RETRIED = ("reset_before", "reset_after", "truncated", "too_many", "bad_gateway")
FAULTS = ("latency", *RETRIED, "html", "empty_400", "trickle", "silent")


def leaf(error: BaseException) -> type:
    """Return which error of sispy it is; with requests it is one of theirs, too."""
    return next(kind for kind in type(error).__mro__ if kind.__module__ == "sispy.errors")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("verb", READS)
def test_reads(sis, wire, fault, verb):
    act, _, kind = faults(sis, wire, verb)[fault]
    sis.meet(act)
    if kind is sispy.Timeout:
        sis._policy = replace(sis._policy, read=LIMIT)

    # where HEAD fails, count asks again by GET
    if fault == "latency" or fault in RETRIED or (verb == "count" and kind is not sispy.Timeout):
        assert READS[verb](sis)
    else:
        with pytest.raises(kind) as caught:
            READS[verb](sis)
        assert leaf(caught.value) is kind


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("verb", WRITES)
def test_writes(sis, wire, fault, verb):
    act, arrives, kind = faults(sis, wire, verb)[fault]
    sis.meet(act)
    if kind is sispy.Timeout:
        sis._policy = replace(sis._policy, read=LIMIT)

    if kind is None:
        WRITES[verb](sis)
    else:
        with pytest.raises(kind) as caught:
            WRITES[verb](sis)
        assert leaf(caught.value) is kind

    assert [seen.method in ("PUT", "POST", "DELETE") for seen in sis.proxy.arrived()].count(True) == 1
    done: dict[str, int | None] = {"a": 1, "b": 1}
    if arrives and verb in ("create", "create_list", "upsert"):
        done["new"] = None
    if arrives and verb.startswith("update"):
        done["a"] = 2
    if arrives and verb.startswith("delete"):
        del done["a"]
    assert {row["name"]: row.get("n") for row in sis.direct.entities("host").fetch_all()} == done


def test_a_write_that_certainly_did_not_arrive_is_repeated(sis, monkeypatch):
    """Nobody listens at first; then the server is there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = sispy.Client(f"http://127.0.0.1:{port}", auth_token=sis.auth_token)
    running = []

    def start_after_the_second_try(pause):
        pauses.append(pause)
        if len(pauses) == 2:
            running.append(Sandbox(port=port, password="secret").start())
            client.auth_token = running[0].token

    pauses = []
    monkeypatch.setattr("sispy.transport.time.sleep", start_after_the_second_try)
    try:
        assert client.authenticate("root", "secret") is True
    finally:
        for server in running:
            server.stop()
    assert len(pauses) == 2
