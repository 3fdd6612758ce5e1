"""Plans of several tables that are one change: order, names of new rows, one journal, one undo."""

from __future__ import annotations

import json
import os
import stat
from typing import Any

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.pushing.journal import folder, short
from sispy_pandas.pushing.parts import parts_of


def sites(server) -> Any:
    return sp.fetch(server.client.entities("site"), refs="label", progress=False)


def moved_to(server, name="s9") -> set[str]:
    site = server.client.entities("site").fetch_page({"q": {"name": name}})
    return (
        {h["name"] for h in server.hosts.fetch_page({"q": {"site": site[0]["_id"]}})} if len(site) else set()
    )


@pytest.fixture
def plans(server) -> sp.Plans:
    live = server.fetch(refs="label")
    moved = live.frame().head(2).astype(object).assign(site="s9")[["site", "_updated_at"]]
    new_site = pd.DataFrame({"name": ["s9"]}).astype(object)
    return sp.Plans.of(live.diff(moved), sites(server).diff(new_site, new=True))


def test_new_rows_are_referred_to_by_name_and_written_first(server, plans):
    assert [plan.schema.name for plan in plans] == ["site", "host"]
    assert len(plans.problems) == len(plans.check().problems) == 0
    assert "~  h00000  site   " in str(plans)
    assert "s9 (new)" in str(plans)

    reports = plans.push(progress=False, note="CHG1")

    assert (reports.ok, reports.counts["done"], len(reports)) == (True, 3, 3)
    assert moved_to(server) == {"h00000", "h00001"}
    assert reports.frame()[["schema", "action", "outcome"]].values.tolist() == [
        ["site", "create", "done"],
        ["host", "update", "done"],
        ["host", "update", "done"],
    ]


def test_what_one_plan_writes_and_deletes_is_sent_before_and_after_the_others(server):
    live = server.fetch()
    mixed = live.diff(live.frame().head(2).assign(cpus=9), delete=[live.ids[5], live.ids[6]])
    new_site = sites(server).diff(pd.DataFrame({"name": ["s9"]}).astype(object), new=True)

    plans = sp.Plans.of(mixed, new_site)

    named = ("creates", "updates", "deletes")
    assert [(plan.schema.name, *(plan.counts[name] for name in named)) for plan in plans] == [
        ("site", 1, 0, 0),
        ("host", 0, 2, 0),
        ("host", 0, 0, 2),
    ]
    assert plans.push(progress=False).counts["done"] == 5
    assert (server.hosts.count({}), server.hosts.count({"cpus": 9})) == (18, 2)


def test_a_plan_by_itself_stays_as_it_is(server):
    live = server.fetch()
    mixed = live.diff(live.frame().head(2).assign(cpus=9), delete=[live.ids[5]])
    nothing = sites(server).diff(sites(server).frame())

    assert sp.Plans.of(nothing, mixed).plans == (mixed,)


def test_a_push_of_several_tables_is_one_push_and_one_undo(server, plans):
    before = server.stored()
    reports = plans.push(progress=False, note="CHG1")

    (push,) = sp.pushes().to_dict("records")
    assert {key: push[key] for key in ("schema", "rows", "done", "note", "digest")} == {
        "schema": "site, host",
        "rows": 3,
        "done": 3,
        "note": "CHG1",
        "digest": plans.digest,
    }
    assert len({short(path) for path in reports.journals}) == 1

    back = sp.undo(push["journal"], server.client)
    assert [(plan.schema.name, plan.counts["updates"], plan.counts["deletes"]) for plan in back] == [
        ("host", 2, 0),
        ("site", 0, 1),
    ]
    assert back.push(progress=False).ok
    assert server.stored() == before
    assert sp.pushes()["undone"].tolist() == [0, 3]
    assert sp.undo(reports).empty

    again = sp.undo(sp.pushes()["journal"][0], server.client).push(progress=False)
    assert again.counts["done"] == 3
    assert moved_to(server) == {"h00000", "h00001"}


def test_rows_are_deleted_after_what_refers_to_them(server):
    live = server.fetch()
    gone = live.frame()[live.frame()["site"] == server.sites[2]]
    hosts = live.diff(live.frame().head(0), delete=list(gone.index))
    site = sp.fetch(server.client.entities("site"), progress=False)
    plans = sp.Plans.of(site.diff(site.frame().head(0), delete=[server.sites[2]]), hosts)

    assert [plan.schema.name for plan in plans] == ["host", "site"]
    assert len(plans.check().problems) == 0
    reports = plans.push(progress=False)
    assert reports.ok

    back = sp.undo(reports).push(progress=False)
    assert back.ok, back.failures
    assert len(moved_to(server, "s2")) == len(gone)


def test_an_interrupted_push_is_finished_part_by_part(server, plans):
    server.sandbox.faults = Faults(errors={"PUT /entities/host": (503, 1.0)})
    reports = plans.push(progress=False, limits=sp.Limits(patience=0.2, settle=0.05, settle_row=0.0))
    server.sandbox.faults = Faults()
    assert reports.counts["done"] == 1
    assert reports.counts["unsent"] == 2

    rest = sp.resume(reports.journals[0], server.client)
    assert [plan.schema.name for plan in rest] == ["host"]
    assert rest.push(progress=False).ok
    assert moved_to(server) == {"h00000", "h00001"}
    assert sp.pushes()["ended"].tolist() == [True]


def test_all_parts_are_on_disk_before_the_first_byte_is_sent(server, plans):
    reports = plans.push(progress=False, cancel=lambda: True)

    assert (reports.counts["unsent"], server.writes(since=len(server.sandbox.requests))) == (3, [])
    first, second = parts_of(reports.journals[0])
    assert [json.loads(path.read_text().splitlines()[0])["schema"] for path in (first, second)] == [
        "site",
        "host",
    ]
    assert sp.resume(second, server.client).push(progress=False).ok
    assert moved_to(server) == {"h00000", "h00001"}


def test_a_part_whose_journal_is_damaged_or_away_is_named_by_what_is_done_with_the_others(server, plans):
    first, second = plans.push(progress=False).journals
    told = f"left out: 1 part of this push, of which {first.parent} has no journal in order"
    assert sp.undo(second, server.client, progress=False).plans[0].notes == ()

    for change in (lambda: first.write_text("[]\n"), first.unlink):
        change()
        back = sp.undo(second, server.client, progress=False)
        assert (len(back), back.notes) == (2, (told,))
        assert sp.resume(second, server.client).notes[-1] == told


def test_what_was_pushed_is_not_pushed_again(server, plans):
    plans.push(progress=False)
    writes = len(server.writes())

    again = plans.push(progress=False)

    assert (again.counts["unchanged"], len(server.writes())) == (3, writes)


def test_plans_are_saved_and_loaded_as_one(server, plans, tmp_path):
    loaded = sp.load_plan(plans.save(tmp_path / "both.json", note="CHG1"), server.client)

    assert isinstance(loaded, sp.Plans)
    assert "s9 (new)" in str(loaded)
    assert (loaded.digest, loaded.counts, str(loaded).count("planned by root")) == (
        plans.digest,
        plans.counts,
        2,
    )
    with pytest.raises(sp.PlanRefused, match="not the plans that were reviewed"):
        loaded.push(progress=False, expect_digest="0" * 64)
    assert loaded.push(progress=False, expect_digest=plans.digest).ok
    lines = (tmp_path / "both.json").read_text().splitlines()
    second = max(i for i, line in enumerate(lines) if line.startswith('{"sispy_plan"'))
    for left in (lines[:3], lines[:second], [lines[0], *lines[second:]]):
        (tmp_path / "half.json").write_text("\n".join(left))
        with pytest.raises(ValueError, match="was altered"):
            sp.load_plan(tmp_path / "half.json", server.client)


def test_a_problem_of_one_table_refuses_all(server, plans):
    bad = server.fetch().diff(server.fetch().frame().astype(object).assign(cpus=99).head(1))

    with pytest.raises(sp.PlanRefused, match=r"host: .*64"):
        sp.Plans.of(bad, plans.plans[0]).push(progress=False)
    assert server.writes(since=len(server.sandbox.requests)) == []
    with pytest.raises(ValueError, match="two plans are for table host"):
        sp.Plans.of(bad, bad)


def test_more_deletes_than_stated_are_counted_over_all_tables(server):
    live = server.fetch()
    site = sp.fetch(server.client.entities("site"), progress=False)
    plans = sp.Plans.of(
        live.diff(live.frame().head(0), delete=list(live.ids)),
        site.diff(site.frame().head(0), delete=server.sites),
    )

    with pytest.raises(sp.PlanRefused, match="the plans delete 23 rows"):
        plans.push(progress=False)
    assert plans.push(progress=False, expect_deletes=23).ok


def test_new_rows_of_one_table_refer_to_each_other_by_name(server):
    schema = {
        "name": "team",
        "_sis": {"owner": ["ops"]},
        "definition": {
            "name": {"type": "String", "required": True, "unique": True},
            "boss": {"type": "ObjectId", "ref": "team"},
            "friends": [{"type": "ObjectId", "ref": "team"}],
        },
    }
    server.client.schemas.create(schema)
    teams = server.client.entities("team")
    teams.create({"name": "old"})
    rows = pd.DataFrame(
        {"name": ["a", "b", "c"], "boss": ["b", "old", "a"], "friends": [("c", "old"), (), ("a",)]}
    ).astype(object)

    plan = sp.fetch(teams, refs="label", progress=False).diff(rows, new=True)
    report = plan.push(progress=False)

    assert report.ok, report.failures
    stored = {row["name"]: row for row in teams.fetch_all({"populate": False})}
    names = {row["_id"]: name for name, row in stored.items()}
    assert {name: names.get(row.get("boss")) for name, row in stored.items()} == {
        "old": None, "a": "b", "b": "old", "c": "a",
    }  # fmt: skip
    assert {name: sorted(names[id_] for id_ in row["friends"]) for name, row in stored.items()} == {
        "old": [], "a": ["c", "old"], "b": [], "c": ["a"],
    }  # fmt: skip


@pytest.fixture
def mutual(server):
    """Clusters that refer to their master, and machines that refer to their cluster: (clusters, machines)."""
    name = {"type": "String", "required": True, "unique": True}
    tables = []
    for table, field, other in (("cluster", "master", "machine"), ("machine", "cluster", "cluster")):
        definition = {"name": name, field: {"type": "ObjectId", "ref": other}}
        document = {"name": table, "id_field": "name", "definition": definition, "_sis": {"owner": ["ops"]}}
        server.client.schemas.create(document)
        tables.append(server.client.entities(table))
    return tables


def planned(table, **columns):
    live = sp.fetch(table, refs="label", progress=False)
    return live.diff(pd.DataFrame(columns, dtype=object), key="name", create_missing=True)


def test_tables_that_refer_to_each_other_are_ordered_by_their_new_rows(mutual):
    clusters, machines = mutual
    clusters.create({"name": "old"})

    plans = sp.Plans.of(
        planned(clusters, name=["new"], master=["m"]), planned(machines, name=["m"], cluster=["old"])
    )

    assert ([plan.schema.name for plan in plans], len(plans.problems)) == (["machine", "cluster"], 0)
    assert plans.push(progress=False).ok


def test_new_rows_of_two_tables_that_refer_to_each_other_are_told_the_way_in_two_steps(mutual):
    clusters, machines = mutual
    wanted = {"name": ["c"], "master": ["m"]}
    members = planned(machines, name=["m"], cluster=["c"])

    plans = sp.Plans.of(planned(clusters, **wanted), members)

    assert plans.problems.values.tolist() == [
        [
            *("cluster", 0, "c", "master", "m"),
            "refers to m, a new row of machine, whose new rows refer to this table in turn: "
            "push without master first, then all of it once more",
        ]
    ]
    assert sp.Plans.of(planned(clusters, name=["c"]), members).push(progress=False).ok
    again = sp.Plans.of(planned(clusters, **wanted), planned(machines, name=["m"], cluster=["c"]))
    assert again.push(progress=False).ok
    (cluster,), (machine,) = (table.fetch_all({"populate": False}) for table in mutual)
    assert (cluster["master"], machine["cluster"]) == (machine["_id"], cluster["_id"])


def test_rows_that_refer_to_each_other_are_deleted_together_and_come_back_in_two_undos(mutual, server):
    clusters, machines = mutual
    clusters.create({"name": "c"})
    assert planned(machines, name=["m"], cluster=["c"]).push(progress=False).ok
    planned(clusters, name=["c"], master=["m"]).push(progress=False)
    live = [sp.fetch(table, progress=False) for table in mutual]

    gone = sp.Plans.of(*(one.diff(one.frame(), delete=one.ids) for one in live)).push(progress=False)

    assert (gone.counts["done"], [table.count() for table in mutual]) == (2, [0, 0])
    plans = sp.undo(gone, server.client, progress=False)
    assert [len(plan) for plan in plans] == [1, 1]
    assert "once those are back, another undo of this push puts them in" in str(plans)
    assert plans.push(progress=False).ok
    assert sp.undo(gone, server.client, progress=False).push(progress=False).counts["done"] == 1
    (cluster,), (machine,) = (table.fetch_all({"populate": False}) for table in mutual)
    assert (cluster["master"], machine["cluster"]) == (machine["_id"], cluster["_id"])


def test_what_a_new_row_cannot_do_without_goes_first(mutual, server):
    clusters, machines = mutual
    document = server.client.schemas.get("machine").to_dict()
    document["definition"]["cluster"]["required"] = True
    server.client.schemas.update("machine", document)

    plans = sp.Plans.of(
        planned(machines, name=["m"], cluster=["c"]), planned(clusters, name=["c"], master=["m"])
    )

    assert plans.problems[["schema", "column"]].values.tolist() == [["cluster", "master"]]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="rights of files are those of POSIX")
def test_a_folder_of_a_team_lets_colleagues_undo(server, plans):
    folder().mkdir(parents=True)
    folder().chmod(0o2770)

    reports = plans.push(progress=False)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder().glob("*.jsonl")}
    assert modes == {stat.S_IMODE(path.stat().st_mode) for path in (folder() / "index").iterdir()} == {0o660}
    assert sp.undo(reports.journals[0], server.client).push(progress=False).ok


def test_what_only_the_check_of_a_later_part_finds_keeps_no_other_row_back(server, plans):
    live = server.fetch()
    moved = live.frame().head(2).assign(site=[server.sites[0], server.sites[1]], cpus=9)
    several = sp.Plans.of(live.diff(moved), plans.plans[0])
    others = server.client.entities("site")

    def before(seen):
        if seen.method == "POST":  # the first part, after both were checked
            server.sandbox.faults = Faults()
            others.delete(server.sites[1])

    server.sandbox.faults = Faults(before=before)

    reports = several.push(progress=False)

    assert [[o.word for o in report.outcomes] for report in reports] == [["done"], ["done", "problem"]]
    assert server.hosts.count({"cpus": 9}) == 1
