"""Equal changes of a plan together, as a reviewer reads it: what happens to thousands of rows is one line."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from ..values.changes import Create, Update, action_of, row_of
from ..values.extras import no_collection
from ..values.records import table

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    import pandas as pd

    from ..values.changes import Change

WHOLE_ROW = "(whole row)"
"""What stands for the field of a row that is deleted."""
SUCH_AS = 3
"""Rows of a group that are named."""
_PLAIN = frozenset({str, int, float, type(None)})

Cell = tuple["Change", str, Any, Any]
"""A change, a field, the value before and the value after."""


@dataclass(frozen=True, slots=True)
class Split:
    """A column that splits groups, and what each row has in it."""

    column: str
    values: Mapping[Hashable, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """The same change of a cell in several rows."""

    action: Literal["create", "update", "delete"]
    field: str
    before: Any
    after: Any
    by: Any
    """What the rows have in the column that splits the groups; None: no column does, or they have nothing."""
    changes: tuple[Change, ...]
    beyond: int = 0
    """How many more rows there are, where not all are kept."""

    def __len__(self) -> int:
        return len(self.changes) + self.beyond


@dataclass(frozen=True, slots=True)
class Grouped:
    """The changed cells of a plan: groups of equal ones, the largest first, and those that no other row has.

    A row to be deleted is one of the latter. It has a length (the cells).
    """

    groups: tuple[Group, ...]
    rare: tuple[Cell, ...]
    alone: Mapping[str, int]
    """Field -> in how many rows it changes as in no other."""
    split: Split | None = None

    def __len__(self) -> int:
        return sum(map(len, self.groups)) + len(self.rare)

    def frame(self) -> pd.DataFrame:
        """Return one row per change: action, field, before, after, the column that splits them, rows."""
        values: Mapping[Hashable, Any] = {} if self.split is None else self.split.values
        rows = [(g.action, g.field, g.before, g.after, g.by, len(g)) for g in self.groups]
        rows += [(action_of(change), *cell, values.get(row_of(change)), 1) for change, *cell in self.rare]
        by = "by" if self.split is None else self.split.column
        found = table(rows, ("action", "field", "before", "after", by, "rows")).astype({"rows": "int64"})
        return found if self.split else found.drop(columns=by)


@dataclass
class Equal:
    """Equal changes of plans that come one after the other: their rows are counted, and few are kept.

    What comes first is kept, up to so many different changes; later ones that equal none of them are not.
    """

    most: int
    _groups: dict[Hashable, Group] = field(default_factory=dict)

    def add(self, found: Grouped) -> None:
        """Add the changes of a plan."""
        alone = (
            Group(action_of(change), path, before, after, None, (change,))
            for change, path, before, after in found.rare
        )
        for group in (*found.groups, *alone):
            one = row_of(group.changes[0]) if group.action == "delete" else None
            edit = (group.action, group.field, _mark(group.before), _mark(group.after), one)
            known = self._groups.get(edit)
            if known is None and len(self._groups) >= self.most:
                continue
            changes = (*(known.changes if known else ()), *group.changes)[:SUCH_AS]
            n = len(group) + (len(known) if known else 0)
            self._groups[edit] = replace(group, changes=changes, beyond=n - len(changes))

    def found(self) -> Grouped:
        """Return what there is by now."""
        groups = sorted((g for g in self._groups.values() if len(g) > 1), key=len, reverse=True)
        lone = [g for g in self._groups.values() if len(g) == 1]
        rare = tuple((g.changes[0], g.field, g.before, g.after) for g in lone)
        alone = Counter(g.field for g in lone if g.action != "delete")
        return Grouped(tuple(groups), rare, dict(alone.most_common()))


@no_collection()  # lists of rows hold no cycles, but there may be many
def grouped(changes: Iterable[Change], split: Split | None = None) -> Grouped:
    """Return the cells of changes, equal ones together.

    Args:
        changes: Of a plan.
        split: Rows with other values in this column are apart.
    """
    values: Mapping[Hashable, Any] = {} if split is None else split.values
    found: defaultdict[tuple[Any, ...], list[Create | Update]] = defaultdict(list)
    gone: list[Cell] = []
    plain = _PLAIN
    for change in changes:
        part = _mark(values.get(row_of(change))) if values else None
        if isinstance(change, Update):
            before = change.before
            for path, value in change.after.items():
                old = before.get(path)
                edit = (
                    path,
                    old if old.__class__ in plain else _mark(old),
                    value if value.__class__ in plain else _mark(value),
                    part,
                )
                found[edit].append(change)
        elif isinstance(change, Create):
            for path, value in change.values.items():
                found[path, _mark(value), part].append(change)
        else:
            gone.append((change, WHOLE_ROW, None, None))
    groups = [
        Group(action_of(rows[0]), *_cell(rows[0], path)[1:], values.get(row_of(rows[0])), tuple(rows))
        for (path, *_), rows in found.items()
        if len(rows) > 1
    ]
    rare = [_cell(rows[0], path) for (path, *_), rows in found.items() if len(rows) == 1]
    alone = dict(Counter(path for _, path, *_ in rare).most_common())
    return Grouped(tuple(sorted(groups, key=len, reverse=True)), (*gone, *rare), alone, split)


def _cell(change: Create | Update, path: str) -> Cell:
    if isinstance(change, Create):
        return change, path, None, change.values[path]
    return change, path, change.before.get(path), change.after[path]


def _mark(value: Any) -> Hashable:
    """Return what only equal values have in common; true is not 1."""
    if value.__class__ in _PLAIN:
        return value  # type: ignore[no-any-return]
    return (json.dumps(value, sort_keys=True, default=str),)
