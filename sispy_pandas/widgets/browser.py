"""Browse a server: tables, rows, history, hiera, hooks, users; filter, fetch, edit, put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import traitlets

from sispy.text import printable

from ..values.blocks import count
from ..values.schema import Schema
from .browse.changes_panel import ChangesPanel
from .browse.drawer_panel import DrawerPanel
from .browse.map_panel import MapPanel
from .browse.object_history_panel import ObjectHistoryPanel
from .browse.objects_panel import KINDS, ObjectsPanel
from .browse.rows_panel import RowsPanel
from .browse.table_panel import TABS, TablePanel
from .browse.tables_panel import TablesPanel, tables_html
from .browse.top_panel import TopPanel
from .editor import FrameEditor
from .labels import ServerLabels
from .review import PlanReview
from .shown import Shown

if TYPE_CHECKING:
    from sispy import Client

    from ..workflow.objects import Plan, Report, Snapshot
    from .browse.panel import Panel
    from .markup import Html

_SIDE = {"flex": "1 1 240px", "min_width": "0"}
_MAIN = {"flex": "999 1 520px", "min_width": "0"}  # beside the list, or below it where there is no room
_ROWS = {"flex": "3 1 420px", "min_width": "0"}
_DRAWER = {"flex": "2 1 380px", "min_width": "0"}
_WRAP = {"flex_flow": "row wrap", "align_items": "flex-start", "grid_gap": "8px"}


class SchemaBrowser(Shown):
    """Click through tables, fields, references, rows and history of a server; filter, fetch, edit, put back.

    Everything that asks the server runs beside the page, can be cancelled, and says its errors where they
    belong. Nothing is written but files that are exported on request, and what is pushed from a review.

    Args:
        client: The server; no token is needed to read.
        table: Shown first, once the tables are read; None: nobody chose one yet.
        view: Of that table: "fields", "rows", "references" or "history".

    Attributes:
        schema: The Schema that is shown, None before one is chosen.
        query: What the filter asks for, as `sp.fetch` takes it.
        snapshot: What was fetched last, None before.

    Raises:
        ImportError: anywidget, which draws it, is not installed.
        ValueError: There is no such view.

    Example:
        >>> browser = SchemaBrowser(client, table="host", view="rows")
        >>> browser.wait()
        >>> browser
        <SchemaBrowser of http://127.0.0.1:...: 4 schemas>
    """

    schema: traitlets.Instance[Schema | None] = traitlets.Instance(Schema, allow_none=True)
    query: traitlets.TraitType[dict[str, Any], dict[str, Any]] = traitlets.Dict()
    snapshot: traitlets.Any = traitlets.Any(None)

    def __init__(self, client: Client, *, table: str | None = None, view: str = "fields") -> None:
        _check_view(view)
        self._client = client
        self._first = table
        self._visited: list[str] = []
        self._top = TopPanel(client.url, choose=self._open_tab, reload=self._reload_in_sight)
        self._list = TablesPanel(client, visit=self.visit, loaded=self._take_tables)
        self._table = TablePanel(
            visit=self._visit_if_there, owner=self._show_users, back=self._back, choose=self._open_view
        )
        self._labels = labels = ServerLabels(client)
        self._rows = RowsPanel(
            client,
            labels,
            open_row=self._open_row,
            on_query=lambda query: self.set_trait("query", query),
            on_snapshot=lambda snapshot: self.set_trait("snapshot", snapshot),
            edit=self._edit,
            touched=lambda: self._drawer.kept,
            forget=self._forget_edits,
        )
        self._drawer = DrawerPanel(
            client, labels, review=self._review, owner=self._show_users, moved=self._mark_open_row
        )
        self._changes = ChangesPanel(client, labels, open_row=self._open_row, review=self._review)
        self._definition = ObjectHistoryPanel(client, "schemas", changed=self.reload)
        self._map = MapPanel(visit=self.visit)
        self._objects = {name: self._objects_panel(name) for name in KINDS}
        self._histories = {
            name: ObjectHistoryPanel(client, name, changed=self._objects[name].reload)
            for name in ("hiera", "hooks")
        }
        self._below = widgets.VBox(layout={"margin": "12px 0 0"})
        for panel, layout in ((self._list, _SIDE), (self._rows, _ROWS), (self._drawer, _DRAWER)):
            panel.view.layout = layout
        history = widgets.VBox(
            [self._changes.view, self._definition.view], layout={**_ROWS, "grid_gap": "12px"}
        )
        rows = widgets.HBox([self._rows.view, history, self._drawer.view], layout={**_WRAP, "min_width": "0"})
        table = widgets.VBox([self._table.view, rows, self._below], layout=_MAIN)
        self._tables_box = widgets.HBox([self._list.view, table], layout=_WRAP)
        self._history_box = history
        others = [self._map, *self._objects.values(), *self._histories.values()]
        super().__init__(children=[self._top.view, self._tables_box, *(panel.view for panel in others)])
        self._table.tab = view
        self._top.draw()
        self._table.draw()
        self._lay_out()
        self.reload()

    # What scripts call

    def visit(self, name: str, view: str | None = None) -> None:
        """Show a table, as a click on it does.

        Args:
            name: Of the table.
            view: "fields", "rows", "references" or "history"; None: the one that is chosen.

        Raises:
            ValueError: There is none of that name.
        """
        tables = self._list.tables
        if name not in tables.schemas:
            raise ValueError(f"no schema {name!r} was loaded; there are {', '.join(tables.schemas)}")
        if view is not None:
            _check_view(view)
        if self.schema is not None and self.schema.name != name:
            self._visited.append(self.schema.name)
        while self._visited and self._visited[-1] == name:  # what was between is gone
            self._visited.pop()
        self._show(name, view)

    def reload(self) -> None:
        """Read the tables and their counts again."""
        self._map.is_loading = True
        self._list.reload()

    def wait(self, seconds: float = 10) -> None:
        """Wait until what runs beside the page has ended; for scripts."""
        for panel in self._panels():
            panel.wait(seconds)

    def __repr__(self) -> str:
        return f"<SchemaBrowser of {printable(self._client.url)}: {count(len(self._list.tables), 'schema')}>"

    # What is in sight

    def _html(self) -> Html:
        self._list.wait(1)  # a slow server: then without its tables
        return tables_html(self._client.url, self._list.tables)

    def _panels(self) -> list[Panel]:
        views = (self._list, self._rows, self._drawer, self._changes, self._definition)
        return [*views, *self._objects.values(), *self._histories.values()]

    def _objects_panel(self, kind: str) -> ObjectsPanel:
        return ObjectsPanel(
            self._client,
            KINDS[kind],
            visit=self._visit_if_there,
            owner=self._show_users,
            history=lambda name: self._histories[kind].show(name),
        )

    def _lay_out(self) -> None:
        """Show what the chosen tabs are about, and read of it what was not read yet."""
        tab, view = self._top.tab, self._table.tab if self.schema else ""
        self._tables_box.layout.display = None if tab == "tables" else "none"
        self._history_box.layout.display = None if view == "history" else "none"
        self._rows.show_if(view == "rows")
        self._drawer.show_if(view in ("rows", "history") and self._drawer.here is not None)
        self._map.show_if(tab == "map")
        for name, panel in (*self._objects.items(), *self._histories.items()):
            panel.show_if(name == tab)
        if tab == "map":
            self._map.draw()
        self._look()

    def _look(self) -> None:
        """Read what is in sight and was not read yet."""
        tab, view = self._top.tab, self._table.tab
        if tab in self._objects:
            self._objects[tab].look()
        elif tab == "tables" and self.schema is not None and view == "rows":
            self._rows.look()
        elif tab == "tables" and self.schema is not None and view == "history":
            self._changes.look()
            if self._definition.name != self.schema.name:
                self._definition.show(self.schema.name)

    def _reload_in_sight(self) -> None:
        tab = self._top.tab
        if tab in self._objects:
            self._objects[tab].reload()
            return
        self._labels.forget()
        self.reload()
        if tab == "tables" and self.schema is not None:
            inner = {"rows": (self._rows, self._drawer), "history": (self._changes, self._definition)}
            for panel in inner.get(self._table.tab, ()):
                panel.reload()

    def _take_tables(self) -> None:
        tables = self._list.tables
        self._map.tables = self._table.tables = self._rows.tables = tables
        self._map.is_loading = False
        self._visited = [name for name in self._visited if name in tables.schemas]
        self._table.before = self._visited[-1] if self._visited else None
        if self.schema is not None:
            self._renew(self.schema.name)
        self._table.draw()
        if self._top.tab == "map":
            self._map.draw()
        first, self._first = self._first, None
        if first is not None:
            self._visit_if_there(first)

    def _renew(self, name: str) -> None:
        """Take the definition of the table that is shown as it is now, or say that there is none any more."""
        schema = self._list.tables.schemas.get(name)
        self.schema = self._table.schema = schema
        if schema is not None:
            self._rows.schema = schema
            return
        self._list.say(f"The server has no table {name!r} any more.")
        self._list.chosen = self._map.here = None
        self._drawer.close()
        self._lay_out()

    def _show(self, name: str, view: str | None = None) -> None:
        tables = self._list.tables
        self.schema = schema = tables.schemas[name]
        self._list.chosen = self._map.here = name
        self._table.schema, self._table.tables = schema, tables
        self._table.searched = self._list.searched
        self._table.before = self._visited[-1] if self._visited else None
        self._table.tab = view or self._table.tab
        self._top.tab = "tables"
        self._rows.show(schema, tables)
        self._changes.show(schema)
        self._drawer.close()
        self._put_below(None)
        for panel in (self._top, self._list, self._table):
            panel.draw()
        self._lay_out()

    # What is clicked

    def _open_tab(self, name: str) -> None:
        self._top.tab = name
        self._top.draw()
        self._lay_out()

    def _open_view(self, name: str) -> None:
        self._table.tab = name
        self._table.draw()
        self._lay_out()

    def _visit_if_there(self, name: str) -> None:
        """Show a table that something refers to; it may be gone."""
        if name in self._list.tables.schemas:
            self.visit(name)
        else:
            self._list.say(f"The server has no table {name!r}.")

    def _back(self) -> None:
        if self._visited:
            self._show(self._visited.pop())

    def _show_users(self, name: str) -> None:
        self._open_tab("users")
        self._objects["users"].show_group(name)

    def _open_row(self, table: str, row: str) -> None:
        self._drawer.open(table, row)
        self._lay_out()

    def _forget_edits(self, table: str, row: str) -> None:
        self._drawer.kept.pop((table, row), None)
        self._rows.draw()

    def _mark_open_row(self) -> None:
        here = self._drawer.here
        self._rows.open_id = here[1] if here else None
        self._rows.draw()
        if here is None:
            self._lay_out()

    def _edit(self, snapshot: Snapshot) -> None:
        self._put_below(FrameEditor(snapshot))

    def _review(self, plan: Plan) -> None:
        def take(report: Report) -> None:
            self._drawer.take(plan, report, review.given_way)
            self._after_push()

        review = PlanReview(plan, on_report=take)
        self._put_below(review)

    def _put_below(self, widget: FrameEditor | PlanReview | None) -> None:
        """Show an editor or a review below the table; one that is pushing stays."""
        if any(one.busy for one in self._below.children):
            self._list.say("Below, a push is running: wait until it has ended.")
        else:
            self._below.children = () if widget is None else (widget,)

    def _after_push(self) -> None:
        self._rows.rows = None
        self._changes.found = None
        self._drawer.reload()
        self._look()


def _check_view(view: str) -> None:
    if view not in TABS:
        raise ValueError(f"a table has the views {', '.join(TABS)}, got {view!r}")
