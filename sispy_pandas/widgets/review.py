"""Review a plan cell by cell, push it, see what became of every row, decide conflicts, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import ipywidgets as widgets

from sispy.remedies import message_of
from sispy.text import in_html, printable

from ..planning.change_set import FREE_DELETES
from ..pushing.record import read
from ..revisions.undo import rest_of, undo
from .background import Background, Job
from .labels import ServerLabels
from .markup import Html, alert, calm
from .push_row import PushRow
from .review_lines import lines_of
from .review_state import ReviewState
from .review_table import ReviewTable
from .shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ..workflow.objects import Plan, Report
    from .review_lines import CellId

_ROW = 26  # px


class PlanReview(Shown):
    """Show every changed cell of a plan, to be accepted, rejected or corrected, and push what is ticked.

    Nothing is written before Push is clicked. A push runs beside the page; Resume finishes one that was
    cancelled. Everything stays in sight until another plan is shown: what is written, what was rejected, and
    what is still to be sent. Ticks of whole fields and rows never decide a conflict; only `keep` in its own
    line does. Undo takes back all pushes that were made here.

    Args:
        plan: From `Snapshot.diff`, `undo`, `revert` or a file.
        on_report: Called with the report after every push.
        height: Of the table, in px.

    Attributes:
        plan: The plan that is shown, with all its cells.
        report: What became of the last push, None before.
        given_way: (row, field) of the conflicts in which the other's value was chosen.

    Raises:
        ImportError: anywidget, which draws the table, is not installed.

    Example:
        >>> review = PlanReview(live.diff(live.frame().assign(notes="checked")))
        >>> review
        <PlanReview of host: 10 of 10 cells will be sent>
    """

    def __init__(
        self, plan: Plan, *, on_report: Callable[[Report], None] = lambda _: None, height: int = 320
    ) -> None:
        from .drawn import grid_class

        self._state = ReviewState.of(plan)
        self.given_way: set[CellId] = set()
        self._on_report = on_report
        self._labels = ServerLabels(plan.endpoint.client)
        self._table = ReviewTable(plan, lines_of(plan), labels=self._labels)
        self._by_field = self._table.counts()
        self._grid = grid_class()(
            self._table.model,
            rows=False,
            follow=True,
            height=min(height, _ROW * (len(self._table.model.base) + 3)),
            label="Changed cells",
            on_change=self._count,
        )
        self._head = widgets.HTML()
        self._fields = widgets.HBox(layout={"flex_flow": "row wrap"})
        self._reject_row = _button("Reject the row", "times", lambda: self._tick_row(False))
        self._accept_row = _button("Accept the row", "check", lambda: self._tick_row(True))
        self._message = widgets.HTML()
        self._row = PushRow(push=self._push, cancel=self._cancel, resume=self._resume, undo=self._undo)
        self._work = Background(busy=self._row.show_busy, say=self._say)
        rows = widgets.HBox([self._accept_row, self._reject_row])
        super().__init__(children=[self._head, self._fields, self._grid, rows, self._row, self._message])
        self._offer()

    def __repr__(self) -> str:
        lines = len(self._table.model.base)
        sent = lines - len(self._table.rejected)
        return f"<PlanReview of {printable(self.plan.schema.name)}: {sent:,} of {lines:,} cells will be sent>"

    def show(self, plan: Plan) -> None:
        """Show another plan."""
        self._state = ReviewState.of(plan)
        self.given_way = set()
        self._draw()

    @property
    def plan(self) -> Plan:
        """The plan that is shown, with all its cells."""
        return self._state.plan

    @property
    def report(self) -> Report | None:
        """What became of the last push, None before."""
        return self._state.reports[-1] if self._state.reports else None

    @property
    def busy(self) -> bool:
        """Whether a push is running."""
        return bool(self._row.push.disabled)

    def chosen(self) -> Plan:
        """Return the plan of the ticked cells.

        Raises:
            ValueError: A ticked cell holds a corrected value that its field refuses.
        """
        return self._state.chosen(rejected=self._table.rejected, values=self._table.values)

    def wait(self, seconds: float = 60) -> None:
        """Wait until a push has ended; for scripts."""
        self._work.wait(seconds)

    # Drawing

    def _html(self) -> Html:
        return Html(self.plan._repr_html_() if self.report is None else self.report._repr_html_())

    def _draw(self, ticked: Collection[CellId] | None = None) -> None:
        lines = lines_of(self.plan, self._state.told)
        self._table = ReviewTable(self.plan, lines, labels=self._labels, ticked=ticked)
        self._grid.show(self._table.model)
        self._offer()

    def _offer(self) -> None:
        """Show the fields with their ticks, and what can be done now."""
        self._by_field = self._table.counts()
        self._fields.children = [self._field_box(path) for path in self._paths()]
        report, written = self.report, [one for one in self._state.reports if _wrote(one)]
        self._row.allow_undo(len(written))
        self._row.allow_resume(
            report is not None and report.stopped is not None and report.journal is not None
        )
        self._count()

    def _paths(self) -> list[str]:
        """Return the fields that have lines of their own; rows to delete are one line."""
        return [path for path in self.plan.fields if path in self._by_field]

    def _field_box(self, path: str) -> widgets.Checkbox:
        box = widgets.Checkbox(value=self._by_field[path][1] > 0, indent=False, layout={"width": "auto"})
        box.observe(lambda change: self._tick_field(path, change.new), "value")
        return box

    def _count(self) -> None:
        table = self._table
        self._by_field = table.counts()
        lines = len(table.model.base)
        sent = sum(ticked for _, ticked in self._by_field.values())
        for box, path in zip(self._fields.children, self._paths(), strict=True):
            cells, ticked = self._by_field[path]
            some = f"{ticked:,} of " if 0 < ticked < cells else ""
            box.description, box.value = f"{path} ({some}{cells:,})", ticked > 0
        facts = [f"<b>{in_html(self.plan.schema.name)}</b>: {sent:,} of {lines:,} cells will be sent"]
        counts = self.plan.counts if self.report is None else self._state.counts
        facts += [f"{word}: {number:,}" for word, number in counts.items() if number]
        self._head.value = " · ".join(facts)
        deletes = self.plan.counts["deletes"]
        self._row.ask_deletes(deletes if deletes > FREE_DELETES else 0)

    def _tick_field(self, path: str, send: bool) -> None:
        if send == (self._by_field[path][1] > 0):
            return  # the box has followed its cells
        self._table.tick(send, field=path)
        self._grid.update()
        self._count()

    def _tick_row(self, send: bool) -> None:
        row = self._grid.active_row
        if row is not None:
            self._table.tick(send, row=row)
            self._grid.update()
            self._count()

    def _say(self, text: str) -> None:
        self._message.value = alert(self._row.told(text), style="color: var(--jp-error-color1, #c33)")

    # Pushing

    def _push(self) -> None:
        try:
            plan = self.chosen()
        except ValueError as error:
            self._say(message_of(error))
            return
        if not len(plan):
            self._say("No cell is ticked.")
            return
        if self._row.resume.layout.display != "none" and self._unknown():
            self._say("The fate of some rows is unknown: resume the push first.")
            return
        options = self._row.options
        given_way = self._table.given_way
        state = self._state.corrected(self._table.values)
        held = self._table.ticked

        def work(_: Job) -> Report:
            return plan.push(
                skip_problems=True, progress=self._row.bar, cancel=self._row.stop.is_set, **options
            )

        def done(report: Report) -> None:
            self.given_way |= given_way
            self._take_report(state.after(report, given_way=given_way), held)

        self._row.stop.clear()
        self._work.start(work, done)

    def _unknown(self) -> bool:
        """Tell whether rows of the last push were sent, and nothing is known of what became of them."""
        journal = self.report.journal if self.report else None
        return journal is not None and any(row.word is None for row in read(journal).entries.values())

    def _resume(self) -> None:
        report = self.report
        if report is None or report.journal is None:
            return
        journal, state, held = report.journal, self._state, self._table.ticked

        def work(_: Job) -> Report:
            plan = rest_of(journal, self.plan.endpoint.client)
            return plan.push(
                skip_problems=True,
                expect_deletes=plan.counts["deletes"],
                progress=self._row.bar,
                cancel=self._row.stop.is_set,
            )

        self._row.stop.clear()
        self._work.start(work, lambda report: self._take_report(state.after(report), held))

    def _take_report(self, state: ReviewState, held: set[CellId]) -> None:
        """Show the state after a push; what was ticked and not sent stays ticked."""
        self._state = state
        report, told = state.reports[-1], state.told
        self._draw({cell for cell in held if cell not in told or told[cell].outcome == "unsent"})
        self._on_report(report)
        if report.stopped:
            self._say_stopped(report)

    def _say_stopped(self, report: Report) -> None:
        """Say how to go on; that somebody cancelled it is no failure."""
        again = f"Resume goes on with it, and so does sp.resume({str(report.journal)!r})"
        unsent = report.counts["unsent"]
        if self._row.stop.is_set():
            self._message.value = calm(f"Cancelled. Rows not sent: {unsent:,}. {again}")
        else:
            self._say(f"It ended early ({report.stopped}): {again}")

    def _cancel(self) -> None:
        self._row.stop.set()

    def _undo(self) -> None:
        written = [report for report in self._state.reports if _wrote(report)]
        if written:
            self._work.start(lambda _: cast("Plan", undo(written)), self.show)  # of one table


def _wrote(report: Report) -> bool:
    return report.journal is not None and any(outcome.written for outcome in report.outcomes)


def _button(text: str, icon: str, act: Callable[[], Any]) -> widgets.Button:
    button = widgets.Button(description=text, icon=icon, layout={"width": "auto"})
    button.on_click(lambda _: act())
    return button
