"""Columns of Arrow as columns of a frame: texts are texts in every form, and whole numbers stay whole."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import compute

from sispy_pandas.values.arrow import arrow_column, as_frame
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


@pytest.mark.parametrize(
    "kind", [pa.decimal128(20, 4), pa.dictionary(pa.int8(), pa.int64()), pa.float16()], ids=str
)
def test_the_dtype_that_pandas_noted_of_a_column_does_not_hold_once_it_is_cast(kind):
    noted = pa.Table.from_pandas(
        pd.DataFrame({"a": pd.array([1, None], "Int64")}, index=pd.Index(["x", "y"], name="_id"))
    )
    numbers = noted["a"].combine_chunks()
    cast = (
        numbers.dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(numbers.to_pylist(), kind)
    )

    found = as_frame(noted.set_column(0, "a", cast))

    assert found.index.tolist() == ["x", "y"]
    assert [None if pd.isna(cell) else cell for cell in found["a"]] == [1, None]


@pytest.mark.parametrize("cells", [[1, 1, None], ["a", "a", None], [True, True, None]], ids=str)
@pytest.mark.parametrize("pack", [compute.run_end_encode, compute.dictionary_encode])
def test_packed_columns_are_unpacked_but_for_categories_of_texts(pack, cells):
    packed = pa.chunked_array([pack(pa.array(cells)), pack(pa.array(cells))])

    found = as_frame(pa.table({"a": packed}))["a"]

    assert [None if pd.isna(cell) else cell for cell in found] == cells * 2
    is_category = pack is compute.dictionary_encode and cells[0] == "a"
    assert found.dtype == ("category" if is_category else as_frame(pa.table({"a": cells}))["a"].dtype)


def test_addresses_of_objects_are_no_values():
    table = pl.DataFrame({"a": pl.Series([{1: 2}], dtype=pl.Object)})

    with pytest.raises(
        TypeError, match=r"^column 'a' gives bytes \(fixed_size_binary\[8\]\), not values: cast it first$"
    ):
        as_frame(table)


def test_a_column_of_lists_is_one_whatever_pandas_makes_of_it():
    frame = pd.DataFrame({"tags": arrow_column(pa.array([["a"], [], None]))})
    dtype = frame["tags"].dtype

    made = [
        pd.concat([frame, frame])["tags"],
        frame.reindex([0, 5])["tags"],
        frame["tags"].astype(dtype),
        pd.Series([], dtype=dtype),
        pd.Series([["b"]], dtype=dtype),
    ]

    assert [(type(one.array).__name__, str(one.dtype), len(one)) for one in made] == [
        ("ListArray", "object", n) for n in (6, 2, 3, 0, 1)
    ]
    assert [list(cell) for cell in made[4]] == [["b"]]
