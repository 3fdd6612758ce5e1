"""What the server said: all rows of a fetch, as they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sispy.text import in_html, printable

from ..values.records import records_of
from ..values.schema import META, Schema

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    import pandas as pd

    from sispy import Endpoint

    from .plan import Plan

_META = tuple(f.path for f in META)
# notebooks break names at their hyphens, which makes every row three lines high
_ONE_LINE = "<style>.sispy-rows td { white-space: nowrap; }</style>"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Rows of one schema at one time, as the server gave them; it never changes.

    Attributes:
        schema: The schema at that time.
        endpoint: Where the rows came from.
        query: What was asked for.
        fields: Paths of the fields that were fetched; None: all.
        fetched_at: When the fetch began, in UTC.
        warnings: A frame (_id, column, value, reason) of what was odd: values that contradict the definition,
            and rows that came or went during the fetch.
        expanded: Columns of other schemas, for reading only.

    Example:
        >>> snapshot = sp.fetch(client.entities("host"), fields=["name", "status"], progress=False)
        >>> list(snapshot.frame().columns)
        ['name', 'status', '_updated_at']
        >>> len(snapshot), snapshot.schema.key
        (10, 'name')
    """

    schema: Schema
    endpoint: Endpoint
    query: Mapping[str, Any]
    fields: tuple[str, ...] | None
    fetched_at: datetime
    warnings: pd.DataFrame = field(repr=False)
    _frame: pd.DataFrame = field(repr=False)
    expanded: tuple[str, ...] = ()
    lost: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Rows of an edited file whose exported state cannot be rebuilt: `_id` -> why (`snapshot_of`)."""
    gone: frozenset[str] = frozenset()
    """Rows that an edited file marks for deletion and that are deleted already."""

    def __len__(self) -> int:
        return len(self._frame)

    def __repr__(self) -> str:
        odd = f", {len(self.warnings)} warnings" if len(self.warnings) else ""
        at = self.fetched_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"<Snapshot of {printable(self.schema.name)}: {len(self):,} rows, fetched {at}{odd}>"

    def _repr_html_(self) -> str:
        table: str = self.frame().head(10)._repr_html_()  # type: ignore[operator] # pandas-stubs lacks it
        text = in_html(repr(self).strip("<>"))
        return f'<p>{text}</p>{_ONE_LINE}<div class="sispy-rows">{printable(table, lines=True)}</div>'

    @property
    def ids(self) -> pd.Index[Any]:
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

    def diff(
        self,
        frame: Any,
        *,
        key: str | None = None,
        new: bool = False,
        delete: Collection[str] = (),
        create_missing: bool = False,
        blank: Literal["keep", "clear"] | None = None,
        owner: Collection[str] | None = None,
    ) -> Plan:
        """Compare an edited frame with this snapshot; `planning.diff` tells arguments and errors.

        Returns:
            The plan: every change that a push would make. Nothing is written, the server is not asked.
        """
        from ..planning.diff import diff

        return diff(
            self,
            frame,
            key=key,
            new=new,
            delete=delete,
            create_missing=create_missing,
            blank=blank,
            owner=owner,
        )

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as JSON records, `_sis` included, as far as it was fetched."""
        return records_of(self.schema, self._frame)

    def _chose(self, name: str) -> bool:
        return self.fields is not None and name in self.fields
