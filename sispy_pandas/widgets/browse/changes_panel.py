"""What was changed in a table in a span of time, by whom, and the plan that puts it back."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from sispy.remedies import worded

from ...revisions.edits import Changes, changes
from ...revisions.revert import revert
from ...values.blocks import count, name_of
from ...values.times import milliseconds_of
from ..markup import Html, alert, button, choice, h, joined, loading, short, short_apart, table, text_field
from .cell_html import html_apart, names_in
from .panel import PlanningPanel
from .versions import time_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy import Client

    from ...values.schema import Schema
    from ...workflow.objects import Plan
    from ..background import Job
    from ..labels import ServerLabels
    from .cell_html import Names

SPANS = {"1h": "the last hour", "1d": "the last day", "7d": "the last 7 days", "30d": "the last 30 days"}
_LENGTHS = {
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_MOST = 200
"""Cells that are listed."""


class ChangesPanel(PlanningPanel):
    """List the cells that were changed in a span of time, narrowed by user and field.

    Args:
        client: The server.
        labels: Names for references.
        open_row: Called with a table and an `_id`.
        review: Called with a plan.
    """

    def __init__(
        self,
        client: Client,
        labels: ServerLabels,
        *,
        open_row: Callable[[str, str], None],
        review: Callable[[Plan], None],
    ) -> None:
        self._client = client
        self._labels = labels
        self.schema: Schema | None = None
        self.span: str = "1d"
        self.since: str = ""
        self.by: str = ""
        self.field: str = ""
        self.found: Changes | None = None
        self.names: Names = {}
        self.done: tuple[int, float | None] | None = None
        super().__init__(
            review,
            row=open_row,
            span=self._choose_span,
            since=self._choose_since,
            by=self._choose_by,
            field=self._choose_field,
            revert=self._revert,
        )

    def show(self, schema: Schema) -> None:
        """Show another table; its changes are read when the panel is looked at."""
        self.cancel()
        self.schema, self.found, self.by, self.field = schema, None, "", ""
        self._forget()
        self.say("")

    def look(self) -> None:
        """Read the changes, unless they are there or on their way."""
        if self.found is None and not self.busy:
            self.reload()

    def reload(self) -> None:
        schema = self.schema
        if schema is None:
            return
        endpoint, span, since = self._client.entities(schema.name), self.span, self.since

        def work(job: Job) -> tuple[Changes, Names]:
            def progress(done: int, total: float | None) -> None:
                job.check()
                self.done = (done, total)
                self.draw_soon()

            start = milliseconds_of(since, tz="UTC") if since else _LENGTHS[span]
            found = changes(endpoint, since=start, progress=progress)
            cells = [
                (found.schema.field(edit.field), value)
                for edit in found.edits[:_MOST]
                if edit.known
                for value in (edit.before, edit.after)
            ]
            return found, names_in(self._labels, cells)

        self.found, self.done = None, None
        self._forget()
        self.work.start(work, self._take)

    def chosen(self) -> Changes:
        """Return the changes of the user and the field that are chosen.

        Raises:
            ValueError: None were read.
        """
        if self.found is None:
            raise ValueError("the changes were not read yet")
        return self.found.only(by=self.by or None, fields=[self.field] if self.field else None)

    def content(self) -> Html:
        spans = [("", "…"), *SPANS.items()] if self.since else SPANS.items()
        line = h(
            "div",
            h("h3", "Changes of rows in"),
            choice(spans, "" if self.since else self.span, "span", label="Span"),
            h("span", "or since", class_="faint"),
            text_field(self.since, "since", label="Since", placeholder="2026-11-23 08:00, in UTC", size=24),
            class_="line",
        )
        return h(
            "div",
            line,
            alert(self.problem),
            self.busy and self._loading(),
            self.found is not None and self._found(self.found),
            self._said(),
            class_="stack",
        )

    def _loading(self) -> Html:
        if self.done is None:
            return loading("Looking for rows that were written …")
        done, total = self.done
        rows = f"{done:,} of {count(int(total), 'row')}" if total else count(done, "row")
        return h(
            "div",
            loading(f"Commits of {rows} …"),
            button("Cancel", "cancel"),
            class_="line",
        )

    def _found(self, found: Changes) -> Html:
        if not len(found):
            return h("p", "No cell was changed.", class_="faint")
        chosen = self.chosen()
        schema = found.schema
        rows = len({edit.id for edit in chosen.edits})
        narrowed = h(
            "div",
            h("b", f"{count(len(chosen), 'cell')} of {count(rows, 'row')}"),
            _narrow(Counter(edit.by for edit in found.edits), self.by, "by", "everybody"),
            _narrow(Counter(edit.field for edit in found.edits), self.field, "field", "all fields"),
            button(
                "Put this cell back" if len(chosen) == 1 else f"Put these {count(len(chosen), 'cell')} back",
                "revert",
                style="push",
                title="A plan, to be reviewed",
                disabled=not len(chosen),
            ),
            class_="line",
        )
        lines = [
            (
                time_of(edit.at),
                edit.by,
                button(
                    short(str(name_of(edit))),
                    "row",
                    style="link",
                    with_={"table": schema.name, "row": edit.id},
                ),
                edit.field,
                *(
                    html_apart(schema.field(edit.field), (edit.before, edit.after), self.names)
                    if edit.known
                    else short_apart(str(edit.before), str(edit.after))
                ),
            )
            for edit in chosen.edits[:_MOST]
        ]
        head = ("When (UTC)", "Who", schema.key or "_id", "Field", "Before", "After")
        left = len(chosen) - len(lines)
        notes = [h("div", worded(note, lambda _: None), class_="faint") for note in found.notes]
        more = h("div", f"and {count(left, 'more cell')}", class_="faint") if left > 0 else None
        return joined(
            narrowed, table(head, lines, label=f"Changes of {schema.name}", class_="rows"), more, *notes
        )

    def _take(self, found: tuple[Changes, Names]) -> None:
        self.found, self.names = found
        self.draw()

    def _choose_span(self, value: str) -> None:
        self.span, self.since = value or self.span, ""
        self.reload()

    def _choose_since(self, value: str) -> None:
        self.since = value.strip()
        self.reload()

    def _choose_by(self, value: str) -> None:
        self.by = value
        self._forget()
        self.draw()

    def _choose_field(self, value: str) -> None:
        self.field = value
        self._forget()
        self.draw()

    def _revert(self) -> None:
        chosen = self.chosen()
        self._plan(lambda: revert(chosen))


def _narrow(counts: Counter[str], chosen: str, act: str, everything: str) -> Html:
    options = [("", everything), *((name, f"{name} ({number:,})") for name, number in counts.most_common())]
    return choice(options, chosen, act, label=act.capitalize())
