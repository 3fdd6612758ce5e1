"""A list of assets from elsewhere, known by a key: how it is read is told once, it comes again and again."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner, Result

from sispy.cli import main
from sispy.sandbox import Sandbox

if TYPE_CHECKING:
    import pytest

HEAD = ["Host Name ", "STATUS", "OS Version", "Purchase Date", "Purchase Price", "CPU Cores", "Monitoring"]
HEAD += ["Rack Location", "Comment", "Asset Owner"]
TITLES = {
    "Host Name": "name",
    "STATUS": "status",
    "OS Version": "os.version",
    "Purchase Date": "bought",
    "Purchase Price": "price",
    "CPU Cores": "hardware.cores",
    "Monitoring": "monitored",
    "Rack Location": "rack",
    "Comment": "notes",
}
TOLD = ("--ignore-case", "--thousands", ",", "--dayfirst", "--na", "N/A", "--false", "off")


def listed(host: dict[str, Any]) -> list[str]:
    """Return a host as a row of the list: as another department writes it."""
    bought, price = host.get("bought"), host.get("price")
    name = host["name"].upper()
    return [
        name + "  " if name < "M" else name,
        host["status"].title(),
        host["os"]["version"],
        "N/A" if bought is None else f"{bought[8:10]}.{bought[5:7]}.{bought[:4]}",
        "N/A" if price is None else f"{price:,.2f}",
        f"{host['hardware']['cores']} ",
        {True: "Yes", False: "off", None: ""}[host.get("monitored")],
        host.get("rack") or "N/A",
        host.get("notes") or "",
        " Team Web",
    ]


def delivered(hosts: list[dict[str, Any]], **cells: str) -> None:
    """Write the list; cells are put into its first row."""
    rows = [listed(host) for host in hosts]
    for title, cell in cells.items():
        rows[0][[name.strip().replace(" ", "_") for name in HEAD].index(title)] = cell
    rows += [["WEB-XXX9-999", "Live", "8", "01.02.2024", "1,000.00", "4", "Yes", "N/A", "new", ""], [""] * 10]
    with Path("assets.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])


def test_a_list_that_is_matched_by_key_goes_all_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Sandbox(samples=40) as sis:
        for variable, value in (("URL", sis.url), ("TOKEN", sis.token), ("USER", sis.user)):
            monkeypatch.setenv(f"SIS_{variable}", value)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))
        endpoint = sis.client().entities("host")

        def run(*args: Any, status: int = 0) -> Result:
            result = CliRunner().invoke(main, [*map(str, args)], prog_name="sispy")
            assert (result.exit_code, args) == (status, args), result.output
            return result

        def hosts() -> list[dict[str, Any]]:
            return list(endpoint.fetch_all({"populate": False, "sort": "name"}))

        def changes(*args: str) -> set[tuple[str, str, Any]]:
            told = json.loads(
                run("plan", "host", "assets.csv", "--key", "name", *args, "--output", "json").stdout
            )
            return {(cell["key"], cell["field"], cell["after"]) for cell in told["cells"]}

        before = hosts()
        known = [host for host in before if host["status"] != "planned"]
        first = next(host for host in known if host.get("price") and host.get("bought") and host.get("rack"))
        known = [first, *(host for host in known if host is not first)]
        there, away = known[:-2], known[-2:]
        delivered(there)

        # What cannot be inferred is named, each kind once, with the option that tells it.
        renamed = [word for pair in TITLES.items() for word in ("--rename", "=".join(pair))]
        lines = run("plan", "host", "assets.csv", "--key", "name", *renamed, status=3).stdout.splitlines()
        ways = [line.partition("): ")[2] for line in lines if " look" in line]
        assert set(ways) == {
            "--na N/A says that it means no value",
            "--refs label takes it for the name of a row",
            "--dayfirst takes 3/4/2026 for the third of April",
            "--thousands , lets groups have commas",
            "--true off says that it is true, --false off says that it is false",
            "--ignore-case takes values of an enum in any case",
        }

        # Told, the list says nothing new; the next delivery needs the mapping alone.
        save = ("--save-mapping", "assets.toml")
        assert changes(*renamed, *TOLD, *save) == set()
        name = first["name"]
        delivered(there, CPU_Cores="64", Purchase_Price="12,345.50", Comment="moved; =1+1")
        mapped = ("--mapping", "assets.toml")
        edits = {(name, "hardware.cores", 64), (name, "price", 12345.5), (name, "notes", "moved; =1+1")}
        assert changes(*mapped) == edits

        gone = ("--missing-out", "gone.csv", "--within", "status != planned")
        run("plan", "host", "assets.csv", "--key", "name", *mapped, *gone)
        with Path("gone.csv").open(encoding="utf-8", newline="") as file:
            assert {row["name"] for row in csv.DictReader(file)} == {host["name"] for host in away}

        # Pushed once it is there; the same file is no edit to anybody then.
        run("push", "host", "assets.csv", "--key", "name", *mapped, "--yes")
        now = endpoint.get(first["_id"]).to_dict()
        assert (now["hardware"]["cores"], now["price"], now["notes"]) == (64, 12345.5, "moved; =1+1")
        assert changes(*mapped) == set()
        again = run("import", "assets.csv", "--schema", "host", *mapped, "--dry-run")
        assert "0 updates, 1 create, 0 deletes" in again.stdout  # import makes what is new

        # Taken back, all is as it was, and the list says the same as before.
        run("undo", "--yes")
        assert [bare(host) for host in hosts()] == [bare(host) for host in before]
        assert changes(*mapped) == edits
        joined = run("push", "host", "assets.csv", "--key", "name", "--create-missing", *mapped, "--yes")
        assert "2 done" in joined.stdout
        assert (
            run("import", "assets.csv", "--schema", "host", *mapped).stderr.splitlines()[-1]
            == "nothing to push"
        )


def bare(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "_sis" and value is not None}
