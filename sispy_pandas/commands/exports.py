"""Two exports side by side: which rows were added or removed, which cells changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.text import printable
from sispy_pandas.commands.inputs import read_records
from sispy_pandas.formats.bounds import LARGEST, MOST_CELLS, damaged, is_pipe, read_bytes, refuse_endless
from sispy_pandas.formats.csv import decode, parse
from sispy_pandas.formats.excel_file import book_file
from sispy_pandas.formats.excel_formulas import ERRORS
from sispy_pandas.formats.excel_read import sheet_table
from sispy_pandas.formats.table import as_table
from sispy_pandas.values.extras import optional
from sispy_pandas.values.schema import RECEIPT

from ..values.types.cell_text import escape, read_heading, write_column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sispy_pandas.values.schema import Schema

_BATCH = 10_000
"""Rows of a Parquet file that are decoded at a time."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A table as the texts of its cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def by(self, key: str) -> dict[str, dict[str, str]]:
        """Return the rows by their text in column `key`.

        Raises:
            ValueError: There is no such column, or a key is there twice.
        """
        if key not in self.columns:
            raise ValueError(f"no column {key!r} to recognise rows by; there are {', '.join(self.columns)}")
        at = self.columns.index(key)
        found = {row[at]: dict(zip(self.columns, row, strict=True)) for row in self.rows}
        if len(found) != len(self.rows):
            seen: set[str] = set()
            twice = next(row[at] for row in self.rows if row[at] in seen or seen.add(row[at]))  # type: ignore[func-returns-value] # add is called for its effect
            raise ValueError(f"{key} {twice!r} is there more than once: name a unique column with --key")
        return found


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell that differs; a row that is on one side alone is one per cell that it has."""

    action: str
    """`+` added, `-` removed, `~` changed."""
    key: str
    field: str
    before: str
    after: str


def compare(old: Cells, new: Cells, *, key: str) -> list[Difference]:
    """Return the differing cells of the columns that both sides have; receipts are no difference."""
    before, after = old.by(key), new.by(key)
    shared = [c for c in old.columns if c in new.columns and c != key and c != RECEIPT.path]
    title = _title(old, new, key)

    def name(row: dict[str, str]) -> str:
        return row[title] or row[key]

    found = []
    for identity, row in before.items():
        if identity in after:
            other = after[identity]
            changed = [c for c in shared if row[c] != other[c]]
            found += [Difference("~", name(row), c, row[c], other[c]) for c in changed]
        else:
            found += [Difference("-", name(row), c, row[c], "") for c in shared if row[c]]
    for identity, row in after.items():
        if identity not in before:
            found += [Difference("+", name(row), c, "", row[c]) for c in shared if row[c]]
    return found


def _title(old: Cells, new: Cells, key: str) -> str:
    """Return the column by which people recognise a row: the first one whose texts all differ."""
    if key != "_id":
        return key
    for at, column in enumerate(old.columns):
        texts = [row[at] for row in old.rows]
        if (
            column not in (key, RECEIPT.path)
            and column in new.columns
            and len({*texts, ""}) == len(texts) + 1
        ):
            return column
    return key


def read_cells(path: Path) -> Cells:
    """Read an exported CSV, spreadsheet, Parquet or NDJSON file as texts.

    Raises:
        ValueError: The file is empty or of another kind.
    """
    match path.suffix.lower():
        case ".csv" | ".tsv" | ".txt":
            return _padded(*parse(decode(path, None)[0], path, {"_id", RECEIPT.path}), path)
        case ".xlsx":
            frame = read_workbook(path)
        case ".parquet":
            return _of_objects(_records(read_parquet(path).reset_index()), escape)
        case ".ndjson" | ".jsonl":
            return _of_objects(read_records(path), escape)
        case _:
            raise ValueError(f"{path}: the name must end in one of .csv, .xlsx, .parquet, .ndjson")
    return _of_objects(_records(frame), str)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def read_workbook(path: Path) -> pd.DataFrame:
    """Read the first sheet of a workbook as it is, blank cells as None.

    Raises:
        ValueError: The file is none, or two columns have one name.
    """
    book = book_file(path).load(read_only=True, data_only=True)
    try:
        table = sheet_table(book.worksheets[0], path)
    finally:
        book.close()
    names = list(map(read_heading, table.header))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{printable(path)} has more than one column {twice!r}")
    cells = zip(names, table.columns, strict=True)
    return pd.DataFrame({name: pd.Series(map(_plain, column), dtype=object) for name, column in cells})


def _plain(cell: Any) -> Any:
    """Return a cell as people see it: 8 for 8.0, nothing for an error of the program."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return None if cell == "" or (isinstance(cell, str) and cell in ERRORS) else cell


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file.

    Raises:
        ValueError: The file is none, or its cells would take more than can be a table's.
        ImportError: pyarrow is missing.
    """
    parquet = optional("pyarrow.parquet", "fast")
    refuse_endless(path)
    try:
        with parquet.ParquetFile(BytesIO(read_bytes(path, binary=True)) if is_pipe(path) else path) as file:
            facts = file.metadata
            large = facts.num_rows * facts.num_columns > MOST_CELLS
            batches, size = [], 0
            for batch in () if large else file.iter_batches(_BATCH):
                batches.append(batch)
                size += batch.nbytes
                large = size > 2 * LARGEST
                if large:
                    break
            if not large:
                frame: pd.DataFrame = (
                    optional("pyarrow", "fast").Table.from_batches(batches, file.schema_arrow).to_pandas()
                )
                return frame
    except Exception as error:
        raise damaged(path, "Parquet file", error) from error
    raise ValueError(f"{printable(path)} is too large: {MOST_CELLS:,} cells are read at most")


def cells_of(source: Any, schema: Schema) -> Cells:
    """Return a snapshot or a frame as the texts that an export of it would hold."""
    table = as_table(source, schema=schema)
    columns = [write_column(field, cells) for field, cells in table]
    return Cells(tuple(field.path for field, _ in table), tuple(zip(*columns, strict=True)))


def _padded(head: list[str], lines: list[tuple[int, list[str]]], path: Path) -> Cells:
    if not head:
        raise ValueError(f"{path} is empty: an export has a header at least")
    width = len(head)
    rows = (tuple((row + [""] * width)[:width]) for _, row in lines)
    return Cells(tuple(map(read_heading, head)), tuple(rows))


def _of_objects(records: Sequence[dict[str, Any]], of_text: Callable[[str], str]) -> Cells:
    """Return records as cells; `of_text` makes a cell's text of a text: a workbook has the former already."""
    columns = tuple(dict.fromkeys(str(name) for record in records for name in record))
    rows = (tuple(_text(record.get(name), of_text) for name in columns) for record in records)
    return Cells(columns, tuple(rows))


def _text(value: Any, of_text: Callable[[str], str]) -> str:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if isinstance(value, str):
        return of_text(value)
    return json.dumps(value, default=str, sort_keys=True, ensure_ascii=False)
