"""Earlier pushes of the same new rows: for tables in which nothing else tells them from others."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from ..changes import Create
from ..fetching.reading import read as read_rows
from ..journal import folder, read
from .send_creates import identity

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from ..plan import Plan


def anonymous(plan: Plan) -> list[Create]:
    """Return the new rows of a plan that have no unique value to find them by."""
    return [c for c in plan.changes if isinstance(c, Create) and identity(plan.schema, c) is None]


def fingerprint(plan: Plan) -> str | None:
    """Return what equal new rows without a unique value have in common; None if there are none."""
    rows = [[create.row, dict(create.values)] for create in anonymous(plan)]
    if not rows:
        return None
    text = json.dumps([plan.endpoint.client.url, plan.schema.name, rows], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def created_before(plan: Plan) -> dict[Hashable, tuple[str, Path]]:
    """Return the new rows that an earlier push created and that are still there: row -> (`_id`, journal).

    Raises:
        ValueError: Such a push was interrupted: it has to be resumed first.
    """
    wanted = fingerprint(plan)
    rows = {create.row for create in anonymous(plan)}
    found: dict[Hashable, tuple[str, Path]] = {}
    for path in sorted(folder().glob(f"*-{plan.schema.name}-*.jsonl")) if wanted else []:
        try:
            record = read(path)
        except (ValueError, OSError):
            continue  # no journal, or not ours to read
        if record.begin.get("new_rows") != wanted:
            continue
        entries = {row: entry for row, entry in record.entries.items() if row in rows}
        if any(entry.word is None for entry in entries.values()) or not record.ended:
            raise ValueError(
                f"a push of the same new rows was interrupted: sp.resume({str(path)!r}) finishes it"
            )
        found |= {
            row: (entry.id, path) for row, entry in entries.items() if entry.word == "done" and entry.id
        }
    ids = {id_ for id_, _ in found.values()}
    there = {row["_id"] for row in read_rows(plan.endpoint, "_id", sorted(ids), fields=["_id"])}
    return {row: place for row, place in found.items() if place[0] in there}
