"""Two pushes to one table from this machine take turns: the later one waits, whoever they are.

A turn is a file that is locked, of all users of the machine: in `/tmp`, or where `SISPY_LOCKS` says. The
system frees the lock when its owner ends, however it ends. The file says whose push it is and how far it got.
Anybody may write to it, so what it says is shown, and nothing depends on it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..planning.change_set import PlanRefused
from ..values.blocks import count, show
from ..values.progress import show_all
from ..values.times import clock
from ..values.types.frozen import decode_json
from .locks import try_lock, unlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..values.progress import Bar
    from .run import Run

POLL = 0.1
"""Seconds between two looks whether the turn has come."""
TELL = 5.0
"""Seconds between two words to somebody who waits."""
WRITE = 1.0
"""Seconds between two words about the progress of a push."""
SIZE = 4096
"""Bytes of the file."""


class TableInUse(PlanRefused):
    """Another push from this machine writes to the table, and this one was not to wait; nothing was sent.

    Example:
        >>> try:
        ...     report = live.diff(live.frame().head(1)).push(progress=False, wait=False)
        ... except TableInUse as busy:
        ...     print(busy)  # whose push it is, since when, and how far
    """


class _Told:
    """The bar of a push whose progress those who wait for it learn now and then, too."""

    def __init__(self, shown: Bar, handle: int, says: dict[str, Any]) -> None:
        self._shown, self._handle, self._says = shown, handle, says
        self._next = 0.0
        self._write()

    @property
    def total(self) -> float | None:
        return self._shown.total

    @total.setter
    def total(self, value: float | None) -> None:
        self._shown.total = value

    def update(self, n: int = 1) -> None:
        self._shown.update(n)
        self._says["done"] += n
        if time.monotonic() >= self._next:
            self._write()

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        self._shown.set_postfix_str(s, refresh)

    def refresh(self) -> None:
        show_all(self._shown)

    def _write(self) -> None:
        self._next = time.monotonic() + WRITE
        with suppress(OSError):  # a full disk, or another user's file: the push depends on nothing of it
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.write(self._handle, json.dumps(self._says).encode().ljust(SIZE))


@contextmanager
def turn(run: Run, note: str | None, *, wait: bool, tell: Callable[[str], object]) -> Iterator[Bar]:
    """Take the turn of a push to write to its table, once no other push of this machine has it.

    Args:
        run: The push; while it waits it can be cancelled.
        note: Its note, for those who wait.
        wait: Wait for it.
        tell: Is told whose push it waits for, and how far that is.

    Yields:
        The bar that the push reports to from now on.

    Raises:
        TableInUse: Another push has the turn, and this one shall not wait.
        Stopped: It was cancelled.
        ValueError: The file cannot be used.
    """
    path = path_of(run.endpoint.client.url, run.schema.name)
    next_word, handle = 0.0, None
    try:
        while (handle := _taken(path)) is None:
            if not wait:
                raise TableInUse(f"{run.schema.name} is in use by {_holder(path)}", run.plan)
            if time.monotonic() >= next_word:
                next_word = time.monotonic() + TELL
                tell(f"waiting for {_holder(path)}")
            run.server.waits.sleep(POLL)
        if next_word:
            tell("")
        says = {"user": run.user or getuser(), "pid": os.getpid(), "at": int(time.time() * 1000)}
        yield _Told(run.bar, handle, {**says, "note": note and note[:200], "rows": len(run.plan), "done": 0})
    finally:
        if handle is not None:
            _free(handle, path)


def path_of(url: str, schema: str) -> Path:
    """Return the file by which the pushes to a table take turns."""
    shared = "/tmp"  # noqa: S108 - `_opened` is careful; the variable TMPDIR may be each user's own
    folder = os.environ.get("SISPY_LOCKS") or (
        shared if os.access(shared, os.W_OK) else tempfile.gettempdir()
    )
    name = hashlib.sha256(f"{url}\n{schema}".encode()).hexdigest()[:16]
    return Path(folder) / f"sispy-{name}.lock"


def _taken(path: Path) -> int | None:
    """Return the locked file; None if another push has it."""
    try:
        handle = _opened(path)
    except OSError as error:
        raise ValueError(
            f"nothing was sent: {path}, by which pushes take turns, cannot be used ({error.strerror}); "
            "SISPY_LOCKS names a folder that everybody who pushes from this machine may write to"
        ) from error
    if handle is None:
        return None
    taken = False
    try:
        taken = try_lock(handle) and _is_at(handle, path)
    finally:
        if not taken:  # Ctrl-C, too: the next push from here must not wait for this one
            os.close(handle)
    return handle if taken else None


def _free(handle: int, path: Path) -> None:
    """Give the turn to who waits for it, also where Ctrl-C comes in the middle."""
    try:
        with suppress(OSError):  # in a folder like /tmp only its owner can remove it
            path.unlink()
    finally:
        try:
            unlock(handle)  # a process that was forked meanwhile holds it open, too
        finally:
            os.close(handle)


def _opened(path: Path) -> int | None:
    """Open the file, or make it; None: try again, it is just being made or removed.

    The folder may be `/tmp`: what others put there is not followed, waited for, or written to unless it is a
    file of this name alone.
    """
    flags = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOINHERIT"))
    try:
        handle = os.open(path, os.O_RDWR | flags)  # without O_CREAT: Linux forbids that for others' files
    except FileNotFoundError:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, 0o666)
        except FileExistsError:
            return None
        if os.name == "posix":
            os.fchmod(handle, 0o666)  # whatever the umask says
    except PermissionError:
        if time.time() - path.lstat().st_mtime < 1:
            return None
        raise
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or found.st_size > SIZE:
        os.close(handle)
        raise OSError(errno.EPERM, "it is not a lock of sispy's")
    return handle


def _is_at(handle: int, path: Path) -> bool:
    """Return whether the file is still there: its last owner may have removed it before it was locked."""
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(handle), there)


def _holder(path: Path) -> str:
    """Return in words whose push it is and how far, as far as the file says."""
    try:
        found = decode_json(path.read_bytes()[:SIZE])
        user, pid, done, rows = found["user"], int(found["pid"]), int(found["done"]), int(found["rows"])
        note = f", {show(str(found['note']))}" if found["note"] else ""
        since = clock(int(found["at"]))
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return "another push from this machine"
    return f"the push of {show(str(user))} (pid {pid}, since {since}{note}): {done:,} of {count(rows, 'row')}"
