"""What the server would refuse is told before anything is sent."""

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy_pandas.planning import render as planned
from sispy_pandas.planning.precheck import precheck
from sispy_pandas.values.changes import Problem


@pytest.fixture
def hosts_of(server):
    """Return the hosts as a user of some groups sees them."""

    def see(**roles):
        user = {"name": "eve", "email": "eve@example.com", "pw": "eve", "roles": roles}
        server.client.users.create(user)
        return server.sandbox.client("eve").entities("host")

    return see


def edit(hosts):
    live = sp.fetch(hosts, progress=False)
    frame = live.frame().head(1).assign(cpus=9).reset_index().astype(object)
    return live.diff(pd.concat([frame, pd.DataFrame({"name": ["new"]}, dtype=object)], ignore_index=True))


def test_who_has_no_role_in_an_owner_of_the_table_may_write_nothing(hosts_of):
    plan = edit(hosts_of(hr="admin"))

    checked = precheck(plan)

    reason = "you have no role in an owner of schema 'host' (net, ops)"
    assert checked.problem_list == tuple(
        Problem(row, reason, "_sis.owner", None, key, denied=True)
        for row, key in [(plan.changes[0].id, "h00000"), (1, "new")]
    )
    assert precheck(checked).problem_list == checked.problem_list


@pytest.mark.parametrize("how", ["is_public", "is_open"])
def test_a_table_for_all_needs_no_role_in_its_owners(server, hosts_of, how):
    schema = server.client.schemas.get("host").to_dict()
    server.client.schemas.update("host", {**schema, how: True})
    plan = edit(hosts_of(hr="admin"))

    assert precheck(plan).problem_list == ()
    assert plan.push(progress=False).counts["done"] == 2


def test_what_is_refused_of_many_rows_for_one_reason_is_said_once(server, hosts_of):
    live = sp.fetch(hosts_of(hr="admin"), progress=False)
    plan = live.diff(live.frame().head(5).assign(cpus=9))
    checked = plan.check()
    line = "h00000 and 4 more  _sis.owner         you have no role in an owner of schema 'host' (net, ops)"
    every_row = [
        (f"h0000{n}", "_sis.owner", None, "you have no role in an owner of schema 'host' (net, ops)")
        for n in range(5)
    ]

    assert str(checked).splitlines()[-1] == line
    assert [row[2:] for row in planned.problems(checked, None).rows] == every_row
    report = str(plan.push(skip_problems=True, progress=False, journal=False)).splitlines()
    assert [line.split("  ")[0] for line in report if "h0" in line] == ["h00000 and 4 more"]


def test_who_has_no_role_in_the_owners_of_a_row_may_not_write_it(server, hosts_of):
    server.hosts.update("h00000", {"_sis": {"owner": ["net", "ops"]}})
    plan = edit(hosts_of(ops="user"))

    reason = "you have no role in net, which owns the row"
    assert precheck(plan).problem_list == (
        Problem(plan.changes[0].id, reason, "_sis.owner", ["net", "ops"], "h00000", denied=True),
    )


def test_locked_and_immutable_rows_are_nobodys_to_delete_or_change(server):
    server.hosts.update("h00000", {"_sis": {"immutable": True}})
    server.hosts.update("h00001", {"_sis": {"locked": True}})
    live = server.fetch()
    plan = live.diff(live.frame().head(1).assign(cpus=9), delete=[live.ids[1]])

    assert precheck(plan).problem_list == (
        Problem(live.ids[0], "the row is immutable: it cannot be changed", "_sis.immutable", True, "h00000"),
        Problem(live.ids[1], "the row is locked: it cannot be deleted", "_sis.locked", True, "h00001"),
    )


def test_a_value_is_free_only_if_the_row_that_has_it_is_deleted_by_the_other_plan(server):
    live = server.fetch()
    one = server.fetch({"q": {"name": "h00001"}})
    new = one.diff(pd.DataFrame({"name": ["h00000"], "cpus": [2]}), new=True)
    edited = live.diff(live.frame().head(1).assign(cpus=9))
    deleted = live.diff(live.frame(), delete=[live.ids[0]])

    found = [precheck(new, others=[other]).problem_list for other in (edited, deleted)]

    reason = f"row {live.ids[0]} has this value already, and it must be unique"
    assert found == [(Problem(0, reason, "name", "h00000", "h00000"),), ()]
