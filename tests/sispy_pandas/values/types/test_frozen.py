import copy
import json
import pickle

import pytest

from sispy_pandas.values.types.frozen import DEEPEST, FrozenDict, decode_json, freeze, thaw


def test_a_frozen_dict_refuses_changes_and_is_a_dict_otherwise():
    cell = freeze({"a": [1, {"b": 2}]})
    for change in (
        lambda: cell.update(a=1),
        lambda: cell.__setitem__("a", 1),
        lambda: cell["a"][1].pop("b"),
        lambda: cell.setdefault("x", 1),
        lambda: cell.clear(),
    ):
        with pytest.raises(TypeError, match="read-only"):
            change()
    assert json.loads(json.dumps(cell)) == {"a": [1, {"b": 2}]} == thaw(cell)
    assert pickle.loads(pickle.dumps(cell)) == cell == copy.deepcopy(cell)
    assert type(pickle.loads(pickle.dumps(cell))) is FrozenDict
    assert type(cell | {"x": 1}) is dict
    assert len({cell, freeze({"a": [1, {"b": 2}]})}) == 1


@pytest.mark.parametrize("depth", [DEEPEST + 20, 100_000])
@pytest.mark.usefixtures("deep")
def test_a_line_that_is_nested_deeper_than_any_value_is_refused(depth):
    with pytest.raises(ValueError, match="it is nested too deeply"):
        decode_json("[" * depth + "]" * depth)


def test_a_line_around_the_deepest_value_is_read():
    text = '{"row": ["f", {"cell": ' + "[" * DEEPEST + "]" * DEEPEST + "}]}"

    assert json.dumps(decode_json(text)) == text
