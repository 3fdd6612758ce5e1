"""Commits replayed without a server: what fits, what does not, and what helps then."""

import pytest

from sispy.delta import DeltaError
from sispy_pandas.reading.commits import cells, edits, replay
from sispy_pandas.values.schema import parse_schema

SCHEMA = parse_schema(
    {"name": "t", "definition": {"name": "String", "l": ["String"], "sub": {"a": "Number"}}}
)
ID = "a" * 24


def commit(n, action, data, by="ann"):
    return {
        "_id": f"{n:024}",
        "entity_oid": ID,
        "action": action,
        "modified_by": by,
        "date_modified": n,
        "commit_data": data,
    }


INSERT = commit(1, "insert", {"_id": ID, "name": "x", "l": ["p"], "sub": {"a": 1}})
UPDATE = commit(
    2,
    "update",
    {"l": {"_t": "a", "1": ["q"]}, "sub": {"a": [1, 2]}, "_sis": {"owner": {"_t": "a", "_9": ["g", 0, 0]}}},
)
NOW = {"_id": ID, "name": "x", "l": ["p", "q"], "sub": {"a": 2}}


def told(steps):
    return [(e.field, e.before, e.after, e.action, e.at) for step in steps for e in edits(SCHEMA, step)]


def test_backwards_needs_no_insert_and_leaves_metadata_alone():
    steps = replay(NOW, [UPDATE])
    assert told(steps) == [("l", ["p"], ["p", "q"], "update", 2), ("sub.a", 1, 2, "update", 2)]
    assert steps[0].before == INSERT["commit_data"]


def test_forwards_where_the_schema_has_lost_a_field():
    without = {"_id": ID, "name": "x", "l": ["p", "q"]}
    steps = replay(without, [UPDATE, INSERT])
    assert told(steps[:1]) == [("l", ["p"], ["p", "q"], "update", 2), ("sub.a", 1, 2, "update", 2)]
    with pytest.raises(DeltaError):
        replay(without, [UPDATE])


def test_a_name_that_was_deleted_and_created_again_has_one_history_per_row():
    deleted = commit(3, "delete", NOW, by="bob")
    steps = replay(None, [deleted, UPDATE, INSERT])
    assert [(step.action, step.by) for step in steps] == [
        ("delete", "bob"),
        ("update", "ann"),
        ("insert", "ann"),
    ]
    assert told(steps[:1])[0] == ("name", "x", None, "delete", 3)
    with pytest.raises(DeltaError, match="is not there"):
        replay(None, [UPDATE])


def test_commits_that_came_after_the_row_was_read_are_left_out():
    read = {**NOW, "_sis": {"_updated_at": 2}}
    later = commit(3, "update", {"l": {"_t": "a", "2": ["r"]}}, by="bob")
    steps = replay(read, [later, UPDATE, INSERT])
    assert (steps, steps[0].now) == (replay(read, [UPDATE, INSERT]), read)


def test_a_field_that_the_schema_does_not_have_is_told_whole():
    step = replay({**NOW, "old": {"k": 2}}, [commit(2, "update", {"old": {"k": [1, 2]}})])[0]
    assert list(cells(SCHEMA, step)) == [("old", {"k": 1}, {"k": 2}, False)]


def test_a_field_that_was_removed_is_rebuilt_from_its_delta():
    step = replay({"_id": ID}, [commit(2, "update", {"name": ["x", "y"]})])[0]
    assert list(cells(SCHEMA, step)) == [("name", "x", "y", True)]
