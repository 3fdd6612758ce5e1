"""New rows without a unique value: which of the rows that appeared since they were sent are they?

The rows of one request share a number, and each keeps its place in it (`_sis._trans_id`, SIS-API 7.1).
Author, time and what they were created with tell whose request that was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sispy import errors

from ..planning.merge import not_stored
from ..planning.validate import identity
from ..reading.commits import as_inserted
from ..reading.lookup import own_since, rows_of
from ..values.entity import body, moment, values_of
from ..values.types.cells import get_path
from ..values.types.equality import equal
from .options import CLOCKS_APART
from .record import Mark

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from ..values.changes import Create
    from ..values.schema import Schema
    from .run import Run

    Entity = Mapping[str, Any]

UNLIKE = "rows like it appeared, but not as they were sent"
NAMELESS = "rows like it appeared, by whom is not known"
GONE = "it came with others of its request, and is there no more"
INCOMPLETE = "others were sent with it that are not in this plan"


@dataclass(frozen=True)
class Arrival:
    """A row that appeared."""

    entity: Entity
    """As it is stored now, or was when it was seen last."""
    made: Entity | None
    """As it was created; None: the history does not tell."""
    gone: bool = False
    """Whether it was seen, and is there no more."""


def mark(run: Run, creates: Sequence[Create]) -> Mark | None:
    """Remember which rows are there before new rows without a unique value are sent, to tell them apart."""
    anonymous = [create for create in creates if identity(run.schema, create) is None]
    if not anonymous:
        return None
    newest = run.server.patiently(
        lambda: rows_of(
            run.endpoint.fetch_page(
                {"sort": "-_sis._created_at", "limit": 1, "fields": "_sis", "populate": False}
            )
        )
    )
    since = max((moment(get_path(row, "_sis._created_at")) or 0 for row in newest), default=0) - CLOCKS_APART
    known = own_since(run.endpoint, since, run.user, send=run.server.patiently, fields="_id")
    rows = tuple(create.row if create in anonymous else None for create in creates)
    found = Mark(since, frozenset(row["_id"] for row in known), rows)
    run.marks.update((create.row, found) for create in anonymous)
    run.seen.clear()
    return found


def requests(run: Run, creates: Iterable[Create]) -> dict[Mark, list[Create]]:
    """Return rows that were sent, request by request."""
    found: dict[Mark, list[Create]] = {}
    for create in creates:
        found.setdefault(run.marks[create.row], []).append(create)
    return found


def appeared(run: Run, creates: Sequence[Create]) -> list[dict[str, Any]]:
    """Return the rows that their sender created since they were sent, and that nothing else explains."""
    explained = run.explained.union(run.made.values(), (o.id for o in run.outcomes.values() if o.id))
    explained |= {id_ for create in creates for id_ in run.marks[create.row].known}
    since = min(run.marks[create.row].since for create in creates)

    def look() -> list[dict[str, Any]]:
        found = own_since(run.endpoint, since, _sender(run, creates))
        places = [place for entity in found if (place := _place(entity)) is not None]
        if len(set(places)) < len(places):
            raise errors.NotJSON("the answer shows one row twice, under another _id", 200)
        return found

    for _ in range(2):  # an answer may be to another request
        if found := [entity for entity in run.server.patiently(look) if entity["_id"] not in explained]:
            break
    run.seen.update((entity["_id"], entity) for entity in found)
    return found


def arrived(run: Run, sent: Mark, creates: Sequence[Create]) -> tuple[dict[Hashable, Arrival], str]:
    """Find the rows of one request among those that appeared.

    The server creates all of them or none. Of two requests that fit the first is ours: a network may have
    delivered it twice, and `verify` counts the rows that are too many.

    Returns:
        The rows that were found, and why it is not known whether the others were created ("": they were not).
    """
    batches: dict[str, dict[int, Arrival]] = {}
    loose: list[Arrival] = []
    there = {entity["_id"]: entity for entity in appeared(run, creates)}
    for id_, entity in {**run.seen, **there}.items():
        made = as_inserted(run.endpoint, run.schema, entity, send=run.server.patiently)
        found = Arrival(entity, made, gone=id_ not in there)
        place = _place(entity)
        if place is None:
            loose.append(found)
        else:
            batches.setdefault(place[0], {})[place[1]] = found
    places = {sent.rows.index(create.row): create for create in creates}
    doubt = ""
    for whole in batches.values():
        batch = {n: one for n, one in whole.items() if n in places or n >= len(sent.rows)}
        fits = {n for n, one in batch.items() if n in places and _fits(run, places[n], one)}
        others = [n for n in batch if n not in fits]
        hidden = all(n in places and batch[n].made is None for n in others)  # what they were is not known
        if fits and hidden:
            if _sender(run, creates) is None:
                return {}, NAMELESS
            return {places[n].row: _as_sent(run, places[n], one) for n, one in batch.items()}, GONE
        if fits or (others and hidden) or any(one.entity["_id"] in run.claimed for one in batch.values()):
            doubt = UNLIKE
    # who writes to a row by compare-and-set may take its number; what nobody wrote to never had one
    taken = [one for one in loose if one.made is not one.entity]
    if any(_fits(run, create, one) for create in creates for one in taken):
        doubt = UNLIKE
    if len(places) < sum(row is not None for row in sent.rows):
        doubt = doubt or INCOMPLETE
    return {}, doubt


def _place(entity: Entity) -> tuple[str, int] | None:
    """Return the number of the request that made a row, and its place in it; None: it was made alone."""
    match get_path(entity, "_sis._trans_id"):
        case {"id": str(id_), "idx": int(n)}:
            return id_, n
    return None


def _as_sent(run: Run, create: Create, found: Arrival) -> Arrival:
    """Return an arrival with what it was created with, also where the history does not tell."""
    if found.made is not None:
        return found
    at = get_path(found.entity, "_sis._created_at")
    values = {**sent_of(run, create), "_sis._updated_at": at}
    return Arrival(found.entity, {**body(values), "_id": found.entity["_id"]})


def _sender(run: Run, creates: Iterable[Create]) -> str | None:
    senders = {run.senders.get(create.row, run.user) for create in creates}
    return senders.pop() if len(senders) == 1 else None


def _fits(run: Run, create: Create, found: Arrival) -> bool:
    state = found.entity if found.made is None else found.made
    return is_begun(run, create, state) and not _has_more(run, create, state)


def is_complete(schema: Schema, create: Create, entity: Entity) -> bool:
    """Return whether a row holds all that shall be in it."""
    return not not_stored(schema, create.values, entity)


def is_begun(run: Run, create: Create, entity: Entity) -> bool:
    """Return whether this is the row, complete or as it was sent at first."""
    sent = sent_of(run, create)
    missing = not_stored(run.schema, create.values, entity)
    return not not_stored(run.schema, {path: sent.get(path) for path in missing}, entity)


def sent_of(run: Run, create: Create) -> dict[str, Any]:
    """Return what was sent to create a row: not all of it may be what the row shall have."""
    return after(next(one.cells for one in reversed(run.pending[create.row]) if one.read is None))


def after(cells: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Return the values that cells are to have."""
    return {path: new for path, (_, new) in cells.items()}


def _has_more(run: Run, create: Create, entity: Entity) -> bool:
    """Return whether a row has cells that its POST does not leave: others than it sends and defaults."""
    return any(
        path not in create.values
        and not path.startswith("_sis.")
        and not equal(run.schema.field(path), value, run.schema.field(path).default)
        for path, value in values_of(run.schema, entity).items()
    )
