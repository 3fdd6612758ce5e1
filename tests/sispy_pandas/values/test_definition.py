"""What a definition demands of a field, in words."""

import pytest

from sispy_pandas.values.definition import enum_of, rules
from sispy_pandas.values.types.base import Field


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (Field("f", "String"), []),
        (Field("f", "Number", min=0), ["0.."]),
        (Field("f", "Number", max=1.5), ["..1.5"]),
        (Field("f", "Number", min=-1, max=0), ["-1..0"]),
        (
            Field("f", "String", required=True, unique=True, minlength=1, maxlength=3, default="a"),
            ["required", "unique", "1..3 characters", "default a"],
        ),
        (
            Field("f", "String", case="lower", trim=True, match="/^a/"),
            ["lower case", "trimmed", "match /^a/"],
        ),
        (
            Field("f", "Array", item=Field("", "String", maxlength=3), required=True),
            ["required", "..3 characters"],
        ),
    ],
)
def test_what_a_definition_demands_of_a_field(field, words):
    assert rules(field) == words


def test_an_enum_is_that_of_the_field_or_of_the_members_of_its_lists():
    one = Field("f", "String", enum=("a", "b"))

    assert [enum_of(field) for field in (one, Field("f", "Array", item=one), Field("f", "String"))] == [
        *(("a", "b"), ("a", "b"), ()),
    ]
    assert enum_of(Field("f", "Array", item=Field("", "String"))) == ()
    assert enum_of(Field("f", "Documents", fields=(one,))) == ()
