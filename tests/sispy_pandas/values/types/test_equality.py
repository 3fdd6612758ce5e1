import pytest

from addresses import IP
from sispy_pandas.values.types.base import Field
from sispy_pandas.values.types.equality import as_edited, equal

DOCS = Field("d", "Documents", fields=(Field("k", "String"), Field("v.n", "Number")))
ARRAY = {kind: Field("a", "Array", item=Field("", kind)) for kind in ("String", "Mixed")}
ID = "0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("field", "a", "b", "same"),
    [
        ("Number", 1, 1.0, True),
        ("Number", None, float("nan"), True),
        ("Number", "12", 12, True),
        ("Number", "abc", "abc", True),
        ("Number", "abc", None, False),
        ("Number", 1, 2, False),
        ("String", "", None, False),
        ("Boolean", True, 1, True),
        ("Date", "2020-01-02T00:00:00Z", "2020-01-02", True),
        ("IpAddress", "10.1.2.3", "10.1.2.3/32", True),
        ("Mixed", True, 1, False),
        ("Mixed", 1, 1.0, True),
        ("Mixed", {"a": {}, "b": (1,)}, {"b": [1.0]}, True),
        ("Mixed", {"a": {}}, None, True),
        ("Mixed", {"a": None}, {}, False),
        ("Mixed", {"a": 1}, {"a": True}, False),
        ("Mixed", [], None, False),
        (ARRAY["String"], None, [], True),
        (ARRAY["String"], (1, "b"), ["1", "b"], True),
        (ARRAY["String"], ["b", "1"], ["1", "b"], False),
        (ARRAY["Mixed"], [{"a": {}}], [{}], True),
        (DOCS, [{"_id": ID, "k": "a"}], [{"k": "a", "v": {"n": None}}], True),
        (DOCS, [{"_id": ID, "k": "a"}], [{"_id": ID[::-1], "k": "a"}], False),
        (DOCS, [{"k": "a"}], [{"k": "b"}], False),
        (DOCS, [None], [{"k": "a"}], False),
        (DOCS, [None], [{}], False),
        (DOCS, [None, {"k": "a"}], [None, {"k": "a"}], True),
        (DOCS, [], None, True),
        (
            DOCS,
            [{"k": "a", "v": {"n": "x"}}, {"_id": ID, "k": "a"}],
            [{"k": "a", "v": {"n": "x"}}, {"k": "a"}],
            True,
        ),
    ],
)
def test_equal_compares_what_is_stored(field, a, b, same):
    field = Field("f", field) if isinstance(field, str) else field
    assert (equal(field, a, b), equal(field, b, a)) == (same, same)


def test_an_ip_object_equals_its_text():
    assert equal(Field("ip", "IpAddress"), IP, "10.1.2.3/24")
    assert not equal(Field("ip", "IpAddress"), IP | {"network": "x"}, "10.1.2.3/24")


def test_a_number_that_is_what_is_stored_is_written_as_that_is():
    stored = {"a": 24, "b": [1, {"c": 2}], "d": 1.0, "e": True, "f": "24"}
    edited = {"a": 24.0, "b": [1.0, {"c": 2.0}], "d": 1, "e": 1, "f": 24.0, "g": 3.0}

    assert repr(as_edited(stored, edited)) == repr(
        {"a": 24, "b": [1, {"c": 2}], "d": 1.0, "e": 1, "f": 24.0, "g": 3.0}
    )
    assert repr(as_edited(24, 25.0)) == "25.0"
