"""Requests at the same time: what the database would do between reading and writing."""

import asyncio
import json
import random
import threading
from collections import Counter
from typing import Any

import pytest

from sispy.errors import BadAnswer, Error
from sispy.sandbox import Faults, Sandbox
from sispy.sandbox.sis.errors import SisError
from sispy.sandbox.web.request import Request

SCHEMA: dict[str, Any] = {
    "name": "row",
    "_sis": {"owner": ["g1"]},
    "definition": {
        "name": {"type": "String", "required": True, "unique": True},
        "n": "Number",
        "o": "Number",
        "sub": {"a": "Number", "b": "Number"},
        "l": ["String"],
        "m": "Mixed",
        "docs": [{"k": "String"}],
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


class Colleague:
    """Does one thing in the window of the first request that matches; notes which objects it saw."""

    def __init__(self, sis, route, act):
        self.route, self.act, self.items = route, act, []
        sis.faults = Faults(between=self)

    def __call__(self, seen):
        if seen.matches(self.route):
            self.items.append(seen.item)
            if len(self.items) == 1:
                self.act()


def history(rows, oid):
    """The edits of an object, the oldest first: what happened to its own fields."""
    return [
        {key: value for key, value in commit["commit_data"].items() if key[0] != "_"}
        for commit in reversed(rows.commits(oid).fetch_all({}))
        if commit["action"] == "update"
    ]


def test_what_is_written_before_the_reading_is_read(sis, rows):
    oid = rows.get("a")["_id"]
    sis.faults = Faults(before=lambda seen: seen.method == "PUT" and rows.update(oid, {"n": 2}))

    assert rows.update(oid, {"n": 3})["n"] == 3
    assert history(rows, oid) == [{"n": [1, 2]}, {"n": [2, 3]}]


def test_what_is_written_after_the_reading_is_in_no_delta(sis, rows):
    oid = rows.get("a")["_id"]
    window = Colleague(sis, "PUT /entities/row/*", lambda: rows.update(oid, {"n": 2, "o": 7}))

    answer = rows.update(oid, {"n": 3})

    assert window.items == [oid]
    assert (answer["n"], "o" in answer) == (3, False)  # the writer never saw it
    row = rows.get(oid)
    assert (row["n"], row["o"], row["_sis"]["_updated_at"]) == (3, 7, answer["_sis"]["_updated_at"])
    assert history(rows, oid) == [{"n": [1, 2], "o": [7]}, {"n": [1, 3]}]


def test_a_merge_into_mixed_in_the_window_is_lost(sis, rows):
    oid = rows.get("a")["_id"]
    Colleague(sis, "PUT *", lambda: rows.update(oid, {"m": {"y": 2}}))

    assert rows.update(oid, {"m": {"z": 3}})["m"] == {"x": 1, "z": 3}
    assert rows.get(oid)["m"] == {"x": 1, "z": 3}
    assert history(rows, oid) == [{"m": {"y": [2]}}, {"m": {"z": [3]}}]


def test_an_array_written_in_the_window_is_a_version_error(sis, rows):
    oid = rows.get("a")["_id"]
    Colleague(sis, "PUT *", lambda: rows.update(oid, {"l": ["q"]}))

    with pytest.raises(BadAnswer, match="VersionError") as caught:
        rows.update(oid, {"l": ["r"], "n": 5})

    assert caught.value.http_status_code == 500
    assert (rows.get(oid)["l"], rows.get(oid)["n"]) == (["q"], 1)


@pytest.mark.parametrize("theirs", [{"docs": [{"k": "b"}]}, {"l": ["q"]}, {"_sis": {"tags": ["t"]}}])
@pytest.mark.parametrize("mine", [{"docs": [{"k": "c"}]}, {"_sis": {"tags": ["u"]}}])
def test_all_arrays_of_an_object_share_one_version(sis, rows, mine, theirs):
    oid = rows.get("a")["_id"]
    Colleague(sis, "PUT *", lambda: rows.update(oid, theirs))

    done = rows.update_bulk([{"_id": oid, **mine}])

    assert (list(done["success"]), [error["err"][0] for error in done["errors"]]) == ([], [500])
    row = rows.get(oid)
    kept = {"docs": [one["k"] for one in row["docs"]], "l": row["l"], "tags": row["_sis"]["tags"]}
    mark = {"docs": ["b"]} if "docs" in theirs else {"l": ["q"]} if "l" in theirs else {"tags": ["t"]}
    assert kept == {"docs": [], "l": ["p"], "tags": [], **mark}


def test_a_unique_value_taken_in_the_window_of_an_update(sis, rows):
    oid = rows.create({"name": "b"})["_id"]
    Colleague(sis, "PUT *", lambda: rows.update("a", {"name": "c"}))

    with pytest.raises(BadAnswer, match="E11000"):
        rows.update(oid, {"name": "c"})

    assert [row["name"] for row in rows.fetch_all({"sort": "name"})] == ["b", "c"]


def test_an_array_and_a_scalar_in_the_window_are_both_kept(sis, rows):
    oid = rows.get("a")["_id"]
    Colleague(sis, "PUT *", lambda: rows.update(oid, {"n": 5}))

    assert rows.update(oid, {"l": ["r"]})["l"] == ["r"]
    assert (rows.get(oid)["l"], rows.get(oid)["n"]) == (["r"], 5)


def test_a_compare_and_set_looks_again(sis, rows):
    row = rows.get("a")
    window = Colleague(sis, "PUT *", lambda: rows.update(row["_id"], {"n": 2}))

    with pytest.raises(BadAnswer, match="CAS update failed"):
        rows.update(row["_id"], {"n": 3}, cas={"n": 1})

    assert (window.items, rows.get("a")["n"]) == ([row["_id"]], 2)


def test_a_compare_and_set_of_something_else_goes_through(sis, rows):
    row = rows.get("a")
    Colleague(sis, "PUT *", lambda: rows.update(row["_id"], {"o": 2, "m": {"y": 2}}))

    answer = rows.update(row["_id"], {"n": 3}, cas={"n": 1})

    assert (answer["n"], answer["o"], answer["m"]) == (3, 2, {"x": 1, "y": 2})
    assert rows.get("a")["m"] == {"x": 1, "y": 2}
    read = {"n": [1, 3], "o": [2], "m": {"y": [2]}}  # computed from what was read before the condition
    assert history(rows, row["_id"]) == [{"o": [2], "m": {"y": [2]}}, read]


def test_a_compare_and_set_of_a_deleted_row_fails(sis, rows):
    row = rows.get("a")
    Colleague(sis, "PUT *", lambda: rows.delete(row["_id"]))

    with pytest.raises(BadAnswer, match="CAS update failed"):
        rows.update(row["_id"], {"n": 3}, cas={"n": 1})


@pytest.mark.parametrize("by_query", [False, True])
def test_a_bulk_update_has_a_window_per_object(sis, rows, by_query):
    made = rows.create([{"name": f"r{i}", "n": 1} for i in range(6)])["success"]
    ids = [row["_id"] for row in made]
    window = Colleague(
        sis, "PUT /entities/row", lambda: rows.update_bulk([{"_id": one, "n": 5, "o": 6} for one in ids])
    )

    if by_query:
        done = rows.update_bulk({"n": 2}, {"q": {"n": 1, "name": {"$ne": "a"}}})
    else:
        done = rows.update_bulk([{"_id": one, "n": 2} for one in ids])

    assert sorted(window.items) == sorted(ids)
    assert window.items == [row["_id"] for row in done["success"]] != ids
    assert {(row["n"], row["o"]) for row in rows.fetch_all({"q": {"_id": {"$in": ids}}})} == {(2, 6)}
    assert [history(rows, one) for one in ids] == [[{"n": [1, 5], "o": [6]}, {"n": [1, 2]}]] * 6


def test_what_is_deleted_in_the_window_of_an_update_is_missing(sis, rows):
    ids = [row["_id"] for row in rows.create([{"name": f"r{i}"} for i in range(3)])["success"]]
    Colleague(sis, "PUT *", lambda: rows.delete(ids[1]))

    done = rows.update_bulk([{"_id": one, "n": 2} for one in ids])

    assert sorted(row["_id"] for row in done["success"]) == sorted([ids[0], ids[2]])
    assert [error["err"][0] for error in done["errors"]] == [404]


@pytest.mark.parametrize("bulk", [False, True])
def test_a_name_taken_in_the_window_of_a_create(sis, rows, bulk):
    window = Colleague(sis, "POST *", lambda: rows.create({"name": "b", "n": 7}))

    if bulk:
        done = rows.create([{"name": "b"}, {"name": "c"}])
        assert [row["name"] for row in done["success"]] == ["c"]
        assert [error["err"][1]["error"] for error in done["errors"]] == ["Bad request: Insert failed"]
    else:
        with pytest.raises(BadAnswer, match="E11000"):
            rows.create({"name": "b"})

    assert (window.items, rows.get("b")["n"]) == ([None], 7)


def test_a_name_taken_in_the_window_of_an_upsert(sis, rows):
    sis.client().schemas.update("row", {**SCHEMA, "id_field": "name"})
    window = Colleague(sis, "PUT *", lambda: rows.create({"name": "b", "n": 7}))

    rows.upsert("b", {"name": "b", "n": 8})  # which looks what is there, and updates it

    put = [seen.status for seen in sis.requests if seen.matches("PUT /entities/*")]
    assert (put, window.items[0], rows.get("b")["n"]) == ([500, 200], None, 8)


@pytest.mark.parametrize("bulk", [False, True])
def test_a_delete_deletes_what_was_changed_in_its_window(sis, rows, bulk):
    row = rows.get("a")
    window = Colleague(sis, "DELETE *", lambda: rows.update(row["_id"], {"n": 2}))

    deleted = rows.delete_bulk({"q": {"n": 1}})["success"][0] if bulk else rows.delete(row["_id"])

    assert (window.items, deleted["n"]) == ([None if bulk else row["_id"]], 1)
    assert rows.count({}) == 0
    newest = rows.commits(row["_id"]).fetch_all({})[0]
    assert (newest["action"], newest["commit_data"]["n"]) == ("delete", 1)


@pytest.mark.parametrize("bulk", [False, True])
def test_two_deletes_at_once_both_say_that_they_did_it(sis, rows, bulk):
    row = rows.get("a")
    Colleague(sis, "DELETE *", lambda: rows.delete(row["_id"]))

    deleted = rows.delete_bulk({"q": {"n": 1}})["success"][0] if bulk else rows.delete(row["_id"])

    assert deleted["_id"] == row["_id"]
    assert rows.count({}) == 0


def test_a_create_in_a_schema_that_is_deleted_meanwhile_is_kept_by_nobody(tmp_path):
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        client = sis.client()
        client.schemas.create(SCHEMA)
        Colleague(sis, "POST *", lambda: client.schemas.delete("row"))
        client.entities("row").create({"name": "a"})
        sis.faults = Faults()
        client.schemas.create(SCHEMA)
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        assert list(sis.client().entities("row").fetch_all({})) == []


def test_a_window_that_fails_is_an_error_of_the_request(sis, rows, caplog):
    sis.faults = Faults(between=lambda seen: 1 / 0)

    with pytest.raises(BadAnswer, match="injected fault"):
        rows.update_bulk([{"_id": rows.get("a")["_id"], "n": 2}])

    assert rows.get("a")["n"] == 1
    assert "ZeroDivisionError" in caplog.text


def test_the_order_of_a_bulk_goes_by_the_seed():
    def orders(seed):
        with Sandbox(faults=Faults(seed=seed)) as sis:
            sis.client().schemas.create(SCHEMA)
            rows = sis.client().entities("row")
            ids = [row["_id"] for row in rows.create([{"name": f"r{i}"} for i in range(8)])["success"]]
            done = rows.update_bulk([{"_id": one, "n": "x" if i % 2 else i} for i, one in enumerate(ids)])
            gone = rows.delete_bulk({"q": {"name": {"$ne": ""}}})
            return (
                [ids.index(row["_id"]) for row in done["success"]],
                [error["value"]["n"] for error in done["errors"]],
                [ids.index(row["_id"]) for row in gone["success"]],
            )

    assert orders(1) == orders(1) != orders(2)


def test_an_update_does_not_bring_back_a_deleted_schema(tmp_path):
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        client = sis.client()
        client.schemas.create(SCHEMA)
        client.entities("row").create({"name": "a", "n": 1})
        update = ("PUT", ["entities", "row", "a"], {"n": 2})
        assert together(sis, ("DELETE", ["schemas", "row"], None), update) == [200, 404]
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


@pytest.mark.parametrize("writes", [60, pytest.param(1000, marks=pytest.mark.soak)])
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
