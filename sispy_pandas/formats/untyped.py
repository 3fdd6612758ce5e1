"""The rows of a file whose table is yet to be made, in the types that their cells surely have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy.remedies import Argument, Message
from sispy.text import printable, shorten

from ..values.hints import hints
from ..values.infer import is_told
from ..values.schema import RECEIPT
from ..values.types.base import Field
from ..values.types.cells import Refused, json_text, set_path
from ..values.types.object_id import ID
from .assemble import are_strange
from .headings import Names, is_beside
from .outline import is_nothing, type_of
from .reader import as_texts, incoming, naming_it
from .table import cells_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..values.types.base import Style
    from .base import Format, Incoming
    from .bounds import InFile
    from .options import ReadOptions
    from .table import Table, Values


@dataclass(frozen=True, slots=True)
class Untyped:
    """The rows of a file whose table is yet to be made."""

    data: pd.DataFrame | list[dict[str, Any]]
    """Records where the file has objects, else a frame; values are as `read_frame` will read them."""
    types: Mapping[str, str]
    """Column -> type that its cells were read as, where they have none of their own."""
    style: Style
    notes: tuple[str, ...] = ()
    """What became of the names of its columns, and which of them another way to read would type."""
    guesses: tuple[str, ...] = ()
    """What was guessed and may be wrong."""


@naming_it
def read_rows(file: InFile, form: Format, options: ReadOptions) -> Untyped:
    """Return the rows of a file whose schema is not known yet, in the types that their cells have.

    Raises:
        ValueError: The file is damaged, or two of its columns have one name.
    """
    found = incoming(file, form, None, options)
    if found.problems and not found.table.rows:
        first = found.problems[0]
        raise ValueError(Message(f"{printable(file)}, row {first.row}: ", first.reason))
    found = replace(found, table=_named(found.table, options))
    own = Names(found.table, options.rename, ignore_case=options.ignore_case)
    if options.header_row is None:
        _refuse_data(found.table, file)
    if options.header_row != 0:
        own.refuse_nameless(file, in_rows="header_row" in form.heeds)
    style, types = options.style(found.note), {}
    told = as_texts(found, dict(zip(own.names, found.table.columns, strict=True)), options.text, style)
    columns: dict[str, Any] = {}
    texts: dict[str, list[Any]] = {}
    beside = []
    for name, array in zip(own.names, found.table.columns, strict=True):
        cells = cells_in(array)
        if is_beside(name):
            is_id = name == ID.path and RECEIPT.path not in own.names
            is_named = is_id and are_strange(list(found.read(ID, cells, style)), ())  # by who reads the rows
            beside += [] if is_named else [name]
            continue
        if name in told:
            types[name], columns[name] = "String", told[name]
            continue
        if form.holds_any_cell:
            types[name], columns[name] = _read_untyped(found, cells, style)
        else:
            columns[name] = list(map(found.plain, cells))
        if types.get(name, "String") == "String":
            seen = (None if is_nothing(cell) else found.plain(cell) for cell in cells)
            texts[name] = [_text(value) if form.holds_any_cell else value for value in seen]
    left = (f"left out, as the server has its own: {', '.join(beside)}",) if beside else ()
    notes = own.notes() + left + found.losses + hints(texts, found.table.rows, style)
    if not form.holds_objects:
        series = {name: pd.Series(list(cells), dtype=object) for name, cells in columns.items()}
        return Untyped(pd.DataFrame(series), types, style, notes, found.guesses)
    records: list[dict[str, Any]] = [{} for _ in found.table.rows]
    for name, cells in columns.items():
        for record, cell in zip(records, cells, strict=True):
            set_path(record, name, cell)
    return Untyped(records, types, style, notes, found.guesses)


def _refuse_data(table: Table, file: InFile) -> None:
    """Raise if the names of the columns look like data: nothing tells then that they are names.

    Raises:
        ValueError: A name is a number, a date or an address, and so are all cells below it.
    """
    for heading, array in zip(table.header, table.columns, strict=True):
        kind = type_of(heading) if heading else None
        there = [cell for cell in cells_in(array) if not is_nothing(cell)] if kind else []
        if there and {type_of(cell) for cell in there} == {kind}:
            number = max(table.rows[0] - 1, 1)
            raise ValueError(
                Message(
                    f"{printable(file)}: {shorten(heading)} in row {number} looks like data, not like a name",
                    Argument("header_row", "says that there are no names", 0),
                    Argument("header_row", "takes it for one", number),
                )
            )


def _named(table: Table, options: ReadOptions) -> Table:
    """Return a table without the columns that have neither name nor cells.

    A first one without a name that counts the rows, as a saved index does, is left out as well.
    """
    own, kept = Names(table, options.rename, ignore_case=options.ignore_case), []
    for at, (name, array) in enumerate(zip(own.mended, table.columns, strict=True)):
        cells = [] if name else list(map(str, filter(lambda cell: not is_nothing(cell), cells_in(array))))
        counts = ([str(i + first) for i in range(len(table.rows))] for first in (0, 1))
        if name or own.told[at] or (cells and (at or cells not in counts)):
            kept.append(at)
    header, places = tuple(table.header[at] for at in kept), tuple(own.places[at] for at in kept)
    columns = tuple(table.columns[at] for at in kept)
    return replace(table, header=header, columns=columns, places=places)


def _read_untyped(found: Incoming, cells: Sequence[Any], style: Style) -> tuple[str, Values]:
    """Return the type that a column of cells without types surely has, and its values: text, if no other."""
    there = [cell for cell in cells if not (is_nothing(cell) or isinstance(cell, Refused))]
    told = [name for name in _UNMISTAKABLE if is_told(name, map(found.plain, there), style)]
    for name in (*told, *_UNMISTAKABLE):
        field = Field("", name)
        if there and all(_is_surely(field, found, cell, style) for cell in there):
            return name, found.read(field, cells, style)
    return "String", found.read(Field("", "String"), cells, style)


_UNMISTAKABLE = ("Number", "Boolean", "Date")


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str | dict | list) else json_text(value)


def _is_surely(field: Field, found: Incoming, cell: Any, style: Style) -> bool:
    if isinstance(cell, str) and isinstance(found.plain(cell), str):
        return field.kind.is_spelt(cell, style)
    if field.kind.presentation == "boolean" and isinstance(cell, int | float) and not isinstance(cell, bool):
        return field.kind.is_spelt(str(found.plain(cell)), style)  # 0 is false only where that was told
    (value,) = found.read(field, [cell], style)
    return not isinstance(value, Refused)
