"""Files of others, opened within bounds: what is endless, packed, damaged or too large is named, not read.

The limits are far beyond honest files: a million rows are read. Whatever goes wrong is one ValueError that
begins with the file's name.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import stat
import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sispy.text import printable, shorten

from ..values.types.cells import double_of, object_of
from .encodings import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST = 2 << 30
"""Bytes of a file."""
LARGEST_STREAM = 512 << 20
"""Bytes of a pipe, whose size nobody knows before."""
LONGEST_LINE = 1 << 27
"""Bytes of a line of a table, and of a cell: ten times what the server's database stores in a row."""
MOST_COLUMNS = 4_096
MOST_CELLS = 1 << 26
"""Cells of a sheet: a million rows of 64 columns."""
FREE, RATIO = 16 << 20, 200
"""Bytes to which something packed may expand in any case, and beyond how many times its packed size."""
GZIP = b"\x1f\x8b"

_START = 1 << 12
_PACKED = (
    (b"\xfd7zXZ\0", "is packed by xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is packed by zstd: unpack it first"),
    (b"\xd0\xcf\x11\xe0", "is a document of an office program, not text: its name has to say so"),
    (b"PK\x03\x04", "is a workbook or another zip file, not text: its name has to say so"),
    (b"PAR1", "is a Parquet file, not text: its name has to say so"),
)


@dataclass(frozen=True, slots=True)
class InFile:
    """A file to be read: by its path, or one that was open and has been read; `str` names it in messages."""

    name: str
    path: Path | None = None
    """Where it lies; None: nowhere, as standard input."""
    content: bytes | None = field(default=None, repr=False)
    """What was in it, where that can be read only once."""
    rows_above: int = 0
    """Rows of the whole file that stand between the header and those here, if this is a piece of one."""
    lines_above: int = 0
    """The same in lines."""
    keys: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Keys of all records of the whole file, documents as their own keys: the records here may lack some."""

    @classmethod
    def of(cls, source: str | os.PathLike[str] | IO[Any] | InFile) -> InFile:
        """Return the file of a path, or of an open file, which is read to its end.

        Raises:
            TypeError: It is neither.
            ValueError: It is too large.
            OSError: It cannot be read.
        """
        if isinstance(source, InFile):
            return source
        if isinstance(source, str | os.PathLike):
            path = Path(source)
            return cls(str(path), path, _to_the_end(path, path.open("rb")) if _is_pipe(path) else None)
        if not hasattr(source, "read"):
            raise TypeError(f"a file is a path or an open file, got {type(source).__name__}")
        name = getattr(source, "name", None)
        name = name if isinstance(name, str) else f"the {type(source).__name__}"
        return cls(name, None, _to_the_end(name, source))

    @classmethod
    def on_disk(cls, path: str | os.PathLike[str]) -> InFile:
        """Return the file of a path, where it can be read as often as one likes.

        Raises:
            ValueError: It is a pipe.
        """
        if _is_pipe(Path(path)):
            raise ValueError(
                f"{printable(path)} is a pipe, which can be read only once: save it as a file first"
            )
        return cls.of(path)

    def __str__(self) -> str:
        return self.name

    def data(self, *, lines: bool = False) -> bytes | bytearray:
        """Return the bytes of a text file; what gzip has packed is unpacked.

        Args:
            lines: It is a table of lines: one that does not end is no such file.

        Raises:
            ValueError: It is too large, a device, or not what its reader takes.
            OSError: It cannot be read.
        """
        found = self._read(lines=lines)
        if found.startswith(GZIP):
            found = _unpacked(self, found)
        if lines:
            _refuse_endless_line(self, found[:LONGEST_LINE])
        return found

    def text(self, encoding: str | None = None) -> str:
        """Return the text of a file, in UTF-8 or UTF-16 unless another encoding is given; see `data`.

        Raises:
            ValueError: It is in another encoding, too, or does not fit into memory.
        """
        try:
            return decode(self.data(), self, encoding, guess=False)[0]
        except MemoryError as error:
            raise damaged(self, "text", error) from None

    def sha256(self) -> str:
        """Return the fingerprint of its bytes, as `sha256sum` does.

        Raises:
            OSError: It is not there.
        """
        if self.content is not None or self.path is None:
            return hashlib.sha256(self.content or b"").hexdigest()
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def seekable(self) -> Path | BytesIO:
        """Return what libraries read a binary file from.

        Raises:
            ValueError: It is too large, or a device.
            OSError: It is not there.
        """
        if self.content is not None or self.path is None:
            return BytesIO(self.content or b"")
        _refuse_endless(self.path)
        return self.path

    @contextmanager
    def stream(self) -> Iterator[IO[bytes]]:
        """Open a text file, to be read from its beginning; what gzip has packed is unpacked as it is read.

        Raises:
            ValueError: It is a device, or not what its reader takes.
            OSError: It cannot be read.
        """
        if self.path is not None and self.content is None and stat.S_ISCHR(self.path.stat().st_mode):
            _refuse_endless(self.path)
        source = self.path.open("rb") if self.path and self.content is None else BytesIO(self.content or b"")
        with source as opened:
            start = opened.read(_START)
            opened.seek(0)
            _refuse_packed(self, start)
            if not start.startswith(GZIP):
                yield opened
                return
            with gzip.GzipFile(fileobj=opened) as unpacked:
                yield unpacked  # type: ignore[misc] # as good as a file that is read

    def _read(self, *, lines: bool) -> bytes | bytearray:
        if self.content is not None or self.path is None:
            content = self.content or b""
            _refuse_packed(self, content)
            return content
        _refuse_endless(self.path)
        found = bytearray()
        with self.path.open("rb") as file:
            while chunk := file.read(min(LONGEST_LINE, LARGEST + 1 - len(found))):
                if not found:
                    _refuse_packed(self, chunk)
                found += chunk
                if len(found) > LARGEST:
                    raise _too_large(self, LARGEST)
                if lines and not found.startswith(GZIP):
                    _refuse_endless_line(self, chunk)
        return found


def _to_the_end(name: object, file: IO[Any]) -> bytes:
    """Read a pipe or an open file, whose size nobody knows before; a pipe is closed."""
    with file if isinstance(name, Path) else nullcontext():
        read: Any = file.read(LARGEST_STREAM + 1)
    found = read.encode() if isinstance(read, str) else bytes(read or b"")
    if len(found) > LARGEST_STREAM:
        raise _too_large(name, LARGEST_STREAM)
    return found


def _unpacked(file: InFile, packed: bytes | bytearray) -> bytearray:
    """Return what gzip has packed; no honest table is packed two hundred times."""
    most, found = min(LARGEST, max(FREE, RATIO * len(packed))), bytearray()
    try:
        with gzip.GzipFile(fileobj=BytesIO(packed)) as opened:
            while chunk := opened.read(min(LONGEST_LINE, most + 1 - len(found))):
                found += chunk
                if len(found) > most:
                    raise _expanding(file)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(file, "gzip file", error) from error
    _refuse_packed(file, found)
    return found


def refuse_expanding(file: InFile, size: int) -> None:
    """Refuse a file of which more bytes come than any honest table is packed into.

    Raises:
        ValueError: It is one.
    """
    if size > FREE:
        packed = len(file.content or b"") if file.content or file.path is None else file.path.stat().st_size
        if size > RATIO * packed:
            raise _expanding(file)


def _expanding(file: InFile) -> ValueError:
    return ValueError(f"{printable(file)} would unpack to more than any real table")


def _refuse_endless_line(file: InFile, start: bytes | bytearray) -> None:
    if len(start) == LONGEST_LINE and b"\n" not in start and b"\r" not in start:
        raise ValueError(f"{printable(file)} has a line without an end: is it a table?")


def _too_large(name: object, most: int) -> ValueError:
    return ValueError(f"{printable(name)} is too large: {most >> 20:,} MiB are read at most")


def parse_json(text: str, file: object, line: int | None = None) -> Any:
    """Decode the JSON text of a file, or of one of its lines.

    Raises:
        ValueError: It is no JSON; the message names the place.
    """
    try:
        return json.loads(text, parse_float=double_of, object_pairs_hook=object_of)
    except RecursionError:
        raise ValueError(f"{printable(file)} is nested too deeply to be read") from None
    except json.JSONDecodeError as error:
        if not text.strip():
            raise ValueError(f"{printable(file)} is empty") from None
        if line is None and error.msg == "Extra data" and _is_in_lines(text):
            said = "it has one JSON value per line: call it .ndjson, or give --format ndjson"
            raise ValueError(f"{printable(file)} is not JSON: {said}") from None
        place = f"line {(line or 1) + error.lineno - 1}, column {error.colno}"
        raise ValueError(f"{printable(file)} is not JSON: {error.msg} at {place}") from error
    except ValueError as error:
        place = f", line {line}" if line else ""
        raise ValueError(f"{printable(file)} is not readable JSON{place}: {error}") from error


def _is_in_lines(text: str) -> bool:
    """Return whether the first two lines of a text are JSON each."""
    try:
        return len([json.loads(line) for line in text.split("\n", 2)[:2]]) == 2
    except ValueError:
        return False


def parse_lines(text: str, file: object) -> Iterator[tuple[int, Any]]:
    """Yield the values of a text with one JSON value in each line, and the numbers of these lines."""
    above = file.rows_above if isinstance(file, InFile) else 0
    for number, line in enumerate(text.split("\n"), start=above + 1):
        if line.strip():
            yield number, parse_json(line, file, number)


def refuse_wide(file: InFile, columns: int) -> None:
    """Refuse a table of more columns than any schema has.

    Raises:
        ValueError: It is one.
    """
    if columns > MOST_COLUMNS:
        raise ValueError(
            f"{printable(file)} has {columns:,} columns: at most {MOST_COLUMNS:,} are read;"
            " does it begin with their names?"
        )


def damaged(file: object, what: str, error: Exception) -> ValueError:
    """Return the sentence for whatever a library raises of a file that it cannot read."""
    if isinstance(error, MemoryError):
        return ValueError(f"{printable(file)} needs more memory than there is")
    error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    said = shorten(next(iter(str(error).splitlines()), "") or type(error).__name__, 100)
    return ValueError(f"{printable(file)} is not a {what}, or a damaged one: {said}")


def _refuse_packed(file: object, data: bytes | bytearray) -> None:
    for mark, words in _PACKED:
        if data.startswith(mark):
            raise ValueError(f"{printable(file)} {words}")


def _refuse_endless(path: Path) -> None:
    """Refuse what is no file, or too large a one."""
    status = path.stat()
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        raise ValueError(f"{printable(path)} is a device, not a file")
    if status.st_size > LARGEST:
        raise _too_large(path, LARGEST)


def _is_pipe(path: Path) -> bool:
    return stat.S_ISFIFO(path.stat().st_mode)
