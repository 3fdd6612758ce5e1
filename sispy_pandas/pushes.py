"""The pushes that were made from this machine, as their journals tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import journal
from .tables import table
from .values.moments import times

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("at", "schema", "rows", "done", "ended", "user", "note", "server", "journal")


def pushes() -> pd.DataFrame:
    """Return the pushes whose journals are kept in the folder of journals, the newest first.

    Those with a journal elsewhere are not among them. `sp.undo` and `sp.resume` take what `journal` holds.

    Returns:
        A frame (at, schema, rows, done, ended, user, note, server, journal): `rows` were to change, `done` of
        them are as the plan wanted; `ended` tells whether the push came to its end.

    Example:
        >>> report = live.diff(live.frame().tail(1).assign(notes="listed")).push(progress=False, note="CHG1")
        >>> pushes()["note"].tolist()
        ['CHG1']
    """
    rows = []
    for path in sorted(journal.folder().glob("*.jsonl"), reverse=True):
        try:
            rows.append(_row(journal.read(path)))
        except ValueError:  # it ended before it began, or is something else
            continue
    frame = table(rows, _COLUMNS)
    frame["at"] = times([row[0] for row in rows])
    return frame.astype({"rows": "int64", "done": "int64", "ended": "bool"})


def _row(record: journal.Record) -> tuple[Any, ...]:
    head = json.loads(record.plan[0])
    counts = head["counts"]
    words = [entry.word for entry in record.entries.values()]
    return (
        record.begin["at"],
        head["schema"],
        counts["creates"] + counts["updates"] + counts["deletes"],
        words.count("done") + words.count("unchanged"),
        record.ended and record.stopped is None,
        record.begin.get("user"),
        record.begin.get("note"),
        head["server"],
        str(record.path),
    )
