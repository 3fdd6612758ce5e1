"""How much the sandbox costs: CPU seconds of the server's thread, for 100,000 entities of 700 bytes.

    python tests/benchmarks/sandbox.py [COUNT]

Goals: bulk insert at least 4,000/s, a page of 10,000 at most 60 ms, get by id at least 1,500/s, PUT of an
array of 500 at most 400 ms, at most 6 KB of memory per entity with its first commit.
"""

from __future__ import annotations

import gc
import http.client
import json
import resource
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sispy.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["live", "planned", "retired"]},
    "cpu": "Number",
    "memory": "Number",
    "price": "Number",
    "live": "Boolean",
    "bought": "Date",
    "os": {"name": "String", "version": "String"},
    "labels": ["String"],
    "disks": [{"name": "String", "gb": "Number"}],
    "facts": "Mixed",
    "notes": "String",
}


def entity(i: int) -> dict[str, Any]:
    """Make an entity that takes 700 bytes in a list."""
    return {
        "name": f"host-{i:07}",
        "status": ("live", "planned", "retired")[i % 3],
        "cpu": i % 64,
        "memory": 2 ** (i % 10),
        "price": i % 1000 + 0.25,
        "live": i % 2 == 0,
        "bought": "2024-05-06T00:00:00.000Z",
        "os": {"name": "debian", "version": f"1{i % 4}"},
        "labels": ["edge", f"rack-{i % 40}"],
        "disks": [{"name": "sda", "gb": 512}],
        "facts": {"kernel": "6.1.0", "uptime": i},
        "notes": "x" * 60,
    }


class Bench:
    """One server and one connection to it; CPU time is that of the server's thread."""

    def __init__(self, sis: Sandbox) -> None:
        self.sis = sis
        self.connection = http.client.HTTPConnection(sis.host, sis.port, timeout=600)
        self.clock = time.pthread_getcpuclockid(
            next(t.ident for t in threading.enumerate() if t.name.startswith("sis-")) or 0
        )

    def send(self, method: str, path: str, body: Any = None) -> bytes:
        """Send one request and read the answer."""
        headers = {"x-auth-token": self.sis.token, "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body)
        self.connection.request(method, f"/api/v1.1{path}", content, headers)
        answer = self.connection.getresponse()
        found = answer.read()
        assert answer.status < 300, found[:300]
        return found

    def insert(self, items: list[dict[str, Any]]) -> tuple[float, list[str]]:
        """Create many entities: CPU seconds of the server, their ids."""
        begin = time.clock_gettime(self.clock)
        answer = self.send("POST", "/entities/host", items)
        spent = time.clock_gettime(self.clock) - begin
        return spent, [row["_id"] for row in json.loads(answer)["success"]]

    def cpu(self, work: Callable[[], object], times: int = 1) -> float:
        """Give the CPU seconds of the server for one turn: the best of some."""
        best = float("inf")
        for _ in range(times):
            begin = time.clock_gettime(self.clock)
            work()
            best = min(best, time.clock_gettime(self.clock) - begin)
        return best


def memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def line(what: str, value: str, unit: str) -> None:
    """Print one result."""
    print(f"{what:21}{value:>9}  {unit}")  # noqa: T201 - for people


def main(count: int) -> None:
    """Measure and print."""
    with Sandbox() as sis:
        bench = Bench(sis)
        bench.send("POST", "/schemas", {"name": "host", "_sis": {"owner": ["g"]}, "definition": DEFINITION})
        gc.collect()
        before, spent = memory(), 0.0
        ids: list[str] = []
        for start in range(0, count, 2000):
            seconds, made = bench.insert([entity(i) for i in range(start, min(start + 2000, count))])
            spent += seconds
            ids += made
        gc.collect()
        size = len(bench.send("GET", "/entities/host?limit=1000")) / 1000
        line("entities", f"{count:,}", f"of {size:.0f} bytes")
        line("bulk insert", f"{count / spent:,.0f}", "/s")
        line("memory", f"{(memory() - before) / count:,.0f}", "bytes per entity with its commit")
        requests(bench, ids)


def requests(bench: Bench, ids: list[str]) -> None:
    """Measure reads and writes of what is there."""
    above = json.dumps({"_id": {"$gt": ids[len(ids) // 2]}})
    some = json.dumps({"cpu": {"$gt": 60}, "os.version": "11"})
    for what, options in (
        ("page, first time", {"sort": "_id"}),
        ("page of 10,000", {"sort": "_id"}),
        ("the same by key", {"sort": "_id", "q": above}),
        ("two fields of it", {"sort": "_id", "fields": "name,cpu"}),
        ("query over all", {"q": some, "limit": "100"}),
    ):
        path = f"/entities/host?{urlencode(options)}"
        times = 1 if "first" in what else 5
        seconds = bench.cpu(partial(bench.send, "GET", path), times)
        line(what, f"{seconds * 1000:,.1f}", "ms")
    gets, puts = ids[:2000], ids[:500]
    spent = bench.cpu(lambda: [bench.send("GET", f"/entities/host/{name}") for name in gets])
    line("get by id", f"{len(gets) / spent:,.0f}", "/s")
    spent = bench.cpu(lambda: [bench.send("PUT", f"/entities/host/{name}", {"cpu": 7}) for name in puts])
    line("put one", f"{len(puts) / spent:,.0f}", "/s")
    changes = [{"_id": name, "cpu": 99, "labels": ["new"]} for name in ids[1000:1500]]
    line(
        "put an array of 500",
        f"{bench.cpu(lambda: bench.send('PUT', '/entities/host', changes)) * 1000:.1f}",
        "ms",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
