"""The model of an editor: made from a snapshot, and made anew after a push."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..changes import Create, row_of
from .columns import columns_of
from .grid_frame import split
from .grid_model import DELETED, NEW, GridModel, Note

if TYPE_CHECKING:
    import pandas as pd

    from ..report import Outcome, Report
    from ..snapshot import Snapshot
    from .cells import Edit


def editor_model(snapshot: Snapshot, frame: pd.DataFrame | None = None) -> GridModel:
    """Return the model that edits a snapshot's rows, starting with the edits that a frame holds.

    Raises:
        ValueError: Rows of the frame cannot be recognised.
    """
    everything = snapshot.frame(meta=True)
    opened = snapshot.frame()
    edits: dict[int, dict[str, Edit]] = {}
    if frame is not None:
        opened, edits = split(snapshot.schema, opened, frame)
    columns = columns_of(snapshot.schema, opened, readonly=snapshot.expanded)
    model = GridModel(snapshot.schema, opened, columns=columns, fixed=_fixed(everything, opened))
    model.seed(edits)
    return model


def after_push(model: GridModel, report: Report, snapshot: Snapshot) -> GridModel:
    """Return the model of the new state: what was written is the base, what was not is still an edit.

    Args:
        model: What was edited when the push began, or since.
        report: What became of it.
        snapshot: The report's, with the server's answers in it.
    """
    outcomes = {outcome.row: outcome for outcome in report.outcomes}
    labels = _labels(model, report)
    created = [outcome.id for outcome in report.outcomes if outcome.action == "create" and outcome.id]
    everything = snapshot.frame(meta=True)
    kept = [id_ for id_ in model.base.index if id_ in everything.index]
    ids = [*kept, *(id_ for id_ in created if id_ in everything.index)]
    opened = everything.loc[ids, list(model.base.columns)]
    fresh = GridModel(snapshot.schema, opened, columns=model.columns, fixed=_fixed(everything, opened))
    position = {id_: number for number, id_ in enumerate(ids)}
    edits: dict[int, dict[str, Edit]] = {}
    notes: dict[int, dict[str, Note]] = {}
    for row, by_path in sorted(model.edits.items()):
        outcome = outcomes.get(labels[row]) if row in labels else None
        if outcome is not None and outcome.word in ("done", "unchanged"):
            continue
        if NEW in by_path:
            target = len(opened) + sum(NEW in other for other in edits.values())
        elif labels[row] in position:
            target = position[str(labels[row])]
        else:
            continue  # deleted
        written = outcome.written if outcome is not None else {}
        edits[target] = {path: edit for path, edit in by_path.items() if path not in written}
        if outcome is not None:
            notes[target] = _notes(outcome, report, edits[target])
    fresh.seed(edits)
    fresh.note(notes)
    return fresh


def _labels(model: GridModel, report: Report) -> dict[int, object]:
    """Return row number -> how the plan names the row: its `_id`, or a new row's position in the frame."""
    labels: dict[int, object] = dict(enumerate(model.base.index))
    new_rows = model.rows_with(NEW)
    first = len(model.base) - len(model.rows_with(DELETED))
    creates = {row_of(change) for change in report.plan.changes if isinstance(change, Create)}
    for offset, row in enumerate(new_rows):
        labels[row] = first + offset if first + offset in creates else None
    return labels


def _notes(outcome: Outcome, report: Report, edits: dict[str, Edit]) -> dict[str, Note]:
    clashes = {clash.field: clash for clash in report.clashes if clash.id == outcome.row}
    notes = {
        path: Note("conflict", "somebody else changed it", clash.theirs)
        for path, clash in clashes.items()
        if path in edits
    }
    if outcome.word in ("failed", "problem"):
        pushed = {path for change, path, _, _ in report.plan.cells() if row_of(change) == outcome.row}
        notes |= {path: Note("failed", outcome.reason) for path in pushed.intersection(edits)}
        notes[""] = Note("failed", outcome.reason)
    return notes


def _fixed(everything: pd.DataFrame, opened: pd.DataFrame) -> dict[int, str]:
    """Find the rows that the server lets nobody change."""
    if "_sis.immutable" not in everything.columns:
        return {}
    immutable = everything.loc[opened.index, "_sis.immutable"].fillna(False).to_numpy(dtype=bool)
    return {int(row): "the row is immutable" for row in immutable.nonzero()[0]}
