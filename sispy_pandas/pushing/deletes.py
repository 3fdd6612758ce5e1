"""Deletes: read again, compare, and delete exactly the state that was read (SIS-API 7.4)."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from sispy import errors

from ..planning.merge import foreign_edits
from ..reading.commits import commits_of
from ..values.changes import Conflict, Delete
from ..values.entity import receipt, values_of
from .answers import id_of, of_bulk, status_and_text
from .evidence import differing
from .rounds import until_settled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .run import Run

PER_REQUEST = 40
"""Rows in one request: every condition takes about 110 bytes of the URL."""


def send_deletes(run: Run, deletes: Sequence[Delete]) -> None:
    """Bring some rows to their outcome.

    The condition of the request names `_id` and `_sis._updated_at` of each row, so that a row which changes
    between the reading and the deleting stays.
    """
    races: Counter[str] = Counter()
    until_settled(run, deletes, partial(_round, run, races=races), partial(_look, run))


def _look(run: Run, deletes: Sequence[Delete]) -> dict[str, dict[str, Any]]:
    return run.server.read_rows((delete.id for delete in deletes), fields=())


def _round(run: Run, deletes: Sequence[Delete], *, races: Counter[str]) -> None:
    entities = run.server.read_rows(delete.id for delete in deletes)
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
        elif races[delete.id] >= run.server.limits.attempts:
            run.conflicts[delete.id] = (Conflict(delete.id, "_id", delete.id, None, delete.id, delete.key),)
            run.settle(delete, "conflict", "it changed at every attempt to delete it")
        else:
            run.receipts[delete.id] = receipt(entity)
            work.append((delete, entity))
    if work:
        _send(run, work)
        races.update(delete.id for delete, _ in work)


def _send(run: Run, work: Sequence[tuple[Delete, dict[str, Any]]]) -> None:
    rows: list[tuple[Delete, Mapping[str, tuple[Any, Any]]]] = [
        (delete, {path: (value, None) for path, value in values_of(run.schema, entity).items()})
        for delete, entity in work
    ]
    run.about_to_send("delete", rows)
    conditions = [_condition(delete, entity) for delete, entity in work]
    try:
        answer = run.write(lambda to: to.delete_bulk({"q": {"$or": conditions}}))
    except errors.BadAnswer as error:
        run.fail([delete for delete, _ in work], error, error.http_status_code)
        return
    success, failed = of_bulk(answer, {delete.id for delete, _ in work})
    gone = {entity["_id"]: entity for entity in success}
    refused = {id_of(entry): status_and_text(entry) for entry in failed}
    for delete, written in rows:
        if delete.id in gone:
            run.entities[delete.id] = {}
            lost = differing(run.schema, delete, written, gone[delete.id])
            run.settle(delete, "done", status=200, written=written, overwrites=lost)
        elif delete.id in refused:
            status, text = refused[delete.id]
            run.settle(delete, "failed", text, status=status)
        # else it changed between the reading and the deleting, or the network delivered the request twice and
        # this is the second answer: the next round compares again


def _condition(delete: Delete, entity: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"_id": delete.id}
    when = receipt(entity)
    return found if when is None else {**found, "_sis._updated_at": when}


def _is_gone(run: Run, delete: Delete) -> None:
    attempts = run.pending.get(delete.id, ())
    run.entities[delete.id] = {}
    by_us = _is_by_us(run, delete, attempts[-1].read) if attempts else False
    if by_us is False:
        run.settle(delete, "unchanged", "it was deleted already", status=404)
    else:
        reason = "found deleted after the answer got lost" + ("" if by_us else "; by whom is not known")
        run.settle(delete, "done", reason, written=attempts[-1].cells)


def _is_by_us(run: Run, delete: Delete, since: int | None) -> bool | None:
    """Return whether a row that is gone was deleted by who sent its deletion; None: nothing tells."""
    ours = {run.user, run.senders.get(delete.id, run.user)}
    if None in ours or not run.schema.track_history:
        return None
    commits = run.server.patiently(lambda: commits_of(run.endpoint, delete.id, since))
    return next((c["modified_by"] in ours for c in commits if c["action"] == "delete"), None)
