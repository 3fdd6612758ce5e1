"""What the server does where one would expect something else: one table of requests and their answers."""

import pytest

OTHER = {"name": "String", "n": "Number"}
ROW = {
    "name": "String",
    "n": "Number",
    "b": "Boolean",
    "d": "Date",
    "l": ["String"],
    "ln": ["Number"],
    "m": "Mixed",
    "sub": {"a": "Number", "l": ["String"]},
    "docs": [{"k": "String", "v": "Number"}],
    "one": {"type": "ObjectId", "ref": "other"},
    "many": [{"type": "ObjectId", "ref": "other"}],
}
OWNER = {"_sis": {"owner": ["g1", "g2"]}}
LOCKED = {**OWNER, "name": "held", "definition": {"a": "String", "b": "String"}, "locked_fields": ["b"]}
ONLY_A = {**OWNER, "name": "held", "definition": {"a": "String"}}
A, B = {"k": "a", "v": 1, "_id": "a" * 24}, {"k": "b", "v": 2, "_id": "b" * 24}
TURNED = {"v": 2, "k": "b", "_id": "b" * 24}


def matching(name, pattern):
    definition = {"s": {"type": "String", "match": pattern}}
    return {**OWNER, "name": name, "definition": definition}


def listed(query, *names):
    """A request for a list of rows, and the names of those that it finds."""
    return ("GET", "/entities/row", None, {"fields": "name", "sort": "name", **query}), names


LISTS = [
    # numbered brackets
    listed({"q[n][$mod][0]": "2", "q[n][$mod][1]": "0"}, "r2"),
    listed({"q[name][$in][1]": "r2", "q[name][$in][0]": "r1"}, "r1", "r2"),
    listed({"q[name][$in][5]": "r2", "q[name][$in][9]": "r1"}, "r1", "r2"),
    listed({"q[name][$in][]": "r2"}, "r2"),
    listed({"q[$or][0][name]": "r1", "q[$or][1][n]": "2"}, "r1", "r2"),
    listed({"q[l][0]": "x", "q[l][1]": "y"}, "r1"),
    listed({"q[ln][0]": "1"}, "r1"),
    # an operator on a field of another type voids the whole query
    listed({"q": {"n": {"$size": 1}}}),
    listed({"q": {"d": {"$size": 1}}}),
    listed({"q": {"name": {"$mod": [2, 0]}}}),
    listed({"q": {"ln": {"$mod": [1, 0]}}}),
    listed({"q": {"name": {"$elemMatch": {"$gt": "a"}}}}),
    listed({"q": {"b": {"$elemMatch": {"a": 1}}}}),
    listed({"q": {"one": {"$size": 1}}}),
    listed({"q": {"docs.v": {"$size": 1}}}),
    listed({"q": {"docs": {"$elemMatch": {"k": {"$mod": [2, 0]}}}}}),
    listed({"q": {"$or": [{"name": "r1"}, {"name": {"$size": 2}}]}}),
    listed({"q": {"$nor": [{"name": {"$elemMatch": {"$eq": 1}}}]}}),
    listed({"q": {"n": {"$not": {"$size": 1}}}}),
    listed({"q": {"l": {"$size": 2}}}, "r1"),
    listed({"q": {"docs": {"$size": "2"}}}, "r1"),
    listed({"q": {"m.k": {"$mod": [2, 1]}}}, "r1"),
    listed({"q": {"m.k": {"$size": 1}}}),
    listed({"q": {"m.list": {"$size": 2}}}, "r1"),
    listed({"q": {"m.list": {"$size": "2"}}}),
    # and whatever else is asked for
    listed({"q": {"n": "abc"}, "fields": "name,-n", "offset": "-1"}),
    # $exists casts nothing where there is no type
    listed({"q": {"nope": {"$exists": 0}}}, "r1", "r2"),
    listed({"q": {"nope": {"$exists": 1}}}),
    listed({"q": {"nope": {"$exists": None}}}, "r1", "r2"),
    listed({"q": {"nope": {"$exists": "false"}}}),
    listed({"q": {"m.k": {"$exists": 0}}}, "r2"),
    listed({"q": {"m": {"$exists": "yes"}}}, "r1"),
    listed({"q": {"sub": {"$exists": 1}}}, "r1", "r2"),
    listed({"q": {"sub": {"$exists": 0}}}),
    listed({"q": {"n": {"$exists": 0}}}),
    listed({"q": {"docs.v": {"$exists": 1}}}),
]


@pytest.fixture
def kept(call, schema):
    """Two rows, the first with a value in every field."""
    schema("other", OTHER)
    schema("row", ROW)
    other = call("POST", "/entities/other", {"name": "o", "n": 5})[1]["_id"]
    first = {
        "name": "r1",
        "n": 1,
        "b": True,
        "d": 5,
        "l": ["x", "y"],
        "ln": [1],
        "m": {"k": 1, "list": [1, 2]},
        "sub": {"a": 1},
        "docs": [A, B],
        "one": other,
        "many": [other],
    }
    call("POST", "/entities/row", [first, {"name": "r2", "n": 2}])
    return other


@pytest.mark.parametrize(("request_", "names"), LISTS)
def test_lists(call, kept, request_, names):
    status, rows = call(*request_)
    found = (status, call.headers["x-total-count"], [row["name"] for row in rows])
    assert found == (200, str(len(names)), list(names))


CODES = [
    # the locked_fields of a PUT decide for that PUT
    (("PUT", "/schemas/held", {**ONLY_A, "locked_fields": []}), 200),
    (("PUT", "/schemas/held", {**ONLY_A, "locked_fields": ["a"]}), 200),
    (("PUT", "/schemas/held", ONLY_A), 400),
    (("PUT", "/schemas/held", {**ONLY_A, "locked_fields": ["b"]}), 400),
    # an empty pattern is none
    (("POST", "/schemas", matching("p", "//")), 400),
    (("POST", "/schemas", matching("p", "//g")), 400),
    (("POST", "/schemas", matching("p", "/a/x")), 400),
    (("POST", "/schemas", matching("p", "/a/ii")), 400),
    (("POST", "/schemas", matching("p", "///")), 201),
    (("POST", "/schemas", matching("p", "/a/gi")), 201),
    # where a query is not swallowed, an operator on another type is an error
    (("GET", "/entities/row", None, {"q": {"one.n": {"$size": 1}}}), 500),
    (("GET", "/entities/row", None, {"q": {"one.name": {"$mod": [2, 0]}}}), 500),
    (("GET", "/entities/row", None, {"q": {"many.n": {"$elemMatch": {"a": 1}}}}), 500),
    (("GET", "/entities/row", None, {"q": {"one.n": {"$exists": 0}}}), 500),
    (("GET", "/entities/row", None, {"q": {"one.nope": {"$exists": 0}}}), 200),
    (("DELETE", "/entities/row", None, {"q": {"n": {"$size": 1}}}), 500),
    (("PUT", "/entities/row", {"n": 3}, {"q": {"name": {"$mod": [2, 0]}}}), 500),
    (("PUT", "/entities/row", {"n": 3}, {"q": {"$or": [{"n": 1}, {"n": {"$elemMatch": {}}}]}}), 500),
    # server-side scripts are left out
    (("GET", "/scripts", None), 501),
    (("POST", "/scripts", {"name": "s"}), 501),
    (("GET", "/scripts/s/commits", None), 501),
    (("PUT", "/endpoints/s/any/path", {}), 501),
]


@pytest.mark.parametrize(("request_", "status"), CODES)
def test_statuses(call, kept, request_, status):
    call("POST", "/schemas", LOCKED)
    found, answer = call(*request_)
    assert found == status, answer
    if status == 500:  # in bulk the raw error, through a join the regular one
        assert ("error" in answer) is (request_[0] == "GET")
    if status == 501:
        assert answer["error"].startswith("The sandbox does not run server-side scripts")


REMOVED = {"removeEmpty": "1"}


def test_remove_empty_is_honoured_on_the_answers_to_writes(call, kept, plain):
    status, made = call("POST", "/entities/row", {"name": "r3", "l": [], "sub": {"l": []}}, REMOVED)
    assert (status, plain(made)) == (201, {"name": "r3"})
    status, changed = call("PUT", f"/entities/row/{made['_id']}", {"ln": [1]}, REMOVED)
    assert (status, plain(changed)) == (200, {"name": "r3", "ln": [1]})
    status, bulk = call("POST", "/entities/row", [{"name": "r4"}], REMOVED)
    assert [plain(one) for one in bulk["success"]] == [{"name": "r4"}]
    assert "_trans_id" not in bulk["success"][0]["_sis"]
    status, bulk = call("PUT", "/entities/row", [{"_id": made["_id"], "ln": []}], REMOVED)
    assert [plain(one) for one in bulk["success"]] == [{"name": "r3"}]
    assert plain(call("GET", f"/entities/row/{made['_id']}")[1])["l"] == []


@pytest.mark.parametrize("query", [{}, {"populate": "one"}, {"populate": "false"}, {"fields": "one,many"}])
def test_remove_empty_leaves_references_as_ids(call, kept, query):
    row = call("GET", "/entities/row", None, {"q": {"name": "r1"}, **REMOVED, **query})[1][0]
    assert (row["one"], row["many"]) == (kept, [kept])
    row = call("GET", f"/entities/row/{row['_id']}", None, {**REMOVED, **query})[1]
    assert (row["one"], row["many"]) == (kept, [kept])


def test_empty_objects_in_hieradata_are_shown_by_the_answer_to_the_post_alone(call):
    data = {"a": {}, "b": {"c": {}, "d": 1}, "e": [{}]}
    stored = {"b": {"d": 1}, "e": [None]}
    status, made = call("POST", "/hiera", {**OWNER, "name": "h", "hieradata": data})
    assert (status, made["hieradata"]) == (201, data)
    assert call("GET", "/hiera/h")[1] == {"h": stored}
    assert call("GET", "/hiera")[1][0]["hieradata"] == stored
    commit = call("GET", "/hiera/h/commits")[1][0]
    assert commit["commit_data"]["hieradata"] == stored
    status, changed = call("PUT", "/hiera/h", {**OWNER, "name": "h", "hieradata": {"x": {}}})
    assert (status, changed["hieradata"]) == (200, stored)


DELTAS = [
    ([A, B], [B, A], {"_t": "a", "_1": ["", 0, 3]}),
    ([A, B], [TURNED, A], {"_t": "a", "_1": [B, 0, 0], "0": [TURNED]}),
    ([A, B], [A, TURNED], {"_t": "a", "_1": [B, 0, 0], "1": [TURNED]}),
    ([A, TURNED], [TURNED, A], {"_t": "a", "_1": ["", 0, 3]}),
]


@pytest.mark.parametrize(("before", "after", "delta"), DELTAS)
def test_members_of_document_arrays_are_known_by_the_order_of_their_keys(call, kept, before, after, delta):
    row = call("POST", "/entities/row", {"docs": before})[1]
    assert list(row["docs"][1]) == list(before[1])
    call("PUT", f"/entities/row/{row['_id']}", {"docs": after})
    commit = call("GET", f"/entities/row/{row['_id']}/commits", None, {"limit": "1"})[1][0]
    assert (commit["action"], commit["commit_data"]["docs"]) == ("update", delta)
    revision = call("GET", f"/entities/row/{row['_id']}/commits/{commit['_id']}")[1]["value_at"]
    assert revision["docs"] == after
