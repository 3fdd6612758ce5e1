"""Drafts: edits that were not pushed are offered again, and put back where rows are as they were."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("anywidget")

import sispy_pandas as sp
from sispy.sandbox import Sandbox
from sispy_pandas.pushing.journal import folder
from sispy_pandas.widgets import drafts
from sispy_pandas.widgets.drafts import Draft, drafts_of
from sispy_pandas.widgets.editor import FrameEditor
from sispy_pandas.widgets.grid_frame import joined

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "os": {"type": "String", "enum": ["rhel8", "rhel9"]},
    "cores": {"type": "Number", "max": 64},
    "note": "String",
    "facts": "Mixed",
}


SOON = drafts.Autosave.soon


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """Six hosts on a server of their own; drafts are written at once, in a folder of the test."""
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "pushes"))
    monkeypatch.setattr(drafts.Autosave, "soon", drafts.Autosave.now)
    with Sandbox() as sis:
        client = sis.client()
        client.schemas.create({"name": "host", "_sis": {"owner": ["ops"]}, "definition": DEFINITION})
        hosts = client.entities("host")
        for n in range(6):
            hosts.create({"name": f"web{n}", "os": "rhel8", "cores": n + 1, "facts": {"slot": n}})
        yield hosts


def opened(hosts, frame=None):
    return FrameEditor(sp.fetch(hosts, progress=False), frame)


def hears(editor, kind, **content):
    grid = editor._grid
    grid._receive(grid, {"type": kind, "order": grid._order, **content}, [])


def edit(editor, *cells):
    columns = [column.field.path for column in editor._grid.model.columns]
    hears(editor, "edit", cells=[[row, columns.index(path), given] for row, path, given in cells])


def files():
    return sorted(folder().glob("*.draft"))


def offered(editor):
    """The text of the offer, and what was told about the last one; None where nothing is offered."""
    offer = editor._offer
    return None if offer.layout.display == "none" else (offer._text.value, offer._told.value)


def texts(widget):
    return widget.replace("<", "\n<").splitlines()


def test_edits_are_offered_again_and_put_back_as_they_were(hosts):
    first = opened(hosts)
    assert (offered(first), files()) == (None, [])
    edit(first, (0, "os", "rhel9"), (1, "cores", "999"), (2, "note", '""'), (3, "facts", "{slot}"))
    hears(first, "add", at=None, count=1)
    edit(first, (6, "name", "db1"), (6, "cores", "many"))
    hears(first, "delete", rows=[[5, 5]])
    (path,) = files()
    assert path.stat().st_mode & 0o777 == 0o600
    assert hosts.client.auth_token not in path.read_text()
    again = opened(hosts)
    assert again._grid.model.edits == {}  # nothing happens unasked
    assert offered(again) == (
        '<span role="status">'
        "Not pushed: 4 cells, 1 new row, 1 row to delete, edited less than a minute ago</span>",
        "",
    )
    again._offer.take()
    assert (again._grid.model.edits, offered(again)) == (first._grid.model.edits, None)
    assert joined(again._grid.model).equals(joined(first._grid.model))
    (own,) = files()
    assert own != path  # what was put back is a draft of the editor that holds it now
    hears(again, "undo")  # one step
    assert (again._grid.model.edits, files()) == ({}, [])


def test_what_was_edited_a_moment_ago_is_offered_too(hosts, monkeypatch):
    monkeypatch.setattr(drafts.Autosave, "soon", SOON)
    monkeypatch.setattr(drafts, "_PAUSE", 3600.0)
    first = opened(hosts)
    edit(first, (0, "os", "rhel9"))
    assert files() == []
    again = opened(hosts)
    assert offered(again) is not None
    again._offer.discard()
    edit(first, (0, "os", "rhel8"))  # and nothing waits any more
    drafts.write_waiting()
    assert (files(), drafts._waiting) == ([], set())


def test_a_draft_keeps_the_ends_of_lines_that_a_text_may_hold(hosts):
    ends = "a\u2028b\u2029c\x85d\ne\rf\x0b"
    first = opened(hosts, sp.fetch(hosts, progress=False).frame().assign(note=ends))
    first._saved.now()

    again = opened(hosts)
    again._offer.take()

    assert again._grid.model.edits == first._grid.model.edits
    assert len(again._grid.model.edits) == 6


def test_what_changed_meanwhile_is_told_and_stays_in_the_draft(hosts):
    first = opened(hosts)
    edit(
        first,
        (0, "cores", "50"),
        (1, "cores", "51"),
        (2, "cores", "52"),
        (3, "cores", "53"),
        (4, "os", "rhel9"),
    )
    hears(first, "delete", rows=[[5, 5]])
    rows = [row["_id"] for row in hosts.fetch_all({"sort": "_id"})]
    hosts.update(rows[1], {"cores": 8})
    hosts.update(rows[2], {"cores": 52})  # somebody had the same idea
    hosts.delete(rows[3])
    hosts.update(rows[4], {"_sis": {"immutable": True}})
    hosts.update(rows[5], {"note": "in use again"})
    again = opened(hosts)
    again._offer.take()
    assert {
        row: {p: e.value for p, e in edits.items()} for row, edits in again._grid.model.edits.items()
    } == {0: {"cores": 50}}
    told = texts(offered(again)[1])
    assert [line for line in told if line.startswith("<li>")] == [
        "<li>web1, cores: 2 is 8 by now, the draft has 51",
        "<li>web4: the row is immutable: it cannot be changed",
        "<li>web5 was to be deleted, and was changed since",
        "<li>web3: it is gone, or not shown",
    ]
    assert texts(offered(again)[0])[1].startswith('<span role="status">Put back: 5 cells, 1 row to delete')
    assert again._offer._back.layout.display == "none"
    assert len(files()) == 2
    again._offer.discard()
    assert (offered(again), len(files())) == (None, 1)


def test_what_is_typed_after_a_draft_was_put_back_is_not_written_over(hosts):
    """A second "Put them back" took the draft's value again, without a word."""
    edit(opened(hosts), (0, "cores", "50"), (1, "cores", "51"))
    again = opened(hosts)
    edit(again, (0, "cores", "42"), (1, "cores", "51"))
    again._offer.take()
    assert again.frame()["cores"].tolist() == [42, 51, 3, 4, 5, 6]
    assert "web0, cores: 42 was typed since, the draft has 50" in offered(again)[1]


def test_a_pushed_or_discarded_editor_leaves_no_draft(hosts):
    editor = opened(hosts)
    edit(editor, (0, "os", "rhel9"), (1, "cores", "999"))
    review = editor.review()
    review._row.push.click()
    review.wait()
    (path,) = files()  # what was refused is still an edit
    assert [line for line in path.read_text().splitlines() if '"update"' in line and '"os"' in line] == []
    edit(editor, (1, "cores", "9"))
    review = editor.review()
    review._row.push.click()
    review.wait()
    assert files() == []
    edit(editor, (0, "note", "x"), (1, "note", "y"))
    assert len(files()) == 1
    editor.discard()
    assert (editor._grid.model.edits, files()) == ({}, [])
    hears(editor, "undo")
    assert (len(editor._grid.model.edits), len(files())) == (2, 1)


def test_a_draft_belongs_to_a_server_a_table_and_a_user(hosts, monkeypatch):
    edit(opened(hosts), (0, "note", "root's"))
    snapshot = sp.fetch(hosts, progress=False)
    assert [draft.counts["cells"] for draft in drafts_of(hosts, snapshot.schema)] == [1]
    hosts.client.schemas.create({"name": "rack", "_sis": {"owner": ["ops"]}, "definition": DEFINITION})
    assert offered(opened(hosts.client.entities("rack"))) is None
    user = {"name": "ann", "email": "ann@example.com", "pw": "ann's", "roles": {"ops": "user"}}
    hosts.client.users.create(user)
    ann = type(hosts.client)(hosts.client.url)
    ann.authenticate("ann", "ann's")
    assert offered(opened(ann.entities("host"))) is None
    monkeypatch.setattr(drafts, "is_mine", lambda path: False)  # of another user of a team's folder
    assert offered(opened(hosts)) is None


def test_several_drafts_are_offered_one_after_the_other_and_old_ones_go(hosts, monkeypatch):
    for text in ("one", "two", "three"):
        edit(opened(hosts), (0, "note", text))
    old, newer, newest = files()
    month = time.time() - drafts.KEPT.total_seconds() - 60
    os.utime(old, (month, month))
    newer.write_text(newer.read_text().replace(datetime.now(UTC).strftime("%Y-"), "2025-"))
    editor = opened(hosts)
    assert not old.exists()
    assert "1 cell, edited less than a minute ago (1 more after this)" in offered(editor)[0]
    editor._offer.discard()
    assert "days ago" in offered(editor)[0]
    editor._offer.take()  # somebody has altered it
    assert "was altered after it was saved" in offered(editor)[1]
    assert (editor._grid.model.edits, files()) == ({}, [newer])
    ages = [Draft(newest, datetime.now(UTC) - timedelta(seconds=n), {"deletes": 2}) for n in (3_700, 200)]
    assert [str(draft) for draft in ages] == [
        "2 rows to delete, edited 1 hour ago",
        "2 rows to delete, edited 3 minutes ago",
    ]


def test_a_folder_that_cannot_be_written_is_said_and_stops_no_edit(hosts, tmp_path):
    (tmp_path / "pushes").write_text("no folder")
    editor = opened(hosts)
    edit(editor, (0, "note", "x"))
    assert editor._message.value.startswith("Edits are not kept on disk: ")
    assert len(editor._grid.model.edits) == 1
