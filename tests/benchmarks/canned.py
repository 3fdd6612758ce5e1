"""A server process that answers like SIS with entities encoded beforehand: all the client's time is its own.

    python canned.py ROWS [LATENCY_MS [PORT]]

prints its URL and serves until its standard input is closed. It knows two schemas, `host`, and `event` with
more of what is dear to decode: three Mixed and six Date columns. Of lists it knows what paging and mirrors
need: `limit`, `offset`, `$in`, `$gt`, `$gte`, `$lt`, `$lte` on `_id`, `$gt` on the time of the last write,
and the row that was written last. `POST /written/100` writes every hundredth row, `/written/0` takes that
back.
"""

import json
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
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
WRITTEN, MINUTE = 1_750_000_000_000, 60_000
"""When the first entity was written, in ms; each of the others a minute after the one before."""
AGAIN = WRITTEN + 2 * DISTINCT * MINUTE
"""When rows were written by `/written`."""


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
            "_updated_at": WRITTEN + i * MINUTE,
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


def parts(q: dict) -> list[dict]:
    """Return the conditions of a query, which all have to be met."""
    return [leaf for part in q["$and"] for leaf in parts(part)] if "$and" in q else [q]


def matching(query: dict[str, str], rows: int, every: int) -> Sequence[int]:
    """Return the rows that a query matches, by its conditions on `_id` and on the time of the last write."""
    start, stop, since = 0, rows, 0
    if query.get("sort", "").startswith("-"):  # the row that was written last
        return [0 if every else min(rows, DISTINCT) - 1]
    for part in parts(json.loads(query.get("q") or "{}")):
        since = part.get("_sis._updated_at", {}).get("$gt", since)
        for operator, value in part.get("_id", {}).items():
            if operator == "$in":
                return [int(one, 16) - 1 for one in value]
            at = int(value, 16) - 1
            if operator in ("$gt", "$gte"):
                start = max(start, at + (operator == "$gt"))
            else:
                stop = min(stop, at + (operator == "$lte"))
    if not since:
        return range(start, max(start, stop))
    fresh = {n for n in range(DISTINCT) if WRITTEN + n * MINUTE > since}
    return [i for i in range(start, stop) if (every and i % every == 0) or i % DISTINCT in fresh]


def serve(rows: int, latency: float, port: int) -> ThreadingHTTPServer:
    """Return a server on a port of this machine; 0: on a free one."""
    ready = {"host": tails(entity), "event": tails(event)}
    state = {"every": 0}

    def encoded(name: str, i: int) -> bytes:
        tail = ready[name][i % DISTINCT]
        if state["every"] and i % state["every"] == 0:
            tail = re.sub(rb'"_updated_at":\d+', b'"_updated_at":%d' % AGAIN, tail)
        return b'{"_id":"%024x",%s' % (i + 1, tail)

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
            found = matching(query, rows, state["every"])
            first = int(query.get("offset", 0))
            page = found[first : first + int(query.get("limit", 10_000))]
            self.answer(b"[%s]" % b",".join([encoded(name, i) for i in page]), len(found))

        do_HEAD = do_GET  # noqa: N815 - http.server names it

        def do_POST(self) -> None:
            state["every"] = int(self.path.rpartition("/")[2])
            self.answer(b"{}", None)

        def answer(self, body: bytes, count: int | None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if count is not None:
                self.send_header("x-total-count", str(count))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    count, latency, port = (*map(int, sys.argv[1:]), *(0, 0))[:3]
    server = serve(count, latency / 1000, port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - the caller reads it
    sys.stdin.read()
