"""A server process that answers like SIS with entities encoded beforehand: all the client's time is its own.

    python canned.py ROWS [LATENCY_MS]

prints its URL and serves until its standard input is closed. It knows two schemas, `host`, and `event` with
more of what is dear to decode: three Mixed and six Date columns. Of lists it knows what paging needs:
`limit`, `offset` and `$gt`, `$gte`, `$lt`, `$lte` on `_id`.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["planned", "live", "broken", "retired"]},
    "environment": {"type": "String", "enum": ["prod", "test", "dev"]},
    "team": "String",
    "serial": "String",
    "notes": "String",
    "cpus": "Number",
    "memory": "Number",
    "load": "Number",
    "price": "Number",
    "managed": "Boolean",
    "virtual": "Boolean",
    "installed": "Date",
    "checked": "Date",
    "os": {"name": "String", "version": "String", "patched": "Date"},
    "rack": {"type": "ObjectId", "ref": "rack"},
    "tags": ["String"],
    "facts": "Mixed",
}
SCHEMA = {
    "_id": f"{1:024x}",
    "name": "host",
    "id_field": "name",
    "definition": DEFINITION,
    "_sis": {"owner": ["ops", "web"]},
}
TIMES, FACTS = [f"at{n}" for n in range(6)], [f"facts{n}" for n in range(3)]
EVENTS = {
    "_id": f"{2:024x}",
    "name": "event",
    "id_field": "_id",
    "definition": {
        "host": {"type": "String", "required": True},
        "kind": {"type": "String", "enum": ["up", "down", "check"]},
        "count": "Number",
        **dict.fromkeys(TIMES, "Date"),
        **dict.fromkeys(FACTS, "Mixed"),
    },
    "_sis": {"owner": ["ops", "web"]},
}
SCHEMAS = {"host": SCHEMA, "event": EVENTS}
DISTINCT = 10_000
"""Entities that are encoded; a longer table repeats them under other ids."""


def entity(i: int) -> dict:
    """Return the i-th entity without its id: some values are null, some keys are missing."""
    pick = random.Random(i)  # noqa: S311 - the same data on every run
    day = f"20{pick.randrange(10, 26)}-{pick.randrange(1, 13):02}-{pick.randrange(1, 29):02}"
    found = {
        "name": f"host{i:06}.dc{i % 7}.example.com",
        "status": pick.choice(["planned", "live", "live", "broken", "retired"]),
        "environment": pick.choice(["prod", "test", "dev", None]),
        "team": pick.choice(["web", "db", "storage", "network", "desktop"]),
        "serial": f"{pick.randrange(10**9):09}",
        "notes": pick.choice([None, "", "moved from the old room, cables to be checked", "spare"]),
        "cpus": pick.choice([2, 4, 8, 16, 64]),
        "memory": pick.choice([4, 16, 256, None]),
        "load": round(pick.random() * 40, 3),
        "price": pick.choice([1200, 999.5, None]),
        "managed": pick.random() < 0.8,
        "virtual": pick.choice([True, False, None]),
        "installed": f"{day}T{i % 24:02}:15:00.000Z",
        "checked": f"{day}T23:{i % 60:02}:07.{i % 1000:03}Z" if i % 5 else None,
        "os": {"name": "rhel", "version": f"9.{i % 8}", "patched": f"{day}T04:00:00.000Z"},
        "rack": f"{i % 400:024x}",
        "tags": pick.sample(["dmz", "pci", "backup", "legacy"], pick.randrange(4)),
        "facts": {
            "kernel": f"5.14.{i % 90}",
            "disks": [{"size": 512}, {"size": 1024}][: i % 3],
            "up": i % 2 == 0,
        },
        "_sis": {
            "_version": "v1.1",
            "_created_at": 1577934245678 + i,
            "_created_by": "importer",
            "_updated_at": 1795436355529 + i,
            "_updated_by": pick.choice(["anna", "bert", "importer"]),
            "owner": ["ops"] if i % 3 else ["ops", "web"],
            "tags": [],
            "immutable": False,
            "locked": False,
            "any_owner_can_modify": False,
        },
        "_v": 0,
    }
    if i % 11 == 0:
        del found["os"], found["facts"], found["serial"]
    return found


def event(i: int) -> dict:
    """Return the i-th event without its id."""
    of_host = entity(i)
    day = of_host["installed"][:10]
    return {
        "host": of_host["name"],
        "kind": ("up", "down", "check")[i % 3],
        "count": i % 50,
        **{name: f"{day}T{(i + n) % 24:02}:{n:02}:07.{i % 1000:03}Z" for n, name in enumerate(TIMES)},
        **{name: {"kernel": f"5.14.{i % 90}", "n": n, "up": [i % 2 == 0]} for n, name in enumerate(FACTS)},
        "_sis": of_host["_sis"],
        "_v": 0,
    }


def tails(make: Callable[[int], dict]) -> list[bytes]:
    """Return the encoded entities, without the opening brace and the id."""
    return [json.dumps(make(i), separators=(",", ":")).encode()[1:] for i in range(DISTINCT)]


def row_id(i: int) -> str:
    """Return the `_id` of row i; they ascend."""
    return f"{i + 1:024x}"


def window(query: dict[str, str], rows: int) -> tuple[int, int]:
    """Return the range of rows that a query matches, by its conditions on `_id`."""
    start, stop = 0, rows
    q = json.loads(query.get("q") or "{}")
    for part in q.get("$and", [q]):
        for operator, value in part.get("_id", {}).items():
            at = int(value, 16) - 1
            if operator in ("$gt", "$gte"):
                start = max(start, at + (operator == "$gt"))
            else:
                stop = min(stop, at + (operator == "$lte"))
    return start, max(start, stop)


def serve(rows: int, latency: float) -> ThreadingHTTPServer:
    """Return a server on a free port of this machine."""
    ready = {"host": tails(entity), "event": tails(event)}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            time.sleep(latency)
            name = url.path.split("/")[4]
            if "/entities/" not in url.path:
                self.answer(json.dumps(SCHEMAS[name]).encode(), None)
                return
            start, stop = window(query, rows)
            first = start + int(query.get("offset", 0))
            last = min(stop, first + int(query.get("limit", 10_000)))
            parts = [b'{"_id":"%024x",%s' % (i + 1, ready[name][i % DISTINCT]) for i in range(first, last)]
            self.answer(b"[%s]" % b",".join(parts), stop - start)

        def answer(self, body: bytes, count: int | None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if count is not None:
                self.send_header("x-total-count", str(count))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


if __name__ == "__main__":
    server = serve(int(sys.argv[1]), float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - the caller reads it
    sys.stdin.read()
