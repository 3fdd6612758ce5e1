"""Files of rows that a command is given: JSON as records, CSV and spreadsheets by their own readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy_pandas.formats.bounds import parse_json, parse_lines, read_text
from sispy_pandas.workflow.from_files import read_csv, read_excel

from ..values.types.cells import get_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sispy_pandas.values.schema import Schema


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read a JSON array of objects, or one object per line (`.ndjson`, `.jsonl`).

    Raises:
        ValueError: The file holds something else; the message names the place.
    """
    text = read_text(path)
    found = list(parse_lines(text, path)) if path.suffix in (".ndjson", ".jsonl") else parse_json(text, path)
    if not isinstance(found, list):
        raise ValueError(f"{path} holds {_KINDS.get(type(found), 'no value')}: an array of objects is needed")
    for number, record in enumerate(found, start=1):
        if not isinstance(record, dict):
            kind = _KINDS.get(type(record), "no value")
            raise ValueError(f"{path}: item {number} is {kind}: an array of objects is needed")
    return found


def read_rows(
    path: Path,
    schema: Schema,
    *,
    rename: Mapping[str, str] | None = None,
    sheet: str | None = None,
    **cells: Any,
) -> pd.DataFrame:
    """Read a file of rows of a schema: CSV, spreadsheet, JSON or NDJSON.

    Args:
        path: Of the file; its suffix tells the kind.
        schema: What the rows are.
        rename: Name in the file -> field.
        sheet: Of a workbook.
        cells: Further arguments of `read_csv` and `read_excel`; JSON needs none.

    Raises:
        ValueError: The file is of another kind, or damaged.
    """
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv", ".txt"):
        return read_csv(path, schema, rename=rename, **cells)
    if suffix == ".xlsx":
        return read_excel(path, schema, rename=rename, sheet=sheet, **cells)
    if suffix in (".json", ".ndjson", ".jsonl"):
        return frame_of_records(read_records(path), schema).rename(columns=dict(rename or {}))
    raise ValueError(f"{path}: the name must end in one of .csv, .xlsx, .json, .ndjson")


def frame_of_records(records: list[dict[str, Any]], schema: Schema) -> pd.DataFrame:
    """Return JSON records as a frame without ids; keys that the schema lacks become columns of their own."""
    paths = dict.fromkeys(schema.columns)
    for record in records:
        paths.update(dict.fromkeys(_paths(record, schema)))
    present = [path for path in paths if any(get_path(record, path) is not None for record in records)]
    numbers = pd.RangeIndex(1, len(records) + 1)
    cells = {
        path: pd.Series([get_path(record, path) for record in records], index=numbers, dtype=object)
        for path in present
    }
    return pd.DataFrame(cells, index=numbers)


_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a boolean",
}


def _paths(record: Mapping[str, Any], schema: Schema, prefix: str = "") -> Iterator[str]:
    for name, value in record.items():
        path = prefix + name
        inside = isinstance(value, dict) and any(column.startswith(f"{path}.") for column in schema.columns)
        if inside:
            yield from _paths(value, schema, f"{path}.")
        else:
            yield path
