"""What people are shown, as data: sentences and tables, written as text, as Markdown, as HTML or as JSON.

A plan, a report, a history each say once which blocks they consist of. Who shows
them chooses a writer, how much of long tables it shows, and the words for the ways out of a message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sispy.remedies import Message
from sispy.text import SENTENCE, WIDTH, aligned, fitted, in_html, json_seen, printable, shorten, shorten_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from sispy.remedies import Call

Item = TypeVar("Item")

SHOWN = 40
"""Rows of a table that a terminal shows."""
LONG = 200
"""Rows of a table that a notebook shows."""
FEW = 3
"""Rows with the same message that are listed one by one; more are put together."""
_SIGNS = {"+": "green", "~": "yellow", "-": "red"}
_MARKUP = re.compile(r"[\\`*_\[\]<>|&#@!$]|~(?=.)|(?<=.)~")
_ADDRESS = re.compile(r"(\w)(:(?=/)|\.(?<=www\.))", re.IGNORECASE)
"""What Markdown makes a link of without any markup."""
_STYLE = (
    "body{font:14px/1.4 sans-serif;margin:2em}table{border-collapse:collapse;margin:1em 0}"
    "th,td{border:1px solid #bbb;padding:.2em .6em;text-align:left;vertical-align:top}th{background:#eee}"
)


@dataclass(frozen=True, slots=True)
class Lines:
    """Sentences, the first of them the headline if they are the first block."""

    lines: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: What stands above it for people; None: it is for programs alone.
        name: Its key in JSON; None: it is for people alone.
        holds: "text"; "value": JSON values, those of one row shown where they differ; "sentence": messages,
            which bring ways out.
        whole: It is never cut to fit a terminal.
        spare: It is left out where a terminal is too narrow for all, the last such column first.
    """

    title: str | None
    name: str | None = None
    holds: Literal["text", "value", "sentence"] = "text"
    whole: bool = False
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells.

    Attributes:
        columns: What the cells of a row are.
        rows: The cells, as many per row as there are columns.
        noun: What a row is called: "cell".
        name: Its key in JSON; None: it is for people alone.
        title: Its heading on a page.
        rest: What shows the rows that were left out.
        beside: Number of further rows, which are only counted.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]
    noun: str = "row"
    name: str | None = None
    title: str | None = None
    rest: Call | None = None
    beside: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def head(self) -> list[str]:
        """The titles of the columns that people see."""
        return [column.title for column in self.columns if column.title is not None]


Block = Lines | Table


def texts(
    table: Table, told: Callable[[str], str] = str, *, shown: int | None = None, width: int = WIDTH
) -> Iterator[list[Any]]:
    """Yield the cells of a table as people see them; numbers stay numbers.

    Args:
        table: The table.
        told: Words a message for its reader; by default as one types it in Python.
        shown: Rows to show at most; None: all.
        width: Characters of a value.
    """
    values = [at for at, column in enumerate(table.columns) if column.holds == "value"]
    for row in table.rows[:shown]:
        cells = list(row)
        for at, text in zip(values, show_apart(*(row[at] for at in values), width=width), strict=True):
            cells[at] = text
        yield [
            told(cell) if column.holds == "sentence" else cell
            for column, cell in zip(table.columns, cells, strict=True)
            if column.title is not None
        ]


def as_text(
    blocks: Iterable[Block],
    *,
    told: Callable[[str], str] = str,
    shown: int | None = SHOWN,
    limit: int | None = None,
    styled: Callable[[str, str | None], str] = lambda text, _: text,
) -> str:
    """Return blocks as text of a bounded length.

    Args:
        blocks: What to show.
        told: Words a message for its reader; by default as one types it in Python.
        shown: Rows of a table that are shown; None: all.
        limit: Columns there are to print in; None: as many as it takes.
        styled: Gives a line a style of `sispy.cli.terminal.STYLES`.
    """
    return "\n\n".join(
        fitted(_lines(block, told), limit)
        if isinstance(block, Lines)
        else _table_text(block, told, shown, limit, styled)
        for block in blocks
    )


def as_markdown(blocks: Iterable[Block], *, told: Callable[[str], str] = str) -> str:
    """Return blocks as Markdown that shows every text as it is, complete: every row."""
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, Lines):
            heading, *more = (_escaped(told(line)) for line in block.lines)
            parts += [f"### {heading}" if not parts else heading, *more]
            continue
        lines = [block.head, ["---"] * len(block.head)]
        lines += [[_indented(_escaped(_cell(cell))) for cell in row] for row in texts(block, told)]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts)


def as_html(
    blocks: Iterable[Block], *, about: str, told: Callable[[str], str] = str, shown: int | None = LONG
) -> str:
    """Return blocks as one self-contained fragment, of class `sispy-ABOUT`, in which long tables scroll."""
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, Lines):
            lines = [in_html(shorten(told(line), SENTENCE)) for line in block.lines]
            parts += [
                f"<p>{line}</p>" if parts or at else f"<p><b>{line}</b></p>" for at, line in enumerate(lines)
            ]
            continue
        table = html_table(block.head, texts(block, told, shown=shown), styled=side)
        parts.append(f'<div style="max-height: 24em; overflow: auto">{table}</div>')
        parts += [f"<p>{in_html(line)}</p>" for line in _more(block, shown, told)]
    return f'<div class="sispy-{about}">{"".join(parts)}</div>'


def as_page(blocks: Iterable[Block], *, told: Callable[[str], str] = str, title: str | None = None) -> str:
    """Return blocks as a page of its own, complete: every row, every value whole."""
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, Lines):
            lines = [in_html(told(line)) for line in block.lines]
            title = title or block.lines[0]
            parts += [
                f"<p>{line}</p>" if parts or at else f"<h1>{line}</h1>" for at, line in enumerate(lines)
            ]
            continue
        parts += [f"<h2>{in_html(block.title)}</h2>"] if block.title else []
        parts.append(html_table(block.head, texts(block, told, width=10**6)))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{in_html(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def as_object(
    facts: Mapping[str, Any], tables: Iterable[Table], *, told: Callable[[str], str] = str
) -> dict[str, Any]:
    """Return facts, and the tables that have a name, as one JSON object."""
    return {**facts, **{table.name: objects(table, told) for table in tables if table.name}}


def objects(table: Table, told: Callable[[str], str] = str) -> list[dict[str, Any]]:
    """Return the rows of a table as objects, values exact."""
    return [
        {
            column.name: told(cell) if column.holds == "sentence" else cell
            for column, cell in zip(table.columns, row, strict=True)
            if column.name is not None
        }
        for row in table.rows
    ]


def html_table(
    head: Sequence[str], rows: Iterable[Sequence[Any]], *, styled: Callable[[object], str] = lambda _: ""
) -> str:
    """Return an HTML table of plain texts, escaped; titles that are all blank are no line of their own.

    Args:
        head: The titles.
        rows: The cells.
        styled: Gives a cell attributes; a title has those of the first cell below it that is not blank.
    """
    rows = list(rows)
    like = [next((row[at] for row in rows if row[at] not in ("", None)), "") for at in range(len(head))]
    titles = "".join(
        f"<th{styled(cell)}>{in_html(title)}</th>" for title, cell in zip(head, like, strict=True)
    )
    top = f"<thead><tr>{titles}</tr></thead>" if any(head) else ""
    body = "".join(
        "<tr>" + "".join(f"<td{styled(cell)}>{in_html(_cell(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table>{top}<tbody>{body}</tbody></table>"


_APART = "padding: 4px 12px 4px 8px"


def side(cell: object) -> str:
    """Return the attributes that put a cell of an HTML table to its side, apart from its neighbours.

    Notebooks put all cells to the right unless they have a style of their own; other pages put none there,
    and may lose a style on the way; others let the cells touch each other.
    """
    is_number = isinstance(cell, Real) and not isinstance(cell, bool)
    return f' align="right" style="{_APART}"' if is_number else f' style="text-align: left; {_APART}"'


def count(n: int, noun: str) -> str:
    """Return "1 row", "2 rows", "1,000 rows"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def show(value: Any, width: int = WIDTH) -> str:
    """Return a cell's value in the JSON form as one short line for people; a blank is an empty text."""
    return shorten(_line(value), width)


def show_apart(*values: Any, width: int = WIDTH) -> list[str]:
    """Return values as `show` does, but long ones cut around the place where they begin to differ."""
    return shorten_apart(*map(_line, values), width=width) if values else []


def name_of(item: Any) -> str:
    """Return what people know a row by: its key, else its `_id`, else what names it in its plan."""
    if item.key is not None:
        return show(item.key)
    return show(getattr(item, "id", None) or getattr(item, "row", None))


def alike(items: Iterable[Item], same: Callable[[Item], Hashable]) -> list[list[Item]]:
    """Return groups of items, in the order of their first ones: more than `FEW` alike are one group.

    Args:
        items: What is to be shown.
        same: Returns what items have in common that are alike.
    """
    found: dict[Hashable, list[Item]] = {}
    for item in items:
        found.setdefault(same(item), []).append(item)
    groups = ([group] if len(group) > FEW else [[item] for item in group] for group in found.values())
    return [group for part in groups for group in part]


def names_of(items: Sequence[Any]) -> str:
    """Return the name of the first one of alike rows, and how many more there are."""
    return name_of(items[0]) + (f" and {len(items) - 1:,} more" if len(items) > 1 else "")


def _line(value: Any) -> str:
    if value is None or (isinstance(value, list | tuple) and not value):
        return ""
    if isinstance(value, str):
        if value == value.strip() == printable(value):
            return value
        return '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"'
    return json_seen(value, default=str)


def _lines(block: Lines, told: Callable[[str], str]) -> str:
    return "\n".join(shorten(told(line), SENTENCE) for line in block.lines)


def _table_text(
    table: Table,
    told: Callable[[str], str],
    shown: int | None,
    limit: int | None,
    styled: Callable[[str, str | None], str],
) -> str:
    rows = list(texts(table, told, shown=shown))
    wrap = table.columns[-1].holds == "sentence"
    seen = [column for column in table.columns if column.title is not None]
    keep, spare = ([c.title for c in seen if c.title and getattr(c, trait)] for trait in ("whole", "spare"))
    top, *bodies = aligned(table.head, rows, limit=limit, wrap=wrap, keep=keep, spare=spare)
    lines = [styled(line, "bold") for line in top]
    lines += [
        styled(line, _SIGNS.get(row[0])) for row, body in zip(rows, bodies, strict=True) for line in body
    ]
    return "\n".join([*lines, *_more(table, shown, told)])


def _more(table: Table, shown: int | None, told: Callable[[str], str]) -> Iterator[str]:
    """Yield the line that says how many rows are not shown, if there are such."""
    left = table.beside + (0 if shown is None else max(0, len(table) - shown))
    if left:
        text = f"... and {count(left, f'more {table.noun}')}"
        yield told(Message(text, table.rest)) if table.rest else text


def _cell(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _escaped(text: str) -> str:
    """Return a text that Markdown shows as it is: no links, no mentions, no markup of any kind."""
    text = _MARKUP.sub(r"\\\g<0>", shorten(text, SENTENCE))
    return _ADDRESS.sub(r"\1\\\2", text)


def _indented(cell: str) -> str:
    """Return a cell of Markdown that keeps the blanks which it begins with."""
    bare = cell.lstrip(" ")
    return "&nbsp;" * (len(cell) - len(bare)) + bare
