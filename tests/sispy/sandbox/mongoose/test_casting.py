"""What a create stores, and what it refuses: (type, value, stored value or the server's text)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addresses import IP as IP4
from sispy.sandbox.js.scalars import MISSING
from sispy.sandbox.mongoose.casting import build
from sispy.sandbox.mongoose.definition import compile_definition
from strategies import recursive

META = {
    "_version": "v1.1",
    "owner": [],
    "tags": [],
    "immutable": False,
    "locked": False,
    "any_owner_can_modify": False,
}
A = "a" * 24


class Text(str):
    """An expected error text."""


def cast_failed(kind, shown):
    return Text(f'Cast to {kind} failed for value "{shown}" at path "f"')


IP6 = {
    "ip_address": "2001:db8::1",
    "version": "v6",
    "cidr": 64,
    "network": "2001:0db8:0000:0000:0000:0000:0000:0000",
    "broadcast": "2001:0db8:0000:0000:ffff:ffff:ffff:ffff",
    "subnet_mask": "ffff:ffff:ffff:ffff:0000:0000:0000:0000",
}
ENUM = {"type": "String", "enum": ["x", "y"]}
BOUNDS = {"type": "Number", "min": 0, "max": 100}
LENGTHS = {"type": "String", "minlength": 2, "maxlength": 4}
DATES = {"type": "Date", "min": "2020-01-01", "max": "2020-12-31"}

CASES = [
    ("Number", "12", 12),
    ("Number", " 5 ", 5),
    ("Number", "0x10", 16),
    ("Number", "0b11", 3),
    ("Number", "1e3", 1000),
    ("Number", ".5", 0.5),
    ("Number", "5.", 5),
    ("Number", "-7", -7),
    ("Number", "   ", 0),
    ("Number", "", None),
    ("Number", None, None),
    ("Number", True, 1),
    ("Number", False, 0),
    ("Number", 1.0, 1),
    ("Number", 1.5, 1.5),
    ("Number", 2**53 + 1, 2**53),
    ("Number", 1e20, 10**20),
    ("Number", 1e21, 1e21),
    ("Number", "Infinity", math.inf),
    ("Number", "-Infinity", -math.inf),
    ("Number", 10**400, math.inf),
    ("Number", "abc", cast_failed("Number", "abc")),
    ("Number", "1,5", cast_failed("Number", "1,5")),
    ("Number", "1_0", cast_failed("Number", "1_0")),
    ("Number", "12px", cast_failed("Number", "12px")),
    ("Number", {"a": 1}, cast_failed("Number", "{ a: 1 }")),
    ("Number", [5], cast_failed("Number", "[ 5 ]")),
    ("number", "12", 12),
    ("String", "x", "x"),
    ("String", "", ""),
    ("String", None, None),
    ("String", 12, "12"),
    ("String", 1.0, "1"),
    ("String", 1.5, "1.5"),
    ("String", 1e21, "1e+21"),
    ("String", 1e-7, "1e-7"),
    ("String", 0.00001, "0.00001"),
    ("String", 123456789012345680000, "123456789012345680000"),
    ("String", True, "true"),
    ("String", ["x"], "x"),
    ("String", [1, 2], "1,2"),
    ("String", [1, None, [2, 3]], "1,,2,3"),
    ("String", {"a": 1}, cast_failed("String", "{ a: 1 }")),
    ("String", {}, cast_failed("String", "{}")),
    ("Boolean", True, True),
    ("Boolean", False, False),
    ("Boolean", 0, False),
    ("Boolean", "0", False),
    ("Boolean", "false", False),
    ("Boolean", "", False),
    ("Boolean", "no", True),
    ("Boolean", "yes", True),
    ("Boolean", 2, True),
    ("Boolean", [], True),
    ("Boolean", {}, True),
    ("Boolean", None, None),
    ("Date", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05.000Z"),
    ("Date", "2020-06-01", "2020-06-01T00:00:00.000Z"),
    ("Date", "2020-06", "2020-06-01T00:00:00.000Z"),
    ("Date", "2020-06-01T12:00:00+02:00", "2020-06-01T10:00:00.000Z"),
    ("Date", "2020-06-01T12:00:00-0230", "2020-06-01T14:30:00.000Z"),
    ("Date", "2020-06-01T12:00:00.123456Z", "2020-06-01T12:00:00.123Z"),
    ("Date", "2020-06-01 12:00", "2020-06-01T12:00:00.000Z"),
    ("Date", "Jun 1, 2020 12:00", "2020-06-01T12:00:00.000Z"),
    ("Date", "Jun 1 2020", "2020-06-01T00:00:00.000Z"),
    ("Date", "1 June 2020", "2020-06-01T00:00:00.000Z"),
    ("Date", "Mon, 01 Jun 2020 12:00:00 GMT", "2020-06-01T12:00:00.000Z"),
    ("Date", "06/01/2020", "2020-06-01T00:00:00.000Z"),
    ("Date", "2020/6/1 12:30", "2020-06-01T12:30:00.000Z"),
    ("Date", 1577934245000, "2020-01-02T03:04:05.000Z"),
    ("Date", 1577934245000.9, "2020-01-02T03:04:05.000Z"),
    ("Date", "1577934245000", "2020-01-02T03:04:05.000Z"),
    ("Date", -1, "1969-12-31T23:59:59.999Z"),
    ("Date", 8.64e15, "+275760-09-13T00:00:00.000Z"),
    ("Date", -8.64e15, "-271821-04-20T00:00:00.000Z"),
    ("Date", "", None),
    ("Date", None, None),
    ("Date", "garbage", cast_failed("Date", "garbage")),
    ("Date", "2020-13-01", cast_failed("Date", "2020-13-01")),
    ("Date", "2020-01-01T25:00Z", cast_failed("Date", "2020-01-01T25:00Z")),
    ("Date", True, cast_failed("Date", "true")),
    ("Date", {}, cast_failed("Date", "{}")),
    ("Date", 1e17, cast_failed("Date", "100000000000000000")),
    ("ObjectId", A.upper(), A),
    ("ObjectId", "123456789012", "313233343536373839303132"),
    ("ObjectId", {"_id": A, "name": "ignored"}, A),
    ("ObjectId", None, None),
    ("ObjectId", "", cast_failed("ObjectID", "")),
    ("ObjectId", "zz", cast_failed("ObjectID", "zz")),
    ("ObjectId", 5, cast_failed("ObjectID", "5")),
    ("ObjectId", {"name": "x"}, cast_failed("ObjectID", "{ name: 'x' }")),
    ("IpAddress", "10.1.2.3/24", IP4),
    ("IpAddress", IP4, IP4),
    ("IpAddress", "2001:db8::1/64", IP6),
    ("IpAddress", "", None),
    ("IpAddress", None, None),
    ("IpAddress", "300.1.1.1", cast_failed("undefined", "300.1.1.1")),
    ("IpAddress", "10.0.0.1/33", cast_failed("undefined", "10.0.0.1/33")),
    ("IpAddress", "10.0.0.1/255.0.0.0", cast_failed("undefined", "10.0.0.1/255.0.0.0")),
    ("IpAddress", "fe80::1%eth0", cast_failed("undefined", "fe80::1%eth0")),
    ("IpAddress", 5, cast_failed("undefined", "5")),
    (
        "IpAddress",
        {"ip_address": "10.9.9.9", "cidr": 8},
        cast_failed("undefined", "{ ip_address: '10.9.9.9', cidr: 8 }"),
    ),
    ("Buffer", "ab", {"type": "Buffer", "data": [97, 98]}),
    ("Decimal128", "1.50", {"$numberDecimal": "1.50"}),
    ("Mixed", 5, 5),
    ("Mixed", None, None),
    ("Mixed", [1, {"a": [2]}], [1, {"a": [2]}]),
    ("Mixed", {}, MISSING),
    ("Mixed", {"e": {}, "n": None, "l": []}, {"n": None, "l": []}),
    ("Mixed", {"a": {"b": {}}}, MISSING),
    ("Mixed", [{}], [None]),
    ("Mixed", {"big": 2**53 + 1, "f": 1.0, "e": 1e20}, {"big": 2**53, "f": 1, "e": 10**20}),
    ("Object", {"a": 1}, {"a": 1}),
    ("", {"a": 1}, {"a": 1}),
    ({}, {"a": 1}, {"a": 1}),
    (["String"], ["a", "b"], ["a", "b"]),
    (["String"], "a", ["a"]),
    (["String"], [1, 2.5, None], ["1", "2.5", None]),
    (["String"], None, []),
    (["String"], MISSING, []),
    (["String"], [1, None, {}], cast_failed("Array", "[ 1, null, {} ]")),
    (["Number"], ["1"], [1]),
    (["Number"], ["x"], cast_failed("Array", "[ 'x' ]")),
    ({"type": ["Date"]}, ["2020-01-01"], ["2020-01-01T00:00:00.000Z"]),
    (["IpAddress"], ["10.1.2.3/24"], [IP4]),
    ([["Number"]], [["1", 2], [3]], [[1, 2], [3]]),
    ([["Number"]], [1], [[1]]),
    ([], [1, "a", {"b": {}}], [1, "a", None]),
    (["Mixed"], {"a": 1}, [{"a": 1}]),
    (["Nope"], [1, {"a": 1}], [1, {"a": 1}]),
    ("Array", [1], [[1]]),
    ([{"type": "String", "enum": ["x"]}], ["x"], ["x"]),
    ([{"k": "String"}], [None], [None]),
    ([{"k": "String"}], 5, cast_failed("embedded", "5")),
    ([{"k": "String"}], ["a"], cast_failed("embedded", "a")),
    ([{"k": "String"}], [{"_id": A, "k": 5, "zz": 1}], [{"_id": A, "k": "5"}]),
    ([{"k": "String", "l": ["Number"]}], {"_id": A}, [{"_id": A, "l": []}]),
    ({"a": "String", "b": {"c": "Number"}}, {"a": "q", "b": {"c": "2"}}, {"a": "q", "b": {"c": 2}}),
    ({"a": "String"}, {"zz": 1}, MISSING),
    ({"a": "String"}, 5, MISSING),
    ({"a": "String"}, None, MISSING),
    ({"a": "String"}, [], MISSING),
    ({"type": {"type": "String"}}, {"type": "x"}, {"type": "x"}),
    ({"l": ["String"]}, MISSING, {"l": []}),
    (ENUM, "x", "x"),
    (ENUM, "z", Text("`z` is not a valid enum value for path `f`.")),
    (ENUM, None, Text("`null` is not a valid enum value for path `f`.")),
    (ENUM, "", Text("`` is not a valid enum value for path `f`.")),
    ({"type": "String", "enum": []}, "z", "z"),
    ({"type": "Number", "enum": [1]}, 5, 5),
    ({"type": ["String"], "enum": ["x"]}, ["z"], ["z"]),
    ({"type": "String", "match": "/^[a-c]+$/"}, "abc", "abc"),
    ({"type": "String", "match": "/^[a-c]+$/"}, "", ""),
    ({"type": "String", "match": "/^[a-c]+$/"}, None, None),
    ({"type": "String", "match": "/^[a-c]+$/i"}, "ABC", "ABC"),
    ({"type": "String", "match": "/^[a-c]+$/"}, "b\n", Text("Path `f` is invalid (b\n).")),
    ({"type": "String", "match": "/^a/"}, "b", Text("Path `f` is invalid (b).")),
    (BOUNDS, 0, 0),
    (BOUNDS, 100, 100),
    (BOUNDS, None, None),
    (BOUNDS, -1, Text("Path `f` (-1) is less than minimum allowed value (0).")),
    (BOUNDS, 100.5, Text("Path `f` (100.5) is more than maximum allowed value (100).")),
    (LENGTHS, "ab", "ab"),
    (LENGTHS, None, None),
    (LENGTHS, "😀", "😀"),
    (LENGTHS, "a", Text("Path `f` (`a`) is shorter than the minimum allowed length (2).")),
    (LENGTHS, "abcde", Text("Path `f` (`abcde`) is longer than the maximum allowed length (4).")),
    (LENGTHS, "😀😀a", Text("Path `f` (`😀😀a`) is longer than the maximum allowed length (4).")),
    (DATES, "2020-06-01", "2020-06-01T00:00:00.000Z"),
    ({"type": "String", "lowercase": True, "trim": True}, " ABC\n", "abc"),
    ({"type": "String", "uppercase": True}, 1e21, "1E+21"),
    ({"type": "String", "lowercase": True, "enum": ["x"]}, "X", "x"),
    ({"type": "String", "trim": True}, None, None),
    ({"type": "String", "required": True}, "x", "x"),
    ({"type": "String", "required": True}, "", Text("Path `f` is required.")),
    ({"type": "String", "required": True}, None, Text("Path `f` is required.")),
    ({"type": "String", "required": True}, MISSING, Text("Path `f` is required.")),
    ({"type": "Number", "required": True}, 0, 0),
    ({"type": "Number", "required": True}, "", Text("Path `f` is required.")),
    ({"type": "Boolean", "required": True}, False, False),
    ({"type": ["String"], "required": True}, [], Text("Path `f` is required.")),
    ({"type": ["String"], "required": True}, MISSING, Text("Path `f` is required.")),
    ({"type": "Mixed", "required": True}, {}, Text("Path `f` is required.")),
    ({"type": "String", "default": "given"}, MISSING, "given"),
    ({"type": "String", "default": "given"}, None, None),
    ({"type": "String", "default": "given"}, "own", "own"),
    ({"type": "Number", "default": "5"}, MISSING, 5),
    ({"type": "Date", "default": 0}, MISSING, "1970-01-01T00:00:00.000Z"),
    ({"type": ["String"], "default": ["a"]}, MISSING, ["a"]),
    ({"type": "Mixed", "default": {"a": 1}}, MISSING, {"a": 1}),
    ({"type": "String", "default": "x", "required": True}, MISSING, "x"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), CASES)
def test_casts(kind, value, expected):
    body = {} if value is MISSING else {"f": value}
    document, errors = build(compile_definition({"f": kind}), body)
    if isinstance(expected, Text):
        assert errors == {"f": expected}
        return
    assert errors == {}
    assert document == {**({} if expected is MISSING else {"f": expected}), "_sis": META}
    assert type(document.get("f", MISSING)) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value", "errors"),
    [
        (
            [{"k": "String", "v": "Number"}],
            [{"v": "abc"}],
            {"f.0.v": 'Cast to Number failed for value "abc" at path "v"'},
        ),
        (
            [{"v": {"type": "Number", "required": True, "min": 1}}],
            [{"v": 0}, None, {}],
            {
                "f.0.v": "Path `v` (0) is less than minimum allowed value (1).",
                "f.2.v": "Path `v` is required.",
            },
        ),
        ({"a": {"b": {"type": "String", "required": True}}}, {}, {"f.a.b": "Path `f.a.b` is required."}),
        (
            [{"type": "String", "enum": ["x"]}],
            ["x", "z", None],
            {"f.1": "`z` is not a valid enum value for path `f`."},
        ),
    ],
)
def test_errors_name_the_whole_path(kind, value, errors):
    assert build(compile_definition({"f": kind}), {"f": value})[1] == errors


def test_a_value_that_cannot_be_cast_is_left_out_and_one_that_is_wrong_stays():
    definition = compile_definition({"n": {"type": "Number", "min": 0}, "e": ENUM, "d": "Date"})
    document, errors = build(definition, {"n": -1, "e": "z", "d": "garbage"})
    assert document == {"n": -1, "e": "z", "_sis": META}
    assert errors == {
        "n": "Path `n` (-1) is less than minimum allowed value (0).",
        "e": "`z` is not a valid enum value for path `e`.",
        "d": 'Cast to Date failed for value "garbage" at path "d"',
    }


def test_members_of_document_arrays_get_ids():
    document, errors = build(
        compile_definition({"docs": [{"k": "String"}]}), {"docs": [{"k": "a"}, {"k": "b"}]}
    )
    first, second = (member["_id"] for member in document["docs"])
    assert (errors, len(first), len(second), first != second) == ({}, 24, 24, True)


@pytest.mark.parametrize(
    ("body", "sub", "errors"),
    [
        ({"sub.s": "x"}, {"n": 3, "s": "x"}, {}),
        ({"sub.s": "z"}, {"n": 3, "s": "z"}, {"sub.s": "`z` is not a valid enum value for path `sub.s`."}),
        ({"sub": {"s": "z"}, "sub.s": "x"}, {"n": 3, "s": "x"}, {}),
        ({"sub.n": 4}, {"n": 4}, {"sub.s": "Path `sub.s` is required."}),
        (
            {"sub.s": "x", "sub.n": "q"},
            {"n": 3, "s": "x"},
            {"sub.n": 'Cast to Number failed for value "q" at path "sub.n"'},
        ),
    ],
)
def test_what_dotted_keys_set_is_checked_and_missing_no_longer(body, sub, errors):
    fields = {"s": ENUM | {"required": True}, "n": {"type": "Number", "default": 3}}
    document, found = build(compile_definition({"sub": fields}), body)

    assert (document["sub"], found) == (sub, errors)


def test_dotted_keys_set_a_path():
    definition = compile_definition(
        {"sub": {"a": "Number"}, "l": ["String"], "m": "Mixed", "docs": [{"k": "String"}]}
    )
    document, errors = build(
        definition,
        {"sub.a": "1", "l.1": 5, "m.x.y": 2, "zzz.a": 1, "docs.0.k": 7, "l.99999999": 1, "sub.zz": 1},
    )
    assert errors == {}
    assert len(document["docs"][0].pop("_id")) == 24
    assert document == {
        "sub": {"a": 1},
        "l": [None, "5"],
        "m": {"x": {"y": 2}},
        "docs": [{"k": "7"}],
        "_sis": META,
    }


def test_meta_data_is_cast_too():
    document, errors = build(
        compile_definition({"a": "String"}),
        {"a": "x", "_sis": {"tags": "t", "owner": ["g"], "locked": "yes", "zz": 1}},
    )
    assert errors == {}
    assert document["_sis"] == {**META, "tags": ["t"], "owner": ["g"], "locked": True}


def test_the_definition_may_add_meta_data():
    document, _ = build(
        compile_definition({"a": "String", "_sis": {"rank": "Number"}}), {"a": "x", "_sis": {"rank": "5"}}
    )
    assert document == {"a": "x", "_sis": {**META, "rank": 5}}


def test_defaults_are_not_shared():
    definition = compile_definition({"m": {"type": "Mixed", "default": {"a": []}}})
    first, second = build(definition, {})[0], build(definition, {})[0]
    first["m"]["a"].append(1)
    assert second["m"] == {"a": []}


JSON = recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
EVERYTHING = compile_definition(
    {
        "s": LENGTHS, "n": BOUNDS, "b": "Boolean", "d": DATES, "r": "ObjectId", "ip": "IpAddress",
        "m": "Mixed",
        "l": ["String"], "ln": ["Number"], "ld": ["Date"], "docs": [{"k": "String", "v": "Number"}],
        "any": [], "sub": {"a": "String", "n": "Number"},
        "buf": "Buffer", "dec": "Decimal128", "ll": [["Number"]],
    }
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from([*EVERYTHING.fields, "sub.a", "l.0", "m.x", "docs.0.k", "_sis"]), JSON)
)
def test_any_body_is_answered_and_casting_twice_changes_nothing(body):
    document, errors = build(EVERYTHING, body)
    kept = {
        name: value for name, value in document.items() if not any(path.startswith(name) for path in errors)
    }
    again, errors = build(EVERYTHING, kept)
    assert errors == {}
    assert {name: again[name] for name in kept} == kept


@pytest.mark.parametrize(("count", "statuses"), [(1000, [201, 200]), (1001, [400, 400])])
def test_dotted_keys_have_a_limit(call, schema, count, statuses):
    """Each costs a copy of the value that it is set in: many would block the server for hours."""
    schema("item", {"m": "Mixed"})
    path = f"/entities/item/{call('POST', '/entities/item', {'m': 1})[1]['_id']}"
    body = {f"m.k{i}": i for i in range(count)}
    assert [call("POST", "/entities/item", body)[0], call("PUT", path, body)[0]] == statuses
