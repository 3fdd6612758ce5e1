"""Schemas and hiera over HTTP: what they need, what an update does to stored entities."""

from typing import Any

import pytest

from wire import SCHEMA

KEY = {"type": "String", "required": True, "unique": True}
BODY: dict[str, Any] = {
    "name": "s",
    "_sis": {"owner": ["g1"]},
    "definition": {"name": KEY, "n": "Number", "sub": {"a": "String", "b": "String"}},
}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": None}, "invalid or missing name"),
        ({"name": "sis_x"}, "cannot start with sis_"),
        ({"name": "Bad-Name"}, "is invalid"),
        ({"_sis": {}}, "owner field is required"),
        ({"_sis": {"owner": []}}, "owner field is required"),
        ({"_sis": None}, "_sis is invalid"),
        ({"definition": None}, "definition is missing"),
        ({"definition": []}, "definition is missing"),
        ({"definition": {}}, "Cannot add an empty schema."),
        ({"definition": {"x": "Nope"}}, "Undefined type"),
        ({"definition": {"_x": "String"}}, "_x is a reserved field"),
        ({"definition": {"x": {"type": {}}}}, "Schema definition must be an object."),
        ({"definition": {"x": {"a": {"a": "Nope"}, "type": {}}}}, "Undefined type `Nope` at `x.a.a`"),
        ({"definition.x": "Nope"}, "Undefined type"),
        ({"definition": {"x": {"type": "String", "minlength": 10**400}}}, "minlength of `x` is no number"),
        ({"id_field": "n"}, "ID Field must be required and unique."),
        ({"locked_fields": "n"}, "locked_fields must be an array"),
    ],
)
def test_what_a_schema_needs(call, change, text):
    status, answer = call("POST", "/schemas", {**BODY, **change})
    assert (status, answer["code"], text in answer["error"]) == (400, 1001, True), answer


@pytest.mark.parametrize("name", ["a.b", "$a"])
def test_names_that_the_database_does_not_take_are_errors_of_its_own(call, name):
    status, answer = call("POST", "/schemas", {**BODY, "definition": {name: "String"}})
    assert (status, answer["code"]) == (500, 1002)


def test_a_second_schema_of_the_name_is_a_duplicate(call):
    call("POST", "/schemas", BODY)
    status, answer = call("POST", "/schemas", BODY)
    assert (status, answer["code"], "E11000" in answer["error"]) == (500, 1002, True)


def test_removed_fields_leave_all_entities(call):
    call("POST", "/schemas", BODY)
    made = call("POST", "/entities/s", {"name": "e", "n": 5, "sub": {"a": "x", "b": "y"}})[1]
    smaller = {**BODY, "definition": {"name": KEY, "sub": {"a": "String"}}}
    assert call("PUT", "/schemas/s", smaller)[1]["id_field"] == "_id"
    found = call("GET", f"/entities/s/{made['_id']}")[1]
    assert found == {k: v for k, v in {**made, "sub": {"a": "x"}}.items() if k != "n"}
    call("PUT", "/schemas/s", BODY)
    assert "n" not in call("GET", f"/entities/s/{made['_id']}")[1]


def test_a_changed_type_leaves_values_until_they_are_written(call):
    call("POST", "/schemas", BODY)
    made = call("POST", "/entities/s", {"name": "e", "n": 5})[1]
    call("PUT", "/schemas/s", {**BODY, "definition": {**BODY["definition"], "n": "String"}})
    path = f"/entities/s/{made['_id']}"
    assert call("GET", path)[1]["n"] == 5
    assert call("PUT", path, {"n": 6})[1]["n"] == "6"


def test_a_new_default_is_shown_and_not_found(call):
    call("POST", "/schemas", BODY)
    made = call("POST", "/entities/s", {"name": "e"})[1]
    call(
        "PUT",
        "/schemas/s",
        {**BODY, "definition": {**BODY["definition"], "x": {"type": "String", "default": "d"}}},
    )
    assert call("GET", f"/entities/s/{made['_id']}")[1]["x"] == "d"
    assert call("GET", "/entities/s", query={"q": {"x": "d"}})[1] == []


@pytest.mark.parametrize(
    ("kind", "status"), [([["Number"]], 500), ("Mixed", 500), ([{"k": ["Number"]}], 201)]
)
def test_unique_fields_may_hold_arrays(call, kind, status):
    """Members of document arrays have an `_id` of their own, and so are never equal."""
    call("POST", "/schemas", {**BODY, "definition": {"name": KEY, "x": {"type": kind, "unique": True}}})
    value = [{"k": [1]}] if status == 201 else [[1, 2], [3]]
    assert call("POST", "/entities/s", {"name": "a", "x": value})[0] == 201
    assert call("POST", "/entities/s", {"name": "b", "x": value})[0] == status


@pytest.mark.parametrize("index", ["1" * 5000, "²", "٣"])
def test_what_is_no_index_of_an_array_leads_nowhere(call, index):
    call("POST", "/schemas", {**BODY, "definition": {"name": KEY, "l": ["Number"], "m": "Mixed"}})
    row = call("POST", "/entities/s", {"name": "a", "l": [1], "m": {"a": [1]}})[1]
    for path in (f"l.{index}", f"m.a.{index}"):
        assert call("GET", "/entities/s", query={"q": {path: 1}, "sort": path, "fields": path})[1] == []
    status, changed = call("PUT", "/entities/s/a", {f"l.{index}": 5})
    assert (status, changed["l"]) == (200, row["l"])


def test_a_new_unique_field_refuses_duplicates_at_once(call):
    call("POST", "/schemas", BODY)
    call("POST", "/entities/s", [{"name": "a", "n": 1}, {"name": "b", "n": 2}])
    call(
        "PUT",
        "/schemas/s",
        {**BODY, "id_field": "name", "definition": {"name": KEY, "n": {"type": "Number", "unique": True}}},
    )
    status, answer = call("POST", "/entities/s", {"name": "c", "n": 2})
    assert (status, "E11000" in answer["error"]) == (500, True)
    assert call("PUT", "/entities/s/a", {"n": 3})[0] == 200
    assert call("POST", "/entities/s", {"name": "c", "n": 1})[0] == 201


def test_locked_fields_stay(call):
    call("POST", "/schemas", {**BODY, "locked_fields": ["n"]})
    status, answer = call("PUT", "/schemas/s", {**BODY, "definition": {"name": KEY}})
    assert (status, answer["error"]) == (400, "Bad request: Cannot remove field n")


def test_counts_and_deletion(call):
    call("POST", "/schemas", BODY)
    call("POST", "/entities/s", [{"name": "a"}, {"name": "b"}])
    assert call("GET", "/schemas/s", query={"with_counts": "true"})[1]["entity_count"] == 2
    assert call("GET", "/schemas", query={"with_counts": "true"})[1][0]["entity_count"] == 2
    call("DELETE", "/schemas/s")
    assert call("GET", "/entities/s")[0] == 404
    assert len(call("GET", "/schemas/s/commits")[1]) == 2
    call("POST", "/schemas", BODY)
    assert call("GET", "/entities/s")[1] == []


def test_hiera_merges_objects_and_replaces_the_rest(call):
    body = {"name": "h.example", "_sis": {"owner": "g1"}}
    made = call("POST", "/hiera", {**body, "hieradata": {"a": {"b": 1, "c": 2}, "l": [1]}})[1]
    assert made["_sis"]["owner"] == ["g1"]

    def put(data):
        assert call("PUT", "/hiera/h.example", {**body, "hieradata": data})[0] == 200
        return call("GET", "/hiera/h.example")[1]["h.example"]

    assert put({"a": {"b": None, "d": {"x": None}}, "l": [2]}) == {"a": {"c": 2, "d": {"x": None}}, "l": [2]}
    assert put({}) == {"a": {"c": 2, "d": {"x": None}}, "l": [2]}
    assert put([1]) == [1]
    assert put("text") == "text"
    assert put(False) is False
    assert put({"z": 1}) == {"z": 1}
    for bad in ({"hieradata": None}, {"name": "other", "hieradata": 1}, {"_sis": {}, "hieradata": 1}):
        assert call("PUT", "/hiera/h.example", {**body, **bad})[0] == 400
    assert call("POST", "/hiera", {"name": "i", "_sis": {"owner": ["g1"]}, "hieradata": {"a.b": 1}})[0] == 500


def test_a_top_level_empty_object_is_a_mixed_field(sis_client):
    made = sis_client.schemas.create({**SCHEMA, "definition": {"any": {}, "n": "Number"}})
    assert made["definition"] == {"any": {"type": "Mixed"}, "n": "Number"}
    assert sis_client.entities("row").create({"any": {"a": 1}})["any"] == {"a": 1}


@pytest.mark.parametrize(
    ("options", "statuses"),
    [({"unique": True}, [201, 500, 500, 201]), ({"unique": True, "sparse": True}, [201, 201, 201, 201])],
)
@pytest.mark.parametrize("path", ["x", "sub.x"])
def test_a_sparse_index_leaves_out_what_is_missing_but_not_null(call, schema, path, options, statuses):
    kind = {"type": "String", **options}
    schema("item", {"n": "Number", "x": kind} if path == "x" else {"n": "Number", "sub": {"x": kind}})
    bodies = [{"n": 1}, {"n": 2}, {"n": 3, path: None}, {"n": 4, path: "a"}]
    found = [call("POST", "/entities/item", body)[0] for body in bodies]
    assert found == statuses
    last = call("GET", "/entities/item", query={"q": {"n": 4}})[1][0]
    status, answer = call("PUT", f"/entities/item/{last['_id']}", {path: None})
    assert (status, "E11000" in str(answer)) == (500, True)
    assert call("PUT", f"/entities/item/{last['_id']}", {"n": 5})[0] == 200
