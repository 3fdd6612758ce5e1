"""What the client costs beside bare requests, and what fetch_all costs beside sispy 1.1.0.

    python tests/benchmarks/client.py [--rows 100000] [--old FOLDER]

The server answers from memory (pages made beforehand), in a process of its own, so that the figures are the
client's alone. Every measurement runs in a fresh process; the best of several interleaved runs counts. The
folder of `--old` holds sispy 1.1.0 (`pip install --no-deps --target FOLDER sispy==1.1.0`); without it, it is
fetched into a temporary one.

Measured on 2 shared, busy cores, Python 3.11, CPU seconds of 2,000 calls. GET: bare requests 1.76, sispy 1.1
1.27, sispy 2 0.28. PUT: bare requests 1.32, sispy 1.1 1.35, sispy 2 0.34. fetch_all of 20,000 entities of 800
bytes: sispy 1.1 0.20 and 55 MB, sispy 2 0.19 and 54 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import socketserver
import subprocess
import sys
import tempfile
import time
from urllib.parse import parse_qs, urlsplit

CALLS = 2000
PAGE = 10_000


def serve(rows: int) -> None:
    """Answer lists from pages made beforehand, and everything else with one object."""
    record = {
        "name": "host-%07d", "n": 17, "live": True, "tags": ["a", "b", "c"], "owner_team": "web",
        "location": {"site": "fra1", "rack": "r17", "unit": 4}, "serial": "SN-0000000000-X",
        "notes": "x" * 200, "_v": 0,
        "_sis": {"_version": "v1.1", "_created_at": 1795436355529, "_created_by": "root", "owner": ["ops"],
                 "_updated_at": 1795436355530, "_updated_by": "root", "tags": [], "immutable": False,
                 "locked": False, "any_owner_can_modify": False},
    }  # fmt: skip
    texts = [json.dumps({"_id": f"{n:024x}", **record, "name": f"host-{n:07}"}) for n in range(rows)]
    pages = {n: ("[" + ",".join(texts[n : n + PAGE]) + "]").encode() for n in range(0, rows, PAGE)}
    one = json.dumps({"_id": f"{1:024x}", **record}).encode()
    del texts

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while line := self.rfile.readline():
                length = 0
                while (header := self.rfile.readline()) not in (b"\r\n", b""):
                    if header[:15].lower() == b"content-length:":
                        length = int(header[15:])
                self.rfile.read(length)
                url = urlsplit(line.split()[1].decode())
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                start = int(query.get("offset", 0))
                if after := re.search(r'"\$gt": ?"([0-9a-f]{24})"', query.get("q", "")):
                    start = int(after[1], 16) + 1
                is_list = url.path.endswith("/host")
                body = pages[start] if is_list else one
                left = rows - (start if after else 0)
                self.wfile.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-total-count: %d\r\n"
                    b"Content-Length: %d\r\n\r\n" % (left, len(body))
                )
                self.wfile.write(body)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)  # noqa: T201 -- the parent reads it
        server.serve_forever()


def measure(what: str, port: int) -> None:
    """Do one measurement and print CPU seconds, wall seconds, and peak memory in MB above the start."""
    base = f"http://127.0.0.1:{port}"
    if what.endswith("-stdlib"):
        sys.modules["requests"] = None  # type: ignore[assignment] # as if it were not installed
    if what.startswith("bare"):
        work = bare(what, base)
    else:
        import sispy

        hosts = sispy.Client(base, auth_token="0123456789abcdef").entities("host")
        if what.startswith(("get", "put")):
            hosts.get("warm")
            verb = hosts.get if what.startswith("get") else lambda id_: hosts.update(id_, {"n": 1})

            def work() -> None:
                for _ in range(CALLS):
                    verb("host-0000001")
        elif what.startswith("all"):
            hosts.get("warm")

            def work() -> None:
                assert len(hosts.fetch_all()) % PAGE == 0
        else:
            hosts.get("warm")

            def work() -> None:
                for page in hosts.pages():
                    assert len(page) == PAGE

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps([cpu, wall, peak]))  # noqa: T201 -- the parent reads it


def bare(what: str, base: str):
    """Return the same calls as one would write them with requests alone."""
    import requests

    session = requests.Session()
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "x-auth-token": "0123456789abcdef",
    }
    url = f"{base}/api/v1.1/entities/host/host-0000001"
    method, body = ("GET", None) if what == "bare-get" else ("PUT", {"n": 1})
    session.get(url).json()

    def work() -> None:
        for _ in range(CALLS):
            data = None if body is None else json.dumps(body)
            answer = session.request(method, url, data=data, headers=headers, timeout=(10, 60))
            answer.raise_for_status()
            json.loads(answer.content)

    return work


def run(what: str, port: int, folder: str | None = None) -> list[float]:
    """Measure in a fresh process; `folder` holds another sispy."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    if folder:
        environment["PYTHONPATH"] = folder
    command = [sys.executable, __file__, "--measure", what, "--port", str(port)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    result: list[float] = json.loads(done.stdout)
    return result


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="entities to fetch, a multiple of 10,000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--old", help="folder with sispy 1.1.0")
    for hidden in ("--measure", "--serve"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(int(given.serve))
    elif given.measure:
        measure(given.measure, given.port)
    else:
        report(given.rows, given.runs, given.old or fetch_old())


def fetch_old() -> str:
    """Install sispy 1.1.0 into a temporary folder."""
    folder = tempfile.mkdtemp()
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, "sispy==1.1.0"]
    subprocess.run(command, check=True)
    return folder


def report(rows: int, runs: int, old: str) -> None:
    """Print the table."""
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(rows)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        kinds: list[tuple[str, str, str | None]] = [
            ("bare requests, GET", "bare-get", None),
            ("sispy 2, GET", "get", None),
            ("sispy 1.1, GET", "get", old),
            ("sispy 2, GET, stdlib", "get-stdlib", None),
            ("bare requests, PUT", "bare-put", None),
            ("sispy 2, PUT", "put", None),
            ("sispy 1.1, PUT", "put", old),
            ("sispy 1.1, fetch_all", "all", old),
            ("sispy 2, fetch_all", "all", None),
            ("sispy 2, fetch_all, stdlib", "all-stdlib", None),
            ("sispy 2, pages", "pages", None),
        ]
        best: dict[str, list[float]] = {}
        for _ in range(runs):
            for name, what, folder in kinds:
                now = run(what, port, folder)
                best[name] = [min(pair) for pair in zip(now, best.get(name, now), strict=True)]
        print(f"{CALLS} calls; {rows} entities of about 800 bytes; best of {runs}\n")  # noqa: T201
        for name, (cpu, wall, peak) in best.items():
            print(f"{name:28} {cpu:7.3f} s CPU {wall:7.3f} s wall {peak:7.0f} MB above the start")  # noqa: T201
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
