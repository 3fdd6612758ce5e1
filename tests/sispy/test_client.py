import copy
import logging
import pickle
import threading
import time

import pytest

import sispy
import sispy.http
from sispy.sandbox import Sandbox

SCHEMA = {
    "name": "host",
    "_sis": {"owner": ["ops"]},
    "id_field": "name",
    "definition": {
        "name": {"type": "String", "required": True, "unique": True},
        "n": "Number",
        "tags": ["String"],
        "any": "Mixed",
        "when": "Date",
    },
}
ANNA = {"name": "anna", "email": "anna@example.com", "pw": "anna", "roles": {"ops": "admin"}}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as server:
        client = server.client()
        client.schemas.create(SCHEMA)
        client.users.create(ANNA)
        yield server


@pytest.fixture
def sis(sandbox, http_lib):
    """Return a client of the sandbox, logged in as the super user, with an empty table of hosts."""
    client = sandbox.client()
    client.entities("host").delete_bulk({"q": {"_id": {"$exists": True}}})
    return client


def test_the_whole_life_of_an_entity(sis):
    host = sis.entities("host")
    when = int(time.time() * 1000)

    made = host.create({"name": "web/1", "n": 1, "any": {"a": 1, "b": 2}})
    assert host.get("web/1").to_dict() == made.to_dict()
    assert host.update("web/1", {"n": 2, "any": {"c": 3}})["any"] == {"a": 1, "b": 2, "c": 3}
    assert host.update("web/1", {"any": {"c": 3}}, force_mixed=True)["any"] == {"c": 3}
    assert host.count({"n": 2}) == 1
    assert host.delete("web/1")["n"] == 2
    with pytest.raises(sispy.NotFound, match="host web/1 does not exist"):
        host.get("web/1")

    commits = host.commits(made["_id"])
    assert [item["action"] for item in commits.fetch_all()] == ["delete", "update", "update", "insert"]
    assert commits.count({"action": "update", "date_modified": {"$gte": when}}) == 2
    assert host.commit(made["_id"], commits.fetch_page()[-1]["_id"])["value_at"]["n"] == 1
    assert host.revision(made["_id"], when + 60_000)["n"] == 2


def test_upsert(sis):
    host = sis.entities("host")

    assert host.upsert("a", {"name": "a", "n": 1})["n"] == 1
    assert host.upsert("a", {"name": "a", "n": 2})["n"] == 2
    with pytest.raises(sispy.BadRequest, match="Cast to Number failed"):
        host.upsert("a", {"name": "a", "n": "x"})
    with pytest.raises(sispy.BadRequest, match="Cannot insert object"):
        host.upsert("new", {"n": 1})


def test_bulk_calls_name_what_failed(sis):
    host = sis.entities("host")
    rows = host.create([{"name": name, "n": 0} for name in "abcd"])["success"]
    ids = [row["_id"] for row in rows]

    by_id = host.update_bulk(
        [{"_id": ids[0], "n": 1}, {"_id": ids[1], "n": "x"}, {"_id": "f" * 24, "n": 1}, {"_id": "d", "n": 1}]
    )
    sis.entities("host").update("c", {"_sis": {"locked": True}})
    by_query = host.delete_bulk({"q": {"name": {"$in": ["b", "c"]}}})
    host.update("c", {"_sis": {"locked": False}})

    assert by_id.failed_ids == (ids[1], "f" * 24)
    assert by_query.failed_ids == (ids[2],)
    assert host.create([{"name": "x"}, {"n": 1}], all_or_none=True)["success"] == []
    assert host.count({"name": "x"}) == 0


def test_errors_of_a_server(sis):
    host = sis.entities("host")
    host.create({"name": "a", "n": 1})

    with pytest.raises(sispy.DuplicateKey):
        host.create({"name": "a"})
    with pytest.raises(sispy.CASConflict):
        host.update("a", {"n": 3}, cas={"n": 2})
    with pytest.raises(sispy.NotFound, match="sis_schemas nothing does not exist"):
        sis.entities("nothing").fetch_page()
    with pytest.raises(sispy.NotFound, match="sis_schemas nothing does not exist"):
        sis.entities("nothing").count()
    with pytest.raises(sispy.NotFound, match=r"Cannot GET /api/v9\.9/entities/host"):
        sispy.Client(sis.url, version=9.9).entities("host").fetch_page()
    with pytest.raises(sispy.BadRequest):
        host.fetch_page({"q": "no json"})
    with pytest.raises(sispy.ServerError):
        host.fetch_page({"offset": -1})
    with pytest.raises(sispy.PayloadTooLarge):
        host.create({"name": "x" * (10 * 2**20)})


def test_who_may_write(sandbox, sis):
    nobody, stranger = sispy.Client(sandbox.url), sispy.Client(sandbox.url, auth_token="no-such-token")

    for client in (nobody, stranger):
        assert client.entities("host").fetch_page().to_list() == []
        with pytest.raises(sispy.Unauthorized) as caught:
            client.entities("host").create({"name": "a"})
        assert "no-such-token" not in repr(caught.value)
    for user, password in (("root", "wrong"), ("nobody", "x")):
        with pytest.raises(sispy.Unauthorized):
            nobody.authenticate(user, password)
    assert (nobody.auth_token, nobody.username) == (None, None)
    assert nobody.authenticate("anna", "anna") is True
    assert nobody.username == "anna"
    assert nobody.entities("host").create({"name": "a"})["_sis"]["owner"] == ["ops"]


def test_users_hooks_hiera_tokens_and_schemas(sis, sandbox):
    sis.hooks.upsert(
        "h",
        {
            "name": "h",
            "_sis": {"owner": ["ops"]},
            "entity_type": "host",
            "events": ["insert"],
            "target": {"url": "http://127.0.0.1:1", "action": "POST"},
        },
    )
    sis.hiera.upsert("web1.x", {"name": "web1.x", "_sis": {"owner": ["ops"]}, "hieradata": {"a": 1}})
    anna = sispy.Client(sandbox.url)
    anna.authenticate("anna", "anna")
    token = anna.tokens("anna").create({"desc": "script"})

    assert sis.hiera.get("web1.x").to_dict() == {"web1.x": {"a": 1}}
    assert [hook["name"] for hook in sis.hooks.fetch_all()] == ["h"]
    assert sis.hooks.delete("h")["name"] == "h"
    assert anna.tokens("anna").get(token["name"])["desc"] == "script"
    assert {anna.auth_token, token["name"]} <= {item["name"] for item in anna.tokens("anna").fetch_all()}
    sis.entities("host").create({"name": "a"})
    assert sis.schemas.get("host", with_counts=True)["entity_count"] == 1
    assert sis.hooks.trigger("host", "a")["type"] == "host"
    assert "version" in sis.info()


def test_pages_of_a_changing_table(sis):
    host = sis.entities("host")
    host.create([{"name": f"h{n:03}", "n": n % 3} for n in range(25)])
    got = []

    for page in host.pages({"q": {"n": {"$gte": 0}}}, page_size=7):
        got += [row["name"] for row in page]
        if len(got) == 7:
            host.delete("h001")
            host.create({"name": "late", "n": 0})

    assert got == [f"h{n:03}" for n in range(25)] + ["late"]
    by_number = host.fetch_all({"sort": "n", "limit": 6, "fields": ["n", "name"]})
    assert [row["n"] for row in by_number] == sorted(row["n"] for row in by_number)
    assert len({row["_id"] for row in by_number}) == by_number._meta.total_count == 25


def test_raw_pages_are_what_the_server_sent(sis):
    import json

    host = sis.entities("host")
    host.create([{"name": "a"}, {"name": "b"}])

    page = host.raw_page({"limit": 1, "sort": "name"})

    assert json.loads(page.body) == host.fetch_page({"limit": 1, "sort": "name"}).to_list()
    assert (page.total_count, page.headers["X-Total-Count"]) == (2, "2")


def test_a_token_that_has_ended_is_renewed_once(sandbox, http_lib):
    client = sispy.Client(sandbox.url)
    client.authenticate("anna", "anna", renew=True)
    first = client.auth_token
    client.tokens("anna").delete(first)
    before = len(sandbox.requests)

    threads = [
        threading.Thread(target=client.entities("host").update_bulk, args=([{"_id": "f" * 24}],))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    logins = [seen for seen in sandbox.requests[before:] if seen.path == "/users/auth_token"]
    assert (len(logins), client.auth_token != first) == (1, True)


def test_without_renew_an_ended_token_is_an_error(sandbox, http_lib):
    client = sispy.Client(sandbox.url)
    client.authenticate("anna", "anna")
    client.tokens("anna").delete(client.auth_token)

    with pytest.raises(sispy.Unauthorized):
        client.entities("host").create({"name": "z"})


def test_missing_permission_does_not_log_in_again(sandbox, http_lib):
    client = sispy.Client(sandbox.url)
    client.authenticate("anna", "anna", renew=True)
    token = client.auth_token

    with pytest.raises(sispy.Unauthorized):
        client.users.delete("root")

    assert client.auth_token == token


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("sis.example.com", "url is an address such as"),
        ("ftp://sis.example.com", "url is an address such as"),
        ("", "url is an address such as"),
        ("https://anna:secret@sis.example.com", "url must hold no user name, password"),
        ("https://sis.example.com?a=1", "url must hold no user name, password, query"),
        ("anna:secret@sis.example.com", r"url is an address such as .* got '\*\*\*@sis.example.com'"),
        ("https://sis.example.com:99999", "url is an address such as"),
        ("https://sis.example.com:port", "url is an address such as"),
        ("https://sis example.com", "url is an address such as"),
        ("https://[::1", "url is an address such as"),
        (5, "url is an address such as"),
    ],
)
def test_addresses_that_cannot_work_are_refused(url, text):
    with pytest.raises(ValueError, match=text) as caught:
        sispy.Client(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": (1, -1)}, {"retries": -1}])
def test_no_time_and_fewer_than_no_tries_are_refused(options):
    with pytest.raises(ValueError, match="timeout is above 0 and retries not below"):
        sispy.Client("https://sis.example.com", **options)


def test_a_token_that_is_none_is_not_shown(http_lib):
    client = sispy.Client("http://127.0.0.1:1", auth_token="t0ken\n")

    with pytest.raises(ValueError, match="auth_token holds a line end") as caught:
        client.info()
    assert "t0ken" not in str(caught.value)


@pytest.mark.usefixtures("deep")
def test_an_answer_nested_too_deep_is_no_json(double, wire, http_lib):
    client = double(wire.answer(body=b"[" * 200_000)).client()

    with pytest.raises(sispy.NotJSON, match="Failed to decode JSON"):
        client.info()


def test_clients_and_endpoints_travel_to_other_processes_without_passwords(sandbox, http_lib):
    client = sispy.Client(sandbox.url, timeout=7)
    client.authenticate("anna", "anna", renew=True)

    host = pickle.loads(pickle.dumps(client.entities("host")))

    assert host.count() == client.entities("host").count()
    assert (host.client.username, host.client._policy, host.client._renewal) == ("anna", client._policy, None)
    assert host.client.schemas.client is host.client
    assert copy.deepcopy(client).info().to_dict() == client.info().to_dict()


def test_an_address_of_ipv6(http_lib):
    with Sandbox(host="::1") as server:
        assert "version" in sispy.Client(server.url).info()


def test_a_client_shows_no_token():
    client = sispy.Client("https://sis.example.com/cmdb/", auth_token="t0ken")

    assert (repr(client), client.url, client.base_uri) == (
        "<sispy.Client https://sis.example.com/cmdb>",
        "https://sis.example.com/cmdb",
        "https://sis.example.com/cmdb/api/v1.1",
    )
    assert "t0ken" not in repr(client.tokens("anna"))
    request = sispy.http.Request(client.base_uri + "/users/anna/tokens/t0ken", "GET", "t0ken", {"x": "t0ken"})
    assert repr(request) == f"Request(GET {client.base_uri}/users/anna/tokens/***)"


def test_the_callers_objects_are_never_written_to(sis):
    host = sis.entities("host")
    query, content = {"q": {"n": {"$in": [1, 2]}}, "fields": ["n"], "limit": 1}, [{"name": "a", "n": 1}]
    before = copy.deepcopy((query, content))

    host.create(content)
    host.fetch_page(query)
    host.fetch_all(query)
    host.update_bulk({"n": 2}, query)

    assert (query, content) == before


@pytest.mark.soak
def test_the_idle_close_of_the_server_never_surfaces(sandbox, http_lib):
    client = sispy.Client(sandbox.url, auth_token=sandbox.token, retries=0)
    host = client.entities("host")
    host.upsert("idle", {"name": "idle"})

    for number, pause in enumerate((3.8, 4.0, 4.9, 4.99, 5.0, 5.01, 5.1, 6.0)):
        time.sleep(pause)
        assert host.update("idle", {"n": number})["n"] == number


def test_the_log_of_sispy_1_1_is_there_and_prints_nothing_of_its_own():
    assert sispy.LOG is logging.getLogger("sispy")
    assert any(isinstance(handler, sispy.NullHandler) for handler in sispy.LOG.handlers)
