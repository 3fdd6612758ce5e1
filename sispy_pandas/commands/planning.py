"""The plan that a table and an edited file make: what `sispy plan` shows and `sispy push` sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sispy_pandas.commands.tables import table_of
from sispy_pandas.values.source import source_of
from sispy_pandas.workflow.edited import snapshot_of
from sispy_pandas.workflow.fetch import fetch
from sispy_pandas.workflow.references import to_ids

if TYPE_CHECKING:
    from sispy.cli.options import Session
    from sispy_pandas.commands.inputs import TableFile
    from sispy_pandas.commands.reading import Reading
    from sispy_pandas.workflow.objects import Plan


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
        return snapshot.diff(frame, key=how.key, create_missing=how.create_missing, owner=how.owner)
    if "_id" not in (frame.index.name, *frame.columns):
        raise ValueError(
            f"{file.file} has no column _id, so its rows cannot be told: give --key FIELD to match them by a "
            f"unique field{f' such as {schema.key}' if schema.key else ''}"
        )
    return snapshot_of(endpoint, frame, base=how.base, progress=session.progress).diff(frame, owner=how.owner)
