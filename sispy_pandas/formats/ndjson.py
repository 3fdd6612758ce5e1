"""NDJSON: one JSON record per line. LF alone ends a line, whatever else the texts of a record hold."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from sispy.text import printable

from .base import NotCut
from .bounds import parse_json, parse_lines
from .json import Json, add_keys, inner_paths, rows_at
from .pieces import has_more_lines, sure_encoding, text_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..values.schema import Schema
    from .bounds import InFile
    from .options import ReadOptions


def _refusing_arrays(lines: Iterable[tuple[int, Any]], file: InFile) -> Iterator[tuple[int, Any]]:
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
            return _refusing_arrays(lines, file)
        path = options.at
        return enumerate((row for _, value in lines for row in rows_at(value, path, file)), start=1)

    def exceeds(self, file: InFile, rows: int) -> bool:
        return has_more_lines(file, rows)

    def pieces(
        self, file: InFile, schema: Schema, options: ReadOptions, rows: int
    ) -> Iterator[tuple[InFile, ReadOptions]]:
        if options.at is not None:
            raise NotCut("rows at a path of each line are read together")
        encoding = sure_encoding(file, options)
        keys: dict[str, Any] = {}
        inner = {"_sis", *inner_paths(schema)}
        inner |= {
            name + path.removeprefix(told)
            for name, told in options.rename.items()
            for path in inner
            if path == told or path.startswith(f"{told}.")
        }
        with text_stream(file, encoding, newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    add_keys(keys, parse_json(line, file, number), inner)
        with text_stream(file, encoding, newline="\n") as lines:
            above = 0
            while part := list(islice(lines, rows)):
                content = "".join(part).encode(encoding)
                yield replace(file, content=content, rows_above=above, lines_above=above, keys=keys), options
                above += len(part)

    def put(self, opened: IO[str], texts: Iterable[str]) -> int:
        return sum(opened.write(f"{text}\n") > 0 for text in texts)
