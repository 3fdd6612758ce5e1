"""A workbook's file, opened within bounds: damaged ones, bombs and locked ones end in one sentence each."""

from __future__ import annotations

import re
import warnings
import zipfile
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sispy.text import printable

from ..values.extras import optional
from .bounds import FREE, MOST_CELLS, RATIO, damaged
from .excel_hidden import Hidden

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from .bounds import InFile

MOST_ROWS = 1_048_576
"""Rows of a sheet, as many as programs know."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_WHOLE = 4 << 30
"""Bytes to which all parts may expand."""
_SHEETS = "xl/worksheets/"
_LARGE = (_SHEETS, "xl/sharedStrings", "xl/comments", "xl/media/", "xl/drawings/")
"""Parts that grow with the rows; all others are read as a tree and have `FREE` bytes at most."""
_MOST_PARTS = 10_000
_MOST_TIED = 1 << 21
"""Cells that are merged or linked in ranges: a workbook that is read whole has an object for each."""
_RANGE = re.compile(rb"""<(?:\w+:)?(mergeCell|hyperlink|comment)\s[^<>]*?\bref=["']([^"'<>]*:[^"'<>]*)["']""")
_CHUNK, _LONGEST_TAG = 1 << 20, 1 << 10
_BOOK, _STYLES = "xl/workbook.xml", "xl/styles.xml"
_PADDED = re.compile(rb"""\bformatCode=["']00+["']""")
_OPEN_DOCUMENT = {"mimetype", "content.xml"}
_STRICT = b"http://purl.oclc.org/ooxml/"
_USUAL = b"http://schemas.openxmlformats.org/"
_NAMESPACES = tuple(
    (_STRICT + name + b"/" + part, _USUAL + name + b"/2006/" + part)
    for name, part in (
        (b"spreadsheetml", b"main"),
        (b"drawingml", b"main"),
        (b"drawingml", b"spreadsheetDrawing"),
        (b"officeDocument", b"relationships"),
        (b"officeDocument", b"sharedTypes"),
    )
)

Cells = tuple[range, range]
"""A block: its rows, its columns; from 1."""


@dataclass(frozen=True, slots=True)
class BookFile:
    """A workbook's file, of which is known that it can be read."""

    file: InFile
    content: Path | BytesIO

    @contextmanager
    def opened(self, **options: Any) -> Iterator[Any]:
        """Yield the openpyxl workbook, open as long as the block lasts; options: of `openpyxl.load_workbook`.

        Raises:
            ValueError: It is damaged, or so made that it would not fit into memory.
            ImportError: openpyxl is missing.
        """
        openpyxl = optional("openpyxl", "excel")
        if not options.get("read_only"):
            self._refuse_tied()
        with self._binary() as binary:  # given a path, openpyxl leaves the file of a damaged workbook open
            try:
                with _quiet():
                    book = openpyxl.load_workbook(binary, **options)
            except Exception as error:
                raise damaged(self.file, "workbook", error) from error
            with closing(book):
                if not book.worksheets:
                    raise ValueError(f"{printable(self.file)} has no sheet with cells")
                is_whole = not options.get("read_only")
                if is_whole and any(sheet.max_row > MOST_ROWS for sheet in book.worksheets):
                    raise ValueError(_too_long(self.file))
                yield book

    def _binary(self) -> AbstractContextManager[IO[bytes]]:
        return self.content.open("rb") if isinstance(self.content, Path) else nullcontext(self.content)

    @property
    def has_padded(self) -> bool:
        """Return whether a format of it shows numbers with zeros in front."""
        with zipfile.ZipFile(self.content) as archive:
            return _STYLES in archive.namelist() and _PADDED.search(archive.read(_STYLES)) is not None

    def hidden(self, part: str) -> Hidden:
        """Return the rows and columns of a sheet that nobody sees."""
        found, tail = Hidden(), b""
        try:
            with zipfile.ZipFile(self.content) as archive, archive.open(part) as file:
                while chunk := file.read(_CHUNK):
                    found.add(tail + chunk)
                    tail = chunk[-_LONGEST_TAG:]
        except Exception as error:
            raise damaged(self.file, "workbook", error) from error
        return found

    def merged(self, part: str) -> list[Cells]:
        """Return the blocks of merged cells of a sheet, which openpyxl leaves out when it only reads."""
        with zipfile.ZipFile(self.content) as archive:
            return [cells for kind, cells in self._tied(archive, part) if kind == b"mergeCell"]

    def _tied(self, archive: zipfile.ZipFile, part: str) -> Iterator[tuple[bytes, Cells]]:
        """Yield the blocks of cells that are merged or linked, each once."""
        tail, seen = b"", set[tuple[bytes, ...]]()
        boundaries = optional("openpyxl.utils", "excel").range_boundaries
        try:
            with archive.open(part) as file:
                while chunk := file.read(_CHUNK):
                    seen.update(match.groups() for match in _RANGE.finditer(tail + chunk))
                    tail = chunk[-_LONGEST_TAG:]
            for kind, reference in seen:
                left, top, right, bottom = boundaries(reference.decode())
                yield kind, (range(top, bottom + 1), range(left, right + 1))
        except Exception as error:
            raise damaged(self.file, "workbook", error) from error

    def _refuse_tied(self) -> None:
        with zipfile.ZipFile(self.content) as archive:
            blocks = (cells for part in archive.namelist() for _, cells in self._tied(archive, part))
            tied = sum(len(rows) * len(columns) for rows, columns in blocks)
        if tied > _MOST_TIED:
            raise ValueError(
                f"{printable(self.file)} has {tied:,} cells that are merged or linked: undo it, at most"
                f" {_MOST_TIED:,} are copied"
            )


def book_file(file: InFile) -> BookFile:
    """Look at a workbook's file before anything of it is unpacked.

    Raises:
        ValueError: It is no workbook, it is locked by a password, or it would expand beyond measure.
        OSError: It cannot be read.
    """
    content = file.seekable()
    head = content.getvalue() if isinstance(content, BytesIO) else _head(content)
    if head.startswith(_OLE):
        locked = _LOCKED in head
        how = "is locked by a password: save it without one" if locked else "is an old .xls: save it as .xlsx"
        raise ValueError(f"{printable(file)} {how}")
    if not head:
        raise ValueError(f"{printable(file)} is empty: it is not a workbook")
    if not head.startswith(b"PK"):
        known = Path(file.name).suffix.lower() == ".xlsx"
        words = "is not a workbook, or a damaged one: it does not begin like one"
        other = "is not an .xlsx workbook: save it as one; read_csv reads text files"
        raise ValueError(f"{printable(file)} {words if known else other}")
    try:
        with zipfile.ZipFile(content) as archive:
            parts = archive.infolist()
            is_strict = any(_STRICT in _start(archive, part) for part in parts if part.filename == _BOOK)
    except Exception as error:
        raise damaged(file, "workbook", error) from error
    if {part.filename for part in parts} >= _OPEN_DOCUMENT:
        raise ValueError(f"{printable(file)} is an OpenDocument file: save it as .xlsx or .csv")
    _refuse_bombs(file, parts)
    return BookFile(file, _transitional(file, content) if is_strict else content)


def _start(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    with archive.open(part) as file:
        return file.read(_LONGEST_TAG)


def _transitional(file: InFile, content: Path | BytesIO) -> BytesIO:
    """Return a workbook of the kind Strict Open XML as one of the usual kind, which has other namespaces."""
    found = BytesIO()
    try:
        with zipfile.ZipFile(content) as old, zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as new:
            for part in old.infolist():
                data = old.read(part)
                for strict, usual in _NAMESPACES:
                    data = data.replace(strict, usual)
                new.writestr(part.filename, data, compresslevel=1)
    except Exception as error:
        raise damaged(file, "workbook", error) from error
    return found


def rows_of(
    sheet: Any, file: InFile, *, first: int = 1, values: bool = True
) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the rows of a sheet that are not empty, each with its number.

    Args:
        sheet: Of an openpyxl workbook.
        file: Of the workbook, for messages.
        first: Number of the row to begin with.
        values: Yield values; else cells.

    Raises:
        ValueError: The workbook is damaged, or the sheet larger than programs make one.
    """
    if hasattr(sheet, "reset_dimensions"):  # one that is only read may be wrong about its size
        sheet.reset_dimensions()
    with _quiet():
        rows = sheet.iter_rows(min_row=first, values_only=values)
        taken = 0
        for number in count(first):
            try:
                row = next(rows, None)
            except Exception as error:
                raise damaged(file, "workbook", error) from error
            if row is None:
                return
            if number > MOST_ROWS:
                raise ValueError(_too_long(file))
            if row and any(cell not in (None, "") for cell in (row if values else [c.value for c in row])):
                taken += len(row)
                if taken > MOST_CELLS:
                    raise ValueError(f"{printable(file)} is too large: {MOST_CELLS:,} cells are read at most")
                yield number, row


def _too_long(file: InFile) -> str:
    return f"{printable(file)} is too large: a sheet has {MOST_ROWS:,} rows at most"


def _refuse_bombs(file: InFile, parts: Sequence[zipfile.ZipInfo]) -> None:
    """Raise if parts say that they are larger than honest ones; zipfile reads no more than they say."""
    large = len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _WHOLE
    for part in parts:
        most = max(FREE, RATIO * part.compress_size) if part.filename.startswith(_LARGE) else FREE
        large |= part.file_size > most
    if large:
        raise ValueError(f"{printable(file)} would unpack to more than any real workbook: it is not opened")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(len(_OLE))
        return head + file.read(_WHOLE >> 6) if head == _OLE else head


def _quiet() -> warnings.catch_warnings[None]:
    """Keep openpyxl from telling what it leaves out."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)
