"""The editor and the review on a real server, without a page: edit, review, push, decide, undo."""

from __future__ import annotations

import json
import re
import sys
import threading
from dataclasses import replace

import pandas as pd
import pytest

pytest.importorskip("anywidget")

import sispy
import sispy_pandas as sp
from sispy import NoAnswer
from sispy.sandbox import Sandbox
from sispy_pandas.values.times import brief, iso
from sispy_pandas.values.types.base import Field
from sispy_pandas.widgets import cells
from sispy_pandas.widgets import editor as editor_module
from sispy_pandas.widgets import labels as labels_module
from sispy_pandas.widgets.cells import Edit
from sispy_pandas.widgets.drafts import edits_of, put_back
from sispy_pandas.widgets.editor import FrameEditor
from sispy_pandas.widgets.grid_model import View
from sispy_pandas.widgets.grid_names import SEVERAL, with_ids
from sispy_pandas.widgets.grid_order import look
from sispy_pandas.widgets.grid_window import window
from sispy_pandas.widgets.labels import ServerLabels
from sispy_pandas.widgets.review import PlanReview

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["live", "spare"]},
    "cores": {"type": "Number", "min": 1, "max": 64},
    "up": "Boolean",
    "rack": {"type": "ObjectId", "ref": "rack"},
    "tags": ["String"],
    "spares": [{"type": "ObjectId", "ref": "rack"}],
}


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """Hosts on a server of its own; journals in a folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with Sandbox() as sis:
        client = sis.client()
        rack = {"name": {"type": "String", "required": True, "unique": True}}
        for name, definition in (("rack", rack), ("host", DEFINITION)):
            content = {"name": name, "_sis": {"owner": ["ops"]}, "definition": definition}
            client.schemas.create(content)
        racks = [client.entities("rack").create({"name": f"R{n}"})["_id"] for n in range(2)]
        hosts = client.entities("host")
        for n in range(12):
            hosts.create({"name": f"web{n:02}", "cores": n + 1, "status": "live", "rack": racks[n % 2]})
        yield hosts


@pytest.fixture
def editor(hosts):
    return FrameEditor(sp.fetch(hosts, progress=False))


def edit(editor, *given):
    assert editor._grid.model.edit(given) == []


def lines(review):
    """What the review shows: key, field, before, after and whether it is ticked."""
    frame = review._parts[0].table.model.base
    shown = frame[["row", "field", "before", "after", "send"]]
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in shown.itertuples(index=False)]


def test_edits_become_a_reviewed_plan_and_the_report_becomes_the_new_base(editor, hosts):
    edit(editor, (0, "cores", "7"), (1, "cores", "999"), (2, "up", True), (3, "tags", '["a"]'))
    editor._grid.model.add_rows()
    edit(editor, (12, "name", "db1"))
    editor._grid.model.toggle_delete([5])
    assert len(editor.frame()) == 12
    review = editor.review()
    assert lines(review) == [
        ("web01", "cores", "2", "999", False),  # problems come first, and are not ticked
        ("web00", "cores", "1", "7", True),
        ("web02", "up", None, "true", True),
        ("web03", "tags", None, '["a"]', True),
        ("db1", "name", None, "db1", True),
        ("web05", None, "(the whole row)", None, True),
    ]
    review._parts[0].table.model.edit([(3, "send", False)])
    assert review.chosen().frame()["field"].tolist()[:2] == ["cores", "up"]
    review._row.push.click()
    review.wait()
    assert review.report.counts["done"] == 4
    now = sp.fetch(hosts, progress=False).frame()
    assert now["name"].tolist() == [*(f"web{n:02}" for n in range(12) if n != 5), "db1"]
    assert (now["cores"].iloc[0], bool(now["up"].iloc[2]), now["tags"].iloc[3]) == (7, True, ())
    model = editor._grid.model
    assert {row: list(edits) for row, edits in model.edits.items()} == {1: ["cores"], 3: ["tags"]}
    assert model.base["name"].tolist() == now["name"].tolist()
    assert editor.plan().counts["cells"] == 2


def test_a_push_leaves_sorts_filters_and_hidden_columns_as_they_are(editor):
    view = View(sorts=(("name", True),), filters={"cores": "<9"}, hidden=frozenset({"up"}), show="changed")
    edit(editor, (0, "cores", "7"))
    look(editor._grid.model, view)
    review = editor.review()
    review._row.push.click()
    review.wait()
    model = editor._grid.model
    assert model.view == replace(view, show="all")
    assert model.order.tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert [column["name"] for column in editor._grid.columns[:4]] == ["name", "status", "cores", "rack"]


def test_a_conflict_is_shown_in_both_tables_and_decided_in_the_review(editor, hosts):
    edit(editor, (0, "cores", "7"), (1, "cores", "8"), (2, "cores", "9"))
    review = editor.review()
    for n in range(3):
        hosts.update(editor.snapshot.ids[n], {"cores": 50 + n})
    review._row.push.click()
    review.wait()
    assert review.report.counts["conflict"] == 3
    assert editor._grid.model.notes[0]["cores"].theirs == 50
    assert review._parts[0].table.model.base["theirs"].tolist() == ["50", "51", "52"]
    table = review._parts[0].table.model
    table.edit([(0, "keep", "mine"), (1, "keep", "theirs"), (2, "keep", "mine"), (2, "after", "33")])
    review._row.push.click()
    review.wait()
    cores = sp.fetch(hosts, progress=False).frame()["cores"].tolist()
    assert (cores[:3], review.report.counts["done"]) == ([7, 51, 33], 2)
    assert editor._grid.model.edits == {}
    assert editor.frame()["cores"].tolist()[:3] == [7, 51, 33]
    review._row.undo.click()
    review.wait()
    assert [line[1:4] for line in lines(review.undoing)] == [("cores", "7", "50"), ("cores", "33", "52")]
    review.undoing._row.push.click()
    review.wait()
    assert sp.fetch(hosts, progress=False).frame()["cores"].tolist()[:3] == [50, 51, 52]
    assert editor._grid.model.base["cores"].tolist()[:3] == [50, 51, 52]


def test_conflicts_in_which_theirs_stays_end_in_the_editor_too(editor, hosts):
    edit(editor, (0, "cores", "7"), (1, "cores", "8"))
    review = editor.review()
    hosts.update(editor.snapshot.ids[0], {"cores": 50})
    review._row.push.click()
    review.wait()
    model = editor.review()._parts[0].table.model  # another review of the conflict, without a push before it
    model.edit([(0, "keep", "theirs")])
    editor._below.children[0]._row.push.click()
    assert (editor._grid.model.edits, editor._grid.model.counts()["conflicts"]) == ({}, 0)
    assert editor.frame()["cores"].tolist()[:2] == [50, 8]
    assert editor.plan().empty


def test_another_review_decides_no_conflict_that_the_last_push_left(editor, hosts):
    edit(editor, (0, "cores", "7"), (0, "up", True), (1, "cores", "8"))
    review = editor.review()
    hosts.update(editor.snapshot.ids[0], {"cores": 50})
    hosts.delete(editor.snapshot.ids[1])
    review._row.push.click()
    review.wait()
    model = editor._grid.model
    row = window(model, 0, 2)
    cores = [column["name"] for column in editor._grid.columns].index("cores")
    why = "somebody else changed it"
    assert row["marks"][0]["cells"] == {
        cores: {"is": "conflict", "was": "1", "theirs": "50", "why": why},
    }
    assert (row["marks"][1]["row"], row["marks"][1]["why"]) == ("failed", "somebody deleted the row")
    edit(editor, (2, "cores", "9"))
    plan = editor.plan()
    assert [(c.field, c.base, c.mine, c.theirs) for c in plan.conflict_list] == [("cores", 1, 7, 50)]
    for _ in range(2):  # the conflict stays one whatever else is pushed
        review = editor.review()
        base = review._parts[0].table.model.base
        assert base.loc[
            base["row"] == "web00", ["before", "after", "theirs", "outcome"]
        ].to_numpy().tolist() == [["1", "7", "50", "conflict"]]
        review._row.push.click()
        review.wait()
        assert hosts.get(editor.snapshot.ids[0])["cores"] == 50
        edit(editor, (3, "cores", "10"))
    assert editor.plan().push(progress=False).counts["conflict"] == 2
    draft = edits_of(editor._grid.model, editor.snapshot.endpoint)
    fresh = FrameEditor(sp.fetch(hosts, progress=False))
    assert put_back(fresh._grid.model, draft)[0] == "web00, cores: 1 is 50 by now, the draft has 7"
    table = editor.review()._parts[0].table.model
    table.edit([(table.base["row"].tolist().index("web00"), "keep", "mine")])
    review = editor._below.children[0]
    review._row.push.click()
    review.wait()
    assert hosts.get(editor.snapshot.ids[0])["cores"] == 7
    assert 0 not in editor._grid.model.edits


def test_a_delete_in_conflict_stays_one_until_it_is_decided(editor, hosts):
    """The second review had no conflict in it, and its push deleted the row with the other's value."""
    editor._grid.model.toggle_delete([0, 1])
    review = editor.review()
    ids = list(editor.snapshot.ids[:2])
    for id_ in ids:
        hosts.update(id_, {"cores": 50})
    review._row.push.click()
    review.wait()
    assert review.report.counts["conflict"] == 2
    hosts.update(ids[1], {"cores": 51})
    cores = [column["name"] for column in editor._grid.columns].index("cores")
    for again in range(2):  # whatever else is pushed
        model = editor._grid.model
        marks = window(model, 0, 1)["marks"][0]
        why = "somebody else changed cores"
        assert (marks["row"], marks["why"]) == ("conflict", why)
        assert marks["cells"][cores] == {
            "is": "conflict",
            "was": "1",
            "theirs": "50",
            "mine": "the row is to be deleted",
            "why": "somebody else changed it",
        }
        assert model.counts()["conflicts"] == 2
        for _ in range(2):  # a mark that is taken away and set again decides nothing
            model.toggle_delete([0, 1])
            assert model.counts()["conflicts"] == (0 if model.deleted_ids == [] else 2)
        plan = editor.plan()
        assert plan.conflicts[["_id", "field", "base", "mine", "theirs"]].to_numpy().tolist() == [
            [ids[0], "cores", 1, None, 50],
            [ids[1], "cores", 2, None, 50],
        ]
        edit(editor, (2 + again, "up", True))
        review = editor.review()
        table = review._parts[0].table.model
        shown = table.base.loc[table.base["action"] == "delete", ["theirs", "outcome", "reason"]]
        assert shown.to_numpy().tolist() == [["cores: 50", "conflict", "changed by somebody else"]] * 2
        review._parts[0].table.tick(True)
        review._row.push.click()
        review.wait()
        assert review.report.counts["done"] == 1
        assert [hosts.get(id_)["cores"] for id_ in ids] == [50, 51]
    assert editor.plan().push(progress=False).counts["conflict"] == 2
    fresh = FrameEditor(sp.fetch(hosts, progress=False))
    left = put_back(fresh._grid.model, edits_of(editor._grid.model, editor.snapshot.endpoint))
    assert left == [f"web0{n} was to be deleted, and was changed since" for n in range(2)]
    review = editor.review()
    table = review._parts[0].table.model
    table.edit([(0, "keep", "mine"), (1, "keep", "theirs")])
    review._row.push.click()
    review.wait()
    assert [row["name"] for row in hosts.fetch_all({"q": {"_id": {"$in": ids}}})] == ["web01"]
    assert (editor._grid.model.edits, editor._grid.model.counts()["conflicts"]) == ({}, 0)


def test_a_row_with_a_conflict_that_is_to_be_deleted_then_stays_in_conflict(editor, hosts):
    edit(editor, (0, "cores", "7"))
    review = editor.review()
    hosts.update(editor.snapshot.ids[0], {"cores": 50})
    review._row.push.click()
    review.wait()
    editor._grid.model.toggle_delete(range(3))
    review = editor.review()
    assert review.plan.conflicts[["field", "base", "theirs"]].to_numpy().tolist() == [["cores", 1, 50]]
    review._row.push.click()
    review.wait()
    assert (review.report.counts["done"], hosts.get(editor.snapshot.ids[0])["cores"]) == (2, 50)


def test_a_delete_of_a_row_that_was_written_in_a_column_out_of_sight_stays_in_conflict(hosts):
    editor = FrameEditor(sp.fetch(hosts, fields=["name"], progress=False))
    editor._grid.model.toggle_delete([0])
    review = editor.review()
    hosts.update(editor.snapshot.ids[0], {"cores": 50})
    when = brief(iso(hosts.get(editor.snapshot.ids[0])["_sis"]["_updated_at"]))
    for _ in range(2):
        review._row.push.click()
        review.wait()
        assert editor.plan().conflicts["field"].tolist() == ["_updated_at"]
        assert review._parts[0].table.model.base["theirs"].tolist() == [f"_updated_at: {when}"]
        assert window(editor._grid.model, 0, 1)["marks"][0]["row"] == "conflict"
        review = editor.review()
    assert hosts.count() == 12
    review._parts[0].table.model.edit([(0, "keep", "mine")])
    review._row.push.click()
    review.wait()
    assert hosts.count() == 11


def test_what_was_rejected_stays_an_edit_of_a_row_that_was_written(editor, hosts):
    edit(editor, (0, "cores", "7"), (0, "up", True))
    editor._grid.model.add_rows()
    edit(editor, (12, "name", "db1"), (12, "cores", "8"))
    review = editor.review()
    fields = review._parts[0].table.model.base["field"].tolist()
    review._parts[0].table.model.edit([(fields.index("up"), "send", False), (3, "send", False)])
    review._row.push.click()
    review.wait()
    model = editor._grid.model
    assert model.edits == {0: {"up": Edit(True)}, 12: {"cores": Edit(8)}}
    assert model.base["name"].iloc[12] == "db1"
    assert editor.plan().frame()[["key", "field"]].to_numpy().tolist() == [["web00", "up"], ["db1", "cores"]]


def test_what_is_typed_while_a_push_ends_is_kept(editor, monkeypatch):
    edit(editor, (0, "cores", "7"))
    grid, made = editor._grid, editor_module.after_push  # type: ignore[attr-defined] # patched below
    column = [column.field.path for column in grid.model.columns].index("cores")
    message = {"type": "edit", "cells": [[1, column, "9"]], "order": grid.status["order"]}
    page = threading.Thread(target=grid._receive, args=(grid, message, []))

    def slow(*given, **options):
        fresh = made(*given, **options)
        page.start()
        page.join(0.2)
        assert (editor.review(), review.busy) == (review, True)
        return fresh

    monkeypatch.setattr(editor_module, "after_push", slow)
    review = editor.review()
    review._row.push.click()
    review.wait()
    page.join()
    assert grid.model.edits == {1: {"cores": Edit(9)}}
    assert not review.busy


def test_an_edit_that_is_newer_than_the_review_stays(editor, hosts):
    edit(editor, (0, "cores", "7"), (1, "cores", "8"))
    review = editor.review()
    edit(editor, (0, "cores", "9"))
    for shown, sent in ((lambda: review, 7), (lambda: review.undoing, 1)):
        shown()._row.push.click()
        review.wait()
        assert hosts.get("web00")["cores"] == sent
        assert editor._grid.model.edits == {0: {"cores": Edit(9)}}
        assert editor._grid.model.base["cores"].iloc[0] == sent
        shown()._row.undo.click()
        review.wait()


def test_whole_fields_and_rows_are_accepted_and_rejected(editor):
    edit(editor, (0, "cores", "7"), (0, "status", "spare"), (1, "cores", "8"))
    review = PlanReview(editor.plan())
    box = next(box for box in review._parts[0].fields.children if box.description == "cores (2)")
    box.value = False
    assert review.chosen().frame()["field"].tolist() == ["status"]
    review._parts[0].grid._on_at(row=0)
    review._parts[0].accept_row.click()
    assert review.chosen().frame()[["key", "field"]].to_numpy().tolist() == [
        ["web00", "status"],
        ["web00", "cores"],
    ]
    assert [(box.description, box.value) for box in review._parts[0].fields.children] == [
        ("status (1)", True),
        ("cores (1 of 2)", True),
    ]
    review._parts[0].reject_row.click()
    assert [(box.description, box.value) for box in review._parts[0].fields.children] == [
        ("status (1)", False),
        ("cores (2)", False),
    ]
    assert review.chosen().empty
    review._row.push.click()
    assert "No cell is ticked" in review._message.value


def test_a_problem_can_be_corrected_in_the_review(editor, hosts):
    edit(editor, (0, "cores", "999"))
    review = editor.review()
    review._parts[0].table.model.edit([(0, "after", "many"), (0, "send", True)])
    review._row.push.click()
    assert "web00, cores:" in review._message.value
    review._parts[0].table.model.edit([(0, "after", "64")])
    review._row.push.click()
    review.wait()
    assert review.report.counts["done"] == 1
    assert hosts.get(editor.snapshot.ids[0])["cores"] == 64
    assert editor._grid.model.edits == {}


def test_many_deletes_want_their_number(editor, hosts):
    editor._grid.model.toggle_delete(range(11))
    review = editor.review()
    review._row.push.click()
    review.wait()
    assert "this deletes 11 rows, not 0: 11 in “Rows to delete” confirms it" in review._message.value
    review._row.deletes.value = 11
    review._row.push.click()
    review.wait()
    assert hosts.count() == 1


def test_a_cancelled_push_can_be_resumed(editor, hosts):
    edit(editor, (0, "cores", "7"))
    review = editor.review()
    review._row.stop.set()
    review._row.stop.clear = lambda: None  # the user clicks Cancel before the first chunk
    review._row.push.click()
    review.wait()
    assert (review.report.counts["unsent"], "sp.resume" in review._message.value) == (1, True)
    sp.resume(review.report.journal, client=hosts.client).push(progress=False).raise_for_failures()
    assert hosts.get(editor.snapshot.ids[0])["cores"] == 7


def test_a_filtered_and_edited_frame_can_be_opened(hosts):
    snapshot = sp.fetch(hosts, progress=False)
    frame = snapshot.frame().iloc[[4, 2]][["name", "cores", "_updated_at"]].assign(cores=[5, 60])
    editor = FrameEditor(snapshot, frame)
    assert (len(editor._grid.model), editor._grid.model.counts()["changed"]) == (2, 1)
    assert editor.plan().frame()[["key", "before", "after"]].to_numpy().tolist() == [["web02", 3, 60]]
    assert FrameEditor(snapshot).review() is None


def test_what_is_no_snapshot_or_no_frame_of_pandas_is_told_so(hosts):
    """It was a KeyError or an AttributeError."""
    live = sp.fetch(hosts, progress=False)
    with pytest.raises(TypeError, match=r"^the editor edits a snapshot, got DataFrame: sp\.fetch or"):
        FrameEditor(live.frame())  # type: ignore[arg-type]  # what people try
    with pytest.raises(
        TypeError, match=r"^the rows to edit are a DataFrame of pandas, got list: pd\.DataFrame"
    ):
        FrameEditor(live, [{"name": "web1"}])  # type: ignore[arg-type]
    dask = pytest.importorskip("dask.dataframe").from_pandas(live.frame(), npartitions=2)
    with pytest.raises(
        TypeError, match=r"^the rows to edit are a DataFrame of pandas, got a dask DataFrame: its"
    ):
        FrameEditor(live, dask)


def test_labels_are_asked_for_once_and_cost_nothing_when_the_server_is_gone(hosts):
    labels = ServerLabels(hosts.client)
    racks = {entity["_id"]: entity["name"] for entity in hosts.client.entities("rack").fetch_all()}
    assert labels.of("rack", [*racks, "f" * 24]) == racks
    assert [name for _, name in labels.find("rack", "r")] == ["R0", "R1"]
    assert labels.find("nothing", "x") == []
    hosts.client.request = None  # no further request is made
    assert labels.of("rack", list(racks)) == racks


def test_each_widget_has_a_static_view_and_a_short_repr(editor):
    edit(editor, (0, "cores", "7"))
    review = editor.review()
    assert repr(editor) == "<FrameEditor of host: 12 rows, 1 cell changed>"
    assert repr(review) == "<PlanReview of host: 1 of 1 cell will be sent>"
    assert "web00" in editor._repr_mimebundle_()["text/html"]
    assert ">cores</td>" in review._repr_mimebundle_()["text/html"]


def test_without_anywidget_the_editor_names_the_command_that_installs_it(hosts, monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=re.escape('pip install ".[grid]"')):
        FrameEditor(sp.fetch(hosts, progress=False))


def test_rows_that_nobody_or_this_user_may_write_look_so_from_the_start(hosts):
    root, ids = hosts.client, [row["_id"] for row in hosts.fetch_all({"sort": "_id"})]
    schema = root.schemas.get("host").to_dict()
    root.schemas.update("host", {**schema, "_sis": {"owner": ["ops", "db"]}})
    hosts.update(ids[0], {"_sis": {"immutable": True}})
    hosts.update(ids[1], {"_sis": {"locked": True}})
    hosts.update(ids[2], {"_sis": {"owner": ["db", "ops"]}})
    hosts.update(ids[3], {"_sis": {"owner": ["db", "ops"], "any_owner_can_modify": True}})
    root.users.create({"name": "ann", "email": "ann@example.com", "pw": "ann's", "roles": {"ops": "user"}})
    ann = sispy.Client(root.url)
    ann.authenticate("ann", "ann's")
    editor = FrameEditor(sp.fetch(ann.entities("host"), progress=False))
    for thread in threading.enumerate():
        if thread.name == "sispy-labels":
            thread.join()
    immutable, locked = (
        "the row is immutable: it cannot be changed",
        "the row is locked: it cannot be deleted",
    )
    foreign = "you have no role in db, which owns the row"
    assert window(editor._grid.model, 0, 12)["marks"] == {
        0: {"row": "fixed", "why": immutable},
        1: {"row": "locked", "why": locked},
        2: {"row": "fixed", "why": foreign},
    }
    model = editor._grid.model
    assert model.edit([(n, "cores", "60") for n in range(5)]) == [immutable, foreign]
    assert model.toggle_delete(range(5)) == [locked, foreign]
    assert model.deleted_ids == [ids[0], ids[3], ids[4]]
    model.undo()
    review = editor.review()
    review._row.push.click()
    review.wait()
    assert [row["cores"] for row in hosts.fetch_all({"sort": "_id"})][:5] == [1, 60, 3, 60, 60]
    marks = window(editor._grid.model, 0, 12)["marks"]
    assert {n: mark["row"] for n, mark in marks.items()} == {0: "fixed", 1: "locked", 2: "fixed"}
    root.users.update("ann", {"roles": {"web": "user"}, "name": "ann"})
    editor = FrameEditor(sp.fetch(ann.entities("host"), progress=False))
    for thread in threading.enumerate():
        if thread.name == "sispy-labels":
            thread.join()
    why = "you have no role in an owner of schema 'host' (db, ops)"
    assert editor._grid.model.fixed == dict.fromkeys(range(12), why)


def test_columns_of_other_schemas_are_read_only_and_labels_become_ids(hosts):
    snapshot = sp.fetch(hosts, expand=["rack.name"], refs="label", progress=False)
    frame = snapshot.frame().assign(rack="R1", note="computed")
    editor = FrameEditor(snapshot, frame)
    model = editor._grid.model
    assert model.counts()["changed"] == 6  # every other host is there already
    assert model.edit([(0, "rack.name", "x")]) == ["rack.name is read-only"]
    plan = editor.plan()
    (r1,) = (entity["_id"] for entity in hosts.client.entities("rack").fetch_all({"q": {"name": "R1"}}))
    assert (plan.frame()["after"].unique().tolist(), len(plan.problems)) == ([r1], 0)


def test_references_are_reviewed_and_corrected_by_name(hosts):
    live = sp.fetch(hosts, progress=False)
    racks = {rack["name"]: rack["_id"] for rack in hosts.client.entities("rack").fetch_all({})}
    review = PlanReview(live.diff(live.frame().head(2).assign(rack=racks["R1"])))
    assert lines(review) == [("web00", "rack", "R0", "R1", True)]
    review._parts[0].table.model.edit([(0, "after", "R9")])
    with pytest.raises(ValueError, match="R9"):
        review.chosen()
    review._parts[0].table.model.edit([(0, "after", "R0")])
    (change,) = review.chosen().changes
    assert change.after == {"rack": racks["R0"]}
    assert review._parts[0].table.model.text(0, "after") == "R0"
    review._parts[0].table.model.undo()
    review._parts[0].table.model.undo()
    (change,) = review.chosen().changes
    assert change.after == {"rack": racks["R1"]}


def test_lists_of_references_are_reviewed_and_corrected_by_name(hosts):
    racks = {rack["name"]: rack["_id"] for rack in hosts.client.entities("rack").fetch_all({})}
    hosts.update("web00", {"spares": [racks["R0"]]})
    editor = FrameEditor(sp.fetch(hosts, progress=False))
    edit(editor, (0, "spares", '["R1", "R0"]'))
    review = editor.review()
    assert lines(review) == [("web00", "spares", '["R0"]', '["R1", "R0"]', True)]
    review._parts[0].table.model.edit([(0, "after", '["R1"]')])
    (change,) = review.chosen().changes
    assert change.after == {"spares": [racks["R1"]]}
    review._parts[0].table.model.edit([(0, "after", '["R9"]')])
    with pytest.raises(ValueError, match="R9"):
        review.chosen()


def test_a_name_may_stand_in_a_nested_field(hosts):
    definition = {"port": {"name": {"type": "String", "unique": True}}}
    hosts.client.schemas.create({"name": "cable", "_sis": {"owner": ["ops"]}, "definition": definition})
    id_ = hosts.client.entities("cable").create({"port": {"name": "eth0"}})["_id"]
    labels = ServerLabels(hosts.client)
    assert labels.of("cable", [id_]) == {id_: "eth0"}
    assert labels.ids("cable", ["eth0"]) == {"eth0": id_}
    assert labels.find("cable", "eth") == [(id_, "eth0")]


def test_names_are_asked_for_once(hosts):
    labels = ServerLabels(hosts.client)
    racks = {rack["name"]: rack["_id"] for rack in hosts.client.entities("rack").fetch_all({})}
    assert labels.ids("rack", ["R0", "R1", "R9"]) == {**racks, "R9": ""}
    assert labels.of("rack", list(racks.values())) == {id_: name for name, id_ in racks.items()}
    assert labels.ids("nothing", ["R0"]) == {}


def test_names_are_found_in_any_case_and_one_that_is_none_is_said_so(hosts):
    racks = hosts.client.entities("rack")
    ids = {name: racks.create({"name": name})["_id"] for name in ("A.1", "a1", "Twin", "TWIN")}
    labels = ServerLabels(hosts.client)
    found = labels.ids("rack", ["a.1", "A1", "twin", "Twin", "A.", "b2"])
    known = {"a.1": ids["A.1"], "A1": ids["a1"], "Twin": ids["Twin"]}
    assert found == {**known, "twin": SEVERAL, "A.": "", "b2": ""}
    field = Field("racks", "Array", item=Field("", "ObjectId", ref="rack"))
    meant = with_ids(labels, field, ["a.1, A1", "b2", "A1, twin"])
    assert meant == [json.dumps([ids["A.1"], ids["a1"]]), "b2", "A1, twin"]
    assert cells.typed(field, meant[1]) == Edit("b2", "no rack is called 'b2'")
    assert cells.typed(field, meant[2]) == Edit("A1, twin", "more than one rack is called 'twin'")


def test_a_name_that_nobody_could_be_asked_for_may_be_one(hosts):
    labels = ServerLabels(hosts.client)
    hosts.client.request = unanswered
    assert labels.ids("rack", ["b2"]) == {}


def test_names_beyond_a_number_are_looked_for_as_they_are_written_alone(hosts, monkeypatch):
    monkeypatch.setattr(labels_module, "_ALIKE", 1)
    assert ServerLabels(hosts.client).ids("rack", ["r0", "r1", "R0"]) == {
        name: hosts.client.entities("rack").get("R0")["_id"] for name in ("r0", "R0")
    }


def unanswered(*_, **__):
    raise NoAnswer("no answer")
