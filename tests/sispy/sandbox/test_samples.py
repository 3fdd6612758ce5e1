"""Sample data: the same for the same seed and size, every kind of field, valid by their own schemas."""

import cProfile

import pytest

from sispy.sandbox import Sandbox
from sispy.sandbox.mongoose.checks import validate
from sispy.sandbox.mongoose.definition import compile_definition
from sispy.sandbox.samples import SCHEMAS, USERS, load
from sispy.sandbox.sis.world import World


def world(size, seed=1):
    found = World()
    load(found, size, seed)
    return found


def content(found):
    rows = {name: list(entities.collection) for name, entities in found.entities.items()}
    return rows, {key: [c.data for c in commits] for key, commits in found.commits.by_object.items()}


def test_they_are_a_function_of_seed_and_size():
    assert content(world(40)) == content(world(40))
    assert content(world(40)) != content(world(40, seed=2))


@pytest.mark.parametrize("size", [1, 7, 300])
def test_there_are_as_many_hosts_as_asked_for_and_all_are_valid(size):
    found = world(size)
    assert len(found.entities["host"].collection) == size
    for entities in found.entities.values():
        for document in entities.collection:
            assert validate(entities.definition, document) == {}
            entities.verify_change(document)


def test_every_kind_of_field_is_there():
    definitions = [compile_definition(definition) for _, definition in SCHEMAS.values()]
    leaves = [node for definition in definitions for node in definition.leaves.values()]
    assert {node.kind for node in leaves} == {"scalar", "array", "documents", "mixed"}
    kinds = {"String", "Number", "Boolean", "Date", "ObjectId", "IpAddress"}
    assert {node.type for node in leaves if node.kind == "scalar"} == kinds
    assert {reference.many for definition in definitions for reference in definition.references} == {
        True,
        False,
    }


def test_values_are_missing_here_and_there():
    hosts = list(world(300).entities["host"].collection)
    for field in ("serial", "rack", "notes", "monitored", "bought"):
        assert 0 < sum(field not in host for host in hosts) < 300, field


def test_some_hosts_have_a_past():
    found = world(50)
    histories = [found.commits.of("host", host["_id"]) for host in found.entities["host"].collection]
    assert {len(commits) for commits in histories} == {1, 2}
    assert {commits[-1].by for commits in histories} <= set(USERS)


def calls(size):
    """The number of function calls that it takes to load so many hosts."""
    profile = cProfile.Profile()
    profile.runcall(world, size)
    return sum(entry.callcount for entry in profile.getstats())


def test_four_times_the_hosts_take_hardly_more_than_four_times_the_work():
    assert calls(400) < 4.4 * calls(100)


def test_the_sandbox_takes_true_for_two_thousand_and_keeps_what_is_there(tmp_path):
    path = tmp_path / "sis.sqlite"
    with Sandbox(samples=True, data=path) as sis:
        hosts = sis.client().entities("host")
        assert hosts.count({}) == 2000
        hosts.delete(hosts.fetch_page({"limit": 1})[0]["_id"])
    with Sandbox(samples=True, data=path) as sis:
        assert sis.client().entities("host").count({}) == 1999


@pytest.mark.parametrize("user", USERS)
def test_users_may_change_what_their_groups_own(user):
    with Sandbox(samples=60) as sis:
        client = sis.client(user)
        hosts = client.entities("host")
        found = list(hosts.fetch_all({"populate": "false"}))
        done = hosts.update_bulk([{"_id": host["_id"], "notes": "seen"} for host in found])
        own = {host["_id"] for host in found if set(host["_sis"]["owner"]) <= set(USERS[user])}
        assert {row["_id"] for row in done["success"]} == own
        assert {error["err"][0] for error in done["errors"]} <= {401}
