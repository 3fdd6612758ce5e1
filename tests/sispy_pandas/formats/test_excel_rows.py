import math
from io import BytesIO

import openpyxl
import pytest

from sispy_pandas.formats.excel_cells import LongText, unescaped
from sispy_pandas.formats.excel_rows import RowBook

ODD = [
    " a",
    "a ",
    "\ta",
    "a\n",
    "a\nb",
    "a & b",
    "<b>",
    "a > b",
    "<r>x</r>",
    "<r><t>x</t></r>",
    "_x0041_",
    "a_b",
]
ODD += ["\x01", "a\rb", "\ufffe", "ü€🦆", '"', "'", "]]>", "=1+1", "&amp;"]


def written(*rows, before=()):
    file = BytesIO()
    book = RowBook(file, {"constant_memory": True})
    sheet = book.add_worksheet()
    for at, cell in enumerate(before):
        sheet.write_string(0, at, cell)
    text, grey = book.add_format({"num_format": "@"}), book.add_format({"font_color": "#7F7F7F"})
    sheet.write_rows(len(before[:1]), rows, [text] * len(rows[0] if rows else ()), grey)
    book.close()
    return openpyxl.load_workbook(file).active


@pytest.mark.parametrize("text", ODD)
def test_a_text_comes_back_as_it_was(text):
    assert unescaped(written([text])["A1"].value) == text


def test_each_cell_is_of_its_type_and_a_blank_one_is_none():
    sheet = written(["a", 1, 0.1, True, False, None, math.inf], before=["head"])

    cells = [(cell.coordinate, cell.value, cell.data_type) for cell in sheet[2] if cell.value is not None]
    assert cells == [
        ("A2", "a", "s"),
        ("B2", 1, "n"),
        ("C2", 0.1, "n"),
        ("D2", True, "b"),
        ("E2", False, "b"),
        ("G2", "inf", "s"),
    ]
    assert sheet["A1"].value == "head"


def test_the_sheet_knows_how_large_it_is():
    assert written(["a", "b"], ["c", "d"], before=["head", "other"]).calculate_dimension() == "A1:B3"
    assert written().calculate_dimension() == "A1:A1"


def test_the_beginning_of_a_long_text_is_dimmed():
    sheet = written(["a", LongText("x" * 40_000)])

    assert [cell.number_format for cell in sheet[1]] == ["@", "General"]
    assert sheet["B1"].font.color.rgb == "FF7F7F7F"
