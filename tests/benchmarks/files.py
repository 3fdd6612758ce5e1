"""Files out and in against pandas' own writers and readers: `python tests/benchmarks/files.py`.

Tables of 30 columns, without lists, so that pandas can write them, too. Each route has done its work for ten
rows before it is measured, so that no import counts.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import sispy
import sispy_pandas as sp
from paired import Benchmark, Pair, Route, Task, Work, growth, main
from sispy_pandas.values.records import frame_of

if TYPE_CHECKING:
    from collections.abc import Callable

TYPES = ("String", "String", "Number", "Number", "Boolean", "Date", "enum", "String", "ObjectId", "IpAddress")
"""Thirty columns: each of these three times; every fifth cell is blank."""


def table(rows: int) -> tuple[sp.Schema, pd.DataFrame]:
    """A table of 30 columns without lists, so that pandas can write it too; what is imported is so now."""
    _ = [getattr(sp, name) for name in sp.__all__]
    definition = {
        f"f{n:02}": {"type": "String", "enum": ["live", "spare", "retired"]} if kind == "enum" else kind
        for n, kind in enumerate(TYPES * 3)
    }
    schema = sp.parse_schema({"name": "t", "definition": definition})
    rng = random.Random(7)  # noqa: S311 - the same data on every run
    make: dict[str, Callable[[], object]] = {
        "String": lambda: f"host{rng.randrange(10**6)}.example.com",
        "Number": lambda: rng.choice([rng.randrange(10**6), rng.random()]),
        "Boolean": lambda: rng.random() < 0.5,
        "Date": lambda: f"2025-{rng.randrange(1, 13):02}-11T10:20:30.{rng.randrange(1000):03}Z",
        "enum": lambda: rng.choice(["live", "spare", "retired"]),
        "ObjectId": lambda: f"{rng.getrandbits(96):024x}",
        "IpAddress": lambda: f"10.{rng.randrange(256)}.{rng.randrange(256)}.1/24",
    }
    columns = {
        f"f{n:02}": [None if rng.random() < 0.2 else make[kind]() for _ in range(rows)]
        for n, kind in enumerate(TYPES * 3)
    }
    return schema, frame_of(schema, columns, [f"{i:024x}" for i in range(rows)], [1_795_436_355_529] * rows)


def excel_ready(frame: pd.DataFrame) -> pd.DataFrame:
    """What pandas' writer takes: times without zone."""
    times = frame.select_dtypes("datetimetz").columns
    return frame.assign(**{name: frame[name].dt.tz_localize(None) for name in times})


def exported(rows: int) -> sp.Snapshot:
    """Return a snapshot of such a table, of a server that nobody asks."""
    schema, frame = table(rows)
    endpoint = sispy.Client("http://127.0.0.1:1").entities("t")
    now = datetime.now(UTC)
    return sp.Snapshot(schema, endpoint, {}, None, now, pd.DataFrame(), frame)


def csv_out(task: Task) -> Work:
    schema, frame = table(task.rows)
    return lambda: sp.to_csv(frame, task.folder / "mine.csv", schema=schema)


def csv_out_by_pandas(task: Task) -> Work:
    _, frame = table(task.rows)
    return lambda: frame.to_csv(task.folder / "other.csv")


def csv_file(task: Task) -> Path:
    """Return an exported file of so many rows, made once."""
    path = task.folder / f"{task.rows}.csv"
    if not path.exists():
        schema, frame = table(task.rows)
        sp.to_csv(frame, path, schema=schema)
    return path


def xlsx_file(task: Task) -> Path:
    """Return a workbook of so many rows without formulas, made once."""
    path = task.folder / f"{task.rows}.xlsx"
    if not path.exists():
        excel_ready(table(task.rows)[1]).to_excel(path, engine="xlsxwriter")
    return path


def csv_in(task: Task) -> Work:
    path = csv_file(task)
    schema, _ = table(10)
    return lambda: sp.read_csv(path, schema)


def csv_in_by_pandas(task: Task) -> Work:
    path = csv_file(task)
    return lambda: pd.read_csv(path, dtype=str)


def xlsx_out(task: Task) -> Work:
    snapshot = exported(task.rows)
    return lambda: sp.to_excel(snapshot, task.folder / "mine.xlsx")


def xlsx_out_by_pandas(task: Task) -> Work:
    ready = excel_ready(table(task.rows)[1])
    return lambda: ready.to_excel(task.folder / "other.xlsx", engine="xlsxwriter")


def xlsx_in(task: Task) -> Work:
    path, (schema, _) = xlsx_file(task), table(10)
    return lambda: sp.read_excel(path, schema)


def xlsx_in_by_pandas(task: Task) -> Work:
    path = xlsx_file(task)
    return lambda: pd.read_excel(path, dtype=object, engine="openpyxl")


def warm(route: Route) -> Route:
    """Return a route that did its work for ten rows before, so that all imports are done."""

    def prepare(task: Task) -> Work:
        route(replace(task, rows=10))()
        return route(task)

    return prepare


ROUTES = {
    one.__name__: warm(one)
    for one in (
        csv_out,
        csv_out_by_pandas,
        csv_in,
        csv_in_by_pandas,
        xlsx_out,
        xlsx_out_by_pandas,
        xlsx_in,
        xlsx_in_by_pandas,
    )
}
PAIRS = (
    Pair("`to_csv` to pandas' own", "csv_out", "csv_out_by_pandas", 0.5),
    Pair("`read_csv` to `pandas.read_csv(dtype=str)`", "csv_in", "csv_in_by_pandas", 1.2),
    Pair("`to_excel` to pandas' own, XlsxWriter", "xlsx_out", "xlsx_out_by_pandas", 0.45, 40_000),
    Pair("`read_excel` to pandas' own, openpyxl", "xlsx_in", "xlsx_in_by_pandas", 0.4, 40_000),
    growth("`read_csv`", "csv_in"),
    growth("`to_csv`", "csv_out"),
    growth("`to_excel`", "xlsx_out", 40_000),
    growth("`read_excel`", "xlsx_in", 40_000),
)
BENCHMARK = Benchmark(Path(__file__), ROUTES, PAIRS)

if __name__ == "__main__":
    main(__doc__, BENCHMARK)
