"""How a file is to be understood, and how one is to be written: what the cells alone do not tell."""

from __future__ import annotations

import datetime
import inspect
import os
import re
import zoneinfo
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Literal, TypedDict, TypeVar

from sispy.remedies import no_list

from ..values.source import Source
from ..values.types.base import Style

_FACTOR = re.compile(r"\d+(?:\.\d+)?")
Copies = Literal["refuse", "new"]
Reads = TypeVar("Reads", bound=Callable[..., Any])


class ReadKeywords(TypedDict, total=False):
    """What the functions that read a file take: the fields of `ReadOptions`, or a mapping with them."""

    tz: str | datetime.tzinfo | None
    dayfirst: bool | None
    decimal: Literal[".", ","] | None
    thousands: str | None
    na: Sequence[str]
    true: Sequence[str]
    false: Sequence[str]
    unit: Sequence[str]
    text: Sequence[str]
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    header_row: int | None
    footer_rows: int | None
    at: str | None
    rename: Mapping[str, str]
    constants: Mapping[str, str]
    ignore_case: bool
    refs: Literal["id", "label"]
    copies: Copies
    accept_program_changes: bool
    save_mapping: str | os.PathLike[str] | None
    mapping: str | os.PathLike[str] | None


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is to be understood; see `read_csv` and `read_excel` for each of them."""

    tz: str | datetime.tzinfo | None = None
    dayfirst: bool | None = None
    decimal: Literal[".", ","] | None = None
    thousands: str | None = None
    na: Sequence[str] = ()
    true: Sequence[str] = ()
    false: Sequence[str] = ()
    unit: Sequence[str] = ()
    text: Sequence[str] = ()
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    footer_rows: int | None = None
    at: str | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    ignore_case: bool = False
    refs: Literal["id", "label"] = "id"
    copies: Copies = "refuse"
    accept_program_changes: bool = False
    save_mapping: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        for name in ("rename", "constants"):
            object.__setattr__(self, name, dict(getattr(self, name) or {}))
        for name in ("na", "true", "false", "unit", "text"):
            if isinstance(getattr(self, name), str):
                raise no_list(name, getattr(self, name))
        for one in self.unit:
            text, is_times, factor = one.partition("=")
            if not text.strip() or (is_times and not _FACTOR.fullmatch(factor)):
                raise ValueError(f"unit={one!r}: it is a text, or one and a number, as TB=1024")
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"decimal={self.decimal!r}: '.' or ','")
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise ValueError(f"delimiter={self.delimiter!r}: it is one character")
        if self.thousands is not None and self.thousands == (self.decimal or "."):
            raise ValueError(f"decimal and thousands cannot both be {self.thousands!r}")

    @property
    def told(self) -> frozenset[str]:
        """The names of the options that were given."""
        return frozenset(one.name for one in fields(self) if is_told(one.name, getattr(self, one.name)))

    def without(self, names: Collection[str]) -> ReadOptions:
        """Return the options but for some of them, as if they had not been given."""
        none: dict[str, Any] = dict.fromkeys(names)
        return replace(self, **none)

    def style(self, note: Mapping[str, Any]) -> Style:
        """Return how the cells of a file with this note are to be read."""
        true, false = (frozenset(word.strip().lower() for word in words) for words in (self.true, self.false))
        unit = frozenset(map(str.strip, self.unit))
        zone = zone_of(self.tz or note.get("zone") or "UTC")
        marks = self.decimal or ".", self.thousands or ""
        told = self.decimal is not None
        return Style(
            zone, self.dayfirst, *marks, true, false, unit, is_exported=bool(note), has_told_decimal=told
        )

    def source(self, name: str) -> Source:
        """Return where a frame is read from, as far as it is known before the file is open."""
        labels: dict[str, dict[str, str]] | None = {} if self.refs == "label" else None
        return Source(name, accept_program_changes=self.accept_program_changes, labels=labels)


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a file is to be written; see `to_csv` and `to_excel` for each of them."""

    zone: datetime.tzinfo = datetime.UTC
    bom: bool = False
    delimiter: str | None = None
    meta: bool = False
    explode: Sequence[str] = ()


def is_told(name: str, value: Any) -> bool:
    """Return whether an option was given: no and none are said, too."""
    return value is not None if name in ("dayfirst", "header_row", "footer_rows") else bool(value)


def told_in_full(function: Reads) -> Reads:
    """Let a function that takes `ReadKeywords` name each of them in its signature."""
    signature = inspect.signature(function)
    own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    defaults = {one.name: {} if one.default is MISSING else one.default for one in fields(ReadOptions)}
    all_options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=annotation
        )
        for name, annotation in ReadKeywords.__annotations__.items()
    ]
    function.__signature__ = signature.replace(parameters=[*own, *all_options])  # type: ignore[attr-defined] # what inspect asks for
    return function


def zone_of(tz: str | datetime.tzinfo) -> datetime.tzinfo:
    """Return a time zone by its name.

    Raises:
        ValueError: No such zone.
    """
    if not isinstance(tz, str):
        return tz
    if tz.upper() == "UTC":
        return datetime.UTC
    try:
        return zoneinfo.ZoneInfo(tz)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{tz!r} is not a time zone; one is 'Europe/Berlin'") from None
