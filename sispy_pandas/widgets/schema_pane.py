"""One schema in the browser: definition, references, rows, filter, and what to do with the matches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import traitlets

from sispy.text import in_html

from ..formats.options import WriteOptions
from ..formats.registry import format_of
from ..reading.listing import where
from ..workflow.fetch import fetch
from ..workflow.to_files import write_file
from . import schema_html
from .background import Background, Job
from .conditions import python_code, shell_code
from .export_row import ExportRow
from .filter_builder import FilterBuilder
from .schema_html import alert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sispy import Client

    from ..values.schema import Schema
    from ..workflow.objects import Snapshot

_SAMPLE = 10  # rows


class SchemaPane(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Show one schema; `query` and `snapshot` follow what the user does."""

    query = traitlets.Dict()
    snapshot = traitlets.Any(None)

    def __init__(self, client: Client, *, follow: Callable[[str], None], back: Callable[[], None]) -> None:
        self._client = client
        self._follow = follow
        self.schemas: Mapping[str, Schema] = {}
        self._schema: Schema | None = None
        self._back = widgets.Button(description="←", tooltip="Back", layout={"width": "40px"})
        self._back.on_click(lambda _: back())
        self._title = widgets.HTML()
        self._definition = widgets.HTML()
        self._links = widgets.HBox(layout={"flex_flow": "row wrap"})
        self._rows = widgets.HTML()
        self._filter = widgets.VBox()
        self._count = widgets.HTML()
        self._code = widgets.Textarea(disabled=False, rows=5, layout={"width": "auto"})
        self._error = widgets.HTML()
        self._below = widgets.VBox()
        self._actions = ExportRow(fetch=self._fetch, export=self._export, edit=self._edit, cancel=self.cancel)
        self._counting = Background(busy=self._show_counting, say=self._say)
        self._sampling = Background(busy=lambda _: None, say=self._say)
        self._fetching = Background(busy=self._actions.show_busy, say=self._say)
        self._parts = widgets.Tab(
            children=[
                widgets.VBox([self._links, self._definition]),
                self._rows,
                widgets.VBox(
                    [self._filter, self._count, self._actions, self._error, self._code, self._below]
                ),
            ],
            titles=("Fields", "Rows", "Filter and fetch"),
        )
        hint = widgets.HTML("Choose a schema on the left.")
        super().__init__(children=[hint], layout={"flex": "1 1 auto", "min_width": "0"})

    def show(self, schema: Schema, count: int | None, *, can_go_back: bool) -> None:
        """Show another schema and start to read some of its rows."""
        self.cancel()
        self._schema = schema
        self._back.disabled = not can_go_back
        name = in_html(schema.name)
        self._title.value = schema_html.page(f"<b>{name}</b>", schema_html.facts(schema, count))
        self._definition.value = schema_html.page(schema_html.definition(schema))
        self._links.children = [self._link(text, target) for text, target in self._references(schema)]
        builder = FilterBuilder(schema)
        builder.observe(lambda _: self._on_filter(builder), ["q", "problem"])
        self._filter.children = (builder,)
        self._below.children = ()
        self._rows.value = "Loading …"
        self.children = (widgets.HBox([self._back, self._title]), self._parts)
        self._on_filter(builder)
        endpoint = self._client.entities(schema.name)
        self._sampling.start(lambda _: fetch(endpoint, {"limit": _SAMPLE}, progress=False), self._show_sample)

    def cancel(self) -> None:
        """Stop waiting for the server."""
        for work in (self._counting, self._sampling, self._fetching):
            work.cancel()

    def wait(self, seconds: float = 10) -> None:
        """Wait until what runs beside the page has ended."""
        for work in (self._counting, self._sampling, self._fetching):
            work.wait(seconds)

    @property
    def builder(self) -> FilterBuilder:
        """The filter of the schema that is shown."""
        builder: FilterBuilder = self._filter.children[0]
        return builder

    # What is shown

    def _references(self, schema: Schema) -> list[tuple[str, str]]:
        """List (text, schema) of the references from here and to here."""
        here = [(f"{path} → {target}", target) for path, target in _refs(schema) if target in self.schemas]
        there = [
            (f"{other.name}.{path} → here", other.name)
            for other in self.schemas.values()
            for path, target in _refs(other)
            if target == schema.name and other.name != schema.name
        ]
        return here + there

    def _link(self, text: str, target: str) -> widgets.Button:
        button = widgets.Button(
            description=text, tooltip=f"Show {target}", button_style="info", layout={"width": "auto"}
        )
        button.on_click(lambda _: self._follow(target))
        return button

    def _show_sample(self, snapshot: Snapshot) -> None:
        self._rows.value = schema_html.page(schema_html.sample(snapshot.frame()))

    def _on_filter(self, builder: FilterBuilder) -> None:
        if self._schema is None or builder is not self.builder:
            return
        if builder.problem:
            self._counting.cancel()
            self._count.value = f"<i>{in_html(builder.problem)}</i>"
            return
        self.query = {"q": builder.q} if builder.q else {}
        name = self._schema.name
        self._code.value = f"{python_code(name, builder.text)}\n\n{shell_code(name, builder.text)}"
        endpoint = self._client.entities(name)
        text = builder.text
        self._counting.start(
            lambda _: endpoint.count(where(endpoint, text) if text else None), self._show_count
        )

    def _show_count(self, count: int) -> None:
        self._count.value = f"<b>{count:,}</b> {'row matches' if count == 1 else 'rows match'}"

    def _show_counting(self, busy: bool) -> None:
        self._count.value = "Counting …" if busy else self._count.value.removeprefix("Counting …")

    def _say(self, text: str) -> None:
        self._error.value = alert(text)

    # What the user does with the matches

    def _load(self, job: Job) -> Snapshot:
        if self._schema is None:
            raise ValueError("choose a schema first")
        endpoint = self._client.entities(self._schema.name)

        def progress(done: int, total: float | None) -> None:
            job.check()
            self._actions.show_progress(done, total)

        return fetch(endpoint, self.builder.text or None, progress=progress)

    def _fetch(self, variable: str) -> None:
        if not variable.isidentifier():
            self._say(f"{variable!r} is no name for a variable")
            return

        def keep(snapshot: Snapshot) -> None:
            self.snapshot = snapshot
            _user_namespace()[variable] = snapshot.frame()
            self._actions.say(
                f"<code>{variable}</code> is a DataFrame of {len(snapshot):,} rows; "
                f"<code>browser.snapshot.diff({variable})</code> is the plan of your edits."
            )

        self._fetching.start(self._load, keep)

    def _export(self, path: str) -> None:
        try:
            form = format_of(path)
        except ValueError as error:
            self._say(str(error))
            return

        def work(job: Job) -> tuple[Snapshot, Path]:
            snapshot = self._load(job)
            write_file(snapshot, path, form, WriteOptions())
            return snapshot, Path(path).resolve()

        def keep(result: tuple[Snapshot, Path]) -> None:
            self.snapshot, written = result
            text = in_html(str(written))
            self._actions.say(f"{len(self.snapshot):,} rows are in <code>{text}</code>")

        self._fetching.start(work, keep)

    def _edit(self) -> None:
        from .editor import FrameEditor

        def keep(snapshot: Snapshot) -> None:
            self.snapshot = snapshot
            self._below.children = (FrameEditor(snapshot),)

        self._fetching.start(self._load, keep)


def _refs(schema: Schema) -> list[tuple[str, str]]:
    """List (path, schema) of all references, also in arrays and documents."""
    found = []
    for field in schema.fields:
        for inner in (field, *((field.item,) if field.item else ()), *field.fields):
            if inner.ref:
                path = field.path if inner is field or inner is field.item else f"{field.path}.{inner.path}"
                found.append((path, inner.ref))
    return found


def _user_namespace() -> dict[str, Any]:
    """Return the notebook's variables; outside of IPython those of the main program."""
    try:
        from IPython import get_ipython
    except ImportError:
        shell = None
    else:
        shell = get_ipython()
    if shell is None:
        import __main__

        return vars(__main__)
    namespace: dict[str, Any] = shell.user_ns
    return namespace
