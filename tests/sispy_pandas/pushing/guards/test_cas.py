"""Compare-and-set: what the condition says beside the row's time."""

import json

import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults

QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=2.0)


@pytest.mark.parametrize(
    ("column", "value", "condition"),
    [
        ("cpus", 8, {"cpus": 1}),
        ("tags", ("x",), {"tags": ["a", "b"]}),
        ("os", "rhel9", {"os": "rhel8"}),
        ("bios.vendor", "dell", {"bios.vendor": "acme"}),
        ("ip", "10.9.9.9", {"ip.ip_address": "10.0.0.1"}),
        ("extra", {"z": 1}, {}),
        ("disks", ({"dev": "sdb", "gb": 1},), {}),
    ],
)
def test_the_old_value_of_what_can_be_compared_is_part_of_the_condition(server, column, value, condition):
    live = server.fetch()
    frame = live.frame().head(1)
    frame[column] = frame[column].astype(object)
    frame.at[frame.index[0], column] = value

    report = live.diff(frame).push(progress=False, guard="cas", limits=QUICK)

    assert report.counts["done"] == 1
    asked = json.loads(next(s for s in server.sandbox.requests if s.method == "PUT").query["cas"])
    when = asked.pop("_sis._updated_at")
    assert (asked, isinstance(when, int)) == (condition, True)


def test_a_default_that_a_read_shows_need_not_be_stored(server):
    server.hosts.update("h00000", {"os": "rhel9"})
    live = server.fetch()

    report = live.diff(live.frame().head(1).assign(os="rhel8")).push(
        progress=False, guard="cas", limits=QUICK
    )

    assert report.counts["done"] == 1
    asked = json.loads(server.writes()[-1].query["cas"])
    assert asked["os"] == {"$in": ["rhel9", None]}


def test_a_row_says_who_wrote_it_last_and_made_it_first(server):
    """Compare-and-set replaces all of `_sis` by what is sent (SIS-API 8.1)."""
    server.client.users.create(
        {"name": "bob", "email": "bob@example.com", "pw": "bob", "roles": {"ops": "admin", "net": "admin"}}
    )
    live = sp.fetch(server.sandbox.client("bob").entities("host"), {"q": {"name": "h00000"}}, progress=False)
    before = server.hosts.get("h00000")["_sis"]
    del before["_trans_id"]  # which no client can send

    report = live.diff(live.frame().assign(cpus=7)).push(progress=False, guard="cas", limits=QUICK)

    row = server.hosts.get("h00000")
    assert (report.counts["done"], row["cpus"]) == (1, 7)
    assert row["_sis"] == {
        **before,
        "_updated_by": "bob",
        "_updated_at": report.outcomes[0].receipt,
    }


def test_an_array_that_is_still_empty_is_written_at_once(server):
    server.hosts.update("h00000", {"tags": []})
    live = server.fetch()
    frame = live.frame().head(1)
    frame.at[frame.index[0], "tags"] = ("x",)

    report = live.diff(frame).push(progress=False, guard="cas", limits=QUICK)

    asked = [json.loads(seen.query["cas"]) for seen in server.sandbox.requests if "cas" in seen.query]
    assert ([o.word for o in report.outcomes], [one["tags.0"] for one in asked]) == (
        ["done"],
        [{"$exists": False}],
    )


def test_an_empty_array_is_compared_as_empty(server):
    live = server.fetch()
    server.hosts.update(live.ids[0], {"tags": []})
    live = server.fetch()
    frame = live.frame().head(1)
    frame.at[frame.index[0], "tags"] = ("x",)

    def intrude(seen):  # within the same millisecond: the row's time does not tell
        if seen.method == "PUT":
            server.sandbox.faults = Faults()
            hosts = server.sandbox.world.entities["host"].collection
            hosts.replace({**hosts.documents[live.ids[0]], "tags": ["theirs"]})

    server.sandbox.faults = Faults(before=intrude)
    report = live.diff(frame).push(progress=False, guard="cas", limits=QUICK)

    assert report.counts["conflict"] == 1
    assert server.stored()["h00000"]["tags"] == ["theirs"]


def test_a_row_that_others_write_to_all_the_time_fails(server):
    live = server.fetch()

    def intrude(seen):
        if seen.method == "PUT":
            server.hosts.update(live.ids[0], {"bios": {"version": str(seen.number)}})

    server.sandbox.faults = Faults(before=intrude)
    report = live.diff(live.frame().head(1).assign(cpus=8)).push(progress=False, guard="cas", limits=QUICK)

    assert [(o.word, o.status) for o in report.outcomes] == [("failed", 400)]
    assert report.outcomes[0].reason.startswith("others write to this row all the time")
    assert len([seen for seen in server.sandbox.requests if "cas" in seen.query]) == 6
