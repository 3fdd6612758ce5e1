"""Creates: look whether they exist, send all of a chunk or none, and find out which row is to blame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy import errors

from ..changes import Conflict, Create
from ..fetching.chunks import halves
from ..planning.guard import not_stored
from ..planning.validate import hashable, unique_fields
from ..values.cast import get_path
from ..values.entity import body, receipt, stored
from ..values.equality import equal
from .run import FateUnknown, Run, Stopped
from .send_updates import status_and_text

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from ..report import Word
    from ..schema import Field, Schema


CLOCKS_APART = 5_000
"""Milliseconds by which the clocks of a server's processes may differ."""


def send_creates(run: Run, creates: Sequence[Create], *, lost: int = 0) -> None:
    """Bring some rows to their outcome.

    A row whose unique value exists is not sent: it is "unchanged" if the server holds all of it, or was
    written by this push, else it is a conflict. Rows of a schema without unique fields are recognised after
    a lost answer by author, time and content.
    """
    left = _without_existing(run, creates)
    anonymous = [create for create in left if identity(run.schema, create) is None]
    if any(create.row in run.pending for create in anonymous):
        found = _without_arrived(run, anonymous)
        left = [create for create in left if create not in anonymous or create in found]
    if left:
        _send(run, left, lost=lost)


def identity(schema: Schema, create: Create) -> Field | None:
    """Return the unique field by which a new row can be found again; None if it has none."""
    unique = sorted(unique_fields(schema), key=lambda field: field.path != schema.key)
    return next((field for field in unique if create.values.get(field.path) is not None), None)


def _without_existing(run: Run, creates: Sequence[Create]) -> list[Create]:
    """End the rows that the server has already, and return the others."""
    by_field: dict[Field, list[Create]] = {}
    for create in creates:
        field = identity(run.schema, create)
        if field is not None:
            by_field.setdefault(field, []).append(create)
    there: dict[Hashable, Mapping[str, Any]] = {}
    for field, rows in by_field.items():
        wanted = {hashable(create.values[field.path]): create.row for create in rows}
        for found in run.read(field.path, [create.values[field.path] for create in rows]):
            row = wanted.get(hashable(stored(field, found)))
            if row is not None:
                there[row] = found
    left: list[Create] = []
    for create in creates:
        entity = there.get(create.row)
        if entity is None:
            left.append(create)
            continue
        id_, when = entity["_id"], receipt(entity)
        differing = not_stored(run.schema, create.values, entity)
        if create.row in run.pending and not differing:
            run.entities[id_] = entity
            written = _cells(create)
            reason = "found created after the answer got lost"
            run.settle(create, "done", reason, written=written, id=id_, receipt=when)
        elif not differing:
            run.entities[id_] = entity
            run.settle(create, "unchanged", "it exists with these values", id=id_, receipt=when)
        else:
            run.conflicts[create.row] = tuple(
                Conflict(
                    id_, path, None, create.values[path], stored(run.schema.field(path), entity), create.key
                )
                for path in differing
            )
            run.settle(create, "conflict", f"it exists and differs in {', '.join(differing)}", id=id_)
    return left


def _without_arrived(run: Run, creates: Sequence[Create]) -> list[Create]:
    """End those rows without an identity that a lost request created, and return the ones to be sent.

    A chunk arrives as a whole or not at all. What is found in part, or more often than it was sent, is
    reported, not sent.
    """
    sent = [create for create in creates if create.row in run.pending]
    candidates = _appeared(run, sent)
    matches: dict[Hashable, dict[str, Any]] = {}
    for create in sent:
        match = next((e for e in candidates if not not_stored(run.schema, create.values, e)), None)
        if match is not None:
            matches[create.row] = match
            candidates.remove(match)
    extra = any(not not_stored(run.schema, create.values, e) for create in sent for e in candidates)
    if matches and (len(matches) < len(sent) or extra):
        for create in sent:
            reason = "it may have been created: rows like it appeared, but not as many as were sent"
            run.settle(create, "unsent", reason)
    elif matches:
        for create in sent:
            entity = matches[create.row]
            run.entities[entity["_id"]] = entity
            reason = "found created after the answer got lost"
            run.settle(
                create, "done", reason, written=_cells(create), id=entity["_id"], receipt=receipt(entity)
            )
    return [create for create in creates if create.row not in run.outcomes]


def _mark(run: Run, creates: Sequence[Create]) -> dict[str, Any]:
    """Remember which rows are there before some without an identity are sent, to know those from ours."""
    anonymous = [create for create in creates if identity(run.schema, create) is None]
    if not anonymous:
        return {}
    newest = run.patiently(
        lambda: run.endpoint.fetch_page(
            {"sort": "-_sis._created_at", "limit": 1, "fields": "_sis", "populate": False}
        )
    )
    since = max((get_path(row, "_sis._created_at") or 0 for row in newest), default=0) - CLOCKS_APART
    known = frozenset(row["_id"] for row in _own_since(run, since, run.user, fields="_id"))
    for create in anonymous:
        run.strangers[create.row] = (since, known)
    return {"since": since, "known": sorted(known)}


def _appeared(run: Run, creates: Sequence[Create]) -> list[dict[str, Any]]:
    """Return the rows that their sender created since they were sent, and that nothing else explains."""
    explained = {outcome.id for outcome in run.outcomes.values()}
    since = min(run.strangers[create.row][0] for create in creates)
    for create in creates:
        explained |= run.strangers[create.row][1]
    senders = {run.senders.get(create.row, run.user) for create in creates}
    author = senders.pop() if len(senders) == 1 else None
    return [entity for entity in _own_since(run, since, author) if entity["_id"] not in explained]


def _own_since(run: Run, since: int, author: str | None, **options: Any) -> list[dict[str, Any]]:
    """Return the rows that a user, or if unknown anybody, created since a time of the server's clock."""
    q: dict[str, Any] = {"_sis._created_at": {"$gte": since}}
    if author:
        q["_sis._created_by"] = author
    return list(run.patiently(lambda: run.endpoint.fetch_all({"q": q, "populate": False, **options})))


def _send(run: Run, creates: Sequence[Create], *, lost: int) -> None:
    marks = _mark(run, creates)
    run.about_to_send("create", [(create, _cells(create)) for create in creates], **marks)
    bodies = [_body(run, create) for create in creates]
    try:
        answer = run.write(lambda: run.endpoint.create(bodies, all_or_none=True))
    except FateUnknown as cause:
        if lost + 1 >= run.limits.attempts:
            raise Stopped(f"no answer {lost + 1} times: {cause}") from cause
        run.until_quiet(lambda: traces(run, creates), len(creates))
        send_creates(run, creates, lost=lost + 1)
        return
    except errors.PayloadTooLarge as error:
        run.not_sent(creates)
        _divide(run, creates, str(error), error.http_status_code)
        return
    except errors.BadAnswer as error:
        run.not_sent(creates)
        for create in creates:
            run.settle(create, "failed", str(error), status=error.http_status_code)
        return
    if answer["errors"] or len(answer["success"]) != len(creates):
        run.not_sent(creates)
        _blame(run, creates, list(answer["errors"]))
        return
    for create, entity in zip(creates, _in_order(run, creates, list(answer["success"])), strict=True):
        if entity is None:
            run.settle(create, "failed", "the server's answer does not show this row", status=200)
            continue
        missing = not_stored(run.schema, create.values, entity)
        run.entities[entity["_id"]] = entity
        reason = f"created, but the server does not hold {', '.join(missing)}" if missing else ""
        written = {path: pair for path, pair in _cells(create).items() if path not in missing}
        word: Word = "failed" if missing else "done"
        run.settle(
            create, word, reason, status=200, written=written, id=entity["_id"], receipt=receipt(entity)
        )


def _blame(run: Run, creates: Sequence[Create], entries: list[Any]) -> None:
    """Fail the rows that the server names as culprits, and send the others again; nothing was stored."""
    culprits: dict[Hashable, tuple[int | None, str]] = {}
    for entry in entries:
        value = entry.get("value") if isinstance(entry, dict) else None
        alike = [create for create in creates if isinstance(value, dict) and _resembles(run, create, value)]
        if len(alike) == 1:
            culprits[alike[0].row] = status_and_text(entry)
    if not culprits:
        status, text = status_and_text(entries[0]) if entries else (None, "the server gave no reason")
        _divide(run, creates, text, status)
        return
    for create in creates:
        if create.row in culprits:
            status, text = culprits[create.row]
            run.settle(create, "failed", text, status=status)
    left = [create for create in creates if create.row not in culprits]
    if left:
        send_creates(run, left)


def _divide(run: Run, creates: Sequence[Create], reason: str, status: int | None) -> None:
    if len(creates) == 1:
        run.settle(creates[0], "failed", reason, status=status)
        return
    for half in halves(creates):
        run.stop_if_cancelled()
        send_creates(run, half)


def _resembles(run: Run, create: Create, value: Mapping[str, Any]) -> bool:
    """Tell whether an error entry can be about this row: it shows what was sent, but for the bad fields."""
    field = identity(run.schema, create)
    if field is not None and stored(field, value) is not None:
        return equal(field, stored(field, value), create.values[field.path])
    return all(
        shown in (None, []) or equal(run.schema.field(path), shown, sent)
        for path, sent in create.values.items()
        for shown in [stored(run.schema.field(path), value)]
    )


def _in_order(
    run: Run, creates: Sequence[Create], entities: list[Mapping[str, Any]]
) -> list[Mapping[str, Any] | None]:
    """Return the stored entity of every row, matched by content: the order of answers proves nothing."""
    found: list[Mapping[str, Any] | None] = []
    left = list(entities)
    for create in creates:
        at = next((i for i, entity in enumerate(left) if _resembles(run, create, entity)), None)
        found.append(None if at is None else left.pop(at))
    return found


def traces(run: Run, creates: Sequence[Create]) -> set[str]:
    """Return the ids of rows that a lost request for these rows may have created so far."""
    found: set[str] = set()
    by_path: dict[str, list[Any]] = {}
    for create in creates:
        field = identity(run.schema, create)
        if field is not None:
            by_path.setdefault(field.path, []).append(create.values[field.path])
    anonymous = [create for create in creates if create.row in run.strangers and create.row in run.pending]
    if anonymous:
        found |= {entity["_id"] for entity in _appeared(run, anonymous)}
    for path, values in by_path.items():
        found |= {entity["_id"] for entity in run.read(path, values, fields=())}
    return found


def _body(run: Run, create: Create) -> dict[str, Any]:
    values = dict(create.values)
    if run.plan.owner is not None:
        values.setdefault("_sis.owner", list(run.plan.owner))
    return body(values)


def _cells(create: Create) -> dict[str, tuple[Any, Any]]:
    return {path: (None, value) for path, value in create.values.items()}
