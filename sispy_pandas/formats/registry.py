"""All formats of files, by what a file's name ends in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sispy.text import printable

from . import endings
from .atomic import PACKED
from .csv import Csv
from .excel import Excel
from .json import Json
from .ndjson import Ndjson
from .parquet import Parquet

if TYPE_CHECKING:
    from collections.abc import Callable

    from .base import Format

FORMATS: dict[str, Format] = {
    **dict.fromkeys(endings.CSV, Csv()),
    **dict.fromkeys(endings.TABS, Csv("\t")),
    **dict.fromkeys(endings.EXCEL, Excel()),
    **dict.fromkeys(endings.PARQUET, Parquet()),
    **dict.fromkeys(endings.NDJSON, Ndjson()),
    **dict.fromkeys(endings.JSON, Json()),
}
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


def suffixes(which: Callable[[Format], bool] = lambda _: True) -> tuple[str, ...]:
    """Return what the names of files of some formats end in, each format once."""
    return tuple(suffix for suffix in endings.FIRST if which(FORMATS[suffix]))


def find_format(name: str) -> Format | None:
    """Return the format that the name of a file tells; None if it tells none."""
    bare = name.lower().removesuffix(PACKED)
    found = FORMATS.get(Path(bare).suffix)
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
        known = f"the name must end in one of {', '.join(suffixes())}"
        raise ValueError(f"{printable(name)}: {hint or known}")
    return found
