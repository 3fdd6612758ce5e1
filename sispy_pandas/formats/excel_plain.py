"""Sheets of plain cells, read by python-calamine in a tenth of the time that openpyxl takes.

What calamine would read otherwise, or not survive, is looked for in the bytes before it opens them: it takes
the result of a formula for a value, cuts blanks, and makes room for the whole rectangle between the first
cell and the last. So a part is plain if nothing stands in it but what a short grammar has: no formula, error,
rich or escaped text, ISO time, merged cell, whole number of more than 15 digits, or format that shows
zeros in front of numbers. All else is left to openpyxl.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from contextlib import ExitStack, closing, contextmanager
from copy import copy
from functools import reduce
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from ..values.extras import no_collection, optional
from ..values.types.cells import WHOLE
from .bounds import MOST_CELLS, damaged
from .excel_hidden import Hidden

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .excel_file import BookFile

_CHUNK, _LONGEST = 1 << 20, 1 << 22
_SPARSE, _FEW = 4, 1 << 20
"""Places that calamine may make for each cell, and how many in any case."""
_PLAIN = rb"[^<&\r]*(?:&(?:amp|lt|gt|quot|apos);[^<&\r]*)*"
_TEXT = rb"<t(?:/>|>(?!\s)" + _PLAIN + rb'(?<!\s)</t>| xml:space="preserve">' + _PLAIN + rb"</t>)"
_STRINGS = re.compile(rb"<si>" + _TEXT + rb"</si>")
_CELLS = re.compile(
    rb'<c r="[A-Z]{1,3}[1-9][0-9]{0,6}"(?:'
    rb'(?: s="[0-9]+"| t="[bns]")*'
    rb"(?:/>|></c>|><v>-?[0-9]{1,15}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?</v></c>)"
    rb'|(?: s="[0-9]+")? t="inlineStr"><is>' + _TEXT + rb"</is></c>)"
    rb'|<row(?: r="[1-9][0-9]{0,6}"(?: [^<>]*)?)?>|</row>'
)
_COLUMN, _ROW = re.compile(rb'<c r="([A-Z]+)'), re.compile(rb'<c r="[A-Z]+([0-9]+)')
_ESCAPED = re.compile(rb"_x[0-9A-Fa-f]{4}_")
_HEAD = rb"""(?:\xef\xbb\xbf)?(?:<\?xml version=["']1\.0["'](?: encoding=["'](?:UTF|utf)-8["'])?"""
_HEAD += rb"""(?: standalone=["'](?:yes|no)["'])?\s*\?>)?\s*<%s(?=[\s>/])"""
_BOOK, _TEXTS, _STYLES = "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"
_AROUND = re.compile(rb"(?P<head>.*)(?:<sheetData>\s*</sheetData>|<sheetData/>)(?P<tail>.*)", re.DOTALL)
_SCHEMAS = "http://schemas.openxmlformats.org/"
_MAIN, _RELATION = (
    f"{{{_SCHEMAS}spreadsheetml/2006/main}}",
    f"{{{_SCHEMAS}officeDocument/2006/relationships}}",
)


class _OddError(Exception):
    """A part of a workbook is not plain: openpyxl has to read it."""


class PlainBook:
    """A workbook that is only read: sheets of plain cells by calamine, the others by openpyxl.

    It answers what is asked of a workbook of openpyxl, as far as cells are asked for.
    """

    def __init__(self, file: BookFile, book: Any, parts: dict[str, str]) -> None:
        self.sheetnames: list[str] = list(book.sheet_names)
        states = {one.name: one.visible == one.visible.Visible for one in book.sheets_metadata}
        self.worksheets: list[PlainSheet] = [
            PlainSheet(title, (), sheet_state="visible" if states[title] else "hidden") for title in parts
        ]
        self._file, self._book, self._parts = file, book, parts
        self._opened = ExitStack()
        self._other: Any = None
        self._sheets: dict[str, Any] = {}

    def __getitem__(self, title: str) -> Any:
        """Return a sheet: a `PlainSheet`, or one of openpyxl.

        Raises:
            ValueError: It is named in the workbook, and is not there.
        """
        if title not in self._sheets:
            self._sheets[title] = self._plain(title) or self._by_openpyxl(title)
        return self._sheets[title]

    def _plain(self, title: str) -> PlainSheet | None:
        try:
            with zipfile.ZipFile(self._file.content) as archive:
                hidden = _hidden_in_plain(archive, self._parts[title])
            with no_collection():
                return PlainSheet(title, _rows(self._book.get_sheet_by_name(title)), hidden)
        except Exception:  # noqa: BLE001 - openpyxl tells what is wrong
            return None

    def _by_openpyxl(self, title: str) -> Any:
        self._other = self._other or self._opened.enter_context(self._file.opened(read_only=True))
        try:
            return self._other[title]
        except KeyError as error:
            raise damaged(self._file.file, "workbook", ValueError(*error.args)) from error

    def close(self) -> None:
        """Close the file."""
        self._book.close()
        self._opened.close()


class PlainSheet:
    """A sheet of plain cells: numbers, texts, booleans, times."""

    def __init__(
        self,
        title: str,
        rows: Sequence[Sequence[Any]],
        hidden: Hidden | None = None,
        *,
        sheet_state: str = "visible",
    ) -> None:
        self.title, self.sheet_state = title, sheet_state
        self.hidden = hidden or Hidden()
        self._rows = rows

    def iter_rows(self, min_row: int = 1, *, values_only: bool = True) -> Iterator[Sequence[Any]]:
        """Yield the values of the rows; None for a blank cell."""
        return islice(iter(self._rows), min_row - 1, None)


@contextmanager
def read_book(file: BookFile) -> Iterator[Any]:
    """Yield a workbook that is only read: one of openpyxl, or what answers like it.

    Raises:
        ValueError: It is damaged.
        ImportError: The extra `excel` is missing.
    """
    if plain := plain_book(file):
        with closing(plain):
            yield plain
    else:
        with file.opened(read_only=True) as book:
            yield book


def plain_book(file: BookFile) -> PlainBook | None:
    """Return a workbook of which at least the shared parts are plain; None: openpyxl has to read it."""
    try:
        calamine = optional("python_calamine", "excel")
        if file.has_padded:
            return None
        with zipfile.ZipFile(file.content) as archive:
            parts = _sheet_parts(archive)
        book = calamine.CalamineWorkbook.from_object(file.content)
    except Exception:  # noqa: BLE001 - openpyxl reads it without calamine, or tells what is wrong
        return None
    return PlainBook(file, book, parts)


def _rows(sheet: Any) -> list[Sequence[Any]]:
    """Return the rows of a sheet as openpyxl has them, from its first row on."""
    if sheet.start is None:
        return []
    above, before = sheet.start
    columns = [_cells(column) for column in zip(*sheet.to_python(), strict=True)]
    left: list[Sequence[Any]] = [(None,) * sheet.height] * before
    return [()] * above + list(zip(*left, *columns, strict=True))


def _cells(column: Sequence[Any]) -> Sequence[Any]:
    kinds = set(map(type, column))
    if datetime.time in kinds and datetime.time() in column:
        raise _OddError("calamine takes negative times for midnight, too")
    if kinds <= {str, bool}:
        return [None if cell == "" else cell for cell in column]
    return [_cell(cell) for cell in column]


def _cell(cell: Any) -> Any:
    kind = type(cell)
    if kind is float:
        return int(cell) if cell.is_integer() and abs(cell) <= WHOLE else cell
    if kind is datetime.date:
        return datetime.datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - workbooks know no zones
    return None if kind is str and not cell else cell


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the sheets with cells of a workbook, and in which part each of them is.

    Raises:
        _OddError: What all its sheets share is not plain.
    """
    names = [name.lower() for name in archive.namelist()]
    if len(set(names)) < len(names):
        raise _OddError("it has parts of one name")
    _refuse_odd_texts(archive)
    styles = _tree(archive, _STYLES, "styleSheet")
    usual = styles.find(f"{_MAIN}cellXfs/{_MAIN}xf")
    if usual is not None and usual.get("numFmtId", "0") != "0":
        raise _OddError("cells without a style may be times")
    book = _tree(archive, _BOOK, "workbook")
    options = book.find(f"{_MAIN}workbookPr")
    if options is not None and options.get("date1904", "0") not in ("0", "false"):
        raise _OddError("its times begin in 1904")
    rels = "xl/_rels/workbook.xml.rels"
    for of, kind, part in (
        ("_rels/.rels", "officeDocument", _BOOK),
        (rels, "sharedStrings", _TEXTS),
        (rels, "styles", _STYLES),
    ):
        if {*_related(archive, of, kind).values()} - {part}:
            raise _OddError("its parts have other names")
    of_id = _related(archive, rels, "worksheet")
    sheets = list(book.iter(f"{_MAIN}sheet"))
    titles = [one.get("name", "") for one in sheets]
    if len(set(titles)) < len(titles):
        raise _OddError("it has sheets of one name")
    ids = (one.get(f"{_RELATION}id", "") for one in sheets)
    return {title: of_id[id_] for title, id_ in zip(titles, ids, strict=True) if id_ in of_id}


def _related(archive: zipfile.ZipFile, part: str, kind: str) -> dict[str, str]:
    """Return the parts of a kind to which another one refers, by what it calls them."""
    folder = PurePosixPath("/", part).parent.parent
    return {
        one.get("Id", ""): str(folder / one.get("Target", ""))[1:]
        for one in _tree(archive, part, "Relationships")
        if one.get("Type", "").endswith(f"/{kind}")
    }


def _tree(archive: zipfile.ZipFile, part: str, root: str) -> ElementTree.Element:
    data = b"".join(_pieces(archive, part))
    _refuse_odd(data, root)
    return ElementTree.fromstring(data)  # noqa: S314 - it declares no entities


def _refuse_odd(data: bytes | bytearray, root: str) -> None:
    if not re.match(_HEAD % root.encode(), data) or b"<!" in data:
        raise _OddError("it is written in another way")


def _refuse_odd_texts(archive: zipfile.ZipFile) -> None:
    if _TEXTS not in archive.namelist():
        return
    left = bytearray()
    for piece in _pieces(archive, _TEXTS, b"<si>"):
        left += _rest(_STRINGS, piece)
    _refuse_odd(left, "sst")
    if left.count(b"<") - left.count(b"<?") > 2:
        raise _OddError("a text is more than plain text")


def _hidden_in_plain(archive: zipfile.ZipFile, part: str) -> Hidden:
    """Return what is hidden in a sheet of plain cells.

    Raises:
        _OddError: It holds anything else, or they are far apart.
    """
    columns, rows, taken, left, hidden = set[bytes](), set[bytes](), 0, bytearray(), Hidden()
    for piece in _pieces(archive, part, b"<c r="):
        found = _COLUMN.findall(piece)
        taken += len(found)
        columns.update(found)
        rows.update(_ROW.findall(piece))
        hidden.add(piece)
        left += _rest(_CELLS, piece)
    _refuse_odd(left, "worksheet")
    around = _AROUND.fullmatch(left)
    if not around or b"<sheetData" in around["tail"] or b"<mergeCell" in around["tail"]:
        raise _OddError("a cell is more than plain")
    places = max(map(_number, columns), default=0) * max(map(int, rows), default=0)
    if places > min(MOST_CELLS, _SPARSE * taken + _FEW):
        raise _OddError("its cells are far apart")
    return hidden


def _number(column: bytes) -> int:
    """Return the number of a column, 27 for AA."""
    return reduce(lambda number, letter: 26 * number + letter - 64, column, 0)


def _rest(plain: re.Pattern[bytes], piece: bytes) -> bytes:
    """Return what is not plain in a piece."""
    if _ESCAPED.search(piece):
        raise _OddError("a text has escapes")
    rest = plain.sub(b"", piece)
    if len(rest) > _LONGEST:
        raise _OddError("there is much more than cells")
    return rest


def _pieces(archive: zipfile.ZipFile, part: str, before: bytes = b"") -> Iterator[bytes]:
    """Yield the bytes of a part, cut before a tag.

    Raises:
        _OddError: It is larger than it says, or a piece does not end.
    """
    known = archive.getinfo(part)
    asked = copy(known)
    asked.file_size += 1  # it is read no further than it says
    taken, piece = 0, b""
    with archive.open(asked) as file:
        while chunk := file.read(_CHUNK):
            taken += len(chunk)
            piece += chunk
            at = piece.rfind(before) if before else 0
            if at > 0:
                yield piece[:at]
                piece = piece[at:]
            elif before and len(piece) > _LONGEST:
                raise _OddError("a piece of it does not end")
    if taken != known.file_size:
        raise _OddError("it is larger than it says")
    yield piece
