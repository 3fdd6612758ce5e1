"""Both handlers behave the same: every test here runs with requests and with the standard library."""

import gzip
import os
import pickle
import subprocess
import sys
import threading
import time

import pytest

import sispy
import sispy.http
from sispy.http import base
from sispy.response import Headers

pytestmark = pytest.mark.usefixtures("http_lib")

PAGE = {"x-total-count": "1"}


def test_the_handler_is_the_one_that_HTTP_LIB_names(http_lib):  # noqa: N802 -- the name of the constant
    handler = sispy.Client("http://127.0.0.1:9")._http_handler

    assert type(handler).__name__ == {"requests": "RequestsHandler", "stdlib": "StdlibHandler"}[http_lib]


def test_a_request_carries_token_and_content_type(double, wire):
    server = double(wire.answer({"_id": "1"}, 201))

    server.client(auth_token="secret-token").entities("host").create({"name": "web1"})

    (seen,) = server.seen
    assert (seen.method, seen.target, seen.json) == ("POST", "/api/v1.1/entities/host", {"name": "web1"})
    kept = {
        name: seen.headers[name] for name in ("accept", "content-type", "x-auth-token", "accept-encoding")
    }
    assert kept == {
        "accept": "application/json",
        "content-type": "application/json",
        "x-auth-token": "secret-token",
        "accept-encoding": "gzip",
    }


def test_a_write_without_content_announces_an_empty_body(double):
    server = double()

    server.client().hooks.trigger("host", "web1")

    assert (server.seen[0].headers["content-length"], server.seen[0].body) == ("0", b"")


def test_headers_match_in_any_case(double, wire):
    server = double(wire.answer([{"_id": "1"}], headers={"X-Total-COUNT": "7", "Vary": "a"}))

    meta = server.client().entities("host").fetch_page()._meta

    assert (meta.total_count, meta.headers["x-total-count"], "VARY" in meta.headers) == (7, "7", True)


@pytest.mark.parametrize("id", ["a/b", "x?y#z", "100%", "a+b c", "grüße", "..", ".", 17])
def test_ids_arrive_whole(double, id):  # noqa: A002 -- its name in the client
    from urllib.parse import unquote

    server = double()

    server.client().entities("host").get(id)

    prefix, _, last = server.seen[0].target.rpartition("/")
    assert (prefix, unquote(last)) == ("/api/v1.1/entities/host", str(id))


def test_connections_are_kept(double):
    server = double()
    client = server.client()

    for _ in range(3):
        client.info()

    assert len({seen.port for seen in server.seen}) == 1


def test_an_answer_shows_nothing_of_its_body():
    answer = sispy.http.Answer(201, "Created", Headers([("a", "1")]), b'{"name": "secret-token"}')

    assert repr(answer) == "Answer(status=201, reason='Created', headers=Headers([('a', '1')]))"


def test_http_keep_alive_false_says_so(double):
    server = double()

    server.client(http_keep_alive=False).info()

    assert server.seen[0].headers["connection"] == "close"


def test_an_idle_connection_is_not_used_again(double, monkeypatch):
    monkeypatch.setattr("sispy.http.base.IDLE_SECONDS", 0.05)
    server = double()
    client = server.client()

    client.info()
    time.sleep(0.1)
    client.entities("host").create({})

    assert len({seen.port for seen in server.seen}) == 2


def test_a_shorter_promise_of_the_server_is_believed(double, wire):
    server = double(wire.answer(headers={"Keep-Alive": "timeout=0"}))
    client = server.client()

    client.info()
    client.info()

    assert len({seen.port for seen in server.seen}) == 2


def test_a_connection_that_the_server_closed_is_not_used_again(double, wire):
    server = double(wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", stay=False), wire.answer())
    client = server.client(retries=0)

    client.info()
    time.sleep(0.05)
    client.entities("host").create({"name": "a"})

    assert [seen.method for seen in server.seen] == ["GET", "POST"]


def test_every_thread_has_its_own_connection(double):
    server = double()
    client = server.client()

    threads = [threading.Thread(target=client.info) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    client.info()

    assert len({seen.port for seen in server.seen}) == 5


def test_a_forked_child_does_not_write_into_its_parents_connection(double):
    server = double()
    client = server.client()
    client.info()

    handler = getattr(client._http_handler, "_direct", client._http_handler)
    parent = handler._wires.get()
    handler._wires._local.pid = os.getpid() + 1

    assert handler._wires.get() is not parent


@pytest.mark.parametrize(
    ("chunks", "body"),
    [
        (b"1\r\n[\r\n4\r\n1, 2\r\n1\r\n]\r\n0\r\n\r\n", b"[1, 2]"),
        (b"6;x=y\r\n[1, 2]\r\n0\r\nTrailer: z\r\n\r\n", b"[1, 2]"),
    ],
)
def test_chunked_answers_are_joined(double, wire, chunks, body):
    server = double(wire.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks))
    client = server.client()

    assert client.entities("host").raw_page().body == body
    client.info()
    assert len({seen.port for seen in server.seen}) == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_answers_are_uncompressed(double, wire, encoding):
    import zlib

    body = gzip.compress(b'{"a": 1}') if encoding == "gzip" else zlib.compress(b'{"a": 1}')
    server = double(wire.answer(body=body, headers={"Content-Encoding": encoding}))

    assert server.client().info().to_dict() == {"a": 1}


def test_damaged_compression_is_a_lost_connection(double, wire):
    server = double(wire.answer(body=b"no gzip", headers={"Content-Encoding": "gzip"}))

    with pytest.raises(sispy.ConnectionLost, match="the compressed answer is damaged"):
        server.client(retries=0).info()


def test_compression_without_its_end_is_a_lost_connection(double, wire):
    body = gzip.compress(b'{"a": 1}')[:-9]
    server = double(wire.answer(body=body, headers={"Content-Encoding": "gzip"}))

    with pytest.raises(sispy.ConnectionLost, match="the compressed answer is damaged"):
        server.client(retries=0).info()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_packed_answer_is_bounded(double, wire, monkeypatch, encoding):
    import zlib

    monkeypatch.setattr(base, "LARGEST", 2**20)
    text = b"[" + b" " * 2**26 + b"]"
    packed = gzip.compress(text) if encoding == "gzip" else zlib.compress(text)
    server = double(wire.answer(body=packed, headers={"Content-Encoding": encoding}))
    client = server.client()

    with pytest.raises(sispy.NoAnswer) as caught:
        client.entities("host").fetch_page()

    assert type(caught.value) is sispy.NoAnswer
    assert caught.value.error == (
        f"{server.url}: the answer has more than 1 MiB when unpacked; ask for fewer rows or fields"
    )
    assert (caught.value.sent, len(server.seen)) == (True, 1)  # it would be no smaller, asked again
    server.script = [wire.answer({"a": 1})]
    assert client.info().to_dict() == {"a": 1}  # on another connection: the rest of the large one is not read


@pytest.mark.parametrize("body", [b"[1]", b" \t\r\n" * 50 + b"[1]", b"\xef\xbb\xbf [1]"])
def test_a_raw_page_begins_like_a_list(double, wire, body):
    assert double(wire.answer(body=body)).client().entities("host").raw_page().body == body


@pytest.mark.parametrize("body", [b"", b" ", b"1[", b'{"a": [1]}', b"\xef\xbb\xbf" * 2 + b"[1]"])
def test_what_begins_like_no_list_is_no_raw_page(double, wire, body):
    with pytest.raises(sispy.NotJSON, match="the answer is not a JSON list"):
        double(wire.answer(body=body)).client().entities("host").raw_page()


@pytest.mark.parametrize("spare", [0, -1])
def test_the_bound_is_exact(double, wire, monkeypatch, spare):
    monkeypatch.setattr(base, "LARGEST", 2**20)
    body = b"[" + b" " * (2**20 - 2 - spare) + b"]"
    packed = {"Content-Encoding": "gzip"}
    for act in (wire.answer(body=body), wire.answer(body=gzip.compress(body), headers=packed)):
        page = double(act).client().entities("host").raw_page
        if spare < 0:
            with pytest.raises(sispy.NoAnswer, match="has more than 1 MiB"):
                page()
        else:
            assert page().body == body


@pytest.mark.parametrize(
    ("head", "more"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 4096),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\n", b" " * 4096),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 9999 + b"\r\n\r\n", b" " * 4096),
        (CHUNKED, b"400\r\n" + b" " * 1024 + b"\r\n"),
        (CHUNKED, b"1\r\n \r\n" * 1000),
        (CHUNKED + b"7ffffffffffffff0\r\n", b" " * 4096),
        (CHUNKED + b"0\r\n", b"A: b\r\n" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    ],
    ids=[
        "to the end",
        "huge length",
        "no length",
        "chunks",
        "tiny chunks",
        "a huge chunk",
        "trailers",
        "continue",
    ],
)
def test_an_answer_without_end_is_given_up(double, wire, monkeypatch, head, more):
    monkeypatch.setattr(base, "LARGEST", 2**20)
    server = double(wire.endless(head, more))

    with pytest.raises(sispy.NoAnswer, match="MiB") as caught:
        server.client().info()

    assert type(caught.value) is sispy.NoAnswer
    assert len(server.seen) == 1


def test_a_head_without_end_is_given_up(double, wire):
    server = double(wire.endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 1000))

    with pytest.raises(sispy.ConnectionLost, match="headers"):
        server.client(retries=0).info()


def test_a_large_head_is_given_up(double, wire):
    server = double(wire.endless(b"HTTP/1.1 200 OK\r\n", b"A: " + b"b" * 65_000 + b"\r\n"))

    with pytest.raises(sispy.NoAnswer, match="goes on beyond 1 MiB"):
        server.client().info()


def test_the_largest_page_of_large_rows_is_within_the_bound():
    assert base.LARGEST >= 10_000 * 50 * 1024


def test_large_bodies_travel_as_gzip(double):
    server = double()
    rows = [{"name": "x" * 100}] * 1000

    server.client().entities("host").create(rows)
    server.client(compress=None).entities("host").create(rows)
    server.client(compress=1).entities("host").create({})

    assert [seen.headers.get("content-encoding") for seen in server.seen] == ["gzip", None, "gzip"]
    assert gzip.decompress(server.seen[0].body) == server.seen[1].body
    assert gzip.decompress(server.seen[2].body) == b"{}"


def test_refused(no_sleep):
    client = sispy.Client("http://127.0.0.1:1", retries=2)

    with pytest.raises(sispy.Refused) as caught:
        client.entities("host").create({})

    assert (caught.value.error, caught.value.sent) == (
        "http://127.0.0.1:1: cannot connect (Connection refused)",
        False,
    )
    assert len(no_sleep) == 2
    assert isinstance(caught.value, OSError)


def test_unknown_host():
    with pytest.raises(sispy.UnknownHost) as caught:
        sispy.Client("http://no-such-host.invalid").info()

    assert caught.value.error.startswith("http://no-such-host.invalid: the host's name has no address (")
    assert caught.value.sent is False


def test_a_silent_server_is_a_timeout(double, wire):
    server = double(wire.silence(5, wire.answer()))  # who waits for it gets an answer

    with pytest.raises(sispy.Timeout) as caught:
        server.client(timeout=0.2).info()

    assert (caught.value.error, caught.value.sent) == (f"{server.url}: no complete answer within 0.2 s", True)


def test_a_trickling_server_is_a_timeout(double, wire):
    server = double(wire.trickle(10))  # who waits for its end has lost a connection

    with pytest.raises(sispy.Timeout):
        server.client(timeout=0.2).info()


def test_an_answer_cut_short_is_a_lost_connection(double, wire):
    server = double(wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1", stay=False))

    with pytest.raises(sispy.ConnectionLost) as caught:
        server.client(retries=0).info()

    assert caught.value.sent is True


def test_chunks_cut_short_are_a_lost_connection(double, wire):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server = double(wire.raw(head + b"5\r\n[1,2,\r\n", stay=False))

    with pytest.raises(sispy.ConnectionLost):
        server.client(retries=0).info()


def test_nonsense_instead_of_http_is_a_lost_connection(double, wire):
    server = double(wire.raw(b"220 mail.example.com ESMTP\r\n", stay=False))

    with pytest.raises(sispy.ConnectionLost):
        server.client(retries=0).info()


def test_an_early_answer_to_a_large_body_is_read(double, wire):
    server = double(wire.answer({"error": "too large", "code": 1002}, 413))

    with pytest.raises(sispy.PayloadTooLarge, match="too large"):
        server.client(compress=None).entities("host").create([{"name": "x" * 1000}] * 5000)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_nobody_answers_at_is_named(monkeypatch, scheme):
    monkeypatch.setenv(f"{scheme}_proxy", "http://anna:pw-secret@127.0.0.1:9")

    with pytest.raises(sispy.Refused) as caught:
        sispy.Client(f"{scheme}://sis.example.com", retries=0).info()

    assert caught.value.error == (
        f"{scheme}://sis.example.com through the proxy http://127.0.0.1:9 of the environment "
        "(NO_PROXY=sis.example.com goes without it): cannot connect (Connection refused)"
    )


@pytest.mark.parametrize("proxy", ["https://127.0.0.1:9", "socks5://127.0.0.1:9", "http://", "http://:9"])
def test_the_standard_library_speaks_to_proxies_of_http_alone(monkeypatch, proxy):
    monkeypatch.setenv("http_proxy", proxy)
    handler = sispy.http.StdLibHandler()

    with pytest.raises(
        sispy.Refused, match=r"the standard library speaks to http:// proxies only, not \w+://"
    ):
        handler.send(sispy.http.Request("http://sis.example.com/api"), timeout=(1, 1))


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (200, sispy.NotJSON, "Failed to decode JSON from the response: Log in first; it came from {}"),
        (407, sispy.ServerError, "407 Because from {}: Log in first"),
        (403, sispy.Unauthorized, "403 Because from {}: Log in first"),
        (502, sispy.ServerError, "502 Because from {}: Log in first"),
    ],
)
def test_a_proxy_that_answers_in_place_of_the_server_is_named(double, wire, monkeypatch, status, kind, said):
    proxy = double(wire.answer(body=b"<p>Log in first</p>", status=status))
    monkeypatch.setenv("http_proxy", f"http://anna:pw-secret@127.0.0.1:{proxy.port}")

    with pytest.raises(kind) as caught:
        sispy.Client("http://sis.example.com", retries=0).info()

    through = (
        f"http://sis.example.com through the proxy http://127.0.0.1:{proxy.port} of the environment "
        "(NO_PROXY=sis.example.com goes without it)"
    )
    assert caught.value.error == said.format(through)


def test_what_a_server_itself_says_through_a_proxy_is_said_alone(double, wire, monkeypatch):
    proxy = double(wire.answer({"error": "no such thing", "code": 1}, 404))
    monkeypatch.setenv("http_proxy", proxy.url)

    with pytest.raises(sispy.NotFound) as caught:
        sispy.Client("http://sis.example.com").entities("host").get("a")

    assert caught.value.error == "no such thing"


def test_a_proxy_is_used_and_no_proxy_is_not(double, wire, monkeypatch):
    proxy = double(wire.answer({"by": "proxy"}))
    direct = double(wire.answer({"by": "server"}))
    monkeypatch.setenv("http_proxy", f"http://anna:p%40ss@127.0.0.1:{proxy.port}")

    assert sispy.Client("http://sis.example.com").info().to_dict() == {"by": "proxy"}
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert direct.client().info().to_dict() == {"by": "server"}

    (seen,) = proxy.seen
    assert seen.target == "http://sis.example.com/api/v1.1/info"
    assert seen.headers["proxy-authorization"] == "Basic YW5uYTpwQHNz"
    assert seen.headers["host"] == "sis.example.com"


def test_a_base_address_may_have_a_path(double):
    server = double()

    sispy.Client(server.url + "/cmdb/").entities("host").fetch_page()

    assert server.seen[0].target == "/cmdb/api/v1.1/entities/host"


def test_head_counts(double, wire):
    server = double(wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\nX-Total-Count: 4711\r\n\r\n"))
    client = server.client()

    assert [client.entities("host").count({"n": None}) for _ in range(2)] == [4711, 4711]
    assert (server.seen[0].method, server.seen[0].target) == (
        "HEAD",
        "/api/v1.1/entities/host?q=%7B%22n%22%3Anull%7D&limit=1&fields=_id&populate=false",
    )
    assert len({seen.port for seen in server.seen}) == 1


def interrupted_at(line, work):
    """Do some work with Ctrl-C before a line of Python, they are counted; return whether it came so far."""
    left = line

    def count(frame, event, arg):
        nonlocal left
        left -= event == "line"
        if left < 0:
            raise KeyboardInterrupt
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.filterwarnings(  # sockets that no caller had yet, and answers half made: Python closes them
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_what_is_interrupted_anywhere_leaves_nothing_to_the_next_request(sis_sandbox):
    client = sis_sandbox.client()
    about, lines = client.info().to_dict(), 0

    while interrupted_at(lines, lambda: client.users.get("root")):
        assert client.info().to_dict() == about
        lines += 1
    assert lines > 100


def test_a_late_answer_does_not_meet_the_next_request(double, wire):
    late = wire.silence(2, wire.answer({"late": True}))
    server = double(late, wire.answer({"late": False}))
    client = server.client(timeout=1, retries=0)

    with pytest.raises(sispy.Timeout):
        client.info()

    assert client.info().to_dict() == {"late": False}
    assert len({seen.port for seen in server.seen}) == 2


def test_a_request_of_ones_own_needs_no_headers(double):
    server = double()
    client = server.client(auth_token="secret-token")

    client.request(sispy.http.Request(f"{client.base_uri}/info"))

    assert (server.seen[0].headers["accept-encoding"], "x-auth-token" in server.seen[0].headers) == (
        "gzip",
        False,
    )


def test_a_trickling_head_is_a_timeout(double, wire):
    server = double(wire.trickle(5, head=b"HTTP/1.1 200 OK\r\nX-Slow: "))

    with pytest.raises(sispy.Timeout):
        server.client(timeout=0.2).info()


def test_an_answer_that_begins_late_may_take_its_time(double, wire):
    late = wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
    rest = wire.silence(0.2, wire.raw(b"}"))
    server = double(wire.silence(0.2, lambda sock: late(sock) and rest(sock)))

    assert server.client(timeout=0.3).info().to_dict() == {}


def test_the_names_of_sispy_1_are_there():
    pytest.importorskip("requests")

    assert sispy.http.StdLibHandler is sispy.http.StdlibHandler
    assert isinstance(sispy.http.RequestsHandler, type)
    assert (sispy.http.StdLibHandler().http_keep_alive, sispy.http.StdLibHandler(False).http_keep_alive) == (
        True,
        False,
    )
    assert sispy.http.urlencode({"a": 1}) == "a=1"
    assert sispy.__version__ == (2, 0, 0)
    for module in (sispy, sispy.http):
        with pytest.raises(AttributeError, match="has no attribute 'nope'"):
            _ = module.nope


@pytest.mark.parametrize(
    ("kind", "of_requests", "others"),
    [
        (sispy.Refused, "ConnectionError", {}),
        (sispy.UnknownHost, "ConnectionError", {"url": "http://no.such.host.invalid"}),
        (sispy.TLSFailed, "SSLError", {"tls": True}),
        (sispy.Timeout, "Timeout", {"script": "silent"}),
        (sispy.ConnectionLost, "ConnectionError", {"script": "hang up"}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_where_requests_is_used_its_own_exceptions_catch_what_they_did(
    double, wire, certified, monkeypatch, kind, of_requests, others
):
    requests = pytest.importorskip("requests")
    monkeypatch.setattr(sispy.http, "HTTP_LIB", "requests")
    script = {"silent": [wire.silence(0.5, wire.hang_up)], "hang up": [wire.hang_up]}.get(
        others.get("script"), []
    )
    server = double(*script, tls=certified if others.get("tls") else None)
    url = others.get("url", server.url)
    if kind is sispy.Refused:
        url = "http://127.0.0.1:9"

    with pytest.raises(getattr(requests.exceptions, of_requests)) as caught:
        sispy.Client(url, retries=0, timeout=0.2).info()

    assert isinstance(caught.value, kind)
    assert type(caught.value).__name__ == kind.__name__
    assert (caught.value.request, caught.value.response) == (None, None)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), copy.error, copy.sent) == (type(caught.value), caught.value.error, caught.value.sent)


def test_requests_is_imported_for_its_errors_alone():
    code = """
import sys, sispy
client = sispy.Client("http://127.0.0.1:9")
print("requests" in sys.modules)
try:
    client.info()
except sispy.Refused as error:
    import requests
    print(isinstance(error, requests.exceptions.ConnectionError))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True"]


def test_a_failure_is_told_where_requests_cannot_be_imported_any_more(monkeypatch):
    client = sispy.Client("http://127.0.0.1:9", retries=0)
    monkeypatch.setitem(sys.modules, "sispy.http.of_requests", None)

    with pytest.raises(sispy.Refused) as caught:
        client.info()

    assert type(caught.value) is sispy.Refused
