"""Files that appear when they are complete: a full disk, a lost connection or Ctrl-C leave the old one.

What is written to an open file, or to standard output, goes there as it comes.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import gzip
import io
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sispy.errors import Error
from sispy.remedies import Argument, Message
from sispy.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRIVATE = 0o600
_AROUND = 12
"""Characters beside half a one that tell where it is."""
PACKED = ".gz"
"""What the name of a file ends in that gzip shall pack."""


@dataclass(frozen=True, slots=True)
class OutFile:
    """A file to be written: by its path, or one that is open already; `str` names it in messages."""

    name: str
    path: Path | None = None
    opened: Any = None
    """The open file, where there is no path."""

    @classmethod
    def of(cls, target: str | os.PathLike[str] | IO[Any] | OutFile) -> OutFile:
        """Return the file of a path, or of an open file.

        Raises:
            TypeError: It is neither.
        """
        if isinstance(target, OutFile):
            return target
        if isinstance(target, str | os.PathLike):
            return cls(str(target), Path(target))
        if not hasattr(target, "write"):
            raise TypeError(f"a file is a path or an open file, got {type(target).__name__}")
        name = "standard output" if target is sys.stdout else getattr(target, "name", None)
        return cls(name if isinstance(name, str) else f"the {type(target).__name__}", None, target)

    def __str__(self) -> str:
        return self.name

    @contextlib.contextmanager
    def binary(self) -> Iterator[IO[bytes]]:
        """Open the file for bytes.

        Raises:
            TypeError: It is open, and for text alone.
            OSError: It cannot be written; the error names it.
        """
        if self.path is not None:
            with _whole_characters(self), replacing(self.path) as beside, beside.open("wb") as file:
                yield file
        elif not _is_text(self.opened):
            with _whole_characters(self), self._named():
                yield self.opened
        elif hasattr(self.opened, "buffer"):
            with self._named():
                self.opened.flush()
                yield self.opened.buffer
        else:
            raise TypeError(f"{self.name} takes text alone: open it for bytes, in mode 'wb'")

    @contextlib.contextmanager
    def text(self, encoding: str = "utf-8") -> Iterator[IO[str]]:
        """Open the file for text; what is called `.gz` is packed.

        Raises:
            OSError: It cannot be written; the error names it.
        """
        if self.path is None and _is_text(self.opened):
            with self._named():
                self.opened.write(codecs.BOM_UTF8.decode() if encoding.endswith("sig") else "")
                yield self.opened
        elif self.path is not None and self.path.suffix.lower() != PACKED:
            with _whole_characters(self), replaced(self.path, encoding=encoding) as plain:
                yield plain
        else:
            with (
                _whole_characters(self),
                self.binary() as file,
                _layers(file, encoding, packed=self.path is not None) as text,
            ):
                yield text

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Name the open file in what its writing raises, also of what is still to be written at the end."""
        try:
            yield
            if hasattr(self.opened, "flush"):
                self.opened.flush()
        except Error:
            raise  # of the server: some are OSErrors as well
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), self.name) from error


@contextlib.contextmanager
def _whole_characters(file: OutFile) -> Iterator[None]:
    """Name the text with half a character (a lone surrogate), which a server may hold and UTF-8 cannot."""
    try:
        yield
    except UnicodeEncodeError as error:
        around = error.object[max(0, error.start - _AROUND) : error.end + _AROUND]
        text = f"{printable(file)}: {around!r} holds half a character, which no text in UTF-8 can"
        raise ValueError(
            Message(f"{text}: export as NDJSON", Argument("fields", "leaves the column out"))
        ) from None


@contextlib.contextmanager
def _layers(file: IO[bytes], encoding: str, *, packed: bool) -> Iterator[IO[str]]:
    """Open an open file for text, and leave it open; packed files of the same content are the same bytes."""
    below = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if packed else contextlib.nullcontext(file)
    with below as binary:
        text = io.TextIOWrapper(binary, encoding=encoding, newline="")
        try:
            yield text
            text.flush()
        finally:
            text.detach()


def _is_text(file: Any) -> bool:
    return isinstance(file, io.TextIOBase) or "b" not in getattr(file, "mode", "b")


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield the path of a new file that takes the place of `path` when, and only when, all went well.

    Args:
        path: Of the file; it keeps the permissions of one that is there.
        private: Only its owner may read it, whatever was there.

    Raises:
        FileNotFoundError: There is no such folder.
        OSError: It cannot be written; the error names `path`.
    """
    with _beside(path) as beside:
        if private:
            beside.chmod(_PRIVATE)
        yield beside
        if path.exists() and not private:
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path.resolve())  # a link stays one


@contextlib.contextmanager
def replaced(path: Path, *, encoding: str = "utf-8", private: bool = False) -> Iterator[IO[str]]:
    """Open a text file that takes the place of `path` when, and only when, all went well."""
    with replacing(path, private=private) as beside, beside.open("w", encoding=encoding, newline="") as file:
        yield file


def refuse_unwritable(path: Path) -> None:
    """Raise what writing a file would raise, before any work is done for it.

    Raises:
        FileNotFoundError: There is no such folder.
        OSError: It cannot be written; the error names `path`.
    """
    with _beside(path):
        pass


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path.parent))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if path.exists() and not path.is_file():  # such as /dev/null: a file would take its place
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    real = path.resolve()
    beside = real.with_name(f".{real.name}.{secrets.token_hex(4)}.part")
    try:
        beside.touch(exist_ok=False)  # what cannot be written is found out before the work
        yield beside
    except Error:
        raise  # of the server: some are OSErrors as well
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        with contextlib.suppress(OSError):  # of a folder that cannot be written there is nothing to remove
            beside.unlink(missing_ok=True)
