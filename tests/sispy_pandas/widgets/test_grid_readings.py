"""Pasted blocks of programs of other countries: one question for the whole block, remembered."""

from __future__ import annotations

import pytest

pytest.importorskip("anywidget")

from sispy_pandas.widgets.grid import Grid
from sispy_pandas.widgets.grid_model import GridModel
from sispy_pandas.widgets.grid_readings import questions

BOUGHT = ("03.02.2026", "2026-02-03", "2026-03-02")
"""A date of a question, and what it may be."""


@pytest.fixture
def grid(host_schema, hosts, monkeypatch):
    grid = Grid(GridModel(host_schema, hosts(9)))
    grid.sent = []
    monkeypatch.setattr(grid, "send", grid.sent.append)
    return grid


def tell(grid, kind, **message):
    grid._receive(grid, {"type": kind, "order": grid._order, **message}, None)


def paste(grid, block):
    """Lay a block of numbers and dates on the grid, from its first row on."""
    left = [column.field.path for column in grid.model.columns].index("cores")
    tell(grid, "paste", block=block, areas=[{"top": 0, "left": left, "rows": 1, "columns": 1}])


def held(grid, rows=2):
    return [
        tuple(grid.model.edits.get(row, {})[path].value for path in ("cores", "bought"))
        for row in range(rows)
    ]


def offers(grid):
    """Return the questions of each offer: the text, what it may be, and which of them it is taken for."""
    return [
        [
            ((one["text"], *(way["value"] for way in one["readings"])), one["chosen"])
            for one in sent["questions"]
        ]
        for sent in grid.sent
        if sent["type"] == "offer"
    ]


def answer(grid, choice, question=0):
    tell(grid, "read", question=question, choice=choice)


def asked(grid, path, texts):
    """Return the example of the question about texts, and of each reading the value and its words."""
    found = [one.shown() for one in questions(grid.model, [(n, path, text) for n, text in enumerate(texts)])]
    return [(one["text"], [(way["value"], way["words"]) for way in one["readings"]]) for one in found]


@pytest.mark.parametrize(
    ("texts", "question"),
    [
        (["3,50"], ("3,50", [("3.5", "a decimal comma")])),
        (["1.234,56"], ("1.234,56", [("1234.56", "a decimal comma and points between thousands")])),
        (["1.234", "3,5"], ("1.234", [("1234", "a decimal comma and points between thousands")])),
        (
            ["1,234"],
            (
                "1,234",
                [("1.234", "a decimal comma"), ("1234", "a decimal point and commas between thousands")],
            ),
        ),
        (["50%", "3"], ("50%", [("0.5", "% as hundredths"), ("50", "% left out")])),
        (
            ["3,5 %"],
            (
                "3,5 %",
                [("0.035", "a decimal comma, % as hundredths"), ("3.5", "a decimal comma, % left out")],
            ),
        ),
        (
            ["€ 1.234,50"],
            ("€ 1.234,50", [("1234.5", "a decimal comma and points between thousands, € left out")]),
        ),
        (["5 GB", "3"], ("5 GB", [("5", "GB left out")])),
        (["1.5", "12"], None),
        (["many", ""], None),
    ],
)
def test_numbers(grid, texts, question):
    assert asked(grid, "cores", texts) == [question] * (question is not None)


@pytest.mark.parametrize(
    ("texts", "question"),
    [
        (
            ["3.2.26", "2026-01-31"],
            ("3.2.26", [("2026-02-03", "the day first, {}"), ("2026-03-02", "the month first, {}")]),
        ),
        (["03/02/26", "12/31/45", "1/1/2026"], ("03/02/26", [("2026-03-02", "the month first, {}")])),
        (["3-Feb-26", "31-Dec-99 13:30"], ("3-Feb-26", [("2026-02-03", "{}")])),
    ],
)
def test_years_of_two_digits_are_asked_about(grid, texts, question):
    text, ways = question
    ways = [(value, words.format("years from 2000 to 2099")) for value, words in ways]
    assert asked(grid, "bought", texts) == [(text, ways)]


def test_what_no_reading_helps_is_not_asked_about(grid):
    assert asked(grid, "bought", ["3-Feb-2026", "31.13.26"]) == []


def test_the_answer_about_years_of_two_digits_is_taken(grid):
    tell(grid, "paste", block=[["31.12.26"]], areas=[{"top": 0, "left": 4, "rows": 1, "columns": 1}])
    answer(grid, 1)
    assert grid.model.edits[0]["bought"].value == "2026-12-31T00:00:00.000Z"


def test_a_day_after_the_twelfth_leaves_one_order(grid):
    found = asked(grid, "bought", ["3/2/2026", "13/2/2026", "2026-01-01"])
    assert found == [("13/2/2026", [("2026-02-13", "the day first")])]


def test_readings_that_have_no_text_in_common_are_told_apart_by_words(grid):
    found = asked(grid, "bought", ["2/13/2026", "13/2/2026"])
    assert found == [
        (
            "13/2/2026",
            [("2026-02-13", "the day first"), ("(the month first)", "the month first")],
        )
    ]


def test_a_question_for_each_type_in_the_block_which_can_be_answered_again(grid):
    paste(grid, [["3,5", "03.02.2026"], ["4", "04.02.2026"]])
    assert offers(grid) == [[(("3,5", "3.5"), 0), (BOUGHT, 0)]]
    assert held(grid) == [("3,5", "03.02.2026"), (4, "04.02.2026")]
    answer(grid, 1)
    assert held(grid) == [(3.5, "03.02.2026"), (4, "04.02.2026")]
    answer(grid, 1, question=1)
    assert held(grid) == [(3.5, "2026-02-03T00:00:00.000Z"), (4, "2026-02-04T00:00:00.000Z")]
    answer(grid, 2, question=1)
    assert held(grid) == [(3.5, "2026-03-02T00:00:00.000Z"), (4, "2026-04-02T00:00:00.000Z")]
    assert [[chosen for _, chosen in one] for one in offers(grid)] == [[0, 0], [1, 0], [1, 1], [1, 2]]
    tell(grid, "undo")
    assert grid.model.edits == {}


def test_the_answer_is_remembered_shown_and_can_be_taken_back(grid):
    paste(grid, [["3,5", "03.02.2026"]])
    answer(grid, 1)
    answer(grid, 1, question=1)
    paste(grid, [["7,5", "05.02.2026"]])
    assert held(grid, 1) == [(7.5, "2026-02-05T00:00:00.000Z")]
    assert [chosen for _, chosen in offers(grid)[-1]] == [1, 1]
    answer(grid, 0)
    assert held(grid, 1) == [("7,5", "2026-02-05T00:00:00.000Z")]
    paste(grid, [["8,5", "06.02.2026"]])
    assert [chosen for _, chosen in offers(grid)[-1]] == [0, 1]
    assert held(grid, 1) == [("8,5", "2026-02-06T00:00:00.000Z")]


def read(grid, *texts):
    """Return what pasted numbers mean, one after the other; those of which nothing is known stay texts."""
    found = []
    for text in texts:
        paste(grid, [[text]])
        found.append(grid.model.value(0, "cores"))
    return found


def test_marks_and_units_are_remembered_each_by_itself(grid):
    paste(grid, [["1.234,56", "03.02.2026"], ["50%", "3/2/2026"], ["3,50", "3 Feb 2026"]])
    answer(grid, 1)
    answer(grid, 1, question=1)
    assert held(grid, 3) == [(n, "2026-02-03T00:00:00.000Z") for n in (1234.56, 0.5, 3.5)]
    paste(grid, [["2,5", "05.06.2026"]])
    assert held(grid, 1) == [(2.5, "2026-06-05T00:00:00.000Z")]
    assert read(grid, "7,25", "1.234,50", "8%", "2,5 %", "1,234") == [7.25, 1234.5, 0.08, 0.025, 1.234]
    assert read(grid, "5,5 GB") == ["5,5 GB"]  # no word of this unit yet
    answer(grid, 1)
    assert read(grid, "6,5 GB", "8 GB", "3,5", "10%") == [6.5, 8, 3.5, 0.1]


def test_a_comma_tells_the_points_between_thousands(grid):
    assert read(grid, "3,5") == ["3,5"]
    answer(grid, 1)
    assert read(grid, "1.234,50", "50%") == [1234.5, "50%"]
    answer(grid, 2)
    assert read(grid, "7,5", "3,5 %") == [7.5, 3.5]


def test_taking_marks_back_leaves_the_unit(grid):
    paste(grid, [["3,5 %"]])
    answer(grid, 1)
    assert read(grid, "7,5") == [7.5]
    answer(grid, 0)
    assert read(grid, "8,5", "50%") == ["8,5", 0.5]


def test_another_answer_counts_from_then_on(grid):
    read(grid, "1,234")
    answer(grid, 1)
    assert read(grid, "1,234") == [1.234]
    answer(grid, 2)
    assert read(grid, "5,678", "5,678.5") == [5678, 5678.5]
    read(grid, "5.678 GB")
    answer(grid, 2)
    assert grid.model.value(0, "cores") == 5678
    answer(grid, 1)
    assert (grid.model.value(0, "cores"), read(grid, "9.876 GB")) == (5.678, [9.876])


def test_a_block_on_its_own_refused_cells_asks_again(grid):
    paste(grid, [["3,5", "03.02.2026"]])
    paste(grid, [["3,5", "03.02.2026"]])
    assert len(offers(grid)) == 2
    answer(grid, 1)
    answer(grid, 1, question=1)
    assert held(grid, 1) == [(3.5, "2026-02-03T00:00:00.000Z")]
    answer(grid, 0)
    assert held(grid, 1) == [("3,5", "2026-02-03T00:00:00.000Z")]
    tell(grid, "undo")
    assert held(grid, 1) == [("3,5", "03.02.2026")]  # as they were before the block came again


def test_an_answer_after_other_edits_changes_nothing(grid):
    paste(grid, [["3,5", "03.02.2026"]])
    tell(grid, "edit", cells=[[5, 0, "other"]])
    answer(grid, 1)
    assert held(grid, 1) == [("3,5", "03.02.2026")]
    assert [one for one in grid.sent if one["type"] == "say"] == [
        {"type": "say", "text": "Nothing was changed: other edits came after these cells"}
    ]


def test_a_block_in_new_rows_brings_them_once(grid):
    grid.model.add_rows()
    left = [column.field.path for column in grid.model.columns].index("cores")
    area = {"top": 9, "left": left, "rows": 1, "columns": 1}
    tell(grid, "paste", block=[["3,5"], ["4,5"]], areas=[area])
    answer(grid, 1)
    cells = [(len(grid.model), grid.model.value(int(row), "cores")) for row in grid.model.order[9:]]
    assert cells == [(11, 3.5), (11, 4.5)]


def test_what_is_typed_is_asked_about_like_a_block_and_read_as_blocks_before_it(grid):
    column = [column.field.path for column in grid.model.columns].index("cores")
    tell(grid, "edit", cells=[[0, column, "50%"]])
    assert offers(grid) == [[(("50%", "0.5", "50"), 0)]]
    assert grid.model.edits[0]["cores"].reason == "'50%' may be 0.5 or 50: write it without %"
    answer(grid, 2)
    tell(grid, "edit", cells=[[1, column, "12 %"]])
    assert [grid.model.value(row, "cores") for row in (0, 1)] == [50, 12]
