"""`sispy pushes`: what was pushed from here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.options import examples
from sispy.cli.terminal import out, say, table
from sispy_pandas.pushing.journal import folder, short
from sispy_pandas.pushing.pushes import pushes as list_pushes

if TYPE_CHECKING:
    from collections.abc import Hashable


@click.command(epilog=examples("sispy pushes", "sispy pushes --limit 5"))
@click.option("--limit", type=click.IntRange(min=1), default=20, help="Show so many.")
def pushes(limit: int) -> None:
    """List the pushes made by you on this machine: interrupted ones, then the newest.

    `sispy resume`, `sispy undo` and `sispy verify` take the names in the first column. Rows are "replaced"
    that wrote over a value of somebody else: `sispy verify` shows it; "partly"
    that were written but for cells in conflict.
    """
    found = list_pushes()
    for sentence in found.attrs["unreadable"]:
        say(sentence)
    found = found.head(limit)
    if not len(found):
        say(f"no pushes yet; their journals will be in {folder()}")
        return
    rows = [
        [
            short(Path(row["journal"])),
            row["at"].to_pydatetime().astimezone().strftime("%Y-%m-%d %H:%M"),
            row["schema"],
            _done(row),
            "yes" if row["ended"] else "no",
            _undo(row),
            row["user"],
            row["note"],
            row["server"].partition("://")[2],
        ]
        for row in found.to_dict("records")
    ]
    head = ["push", "when", "table", "done", "ended", "undo", "user", "note", "server"]
    out(table(head, rows, keep=("push", "when")))


def _done(row: dict[Hashable, Any]) -> str:
    """Say how many rows are as the plan wanted, and what else of its rows was written."""
    parts = [f"{row['done']}/{row['rows']}"]
    parts += [f"{row[word]} {word}" for word in ("partly", "replaced") if row[word]]
    return ", ".join(parts)


def _undo(row: dict[Hashable, Any]) -> str:
    """Say what a push takes back, and what of it was taken back."""
    undoes, undone, done = row["undoes"], row["undone"], row["done"]
    parts = [f"of {short(Path(path))}" for path in undoes]
    parts += ["undone" if undone >= done else f"{undone}/{done} undone"] if undone else []
    return ", ".join(parts)
