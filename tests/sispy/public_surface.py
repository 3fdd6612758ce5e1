"""The whole public surface of the client, for a type checker: this file is checked, never run."""

from collections.abc import Iterator
from datetime import datetime
from typing import assert_type

import sispy
from sispy.http import HTTP_LIB, Request


def client_() -> sispy.Client:
    sispy.Client("https://sis.example.com", 1.1, "token", True)
    sispy.Client("https://sis.example.com", version="1.1", auth_token=None, http_keep_alive=False, timeout=5)
    sispy.Client("https://x", timeout=(5, 60.0), retries=0, verify="ca.pem", compress=None)
    return sispy.Client.from_profile(
        "prod", url=None, auth_token=None, username=None, password=None, timeout=9
    )


def uses(client: sispy.Client, when: datetime) -> None:
    assert_type(client.authenticate("anna", "secret"), bool)
    assert_type(client.authenticate("anna", "secret", renew=True), bool)
    assert_type(client.auth_token, str | None)
    assert_type(client.username, str | None)
    assert_type(client.token_expires, datetime | None)
    assert_type([client.url, client.base_uri], list[str])
    assert_type(client.info(), sispy.Response)
    assert_type(client.request(Request(client.base_uri + "/info", "GET", None, {})), sispy.Response)
    client.close()

    client.schemas.get("host", with_counts=True)
    client.hooks.trigger("host", "web1")
    client.tokens("anna").create({"desc": "nightly"})
    for endpoint in (client.hiera, client.users, client.scripts, client.entities("host")):
        verbs(endpoint, when)


def verbs(endpoint: sispy.Endpoint, when: datetime) -> None:
    assert_type([endpoint.endpoint, endpoint.name], list[str])
    assert_type(endpoint.client, sispy.Client)
    query = {"q": {"n": {"$gt": 1}}, "fields": ["a"], "sort": "-n", "limit": 10, "populate": False}
    assert_type(endpoint.fetch_page(query), sispy.Response)
    assert_type(endpoint.fetch_all(), sispy.Response)
    assert_type(endpoint.pages(query, page_size=100), Iterator[sispy.Response])
    assert_type(endpoint.raw_page(query), sispy.RawPage)
    assert_type(endpoint.count({"n": 1}), int)
    assert_type(endpoint.tried_once(), sispy.Endpoint)
    assert_type(endpoint.watched(lambda seconds, why: None), sispy.Endpoint)
    assert_type(endpoint.paced(lambda: None), sispy.Endpoint)
    assert_type(endpoint.get("web1", {"populate": False}), sispy.Response)
    assert_type(endpoint.create({"name": "a"}), sispy.Response)
    assert_type(endpoint.create([{"name": "a"}], all_or_none=True), sispy.Response)
    assert_type(endpoint.update("a", {"n": 1}, {"cas": {"n": 0}}), sispy.Response)
    assert_type(endpoint.update("a", {"n": 1}, cas={"n": 0}, force_mixed=True), sispy.Response)
    assert_type(endpoint.upsert("a", {"name": "a"}), sispy.Response)
    assert_type(endpoint.update_bulk([{"_id": "1"}]).failed_ids, tuple[str, ...])
    assert_type(endpoint.update_bulk({"n": 1}, {"q": {"n": 2}}), sispy.Response)
    assert_type(endpoint.delete("a"), sispy.Response)
    assert_type(endpoint.delete_bulk({"q": {"n": 2}}), sispy.Response)
    assert_type(endpoint.commits("a").fetch_all({"q": {"date_modified": {"$gt": when}}}), sispy.Response)
    assert_type(endpoint.commit("a", "c"), sispy.Response)
    assert_type(endpoint.revision("a", when), sispy.Response)


def answers(response: sispy.Response, page: sispy.RawPage) -> None:
    response["n"] = 1
    assert_type(len(response), int)
    assert_type("n" in response, bool)
    assert_type([str(response), repr(response)], list[str])
    for _ in response:
        del response["n"]
    response.to_dict()["n"] = 2
    response.to_list().append(3)
    assert_type(response._meta, sispy.Meta)
    assert_type(response._meta.total_count, int)
    assert_type(response._meta.headers["x-total-count"], str)
    assert_type(page.body, bytes)
    assert_type(page.total_count, int | None)


def failures(error: sispy.Error) -> str:
    match error:
        case sispy.Refused() | sispy.UnknownHost() | sispy.TLSFailed():
            assert_type(error.sent, bool)
        case sispy.Timeout() | sispy.ConnectionLost():
            assert_type(error.sent, bool)
        case sispy.NoAnswer():
            assert_type(error.errno, int | None)
        case sispy.CASConflict() | sispy.BadRequest() | sispy.Unauthorized() | sispy.NotFound():
            assert_type(error.http_status_code, int | None)
        case sispy.DuplicateKey() | sispy.PayloadTooLarge() | sispy.NotJSON() | sispy.ServerError():
            assert_type(sorted(error.response_dict), list[str])
        case sispy.TooManyRequests() | sispy.Redirected() | sispy.BadAnswer():
            assert_type(error.retry_after, float | None)
    return error.error + HTTP_LIB
