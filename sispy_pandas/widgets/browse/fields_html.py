"""A table's definition as a page: what the table is, its fields as a tree, and what they refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...values.blocks import count as counted
from ...values.definition import branches, enum_of, kind, rules
from ..columns import ref_of
from ..markup import Html, button, cell, h, joined, scrolling
from .tables_panel import marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...values.definition import Branch
    from ...values.schema import Schema
    from ...values.types.base import Field
    from .tables import Tables

_FEW = 8
"""Values of an enum that are shown at once."""


def facts_html(schema: Schema, rows: int | None) -> Html:
    """Write whose a table is, how many rows it has and who may write; an owner is a button."""
    owners = [piece for name in schema.owner for piece in (", ", owner(name))][1:]
    facts: list[object] = [counted(rows, "row")] if rows is not None else []
    facts.append(counted(len(schema.fields), "field"))
    facts.append(joined("known by ", h("b", schema.key)) if schema.key else "known by _id alone")
    facts.append(joined("owners ", *owners) if owners else "no owners")
    facts += ["open: anybody may change it"] if schema.is_open else ["public"] if schema.is_public else []
    facts += [] if schema.track_history else ["no history is kept"]
    facts += [f"locked: {', '.join(schema.locked_fields)}"] if schema.locked_fields else []
    line = [piece for fact in facts for piece in (" · ", fact)][1:]
    about = h("p", schema.description) if schema.description else None
    return joined(about, h("div", *line, class_="faint"))


def owner(name: str) -> Html:
    """Write a group as a button that shows its users."""
    return button(name, "owner", style="link", with_={"name": name}, title=f"Users of {name}")


def fields_html(schema: Schema, searched: str = "") -> Html:
    """Write the definition as a tree; fields that a search found are marked."""
    head = h("tr", *(cell("th", title, scope="col") for title in ("Field", "Type", "Rules", "Description")))
    rows = [_row(schema, branch, searched.strip().lower()) for branch in branches(schema.fields)]
    found = h("table", h("thead", head), h("tbody", *rows), class_="tree")
    return scrolling(found, label=f"Fields of {schema.name}")


def _row(schema: Schema, branch: Branch, searched: str) -> Html:
    field = branch.field
    name = h("b", marked(branch.name, searched))
    indent = f"text-align: left; padding-left: {8 + 18 * branch.depth}px"
    is_hit = bool(searched) and searched in branch.path.lower()
    where = {"style": indent, "title": branch.path}
    if field is None:
        cells = [h("td", name, **where), h("td", h("span", "nested", class_="faint")), h("td"), h("td")]
    else:
        locked = branch.path in schema.locked_fields
        cells = [
            h("td", name, **where),
            cell("td", _kind(field)),
            cell("td", _rules(field, locked=locked, is_key=branch.path == schema.key)),
            cell("td", field.description or ""),
        ]
    return h("tr", *cells, class_="hit" if is_hit else None)


def _kind(field: Field) -> Html:
    ref = ref_of(field)
    if ref is None:
        return joined(kind(field))
    before, _, after = kind(field).partition(ref)
    return joined(before, button(ref, "visit", style="link", with_={"name": ref}, title=f"Show {ref}"), after)


def _rules(field: Field, *, locked: bool, is_key: bool) -> Html:
    tags = [word for word, applies in (("key", is_key), ("locked", locked)) if applies]
    words = rules(field)
    tags += [word for word in words if word in ("required", "unique")]
    rest = "; ".join(word for word in words if word not in tags)
    pieces = [piece for tag in tags for piece in (h("span", tag, class_="tag"), " ")]
    return joined(*pieces, rest, " " if rest else None, _enum(enum_of(field)))


def _enum(values: tuple[str, ...]) -> Html:
    if len(values) <= _FEW + 2:
        return joined("one of " + ", ".join(values) if values else None)
    first = f"one of {', '.join(values[:_FEW])} and {len(values) - _FEW} more"
    return h("details", h("summary", first), h("div", ", ".join(values)))


def links_html(schema: Schema, tables: Tables) -> Html:
    """Write the references from a table and to it as buttons, by the table at the other end."""
    here: dict[str, list[str]] = {}
    there: dict[str, list[str]] = {}
    for one in tables.references:
        if one.table == schema.name:
            here.setdefault(one.target, []).append(one.path)
        if one.target == schema.name:
            there.setdefault(one.table, []).append(one.path)
    return h(
        "div",
        h("h3", "Refers to"),
        _links(here, lambda other, path: f"{path} → {other}"),
        h("h3", "Referred to by"),
        _links(there, lambda other, path: f"{other}.{path}"),
        class_="stack",
    )


def _links(found: dict[str, list[str]], told: Callable[[str, str], str]) -> Html:
    buttons = [
        button(told(other, path), "visit", with_={"name": other}, title=f"Show {other}")
        for other, paths in found.items()
        for path in paths
    ]
    return h("div", *(buttons or [h("span", "nothing", class_="faint")]), class_="line")
