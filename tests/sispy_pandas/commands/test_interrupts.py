"""What a command leaves behind that was stopped: an export's old file, a push that can be resumed."""

import os
import re
import signal
from functools import partial
from pathlib import Path

import pytest

import sispy_pandas as sp
from gate import Gate

HOSTS = 60
"""Rows of the sandbox."""


@pytest.fixture
def held(sis):
    """Return a function that holds up a request; see `Gate`."""
    gates = []

    def hold(route, **which):
        gates.append(Gate(sis, route, **which))
        return gates[-1]

    yield hold
    for gate in gates:
        gate.open()


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Travel in small steps, so that a table of a few rows takes several."""
    limits = partial(sp.Limits, rows=20, settle=0.05, settle_row=0.0)
    monkeypatch.setattr("sispy_pandas.pushing.push.Limits", limits)
    monkeypatch.setattr("sispy_pandas.reading.pages.MAX_PAGE", 10)


@pytest.mark.parametrize(
    ("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)]
)
def test_an_export_that_is_stopped_leaves_yesterdays_file(terminal, held, stop, status):
    Path("hosts.csv").write_text("yesterday\n")
    page = held("GET /entities/host", after=4)

    child = terminal("export", "host", "-o", "hosts.csv", "--quiet")
    page.wait()
    assert len(list(Path().glob(".*.part"))) == 1
    os.kill(child.pid, stop)
    child.read()

    assert child.ended() == status
    assert Path("hosts.csv").read_text() == "yesterday\n"
    if stop != signal.SIGKILL:
        assert list(Path().glob(".*.part")) == []


class Pushing:
    """A push of all rows whose first chunk is on the way: the command, and its request."""

    def __init__(self, child, request):
        self.child, self.request = child, request

    def goes_on(self):
        """Let the request be answered; return the exit status and what was shown."""
        self.request.open()
        shown = self.child.read()
        return self.child.ended(), shown


@pytest.fixture
def pushing(terminal, sis, held):
    names = [row["name"] for row in sis.client().entities("host").fetch_all({"fields": "name"})]
    Path("notes.csv").write_text("name,notes\n" + "".join(f"{name},seen\n" for name in names))
    request = held("PUT /entities/host")
    child = terminal("push", "host", "notes.csv", "--key", "name", "--yes")
    request.wait()
    return Pushing(child, request)


def test_ctrl_c_before_a_push_begins_says_that_nothing_was_pushed(terminal, held):
    Path("notes.csv").write_text("name,notes\nx,seen\n")
    page = held("GET /entities/host")
    child = terminal("push", "host", "notes.csv", "--key", "name", "--yes")
    page.wait()
    child.send("\x03")
    shown = child.read()

    assert child.ended() == 130
    assert "sispy: interrupted: nothing was pushed" in shown


def seen(sis):
    return sis.client().entities("host").count({"notes": "seen"})


def test_ctrl_c_ends_a_push_between_two_requests_and_resume_goes_on(pushing, sispy, sis):
    pushing.child.send("\x03")
    pushing.child.expect("stopping after the request under way; once more to stop at once")
    status, shown = pushing.goes_on()

    assert status == 130
    assert "interrupted: `sispy resume" in shown
    assert seen(sis) == 20
    assert " no " in sispy("pushes").stdout.splitlines()[1]
    assert sispy("resume").exit_code == 64  # it would have to ask
    result = sispy("resume", "--yes")
    assert result.exit_code == 0
    assert seen(sis) == HOSTS
    assert sispy("resume").exit_code == 64  # nothing is unfinished any more


def test_a_second_ctrl_c_ends_a_push_at_once_and_names_the_way_on(pushing, sispy, sis):
    pushing.child.send("\x03")
    pushing.child.expect("once more to stop at once")
    pushing.child.send("\x03")
    shown = " ".join(pushing.child.read().split())

    assert pushing.child.ended() == 130
    (name,) = re.findall(r"interrupted: `sispy resume (\w{6})` goes on, `sispy undo \1` goes back", shown)
    pushing.request.open()
    assert sispy("resume", name, "--yes").exit_code == 0
    assert seen(sis) == HOSTS


def test_a_second_terminal_waits_for_its_turn_or_does_not_want_to(pushing, terminal, sispy, sis):
    Path("other.csv").write_text(Path("notes.csv").read_text().replace(",seen", ",other"))

    waiting = terminal("push", "host", "other.csv", "--key", "name", "--yes")
    waiting.expect("waiting for the push of ")
    busy = sispy("push", "host", "other.csv", "--key", "name", "--yes", "--no-wait")
    status, _ = pushing.goes_on()
    waiting.read()

    assert (busy.exit_code, status, waiting.ended()) == (4, 0, 4)
    assert re.search(r"nothing was pushed: host is in use by the push of root \(pid \d+, since ", busy.stderr)
    # the second plan was made in the midst of the first push: what that had written was no conflict
    assert seen(sis) + sis.client().entities("host").count({"notes": "other"}) == HOSTS


def test_a_push_that_was_killed_is_resumed(pushing, sispy, sis):
    os.kill(pushing.child.pid, signal.SIGKILL)
    pushing.child.read()
    pushing.request.open()

    assert pushing.child.ended() == -9
    result = sispy("resume", "--yes")
    assert result.exit_code == 0
    assert re.search(r", host, \d+ rows written, \d+ sent without an answer\)", result.stderr)
    assert seen(sis) == HOSTS
    assert sispy("undo", "--yes").exit_code == 0
    assert seen(sis) == 0
