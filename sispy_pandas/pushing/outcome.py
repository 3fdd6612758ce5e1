"""What became of the rows of a plan: the data of a Report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ..planning.change_set import ChangeSet, conflict_table
from ..values.changes import Conflict, Outcome, counts_of
from ..values.records import table
from ..values.times import times

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from pathlib import Path

    import pandas as pd

BrokenOff = Literal["interrupted", "server"]


@dataclass(frozen=True)
class PushResult:
    """One outcome for every row of a plan."""

    plan: ChangeSet = field(repr=False)
    outcomes: tuple[Outcome, ...]
    conflict_list: tuple[Conflict, ...] = ()
    """What `conflicts` shows, as values."""
    journal: Path | None = None
    """The file that `resume` and `undo` read."""
    note: str | None = None
    reviewer: str | None = None
    user: str | None = None
    started: str = ""
    """ISO 8601 in UTC."""
    ended: str = ""
    notes: tuple[str, ...] = ()
    """What a reader has to know beside the outcomes."""
    stopped: str | None = None
    """Why the push ended before all rows had their turn; None: it did not."""
    broken_off: BrokenOff | None = None
    """What ended the reading of the commits before all written rows had been looked up; None: nothing did."""
    entities: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False, compare=False)
    """The server's own answers by `_id`; an empty object for a row that was deleted."""

    def __len__(self) -> int:
        return len(self.outcomes)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows by outcome: done, unchanged, conflict, failed, problem, unsent; the sum is the length.

        Where there are any, rows that are done but replaced a value of somebody else are counted apart, as
        `REPLACED`.
        """
        return counts_of(self.outcomes)

    @property
    def ok(self) -> bool:
        """Return whether every row is done or was so before."""
        return all(outcome.word in ("done", "unchanged") for outcome in self.outcomes)

    def frame(self) -> pd.DataFrame:
        """Return one row per row of the plan: _id, key, action, outcome (as in `counts`), status, reason."""
        return _rows(self.outcomes)

    @property
    def done(self) -> pd.DataFrame:
        """The rows that were written completely, as `frame` shows them."""
        return _rows([outcome for outcome in self.outcomes if outcome.word == "done"])

    @property
    def failures(self) -> pd.DataFrame:
        """The rows that are neither done nor unchanged, as `frame` shows them."""
        return _rows([outcome for outcome in self.outcomes if outcome.word not in ("done", "unchanged")])

    @property
    def new_ids(self) -> dict[Hashable, str]:
        """The `_id` of each new row, by its label; a row that an undo brought back: by its old one.

        `sp.repoint(endpoint, report.new_ids)` then points to the new rows what referred to the old ones.
        """
        return {o.row: o.id for o in self.outcomes if o.action == "create" and o.id and o.word != "conflict"}

    @property
    def conflicts(self) -> pd.DataFrame:
        """Cells that somebody else changed and that were not written: _id, key, field, base, mine, theirs."""
        return conflict_table(self.conflict_list)

    @property
    def overwritten(self) -> pd.DataFrame:
        """Values of others that the push replaced: _id, key, field, base, mine, theirs, by, at (UTC).

        `base` is what the guard had read, `mine` what was written over `theirs`. What is stored is `mine`,
        unless somebody wrote since: `plan.rebase(report, keep="theirs")` puts theirs back.
        """
        cells = [cell for outcome in self.outcomes for cell in outcome.overwrites]
        frame = table(
            [(c.id, c.key, c.field, c.base, c.mine, c.theirs, c.by, c.at) for c in cells],
            ("_id", "key", "field", "base", "mine", "theirs", "by", "at"),
        )
        frame["at"] = times([cell.at for cell in cells])
        return frame

    @property
    def why_unverified(self) -> Mapping[str, int]:
        """Why it is not known of rows whether they replaced values of others: reason -> number of rows."""
        return Counter(outcome.unverified for outcome in self.outcomes if outcome.unverified)

    @property
    def unverified(self) -> pd.DataFrame:
        """The rows of which it is not known whether they replaced values of others: _id, key, reason."""
        rows = [(o.id, o.key, o.unverified) for o in self.outcomes if o.unverified]
        return table(rows, ("_id", "key", "reason"))


def _rows(outcomes: list[Outcome] | tuple[Outcome, ...]) -> pd.DataFrame:
    return table(
        [(o.id, o.key, o.action, o.label, o.status, o.reason) for o in outcomes],
        ("_id", "key", "action", "outcome", "status", "reason"),
    )
