"""The one reader of files, whatever is done with them: a frame of a schema, texts of cells."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from sispy.remedies import Message, nearest
from sispy.text import printable, shorten

from ..values.blocks import count
from ..values.extras import no_collection
from ..values.records import DELETE
from ..values.schema import META, RECEIPT
from ..values.types.base import Field
from ..values.types.cell_text import escape, read_column, unescape, write_column
from ..values.types.cells import Refused, is_missing, json_text
from ..values.types.object_id import ID
from . import note as origin
from .assemble import assemble, label_field, names_of, typed
from .bounds import damaged
from .csv_arrow import is_arrow
from .dialect import LEAST, SURE, Dialect, Known, own_dialect
from .encodings import AS_BYTES, GUESSED, EncodingUnknown, own_encoding, read_once
from .mapping import write_mapping
from .table import cells_in

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

    from ..values.changes import Problem
    from ..values.schema import Schema
    from ..values.types.base import Style
    from .base import Format, Incoming, ReadCells
    from .bounds import InFile
    from .options import ReadOptions
    from .table import Table, Values


Reads = TypeVar("Reads", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Texts:
    """A table as the texts of its cells, as an export of it holds them; times are in UTC."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    """How the file was read."""

    def known(self, schema: Schema, key: str) -> Known:
        """Return the rows as what was exported: cells of other files that nobody touched mean the same.

        Args:
            schema: Of the table.
            key: The column by which rows are known.
        """
        at = {name: i for i, name in enumerate(self.columns)}

        def values(field: Field) -> list[Any] | None:
            if field.path not in at:
                return None
            return read_column(field, [row[at[field.path]] for row in self.rows])

        names = values(ID if key == ID.path else schema.field(key)) or []
        return Known(key, {name: i for i, name in enumerate(names) if name is not None}, values)


def naming_it(read: Reads) -> Reads:
    """Let a reader name its file in the error where it does not fit into memory."""

    @functools.wraps(read)
    def named(file: InFile, *args: Any, **kwargs: Any) -> Any:
        try:
            return read(file, *args, **kwargs)
        except MemoryError as error:
            raise damaged(file, "table", error) from None

    return named  # type: ignore[return-value] # of the same arguments


@naming_it
@no_collection()  # the rows of a file hold no cycles, but there are many of them
def read_frame(
    file: InFile, form: Format, schema: Schema, options: ReadOptions, known: Known | None = None
) -> pd.DataFrame:
    """Return the rows of a file as a frame of a schema; `read_csv` tells what becomes of what.

    Args:
        file: The file.
        form: Of it.
        schema: Names the types.
        options: How it is to be understood.
        known: The rows as they were exported: the cells that nobody touched tell how the file is written.

    Raises:
        ValueError: The file is damaged, of another schema or format, or two of its columns have one name.
    """
    found, own = _understood(file, form, schema, options, known)
    origin.check(file, found.note, schema)

    def column(field: Field, cells: Sequence[Any]) -> Any:
        values = own.read(field, cells)
        return _listed(field, values) if options.ignore_case and field.enum else values

    source = replace(
        options.source(file.name),
        sha256=file.sha256(),
        sheet=found.sheet,
        notes=found.guesses + found.notes + own.notes,
        guesses=found.guesses,
        problems=tuple(_translated(problem, schema, found.read, own.usual) for problem in found.problems),
        read_base=partial(found.exported, schema) if found.exported else None,
    )
    frame = assemble(
        found.table,
        schema,
        column,
        source=origin.described(source, found.note, schema),
        rename=options.rename,
        ignore_case=options.ignore_case,
        copies=options.copies,
        keys=partial(found.values, schema.key) if found.values else None,
    )
    if options.save_mapping is not None:
        write_mapping(options.save_mapping, _used(options, found, own))
    return found.finish(frame, column) if found.finish else frame


def learnt(
    file: InFile, form: Format, schema: Schema, options: ReadOptions, known: Known | None
) -> tuple[ReadOptions, tuple[str, ...], tuple[str, ...]]:
    """Return how a file is read, told in full; what was noticed about that, and what of it is a guess.

    It takes what `read_frame` takes, and raises what it raises.
    """
    found, own = _understood(file, form, schema, options, known)
    return _used(options, found, own), found.notes + own.notes, found.guesses


def _used(options: ReadOptions, found: Incoming, dialect: Dialect) -> ReadOptions:
    """Return how a file was read: as was told, and as it told itself."""
    usual = dialect.usual
    own = dialect.own or usual
    used = dict(found.used) | ({"sheet": found.sheet} if found.sheet is not None else {})
    if (own.decimal, own.thousands) != (usual.decimal, usual.thousands):
        used |= {"decimal": own.decimal, "thousands": own.thousands or None}
    used |= {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name in ("dayfirst", "true", "false", "unit")
        if (value := getattr(own, name)) != getattr(usual, name)
    }
    return replace(options, **used)


def incoming(file: InFile, form: Format, schema: Schema | None, options: ReadOptions) -> Incoming:
    """Return what stands in a file, without the words that mean nothing, and with the columns that are told.

    Raises:
        ValueError: An option means nothing in its format, or a column is there that was to be added.
    """
    for name in form.unheeded(options):
        raise ValueError(f"{name}=: {printable(file)} is a file of format {form.name}, which has none")
    found = form.read(file, schema, options)
    table, nothing = found.table, set(options.na)
    if nothing:
        columns = [
            [
                found.blank if _means(nothing, cell, found) else _without(nothing, cell)
                for cell in cells_in(cells)
            ]
            for cells in table.columns
        ]
        table = replace(table, columns=tuple(columns))
    for name, text in options.constants.items():
        if name in table.header:
            raise ValueError(f"constants: {printable(file)} has a column {name!r} of its own")
        table = replace(
            table,
            header=(*table.header, name),
            columns=(*table.columns, [text] * len(table.rows)),
            places=(*table.places, len(table.header) + 1) if table.places else (),
        )
    if not found.note and (said := _read_twice(table)):
        found = replace(found, notes=(*found.notes, said))
    return found if table is found.table else replace(found, table=table)


def _read_twice(table: Table) -> str | None:
    """Return in words which cells hold UTF-8 that a program misread and saved so; None for exports."""
    cells = chain(table.header, *(cells_in(one) for one in table.columns if not is_arrow(one)))
    once = [(cell, read) for cell in cells if isinstance(cell, str) and (read := read_once(cell))]
    if not once:
        return None
    cell, read = once[0]
    verb = "looks" if len(once) == 1 else "look"
    said = f"{count(len(once), 'cell')} {verb} like UTF-8 that was read as Windows-1252 before"
    return f"{said}: '{shorten(cell)}' was '{shorten(read)}'"


def _means(words: Collection[str], cell: Any, found: Incoming) -> bool:
    """Return whether a cell is one of some words, a number or a boolean by what people see of it."""
    if isinstance(cell, str):
        return cell.strip() in words
    return isinstance(cell, bool | int | float) and not is_missing(cell) and _text(found.plain(cell)) in words


def _without(words: Collection[str], cell: Any) -> Any:
    """Return the object of a cell without its members that are one of some words."""
    if not isinstance(cell, dict):
        return cell
    return {
        key: _without(words, inner)
        for key, inner in cell.items()
        if not (isinstance(inner, str) and inner.strip() in words)
    }


def _understood(
    file: InFile, form: Format, schema: Schema | None, options: ReadOptions, known: Known | None
) -> tuple[Incoming, Dialect]:
    """Return what stands in a file, and how it is written."""
    if known is None or schema is None:
        found = incoming(file, form, schema, options)
        style = options.style(found.note)
        columns = _columns(found, schema, options) if options.text else {}
        return found, Dialect(found.read, style, as_texts(found, columns, options.text, style))
    found = _decoded(file, form, schema, options, known)
    style = options.style(found.note)
    columns = _columns(found, schema, options)
    texts = as_texts(found, columns, options.text, style)
    read = columns.keys() - texts.keys()
    fields = {field.path: field for field in (*schema.fields, *META) if field.path in read}
    rows = known.rows(schema, columns, found.read)
    told, is_foreign = options.told, found.is_foreign
    own = own_dialect(fields, columns, known, rows, found.read, style, told=told, is_foreign=is_foreign)
    return found, replace(own, columns={**own.columns, **texts})


def _columns(found: Incoming, schema: Schema | None, options: ReadOptions) -> dict[str, Any]:
    """Return the cells of a file by the names that its columns have in a schema."""
    names = names_of(
        found.table, schema, options.rename, ignore_case=options.ignore_case, guesses=found.guesses
    )
    return dict(zip(names, found.table.columns, strict=True))


def _decoded(file: InFile, form: Format, schema: Schema, options: ReadOptions, known: Known) -> Incoming:
    """Return what stands in a file, in the encoding that the cells tell which nobody touched.

    Raises:
        EncodingUnknown: They do not tell it, and nothing else does.
    """
    found, unknown = None, EncodingUnknown(GUESSED)
    try:
        found = incoming(file, form, schema, options)
        if GUESSED not in found.guesses:
            return found
    except EncodingUnknown as error:
        unknown = error
    raw = incoming(file, form, schema, replace(options, encoding=AS_BYTES))
    name, cells = _encoding_of(raw, schema, options, known)
    if name is not None:
        note = f"the file is read in {name}, as {count(cells, 'cell')} tell that nobody touched"
        found = incoming(file, form, schema, replace(options, encoding=name))
        return replace(found, is_foreign=True, notes=(*found.notes, note))
    if found is None:
        raise unknown
    return found


def _encoding_of(raw: Incoming, schema: Schema, options: ReadOptions, known: Known) -> tuple[str | None, int]:
    """Return the encoding in which texts mean what was exported, and of how many it could be told."""
    columns = _columns(raw, schema, options)
    rows = known.rows(schema, columns, raw.read)
    cells: Counter[tuple[str, Any]] = Counter()
    for field in schema.fields:
        if field.path in columns and (values := known.values(field)) is not None:
            texts = zip(cells_in(columns[field.path]), rows, strict=True)
            told = ((text, values[at]) for text, at in texts if at is not None and not text.isascii())
            cells.update((unescape(text), v) for text, v in told if isinstance(v, str | int | float))
    every = {unescape(text) for column in columns.values() for text in cells_in(column) if not text.isascii()}
    return own_encoding(cells, every, LEAST, SURE), cells.total()


def _listed(field: Field, values: Values) -> list[Any]:
    """Return values of an enum that are written in another case as the definition has them."""
    listed = {text.lower(): text for text in field.enum}
    cells = cells_in(values)
    return [listed.get(v.lower(), v) if isinstance(v, str) and v not in field.enum else v for v in cells]


def _translated(problem: Problem, schema: Schema, read: ReadCells, style: Style) -> Problem:
    """Return a problem with the values of its rows in place of their cells, as far as they go.

    Nobody knows whether they stand in their columns: no receipt says that they may be taken as they are.
    """
    rows = []
    for row in problem.rows:
        fields = {f.path: f for f in (*schema.fields, *META, ID) if f.path in row}
        values = {path: next(iter(read(field, [row[path]], style))) for path, field in fields.items()}
        rows.append(values | {RECEIPT.path: "cells are missing or too many"})
    return replace(problem, rows=tuple(rows))


def as_texts(
    found: Incoming, columns: Mapping[str, Any], names: Collection[str], style: Style
) -> dict[str, list[Any]]:
    """Return columns of which is told that they are text.

    Raises:
        ValueError: There is no such column.
    """
    for name in names:
        if name not in columns:
            raise ValueError(Message(f"text: the file has no column {name!r}", nearest(name, columns)))
    return {name: _as_text(found, columns[name], style) for name in names}


def _as_text(found: Incoming, cells: Any, style: Style) -> list[Any]:
    """Return the cells of a column as the texts that people see; objects and lists stay what they are."""
    values = list(found.read(Field("", "String"), cells_in(cells), style))
    for at, (value, cell) in enumerate(zip(values, cells_in(cells), strict=True)):
        if isinstance(value, Refused) or not (value is None or isinstance(value, str | dict | list)):
            shown = found.plain(cell)
            values[at] = shown if isinstance(shown, str | dict | list) else json_text(shown)
    return values


@naming_it
def read_texts(
    file: InFile, form: Format, schema: Schema | None, options: ReadOptions, known: Known | None = None
) -> Texts:
    """Return the cells of a file as texts, as a CSV file in UTC would hold them.

    Args:
        file: The file.
        form: Of it.
        schema: What is known of the table; where nothing is, cells are taken as they look.
        options: How it is to be understood.
        known: The rows of the other side, if the schema is known: see `read_frame`.

    Raises:
        ValueError: The file is damaged, or two of its columns have one name.
    """
    found, own = _understood(file, form, schema, options, known)
    names = names_of(
        found.table, schema, options.rename, ignore_case=options.ignore_case, guesses=found.guesses
    )
    fields: dict[str, Field] = {"_id": ID}
    if schema is not None:
        origin.check(file, found.note, schema)
        fields |= {f.path: f for f in (*schema.fields, *META, RECEIPT)}
    if found.note.get("labels") is not None:
        fields = {path: label_field(field) for path, field in fields.items()}
    kept = [at for at, name in enumerate(names) if name != DELETE]
    names, cells = [names[at] for at in kept], [found.table.columns[at] for at in kept]
    columns = [
        write_column(fields[name], typed(fields[name], own.read(fields[name], cells)))
        if name in fields
        else [_text(found.plain(cell)) for cell in cells_in(cells)]
        for name, cells in zip(names, cells, strict=True)
    ]
    if options.save_mapping is not None:
        write_mapping(options.save_mapping, _used(options, found, own))
    notes = found.guesses + found.notes + own.notes
    return Texts(tuple(names), tuple(zip(*columns, strict=True)), notes)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return escape(value) if isinstance(value, str) else json_text(value)
