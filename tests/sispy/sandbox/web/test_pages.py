"""Lists: queries, sorting, pages, and what of the objects is shown."""

import pytest

KEY = {"type": "String", "required": True, "unique": True}


@pytest.fixture
def row(call, schema):
    schema("row", {"name": KEY, "n": "Number", "sub": {"a": "Number"}})
    return call("POST", "/entities/row", {"name": "r", "n": 1, "sub": {"a": 1}})[1]


@pytest.mark.parametrize(
    ("query", "count", "names"),
    [
        ({"limit": "2", "offset": "1"}, "5", ["b", "c"]),
        ({"limit": "0"}, "5", list("abcde")),
        ({"limit": "2.7"}, "5", ["a", "b"]),
        ({"limit": "-1"}, "5", ["a"]),
        ({"offset": "9"}, "5", []),
        ({"sort": "-name", "limit": "1"}, "5", ["e"]),
        ({"q": {"n": "abc"}}, "0", []),
        ({"q": {"$bad": 1}}, "0", []),
        ({"q": {"_id": "zz"}}, "0", []),
        ({"q": {"n": {"$exists": 1}}}, "0", []),
        ({"q": ""}, "5", list("abcde")),
    ],
)
def test_lists(call, schema, query, count, names):
    schema("item", {"name": KEY, "n": "Number"})
    call("POST", "/entities/item", [{"name": name} for name in "abcde"])
    status, rows = call("GET", "/entities/item", query={"sort": "name", **query})
    assert (status, call.headers["x-total-count"], [row["name"] for row in rows]) == (200, count, names)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"q": "[1]"}, 400),
        ({"q": "null"}, 400),
        ({"q": "{bad"}, 400),
        ({"offset": "-1"}, 500),
        ({"fields": "name,-n"}, 500),
        ({"fields": "sub,sub.a"}, 500),
        ({"sort": "n,"}, 500),
    ],
)
def test_bad_options_of_lists(call, row, query, status):
    found, answer = call("GET", "/entities/row", query=query)
    assert found == status
    assert ("error" in answer) == (status == 400)
    assert status == 400 or call.headers["x-total-count"] == "1"


@pytest.mark.parametrize("sort", ["%20name", "+name", "name%20"])
def test_a_sort_with_a_blank_names_an_unknown_field(call, schema, sort):
    schema("item", {"name": KEY})
    call("POST", "/entities/item", [{"name": name} for name in "bac"])
    assert [row["name"] for row in call("GET", f"/entities/item?sort={sort}")[1]] == list("bac")


@pytest.mark.parametrize(
    ("entry", "values", "asked", "count"),
    [
        ({"type": "Number", "unique": True}, [3], "3", 1),
        ({"type": "String", "unique": True, "lowercase": True}, ["ABC"], "ABC", 1),
        ({"type": ["String"], "unique": True}, [["a", "b"]], "b", 1),
        ({"type": "ObjectId", "unique": True}, ["123456789012"], "123456789012", 1),
        ({"type": "Mixed", "unique": True}, ["a"], "a", 1),
    ],
)
def test_a_unique_name_is_found_as_any_other_field_is(call, schema, entry, values, asked, count):
    schema("item", {"name": entry, "n": "Number"})
    call("POST", "/entities/item", [{"name": value} for value in values])
    for query in ({"name": asked}, {"$or": [{"name": asked}]}):
        assert len(call("GET", "/entities/item", query={"q": query})[1]) == count


def test_names_that_were_there_before_they_had_to_be_unique_are_all_found(call, schema):
    made = schema("item", {"name": "String"})
    call("POST", "/entities/item", [{"name": "a"}, {"name": "a"}, {"name": "b"}])
    call("PUT", "/schemas/item", {**made, "definition": {"name": {"type": "String", "unique": True}}})
    assert len(call("GET", "/entities/item", query={"q": {"name": "a"}})[1]) == 2


def test_ids_are_ranges_and_sets(call, schema):
    schema("item", {"n": "Number"})
    ids = [row["_id"] for row in call("POST", "/entities/item", [{"n": i} for i in range(10)])[1]["success"]]

    def found(condition, **more):
        return [
            row["n"]
            for row in call("GET", "/entities/item", query={"q": {"_id": condition, **more}, "sort": "_id"})[
                1
            ]
        ]

    assert found({"$gt": ids[6]}) == [7, 8, 9]
    assert found({"$gte": ids[6], "$lt": ids[8]}) == [6, 7]
    assert found({"$gt": ids[2], "$gte": ids[6], "$lte": ids[7]}) == [6, 7]
    assert found({"$gt": ids[6], "$ne": ids[8]}) == [7, 9]
    assert found({"$in": [ids[3], ids[1], "f" * 24]}) == [1, 3]
    assert found({"$in": [ids[3], ids[1]]}, n=3) == [3]
    assert found(ids[4]) == [4]
    assert found(ids[4], n=5) == []
    assert found({"$gt": "zz"}) == []
    call("DELETE", f"/entities/item/{ids[5]}")
    assert found({"$gt": ids[3]}) == [4, 6, 7, 8, 9]
    listed = call("GET", "/entities/item", query={"sort": "-_id", "limit": "2"})[1]
    assert [row["n"] for row in listed] == [9, 8]
