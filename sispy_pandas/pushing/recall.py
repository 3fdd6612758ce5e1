"""Notes in the folder of journals: which journals have to do with what, and what was tried last."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from sispy.text import printable

from .journal import Record, folder, read

if TYPE_CHECKING:
    from collections.abc import Iterable


def note_attempt(what: str, at: int) -> None:
    """Note that something was about to be pushed, in ms; whatever came of it, a journal may not tell."""
    path = folder() / "attempt"
    with contextlib.suppress(OSError):  # it decides nothing but whether `undo` asks
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(json.dumps({"at": at, "what": what}))


def last_attempt() -> tuple[int, str]:
    """Return when something was about to be pushed last, and what; 0 if that is not known."""
    try:
        found = json.loads((folder() / "attempt").read_bytes())
        return int(found["at"]), str(found["what"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0, ""


def remember(kind: str, what: object, path: Path) -> None:
    """Note that a journal has to do with something, for `recalled`; also of a journal kept elsewhere."""
    index = _index(kind, what)
    index.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(index, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, json.dumps(str(path.absolute())).encode() + b"\n")
    finally:
        os.close(handle)


def recalled(kind: str, what: object) -> list[Record]:
    """Return the journals that have to do with something, the oldest first, without what is none any more."""
    return [found for found in _recalled(kind, what) if isinstance(found, Record)]


def lost(kind: str, what: object) -> list[str]:
    """Return why journals that have to do with something cannot be read any more; of each a sentence."""
    return [found for found in _recalled(kind, what) if isinstance(found, str)]


def _recalled(kind: str, what: object) -> Iterable[Record | str]:
    try:
        lines = _index(kind, what).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found: dict[str, Record | str] = {}
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            name = str(Path(json.loads(line)))
            found[name] = _read_or_why(name)
    return found.values()


def _read_or_why(name: str) -> Record | str:
    try:
        return read(name)
    except OSError as error:
        return f"{printable(name)} cannot be read ({error.strerror})"
    except ValueError as error:
        return str(error)


def _index(kind: str, what: object) -> Path:
    text = json.dumps([kind, what], sort_keys=True, default=str)
    return folder() / "index" / hashlib.sha256(text.encode()).hexdigest()[:32]
