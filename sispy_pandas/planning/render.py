"""A plan as text: the head that says what and where, then the cells, or a summary where they are many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sispy.remedies import Call, Message
from sispy.text import WIDTH, json_seen, printable, shorten, shorten_apart

from ..values.changes import Change, Create, Delete, Update

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .change_set import ChangeSet

SHOWN = 40
"""Cells in the text; a longer plan is summarised by field before them."""
ALL_CELLS = Call(".frame()", "has all of them")
SENTENCE = 500
"""Characters of a line of words, or of a reason in a table, that are shown."""


def head(plan: ChangeSet, told: Callable[[str], str] = str) -> list[str]:
    """Return the lines that say where the plan goes and how much it changes.

    Args:
        plan: The plan.
        told: Words a message for whoever reads it; the default is Python's way.
    """
    n = plan.counts
    lines: list[str] = [
        f"{plan.schema.name} {whereabouts(plan)}: {count(n['updates'], 'update')}, "
        f"{count(n['creates'], 'create')}, {count(n['deletes'], 'delete')} "
        f"({count(n['cells'], 'changed cell')})"
    ]
    if n["creates"]:
        owners = f"owned by {', '.join(plan.owner)}" if plan.owner else _default_owner(plan)
        lines.append(f"new rows will be {owners}")
    if n["problems"]:
        rows = len({fault.row for fault in plan.faults})
        text = f"{count(n['problems'], 'problem')} in {count(rows, 'row')}: not sent"
        lines.append(Message(text, Call(".problems", "names them")))
    if n["stale"]:
        lines.append(f"{count(n['stale'], 'stale row')}: not sent")
    if n["conflicts"]:
        text = f"{count(n['conflicts'], 'cell')} changed by others since"
        lines.append(Message(text, Call(".conflicts", "names them")))
    return [shorten(told(line), SENTENCE) for line in [*lines, *plan.notes]]


def whereabouts(plan: ChangeSet) -> str:
    """Return server, profile and user in words, as far as they are known."""
    client = plan.endpoint.client
    profile = getattr(client, "profile", None)
    user = client.username or ("the owner of the token" if client.auth_token else None)
    return f"on {client.url}" + (f" (profile {profile})" if profile else "") + (f" as {user}" if user else "")


def text(plan: ChangeSet) -> str:
    """Return the plan as text of a bounded length."""
    lines = head(plan)
    cells = shown_cells(plan)
    if len(cells) > SHOWN:
        lines += ["", *columns(["field", "cells", "most frequent"], summary(plan))]
    rows = [
        [action(change), _row(change) if change.key is None else show(change.key), path, *show_apart(a, b)]
        for change, path, a, b in cells[:SHOWN]
    ]
    if rows:
        lines += ["", *columns(["", plan.schema.key or "_id", "field", "before", "after"], rows)]
    if len(cells) > SHOWN:
        lines.append(Message(f"... and {count(len(cells) - SHOWN, 'more cell')}", ALL_CELLS))
    if plan.faults:
        rows = [[name_of(f), f.column or "", show(f.value), f.reason] for f in plan.faults[:SHOWN]]
        lines += ["", *columns(["problem in", "column", "value", "reason"], rows)]
    if plan.stale:
        rows = [[name_of(s), s.reason] for s in plan.stale[:SHOWN]]
        lines += ["", *columns(["stale", "reason"], rows)]
    return "\n".join(lines)


def shown_cells(plan: ChangeSet) -> list[tuple[Change, str, Any, Any]]:
    """Return (change, field, before, after) of what there is to see: a deleted row is one line."""
    gone: list[tuple[Change, str, Any, Any]] = [
        (change, "(whole row)", None, None) for change in plan.changes if isinstance(change, Delete)
    ]
    return [*(cell for cell in plan.cells() if not isinstance(cell[0], Delete)), *gone]


def summary(plan: ChangeSet) -> list[list[str]]:
    """Return one line per field: how many cells change, and the change that is most frequent."""
    by_field: dict[str, Counter[str]] = {}
    for change, path, before, after in shown_cells(plan):
        text = " -> ".join(show_apart(before, after)) if isinstance(change, Update) else f"({action(change)})"
        by_field.setdefault(path, Counter())[text] += 1
    lines = []
    for path in (path for path in (*plan.fields, "(whole row)") if path in by_field):
        (most, times), *_ = by_field[path].most_common(1)
        lines.append([path, str(by_field[path].total()), f"{times} x {most}"])
    return lines


def action(change: Update | Create | Delete) -> str:
    """Return the sign of a change: ~ update, + create, - delete."""
    return {Update: "~", Create: "+", Delete: "-"}[type(change)]


def count(n: int, noun: str) -> str:
    """Return "1 row", "2 rows", "1,000 rows"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def show(value: Any, width: int = WIDTH) -> str:
    """Return a cell's value in the JSON form as one short line for people; a blank is an empty text."""
    return shorten(_line(value), width)


def show_apart(*values: Any, width: int = WIDTH) -> list[str]:
    """Return values as `show` does, but long ones cut around the place where they begin to differ."""
    return shorten_apart(*map(_line, values), width=width)


def _line(value: Any) -> str:
    if value is None or value in ((), []):
        return ""
    if isinstance(value, str):
        if value == value.strip() == printable(value):
            return value
        return '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"'
    return json_seen(value, default=str)


def name_of(item: Any) -> str:
    """Return what people know a row by: its key, else its `_id`, else what names it in its plan."""
    if item.key is not None:
        return show(item.key)
    return show(getattr(item, "id", None) or getattr(item, "row", None))


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with the cells below each other; what is longer than a sentence is cut."""
    lines = [[shorten(cell, SENTENCE) for cell in row] for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in lines
    ]


def _default_owner(plan: ChangeSet) -> str:
    owners = ", ".join(plan.schema.owner)
    if plan.schema.is_public or plan.schema.is_open:
        return "owned by your groups"
    return f"owned by those of your groups that are among {owners} (of a super user: by nobody)"


def _row(change: Update | Create | Delete) -> str:
    return f"new row {change.row}" if isinstance(change, Create) else change.id
