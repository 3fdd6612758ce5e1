"""One plan of a review: its cells to accept, reject or correct, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets as widgets

from sispy.text import SENTENCE, in_html, shorten

from ..values.blocks import count
from ..values.changes import remarks
from ..values.references import with_targets
from .drawn import grid_class
from .labels import ServerLabels
from .markup import Html, h, joined
from .review_lines import lines_of
from .review_state import ReviewState
from .review_table import ReviewTable, without_options

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ..workflow.objects import Plan, Report
    from .grid import Grid
    from .review_lines import CellId

_ROW = 26  # px
_FIELD = {"width": "auto", "margin": "2px 16px 2px 2px"}


@dataclass(frozen=True)
class Held:
    """What was decided in a part when a push began."""

    plan: Plan
    """The ticked cells."""
    state: ReviewState
    given_way: Collection[CellId]
    """Conflicts in which the other's value was chosen."""
    ticked: set[CellId]


class Lines(NamedTuple):
    """How many cells, and how many rows to delete, and how many of each will be sent."""

    cells: int = 0
    sent: int = 0
    deletes: int = 0
    gone: int = 0

    def __str__(self) -> str:
        parts = [f"{self.sent:,} of {count(self.cells, 'cell')}"] if self.cells or not self.deletes else []
        parts += [f"{self.gone:,} of {count(self.deletes, 'row')} to delete"] if self.deletes else []
        return " and ".join(parts) + " will be sent"


class ReviewPart(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The changed cells of one table, with a box for each field.

    Args:
        plan: Of one table.
        height: Of the table, in px.
        on_change: Called when a tick or a value is another.

    Attributes:
        state: All cells, what became of them, and what is left.
        table: The lines and their decisions.
        given_way: Conflicts in which the other's value was chosen, in all pushes.
    """

    def __init__(self, plan: Plan, *, height: int, on_change: Callable[[], None] = lambda: None) -> None:
        self.state: ReviewState = ReviewState.of(plan)
        self.given_way: set[CellId] = set()
        self._on_change = on_change
        self._labels = ServerLabels(plan.endpoint.client)
        self.table: ReviewTable = ReviewTable(plan, lines_of(plan, self.state.told), labels=self._labels)
        self._by_field = self.table.counts()
        self.grid: Grid = grid_class()(
            self.table.model,
            rows=False,
            follow=True,
            height=min(height, _ROW * (len(self.table.model.base) + 3)),
            label=f"Changed cells of {plan.schema.name}",
            noun="line",
            on_change=self._count,
        )
        self.head: widgets.HTML = widgets.HTML()
        self.notes: widgets.HTML = widgets.HTML()
        self.fields: widgets.HBox = widgets.HBox(layout={"flex_flow": "row wrap"})
        self.accept_row: widgets.Button = _button("Accept the row", "check", lambda: self._tick_row(True))
        self.reject_row: widgets.Button = _button("Reject the row", "times", lambda: self._tick_row(False))
        rows = widgets.HBox([self.accept_row, self.reject_row])
        super().__init__(children=[self.head, self.notes, self.fields, self.grid, rows])
        self._offer()

    @property
    def plan(self) -> Plan:
        """The plan that is shown, with all its cells."""
        return self.state.plan

    @property
    def report(self) -> Report | None:
        """What became of the last push, None before."""
        return self.state.reports[-1] if self.state.reports else None

    @property
    def lines(self) -> Lines:
        """What there is, and what of it will be sent."""
        counts = self._by_field.values()
        deletes, gone = self.table.deletes
        cells, sent = sum(number for number, _ in counts), sum(ticked for _, ticked in counts)
        return Lines(cells - deletes, sent - gone, deletes, gone)

    def chosen(self) -> Plan:
        """Return the plan of the ticked cells.

        Raises:
            ValueError: A ticked cell holds a corrected value that its field refuses.
        """
        return self.state.chosen(rejected=self.table.rejected, values=self.table.values)

    def take_verified(self, report: Report) -> None:
        """Show what the commits of a push tell; what is decided stays so."""
        self.state = self.state.verified(report)
        self._draw(like=self.table)

    def take_back(self, cells: Collection[CellId]) -> None:
        """Show which cells an undo has put back; what is decided stays so."""
        self.state = self.state.taken_back(cells)
        self._draw(like=self.table)

    def show(self, plan: Plan) -> None:
        """Show another plan of the same table."""
        self.state = ReviewState.of(plan)
        self.given_way = set()
        self._draw()

    def held(self) -> Held:
        """Return what is decided at this moment, for a push.

        Raises:
            ValueError: As `chosen`.
        """
        state = self.state.corrected(self.table.values)
        return Held(self.chosen(), state, self.table.given_way, self.table.ticked)

    def take(self, held: Held, report: Report, known: Mapping[str, str]) -> None:
        """Show the state after a push.

        Args:
            held: What was decided when it began; what was ticked and not sent stays ticked.
            report: What became of this part of it.
            known: The `_id`s of rows that the push made, by what stood for them in references.
        """
        self.given_way.update(held.given_way)
        after = held.state.after(report, given_way=held.given_way)
        changes = tuple(with_targets(after.plan.schema, change, known) for change in after.left.changes)
        self.state = replace(after, left=replace(after.left, changes=changes))
        told = after.told
        self._draw({cell for cell in held.ticked if cell not in told or told[cell].outcome == "unsent"})

    # Drawing

    def _draw(self, ticked: Collection[CellId] | None = None, *, like: ReviewTable | None = None) -> None:
        lines = lines_of(self.plan, self.state.told)
        self.table = ReviewTable(self.plan, lines, labels=self._labels, ticked=ticked, like=like)
        self.grid.show(self.table.model)
        self._offer()

    def _offer(self) -> None:
        """Show the fields with their ticks."""
        self.notes.value = self._noted()
        self._by_field = self.table.counts()
        self.fields.children = [self._field_box(path) for path in self._paths()]
        self._count()

    def _noted(self) -> Html:
        """Write what there is to know beside the cells."""
        told = (*self.plan.notes, *(note for report in self.state.reports for note in report.notes))
        return joined(*(h("div", shorten(without_options(note), SENTENCE)) for note in dict.fromkeys(told)))

    def _paths(self) -> list[str]:
        """Return the fields that have lines of their own; rows to delete are one line."""
        return [path for path in self.plan.fields if path in self._by_field]

    def _field_box(self, path: str) -> widgets.Checkbox:
        box = widgets.Checkbox(value=self._by_field[path][1] > 0, indent=False, layout=_FIELD)
        box.observe(lambda change: self._tick_field(path, change.new), "value")
        return box

    def _count(self) -> None:
        self._by_field = self.table.counts()
        for box, path in zip(self.fields.children, self._paths(), strict=True):
            cells, ticked = self._by_field[path]
            some = f"{ticked:,} of " if 0 < ticked < cells else ""
            box.description, box.value = f"{path} ({some}{cells:,})", ticked > 0
        facts = [f"<b>{in_html(self.plan.schema.name)}</b>: {self.lines}"]
        counts = self.plan.counts if self.report is None else self.state.counts
        counts = {word: number for word, number in counts.items() if word != "cells"}  # that is said
        told = remarks(self.state.outcomes.values())
        facts += [f"{word}: {number:,}{told.get(word, '')}" for word, number in counts.items() if number]
        self.head.value = " · ".join(facts)
        self._on_change()

    def _tick_field(self, path: str, send: bool) -> None:
        if send == (self._by_field[path][1] > 0):
            return  # the box has followed its cells
        self.table.tick(send, field=path)
        self.grid.update()
        self._count()

    def _tick_row(self, send: bool) -> None:
        row = self.grid.active_row
        if row is not None:
            self.table.tick(send, row=row)
            self.grid.update()
            self._count()


def _button(text: str, icon: str, act: Callable[[], Any]) -> widgets.Button:
    button = widgets.Button(description=text, icon=icon, layout={"width": "auto"})
    button.on_click(lambda _: act())
    return button
