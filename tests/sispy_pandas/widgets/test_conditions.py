"""Conditions of the filter builder, and the filters that they make."""

from __future__ import annotations

import pytest

from sispy_pandas.values.types.base import Field
from sispy_pandas.widgets.conditions import Condition, filter_of, operators, python_code, shell_code

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
    assert str(filter_of([Condition(field, operator, text)])) == expected


def test_conditions_are_joined_by_and():
    both = [Condition(CORES, "≥", "8"), Condition(NAME, "is", "x")]
    assert str(filter_of(both)) == "cores >= 8 and name = x"
    assert filter_of([]) is None


def test_a_missing_value_is_refused_by_name():
    with pytest.raises(ValueError, match="'cores': a value is missing"):
        filter_of([Condition(CORES, "is", " ")])


def test_operators_fit_the_type():
    assert operators(NAME) == (
        "contains", "is", "is not", "starts with", "<", "≤", ">", "≥", "is one of", "is none of", "matches",
        "does not match", *UNARY,
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


def test_the_same_filter_in_python_and_for_a_shell():
    text = 'name = "it\'s"'
    assert python_code("host", text).splitlines()[1] == "snapshot = sp.fetch(endpoint, 'name = \"it\\'s\"')"
    assert python_code("host", "").splitlines()[1] == "snapshot = sp.fetch(endpoint)"
    assert shell_code("host", text) == """sispy export host 'name = "it'"'"'s"' -o host.csv"""
    assert shell_code("host", "") == "sispy export host -o host.csv"
