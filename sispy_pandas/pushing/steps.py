"""What commits did to one cell of a row: its value before and after each of them.

A delta need not hold values: that of a long text, an array or a Mixed value fits the state that it was made
upon. From what is known (what the guard read, what was written) deltas lead to the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sispy.delta import DeltaError, patch, unpatch

from ..values.types.cells import get_path
from ..values.types.equality import equal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..values.changes import Outcome
    from ..values.types.base import Field

    Document = Mapping[str, Any]


@dataclass(eq=False)
class Step:
    """What one commit did to one cell."""

    commit: Document
    delta: Any
    old: Any = None
    new: Any = None
    known: bool = False
    """Whether `old` and `new` are known by now."""

    @property
    def at(self) -> int:
        """When, in ms since 1970."""
        return int(self.commit["date_modified"])

    @property
    def by(self) -> str:
        """Who."""
        return str(self.commit["modified_by"])

    @property
    def upon(self) -> int | None:
        """`_updated_at` of the state that was read for it, in ms; None: not known."""
        return made_upon(self.commit)

    def tell(self, old: Any, new: Any) -> None:
        """Note the values, once they are known."""
        self.old, self.new, self.known = old, new, True


def made_upon(commit: Document) -> int | None:
    """Return `_updated_at` of the state that an update has read; None if its commit does not say so."""
    found = get_path(commit["commit_data"], "_sis._updated_at")
    return int(found[0]) if isinstance(found, list) and len(found) == 2 else None


def steps_of(
    column: Field, commits: Sequence[Document], base: Any, mine: Any, outcome: Outcome
) -> list[Step]:
    """Return what commits did to a cell after the guard read it, the newest first, with the values."""
    steps = []
    for commit in commits:
        if commit["action"] == "update":
            delta = _delta_at(commit["commit_data"], column.path)
            if delta is not None:
                steps.append(Step(commit, delta))
    _rebuild(column, steps, column.kind.stored(base), column.kind.stored(mine), outcome)
    found = []
    reached = False  # the write that led to what was read
    for step in steps:
        if step.at == outcome.read:
            reached = reached or equal(column, step.new, base)
        if not (reached and step.at == outcome.read) and not equal(column, step.old, step.new):
            found.append(step)
    return found


def _delta_at(delta: Any, path: str) -> Any:
    """Return what a delta does at a path; None where it does nothing."""
    parts = path.split(".")
    for i, part in enumerate(parts):
        if isinstance(delta, list):  # the whole object around it was added, replaced or removed
            old, new = _both_values(delta)
            rest = ".".join(parts[i:])
            return [get_path(old, rest), get_path(new, rest)]
        delta = delta.get(part)
        if delta is None:
            return None
    return delta


def _both_values(delta: Sequence[Any]) -> tuple[Any, Any]:
    """Return (old, new) of a delta that holds both.

    Raises:
        DeltaError: It does not: a text delta.
    """
    match delta:
        case [new]:
            return None, new
        case [old, new]:
            return old, new
        case [old, 0, 0]:
            return old, None
    raise DeltaError(f"no values in {delta!r}")


def _rebuild(column: Field, steps: Sequence[Step], base: Any, mine: Any, outcome: Outcome) -> None:
    """Find the values before and after each step, beginning with what is known.

    Raises:
        DeltaError: Some cannot be found.
    """
    states: dict[int | None, Any] = {}  # by `_updated_at`
    if outcome.read is not None:
        states[outcome.read] = base
    if outcome.status is not None and outcome.receipt is not None:
        states.setdefault(outcome.receipt, mine)
    for step in steps:
        if isinstance(step.delta, list) and not (len(step.delta) == 3 and step.delta[2] == 2):
            step.tell(*_both_values(step.delta))
            _remember(states, step)
    left = [step for step in steps if not step.known]
    while left:
        before = len(left)
        for step in left:
            back = step.at in states and partial(_backwards, column, step, states[step.at])
            upon = step.at if step.upon is None and step.at == outcome.read else step.upon
            on = upon in states and partial(_forwards, column, step, states[upon])
            # what was read may share its time with another state, what this push has written does not
            for way in (back, on) if step.at == outcome.receipt else (on, back):
                if way and way():
                    break
            if step.known:
                _remember(states, step)
        left = [step for step in left if not step.known]
        if len(left) == before:
            break
    state = base  # commits that do not say upon which state: in order of time, else upon what was read
    for step in reversed(steps):
        known = step.known or any(_forwards(column, step, value) for value in (state, base, mine))
        if not known and not _backwards(column, step, mine):
            raise DeltaError(f"{step.delta!r} fits no known value")
        state = step.new


def _remember(states: dict[int | None, Any], step: Step) -> None:
    states.setdefault(step.at, step.new)
    if step.upon is not None:
        states.setdefault(step.upon, step.old)


def _forwards(column: Field, step: Step, old: Any) -> bool:
    try:
        new = patch(old, step.delta)
        fits = equal(column, unpatch(new, step.delta), old)
    except DeltaError:
        return False
    if fits:
        step.tell(old, new)
    return fits


def _backwards(column: Field, step: Step, new: Any) -> bool:
    try:
        old = unpatch(new, step.delta)
        fits = equal(column, patch(old, step.delta), new)
    except DeltaError:
        return False
    if fits:
        step.tell(old, new)
    return fits
