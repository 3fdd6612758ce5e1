"""A schema as HTML: its definition as a tree, some of its rows, and a list of all schemas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.text import SENTENCE, in_html, shorten

from ..values.types.convert import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..values.schema import Schema
    from ..values.types.base import Field

_STYLE = """<style>
.sispy-html { color: var(--jp-ui-font-color1, #1f2430); line-height: 1.5; }
.sispy-html table { border-collapse: collapse; font-size: 13px; }
.sispy-html th, .sispy-html td { padding: 2px 10px 2px 4px; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--jp-border-color2, #dcdfe4); }
.sispy-html td.cut { max-width: 240px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.sispy-html .faint { color: var(--jp-ui-font-color2, #667085); }
.sispy-html .tag { padding: 0 6px; border-radius: 8px; font-size: 11px;
  background: color-mix(in srgb, var(--jp-brand-color1, #1a73e8) 18%, transparent); }
.sispy-html pre { margin: 0; background: none; color: inherit; }
.sispy-html .scroll { overflow: auto; max-height: 360px; }
</style>"""


def page(*parts: str) -> str:
    """Wrap HTML in the style that all of these share."""
    return f'{_STYLE}<div class="sispy-html">{"".join(parts)}</div>'


def alert(text: str) -> str:
    """Show what went wrong; nothing for an empty text."""
    return f'<div style="color:var(--jp-error-color1,#c33)">{in_html(text)}</div>' if text else ""


def definition(schema: Schema) -> str:
    """Draw the definition as a tree: nested fields below their parents."""
    rows: list[str] = []
    parents: tuple[str, ...] = ()
    for field in schema.fields:
        *above, name = field.path.split(".")
        for depth, parent in enumerate(above):
            if parents[: depth + 1] != tuple(above[: depth + 1]):
                rows.append(_row(depth, in_html(parent), '<span class="faint">nested</span>', "", ""))
        parents = tuple(above)
        rows += _field_rows(field, name, len(above), locked=field.path in schema.locked_fields)
    head = "<tr><th>Field</th><th>Type</th><th>Rules</th><th>Description</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def facts(schema: Schema, count: int | None) -> str:
    """Say in a line whose the schema is, how many rows it has and who may write."""
    rules = [
        f"{count:,} rows" if count is not None else "",
        f"id field <b>{in_html(schema.id_field)}</b>",
        f"owners <b>{in_html(', '.join(schema.owner) or 'nobody')}</b>",
        "open: anybody may change it" if schema.is_open else "public" if schema.is_public else "",
        "" if schema.track_history else "no history is kept",
    ]
    line = " · ".join(filter(None, rules))
    description = f"<div>{in_html(schema.description)}</div>" if schema.description else ""
    return f'{description}<div class="faint">{line}</div>'


def schema_list(entries: Sequence[tuple[Schema, int | None]]) -> str:
    """List schemas with their counts, owners and fields: what is shown where no widget can be."""
    rows = "".join(
        f"<tr><td><b>{in_html(schema.name)}</b></td><td>{'' if count is None else format(count, ',')}</td>"
        f"<td>{in_html(', '.join(schema.owner))}</td><td>{in_html(', '.join(schema.columns))}</td></tr>"
        for schema, count in entries
    )
    head = "<tr><th>Schema</th><th>Rows</th><th>Owners</th><th>Fields</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def sample(frame: pd.DataFrame) -> str:
    """Draw the rows of a small frame, long cells cut."""
    if frame.empty:
        return '<p class="faint">No rows.</p>'
    head = "".join(f"<th>{in_html(str(column))}</th>" for column in frame.columns)
    rows = "".join(
        f"<tr>{''.join(_sample_cell(cell) for cell in row)}</tr>" for row in frame.itertuples(index=False)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def documents(objects: Iterable[dict[str, Any]], name: str = "name") -> str:
    """Draw objects that have no schema (hiera, hooks, users) as name and content."""
    rows = "".join(
        f"<tr><td><b>{in_html(str(entry.get(name, '')))}</b></td>"
        f"<td><pre>{in_html(_content(entry, name))}</pre></td></tr>"
        for entry in objects
    )
    if not rows:
        return '<p class="faint">There are none.</p>'
    return f'<div class="scroll"><table><tbody>{rows}</tbody></table></div>'


def _content(entry: dict[str, Any], name: str) -> str:
    shown = {key: value for key, value in entry.items() if not key.startswith("_") and key != name}
    return json.dumps(shown, indent=1, ensure_ascii=False)


def _sample_cell(cell: Any) -> str:
    if is_blank(cell):
        return "<td></td>"
    if isinstance(cell, pd.Timestamp):
        text = cell.strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")
    else:
        text = json.dumps(cell, ensure_ascii=False) if isinstance(cell, dict | tuple | list) else str(cell)
    text = text if len(text) <= SENTENCE else shorten(text, SENTENCE)
    return f'<td class="cut" title="{in_html(text)}">{in_html(text)}</td>'


def _field_rows(field: Field, name: str, depth: int, *, locked: bool) -> list[str]:
    kind = in_html(field.type)
    if field.item is not None:
        kind = f"{in_html(field.item.type)} []"
    elif field.kind.is_array:
        kind = "documents []"
    ref = field.ref or (field.item.ref if field.item else None)
    if ref:
        kind += f" → <b>{in_html(ref)}</b>"
    tags = [
        tag
        for tag, applies in (("required", field.required), ("unique", field.unique), ("locked", locked))
        if applies
    ]
    rules = " ".join([*(f'<span class="tag">{tag}</span>' for tag in tags), in_html(_rules(field))])
    rows = [_row(depth, f"<b>{in_html(name)}</b>", kind, rules, in_html(field.description or ""))]
    for inner in field.fields:
        rows += _field_rows(inner, inner.path, depth + 1, locked=False)
    return rows


def _rules(field: Field) -> str:
    enum = field.enum or (field.item.enum if field.item else ())
    rules = [
        f"one of {', '.join(enum)}" if enum else "",
        _range(field.min, field.max, ""),
        _range(field.minlength, field.maxlength, " characters"),
        f"like {field.match}" if field.match else "",
        f"default {json.dumps(field.default, default=str)}" if field.default is not None else "",
        "trimmed" if field.trim else "",
        f"{field.case} case" if field.case else "",
    ]
    return "; ".join(filter(None, rules))


def _range(low: float | None, high: float | None, unit: str) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {low:g}{unit}"
    return f"at most {high:g}{unit}" if low is None else f"{low:g} to {high:g}{unit}"


def _row(depth: int, name: str, kind: str, rules: str, description: str) -> str:
    indent = f'<td style="padding-left:{4 + 18 * depth}px">'
    return f"<tr>{indent}{name}</td><td>{kind}</td><td>{rules}</td><td>{description}</td></tr>"
