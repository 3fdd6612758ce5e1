"""The pushes that were made from this machine, as their journals tell."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..values.records import table
from ..values.times import times
from . import journal
from .earlier import taken_back
from .record import Record, read

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_COLUMNS = (
    *("at", "schema", "rows", "done", "ended", "user", "note", "server", "journal"),
    *("undoes", "undone", "replaced", "partly", "reviewer", "author", "source", "digest"),
)

log = logging.getLogger("sispy_pandas.pushing.pushes")


def pushes() -> pd.DataFrame:
    """Return the pushes whose journals are kept in the folder of journals: interrupted ones, then the newest.

    Those with a journal elsewhere are not among them. `sp.undo` and `sp.resume` take what `journal` holds.
    What is no journal there is left out and named: in a warning of the log, and in `.attrs["unreadable"]`.

    Returns:
        A frame (at, schema, rows, done, ended, user, note, server, journal, undoes, undone, replaced,
        partly, reviewer, author, source, digest): `rows` were to change, `done` of them are as the plan
        wanted; `ended` tells whether the push came to its end; `undoes` has the journals of what it took
        back, `undone` how many of its rows were taken back; `replaced` how many of them replaced a value of
        somebody else, as far as that was looked up; `partly` how many others were written, but not wholly:
        cells in conflict are left, or to come.
        `author` saved the plan, of the file `source`; `digest` is what `push(expect_digest=...)` compares.

    Example:
        >>> report = live.diff(live.frame().tail(1).assign(notes="listed")).push(progress=False, note="CHG1")
        >>> pushes()["note"].tolist()
        ['CHG1']
    """
    records, unreadable = kept()
    for sentence in unreadable.values():
        log.warning("%s", sentence)
    records.sort(key=lambda record: not (record.open and not journal.in_use(record.path)))
    rows = [_row(record) for record in records]
    frame = table(rows, _COLUMNS)
    frame["at"] = times([row[0] for row in rows])
    frame.attrs["unreadable"] = list(unreadable.values())
    whole = ("rows", "done", "undone", "replaced", "partly")
    return frame.astype({**dict.fromkeys(whole, "int64"), "ended": "bool"})


def kept() -> tuple[list[Record], dict[Path, str]]:
    """Return the journals in the folder, the newest first, and sentences about what is none there."""
    found: list[Record] = []
    unreadable: dict[Path, str] = {}
    for path in sorted(journal.folder().glob("*.jsonl"), reverse=True):
        try:
            found.append(read(path))
        except ValueError as error:
            unreadable[path] = str(error)
        except OSError as error:
            unreadable[path] = f"{path} cannot be read: {error.strerror}"
    return found, unreadable


def _row(record: Record) -> tuple[Any, ...]:
    head = record.head
    counts = head["counts"]
    entries = record.entries.values()
    complete = [entry.word in ("done", "unchanged") for entry in entries]
    return (
        record.begin["at"],
        head["schema"],
        counts["creates"] + counts["updates"] + counts["deletes"],
        sum(complete),
        not record.open,
        record.begin.get("user"),
        record.begin.get("note"),
        head["server"],
        str(record.path),
        tuple(head.get("undoes", ())),
        len(taken_back(record)),
        sum(bool(entry.overwrites) for entry in entries),
        sum(bool(entry.written) and not all_ for entry, all_ in zip(entries, complete, strict=True)),
        record.begin.get("reviewer"),
        *map(head.get("made", {}).get, ("author", "source")),
        record.begin.get("digest"),
    )
