"""Files that would hurt a careless reader: each made in a folder, by name."""

from __future__ import annotations

import gzip
import random
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SHEET = "xl/worksheets/sheet1.xml"
HEAD = '<c r="A1" t="inlineStr"><is><t>name</t></is></c>'
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_KIND}.sharedStrings+xml"/>'
        f'<Override PartName="/{SHEET}" ContentType="{_KIND}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="host" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
        f'Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    ),
    "xl/styles.xml": f'<styleSheet xmlns="{_SPREADSHEET}"/>',
    "xl/sharedStrings.xml": f'<sst xmlns="{_SPREADSHEET}"/>',
}


def book(
    path: Path, rows: str = "", *, after: str = "", before: str = "", parts: Mapping[str, bytes] = {}
) -> Path:
    """Write a workbook of one sheet, by the XML of its rows and of what stands around its data."""
    sheet = f'{before}<worksheet xmlns="{_SPREADSHEET}"><sheetData>{rows}</sheetData>{after}</worksheet>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        written: dict[str, str | bytes] = {**_PARTS, SHEET: sheet, **parts}
        for name, text in written.items():
            archive.writestr(name, text)
    return path


def flipped(content: bytes, seed: int) -> bytes:
    """Return a file's bytes with one to four of them changed."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def row(number: int, cells: str) -> str:
    """Return the XML of a row."""
    return f'<row r="{number}">{cells}</row>'


def _far(path: Path) -> Path:
    far = '<c r="XFD1048576"><v>1</v></c>'
    return book(path, row(1, HEAD) + row(1_048_576, far))


def _wide(path: Path) -> Path:
    titles = "".join(f'<c t="inlineStr"><is><t>c{i}</t></is></c>' for i in range(16_000))
    return book(path, row(1, titles))


def _full(path: Path) -> Path:
    last = "".join(row(n, f'<c r="XFD{n}"><v>1</v></c>') for n in range(2, 4_200))
    return book(path, row(1, HEAD) + last)


def _tied(kind: str) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        blocks = f'<{kind}s><{kind} ref="A1:XFD1048576"/></{kind}s>'
        return book(path, row(1, HEAD), after=blocks)

    return make


def _entities(path: Path) -> Path:
    more = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    text = '<c r="A2" t="inlineStr"><is><t>&e11;</t></is></c>'
    rows = row(1, HEAD) + row(2, text)
    return book(path, rows, before=f'<!DOCTYPE x [<!ENTITY e0 "aaaaaaaaaa">{more}]>')


def _locked(path: Path) -> Path:
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    )
    return path


def _old(path: Path) -> Path:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    return path


BOOKS: dict[str, Callable[[Path], Path]] = {
    "far apart": _far,
    "16,000 headers": _wide,
    "cells without end": _full,
    "rows without end": lambda path: book(path, row(1, HEAD) + "<row/>" * 1_100_000),
    "a row far beyond": lambda path: book(path, row(1, HEAD) + row(10**12, '<c r="A9"><v>1</v></c>')),
    "a merge of all": _tied("mergeCell"),
    "a link of all": _tied("hyperlink"),
    "entities": _entities,
    "a sheet that expands": lambda path: book(path, row(1, HEAD) + " " * (1 << 26)),
    "texts that expand": lambda path: book(path, parts={"xl/sharedStrings.xml": bytes(1 << 26)}),
    "a style that expands": lambda path: book(path, parts={"xl/styles.xml": bytes(1 << 25)}),
    "locked": _locked,
    "old": _old,
    "no rows": lambda path: book(path),
    "cut": lambda path: _cut(book(path, row(1, HEAD))),
    "no zip": lambda path: _written(path, b"name\nh1\n"),
    "empty": lambda path: _written(path, b""),
}

TEXTS: dict[str, Callable[[Path], Path]] = {
    "8,000,000 empty rows": lambda path: _written(path, b"_id,name\r\n" + b",\r\n" * 8_000_000),
    "16,000 headers": lambda path: _written(path, b"name," * 16_000 + b"\r\n"),
    "no line of names": lambda path: _written(path, b"a" * 1_000_000),
    "no end of a line": lambda path: _sparse(path, b"name\n", 1 << 30),
    "too large": lambda path: _sparse(path, b"name\n", 1 << 40),
    "packed": lambda path: _written(path, gzip.compress(b"name\r\nh1\r\n")),
    "bomb": lambda path: _written(path, gzip.compress(b"name\r\nh1\r\n" + bytes(1 << 25))),
    "cut": lambda path: _written(path, gzip.compress(b"name\r\nh1\r\n")[:-9]),
    "a workbook": lambda path: book(path, row(1, HEAD)),
    "binary": lambda path: _written(path, bytes(range(256)) * 100),
    "zeros": lambda path: _written(path, bytes(10_000)),
    "empty": lambda path: _written(path, b""),
    "deep": lambda path: _written(path, b"[" * 1_000_000),
}


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _cut(path: Path) -> Path:
    return _written(path, path.read_bytes()[:-40])


def _sparse(path: Path, head: bytes, size: int) -> Path:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path
