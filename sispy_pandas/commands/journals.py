"""The journals of pushes made from here, newest first, and the short names that they go by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sispy.exits import Misuse
from sispy_pandas import journal

if TYPE_CHECKING:
    from collections.abc import Callable


def journals() -> list[Path]:
    """Return the journals in the folder, the newest first."""
    return sorted(journal.folder().glob("*.jsonl"), reverse=True)


def short(path: Path) -> str:
    """Return the letters at the end of a journal's name: enough to name it."""
    return path.stem.rpartition("-")[2]


def chosen(name: str | None, wanted: Callable[[journal.Record], bool], kind: str) -> Path:
    """Return the journal of that path or short name; without a name the newest one that is wanted.

    Args:
        name: A path, or what `short` says of one.
        wanted: Which journals come into question where none is named.
        kind: These in a word, for the message.

    Raises:
        Misuse: There is none.
    """
    if name is None:
        found = next((path for path in journals() if wanted(journal.read(path))), None)
        if found is None:
            raise Misuse(f"there is no {kind} push; `sispy pushes` lists those there are.")
        return found
    if Path(name).is_file():
        return Path(name)
    named = [path for path in journals() if short(path) == name or path.name == name]
    if not named:
        raise Misuse(f"{name!r} is no journal: give a file or a name that `sispy pushes` lists.")
    return named[0]


def is_unfinished(record: journal.Record) -> bool:
    """Tell whether a push did not come to its end."""
    return not record.ended or record.stopped is not None


def has_written(record: journal.Record) -> bool:
    """Tell whether a push changed anything."""
    return any(entry.word is None or entry.written for entry in record.entries.values())
