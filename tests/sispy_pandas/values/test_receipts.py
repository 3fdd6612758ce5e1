import pandas as pd
import pytest

from sispy_pandas.values.receipts import milliseconds_of

TIMES = ["2026-11-20T14:05:06.789Z", None, "1969-12-31T23:59:59.999Z"]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(TIMES, dtype=object),
        pd.Series(TIMES, dtype="str"),
        pd.Series(pd.to_datetime(TIMES)).astype(object),
        pd.Series(pd.to_datetime(TIMES)).astype("datetime64[ms, UTC]"),
        pd.Series(pd.to_datetime(TIMES)).astype("datetime64[ns, UTC]"),
        pd.Series(pd.to_datetime(TIMES)).dt.tz_convert("Europe/Berlin"),
        pd.Series(pd.to_datetime(TIMES)).dt.tz_localize(None),
        pd.Series([1795183506789, None, -1], dtype="Int64"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_receipts_are_read_whatever_their_column_became(column):
    assert milliseconds_of(column) == [1795183506789, None, -1]


def test_what_is_no_time_is_no_receipt():
    assert milliseconds_of(pd.Series(["yesterday", "", True, pd.NaT], dtype=object)) == [None] * 4


def test_a_column_without_rows():
    assert milliseconds_of(pd.Series([], dtype="datetime64[ms, UTC]")) == []
