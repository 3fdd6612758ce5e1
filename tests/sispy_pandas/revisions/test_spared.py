"""What an undo spares, and what it asks the server for that."""

from typing import Any

import pytest

from sispy.sandbox import Sandbox
from sispy_pandas.revisions.spared import spared
from sispy_pandas.values.changes import Conflict, Delete, Update
from sispy_pandas.workflow.fetch import fetch

DEFINITION = {"name": {"type": "String", "unique": True}, "os": "String", "cpus": "Number"}


@pytest.fixture
def sis():
    with Sandbox() as sis:
        root = sis.client()
        for name in ("script", "carol"):
            user = {"name": name, "email": f"{name}@example.com", "pw": name, "roles": {"g": "admin"}}
            root.users.create(user)
        root.schemas.create({"name": "host", "_sis": {"owner": ["g"]}, "definition": DEFINITION})
        yield sis


def test_commits_are_read_only_of_rows_that_were_written_to_since(sis):
    hosts = sis.client("script").entities("host")
    names = ("one", "two", "three", "four")
    ids = [hosts.create({"name": name, "os": "a", "cpus": 1})["_id"] for name in names]
    writes = [hosts.update(id_, {"os": "b"})["_sis"]["_updated_at"] for id_ in ids[:2]]
    undo: list[Any] = [
        *(Update(id_, {"os": "b"}, {"os": "a"}, None, at) for id_, at in zip(ids, writes, strict=False)),
        *(
            Delete(id_, {"name": name, "os": "a", "cpus": 1}, name)
            for id_, name in zip(ids[2:], names[2:], strict=True)
        ),
    ]
    carols = sis.client("carol").entities("host")
    for at in (1, 3):
        carols.update(ids[at], {"cpus": 5})
    schema = fetch(hosts, progress=False).schema
    made = hosts.get(ids[3])["_sis"]["_created_at"]
    since = len(sis.requests)

    changes, conflicts = spared(hosts, schema, undo, "script")

    asked = [seen.path.split("/")[3] for seen in sis.requests[since:] if seen.path.endswith("/commits")]
    assert sorted(asked) == sorted([ids[1], ids[3]])
    assert conflicts == (Conflict(ids[3], "cpus", 1, None, 5, "four"),)
    assert changes == [*undo[:3], Delete(ids[3], undo[3].before, "four", made)]


def test_what_another_user_sent_of_a_push_is_none_of_others_writes(sis):
    """As who resumes the push of a colleague does."""
    hosts = sis.client("carol").entities("host")
    id_ = hosts.create({"name": "one", "os": "a", "cpus": 1})["_id"]
    at = hosts.update(id_, {"os": "b"})["_sis"]["_updated_at"]
    hosts.update(id_, {"cpus": 5})
    undo = Update(id_, {"os": "b"}, {"os": "a"}, None, at)
    schema = fetch(hosts, progress=False).schema

    assert spared(hosts, schema, [undo], "script", {"carol"}) == ([undo], ())
    assert spared(hosts, schema, [undo], "script") == (
        [Update(id_, {"os": "a"}, {"os": "a"}, None, at)],
        (Conflict(id_, "os", "a", "a", "b", None),),
    )


def test_without_a_name_the_commit_of_that_moment_tells_whose_the_push_was(sis):
    hosts, script = (sis.client(name).entities("host") for name in ("carol", "script"))
    schema = fetch(hosts, progress=False).schema
    id_ = hosts.create({"name": "one", "os": "a", "cpus": 1})["_id"]
    at = hosts.update(id_, {"os": "b"})["_sis"]["_updated_at"]
    undo = Update(id_, {"os": "b"}, {"os": "a"}, None, at)

    hosts.update(id_, {"os": "c"})
    assert spared(hosts, schema, [undo], None) == ([undo], ())

    script.update(id_, {"os": "d"})
    assert spared(hosts, schema, [undo], None) == ([undo], (Conflict(id_, "os", "b", "a", "d", None),))
