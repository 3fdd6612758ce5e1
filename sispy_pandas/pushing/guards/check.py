"""Updates: read again, merge, send in one request, and learn what became of every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sispy import errors

from ...planning.merge import Merged, merge, not_stored, payload, unguarded
from ...reading.chunks import halves
from ...reading.commits import commits_of
from ...values.changes import Conflict, Update
from ...values.entity import body, receipt, stored
from ...values.types.cells import get_path
from ...values.types.equality import equal
from ..answers import id_of, of_bulk, of_one, status_and_text
from ..rounds import until_settled
from ..server import FateUnknown

if TYPE_CHECKING:
    from ..run import Run

Work = tuple[Update, Mapping[str, tuple[Any, Any]]]


def send_updates(run: Run, updates: Sequence[Update], *, alone: bool = False) -> None:
    """Bring some rows to their outcome.

    Args:
        run: The push.
        updates: One chunk.
        alone: This row was refused among others: what the server says now is its own reason.
    """
    until_settled(run, updates, partial(_round, run, alone=alone), partial(_look, run), apart=True)


def _look(run: Run, updates: Sequence[Update]) -> dict[str, dict[str, Any]]:
    return run.server.read_rows(
        (update.id for update in updates), fields={p for u in updates for p in u.after}
    )


def _round(run: Run, updates: Sequence[Update], *, alone: bool) -> None:
    work: list[Work] = []
    decision = "mine" if run.guard == "off" else run.on_conflict
    looks = run.guard != "off" or alone or any(update.id in run.pending for update in updates)
    entities = _look(run, updates) if looks else {}
    for update in updates:
        entity = entities.get(update.id)
        if looks and entity is None:
            is_gone(run, update)
            continue
        merged = unguarded(update) if entity is None else merge(run.schema, update, entity, decision)
        write = left_to_write(run, update, merged, entity or {})
        if write:
            work.append((update, write))
    plain: list[tuple[Work, dict[str, Any]]] = []
    replacing: list[tuple[Work, dict[str, Any]]] = []
    for item in work:
        values, replaces = payload(run.schema, item[1])
        (replacing if replaces else plain).append((item, values))
    if plain:
        _send_bulk(run, plain, alone=alone)
    elif len(replacing) == 1:
        _send_one(run, *replacing.pop())
    for (update, _), _ in replacing:  # a request of its own, so it is read again right before it
        run.server.stop_if_cancelled()
        send_updates(run, [update])


def _send_bulk(run: Run, items: Sequence[tuple[Work, dict[str, Any]]], *, alone: bool) -> None:
    work = [item for item, _ in items]
    updates = [update for update, _ in work]
    run.about_to_send("update", work)
    bodies = [{"_id": update.id, **body(values)} for (update, _), values in items]
    try:
        answer = run.write(lambda to: to.update_bulk(bodies))
    except errors.PayloadTooLarge as error:
        if len(updates) == 1:
            run.fail(updates, error, error.http_status_code)
            return
        run.not_sent(updates)
        for half in halves(updates):
            send_updates(run, half)
        return
    except errors.BadAnswer as error:
        run.fail(updates, error, error.http_status_code)
        return
    success, failed = of_bulk(answer, {update.id for update in updates})
    stored = {entity["_id"]: entity for entity in success}
    refused = [update for update in updates if update.id not in stored]
    for update, write in work:
        if update.id in stored:
            is_written(run, update, write, stored[update.id])
    if refused:
        _refused(run, refused, failed, whole=len(refused) == len(work), alone=alone)


def _refused(run: Run, refused: Sequence[Update], entries: list[Any], *, whole: bool, alone: bool) -> None:
    """Find the reasons of rows that the server did not write."""
    reasons = [status_and_text(entry) for entry in entries]
    gone = {id_of(entry) for entry, (status, _) in zip(entries, reasons, strict=True) if status == 404}
    same = len(set(reasons)) == 1 and len(reasons) == len(refused)
    final = bool(reasons) and (alone or (whole and same and _is_final(*reasons[0])))
    retry: list[Update] = []
    for update in refused:
        if final or update.id in gone:  # of others a second delivery of this request may still be on its way
            run.not_sent([update])
        if update.id in gone:
            is_gone(run, update)
        elif final:
            status, text = reasons[0]
            run.settle(update, "failed", text, status=status)
        elif alone:  # it may have been written all the same: what is not there is not sent a third time
            run.failing[update.id] = FateUnknown("the server left the row out of its answer, twice")
            raise run.failing[update.id]
        else:
            retry.append(update)
    for update in retry:
        run.server.stop_if_cancelled()
        send_updates(run, [update], alone=True)


def _send_one(run: Run, work: Work, values: Mapping[str, Any]) -> None:
    """Send a row whose Mixed field must be replaced: a request of its own."""
    update, write = work
    run.about_to_send("update", [work])
    try:
        answer = run.write(lambda to: to.update(update.id, body(values), force_mixed=True), single=True)
    except errors.BadAnswer as error:
        is_refused(run, update, error)
    else:
        is_written(run, update, write, of_one(answer, update.id))


def left_to_write(
    run: Run, update: Update, merged: Merged, entity: Mapping[str, Any]
) -> Mapping[str, tuple[Any, Any]]:
    """Return the cells of a row that are to be written; none if that ends the row.

    Args:
        run: The push.
        update: The row.
        merged: Its cells, compared with what the server holds.
        entity: What the server holds.
    """
    at = _arrived_at(run, update, entity) if update.id in run.pending and merged.there else None
    if at is not None:
        run.note_arrival(update.id, merged.there)
    if entity:
        run.receipts[update.id] = receipt(entity)
    if merged.conflicts:
        run.conflicts[update.id] = merged.conflicts
    else:
        run.conflicts.pop(update.id, None)
    if not merged.write:
        _is_settled(run, update, merged, entity, at)
    elif update.id in run.failing:
        last = run.failing[update.id]
        run.settle(update, "failed", str(last), status=last.status)
    else:
        return merged.write
    return {}


def _arrived_at(run: Run, update: Update, entity: Mapping[str, Any]) -> int | None:
    """Return the time of the write of this push that a row which holds its values shows; None: of none.

    Somebody else may have written the same. The row names its last writer; commits, where there are any, name
    the earlier ones.
    """
    now = receipt(entity) or 0
    ours = {run.user, run.senders.get(update.id, run.user)}
    if None in ours or get_path(entity, "_sis._updated_by") in {None, *ours}:
        return now
    if not run.schema.track_history:
        return None
    attempts = run.pending[update.id]
    since = max((attempt.read or 0 for attempt in attempts), default=0)
    commits = run.server.patiently(lambda: commits_of(run.endpoint, update.id, since + 1))
    sent = {path.partition(".")[0] for attempt in attempts for path in attempt.cells}
    return next(
        (
            commit["date_modified"]
            for commit in commits
            if commit["modified_by"] in ours
            and commit["action"] == "update"
            and sent & commit["commit_data"].keys()
        ),
        None,
    )


def _is_settled(run: Run, update: Update, merged: Merged, entity: Mapping[str, Any], at: int | None) -> None:
    if any(attempt.found for attempt in run.pending.get(update.id, ())):
        when = receipt(entity) if at is None else at
        run.settle(update, "done", "found written after its answer got lost", receipt=when)
    elif update.id in run.pending and not merged.given_up:
        run.settle(
            update,
            "unchanged",
            "the server holds these values: somebody else wrote them",
            receipt=receipt(entity),
        )
    elif merged.given_up:
        run.settle(update, "unchanged", f"left as others made it: {', '.join(merged.given_up)}")
    else:
        run.settle(update, "unchanged", "the server holds these values already", receipt=receipt(entity))


def is_written(
    run: Run, update: Update, write: Mapping[str, tuple[Any, Any]], answer: Mapping[str, Any]
) -> None:
    """End a row that the server says it wrote: done only if its answer holds every value sent."""
    missing = not_stored(run.schema, {path: mine for path, (_, mine) in write.items()}, answer)
    written = dict(write)
    for path in missing:  # what others merged into a Mixed value meanwhile stands there as well
        before, _ = written.pop(path)
        after = stored(run.schema.field(path), answer)
        if not equal(run.schema.field(path), before, after):
            written[path] = (before, after)
    run.entities[update.id] = answer
    if missing:
        reason = f"the server took the request but does not hold the new value of {', '.join(missing)}"
        run.settle(update, "failed", reason, status=200, written=written, receipt=receipt(answer))
    else:
        run.settle(update, "done", status=200, written=written, receipt=receipt(answer))


def is_refused(run: Run, update: Update, error: errors.BadAnswer) -> None:
    """End a row whose own request was refused; a 404 may also come from a proxy that knows no such page."""
    if isinstance(error, errors.NotFound) and not run.server.read_rows([update.id], fields=()):
        run.not_sent([update])
        is_gone(run, update)
    else:
        run.fail([update], error, error.http_status_code)


def is_gone(run: Run, update: Update) -> None:
    """End a row that does not exist any more."""
    run.conflicts[update.id] = (Conflict(update.id, "_id", update.id, update.id, None, update.key),)
    run.settle(update, "conflict", "somebody deleted the row", status=404)


def _is_final(status: int | None, text: str) -> bool:
    """Return whether sending the same again is pointless; a 500 may be a version conflict (SIS-API 13.3)."""
    return status != 500 or "E11000" in text
