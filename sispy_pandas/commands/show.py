"""Plans as a terminal, a script, a merge request or a browser shows them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from sispy.cli.remedies import in_shell
from sispy.cli.terminal import fitted, styled, table
from sispy.text import json_seen, shorten
from sispy_pandas.planning import render as words
from sispy_pandas.planning.plan_html import html
from sispy_pandas.planning.render import SENTENCE, action, count, name_of, show, show_apart, summary
from sispy_pandas.pushing.render import headline, replaced, unverified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sispy_pandas.planning.change_set import ChangeSet
    from sispy_pandas.workflow.objects import Plan, Report

SHOWN = 40
"""Cells that a terminal shows of a plan; `--output json` and `-o plan.json` hold all."""
_MARKUP = re.compile(r"[\\`*_\[\]<>|&#@!$]|~(?=.)|(?<=.)~")
_ADDRESS = re.compile(r"(\w)(:(?=/)|\.(?<=www\.))", re.IGNORECASE)
"""What makes a link of a text without any markup."""
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}


def plan_text(plan: ChangeSet, *, shown: int = SHOWN) -> str:
    """Return a plan fitted to the terminal: head, summary where there is much, cells, problems."""
    blocks = [fitted("\n".join(words.head(plan, in_shell)))]
    cells = list(_cells(plan))
    if len(cells) > shown:
        fields = [[field, int(number), most] for field, number, most in summary(plan)]
        blocks.append(table(["field", "cells", "most frequent"], fields))
    if cells:
        text = _coloured(table(["", plan.schema.key or "_id", "field", "before", "after"], cells[:shown]))
        blocks.append(text + _more(cells, shown, "cell"))
    if plan.faults:
        rows = [[name_of(p), p.column or "", show(p.value), in_shell(p.reason)] for p in plan.faults[:shown]]
        text = table(["problem in", "column", "value", "reason"], rows, wrap=True)
        blocks.append(text + _more(plan.faults, shown, "problem"))
    if plan.stale:
        rows = [[name_of(s), in_shell(s.reason)] for s in plan.stale[:shown]]
        text = table(["stale row", "reason"], rows, wrap=True)
        blocks.append(text + _more(plan.stale, shown, "stale row"))
    return "\n\n".join(blocks)


def report_text(report: Report) -> str:
    """Return a report fitted to the terminal: counts, then the rows that need somebody's attention."""
    stopped = [shorten(f"stopped: {in_shell(report.stopped)}", SENTENCE)] if report.stopped else []
    notes = [shorten(in_shell(note), SENTENCE) for note in report.notes]
    head = [headline(report), *notes, *stopped]
    blocks = [fitted("\n".join(head))]
    bad = [o for o in report.outcomes if o.word not in ("done", "unchanged", "unsent")]
    if bad:
        rows = [[name_of(o), o.action, o.word, o.status, in_shell(o.reason)] for o in bad[:SHOWN]]
        titles = [report.plan.schema.key or "_id", "action", "outcome", "status", "reason"]
        blocks.append(table(titles, rows, wrap=True) + _more(bad, SHOWN, "row"))
    unsent = Counter(in_shell(o.reason) for o in report.outcomes if o.word == "unsent")
    if unsent:
        lines = [shorten(f"{count(n, 'row')} not sent: {reason}", SENTENCE) for reason, n in unsent.items()]
        blocks.append(fitted("\n".join(lines)))
    if report.clashes:
        cells = [[name_of(c), c.field, *show_apart(c.base, c.mine, c.theirs)] for c in report.clashes[:SHOWN]]
        text = table(["conflict in", "field", "base", "mine", "theirs"], cells)
        blocks.append(text + _more(report.clashes, SHOWN, "conflict"))
    return "\n\n".join([*blocks, *evidence_blocks(report)])


def later_text(report: Report) -> list[str]:
    """Return what has to be told of a report that was shown before the commits were read."""
    counts = [fitted(headline(report))] if len(report.overwritten) else []
    return [*counts, *evidence_blocks(report)]


def evidence_blocks(report: Report) -> list[str]:
    """Return what the server's commits tell of a push: values of others it replaced, rows not verified."""
    titles, cells = replaced(report)
    blocks = [table(titles, cells[:SHOWN]) + _more(cells, SHOWN, "value")] if cells else []
    return [*blocks, *map(fitted, unverified(report, in_shell))]


def plan_json(plan: Plan) -> str:
    """Return a plan as JSON: counts, cells, problems and stale rows."""
    cells = [
        {
            "action": sign,
            "_id": getattr(change, "id", None),
            "key": change.key,
            "field": path,
            "before": a,
            "after": b,
        }
        for sign, change, path, a, b in ((action(c), c, path, a, b) for c, path, a, b in plan.cells())
    ]
    problems = [
        {
            "row": str(p.row),
            "key": p.key,
            "column": p.column,
            "value": p.value,
            "reason": in_shell(p.reason),
        }
        for p in plan.faults
    ]
    stale = [{"_id": s.id, "key": s.key, "reason": in_shell(s.reason)} for s in plan.stale]
    document: dict[str, Any] = {
        "table": plan.schema.name,
        "server": plan.endpoint.client.url,
        "counts": plan.counts,
        "cells": cells,
        "problems": problems,
        "stale": stale,
        "notes": list(map(in_shell, plan.notes)),
    }
    return json_seen(document, indent=2, default=str)


def plan_markdown(plan: Plan) -> str:
    """Return a plan as Markdown, short enough for a merge request."""
    first, *rest = words.head(plan, in_shell)
    blocks = [f"### {_escaped(first)}", *(_escaped(line) for line in rest)]
    cells = list(_cells(plan))
    if len(cells) > SHOWN:
        blocks.append(_markdown(["field", "cells", "most frequent"], summary(plan)))
    if cells:
        blocks.append(_markdown(["", plan.schema.key or "_id", "field", "before", "after"], cells[:SHOWN]))
    if len(cells) > SHOWN:
        blocks.append(f"... and {count(len(cells) - SHOWN, 'more cell')}")
    if plan.faults:
        rows = [[name_of(p), p.column or "", show(p.value), in_shell(p.reason)] for p in plan.faults]
        blocks.append(_markdown(["problem in", "column", "value", "reason"], rows))
    if plan.stale:
        blocks.append(
            _markdown(["stale row", "reason"], [[name_of(s), in_shell(s.reason)] for s in plan.stale])
        )
    return "\n\n".join(blocks)


def plan_html(plan: Plan) -> str:
    """Return a plan as one self-contained page."""
    return f'<!doctype html>\n<meta charset="utf-8">\n<title>Plan</title>\n{html(plan, in_shell)}'


FORMATS: dict[str, Callable[[Plan], str]] = {
    "text": plan_text,
    "json": plan_json,
    "md": plan_markdown,
    "html": plan_html,
}


def _cells(plan: ChangeSet) -> Iterator[list[str]]:
    for change, path, before, after in plan.cells():
        yield [action(change), name_of(change), path, *show_apart(before, after)]


def _more(items: Sequence[Any], shown: int, noun: str) -> str:
    """Return the line that says how many are not shown."""
    left = len(items) - shown
    return f"\n... and {count(left, f'more {noun}')}" if left > 0 else ""


def _coloured(text: str) -> str:
    top, *lines = text.split("\n")
    return "\n".join([top, *(styled(line, _COLOURS.get(line[:1])) for line in lines)])


def _markdown(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(_escaped(cell) for cell in line) + " |" for line in lines)


def _escaped(text: str) -> str:
    """Return a text that Markdown shows as it is: no links, no mentions, no markup of any kind."""
    text = _MARKUP.sub(r"\\\g<0>", shorten(text, SENTENCE))
    return _ADDRESS.sub(r"\1\\\2", text)
