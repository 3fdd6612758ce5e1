"""The state that an edited file was exported from, rebuilt from today's rows and their revisions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sispy.errors import NotFound
from sispy.remedies import Argument, Message

from ..planning.compare import changed
from ..planning.edited_rows import marked_ids
from ..planning.matching import ids_in
from ..reading.decode import columns_of
from ..reading.listing import schema_of
from ..reading.lookup import READERS, each, range_worth_paging, read
from ..reading.table import warnings_frame
from ..values.arrow import as_frame
from ..values.entity import EDITABLE_META, receipt
from ..values.extras import no_collection
from ..values.records import frame_of, receipts_of, records_of
from ..values.schema import META, RECEIPT, Schema
from ..values.source import Source, source_of
from ..values.types.cells import get_path, is_missing, set_path
from ..values.types.convert import cast
from .fetch import fetch
from .objects import Snapshot
from .references import labelled, to_ids

if TYPE_CHECKING:
    import pandas as pd

    from sispy import Endpoint

    from ..values.types.base import Field

NO_META_HISTORY = "it changed since its export, and of owner, tags and locked the server keeps no history"
NO_HISTORY = "it changed since its export, and the server keeps no history to tell what the export said"


@no_collection()  # thousands of entities and no cycle among them
def snapshot_of(
    endpoint: Endpoint,
    frame: Any,
    *,
    base: Literal["receipt", "now"] = "receipt",
    progress: Any = True,
) -> Snapshot:
    """Return the snapshot to compare an edited file with: every row in the state that the file shows.

    That state is named by the row's receipt, the column `_updated_at`. Where the server holds the same state
    still, it is today's; else, and if the row differs from today's, it is taken from the file where the file
    holds it, as workbooks do, and else rebuilt from the revisions. A row whose state cannot be rebuilt is in
    `lost`, and the diff makes it Stale: shown, never sent.

    Args:
        endpoint: Where the rows are from.
        frame: The edited file, as `read_csv` and others return it; as for `diff`, Arrow's tables will do.
        base: "receipt" as said; "now" compares with today's state, for frames without receipts: what others
            changed meanwhile then looks like an edit that takes it back.
        progress: As for `fetch`.

    Raises:
        ValueError: The frame has ids but no receipts, and `base` is not "now"; or its file was exported from
            another server, and this one is no sandbox that is a copy of it.
        sispy.Error: The server could not be asked.

    Example:
        >>> edited = live.frame().assign(notes="checked")
        >>> snapshot_of(client.entities("host"), edited, progress=False).diff(edited).counts["updates"]
        10
    """
    if base not in ("receipt", "now"):
        raise ValueError(f"base={base!r}: 'receipt' or 'now'")
    started = datetime.now(UTC)
    frame = as_frame(frame)
    source = source_of(frame)
    if source is not None:
        source.refuse_other(endpoint.client, endpoint.name)
    schema = schema_of(endpoint.client, endpoint.name)
    labels = source.labels if source is not None else None
    if labels is not None:
        frame = to_ids(endpoint.client, frame, schema, known=labels)
    ids = ids_in(frame)
    if ids and base == "receipt" and RECEIPT.path not in frame.columns:
        raise ValueError(
            Message(
                "there is no column _updated_at, so nobody can tell which state was edited",
                Argument("base", "compares with the state of today", "now"),
            )
        )
    snapshot = _Builder(endpoint, schema, started)
    today = _today(snapshot, list(ids.values()))
    there = set(today.index.tolist())
    lost = {id_: "the server has no such row any more" for id_ in ids.values() if id_ not in there}
    gone = marked_ids(frame) & set(lost)
    exported: dict[str, Mapping[str, Any]] = {}
    """The rows that were in another state than today's."""
    stale = _stale(frame, ids, today) if base == "receipt" else {}
    if stale:
        differing, without_history, cells = _differing(schema, frame, ids, today, stale)
        rows = {row["_id"]: row for row in records_of(schema, today[today.index.isin(list(differing))])}
        alike = [path for path in schema.columns if path in frame.columns]
        for id_, state in _from_file(source, schema, differing, rows):
            exported[id_] = _as_today(state, rows[id_], [p for p in alike if p not in cells[id_]])
            del differing[id_]
            without_history.discard(id_)
        for id_, found in _rebuilt(endpoint, schema, differing, rows, progress=progress):
            if isinstance(found, str) or id_ in without_history:
                lost[id_] = found if isinstance(found, str) else NO_META_HISTORY
            else:
                exported[id_] = _as_today(found, rows[id_], [p for p in alike if p not in cells[id_]])
    left = [id_ for id_ in ids.values() if id_ not in lost]
    for id_ in gone:
        del lost[id_]
    others = _same_key_rows(endpoint, schema, frame, ids, there)
    made = snapshot.made(snapshot.with_states(today, left, exported, others), lost, gone)
    return made if labels is None else labelled(made, known=labels)


def _today(snapshot: _Builder, ids: Sequence[str]) -> pd.DataFrame:
    """Return the rows with these `_id`s as they are now: of many as `fetch` reads them, which is faster."""
    endpoint = snapshot.endpoint
    around = range_worth_paging(endpoint, ids)
    if around is not None:
        rows, wanted = fetch(endpoint, {"q": around}, progress=False).frame(meta=True), set(ids)
        among = [id_ in wanted for id_ in rows.index.tolist()]
        return rows if all(among) else rows[among]
    return snapshot.frame(list(read(endpoint, "_id", ids)))


def snapshot_by_key(endpoint: Endpoint, frame: pd.DataFrame, key: str) -> Snapshot:
    """Return today's rows that have the keys of a frame, to compare it with by `diff(key=)`.

    Args:
        endpoint: Where the rows are from.
        frame: As it was read from a file.
        key: A unique field; a frame without such a column is left to the diff.

    Raises:
        ValueError: The file was exported from another server.
        sispy.Error: The server could not be asked.
    """
    started, schema = datetime.now(UTC), schema_of(endpoint.client, endpoint.name)
    source = source_of(frame)
    if source is not None:
        source.refuse_other(endpoint.client, endpoint.name)
    keys = values_in(schema.field(key), frame[key]) if key in frame.columns else []
    wanted = {value for value in keys if value is not None}
    snapshot = _Builder(endpoint, schema, started)
    made = snapshot.made(snapshot.frame(list(read(endpoint, key, sorted(wanted, key=str)))), {}, ())
    labels = source.labels if source is not None else None
    return made if labels is None else labelled(made, known=labels)


def values_in(field: Field, cells: pd.Series[Any]) -> list[Any]:
    """Return the values of a scalar column, as the server has them; None for what is no value of it."""
    found: list[Any] = []
    for cell in cells.tolist():
        try:
            found.append(None if is_missing(cell) else cast(field, cell))
        except ValueError:  # the diff names it
            found.append(None)
    return found


@dataclass(frozen=True)
class _Builder:
    """Makes snapshots out of entities."""

    endpoint: Endpoint
    schema: Schema
    started: datetime

    def made(self, frame: pd.DataFrame, lost: Mapping[str, str], gone: Iterable[str]) -> Snapshot:
        return Snapshot(
            schema=self.schema,
            endpoint=self.endpoint,
            query={},
            fields=None,
            fetched_at=self.started,
            warnings=warnings_frame([]),
            _frame=frame,
            lost=lost,
            gone=frozenset(gone),
        )

    def frame(self, entities: list[Mapping[str, Any]]) -> pd.DataFrame:
        columns = columns_of(entities, (*self.schema.fields, *META))
        return frame_of(self.schema, columns, [e["_id"] for e in entities], [receipt(e) for e in entities])

    def with_states(
        self,
        today: pd.DataFrame,
        ids: Sequence[str],
        exported: Mapping[str, Mapping[str, Any]],
        others: Sequence[Mapping[str, Any]],
    ) -> pd.DataFrame:
        """Return rows of today in the order of `ids`, some of them in another state, and others behind."""
        if not exported and not others:
            return today if today.index.tolist() == ids else today.loc[list(ids)]
        rows = {row["_id"]: row for row in records_of(self.schema, today)} | dict(exported)
        return self.frame([*(rows[id_] for id_ in ids), *others])


def _stale(frame: pd.DataFrame, ids: Mapping[int, str], today: pd.DataFrame) -> dict[str, int | None]:
    """Return the rows whose receipt is not that of today: `_id` -> receipt."""
    receipts = receipts_of(frame[RECEIPT.path]) if ids else []
    now = dict(zip(today.index.tolist(), receipts_of(today[RECEIPT.path]), strict=True))
    return {
        id_: receipts[position]
        for position, id_ in ids.items()
        if id_ in now and receipts[position] != now[id_]
    }


def _differing(
    schema: Schema,
    frame: pd.DataFrame,
    ids: Mapping[int, str],
    today: pd.DataFrame,
    stale: Mapping[str, int | None],
) -> tuple[dict[str, int | None], set[str], dict[str, set[str]]]:
    """Return the stale rows in which a cell differs from today, or which are to be deleted.

    The second are those that differ in the part of `_sis` that has no history; the third names the fields
    that differ, by row.
    """
    positions = [position for position, id_ in ids.items() if id_ in stale]
    mine = frame.iloc[positions]
    today = today.loc[[ids[position] for position in positions]]
    marked = marked_ids(frame)
    differ = {i for i, position in enumerate(positions) if ids[position] in marked}
    cells: dict[str, set[str]] = {ids[position]: set() for position in positions}
    for name in schema.columns:
        others = _other_cells(schema, name, today, mine)
        differ |= others
        for i in others:
            cells[ids[positions[i]]].add(name)
    in_meta: set[int] = set()
    for name in EDITABLE_META:
        in_meta |= _other_cells(schema, name, today, mine)
    times = {ids[positions[i]]: stale[ids[positions[i]]] for i in sorted(differ | in_meta)}
    return times, {ids[positions[i]] for i in in_meta}, cells


def _other_cells(schema: Schema, name: str, today: pd.DataFrame, mine: pd.DataFrame) -> set[int]:
    if name not in mine.columns:
        return set()
    return {position for position, *_ in changed(schema.field(name), today[name], mine[name])}


def _as_today(state: Mapping[str, Any], today: Mapping[str, Any], paths: Iterable[str]) -> Mapping[str, Any]:
    """Return an exported state with the fields as of today that the file holds just so: no edits any more."""
    row = _copy(state)
    for path in paths:
        set_path(row, path, get_path(today, path))
    return row


def _from_file(
    source: Source | None,
    schema: Schema,
    wanted: Mapping[str, int | None],
    today: Mapping[str, Mapping[str, Any]],
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the states that the file itself holds: what it lacks, nobody can have edited in it."""
    base = source.base if source is not None and wanted else None
    if base is None:
        return []
    part = base[base.index.isin(list(wanted))]
    found: list[tuple[str, Mapping[str, Any]]] = []
    for state in records_of(schema, part):
        id_, when = state["_id"], state["_sis"][RECEIPT.path]
        if when == wanted[id_]:
            row = _copy(today[id_])
            row["_sis"] = {**row.get("_sis", {}), RECEIPT.path: when}
            for path in part.columns.drop(RECEIPT.path):
                set_path(row, path, get_path(state, path))
            found.append((id_, row))
    return found


def _rebuilt(
    endpoint: Endpoint,
    schema: Schema,
    wanted: Mapping[str, int | None],
    today: Mapping[str, Mapping[str, Any]],
    *,
    progress: Any,
) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    """Yield (`_id`, its state at the time of its receipt, or why there is none)."""

    def state(watched: Endpoint, id_: str) -> Mapping[str, Any] | str:
        when = wanted[id_]
        if when is None:
            return "it has no receipt: nobody can tell which state was edited"
        try:
            then = watched.revision(id_, when).to_dict()
        except NotFound:
            return NO_HISTORY
        sis = {**today[id_].get("_sis", {}), RECEIPT.path: when}  # changes of _sis leave no commits
        return {**_as_read(schema, then), "_id": id_, "_sis": sis}

    desc = f"revisions of {schema.name}"
    return each(endpoint, state, list(wanted), progress=progress, desc=desc, lanes=READERS)


def _as_read(schema: Schema, entity: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a revision as a read would have shown it: with defaults, if there are any (SIS-API 5.6)."""
    if not any(field.default for field in schema.fields if not field.kind.is_array):
        return entity
    filled = _copy(entity)
    for field in schema.fields:
        if field.default is None or get_path(entity, field.path) is not None:
            continue
        node = filled
        *parents, last = field.path.split(".")
        for part in parents:
            node = node.setdefault(part, {}) if isinstance(node, dict) else {}
        if last not in node:
            node[last] = field.default
    return filled


def _copy(entity: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copy(inner) if isinstance(inner, dict) else inner for name, inner in entity.items()}


def _same_key_rows(
    endpoint: Endpoint,
    schema: Schema,
    frame: pd.DataFrame,
    ids: Mapping[int, str],
    found: Collection[str],
) -> list[Mapping[str, Any]]:
    """Return the rows that have the key of a new row: the file may have been pushed before."""
    if schema.key is None or schema.key not in frame.columns:
        return []
    new = [position for position in range(len(frame)) if position not in ids]
    keys = set(values_in(schema.field(schema.key), frame[schema.key].iloc[new]))
    wanted = sorted(keys - {None}, key=str)
    return [entity for entity in read(endpoint, schema.key, wanted) if entity["_id"] not in found]
