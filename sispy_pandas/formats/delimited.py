"""How a text of cells is written: what is between them, and which row holds the names."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import printable

from .bounds import LONGEST_LINE, refuse_wide
from .encodings import ASKED
from .outline import is_rule, type_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from .bounds import InFile
    from .options import ReadOptions

DELIMITERS = ",;\t|"
_RARE = ": ~^#\x01"
"""Delimiters that are rare, and stand in texts as well: never taken without being told."""
HEAD = 1 << 18
"""Characters in which the first line must end."""
_OTHERS = (
    (re.compile(r'\s*(?:\[\s*\{|\{\s*")'), "is JSON, not a table: its name has to say so"),
    (re.compile(r"\s*<(?:!doctype|html|\?xml)\b", re.IGNORECASE), "is a web page or XML, not a table"),
)
"""How texts begin that are no tables, and what they are."""
QUOTE = '"'
BLANK = " "
_COMMAS = re.compile(r"\d+(?:,\d+)+")
"""A number, or cells of numbers: 1,234,50 and 1,5 may be one, 8,16,32 is none."""
_SAMPLE = 20
"""Rows that tell how wide the table is."""


@dataclass(frozen=True, slots=True)
class Delimited:
    """How a CSV text is written."""

    text: str
    """Without its line `sep=;`."""
    delimiter: str
    header: list[str]
    row: int
    """Number of the row that is the header; those before it are blank."""
    guesses: tuple[str, ...] = ()
    """What of it may be otherwise."""

    def rank(self, lines: Sequence[str], known: Collection[str]) -> tuple[int, bool, bool, bool, int]:
        """Return how likely it is: by known names, and by rows that are alike and as wide as the header.

        Args:
            lines: The first ones of the text, without what stands in quotes.
            known: Names of columns.
        """
        lines = [line for line in lines if line.strip(f"{self.delimiter} ")][:_SAMPLE]
        widths = Counter(line.count(self.delimiter) + 1 for line in lines)
        usual = max(widths, key=lambda width: (widths[width], width), default=0)
        are_alike = usual > 1 and 2 * widths[usual] >= len(lines)
        within, signs = sum(map(self._within, lines)), sum(line.count(self.delimiter) for line in lines)
        fits = usual == len(self.header) > 1
        names = sum(name.strip() in known for name in self.header)
        return names, are_alike, are_alike and 2 * within < signs, fits, usual

    def _within(self, line: str) -> int:
        """Return how often the delimiter looks like a sign of a sentence, or of a number, in a line."""
        numbers = _COMMAS.findall(line) if self.delimiter == "," else ()
        groups = (number.split(",") for number in numbers)
        marks = sum(len(one) - 1 for one in groups if all(len(digits) == 3 for digits in one[1:-1]))
        return marks + line.count(f"{self.delimiter} ")


def delimited(text: str, file: InFile, known: Collection[str], options: ReadOptions) -> Delimited:
    """Return how a CSV text is written.

    Args:
        text: Of the file.
        file: Of which it is the text, for messages.
        known: Names of columns: the delimiter is the one by which the header has most of them.
        options: What is known of it.

    Raises:
        ValueError: There is no header, or it has more names than any table.
    """
    csv.field_size_limit(LONGEST_LINE)
    delimiter = options.delimiter
    first = text[:7].partition("\n")[0]
    if first.lower().startswith("sep=") and len(first.rstrip("\r")) == 5:
        text, delimiter = text[len(first) + 1 :], delimiter or first[4]
    head = text[:HEAD]
    lines = head.splitlines() or [""]
    if "\0" in lines[0]:
        raise ValueError(Message(f"{printable(file)} is not text: save it as CSV in UTF-8", ASKED))
    for begin, is_other in _OTHERS if options.header_row is None else ():
        if begin.match(head):
            raise ValueError(f"{printable(file)} {is_other}")
    if len(lines) == 1 and len(text) > HEAD:
        raise ValueError(
            f"{printable(file)} has no line of names: its first {HEAD:,} characters are one line"
        )
    row = options.header_row or None
    found = [Delimited(text, sign, *_header(head, sign, row)) for sign in delimiter or DELIMITERS]
    bare = [line for line in re.split(r"\r\n?|\n", without_quoted(head)) if not is_rule([line])]
    ranks = {one.delimiter: one.rank(bare, known) for one in found}
    dialect, *others = sorted(found, key=lambda one: ranks[one.delimiter], reverse=True)
    best = ranks[dialect.delimiter][:-1]
    if best[1] and others and ranks[others[0].delimiter][:-1] == best:
        dialect = replace(dialect, guesses=(_either(dialect.delimiter, others[0].delimiter),))
    if options.delimiter is None and len(dialect.header) == 1:
        dialect = replace(dialect, guesses=_rarely(dialect, bare))
    refuse_wide(file, len(dialect.header))
    if not dialect.header:
        raise ValueError(f"{printable(file)} has no header")
    return dialect


def _either(taken: str, other: str) -> Message:
    return Message(
        f"{taken!r} or {other!r} may separate the cells, {taken!r} is assumed",
        Argument("delimiter", "says so", taken),
        Argument("delimiter", "takes the other", other),
    )


def _rarely(dialect: Delimited, lines: Sequence[str]) -> tuple[str, ...]:
    """Return what to say of lines of one cell that a rarer sign would part, all alike."""
    lines = [line.strip() for line in lines if line.strip()][:_SAMPLE]
    for sign in _RARE if len(lines) > 1 else "":
        rows = [line.split(None if sign == BLANK else sign) for line in lines]
        (width, *others) = set(map(len, rows))
        if others or width < 2 or not all(map(all, rows)):
            continue
        if sign == BLANK and width == 2 and not any(type_of(row[1]) for row in rows):
            continue  # names of two words
        said = f"each line is taken for one cell, but {sign!r} may separate cells"
        parts = Argument("delimiter", "parts them", sign)
        return (Message(said, parts, *one_column(dialect)),)
    return ()


def _header(head: str, delimiter: str, wanted: int | None) -> tuple[list[str], int]:
    """Return the row of the names, by default the first that is neither blank nor drawn, and its number."""
    rows = reader(io.StringIO(head, newline=""), delimiter)
    found = (
        (row, number)
        for number, row in enumerate(rows, start=1)
        if any(map(str.strip, row)) and wanted in (None, number) and (wanted or not is_rule(row))
    )
    return next(found, ([], 0))


def reader(lines: Iterable[str], delimiter: str, *, strict: bool = False) -> Any:
    """Return what reads rows; several blanks are one delimiter, as columns are aligned by them."""
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == BLANK, strict=strict)


def without_quoted(text: str, delimiters: str = DELIMITERS) -> str:
    """Return a text with an x for each cell in quotes, whichever of some signs is between the cells."""
    ends = rf"[{re.escape(delimiters)}\r\n]"
    return re.sub(rf'(?:(?<={ends})|\A)"[^"]*(?:""[^"]*)*"(?={ends}|\Z)', "x", text)


def is_odd(dialect: Delimited) -> bool:
    """Return whether a quote stands elsewhere than around a cell: in one without quotes, or by mistake."""
    return QUOTE in dialect.text and QUOTE in without_quoted(dialect.text, dialect.delimiter)


def one_column(dialect: Delimited) -> tuple[Argument, ...]:
    """Return the option by which a file has one column, if there is a sign for it."""
    free = next((sign for sign in DELIMITERS if sign not in dialect.text), None)
    return (Argument("delimiter", "takes each line for one cell", free),) if free else ()
