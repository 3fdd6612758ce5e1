"""`sispy pushes`: what was pushed from here."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from sispy.options import examples
from sispy.terminal import out, say, table
from sispy_pandas import journal
from sispy_pandas.commands.journals import is_unfinished, journals, short


@click.command(epilog=examples("sispy pushes", "sispy pushes --limit 5"))
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Show so many.")
def pushes(limit: int) -> None:
    """List the pushes made by you on this machine, the newest first.

    `sispy resume` and `sispy undo` take the names in the first column.
    """
    found = journals()
    if not found:
        say(f"no pushes yet; their journals will be in {journal.folder()}")
        return
    rows = [_row(journal.read(path)) for path in found[:limit]]
    out(
        table(
            ["push", "when", "table", "done", "ended", "user", "note", "server"], rows, keep=("push", "when")
        )
    )


def _row(record: journal.Record) -> list[object]:
    head = json.loads(record.plan[0])
    counts = head["counts"]
    rows = counts["creates"] + counts["updates"] + counts["deletes"]
    words = [entry.word for entry in record.entries.values()]
    return [
        short(record.path),
        datetime.fromtimestamp(record.begin["at"] / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M"),
        head["schema"],
        f"{words.count('done') + words.count('unchanged')}/{rows}",
        "no" if is_unfinished(record) else "yes",
        record.begin.get("user"),
        record.begin.get("note"),
        head["server"],
    ]
