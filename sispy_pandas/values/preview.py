"""A few rows of a frame as HTML that is readable without any stylesheet: texts cut, numbers to the right."""

from __future__ import annotations

import json
from numbers import Real
from typing import Any

import pandas as pd

from sispy.text import shorten

from .blocks import html_table, side
from .types.convert import is_blank

_WIDTH = 40
"""Characters of a cell."""


def preview(frame: pd.DataFrame, rows: int = 10) -> str:
    """Return the first rows of a frame as an HTML table, escaped; names are not broken at their hyphens.

    >>> preview(pd.DataFrame({"cores": [8]})).split("<tbody>")[1].partition(" style")[0]
    '<tr><td nowrap align="right"'
    """
    lines = [list(map(_cell, row)) for row in frame.head(rows).itertuples(index=False, name=None)]
    return html_table([shorten(name, _WIDTH) for name in frame.columns], lines, styled=_unbroken)


def _cell(cell: Any) -> object:
    if is_blank(cell):
        return ""
    if isinstance(cell, pd.Timestamp):
        return cell.strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")
    if isinstance(cell, dict | tuple | list):
        return shorten(json.dumps(cell, ensure_ascii=False, default=str), _WIDTH)
    return cell if isinstance(cell, Real) else shorten(str(cell), _WIDTH)


def _unbroken(cell: object) -> str:
    return f' nowrap{side(cell)[:-1]}; white-space: nowrap"'
