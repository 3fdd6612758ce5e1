"""Rows and columns of a sheet that nobody sees: hidden, folded away or filtered. They are read, and named."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sispy.text import shorten

from ..values.blocks import count
from .headings import by_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .table import Table

_HIDDEN = re.compile(rb"""\bhidden=["'](?:1|true)["']""")
_TAG = re.compile(rb"<(?:\w+:)?(row|col)\s")
_NUMBER = re.compile(rb"""\s(r|min|max)=["']([0-9]{1,7})["']""")
_SHOWN = 5


@dataclass(slots=True)
class Hidden:
    """Which rows and columns of a sheet are hidden, as the bytes of its part tell."""

    rows: set[int] = field(default_factory=set)
    columns: set[range] = field(default_factory=set)

    def add(self, piece: bytes | bytearray) -> None:
        """Take what a piece tells, in which tags are whole."""
        for found in _HIDDEN.finditer(piece):
            begin, end = piece.rfind(b"<", 0, found.start()), piece.find(b">", found.end())
            kind = _TAG.match(piece, begin) if begin >= 0 else None
            numbers = {name: int(number) for name, number in _NUMBER.findall(piece, begin, end)}
            if kind and b"r" in numbers:
                self.rows.add(numbers[b"r"])
            elif kind and {b"min", b"max"} <= numbers.keys():
                self.columns.add(range(numbers[b"min"], numbers[b"max"] + 1))

    def notes(self, table: Table) -> Iterator[str]:
        """Yield in words what of a table is hidden; rows and columns that an export hides are not named."""
        rows = [number for number in table.rows if number in self.rows]
        columns = [
            name or by_place(place)
            for name, place in zip(table.header, table.places, strict=True)
            if not name.startswith("_") and any(place in some for some in self.columns)
        ]
        for noun, found in (("row", rows), ("column", columns)):
            if found:
                shown = ", ".join(map(shorten, found[:_SHOWN]))
                more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
                verb = "is" if len(found) == 1 else "are"
                yield f"{count(len(found), f'hidden {noun}')} {verb} read, too: {shown}{more}"
