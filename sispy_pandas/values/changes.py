"""What can happen to a row: the values of which plans and reports are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping


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


@dataclass(frozen=True, slots=True)
class Update:
    """Changed cells of one row: dotted field path -> JSON value, the same paths before and after."""

    id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    key: Any = None
    receipt: int | None = None
    """`_sis._updated_at` of the state that `before` was taken from, in ms; None: not known."""


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
