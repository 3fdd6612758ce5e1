"""What does not fit into memory: every row of a million edited and pushed in parts.

    python tests/benchmarks/parts.py [--scale 0.05]

The server is a process of its own with answers that are ready, those of `canned.py` with what was written
into them: all that is counted is the client's. The rows are hosts of 18 columns and 600 bytes.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import sispy
import sispy_pandas as sp
from canned import DISTINCT, SCHEMA, entity, matching, tails
from paired import Benchmark, Pair, Route, Task, Work, growth, main, process
from sispy.cli.root import main as sispy_command

PART = 10_000
"""Rows of a part."""
SIS = b'"_sis":{"_updated_at":%d,"_updated_by":"root","owner":["ops"],"tags":[],"locked":false}'


def server(rows: int) -> contextlib.AbstractContextManager[str]:
    return process(__file__, "--serve", str(rows))


def serve(rows: int) -> None:
    """Run a server whose rows keep what is written, until standard input is closed."""
    ready, clock = tails(entity), itertools.count(1_800_000_000_000)
    answered = itertools.count()
    changed: dict[int, tuple[bytes, int]] = {}

    def row(i: int) -> bytes:
        tail = ready[i % DISTINCT]
        if i in changed:  # of two values under a key the later one counts
            fields, at = changed[i]
            tail = b"%s,%s,%s" % (tail[:-1], SIS % at, fields[1:])
        return b'{"_id":"%024x",%s' % (i + 1, tail)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            if url.path == "/answered":
                self.answer(json.dumps(next(answered)).encode())
            elif "/entities/host" in url.path:
                found = matching(query, rows, 0)
                some = found[int(query.get("offset", 0)) :][: int(query.get("limit", 10_000))]
                self.answer(b"[%s]" % b",".join(map(row, some)), len(found))
            elif "/entities/" in url.path:  # whoever a host refers to is there
                ids = json.loads(query["q"])["_id"]["$in"]
                self.answer(json.dumps([{"_id": id_} for id_ in ids]).encode(), len(ids))
            else:
                user = {"name": "root", "super_user": True}
                self.answer(json.dumps(user if "/users/" in url.path else SCHEMA).encode())

        def do_PUT(self) -> None:
            at, numbers = next(clock), []
            for fields in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
                numbers.append(int(fields.pop("_id"), 16) - 1)
                changed[numbers[-1]] = json.dumps(fields, separators=(",", ":")).encode(), at
            self.answer(b'{"success":[%s],"errors":[]}' % b",".join(map(row, numbers)))

        def answer(self, body: bytes, count: int | None = None) -> None:
            next(answered)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if count is not None:
                self.send_header("x-total-count", str(count))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{listening.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


def hosts_of(task: Task) -> sispy.Endpoint:
    """Return the rows of the server; all imports are done, and journals have a folder of their own."""
    os.environ["SISPY_JOURNALS"] = str(task.folder / f"journals-{task.rows}-{task.turn}-{os.getpid()}")
    _ = [getattr(sp, name) for name in sp.__all__]
    client = sispy.Client(task.url, auth_token="a token")
    client.username = "root"
    hosts = client.entities("host")
    sp.fetch(hosts, {"limit": 10}, progress=False)
    return hosts


def edited(hosts: sispy.Endpoint, word: str) -> Iterator[sp.Plan]:
    """Yield the plans that change a cell of every row to something new."""
    for n, part in enumerate(sp.iter_snapshots(hosts, rows=PART)):
        frame = part.frame()
        frame["notes"] = [f"{word} {n}: {i}" for i in range(len(frame))]
        yield part.diff(frame)


def new_word() -> str:
    """Return what no cell holds yet: the routes share a server."""
    return f"edit {time.time_ns() % 10**10}"


def counted(task: Task, work: Work) -> Work:
    """Return a push that tells what it has cost beside CPU and memory."""

    def answered() -> int:
        with urlopen(f"{task.url}/answered") as answer:  # noqa: S310 - of this machine
            return int(answer.read())

    def done() -> dict[str, float]:
        before = answered()
        work()
        requests = answered() - before - 1
        journals = Path(os.environ["SISPY_JOURNALS"]).glob("*.jsonl")
        return {"bytes": sum(p.stat().st_size for p in journals) / task.rows, "requests": float(requests)}

    return done


def pushed_in_parts(task: Task) -> Work:
    hosts = hosts_of(task)

    def work() -> None:
        report = sp.push_parts(edited(hosts, new_word()), verify=False, progress=False)
        assert (report.counts["done"], len(report)) == (task.rows, task.rows), report

    return counted(task, work)


def pushed_whole(task: Task) -> Work:
    hosts = hosts_of(task)

    def work() -> None:
        live = sp.fetch(hosts, progress=False)
        frame, word = live.frame(), new_word()
        frame["notes"] = [f"{word} {i}" for i in range(len(frame))]
        report = live.diff(frame).push(verify=False, progress=False)
        assert report.counts["done"] == task.rows, report

    return counted(task, work)


def undone_in_parts(task: Task) -> Work:
    hosts = hosts_of(task)
    report = sp.push_parts(edited(hosts, new_word()), verify=False, progress=False)
    return lambda: sp.undo(report).push(verify=False, progress=False).raise_for_failures()


def pushed_file(task: Task, *options: str) -> Work:
    """Return `sispy push` of a CSV file in which every row is edited."""
    hosts, path, word = hosts_of(task), task.folder / f"{os.getpid()}.csv", new_word()
    sp.to_csv(hosts, path.with_suffix(".was"), progress=False)
    with path.with_suffix(".was").open(newline="") as was, path.open("w", newline="") as now:
        rows, target = csv.reader(was), csv.writer(now)
        names = next(rows)
        target.writerow(names)
        at = names.index("notes")
        target.writerows([*row[:at], f"{word} {n}", *row[at + 1 :]] for n, row in enumerate(rows))
    os.environ |= {"SIS_URL": task.url, "SIS_TOKEN": "a token"}
    call = ["push", "host", str(path), "--yes", "--no-verify", "--quiet", *options]

    def work() -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            sispy_command(call)
        (pushed,) = sp.pushes().to_dict("records")
        assert (pushed["done"], pushed["ended"]) == (task.rows, True), pushed

    return counted(task, work)


def pushed_file_whole(task: Task) -> Work:
    """Return the same of a file that is planned whole, for its answer is one document."""
    return pushed_file(task, "--output", "json")


def one(task: Task) -> Work:
    """Return the work that is a megabyte, a byte a row, and a request."""
    return lambda: {"peak": 1e6, "bytes": 1.0, "requests": 1.0}


ROUTES: dict[str, Route] = {
    route.__name__: route
    for route in (pushed_in_parts, pushed_whole, undone_in_parts, pushed_file, pushed_file_whole, one)
}
PAIRS = (
    Pair("MB at the peak of a push in parts", "pushed_in_parts", "one", 500, 1_000_000, measure="peak"),
    Pair("bytes of its journal for each row", "pushed_in_parts", "one", 300, measure="bytes"),
    Pair("MB at the peak of its undo", "undone_in_parts", "one", 500, measure="peak"),
    Pair("CPU of a push in parts to that of one push", "pushed_in_parts", "pushed_whole", 1.3),
    Pair("its requests to those of one push", "pushed_in_parts", "pushed_whole", 1.1, measure="requests"),
    growth("push in parts", "pushed_in_parts"),
    Pair("MB at the peak of `sispy push` of a file", "pushed_file", "one", 500, 1_000_000, measure="peak"),
    Pair("bytes of its journal for each row", "pushed_file", "one", 300, measure="bytes"),
    Pair("CPU of `sispy push` of a file in parts to whole", "pushed_file", "pushed_file_whole", 1.5),
    Pair(
        "requests of `sispy push` of a file in parts to whole",
        "pushed_file",
        "pushed_file_whole",
        1.1,
        measure="requests",
    ),
)
BENCHMARK = Benchmark(Path(__file__), ROUTES, PAIRS, server)

if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]))
    else:
        main(__doc__, BENCHMARK)
