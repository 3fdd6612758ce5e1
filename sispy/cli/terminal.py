"""What commands print: results on standard output, the rest on standard error, fitted to the terminal.

Nothing but text leaves here: whatever a text holds beside it is shown as escapes, except for the colours that
`styled` gave. Data alone (`out(..., data=True)`) goes into files and pipes as it is.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

import click

from sispy.cli.exits import Declined, Misuse
from sispy.cli.remedies import in_shell, ways_out
from sispy.remedies import Call, Message, what_of
from sispy.text import aligned, fitted, json_seen, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


LONGEST = 2_000
"""Characters of a line on standard error."""
STYLES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_OURS = re.compile(f"(\x1b\\[(?:0|{'|'.join(STYLES.values())})m)")


def styled(text: str, style: str | None) -> str:
    """Return a text in one of `STYLES`; without one as it is."""
    return text if style is None else f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def _plain(text: str) -> str:
    """Return a text of several lines with all that cannot be seen as escapes, except for our own colours."""
    parts = _OURS.split(text)
    return "".join(part if at % 2 else printable(part, lines=True) for at, part in enumerate(parts))


def out(text: str = "", *, newline: bool = True, data: bool = False) -> None:
    """Print a result on standard output.

    A reader that went away (`sispy schemas | head -1`) ends the printing, not the command.

    Args:
        text: The result.
        newline: End it with a line's end.
        data: It is data for a program: written as it is, unless it goes to a terminal.

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


def page(text: str) -> None:
    """Print a result; in a terminal that it does not fit, by the program that PAGER names (`less`)."""
    if is_terminal(sys.stdout) and is_terminal(sys.stdin):
        height = shutil.get_terminal_size().lines
        if text.count("\n") + 1 >= height:
            click.echo_via_pager(_plain(text))
            return
    out(text)


def say(text: str = "") -> None:
    """Print progress, a hint or an error on standard error; if it cannot be written, that is ignored."""
    text = "\n".join(shorten(line, LONGEST) for line in text.split("\n"))
    _echo_error(fitted(text, width(sys.stderr)) if is_terminal(sys.stderr) else text)


def _echo_error(text: str) -> None:
    try:
        click.echo(text, err=True)
    except OSError:
        _into_nothing(2)


def tell_error(message: str, status: int, *, as_json: bool) -> None:
    """Print what went wrong on standard error: a sentence, or an object of the same for programs."""
    if as_json:
        error = {"error": printable(one_line(what_of(message))), "status": int(status)}
        _echo_error(json_seen({**error, "remedy": ways_out(message)}))
    else:
        say(f"sispy: {one_line(in_shell(message))}")


def one_line(text: str) -> str:
    """Join a message's lines: one sentence on one line is what logs and people can search."""
    return " ".join(text.split())


def say_now(text: str) -> None:
    """Print a line on standard error from a signal handler, perhaps in the middle of another print."""
    if sys.stderr is not None:  # else 2 is the number of some other file
        with suppress(OSError):
            os.write(2, f"\n{text}\n".encode())


def _into_nothing(stream: int) -> None:
    """Discard what is still to be printed, also at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def is_terminal(stream: IO[Any] | None) -> bool:
    """Return whether a person sits at this stream; a closed one is None."""
    return stream is not None and stream.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Ask on standard error and raise `Declined` unless the answer is yes.

    Where there is no terminal to ask, it is a usage error that names the option which answers.
    """
    if yes:
        return
    question = printable(question)
    if not is_terminal(sys.stdin):
        raise Misuse(
            Message(f"{question} There is no terminal to ask", Call("--yes", "answers yes", ("--yes",)))
        )
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


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    wrap: bool = False,
    keep: Collection[str] = (),
) -> str:
    """Return rows as aligned columns under a head, fitted to the terminal; see `sispy.text.aligned`."""
    top, *lines = (line for row in aligned(head, rows, limit=width(), wrap=wrap, keep=keep) for line in row)
    return "\n".join([styled(top, "bold"), *lines])
