"""What those who watch a push learn while it waits for the server."""

import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.pushing.server import Server, Stopped

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


@pytest.mark.parametrize(("status", "told"), [(503, BUSY), (502, AWAY)])
def test_a_read_that_the_client_repeats_is_waited_for_in_the_open(server, status, told):
    said = []
    talks = Server(server.hosts, LIMITS, lambda: False, said.append)
    ids = server.fetch().ids[:3]
    met_once(server, "GET *", errors={"GET *": (status, 1.0)})

    assert len(talks.read_rows(ids)) == 3
    assert said == [*told, ""]


def test_a_cancelled_push_does_not_wait_as_long_as_the_server_asks_for(server):
    talks = Server(server.hosts, LIMITS, cancel=lambda: True)
    ids = server.fetch().ids[:3]
    server.sandbox.faults = Faults(errors={"GET *": (503, 1.0)}, retry_after=50)

    with pytest.raises(Stopped, match="cancelled"):
        talks.read_rows(ids)
