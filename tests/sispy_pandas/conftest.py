"""A table with every type and all the values that files like to damage."""

from __future__ import annotations

import string
from typing import Any

import pandas as pd
import pytest
from hypothesis import strategies as st

from sispy_pandas.records import frame_of
from sispy_pandas.schema import Schema, parse_schema

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "note": "String",
    "os": {"name": {"type": "String", "enum": ["rhel8", "rhel9", "win, 2022"]}, "version": "Number"},
    "cpus": "Number",
    "live": "Boolean",
    "installed": "Date",
    "rack": {"type": "ObjectId", "ref": "rack"},
    "ip": "IpAddress",
    "tags": ["String"],
    "ports": ["Number"],
    "disks": [{"dev": "String", "gb": "Number"}],
    "extra": "Mixed",
}

NASTY = [
    *(
        "00123",
        "1e5",
        "1E400",
        "NA",
        "NULL",
        "null",
        "None",
        "nan",
        "TRUE",
        "false",
        "1-2",
        "1/2",
        "3:4",
        "0x10",
    ),
    *(
        "=1+1",
        "+1",
        "-5",
        "@x",
        "\tx",
        "\nx",
        "\rx",
        "'",
        "''",
        "'x",
        "'=1",
        '"',
        '""',
        "a,b",
        "a;b",
        "a\nb",
        "a\r\nb",
    ),
    *(
        " outer ",
        "  ",
        "0.10",
        "12345678901234567890",
        "1,5",
        "2020-01-02",
        "{",
        "[1]",
        "'{}",
        "{}",
        "#N/A",
        "\ufeff",
    ),
    *("é😀", "1_000", "%", "$5", '=HYPERLINK("http://x")', "|calc", "sep=,", "\u2028", "x" * 40_000),
]

_TEXT = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.text(string.digits + "eE+-.:/ '=@", max_size=8),
)
_NUMBER = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False).map(
        lambda x: int(x) if x.is_integer() and abs(x) <= 2**53 else x
    ),
)
_TIME = st.datetimes(
    min_value=pd.Timestamp("1900-03-02").to_pydatetime(), max_value=pd.Timestamp("2200-01-01").to_pydatetime()
).map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")
_ID = st.one_of(
    st.text("0123456789abcdef", min_size=24, max_size=24),
    st.text("0123456789", min_size=24, max_size=24),
    st.integers(10**20, 10**21 - 1).map(lambda n: f"{n}e{n % 100:02}"),
)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBER | _TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(string.ascii_letters, max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
).filter(lambda value: value != {})
_MEMBER = st.fixed_dictionaries({"_id": _ID}, optional={"dev": _TEXT, "gb": _NUMBER})

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": _TEXT,
    "note": st.none() | _TEXT,
    "os.name": st.sampled_from([None, "rhel8", "rhel9", "win, 2022", "retired"]),
    "os.version": st.none() | _NUMBER,
    "cpus": st.none() | st.integers(-(10**6), 10**6),
    "live": st.sampled_from([None, True, False]),
    "installed": st.none() | _TIME,
    "rack": st.none() | _ID,
    "ip": st.sampled_from([None, "10.1.2.3/24", "10.1.2.3", "::1", "2001:db8::1/64"]),
    "tags": st.lists(_TEXT | st.none(), max_size=3),
    "ports": st.lists(_NUMBER, max_size=3),
    "disks": st.lists(_MEMBER, max_size=2),
    "extra": _JSON,
}


@pytest.fixture(scope="session")
def host_schema() -> Schema:
    """A schema with a field of every type."""
    return parse_schema({"name": "host", "id_field": "name", "definition": DEFINITION})


@pytest.fixture(scope="session")
def host_frames(host_schema: Schema) -> st.SearchStrategy[pd.DataFrame]:
    """Frames of that schema, as a fetch returns them."""

    @st.composite
    def frames(draw: st.DrawFn) -> pd.DataFrame:
        ids = draw(st.lists(_ID, max_size=6, unique=True))
        n = len(ids)
        columns = {path: draw(st.lists(s, min_size=n, max_size=n)) for path, s in VALUES.items()}
        receipts = draw(st.lists(st.integers(0, 2**42), min_size=n, max_size=n))
        return frame_of(host_schema, columns, ids, receipts)

    return frames()


@pytest.fixture(scope="session")
def nasty_texts() -> list[str]:
    """Texts that files and programs like to change."""
    return NASTY
