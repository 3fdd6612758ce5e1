"""After a push: what somebody else wrote between reading and writing a row is found, and given back."""

import json
import threading
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import sispy
import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.pushing.record import read as read_journal
from sispy_pandas.reading.commits import commits_of
from sispy_pandas.values.changes import REPLACED

LONG = "the quick brown fox jumps over the lazy dog, again and again and again, "
SITE = "site"
VALUES = {
    "name": ("h00000", "bob's", "mine"),
    "cpus": (1, 7, 9),
    "live": (True, None, False),
    "since": ("2024-01-02T03:04:05.000Z", "2025-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"),
    "ip": ("10.0.0.1/24", "10.0.0.1/16", "10.0.0.9/24"),
    "bios.vendor": (LONG + "0", LONG + "1", LONG + "2"),
    SITE: (0, 1, 2),
    "serial": ("sn0", "bob", "me"),
}
ARRAYS = {
    "tags": (["a", "b"], ["b", "c"], ["a", "b", "d"]),
    "disks": (
        [{"dev": "sda", "gb": 10}],
        [{"dev": "sda", "gb": 10}, {"dev": "sdb", "gb": 20}],
        [{"dev": "sdc", "gb": 1}],
    ),
}
MIXED = {"extra": ({"a": 1, "b": {"c": 0}}, {"a": 1, "b": {"c": 5}}, {"a": 2, "b": {"c": 7}})}
"""Path -> (base, theirs, mine). Arrays: the server refuses two writes of one at the same time."""


@pytest.fixture
def bob(server):
    """Return a function that lets bob write to a row once, in the window of the next write to it."""
    who = {"name": "bob", "email": "bob@example.com", "pw": "secret", "roles": {"net": "user", "ops": "user"}}
    server.client.users.create(who)
    client = sispy.Client(server.client.url)
    client.authenticate("bob", "secret")

    def at(moment, id_, *bodies, route="PUT *"):
        left, faults = [bodies], dict[str, Any]()

        def write(seen):
            if left and seen.matches(route):
                for body in left.pop():
                    client.entities("host").update(id_, body)

        faults[moment] = write
        server.sandbox.faults = Faults(**faults)

    at.hosts = client.entities("host")  # type: ignore[attr-defined] # what else he does
    return at


def first(server, **cells):
    """Return the plan that writes to the first row."""
    live = server.fetch()
    frame = live.frame(meta=True).iloc[[0]][list(cells)].astype(object)
    for column, value in enumerate(cells.values()):
        frame.iat[0, column] = value
    return live.diff(frame)


def push(plan, **options):
    return plan.push(progress=False, limits=sp.Limits(settle=0.1, settle_row=0.0), **options)


def test_the_report_is_there_before_the_commits_are_read(server, bob):
    plan = first(server, cpus=9)
    bob("before", plan.changes[0].id, {"cpus": 7})
    early = []

    def show(report):
        asked = [seen.path for seen in server.sandbox.requests if seen.path.endswith("/commits")]
        early.append((report.counts["done"], asked))

    report = push(plan, on_report=show)

    assert early == [(1, [])]
    assert (report.counts["done"], report.counts[REPLACED]) == (0, 1)


def body_of(path, value):
    top, _, inner = path.partition(".")
    return {top: {inner: value} if inner else value}


def plain(value):
    """Return a value without the `_id`s that the server gives to members."""
    return (
        [{**m, "_id": 0} if isinstance(m, dict) else m for m in value] if isinstance(value, list) else value
    )


def cells(report):
    return report.overwritten[["field", "base", "mine", "theirs", "by"]].to_numpy().tolist()


def in_rows(table):
    return [pytest.param(path, *values, id=path) for path, values in table.items()]


@pytest.mark.parametrize(
    ("moment", "path", "base", "theirs", "mine"),
    [
        pytest.param(moment, path, *values, id=f"{moment}-{path}")
        for moment, table in (("before", VALUES | ARRAYS), ("between", VALUES | MIXED))
        for path, values in table.items()
    ],
)
def test_a_value_that_was_replaced_is_found_and_given_back(server, bob, moment, path, base, theirs, mine):
    if path == SITE:
        base, theirs, mine = server.sites
    server.hosts.update(server.fetch().ids[0], body_of(path, base))
    plan = first(server, **{path: mine})
    (change,) = plan.changes
    bob(moment, change.id, body_of(path, theirs))

    report = push(plan)

    assert [(o.word, o.label, o.unverified) for o in report.outcomes] == [("done", REPLACED, "")]
    assert report.counts | {"done": 0, REPLACED: 1} == report.counts
    assert sum(report.counts.values()) == len(report)
    ((field, *values, by),) = cells(report)
    assert (field, by) == (path, "bob")
    assert list(map(plain, values)) == list(map(plain, (base, mine, theirs)))

    back = push(report.plan.rebase(report, keep="theirs"))

    assert (back.counts["done"], len(back.overwritten)) == (1, 0)
    assert len(first(server, **{path: theirs})) == 0
    assert len(report.plan.rebase(report, keep="mine")) == 0


def test_what_was_merged_into_a_mixed_value_is_reported_though_the_row_failed(server, bob):
    plan = first(server, extra={"a": 1, "b": {"c": 9}})
    bob("before", plan.changes[0].id, {"extra": {"b": {"c": 5}, "d": [1]}})

    report = push(plan)

    theirs = {"a": 1, "b": {"c": 5}, "d": [1]}
    assert [o.label for o in report.outcomes] == ["failed"]
    assert cells(report) == [["extra", {"a": 1, "b": {"c": 0}}, {**theirs, "b": {"c": 9}}, theirs, "bob"]]
    assert push(report.plan.rebase(report, keep="theirs")).counts["done"] == 1
    assert server.fetch().records()[0]["extra"] == theirs


@pytest.mark.parametrize("moment", ["before", "between"])
def test_other_cells_of_the_row_are_nobodys_loss(server, bob, moment):
    plan = first(server, cpus=9)
    bob(moment, plan.changes[0].id, {"live": None, "bios": {"vendor": "bob's"}})

    report = push(plan)

    assert (report.counts["done"], cells(report), len(report.unverified)) == (1, [], 0)


@pytest.mark.parametrize("moment", ["before", "between"])
def test_the_same_value_by_somebody_else_is_no_loss(server, bob, moment):
    plan = first(server, cpus=9, live=None)
    bob(moment, plan.changes[0].id, {"cpus": 9})

    report = push(plan)

    assert (report.counts["done"], cells(report), len(report.unverified)) == (1, [], 0)


def test_a_write_that_changes_nothing_any_more_is_verified_without_a_commit(server, bob):
    plan = first(server, cpus=9)
    bob("before", plan.changes[0].id, {"cpus": 5}, {"cpus": 9})

    report = push(plan)

    assert (report.counts["done"], cells(report), len(report.unverified)) == (1, [], 0)
    assert len(server.hosts.commits(plan.changes[0].id).fetch_all({"q": {"action": "update"}})) == 2


def test_a_change_and_its_return_in_the_window_is_reported(server, bob):
    plan = first(server, cpus=9)
    bob("before", plan.changes[0].id, {"cpus": 5}, {"cpus": 1})

    assert cells(push(plan)) == [["cpus", 1, 9, 1, "bob"]]


def test_an_edit_made_upon_ours_is_no_loss(server, bob):
    plan = first(server, cpus=9)
    bob("after", plan.changes[0].id, {"cpus": 5})

    report = push(plan)

    assert (report.counts["done"], cells(report), len(report.unverified)) == (1, [], 0)


def test_a_write_whose_answer_got_lost_is_known_by_name_and_value(server, bob):
    plan = first(server, cpus=9)
    bob("before", plan.changes[0].id, {"cpus": 5})
    window = server.sandbox.faults.before
    server.sandbox.faults = Faults(before=window, drop_after={"PUT *": 1.0})

    report = push(plan)

    assert [(o.label, o.status) for o in report.outcomes] == [(REPLACED, None)]
    assert cells(report) == [["cpus", 1, 9, 5, "bob"]]


def test_a_resumed_push_is_verified_from_the_first_time_that_a_row_was_sent(server, bob):
    plan = first(server, cpus=9)
    bob("before", plan.changes[0].id, {"cpus": 5})
    window = server.sandbox.faults.before
    server.sandbox.faults = Faults(before=window, drop_after={"PUT *": 1.0})
    stopped = plan.push(progress=False, limits=sp.Limits(settle=0.0, settle_row=0.0, attempts=1))
    server.sandbox.faults = Faults()
    assert stopped.counts["unsent"] == 1

    report = push(sp.resume(stopped.journal, server.client))

    assert cells(report) == [["cpus", 1, 9, 5, "bob"]]


def test_what_an_interrupted_push_had_written_is_said_not_to_be_verified(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(4).assign(cpus=9))
    since = server.sandbox.requests[-1].number
    stopped = plan.push(
        progress=False, limits=sp.Limits(rows=1), cancel=lambda: len(server.writes(since)) > 1
    )

    rest = push(sp.resume(stopped.journal, server.client))

    assert [note.what for note in rest.notes] == ["not verified: 2 rows written before"]
    sp.verify(stopped.journal, server.client, progress=False)
    assert push(sp.resume(stopped.journal, server.client)).notes == ()


@pytest.mark.parametrize(
    ("table", "field", "notes"),
    [("log", "text", ["not verified: 2 rows written before"]), ("host", "name", [])],
)
def test_of_new_rows_that_an_interrupted_push_had_written_those_without_a_name_are_not_verified(
    server, table, field, notes
):
    live = sp.fetch(server.client.entities(table), progress=False)
    plan = live.diff(pd.DataFrame({field: ["n0", "n1", "n2", "n3"]}), new=True)
    since = server.sandbox.requests[-1].number
    stopped = plan.push(
        progress=False, limits=sp.Limits(rows=1), cancel=lambda: len(server.writes(since)) > 1
    )

    assert stopped.journal is not None
    rest = push(sp.resume(stopped.journal, server.client))

    assert (stopped.counts["done"], rest.counts["done"]) == (2, 2)
    assert [note.what for note in rest.notes] == notes


def test_the_report_of_a_journal_tells_of_rows_that_were_not_sent(server):
    live = server.fetch()
    frame = live.frame().head(1).assign(cpus=9)
    new = pd.DataFrame({"name": ["n0"]}, index=[None])
    plan = live.diff(pd.concat([frame, new.rename_axis("_id")]), delete=[live.ids[1]])
    stopped = plan.push(progress=False, cancel=lambda: True)

    report = sp.verify(stopped.journal, server.client, progress=False)

    assert [(o.action, o.word, o.id, o.key) for o in report.outcomes] == [
        ("create", "unsent", None, "n0"),
        ("delete", "unsent", live.ids[1], "h00001"),
        ("update", "unsent", live.ids[0], "h00000"),
    ]


def test_compare_and_set_meets_them_before_it_writes(server, bob):
    plan = first(server, cpus=9, live=None)
    bob("before", plan.changes[0].id, {"cpus": 5})

    report = push(plan, guard="cas")

    assert (report.counts["conflict"], cells(report), len(report.unverified)) == (1, [], 0)


def test_writing_over_others_unseen_says_what_it_replaced(server, bob):
    plan = first(server, cpus=9)
    bob.hosts.update(plan.changes[0].id, {"cpus": 5})

    assert cells(push(plan, guard="off")) == [["cpus", 1, 9, 5, "bob"]]


def test_a_decision_on_a_conflict_is_no_loss(server, bob):
    plan = first(server, cpus=9)
    bob.hosts.update(plan.changes[0].id, {"cpus": 5})

    report = push(plan, on_conflict="mine")

    assert (report.counts["done"], cells(report), len(report.unverified)) == (1, [], 0)


def test_new_rows_need_no_look(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(1).assign(name="n1", serial="n1"), new=True)
    before = server.sandbox.requests[-1].number

    report = push(plan)

    assert (report.counts["done"], len(report.unverified)) == (1, 0)
    assert [s for s in server.sandbox.requests if s.number > before and "commits" in s.path] == []


def test_a_new_row_that_takes_a_second_request_is_looked_at(server, bob):
    live = server.fetch()
    new = live.frame().head(1).assign(name="n1", serial="n1", extra=[{"a.b": 1}])
    plan = live.diff(new.reset_index(drop=True), new=True)
    done = []

    def write(seen):
        if seen.matches("PUT *") and not done:
            done.append(1)
            bob.hosts.update(seen.path.rpartition("/")[2], {"extra": {"c": 1}})

    server.sandbox.faults = Faults(before=write)

    report = push(plan)

    ((path, _, mine, theirs, by),) = cells(report)
    assert (path, mine, theirs, by) == ("extra", {"a.b": 1}, {"c": 1}, "bob")
    assert report.counts[REPLACED] == 1


def test_a_row_that_was_written_while_it_was_deleted_can_be_brought_back_as_it_was(server, bob):
    live = server.fetch()
    plan = live.diff(live.frame().head(0), delete=[live.ids[0]])
    bob("between", live.ids[0], {"cpus": 5}, route="DELETE *")

    report = push(plan)

    assert [o.label for o in report.outcomes] == [REPLACED]
    assert cells(report) == [["cpus", 1, None, 5, "bob"]]
    for back in (report.plan.rebase(report, keep="theirs"), sp.undo(report)):
        (change,) = back.changes
        assert (change.values["name"], change.values["cpus"]) == ("h00000", 5)
    assert push(sp.undo(report)).counts["done"] == 1


def test_tables_without_history_are_told_apart(server):
    server.client.schemas.create(
        {
            "name": "quiet",
            "_sis": {"owner": ["net", "ops"]},
            "track_history": False,
            "definition": {"name": {"type": "String", "required": True, "unique": True}, "n": "Number"},
        }
    )
    quiet = server.client.entities("quiet")
    quiet.create([{"name": "a"}, {"name": "b"}])
    live = sp.fetch(quiet, progress=False)
    plan = live.diff(live.frame().head(1).assign(n=1), delete=[live.ids[1]])

    report = push(plan)

    assert [(o.word, o.unverified) for o in report.outcomes] == [
        ("done", "the table keeps no history"),
        ("done", ""),
    ]
    assert "not verified: 1 (the table keeps no history)" in str(report)


def test_a_delete_without_an_answer_in_a_table_without_history_is_not_verified(server):
    schema = server.client.schemas.get("host").to_dict()
    server.client.schemas.update("host", {**schema, "track_history": False})
    live = server.fetch()
    ends = lambda seen: seen.method == "DELETE" and setattr(server.sandbox, "faults", Faults())  # noqa: E731
    server.sandbox.faults = Faults(before=ends, drop_after={"DELETE *": 1.0})

    report = push(live.diff(live.frame().head(0), delete=[live.ids[0]]))

    assert [(o.word, o.status, o.unverified) for o in report.outcomes] == [
        ("done", None, "the table keeps no history")
    ]


def as_read(commits):
    """Return the commits of a row in a history that missed what was written while it was deleted."""
    return [
        {**one, "commit_data": {**one["commit_data"], "cpus": 1 + (one["commit_data"]["name"] == "h00001")}}
        for one in commits
        if one["action"] == "delete"
    ]


@pytest.mark.parametrize(
    ("told", "unverified"),
    [(lambda _: [], "the commits do not tell how the row was written"), (as_read, "")],
    ids=["no commits", "commits without it"],
)
def test_what_the_answer_to_a_delete_showed_needs_no_commit(server, monkeypatch, told, unverified):
    live = server.fetch()
    plan = live.diff(live.frame().head(0), delete=list(live.ids[:2]))
    rows = server.sandbox.world.entities["host"].collection.documents

    def write(seen):  # within the millisecond of what was read: its time does not move
        if seen.method == "DELETE":
            rows[live.ids[0]]["cpus"] = 5

    server.sandbox.faults = Faults(before=write)
    monkeypatch.setattr("sispy_pandas.pushing.verify.commits_of", lambda *asked: told(commits_of(*asked)))

    report = push(plan)

    assert [(o.label, [c.theirs for c in o.overwrites], o.unverified) for o in report.outcomes] == [
        (REPLACED, [5], ""),
        ("done", [], unverified),
    ]


def test_the_journal_keeps_what_the_answer_to_a_delete_showed(server):
    live = server.fetch()
    rows = server.sandbox.world.entities["host"].collection.documents

    def write(seen):
        if seen.method == "DELETE":
            rows[live.ids[0]]["cpus"] = 5

    server.sandbox.faults = Faults(before=write)
    report = push(live.diff(live.frame().head(0), delete=[live.ids[0]]), verify=False)

    (change,) = sp.undo(report.journal, server.client).changes
    assert (change.values["name"], change.values["cpus"]) == ("h00000", 5)


def test_owners_tags_and_locks_are_told_apart(server):
    plan = first(server, **{"_sis.tags": ["x"], "cpus": 9})

    report = push(plan)

    why = "changes of owners, tags and locks leave no trace in the history"
    assert [(o.word, o.unverified) for o in report.outcomes] == [("done", why)]


@pytest.mark.parametrize(
    "broken",
    [
        [],
        [{}],
        [{"action": "update"}],
        [{"action": "update", "date_modified": "x", "commit_data": []}],
        [None],
    ],
)
def test_commits_that_are_none_leave_the_row_unverified(server, monkeypatch, broken):
    monkeypatch.setattr("sispy_pandas.pushing.verify.commits_of", lambda *_: broken)

    report = push(first(server, cpus=9))

    assert [(o.word, o.unverified) for o in report.outcomes] == [
        ("done", "the commits do not tell how the row was written")
    ]


def many(server):
    live = server.fetch()
    return live.diff(live.frame()[["cpus"]].assign(cpus=9))


@pytest.mark.parametrize("raised", [KeyboardInterrupt, sispy.errors.NoAnswer("gone")])
def test_what_ends_the_look_leaves_the_report(server, monkeypatch, raised):
    plan = many(server)
    third = plan.changes[2].id  # two are asked at a time: the row tells which it is, not the moment

    def of_all_but_the_third(endpoint, id_, *more):
        if id_ == third:
            raise raised
        return commits_of(endpoint, id_, *more)

    monkeypatch.setattr("sispy_pandas.pushing.verify.commits_of", of_all_but_the_third)
    why = "interrupted" if raised is KeyboardInterrupt else "the server could not be asked: gone"

    report = push(plan)

    assert report.counts["done"] == 20
    assert [o.unverified for o in report.outcomes] == ["", "", *[why] * 18]
    assert report.broken_off == ("interrupted" if raised is KeyboardInterrupt else "server")
    assert f"not verified: 18 ({why})" in str(report)
    monkeypatch.undo()
    rest = report.verify(progress=False)
    assert (len(rest.unverified), rest.broken_off) == (0, None)


def test_a_cancelled_look_leaves_the_rest_for_later(server):
    cancel = threading.Event()
    server.sandbox.faults = Faults(before=lambda seen: cancel.set() if "commits" in seen.path else None)

    report = push(many(server), cancel=cancel)

    assert (report.counts["done"], len(report.unverified)) == (20, 19)


@pytest.mark.parametrize(
    ("verify", "most", "why"),
    [(False, 1000, "not asked for"), (None, 19, "more than 19 rows: report.verify() looks them up")],
)
def test_what_was_not_looked_at_is_said(server, monkeypatch, verify, most, why):
    monkeypatch.setattr("sispy_pandas.pushing.verify.AUTOMATIC", most)
    before = server.sandbox.requests[-1].number

    report = push(many(server), verify=verify)

    assert report.unverified["reason"].tolist() == [why] * 20
    assert [s for s in server.sandbox.requests if s.number > before and "commits" in s.path] == []
    assert len(push(many(server).only(ids=[]), verify=True)) == 0


def test_a_look_costs_one_request_for_each_row(server):
    before = server.sandbox.requests[-1].number

    push(many(server), verify=True)

    assert len([s for s in server.sandbox.requests if s.number > before and "commits" in s.path]) == 20


def test_the_journal_keeps_what_was_found_for_undo_and_for_later(server, bob):
    plan = first(server, cpus=9)
    id_ = plan.changes[0].id
    bob("before", id_, {"cpus": 5})
    report = push(plan, verify=False)
    assert read_journal(report.journal).entries[id_].unverified is None
    assert "not verified: 1 row" in str(sp.undo(report.journal, server.client))

    later = sp.verify(report.journal, server.client, progress=False)

    assert cells(later) == cells(report.verify(progress=False)) == [["cpus", 1, 9, 5, "bob"]]
    record = read_journal(report.journal)
    assert (record.ended, record.entries[id_].overwrites[0].theirs) == (True, 5)
    undo = sp.undo(report.journal, server.client)
    assert "gives back what others had written into 1 row" in str(undo)
    assert push(undo).counts["done"] == 1
    assert server.fetch().records()[0]["cpus"] == 5


def test_the_evidence_is_in_text_and_pages(server, bob, tmp_path):
    plan = first(server, cpus=9)
    bob("before", plan.changes[0].id, {"cpus": 5})

    report = push(plan)

    assert "1 done, replaced somebody's value" in str(report).splitlines()[0]
    assert report.frame()["outcome"].tolist() == [REPLACED]
    for page in (report.to_html(tmp_path / "record.html"), report._repr_html_()):
        assert "replaced in" in page
        assert "bob" in page


def test_a_row_in_conflict_may_have_replaced_another_cell(server, bob):
    plan = first(server, cpus=9, live=None)
    id_ = plan.changes[0].id
    bob.hosts.update(id_, {"live": False})
    bob("before", id_, {"cpus": 5})

    report = push(plan)

    assert [o.label for o in report.outcomes] == ["conflict"]
    assert cells(report) == [["cpus", 1, 9, 5, "bob"]]
    theirs, mine = (report.plan.rebase(report, keep=keep) for keep in ("theirs", "mine"))
    assert [(dict(c.before), dict(c.after)) for c in theirs.changes] == [({"cpus": 9}, {"cpus": 5})]
    assert [(dict(c.before), dict(c.after)) for c in mine.changes] == [({"live": False}, {"live": None})]


@pytest.mark.parametrize("lacking", [lambda rows: rows[1:], lambda rows: rows[:-1], lambda rows: []])
def test_a_list_of_commits_that_lacks_some_is_no_evidence(server, bob, lacking):
    plan, handler = first(server, cpus=9), server.client._http_handler
    bob("before", plan.changes[0].id, {"cpus": 7})
    forward = handler.send

    def send(request, *, timeout):
        answer = forward(request, timeout=timeout)
        if "/commits" not in str(request):
            return answer
        return replace(answer, body=json.dumps(lacking(json.loads(answer.body))).encode())

    handler.send = send
    report = push(plan)

    assert [(o.word, bool(o.unverified)) for o in report.outcomes] == [("done", True)]


def test_a_list_of_commits_without_a_count_is_evidence(server, bob):
    plan, handler = first(server, cpus=9), server.client._http_handler
    bob("before", plan.changes[0].id, {"cpus": 7})
    forward = handler.send

    def send(request, *, timeout):  # some proxies pass on the headers alone that they know
        answer = forward(request, timeout=timeout)
        return replace(answer, headers={"content-type": "application/json"})

    handler.send = send
    report = push(plan)

    assert cells(report) == [["cpus", 1, 9, 7, "bob"]]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        {},
        "x",
        [None],
        [{}],
        [{"action": "update", "modified_by": "root", "date_modified": float("inf"), "commit_data": {}}],
        [{"action": "update", "modified_by": "root", "date_modified": float("nan"), "commit_data": {}}],
        [{"action": "update", "modified_by": "root", "date_modified": 9e99, "commit_data": {}}],
    ],
)
def test_an_odd_list_of_commits_is_no_evidence_and_no_failure(server, odd):
    plan, handler = first(server, cpus=9), server.client._http_handler
    forward = handler.send

    def send(request, *, timeout):
        answer = forward(request, timeout=timeout)
        asked = "/commits" in str(request)
        return replace(answer, body=json.dumps(odd).encode()) if asked else answer

    handler.send = send
    report = push(plan)

    assert [(o.word, bool(o.unverified)) for o in report.outcomes] == [("done", True)]


def test_writing_over_a_change_and_its_return_of_ones_own_replaces_nothing(server):
    plan = first(server, cpus=9)
    for value in (8, 1):
        server.hosts.update(plan.changes[0].id, {"cpus": value})

    report = push(plan, guard="off")

    assert (report.counts["done"], cells(report), len(report.unverified)) == (1, [], 0)
    assert push(sp.undo(report)).counts["done"] == 1
    assert server.fetch().records()[0]["cpus"] == 1


@pytest.mark.parametrize("journal", [True, False])
def test_what_somebody_else_had_made_so_before_stays_at_an_undo(server, bob, journal):
    plan = first(server, cpus=9, live=False)
    bob.hosts.update(plan.changes[0].id, {"cpus": 9})
    report = push(plan, guard="off")
    assert (report.counts["done"], cells(report)) == (1, [])

    undo = sp.undo(report.journal, server.client) if journal else sp.undo(report)

    assert [sorted(change.after) for change in undo.changes] == [["live"]]
    assert undo.notes == ("leaves 1 cell that already held what was pushed",)
