"""Updates: read again, merge, send in one request, and learn what became of every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sispy import errors

from ..changes import Conflict, Update
from ..fetching.chunks import halves
from ..planning.guard import Merged, merge, not_stored, payload, unguarded
from ..values.entity import body, receipt
from .run import FateUnknown, Run, Stopped

Work = tuple[Update, Mapping[str, tuple[Any, Any]]]


def send_updates(
    run: Run,
    updates: Sequence[Update],
    *,
    look: bool = True,
    alone: bool = False,
    lost: int = 0,
    last: FateUnknown | None = None,
) -> None:
    """Bring some rows to their outcome.

    Args:
        run: The push.
        updates: One chunk.
        look: Read the rows again first.
        alone: This row was refused among others: what the server says now is its own reason.
        lost: How often the answer for these rows did not arrive.
        last: The server fails on this row again and again: what did not arrive by now is not sent again.
    """
    work: list[Work] = []
    decision = "mine" if run.guard == "off" else run.on_conflict
    entities = run.read_rows((u.id for u in updates), fields=_touched(updates)) if look else {}
    for update in updates:
        entity = entities.get(update.id)
        if look and entity is None:
            is_gone(run, update)
            continue
        merged = unguarded(update) if entity is None else merge(run.schema, update, entity, decision)
        write = left_to_write(run, update, merged, entity or {}, last=last)
        if write:
            work.append((update, write))
    plain: list[tuple[Work, dict[str, Any]]] = []
    for item in work:
        values, replaces = payload(run.schema, item[1])
        if replaces:
            _send_one(run, item, values, lost=lost)
        else:
            plain.append((item, values))
    if plain:
        _send_bulk(run, plain, alone=alone, lost=lost)


def _send_bulk(run: Run, items: Sequence[tuple[Work, dict[str, Any]]], *, alone: bool, lost: int) -> None:
    work = [item for item, _ in items]
    updates = [update for update, _ in work]
    run.about_to_send("update", work)
    bodies = [{"_id": update.id, **body(values)} for (update, _), values in items]
    try:
        answer = run.write(lambda: run.endpoint.update_bulk(bodies))
    except FateUnknown as cause:
        look_again(run, updates, cause, lost)
        return
    except errors.PayloadTooLarge as error:
        run.not_sent(updates)
        if len(updates) == 1:
            run.settle(updates[0], "failed", str(error), status=error.http_status_code)
            return
        for half in halves(updates):
            send_updates(run, half)
        return
    except errors.BadAnswer as error:
        run.not_sent(updates)
        for update in updates:
            run.settle(update, "failed", str(error), status=error.http_status_code)
        return
    stored = {
        entity["_id"]: entity for entity in answer["success"] if isinstance(entity, dict) and "_id" in entity
    }
    refused: list[Work] = []
    for update, write in work:
        if update.id in stored:
            is_written(run, update, write, stored[update.id])
        else:
            refused.append((update, write))
    if refused:
        _refused(run, refused, list(answer["errors"]), whole=len(refused) == len(work), alone=alone)


def _refused(run: Run, refused: Sequence[Work], entries: list[Any], *, whole: bool, alone: bool) -> None:
    """Find the reasons of rows that the server did not write."""
    reasons = [status_and_text(entry) for entry in entries]
    gone = {
        entry["value"]["_id"]
        for entry, (status, _) in zip(entries, reasons, strict=True)
        if status == 404 and isinstance(entry.get("value"), dict) and "_id" in entry["value"]
    }
    same = len(set(reasons)) == 1 and len(reasons) == len(refused)
    retry: list[Update] = []
    for update, _ in refused:
        if update.id in gone:
            is_gone(run, update)
        elif reasons and (alone or (whole and same and _is_final(*reasons[0]))):
            status, text = reasons[0]
            run.settle(update, "failed", text, status=status)
        elif alone:
            run.settle(update, "failed", "the server left the row out of its answer, twice")
        else:
            retry.append(update)
    for update in retry:
        run.stop_if_cancelled()
        send_updates(run, [update], alone=True)


def _send_one(run: Run, work: Work, values: Mapping[str, Any], *, lost: int) -> None:
    """Send a row whose Mixed field must be replaced: a request of its own."""
    update, write = work
    run.about_to_send("update", [work])
    try:
        answer = run.write(
            lambda: run.endpoint.update(update.id, body(values), force_mixed=True), single=True
        )
    except FateUnknown as cause:
        look_again(run, [update], cause, lost)
    except errors.NotFound:
        is_gone(run, update)
    except errors.BadAnswer as error:
        run.not_sent([update])
        run.settle(update, "failed", str(error), status=error.http_status_code)
    else:
        is_written(run, update, write, answer.to_dict())


def look_again(run: Run, updates: Sequence[Update], cause: FateUnknown, lost: int) -> None:
    """Find out what became of a write without an answer, and send what did not arrive."""
    if lost + 1 >= run.limits.attempts:
        raise Stopped(f"no answer {lost + 1} times: {cause}") from cause
    ids, fields = [update.id for update in updates], _touched(updates)
    if len(updates) > 1 or not has_ended(cause):
        run.until_quiet(lambda: run.read_rows(ids, fields=fields), len(updates))
    if isinstance(cause.__cause__, errors.ServerError):
        for update in updates:  # one of them may be what breaks the server
            send_updates(run, [update], lost=lost + 1, last=cause if lost and len(updates) == 1 else None)
    else:
        send_updates(run, updates, lost=lost + 1)


def has_ended(cause: FateUnknown) -> bool:
    """Tell whether the server itself says that it is done with one row: a proxy may have given up on it."""
    error = cause.__cause__
    return isinstance(error, errors.ServerError) and error.http_status_code == 500


def left_to_write(
    run: Run, update: Update, merged: Merged, entity: Mapping[str, Any], *, last: FateUnknown | None
) -> Mapping[str, tuple[Any, Any]]:
    """Return the cells of a row that are to be written; none if that ends the row.

    Args:
        run: The push.
        update: The row.
        merged: Its cells, compared with what the server holds.
        entity: What the server holds.
        last: See `send_updates`.
    """
    run.note_arrival(update.id, merged.there)
    if entity:
        run.receipts[update.id] = receipt(entity)
    if merged.conflicts:
        run.conflicts[update.id] = merged.conflicts
    else:
        run.conflicts.pop(update.id, None)
    if not merged.write:
        _is_settled(run, update, merged, entity)
    elif last is not None:
        error = last.__cause__
        status = error.http_status_code if isinstance(error, errors.Error) else None
        run.settle(update, "failed", str(last), status=status)
    else:
        return merged.write
    return {}


def _is_settled(run: Run, update: Update, merged: Merged, entity: Mapping[str, Any]) -> None:
    if run.arrived.get(update.id):
        run.settle(update, "done", "found written after its answer got lost", receipt=receipt(entity))
    elif merged.given_up:
        run.settle(update, "unchanged", f"left as others made it: {', '.join(merged.given_up)}")
    else:
        run.settle(update, "unchanged", "the server holds these values already", receipt=receipt(entity))


def is_written(
    run: Run, update: Update, write: Mapping[str, tuple[Any, Any]], answer: Mapping[str, Any]
) -> None:
    """End a row that the server says it wrote: done only if its answer holds every value sent."""
    missing = not_stored(run.schema, {path: mine for path, (_, mine) in write.items()}, answer)
    written = {path: pair for path, pair in write.items() if path not in missing}
    run.entities[update.id] = answer
    if missing:
        reason = f"the server took the request but does not hold the new value of {', '.join(missing)}"
        run.settle(update, "failed", reason, status=200, written=written, receipt=receipt(answer))
    else:
        run.settle(update, "done", status=200, written=written, receipt=receipt(answer))


def is_gone(run: Run, update: Update) -> None:
    """End a row that does not exist any more."""
    run.conflicts[update.id] = (Conflict(update.id, "_id", update.id, update.id, None, update.key),)
    run.settle(update, "conflict", "somebody deleted the row", status=404)


def _is_final(status: int | None, text: str) -> bool:
    """Tell whether sending the same again is pointless; a 500 may be a version conflict (SIS-API 13.3)."""
    return status != 500 or "E11000" in text


def _touched(updates: Sequence[Update]) -> set[str]:
    return {path for update in updates for path in update.after}


def status_and_text(entry: Any) -> tuple[int | None, str]:
    """Read an error entry of a bulk answer; `err` has two elements or three (SIS-API 7)."""
    err = entry.get("err") if isinstance(entry, dict) else None
    if not isinstance(err, list) or not err:
        return None, "the server gave no reason"
    said = err[1] if len(err) > 1 else None
    text = said.get("error") if isinstance(said, dict) else said
    return err[0] if isinstance(err[0], int) else None, str(text or "the server gave no reason")
