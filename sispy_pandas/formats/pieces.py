"""Text files that are read in pieces: as a stream of lines, in an encoding that is sure for all of them."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sispy.remedies import Message
from sispy.text import printable

from .base import NotCut
from .bounds import LONGEST_LINE, damaged, refuse_expanding
from .encodings import ASKED, known_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .bounds import InFile
    from .options import ReadOptions

_CHUNK = 1 << 20


def has_more_lines(file: InFile, rows: int) -> bool:
    """Return whether a text file has more lines than rows and a header, however they end."""
    ends = {b"\n": 0, b"\r": 0}
    with file.stream() as opened:
        for chunk in iter(lambda: opened.read(_CHUNK), b""):
            for end in ends:
                ends[end] += chunk.count(end)
            if max(ends.values()) > rows:
                return True
    return False


def sure_encoding(file: InFile, options: ReadOptions) -> str:
    """Return the encoding of a file, as was told, or as all of its bytes tell.

    Raises:
        NotCut: They do not, so that it takes the whole file to find out.
        ValueError: It is not in the encoding that was told, or damaged.
    """
    try:
        with file.stream() as opened:
            start, size = opened.read(_CHUNK), 0
            name = options.encoding or known_encoding(start) or "utf-8"
            decoder = codecs.getincrementaldecoder(name)()
            decoder.decode(start)
            for chunk in iter(lambda: opened.read(_CHUNK), b""):
                size += len(chunk)
                refuse_expanding(file, size)
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise NotCut(Message("its text is not in UTF-8", ASKED)) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise damaged(file, "gzip file", error) from error
    return name


@contextmanager
def text_stream(file: InFile, encoding: str, *, newline: str = "") -> Iterator[Iterator[str]]:
    """Open a file as its lines, each with its end.

    Args:
        file: The file.
        encoding: Of it.
        newline: What ends a line; "": whatever does in some program.
    """
    with file.stream() as opened:
        text: Any = io.TextIOWrapper(opened, encoding, newline=newline)
        try:
            yield _within_bounds(text, file)
        finally:
            text.detach()


def until(lines: Iterator[str], size: int) -> Iterator[str]:
    """Take lines until they have so many characters together."""
    for line in lines:
        yield line
        size -= len(line)
        if size < 0:
            return


def records_of(
    lines: Iterable[str], reader: Callable[[Iterable[str]], Any], file: InFile
) -> Iterator[tuple[int, int, str]]:
    """Yield the rows of a CSV text as they stand there: number, lines before it, text.

    Args:
        lines: Of the text.
        reader: Makes the reader of the rows, of module csv.
        file: For messages.

    Raises:
        ValueError: A cell does not end.
    """
    taken: list[str] = []

    def taking() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    rows, before = reader(taking()), 0
    try:
        for number, _ in enumerate(rows, start=1):
            yield number, before, "".join(taken)
            before = rows.line_num
            taken.clear()
    except csv.Error as error:
        raise ValueError(f"{printable(file)}, line {rows.line_num:,}: {error}") from None


def _within_bounds(text: io.TextIOWrapper, file: InFile) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise ValueError(f"{printable(file)} has a line without an end: is it a table?")
        yield line
