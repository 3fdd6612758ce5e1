"""A report as text: the counts, then the rows that need somebody's attention."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sispy.remedies import Message
from sispy.text import printable, shorten

from ..planning.render import SENTENCE, columns, count, name_of, show, show_apart, whereabouts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..values.changes import Overwrite
    from .outcome import PushResult

SHOWN = 40


def headline(report: PushResult) -> str:
    """Return what became of the push in one line."""
    words = ", ".join(_counted(n, word) for word, n in report.counts.items() if n) or "nothing to do"
    return shorten(f"{report.plan.schema.name} {whereabouts(report.plan)}: {words}", SENTENCE)


def _counted(n: int, word: str) -> str:
    return count(n, word) if word in ("conflict", "problem") else f"{n:,} {word}"  # the others are no nouns


def text(report: PushResult) -> str:
    """Return the report as text of a bounded length."""
    lines = [headline(report)]
    lines += [shorten(note, SENTENCE) for note in report.notes]
    if report.stopped:
        lines.append(shorten(f"stopped: {report.stopped}", SENTENCE))
    if report.journal:
        lines.append(printable(f"journal: {report.journal}"))
    lines += unverified(report)
    head, rows = unwritten(report)
    if rows:
        lines += ["", *columns(head, rows[:SHOWN])]
    if len(rows) > SHOWN:
        lines.append(f"... and {count(len(rows) - SHOWN, 'more row')}; all of them in .failures")
    if report.clashes:
        head, cells = conflict_rows(report)
        lines += ["", *columns(head, cells[:SHOWN])]
    head, cells = replaced(report)
    if cells:
        lines += ["", *columns(head, cells[:SHOWN])]
    return "\n".join(lines)


def unwritten(report: PushResult) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table of what was not written."""
    rows = [
        [name_of(o), o.action, o.word, str(o.status or ""), o.reason]
        for o in report.outcomes
        if o.word not in ("done", "unchanged")
    ]
    return [report.plan.schema.key or "_id", "action", "outcome", "status", "reason"], rows


def replaced(report: PushResult, width: int | None = None) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table of values of others that were replaced.

    Args:
        report: The report.
        width: Characters of a value; None: as many as tell the three apart.
    """
    cells = [
        [name_of(c), c.field, *_values(c, width), c.by or "", _time(c.at)]
        for outcome in report.outcomes
        for c in outcome.overwrites
    ]
    return ["replaced in", "field", "base", "mine", "theirs", "by", "at"], cells


def unverified(report: PushResult, told: Callable[[str], str] = str) -> list[str]:
    """Return the line that says how many rows were not verified, and why; none if all were.

    Args:
        report: The report.
        told: Words a message for whoever reads it; the default is Python's way.
    """
    reasons = Counter(outcome.unverified for outcome in report.outcomes if outcome.unverified)
    if not reasons:
        return []
    parts: list[str] = []
    for reason, n in reasons.items():
        parts += ["; " if parts else "", "" if len(reasons) == 1 else f"{n:,}: ", reason]
    line = Message(f"not verified: {reasons.total():,} (", *parts, ")")
    return [shorten(told(line), SENTENCE)]


def _values(cell: Overwrite, width: int | None) -> Iterable[str]:
    values = (cell.base, cell.mine, cell.theirs)
    return show_apart(*values) if width is None else (show(value, width) for value in values)


def _time(at: int | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def conflict_rows(report: PushResult) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table of conflicts."""
    cells = [[name_of(c), c.field, *show_apart(c.base, c.mine, c.theirs)] for c in report.clashes]
    return ["conflict in", "field", "base", "mine", "theirs"], cells
