"""Regular expressions of clients, which may not cost without bound."""

import contextvars

import pytest

from sispy.sandbox.js import patterns
from sispy.sandbox.js.patterns import Pattern
from sispy.sandbox.mongo.query import CastError, compile_query
from sispy.sandbox.mongoose.definition import compile_definition


def test_hostile_patterns_are_bounded(call, schema, monkeypatch):
    searches = []
    start = patterns._Meter.start

    def counted(meter):
        at = start(meter)
        searches.append(at)
        return at

    monkeypatch.setattr(patterns._Meter, "start", counted)
    schema("text", {"s": "String", "m": {"type": "String", "match": "/^(a|aa)+$/"}})
    text = "a" * 60 + "!"
    call("POST", "/entities/text", [{"s": text} for _ in range(20)])
    for _ in range(3):
        searches.clear()
        assert call("GET", "/entities/text", query={"q": {"s": {"$regex": "^(a|aa)+$"}}})[1] == []
        assert call.headers["x-total-count"] == "0"
        assert len(searches) == 1  # the first one that takes too long ends the query
    assert call("POST", "/entities/text", {"m": text})[0] == 400
    searches.clear()
    assert len(call("POST", "/entities/text", [{"m": text} for _ in range(1000)])[1]["errors"]) == 1000
    assert len(searches) < 100


def test_a_hostile_pattern_is_given_up():
    matches = compile_query({"s": {"$regex": "^(a|aa)+$"}}, compile_definition({"s": "String"}))
    with pytest.raises(CastError, match="takes too long"):
        matches({"s": "a" * 5000 + "b"})


def test_patterns_of_one_request_share_a_budget():
    def run():
        patterns.metered()
        first, second = Pattern.of_query("x"), Pattern.of_query("y")
        assert second.finds("y")
        patterns._meter.get().spent = patterns.BUDGET + 1  # by the first
        with pytest.raises(TimeoutError):
            second.finds("y")
        patterns.metered()  # the next request
        assert first.finds("x")
        assert second.finds("y")

    contextvars.copy_context().run(run)


def test_a_request_has_one_budget_for_all_its_patterns_and_the_next_a_new_one(call, schema, monkeypatch):
    schema("pair", {"a": "String", "b": "String"})
    call("POST", "/entities/pair", [{"a": "x", "b": "x"} for _ in range(3)])
    meters: list[patterns._Meter] = []
    start = patterns._Meter.start

    def costly(meter):
        began = start(meter)
        meters.append(meter)
        meter.spent += patterns.BUDGET / 2  # so that a few searches are too many
        return began

    monkeypatch.setattr(patterns._Meter, "start", costly)

    for request in (1, 2):
        q = {"a": {"$regex": "x"}, "b": {"$regex": "x"}}
        assert call("GET", "/entities/pair", query={"q": q})[1] == []  # the query takes too long
        assert len(set(map(id, meters))) == request


def test_time_that_other_threads_had_is_none_of_a_search():
    pattern = Pattern.of_query("^a$")
    search, starved = pattern._search, []

    def interrupted(text, timeout):
        if not starved:
            starved.append(timeout)
            raise TimeoutError
        return search(text, timeout=timeout)

    pattern._search = interrupted

    assert pattern.finds("a")
    assert starved == [patterns.SECONDS]


LARGE = "((a{1000}){1000}){1000}"


def test_a_pattern_that_is_too_large_is_none(call, schema):
    schema("text", {"s": "String"})
    call("POST", "/entities/text", {"s": "a"})
    query = {"q": {"$or": [{"s": "a"}, {"s": {"$regex": LARGE}}]}}
    assert call("GET", "/entities/text", query=query) == (200, [])
    assert call.headers["x-total-count"] == "0"
    status, answer = call("DELETE", "/entities/text", query=query)
    text = "Regular expression is invalid: regular expression is too large"
    assert (status, answer["name"], answer["message"]) == (500, "MongoError", text)
    definition = {"s": {"type": "String", "match": f"/{LARGE}/"}}
    body = {"name": "large", "_sis": {"owner": ["g1"]}, "definition": definition}
    assert call("POST", "/schemas", body) == (
        400,
        {"code": 1001, "error": f"Bad request: Schema is invalid: {text}"},
    )


def test_a_match_is_javascripts_and_a_query_the_databases(call, schema):
    schema("text", {"s": {"type": "String", "match": r"/^\w+$/"}, "t": "String"})
    assert call("POST", "/entities/text", {"s": "é"})[0] == 400
    assert call("POST", "/entities/text", {"s": "e\n"})[0] == 400
    assert call("POST", "/entities/text", [{"t": "e\n"}, {"t": "é"}])[0] == 200
    found = call("GET", "/entities/text", query={"q": {"t": {"$regex": r"^\w$"}}})[1]
    assert [row["t"] for row in found] == ["e\n"]
