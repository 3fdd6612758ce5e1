"""Values that an enum does not list: an error in filters, a warning in queries, unless rows have them."""

import pytest

import sispy_pandas as sp
from sispy_pandas.reading.unlisted import nowhere
from sispy_pandas.values.schema import parse_schema

LISTS = {"type": "String", "enum": ["live", "planned"]}
DEFINITION = {"status": LISTS, "tags": [LISTS], "rack": {"type": "ObjectId", "ref": "host"}}
HOST = parse_schema({"name": "host", "definition": DEFINITION})
SLIP = "no row has 'lvie', and the definition does not list it; did you mean 'live'?"


def told(q, *, rows=()):
    asked = []

    def count(q):
        asked.append(q)
        return int(q in rows)

    return nowhere(HOST, q, lambda _: HOST, count), asked


@pytest.mark.parametrize(
    ("q", "path"),
    [
        ({"status": "lvie"}, "status"),
        ({"status": {"$ne": "lvie"}}, "status"),
        ({"status": {"$in": ["live", "lvie"]}}, "status"),
        ({"$or": [{"status": "live"}, {"$nor": [{"status": {"$nin": ["lvie"]}}]}]}, "status"),
        ({"status": {"$not": {"$eq": "lvie"}}}, "status"),
        ({"tags": "lvie"}, "tags"),
        ({"tags": {"$all": ["lvie"]}}, "tags"),
        ({"rack.status": "lvie"}, "rack.status"),
    ],
)
def test_a_value_that_no_row_has_is_named(q, path):
    assert told(q) == (f"{path!r}: {SLIP}", [{path: "lvie"}])


def test_what_rows_have_from_former_times_is_found():
    assert told({"status": {"$in": ["old", "lvie"]}}, rows=[{"status": "old"}]) == (
        f"'status': {SLIP}",
        [{"status": "old"}, {"status": "lvie"}],
    )
    assert told({"status": "old"}, rows=[{"status": "old"}])[0] is None


@pytest.mark.parametrize(
    "q",
    [
        {},
        {"status": "live"},
        {"status": None},
        {"status": ""},
        {"status": {"$regex": "lvie"}},
        {"status": {"$exists": True, "$gt": "k"}},
        {"rack": "lvie"},
    ],
)
def test_nobody_is_asked_about_other_values(q):
    assert told(q) == (None, [])


def test_without_a_near_one_the_values_are_listed_and_few_are_asked_about():
    reason, _ = told({"status": "x"})
    assert reason == "'status': no row has 'x', and the definition does not list it; it lists live, planned"
    many = [f"v{n}" for n in range(100)]
    assert len(told({"status": {"$in": many}}, rows=[{"status": value} for value in many])[1]) == 10


def test_filters_refuse_it_and_queries_warn(server):
    message = (
        "'os': no row has 'rhel7', and the definition does not list it; did you mean 'rhel9' or 'rhel8'?"
    )
    for ask in (
        lambda: sp.where(server.hosts, "cpus > 1 and os = rhel7"),
        lambda: server.fetch("os != rhel7"),
        lambda: server.fetch({"q": "os nin rhel7", "limit": 3}),
        lambda: next(sp.iter_frames(server.hosts, "os in rhel7,rhel8")),
    ):
        with pytest.raises(ValueError) as caught:
            ask()
        assert str(caught.value) == message
    with pytest.warns(UserWarning) as warned:
        assert len(server.fetch({"q": {"os": "rhel7"}})) == 0
    assert [str(warning.message) for warning in warned] == [f"host: {message}"]
    assert warned[0].filename.endswith("conftest.py")  # where the toolkit is called
