"""The command `sispy sandbox`: what it prints, how it ends, what it says when it cannot start."""

import doctest
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from sispy import Client, Unauthorized
from sispy import sandbox as package
from sispy.cli import main
from sispy.sandbox import Sandbox, __main__, server
from sispy.sandbox.sis import disk
from sispy.sandbox.web import faults


def start(*arguments, stdin=None, lines=4):
    command = [sys.executable, "-m", "sispy.sandbox", "--port", "0", *arguments]
    process = subprocess.Popen(
        command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    printed = (process.stdout.readline().rstrip().partition(" ") for _ in range(lines))
    return process, {name: text.strip() for name, _, text in printed}


def run(*arguments):
    return CliRunner().invoke(main, ["sandbox", *arguments], prog_name="sispy")


def typed(line, environment):
    """Run a line as a user types it."""
    how = {"env": environment, "capture_output": True, "text": True, "check": True}
    return subprocess.run(line, shell=True, **how)  # noqa: S602 - a pipe


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(number):
    process, printed = start("--samples", "3", "--user", "boss", "-v")
    try:
        assert (printed["user"], len(printed["token"])) == ("boss", 32)
        assert process.stderr.readline() == "Stop with Ctrl-C.\n"
        answer = requests.get(f"{printed['url']}/api/v1.1/entities/host?limit=1", timeout=10)
        assert answer.headers["x-total-count"] == "3"
        token = f"/api/v1.1/users/boss/tokens/{printed['token']}"
        requests.get(printed["url"] + token, headers={"x-auth-token": printed["token"]}, timeout=10)
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 0
    assert errors.splitlines() == [
        "200 GET /api/v1.1/entities/host?limit=1",
        "200 GET /api/v1.1/users/boss/tokens/***",
    ]


def test_the_login_line_works_as_printed(tmp_path):
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SIS_CONFIG": str(tmp_path / "config.toml"),
    }
    process, printed = start("--samples", "3", "--data", str(tmp_path / "sis.sqlite"))
    try:
        line = printed["login"]
        assert line.startswith("echo ")
        typed(line, environment)
        done = typed(line.replace("--user root", "--user bob"), environment)
        assert f"Logged in to {printed['url']} as bob" in done.stderr
        assert set(tomllib.loads((tmp_path / "config.toml").read_text())["profiles"]) == {"sandbox"}
    finally:
        process.terminate()
        process.communicate(timeout=10)

    again, printed = start("--data", str(tmp_path / "sis.sqlite"))
    try:
        assert printed["login"].split()[1] != line.split()[1]  # a new one each time, and it works
        typed(printed["login"], environment)
        gone = Client(printed["url"])
        with pytest.raises(Unauthorized):
            gone.authenticate("root", line.split()[1])
    finally:
        again.terminate()
        again.communicate(timeout=10)


def test_the_login_line_names_sispy_as_it_was_called(tmp_path):
    """In a venv that is not activated, which is where a newcomer is."""
    path = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "sispy").exists()
    )
    environment = {**os.environ, "PATH": path, "SIS_CONFIG": str(tmp_path / "config.toml")}
    process = subprocess.Popen(
        [Path(sys.executable).with_name("sispy"), "sandbox", "--port", "0"],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    try:
        line = next(line for line in process.stdout if line.startswith("login"))
        done = typed(line.removeprefix("login"), environment)
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert "Logged in to http://127.0.0.1:" in done.stderr


def test_another_name_and_other_origins_are_let_in_by_options():
    process, printed = start("--allow-host", "sis.test", "--cors")
    try:
        headers = {"Host": "sis.test", "Origin": "https://page.example"}
        answer = requests.get(f"{printed['url']}/api/v1.1/info", headers=headers, timeout=10)
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://page.example"


def test_another_address_prints_a_warning():
    process, printed = start("--host", "0.0.0.0")  # noqa: S104 - that is the point
    process.terminate()
    _, errors = process.communicate(timeout=10)
    assert printed["url"].startswith("http://0.0.0.0:")
    assert errors.startswith("Warning: anybody who can reach 0.0.0.0 can read everything")


def test_its_password_is_no_argument(tmp_path):
    """Arguments are there to read for everybody on the machine."""
    (tmp_path / "password").write_text("opensesame\n")
    with (tmp_path / "password").open() as stdin:
        process, printed = start("--host", "0.0.0.0", "--password-stdin", stdin=stdin)  # noqa: S104 - warned of
    try:
        client = Client(printed["url"].replace("0.0.0.0", "127.0.0.1"))  # noqa: S104 - what was printed
        with pytest.raises(Unauthorized):
            client.authenticate("root", "root")
        assert printed["login"] == f"sispy login {printed['url']} --profile sandbox --user root"
        assert client.authenticate("root", "opensesame")
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=10)
    assert errors.splitlines()[0] == "Warning: anybody who can reach 0.0.0.0 can read everything."
    done = subprocess.run(
        [sys.executable, "-m", "sispy.sandbox", "--password-stdin"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "the password is empty." in done.stderr


def test_a_copy_says_whose_it_is_and_what_it_has(tmp_path):
    data = ("--data", str(tmp_path / "copy.sqlite"))
    with Sandbox(samples=5) as original:
        (site,) = original.client().entities("site").fetch_all({"fields": "name", "limit": 1})[:1]
        only = ("--only", "host hardware.cores>=1", "--only", f'site {{"name": "{site["name"]}"}}')
        process, printed = start("--copy-from", original.url, *only, *data, lines=5)
        process.terminate()
        _, errors = process.communicate(timeout=10)
    assert list(printed) == ["copy", "url", "user", "token", "login"]
    assert re.fullmatch(rf"of {original.url}, new \(\d{{4}}-\d\d-\d\d \d\d:\d\d UTC\)", printed["copy"])
    *told, copied, _ = errors.splitlines()
    assert told[:4] == [f"Copying {original.url}", "users: 6 of 6", "host: 5 of 5", "site: 1 of 1"]
    assert re.fullmatch(
        r"Copied host \(5\), site \(\d\), rack \(\d\), service \(\d+\); 6 users, 0 hiera entries, 0 hooks\.",
        copied,
    )

    again, printed = start(*data, lines=5)
    again.terminate()
    again.communicate(timeout=10)
    assert printed["copy"].startswith(f"of {original.url}, ")


def test_a_copy_that_fails_says_how_it_goes_on(tmp_path):
    data = tmp_path / "copy.sqlite"
    with Sandbox(samples=5, faults=faults.Faults(errors={"GET /entities/rack": (500, 1.0)})) as original:
        done = run("--port", "0", "--copy-from", original.url, "--data", str(data))
        assert done.exit_code == 6
        *_, where, way, reason = done.stderr.splitlines()
        assert where == "It ended while copying rack."
        assert way == f"What was copied so far is in {data}: the same command goes on."
        assert reason == "sispy: Internal error injected fault"
        original.faults = faults.Faults()
        process, printed = start("--data", str(data), lines=5)
        process.terminate()
        process.communicate(timeout=10)
        assert printed["copy"].endswith(f"; not complete: --copy-from {original.url} goes on")
        process, _ = start("--copy-from", original.url, "--data", str(data), lines=5)
        process.terminate()
        _, errors = process.communicate(timeout=10)
    assert errors.startswith(f"Going on to copy {original.url}\n")
    assert "Copied site (2), rack (2), service (12), host (5);" in errors


def test_a_copy_on_a_full_disk_says_so_and_goes_on_once_there_is_room(tmp_path, monkeypatch):
    data = tmp_path / "copy.sqlite"
    with Sandbox(samples=100) as original:
        with monkeypatch.context() as full:
            full.setattr(disk, "_TABLES", f"{disk._TABLES} PRAGMA max_page_count=60;")
            done = run("--port", "0", "--copy-from", original.url, "--data", str(data))
        assert done.exit_code == 3
        *_, way, reason = done.stderr.splitlines()
        assert way == f"What was copied so far is in {data}: the same command goes on."
        assert reason == f"sispy: {data} cannot be written: database or disk is full"
        process, _ = start("--copy-from", original.url, "--data", str(data), lines=5)
        process.terminate()
        _, errors = process.communicate(timeout=10)
        assert errors.startswith(f"Going on to copy {original.url}\n")
        assert "host: 100 of 100\n" in errors


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "new"),
        (2, "2 seconds old"),
        (119, "119 seconds old"),
        (120, "2 minutes old"),
        (2 * 3600 + 1, "2 hours old"),
        (86_400, "24 hours old"),
        (9 * 86_400, "9 days old"),
    ],
)
def test_the_age_of_a_copy(seconds, text, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000 + seconds)
    assert __main__._age(1_800_000_000_000) == f"{text} (2027-01-15 08:00 UTC)"


def test_what_keeps_it_from_starting(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        done = run("--port", port)
    assert done.exit_code != 0
    assert (
        done.stderr == f"sispy: the sandbox cannot start on 127.0.0.1 port {port}: Address already in use\n"
    )
    folder = tmp_path / "no" / "folder.sqlite"
    done = run("--port", "0", "--data", str(folder))
    assert done.stderr == (
        f"sispy: the sandbox cannot start on 127.0.0.1 port 0: {folder}: No such file or directory\n"
    )
    for option in (["--only", "host"], ["--history", "3"]):
        assert "give --copy-from" in run(*option).stderr
    assert "two beginnings" in run("--samples", "3", "--copy-from", "http://127.0.0.1:1").stderr
    unreachable = run("--port", "0", "--copy-from", "http://127.0.0.1:1")
    assert (unreachable.exit_code, "127.0.0.1:1" in unreachable.stderr) == (6, True)


@pytest.mark.parametrize("module", [package, faults, server])
def test_examples_of_the_documentation(module):
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_the_order_of_keys_means_nothing(call, schema):
    made = schema("row", {"m": "Mixed", "n": "Number"})
    row = call("POST", "/entities/row", {"m": {"a": 1, "b": 2}})[1]
    call("PUT", f"/entities/row/{row['_id']}", {"m": {"b": 2, "a": 1}}, {"forceMixed": "true"})
    assert len(call("GET", f"/entities/row/{row['_id']}/commits")[1]) == 1
    assert list(made["definition"]) == ["m", "n"]


def test_the_server_reverses_keys_of_new_objects():
    with Sandbox(faults=faults.Faults(defects=True)) as sis:
        client = sis.client()
        body = {"name": "row", "_sis": {"owner": ["g"]}, "definition": {"m": "Mixed", "n": "Number"}}
        assert list(client.schemas.create(body)["definition"]) == ["n", "m"]
        assert list(client.entities("row").create({"m": {"a": 1, "b": 2}})["m"]) == ["b", "a"]
