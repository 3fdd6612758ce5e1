"""History, blame, as_of, changes and revert against a sandbox."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sispy.sandbox import Sandbox
from sispy_pandas.reading.commits import commits_of, replay
from sispy_pandas.reading.listing import schema_of
from sispy_pandas.revisions.edits import changes
from sispy_pandas.revisions.history import HistoryWarning, as_of, blame, history
from sispy_pandas.revisions.revert import revert
from sispy_pandas.workflow.fetch import fetch

NOON = "2026-11-20T12:00Z"
DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "os": "String",
    "tags": ["String"],
    "note": "String",
    "cpus": "Number",
    "site": {"room": "String", "row": "Number"},
    "disks": [{"dev": "String", "gb": "Number"}],
    "ip": "IpAddress",
    "bought": "Date",
    "facts": "Mixed",
}
FULL = {
    "name": "web01",
    "os": "rhel6",
    "tags": ["a", "b"],
    "site": {"room": "r1", "row": 1},
    "disks": [{"dev": "sda", "gb": 1}],
    "ip": "10.1.2.3/24",
    "bought": "2020-01-02",
    "facts": {"k": [1, {"x": 2}]},
}


@pytest.fixture(scope="module")
def sis():
    with Sandbox() as sis:
        root = sis.client()
        for name in ("script", "carol"):
            root.users.create(
                {"name": name, "email": f"{name}@example.com", "pw": name, "roles": {"g": "admin"}}
            )
        yield sis


@pytest.fixture
def table(sis, request):
    """Make a schema of its own for the test; returns endpoints by user."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"

    def endpoint(user=None, **options):
        client = sis.client(user)
        if options or user is None:
            body = {"name": name, "_sis": {"owner": ["g"]}, "definition": DEFINITION, **options}
            if not client.schemas.fetch_all({"q": {"name": name}}):
                client.schemas.create(body)
        return client.entities(name)

    endpoint()
    return endpoint


def rows(frame, *columns):
    return [tuple(row) for row in frame[list(columns)].itertuples(index=False)]


def now():
    time.sleep(0.003)  # times of the server have ms: what follows is later
    moment = datetime.now(UTC)
    time.sleep(0.003)
    return moment


def test_history_names_every_cell_newest_first(table):
    row = table("carol").create(FULL)
    table("script").update(row["_id"], {"os": "rhel9", "site": {"row": 2}, "ip": "10.1.2.9"})
    table("carol").update(row["_id"], {"tags": ["b"], "facts": {"new": None}})
    found = history(table(), "web01")
    assert rows(found, "by", "action", "field", "before", "after")[:4] == [
        ("carol", "update", "tags", ["a", "b"], ["b"]),
        ("script", "update", "os", "rhel6", "rhel9"),
        ("script", "update", "site.row", 1, 2),
        ("script", "update", "ip", "10.1.2.3/24", "10.1.2.9"),
    ]
    first = dict(rows(found[found["action"] == "insert"], "field", "after"))
    assert first.pop("disks")[0].keys() == {"_id", "dev", "gb"}
    assert first == {
        "name": "web01",
        "os": "rhel6",
        "tags": ["a", "b"],
        "site.room": "r1",
        "site.row": 1,
        "ip": "10.1.2.3/24",
        "bought": "2020-01-02T00:00:00.000Z",
        "facts": {"k": [1, {"x": 2}]},
    }
    assert str(found["at"].dtype) == "datetime64[ms, UTC]"
    assert found["at"].is_monotonic_decreasing
    pd.testing.assert_frame_equal(history(table(), row["_id"]), found)


def test_history_of_a_deleted_row_is_known_by_its_id(table):
    row = table("carol").create({"name": "gone"})
    table("script").delete(row["_id"])
    assert rows(history(table(), row["_id"]), "by", "action", "field", "before", "after") == [
        ("script", "delete", "name", "gone", None),
        ("carol", "insert", "name", None, "gone"),
    ]
    assert blame(table(), row["_id"])[["value", "by"]].loc[["name"]].values.tolist() == [["gone", "script"]]
    with pytest.raises(ValueError, match="a deleted row is known by its _id alone"):
        history(table(), "gone")


def test_history_of_nothing_is_an_error(table):
    with pytest.raises(ValueError, match="no row 'ffffffffffffffffffffffff', and no history of one"):
        history(table(), "f" * 24)


@pytest.mark.parametrize("name", ["cafe", "f" * 23, "x" * 24])
def test_what_is_no_id_is_asked_for_by_its_name_alone(sis, table, name):
    since = len(sis.requests)
    with pytest.raises(ValueError, match=r"; a deleted row is known by its _id alone$"):
        history(table(), name)
    assert [seen.path for seen in sis.requests[since:] if "/commits" in seen.path] == []


def test_references_are_told_as_ids_though_what_they_refer_to_is_gone(server):
    sites, s0 = server.client.entities("site"), server.sites[0]
    gone = sites.create({"name": "gone"})["_id"]
    id_ = server.hosts.get("h00000")["_id"]
    server.hosts.update(id_, {"site": gone})
    schema = server.client.schemas.get("host").to_dict()
    server.client.schemas.update("host", {**schema, "track_history": False})
    server.hosts.create({"name": "young", "site": gone})
    sites.delete(gone)

    assert rows(history(server.hosts, id_), "field", "before", "after")[0] == ("site", s0, gone)
    with pytest.warns(HistoryWarning, match="does not keep history") as told:
        assert blame(server.hosts, "young").loc["site", "value"] == gone
    assert [one.filename for one in told] == [__file__]
    server.client.schemas.update("host", schema)
    found = changes(server.hosts, since="2001-01-01T00:00Z", query={"q": {"_id": id_}}, progress=False)
    assert [(e.field, e.before, e.after) for e in found.edits if e.action == "update"] == [("site", s0, gone)]
    now = found.history[id_][0].now
    assert now is not None
    assert now["site"] == gone


def test_an_empty_history_says_why(sis):
    client = sis.client()
    body = {
        "name": "untracked",
        "_sis": {"owner": ["g"]},
        "definition": {"n": "Number"},
        "track_history": False,
    }
    client.schemas.create(body)
    row = client.entities("untracked").create({"n": 1})
    with pytest.warns(HistoryWarning, match="does not keep history") as told:
        assert history(client.entities("untracked"), row["_id"]).empty
    assert [one.filename for one in told] == [__file__]  # where it is called
    with pytest.raises(ValueError, match="does not keep history"):
        changes(client.entities("untracked"), since=timedelta(hours=1), progress=False)
    client.schemas.update("untracked", {**body, "track_history": True})
    with pytest.warns(HistoryWarning, match="was not changed since"):
        assert history(client.entities("untracked"), row["_id"]).attrs["why"].startswith(f"row {row['_id']}")
    client.entities("untracked").update(row["_id"], {"n": 2})
    assert rows(history(client.entities("untracked"), row["_id"]), "action", "field", "before", "after") == [
        ("update", "n", 1, 2)
    ]


def test_blame_names_the_last_change_of_every_field(table):
    row = table("carol").create({"name": "b1", "os": "rhel6"})
    table("script").update(row["_id"], {"os": "rhel9"})
    found = blame(table(), "b1")
    assert list(found.index) == list(schema_of(table().client, table().name).columns)
    assert rows(found.loc[["name", "os", "cpus"]], "value", "by", "action") == [
        ("b1", "carol", "insert"),
        ("rhel9", "script", "update"),
        (None, None, None),
    ]


def test_a_table_as_it_was(table):
    one = table("carol").create(FULL)
    two = table("carol").create({"name": "web02", "cpus": 2})
    then = now()
    table("script").update(one["_id"], {"os": "rhel9", "tags": [], "facts": None})
    table("script").create({"name": "web03"})
    before = as_of(table(), then, progress=False)
    assert list(before.index) == [one["_id"], two["_id"]]
    assert len(before.attrs["absent"]) == 1
    assert before.attrs["selected"].startswith("by today's values")
    assert rows(before.fillna({"os": ""}), "name", "os", "tags") == [
        ("web01", "rhel6", ("a", "b")),
        ("web02", "", ()),
    ]
    assert before["cpus"].tolist() == [pd.NA, 2]
    assert before.loc[one["_id"], "facts"] == {"k": (1, {"x": 2})}
    today = fetch(table(), progress=False).frame()
    assert list(before.columns) == list(today.columns)
    assert (before.dtypes == today.dtypes).all()
    pd.testing.assert_frame_equal(
        as_of(table(), then, ids=[one["_id"]], progress=False), before.iloc[:1], check_flags=False
    )


def test_a_deleted_row_as_it_was_comes_by_id(table):
    row = table("carol").create({"name": "gone"})
    then = now()
    table("carol").delete(row["_id"])
    assert as_of(table(), then, progress=False).empty
    assert as_of(table(), then, ids=[row["_id"]], progress=False)["name"].tolist() == ["gone"]


@pytest.mark.parametrize("call", [lambda t, when: as_of(t, when), lambda t, when: changes(t, since=when)])
def test_times_without_a_zone_are_refused(table, call):
    with pytest.raises(ValueError, match="has no time zone"):
        call(table(), "2026-11-20 14:05")
    with pytest.raises(ValueError, match="has no time zone"):
        call(table(), datetime(2026, 11, 20, 14, 5))  # noqa: DTZ001 - the point of the test


def test_changes_tell_who_changed_which_cells(table):
    one = table("carol").create(FULL)
    start = now()
    table("script").update_bulk([{"_id": one["_id"], "os": "rhel9", "tags": []}])
    table("carol").update(one["_id"], {"cpus": 4})
    two = table("script").create({"name": "web02"})
    found = changes(table(), since=start, progress=False)
    assert sorted(rows(found.frame(), "key", "field", "before", "after", "by"), key=str) == [
        ("web01", "cpus", None, 4, "carol"),
        ("web01", "os", "rhel6", "rhel9", "script"),
        ("web01", "tags", ["a", "b"], [], "script"),
        ("web02", "name", None, "web02", "script"),
    ]
    assert set(found.frame()["_id"]) == {one["_id"], two["_id"]}
    by_script = found.only(by="script", fields=["os", "tags"])
    assert rows(by_script.summary(), "by", "field", "action", "cells", "rows") == [
        ("script", "os", "update", 1, 1),
        ("script", "tags", "update", 1, 1),
    ]
    assert set(by_script.summary()["minute"]) == set(by_script.frame()["at"].dt.floor("min"))
    assert repr(by_script).startswith(f"{table().name}: 2 cells of 1 row changed by script (2)")
    assert [len(found.only(since=start)), len(found.only(until=start)), len(found.only(until=now()))] == [
        4,
        0,
        4,
    ]
    assert len(changes(table(), since=start, by="script", fields=["os"], progress=False)) == 1
    assert len(changes(table(), since=start, until=start, progress=False)) == 0
    assert len(changes(table(), since=start, query={"q": {"name": "web02"}}, progress=False)) == 1


def test_changes_of_deleted_rows_need_an_older_export(sis, table):
    row = table("carol").create({"name": "gone", "os": "rhel6"})
    older = fetch(table(), progress=False)
    start = now()
    table("script").delete(row["_id"])
    assert len(changes(table(), since=start, progress=False)) == 0
    for known in (older, older.frame(), list(older.ids)):
        found = changes(table(), since=start, known=known, progress=False)
        assert sorted(rows(found.frame(), "field", "before", "after", "by")) == [
            ("name", "gone", None, "script"),
            ("os", "rhel6", None, "script"),
        ]
        asked = next(seen for seen in reversed(sis.requests) if "$in" in str(seen.query.get("q")))
        assert asked.query["fields"] == "_id"
    report = revert(found).push(progress=False, journal=False)
    assert report.frame()["outcome"].tolist() == ["done"]
    again = fetch(table(), progress=False).frame()
    assert rows(again, "name", "os") == [("gone", "rhel6")]


def test_revert_puts_back_and_spares_later_edits(table):
    script, carol = table("script"), table("carol")
    made = [carol.create({**FULL, "name": f"web{i}"}) for i in range(4)]
    copy = fetch(table(), progress=False).frame()
    start = now()
    script.update_bulk(
        [{"_id": row["_id"], "os": "rhel9", "tags": [], "facts": {"k": None, "z": 1}} for row in made]
    )
    created = script.create({"name": "new"})
    carol.update(made[0]["_id"], {"os": "debian"})
    carol.update(made[1]["_id"], {"cpus": 8})
    plan = revert(changes(table(), since=start, by="script", progress=False))
    assert plan.counts["updates"] == 4
    assert plan.counts["deletes"] == 1
    assert rows(plan.conflicts, "_id", "field", "base", "mine", "theirs") == [
        (made[0]["_id"], "os", "rhel9", "rhel6", "debian")
    ]
    report = plan.push(progress=False, journal=False)
    assert rows(report.conflicts, "_id", "field") == [(made[0]["_id"], "os")]
    after = fetch(table(), progress=False).frame()
    assert created["_id"] not in after.index
    expected = copy.copy()
    expected.loc[made[0]["_id"], "os"] = "debian"
    assert after.loc[made[1]["_id"], "cpus"] == 8
    unchanged = [name for name in copy.columns if name not in ("_updated_at", "cpus")]
    pd.testing.assert_frame_equal(after[unchanged], expected[unchanged])


def test_revert_keeps_what_came_between(table):
    row = table("carol").create({"name": "web01", "os": "one"})
    start = now()
    for user, os in (("script", "two"), ("carol", "three"), ("script", "four")):
        table(user).update(row["_id"], {"os": os})
    plan = revert(changes(table(), since=start, by="script", progress=False))
    assert rows(plan.frame(), "field", "before", "after") == [("os", "four", "three")]
    whole = revert(changes(table(), since=start, progress=False))
    assert rows(whole.frame(), "field", "before", "after") == [("os", "four", "one")]


def test_what_was_put_back_already_needs_no_revert(table):
    row = table("carol").create({"name": "web01", "os": "one"})
    start = now()
    table("script").update(row["_id"], {"os": "two"})
    table("carol").update(row["_id"], {"os": "one"})
    assert revert(changes(table(), since=start, by="script", progress=False)).empty


def test_some_fields_of_new_and_deleted_rows_are_not_reverted(table):
    old = table("carol").create({"name": "old", "os": "one"})
    start = now()
    table("script").create({"name": "new", "os": "two"})
    table("script").delete(old["_id"])
    found = changes(table(), since=start, known=[old["_id"]], progress=False)
    plan = revert(found.only(fields=["os"]))
    assert (len(found), len(plan)) == (4, 0)
    assert plan.notes == ("left as it is: 2 new or deleted rows, of which only some fields are meant",)
    whole = revert(found)
    assert (whole.counts["creates"], whole.counts["deletes"]) == (1, 1)


def test_a_row_that_was_changed_and_then_deleted_comes_back_as_it_was_before(table):
    row = table("carol").create({"name": "gone", "os": "one", "tags": ["a"]})
    start = now()
    table("script").update(row["_id"], {"os": "two", "cpus": 3})
    table("carol").update(row["_id"], {"note": "kept"})
    table("script").delete(row["_id"])
    found = changes(table(), since=start, known=[row["_id"]], by="script", progress=False)
    assert rows(revert(found).frame(), "field", "after") == [
        ("name", "gone"),
        ("os", "one"),
        ("tags", ["a"]),
        ("note", "kept"),
        ("_sis.owner", ["g"]),
        ("_sis.locked", False),
    ]


def test_a_row_that_somebody_deleted_since_is_a_conflict(table):
    row = table("carol").create({"name": "gone", "os": "one"})
    start = now()
    table("script").update(row["_id"], {"os": "two"})
    table("carol").delete(row["_id"])
    found = changes(table(), since=start, known=[row["_id"]], by="script", progress=False)
    plan = revert(found)
    assert len(plan) == 0
    assert rows(plan.conflicts, "_id", "field", "theirs") == [(row["_id"], "_id", None)]


def test_a_cell_that_was_blank_needs_no_revert_in_a_row_that_is_gone(table):
    row = table("carol").create({"name": "gone"})
    start = now()
    table("script").update(row["_id"], {"os": "two"})
    table("carol").delete(row["_id"])

    plan = revert(changes(table(), since=start, known=[row["_id"]], by="script", progress=False))

    assert (len(plan), plan.conflict_list, plan.problem_list) == (0, (), ())


def test_a_row_that_was_created_and_edited_since_is_a_conflict(table):
    start = now()
    row = table("script").create({"name": "new", "os": "one"})
    table("carol").update(row["_id"], {"os": "two"})
    report = revert(changes(table(), since=start, by="script", progress=False)).push(
        progress=False, journal=False
    )
    assert rows(report.conflicts, "_id", "field", "base", "theirs")[0] == (row["_id"], "os", "one", "two")
    assert report.conflicts["field"].tolist() == ["os"]
    assert table().get(row["_id"])["os"] == "two"


def test_a_revert_can_be_undone(table, tmp_path):
    from sispy_pandas.revisions.undo import undo

    row = table("carol").create({"name": "web01", "os": "one"})
    start = now()
    table("script").update(row["_id"], {"os": "two"})
    report = revert(changes(table(), since=start, progress=False)).push(
        progress=False, journal=tmp_path / "j.jsonl"
    )
    undo(report).push(progress=False, journal=False).raise_for_failures()
    assert table().get(row["_id"])["os"] == "two"


def test_a_field_that_the_schema_lost_is_told_and_not_reverted(sis, table):
    row = table("carol").create({"name": "web01", "cpus": 1, "os": "one"})
    start = now()
    table("script").update(row["_id"], {"cpus": 2, "os": "two"})
    schema = sis.client().schemas.get(table().name).to_dict()
    less = {name: kind for name, kind in DEFINITION.items() if name != "cpus"}
    sis.client().schemas.update(table().name, {**schema, "definition": less})
    found = changes(table(), since=start, progress=False)
    assert sorted(rows(found.frame(), "field", "before", "after")) == [("cpus", 1, 2), ("os", "one", "two")]
    plan = revert(found)
    assert rows(plan.problems, "column", "reason") == [("cpus", "the schema has lost this field since")]


def test_a_deleted_row_comes_back_without_the_fields_that_the_schema_lost(sis, table):
    row = table("carol").create({"name": "gone", "cpus": 1, "os": "one"})
    start = now()
    table("script").update(row["_id"], {"cpus": 2, "os": "two"})
    table("script").delete(row["_id"])
    schema = sis.client().schemas.get(table().name).to_dict()
    less = {name: kind for name, kind in DEFINITION.items() if name != "cpus"}
    sis.client().schemas.update(table().name, {**schema, "definition": less})

    plan = revert(changes(table(), since=start, known=[row["_id"]], progress=False))

    assert plan.problem_list == ()
    assert rows(plan.frame(), "field", "after")[:2] == [("name", "gone"), ("os", "one")]
    assert plan.notes == (
        "takes back changes of script",
        "back with a new _id: 1 deleted row; what referred to them has to be re-pointed",
    )


def test_a_value_that_the_server_would_refuse_is_told_before_it_is_reverted(sis, table):
    row = table("carol").create({"name": "web01", "os": "one"})
    start = now()
    table("script").update(row["_id"], {"os": "two"})
    schema = sis.client().schemas.get(table().name).to_dict()
    enum = {**DEFINITION, "os": {"type": "String", "enum": ["two", "three"]}}
    sis.client().schemas.update(table().name, {**schema, "definition": enum})

    plan = revert(changes(table(), since=start, progress=False))

    assert rows(plan.problems, "key", "column", "reason") == [
        ("web01", "os", "'one' is not allowed; allowed are two, three")
    ]


TEXTS = st.text(alphabet="ab \n😀é", min_size=55, max_size=90)
STATES = st.fixed_dictionaries(
    {},
    optional={
        "os": st.none() | st.sampled_from(["one", "two"]),
        "note": st.none() | TEXTS,
        "cpus": st.none() | st.integers(0, 3),
        "tags": st.lists(st.sampled_from("abc"), max_size=4),
        "site": st.fixed_dictionaries(
            {}, optional={"room": st.none() | st.just("r"), "row": st.integers(0, 2)}
        ),
        "disks": st.lists(
            st.fixed_dictionaries({}, optional={"dev": st.just("sda"), "gb": st.integers(0, 2)}), max_size=3
        ),
        "facts": st.none()
        | st.dictionaries(
            st.sampled_from("xyz"),
            st.none() | st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=3) | TEXTS,
            max_size=3,
        ),
    },
)


def strip(document):
    return {name: value for name, value in document.items() if not name.startswith("_")}


@settings(max_examples=15, deadline=None)
@given(bodies=st.lists(STATES.filter(bool), min_size=1, max_size=6))
def test_states_rebuilt_both_ways_are_those_that_were_recorded(sis, bodies):
    client = sis.client()
    if not client.schemas.fetch_all({"q": {"name": "random"}}):
        client.schemas.create({"name": "random", "_sis": {"owner": ["g"]}, "definition": DEFINITION})
    endpoint = client.entities("random")
    states = [endpoint.create({"name": uuid4().hex}).to_dict()]
    for body in bodies:
        states.append(endpoint.update(states[0]["_id"], body).to_dict())
    commits = commits_of(endpoint, states[0]["_id"])
    current = endpoint.get(states[0]["_id"], {"populate": False}).to_dict()
    steps = replay(current, commits)
    from sispy_pandas.reading.commits import _forwards

    for commit, back, forth in zip(commits, steps, _forwards(commits), strict=True):
        at = endpoint.commit(states[0]["_id"], commit["_id"])["value_at"]
        recorded = next(s for s in reversed(states) if s["_sis"]["_updated_at"] == commit["date_modified"])
        assert {**strip(forth.after)} == strip(at)
        assert listed(back.after) == listed(at)
        assert listed(recorded) == listed(at)
    for newer, older in pairwise(steps):
        assert listed(newer.before) == listed(older.after)


def listed(document):
    """The fields of a state; an array that was set to null reads as an empty one."""
    return {
        name: [] if value is None and name in ("tags", "disks") else value
        for name, value in strip(document).items()
    }


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda table: as_of(table, NOON, ids=["a" * 24], query={}), "give ids= or query=, not both"),
        (lambda table: as_of(table, NOON, ids="a" * 24), "ids takes a list"),
        (lambda table: changes(table, since=NOON, fields="os", progress=False), "fields takes a list"),
    ],
)
def test_what_cannot_be_meant_is_refused(table, call, said):
    with pytest.raises((ValueError, TypeError)) as refused:
        call(table())

    assert str(refused.value).startswith(said)


def test_changes_of_several_tables_are_taken_back_as_one(sis, table):
    before = now()
    id_ = table().create({"name": "several", "os": "a"})["_id"]
    sis.client().schemas.create({"name": "other", "_sis": {"owner": ["g"]}, "definition": {"name": "String"}})
    other = sis.client().entities("other")
    of_other = other.create({"name": "x"})["_id"]

    plans = revert([changes(one, since=before, progress=False) for one in (table(), other)])

    assert sorted([change.id for change in plan.changes] for plan in plans) == sorted([[id_], [of_other]])
