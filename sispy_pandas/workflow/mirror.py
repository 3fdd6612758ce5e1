"""A table as Parquet files on this machine; `catching_up` tells how it learns what has changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sispy import Endpoint
from sispy.encoding import one_address
from sispy.remedies import Argument, Message, message_of
from sispy.text import printable

from ..formats.bounds import InFile
from ..formats.generations import Store
from ..formats.note import described, schema_in
from ..formats.options import ReadOptions
from ..formats.parquet import Parquet
from ..formats.reader import read_frame
from ..pushing.locks import try_lock
from ..reading.listing import Listing, no_server
from ..reading.query import as_filter, joined, parse_query
from ..values.blocks import count
from ..values.extras import no_collection, optional
from ..values.progress import bar
from ..values.schema import RECEIPT
from ..values.source import Source, with_source
from .catching_up import Run

if TYPE_CHECKING:
    from ..formats.generations import Generation

_TRIES = 5
"""How often a mirror is read that is replaced meanwhile."""
_WORDS = {"q": "another filter", "fields": "other fields", "meta": "another choice of meta"}


@dataclass(frozen=True, slots=True)
class MirrorReport:
    """What a run of `mirror` did.

    Example:
        >>> mirror(client.entities("host"), "mirrored", progress=False)
        host in mirrored: 10 rows, all fetched (the first run)
        >>> mirror(client.entities("host"), "mirrored", progress=False).changed
        0
    """

    table: str
    folder: Path
    path: Path
    """The folder of this state alone, which stays until the one after the next: for reading that lasts."""
    rows: int
    """Rows of the table now."""
    fetched: int
    """Rows that were downloaded: those written since, and some that are as they were."""
    added: int | None
    """Rows that are new; None where all were fetched, for whatever reason."""
    changed: int | None
    deleted: int | None
    bytes: int
    """Of the server's answers, as far as they hold rows or ids."""
    written: int
    """Files that were written; all others are those of the state before."""
    parts: int
    """Files that there are."""
    why: str | None = None
    """Why all rows were fetched; None: only those written since."""

    def __repr__(self) -> str:
        head = f"{printable(self.table)} in {printable(self.folder)}: {count(self.rows, 'row')}"
        if self.why:
            return f"{head}, all fetched ({self.why})"
        said = {"added": self.added, "changed": self.changed, "deleted": self.deleted}
        told = ", ".join(f"{number:,} {word}" for word, number in said.items() if number)
        return f"{head}, {told or 'nothing has changed'} ({self.fetched:,} fetched)"


def mirror(
    endpoint: Endpoint,
    folder: str | os.PathLike[str],
    where: Mapping[str, Any] | str | None = None,
    *,
    fields: Sequence[str] | None = None,
    meta: bool | None = None,
    full: bool = False,
    progress: Any = True,
) -> MirrorReport:
    """Keep a table as Parquet files in a folder: the first run fetches all, later ones what changed since.

    The folder is read by `read_mirror`, and by `read_parquet` of pandas, polars, DuckDB and dask. It is a
    link, and leads to a complete new state from one moment to the next: readers meet the old state or
    the new one, never half of one, also if a run is killed. Files that stay as they are take no room twice.
    Columns are as in `to_parquet`; the rows are in the order of `_id`.

    All is fetched anew where rows do not tell what changed: when the definition was written, files are
    missing, or the server was put back to an older state. What is written while a run reads is in the mirror
    after the next one at the latest. Clocks of the server's processes may differ by ten minutes.

    Args:
        endpoint: Entities of a schema.
        folder: Of the mirror; it does not exist yet, is empty, or is a mirror of this table. The files are in
            `.NAME.mirror` beside it.
        where: A filter such as "status = live", or what `sp.where` returns, on fields of the table itself. It
            is remembered: later runs need not give it.
        fields: As in `fetch`; remembered.
        meta: Write the columns of `_sis`, too; remembered.
        full: Fetch all, and by another filter or of other fields if they are given.
        progress: As in `fetch`.

    Returns:
        What was done: rows fetched, added, changed, deleted, and bytes.

    Raises:
        ImportError: pyarrow is missing.
        ValueError: As in `fetch` and `to_parquet`; the folder is something else, a mirror of another table or
            server, or was made with another filter or other fields; another run is writing to it.
        sispy.BadAnswer: The rows are not those that the server counts; the mirror stays as it was.
        OSError: The folder cannot be written, or its disk knows no links.

    Example:
        >>> report = mirror(client.entities("host"), "hosts", progress=False)
        >>> report.rows, len(pd.read_parquet("hosts"))
        (10, 10)
    """
    optional("pyarrow.parquet", "fast")
    store = Store.of(folder)
    with _alone(store):
        store.tidied()
        before = store.present()
        listing, asked = _asked(endpoint, where, fields, meta, before, store, full=full)
        with no_collection(), bar(progress, total=None, unit=" rows", desc=listing.schema.name) as shown:
            run = Run(listing.watched(shown), asked, shown)
            why = "as was asked for" if full and before else run.why_all(before)
            now = run.done(store, before, why)
    return MirrorReport(
        table=listing.schema.name,
        folder=Path(folder),
        path=now.path,
        rows=now.rows,
        fetched=run.fetched,
        added=None if why else run.added,
        changed=None if why else run.changed,
        deleted=None if why else run.deleted,
        bytes=run.bytes,
        written=run.written,
        parts=len(now.parts),
        why=why,
    )


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Keep other runs out; the system frees the lock when its owner ends, however it ends."""
    store.root.mkdir(parents=True, exist_ok=True)
    handle = os.open(store.root / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not try_lock(handle):
            raise ValueError(f"another run is writing to {printable(store.folder)}")
        yield
    finally:
        os.close(handle)


def _refuse_other(endpoint: Endpoint, before: Generation, store: Store) -> None:
    for kind, theirs, mine in (
        ("server", one_address(str(before.note.get("server"))), endpoint.client.url),
        ("table", before.note.get("schema"), endpoint.name),
    ):
        if theirs != mine:
            where = printable(store.folder)
            raise ValueError(f"{where} is a mirror of {kind} {printable(theirs)}, not of {printable(mine)}")


def _asked(
    endpoint: Endpoint,
    where: Mapping[str, Any] | str | None,
    fields: Sequence[str] | None,
    meta: bool | None,
    before: Generation | None,
    store: Store,
    *,
    full: bool,
) -> tuple[Listing, dict[str, Any]]:
    """Return what to read, and what the folder has to remember of it.

    Raises:
        ValueError: What is asked for is not what the folder is made with.
    """
    wanted: dict[str, Any] = {"q": as_filter(where), "fields": fields, "meta": meta}
    known = before.asked if before else {"q": {}, "fields": None, "meta": False}
    told = {key: known[key] if value is None else value for key, value in wanted.items()}
    if before is not None and isinstance(endpoint, Endpoint):
        _refuse_other(endpoint, before, store)
    try:
        listing = Listing.of(endpoint, {"q": told["q"]}, told["fields"])
    except ValueError as error:
        if before is None or not any(known[key] and wanted[key] is None for key in ("q", "fields")):
            raise
        made = f"{printable(store.folder)} was made with {_made_with(known)}, and now: "
        anew = Argument("full", "makes it anew, with others that are given", True)
        raise ValueError(Message(made, message_of(error), anew)) from error
    path = joined(listing.schema, listing.query.q, listing.lookup)
    if path:
        raise ValueError(f"{path!r} is in another table: what is written there would not be noticed")
    names = told["fields"]
    asked = {
        "q": json.loads(json.dumps(listing.query.q)),
        "fields": names.split(",") if isinstance(names, str) else names and list(names),
        "meta": bool(told["meta"]),
    }
    other = [key for key in asked if asked[key] != known[key]] if before and not full else []
    if before is not None and other:
        made = f"{printable(store.folder)} was made with {_WORDS[other[0]]}: {json.dumps(known[other[0]])}"
        then = schema_in(before.note)
        if other == ["q"] and then is not None and then.fields != listing.schema.fields:
            made = f"{printable(store.folder)} was made before the definition changed: its filter was"
            made += f" {json.dumps(known['q'])}, and is {json.dumps(asked['q'])} now"
        raise ValueError(Message(made, Argument("full", "makes it anew", True)))
    return listing, asked


def _made_with(known: Mapping[str, Any]) -> str:
    words = {"q": "the filter", "fields": "the fields"}
    return " and ".join(f"{word} {json.dumps(known[key])}" for key, word in words.items() if known[key])


def read_mirror(folder: str | os.PathLike[str], *, fields: Sequence[str] | None = None) -> pd.DataFrame:
    """Read the present state of a mirror, as the frame that `fetch` gave then; no server is asked.

    Args:
        folder: Of a mirror, as `mirror` was given it.
        fields: Dotted paths of the columns wanted; None: all that it has.

    Returns:
        A frame indexed by `_id`, its receipts in `_updated_at`; edited, it is one that `snapshot_of` takes.

    Raises:
        ValueError: It is not a mirror, or damaged; it has no such field.
        ImportError: pyarrow is missing.

    Example:
        >>> _ = mirror(client.entities("host"), "hosts", progress=False)
        >>> read_mirror("hosts").equals(fetch(client.entities("host"), progress=False).frame())
        True
    """
    optional("pyarrow.parquet", "fast")
    store = Store.of(folder)
    for left in reversed(range(_TRIES)):
        found = store.present()
        if found is None:
            raise ValueError(f"{printable(folder)} is not a mirror: sp.mirror makes one")
        try:
            return _frame(found, Path(folder), fields)
        except FileNotFoundError as error:  # two runs ended meanwhile, and took away what was being read
            now = store.present()
            if not left or (now is not None and now.path == found.path):
                file = Path(error.filename or found.path).name
                said = f"{printable(folder)} was damaged: its file {printable(file)} is missing"
                raise ValueError(f"{said}; the next run of sp.mirror makes it anew") from None
    raise AssertionError


def _frame(found: Generation, folder: Path, fields: Sequence[str] | None) -> pd.DataFrame:
    schema = schema_in(found.note)
    if schema is None:
        raise ValueError(f"what is known of {printable(folder)} names no definition: make it anew")
    chosen = parse_query(schema, None, fields, no_server).fields
    parts = []
    for part in found.parts:
        frame = read_frame(InFile.of(found.path / part.file), Parquet(), schema, ReadOptions())
        frame.attrs.clear()
        parts.append(frame if chosen is None else frame[[*_listed(frame, chosen), RECEIPT.path]])
    whole = parts[0] if len(parts) == 1 else _joined(parts)
    return with_source(whole, described(Source(str(folder), exported=len(whole)), found.note, schema))


def _listed(frame: pd.DataFrame, chosen: Sequence[str]) -> list[str]:
    """Return chosen columns.

    Raises:
        ValueError: The mirror lacks one.
    """
    lacking = [name for name in chosen if name not in frame.columns]
    if lacking:
        raise ValueError(f"the mirror was made without {lacking[0]!r}")
    return [name for name in chosen if name != RECEIPT.path]


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return frames one below the other; a text that an enum does not list is a category in all of them."""
    for name in parts[0].select_dtypes("category").columns:
        kinds = [part[name].cat.categories for part in parts]
        if all(kind.equals(kinds[0]) for kind in kinds):
            continue
        every = list(dict.fromkeys(text for kind in kinds for text in kind))
        parts = [part.assign(**{name: part[name].cat.set_categories(every)}) for part in parts]
    return pd.concat(parts)
