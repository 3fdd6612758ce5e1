"""A report as HTML: a fragment for a notebook, and a page of its own for the files of an auditor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sispy.text import in_html

from ..planning.plan_file import digest
from ..planning.plan_html import table
from ..planning.render import show
from .render import SHOWN, conflict_rows, headline, replaced, unverified, unwritten

if TYPE_CHECKING:
    from .outcome import PushResult

_STYLE = (
    "body{font:14px/1.4 sans-serif;margin:2em}table{border-collapse:collapse;margin:1em 0}"
    "th,td{border:1px solid #bbb;padding:.2em .6em;text-align:left;vertical-align:top}th{background:#eee}"
)


def fragment(report: PushResult) -> str:
    """Return counts, and the rows that were not written, as a fragment of a bounded size."""
    parts = [f"<p><b>{in_html(headline(report))}</b></p>"]
    parts += [f"<p>{in_html(note)}</p>" for note in report.notes]
    if report.stopped:
        parts.append(f"<p>stopped: {in_html(report.stopped)}</p>")
    parts += [f"<p>{in_html(line)}</p>" for line in unverified(report)]
    head, rows = unwritten(report)
    if rows:
        parts.append(table(head, rows[:SHOWN]))
    if report.clashes:
        head, cells = conflict_rows(report)
        parts.append(table(head, cells[:SHOWN]))
    head, cells = replaced(report)
    if cells:
        parts.append(table(head, cells[:SHOWN]))
    return f'<div class="sispy-report">{"".join(parts)}</div>'


def page(report: PushResult) -> str:
    """Return the complete record: who, when, why, and every cell before, after and with its outcome."""
    plan = report.plan
    facts = [
        ["server", plan.endpoint.client.url],
        ["schema", plan.schema.name],
        ["user", report.user or ""],
        ["start", report.started],
        ["end", report.ended],
        ["note", report.note or ""],
        ["plan", digest(plan)],
        ["journal", str(report.journal or "")],
        ["stopped", report.stopped or ""],
        *([word, str(n)] for word, n in report.counts.items()),
        *([*line.split(": ", 1)] for line in unverified(report)),
    ]
    lost = {(cell.id, cell.field): cell for o in report.outcomes for cell in o.overwrites}
    by_row = {outcome.row: outcome for outcome in report.outcomes}
    changed = {
        conflict.id: {c.field: c for c in report.clashes if c.id == conflict.id}
        for conflict in report.clashes
    }
    cells = []
    for change, path, before, after in plan.cells():
        outcome = by_row[getattr(change, "id", None) or getattr(change, "row", None)]
        written = outcome.written.get(path)
        word: str = (
            "written over somebody's value"
            if (outcome.id, path) in lost
            else "written"
            if written
            else "conflict"
            if path in changed.get(outcome.id or "", {})
            else outcome.word
        )
        if written:
            before, after = written
        cells.append(
            [
                outcome.id or "",
                str(change.key or ""),
                outcome.action,
                path,
                show(before, 10**6),
                show(after, 10**6),
                word,
            ]
        )
    rows = [
        [o.id or str(o.row), str(o.key or ""), o.action, o.label, str(o.status or ""), o.reason]
        for o in report.outcomes
    ]
    head, theirs = replaced(report, 10**6)
    evidence = f"<h2>Values of others that were replaced</h2>{table(head, theirs)}" if theirs else ""
    title = in_html(headline(report))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>{table(['', ''], facts)}"
        f"<h2>Rows</h2>{table(['_id', 'key', 'action', 'outcome', 'status', 'reason'], rows)}"
        f"<h2>Cells</h2>{table(['_id', 'key', 'action', 'field', 'before', 'after', 'outcome'], cells)}"
        f"{evidence}</body></html>\n"
    )
