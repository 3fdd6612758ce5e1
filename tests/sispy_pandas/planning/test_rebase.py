"""What is left of a plan."""

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.values.changes import Conflict, Delete, Problem, Update

QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=2.0)


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_problems_stay_with_the_rows_that_are_left_and_those_of_no_row_at_all(server, keep):
    live = server.fetch()
    df = live.frame().head(3)
    a, b, c = df.index
    nowhere = f"{1:024x}"
    df["cpus"] = [99, 98, 3]
    df = df.rename(index={c: nowhere})
    plan = live.diff(df)
    server.hosts.update(b, {"cpus": 6})

    left = plan.rebase(plan.refresh(), keep=keep)

    unknown = Problem(nowhere, "this _id is not in this snapshot", "_id", nowhere)
    of_a = Problem(a, "more than 64", "cpus", 99, "h00000")
    of_b = Problem(b, "more than 64", "cpus", 98, "h00001")
    assert plan.problem_list == (unknown, of_a, of_b)
    assert left.problem_list == ((unknown, of_a, of_b) if keep == "mine" else (unknown, of_a))
    assert [(c.id, c.before, c.after) for c in left.changes if isinstance(c, Update)] == [
        (a, {"cpus": 1}, {"cpus": 99}),
        *([(b, {"cpus": 6}, {"cpus": 98})] if keep == "mine" else []),
    ]


def test_a_new_row_that_exists_by_now_becomes_an_update_of_what_differs(server):
    groups = {"ops": "admin", "net": "admin"}
    server.client.users.create({"name": "bob", "email": "bob@example.com", "pw": "bob", "roles": groups})
    theirs = server.sandbox.client("bob").entities("host")
    live = server.fetch()
    new = pd.DataFrame({"name": ["n1", "n2", "n3"], "cpus": [1, 2, 3], "os": ["rhel9"] * 3})
    plan = live.diff(new, new=True)

    def intrude(seen):
        if seen.method == "POST":
            server.sandbox.faults = Faults()
            for name, cpus in [("n1", 1), ("n2", 9)]:
                theirs.create({"name": name, "cpus": cpus, "os": "rhel9", "live": False})

    server.sandbox.faults = Faults(before=intrude)
    report = plan.push(progress=False, limits=QUICK)
    assert [o.word for o in report.outcomes] == ["unchanged", "conflict", "done"]

    mine = plan.rebase(report, keep="mine")

    n2 = server.hosts.get("n2")["_id"]
    assert mine.changes == (Update(n2, {"cpus": 9}, {"cpus": 2}, "n2"),)
    assert plan.rebase(report, keep="theirs").changes == ()
    assert mine.push(progress=False, limits=QUICK).counts["done"] == 1
    assert [server.stored()[name]["cpus"] for name in ("n1", "n2", "n3")] == [1, 2, 3]
    assert server.stored()["n2"]["live"] is False


def test_a_deletion_of_a_row_that_was_changed_is_made_only_if_mine_is_kept(server):
    live = server.fetch()
    plan = live.diff(live.frame(), delete=list(live.ids[:2]))
    server.hosts.update(live.ids[0], {"cpus": 9})
    report = plan.push(progress=False, limits=QUICK)
    assert [o.word for o in report.outcomes] == ["conflict", "done"]

    assert plan.rebase(report, keep="theirs").changes == ()
    mine = plan.rebase(report, keep="mine")

    assert [(type(c), c.id, c.before["cpus"]) for c in mine.changes] == [(Delete, live.ids[0], 9)]
    assert mine.push(progress=False, limits=QUICK).counts["done"] == 1
    assert {"h00000", "h00001"} & server.stored().keys() == set()


def test_a_row_that_is_partly_so_already_keeps_the_old_values_of_what_is_left_alone(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(1).assign(cpus=9, live=None))
    server.hosts.update(live.ids[0], {"cpus": 9})

    (change,) = plan.refresh().changes

    assert (change.before, change.after) == ({"live": True}, {"live": None})


def test_of_rows_that_somebody_deleted_an_update_is_in_conflict_and_a_delete_is_done(server):
    live = server.fetch()
    updated, deleted = live.ids[:2]
    plan = live.diff(live.frame().head(1).assign(cpus=9), delete=[deleted])
    for id_ in (updated, deleted):
        server.hosts.delete(id_)

    found = plan.refresh()

    assert [type(change) for change in found.changes] == [Update]
    assert found.conflict_list == (Conflict(updated, "_id", updated, updated, None, "h00000"),)
