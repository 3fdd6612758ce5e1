"""Reports of pushes, as they are shown and as objects."""

from dataclasses import replace

from sispy.remedies import Argument, Message, what_of
from sispy_pandas.pushing.render import evidence, object_of, page
from sispy_pandas.values.blocks import SHOWN, Table


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
    assert doubtful.unverified.to_dict("records") == object_of(doubtful)["unverified"]
    (lines,) = evidence(doubtful)
    assert [str(line) for line in lines.lines] == ["not verified: 1 (the server is gone)"]


def test_a_program_reads_each_face_its_own_words(server):
    live = server.fetch()
    report = live.diff(live.frame().head(1).assign(cpus=9)).push(progress=False, journal=False)
    said = Message("no", Argument("again", "sends it", True))
    outcomes = tuple(replace(outcome, word="unsent", reason=said) for outcome in report.outcomes)

    told = replace(report, outcomes=outcomes, stopped=said, notes=(said,))

    assert [
        (found["stopped"], found["notes"], [row["reason"] for row in found["rows"]])
        for found in (object_of(told, what_of), object_of(told))
    ] == [("no", ["no"], ["no"]), (str(said), [str(said)], [str(said)])]


def test_of_many_rows_that_failed_alone_the_first_are_shown_and_the_rest_has_a_name(server):
    live = server.fetch()
    report = live.diff(live.frame().head(1).assign(cpus=9)).push(progress=False, journal=False)
    (outcome,) = report.outcomes
    failed = [
        replace(outcome, row=f"r{n}", key=f"r{n}", word="failed", reason=f"no {n}") for n in range(SHOWN + 2)
    ]

    lines = str(replace(report, outcomes=tuple(failed))).splitlines()

    assert [line.split()[0] for line in lines if " failed " in line and "  no " in line] == [
        f"r{n}" for n in range(SHOWN)
    ]
    assert lines[-1] == "... and 2 more rows: .failures has all of them"


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
