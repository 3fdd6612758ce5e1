"""The rows of a filter builder: field, operator, value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import traitlets

from ..reading.conditions import query_of
from ..reading.listing import no_server
from .conditions import UNARY, Condition, filter_of, operators

if TYPE_CHECKING:
    from ..values.schema import Schema
    from ..values.types.base import Field


class FilterBuilder(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Edit conditions joined by and; `text` is their filter, `q` its query, `problem` why there is none."""

    q = traitlets.Dict()
    text = traitlets.Unicode("")
    problem = traitlets.Unicode("")

    def __init__(self, schema: Schema, **options: Any) -> None:
        self._schema = schema
        self._rows: list[_Row] = []
        self._add = widgets.Button(description="Add a condition", icon="plus", layout={"width": "160px"})
        self._add.on_click(lambda _: self.add())
        super().__init__(children=[self._add], **options)

    def add(self, path: str | None = None, operator: str | None = None, value: str = "") -> None:
        """Add a condition; without a path one for the first field, to be chosen by the user."""
        row = _Row(self._schema, on_change=self._update, on_remove=self._remove)
        self._rows.append(row)
        self.children = (*(row.box for row in self._rows), self._add)
        row.set(path or self._schema.columns[0], operator, value)
        self._update()

    def clear(self) -> None:
        """Remove all conditions."""
        self._rows.clear()
        self.children = (self._add,)
        self._update()

    def _remove(self, row: _Row) -> None:
        self._rows.remove(row)
        self.children = (*(row.box for row in self._rows), self._add)
        self._update()

    def _update(self) -> None:
        complete = [row.condition for row in self._rows if row.complete]
        try:
            found = filter_of(complete)
            q = query_of(found, self._schema, no_server) if found else {}
        except ValueError as error:
            self.problem = str(error)
        else:
            self.problem = ""
            self.text = str(found or "")
            self.q = q


class _Row:
    """One condition: the operators follow the field's type, and so does the value's widget."""

    def __init__(self, schema: Schema, *, on_change: Any, on_remove: Any) -> None:
        self._schema = schema
        self._on_change = on_change
        narrow = {"width": "190px"}
        self.field = widgets.Dropdown(options=schema.columns, layout=narrow, tooltip="Field")
        self.operator = widgets.Dropdown(
            options=operators(schema.fields[0]), layout={"width": "130px"}, tooltip="Operator"
        )
        self.value: Any = widgets.Text()
        self._remove = widgets.Button(
            description="✕", tooltip="Remove this condition", layout={"width": "36px"}
        )
        self._remove.on_click(lambda _: on_remove(self))
        self.box = widgets.HBox([])
        self.field.observe(lambda _: self._show(), "value")
        self.operator.observe(lambda _: self._show_value(), "value")
        self._show()

    def set(self, path: str, operator: str | None, value: str) -> None:
        """Fill the row in."""
        self.field.value = path
        if operator is not None:
            self.operator.value = operator
        if value:
            self.value.value = value

    @property
    def condition(self) -> Condition:
        """What the row says."""
        return Condition(self._chosen, self.operator.value, str(self.value.value or ""))

    @property
    def complete(self) -> bool:
        """Whether a value is there, if the operator needs one."""
        return self.operator.value in UNARY or bool(str(self.value.value or "").strip())

    @property
    def _chosen(self) -> Field:
        return self._schema.field(self.field.value)

    def _show(self) -> None:
        self.operator.options = operators(self._chosen)
        self._show_value()

    def _show_value(self) -> None:
        kept = self.value.value if isinstance(self.value, widgets.Text) else ""
        field, operator = self._chosen, self.operator.value
        layout = {"width": "220px"}
        if field.enum and operator in ("is", "is not"):
            self.value = widgets.Dropdown(options=field.enum, layout=layout)
        elif field.kind.presentation == "boolean":
            self.value = widgets.Dropdown(options=("true", "false"), layout=layout)
        else:
            self.value = widgets.Text(value=kept, placeholder=_hint(field, operator), layout=layout)
            self.value.continuous_update = False  # Enter or leaving the box counts the matches
        self.value.observe(lambda _: self._on_change(), "value")
        unary = operator in UNARY
        self.box.children = (self.field, self.operator, *(() if unary else (self.value,)), self._remove)
        self._on_change()


def _hint(field: Field, operator: str) -> str:
    if operator == "is one of":
        return "values, separated by commas"
    hints = {"date": "2026-11-23, or with a time in UTC", "number": "a number"}
    return hints.get(field.kind.presentation, "text")
