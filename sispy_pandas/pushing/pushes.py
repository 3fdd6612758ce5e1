"""The pushes that were made from this machine, as their journals tell."""

from __future__ import annotations

import logging
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ..planning.parts import joined
from ..values.records import table
from ..values.times import times
from . import journal
from .earlier import standing, taken_back
from .record import NeverBegan, Record, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

_COLUMNS = (
    *("at", "schema", "rows", "done", "ended", "user", "note", "server", "journal"),
    *("undoes", "undone", "replaced", "partly", "lost", "reviewer", "author", "source", "digest"),
)

_SUMS = ("rows", "done", "undone", "replaced", "partly")
log: logging.Logger = logging.getLogger("sispy_pandas.pushing.pushes")


def pushes() -> pd.DataFrame:
    """Return the pushes whose journals are kept in the folder of journals: interrupted ones, then the newest.

    Those with a journal elsewhere are not among them. `sp.undo` and `sp.resume` take what `journal` holds.
    What is not a journal there is left out and named: in a warning of the log, and in `.attrs["unreadable"]`.

    A push in parts, of several tables or of one after the other, is one row, with the journal of its first
    part, which stands for all. One that was cut off before it had all of its parts has not ended: `resume`
    finishes the parts that it has, and `push_parts(..., resume=journal)` goes on.

    Returns:
        A frame (at, schema, rows, done, ended, user, note, server, journal, undoes, undone, replaced,
        partly, lost, reviewer, author, source, digest): `rows` were to change, `done` of them are as the plan
        wanted; `ended` tells whether the push came to its end, or all that it wrote was taken back; `undoes`
        has the journals of what it took back, `undone` how many of its rows were taken back; `replaced` how
        many of them replaced a value of somebody else, as far as that was looked up; `partly` how many others
        were written, but not wholly: cells in conflict are left, or to come; `lost` how many parts have no
        journal any more: their rows are in none of these numbers, and `undo` leaves them out.
        `author` saved the plan, of the file `source`; `digest` is what `push(expect_digest=...)` compares.

    Example:
        >>> report = live.diff(live.frame().tail(1).assign(notes="listed")).push(progress=False, note="CHG1")
        >>> pushes()["note"].tolist()
        ['CHG1']
    """
    unreadable: dict[Path, str] = {}
    pushed: dict[str, list[dict[str, Any]]] = {}
    for record in kept(unreadable):  # one after the other: each may be large
        name = record.together
        pushed.setdefault(str(record.path) if name is None else name[0], []).append(_part(record))
    for sentence in unreadable.values():
        log.warning("%s", sentence)
    parts = [sorted(found, key=itemgetter("number")) for found in pushed.values()]
    parts.sort(key=lambda found: not (any(part["interrupted"] for part in found) and not _is_undone(found)))
    rows = list(map(_row, parts))
    frame = table(rows, _COLUMNS)
    frame["at"] = times([row[0] for row in rows])
    frame.attrs["unreadable"] = list(unreadable.values())
    return frame.astype({**dict.fromkeys((*_SUMS, "lost"), "int64"), "ended": "bool"})


def kept(unreadable: dict[Path, str]) -> Iterator[Record]:
    """Yield the journals in the folder, the newest first; `unreadable` gets a sentence per other file."""
    for path in sorted(journal.folder().glob("*.jsonl"), reverse=True):
        try:
            yield read(path)
        except NeverBegan:  # it was killed before anything was sent
            continue
        except ValueError as error:
            unreadable[path] = str(error)
        except OSError as error:
            unreadable[path] = f"{path} cannot be read: {error.strerror}"


def _part(record: Record) -> dict[str, Any]:
    """Return what is told of a journal, without its rows."""
    head, together = record.head, record.together
    counts = head["counts"]
    entries, undone = record.entries.values(), taken_back(record)
    complete = [entry.word in ("done", "unchanged") for entry in entries]
    return {
        "number": 1 if together is None else together[1],
        "interrupted": record.open and not journal.in_use(record.path),
        "of": 1 if together is None else together[2] or record.parts,
        "at": record.begin["at"],
        "schema": head["schema"],
        "rows": counts["creates"] + counts["updates"] + counts["deletes"],
        "done": sum(complete),
        "ended": not record.open,
        "user": record.begin.get("user"),
        "note": record.begin.get("note"),
        "server": head["server"],
        "journal": str(record.path),
        "undoes": tuple(head.get("undoes", ())),
        "undone": len(undone),
        "standing": standing(record, undone),
        "replaced": sum(bool(entry.overwrites) for entry in entries),
        "partly": sum(bool(e.written) and not all_ for e, all_ in zip(entries, complete, strict=True)),
        "reviewer": record.begin.get("reviewer"),
        "author": head.get("made", {}).get("author"),
        "source": head.get("made", {}).get("source"),
        "digest": record.begin.get("digest"),
    }


def _is_undone(parts: list[dict[str, Any]]) -> bool:
    """Return whether all that a push wrote was taken back."""
    return any(part["undone"] for part in parts) and not any(part["standing"] for part in parts)


def _row(parts: list[dict[str, Any]]) -> tuple[Any, ...]:
    """Return the row of a push, which may have several parts."""
    known = [part["of"] for part in parts if part["of"] is not None]
    has_all = bool(known)
    most = max([*known, parts[-1]["number"]])
    ended = (all(part["ended"] for part in parts) and has_all) or _is_undone(parts)
    first = parts[0] | {"ended": ended, "lost": most - len(parts)}
    if len(parts) > 1:
        sums = {name: sum(part[name] for part in parts) for name in _SUMS}
        first = (
            first
            | sums
            | {
                "schema": ", ".join(dict.fromkeys(part["schema"] for part in parts)),
                "undoes": tuple(dict.fromkeys(path for part in parts for path in part["undoes"])),
                "source": ", ".join(dict.fromkeys(part["source"] for part in parts if part["source"]))
                or None,
                "digest": joined(part["digest"] for part in parts),
            }
        )
    return tuple(first[name] for name in _COLUMNS)
