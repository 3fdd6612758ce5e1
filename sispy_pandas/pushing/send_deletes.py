"""Deletes: read again, compare, and delete exactly the state that was read (SIS-API 7.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy import errors

from ..changes import Conflict, Delete
from ..planning.guard import foreign_edits
from ..values.entity import receipt, values_of
from .run import FateUnknown, Run, Stopped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PER_REQUEST = 40
"""Rows in one request: every condition takes about 110 bytes of the URL."""


def send_deletes(run: Run, deletes: Sequence[Delete], *, lost: int = 0) -> None:
    """Bring some rows to their outcome.

    The condition of the request names `_id` and `_sis._updated_at` of each row, so that a row which changes
    between the reading and the deleting stays.
    """
    entities = run.read_rows(delete.id for delete in deletes)
    work: list[tuple[Delete, dict[str, Any]]] = []
    for delete in deletes:
        entity = entities.get(delete.id)
        if entity is None:
            _is_gone(run, delete)
            continue
        run.pending.pop(delete.id, None)
        foreign = foreign_edits(run.schema, delete, entity) if run.guard != "off" else ()
        if foreign and run.on_conflict == "skip":
            run.conflicts[delete.id] = foreign
            run.settle(delete, "conflict", f"somebody else changed {', '.join(c.field for c in foreign)}")
        elif foreign and run.on_conflict == "theirs":
            run.settle(delete, "unchanged", "kept, because somebody else changed it")
        else:
            run.receipts[delete.id] = receipt(entity)
            work.append((delete, entity))
    if work:
        _send(run, work, lost=lost)


def _send(run: Run, work: Sequence[tuple[Delete, dict[str, Any]]], *, lost: int) -> None:
    rows: list[tuple[Delete, Mapping[str, tuple[Any, Any]]]] = [
        (delete, {path: (value, None) for path, value in values_of(run.schema, entity).items()})
        for delete, entity in work
    ]
    run.about_to_send("delete", rows)
    conditions = [_condition(delete, entity) for delete, entity in work]
    try:
        answer = run.write(lambda: run.endpoint.delete_bulk({"q": {"$or": conditions}}))
    except FateUnknown as cause:
        if lost + 1 >= run.limits.attempts:
            raise Stopped(f"no answer {lost + 1} times: {cause}") from cause
        ids = [delete.id for delete, _ in work]
        run.until_quiet(lambda: run.read_rows(ids, fields=()), len(work))
        send_deletes(run, [delete for delete, _ in work], lost=lost + 1)
        return
    except errors.BadAnswer as error:
        for delete, _ in work:
            run.settle(delete, "failed", str(error), status=error.http_status_code)
        return
    gone = {entity["_id"] for entity in answer["success"] if isinstance(entity, dict)}
    refused = {
        entry["value"]["_id"]: entry for entry in answer["errors"] if "_id" in (entry.get("value") or {})
    }
    left: list[Delete] = []
    for delete, written in rows:
        if delete.id in gone:
            run.entities[delete.id] = {}
            run.settle(delete, "done", status=200, written=written)
        elif delete.id in refused:
            err = refused[delete.id]["err"]
            said = err[1].get("error") if len(err) > 1 and isinstance(err[1], dict) else None
            run.settle(delete, "failed", str(said or "the server gave no reason"), status=err[0])
        else:
            run.not_sent([delete])
            left.append(delete)
    if left and lost + 1 >= run.limits.attempts:
        for delete in left:
            conflict = Conflict(delete.id, "_id", delete.id, None, delete.id, delete.key)
            run.conflicts[delete.id] = (conflict,)
            run.settle(delete, "conflict", "it changed at every attempt to delete it")
    elif left:  # changed between reading and deleting: compare again
        send_deletes(run, left, lost=lost + 1)


def _condition(delete: Delete, entity: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"_id": delete.id}
    when = receipt(entity)
    return found if when is None else {**found, "_sis._updated_at": when}


def _is_gone(run: Run, delete: Delete) -> None:
    sent = run.pending.get(delete.id)
    run.entities[delete.id] = {}
    if sent is None:
        run.settle(delete, "unchanged", "it was deleted already", status=404)
    else:
        run.settle(delete, "done", "found deleted after the answer got lost", written=sent)
