"""Sort and projection."""

import pytest

from sispy.sandbox.mongo.errors import QueryError
from sispy.sandbox.mongo.listing import Projection, sorter
from sispy.sandbox.mongoose.definition import compile_definition


def order(spec, values, definition=None):
    documents = [{"i": i, **value} for i, value in enumerate(values)]
    return [document["i"] for document in sorter(spec, definition)(documents)]


@pytest.mark.parametrize(
    ("spec", "values", "expected"),
    [
        ("n", [{"n": 2}, {"n": 1}, {}, {"n": None}, {"n": 1.5}], [2, 3, 1, 4, 0]),
        ("-n", [{"n": 2}, {"n": 1}, {}, {"n": 3}], [3, 0, 1, 2]),
        ("+n", [{"n": 2}, {"n": 1}], [1, 0]),
        ("-s,n", [{"s": "a", "n": 1}, {"s": "b", "n": 2}, {"s": "b", "n": 1}], [2, 1, 0]),
        ("m", [{"m": True}, {"m": [1]}, {"m": {"a": 1}}, {"m": "a"}, {"m": 5}, {}], [5, 1, 4, 3, 2, 0]),
        ("l", [{"l": [5, 1]}, {"l": [3]}, {"l": []}, {}], [2, 3, 0, 1]),
        ("-l", [{"l": [5, 1]}, {"l": [3]}, {"l": []}, {}], [0, 1, 3, 2]),
        ("m.k", [{"m": {"k": 2}}, {"m": {"k": 1}}, {"m": 5}], [2, 1, 0]),
        ("docs.v", [{"docs": [{"v": 4}, {"v": 9}]}, {"docs": [{"v": 3}]}, {"docs": []}], [2, 1, 0]),
        ("zzz", [{"n": 2}, {"n": 1}], [0, 1]),
        (" n", [{"n": 2}, {"n": 1}], [0, 1]),
    ],
)
def test_sort(spec, values, expected):
    assert order(spec, values) == expected


def test_dates_sort_by_time():
    dates = [
        "2020-01-01T00:00:00.000Z",
        "+012020-01-01T00:00:00.000Z",
        "-000002-01-01T00:00:00.000Z",
        "-000001-01-01T00:00:00.000Z",
    ]
    assert order("d", [{"d": one} for one in dates], compile_definition({"d": "Date"})) == [2, 3, 0, 1]


@pytest.mark.parametrize("spec", ["n,", "-", ",n", "a..b", "$n", "n" + ",n" * 32])
def test_bad_sorts(spec):
    with pytest.raises(QueryError):
        sorter(spec)


DOCUMENT = {
    "_id": "1",
    "n": 1,
    "s": "x",
    "sub": {"a": 1, "b": {"c": 2, "d": 3}},
    "docs": [{"_id": "2", "k": "a", "v": 1}, None, {"_id": "3", "v": 2}],
    "l": ["p", {"k": 1}],
}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("", DOCUMENT),
        ("n", {"_id": "1", "n": 1}),
        (" n , s ", {"_id": "1", "n": 1, "s": "x"}),
        ("_id", {"_id": "1"}),
        ("n,-_id", {"n": 1}),
        ("zzz", {"_id": "1"}),
        ("sub.b.c", {"_id": "1", "sub": {"b": {"c": 2}}}),
        ("sub.zz", {"_id": "1", "sub": {}}),
        ("n.x", {"_id": "1"}),
        ("docs.k", {"_id": "1", "docs": [{"k": "a"}, {}]}),
        ("l.k", {"_id": "1", "l": [{"k": 1}]}),
        ("-n,-s,-docs,-l", {"_id": "1", "sub": DOCUMENT["sub"]}),
        ("-_id,-sub,-docs,-l", {"n": 1, "s": "x"}),
        (
            "-sub.b.c,-n,-s,-l,-docs.v",
            {
                "_id": "1",
                "sub": {"a": 1, "b": {"d": 3}},
                "docs": [{"_id": "2", "k": "a"}, None, {"_id": "3"}],
            },
        ),
    ],
)
def test_projection(spec, expected):
    assert Projection(spec)(DOCUMENT) == expected


def test_projection_with_the_paths_of_references():
    assert Projection("n", extra=["s"])(DOCUMENT) == {"_id": "1", "n": 1, "s": "x"}


@pytest.mark.parametrize("spec", ["n,-s", "sub,sub.a", "sub.a,sub", "a..b", "$x"])
def test_bad_projections(spec):
    with pytest.raises(QueryError):
        Projection(spec)


@pytest.mark.parametrize(
    ("spec", "path", "shown"),
    [
        ("n", "n", True), ("n", "s", False), ("sub.a", "sub.a", True), ("sub.a", "sub.b", False),
        ("sub", "sub.a", True), ("-n", "n", False), ("-n", "s", True), ("-sub", "sub.a", False),
        ("-sub.a", "sub.b", True), ("", "n", True),
    ],
)  # fmt: skip
def test_what_a_projection_selects(spec, path, shown):
    assert Projection(spec).selects(path) is shown
