"""Commits and revisions over HTTP: what leaves one, what it holds, what it leads to."""

import time

import pytest


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
