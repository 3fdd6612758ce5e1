"""A table as a file has it: columns with their fields, and how what people wrote into it is understood."""

from __future__ import annotations

import datetime
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pandas as pd

from ..values.schema import META, RECEIPT, Schema
from ..values.source import Source
from ..values.types.base import Field, Style
from ..values.types.object_id import ID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..values.row_set import RowSet
    from .assemble import Copies

Columns: TypeAlias = "list[tuple[Field, pd.Series[Any]]]"
"""The columns of a table in their order, each with its field."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is to be understood; see `read_csv` and `read_excel` for each of them."""

    tz: str | datetime.tzinfo | None = None
    dayfirst: bool | None = None
    decimal: Literal[".", ","] = "."
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    rename: Mapping[str, str] | None = None
    refs: Literal["id", "label"] = "id"
    copies: Copies = "refuse"
    accept_program_changes: bool = False

    def style(self, note: Mapping[str, Any]) -> Style:
        """Return how the cells of a file with this note are to be read."""
        return Style(zone_of(self.tz or note.get("zone") or "UTC"), self.dayfirst, self.decimal)

    def source(self, path: Path) -> Source:
        """Return where a frame is read from, as far as it is known before the file is open."""
        labels: dict[str, dict[str, str]] | None = {} if self.refs == "label" else None
        return Source(str(path), accept_program_changes=self.accept_program_changes, labels=labels)


def as_table(source: RowSet | pd.DataFrame, *, schema: Schema | None = None, meta: bool = False) -> Columns:
    """Return the columns of a snapshot or frame in a file's order, each with its field."""
    if isinstance(source, pd.DataFrame):
        frame = source
    else:
        frame, schema = source.frame(meta=meta), source.schema
    known = {f.path: f for f in (*schema.fields, *META, RECEIPT)} if schema else {RECEIPT.path: RECEIPT}
    table = [(known.get(str(label)) or field_of(str(label), frame[label]), frame[label]) for label in frame]
    if frame.index.name == "_id":
        table.insert(0, (ID, frame.index.to_series()))
    return table


def field_of(path: str, cells: pd.Series[Any]) -> Field:
    """Return a field made of a column's dtype, for a frame whose schema is not known."""
    if path == "_id":
        return ID
    kind = cells.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return Field(path, "String")
    if kind.kind in "biufM":
        return Field(path, "Boolean" if kind.kind == "b" else "Date" if kind.kind == "M" else "Number")
    if not pd.api.types.is_object_dtype(kind):
        return Field(path, "String")
    kinds = {type(cell) for cell in cells.tolist() if cell is not None and cell is not pd.NA}
    if kinds and kinds <= {tuple, list}:
        return Field(path, "Array", item=Field("", "Mixed"))
    return Field(path, "String" if kinds <= {str, float} else "Mixed")


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
        raise ValueError(f"{tz!r} is no time zone; one is 'Europe/Berlin'") from None
