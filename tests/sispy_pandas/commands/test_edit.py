"""The grid in the browser, for people without a notebook."""

import re
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("sispy")


@pytest.fixture
def served(env, need):
    """Start `sispy edit`: the process, and the address of its page."""
    for package in ("voila", "anywidget"):
        need(find_spec(package), package)
    started = []

    def start(*args):
        process = subprocess.Popen(
            [PROGRAM, "edit", *args, "--no-browser"],
            env={**env, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1400, "height": 1200})
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def test_rows_are_edited_reviewed_and_pushed_until_the_last_tab_is_closed(served, page, sis):
    process, address = served("host", "status=live", "--fields", "name,serial")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{48}", address)
    page.goto(address.partition("?")[0])
    assert page.url.endswith("/login?next=%2F")

    page.goto(address, wait_until="commit")
    cell = page.locator('.sispy-grid .body [data-row="0"][data-column="1"]').first
    cell.dblclick()
    page.locator(".editor").fill("SN-EDIT")
    page.keyboard.press("Enter")
    page.locator(".counts .changed").wait_for()
    assert page.title() == "host status=live"
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("setTimeout(() => location.reload())")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]

    page.get_by_role("button", name="Review the changes").click()
    page.locator("button", has_text=re.compile(r"^\s*Push$")).click()
    page.get_by_text("done: 1").wait_for()
    page.close()

    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert re.search(r"pushed: \w{6} \(.*, host, 1 row written\); `\S*sispy undo \w{6}` puts", said)
    assert sis.client().entities("host").count({"serial": "SN-EDIT", "status": "live"}) == 1


def test_ctrl_c_ends_it_and_an_error_of_the_page_is_a_sentence(served, page, sis):
    process, address = served("host")
    sis.client().schemas.delete("host")

    page.goto(address, wait_until="commit")
    page.get_by_text("the server has no schema 'host'").wait_for()
    process.send_signal(signal.SIGINT)

    assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["hots"], 64, "has no table 'hots'. Did you mean host?"),
        (["host", "status=lvie"], 64, "did you mean 'live'?"),
        (["host", "--fields", "nme"], 64, "did you mean 'name' or 'os.name'?"),
    ],
)
def test_what_cannot_be_edited_is_said_before_anything_is_set_up(sispy, args, status, said):
    result = sispy("edit", *args)

    assert (result.exit_code, result.stdout) == (status, "")
    assert said in result.stderr


def test_who_could_not_push_is_told_before_editing(sispy, monkeypatch):
    monkeypatch.delenv("SIS_TOKEN")

    result = sispy("edit", "host")

    assert result.exit_code == 7
    assert "writing needs one" in result.stderr


def test_a_taken_port_is_named(sispy):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        result = sispy("edit", "host", "--port", port)

    assert (result.exit_code, f"port {port} cannot be had: Address already in use" in result.stderr) == (
        64,
        True,
    )


def test_a_missing_extra_is_named(sispy, monkeypatch):
    monkeypatch.setitem(sys.modules, "voila", None)

    result = sispy("edit", "host")

    assert (result.exit_code, result.stderr) == (64, 'sispy: voila is missing: pip install ".[app]"\n')
