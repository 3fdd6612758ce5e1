"""Rows of any table as nested JSON objects: of a frame, whose dotted columns are nested, or of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from .types.cells import plain, set_path


def rows_of(data: pd.DataFrame | Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows; columns that begin with `_` are left out.

    Raises:
        TypeError: The data are no rows.
        ValueError: A column or a value that no object can hold.
    """
    if isinstance(data, pd.DataFrame):
        return _nested_rows(data)
    rows = list(data)
    if not all(isinstance(row, Mapping) for row in rows):
        raise TypeError("data are a frame or records, such as [{'name': 'web1'}, {'name': 'web2'}]")
    return [{k: _plain(k, v) for k, v in row.items() if not k.startswith("_")} for row in rows]


def _nested_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    labels = [str(label) for label in frame.columns]
    records: list[dict[str, Any]] = [{} for _ in range(len(frame))]
    for position, label in enumerate(labels):
        if label.startswith("_"):
            continue
        if labels.count(label) > 1:
            raise ValueError(f"the frame has more than one column {label!r}")
        if "" in label.split("."):
            raise ValueError(f"the server takes no field of the name {label!r}: rename it")
        inner = next((other for other in labels if other.startswith(f"{label}.")), None)
        if inner is not None:
            raise ValueError(f"columns {label!r} and {inner!r} cannot both be: rename one")
        for record, cell in zip(records, frame.iloc[:, position].tolist(), strict=True):
            set_path(record, label, _plain(label, cell))
    return records


def _plain(column: str, cell: Any) -> Any:
    try:
        return plain(cell)
    except ValueError as error:
        raise ValueError(f"column {column!r}: {error}") from None
