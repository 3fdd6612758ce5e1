"""A caller's own sort, done here: rows can then be fetched by key, completely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ..values.schema import RECEIPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..values.schema import Schema
    from .query import Query


def sorts_here(schema: Schema, query: Query) -> bool:
    """Tell whether the order can be made here: by scalar fields, whose order is that of the server."""
    known = {field.path for field in schema.fields if field.kind.is_scalar}
    return all(path in known or path in ("_id", f"_sis.{RECEIPT.path}") for path, _ in query.sort)


def sort_frame(frame: pd.DataFrame, sort: Sequence[tuple[str, bool]]) -> pd.DataFrame:
    """Return the rows in the order that the server would give them: no value first, then ascending.

    Args:
        frame: Indexed by `_id`, in its order, which breaks ties.
        sort: Pairs of path and whether it descends.
    """
    keys = {}
    for path, _ in sort:
        if path == "_id":
            keys[path] = frame.index.to_series().reset_index(drop=True)
        else:
            column = frame[RECEIPT.path if path == f"_sis.{RECEIPT.path}" else path].reset_index(drop=True)
            keys[path] = column.astype("str") if isinstance(column.dtype, pd.CategoricalDtype) else column
    order = pd.DataFrame(keys)
    for path, descends in reversed(sort):  # one by one: each keeps the order of the ones after it
        order = order.sort_values(
            path, ascending=not descends, na_position="last" if descends else "first", kind="stable"
        )
    return frame.iloc[order.index]
