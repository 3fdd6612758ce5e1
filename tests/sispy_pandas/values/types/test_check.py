import pytest

from sispy_pandas.values.types.base import Field
from sispy_pandas.values.types.convert import check


@pytest.mark.parametrize(
    ("options", "value", "reason"),
    [
        ({"type": "String", "required": True}, None, "a value is required"),
        ({"type": "String", "required": True}, "", "a value is required"),
        ({"type": "Boolean", "required": True}, False, None),
        ({"type": "Array", "item": Field("", "String"), "required": True}, [], "a value is required"),
        ({"type": "String", "enum": ("a", "b")}, "c", "'c' is not allowed; allowed are a, b"),
        *[
            (
                {"type": "String", "enum": tuple("abcdefghijklmno"[:n])},
                "z",
                f"'z' is not allowed; allowed are a, b, c, d, e, f, g, h, i, j, k, l{more}",
            )
            for n, more in ((12, ""), (13, " and 1 more"), (15, " and 3 more"))
        ],
        ({"type": "String", "enum": ("a", "b")}, None, None),
        ({"type": "String", "minlength": 2}, "é", "shorter than 2 characters"),
        ({"type": "String", "maxlength": 1}, "😀", "longer than 1 characters"),
        ({"type": "Number", "min": 0}, -1, "less than 0"),
        ({"type": "Number", "max": 1.5}, 2, "more than 1.5"),
        ({"type": "Number", "max": 1.5}, 1.5, None),
        ({"type": "Date", "min": 0}, "1969-12-31T00:00:00.000Z", "less than 0 (ms since 1970)"),
        ({"type": "String", "match": "/^[a-c]+$/"}, "ab\n", "does not match /^[a-c]+$/"),
        ({"type": "String", "match": "/^[a-c]+$/I"}, "abc", None),
        ({"type": "String", "match": "/^(?<x>a)[[]$/i"}, "A[", None),
        ({"type": "String", "match": "/[^]/"}, "\n", None),
        *[({"type": "String", "minlength": 2, "maxlength": 3}, text, None) for text in ("ab", "abc")],
        *[({"type": "Number", "min": 2, "max": 3}, number, None) for number in (2, 2.5, 3)],
        ({"type": "String", "match": "/^x/"}, "", None),
        ({"type": "String", "match": r"/\p{L}/u"}, "1", None),
        *[({"type": "String", "match": f"/^a$/{flags}"}, "b", None) for flags in ("u", "v", "iv")],
        ({"type": "String", "match": "/(/"}, "1", None),
        (
            {"type": "Array", "item": Field("", "String", enum=("a",))},
            ["a", "b"],
            "member 1: 'b' is not allowed; allowed are a",
        ),
        (
            {"type": "Documents", "fields": (Field("x.y", "Number", required=True),)},
            [None, {"x": {"y": 1}}, {}],
            "member 2.x.y: a value is required",
        ),
    ],
)
def test_the_validators_of_a_definition(options, value, reason):
    assert check(Field("f", **options), value) == reason


def test_an_explicit_null_for_an_enum_is_refused_only_when_sent():
    field = Field("f", "String", enum=("a",))
    assert check(field, None, sent=True) == "an enum cannot be cleared: the server refuses null"
    assert check(Field("f", "Mixed", unknown="Buffer"), 1, sent=True) == "its type 'Buffer' is not known here"
