"""All formats of files, by the suffix of a file's name; a format is imported when it is asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sispy.text import printable

from .atomic import PACKED

if TYPE_CHECKING:
    from collections.abc import Callable

    from .base import Format

FORMATS = {
    ".csv": "csv.Csv",
    ".tsv": "csv.Tabs",
    ".txt": "csv.Tabs",
    ".xlsx": "excel.Excel",
    ".parquet": "parquet.Parquet",
    ".ndjson": "ndjson.Ndjson",
    ".jsonl": "ndjson.Ndjson",
    ".json": "json.Json",
}
"""Suffix -> the file beside this one and its subclass of `Format`."""
FIRST = tuple({home.partition(".")[0]: suffix for suffix, home in reversed(FORMATS.items())}.values())[::-1]
"""The first suffix of each file."""
_ELSEWHERE = {
    ".ods": "save it as .xlsx or .csv",
    ".numbers": "export it as .xlsx or .csv",
    ".feather": "save it as .parquet",
    ".arrow": "save it as .parquet",
    ".xls": "save it as .xlsx",
    ".xlsm": "save it as .xlsx",
    ".xlsb": "save it as .xlsx",
    ".zip": "unpack it first",
}
"""What people have that is none of these, and what to do with it."""


@cache
def by_suffix(suffix: str) -> Format:
    """Return the format of one of the suffixes in `FORMATS`."""
    module, _, name = FORMATS[suffix].partition(".")
    found: Format = getattr(import_module(f".{module}", __package__), name)()
    return found


def suffixes(which: Callable[[Format], bool]) -> tuple[str, ...]:
    """Return the suffixes of some formats, one for each file beside this one."""
    return tuple(suffix for suffix in FIRST if which(by_suffix(suffix)))


def find_format(name: str) -> Format | None:
    """Return the format that the name of a file tells; None if it tells none."""
    bare = name.lower().removesuffix(PACKED)
    suffix = Path(bare).suffix
    found = by_suffix(suffix) if suffix in FORMATS else None
    packed = len(bare) < len(name)
    return None if packed and found is not None and not found.is_text else found


def format_of(name: str) -> Format:
    """Return the format that the name of a file tells.

    Raises:
        ValueError: It tells none.
    """
    found = find_format(name)
    if found is None:
        hint = _ELSEWHERE.get(Path(name.lower()).suffix)
        known = f"the name must end in one of {', '.join(FIRST)}"
        raise ValueError(f"{printable(name)}: {hint or known}")
    return found
