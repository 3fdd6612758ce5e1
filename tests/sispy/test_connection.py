import pickle
import sys
import time
import types
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import sispy
import sispy.http
from sispy.connection import Renewal, ask_password, can_ask
from sispy.errors import TokenRenewed
from sispy.sandbox import Sandbox


@pytest.fixture
def notebook(monkeypatch):
    """Pretend to run in a notebook's kernel."""
    module: Any = types.ModuleType("IPython")
    module.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setattr("sys.stdin", None)


def test_a_notebook_can_be_asked(notebook):
    assert can_ask()


def test_a_terminal_can_be_asked_and_a_pipe_cannot(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    for stream, answer in ((None, False), (types.SimpleNamespace(isatty=lambda: True), True)):
        monkeypatch.setattr("sys.stdin", stream)
        assert can_ask() is answer


def test_a_notebook_that_runs_without_its_reader_gets_an_error(notebook, monkeypatch):
    def nobody(prompt):
        raise RuntimeError("raw_input was called, but this frontend does not support input requests")

    monkeypatch.setattr("getpass.getpass", nobody)

    with pytest.raises(sispy.Unauthorized, match="the token for URL has expired: `sispy login` gets"):
        ask_password("anna", "URL")


def refusal(status, text="no"):
    return sispy.Unauthorized(text, status)


def test_what_tells_an_ended_token_from_a_missing_permission(monkeypatch):
    young, old = Renewal("anna", str, 60_000), Renewal("anna", str, 0)

    assert young.ended(refusal(404, "sis_tokens *** does not exist"))
    assert young.ended(refusal(401, "Unauthorized. Token has expired."))
    assert not young.ended(refusal(401, "Unauthorized. Insufficient permissions."))
    assert old.ended(refusal(401, "Unauthorized. Insufficient permissions."))
    now = time.time()
    monkeypatch.setattr("sispy.connection.time.time", lambda: now + 3600)  # the machine has slept
    assert young.ended(refusal(401))


def test_a_stored_token_that_ends_under_way_is_asked_for_and_stored(double, wire, monkeypatch, tmp_path):
    from sispy.config import config_file, read_config

    server = double(
        wire.answer({"error": "Unauthorized. Token has expired.", "code": 1004}, 401),
        wire.answer({"name": "token-2", "username": "anna", "expires": 1000}, 201),
        wire.answer({"_id": "1"}, 201),
    )
    config_file().write_text(
        f'[profiles.default]\nurl = "{server.url}"\nusername = "anna"\ntoken = "token-1"\n'
        "expires = 2999-01-01T00:00:00Z\n"
    )
    config_file().chmod(0o600)
    monkeypatch.setattr("sispy.connection.can_ask", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "secret")

    client = sispy.Client.from_profile()
    assert client.entities("host").create({"name": "a"}).to_dict() == {"_id": "1"}

    assert [seen.headers.get("x-auth-token") for seen in server.seen] == ["token-1", None, "token-2"]
    assert read_config()["profiles"]["default"]["token"] == "token-2"


def test_a_request_of_ones_own_is_sent_again_with_a_new_token_and_after_a_busy_answer(double, wire):
    server = double(
        wire.answer({"name": "token-1", "username": "anna", "expires": 0}, 201),
        wire.answer({"error": "Unauthorized. Token has expired.", "code": 1004}, 401),
        wire.answer({"name": "token-2", "username": "anna", "expires": 60_000}, 201),
        wire.answer(status=503),
        wire.answer({"_id": "1"}),
    )
    client = server.client()
    client.authenticate("anna", "secret", renew=True)
    headers = {"x-auth-token": "token-1"}

    found = client.request(sispy.http.Request(f"{client.base_uri}/entities/host/1", headers=headers))

    assert found.to_dict() == {"_id": "1"}
    assert [seen.headers.get("x-auth-token") for seen in server.seen[1:]] == [
        *("token-1", None, "token-2", "token-2")
    ]


@pytest.mark.parametrize(("told", "hours"), [({"expires": 3_600_000}, 1), ({}, 8)])
def test_a_token_ends_when_the_server_says_and_else_after_eight_hours(double, wire, told, hours):
    client = double(wire.answer({"name": "token-1", "username": "anna", **told}, 201)).client()
    before = datetime.now(UTC)

    assert client.authenticate("anna", "secret") is True

    left = timedelta(hours=hours)
    assert before + left <= client.token_expires <= datetime.now(UTC) + left


def test_a_renewal_that_fails_is_not_repeated(double, wire):
    server = double(
        wire.answer({"name": "token-1", "username": "anna", "expires": 0}, 201),
        wire.answer({"error": "Unauthorized. Token has expired.", "code": 1004}, 401),
        wire.answer({"error": "Unauthorized. Invalid password.", "code": 1004}, 401),
    )
    client = server.client()
    client.authenticate("anna", "secret", renew=True)

    with pytest.raises(sispy.Unauthorized, match="Invalid password"):
        client.entities("host").create({})

    assert len(server.seen) == 3


def test_a_new_token_that_is_refused_as_well_is_an_error(double, wire):
    login = wire.answer({"name": "token", "username": "anna", "expires": 0}, 201)
    no = wire.answer({"error": "Unauthorized. Token has expired.", "code": 1004}, 401)
    server = double(login, no, login, no)
    client = server.client()
    client.authenticate("anna", "secret", renew=True)

    with pytest.raises(sispy.Unauthorized, match="Token has expired"):
        client.entities("host").create({})

    assert len(server.seen) == 4


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as server:
        for name in ("anna", "carol"):
            server.client().users.create(
                {"name": name, "email": f"{name}@example.com", "pw": name, "roles": {"ops": "user"}}
            )
        yield server


def asked(sandbox, since):
    """Return the requests about tokens that came since."""
    return [f"{seen.path} {seen.query}" for seen in sandbox.requests[since:] if "tokens" in seen.path]


@pytest.mark.parametrize(
    ("owner", "claim", "known"),
    [
        ("carol", "carol", "carol"),
        ("carol", "anna", None),
        ("carol", "nobody", None),
        ("carol", "a/b", None),
        ("root", "carol", None),  # a super user may list everybody's tokens: this one is not among them
        ("root", "root", "root"),
    ],
)
def test_a_name_goes_with_a_token_only_if_the_server_lists_it(sandbox, owner, claim, known):
    token = str(sandbox.client(None if owner == "root" else owner).auth_token)
    client = sispy.Client(sandbox.url, auth_token=token)
    client.username = claim
    since = len(sandbox.requests)

    assert repr(client) == f"<sispy.Client {sandbox.url}>"
    assert [client.username, client.username] == [known, known]
    assert len(asked(sandbox, since)) == (claim != "a/b")
    assert token not in "".join(asked(sandbox, since))
    assert repr(client) == f"<sispy.Client {sandbox.url}{f', user {known!r}' if known else ''}>"


@pytest.mark.parametrize("token", ["a\nb", "\N{SNOWMAN}"])
def test_a_token_that_cannot_be_sent_is_nobodys(sandbox, token):
    client = sispy.Client(sandbox.url, auth_token=token)
    client.username = "root"
    since = len(sandbox.requests)

    assert client.username is None
    assert asked(sandbox, since) == []


def test_the_name_of_a_login_needs_no_proof_until_the_token_is_another(sandbox):
    client = sandbox.client("anna")
    since = len(sandbox.requests)

    assert client.username == "anna"
    assert pickle.loads(pickle.dumps(client)).username == "anna"
    assert sandbox.client().username == "root"
    assert asked(sandbox, since) == []
    client.auth_token = sandbox.client("carol").auth_token
    assert client.username is None


def test_a_token_from_the_environment_is_not_of_the_user_of_the_profile(sandbox, monkeypatch):
    from sispy.config import config_file

    config_file().write_text(f'[profiles.default]\nurl = "{sandbox.url}"\nusername = "root"\ntoken = "x"\n')
    config_file().chmod(0o600)
    monkeypatch.setenv("SIS_TOKEN", str(sandbox.client("carol").auth_token))

    assert sispy.Client.from_profile().username is None
    monkeypatch.setenv("SIS_USER", "carol")
    assert sispy.Client.from_profile().username == "carol"
    monkeypatch.setenv("SIS_USER", "anna")
    assert sispy.Client.from_profile().username is None


@pytest.mark.parametrize("content", [{}, [{"name": 1}, {}], None, {"error": "busy", "code": 1002}])
def test_an_answer_that_proves_nothing_is_asked_for_again(double, wire, content):
    status = 500 if content and "error" in content else 200
    server = double(wire.answer(content, status), wire.answer([{"name": "token-1"}]))
    client = sispy.Client(server.url, auth_token="token-1", retries=0)
    client.username = "anna"

    assert client.username is None
    assert client.username == "anna"
    assert len(server.seen) == 2


def test_a_name_that_was_not_proved_is_asked_for_again_when_it_is_set_again(double, wire):
    strange = wire.answer([{"name": "web01"}])  # a list, but of something else
    server = double(strange, wire.answer([{"name": "token-1"}]))
    client = sispy.Client(server.url, auth_token="token-1", retries=0)
    client.username = "anna"
    assert [client.username, client.username] == [None, None]

    client.username = "anna"

    assert client.username == "anna"
    assert len(server.seen) == 2


def test_many_threads_ask_once(sandbox):
    client = sispy.Client(sandbox.url, auth_token=sandbox.token)
    client.username = "root"
    since = len(sandbox.requests)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: client.username, range(16))) == {"root"}
    assert len(asked(sandbox, since)) == 1


def test_who_looks_before_every_try_is_told_that_the_token_is_new_and_nothing_was_sent_again(double, wire):
    login = wire.answer({"name": "token-1", "username": "anna", "expires": 60_000}, 201)
    again = wire.answer({"name": "token-2", "username": "anna", "expires": 60_000}, 201)
    no = wire.answer({"error": "sis_tokens token-1 does not exist", "code": 1000}, 404)
    server = double(login, no, again, wire.answer({"_id": "1"}))
    client = server.client()
    client.authenticate("anna", "secret", renew=True)
    hosts = client.entities("host").tried_once()

    with pytest.raises(TokenRenewed, match=r"sis_tokens \*\*\* does not exist"):
        hosts.update("1", {"n": 1})
    assert len(server.seen) == 3
    assert hosts.update("1", {"n": 1}).to_dict() == {"_id": "1"}

    assert [seen.headers.get("x-auth-token") for seen in server.seen] == [None, "token-1", None, "token-2"]
