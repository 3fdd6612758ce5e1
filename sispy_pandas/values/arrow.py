"""Tables of other libraries as frames of pandas, by way of Arrow, and columns of lists for other programs."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd

from .extras import optional
from .types.cells import STRINGS, shown


def as_frame(data: Any) -> pd.DataFrame:
    """Return a frame, its columns labelled by text, and any table that gives its columns as Arrow as one.

    These are, among others, frames of polars, relations of DuckDB, tables and readers of pyarrow. Whole
    numbers stay whole where a column has blanks.

    Raises:
        TypeError: It is neither, or a column of it holds what no frame does, as addresses of objects.
        ImportError: pyarrow is missing.
    """
    if isinstance(data, pd.DataFrame):
        named = all(isinstance(label, str) for label in data.columns)
        return data if named else data.set_axis([str(label) for label in data.columns], axis=1)
    sentence = f"the edited rows are a DataFrame, got {described(data)}"
    is_arrow = hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")
    if not is_arrow or isinstance(data, pd.Series):
        raise TypeError(sentence)
    pa = optional("pyarrow", "fast")
    try:
        table = pa.table(data)
    except (TypeError, ValueError) as error:  # a single column; Arrow's own errors are of these
        raise TypeError(f"{sentence} ({error})") from error
    noted = (table.schema.pandas_metadata or {}).get("index_columns", ())
    table = _readable(pa, table)
    views = [
        at for at, kind in enumerate(table.schema.types) if pa.types.is_nested(kind) and "view" in str(kind)
    ]
    rest = table.select([at for at in range(table.num_columns) if at not in views])
    try:
        frame: pd.DataFrame = rest.to_pandas(types_mapper=_dtype, maps_as_pydicts="strict")
    except pa.ArrowException as error:  # a map has a key twice
        raise TypeError(f"a column holds what no frame does ({error})") from error
    for at in views:  # polars' texts within lists and structs, which pyarrow cannot write to pandas
        cells = pd.Series(table.column(at).to_pylist(), index=frame.index, dtype=object)
        frame.insert(len(frame.columns), table.schema.names[at], cells, allow_duplicates=True)
    index = [name for name in noted if isinstance(name, str) and name in frame.columns]
    return frame.set_index(index) if index else frame


def described(data: Any) -> str:
    """Return in words what something is that is no frame of pandas, and what makes one of it."""
    name = type(data).__name__
    if hasattr(data, "compute") and hasattr(data, "partitions"):
        parts = "of more rows than memory holds take one of its partitions after the other"
        return f"a dask {name}: its compute() makes one; {parts}"
    if hasattr(data, "collect"):
        return f"{name}: its collect() makes one"
    return f"{name}: pd.DataFrame(...) makes one of records"


class ListDtype(pd.ArrowDtype):
    """The dtype of a column of Arrow's lists.

    Parquet files note its name, for readers that make a frame of them again. The name of `pd.ArrowDtype`,
    `list<item: string>[pyarrow]`, is unknown to pandas there: it would refuse the file.
    """

    name: ClassVar[str] = "object"
    """What pandas makes of such a column of a file."""

    def construct_array_type(self) -> type[ListArray]:
        """Return the class of its arrays."""
        return ListArray


class ListArray(pd.arrays.ArrowExtensionArray):
    """A column of Arrow's lists, which has their own dtype."""

    @property
    def dtype(self) -> pd.ArrowDtype:
        """Return this dtype; what was made of the lists, such as their lengths, has Arrow's own."""
        found: Any = super().dtype
        is_list = optional("pyarrow.types", "fast").is_list(found.pyarrow_dtype)
        return ListDtype(found.pyarrow_dtype) if is_list else found


def arrow_column(array: Any) -> pd.api.extensions.ExtensionArray:
    """Return an array of Arrow as a column of a frame."""
    is_list = optional("pyarrow.types", "fast").is_list(array.type)
    return (ListArray if is_list else pd.arrays.ArrowExtensionArray)(array)


def _readable(pa: Any, table: Any) -> Any:
    """Return a table of plain values: not dictionary-encoded, and without the dtypes that pandas noted in it.

    Programs that cast a column, such as DuckDB and polars, leave the note of the old dtype in place.

    Raises:
        TypeError: A column holds addresses, as polars gives of its dtype Object.
    """
    for at, (name, kind) in enumerate(zip(table.schema.names, table.schema.types, strict=True)):
        if pa.types.is_fixed_size_binary(kind):
            raise TypeError(f"column {shown(name)} gives bytes ({kind}), not values: cast it first")
        is_packed = pa.types.is_dictionary(kind) and not _is_text(pa.types, kind.value_type)
        if is_packed or pa.types.is_run_end_encoded(kind):
            cells = pa.chunked_array([pa.array(table.column(at).to_pylist(), kind.value_type)])
            table = table.set_column(at, name, cells)
    return table.replace_schema_metadata(None)


def _is_text(types: Any, kind: Any) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _dtype(kind: Any) -> Any:
    """Return the dtype for a column of Arrow; None: pandas chooses."""
    types = optional("pyarrow.types", "fast")
    if _is_text(types, kind):
        return STRINGS
    if types.is_unsigned_integer(kind):
        return pd.UInt64Dtype()
    return pd.Int64Dtype() if types.is_integer(kind) else None
