"""HTTP on the wire: what is idle, half, slow or no HTTP at all."""

import contextlib
import socket
import time

import pytest

from sispy.sandbox import Sandbox
from sispy.sandbox.web import protocol
from wire import post_head, talk


def test_idle_connections_are_closed_after_five_seconds(monkeypatch):
    assert protocol.IDLE == 5
    monkeypatch.setattr(protocol, "IDLE", 1)
    with (
        Sandbox() as sis,
        socket.create_connection((sis.host, sis.port), 10) as silent,
        socket.create_connection((sis.host, sis.port), 10) as connection,
    ):
        connection.sendall(b"GET /api/v1.1/info HTTP/1.1\r\nHost: localhost\r\n\r\n")
        found = b""
        while not found.endswith(b"}"):
            found += connection.recv(65536)
        assert b"keep-alive: timeout=1" in found
        begin = time.monotonic()
        assert connection.recv(1) == b""
        assert time.monotonic() - begin > 0.9
        assert silent.recv(1) == b""


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"get /api/v1.1/info HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /api/v1.1/a b HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /api/v1.1/info?" + b"x" * 24_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"431"),
        (b"GET /api/v1.1/info HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 99_000 + b"\r\n\r\n", b"431"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_http_gets_an_empty_answer(sis_sandbox, request_, status):
    head, _, body = talk(sis_sandbox, request_).partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == status
    assert body == b""


@pytest.mark.parametrize(
    "half",
    [
        b"GET /api/v1.1/info HTTP/1.1\r\nHost: localhost\r\n",
        b'POST /api/v1.1/entities/row HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{"name":',
        b"PUT /api/v1.1/hooks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
)
def test_half_a_request_is_hung_up_on(sis_sandbox, monkeypatch, half):
    monkeypatch.setattr(protocol, "PATIENCE", 0.2)
    with (
        socket.create_connection((sis_sandbox.host, sis_sandbox.port), 20) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(half)
        assert connection.recv(100) == b""
    assert sis_sandbox.requests == []


def test_a_request_that_comes_a_byte_at_a_time_is_hung_up_on(sis_sandbox, monkeypatch):
    monkeypatch.setattr(protocol, "PATIENCE", 0.2)
    monkeypatch.setattr(protocol, "SLOWEST", 2**60)
    with socket.create_connection((sis_sandbox.host, sis_sandbox.port), 20) as connection:
        connection.sendall(post_head(sis_sandbox, 2**60))
        with pytest.raises(ConnectionError):
            while True:
                connection.sendall(b" ")
    assert sis_sandbox.requests == []


def test_a_slow_request_that_goes_on_is_waited_for(sis_sandbox, rows, monkeypatch):
    monkeypatch.setattr(protocol, "PATIENCE", 0)
    monkeypatch.setattr(protocol, "SLOWEST", 1)  # a second for each byte
    body = b'{"name":"slow"}'
    with socket.create_connection((sis_sandbox.host, sis_sandbox.port), 20) as connection:
        for part in (post_head(sis_sandbox, len(body)), body[:5]):
            connection.sendall(part)
            assert rows.count({}) == 0  # the server has looked at the clock by now
        connection.sendall(body[5:])
        assert connection.recv(100).startswith(b"HTTP/1.1 201")
