"""Edits that were not pushed, on disk: a restarted kernel or a cell that ran again does not lose them.

A draft is a plan file (`plan_file`) beside the journals of pushes, for its owner alone: the edits of one
editor, with refused input as problems. It goes when the editor holds no edit any more, and a month after the
last one.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..formats.atomic import replaced
from ..planning.change_set import ChangeSet, Origin
from ..planning.plan_file import head_of, lines, parse
from ..planning.rebase import seen_with
from ..pushing.journal import folder, is_mine, new_path
from ..values.blocks import count, show_apart
from ..values.changes import Create, Delete, Problem, Update, row_of
from ..values.records import DELETE, receipts_of
from ..values.schema import RECEIPT
from ..values.types.convert import check
from ..values.types.equality import equal
from .cells import Edit
from .grid_model import NEW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sispy.client import Endpoint

    from ..values.changes import Change
    from ..values.schema import Schema
    from .grid_model import GridModel

KEPT = timedelta(days=30)
"""How long a draft is kept that nobody takes up."""
_PAUSE = 1.0
"""Seconds from an edit until it is on disk, at least; ten times as long as the last writing took."""
_ENDING = ".draft"
_waiting: set[Autosave] = set()
"""Whose edits are not on disk yet."""


@dataclass(frozen=True)
class Draft:
    """Edits that an editor of a table left behind."""

    path: Path
    at: datetime
    counts: dict[str, int]
    """As `ChangeSet.counts`."""

    def __str__(self) -> str:
        deleted = self.counts.get("deletes", 0)
        what = [
            count(self.counts[word], noun)
            for word, noun in (("cells", "cell"), ("creates", "new row"))
            if self.counts.get(word)
        ] + ([f"{count(deleted, 'row')} to delete"] if deleted else [])
        return f"{', '.join(what)}, edited {_age(datetime.now(UTC) - self.at)} ago"

    def read(self, endpoint: Endpoint) -> ChangeSet:
        """Return the edits as a plan.

        Raises:
            ValueError: The file was altered, or a field is another now.
            OSError: It cannot be read.
            sispy.Error: The schema could not be read.
        """
        text = self.path.read_text("utf-8").split("\n")  # a cell may hold other ends of lines
        return parse(text, lambda _: endpoint.client, where=self.path.name)

    def discard(self) -> None:
        """Remove the draft."""
        self.path.unlink(missing_ok=True)


def drafts_of(endpoint: Endpoint, schema: Schema) -> list[Draft]:
    """Return the drafts of this user for a table, the newest first; old ones of any table are removed.

    What other editors of this process have not written yet is among them.
    """
    write_waiting()
    found = []
    with contextlib.suppress(OSError):  # there is no folder, or it cannot be read: then there are no drafts
        for path in folder().glob(f"*{_ENDING}"):
            with contextlib.suppress(OSError, ValueError):
                if (draft := _draft(path, endpoint, schema)) is not None:
                    found.append(draft)
    return sorted(found, key=lambda draft: draft.at, reverse=True)


def _draft(path: Path, endpoint: Endpoint, schema: Schema) -> Draft | None:
    if not is_mine(path):
        return None
    if time.time() - path.stat().st_mtime > KEPT.total_seconds():
        path.unlink(missing_ok=True)
        return None
    with path.open(encoding="utf-8") as file:
        head = head_of(file)
    made = head.get("made", {})
    told = head.get("server"), head.get("schema"), made.get("author")
    if told != (endpoint.client.url, schema.name, endpoint.client.username):
        return None
    return Draft(path, datetime.fromisoformat(made["at"]), head["counts"])


def edits_of(model: GridModel, endpoint: Endpoint) -> ChangeSet:
    """Return the edits of a grid as a plan: refused input is in it, too, each with its problem."""
    changes: list[Change] = []
    problems = []
    name = model.schema.key or ""
    for row, edits in sorted(model.edits.items()):
        id_ = row if model.is_new(row) else str(model.base.index[row])
        paths = [path for path in edits if path not in (NEW, DELETE)]
        key = model.value(row, name) if name in model.base.columns else None
        after = {path: edits[path].value for path in paths}
        if DELETE in edits:
            seen = {path: note.base for path, note in model.conflicts(row).items()}
            changes.append(seen_with(Delete(str(id_), key=key, receipt=_receipt(model, row)), seen))
            continue
        if NEW in edits:
            changes.append(Create(row, after, key))
        else:
            now = {path: model.before(row, path) for path in paths}
            seen = {path: note.base for path, note in model.conflicts(row).items() if path in now}
            changes.append(Update(str(id_), now | seen, after, key))
        problems += [
            Problem(id_, edits[path].reason or "", path, edits[path].value, key)
            for path in paths
            if edits[path].reason is not None
        ]
    at = datetime.now(UTC).isoformat(timespec="seconds")
    origin = Origin(author=endpoint.client.username, at=at)
    return ChangeSet(endpoint, model.schema, tuple(changes), tuple(problems), origin=origin)


class Autosave:
    """Keep the edits of an editor on disk, some time after each change; without edits there is no file.

    Args:
        edits: Returns what is edited now; it is called in a thread.
        say: Called with what goes wrong, in words.
    """

    def __init__(self, edits: Callable[[], ChangeSet], say: Callable[[str], None]) -> None:
        self._edits = edits
        self._say = say
        self._path: Path | None = None
        self._pause = _PAUSE
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()  # of what is written the newest stays

    def soon(self) -> None:
        """Write before long what is edited now."""
        if self._timer is None:
            _waiting.add(self)
            self._timer = threading.Timer(self._pause, self.now)
            self._timer.daemon = True
            self._timer.name = "sispy-draft"
            self._timer.start()

    def now(self) -> None:
        """Write what is edited now, or remove the file if nothing is."""
        start = time.monotonic()
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
            _waiting.discard(self)
            edits = self._edits()
            try:
                self._write(edits)
            except OSError as error:
                self._say(f"Edits are not kept on disk: {error}")
        self._pause = max(_PAUSE, 10 * (time.monotonic() - start))

    def _write(self, edits: ChangeSet) -> None:
        if not len(edits):
            if self._path is not None:
                self._path.unlink(missing_ok=True)
            return
        if self._path is None:
            folder().mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path = new_path(edits.schema.name).with_suffix(_ENDING)
        with replaced(self._path, private=True) as file:
            file.write("\n".join([*lines(edits), ""]))


@atexit.register
def write_waiting() -> None:
    """Write at once what waits to be written: a cell runs again, or the kernel ends."""
    for one in list(_waiting):
        one.now()


def put_back(model: GridModel, draft: ChangeSet) -> list[str]:
    """Edit a grid as a draft says, as one step of undo, where the rows are as they were when it was made.

    What was typed into the grid since then stays.

    Returns:
        What is left out, in a sentence each; not cells that hold the draft's value by now.
    """
    reasons = {(problem.row, problem.column): problem.reason for problem in draft.problem_list}
    rows = {id_: row for row, id_ in enumerate(model.base.index)}
    edits: dict[int, dict[str, Edit]] = {}
    new: list[dict[str, Edit]] = []
    left = []

    def place(change: Change) -> Any:
        return change.row if isinstance(change, Create) else rows.get(change.id, len(rows))

    for change in sorted(draft.changes, key=place):
        name = str(change.key or row_of(change))
        values = change.values if isinstance(change, Create) else getattr(change, "after", {})
        known = {path: value for path, value in values.items() if path in model.base.columns}
        left += [f"{name}, {path}: the column is not shown" for path in values if path not in known]
        after = {path: _edit(model, path, known[path], reasons.get((row_of(change), path))) for path in known}
        if isinstance(change, Create):
            new.append(after)
            continue
        row = rows.get(change.id)
        no = model.kept if isinstance(change, Delete) else model.fixed
        if row is None or row in no:
            left.append(f"{name}: {'it is gone, or not shown' if row is None else no[row]}")
        elif isinstance(change, Delete):
            if change.receipt == _receipt(model, row) and _is_as_seen(model, row, change.before):
                edits[row] = {DELETE: Edit(True)}
            else:
                left.append(f"{name} was to be deleted, and was changed since")
        else:
            for path, edit in after.items():
                field, now, base = model.column(path).field, model.before(row, path), change.before[path]
                typed = model.edits.get(row, {}).get(path)
                if typed is not None and typed != edit:
                    texts = show_apart(typed.value, edit.value)
                    left.append(
                        f"{name}, {path}: {texts[0] or 'blank'} was typed since, "
                        f"the draft has {texts[1] or 'blank'}"
                    )
                elif equal(field, now, base):
                    edits.setdefault(row, {})[path] = edit
                elif edit.reason is not None or not equal(field, now, edit.value):
                    texts = show_apart(base, now, edit.value)
                    left.append(
                        f"{name}, {path}: {texts[0] or 'blank'} is {texts[1] or 'blank'} by now, "
                        f"the draft has {texts[2] or 'blank'}"
                    )
    model.put(edits, new)
    return left


def _edit(model: GridModel, path: str, value: Any, reason: str | None) -> Edit:
    return Edit(value, reason or check(model.column(path).field, value))


def _is_as_seen(model: GridModel, row: int, before: Mapping[str, Any]) -> bool:
    shown = model.base.columns
    return all(
        path in shown and equal(model.column(path).field, model.before(row, path), base)
        for path, base in before.items()
    )


def _receipt(model: GridModel, row: int) -> int | None:
    """Return when a row was written, in ms, if that is known."""
    if RECEIPT.path not in model.base.columns:
        return None
    return receipts_of(model.base[RECEIPT.path].iloc[[row]])[0]


def _age(age: timedelta) -> str:
    """Return in words how long something took, in the largest unit that it fills."""
    for seconds, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if age.total_seconds() >= seconds:
            return count(int(age.total_seconds() // seconds), unit)
    return "less than a minute"
