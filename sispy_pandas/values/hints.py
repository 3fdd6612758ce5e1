"""Columns of text that look like numbers, dates or booleans: said before a table is made of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import shorten

from .blocks import count
from .types.base import TYPES, Field
from .types.cell_text import NEVER_TEXT, NOTHING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from .types.base import Style, Type

_NEARLY = 0.9
"""The part of the cells of a column that must look so."""
_SAMPLE = 10
"""Texts of a column that are looked at first, half of which must look so."""
_MOST_NOTHING = 3
"""Words for nothing in one column that are named."""
_COLUMNS, _CELLS = 5, 2
"""Columns and cells that are named."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a column of text looks like."""

    name: str
    cells: Sequence[Any]
    ways: Message
    """The options that read it so."""
    looking: AbstractSet[str] = frozenset()
    """Texts that are so."""
    others: AbstractSet[str] = frozenset()
    kind: Type | None = None
    """What it looks like; None: like text that says now and then that it is none."""
    crooked: str | None = None
    """One of the texts that no option reads."""

    def cells_of(self, texts: AbstractSet[str]) -> int:
        """Return how many cells have one of some texts."""
        return sum(cell in texts for cell in self.cells if cell is not None)


def hints(columns: Mapping[str, Sequence[Any]], rows: Collection[Any], style: Style) -> tuple[Message, ...]:
    """Return a line for the columns of text that look like another type, alike ones together.

    Args:
        columns: JSON values by name, of a table that has no types yet; None for a blank one.
        rows: By what they are known.
        style: How they were read.
    """
    alike: dict[Any, list[_Look]] = {}
    for name, cells in columns.items():
        is_text = all(cell is None or isinstance(cell, str) for cell in cells)
        if is_text and (look := _look(name, cells, style)):
            key = look.kind and look.kind.name, look.ways, look.crooked is None, not look.others
            alike.setdefault(key, []).append(look)
    return tuple(_message(looks, rows) for looks in alike.values())


def _look(name: str, cells: Sequence[Any], style: Style) -> _Look | None:
    """Return what a column of text looks like; None: like text."""
    times = Counter(cell for cell in cells if cell is not None)
    nothing = {text for text in times if text.strip().lower() in NOTHING}
    texts = {text: n for text, n in times.items() if text not in nothing}
    kinds = (Field("", one).kind for one, known in TYPES.items() if known.told_by)
    for kind in kinds if texts and len(nothing) <= _MOST_NOTHING else ():
        styles = _styles(kind, texts, style)
        if not styles:
            continue  # most columns of text go through here
        straight = {text: kind.straight(text) for text in texts}
        looking = {text for text in texts if kind.is_spelt(straight[text], styles[0])}
        crooked = next((text for text in texts if text in looking and straight[text] != text), None)
        told = (way for one in styles if one != style for way in kind.told(one))
        ways = Message("", *_na(nothing), *told)
        if not ways and crooked is None and len(looking) == len(texts):
            return None  # it is text where it comes from
        return _Look(name, cells, ways, looking, texts.keys() - looking, kind, crooked)
    words = {text for text in nothing if text.strip().lower() in NEVER_TEXT}
    return _Look(name, cells, Message("", *_na(words)), words) if texts and words else None


def _na(words: Iterable[str]) -> list[Argument]:
    return [Argument("na", "says that it means no value", [text.strip()]) for text in sorted(words)]


def _styles(kind: Type, texts: Mapping[str, int], style: Style) -> list[Style]:
    """Return the styles in which most cells are of a type, if nearly all are: the usual one, or others.

    Args:
        kind: The type.
        texts: How often there is each.
        style: The usual one.
    """
    straight = list(map(kind.straight, texts))
    sample = straight[:_SAMPLE]

    def likely(styles: Iterable[Style]) -> list[Style]:
        return [one for one in styles if 2 * sum(kind.is_spelt(t, one) for t in sample) >= len(sample)]

    alone = (one for text in sample for one in kind.other_styles([text], style))
    some = likely(dict.fromkeys((style, *kind.hinted_styles(sample, style), *alone)))
    if not some:
        return []
    every = likely(dict.fromkeys((style, *kind.hinted_styles(straight, style), *some)))
    numbers = list(texts.values())
    cells = {
        one: sum(n for text, n in zip(straight, numbers, strict=True) if kind.is_spelt(text, one))
        for one in every
    }
    best = max(cells.values(), default=0)
    if best < _NEARLY * sum(numbers):
        return []
    return [style] if cells.get(style) == best else [one for one in every if cells[one] == best]


def _message(looks: Sequence[_Look], rows: Collection[Any]) -> Message:
    """Return in words what columns look like that look alike."""
    first, names = looks[0], [shorten(look.name) for look in looks[:_COLUMNS]]
    names += [f"{len(looks) - _COLUMNS:,} more columns"] if len(looks) > _COLUMNS else []
    n = sum(look.cells_of(look.looking) for look in looks)
    there = sum(cell is not None for look in looks for cell in look.cells)
    share = count(n, "cell") if n == there else f"{n:,} of {count(there, 'cell')}"
    does = "holds a word for nothing and is" if n == 1 else "hold words for nothing and are"
    if first.kind:
        noun = first.kind.presentation
        does = f"looks like a {noun} and is" if n == 1 else f"look like {noun}s and are"
    like = _first(looks, rows, [look.looking for look in looks])
    said = f"{', '.join(names)}: {share} {does} taken for text: {like}"
    if first.others:
        said += f", but not {_first(looks, rows, [look.others for look in looks])}"
    if first.kind and first.crooked:
        straight = first.kind.straight(first.crooked)
        said += f"; no option reads {shorten(first.crooked)}: write {shorten(straight)}"
    return Message(said, first.ways)


def _first(looks: Sequence[_Look], rows: Collection[Any], texts: Sequence[AbstractSet[str]]) -> str:
    """Return the first cells of different texts, each with its row.

    Args:
        looks: The columns.
        rows: By what they are known.
        texts: Those that are meant, for each column.
    """
    shown: dict[str, Any] = {}
    for look, meant in zip(looks, texts, strict=True):
        for text, row in zip(look.cells, rows, strict=True):
            if len(shown) < _CELLS and text in meant:
                shown.setdefault(text, row)
    return ", ".join(f"{shorten(text)} (row {row})" for text, row in shown.items())
