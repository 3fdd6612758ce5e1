"""The history of rows as frames: who changed what, who was last, and how a table was at a time.

The ground is SIS-API 9: one list of commits per row, kept beyond the row. Changes of `_sis` alone
(owners, tags, locks) leave no commits; neither does the removal of a field from the schema.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.delta import DeltaError
from sispy.errors import NotFound, NotJSON
from sispy.remedies import no_list
from sispy.text import printable, shorten

from ..reading.commits import Step, cells, commits_of, replay
from ..reading.listing import schema_of
from ..reading.lookup import each
from ..values.entity import stored
from ..values.records import frame_of, table
from ..values.times import milliseconds_of, times
from ..values.types.cells import get_path
from ..workflow.fetch import fetch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from sispy import Endpoint

    from ..values.schema import Schema
    from ..values.times import When

_HEX = set("0123456789abcdef")


class HistoryWarning(UserWarning):
    """A history that is empty or incomplete, and why.

    Example:
        >>> import warnings
        >>> untracked = {"name": "note", "definition": {"text": "String"}, "track_history": False}
        >>> _ = client.schemas.create({**untracked, "_sis": {"owner": ["ops"]}})
        >>> note = client.entities("note").create({"text": "nobody watches this"})
        >>> with warnings.catch_warnings(record=True) as seen:
        ...     warnings.simplefilter("always")
        ...     _ = history(client.entities("note"), note["_id"])
        >>> seen[0].category.__name__
        'HistoryWarning'
        >>> _ = client.schemas.delete("note")
    """


def history(endpoint: Endpoint, id_or_key: object) -> pd.DataFrame:
    """Return who changed a row, when and how: one line per changed cell, the newest first.

    Owners, tags and locks have no history, nor has a row from before tracking was switched on.

    Args:
        endpoint: Entities of a schema: `client.entities("host")`.
        id_or_key: The row's `_id`, or its value of the id field. A deleted row is known by `_id` alone.

    Returns:
        A frame (at, by, action, field, before, after); times in UTC, action insert, update or delete. If it
        is empty, a HistoryWarning says why, and so does `.attrs["why"]`.

    Raises:
        ValueError: There is and there was no such row.
        sispy.Error: The server could not be asked.

    Example:
        >>> host = client.entities("host").fetch_page({"limit": 1})[0]
        >>> set(history(client.entities("host"), host["_id"])["action"])
        {'insert'}
    """
    schema = schema_of(endpoint.client, endpoint.name)
    steps, why = _steps(endpoint, schema, id_or_key)
    rows = [
        (step.at, step.by, step.action, path, before, after)
        for step in steps
        for path, before, after, _ in cells(schema, step)
    ]
    return _with_reason(_frame(rows, ("at", "by", "action", "field", "before", "after")), why)


def blame(endpoint: Endpoint, id_or_key: object) -> pd.DataFrame:
    """Return the last change of every field of a row.

    Args:
        endpoint: Entities of a schema.
        id_or_key: As in `history`.

    Returns:
        A frame indexed by field (value, by, at, action); fields that no commit names have no `by`.

    Raises:
        ValueError: There is and there was no such row.
        sispy.Error: The server could not be asked.

    Example:
        >>> host = client.entities("host").fetch_page({"limit": 1})[0]
        >>> blame(client.entities("host"), host["_id"]).columns.tolist()
        ['value', 'by', 'at', 'action']
    """
    schema = schema_of(endpoint.client, endpoint.name)
    steps, why = _steps(endpoint, schema, id_or_key)
    last: dict[str, Step] = {}
    for step in steps:
        for path, _, _, known in cells(schema, step):
            if known:
                last.setdefault(path, step)
    row = _last_state(endpoint, steps, id_or_key)
    rows = []
    for field in schema.fields:
        found = last.get(field.path)
        told = (found.at, found.by, found.action) if found else (None, None, None)
        rows.append((*told, stored(field, row)))
    frame = _frame(rows, ("at", "by", "action", "value"))
    frame.index = pd.Index([field.path for field in schema.fields], name="field", dtype="str")
    return _with_reason(frame[["value", "by", "at", "action"]], why)


def as_of(
    endpoint: Endpoint,
    when: When,
    *,
    ids: Iterable[str] | None = None,
    query: Mapping[str, Any] | str | None = None,
    tz: str | tzinfo | None = None,
    progress: Any = True,
) -> pd.DataFrame:
    """Return rows as they were at a time, in the frame of today's schema.

    Rows are selected by their values of today: `query` does not find a row that would have matched then, and
    a row that was deleted since comes only if `ids` names it. It costs one request per row, each the dearer
    the older its row.

    Args:
        endpoint: Entities of a schema.
        when: The time, aware; see `tz`.
        ids: `_id`s of the rows wanted; None: those of the query.
        query: As in `fetch`; None: all rows.
        tz: Zone of a time that names none.
        progress: As in `fetch`.

    Returns:
        A frame as of `Snapshot.frame()`. `.attrs["absent"]` lists the ids of rows that did not exist then, or
        whose history does not go back so far; `.attrs["selected"]` says how rows were chosen.

    Raises:
        ValueError: The time names no zone; both ids and query are given.
        sispy.Error: The server could not be asked.

    Example:
        >>> as_of(client.entities("host"), "2001-01-01T00:00Z", query={"limit": 5}, progress=False).shape[0]
        0
    """
    if ids is not None and query is not None:
        raise ValueError("give ids= or query=, not both")
    ms = milliseconds_of(when, tz=tz)
    schema = schema_of(endpoint.client, endpoint.name)
    if isinstance(ids, str):
        raise no_list("ids", ids)
    wanted = list(fetch(endpoint, query, fields=["_sis.owner"], progress=False).ids if ids is None else ids)

    def revision(watched: Endpoint, id_: str) -> Mapping[str, Any] | None:
        try:
            return watched.revision(id_, ms).to_dict()
        except NotFound:
            return None

    found = dict(each(endpoint, revision, wanted, progress=progress, desc=f"{schema.name} then"))
    rows = {id_: row for id_, row in found.items() if row is not None}
    frame = frame_of(
        schema,
        {field.path: [get_path(row, field.path) for row in rows.values()] for field in schema.fields},
        list(rows),
        [get_path(row, "_sis._updated_at") for row in rows.values()],
    )
    frame.attrs["absent"] = [id_ for id_ in wanted if id_ not in rows]
    frame.attrs["selected"] = "by ids" if ids is not None else "by today's values, and without deleted rows"
    return frame


def _steps(endpoint: Endpoint, schema: Schema, id_or_key: object) -> tuple[list[Step], str | None]:
    """Return the steps of a row, the newest first, and why there are none or not all."""
    try:
        current: dict[str, Any] | None = endpoint.get(id_or_key, {"populate": False}).to_dict()
    except NotFound:
        current = None
    if current is not None and not isinstance(current.get("_id"), str):
        raise NotJSON(f"the answer is not a row of {schema.name}: {shorten(current)}", 200)
    id_ = str(id_or_key if current is None else current["_id"])
    commits = commits_of(endpoint, id_) if current or _is_id(id_) else []
    if not commits:
        if current is None:
            hint = "" if _is_id(id_) else "; a deleted row is known by its _id alone"
            raise ValueError(f"{schema.name} has no row {id_or_key!r}, and no history of one{hint}")
        if not schema.track_history:
            return [], f"schema {schema.name!r} does not keep history (track_history is off)"
        return [], f"row {id_} was not changed since schema {schema.name!r} keeps history"
    try:
        steps = replay(current, commits)
    except DeltaError as error:
        return [], f"the commits of row {id_} do not lead to what is stored: {error}"
    if commits[-1]["action"] != "insert":
        return steps, None if schema.track_history else "history was kept for a time only"
    return steps, None


def _last_state(endpoint: Endpoint, steps: list[Step], id_or_key: object) -> dict[str, Any]:
    if steps:
        return dict(steps[0].after or steps[0].before or {})
    return endpoint.get(id_or_key, {"populate": False}).to_dict()


def _is_id(text: str) -> bool:
    return len(text) == 24 and set(text) <= _HEX


def _frame(rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    frame = table(rows, columns)
    frame["at"] = times([row[columns.index("at")] for row in rows])
    return frame


def _with_reason(frame: pd.DataFrame, why: str | None) -> pd.DataFrame:
    if why is not None:
        frame.attrs["why"] = why
        warnings.warn(printable(why), HistoryWarning, stacklevel=3)
    return frame
