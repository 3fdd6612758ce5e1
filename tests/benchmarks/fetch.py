"""Measure how a table of entities becomes a frame, against sispy 1.1.0 and against the bytes themselves.

    python tests/benchmarks/fetch.py [--rows 30000 100000] [--latency 0 80] [--repeats 5] [--routes NAME ...]

prints a table in Markdown. A server process serves entities that were encoded beforehand (`canned.py`). Every
measurement is a fresh process; the routes take turns. CPU and wall time are those from the first request to
the finished frame, memory is the peak above what the process needed after its imports. sispy 1.1.0 is
installed into a folder of its own by pip.
"""

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
OLD = "sispy==1.1.0"


def old_untyped(url):
    import pandas as pd

    import sispy

    return pd.DataFrame(list(sispy.Client(url).entities("host").fetch_all()))


def old_typed(url):
    """Make the same frame as `fetch` with what pandas offers."""
    import pandas as pd

    import sispy

    client = sispy.Client(url)
    definition = client.schemas.get("host")["definition"]
    rows = list(client.entities("host").fetch_all())
    facts = [row.pop("facts", None) for row in rows]  # else json_normalize would take it apart
    frame = pd.json_normalize(rows).set_index("_id")
    frame["facts"] = facts
    leaves = {}
    for name, kind in definition.items():
        if isinstance(kind, dict) and "type" not in kind:
            leaves |= {f"{name}.{inner}": option for inner, option in kind.items()}
        else:
            leaves[name] = kind
    for name, kind in leaves.items():
        options = kind if isinstance(kind, dict) else {"type": kind}
        if isinstance(kind, list):
            frame[name] = [tuple(cell) if isinstance(cell, list) else () for cell in frame[name]]
        elif "enum" in options:
            frame[name] = frame[name].astype(pd.CategoricalDtype(options["enum"]))
        elif options["type"] == "Number":
            whole = (frame[name].dropna() % 1 == 0).all()
            frame[name] = frame[name].astype("Int64" if whole else "Float64")
        elif options["type"] == "Boolean":
            frame[name] = frame[name].astype("boolean")
        elif options["type"] == "Date":
            frame[name] = pd.to_datetime(frame[name]).astype("datetime64[ms, UTC]")
        elif options["type"] != "Mixed":
            frame[name] = frame[name].astype("str")
    frame["_updated_at"] = pd.to_datetime(frame["_sis._updated_at"], unit="ms", utc=True).dt.as_unit("ms")
    return frame[[*leaves, "_updated_at"]]


def new(url):
    import sispy
    import sispy_pandas as sp

    return sp.fetch(sispy.Client(url).entities("host"), progress=False).frame()


def one_at_a_time(url):
    """Do the same with one request after the other."""
    import sispy
    from sispy_pandas.reading.decode import Decoder
    from sispy_pandas.reading.listing import Listing
    from sispy_pandas.reading.table import Table

    listing = Listing.of(sispy.Client(url).entities("host"), {})
    decoder, table = Decoder(listing.fields), Table(listing.fields)
    for page in raw_pages(listing.endpoint):
        table.add(decoder.open(page))
    return table.finish()[0]


def floor(url):
    """Download and decode by msgspec into the same Structs, without a frame."""
    import msgspec

    import sispy
    from sispy_pandas.reading.decode import Decoder
    from sispy_pandas.reading.listing import Listing

    listing = Listing.of(sispy.Client(url).entities("host"), {})
    structs = Decoder(listing.fields)._structs
    names = {field.encode_name: field.name for field in msgspec.structs.fields(structs._struct.type)}
    for page in raw_pages(listing.endpoint):
        rows = structs._decoder.decode(page)
        msgspec.json.decode(b"[%s]" % b",".join(getattr(row, names["facts"]) for row in rows))


def raw_pages(endpoint):
    last = None
    while True:
        q = {"_id": {"$gt": last}} if last else {}
        page = endpoint.raw_page({"q": q, "sort": "_id", "limit": 10_000, "populate": False})
        if page.body == b"[]":
            return
        yield page.body
        at = page.body.rindex(b'{"_id":"') + 8
        last = page.body[at : at + 24].decode()


ROUTES = {
    "sispy 1.1.0, untyped": old_untyped,
    "sispy 1.1.0, typed by pandas": old_typed,
    "fetch, without extras": new,
    "fetch, with fast": new,
    "fetch, one request at a time": one_at_a_time,
    "bytes decoded, no frame": floor,
}
BARE = "fetch, without extras"


def measure(route, url, check):
    """Run one route in this process and print what it took."""
    if route == BARE:
        sys.modules["msgspec"] = sys.modules["pyarrow"] = None  # type: ignore[assignment]
    import pandas as pd

    import sispy

    client = sispy.Client(url)  # what is imported and set up only once is not measured
    client.schemas.get("host")
    if not route.startswith("sispy 1.1.0"):
        import sispy_pandas as sp

        sp.fetch(client.entities("host"), {"limit": 10}, progress=False)
    warm = pd.DataFrame({"a": ["x"], "b": ["2020-01-02T00:00:00.000Z"]}).astype({"a": "str"})
    pd.to_datetime(warm["b"])
    base = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    wall, cpu = time.perf_counter(), time.process_time()
    frame = ROUTES[route](url)
    result = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    result["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - base
    if route == "fetch, with fast":
        result["again"] = again(frame)
    if check and frame is not None and "untyped" not in route:
        result["digest"] = digest(frame)
    print(json.dumps(result))  # noqa: T201 - the parent reads it


def again(frame):
    """Return the seconds of a second `.frame()`, which is this copy."""
    start = time.perf_counter()
    frame[list(frame.columns)].copy(deep=False)
    return time.perf_counter() - start


def digest(frame):
    """Return a fingerprint of names, dtypes and cells."""
    frame = frame[[name for name in frame.columns if not name.startswith("_sis.")]]
    found = hashlib.sha256(json.dumps(frame.dtypes.astype(str).to_dict()).encode())
    for row in frame.reset_index().astype(object).itertuples(index=False, name=None):
        cells = [None if cell is None or cell != cell else cell for cell in map(plain, row)]
        found.update(json.dumps(cells, default=str, sort_keys=True).encode())
    return found.hexdigest()[:16]


def plain(cell):
    return None if type(cell).__name__ in ("NAType", "NaTType") else cell


def run(route, url, old, *, check):
    env = dict(os.environ)
    if route.startswith("sispy 1.1.0"):
        env["PYTHONPATH"] = str(old)
    command = [sys.executable, __file__, "--one", route, "--url", url, *(["--check"] if check else [])]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{route}: {done.stderr}")
    return json.loads(done.stdout)


def compare(rows, latency, repeats, routes, old):
    """Print the table of one size and latency."""
    command = [sys.executable, str(HERE / "canned.py"), str(rows), str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().strip()
        taken = {route: [] for route in routes}
        for number in range(repeats):
            for route in routes:
                taken[route].append(run(route, url, old, check=number == 0 and rows <= 100_000))
        server.stdin.close()
    digests = {route: runs[0]["digest"] for route, runs in taken.items() if "digest" in runs[0]}
    if len(set(digests.values())) > 1:
        raise SystemExit(f"the routes made different frames: {digests}")
    show(rows, latency, taken)


def show(rows, latency, taken):
    def median(route, what):
        return statistics.median(run[what] for run in taken[route])

    out(f"\n{rows:,} entities, {latency} ms latency, median of {len(next(iter(taken.values())))}:\n")
    out("| route | CPU s | wall s | peak MB |\n|---|---:|---:|---:|")
    for route in taken:
        cpu, wall, peak = (median(route, what) for what in ("cpu", "wall", "peak"))
        out(f"| {route} | {cpu:.2f} | {wall:.2f} | {peak / 1e6:.0f} |")
    fast, bare, typed, untyped = (
        "fetch, with fast",
        BARE,
        "sispy 1.1.0, typed by pandas",
        "sispy 1.1.0, untyped",
    )
    ratios = [
        (typed, fast, "cpu", "times less CPU than sispy 1.1.0, typed, with fast"),
        (typed, bare, "cpu", "times less CPU than sispy 1.1.0, typed, without extras"),
        (untyped, fast, "cpu", "times less CPU than sispy 1.1.0, untyped, with fast"),
        (fast, "bytes decoded, no frame", "cpu", "times the CPU of the decoded bytes"),
        ("fetch, one request at a time", fast, "wall", "times faster than one request at a time"),
        (fast, untyped, "peak", "times the memory of sispy 1.1.0"),
    ]
    out("")
    for above, below, what, text in ratios:
        if above in taken and below in taken:
            out(f"* {median(above, what) / median(below, what):.2f} {text}")
    if fast in taken:
        out(f"* {median(fast, 'again') * 1000:.1f} ms for `.frame()` again")


def out(text):
    print(text, flush=True)  # noqa: T201 - this is the result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[30_000, 100_000])
    parser.add_argument("--latency", type=int, nargs="+", default=[0, 80])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--routes", nargs="+", default=list(ROUTES), choices=list(ROUTES))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.one, options.url, options.check)
        return
    with tempfile.TemporaryDirectory() as folder:
        install = [sys.executable, "-m", "pip", "install", "-q", "--target", folder, "--no-deps", OLD]
        if any(route.startswith("sispy 1.1.0") for route in options.routes):
            subprocess.run(install, check=True)
        for rows in options.rows:
            for latency in options.latency:
                compare(rows, latency, options.repeats, options.routes, folder)


if __name__ == "__main__":
    main()
