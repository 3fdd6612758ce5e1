"""Columns of Arrow as columns of a frame: texts are texts in every form, and whole numbers stay whole."""

import pandas as pd
import pyarrow as pa
import pytest

from sispy_pandas.values.arrow import as_frame
from sispy_pandas.values.types.cells import STRINGS


@pytest.mark.parametrize(
    ("kind", "cells", "dtype"),
    [
        (pa.string(), ["a", None], STRINGS),
        (pa.large_string(), ["a", None], STRINGS),
        (pa.string_view(), ["a", None], STRINGS),
        (pa.string(), [None, None], STRINGS),
        (pa.int8(), [-1, None], pd.Int64Dtype()),
        (pa.int64(), [2**53 + 1, None], pd.Int64Dtype()),
        (pa.uint64(), [2**64 - 1, None], pd.UInt64Dtype()),
        (pa.float64(), [1.5, None], "float64"),
        (pa.bool_(), [True, None], object),
    ],
    ids=str,
)
def test_a_column_becomes_what_its_cells_are(kind, cells, dtype):
    found = as_frame(pa.table({"a": pa.array(cells, kind)}))["a"]

    assert found.dtype == dtype
    assert [None if pd.isna(cell) else cell for cell in found] == cells
