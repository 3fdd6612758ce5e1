"""Pasted blocks of programs of other countries: one question for the whole block, remembered."""

from __future__ import annotations

import pytest

pytest.importorskip("anywidget")

from sispy_pandas.widgets.grid import Grid
from sispy_pandas.widgets.grid_model import GridModel
from sispy_pandas.widgets.grid_readings import readings

DAY = "the day first: 03.02.2026 is 2026-02-03"
MONTH = "the month first: 03.02.2026 is 2026-03-02"


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
    return [(one["choices"], one["chosen"]) for one in grid.sent if one["type"] == "offer"]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["3,50"], ["a decimal comma: 3,50 is 3.5"]),
        (["1.234,56"], ["a decimal comma and points between thousands: 1.234,56 is 1234.56"]),
        (
            ["1.234", "3,5"],
            ["a decimal comma and points between thousands: 1.234 is 1234"],
        ),
        (
            ["1,234"],
            [
                "a decimal comma: 1,234 is 1.234",
                "a decimal point and commas between thousands: 1,234 is 1234",
            ],
        ),
        (["50%", "3"], ["% as hundredths: 50% is 0.5", "% left out: 50% is 50"]),
        (
            ["3,5 %"],
            [
                "a decimal comma, % as hundredths: 3,5 % is 0.035",
                "a decimal comma, % left out: 3,5 % is 3.5",
            ],
        ),
        (["€ 1.234,50"], ["a decimal comma and points between thousands, € left out: € 1.234,50 is 1234.5"]),
        (["5 GB", "3"], ["GB left out: 5 GB is 5"]),
        (["1.5", "12"], []),
        (["many", ""], []),
    ],
)
def test_numbers(grid, texts, words):
    edits = [(row, "cores", text) for row, text in enumerate(texts)]
    assert [one.words for one in readings(grid.model, edits)] == words


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (
            ["3.2.26", "2026-01-31"],
            ["the day first, {}: 3.2.26 is 2026-02-03", "the month first, {}: 3.2.26 is 2026-03-02"],
        ),
        (["03/02/26", "12/31/45", "1/1/2026"], ["the month first, {}: 03/02/26 is 2026-03-02"]),
        (["3-Feb-26", "31-Dec-99 13:30"], ["{}: 3-Feb-26 is 2026-02-03"]),
        (["3-Feb-2026", "31.13.26"], []),
    ],
)
def test_years_of_two_digits_are_asked_about(grid, texts, words):
    edits = [(row, "bought", text) for row, text in enumerate(texts)]
    years = "years from 2000 to 2099"
    assert [one.words for one in readings(grid.model, edits)] == [text.format(years) for text in words]


def test_the_answer_about_years_of_two_digits_is_taken(grid):
    tell(grid, "paste", block=[["31.12.26"]], areas=[{"top": 0, "left": 4, "rows": 1, "columns": 1}])
    tell(grid, "read", choice=1)
    assert grid.model.edits[0]["bought"].value == "2026-12-31T00:00:00.000Z"


def test_a_day_after_the_twelfth_leaves_one_order(grid):
    edits = [(0, "bought", "3/2/2026"), (1, "bought", "13/2/2026"), (2, "bought", "2026-01-01")]
    assert [one.words for one in readings(grid.model, edits)] == ["the day first: 13/2/2026 is 2026-02-13"]


def test_one_question_for_the_whole_block_which_can_be_answered_again(grid):
    paste(grid, [["3,5", "03.02.2026"], ["4", "04.02.2026"]])
    comma = "a decimal comma: 3,5 is 3.5"
    choices = ["as it stands", f"{comma}; {DAY}", f"{comma}; {MONTH}"]
    assert offers(grid) == [(choices, 0)]
    assert held(grid) == [("3,5", "03.02.2026"), (4, "04.02.2026")]
    tell(grid, "read", choice=1)
    assert held(grid) == [(3.5, "2026-02-03T00:00:00.000Z"), (4, "2026-02-04T00:00:00.000Z")]
    tell(grid, "read", choice=2)
    assert held(grid) == [(3.5, "2026-03-02T00:00:00.000Z"), (4, "2026-04-02T00:00:00.000Z")]
    assert offers(grid)[1:] == [(choices, 1), (choices, 2)]
    tell(grid, "undo")
    assert grid.model.edits == {}


def test_the_answer_is_remembered_shown_and_can_be_taken_back(grid):
    paste(grid, [["3,5", "03.02.2026"]])
    tell(grid, "read", choice=1)
    paste(grid, [["7,5", "05.02.2026"]])
    assert held(grid, 1) == [(7.5, "2026-02-05T00:00:00.000Z")]
    assert offers(grid)[-1][1] == 1
    tell(grid, "read", choice=0)
    assert held(grid, 1) == [("7,5", "05.02.2026")]
    paste(grid, [["8,5", "06.02.2026"]])
    assert offers(grid)[-1][1] == 0


def test_an_answer_after_other_edits_changes_nothing(grid):
    paste(grid, [["3,5", "03.02.2026"]])
    tell(grid, "edit", cells=[[5, 0, "other"]])
    tell(grid, "read", choice=1)
    assert held(grid, 1) == [("3,5", "03.02.2026")]
    assert [one for one in grid.sent if one["type"] == "say"] == [
        {"type": "say", "text": "Nothing was changed: other edits came after these cells"}
    ]


def test_a_block_in_new_rows_brings_them_once(grid):
    grid.model.add_rows()
    left = [column.field.path for column in grid.model.columns].index("cores")
    area = {"top": 9, "left": left, "rows": 1, "columns": 1}
    tell(grid, "paste", block=[["3,5"], ["4,5"]], areas=[area])
    tell(grid, "read", choice=1)
    cells = [(len(grid.model), grid.model.value(int(row), "cores")) for row in grid.model.order[9:]]
    assert cells == [(11, 3.5), (11, 4.5)]


def test_what_is_typed_is_asked_about_like_a_block_and_read_as_blocks_before_it(grid):
    column = [column.field.path for column in grid.model.columns].index("cores")
    tell(grid, "edit", cells=[[0, column, "50%"]])
    assert offers(grid) == [(["as it stands", "% as hundredths: 50% is 0.5", "% left out: 50% is 50"], 0)]
    assert grid.model.edits[0]["cores"].reason == "'50%' may be 0.5 or 50: write it without %"
    tell(grid, "read", choice=2)
    tell(grid, "edit", cells=[[1, column, "12 %"]])
    assert [grid.model.value(row, "cores") for row in (0, 1)] == [50, 12]
