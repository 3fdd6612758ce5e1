"""What is kept in a file, whatever ends the server."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from sispy import Client, NotFound, ServerError
from sispy.sandbox import Sandbox
from wire import SCHEMA


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
        with pytest.raises(ServerError, match="cannot be written: database or disk is full"):
            for i in range(1000):
                client.hiera.create({"name": f"h{i}", "_sis": {"owner": ["g"]}, "hieradata": "x" * 5000})
        with pytest.raises(ServerError, match="cannot be written: database or disk is full"):
            client.hiera.delete("h0")
        sis._app.disk._file.execute("PRAGMA max_page_count=100000")
        client.hiera.create({"name": "last", "_sis": {"owner": ["g"]}, "hieradata": 1})
        names = [entry["name"] for entry in client.hiera.fetch_all({})]
    with Sandbox(data=tmp_path / "sis.sqlite") as sis:
        assert [entry["name"] for entry in sis.client().hiera.fetch_all({})] == names
    assert "OperationalError" in caplog.text


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, they are long enough to be no database header" * 20)
    with pytest.raises(ValueError, match="no file of a sandbox"):
        Sandbox(data=path).start()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("CREATE TABLE mine (a)", "no file of a sandbox: it has the tables mine"),
        ("PRAGMA user_version=7", "has format 7, this sandbox reads format 2"),
    ],
)
def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path, change, reason):
    path = tmp_path / "other.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute(change)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=reason):
        Sandbox(data=path).start()
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def serve(path):
    """Start a server in a process of its own."""
    command = [sys.executable, "-m", "sispy.sandbox", "--port", "0", "--data", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    printed = (process.stdout.readline().partition(" ") for _ in range(3))
    lines = {name: text.strip() for name, _, text in printed}
    return process, Client(lines["url"], auth_token=lines["token"])


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.soak)])
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
