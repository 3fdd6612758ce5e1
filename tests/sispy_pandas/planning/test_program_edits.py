from __future__ import annotations

from typing import Any

import pytest

from sispy_pandas.planning.program_edits import is_changed_by_program
from sispy_pandas.values.types.base import Field

TEXT, NUMBER, DATE = Field("f", "String"), Field("f", "Number"), Field("f", "Date")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("00123", "123"),
        ("13", "13.0"),
        ("00123", "123.0"),
        ("1e5", "100000"),
        ("1e5", "1.00E+05"),
        ("12E4567", "12E4567 "),
        ("0.10", "0.1"),
        ("+5", "5"),
        ("1,234", "1234"),
        ("50%", "0.5"),
        ("12345678901234567890", "1.23456789012346E+19"),
        ("12345678901234567890", "1.23457E+19"),
        ("12345678901234567", "12345678901234600"),
        ("TRUE", "true"),
        ("false", "FALSE"),
        (" x ", "x"),
        ("a\r\nb", "a\nb"),
        ("a\x01b", "ab"),
        ("1-2", "2026-01-02"),
        ("1-2", "2-Jan"),
        ("1-2", "1-Feb"),
        ("1/2", "02.01.2026"),
        ("1-2", "46024"),
        ("2023-01-31", "44,957.00"),
        ("MARCH1", "1-Mar"),
        ("SEP2", "2-Sep"),
        ("Jan 5", "5-Jan"),
        ("DEC1", "2026-12-01 00:00:00"),
        ("2020-01-02", "1/2/2020"),
        ("2020-01-02", "02.01.2020"),
        ("3:4", "03:04:00"),
        ("13:05", "1:05 PM"),
        ("12:05", "12:05 PM"),
        ("0:05:06", "12:05:06 am"),
        ("9:05", "9:05 AM"),
        ("x" * 40_000, "x" * 32_767),
        ("Zürich", "ZÃ¼rich"),
        ("Zürich", "Z?rich"),
        ("a😀", "a??"),
        ("1.50", "1,5"),  # of other countries
        ("12345678901234567890", "1,23457E+19"),
        ("true", "WAHR"),
        ("FALSE", "FAUX"),
        ("8.10", "08. Okt"),
        ("1-5", "01. Mai"),
        ("3-2", "02-mars"),
    ],
)
def test_text_that_a_program_changed(before: str, after: str) -> None:
    assert is_changed_by_program(TEXT, before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("true", "FALSCH"),
        ("1.5", "2,5"),
        ("1,5", "1,50"),
        ("web1", "web2"),
        ("00123", "124"),
        ("123", "00123x"),
        ("1e5", "100001"),
        ("1.10", "1.2"),
        ("12345", "12300"),
        ("TRUE", "FALSE"),
        ("live", "Live"),
        ("1-2", "2026-03-04"),
        ("2020-01-02", "2020-01-03"),
        ("10.1.2.3", "10.1.2.4"),
        ("1.2.3", "1.2.4"),
        ("x" * 40_000, "x" * 100),
        ("Zürich", "Zurich"),
        ("rack 7", "rack 8"),
        ("mar1", "mar2"),
        ("1/2", "2/1"),
        ("1.1", "1.10"),
        ("5", "005"),
        ("1.2.30", "1.2.31"),
        ("may", "may 1"),
        ("2020-01-02", "2021-01-02"),
        ("3:4", "3:5"),
        ("12:05", "12:05 AM"),
        ("13:05:06", "1:05:07 PM"),
    ],
)
def test_text_that_a_person_changed(before: str, after: str) -> None:
    assert not is_changed_by_program(TEXT, before, after)


@pytest.mark.parametrize(
    ("field", "before", "after", "program"),
    [
        (NUMBER, 12345678901234567, 12345678901234600, True),
        (NUMBER, 0.1234567890123456, 0.123456789012346, True),
        (NUMBER, 1234567890123, 1.23457e12, True),
        (NUMBER, 1234567, 1234568, False),
        (NUMBER, 1234.5678, 1234.57, False),
        (NUMBER, 8, 16, False),
        (DATE, "2020-01-02T03:04:05.678Z", "2020-01-02T03:04:05.000Z", True),
        (DATE, "2020-01-02T03:04:05.678Z", "2020-01-02T03:04:00.000Z", True),
        (DATE, "2020-01-02T03:04:05.678Z", "2020-01-02T03:04:05.680Z", True),
        (DATE, "1960-01-02T03:04:05.678Z", "1960-01-02T03:04:06.000Z", True),
        (DATE, "2020-01-02T03:04:05.678Z", "2020-01-02T03:05:00.000Z", False),
        (DATE, "2020-01-02T03:04:05.678Z", "2020-01-02T03:04:05.690Z", False),
        (Field("f", "Boolean"), True, False, False),
        (Field("f", "Mixed"), 12345678901234567, 12345678901234600, True),
        (Field("f", "Array", item=Field("", "String")), ["Zürich", "x"], ["ZÃ¼rich", "x"], True),
        (Field("f", "Array", item=Field("", "String")), ["00123"], ["123"], False),
        (Field("f", "Array", item=Field("", "String")), ["Zürich", "x"], ["ZÃ¼rich", "y"], False),
        (TEXT, None, "x", False),
        (TEXT, "x", None, False),
    ],
)
def test_other_types(field: Field, before: Any, after: Any, program: bool) -> None:
    assert is_changed_by_program(field, before, after) is program


@pytest.mark.parametrize("after", ["?" * 61 + "!", "?" * 130, "x" + "?" * 60])
def test_texts_of_which_nothing_is_left_are_told_apart_at_once(after: str) -> None:
    assert not is_changed_by_program(TEXT, "я" * 60, after)


def test_letters_that_an_encoding_lacks_become_one_mark_each_or_two() -> None:
    assert is_changed_by_program(TEXT, "жёлтый 1, я", "??л????? 1, __")


def test_many_digits_that_are_no_number_are_told_at_once() -> None:
    assert not is_changed_by_program(TEXT, "1" * 100_000 + "x", "1")
