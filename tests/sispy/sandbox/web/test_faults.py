"""Faults on purpose: each does what it says, at its routes, at its rate, and no more."""

import asyncio
import http.client
import json
import re
import time

import pytest

from sispy.sandbox import Faults, Sandbox

SCHEMA = {"name": "row", "_sis": {"owner": ["g1"]}, "definition": {"name": "String", "n": "Number"}}


FAILURE = "(status from 400 to 599, rate from 0 to 1)"


def no_argument():
    """Cannot be called with a `Seen`."""


@pytest.fixture
def sis():
    with Sandbox() as sandbox:
        sandbox.client().schemas.create(SCHEMA)
        yield sandbox


def send(sis, method, path, body=None):
    """One request on a connection of its own: status, headers, JSON; or the exception."""
    connection = http.client.HTTPConnection(sis.host, sis.port, timeout=10)
    headers = {"x-auth-token": sis.token, "Content-Type": "application/json"}
    try:
        connection.request(method, f"/api/v1.1{path}", None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, json.loads(content)
    except (OSError, http.client.HTTPException) as error:
        return error
    finally:
        connection.close()


def names(sis):
    sis.faults = Faults()
    return [row["name"] for row in send(sis, "GET", "/entities/row?sort=name")[2]]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"latency": "1"}, "latency takes seconds, a number from 0 up, got '1'"),
        ({"latency": -0.1}, "latency takes seconds, a number from 0 up, got -0.1"),
        ({"latency": float("nan")}, "latency takes seconds, a number from 0 up, got nan"),
        ({"chunk_delay": None}, "chunk_delay takes seconds, a number from 0 up, got None"),
        ({"retry_after": "soon"}, "retry_after takes seconds, a number from 0 up, or None, got 'soon'"),
        ({"body_limit": 0}, "body_limit takes bytes, a whole number from 1 up, or None, got 0"),
        ({"body_limit": 1e6}, "body_limit takes bytes, a whole number from 1 up, or None, got 1000000.0"),
        ({"defects": 1}, "defects takes True or False, got 1"),
        ({"seed": None}, "seed takes a whole number, got None"),
        ({"before": "hook"}, "before takes a function of one argument, or None, got 'hook'"),
        pytest.param(
            {"between": no_argument},
            f"between takes a function of one argument, or None, got {no_argument}",
            id="between",  # the same in every run, unlike an address
        ),
        ({"latencies": {"*": "1"}}, "latencies takes seconds, a number from 0 up at '*', got '1'"),
        ({"errors": {"GET /info": 503}}, f"errors takes {FAILURE} at 'GET /info', got 503"),
        ({"errors": {"*": (503, 50)}}, f"errors takes {FAILURE} at '*', got (503, 50)"),
        ({"errors": {"*": ("503", 1.0)}}, f"errors takes {FAILURE} at '*', got ('503', 1.0)"),
        ({"lost_answers": {"*": (200, 1.0)}}, f"lost_answers takes {FAILURE} at '*', got (200, 1.0)"),
        ({"drop_after": {"PUT *": True}}, "drop_after takes a rate from 0 to 1 at 'PUT *', got True"),
        ({"drop_before": "PUT *"}, "drop_before takes {route: a rate from 0 to 1}, got 'PUT *'"),
        ({"truncate": {"/x": 1.5}}, "truncate takes a rate from 0 to 1 at '/x', got 1.5"),
    ],
)
def test_what_would_do_nothing_is_refused_at_once(wrong, told):
    with pytest.raises(ValueError, match=re.escape(f"Faults: {told}")):
        Faults(**wrong)


@pytest.mark.parametrize(
    "route",
    [
        "put /x",
        "PUT",
        "entities/host",
        "GET /api/v1.1/info",
        "/API/v1.1/info",
        "GET  /info",
        "LOOK /x",
        "HEAD /entities/row",
        "OPTIONS /entities/row",
        "GET /entities/row?limit=1",
        "GET /entities/row/",
        "/",
        "",
        5,
    ],
)
def test_a_route_that_no_request_takes_is_refused_at_once(route):
    told = (
        f"{route!r} is no route: one is 'METHOD /path' or '/path' below /api/v1.1, without parameters and"
        " without a slash at its end; a HEAD is seen as GET"
    )
    with pytest.raises(ValueError, match=re.escape(told)):
        Faults(truncate={route: 1.0})


def test_a_route_may_have_blanks(sis):
    sis.faults = Faults(errors={"GET /entities/row/a b": (503, 1.0)})
    assert send(sis, "GET", "/entities/row/a%20b")[0] == 503
    assert send(sis, "GET", "/entities/row/b")[0] == 404


@pytest.mark.parametrize("wrong", [{"latency": 1}, None, Faults])
def test_faults_are_faults(sis, wrong):
    with pytest.raises(TypeError, match="faults are Faults"):
        sis.faults = wrong
    assert sis.faults == Faults()


def test_without_faults_nothing_happens(sis):
    assert sis.faults == Faults()
    assert send(sis, "POST", "/entities/row", {"name": "a"})[0] == 201


def test_latency_is_for_all_and_latencies_are_for_some(sis, monkeypatch):
    sis.faults = Faults(latency=7, latencies={"GET /entities/*": 5})
    waits, sleep = [], asyncio.sleep

    async def waited(seconds):
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr("asyncio.sleep", waited)
    for path in ("/info", "/entities/row"):
        send(sis, "GET", path)
    assert waits == [7, 12]


@pytest.mark.parametrize(
    ("route", "hit"),
    [
        ("*", True),
        ("/entities/*", True),
        ("POST /entities/row", True),
        ("PUT /entities/row", False),
        ("/entities", False),
        ("POST *", True),
        ("/entities/r.w", False),
    ],
)
def test_errors_keep_the_request_from_being_carried_out(sis, route, hit):
    sis.faults = Faults(errors={route: (503, 1.0)}, retry_after=1.5)
    status, headers, body = send(sis, "POST", "/entities/row", {"name": "a"})
    assert (status, headers.get("retry-after")) == ((503, "1.5") if hit else (201, None))
    assert body.get("error", "") == ("Internal error injected fault" if hit else "")
    assert names(sis) == ([] if hit else ["a"])


def test_lost_answers_come_after_the_write(sis):
    sis.faults = Faults(lost_answers={"POST *": (502, 1.0)})
    assert send(sis, "POST", "/entities/row", {"name": "a"})[0] == 502
    assert names(sis) == ["a"]


def test_a_connection_dropped_before_leaves_nothing(sis):
    sis.faults = Faults(drop_before={"POST *": 1.0})
    assert isinstance(send(sis, "POST", "/entities/row", {"name": "a"}), OSError | http.client.HTTPException)
    assert names(sis) == []


def test_a_connection_dropped_after_leaves_the_write(sis):
    sis.faults = Faults(drop_after={"POST *": 1.0})
    assert isinstance(send(sis, "POST", "/entities/row", {"name": "a"}), OSError | http.client.HTTPException)
    assert names(sis) == ["a"]


@pytest.mark.parametrize("count", [1, 500])
def test_a_truncated_answer_ends_in_the_middle(sis, count):
    send(sis, "POST", "/entities/row", [{"name": f"r{i}"} for i in range(count)])
    sis.faults = Faults(truncate={"GET *": 1.0})
    error = send(sis, "GET", "/entities/row")
    assert isinstance(error, http.client.IncompleteRead | ConnectionError), error


def test_rates_are_met_and_repeatable(sis):
    def outcomes():
        sis.faults = Faults(errors={"GET /info": (500, 0.3)}, seed=7)
        return [send(sis, "GET", "/info")[0] for _ in range(100)]

    first = outcomes()
    assert outcomes() == first
    assert 15 < first.count(500) < 45


def test_a_lower_limit_of_bodies(sis):
    sis.faults = Faults(body_limit=1000)
    status, _, body = send(sis, "POST", "/entities/row", {"name": "x" * 1000})
    assert (status, body["code"]) == (500, 1002)
    assert "PayloadTooLarge" in body["error"]
    assert send(sis, "POST", "/entities/row", {"name": "x" * 900})[0] == 201


def test_a_slow_body_comes_in_pieces(sis):
    send(sis, "POST", "/entities/row", [{"name": "x" * 1000} for _ in range(200)])
    sis.faults = Faults(chunk_delay=0.03)
    begin = time.perf_counter()
    assert len(send(sis, "GET", "/entities/row")[2]) == 200
    assert time.perf_counter() - begin > 0.12


def test_a_colleague_writes_just_before(sis):
    """The guard of a push reads, then somebody else writes, then the push writes."""
    row = send(sis, "POST", "/entities/row", {"name": "a", "n": 1})[2]
    client = sis.client()

    def interfere(seen):
        if seen.method == "PUT":
            client.entities("row").update(row["_id"], {"n": 2})

    sis.faults = Faults(before=interfere)
    status, _, body = send(sis, "PUT", "/entities/row", [{"_id": row["_id"], "name": "b"}])
    assert (status, body["success"][0]["name"], body["success"][0]["n"]) == (200, "b", 2)
    assert [c["commit_data"].get("n") for c in client.entities("row").commits(row["_id"]).fetch_all({})][
        :2
    ] == [
        None,
        [1, 2],
    ]


def test_callables_see_the_request_and_its_status(sis):
    seen = []
    sis.faults = Faults(before=seen.append, after=seen.append)
    send(sis, "POST", "/entities/row?all_or_none=true", [{"name": "a"}])
    send(sis, "GET", "/entities/nope")
    assert [(s.method, s.path, s.status) for s in seen] == [
        ("POST", "/entities/row", None),
        ("POST", "/entities/row", 200),
        ("GET", "/entities/nope", None),
        ("GET", "/entities/nope", 404),
    ]
    assert seen[0].query == {"all_or_none": "true"}
    assert json.loads(seen[0].body) == [{"name": "a"}]
    assert seen[0].matches("POST /entities/*")


def test_a_callable_that_fails_is_an_error_of_the_request(sis, caplog):
    sis.faults = Faults(before=lambda seen: 1 / 0)
    assert send(sis, "GET", "/info")[0] == 500
    assert "ZeroDivisionError" in caplog.text
    sis.faults = Faults()
    assert send(sis, "GET", "/info")[0] == 200


def test_requests_are_remembered(sis):
    before = len(sis.requests)
    send(sis, "GET", "/info")
    sis.faults = Faults(drop_before={"*": 1.0})
    send(sis, "GET", "/entities/row?limit=1")
    assert [(r.method, r.path, r.status) for r in sis.requests[before:]] == [
        ("GET", "/info", 200),
        ("GET", "/entities/row", None),
    ]


def test_defects_of_the_server_are_off_unless_wanted(sis):
    sis.client().schemas.create(
        {
            "name": "key",
            "_sis": {"owner": ["g1"]},
            "definition": {"k": {"type": "String", "required": True, "unique": True}, "n": "Number"},
        }
    )
    items = [{"k": "a"}, {"k": "a"}, {"k": "b", "n": "x"}, {"k": "c"}]
    true = send(sis, "POST", "/entities/key", items)[2]
    assert [row["k"] for row in true["success"]] == ["a", "c"]
    assert [(e["err"][1]["error"][:32], e["value"]["k"]) for e in true["errors"]] == [
        ("Bad request: ValidationError: n:", "b"),
        ("Bad request: Insert failed", "a"),
    ]
    assert send(sis, "PUT", "/entities/key", [None])[2]["errors"][0]["value"] is None
    sis.faults = Faults(defects=True)
    wrong = send(sis, "POST", "/entities/key", [{"k": "d"}, {"k": "a"}, {"k": "e", "n": "x"}, {"k": "f"}])[2]
    assert [row["k"] for row in wrong["success"]] == ["d"]
    assert [e["value"]["k"] for e in wrong["errors"]] == ["e", "a", "f"]
    assert [row["k"] for row in send(sis, "GET", "/entities/key?sort=k")[2]] == ["a", "c", "d", "f"]
    assert send(sis, "PUT", "/entities/key", [None])[::2] == (500, {})


def test_a_coroutine_that_nobody_would_await_is_refused():
    async def later(seen):
        raise AssertionError(seen)

    with pytest.raises(ValueError, match="Faults: before takes a function of one argument"):
        Faults(before=later)


def test_faults_are_those_that_were_checked():
    errors = {"GET /x": (500, 1.0)}
    faults = Faults(errors=errors)
    errors["no route"] = (1, 2)
    assert faults == Faults(errors={"GET /x": (500, 1.0)})
