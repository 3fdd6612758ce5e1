"""What those who watch a push learn while it waits for the server."""

import io
import json
import math
import pickle
import threading
import time
from dataclasses import fields
from types import SimpleNamespace
from typing import cast

import pytest
from tqdm import tqdm

import sispy
import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.pushing.options import Options, Pace
from sispy_pandas.pushing.record import read
from sispy_pandas.pushing.server import Patience, Server, Stopped

LIMITS = sp.Limits(settle=0.1, settle_row=0.0)
LOOKS = ["no answer, looking what arrived in 1 s", "no answer, looking what arrived now", ""] * 2
BUSY = ["busy, again in 1 s", "busy, again now"]
AWAY = ["no answer, again in 1 s", "no answer, again now"]


class Bar:
    """A bar that remembers what it was told."""

    def __init__(self):
        self.rows, self.told = 0, []

    def update(self, n):
        self.rows += n

    def set_postfix_str(self, text, refresh=True):
        self.told.append(text)


def met_once(server, route, **faults):
    """Let the first request to a route meet faults."""

    def before(seen):
        if seen.matches(route):
            server.sandbox.faults = Faults()

    server.sandbox.faults = Faults(**faults, before=before)


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ({"errors": {"PUT *": (429, 1.0)}}, [*BUSY, *LOOKS]),
        ({"drop_before": {"PUT *": 1.0}}, [*LOOKS]),
        ({"drop_after": {"PUT *": 1.0}}, [*LOOKS]),
        ({}, []),
    ],
)
def test_a_push_says_what_it_waits_for_and_when_it_tries_again(server, faults, told):
    live = server.fetch()
    plan = live.diff(live.frame().head(3).assign(cpus=8))
    met_once(server, "PUT *", **faults)
    bar = Bar()

    plan.push(progress=bar, verify=False, limits=LIMITS)

    assert (bar.rows, bar.told) == (3, told)


@pytest.mark.parametrize(
    ("status", "rows", "told"),
    [(500, 1, []), (500, 2, LOOKS), (500, 3, LOOKS), (501, 1, LOOKS), (520, 1, LOOKS)],
)
def test_after_a_failure_of_the_server_itself_nothing_of_one_row_is_waited_for(server, status, rows, told):
    live = server.fetch()
    plan = live.diff(live.frame().head(rows).assign(cpus=9))
    met_once(server, "PUT *", errors={"PUT *": (status, 1.0)})
    bar = Bar()

    plan.push(progress=bar, verify=False, limits=LIMITS)

    assert (bar.rows, bar.told) == (rows, told)


@pytest.mark.parametrize(("status", "told"), [(503, BUSY), (429, BUSY), (408, BUSY), (502, AWAY)])
def test_a_read_that_the_client_repeats_is_waited_for_in_the_open(server, status, told):
    said = []
    talks = Server(server.hosts, LIMITS, lambda: False, said.append)
    ids = server.fetch().ids[:3]
    met_once(server, "GET *", errors={"GET *": (status, 1.0)})

    assert len(talks.read_rows(ids)) == 3
    assert said == [*told, ""]


@pytest.mark.parametrize("route", ["GET /entities/*", "GET /users/*", "GET /schemas"])
def test_the_check_before_a_push_is_waited_for_in_the_open(server, route):
    live = server.fetch()
    plan = live.diff(live.frame().head(0), delete=live.ids[:1])
    met_once(server, route, errors={route: (503, 1.0)})
    bar = Bar()

    plan.push(progress=bar, verify=False, limits=LIMITS)

    assert (bar.rows, bar.told[:2]) == (1, BUSY)


def test_an_undo_counts_the_rows_whose_commits_it_reads_and_says_what_it_waits_for(server):
    live = server.fetch()
    report = live.diff(live.frame().head(3).assign(cpus=8)).push(progress=False)
    for id_ in live.ids[:2]:
        server.hosts.update(id_, {"cpus": 16})
    route = "GET /entities/host/*/commits"
    met_once(server, route, errors={route: (503, 1.0)})
    bar = Bar()

    plan = sp.undo(report, progress=bar)

    assert (len(plan), bar.rows, set(bar.told) - {""}) == (3, 2, set(BUSY))


def test_a_cancelled_push_does_not_wait_as_long_as_the_server_asks_for(server):
    talks = Server(server.hosts, LIMITS, cancel=lambda: True)
    ids = server.fetch().ids[:3]
    server.sandbox.faults = Faults(errors={"GET *": (503, 1.0)}, retry_after=50)

    with pytest.raises(Stopped, match="cancelled"):
        talks.read_rows(ids)


def test_a_read_waits_as_long_as_the_last_answer_asks_for(server):
    said: list[str] = []
    talks = Server(server.hosts, LIMITS, lambda: bool(said), said.append)

    def busy():
        failure = sispy.ServerError("try later", 503)
        failure.retry_after = 50.0
        raise failure

    with pytest.raises(Stopped, match="cancelled"):
        talks.patiently(busy)

    assert said == ["busy, again in 50 s"]


def test_everybody_takes_turns_however_many_ask_at_once():
    pace, slept = Pace(), []
    threads = [threading.Thread(target=pace.take, args=(2.0, slept.append)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [round(seconds / 2) for seconds in sorted(slept)] == [1, 2, 3]


def test_a_rate_bounds_rows_of_a_request_and_of_all_pushes_with_the_same_limits(server):
    live = server.fetch()
    limits, begin = sp.Limits(rate=20, rows=5), time.monotonic()
    since = len(server.sandbox.requests)

    for cpus in (61, 62):
        live.diff(live.frame().head(10).assign(cpus=cpus)).push(progress=False, limits=limits)
        live = server.fetch()

    writes = [json.loads(seen.body) for seen in server.sandbox.requests[since:] if seen.method == "PUT"]
    assert [len(rows) for rows in writes] == [5, 5, 5, 5]
    assert time.monotonic() - begin >= 3 * 5 / 20


def test_a_rate_below_the_rows_of_a_request_makes_requests_smaller(server):
    live = server.fetch()
    since = len(server.sandbox.requests)

    live.diff(live.frame().head(6).assign(cpus=8)).push(progress=False, limits=sp.Limits(rate=4.5))

    writes = [json.loads(seen.body) for seen in server.sandbox.requests[since:] if seen.method == "PUT"]
    assert [len(rows) for rows in writes] == [4, 2]


def test_a_push_that_waits_for_its_rate_can_be_cancelled_and_resumed(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(6).assign(cpus=8))

    def has_begun():
        return any(seen.method == "PUT" for seen in server.sandbox.requests)

    report = plan.push(progress=False, cancel=has_begun, limits=sp.Limits(rate=2, rows=3))

    assert (report.counts["done"], report.counts["unsent"], report.stopped) == (2, 4, "cancelled")
    assert sp.resume(report.journal, client=server.client).push(progress=False).counts["done"] == 4


@pytest.mark.parametrize("guard", ["check", "cas"])
@pytest.mark.parametrize("free", range(9))
def test_a_wait_for_its_turn_of_an_hour_ends_when_the_push_is_cancelled(server, monkeypatch, free, guard):
    before = server.stored()
    plan = server.fetch().diff(server.fetch().frame().head(4).assign(cpus=8))
    limits = sp.Limits(rate=1 / 3600, rows=2)
    take, waiting = limits.request_pace.take, threading.Event()

    def some_at_once(seconds, sleep):
        nonlocal free
        free -= 1
        if free < 0:
            waiting.set()
            take(seconds, sleep)

    monkeypatch.setattr(limits.request_pace, "take", some_at_once)
    monkeypatch.setattr(limits.row_pace, "take", lambda *_: None)
    report = plan.push(progress=False, guard=guard, verify=True, cancel=waiting.is_set, limits=limits)

    if waiting.is_set():
        assert {"cancelled", "interrupted"} & {report.stopped, *report.why_unverified}
    written = [id_ for id_, row in server.stored().items() if row["cpus"] == 8 != before[id_]["cpus"]]
    assert report.counts["done"] == len(written)
    if report.journal is not None and report.stopped is not None:
        assert all(entry.word for entry in read(report.journal).entries.values())
        assert sp.resume(report.journal, client=server.client).push(progress=False).ok
        assert [row["cpus"] for row in server.stored().values()][:4] == [8] * 4


def test_who_is_cancelled_gives_back_the_turn_that_was_waited_for():
    pace, slept = Pace(), []

    def cancelled(_):
        raise Stopped("cancelled")

    pace.take(3600, slept.append)
    with pytest.raises(Stopped):
        pace.take(3600, cancelled)
    pace.take(3600, slept.append)

    assert [round(seconds / 60) for seconds in slept] == [60]


@pytest.mark.parametrize("guard", ["check", "cas"])
def test_a_rate_bounds_requests_too_those_that_read_and_verify(server, guard):
    live = server.fetch()
    plan = live.diff(live.frame().head(6).assign(cpus=8))
    since, begin = len(server.sandbox.requests), time.monotonic()

    plan.push(progress=False, verify=True, guard=guard, limits=sp.Limits(rate=25))

    tables = [seen for seen in server.sandbox.requests[since:] if seen.path.startswith("/entities/host")]
    assert len(tables) > 6
    assert time.monotonic() - begin >= (len(tables) - 1) / 25


@pytest.mark.parametrize("value", [None, "x", "1"])
def test_what_is_no_number_is_no_limit(value):
    with pytest.raises(TypeError, match=f"rate={value!r}: it is a number"):
        sp.Limits(rate=value)


def test_a_pause_lies_between_any_two_requests_of_a_push_those_that_verify_it_too(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(6).assign(cpus=8))
    since, begin = len(server.sandbox.requests), time.monotonic()

    report = plan.push(progress=False, verify=True, limits=sp.Limits(pause=0.05, rows=3))

    tables = [seen for seen in server.sandbox.requests[since:] if seen.path.startswith("/entities/host")]
    assert sum(seen.path.endswith("/commits") for seen in tables) == 6
    assert time.monotonic() - begin >= (len(tables) - 1) * 0.05
    assert report.plan.endpoint is plan.endpoint


@pytest.mark.parametrize(("name", "value"), [("rate", 0), ("rate", -1), ("pause", -0.1)])
def test_a_rate_of_nothing_and_a_negative_pause_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}: "):
        sp.Limits(**{name: value})


def test_the_bar_shows_all_rows_that_are_done_while_the_next_ones_are_under_way(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(4).assign(cpus=8))
    text = io.StringIO()

    with tqdm(total=4, file=text, mininterval=0.1, miniters=1) as bar:
        plan.push(progress=bar, verify=False, limits=sp.Limits(rows=2))
        told = text.getvalue()

    assert "| 2/4 [" in told


def test_a_log_is_not_told_of_each_request(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(4).assign(cpus=8))
    text = io.StringIO()

    with tqdm(total=4, file=text, mininterval=10.0) as bar:
        plan.push(progress=bar, verify=False, limits=sp.Limits(rows=1))
        told = text.getvalue()

    assert "1/4" not in told


def test_limits_travel_to_other_processes():
    limits = sp.Limits(rate=100, pause=0.5)

    assert pickle.loads(pickle.dumps(limits)) == limits


def test_what_a_push_keeps_to_unless_told_otherwise():
    assert {item.name: getattr(sp.Limits(), item.name) for item in fields(sp.Limits) if item.init} == {
        "rows": 250,
        "bytes": 900_000,
        "url": 6_000,
        "readers": 2,
        "settle": 5.0,
        "settle_row": 0.01,
        "patience": 60.0,
        "attempts": 4,
        "rate": math.inf,
        "pause": 0.0,
    }


@pytest.mark.parametrize(
    ("given", "begun", "resumed"),
    [
        ({}, {"guard": "off", "on_conflict": "mine"}, {"guard": "off", "on_conflict": "mine"}),
        ({"guard": "cas", "note": "b"}, {"guard": "off", "note": "a"}, {"guard": "cas", "note": "b"}),
    ],
)
def test_the_rest_of_a_push_keeps_to_what_was_decided_at_first_unless_given_anew(given, begun, resumed):
    assert Options(**given).resumed(begun) == Options(**resumed)


def test_each_pause_is_twice_as_long_up_to_five_seconds_or_as_the_server_asks():
    pauses: list[float] = []
    waits = SimpleNamespace(before_another_try=lambda pause, why: pauses.append(pause))
    patience = Patience(cast("Server", SimpleNamespace(limits=sp.Limits(patience=60.0), waits=waits)))
    failure = RuntimeError("away")

    for least in [0.0] * 11 + [7.0, 0.0]:
        patience.wait(failure, least)
    with pytest.raises(Stopped, match="the server does not answer: away"):
        patience.wait(failure, 61.0)

    assert pauses == [*(0.01 * 2**n for n in range(9)), 5.0, 5.0, 7.0, 5.0]
