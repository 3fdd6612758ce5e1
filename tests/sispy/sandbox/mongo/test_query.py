"""Which documents a query finds: one table of facts, and a plain second implementation to compare with."""

import re
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sispy.sandbox.mongo.query import CastError, compile_query
from sispy.sandbox.mongoose.definition import compile_definition
from strategies import recursive

A, B = "a" * 24, "b" * 24
DEFINITION = compile_definition(
    {
        "n": "Number",
        "s": "String",
        "b": "Boolean",
        "d": "Date",
        "r": {"type": "ObjectId", "ref": "other"},
        "m": "Mixed",
        "l": ["String"],
        "ln": ["Number"],
        "ld": ["Date"],
        "any": [],
        "sub": {"a": "String", "k": {"deep": "Number"}},
        "docs": [{"k": "String", "v": "Number", "tags": ["String"]}],
        "ip": "IpAddress",
    }
)
DAY = "2020-01-02T00:00:00.000Z"
IP = {"ip_address": "10.1.2.3", "version": "v4", "cidr": 24, "network": "10.1.2.0"}
DOCS = [{"k": "a", "v": 1, "tags": ["x"]}, {"k": "b", "v": 5, "tags": []}]

CASES = [
    # equality and casts
    ({"n": 3}, {}, True),
    ({"n": 3}, {"n": 3}, True),
    ({"n": 3}, {"n": 3.0}, True),
    ({"n": 3}, {"n": "3"}, True),
    ({"n": 3}, {"n": " 3 "}, True),
    ({"n": 3}, {"n": 4}, False),
    ({"n": 1}, {"n": True}, True),
    ({"n": 0}, {"n": False}, True),
    ({"n": 0.5}, {"n": ".5"}, True),
    ({"s": "3"}, {"s": 3}, True),
    ({"s": "x"}, {"s": "x"}, True),
    ({"s": "x"}, {"s": "X"}, False),
    ({"s": ""}, {"s": ""}, True),
    ({"s": None}, {"s": ""}, False),
    ({}, {"s": ""}, False),
    ({"s": "true"}, {"s": True}, True),
    ({"b": True}, {"b": "no"}, True),
    ({"b": True}, {"b": 1}, True),
    ({"b": False}, {"b": "false"}, True),
    ({"b": False}, {"b": 0}, True),
    ({"b": True}, {"b": {"$ne": False}}, True),
    ({"d": DAY}, {"d": "2020-01-02"}, True),
    ({"d": DAY}, {"d": "2020-01-02T01:00:00+01:00"}, True),
    ({"d": DAY}, {"d": 1577923200000}, True),
    ({"d": DAY}, {"d": "1577923200000"}, True),
    ({"d": DAY}, {"d": "2020-01-03"}, False),
    ({"r": A}, {"r": A}, True),
    ({"r": A}, {"r": A.upper()}, True),
    ({"r": A}, {"r": {"_id": A}}, True),
    ({"r": A}, {"r": B}, False),
    ({"_id": A}, {"_id": A}, True),
    ({"_id": A}, {"_id": {"$in": [B, A]}}, True),
    ({"_id": A}, {"_id": {"$gt": A}}, False),
    ({"_id": B}, {"_id": {"$gt": A}}, True),
    ({"_sis": {"_updated_at": 5}}, {"_sis._updated_at": {"$gt": "4"}}, True),
    ({"_sis": {"tags": ["x", "y"]}}, {"_sis.tags": "y"}, True),
    ({"_sis": {"tags": []}}, {"_sis.tags": "y"}, False),
    # null and missing
    ({}, {"n": None}, True),
    ({"n": None}, {"n": None}, True),
    ({"n": 0}, {"n": None}, False),
    ({"n": 0}, {"n": {"$ne": None}}, True),
    ({}, {"n": {"$ne": None}}, False),
    ({}, {"n": {"$ne": 1}}, True),
    ({"n": None}, {"n": {"$ne": 1}}, True),
    ({"n": 1}, {"n": {"$ne": 1}}, False),
    ({}, {"zzz": 1}, False),
    ({}, {"zzz": None}, True),
    ({}, {"zzz": {"$ne": 1}}, True),
    ({}, {"zzz": {"$exists": False}}, True),
    ({}, {"zzz": {"$nin": [1, 2]}}, True),
    ({}, {"sub.a": None}, True),
    ({"sub": None}, {"sub.a": None}, True),
    ({"sub": {"a": "x"}}, {"sub.a": None}, False),
    ({"m": 5}, {"m.k": None}, True),
    ({"docs": []}, {"docs.k": None}, False),
    ({"docs": [{"v": 1}]}, {"docs.k": None}, True),
    ({"docs": [{"k": "a"}, {"v": 1}]}, {"docs.k": None}, True),
    ({"docs": DOCS}, {"docs.k": None}, False),
    ({"l": [None]}, {"l": None}, True),
    ({"l": []}, {"l": None}, False),
    ({"l": ["a", None]}, {"l": {"$in": [None]}}, True),
    ({"n": None}, {"n": {"$exists": True}}, True),
    ({"n": None}, {"n": {"$exists": False}}, False),
    ({}, {"n": {"$exists": True}}, False),
    ({"docs": DOCS}, {"docs.k": {"$exists": True}}, True),
    ({"docs": []}, {"docs.k": {"$exists": True}}, False),
    ({"docs": []}, {"docs.k": {"$exists": False}}, True),
    ({"docs": [None]}, {"docs.k": {"$exists": False}}, True),
    ({"m": {"k": None}}, {"m.k": {"$exists": True}}, True),
    # order, bracketed by type
    ({"n": 3}, {"n": {"$gt": 2}}, True),
    ({"n": 3}, {"n": {"$gt": 3}}, False),
    ({"n": 3}, {"n": {"$gte": "3"}}, True),
    ({"n": 3}, {"n": {"$lt": 3.5}}, True),
    ({"n": 3}, {"n": {"$gte": 3, "$lt": 3}}, False),
    ({"n": None}, {"n": {"$lt": 3}}, False),
    ({}, {"n": {"$lt": 3}}, False),
    ({}, {"n": {"$lte": None}}, True),
    ({"n": None}, {"n": {"$gte": None}}, True),
    ({"n": None}, {"n": {"$gt": None}}, False),
    ({"n": 1}, {"n": {"$gte": None}}, False),
    ({"s": "b"}, {"s": {"$gt": "a"}}, True),
    ({"s": "B"}, {"s": {"$gt": "a"}}, False),
    ({"s": "10"}, {"s": {"$lt": "9"}}, True),
    ({"n": "text of an older type"}, {"n": {"$gt": 0}}, False),
    ({"m": {"k": "5"}}, {"m.k": {"$gt": 1}}, False),
    ({"m": {"k": True}}, {"m.k": {"$gt": 0}}, False),
    ({"m": {"k": True}}, {"m.k": {"$gt": False}}, True),
    ({"m": {"k": True}}, {"m.k": 1}, False),
    ({"m": {"k": 1}}, {"m.k": True}, False),
    ({"m": {"k": 0}}, {"m.k": False}, False),
    ({"d": DAY}, {"d": {"$gt": "2020-01-01T12:00:00Z"}}, True),
    ({"d": DAY}, {"d": {"$lte": "2020-01-02"}}, True),
    ({"d": DAY}, {"d": {"$lt": "2020-01-02"}}, False),
    ({"d": "+012020-01-02T00:00:00.000Z"}, {"d": {"$gt": "2020-01-01"}}, True),
    ({"d": "-000005-01-02T00:00:00.000Z"}, {"d": {"$lt": "0000-01-01"}}, True),
    ({"d": "-000005-01-02T00:00:00.000Z"}, {"d": {"$lt": "-000006-01-02T00:00:00.000Z"}}, False),
    # $in and $nin
    ({"n": 3}, {"n": {"$in": [1, "3"]}}, True),
    ({"n": 3}, {"n": {"$in": []}}, False),
    ({"n": 3}, {"n": {"$nin": []}}, True),
    ({"n": 3}, {"n": {"$in": 3}}, True),
    ({"n": 3}, {"n": [1, 3]}, True),
    ({"n": 3}, {"n": [1, 2]}, False),
    ({}, {"n": {"$in": [None, 1]}}, True),
    ({}, {"n": {"$nin": [None, 1]}}, False),
    ({"n": 3}, {"n": {"$nin": [1, 2]}}, True),
    ({"l": ["a", "b"]}, {"l": {"$in": ["b", "z"]}}, True),
    ({"l": ["a", "b"]}, {"l": {"$nin": ["b", "z"]}}, False),
    ({"l": []}, {"l": {"$nin": ["b"]}}, True),
    ({"b": True}, {"b": {"$in": [True]}}, True),
    ({"m": {"k": 1}}, {"m.k": {"$in": [True, "1"]}}, False),
    ({"m": {"k": [1, 2]}}, {"m.k": {"$in": [[1, 2]]}}, True),
    # arrays
    ({"l": ["a", "b"]}, {"l": "a"}, True),
    ({"l": ["a", "b"]}, {"l": "z"}, False),
    ({"l": ["a", "b"]}, {"l": ["a", "b"]}, True),
    ({"l": ["a", "b"]}, {"l": ["b", "a"]}, False),
    ({"l": ["a", "b"]}, {"l": ["a"]}, False),
    ({"l": []}, {"l": []}, True),
    ({"l": ["a"]}, {"l": []}, False),
    ({}, {"l": []}, False),
    ({"l": ["3"]}, {"l": 3}, True),
    ({"l": ["a", "b"]}, {"l": {"$ne": "a"}}, False),
    ({"l": ["b"]}, {"l": {"$ne": "a"}}, True),
    ({"l": ["a", "b"]}, {"l.0": "a"}, True),
    ({"l": ["a", "b"]}, {"l.1": "a"}, False),
    ({"l": ["a", "b"]}, {"l.5": None}, False),
    ({"l": ["a", "b"]}, {"l.5": {"$exists": False}}, True),
    ({"ln": [1, 9]}, {"ln": {"$gt": 5}}, True),
    ({"ln": [1, 9]}, {"ln": {"$gt": 5, "$lt": 3}}, True),
    ({"ln": [1, 9]}, {"ln": {"$elemMatch": {"$gt": 5, "$lt": 8}}}, False),
    ({"ln": [1, 6]}, {"ln": {"$elemMatch": {"$gt": "5", "$lt": 8}}}, True),
    ({"ln": 6}, {"ln": {"$elemMatch": {"$gt": 5}}}, False),
    ({"ld": [DAY]}, {"ld": {"$gte": "2020-01-02"}}, True),
    ({"l": ["a", "b"]}, {"l": {"$size": 2}}, True),
    ({"l": ["a", "b"]}, {"l": {"$size": "2"}}, True),
    ({"l": ["a", "b"]}, {"l": {"$size": 1}}, False),
    ({"l": []}, {"l": {"$size": 0}}, True),
    ({}, {"l": {"$size": 0}}, False),
    ({"l": ["a", "b"]}, {"l": {"$all": ["b", "a"]}}, True),
    ({"l": ["a", "b"]}, {"l": {"$all": ["b", "z"]}}, False),
    ({"l": ["a", "b"]}, {"l": {"$all": []}}, False),
    ({"s": "a"}, {"s": {"$all": ["a"]}}, True),
    ({"docs": DOCS}, {"docs": {"$all": [{"$elemMatch": {"k": "a"}}, {"$elemMatch": {"v": 5}}]}}, True),
    ({"docs": DOCS}, {"docs": {"$all": [{"$elemMatch": {"k": "a", "v": 5}}]}}, False),
    ({"any": [[1, 2], 3]}, {"any": [1, 2]}, True),
    ({"any": [[1, 2], 3]}, {"any": 2}, False),
    ({"any": [[1, 2], 3]}, {"any.0": 2}, True),
    ({"any": [[1, 2], 3]}, {"any.0.1": 2}, True),
    # document arrays and nested objects
    ({"docs": DOCS}, {"docs.k": "b"}, True),
    ({"docs": DOCS}, {"docs.k": "z"}, False),
    ({"docs": DOCS}, {"docs.v": "5"}, True),
    ({"docs": DOCS}, {"docs.v": {"$gt": 4}, "docs.k": "a"}, True),
    ({"docs": DOCS}, {"docs": {"$elemMatch": {"v": {"$gt": 4}, "k": "a"}}}, False),
    ({"docs": DOCS}, {"docs": {"$elemMatch": {"v": {"$gt": "4"}, "k": "b"}}}, True),
    ({"docs": DOCS}, {"docs": {"$elemMatch": {"$or": [{"k": "z"}, {"v": 1}]}}}, True),
    ({"docs": DOCS}, {"docs.0.k": "a"}, True),
    ({"docs": DOCS}, {"docs.1.k": "a"}, False),
    ({"docs": DOCS}, {"docs.0.v": "1"}, True),
    ({"docs": DOCS}, {"docs.tags": "x"}, True),
    ({"docs": DOCS}, {"docs.tags": {"$size": 0}}, True),
    ({"docs": DOCS}, {"docs.1.tags": {"$size": 1}}, False),
    ({"docs": DOCS}, {"docs": {"$size": 2}}, True),
    ({"docs": DOCS}, {"docs.k": {"$ne": "a"}}, False),
    ({"docs": DOCS}, {"docs.k": {"$nin": ["y", "z"]}}, True),
    ({"docs": DOCS}, {"docs.k": {"$all": ["a", "b"]}}, True),
    ({"sub": {"a": "3"}}, {"sub.a": 3}, True),
    ({"sub": {"k": {"deep": 4}}}, {"sub.k.deep": "4"}, True),
    ({"sub": {"k": {"deep": 4}}}, {"sub": {"k": {"deep": 4}}}, True),
    ({"sub": {"a": "x", "k": {}}}, {"sub": {"a": "x"}}, False),
    ({"sub": {"a": "3"}}, {"sub": {"a": 3}}, False),  # a document as a whole has no type
    ({"ip": IP}, {"ip.ip_address": "10.1.2.3"}, True),
    ({"ip": IP}, {"ip.cidr": "24"}, True),
    ({"ip": IP}, {"ip.version": "v6"}, False),
    # Mixed: no casts, objects with their order of keys
    ({"m": {"k": 3}}, {"m.k": 3}, True),
    ({"m": {"k": 3}}, {"m.k": "3"}, False),
    ({"m": {"a": 1, "b": 2}}, {"m": {"a": 1, "b": 2}}, True),
    ({"m": {"a": 1, "b": 2}}, {"m": {"b": 2, "a": 1}}, False),
    ({"m": {"a": 1, "b": 2}}, {"m": {"a": 1}}, False),
    ({"m": [1, {"a": [2]}]}, {"m.a": 2}, True),
    ({"m": [1, {"a": [2]}]}, {"m.1.a.0": 2}, True),
    ({"m": {"0": "x"}}, {"m.0": "x"}, True),
    ({"m": [{"0": "x"}]}, {"m.0": "x"}, True),
    ({"m": 5}, {"m": 5}, True),
    # patterns
    ({"s": "web1"}, {"s": {"$regex": "^web"}}, True),
    ({"s": "WEB1"}, {"s": {"$regex": "^web"}}, False),
    ({"s": "WEB1"}, {"s": {"$regex": "^web", "$options": "i"}}, True),
    ({"s": "a\nb"}, {"s": {"$regex": "^b"}}, False),
    ({"s": "a\nb"}, {"s": {"$regex": "^b", "$options": "m"}}, True),
    ({"s": "a\nb"}, {"s": {"$regex": "a.b", "$options": "s"}}, True),
    ({"s": "ab"}, {"s": {"$regex": "a b # both", "$options": "x"}}, True),
    ({"s": "a1"}, {"s": {"$regex": r"^[[:alpha:]]\d$"}}, True),
    ({"s": "/x/"}, {"s": "/x/"}, True),
    ({"s": "x"}, {"s": "/x/"}, False),
    ({"l": ["web1", "db1"]}, {"l": {"$regex": "^db"}}, True),
    ({"s": None}, {"s": {"$regex": ""}}, False),
    ({"s": "web1"}, {"s": {"$not": {"$regex": "^web"}}}, False),
    ({}, {"s": {"$not": {"$regex": "^web"}}}, True),
    ({"m": {"k": 5}}, {"m.k": {"$regex": "5"}}, False),
    # $not, $mod, $type
    ({"n": 3}, {"n": {"$not": {"$gt": 5}}}, True),
    ({}, {"n": {"$not": {"$gt": 5}}}, True),
    ({"n": 7}, {"n": {"$not": {"$gt": 5, "$lt": 10}}}, False),
    ({"n": 7}, {"n": {"$mod": [5, 2]}}, True),
    ({"n": 7.9}, {"n": {"$mod": [5, 2]}}, True),
    ({"n": -7}, {"n": {"$mod": [5, 2]}}, False),
    ({"n": -7}, {"n": {"$mod": [5, -2]}}, True),
    ({"n": None}, {"n": {"$mod": [5, 0]}}, False),
    ({"n": 3}, {"n": {"$type": "number"}}, True),
    ({"n": 3}, {"n": {"$type": 16}}, True),
    ({"n": 3.5}, {"n": {"$type": 1}}, True),
    ({"n": 3.5}, {"n": {"$type": "int"}}, False),
    ({"s": "x"}, {"s": {"$type": "string"}}, True),
    ({"s": "x"}, {"s": {"$type": ["bool", 2]}}, True),
    ({"d": DAY}, {"d": {"$type": "date"}}, True),
    ({"d": DAY}, {"d": {"$type": "string"}}, False),
    ({"_id": A}, {"_id": {"$type": "objectId"}}, True),
    ({"l": ["a"]}, {"l": {"$type": "array"}}, True),
    ({"l": ["a"]}, {"l": {"$type": "string"}}, True),
    ({"n": None}, {"n": {"$type": 10}}, True),
    ({}, {"n": {"$type": 10}}, False),
    ({"m": {"k": {}}}, {"m.k": {"$type": "object"}}, True),
    ({"m": "x"}, {"m": {"$type": "regex"}}, False),
    # whole members of a document array
    ({"docs": DOCS}, {"docs": {"k": "a", "v": "1", "tags": ["x"]}}, True),
    ({"docs": DOCS}, {"docs": {"k": "a", "v": 2, "tags": ["x"]}}, False),
    ({"docs": DOCS}, {"docs": [{"k": "a", "v": "1", "tags": ["x"]}, {"k": "b", "v": 5, "tags": []}]}, True),
    ({"docs": DOCS}, {"docs": {"k": "a", "odd": 1}}, False),
    # logic
    ({"n": 1, "s": "x"}, {"$and": [{"n": 1}, {"s": "x"}]}, True),
    ({"n": 1, "s": "x"}, {"$and": [{"n": 1}, {"s": "y"}]}, False),
    ({"n": 1}, {"$or": [{"n": 2}, {"n": "1"}]}, True),
    ({"n": 1}, {"$or": [{"n": 2}, {"n": 3}]}, False),
    ({"n": 1}, {"$nor": [{"n": 2}, {"n": 3}]}, True),
    ({"n": 1}, {"$nor": [{"n": 1}]}, False),
    ({"n": 1}, {"$or": [{"$and": [{"n": 1}, {"s": None}]}]}, True),
    ({"n": 1}, {"n": 1, "$comment": "why"}, True),
]


@pytest.mark.parametrize(("document", "query", "answer"), CASES)
def test_matches(document, query, answer):
    assert compile_query(query, DEFINITION)(document) is answer


def test_the_table_is_large_enough():
    assert len(CASES) >= 150


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"n": "abc"}, 'Cast to number failed for value "abc" at path "n"'),
        ({"n": {"$in": [1, "abc"]}}, 'Cast to number failed for value "abc" at path "n"'),
        ({"n": {"$not": {"$gt": "abc"}}}, 'Cast to number failed for value "abc" at path "n"'),
        ({"docs.v": "abc"}, 'Cast to number failed for value "abc" at path "docs.v"'),
        ({"docs": {"$elemMatch": {"v": "abc"}}}, 'Cast to number failed for value "abc" at path "v"'),
        ({"s": {"a": 1}}, 'Cast to string failed for value "{ a: 1 }" at path "s"'),
        ({"d": "garbage"}, 'Cast to date failed for value "garbage" at path "d"'),
        ({"_id": "garbage"}, 'Cast to ObjectID failed for value "garbage" at path "_id"'),
        ({"r": 5}, 'Cast to ObjectID failed for value "5" at path "r"'),
        ({"ip": "10.1.2.3/24"}, 'Cast to undefined failed for value "10.1.2.3/24" at path "ip"'),
        ({"$bad": 1}, "unknown top level operator: $bad"),
        ({"n": {"$bad": 1}}, "Can't use $bad with n."),
        ({"n": {"$gt": 1, "x": 2}}, "unknown operator: x"),
        ({"n": {"$exists": 1}}, "$exists parameter must be a boolean!"),
        ({"$or": []}, "$or must be a nonempty array of objects"),
        ({"$and": {"n": 1}}, "$and must be a nonempty array of objects"),
        ({"$nor": [1]}, "$nor must be a nonempty array of objects"),
        ({"n": {"$not": 5}}, "$not needs an object of operators"),
        ({"n": {"$mod": [0, 1]}}, "divisor cannot be 0"),
        ({"n": {"$mod": [2]}}, "malformed mod, needs to be an array of two numbers"),
        ({"l": {"$size": -1}}, "$size must be a whole number"),
        ({"s": {"$size": 2}}, "Can't use $size with String at s."),
        ({"docs.v": {"$elemMatch": {}}}, "Can't use $elemMatch with Number at docs.v."),
        ({"s": {"$mod": [2, 0]}}, "Can't use $mod with String at s."),
        ({"l": {"$size": "1e999"}}, "$size must be a whole number"),
        ({"l": {"$elemMatch": 5}}, "$elemMatch needs an Object"),
        ({"s": {"$options": "i"}}, "$options needs a $regex"),
        ({"n": {"$regex": "1"}}, "Can't use $regex with Number."),
        ({"n": {"$type": "nope"}}, "Unknown type name alias: 'nope'"),
        ({"docs": "x"}, 'Cast to ObjectID failed for value "x" at path "docs"'),
        ({"docs": 5}, 'Cast to embedded failed for value "5" at path "docs"'),
        ({"s": {"$regex": 5}}, "$regex has to be a string"),
        ({"n": {"$mod": ["x", 0]}}, "malformed mod, divisor and remainder have to be numbers"),
        ({"$where": "1"}, "unknown top level operator: $where"),
    ],
)
def test_refuses(query, text):
    with pytest.raises(CastError, match=re.escape(text)):
        compile_query(query, DEFINITION)


def test_a_cast_error_tells_what_bulk_writes_answer():
    with pytest.raises(CastError) as caught:
        compile_query({"n": "abc"}, DEFINITION)
    assert caught.value.document() == {
        "message": 'Cast to number failed for value "abc" at path "n"',
        "name": "CastError",
        "kind": "number",
        "value": "abc",
        "path": "n",
        "stringValue": '"abc"',
    }


def test_a_malformed_query_tells_what_bulk_writes_answer():
    with pytest.raises(CastError) as caught:
        compile_query({"$or": []}, DEFINITION)
    text = "$or must be a nonempty array of objects"
    assert caught.value.document() == {
        "name": "MongoError",
        "message": text,
        "ok": 0,
        "errmsg": text,
        "code": 2,
        "codeName": "BadValue",
    }


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "x" * 40_000, "(?<a>x)(?<a>y)\\k<b>"])
def test_a_bad_pattern_is_refused(pattern):
    with pytest.raises(CastError):
        compile_query({"s": {"$regex": pattern}}, DEFINITION)


@pytest.mark.usefixtures("deep")
def test_deep_queries_are_refused():
    query: dict[str, Any] = {"n": 1}
    for _ in range(500):
        query = {"$and": [query]}
    with pytest.raises(CastError, match="too deeply"):
        compile_query(query, DEFINITION)


# A second implementation, as plain as can be: no casts, no closures, every rule spelled out.

PRIMITIVES = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.sampled_from(["", "a", "b"]))
VALUES = recursive(
    PRIMITIVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["x", "y", "0"]), inner, max_size=2)
    ),
    max_leaves=6,
)
PATHS = st.lists(st.sampled_from(["x", "y", "0", "1"]), min_size=0, max_size=2).map(
    lambda p: ".".join(["m", *p])
)
OPERATORS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), VALUES),
    st.tuples(st.sampled_from(["$in", "$nin", "$all"]), st.lists(VALUES, max_size=3)),
    st.tuples(st.just("$exists"), st.booleans()),
    st.tuples(st.just("$size"), st.integers(0, 3)),
).map(lambda pair: {pair[0]: pair[1]})
CONDITIONS = st.tuples(PATHS, st.one_of(OPERATORS, OPERATORS.map(lambda one: {"$not": one}))).map(
    lambda p: {p[0]: p[1]}
)
QUERIES = recursive(
    CONDITIONS,
    lambda inner: st.tuples(
        st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=2)
    ).map(lambda pair: {pair[0]: pair[1]}),
    max_leaves=3,
)
ABSENT = object()


def kind_of(value):
    return (
        "null"
        if value is None or value is ABSENT
        else "bool"
        if isinstance(value, bool)
        else type(value).__name__
    )


def alike(one, other):
    if kind_of(one) != kind_of(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(alike(*pair) for pair in zip(one, other, strict=True))
    return kind_of(one) == "null" or one == other


KINDS = ["null", "int", "str", "dict", "list", "bool"]


def less(one, other):
    if KINDS.index(kind_of(one)) != KINDS.index(kind_of(other)):
        return KINDS.index(kind_of(one)) < KINDS.index(kind_of(other))
    if isinstance(one, list | dict):
        left = [(None, v) for v in one] if isinstance(one, list) else list(one.items())
        right = [(None, v) for v in other] if isinstance(other, list) else list(other.items())
        for (key, value), (key2, value2) in zip(left, right, strict=False):
            if isinstance(one, dict) and kind_of(value) != kind_of(value2):
                return KINDS.index(kind_of(value)) < KINDS.index(kind_of(value2))
            if key != key2:
                return key < key2
            if not alike(value, value2):
                return less(value, value2)
        return len(left) < len(right)
    return kind_of(one) != "null" and one < other


def ends(value, parts):
    if not parts:
        return [value]
    head, *rest = parts
    if isinstance(value, dict):
        return ends(value[head], rest) if head in value else [ABSENT]
    if isinstance(value, list):
        found = [end for member in value if isinstance(member, dict) for end in ends(member, parts)]
        if (
            head.isdigit()
            and int(head) < len(value)
            and (not rest or isinstance(value[int(head)], dict | list))
        ):
            found += ends(value[int(head)], rest)
        return found
    return [ABSENT]


def naive(query, document):
    ((key, condition),) = query.items()
    if key in ("$and", "$or", "$nor"):
        answers = [naive(part, document) for part in condition]
        return {"$and": all(answers), "$or": any(answers), "$nor": not any(answers)}[key]
    ((operator, operand),) = condition.items()
    if operator == "$not":
        return not naive({key: operand}, document)
    if operator in ("$ne", "$nin"):
        return not naive({key: {"$eq" if operator == "$ne" else "$in": operand}}, document)
    if operator == "$in":
        return any(naive({key: {"$eq": one}}, document) for one in operand)
    if operator == "$all":
        return bool(operand) and all(naive({key: {"$eq": one}}, document) for one in operand)
    found = ends(document, key.split("."))
    if operator == "$exists":
        return any(value is not ABSENT for value in found) is operand
    if operator == "$size":
        return any(isinstance(value, list) and len(value) == operand for value in found)
    candidates = found + [member for value in found if isinstance(value, list) for member in value]
    if operator == "$eq":
        return any(alike(value, operand) for value in candidates)
    same_kind = [value for value in candidates if kind_of(value) == kind_of(operand)]
    if any(alike(value, operand) for value in same_kind) and operator in ("$gte", "$lte"):
        return True
    return any(less(operand, v) if operator in ("$gt", "$gte") else less(v, operand) for v in same_kind)


@settings(max_examples=400, deadline=None)
@given(query=QUERIES, value=VALUES)
def test_agrees_with_the_plain_implementation(query, value):
    document = {"_id": A, "m": value}
    assert compile_query(query, DEFINITION)(document) is naive(query, document)


@pytest.mark.soak
@settings(max_examples=10_000, deadline=None)
@given(query=QUERIES, value=VALUES)
def test_agrees_with_the_plain_implementation_for_long(query, value):
    document = {"_id": A, "m": value}
    assert compile_query(query, DEFINITION)(document) is naive(query, document)


MOMENTS = st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year > 999)


@given(MOMENTS, MOMENTS)
def test_dates_are_ordered_by_time(one, other):
    stored = one.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    asked = other.strftime("%Y-%m-%dT%H:%M:%SZ")
    matches = compile_query({"d": {"$lt": asked}}, DEFINITION)
    assert matches({"d": stored}) is (one.replace(microsecond=0) < other.replace(microsecond=0))
