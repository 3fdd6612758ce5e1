"""The note that travels with an exported table: server, schema, query, time and format version."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from sispy.text import printable

from ..values.schema import parse_schema
from ..values.source import FORMAT, Source
from .atomic import replaced
from .bounds import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..values.row_set import RowSet
    from ..values.schema import Schema
    from .atomic import OutFile
    from .bounds import InFile

Note = dict[str, Any]
_KINDS: dict[str, Any] = {
    "format": int,
    "server": str,
    "schema": str,
    "schema_hash": str | None,
    "query": dict | None,
    "fetched_at": str | None,
    "labels": dict | None,
    "rows": int | None,
    "definition": dict,
    "id_field": str,
}
"""What a note holds, and of which type."""


def origin(snapshot: RowSet, *, zone: str) -> Note:
    """Return the note of a snapshot."""
    client = snapshot.endpoint.client
    labels = getattr(snapshot, "labels", None)
    return {
        "format": FORMAT,
        "server": client.url,
        "schema": snapshot.schema.name,
        "schema_hash": snapshot.schema.hash,
        "definition": snapshot.schema.definition,
        "id_field": snapshot.schema.id_field,
        "query": snapshot.query or {},
        "fetched_at": snapshot.fetched_at.isoformat(timespec="milliseconds"),
        "exported_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "rows": len(snapshot),
        "zone": zone,
    } | ({"labels": {path: labels.ids(path) for path in labels.names}} if labels else {})


def write_beside(file: OutFile, note: Note | None, rows: int, opened: IO[str]) -> None:
    """Write the note of a text file beside it; without one, remove what an earlier file left there.

    It is done last before the file takes its place, so that no file ever stands beside the note of another.
    """
    if file.path is None:
        return
    opened.flush()
    beside = _beside(file.path)
    if note is None:
        beside.unlink(missing_ok=True)
        return
    with replaced(beside) as text:
        json.dump(note | {"rows": rows}, text, ensure_ascii=False, indent=1, sort_keys=True)
        text.write("\n")


def read_beside(file: InFile) -> Note:
    """Return the note beside a text file; empty if there is none.

    Raises:
        ValueError: What is there is no note: then nothing would tell a table of another server.
    """
    if file.path is None:
        return {}
    beside = _beside(file.path)
    try:
        return parsed(_text(beside))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(
            f"{printable(beside)} was damaged ({error}): remove it to read the table without"
        ) from None


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST or not path.is_file():  # a device, or a pipe that never ends
        raise ValueError("it is not a regular file of a size that is read")
    return path.read_text(encoding="utf-8")


def parsed(text: str) -> Note:
    """Return the note of a text.

    Raises:
        ValueError: It is no note.
    """
    try:
        found: Any = json.loads(text)
    except RecursionError as error:
        raise ValueError(str(error)) from None
    why = _wrong(found)
    if why:
        raise ValueError(why)
    return dict(found)


def _wrong(found: Any) -> str:
    """Return in words what of a note is wrong; nothing if it is in order."""
    if not isinstance(found, dict) or not found:
        return "it is not the note of an export"
    wrong = [key for key, kind in _KINDS.items() if key in found and not isinstance(found[key], kind)]
    return f"its {wrong[0]} is {json.dumps(found[wrong[0]])[:40]}" if wrong else ""


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.meta.json")


def check(file: InFile, note: Mapping[str, Any], schema: Schema) -> None:
    """Refuse a table of another schema, or one that a later version of this package wrote.

    A note beside a file that names no server is refused, too: it would switch off the check that the table is
    this one's. The note in a workbook (it has a `sheet`) names none where a frame came from none.

    Raises:
        ValueError: It is one of those.
    """
    if note.get("schema", schema.name) != schema.name:
        raise ValueError(f"{printable(file)} is a table of schema {note['schema']!r}, not of {schema.name!r}")
    if int(note.get("format", FORMAT)) > FORMAT:
        raise ValueError(
            f"{printable(file)} has format {note['format']}: a later sispy wrote it, this one reads {FORMAT}"
        )
    if note and not {"server", "sheet"} & note.keys():
        raise ValueError(f"the note that belongs to {printable(file)} was damaged: it names no server")


def schema_in(note: Mapping[str, Any]) -> Schema | None:
    """Return the schema that a table was exported with; None where its note does not tell."""
    if not note.keys() >= {"schema", "definition", "id_field"}:
        return None
    return parse_schema({"name": note["schema"], **{key: note[key] for key in ("definition", "id_field")}})


def described(source: Source, note: Mapping[str, Any], schema: Schema) -> Source:
    """Return the source of a file together with what its note says."""
    notes = source.notes
    if note.get("schema_hash", schema.hash) != schema.hash:
        notes += (f"the definition of {schema.name} has changed since the export",)
    return replace(
        source,
        server=note.get("server"),
        schema=note.get("schema"),
        query=note.get("query"),
        fetched_at=note.get("fetched_at"),
        exported=note.get("rows"),
        labels=note.get("labels", source.labels),
        notes=notes,
    )
