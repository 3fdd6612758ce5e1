"""Rows read by their ids: in few requests, wherever they stand in the table."""

import pytest

from sispy.sandbox import Sandbox
from sispy_pandas.reading.lookup import read

ROWS = 4_000


@pytest.fixture(scope="module")
def sis():
    with Sandbox() as sis:
        definition = {"name": {"type": "String", "unique": True}}
        sis.client().schemas.create({"name": "host", "_sis": {"owner": ["g"]}, "definition": definition})
        for start in range(0, ROWS, 1000):
            sis.client().entities("host").create([{"name": f"h{i}"} for i in range(start, start + 1000)])
        yield sis


@pytest.fixture(scope="module")
def ids(sis):
    return [row["_id"] for row in sis.client().entities("host").fetch_all({"sort": "_id", "fields": "_id"})]


def asked(sis, ids):
    """Return the names that are read by ids, and the methods of the requests for them."""
    before = len(sis.requests)
    found = [row["name"] for row in read(sis.client().entities("host"), "_id", ids, fields=["name"])]
    return found, [seen.method for seen in sis.requests[before:]]


def test_rows_that_stand_together_are_read_as_a_range(sis, ids):
    found, methods = asked(sis, ids[1_000:1_900])

    assert (found, methods) == ([f"h{i}" for i in range(1_000, 1_900)], ["GET"] * 2)


def test_rows_all_over_the_table_are_read_by_name(sis, ids):
    found, methods = asked(sis, ids[::5])

    assert (found, methods) == ([f"h{i}" for i in range(0, ROWS, 5)], ["GET"] * 6)


def test_the_order_of_the_ids_does_not_matter_and_rows_between_them_are_left_out(sis, ids):
    wanted = ids[2_799:999:-2]

    found, methods = asked(sis, wanted)

    assert (found, methods) == ([f"h{i}" for i in range(1_001, 2_800, 2)], ["GET"] * 2)
