"""Notes in the folder of journals: which journals have to do with what, and what was tried last."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sispy.encoding import one_address
from sispy.text import printable

from ..formats.atomic import replaced
from ..values.types.frozen import decode_json
from .journal import folder, is_shared, open_file
from .locks import try_lock
from .record import Record, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sispy.client import Client


PARTS = "parts to"
"""Kind of a note: journals of parts of a push to a table that was begun without all of its parts."""
ALL_PARTS = "all parts to"
"""The same of pushes that had all their parts."""
SAME = "parts of"
"""Kind of a note: first parts of pushes of one change, which can be made again row for row."""


def note_attempt(server: str, what: str, at: int) -> None:
    """Note that something was about to be pushed; whatever came of it, a journal may not tell.

    Args:
        server: Its address; empty: it is not known which.
        what: Was about to be pushed.
        at: When, in ms.
    """
    with contextlib.suppress(OSError):  # it decides nothing but whether `undo` asks
        path = _attempts()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        known = {one: [when, what] for one, (when, what) in _read_attempts().items()}
        with replaced(path, private=True) as file:
            json.dump({**known, one_address(server): [at, what]}, file)


def last_attempt(server: str) -> tuple[int, str]:
    """Return when something was about to be pushed last to a server, and what; 0 if that is not known.

    What may have been meant for that server counts, too; without an address that is everything.
    """
    meant = (
        attempt for to, attempt in _read_attempts().items() if to in ("", one_address(server)) or not server
    )
    return max(meant, default=(0, ""))


def _read_attempts() -> dict[str, tuple[int, str]]:
    """Return the last attempt of each server."""
    try:
        found = decode_json(_attempts().read_bytes())
        return {str(server): (int(at), str(what)) for server, (at, what) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError):
        return {}


def _attempts() -> Path:
    """Return the file of one's own attempts: a team's folder has one for each."""
    return folder() / (f"attempts-{getuser()}" if is_shared() else "attempts")


def note_made(client: Client, schema: Mapping[str, Any], path: Path) -> None:
    """Note that the push with this journal is the first one to a table that was made for it.

    Args:
        client: Of its server.
        schema: The table's own document.
        path: The journal.
    """
    remember("first rows of", _table(client, schema), path)


def has_made(client: Client, schema: Mapping[str, Any], path: Path) -> bool:
    """Return whether a table was made for the push with this journal, and is still that one."""
    records = recalled("first rows of", _table(client, schema))
    return any(record.path.absolute() == path.absolute() for record in records)


def _table(client: Client, schema: Mapping[str, Any]) -> list[Any]:
    return [client.url, schema["name"], schema.get("_sis", {}).get("_created_at")]


def remember(kind: str, what: object, path: Path) -> None:
    """Note that a journal has to do with something, for `recalled`; also of a journal kept elsewhere."""
    index = _index(kind, what)
    if not index.parent.exists():
        index.parent.mkdir(parents=True, mode=0o700)
        if is_shared():
            index.parent.chmod(0o2770)
    handle = open_file(index, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(handle, json.dumps(str(path.absolute())).encode() + b"\n")
    finally:
        os.close(handle)


def recalled(kind: str, what: object) -> list[Record]:
    """Return the readable journals that have to do with something, the oldest first."""
    return [found for found in _recalled(kind, what) if isinstance(found, Record)]


def noted(kind: str, what: object) -> list[Path]:
    """Return the journals that were noted as having to do with something, in their order; none is read."""
    try:
        lines = _index(kind, what).read_bytes().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    found: dict[Path, None] = {}
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            found[Path(decode_json(line))] = None
    return list(found)


@contextlib.contextmanager
def alone(what: str | None) -> Iterator[bool]:
    """Yield whether nobody else works on something; whoever asks meanwhile learns that somebody does."""
    if what is None:
        yield False
        return
    path = _index("under way", what)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = open_file(path, os.O_RDWR | os.O_CREAT)
    try:
        yield try_lock(handle)
    finally:
        os.close(handle)


def lost(kind: str, what: object) -> list[str]:
    """Return why journals that have to do with something cannot be read any more; of each a sentence."""
    return [found for found in _recalled(kind, what) if isinstance(found, str)]


def _recalled(kind: str, what: object) -> Iterable[Record | str]:
    return (_read_or_why(str(path)) for path in noted(kind, what))


def _read_or_why(name: str) -> Record | str:
    try:
        return read(name)
    except OSError as error:
        return f"{printable(name)} cannot be read ({error.strerror})"
    except ValueError as error:
        return str(error)


def _index(kind: str, what: object) -> Path:
    text = json.dumps([kind, what], default=str)
    return folder() / "index" / hashlib.sha256(text.encode()).hexdigest()[:32]
