"""Reports of pushes, as they are shown and as objects."""

from dataclasses import replace

from sispy_pandas.pushing.render import evidence, object_of, page
from sispy_pandas.values.blocks import Table


def test_a_report_tells_what_there_is_to_tell(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(1).assign(cpus=9))
    report = plan.push(progress=False, journal=False)

    assert evidence(report) == []
    found = object_of(report)
    whole = {"conflicts": [], "replaced": [], "unverified": [], "notes": [], "stopped": None}
    assert {key: found[key] for key in whole} == whole
    assert [key for key in found if key not in whole] == [
        *("user", "started", "ended", "note", "reviewer", "journal", "counts", "rows"),
    ]
    facts = [name for name, _ in page(report)[1].rows]
    assert facts == [
        *("server", "schema", "user", "start", "end", "note", "reviewer", "plan", "journal", "stopped"),
        *report.counts,
    ]

    (outcome,) = report.outcomes
    doubtful = replace(report, outcomes=(replace(outcome, unverified="the server is gone"),))

    assert object_of(doubtful)["unverified"] == [
        {"_id": live.ids[0], "key": "h00000", "reason": "the server is gone"}
    ]
    assert ("not verified", "1 (the server is gone)") in page(doubtful)[1].rows
    (lines,) = evidence(doubtful)
    assert [str(line) for line in lines.lines] == ["not verified: 1 (the server is gone)"]


def test_the_record_tells_what_was_replaced_not_what_the_plan_had_seen(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(1).assign(cpus=9, os="rhel9"))
    server.hosts.update(live.ids[0], {"cpus": 5})

    report = plan.push(progress=False, on_conflict="mine")

    cells = next(block for block in page(report) if isinstance(block, Table) and block.title == "Cells")
    named = [column.title for column in cells.columns]
    assert named == ["_id", "key", "action", "field", "before", "after", "outcome"]
    assert [row[:3] for row in cells.rows] == [(live.ids[0], "h00000", "update")] * 2
    assert [row[3:] for row in cells.rows] == [("os", "rhel8", "rhel9", "written"), ("cpus", 5, 9, "written")]
