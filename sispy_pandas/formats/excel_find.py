"""Which sheet of a workbook holds a table, and which hidden sheet belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import printable

from ..values.blocks import count
from . import note as origin
from .excel_base import PREFIX, read_note
from .excel_file import rows_of
from .excel_write import ABOUT, CONFLICTS, LISTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..values.schema import Schema
    from .bounds import InFile
    from .note import Note


_SHEET = Argument("sheet", "names one")


@dataclass(frozen=True, slots=True)
class Found:
    """A sheet, and what the hidden one that belongs to it says."""

    sheet: Any
    note: Note
    hidden: Any = None
    """The hidden sheet; None: there is none."""
    notes: tuple[str, ...] = ()
    """What was left out."""


def find(book: Any, file: InFile, schema: Schema | None, name: str | None) -> Found:
    """Return the sheet of a schema in an openpyxl workbook; without a schema the only one that was exported.

    Args:
        book: The workbook.
        file: Of it, for messages.
        schema: Of the table.
        name: Of the sheet, where it is known.

    Raises:
        ValueError: It cannot be told, or is of another schema or a later format.
    """
    hidden = [title for title in book.sheetnames if title.startswith(PREFIX)]
    notes = {title: note for title in hidden if (note := read_note(first_row(book[title], file)))}
    tables = [s.title for s in book.worksheets if s.title not in (*hidden, ABOUT, CONFLICTS, LISTS)]
    if name is not None and name not in tables:
        raise ValueError(f"{printable(file)} has no sheet {name!r}; it has {_named(tables)}")
    mine = [
        title
        for title, note in notes.items()
        if name in (None, note.get("sheet")) and (schema is None or note.get("schema") == schema.name)
    ]
    if len(mine) > 1:
        of_it = f" of schema {schema.name!r}" if schema else ""
        raise ValueError(Message(f"{printable(file)} has several sheets{of_it}", _SHEET))
    if mine:
        note = notes[mine[0]]
        if schema is not None:
            origin.check(file, note, schema)
        title = name or _renamed(file, note["sheet"], tables, [n.get("sheet") for n in notes.values()])
        return Found(book[title], note, book[mine[0]])
    wanted = schema.name if schema else None
    claimed = {note.get("sheet"): note.get("schema") for note in notes.values()}
    if name in claimed:
        raise ValueError(
            f"sheet {name!r} of {printable(file)} is a table of {claimed[name]!r}, not of {wanted!r}"
        )
    if name is None and notes:
        kinds = ", ".join(sorted({str(kind) for kind in claimed.values()}))
        raise ValueError(f"{printable(file)} is a workbook of schema {printable(kinds)}, not of {wanted!r}")
    name = name or (wanted if wanted in tables else tables[0] if len(tables) == 1 else None)
    hidden_ones: tuple[str, ...] = ()
    if name is None:
        filled = [title for title in tables if first_row(book[title], file)]
        seen = [s.title for s in book.worksheets if s.title in filled and s.sheet_state == "visible"]
        if len(seen) == 1 and len(filled) > 1:
            left = [title for title in filled if title not in seen]
            reads = Argument("sheet", "reads it", left[0])
            hidden_ones = (
                Message(f"left out, as hidden: {count(len(left), 'sheet')} ({_named(left)})", reads),
            )
        name = seen[0] if len(seen) == 1 else filled[0] if len(filled) == 1 else None
    if name is None:
        raise ValueError(Message(f"{printable(file)} has several sheets: {_named(tables)}", _SHEET))
    return Found(book[name], {}, notes=hidden_ones)


def tables_in(book: Any, file: InFile) -> list[str]:
    """Return the names of the tables that a workbook was exported from, in the order of its sheets."""
    hidden = [title for title in book.sheetnames if title.startswith(PREFIX)]
    notes = [read_note(first_row(book[title], file)) for title in hidden]
    return list(dict.fromkeys(str(note["schema"]) for note in notes if "schema" in note))


def _renamed(file: InFile, title: str, tables: list[str], known: list[Any]) -> str:
    """Return the sheet of a table; where it was given another name, the only one that can be it."""
    if title in tables:
        return title
    others = [other for other in tables if other not in known]
    if len(others) != 1:
        raise ValueError(
            Message(
                f"sheet {title!r} is not in {printable(file)} any more: {_named(tables)}",
                _SHEET,
            )
        )
    return others[0]


def _named(sheets: Iterable[str]) -> str:
    return printable(", ".join(sheets))


def first_row(sheet: Any, file: InFile) -> Sequence[Any]:
    """Return the cells of the first row that is not empty."""
    return next(rows_of(sheet, file), (0, ()))[1]
