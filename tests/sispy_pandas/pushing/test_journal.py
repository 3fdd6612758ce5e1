"""Journals as files: where they are, what they may be, and what a crash left of a line."""

import json
import os
import re
from pathlib import Path

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy_pandas.pushing import journal


@pytest.mark.parametrize(
    "labels", [[("a", 1), ("b", 2)], [pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-02")]]
)
def test_new_rows_with_labels_that_json_does_not_know_are_resumed_and_undone(server, labels):
    logs = server.client.entities("log")
    index = pd.MultiIndex.from_tuples(labels) if isinstance(labels[0], tuple) else pd.Index(labels)
    new = pd.DataFrame({"text": ["a", "b"]}, index=index)
    plan = sp.fetch(logs, progress=False).diff(new, new=True)
    report = plan.push(
        progress=False, cancel=iter([False, True]).__next__, limits=sp.Limits(rows=1, settle=0.1)
    )
    assert report.counts["unsent"] == 1
    assert report.journal is not None

    assert sp.resume(report.journal, client=server.client).push(progress=False).counts["done"] == 1
    assert plan.push(progress=False).counts["unchanged"] == 2
    assert sp.undo(report.journal, client=server.client).push(progress=False).counts["done"] == 2
    assert logs.count({}) == 0


@pytest.mark.parametrize(
    ("own", "state", "folder"),
    [
        ("own", "state", "own"),
        ("", "state", "state/sispy/pushes"),
        ("", "", "home/.local/state/sispy/pushes"),
    ],
)
def test_where_journals_are_kept(monkeypatch, own, state, folder):
    monkeypatch.setenv("SISPY_JOURNALS", own)
    monkeypatch.setenv("XDG_STATE_HOME", state)
    monkeypatch.setenv("HOME", "home")

    assert journal.folder() == Path(folder)


def test_whose_a_journal_is_its_owner_tells_where_files_have_one(tmp_path, monkeypatch):
    path, user = tmp_path / "j", os.getuid()
    path.touch()

    found = [journal.is_mine(path)]
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    found.append(journal.is_mine(path))
    monkeypatch.delattr(os, "getuid")

    assert [*found, journal.is_mine(path)] == [True, False, True]


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_regular_file_is_no_journal_and_nothing_is_sent(server, tmp_path, kind):
    path = tmp_path / kind
    (path.mkdir if kind == "folder" else lambda: os.mkfifo(path))()
    live = server.fetch()
    plan = live.diff(live.frame().head(1).assign(cpus=9))
    seen = len(server.sandbox.requests)

    for use in (
        lambda: plan.push(progress=False, journal=path),
        lambda: sp.undo(path),
        lambda: journal.Journal(path),
    ):
        with pytest.raises(ValueError, match="is not a journal of a push: it is not a regular file"):
            use()

    assert len(server.sandbox.requests) == seen


@pytest.mark.parametrize("whole", [b"", b"{}\n", b"x" * 20 + b"\n{}\n"])
@pytest.mark.parametrize("torn", [b"", b"{", b"y" * 7, b"y" * 8, b"y" * 30])
def test_a_torn_line_of_any_length_is_cut_off(tmp_path, monkeypatch, whole, torn):
    monkeypatch.setattr("sispy_pandas.pushing.journal.BLOCK", 8)
    path = tmp_path / "j"
    path.write_bytes(whole + torn)

    with journal.Journal(path) as file:
        file.event("end")

    assert path.read_bytes().startswith(whole + b'{"event":"end"')


def test_ctrl_c_while_a_journal_is_opened_leaves_it_to_the_next_push(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as caught:
        patch.setattr(journal, "_cut_torn_line", interrupted)
        journal.Journal(tmp_path / "j")

    assert caught.tb is not None  # which a notebook keeps, and with it what was not closed
    journal.Journal(tmp_path / "j").close()


def test_ctrl_c_after_rows_were_written_down_leaves_a_journal_that_can_be_read(server, monkeypatch):
    plan = server.fetch().diff(server.fetch().frame().assign(cpus=9))
    put = journal.Journal._put

    def interrupted(self, name, content):
        put(self, name, content)
        if name == "done":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(journal.Journal, "_put", interrupted)
        plan.push(progress=False)

    (path,) = journal.folder().glob("*.jsonl")
    assert sp.resume(path, client=server.client).push(progress=False).counts["failed"] == 0
    assert [row["cpus"] for row in server.stored().values()] == [9] * 20
    assert len(sp.resume(path, client=server.client)) == 0


def test_a_plan_takes_the_place_of_a_longer_one_whose_push_never_began(tmp_path):
    path = tmp_path / "j"
    for lines in (['{"sispy":1}', "{}"], ['{"sispy":2}']):
        with journal.Journal(path) as file:
            file.lines(lines)

    assert path.read_bytes() == b'{"sispy":2}\n'


def test_a_row_of_a_journal_costs_little_more_than_its_line_of_the_plan(server):
    live = server.fetch()
    plan = live.diff(live.frame().assign(cpus=range(10, 30)))

    report = plan.push(progress=False, verify=False)

    lines = map(json.loads, report.journal.read_bytes().splitlines())
    events = {event["event"]: event for event in lines if "event" in event}
    after = server.fetch().records()
    assert list(events) == ["begin", "send", "done", "end"]
    assert events["send"]["rows"] == [[id_] for id_ in live.ids]
    assert events["done"]["rows"] == [[row["_id"], row["_sis"]["_updated_at"]] for row in after]
    assert sp.undo(report.journal, server.client).push(progress=False).ok
    assert server.fetch().frame()["cpus"].tolist() == live.frame()["cpus"].tolist()


def test_a_journal_and_its_folder_are_for_their_owner_alone(tmp_path):
    path = tmp_path / "state" / "pushes" / "j"

    for _ in range(2):
        with journal.Journal(path):
            pass

    assert [oct(one.stat().st_mode & 0o777) for one in (path.parent, path)] == ["0o700", "0o600"]


def test_every_push_has_a_name_of_its_own():
    paths = [*(journal.new_path("host") for _ in range(20)), journal.new_path("host", "b94b47", part=2)]

    names = [journal.short(path) for path in paths]

    assert (len(set(names)), names[-1]) == (21, "b94b47")
    assert all(re.fullmatch(r"[0-9a-f]{6}", name) for name in names)


def test_new_rows_that_nothing_knows_again_are_not_sent_without_a_journal(server):
    logs = server.client.entities("log")
    plan = sp.fetch(logs, progress=False).diff(pd.DataFrame({"text": ["a"]}), new=True)

    with pytest.raises(sp.PlanRefused, match=r"^schema 'log' has no unique field .* they need a journal"):
        plan.push(progress=False, journal=False)

    assert logs.count({}) == 0


def test_no_plan_takes_the_place_of_a_push_that_began(server):
    live = server.fetch()
    report = live.diff(live.frame().head(1).assign(cpus=9)).push(progress=False)

    with (
        journal.Journal(report.journal) as again,
        pytest.raises(ValueError, match="is the journal of another push"),
    ):
        again.lines(["{}"])

    assert sp.undo(report.journal, server.client).push(progress=False).counts["done"] == 1
