"""The model of an editor: made from a snapshot, and made anew after a push."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..planning.rebase import seen_with
from ..values.changes import Conflict, Create, Delete, Update, row_of
from ..values.labels import replaced
from ..values.records import DELETE
from .cells import Edit
from .columns import columns_of
from .editor_rights import rights_in
from .grid_frame import split
from .grid_model import NEW, GridModel, Note

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping

    import pandas as pd

    from ..values.changes import Change, Outcome
    from ..workflow.objects import Plan, Report, Snapshot
    from ..workflow.references import LabelledSnapshot
    from .review_lines import CellId


Edits = dict[int, dict[str, Edit]]
"""Row number -> path -> edit, as a GridModel has them."""


def editor_model(
    snapshot: Snapshot, frame: pd.DataFrame | None = None, *, roles: Collection[str] | None = None
) -> GridModel:
    """Return the model that edits a snapshot's rows, starting with the edits that a frame holds.

    Args:
        snapshot: What the server said.
        frame: Some of its rows and columns, edited; None: all of them.
        roles: The groups of who edits them, None if they are not known: see `rights_in`.

    Raises:
        ValueError: Rows of the frame cannot be recognised.
    """
    everything = snapshot.frame(meta=True)
    opened = snapshot.frame()
    edits: Edits = {}
    if frame is not None:
        opened, edits = split(snapshot.schema, opened, frame)
    columns = columns_of(snapshot.schema, opened, readonly=snapshot.expanded)
    rights = rights_in(snapshot.schema, everything.loc[opened.index], roles)
    model = GridModel(snapshot.schema, opened, columns=columns, fixed=rights.fixed, kept=rights.kept)
    model.seed(edits)
    return model


def with_roles(model: GridModel, snapshot: Snapshot, roles: Collection[str]) -> None:
    """Let a model know of which rows the roles of its user allow no edit."""
    rights = rights_in(snapshot.schema, snapshot.frame(meta=True).loc[model.base.index], roles)
    model.fixed, model.kept = dict(rights.fixed), dict(rights.kept)


def with_conflicts(model: GridModel, plan: Plan) -> Plan:
    """Return a plan of a model's edits that knows its conflicts: no push of all cells decides them."""
    known = {str(model.base.index[row]): model.conflicts(row) for row in model.notes if not model.is_new(row)}
    return in_conflict(plan, known)


def in_conflict(plan: Plan, known: Mapping[str, Mapping[str, Note]]) -> Plan:
    """Return a plan with the conflicts that are known of its cells, by row and path.

    These cells are still compared with what they were when they were edited.
    """
    changes: list[Change] = []
    conflicts: list[Conflict] = []
    for change in plan.changes:
        if not isinstance(change, Create) and change.id in known:
            mine = change.after if isinstance(change, Update) else {}
            notes = {
                path: note
                for path, note in known[change.id].items()
                if path in mine or isinstance(change, Delete)
            }
            conflicts += [
                Conflict(change.id, path, note.base, mine.get(path), note.theirs, change.key)
                for path, note in notes.items()
            ]
            change = seen_with(change, {path: note.base for path, note in notes.items()})
        changes.append(change)
    return replace(plan, changes=tuple(changes), conflict_list=tuple(conflicts)) if conflicts else plan


def with_ids(snapshot: LabelledSnapshot, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame that shows labels with the ids that the snapshot knows for them."""
    paths = [path for path in snapshot.labels.names if path in frame.columns]
    return frame.assign(**{path: replaced(frame[path], snapshot.labels.ids(path)) for path in paths})


def after_push(
    model: GridModel,
    report: Report,
    snapshot: Snapshot,
    *,
    reviewed: Edits,
    given_way: Collection[CellId] = (),
    roles: Collection[str] | None = None,
) -> tuple[GridModel, Edits]:
    """Return the model of the new state: what was written is the base, what was not is still an edit.

    With it come those of its edits that the plan was made of.

    Args:
        model: What was edited when the push began, or since.
        report: What became of it.
        snapshot: The new state, with the server's answers in it.
        reviewed: The edits that the plan was made of; newer ones stay, whatever became of the older.
        given_way: Conflicts in which the other's value was chosen: these edits are no more.
        roles: As in `editor_model`.
    """
    everything = snapshot.frame(meta=True)
    created = [outcome.id for outcome in report.outcomes if outcome.action == "create" and outcome.id]
    known = set(everything.index)
    ids = [id_ for id_ in (*model.base.index, *created) if id_ in known]
    opened = everything.loc[ids, list(model.base.columns)]
    rights = rights_in(snapshot.schema, everything.loc[ids], roles)
    fresh = GridModel(
        snapshot.schema, opened, columns=model.all_columns, fixed=rights.fixed, kept=rights.kept
    )
    position = {id_: number for number, id_ in enumerate(ids)}
    outcomes = {outcome.row: outcome for outcome in report.outcomes}
    labels, pushed = _labels(model, report), _pushed(report)
    edits: Edits = {}
    old: Edits = {}
    notes: dict[int, dict[str, Note]] = {}
    fresh_rows = len(opened)
    for row, by_path in sorted(model.edits.items()):
        label = labels[row]
        outcome = outcomes.get(label)
        settled = {path or DELETE for named, path in given_way if named == label} | _settled(outcome, pushed)
        then = reviewed.get(row, {})
        left = {path: edit for path, edit in by_path.items() if path not in settled or then.get(path) != edit}
        target = position.get(outcome.id if outcome and outcome.id else label)
        if NEW in left:
            target, fresh_rows = fresh_rows, fresh_rows + 1
        if left and target is not None:  # a row without a place was deleted
            edits[target] = left
            old[target] = {path: edit for path, edit in left.items() if then.get(path) == edit}
            told = {} if outcome is None else _notes(outcome, report, pushed, left)
            sent = pushed.get(label, set()) if outcome is not None else set()
            open_ = {
                path: note
                for path, note in model.conflicts(row).items()
                if not sent & {path, DELETE} and left.keys() & {path, DELETE}
            }
            notes[target] = open_ | told
    fresh.seed(edits)
    fresh.note(notes)
    return fresh, old


def _pushed(report: Report) -> dict[Hashable, set[str]]:
    """Return row of the plan -> paths of the cells that were to be written, and whether it was to go."""
    pushed: dict[Hashable, set[str]] = {
        row_of(c): {DELETE} for c in report.plan.changes if isinstance(c, Delete)
    }
    for change, path, _, _ in report.plan.cells():
        pushed.setdefault(row_of(change), set()).add(path)
    return pushed


def _settled(outcome: Outcome | None, pushed: Mapping[Hashable, set[str]]) -> set[str]:
    """Return the edits of a row that are no edits any longer; those that were rejected stay."""
    if outcome is None:
        return set()
    if outcome.word in ("done", "unchanged"):
        return pushed.get(outcome.row, set()) | {NEW, DELETE}
    return set(outcome.written)


def _labels(model: GridModel, report: Report) -> dict[int, Hashable]:
    """Return row number -> how the plan names the row: its `_id`, or a new row's position in the frame."""
    labels: dict[int, Hashable] = dict(enumerate(model.base.index))
    first = len(model.base) - len(model.rows_with(DELETE))
    creates = {row_of(change) for change in report.plan.changes if isinstance(change, Create)}
    for offset, row in enumerate(model.new_rows()):
        labels[row] = first + offset if first + offset in creates else None
    return labels


def _notes(
    outcome: Outcome, report: Report, pushed: Mapping[Hashable, set[str]], edits: Mapping[str, Edit]
) -> dict[str, Note]:
    conflicts = {conflict.field: conflict for conflict in report.conflict_list if conflict.id == outcome.row}
    notes = {
        path: Note("conflict", "somebody else changed it", conflict.theirs, conflict.base)
        for path, conflict in conflicts.items()
        if path in edits or (DELETE in edits and path != "_id")
    }
    if outcome.word in ("failed", "problem") or "_id" in conflicts:  # the row is gone
        failed = pushed.get(outcome.row, set()).intersection(edits)
        notes |= {path: Note("failed", outcome.reason) for path in failed}
        notes[""] = Note("failed", outcome.reason)
    return notes
