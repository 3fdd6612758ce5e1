"""Undo and resume: the way back, and the way on after a crash."""

import json
import random
import signal
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import processes
import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.planning import plan_file
from sispy_pandas.pushing import journal
from sispy_pandas.pushing.record import read
from sispy_pandas.values.changes import Problem

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0, rows=50)


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


def everything(live):
    """An edit of every kind: rows updated, created, deleted."""
    df = live.frame().reset_index().astype(object)
    half = len(df) // 2
    df.loc[: half - 1, "cpus"] = 9
    df.loc[: half - 1, "bios.vendor"] = "dell"
    df["extra"] = [{"b": {"d": i}} for i in range(len(df))]
    df["_delete"] = [None] * (len(df) - 3) + ["x"] * 3
    new = pd.DataFrame(
        {"name": [f"n{i}" for i in range(half)], "cpus": 3, "extra": [{"x": i} for i in range(half)]}
    )
    return live.diff(pd.concat([df, new.astype(object)], ignore_index=True))


def test_undo_restores_every_cell_and_undo_of_undo_is_redo(server):
    before = server.stored()
    report = push(everything(server.fetch())).raise_for_failures()
    after = server.stored()

    back = push(sp.undo(report), expect_deletes=10).raise_for_failures()
    assert server.stored() == before

    push(sp.undo(back), expect_deletes=3).raise_for_failures()
    assert server.stored() == after


def test_undo_leaves_later_edits_of_others_alone_and_takes_single_columns(server):
    live = server.fetch()
    df = live.frame().head(2)
    df["cpus"] = 9
    df["bios.vendor"] = "dell"
    report = push(live.diff(df))
    server.hosts.update(df.index[0], {"cpus": 10})

    back = push(sp.undo(report.journal, client=server.client).only(fields=["cpus"]))

    assert [(o.key, o.word) for o in back.outcomes] == [("h00000", "conflict"), ("h00001", "done")]
    stored = server.stored()
    assert [(stored[n]["cpus"], stored[n]["bios"]["vendor"]) for n in ("h00000", "h00001")] == [
        (10, "dell"),
        (2, "dell"),
    ]


@pytest.mark.parametrize("guard", ["check", "cas", "off"])
def test_undo_of_empty_objects_that_the_server_did_not_store(server, guard):
    def assigned(value):
        live = server.fetch()
        df = live.frame().astype(object)
        df["extra"] = [value] * len(df)
        return live.diff(df)

    push(assigned({"a": {"x": 1}, "b": 2}), guard=guard).raise_for_failures()
    before = server.stored()
    plan = assigned({"m": {}, "n": {"o": {}}})
    assert [change.after for change in plan.changes] == [{"extra": None}] * len(plan)
    report = push(plan, guard=guard).raise_for_failures()

    push(sp.undo(report), guard=guard).raise_for_failures()

    assert server.stored() == before


def test_an_enum_cannot_be_blank_again_and_the_other_cells_can(server):
    definition = {"name": {"type": "String", "unique": True}, "env": {"type": "String", "enum": ["a"]}}
    schema = {"name": "app", "_sis": {"owner": ["ops"]}, "definition": definition | {"n": "Number"}}
    server.client.schemas.create(schema)
    apps = server.client.entities("app")
    apps.create({"name": "x", "n": 1})
    live = sp.fetch(apps, progress=False)
    report = push(live.diff(live.frame().astype(object).assign(env="a", n=2))).raise_for_failures()

    undo = sp.undo(report)

    assert [(p.key, p.column, p.reason) for p in undo.problem_list] == [
        ("x", "env", "an enum cannot be cleared: the server refuses null")
    ]
    with pytest.raises(sp.PlanRefused, match="an enum cannot be cleared"):
        push(undo)
    push(undo.without(fields=["env"])).raise_for_failures()

    (row,) = apps.fetch_all({})
    assert (row["env"], row["n"]) == ("a", 1)


def test_undo_of_a_create_that_somebody_filled_in_is_a_conflict(server):
    report = push(server.fetch().diff(pd.DataFrame({"name": ["new"]}), new=True))
    server.hosts.update("new", {"bios": {"vendor": "theirs"}})

    back = push(sp.undo(report))

    assert back.counts["conflict"] == 1
    assert "new" in server.stored()


def test_a_delete_in_conflict_is_rebased_over_exactly_what_was_seen(server):
    report = push(server.fetch().diff(pd.DataFrame({"name": ["new"], "cpus": [2]}), new=True))
    undo = sp.undo(report)
    server.hosts.update("new", {"cpus": 3, "bios": {"vendor": "theirs"}})
    back = push(undo)
    assert [c.field for c in back.conflict_list] == ["cpus", "_updated_at"]
    assert undo.rebase(back, keep="theirs").changes == ()
    mine = undo.rebase(back, keep="mine")
    server.hosts.update("new", {"bios": {"vendor": "theirs again"}})

    again = push(mine)
    assert [c.field for c in again.conflict_list] == ["_updated_at"]
    push(mine.rebase(again, keep="mine")).raise_for_failures()
    assert "new" not in server.stored()


def deleted_at_the_second_try(server):
    """Return the reports of a deletion that ends in a conflict, and of the next one, which is done."""
    live = server.fetch()
    one = live.ids[0]
    plan = live.diff(live.frame().head(0), delete=[one])
    server.hosts.update(one, {"cpus": 9})
    in_vain = push(plan)
    deleted = push(server.fetch().diff(live.frame().head(0), delete=[one])).raise_for_failures()
    return in_vain, deleted


def test_a_delete_in_conflict_is_nothing_to_undo_though_the_row_was_deleted_since_and_came_back(server):
    in_vain, deleted = deleted_at_the_second_try(server)
    push(sp.undo(deleted)).raise_for_failures()

    back = sp.undo(in_vain)

    assert (in_vain.counts["conflict"], len(back), back.empty) == (1, 0, True)
    assert sorted(sp.pushes()["undone"]) == [0, 0, 1]


def test_of_pushes_that_are_taken_back_together_none_counts_the_rows_of_another(server):
    in_vain, deleted = deleted_at_the_second_try(server)
    push(sp.undo([in_vain, deleted])).raise_for_failures()

    assert sp.undo(in_vain).empty
    assert sorted(sp.pushes()["undone"]) == [0, 0, 1]


def test_undo_of_deletes_says_who_refers_to_the_old_ids_and_repoint_mends_it(server):
    before = server.stored()
    sites = server.client.entities("site")
    live = sp.fetch(sites, progress=False)
    for row in live.ids[:2]:
        sites.update(row, {"_sis": {"owner": ["ops"]}})
    live = sp.fetch(sites, progress=False)
    report = push(live.diff(live.frame(), delete=[live.ids[0], live.ids[1]]), allow_dangling=True)

    plan = sp.undo(report)
    assert plan.notes == (
        "2 deleted rows will come back with a new _id; 14 references of host to the old one: "
        "sp.repoint(endpoint, report.new_ids).push() points them to the new one afterwards",
    )
    assert "will be owned" not in str(plan)  # each brings the owners that it had
    back = push(plan)
    sp.repoint(sites, back.new_ids).push(progress=False)

    names = {row["_id"]: row["name"] for row in sites.fetch_all({})}
    after = server.stored()
    assert [names[row["site"]] for row in after.values()] == [f"s{n % 3}" for n in range(20)]
    assert {name: row | {"site": 0} for name, row in after.items()} == {
        name: row | {"site": 0} for name, row in before.items()
    }


CERT = {
    "name": "cert",
    "_sis": {"owner": ["net", "ops"]},
    "definition": {
        "cn": "String",
        "host": {"type": "ObjectId", "ref": "host"},
        "also": [{"type": "ObjectId", "ref": "host"}],
        "uses": [{"port": "Number", "node": {"type": "ObjectId", "ref": "host"}}],
        "note": "String",
    },
}


def certificates(server):
    """Make a table whose rows refer to hosts in every way, and return its endpoint."""
    server.client.schemas.create(CERT)
    certs = server.client.entities("cert")
    ids = server.fetch().ids
    for n in range(3):
        uses = [{"port": 443, "node": ids[n]}, {"port": 80, "node": ids[n + 1]}]
        certs.create({"cn": f"c{n}", "host": ids[n], "also": [ids[n], ids[n + 1]], "uses": uses})
    return certs


def by_name(server, certs):
    """Return what the certificates hold, with the hosts by name."""
    names = {row["_id"]: row["name"] for row in server.hosts.fetch_all({"populate": False})}
    return {
        row["cn"]: (
            names.get(row["host"]),
            [names.get(id_) for id_ in row["also"]],
            [(use["port"], names.get(use["node"])) for use in row["uses"]],
        )
        for row in certs.fetch_all({"populate": False})
    }


def test_undos_chain_over_rows_that_came_back_under_a_new_id(server):
    certs = certificates(server)
    before, wanted = server.stored(), by_name(server, certs)
    rows, hosts = sp.fetch(certs, progress=False), server.fetch()
    first = push(rows.diff(rows.frame(), delete=list(rows.ids)))
    second = push(hosts.diff(hosts.frame(), delete=list(hosts.ids[:4])), allow_dangling=True)

    back = push(sp.undo(second)).raise_for_failures()
    plan = sp.undo(first.journal, client=server.client)
    assert plan.notes[0].startswith("4 rows of host that came back under a new _id ")
    assert plan.notes[0].endswith(f", by {journal.short(back.journal)}: this plan means the new one")
    push(plan).raise_for_failures()

    assert (server.stored(), by_name(server, certs)) == (before, wanted)


def test_undos_chain_over_several_steps_and_for_rows_that_were_edited_before(server):
    live = server.fetch()
    before, ids = server.stored(), list(live.ids[:2])
    edited = push(live.diff(live.frame().head(2).assign(cpus=9)))
    for _ in range(2):
        now = server.fetch({"q": {"name": {"$in": ["h00000", "h00001"]}}})
        gone = push(now.diff(now.frame(), delete=list(now.ids)))
        push(sp.undo(gone)).raise_for_failures()

    plan = sp.undo(edited)
    assert {change.id for change in plan.changes}.isdisjoint(ids)
    push(plan).raise_for_failures()
    assert server.stored() == before
    assert sp.undo(edited).changes == ()


def test_a_row_that_came_back_and_that_somebody_deleted_since_stays_deleted(server):
    live = server.fetch()
    gone = push(live.diff(live.frame(), delete=[live.ids[0]]), allow_dangling=True)
    back = push(sp.undo(gone)).raise_for_failures()
    server.hosts.delete(back.new_ids[live.ids[0]])

    again = push(sp.undo(back))
    plan = sp.undo(gone)

    assert [(o.word, o.reason) for o in again.outcomes] == [("unchanged", "it was deleted already")]
    assert (plan.changes, [note.partition(",")[0] for note in plan.notes]) == ((), ["1 row undone already"])
    assert "h00000" not in server.stored()


def test_a_resumed_push_means_rows_that_came_back_since(server):
    certs = certificates(server)
    rows = sp.fetch(certs, progress=False)
    target = server.fetch().ids[7]
    plan = rows.diff(rows.frame().assign(host=target, note="x"))
    report = push(plan, cancel=iter([False, True]).__next__, limits=sp.Limits(rows=1, settle=0.1))
    hosts = server.fetch({"q": {"name": "h00007"}})
    gone = push(hosts.diff(hosts.frame(), delete=[target]), allow_dangling=True)
    back = push(sp.undo(gone)).raise_for_failures()

    rest = sp.resume(report.journal, client=server.client)
    push(rest).raise_for_failures()

    (new,) = back.new_ids.values()
    assert [row["host"] for row in certs.fetch_all({"populate": False, "sort": "_id"})][1:] == [new, new]
    assert len(sp.resume(report.journal, client=server.client)) == 0


def test_ctrl_c_in_a_push_names_its_journal_and_the_push_is_listed_first(server):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        everything(server.fetch()).push(progress=interrupt, limits=QUICK)
    (path,) = journal.folder().glob("*.jsonl")
    push(server.fetch().diff(pd.DataFrame({"name": ["later"]}), new=True))

    name = str(path)
    assert caught.value.__notes__ == [
        f"interrupted: sp.resume({name!r}).push() goes on, sp.undo({name!r}) goes back"
    ]
    assert sp.pushes()["journal"][0] == name
    push(sp.resume(path, client=server.client)).raise_for_failures()
    assert sp.pushes()["journal"][0] != name


def test_ctrl_c_after_the_last_row_was_sent_names_the_journal(server, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("sispy_pandas.pushing.push.after_push", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        everything(server.fetch()).push(progress=False, limits=QUICK)

    (path,) = journal.folder().glob("*.jsonl")
    name = str(path)
    assert caught.value.__notes__ == [
        f"interrupted: sp.resume({name!r}).push() goes on, sp.undo({name!r}) goes back"
    ]
    assert len(sp.resume(path, client=server.client)) == 0


@pytest.mark.parametrize("when", ["checks", "sending without a journal"])
def test_ctrl_c_where_there_is_no_journal_says_so(server, when):
    plan = everything(server.fetch())
    asked = iter(range(10_000))

    def interrupt(*_):
        raise KeyboardInterrupt

    if when == "checks":
        server.client.schemas.fetch_all = server.client.users.get = interrupt
    with pytest.raises(KeyboardInterrupt) as caught:
        plan.push(progress=interrupt, limits=QUICK, journal=False)

    assert next(asked) == 0
    assert caught.value.__notes__ == [
        "interrupted before anything was sent"
        if when == "checks"
        else "interrupted: the push keeps no journal; a new fetch and diff tell what is left"
    ]


@pytest.mark.parametrize("kept", [None, False])
def test_ctrl_c_before_the_first_row_was_sent_says_that_nothing_was(server, kept):
    plan, before = server.fetch().diff(server.fetch().frame().assign(cpus=9)), server.stored()

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        push(plan, cancel=interrupt, journal=kept)

    assert caught.value.__notes__ == ["interrupted before anything was sent"]
    assert server.stored() == before
    if kept is None:  # what of it is on disk is no obstacle
        (path,) = journal.folder().glob("*.jsonl")
        with pytest.raises(KeyboardInterrupt) as caught:
            push(sp.resume(path, client=server.client), cancel=interrupt)
        assert caught.value.__notes__[0].startswith("interrupted: sp.resume(")


def test_undo_and_resume_need_a_client_for_the_server(server, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    report = push(server.fetch().diff(pd.DataFrame({"name": ["new"]}), new=True))

    with pytest.raises(ValueError, match="no profile has the address"):
        sp.undo(report.journal)


def test_cancel_leaves_a_journal_that_resume_finishes(server):
    plan = everything(server.fetch())
    chunks = iter([False, True])

    report = push(plan, cancel=lambda: next(chunks, True), limits=sp.Limits(rows=5, settle=0.1))

    assert report.stopped == "cancelled"
    assert report.counts["done"] == 5
    assert report.counts["unsent"] == len(plan) - 5
    rest = sp.resume(report.journal, client=server.client)
    assert len(rest) == len(plan) - 5
    assert push(rest).ok
    assert len(sp.resume(report.journal, client=server.client)) == 0
    back = sp.undo(report.journal, client=server.client)
    assert len(back) == len(plan)


def test_a_resumption_has_the_problems_of_the_rows_that_are_left_alone(server):
    df = server.fetch().frame().head(3)
    df["cpus"] = [8, 98, 99]
    plan = server.fetch().diff(df)
    report = push(plan, skip_problems=True)
    c = df.index[2]
    lines = report.journal.read_text().splitlines(keepends=True)
    report.journal.write_text("".join(line for line in lines if f'"row":"{c}"' not in line))

    rest = sp.resume(report.journal, client=server.client)

    assert [o.word for o in report.outcomes] == ["done", "problem", "problem"]
    assert [change.id for change in rest.changes] == [c]
    assert rest.problem_list == (Problem(c, "more than 64", "cpus", 99, "h00002"),)


def test_resume_and_undo_outlive_a_new_field_of_the_definition(server):
    before = server.stored()
    plan = everything(server.fetch())
    report = push(plan, cancel=iter([False, True]).__next__, limits=sp.Limits(rows=5, settle=0.1))
    schema = server.client.schemas.get("host").to_dict()
    schema["definition"]["more"] = "String"
    server.client.schemas.update("host", schema)

    push(sp.resume(report.journal, client=server.client)).raise_for_failures()
    push(sp.undo(report), expect_deletes=10).raise_for_failures()

    assert server.stored() == before


def an_hour_ago(path):
    """Make a journal one of a push that was killed an hour ago, its first request under way."""
    lines = path.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if '"event":"send"' in line)
    sent = json.loads(lines[at])
    path.write_text("".join(lines[:at]) + json.dumps({**sent, "at": sent["at"] - 3_600_000}) + "\n")


def test_a_push_that_was_killed_long_ago_is_resumed(server):
    report = push(everything(server.fetch()))
    wanted = server.stored()
    an_hour_ago(report.journal)

    push(sp.resume(report.journal, client=server.client)).raise_for_failures()

    assert server.stored() == wanted


def test_a_resume_that_is_cancelled_while_it_waits_for_the_server_can_be_resumed(server):
    report = push(everything(server.fetch()))
    wanted = server.stored()
    an_hour_ago(report.journal)

    stopped = push(sp.resume(report.journal, client=server.client), cancel=lambda: True)

    assert (stopped.stopped, stopped.counts["unsent"]) == ("cancelled", len(stopped))
    push(sp.resume(report.journal, client=server.client)).raise_for_failures()
    assert server.stored() == wanted


def test_a_journal_is_private_locked_and_without_token(server):
    plan = everything(server.fetch())
    report = push(plan)
    text = report.journal.read_text()

    assert report.journal.stat().st_mode & 0o777 == 0o600
    assert server.client.auth_token not in text
    with journal.Journal(report.journal), pytest.raises(ValueError, match="another push is writing"):
        push(sp.resume(report.journal, client=server.client))
    with pytest.raises(ValueError, match="exists"):
        push(plan, journal=report.journal)


def test_a_journal_whose_last_line_is_torn_is_read_and_continued(server):
    report = push(everything(server.fetch()))
    whole = report.journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    report.journal.write_bytes(b"".join(lines[:-5]) + lines[-5][:20])

    rest = sp.resume(report.journal, client=server.client)
    again = push(rest)

    assert again.ok
    assert read(report.journal).ended


def killed_and_resumed(server, tmp_path, rows, rounds, generator):
    """Kill pushes at one of their requests up to the last write; return how many of them left rows.

    The request is carried out or not, answered or not: as the stage of the server in which the blow falls.
    """
    server.add(range(20, rows))
    before = server.stored()
    plan = everything(server.fetch())
    since = server.sandbox.requests[-1].number
    limits = sp.Limits(rows=10, settle=0.05, settle_row=0.0)
    push(plan, expect_deletes=3, journal=False, limits=limits).raise_for_failures()
    requests = server.writes(since)[-1].number - since
    wanted = server.stored()
    server.reset(rows)
    killed = 0
    for number in range(rounds):
        everything(server.fetch()).save(tmp_path / "plan")
        path = tmp_path / f"journal{number}"
        pusher = processes.process(
            processes.push,
            server.client.url,
            server.client.auth_token,
            tmp_path / "plan",
            journal=path,
            limits=limits,
        )
        last = server.sandbox.requests[-1].number + generator.randint(1, requests)

        def kill(seen, pusher=pusher, last=last):
            if seen.number >= last:
                pusher.kill()

        moment: Any = {generator.choice(["before", "between", "after"]): kill}
        server.sandbox.faults = Faults(**moment)
        pusher.start()
        pusher.join()
        assert pusher.exitcode == -signal.SIGKILL
        server.sandbox.faults = Faults()
        try:
            rest = sp.resume(path, client=server.client)
        except (ValueError, FileNotFoundError):
            assert server.stored() == before  # killed before the journal began: nothing was sent
            continue
        killed += bool(len(rest))
        report = push(rest, limits=limits, expect_deletes=rest.counts["deletes"])
        assert report.ok, report
        assert server.stored() == wanted
        back = sp.undo(path, client=server.client)
        assert push(back, limits=limits, expect_deletes=back.counts["deletes"]).ok
        assert server.stored() == before
    return killed


@pytest.mark.slow
def test_killed_at_random_requests_and_resumed_gives_the_same_state(server, tmp_path):
    assert killed_and_resumed(server, tmp_path, 60, 5, random.Random(7)) >= 3  # noqa: S311 - moments, no secrets


@pytest.mark.soak
def test_killed_fifty_times(server, tmp_path):
    assert killed_and_resumed(server, tmp_path, 340, 50, random.Random()) >= 25  # noqa: S311 - the same


def test_a_push_takes_the_journal_of_one_that_was_killed_before_it_began(server, tmp_path):
    plan = server.fetch().diff(server.fetch().frame().head(2).assign(cpus=9))
    path, other = tmp_path / "journal", tmp_path / "other.csv"
    path.write_text("\n".join(plan_file.lines(plan)[:2]))
    other.write_text("name\nh1\n")

    assert push(plan, journal=path).counts["done"] == 2
    assert read(path).ended
    for taken in (path, other):
        content = taken.read_bytes()
        with pytest.raises(ValueError, match="exists"):
            push(plan, journal=taken)
        assert taken.read_bytes() == content


@pytest.mark.parametrize(("kept", "times"), [(None, 1), (False, 1), (None, 2)])
def test_a_push_its_undo_and_the_undo_of_that_are_taken_back_as_one(server, kept, times):
    before = server.stored()
    pushed = [push(everything(server.fetch()), journal=kept)]
    for _ in range(times):
        back = push(sp.undo(pushed[-1]), expect_deletes=10 if len(pushed) == 1 else 3, journal=kept)
        pushed.append(back.raise_for_failures())

    plan = sp.undo(pushed)

    if times == 1:
        assert plan.changes == ()
    else:
        push(plan, expect_deletes=10).raise_for_failures()
    assert server.stored() == before


def test_ctrl_c_before_a_resumed_push_sends_anything_names_its_journal_all_the_same(server, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        everything(server.fetch()).push(progress=interrupt, limits=QUICK)
    (path,) = journal.folder().glob("*.jsonl")
    plan = sp.resume(path, client=server.client)

    monkeypatch.setattr("sispy_pandas.pushing.push.allowed", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        push(plan)

    name = str(path)
    assert caught.value.__notes__ == [
        f"interrupted: sp.resume({name!r}).push() goes on, sp.undo({name!r}) goes back"
    ]


def test_deletes_that_were_stated_need_not_be_so_again_where_their_push_goes_on(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(0), delete=live.ids)
    cancelled = iter([False] * 3 + [True] * 100)
    limits = replace(QUICK, rows=2)
    first = push(plan, expect_deletes=20, cancel=cancelled.__next__, limits=limits)
    assert first.counts["unsent"] > 10

    rest = sp.resume(first.journal, client=server.client)

    assert push(rest).counts["done"] == first.counts["unsent"]
    assert server.hosts.count() == 0
