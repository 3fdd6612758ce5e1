"""ObjectId: the `_id` of a row, or a reference to one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.remedies import Argument

from .base import Field
from .cell_text import NUMBER_ID, are_all, escape, lines, means_nothing, structure_or_refuse
from .cells import shown
from .text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sispy.remedies import Remedy

    from .base import Style

OBJECT_ID = re.compile("[0-9a-f]{24}")
"""An `_id` as the server writes it."""


class ObjectId(Text, name="ObjectId"):
    """An `_id` of 24 hex digits."""

    is_scalar = is_ordered = True
    plain = f"'?{OBJECT_ID.pattern}"
    suspect = None
    arrow = "string"

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        if field.ref:
            self.presentation = "reference"

    @staticmethod
    def options(options: Mapping[str, Any]) -> dict[str, Any]:
        return {"ref": options["ref"]} if isinstance(options.get("ref"), str) else {}

    def cast(self, cell: Any) -> str:
        found = cell.get("_id") if isinstance(cell, dict) else cell
        if not is_object_id(found):
            raise ValueError(f"{shown(found)} is not an id of 24 hex digits")
        return str(found).lower()

    def remedies(self, text: str) -> tuple[Remedy, ...]:
        named = Argument("refs", "takes it for the name of a row", "label")
        return (named,) if self.presentation == "reference" else means_nothing(text)

    def text(self, value: Any, style: Style) -> str:
        return _written(value)

    def texts(self, cells: pd.Series[Any], style: Style) -> list[str] | None:
        if not isinstance(cells.dtype, pd.StringDtype):
            return None
        texts = cells.tolist()
        return ["" if type(t) is not str else t if t[:1] in _LETTERS else _written(t) for t in texts]

    def read(self, text: str, style: Style) -> Any:
        found = text.removeprefix("'").strip()
        return (
            found.lower() if is_object_id(found) else structure_or_refuse(text, "not an id of 24 hex digits")
        )

    def read_all(self, texts: Sequence[str], style: Style) -> list[Any] | None:
        return [text[-24:] or None for text in texts] if are_all(_LINES, texts) else None


ID = Field("_id", "ObjectId")
"""The `_id` of a row or of a member of a document array."""
_LINES = lines(ObjectId.plain)
_LETTERS = frozenset("abcdef")
"""What begins with one of them no program takes for a number."""


def is_object_id(value: object) -> bool:
    """Return whether a value is the text of an `_id`, in any case."""
    return isinstance(value, str) and OBJECT_ID.fullmatch(value.lower()) is not None


def _written(text: str) -> str:
    """Return the text of a cell: an id that a program would take for a number has a `'` in front."""
    return "'" + text if NUMBER_ID.fullmatch(text) else escape(text)
