"""Tables that are larger than memory, a million rows: `python tests/benchmarks/scale.py [--scale 0.1]`.

The server is `canned.py`: all that is counted is the client's. A later run of a mirror finds every hundredth
row written, and no row deleted.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

import sispy
import sispy_pandas as sp
from paired import HERE, Benchmark, Pair, Task, Work, main, process

ROWS = 1_000_000


def server(rows: int) -> contextlib.AbstractContextManager[str]:
    return process(str(HERE / "canned.py"), str(rows))


def hosts_of(url: str, every: int = 0) -> sispy.Endpoint:
    """Return the rows of the server, after every so many of them were written; all imports are done."""
    _ = [getattr(sp, name) for name in sp.__all__]
    with urlopen(Request(f"{url}/written/{every}", method="POST")) as answer:  # noqa: S310 - of this machine
        answer.read()
    hosts = sispy.Client(url).entities("host")
    sp.fetch(hosts, {"limit": 10}, progress=False)
    return hosts


def new(task: Task) -> Path:
    """Return where there is nothing yet."""
    return Path(tempfile.mkdtemp(dir=task.folder)) / "host"


def first(task: Task) -> Work:
    hosts, folder = hosts_of(task.url), new(task)
    return lambda: {"bytes": sp.mirror(hosts, folder, progress=False).bytes / task.rows}


def later(task: Task) -> Work:
    """Return the run after the first one, which was another process's: its memory is none of this one's."""
    made, folder = task.folder / f"made{task.rows}", new(task)
    if not made.exists():
        hosts_of(task.url)
        subprocess.run([sys.executable, __file__, "--make", task.url, str(made)], check=True)
    shutil.copytree(made.with_name(f".{made.name}.mirror"), folder.with_name(f".{folder.name}.mirror"))
    folder.symlink_to(Path(f".{folder.name}.mirror") / "000001")
    hosts = hosts_of(task.url, every=100)

    def work() -> dict[str, float]:
        report = sp.mirror(hosts, folder, progress=False)
        assert (report.changed, report.deleted) == (-(-task.rows // 100), 0), report
        return {"bytes": report.bytes / task.rows}

    return work


def exported(task: Task) -> Work:
    hosts, path = hosts_of(task.url), new(task)
    return lambda: sp.to_parquet(hosts, path, progress=False)


def by_dask(task: Task) -> Work:
    """Return the export by dask in a single thread; a partition is as large as a file of a mirror."""
    hosts, folder = hosts_of(task.url), new(task)
    table = sp.read_dask(hosts, partitions=max(1, task.rows // 50_000))
    return lambda: table.to_parquet(folder, compute_kwargs={"scheduler": "synchronous"})


def allowed(task: Task) -> Work:
    """Return the work that takes 300 MB."""
    return lambda: {"peak": 300e6}


ROUTES = {one.__name__: one for one in (first, later, exported, by_dask, allowed)}
PAIRS = (
    Pair("bytes a row of a mirror's later run, 1 % written, to the first", "later", "first", 0.05, ROWS,
         measure="bytes"),
    Pair("a mirror's later run to the first", "later", "first", 0.5, ROWS),
    Pair("a mirror's first run to `to_parquet`", "first", "exported", 1.3, ROWS),
    Pair("dask's `to_parquet` to `to_parquet`", "by_dask", "exported", 1.5, ROWS),
    Pair("peak of a mirror's first run to 300 MB", "first", "allowed", 1, ROWS, measure="peak"),
    Pair("peak of a mirror's later run to 300 MB", "later", "allowed", 1, ROWS, measure="peak"),
    Pair("peak of dask's `to_parquet` to 300 MB", "by_dask", "allowed", 1, ROWS, measure="peak"),
)  # fmt: skip
BENCHMARK = Benchmark(Path(__file__), ROUTES, PAIRS, server)

if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        sp.mirror(sispy.Client(sys.argv[2]).entities("host"), sys.argv[3], progress=False)
    else:
        main(__doc__, BENCHMARK)
