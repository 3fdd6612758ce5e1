"""Compare-and-set, upsert, immutable objects and other facts of single objects, without the kit."""

import pytest

KEY = {"type": "String", "required": True, "unique": True}
GONE = {"_created_at", "_created_by", "_updated_by"}


@pytest.fixture
def row(call, schema):
    definition = {
        "name": KEY,
        "n": {"type": "Number", "min": 0},
        "m": "Mixed",
        "l": ["String"],
        "sub": {"a": "Number", "b": "Number"},
    }
    schema("row", definition)
    body = {
        "name": "r",
        "n": 1,
        "m": {"a": 1},
        "l": ["p"],
        "sub": {"a": 1, "b": 2},
        "_sis": {"owner": ["g1"], "tags": ["t"]},
    }
    return call("POST", "/entities/row", body)[1]


def cas(call, row, body, condition):
    return call("PUT", f"/entities/row/{row['_id']}", body, {"cas": condition})


def test_cas_needs_the_condition_to_hold(call, row):
    assert cas(call, row, {"n": 2}, {"_sis._updated_at": 5}) == (
        400,
        {"error": "Bad request: CAS update failed.", "code": 1001},
    )
    assert cas(call, row, {"n": 2}, {"zzz": 1})[0] == 400
    status, changed = cas(
        call, row, {"n": 2}, {"_sis._updated_at": row["_sis"]["_updated_at"], "n": {"$lt": 2}}
    )
    assert (status, changed["n"]) == (200, 2)


def test_cas_with_an_array_changes_no_field(call, row):
    status, changed = cas(call, row, [{"n": 2}], {"n": 1})
    assert (status, changed["n"]) == (200, 1)


def test_cas_replaces_sis_mixed_and_nested_values(call, row):
    path = f"/entities/row/{row['_id']}"
    changed = cas(call, row, {"m": {"b": None}, "sub": {"b": 3}, "l": ["q"]}, {"n": 1})[1]
    assert {k: changed[k] for k in ("m", "sub", "l", "_v")} == {
        "m": {"b": None},
        "sub": {"b": 3},
        "l": ["q"],
        "_v": 0,
    }
    assert changed["_sis"].keys() & GONE == set()
    assert (changed["_sis"]["owner"], changed["_sis"]["locked"]) == ([], False)
    assert call("GET", path)[1]["_sis"].keys() == {"_updated_at", "_version"}
    again = call("PUT", path, {"n": 5})[1]
    assert again["_sis"].keys() >= {"_updated_by", "owner", "tags"}
    assert "_created_by" not in again["_sis"]


def test_cas_keeps_the_sis_that_is_sent(call, row):
    body = {"n": 2, "_sis": row["_sis"]}
    changed = cas(call, row, body, {"n": 1})[1]
    assert {k: v for k, v in changed["_sis"].items() if k != "_updated_at"} == {
        k: v for k, v in row["_sis"].items() if k != "_updated_at"
    }


@pytest.mark.parametrize(
    ("body", "condition", "status", "shape"),
    [
        ({"n": -1}, {"n": 1}, 500, "ValidationError"),
        ({"n": "abc"}, {"n": 1}, 500, "ValidationError"),
        ({"n": 2}, {"n": "abc"}, 500, "CastError"),
        ({"n": 2}, {}, 400, None),
        ({"n": 2}, [1], 400, None),
        ({"n": 2}, "{bad", 400, None),
        ({}, {"n": 1}, 400, None),
    ],
)
def test_cas_has_error_shapes_of_its_own(call, row, body, condition, status, shape):
    found, answer = cas(call, row, body, condition)
    assert (found, answer.get("name")) == (status, shape)
    assert ("error" in answer) == (shape is None)


@pytest.mark.parametrize(
    ("name", "body", "option", "status"),
    [
        ("new", {"name": "new", "n": 1}, "true", 201),
        ("a/b c", {"name": "a/b c"}, "true", 201),
        ("r", {"n": 9}, "true", 200),
        ("new", {"name": "other"}, "true", 400),
        ("new", {"n": 1}, "true", 400),
        ("new", {"name": "new", "n": -1}, "true", 400),
        ("r", {"n": -1}, "true", 400),
        ("new", {"name": "new"}, "1", 404),
        ("new", {}, "true", 400),
    ],
)
def test_upserts(call, row, name, body, option, status):
    from urllib.parse import quote

    assert call("PUT", f"/entities/row/{quote(name, safe='')}", body, {"upsert": option})[0] == status


def test_immutable_objects_change_one_key_of_sis_only(call, row):
    path = f"/entities/row/{row['_id']}"
    call("PUT", path, {"_sis": {"immutable": True}})
    assert call("PUT", path, {"n": 2})[0] == 401
    assert call("PUT", path, {"n": 2, "_sis": {"immutable": False}})[0] == 401
    assert call("PUT", path, {"_sis": {"locked": True, "tags": []}})[0] == 401
    assert call("PUT", path, {"_sis": {"locked": True}})[0] == 200
    assert call("PUT", path, {"_sis": {"immutable": False}})[0] == 200
    assert call("PUT", path, {"n": 2})[0] == 200
    assert call("DELETE", path)[1]["error"] == "Unauthorized. Cannot delete a locked object."


def test_times_and_versions(call, row):
    path = f"/entities/row/{row['_id']}"
    same = call("PUT", path, {"n": 1})[1]
    assert same["_sis"]["_updated_at"] > row["_sis"]["_updated_at"]
    assert same["_v"] == 0
    assert call("PUT", path, {"l": ["p"]})[1]["_v"] == 0
    assert call("PUT", path, {"l": ["q"]})[1]["_v"] == 1
    assert call("PUT", path, {"_sis": {"tags": ["u"], "_created_by": "x", "_created_at": 5}})[1]["_v"] == 2
    assert call("GET", path)[1]["_sis"]["_created_by"] == "x"


def test_a_pattern_of_a_condition_that_takes_too_long_is_an_answer(call, schema):
    schema("item", {"s": "String"})
    made = call("POST", "/entities/item", {"s": "a" * 60 + "!"})[1]
    status, answer = call(
        "PUT", f"/entities/item/{made['_id']}", {"s": "b"}, {"cas": {"s": {"$regex": "^(a|aa)+$"}}}
    )
    assert (status, answer["name"]) == (500, "CastError")
