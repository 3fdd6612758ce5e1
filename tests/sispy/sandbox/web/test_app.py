"""Who is served, and what is answered where something goes wrong."""

import contextlib
import json
import socket

import pytest

from sispy.sandbox import Sandbox
from wire import SCHEMA, post_head, raw, talk


def test_a_body_just_below_the_limit_is_taken(sis_sandbox, rows):
    text = "x" * int(9.9 * 1024 * 1024)
    status, _, content = raw(
        sis_sandbox, "POST", "/entities/row", json.dumps({"name": text}), {"Content-Type": "application/json"}
    )
    assert status == 201
    assert len(json.loads(content)["name"]) == len(text)


def test_the_answer_of_a_long_list_is_chunked(sis_sandbox, rows):
    rows.create([{"name": f"r{i}"} for i in range(100)])
    _, short, _ = raw(sis_sandbox, "GET", "/entities/row?limit=99")
    _, long, content = raw(sis_sandbox, "GET", "/entities/row?limit=100")
    assert short["content-type"] == "application/json; charset=utf-8"
    assert int(short["content-length"]) > 0
    assert (long["content-type"], long["transfer-encoding"]) == ("application/json", "chunked")
    assert (long["x-accel-buffering"], len(json.loads(content))) == ("no", 100)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/users/root/tokens", [{"desc": "a"}], 400, 1001),  # the server stores tokens without names
        ("GET", "/entities/row/x/commits?q=%7Bbad", None, 400, 1001),  # the server ignores it and takes harm
        ("GET", "/schemas?fields=name&with_counts=true", None, 500, None),
        ("PUT", "/entities/row/x?cas=null", {"n": 1}, 500, None),
        ("POST", "/entities/row", [{"name": "a"}, None], 200, None),
        ("POST", "/schemas", {**SCHEMA, "name": "bad", "definition": {"a": {"b": {}}}}, 400, 1001),
        (
            "POST",
            "/schemas",
            {**SCHEMA, "name": "bad", "definition": {"n": {"type": "Number", "default": "x"}}},
            400,
            1001,
        ),
        ("POST", "/entities/row?q=%zz", {"name": "b"}, 201, None),
        ("GET", "/entities/row/x/revisions/5", None, 404, None),
        ("POST", "/entities/unknown/x", {}, 404, None),
        ("PATCH", "/entities/unknown", {}, 404, None),
    ],
)
def test_what_the_server_gets_wrong_is_answered_in_its_stead(
    sis_sandbox, rows, method, path, body, status, code
):
    found, _, content = raw(
        sis_sandbox,
        method,
        path,
        None if body is None else json.dumps(body),
        {"Content-Type": "application/json"},
    )
    assert (found, json.loads(content).get("code") if b"<pre>" not in content else None) == (status, code)


def test_no_traceback_leaves_the_server(sis_sandbox, rows, monkeypatch, caplog):
    monkeypatch.setattr(sis_sandbox.world.users, "of_token", lambda token: 1 / 0)
    status, _, content = raw(sis_sandbox, "POST", "/entities/row", "{}", {"Content-Type": "application/json"})
    assert (status, json.loads(content)) == (500, {"error": "Internal error unexpected error", "code": 1002})
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST.:8080", 200),
        ("127.0.0.1", 200),
        ("127.3.2.1:99", 200),
        ("[::1]:3000", 200),
        ("sis.test", 200),
        ("rebound.example", 421),
        ("localhost.example", 421),
        ("127.0.0.1.example", 421),
        ("10.0.0.1", 421),
        ("[::2", 421),
        ("", 421),
    ],
)
def test_foreign_names_are_not_served(host, status):
    with Sandbox(allow_hosts=["Sis.Test"]) as sis:
        answer = talk(
            sis, f"GET /api/v1.1/users HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        assert int(answer.split()[1]) == status
        assert (b'"root"' in answer) == (status == 200)
        assert len(sis.requests) == (status == 200)


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://page.example", 403), ("null", 403), ("http://127.0.0.1:8888", 200), ("http://localhost", 200)],
)
def test_pages_of_other_origins_are_not_served(sis_sandbox, origin, status):
    answer, headers, _ = raw(sis_sandbox, "POST", "/users/auth_token", headers={"Origin": origin})
    assert answer == (403 if status == 403 else 401)
    assert [name for name in headers if name.startswith("access-control-allow-o")] == []


def test_other_origins_read_the_answers_if_that_is_wanted():
    with Sandbox(cors=True) as sis:
        headers = raw(sis, "GET", "/info", headers={"Origin": "https://page.example"})[1]
    assert headers["access-control-allow-origin"] == "https://page.example"
    assert headers["access-control-expose-headers"] == "x-total-count"


def test_a_request_that_ends_within_its_body_is_not_carried_out(sis_sandbox, rows):
    body = b'{"name":"half"}'
    with socket.create_connection((sis_sandbox.host, sis_sandbox.port), 20) as connection:
        connection.sendall(post_head(sis_sandbox, len(body) + 5) + body)
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            assert connection.recv(100) == b""
    assert rows.count({}) == 0


def nested(opening, inside, closing, depth):
    return opening * depth + inside + closing * depth


@pytest.mark.parametrize("depth", [50, 100, 200, 350, 450])
@pytest.mark.usefixtures("deep")
def test_whatever_is_nested_deeply_gets_an_answer(sis_sandbox, call, schema, depth, caplog):
    schema("deep", {"s": "String", "l": ["String"], "m": "Mixed", "r": {"type": "ObjectId", "ref": "deep"}})
    call("POST", "/entities/deep", {"s": "a", "l": ["a"], "m": {"a": 1}})
    for query in (
        nested('{"$and":[', '{"r.s":"a"}', "]}", depth),
        '{"s":' + nested('{"$not":', '{"$gt":"a"}', "}", depth) + "}",
        '{"l":' + nested('{"$elemMatch":', '{"$gt":"a"}', "}", depth) + "}",
        '{"m":{"$gt":' + nested('{"a":', "1", "}", depth) + "}}",
    ):
        assert call("GET", "/entities/deep", query={"q": query})[0] in {200, 400}
    schema_ = '{"name": "n", "_sis": {"owner": ["g1"]}, "definition": {"x":'
    for path, body in (
        ("/entities/deep", '{"l":' + nested("[", "", "]", depth) + "}"),
        ("/entities/deep", '{"m":' + nested('{"a":', "1", "}", depth) + "}"),
        ("/schemas", schema_ + nested("[", '"String"', "]", depth) + "}}"),
        ("/schemas", schema_ + nested('{"a":', '"String"', "}", depth) + "}}"),
    ):
        status, _, content = raw(sis_sandbox, "POST", path, body, {"Content-Type": "application/json"})
        assert status in {201, 400} or (status == 500 and b"E11000" in content)
    assert caplog.records == []
