"""Changes as a workbook for people who read no plans: who changed how much when, drawn by the spreadsheet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from sispy.remedies import what_of
from sispy.text import shorten

from ..formats.excel_write import MOST_ROWS
from ..values.blocks import count, name_of
from ..values.extras import optional
from ..values.types.cell_text import escape
from ..values.types.cells import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..formats.atomic import OutFile
    from ..reading.commits import Edit
    from .edits import Changes

_DAYS = 14
"""A span that is shorter is counted by day, any other by week."""
_USERS, _FIELDS = 8, 15
"""Users and fields that a picture shows; all others are one."""
_OTHERS = "all others"
_TALL = 18
"""Rows of the sheet that a picture takes."""
_LONG = 2_000
"""Characters of a cell that are written; its length is told in their place."""
_COLOURS = ("#4472C4", "#ED7D31", "#70AD47", "#FFC000", "#5B9BD5", "#A5A5A5", "#264478", "#9E480E", "#636363")


@dataclass(frozen=True, slots=True)
class Counted:
    """What is drawn: a line for each row of the picture, a number for each of its parts.

    Attributes:
        title: What the picture shows.
        of: What a line is: "week".
        parts: What the numbers of a line are: users, or "cells".
        lines: (name, numbers).
    """

    title: str
    of: str
    parts: tuple[str, ...]
    lines: tuple[tuple[str | date, tuple[int, ...]], ...]


def write_book(file: OutFile, found: Sequence[Changes]) -> int:
    """Write changes of one table, or of several, as a workbook: pictures on a sheet, each cell on another.

    Returns:
        The number of cells.

    Raises:
        ImportError: XlsxWriter is missing.
        ValueError: There are more cells than a sheet has rows.
    """
    xlsxwriter = optional("xlsxwriter", "excel")
    edits = sorted(every_edit(found), key=lambda named: -named[1].at)
    if len(edits) >= MOST_ROWS:
        raise ValueError(f"a sheet holds {MOST_ROWS - 1:,} rows, not {len(edits):,}: choose a shorter span")
    whole = BytesIO()
    with file.binary() as opened:
        book = xlsxwriter.Workbook(whole, {"strings_to_formulas": False, "strings_to_urls": False})
        _draw(book, found, edits)
        _list(book, found, edits)
        book.close()
        opened.write(whole.getbuffer())
    return len(edits)


def every_edit(found: Sequence[Changes]) -> Iterator[tuple[str, Edit]]:
    """Yield the edits, each with the name of its field: with the table before it, if there are several."""
    for one in found:
        before = f"{one.schema.name}: " if len(found) > 1 else ""
        for edit in one.edits:
            yield before + edit.field, edit


def counted(edits: Sequence[tuple[str, Edit]]) -> list[Counted]:
    """Return how many cells were changed in each week by whom, by each user, and of each field."""
    cells = Counter(edit.by for _, edit in edits)
    users = [user for user, _ in cells.most_common(_USERS)]
    parts = (*users, _OTHERS) if len(cells) > _USERS else tuple(users)
    of, periods = _periods([edit.at for _, edit in edits])
    drawn = Counter(
        (max(p for p in periods if p <= _day(edit.at)), edit.by if edit.by in users else _OTHERS)
        for _, edit in edits
    )
    when = tuple((period, tuple(drawn[period, part] for part in parts)) for period in periods)
    fields = Counter(name for name, _ in edits)
    return [
        Counted(f"Changed cells in each {of}, by user", of, parts, when),
        Counted("Changed cells by user", "user", ("cells",), _largest(cells, _USERS)),
        Counted("Changed cells by field", "field", ("cells",), _largest(fields, _FIELDS)),
    ]


def _largest(cells: Counter[str], most: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    first = cells.most_common(most)
    rest = cells.total() - sum(n for _, n in first)
    return tuple((name, (n,)) for name, n in [*first, *([(_OTHERS, rest)] if rest else [])])


def _periods(times: Sequence[int]) -> tuple[str, list[date]]:
    """Return what time is counted in, and the first day of each, also of those without a change."""
    if not times:
        return "week", []
    first, last = _day(min(times)), _day(max(times))
    of, days = ("day", 1) if (last - first).days < _DAYS else ("week", 7)
    first -= timedelta(days=first.weekday() if days > 1 else 0)
    return of, [first + timedelta(days=n) for n in range(0, (last - first).days + 1, days)]


def _day(at: int) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).date()


def _draw(book: Any, found: Sequence[Changes], edits: Sequence[tuple[str, Edit]]) -> None:
    sheet = book.add_worksheet("Changes")
    title = book.add_format({"bold": True, "font_size": 16})
    grey = book.add_format({"font_color": "#595959"})
    head = book.add_format({"bold": True, "bottom": 1})
    over = book.add_format({"bold": True, "bottom": 1, "align": "right"})
    number = book.add_format({"num_format": "#,##0"})
    day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
    sheet.hide_gridlines(2)
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    names = ", ".join(one.schema.name for one in found)
    rows = len({(one.schema.name, edit.id) for one in found for edit in one.edits})
    sheet.write_string(0, 0, escape(f"Changes of {names}"), title)
    above = [f"{count(len(edits), 'cell')} of {count(rows, 'row')}, on {found[0].endpoint.client.url}"]
    if edits:
        above.append(f"{_day(edits[-1][1].at)} to {_day(edits[0][1].at)}, in UTC")
    above += dict.fromkeys(what_of(note) for one in found for note in one.notes)
    for at, line in enumerate(above, start=1):
        sheet.write_string(at, 0, escape(line), grey)
    pictures = counted(edits) if edits else []
    widest = max((len(name) for one in pictures for name, _ in one.lines if isinstance(name, str)), default=0)
    sheet.set_column(0, 0, min(max(14, widest + 2), 40))
    side = 2 + max((len(one.parts) for one in pictures), default=0)
    at = len(above) + 2
    for one in pictures:
        sheet.write_string(at, 0, one.of, head)
        for column, part in enumerate(one.parts, start=1):
            sheet.write_string(at, column, escape(part), over)
        for row, (name, numbers) in enumerate(one.lines, start=at + 1):
            if isinstance(name, date):
                sheet.write_datetime(row, 0, name, day)
            else:
                sheet.write_string(row, 0, escape(name))
            for column, n in enumerate(numbers, start=1):
                sheet.write_number(row, column, n, number)
        sheet.insert_chart(at, side, _chart(book, one, at), {"object_position": 2})
        at += max(len(one.lines) + 2, _TALL + 1)


def _chart(book: Any, one: Counted, at: int) -> Any:
    over_time = one.of in ("day", "week")
    chart = book.add_chart({"type": "column", "subtype": "stacked"} if over_time else {"type": "bar"})
    last = at + len(one.lines)
    for column, colour in enumerate(_COLOURS[: len(one.parts)], start=1):
        chart.add_series(
            {
                "name": ["Changes", at, column],  # a user may be called like a formula
                "categories": ["Changes", at + 1, 0, last, 0],
                "values": ["Changes", at + 1, column, last, column],
                "fill": {"color": colour},
                "gap": 40,
                "data_labels": {} if over_time else {"value": True, "num_format": "#,##0"},
            }
        )
    cells = {"num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}}
    names: dict[str, Any] = {"num_font": {"size": 9}}
    if over_time:
        chart.set_x_axis({**names, "text_axis": True, "num_format": "d mmm"})
        chart.set_y_axis({**cells, "name": "cells", "min": 0})
        chart.set_legend({"position": "bottom"})
    else:
        chart.set_y_axis({**names, "reverse": True})  # the first line on top, as in the table
        chart.set_x_axis({**cells, "visible": False, "min": 0, "major_gridlines": {"visible": False}})
        chart.set_legend({"none": True})
    chart.set_title({"name": one.title, "name_font": {"size": 12}, "overlay": False})
    chart.set_size({"width": 720, "height": _TALL * 20})
    return chart


_COLUMNS = (("field", 22), ("before", 30), ("after", 30), ("by", 12), ("action", 10))
"""After time and row, with their widths."""


def _list(book: Any, found: Sequence[Changes], edits: Sequence[tuple[str, Edit]]) -> None:
    """Write the sheet of all cells, the newest first."""
    sheet = book.add_worksheet("Cells")
    head = book.add_format({"bold": True, "bottom": 1})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})
    key = (found[0].schema.key if len(found) == 1 else None) or "row"
    for column, (title, wide) in enumerate([("at (UTC)", 20), (key, 28), *_COLUMNS]):
        sheet.set_column(column, column, wide)
        sheet.write_string(0, column, escape(title), head)
    for row, (field, edit) in enumerate(edits, start=1):
        sheet.write_datetime(
            row, 0, datetime.fromtimestamp(edit.at // 1000, UTC).replace(tzinfo=None), moment
        )
        cells = (name_of(edit), field, edit.before, edit.after, edit.by, edit.action)
        for column, cell in enumerate(cells, start=1):
            _cell(sheet, row, column, cell)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(len(edits), 1), 1 + len(_COLUMNS))


def _cell(sheet: Any, row: int, column: int, cell: Any) -> None:
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, int | float):
        sheet.write_number(row, column, cell)
    elif cell is not None and cell != []:
        text = escape(cell if isinstance(cell, str) else json_text(cell))
        sheet.write_string(row, column, shorten(text, _LONG))
