"""Rows of one table as the server gave them: the data of a Snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .records import records_of
from .schema import META, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pandas as pd

    from sispy import Endpoint

_META = tuple(f.path for f in META)


@dataclass(frozen=True, eq=False)
class RowSet:
    """Rows of one schema at one time; it never changes."""

    schema: Schema
    endpoint: Endpoint
    query: Mapping[str, Any]
    """What was asked for."""
    fields: tuple[str, ...] | None
    """Paths of the fields that were fetched; None: all."""
    fetched_at: datetime
    """When the fetch began, in UTC."""
    warnings: pd.DataFrame = field(repr=False)
    """What was odd: _id, column, value, reason."""
    _frame: pd.DataFrame = field(repr=False)
    expanded: tuple[str, ...] = ()
    """Columns of other schemas, for reading only."""
    lost: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Rows of an edited file whose exported state cannot be rebuilt: `_id` -> why (`snapshot_of`)."""
    gone: frozenset[str] = frozenset()
    """Rows that an edited file marks for deletion and that are deleted already."""

    def __len__(self) -> int:
        return len(self._frame)

    @property
    def ids(self) -> pd.Index:
        """The rows' `_id`, in the order of the fetch."""
        return self._frame.index

    def frame(self, meta: bool = False) -> pd.DataFrame:
        """Return the rows as a DataFrame of your own, indexed by `_id`.

        It is cheap: data are shared until one side is written to. The last column, `_updated_at`, is the
        row's receipt: keep it, so that an edit is compared with the state it was made from.

        Args:
            meta: Add the other columns of `_sis`, such as `_sis.owner`, before the receipt.
        """
        columns = [name for name in self._frame.columns if meta or name not in _META or self._chose(name)]
        return self._frame[columns].copy(deep=False)

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as JSON records, `_sis` included, as far as it was fetched."""
        return records_of(self.schema, self._frame)

    def _chose(self, name: str) -> bool:
        return self.fields is not None and name in self.fields
