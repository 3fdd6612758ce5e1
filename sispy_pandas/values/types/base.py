"""Fields of a definition, and what the toolkit asks of a SIS type: all files beside this one answer it.

A type is a subclass of `Type` with a name, in a file of its own that this package's `__init__` lists. What is
the same for all types, blank cells above all, is in the functions of `convert`, `equality` and `cell_text`.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from .cells import json_text
from .frozen import freeze

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    import pandas as pd

    from sispy.remedies import Remedy

    Fits = Callable[[str, str], bool]

Presentation = Literal["text", "number", "boolean", "date", "choice", "reference", "json"]

NONE = type(None)
TYPES: dict[str, type[Type]] = {}
"""All types by the names that `Field.type` has."""
DECLARED: dict[str, type[Type]] = {}
"""The same by the names that a definition may give them."""


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf of a definition, which is one column of a frame.

    Nested documents are no fields of their own: their leaves have dotted paths (`os.version`).

    Example:
        >>> Field("os.version", "String", required=True).path
        'os.version'
    """

    path: str
    type: str
    """String, Number, Boolean, Date, ObjectId, IpAddress, Mixed, Array or Documents."""
    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] = ()
    min: float | None = None
    """Number: the least value; Date: ms since 1970."""
    max: float | None = None
    minlength: int | None = None
    maxlength: int | None = None
    match: str | None = None
    """A JavaScript regex in slashes, as the definition has it."""
    default: Any = field(default=None, hash=False)  # it may be a list or a dict
    trim: bool = False
    case: Literal["lower", "upper"] | None = None
    ref: str | None = None
    """ObjectId: name of the schema that is referred to."""
    item: Field | None = None
    """Array: what its members are."""
    fields: tuple[Field, ...] = ()
    """Documents (an array of documents): fields of a member, paths relative to it."""
    description: str | None = None
    unknown: str | None = None
    """A declared type that is not known here: the field reads as Mixed and takes no edits."""
    kind: Type = field(init=False, repr=False, compare=False)
    """What the field's type says of it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", TYPES[self.type](self))

    @property
    def can_be_cleared(self) -> bool:
        """Return whether the server takes a null: not for an enum, nor where a value is required."""
        return not (self.required or self.enum)


@dataclass(frozen=True, slots=True)
class Style:
    """How a file writes what can be written in more than one way."""

    zone: datetime.tzinfo = datetime.UTC
    """The zone of times, both ways."""
    dayfirst: bool | None = None
    """Take 3/4/2020, too: with True as the third of April, with False as March 4. None: refuse it."""
    decimal: Literal[".", ","] = "."
    """The decimal mark of numbers; only for reading, as are the next ones."""
    thousands: str = ""
    """The mark between groups of three digits."""
    true: frozenset[str] = frozenset()
    """Words for true, in lower case, besides the usual ones."""
    false: frozenset[str] = frozenset()
    unit: frozenset[str] = frozenset()
    """What stands beside numbers and is no part of them: €, GB; "TB=1024" takes 2 TB for 2048."""
    has_told_decimal: bool = False
    """The user named its decimal mark: 1.50 is a number, and no version."""
    is_exported: bool = False
    """It was written here: a cell of another type than its column's is a program's work."""
    has_short_years: bool = False
    """Take 3/4/20, too, as of 2020; only where somebody was asked."""

    @property
    def has_plain_numbers(self) -> bool:
        """Return whether numbers are written as in JSON."""
        return self.decimal == "." and not self.thousands and not self.unit


PLAIN = Style()
"""Times in UTC, ISO dates, decimal points."""


class Contradiction(Exception):  # noqa: N818 - no error: it leads to another way of building a column
    """A column holds a value that its declared type cannot hold."""


class Type:
    """What a SIS type says of one field; what most say is here.

    Methods get cells and values that are there: the functions of `convert` see to those that are not.
    """

    name: ClassVar[str]
    declared_as: ClassVar[tuple[str, ...]]
    """Names that a definition may give the type, first letters in upper case."""

    is_scalar: ClassVar[bool] = False
    """A scalar of JSON, which the server compares, sorts and indexes."""
    is_array: ClassVar[bool] = False
    """A list of values: without any it is `[]`, never null."""
    is_untyped: ClassVar[bool] = False
    """Any JSON value; objects are merged by the server, and nothing is known about what is in them."""
    is_ordered: ClassVar[bool] = False
    """One value may be less than another."""
    is_searched: ClassVar[bool] = False
    """Its values are texts, or have one: the server finds them by a regex."""
    is_name: ClassVar[bool] = False
    """People may know a row by such a value."""
    has_empty: ClassVar[bool] = False
    """The empty text is a value, beside null; where one is required it counts as none."""

    presentation: Presentation = "json"
    """What the cells are shown as in grids, forms and workbooks."""
    json_types: tuple[type, ...] = (object,)
    """What its JSON values are in Python; what a decoder has to make of them is the last."""
    arrow: ClassVar[str | None] = None
    """The function of pyarrow for the type of list members; None: such lists are written as JSON."""
    sheet_types: ClassVar[frozenset[type]] = frozenset()
    """Cells of a workbook that are its JSON values as they stand."""
    parts: ClassVar[Mapping[str, str]] = {}
    """What an object of this type is made of, as the server stores it: key -> type."""
    mark: ClassVar[str] = ""
    """What the text of an object begins with that contradicts the type."""
    plain: ClassVar[str | None] = None
    """A regex: cells of a text file that look so are numbers, or texts without the `'` in front, if any."""
    suspect: ClassVar[str | None] = None
    """A regex: all cells of a text file that do not begin so are texts as they stand."""
    told_by: ClassVar[tuple[str, ...]] = ()
    """Names of those parts of a `Style`, and options of reading, that decide what a text means."""

    def __init_subclass__(cls, *, name: str = "", declared_as: Sequence[str] | None = None) -> None:
        super().__init_subclass__()
        if name:
            cls.name = name
            cls.declared_as = (name,) if declared_as is None else tuple(declared_as)
            TYPES[name] = cls
            DECLARED.update(dict.fromkeys(cls.declared_as, cls))

    def __init__(self, field: Field) -> None:
        self.field = field

    # The definition

    @staticmethod
    def options(options: Mapping[str, Any]) -> dict[str, Any]:
        """Return those options of a definition that the server heeds, as fields of `Field`."""
        return {}

    @staticmethod
    def straight(text: str) -> str:
        """Return how a text is to be written that people take for one of this type, and no style reads.

        Any other text is returned as it is.
        """
        return text

    @staticmethod
    def is_spelt(text: str, style: Style) -> bool:
        """Return whether a text is surely one of this type, and comes back as it is written.

        What the style says about numbers, dates and booleans is heeded: then it was told, not guessed.
        """
        return False

    # Values

    def cast(self, cell: Any) -> Any:
        """Return the JSON value that the server would store for a cell.

        Raises:
            ValueError: The server would refuse the cell, or guess.
        """
        raise NotImplementedError

    def typed(self, text: str) -> Any:
        """Return the cell that somebody means who types a text, which `cast` takes or refuses.

        Raises:
            ValueError: `cast` would take it for something that nobody means.
        """
        return text

    def check(self, value: Any, fits: Fits) -> str | None:
        """Return why the server would refuse a value that is cast; None if it would take it.

        Args:
            value: As `cast` returned it.
            fits: Tells whether a text matches a pattern.
        """
        return None

    def same(self, stored: Any, sent: Any) -> bool | None:
        """Return whether two JSON values are the same once stored; None: they have to be cast to tell."""
        return None

    def canonical(self, value: Any, *, is_sent: bool) -> Any:
        """Return a cast value in a form in which equal values are equal."""
        return value

    def stored(self, value: Any) -> Any:
        """Return a cast value, or None, as the server stores it: so does its history speak of it."""
        return value

    def patch(self, theirs: Any, mine: Any) -> Any:
        """Return what to send so that `mine` takes the place of `theirs`."""
        return mine

    def merges(self, wanted: tuple[Any, Any], made: tuple[Any, Any]) -> bool:
        """Return whether what turns one value into another may have made this: the server merges values.

        Args:
            wanted: (before, after) as it was meant.
            made: (before, after) as it happened, to a value that somebody else had changed.
        """
        return False

    def mapped(self, change: Callable[[Field, Any], Any], value: Any) -> Any:
        """Return a cast value with `change` made to its leaves, those in lists and in their documents too."""
        return change(self.field, value)

    # Columns

    def expect(self, values: Iterable[Any]) -> None:
        """Raise if JSON values are of another type; None may always be among them.

        Raises:
            Contradiction: One is.
        """
        if object not in self.json_types and not set(map(type, values)) <= {*self.json_types, NONE}:
            raise Contradiction

    def holds(self, value: Any) -> bool:
        """Return whether a JSON value has the declared type, so that the column's dtype can hold it."""
        return isinstance(value, self.json_types)

    def why_odd(self, value: Any) -> str:
        """Return in words what is odd about a value that the column cannot hold."""
        return f"its type is not {self.name}"

    def cell_of(self, value: Any) -> Any:
        """Return the cell that a frame shows for a JSON value."""
        return freeze(value)

    def json_of(self, value: Any) -> Any:
        """Return the JSON value of a cell that is of Python's own types."""
        return value

    def pages(self) -> Type:
        """Return what makes the column of pages, and may remember what was in them."""
        return self

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        """Return an array for a page of JSON values.

        Args:
            values: One per row; None where there is none.
            checked: The decoder has already made cells of Mixed ones.

        Raises:
            Contradiction: One is of another type.
        """
        raise NotImplementedError

    def join(self, pages: Sequence[Any], *, stream: bool) -> Any:
        """Return the array of the whole column.

        Args:
            pages: As `page` returned them.
            stream: Of a table that is never seen as a whole: Numbers are then always Float64, else Int64 as
                long as all are whole and within 2**53.
        """
        raise NotImplementedError

    # Files

    def text(self, value: Any, style: Style) -> str:
        """Return the text of a cast value in a file."""
        return json_text(value)

    def texts(self, cells: pd.Series[Any], style: Style) -> list[str] | None:
        """Return the texts of a column, where they can be told faster than cell by cell."""
        return None

    def read(self, text: str, style: Style) -> Any:
        """Return the JSON value that a cell's text in a file means.

        Raises:
            ValueError: It means none.
        """
        raise NotImplementedError

    def read_all(self, texts: Sequence[str], style: Style) -> list[Any] | None:
        """Return the JSON values of a column's texts, blank ones included, where all have the common form."""
        return None

    def remedies(self, text: str) -> tuple[Remedy, ...]:
        """Return the options of reading under which a text that means no value now would mean one."""
        return ()

    def other_styles(self, texts: Collection[str], style: Style) -> tuple[Style, ...]:
        """Return in which other styles texts of a column may be written: they differ in what is `told_by`."""
        return ()

    def hinted_styles(self, texts: Collection[str], style: Style) -> tuple[Style, ...]:
        """Return in which other styles texts may be written of which nobody knows yet what they are."""
        return self.other_styles(texts, style)

    def pasted_styles(self, texts: Collection[str]) -> tuple[Style, ...]:
        """Return in which other styles texts may be written that somebody pastes, and can be asked about."""
        return self.other_styles(texts, PLAIN)

    def in_words(self, style: Style) -> str:
        """Return in words what a style does otherwise: "a decimal comma"."""
        raise NotImplementedError

    def told(self, style: Style) -> tuple[Remedy, ...]:
        """Return the options of reading that ask for a style."""
        return ()

    def is_cut(self, text: str) -> bool:
        """Return whether a text may be what a program shows of a value, but not all of it."""
        return False

    def shows(self, value: Any, text: str, style: Style) -> bool:
        """Return whether a text is what a program shows of a value, as far as it shows it."""
        return False

    def sheet_cells(self, cells: pd.Series[Any], style: Style) -> list[Any] | None:
        """Return what the cells of a workbook hold; None: texts, as in a CSV file."""
        return None

    def from_boolean(self, cell: bool) -> Any:
        """Return the JSON value of a boolean in a workbook.

        Raises:
            ValueError: It means none here; so with the next two.
        """
        raise ValueError(f"{str(cell).upper()} is a boolean")

    def from_number(self, cell: float, style: Style) -> Any:
        """Return the JSON value of a number in a workbook; whole ones are int."""
        raise ValueError(f"{cell} is a number: write it as text")

    def from_time(self, cell: datetime.datetime, style: Style) -> Any:
        """Return the JSON value of a time in a workbook."""
        raise ValueError(
            f"{cell.isoformat(' ')} is a date, as the program made it of a text: write it as text"
        )

    def to_arrow(self, cells: pd.Series[Any], pa: Any) -> Any:
        """Return a column as an array of Arrow, `pa` being pyarrow.

        Raises:
            Contradiction: A cell is of another type.
        """
        if cells.dtype == object:
            raise Contradiction
        return pa.array(cells, from_pandas=True)

    # Filters

    def at(self, path: str) -> str:
        """Return where the text of a value at a path is stored."""
        return path

    def meant(self, text: str) -> Any:
        """Return the value that a text without quotes means; those of typed fields are cast."""
        return text

    def span(self, text: str) -> tuple[str, str] | None:
        """Return the first and the last value that a text stands for; None: only itself."""
        return None

    def split(self, text: str) -> dict[str, Any]:
        """Return the values of those `parts` that a text names.

        Raises:
            ValueError: It is no value.
        """
        raise NotImplementedError
