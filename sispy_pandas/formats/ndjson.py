"""NDJSON: one JSON record per line. LF alone ends a line, whatever else the texts of a record hold."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from .bounds import parse_lines
from .json import Json, rows_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .bounds import InFile
    from .options import ReadOptions


class Ndjson(Json):
    """One record per line."""

    name = "NDJSON"

    def records(self, file: InFile, options: ReadOptions) -> Iterator[tuple[int, Any]]:
        lines = parse_lines(file.text(options.encoding), file)
        if options.at is None:
            return lines
        path = options.at
        return enumerate((row for _, value in lines for row in rows_at(value, path, file)), start=1)

    def put(self, opened: IO[str], texts: Iterable[str]) -> int:
        return sum(opened.write(f"{text}\n") > 0 for text in texts)
