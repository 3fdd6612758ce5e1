"""Compare-and-set: one guarded PUT per row.

SIS then replaces `_sis`, Mixed and nested values by what is sent, so they are sent complete (SIS-API 8.1).

What it cannot see: a write within the millisecond of the last one that was read, into a Mixed field, an array
of documents, `_sis`, or a cell too long for the URL: of those the condition names the row's time alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sispy import errors

from ..planning.guard import merge
from ..values.cast import get_path
from ..values.entity import receipt
from .run import FateUnknown, Run, Stopped
from .send_updates import has_ended, is_gone, is_written, left_to_write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..changes import Update
    from ..schema import Field, Schema

URL = 5_000
"""Bytes of an encoded condition: it travels in the URL."""
RACES = 5
"""Times that a row is read and sent again because somebody else was quicker."""


def send_cas(run: Run, updates: Sequence[Update]) -> None:
    """Bring some rows to their outcome, one request each."""
    entities = run.read_rows(update.id for update in updates)
    for update in updates:
        run.stop_if_cancelled()
        _send(run, update, entities.get(update.id), lost=0, races=0)


def _send(
    run: Run,
    update: Update,
    entity: Mapping[str, Any] | None,
    *,
    lost: int,
    races: int,
    last: FateUnknown | None = None,
) -> None:
    if entity is None:
        is_gone(run, update)
        return
    merged = merge(run.schema, update, entity, run.on_conflict)
    write = left_to_write(run, update, merged, entity, last=last)
    if not write:
        return
    content = _complete(run, {path: mine for path, (_, mine) in write.items()}, entity)
    condition = _condition(run.schema, write, entity)
    run.about_to_send("update", [(update, write)])
    try:
        answer = run.write(lambda: run.endpoint.update(update.id, content, cas=condition), single=True)
    except FateUnknown as cause:
        by_server = isinstance(cause.__cause__, errors.ServerError)  # here a bad value is a 500, too
        if lost + 1 >= run.limits.attempts and not by_server:
            raise Stopped(f"no answer {lost + 1} times: {cause}") from cause
        if not has_ended(cause):
            run.until_quiet(lambda: run.read_rows([update.id]), 1)
        now = run.read_rows([update.id]).get(update.id)
        last = cause if by_server and lost else None
        _send(run, update, now, lost=lost + 1, races=races, last=last)
    except errors.NotFound:
        is_gone(run, update)
    except errors.CASConflict as error:
        run.not_sent([update])
        if races >= RACES:
            run.settle(update, "failed", f"others write to this row all the time: {error}", status=400)
            return
        _send(run, update, run.read_rows([update.id]).get(update.id), lost=lost, races=races + 1)
    except errors.BadAnswer as error:
        run.not_sent([update])
        run.settle(update, "failed", str(error), status=error.http_status_code)
    else:
        is_written(run, update, write, answer.to_dict())


def _complete(run: Run, values: Mapping[str, Any], entity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body: new values within their complete nested objects, and all of `_sis`."""
    tops = {path.split(".", 1)[0] for path in values if "." in path and not path.startswith("_sis.")}
    content = {top: _copy(entity[top]) for top in tops if isinstance(entity.get(top), dict)}
    sis = _copy(entity.get("_sis", {}))
    sis["_updated_by"] = run.user
    content["_sis"] = sis
    for path, value in values.items():
        parents, _, last = path.rpartition(".")
        inner = content
        for part in parents.split(".") if parents else []:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return content


def _copy(value: Any) -> Any:
    return {key: _copy(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def _condition(
    schema: Schema, write: Mapping[str, tuple[Any, Any]], entity: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what must still be so: the row's time, and the old value of each cell that can be compared."""
    found: dict[str, Any] = {"_sis._updated_at": receipt(entity)}
    for path, (old, _) in write.items():
        if len(quote(json.dumps([found, path, old]))) > URL:  # the rest is left to the row's time
            continue
        if path.startswith("_sis."):
            continue
        field = schema.field(path)
        if field.type == "IpAddress":
            found[f"{path}.ip_address"] = get_path(entity, f"{path}.ip_address")
        elif field.type == "Array" and _is_plain(field.item):
            if old:
                found[path] = list(old)
            else:
                found[f"{path}.0"] = {"$exists": False}
        elif field.type not in ("Array", "Documents", "Mixed"):
            # a default that a read shows need not be stored: a missing value counts as that
            is_default = field.default is not None and old == field.default
            found[path] = {"$in": [old, None]} if is_default else old
    return found


def _is_plain(item: Field | None) -> bool:
    return item is not None and item.type in ("String", "Number", "Boolean", "Date", "ObjectId")
