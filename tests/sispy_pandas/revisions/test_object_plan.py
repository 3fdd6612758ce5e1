"""Hiera entries and hooks that become what they once were, against a sandbox."""

import pytest

from sispy.sandbox import Sandbox
from sispy_pandas.revisions.object_plan import ObjectPlanRefused, object_plan, parts_changed


@pytest.fixture
def hiera():
    with Sandbox() as sis:
        yield sis.client().hiera


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ({"a": {"b": 1, "c": {"d": 2}}, "e": [1]}, {"a": {"b": {"x": 1}, "c": {"y": 3}}}),
        ({"a": {"b": 1}}, {"a": 5, "k": {"n": None, "m": 1}}),
        ({"a": 0, "b": ""}, {"c": False}),
        ([1, 2], {"a": 1}),
        ({"a": 1}, "text"),
    ],
)
def test_an_entry_becomes_what_it_once_was_without_what_came_since(hiera, now, wanted):
    hiera.create({"name": "x", "_sis": {"owner": ["g"]}, "hieradata": now})
    plan = object_plan(hiera, {"name": "x", "hieradata": wanted})
    assert parts_changed(plan.before, plan.after) == plan.parts != {}
    answer = plan.push()
    assert (answer["name"], answer["hieradata"]) == ("x", wanted)
    assert hiera.get("x").to_dict() == {"x": wanted}
    assert len(object_plan(hiera, {"name": "x", "hieradata": wanted})) == 0


def test_what_the_server_did_not_take_is_named(hiera):
    hiera.create({"name": "x", "_sis": {"owner": ["g"]}, "hieradata": {"a": 1}})
    plan = object_plan(hiera, {"name": "x", "hieradata": {"a": 2}, "gone": True})
    with pytest.raises(ObjectPlanRefused, match="not taken all of it: gone is not as it was"):
        plan.push()


def test_an_object_that_is_gone_is_named(hiera):
    with pytest.raises(ObjectPlanRefused, match="there is no 'x' any more"):
        object_plan(hiera, {"name": "x", "hieradata": {"a": 2}})
