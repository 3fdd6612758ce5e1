import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sispy.delta import DeltaError, diff, patch, same, unpatch
from strategies import recursive

LONG = "x" * 35 + "Y" + "x" * 35
FACES = "\U0001f600" * 30
KV = {"k": 1, "v": 2}

FACTS = [
    (
        {"n": 1, "m": {"a": 1}},
        {"n": 2, "m": {"b": "new"}},
        {"n": [1, 2], "m": {"a": [1, 0, 0], "b": ["new"]}},
    ),
    (["p", "q", "r"], ["q", "r", "s"], {"_t": "a", "_0": ["p", 0, 0], "2": ["s"]}),
    ({"s": "text"}, {"s": None}, {"s": ["text", None]}),
    ({"l": ["q"]}, {"l": []}, {"l": {"_t": "a", "_0": ["q", 0, 0]}}),
    ({"l": []}, {"l": ["q"]}, {"l": {"_t": "a", "0": ["q"]}}),
    ([1, 2, 3], [3, 1, 2], {"_t": "a", "_2": ["", 0, 3]}),
    (
        {"docs": [{"k": "x", "_id": "c"}]},
        {"docs": [{"k": "x", "_id": "d"}, {"k": "y", "_id": "e"}]},
        {
            "docs": {
                "_t": "a",
                "_0": [{"k": "x", "_id": "c"}, 0, 0],
                "0": [{"k": "x", "_id": "d"}],
                "1": [{"k": "y", "_id": "e"}],
            }
        },
    ),
    (
        {"k": "x" * 70},
        {"k": LONG},
        {"k": ["@@ -20,32 +20,33 @@\n xxxxxxxxxxxxxxxx\n+Y\n xxxxxxxxxxxxxxxx\n", 0, 2]},
    ),
    ("x" * 59, "y" * 60, ["x" * 59, "y" * 60]),
    (
        "\U0001f600" * 30,
        "x" * 60,
        ["@@ -1,60 +1,60 @@\n-" + "%F0%9F%98%80" * 30 + "\n+" + "x" * 60 + "\n", 0, 2],
    ),
    ({"a": True}, {"a": 1}, {"a": [True, 1]}),
    ([1, True], [1.0, 1], {"_t": "a", "_1": [True, 0, 0], "1": [1]}),
    (
        [{"k": 1, "v": 2}],
        [{"v": 2, "k": 1}],
        {"_t": "a", "_0": [{"k": 1, "v": 2}, 0, 0], "0": [{"v": 2, "k": 1}]},
    ),
    ([{"k": [{"a": 1}]}, 5], [5, {"k": [{"a": 1}]}], {"_t": "a", "_1": ["", 0, 3]}),
    ({"a": [1]}, {"a": {"0": 1}}, {"a": [[1], {"0": 1}]}),
    ({"a": 1.0, "b": {}}, {"b": {}, "a": 1}, None),
]


@pytest.mark.parametrize(("old", "new", "delta"), FACTS)
def test_describes_a_change_as_the_server_does(old, new, delta):
    assert diff(old, new) == delta
    assert same(patch(old, delta), new)
    assert same(unpatch(new, delta), old)


def test_applies_what_the_server_may_send_and_we_do_not():
    delta = {"_t": "a", "_1": ["", 0, 3], "1": {"k": [1, 2]}}
    assert patch([{"k": 1}, {"k": 5}], delta) == [{"k": 5}, {"k": 2}]
    assert unpatch([{"k": 5}, {"k": 2}], delta) == [{"k": 1}, {"k": 5}]


def test_moves_and_inserts_together():
    delta = {"_t": "a", "_0": ["", 3, 3], "_1": ["b", 0, 0], "0": ["z"], "2": ["y"]}
    assert patch(["a", "b", "c"], delta) == ["z", "c", "y", "a"]
    assert unpatch(["z", "c", "y", "a"], delta) == ["a", "b", "c"]


def test_removing_what_is_not_there_is_no_error():
    """Changes of `_sis` alone leave no commits: a delta of its arrays may be against another state."""
    assert patch({"tags": []}, {"tags": {"_t": "a", "_0": ["x", 0, 0], "_1": ["", 0, 3], "0": ["y"]}}) == {
        "tags": ["y"]
    }


def test_nothing_is_changed_in_place():
    old = {"l": [1, {"a": [2]}], "m": {"k": 1}}
    before = json.dumps(old)
    delta = diff(old, {"l": [{"a": [2]}, 5], "m": {"k": 2}})
    patch(old, delta)
    assert json.dumps(old) == before


@pytest.mark.parametrize(
    ("value", "delta"),
    [
        ({}, "text"),
        ({}, []),
        ({}, [1, 2, 3, 4]),
        ({}, [1, 5, 7]),
        ([], {"_t": "a", "x": [1]}),
        ([], {"_t": "a", "_0": [1]}),
        ([], {"_t": "a", "5": {"a": [1]}}),
        ({}, {"_t": "a", "0": [1]}),
        (5, {"a": [1]}),
        ("x" * 60, ["no patch", 0, 2]),
        ("entirely different", ["@@ -20,32 +20,33 @@\n xxxxxxxxxxxxxxxx\n+Y\n xxxxxxxxxxxxxxxx\n", 0, 2]),
        (5, ["@@ -1 +1 @@\n-a\n+b\n", 0, 2]),
        ({"a": 1}, [{"a": 1}, 0, 0]),
    ],
)
def test_a_delta_that_does_not_fit_is_an_error(value, delta):
    with pytest.raises(DeltaError):
        patch(value, delta)


def test_characters_beyond_the_first_plane_are_counted_as_the_server_counts():
    old = "😀" * 40 + "a" * 40
    delta = diff(old, old + "b")
    assert delta is not None
    assert delta[0].startswith("@@ -93,28 +93,29 @@")  # 40 characters in front count 80
    assert patch(old, delta) == old + "b"
    assert unpatch(old + "b", delta) == old


def test_a_halved_surrogate_pair_is_told_as_a_replacement():
    old, new = "a" * 60 + "\U0001f600", "a" * 60 + "\U0001f601"
    assert unpatch(new, diff(old, new)) == old


TEXTS = st.text(alphabet="ab \n😀é%", min_size=50, max_size=120)
VALUES = recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False), st.text(max_size=3), TEXTS
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.sampled_from(["a", "b", "_t", "0"]), inner, max_size=3),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(old=VALUES, new=VALUES)
def test_goes_forward_and_back(old, new):
    delta = diff(old, new)
    assert (delta is None) == same(old, new)
    assert same(patch(old, delta), new)
    assert same(unpatch(new, delta), old)


@given(
    states=st.lists(
        st.fixed_dictionaries({"l": st.lists(st.integers(0, 3), max_size=6), "t": TEXTS}),
        min_size=2,
        max_size=6,
    )
)
def test_a_chain_of_changes_is_replayed_both_ways(states):
    deltas = [diff(one, two) for one, two in pairwise(states)]
    value = states[0]
    for delta, state in zip(deltas, states[1:], strict=True):
        value = patch(value, delta)
        assert value == state
    for delta, state in zip(reversed(deltas), reversed(states[:-1]), strict=True):
        value = unpatch(value, delta)
        assert value == state
