"""Conditions of the filter builder, the filters that they make, and the way back."""

from __future__ import annotations

import pytest

from sispy_pandas.reading import filters
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.types.base import Field
from sispy_pandas.widgets.conditions import Builder, Condition, operators

NAME = Field("name", "String")
CORES = Field("cores", "Number")
TAGS = Field("tags", "Array", item=Field("", "String"))
MEMBERS = ("has the member", "lacks the member", "has one of", "has none of")
UNARY = ("has a value", "has no value")


@pytest.mark.parametrize(
    ("field", "operator", "text", "expected"),
    [
        (NAME, "contains", "a.b-c", r'name like "a\\.b-c"'),
        (NAME, "starts with", "web", "name like ^web"),
        (NAME, "is", "web 1", 'name = "web 1"'),
        (NAME, "is one of", "a, b,", "name in a, b"),
        (NAME, "is none of", "a, new york", 'name nin (a, "new york")'),
        (NAME, "matches", "^a|b$", "name ~ ^a|b$"),
        (NAME, "does not match", "/x/i", 'name !~ "/x/i"'),
        (NAME, "has no value", "", "name is empty"),
        (CORES, "≥", " 8 ", "cores >= 8"),
        (CORES, "is not", "1.5", "cores != 1.5"),
        (Field("ip", "IpAddress"), "starts with", "10.", r'ip like "^10\\."'),
        (Field("my day", "Date"), "<", "2026-11-23", '"my day" < 2026-11-23'),
        (TAGS, "has the member", "eu", "tags = eu"),
        (TAGS, "has none of", "eu,us", "tags nin eu, us"),
        (TAGS, "has a value", "", "tags is not empty"),
    ],
)
def test_a_condition_is_a_filter(field, operator, text, expected):
    assert str(Builder((Condition(field, operator, text),))) == expected


def test_conditions_are_joined_and_those_without_a_value_are_left_out():
    parts = (Condition(CORES, "≥", "8"), Condition(NAME, "is", "x"), Condition(NAME, "is one of", " , "))
    assert str(Builder(parts)) == "cores >= 8 and name = x"
    assert str(Builder(parts, "or")) == "cores >= 8 or name = x"
    assert str(Builder()) == str(Builder(parts[2:])) == ""


SCHEMA = parse_schema(
    {
        "name": "host",
        "definition": {
            "name": "String",
            "status": {"type": "String", "enum": ["live", "spare"]},
            "cores": "Number",
            "tags": ["String"],
            "rack": {"type": "ObjectId", "ref": "rack"},
        },
    }
)


@pytest.mark.parametrize(
    ("text", "parts", "back"),
    [
        ("", [], ""),
        ("status = 'live'", [("is", "live")], "status = live"),
        ("status in live,spare or cores>=8", [("is one of", "live, spare"), ("≥", "8")], None),
        (r"name like web\.1", [("contains", "web.1")], r'name like "web\\.1"'),
        ("name like ^web", [("starts with", "web")], None),
        ("name not like web.*", [("is not like", "web.*")], None),
        ("name ~ ^a|b$ and name !~ x", [("matches", "^a|b$"), ("does not match", "x")], None),
        ("tags nin a,b and tags is empty", [("has none of", "a, b"), ("has no value", "")], None),
        ("rack.name = r1 and (cores = 1 or cores = 2)", ["rack.name = r1", "cores = 1 or cores = 2"], None),
        ("not cores = 1", ["not cores = 1"], None),
    ],
)
def test_a_filter_is_conditions_as_far_as_there_are_words_for_it(text, parts, back):
    builder = Builder.of(SCHEMA, text)
    told = [
        (part.operator, part.text) if isinstance(part, Condition) else str(part) for part in builder.parts
    ]
    assert told == parts
    assert str(builder) == (str(filters.parse(text)) if back is None else back)


def test_an_operator_gives_way_to_a_field_that_does_not_take_it():
    builder = Builder().added(NAME)
    assert builder.parts == (Condition(NAME, "contains"),)
    assert builder.changed(0, Condition(CORES, "contains", "8")).parts == (Condition(CORES, "is", "8"),)
    assert builder.without(0) == Builder()


def test_operators_fit_the_type():
    assert operators(NAME) == (
        "contains", "is", "is not", "starts with", "<", "≤", ">", "≥", "is one of", "is none of", "matches",
        "does not match", "is like", "is not like", *UNARY,
    )  # fmt: skip
    assert operators(Field("os", "String", enum=("a",))) == (
        "is",
        "is not",
        "is one of",
        "is none of",
        *UNARY,
    )
    numbers = ("is", "is not", "<", "≤", ">", "≥", "is one of", "is none of", *UNARY)
    assert operators(CORES) == operators(Field("day", "Date")) == numbers
    assert operators(TAGS) == (*MEMBERS, *UNARY)
    assert operators(Field("extra", "Mixed")) == operators(Field("disks", "Documents")) == UNARY
