"""Commits and revisions over HTTP: what leaves one, what it holds, what it leads to."""

import time
from typing import Any

import pytest

from sispy import NotFound
from wire import SCHEMA


@pytest.fixture
def row(call, schema):
    schema("row", {"n": "Number", "m": "Mixed", "l": ["String"], "s": "String"})
    return call("POST", "/entities/row", {"n": 1, "m": {"a": 1}})[1]


def commits(call, path, **query):
    return call("GET", f"{path}/commits", query=query)[1]


def test_only_changes_of_fields_leave_commits(call, row):
    path = f"/entities/row/{row['_id']}"
    call("PUT", path, {"n": 2, "l": ["q"]})
    call("PUT", path, {"n": 2})
    call("PUT", path, {"_sis": {"tags": ["t"]}})
    last = call("PUT", path, {"m": {"b": 2}})[1]
    call("DELETE", path)
    found = commits(call, path)
    assert [commit["action"] for commit in found] == ["delete", "update", "update", "insert"]
    assert [commit["commit_data"] for commit in found][::3] == [last, row]
    deltas = [{k: v for k, v in commit["commit_data"].items() if k != "_sis"} for commit in found[1:3]]
    assert deltas == [{"m": {"b": [2]}}, {"_v": [0, 1], "n": [1, 2], "l": {"_t": "a", "0": ["q"]}}]
    assert {(c["type"], c["entity_id"], c["entity_oid"], c["modified_by"]) for c in found} == {
        ("row", row["_id"], row["_id"], "root")
    }
    assert call.headers["x-total-count"] == "4"


def test_a_commit_has_the_value_it_led_to(call, row):
    path = f"/entities/row/{row['_id']}"
    second = call("PUT", path, {"n": 2})[1]
    third = call("PUT", path, {"s": "x"})[1]
    call("DELETE", path)
    values = [call("GET", f"{path}/commits/{c['_id']}")[1]["value_at"] for c in commits(call, path)]
    assert values == [third, third, second, row]
    assert call("GET", f"{path}/commits/{'f' * 24}")[0] == 404


def test_revisions(call, row):
    path = f"/entities/row/{row['_id']}"
    time.sleep(0.005)
    second = call("PUT", path, {"n": 2})[1]
    at = [state["_sis"]["_updated_at"] for state in (row, second)]

    def revision(when):
        return call("GET", f"{path}/revision/{when}")

    assert revision(at[0]) == (200, row)
    assert revision(f"{at[1]}.5") == (200, second)
    assert revision(4_000_000_000_000) == (200, second)
    for when in (at[0] - 1, "abc", "inf"):
        assert revision(when)[0] == 404
    call("DELETE", path)
    assert revision(4_000_000_000_000) == (200, second)


def test_options_of_the_list(call, row):
    path = f"/entities/row/{row['_id']}"
    for i in range(3):
        call("PUT", path, {"n": i + 2})
    fields = {"fields": "action,commit_data.n", "sort": "date_modified"}
    found = commits(call, path, limit="2", offset="1", **fields)
    assert [c["commit_data"]["n"] for c in found] == [[2, 3], [1, 2]]
    assert [set(c) for c in found] == [{"_id", "action", "commit_data"}] * 2
    assert len(commits(call, path, q={"action": "insert"})) == 1
    assert call("GET", f"{path}/commits", query={"q": "{bad"})[0] == 400
    assert commits(call, "/entities/row/unknown") == commits(call, "/entities/unknown/x") == []


def test_long_texts_change_by_patches(call, row):
    path = f"/entities/row/{row['_id']}"
    call("PUT", path, {"s": "x" * 70})
    call("PUT", path, {"s": "x" * 35 + "Y" + "x" * 35})
    newest = commits(call, path)[0]
    patch, *rest = newest["commit_data"]["s"]
    assert (patch.startswith("@@ -20,32 +20,33 @@"), rest) == (True, [0, 2])
    assert call("GET", f"{path}/commits/{newest['_id']}")[1]["value_at"]["s"] == "x" * 35 + "Y" + "x" * 35


def test_a_name_made_again_has_a_history_of_its_own(call):
    body = {"name": "h", "_sis": {"owner": ["g1"]}, "hieradata": {"a": 1}}
    first = call("POST", "/hiera", body)[1]
    call("DELETE", "/hiera/h")
    time.sleep(0.005)
    second = call("POST", "/hiera", {**body, "hieradata": {"b": 2}})[1]
    newest, _, oldest = commits(call, "/hiera/h")
    assert (newest["entity_oid"], oldest["entity_oid"]) == (second["_id"], first["_id"])
    assert call("GET", f"/hiera/h/revision/{second['_sis']['_updated_at']}")[1] == second
    assert call("GET", f"/hiera/h/revision/{first['_sis']['_updated_at']}")[1] == first


def test_a_wiped_sis_does_not_stop_the_replay(call, row):
    """Deltas are written against states whose tags no commit has told of."""
    path = f"/entities/row/{row['_id']}"
    call("PUT", path, {"_sis": {"tags": ["t"]}})
    call("PUT", path, {"n": 2}, {"cas": {"n": 1}})
    newest = commits(call, path)[0]
    assert newest["commit_data"]["_sis"]["tags"] == {"_t": "a", "_0": ["t", 0, 0]}
    assert call("GET", f"{path}/commits/{newest['_id']}")[1]["value_at"]["n"] == 2


def replayed(call, path):
    """The latest revision, without what differs from one write to the next."""
    status, state = call("GET", f"{path}/revision/4e15")
    assert status == 200, state
    return {key: value for key, value in state.items() if key not in {"_id", "_v"}}


def test_metadata_that_changed_without_a_commit_does_not_stop_the_replay(call, schema):
    schema("odd", {"n": "Number", "_sis": {"x": "Mixed"}})
    path = f"/entities/odd/{call('POST', '/entities/odd', {'n': 1, '_sis': {'x': 1}})[1]['_id']}"
    call("PUT", path, {"_sis": {"x": {"a": 1}, "_created_by": "zq" * 70}})
    sis = {"x": {"a": 2}, "_created_by": "zq" * 30 + "!!" + "zq" * 40}
    last = call("PUT", path, {"n": 2, "_sis": sis})[1]
    state = replayed(call, path)
    assert (state["n"], state["_sis"]["x"], state["_sis"]["_created_by"]) == (2, 1, "root")
    assert state["_sis"]["_updated_at"] == last["_sis"]["_updated_at"]


def test_a_gap_in_the_history_does_not_stop_the_replay(call, schema):
    made = schema("gap", {"m": "Mixed", "n": "Number"})
    path = f"/entities/gap/{call('POST', '/entities/gap', {'m': 5, 'n': 1})[1]['_id']}"
    call("PUT", "/schemas/gap", {**made, "track_history": False})
    call("PUT", path, {"m": {"a": 1}})
    call("PUT", "/schemas/gap", {**made, "track_history": True})
    call("PUT", path, {"m": {"a": 2}, "n": 2})
    state = replayed(call, path)
    assert (state["m"], state["n"]) == (5, 2)


def test_writes_at_the_same_time_do_not_stop_the_replay(call, schema):
    """Each commit tells what its writer has read: its delta may not fit what the other one has left."""
    schema("twice", {"m": "Mixed"})
    made = call("POST", "/entities/twice", {"m": {"a": [1], "t": "x" * 80}})[1]
    path = f"/entities/twice/{made['_id']}"
    for i in range(6):
        both: list[dict[str, Any]] = [{"m": 5}, {"m": {"a": [1, 2, i], "t": "y" * 80 + str(i)}}]
        call("PUT", "/entities/twice", [{"_id": made["_id"], **body} for body in both])
        assert replayed(call, path)["m"] in (5, both[1]["m"])


def test_true_and_one_are_two_values(call, row):
    path = f"/entities/row/{row['_id']}"
    call("PUT", path, {"m": {"a": True}})
    assert commits(call, path)[0]["commit_data"]["m"] == {"a": [1, True]}
    call("PUT", path, {"_sis": {"immutable": True}})
    assert call("PUT", path, {"m": {"a": 1}})[0] == 401


def test_a_delete_is_the_last_of_a_quick_series(call, row, sis_sandbox, monkeypatch):
    path = f"/entities/row/{row['_id']}"
    monkeypatch.setattr(sis_sandbox.world.context, "clock", lambda: row["_sis"]["_updated_at"])
    for i in range(3):
        last = call("PUT", path, {"n": i + 10})[1]
    call("DELETE", path)
    times = [commit["date_modified"] for commit in commits(call, path)]
    assert times == sorted(times, reverse=True)
    assert call("GET", f"{path}/revision/{last['_sis']['_updated_at']}")[1] == last


def test_of_what_is_gone_only_the_history_is_kept(call, row, sis_sandbox):
    path = f"/entities/row/{row['_id']}"
    other = call("POST", "/entities/row", {"n": 2})[1]
    call("DELETE", path)
    call("DELETE", "/entities/row", query={"q": {"n": 2}})
    assert len(commits(call, f"/entities/row/{other['_id']}")) == 2
    assert sis_sandbox.world.entities["row"].collection.encoded == {}


def test_an_update_commit_without_a_beginning_is_not_found(sis_sandbox, rows):
    """The server never answers here."""
    client = sis_sandbox.client()
    client.schemas.update("row", {**SCHEMA, "track_history": False})
    row = rows.create({"name": "a"})
    client.schemas.update("row", {**SCHEMA, "track_history": True})
    rows.update(row["_id"], {"n": 1})
    commits = rows.commits(row["_id"]).fetch_all({})
    assert [commit["action"] for commit in commits] == ["update"]
    with pytest.raises(NotFound):
        rows.commit(row["_id"], commits[0]["_id"])
    rows.delete(row["_id"])
    newest = rows.commits(row["_id"]).fetch_all({})[0]  # it holds the object itself
    assert rows.commit(row["_id"], newest["_id"])["value_at"] == newest["commit_data"]
