"""Cells of a workbook, both ways: by type where the workbook has it, as text where its type would not do."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sispy_pandas.formats.excel_cells import (
    LONGEST_TEXT,
    LongText,
    escaped,
    excel_column,
    read_excel_column,
    unescaped,
)
from sispy_pandas.values.schema import RECEIPT
from sispy_pandas.values.types.base import PLAIN, Field, Style
from sispy_pandas.values.types.cells import Refused

BERLIN = Style(zoneinfo.ZoneInfo("Europe/Berlin"))
STRING, NUMBER, BOOLEAN, DATE = (Field("f", kind) for kind in ("String", "Number", "Boolean", "Date"))
MIXED, ID, LIST = Field("f", "Mixed"), Field("f", "ObjectId"), Field("f", "Array", item=Field("", "String"))
WHEN = datetime(2026, 7, 1, 12, 30, 0, 500_000)  # noqa: DTZ001 - a workbook's times have no zone
IN_NUMBERS = "is a number: write it as text"
IN_TRUTHS = "TRUE is a boolean"
IN_TIMES = "2026-07-01 12:30:00.500000 is a date, as the program made it of a text: write it as text"


@given(st.text(st.sampled_from("_x0005FDAbé\r\n\t\x01\ufffe") | st.characters(codec="utf-8")))
def test_any_text_comes_back_from_a_workbooks_file(text):
    assert unescaped(escaped(text)) == text


def test_one_escaped_text_among_others_is_read_as_well():
    assert read_excel_column(STRING, ["a", "b_x000D_c", "_", None], BERLIN) == ["a", "b\rc", "_", None]


def test_control_characters_are_escaped_and_what_looks_like_it_too():
    assert escaped("a\rb\x1f_x000D_ _x00 \t\n") == "a_x000D_b_x001F__x005F_x000D_ _x00 \t\n"
    assert unescaped("a_x000d_b") == "a\rb"


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        *((BOOLEAN, cell, value) for cell, value in ((True, True), (False, False), (1, True), (0.0, False))),
        *((BOOLEAN, cell, value) for cell, value in (("=TRUE()", True), ("=FALSE()", False), ("no", False))),
        (BOOLEAN, 2, Refused("2", f"2 {IN_NUMBERS}")),
        (BOOLEAN, WHEN, Refused(str(WHEN), IN_TIMES)),
        *((NUMBER, cell, cell) for cell in (8, 1.5, 1e300)),
        (NUMBER, "1e3", 1000.0),
        (NUMBER, True, Refused("True", IN_TRUTHS)),
        (NUMBER, WHEN, Refused(str(WHEN), IN_TIMES)),
        (STRING, 8.0, "8"),
        (STRING, 1.5, "1.5"),
        (STRING, 10**15 - 1, "999999999999999"),
        (STRING, 10**15, Refused(str(10**15), f"{10**15} {IN_NUMBERS}")),
        (STRING, -(10**15), Refused(str(-(10**15)), f"-{10**15} {IN_NUMBERS}")),
        (STRING, True, "TRUE"),
        (STRING, "a_x000D_b", "a\rb"),
        (STRING, "'=1", "=1"),
        (STRING, LongText("x" * 40_000), "x" * 40_000),
        (STRING, WHEN, "2026-07-01T12:30:00.500000"),
        (STRING, WHEN.replace(hour=0, minute=0, microsecond=0), "2026-07-01"),
        (STRING, timedelta(hours=26, minutes=30), "26:30:00"),
        (DATE, WHEN, "2026-07-01T10:30:00.500Z"),
        (DATE, "2026-07-01 12:30", "2026-07-01T10:30:00.000Z"),
        (DATE, 8, Refused("8", "8 is a number: format the cell as a date, or write 2020-01-31")),
        (MIXED, 8.0, 8),
        (MIXED, True, True),
        (MIXED, '{"a": 1}', {"a": 1}),
        (ID, 8, Refused("8", f"8 {IN_NUMBERS}")),
        (LIST, '["a"]', ["a"]),
        (LIST, True, Refused("True", IN_TRUTHS)),
        (STRING, time(1), "01:00:00"),
        (NUMBER, time(1), Refused("01:00:00", "'01:00:00' is not a number")),
        (STRING, Refused("x", "why"), Refused("x", "why")),
        *((field, cell, None) for field in (STRING, NUMBER, BOOLEAN, DATE, MIXED) for cell in (None, "")),
    ],
)
def test_what_a_cell_says(field: Field, cell: Any, value: Any) -> None:
    found = read_excel_column(field, [cell], BERLIN)
    beside = read_excel_column(field, [None, cell, "", cell], BERLIN)

    assert (found, beside) == ([value], [None, value, None, value])
    assert (type(found[0]), getattr(found[0], "reason", None)) == (
        type(value),
        getattr(value, "reason", None),
    )


def test_a_date_among_exported_texts_is_the_work_of_a_program() -> None:
    (found,) = read_excel_column(STRING, [WHEN], replace(BERLIN, is_exported=True))

    assert (found, found.reason) == (str(WHEN), IN_TIMES)


@pytest.mark.parametrize(
    ("field", "cell", "style", "held"),
    [
        *((NUMBER, cell, PLAIN, cell) for cell in (8, 10**15 - 1, 1 - 10**15, 0.5, 1e300, 12345678901234.5)),
        (NUMBER, 10**15, PLAIN, str(10**15)),
        (NUMBER, -(10**15), PLAIN, str(-(10**15))),
        (NUMBER, 0.1234567890123456, PLAIN, "0.1234567890123456"),
        (NUMBER, "odd", PLAIN, "odd"),
        (BOOLEAN, False, PLAIN, False),
        (BOOLEAN, "odd", PLAIN, "odd"),
        (DATE, "1900-03-01T00:00:00.000Z", PLAIN, 61.0),
        (DATE, "1900-02-28T23:59:59.999Z", PLAIN, "1900-02-28T23:59:59.999Z"),
        (DATE, "9999-12-31T00:00:00.000Z", PLAIN, 2958465.0),
        (DATE, "+010000-01-01T00:00:00.000Z", PLAIN, "'+010000-01-01T00:00:00.000Z"),
        (DATE, "2026-07-01T10:00:00.000Z", BERLIN, 46204.5),
        (DATE, "2026-10-25T00:30:00.000Z", BERLIN, "2026-10-25T02:30:00.000+02:00"),  # shown twice that night
        (DATE, "odd", PLAIN, "odd"),
        (RECEIPT, pd.Timestamp("2026-07-01T10:30Z"), PLAIN, "2026-07-01T10:30:00.000Z"),
        (STRING, "=1", PLAIN, "'=1"),
        (STRING, "", PLAIN, "'"),
        (STRING, "x" * LONGEST_TEXT, PLAIN, "x" * LONGEST_TEXT),
        (LIST, ("a",), PLAIN, '["a"]'),
        *((field, None, PLAIN, None) for field in (STRING, NUMBER, BOOLEAN, DATE, MIXED, LIST)),
    ],
)
def test_what_a_workbook_holds(field: Field, cell: Any, style: Style, held: Any) -> None:
    (found,) = excel_column(field, pd.Series([cell], dtype=object), style)

    assert (found, type(found)) == (held, type(held))


@pytest.mark.parametrize("field", [STRING, NUMBER, BOOLEAN, DATE, ID])
def test_a_text_that_is_too_long_is_shown_in_part(field: Field) -> None:
    text = "0123456789" * 4_000

    (found,) = excel_column(field, pd.Series([text], dtype=object), PLAIN)

    assert found.whole == text
    assert found == text[:200] + "… [40000 characters: too long for a workbook, import leaves it alone]"
