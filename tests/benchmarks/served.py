"""What asks a server: files against today's rows, history, pushes: `python tests/benchmarks/served.py`.

The server is a sandbox in a process of its own; all that is counted is the client's. The rows are those of
`push.py`: 30 columns, 700 bytes.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pandas as pd
import requests

import sispy
import sispy_pandas as sp
from paired import Benchmark, Pair, Task, Work, growth, main, process
from push import DEFINITION, entity
from sispy.sandbox import Sandbox
from sispy_pandas.values.changes import Update

CHUNK, ASKED = 500, 200
"""Rows of a PUT, and of a GET whose URL is short enough."""


def serve(rows: int) -> None:
    """Run a server with so many rows until standard input is closed."""
    with Sandbox() as sandbox:
        client = sandbox.client()
        client.schemas.create({"name": "host", "_sis": {"owner": ["ops"]}, "definition": DEFINITION})
        for start in range(0, rows, 2000):
            client.entities("host").create([entity(i) for i in range(start, min(rows, start + 2000))])
        sys.stdout.write(f"{sandbox.url} {sandbox.token}\n")
        sys.stdout.flush()
        sys.stdin.read()


def server(rows: int) -> contextlib.AbstractContextManager[str]:
    return process(__file__, "--serve", str(rows))


def hosts_of(task: Task) -> sispy.Endpoint:
    """Return the rows of the server; what is imported only once is imported now."""
    _ = [getattr(sp, name) for name in sp.__all__]
    url, token = task.url.split()
    client = sispy.Client(url, auth_token=token)
    client.username = "root"
    return client.entities("host")


def fetched(task: Task) -> Work:
    hosts = hosts_of(task)
    sp.fetch(hosts, {"limit": 10}, progress=False)
    return lambda: sp.fetch(hosts, progress=False).frame()


def snapshot(task: Task) -> Work:
    hosts = hosts_of(task)
    frame = sp.fetch(hosts, progress=False).frame()
    return lambda: sp.snapshot_of(hosts, frame, progress=False)


def edited_csv(task: Task) -> Path:
    """Return an exported file of which one row in a hundred was edited."""
    path = task.folder / f"{task.rows}.csv"
    if not path.exists():
        sp.to_csv(hosts_of(task), path, progress=False)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        lines[1::100] = [line.replace("text 1 of", "edited") for line in lines[1::100]]
        path.write_text("".join(lines), encoding="utf-8", newline="")
    return path


def read_before(hosts: sispy.Endpoint, task: Task) -> sp.Schema:
    """Return the schema; some rows were fetched, written, read and compared: all imports are done."""
    few = sp.fetch(hosts, {"limit": 10}, progress=False)
    sp.to_csv(few, task.folder / "few.csv", progress=False)
    sp.read_csv(task.folder / "few.csv", few.schema)
    few.diff(few.frame())
    return few.schema


def csv_plan(task: Task) -> Work:
    hosts, path = hosts_of(task), edited_csv(task)
    schema = read_before(hosts, task)

    def work() -> None:
        frame = sp.read_csv(path, schema)
        assert len(sp.snapshot_of(hosts, frame, progress=False).diff(frame)) == -(-task.rows // 100)

    return work


def csv_and_fetch(task: Task) -> Work:
    hosts, path = hosts_of(task), edited_csv(task)
    schema = read_before(hosts, task)
    return lambda: (sp.read_csv(path, schema), sp.fetch(hosts, progress=False).frame())


def workbook(task: Task) -> Path:
    path = task.folder / f"{task.rows}.xlsx"
    if not path.exists():
        sp.to_excel(sp.fetch(hosts_of(task), progress=False), path)
    return path


def xlsx_plan(task: Task) -> Work:
    hosts, path = hosts_of(task), workbook(task)
    schema = read_before(hosts, task)

    def work() -> None:
        frame = sp.read_excel(path, schema)
        assert len(sp.snapshot_of(hosts, frame, progress=False).diff(frame)) == 0

    return work


def xlsx_by_pandas(task: Task) -> Work:
    path = workbook(task)
    return lambda: pd.read_excel(path, dtype=object, engine="openpyxl")


def changes(task: Task) -> Work:
    hosts = hosts_of(task)
    return lambda: sp.changes(hosts, since=timedelta(days=1), progress=False)


def as_of(task: Task) -> Work:
    hosts = hosts_of(task)
    sp.fetch(hosts, {"limit": 10}, progress=False)
    return lambda: sp.as_of(hosts, datetime.now(UTC), progress=False)


def gets(task: Task, below: str) -> Work:
    """Return the work that reads as much of each row by the standard library alone."""
    url, token = task.url.split()
    ids = sp.fetch(hosts_of(task), {"fields": "name"}, progress=False).ids.tolist()
    place, headers = urlsplit(url), {"x-auth-token": token}

    def work() -> None:
        connection = http.client.HTTPConnection(place.hostname or "", place.port)
        for id_ in ids:
            connection.request("GET", f"/api/v1.1/entities/host/{id_}{below}", headers=headers)
            json.loads(connection.getresponse().read())
        connection.close()

    return work


def commits_by_hand(task: Task) -> Work:
    return gets(task, "/commits")


def revisions_by_hand(task: Task) -> Work:
    return gets(task, f"/revision/{int(datetime.now(UTC).timestamp() * 1000)}")


def planned(task: Task, word: str) -> sp.Plan:
    """Return a plan that changes a cell of every row to something new."""
    live = sp.fetch(hosts_of(task), progress=False)
    frame = live.frame()
    text = f"{word} {task.turn}"
    again = " again" if str(frame["text1"].iat[0]).startswith(f"{text} of") else ""  # by the pair before
    frame["text1"] = [f"{text}{again} of {n}" for n in range(len(frame))]
    return live.diff(frame)


def pushed(task: Task) -> Work:
    plan = planned(task, "pushed")
    journal = task.folder / f"push{time.time_ns()}.jsonl"

    def work() -> dict[str, float]:
        report = plan.push(progress=False, verify=False, journal=journal)
        assert report.counts["done"] == len(plan), report
        return {"bytes": journal.stat().st_size / len(plan)}

    return work


def pushed_by_hand(task: Task) -> Work:
    plan = planned(task, "by hand")
    url, token = task.url.split()
    path = f"{url}/api/v1.1/entities/host"
    bodies = [{"_id": change.id, **change.after} for change in plan.changes if isinstance(change, Update)]

    def work() -> None:
        session = requests.Session()
        session.headers.update({"x-auth-token": token, "Content-Type": "application/json"})
        for start in range(0, len(bodies), ASKED):
            ids = [body["_id"] for body in bodies[start : start + ASKED]]
            query = urlencode({"q": json.dumps({"_id": {"$in": ids}}), "limit": ASKED})
            assert len(json.loads(session.get(f"{path}?{query}").content)) == len(ids)
        for start in range(0, len(bodies), CHUNK):
            data = json.dumps(bodies[start : start + CHUNK])
            assert "success" in json.loads(session.put(path, data=data).content)

    return work


def stale(task: Task) -> Work:
    """Return the work for a file of which every row was written since, in a cell that the file shows."""
    hosts = hosts_of(task)
    frame = sp.fetch(hosts, progress=False).frame()
    planned(task, "stale").push(progress=False, verify=False).raise_for_failures()
    return lambda: sp.snapshot_of(hosts, frame, progress=False)


def verified(task: Task) -> Work:
    report = planned(task, "verified").push(progress=False, verify=False)

    def work() -> None:
        assert not any(outcome.unverified for outcome in report.verify(progress=False).outcomes)

    return work


def none(task: Task) -> Work:
    """Return the work that is a byte a row."""
    return lambda: {"bytes": 1.0}


ROUTES = {
    one.__name__: one
    for one in (
        fetched, snapshot, csv_plan, csv_and_fetch, xlsx_plan, xlsx_by_pandas, changes, as_of,
        commits_by_hand, revisions_by_hand, stale, verified, pushed, pushed_by_hand, none,
    )
}  # fmt: skip
PAIRS = (
    Pair("plan of an edited CSV to `read_csv` and `fetch`", "csv_plan", "csv_and_fetch", 1.3),
    Pair("plan of an unedited workbook to pandas' `read_excel`", "xlsx_plan", "xlsx_by_pandas", 0.8, 40_000),
    Pair("`snapshot_of` of a fresh file to `fetch`", "snapshot", "fetched", 1.2),
    growth("`snapshot_of`", "snapshot"),  # before all rows are written
    growth("plan of an edited CSV", "csv_plan"),
    Pair("push with guard and journal to GETs and PUTs by requests", "pushed", "pushed_by_hand", 2.5),
    Pair("bytes of the journal for each row", "pushed", "none", 300, measure="bytes"),
    Pair("`changes` to GETs by http.client", "changes", "commits_by_hand", 2.5, 2_000),
    Pair("`as_of` to GETs by http.client", "as_of", "revisions_by_hand", 2.5, 2_000),
    Pair("`snapshot_of` of stale rows to the same GETs", "stale", "revisions_by_hand", 2.5, 2_000),
    Pair("`verify` to GETs by http.client", "verified", "commits_by_hand", 2.5, 2_000),
    growth("push", "pushed"),
)  # fmt: skip
BENCHMARK = Benchmark(Path(__file__), ROUTES, PAIRS, server)

if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]))
    else:
        main(__doc__, BENCHMARK)
