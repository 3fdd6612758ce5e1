"""References by natural key: the name of a row in place of its id, both ways, in few requests."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import pandas as pd

import sispy
from sispy.remedies import Message

from ..reading.chunks import selecting
from ..reading.listing import schema_of
from ..reading.names import ids_by_name, names_by_id
from ..values.labels import Labels, members, reference_columns, replaced
from ..values.types.cell_text import means_nothing
from ..values.types.cells import Refused, get_path
from ..values.types.object_id import is_object_id
from .objects import Snapshot

if TYPE_CHECKING:
    from sispy import Client

    from ..values.schema import Schema
    from .objects import Plan

P = TypeVar("P", bound="Plan")
Refs = Literal["label"] | Mapping[str, str]
"""Show the id field of the row referred to, or for some columns another field of it."""

_ENOUGH = 50
"""Values that are looked up to see whether a column refers to a schema."""


@dataclass(frozen=True, eq=False)
class LabelledSnapshot(Snapshot):
    """A snapshot whose references are shown, and taken, as labels.

    Its frames hold labels, and so may the frames that it is compared with; ids are understood as well. Labels
    that it has not seen yet are looked up on the server when it is compared.
    """

    labels: Labels = field(default_factory=Labels, repr=False)
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Column -> label -> `_id`: what rows were called when a file was exported."""

    @property
    def plain(self) -> Snapshot:
        """The same rows with ids."""
        return Snapshot(**{f.name: getattr(self, f.name) for f in fields(Snapshot)})

    def choices(self, most: int = 5_000) -> dict[str, list[str]]:
        """Return the labels that a column may take, for dropdowns; none where there are more than `most`.

        Raises:
            sispy.Error: The server could not be asked.
        """
        found = {}
        for column, ref in reference_columns(self.schema):
            if column.path in self.labels.fields and not column.item:
                endpoint = self.endpoint.client.entities(ref)
                label = self.labels.fields[column.path]
                if endpoint.count({}) <= most:
                    query = {**selecting([label]), "populate": False, "sort": label}
                    values = [get_path(row, label) for row in endpoint.fetch_all(query)]
                    found[column.path] = [str(value) for value in dict.fromkeys(values) if value is not None]
        return found

    def frame(self, meta: bool = False) -> pd.DataFrame:
        """Return the rows as `Snapshot.frame` does, with labels for references."""
        return self.labels.shown(super().frame(meta))

    def diff(self, frame: pd.DataFrame, **options: Any) -> Plan:
        """Compare a frame with labels or ids with this snapshot; the plan holds ids.

        Unknown and ambiguous labels are problems of the plan. For the arguments see `Snapshot.diff`.

        Raises:
            sispy.Error: New labels had to be looked up, and the server could not be asked.
        """
        known = {path: {**self.labels.ids(path), **self.known.get(path, {})} for path in self.labels.names}
        with_ids = to_ids(self.endpoint.client, frame, self.schema, known=known)
        plan = self.plain.diff(with_ids, **options)
        names: dict[str, str] = {}
        for path, ids in known.items():
            names |= {id_: name for name, id_ in ids.items()} | dict(self.labels.names[path])
            names |= _named(frame[path], with_ids[path]) if path in frame.columns else {}
        return replace(plan, names=names)


def with_names(plan: P) -> P:
    """Return a plan with the names of the rows that it refers to, for people; ids where they have none."""
    cells: dict[str, list[Any]] = {column.path: [] for column, _ in reference_columns(plan.schema)}
    for _, path, before, after in plan.cells():
        if path in cells:
            cells[path] += [before, after]
    frame = pd.DataFrame({path: pd.Series(found, dtype=object) for path, found in cells.items() if found})
    if frame.empty:
        return plan
    try:
        labels = labels_of(plan.endpoint.client, frame, plan.schema)
    except (sispy.Error, ValueError):
        return plan
    names = {id_: name for found in labels.names.values() for id_, name in found.items()}
    return replace(plan, names={**names, **plan.names})


def _named(names: pd.Series[Any], ids: pd.Series[Any]) -> dict[str, str]:
    """Return `_id` -> name of two columns of references, the same ones as names and as ids."""
    found = {}
    for name, id_ in zip(names.tolist(), ids.tolist(), strict=True):
        pairs = zip(name, id_, strict=True) if isinstance(id_, tuple) else ((name, id_),)
        found.update({new: old for old, new in pairs if old is not new and type(new) is str})
    return found


def labelled(
    snapshot: Snapshot, refs: Refs = "label", *, known: Mapping[str, Mapping[str, str]] | None = None
) -> LabelledSnapshot:
    """Return a snapshot that shows and takes labels for references.

    Args:
        snapshot: Any.
        known: Column -> label -> `_id`: labels that are taken besides those that are shown.
        refs: "label": the id field of the schema referred to; or column -> field of that schema, and only
            those columns.

    Raises:
        ValueError: A column that is no reference, or no such field.
        sispy.Error: The server could not be asked.
    """
    values = {f.name: getattr(snapshot, f.name) for f in fields(Snapshot)}
    frame = Snapshot.frame(snapshot)
    labels = labels_of(snapshot.endpoint.client, frame, snapshot.schema, refs)
    return LabelledSnapshot(**values, labels=labels, known=known or {})


def labels_of(client: Client, frame: pd.DataFrame, schema: Schema, refs: Refs = "label") -> Labels:
    """Return the labels of all rows that a frame refers to.

    Two rows of one name have none; see `names_by_id` for the requests.
    """
    names: dict[str, dict[str, str]] = {}
    called: dict[str, str] = {}
    chosen = {} if refs == "label" else dict(refs)
    columns = {column.path: ref for column, ref in reference_columns(schema) if column.path in frame.columns}
    unknown = [path for path in chosen if path not in columns]
    if unknown:
        raise ValueError(
            f"{unknown[0]!r} is not a column of references; these are: {', '.join(columns) or 'none'}"
        )
    for path, ref in columns.items():
        if chosen and path not in chosen:
            continue
        target = schema_of(client, ref)
        label = chosen.get(path) or target.key
        if label is not None:
            wanted = {id_ for id_ in members(frame[path]) if is_object_id(id_)}
            called[path] = label
            names[path] = _unambiguous(names_by_id(client, target, label, wanted))
    return Labels(names, called)


def _unambiguous(names: Mapping[str, str]) -> dict[str, str]:
    seen: dict[str, int] = {}
    for label in names.values():
        seen[label] = seen.get(label, 0) + 1
    return {id_: label for id_, label in names.items() if seen[label] == 1}


def to_ids(
    client: Client,
    frame: pd.DataFrame,
    schema: Schema,
    *,
    refs: Refs = "label",
    known: Mapping[str, Mapping[str, str]] | None = None,
) -> pd.DataFrame:
    """Return the frame with the ids of the rows whose labels stand in the columns of references.

    What is an id already stays. A label that no row or more than one row has stays as text that the diff
    names as a problem.

    Args:
        client: Of the server.
        frame: Any frame of the schema.
        schema: Names the columns of references.
        refs: As for `fetch`.
        known: Column -> label -> `_id`: what needs no look-up.

    Raises:
        sispy.Error: The server could not be asked.
    """
    chosen = {} if refs == "label" else dict(refs)
    made: dict[str, pd.Series[Any]] = {}
    for column, ref in reference_columns(schema):
        if column.path not in frame.columns:
            continue
        texts = members(frame[column.path])
        found: dict[str, str | Refused] = {**(known or {}).get(column.path, {})}
        wanted = {text for text in texts if text not in found and not is_object_id(text)}
        if wanted:
            target = schema_of(client, ref)
            found |= _looked_up(client, target, chosen.get(column.path) or target.key, wanted)
        if not texts.isdisjoint(found):
            made[column.path] = replaced(frame[column.path], found)
    return frame.assign(**made) if made else frame


def _looked_up(
    client: Client, target: Schema, label: str | None, texts: Collection[str]
) -> dict[str, str | Refused]:
    """Return the ids of the rows with these labels, refusals for those that cannot be told."""
    if label is None:
        reason = Message(f"schema {target.name!r} has no unique field to name its rows by: write the _id")
        return {text: Refused(text, reason) for text in texts}
    rows = ids_by_name(client, target, label, texts)
    found: dict[str, str | Refused] = {}
    for text in texts:
        ids = rows.get(text, [])
        if len(ids) == 1:
            found[text] = ids[0]
        elif ids:
            said = f"{len(ids)} rows of {target.name} have {label} {text!r}: write the _id"
            found[text] = Refused(text, Message(said))
        else:
            said = f"no row of {target.name} has {label} {text!r}"
            ways = means_nothing(text)
            found[text] = Refused(text, Message(said, *ways))
    return found


def find_references(
    client: Client, frame: pd.DataFrame, *, names: Collection[str] | None = None
) -> dict[str, str]:
    """Return the columns of a foreign table that seem to name rows of existing schemas: column -> schema.

    A column counts if it is called like a schema and its first values are all labels of that schema, each of
    one row. Nothing is guessed from values alone.

    Args:
        client: Of the server.
        frame: Of text, with labels in it.
        names: Of the schemas to look at; by default all.

    Raises:
        sispy.Error: The server could not be asked.
    """
    if names is None:
        names = {schema["name"] for schema in client.schemas.fetch_all({"fields": "name"})}
    found = {}
    for column in map(str, frame.columns):
        if column not in names:
            continue
        target = schema_of(client, column)
        texts = sorted(members(frame[column]))[:_ENOUGH]
        if not texts or target.key is None:
            continue
        ids = _looked_up(client, target, target.key, texts)
        if not any(isinstance(id_, Refused) for id_ in ids.values()):
            found[column] = column
    return found
