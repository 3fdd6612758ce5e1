"""Plain sheets are read by calamine as openpyxl reads them; what is not plain is left to openpyxl."""

from __future__ import annotations

import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import from_excel

import hostile
import sispy_pandas as sp
from hostile import book, row
from sispy_pandas.formats.bounds import InFile
from sispy_pandas.formats.excel_file import BookFile, book_file
from sispy_pandas.formats.excel_plain import PlainBook, PlainSheet, read_book

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
CODES = (
    "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss.000", "dd/mm/yyyy;@", "[$-409]d\\-mmm\\-yy;@", "h:mm AM/PM", "[h]:mm",
    "mm:ss.0", "0.00E+00", '0 "days"', "0.00_ ;[Red]\\-0.00\\ ", '"TRUE";"TRUE";"FALSE"', "# ?/?", "@",
    "\\d0",
)  # fmt: skip
"""Of times and of numbers."""
TIMES: tuple[str, ...] = (
    "0",
    "1",
    "-1",
    "1.0",
    "0.5",
    "1e5",
    "1E-7",
    "-0",
    "45000",
    "45000.5",
    "59",
    "60",
    "45000.123456789",
)
TIMES += ("2958465", "0.1", "0.99999999999", "45292.999999999", "00123", "3.0000000000000004")
NUMBERS = (*TIMES, "-1.5", "123456789012345", "1E300", "-1E-300", "2958466")


def number(at: str, text: str, style: int = 0) -> str:
    return f'<c r="{at}1" s="{style}"><v>{text}</v></c>'


def inline(text: str, at: str = "A") -> str:
    return f'<c r="{at}1" t="inlineStr"><is>{text}</is></c>'


def styles(*formats: str) -> bytes:
    """Return the part of styles, of which style 0 is the usual one and the others are these formats."""
    escaped = [one.replace("&", "&amp;").replace('"', "&quot;") for one in formats]
    codes = "".join(f'<numFmt numFmtId="{i}" formatCode="{one}"/>' for i, one in enumerate(escaped, 170))
    uses = "".join(f'<xf numFmtId="{i}"/>' for i in (0, *range(170, 170 + len(formats))))
    text = f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts><cellXfs>{uses}</cellXfs></styleSheet>'
    return text.encode()


def texts(*strings: str) -> dict[str, bytes]:
    """Return the part of shared texts, and what makes openpyxl look at it."""
    return {"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{"".join(strings)}</sst>'.encode()}


def cells(sheet: Any) -> list[list[Any]]:
    """Return the values of a sheet; None for blank cells, none at the ends of rows and below the last."""
    if hasattr(sheet, "reset_dimensions"):
        sheet.reset_dimensions()
    found = [[None if cell == "" else cell for cell in one] for one in sheet.iter_rows(values_only=True)]
    for one in found:
        while one and one[-1] is None:
            one.pop()
    while found and not found[-1]:
        found.pop()
    return found


def both(file: BookFile, title: str = "host") -> tuple[bool, list[list[Any]], list[list[Any]]]:
    """Return whether a sheet is plain, its cells as they are read, and as openpyxl alone reads them."""
    with read_book(file) as mine, file.opened(read_only=True) as theirs:
        return isinstance(mine[title], PlainSheet), cells(mine[title]), cells(theirs[title])


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (row(1, number("A", "1") + number("B", "2.5") + '<c r="D1" t="b"><v>1</v></c>'), {}),
        (row(3, '<c r="C3"><v>1</v></c><c r="E3" s="0"/>') + row(5, '<c r="B5"><v>2.5</v></c>'), {}),
        (row(1, inline("<t>a&lt;b&amp;c</t>") + inline('<t xml:space="preserve"> x </t>', "B")), {}),
        (row(1, inline("<t/>") + inline("<t></t>", "B") + inline("<t>é\nü</t>", "C")), {}),
        (row(1, "".join(f'<c r="{a}1" t="s"><v>{n}</v></c>' for n, a in enumerate("ABC"))),
         texts("<si><t>a</t></si>", "<si><t/></si>", '<si><t xml:space="preserve">\n b</t></si>')),
        ("", {}),
        (row(2, '<c r="A2" s="0"/>'), {}),
    ],
)  # fmt: skip
def test_plain_cells_are_those_that_openpyxl_finds(tmp_path, rows, parts):
    is_plain, mine, theirs = both(book_file(InFile.of(book(tmp_path / "a.xlsx", rows, parts=parts))))

    assert (is_plain, mine) == (True, theirs)


@pytest.mark.parametrize(("codes", "texts"), [((), NUMBERS), *(((code,), TIMES) for code in CODES)])
def test_numbers_and_times_are_those_that_openpyxl_finds(tmp_path, codes, texts):
    rows = "".join(
        row(n, f'<c r="A{n}" s="{len(codes)}"><v>{text}</v></c>') for n, text in enumerate(texts, 1)
    )
    path = book(tmp_path / "a.xlsx", rows, parts={"xl/styles.xml": styles(*codes)})

    _, mine, theirs = both(book_file(InFile.of(path)))

    assert mine == theirs


def test_times_of_a_sheet_without_odd_ones_are_plain(tmp_path):
    rows = "".join(row(n, f'<c r="A{n}" s="1"><v>{n * 1000.5}</v></c>') for n in range(1, 9))
    path = book(tmp_path / "a.xlsx", rows, parts={"xl/styles.xml": styles("yyyy-mm-dd hh:mm")})

    is_plain, mine, theirs = both(book_file(InFile.of(path)))

    assert (is_plain, mine) == (True, theirs)


ODD = {
    "a formula": '<c r="A1"><f>1+1</f><v>2</v></c>',
    "a formula's text": '<c r="A1" t="str"><v>x</v></c>',
    "an error": '<c r="A1" t="e"><v>#N/A</v></c>',
    "an ISO time": '<c r="A1" t="d"><v>2024-01-31T10:00:00</v></c>',
    "rich text": inline("<r><t>a</t></r><r><t>b</t></r>"),
    "a hint of how it is spoken": inline('<t>a</t><rPh sb="0" eb="1"><t>b</t></rPh>'),
    "escapes": inline("<t>a_x000D_b</t>"),
    "blanks that are cut": inline("<t> a</t>"),
    "blanks that are cut at the end": inline("<t>a </t>"),
    "line ends of Windows": inline("<t>a\r\nb</t>"),
    "numbers of characters": inline("<t>a&#32;</t>"),
    "a comment": inline("<t>a<!-- b --></t>"),
    "16 digits": number("A", "1234567890123456"),
    "no place": "<c><v>1</v></c>",
    "another prefix": '<x:c xmlns:x="http://example.com/" r="A1"><x:v>1</x:v></x:c>',
}


def related(**parts: str) -> bytes:
    """Return what a workbook of one sheet refers to, and by which names."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    lines = "".join(
        f'<Relationship Id="rId{n}" Type="{kind}/{name}" Target="{target}"/>'
        for n, (name, target) in enumerate([("worksheet", "worksheets/sheet1.xml"), *parts.items()], start=1)
    )
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{package}">{lines}</Relationships>'.encode()


SHARED = f'<sst xmlns="{MAIN}"><si><t>a</t></si></sst>'.encode()
TWO_OF_ONE_NAME = (
    f'<workbook xmlns="{MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="host" sheetId="1" r:id="rId1"/>'
    '<sheet name="host" sheetId="2" r:id="rId1"/></sheets></workbook>'
).encode()


@pytest.mark.parametrize("kind", ODD)
def test_what_is_not_plain_is_read_by_openpyxl(tmp_path, kind):
    is_plain, mine, theirs = both(book_file(InFile.of(book(tmp_path / "a.xlsx", row(1, ODD[kind])))))

    assert (is_plain, mine) == (False, theirs)


@pytest.mark.parametrize(
    ("after", "parts"),
    [
        ('<mergeCells count="1"><mergeCell ref="A1:B2"/></mergeCells>', {}),
        ("", texts("<si><r><t>a</t></r></si>")),
        ("", texts("<si><t>_x0041_</t></si>")),
        ("", {"xl/styles.xml": styles("yyyy").replace(b'numFmtId="0"', b'numFmtId="14"')}),
        ("", {"XL/worksheets/sheet1.xml": b"<worksheet/>"}),
        ("", {"xl/workbook.xml": TWO_OF_ONE_NAME}),
        ("", {"xl/_rels/workbook.xml.rels": related(sharedStrings="texts.xml"), "xl/texts.xml": SHARED}),
        ("", {"xl/_rels/workbook.xml.rels": related(styles="looks.xml"), "xl/looks.xml": styles("yyyy")}),
        ("", {"xl/styles.xml": styles("yyyy").replace(b"<cellXfs>", b"<!-- a comment --><cellXfs>")}),
    ],
)
def test_workbooks_of_odd_parts_are_read_by_openpyxl(tmp_path, after, parts):
    path = book(tmp_path / "a.xlsx", row(1, number("A", "1")), after=after, parts=parts)

    is_plain, mine, theirs = both(book_file(InFile.of(path)))

    assert (is_plain, mine) == (False, theirs)


def test_one_odd_sheet_leaves_the_others_to_calamine(tmp_path):
    made = openpyxl.Workbook()
    made.active.append(["name", 1])
    made.create_sheet("odd").append(["=1+1"])
    made.save(tmp_path / "a.xlsx")

    with read_book(book_file(InFile.of(tmp_path / "a.xlsx"))) as mine:
        assert [isinstance(mine[title], PlainSheet) for title in mine.sheetnames] == [True, False]
        assert cells(mine["odd"]) == [["=1+1"]]


def test_cells_that_are_far_apart_never_reach_calamine(tmp_path):
    """It makes room for the whole rectangle between them: 17 billion cells end the interpreter."""
    file = book_file(InFile.of(hostile.BOOKS["far apart"](tmp_path / "a.xlsx")))

    is_plain, mine, _ = both(file)

    assert is_plain is False
    assert (mine[0], mine[-1][-1]) == (["name"], 1)


def test_a_part_that_is_larger_than_it_says_never_reaches_calamine(tmp_path):
    """`zipfile` reads no further than a part says that it goes; calamine reads all of it."""
    said = f'<sst xmlns="{MAIN}"></sst>'.encode()
    path = tmp_path / "a.xlsx"
    book(path, row(1, number("A", "1")), parts={"xl/sharedStrings.xml": b""})
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (parts | {"xl/sharedStrings.xml": said + b"<si><t>a</t></si>" * 100_000}).items():
            archive.writestr(name, data)
        info = archive.getinfo("xl/sharedStrings.xml")
        info.file_size, info.CRC = len(said), zlib.crc32(said)

    is_plain, mine, theirs = both(book_file(InFile.of(path)))

    assert (is_plain, mine, theirs) == (False, [[1]], [[1]])


def test_without_calamine_everything_is_read_by_openpyxl(tmp_path, monkeypatch):
    file = book_file(InFile.of(book(tmp_path / "a.xlsx", row(1, number("A", "1")))))
    monkeypatch.setitem(sys.modules, "python_calamine", None)

    assert both(file) == (False, [[1]], [[1]])


def test_an_exported_workbook_is_plain_throughout(server, tmp_path):
    sp.to_excel(server.fetch(), tmp_path / "hosts.xlsx", explode=["disks"])

    with read_book(book_file(InFile.of(tmp_path / "hosts.xlsx"))) as mine:
        assert isinstance(mine, PlainBook)
        assert {title for title in mine.sheetnames if not isinstance(mine[title], PlainSheet)} == set()


def in_milliseconds(when: Any) -> Any:
    return when.replace(microsecond=when.microsecond // 1000 * 1000)


CELL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.sampled_from("_x0005FDA =#'") | st.characters(codec="utf-8", exclude_categories=["Cc"])),
    st.datetimes(min_value=from_excel(61)).map(in_milliseconds),
    st.times().map(in_milliseconds),
)


def by_openpyxl(path: Path, table: list[list[Any]]) -> None:
    made = openpyxl.Workbook()
    made.active.title = "host"
    for one in table:
        made.active.append(one)
    made.save(path)


def by_xlsxwriter(path: Path, table: list[list[Any]]) -> None:
    options = {"default_date_format": "yyyy-mm-dd hh:mm:ss.000", "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as made:
        sheet = made.add_worksheet("host")
        for number_, one in enumerate(table):
            sheet.write_row(number_, 0, one)


@pytest.mark.parametrize("write", [by_openpyxl, by_xlsxwriter])
@settings(max_examples=60, deadline=None)
@given(table=st.lists(st.lists(CELL, max_size=4), max_size=5))
def test_any_cells_are_read_as_openpyxl_reads_them(tmp_path_factory, write, table):
    path = tmp_path_factory.mktemp("any") / "a.xlsx"
    write(path, table)

    _, mine, theirs = both(book_file(InFile.of(path)))

    assert repr(mine) == repr(theirs)
