"""The plan of an edited file of a table, or a saved one: what `sispy plan` shows and `sispy push` sends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import pandas as pd

from sispy.cli.exits import Misuse
from sispy_pandas.commands.tables import table_of
from sispy_pandas.formats.dialect import known_rows
from sispy_pandas.formats.json import Json
from sispy_pandas.formats.registry import find_format
from sispy_pandas.planning.compare import candidates
from sispy_pandas.values.source import source_of
from sispy_pandas.values.types.cells import Refused
from sispy_pandas.workflow.edited import snapshot_of
from sispy_pandas.workflow.fetch import fetch
from sispy_pandas.workflow.references import to_ids
from sispy_pandas.workflow.saved import load_plan

if TYPE_CHECKING:
    from sispy.cli.options import Session
    from sispy_pandas.commands.inputs import TableFile
    from sispy_pandas.commands.reading import Reading
    from sispy_pandas.workflow.objects import Plan, Snapshot


def plan_of_file(session: Session, name: str, file: TableFile, how: Reading) -> Plan:
    """Return the plan of pushing a file to a table. Nothing is written.

    Raises:
        ValueError: The rows of the file cannot be told, or read.
    """
    client = session.client()
    endpoint, schema = table_of(client, name)
    frame = file.frame(schema, how.options)
    if how.key is not None:
        source = source_of(frame)
        if source is not None and source.labels is not None:
            frame = to_ids(client, frame, schema, known=source.labels)
        snapshot = fetch(endpoint, progress=session.progress)
        frame = _as_written(file, how, frame, snapshot)
        return snapshot.diff(frame, key=how.key, create_missing=how.create_missing, owner=how.owner)
    if "_id" not in (frame.index.name, *frame.columns):
        raise ValueError(
            f"{file.file} has no column _id, so its rows cannot be told: give --key FIELD to match them by a "
            f"unique field{f' such as {schema.key}' if schema.key else ''}"
        )
    snapshot = snapshot_of(endpoint, frame, base=how.base, progress=session.progress)
    return snapshot.diff(_as_written(file, how, frame, snapshot), owner=how.owner)


def _as_written(file: TableFile, how: Reading, frame: pd.DataFrame, snapshot: Snapshot) -> pd.DataFrame:
    """Return the frame of a file in the dialect that the cells tell which nobody touched."""
    if not _has_hints(frame, snapshot):
        return frame
    return file.frame(snapshot.schema, how.options, known_rows(snapshot, how.key))


def _has_hints(frame: pd.DataFrame, snapshot: Snapshot) -> bool:
    """Tell whether a frame may mean something else in another dialect.

    So it is if a cell was refused, or if a number or a time is another one than before.
    """
    base = snapshot.frame(meta=True)
    at = base.index.get_indexer(frame.index) if frame.index.name == base.index.name else None
    for path in frame.columns.intersection(base.columns):
        cells = frame[path]
        if not snapshot.schema.field(path).kind.told_by or pd.api.types.is_bool_dtype(cells.dtype):
            continue
        if cells.dtype == object:
            if any(isinstance(cell, Refused) for cell in cells):
                return True
        elif at is None or len(candidates(base[path].iloc[at[at >= 0]], cells.iloc[at >= 0])):
            return True
    return False


def saved(session: Session, path: str) -> Plan:
    """Return the plan of a file that `sispy plan -o` wrote.

    Raises:
        Misuse: It is none.
    """
    verb = click.get_current_context().info_name
    if not Path(path).exists() or Path(path).is_dir():
        raise Misuse(f"there is no plan file {path!r}; to {verb} a file: sispy {verb} SCHEMA FILE")
    found = find_format(path)
    if found is not None and not isinstance(found, Json):
        raise Misuse(f"{path!r} is no plan; to {verb} a file: sispy {verb} SCHEMA {path}")
    return load_plan(path, session.client_if_named())
