"""Bodies that are packed, odd or hostile."""

import gzip
import json

import pytest

from wire import raw


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
