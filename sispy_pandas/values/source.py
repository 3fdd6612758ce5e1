"""Where a frame was read from: the file, what it was exported from, and what could not be taken from it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sispy.encoding import one_address
from sispy.errors import Error
from sispy.remedies import Call, Message

if TYPE_CHECKING:
    import pandas as pd

    from sispy import Client

    from .changes import Problem

FORMAT = 1
"""The version of the files written here; a reader refuses a later one."""

_KEY = "sispy"


@dataclass(frozen=True, eq=False)
class Source(dict[str, str]):
    """What is known of a file beside its cells. It travels in `frame.attrs`.

    It is an empty dict as far as pandas is concerned, which copies the attributes with every frame and
    writes them as JSON into Parquet files: copies are the same object, and JSON sees nothing.
    """

    path: str
    sheet: str | None = None
    server: str | None = None
    """URL of the server that the table was exported from; None: not recorded."""
    schema: str | None = None
    query: Mapping[str, Any] | None = None
    fetched_at: str | None = None
    labels: Mapping[str, Mapping[str, str]] | None = None
    """Column -> label -> `_id` at the export, of references that are written as labels; None: as ids."""
    rows: tuple[int, ...] = ()
    """Number in the file of each row of the frame, as it was read."""
    index: pd.Index[Any] | None = field(default=None, repr=False)
    """The index of the frame, as it was read."""
    problems: tuple[Problem, ...] = ()
    """Rows that are not in the frame, because nobody can tell which row of the table they are."""
    notes: tuple[str, ...] = ()
    """What was noticed and did no harm."""
    guesses: tuple[str, ...] = ()
    """Those of the notes that are guesses: nothing is written before somebody has seen them."""
    accept_program_changes: bool = False
    """Take values for edits that look like what a program made of the old ones."""
    sha256: str | None = None
    """Of the file's bytes, when it was read."""
    exported: int | None = None
    """Rows that the file had when it was exported; None: not recorded."""
    read_base: Callable[[], pd.DataFrame] | None = field(default=None, repr=False)

    @cached_property
    def base(self) -> pd.DataFrame | None:
        """The rows as they were exported, by `_id`; None where the file does not hold them."""
        return self.read_base() if self.read_base else None

    def refuse_other(self, client: Client, schema: str) -> None:
        """Refuse a table that was exported from elsewhere.

        Raises:
            ValueError: It is of another schema, or of a server that this one is no copy of, as far as the
                file says.
        """
        for kind, mine, theirs, other in (
            ("schema", self.schema, schema, self.schema not in (None, schema)),
            ("server", self.server, client.url, self.server is not None and not takes(client, self.server)),
        ):
            if other:
                raise ValueError(
                    Message(
                        f"{self.path} was exported from {kind} {mine}, not from {theirs}",
                        Call("frame.attrs.clear()", "makes it a frame like any other"),
                    )
                )

    def __copy__(self) -> Source:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Source:
        return self

    def __hash__(self) -> int:  # type: ignore[override] # it never changes
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def takes(client: Client, server: str) -> bool:
    """Return whether what was made on a server belongs to that of the client: it is the same, or its copy.

    Only a sandbox that was filled by `copy_from` calls itself a copy: what is to be pushed to a server can be
    rehearsed there, and nothing can go to a wrong one.
    """
    if one_address(server) == client.url:
        return True
    try:
        return one_address(str(client.info().to_dict().get("copy_of"))) == one_address(server)
    except (Error, TypeError):
        return False  # no server that tells what it is


def source_of(frame: pd.DataFrame) -> Source | None:
    """Return where a frame was read from; None if it was not read from a file by this package."""
    found = frame.attrs.get(_KEY)
    return found if isinstance(found, Source) else None


def with_source(frame: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Note on a frame where it comes from, and return it."""
    attrs: dict[Hashable, Any] = frame.attrs
    attrs[_KEY] = source
    return frame


def row_numbers(frame: pd.DataFrame) -> tuple[int, ...] | None:
    """Return the number that each row of a frame has in its file; None if that cannot be told any more."""
    source = source_of(frame)
    if source is None or source.index is None:
        return None
    if source.index.name == "_id":
        return source.rows if frame.index.equals(source.index) else None
    at = source.index.get_indexer(frame.index)
    return tuple(source.rows[i] for i in at) if (at >= 0).all() else None
