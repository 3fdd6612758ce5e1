"""The rows of a table as they were exported, in a hidden sheet: a stale workbook merges exactly by them.

The first row holds the note of the table, each other row `[_id, receipt in ms, [values...]]` as JSON, in as
many cells as it takes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..values.records import frame_of
from ..values.schema import META, RECEIPT
from ..values.types.convert import json_values
from .excel_cells import LONGEST_TEXT, unescaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from ..values.schema import Schema
    from ..values.types.base import Field
    from .note import Note

PREFIX = "_base"


def base_rows(note: Note, table: Sequence[tuple[Field, pd.Series[Any]]]) -> Iterable[list[str]]:
    """Yield the cells of the hidden sheet."""
    if not table:
        yield pieces(note)
        return
    columns = {field.path: json_values(field, cells) for field, cells in table if field.path != "_id"}
    receipts = columns.pop(RECEIPT.path, [])
    paths = list(columns)
    yield pieces(note | {"columns": paths})
    ids = table[0][1].tolist()
    for id_, receipt, *values in zip(ids, receipts, *columns.values(), strict=True):
        yield pieces([id_, receipt, values])


def pieces(value: Any) -> list[str]:
    """Return a JSON value as the texts of as many cells as it takes."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return [text[start : start + LONGEST_TEXT] for start in range(0, len(text), LONGEST_TEXT)]


def read_note(cells: Iterable[Any]) -> Note:
    """Return the note in the first row of a hidden sheet; empty if there is no note."""
    try:
        found = json.loads(_joined(cells))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Base:
    """The rows of a hidden sheet, decoded when they are asked for."""

    def __init__(self, note: Note, rows: Iterable[Sequence[Any]]) -> None:
        self._paths: list[str] = note.get("columns", [])
        self._texts = [_joined(cells) for cells in rows]
        self._rows: dict[str, tuple[str | None, list[Any]]] | None = None

    @property
    def rows(self) -> dict[str, tuple[str | None, list[Any]]]:
        """`_id` -> (receipt, values)."""
        if self._rows is None:
            try:
                self._rows = {
                    id_: (receipt, values)
                    for id_, receipt, values in map(json.loads, filter(None, self._texts))
                }
            except (ValueError, TypeError, RecursionError) as error:
                raise ValueError(f"the workbook's hidden rows, as exported, were damaged: {error}") from None
        return self._rows

    def put(self, id_: str, path: str, value: Any) -> None:
        """Take another value for what was exported: the one that the user was shown since."""
        if path in self._paths and id_ in self.rows:
            self.rows[id_][1][self._paths.index(path)] = value

    def values(self, path: str | None) -> dict[str, Any]:
        """Return the exported values of a column by `_id`; empty if it was not exported."""
        if path not in self._paths:
            return {}
        at = self._paths.index(path)
        return {id_: values[at] for id_, (_, values) in self.rows.items()}

    def frame(self, schema: Schema) -> pd.DataFrame:
        """Return the exported rows as a frame of the schema as it is now."""
        known = {f.path for f in (*schema.fields, *META)}
        rows = self.rows
        columns = {path: list(self.values(path).values()) for path in self._paths if path in known}
        return frame_of(schema, columns, list(rows), [receipt for receipt, _ in rows.values()])


def _joined(cells: Iterable[Any]) -> str:
    return "".join(unescaped(cell) for cell in cells if isinstance(cell, str))
