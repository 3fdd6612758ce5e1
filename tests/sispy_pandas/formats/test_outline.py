"""Titles above the names of columns and totals below the rows are no part of a table, and that is said."""

from __future__ import annotations

import datetime

import pytest

from sispy_pandas.formats.options import ReadOptions
from sispy_pandas.formats.outline import outlined, type_of

NAMES = ["name", "ip", "cost"]
BODY = [["w1", "10.0.0.1", 5], ["w2", None, 6.5], ["w3", "10.0.0.3", None]]
TITLES = "rows 1 to 2 are left out: the names of the columns are in row 4; header_row=4 says so"
TOTAL = (
    "row 5 is left out: it looks like a total, or a remark; footer_rows=1 says so, footer_rows=0 keeps all"
)


def numbered(*rows):
    """Rows with their numbers; None stands for one that is empty."""
    return [(number, row) for number, row in enumerate(rows, start=1) if row is not None]


@pytest.mark.parametrize(
    ("above", "guesses"),
    [
        ([], ()),
        ([["Servers", None, None], ["of all sites", "", None], None], (TITLES,)),
        ([["Servers"], ["Name"], None], (TITLES,)),
    ],
)
def test_the_names_are_where_all_columns_have_one(above, guesses):
    found = outlined(numbered(*above, NAMES, *BODY), ReadOptions())

    assert (found.header, [cells for _, cells in found.rows], found.guesses) == (NAMES, BODY, guesses)


@pytest.mark.parametrize(
    "rows",
    [
        [[None, "ip", "cost"], *BODY],
        [["name", None, "b"], ["w1", "x", "y"], ["w2", "z", 1]],
        [["a"], ["b"], ["c"]],
        [["Servers", None], [1, 2], [3, 4]],
        [["name", "ip"], ["w1", None], ["w2", "x"]],
    ],
)
def test_where_no_row_has_all_names_the_first_one_has_them(rows):
    found = outlined(numbered(*rows), ReadOptions())

    assert (found.header, len(found.rows), found.guesses) == (rows[0], len(rows) - 1, ())


def test_a_row_of_blanks_alone_is_none():
    rows = [["name", "ip", "cost"], *BODY[:1], [" ", "", None], *BODY[1:], [None] * 3 + [" "]]

    assert [number for number, _ in outlined(numbered(*rows), ReadOptions()).rows] == [2, 4, 5]


def test_a_row_with_names_that_are_known_has_the_names():
    rows = [["Export", "of", "today"], ["", "name", "ip"], ["x", "w1", "10.0.0.1"]]

    assert outlined(numbered(*rows), ReadOptions(), {"name", "ip"}).header == rows[1]
    assert outlined(numbered(*rows), ReadOptions(), {"of"}).header == rows[0]


@pytest.mark.parametrize("word", ["Total", "TOTAL:", "Grand total", "Summe", "Gesamt (EUR)", "Sum of all"])
def test_a_total_below_the_rows_is_none_of_them(word):
    found = outlined(numbered(NAMES, *BODY, [word, None, 11.5]), ReadOptions())

    assert [cells for _, cells in found.rows] == BODY
    assert found.guesses == (TOTAL,)


@pytest.mark.parametrize("below", [[["Total", 3]], [["Net", 3], ["VAT", 1], ["Total", 4]]])
def test_a_table_of_one_row_has_a_total_by_its_name_alone(below):
    found = outlined(numbered(["name", "v"], ["a", 3], *below), ReadOptions())
    kept = [
        outlined(numbered(["name", "v"], ["a", 3], last), ReadOptions())
        for last in ([None, 3], ["as of 2024", None], ["b", 3])
    ]

    assert ([cells for _, cells in found.rows], len(found.guesses)) == ([["a", 3]], 1)
    assert [(len(one.rows), one.guesses) for one in kept] == [(2, ())] * 3


def test_remarks_behind_a_gap_are_no_rows():
    found = outlined(numbered(NAMES, *BODY, None, ["without VAT"], ["as of May"]), ReadOptions())

    assert [cells for _, cells in found.rows] == BODY
    both = outlined(numbered(NAMES, *BODY, ["Total", None, 1], None, ["without VAT"]), ReadOptions())
    assert [cells for _, cells in both.rows] == BODY
    assert both.guesses == (
        "rows 5 to 7 are left out: they look like a total, or a remark; footer_rows=2 says so, "
        "footer_rows=0 keeps all",
    )


@pytest.mark.parametrize(
    "last", [["total-1", None, 3], ["Totality", "x", None], ["Total", "10.0.0.9", 4], ["w4", None, None]]
)
def test_what_is_no_total_stays(last):
    found = outlined(numbered(NAMES, *BODY, last), ReadOptions())

    assert ([cells for _, cells in found.rows], found.guesses) == ([*BODY, last], ())


def test_an_export_has_no_totals():
    rows = numbered(
        ["_id", "name", "note"], ["a" * 24, "w1", None], ["b" * 24, "w2", None], [None, "Total", None]
    )

    assert len(outlined(rows, ReadOptions()).rows) == 3


def test_what_was_told_is_not_guessed():
    rows = numbered(["Servers"], NAMES, *BODY, ["Total", None, 11.5])

    told = outlined(rows, ReadOptions(header_row=2, footer_rows=2))
    assert (told.header, [cells for _, cells in told.rows], told.guesses) == (NAMES, BODY[:2], ())
    kept = outlined(rows, ReadOptions(header_row=2, footer_rows=0))
    assert (len(kept.rows), kept.guesses) == (4, ())
    nameless = outlined(numbered(*BODY), ReadOptions(header_row=0))
    assert (nameless.header, [cells for _, cells in nameless.rows]) == (["", "", ""], BODY)
    assert outlined([], ReadOptions()).rows == []


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        *((5, "Number"), ("5", "Number"), (True, "Boolean"), ("10.0.0.1", "IpAddress"), ("w1", None)),
        *(("2024-01-02", "Date"), (datetime.datetime(2024, 1, 2), "Date"), ("1.10", None)),  # noqa: DTZ001 - of a workbook
    ],
)
def test_what_a_cell_is_for_people(cell, name):
    assert type_of(cell) == name


@pytest.mark.parametrize(
    "below",
    [
        [["Total", 3, 5]],
        [["Summe", "1.234,50 €", "3,5"]],
        [["", "", 11.5]],
        [["", None, "11,50 EUR"]],
        [[None, 3, "11.5"]],
        [["Sub-total", None, 5], ["VAT 19 %", None, 1], ["Total", None, 6]],
        [["Summe", None, 5], ["MwSt.", None, 1]],
        [["Netto", 3, 5], ["MwSt", None, 1], ["Brutto", None, 6]],
        [["Total", None, 3], ["internal"]],
        [["Total", None, 3], ["Source: the list of May"], ["internal"]],
        [["without VAT"]],
        [["* estimated", None, None]],
        [["Stand: 01.02.2024"], ["internal"]],
        [["(3 rows)"]],
    ],
)
def test_totals_and_remarks_of_all_kinds_are_no_rows(below):
    found = outlined(numbered(NAMES, *BODY, *below), ReadOptions())

    assert ([cells for _, cells in found.rows], len(found.guesses)) == (BODY, 1)
    assert f"footer_rows={len(below)} says so" in found.guesses[0]


@pytest.mark.parametrize("last", [["Total", 7], ["Total:", "7"], ["Summe", None], [None, 7], ["as of 2024"]])
def test_a_table_of_two_columns_has_totals_too(last):
    found = outlined(numbered(["name", "v"], ["a", 3], ["b", 4], last), ReadOptions())

    assert ([cells for _, cells in found.rows], len(found.guesses)) == ([["a", 3], ["b", 4]], 1)


@pytest.mark.parametrize(
    "rows",
    [
        [["a", 3], ["b", None], ["c", None]],
        [["a", 3], [None, 4], [None, 7]],
        [["a", 3], ["b", 4], [None, "x"]],
        [["a", 3], ["b", 4], ["net", 7]],
        [["New York", 3], ["San José", 4], ["Los Angeles", None]],
        [["a"], ["b"], ["as of 2024"]],
        [["a", 3], ["b", 4], [5, None]],
    ],
)
def test_a_last_row_that_may_be_one_of_the_others_stays(rows):
    found = outlined(numbered(["name", "v"][: len(rows[0])], *rows), ReadOptions())

    assert ([cells for _, cells in found.rows], found.guesses) == (rows, ())


def test_lines_that_are_drawn_are_no_rows_and_their_cells_are_padded():
    line = ["+------+----+", None, None]
    rows = numbered(line, ["", " name ", " v"], [":-----", "---", "-- "], [None, " w 1 ", " 8"], line)

    guessed = outlined(rows, ReadOptions())
    told = outlined(rows, ReadOptions(header_row=2))

    assert guessed.header == told.header == ["", "name", "v"]
    assert [cells for _, cells in guessed.rows] == [cells for _, cells in told.rows] == [[None, "w 1", "8"]]
    said = "rows 1, 3, 5 are left out, which draw lines: header_row=2 says so"
    assert (guessed.guesses, told.guesses) == ((said,), ())
    dashes = numbered(["a", "b"], ["---", "x"], ["w", "--"])
    assert [cells for _, cells in outlined(dashes, ReadOptions()).rows] == [["---", "x"], ["w", "--"]]


def test_names_that_stand_there_again_are_no_row():
    rows = numbered(NAMES, *BODY, NAMES, ["w4", None, 7], [" name", "ip ", "cost"], ["w5", None, 8])

    guessed = outlined(rows, ReadOptions())
    told = outlined(rows, ReadOptions(header_row=1))

    whole = [*BODY, ["w4", None, 7], ["w5", None, 8]]
    assert [cells for _, cells in guessed.rows] == [cells for _, cells in told.rows] == whole
    said = "rows 5, 7 are left out, with the names of the columns again: header_row=1 says so"
    assert (guessed.guesses, told.guesses) == ((said,), ())
    assert len(outlined(numbered(["a"], ["b"], ["a"]), ReadOptions()).rows) == 2


@pytest.mark.parametrize("last", [["", None, 56], ["", None, "two words"]])
def test_a_row_without_a_name_that_has_no_sum_is_a_row(last):
    found = outlined(numbered(NAMES, *BODY, last), ReadOptions())

    assert ([cells for _, cells in found.rows], found.guesses) == ([*BODY, last], ())
