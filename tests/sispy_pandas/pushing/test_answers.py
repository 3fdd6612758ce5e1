"""Answers of another shape than the contract's are none: the rows are looked up, and nothing is doubled."""

import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy.http.base import Answer
from sispy.response import Headers, Response
from sispy.sandbox import Faults
from sispy_pandas.pushing.answers import of_bulk, status_and_text
from sispy_pandas.pushing.server import FateUnknown

QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=2.0)
STRANGE: list[Any] = [
    None,
    [],
    {},
    "",
    5,
    {"error": "no", "code": 1},
    {"success": None, "errors": None},
    {"success": []},
    {"success": {}, "errors": []},
    {"success": [None], "errors": []},
    {"success": [{}], "errors": []},
    {"success": [{"_id": "5" * 24}], "errors": []},
    {"success": [{"_id": 5, "_sis": {}}], "errors": []},
    {"success": [{"_id": "5" * 24, "_sis": {}}], "errors": []},
    {"_id": "5" * 24, "_sis": {}},
    {"success": [{"_id": "6" * 24, "_sis": {"_updated_at": "now"}}], "errors": []},
    {"success": [], "errors": [None]},
    {"success": [], "errors": [{"err": []}]},
    {"success": [], "errors": [{"err": [500, None]}]},
    {"success": [], "errors": [{"err": ["x"], "value": []}]},
]


@pytest.mark.parametrize("said", STRANGE)
def test_an_answer_of_another_shape_leaves_the_fate_open(said):
    with pytest.raises(FateUnknown):
        of_bulk(Response(said), {"6" * 24})


def test_a_row_that_another_program_stored_without_a_time_is_a_row():
    stored = {"_id": "6" * 24, "_sis": {}}

    assert of_bulk(Response({"success": [stored], "errors": []}), {"6" * 24})[0] == [stored]


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


class Proxy:
    """Give something else for the first answer to a method, whether the request was carried out or not."""

    def __init__(self, server, method, said, *, carried_out=True, times=1):
        self.handler = server.client._http_handler
        self.forward, self.method, self.said = self.handler.send, method, said
        self.carried_out, self.times, self.seen = carried_out, times, []
        self.handler.send = self.send

    def send(self, request, *, timeout):
        if request.method != self.method or len(self.seen) >= self.times:
            return self.forward(request, timeout=timeout)
        self.seen.append(request)
        answer = Answer(200, "OK", Headers(), b"")
        if self.carried_out:
            answer = self.forward(request, timeout=timeout)
        said = self.said(json.loads(answer.body or b"null")) if callable(self.said) else self.said
        return replace(answer, body=json.dumps(said).encode())


def update(live):
    return live.diff(live.frame().head(2).assign(cpus=8))


def replacement(live):
    frame = live.frame().head(1)
    frame.at[frame.index[0], "extra"] = {"a": None, "b": {"c": 1}}
    return live.diff(frame)


def delete(live):
    return live.diff(live.frame().head(0), delete=[live.ids[0], live.ids[1]])


def create(live):
    return live.diff(pd.DataFrame({"name": ["n1", "n2"], "cpus": [2, 3]}), new=True)


WRITES = [
    (update, "check", "PUT"),
    (update, "off", "PUT"),
    (update, "cas", "PUT"),
    (replacement, "check", "PUT"),
    (delete, "check", "DELETE"),
    (create, "check", "POST"),
]


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize(
    ("edit", "guard", "method", "answers"),
    [(*write, STRANGE[n::4]) for n, write in enumerate(WRITES)]
    + [pytest.param(*write, STRANGE, marks=pytest.mark.soak) for write in WRITES],
)
def test_a_write_with_a_strange_answer_is_looked_up(server, edit, guard, method, answers, carried_out):
    for said in answers:
        server.reset(3)
        plan = edit(server.fetch())
        proxy = Proxy(server, method, said, carried_out=carried_out)

        report = push(plan, guard=guard, journal=False)

        assert len(proxy.seen) == 1
        assert [o.word for o in report.outcomes] == ["done"] * len(plan), said
        assert bool(report.outcomes[0].reason) == carried_out, said
        assert push(plan, journal=False).counts["unchanged"] == len(plan)


def with_success(change):
    """Change the list of entities in a bulk answer."""
    return lambda answer: {**answer, "success": change(answer["success"])}


@pytest.mark.parametrize(
    "said",
    [
        *STRANGE,
        {"success": [], "errors": []},
        with_success(lambda rows: [rows[0], rows[0], rows[2]]),
        with_success(lambda rows: [*rows, rows[0]]),
        with_success(lambda rows: [*rows, {**rows[0], "_id": "5" * 24}]),
        with_success(lambda rows: rows[:2]),
        with_success(lambda rows: [{**row, "text": "somebody's"} for row in rows]),
        with_success(lambda rows: [{**row, "_id": f"{n}" * 24, "text": "x"} for n, row in enumerate(rows)]),
        lambda answer: {**answer, "errors": [5]},
    ],
    ids=lambda said: "changed" if callable(said) else str(said),
)
def test_new_rows_that_nothing_identifies_are_not_doubled_by_a_strange_answer(server, said):
    logs = server.client.entities("log")
    plan = sp.fetch(logs, progress=False).diff(
        pd.DataFrame({"text": ["a", "a", "b"], "n": [1, 1, 2]}), new=True
    )
    Proxy(server, "POST", said)

    report = push(plan)

    assert [o.word for o in report.outcomes] == ["done"] * 3
    assert sorted(o.id for o in report.outcomes) == sorted(row["_id"] for row in logs.fetch_all())


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_row_that_is_left_out_of_two_answers_is_looked_up(server, carried_out):
    plan = server.fetch().diff(server.fetch().frame().head(1).assign(cpus=8))
    left_out = {"success": [], "errors": []}
    Proxy(server, "PUT", left_out, carried_out=carried_out)
    Proxy(server, "PUT", left_out, carried_out=False)

    report = push(plan)

    done = ("done", "found written after its answer got lost")
    failed = ("failed", "the server left the row out of its answer, twice")
    assert [(o.word, o.reason) for o in report.outcomes] == [done if carried_out else failed]
    assert server.hosts.get(plan.changes[0].id)["cpus"] == (8 if carried_out else 1)


def test_new_rows_that_the_server_shows_with_other_values_are_reported_and_not_sent_again(server):
    logs = server.client.entities("log")
    plan = sp.fetch(logs, progress=False).diff(pd.DataFrame({"text": ["a"], "n": [1]}), new=True)
    definition = server.client.schemas.get("log").to_dict()
    definition["definition"]["text"] = {"type": "String", "uppercase": True}
    server.sandbox.faults = Faults(
        before=lambda seen: seen.method == "POST" and server.client.schemas.update("log", definition)
    )

    report = push(plan)

    assert [(o.word, o.reason) for o in report.outcomes] == [
        (
            "failed",
            "it may have been created: rows like it appeared, but not as they were sent; sp.resume looks for "
            "it again, again=True then sends it all the same",
        )
    ]
    assert logs.count() == 1


def test_an_answer_that_shows_rows_of_before_does_not_stand_for_new_ones(server):
    logs = server.client.entities("log")
    older = logs.create([{"text": "a", "n": 1}]).to_dict()
    plan = sp.fetch(logs, progress=False).diff(pd.DataFrame({"text": ["a"], "n": [1]}), new=True)
    Proxy(server, "POST", older, carried_out=False)

    report = push(plan)

    assert report.counts["done"] == 1
    assert sorted(row["_id"] for row in logs.fetch_all()) == sorted(
        [older["success"][0]["_id"], str(report.outcomes[0].id)]
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        *(
            (entry, (None, "the server gave no reason"))
            for entry in (5, None, {}, {"err": None}, {"err": []})
        ),
        ({"err": [404]}, (404, "the server gave no reason")),
        ({"err": [409, "words"]}, (409, "words")),
        ({"err": [400, {"error": "no"}, {"code": 1}]}, (400, "no")),
        ({"err": ["x", {"error": 5}]}, (None, "5")),
    ],
)
def test_what_an_error_entry_says(entry, said):
    assert status_and_text(entry) == said


def test_error_entries_of_any_shape_are_survived(server):
    strange: list[Any] = [5, None, [], {}, {"err": None}, {"err": []}, {"err": [404], "value": 5}]
    strange += [{"err": [404, None], "value": {"_id": []}}, {"err": ["x", {"error": 5}], "value": None}]
    live = server.fetch()
    ids = list(live.ids)
    for method, plan in (
        ("PUT", live.diff(live.frame().head(2).assign(cpus=8))),
        ("DELETE", live.diff(live.frame().head(0), delete=ids[4:6])),
        ("POST", create(live)),
    ):
        Proxy(server, method, {"success": [], "errors": strange}, carried_out=False)

        report = push(plan)

        assert [o.word for o in report.outcomes] == ["done", "done"]


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        "",
        [None],
        [{}],
        [{"_id": 5}],
        [{"_id": "5" * 24, "_sis": {}, "cpus": 1}],
        lambda rows: [*rows, rows[0]],
        lambda rows: {"error": "no"},
    ],
    ids=lambda said: "changed" if callable(said) else str(said),
)
@pytest.mark.parametrize(
    ("edit", "guard"), [(update, "check"), (update, "cas"), (replacement, "check"), (delete, "check")]
)
def test_a_strange_list_is_asked_for_again(server, edit, guard, said):
    plan, proxies = edit(server.fetch()), []

    def checked():  # asked before every chunk: what is read from now on is for the guard
        if not proxies:
            proxies.append(Proxy(server, "GET", said))

    report = push(plan, guard=guard, cancel=checked)

    assert len(proxies[0].seen) == 1
    assert [o.word for o in report.outcomes] == ["done"] * len(plan)


def looks_after_a_write(server, **answer):
    """Let writes go unanswered, and have every look that follows one answered like this."""
    writes = []
    handler = server.client._http_handler
    send = handler.send

    def sending(request, *, timeout):
        if request.method == "PUT":
            writes.append(request)
        found = send(request, timeout=timeout)
        return replace(found, **answer) if writes and request.method == "GET" else found

    handler.send = sending
    server.sandbox.faults = Faults(truncate={"PUT *": 1.0})


def test_a_server_that_only_gives_strange_lists_ends_the_push(server):
    plan = update(server.fetch())
    looks_after_a_write(server, body=b"null")
    report = push(plan, limits=sp.Limits(settle=0.0, settle_row=0.0))

    assert (
        report.stopped
        == "the server could not be asked: the answer is not a list of the rows asked for: None"
    )
    assert [o.word for o in report.outcomes] == ["unsent", "unsent"]


@pytest.mark.parametrize("status", [400, 401])
def test_rows_that_are_not_sent_have_the_status_that_ended_the_push(server, status):
    plan = update(server.fetch())
    looks_after_a_write(server, status=status, body=b'{"error": "no"}')
    report = push(plan, limits=sp.Limits(settle=0.0, settle_row=0.0, rows=1))

    assert [(o.word, o.status) for o in report.outcomes] == [("unsent", None), ("unsent", status)]
    assert report.stopped == "the server could not be asked: no"


def test_a_404_that_is_not_about_the_row_does_not_make_it_deleted(server):
    plan = replacement(server.fetch())
    handler = server.client._http_handler
    send = handler.send

    def sending(request, *, timeout):
        if request.method != "PUT":
            return send(request, timeout=timeout)
        return Answer(404, "Not Found", Headers(), b"<html>no such page</html>")

    handler.send = sending
    report = push(plan)

    assert [(o.word, o.status, o.reason) for o in report.outcomes] == [
        ("failed", 404, "404 Not Found: no such page")
    ]


@pytest.mark.parametrize("when", ["x", None, True, 9e99, float("nan"), float("inf")])
@pytest.mark.parametrize(("edit", "method"), [(update, "PUT"), (replacement, "PUT"), (create, "POST")])
def test_a_row_that_was_written_at_an_odd_time_is_looked_up(server, edit, method, when):
    def odd(answer):
        for row in answer.get("success", [answer]):
            row["_sis"]["_updated_at"] = when
        return answer

    plan = edit(server.fetch())
    Proxy(server, method, odd)
    report = push(plan)

    assert [o.word for o in report.outcomes] == ["done"] * len(plan)
    assert all(isinstance(o.receipt, int) for o in report.outcomes)
