"""What a plan is as a value: which of its parts tell it from another one, and which of them it shows."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from sispy_pandas.planning.change_set import ChangeSet, Origin
from sispy_pandas.pushing.outcome import PushResult
from sispy_pandas.values.changes import Create, Problem, Stale


@pytest.fixture
def plan(server):
    live = server.fetch()
    found = live.diff(live.frame().head(1).assign(cpus=9))
    return ChangeSet(**{field.name: getattr(found, field.name) for field in fields(ChangeSet)})


def test_plans_that_do_the_same_are_equal_wherever_they_come_from(plan):
    row = ({"cpus": 9},)

    assert plan == replace(
        plan,
        snapshot=None,
        made_with="a" * 24,
        origin=Origin("anna", "2026-11-20T14:05Z", "CHG1", "a.csv", "0" * 64),
        arrivals={"a" * 24: "s9"},
        names={"b" * 24: "s1"},
    )
    assert plan != replace(plan, notes=("a note",))
    assert PushResult(plan, ()) == PushResult(plan, (), entities={"a" * 24: {}})
    assert Problem(1, "why", "cpus", "x") == Problem(1, "why", "cpus", "x", rows=row, line=3)
    assert Stale("a" * 24, "why") == Stale("a" * 24, "why", rows=row)
    assert Problem(1, "why", "cpus", "x") != Problem(1, "why", "cpus", "x", denied=True)


def test_a_plan_shows_what_it_does_and_not_upon_what(plan):
    (change,) = plan.changes

    shown = (
        f"changes=({change!r},), problem_list=(), stale=(), conflict_list=(), notes=(), owner=None, "
        "journal=None, undoes=(), completes=())"
    )
    assert repr(plan) == f"ChangeSet({shown}"
    assert repr(PushResult(plan, ())).startswith("PushResult(outcomes=(), conflict_list=(), ")
    assert "entities" not in repr(PushResult(plan, (), entities={"a" * 24: {}}))


def test_a_plan_is_never_changed(plan):
    new = Create(1, {"name": "n1"}, "n1")

    for one, name in ((plan, "changes"), (plan.origin, "note"), (plan.changes[0], "after"), (new, "values")):
        with pytest.raises(FrozenInstanceError):
            setattr(one, name, None)
