"""Tables as people have them go all the way: in, out in four formats, edited, pushed, undone, in again."""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

from sispy.cli import main
from sispy.sandbox import Sandbox
from sispy_pandas.workflow.fetch import fetch

EXPORTS = ("csv", "xlsx", "parquet", "ndjson")


@dataclass(frozen=True)
class Given:
    """A table from elsewhere.

    Attributes:
        write: Writes the file into a folder, and returns it.
        rows: How many it has.
        key: The field that its rows are known by; None: there is none.
        holds: Some fields of the first row, as they are stored.
        edit: A field of text, and what is put into it.
        told: Options of the import, and of `plan` if it is known by a key.
    """

    write: Callable[[Path], Path]
    rows: int
    key: str | None
    holds: dict[str, Any]
    edit: tuple[str, str]
    told: tuple[str, ...] = ()


def as_csv(path: Path, rows: list[list[Any]], *, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def as_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def address_plan(folder: Path) -> Path:
    head = ["Address", "VRF", "Role ", "Serial No.", "Depth", "Created", "is_pool", "Comments"]
    rows = [
        [
            f"10.0.{n}.0/24",
            "blue" if n % 2 else "",
            "loopback",
            f"{n:05}",
            n % 3,
            f"2024-03-{n + 1:02}",
            "true",
            "a, b",
        ]
        for n in range(8)
    ]
    return as_csv(folder / "prefixes.csv", [head, *rows])


def port_registry(folder: Path, rows: int = 63) -> Path:
    def service(n: int) -> list[Any]:
        if n % 7 == 3:
            return ["", "", "udp", "Reserved", "", ""]
        if n % 7 == 5:
            return ["", f"{1024 + n}-{1030 + n}", "", "Unassigned", "", ""]
        port = 1024 + n // 20
        note = f"service {n % 50}\nof old" if n % 3 else "  "
        return [f"svc-{port}", port, "tcp" if n % 2 else "", note, f"[RFC{n % 90}]", f"20{n % 24:02}-03-01"]

    head = ["Service Name", "Port Number", "Transport", "Note", "Ref.", "Since"]
    return as_csv(folder / "ports.csv", [head, *map(service, range(rows))])


def address_registry(folder: Path) -> Path:
    rows = [
        [f"192.0.{n}.0/24", f"line one\nline two, {n}", "   " if n % 2 else f"RFC {n}", "N/A [1]", "True"]
        for n in range(9)
    ]
    return as_csv(
        folder / "registry.csv", [["Address Block", "Name\n(long)", "RFC", "Termination", "Global"], *rows]
    )


def instances(folder: Path) -> Path:
    def instance(n: int) -> dict[str, Any]:
        nic = {
            "mac": f"02:00:00:00:00:{n:02x}",
            "ipv6": [],
            "groups": [{"id": "sg-1"}],
            "attached": {"index": n},
        }
        tags = [{"Key": "k8s.io/role", "Value": f"n{n}"}] if n else []
        return {
            "id": f"i-{n:08x}",
            "product_codes": [],
            "cpu": {"cores": n},
            "nics": [nic] * (n % 3),
            "tags": tags,
        }

    found = [{"instances": [instance(n), instance(n + 1)]} for n in range(0, 6, 2)]
    return as_json(folder / "instances.json", {"reservations": found, "next": None})


def hardware(folder: Path) -> Path:
    disk = {
        "id": "disk",
        "class": "disk",
        "size": 480_103_981_056,
        "capabilities": {"gpt-1.00": "GUID", "partitioned": True},
    }
    bridge = {
        "id": "pci",
        "class": "bridge",
        "children": [disk, {**disk, "id": "cdrom", "size": 0}],
        "claimed": True,
    }
    core = {"id": "core", "class": "bus", "description": "Motherboard", "children": [bridge], "get": "odd"}
    return as_json(
        folder / "lshw.json", {"id": "w1", "class": "system", "children": [core], "configuration": {}}
    )


def facts(folder: Path) -> Path:
    def host(n: int) -> dict[str, Any]:
        mounts = [{"mount": "/", "size": 10**10 + n, "options": "rw"}, {"mount": "/boot", "size": 512}]
        labels = {"example.com/zone": f"z{n}", "$source": "dmi", "nested": {"a.b": [n, None, {"c.d": True}]}}
        return {
            "ansible_hostname": f"h{n}",
            "ansible_default_ipv6": {},
            "ansible_mounts": mounts,
            "ansible_local": labels,
            "ansible_date": "2026-03-01T10:00:00Z",
            "ansible_uptime": 2**53 + n,
        }

    path = folder / "facts.ndjson"
    path.write_text(
        "".join(f"{json.dumps({'ansible_facts': host(n)})}\n" for n in range(4)), encoding="utf-8"
    )
    return path


def quotation(folder: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Offer 7"
    day = datetime.datetime(2026, 1, 1)  # noqa: DTZ001 - a workbook has no zone
    rows: list[list[Any]] = [
        ["Example Racks - Offer 7"],
        ["valid until 31.12.2026"],
        [],
        ["Item", None, None, "Prices"],
    ]
    rows += [["Part No.", "Description", None, "List (EUR)", "Discount %", "Start", "End"]]
    rows += [
        [f"{n:05}-A", f"Rack {n}", None, 1000.5 + n, 0.15, day, "n/a" if n % 2 else None] for n in range(6)
    ]
    rows += [[], ["Total", None, None, 6018]]
    for row in rows:
        sheet.append(row)
    sheet.merge_cells("A1:G1")
    book.create_sheet("Terms").append(["..."])
    book.save(folder / "offer.xlsx")
    return folder / "offer.xlsx"


def assets(folder: Path) -> Path:
    rows = [
        [f"SRV-{n:03}", "Live", "N/A" if n % 2 else "04.03.2024", "1.234,50", f"{n} ", "Ja", " Büro"]
        for n in range(7)
    ]
    head = ["Host Name ", "STATUS", "Purchase Date", "Price", "Cores", "Monitored", "Room"]
    return as_csv(folder / "assets.csv", [head, *rows], encoding="cp1252", delimiter=";")


QUOTATION = ("--sheet", "Offer 7", "--header-row", "5", "--footer-rows", "1")
ASSETS = (
    "--encoding",
    "cp1252",
    "--decimal",
    ",",
    "--thousands",
    ".",
    "--dayfirst",
    "--na",
    "N/A",
    "--true",
    "ja",
)
TABLES = {
    "address-plan": Given(
        address_plan,
        8,
        "Address",
        {
            "Address": "10.0.0.0/24",
            "Serial No": "00000",
            "Created": "2024-03-01T00:00:00.000Z",
            "is_pool": True,
        },
        ("Role", "anycast"),
    ),
    "port-registry": Given(
        port_registry,
        63,
        None,
        {"Service Name": "svc-1024", "Port Number": "1024", "Since": "2000-03-01T00:00:00.000Z"},
        ("Ref", "RFC 1"),
    ),
    "whole-port-registry": Given(
        partial(port_registry, rows=14_000),
        14_000,
        None,
        {"Service Name": "svc-1024", "Port Number": "1024"},
        ("Ref", "RFC 1"),
    ),
    "address-registry": Given(
        address_registry,
        9,
        "Address Block",
        {"Name (long)": "line one\nline two, 0", "RFC": "RFC 0", "Global": True},
        ("RFC", "RFC 99"),
    ),
    "instances": Given(
        instances,
        6,
        "id",
        {"id": "i-00000000", "product_codes": [], "nics": [], "cpu": {"cores": 0}},
        ("id", "i-x"),
        ("--at", "reservations.instances"),
    ),
    "hardware": Given(hardware, 1, "id", {"id": "w1", "class": "system"}, ("class", "server"), ("--at", ".")),
    "facts": Given(
        facts,
        4,
        "ansible_hostname",
        {
            "ansible_hostname": "h0",
            "ansible_local": {
                "example.com/zone": "z0",
                "$source": "dmi",
                "nested": {"a.b": [0, None, {"c.d": True}]},
            },
            "ansible_uptime": "9007199254740992",
        },
        ("ansible_hostname", "h9"),
        ("--at", "ansible_facts"),
    ),
    "quotation": Given(
        quotation,
        6,
        "Part No",
        {"Part No": "00000-A", "List (EUR)": 1000.5, "Start": "2026-01-01T00:00:00.000Z"},
        ("Description", "Rack, black"),
        QUOTATION,
    ),
    "assets": Given(
        assets,
        7,
        "Host Name",
        {
            "Purchase Date": "2024-03-04T00:00:00.000Z",
            "Price": 1234.5,
            "Cores": 0,
            "Monitored": True,
            "Room": " Büro",
        },
        ("STATUS", "Retired"),
        ASSETS,
    ),
}


LARGE = {"whole-port-registry": pytest.mark.soak}


@pytest.mark.parametrize("name", [pytest.param(name, marks=LARGE.get(name, ())) for name in TABLES])
def test_a_table_from_elsewhere_goes_all_the_way(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = TABLES[name]
    monkeypatch.chdir(tmp_path)
    with Sandbox() as sis:
        for variable, value in (("URL", sis.url), ("TOKEN", sis.token), ("USER", sis.user)):
            monkeypatch.setenv(f"SIS_{variable}", value)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))

        def run(*args: Any, status: int = 0) -> Result:
            result = CliRunner().invoke(main, [*map(str, args)], prog_name="sispy")
            assert (result.exit_code, args) == (status, args), result.output
            return result

        file = given.write(tmp_path)
        run("import", file, "--schema", "t", "--yes", *given.told)
        live = fetch(sis.client().entities("t"), progress=False)
        assert (len(live), live.schema.key) == (given.rows, given.key)
        first = next(r for r in live.records() if given.holds.items() <= r.items())
        assert live.warnings.empty

        for form in EXPORTS:
            run("export", "t", "-o", f"t.{form}")
            assert "0 updates, 0 creates, 0 deletes" in run("plan", "t", f"t.{form}").stdout
            assert run("diff", "t.csv", f"t.{form}").stderr.splitlines()[-1] == "no difference"

        column, text = given.edit
        with Path("t.csv").open(encoding="utf-8", newline="") as opened:
            head, *rows = csv.reader(opened)
        row = next(row for row in rows if row[0].lstrip("'") == first["_id"])
        row[head.index(column)] = text
        as_csv(Path("t.csv"), [head, *rows])
        run("push", "t", "t.csv", "--yes")
        assert sis.client().entities("t").get(first["_id"]).to_dict()[column] == text
        run("undo", "--yes")
        again = run("import", file, "--schema", "t", *given.told)
        assert again.stderr.splitlines()[-1] == "nothing to push"
        assert [bare(r) for r in fetch(live.endpoint, progress=False).records()] == [
            bare(r) for r in live.records()
        ]


def bare(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "_sis"}
