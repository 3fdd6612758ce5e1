"""What a column of text looks like is said, with the option that would read it so."""

from __future__ import annotations

from typing import Any

import pytest

from sispy_pandas.values.hints import hints
from sispy_pandas.values.types.base import Style

COMMA, POINTS = "decimal=',' reads decimal commas", "thousands='.' lets groups have points"
POINT, COMMAS = "decimal='.' reads decimal points", "thousands=',' lets groups have commas"
APRIL = "dayfirst=True takes 3/4/2026 for the third of April"
MARCH = "dayfirst=False takes 3/4/2026 for the fourth of March"
EURO, DOLLAR, GB = (f"unit=['{unit}'] reads numbers without it" for unit in ("€", "$", "GB"))
PER_CENT = "unit=['%'] reads 50% as 50, unit=['%=0.01'] reads it as 0.5"


def told(columns: dict[str, list[Any]]) -> list[str]:
    """Return what is said of columns whose first row is the second of a file."""
    rows = range(2, 2 + max(map(len, columns.values())))
    return list(map(str, hints(columns, rows, Style())))


def words(true: str, false: str) -> str:
    return f"true=['{true}'] says that it is true, false=['{false}'] says that it is false"


@pytest.mark.parametrize(
    ("a", "b", "kind", "ways"),
    [
        ("1.234,50", "2,50", "number", [COMMA, POINTS]),
        ("1,234.5", "7", "number", [COMMAS]),
        ("1,234", "5", "number", [COMMA, COMMAS]),
        ("12.50", "9.99", "number", [POINT]),
        ("3 GB", "-5GB", "number", [GB]),
        ("€5", "€ 7.5", "number", [EURO]),
        ("5%", "7%", "number", [PER_CENT]),
        ("04.03.2024", "25.03.2024", "date", [APRIL]),
        ("04/03/2024", "05/03/2024", "date", [APRIL, MARCH]),
        ("WAHR", "FALSCH", "boolean", [words("WAHR", "FALSCH")]),
        ("on", "off", "boolean", [words("ON", "OFF")]),
        ("j", "n", "boolean", [words("J", "N")]),
    ],
)
def test_a_column_of_text_is_told_what_it_looks_like(a, b, kind, ways):
    assert told({"v": [a, None, b]}) == [
        f"v: 2 cells look like {kind}s and are taken for text: {a} (row 2), {b} (row 4); {', '.join(ways)}"
    ]


@pytest.mark.parametrize(
    ("a", "b", "kind", "straight", "ways"),
    [
        ("(123.45)", "7", "number", "-123.45", []),
        ("($7.50)", "$7", "number", "-$7.50", [DOLLAR]),
        ("12,50-", "3,25", "number", "-12,50", [COMMA]),
        ("4/3/24", "04/03/2024", "date", "4/3/2024", [APRIL, MARCH]),
        ("3-Feb-24", "14-Mar-24", "date", "3-Feb-2024", []),
        ("3. März 24 10:00", "4. Mai 24 10:00", "date", "3. März 2024 10:00", []),
        ("2024-02-03 10:00:00.123456+00", "2024-02-03", "date", "2024-02-03 10:00:00.123+00", []),
    ],
)
def test_what_no_option_reads_is_told_how_to_be_written(a, b, kind, straight, ways):
    said = f"v: 2 cells look like {kind}s and are taken for text: {a} (row 2), {b} (row 3)"
    assert told({"v": [a, b]}) == [
        "; ".join([said, f"no option reads {a}: write {straight}", *filter(None, [", ".join(ways)])])
    ]


@pytest.mark.parametrize(
    "cells",
    [
        *(["1,5", "-", "x"], ["10.0.0.1", "10.0.0.2"], ["1.10", "1.2"], ["1.2.34", "1.3.12"]),
        *(["2024-03-04"], ["Berlin", "Bonn, Mitte"], ["1,5", 2], ["5", "7"], ["-", "?"], ["3GB", "4GBs"]),
        *(
            ["(1)", "(none)", "(a)"],
            ["eth0", "eth1"],
            ["12-34-56"],
            ["May", "Mar 2024"],
            ["web-1", "web-2"],
            [None],
        ),
    ],
)
def test_other_text_is_text(cells):
    assert told({"v": cells}) == []


def test_columns_that_look_alike_are_told_together():
    alike = {name: [f"{n},5"] for n, name in enumerate("abcdefg")}

    assert told({**alike, "x": ["x"]}) == [
        "a, b, c, d, e, 2 more columns: 7 cells look like numbers and are taken for text:"
        f" 0,5 (row 2), 1,5 (row 2); {COMMA}"
    ]
    assert told({"a": ["1,5"]}) == [
        f"a: 1 cell looks like a number and is taken for text: 1,5 (row 2); {COMMA}"
    ]


def test_a_few_cells_that_look_otherwise_are_named():
    sizes = [f"{n} GB" for n in range(18)]
    numbers = [str(n) for n in range(18)]

    assert told({"v": [*sizes[:9], "3GBs", *sizes[9:], "-"]}) == [
        "v: 18 of 20 cells look like numbers and are taken for text: 0 GB (row 2), 1 GB (row 3),"
        " but not 3GBs (row 11); na=['-'] says that it means no value, unit=['GB'] reads numbers without it"
    ]
    assert told({"v": [*numbers, "eight"]}) == [
        "v: 18 of 19 cells look like numbers and are taken for text: 0 (row 2), 1 (row 3),"
        " but not eight (row 20)"
    ]
    assert told({"v": [*sizes[:6], "3GBs"]}) == []


def test_a_unit_that_is_misspelled_is_not_added_to_one_that_was_told():
    sizes = ["3GB", "4GB", "3GBs"]

    assert hints({"v": sizes}, range(3), Style(unit=frozenset({"GB"}))) == ()
    assert hints({"v": ["3GB", "4MB"]}, range(2), Style(unit=frozenset({"GB"}))) != ()


def test_words_of_programs_for_no_value_are_named_among_texts():
    assert told(
        {"a": ["linux", "NULL"], "b": ["NULL", "Bonn"], "c": ["unknown", "x"], "d": ["\\N", "x"]}
    ) == [
        "a, b: 2 of 4 cells hold words for nothing and are taken for text: NULL (row 3);"
        " na=['NULL'] says that it means no value",
        "d: 1 of 2 cells holds a word for nothing and is taken for text: \\N (row 2);"
        " na=['\\\\N'] says that it means no value",
    ]


def test_a_column_of_which_half_of_the_first_ten_texts_look_so_is_looked_at():
    odd, numbers = [f"word {n}" for n in range(6)], [f"{n},5" for n in range(70)]

    assert len(told({"v": [*odd[:5], *numbers[:5], odd[5], *numbers[5:]]})) == 1
    assert told({"v": [*odd[:5], *numbers[:4], odd[5], *numbers[4:]]}) == []
