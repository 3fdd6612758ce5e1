"""The rows of a table: a filter as a line and as conditions, pages of rows, what to do with the matches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sispy.remedies import message_of

from ...formats.options import WriteOptions
from ...formats.registry import format_of
from ...values.blocks import count
from ...values.entity import stored
from ...workflow.fetch import fetch
from ...workflow.to_files import write_file
from ..background import Background
from ..conditions import Builder
from ..markup import Html, alert, h
from .asked import Asked
from .cell_html import names_in
from .panel import Panel
from .rows_html import (
    PAGE_SIZES,
    Progress,
    actions_html,
    code_html,
    columns_html,
    filter_html,
    older_html,
    pager_html,
    summary_html,
    table_html,
    touched_html,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sispy import Client

    from ...values.schema import Schema
    from ...workflow.objects import Snapshot
    from ..background import Job
    from ..conditions import Condition
    from ..labels import ServerLabels
    from .cell_html import Names
    from .draft import Draft
    from .tables import Tables


class _Found(NamedTuple):
    """What a question found: a page of rows and the number of all, and the names in it."""

    asked: Asked
    rows: Snapshot | None
    total: int
    names: Names
    why: str = ""
    """Why there are none."""


class RowsPanel(Panel):
    """Show pages of rows, and fetch, export or edit all that match.

    Args:
        client: The server.
        labels: Names for references.
        open_row: Called with a table and an `_id`.
        on_query: Called with the query, as `sp.fetch` takes it, whenever another one is asked.
        on_snapshot: Called with what was fetched.
        edit: Called with a snapshot that is to be edited.
        touched: Returns the rows that are edited and not shown, by table and `_id`.
        forget: Called with one of them, whose edits are not wanted any more.
    """

    def __init__(
        self,
        client: Client,
        labels: ServerLabels,
        *,
        open_row: Callable[[str, str], None],
        on_query: Callable[[dict[str, Any]], None],
        on_snapshot: Callable[[Snapshot], None],
        edit: Callable[[Snapshot], None],
        touched: Callable[[], Mapping[tuple[str, str], Draft]],
        forget: Callable[[str, str], None],
    ) -> None:
        self._client = client
        self._labels = labels
        self._on_query, self._on_snapshot, self._edit = on_query, on_snapshot, edit
        self._touched = touched
        self.schema: Schema | None = None
        self.tables: Tables | None = None
        self.asked: Asked = Asked()
        self.builder: Builder = Builder()
        self.page: int = 0
        self.size: int = PAGE_SIZES[0]
        self.rows: Snapshot | None = None
        self.answered: Asked = Asked()  # whose rows they are
        self.total: int | None = None
        self.names: Names = {}
        self.open_id: str | None = None
        self.refused: str = ""  # why the filter cannot be read
        self.failed: str = ""  # why nothing was fetched
        self.told: str = ""
        self.progress: Progress | None = None
        self.variable: str = "df"
        self.path: str = ""
        super().__init__(
            row=open_row,
            forget=forget,
            line=self.ask,
            join=lambda value: self._build(replace(self.builder, joined=value)),
            add=lambda: self._build(self.builder.added(self._schema.fields[0])),
            remove=lambda at: self._build(self.builder.without(at)),
            field=lambda at, value: self._change(at, field=self._schema.field(value)),
            operator=lambda at, value: self._change(at, operator=value),
            value=lambda at, value: self._change(at, text=value),
            sort=lambda path: self._ask(self.asked.sorted_by(path)),
            column=self._column,
            all_columns=lambda: self._ask(replace(self.asked, fields=None)),
            turn=lambda to: self._turn(to),
            size=self._resize,
            name_variable=self._name_variable,
            name_file=self._name_file,
            fetch=self.fetch,
            export=self.export,
            edit=self.edit,
            stop=lambda: self.fetching.cancel(),
            reload=self.reload,
        )
        self.fetching: Background = Background(busy=self._show_fetching, say=self._say_fetching)

    @property
    def _schema(self) -> Schema:
        if self.schema is None:
            raise ValueError("choose a table first")
        return self.schema

    def show(self, schema: Schema, tables: Tables) -> None:
        """Show another table; its rows are read when the panel is looked at."""
        self.cancel()
        self.fetching.cancel()
        self.schema, self.tables = schema, tables
        self.asked, self.builder, self.page = Asked(), Builder(), 0
        self.rows, self.total, self.open_id = None, None, None
        self.refused = self.failed = self.told = self.problem = ""
        self.path = f"{schema.name}.csv"
        self._on_query({})
        self.draw()

    def look(self) -> None:
        """Read the rows, unless they are there or on their way."""
        if self.rows is None and not self.busy:
            self.reload()

    def reload(self) -> None:
        schema, asked = self._schema, self.asked
        if self.refused or self.tables is None:
            return
        endpoint, start = self._client.entities(schema.name), self.page * self.size
        try:
            q = asked.query(schema, self.tables.lookup).get("q")
        except ValueError as error:  # of a field that the schema has lost since
            self.refuse(str(error))
            return

        def work(job: Job) -> _Found:
            window = {**asked.as_typed(), "limit": self.size, "offset": start}
            try:
                found = fetch(endpoint, window, progress=job.check)
            except ValueError as error:  # of a value that no row has, say
                if not q or endpoint.count(q):
                    raise
                return _Found(asked, None, 0, {}, message_of(error))
            total = endpoint.count(q)
            job.check()
            cells = [(field, stored(field, row)) for row in found.records() for field in schema.fields]
            return _Found(asked, found, total, names_in(self._labels, cells))

        self.work.start(work, self._take)

    def wait(self, seconds: float = 10) -> None:
        super().wait(seconds)
        self.fetching.wait(seconds)

    def content(self) -> Html:
        if self.schema is None:
            return Html()
        shown = 0 if self.rows is None else len(self.rows)
        is_older = self.rows is not None and self.answered != self.asked and not self.busy
        return h(
            "div",
            filter_html(self.schema, self.asked, self.builder, self.refused),
            older_html(self.answered)
            if is_older
            else pager_html(self.page, self.size, shown, self.total, busy=self.busy),
            alert(self.problem),
            self.rows is not None and table_html(self.rows, self.names, self.asked, self.open_id),
            self.rows is not None and summary_html(self.rows, self.names),
            touched_html(self._touched()),
            columns_html(self.schema, self.asked),
            actions_html(self.variable, self.path, self.progress, self.told, self.failed),
            None if self.refused else code_html(self.asked, self._client.url, self.schema.name),
            class_="stack",
        )

    # What is asked

    def ask(self, value: str) -> None:
        """Ask for the rows that a filter finds, as the line does."""
        self._ask(replace(self.asked, text=value.strip()))

    def _ask(self, asked: Asked, builder: Builder | None = None) -> None:
        if self.tables is None:
            return
        self.asked, self.page = asked, 0
        try:
            self.builder = builder or Builder.of(self._schema, asked.text)
            query = asked.query(self._schema, self.tables.lookup)
        except ValueError as error:
            self.refuse(str(error))
            return
        self.refused = ""
        self._on_query(query)
        self.reload()

    def refuse(self, why: str) -> None:
        """Say why nothing is asked; the rows of the last question stay."""
        self.refused = why
        self.work.cancel()
        self.draw()

    def _build(self, builder: Builder) -> None:
        """Show other conditions; what they say is asked once they are complete."""
        self.builder = builder
        if str(builder) == self.asked.text and not self.refused:
            self.draw()
        else:
            self._ask(replace(self.asked, text=str(builder)), builder)

    def _change(self, at: int, **changes: Any) -> None:
        condition: Condition = self.builder.parts[at]  # type: ignore[assignment]  # the page has no fields of others
        self._build(self.builder.changed(at, replace(condition, **changes)))

    def _column(self, path: str, value: bool) -> None:
        chosen = set(self.asked.fields or self._schema.columns)
        chosen = chosen | {path} if value else chosen - {path}
        fields = tuple(name for name in self._schema.columns if name in chosen)
        if not fields:
            self.draw()  # one has to be left
            return
        self._ask(replace(self.asked, fields=None if fields == self._schema.columns else fields))

    def _turn(self, to: int) -> None:
        self.page = max(0, to)
        self.reload()

    def _resize(self, value: str) -> None:
        self.size, self.page = int(value), 0
        self.reload()

    def _take(self, found: _Found) -> None:
        self.answered, self.rows, self.total, self.names, why = found
        self.say(why)

    # What is done with the matches

    def _name_variable(self, value: str) -> None:
        self.variable = value.strip()

    def _name_file(self, value: str) -> None:
        self.path = value.strip()

    def _load(self, job: Job) -> Snapshot:
        def progress(done: int, total: float | None) -> None:
            job.check()
            self.progress = Progress(done, total)
            self.draw_soon()

        endpoint = self._client.entities(self._schema.name)
        return fetch(endpoint, self.asked.as_typed() or None, progress=progress)

    def fetch(self) -> None:
        """Fetch the matches into a variable of the notebook."""
        variable = self.variable
        if not variable.isidentifier():
            self._say_fetching(f"{variable!r} is not a name for a variable")
            return

        def keep(snapshot: Snapshot) -> None:
            self._on_snapshot(snapshot)
            variables()[variable] = snapshot.frame()
            self.told = (
                f"{variable} is a DataFrame of {count(len(snapshot), 'row')}; "
                f"browser.snapshot.diff({variable}) is the plan of your edits."
            )

        self.fetching.start(self._load, keep)

    def export(self) -> None:
        """Write the matches to a file."""
        path = self.path
        try:
            form = format_of(path)
        except ValueError as error:
            self._say_fetching(str(error))
            return

        def work(job: Job) -> tuple[Snapshot, Path]:
            snapshot = self._load(job)
            write_file(snapshot, path, form, WriteOptions(), progress=False)
            return snapshot, Path(path).resolve()

        def keep(result: tuple[Snapshot, Path]) -> None:
            snapshot, written = result
            self._on_snapshot(snapshot)
            are = "is" if len(snapshot) == 1 else "are"
            self.told = f"{count(len(snapshot), 'row')} {are} in {written}"

        self.fetching.start(work, keep)

    def edit(self) -> None:
        """Open the matches in the editor."""

        def keep(snapshot: Snapshot) -> None:
            self._on_snapshot(snapshot)
            self._edit(snapshot)

        self.fetching.start(self._load, keep)

    def _show_fetching(self, busy: bool) -> None:
        self.progress = Progress() if busy else None
        self.told = "" if busy else self.told
        self.draw()

    def _say_fetching(self, text: str) -> None:
        self.failed = text
        self.draw()


def variables() -> dict[str, Any]:
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
