"""Frames of one schema as row groups of a Parquet file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.remedies import Argument, Message

from ..values.extras import optional
from ..values.types.base import to_json
from ..values.types.cells import json_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..values.types.base import Field

_MEMBERS = {"String": "string", "ObjectId": "string", "Number": "float64", "Boolean": "bool_"}


class Writer:
    """Write frames one below the other; all have the columns of the first."""

    def __init__(self, path: Path) -> None:
        self._pa = optional("pyarrow", "fast")
        self._parquet = optional("pyarrow.parquet", "fast")
        self._path = path
        self._file: Any = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, table: Sequence[tuple[Field, pd.Series[Any]]]) -> None:
        """Add the rows of some columns.

        Raises:
            ValueError: A value contradicts its column's type.
        """
        arrays = [self._array(field, cells) for field, cells in table]
        group = self._pa.Table.from_arrays(arrays, names=[field.path for field, _ in table])
        if self._file is None:
            self._file = self._parquet.ParquetWriter(self._path, group.schema)
        self._file.write_table(group)

    def _array(self, field: Field, cells: pd.Series[Any]) -> Any:
        pa = self._pa
        if field.type == "Array" and field.item and field.item.type in _MEMBERS:
            kind = pa.list_(getattr(pa, _MEMBERS[field.item.type])())
        elif field.type in ("Array", "Documents", "Mixed"):
            values = [to_json(field, cell) for cell in cells]
            return pa.array([None if v is None else json_text(v) for v in values], type=pa.string())
        elif pd.api.types.is_object_dtype(cells.dtype):
            raise ValueError(
                Message(
                    f"{field.path!r} holds values that are no {field.type}: a Parquet column has one type, "
                    "export as CSV or NDJSON",
                    Argument("fields", "leaves the column out"),
                )
            )
        elif field.type == "String":
            texts = pa.array(cells.astype("str"), type=pa.string(), from_pandas=True)
            return texts.dictionary_encode() if field.enum else texts
        else:
            return pa.array(cells, from_pandas=True)
        try:
            return pa.array(cells, type=kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ValueError(f"{field.path!r} holds members that are no {field.item.type}") from error
