"""A push: what it sends, what it leaves, and one outcome for every row."""

import itertools
import json
import time

import pandas as pd
import pytest

import sispy
import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.pushing.recall import last_attempt
from sispy_pandas.pushing.record import read
from sispy_pandas.values.changes import Conflict

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0)


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


def outcomes(report):
    return {o.key: o.word for o in report.outcomes}


def test_one_edited_cell_is_one_put_of_id_and_that_field(server):
    columns = {f"f{i:02}": "String" if i % 2 else "Number" for i in range(38)}
    definition = {"name": {"type": "String", "required": True, "unique": True}, **columns}
    definition["bios"] = {"vendor": "String"}
    server.client.schemas.create({"name": "wide", "_sis": {"owner": ["ops"]}, "definition": definition})
    wide = server.client.entities("wide")
    rows = [
        {"name": f"r{n}", "bios": {"vendor": "acme"}}
        | {path: f"{path} {n}" if kind == "String" else n for path, kind in columns.items()}
        for n in range(10_000)
    ]
    for start in range(0, len(rows), 1000):
        assert wide.create(rows[start : start + 1000])["errors"] == []
    live = sp.fetch(wide, progress=False)
    df = live.frame()
    assert df.drop(columns="_updated_at").shape == (10_000, 40)
    df.loc[df.index[7_000], "bios.vendor"] = "dell"
    before = len(server.sandbox.requests)

    report = push(live.diff(df)).raise_for_failures()

    (write,) = server.writes(server.sandbox.requests[before - 1].number)
    assert (write.method, write.path) == ("PUT", "/entities/wide")
    assert json.loads(write.body) == [{"_id": df.index[7_000], "bios": {"vendor": "dell"}}]
    assert report.counts == {"done": 1, "unchanged": 0, "conflict": 0, "failed": 0, "problem": 0, "unsent": 0}


def test_updates_creates_and_deletes_and_the_same_again(server):
    live = server.fetch()
    df = live.frame().reset_index().astype(object)
    df["cpus"] = 5
    df["_delete"] = [*[None] * 18, "x", "x"]
    new = pd.DataFrame({"name": ["n1", "n2"], "cpus": [1, 2], "tags": [["q"], []]}).astype(object)
    frame = pd.concat([df, new], ignore_index=True)

    plan = live.diff(frame, owner=["ops"])
    report = push(plan).raise_for_failures()
    again = push(plan)
    now = server.fetch()

    assert plan.counts | report.counts == plan.counts | {
        "updates": 16, "creates": 2, "deletes": 2,
        "done": 20, "unchanged": 0, "conflict": 0, "failed": 0, "problem": 0, "unsent": 0,
    }  # fmt: skip
    assert again.counts["unchanged"] == 20
    assert len(now) == 20
    assert now.frame(meta=True).tail(2)[["name", "os", "cpus", "tags", "_sis.owner"]].values.tolist() == [
        ["n1", "rhel9", 1, ("q",), ("ops",)],
        ["n2", "rhel9", 2, (), ("ops",)],
    ]
    assert report.snapshot.diff(now.frame(meta=True)).empty
    assert len(report.snapshot) == 20


def test_a_cell_that_somebody_else_changed_is_a_conflict_and_the_others_go_on(server):
    live = server.fetch()
    df = live.frame().head(3)
    a, b, c = df.index
    df["cpus"] = 8
    df["bios.vendor"] = "dell"
    server.hosts.update(a, {"cpus": 6})
    server.hosts.update(b, {"bios": {"version": "9"}})
    server.hosts.delete(c)

    plan = live.diff(df)
    report = push(plan)

    assert outcomes(report) == {"h00000": "conflict", "h00001": "done", "h00002": "conflict"}
    assert report.conflict_list == (
        Conflict(a, "cpus", 1, 8, 6, "h00000"),
        Conflict(c, "_id", c, c, None, "h00002"),
    )
    stored = server.stored()
    assert (stored["h00000"]["cpus"], stored["h00000"]["bios"]) == (6, {"vendor": "dell", "version": "1"})
    assert (stored["h00001"]["cpus"], stored["h00001"]["bios"]) == (8, {"vendor": "dell", "version": "9"})
    with pytest.raises(sp.PushFailed):
        report.raise_for_failures()

    mine = plan.rebase(report, keep="mine")
    assert [(c.before, c.after) for c in mine.changes] == [({"cpus": 6}, {"cpus": 8})]
    assert plan.rebase(report, keep="theirs").changes == ()
    push(mine).raise_for_failures()
    assert server.stored()["h00000"]["cpus"] == 8


@pytest.mark.parametrize(("on_conflict", "word", "cpus"), [("mine", "done", 8), ("theirs", "unchanged", 6)])
def test_on_conflict_decides_at_once(server, on_conflict, word, cpus):
    live = server.fetch()
    df = live.frame().head(1)
    df["cpus"] = 8
    server.hosts.update(df.index[0], {"cpus": 6})

    report = push(live.diff(df), on_conflict=on_conflict)

    assert outcomes(report) == {"h00000": word}
    assert server.stored()["h00000"]["cpus"] == cpus


def test_a_plan_with_problems_is_refused_and_skip_problems_sends_the_rest(server):
    live = server.fetch()
    df = live.frame().head(3)
    df["cpus"] = [8, 99, 8]
    df["site"] = [df["site"].iloc[0], df["site"].iloc[1], f"{1:024x}"]
    plan = live.diff(df)
    before = len(server.sandbox.requests)

    with pytest.raises(sp.PlanRefused, match="2 problems") as refused:
        push(plan)

    assert server.writes(before) == []
    assert list(refused.value.plan.problems["reason"]) == [
        "more than 64",
        "refers to a site that does not exist",
    ]
    report = push(plan, skip_problems=True)
    assert outcomes(report) == {"h00000": "done", "h00001": "problem", "h00002": "problem"}


def test_more_than_ten_deletes_need_their_number(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(0), delete=list(live.ids[:11]))

    with pytest.raises(sp.PlanRefused, match="expect_deletes=11"):
        push(plan)
    with pytest.raises(sp.PlanRefused, match="this deletes 11 rows, not 12: expect_deletes=11 confirms it"):
        push(plan, expect_deletes=12)
    assert push(plan, expect_deletes=11).counts["done"] == 11


def test_rows_that_others_refer_to_are_not_deleted(server):
    sites = sp.fetch(server.client.entities("site"), progress=False)
    plan = sites.diff(sites.frame(), delete=[sites.ids[0]])

    with pytest.raises(sp.PlanRefused, match="referred to by 7 of host"):
        push(plan)
    assert push(plan, allow_dangling=True).counts["done"] == 1

    live = server.fetch()
    df = live.frame().head(1)
    df["cpus"] = 3
    assert list(live.diff(df).check().problems["column"]) == ["site"]


def test_a_deleted_row_that_somebody_changed_is_a_conflict(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(0), delete=[live.ids[0], live.ids[1]])
    server.hosts.update(live.ids[0], {"cpus": 6})

    report = push(plan)

    assert outcomes(report) == {"h00000": "conflict", "h00001": "done"}
    assert report.conflict_list == (Conflict(live.ids[0], "cpus", 1, None, 6, "h00000"),)


def test_a_value_goes_from_one_row_to_another_and_to_a_new_one(server):
    live = server.fetch()
    df = live.frame().head(3).reset_index().astype(object)
    df.loc[0, "serial"] = "free"
    df.loc[1, "serial"] = "sn0"
    df.loc[2, "serial"] = "sn1"
    new = pd.DataFrame({"name": ["n1"], "serial": ["sn2"]})

    report = push(live.diff(pd.concat([df, new.astype(object)], ignore_index=True)))

    assert set(outcomes(report).values()) == {"done"}
    stored = server.stored()
    assert [stored[name]["serial"] for name in ("h00000", "h00001", "h00002", "n1")] == [
        "free",
        "sn0",
        "sn1",
        "sn2",
    ]


def test_mixed_keys_are_removed_and_nulls_within_are_kept(server):
    live = server.fetch()
    df = live.frame().head(3)
    a, b, c = df.index
    df.at[a, "extra"] = {"b": {"d": 1}}
    df.at[b, "extra"] = {"a": None, "b": {"c": 1}}
    df.at[c, "extra"] = None

    push(live.diff(df)).raise_for_failures()

    stored = server.stored()
    assert stored["h00000"]["extra"] == {"b": {"d": 1}}
    assert stored["h00001"]["extra"] == {"a": None, "b": {"c": 1}}
    assert stored["h00002"]["extra"] is None


def test_a_field_that_the_server_drops_is_a_failure(server):
    live = server.fetch()
    df = live.frame().head(1)
    df["cpus"] = 8
    df["bios.vendor"] = "dell"
    definition = server.client.schemas.get("host").to_dict()
    del definition["definition"]["cpus"]
    server.client.schemas.update("host", definition)

    report = push(live.diff(df), on_conflict="mine")

    (outcome,) = report.outcomes
    assert (outcome.word, outcome.reason) == (
        "failed",
        "the server took the request but does not hold the new value of cpus",
    )
    assert list(outcome.written) == ["bios.vendor"]


def test_meta_columns_are_pushed_and_undone(server):
    live = server.fetch()
    df = live.frame(meta=True).head(1)
    df.at[df.index[0], "_sis.tags"] = ("t",)
    df.at[df.index[0], "_sis.owner"] = ("ops", "net")
    df.loc[df.index[0], "_sis.locked"] = True

    report = push(live.diff(df)).raise_for_failures()
    sis = server.hosts.get(df.index[0])["_sis"]
    assert (sis["tags"], sis["owner"], sis["locked"]) == (["t"], ["net", "ops"], True)

    push(sp.undo(report)).raise_for_failures()
    sis = server.hosts.get(df.index[0])["_sis"]
    assert (sis["tags"], sis["owner"], sis["locked"]) == ([], [], False)


def test_rows_without_unique_fields_are_created_once_however_often_they_are_pushed(server):
    logs = server.client.entities("log")
    empty = sp.fetch(logs, progress=False)
    new = pd.DataFrame({"text": ["a", "a", "b"], "n": [1, 1, 2]})

    first = push(empty.diff(new, new=True))
    again = push(empty.diff(new, new=True))
    assert (first.counts["done"], again.counts["unchanged"], logs.count({})) == (3, 3, 3)

    push(sp.undo(first))
    assert push(empty.diff(new, new=True)).counts["done"] == 3
    other = new.assign(n=5)
    assert push(empty.diff(other, new=True)).counts["done"] == 3


def cut_after_send(journal):
    """Leave of a journal what is on disk when its one request is under way."""
    lines = journal.read_bytes().splitlines(keepends=True)
    (sent,) = (i for i, line in enumerate(lines) if b'"event":"send"' in line)
    journal.write_bytes(b"".join(lines[: sent + 1]))


def test_an_interrupted_push_of_rows_without_unique_fields_has_to_be_resumed(server):
    logs = server.client.entities("log")
    plan = sp.fetch(logs, progress=False).diff(pd.DataFrame({"text": ["a", "b"]}), new=True)
    report = push(plan)
    cut_after_send(report.journal)

    with pytest.raises(ValueError, match="was interrupted"):
        push(plan)
    rest = push(sp.resume(report.journal, client=server.client))
    assert rest.counts["done"] == 2
    assert logs.count({}) == 2


def said_to_be(server, name, owner):
    """Return a client with the token of one user and the name of another."""
    server.client.users.create(
        {"name": owner, "email": f"{owner}@example.com", "pw": owner, "roles": {"ops": "user", "net": "user"}}
    )
    client = sispy.Client(server.client.url, auth_token=server.sandbox.client(owner).auth_token)
    client.username = name
    return client


def test_new_rows_of_a_token_that_is_nobodys_are_neither_claimed_nor_sent_again(server):
    client = said_to_be(server, "root", "carol")
    logs = client.entities("log")
    plan = sp.fetch(logs, progress=False).diff(pd.DataFrame({"text": ["a", "a", "b"]}), new=True)
    posts = itertools.count()

    def lose_the_first_answer(seen):
        if seen.method == "POST" and not next(posts):
            raise ConnectionError

    server.sandbox.faults = Faults(after=lose_the_first_answer)

    report = push(plan)

    assert (report.counts["failed"], logs.count({})) == (3, 3)
    assert {outcome.reason.split(":")[0] for outcome in report.outcomes} == {"it may have been created"}


def test_who_pushed_is_what_the_first_answer_says_where_the_name_is_no_proof(server):
    client = said_to_be(server, "root", "carol")
    live = sp.fetch(client.entities("host"), progress=False)
    plan = live.diff(live.frame().head(3).assign(cpus=7))
    since = len(server.sandbox.requests)

    assert f"on {client.url} as the owner of the token: 3 updates" in str(plan)
    with pytest.raises(ValueError, match="it is not known whose the token is: set SIS_USER"):
        push(plan, guard="cas")
    assert server.writes(since) == []
    report = push(plan)

    assert (report.ok, report.user) == (True, "carol")
    assert read(report.journal).begin["user"] == "carol"
    assert sp.pushes()["user"].tolist() == ["carol"]
    tokens = [seen.path for seen in server.sandbox.requests[since:] if "tokens" in seen.path]
    assert tokens == ["/users/root/tokens"]


def test_rows_that_another_user_sent_before_the_push_was_cut_are_looked_for_under_his_name(server):
    client = said_to_be(server, "carol", "carol")
    logs = client.entities("log")
    plan = sp.fetch(logs, progress=False).diff(pd.DataFrame({"text": ["a", "b"]}), new=True)
    report = push(plan)
    cut_after_send(report.journal)

    rest = push(sp.resume(report.journal, client=server.client))

    assert (rest.counts["done"], logs.count({})) == (2, 2)


@pytest.mark.parametrize("name", ["rows", "bytes", "url", "readers", "attempts", "settle", "patience"])
def test_limits_that_no_push_can_keep_are_refused(name):
    least = 0 if name in ("settle", "patience") else 1

    assert getattr(sp.Limits(**{name: least}), name) == least
    with pytest.raises(ValueError, match=f"^{name}={least - 1}: at least {least} is needed$"):
        sp.Limits(**{name: least - 1})


def test_the_bar_of_a_push_that_is_cancelled_stays_where_it_was(server):
    live, seen = server.fetch(), []
    plan = live.diff(live.frame().assign(cpus=5))

    report = plan.push(
        progress=lambda done, total: seen.append((done, total)),
        cancel=lambda: len(seen) >= 5,
        limits=sp.Limits(rows=5),
    )

    assert (report.counts["done"], report.counts["unsent"], len(plan)) == (5, 13, 18)
    assert seen[-1] == (5, 18)


def test_when_a_push_was_tried_is_noted_whatever_became_of_it(server):
    plan = server.fetch().diff(server.fetch().frame().head(1).astype(object).assign(cpus="many"))
    before = int(time.time() * 1000)

    with pytest.raises(sp.PlanRefused):
        plan.push(progress=False)

    at, what = last_attempt(server.client.url)
    assert (before <= at <= time.time() * 1000, what) == (True, "a push to host")
