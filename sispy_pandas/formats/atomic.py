"""Files that appear when they are complete: a full disk, a lost connection or Ctrl-C leave the old one."""

from __future__ import annotations

import contextlib
import errno
import secrets
from typing import IO, TYPE_CHECKING

from sispy.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRIVATE = 0o600


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Give the path of a new file that takes the place of `path` when, and only when, all went well.

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
        beside.replace(path)


@contextlib.contextmanager
def replaced(path: Path, *, encoding: str = "utf-8", private: bool = False) -> Iterator[IO[str]]:
    """Open a text file that takes the place of `path` when, and only when, all went well."""
    with replacing(path, private=private) as beside, beside.open("w", encoding=encoding, newline="") as file:
        yield file


def refuse_unwritable(path: Path) -> None:
    """Raise what writing a file would raise, before the work is done that it shall tell of.

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
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
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
