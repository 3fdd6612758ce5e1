"""A table with every type and all the values that files like to damage; and a browser."""

from __future__ import annotations

import os
import shutil
import string
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import strategies as st

from sispy.sandbox import Sandbox
from sispy_pandas.values.records import frame_of
from sispy_pandas.values.schema import Schema, parse_schema
from sispy_pandas.values.types.equality import solid
from sispy_pandas.workflow.fetch import fetch
from strategies import recursive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sispy.sandbox import Seen
    from sispy_pandas.workflow.objects import Snapshot

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "note": "String",
    "os": {"name": {"type": "String", "enum": ["rhel8", "rhel9", "win, 2022"]}, "version": "Number"},
    "cpus": "Number",
    "live": "Boolean",
    "installed": "Date",
    "rack": {"type": "ObjectId", "ref": "rack"},
    "ip": "IpAddress",
    "tags": ["String"],
    "ports": ["Number"],
    "disks": [{"dev": "String", "gb": "Number"}],
    "extra": "Mixed",
}

NASTY = [
    *(
        "00123",
        "1e5",
        "1E400",
        "NA",
        "NULL",
        "null",
        "None",
        "nan",
        "TRUE",
        "false",
        "1-2",
        "1/2",
        "3:4",
        "0x10",
    ),
    *(
        "=1+1",
        "+1",
        "-5",
        "@x",
        "\tx",
        "\nx",
        "\rx",
        "'",
        "''",
        "'x",
        "'=1",
        '"',
        '""',
        "a,b",
        "a;b",
        "a\nb",
        "a\r\nb",
    ),
    *(
        " outer ",
        "  ",
        "0.10",
        "12345678901234567890",
        "1,5",
        "2020-01-02",
        "{",
        "[1]",
        "'{}",
        "{}",
        "#N/A",
        "\ufeff",
    ),
    *("é😀", "1_000", "%", "$5", '=HYPERLINK("http://x")', "|calc", "sep=,", "\u2028", "x" * 40_000),
]

_TEXT = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.text(string.digits + "eE+-.:/ '=@", max_size=8),
)
_NUMBER = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False).map(
        lambda x: int(x) if x.is_integer() and abs(x) <= 2**53 else x
    ),
)
_TIME = st.datetimes(
    min_value=pd.Timestamp("1900-03-02").to_pydatetime(), max_value=pd.Timestamp("2200-01-01").to_pydatetime()
).map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")
_ID = st.one_of(
    st.text("0123456789abcdef", min_size=24, max_size=24),
    st.text("0123456789", min_size=24, max_size=24),
    st.integers(10**20, 10**21 - 1).map(lambda n: f"{n}e{n % 100:02}"),
)
_JSON = recursive(
    st.none() | st.booleans() | _NUMBER | _TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(string.ascii_letters, max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
).map(solid)  # the server stores no others
_MEMBER = st.fixed_dictionaries({"_id": _ID}, optional={"dev": _TEXT, "gb": _NUMBER})

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": _TEXT,
    "note": st.none() | _TEXT,
    "os.name": st.sampled_from([None, "rhel8", "rhel9", "win, 2022", "retired"]),
    "os.version": st.none() | _NUMBER,
    "cpus": st.none() | st.integers(-(10**6), 10**6),
    "live": st.sampled_from([None, True, False]),
    "installed": st.none() | _TIME,
    "rack": st.none() | _ID,
    "ip": st.sampled_from([None, "10.1.2.3/24", "10.1.2.3", "::1", "2001:db8::1/64"]),
    "tags": st.lists(_TEXT | st.none(), max_size=3),
    "ports": st.lists(_NUMBER, max_size=3),
    "disks": st.lists(_MEMBER, max_size=2),
    "extra": _JSON,
}


@pytest.fixture(scope="session")
def host_schema() -> Schema:
    """A schema with a field of every type."""
    return parse_schema({"name": "host", "id_field": "name", "definition": DEFINITION})


@pytest.fixture(scope="session")
def host_frames(host_schema: Schema) -> st.SearchStrategy[pd.DataFrame]:
    """Frames of that schema, as a fetch returns them."""

    @st.composite
    def frames(draw: st.DrawFn) -> pd.DataFrame:
        ids = draw(st.lists(_ID, max_size=6, unique=True))
        n = len(ids)
        columns = {path: draw(st.lists(s, min_size=n, max_size=n)) for path, s in VALUES.items()}
        receipts = draw(st.lists(st.integers(0, 2**42), min_size=n, max_size=n))
        return frame_of(host_schema, columns, ids, receipts)

    return frames()


@pytest.fixture(scope="session")
def nasty_texts() -> list[str]:
    """Texts that files and programs like to change."""
    return NASTY


SITE = {
    "name": "site",
    "_sis": {"owner": ["net", "ops"]},
    "definition": {"name": {"type": "String", "required": True, "unique": True}, "note": "String"},
}
HOST = {
    "name": "host",
    "_sis": {"owner": ["net", "ops"]},
    "definition": {
        "name": {"type": "String", "required": True, "unique": True, "trim": True, "lowercase": True},
        "os": {"type": "String", "enum": ["rhel8", "rhel9"], "default": "rhel9"},
        "cpus": {"type": "Number", "min": 1, "max": 64},
        "live": "Boolean",
        "since": "Date",
        "ip": "IpAddress",
        "tags": ["String"],
        "disks": [{"dev": "String", "gb": "Number"}],
        "extra": "Mixed",
        "bios": {"vendor": "String", "version": {"type": "String", "maxlength": 8}},
        "site": {"type": "ObjectId", "ref": "site"},
        "serial": {"type": "String", "unique": True, "sparse": True},
    },
}
LOG = {"name": "log", "_sis": {"owner": ["net", "ops"]}, "definition": {"text": "String", "n": "Number"}}


def host(n: int, site: str) -> dict[str, Any]:
    """The n-th host of the server below, as it is created."""
    return {
        "name": f"h{n:05d}",
        "os": "rhel8",
        "cpus": 1 + n % 8,
        "live": n % 2 == 0,
        "since": "2024-01-02T03:04:05.000Z",
        "ip": f"10.0.{n // 250}.{n % 250 + 1}/24",
        "tags": ["a", "b"],
        "disks": [{"dev": "sda", "gb": 10}],
        "extra": {"a": 1, "b": {"c": n}},
        "bios": {"vendor": "acme", "version": "1"},
        "site": site,
        "serial": f"sn{n}",
    }


class Server:
    """A sandbox with 20 hosts at 3 sites, a table without unique fields, and what tests do to it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client = sandbox.client()
        self.client.username = sandbox.user
        for schema in (SITE, HOST, LOG):
            self.client.schemas.create(schema)
        self.hosts = self.client.entities("host")
        sites = self.client.entities("site").create([{"name": f"s{i}"} for i in range(3)])["success"]
        self.sites = [site["_id"] for site in sites]
        self.add(range(20))

    def add(self, numbers: range) -> None:
        """Create more hosts."""
        hosts = [host(n, self.sites[n % 3]) for n in numbers]
        for start in range(0, len(hosts), 1000):
            assert self.hosts.create(hosts[start : start + 1000])["errors"] == []

    def reset(self, n: int = 20) -> None:
        """Put the hosts back to what they were at first."""
        self.client.schemas.delete("host")
        self.client.schemas.create(HOST)
        self.add(range(n))

    def fetch(self, query: dict[str, Any] | None = None, **options: Any) -> Snapshot:
        """Fetch the hosts."""
        return fetch(self.hosts, query, progress=False, **options)

    def stored(self) -> dict[str, dict[str, Any]]:
        """Return what the hosts hold, by name, without what every write changes."""
        found = {}
        for row in self.hosts.fetch_all({"populate": False}):
            values = {key: value for key, value in row.items() if not key.startswith("_")}
            values["disks"] = [{k: v for k, v in disk.items() if k != "_id"} for disk in values["disks"]]
            found[row["name"]] = values
        return found

    def writes(self, since: int = 0) -> list[Seen]:
        """Return the writes that the server has seen, leaving out the first `since` requests."""
        return [seen for seen in self.sandbox.requests if seen.number > since and seen.method != "GET"]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of its own for every test, with the journals in a folder of the test."""
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))
    with Sandbox() as sandbox:
        yield Server(sandbox)


@pytest.fixture(scope="session")
def need():
    """Return a function that skips where a package is missing, or fails where browser tests are a must."""

    def check(there: object, what: str) -> None:
        if not there:
            without = pytest.fail if os.environ.get("SISPY_REQUIRE_BROWSER") else pytest.skip
            without(f"{what} is not installed")

    return check


@pytest.fixture(scope="module")
def chromium(need):
    """A headless Chromium of the operating system; until it is closed, no other test runs an event loop."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    need(path, "chromium")
    need(find_spec("playwright"), "playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
