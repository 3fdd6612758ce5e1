"""Parquet: typed columns, a row group for each part; document arrays and Mixed are JSON text in them.

The note of the table is in the file's own metadata.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.remedies import Argument, Message
from sispy.text import printable, shorten

from ..values.arrow import as_frame
from ..values.blocks import count
from ..values.extras import optional
from ..values.times import duration_text
from ..values.types.base import Contradiction
from ..values.types.cell_text import read_column
from ..values.types.cells import STRINGS, WHOLE, Refused, is_missing, plain
from ..values.types.convert import json_values
from ..values.types.equality import as_edited
from ..values.types.object_id import ID, OBJECT_ID
from .base import Format, Incoming
from .bounds import LARGEST, MOST_CELLS, damaged, refuse_wide
from .headings import documents
from .json import inner_paths, read_values
from .note import parsed
from .table import Table, as_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..values.row_set import RowSet
    from ..values.schema import Schema
    from ..values.types.base import Field, Style
    from .atomic import OutFile
    from .base import Outgoing
    from .bounds import InFile
    from .note import Note
    from .options import ReadOptions, WriteOptions
    from .table import Values

_BATCH = 10_000
"""Rows that are decoded at a time."""
_UNNAMED = "__index_level_"
"""How the columns begin that pandas makes of an index without a name."""
_KEY = "sispy"
"""Of the note among the metadata."""


class Parquet(Format):
    """Apache Parquet."""

    name = "Parquet"
    has_one_dtype = True

    def read(self, file: InFile, schema: Schema | None, options: ReadOptions) -> Incoming:
        try:
            loaded = _loaded(file)
            fields = schema.columns if schema else ()
            top = documents(loaded.column_names, inner_paths(schema), options.rename, fields)
            renamed = [top.get(name, name) for name in loaded.column_names]
            frame = as_frame(_flat(loaded.rename_columns(renamed), schema))
        except (TypeError, KeyError) as error:
            raise ValueError(f"{printable(file)}: {error}") from None
        frame = frame.reset_index(drop=frame.index.names == [None])
        frame = frame.loc[:, [not str(name).startswith(_UNNAMED) for name in frame.columns]]
        refuse_wide(file, len(frame.columns))
        columns = tuple(_in_text(frame.iloc[:, at]) for at in range(len(frame.columns)))
        first = 1 + file.rows_above
        rows = tuple(range(first, len(frame) + first))
        table = Table(tuple(map(str, frame.columns)), columns, rows, given=frozenset(top))
        return Incoming(table, _read, _plain, self.note(file), losses=tuple(_cut(frame)))

    def note(self, file: InFile) -> Note:
        parquet, source = optional("pyarrow.parquet", "fast"), file.seekable()
        try:
            text = (parquet.read_metadata(source).metadata or {}).get(_KEY.encode(), b"").decode()
        except Exception as error:
            raise damaged(file, "Parquet file", error) from error
        return parsed(text) if text else {}

    def exceeds(self, file: InFile, rows: int) -> bool:
        parquet, source = optional("pyarrow.parquet", "fast"), file.seekable()
        try:
            return int(parquet.read_metadata(source).num_rows) > rows
        except Exception as error:
            raise damaged(file, "Parquet file", error) from error

    def pieces(
        self, file: InFile, schema: Schema, options: ReadOptions, rows: int
    ) -> Iterator[tuple[InFile, ReadOptions]]:
        pa, parquet = optional("pyarrow", "fast"), optional("pyarrow.parquet", "fast")
        above, source = 0, file.seekable()
        try:
            with parquet.ParquetFile(source) as opened:
                for batch in opened.iter_batches(rows):
                    content = BytesIO()
                    parquet.write_table(pa.Table.from_batches([batch], opened.schema_arrow), content)
                    yield replace(file, content=content.getvalue(), rows_above=above), options
                    above += batch.num_rows
        except pa.ArrowException as error:
            raise damaged(file, "Parquet file", error) from error

    def refuse(self, file: OutFile) -> None:
        optional("pyarrow.parquet", "fast")

    def write(self, file: OutFile, table: Outgoing, options: WriteOptions) -> int:
        parquet = optional("pyarrow.parquet", "fast")
        rows, writer = 0, None
        with file.binary() as opened:
            try:
                for part in table.parts:
                    group = arrow_table(part, table.known)
                    writer = writer or parquet.ParquetWriter(opened, group.schema)
                    writer.write_table(group)
                    rows += len(part)
                if table.note is not None and writer is not None:
                    writer.add_key_value_metadata(_metadata(table.note, rows))
            finally:
                if writer is not None:
                    writer.close()
        return rows


def arrow_table(source: RowSet | pd.DataFrame, schema: Schema | None = None) -> Any:
    """Return rows as a table of Arrow, of the types that a Parquet file has.

    Raises:
        ImportError: pyarrow is missing.
        ValueError: A value contradicts the definition: a column has one type.
    """
    pa = optional("pyarrow", "fast")
    columns = as_table(source, schema=schema)
    arrays = [_array(field, cells, pa) for field, cells in columns]
    return pa.Table.from_arrays(arrays, names=[field.path for field, _ in columns])


def write_arrow(opened: IO[bytes], table: Any, note: Note) -> None:
    """Write a table of Arrow and its note to an open file, a row group for every 10,000 rows."""
    with optional("pyarrow.parquet", "fast").ParquetWriter(opened, table.schema) as writer:
        writer.write_table(table, row_group_size=_BATCH)
        writer.add_key_value_metadata(_metadata(note, table.num_rows))


def _metadata(note: Note, rows: int) -> dict[str, str]:
    """Return a note without its times: two exports of unchanged data are the same bytes."""
    kept = {key: value for key, value in note.items() if not key.endswith("_at")}
    return {_KEY: json.dumps(kept | {"rows": rows}, sort_keys=True)}


def _loaded(file: InFile) -> Any:
    """Return what is in a file as a table of Arrow.

    Raises:
        ValueError: It is no Parquet file, or its cells would take more than can be a table's.
    """
    pa, parquet = optional("pyarrow", "fast"), optional("pyarrow.parquet", "fast")
    source = file.seekable()
    try:
        with parquet.ParquetFile(source) as opened:
            facts = opened.metadata
            large = facts.num_rows * facts.num_columns > MOST_CELLS
            batches, size = [], 0
            for batch in () if large else opened.iter_batches(_BATCH):
                batches.append(batch)
                size += batch.nbytes
                large = size > 2 * LARGEST
                if large:
                    break
            if not large:
                return pa.Table.from_batches(batches, opened.schema_arrow)
    except Exception as error:
        raise damaged(file, "Parquet file", error) from error
    raise ValueError(f"{printable(file)} is too large: {MOST_CELLS:,} cells are read at most")


def _flat(table: Any, schema: Schema | None) -> Any:
    """Return a table with the documents of its schema as columns of their fields."""
    pa, types = optional("pyarrow", "fast"), optional("pyarrow.types", "fast")
    inner = inner_paths(schema)
    for place, one in enumerate(table.schema):
        if one.name in inner and types.is_map(one.type):
            objects = table.column(place).to_pylist(maps_as_pydicts="strict")
            table = table.set_column(place, one.name, pa.array(objects))
    while True:
        nested = (i for i, f in enumerate(table.schema) if f.name in inner and types.is_struct(f.type))
        at = next(nested, None)
        if at is None:
            return table
        parts = table.select([at]).flatten()
        table = table.remove_column(at)
        for i, part in enumerate(parts.schema):
            table = table.add_column(at + i, part, parts.column(i))


def _cut(frame: pd.DataFrame) -> Iterator[str]:
    """Yield in words in which columns times are cut to milliseconds, which is all that the server keeps."""
    for name, cells in frame.items():
        if cells.dtype.kind == "M":
            aware = isinstance(cells.dtype, pd.DatetimeTZDtype)
            times = (cells.dt.tz_convert(None) if aware else cells).dropna().to_numpy()
            n = int((times != times.astype("datetime64[ms]")).sum())
            if n:
                verb = "is" if n == 1 else "are"
                cut = f"{count(n, 'time')} {verb} cut to milliseconds, the server keeps no more"
                yield f"column {shorten(str(name))!r}: {cut}"


def _in_text(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of durations or of bytes as texts: 26:30:00, and what UTF-8 makes of them, else hex."""
    if cells.dtype.kind == "m":
        return pd.Series([None if is_missing(cell) else duration_text(cell) for cell in cells], dtype=object)
    found = cells.tolist() if cells.dtype == object else []
    if not any(isinstance(cell, bytes) for cell in found):
        return cells
    try:
        texts = [cell.decode() if isinstance(cell, bytes) else cell for cell in found]
    except UnicodeDecodeError:
        texts = [cell.hex() if isinstance(cell, bytes) else cell for cell in found]
    return pd.Series(texts, dtype=object)


def _read(field: Field, cells: Any, style: Style) -> Values:
    if isinstance(cells, pd.Series):
        values = _as_they_stand(field, cells, style)
        if values is not None:
            return values
    return [None if is_missing(cell) else _value(field, cell, style) for cell in cells]


def _as_they_stand(field: Field, cells: pd.Series[Any], style: Style) -> Values | None:
    """Return the values of a column of its own type; None where each cell has to be looked at."""
    shown, kind = field.kind.presentation, cells.dtype
    if field == ID and kind == STRINGS:
        ids = [None if type(cell) is not str else cell for cell in cells.tolist()]
        return ids if all(id_ is None or OBJECT_ID.fullmatch(id_) for id_ in ids) else None
    if shown in ("text", "reference") and field != ID and kind == STRINGS:
        return cells
    if shown == "number" and pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        exact = not pd.api.types.is_integer_dtype(kind) or not (np.abs(numbers) > WHOLE).any()
        return pd.Series(numbers) if exact else None
    if shown == "date" and isinstance(kind, pd.DatetimeTZDtype):
        return json_values(field, cells)
    if shown == "date" and kind.kind == "M" and style.zone is datetime.UTC:
        return json_values(field, cells)
    return None


def _value(field: Field, cell: Any, style: Style) -> Any:
    """Return the JSON value of a cell; objects lose the keys that only those of other rows have."""
    if isinstance(cell, str):
        is_json = field.kind.is_untyped or field.kind.is_array
        return read_column(field, [cell], style)[0] if is_json else read_values(field, [cell], style)[0]
    try:
        if isinstance(cell, datetime.datetime) and cell.tzinfo is None and field.kind.presentation == "date":
            return field.kind.from_time(cell, style)
        return read_values(field, [as_edited(None, plain(cell))], style)[0]
    except ValueError as error:
        return Refused(str(cell), str(error))


def _plain(cell: Any) -> Any:
    try:
        value = as_edited(None, plain(cell))
    except ValueError:
        return str(cell)
    return int(value) if type(value) is float and value.is_integer() else value


def _array(field: Field, cells: pd.Series[Any], pa: Any) -> Any:
    try:
        return field.kind.to_arrow(cells, pa)
    except Contradiction:
        if field.item:
            raise ValueError(f"{field.path!r} holds members that are not {field.item.type}") from None
        raise ValueError(
            Message(
                f"{field.path!r} holds values that are not {field.type}: a Parquet column has one type, "
                "export as CSV or NDJSON",
                Argument("fields", "leaves the column out"),
            )
        ) from None
