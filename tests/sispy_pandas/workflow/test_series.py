"""A push in parts that are made one after the other: one report, one way back, whatever ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.pushing.journal import short

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow  # processes that are killed, and waits until what they sent has come to rest


def rarely(*values):
    """Return a case of many that are alike: it is tried by the soak."""
    return pytest.param(*values, marks=pytest.mark.soak)


HEAD = """
import os, signal, sys
import pandas as pd, sispy, sispy_pandas as sp

url, token, how, at, what = sys.argv[1:]
client = sispy.Client(url, auth_token=token)
client.username = "root"
calls = 0

def count(*_):
    global calls
    calls += 1
    if calls == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
    return False
"""
PARTS = """
kill = {"between": {"on_report": count}, "within": {"cancel": count, "limits": sp.Limits(rows=3)}}[how]
sp.push_parts(plans(), note="CHG1", progress=False, verify=False, what=what or None, **kill)
"""
COUNTED = """
def plans():
    for part in sp.iter_snapshots(client.entities("host"), rows=7):
        yield part.diff(part.frame().assign(cpus=part.frame()["cpus"] + 1))
"""
CREATED = """
def plans():
    live = sp.fetch(client.entities("event"), progress=False)
    rows = [{"message": f"m{n % 4}", "cause": n} for n in range(20)]
    for start in range(0, 20, 7):
        yield live.diff(pd.DataFrame(rows[start : start + 7]).astype(object), new=True)
"""
KEYED = """
def plans():
    live = sp.fetch(client.entities("host"), progress=False)
    for start in range(0, 20, 7):
        names = [f"n{n}" for n in range(start, min(start + 7, 20))]
        yield live.diff(pd.DataFrame({"name": names}).astype(object), new=True)
"""
SEVERAL = """
hosts, sites = (sp.fetch(client.entities(name), refs="label", progress=False) for name in ("host", "site"))
moved = hosts.frame().head(9).astype(object).assign(site="s9")[["site", "_updated_at"]]
plans = sp.Plans.of(hosts.diff(moved), sites.diff(pd.DataFrame({"name": ["s9"]}).astype(object), new=True))
plans.push(note="CHG2", progress=False, cancel=count, limits=sp.Limits(rows=3), on_report=count)
"""


def cpus(server) -> list[int]:
    return [row["cpus"] for row in server.stored().values()]


def more(server, rows=7, column="cpus", by=1) -> Iterator[sp.Plan]:
    for part in sp.iter_snapshots(server.hosts, rows=rows):
        frame = part.frame()
        yield part.diff(frame.assign(**{column: frame[column] + by}))


def killed(server, how: str, at: int, plans: str = COUNTED + PARTS, what: str = "") -> None:
    """Run a push in a process that is killed by the system, with no chance to do anything more."""
    command = [
        sys.executable,
        "-c",
        HEAD + plans,
        server.client.url,
        server.client.auth_token,
        how,
        str(at),
        what,
    ]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_snapshots_in_parts_are_the_snapshot(server):
    whole = server.fetch()
    parts = list(sp.iter_snapshots(server.hosts, rows=7))

    assert [len(part) for part in parts] == [7, 7, 6]
    together = pd.concat([part.frame(meta=True) for part in parts])
    assert list(together.columns) == list(whole.frame(meta=True).columns)
    assert list(together.index) == list(whole.ids)
    assert all(part.diff(whole.frame().loc[part.ids]).empty for part in parts)
    assert [len(p) for p in sp.iter_snapshots(server.hosts, "cpus = 3", fields=["name"], rows=2)] == [2, 1]
    with pytest.raises(ValueError, match="leave sort and offset out"):
        next(sp.iter_snapshots(server.hosts, {"sort": "name"}))
    with pytest.raises(ValueError, match="rows is 1 or more"):
        next(sp.iter_snapshots(server.hosts, rows=0))


def test_a_push_in_parts_is_one_push_and_one_undo(server):
    before, seen = server.stored(), []

    report = sp.push_parts(
        more(server), note="CHG1", reviewer="carol", progress=False, on_report=lambda r: seen.append(len(r))
    )

    assert (report.parts, report.counts["done"], len(report), report.ok, seen) == (3, 20, 20, True, [7, 7, 6])
    assert cpus(server) == [row["cpus"] + 1 for row in before.values()]
    assert len(report.frame()) == len(report.failures) == 0
    assert str(report).splitlines()[0] == f"host on {server.client.url} as root: 20 done"
    (push,) = sp.pushes().to_dict("records")
    assert {key: push[key] for key in ("rows", "done", "ended", "note", "reviewer")} == {
        "rows": 20,
        "done": 20,
        "ended": True,
        "note": "CHG1",
        "reviewer": "carol",
    }
    assert len({short(path) for path in report.journals}) == 1

    back = sp.undo(report)
    assert (len(back), back.parts, back.counts["updates"]) == (20, 3, 20)
    ids = server.fetch().ids
    assert [plan.frame()["_id"].iloc[0] for plan in back] == [ids[14], ids[7], ids[0]]
    undone = back.push(progress=False)
    assert (undone.counts["done"], undone.parts, server.stored()) == (20, 3, before)
    assert sp.pushes()["undone"].tolist() == [0, 20]
    assert sp.undo(push["journal"], server.client).empty
    assert sp.undo(sp.pushes()["journal"][0], server.client).push(progress=False).counts["done"] == 20
    assert cpus(server) == [row["cpus"] + 1 for row in before.values()]


@pytest.mark.parametrize(("how", "at"), [("between", 2), ("within", 7)])
def test_a_killed_push_goes_on_with_the_same_loop_and_writes_no_row_twice(server, how, at):
    before = cpus(server)
    killed(server, how, at)
    (cut,) = sp.pushes().to_dict("records")
    there = sum(now - then for now, then in zip(cpus(server), before, strict=True))
    assert (cut["ended"], cut["note"], 7 <= there < 20) == (False, "CHG1", True)

    with pytest.raises(sp.PlanRefused, match=r"would be changed a second time: the push \w{6} wrote to them"):
        sp.push_parts(more(server), progress=False)
    assert sum(cpus(server)) == sum(before) + there

    rest = sp.push_parts(more(server), resume=cut["journal"], progress=False)

    assert cpus(server) == [n + 1 for n in before]
    assert (rest.ok, rest.counts["done"], rest.counts["unchanged"]) == (True, 20 - there, there)
    assert rest.failures.empty
    (push,) = sp.pushes().to_dict("records")
    assert (push["rows"], push["done"], push["ended"], push["note"]) == (20, 20, True, "CHG1")
    assert sp.undo(push["journal"], server.client).push(progress=False).counts["done"] == 20
    assert cpus(server) == before
    assert sp.push_parts(more(server), progress=False).counts["done"] == 20  # what was undone is as new


def test_a_loop_whose_edit_is_the_same_twice_is_simply_run_again(server):
    killed(server, "within", 5, COUNTED.replace('part.frame()["cpus"] + 1', "40") + PARTS)
    (cut,) = sp.pushes().to_dict("records")
    done = cpus(server).count(40)

    assert sp.resume(cut["journal"], server.client).push(progress=False).ok
    assert (done, cpus(server).count(40)) == (10, 14)
    rest = sp.push_parts(
        (part.diff(part.frame().assign(cpus=40)) for part in sp.iter_snapshots(server.hosts, rows=7)),
        progress=False,
    )

    assert (rest.counts["done"], rest.parts, cpus(server)) == (6, 1, [40] * 20)
    name, where = short(Path(cut["journal"])), repr(cut["journal"])
    assert re.search(
        rf"the push {name}, which was cut off [^,]*, is another one: "
        rf"sp\.push_parts\(\.\.\., resume={where}\) had gone on with it, sp\.undo\({where}\) takes it back",
        str(rest),
    )


@pytest.mark.parametrize("how", ["between", "within", "raised"])
def test_a_push_that_was_cut_off_is_undone_like_any_other_and_then_is_as_new(server, how):
    before = cpus(server)

    def broken() -> Iterator[sp.Plan]:
        parts = more(server)
        yield from (next(parts), next(parts))
        raise RuntimeError("boom")

    if how == "raised":
        with pytest.raises(RuntimeError, match="boom"):
            sp.push_parts(broken(), progress=False)
    else:
        killed(server, how, {"between": 2, "within": 7}[how])
    (cut,) = sp.pushes().to_dict("records")
    sp.resume(cut["journal"], server.client).push(progress=False)
    there = sum(cpus(server)) - sum(before)

    back = sp.undo(cut["journal"], server.client).push(progress=False)

    assert (back.ok, back.counts["done"], back.counts["unchanged"]) == (True, there, 0)
    assert cpus(server) == before
    assert sp.undo(cut["journal"], server.client).empty
    assert sp.pushes()["ended"].tolist() == [True, True]
    assert sp.push_parts(more(server), progress=False).counts["done"] == 20


def test_an_undo_that_was_cut_off_goes_on_and_what_it_put_back_may_be_changed_again(server):
    before = cpus(server)
    report = sp.push_parts(more(server), progress=False)

    def two() -> Iterator[sp.Plan]:
        parts = iter(sp.undo(report))
        yield from (next(parts), next(parts))
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        sp.push_parts(two(), progress=False)
    assert sum(cpus(server)) == sum(before) + 7
    rest = sp.undo(report).push(progress=False)

    assert (rest.ok, rest.counts["done"], cpus(server)) == (True, 7, before)
    assert sp.push_parts(more(server), progress=False).counts["done"] == 20


def test_another_edit_of_rows_that_a_cut_push_wrote_is_nobody_s_second_one(server):
    killed(server, "between", 1)
    first = server.fetch().ids[:7]

    with pytest.raises(sp.PlanRefused, match="a second time"):
        sp.push_parts(more(server, by=2), progress=False)
    assert sp.push_parts(more(server, by=2), progress=False, again=True).counts["done"] == 20
    other = (p.diff(p.frame().assign(os="rhel9")) for p in sp.iter_snapshots(server.hosts, rows=7))
    assert sp.push_parts(other, progress=False).counts["done"] == 20
    assert set(server.fetch().frame()["cpus"][first] - [n % 8 for n in range(7)]) == {4}


@pytest.mark.parametrize("at", [rarely(1), 2, rarely(3), rarely(4), 5])
def test_a_push_of_several_tables_is_finished_wherever_it_was_killed(server, at):
    killed(server, "", at, SEVERAL)
    (cut,) = sp.pushes().to_dict("records")
    assert (cut["rows"], cut["ended"]) == (10, False)

    rest = sp.resume(cut["journal"], server.client).push(progress=False)

    assert rest.ok, rest.failures
    (site,) = server.client.entities("site").fetch_all({"q": {"name": "s9"}})
    assert server.hosts.count({"site": site["_id"]}) == 9
    assert sp.pushes()[["rows", "done", "ended"]].values.tolist() == [[10, 10, True]]
    assert sp.undo(cut["journal"], server.client).push(progress=False).ok
    assert server.client.entities("site").count({"name": "s9"}) == 0


def test_a_part_with_problems_ends_the_push(server):
    def plans() -> Iterator[sp.Plan]:
        for number, part in enumerate(sp.iter_snapshots(server.hosts, rows=7)):
            cores = part.frame()["cpus"].astype(object)
            cores.iloc[2] = 99 if number == 1 else 50
            yield part.diff(part.frame().assign(cpus=cores))

    report = sp.push_parts(plans(), progress=False)

    assert (report.counts["done"], report.counts["problem"], report.ok, report.parts) == (1, 1, False, 1)
    assert str(report.stopped).startswith("1 problem; the first: row h00009, cpus: ")
    assert report.failures[["schema", "key", "outcome"]].values.tolist() == [["host", "h00009", "problem"]]
    assert sp.pushes()["ended"].tolist() == [False]
    with pytest.raises(sp.PushFailed):
        report.raise_for_failures()
    rest = sp.push_parts(plans(), progress=False, skip_problems=True, resume=report.journal)
    assert (rest.counts["done"], rest.counts["problem"], rest.parts) == (1, 1, 3)
    with pytest.raises(sp.PlanRefused, match="64"):
        sp.push_parts(iter(list(plans())[1:]), progress=False)


def test_what_is_no_plan_is_no_part(server):
    with pytest.raises(TypeError, match="push_parts takes plans, one after the other: 1 is none"):
        sp.push_parts([1], progress=False)
    assert sp.pushes().empty


def test_deletes_are_counted_over_all_parts(server):
    def plans() -> Iterator[sp.Plan]:
        for part in sp.iter_snapshots(server.hosts, rows=7):
            yield part.diff(part.frame().head(0), delete=list(part.ids))

    report = sp.push_parts(plans(), progress=False)
    assert (report.counts["done"], report.counts["unsent"]) == (7, 7)
    assert "the parts so far delete 14 rows" in str(report.stopped)
    back = sp.undo(report)
    assert back.counts["creates"] == 7
    assert back.push(progress=False).ok

    every = sp.push_parts(plans(), progress=False, expect_deletes=20)
    assert (every.counts["done"], server.hosts.count()) == (20, 0)
    assert sp.undo(every).push(progress=False).counts["done"] == 20
    assert sp.undo(every).empty


def test_what_making_a_plan_raises_tells_the_way_on(server):
    def plans() -> Iterator[sp.Plan]:
        yield next(more(server))
        raise KeyError("os")

    with pytest.raises(KeyError) as raised:
        sp.push_parts(plans(), progress=False)

    journal = sp.pushes()["journal"][0]
    (told,) = raised.value.__notes__
    assert told == (
        f"pushed so far as {short(Path(journal))}: "
        f"sp.push_parts(..., resume={journal!r}) goes on, sp.undo({journal!r}) goes back"
    )


def test_a_server_that_goes_away_stops_the_push_and_the_rest_is_sent_later(server):
    calm = sp.Limits(patience=0.2, settle=0.05, settle_row=0.0)
    before = cpus(server)

    def plans() -> Iterator[sp.Plan]:
        for number, plan in enumerate(more(server)):
            if number == 1:
                server.sandbox.faults = Faults(errors={"PUT /entities/host": (503, 1.0)})
            yield plan

    report = sp.push_parts(plans(), progress=False, limits=calm)
    server.sandbox.faults = Faults()

    assert (report.counts["done"], report.counts["unsent"], report.parts) == (7, 7, 2)
    assert str(report.stopped) in str(report)
    rest = sp.push_parts(more(server), progress=False, resume=report.journal)
    assert (rest.counts["done"], rest.counts["unchanged"], rest.ok) == (13, 7, True)
    assert cpus(server) == [n + 1 for n in before]


def test_requests_are_those_of_one_push(server):
    server.add(range(20, 60))
    live = server.fetch()
    start = len(server.sandbox.requests)
    live.diff(live.frame().assign(cpus=40)).push(progress=False, limits=sp.Limits(rows=20))
    one = len(server.sandbox.requests) - start
    plans = (p.diff(p.frame().assign(cpus=41)) for p in sp.iter_snapshots(server.hosts, rows=20))
    listed = list(plans)
    start = len(server.sandbox.requests)

    sp.push_parts(listed, progress=False, limits=sp.Limits(rows=20))

    assert len(server.sandbox.requests) - start <= one + 3 * 2  # what a plan asks before it is sent


def test_rows_may_refer_to_new_ones_that_the_rest_of_the_cut_push_made(server):
    def plans(names: list[str], cpus: list[int]) -> Iterator[sp.Plans]:
        hosts = server.fetch({"q": {"cpus": {"$in": cpus}}}, refs="label")
        sites = sp.fetch(server.client.entities("site"), refs="label", progress=False)
        moved = hosts.frame().astype(object).assign(site=names[0])[["site", "_updated_at"]]
        new = sites.diff(pd.DataFrame({"name": names}).astype(object), new=True)
        yield sp.Plans.of(hosts.diff(moved), new)

    calm = sp.Limits(patience=0.2, settle=0.05, settle_row=0.0)
    server.sandbox.faults = Faults(errors={"POST /entities/site": (503, 1.0)})
    stopped = sp.push_parts(plans(["s7"], [1]), progress=False, limits=calm)
    server.sandbox.faults = Faults()
    rest = sp.push_parts(plans(["s7"], [1, 2]), progress=False, resume=stopped.journal)

    assert rest.ok, rest
    (site,) = server.client.entities("site").fetch_all({"q": {"name": "s7"}})
    assert server.hosts.count({"site": site["_id"]}) == server.hosts.count({"cpus": {"$in": [1, 2]}})
    assert sp.pushes()["ended"].tolist() == [True]


def test_plans_of_several_tables_are_parts_as_well(server):
    def plans() -> Iterator[sp.Plans]:
        for name in ("s7", "s8"):
            hosts = server.fetch({"q": {"cpus": int(name[1])}}, refs="label")
            sites = sp.fetch(server.client.entities("site"), refs="label", progress=False)
            moved = hosts.frame().astype(object).assign(site=name)[["site", "_updated_at"]]
            yield sp.Plans.of(
                hosts.diff(moved), sites.diff(pd.DataFrame({"name": [name]}).astype(object), new=True)
            )

    before = server.stored()
    report = sp.push_parts(plans(), progress=False)

    assert (report.parts, report.ok, [r.plan.schema.name for r in report]) == (4, True, ["site", "host"])
    assert sorted(r["name"] for r in server.client.entities("site").fetch_all())[-2:] == ["s7", "s8"]
    assert sp.pushes()["schema"].tolist() == ["site, host"]
    assert sp.undo(report).push(progress=False).ok
    assert server.stored() == before


@pytest.fixture
def events(server):
    """A table without a unique field, for rows of which some are equal."""
    definition = {"message": "String", "cause": "Number"}
    server.client.schemas.create({"name": "event", "_sis": {"owner": ["net"]}, "definition": definition})
    return server.client.entities("event")


def made(events, size, *, equal=False) -> Iterator[sp.Plan]:
    live = sp.fetch(events, progress=False)
    rows = [{"message": f"m{n % 4}"} | ({} if equal else {"cause": n}) for n in range(20)]
    for start in range(0, 20, size):
        yield live.diff(pd.DataFrame(rows[start : start + size]).astype(object), new=True)


def keyed(server, size) -> Iterator[sp.Plan]:
    for start in range(0, 20, size):
        live = server.fetch()
        there = set(live.frame()["name"])
        names = [name for n in range(start, min(start + size, 20)) if (name := f"n{n}") not in there]
        yield live.diff(pd.DataFrame({"name": names}).astype(object), new=True)


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize(
    ("how", "at"), [("between", 1), rarely("between", 2), rarely("within", 3), ("within", 7)]
)
@pytest.mark.parametrize("size", [rarely(7), 5])
def test_new_rows_of_a_killed_push_are_made_once_whatever_the_parts(server, events, size, how, at, equal):
    killed(server, how, at, (CREATED.replace(', "cause": n', "") if equal else CREATED) + PARTS)
    (cut,) = sp.pushes().to_dict("records")
    there = events.count()
    assert 0 < there < 20

    with pytest.raises(sp.PlanRefused, match=r"would be created a second time: the push \w{6}"):
        sp.push_parts(made(events, size, equal=equal), progress=False)
    assert events.count() == there

    rest = sp.push_parts(made(events, size, equal=equal), resume=cut["journal"], progress=False)

    assert sorted(row["message"] for row in events.fetch_all()) == sorted([f"m{n}" for n in range(4)] * 5)
    assert (rest.ok, rest.counts["done"] + rest.counts["unchanged"]) == (True, 20)
    (push,) = sp.pushes().to_dict("records")
    assert (push["done"], push["ended"], push["note"]) == (20, True, "CHG1")
    assert sp.undo(push["journal"], server.client).push(progress=False, expect_deletes=20).ok
    assert events.count() == 0


@pytest.mark.parametrize(("how", "at"), [("between", 1), ("within", 7)])
def test_new_rows_with_a_unique_value_are_made_by_the_same_loop_again(server, how, at):
    before = server.hosts.count()
    killed(server, how, at, KEYED + PARTS)

    rest = sp.push_parts(keyed(server, 5), progress=False)

    assert rest.ok
    assert server.hosts.count() == before + 20
    assert sp.pushes()["done"].sum() == 20


@pytest.mark.parametrize(("how", "at"), [("between", 1), ("within", 7)])
def test_a_named_loop_goes_on_by_itself_and_leaves_out_no_row_of_a_later_part(server, events, how, at):
    killed(server, how, at, CREATED + PARTS, what="events of May")

    rest = sp.push_parts(made(events, 7), what="events of May", progress=False)

    assert sorted(row["cause"] for row in events.fetch_all()) == list(range(20))
    assert (rest.ok, rest.counts["done"] + rest.counts["unchanged"]) == (True, 20)
    assert sp.pushes()[["done", "ended", "note"]].values.tolist() == [[20, True, "CHG1"]]
