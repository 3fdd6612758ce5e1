"""A way to send any request to the sandbox and to see its whole answer."""

import json
from urllib.parse import urlencode

import pytest
import requests

from wire import SCHEMA


@pytest.fixture
def call(sis_sandbox):
    """Return a function (method, path, body, query) -> (status, JSON), with the super user's token."""
    with requests.Session() as session:
        session.headers["x-auth-token"] = sis_sandbox.token

        def send(method, path, body=None, query=None, *, token=None):
            texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in (query or {}).items()}
            url = f"{sis_sandbox.url}/api/v1.1{path}" + (f"?{urlencode(texts)}" if texts else "")
            headers = {} if token is None else {"x-auth-token": token}
            answer = session.request(method, url, json=body, headers=headers, timeout=20)
            send.headers = answer.headers  # type: ignore[attr-defined] # of the last answer
            return answer.status_code, answer.json() if answer.content else None

        yield send


@pytest.fixture
def schema(call):
    """Return a function that makes a schema: (name, definition, **options)."""

    def make(name, definition, **options):
        body = {"name": name, "_sis": {"owner": ["g1", "g2"]}, "definition": definition, **options}
        status, made = call("POST", "/schemas", body)
        assert status == 201, made
        return made

    return make


@pytest.fixture
def plain():
    """Return a function that takes ids, `_sis` and `_v` off a document, at every depth."""

    def strip(value):
        if isinstance(value, list):
            return [strip(item) for item in value]
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k not in {"_id", "_sis", "_v"}}
        return value

    return strip


@pytest.fixture
def rows(sis_client):
    """Rows of a schema with a unique name, a number and a list."""
    sis_client.schemas.create(SCHEMA)
    return sis_client.entities("row")
