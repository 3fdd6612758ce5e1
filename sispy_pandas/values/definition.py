"""A definition as people read it: its fields as a tree, their types and rules in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .blocks import show

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .types.base import Field


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the tree."""

    name: str
    path: str
    """Dotted, from the top; members of an array of documents stand below it."""
    field: Field | None
    """None: a nested document, whose fields follow."""
    last: tuple[bool, ...]
    """For each level from the top: whether the line, or what it stands below, is the last there."""

    @property
    def depth(self) -> int:
        """How deep the line stands, from 0."""
        return len(self.last) - 1


def branches(fields: Sequence[Field], above: str = "", last: tuple[bool, ...] = ()) -> Iterator[Branch]:
    """Yield the lines of the tree: dotted paths become nested ones, what is in arrays follows them.

    >>> from .schema import parse_schema
    >>> host = parse_schema({"name": "host", "definition": {"os": {"name": "String"}, "cpus": "Number"}})
    >>> [(line.path, line.depth) for line in branches(host.fields)]
    [('os', 0), ('os.name', 1), ('cpus', 0)]
    """
    groups: dict[str, list[tuple[str, Field]]] = {}
    for field in fields:
        head, _, rest = field.path.partition(".")
        groups.setdefault(head, []).append((rest, field))
    for number, (head, members) in enumerate(groups.items(), start=1):
        place, path = (*last, number == len(groups)), f"{above}{head}"
        rest, field = members[0]
        yield Branch(head, path, None if rest else field, place)
        below = [replace(member, path=path) for path, member in members] if rest else field.fields
        yield from branches(below, f"{path}.", place)


def kind(field: Field) -> str:
    """Return a field's type as people write it: `[String]`, `-> rack`, `[-> rack]`."""
    if field.kind.is_array:
        return f"[{kind(field.item) if field.item else 'documents'}]"
    return f"-> {field.ref}" if field.ref else field.unknown or field.type


def rules(field: Field) -> list[str]:
    """Return what a definition demands of a field's values, in words; but for its enum and description."""
    value = field.item or field
    words = [word for word in ("required", "unique") if getattr(field, word)]
    words += _span(value.min, value.max, "")
    words += _span(value.minlength, value.maxlength, " characters")
    words += [word for word in (value.case and f"{value.case} case", value.trim and "trimmed") if word]
    words += [f"match {value.match}"] if value.match else []
    words += [f"default {show(field.default)}"] if field.default is not None else []
    return words


def enum_of(field: Field) -> tuple[str, ...]:
    """Return the values that a field, or the members of its lists, may have; none: any."""
    return field.enum or (field.item.enum if field.item else ())


def _span(low: float | None, high: float | None, unit: str) -> list[str]:
    if low is None and high is None:
        return []
    return [f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}{unit}"]
