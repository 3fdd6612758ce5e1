"""The text of a CSV file."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from sispy_pandas.formats.csv import as_text, write_columns

ROWS = st.integers(1, 4).flatmap(
    lambda n: st.lists(
        st.lists(st.text(st.sampled_from('ab",;\t\r\n é')), min_size=n, max_size=n), min_size=1
    )
)


def expected(rows, delimiter=","):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return file.getvalue()


def written(rows, delimiter=","):
    file = io.StringIO()
    write_columns(file, list(zip(*rows, strict=True)), delimiter=delimiter)
    return file.getvalue()


@given(ROWS, st.sampled_from(",;\t|"))
def test_it_is_what_the_standard_library_writes(rows, delimiter):
    assert written(rows, delimiter) == expected(rows, delimiter)
    assert as_text(rows) == expected(rows)


def test_no_line_of_a_long_table_is_lost():
    rows = [[str(n), "x"] for n in range(20_001)]

    assert written(rows) == expected(rows)
