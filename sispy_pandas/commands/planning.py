"""The plan that a table and an edited file make: what `sispy plan` shows and `sispy push` sends."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from sispy.exits import Misuse
from sispy_pandas.base import snapshot_of
from sispy_pandas.commands.inputs import read_rows
from sispy_pandas.commands.tables import table_of
from sispy_pandas.fetch import fetch

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy.options import Session
    from sispy_pandas.plan import Plan

Command = TypeVar("Command", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file's rows and columns are to be understood."""

    key: str | None = None
    rename: tuple[tuple[str, str], ...] = ()
    create_missing: bool = False
    base_now: bool = False
    owner: tuple[str, ...] = ()


def reading(command: Command) -> Command:
    """Give a command the options of an edited file; it receives them as one keyword argument `reading`."""

    @click.option("--key", metavar="FIELD", help="Match rows by this unique field: a file from elsewhere.")
    @click.option(
        "--rename",
        multiple=True,
        metavar='"TITLE=FIELD"',
        callback=_pairs,
        help="The file's column TITLE is FIELD; may be repeated.",
    )
    @click.option("--create-missing", is_flag=True, help="With --key: rows that match nothing are new ones.")
    @click.option(
        "--base-now",
        is_flag=True,
        help="Compare a file without receipts with today's values, whoever wrote them.",
    )
    @click.option("--owner", multiple=True, metavar="GROUP", help="Whose new rows are; may be repeated.")
    @functools.wraps(command)
    def with_reading(
        *args: Any,
        key: str | None,
        rename: tuple[tuple[str, str], ...],
        create_missing: bool,
        base_now: bool,
        owner: tuple[str, ...],
        **kwargs: Any,
    ) -> Any:
        if create_missing and key is None:
            raise Misuse("--create-missing says what to do with unmatched keys: give --key FIELD.")
        how = Reading(key, rename, create_missing, base_now, owner)
        return command(*args, reading=how, **kwargs)

    return with_reading  # type: ignore[return-value] # click reads the options that hang on the wrapper


def plan_of_file(session: Session, name: str, file: Path, how: Reading) -> Plan:
    """Return the plan of pushing a file to a table. Nothing is written."""
    endpoint, schema = table_of(session.client(), name)
    frame = read_rows(file, schema, rename=dict(how.rename))
    owner = how.owner or None
    if how.key is not None:
        snapshot = fetch(endpoint, progress=session.progress)
        return snapshot.diff(frame, key=how.key, create_missing=how.create_missing, owner=owner)
    if "_id" not in (frame.index.name, *frame.columns):
        raise ValueError(
            f"{file} has no column _id, so its rows cannot be told: give --key FIELD to match them by a "
            f"unique field{f' such as {schema.key}' if schema.key else ''}"
        )
    base: Literal["now", "receipt"] = "now" if how.base_now else "receipt"
    return snapshot_of(endpoint, frame, base=base, progress=session.progress).diff(frame, owner=owner)


def _pairs(
    ctx: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    pairs = [value.rpartition("=") for value in values]
    wrong = next(
        (value for value, (title, _, field) in zip(values, pairs, strict=True) if not (title and field)), None
    )
    if wrong is not None:
        raise click.BadParameter(f"{wrong!r} is not of the form TITLE=FIELD", ctx=ctx, param=option)
    return tuple((title, field) for title, _, field in pairs)
