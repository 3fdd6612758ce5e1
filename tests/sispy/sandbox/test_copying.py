"""Copies of a server: what comes along, what does not, and how a copy goes on that was interrupted."""

import json

import pytest

from recordings import Listener
from sispy import Client, ServerError, Unauthorized
from sispy.sandbox import Faults, Sandbox, copying

PLAIN = {"populate": "false", "sort": "_id"}
NODE = {"name": "node", "_sis": {"owner": ["ops"]}, "definition": {"name": "String", "labels": "Mixed"}}
DOTTED = {"example.com/os": "linux", "$x": 1}


@pytest.fixture
def original():
    with Sandbox(samples=30) as sandbox:
        yield sandbox


@pytest.fixture
def copied(original):
    """Return a function that makes a running copy of the original."""
    running = []

    def copy(**options):
        running.append(Sandbox(copy_from=Client(original.url), **options).start())
        return running[-1]

    yield copy
    for sandbox in running:
        sandbox.stop()


def one(sandbox, kind, name):
    return getattr(sandbox.client(), kind).get(name).to_dict()


def rows(sandbox, name, query=None):
    return list(sandbox.client().entities(name).fetch_all({**PLAIN, **(query or {})}))


def test_a_copy_has_the_ids_and_metadata_of_the_original(original, copied):
    before = len(original.requests)
    copy = copied()
    read = original.requests[before:]
    assert {r.method for r in read} <= {"GET", "HEAD"}
    assert {"offset" in r.query for r in read} == {False}  # by key: rows come and go meanwhile
    for name in ("site", "rack", "service", "host"):
        assert rows(copy, name) == rows(original, name)
        assert one(copy, "schemas", name) == one(original, "schemas", name)
    hosts = copy.client().entities("host")
    host = rows(copy, "host")[0]
    assert hosts.update(host["_id"], {"notes": "rehearsed"})["notes"] == "rehearsed"
    assert [c["action"] for c in hosts.commits(host["_id"]).fetch_all({})] == ["update", "insert"]


def test_users_come_without_passwords_and_with_their_rights(original, copied):
    theirs = original.client()
    theirs.users.create(
        {"name": "zoe", "email": "z@example.com", "roles": {"web": "user"}, "pw": "of the real server"}
    )
    copy = copied(password="of the copy")
    assert list(copy.client().users.fetch_all()) == list(theirs.users.fetch_all())
    for name in ("zoe", "bob"):
        client = Client(copy.url)
        client.authenticate(name, "of the copy")
        infra = rows(copy, "site")[0]
        with pytest.raises(Unauthorized):
            client.entities("site").update(infra["_id"], {"city": "Rome"})
    with pytest.raises(Unauthorized):
        Client(copy.url).authenticate("zoe", "of the real server")


def test_the_super_user_is_one_whoever_has_the_name_there(original, copied):
    copy = copied(user="bob")
    assert copy.client().users.get("bob")["super_user"] is True
    assert one(copy, "users", "root") == one(original, "users", "root")


@pytest.mark.parametrize(("wanted", "calls"), [(False, 0), (True, 1)])
def test_hooks_are_not_called_unless_that_is_asked_for(original, copied, wanted, calls):
    listener = Listener()
    target = {"url": f"{listener.url}/real", "action": "POST"}
    hook = {"name": "tell", "_sis": {"owner": ["web"]}, "entity_type": "site", "events": ["update"]}
    original.client().hooks.create({**hook, "target": target})
    copy = copied(hooks=wanted)
    client = copy.client()
    assert list(client.hooks.fetch_all()) == list(original.client().hooks.fetch_all())
    site = rows(copy, "site")[0]
    client.entities("site").update(site["_id"], {"city": "Rome"})
    own = {**hook, "name": "own", "target": {**target, "url": f"{listener.url}/own"}}
    client.hooks.create(own)
    client.entities("site").update(site["_id"], {"city": "Bern"})
    assert sorted(c["path"] for c in listener.take(1 + 2 * calls)) == ["/own"] + 2 * calls * ["/real"]
    listener.close()


def test_hiera_comes_along(original, copied):
    theirs = original.client().hiera
    theirs.create({"name": "common", "_sis": {"owner": ["web"]}, "hieradata": {"ntp": ["a", "b"]}})
    copy = copied()
    assert list(copy.client().hiera.fetch_all()) == list(theirs.fetch_all())
    assert one(copy, "hiera", "common") == {"common": {"ntp": ["a", "b"]}}


def test_keys_with_dots_are_copied_and_may_be_edited(original, copied):
    theirs = original.client()
    theirs.schemas.create(NODE)
    made = theirs.entities("node").create({"name": "n", "labels": {"a": 1}})
    theirs.entities("node").update(made["_id"], {"labels": DOTTED})
    for history in (0, 5):
        nodes = copied(history=history).client().entities("node")
        assert nodes.get(made["_id"])["labels"] == {"a": 1, **DOTTED}
        assert nodes.update(made["_id"], {"labels": {"a": None}})["labels"] == DOTTED


def commits(sandbox, row):
    return list(sandbox.client().entities("host").commits(row["_id"]).fetch_all())


def test_the_last_commits_of_each_row_come_along(original, copied):
    theirs = original.client().entities("host")
    row = rows(original, "host")[0]
    states = [theirs.update(row["_id"], {"notes": f"note {i}", "labels": ["x", str(i)]}) for i in range(4)]
    whole = commits(original, row)
    assert commits(copied(history=100), row) == whole
    copy = copied(history=2)
    *newest, begin = commits(copy, row)
    assert newest == whole[:2]
    before = states[1].to_dict()
    assert (begin["action"], begin["modified_by"], begin["date_modified"]) == (
        "insert",
        "root",
        before["_sis"]["_updated_at"],
    )
    assert begin["commit_data"] == before
    ours = copy.client().entities("host")
    for state in states[1:]:
        at = state["_sis"]["_updated_at"]
        assert ours.revision(row["_id"], at).to_dict() == theirs.revision(row["_id"], at).to_dict()
    newest = whole[0]["_id"]
    assert ours.commit(row["_id"], newest).to_dict() == theirs.commit(row["_id"], newest).to_dict()


def test_a_part_of_a_table_comes_with_what_it_refers_to(original, copied):
    live = {"status": "live"}
    copy = copied(only={"host": live})
    hosts = rows(copy, "host")
    assert hosts == rows(original, "host", {"q": live})
    racks, services = rows(copy, "rack"), rows(copy, "service")
    assert {rack["_id"] for rack in racks} == {host["rack"] for host in hosts if host.get("rack")}
    assert {site["_id"] for site in rows(copy, "site")} == {rack["site"] for rack in racks}
    named = [name for host in hosts for name in host["services"]]
    named += [name for service in services for name in service["depends_on"]]
    assert {service["_id"] for service in services} == set(named)
    ours = copy.client().entities("host")
    assert ours.update(hosts[0]["_id"], {"notes": "its references are there"})["notes"]
    assert rows(copied(only=["site"]), "site") == rows(original, "site")


def test_a_reference_that_leads_nowhere_stays_as_it_is(original, copied):
    theirs = original.client()
    host = next(host for host in rows(original, "host") if host.get("rack"))
    theirs.entities("rack").delete(host["rack"])
    (ours,) = rows(copied(only={"host": {"_id": host["_id"]}}), "host")
    assert ours == host


def test_what_the_original_lacks_is_named(copied, original):
    with pytest.raises(ValueError, match=r"no schema hosts at .*; there are host, rack, service, site"):
        copied(only=["host", "hosts"])


def test_a_table_that_a_sandbox_cannot_have_is_named_and_left_out(original, copied):
    broken = {**NODE, "_id": "a" * 24, "definition": {"l": [None]}}
    original.world.schemas.collection.restore(broken)
    told = []
    copy = copied(progress=lambda *all_of: told.append(all_of))
    assert copy.counts() == original.counts()
    left_out = told[2][0]
    assert left_out.startswith("node is left out: the sandbox does not take its definition (Schema is inval")


def test_it_tells_how_far_it_is(original, copied, monkeypatch):
    monkeypatch.setattr(copying, "PAGE", 20)
    told = []
    copied(only=["host"], progress=lambda *all_of: told.append(all_of))
    assert told[:2] == [(f"Copying {original.url}", 0, 0), ("users", 6, 6)]
    assert told[2:4] == [("host", 20, 30), ("host", 30, 30)]
    assert {what for what, *_ in told[4:]} == {"rack", "service", "site"}


def interrupt_at(*when):
    """A function that is told how far a copy is, and interrupts it there."""

    def interrupt(*told):
        if told[: len(when)] == when:
            raise KeyboardInterrupt

    return interrupt


@pytest.mark.parametrize("history", [0, 3])
@pytest.mark.parametrize("kept", [True, False])
def test_an_interrupted_copy_goes_on(original, tmp_path, monkeypatch, kept, history):
    for name in ("PAGE", "PAGE_WITH_HISTORY"):
        monkeypatch.setattr(copying, name, 7)
    whole = rows(original, "host")
    options = {
        "data": tmp_path / "copy.sqlite" if kept else None,
        "copy_from": Client(original.url),
        "history": history,
    }
    first = Sandbox(**options, progress=interrupt_at("host", 14))
    with pytest.raises(KeyboardInterrupt):
        first.start()
    if kept:
        with Sandbox(data=options["data"]) as used:  # what is made there does not hide what is to be copied
            used.client().entities("host").create({"name": "my-own", "status": "live"})
    before = len(original.requests)
    with Sandbox(**options) if kept else first as copy:
        lists = [r for r in original.requests[before:] if r.path == "/entities/host" and "sort" in r.query]
        assert json.loads(lists[0].query["q"]) == {"_id": {"$gt": whole[13]["_id"]}}  # after what was kept
        assert rows(copy, "host", {"q": {"name": {"$ne": "my-own"}}}) == whole
        for row in whole:
            ours, theirs = commits(copy, row), commits(original, row)
            assert (len(ours), ours[:history]) == (min(history + 1, len(theirs)), theirs[:history])


def test_a_copy_that_was_interrupted_between_two_rows_has_each_once(original, monkeypatch):
    whole = rows(original, "host")
    copy = Sandbox(copy_from=Client(original.url), history=9)
    history, once = copying._history, [whole[9]["_id"]]

    def interrupted(world, row, newest):
        if row["_id"] in once:
            once.clear()
            raise KeyboardInterrupt
        return history(world, row, newest)

    monkeypatch.setattr(copying, "_history", interrupted)
    with pytest.raises(KeyboardInterrupt):
        copy.start()
    assert copy.counts()["host"] == 9
    with copy:
        assert rows(copy, "host") == whole
        assert [commits(copy, row) for row in whole] == [commits(original, row) for row in whole]


def test_a_copy_that_is_complete_is_not_made_again(original, tmp_path):
    options = {"data": tmp_path / "copy.sqlite", "copy_from": Client(original.url)}
    with Sandbox(**options) as copy:
        begun = copy.client().info()["copied_at"]
    before = len(original.requests)
    with Sandbox(**options) as copy:
        assert copy.client().info()["copied_at"] == begun
    assert len(original.requests) == before


def test_a_file_holds_one_copy(original, tmp_path):
    source = Client(original.url)
    with Sandbox(data=tmp_path / "own.sqlite", samples=1):
        pass
    with pytest.raises(ValueError, match="there are tables that are no copy"):
        Sandbox(data=tmp_path / "own.sqlite", copy_from=source).start()
    with Sandbox(data=tmp_path / "copy.sqlite", copy_from=source):
        pass
    with Sandbox() as other, pytest.raises(ValueError, match=f"a copy of {original.url}, not of {other.url}"):
        Sandbox(data=tmp_path / "copy.sqlite", copy_from=Client(other.url)).start()


def test_a_copy_is_that_of_the_tables_it_was_begun_with(original, tmp_path):
    options = {"data": tmp_path / "copy.sqlite", "copy_from": Client(original.url)}
    with pytest.raises(KeyboardInterrupt):
        Sandbox(**options, only=["host"], progress=interrupt_at("host")).start()

    def is_refused_with_others():
        for other in ({}, {"only": ["rack"]}, {"only": ["host"], "history": 1}):
            with pytest.raises(ValueError, match="has other tables or another history"):
                Sandbox(**options, **other).start()

    is_refused_with_others()
    with Sandbox(**options, only=["host"]) as copy:
        assert rows(copy, "host") == rows(original, "host")
    is_refused_with_others()  # also once it is complete


@pytest.mark.parametrize(
    ("route", "part"),
    [("/users", "users"), ("/schemas", "schemas"), ("/entities/rack", "rack"), ("/entities/host/*", "host")],
)
def test_an_error_of_the_original_says_where(original, copied, route, part):
    original.faults = Faults(errors={f"GET {route}": (500, 1.0)})
    with pytest.raises(ServerError) as raised:
        copied(history=1)
    assert raised.value.__notes__ == [f"while copying {part}"]
