"""What a command leaves behind that was stopped: an export's old file, a push that can be resumed."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from sispy.sandbox import Faults, Sandbox

ROWS = 600
"""More than two chunks of a push."""


@pytest.fixture
def sis():
    with Sandbox(samples=ROWS) as sis:
        yield sis


def wait_for(sis, method, path):
    end = time.monotonic() + 20
    while not any(seen.method == method and seen.path == path for seen in sis.requests):
        assert time.monotonic() < end, "the request does not come"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)]
)
def test_an_export_that_is_stopped_leaves_yesterdays_file(terminal, sis, stop, status):
    Path("hosts.csv").write_text("yesterday\n")
    sis.faults = Faults(latencies={"GET /entities/host": 1.0})

    child = terminal("export", "host", "-o", "hosts.csv", "--quiet")
    wait_for(sis, "GET", "/schemas/host")
    time.sleep(0.3)
    os.kill(child.pid, stop)
    child.read()

    assert child.ended() == status
    assert Path("hosts.csv").read_text() == "yesterday\n"
    if stop != signal.SIGKILL:
        assert list(Path().glob(".*.part")) == []


@pytest.fixture
def pushed(terminal, sis):
    """Start a push of all rows, and return it when its first chunk is on the way."""
    names = [row["name"] for row in sis.client().entities("host").fetch_all({"fields": "name"})]
    Path("notes.csv").write_text("name,notes\n" + "".join(f"{name},seen\n" for name in names))
    sis.faults = Faults(latencies={"PUT /entities/host": 0.4})
    child = terminal("push", "host", "notes.csv", "--key", "name", "--yes")
    wait_for(sis, "PUT", "/entities/host")
    return child


def test_ctrl_c_before_a_push_begins_says_that_nothing_was_pushed(terminal, sis):
    Path("notes.csv").write_text("name,notes\nx,seen\n")
    sis.faults = Faults(latencies={"GET /entities/host": 3.0})
    child = terminal("push", "host", "notes.csv", "--key", "name", "--yes")
    wait_for(sis, "GET", "/entities/host")
    child.send("\x03")
    shown = child.read()

    assert child.ended() == 130
    assert "sispy: interrupted: nothing was pushed" in shown


def test_ctrl_c_before_the_first_row_was_sent_says_so(terminal, sispy, sis):
    name = sis.client().entities("host").fetch_page({"limit": 1})[0]["name"]
    Path("notes.csv").write_text(f"name,notes\n{name},seen\n")
    sis.faults = Faults(latencies={"GET /entities/host": 0.4})
    child = terminal("push", "host", "notes.csv", "--key", "name", "--yes")
    child.expect("1 update")
    child.send("\x03")
    shown = child.read()

    assert child.ended() == 130
    assert "stopping after the request under way" in shown
    assert "interrupted: nothing was sent" in shown
    assert "goes on" not in shown
    assert seen(sis) == 0


def seen(sis):
    return sis.client().entities("host").count({"notes": "seen"})


def test_ctrl_c_ends_a_push_between_two_requests_and_resume_goes_on(pushed, sispy, sis):
    pushed.send("\x03")
    shown = pushed.read()

    assert pushed.ended() == 130
    assert "stopping after the request under way; once more to stop at once" in shown
    assert "interrupted: `sispy resume" in shown
    assert 0 < seen(sis) < ROWS
    assert " no " in sispy("pushes").stdout.splitlines()[1]
    assert sispy("resume").exit_code == 64  # it would have to ask
    result = sispy("resume", "--yes")
    assert result.exit_code == 0
    assert seen(sis) == ROWS
    assert sispy("resume").exit_code == 64  # nothing is unfinished any more


def test_a_second_ctrl_c_ends_a_push_at_once_and_names_the_way_on(pushed, sispy, sis):
    sis.faults = Faults(latencies={"PUT /entities/host": 3.0})
    pushed.send("\x03")
    pushed.expect("once more to stop at once")
    pushed.send("\x03")
    shown = " ".join(pushed.read().split())

    assert pushed.ended() == 130
    (name,) = re.findall(r"interrupted: `sispy resume (\S+)` goes on, `sispy undo \1` goes back", shown)
    sis.faults = Faults()
    assert sispy("resume", name, "--yes").exit_code == 0
    assert seen(sis) == ROWS


def test_a_second_terminal_waits_for_its_turn_or_does_not_want_to(pushed, terminal, sispy, sis):
    Path("other.csv").write_text(Path("notes.csv").read_text().replace(",seen", ",other"))

    waiting = terminal("push", "host", "other.csv", "--key", "name", "--yes")
    waiting.expect("waiting for the push of ")
    busy = sispy("push", "host", "other.csv", "--key", "name", "--yes", "--no-wait")
    pushed.read()
    waiting.read()

    assert (busy.exit_code, pushed.ended(), waiting.ended()) == (4, 0, 4)
    assert re.search(r"nothing was pushed: host is in use by the push of root \(pid \d+, since ", busy.stderr)
    # the second plan was made in the midst of the first push: what that had written was no conflict
    assert seen(sis) + sis.client().entities("host").count({"notes": "other"}) == ROWS


def test_a_push_that_was_killed_is_resumed(pushed, sispy, sis):
    os.kill(pushed.pid, signal.SIGKILL)
    pushed.read()

    assert pushed.ended() == -9
    result = sispy("resume", "--yes")
    assert result.exit_code == 0
    assert re.search(r", host, \d+ rows written, \d+ sent whose fate is open\)", result.stderr)
    assert seen(sis) == ROWS
    assert sispy("undo", "--yes").exit_code == 0
    assert seen(sis) == 0
