"""How stored documents are read."""

import pytest

from sispy.sandbox.mongo.listing import Projection
from sispy.sandbox.mongoose.definition import compile_definition
from sispy.sandbox.sis.presentation import present, presenter

PLAIN = compile_definition(
    {"n": "Number", "l": ["String"], "docs": [{"k": "String"}], "sub": {"l": ["String"]}}
)
FILLING = compile_definition(
    {
        "n": "Number",
        "l": ["String"],
        "d": {"type": "String", "default": "x"},
        "sub": {"e": {"type": "Number", "default": 0}},
    }
)
META = {"owner": [], "tags": [], "immutable": False, "locked": False, "any_owner_can_modify": False}


def test_a_complete_document_is_shown_as_it_is():
    document = {"_id": "1", "l": [], "docs": [], "sub": {"l": []}}
    assert present(PLAIN, document) is document


def test_missing_arrays_are_empty_ones():
    assert present(PLAIN, {"_id": "1"}) == {"_id": "1", "l": [], "docs": [], "sub": {"l": []}}


def test_missing_arrays_are_empty_ones_though_not_selected():
    shown = present(PLAIN, {"_id": "1", "n": 1, "l": ["a"]}, projection=Projection("n"))
    assert shown == {"_id": "1", "n": 1, "l": [], "docs": [], "sub": {"l": []}}


@pytest.mark.parametrize(("answer", "docs"), [(False, []), (True, None)])
def test_a_cleared_document_array_is_null_in_the_answer_only(answer, docs):
    shown = present(PLAIN, {"_id": "1", "l": None, "docs": None, "sub": {"l": None}}, answer=answer)
    assert shown == {"_id": "1", "l": [], "docs": docs, "sub": {"l": []}}


def test_defaults_are_filled_in():
    assert present(FILLING, {"_id": "1", "n": None}) == {
        "_id": "1",
        "n": None,
        "d": "x",
        "l": [],
        "sub": {"e": 0},
    }


def test_defaults_are_filled_in_where_they_are_selected():
    assert present(FILLING, {"_id": "1", "n": 1}, projection=Projection("n")) == {"_id": "1", "n": 1}
    assert present(FILLING, {"_id": "1"}, projection=Projection("-d,-sub")) == {"_id": "1", "l": []}


def test_a_null_array_stays_beside_a_default():
    assert present(FILLING, {"_id": "1", "l": None, "d": "y", "sub": {"e": 1}})["l"] is None


def test_defaults_are_not_shared():
    definition = compile_definition({"m": {"type": "Mixed", "default": {"a": []}}})
    show = presenter(definition)
    show({})["m"]["a"].append(1)
    assert show({}) == {"m": {"a": []}}


def test_remove_empty():
    document = {
        "_id": "1",
        "_sis": {"_trans_id": 1, **META},
        "l": [],
        "docs": [{"_id": "2"}],
        "sub": {"l": []},
    }
    assert present(PLAIN, document, remove_empty=True) == {"_id": "1", "_sis": META, "docs": [{"_id": "2"}]}


def test_remove_empty_with_a_projection_adds_meta_data():
    shown = present(PLAIN, {"_id": "1", "n": 1, "l": ["a"]}, projection=Projection("n"), remove_empty=True)
    assert shown == {"_id": "1", "n": 1, "_sis": META}


def test_remove_empty_does_nothing_without_arrays():
    definition = compile_definition({"n": "Number"})
    assert present(definition, {"_id": "1", "n": 1}, remove_empty=True) == {"_id": "1", "n": 1}
