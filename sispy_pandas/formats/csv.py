"""The text of a CSV file: written in one form, read in all forms that programs save one in."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import IO, TYPE_CHECKING

from sispy.text import printable

from .bounds import LONGEST_LINE, damaged, read_bytes, refuse_wide

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

DELIMITERS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 1 << 18
"""Characters in which the first line must end."""
QUOTE = '"'
_LINES = 10_000
"""Written at a time."""


def write_columns(file: IO[str], columns: Sequence[Sequence[str]], *, delimiter: str = ",") -> None:
    """Write texts, given by column, in the one form of a CSV file here: RFC 4180, no needless quotes.

    That is what `csv.writer` writes, in half the time, because most columns need no quotes at all.
    """
    if len(columns) == 1:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(zip(*columns, strict=True))
        return
    special = re.compile(f'[{re.escape(delimiter)}"\r\n]')
    quoted = [_quoted(texts, special) for texts in columns]
    lines = list(map(delimiter.join, zip(*quoted, strict=True)))
    for start in range(0, len(lines), _LINES):
        file.write("\r\n".join(lines[start : start + _LINES]) + "\r\n")


def as_text(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as the text of a CSV file."""
    file = io.StringIO()
    write_columns(file, list(zip(*rows, strict=True)))
    return file.getvalue()


def _quoted(texts: Sequence[str], special: re.Pattern[str]) -> Sequence[str]:
    if not special.search("".join(texts)):
        return texts
    return [f'"{text.replace(QUOTE, QUOTE * 2)}"' if special.search(text) else text for text in texts]


def decode(path: Path, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file, and what there is to say about its encoding.

    Raises:
        ValueError: It is in none of the encodings that can be told without being told.
    """
    try:
        data = read_bytes(path, lines=True)
        known = encoding or next((name for mark, name in _MARKS if data.startswith(mark)), None)
        return data.decode(known or "utf-8"), ()
    except MemoryError as error:
        raise damaged(path, "table", error) from None
    except UnicodeDecodeError as error:
        if known:
            raise ValueError(f"{printable(path)} is not in the encoding {known}: {error}") from None
    try:
        return data.decode("cp1252"), ("the file is not in UTF-8: it was read as Windows-1252",)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{printable(path)} is neither in UTF-8 nor in Windows-1252 ({error}): "
            "save it as UTF-8, or give encoding="
        ) from None


def dialect(
    text: str, path: Path, known: Collection[str], delimiter: str | None = None
) -> tuple[str, str, list[str]]:
    """Return a CSV text without its line `sep=;`, its delimiter, and its first row.

    Args:
        text: Of the file.
        path: Of the file, for messages.
        known: Names of columns: the delimiter is the one by which the first line has most of them.
        delimiter: Where it is known.

    Raises:
        ValueError: The first row is none, or has more names than any table.
    """
    csv.field_size_limit(LONGEST_LINE)
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.rstrip("\r")) == 5:
        text, delimiter = rest, delimiter or first[4]
    head = text[:_HEAD]
    lines = head.splitlines() or [""]
    if "\0" in lines[0]:
        raise ValueError(f"{printable(path)} is no text: save it as CSV in UTF-8, or give encoding=")
    if len(lines) == 1 and len(text) > _HEAD:
        raise ValueError(
            f"{printable(path)} has no line of names: its first {_HEAD:,} characters are one line"
        )
    delimiter = delimiter or max(DELIMITERS, key=lambda sign: _known_names(_first(head, sign), known))
    header = _first(head, delimiter)
    refuse_wide(path, len(header))
    return text, delimiter, header


def parse(
    text: str, path: Path, known: Collection[str], delimiter: str | None = None
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the first row of a CSV text, and the others that are not empty, each with its number.

    Raises:
        ValueError: As `dialect`, or a cell does not end.
    """
    text, delimiter, _ = dialect(text, path, known, delimiter)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return next(rows, []), [(number, row) for number, row in enumerate(rows, start=2) if any(row)]
    except csv.Error as error:
        raise ValueError(f"{printable(path)}, line {rows.line_num:,}: {error}") from None


def _first(head: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), [])


def _known_names(header: list[str], known: Collection[str]) -> tuple[int, int]:
    return sum(name.strip() in known for name in header), len(header)
