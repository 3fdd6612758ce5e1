import pytest

import sispy_pandas as sp
from sispy.sandbox import Sandbox


@pytest.fixture(scope="module")
def hosts():
    with Sandbox(samples=30) as sis:
        yield sis.client().entities("host")


def set_values(hosts, where, values):
    return sp.set_values(hosts, where, values, progress=False)


def test_rows_that_hold_the_value_are_left_alone(hosts):
    live = hosts.count({"status": "live"})

    assert set_values(hosts, "status = live", {"status": "live"}).empty
    assert set_values(hosts, {}, {"status": "live"}).counts["updates"] == 30 - live


def test_a_function_makes_the_new_column_of_the_old(hosts):
    plan = set_values(hosts, "price > 20000", {"price": lambda cells: cells + 1})

    assert len(plan) > 0
    assert (plan.frame()["after"] == plan.frame()["before"] + 1).all()


def test_values_are_cells(hosts):
    values = {
        "notes": None,
        "labels": ("a", "b"),
        "rack": "fra1-r01",
        "facts": {"kernel": "7"},
        "_sis.tags": ["odd"],
    }
    plan = set_values(hosts, "name = web-fra1-001", values)
    rack = hosts.client.entities("rack").get("fra1-r01")["_id"]
    after = dict(plan.frame()[["field", "after"]].itertuples(index=False))

    assert after["labels"] == ["a", "b"]
    assert after["facts"] == {"kernel": "7"}
    assert after["_sis.tags"] == ["odd"]
    assert after.get("rack", rack) == rack


def test_what_cannot_be_sent_is_a_problem(hosts):
    plan = set_values(hosts, "name = web-fra1-001", {"status": "lvie", "rack": "nowhere"})

    assert plan.problems["column"].tolist() == ["rack", "status"]


def test_it_is_pushed_and_undone(hosts):
    plan = set_values(hosts, "name = web-fra1-001", {"position": 3})

    report = plan.push(progress=False).raise_for_failures()

    assert hosts.get("web-fra1-001")["position"] == 3
    sp.undo(report).push(progress=False).raise_for_failures()
    assert set_values(hosts, "name = web-fra1-001", {"position": 3}).counts == plan.counts


@pytest.mark.parametrize(
    ("where", "values", "said"),
    [
        ("status = live", {}, "names no field"),
        ("status = live", {"stats": 1}, "did you mean 'status'"),
        ("status = live", {"_sis._created_by": "me"}, "written by the server alone"),
        ("status = lvie", {"status": "live"}, "did you mean 'live'"),
        (" ", {"status": "live"}, "where is empty: {} is met by all rows"),
        (None, {"status": "live"}, "where is empty: {} is met by all rows"),
        ("status = live", {"os": "x"}, "'os' has fields of its own: os.name, os.version"),
        ("status = live", {"facts.kernel": "x"}, "'facts.kernel' lies in 'facts', which is one cell"),
        ("status = live", {"rack.name": "x"}, "'rack.name' lies in 'rack', which is one cell"),
    ],
)
def test_wrong_use(hosts, where, values, said):
    with pytest.raises(ValueError, match=said):
        set_values(hosts, where, values)
