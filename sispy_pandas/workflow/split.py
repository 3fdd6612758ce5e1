"""What the rows of a plan hold in a column, by which a reviewer sees its changes split."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ..planning.groups import Split
from ..reading.decode import columns_of
from ..reading.expand import expand, references_of
from ..reading.listing import schema_of
from ..reading.lookup import read
from ..reading.names import names_by_id
from ..values.changes import Create, row_of
from ..values.entity import receipt
from ..values.labels import members, replaced
from ..values.records import frame_of
from ..values.schema import META
from ..values.types.cells import is_missing, set_path
from ..values.types.convert import json_values

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sispy import Client

    from ..planning.change_set import ChangeSet
    from ..values.schema import Schema


def split_by(plan: ChangeSet, path: str) -> Split:
    """Return the column that splits a plan's changes: as rows hold it today, new ones as the plan says.

    References are shown as names.

    Raises:
        ValueError: There is no such column.
        sispy.Error: The server could not be asked.
    """
    client, schema = plan.endpoint.client, plan.schema
    own = path in (*schema.columns, *(field.path for field in META))
    references = [field.path for field in schema.fields if field.ref or (field.item and field.item.ref)]
    if not own and not path.startswith(tuple(f"{name}." for name in references)):
        schema.field(path)  # it names what is spelt alike
    (column,) = (path,) if own else references_of(schema, [path])
    ids = [change.id for change in plan.changes if not isinstance(change, Create)]
    stored = {row["_id"]: row for row in read(plan.endpoint, "_id", ids, fields=[column, "_sis"])}
    entities: dict[Hashable, dict[str, Any]] = {}
    for change in plan.changes:
        if isinstance(change, Create):
            new: dict[str, Any] = {}
            if column in change.values:
                set_path(new, column, change.values[column])
            entities[change.row] = new
        else:
            entities[change.id] = dict(stored.get(change.id, {}))
    field = schema.field(column)
    frame = frame_of(
        schema,
        columns_of(list(entities.values()), (field,)),
        [str(row) for row in entities],
        [receipt(entity) for entity in entities.values()],
    )
    if not own:
        lookup = cache(lambda name: schema_of(client, name))
        cells = expand(client, schema, frame, [path], lookup)[path].tolist()
    elif ref := field.ref or (field.item.ref if field.item else None):
        cells = replaced(frame[path], _names(client, schema_of(client, ref), members(frame[path]))).tolist()
    else:
        cells = json_values(field, frame[path])
    values = {
        row_of(change): None if is_missing(cell) else cell
        for change, cell in zip(plan.changes, cells, strict=True)
    }
    return Split(path, values)


def _names(client: Client, target: Schema, ids: set[str]) -> dict[str, str]:
    return {} if target.key is None else names_by_id(client, target, target.key, ids)
