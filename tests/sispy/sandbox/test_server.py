"""The sandbox as a thing to start and stop, many at once, and its clients."""

import contextlib
import gc
import http.client
import socket
import threading
import time
import warnings
from datetime import UTC, datetime, timedelta

import pytest

from sispy import NoAnswer
from sispy.sandbox import Sandbox
from wire import SCHEMA


def test_many_servers_run_side_by_side():
    with Sandbox() as one, Sandbox() as two:
        one.client().schemas.create(SCHEMA)
        assert [s["name"] for s in one.client().schemas.fetch_all({})] == ["row"]
        assert list(two.client().schemas.fetch_all({})) == []
        assert one.port != two.port


def test_a_stop_may_be_repeated():
    sandbox = Sandbox().start()
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sandbox.port), 1)


def test_a_stop_closes_connections_that_were_just_made():
    with Sandbox() as sandbox, warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always", ResourceWarning)
        over = threading.Event()

        def knock():
            while not over.is_set():
                with contextlib.suppress(OSError):
                    socket.create_connection((sandbox.host, sandbox.port), 1).close()

        threads = [threading.Thread(target=knock) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(10):
            time.sleep(0.01)
            sandbox.stop()
            sandbox.start()
        over.set()
        for thread in threads:
            thread.join()
        gc.collect()
    assert [str(warning.message) for warning in left_open] == []


@pytest.mark.parametrize("kept", [False, True])
def test_a_server_comes_back_as_it_was(tmp_path, kept):
    sandbox = Sandbox(data=tmp_path / "sis.sqlite" if kept else None).start()
    try:
        client = sandbox.client()
        client.schemas.create(SCHEMA)
        port = sandbox.port
        sandbox.stop()
        with pytest.raises(NoAnswer):
            client.schemas.fetch_all({})
        sandbox.start()
        assert sandbox.port == port
        client.entities("row").create({"name": "a"})
        assert client.entities("row").count({}) == 1
    finally:
        sandbox.stop()
    if kept:
        with Sandbox(data=tmp_path / "sis.sqlite") as sis:
            assert sis.client().entities("row").count({}) == 1


def test_a_taken_port_is_said_at_once(sis_sandbox):
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=sis_sandbox.port).start()


def test_a_stop_cuts_connections_that_wait(sis_sandbox):
    connection = http.client.HTTPConnection(sis_sandbox.host, sis_sandbox.port, timeout=5)
    connection.request("GET", "/api/v1.1/info")
    connection.getresponse().read()
    sis_sandbox.stop()
    assert connection.sock.recv(1) == b""
    connection.close()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"samples": -1}, "samples is a number, 0 or more, got -1"),
        ({"history": "5"}, "history is a number, 0 or more, got '5'"),
        ({"only": "host"}, "only is a list of tables or a query for each, got 'host'"),
        (
            {"copy_from": "http://sis.example.com"},
            "copy_from is a sispy.Client, got 'http://sis.example.com'",
        ),
    ],
)
def test_a_sandbox_that_cannot_be_is_refused_at_once(arguments, sentence):
    with pytest.raises(ValueError) as refused:
        Sandbox(**arguments)
    assert str(refused.value) == sentence


def test_users_of_the_samples_have_clients():
    with Sandbox(samples=1) as sis:
        assert sis.client("bob").username == "bob"
        host = next(iter(sis.client().entities("host").fetch_all({"populate": "false"})))
        assert host["name"]


def test_the_servers_time_may_be_set_and_goes_on_from_there():
    with Sandbox(samples=1) as sandbox:
        racks = sandbox.client().entities("rack")
        sandbox.now = moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

        written = racks.update(racks.fetch_page({"limit": 1})[0]["_id"], {"units": 3})["_sis"]["_updated_at"]

        assert 0 <= written - moment.timestamp() * 1000 < 60_000
        assert moment <= sandbox.now < moment + timedelta(minutes=1)
