"""Edit a snapshot's rows in a grid; the edits become a plan, to be reviewed and pushed."""

from __future__ import annotations

import threading
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import ipywidgets as widgets
import pandas as pd

from sispy import Error
from sispy.text import in_html, printable

from ..planning.rights import roles_of
from ..pushing.render import words
from ..values.arrow import described
from ..values.blocks import count
from ..workflow.objects import Snapshot
from ..workflow.references import LabelledSnapshot
from .draft_offer import DraftOffer
from .drafts import Autosave, drafts_of, edits_of, put_back
from .drawn import grid_class
from .editor_model import after_push, editor_model, with_conflicts, with_ids, with_roles
from .grid_frame import joined
from .grid_order import look
from .labels import ServerLabels
from .push_row import LINE
from .review import PlanReview
from .shown import Shown, frame_html

if TYPE_CHECKING:
    from ..planning.change_set import ChangeSet
    from ..workflow.objects import Plan, Report
    from .drafts import Draft
    from .editor_model import Edits
    from .markup import Html


class FrameEditor(Shown):
    """Edit rows as in a spreadsheet: typed editors, blocks, undo, replace; F1 lists the keys.

    Nothing is written to the server before a reviewed plan is pushed. Of 100,000 rows only those in sight
    travel to the browser; more than 500,000 are refused. Cells take what people type: names and enums in any
    case, `on` and `off`, lists with commas, 3 Feb 2026; what has 03.02.2026, 1.234,56 or 50% in it asks once
    how it is read. A duplicate of a unique value is red at once; rows that are locked or immutable, or that
    the user may not write, say so from the start. References are shown by name, in lists too, where `frame()`
    holds ids.

    Edits are kept on disk, beside the journals of pushes and for their user alone: after a cell ran again or
    the kernel was restarted the editor offers them, with their age. They are put back where the rows are as
    they were. A push, or the end of all edits, removes them; so does a month without them.

    Args:
        snapshot: What the server said.
        frame: Some of its rows and columns, in any order and edited already; all of them by default.
        height: Of the grid, in px.

    Attributes:
        snapshot: What edits are compared with; after a push, the server's new state.
        report: What became of the last push, None before.

    Raises:
        ImportError: anywidget, which draws the grid, is not installed.
        TypeError: The first is no snapshot, or the frame none of pandas.
        ValueError: Rows of the frame cannot be recognised, or there are too many.

    Example:
        >>> editor = FrameEditor(live)
        >>> len(editor.plan())
        0
    """

    def __init__(self, snapshot: Snapshot, frame: pd.DataFrame | None = None, *, height: int = 440) -> None:
        _check(snapshot, frame)
        if isinstance(snapshot, LabelledSnapshot):
            frame = None if frame is None else with_ids(snapshot, frame)
            snapshot = snapshot.plain
        self.snapshot: Snapshot = snapshot
        self.report: Report | None = None
        self._roles: frozenset[str] | None = None
        self._grid = grid_class()(
            editor_model(snapshot, frame),
            labels=ServerLabels(snapshot.endpoint.client),
            height=height,
            label=f"Rows of {snapshot.schema.name}",
            on_change=lambda: self._saved.soon(),
        )
        self._saved = Autosave(self._edits, self._say)
        self._reviewed: Edits = {}
        self._review = widgets.Button(
            description="Review the changes", icon="check", button_style="primary", layout={"width": "auto"}
        )
        self._review.on_click(lambda _: self.review())
        self._message = widgets.HTML()
        self._below = widgets.VBox()
        self._offer = DraftOffer(drafts_of(snapshot.endpoint, snapshot.schema), self._put_back)
        row = widgets.HBox([self._review, self._message], layout=LINE)
        super().__init__(children=[self._offer, self._grid, row, self._below])
        if snapshot.endpoint.client.username:
            threading.Thread(target=self._ask_roles, daemon=True, name="sispy-labels").start()

    def __repr__(self) -> str:
        counts = self._grid.model.counts()
        rows, changed = count(counts["rows"], "row"), count(counts["changed"], "cell")
        return f"<FrameEditor of {printable(self.snapshot.schema.name)}: {rows}, {changed} changed>"

    @property
    def busy(self) -> bool:
        """Return whether a push is running."""
        return any(review.busy for review in self._below.children)

    def frame(self) -> pd.DataFrame:
        """Return the rows as edited: new ones last with a blank `_id`, those to be deleted left out."""
        return joined(self._grid.model)

    @property
    def deleted(self) -> list[str]:
        """The `_id`s of the rows that are marked for deletion."""
        return self._grid.model.deleted_ids

    def plan(self) -> Plan:
        """Compare the edits with the snapshot; cells that cannot be sent are in the plan's `problems`.

        Those in conflict after a push are in its `conflicts`, and stay so until each is decided.
        """
        plan = self.snapshot.diff(self.frame(), delete=self.deleted)
        return with_conflicts(self._grid.model, plan)

    def discard(self) -> None:
        """Take all edits back, as one step of undo; nothing of them is kept on disk."""
        with self._grid.lock:
            self._grid.model.discard()
            self._grid.update()
        self._saved.now()

    def review(self) -> PlanReview | None:
        """Show the plan below the grid, as the button does; None if there is nothing to push.

        While a push is running its review stays.
        """
        review: PlanReview
        for review in self._below.children:
            if review.busy:
                self._message.value = "Wait until the push has ended."
                return review
        with self._grid.lock:
            plan, self._reviewed = self.plan(), deepcopy(self._grid.model.edits)
        if plan.empty:
            self._message.value = "Nothing was changed."
            self._below.children = ()
            return None
        self._message.value = ""
        review = PlanReview(plan, on_report=self._take_report)
        self._below.children = (review,)
        return review

    def _edits(self) -> ChangeSet:
        with self._grid.lock:
            return edits_of(self._grid.model, self.snapshot.endpoint)

    def _put_back(self, draft: Draft) -> list[str]:
        """Put a draft back, and keep it as one of this editor; return what was left out."""
        edits = draft.read(self.snapshot.endpoint)
        with self._grid.lock:
            left = put_back(self._grid.model, edits)
            self._grid.update()
        self._saved.now()
        return left

    def _say(self, text: str) -> None:
        self._message.value = in_html(text)

    def _ask_roles(self) -> None:
        """Mark the rows that the user may not write; without an answer only the marks are missing."""
        with suppress(Error):
            client = self.snapshot.endpoint.client
            roles = roles_of(client.users, client.username)
            if roles is not None:
                with self._grid.lock:
                    self._roles = roles
                    with_roles(self._grid.model, self.snapshot, roles)
                    self._grid.refresh()

    def _html(self) -> Html:
        return frame_html(repr(self), self.frame())

    def _take_report(self, report: Report) -> None:
        """Show the server's new state below what is still to be done."""
        self.report = report
        (review,) = self._below.children
        # the plan of a second push, or of an undo, knows less than what is shown here
        known = replace(report, plan=replace(report.plan, snapshot=self.snapshot))
        with self._grid.lock:
            self.snapshot = known.snapshot
            fresh, self._reviewed = after_push(
                self._grid.model,
                report,
                self.snapshot,
                reviewed=self._reviewed,
                given_way=review.given_way,
                roles=self._roles,
            )
            look(fresh, replace(self._grid.model.view, show="all"))
            self._grid.show(fresh)
        self._saved.now()
        self._message.value = in_html(words(report))


def _check(snapshot: object, frame: object) -> None:
    """Raise TypeError for what is no snapshot, and for rows that are no frame of pandas."""
    if not isinstance(snapshot, Snapshot):
        given = type(snapshot).__name__
        raise TypeError(f"the editor edits a snapshot, got {given}: sp.fetch or sp.snapshot_of makes one")
    if frame is not None and not isinstance(frame, pd.DataFrame):
        raise TypeError(f"the rows to edit are a DataFrame of pandas, got {described(frame)}")
