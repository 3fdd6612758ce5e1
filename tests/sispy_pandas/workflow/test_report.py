"""What is left of a push: a report, a retry file, a record for auditors."""

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.pushing.render import every_row

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0)


@pytest.fixture
def report(server):
    live = server.fetch()
    df = live.frame().head(4).reset_index().astype(object)
    df["cpus"] = [8, 99, 8, 4]
    df.at[3, "tags"] = ["t"]
    new = pd.DataFrame({"name": ["n1", "n2"], "cpus": [1, 98]}).astype(object)
    plan = live.diff(pd.concat([df, new], ignore_index=True))
    server.hosts.update(live.ids[2], {"cpus": 6})
    return plan.push(progress=False, limits=QUICK, skip_problems=True, note="CHG0012345")


def test_one_row_for_every_row_of_the_plan(server, report):
    ids = server.fetch().ids

    assert list(report.frame().itertuples(index=False, name=None)) == [
        (ids[0], "h00000", "update", "done", 200, ""),
        (ids[1], "h00001", "update", "problem", None, "cpus: more than 64"),
        (ids[2], "h00002", "update", "conflict", None, "somebody else changed cpus"),
        (ids[3], "h00003", "update", "done", 200, ""),
        (ids[20], "n1", "create", "done", 200, ""),
        (None, "n2", "create", "problem", None, "cpus: more than 64"),
    ]
    assert list(report.done["key"]) == ["h00000", "h00003", "n1"]
    assert list(report.failures["key"]) == ["h00001", "h00002", "n2"]
    assert len(report) == 6
    assert "3 done, 1 conflict, 2 problems" in str(report)
    assert "somebody else changed cpus" in report._repr_html_()


def test_a_row_is_known_by_its_id_and_a_new_one_that_was_not_made_by_its_label(server, report):
    ids = server.fetch().ids

    assert list(every_row(report).rows) == [
        (ids[0], ids[0], ids[0], "h00000", "update", "done", "done", 200, ""),
        (ids[1], ids[1], ids[1], "h00001", "update", "problem", "problem", None, "cpus: more than 64"),
        (ids[2], ids[2], ids[2], "h00002", "update", *["conflict"] * 2, None, "somebody else changed cpus"),
        (ids[3], ids[3], ids[3], "h00003", "update", "done", "done", 200, ""),
        (ids[20], "4", ids[20], "n1", "create", "done", "done", 200, ""),
        ("5", "5", None, "n2", "create", "problem", "problem", None, "cpus: more than 64"),
    ]


def test_rows_that_no_change_is_made_for_have_an_outcome_as_well(server):
    live = server.fetch()
    frame = live.frame().head(2).assign(cpus=9).rename(index={live.ids[1]: "f" * 24})

    report = live.diff(frame).push(progress=False, limits=QUICK, skip_problems=True)

    assert [(o.row, o.action, o.word, o.id) for o in report.outcomes] == [
        (live.ids[0], "update", "done", live.ids[0]),
        ("f" * 24, "update", "problem", "f" * 24),
    ]


def test_what_was_not_sent_is_told_with_its_reason(server):
    frame = server.fetch().frame().head(3).assign(cpus=9)
    for id_ in frame.index[:2]:
        server.hosts.delete(id_)
    plan = sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)

    report = plan.push(progress=False, limits=QUICK)

    told = "2 rows not sent: stale: the server has no such row any more"
    assert told in str(report).splitlines()


def test_why_a_push_stopped_is_told_once(server):
    live = server.fetch()

    report = live.diff(live.frame().head(3).assign(cpus=9)).push(progress=False, cancel=lambda: True)

    lines = str(report).splitlines()
    assert lines[0].endswith(": 3 unsent")
    assert [line for line in lines if "cancelled" in line] == ["stopped: cancelled"]


def test_the_retry_file_holds_the_rows_that_were_not_written_and_why(server, report, tmp_path):
    path = report.to_csv(tmp_path / "retry.csv")
    frame = sp.read_csv(path, report.plan.schema)

    assert list(frame.columns) == ["name", "cpus", "_reason", "_updated_at"]
    assert list(frame["name"]) == ["h00001", "h00002", "n2"]
    assert list(frame["_reason"]) == [
        "cpus: more than 64",
        "somebody else changed cpus",
        "cpus: more than 64",
    ]
    frame = frame.astype({"cpus": object})
    frame["cpus"] = [9, 10, 11]
    plan = sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)
    assert plan.notes == ()
    assert [(c.key, path, a, b) for c, path, a, b in plan.cells()] == [
        ("h00001", "cpus", 2, 9),
        ("h00002", "cpus", 3, 10),
        ("n2", "name", None, "n2"),
        ("n2", "cpus", None, 11),
    ]
    assert report.to_excel(tmp_path / "retry.xlsx").exists()


def test_the_retry_file_of_a_plan_without_snapshot_clears_nothing(server, tmp_path):
    live = server.fetch()
    df = live.frame().head(2)
    df["cpus"] = [8, df["cpus"].iloc[1]]
    df["bios.vendor"] = ["acme", "dell"]
    live.diff(df).save(tmp_path / "plan")
    server.hosts.update_bulk([{"_id": i, "cpus": 7, "bios": {"vendor": "theirs"}} for i in live.ids[:2]])
    report = sp.load_plan(tmp_path / "plan", server.client).push(progress=False, limits=QUICK)
    assert report.counts["conflict"] == 2

    frame = sp.read_csv(report.to_csv(tmp_path / "retry.csv"), live.schema)
    assert frame[["name", "cpus", "bios.vendor"]].values.tolist() == [
        ["h00000", 8, "theirs"],
        ["h00001", 7, "dell"],
    ]
    plan = sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)
    plan.push(progress=False, limits=QUICK, on_conflict="mine").raise_for_failures()
    stored = server.stored()
    assert [(stored[n]["cpus"], stored[n]["bios"]["vendor"]) for n in ("h00000", "h00001")] == [
        (8, "theirs"),
        (7, "dell"),
    ]


def test_the_record_for_auditors_is_one_page_with_every_cell(server, report, tmp_path):
    page = report.to_html(tmp_path / "record.html")

    assert (tmp_path / "record.html").read_text() == page
    for part in (server.client.url, "root", "CHG0012345", report.started, report.ended, "h00000", "n1"):
        assert part in page
    assert "<td>cpus</td><td>1</td><td>8</td><td>written</td>" in page
    assert "<td>cpus</td><td>3</td><td>8</td><td>conflict</td>" in page
    assert "<td>user</td><td>root</td>" in page
    assert "src=" not in page
    assert "href=" not in page


def test_the_next_snapshot_needs_no_fetch(server, report):
    before = len(server.sandbox.requests)
    following = report.snapshot
    assert len(server.sandbox.requests) == before

    now = server.fetch()
    assert following.diff(now.frame(meta=True)).empty
    known = now.ids.drop(now.ids[2])  # of the row in conflict the answer showed one cell alone
    pd.testing.assert_frame_equal(following.frame(meta=True).loc[known], now.frame(meta=True).loc[known])
    assert following.frame().loc[now.ids[2], "_updated_at"] < now.frame().loc[now.ids[2], "_updated_at"]
    df = following.frame().head(3)
    df["cpus"] = 12
    assert following.diff(df).push(progress=False, limits=QUICK).ok


def test_the_next_snapshot_keeps_what_was_looked_up_and_knows_no_more_of_new_rows(server):
    live = server.fetch({"q": {"name": {"$in": ["h00000", "h00001", "h00002"]}}}, expand=["site.name"])
    df = live.frame().reset_index().astype(object)
    df["cpus"] = 8
    df["_delete"] = [None, "x", None]
    new = pd.DataFrame({"name": ["n1"], "cpus": [1]}).astype(object)

    report = live.diff(pd.concat([df, new], ignore_index=True)).push(progress=False, limits=QUICK)

    found = report.snapshot.frame()[["name", "cpus", "site.name"]].astype(object)
    assert found.where(found.notna(), None).values.tolist() == [
        ["h00000", 8, "s0"],
        ["h00002", 8, "s2"],
        ["n1", 1, None],
    ]


def test_the_next_snapshot_does_not_hold_what_was_left_as_others_made_it(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(2)[["cpus", "live"]].assign(cpus=[8, 2], live=[False, True]))
    for id_ in live.ids[:2]:
        server.hosts.update(id_, {"live": None})
    ends = lambda seen: seen.method == "PUT" and setattr(server.sandbox, "faults", Faults())  # noqa: E731
    server.sandbox.faults = Faults(before=ends, drop_after={"PUT *": 1.0})

    report = plan.push(progress=False, limits=QUICK, on_conflict="theirs")

    assert [(o.word, o.reason) for o in report.outcomes] == [
        ("done", "found written after its answer got lost"),
        ("unchanged", "left as others made it: live"),
    ]
    assert report.snapshot.frame().head(2)[["cpus", "live"]].values.tolist() == [[8, True], [2, False]]


def test_a_plan_without_snapshot_has_no_next_one(server, report):
    back = sp.undo(report.journal, client=server.client).push(progress=False, limits=QUICK)

    with pytest.raises(ValueError, match="not made from a snapshot"):
        _ = back.snapshot
