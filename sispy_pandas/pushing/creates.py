"""Creates: look whether they exist, send all of a chunk or none, and find out which row is to blame."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sispy import errors
from sispy.remedies import Argument, Call, Message

from ..planning.merge import merge, not_stored
from ..planning.validate import hashable, identity
from ..reading.chunks import halves
from ..reading.commits import as_inserted
from ..values.changes import Conflict, Create, Update
from ..values.entity import body, receipt, stored
from ..values.references import aimed, ids_in, reference_fields
from ..values.types.cells import get_path
from ..values.types.equality import equal
from .answers import of_bulk, of_one, status_and_text
from .arrivals import after, appeared, arrived, is_begun, is_complete, mark, requests, sent_of
from .interim import interim
from .rounds import until_settled
from .server import FateUnknown

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from ..values.changes import Word
    from ..values.types.base import Field
    from .run import Run

_Work = tuple[Create, Mapping[str, Any], Mapping[str, tuple[Any, Any]]]
"""A new row that is there, what the server holds of it, and the cells to complete it with."""

TAKEN = "Insert failed"
"""All that the server says of a value that must be unique and is there (SIS-API 7.1): made by somebody else
since it was looked for, or by this very request, if the network delivered it twice."""

DELETED_SINCE = Message(
    "it was created, the answer got lost, and somebody deleted it since",
    Call("plan.push()", "creates it once more", ("push",)),
)


def send_creates(run: Run, creates: Sequence[Create]) -> None:
    """Bring some rows to their outcome.

    A row whose unique value exists is not sent: it is "unchanged" if the server holds all of it, or was
    written by this push, else it is a conflict. Rows of a schema without unique fields are recognised after
    a lost answer by author, time and content.
    """
    until_settled(run, creates, partial(_round, run), partial(traces, run))


def _round(run: Run, creates: Sequence[Create]) -> None:
    lost = run.pending.keys() & {create.row for create in creates}
    left = _without_existing(run, creates)
    find_arrived(run, [c for c in left if identity(run.schema, c) is None and c.row in run.pending])
    left = list(filter(run.is_open, left))
    if left:
        run.once_more.update(lost.intersection(c.row for c in left))
        _send(run, left)


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
        values = [create.values[field.path] for create in rows]
        found = run.server.read(field.path, values)
        if len({hashable(stored(field, one)) for one in found}) < len(found):  # no value is there twice
            ids = {one["_id"] for one in run.server.read(field.path, values, fields=())}
            found = [one for one in found if one["_id"] in ids]
        for one in found:
            row = wanted.get(hashable(stored(field, one)))
            if row is not None:
                there[row] = one
    left: list[Create] = []
    for create in creates:
        entity = there.get(create.row)
        if entity is None:
            left.append(create)
            continue
        id_ = entity["_id"]
        differing = not_stored(run.schema, create.values, entity)
        made = _begun(run, create, entity) if create.row in run.pending else None
        if made is not None:
            _created(run, create, entity, made, "found created after the answer got lost")
        elif not differing:
            run.entities[id_] = entity
            run.settle(create, "unchanged", "it exists with these values", id=id_, receipt=receipt(entity))
        else:
            run.conflicts[create.row] = tuple(
                Conflict(
                    id_, path, None, create.values[path], stored(run.schema.field(path), entity), create.key
                )
                for path in differing
            )
            run.settle(create, "conflict", f"it exists and differs in {', '.join(differing)}", id=id_)
    return left


def find_arrived(run: Run, creates: Sequence[Create]) -> None:
    """End the rows without a unique value that a lost request created.

    Doubtful ones are reported, not sent; the others are as if they had not been sent.
    """
    for sent, some in requests(run, creates).items():
        found, doubt = arrived(run, sent, some)
        for create in _simple_first(run, some):
            one = found.get(create.row)
            if one is not None and one.gone:
                run.settle(create, "failed", DELETED_SINCE, id=one.entity["_id"])
            elif one is not None:
                _created(run, create, one.entity, one.made, "found created after the answer got lost")
            elif doubt and create.row not in run.insisted:
                run.settle(create, "failed", _in_doubt(doubt), ambiguous=True)
            else:
                run.insisted.discard(create.row)
                run.pending.pop(create.row)


def _in_doubt(why: str) -> Message:
    return Message(
        f"it may have been created: {why}",
        Call("sp.resume", "looks for it again", ("resume",)),
        Argument("again", "then sends it all the same", True),
    )


def _begun(run: Run, create: Create, entity: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return a row as this push has created it; None: it did not."""
    if run.senders.get(create.row, run.user) not in (None, get_path(entity, "_sis._created_by")):
        return None
    if is_begun(run, create, entity):
        return entity
    made = as_inserted(run.endpoint, run.schema, entity, send=run.server.patiently)
    return made if made is not None and is_begun(run, create, made) else None


def _first(run: Run, create: Create) -> dict[str, Any]:
    """Return the cells of a new row that have to be completed: what they hold at first."""
    sent = sent_of(run, create)
    return {
        path: sent.get(path)
        for path, value in create.values.items()
        if not equal(run.schema.field(path), sent.get(path), value)
    }


def _simple_first(run: Run, creates: Sequence[Create]) -> list[Create]:
    """Return the rows in order: those that take a second request come last."""
    return sorted(creates, key=lambda create: bool(_first(run, create)))


def _send(run: Run, creates: Sequence[Create]) -> None:
    sent = mark(run, creates)
    begin = [{**c.values, **interim(run.schema, c.values, run.to_come)} for c in creates]
    cells = [{path: (None, value) for path, value in values.items()} for values in begin]
    run.about_to_send("create", zip(creates, cells, strict=True), **(sent.as_event() if sent else {}))
    bodies = [_body(run, values) for values in begin]
    try:
        answer = run.write(lambda to: to.create(bodies, all_or_none=True))
    except errors.PayloadTooLarge as error:
        run.not_sent(creates)
        _divide(run, creates, str(error), error.http_status_code)
        return
    except errors.BadAnswer as error:
        run.fail(creates, error, error.http_status_code)
        return
    success, failed = of_bulk(answer)
    if failed and not success:
        _blame(run, creates, failed)
        return
    found = _in_order(run, creates, success, failed)
    for create in _simple_first(run, creates):
        _created(run, create, found[create.row])
    if run.waiting:
        run.journal.keep()


def _created(
    run: Run,
    create: Create,
    entity: Mapping[str, Any],
    made: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """End a row that was created; before that, put in what it could not be created with.

    Args:
        run: The push.
        create: The row.
        entity: As it is stored.
        made: As it was created, if others may have written to it since.
        reason: How that is known.
    """
    if not _first(run, create) or is_complete(run.schema, create, entity):
        _is_created(run, create, entity, made, reason)
        return
    run.made[create.row] = entity["_id"]
    if any(ids_in(create.values, path) & run.to_come.keys() for path, _ in reference_fields(run.schema)):
        run.waiting.add(create.row)
        run.journal.event("made", row=create.row, id=entity["_id"])
    else:
        complete(run, [create])


def complete(run: Run, creates: Sequence[Create]) -> None:
    """Put into new rows what they could not be created with, unless somebody else was quicker."""
    run.waiting.difference_update(create.row for create in creates)
    until_settled(run, creates, partial(_complete, run), partial(_made, run))


def _made(run: Run, creates: Sequence[Create]) -> dict[str, dict[str, Any]]:
    return run.server.read_rows(run.made[create.row] for create in creates)


def _complete(run: Run, creates: Sequence[Create]) -> None:
    entities = _made(run, creates)
    work: list[_Work] = []
    for create in creates:
        id_ = run.made[create.row]
        if id_ not in entities:
            run.conflicts[create.row] = (Conflict(id_, "_id", id_, id_, None, create.key),)
            reason = "somebody deleted the row before it was complete"
            run.settle(create, "conflict", reason, status=404, id=id_)
        elif write := _left_to_put(run, create, entities[id_]):
            run.receipts[create.row] = receipt(entities[id_])
            work.append((create, entities[id_], write))
        else:
            _is_created(run, create, entities[id_])
    together = [item for item in work if not interim(run.schema, after(item[2]))]
    if len(together) > 1:
        _put_together(run, together)
    elif work:
        _put(run, *work[0])
    for create, _, _ in work:  # a request of its own, so it is read again right before it
        if run.is_open(create):
            run.server.stop_if_cancelled()
            complete(run, [create])


def _left_to_put(run: Run, create: Create, entity: Mapping[str, Any]) -> Mapping[str, tuple[Any, Any]]:
    """Return the cells to complete a new row with: path -> (before, after)."""
    first = _first(run, create)
    wanted = aimed(run.schema, create.values, dict.fromkeys(run.to_come))  # those did not come
    update = Update(entity["_id"], first, {path: wanted[path] for path in first}, create.key)
    mine = run.guard == "off" or run.on_conflict == "mine"
    merged = merge(run.schema, update, entity, "mine" if mine else "skip")
    run.conflicts[create.row] = merged.conflicts
    if any(attempt.read is not None for attempt in run.pending[create.row]):
        run.note_arrival(create.row, merged.there)
    return merged.write


def _put(run: Run, create: Create, entity: Mapping[str, Any], write: Mapping[str, tuple[Any, Any]]) -> None:
    id_, values = entity["_id"], after(write)
    run.about_to_send("complete", [(create, write)])
    try:
        answer = run.write(lambda to: to.update(id_, body(values), force_mixed=True), single=True)
    except errors.BadAnswer as error:
        run.not_sent([create])
        run.conflicts[create.row] = ()
        reason = f"created, but {', '.join(values)} was refused: {error}"
        _is_created(run, create, entity, None, reason, error.http_status_code)
    else:
        _is_created(run, create, of_one(answer, id_))


def _put_together(run: Run, work: Sequence[_Work]) -> None:
    """Complete several rows in one request; those that are refused are left open."""
    ids = {entity["_id"] for _, entity, _ in work}
    run.about_to_send("complete", [(create, write) for create, _, write in work])
    bodies = [{"_id": entity["_id"], **body(after(write))} for _, entity, write in work]
    try:
        success, _ = of_bulk(run.write(lambda to: to.update_bulk(bodies)), ids)
    except errors.BadAnswer:
        run.not_sent(create for create, _, _ in work)
        return
    found = {entity["_id"]: entity for entity in success}
    for create, entity, _ in work:
        if entity["_id"] in found:
            _is_created(run, create, found[entity["_id"]])
        else:
            run.not_sent([create])


def _is_created(
    run: Run,
    create: Create,
    entity: Mapping[str, Any],
    made: Mapping[str, Any] | None = None,
    reason: str = "",
    refusal: int | None = None,
) -> None:
    missing = not_stored(run.schema, create.values, entity)
    if made is not None:  # what it was created with and others have changed since
        missing = [path for path in not_stored(run.schema, create.values, made) if path in missing]
    written = {path: pair for path, pair in _cells(create).items() if path not in missing}
    lost = set(missing) - {conflict.field for conflict in run.conflicts.get(create.row, ())}
    if lost and refusal is None:
        reason = f"created, but the server does not hold {', '.join(sorted(lost))}"
        left = [
            path
            for path, _ in reference_fields(run.schema)
            if ids_in(create.values, path) & run.to_come.keys()
        ]
        if left:
            reason = f"created, but {', '.join(left)} refer to rows that did not come back"
    run.entities[entity["_id"]] = entity
    word: Word = "failed" if lost else "done"
    run.settle(
        create,
        word,
        reason,
        status=refusal or 200,
        written=written,
        id=entity["_id"],
        receipt=receipt(entity if made is None or _first(run, create) else made),
    )


def _blame(run: Run, creates: Sequence[Create], entries: list[Any]) -> None:
    """Fail the rows that the server names as culprits; nothing was stored."""
    culprits: dict[Hashable, tuple[int | None, str]] = {}
    for entry in entries:
        value = entry.get("value") if isinstance(entry, dict) else None
        alike = [create for create in creates if isinstance(value, dict) and _resembles(run, create, value)]
        if len(alike) == 1:
            culprits[alike[0].row] = status_and_text(entry)
    if not culprits:
        run.not_sent(creates)
        status, text = status_and_text(entries[0])
        _divide(run, creates, text, status)
        return
    taken = {
        create.row
        for create in creates
        if create.row in culprits.keys() - run.taken
        and culprits[create.row][1].endswith(TAKEN)
        and identity(run.schema, create) is not None
    }
    run.taken |= taken
    run.not_sent(create for create in creates if create.row not in taken)
    for create in creates:  # the others go into the next round, where those that are there by now are found
        if create.row in culprits.keys() - taken:
            status, text = culprits[create.row]
            run.settle(create, "failed", text, status=status)


def _divide(run: Run, creates: Sequence[Create], reason: str, status: int | None) -> None:
    if len(creates) == 1:
        run.settle(creates[0], "failed", reason, status=status)
        return
    for half in halves(creates):
        run.server.stop_if_cancelled()
        send_creates(run, half)


def _resembles(run: Run, create: Create, value: Mapping[str, Any]) -> bool:
    """Return whether an entity, or an error entry, can be about this row: it shows what was sent."""
    field = identity(run.schema, create)
    if field is not None and stored(field, value) is not None:
        return equal(field, stored(field, value), create.values[field.path])
    return all(
        shown in (None, []) or equal(run.schema.field(path), shown, sent)
        for path, sent in sent_of(run, create).items()
        for shown in [stored(run.schema.field(path), value)]
    )


def _in_order(
    run: Run, creates: Sequence[Create], entities: Sequence[Mapping[str, Any]], failed: Sequence[Any]
) -> dict[Hashable, Mapping[str, Any]]:
    """Return the stored entity of every row, matched by content: the order of answers proves nothing.

    Raises:
        FateUnknown: The answer does not show every row exactly once, and nothing else.
    """
    ids = {entity["_id"] for entity in entities}
    known = {*run.made.values(), *(outcome.id for outcome in run.outcomes.values())}
    for create in creates:
        known |= run.marks[create.row].known if create.row in run.marks else set()
    found: dict[Hashable, Mapping[str, Any]] = {}
    left = list(entities)
    for create in creates:
        at = next((i for i, entity in enumerate(left) if _resembles(run, create, entity)), None)
        if at is not None:
            found[create.row] = left.pop(at)
    if failed or left or ids & known or not len(ids) == len(entities) == len(creates):
        run.claimed |= ids - known
        raise FateUnknown(f"{len(creates)} new rows were sent, the answer shows {len(found)} of them")
    return found


def traces(run: Run, creates: Sequence[Create]) -> set[str]:
    """Return the ids of rows that a lost request for these rows may have created so far."""
    found: set[str] = set()
    by_path: dict[str, list[Any]] = {}
    for create in creates:
        field = identity(run.schema, create)
        if field is not None:
            by_path.setdefault(field.path, []).append(create.values[field.path])
    anonymous = [create for create in creates if create.row in run.marks and create.row in run.pending]
    if anonymous:
        found |= {entity["_id"] for entity in appeared(run, anonymous)}
    for path, values in by_path.items():
        found |= {entity["_id"] for entity in run.server.read(path, values, fields=())}
    return found


def _body(run: Run, values: Mapping[str, Any]) -> dict[str, Any]:
    owner = {} if run.plan.owner is None else {"_sis.owner": list(run.plan.owner)}
    return body(owner | dict(values))


def _cells(create: Create) -> dict[str, tuple[Any, Any]]:
    return {path: (None, value) for path, value in create.values.items()}
