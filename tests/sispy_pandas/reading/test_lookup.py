"""Rows read by their ids: in few requests, wherever they stand in the table."""

import os
import signal
from multiprocessing import Pipe

import pytest

import processes
import sispy
from sispy.sandbox import Sandbox
from sispy_pandas.reading.lookup import each, read

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


def test_ctrl_c_waits_for_no_request_that_is_held_back(sis, ids):
    told, tell = Pipe(duplex=False)
    asking = processes.process(processes.waiting, sis.url, ids[:9], tell)
    asking.start()
    assert (told.recv(), told.recv()) == ("waiting", "waiting")
    assert asking.pid is not None

    os.kill(asking.pid, signal.SIGINT)

    assert told.poll(60), "it does not end"
    while (word := told.recv()) == "waiting":
        assert told.poll(60), "it does not end"
    asking.join(60)
    assert (word, asking.exitcode) == ("interrupted", 0)


def test_results_come_in_the_order_of_what_was_asked_for_up_to_the_first_error(sis, ids):
    def name(endpoint, id_):
        return endpoint.get(id_)["name"]

    hosts, found = sis.client().entities("host"), []
    with pytest.raises(sispy.NotFound):
        for _, result in each(hosts, name, [*ids[:7], "f" * 24, *ids[7:20]]):
            found.append(result)
    assert found == [f"h{i}" for i in range(7)]
