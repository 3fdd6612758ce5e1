"""Tables of other libraries as frames of pandas, by way of Arrow."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .extras import optional
from .types.cells import STRINGS


def as_frame(data: Any) -> pd.DataFrame:
    """Return a frame as it is, and any table that gives its columns as Arrow as a frame.

    These are, among others, frames of polars, relations of DuckDB, tables and readers of pyarrow. Whole
    numbers stay whole where a column has blanks.

    Raises:
        TypeError: It is neither.
        ImportError: pyarrow is missing.
    """
    if isinstance(data, pd.DataFrame):
        return data
    how = "its collect() makes one" if hasattr(data, "collect") else "pd.DataFrame(...) makes one of records"
    sentence = f"the edited rows are a DataFrame, got {type(data).__name__}: {how}"
    is_arrow = hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")
    if not is_arrow or isinstance(data, pd.Series):
        raise TypeError(sentence)
    pa = optional("pyarrow", "fast")
    try:
        table = pa.table(data)
    except (TypeError, ValueError) as error:  # a single column; Arrow's own errors are of these
        raise TypeError(f"{sentence} ({error})") from error
    views = [
        at for at, kind in enumerate(table.schema.types) if pa.types.is_nested(kind) and "view" in str(kind)
    ]
    rest = table.select([at for at in range(table.num_columns) if at not in views])
    frame: pd.DataFrame = rest.to_pandas(types_mapper=_dtype, maps_as_pydicts="strict")
    for at in views:  # polars' texts within lists and structs, which pyarrow cannot write to pandas
        cells = pd.Series(table.column(at).to_pylist(), index=frame.index, dtype=object)
        frame.insert(len(frame.columns), table.schema.names[at], cells, allow_duplicates=True)
    return frame


def _dtype(kind: Any) -> Any:
    """Return what a column of Arrow becomes; None for what pandas chooses."""
    types = optional("pyarrow.types", "fast")
    if types.is_string(kind) or types.is_large_string(kind):
        return STRINGS
    if types.is_unsigned_integer(kind):
        return pd.UInt64Dtype()
    return pd.Int64Dtype() if types.is_integer(kind) else None
