"""A definition as a tree of text: what `sispy schemas NAME` prints and `sispy import` shows first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sispy.cli.terminal import width
from sispy.text import cells, cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sispy_pandas.values.schema import Schema

    from ..values.types.base import Field


def tree(schema: Schema, *, limit: int | None = None) -> str:
    """Return a schema's fields as a tree with types and rules, at most `limit` columns wide."""
    rows = list(_branches(schema.fields, ""))
    names = max((cells(name) for name, _, _ in rows), default=0)
    types = max((cells(kind) for _, kind, _ in rows), default=0)
    limit = limit or width()
    lines = []
    for name, kind, rule in rows:
        line = f"{name}{' ' * (names - cells(name))}  {kind:<{types}}  {rule}".rstrip()
        lines.append(cut(line, limit) if limit else line)
    return "\n".join(lines)


def kind(field: Field) -> str:
    """Return a field's type as people write it: `[String]`, `-> rack`, `[-> rack]`."""
    if field.kind.is_array:
        return f"[{kind(field.item) if field.item else 'documents'}]"
    return f"-> {field.ref}" if field.ref else field.type


def rules(field: Field) -> str:
    """Return what a definition demands of a field's values, in words."""
    value = field.item or field
    words = [word for word in ("required", "unique") if getattr(field, word)]
    if value.min is not None or value.max is not None:
        words.append(f"{_bound(value.min)}..{_bound(value.max)}")
    if value.minlength is not None or value.maxlength is not None:
        words.append(f"{_bound(value.minlength)}..{_bound(value.maxlength)} characters")
    words += [word for word in (value.case, "trim" if value.trim else None) if word]
    if value.match:
        words.append(f"match {value.match}")
    if field.default is not None:
        words.append(f"default {field.default}")
    if value.enum:
        words.append(" | ".join(value.enum))
    if field.description:
        words.append(f"- {field.description}")
    return printable(", ".join(words))


def _bound(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def _branches(fields: Sequence[Field], indent: str) -> Iterator[tuple[str, str, str]]:
    """Yield (drawn name, type, rules) of each line; dotted paths become nested lines again."""
    groups: dict[str, list[tuple[str, Field]]] = {}
    for field in fields:
        head, _, rest = field.path.partition(".")
        groups.setdefault(head, []).append((rest, field))
    for number, (head, members) in enumerate(groups.items(), start=1):
        last = number == len(groups)
        name = f"{indent}{'└─ ' if last else '├─ '}{printable(head)}"
        inner = indent + ("   " if last else "│  ")
        rest, field = members[0]
        if rest:
            yield name, "", ""
            yield from _branches([replace(member, path=path) for path, member in members], inner)
        else:
            yield name, kind(field), rules(field)
            yield from _branches(field.fields, inner)
