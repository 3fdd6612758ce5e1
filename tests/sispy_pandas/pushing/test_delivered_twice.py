"""A network that delivers a write twice, and lists that say themselves that rows are missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from urllib.parse import urlsplit

import pandas as pd
import pytest

import sispy
import sispy_pandas as sp
from faulty_proxy import Asked, Proxy
from network_faults import FAULTS
from sispy.sandbox import Faults
from sispy_pandas.revisions.undo import verify

QUICK = sp.Limits(settle=0.2, settle_row=0.0, patience=4.0, rows=50)


@contextmanager
def hosts_behind(server, fault, method, *, number=1, table="host") -> Iterator[sp.Snapshot]:
    """Give the rows behind a proxy whose fault meets one request of a method to their table, by number."""
    address = urlsplit(server.client.url)
    met: list[Asked] = []

    def choose(asked):
        if asked.method == method and f"/entities/{table}" in asked.target and armed:
            met.append(asked)
            return fault if len(met) == number else "", Random(0)  # noqa: S311 - no secret
        return "", Random(0)  # noqa: S311 - no secret

    armed: list[bool] = []
    proxy = Proxy((str(address.hostname), int(address.port or 0)), FAULTS, choose)
    try:
        client = sispy.Client(proxy.url, auth_token=server.client.auth_token)
        client.username = server.client.username
        live = sp.fetch(client.entities(table), progress=False)
        armed.append(True)
        yield live
        assert len(met) >= number
    finally:
        proxy.stop()


def test_compare_and_set_knows_its_own_write_when_the_second_delivery_of_it_is_refused(server):
    with hosts_behind(server, "delivered twice", "PUT") as live:
        df = live.frame().head(1).assign(cpus=9)
        report = live.diff(df).push(progress=False, limits=QUICK, guard="cas")

    assert [(o.word, o.written) for o in report.outcomes] == [("done", {"cpus": (1, 9)})]


def test_a_deletion_whose_second_delivery_finds_nothing_is_done_and_can_be_undone(server):
    with hosts_behind(server, "delivered twice", "DELETE") as live:
        plan = live.diff(live.frame().head(0), delete=[live.ids[0]])
        report = plan.push(progress=False, limits=QUICK)
        back = sp.undo(report)

    assert [(o.word, o.written["cpus"]) for o in report.outcomes] == [("done", (1, None))]
    assert len(back) == 1


def test_new_rows_are_known_as_ours_when_the_second_delivery_of_them_is_refused(server):
    with hosts_behind(server, "delivered twice", "POST") as live:
        new = pd.DataFrame({"name": ["n0", "n1"], "cpus": 3})
        report = live.diff(new, new=True).push(progress=False, limits=QUICK)

    assert [(o.key, o.word, bool(o.written)) for o in report.outcomes] == [
        ("n0", "done", True),
        ("n1", "done", True),
    ]


def test_a_new_row_that_somebody_else_made_at_the_same_moment_stays_theirs(server):
    live = server.fetch()
    plan = live.diff(pd.DataFrame({"name": ["n0"], "cpus": 3}), new=True)
    server.client.users.create(
        {"name": "ann", "email": "ann@example.com", "pw": "ann", "roles": {"ops": "admin"}}
    )
    ann = server.sandbox.client("ann").entities("host")
    made = []

    def before(seen):
        if seen.method == "POST" and not made:
            made.append(ann.create({"name": "n0", "cpus": 3}))

    server.sandbox.faults = Faults(before=before)
    report = plan.push(progress=False, limits=QUICK)

    assert [(o.word, o.written) for o in report.outcomes] == [("unchanged", {})]
    assert sp.undo(report).empty


@pytest.mark.parametrize("guard", ["check", "cas"])
def test_a_row_that_a_list_lacks_by_its_own_count_is_not_taken_for_deleted(server, guard):
    with hosts_behind(server, "row missing", "GET", number=2) as live:  # after the one of the check
        df = live.frame().head(2).assign(cpus=9)
        report = live.diff(df).push(progress=False, limits=QUICK, guard=guard)

    assert report.counts["done"] == 2


def test_new_rows_that_the_network_doubled_are_counted_as_not_verified(server):
    logs = server.client.entities("log")
    with hosts_behind(server, "delivered twice", "POST", table="log") as live:
        plan = live.diff(pd.DataFrame({"text": ["a", "b"], "n": 1}), new=True)
        report = plan.push(progress=False, limits=QUICK)

        rows = {row["_id"]: row["text"] for row in logs.fetch_all({})}
        more = {text: id_ for id_, text in rows.items() if id_ not in report.new_ids.values()}
        assert sorted(rows.values()) == ["a", "a", "b", "b"]
        assert [(o.word, o.unverified) for o in report.outcomes] == [
            ("done", f"there are more rows like it than were sent: {more['a']}"),
            ("done", f"there are more rows like it than were sent: {more['b']}"),
        ]
        assert len(report.verify(progress=False).unverified) == 2
        logs.delete_bulk({"q": {"_id": {"$in": list(more.values())}}})
        assert len(report.verify(progress=False).unverified) == 0


def test_new_rows_that_were_not_counted_are_not_verified(server):
    logs = server.client.entities("log")
    plan = sp.fetch(logs, progress=False).diff(pd.DataFrame({"text": ["a"]}), new=True)

    report = plan.push(progress=False, limits=QUICK, verify=False)

    assert [o.unverified for o in report.outcomes] == ["not asked for"]
    assert [o.unverified for o in report.verify(progress=False).outcomes] == [""]


def test_ctrl_c_while_it_is_looked_whether_rows_are_doubled_leaves_the_report(server, monkeypatch):
    logs = server.client.entities("log")
    plan = sp.fetch(logs, progress=False).diff(pd.DataFrame({"text": ["a"]}), new=True)

    def interrupted(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sispy_pandas.pushing.verify.own_since", interrupted)
        report = plan.push(progress=False, limits=QUICK)

    assert report.counts["done"] == 1
    assert [o.unverified for o in report.outcomes] == [
        "whether there are more rows like it is not known: interrupted"
    ]
    assert report.broken_off == "interrupted"
    assert len(report.verify(progress=False).unverified) == 0


def test_after_ctrl_c_nothing_more_is_looked_up(server, monkeypatch):
    server.client.schemas.create(
        {"name": "memo", "definition": {"text": "String"}, "track_history": True, "_sis": {"owner": ["ops"]}}
    )
    memos = server.client.entities("memo")
    memos.create({"text": "a"})
    live = sp.fetch(memos, progress=False)
    edited = live.frame().reset_index().astype(object).assign(text="b")
    both = pd.concat([edited, pd.DataFrame({"text": ["c"]})], ignore_index=True)

    def interrupted(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sispy_pandas.pushing.verify.commits_of", interrupted)
        report = live.diff(both).push(progress=False, limits=QUICK)

    assert [(o.action, o.word, o.unverified) for o in report.outcomes] == [
        ("update", "done", "interrupted"),
        ("create", "done", "whether there are more rows like it is not known: interrupted"),
    ]
    assert report.broken_off == "interrupted"


def test_a_doubled_row_that_somebody_wrote_to_since_is_counted(server):
    logs = server.client.entities("log")
    with hosts_behind(server, "delivered twice", "POST", table="log") as live:
        plan = live.diff(pd.DataFrame({"text": ["a"]}), new=True)
        report = plan.push(progress=False, limits=QUICK, verify=False)
        (other,) = {row["_id"] for row in logs.fetch_all({})} - {*report.new_ids.values()}
        logs.update(other, {"text": "b", "n": 5})

        report = report.verify(progress=False)

    assert [o.unverified for o in report.outcomes] == [f"there are more rows like it than were sent: {other}"]


def test_equal_rows_of_an_earlier_push_are_none_of_this_one(server):
    logs = server.client.entities("log")
    for _ in range(2):
        plan = sp.fetch(logs, progress=False).diff(pd.DataFrame({"text": ["a", "a"]}), new=True)
        report = plan.push(progress=False, limits=QUICK, again=True)

        assert report.counts["done"] == 2
        assert len(report.unverified) == 0


@pytest.mark.parametrize("later", [False, True], ids=["at once", "from the journal"])
def test_a_value_that_was_replaced_by_a_write_of_which_only_the_commits_tell(server, later):
    hosts, met = server.hosts, []
    plan = server.fetch().diff(server.fetch().frame().head(1).assign(cpus=9))

    def write(value):
        def once(seen):
            if seen.method == "PUT" and value not in met:
                met.append(value)
                hosts.update(plan.changes[0].id, {"cpus": value})

        return once

    server.sandbox.faults = Faults(before=write(5), after=write(6), drop_after={"PUT *": 1.0})
    report = plan.push(progress=False, limits=QUICK, verify=not later)
    if later:
        report = verify(report.journal, server.client, progress=False)

    assert [(o.word, o.written) for o in report.outcomes] == [("conflict", {})]
    assert [(c.field, c.base, c.mine, c.theirs) for o in report.outcomes for c in o.overwrites] == [
        ("cpus", 1, 9, 5)
    ]


def test_a_delete_is_known_as_ours_when_the_second_delivery_of_it_finds_nothing(server):
    with hosts_behind(server, "delivered twice", "DELETE") as live:
        report = live.diff(live.frame(), delete=[live.ids[0]]).push(progress=False, limits=QUICK)

    assert [(o.word, len(o.written) > 0) for o in report.outcomes] == [("done", True)]


def test_a_value_that_a_second_delivery_replaced_is_found(server):
    with hosts_behind(server, "delivered again, late", "PUT") as live:
        plan = live.diff(live.frame().head(1).assign(cpus=9))
        report = plan.push(progress=False, limits=QUICK, verify=False)
        server.hosts.update(plan.changes[0].id, {"cpus": 5})
        for _ in range(3):  # it comes before one of these
            live.endpoint.count()

        lost = report.verify(progress=False).overwritten

    assert lost[["field", "mine", "theirs"]].to_numpy().tolist() == [["cpus", 9, 5]]
