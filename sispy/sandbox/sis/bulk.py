"""Bulk operations: many objects at once, one outcome each, never atomic but for `all_or_none`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy.sandbox.js.json import encode
from sispy.sandbox.mongo.store import Document, DuplicateKey
from sispy.sandbox.sis import writes
from sispy.sandbox.sis.envelope import VERSION, sent_sis
from sispy.sandbox.sis.errors import Bad, Denied, Empty, Internal, Missing, SisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy.sandbox.sis.resources import Resource, Shown
    from sispy.sandbox.sis.writes import Change, Window


class Outcome:
    """What became of the items: objects that were written, and errors with what was sent."""

    def __init__(self) -> None:
        self.success: list[Document] = []
        self.errors: list[Document] = []

    def fail(self, error: SisError, value: Any) -> None:
        """Note that an item failed."""
        self.errors.append({"err": error.entry, "value": value})

    def encoded(self, show: Callable[[Document], Shown]) -> bytes:
        """Return the answer, each object that was written as a function shows it."""
        done = b",".join([encode(show(document)) for document in self.success])
        return b'{"success":[' + done + b'],"errors":' + encode(self.errors) + b"}"


async def insert(
    resource: Resource, items: list[Any], user: Document, window: Window, *, all_or_none: bool
) -> Outcome:
    """Create many objects, by one command.

    Raises:
        Bad: There are none.
    """
    if not items:
        raise Bad("Array must not be empty.")
    _refuse_null(resource, items)
    outcome = Outcome()
    bodies = [body for item in items if (body := _permitted(resource, item, user, outcome)) is not None]
    bodies = [body for body in bodies if _verified(resource, body, user, outcome)]
    batch = resource.context.ids()
    documents: list[Document] = []
    for index, body in enumerate(bodies):
        document, errors = writes.build(resource, body, user, {"id": batch, "idx": index})
        if errors:
            sis = {k: v for k, v in document["_sis"].items() if k not in {"_updated_at", "_trans_id"}}
            outcome.fail(writes.invalid(errors), resource.finished({**document, "_sis": sis}))
        else:
            documents.append(document)
    if all_or_none and outcome.errors:
        return outcome
    await window(None)
    wrong = resource.context.defects and bool(outcome.errors)
    failed = False
    for document in documents:
        try:
            writes.check_keys(document)
            resource.collection.insert(document)
        except (DuplicateKey, Internal):
            failed = True
            outcome.fail(Bad("Insert failed"), resource.shown(document))
        else:
            if wrong and failed:  # the server counts without those that it has found to be invalid
                outcome.fail(Bad("Insert failed"), resource.shown(document))
            else:
                outcome.success.append(document)
    if all_or_none and outcome.errors:
        for document in outcome.success:
            resource.collection.delete(document["_id"])
        outcome.success = []
    for document in outcome.success:
        resource.after_change(None, document)
    return outcome


def _refuse_null(resource: Resource, items: list[Any]) -> None:
    if resource.context.defects and None in items:
        raise Empty("an item is null")


def _permitted(resource: Resource, item: Any, user: Document, outcome: Outcome) -> Document | None:
    """Return the body of an item that has the right shape and may be created."""
    try:
        body = resource.check_new(item)
    except SisError as error:
        outcome.fail(error, item)
        return None
    body = resource.fill(user, body)
    try:
        resource.may_insert(user, body)
    except SisError as error:
        outcome.fail(error, {**body, "_sis": {**sent_sis(body), "_version": VERSION}})
        return None
    return body


def _verified(resource: Resource, body: Document, user: Document, outcome: Outcome) -> bool:
    """Return whether the references of an item lead somewhere."""
    try:
        resource.verify_new(body)
    except SisError as error:
        stamp = {
            "_version": VERSION,
            "_created_at": resource.context.clock(),
            "_created_by": user["name"],
            "_updated_by": user["name"],
        }
        outcome.fail(error, {**body, "_sis": {**sent_sis(body), **stamp}})
        return False
    return True


async def update(resource: Resource, items: list[Any], user: Document, window: Window) -> Outcome:
    """Update many objects by their ids; all are read before the first is written.

    Raises:
        Bad: There are none.
    """
    if not items:
        raise Bad("Array must not be empty.")
    _refuse_null(resource, items)
    outcome = Outcome()
    key = "_id" if resource.by_oid else "name"
    planned: list[tuple[Change, Any]] = []
    for item in items:
        name = item.get(key) if isinstance(item, dict) else None
        if name is None or name == "" or not isinstance(item, dict):
            outcome.fail(Bad("Missing ID field in bulk update"), item)
            continue
        stored = resource.find(str(name))
        if stored is None:
            outcome.fail(Missing(resource.type, str(name)), item)
            continue
        try:
            body = resource.check_change(item, stored)
        except SisError as error:
            outcome.fail(error, {k: v for k, v in item.items() if k != "_id"})
            continue
        echoed = {
            **{k: v for k, v in body.items() if k != "_id"},
            "_sis": {**sent_sis(body), "_version": VERSION},
        }
        try:
            planned.append((writes.prepare(resource, stored, body, user), echoed))
        except SisError as error:
            outcome.fail(error, echoed)
    await _install(resource, planned, user, window, outcome)
    return outcome


async def update_matching(
    resource: Resource, found: list[Document], body: Any, user: Document, window: Window
) -> Outcome:
    """Update many objects with one body."""
    outcome = Outcome()
    planned: list[tuple[Change, Any]] = []
    for stored in found:
        echoed = _identity(resource, stored)
        try:
            planned.append((writes.prepare(resource, stored, body, user), echoed))
        except SisError as error:
            outcome.fail(error, echoed)
    await _install(resource, planned, user, window, outcome)
    return outcome


def _identity(resource: Resource, stored: Document) -> Document:
    identity = {"_id": stored["_id"]}
    return identity if resource.by_oid else {**identity, "name": stored["name"]}


async def _install(
    resource: Resource, planned: list[tuple[Change, Any]], user: Document, window: Window, outcome: Outcome
) -> None:
    """Write what was planned, one command per object, in an order that nobody may rely on."""
    shuffle = resource.context.order.shuffle
    shuffle(planned)
    for change, echoed in planned:
        await window(change.before["_id"])
        try:
            made = writes.install(resource, change)
        except SisError as error:
            outcome.fail(error, echoed)
            continue
        resource.record("update", user["name"], made.after, made.before, bulk=True)
        outcome.success.append(made.after)
    shuffle(outcome.errors)


async def delete(resource: Resource, found: list[Document], user: Document, window: Window) -> Outcome:
    """Delete many objects, by one command; those that are locked or not permitted stay."""
    outcome = Outcome()
    for stored in found:
        try:
            writes.check_delete(resource, stored, user)
        except (Denied, Bad) as error:
            outcome.fail(error, resource.shown(stored))
        else:
            outcome.success.append(stored)
    await window(None)
    for stored in outcome.success:
        writes.remove(resource, stored)
        resource.record("delete", user["name"], stored, bulk=True)
    resource.context.order.shuffle(outcome.success)
    return outcome
