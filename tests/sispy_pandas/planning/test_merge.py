"""Lost updates: a second user writes at every moment of a push."""

import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.values.types.mixed import NeedsReplacing, merge_patch

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0)


def edited(server):
    """A plan that edits a scalar, a nested leaf, an array and a Mixed key of three hosts."""
    live = server.fetch()
    df = live.frame().head(3)
    df["cpus"] = 8
    df["bios.vendor"] = "dell"
    df["tags"] = sp.added(df["tags"], "mine")
    df["extra"] = df["extra"].map(lambda extra: extra | {"mine": 1})
    return live.diff(df)


def test_no_foreign_write_that_the_guard_can_see_is_overwritten(server):
    plan = edited(server)
    first = len(server.sandbox.requests) + 1
    plan.push(progress=False, limits=QUICK, verify=False)
    requests = server.sandbox.requests[first - 1 :]
    reads = [i for i, seen in enumerate(requests) if seen.method == "GET" and seen.path == "/entities/host"]
    last_read = max(reads)

    for moment in range(len(requests)):
        server.reset()
        plan = edited(server)
        target = plan.changes[1].id
        start = server.sandbox.requests[-1].number

        def intrude(seen, start=start, moment=moment, target=target):
            if seen.number == start + moment + 1:
                server.client.entities("host").update(target, {"cpus": 6, "bios": {"version": "77"}})

        server.sandbox.faults = Faults(before=intrude)
        report = plan.push(progress=False, limits=QUICK, verify=False)
        server.sandbox.faults = Faults()
        stored = server.stored()["h00001"]

        seen_by_guard = moment <= last_read
        assert stored["bios"] == {"vendor": "dell", "version": "77"}
        assert (stored["cpus"], report.counts["conflict"]) == ((6, 1) if seen_by_guard else (8, 0))


def test_compare_and_set_overwrites_nothing_and_keeps_what_it_would_replace(server):
    moments = 12
    for moment in range(moments):
        server.reset()
        plan = edited(server)
        target = plan.changes[1].id
        sis = {"owner": ["ops"], "tags": ["keep"], "_created_by": "somebody"}
        for change in plan.changes:
            server.hosts.update(change.id, {"_sis": sis})
        start = server.sandbox.requests[-1].number

        def intrude(seen, start=start, moment=moment, target=target):
            if seen.number == start + moment + 1:
                server.client.entities("host").update(target, {"cpus": 6, "extra": {"theirs": 2}})

        server.sandbox.faults = Faults(before=intrude)
        report = plan.push(progress=False, limits=QUICK, guard="cas", verify=False)
        reached = server.sandbox.requests[-1].number - start > moment
        server.sandbox.faults = Faults()
        row = server.hosts.get(target, {"populate": False})

        assert report.counts["failed"] == report.counts["unsent"] == 0
        if reached and report.counts["conflict"]:
            assert (row["cpus"], row["extra"]["theirs"]) == (6, 2)
        assert row["bios"] == {"vendor": "dell", "version": "1"}
        assert row["tags"] == ["a", "b", "mine"]
        if not report.counts["conflict"] and reached:
            # the intrusion came after our write: theirs is the last
            assert row["cpus"] == 6
        assert {key: row["_sis"][key] for key in sis} == sis
        assert row["_sis"]["_updated_by"] == "root"
        assert row["extra"]["b"] == {"c": 1}


def test_compare_and_set_says_what_it_needs(server):
    plan = edited(server)
    server.client.username = None

    with pytest.raises(ValueError, match="it is not known whose the token is"):
        plan.push(progress=False, guard="cas")


def test_words_that_are_none_are_refused(server):
    plan = edited(server)

    with pytest.raises(ValueError, match="guard='on'"):
        plan.push(guard="on")
    with pytest.raises(ValueError, match="on_conflict='ask'"):
        plan.push(on_conflict="ask")


@pytest.mark.parametrize(
    ("theirs", "mine", "patch"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 3}),
        ({"a": 1, "b": 2}, {"a": 1}, {"b": None}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}, {"a": {"y": None}}),
        ({"a": {"x": 1}}, {"a": {}}, None),
        ({"a": {"x": 1}, "b": 1}, {"a": {}, "b": 1}, {"a": None}),
        ({"a": 1}, {}, None),
        ({"a": 1}, [1], [1]),
        (None, {"a": None}, {"a": None}),
        ([1], {"a": 1}, {"a": 1}),
        ({"a": 1}, {"a": True}, {"a": True}),
        ({"a": None, "b": 1}, {"a": None, "b": 2}, {"b": 2}),
        ({"a": {"x": 1}}, {"a": 5}, {"a": 5}),
        ({"a": {"e": {}}}, {"a": {"f": 1}}, {"a": {"e": None, "f": 1}}),
    ],
)
def test_the_patch_that_turns_theirs_into_mine(theirs, mine, patch):
    assert merge_patch(theirs, mine) == patch


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [({"a": 1}, {"a": None}), ({"a": 1}, {"a": {"x": None}}), ({"a": 1}, {"a": 1, "n": None})],
)
def test_a_null_over_a_value_cannot_be_merged(theirs, mine):
    with pytest.raises(NeedsReplacing):
        merge_patch(theirs, mine)


@pytest.mark.parametrize("guard", ["cas", "check"])
def test_a_row_that_the_user_may_not_write_fails_alone(server, guard):
    server.client.users.create({"name": "anna", "email": "a@b.cd", "pw": "x", "roles": {"ops": "user"}})
    anna = server.sandbox.client()
    anna.authenticate("anna", "x")
    mine = sp.fetch(anna.entities("host"), progress=False)
    df = mine.frame().head(3)
    df["cpus"] = 8
    df = df.assign(extra=[{"a": None}] * 3)
    plan = mine.diff(df).check()

    def intrude(seen):
        if seen.method == "PUT" and seen.path.endswith(df.index[1]):
            server.client.entities("host").update(df.index[1], {"_sis": {"owner": ["net"]}})

    server.sandbox.faults = Faults(before=intrude)
    report = plan.push(progress=False, limits=QUICK, guard=guard)

    assert [(o.word, o.status) for o in report.outcomes] == [("done", 200), ("failed", 401), ("done", 200)]
