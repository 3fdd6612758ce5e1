"""A write that was not carried out begins again with the guard, whatever kept it from being carried out."""

import pandas as pd
import pytest

import sispy
import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.values.changes import Conflict

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=4.0)


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


def update(live):
    """Send 8 cpus for the first host."""
    return live.diff(live.frame().head(1).assign(cpus=8))


def replacement(live):
    """Send a null inside Mixed, which takes a PUT of its own that replaces the value."""
    frame = live.frame().head(1)
    frame.at[frame.index[0], "extra"] = {"a": None, "b": {"c": 1}}
    return live.diff(frame)


def delete(live):
    """Delete the first host."""
    return live.diff(live.frame().head(0), delete=[live.ids[0]])


def create(live):
    """Create a host."""
    return live.diff(pd.DataFrame({"name": ["new"], "cpus": [2]}), new=True)


def theirs(server, plan):
    """Let somebody else write to what the plan writes to."""
    if plan.counts["creates"]:
        return server.hosts.create({"name": "new", "cpus": 3})
    return server.hosts.update(plan.changes[0].id, {"cpus": 6, "extra": {"a": 2}})


CASES = [(update, "check"), (update, "cas"), (replacement, "check"), (delete, "check"), (create, "check")]
EXPECTED = {
    update: [("cpus", 1, 8, 6)],
    replacement: [("extra", {"a": 1, "b": {"c": 0}}, {"a": None, "b": {"c": 1}}, {"a": 2, "b": {"c": 0}})],
    delete: [("cpus", 1, None, 6), ("extra", {"a": 1, "b": {"c": 0}}, None, {"a": 2, "b": {"c": 0}})],
    create: [("cpus", None, 2, 3)],
}


def conflicts(report):
    return [(c.field, c.base, c.mine, c.theirs) for c in report.conflict_list]


def at_the_first_write(server, act, faults):
    """Meet the faults until the first write has met them as well; `act` is called before."""

    def before(seen):
        if seen.method != "GET":
            server.sandbox.faults = Faults()
            act()

    return Faults(**faults, before=before)


@pytest.mark.parametrize("retry_after", [None, 0.05])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("edit", "guard"), CASES)
def test_what_others_write_while_a_busy_server_is_waited_for_stays(server, edit, guard, status, retry_after):
    plan = edit(server.fetch())
    faults = {
        "errors": {f"{m} *": (status, 1.0) for m in ("PUT", "POST", "DELETE")},
        "retry_after": retry_after,
    }
    server.sandbox.faults = at_the_first_write(server, lambda: theirs(server, plan), faults)

    report = push(plan, guard=guard)

    assert [o.word for o in report.outcomes] == ["conflict"]
    assert conflicts(report) == EXPECTED[edit]


@pytest.mark.parametrize(("edit", "guard"), CASES)
def test_what_others_write_while_nobody_takes_connections_stays(server, edit, guard):
    plan = edit(server.fetch())
    handler = server.client._http_handler
    send, refused = handler.send, []

    def refusing(request, *, timeout):
        if request.method == "GET" or refused:
            return send(request, timeout=timeout)
        refused.append(request)
        theirs(server, plan)
        raise sispy.Refused("nobody listens", sent=False)

    handler.send = refusing
    report = push(plan, guard=guard)

    assert [o.word for o in report.outcomes] == ["conflict"]
    assert conflicts(report) == EXPECTED[edit]


@pytest.mark.parametrize(("edit", "guard"), CASES)
def test_what_others_write_while_a_token_is_renewed_stays(server, edit, guard):
    mine = sispy.Client(server.client.url)
    mine.authenticate(server.sandbox.user, server.sandbox.password, renew=True)
    dead = mine.auth_token
    plan = edit(sp.fetch(mine.entities("host"), progress=False))

    def end():
        server.sandbox.world.tokens.collection.delete(
            server.sandbox.world.tokens.collection.find("name", dead)["_id"]
        )
        theirs(server, plan)

    server.sandbox.faults = at_the_first_write(server, end, {})
    report = push(plan, guard=guard)

    assert [o.word for o in report.outcomes] == ["conflict"]
    assert conflicts(report) == EXPECTED[edit]
    assert mine.auth_token != dead


def test_what_others_write_before_a_body_above_the_limit_is_divided_stays(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(4).assign(cpus=9))
    handler = server.client._http_handler
    send, refused = handler.send, []

    def sending(request, *, timeout):
        answer = send(request, timeout=timeout)
        if answer.status >= 400 and not refused:
            refused.append(request)
            server.hosts.update(plan.changes[0].id, {"cpus": 6})
        return answer

    handler.send = sending
    server.sandbox.faults = Faults(body_limit=100)
    report = push(plan)

    assert [o.word for o in report.outcomes] == ["conflict", "done", "done", "done"]
    assert report.conflict_list == (Conflict(plan.changes[0].id, "cpus", 1, 9, 6, "h00000"),)


def test_each_put_of_its_own_is_guarded_on_its_own(server):
    live = server.fetch()
    frame = live.frame().head(3)
    frame["extra"] = [{"a": None, "b": {"c": n}} for n in range(3)]
    plan = live.diff(frame)

    def before(seen):
        if seen.path.endswith(plan.changes[0].id):
            server.hosts.update(plan.changes[2].id, {"extra": {"a": 7}})

    server.sandbox.faults = Faults(before=before)
    report = push(plan)

    assert [o.word for o in report.outcomes] == ["done", "done", "conflict"]
    assert server.stored()["h00002"]["extra"] == {"a": 7, "b": {"c": 2}}


def test_without_a_guard_nothing_is_read_before_it_is_sent_again(server):
    plan = update(server.fetch()).check()
    handler = server.client._http_handler
    send, refused = handler.send, []

    def refusing(request, *, timeout):
        if request.method == "PUT" and not refused:
            refused.append(len(server.sandbox.requests))
            raise sispy.Refused("nobody listens", sent=False)
        return send(request, timeout=timeout)

    handler.send = refusing
    report = push(plan, guard="off", verify=False)

    assert report.counts["done"] == 1
    assert [seen.method for seen in server.sandbox.requests[refused[0] :]] == ["PUT"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_proxy_that_asks_for_patience_after_the_server_got_new_rows_doubles_none(server, status):
    logs = server.client.entities("log")
    plan = sp.fetch(logs, progress=False).diff(
        pd.DataFrame({"text": ["a", "a", "b"], "n": [1, 1, 2]}), new=True
    )
    server.sandbox.faults = at_the_first_write(
        server, lambda: None, {"lost_answers": {"POST *": (status, 1.0)}}
    )

    report = push(plan)

    assert [o.reason for o in report.outcomes] == ["found created after the answer got lost"] * 3
    assert sorted((row["text"], row["n"]) for row in logs.fetch_all()) == [("a", 1), ("a", 1), ("b", 2)]


def test_patience_has_an_end_and_what_was_never_sent_is_said_so(server):
    plan = update(server.fetch())
    handler = server.client._http_handler
    send = handler.send

    def refusing(request, *, timeout):
        if request.method == "PUT":
            raise sispy.Refused("nobody listens", sent=False)
        return send(request, timeout=timeout)

    handler.send = refusing
    report = push(plan, limits=sp.Limits(settle=0.0, patience=0.5))
    handler.send = send

    assert report.stopped == "the server does not answer: nobody listens"
    assert [(o.word, o.reason) for o in report.outcomes] == [("unsent", report.stopped)]
    assert push(sp.resume(report.journal, client=server.client)).counts["done"] == 1


def test_a_server_that_asks_for_too_much_patience_ends_the_push_at_once(server):
    plan = update(server.fetch())
    server.sandbox.faults = Faults(errors={"PUT *": (503, 1.0)}, retry_after=3600)

    report = push(plan)
    server.sandbox.faults = Faults()

    assert report.stopped == "the server does not answer: Internal error injected fault"
    assert "whether it arrived is not known" in report.outcomes[0].reason
    assert push(sp.resume(report.journal, client=server.client)).counts["done"] == 1


def test_a_new_token_that_is_refused_as_well_ends_the_push(server):
    mine = sispy.Client(server.client.url)
    mine.authenticate(server.sandbox.user, server.sandbox.password, renew=True)
    plan = update(sp.fetch(mine.entities("host"), progress=False))
    tokens = server.sandbox.world.tokens.collection

    def end_all(seen):
        if seen.method == "PUT":
            tokens.delete(tokens.find("name", mine.auth_token)["_id"])

    server.sandbox.faults = Faults(before=end_all)
    report = push(plan)

    assert report.stopped is not None
    assert report.stopped.startswith("the server does not accept the new token either")
    assert [o.word for o in report.outcomes] == ["unsent"]
    assert len([seen for seen in server.sandbox.requests if seen.path == "/users/auth_token"]) == 3


def test_a_push_that_asks_row_by_row_can_be_cancelled_between_two_rows(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(6).assign(cpus=9))
    since = server.sandbox.requests[-1].number
    server.sandbox.faults = Faults(errors={"PUT *": (500, 1.0)})

    report = push(plan, cancel=lambda: len(server.writes(since)) >= 3)

    assert len(server.writes(since)) == 3
    assert report.stopped == "cancelled"
    assert report.counts["done"] == 0
    assert report.counts["unsent"] >= 3
