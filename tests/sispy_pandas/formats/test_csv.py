"""The text of a CSV file."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sispy_pandas.formats.bounds import InFile
from sispy_pandas.formats.csv import _GUESSED, as_text, decode, write_columns

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


@pytest.mark.parametrize(
    ("data", "encoding", "text", "notes"),
    [
        ("é".encode(), None, "é", ()),
        *(("é".encode(name), None, "é", ()) for name in ("utf-8-sig", "utf-16")),
        (b"\xe9", None, "é", (_GUESSED,)),
        (b"\xe9", "latin-1", "é", ()),
    ],
)
def test_the_encoding_is_told_by_the_bytes(tmp_path, data, encoding, text, notes):
    path = tmp_path / "a.csv"
    path.write_bytes(data)

    assert decode(InFile.of(path), encoding) == (text, notes)


@pytest.mark.parametrize(
    ("data", "encoding", "reason"),
    [
        (b"\x81\xff", None, "is neither in UTF-8 nor in Windows-1252"),
        (b"\xff", "ascii", "is not in the encoding"),
    ],
)
def test_what_is_in_no_encoding_is_refused(tmp_path, data, encoding, reason):
    path = tmp_path / "a.csv"
    path.write_bytes(data)

    with pytest.raises(ValueError, match=reason):
        decode(InFile.of(path), encoding)
