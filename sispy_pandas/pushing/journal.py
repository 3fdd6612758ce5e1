"""The journal of a push: what is about to be written, on disk before the first byte is sent.

A journal is a text file of JSON lines with the rights 0600. Its first lines are the plan, as `plan_file`
writes it; then follow events, of which `record` makes what is known about a push. It holds no token. The
folder is `$SISPY_JOURNALS`, else `$XDG_STATE_HOME/sispy/pushes`, else `~/.local/state/sispy/pushes`. If its
group may write there it is a team's: journals have the rights 0660, and each undoes what another pushed.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sispy.errors import Error
from sispy.remedies import Argument, Call, Message
from sispy.text import printable

from .locks import try_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = 1 << 16
"""Bytes that are read at once to find the end of the last whole line."""

_SHORT = json.JSONEncoder(default=str, separators=(",", ":")).encode


def folder() -> Path:
    """Return the folder that journals are kept in."""
    own = os.environ.get("SISPY_JOURNALS")
    if own:
        return Path(own)
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "sispy" / "pushes"


def is_shared() -> bool:
    """Return whether the folder is a team's: its group may write there, on a system that has such groups."""
    try:
        return os.name == "posix" and bool(folder().stat().st_mode & stat.S_IWGRP)
    except OSError:
        return False


def is_mine(path: Path) -> bool:
    """Return whether the user of this process made a file."""
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()


def open_file(path: Path, flags: int) -> int:
    """Open a file of the folder of journals; a new one is for its owner alone, or for the team."""
    new = not path.exists()
    handle = os.open(path, flags, 0o600)
    if new and folder() in path.parents and is_shared():
        os.fchmod(handle, 0o660)  # whatever the umask says
    return handle


def new_name() -> str:
    """Return a few random letters, by which people call a push."""
    return secrets.token_hex(3)


def new_path(schema: str, name: str | None = None, *, part: int = 0) -> Path:
    """Return a path for a new journal in the folder: time, schema, name; `part`: of a push in several."""
    now = datetime.now(UTC)
    stamp = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z"  # names sort by time
    which = f"{part:03}-" if part else ""
    return folder() / f"{stamp}-{which}{schema}-{name or new_name()}.jsonl"


def short(path: Path) -> str:
    """Return the letters at the end of a journal's name: enough to name it."""
    return path.stem.rpartition("-")[2]


def called(path: Path) -> str:
    """Return what commands know a journal by: its letters if it is in the folder."""
    return short(path) if path.parent == folder() else str(path)


def resuming(path: Path, does: str) -> Call:
    """Return the remedy of going on with the push of a journal."""
    return Call(f"sp.resume({str(path)!r}).push()", does, ("resume", called(path)))


def undoing(path: Path, does: str) -> Call:
    """Return the remedy of taking back the push of a journal."""
    return Call(f"sp.undo({str(path)!r})", does, ("undo", called(path)))


def fate_unknown(why: str = "") -> Message:
    """Return what there is to say of a row that was sent and of which nobody heard."""
    return Message(
        f"sent, but whether it arrived is not known{why}", Call("sp.resume", "finds out", ("resume",))
    )


class Journal:
    """A journal that is open for writing, and locked against every other writer.

    Raises:
        ValueError: Another process writes to it, or it is not a regular file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path: Path = Path(path)
        refuse_device(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file: IO[bytes] = os.fdopen(open_file(self.path, os.O_RDWR | os.O_CREAT), "r+b")
        ready = False
        try:
            if try_lock(self._file.fileno()) or _locked_soon(self._file.fileno()):
                _cut_torn_line(self._file)
                ready = True
        finally:
            if not ready:  # Ctrl-C, too: a notebook keeps what is not closed
                self._file.close()
        if not ready:
            raise ValueError(f"another push is writing to {self.path}")
        self._done: list[list[Any]] = []

    def lines(self, lines: Iterable[str]) -> None:
        """Begin with the lines of a plan, in place of those of a push that was killed before it began.

        Raises:
            ValueError: A push has begun here.
        """
        self._file.seek(0)
        if any(line.startswith(b'{"event"') for line in self._file):
            raise ValueError(f"{self.path} is the journal of another push")
        self._file.seek(0)
        self._file.truncate()
        self._file.writelines(f"{line}\n".encode() for line in lines)

    def event(self, name: str, **content: Any) -> None:
        """Append an event with the time of this moment, in ms."""
        self._put_done()
        self._put(name, content)

    def done(self, row: Any, receipt: int | None, new_id: str | None) -> None:
        """Note a row that was written just as its last request said; such rows share one event."""
        self._done.append([row, receipt] if new_id is None else [row, receipt, new_id])

    def _put_done(self) -> None:
        if self._done:
            rows, self._done = self._done, []  # first: closing after Ctrl-C must not write them again
            self._put("done", {"rows": rows})

    def _put(self, name: str, content: dict[str, Any]) -> None:
        line = _SHORT({"event": name, "at": int(time.time() * 1000), **content})
        self._file.write(line.encode() + b"\n")

    def keep(self) -> None:
        """Return when everything appended so far is on disk."""
        self._put_done()
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Keep everything, and let others write."""
        if not self._file.closed:
            try:
                self.keep()
            finally:
                self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with contextlib.nullcontext() if kind is None else contextlib.suppress(OSError):
            self.close()  # what has gone wrong before says more than that this does, too


def refuse_device(path: Path) -> None:
    """Raise unless a journal can be kept in what is at `path`; nothing of it is read.

    Raises:
        ValueError: It is not a regular file: a folder, a pipe, a device.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"{printable(path)} is not a journal of a push: it is not a regular file")


def _cut_torn_line(file: IO[bytes]) -> None:
    """Remove what a crash left of a line, and stand at the end."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - BLOCK)
        file.seek(start)
        torn = end - start - 1 - file.read(end - start).rfind(b"\n")
        end -= torn
        if end > start:
            break
    file.truncate(end)
    file.seek(end)


def _locked_soon(handle: int) -> bool:
    """Lock a file that `in_use` may just be looking at."""
    time.sleep(0.05)
    return try_lock(handle)


def in_use(path: Path) -> bool:
    """Return whether a push is writing to a journal at this moment."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return not try_lock(handle)
    finally:
        os.close(handle)


class Nowhere:
    """The journal of a push that keeps none."""

    path: Path | None = None

    def lines(self, lines: Iterable[str]) -> None:
        """Do nothing."""

    def event(self, name: str, **content: Any) -> None:
        """Do nothing."""

    def done(self, row: Any, receipt: int | None, new_id: str | None) -> None:
        """Do nothing."""

    def keep(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Nowhere:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


@contextlib.contextmanager
def unsent(path: Path | None) -> Iterator[None]:
    """Say of a journal that cannot be begun that nothing was sent, and how another place is named.

    Raises:
        ValueError: It cannot be written.
    """
    try:
        yield
    except Error:
        raise  # of the server: some are OSErrors as well
    except OSError as error:
        cannot = f"cannot be written ({error.strerror})"
        told = f"nothing was sent: {printable(path)}, the journal of the push, {cannot}"
        if path is not None and path.parent == folder():
            raise ValueError(f"{told}; SISPY_JOURNALS names another folder") from error
        raise ValueError(Message(told, Argument("journal", "names another file"))) from error


@contextlib.contextmanager
def opened(path: str | Path | None) -> Iterator[Journal | Nowhere]:
    """Yield the journal at `path`, or one that keeps nothing."""
    with Journal(path) if path is not None else Nowhere() as journal:
        yield journal
