"""Frames of one schema as row groups of a Parquet file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message

from ..values.extras import optional
from ..values.types.base import Contradiction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from ..values.types.base import Field


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
        try:
            return field.kind.to_arrow(cells, self._pa)
        except Contradiction:
            if field.item:
                raise ValueError(f"{field.path!r} holds members that are no {field.item.type}") from None
            raise ValueError(
                Message(
                    f"{field.path!r} holds values that are no {field.type}: a Parquet column has one type, "
                    "export as CSV or NDJSON",
                    Argument("fields", "leaves the column out"),
                )
            ) from None
