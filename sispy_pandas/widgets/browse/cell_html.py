"""JSON values of fields as they stand in a page: short, with references by name that can be followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...values.types.cells import get_path
from ...values.types.convert import is_blank
from ..cells import show
from ..columns import ref_of
from ..markup import CELL, Html, button, joined, short, short_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...values.types.base import Field
    from ..labels import ServerLabels

Names = dict[str, str]
"""`_id` -> what people call it."""
_MOST = 3
"""Members of a list of references that are shown."""


def text_of(field: Field, value: Any) -> str:
    """Return a value as a text: the members of a list of scalars behind each other, other lists as JSON."""
    if is_blank(value, field):
        return ""
    if field.item and isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        return ", ".join(text_of(field.item, one) for one in value)
    shown = show(field, value)
    return "" if shown is None else str(shown).lower() if isinstance(shown, bool) else shown


def html_of(field: Field, value: Any, names: Mapping[str, str], *, width: int = CELL) -> Html:
    """Write a value; a reference is a button that follows it."""
    ref = ref_of(field)
    if ref is None or is_blank(value, field):
        return short(text_of(field, value), width)
    ids = value if isinstance(value, list) else [value]
    pieces: list[object] = []
    for id_ in ids[:_MOST]:
        pieces += [", " if pieces else "", link(ref, str(id_), names)]
    return joined(*pieces, f" and {len(ids) - _MOST} more" if len(ids) > _MOST else None)


def html_apart(field: Field, values: Sequence[Any], names: Mapping[str, str]) -> list[Html]:
    """Write states of one cell, long texts so that their difference is seen."""
    if ref_of(field) is not None:
        return [html_of(field, value, names) for value in values]
    return short_apart(*(text_of(field, value) for value in values))


def link(table: str, id_: str, names: Mapping[str, str]) -> Html:
    """Write a button that opens a row."""
    name = names.get(id_, id_)
    return button(
        short(name),
        "row",
        style="link",
        with_={"table": table, "row": id_},
        title=f"{table} {id_}: open the row",
    )


def names_in(labels: ServerLabels, cells: Iterable[tuple[Field, Any]]) -> Names:
    """Return the names of what cells refer to, those in members of arrays of documents too."""
    wanted: dict[str, list[str]] = {}
    for field, value in cells:
        for ref, id_ in _references(field, value):
            wanted.setdefault(ref, []).append(id_)
    found: Names = {}
    for ref, ids in wanted.items():
        found |= labels.of(ref, list(dict.fromkeys(ids)))
    return found


def _references(field: Field, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _references(field.item or field, one)
    elif field.ref and isinstance(value, str):
        yield field.ref, value
    elif field.fields and isinstance(value, dict):
        for inner in field.fields:
            yield from _references(inner, get_path(value, inner.path))
