"""What a format is: how the tables of one kind of file come out of it and are put into it.

A format is a subclass of `Format` in a file of its own, with one line for each suffix in `registry`. It tells
what stands in a file, and no more: what columns and cells mean is told by `reader`, for all formats alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from .note import read_beside

if TYPE_CHECKING:
    import pandas as pd

    from ..values.changes import Problem
    from ..values.row_set import RowSet
    from ..values.schema import Schema
    from ..values.types.base import Field, Style
    from .assemble import ReadColumn
    from .atomic import OutFile
    from .bounds import InFile
    from .note import Note
    from .options import ReadOptions, WriteOptions
    from .table import Table, Values


PARTICULAR = ("encoding", "delimiter", "sheet", "header_row", "footer_rows", "at")
"""Options of reading that not every format has."""


class NotCut(ValueError):  # noqa: N818 - what a file is
    """A file cannot be read in pieces."""


class ReadCells(Protocol):
    """Reads the cells of a column of a file: JSON values, `Refused` for those that are none."""

    def __call__(self, field: Field, cells: Sequence[Any], style: Style, /) -> Values:
        """Return the values, or the finished column at once."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What stands in a file."""

    table: Table
    read: ReadCells
    plain: Callable[[Any], Any]
    """Returns a cell as a JSON value, without knowing what its column is; None for a blank one."""
    note: Note = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What was noticed and did no harm."""
    losses: tuple[str, ...] = ()
    """What is lost where no schema tells that a column is of text."""
    used: Mapping[str, Any] = field(default_factory=dict)
    """Options of reading that were found out: name -> value."""
    guesses: tuple[str, ...] = ()
    """What was guessed and may be wrong; nothing is written before somebody has seen it."""
    problems: tuple[Problem, ...] = ()
    """Rows that are not in the table, with their cells by column."""
    blank: Any = None
    """What a cell without a value is."""
    is_foreign: bool = False
    """It is not put down as an export is: another program has saved it."""
    sheet: str | None = None
    exported: Callable[[Schema], pd.DataFrame] | None = None
    """Returns the rows as they were exported, by `_id`; None: the file does not hold them."""
    values: Callable[[str | None], Mapping[str, Any]] | None = None
    """Returns the exported values of a column by `_id`."""
    finish: Callable[[pd.DataFrame, ReadColumn], pd.DataFrame] | None = None
    """Puts into the frame what a file has beside its table."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A table on its way to a file: as parts, or, for formats that are written at once, as a whole."""

    name: str
    """What it is called: that of its schema, or of a sheet."""
    schema: Schema | None = None
    parts: Iterable[pd.DataFrame] = ()
    """Frames, one below the other: at least one, all with the columns of the first."""
    note: Note | None = None
    """Where the table comes from; the number of rows is put into it."""
    source: RowSet | pd.DataFrame | None = None
    """The whole table."""
    plain: RowSet | None = None
    """The same rows with ids, where the source shows labels."""
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Column -> texts that people may choose from, besides those that the schema tells."""

    @property
    def known(self) -> Schema:
        """The schema, for formats that cannot do without.

        Raises:
            ValueError: It is not known.
        """
        if self.schema is None:
            raise ValueError(
                "a frame alone does not tell the types of its columns: give schema=snapshot.schema"
            )
        return self.schema


class Format:
    """A kind of file."""

    name: ClassVar[str]
    """What people call it."""
    is_text: ClassVar[bool] = False
    """It is text, which gzip may pack, and which has its note in a file beside it."""
    is_whole: ClassVar[bool] = False
    """Tables are written at once, not part by part."""
    has_one_dtype: ClassVar[bool] = False
    """A column has one dtype in all parts."""
    holds_any_column: ClassVar[bool] = True
    """It takes columns that the schema does not have; else it holds the records of the server alone."""
    holds_any_cell: ClassVar[bool] = False
    """It takes cells that are no values of their column, as people leave them in a file."""
    heeds: ClassVar[frozenset[str]] = frozenset()
    """Those of `PARTICULAR` that mean something here."""
    holds_objects: ClassVar[bool] = False
    """Its cells are JSON values, objects and lists among them; else what is no scalar is text."""

    def unheeded(self, options: ReadOptions) -> list[str]:
        """Return the options that were given and mean nothing here."""
        return [name for name in PARTICULAR if name in options.told and name not in self.heeds]

    def note(self, file: InFile) -> Note:
        """Return what a file says of its origin; empty where it says nothing.

        Raises:
            ValueError: It is no such file, or what it says was damaged.
        """
        return read_beside(file)

    def tables(self, file: InFile) -> list[str]:
        """Return the names of the tables that a file says it holds.

        Raises:
            ValueError: It is no such file, or what it says was damaged.
        """
        name = self.note(file).get("schema")
        return [] if name is None else [str(name)]

    def read(self, file: InFile, schema: Schema | None, options: ReadOptions) -> Incoming:
        """Return what stands in a file.

        Args:
            file: The file.
            schema: What its table is expected to be of; None: not known.
            options: How it is to be understood.

        Raises:
            ValueError: It is no such file, or not one that can be read.
            ImportError: The package that reads it is missing.
        """
        raise NotImplementedError

    def exceeds(self, file: InFile, rows: int) -> bool:
        """Return whether a file may have more rows than that, without reading it whole where it has.

        Raises:
            NotCut: No file of this format is cut.
            ValueError: It is no such file.
            OSError: It cannot be read.
        """
        raise NotCut(f"a file of format {self.name} is read whole")

    def pieces(
        self, file: InFile, schema: Schema, options: ReadOptions, rows: int
    ) -> Iterator[tuple[InFile, ReadOptions]]:
        """Yield a file in pieces of at most so many rows: files like it, and how each is to be understood.

        Rows and lines are numbered in them as in the whole, and what only the whole tells holds in each.

        Raises:
            NotCut: It has to be read whole.
            ValueError: It is no such file.
            OSError: It cannot be read.
        """
        raise NotCut(f"a file of format {self.name} is read whole")

    def refuse(self, file: OutFile) -> None:
        """Raise what `write` would raise, before anything is fetched for it."""

    def write(self, file: OutFile, table: Outgoing, options: WriteOptions) -> int:
        """Write a table, and return the number of its rows.

        Raises:
            ValueError: The format has no place for what the table holds.
            ImportError: The package that writes it is missing.
            OSError: It cannot be written.
        """
        raise NotImplementedError
