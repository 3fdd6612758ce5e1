"""What an update makes of a stored document."""

from typing import Any

import pytest

from sispy.sandbox.js.scalars import MISSING
from sispy.sandbox.mongoose.casting import build
from sispy.sandbox.mongoose.definition import compile_definition
from sispy.sandbox.mongoose.merge import apply, merge_mixed

A = "a" * 24
META = {
    "_version": "v1.1",
    "owner": [],
    "tags": [],
    "immutable": False,
    "locked": False,
    "any_owner_can_modify": False,
}
DEFINITION = compile_definition(
    {
        "name": {"type": "String", "required": True},
        "n": {"type": "Number", "min": 0},
        "l": ["String"],
        "sub": {"a": "String", "b": "Number", "l": ["String"]},
        "m": "Mixed",
        "docs": [{"k": "String", "v": "Number"}],
        "low": {"type": "String", "lowercase": True},
    }
)
STORED = {
    "_id": A,
    "_v": 3,
    "_sis": META,
    "name": "one",
    "n": 1,
    "l": ["p", "q"],
    "sub": {"a": "q", "b": 2, "l": []},
    "m": {"a": {"b": 1, "c": 2}, "l": [1, 2]},
    "docs": [{"_id": A, "k": "d", "v": 1}],
}

CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"n": "2"}, {"n": 2}),
    ({"n": None}, {"n": None}),
    ({"low": "ABC"}, {"low": "abc"}),
    ({"zzz": 1, "_foo": 2, "_id": "x", "_v": 77}, {}),
    ({"sub": {"b": "9"}}, {"sub": {"a": "q", "b": 9, "l": []}}),
    ({"sub": {"a": None}}, {"sub": {"a": None, "b": 2, "l": []}}),
    ({"sub": {"zz": 1}}, {}),
    ({"sub": None}, {}),
    ({"sub": {}}, {}),
    ({"sub": 5}, {}),
    ({"sub": []}, {}),
    ({"sub.a": 7}, {"sub": {"a": "7", "b": 2, "l": []}}),
    ({"l.0": "z"}, {"l": ["z", "q"]}),
    ({"docs.0.k": "z"}, {"docs": [{"_id": A, "k": "z", "v": 1}]}),
    ({"m.a.b": 5}, {"m": {"a": {"b": 5, "c": 2}, "l": [1, 2]}}),
    ({"m.l.1": 5}, {"m": {"a": {"b": 1, "c": 2}, "l": [1, 5]}}),
    ({"l": ["r"]}, {"l": ["r"], "_v": 4}),
    ({"l": "r"}, {"l": ["r"], "_v": 4}),
    ({"l": ["p", "q"]}, {}),
    ({"l": None}, {"l": None}),
    ({"sub": {"l": ["x"]}}, {"sub": {"a": "q", "b": 2, "l": ["x"]}, "_v": 4}),
    ({"docs": [{"_id": A, "k": "g"}]}, {"docs": [{"_id": A, "k": "g"}], "_v": 4}),
    ({"docs": [{"_id": A, "k": "d", "v": 1}]}, {"_v": 4}),
    ({"docs": []}, {"docs": [], "_v": 4}),
    ({"docs": None}, {"docs": None}),
    ({"m": {"a": {"c": 3}, "z": 1}}, {"m": {"a": {"b": 1, "c": 3}, "l": [1, 2], "z": 1}}),
    ({"m": {"a": {"b": None}}}, {"m": {"a": {"c": 2}, "l": [1, 2]}}),
    ({"m": {"a": None, "l": None}}, {"m": MISSING}),
    ({"m": {"l": [9]}}, {"m": {"a": {"b": 1, "c": 2}, "l": [9]}}),
    ({"m": {"l": {"x": None}}}, {"m": {"a": {"b": 1, "c": 2}, "l": {"x": None}}}),
    ({"m": {"new": {"x": None}}}, {"m": {"a": {"b": 1, "c": 2}, "l": [1, 2], "new": {"x": None}}}),
    ({"m": {}}, {}),
    ({"m": None}, {"m": None}),
    ({"m": 5}, {"m": 5}),
    ({"m": [1]}, {"m": [1]}),
    ({"_sis": {"tags": "t"}}, {"_sis": {**META, "tags": ["t"]}, "_v": 4}),
    ({"_sis": {"locked": True}}, {"_sis": {**META, "locked": True}}),
    ({"_sis": {"_created_by": "me", "_trans_id": 5, "zz": 1}}, {"_sis": {**META, "_created_by": "me"}}),
]


@pytest.mark.parametrize(("body", "changes"), CASES)
def test_update(body, changes):
    document, errors = apply(DEFINITION, STORED, body)
    expected = {key: value for key, value in {**STORED, **changes}.items() if value is not MISSING}
    assert errors == {}
    assert document == expected


@pytest.mark.parametrize("old", [5, [1], None])
@pytest.mark.parametrize("sent", [{}, {"x": {}}])
def test_an_object_without_values_replaces_all_but_an_object(old, sent):
    assert "m" not in apply(DEFINITION, {**STORED, "m": old}, {"m": sent})[0]


def test_nothing_of_the_stored_document_is_changed_in_place():
    before = repr(STORED)
    for body, _ in CASES:
        apply(DEFINITION, STORED, body)
        apply(DEFINITION, STORED, body, force_mixed=True)
        apply(DEFINITION, STORED, body, cas=True)
    assert repr(STORED) == before


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"n": "abc"}, {"n": 'Cast to Number failed for value "abc" at path "n"'}),
        ({"n": -1}, {"n": "Path `n` (-1) is less than minimum allowed value (0)."}),
        ({"name": None}, {"name": "Path `name` is required."}),
        ({"name": ""}, {"name": "Path `name` is required."}),
        ({"l": [{}]}, {"l": 'Cast to Array failed for value "[ {} ]" at path "l"'}),
        ({"docs": [{"v": "x"}]}, {"docs.0.v": 'Cast to Number failed for value "x" at path "v"'}),
        ({"docs.0.v": "x"}, {"docs.0.v": 'Cast to Number failed for value "x" at path "v"'}),
        ({"sub": {"b": "x"}}, {"sub.b": 'Cast to Number failed for value "x" at path "sub.b"'}),
    ],
)
def test_wrong_values(body, errors):
    assert apply(DEFINITION, STORED, body)[1] == errors


def test_old_data_that_no_longer_fits_blocks_an_update():
    stored = {"_id": A, "n": "old text", "_sis": META}
    assert apply(DEFINITION, stored, {"low": "x"})[1] == {
        "name": "Path `name` is required.",
        "n": 'Cast to Number failed for value "old text" at path "n"',
    }


def test_an_array_gives_a_version_to_a_document_without_one():
    stored = {"_id": A, "name": "one", "_sis": META}
    assert apply(DEFINITION, stored, {"l": ["a"]})[0]["_v"] == 1


def test_force_mixed_replaces():
    document, _ = apply(DEFINITION, STORED, {"m": {"new": {"x": None}}}, force_mixed=True)
    assert document["m"] == {"new": {"x": None}}


def test_a_conditional_update_replaces_what_it_touches():
    body = {"n": 5, "sub": {"b": 3}, "m": {"x": None}, "l": ["z"], "_sis": {"tags": ["t"]}}
    document, errors = apply(DEFINITION, STORED, body, cas=True)
    assert errors == {}
    assert document == {
        **STORED,
        "n": 5,
        "sub": {"b": 3},
        "m": {"x": None},
        "l": ["z"],
        "_sis": {"tags": ["t"]},
    }


def test_an_update_restores_the_meta_data_that_a_conditional_one_lost():
    stored = {**STORED, "_sis": {"_version": "v1.1", "_updated_at": 5}}
    document, _ = apply(DEFINITION, stored, {"n": 5})
    assert document == {**STORED, "n": 5, "_v": 4, "_sis": {**META, "_updated_at": 5}}


def test_an_update_stores_the_defaults_that_were_shown_only():
    kinds = {
        "a": "String",
        "d": {"type": "String", "default": "x"},
        "sub": {"e": {"type": "Number", "default": 0}},
    }
    definition = compile_definition({**kinds, "r": {"type": "Number", "required": True, "default": 7}})
    stored = {"_id": A, "_sis": META, "sub": {"z": 1}}
    document, errors = apply(definition, stored, {"a": "b"})
    assert errors == {}
    assert document == {**stored, "a": "b", "d": "x", "sub": {"z": 1, "e": 0}, "r": 7}
    assert stored["sub"] == {"z": 1}
    assert apply(definition, {**stored, "d": None, "r": 1}, {"a": "b"})[0]["d"] is None


def test_merge_of_hieradata_may_leave_nothing():
    assert merge_mixed({"a": {"b": 1}}, {"a": {"b": None}}) is MISSING


@pytest.mark.parametrize("body", [{"m": "deep"}, {"m.x": "deep"}, {"m": {"a": "deep"}}])
@pytest.mark.usefixtures("deep")
def test_deep_values_are_refused(body):
    def deepened(value):
        if value != "deep":
            return {key: deepened(one) for key, one in value.items()}
        value = 1
        for _ in range(100):
            value = [value]
        return value

    body = {key: deepened(value) for key, value in body.items()}
    text = 'Cast to Mixed failed for value "a value that is nested too deeply" at path "m"'
    assert list(
        apply(DEFINITION, {**STORED, "m": {"a": {"b": 1}}}, {"m": {"a": {"b": body}}})[1].values()
    ) == [text]
    assert apply(DEFINITION, STORED, {".".join(["m", *"a" * 200]): 1})[0] == STORED


def test_what_a_create_stored_can_be_sent_back():
    document, _ = build(DEFINITION, {"name": "x", "m": {"a": [1, {"b": None}]}, "docs": [{"k": "a"}]})
    again, errors = apply(DEFINITION, document, document)
    assert errors == {}
    assert again == {**document, "_v": 1}
