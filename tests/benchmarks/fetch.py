"""Entities to a frame, against sispy 1.1.0 and the bytes: `python tests/benchmarks/fetch.py [--check]`.

A server process serves entities that were encoded beforehand (`canned.py`). sispy 1.1.0 is installed by pip
into a folder of its own. `--check` compares the frames of all routes instead.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if any("without extras" in argument for argument in sys.argv):
    sys.modules["msgspec"] = sys.modules["pyarrow"] = None  # type: ignore[assignment]

import pandas as pd

import sispy
from paired import HERE, Benchmark, Pair, Task, Work, growth, main, out, process, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DTYPES: dict[str, Any] = {
    "Boolean": "boolean",
    "Date": "datetime64[ms, UTC]",
    "String": "str",
    "ObjectId": "str",
}
Kinds = dict[str, Any]


def leaves_of(definition: Mapping[str, Any]) -> Kinds:
    """Return path -> options of each field."""
    found: Kinds = {}
    for name, kind in definition.items():
        if isinstance(kind, dict) and "type" not in kind:
            found |= {f"{name}.{inner}": option for inner, option in kind.items()}
        else:
            found[name] = kind
    return {path: kind if isinstance(kind, dict | list) else {"type": kind} for path, kind in found.items()}


def typed(path: str, options: Any, cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column with the dtype of its field."""
    if isinstance(options, list):
        return pd.Series([tuple(c) if isinstance(c, list) else () for c in cells], cells.index, dtype=object)
    if "enum" in options:
        return cells.astype(pd.CategoricalDtype(options["enum"]))
    if options["type"] == "Number":
        return cells.astype("Int64" if (cells.dropna() % 1 == 0).all() else "Float64")
    if options["type"] == "Date":
        return pd.to_datetime(cells).astype(DTYPES["Date"])
    return cells.astype(DTYPES[options["type"]]) if options["type"] != "Mixed" else cells


def with_receipt(frame: pd.DataFrame, receipts: Any) -> pd.DataFrame:
    frame["_updated_at"] = pd.to_datetime(receipts, unit="ms", utc=True).dt.as_unit("ms")
    return frame


def normalized(client: sispy.Client, name: str) -> pd.DataFrame:
    """Make the same frame as `fetch` with what pandas offers."""
    leaves = leaves_of(client.schemas.get(name)["definition"])
    rows = list(client.entities(name).fetch_all())
    mixed = [path for path, kind in leaves.items() if kind == {"type": "Mixed"}]
    kept = {path: [row.pop(path, None) for row in rows] for path in mixed}  # else they are taken apart
    frame = pd.json_normalize(rows).set_index("_id")
    for path, kind in leaves.items():
        frame[path] = kept[path] if path in kept else typed(path, kind, frame[path])
    return with_receipt(frame, frame["_sis._updated_at"])[[*leaves, "_updated_at"]]


def by_hand(client: sispy.Client, name: str) -> pd.DataFrame:
    """Make the same frame the way somebody who knows pandas well would: column by column."""
    leaves = leaves_of(client.schemas.get(name)["definition"])
    rows = list(client.entities(name).fetch_all())
    index = pd.Index([row["_id"] for row in rows], name="_id", dtype="str")
    columns = {}
    for path, kind in leaves.items():
        first, _, below = path.partition(".")
        if below:
            cells = [(row.get(first) or {}).get(below) for row in rows]
        else:
            cells = [row.get(first) for row in rows]
        is_text = isinstance(kind, dict) and kind["type"] in ("String", "ObjectId") and "enum" not in kind
        given = pd.Series(cells, index, dtype="str" if is_text else None)
        columns[path] = given if is_text else typed(path, kind, given)
    receipts = pd.Series([row["_sis"]["_updated_at"] for row in rows], index)
    return with_receipt(pd.DataFrame(columns), receipts)


def fetched(client: sispy.Client, name: str) -> pd.DataFrame:
    import sispy_pandas as sp

    return sp.fetch(client.entities(name), progress=False).frame()


def decoded(client: sispy.Client, name: str) -> None:
    """Download and decode by msgspec into the same Structs, without a frame."""
    import msgspec

    from sispy_pandas.reading.decode import Decoder
    from sispy_pandas.reading.listing import Listing

    listing = Listing.of(client.entities(name), {})
    structs: Any = Decoder(listing.fields)._structs
    names = {field.encode_name: field.name for field in msgspec.structs.fields(structs._struct.type)}
    mixed = [names[field.path] for field in listing.fields if field.type == "Mixed" and field.path in names]
    for page in raw_pages(client.entities(name)):
        rows = structs._decoder.decode(page)
        for path in mixed:
            msgspec.json.decode(b"[%s]" % b",".join(getattr(row, path) or b"null" for row in rows))


def raw_pages(endpoint: Any) -> Iterator[bytes]:
    last = None
    while True:
        q = {"_id": {"$gt": last}} if last else {}
        page = endpoint.raw_page({"q": q, "sort": "_id", "limit": 10_000, "populate": False})
        if page.body == b"[]":
            return
        yield page.body
        at = page.body.rindex(b'{"_id":"') + 8
        last = page.body[at : at + 24].decode()


BARE = "fetch without extras"
WAYS: dict[str, Callable[[sispy.Client, str], Any]] = {
    "json_normalize": normalized,
    "by hand": by_hand,
    "fetch": fetched,
    BARE: fetched,
    "frame": fetched,
    "decoded": decoded,
}
OLD = ("json_normalize", "by hand")


def route(way: str, name: str, *, check: bool = False) -> Callable[[Task], Work]:
    def prepare(task: Task) -> Work:
        client = sispy.Client(task.url)  # what is imported and set up only once is not measured
        client.schemas.get(name)
        if way not in OLD:
            import sispy_pandas as sp

            sp.fetch(client.entities(name), {"limit": 10}, progress=False)
        warm = pd.DataFrame({"a": ["x"], "b": ["2020-01-02T00:00:00.000Z"]}).astype({"a": "str"})
        pd.to_datetime(warm["b"])

        def work() -> Any:
            frame = WAYS[way](client, name)
            if check:
                return {"digest": digest(frame)}
            return {"peak": memory(frame)} if way == "frame" else frame

        return work

    return prepare


def memory(frame: pd.DataFrame) -> float:
    """Return the bytes of a frame and of all objects in it, each once: equal cells may share one."""
    found = float(frame.memory_usage().sum())
    seen: set[int] = set()
    return found + sum(
        size_of(cell, seen) for name in frame.columns if frame[name].dtype == object for cell in frame[name]
    )


def size_of(cell: Any, seen: set[int]) -> int:
    """Return the bytes of an object and of what is in it, but for those that were seen."""
    if id(cell) in seen:
        return 0
    seen.add(id(cell))
    inner = cell.values() if isinstance(cell, dict) else cell if isinstance(cell, list | tuple) else ()
    return sys.getsizeof(cell) + sum(size_of(value, seen) for value in inner)


def digest(frame: pd.DataFrame) -> str:
    """Return a fingerprint of names, dtypes and cells."""
    found = hashlib.sha256(json.dumps(frame.dtypes.astype(str).to_dict()).encode())
    for row in frame.reset_index().astype(object).itertuples(index=False, name=None):
        cells = [None if cell is None or cell != cell else cell for cell in map(plain, row)]
        found.update(json.dumps(cells, default=str, sort_keys=True).encode())
    return found.hexdigest()[:16]


def plain(cell: Any) -> Any:
    return None if type(cell).__name__ in ("NAType", "NaTType") else cell


@cache
def old_sispy() -> str:
    """Install sispy 1.1.0 into a temporary folder."""
    folder = tempfile.mkdtemp()
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, "sispy==1.1.0"]
    subprocess.run(command, check=True)
    return folder


def env(name: str, folder: Path) -> Mapping[str, str] | None:
    return {**os.environ, "PYTHONPATH": old_sispy()} if name.startswith(OLD) else None


def server(rows: int) -> Any:
    return process(str(HERE / "canned.py"), str(rows))


ROUTES = {f"{way}, {name}": route(way, name) for way in WAYS for name in ("host", "event")}
CHECKS = {
    f"{key}, check": route(*key.split(", "), check=True)
    for key in ROUTES
    if not key.startswith(("decoded", "frame"))
}
PAIRS = (
    Pair("`fetch` to sispy 1.1, `json_normalize` and `astype`", "fetch, host", "json_normalize, host", 1 / 6),
    Pair("`fetch` to sispy 1.1, columns by hand", "fetch, host", "by hand, host", 1 / 3.5),
    Pair("`fetch` to the bytes decoded by msgspec", "fetch, host", "decoded, host", 1.8),
    Pair("the same, 3 Mixed and 6 Date columns", "fetch, event", "decoded, event", 1.8),
    Pair("the same without extras to sispy 1.1, normalized", f"{BARE}, host", "json_normalize, host", 1 / 2),
    Pair("peak of `fetch` to the frame in memory", "fetch, host", "frame, host", 1.7, 1_000_000,
         measure="peak"),
    growth("`fetch`", "fetch, host"),
)  # fmt: skip
BENCHMARK = Benchmark(Path(__file__), {**ROUTES, **CHECKS}, PAIRS, server, env)


def compare() -> None:
    """Raise if two routes make different frames."""
    with server(30_000) as url, tempfile.TemporaryDirectory() as folder:
        task = Task(30_000, Path(folder), url, 0)
        for name in ("host", "event"):
            keys = [key for key in CHECKS if f", {name}" in key]
            found = {key: run(Path(__file__), key, task, env(key, task.folder))["digest"] for key in keys}
            if len(set(found.values())) > 1:
                raise SystemExit(f"the routes made different frames: {found}")
            out(f"{name}: all frames are equal")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        compare()
    else:
        main(__doc__, BENCHMARK)
