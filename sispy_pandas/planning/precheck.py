"""What only the server can tell before the first write: references, unique values, locks, owners."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sispy.remedies import Argument, Message

from ..reading.chunks import is_askable
from ..reading.lookup import missing, read, referring, rows_of
from ..values.changes import Change, Create, Delete, Problem, Update, row_of
from ..values.entity import stored
from ..values.extras import no_collection
from ..values.progress import BRIEF, Waits, bar
from ..values.references import ids_at, ids_in, new_rows, reference_fields, sent_by
from ..values.schema import parse_schema
from .merge import not_stored
from .rights import roles_of, why_fixed, why_kept, why_no_row, why_not
from .validate import hashable, new_value, old_value, unique_fields

if TYPE_CHECKING:
    from ..values.progress import Bar
    from .change_set import ChangeSet

C = TypeVar("C", bound="ChangeSet")


@no_collection()
def precheck(
    plan: C,
    *,
    allow_dangling: bool = False,
    whole: ChangeSet | None = None,
    others: Sequence[ChangeSet] = (),
    progress: Any = False,
) -> C:
    """Return the plan with the problems that the server knows of; see `Plan.check`.

    Args:
        plan: Or a part of it.
        allow_dangling: See there.
        whole: The plan that it is a part of, whose new rows may be referred to.
        others: Plans that are pushed together with it: their new rows may be referred to, and what they
            change or delete refers to nothing any more.
        progress: As `progress.bar` takes it.
    """
    if not plan.changes:
        return plan
    ids = [change.id for change in plan.changes if not isinstance(change, Create)]
    references = reference_fields(plan.schema)
    leaving = {
        change.id
        for other in others
        if other.schema.name == plan.schema.name
        for change in other.changes
        if isinstance(change, Delete)
    }
    expected = {id_ for other in others for id_ in new_rows(other.schema.name, other.changes)}
    paths = {path for path, _ in references} | {"_sis"}
    with bar(progress, total=None, unit=" values", desc=f"check {plan.schema.name}", delay=BRIEF) as shown:
        waits = Waits(shown.set_postfix_str)
        watch = waits.before_another_try
        rows = {row["_id"]: row for row in read(plan.endpoint, "_id", ids, fields=paths, shown=shown)}
        expected |= to_come(plan if whole is None else whole, shown).keys()
        found = [
            *_references(plan, references, expected, shown),
            *_dangling(plan, references, rows, shown),
            *_unique(plan, shown, leaving),
            *_locked(plan, rows),
            *_owners(plan, rows, watch),
        ]
        deletes = [change for change in plan.changes if isinstance(change, Delete)]
        if deletes and not allow_dangling:
            found += _referred(plan, deletes, others, watch)
        waits.over()
    return plan.with_problems(found)


def to_come(plan: ChangeSet, shown: Bar | None = None) -> dict[str, Hashable]:
    """Return the new rows that a plan refers to, by the ids that it does so by; see `new_rows`.

    Raises:
        sispy.Error: The server could not be asked.
    """
    name = plan.schema.name
    paths = [path for path, target in reference_fields(plan.schema) if target == name]
    new = new_rows(name, plan.changes) if paths else {}
    meant = {id_ for change in plan.changes for path in paths for id_ in ids_in(sent_by(change), path) if new}
    # a copy may be labelled by the `_id` of a row that is there: who names that means the original
    return {id_: new[id_] for id_ in missing(plan.endpoint.client, name, new.keys() & meant, shown=shown)}


def _references(
    plan: ChangeSet, references: Sequence[tuple[str, str]], coming: Collection[str], shown: Bar
) -> list[Problem]:
    """Find references to rows that do not exist."""
    sent = [(change, sent_by(change)) for change in plan.changes]
    named = {(p.row, p.column) for p in plan.problem_list}  # a name of no row is none of an id, either
    found = []
    for path, target in references:
        wanted = {id_ for _, values in sent for id_ in ids_in(values, path)}
        gone = missing(plan.endpoint.client, target, wanted, shown=shown).difference(coming)
        for change, values in sent:
            refused = any(
                (row_of(change), name) in named for name in values if f"{path}.".startswith(f"{name}.")
            )
            for id_ in () if refused else sorted(ids_in(values, path) & gone):
                reason = f"refers to a {target} that does not exist"
                found.append(Problem(row_of(change), reason, path, id_, change.key))
    return found


def _dangling(
    plan: ChangeSet,
    references: Sequence[tuple[str, str]],
    rows: Mapping[str, Mapping[str, Any]],
    shown: Bar,
) -> list[Problem]:
    """Find rows that the server refuses for an old reference that leads nowhere (SIS-API 5.4)."""
    updates = [change for change in plan.changes if isinstance(change, Update) and change.id in rows]
    found = []
    for path, target in references:
        left = [
            u for u in updates if not any(path == name or path.startswith(f"{name}.") for name in u.after)
        ]
        held = {update.id: ids_at(rows[update.id], path) for update in left}
        wanted = set().union(*held.values()) if held else set()
        gone = missing(plan.endpoint.client, target, wanted, shown=shown)
        for update in left:
            for id_ in sorted(held[update.id] & gone):
                reason = (
                    f"refers to a {target} that was deleted: the server refuses the row until this is changed"
                )
                found.append(Problem(update.id, reason, path, id_, update.key))
    return found


def _unique(plan: ChangeSet, shown: Bar, leaving: Collection[str]) -> list[Problem]:
    """Find new values of unique fields that other rows have by now."""
    found = []
    for field in unique_fields(plan.schema):
        takers: dict[str, Change] = {}
        for change in plan.changes:
            value = new_value(change, field.path)
            if value is not None:
                takers[hashable(value)] = change
        if not takers:
            continue
        freed = {
            row_of(change): hashable(old)
            for change in plan.changes
            if (old := old_value(change, field.path)) is not None
        }
        values = [new_value(change, field.path) for change in takers.values()]
        for change, value in zip(takers.values(), values, strict=True):
            if not is_askable(value):
                reason = "too long for a unique value: the server cannot be asked whether another row has it"
                found.append(Problem(row_of(change), reason, field.path, value, change.key))
        for row in read(plan.endpoint, field.path, values, shown=shown):
            value = hashable(stored(field, row))
            taker = takers.get(value)
            if (
                taker is None
                or row["_id"] in leaving
                or row["_id"] == row_of(taker)
                or freed.get(row["_id"]) == value
            ):
                continue
            if isinstance(taker, Create) and not not_stored(plan.schema, taker.values, row):
                continue  # it was created before, just so
            reason = f"row {row['_id']} has this value already, and it must be unique"
            found.append(Problem(row_of(taker), reason, field.path, new_value(taker, field.path), taker.key))
    return found


def _locked(plan: ChangeSet, rows: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Find rows that must not be deleted or not be changed, whoever asks (SIS-API 2.4)."""
    found = []
    for change in plan.changes:
        sis = rows.get(str(row_of(change)), {}).get("_sis", {})
        if isinstance(change, Delete) and (why := why_kept(sis)) is not None:
            found.append(Problem(change.id, why, "_sis.locked", True, change.key))
        if isinstance(change, Update) and (why := why_fixed(sis)) is not None:
            found.append(Problem(change.id, why, "_sis.immutable", True, change.key))
    return found


def _owners(
    plan: ChangeSet, rows: Mapping[str, Mapping[str, Any]], watch: Callable[[float, Exception], object]
) -> list[Problem]:
    """Find rows that the user may not write, where his name and roles are known (SIS-API 2.2)."""
    schema = plan.schema
    found = []
    if not (schema.is_public or schema.is_open):
        for change in plan.changes:
            wanted = _new_owners(plan, change)
            strange = sorted(set(wanted) - set(schema.owner))
            if strange:
                reason = f"owners must be among those of the schema: {', '.join(schema.owner)}"
                found.append(Problem(row_of(change), reason, "_sis.owner", list(wanted), change.key))
    client = plan.endpoint.client
    roles = roles_of(client.users.watched(watch), client.username)
    if roles is None:
        return found
    if (nowhere := why_no_row(schema, roles)) is not None:
        return [
            *found,
            *(Problem(row_of(c), nowhere, "_sis.owner", None, c.key, denied=True) for c in plan.changes),
        ]
    for change in plan.changes:
        sis = rows.get(str(row_of(change)), {}).get("_sis", {})
        for owners in (sis.get("owner") or (), _new_owners(plan, change)):
            why = why_not(roles, owners, any_owner=bool(sis.get("any_owner_can_modify")))
            if why is not None:
                found.append(
                    Problem(row_of(change), why, "_sis.owner", list(owners), change.key, denied=True)
                )
                break
    return found


def _new_owners(plan: ChangeSet, change: Change) -> Sequence[str]:
    own = sent_by(change).get("_sis.owner")
    if own is None and isinstance(change, Create):
        own = plan.owner
    return own or ()


def _referred(
    plan: ChangeSet,
    deletes: Sequence[Delete],
    others: Sequence[ChangeSet],
    watch: Callable[[float, Exception], object],
) -> list[Problem]:
    """Find rows to be deleted that other rows refer to, and will then, with counts per schema."""
    name, gone = plan.schema.name, {delete.id for delete in deletes}
    together = {(p.schema.name, row_of(change)): change for p in (plan, *others) for change in p.changes}
    rows: dict[str, dict[str, set[str]]] = {id_: {} for id_ in gone}  # one may refer by several fields
    client = plan.endpoint.client
    for document in rows_of(client.schemas.watched(watch).fetch_all({})):
        schema = parse_schema(document)
        for path, target in reference_fields(schema):
            if target != name:
                continue
            endpoint = client.entities(schema.name).watched(watch)
            for row in referring(endpoint, path, sorted(gone), [path]):
                change = together.get((schema.name, row["_id"]))
                if isinstance(change, Delete):
                    continue
                for id_ in _left(change, row, path) & gone:
                    rows[id_].setdefault(schema.name, set()).add(row["_id"])
    return [
        Problem(
            delete.id,
            Message(
                "referred to by ",
                ", ".join(f"{len(of):,} of {schema}" for schema, of in sorted(rows[delete.id].items())),
                "; the server would refuse to change those from then on",
                Argument("allow_dangling", "deletes it anyway", True),
            ),
            "_id",
            delete.id,
            delete.key,
        )
        for delete in deletes
        if rows[delete.id]
    ]


def _left(change: Change | None, row: Mapping[str, Any], path: str) -> set[str]:
    """Return the ids that a row will hold at a path once a change is made."""
    sent = {} if change is None else sent_by(change)
    is_sent = any(path == name or path.startswith(f"{name}.") for name in sent)
    return ids_in(sent, path) if is_sent else ids_at(row, path)
