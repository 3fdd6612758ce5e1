"""NDJSON: one JSON record per line. LF alone ends a line, whatever else the texts of a record hold."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from .bounds import parse_lines
from .json import Json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .bounds import InFile


class Ndjson(Json):
    """One record per line."""

    name = "NDJSON"

    def records(self, file: InFile, encoding: str | None) -> Iterator[tuple[int, Any]]:
        return parse_lines(file.text(encoding), file)

    def put(self, opened: IO[str], texts: Iterable[str]) -> int:
        return sum(opened.write(f"{text}\n") > 0 for text in texts)
