import gzip
import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

import sispy
import sispy.http

pytestmark = pytest.mark.usefixtures("http_lib")


@pytest.fixture
def brief_pauses():
    """Leave the pauses as they are."""


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_reads_are_repeated_while_the_server_is_busy(double, wire, no_sleep, status):
    server = double(wire.answer(status=status), wire.answer(status=status), wire.answer({"ok": 1}))

    assert server.client().info().to_dict() == {"ok": 1}
    assert 0.125 <= no_sleep[0] <= 0.25 <= no_sleep[1] <= 0.5


@pytest.mark.parametrize("fault", ["reset", "hang_up"])
def test_reads_are_repeated_when_the_connection_is_lost(double, wire, no_sleep, fault):
    server = double(getattr(wire, fault), wire.answer({"ok": 1}))

    assert server.client().info().to_dict() == {"ok": 1}


@pytest.mark.parametrize("fault", ["reset", "hang_up"])
def test_a_write_that_may_have_arrived_is_not_repeated(double, wire, no_sleep, fault):
    server = double(getattr(wire, fault), wire.answer())

    with pytest.raises(sispy.ConnectionLost) as caught:
        server.client().entities("host").create({"name": "a"})

    assert (caught.value.sent, len(server.seen), no_sleep) == (True, 1, [])


@pytest.mark.parametrize(("status", "kind"), [(429, sispy.TooManyRequests), (503, sispy.ServerError)])
def test_an_answered_write_is_not_repeated(double, wire, no_sleep, status, kind):
    server = double(wire.answer(status=status, headers={"Retry-After": "7"}))

    with pytest.raises(kind) as caught:
        server.client().entities("host").update("a", {"n": 1})

    assert (caught.value.retry_after, len(server.seen)) == (7.0, 1)


def test_a_500_is_not_repeated(double, wire, no_sleep):
    server = double(wire.answer({"name": "CastError"}, 500))

    with pytest.raises(sispy.ServerError):
        server.client().info()

    assert len(server.seen) == 1


def test_tries_are_bounded(double, wire, no_sleep):
    server = double(wire.answer(status=503))

    with pytest.raises(sispy.ServerError):
        server.client(retries=3).info()

    assert (len(server.seen), len(no_sleep)) == (4, 3)


def test_retry_after_in_seconds_and_as_a_date_is_heeded(double, wire, no_sleep):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    server = double(
        wire.answer(status=429, headers={"Retry-After": "11"}),
        wire.answer(status=503, headers={"Retry-After": date}),
        wire.answer(status=503, headers={"Retry-After": "soon"}),
        wire.answer(),
    )

    server.client().info()

    assert no_sleep[0] == 11.0
    assert 17 < no_sleep[1] <= 20
    assert no_sleep[2] <= 1


def test_no_retry_after_beyond_the_time_allowed(double, wire, no_sleep):
    server = double(wire.answer(status=503, headers={"Retry-After": "3600"}))

    with pytest.raises(sispy.ServerError) as caught:
        server.client().info()

    assert (caught.value.retry_after, no_sleep) == (3600.0, [])


def test_a_read_follows_a_redirect_on_its_host(double, wire):
    server = double(wire.answer(status=301, headers={"Location": "/new/info"}), wire.answer({"ok": 1}))

    assert server.client(auth_token="secret").info().to_dict() == {"ok": 1}
    assert [seen.target for seen in server.seen] == ["/api/v1.1/info", "/new/info"]


def test_a_read_follows_a_redirect_to_tls_on_its_host(double, wire, certified, ca_file):
    safe = double(wire.answer({"ok": 1}), tls=certified)
    server = double(wire.answer(status=301, headers={"Location": safe.url + "/x"}))

    assert server.client(auth_token="secret", verify=ca_file).info().to_dict() == {"ok": 1}
    assert [seen.target for seen in safe.seen] == ["/x"]


@pytest.mark.parametrize(
    "place",
    [
        "//localhost:{port}",
        "http://127.0.0.2:{port}",
        "http://127.0.0.1:{other}",
        "https://localhost:{other}",
    ],
)
def test_no_redirect_leads_to_another_host_or_port(double, wire, place):
    other = double()
    server = double()
    target = place.format(port=server.port, other=other.port) + "/x"
    server.script[0] = wire.answer(status=302, headers={"Location": target})

    with pytest.raises(sispy.Redirected) as caught:
        server.client(auth_token="secret").info()

    assert caught.value.error == (f"302: not following the redirect to {target}; is the client's url right?")
    assert (len(server.seen), other.seen) == (1, [])


def test_no_redirect_leads_from_tls_to_where_all_can_read(double, wire, certified, ca_file):
    other = double()
    server = double(wire.answer(status=302, headers={"Location": other.url + "/x"}), tls=certified)

    with pytest.raises(sispy.Redirected):
        server.client(auth_token="secret", verify=ca_file).info()

    assert other.seen == []


def test_no_redirect_leads_in_circles(double, wire):
    circle = double(*(wire.answer(status=302, headers={"Location": f"/{n % 2}"}) for n in range(9)))

    with pytest.raises(sispy.Redirected):
        circle.client().info()

    assert [seen.target for seen in circle.seen] == ["/api/v1.1/info", "/0", "/1", "/0", "/1"]


def test_no_redirect_of_a_write_is_followed(double, wire):
    server = double(wire.answer(status=307, headers={"Location": "/new"}), wire.answer())

    with pytest.raises(sispy.Redirected):
        server.client().entities("host").delete("a")

    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "Failed to decode JSON from the response: it is empty"),
        (
            b"<html><head><title>t</title></head>Please <b>log in</b></html>",
            "Failed to decode JSON from the response: Please log in",
        ),
        (b'[{"a": 1', 'Failed to decode JSON from the response: [{"a": 1'),
    ],
)
def test_a_success_without_json(double, wire, body, text):
    server = double(wire.answer(body=body))

    with pytest.raises(sispy.NotJSON) as caught:
        server.client().info()

    whence = f"; it came from {server.url}"
    assert (caught.value.error, caught.value.http_status_code) == (text + whence, 200)


def test_the_read_timeout_grows_with_the_items_of_a_bulk_call(double, monkeypatch):
    server = double()
    client = server.client(timeout=(3, 7))
    host = client.entities("host")
    timeouts = []
    send = client._http_handler.send

    def spy(request, *, timeout):
        timeouts.append(timeout)
        return send(request, timeout=timeout)

    client._http_handler.send = spy
    host.update_bulk([{"_id": str(n)} for n in range(20_000)])
    host.create([{}] * 100)
    host.update_bulk({"n": 1}, {"q": {"n": 2}})
    host.delete_bulk({"q": {"n": 2}})
    host.get("a")

    assert timeouts == [(3, 207.0), (3, 8.0), (3, 107.0), (3, 107.0), (3, 7.0)]


def test_a_server_silent_beyond_the_read_timeout_of_single_calls_is_waited_for(double, wire):
    server = double(wire.silence(0.5, wire.answer({"success": [], "errors": []})))

    server.client(timeout=0.2).entities("host").update_bulk([{"_id": str(n)} for n in range(100)])


@pytest.mark.soak
def test_twenty_thousand_items_may_take_a_minute(double, wire):
    server = double(wire.silence(61, wire.answer({"success": [], "errors": []})))

    response = server.client().entities("host").update_bulk([{"_id": str(n), "n": 1} for n in range(20_000)])

    assert len(response.failed_ids) == 20_000


@pytest.mark.parametrize(
    ("limit", "text", "packed"), [(None, "x" * 90_000, False), (60, "x" * 50, True), (60, "x", False)]
)
def test_a_body_from_so_many_bytes_on_is_sent_packed(double, limit, text, packed):
    server = double()
    hosts = server.client(auth_token="t0ken", compress=limit).entities("host")

    hosts.create({"text": text})
    hosts.get("a")

    created, read = server.seen
    body = gzip.decompress(created.body) if packed else created.body
    assert json.loads(body) == {"text": text}
    assert [seen.headers.get("content-encoding") for seen in server.seen] == [
        "gzip" if packed else None,
        None,
    ]
    assert [seen.headers["x-auth-token"] for seen in server.seen] == ["t0ken", "t0ken"]
    assert (read.method, read.body) == ("GET", b"")


def test_a_method_in_lower_case_is_put_right(double):
    server = double()
    client = server.client()

    client.request(sispy.http.Request(client.base_uri + "/hooks", method="post", body="{}", headers={}))

    assert server.seen[0].method == "POST"


def test_every_exchange_is_logged_without_secrets(double, wire, caplog):
    caplog.set_level(logging.DEBUG)
    server = double(wire.answer({"name": "t0ken-new"}, 201), wire.answer({}), wire.answer(status=404))
    client = server.client(auth_token="t0ken-old")

    client.authenticate("anna", "pa55word")
    client.tokens("anna").update("t0ken-other", {"desc": "a secret text"})
    with pytest.raises(sispy.NotFound):
        client.entities("t0ken-new").get("x")

    texts = [record.getMessage() for record in caplog.records if record.name == "sispy"]
    assert [text.split(" ms ")[0].rpartition(" ")[0] for text in texts] == [
        "POST /api/v1.1/users/auth_token 201",
        "PUT /api/v1.1/users/anna/tokens/*** 200",
        "GET /api/v1.1/entities/***/x 404",
    ]
    assert texts[0].endswith(" 21 bytes")
    for secret in ("t0ken", "pa55word", "secret text", "Basic"):
        assert secret not in "".join(texts)
    assert "t0ken-other" not in caplog.text  # urllib3 has a log of its own


def test_the_log_of_urllib3_is_kept_with_tokens_masked(caplog):
    pytest.importorskip("sispy.http.of_requests")
    caplog.set_level(logging.DEBUG, logger="urllib3")

    logging.getLogger("urllib3.connectionpool").debug(
        "%s %s %d", "GET", "/api/v1.1/users/a/tokens/t0ken", 200
    )
    logging.getLogger("urllib3.connectionpool").debug("no arguments")

    assert [record.getMessage() for record in caplog.records] == [
        "GET /api/v1.1/users/a/tokens/*** 200",
        "no arguments",
    ]


def test_no_error_holds_a_token(double, wire):
    said = {"error": "Token for anna t0ken-one does not exist or t0ken-two", "code": 1000}
    server = double(wire.answer(said, 404))

    with pytest.raises(sispy.NotFound) as caught:
        server.client(auth_token="t0ken-two").tokens("anna").get("t0ken-one")

    assert caught.value.error == "Token for anna *** does not exist or ***"
    assert "t0ken" not in repr(caught.value)


def test_no_error_holds_the_token_of_its_request_where_the_client_has_another_by_now(double, wire):
    server = double(wire.answer({"error": "no token t0ken-one, nor t0ken-two"}, 404))
    client = server.client(auth_token="t0ken-two")

    with pytest.raises(sispy.NotFound, match=r"^no token \*\*\*, nor \*\*\*$"):
        client.request(sispy.http.Request(f"{client.base_uri}/hooks", headers={"x-auth-token": "t0ken-one"}))


def test_no_error_below_the_network_holds_a_token():
    client = sispy.Client("http://127.0.0.1:1", auth_token="t0ken-two", retries=0)

    with pytest.raises(sispy.Refused) as caught:
        client.tokens("anna").get("t0ken-one")

    chain = ""
    error: BaseException | None = caught.value
    while error is not None:
        chain += repr(error)
        error = error.__cause__ or error.__context__
    assert "t0ken" not in chain


def test_who_looks_before_every_try_is_told_at_once_that_nobody_listens(no_sleep):
    hosts = sispy.Client("http://127.0.0.1:1").entities("host").tried_once()

    with pytest.raises(sispy.Refused) as caught:
        hosts.update("a", {"n": 1})

    assert (caught.value.sent, no_sleep) == (False, [])


def test_a_write_that_nobody_took_is_repeated_for_others(no_sleep):
    with pytest.raises(sispy.Refused):
        sispy.Client("http://127.0.0.1:1", retries=3).entities("host").update("a", {"n": 1})

    assert len(no_sleep) == 3
