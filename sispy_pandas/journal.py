"""The journal of a push: what is about to be written, on disk before the first byte is sent.

A journal is a text file of JSON lines with the rights 0600. Its first lines are the plan, as `plan_file`
writes it; then follow events. It holds no token. The folder is `$SISPY_JOURNALS`, else
`$XDG_STATE_HOME/sispy/pushes`, else `~/.local/state/sispy/pushes`.

| event | says |
|---|---|
| `begin` | who pushes, when, with which options; `resume` the same of a later push that goes on |
| `user` | whose the token is, where only the server's first answer tells |
| `send` | rows are about to be sent, with what the guard read (cells, `_updated_at`); their fate is open |
| `row` | the outcome of a row: its fate is known |
| `conflict` | a cell that was not written, with base, mine and theirs |
| `end` | the push ended; with `stopped` it ended early |
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment] # looked at before use


def folder() -> Path:
    """Return the folder that journals are kept in."""
    own = os.environ.get("SISPY_JOURNALS")
    if own:
        return Path(own)
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "sispy" / "pushes"


def new_path(schema: str) -> Path:
    """Return a path for a new journal in the folder: time, schema and a few random letters."""
    now = datetime.now(UTC)
    stamp = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z"  # names sort by time
    return folder() / f"{stamp}-{schema}-{secrets.token_hex(3)}.jsonl"


class Journal:
    """A journal that is open for writing, and locked against every other writer.

    Raises:
        ValueError: Another process writes to it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file: IO[bytes] = os.fdopen(handle, "r+b")
        try:
            _lock(self._file, self.path)
        except ValueError:
            self._file.close()
            raise
        _cut_torn_line(self._file)

    def lines(self, lines: Iterable[str]) -> None:
        """Append lines of a plan."""
        self._file.writelines(f"{line}\n".encode() for line in lines)

    def event(self, name: str, **content: Any) -> None:
        """Append an event with the time of this moment, in ms."""
        line = json.dumps(
            {"event": name, "at": int(time.time() * 1000), **content}, ensure_ascii=True, default=str
        )
        self._file.write(line.encode() + b"\n")

    def keep(self) -> None:
        """Return when everything appended so far is on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Keep everything, and let others write."""
        if not self._file.closed:
            self.keep()
            self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Entry:
    """What a journal says about one row so far."""

    word: str | None = None
    """Its outcome; None: it was sent and its fate is open."""
    id: str | None = None
    action: str = ""
    written: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Path -> (before, after) of all cells that were written, by any push of this journal."""
    pending: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """The same of cells that were sent and whose fate is open."""
    receipt: int | None = None
    read: int | None = None
    """`_sis._updated_at` of the state that the guard read before the row was written, in ms."""
    sent_at: int = 0
    """When it was sent last, in ms."""
    since: int = 0
    """Of a new row without a unique value: the time from which on rows were looked at before it was sent."""
    known: frozenset[str] = frozenset()
    """And the `_id`s of those rows."""
    sender: str | None = None
    """Who sent it last."""


@dataclass(frozen=True)
class Record:
    """A journal that was read."""

    path: Path
    plan: tuple[str, ...]
    """The lines of the plan."""
    begin: Mapping[str, Any]
    entries: Mapping[Any, Entry]
    """By row: `_id`, or `Create.row`."""
    ended: bool
    """Whether the last push of this journal came to its end."""
    stopped: str | None


def read(file: str | Path) -> Record:
    """Read a journal, also one whose last line was cut off by a crash.

    Raises:
        ValueError: The file is no journal.
    """
    file = Path(file)
    plan: list[str] = []
    begin: dict[str, Any] = {}
    entries: dict[Any, Entry] = {}
    last: dict[str, Any] = {}
    user: str | None = None
    for line in _lines(file):
        try:
            found = json.loads(line)
        except ValueError:
            raise ValueError(f"{file} is no journal of a push: {line[:60]!r}") from None
        name = found.get("event")
        if name is None:
            plan.append(line)
            continue
        last = found
        if name in ("begin", "resume", "user"):
            user = found.get("user")
        if name == "begin":
            begin = found
        elif name == "user":
            begin = {**begin, "user": begin.get("user") or user}
        elif name == "send":
            for row, cells, *read in found["rows"]:
                old = entries.get(row, Entry())
                pending = {path: (before, after) for path, (before, after) in cells.items()}
                marks = (
                    read[0] if read else None,
                    found["at"],
                    found.get("since", 0),
                    frozenset(found.get("known", ())),
                    user,
                )
                entries[row] = Entry(None, old.id, found["action"], old.written, pending, None, *marks)
        elif name == "row":
            old = entries.get(found["row"], Entry())
            written = dict(old.written)
            for path, (before, after) in found["written"].items():
                written[path] = (written[path][0] if path in written else before, after)
            entries[found["row"]] = Entry(
                found["outcome"],
                found["id"] or old.id,
                found["action"],
                written,
                {},
                found["receipt"],
                found.get("read", old.read),
                found["at"],
            )
    if not begin:
        raise ValueError(f"{file} is no journal of a push: it never began")
    return Record(file, tuple(plan), begin, entries, last.get("event") == "end", last.get("stopped"))


def _lines(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line[:-1].decode()


def _cut_torn_line(file: IO[bytes]) -> None:
    """Remove what a crash left of a line, and stand at the end."""
    content = file.read()
    end = content.rfind(b"\n") + 1
    file.truncate(end)
    file.seek(end)


def _lock(file: IO[bytes], path: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ValueError(f"another push is writing to {path}") from None


class Nowhere:
    """The journal of a push that keeps none."""

    path: Path | None = None

    def lines(self, lines: Iterable[str]) -> None:
        """Do nothing."""

    def event(self, name: str, **content: Any) -> None:
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
def opened(path: str | Path | None) -> Iterator[Journal | Nowhere]:
    """Give the journal at `path`, or one that keeps nothing."""
    with Journal(path) if path is not None else Nowhere() as journal:
        yield journal
