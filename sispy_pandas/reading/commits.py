"""Commits replayed: what a row was before and after each of them, and which cells each has changed.

SIS keeps the full object of an insert or delete and a delta of each update (SIS-API 9). The states between
are rebuilt backwards from what is stored now, which needs only the commits asked for and works where tracking
was switched on late; where a delta does not fit (the schema lost a field since), forwards from the insert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from sispy import errors
from sispy.delta import DeltaError, patch, same, unpatch
from sispy.paging import MAX_PAGE, by_offset, total_of

from ..values.entity import moment, receipt, stored
from ..values.types.cells import get_path
from ..values.types.convert import cast, is_blank
from ..values.types.equality import equal

if TYPE_CHECKING:
    from sispy import Endpoint
    from sispy.response import Response

    from ..values.schema import Schema
    from .lookup import Send

Action = Literal["insert", "update", "delete"]
_ACTIONS = get_args(Action)
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of a row, with the row before and after it; None where there was no row."""

    id: str
    commit: str
    action: Action
    by: str
    at: int
    """ms since 1970."""
    before: Document | None
    after: Document | None
    touched: frozenset[str] | None = None
    """Top-level fields that an update's delta names; None: all."""
    now: Document | None = None
    """Of the newest step: the row as it is stored; not all writes leave commits. None: it is gone."""


class Edit(NamedTuple):
    """One cell that one commit has changed; values are those of plans."""

    id: str
    key: Any
    field: str
    before: Any
    after: Any
    by: str
    at: int
    """ms since 1970."""
    action: Action
    known: bool = True
    """Whether the schema still has the field."""
    commit: str = ""
    """`_id` of that commit: two of them may have the same time."""


def commits_of(endpoint: Endpoint, id_: str, since: int | None = None) -> list[Document]:
    """Read the commits of a row, the newest first.

    Args:
        endpoint: Entities of a schema.
        id_: The row's `_id`; the server knows commits by nothing else.
        since: ms since 1970 from which on; None: all.

    Raises:
        sispy.Error: The server does not answer, or not with commits.
    """
    q = {"date_modified": {"$gte": since}} if since is not None else None
    commits = endpoint.commits(id_)
    pages = list(
        by_offset(lambda query: _checked(commits.fetch_page(query)), {"q": q} if q else {}, MAX_PAGE)
    )
    found = {commit["_id"]: commit for page in pages for commit in page}
    told = total_of(pages[0])
    if len(found) < sum(map(len, pages)) or (told is not None and len(found) < told):
        raise errors.NotJSON(f"the commits of {id_:.100} are not complete: {len(found)} of {told} came", 200)
    return list(found.values())


def as_inserted(
    endpoint: Endpoint, schema: Schema, entity: Document, *, send: Send = lambda call: call()
) -> Document | None:
    """Return a row as it was created; None where the history does not tell.

    It costs a request if somebody wrote to the row since.

    Raises:
        sispy.Error: The server does not answer, or not with commits.
    """
    if moment(get_path(entity, "_sis._created_at")) == receipt(entity):
        return entity
    if not schema.track_history:
        return None
    commits = send(lambda: commits_of(endpoint, entity["_id"]))
    return next((commit["commit_data"] for commit in commits if commit["action"] == "insert"), None)


def _checked(answer: Response) -> Response:
    try:
        found = answer.to_list()
    except errors.Error:
        found = [None]
    if not all(map(_is_commit, found)):
        raise errors.NotJSON(f"the answer is not a list of commits: {answer!s:.100}", 200)
    return answer


def _is_commit(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and found.get("action") in _ACTIONS
        and isinstance(found.get("_id"), str)
        and isinstance(found.get("entity_oid"), str)
        and isinstance(found.get("modified_by"), str)
        and isinstance(found.get("commit_data"), dict)
        and moment(found.get("date_modified")) is not None
    )


def replay(current: Document | None, commits: Sequence[Document]) -> list[Step]:
    """Rebuild what each commit has changed, the newest first.

    Args:
        current: The row as it is stored now, references as ids; None: it is gone.
        commits: All its commits from some time on, the newest first. Those that came after `current` was read
            are left out.

    Raises:
        DeltaError: The commits do not lead to what is stored: read all of them and try again, or the server's
            history is incomplete.
    """
    read_at = None if current is None else receipt(current)
    if read_at is not None:
        commits = [commit for commit in commits if commit["date_modified"] <= read_at]
    try:
        steps = _backwards(current, commits)
    except DeltaError:
        if not any(commit["action"] == "insert" for commit in commits):
            raise
        steps = _forwards(commits)
    if steps:
        steps[0] = replace(steps[0], now=current)
    return steps


def steps_since(endpoint: Endpoint, id_: str, current: Document | None, start: int) -> tuple[Step, ...] | str:
    """Rebuild a row's steps since a time, the newest first; a text where its commits do not add up."""
    try:
        return tuple(replay(current, commits_of(endpoint, id_, start)))
    except ValueError:
        pass  # the delta of a field that the schema lost: the whole history has its values
    try:
        return tuple(step for step in replay(current, commits_of(endpoint, id_)) if step.at >= start)
    except ValueError as error:
        return str(error)


def cells(schema: Schema, step: Step) -> Iterator[tuple[str, Any, Any, bool]]:
    """Yield (field, before, after, whether the schema has it) of every cell that a step has changed."""
    before, after = step.before or {}, step.after or {}
    for field, top in zip(schema.fields, schema.tops, strict=True):
        if step.touched is not None and top not in step.touched:
            continue
        new = stored(field, after)
        old = cast(field, None) if step.before is None else stored(field, before)
        if not (is_blank(new, field) if step.before is None else equal(field, old, new)):
            yield field.path, old, new, True
    names = step.touched if step.touched is not None else before.keys() | after.keys()
    for name in sorted(names.difference(schema.tops)):
        if not name.startswith("_") and not same(before.get(name), after.get(name)):
            yield name, before.get(name), after.get(name), False


def edits(schema: Schema, step: Step) -> Iterator[Edit]:
    """Yield the cells that a step has changed."""
    key = key_of(schema, step)
    for path, before, after, known in cells(schema, step):
        yield Edit(step.id, key, path, before, after, step.by, step.at, step.action, known, step.commit)


def key_of(schema: Schema, step: Step) -> Any:
    """Return the name that people knew the row by after a step."""
    return stored(schema.field(schema.key), step.after or step.before or {}) if schema.key else None


def _backwards(current: Document | None, commits: Sequence[Document]) -> list[Step]:
    steps: list[Step] = []
    state = current
    for commit in commits:
        data = commit["commit_data"]
        if commit["action"] == "delete":
            steps.append(_step(commit, data, None))
            state = data
        elif commit["action"] == "insert":
            steps.append(_step(commit, None, data))
            state = None
        else:
            if state is None:
                raise DeltaError(f"commit {commit['_id']} updates a row that is not there")
            delta = _fields(data)
            after = {**_lost(delta, state), **state}
            before = unpatch(after, delta)
            steps.append(_step(commit, before, after))
            state = before
    return steps


def _forwards(commits: Sequence[Document]) -> list[Step]:
    steps: list[Step] = []
    state: Document | None = None
    for commit in reversed(commits):
        data = commit["commit_data"]
        if commit["action"] == "insert":
            steps.append(_step(commit, None, data))
            state = data
        elif commit["action"] == "delete":
            steps.append(_step(commit, data, None))
            state = None
        elif state is not None:
            after = patch(dict(state), _fields(data))
            steps.append(_step(commit, state, after))
            state = after
    return steps[::-1]


def _fields(delta: Document) -> dict[str, Any]:
    """Take `_sis` and `_v` out of a delta: changes of `_sis` alone leave no commits, so it may not fit."""
    return {name: one for name, one in delta.items() if not name.startswith("_")}


def _lost(delta: Document, state: Document) -> dict[str, Any]:
    """Return the values of whole fields that the row had after a commit and the schema has lost since."""
    return {
        name: one[-1]
        for name, one in delta.items()
        if name not in state and isinstance(one, list) and len(one) in (1, 2)
    }


def _step(commit: Document, before: Document | None, after: Document | None) -> Step:
    touched = frozenset(_fields(commit["commit_data"])) if commit["action"] == "update" else None
    return Step(
        id=commit["entity_oid"],
        commit=commit["_id"],
        action=commit["action"],
        by=commit["modified_by"],
        at=int(commit["date_modified"]),
        before=before,
        after=after,
        touched=touched,
    )
