"""A row as a form: a field for each value, documents and arrays in boxes, members added and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...values.definition import kind
from ...values.types.convert import is_blank
from ..cells import EMPTY_TEXT, show
from ..markup import Html, area, button, choice, h, joined, short, text_field
from .cell_html import link, text_of
from .draft import text_at
from .fields_html import owner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...values.types.base import Field
    from ..grid_model import Note
    from .draft import At, Draft

_LONG = 60
"""Characters from which on a text gets several lines."""
OFFERED = "sispy-offered"
"""The list of rows that a reference may lead to."""
_SIS = {"_sis.owner": "owners", "_sis.tags": "tags", "_sis.locked": "locked"}


def form_html(draft: Draft, names: Mapping[str, str], offered: Sequence[tuple[str, str]]) -> Html:
    """Write the form of a draft.

    Args:
        draft: The row.
        names: `_id` -> name of the rows that it refers to.
        offered: (id, name) of rows that the reference being typed may lead to.
    """
    changed = set(draft.changed)
    groups: dict[str, list[Field]] = {}
    for field in draft.schema.fields:
        groups.setdefault(field.path.partition(".")[0], []).append(field)
    lines: list[Html] = []
    for top, fields in groups.items():
        inner = [
            piece
            for field in fields
            for piece in _line(
                draft, field, names, title=_below(field, top), is_changed=field.path in changed
            )
        ]
        is_nested = fields[0].path != top
        lines += [_box(top, inner)] if is_nested else inner
    lines.append(h("h3", "Who may write it, and tags", class_="wide"))
    for path, title in _SIS.items():
        lines += _line(draft, draft.schema.field(path), names, title=title, is_changed=path in changed)
    options = [h("option", value=name) for _, name in offered]
    return joined(h("div", *lines, class_="form"), h("datalist", *options, id=OFFERED))


def _line(
    draft: Draft, field: Field, names: Mapping[str, str], *, title: str, is_changed: bool
) -> list[Html]:
    told = f" - {field.description}" if field.description else ""
    star = h("span", " *", title="required") if field.required else None
    label = h("div", title, star, class_="label", title=f"{field.path}: {kind(field)}{told}")
    control = _control(draft, field, (field.path,), _SIS.get(field.path, field.path), names)
    conflict = draft.conflicts.get(field.path)
    why = conflict and h("div", _in_words(field, conflict, names), class_="why", role="alert")
    place = " ".join(filter(None, ["changed" if is_changed else "", "wide" if field.fields else ""]))
    begins = draft.id is None and field.path == (draft.schema.key or draft.schema.fields[0].path)
    return [label, h("div", control, why, class_=place or None, key=field.path, data_begin=begins)]


def _in_words(field: Field, conflict: Note, names: Mapping[str, str]) -> str:
    """Return in words what somebody else did to an edited column; the review asks whose value is to stay."""
    base, theirs = (
        "no value" if is_blank(value, field) else short(text_of(field, value))
        for value in (conflict.base, conflict.theirs)
    )
    return f"{conflict.reason}, from {names.get(base, base)} to {names.get(theirs, theirs)}"


def _box(title: str, lines: Sequence[Html]) -> Html:
    inner = h("div", *lines, class_="form")
    return h("fieldset", h("legend", title), inner, class_="member wide", aria_label=title)


def _below(field: Field, top: str) -> str:
    return field.path.removeprefix(f"{top}.")


def _control(draft: Draft, field: Field, at: At, title: str, names: Mapping[str, str]) -> Html:
    """Write what edits the value at a place."""
    if field.kind.is_array:
        return _array(draft, field, at, title, names)
    refused = draft.refused.get(at)
    value = draft.value_at(at)
    why = h("div", refused.reason, class_="why", role="alert") if refused else None
    shown = refused.text if refused else _text(field, value, names)
    return joined(_input(field, at, title, shown, value, is_refused=refused is not None), why)


def _input(field: Field, at: At, title: str, shown: str, value: Any, *, is_refused: bool) -> Html:
    here: dict[str, Any] = {
        "label": title,
        "with_": {"at": text_at(at)},
        "aria_invalid": "true" if is_refused else None,
    }
    shown_as = field.kind.presentation
    if field.unknown:
        return h("code", shown)
    if shown_as == "boolean":
        return choice([("", ""), ("true", "true"), ("false", "false")], shown, "edit", **here)
    if shown_as == "choice":
        return choice([(one, one) for one in dict.fromkeys(["", *field.enum, shown])], shown, "edit", **here)
    if field.ref:
        typed = text_field(
            shown,
            "refer",
            live="offer",
            list=OFFERED,
            autocomplete="off",
            placeholder=f"name of a {field.ref}",
            **here,
        )
        follow = link(field.ref, value, {value: "→"}) if isinstance(value, str) and value else None
        return h("div", typed, follow, class_="line")
    if shown_as == "json":
        return area(
            shown, "edit", rows=min(8, 2 + shown.count("\n")), class_="mono", placeholder="JSON", **here
        )
    if shown_as == "text" and (len(shown) > _LONG or "\n" in shown):
        return area(shown, "edit", rows=3, **here)
    hint = "2026-11-23 08:30, in UTC" if shown_as == "date" else None
    return text_field(
        shown, "edit", placeholder=hint, inputmode="decimal" if shown_as == "number" else None, **here
    )


def _array(draft: Draft, field: Field, at: At, title: str, names: Mapping[str, str]) -> Html:
    members = []
    value = draft.value_at(at)
    for position in range(len(value) if isinstance(value, list) else 0):
        place = (*at, position)
        named = f"{title} {position + 1}"
        remove = button(
            "✕", "less", with_={"at": text_at(place)}, style="quiet", aria_label=f"Remove {named}"
        )
        inner = (
            _document(draft, field, place, named, names)
            if field.fields
            else _control(draft, field.item, place, named, names)
            if field.item
            else h("code", str(draft.value_at(place)))
        )
        shows = owner(str(value[position])) if at == ("_sis.owner",) and value[position] else None
        members.append(h("div", h("div", inner), shows, remove, class_="line"))
    more = button(
        f"+ {'member' if field.fields else 'value'}",
        "more",
        with_={"at": text_at(at)},
        style="quiet",
        aria_label=f"Add to {title}",
    )
    return h("div", *members, h("div", more), class_="stack")


def _document(draft: Draft, field: Field, at: At, title: str, names: Mapping[str, str]) -> Html:
    lines: list[Html] = []
    for inner in field.fields:
        label = h("div", inner.path, class_="label")
        control = _control(draft, inner, (*at, inner.path), f"{title} {inner.path}", names)
        lines += [label, h("div", control)]
    return _box(title, lines)


def _text(field: Field, value: Any, names: Mapping[str, str]) -> str:
    if is_blank(value, field):
        return EMPTY_TEXT if value == "" else ""
    if field.ref and isinstance(value, str):
        return names.get(value, value)
    shown = show(field, value)
    return "" if shown is None else str(shown).lower() if isinstance(shown, bool) else str(shown)
