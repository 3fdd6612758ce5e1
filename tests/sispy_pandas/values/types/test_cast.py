import datetime
import enum
import ipaddress
import uuid
from decimal import Decimal
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pytest

from sispy_pandas.values.types.base import Field
from sispy_pandas.values.types.cells import double_of
from sispy_pandas.values.types.convert import cast, is_blank, to_json
from sispy_pandas.values.types.frozen import FrozenDict


class Colour(str, enum.Enum):  # noqa: UP042 - its str() is not its value, as of many an enum
    RED = "red"


class Level(enum.Enum):
    HIGH = 3


UUID = "00000000-0000-0000-0000-000000000005"
OF_PYTHON = {
    ipaddress.ip_address("10.1.2.3"): "10.1.2.3",
    ipaddress.ip_interface("10.1.2.3/24"): "10.1.2.3/24",
    ipaddress.ip_network("2001:db8::/64"): "2001:db8::/64",
    uuid.UUID(int=5): UUID,
    PurePosixPath("/srv/www"): "/srv/www",
    datetime.time(10, 30): "10:30:00",
}
DOCS = Field("d", "Documents", fields=(Field("k", "String"), Field("v.n", "Number")))
ARRAY = {kind: Field("a", "Array", item=Field("", kind)) for kind in ("String", "Number", "Date", "Mixed")}
ID = "0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("field", "cell", "stored"),
    [
        ("String", 12, "12"),
        ("String", 12.0, "12"),
        ("String", 1e21, "1e+21"),
        ("String", 1e-7, "1e-7"),
        ("String", 0.00001, "0.00001"),
        ("String", True, "true"),
        ("String", " x ", " x "),
        ("String", "", ""),
        ("String", Colour.RED, "red"),
        (Field("f", "String", trim=True, case="upper"), " x ", "X"),
        ("Number", "12", 12),
        ("Number", " 5 ", 5),
        ("Number", "0x10", 16),
        ("Number", "1e3", 1000),
        ("Number", "-.5", -0.5),
        ("Number", "007", 7),
        ("Number", "", None),
        ("Number", 1.0, 1),
        ("Number", np.int64(3), 3),
        ("Number", 2**53, 2**53),
        ("Number", Decimal("1.5"), 1.5),
        ("Number", Decimal("sNaN"), None),
        ("Number", Level.HIGH, 3),
        ("String", Decimal("1.50"), "1.50"),
        ("String", double_of("0.1000000000000000000001"), "0.1000000000000000000001"),
        *[("String", n, text) for n, text in ((1e21, "1e+21"), (1e20, "1" + "0" * 20), (1.5e-7, "1.5e-7"))],
        ("Number", double_of("0.1000000000000000000001"), 0.1),
        ("String", datetime.date(2024, 1, 31), "2024-01-31"),
        *[("String", cell, text) for cell, text in OF_PYTHON.items()],
        *[("Mixed", cell, text) for cell, text in OF_PYTHON.items()],
        (
            "Mixed",
            {"a": [Decimal("1.5"), Decimal(3), Level.HIGH, uuid.UUID(int=5)]},
            {"a": [1.5, 3, 3, UUID]},
        ),
        *[("IpAddress", cell, text) for cell, text in list(OF_PYTHON.items())[:3]],
        (ARRAY["String"], [PurePosixPath("/srv"), "x"], ["/srv", "x"]),
        ("Boolean", "No", False),
        ("Boolean", "YES", True),
        ("Boolean", 1.0, True),
        ("Boolean", 0, False),
        ("Boolean", np.int64(0), False),
        ("Boolean", np.bool_(False), False),
        ("Date", "2020-01-02", "2020-01-02T00:00:00.000Z"),
        ("Date", "0001-01-02T03:04:05.678Z", "0001-01-02T03:04:05.678Z"),
        ("Date", "2020-01-02 03:04:05.678Z", "2020-01-02T03:04:05.678Z"),
        ("Date", "2020-01-02T03:04:05.6789+02:00", "2020-01-02T01:04:05.678Z"),
        ("Date", pd.Timestamp("2020-01-02 03:04", tz="Europe/Berlin"), "2020-01-02T02:04:00.000Z"),
        ("Date", datetime.date(2020, 1, 2), "2020-01-02T00:00:00.000Z"),
        ("Date", np.datetime64("2020-01-02"), "2020-01-02T00:00:00.000Z"),
        ("Date", 1577934245000, "2020-01-02T03:04:05.000Z"),
        ("ObjectId", ID.upper(), ID),
        ("ObjectId", {"_id": ID, "name": "x"}, ID),
        *[("Boolean", text, True) for text in ("true", "TRUE", " yes ", "1")],
        *[("Boolean", text, False) for text in ("false", "False", " no ", "0")],
        ("IpAddress", "10.1.2.3/24", "10.1.2.3/24"),
        ("IpAddress", "10.1.2.3/32", "10.1.2.3"),
        ("IpAddress", "2001:DB8::1/128", "2001:DB8::1"),
        ("IpAddress", "", None),
        ("Mixed", {"a": (1, np.float64(2.5), pd.NaT)}, {"a": [1, 2.5, None]}),
        ("Mixed", {}, None),
        ("Mixed", {"a": {"b": {}}}, None),
        ("Mixed", {"a": {}, "b": {"c": {}, "d": None}, "e": [{}]}, {"b": {"d": None}, "e": [{}]}),
        ("Mixed", [], []),
        (ARRAY["String"], (1, None, "x"), ["1", None, "x"]),
        (ARRAY["Number"], np.array([1.0, 2.5]), [1, 2.5]),
        (ARRAY["Date"], [pd.Timestamp("2020-01-02")], ["2020-01-02T00:00:00.000Z"]),
        (ARRAY["String"], None, []),
        (DOCS, [{"_id": ID, "k": 1, "v": {"n": "2"}}, None], [{"_id": ID, "k": "1", "v": {"n": 2}}, None]),
        *[
            (kind, float("nan"), None)
            for kind in ("String", "Number", "Boolean", "Date", "ObjectId", "Mixed")
        ],
        *[(kind, text, None) for kind in ("Number", "Boolean", "Date", "IpAddress") for text in ("", "  ")],
        *[(kind, pd.NA, None) for kind in ("String", "Number", "IpAddress")],
    ],
)
def test_cast_gives_what_the_server_would_store(field, cell, stored):
    found = cast(Field("f", field) if isinstance(field, str) else field, cell)
    assert (found, type(found)) == (stored, type(stored))


@pytest.mark.parametrize(
    ("field", "cell", "reason"),
    [
        ("String", {"a": 1}, "an object is not text"),
        ("String", ["a"], "a list is not text"),
        ("String", pd.Timestamp("2020-01-01"), "a time is not text"),
        ("String", "a\ud800", "'a\\ud800' holds half a character: UTF-8 has no such text"),
        ("Number", "abc", "'abc' is not a number"),
        ("Number", "1_000", "'1_000' is not a number"),
        ("Number", [5], "a list is not a number"),
        ("Number", True, "a boolean is not a number"),
        (ARRAY["Number"], [1, np.False_], "member 1: a boolean is not a number"),
        *[
            ("Number", cell, "infinity cannot be stored")
            for cell in (float("inf"), Decimal("-Infinity"), 10**400, "1" * 400, "9" * 5000, f"0x{10**400:x}")
        ],
        ("Number", 2**53 + 1, "9007199254740993 is beyond 2**53: the server would round it"),
        *(
            ("Number", cell, "12345678901234567890.12 is beyond 2**53: the server would round it")
            for cell in ("12345678901234567890.12", Decimal("12345678901234567890.12"))
        ),
        ("Boolean", "maybe", "'maybe' is neither true nor false"),
        ("Boolean", 2, "2 is neither true nor false"),
        ("Date", "3/4/2020", "'3/4/2020' is not an ISO date or time"),
        ("Date", "2020-02-30", "'2020-02-30' is not an ISO date or time"),
        ("Date", "2020-02-30T00:00:00.000Z", "'2020-02-30T00:00:00.000Z' is not an ISO date or time"),
        ("Date", "Jan 2024", "'Jan 2024' is not an ISO date or time"),
        ("Date", "31 Jan 24", "'31 Jan 24' has a year of two digits: write all four"),
        ("Date", True, "a boolean is not a date or time"),
        *[
            ("Date", cell, "a number is not a date or time")
            for cell in (8.64e15 + 1, -(10**16), float("inf"))
        ],
        ("Date", np.datetime64("20000-01-01"), "20000-01-01T00:00:00.000Z is not of the years 0 to 9999"),
        ("Date", -62198755200000 - 10**11, "-005-10-31T14:13:20.000Z is not of the years 0 to 9999"),
        ("ObjectId", "123456789012", "'123456789012' is not an id of 24 hex digits"),
        ("ObjectId", 5, "5 is not an id of 24 hex digits"),
        ("IpAddress", "300.1.1.1", "'300.1.1.1' is not an IP address"),
        ("IpAddress", "10.1.2", "'10.1.2' is not an IP address"),
        ("IpAddress", "10.1.2.3/255.255.255.0", "'10.1.2.3/255.255.255.0' is not an IP address"),
        ("Mixed", {1: 2}, "key 1 is not text"),
        ("Mixed", {"a": [10**400]}, "infinity cannot be stored"),
        ("Mixed", {"a": float("inf")}, "infinity cannot be stored"),
        ("Mixed", 1j, "a complex cannot be written as JSON"),
        ("Mixed", {"a": {1}}, "a set cannot be written as JSON"),
        (ARRAY["String"], "x", "'x' is one value: an array takes a list"),
        (ARRAY["Number"], [1, "x"], "member 1: 'x' is not a number"),
        (DOCS, {"k": 1}, "{'k': 1} is one value: an array takes a list"),
        (DOCS, ["x"], "member 0: 'x' is not an object"),
        (DOCS, [{"kk": 1}], "member 0: the schema has no 'kk' here; did you mean 'k'?"),
        (DOCS, [{"v": {"n": "x"}}], "member 0: v.n: 'x' is not a number"),
        (DOCS, [{"v": 5}], "member 0: v: 5 is not an object"),
    ],
)
def test_cast_refuses_with_a_reason(field, cell, reason):
    with pytest.raises(ValueError) as caught:
        cast(Field("f", field) if isinstance(field, str) else field, cell)
    assert str(caught.value) == reason


def test_blank_is_no_value_of_any_kind():
    assert [is_blank(c) for c in (None, pd.NA, pd.NaT, float("nan"), (), [], {}, "", 0, False, (None,))] == (
        [True] * 7 + [False] * 4
    )
    assert not is_blank((), Field("m", "Mixed"))


def test_to_json_changes_nothing_but_the_form():
    assert to_json(Field("f", "String"), " x ") == " x "
    assert repr(to_json(Field("f", "Number"), 2.0**53)) == "9007199254740992"
    assert repr(to_json(Field("f", "Number"), 1e20)) == "1e+20"
    assert to_json(Field("f", "Mixed"), FrozenDict()) is None
    assert to_json(Field("f", "Array"), None) == []
    assert to_json(Field("f", "Date"), pd.Timestamp("2020-01-02", tz="UTC")) == "2020-01-02T00:00:00.000Z"
