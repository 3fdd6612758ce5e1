"""New rows without a unique value: known again by author, time, content and request; in doubt not sent."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

import sispy
import sispy_pandas as sp
from sispy.remedies import what_of
from sispy.sandbox import Faults
from sispy_pandas.pushing.creates import DELETED_SINCE
from sispy_pandas.pushing.options import CLOCKS_APART

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=2.0)
MAYBE = "it may have been created: rows like it appeared, "
WAY_ON = "; sp.resume looks for it again, again=True then sends it all the same"
UNLIKE = f"{MAYBE}but not as they were sent{WAY_ON}"
NAMELESS = f"{MAYBE}by whom is not known{WAY_ON}"
GONE = f"it may have been created: it came with others of its request, and is there no more{WAY_ON}"


INCOMPLETE = f"it may have been created: others were sent with it that are not in this plan{WAY_ON}"


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


def ends(report):
    return [(o.word, o.reason) for o in report.outcomes]


@pytest.fixture
def logs(server):
    """The rows of a table without a unique field, and what to do to them."""
    return Logs(server)


class Logs:
    def __init__(self, server):
        self.server, self.table = server, server.client.entities("log")
        self.mine = server.sandbox.client().entities("log")  # the same user elsewhere
        server.client.users.create(
            {"name": "ann", "email": "ann@example.com", "pw": "ann", "roles": {"ops": "user", "net": "user"}}
        )
        self.theirs = server.sandbox.client("ann").entities("log")

    def plan(self, *texts, **cells):
        frame = pd.DataFrame({"text": list(texts), **cells})
        return sp.fetch(self.table, progress=False).diff(frame, new=True)

    def resume(self, report, **options):
        return push(sp.resume(report.journal, client=self.server.client), **options)

    def rows(self):
        return sorted(row["text"] for row in self.table.fetch_all())

    def posts(self):
        return sum(seen.method == "POST" and seen.path == "/entities/log" for seen in self.server.writes())

    def lost(self, *, before=None, after=None):
        """Lose the next POST, with `after` its answer alone, and let somebody act before or after it."""
        cut = {"POST *": 1.0}

        def at(act):
            def once(seen):
                if seen.method == "POST":
                    self.server.sandbox.faults = Faults()
                    act()

            return once

        if after is None:
            faults = Faults(drop_before=cut, before=at(before or (lambda: None)))
        else:
            faults = Faults(drop_after=cut, after=at(after))
        self.server.sandbox.faults = faults

    def others(self):
        """Let the same user create other rows of which one is just like ours."""
        self.mine.create([{"text": "a"}, {"text": "c"}])

    def edit(self, was, **cells):
        """Let ann write to the last row with a text."""
        *_, row = self.table.fetch_all({"q": {"text": was}, "sort": "_id"})
        self.theirs.update(row["_id"], cells)


def in_doubt(logs, *texts):
    """Push new rows that get lost, while the same user creates others of which one is like ours."""
    plan = logs.plan(*texts)
    logs.lost(before=logs.others)
    report = push(plan)
    assert ends(report) == [("failed", UNLIKE)] * len(texts)
    assert [o.ambiguous for o in report.outcomes] == [True] * len(texts)
    return plan, report


def test_a_row_in_doubt_stays_so_and_is_not_sent_however_often_it_is_resumed(logs):
    _, report = in_doubt(logs, "a", "b")

    for _ in range(2):
        report = logs.resume(report)
        assert ends(report) == [("failed", UNLIKE)] * 2
    assert (logs.rows(), logs.posts()) == (["a", "c"], 1)


def test_a_row_in_doubt_stays_so_and_is_not_sent_however_often_the_plan_is_pushed(logs):
    plan, first = in_doubt(logs, "a", "b")

    for part in (plan, plan, plan.rebase(first, keep="mine")):
        report = push(part)
        assert ends(report) == [("failed", UNLIKE)] * 2
        assert ends(logs.resume(report)) == [("failed", UNLIKE)] * 2
    assert ends(push(plan.only(ids=[1]))) == [("failed", INCOMPLETE)]
    assert (logs.rows(), logs.posts()) == (["a", "c"], 1)


def test_a_plan_that_was_saved_is_known_to_be_the_same(logs, tmp_path):
    texts = ["a", *map(str, range(11))]
    plan = logs.plan(*texts)
    plan.save(tmp_path / "plan")
    logs.lost(before=logs.others)
    push(plan)

    assert ends(push(sp.load_plan(tmp_path / "plan", logs.server.client))) == [("failed", UNLIKE)] * 12
    assert (logs.rows(), logs.posts()) == (["a", "c"], 1)


def test_the_others_of_a_plan_are_sent_and_left_out_as_ever(logs):
    plan = logs.plan("a", "b")
    limits = sp.Limits(settle=0.1, settle_row=0.0, rows=1)
    logs.lost(before=logs.others)
    report = push(plan, limits=limits)
    assert [o.word for o in report.outcomes] == ["failed", "done"]

    again = push(plan)

    assert [o.word for o in again.outcomes] == ["failed", "unchanged"]
    assert logs.rows() == ["a", "b", "c"]


def test_a_row_in_doubt_is_sent_on_demand_and_once(logs):
    _, report = in_doubt(logs, "a", "b")

    again = logs.resume(report, again=True)

    assert [o.word for o in again.outcomes] == ["done", "done"]
    assert logs.rows() == ["a", "a", "b", "c"]
    assert len(sp.resume(report.journal, client=logs.server.client)) == 0
    assert push(sp.undo(report.journal, client=logs.server.client)).counts["done"] == 2
    assert logs.rows() == ["a", "c"]


def test_what_gets_lost_once_more_is_looked_for_once_more(logs):
    _, report = in_doubt(logs, "a")
    logs.lost(before=logs.others)

    again = logs.resume(report, again=True)

    assert (ends(again), logs.posts()) == ([("failed", UNLIKE)], 2)


def test_only_what_was_told_to_be_in_doubt_is_sent_on_demand(logs):
    plan = logs.plan("a")
    logs.lost(after=lambda: logs.mine.create({"text": "x"}))
    report = push(plan, limits=sp.Limits(settle=0.0, settle_row=0.0, attempts=1))
    assert report.counts["unsent"] == 1

    assert ends(logs.resume(report, again=True)) == [("done", "found created after the answer got lost")]
    assert logs.rows() == ["a", "x"]


def test_a_row_in_doubt_is_sent_once_what_was_like_it_is_gone(logs):
    plan, report = in_doubt(logs, "a")
    logs.mine.delete(logs.table.fetch_all({"q": {"text": "a"}})[0]["_id"])

    assert push(plan).counts["done"] == 1
    assert ends(logs.resume(report)) == [("done", "found created after the answer got lost")]
    assert logs.rows() == ["a", "c"]


def test_rows_by_nobody_known_are_known_once_the_server_has_named_who_pushes(server):
    logs = Logs(server)
    client = sispy.Client(server.client.url, auth_token=server.sandbox.client("ann").auth_token)
    live = sp.fetch(client.entities("log"), progress=False)
    plan = live.diff(pd.DataFrame({"text": ["a", "b"]}), new=True)
    logs.lost(after=lambda: None)

    report = push(plan, limits=sp.Limits(settle=0.1, settle_row=0.0, rows=1))

    assert ends(report) == [("failed", NAMELESS), ("done", "")]
    rest = push(sp.resume(report.journal, client=client))
    assert ends(rest) == [("done", "found created after the answer got lost")]
    assert logs.rows() == ["a", "b"]


def test_a_lost_request_that_was_delivered_twice_is_done_and_counted_as_not_verified(logs):
    plan = logs.plan("a", "b")
    logs.lost(after=lambda: logs.mine.create([{"text": "a"}, {"text": "b"}], all_or_none=True))

    report = push(plan)

    assert [o.word for o in report.outcomes] == ["done", "done"]
    others = [row["_id"] for row in logs.table.fetch_all() if row["_id"] not in report.new_ids.values()]
    assert [o.unverified for o in report.outcomes] == [
        f"there are more rows like it than were sent: {id_}" for id_ in others
    ]


def test_rows_that_were_there_long_before_are_not_looked_at(logs):
    first = push(logs.plan("old"))
    plan, before = logs.plan("new"), len(logs.server.sandbox.requests)

    report = push(plan)

    (sent,) = (
        e for e in map(json.loads, report.journal.read_bytes().splitlines()) if e.get("event") == "send"
    )
    old = logs.mine.get(first.outcomes[0].id).to_dict()
    look = next(
        seen for seen in logs.server.sandbox.requests[before:] if "_created_at" in seen.query.get("q", "")
    )
    assert look.query["fields"] == "_id"
    assert (sent["since"], sent["known"]) == (old["_sis"]["_created_at"] - CLOCKS_APART, [old["_id"]])


@pytest.mark.parametrize("tracked", [True, False])
def test_a_row_that_somebody_wrote_to_since_is_known(logs, tracked):
    logs.server.client.schemas.update(
        "log", {**logs.server.client.schemas.get("log").to_dict(), "track_history": tracked}
    )
    plan = logs.plan("a", "b")
    logs.lost(after=lambda: logs.edit("b", text="theirs", n=5))

    report = push(plan)

    assert [(o.word, o.written["text"]) for o in report.outcomes] == [
        ("done", (None, "a")),
        ("done", (None, "b")),
    ]
    assert logs.rows() == ["a", "theirs"]


def test_a_single_row_without_a_history_that_somebody_wrote_to_since_is_in_doubt(logs):
    logs.server.client.schemas.update(
        "log", {**logs.server.client.schemas.get("log").to_dict(), "track_history": False}
    )
    plan = logs.plan("a")
    logs.lost(after=lambda: logs.edit("a", text="theirs"))

    assert ends(push(plan)) == [("failed", UNLIKE)]
    assert logs.rows() == ["theirs"]


def test_a_row_that_somebody_deleted_since_is_told_and_not_sent(logs):
    plan = logs.plan("a", "b")
    logs.lost(after=lambda: logs.theirs.delete(logs.table.fetch_all({"q": {"text": "a"}})[0]["_id"]))

    assert ends(push(plan)) == [("failed", GONE), ("done", "found created after the answer got lost")]
    assert logs.rows() == ["b"]


@pytest.mark.parametrize("gone", [["a"], ["a", "b"]], ids=["one", "all"])
def test_what_was_seen_before_somebody_deleted_it_is_told_and_not_sent(logs, gone):
    plan = logs.plan("a", "b")

    def delete():
        for text in gone:
            logs.theirs.delete(logs.table.fetch_all({"q": {"text": text}})[0]["_id"])

    def seen_once(seen):
        if seen.method == "GET" and "_created_at" in str(seen.query):
            logs.server.sandbox.faults = Faults()
            delete()

    logs.lost(after=lambda: setattr(logs.server.sandbox, "faults", Faults(after=seen_once)))

    report = push(plan)

    found = ("done", "found created after the answer got lost")
    assert ends(report) == [("failed", DELETED_SINCE)] * len(gone) + [found] * (2 - len(gone))
    assert (logs.rows(), logs.posts()) == (["a", "b"][len(gone) :], 1)
    assert len(sp.resume(report.journal, client=logs.server.client)) == 0
    assert [o.word for o in push(plan).outcomes] == ["done"] * len(gone) + ["unchanged"] * (2 - len(gone))


@pytest.mark.parametrize(("name", "field"), [("log", "text"), ("host", "name")])
def test_a_report_says_what_was_sent_once_more_as_nothing_of_it_was_there(server, logs, name, field):
    """No history tells of a row whose `_id` nobody knows: whether it never came or was deleted stays open."""
    table = server.client.entities(name)
    live = sp.fetch(table, progress=False)
    plan = live.diff(pd.DataFrame({field: ["new 1", "new 2", "new 3"]}), new=True)
    made = {"q": {field: {"$in": ["new 1", "new 2"]}}}
    logs.lost(after=lambda: table.delete_bulk(made))

    report = push(plan, limits=sp.Limits(settle=0.1, settle_row=0.0, rows=2)).raise_for_failures()

    assert report.notes == (
        "sent once more: 2 new rows of which a request without an answer had left nothing; "
        "had somebody deleted them since, they would be back",
    )
    new = table.fetch_all({"q": {field: {"$regex": "^new"}}})
    assert sorted(row[field] for row in new) == ["new 1", "new 2", "new 3"]
    assert all(note not in report.notes for note in push(plan).notes)


@pytest.mark.parametrize("other", [{"text": "a"}, [{"text": "u"}, {"text": "v"}]], ids=["one", "others"])
def test_rows_that_cannot_be_of_our_request_leave_no_doubt(logs, other):
    plan = logs.plan("a", "b")
    logs.lost(before=lambda: logs.mine.create(other))

    report = push(plan)

    assert report.counts["done"] == 2
    assert logs.posts() == 2


def test_a_list_that_shows_a_row_twice_under_another_id_is_none(logs):
    plan, handler = logs.plan("a"), logs.server.client._http_handler
    logs.lost(after=lambda: None)
    forward, odd = handler.send, []

    def send(request, *, timeout):
        answer = forward(request, timeout=timeout)
        rows = json.loads(answer.body or b"null") if "_created_at" in str(request) else None
        if isinstance(rows, list) and rows and len(odd) < 2:
            odd.append(rows)
            answer = replace(answer, body=json.dumps([*rows, {**rows[0], "_id": "0" * 24}]).encode())
        return answer

    handler.send = send
    report = push(plan)

    assert ends(report) == [("done", "found created after the answer got lost")]
    assert len(odd) == 2
    assert [*report.new_ids.values()] == [row["_id"] for row in logs.table.fetch_all()]


def test_rows_with_and_without_a_unique_value_go_in_one_request(server):
    definition = server.client.schemas.get("log").to_dict()
    definition["definition"]["name"] = {"type": "String", "unique": True, "sparse": True}
    server.client.schemas.update("log", definition)
    logs = Logs(server)
    plan = logs.plan("a", "b", "b", name=["n0", None, None])
    logs.lost(after=lambda: logs.edit("a", text="theirs"))

    assert push(plan).counts["done"] == 3
    plan = logs.plan("d", "e", name=["n1", None])
    logs.lost()

    assert push(plan).counts["done"] == 2
    assert logs.rows() == ["b", "b", "d", "e", "theirs"]


def test_an_undo_leaves_what_is_in_doubt_and_says_so(logs):
    plan = logs.plan("a", "b")
    logs.lost(before=logs.others)
    report = push(plan, limits=sp.Limits(settle=0.1, settle_row=0.0, rows=1))

    back = sp.undo(report)

    assert [what_of(note) for note in back.notes] == ["leaves 1 new row that may have been created"]
    assert push(back).counts["done"] == 1
    assert logs.rows() == ["a", "c"]


PUSHER = """
import sys
import sispy, sispy_pandas as sp
url, token, name, what, path = sys.argv[1:]
client = sispy.Client(url, auth_token=token)
client.username = name
plan = sp.load_plan(what, client) if what != "resume" else sp.resume(path, client)
options = {} if what == "resume" else {"journal": path}
plan.push(progress=False, limits=sp.Limits(settle=0.1, settle_row=0.0), **options)
"""


def killed(logs, what, path, matches, act=lambda: None):
    """Push a plan, or resume a push, in a process that is killed at a request, which gets lost."""
    client = logs.server.client

    def kill(seen):
        if matches(seen):
            logs.server.sandbox.faults = Faults()
            process.kill()
            process.wait()
            act()

    logs.server.sandbox.faults = Faults(before=kill, drop_before={"POST *": 1.0})
    arguments = [client.url, client.auth_token, client.username, str(what), str(path)]
    with subprocess.Popen([sys.executable, "-c", PUSHER, *arguments]) as process:
        assert process.wait() == -signal.SIGKILL


def posts(seen):
    return seen.method == "POST"


def looks(seen):
    return "_sis._created_at" in str(seen.query.get("q"))


@pytest.mark.parametrize("again", ["resume", "plan"])
def test_a_row_in_doubt_is_not_sent_after_kills_either(logs, tmp_path, again):
    logs.plan("a", "b").save(tmp_path / "plan")
    path = tmp_path / "first"
    killed(logs, tmp_path / "plan", path, posts, logs.others)
    assert ends(push(sp.resume(path, client=logs.server.client))) == [("failed", UNLIKE)] * 2
    if again == "resume":
        killed(logs, "resume", path, looks)
    else:
        path = tmp_path / "second"
        killed(logs, tmp_path / "plan", path, looks)

    for _ in range(2):
        assert ends(push(sp.resume(path, client=logs.server.client))) == [("failed", UNLIKE)] * 2
    assert logs.rows() == ["a", "c"]
