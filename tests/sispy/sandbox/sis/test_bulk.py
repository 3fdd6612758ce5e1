"""Bulk operations: shapes of their results, as clients have to cope with them."""

import pytest

KEY = {"type": "String", "required": True, "unique": True}


@pytest.fixture
def rows(call, schema):
    schema("row", {"name": KEY, "n": {"type": "Number", "min": 0}, "l": ["String"]})
    made = call("POST", "/entities/row", [{"name": name, "n": i} for i, name in enumerate("abc")])[1][
        "success"
    ]
    return {row["name"]: row["_id"] for row in made}


def test_inserted_objects_are_in_order_and_marked(call, rows):
    status, answer = call("POST", "/entities/row", [{"name": "d"}, {"name": "e"}])
    assert status == 200
    assert [row["name"] for row in answer["success"]] == ["d", "e"]
    trans = [row["_sis"]["_trans_id"] for row in answer["success"]]
    assert ([t["idx"] for t in trans], len({t["id"] for t in trans})) == ([0, 1], 1)
    assert all("_v" not in row for row in answer["success"])
    assert call("GET", "/entities/row/d")[1] == answer["success"][0]


@pytest.mark.parametrize("key", ["a.b", "$a"])
def test_keys_that_the_database_does_not_take_are_not_inserted(call, schema, key):
    schema("mixed", {"m": "Mixed"})
    assert call("POST", "/entities/mixed", {"m": {key: 1}})[0] == 500
    answer = call("POST", "/entities/mixed", [{"m": {key: 1}}, {"m": 2}])[1]
    assert [row["m"] for row in answer["success"]] == [2]
    assert [error["err"][1]["error"] for error in answer["errors"]] == ["Bad request: Insert failed"]


def test_each_insert_error_says_what_was_sent(call, rows):
    items = [
        5,
        {},
        {"_id": "x", "name": "x"},
        {"name": "y", "_sis": {"owner": ["zz"]}},
        {"name": "z", "n": -1},
        {"name": "a"},
    ]
    answer = call("POST", "/entities/row", [*items, {"name": "ok"}])[1]
    assert [row["name"] for row in answer["success"]] == ["ok"]
    errors = answer["errors"]
    assert [(e["err"][0], e["err"][1]["error"]) for e in errors] == [
        (400, "Bad request: entity cannot be empty"),
        (400, "Bad request: entity cannot be empty"),
        (400, "Bad request: _id is a reserved field"),
        (400, "Bad request: entity owners must be a subset of the schema owners."),
        (400, "Bad request: ValidationError: n: Path `n` (-1) is less than minimum allowed value (0)."),
        (400, "Bad request: Insert failed"),
    ]
    assert [e["value"] for e in errors[:4]] == items[:4]
    assert {**errors[4]["value"], "_sis": 0} == {
        "_id": errors[4]["value"]["_id"],
        "name": "z",
        "n": -1,
        "l": [],
        "_sis": 0,
    }
    assert "_updated_at" not in errors[4]["value"]["_sis"]
    assert call("GET", f"/entities/row/{errors[4]['value']['_id']}")[0] == 404


@pytest.mark.parametrize(
    ("bad", "option", "kept"),
    [({"name": "a"}, "true", 3), ({"name": "x", "n": -1}, "true", 3), ({"name": "a"}, "1", 4)],
)
def test_all_or_none(call, rows, bad, option, kept):
    answer = call("POST", "/entities/row", [{"name": "new"}, bad], {"all_or_none": option})[1]
    assert (len(answer["success"]), len(answer["errors"])) == (kept - 3, 1)
    assert len(call("GET", "/entities/row")[1]) == kept
    assert call("POST", "/entities/row", [{"name": "fine"}], {"all_or_none": "true"})[1]["errors"] == []


def test_update_errors_lose_their_ids(call, rows):
    none = "f" * 24
    items = [
        {"n": 1},
        7,
        {"_id": none, "n": 1},
        {"_id": rows["a"], "n": -1, "_sis": {"tags": ["t"]}},
        {"_id": rows["b"]},
        {"_id": rows["c"], "name": "a"},
        {"_id": "b", "n": 9},
    ]
    answer = call("PUT", "/entities/row", items, {"cas": {"n": 99}, "upsert": "true", "q": {"n": 0}})[1]
    assert [(row["name"], row["n"]) for row in answer["success"]] == [("b", 9)]
    found = sorted(((e["err"][0], len(e["err"]), e["value"]) for e in answer["errors"]), key=repr)
    assert found == sorted(
        [
            (400, 2, {"n": 1}),
            (400, 2, 7),
            (404, 2, {"_id": none, "n": 1}),
            (400, 2, {"n": -1, "_sis": {"tags": ["t"], "_version": "v1.1"}}),
            (400, 2, {}),
            (500, 3, {"name": "a", "_sis": {"_version": "v1.1"}}),
        ],
        key=repr,
    )


def test_update_by_query(call, rows):
    answer = call("PUT", "/entities/row", {"l": ["x"]}, {"q": {"n": {"$gte": 1}}, "limit": "1"})[1]
    assert sorted(row["name"] for row in answer["success"]) == ["b", "c"]
    answer = call("PUT", "/entities/row", {"n": -1}, {"q": {"name": "a"}})[1]
    assert [error["value"] for error in answer["errors"]] == [{"_id": rows["a"]}]
    for query in ({}, {"q": "{}"}, {"q": "{bad"}, {"q": "[1]"}):
        assert (
            call("PUT", "/entities/row", {"n": 1}, query)[1]["error"]
            == "Bad request: A valid query is required"
        )
    assert (
        call("PUT", "/entities/row", {}, {"q": {"n": 1}})[1]["error"]
        == "Bad request: Body should not be empty"
    )
    status, raw = call("PUT", "/entities/row", {"n": 1}, {"q": {"n": "abc"}})
    assert (status, raw["name"], raw["path"], raw["value"]) == (500, "CastError", "n", "abc")
    assert call("PUT", "/entities/row", {"n": 1}, {"q": {"zzz": 1}})[1] == {"success": [], "errors": []}


def test_a_misspelt_negation_hits_everything(call, rows):
    assert len(call("DELETE", "/entities/row", query={"q": {"zzz": {"$ne": 1}}})[1]["success"]) == 3


def test_delete_by_query_leaves_what_is_locked(call, rows):
    call("PUT", f"/entities/row/{rows['a']}", {"_sis": {"locked": True}})
    answer = call("DELETE", "/entities/row", query={"q": {"n": {"$lt": 2}}, "limit": "1"})[1]
    assert [row["name"] for row in answer["success"]] == ["b"]
    [error] = answer["errors"]
    assert (error["err"][0], len(error["err"]), error["value"]["name"]) == (401, 3, "a")
    assert (
        call("DELETE", "/entities/row")[1]["error"] == "Bad request: Bulk delete requires a non empty query."
    )
    assert call("DELETE", "/entities/row", query={"q": {"n": "abc"}})[0] == 500


def test_empty_arrays_are_refused(call, rows):
    for method in ("POST", "PUT"):
        assert call(method, "/entities/row", [])[1]["error"] == "Bad request: Array must not be empty."
