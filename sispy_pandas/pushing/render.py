"""A report as blocks: the counts, then the rows that need somebody's attention; and its complete record."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sispy.remedies import Call, Message, what_of
from sispy.text import SENTENCE, shorten

from ..formats.atomic import replaced as written_anew
from ..planning.plan_file import digest
from ..planning.render import conflicts, whereabouts
from ..values.blocks import Column, Lines, Table, alike, as_object, as_page, count, name_of, names_of
from ..values.changes import WORDS, remarks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..values.blocks import Block
    from .outcome import PushResult


def blocks(report: PushResult, *, journal: bool = True) -> list[Block]:
    """Return what there is to see of a report: the counts, then what needs somebody's attention."""
    head = [headline(report), *report.notes]
    head += [Message("stopped: ", report.stopped)] if report.stopped else []
    head += [f"journal: {report.journal}"] if report.journal and journal else []
    unsent = Counter(o.reason for o in report.outcomes if o.word == "unsent" and o.reason != report.stopped)
    lines = tuple(Message(f"{count(n, 'row')} not sent: ", reason) for reason, n in unsent.items())
    table = conflicts(report.conflict_list)
    parts: list[Block] = [Lines(tuple(head)), _unwritten(report), Lines(lines), table]
    return [*filter(len, parts), *evidence(report)]


def evidence(report: PushResult) -> list[Block]:
    """Return what the server's commits tell of a push: values of others it replaced, rows not verified."""
    why = _unverified(report)
    parts: list[Block] = [replaced(report), Lines((Message("not verified: ", why),) if why else ())]
    return list(filter(len, parts))


def object_of(report: PushResult, told: Callable[[str], str] = str) -> dict[str, Any]:
    """Return a report as a JSON object: who, when, counts, notes, every row, conflicts, what was replaced."""
    ended = Counter(outcome.word for outcome in report.outcomes)
    lost = sum(bool(outcome.overwrites) for outcome in report.outcomes)
    facts = {
        "user": report.user,
        "started": report.started,
        "ended": report.ended,
        "note": report.note,
        "reviewer": report.reviewer,
        "journal": report.journal and str(report.journal),
        "counts": {word: ended[word] for word in WORDS} | {"replaced": lost},
        "notes": [told(note) for note in report.notes],
        "stopped": report.stopped and told(report.stopped),
    }
    tables = [every_row(report), conflicts(report.conflict_list), replaced(report), unverified_rows(report)]
    return as_object(facts, tables, told=told)


def page(report: PushResult) -> list[Block]:
    """Return the complete record: who, when, why, and every cell before, after and with its outcome.

    It is for later, and tells no ways out.
    """
    plan, why = report.plan, _unverified(report)
    facts = [
        ("server", plan.endpoint.client.url),
        ("schema", plan.schema.name),
        ("user", report.user),
        ("start", report.started),
        ("end", report.ended),
        ("note", report.note),
        ("reviewer", report.reviewer),
        ("plan", digest(plan)),
        *((f"plan {name}", told) for name, told in asdict(plan.origin).items() if told),
        ("journal", report.journal),
        ("stopped", report.stopped),
        *report.counts.items(),
        *([("not verified", what_of(why))] if why else []),
    ]
    parts: list[Block] = [
        Lines((headline(report),)),
        Table((Column(""), Column("")), facts),
        every_row(report),
        _cells(report),
        replaced(report),
    ]
    return list(filter(len, parts))


def written(blocks: Iterable[Block], path: str | Path | None) -> str:
    """Return blocks as a page that tells no ways out; write it to `path` if given."""
    text = as_page(blocks, told=what_of)
    if path is not None:
        with written_anew(Path(path)) as file:
            file.write(text)
    return text


def every_row(report: PushResult) -> Table:
    """Return what became of every row of the plan; a new one that was not made is known by its label."""
    columns = (
        Column("_id"),
        Column(None, "row"),
        Column(None, "_id"),
        *(Column(name, name) for name in ("key", "action")),
        Column("outcome"),
        Column(None, "outcome"),
        Column("status", "status"),
        Column("reason", "reason", "sentence"),
    )
    rows = [
        (o.id or str(o.row), str(o.row), o.id, o.key, o.action, o.label, o.word, o.status, o.reason)
        for o in report.outcomes
    ]
    return Table(columns, rows, name="rows", title="Rows")


def headline(report: PushResult) -> str:
    """Return what became of the push in one line."""
    return shorten(f"{report.plan.schema.name} {whereabouts(report.plan)}: {words(report)}", SENTENCE)


def words(report: PushResult) -> str:
    """Return how many rows ended how."""
    told = remarks(report.outcomes)
    counted = (_counted(n, word) + told.get(word, "") for word, n in report.counts.items() if n)
    return ", ".join(counted) or "nothing to do"


def _unverified(report: PushResult) -> str:
    """Return how many rows were not verified, and why; empty if all were."""
    reasons = report.why_unverified
    if not reasons:
        return ""
    parts: list[str] = []
    for reason, n in reasons.items():
        parts += ["; " if parts else "", "" if len(reasons) == 1 else f"{n:,}: ", reason]
    return Message(f"{sum(reasons.values()):,} (", *parts, ")")


def unverified_rows(report: PushResult) -> Table:
    """Return the table of rows of which it is not known whether they replaced values of others."""
    columns = (Column(None, "_id"), Column(None, "key"), Column(None, "reason", "sentence"))
    rows = [(o.id, o.key, o.unverified) for o in report.outcomes if o.unverified]
    return Table(columns, rows, name="unverified")


def _counted(n: int, word: str) -> str:
    return count(n, word) if word in ("conflict", "problem") else f"{n:,} {word}"  # the others are no nouns


def _unwritten(report: PushResult) -> Table:
    columns = (
        *map(Column, (report.plan.schema.key or "_id", "action", "outcome", "status")),
        Column("reason", holds="sentence"),
    )
    found = [o for o in report.outcomes if o.word not in ("done", "unchanged", "unsent")]
    rows = [
        (names_of([o, *more]), o.action, o.word, o.status, o.reason)
        for o, *more in alike(found, lambda o: (o.action, o.word, o.status, str(o.reason)))
    ]
    return Table(columns, rows, rest=Call(".failures", "has all of them"))


def replaced(report: PushResult) -> Table:
    """Return the table of values of others that a push replaced."""
    columns = (
        Column(None, "_id"),
        Column(None, "key"),
        Column("replaced in"),
        Column("field", "field"),
        *(Column(name, name, "value") for name in ("base", "mine", "theirs")),
        Column("by", "by"),
        Column("at", "at"),
    )
    rows = [
        (c.id, c.key, name_of(c), c.field, c.base, c.mine, c.theirs, c.by, _time(c.at))
        for outcome in report.outcomes
        for c in outcome.overwrites
    ]
    return Table(columns, rows, noun="value", name="replaced", title="Values of others that were replaced")


def _cells(report: PushResult) -> Table:
    """Return every cell of the plan with what became of it."""
    lost = {(cell.id, cell.field) for o in report.outcomes for cell in o.overwrites}
    changed = {(conflict.id, conflict.field) for conflict in report.conflict_list}
    by_row = {outcome.row: outcome for outcome in report.outcomes}
    rows = []
    for change, path, before, after in report.plan.cells():
        outcome = by_row[getattr(change, "id", None) or getattr(change, "row", None)]
        written = outcome.written.get(path)
        word = (
            "written over somebody's value"
            if (outcome.id, path) in lost
            else "written"
            if written
            else "conflict"
            if (outcome.id, path) in changed
            else outcome.word
        )
        rows.append((outcome.id, change.key, outcome.action, path, *(written or (before, after)), word))
    columns = (
        *map(Column, ("_id", "key", "action", "field")),
        Column("before", holds="value"),
        Column("after", holds="value"),
        Column("outcome"),
    )
    return Table(columns, rows, title="Cells")


def _time(at: int | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
