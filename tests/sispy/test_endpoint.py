import importlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

import sispy

BULK = {"success": [], "errors": []}


@pytest.fixture
def host(double):
    server = double()
    endpoint = server.client(auth_token="token").entities("host")
    return endpoint, server.seen


@pytest.mark.parametrize(
    ("call", "line", "body"),
    [
        (lambda e: e.get("a", {"populate": False}), "GET /a?populate=false", None),
        (lambda e: e.create({"n": 1}), "POST ", {"n": 1}),
        (lambda e: e.create([{"n": 1}]), "POST ", [{"n": 1}]),
        (lambda e: e.create(({"n": 1},), all_or_none=True), "POST ?all_or_none=true", [{"n": 1}]),
        (lambda e: e.update("a", {"n": 1}), "PUT /a", {"n": 1}),
        (lambda e: e.update("a", {"n": 1}, {"cas": {"n": 0}}), 'PUT /a?cas={"n":0}', {"n": 1}),
        (lambda e: e.update("a", {"n": 1}, cas={"n": 0}), 'PUT /a?cas={"n":0}', {"n": 1}),
        (lambda e: e.update("a", {"n": 1}, force_mixed=True), "PUT /a?forceMixed=true", {"n": 1}),
        (lambda e: e.update_bulk([{"_id": "a"}]), "PUT ", [{"_id": "a"}]),
        (lambda e: e.update_bulk({"n": 1}, {"q": {"n": 2}}), 'PUT ?q={"n":2}', {"n": 1}),
        (lambda e: e.upsert("a", {"name": "a"}), "PUT /a?upsert=true", {"name": "a"}),
        (lambda e: e.delete("a"), "DELETE /a", None),
        (lambda e: e.delete_bulk({"q": {"n": 2}}), 'DELETE ?q={"n":2}', None),
        (lambda e: e.commit("a", "c"), "GET /a/commits/c", None),
        (lambda e: e.commits("a/b").fetch_page(), "GET /a%2Fb/commits", None),
        (lambda e: e.revision("a", 1500000000123), "GET /a/revision/1500000000123", None),
        (lambda e: e.revision("a", datetime(2020, 1, 2, tzinfo=UTC)), "GET /a/revision/1577923200000", None),
        (lambda e: e.fetch_page({"q": {}, "limit": None}), "GET ?q={}", None),
    ],
)
def test_each_verb_makes_its_request(host, call, line, body):
    endpoint, seen = host

    call(endpoint)

    (request,) = seen
    url = urlsplit(request.target)
    path = url.path.removeprefix("/api/v1.1/entities/host")
    assert f"{request.method} {path}{'?' if url.query else ''}{unquote(url.query)}" == line
    assert (json.loads(request.body) if request.body else None) == body


@pytest.mark.parametrize("id", ["", None])
@pytest.mark.parametrize("verb", ["get", "delete", "update", "upsert", "commits", "commit", "revision"])
def test_an_empty_id_never_addresses_the_collection(host, verb, id):  # noqa: A002 -- its name in the client
    endpoint, seen = host
    mores: dict[str, list[Any]] = {"update": [{}], "upsert": [{}], "commit": ["c"], "revision": [1]}

    with pytest.raises(ValueError, match=f"id must not be empty, got {id!r}"):
        getattr(endpoint, verb)(id, *mores.get(verb, []))

    assert seen == []


def test_the_special_calls_of_schemas_hooks_and_tokens(double, wire):
    server = double(wire.answer({"name": "t"}))
    client = server.client()

    client.schemas.get("host", with_counts=True)
    client.schemas.get("host")
    client.hooks.trigger("host", "web/1")
    client.tokens("anna").create({"desc": "x"})
    client.tokens("anna").create()
    client.scripts.fetch_page()
    client.hiera.get("web1.example.com")
    client.info()

    assert [f"{seen.method} {seen.target.removeprefix('/api/v1.1/')}" for seen in server.seen] == [
        "GET schemas/host?with_counts=true",
        "GET schemas/host",
        "POST hooks/trigger/host/web%2F1",
        "POST users/anna/tokens",
        "POST users/anna/tokens",
        "GET scripts",
        "GET hiera/web1.example.com",
        "GET info",
    ]


def test_lists_that_would_do_harm_are_refused(host):
    endpoint, seen = host

    with pytest.raises(ValueError, match="item 1 is None"):
        endpoint.create([{}, None])
    with pytest.raises(ValueError, match="item 0 is None"):
        endpoint.update_bulk([None])
    with pytest.raises(ValueError, match="tokens are created one by one"):
        endpoint.client.tokens("anna").create([{}])
    for bad in ("text", b"text", 5, None):
        with pytest.raises(TypeError, match="content is a dict or a list of dicts, got"):
            endpoint.create(bad)
    for query in ({}, {"q": {}}, {"q": "x"}, None):
        with pytest.raises(sispy.BadRequest) as caught:
            endpoint.delete_bulk(query)
        assert (caught.value.http_status_code, caught.value.code) == (400, 0)
    for args in (({"n": 1},), ("text",), (5, {"q": {"n": 1}})):
        with pytest.raises(sispy.BadRequest):
            endpoint.update_bulk(*args)

    assert seen == []


def test_names_that_lead_elsewhere_are_refused():
    client = sispy.Client("http://127.0.0.1:1")

    for name in ("", "a/b"):
        with pytest.raises(ValueError, match="a name is not empty and has no slash"):
            client.entities(name)


def test_an_upsert_that_fails_tells_the_reason_of_the_update(double, wire):
    server = double(
        wire.answer({"error": "Bad request: Cannot insert object with specified ID", "code": 1001}, 400),
        wire.answer({"name": "a"}),
        wire.answer({"error": "Bad request: ValidationError: n", "code": 1001}, 400),
    )

    with pytest.raises(sispy.BadRequest, match="ValidationError: n"):
        server.client().entities("host").upsert("a", {"name": "a", "n": "x"})

    assert [(seen.method, "upsert" in seen.target) for seen in server.seen] == [
        ("PUT", True),
        ("GET", False),
        ("PUT", False),
    ]


def test_an_upsert_of_nothing_keeps_its_own_reason(double, wire):
    server = double(
        wire.answer({"error": "Bad request: Cannot insert object with specified ID", "code": 1001}, 400),
        wire.answer({"error": "host a does not exist", "code": 1000}, 404),
    )

    with pytest.raises(sispy.BadRequest, match="Cannot insert object"):
        server.client().entities("host").upsert("a", {"name": "b"})


def test_failed_ids_of_a_list_are_those_without_success(double, wire):
    errors = [
        {"err": [400, {"error": "x"}], "value": {"n": "bad"}},
        {"err": [404, {}], "value": {"_id": "d"}},
    ]
    server = double(wire.answer({"success": [{"_id": "c"}, {"_id": "a"}, {"_id": "a"}], "errors": errors}))

    response = server.client().entities("host").update_bulk([{"_id": i} for i in "abcd"] + [{"n": 1}])

    assert response.failed_ids == ("b", "d")


def test_failed_ids_where_rows_are_addressed_by_their_id_field(double, wire):
    success = [
        {"_id": "1", "name": "web1", "twin": "x"},
        {"_id": "2", "name": "web3", "twin": "x"},
        {"_id": "z"},
    ]
    server = double(wire.answer({"success": success[:2], "errors": []}))

    response = (
        server.client().entities("host").update_bulk([{"_id": f"web{n}"} for n in (1, 2, 3)] + [{"_id": "x"}])
    )

    assert response.failed_ids == ("web2", "x")


def test_failed_ids_of_other_things_are_names(double, wire):
    server = double(wire.answer({"success": [{"_id": "1", "name": "a"}], "errors": []}))

    assert server.client().hiera.update_bulk([{"name": "a"}, {"name": "b"}]).failed_ids == ("b",)


def test_failed_ids_of_bulk_calls_by_query(double, wire):
    errors = [{"err": [401, {"error": "no"}, "no"], "value": {"_id": "7", "name": "x"}}]
    server = double(wire.answer({"success": [{"_id": "1"}], "errors": errors}))
    host = server.client().entities("host")

    assert host.delete_bulk({"q": {"n": 1}}).failed_ids == ("7",)
    assert host.update_bulk({"n": 2}, {"q": {"n": 1}}).failed_ids == ("7",)
    with pytest.raises(AttributeError, match="only answers of update_bulk and delete_bulk have it"):
        _ = host.create([{}]).failed_ids


def test_commits_refuse_what_would_harm_the_server(host):
    endpoint, seen = host
    commits = endpoint.commits("a")
    bad = [
        {"zzz": 1},
        {"date_modified": "yesterday"},
        {"date_modified": True},
        {"_id": "short"},
        {"action": 5},
        {"action": {"$regex": "x"}},
        {"action": {"$in": "insert"}},
        {"$or": []},
        {"$and": {"action": "x"}},
        {"$or": [{"nope": 1}]},
        "no json",
        "[1]",
        5,
        {"action": {"$exists": 1}},
        {"$where": "1"},
    ]
    for q in bad:
        for call in (
            lambda q=q: commits.fetch_page({"q": q}),
            lambda q=q: commits.count(q),
            lambda q=q: commits.pages({"q": q}),
            lambda q=q: commits.raw_page({"q": q}),
        ):
            with pytest.raises(ValueError, match="q"):
                call()
    with pytest.raises(ValueError, match="newest first"):
        commits.fetch_all({"sort": "date_modified"})
    with pytest.raises(ValueError, match=r"given as q, not as q\[name\]"):
        commits.fetch_page({"q[_id]": "short"})

    assert seen == []


def test_commits_let_plain_conditions_through(host):
    endpoint, seen = host
    when = datetime(2020, 1, 2, tzinfo=UTC)

    endpoint.commits("a").fetch_page(
        {
            "q": {
                "$and": [{"action": {"$in": ["insert", None]}}, {"date_modified": {"$gte": when}}],
                "_id": "a" * 24,
            }
        }
    )

    assert json.loads(parse_qs(urlsplit(seen[0].target).query)["q"][0]) == {
        "$and": [{"action": {"$in": ["insert", None]}}, {"date_modified": {"$gte": 1577923200000}}],
        "_id": "a" * 24,
    }


def test_endpoints_have_names_and_a_repr(host):
    endpoint, _ = host

    assert (endpoint.endpoint, endpoint.name) == ("entities/host", "host")
    assert repr(endpoint) == f"Endpoint('entities/host', <sispy.Client {endpoint.client.url}>)"
    assert repr(endpoint.commits("a")).startswith("Commits('entities/host/a/commits', ")


@pytest.mark.parametrize(
    "said", [None, [], "no", {}, {"success": None, "errors": None}, {"success": [None, 5]}]
)
def test_a_bulk_answer_of_another_shape_has_done_nothing_that_is_known(double, wire, said):
    hosts = double(wire.answer(body=json.dumps(said).encode())).client().entities("host")

    assert hosts.update_bulk([{"_id": "a", "n": 1}]).failed_ids == ("a",)
    assert hosts.delete_bulk({"q": {"n": 1}}).failed_ids == ()


def test_code_for_sispy_1_finds_the_endpoint_where_it_was():
    module = importlib.import_module("sispy.endpoint")

    assert module.Endpoint is sispy.Endpoint


def test_whoever_holds_requests_back_is_asked_before_each_of_them_and_before_another_try(sis_client):
    sis_client.schemas.create({"name": "rack", "definition": {"n": "Number"}, "_sis": {"owner": ["g"]}})
    asked: list[int] = []
    racks = sis_client.entities("rack").paced(lambda: asked.append(1))

    id_ = racks.create({"n": 1})["_id"]
    racks.commits(id_).fetch_all()
    racks.tried_once().update(id_, {"n": 2})

    assert len(asked) == 3


def test_another_try_is_held_back_too(double, wire, no_sleep):
    server = double(wire.answer(status=503), wire.answer([]))
    asked: list[int] = []

    server.client().entities("rack").paced(lambda: asked.append(1)).fetch_page()

    assert (len(asked), len(server.seen)) == (2, 2)
