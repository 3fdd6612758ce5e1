"""What shall happen to a row, and how it ended: the values of which plans and reports are made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Create:
    """A new row. Blank cells are left out of `values`, so that the server fills in its defaults.

    `row` names it until it has an `_id`: its label in the user's frame, or its position (from 0) where
    that label is blank or not unique. It differs from every other row and every `_id` of the same plan.
    """

    row: Hashable
    values: Mapping[str, Any]
    """Dotted field path -> JSON value."""
    key: Any = None
    """The row's value of the schema's key field, for people to recognise it by."""
    lacks: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What cells shall hold once rows are back that they refer to: dotted field path -> JSON value."""


@dataclass(frozen=True, slots=True)
class Update:
    """Changed cells of one row: dotted field path -> JSON value, the same paths before and after."""

    id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    key: Any = None
    receipt: int | None = None
    """`_sis._updated_at` of the state that `before` was taken from, in ms; None: not known."""
    lacks: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What cells shall hold once rows are back that they refer to: dotted field path -> JSON value."""


@dataclass(frozen=True, slots=True)
class Delete:
    """A row to be removed; `before` is the row as it was fetched, by dotted field path."""

    id: str
    before: Mapping[str, Any] = field(default_factory=dict)
    key: Any = None
    receipt: int | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell that somebody else changed since it was fetched."""

    id: str
    field: str
    base: Any
    mine: Any
    theirs: Any
    key: Any = None


@dataclass(frozen=True, slots=True)
class Overwrite:
    """A value of somebody else that a push replaced without having read it, as the server's commits show."""

    id: str
    field: str
    base: Any
    """What the guard had read."""
    mine: Any
    """What the push wrote; None: it deleted the row."""
    theirs: Any
    key: Any = None
    by: str | None = None
    """Who had written it; None: the commits do not say."""
    at: int | None = None
    """When, in ms since 1970."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request for a row that no answer came to: it may have been carried out."""

    cells: Mapping[str, tuple[Any, Any]]
    """Path -> (before, after) of what was in it."""
    read: int | None = None
    """`_sis._updated_at` of the state that the guard had read before it, in ms; None: it had read none."""
    until: int | None = None
    """The same of the state that was read before the next one, when the server was at rest: what came after
    that is none of this one's doing. None: there was no next one."""
    found: tuple[str, ...] = ()
    """Paths of the cells that the row showed afterwards, as this push had written them."""


def then(attempts: Iterable[Attempt], attempt: Attempt) -> tuple[Attempt, ...]:
    """Return the requests for a row with one more; what was read before it is the end of the earlier ones."""
    earlier = (
        replace(
            one,
            until=attempt.read if one.until is None else one.until,
            found=tuple(path for path in one.found if path not in attempt.cells),
        )
        for one in attempts
    )
    return (*earlier, attempt)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be sent: the cell, its value and the reason in words.

    `row` is the `_id` of a known row, else what `Create.row` is for the same row.
    """

    row: Hashable
    reason: str
    column: str | None = None
    value: Any = None
    key: Any = None
    denied: bool = False
    """The cell is in order, but the user lacks the right to write the row."""
    rows: tuple[Mapping[str, Any], ...] = field(default=(), compare=False, repr=False)
    """The rows that it keeps out of the changes, as they were edited: column -> JSON value."""
    line: int | None = field(default=None, compare=False)
    """Number of the row in its file, where it was read from one."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A row that changed since its export and whose exported state cannot be rebuilt: shown, never sent."""

    id: str
    reason: str
    key: Any = None
    rows: tuple[Mapping[str, Any], ...] = field(default=(), compare=False, repr=False)
    """The row as it was edited: column -> JSON value."""


Change = Create | Update | Delete


def row_of(change: Change) -> Hashable:
    """Return what names the change's row within its plan: the `_id`, for a new row `Create.row`."""
    return change.row if isinstance(change, Create) else change.id


def action_of(change: Change) -> Literal["create", "update", "delete"]:
    """Return the word for what the change does."""
    if isinstance(change, Create):
        return "create"
    return "update" if isinstance(change, Update) else "delete"


Word = Literal["done", "unchanged", "conflict", "failed", "problem", "unsent"]
WORDS: tuple[Word, ...] = ("done", "unchanged", "conflict", "failed", "problem", "unsent")
REPLACED = "done, replaced somebody's value"
"""How a row is counted that is done, and that replaced a value which the guard had not read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a row of a plan ended.

    done: every cell was written and the server's answer holds it. unchanged: the server held all of it
    already. conflict: somebody else changed a cell or the row; that cell was not written (others may have
    been: `written`). failed: the server refused; or a new row may have been created, and is not sent once
    more (`ambiguous`). problem: never sent, see the plan. unsent: never sent, because the push ended before;
    or its fate is unknown, as the reason then says.
    """

    row: Hashable
    action: Literal["create", "update", "delete"]
    word: Word
    id: str | None = None
    key: Any = None
    status: int | None = None
    """The HTTP status that the server gave for this row."""
    reason: str = ""
    written: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Path -> (before, after) of the cells that this push wrote."""
    receipt: int | None = None
    """`_sis._updated_at` after the write, in ms."""
    read: int | None = None
    """`_sis._updated_at` before the write that was answered, as the guard read it, in ms; `written` has cells
    of that state."""
    overwrites: tuple[Overwrite, ...] = ()
    """Values of others that this row's write replaced although the guard had not read them."""
    unverified: str = ""
    """Why it is not known whether there are more of them."""
    already: tuple[str, ...] = ()
    """Paths of `written` that held the value when the write came: an undo leaves them."""
    ambiguous: bool = False
    """Whether it failed as a new row that may have been created: `resume` looks for it again."""
    doubted: tuple[Attempt, ...] = ()
    """Requests that no answer came to: `verify` finds out whether they were carried out, and what they have
    replaced. What they are known to have written is in `written` as well."""

    @property
    def label(self) -> str:
        """How the row is counted and shown: `word`, but of a done row with overwrites `REPLACED`."""
        return REPLACED if self.word == "done" and self.overwrites else self.word


def remarks(outcomes: Iterable[Outcome]) -> dict[str, str]:
    """Return what a count does not tell, by word: rows in conflict of which other cells are written."""
    part = sum(outcome.word == "conflict" and bool(outcome.written) for outcome in outcomes)
    return {"conflict": f" ({part:,} written in part)"} if part else {}


def counts_of(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return how many outcomes are of which kind, as `Report.counts` has it."""
    labels = [outcome.label for outcome in outcomes]
    words = WORDS if REPLACED not in labels else ("done", REPLACED, *WORDS[1:])
    return {word: labels.count(word) for word in words}
