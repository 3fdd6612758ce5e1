"""The file of rows that were not pushed: every one of them, and none in a form in which it could do harm."""

from __future__ import annotations

import csv

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy_pandas.pushing.retry import retry_frame

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0)


@pytest.fixture
def edited(server, tmp_path):
    """Return a way to write the exported hosts as edited lines, and push them as they are."""
    live = server.fetch()
    sp.to_csv(live, tmp_path / "hosts.csv")
    with (tmp_path / "hosts.csv").open(encoding="utf-8", newline="") as file:
        head, *lines = csv.reader(file)

    def push(change, **how):
        rows = [dict(zip(head, line, strict=True)) for line in lines[:4]]
        found = change(rows)
        with (tmp_path / "hosts.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *(list(row.values()) for row in (found or rows))])
        frame = sp.read_csv(tmp_path / "hosts.csv", live.schema)
        plan = sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)
        return plan.push(progress=False, limits=QUICK, skip_problems=True, **how)

    return push


def left(report, tmp_path):
    """Return the retry file as read again."""
    return sp.read_csv(report.to_csv(tmp_path / "left.csv"), report.plan.schema)


def pushed_again(server, frame):
    return sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)


def test_rows_copied_within_the_sheet_are_there_and_are_not_taken_for_their_original(
    server, edited, tmp_path
):
    def copy(rows):
        rows[1]["cpus"] = "999"
        rows.append({**rows[0], "name": "copy", "cpus": "12"})
        rows.append({**rows[0], "name": "another", "cpus": "13"})

    report = edited(copy)

    with report.to_csv(tmp_path / "left.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["name"]: (row["cpus"], row["_id"]) for row in csv.DictReader(file)}
    ids = server.fetch().ids
    assert rows == {
        "h00001": ("999", ids[1]),
        "h00000": ("1", ids[0]),
        "copy": ("12", ids[0]),
        "another": ("13", ids[0]),
    }
    before = server.stored()
    plan = pushed_again(server, left(report, tmp_path))
    assert [change.key for change in plan.changes] == ["h00001"]
    assert plan.push(progress=False, limits=QUICK, skip_problems=True).counts["done"] == 0
    assert server.stored() == before


def test_what_a_row_does_not_mean_to_change_is_as_it_was_compared(server):
    live = server.fetch()
    before = live.frame().head(2)[["cpus", "serial"]]
    frame = before.copy()
    frame.iloc[0, 0], frame.iloc[1, 1] = 9, "mine"
    plan = live.diff(frame)
    for number, id_ in enumerate(live.ids[:2]):
        server.hosts.update(id_, {"cpus": 7, "serial": f"theirs{number}"})

    report = plan.push(progress=False, limits=QUICK)

    assert [o.word for o in report.outcomes] == ["conflict", "conflict"]
    cells = retry_frame(report)[["cpus", "serial"]]
    assert cells.to_numpy().tolist() == [[9, before.iloc[0, 1]], [before.iloc[1, 0], "mine"]]


def test_what_belongs_to_a_row_besides_its_fields_is_as_it_was_compared_too(server):
    live = server.fetch()
    before = live.frame(meta=True).head(2)[["cpus", "_sis.tags"]]
    frame = before.copy()
    frame.iloc[0, 0], frame.iloc[1, 1] = 9, ("mine",)
    plan = live.diff(frame)
    for id_ in live.ids[:2]:
        server.hosts.update(id_, {"cpus": 7, "_sis": {"tags": ["theirs"]}})

    report = plan.push(progress=False, limits=QUICK)

    assert [o.word for o in report.outcomes] == ["conflict", "conflict"]
    cells = retry_frame(report)[["cpus", "_sis.tags"]]
    assert cells.to_numpy().tolist() == [[9, ()], [before.iloc[1, 0], ("mine",)]]


def test_ids_and_receipts_that_lost_their_form_stay_as_they_are(server, edited, tmp_path):
    def damage(rows):
        rows[0] |= {"_id": "5.1e+23", "cpus": "11"}
        rows[1] |= {"_updated_at": "45999.5", "cpus": "12"}
        rows[2] |= {"_id": "", "cpus": "13"}

    report = edited(damage)

    with report.to_csv(tmp_path / "left.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert {name: (row["cpus"], row["_id"]) for name, row in rows.items()} == {
        "h00000": ("11", "5.1e+23"),
        "h00001": ("12", rows["h00001"]["_id"]),
        "h00002": ("13", ""),
    }
    assert rows["h00001"]["_updated_at"] == "45999.5"
    assert all(row["_reason"] for row in rows.values())
    assert pushed_again(server, left(report, tmp_path)).changes == ()


def test_a_row_with_too_many_cells_is_there_and_never_taken_as_it_is(server, edited, tmp_path):
    def shift(rows):
        rows[0] = {"_id": rows[0]["_id"], "more": "x", **{k: v for k, v in rows[0].items() if k != "_id"}}

    report = edited(shift)

    frame = left(report, tmp_path)
    plan = pushed_again(server, frame)
    assert [(p.reason, p.value) for p in plan.problem_list] == [
        ("the _updated_at was damaged: copy it from the export again", "cells are missing or too many")
    ]


def test_stale_rows_and_rows_that_are_gone_are_there_with_what_was_edited(server, tmp_path):
    live = server.fetch()
    frame = live.frame().head(3)
    server.hosts.delete(frame.index[1])
    server.hosts.update(frame.index[0], {"cpus": 7})
    later = server.fetch()
    report = later.diff(frame.assign(cpus=[8, 9, 10])).push(progress=False, limits=QUICK, skip_problems=True)

    found = left(report, tmp_path)
    found = found.loc[frame.index[:2]]
    assert found["cpus"].tolist() == [8, 9]
    assert found["_updated_at"].tolist() == frame["_updated_at"].tolist()[:2]


def test_rows_with_one_key_are_all_there(server, tmp_path):
    live = server.fetch()
    frame = pd.DataFrame({"name": ["h00000", "h00000", "h00001"], "cpus": [8, 9, 10]})
    report = live.diff(frame, key="name").push(progress=False, limits=QUICK, skip_problems=True)

    found = left(report, tmp_path)

    assert found[["name", "cpus"]].values.tolist() == [["h00000", 8], ["h00000", 9]]


def test_a_saved_plan_still_knows_them(server, edited, tmp_path):
    live = server.fetch()
    frame = pd.DataFrame({"name": ["h00000", "h00000", "h00001"], "cpus": [8, 9, 10]})
    path = live.diff(frame, key="name").save(tmp_path / "plan.json")

    report = sp.load_plan(path, server.client).push(progress=False, limits=QUICK, skip_problems=True)

    assert left(report, tmp_path)[["name", "cpus"]].values.tolist() == [["h00000", 8], ["h00000", 9]]
