"""A review from the first push to the last: what is sent, what stays in sight, what nobody decided."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("anywidget")

import sispy_pandas as sp
from sispy.remedies import Argument, Message, what_of
from sispy.sandbox import Faults, Sandbox
from sispy.text import in_html
from sispy_pandas.pushing.record import read
from sispy_pandas.widgets.grid_window import window
from sispy_pandas.widgets.review import PlanReview
from sispy_pandas.widgets.review_lines import lines_of
from sispy_pandas.widgets.review_table import ReviewTable

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["live", "spare"]},
    "cores": {"type": "Number", "min": 1, "max": 64},
    "note": "String",
}


@pytest.fixture
def sis(tmp_path, monkeypatch):
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path))
    with Sandbox() as sis:
        schema = {"name": "host", "_sis": {"owner": ["ops"]}, "definition": DEFINITION}
        sis.client().schemas.create(schema)
        for n in range(4):
            sis.client().entities("host").create({"name": f"web{n}", "cores": n + 1, "status": "live"})
        yield sis


@pytest.fixture
def hosts(sis):
    return sis.client().entities("host")


def stored(hosts):
    return {row["name"]: (row.get("cores"), row.get("note")) for row in hosts.fetch_all({})}


def review_of(hosts, *, new=False, delete=(), **cells):
    """Review an edit of all rows, with a new row and deletions."""
    live = sp.fetch(hosts, progress=False)
    frame = live.frame().astype(object).assign(**cells).reset_index()
    if new:
        frame = pd.concat([frame, pd.DataFrame({"name": ["new"], "cores": [9]}, dtype=object)])
    ids = [live.ids[n] for n in delete]
    return PlanReview(live.diff(frame[~frame["_id"].isin(ids)].reset_index(drop=True), delete=ids))


def shown(review, *columns):
    frame = review._parts[0].table.model.base[[*columns]]
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in frame.itertuples(index=False)]


def push(review, button="push"):
    getattr(review._row, button).click()
    review.wait()


def tick_everything(review):
    for box in review._parts[0].fields.children:
        box.value = False
        box.value = True
    for row in range(len(review._parts[0].table.model)):
        review._parts[0].grid._on_at(row=row)
        review._parts[0].accept_row.click()


def cancel_after(review, sis, method):
    """Cancel as soon as the server has seen such a request."""
    seen = len(sis.requests)
    review._row.stop.is_set = lambda: any(one.method == method for one in sis.requests[seen:])


def go_on(review):
    del review._row.stop.is_set


def test_no_tick_decides_a_conflict_only_keep_does(hosts):
    review = review_of(hosts, cores=[11, 12, 13, 14])
    hosts.update("web1", {"cores": 50})
    hosts.update("web2", {"cores": 51})
    push(review)
    assert shown(review, "row", "outcome", "theirs") == [
        ("web1", "conflict", "50"),
        ("web2", "conflict", "51"),
        ("web0", "done", None),
        ("web3", "done", None),
    ]
    model = review._parts[0].table.model
    keep = [column.field.path for column in model.columns].index("keep")
    what = {"is": "conflict", "was": "2", "mine": "12", "theirs": "50", "why": "changed by somebody else"}
    assert window(model, 0, 1)["marks"][0]["cells"] == {keep: what}
    assert model.counts()["conflicts"] == 2
    tick_everything(review)
    assert review.chosen().empty
    assert review._parts[0].table.model.edit([(0, "send", True)]) == []
    assert review._parts[0].table.model.edits[0]["send"].reason == (
        "a tick does not decide a conflict: choose in the column keep"
    )
    push(review)
    assert "No cell is ticked" in review._message.value
    review._parts[0].table.model.edit([(0, "keep", "mine"), (1, "keep", "theirs")])
    assert model.counts()["conflicts"] == 0
    push(review)
    assert {name: cores for name, (cores, _) in stored(hosts).items()} == {
        "web0": 11,
        "web1": 12,
        "web2": 51,
        "web3": 14,
    }
    assert shown(review, "row", "outcome") == [
        ("web2", "unchanged"),
        ("web0", "done"),
        ("web1", "done"),
        ("web3", "done"),
    ]


def test_a_conflict_that_is_left_to_the_other_is_no_failure_and_no_conflict_any_more(hosts):
    """Its line was red, the badge said "1 failed", and the heading "conflict: 1"."""
    review = review_of(hosts, cores=[11, 12, 13, 14])
    for n in range(2):
        hosts.update(f"web{n}", {"cores": 50})
    push(review)
    review._parts[0].table.model.edit([(0, "keep", "mine"), (1, "keep", "theirs")])
    push(review)
    model = review._parts[0].table.model
    assert shown(review, "row", "outcome", "reason")[0] == ("web1", "unchanged", "left as others made it")
    assert model.counts()["failed"] == 0
    assert "cells" not in window(model, 0, 1)["marks"].get(0, {})
    assert review._parts[0].head.value == "<b>host</b>: 0 of 4 cells will be sent · done: 3 · unchanged: 1"


def test_the_heads_say_of_a_row_in_conflict_that_its_other_cells_are_written(hosts):
    review = review_of(hosts, cores=[11, 12, 13, 14], note="n")
    hosts.update("web1", {"cores": 50})
    push(review)
    assert review._parts[0].head.value == (
        "<b>host</b>: 0 of 8 cells will be sent · done: 3 · conflict: 1 (1 written in part)"
    )
    assert str(review.report).splitlines()[0].endswith(": 3 done, 1 conflict (1 written in part)")
    review._parts[0].table.model.edit([(0, "keep", "theirs")])
    push(review)
    assert review._parts[0].head.value == "<b>host</b>: 0 of 8 cells will be sent · done: 4"


def test_theirs_in_every_conflict_closes_them_without_a_request(sis, hosts):
    told = []
    live = sp.fetch(hosts, progress=False)
    edited = live.frame().astype(object).assign(cores=[11, 12, 13, 14])
    review = PlanReview(live.diff(edited), on_report=told.append)
    hosts.update("web1", {"cores": 50})
    push(review)
    seen = len(sis.requests)
    review._parts[0].table.model.edit([(0, "keep", "theirs")])
    push(review)
    assert shown(review, "row", "outcome") == [
        ("web1", "unchanged"),
        ("web0", "done"),
        ("web2", "done"),
        ("web3", "done"),
    ]
    assert (len(sis.requests), [len(report) for report in told]) == (seen, [4, 0])
    assert "Nothing was sent: 1 conflict left as others made it" in review._message.value
    push(review)
    assert "No cell is ticked" in review._message.value
    push(review, "undo")  # of the push before: what was closed is none of its rows
    push(review.undoing)
    assert {name: cores for name, (cores, _) in stored(hosts).items()} == {
        "web0": 1,
        "web1": 50,
        "web2": 3,
        "web3": 4,
    }


def test_after_a_cancelled_push_the_rest_stays_ticked_and_conflicts_undecided(sis, hosts):
    review = review_of(hosts, new=True, delete=[3], cores=[11, 12, 13, 14])
    hosts.update("web1", {"cores": 50})
    cancel_after(review, sis, "PUT")
    push(review)
    assert shown(review, "row", "outcome", "send") == [
        ("web1", "conflict", None),
        ("new", "unsent", True),
        ("new", "unsent", True),
        ("web3", "unsent", True),
        ("web0", "done", False),
        ("web2", "done", False),
    ]
    assert review._parts[0].table.model.counts()["failed"] == 0
    go_on(review)
    tick_everything(review)
    assert [type(change).__name__ for change in review.chosen().changes] == ["Create", "Delete"]
    push(review)
    assert stored(hosts) == {"web0": (11, None), "web1": (50, None), "web2": (13, None), "new": (9, None)}


def test_a_push_that_is_cancelled_while_it_is_verified_says_so_and_names_the_way_on(sis, hosts):
    review = review_of(hosts, cores=[11, 12, 13, 14])
    seen = len(sis.requests)
    review._row.stop.is_set = lambda: any("commits" in one.path for one in sis.requests[seen:])
    push(review)
    assert review.report.counts["done"] == 4
    rows = len(review.report.unverified)
    assert rows > 0
    assert "Cancelled after all was sent. Rows of which it is not known what they replaced: " in (
        review._message.value
    )
    assert f"{rows}. Verify goes on with it, and so does sp.verify(" in review._message.value
    reasons = [reason for (reason,) in shown(review, "reason") if reason]
    assert (len(reasons), {reason[:14] for reason in reasons}) == (rows, {"not verified: "})
    go_on(review)
    push(review, "verify")
    assert review._message.value == '<div role="status">Verified: no value of others was replaced</div>'
    assert {reason for (reason,) in shown(review, "reason")} == {None}
    assert review._parts[0].head.value == "<b>host</b>: 0 of 4 cells will be sent · done: 4"
    assert review._row.verify.layout.display == "none"
    assert read(review._parts[0].report.journal).entries.keys() == {one.row for one in review.report.outcomes}


def test_verify_looks_up_all_rows_of_a_push_that_was_resumed(sis, hosts):
    review = review_of(hosts, delete=[3], cores=[11, 12, 13, 14])
    cancel_after(review, sis, "PUT")
    push(review)
    assert review._row.verify.layout.display == "none"  # first it is resumed
    go_on(review)
    push(review, "resume")
    assert review._parts[0].head.value.endswith(" · done: 4 · not verified: 3")
    assert review._row.verify.layout.display == "inline-block"
    push(review, "verify")
    assert review._parts[0].head.value.endswith(" · done: 4")
    assert review._row.verify.layout.display == "none"


def test_verify_is_offered_after_a_push_that_is_too_large_to_do_so_itself(hosts, monkeypatch):
    monkeypatch.setattr("sispy_pandas.pushing.verify.AUTOMATIC", 3)
    review = review_of(hosts, cores=[11, 12, 13, 14])
    push(review)
    assert review._parts[0].head.value.endswith(" · done: 4 · not verified: 4")
    push(review, "verify")
    assert review._parts[0].head.value.endswith(" · done: 4")
    assert review._row.verify.layout.display == "none"


def test_verify_names_what_was_replaced(sis, hosts):
    review = review_of(hosts, cores=[11, 12, 13, 14])  # two are read at a time
    seen = len(sis.requests)
    theirs = iter([50])
    sis.faults = Faults(
        before=lambda one: (
            one.method == "PUT" and (value := next(theirs, None)) and hosts.update("web1", {"cores": value})
        )
    )
    review._row.stop.is_set = lambda: any("commits" in one.path for one in sis.requests[seen:])
    push(review)
    assert review._row.verify.layout.display == "inline-block"
    go_on(review)
    push(review, "verify")
    assert review._message.value == '<div role="status">Verified: 1 row replaced values of others</div>'
    assert shown(review, "row", "outcome", "reason", "theirs") == [
        ("web1", "done", "it replaced somebody's value", "50"),
        *((f"web{n}", "done", None, None) for n in (0, 2, 3)),
    ]


def test_owners_of_a_row_are_shown_as_they_are_typed(hosts):
    """They were Python's: ['ops']."""
    schemas = hosts.client.schemas
    schemas.update("host", {"name": "host", "definition": DEFINITION, "_sis": {"owner": ["ops", "db"]}})
    hosts.create({"name": "web4", "_sis": {"owner": ["ops"]}})
    review = review_of(hosts, delete=[4])
    push(review)
    push(review, "undo")
    assert dict(shown(review.undoing, "field", "after"))["_sis.owner"] == '["ops"]'


def test_the_notes_of_a_plan_and_of_its_push_are_shown(hosts):
    live = sp.fetch(hosts, progress=False)
    frame = pd.DataFrame({"name": ["web0", "WEB1 "], "cores": [11, 12]})
    plan = live.diff(frame, key="name")
    assert len(plan.notes) == 2
    review = PlanReview(plan)
    assert review._parts[0].notes.value == "".join(
        f"<div>{in_html(what_of(note))}</div>" for note in plan.notes
    )


def test_a_reason_names_no_option_that_has_no_control_here(hosts):
    plan = review_of(hosts, delete=[0]).plan
    told = Message("no", Argument("allow_dangling", "deletes it", True))
    table = ReviewTable(plan, [line._replace(reason=told) for line in lines_of(plan)])
    assert table.model.base["reason"].tolist() == ["no"]


def test_resume_finishes_a_cancelled_push_and_undo_takes_all_back(sis, hosts):
    before = stored(hosts)
    review = review_of(hosts, new=True, delete=[3], cores=[11, 12, 13, 14])
    cancel_after(review, sis, "PUT")
    assert review._row.resume.layout.display == "none"
    push(review)
    assert review._row.resume.layout.display != "none"
    assert re.sub("sp.resume[^<]*", "...", review._message.value) == (
        '<div role="status">Cancelled. Rows not sent: 2. Resume goes on with it, and so does ...</div>'
    )
    go_on(review)
    push(review, "resume")
    assert review._row.resume.layout.display == "none"
    assert stored(hosts) == {"web0": (11, None), "web1": (12, None), "web2": (13, None), "new": (9, None)}
    assert {outcome for (outcome,) in shown(review, "outcome")} == {"done"}
    assert re.search(r" · done: 5(?: · not verified: \d+)?$", review._parts[0].head.value)
    push(review, "undo")
    push(review.undoing)
    assert stored(hosts) == before


def test_what_was_rejected_stays_and_can_be_sent_later_and_undo_covers_all_pushes(hosts):
    before = stored(hosts)
    review = review_of(hosts, new=True, cores=[11, 12, 13, 14], note="seen")
    fields = [field for (field,) in shown(review, "field")]
    held = [n for n, field in enumerate(fields) if field == "cores"]
    review._parts[0].table.model.edit([(n, "send", False) for n in held])
    push(review)
    assert stored(hosts) == {
        **{name: (cores, "seen") for name, (cores, _) in before.items()},
        "new": (None, None),
    }
    assert len(shown(review, "row")) == len(fields)
    assert {(f, o, s) for f, o, s in shown(review, "field", "outcome", "send")} == {
        ("name", "done", False),
        ("note", "done", False),
        ("cores", None, False),
    }
    next(box for box in review._parts[0].fields.children if box.description.startswith("cores")).value = True
    push(review)
    assert stored(hosts) == {
        "web0": (11, "seen"),
        "web1": (12, "seen"),
        "web2": (13, "seen"),
        "web3": (14, "seen"),
        "new": (9, None),
    }
    assert review._row.undo.description == "Undo all 2 pushes"
    push(review, "undo")
    push(review.undoing)
    assert stored(hosts) == before


def test_an_undo_opens_beneath_and_the_review_above_keeps_what_was_decided(sis, hosts):
    before = stored(hosts)
    told = []
    live = sp.fetch(hosts, progress=False)
    frame = live.frame().astype(object).assign(cores=[11, 12, 13, 14], note="seen")
    review = PlanReview(live.diff(frame.drop(index=live.ids[3]), delete=[live.ids[3]]), on_report=told.append)
    model = review._parts[0].table.model
    held = [
        n for n, (row, field) in enumerate(shown(review, "row", "field")) if (row, field) == ("web0", "cores")
    ]
    model.edit([(held[0], "send", False)])
    hosts.update("web1", {"cores": 50})
    push(review)
    ((conflict,),) = [
        [n for n, (row, word) in enumerate(shown(review, "row", "outcome")) if word == "conflict"]
    ]
    review._parts[0].table.model.edit([(conflict, "keep", "mine")])
    open_ = shown(review, "row", "field").index(("web0", "cores"))
    review._parts[0].table.model.edit([(open_, "after", "33")])

    def decided():
        model = review._parts[0].table.model
        lines = shown(review, "row", "field")
        return {
            lines[row]: {path: edit.value for path, edit in edits.items()}
            for row, edits in model.edits.items()
        }

    typed = {("web1", "cores"): {"keep": "mine"}, ("web0", "cores"): {"after": "33", "send": True}}
    assert decided() == typed
    push(review, "undo")
    assert (review.undoing is not None, review._row.layout.display, decided()) == (True, "none", typed)
    review._back_from_undo()
    assert (review.undoing, review._row.layout.display, decided()) == (None, None, typed)
    push(review, "undo")
    push(review.undoing)
    assert {**stored(hosts), "web1": (2, None)} == before
    assert [report.counts["done"] for report in told] == [3, 4]
    assert review.report is told[0]
    assert decided() == typed
    assert set(shown(review, "row", "field", "outcome")) == {
        ("web0", "note", "undone"),
        ("web0", "cores", None),
        ("web1", "note", "undone"),
        ("web1", "cores", "conflict"),
        ("web2", "note", "undone"),
        ("web2", "cores", "undone"),
        ("web3", None, "undone"),
    }
    assert review._parts[0].head.value.endswith(" · done: 3 · conflict: 1 (1 written in part) · undone: 4")
    assert review._row.undo.layout.display == "none"
    push(review.undoing, "undo")  # the other way again
    push(review.undoing.undoing)
    assert review._row.undo.layout.display == "inline-block"
    assert {outcome for (outcome,) in shown(review, "outcome")} == {"done", "conflict", None}
    assert {outcome for (outcome,) in shown(review.undoing, "outcome")} == {"undone"}
    review._back_from_undo()
    push(review)
    assert stored(hosts)["web0"] == (33, "seen")


def test_what_is_undone_already_opens_no_review(hosts):
    review = review_of(hosts, cores=[11, 12, 13, 14])
    push(review)
    sp.undo(review.report).push(progress=False)
    push(review, "undo")
    assert review.undoing is None
    assert review._message.value.startswith(
        '<div role="status">Nothing is left to take back; 4 rows undone already, '
    )


def test_a_new_row_that_exists_by_now_and_a_deleted_one_that_was_changed_are_decided_alone(sis, hosts):
    review = review_of(hosts, new=True, delete=[3], cores=[11, 2, 3, 4])
    theirs = iter([{"name": "new", "cores": 5}])

    def meanwhile(seen):
        if seen.method == "PUT" and (row := next(theirs, None)):
            hosts.create(row)
            hosts.update("web3", {"note": "needed"})

    sis.faults = Faults(before=meanwhile)
    push(review)
    conflicts = [line for line in shown(review, "row", "field", "outcome", "theirs") if line[2] == "conflict"]
    assert [line[:2] for line in conflicts] == [("new", "cores"), ("web3", None)]
    assert conflicts[0][3] == "5"
    assert conflicts[1][3].startswith("note: needed")
    tick_everything(review)
    assert review.chosen().empty
    review._parts[0].table.model.edit([(0, "keep", "mine"), (1, "keep", "mine")])
    push(review)
    assert stored(hosts) == {"web0": (11, None), "web1": (2, None), "web2": (3, None), "new": (9, None)}


def test_a_corrected_value_stays_in_sight_after_a_push(hosts):
    review = review_of(hosts, cores=[11, 999, 13, 14])
    review._parts[0].table.model.edit([(0, "after", "64"), (0, "send", True)])
    hosts.update("web2", {"cores": 50})
    push(review)
    assert shown(review, "row", "after", "outcome") == [
        ("web2", "13", "conflict"),
        ("web0", "11", "done"),
        ("web1", "64", "done"),
        ("web3", "14", "done"),
    ]


def test_a_row_that_somebody_deleted_cannot_be_decided(hosts):
    review = review_of(hosts, cores=[11, 12, 3, 4])
    hosts.delete("web1")
    push(review)
    assert ("web1", "conflict", "somebody deleted the row") in shown(review, "row", "outcome", "reason")
    row = shown(review, "row").index(("web1",))
    assert review._parts[0].table.model.edit([(row, "keep", "mine")]) == ["somebody deleted the row"]
    assert review.chosen().empty


def test_a_value_that_a_push_replaced_unseen_is_shown_first(sis, hosts):
    review = review_of(hosts, cores=[11, 12, 3, 4])
    theirs = iter([50])
    sis.faults = Faults(
        before=lambda seen: (
            seen.method == "PUT" and (value := next(theirs, None)) and hosts.update("web1", {"cores": value})
        )
    )
    push(review)
    assert shown(review, "row", "outcome", "reason", "theirs") == [
        ("web1", "done", "it replaced somebody's value", "50"),
        ("web0", "done", None, None),
    ]


def test_a_corrected_value_ticks_its_line_and_one_undo_takes_both_back(hosts):
    review = review_of(hosts, cores=[11, 999, 13, 14])
    model = review._parts[0].table.model
    assert shown(review, "row", "send")[0] == ("web1", False)
    model.edit([(0, "after", "many")])
    assert model.value(0, "send") is False
    model.undo()
    model.edit([(0, "after", "64")])
    assert model.value(0, "send") is True
    model.undo()
    assert (model.value(0, "after"), model.value(0, "send")) == ("999", False)
    model.redo()
    model.edit([(1, "after", "12"), (1, "send", False)])
    push(review)
    assert {name: cores for name, (cores, _) in stored(hosts).items()} == {
        "web0": 1,
        "web1": 64,
        "web2": 13,
        "web3": 14,
    }


def test_a_corrected_duplicate_frees_the_other_row_too(hosts):
    """Its line stayed red, and its reason named an id; the corrected one kept its reason."""
    review = review_of(hosts, cores=[11, 2, 3, 4], name=["same", "same", "web2", "web3"], delete=[3])
    model = review._parts[0].table.model
    order = shown(review, "field", "before")
    first, second = order.index(("name", "web0")), order.index(("name", "web1"))
    edits = [(model.text(n, "send"), model.text(n, "reason")) for n in (first, second)]
    assert [send for send, _ in edits] == [False, False]
    assert review._parts[0].head.value == (
        "<b>host</b>: 1 of 3 cells and 1 of 1 row to delete will be sent"
        " · updates: 2 · deletes: 1 · problems: 2"
    )
    model.edit([(second, "after", "same")])
    model.edit([(second, "after", "other")])
    assert [(model.text(n, "send"), model.text(n, "reason")) for n in (first, second)] == [(True, None)] * 2
    assert [one["marks"].get("cells", {}).get(5) for one in (window(model, first, first + 1),)] == [None]
    model.undo()
    assert [(model.text(n, "send"), model.text(n, "reason")) for n in (first, second)] == edits
    model.redo()
    review._parts[0]._count()
    assert repr(review) == "<PlanReview of host: 3 of 3 cells and 1 of 1 row to delete will be sent>"
    push(review)
    assert stored(hosts) == {"same": (11, None), "other": (2, None), "web2": (3, None)}


def test_a_corrected_value_of_a_conflict_waits_for_its_decision(hosts):
    review = review_of(hosts, cores=[11, 12, 13, 14])
    hosts.update("web1", {"cores": 50})
    push(review)
    review._parts[0].table.model.edit([(0, "after", "20")])
    assert review.chosen().empty
    review._parts[0].table.model.edit([(0, "keep", "mine")])
    push(review)
    assert stored(hosts)["web1"] == (20, None)


def test_a_reason_of_several_kilobytes_is_cut(hosts):
    review = review_of(hosts, cores=[11, 2, 3, 4])
    line = lines_of(review.plan)[0]._replace(outcome="failed", reason="x" * 5_000)
    table = ReviewTable(review.plan, [line])
    cut = "x" * 297 + "... (5,000 characters)"
    assert table.model.base["reason"].tolist() == [cut]
    marks = window(table.model, 0, 1)["marks"][0]
    assert [mark["why"] for mark in marks["cells"].values()] == [cut]


def test_a_row_that_lacks_a_value_is_not_sent_and_says_so_before_the_push(sis, hosts):
    live = sp.fetch(hosts, progress=False)
    frame = live.frame().astype(object).assign(cores=[11, 2, 3, 4]).reset_index()
    frame = pd.concat(
        [frame, pd.DataFrame({"note": ["no name"], "cores": [9]}, dtype=object)], ignore_index=True
    )
    review = PlanReview(live.diff(frame))
    assert shown(review, "field", "action", "send", "reason") == [
        ("name", "problem", False, "a value is required"),
        ("cores", "update", True, None),
        ("cores", "create", False, None),
        ("note", "create", False, None),
    ]
    assert repr(review) == "<PlanReview of host: 1 of 4 cells will be sent>"
    model = review._parts[0].table.model
    assert model.edit([(2, "send", True)]) == ["the row cannot be sent as it is: name: a value is required"]
    tick_everything(review)
    seen = len(sis.requests)
    push(review)
    assert [one.method for one in sis.requests[seen:] if one.method != "GET"] == ["PUT"]
    assert review.report.counts["done"] == 1


def test_the_bar_says_what_a_push_waits_for(sis, hosts):
    review = review_of(hosts, cores=[11, 2, 3, 4])
    told = []

    def waits(change):
        told.append(change.new)
        sis.faults = Faults()

    review._row.bar.waits.observe(waits, "value")
    busy = Faults(errors={"GET /entities/host": (503, 1.0)}, retry_after=1)
    sis.faults = Faults(after=lambda _: setattr(sis, "faults", busy))  # the check is through
    push(review)
    assert told == ["busy, again in 1 s", "busy, again now", ""]
    assert (review._row.bar.done.value, review._row.bar.done.max) == (1, 1)
    assert stored(hosts)["web0"] == (11, None)


@pytest.fixture
def move(sis):
    """Return Plans of two tables: two new racks, of which new hosts and one that is there get theirs."""
    client = sis.client()
    names = {"name": {"type": "String", "required": True, "unique": True}, "units": "Number"}
    for name, definition in (
        ("rack", names),
        ("box", {**names, "rack": {"type": "ObjectId", "ref": "rack"}}),
    ):
        client.schemas.create({"name": name, "_sis": {"owner": ["ops"]}, "definition": definition})
    client.entities("box").create({"name": "old"})
    rows: dict[str, dict[str, list[Any]]] = {
        "rack": {"name": ["R1", "R2"], "units": [42, 47]},
        "box": {"name": ["old", "a", "b"], "rack": ["R1", "R1", "R2"]},
    }
    plans = [
        sp.fetch(client.entities(table), refs="label", progress=False).diff(
            pd.DataFrame(columns), key="name", create_missing=True
        )
        for table, columns in reversed(rows.items())
    ]
    return sp.Plans.of(*plans)


def racks_of(sis):
    found = sis.client().entities("box").fetch_all({})
    return {row["name"]: (row.get("rack") or {}).get("name") for row in found}


def test_plans_of_several_tables_have_a_part_each_and_are_one_push_and_one_undo(sis, move):
    taken = []
    review = PlanReview(move, on_report=taken.append)
    assert repr(review) == "<PlanReview of rack, box: 9 of 9 cells will be sent>"
    racks, boxes = review._parts
    names = ["R1", "R1", "a", "R2", "b"]
    assert boxes.table.model.base["after"].tolist() == names  # also of racks that are to come
    racks.fields.children[1].value = False  # without units
    boxes.table.model.edit([(3, "send", False), (4, "send", False)])  # b waits
    boxes.grid.update()
    review._row.note.value = "CHG1"
    push(review)
    assert review.report.counts["done"] == 4
    assert ([len(one.reports) for one in taken], {one.note for one in review.report}) == ([2], {"CHG1"})
    assert racks_of(sis) == {"old": "R1", "a": "R1"}
    assert [part.head.value for part in review._parts] == [
        "<b>rack</b>: 0 of 4 cells will be sent · done: 2",
        "<b>box</b>: 0 of 5 cells will be sent · done: 2",
    ]
    assert review._row.undo.description == "Undo this push"
    boxes.table.model.edit([(3, "send", True), (4, "send", True)])
    push(review)
    assert [report.plan.schema.name for report in review.report] == ["box"]
    assert racks_of(sis) == {"old": "R1", "a": "R1", "b": "R2"}  # the rack that the push before has made
    assert review._row.undo.description == "Undo all 2 pushes"
    review._row.undo.click()
    review.wait()
    back = review.undoing
    assert [part.plan.schema.name for part in back._parts] == ["box", "box", "rack"]
    push(back)
    assert [part.head.value for part in review._parts] == [
        "<b>rack</b>: 0 of 4 cells will be sent · done: 2 · undone: 2",
        "<b>box</b>: 0 of 5 cells will be sent · done: 3 · undone: 3",
    ]
    assert racks_of(sis) == {"old": None}
    assert list(sis.client().entities("rack").fetch_all({})) == []


def test_a_cancelled_push_of_several_tables_is_resumed(sis, move, monkeypatch):
    review = PlanReview(move)
    asked = iter([False])
    monkeypatch.setattr(review._row.stop, "is_set", lambda: next(asked, True))  # Cancel, after the racks
    push(review)
    monkeypatch.delattr(review._row.stop, "is_set")
    assert (review.report.counts["done"], review.report.counts["unsent"]) == (2, 3)
    assert review._row.resume.layout.display == "inline-block"
    review._row.resume.click()
    review.wait()
    assert racks_of(sis) == {"old": "R1", "a": "R1", "b": "R2"}
    assert review._row.resume.layout.display == "none"
    assert review._row.undo.description == "Undo this push"
    assert [part.head.value for part in review._parts] == [
        "<b>rack</b>: 0 of 4 cells will be sent · done: 2",
        "<b>box</b>: 0 of 5 cells will be sent · done: 3",
    ]
