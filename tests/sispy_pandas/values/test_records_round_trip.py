"""Records to a frame and back: any stored value survives, also those that contradict the definition."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from addresses import IP
from sispy_pandas.reading.decode import Decoder
from sispy_pandas.reading.table import Table
from sispy_pandas.values.records import records_of
from sispy_pandas.values.schema import META, parse_schema
from sispy_pandas.values.times import iso
from sispy_pandas.values.types.cells import get_path
from sispy_pandas.values.types.equality import equal
from strategies import recursive

SCHEMA = parse_schema(
    {
        "name": "t",
        "definition": {
            "s": "String",
            "e": {"type": "String", "enum": ["a", "b"]},
            "n": "Number",
            "b": "Boolean",
            "d": "Date",
            "o": {"ref": {"type": "ObjectId", "ref": "t"}, "deep": {"n": "Number"}},
            "ip": "IpAddress",
            "l": ["String"],
            "ln": ["Number"],
            "lm": [],
            "docs": [{"k": "String", "v": {"n": "Number"}}],
            "m": "Mixed",
        },
    }
)
FIELDS = (*SCHEMA.fields, *META)
TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
NUMBER = st.integers(-(2**60), 2**60).map(float).map(lambda x: int(x) if abs(x) < 2**53 else x) | st.floats(
    allow_nan=False, allow_infinity=False
)
JSON = recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(bool), inner, max_size=3),
    max_leaves=6,
)
DATE = st.integers(-(2**42), 2**42).map(iso)
GOOD = {
    "s": TEXT,
    "e": st.sampled_from(["a", "b"]),
    "n": NUMBER,
    "b": st.booleans(),
    "d": DATE,
    "o": st.fixed_dictionaries(
        {}, optional={"ref": st.just("a" * 24), "deep": st.fixed_dictionaries({}, optional={"n": NUMBER})}
    ),
    "ip": st.just(IP),
    "l": st.lists(TEXT | st.none(), max_size=3),
    "ln": st.lists(NUMBER | st.none(), max_size=3),
    "lm": st.lists(JSON, max_size=3),
    "docs": st.lists(
        st.fixed_dictionaries({"_id": st.just("b" * 24)}, optional={"k": TEXT}) | st.none(), max_size=2
    ),
    "m": JSON,
}
SIS = st.fixed_dictionaries(
    {"_updated_at": st.integers(0, 2**42)},
    optional={"owner": st.lists(TEXT, max_size=2), "locked": st.booleans(), "_created_by": TEXT},
)


def records(values):
    row = st.fixed_dictionaries({"_sis": SIS}, optional={k: v | st.none() for k, v in values.items()})
    return st.lists(row, max_size=5).map(
        lambda rows: [{"_id": f"{i:024x}", **row} for i, row in enumerate(rows)]
    )


def back(rows, *, fast, pages=1):
    decoder, table = Decoder(FIELDS, fast=fast), Table(FIELDS)
    size = -(-len(rows) // pages) or 1
    for start in range(0, len(rows) or 1, size):
        table.add(decoder.open(json.dumps(rows[start : start + size]).encode()))
    frame, odd = table.finish()
    return records_of(SCHEMA, frame), odd


def check(rows, *, fast, pages):
    found, odd = back(rows, fast=fast, pages=pages)
    assert [record["_id"] for record in found] == [row["_id"] for row in rows]
    for record, row in zip(found, rows, strict=True):
        assert record["_sis"]["_updated_at"] == row["_sis"]["_updated_at"]
        for field in FIELDS:
            assert equal(field, get_path(record, field.path), get_path(row, field.path)), field.path
    return odd


RANDOM = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("fast", [True, False])
def test_stored_values_come_back(fast):
    @RANDOM
    @given(records(GOOD), st.integers(1, 3))
    def run(rows, pages):
        assert len(check(rows, fast=fast, pages=pages)) == 0

    run()


@pytest.mark.parametrize("fast", [True, False])
def test_values_that_contradict_the_definition_come_back(fast):
    nested = {"o": GOOD["o"]}  # a scalar where an object is declared has no column to stand in

    @RANDOM
    @given(records(dict.fromkeys(GOOD, JSON) | nested), st.integers(1, 3))
    def run(rows, pages):
        check(rows, fast=fast, pages=pages)

    run()
