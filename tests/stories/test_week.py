"""A week of changes under control: a delivery, a mass change and its reviewer, an audit, a clean-up, an undo.

Three users work on 5,000 rows, with a folder of journals that the three share, in Python and in the shell.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import sispy_pandas as sp
from sispy.cli import main
from sispy.sandbox import Sandbox

HOSTS = 5_000
GROUPS = {"web": "admin", "infra": "admin", "data": "admin"}


@pytest.fixture
def sis(tmp_path, monkeypatch):
    """A server with sample data whose users alice, bob and carol may write all of it; their team's folder."""
    monkeypatch.chdir(tmp_path)
    team = tmp_path / "team"
    team.mkdir()
    team.chmod(0o2770)
    for name in ("SIS_PROFILE", "SIS_PASSWORD", "SIS_TOKEN_FILE", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SISPY_JOURNALS", str(team))
    monkeypatch.setenv("HOME", str(tmp_path))
    with Sandbox(samples=HOSTS) as sis:
        for name in ("bob", "carol"):
            users = sis.client().users
            users.update(name, {**users.get(name).to_dict(), "roles": GROUPS})
        yield sis


def client(sis, name):
    found = sis.client(name)
    found.username = name
    return found


def stored(sis, *tables) -> dict[str, dict[str, Any]]:
    """What tables hold, by key, with references as names; without what every write changes."""
    root = sis.client()
    rows = {name: list(root.entities(name).fetch_all({"populate": False})) for name in ("rack", "host")}
    called = {row["_id"]: row["name"] for those in rows.values() for row in those}
    return {
        f"{table} {row['name']}": {
            key: called.get(value, value) if isinstance(value, str) else value
            for key, value in row.items()
            if not key.startswith("_") and value not in (None, [], {})
        }
        for table in tables
        for row in rows[table]
    }


def delivery(sis) -> None:
    """Write what a vendor sends: two racks and twelve hosts in them, by names."""
    Path("racks.csv").write_text("name,site,units\nfra1-n01,fra1,42\nfra1-n02,fra1,42\n")
    lines = [f"new-fra1-{i:03},planned,debian,12,fra1-n0{i % 2 + 1}" for i in range(12)]
    Path("hosts.csv").write_text("\n".join(["name,status,os.name,os.version,rack", *lines, ""]))


def deliver(sis, name) -> sp.Reports:
    here = client(sis, name)
    plans = []
    for table in ("rack", "host"):
        live = sp.fetch(here.entities(table), refs="label", progress=False)
        frame = sp.read_csv(f"{table}s.csv", live.schema, refs="label")
        plans.append(live.diff(frame, key="name", create_missing=True, owner=["web"]))
    return sp.Plans.of(*reversed(plans)).push(progress=False, note="CHG100 delivery")


def test_the_week_in_python(sis):
    delivery(sis)

    # Monday: the vendor's list, two tables at once
    reports = deliver(sis, "alice").raise_for_failures()
    assert (reports.counts["done"], [report.plan.schema.name for report in reports]) == (14, ["rack", "host"])
    new = sp.fetch(sis.client().entities("host"), "name ~ ^new-fra1", expand=["rack.name"], progress=False)
    assert Counter(new.frame()["rack.name"]) == {"fra1-n01": 6, "fra1-n02": 6}

    # Tuesday: a mass change by alice, reviewed by carol, pushed by bob
    before = stored(sis, "rack", "host")
    hosts = client(sis, "alice").entities("host")
    plan = sp.set_values(hosts, "os.name = rhel and os.version = 8", {"os.version": "9"}, progress=False)
    plan.save("mass.json", note="CHG101")
    read = sp.load_plan("mass.json", client(sis, "carol"))
    assert isinstance(read, sp.Plan)
    (group,) = read.groups().to_dict("records")
    assert group == {
        "action": "update",
        "field": "os.version",
        "before": "8",
        "after": "9",
        "rows": len(plan),
    }
    by_site = read.groups(by="rack.site.name")
    assert (by_site["rows"].sum(), by_site["rows"].iloc[0] < len(plan)) == (len(plan), True)
    with pytest.raises(sp.PlanRefused, match="not the plan that was reviewed"):
        sp.load_plan("mass.json", client(sis, "bob")).only(ids=[plan.changes[0].id]).push(
            progress=False, expect_digest=read.digest
        )
    pushed = sp.load_plan("mass.json", client(sis, "bob")).push(
        progress=False, expect_digest=read.digest, reviewer="carol", verify=False
    )
    assert pushed.counts["done"] == len(plan) > 500

    # Wednesday: an audit finds who planned, reviewed and pushed what
    found = sp.pushes()
    assert found[["schema", "user", "author", "reviewer", "note"]].astype(object).values.tolist() == [
        ["host", "bob", "alice", "carol", "CHG101"],
        ["rack, host", "alice", None, None, "CHG100 delivery"],
    ]
    assert found["digest"].iloc[0] == read.digest
    changed = sp.changes(sis.client().entities("host"), since="1h", by="bob", progress=False)
    assert (len(changed), set(changed.summary()["field"])) == (len(plan), {"os.version"})

    # Thursday: a rack that is there twice becomes one
    racks = client(sis, "carol").entities("rack")
    site = racks.fetch_page({"q": {"name": "fra1-n01"}, "populate": False})[0]["site"]
    twin = racks.create({"name": "fra1-n0 1", "site": site, "row": "B"}).to_dict()
    moved = client(sis, "carol").entities("host")
    moved.update("new-fra1-000", {"rack": twin["_id"]})
    doubles = sp.duplicates(sis.client(), "rack", progress=False)
    assert doubles["key"].tolist() == ["fra1-n01", "fra1-n0 1"]
    merged = (
        sp.merge_rows(racks, "fra1-n01", ["fra1-n0 1"])
        .push(progress=False, note="CHG102")
        .raise_for_failures()
    )
    assert sp.duplicates(sis.client(), "rack", progress=False).empty
    assert stored(sis, "rack")["rack fra1-n01"]["row"] == "B"
    assert sp.dangling(sis.client(), "host", progress=False).empty
    assert merged.counts["done"] == 3

    # Friday: carol, on call, takes back bob's push; what alice corrected since stays
    victim = plan.changes[0]
    client(sis, "alice").entities("host").update(victim.id, {"os": {"version": "10"}})
    (name,) = [path for path, note in zip(found["journal"], found["note"], strict=True) if note == "CHG101"]
    back = sp.undo(name, client(sis, "carol"))
    report = back.push(progress=False, note="INC1", verify=False)
    assert (report.counts["done"], report.counts["conflict"]) == (len(plan) - 1, 1)
    after = stored(sis, "host")
    assert after[f"host {victim.key}"]["os"]["version"] == "10"
    left = {name for name in after if after[name] != before[name]}
    assert left == {f"host {victim.key}"}


@pytest.fixture
def shell(sis, monkeypatch):
    """Run a command as one of the users: (status, standard output, standard error)."""

    def run(user, *args):
        monkeypatch.setenv("SIS_URL", sis.url)
        monkeypatch.setenv("SIS_USER", user)
        monkeypatch.setenv("SIS_TOKEN", str(sis.client(user).auth_token))
        result = CliRunner().invoke(main, [str(arg) for arg in args], prog_name="sispy")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


def test_the_week_in_the_shell(sis, shell):
    delivery(sis)
    options = ("--key", "name", "--create-missing", "--refs", "label", "--owner", "web", "--yes")

    status, told, said = shell(
        "alice", "push", "host=hosts.csv", "rack=racks.csv", *options, "--note", "CHG100"
    )
    assert (status, re.findall(r"(rack|host) on .*: (\d+) done", told)) == (
        0,
        [("rack", "2"), ("host", "12")],
    ), said

    # Tuesday
    before = stored(sis, "host")
    shell(
        "alice",
        "export",
        "host",
        "-o",
        "rhel.csv",
        "os.name=rhel",
        "os.version=8",
        "--fields",
        "name,os.version",
    )
    path = Path("rhel.csv")
    path.write_text(path.read_text().replace(",8,", ",9,"))
    status, told, said = shell("alice", "plan", "host", path, "-o", "mass.json", "--note", "CHG101")
    (digest,) = re.findall(r"--expect-digest (\w+)", said)
    assert (status, len(told.splitlines())) == (0, 6)
    status, told, _ = shell("carol", "plan", "mass.json", "--by", "rack.site.name")
    assert "planned by alice" in told
    rows = [
        int(n.replace(",", ""))
        for n in re.findall(r"^~  os\.version  8       9 .* ([\d,]+) +\S+-\S+,", told, re.MULTILINE)
    ]
    assert (len(rows) > 5, sum(rows)) == (True, len(path.read_text().splitlines()) - 1)
    assert shell("bob", "push", "mass.json", "--yes", "--expect-digest", digest[::-1])[0] == 3
    push = ("push", "mass.json", "--yes", "--no-verify", "--expect-digest", digest, "--reviewer", "carol")
    status, _, said = shell("bob", *push)
    assert (status, "puts the old values back" in said) == (0, True)

    # Wednesday
    _, told, _ = shell("carol", "pushes", "--note", "CHG101", "--since", "1h", "--output", "json")
    (found,) = json.loads(told)["pushes"]
    assert [found[key] for key in ("user", "author", "reviewer", "done", "digest")] == [
        "bob", "alice", "carol", sum(rows), digest,
    ]  # fmt: skip
    status, told, _ = shell("carol", "changes", "host,rack", "--since", "1h")
    assert [line.split()[0] for line in told.splitlines() if line[:6] in ("host: ", "rack: ")] == [
        "host:",
        "rack:",
    ]

    # Thursday
    racks = sis.client("alice").entities("rack")
    racks.create({"name": "fra1-n0 1", "site": racks.get("fra1-n01", {"populate": False})["site"]})
    status, told, _ = shell("carol", "check", "rack")
    assert (status, "0 dangling references, 2 duplicates" in told) == (2, True)

    # Friday
    status, _, said = shell("carol", "undo", "--yes")
    assert (status, "there is no written push of yours" in said) == (64, True)
    assert shell("carol", "undo", found["push"], "--yes", "--no-verify", "--note", "INC1")[0] == 0
    assert stored(sis, "host") == before
    status, told, _ = shell("bob", "pushes", "--note", "CHG101")
    assert "undone" in told
    assert shell("alice", "undo", "--yes")[0] == 64  # others pushed since: it has to be named
    (delivered,) = json.loads(shell("alice", "pushes", "--note", "CHG100", "--output", "json")[1])["pushes"]
    assert shell("alice", "undo", delivered["push"], "--yes", "--expect-deletes", "14")[0] == 0
    assert not any(name.startswith("host new-") for name in stored(sis, "host"))
