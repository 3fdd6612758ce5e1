"""One row whole: a form, its JSON, its history; what is edited becomes a plan, to be reviewed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...reading.commits import edits
from ...revisions.edits import Changes
from ...revisions.revert import revert
from ...values.blocks import count
from ...values.changes import Delete, Update
from ...values.entity import key_of
from ...values.types.object_id import is_object_id
from ...workflow.fetch import fetch
from ..background import Background
from ..editor_model import in_conflict
from ..grid_model import Note
from ..markup import NEXT, Html, alert, button, h, joined, loading, short, tabs
from .cell_html import names_in, text_of
from .draft import Draft, at_of
from .fields_html import owner
from .form_html import form_html
from .panel import PlanningPanel
from .versions import History, row_history, time_of, versions_html

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sispy import Client

    from ...workflow.objects import Plan, Report
    from ..background import Job
    from ..labels import ServerLabels
    from ..review_lines import CellId
    from .cell_html import Names

_TABS = {"form": "Form", "json": "JSON", "history": "History"}


@dataclass(frozen=True)
class Row:
    """What was read of a row."""

    entity: dict[str, Any]
    draft: Draft
    names: Names


class DrawerPanel(PlanningPanel):
    """Show a row; references lead to others, and back.

    Args:
        client: The server.
        labels: Names for references.
        review: Called with a plan.
        owner: Called with the name of a group.
        moved: Called when another row is shown, or none.
    """

    def __init__(
        self,
        client: Client,
        labels: ServerLabels,
        *,
        review: Callable[[Plan], None],
        owner: Callable[[str], None],
        moved: Callable[[], None],
    ) -> None:
        self._client = client
        self._labels = labels
        self._moved = moved
        self.trail: list[tuple[str, str]] = []
        self.row: Row | None = None
        self.draft: Draft | None = None
        self.kept: dict[tuple[str, str], Draft] = {}
        """What was typed into rows and not reviewed yet, of those that are not shown."""
        self.opposed: dict[tuple[str, str], dict[str, Note]] = {}
        """What others wrote to rows that were to be deleted here, and about which nothing is decided."""
        self.offered: list[tuple[str, str]] = []
        self.tab: str = "form"
        self.history: History | None = None
        self.first: int = 0
        super().__init__(
            review,
            row=self.follow,
            owner=owner,
            back=self._back,
            close=self.close,
            tab=self._open_tab,
            edit=self._edit,
            refer=self._refer,
            offer=self._offer,
            more=lambda at: self._redraft(lambda draft: draft.added(at_of(at))),
            less=lambda at: self._redraft(lambda draft: draft.without(at_of(at))),
            discard=self._discard,
            clone=self._clone,
            review=lambda: self._plan(self._draft.plan),
            delete=self._delete,
            versions=self._turn,
            undo=self._put_back,
        )
        self.offering: Background = Background(busy=lambda _: None, say=lambda _: None)

    @property
    def _draft(self) -> Draft:
        if self.draft is None:
            raise ValueError("no row is open")
        return self.draft

    @property
    def here(self) -> tuple[str, str] | None:
        """The table and `_id` of the row that is shown, or is about to be."""
        return self.trail[-1] if self.trail else None

    def open(self, table: str, row: str) -> None:
        """Show a row, and forget the way to the one before."""
        self._keep()
        self.trail = [(table, row)]
        self._begin()

    def follow(self, table: str, row: str) -> None:
        """Show a row that the one shown refers to."""
        self._keep()
        self.trail.append((table, row))
        self._begin()

    def close(self) -> None:
        """Show nothing."""
        self._keep()
        self.cancel()
        self.trail, self.row, self.draft, self.history = [], None, None, None
        self._moved()
        self.draw()

    def take(self, reviewed: Plan, report: Report, given_way: Collection[CellId]) -> None:
        """Drop what a push has settled of what was typed, and show no row that it deleted.

        Args:
            reviewed: The plan that was shown.
            report: What became of it, or of the part that was sent.
            given_way: Its conflicts in which the other's value stays.
        """
        self._keep()
        written = {
            one.row: {path: after for path, (_, after) in one.written.items()} for one in report.outcomes
        }
        for change in reviewed.changes:
            if not isinstance(change, Update | Delete):
                continue
            place = reviewed.schema.name, change.id
            if isinstance(change, Delete):
                self._take_delete(place, report, is_kept=(change.id, "") in given_way)
            elif place in self.kept:
                paths = [path for row, path in given_way if row == change.id]
                settled = self.kept[place].settled(change, written.get(change.id, {}), paths)
                self.kept[place] = settled
                if not settled.is_touched:
                    del self.kept[place]
                if place == self.here:
                    self.draft = settled

    def _take_delete(self, place: tuple[str, str], report: Report, *, is_kept: bool) -> None:
        """Remember why a row was not deleted: its delete stays in conflict until that is decided."""
        is_gone = any(one.row == place[1] and one.word in ("done", "unchanged") for one in report.outcomes)
        notes = {
            one.field: Note("conflict", "", one.theirs, one.base)
            for one in report.conflict_list
            if one.id == place[1]
        }
        if notes:
            self.opposed[place] = notes
        elif is_kept or is_gone:
            self.opposed.pop(place, None)
        if is_gone and place == self.here:
            self.close()

    def reload(self) -> None:
        """Read the row that is shown again; what was typed stays."""
        self._keep()
        if self.here is None:
            return
        table, id_ = self.here
        endpoint = self._client.entities(table)

        def work(job: Job) -> Row:
            entity = endpoint.get(id_, {"populate": False}).to_dict()
            job.check()
            snapshot = fetch(endpoint, {"q": {"_id": entity["_id"]}}, progress=False)
            draft = Draft.of(snapshot, entity)
            cells = [(snapshot.schema.field(path), value) for path, value in draft.values.items()]
            return Row(entity, draft, names_in(self._labels, cells))

        self.work.start(work, self._take)

    def wait(self, seconds: float = 10) -> None:
        super().wait(seconds)
        self.offering.wait(seconds)

    def content(self) -> Html:
        if self.here is None:
            return Html()
        return h(
            "div",
            self._head(),
            alert(self.problem),
            self.busy and loading(),
            self._body(),
            self._said(),
            class_="drawer stack",
            data_show=True,
            with_=self.trail,
        )

    # What is shown

    def _head(self) -> Html:
        table, id_ = self.trail[-1]
        is_new = self.draft is not None and self.draft.id is None
        title = f"New row of {table}" if is_new else self._name() or id_
        way = f" {NEXT} ".join(name for name, _ in self.trail)
        back = (
            button("←", "back", style="quiet", aria_label="Back to the row before")
            if len(self.trail) > 1
            else None
        )
        line = h(
            "div",
            back,
            h("h2", short(title)),
            button("✕", "close", style="quiet push", aria_label="Close the row"),
            class_="line",
        )
        about = h("div", way, " · ", h("span", id_, class_="mono"), class_="faint")
        return joined(line, about, None if is_new else self._facts())

    def _name(self) -> str:
        if self.row is None:
            return ""
        return str(key_of(self.row.draft.schema, self.row.entity) or "")

    def _facts(self) -> Html | None:
        if self.row is None:
            return None
        sis = self.row.entity.get("_sis") or {}
        facts: list[object] = []
        for word in ("created", "updated"):
            by, at = sis.get(f"_{word}_by"), sis.get(f"_{word}_at")
            if by is not None and isinstance(at, int | float):
                facts.append(f"{word} by {by}, {time_of(int(at))}")
        owners = [piece for name in sis.get("owner") or [] for piece in (", ", owner(str(name)))][1:]
        facts += [joined("owners ", *owners)] if owners else ["no owners"]
        facts += [word for word in ("locked", "immutable") if sis.get(word)]
        facts += [f"tags {', '.join(map(str, sis['tags']))}"] if sis.get("tags") else []
        return h("div", *[piece for fact in facts for piece in (" · ", fact)][1:], class_="faint")

    def _body(self) -> Html | None:
        if self.row is None or self.draft is None:
            return None
        if self.draft.id is None:
            return joined(self._form(self.row, self.draft))
        shown = {"form": self._form, "json": self._json, "history": self._versions}[self.tab]
        return joined(tabs(_TABS, self.tab, "tab", label="Views of the row"), shown(self.row, self.draft))

    def _form(self, row: Row, draft: Draft) -> Html:
        changed = len(draft.changed)
        is_new = draft.id is None
        form = h(
            "div",
            form_html(draft, row.names, self.offered),
            class_="inner",
            tabindex=0,
            role="region",
            aria_label="Form",
        )
        review = f"Review {count(changed, 'changed field')}" if changed else "Review the row"
        review = "Review the new row" if is_new else review
        line = [
            button(review, "review", style="main") if draft.is_touched else None,
            button("Discard", "discard") if draft.is_touched else None,
            None if is_new else button("Clone as a new row", "clone", style="push" if not changed else ""),
            None if is_new else button("Delete the row", "delete"),
        ]
        return joined(form, h("div", *line, class_="line"))

    def _json(self, row: Row, _draft: Draft) -> Html:
        text = json.dumps(row.entity, indent=2, ensure_ascii=False, default=str)
        return h("div", h("pre", text), class_="inner", tabindex=0, role="region", aria_label="JSON")

    def _versions(self, row: Row, draft: Draft) -> Html:
        if self.history is None:
            return Html()

        def told(path: str, value: Any) -> str:
            known = path in draft.schema.columns
            text = text_of(draft.schema.field(path), value) if known else "" if value is None else str(value)
            return ", ".join(row.names.get(part, part) for part in text.split(", "))

        return versions_html(self.history, self.first, told, back="undo", whole=True)

    # What the user does

    def _begin(self) -> None:
        self.planning.cancel()
        self.offering.cancel()
        self.row = self.draft = self.history = None
        self.offered, self.first = [], 0
        self._forget()
        self._moved()
        self.reload()

    def _take(self, row: Row) -> None:
        self.row, self.draft, self.history = row, row.draft, None
        kept = self.kept.pop((row.draft.schema.name, row.entity["_id"]), None)
        if kept is not None:
            self.draft = kept.onto(row.draft)
        self._forget()
        if self.tab == "history":
            self._read_history()
        self.draw()

    def _keep(self) -> None:
        """Remember what was typed into the row that is shown; a new row that is left is forgotten."""
        draft = self.draft
        if draft is not None and draft.id is not None and draft.is_touched:
            self.kept[draft.schema.name, draft.id] = draft

    def _back(self) -> None:
        if len(self.trail) > 1:
            self._keep()
            self.trail.pop()
            self._begin()

    def _open_tab(self, name: str) -> None:
        self.tab = name
        if name == "history" and self.history is None:
            self._read_history()
        self.draw()

    def _read_history(self) -> None:
        row = self.row
        if row is None or self.here is None:
            return
        endpoint = self._client.entities(self.here[0])

        def work(_: Job) -> History:
            return row_history(endpoint, row.draft.schema, row.entity)

        def take(history: History) -> None:
            self.history, self.first = history, 0
            self.draw()

        self.planning.start(work, take)

    def _turn(self, first: int) -> None:
        self.first = first
        self.draw()

    def _redraft(self, change: Callable[[Draft], Draft]) -> None:
        self.draft = change(self._draft)
        self._forget()
        self.draw()

    def _edit(self, at: str, value: str) -> None:
        self._redraft(lambda draft: draft.typed(at_of(at), value))

    def _refer(self, at: str, value: str) -> None:
        """Take the name of a row, or its id."""
        place, typed = at_of(at), value.strip()
        ref = self._draft.field_at(place).ref
        if ref is None:
            return
        if not typed or is_object_id(typed):
            self._edit(at, typed)
            return

        def take(ids: dict[str, str]) -> None:
            row = self.row
            if is_object_id(ids.get(typed, "")) and row is not None:
                row.names.update({ids[typed]: typed} | self._labels.of(ref, [ids[typed]]))
                self._redraft(lambda draft: draft.typed(place, ids[typed]))
            else:
                self._redraft(lambda draft: draft.unknown(place, typed, ref))

        self.offering.start(lambda _: self._labels.ids(ref, [typed]), take)

    def _offer(self, at: str, value: str) -> None:
        """Offer the rows whose name holds what is being typed."""
        ref = self._draft.field_at(at_of(at)).ref

        def take(found: list[tuple[str, str]]) -> None:
            self.offered = found
            self.draw()

        if ref is not None:
            self.offering.start(lambda _: self._labels.find(ref, value.strip()), take)

    def _discard(self) -> None:
        row = self.row
        if row is not None:
            self._redraft(lambda _: row.draft)

    def _clone(self) -> None:
        row = self.row
        if row is not None:
            self._redraft(lambda draft: Draft.copy_of(draft.snapshot, row.entity))

    def _delete(self) -> None:
        draft = self._draft
        if draft.id is not None:
            id_, snapshot = draft.id, draft.snapshot
            notes = self.opposed.get((draft.schema.name, id_), {})
            self._plan(
                lambda: in_conflict(snapshot.diff(snapshot.frame().head(0), delete=[id_]), {id_: notes})
            )

    def _put_back(self, at: int) -> None:
        """Show the plan that takes a commit back, where nobody wrote later; it may delete the row."""
        history, draft, here = self.history, self.draft, self.here
        if history is None or draft is None or here is None:
            return
        step = history.steps[at]
        endpoint, schema = self._client.entities(here[0]), draft.schema
        found = Changes(endpoint, schema, tuple(edits(schema, step)), {step.id: history.steps})
        self._plan(lambda: revert(found))
