"""One language of filters: a text finds the same in Python, in the shell and in the builder."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import sispy_pandas as sp
from sispy.cli import main
from sispy.sandbox import Sandbox
from sispy_pandas.reading.filters import parse
from sispy_pandas.widgets.conditions import Builder, Condition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sispy import Endpoint

Row = dict[str, Any]
STATUS = {"type": "String", "enum": ["live", "planned", "retired"]}
SITE = {"name": "String", "opened": "Date"}
RACK = {
    "name": "String",
    "site": {"type": "ObjectId", "ref": "site"},
    "power": {"kw": "Number", "feeds": ["String"]},
    "doors": [{"side": "String"}],
}
SERVICE = {"name": "String", "ports": ["Number"], "url": "String"}
HOST: Row = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": STATUS,
    "cpus": "Number",
    "note": "String",
    "up": "Boolean",
    "since": "Date",
    "os": {"name": "String", "version": "Number"},
    "ip": "IpAddress",
    "tags": ["String"],
    "days": ["Date"],
    "nics": [{"mac": "String", "gbit": "Number", "ip": "IpAddress", "seen": "Date", "vlans": ["Number"]}],
    "facts": "Mixed",
    "rack": {"type": "ObjectId", "ref": "rack"},
    "services": [{"type": "ObjectId", "ref": "service"}],
    "my field": "String",
}  # fmt: skip

SITES: list[Row] = [{"name": "fra1", "opened": "2020-01-31T10:00:00.000Z"}, {"name": "ams1"}]
RACKS: list[Row] = [
    {"name": "r1", "site": 0, "power": {"kw": 5.5, "feeds": ["a", "b"]}, "doors": [{"side": "front"}]},
    {"name": "r2", "site": 1, "power": {"kw": 11}},
    {"name": "r3"},
]
SERVICES: list[Row] = [
    {"name": "shop", "ports": [80, 443], "url": "https://shop"},
    {"name": "dns", "ports": [53]},
    {"name": "wiki"},
]
CHOICES: dict[str, list[Any]] = {
    "status": ["live", None, "planned", "live", "retired", "legacy"],
    "cpus": [None, 0, -3, 8, 8.5, 16, 1e21],
    "note": [
        None, "", "new york", "it's", 'say "hi"', "a,b", "$ref", "(x)", "Web one", "web two", "back\\slash",
        "or", "a/b", "São\nPaulo",
    ],
    "up": [True, None, False],
    "since": [
        None, "2020-01-31T00:00:00.000Z", "2020-01-31T23:59:59.999Z", "2020-02-01T00:00:00.000Z",
        "2019-12-31T12:00:00.000Z",
    ],
    "os": [None, {"name": "rhel", "version": 9}, {"name": "debian"}, {"version": 8}],
    "ip": [None, "10.0.0.1/24", "10.0.0.1", "10.0.0.2/24", "::1"],
    "tags": [[], ["a"], ["a", "b"], ["b", "c d"]],
    "days": [
        [], ["2020-01-30T00:00:00.000Z", "2020-02-02T00:00:00.000Z"], ["2020-01-31T05:00:00.000Z"],
    ],
    "nics": [
        [],
        [{"mac": "m1", "gbit": 1, "ip": "10.1.0.1/24"}, {"mac": "m2", "gbit": 10, "ip": "10.1.0.2/16"}],
        [{"gbit": 25, "seen": "2020-01-31T05:00:00Z", "vlans": [1, 2]}, {"mac": "m1", "ip": "10.1.0.1/16"}],
        [{"mac": "m3", "seen": "2020-01-30T00:00:00Z"}, {"seen": "2020-02-01T00:00:00Z", "vlans": [3]}],
    ],
    "facts": [
        None, {"n": 3}, {"n": "3"}, {"ok": True, "s": "Text"}, {"l": ["x", 4]}, {"deep": {"k": "v"}},
        {"disks": [{"gb": 8}, {"up": True}]},
    ],
    "rack": [None, 0, 1, 2, 0],
    "services": [[], [0], [0, 1], [2]],
    "my field": [None, "x y"],
}  # fmt: skip


def model() -> list[Row]:
    """300 rows, in which all values of a field come with those of others, as they go round."""
    rows = []
    for i in range(300):
        row = {key: values[(i * 7 + i // len(values)) % len(values)] for key, values in CHOICES.items()}
        rows.append({"name": f"h{i:03}", **{key: value for key, value in row.items() if value is not None}})
    return rows


def seen(row: Row) -> Row:
    """A row with the rows that it refers to in their place."""
    racks = [rack | ({"site": SITES[rack["site"]]} if "site" in rack else {}) for rack in RACKS]
    rack = {"rack": racks[row["rack"]]} if "rack" in row else {}
    return row | rack | {"services": [SERVICES[n] for n in row["services"]]}


def at(value: Any, path: str) -> list[Any]:
    """All values at a path, those of members one by one; an address is its text."""
    found = [value]
    for part in path.split("."):
        found = [
            inner[part]
            for one in found
            for inner in (one if isinstance(one, list) else [one])
            if isinstance(inner, dict) and inner.get(part) is not None
        ]
    return list(itertools.chain.from_iterable(one if isinstance(one, list) else [one] for one in found))


def has(row: Row, path: str) -> bool:
    return any(value != "" for value in at(row, path))


def address(text: str) -> str:
    return text.partition("/")[0]


TABLE: dict[str, Any] = {
    # equality, and rows without a value
    "status = live": lambda r: r.get("status") == "live",
    'status = "live"': lambda r: r.get("status") == "live",
    "status != live": lambda r: r.get("status") != "live",
    "status = legacy": lambda r: r.get("status") == "legacy",
    "status in live,planned": lambda r: r.get("status") in ("live", "planned"),
    'status IN "live, planned"': lambda r: r.get("status") in ("live", "planned"),
    "status not in (live, 'planned')": lambda r: r.get("status") not in ("live", "planned"),
    "status is empty": lambda r: "status" not in r,
    "up = true": lambda r: r.get("up") is True,
    "up != true": lambda r: r.get("up") is not True,
    "up is not empty": lambda r: "up" in r,
    # numbers
    "cpus = 8": lambda r: r.get("cpus") == 8,
    "cpus = 8.0 or cpus=-3": lambda r: r.get("cpus") in (8, -3),
    "cpus > -3 and cpus <= 8.5": lambda r: -3 < r.get("cpus", -9) <= 8.5,
    "cpus>=1e21": lambda r: r.get("cpus", 0) >= 1e21,
    "cpus < 0": lambda r: r.get("cpus", 0) < 0,
    "cpus nin 0, 8, 16": lambda r: r.get("cpus") not in (0, 8, 16),
    "cpus is empty": lambda r: "cpus" not in r,
    # texts
    "note = 'new york'": lambda r: r.get("note") == "new york",
    'note = "it\'s"': lambda r: r.get("note") == "it's",
    'note = "say \\"hi\\""': lambda r: r.get("note") == 'say "hi"',
    "note = a,b": lambda r: r.get("note") == "a,b",
    'note in ("a,b", "new york")': lambda r: r.get("note") in ("a,b", "new york"),
    "note = $ref": lambda r: r.get("note") == "$ref",
    "note = (x)": lambda r: r.get("note") == "(x)",
    "note = or or note = back\\slash": lambda r: r.get("note") in ("or", "back\\slash"),
    "note = 'back\\\\slash'": lambda r: r.get("note") == "back\\slash",
    "note is empty": lambda r: not r.get("note"),
    'note = ""': lambda r: r.get("note") == "",
    "note > n": lambda r: r.get("note", "") > "n",
    "note ~ ^web": lambda r: r.get("note", "").startswith("web"),
    "note !~ ^web": lambda r: not r.get("note", "").startswith("web"),
    "note like '^web.*'": lambda r: r.get("note", "").lower().startswith("web"),
    "note not like web": lambda r: "web" not in r.get("note", "").lower(),
    "note ~ /(ONE|two)$/i": lambda r: r.get("note", "").lower().endswith(("one", "two")),
    "note ~ /b": lambda r: "/b" in r.get("note", ""),
    "'my field' = 'x y'": lambda r: r.get("my field") == "x y",
    # times
    "since = 2020-01-31": lambda r: r.get("since", "")[:10] == "2020-01-31",
    "since = 2020-01": lambda r: r.get("since", "")[:7] == "2020-01",
    "since < 2020": lambda r: "" < r.get("since", "") < "2020",
    "since != 2020-01-31": lambda r: r.get("since", "")[:10] != "2020-01-31",
    "since > 2020-01-31": lambda r: r.get("since", "") > "2020-01-31T23:59:59.999Z",
    "since <= 2020-01-31": lambda r: "" < r.get("since", "") <= "2020-01-31T23:59:59.999Z",
    "since < '2020-01-31T01:00:00+01:00'": lambda r: "" < r.get("since", "") < "2020-01-31",
    "since in 2019-12-31, 2020-02-01": lambda r: r.get("since", "")[:10] in ("2019-12-31", "2020-02-01"),
    "days = 2020-01-31": lambda r: any(day[:10] == "2020-01-31" for day in r["days"]),
    "days nin 2020-01-30,2020-01-31": lambda r: not any(d[:10] < "2020-02-01" for d in r["days"]),
    # addresses
    "ip = 10.0.0.1": lambda r: address(r.get("ip", "")) == "10.0.0.1",
    "ip = 10.0.0.1/24": lambda r: r.get("ip") == "10.0.0.1/24",
    "ip != 10.0.0.1/24": lambda r: r.get("ip") != "10.0.0.1/24",
    "ip in 10.0.0.2,::1": lambda r: address(r.get("ip", "")) in ("10.0.0.2", "::1"),
    "ip ~ ^10[.]": lambda r: r.get("ip", "").startswith("10."),
    "ip is empty": lambda r: "ip" not in r,
    "ip.cidr = 24": lambda r: r.get("ip", "").endswith("/24"),
    # documents and arrays
    "os.version >= 9": lambda r: (r.get("os", {}).get("version") or 0) >= 9,
    "os.name = ''": lambda r: False,
    "os is empty": lambda r: "os" not in r,
    "tags = a": lambda r: "a" in r["tags"],
    "tags != a": lambda r: "a" not in r["tags"],
    "tags in a,'c d'": lambda r: bool({"a", "c d"} & {*r["tags"]}),
    "tags ~ ^c": lambda r: "c d" in r["tags"],
    "tags is empty": lambda r: not r["tags"],
    "nics.mac = m1": lambda r: "m1" in at(r, "nics.mac"),
    "nics.mac nin m1,m3": lambda r: not {"m1", "m3"} & {*at(r, "nics.mac")},
    "nics.0.gbit > 1": lambda r: bool(r["nics"]) and r["nics"][0].get("gbit", 0) > 1,
    "nics.mac is empty": lambda r: not at(r, "nics.mac"),
    "nics.ip is not empty": lambda r: bool(at(r, "nics.ip")),
    "nics.0.mac is empty": lambda r: "mac" not in (r["nics"] or [{}])[0],
    "nics.1.ip is not empty": lambda r: bool(r["nics"][1:]) and "ip" in r["nics"][1],
    "nics.1 is empty": lambda r: not r["nics"][1:],
    "tags.1 is empty": lambda r: not r["tags"][1:],
    "nics.ip = 10.1.0.1/16": lambda r: "10.1.0.1/16" in at(r, "nics.ip"),
    "nics.seen = 2020-01-31": lambda r: any(t[:10] == "2020-01-31" for t in at(r, "nics.seen")),
    "not nics.seen = 2020-01-31": lambda r: not any(t[:10] == "2020-01-31" for t in at(r, "nics.seen")),
    "nics.vlans >= 3": lambda r: any(vlan >= 3 for vlan in at(r, "nics.vlans")),
    # below Mixed
    "facts.n = 3": lambda r: r.get("facts", {}).get("n") == 3,
    "facts.n = '3'": lambda r: r.get("facts", {}).get("n") == "3",
    "facts.ok = true": lambda r: r.get("facts", {}).get("ok") is True,
    "facts.s like text": lambda r: "s" in r.get("facts", {}),
    "facts.l = x": lambda r: "x" in at(r, "facts.l"),
    "facts.deep.k is empty": lambda r: not has(r, "facts.deep.k"),
    "facts.disks.gb is not empty": lambda r: has(r, "facts.disks.gb"),
    "facts.l.0 is empty": lambda r: not has(r, "facts.l"),
    # references
    "rack.name = r1": lambda r: at(r, "rack.name") == ["r1"],
    "rack.name != r1": lambda r: at(r, "rack.name") != ["r1"],
    "rack.site.name = fra1": lambda r: at(r, "rack.site.name") == ["fra1"],
    "rack.site.name !~ ^f": lambda r: at(r, "rack.site.name") != ["fra1"],
    "rack.site is empty": lambda r: not at(r, "rack.site"),
    "rack.site.opened = 2020-01-31": lambda r: bool(at(r, "rack.site.opened")),
    "rack.site.opened != 2020-01-31": lambda r: not at(r, "rack.site.opened"),
    "rack.power.kw > 6": lambda r: any(kw > 6 for kw in at(r, "rack.power.kw")),
    "rack.power.feeds is empty": lambda r: not at(r, "rack.power.feeds"),
    "rack.doors is not empty": lambda r: bool(at(r, "rack.doors")),
    "rack is empty and rack.name is empty": lambda r: "rack" not in r,
    "services.name = shop": lambda r: "shop" in at(r, "services.name"),
    "services.name != shop": lambda r: "shop" not in at(r, "services.name"),
    "services.ports > 400 and services.name = dns": lambda r: len(r["services"]) == 2,
    "services.url is not empty": lambda r: bool(at(r, "services.url")),
    # and, or, not
    "status = live or status = planned": lambda r: r.get("status") in ("live", "planned"),
    "status = live and up = true or cpus = 8": lambda r: (
        r.get("status") == "live" and r.get("up") is True) or r.get("cpus") == 8,
    "status = live and (up = true or cpus = 8)": lambda r: (
        r.get("status") == "live" and (r.get("up") is True or r.get("cpus") == 8)),
    "NOT (status = live Or up = true)": lambda r: r.get("status") != "live" and r.get("up") is not True,
    "not not tags = a": lambda r: "a" in r["tags"],
    "not (not (cpus > 1 and note like \"web.*\") and not status in \"live,planned\")": lambda r: (
        (r.get("cpus", 0) > 1 and "web" in r.get("note", "").lower())
        or r.get("status") in ("live", "planned")),
    "cpus > 1 and (note like \"web.*\" or status in \"live,planned\")": lambda r: r.get("cpus", 0) > 1 and (
        "web" in r.get("note", "").lower() or r.get("status") in ("live", "planned")),
}  # fmt: skip

BUILT: dict[str, list[tuple[str, str, str]]] = {
    "status = live": [("status", "is", "live")],
    "status != live": [("status", "is not", "live")],
    "status in live,planned": [("status", "is one of", "live, planned")],
    "status not in (live, 'planned')": [("status", "is none of", "live,planned,")],
    "status is empty": [("status", "has no value", "")],
    "up = true": [("up", "is", "true")],
    "cpus > -3 and cpus <= 8.5": [("cpus", ">", "-3"), ("cpus", "≤", " 8.5 ")],
    "cpus nin 0, 8, 16": [("cpus", "is none of", "0,8,16")],
    "note = 'new york'": [("note", "is", "new york")],
    "note = $ref": [("note", "is", "$ref")],
    "note = (x)": [("note", "is", "(x)")],
    "note like '^web.*'": [("note", "starts with", "WEB")],
    "note ~ ^web": [("note", "matches", "^web")],
    "note !~ ^web": [("note", "does not match", "^web")],
    "since = 2020-01-31": [("since", "is", "2020-01-31")],
    "since <= 2020-01-31": [("since", "≤", "2020-01-31")],
    "ip = 10.0.0.1/24": [("ip", "is", "10.0.0.1/24")],
    "ip ~ ^10[.]": [("ip", "starts with", "10.")],
    "tags = a": [("tags", "has the member", "a")],
    "tags != a": [("tags", "lacks the member", "a")],
    "tags is empty": [("tags", "has no value", "")],
    "os.version >= 9": [("os.version", "≥", "9")],
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A server with the rows of the model; a value of theirs is no longer in the enum."""
    with Sandbox() as sandbox:
        client = sandbox.client()

        def fill(name: str, definition: Row, rows: list[Row]) -> list[str]:
            schema = {"name": name, "_sis": {"owner": ["ops"]}, "definition": definition}
            client.schemas.create(schema)
            answer = client.entities(name).create(rows)
            assert not answer["errors"]
            return [row["_id"] for row in answer["success"]]

        sites = fill("site", SITE, SITES)
        racks = [rack | ({"site": sites[rack["site"]]} if "site" in rack else {}) for rack in RACKS]
        rack_ids, service_ids = fill("rack", RACK, racks), fill("service", SERVICE, SERVICES)
        older = HOST | {"status": STATUS | {"enum": [*STATUS["enum"], "legacy"]}}
        rows = [
            row
            | {"services": [service_ids[n] for n in row["services"]]}
            | ({"rack": rack_ids[row["rack"]]} if "rack" in row else {})
            for row in model()
        ]
        fill("host", older, rows)
        client.schemas.update("host", {**client.schemas.get("host").to_dict(), "definition": HOST})
        yield sandbox


@pytest.fixture(scope="module")
def hosts(sandbox: Sandbox) -> Endpoint:
    """The table of the model."""
    return sandbox.client().entities("host")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """The model, with what it refers to."""
    return [seen(row) for row in model()]


@pytest.fixture
def shell(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command in this process."""
    for name, value in {"SIS_URL": sandbox.url, "SIS_TOKEN": sandbox.token, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(main, args, prog_name="sispy")


@pytest.mark.parametrize("text", TABLE)
def test_a_filter_finds_what_a_predicate_does(text: str, hosts: Endpoint, rows: list[Row]) -> None:
    expected = [row["name"] for row in rows if TABLE[text](row)]
    assert sp.fetch(hosts, text, fields=["name"], progress=False).frame()["name"].tolist() == expected
    assert hosts.count(sp.where(hosts, f"not ({text})")) == len(rows) - len(expected)
    assert expected or text == "os.name = ''"


@pytest.mark.parametrize("text", TABLE)
def test_the_shell_finds_the_same(text: str, shell: Any, rows: list[Row], tmp_path: Path) -> None:
    result = shell("export", "host", "-o", "o.ndjson", "-q", "--fields", "name", text)
    assert (result.exit_code, result.output) == (0, "")
    lines = (tmp_path / "o.ndjson").read_text().splitlines()
    assert [json.loads(line)["name"] for line in lines] == [row["name"] for row in rows if TABLE[text](row)]


@pytest.fixture(scope="module")
def browser(sandbox: Sandbox) -> sp.SchemaBrowser:
    """The browser of schemas, at the rows of the model."""
    browser = sp.SchemaBrowser(sandbox.client())
    browser.wait()
    browser.visit("host", "rows")
    browser.wait()
    browser._rows.size = 1  # of a page: all are counted
    return browser


@pytest.mark.parametrize("text", TABLE)
def test_the_line_of_the_browser_finds_the_same(
    text: str, browser: sp.SchemaBrowser, rows: list[Row]
) -> None:
    browser._rows.ask(text)
    browser.wait()
    assert (browser._rows.refused, browser._rows.problem) == ("", "")
    assert browser._rows.total == sum(map(TABLE[text], rows))


@pytest.mark.parametrize("text", BUILT)
def test_the_builder_finds_the_same(text: str, hosts: Endpoint, rows: list[Row]) -> None:
    schema = sp.fetch(hosts, {"limit": 1}, progress=False).schema
    built = str(
        Builder(tuple(Condition(schema.field(path), word, value) for path, word, value in BUILT[text]))
    )
    assert hosts.count(sp.where(hosts, built)) == sum(map(TABLE[text], rows))
    assert str(parse(built)) == built == str(Builder.of(schema, built))


def test_several_arguments_are_joined_by_and(shell: Any, rows: list[Row]) -> None:
    result = shell(
        "export", "host", "-o", "o.csv", "status=live or status=planned", "up=true", "--where", "cpus>0"
    )
    expected = [
        r for r in rows if r.get("status") in ("live", "planned") and r.get("up") and r.get("cpus", 0) > 0
    ]
    assert result.output == f"o.csv is written: {len(expected)} rows\n"


def test_whatever_reads_takes_a_filter(hosts: Endpoint, rows: list[Row], tmp_path: Path) -> None:
    text = "status = live and cpus = 1e21"
    n = sum(row.get("status") == "live" and row.get("cpus") == 1e21 for row in rows)
    assert n > 3
    snapshot = sp.fetch(hosts, text, progress=False)
    assert (len(snapshot), snapshot.query) == (n, {"q": text})
    assert len(sp.fetch(hosts, {"q": text, "limit": 3}, progress=False)) == 3
    assert sum(map(len, sp.iter_frames(hosts, text))) == n
    assert sp.to_csv(hosts, tmp_path / "a.csv", text, progress=False) == n
    assert sp.to_ndjson(hosts, tmp_path / "a.ndjson", text, progress=False) == n
    assert sp.to_parquet(hosts, tmp_path / "a.parquet", text, fields=["name"], progress=False) == n
    assert sp.to_excel(snapshot, tmp_path / "a.xlsx") == n
    assert len(sp.read_dask(hosts, where=text, fields=["name"])) == n
    assert hosts.count(sp.where(hosts, text)) == n
    changed = sp.changes(hosts, since=0, query=text, progress=False).frame()
    assert set(changed["_id"]) == set(snapshot.ids)
    assert list(sp.as_of(hosts, "2001-01-01T00:00Z", query=text, progress=False).attrs["absent"]) == list(
        snapshot.ids
    )


def test_a_filter_that_finds_nothing_writes_the_header_and_says_so(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "o.csv"
    file.write_text("yesterday")
    result = shell("export", "host", "-o", "o.csv", "cpus=99", "--fail-if-empty")
    assert (result.exit_code, result.output) == (3, "sispy: no row matches: o.csv is not written\n")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["yesterday"]
    result = shell("export", "host", "-o", "o.csv", "cpus=99", "--fields", "name")
    assert (result.exit_code, result.output) == (0, "o.csv is written: its header alone, no row matches\n")
    assert file.read_text() == "_id,name,_updated_at\n"
    result = shell("export", "host", "-o", "o.xlsx", "cpus=99", "--fail-if-empty")
    assert (result.exit_code, (tmp_path / "o.xlsx").exists()) == (3, False)
    result = shell("export", "host", "-o", "o.csv", "status=legacy", "--fail-if-empty")
    told = "host: 50 values contradict the definition\no.csv is written: 50 rows\n"
    assert (result.exit_code, result.output) == (0, told)


def test_a_query_of_json_warns_in_words(shell: Any) -> None:
    result = shell("export", "host", "-o", "o.csv", "--query", '{"status": "lvie"}')
    told = f"host: {SLIP}\no.csv is written: its header alone, no row matches\n"
    assert (result.exit_code, result.output) == (0, told)


SLIP = "'status': no row has 'lvie', and the definition does not list it; did you mean 'live'?"
BLANKS = 'a value with blanks is put in quotes: "new york"'
QUOTES = "a shell takes a filter with blanks in quotes alone: 'status = live'"
MISSING = "an operator and a value are missing, as in 'status = live'"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["status=lvie"], SLIP),
        (["cpus=8", "status != lvie"], SLIP),
        (["note=new york"], f"filter 'note=new york': 'and' or 'or' is missing before 'york'; {BLANKS}"),
        (["status", "=", "live"], f"filter 'status': after 'status' {MISSING}; {QUOTES}"),
        (["nam=x"], "schema 'host' has no field 'nam'; did you mean 'name' or 'os.name'?"),
        (["rack=r1"], "'rack': 'r1' is not an id of 24 hex digits"),
    ],
)  # fmt: skip
def test_what_cannot_match_is_an_error_before_anything_is_written(
    args: list[str], message: str, shell: Any, tmp_path: Path
) -> None:
    result = shell("export", "host", "-o", "o.csv", *args)
    assert (result.exit_code, result.output) == (64, f"sispy: {message}\n")
    assert list(tmp_path.iterdir()) == []


def test_changes_and_revert_take_filters(shell: Any) -> None:
    changed = shell("changes", "host", "--since", "1d", "--output", "csv", "name in h000,h001", "up=true")
    assert {line.split(",")[1] for line in changed.stdout.splitlines()} == {"key", "h000"}
    result = shell("revert", "host", "--since", "1d", "cpus=99", "--yes")
    assert (result.exit_code, "nothing" in result.output) == (0, True)
    assert shell("revert", "host", "--since", "1d", "cpu=99", "--yes").exit_code == 64
