"""A script as users of sispy 1.1 write it: it prints what each of its calls comes to, as JSON.

Arguments: address of an empty SIS server, and the HTTP library. It runs with the sispy that Python finds.
"""

import json
import re
import sys

URL, LIB = sys.argv[1:]
if LIB == "stdlib":
    sys.modules["requests"] = None  # type: ignore[assignment] # as if it were not installed

import sispy  # noqa: E402 -- after requests has been hidden
from sispy import http  # noqa: E402

OWNER = {"owner": ["ops"]}
SCHEMA = {
    "name": "host",
    "_sis": OWNER,
    "id_field": "name",
    "definition": {
        "name": {"type": "String", "required": True, "unique": True},
        "n": "Number",
        "live": "Boolean",
        "tags": ["String"],
        "any": "Mixed",
        "os": {"name": "String", "version": "String"},
    },
}
HOOK = {
    "name": "h1",
    "_sis": OWNER,
    "entity_type": "nothing",
    "events": ["insert"],
    "target": {"url": "http://127.0.0.1:1", "action": "POST"},
}
HIERA = {"name": "web1.example.com", "_sis": OWNER, "hieradata": {"a": 1, "b": {"c": [1, 2]}}}
ANNA = {"name": "anna", "email": "anna@example.com", "pw": "anna", "roles": {"ops": "admin"}}

outcomes = {}


def plain(value):
    """Reduce a value to what does not change from run to run."""
    if isinstance(value, sispy.Response):
        value = value._result
    if isinstance(value, dict):
        return {key: plain(item) for key, item in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value > 10**6:
        return "A TIME"
    if isinstance(value, str):
        return re.sub(r"\b([0-9a-f]{32}|[0-9a-f]{24})\b", "AN ID", value).replace(URL, "URL")
    return value


def note(name, call):
    """Keep what the call comes to."""
    try:
        outcomes[name] = plain(call())
    except sispy.Error as exc:
        outcomes[name] = ["Error", exc.http_status_code, exc.code, plain(exc.error), plain(exc.response_dict)]
    except Exception as exc:  # noqa: BLE001 -- whatever it is, it is an outcome
        outcomes[name] = ["Exception", type(exc).__name__]


def by_name(response):
    return sorted(response, key=lambda item: item["name"])


client = sispy.Client(URL, 1.1)
note("library", lambda: http.HTTP_LIB)
note("attributes", lambda: [client.base_uri, client.version, client.auth_token])
note("write without token", lambda: client.schemas.create(SCHEMA))
note("wrong password", lambda: client.authenticate("root", "wrong"))
note("unknown user", lambda: client.authenticate("nobody", "x"))
note("authenticate", lambda: client.authenticate("root", "root"))
note("auth_token", lambda: isinstance(client.auth_token, str))
note("second client", lambda: len(sispy.Client(URL, auth_token=client.auth_token).schemas.fetch_page()))
note("no keep-alive", lambda: len(sispy.Client(url=URL + "/", http_keep_alive=False).schemas.fetch_all()))

note("schema create", lambda: client.schemas.create(SCHEMA))
note("schema get", lambda: client.schemas.get("host"))
note("schema list", lambda: [item["name"] for item in client.schemas.fetch_all()])
note("schema update", lambda: client.schemas.update("host", dict(SCHEMA, description="all hosts")))
note("schema duplicate", lambda: client.schemas.create(SCHEMA))
note("schema missing", lambda: client.schemas.get("nothing"))

note("hook create", lambda: client.hooks.create(HOOK))
note("hook get", lambda: client.hooks.get("h1"))
note("hook update", lambda: client.hooks.update("h1", dict(HOOK, retry_count=2)))
note("hook list", lambda: client.hooks.fetch_page().to_list())
note("hook delete", lambda: client.hooks.delete("h1"))

note("hiera create", lambda: client.hiera.create(HIERA))
note("hiera get", lambda: client.hiera.get("web1.example.com"))
note("hiera update", lambda: client.hiera.update("web1.example.com", dict(HIERA, hieradata={"b": {"d": 1}})))
note("hiera list", lambda: client.hiera.fetch_all({"q": {"name": "web1.example.com"}}))
note("hiera delete", lambda: client.hiera.delete("web1.example.com"))

note("user create", lambda: client.users.create(ANNA))
note("user get", lambda: client.users.get("anna"))
note("user list", lambda: [item["name"] for item in client.users.fetch_all({"sort": "name"})])
anna = sispy.Client(URL)
note("user login", lambda: anna.authenticate("anna", "anna"))
note("token create", lambda: anna.tokens("anna").create({"desc": "script"}))
note("token list", lambda: len(anna.tokens("anna").fetch_all()))
note("token of a super user", lambda: client.tokens("root").create({"desc": "x"}))

hosts = client.entities("host")
note(
    "create",
    lambda: hosts.create({"name": "web1", "n": 1, "tags": ["a"], "any": {"x": 1}, "os": {"name": "rhel"}}),
)
note(
    "create list",
    lambda: by_name(hosts.create([{"name": f"web{n}", "n": n} for n in range(2, 8)])["success"]),
)
note("create invalid", lambda: hosts.create({"name": "x", "n": "many"}))
note("create duplicate", lambda: hosts.create({"name": "web1"}))
note("create empty", lambda: hosts.create({}))
note("create empty list", lambda: hosts.create([]))
note("get by name", lambda: hosts.get("web1"))
note("get by id", lambda: hosts.get(hosts.get("web1")["_id"])["name"])
note("get missing", lambda: hosts.get("nothing"))
note("get of a missing schema", lambda: client.entities("nothing").get("x"))
note("page", lambda: by_name(hosts.fetch_page()))
note("page of none", lambda: hosts.fetch_page(None)._meta.total_count)
note("page with q as dict", lambda: by_name(hosts.fetch_page({"q": {"n": {"$gt": 4}}})))
note("page with q as text", lambda: by_name(hosts.fetch_page({"q": '{"n": {"$gt": 4}}'})))
note(
    "page with fields and sort",
    lambda: hosts.fetch_page({"fields": "name,n", "sort": "-n", "limit": 2, "offset": 1}),
)
note("page count", lambda: hosts.fetch_page({"limit": 2})._meta.total_count)
note("page header", lambda: hosts.fetch_page({"limit": 2})._meta.headers["x-total-count"])
note("all", lambda: by_name(hosts.fetch_all()))
note("all in pages", lambda: by_name(hosts.fetch_all({"limit": 3})))
note("all in sorted pages", lambda: hosts.fetch_all({"limit": 2, "sort": "-n", "fields": "name"}))
note("all with q", lambda: by_name(hosts.fetch_all({"q": {"n": {"$lt": 4}}})))
note("all count", lambda: hosts.fetch_all({"limit": 3})._meta.total_count)
note("all of none", lambda: hosts.fetch_all({"q": {"n": 99}}))
note("bad q", lambda: hosts.fetch_page({"q": "no json"}))
note("bad offset", lambda: hosts.fetch_page({"offset": -1}))
note("update", lambda: hosts.update("web1", {"n": 10, "any": {"y": 2}, "os": {"version": "9"}}))
note("update missing", lambda: hosts.update("nothing", {"n": 1}))
note("update with cas", lambda: hosts.update("web1", {"n": 11}, {"cas": {"n": 10}})["n"])
note("update with stale cas", lambda: hosts.update("web1", {"n": 12}, {"cas": {"n": 10}}))
note("upsert", lambda: hosts.update("web9", {"name": "web9", "n": 9}, {"upsert": "true"})["n"])
ids = {item["name"]: item["_id"] for item in hosts.fetch_all()}
note(
    "update_bulk list",
    lambda: by_name(
        hosts.update_bulk([{"_id": ids["web2"], "n": 22}, {"_id": ids["web3"], "n": 33}])["success"]
    ),
)
note(
    "update_bulk errors",
    lambda: hosts.update_bulk([{"_id": ids["web2"], "n": "many"}, {"_id": "f" * 24, "n": 1}])["success"],
)
note(
    "update_bulk dict",
    lambda: by_name(hosts.update_bulk({"live": True}, {"q": {"name": {"$in": ["web4", "web5"]}}})["success"]),
)
note("update_bulk dict without query", lambda: hosts.update_bulk({"live": True}))
note("update_bulk of something else", lambda: hosts.update_bulk("text"))  # type: ignore[arg-type]
note("delete", lambda: hosts.delete("web7"))
note("delete again", lambda: hosts.delete("web7"))
note(
    "delete_bulk",
    lambda: sorted(item["name"] for item in hosts.delete_bulk({"q": {"n": {"$gt": 20}}})["success"]),
)
note("delete_bulk without q", lambda: hosts.delete_bulk({}))
note("delete_bulk with empty q", lambda: hosts.delete_bulk({"q": {}}))


def as_list():
    response = hosts.fetch_page({"sort": "n", "fields": "n"})
    response[0] = {"n": 0}
    del response[1]
    return [
        len(response),
        {"n": 0} in response,
        response[0],
        str(response)[:9],
        list(response) == response.to_list(),
    ]


def as_dict():
    response = hosts.get("web1")
    response["n"] = 5
    return [
        "n" in response,
        response["n"],
        sorted(response.to_dict()) == sorted(response),
        type(response._result).__name__,
    ]


note("response as list", as_list)
note("response as dict", as_dict)
note("to_dict of a list", lambda: hosts.fetch_page().to_dict())
note("to_list of a dict", lambda: hosts.get("web1").to_list())


def raised():
    try:
        hosts.get("nothing")
    except sispy.Error as exc:
        return [str(exc), exc.args == (exc.error,), isinstance(exc, Exception)]


note("error", raised)
note(
    "error made by hand",
    lambda: str(sispy.Error("text", http_status_code=400, code=1, response_dict={"a": 1})),
)
note(
    "request made by hand",
    lambda: client.request(http.Request(client.base_uri + "/schemas", headers={}))[0]["name"],
)
note("header in another case", lambda: hosts.fetch_page()._meta.headers["X-TOTAL-COUNT"].isdigit())


def query_afterwards():
    query = {"limit": 2, "q": {"n": {"$gt": 0}}}
    hosts.fetch_all(query)
    return query


note("the caller's query afterwards", query_afterwards)
note("all from an offset", lambda: len(hosts.fetch_all({"offset": 2, "sort": "n"})))
note("get of an empty id", lambda: type(hosts.get("")._result).__name__)
note(
    "an id with a space and a slash",
    lambda: [hosts.create({"name": "a b/c"})["name"], hosts.get("a b/c")["name"]],
)
note("an id with a question mark", lambda: [hosts.create({"name": "a?b"})["name"], hosts.get("a?b")["name"]])
note("a query value of True", lambda: hosts.update("web99", {"name": "web99"}, {"upsert": True})["name"])
note("a list of fields", lambda: sorted(hosts.fetch_page({"fields": ["n"], "q": {"name": "web1"}})[0]))
note("nan", lambda: hosts.create({"name": "nan", "n": float("nan")}))
note("dead token", lambda: sispy.Client(URL, auth_token="0123456789abcdef" * 2).hooks.create(HOOK))
note("version", lambda: isinstance(sispy.__version__, tuple) and sispy.__version__ >= (1, 1, 0))

sys.stdout.write(json.dumps(outcomes))
