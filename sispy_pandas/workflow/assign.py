"""Values for all rows that a filter finds: a plan without a file in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ..values.entity import EDITABLE_META
from ..values.types.cells import objects
from .fetch import fetch
from .references import to_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sispy import Endpoint

    from .objects import Plan


def set_values(
    endpoint: Endpoint,
    where: str | Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    progress: Any = True,
) -> Plan:
    """Return the plan that gives fields of all rows that meet a filter these values.

    It is what `client.update_bulk(values, query)` does at once and unseen: here rows that hold the values
    already are left alone, what the server would refuse is among the plan's problems, and the push is
    guarded and can be undone. The rows are fetched whole.

    Args:
        endpoint: Entities of a schema: `client.entities("host")`.
        where: A filter such as "status = retired and rack is not empty", or the `q` of a query; `{}` is met
            by all rows.
        values: Dotted path of a field -> its new value, as a frame's cell has it: None empties the field, a
            reference may be given by name. A function is called with the column and returns the new one:
            `lambda tags: sp.added(tags, "gpu")`. Of `_sis` there are owner, tags and locked.
        progress: As in `fetch`.

    Raises:
        ValueError: No such field, or `where` is empty, no filter, or cannot match.
        sispy.Error: The server could not be asked.

    Example:
        >>> plan = sp.set_values(hosts, "status = planned", {"status": "live", "notes": None}, progress=False)
        >>> set(plan.frame()["field"]) <= {"status", "notes"}
        True
    """
    if not values:
        raise ValueError("values names no field to set")
    if where is None or (isinstance(where, str) and not where.strip()):
        raise ValueError("where is empty: {} is met by all rows")
    found = fetch(endpoint, {"q": where}, progress=progress)
    rows = found.frame(meta=True)
    columns = {}
    for path, value in values.items():
        field = found.schema.field(path)
        if field.path not in (*found.schema.columns, *EDITABLE_META):
            raise ValueError(f"{path!r} is written by the server alone")
        columns[path] = value(rows[path]) if callable(value) else objects([value] * len(rows))
    edited = pd.DataFrame(columns, index=rows.index)
    return found.diff(to_ids(endpoint.client, edited, found.schema))
