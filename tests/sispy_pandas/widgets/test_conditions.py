"""Conditions of the filter builder, and the queries that they make."""

from __future__ import annotations

import pytest

from sispy_pandas.values.types.base import Field
from sispy_pandas.widgets.conditions import Condition, operators, python_code, query, shell_code

NAME = Field("name", "String")
CORES = Field("cores", "Number")
TAGS = Field("tags", "Array", item=Field("", "String"))


@pytest.mark.parametrize(
    ("field", "operator", "text", "expected"),
    [
        (NAME, "contains", "a.b", {"name": {"$regex": r"a\.b", "$options": "i"}}),
        (NAME, "starts with", "web", {"name": {"$regex": "^web", "$options": "i"}}),
        (NAME, "is", "web1", {"name": "web1"}),
        (NAME, "is one of", "a, b,", {"name": {"$in": ["a", "b"]}}),
        (NAME, "has no value", "", {"name": None}),
        (CORES, "≥", " 8 ", {"cores": {"$gte": 8}}),
        (CORES, "is not", "1.5", {"cores": {"$ne": 1.5}}),
        (Field("live", "Boolean"), "is", "true", {"live": True}),
        (Field("day", "Date"), "<", "2026-11-23", {"day": {"$lt": "2026-11-23T00:00:00.000Z"}}),
        (Field("ip", "IpAddress"), "is", "10.0.0.1", {"ip.ip_address": "10.0.0.1"}),
        (Field("ip", "IpAddress"), "has a value", "", {"ip": {"$ne": None}}),
        (TAGS, "has the member", "eu", {"tags": "eu"}),
        (
            Field("tags", "Array", item=Field("", "String")),
            "has no value",
            "",
            {"tags.0": {"$exists": False}},
        ),
    ],
)
def test_a_condition_is_what_the_server_understands(field, operator, text, expected):
    assert query([Condition(field, operator, text)]) == expected


def test_conditions_are_joined_by_and():
    both = [Condition(CORES, "≥", "8"), Condition(NAME, "is", "x")]
    assert query(both) == {"cores": {"$gte": 8}, "name": "x"}
    assert query([both[0], Condition(CORES, "<", "9")]) == {
        "$and": [{"cores": {"$gte": 8}}, {"cores": {"$lt": 9}}]
    }
    assert query([]) == {}


@pytest.mark.parametrize(("text", "reason"), [("many", "cores: .*many"), ("", "cores: a value is missing")])
def test_a_value_of_another_type_is_refused_by_name(text, reason):
    with pytest.raises(ValueError, match=reason):
        query([Condition(CORES, "is", text)])


def test_operators_fit_the_type():
    assert operators(Field("os", "String", enum=("a",)))[:2] == ("is", "is not")
    assert operators(Field("extra", "Mixed")) == ("has a value", "has no value")


def test_the_same_query_in_python_and_for_a_shell():
    q = {"name": "it's"}
    assert (
        python_code("host", q).splitlines()[1] == "snapshot = sp.fetch(endpoint, {'q': {'name': \"it's\"}})"
    )
    assert python_code("host", {}).splitlines()[1] == "snapshot = sp.fetch(endpoint)"
    assert shell_code("host", q) == """sispy export host --query '{"name": "it'"'"'s"}' -o host.csv"""
