"""What the benchmarks share: a route in a process of its own, pairs of routes that take turns, one table.

A route is a function that prepares everything and returns the work that is measured. Each measurement is a
fresh process and counts its CPU seconds, whatever servers need; the routes of a pair take turns, and what
counts is the ratio of each turn: its median, and between which it lies.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Task:
    """What a route gets."""

    rows: int
    folder: Path
    """For files; the same for all routes of a run."""
    url: str
    """Of the server that the benchmark runs, if it runs one."""
    turn: int


Work = Callable[[], object]
Route = Callable[[Task], Work]


@dataclass(frozen=True)
class Pair:
    """Two routes that do the same, and how much more the first may cost."""

    what: str
    mine: str
    other: str
    goal: float
    """Ratio of the first to the second, at most."""
    rows: int = 100_000
    other_rows: int | None = None
    """Where the other route has fewer."""
    measure: str = "cpu"
    """cpu: seconds; peak: bytes above those before; or a number that the work returns."""


def growth(what: str, route: str, rows: int = 100_000) -> Pair:
    """Return the pair of a route with ten times the rows, which may cost it 10 ** 1.1 times as much."""
    return Pair(f"growth of {what}, from a tenth", route, route, 10**1.1, rows, rows // 10)


def measured(work: Work) -> dict[str, float]:
    """Do the work, and return CPU seconds, and bytes of memory at the peak beyond those before."""
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    start = time.process_time()
    found = work()
    cpu = time.process_time() - start
    own = found if isinstance(found, dict) else {}
    return {"cpu": cpu, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before, **own}


def run(script: Path, route: str, task: Task, env: Mapping[str, str] | None = None) -> dict[str, float]:
    """Measure a route in a process of its own."""
    given = [route, str(task.rows), str(task.folder), task.url, str(task.turn)]
    command = [sys.executable, str(script), "--route", *given]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        raise SystemExit(f"{script.name}, {route}: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@dataclass(frozen=True)
class Benchmark:
    """A script of pairs."""

    script: Path
    routes: Mapping[str, Route]
    pairs: Sequence[Pair]
    server: Callable[[int], contextlib.AbstractContextManager[str]] | None = None
    """Runs a server with so many rows, and gives its URL."""
    env: Callable[[str, Path], Mapping[str, str] | None] = lambda route, folder: None
    """Returns what a route needs around it."""

    def lines(self, scale: float, repeats: int, only: str = "") -> Iterator[str]:
        """Yield the lines of the table, one for each pair."""
        wanted = [pair for pair in self.pairs if only in pair.what]
        for _, of_size in groupby(sorted(wanted, key=lambda pair: pair.rows), lambda pair: pair.rows):
            with TemporaryDirectory() as folder, contextlib.ExitStack() as servers:
                url = cache(lambda n: servers.enter_context(self.server(n)) if self.server else "")
                for pair in of_size:
                    yield self._line(pair, scale, repeats, Path(folder), url)

    def _line(self, pair: Pair, scale: float, repeats: int, folder: Path, url: Callable[[int], str]) -> str:
        rows = max(1, int(pair.rows * scale))
        fewer = rows if pair.other_rows is None else max(1, int(pair.other_rows * scale))
        found = []
        for turn in range(repeats):
            both = [
                run(self.script, route, Task(n, folder, url(n), turn), self.env(route, folder))[pair.measure]
                for route, n in ((pair.mine, rows), (pair.other, fewer))
            ]
            found.append((both[0] / max(both[1], 1e-4), *both))
        ratios = sorted(ratio for ratio, *_ in found)
        mine, other = (statistics.median(turn[n] for turn in found) for n in (1, 2))
        middle = statistics.median(ratios)
        kept = "yes" if middle <= pair.goal else "no"
        spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        return (
            f"| {pair.what}, {rows:,} | {figure(mine, pair)} | {figure(other, pair)} |"
            f" {middle:.2f} | {spread} | {pair.goal:.2f} | {kept} |"
        )


def figure(value: float, pair: Pair) -> str:
    """Return a measured number with its unit."""
    return (
        f"{value:.2f} s"
        if pair.measure == "cpu" and value >= 0.1
        else f"{value * 1000:.1f} ms"
        if pair.measure == "cpu"
        else f"{value / 1e6:,.0f} MB"
        if pair.measure == "peak"
        else f"{value:.2f}"
    )


HEAD = "| what, rows | sispy | baseline | ratio | spread | goal | met |\n|---|---:|---:|---:|---:|---:|---|"


def main(doc: str | None, *benchmarks: Benchmark) -> None:
    """Print the table of some benchmarks, or measure one route of the first."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="so many of the usual rows: 0.1 is a tenth")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each pair")
    parser.add_argument("--only", default="", help="a part of the name of a pair")
    parser.add_argument("--route", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.route:
        name, rows, folder, url, turn = given.route
        work = benchmarks[0].routes[name](Task(int(rows), Path(folder), url, int(turn)))
        out(json.dumps(measured(work)))
        return
    out(HEAD)
    for benchmark in benchmarks:
        for line in benchmark.lines(given.scale, given.repeats, given.only):
            out(line)


def out(text: str) -> None:
    """Print a line of the result."""
    print(text, flush=True)  # noqa: T201 - this is the result


@contextlib.contextmanager
def process(*command: str) -> Iterator[str]:
    """Run a server that prints its URL and ends with its standard input."""
    with subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as one:
        assert one.stdout
        assert one.stdin
        yield one.stdout.readline().strip()
        one.stdin.close()
