"""Compare-and-set: one guarded PUT per row.

SIS then replaces `_sis`, Mixed and nested values by what is sent, so they are sent complete (SIS-API 8.1).

What it cannot see: a write within the millisecond of the last one that was read, into a Mixed field, an array
of documents, `_sis`, or a cell too long for the URL: of those the condition names the row's time alone.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sispy import errors

from ...planning.merge import merge
from ...values.entity import receipt
from ...values.types.cells import get_path
from ..answers import of_one
from ..rounds import until_settled
from .check import is_gone, is_refused, is_written, left_to_write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...values.changes import Update
    from ...values.schema import Schema
    from ..run import Run

URL = 5_000
"""Bytes of an encoded condition: it travels in the URL."""
RACES = 5
"""Times that a row is read and sent again because somebody else was quicker."""


def send_cas(run: Run, updates: Sequence[Update]) -> None:
    """Bring some rows to their outcome, one request each."""
    look = partial(_look, run)
    entities = look(updates)
    for update in updates:
        run.server.stop_if_cancelled()
        until_settled(run, [update], _Rounds(run, entities), look, apart=True)


def _look(run: Run, updates: Sequence[Update]) -> dict[str, dict[str, Any]]:
    return run.server.read_rows(update.id for update in updates)


class _Rounds:
    """The attempts for one row: the condition tells whether somebody was quicker than what was read."""

    def __init__(self, run: Run, entities: Mapping[str, Mapping[str, Any]]) -> None:
        self._run = run
        self._entities: Mapping[str, Mapping[str, Any]] | None = entities  # for the first attempt
        self._races = 0

    def __call__(self, updates: Sequence[Update]) -> None:
        run, (update,) = self._run, updates
        entity = (_look(run, updates) if self._entities is None else self._entities).get(update.id)
        self._entities = None
        if entity is None:
            is_gone(run, update)
            return
        write = left_to_write(run, update, merge(run.schema, update, entity, run.on_conflict), entity)
        if not write:
            return
        content = _complete(run, {path: mine for path, (_, mine) in write.items()}, entity)
        condition = _condition(run.schema, write, entity)
        run.about_to_send("update", [(update, write)])
        try:
            answer = run.write(lambda to: to.update(update.id, content, cas=condition), single=True)
        except errors.CASConflict as error:
            self._races += 1
            if self._races > RACES:
                run.settle(update, "failed", f"others write to this row all the time: {error}", status=400)
            # its fate stays open: a network that delivers twice gets this answer for a write that was made
        except errors.BadAnswer as error:
            is_refused(run, update, error)
        else:
            is_written(run, update, write, of_one(answer, update.id))


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
        if field.kind.parts:
            found[field.kind.at(path)] = get_path(entity, field.kind.at(path))
        elif field.item and field.item.kind.is_scalar:
            if old:
                found[path] = list(old)
            else:
                found[f"{path}.0"] = {"$exists": False}
        elif field.kind.is_scalar:
            # a default that a read shows need not be stored: a missing value counts as that
            is_default = field.default is not None and old == field.default
            found[path] = {"$in": [old, None]} if is_default else old
    return found
