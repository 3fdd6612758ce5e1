"""Files of others, opened within bounds: what is endless, packed, damaged or too large is named, not read.

The limits are far beyond honest files: a million rows are read. Whatever goes wrong is one ValueError that
begins with the file's name.
"""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

from sispy.text import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 2 << 30
"""Bytes of a file."""
LARGEST_STREAM = 512 << 20
"""Bytes of a pipe, whose size nobody knows before."""
LONGEST_LINE = 1 << 27
"""Bytes of a line of a table, and of a cell: ten times what the server's database stores in a row."""
MOST_COLUMNS = 4_096
MOST_CELLS = 1 << 26
"""Cells of a sheet: a million rows of 64 columns."""

_PACKED = (
    (b"\x1f\x8b", "is packed by gzip: unpack it first"),
    (b"\xfd7zXZ\0", "is packed by xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is packed by zstd: unpack it first"),
    (b"\xd0\xcf\x11\xe0", "is a document of an office program, not text: its name has to say so"),
    (b"PK\x03\x04", "is a workbook or another zip file, not text: its name has to say so"),
    (b"PAR1", "is a Parquet file, not text: its name has to say so"),
)


def read_bytes(path: Path, *, lines: bool = False, binary: bool = False) -> bytearray:
    """Read a file, or a pipe to its end.

    Args:
        path: Of the file.
        lines: It is a table of lines: one that does not end is no such file.
        binary: It is no text.

    Raises:
        ValueError: It is too large, a device, or not what its reader takes.
        OSError: It cannot be read.
    """
    refuse_endless(path)
    most = LARGEST_STREAM if is_pipe(path) else LARGEST
    found = bytearray()
    with path.open("rb") as file:
        while chunk := file.read(min(LONGEST_LINE, most + 1 - len(found))):
            if not found and not binary:
                _refuse_packed(path, chunk)
            found += chunk
            if len(found) > most:
                raise ValueError(f"{printable(path)} is too large: {most >> 20:,} MiB are read at most")
            if lines and len(chunk) == LONGEST_LINE and b"\n" not in chunk and b"\r" not in chunk:
                raise ValueError(f"{printable(path)} has a line without an end: is it a table?")
    return found


def read_text(path: Path) -> str:
    """Read a text file in UTF-8; see `read_bytes`.

    Raises:
        ValueError: It is in another encoding, too, or does not fit into memory.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except MemoryError as error:
        raise damaged(path, "text", error) from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{printable(path)} is not UTF-8 text: {error.reason} at {error.start:,}") from None


def parse_json(text: str, path: Path | str, line: int = 1) -> Any:
    """Decode the JSON text that begins in a line of a file.

    Raises:
        ValueError: It is none; the message names the place.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(f"{printable(path)} is nested too deeply to be read") from None
    except json.JSONDecodeError as error:
        place = f"line {line + error.lineno - 1}, column {error.colno}"
        raise ValueError(f"{printable(path)} is no JSON: {error.msg} at {place}") from error
    except ValueError as error:
        raise ValueError(f"{printable(path)} is no JSON that can be read, line {line}: {error}") from error


def parse_lines(text: str, path: Path) -> Iterator[Any]:
    """Yield the values of a text with one JSON value in each line."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield parse_json(line, path, number)


def refuse_endless(path: Path) -> None:
    """Refuse what is no file, or too large a one.

    Raises:
        ValueError: It is one of those.
        OSError: It is not there.
    """
    status = path.stat()
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        raise ValueError(f"{printable(path)} is a device, not a file")
    if status.st_size > LARGEST:
        raise ValueError(f"{printable(path)} is too large: {LARGEST >> 20:,} MiB are read at most")


def refuse_wide(path: Path, columns: int) -> None:
    """Refuse a table of more columns than any schema has.

    Raises:
        ValueError: It is one.
    """
    if columns > MOST_COLUMNS:
        raise ValueError(
            f"{printable(path)} has {columns:,} columns: at most {MOST_COLUMNS:,} are read;"
            " does it begin with their names?"
        )


def is_pipe(path: Path) -> bool:
    """Tell whether a file can be read only once."""
    return stat.S_ISFIFO(path.stat().st_mode)


def damaged(path: Path, what: str, error: Exception) -> ValueError:
    """Return the sentence for whatever a library raises of a file that it cannot read."""
    if isinstance(error, MemoryError):
        return ValueError(f"{printable(path)} needs more memory than there is")
    error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    said = shorten(next(iter(str(error).splitlines()), "") or type(error).__name__, 100)
    return ValueError(f"{printable(path)} is no {what}, or a damaged one: {said}")


def _refuse_packed(path: Path, data: bytes) -> None:
    for mark, words in _PACKED:
        if data.startswith(mark):
            raise ValueError(f"{printable(path)} {words}")
