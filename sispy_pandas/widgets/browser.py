"""Browse a server: its schemas, their definitions and rows; build a filter, fetch, export, edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import traitlets

from sispy.text import in_html, printable

from ..values.schema import Schema, parse_schema
from . import schema_html
from .background import Background, Job
from .schema_html import alert
from .schema_pane import SchemaPane
from .shown import Shown

if TYPE_CHECKING:
    from sispy import Client

_NO_FIELDS: tuple[str, ...] = ("hiera", "hooks", "users")


class SchemaBrowser(Shown):
    """Click through schemas, fields, references and rows of a server; build a query and fetch it.

    It only reads, except for files that are exported on request. Everything that asks the server runs
    beside the page, can be cancelled, and says its errors in the widget.

    Args:
        client: The server; no token is needed to read.

    Attributes:
        schema: The Schema that is shown, None before one is chosen.
        query: What the filter asks for, as `sp.fetch` takes it.
        snapshot: What was fetched last, None before.

    Example:
        >>> browser = SchemaBrowser(client)
        >>> browser.wait()
        >>> browser.visit("host")
        >>> browser
        <SchemaBrowser of http://127.0.0.1:...: 4 schemas>
    """

    schema = traitlets.Instance(Schema, allow_none=True)
    query = traitlets.Dict()
    snapshot = traitlets.Any(None)

    def __init__(self, client: Client) -> None:
        self._client = client
        self._entries: dict[str, tuple[Schema, int | None]] = {}
        self._visited: list[str] = []
        self._busy = False
        self._search = widgets.Text(
            placeholder="Search schemas and fields",
            tooltip="Enter shows the first hit",
            layout={"width": "auto"},
        )
        self._list = widgets.Select(options=(), rows=18, layout={"width": "auto"})
        self._reload = widgets.Button(description="Reload", icon="refresh", layout={"width": "auto"})
        self._message = widgets.HTML()
        self._pane = SchemaPane(client, follow=self.visit, back=self._back)
        self._others = {name: widgets.HTML() for name in _NO_FIELDS}
        self._tabs = widgets.Tab(
            children=[self._schemas_tab(), *self._others.values()],
            titles=("Schemas", "Hiera", "Hooks", "Users"),
        )
        self._loading = Background(busy=self._show_busy, say=self._say)
        self._search.observe(lambda _: self._fill_list(), "value")
        self._search.on_msg(self._on_enter)  # in Jupyter the keys of a list are the notebook's
        self._list.observe(self._on_choice, "value")
        self._reload.on_click(lambda _: self._loading.cancel() if self._busy else self.reload())
        self._tabs.observe(lambda change: self._open_tab(change.new), "selected_index")
        super().__init__(children=[self._title(), self._tabs])
        traitlets.dlink((self._pane, "query"), (self, "query"))
        traitlets.dlink((self._pane, "snapshot"), (self, "snapshot"))
        self.reload()

    def visit(self, name: str) -> None:
        """Show a schema, as a click on it does.

        Raises:
            ValueError: There is none of that name.
        """
        if name not in self._entries:
            raise ValueError(f"no schema {name!r} was loaded; there are {', '.join(self._entries)}")
        if self.schema is not None and self.schema.name != name:
            self._visited.append(self.schema.name)
        self._show(name)

    def reload(self) -> None:
        """Read the schemas and their counts again."""
        self._loading.start(self._read_schemas, self._take_schemas)

    def wait(self, seconds: float = 10) -> None:
        """Wait until what runs beside the page has ended; for scripts."""
        self._loading.wait(seconds)
        self._pane.wait(seconds)

    def __repr__(self) -> str:
        return f"<SchemaBrowser of {printable(self._client.url)}: {len(self._entries)} schemas>"

    def _html(self) -> str:
        self._loading.wait(1)  # a slow server: then without its schemas
        return schema_html.page(schema_html.schema_list(list(self._entries.values())))

    # Inside

    def _title(self) -> widgets.HTML:
        return widgets.HTML(f"<b>{in_html(self._client.url)}</b>")

    def _schemas_tab(self) -> widgets.HBox:
        left = widgets.VBox([self._search, self._list, self._reload, self._message])
        left.layout.width = "270px"
        left.layout.flex = "none"
        return widgets.HBox([left, self._pane], layout={"grid_gap": "16px"})

    def _read_schemas(self, job: Job) -> dict[str, tuple[Schema, int | None]]:
        found = {}
        for document in self._client.schemas.fetch_all({"with_counts": True}):
            job.check()
            schema = parse_schema(document)
            found[schema.name] = (schema, document.get("entity_count"))
        return dict(sorted(found.items()))

    def _take_schemas(self, entries: dict[str, tuple[Schema, int | None]]) -> None:
        self._entries = entries
        self._pane.schemas = {name: schema for name, (schema, _) in entries.items()}
        self._fill_list()

    def _fill_list(self) -> None:
        wanted = self._search.value.strip().lower()
        shown = [
            (_label(schema, count), name)
            for name, (schema, count) in self._entries.items()
            if wanted in name.lower() or any(wanted in path.lower() for path in schema.columns)
        ]
        shown.sort(key=lambda option: wanted not in option[1].lower())  # stable: names before fields
        chosen = self.schema.name if self.schema else None
        with self._list.hold_trait_notifications():
            self._list.options = shown
            self._list.value = chosen if chosen in {name for _, name in shown} else None

    def _on_enter(self, _text: Any, content: dict[str, Any], _buffers: Any) -> None:
        """Show the first schema that the search found."""
        if content.get("event") == "submit" and self._list.options:
            self.visit(self._list.options[0][1])

    def _on_choice(self, change: Any) -> None:
        if change.new is not None and (self.schema is None or change.new != self.schema.name):
            self.visit(change.new)

    def _show(self, name: str) -> None:
        self.schema, count = self._entries[name]
        self._pane.show(self.schema, count, can_go_back=bool(self._visited))
        if name in {value for _, value in self._list.options}:
            self._list.value = name

    def _back(self) -> None:
        if self._visited:
            self._show(self._visited.pop())

    def _open_tab(self, index: int) -> None:
        if index == 0:
            return
        name = _NO_FIELDS[index - 1]
        view = self._others[name]
        if view.value:
            return
        view.value = "Loading …"
        endpoint = getattr(self._client, name)

        def draw(objects: list[dict[str, Any]]) -> None:
            view.value = schema_html.page(schema_html.documents(objects))

        self._loading.start(lambda _: list(endpoint.fetch_all()), draw)

    def _show_busy(self, busy: bool) -> None:
        self._busy = busy
        self._reload.description = "Loading … click to cancel" if busy else "Reload"
        self._reload.icon = "spinner spin" if busy else "refresh"

    def _say(self, text: str) -> None:
        self._message.value = alert(text)


def _label(schema: Schema, count: int | None) -> str:
    number = "" if count is None else f" ({count:,})"
    return f"{schema.name}{number} · {', '.join(schema.owner)}" if schema.owner else f"{schema.name}{number}"
