"""What commands print: results on standard output, the rest on standard error, fitted to the terminal.

Nothing but text leaves here: whatever a text holds beside it is shown as escapes, except for the colours that
`styled` gave. Data alone (`out(..., data=True)`) goes into files and pipes as it is.
"""

from __future__ import annotations

import errno
import numbers
import os
import re
import shutil
import sys
import textwrap
import unicodedata
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

import click

from sispy.cli.exits import Declined, Misuse
from sispy.text import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


LONGEST = 500
"""Characters of a table's cell that are shown."""
SENTENCE = 2_000
"""Characters of a line on standard error."""
STYLES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_OURS = re.compile(f"(\x1b\\[(?:0|{'|'.join(STYLES.values())})m)")


def styled(text: str, style: str | None) -> str:
    """Return a text in one of `STYLES`; without one as it is."""
    return text if style is None else f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def _plain(text: str) -> str:
    """Return a text of several lines without anything that is none, but for our own colours."""
    parts = _OURS.split(text)
    return "".join(part if at % 2 else printable(part, lines=True) for at, part in enumerate(parts))


def out(text: str = "", *, newline: bool = True, data: bool = False) -> None:
    """Print a result on standard output.

    A reader that went away (`sispy schemas | head -1`) ends the printing, not the command.

    Args:
        text: The result.
        newline: End it with a line's end.
        data: It is data for a program: written as it is, unless a terminal would get it.

    Raises:
        OSError: Standard output is closed, or a file on a full disk.
    """
    if sys.stdout is None:
        raise OSError(errno.EBADF, "it is closed", "standard output")
    try:
        if data and not is_terminal(sys.stdout):
            click.echo(text, nl=newline, color=True)  # else it would take escape sequences out
        else:
            click.echo(_plain(text), nl=newline)
    except BrokenPipeError:
        _into_nothing(1)
    except OSError as error:
        _into_nothing(1)
        raise OSError(error.errno, error.strerror, "standard output") from error


def say(text: str = "") -> None:
    """Print progress, a hint or an error on standard error; where it cannot be written, nobody listens."""
    text = "\n".join(shorten(line, SENTENCE) for line in text.split("\n"))
    try:
        click.echo(fitted(text, sys.stderr) if is_terminal(sys.stderr) else text, err=True)
    except OSError:
        _into_nothing(2)


def say_now(text: str) -> None:
    """Print a line on standard error from a signal handler, perhaps in the middle of another print."""
    if sys.stderr is not None:  # else 2 is the number of some other file
        with suppress(OSError):
            os.write(2, f"\n{text}\n".encode())


def _into_nothing(stream: int) -> None:
    """Send what is still to be printed nowhere, at the end of the process, too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def is_terminal(stream: IO[Any] | None) -> bool:
    """Return whether a person sits at this stream; a closed one is None."""
    return stream is not None and stream.isatty()


def confirm(question: str, *, yes: bool, option: str = "--yes") -> None:
    """Ask on standard error and raise `Declined` unless the answer is yes.

    Where there is no terminal to ask, it is a usage error that names the option which answers.
    """
    if yes:
        return
    question = printable(question)
    if not is_terminal(sys.stdin):
        raise Misuse(f"{question} There is no terminal to ask: give {option} to answer yes.")
    if not click.confirm(question, err=True):
        raise Declined("nothing was done")


def width(stream: IO[Any] | None = None) -> int | None:
    """Return the columns to print in: the terminal's, or COLUMNS; None (no limit) in a pipe or a file.

    Args:
        stream: What is printed on; None: standard output.
    """
    if is_terminal(stream or sys.stdout) or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    return None


def fitted(text: str, stream: IO[Any] | None = None) -> str:
    """Return a text whose lines are broken at words where they are wider than the terminal; see `width`."""
    limit = width(stream)
    if limit is None:
        return text
    return "\n".join(
        "\n".join(textwrap.wrap(line, limit, break_on_hyphens=False, break_long_words=False)) if line else ""
        for line in text.split("\n")
    )


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def cut(text: str, limit: int) -> str:
    """Shorten a text to a number of columns; the last one shows that something was cut."""
    if cells(text) <= limit:
        return text
    kept, used = [], 1
    for char in text:
        used += cells(char)
        if used > limit:
            break
        kept.append(char)
    return "".join(kept) + "…"


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    limit: int | None = None,
    wrap: bool = False,
    keep: Collection[str] = (),
) -> str:
    """Return rows as aligned columns under a head, numbers to the right.

    Args:
        head: Titles of the columns.
        rows: Cells of each row, as many as there are titles.
        limit: Columns of the terminal; the widest columns are cut until the table fits. None: `width()`.
        wrap: Break the texts of the last column into several lines instead of cutting them.
        keep: Titles of columns that are never cut.
    """
    body = [list(row) for row in rows]
    texts = [[shorten("" if cell is None else cell, LONGEST) for cell in row] for row in (head, *body)]
    right = [bool(body) and all(_is_number(row[i]) for row in body) for i in range(len(head))]
    wanted = [max(cells(row[i]) for row in texts) for i in range(len(head))]
    widths = _fit(wanted, limit or width(), [i for i, title in enumerate(head) if title not in keep])
    lines = [line for row in texts for line in _lines(row, widths, right, wrap=wrap)]
    lines[0] = styled(lines[0], "bold")
    return "\n".join(lines)


def _lines(row: Sequence[str], widths: Sequence[int], right: Sequence[bool], *, wrap: bool) -> list[str]:
    """Return a row as one line, or several where its last cell is wrapped."""
    shown = [cut(text, size) for text, size in zip(row, widths, strict=True)]
    more: list[str] = []
    if wrap and cells(row[-1]) > widths[-1]:
        shown[-1], *more = textwrap.wrap(row[-1], widths[-1], break_on_hyphens=False)
    pads = [" " * (size - cells(text)) for text, size in zip(shown, widths, strict=True)]
    line = "  ".join(
        pad + text if is_right else text + pad for text, pad, is_right in zip(shown, pads, right, strict=True)
    )
    indent = " " * (sum(widths[:-1]) + 2 * (len(widths) - 1))
    return [line.rstrip(), *(indent + rest for rest in more)]


def _is_number(cell: object) -> bool:
    return cell is None or (isinstance(cell, numbers.Real) and not isinstance(cell, bool))


def _fit(widths: list[int], limit: int | None, elastic: Sequence[int]) -> list[int]:
    """Narrow the widest of the elastic columns, a step at a time, until all fit; none below 4."""
    widths = list(widths)
    while limit is not None and sum(widths) + 2 * (len(widths) - 1) > limit:
        widest = max(elastic, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= 4:
            break
        widths[widest] -= 1
    return widths
