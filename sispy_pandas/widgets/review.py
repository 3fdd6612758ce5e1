"""Review a plan cell by cell, push it, see what became of every row, decide conflicts, undo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from sispy.remedies import message_of, what_of
from sispy.text import printable

from ..planning.change_set import FREE_DELETES
from ..pushing.journal import short
from ..pushing.record import read
from ..revisions.undo import undo, verify
from ..values.blocks import count
from ..values.references import new_rows
from ..workflow.objects import Report
from ..workflow.parts import Plans, Reports
from ..workflow.rest import resume
from .background import Background, Job
from .markup import Html, alert, calm, h
from .push_row import LINE, PushRow
from .review_part import Held, Lines, ReviewPart
from .shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..workflow.objects import Plan
    from .review_lines import CellId

_AUTO = {"width": "auto"}
_HEAD = {**LINE, "margin": "12px 0 0"}
_NOTHING_LOST = "no value of others was replaced"


class PlanReview(Shown):
    """Show every changed cell of a plan, to be accepted, rejected or corrected, and push what is ticked.

    Nothing is written before Push is clicked. A push runs beside the page; Resume finishes one that was
    cancelled. Everything stays in sight until another plan is shown: what is written, what was rejected, and
    what is still to be sent. Ticks of whole fields and rows never decide a conflict; only `keep` in its own
    line does. Undo opens the review of a plan that takes back all pushes that were made here: beneath this
    one, which stays as it is. Plans of several tables have a part each, and are one push with one way back.

    Args:
        plan: From `Snapshot.diff`, `undo`, `revert` or a file; or Plans.
        on_report: Called after every push with the report; of Plans with Reports, of what was pushed. Where
            all that was decided leaves the values of others, nothing is pushed, and the report is empty.
        height: Of the table of each part, in px.

    Attributes:
        plan: The plan or Plans that are shown, with all cells.
        report: What became of the last push, None before.
        given_way: (row, field) of the conflicts in which the other's value was chosen.
        undoing: The review of what takes the pushes back, while it is open beneath this one; else None.

    Raises:
        ImportError: anywidget, which draws the table, is not installed.

    Example:
        >>> review = PlanReview(live.diff(live.frame().assign(notes="checked")))
        >>> review
        <PlanReview of host: 10 of 10 cells will be sent>
    """

    def __init__(
        self,
        plan: Plan | Plans,
        *,
        on_report: Callable[[Report], object] | Callable[[Reports], object] = lambda _: None,
        height: int = 320,
    ) -> None:
        self._plan = plan
        self._on_report: Callable[..., object] = on_report
        self._height = height
        self._reports: Report | Reports | None = None
        self._parts: tuple[ReviewPart, ...] = ()
        self._tables = widgets.VBox()
        self._message = widgets.HTML()
        self._row = PushRow(
            push=self._push, cancel=self._cancel, resume=self._resume, verify=self._verify, undo=self._undo
        )
        self._beneath = widgets.VBox()
        self._work = Background(busy=self._row.show_busy, say=self._say)
        super().__init__(children=[self._tables, self._row, self._message, self._beneath])
        self.show(plan)

    def __repr__(self) -> str:
        names = ", ".join(dict.fromkeys(printable(part.plan.schema.name) for part in self._parts))
        lines = Lines(*map(sum, zip(*(part.lines for part in self._parts), strict=True)))
        return f"<PlanReview of {names}: {lines}>"

    def show(self, plan: Plan | Plans) -> None:
        """Show another plan."""
        plans = _plans(plan)
        self._plan, self._reports = plan, None
        self._close_undo()
        if [part.plan.schema.name for part in self._parts] == [one.schema.name for one in plans]:
            for part, one in zip(self._parts, plans, strict=True):
                part.show(one)
        else:
            self._parts = tuple(
                ReviewPart(one, height=self._height, on_change=self._ask_deletes) for one in plans
            )
            self._tables.children = self._parts
        self._offer()

    @property
    def plan(self) -> Plan | Plans:
        """The plan or Plans that are shown, with all cells."""
        shown = tuple(part.plan for part in self._parts)
        return Plans(shown) if isinstance(self._plan, Plans) else shown[0]

    @property
    def report(self) -> Report | Reports | None:
        """What became of the last push, None before."""
        return self._reports

    @property
    def given_way(self) -> set[CellId]:
        """(row, field) of the conflicts in which the other's value was chosen."""
        return {cell for part in self._parts for cell in part.given_way}

    @property
    def busy(self) -> bool:
        """Return whether a push is running."""
        return bool(self._row.push.disabled) or (self.undoing is not None and self.undoing.busy)

    @property
    def undoing(self) -> PlanReview | None:
        """The review of what takes the pushes back, while it is open beneath this one; else None."""
        return next((one for one in self._beneath.children if isinstance(one, PlanReview)), None)

    def chosen(self) -> Plan | Plans:
        """Return the plan of the ticked cells.

        Raises:
            ValueError: A ticked cell holds a corrected value that its field refuses.
        """
        return self._together([part.chosen() for part in self._parts])

    def wait(self, seconds: float = 60) -> None:
        """Wait until a push has ended; for scripts."""
        self._work.wait(seconds)
        if self.undoing is not None:
            self.undoing.wait(seconds)

    def _html(self) -> Html:
        return Html((self.plan if self.report is None else self.report)._repr_html_())

    def _together(self, plans: Sequence[Plan]) -> Plan | Plans:
        """Return plans of the parts as what was given: one plan, or several."""
        return Plans(tuple(plans)) if isinstance(self._plan, Plans) else plans[0]

    def _offer(self) -> None:
        """Show what can be done now."""
        is_written = any(part.state.in_force for part in self._parts)
        self._row.allow_undo(len({short(path) for path in self._written()}) if is_written else 0)
        self._row.allow_resume(self._to_resume() is not None)
        self._row.allow_verify(
            self._to_resume() is None and any(part.state.is_unread for part in self._parts)
        )
        self._ask_deletes()

    def _ask_deletes(self) -> None:
        deletes = self.plan.counts["deletes"] if self._parts else 0
        self._row.ask_deletes(deletes if deletes > FREE_DELETES else 0)

    def _say(self, text: str) -> None:
        self._message.value = alert(self._row.told(text), style="color: var(--jp-error-color1, #c33)")

    # Pushing

    def _push(self) -> None:
        try:
            held = {part: part.held() for part in self._parts}
        except ValueError as error:
            self._say(message_of(error))
            return
        sent = [part for part in self._parts if len(held[part].plan)]
        if not sent:
            self._close(held)
            return
        if self._row.resume.layout.display != "none" and self._unknown():
            self._say("Whether some rows arrived is not known: resume the push first.")
            return
        options = self._row.options
        plan = self._together([held[part].plan for part in sent])

        def work(_: Job) -> Report | Reports:
            return plan.push(
                skip_problems=True, progress=self._row.bar, cancel=self._row.stop.is_set, **options
            )

        self._row.stop.clear()
        self._work.start(work, lambda report: self._take(report, sent, held))

    def _close(self, held: Mapping[ReviewPart, Held]) -> None:
        """Close the conflicts in which the other's value stays, where nothing else is to be sent."""
        closed = sum(len(one.given_way) for one in held.values())
        if not closed:
            self._say("No cell is ticked.")
            return
        reports = tuple(_nothing_of(part.plan) for part in self._parts)
        self._take(Reports(reports) if isinstance(self._plan, Plans) else reports[0], self._parts, held)
        self._message.value = calm(f"Nothing was sent: {count(closed, 'conflict')} left as others made it")

    def _resume(self) -> None:
        journal = self._to_resume()
        if journal is None:
            return
        held = {part: Held(part.plan, part.state, (), part.table.ticked) for part in self._parts}

        def work(_: Job) -> Report | Reports:
            plan = resume(journal, self._parts[0].plan.endpoint.client)
            return plan.push(
                skip_problems=True,
                expect_deletes=plan.counts["deletes"],
                progress=self._row.bar,
                cancel=self._row.stop.is_set,
            )

        def done(report: Report | Reports) -> None:
            of = {part.report.journal: part for part in self._parts if part.report is not None}
            self._take(report, [of[one.journal] for one in _reports(report)], held)

        self._row.stop.clear()
        self._work.start(work, done)

    def _take(
        self, report: Report | Reports, sent: Sequence[ReviewPart], held: Mapping[ReviewPart, Held]
    ) -> None:
        """Show the state after a push; what was ticked and not sent stays ticked."""
        reports = _reports(report)
        known = {id_: made for one in reports for id_, made in _made(one).items()}
        of = dict(zip(sent, reports, strict=True))
        for part in self._parts:
            if part in of or held[part].given_way:
                part.take(held[part], of.get(part, _nothing_of(part.plan)), known)
        self._reports = report
        self._offer()
        self._on_report(report)
        if stopped := next((one for one in reports if one.stopped), None):
            self._say_stopped(stopped, sum(one.counts["unsent"] for one in reports))
        elif broken := next((one for one in reports if one.broken_off), None):
            self._say_unverified(broken, sum(sum(one.why_unverified.values()) for one in reports))

    def _say_stopped(self, report: Report, unsent: int) -> None:
        """Say how to go on; that somebody cancelled it is no failure."""
        again = f"Resume goes on with it, and so does sp.resume({str(report.journal)!r})"
        if self._row.stop.is_set():
            self._message.value = calm(f"Cancelled. Rows not sent: {unsent:,}. {again}")
        else:
            self._say(f"It ended early ({report.stopped}): {again}")

    def _say_unverified(self, report: Report, rows: int) -> None:
        """Say how to find out what the push may have replaced: all of it was sent."""
        began = "Cancelled" if self._row.stop.is_set() else "It ended early"
        self._message.value = calm(
            f"{began} after all was sent. Rows of which it is not known what they replaced: {rows:,}. "
            f"Verify goes on with it, and so does sp.verify({str(report.journal)!r})"
        )

    def _to_resume(self) -> Path | None:
        """Return a journal of the push that ended early, if the last one did."""
        last = [part.report for part in self._parts if part.report is not None]
        return next((report.journal for report in last if report.stopped and report.journal), None)

    def _unknown(self) -> bool:
        """Return whether rows of the last push were sent, and nothing is known of what became of them."""
        last = [part.report for part in self._parts if part.report is not None]
        return any(
            row.word is None
            for report in last
            if report.journal is not None
            for row in read(report.journal).entries.values()
        )

    def _written(self) -> dict[Path, Report]:
        """Return all pushes that wrote something, by their journals, the oldest first."""
        reports = [report for part in self._parts for report in part.state.reports]
        wrote = {one.journal: one for one in reports if one.journal and any(o.written for o in one.outcomes)}
        return dict(sorted(wrote.items(), key=lambda item: item[0].name))  # names sort by time

    def _cancel(self) -> None:
        self._row.stop.set()

    # Afterwards

    def _verify(self) -> None:
        """Read what the commits of the pushes tell, those of a push that was resumed all together."""
        reports = [(part, one) for part in self._parts if part.state.is_unread for one in part.state.reports]
        client = self._parts[0].plan.endpoint.client

        def work(_: Job) -> list[tuple[ReviewPart, Report]]:
            how: dict[str, Any] = {"progress": self._row.bar, "cancel": self._row.stop.is_set}
            return [(part, verify(one.journal or one, client, **how)) for part, one in reports]

        def done(found: list[tuple[ReviewPart, Report]]) -> None:
            for part, report in found:
                part.take_verified(report)
            self._offer()
            looked = [report for _, report in found]
            if broken := next((one for one in looked if one.broken_off), None):
                self._say_unverified(broken, sum(sum(one.why_unverified.values()) for one in looked))
            else:
                lost = sum(bool(outcome.overwrites) for one in looked for outcome in one.outcomes)
                told = f"{count(lost, 'row')} replaced values of others" if lost else _NOTHING_LOST
                self._message.value = calm(f"Verified: {told}")

        self._row.stop.clear()
        self._work.start(work, done)

    def _undo(self) -> None:
        written = list(self._written().values())
        if written:
            self._work.start(lambda _: undo(written), self._open_undo)

    def _open_undo(self, plan: Plan | Plans) -> None:
        """Review beneath what takes the pushes back; meanwhile nothing else can be pushed here."""
        if plan.empty:
            notes = [what_of(note) for one in _plans(plan) for note in one.notes]
            self._message.value = calm("; ".join(["Nothing is left to take back", *notes]))
            return
        title = widgets.HTML(str(h("b", "Undo: this plan takes it back. The review above stays as it is.")))
        back = widgets.Button(description="Back to the review above", icon="arrow-up", layout=_AUTO)
        back.on_click(lambda _: self._back_from_undo())
        head = widgets.HBox([title, back], layout=_HEAD)
        self._row.layout.display = "none"
        self._beneath.children = (head, PlanReview(plan, on_report=self._take_undo, height=self._height))

    def _back_from_undo(self) -> None:
        if self.busy:
            self._message.value = calm("Wait until the push has ended.")
        else:
            self._close_undo()

    def _close_undo(self) -> None:
        self._beneath.children = ()
        self._row.layout.display = None
        self._message.value = ""

    def _take_undo(self, report: Report | Reports) -> None:
        """Show which cells are as they were before; an undo can be undone as well."""
        undone = {} if self.undoing is None else self.undoing._in_force()
        for part in self._parts:
            part.take_back(undone.get(part.plan.schema.name, ()))
        self._offer()
        self._on_report(report)

    def _in_force(self) -> dict[str, set[CellId]]:
        """Return the cells that were written here and not taken back, by table."""
        found: dict[str, set[CellId]] = {}
        for part in self._parts:
            found.setdefault(part.plan.schema.name, set()).update(part.state.in_force)
        return found


def _plans(plan: Plan | Plans) -> tuple[Plan, ...]:
    return plan.plans if isinstance(plan, Plans) else (plan,)


def _reports(report: Report | Reports) -> tuple[Report, ...]:
    return report.reports if isinstance(report, Reports) else (report,)


def _nothing_of(plan: Plan) -> Report:
    """Return the report of a push that sends nothing of a plan."""
    return Report(replace(plan, changes=(), problem_list=(), conflict_list=()), ())


def _made(report: Report) -> dict[str, str]:
    """Return the `_id`s of the new rows of a push, by what stood for them in references."""
    ids = {outcome.row: outcome.id for outcome in report.outcomes if outcome.id}
    names = new_rows(report.plan.schema.name, report.plan.changes)
    return {name: ids[row] for name, row in names.items() if row in ids}
