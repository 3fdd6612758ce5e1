"""What a revert and an undo take back, and what they spare: everything that others wrote since."""

from dataclasses import replace

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy.sandbox import Sandbox
from sispy_pandas.revisions.edits import changes
from sispy_pandas.revisions.revert import revert

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "os": "String",
    "cpus": "Number",
    "tags": ["String"],
    "site": {"room": "String", "row": "Number"},
    "disks": [{"dev": "String", "gb": "Number"}],
    "facts": "Mixed",
}


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """Return a function from a user to the table as that user sees it."""
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))
    with Sandbox() as sis:
        root = sis.client()
        for name in ("script", "carol"):
            user = {"name": name, "email": f"{name}@example.com", "pw": name, "roles": {"g": "admin"}}
            root.users.create(user)
        root.schemas.create({"name": "host", "_sis": {"owner": ["g"]}, "definition": DEFINITION})
        clients = {name: sis.client(name) for name in ("script", "carol")} | {"root": root}
        yield lambda user="root": clients[user].entities("host")


def by_script(hosts, **options):
    return changes(hosts(), since="2001-01-01T00:00Z", by="script", progress=False, **options)


def pushed(plan, **options):
    return plan.push(progress=False, journal=False, **options)


def rows(frame, *columns):
    return [tuple(row) for row in frame[list(columns)].itertuples(index=False)]


def test_a_new_row_that_another_wrote_to_stays_also_if_its_maker_wrote_to_it_again(hosts):
    id_ = hosts("script").create({"name": "new", "os": "one"})["_id"]
    hosts("carol").update(id_, {"cpus": 4})
    hosts("script").update(id_, {"os": "two"})
    plan = revert(by_script(hosts))
    assert rows(plan.conflicts, "_id", "field", "base", "mine", "theirs") == [(id_, "cpus", None, None, 4)]
    report = pushed(plan)
    assert [(o.key, o.word) for o in report.outcomes] == [("new", "conflict")]
    assert "cpus" in report.conflicts["field"].tolist()
    assert hosts().get(id_)["cpus"] == 4
    assert pushed(plan.rebase(report, keep="theirs")).counts["done"] == 0
    assert pushed(plan.rebase(report, keep="mine")).counts["done"] == 1
    assert hosts().count() == 0


@pytest.mark.parametrize("last", ["script", "carol"])
def test_a_new_row_that_another_wrote_to_stays_also_if_it_holds_the_same_value_again(hosts, last):
    id_ = hosts("script").create({"name": "new", "os": "one"})["_id"]
    hosts("carol").update(id_, {"os": "two"})
    hosts(last).update(id_, {"os": "one"})
    assert pushed(revert(by_script(hosts))).counts["conflict"] == 1
    assert hosts().count() == 1


@pytest.mark.parametrize("later", [True, False])
def test_a_new_row_with_tags_of_another_stays(hosts, later):
    id_ = hosts("script").create({"name": "new"})["_id"]
    hosts("carol").update(id_, {"_sis": {"tags": ["keep"]}})
    if later:
        hosts("script").update(id_, {"os": "two"})
    plan = revert(by_script(hosts))
    assert rows(plan.conflicts, "field", "base", "theirs") == [("_sis.tags", [], ["keep"])]
    assert pushed(plan).counts["conflict"] == 1
    assert hosts().count() == 1


@pytest.mark.parametrize("body", [{"_sis": {"tags": ["keep"]}}, {"os": "two"}])
def test_a_new_row_that_another_writes_to_between_the_plan_and_its_push_stays(hosts, body):
    id_ = hosts("script").create({"name": "new", "os": "one"})["_id"]
    plan = revert(by_script(hosts))
    hosts("carol").update(id_, body)
    hosts("carol").update(id_, {"os": "one"})
    assert pushed(plan).counts["conflict"] == 1
    assert hosts().count() == 1


def test_a_write_that_changed_nothing_is_nobodys_work(hosts):
    id_ = hosts("script").create({"name": "new", "os": "one"})["_id"]
    hosts("carol").update(id_, {"os": "one"})
    assert pushed(revert(by_script(hosts))).counts["done"] == 1


def test_a_new_row_that_only_its_maker_wrote_to_goes(hosts):
    id_ = hosts("script").create({"name": "new", "os": "one", "disks": [{"dev": "a"}]})["_id"]
    hosts("script").update(id_, {"os": "two", "site": {"room": "r"}, "_sis": {"tags": []}})
    plan = revert(by_script(hosts))
    assert plan.conflicts.empty
    assert pushed(plan).counts["done"] == 1
    assert hosts().count() == 0


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"os": "x"}, {"os": "y"}),
        ({"site": {"row": 1}}, {"site": {"row": 2}}),
        ({"disks": [{"gb": 1}]}, {"disks": []}),
        ({"facts": {"k": 1}}, {"facts": {"k": 2}}),
        ({"tags": ["a"]}, {"tags": ["b"]}),
    ],
)
def test_a_cell_that_another_changed_and_changed_back_is_a_conflict(hosts, one, two):
    id_ = hosts("carol").create({"name": "old"})["_id"]
    hosts("script").update(id_, one)
    mine = hosts().get(id_).to_dict()
    hosts("carol").update(id_, two)
    hosts("carol").update(id_, {name: mine[name] for name in one})
    plan = revert(by_script(hosts))
    assert len(plan.conflicts) == 1
    report = pushed(plan)
    assert (report.counts["conflict"], report.counts["done"]) == (1, 0)
    now = hosts().get(id_).to_dict()
    assert {name: now[name] for name in one} == {name: mine[name] for name in one}
    assert pushed(plan, on_conflict="mine").counts["done"] == 1


def test_what_was_written_while_the_history_was_read_is_left_to_the_guard(hosts, monkeypatch):
    id_ = hosts("carol").create({"name": "old", "os": "one", "tags": ["a", "b"]})["_id"]
    hosts("script").update(id_, {"os": "two", "tags": ["b"]})
    endpoint = hosts()
    read = endpoint.commits

    def commits(id_):
        hosts("carol").update(id_, {"tags": ["b", "c"]})
        return read(id_)

    monkeypatch.setattr(type(endpoint), "commits", lambda self, id_: commits(id_))
    found = changes(endpoint, since="2001-01-01T00:00Z", by="script", progress=False)
    monkeypatch.undo()
    report = pushed(revert(found))
    assert rows(report.conflicts, "field", "theirs") == [("tags", ["b", "c"])]
    assert hosts().get(id_)["os"] == "one"
    assert sp.history(hosts(), id_)["by"].iloc[0] == "root"


def test_a_deleted_row_comes_back_with_what_it_had_from_its_creation(hosts):
    id_ = hosts("script").create({"name": "old", "os": "one"})["_id"]
    hosts("script").update(id_, {"os": None})
    hosts("script").delete(id_)
    plan = revert(by_script(hosts, known=[id_]).only(fields=["name", "cpus"]))  # not os: its creation stays
    assert plan.problems.empty
    assert pushed(plan).counts["done"] == 1
    assert [row["name"] for row in hosts().fetch_all()] == ["old"]


def undone(report):
    return pushed(sp.undo(report))


def new_row(hosts, **cells):
    frame = pd.DataFrame([{"name": "new", **cells}])
    plan = sp.fetch(hosts("script"), progress=False).diff(frame, new=True)
    return plan.push(progress=False)


def edited(hosts, user="script", **cells):
    live = sp.fetch(hosts(user), progress=False)
    return live.diff(live.frame().astype(object).assign(**cells)).push(progress=False)


@pytest.mark.parametrize(
    ("cells", "body", "back"),
    [
        ({"os": "two"}, {"os": "three"}, {"os": "two"}),
        ({"site.row": 2}, {"site": {"row": 3}}, {"site": {"row": 2}}),
        ({"tags": ["x"]}, {"tags": []}, {"tags": ["x"]}),
        ({"facts": {"k": 2}}, {"facts": {"k": 3}}, {"facts": {"k": 2}}),
    ],
)
def test_undo_spares_a_cell_that_another_changed_and_changed_back(hosts, cells, body, back):
    id_ = hosts("carol").create({"name": "old", "os": "one", "cpus": 1})["_id"]
    report = edited(hosts, cpus=2, **{path: [value] for path, value in cells.items()})
    hosts("carol").update(id_, body)
    hosts("carol").update(id_, back)
    plan = sp.undo(report)
    assert plan.conflicts["field"].tolist() == list(cells)
    assert pushed(plan).conflicts["field"].tolist() == list(cells)
    assert hosts().get(id_)["cpus"] == 1
    assert {name: hosts().get(id_).to_dict()[name] for name in back} == back


def test_undo_spares_members_that_another_wrote_anew(hosts):
    id_ = hosts("carol").create({"name": "old"})["_id"]
    report = edited(hosts, disks=[[{"gb": 1}]])
    hosts("carol").update(id_, {"disks": [{"gb": 1}]})
    theirs = hosts().get(id_)["disks"]
    assert undone(report).conflicts["field"].tolist() == ["disks"]
    assert hosts().get(id_)["disks"] == theirs


def test_undo_spares_a_new_row_that_another_wrote_to_whatever_it_holds_now(hosts):
    every = {"os": "one", "cpus": 1, "tags": ["a"], "site.room": "r", "site.row": 1}
    report = new_row(hosts, **every, disks=[{"dev": "a"}], facts={"k": 1})
    id_ = report.outcomes[0].id
    hosts("carol").update(id_, {"os": "two"})
    hosts("carol").update(id_, {"os": "one"})
    plan = sp.undo(report)
    assert rows(plan.conflicts, "field", "base", "theirs") == [("os", "one", "one")]
    assert pushed(plan).counts["conflict"] == 1
    assert hosts().count() == 1


def test_undo_spares_a_new_row_that_another_wrote_to_while_its_answer_was_lost(hosts, monkeypatch):
    report = new_row(hosts, os="one")
    id_ = report.outcomes[0].id
    hosts("carol").update(id_, {"cpus": 4})
    (outcome,) = report.outcomes  # as it is when the row was only found by a second look
    late = replace(outcome, receipt=hosts().get(id_)["_sis"]["_updated_at"])
    report = replace(report, outcomes=(late,), journal=None)
    assert undone(report).counts["conflict"] == 1
    assert hosts().get(id_)["cpus"] == 4


def test_undos_go_back_step_by_step(hosts):
    made = new_row(hosts, os="one")
    first = edited(hosts, os="two", cpus=2)
    second = edited(hosts, os="three")
    for report in (second, first, made):
        assert undone(report).ok
    assert hosts().count() == 0


def test_undo_of_a_new_row_that_its_maker_changed_later_is_a_conflict(hosts):
    made = new_row(hosts, os="one")
    edited(hosts, cpus=2)
    assert undone(made).counts["conflict"] == 1


def test_undo_without_history_leaves_it_to_the_guard(hosts):
    schema = hosts().client.schemas.get("host").to_dict()
    hosts().client.schemas.update("host", {**schema, "track_history": False})
    id_ = hosts("carol").create({"name": "old", "os": "one", "cpus": 1})["_id"]
    report = edited(hosts, os="two", cpus=2)
    hosts("carol").update(id_, {"os": "three"})
    assert undone(report).conflicts["field"].tolist() == ["os"]
    assert hosts().get(id_)["cpus"] == 1


def test_several_pushes_are_undone_at_once(hosts):
    old = hosts("script").create({"name": "old", "os": "one", "tags": ["a"]})["_id"]
    gone = hosts("script").create({"name": "gone", "os": "one"})["_id"]
    before = {row["name"]: row.get("os") for row in hosts().fetch_all()}
    made = new_row(hosts, os="one")
    first = edited(hosts, os="two", cpus=2)
    second = edited(hosts, os="three")
    live = sp.fetch(hosts("script"), progress=False)
    third = live.diff(live.frame(), delete=[gone]).push(progress=False)

    plan = sp.undo([made, first, second, third])

    assert (plan.counts["creates"], plan.counts["updates"], plan.counts["deletes"]) == (1, 1, 1)
    report = plan.push(progress=False).raise_for_failures()
    assert {row["name"]: row.get("os") for row in hosts().fetch_all()} == before
    assert hosts().get(old)["cpus"] is None
    assert sp.undo(report).counts["cells"] == 2
    assert sp.undo(first).notes[0].startswith("3 rows undone already")


def test_what_another_wrote_between_two_pushes_is_what_comes_back(hosts):
    id_ = hosts("carol").create({"name": "old", "os": "one", "cpus": 1})["_id"]
    first = edited(hosts, os="two", cpus=2)
    hosts("carol").update(id_, {"os": "carols"})
    second = edited(hosts, os="three")

    sp.undo([first, second]).push(progress=False).raise_for_failures()

    assert (hosts().get(id_)["os"], hosts().get(id_)["cpus"]) == ("carols", 1)


def test_a_row_created_and_deleted_needs_nothing(hosts):
    made = new_row(hosts, os="one")
    live = sp.fetch(hosts("script"), progress=False)
    deleted = live.diff(live.frame(), delete=list(live.ids)).push(progress=False)
    assert sp.undo([made, deleted]).empty


def test_pushes_to_two_tables_are_undone_as_one(hosts):
    made = new_row(hosts)
    hosts().client.schemas.create({"name": "log", "_sis": {"owner": ["g"]}, "definition": {"n": "Number"}})
    logs = sp.fetch(hosts("script").client.entities("log"), progress=False)
    other = logs.diff(pd.DataFrame({"n": [1]}), new=True).push(progress=False)

    back = sp.undo([made, other])

    assert isinstance(back, sp.Plans)
    assert {(plan.schema.name, plan.counts["deletes"]) for plan in back} == {("host", 1), ("log", 1)}
    assert back.push(progress=False).ok
    assert logs.endpoint.count({}) == 0


@pytest.mark.parametrize("value", ["theirs", None])
def test_what_others_wrote_while_nothing_was_recorded_keeps_a_new_row(hosts, value):
    id_ = hosts("script").create({"name": "new", "os": "one"})["_id"]
    schema = hosts().client.schemas.get("host").to_dict()
    hosts().client.schemas.update("host", {**schema, "track_history": False})
    hosts("carol").update(id_, {"os": value})
    hosts().client.schemas.update("host", {**schema, "track_history": True})
    hosts("script").update(id_, {"cpus": 3})

    plan = sp.revert(sp.changes(hosts("script"), since="2001-01-01T00:00Z", by="script", progress=False))
    plan.push(progress=False)

    assert (hosts().get(id_)["name"], hosts().get(id_)["os"]) == ("new", value)
