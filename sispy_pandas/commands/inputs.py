"""What a command is given: files of rows, by their names or as standard input, and times."""

from __future__ import annotations

import html
import re
import sys
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import click

from sispy.cli.completion import with_blanks
from sispy.cli.exits import Misuse
from sispy.remedies import Message, message_of
from sispy_pandas.formats.registry import FORMATS, by_suffix, format_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from sispy_pandas.formats.base import Format
    from sispy_pandas.formats.bounds import InFile
    from sispy_pandas.formats.dialect import Known
    from sispy_pandas.formats.options import ReadOptions
    from sispy_pandas.formats.reader import Texts
    from sispy_pandas.formats.untyped import Untyped
    from sispy_pandas.values.schema import Schema

STANDARD = "-"
"""What stands for standard input or output in the place of a file."""
INPUT = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
"""The type of an argument that names a file of rows."""
_SHEET = re.compile(r'<(?:\w+:)?sheet\s[^>]*?name="([^"]*)"')
_LONGEST_BOOK = 2**20


def several(text: str) -> list[str]:
    """Return the names of an option that takes several with commas between them: A,B."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise click.BadParameter(
            f"{text!r} has no name before or after a comma." if text else "it names none."
        )
    return names


def zone(text: str) -> str:
    """Return the time zone of an option."""
    from sispy_pandas.formats.options import zone_of

    return _valid(zone_of, text)


def zones(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the time zones that begin so."""
    return sorted(name for name in available_timezones() if name.startswith(incomplete))


def encoding(text: str) -> str:
    """Return the encoding of an option."""
    from sispy_pandas.formats.encodings import decode

    return _valid(partial(decode, b"\0\0\0\0", ""), text)  # a text in every encoding


def _valid(read: Callable[[str], object], text: str) -> str:
    try:
        read(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error
    return text


format_option = click.option(
    "--format",
    "form",
    type=click.Choice([suffix[1:] for suffix in FORMATS]),
    help="Format of the file where its name does not tell it, such as - (standard input or output).",
)
"""Gives a command the name of a format; it receives it as `form`."""


def sheets(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the sheets of the workbooks that the command line names, but for those of exported rows."""
    from sispy_pandas.formats.excel_base import PREFIX

    names: set[str] = set()
    for given in (one for one in (*ctx.params.values(), *ctx.args) if isinstance(one, str | Path)):
        with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
            with zipfile.ZipFile(given) as archive, archive.open("xl/workbook.xml") as book:
                found = _SHEET.findall(book.read(_LONGEST_BOOK).decode("utf-8", "replace"))
            names |= {name for name in map(html.unescape, found) if not name.startswith(PREFIX)}
    return with_blanks(names, incomplete)


def when(text: str, tz: str | None, option: str) -> int:
    """Return the time that an option names, in ms since 1970.

    Raises:
        Misuse: It is no time.
    """
    from sispy_pandas.values.times import milliseconds_of

    try:
        return milliseconds_of(text, tz=tz)
    except ValueError as error:
        said = Message(f"{option}: ", message_of(error), "; 2h, 3d and 1w say how long ago")
        raise Misuse(said) from error


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file of rows; the same one can be read more than once, a pipe as well."""

    file: InFile
    form: Format

    @classmethod
    def of(cls, path: Path | str, form: str | None = None) -> TableFile:
        """Return the file of a path, or standard input.

        Args:
            path: Of the file.
            form: The option that names its format.

        Raises:
            Misuse: It is standard input, and the option is missing.
            ValueError: Its name ends in nothing that is known here.
            OSError: It cannot be read.
        """
        from sispy_pandas.formats.bounds import InFile

        found = named_format(path, form)
        return cls(InFile.of(sys.stdin.buffer if str(path) == STANDARD else path), found)

    def frame(self, schema: Schema, options: ReadOptions, known: Known | None = None) -> pd.DataFrame:
        """Return the rows as a frame of a schema; see `read_frame`."""
        from sispy_pandas.formats.reader import read_frame

        return read_frame(self.file, self.form, schema, self.heeding(options), known)

    def rows(self, options: ReadOptions) -> Untyped:
        """Return the rows as they stand there, without a schema; see `read_rows`."""
        from sispy_pandas.formats.untyped import read_rows

        return read_rows(self.file, self.form, self.heeding(options))

    def texts(self, schema: Schema | None, options: ReadOptions, known: Known | None = None) -> Texts:
        """Return the cells as texts; see `read_texts`."""
        from sispy_pandas.formats.reader import read_texts

        return read_texts(self.file, self.form, schema, self.heeding(options), known)

    def heeding(self, options: ReadOptions) -> ReadOptions:
        """Return the options, all of which mean something in the file's format.

        Raises:
            Misuse: One does not.
        """
        for name in self.form.unheeded(options):
            option = f"--{name.replace('_', '-')}"
            raise Misuse(f"{option}: {self.file} is a file of format {self.form.name}, which has none.")
        return options


def named_format(path: Path | str, form: str | None) -> Format:
    """Return the format of a file, by option or name.

    Raises:
        Misuse: It is a standard stream, and the option is missing.
        ValueError: Its name ends in nothing that is known here.
    """
    if form is not None:
        return by_suffix(f".{form}")
    if str(path) == STANDARD:
        raise Misuse("- has no name that tells what it is: give --format.")
    return format_of(str(path))
