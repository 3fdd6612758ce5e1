"""The server as a thing: start, stop, many at once, HTTP on the wire, persistence."""

import contextlib
import gc
import gzip
import hashlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import warnings

import pytest

from sispy import Client, NoAnswer, NotFound, ServerError, Unauthorized
from sispy.sandbox import Sandbox
from sispy.sandbox.js import patterns
from sispy.sandbox.web import protocol

SCHEMA = {
    "name": "row",
    "_sis": {"owner": ["g1"]},
    "definition": {
        "name": {"type": "String", "required": True, "unique": True},
        "n": "Number",
        "l": ["String"],
    },
}


@pytest.fixture
def rows(sis_client):
    sis_client.schemas.create(SCHEMA)
    return sis_client.entities("row")


def raw(sis, method, path, body=None, headers=None):
    """One request without any client: status, headers, body."""
    connection = http.client.HTTPConnection(sis.host, sis.port, timeout=10)
    connection.request(method, f"/api/v1.1{path}", body, {"x-auth-token": sis.token, **(headers or {})})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


def talk(sis, request):
    """Send bytes, give all that comes back."""
    with socket.create_connection((sis.host, sis.port), 10) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_many_servers_run_side_by_side():
    with Sandbox() as one, Sandbox() as two:
        one.client().schemas.create(SCHEMA)
        assert [s["name"] for s in one.client().schemas.fetch_all({})] == ["row"]
        assert list(two.client().schemas.fetch_all({})) == []
        assert one.port != two.port


def test_a_stop_may_be_repeated():
    sandbox = Sandbox().start()
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sandbox.port), 1)


def test_a_stop_closes_connections_that_were_just_made():
    with Sandbox() as sandbox, warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always", ResourceWarning)
        over = threading.Event()

        def knock():
            while not over.is_set():
                with contextlib.suppress(OSError):
                    socket.create_connection((sandbox.host, sandbox.port), 1).close()

        threads = [threading.Thread(target=knock) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(10):
            time.sleep(0.01)
            sandbox.stop()
            sandbox.start()
        over.set()
        for thread in threads:
            thread.join()
        gc.collect()
    assert [str(warning.message) for warning in left_open] == []


@pytest.mark.parametrize("kept", [False, True])
def test_a_server_comes_back_as_it_was(tmp_path, kept):
    sandbox = Sandbox(data=tmp_path / "sis.sqlite" if kept else None).start()
    try:
        client = sandbox.client()
        client.schemas.create(SCHEMA)
        port = sandbox.port
        sandbox.stop()
        with pytest.raises(NoAnswer):
            client.schemas.fetch_all({})
        sandbox.start()
        assert sandbox.port == port
        client.entities("row").create({"name": "a"})
        assert client.entities("row").count({}) == 1
    finally:
        sandbox.stop()
    if kept:
        with Sandbox(data=tmp_path / "sis.sqlite") as sis:
            assert sis.client().entities("row").count({}) == 1


def test_a_taken_port_is_said_at_once(sis_sandbox):
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=sis_sandbox.port).start()


def test_a_stop_cuts_connections_that_wait(sis_sandbox):
    connection = http.client.HTTPConnection(sis_sandbox.host, sis_sandbox.port, timeout=5)
    connection.request("GET", "/api/v1.1/info")
    connection.getresponse().read()
    sis_sandbox.stop()
    assert connection.sock.recv(1) == b""
    connection.close()


def test_idle_connections_are_closed_after_five_seconds(sis_sandbox):
    address = (sis_sandbox.host, sis_sandbox.port)
    with socket.create_connection(address, 10) as silent, socket.create_connection(address, 10) as connection:
        connection.sendall(b"GET /api/v1.1/info HTTP/1.1\r\nHost: localhost\r\n\r\n")
        found = b""
        while not found.endswith(b"}"):
            found += connection.recv(65536)
        assert b"keep-alive: timeout=5" in found
        begin = time.monotonic()
        assert connection.recv(1) == b""
        assert time.monotonic() - begin > 4.5
        assert silent.recv(1) == b""


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"get /api/v1.1/info HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /api/v1.1/a b HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /api/v1.1/info?" + b"x" * 24_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"431"),
        (b"GET /api/v1.1/info HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 99_000 + b"\r\n\r\n", b"431"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_http_gets_an_empty_answer(sis_sandbox, request_, status):
    head, _, body = talk(sis_sandbox, request_).partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == status
    assert body == b""


def test_a_body_just_below_the_limit_is_taken(sis_sandbox, rows):
    text = "x" * int(9.9 * 1024 * 1024)
    status, _, content = raw(
        sis_sandbox, "POST", "/entities/row", json.dumps({"name": text}), {"Content-Type": "application/json"}
    )
    assert status == 201
    assert len(json.loads(content)["name"]) == len(text)


def test_a_bomb_is_not_unpacked(sis_sandbox, rows):
    bomb = gzip.compress(b" " * 200_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    status, _, content = raw(sis_sandbox, "POST", "/entities/row", bomb, headers)
    assert (status, json.loads(content)["code"]) == (500, 1002)


def test_a_compressed_body_without_its_end_is_refused(sis_sandbox, rows):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    status, _, _ = raw(sis_sandbox, "POST", "/entities/row", gzip.compress(b'{"name": "a"}')[:-6], headers)
    assert (status, len(rows.fetch_page({}))) == (400, 0)


def test_an_integer_beyond_all_doubles_is_infinite(sis_sandbox, rows):
    text = '{"name": "a", "n": ' + "9" * 5000 + "}"
    status, _, content = raw(sis_sandbox, "POST", "/entities/row", text, {"Content-Type": "application/json"})
    assert (status, json.loads(content)["n"]) == (201, None)


@pytest.mark.parametrize(("count", "statuses"), [(1000, [201, 200]), (1001, [400, 400])])
def test_dotted_keys_have_a_limit(call, schema, count, statuses):
    """Each costs a copy of the value that it is set in: many would block the server for hours."""
    schema("item", {"m": "Mixed"})
    path = f"/entities/item/{call('POST', '/entities/item', {'m': 1})[1]['_id']}"
    body = {f"m.k{i}": i for i in range(count)}
    assert [call("POST", "/entities/item", body)[0], call("PUT", path, body)[0]] == statuses


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"name": "\\ud800"}', "{" + "}" * 9])
def test_odd_json_is_answered(sis_sandbox, rows, text):
    status, _, content = raw(sis_sandbox, "POST", "/entities/row", text, {"Content-Type": "application/json"})
    assert status in {201, 400}
    assert isinstance(json.loads(content), dict)


def test_lone_surrogates_outside_of_objects(sis_sandbox, rows):
    headers = {"Content-Type": "application/json"}
    status, _, content = raw(sis_sandbox, "POST", "/entities/row", '["\\ud800", [["\\ud800"]]]', headers)
    assert (status, [error["value"] for error in json.loads(content)["errors"]]) == (
        200,
        ["\ufffd", [["\ufffd"]]],
    )


def test_a_lone_surrogate_becomes_the_replacement_character(rows):
    assert rows.create({"name": "a\ud800b"})["name"] == "a\ufffdb"


def test_the_answer_of_a_long_list_is_chunked(sis_sandbox, rows):
    rows.create([{"name": f"r{i}"} for i in range(100)])
    _, short, _ = raw(sis_sandbox, "GET", "/entities/row?limit=99")
    _, long, content = raw(sis_sandbox, "GET", "/entities/row?limit=100")
    assert short["content-type"] == "application/json; charset=utf-8"
    assert int(short["content-length"]) > 0
    assert (long["content-type"], long["transfer-encoding"]) == ("application/json", "chunked")
    assert (long["x-accel-buffering"], len(json.loads(content))) == ("no", 100)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/users/root/tokens", [{"desc": "a"}], 400, 1001),  # the server stores tokens without names
        ("GET", "/entities/row/x/commits?q=%7Bbad", None, 400, 1001),  # the server ignores it and takes harm
        ("GET", "/schemas?fields=name&with_counts=true", None, 500, None),
        ("PUT", "/entities/row/x?cas=null", {"n": 1}, 500, None),
        ("POST", "/entities/row", [{"name": "a"}, None], 200, None),
        ("POST", "/schemas", {**SCHEMA, "name": "bad", "definition": {"a": {"b": {}}}}, 400, 1001),
        (
            "POST",
            "/schemas",
            {**SCHEMA, "name": "bad", "definition": {"n": {"type": "Number", "default": "x"}}},
            400,
            1001,
        ),
        ("POST", "/entities/row?q=%zz", {"name": "b"}, 201, None),
        ("GET", "/entities/row/x/revisions/5", None, 404, None),
        ("GET", "/scripts", None, 404, None),
        ("POST", "/entities/unknown/x", {}, 404, None),
        ("PATCH", "/entities/unknown", {}, 404, None),
        ("GET", "/endpoints/x/y", None, 404, None),
    ],
)
def test_what_the_server_gets_wrong_is_answered_in_its_stead(
    sis_sandbox, rows, method, path, body, status, code
):
    found, _, content = raw(
        sis_sandbox,
        method,
        path,
        None if body is None else json.dumps(body),
        {"Content-Type": "application/json"},
    )
    assert (found, json.loads(content).get("code") if b"<pre>" not in content else None) == (status, code)


def test_an_update_commit_without_a_beginning_is_not_found(sis_sandbox, rows):
    """The server never answers here."""
    client = sis_sandbox.client()
    client.schemas.update("row", {**SCHEMA, "track_history": False})
    row = rows.create({"name": "a"})
    client.schemas.update("row", {**SCHEMA, "track_history": True})
    rows.update(row["_id"], {"n": 1})
    commits = rows.commits(row["_id"]).fetch_all({})
    assert [commit["action"] for commit in commits] == ["update"]
    with pytest.raises(NotFound):
        rows.commit(row["_id"], commits[0]["_id"])
    rows.delete(row["_id"])
    newest = rows.commits(row["_id"]).fetch_all({})[0]  # it holds the object itself
    assert rows.commit(row["_id"], newest["_id"])["value_at"] == newest["commit_data"]


def test_no_traceback_leaves_the_server(sis_sandbox, rows, monkeypatch, caplog):
    monkeypatch.setattr(sis_sandbox.world.users, "of_token", lambda token: 1 / 0)
    status, _, content = raw(sis_sandbox, "POST", "/entities/row", "{}", {"Content-Type": "application/json"})
    assert (status, json.loads(content)) == (500, {"error": "Internal error unexpected error", "code": 1002})
    assert "ZeroDivisionError" in caplog.text


def test_tokens_expire(sis_sandbox):
    with Sandbox(token_lifetime=0.05) as sis:
        client = sis.client()
        time.sleep(0.06)
        with pytest.raises(Unauthorized, match="expired"):
            client.schemas.create(SCHEMA)


def test_the_super_users_password_is_that_of_the_sample_users():
    with Sandbox(samples=1) as sis:
        nobody = Client(sis.url)
        assert nobody.authenticate("bob", sis.password)
        assert nobody.authenticate("root", sis.password)
        for name, password in [("bob", "bob"), ("root", "root"), ("root", ""), ("bob", sis.password[:-1])]:
            with pytest.raises(Unauthorized):
                nobody.authenticate(name, password)
        assert len({sis.password, Sandbox().password}) == 2


def test_a_stored_password_of_the_super_user_does_not_stay(tmp_path):
    """Of a sandbox that began with root and root, or of one whose password leaked."""
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        user = {"name": "root", "email": "r@example.com", "super_user": True, "roles": {}, "pw": "root"}
        sis.client().users.update("root", user)
        assert Client(sis.url).authenticate("root", "root")
    with Sandbox(data=tmp_path / "sis.sqlite") as sis, pytest.raises(Unauthorized):
        Client(sis.url).authenticate("root", "root")


def test_a_login_takes_as_long_for_users_that_are_none(sis_sandbox, monkeypatch):
    made = []
    stretch = hashlib.scrypt
    monkeypatch.setattr(hashlib, "scrypt", lambda *args, **how: made.append(how) or stretch(*args, **how))
    sis_sandbox.client().users.create(
        {"name": "anna", "email": "a@example.com", "pw": "x", "roles": {"g": "user"}}
    )
    costs = []
    for name in ("anna", "nobody", "root"):
        made.clear()
        with pytest.raises((NotFound, Unauthorized)):
            Client(sis_sandbox.url).authenticate(name, "wrong")
        costs.append([(how["n"], how["r"], how["p"]) for how in made])
    assert costs == [costs[0]] * 3
    assert len(costs[0]) == 1


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST.:8080", 200),
        ("127.0.0.1", 200),
        ("127.3.2.1:99", 200),
        ("[::1]:3000", 200),
        ("sis.test", 200),
        ("rebound.example", 421),
        ("localhost.example", 421),
        ("127.0.0.1.example", 421),
        ("10.0.0.1", 421),
        ("[::2", 421),
        ("", 421),
    ],
)
def test_foreign_names_are_not_served(host, status):
    with Sandbox(allow_hosts=["Sis.Test"]) as sis:
        answer = talk(
            sis, f"GET /api/v1.1/users HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        assert int(answer.split()[1]) == status
        assert (b'"root"' in answer) == (status == 200)
        assert len(sis.requests) == (status == 200)


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://page.example", 403), ("null", 403), ("http://127.0.0.1:8888", 200), ("http://localhost", 200)],
)
def test_pages_of_other_origins_are_not_served(sis_sandbox, origin, status):
    answer, headers, _ = raw(sis_sandbox, "POST", "/users/auth_token", headers={"Origin": origin})
    assert answer == (403 if status == 403 else 401)
    assert [name for name in headers if name.startswith("access-control-allow-o")] == []


def test_other_origins_read_the_answers_if_that_is_wanted():
    with Sandbox(cors=True) as sis:
        headers = raw(sis, "GET", "/info", headers={"Origin": "https://page.example"})[1]
    assert headers["access-control-allow-origin"] == "https://page.example"
    assert headers["access-control-expose-headers"] == "x-total-count"


@pytest.mark.parametrize(
    "half",
    [
        b"GET /api/v1.1/info HTTP/1.1\r\nHost: localhost\r\n",
        b'POST /api/v1.1/entities/row HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{"name":',
        b"PUT /api/v1.1/hooks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
)
def test_half_a_request_is_hung_up_on(sis_sandbox, monkeypatch, half):
    monkeypatch.setattr(protocol, "PATIENCE", 0.2)
    with (
        socket.create_connection((sis_sandbox.host, sis_sandbox.port), 20) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(half)
        assert connection.recv(100) == b""
    assert sis_sandbox.requests == []


def post_head(sis, length):
    lines = [
        "POST /api/v1.1/entities/row HTTP/1.1",
        "Host: localhost",
        f"x-auth-token: {sis.token}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def test_a_request_that_comes_a_byte_at_a_time_is_hung_up_on(sis_sandbox, monkeypatch):
    monkeypatch.setattr(protocol, "PATIENCE", 0.2)
    monkeypatch.setattr(protocol, "SLOWEST", 2**60)
    with socket.create_connection((sis_sandbox.host, sis_sandbox.port), 20) as connection:
        connection.sendall(post_head(sis_sandbox, 2**60))
        with pytest.raises(ConnectionError):
            while True:
                connection.sendall(b" ")
    assert sis_sandbox.requests == []


def test_a_slow_request_that_goes_on_is_waited_for(sis_sandbox, rows, monkeypatch):
    monkeypatch.setattr(protocol, "PATIENCE", 0)
    monkeypatch.setattr(protocol, "SLOWEST", 1)  # a second for each byte
    body = b'{"name":"slow"}'
    with socket.create_connection((sis_sandbox.host, sis_sandbox.port), 20) as connection:
        for part in (post_head(sis_sandbox, len(body)), body[:5]):
            connection.sendall(part)
            assert rows.count({}) == 0  # the server has looked at the clock by now
        connection.sendall(body[5:])
        assert connection.recv(100).startswith(b"HTTP/1.1 201")


def test_a_request_that_ends_within_its_body_is_not_carried_out(sis_sandbox, rows):
    body = b'{"name":"half"}'
    with socket.create_connection((sis_sandbox.host, sis_sandbox.port), 20) as connection:
        connection.sendall(post_head(sis_sandbox, len(body) + 5) + body)
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            assert connection.recv(100) == b""
    assert rows.count({}) == 0


def test_users_of_the_samples_have_clients():
    with Sandbox(samples=1) as sis:
        assert sis.client("bob").username == "bob"
        host = next(iter(sis.client().entities("host").fetch_all({"populate": "false"})))
        assert host["name"]


def test_data_survive_a_restart(tmp_path):
    path = tmp_path / "sis.sqlite"
    with Sandbox(data=path) as sis:
        client = sis.client()
        client.schemas.create(SCHEMA)
        rows = client.entities("row")
        first = rows.create({"name": "a", "n": 1})
        rows.create([{"name": "b"}, {"name": "c"}])
        rows.update(first["_id"], {"n": 2})
        rows.delete("b")
        before = list(rows.fetch_all({})), list(rows.commits(first["_id"]).fetch_all({}))
    with Sandbox(data=path) as sis:
        rows = sis.client().entities("row")
        assert (list(rows.fetch_all({})), list(rows.commits(first["_id"]).fetch_all({}))) == before
        assert [row["name"] for row in rows.fetch_all({})] == ["a", "c"]
        sis.client().schemas.delete("row")
    with Sandbox(data=path) as sis:
        with pytest.raises(NotFound):
            sis.client().entities("row").fetch_all({})
        with pytest.raises(ValueError, match="perhaps another sandbox"):
            Sandbox(data=path).start()
    with contextlib.closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM documents WHERE collection = 'row'").fetchone() == (0,)


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
def test_the_file_and_its_log_are_their_owners_alone(tmp_path):
    """It holds tokens, and copies of what a real server shows to its users only."""
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        sis.client().schemas.create(SCHEMA)
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"sis.sqlite": 0o600, "sis.sqlite-wal": 0o600}


def test_a_write_that_cannot_be_kept_is_an_error(tmp_path, caplog):
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        sis._app.disk._file.execute("PRAGMA max_page_count=20")
        client = sis.client()
        with pytest.raises(ServerError, match="cannot be written"):
            for i in range(1000):
                client.hiera.create({"name": f"h{i}", "_sis": {"owner": ["g"]}, "hieradata": "x" * 5000})
        with pytest.raises(ServerError, match="cannot be written"):
            client.hiera.delete("h0")
        sis._app.disk._file.execute("PRAGMA max_page_count=100000")
        client.hiera.create({"name": "last", "_sis": {"owner": ["g"]}, "hieradata": 1})
        names = [entry["name"] for entry in client.hiera.fetch_all({})]
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        assert [entry["name"] for entry in sis.client().hiera.fetch_all({})] == names
    assert "OperationalError" in caplog.text


def test_a_top_level_empty_object_is_a_mixed_field(sis_client):
    made = sis_client.schemas.create({**SCHEMA, "definition": {"any": {}, "n": "Number"}})
    assert made["definition"] == {"any": {"type": "Mixed"}, "n": "Number"}
    assert sis_client.entities("row").create({"any": {"a": 1}})["any"] == {"a": 1}


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, they are long enough to be no database header" * 20)
    with pytest.raises(ValueError, match="no file of a sandbox"):
        Sandbox(data=path).start()


def serve(path):
    """Start a server in a process of its own."""
    command = [sys.executable, "-m", "sispy.sandbox", "--port", "0", "--data", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = dict(process.stdout.readline().split() for _ in range(3))
    return process, Client(lines["url"], auth_token=lines["token"])


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_what_was_acknowledged_survives_kill_9(tmp_path, kills):
    path = tmp_path / "sis.sqlite"
    acknowledged = {}
    for turn in range(kills):
        process, client = serve(path)
        try:
            if turn == 0:
                client.schemas.create(SCHEMA)
            rows = client.entities("row")
            stored = {row["name"]: row["n"] for row in rows.fetch_all({})}
            assert acknowledged.items() <= stored.items()
            deadline = time.monotonic() + 0.15 + 0.05 * turn
            for i in range(100_000):
                name = f"r{turn}-{i}"
                rows.create({"name": name, "n": i})
                rows.update(name, {"n": i + 1000})
                acknowledged[name] = i + 1000
                if time.monotonic() > deadline:
                    break
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
    with Sandbox(data=path) as sis:
        stored = {row["name"]: row["n"] for row in sis.client().entities("row").fetch_all({})}
    assert acknowledged.items() <= stored.items()


def test_a_copy_has_the_ids_and_metadata_of_the_original():
    with Sandbox(samples=30) as original:
        source = original.client()
        query = {"populate": "false", "sort": "_id"}
        before = original.requests
        with Sandbox(copy_from=Client(original.url), schemas=["host", "rack"]) as copy:
            read = original.requests[len(before) :]
            assert {r.method for r in read} == {"GET"}
            assert {"offset" in r.query for r in read} == {False}  # by key: rows come and go meanwhile
            client = copy.client()
            assert sorted(s["name"] for s in client.schemas.fetch_all({})) == ["host", "rack"]
            for name in ("host", "rack"):
                theirs, ours = (list(c.entities(name).fetch_all(query)) for c in (source, client))
                assert ours == theirs
            hosts = client.entities("host")
            host = hosts.fetch_page({**query, "limit": 1})[0]
            assert (
                hosts.update(host["_id"], {"notes": "rehearsed", "rack": None, "services": []})["notes"]
                == "rehearsed"
            )
            assert [c["action"] for c in hosts.commits(host["_id"]).fetch_all({})] == ["update", "insert"]


def test_a_schema_that_the_original_lacks_is_named():
    with Sandbox() as original, pytest.raises(ValueError, match="no schema host at"):
        Sandbox(copy_from=Client(original.url), schemas=["host"]).start()


def nested(opening, inside, closing, depth):
    return opening * depth + inside + closing * depth


@pytest.mark.parametrize("depth", [50, 100, 200, 350, 450])
def test_whatever_is_nested_deeply_gets_an_answer(sis_sandbox, call, schema, depth, caplog):
    schema("deep", {"s": "String", "l": ["String"], "m": "Mixed", "r": {"type": "ObjectId", "ref": "deep"}})
    call("POST", "/entities/deep", {"s": "a", "l": ["a"], "m": {"a": 1}})
    for query in (
        nested('{"$and":[', '{"r.s":"a"}', "]}", depth),
        '{"s":' + nested('{"$not":', '{"$gt":"a"}', "}", depth) + "}",
        '{"l":' + nested('{"$elemMatch":', '{"$gt":"a"}', "}", depth) + "}",
        '{"m":{"$gt":' + nested('{"a":', "1", "}", depth) + "}}",
    ):
        assert call("GET", "/entities/deep", query={"q": query})[0] in {200, 400}
    schema_ = '{"name": "n", "_sis": {"owner": ["g1"]}, "definition": {"x":'
    for path, body in (
        ("/entities/deep", '{"l":' + nested("[", "", "]", depth) + "}"),
        ("/entities/deep", '{"m":' + nested('{"a":', "1", "}", depth) + "}"),
        ("/schemas", schema_ + nested("[", '"String"', "]", depth) + "}}"),
        ("/schemas", schema_ + nested('{"a":', '"String"', "}", depth) + "}}"),
    ):
        status, _, content = raw(sis_sandbox, "POST", path, body, {"Content-Type": "application/json"})
        assert status in {201, 400} or (status == 500 and b"E11000" in content)
    assert caplog.records == []


def test_hostile_patterns_are_bounded(call, schema, monkeypatch):
    searches = []
    start = patterns._Meter.start

    def counted(meter):
        at = start(meter)
        searches.append(at)
        return at

    monkeypatch.setattr(patterns._Meter, "start", counted)
    schema("text", {"s": "String", "m": {"type": "String", "match": "/^(a|aa)+$/"}})
    text = "a" * 60 + "!"
    call("POST", "/entities/text", [{"s": text} for _ in range(20)])
    for _ in range(3):
        searches.clear()
        assert call("GET", "/entities/text", query={"q": {"s": {"$regex": "^(a|aa)+$"}}})[1] == []
        assert call.headers["x-total-count"] == "0"
        assert len(searches) == 1  # the first one that takes too long ends the query
    assert call("POST", "/entities/text", {"m": text})[0] == 400
    searches.clear()
    assert len(call("POST", "/entities/text", [{"m": text} for _ in range(1000)])[1]["errors"]) == 1000
    assert len(searches) < 100
