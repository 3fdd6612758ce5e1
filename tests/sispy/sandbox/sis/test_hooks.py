"""Calls to hooks: what is sent, how often, and what must never happen."""

import json
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from sispy.sandbox import Sandbox


class Listener:
    """A receiver that notes what it gets; the first `failures` calls are answered 500."""

    def __init__(self):
        self.calls = []
        self.failures = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.calls.append(
                    (time.monotonic(), self.command, self.path, json.loads(body) if body else None)
                )
                failed = outer.failures > 0
                outer.failures -= 1
                self.send_response(500 if failed else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_PUT = do_POST  # noqa: N815 - names of the base class

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count):
        deadline = time.monotonic() + 5
        while len(self.calls) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        return self.calls


@pytest.fixture
def listener():
    found = Listener()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def client(sis_client):
    definition = {"name": {"type": "String", "required": True, "unique": True}, "n": "Number"}
    sis_client.schemas.create({"name": "row", "_sis": {"owner": ["g1"]}, "definition": definition})
    return sis_client


def add_hook(client, url, **options):
    client.hooks.create(
        {
            "name": "h",
            "_sis": {"owner": ["g1"]},
            "entity_type": "row",
            "target": {"url": url, "action": "POST"},
            "events": ["insert", "update", "delete"],
            **options,
        }
    )


def test_a_write_is_told_after_it_was_answered(client, listener):
    add_hook(client, listener.url)
    row = client.entities("row").create({"name": "a"})
    changed = client.entities("row").update("a", {"n": 1})
    client.entities("row").delete("a")
    bodies = [call[3] for call in listener.wait(3)]
    by_event = {body["event"]: body for body in bodies}
    common = {"hook": "h", "entity_type": "row", "is_bulk": False}
    assert by_event == {
        "insert": {**common, "event": "insert", "data": {k: row[k] for k in row}},
        "update": {
            **common,
            "event": "update",
            "data": {k: changed[k] for k in changed},
            "old_value": {k: row[k] for k in row},
        },
        "delete": {**common, "event": "delete", "data": {k: changed[k] for k in changed}},
    }


def test_the_create_of_an_upsert_is_an_update_without_data(client, listener):
    add_hook(client, listener.url)
    client.entities("row").upsert("a", {"name": "a"})
    assert [call[3] for call in listener.wait(1)] == [
        {"hook": "h", "entity_type": "row", "event": "update", "is_bulk": False}
    ]


def test_a_failed_call_is_repeated_after_the_delay(client, listener):
    listener.failures = 1
    add_hook(client, listener.url, retry_count=3, retry_delay=1)
    client.entities("row").create({"name": "a"})
    first, second = listener.wait(2)
    assert second[0] - first[0] > 0.9
    assert first[3] == second[3]


def test_without_retries_a_failure_is_the_end(client, listener):
    listener.failures = 1
    add_hook(client, listener.url)
    client.entities("row").create({"name": "a"})
    assert len(listener.wait(1)) == 1


def test_a_trigger_reaches_get_hooks_and_answers(client, listener):
    """The server that is copied hangs here, and dies."""
    add_hook(client, f"{listener.url}/x?k=v", target={"url": f"{listener.url}/x?k=v", "action": "GET"})
    row = client.entities("row").create({"name": "a"})
    listener.wait(1)
    import requests

    answer = requests.post(f"{client.url}/api/v1.1/hooks/trigger/row/a", timeout=5)
    assert (answer.status_code, answer.json()["entity"]) == (200, {k: row[k] for k in row})
    _, method, target, _ = listener.wait(2)[1]
    query = dict(parse_qsl(urlsplit(target).query))
    assert (method, query["k"], query["data[event]"], query["data[is_bulk]"]) == (
        "GET",
        "v",
        "update",
        "false",
    )
    assert json.loads(query["data[data]"]) == {k: row[k] for k in row}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "nonsense", "ftp://x/", "http://[bad/", "http://x:99999/"]
)
def test_a_target_that_cannot_be_reached_harms_nobody(client, url):
    add_hook(client, url)
    assert client.entities("row").create({"name": "a"})["name"] == "a"
    assert client.entities("row").count({}) == 1


def test_the_log_names_the_target_without_its_parameters(client, caplog):
    caplog.set_level(logging.INFO, "sispy.sandbox")
    add_hook(client, "http://127.0.0.1:1/take?key=s3cret")
    client.entities("row").create({"name": "a"})
    deadline = time.monotonic() + 10
    while not caplog.messages and time.monotonic() < deadline:
        time.sleep(0.01)
    assert caplog.messages == ["hook call POST http://127.0.0.1:1/take failed"]


def test_calls_that_wait_end_with_the_server(listener):
    listener.failures = 99
    with Sandbox() as sis:
        client = sis.client()
        client.schemas.create({"name": "row", "_sis": {"owner": ["g1"]}, "definition": {"name": "String"}})
        add_hook(client, listener.url, retry_count=20, retry_delay=60)
        client.entities("row").create({"name": "a"})
        listener.wait(1)
    assert len(listener.calls) == 1
