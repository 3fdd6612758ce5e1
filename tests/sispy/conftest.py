"""Fixtures of the client's tests: both HTTP libraries, and a server that does exactly what a test scripts."""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import trustme

import sispy
import sispy.http


@pytest.fixture(params=["requests", "stdlib"])
def http_lib(request, monkeypatch):
    """Run the test with either library."""
    if request.param == "requests":
        pytest.importorskip("requests")
    monkeypatch.setattr(sispy.http, "HTTP_LIB", request.param)
    return request.param


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """Let no setting of this machine into a test, and no test into the machine's settings."""
    names = ["URL", "TOKEN", "TOKEN_FILE", "USER", "PASSWORD", "PROFILE", "CA_FILE"]
    for name in [f"SIS_{name}" for name in names] + ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "COLUMNS"]:
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("SIS_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@dataclass
class Seen:
    """Hold a request as the double saw it; header names in lower case."""

    method: str
    target: str
    headers: dict
    body: bytes = field(repr=False)
    port: int = 0  # of the client: tells connections apart

    @property
    def json(self):
        return json.loads(self.body)


_sleep = time.sleep  # tests replace time.sleep to skip the client's pauses

Wire = Callable[[socket.socket], bool]


def answer(content=None, status=200, headers=None, *, body=None) -> Wire:
    """Answer with a JSON value, or with the bytes of `body`."""
    data = json.dumps({} if content is None else content).encode() if body is None else body
    lines = [f"HTTP/1.1 {status} Because", f"Content-Length: {len(data)}"]
    given = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    lines += [f"{name}: {value}" for name, value in given.items()]
    return raw("\r\n".join([*lines, "", ""]).encode() + data)


def raw(data: bytes, *, stay=True) -> Wire:
    """Send the bytes and keep the connection open, or close it."""

    def act(sock):
        sock.sendall(data)
        return stay

    return act


def reset(sock) -> bool:
    """Break the connection off with a TCP reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def hang_up(sock) -> bool:
    """Close the connection without an answer."""
    return False


def silence(seconds, then) -> Wire:
    """Do nothing for a while, then go on."""

    def act(sock):
        _sleep(seconds)
        return then(sock)

    return act


def trickle(seconds, head=b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n") -> Wire:
    """Announce a long answer and send a byte of it now and then."""

    def act(sock):
        sock.sendall(head)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sock.sendall(b" ")
            _sleep(0.05)
        return False

    return act


def endless(head, more) -> Wire:
    """Send the head, then the same for ever, until the client goes away."""

    def act(sock):
        sock.sendall(head)
        while True:
            sock.sendall(more)

    return act


class Double:
    """Serve scripted answers over real sockets, one after another; the last one is repeated."""

    def __init__(self, *script, tls: ssl.SSLContext | None = None) -> None:
        self.script = list(script) or [answer()]
        self.seen: list[Seen] = []
        self._tls = tls
        self._news = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        scheme = "https" if tls else "http"
        self.port = self._listener.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def client(self, **options) -> sispy.Client:
        return sispy.Client(self.url, **options)

    def arrived(self) -> list[Seen]:
        """Return what was asked, once anything was: a client that gives up is ahead of a busy server."""
        with self._news:
            assert self._news.wait_for(lambda: self.seen, timeout=60)
            return list(self.seen)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            sock.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock) -> None:
        try:
            sock.settimeout(30)
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with sock, sock.makefile("rb") as reader:
                while request := self._read(reader, sock):
                    with self._news:
                        self.seen.append(request)
                        self._news.notify_all()
                        act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                    if not act(sock):
                        return
        except OSError:
            pass  # the client went away: some tests are about that

    def _read(self, reader, sock) -> Seen | None:
        start = reader.readline().decode("latin-1").split()
        if len(start) != 3:
            return None
        headers = {}
        while line := reader.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", 0)))
        return Seen(start[0], start[1], headers, body, sock.getpeername()[1])


@pytest.fixture
def double():
    """Return a function that starts a scripted server."""
    running = []

    def start(*script, **options):
        running.append(Double(*script, **options))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def wire():
    """Hold what a script is made of: with importlib mode a conftest cannot be imported by name."""

    class Parts:
        answer = staticmethod(answer)
        raw = staticmethod(raw)
        reset = staticmethod(reset)
        hang_up = staticmethod(hang_up)
        silence = staticmethod(silence)
        trickle = staticmethod(trickle)
        endless = staticmethod(endless)

    return Parts


@pytest.fixture
def no_sleep(monkeypatch):
    """Collect the pauses between tries instead of waiting."""
    pauses = []
    monkeypatch.setattr("sispy.transport.time.sleep", pauses.append)
    return pauses


@pytest.fixture(scope="session")
def authority():
    """Sign certificates."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    """Name the file to trust."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def certified(authority):
    """Let a double on 127.0.0.1 speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context
