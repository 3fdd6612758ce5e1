"""The text of a CSV file: written in one form, read in all forms that programs save one in."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import IO, TYPE_CHECKING

from sispy.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

DELIMITERS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONGEST_CELL = 2**31 - 1
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
    data = path.read_bytes()
    known = encoding or next((name for mark, name in _MARKS if data.startswith(mark)), None)
    try:
        return data.decode(known or "utf-8"), ()
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


def dialect(text: str, known: Collection[str], delimiter: str | None = None) -> tuple[str, str, list[str]]:
    """Return a CSV text without its line `sep=;`, its delimiter, and its first row.

    Args:
        text: Of the file.
        known: Names of columns: the delimiter is the one by which the first line has most of them.
        delimiter: Where it is known.
    """
    csv.field_size_limit(_LONGEST_CELL)
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.rstrip("\r")) == 5:
        text, delimiter = rest, delimiter or first[4]
    head = text[:_HEAD]
    delimiter = delimiter or max(DELIMITERS, key=lambda sign: _known_names(_first(head, sign), known))
    return text, delimiter, _first(head, delimiter)


def parse(text: str, known: Collection[str], delimiter: str | None = None) -> list[list[str]]:
    """Return the rows of cells of a CSV text; for the arguments see `dialect`."""
    text, delimiter, _ = dialect(text, known, delimiter)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _first(head: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), [])


def _known_names(header: list[str], known: Collection[str]) -> tuple[int, int]:
    return sum(name.strip() in known for name in header), len(header)
