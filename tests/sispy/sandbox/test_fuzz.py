"""Any request whatever gets an answer of the contract's shape, and none stops the server."""

import http.client
import json
import logging
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sispy.sandbox import Sandbox
from strategies import recursive

NAMES = st.sampled_from(
    ["host", "rack", "site", "service", "nope", "root", "alice", "sis_schemas", "web-ams1-001"]
)
FIELDS = st.sampled_from(
    [
        "name",
        "status",
        "rack",
        "rack.name",
        "services",
        "services.level",
        "interfaces",
        "interfaces.ip",
        "facts",
        "facts.bios",
        "os",
        "os.name",
        "ip",
        "ip.cidr",
        "price",
        "bought",
        "labels",
        "labels.0",
        "_id",
        "_sis",
        "_sis.owner",
        "_sis._updated_at",
        "definition",
        "roles",
        "hieradata",
        "expires",
        "$where",
        "a.b.c",
        "_v",
        "é",
        "",
    ]
)
OPERATORS = st.sampled_from(
    [
        "$eq",
        "$ne",
        "$gt",
        "$gte",
        "$lt",
        "$lte",
        "$in",
        "$nin",
        "$all",
        "$size",
        "$elemMatch",
        "$exists",
        "$regex",
        "$options",
        "$not",
        "$mod",
        "$type",
        "$and",
        "$or",
        "$nor",
        "$bad",
        "$where",
        "$text",
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(["live", "(a+)+$", "[", "2020-01-01", "f" * 24, "10.0.0.1/8", "/x/i", "\ud800"]),
)
VALUES = recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(FIELDS, OPERATORS), inner, max_size=3)
    ),
    max_leaves=8,
)
QUERIES = st.dictionaries(st.one_of(FIELDS, OPERATORS), VALUES, max_size=3)
SIS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(["owner", "tags", "locked", "immutable", "_created_at", "_version", "x"], VALUES),
)
BODIES = st.one_of(
    VALUES,
    st.dictionaries(FIELDS, VALUES, max_size=4),
    st.builds(lambda body, sis: {**body, "_sis": sis}, st.dictionaries(FIELDS, VALUES, max_size=4), SIS),
    st.lists(st.dictionaries(st.one_of(FIELDS, st.just("_id")), VALUES, max_size=3), max_size=3),
    st.fixed_dictionaries(
        {"name": NAMES, "_sis": st.just({"owner": ["web"]}), "definition": VALUES, "hieradata": VALUES},
        optional={
            "id_field": SCALARS,
            "locked_fields": VALUES,
            "roles": VALUES,
            "email": SCALARS,
            "pw": SCALARS,
        },
    ),
)
SEGMENTS = st.one_of(
    NAMES,
    FIELDS,
    st.text(max_size=5),
    st.sampled_from(["commits", "revision", "tokens", "trigger", "f" * 24, "1e9"]),
)
PATHS = st.builds(
    lambda first, rest: "/".join(["", first, *(quote(part, safe="", errors="replace") for part in rest)]),
    st.sampled_from(
        ["schemas", "entities/host", "entities/rack", "entities", "hooks", "hiera", "users", "info", "x"]
    ),
    st.lists(SEGMENTS, max_size=3),
)
TEXTS = st.one_of(
    st.text(max_size=10), st.sampled_from(["true", "false", "-1", "0", "1e9", "name,-os", "-a,b", "+name"])
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "q": QUERIES.map(json.dumps) | TEXTS,
        "cas": QUERIES.map(json.dumps) | TEXTS,
        **dict.fromkeys(
            [
                "fields",
                "sort",
                "limit",
                "offset",
                "populate",
                "removeEmpty",
                "upsert",
                "all_or_none",
                "forceMixed",
            ],
            TEXTS,
        ),
        "with_counts": st.just("true"),
    },
)
REGULAR = {1000: {404}, 1001: {400}, 1002: {500}, 1003: {400}, 1004: {401}}


@pytest.fixture(scope="module")
def sis():
    with Sandbox(samples=20) as sandbox:
        yield sandbox


def check(status, headers, content):
    """Whether an answer has one of the shapes of the contract."""
    if status in {200, 201}:
        return
    kind = headers.get("content-type", "")
    if kind.startswith("text/html"):
        assert status == 404
        assert b"<pre>Cannot " in content
        return
    if not content:
        assert status in {400, 431}
        return
    body = json.loads(content)
    if "error" in body:
        assert status in REGULAR[body["code"]], (status, body)
        assert "Traceback" not in body["error"]
        assert "unexpected error" not in body["error"], body
    else:
        assert status == 500, (status, body)
        assert body == {} or {"name", "message"} <= body.keys()


@pytest.mark.parametrize("examples", [700, pytest.param(15_000, marks=pytest.mark.soak)])
def test_every_request_gets_an_answer(sis, examples, caplog):
    caplog.set_level(logging.ERROR, "sispy.sandbox")

    @settings(
        max_examples=examples,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=examples < 1000,
    )
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]),
        path=PATHS,
        options=OPTIONS,
        body=st.one_of(st.none(), BODIES.map(json.dumps).map(str.encode), st.binary(max_size=20)),
        token=st.sampled_from([True, True, True, False]),
    )
    def run(method, path, options, body, token):
        target = "/api/v1.1" + path
        if options:
            target += "?" + "&".join(f"{k}={quote(v, safe='', errors='replace')}" for k, v in options.items())
        headers = {"Content-Type": "application/json"}
        if token:
            headers["x-auth-token"] = sis.token
        connection = http.client.HTTPConnection(sis.host, sis.port, timeout=20)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if method != "HEAD":
                check(answer.status, {k.lower(): v for k, v in answer.getheaders()}, content)
        finally:
            connection.close()
        assert caplog.records == []

    run()
    connection = http.client.HTTPConnection(sis.host, sis.port, timeout=5)
    connection.request("GET", "/api/v1.1/info")
    assert connection.getresponse().status == 200
    connection.close()
