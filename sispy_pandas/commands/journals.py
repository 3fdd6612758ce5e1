"""The journals of pushes made from here, and the short names that they go by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from sispy.completion import offered
from sispy.exits import Misuse
from sispy_pandas import journal
from sispy_pandas.pushes import pushes

if TYPE_CHECKING:
    from collections.abc import Callable

    import click


def chosen(name: str | None, wanted: Callable[[journal.Record], bool], kind: str) -> Path:
    """Return the journal of that path or short name; without a name the newest one that is wanted.

    Args:
        name: A path, or what `short` says of one.
        wanted: Which journals come into question where none is named.
        kind: These in a word, for the message.

    Raises:
        Misuse: There is none.
    """
    if name is not None and Path(name).is_file():
        return Path(name)
    for path in map(Path, pushes()["journal"]):
        if wanted(journal.read(path)) if name is None else name in (journal.short(path), path.name):
            return path
    if name is None:
        raise Misuse(f"there is no {kind} push; `sispy pushes` lists those there are.")
    raise Misuse(f"{name!r} is no journal: give a file or a name that `sispy pushes` lists.")


def completed(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str] | list[CompletionItem]:
    """Return the short names that match, for the shell to complete, else let it complete a file."""
    names = offered(map(journal.short, map(Path, pushes()["journal"])), incomplete)
    return names or [CompletionItem(incomplete, type="file")]


def is_unfinished(record: journal.Record) -> bool:
    """Tell whether a push did not come to its end."""
    return not record.ended or record.stopped is not None


def has_written(record: journal.Record) -> bool:
    """Tell whether a push changed anything."""
    return any(entry.word is None or entry.written for entry in record.entries.values())
