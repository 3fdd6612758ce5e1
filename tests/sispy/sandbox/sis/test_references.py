"""References: what may be written, how they are populated, how queries go through them."""

import pytest

NOWHERE = "f" * 24
REF = {"type": "ObjectId", "ref": "node"}


@pytest.fixture
def nodes(call, schema):
    schema("node", {"name": "String", "num": "Number"})
    definition = {
        "name": "String",
        "one": REF,
        "many": [REF],
        "nest": {"r": REF},
        "docs": [{"k": "String", "r": REF}],
    }
    schema("link", definition)
    schema("outer", {"two": {"type": "ObjectId", "ref": "link"}})
    made = [call("POST", "/entities/node", {"name": name, "num": i})[1] for i, name in enumerate("abc")]
    return {node["name"]: node["_id"] for node in made}


@pytest.fixture
def link(call, nodes):
    a, b = nodes["a"], nodes["b"]
    body = {"name": "x", "one": a, "many": [a, b], "nest": {"r": b}, "docs": [{"k": "q", "r": a}]}
    return call("POST", "/entities/link", body)[1]


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"one": "a"}, 201, ""),
        ({"one": {"_id": "a", "name": "ignored"}}, 201, ""),
        ({"one": None, "many": None}, 201, ""),
        ({"one": NOWHERE}, 400, "Reference does not exist."),
        ({"many": ["a", NOWHERE]}, 400, "Reference does not exist."),
        ({"nest": {"r": NOWHERE}}, 400, "Reference does not exist."),
        ({"one": "zz"}, 500, "Error verifying references"),
        ({"one": 5}, 500, "Error verifying references"),
        ({"one": {"name": "a"}}, 400, "Reference Object has no _id"),
        ({"docs": [{"r": {"name": "a"}}]}, 400, "One ore more references could not be verified at docs.r"),
        ({"many": [{"_id": "a"}]}, 500, "Error verifying references"),
        ({"name": "x", "one": ""}, 400, "one: Cast to ObjectID failed"),
    ],
)
def test_what_a_create_takes(call, nodes, body, status, text):
    def with_ids(value):
        if isinstance(value, dict):
            return {k: with_ids(v) for k, v in value.items()}
        if isinstance(value, list):
            return [with_ids(v) for v in value]
        return nodes["a"] if value == "a" else value

    found, answer = call("POST", "/entities/link", with_ids(body))
    assert (found, text in answer.get("error", "")) == (status, True), answer


def test_a_missing_schema_is_named(call, schema):
    schema("lost", {"r": {"type": "ObjectId", "ref": "gone"}})
    status, answer = call("POST", "/entities/lost", {"r": NOWHERE})
    assert (status, answer["error"]) == (400, "Bad request: Invalid schema found with name gone")
    assert call("GET", "/entities/lost", query={"q": {"r.x": 1}})[0] == 400


def test_population_is_one_level_deep_and_the_default(call, nodes, link, plain):
    a, b = {"name": "a", "num": 0}, {"name": "b", "num": 1}
    populated = {"name": "x", "one": a, "many": [a, b], "nest": {"r": b}, "docs": [{"k": "q", "r": a}]}
    assert plain(call("GET", f"/entities/link/{link['_id']}")[1]) == populated
    assert plain(call("GET", "/entities/link")[1]) == [populated]
    ids = call("GET", "/entities/link", query={"populate": "false"})[1]
    assert ids == [link]
    some = call("GET", "/entities/link", query={"populate": "one,nest.r,zzz"})[1][0]
    assert plain(some) == plain({**link, "one": a, "nest": {"r": b}})
    call("POST", "/entities/outer", {"two": link["_id"]})
    assert call("GET", "/entities/outer")[1][0]["two"] == link


def test_fields_bring_all_references_along(call, nodes, link, plain):
    a, b = {"name": "a", "num": 0}, {"name": "b", "num": 1}
    found = call("GET", "/entities/link", query={"fields": "name"})[1]
    assert plain(found) == [{"name": "x", "one": a, "many": [a, b], "nest": {"r": b}, "docs": [{"r": a}]}]
    found = call("GET", "/entities/link", query={"fields": "name", "populate": "false"})[1]
    assert plain(found) == [{"name": "x", "many": [], "docs": []}]
    assert call("GET", "/entities/link", query={"fields": "one.name"})[0] == 500


def test_what_dangles_is_hidden_and_blocks_updates(call, nodes, link, plain):
    path = f"/entities/link/{link['_id']}"
    call("DELETE", f"/entities/node/{nodes['b']}")
    shown = plain(call("GET", path)[1])
    assert (shown["many"], shown["nest"]) == ([{"name": "a", "num": 0}], {"r": None})
    assert call("GET", path, query={"populate": "false"})[1]["many"] == [nodes["a"], nodes["b"]]
    assert call("PUT", path, {"name": "y"})[0] == 400
    assert call("PUT", path, {"nest": None})[0] == 400
    assert call("PUT", path, {"nest": {"r": None}, "many": [nodes["a"]]})[0] == 200
    assert call("PUT", path, {"name": "y"})[1]["name"] == "y"


def test_a_populated_form_may_be_sent_back_by_put(call, nodes, link, plain):
    path = f"/entities/link/{link['_id']}"
    form = call("GET", path)[1]
    status, changed = call("PUT", path, {**form, "name": "y"})
    assert (status, plain(changed)) == (200, plain({**link, "name": "y"}))
    assert call("PUT", "/entities/link", [form])[1]["errors"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"one.num": {"$lt": 1}}, ["x"]),
        ({"many.name": "c"}, ["z"]),
        ({"nest.r.name": "b"}, ["x"]),
        ({"docs.r.name": "a"}, ["x"]),
        ({"docs.0.r.name": "a"}, ["x"]),
        ({"many.name": "a", "many.num": 1}, []),
        ({"$or": [{"one.name": "a"}, {"many.name": "c"}]}, ["x", "z"]),
        ({"$nor": [{"one.name": "a"}]}, ["z"]),
        ({"one._sis._created_by": "root"}, ["x", "z"]),
        ({"one._id": "a"}, []),
        ({"one.zzz": 1}, []),
        ({"one.num": {"$ne": 0}}, ["z"]),
        ({"name": "z", "one.name": "a"}, []),
    ],
)
def test_queries_go_through_references(call, nodes, link, query, found):
    call("POST", "/entities/link", {"name": "z", "one": nodes["c"], "many": [nodes["c"]]})
    status, rows = call("GET", "/entities/link", query={"q": query, "sort": "name", "populate": "false"})
    assert (status, [row["name"] for row in rows]) == (200, found)


def test_joins_over_two_levels_and_their_traps(call, nodes, link):
    call("POST", "/entities/outer", {"two": link["_id"]})
    assert len(call("GET", "/entities/outer", query={"q": {"two.one.name": "a"}})[1]) == 1
    overwritten = {"one": nodes["b"], "one.name": "a"}
    assert len(call("GET", "/entities/link", query={"q": overwritten})[1]) == 1
    status, answer = call("GET", "/entities/link", query={"q": {"one.num": "text"}})
    assert (status, answer["code"]) == (500, 1002)
