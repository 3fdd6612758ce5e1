"""Parameters with brackets; bodies that are packed, odd or hostile."""

import gzip
import json

import pytest

from sispy.sandbox.web.request import parse
from wire import raw


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("a[b]=1", {"a": {"b": "1"}}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[1]=x&a[0]=y", {"a": ["y", "x"]}),
        ("a[3]=x&a[15]=y", {"a": ["x", "y"]}),
        ("a[21]=x", {"a": {"21": "x"}}),
        ("a[01]=x", {"a": {"01": "x"}}),
        ("a[0]=x&a[b]=y", {"a": {"0": "x", "b": "y"}}),
        ("a[b]=y&a[0]=x", {"a": {"b": "y", "0": "x"}}),
        ("a[0][b]=1&a[0][c]=2&a[1][b]=3", {"a": [{"b": "1", "c": "2"}, {"b": "3"}]}),
        ("a[b][0]=1&a[b][1]=2", {"a": {"b": ["1", "2"]}}),
        ("a[b]=1&a[b]=2", {"a": {"b": ["1", "2"]}}),
        ("a[b][]=1&a[b]=2", {"a": {"b": ["1", "2"]}}),
        ("a[0]=1&a[0]=2", {"a": [["1", "2"]]}),
        ("a[b]=1&a=x", {"a": {"b": "1", "x": True}}),
        ("a=x&a[b]=1", {"a": ["x", {"b": "1"}]}),
        ("a=x&a[]=1", {"a": ["x", "1"]}),
        ("a%5Bb%5D=1", {"a": {"b": "1"}}),
        ("a[b][c][d][e][f][g][h]=1", {"a": {"b": {"c": {"d": {"e": {"f": {"[g][h]": "1"}}}}}}}),
        ("[b]=1&a[=2&a]=3", {"[b]": "1", "a[": "2", "a]": "3"}),
    ],
)
def test_brackets_make_objects_and_arrays(text, query):
    assert parse("GET", b"/api/v1.1/info", text.encode(), {}).query == query


def test_a_bomb_is_not_unpacked(sis_sandbox, rows):
    bomb = gzip.compress(b" " * 200_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    status, _, content = raw(sis_sandbox, "POST", "/entities/row", bomb, headers)
    assert (status, json.loads(content)["code"]) == (500, 1002)


def test_a_compressed_body_without_its_end_is_refused(sis_sandbox, rows):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    status, _, _ = raw(sis_sandbox, "POST", "/entities/row", gzip.compress(b'{"name": "a"}')[:-6], headers)
    assert (status, len(rows.fetch_page({}))) == (400, 0)


def test_an_integer_beyond_all_doubles_is_infinite(sis_sandbox, rows):
    text = '{"name": "a", "n": ' + "9" * 5000 + "}"
    status, _, content = raw(sis_sandbox, "POST", "/entities/row", text, {"Content-Type": "application/json"})
    assert (status, json.loads(content)["n"]) == (201, None)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"name": "\\ud800"}', "{" + "}" * 9])
@pytest.mark.usefixtures("deep")
def test_odd_json_is_answered(sis_sandbox, rows, text):
    status, _, content = raw(sis_sandbox, "POST", "/entities/row", text, {"Content-Type": "application/json"})
    assert status in {201, 400}
    assert isinstance(json.loads(content), dict)


def test_lone_surrogates_outside_of_objects(sis_sandbox, rows):
    headers = {"Content-Type": "application/json"}
    status, _, content = raw(sis_sandbox, "POST", "/entities/row", '["\\ud800", [["\\ud800"]]]', headers)
    assert (status, [error["value"] for error in json.loads(content)["errors"]]) == (
        200,
        ["\ufffd", [["\ufffd"]]],
    )


def test_a_lone_surrogate_becomes_the_replacement_character(rows):
    assert rows.create({"name": "a\ud800b"})["name"] == "a\ufffdb"
