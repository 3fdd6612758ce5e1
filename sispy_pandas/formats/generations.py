"""A table as a folder of Parquet files, each a range of `_id`, that is replaced as a whole in one step.

How it looks on disk::

    hosts -> .hosts.mirror/000017       a link: any program reads the files of the present generation there
    .hosts.mirror/000017/part-*.parquet
    .hosts.mirror/000017.json           what is known of them
    .hosts.mirror/000016, 000016.json   the generation before, for whoever still reads in it
    .hosts.mirror/lock

A file that stays as it is has the same name in the next generation, and takes no room twice: a name never
means two contents. Files are named in the order of their rows. In the folder is nothing but them, so that
programs which read all they find (polars, DuckDB) read each row once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sispy.text import printable

from ..values.extras import optional
from ..values.schema import RECEIPT
from ..values.source import FORMAT
from .atomic import replaced
from .parquet import write_arrow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .note import Note

ROWS = 50_000
"""Rows of a file: what is held in memory at once, and written anew where one of them has changed."""
_LOWEST = "0" * 24
_NUMBER = re.compile(r"\d{6,}")


@dataclass(frozen=True, slots=True)
class Part:
    """A file, and the rows in it."""

    file: str
    first: str
    """Its first `_id`: all from here to the first one of the next part belong here."""
    last: str
    rows: int
    newest: tuple[str, int] | None = None
    """`_id` and `_updated_at`, in ms, of the row that was written last; None: no row says when."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A complete state of the table."""

    path: Path
    """The folder of its files."""
    note: Note
    """As of an export: server, schema, definition."""
    asked: Mapping[str, Any]
    """What its rows and columns were asked for with."""
    since: int | None
    """The time, in ms, from which on rows may have been written that it does not hold; None: all times."""
    stamp: Any
    """What the server said of the definition's last change."""
    parts: tuple[Part, ...] = field(repr=False)

    @property
    def rows(self) -> int:
        """The number of all rows."""
        return sum(part.rows for part in self.parts)

    def read(self, part: Part) -> Any:
        """Return the rows of a part as a table of Arrow."""
        parquet = optional("pyarrow.parquet", "fast")
        with parquet.ParquetFile(self.path / part.file) as opened:
            return opened.read()

    def is_whole(self) -> bool:
        """Return whether all its files are there, with as many rows as they had."""
        parquet = optional("pyarrow.parquet", "fast")
        try:
            return all(
                parquet.read_metadata(self.path / part.file).num_rows == part.rows for part in self.parts
            )
        except (OSError, ValueError):  # Arrow's own errors are among them
            return False


@dataclass(frozen=True, slots=True)
class Store:
    """Where the generations of a folder are kept."""

    folder: Path
    """The link to the present one."""
    root: Path

    @classmethod
    def of(cls, folder: str | os.PathLike[str]) -> Store:
        """Return the store of a folder.

        Raises:
            ValueError: Something else is at this place, or it has no name.
        """
        path = Path(folder).absolute()  # not what a link leads to
        if path.name in ("", ".."):
            raise ValueError(f"{printable(path)} has no name: a mirror is a folder of its own")
        if (
            path.parent.name
            and cls(path.parent, path.parent.with_name(f".{path.parent.name}.mirror"))._number()
        ):
            raise ValueError(f"{printable(path)} is within a mirror, which holds its own files alone")
        store = cls(path, path.with_name(f".{path.name}.mirror"))
        if (path.exists() or path.is_symlink()) and store._number() is None and not _is_empty(path):
            raise ValueError(f"{printable(path)} is not a mirror: name a folder that does not exist yet")
        if _is_empty(path) and path.samefile(Path.cwd()):
            raise ValueError(f"{printable(path)} is the folder you are in: name one that does not exist yet")
        return store

    def present(self) -> Generation | None:
        """Return the present generation; None: there is none yet.

        Raises:
            ValueError: What is known of it is damaged, or a later version has written it.
        """
        number = self._number()
        if number is None:
            return None
        file = self.root / f"{number}.json"
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            later = found["format"] > FORMAT
            parts = tuple(Part(**{**part, "newest": _pair(part["newest"])}) for part in found["parts"])
            generation = Generation(
                self.root / number,
                dict(found["note"]),
                dict(found["asked"]),
                found["since"],
                found["stamp"],
                parts,
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            if self._number() != number:  # two runs ended meanwhile, and took it away
                return self.present()
            anew = f"without {printable(self.folder)} the mirror begins anew"
            raise ValueError(f"{printable(file)} was damaged ({error}): {anew}") from None
        if later:
            raise ValueError(f"{printable(file)} has format {found['format']}: a later sispy wrote it")
        return generation

    def tidied(self) -> None:
        """Remove what an interrupted run has left, and generations that nobody needs any more."""
        kept = {f"{number:06}" for number in sorted(self._numbers())[-1:]}
        present = self._number()
        if present is not None:
            before = [number for number in self._numbers() if number < int(present)]
            kept = {present, *(f"{number:06}" for number in sorted(before)[-1:])}
        for path in self.root.iterdir():
            if path.name.split(".")[0] in kept or path.name == "lock":
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def begin(self, note: Note, empty: Any) -> Writer:
        """Return what writes the next generation.

        Args:
            note: Of the table; every file has it.
            empty: A table of Arrow without rows: without any the generation has a file, too.
        """
        number = max(self._numbers(), default=0) + 1
        path = self.root / f"{number:06}"
        path.mkdir()
        return Writer(path, note, empty)

    def describe(self, generation: Generation) -> None:
        """Write what is known of a generation, in place of what was; afterwards it is on disk."""
        found = {
            "format": FORMAT,
            "note": generation.note,
            "asked": generation.asked,
            "since": generation.since,
            "stamp": generation.stamp,
            "parts": [asdict(part) for part in generation.parts],
        }
        with replaced(self.root / f"{generation.path.name}.json") as text:
            json.dump(found, text, ensure_ascii=False, indent=1)
            text.write("\n")
            text.flush()
            os.fsync(text.fileno())

    def switch(self, generation: Generation) -> None:
        """Make a generation the present one: all of it is on disk before, and it happens in one step.

        Raises:
            OSError: The system knows no links.
        """
        self.describe(generation)
        _keep(generation.path)
        _keep(self.root)
        link = self.root / "next"
        link.symlink_to(Path(self.root.name) / generation.path.name, target_is_directory=True)
        if self.folder.is_dir() and not self.folder.is_symlink():
            self.folder.rmdir()  # somebody made it empty
        link.replace(self.folder)
        _keep(self.folder.parent)
        self.tidied()

    def _number(self) -> str | None:
        """Return the number of the present generation, as the link has it."""
        try:
            target = self.folder.readlink()
        except OSError:
            return None
        found = target.parent == Path(self.root.name) and _NUMBER.fullmatch(target.name)
        return target.name if found else None

    def _numbers(self) -> list[int]:
        """Return the numbers of generations that were completed."""
        return [int(path.stem) for path in self.root.glob("*.json") if _NUMBER.fullmatch(path.stem)]


class Writer:
    """Writes a generation, in the order of `_id`: rows, and files of the one before as they stand."""

    def __init__(self, path: Path, note: Note, empty: Any) -> None:
        self.path = path
        self._note, self._empty = note, empty
        self.parts: list[Part] = []
        self.written = 0
        """Files that were not there before."""
        self._waiting: list[Any] = []
        self._held: tuple[Generation, Part] | None = None
        """The last file to keep: what follows may join its rows, if they are few."""

    def add(self, table: Any) -> None:
        """Write the rows of a table of Arrow; they may wait for others."""
        if not table.num_rows:
            return
        if self._held is not None:
            generation, part = self._held
            if part.rows < ROWS // 2 or part.rows + table.num_rows <= ROWS:
                self._held = None
                self._waiting.append(generation.read(part))
        self._link()
        self._waiting.append(table)
        if sum(one.num_rows for one in self._waiting) >= ROWS:
            self._write()

    def keep(self, generation: Generation, part: Part) -> None:
        """Keep a file as it is."""
        self._link()
        self._write()
        self._held = (generation, part)

    def finish(self) -> tuple[Part, ...]:
        """Write what still waits, and return all parts."""
        self._link()
        self._write()
        if not self.parts:
            self._write_one(self._empty)
        return tuple(self.parts)

    def _link(self) -> None:
        if self._held is None:
            return
        generation, part = self._held
        self._held = None
        source, target = generation.path / part.file, self.path / part.file
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise
        except OSError:  # a disk that has no such links
            shutil.copyfile(source, target)
        self.parts.append(part)

    def _write(self) -> None:
        """Write what waits, in files of about the same size."""
        if not self._waiting:
            return
        pa = optional("pyarrow", "fast")
        table = pa.concat_tables(self._waiting)
        self._waiting = []
        size = -(-table.num_rows // max(1, round(table.num_rows / ROWS)))
        for start in range(0, table.num_rows, size):
            self._write_one(table.slice(start, size))

    def _write_one(self, table: Any) -> None:
        ids = table["_id"].to_pylist() or [_LOWEST]
        first = ids[0]
        place = f"{int(first, 16):029}"  # in figures alone: dask sorts names by the numbers in them
        file = f"part-{place}-{int(self.path.name)}.parquet"
        with (self.path / file).open("xb") as opened:
            write_arrow(opened, table, self._note)
            opened.flush()
            os.fsync(opened.fileno())
        self.parts.append(Part(file, first, ids[-1], table.num_rows, _newest(table)))
        self.written += 1


def _newest(table: Any) -> tuple[str, int] | None:
    pa, compute = optional("pyarrow", "fast"), optional("pyarrow.compute", "fast")
    times = table[RECEIPT.path].cast(pa.int64())
    newest = compute.max(times).as_py()
    if newest is None:
        return None
    return table["_id"][compute.index(times, newest).as_py()].as_py(), newest


def _pair(found: Any) -> tuple[str, int] | None:
    return None if found is None else (str(found[0]), int(found[1]))


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _keep(folder: Path) -> None:
    """Return when the names in a folder are on disk."""
    with suppress(OSError):  # not every system does it
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
