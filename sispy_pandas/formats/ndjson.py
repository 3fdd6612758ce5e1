"""NDJSON: one JSON record per line. LF alone ends a line, whatever else the texts of a record hold."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from sispy.text import printable

from .bounds import parse_lines
from .json import Json, rows_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .bounds import InFile
    from .options import ReadOptions


def _told(lines: Iterable[tuple[int, Any]], file: InFile) -> Iterator[tuple[int, Any]]:
    for number, value in lines:
        if number == 1 and isinstance(value, list):
            said = "an array, not an object per line: call it .json, or give --format json"
            raise ValueError(f"{printable(file)} holds {said}")
        yield number, value


class Ndjson(Json):
    """One record per line."""

    name = "NDJSON"

    def records(self, file: InFile, options: ReadOptions) -> Iterator[tuple[int, Any]]:
        lines = parse_lines(file.text(options.encoding), file)
        if options.at is None:
            return _told(lines, file)
        path = options.at
        return enumerate((row for _, value in lines for row in rows_at(value, path, file)), start=1)

    def put(self, opened: IO[str], texts: Iterable[str]) -> int:
        return sum(opened.write(f"{text}\n") > 0 for text in texts)
