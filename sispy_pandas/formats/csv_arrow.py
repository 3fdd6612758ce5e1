"""A short cut for CSV files as they are exported, where pyarrow is there: no cell becomes a Python object.

It gives up, and the general way is taken, whenever anything is unusual: another number of cells in a row,
rows without `_id`, or in a column any cell that needs a closer look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..values.columns import Column
from ..values.types.cell_text import read_column
from ..values.types.cells import STRINGS

try:
    import pyarrow as pa
    from pyarrow import compute, csv
except ImportError:
    pa = None

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.types.base import Field, Style

_BLOCK = 1 << 22
"""Bytes that are read at once: few, so that the next ones find their memory warm."""
_MOST = 50_000_000
"""Cells, those of empty rows included: beyond, the general way leaves these out as it goes."""
_FEW = ("boolean", "choice")
"""Presentations of columns whose texts are few."""


def arrow_columns(text: str, header: Sequence[str], delimiter: str) -> list[Any] | None:
    """Return the columns of a CSV text as Arrow arrays of text; None if it is not a plain table with ids."""
    if pa is None or "_id" not in header or len(set(header)) < len(header):
        return None
    if text.count("\n") * len(header) > _MOST:
        return None
    try:
        table = csv.read_csv(
            pa.BufferReader(text.encode()),
            read_options=csv.ReadOptions(
                column_names=list(header),
                skip_rows_after_names=1,
                block_size=_BLOCK,
                use_threads=False,  # they cost more than they save
            ),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(header, pa.large_string())),
        )
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return None
    columns = {name: table.column(name) for name in header}
    return None if _any(compute.equal(columns["_id"], "")) else list(columns.values())


def arrow_series(field: Field, cells: Any, style: Style) -> pd.Series[Any] | list[Any]:
    """Return a column of texts as it stands in a frame, or else as a list of its texts."""
    kind = field.kind
    is_plain = kind.plain and (style.has_plain_numbers or kind.presentation != "number")
    if is_plain and _all(compute.match_substring_regex(cells, f"^({kind.plain})?$")):
        if kind.presentation != "number":
            return _strings(compute.ascii_ltrim(cells, "'"))
        numbers = compute.cast(_or_null(cells), pa.float64())
        return pd.Series(numbers.to_numpy(zero_copy_only=False) if len(numbers) else np.empty(0))
    is_text = kind.suspect and not field.enum
    if is_text and not _any(compute.match_substring_regex(cells, f"^({kind.suspect})")):
        return _strings(cells)
    if kind.presentation in _FEW and (found := _of_few(field, cells, style)) is not None:
        return found
    texts: list[Any] = cells.to_pylist()
    return texts


def _of_few(field: Field, cells: Any, style: Style) -> pd.Series[Any] | None:
    """Return a column of few distinct texts, each read once; None if one is no value of it."""
    coded, column = compute.dictionary_encode(cells.combine_chunks()), Column(field)
    column.add(read_column(field, coded.dictionary.to_pylist(), style))
    return None if column.odd else pd.Series(column.series().array.take(coded.indices.to_numpy()))


def is_arrow(cells: Any) -> bool:
    """Return whether a column is an Arrow array."""
    return pa is not None and isinstance(cells, pa.ChunkedArray)


def _or_null(cells: Any) -> Any:
    return compute.if_else(compute.equal(cells, ""), pa.scalar(None, pa.large_string()), cells)


def _strings(cells: Any) -> pd.Series[Any]:
    return pd.Series(STRINGS.__from_arrow__(_or_null(cells)))


def _any(mask: Any) -> bool:
    return bool(compute.any(mask, min_count=0).as_py())


def _all(mask: Any) -> bool:
    return bool(compute.all(mask, min_count=0).as_py())
