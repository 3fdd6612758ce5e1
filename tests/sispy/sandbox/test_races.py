"""Requests at the same time: what the database would do between reading and writing."""

import asyncio
import json
import random
import threading
from collections import Counter

import pytest

from sispy.errors import Error
from sispy.sandbox import Sandbox
from sispy.sandbox.answers import SisError
from sispy.sandbox.request import Request

SCHEMA = {
    "name": "row",
    "_sis": {"owner": ["g1"]},
    "definition": {
        "name": {"type": "String", "required": True, "unique": True},
        "n": "Number",
        "o": "Number",
        "sub": {"a": "Number", "b": "Number"},
        "l": ["String"],
        "m": "Mixed",
    },
}


@pytest.fixture
def sis():
    with Sandbox() as sandbox:
        sandbox.client().schemas.create(SCHEMA)
        yield sandbox


def at_once(sis, *bodies, name="a"):
    """PUT several bodies to one entity so that all are read before the first is written."""
    return together(sis, *(("PUT", ["entities", "row", name], body) for body in bodies))


def together(sis, *requests):
    """Carry out requests so that updates are read before, and written after what the others do at once."""

    async def one(method, segments, body):
        request = Request(method, "/", segments, {}, {"x-auth-token": sis.token}, body)
        try:
            return (await sis._app.routes.answer(request)).status
        except SisError as error:
            return error.status

    async def run():
        return await asyncio.gather(*(one(*request) for request in requests))

    return asyncio.run(run())


@pytest.fixture
def rows(sis):
    rows = sis.client().entities("row")
    rows.create({"name": "a", "n": 1, "m": {"x": 1}, "sub": {"a": 1}, "l": ["p"]})
    return rows


def test_different_scalars_are_all_kept(sis, rows):
    assert at_once(sis, {"n": 2}, {"o": 3}, {"sub": {"a": 4}}, {"sub": {"b": 5}}) == [200] * 4
    row = rows.get("a")
    assert (row["n"], row["o"], row["sub"]) == (2, 3, {"a": 4, "b": 5})


def test_no_two_of_them_share_a_millisecond(sis, rows):
    assert at_once(sis, {"n": 2}, {"o": 3}, {"n": 4}) == [200] * 3
    commits = rows.commits(rows.get("a")["_id"]).fetch_all({})
    assert len({commit["date_modified"] for commit in commits}) == len(commits) == 4


def test_of_the_same_scalar_the_last_write_wins(sis, rows):
    assert at_once(sis, {"n": 2}, {"n": 3}) == [200, 200]
    assert rows.get("a")["n"] == 3


def test_only_one_of_two_arrays_is_written(sis, rows):
    assert sorted(at_once(sis, {"l": ["q"]}, {"l": ["r"]}, {"n": 9})) == [200, 200, 500]
    row = rows.get("a")
    assert (row["l"], row["n"], row["_v"]) == (["q"], 9, 1)


def test_merges_into_one_mixed_value_are_lost(sis, rows):
    assert at_once(sis, {"m": {"y": 2}}, {"m": {"z": 3}}) == [200, 200]
    assert rows.get("a")["m"] == {"x": 1, "z": 3}


def test_an_update_does_not_bring_back_a_deleted_schema(tmp_path):
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        client = sis.client()
        client.schemas.create(SCHEMA)
        client.entities("row").create({"name": "a", "n": 1})
        update = ("PUT", ["entities", "row", "a"], {"n": 2})
        assert together(sis, update, ("DELETE", ["schemas", "row"], None)) == [404, 200]
        client.schemas.create(SCHEMA)
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        assert list(sis.client().entities("row").fetch_all({})) == []


def test_an_update_does_not_bring_back_a_removed_field(sis, rows):
    kept = {"name": SCHEMA["definition"]["name"], "sub": {"b": "Number"}}
    slim = {**SCHEMA, "id_field": "name", "definition": kept}
    update = ("PUT", ["entities", "row", "a"], {"n": 2, "sub": {"a": 3, "b": 4}})
    assert together(sis, ("PUT", ["schemas", "row"], slim), update) == [200, 200]
    row = rows.get("a")
    assert {key: row[key] for key in row if key[0] != "_"} == {"name": "a", "sub": {"b": 4}}


def test_one_id_twice_in_a_bulk_update(rows):
    oid = rows.get("a")["_id"]
    done = rows.update_bulk([{"_id": oid, "l": ["q"]}, {"_id": oid, "l": ["r"]}])
    assert (len(done["success"]), len(done["errors"])) == (1, 1)
    assert (done["errors"][0]["err"][0], len(done["errors"][0]["err"])) == (500, 3)
    assert rows.get("a")["l"] == done["success"][0]["l"]
    done = rows.update_bulk([{"_id": oid, "n": 7}, {"_id": oid, "o": 8}])
    assert (len(done["success"]), done["errors"]) == (2, [])
    assert (rows.get("a")["n"], rows.get("a")["o"]) == (7, 8)


def test_a_bulk_update_answers_in_an_order_of_its_own(rows):
    made = rows.create([{"name": f"r{i:02}"} for i in range(30)])["success"]
    ids = [row["_id"] for row in made]
    done = [row["_id"] for row in rows.update_bulk([{"_id": oid, "n": 1} for oid in ids])["success"]]
    assert done != ids
    assert sorted(done) == sorted(ids)


@pytest.mark.parametrize(
    "writes", [60, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)
def test_eight_threads_lose_nothing(sis, writes):
    """Scalars of an own field each, creates of few names, deletes: nothing is lost, unique keys hold."""
    schema = {
        "name": "many",
        "_sis": {"owner": ["g1"]},
        "definition": {
            "name": {"type": "String", "required": True, "unique": True},
            **{f"f{i}": "Number" for i in range(8)},
        },
    }
    sis.client().schemas.create(schema)
    shared = sis.client().entities("many").create({"name": "shared"})
    outcomes = Counter()
    failures = []

    def work(number):
        rng = random.Random(number)  # noqa: S311 - no secret
        many = sis.client().entities("many")
        try:
            for i in range(writes):
                many.update(shared["_id"], {f"f{number}": i + 1})
                name = f"n{rng.randrange(20)}"
                try:
                    made = many.create({"name": name})
                    outcomes["created"] += 1
                    if rng.random() < 0.5:
                        many.delete(made["_id"])
                        outcomes["deleted"] += 1
                except Error as error:
                    outcomes[error.http_status_code] += 1
        except BaseException as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(outcomes) <= {"created", "deleted", 500}
    page = sis.client().entities("many").fetch_page({})
    found = [row["name"] for row in page]
    assert len(found) == len(set(found))
    assert len(found) == 1 + outcomes["created"] - outcomes["deleted"] == page._meta.total_count
    assert {k: v for k, v in page[0].items() if k[0] == "f"} == {f"f{i}": writes for i in range(8)}


def test_the_json_of_a_page_is_never_stale(sis, rows):
    oid = rows.get("a")["_id"]
    for i in range(20):
        rows.update(oid, {"n": i})
        assert rows.fetch_page({})[0]["n"] == i == rows.get(oid)["n"]
    assert json.loads(rows.raw_page({}).body)[0]["n"] == 19
