"""CPU time of files out and in against pandas' own writers and readers: `python tests/benchmarks/files.py`.

Every route runs in a process of its own, routes take turns, and the least CPU time of the repeats counts.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import sispy_pandas as sp
from sispy_pandas.values.records import frame_of

if TYPE_CHECKING:
    from collections.abc import Callable

TYPES = ("String", "String", "Number", "Number", "Boolean", "Date", "enum", "String", "ObjectId", "IpAddress")
"""Thirty columns: each of these three times; every fifth cell is blank."""
GOALS = {"csv out": 0.5, "csv in": 2.0, "xlsx out": 1.0, "xlsx in": 1.0}


def table(rows: int) -> tuple[sp.Schema, pd.DataFrame]:
    """A table of 30 columns without lists, so that pandas can write it too."""
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


def run(route: str, rows: int, folder: Path) -> float:
    """Return the CPU seconds of one route."""
    kind, way, whose = route.split()
    path = folder / f"{whose}.{kind}"
    schema, frame = table(rows if way == "out" else 0)
    ready = excel_ready(frame) if kind == "xlsx" else frame
    work: dict[str, Callable[[], object]] = {
        "csv out sispy": lambda: sp.to_csv(frame, path, schema=schema),
        "csv out pandas": lambda: frame.to_csv(path),
        "csv in sispy": lambda: sp.read_csv(path, schema),
        "csv in pandas": lambda: pd.read_csv(path, dtype=str),
        "xlsx out sispy": lambda: sp.to_excel(frame, path, schema=schema),
        "xlsx out pandas": lambda: ready.to_excel(path, engine="xlsxwriter"),
        "xlsx in sispy": lambda: sp.read_excel(path, schema),
        "xlsx in pandas": lambda: pd.read_excel(path, dtype=object),
    }
    start = time.process_time()
    work[route]()
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="csv or xlsx")
    parser.add_argument("--route", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.route:
        sys.stdout.write(f"{run(given.route, given.rows, given.folder)}\n")
        return
    heads = "".join(f"{name:>8}" for name in ("sispy", "pandas", "ratio", "goal"))
    sys.stdout.write(f"{given.rows:,} rows, 30 columns, CPU seconds\n{'':10}{heads}\n")
    with tempfile.TemporaryDirectory() as folder:
        for what, goal in GOALS.items():
            if not what.startswith(given.only):
                continue
            best = {"sispy": float("inf"), "pandas": float("inf")}
            for _ in range(given.repeats):
                for whose in best:
                    options = {"--route": f"{what} {whose}", "--rows": str(given.rows), "--folder": folder}
                    command = [sys.executable, __file__, *(part for pair in options.items() for part in pair)]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    best[whose] = min(best[whose], float(done.stdout))
            ratio = best["sispy"] / best["pandas"]
            sys.stdout.write(f"{what:10}{best['sispy']:8.2f}{best['pandas']:8.2f}{ratio:8.2f}{goal:8.1f}\n")


if __name__ == "__main__":
    main()
