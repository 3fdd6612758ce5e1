import pandas as pd
import pytest

from sispy_pandas.planning.matching import match_by_id
from sispy_pandas.schema import parse_schema

SCHEMA = parse_schema({"name": "host", "definition": {"name": {"type": "String", "unique": True}}})


def ids(*numbers):
    return pd.Index([f"{n:024x}" for n in numbers], name="_id", dtype="str")


def test_a_snapshot_that_holds_a_row_twice_is_named():
    with pytest.raises(ValueError) as caught:
        match_by_id(ids(1, 2, 2), pd.DataFrame({"name": ["a"]}, index=ids(1)), schema=SCHEMA)
    assert str(caught.value) == (
        "the snapshot of 'host' holds the row 000000000000000000000002 more than once: fetch it again"
    )
