"""Boolean: true or false."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.remedies import Argument

from .base import Type
from .cell_text import masked, means_nothing, structure_or_refuse, write_cell
from .cells import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sispy.remedies import Remedy

    from .base import Style

_SPELT = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_WRITTEN = {"": None, "true": True, "false": False}
_PAIRS = [
    ("yes", "no"),
    ("wahr", "falsch"), ("vrai", "faux"), ("verdadero", "falso"), ("vero", "falso"), ("verdadeiro", "falso"),
    ("waar", "onwaar"), ("sant", "falskt"), ("sand", "falsk"), ("sann", "usann"), ("tosi", "epätosi"),
    ("prawda", "fałsz"), ("pravda", "nepravda"), ("igaz", "hamis"), ("adevărat", "fals"), ("doğru", "yanliş"),
    ("истина", "ложь"), ("αληθης", "ψευδης"), ("真", "假"),
    ("ja", "nein"), ("ja", "nee"), ("ja", "nej"), ("ja", "nei"), ("oui", "non"), ("sí", "no"), ("si", "no"),
    ("sì", "no"), ("sim", "não"), ("kyllä", "ei"), ("tak", "nie"), ("ano", "ne"), ("áno", "nie"),
    ("igen", "nem"), ("da", "nu"), ("evet", "hayir"), ("да", "нет"), ("ναι", "όχι"),  # noqa: RUF001
    ("はい", "いいえ"), ("是", "否"), ("on", "off"), ("y", "n"), ("j", "n"), ("o", "n"),
    ("s", "n"), ("t", "f"),
]  # fmt: skip
"""Words for true and false, as programs and people of other languages write them."""
WORDS = {word: value for pair in _PAIRS for word, value in zip(pair, (True, False), strict=True)}
"""The same words, in lower case, and what each means."""
_CODES = {True: 1, False: 0, None: -1}


class Boolean(Type, name="Boolean"):
    """True or false, in files also as yes and no, 1 and 0."""

    is_scalar = True
    presentation = "boolean"
    json_types = (bool,)
    arrow = "bool_"
    sheet_types = frozenset(json_types)
    told_by = ("true", "false")

    @staticmethod
    def is_spelt(text: str, style: Style) -> bool:
        return text.strip().lower() in {"true", "false"} | style.true | style.false

    def cast(self, cell: Any) -> bool | None:
        if cell is True or cell is False or isinstance(cell, np.bool_):
            return bool(cell)
        if isinstance(cell, int | float | np.number) and cell in (0, 1):
            return bool(cell)
        if isinstance(cell, str) and not cell.strip():
            return None
        found = _SPELT.get(cell.strip().lower()) if isinstance(cell, str) else None
        if found is None:
            raise ValueError(f"{shown(cell)} is neither true nor false")
        return found

    def typed(self, text: str) -> Any:
        return WORDS.get(text.strip().lower(), text)

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        return np.fromiter(map(_CODES.__getitem__, values), np.int8, len(values))

    def join(self, pages: Sequence[Any], *, stream: bool) -> Any:
        data = np.concatenate([np.empty(0, np.int8), *pages])
        return pd.arrays.BooleanArray(data == 1, data == -1)

    def text(self, value: Any, style: Style) -> str:
        return "true" if value else "false"

    def texts(self, cells: pd.Series[Any], style: Style) -> list[str] | None:
        if not isinstance(cells.dtype, pd.BooleanDtype):
            return None
        return masked(
            ("true" if b else "false" for b in cells.to_numpy(bool, na_value=False).tolist()), cells
        )

    def read(self, text: str, style: Style) -> Any:
        word = text.strip().lower()
        found = True if word in style.true else False if word in style.false else _SPELT.get(word)
        return structure_or_refuse(text, "neither true nor false") if found is None else found

    def remedies(self, text: str) -> tuple[Remedy, ...]:
        word = text.strip()
        return (*_meant(true=[word], false=[word]), *means_nothing(text))

    def other_styles(self, texts: Collection[str], style: Style) -> tuple[Style, ...]:
        words = {text.strip().lower() for text in texts} - {"true", "false", "1", "0"}
        if words <= _SPELT.keys():
            words |= {"yes"} if words else set()
        hits = {pair: len(words.intersection(pair)) for pair in _PAIRS}
        most = max(hits.values())
        pairs = [pair for pair, times in hits.items() if times == most > 0]
        return tuple(replace(style, true=frozenset({yes}), false=frozenset({no})) for yes, no in pairs)

    def told(self, style: Style) -> tuple[Remedy, ...]:
        return _meant(true=_shown(style.true), false=_shown(style.false))

    def in_words(self, style: Style) -> str:
        return " and ".join([*_shown(style.true), *_shown(style.false)])

    def read_all(self, texts: Sequence[str], style: Style) -> list[Any] | None:
        if style.true or style.false:
            return None
        try:
            return list(map(_WRITTEN.__getitem__, texts))
        except KeyError:
            return None

    def sheet_cells(self, cells: pd.Series[Any], style: Style) -> list[Any] | None:
        return [
            bool(cell) if isinstance(cell, bool | np.bool_) else write_cell(self.field, cell) or None
            for cell in cells.tolist()
        ]

    def from_boolean(self, cell: bool) -> Any:
        return cell

    def from_number(self, cell: float, style: Style) -> Any:
        if str(cell) in style.true | style.false:
            return str(cell) in style.true
        return bool(cell) if cell in (0, 1) else super().from_number(cell, style)


def _meant(**words: list[str]) -> tuple[Remedy, ...]:
    return tuple(Argument(name, f"says that it is {name}", found) for name, found in words.items() if found)


def _shown(words: frozenset[str]) -> list[str]:
    return sorted(word.upper() for word in words)
