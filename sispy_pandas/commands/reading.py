"""Options that say how the rows and columns of an edited file are to be understood."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from sispy.cli.completion import fields as field_names
from sispy.cli.exits import Misuse, misuse
from sispy.text import shorten
from sispy_pandas.commands.inputs import encoding, sheets, zone, zones
from sispy_pandas.commands.targets import refuse_target

if TYPE_CHECKING:
    from sispy_pandas.formats.options import Copies, ReadOptions

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PATH = click.Path(dir_okay=False, path_type=Path)
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read, and which of its rows are which."""

    key: str | None
    create_missing: bool
    blank: Literal["keep", "clear"] | None
    base: Literal["receipt", "now"]
    owner: tuple[str, ...] | None
    options: ReadOptions


def understood(command: Command) -> Command:
    """Give a command the options that say how a file is to be read; it receives them as `options`."""

    @click.option(
        "--rename", multiple=True, metavar='"TITLE=FIELD"', callback=_pairs, help="Column TITLE holds FIELD."
    )
    @click.option("--ignore-case", is_flag=True, help="Accept titles and enum values in another case.")
    @click.option(
        "--header-row",
        type=click.IntRange(min=0),
        metavar="N",
        help="Row N holds the titles; 0: there are none, columns are called `column 1` and so on.",
    )
    @click.option(
        "--footer-rows",
        type=click.IntRange(min=0),
        metavar="N",
        help="The last N rows are totals or remarks, not data.",
    )
    @click.option("--sheet", metavar="NAME", shell_complete=sheets, help="Sheet of a workbook.")
    @click.option(
        "--at",
        metavar="PATH",
        help="Where in JSON the rows are, e.g. items; . is the whole of it, * each member of an object.",
    )
    @click.option("--encoding", type=encoding, metavar="NAME", help="Encoding of a text file, e.g. cp1250.")
    @click.option("--delimiter", metavar="SIGN", help="What separates the cells of a text file.")
    @click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark; default: a point.")
    @click.option("--thousands", metavar="SIGN", help="What separates groups of three digits.")
    @click.option(
        "--tz",
        type=zone,
        shell_complete=zones,
        metavar="ZONE",
        help="Zone of times without one, e.g. Europe/Berlin.",
    )
    @click.option(
        "--dayfirst/--monthfirst",
        default=None,
        help="Take 3/4/2026 for April 3, or for March 4; else it is refused.",
    )
    @click.option(
        "--na", multiple=True, metavar="TEXT", help="TEXT means that there is no value; may be repeated."
    )
    @click.option("--true", multiple=True, metavar="TEXT", help="TEXT means true; may be repeated.")
    @click.option("--false", multiple=True, metavar="TEXT", help="TEXT means false; may be repeated.")
    @click.option(
        "--unit",
        multiple=True,
        metavar="TEXT[=N]",
        help="Leave out TEXT beside a number: €, GB; TB=1024 multiplies by that, and so does %=0.01.",
    )
    @click.option(
        "--text",
        multiple=True,
        metavar="COLUMN",
        help="The cells of COLUMN are texts, as they are shown: no JSON, numbers or times.",
    )
    @click.option(
        "--mapping", type=_FILE, metavar="FILE", help="Read as FILE says, unless told otherwise here."
    )
    @click.option(
        "--save-mapping", type=_PATH, metavar="FILE", help="Write what was used as FILE.toml, a new file."
    )
    @functools.wraps(command)
    def with_options(*args: Any, **kwargs: Any) -> Any:
        from sispy_pandas.formats.mapping import read_options

        given = {name: kwargs.pop(name) for name in _UNDERSTOOD}
        refuse_target("--save-mapping", given["save_mapping"], (".toml",), others=(given["mapping"],))
        if given["save_mapping"] is not None and given["save_mapping"].exists():
            raise Misuse(f"--save-mapping {given['save_mapping']}: it is there already: name another one.")
        try:
            options = read_options(given)
        except ValueError as error:
            raise misuse(error) from error
        return command(*args, options=options, **kwargs)

    return with_options  # type: ignore[return-value] # click reads the options that hang on the wrapper


_UNDERSTOOD = (
    *("rename", "ignore_case", "header_row", "footer_rows", "sheet", "at", "encoding", "delimiter"),
    *("decimal", "thousands", "tz", "dayfirst", "na", "true", "false", "unit", "text", "mapping"),
    "save_mapping",
)


def reading(command: Command) -> Command:
    """Give a command the options of an edited file; it receives them as one keyword argument `reading`."""

    @click.option(
        "--key",
        metavar="FIELD",
        shell_complete=field_names,
        help="Match rows by this unique field: a file from elsewhere.",
    )
    @click.option("--create-missing", is_flag=True, help="With --key: rows that match nothing are new ones.")
    @click.option(
        "--blank",
        type=click.Choice(["keep", "clear"]),
        help="Blank cells keep what is stored, as with --key, or clear it, as without.",
    )
    @click.option(
        "--refs", type=click.Choice(["id", "label"]), help="How references are written; default: as ids."
    )
    @understood
    @click.option(
        "--copies",
        type=click.Choice(["refuse", "new"]),
        default="refuse",
        help="Rows copied together with their _id: refuse them, or take them for new rows.",
    )
    @click.option(
        "--accept-program-changes",
        is_flag=True,
        help="Accept edits that look like a program's work, such as 00123 -> 123.",
    )
    @click.option("--base-now", is_flag=True, help="Compare a file without receipts with today's values.")
    @click.option("--owner", multiple=True, metavar="GROUP", help="Owner of new rows; may be repeated.")
    @functools.wraps(command)
    def with_reading(
        *args: Any,
        key: str | None,
        create_missing: bool,
        blank: Literal["keep", "clear"] | None,
        base_now: bool,
        owner: tuple[str, ...],
        refs: Literal["id", "label"] | None,
        copies: Copies,
        accept_program_changes: bool,
        options: ReadOptions,
        **kwargs: Any,
    ) -> Any:
        if create_missing and key is None:
            raise Misuse("--create-missing says what to do with unmatched keys: give --key FIELD.")
        options = replace(
            options,
            refs=refs or options.refs,
            copies=copies,
            accept_program_changes=accept_program_changes,
        )
        base: Literal["now", "receipt"] = "now" if base_now else "receipt"
        how = Reading(key, create_missing, blank, base, owner or None, options)
        return command(*args, reading=how, **kwargs)

    return with_reading  # type: ignore[return-value] # click reads the options that hang on the wrapper


def _pairs(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for value in values:
        title, _, name = value.rpartition("=")
        if not (title and name):
            raise click.BadParameter(f"{value!r} is not of the form TITLE=FIELD", ctx=ctx, param=option)
        if pairs.setdefault(title, name) != name:
            said = f"{shorten(title)} is {pairs[title]} and {name}: one column is one field"
            raise click.BadParameter(said, ctx=ctx, param=option)
    return pairs
