"""What a push of one changed row in a hundred costs: CPU of the client, requests, bytes, time of the guard.

    python tests/benchmarks/push.py [ROWS]

compares with the way of sispy 1.1.0, all rows of the frame through `update_bulk(frame.to_dict("records"))`;
pip installs it into a folder of its own. The server runs in a process of its own.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import numpy as np

import sispy
import sispy_pandas as sp
from sispy.http.base import body_of

if TYPE_CHECKING:
    from sispy_pandas.pushing.guards import Guard

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    **{f"text{i}": "String" for i in range(9)},
    **{f"state{i}": {"type": "String", "enum": ["planned", "live", "retired"]} for i in range(3)},
    **{f"count{i}": "Number" for i in range(6)},
    **{f"flag{i}": "Boolean" for i in range(3)},
    **{f"day{i}": "Date" for i in range(3)},
    **{f"tags{i}": ["String"] for i in range(3)},
    "os": {"name": "String"},
    "facts": "Mixed",
}
SERVER = """
import sys
from sispy.sandbox import Faults, Sandbox
with Sandbox(faults=Faults(latency=float(sys.argv[1]))) as sandbox:
    print(sandbox.url, sandbox.token, flush=True)
    sys.stdin.read()
"""
OLD = """
import json, sys, time
import pandas as pd, sispy
client = sispy.Client(sys.argv[1], auth_token=sys.argv[2])
host = client.entities("host")
frame = pd.DataFrame(list(host.fetch_all({"populate": False})))
frame.loc[frame.index % 100 == 0, "text1"] = sys.argv[3]
clock, wall = time.process_time(), time.perf_counter()
records = frame.to_dict("records")
for start in range(0, len(records), 5000):
    host.update_bulk(records[start : start + 5000])
spent = time.process_time() - clock
size = sum(len(json.dumps(records[start : start + 5000])) for start in range(0, len(records), 5000))
print(json.dumps([spent, time.perf_counter() - wall, -(-len(records) // 5000), size]))
"""


def entity(i):
    """Return the i-th row, about 700 bytes of JSON."""
    return {
        "name": f"host{i:06}.example.com",
        **{f"text{k}": f"text {k} of {i % 1000}" for k in range(9)},
        **{f"state{k}": ("planned", "live", "retired")[(i + k) % 3] for k in range(3)},
        **{f"count{k}": (i * k) % 100 for k in range(6)},
        **{f"flag{k}": (i + k) % 2 == 0 for k in range(3)},
        **{f"day{k}": f"20{10 + k}-01-{1 + i % 28:02}T00:00:00.000Z" for k in range(3)},
        **{f"tags{k}": ["a", str(i % 10)] for k in range(3)},
        "os": {"name": f"rhel{i % 3}"},
        "facts": {"kernel": f"5.{i % 90}", "up": True},
    }


class Counting:
    """A handler that counts what goes over the wire."""

    def __init__(self, handler):
        self.handler, self.requests, self.size = handler, 0, 0

    def send(self, request, **options):
        """Count, and send."""
        self.requests += 1
        self.size += len(body_of(request) or b"")
        return self.handler.send(request, **options)

    def close(self):
        """Close the connections."""
        self.handler.close()


@contextlib.contextmanager
def server(rows, latency=0.0):
    """Run a server with so many rows, and give a client for it."""
    command = [sys.executable, "-c", SERVER, str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        url, token = process.stdout.readline().split()
        client = sispy.Client(url, auth_token=token)
        client.username = "root"
        client.schemas.create({"name": "host", "_sis": {"owner": ["ops"]}, "definition": DEFINITION})
        for start in range(0, rows, 2000):
            client.entities("host").create([entity(i) for i in range(start, min(rows, start + 2000))])
        client._http_handler = Counting(client._http_handler)
        yield client
        process.stdin.close()


def edited(snapshot, value):
    """Return the snapshot's frame with one row in a hundred edited."""
    frame = snapshot.frame()
    frame.loc[np.arange(len(frame)) % 100 == 0, "text1"] = value
    return frame


def the_old_way(client):
    """Return seconds of CPU, seconds, requests and bytes that sispy 1.1.0 takes to send all rows."""
    with tempfile.TemporaryDirectory() as folder:
        install = [sys.executable, "-m", "pip", "install", "-q", "--target", folder, "--no-deps"]
        subprocess.run([*install, "sispy==1.1.0"], check=True)
        command = [sys.executable, "-c", OLD, client.url, client.auth_token, "old"]
        env = os.environ | {"PYTHONPATH": folder}
        return json.loads(subprocess.run(command, env=env, capture_output=True, check=True).stdout)


def tell(line):
    """Print a result."""
    sys.stdout.write(f"{line}\n")


def main():
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    args = parser.parse_args()
    with server(args.rows) as client:
        snapshot = sp.fetch(client.entities("host"), progress=False)
        best = []
        for i in range(5):
            frame = edited(snapshot, f"edit {i}")
            clock = time.process_time()
            plan = snapshot.diff(frame)
            best.append(time.process_time() - clock)
        tell(f"diff of {args.rows:,} x 30, {len(plan):,} rows edited: {1000 * min(best):.0f} ms CPU")
        spent = {}
        journals: dict[Guard, bool | None] = {"off": False, "check": None}
        for guard, journal in journals.items():
            for i in range(3):
                frame = edited(snapshot, f"pushed with {guard} {i}")
                counter = client._http_handler
                requests, size = counter.requests, counter.size
                clock, wall = time.process_time(), time.perf_counter()
                report = snapshot.diff(frame).push(guard=guard, verify=False, progress=False, journal=journal)
                cpu, wall = time.process_time() - clock, time.perf_counter() - wall
                spent[guard] = min(cpu, spent.get(guard, cpu))
                assert report.counts["done"] == len(plan), report
                if report.journal:
                    report.journal.unlink()
                snapshot = report.snapshot
            tell(
                f"diff and push, guard={guard!r}, {'with' if report.journal else 'no'} journal: "
                f"{1000 * spent[guard]:.0f} ms CPU, {wall:.2f} s, "
                f"{counter.requests - requests} requests, {counter.size - size:,} bytes of bodies"
            )
        old, wall, requests, size = the_old_way(client)
        tell(
            f"sispy 1.1.0, all rows: {1000 * old:.0f} ms CPU, {wall:.2f} s, {requests} requests, "
            f"{size:,} bytes of bodies; "
            f"{old / spent['off']:.0f}x guard='off', {old / spent['check']:.0f}x guard='check'"
        )
    with server(args.rows // 10, latency=0.02) as client:
        times: dict[Guard, list[float]] = {"off": [], "check": []}
        for i in range(3):
            for guard, walls in times.items():
                snapshot = sp.fetch(client.entities("host"), progress=False)
                frame = snapshot.frame()
                frame.loc[np.arange(len(frame)) % 10 == 0, "text2"] = f"{guard} {i}"
                wall = time.perf_counter()
                snapshot.diff(frame).push(
                    guard=guard, verify=False, progress=False, journal=False
                ).raise_for_failures()
                walls.append(time.perf_counter() - wall)
        off, check = min(times["off"]), min(times["check"])
        tell(
            f"{len(frame) // 10:,} rows at 20 ms latency: guard='off' {off:.2f} s, 'check' {check:.2f} s, "
            f"{check / off:.2f}x"
        )


if __name__ == "__main__":
    main()
