"""References across tables: found, dangling, repaired, against a sandbox."""

import pytest

from sispy import BadRequest
from sispy.sandbox import Sandbox
from sispy_pandas.revisions.dangling import dangling, referrers, repoint
from sispy_pandas.workflow.fetch import fetch

KEY = {"type": "String", "required": True, "unique": True}


def ref(schema):
    return {"type": "ObjectId", "ref": schema}


HOST = {
    "name": KEY,
    "rack": ref("rack"),
    "spare": [ref("rack")],
    "nest": {"r": ref("rack")},
    "uplinks": [{"port": "String", "rack": ref("rack")}],
    "note": "String",
}


@pytest.fixture
def client():
    with Sandbox() as sis:
        client = sis.client()
        for name, definition in (
            ("rack", {"name": KEY}),
            ("host", HOST),
            ("plan", {"title": "String", "rack": ref("rack")}),
        ):
            client.schemas.create({"name": name, "_sis": {"owner": ["g"]}, "definition": definition})
        yield client


@pytest.fixture
def racks(client):
    made = client.entities("rack").create([{"name": f"r{i}"} for i in range(4)])["success"]
    return [row["_id"] for row in made]


def rows(frame):
    return [tuple(row) for row in frame.itertuples(index=False)]


def test_a_row_that_refers_to_many_counts_once_for_each(client):
    racks = client.entities("rack").create([{"name": f"r{i}"} for i in range(400)])["success"]
    ids = [row["_id"] for row in racks]  # too many for one request
    client.entities("host").create({"name": "a", "spare": ids})
    live = fetch(client.entities("rack"), progress=False)

    assert referrers(client, "rack", ids)["target"].tolist() == sorted(ids)
    reasons = set(live.diff(live.frame().head(0), delete=ids).check().problems["reason"])
    assert [reason.split(";")[0] for reason in reasons] == ["referred to by 1 of host"]


def test_a_row_that_refers_by_several_fields_counts_once(client, racks):
    rack = racks[0]
    for name in "ab":
        client.entities("host").create(
            {"name": name, "rack": rack, "spare": [rack], "uplinks": [{"rack": rack}]}
        )
    live = fetch(client.entities("rack"), progress=False)

    (reason,) = live.diff(live.frame().head(0), delete=[rack]).check().problems["reason"]
    assert reason.split(";")[0] == "referred to by 2 of host"


def test_referrers_are_found_through_every_kind_of_reference(client, racks):
    one = client.entities("host").create(
        {
            "name": "a",
            "rack": racks[0],
            "spare": racks[:2],
            "nest": {"r": racks[1]},
            "uplinks": [{"rack": racks[0]}],
        }
    )
    two = client.entities("plan").create({"title": "move", "rack": racks[0]})
    client.entities("host").create({"name": "b", "rack": racks[3]})
    assert rows(referrers(client, "rack", racks[:2])) == [
        ("host", one["_id"], "a", "rack", racks[0]),
        ("host", one["_id"], "a", "spare", racks[0]),
        ("host", one["_id"], "a", "spare", racks[1]),
        ("host", one["_id"], "a", "nest.r", racks[1]),
        ("host", one["_id"], "a", "uplinks.rack", racks[0]),
        ("plan", two["_id"], None, "rack", racks[0]),
    ]
    assert referrers(client, "rack", []).empty
    with pytest.raises(TypeError, match="ids takes a list"):
        referrers(client, "rack", racks[0])


def test_dangling_references_are_found_proposed_and_repaired(client, racks):
    hosts = client.entities("host")
    one = hosts.create(
        {"name": "a", "rack": racks[0], "spare": [racks[0], racks[2]], "uplinks": [{"rack": racks[1]}]}
    )
    client.entities("rack").delete(racks[0])
    client.entities("rack").delete(racks[1])
    again = client.entities("rack").create({"name": "r0"})["_id"]
    with pytest.raises(BadRequest, match="Reference does not exist"):
        hosts.update(one["_id"], {"note": "x"})
    found = dangling(client, "host", progress=False)
    assert rows(found) == [
        (one["_id"], "a", "rack", "rack", racks[0], "r0", again),
        (one["_id"], "a", "spare", "rack", racks[0], "r0", again),
        (one["_id"], "a", "uplinks.rack", "rack", racks[1], "r1", None),
    ]
    targets = dict(zip(found["target"], found["proposal"], strict=True))
    plans = repoint(client.entities("rack"), targets)
    assert [(plan.schema.name, len(plan)) for plan in plans.plans] == [("host", 1)]
    assert plans.frame()["field"].tolist() == ["rack", "spare", "uplinks"]
    for report in plans.push(progress=False, journal=False):
        report.raise_for_failures()
    assert dangling(client, "host", progress=False).empty
    repaired = hosts.update(one["_id"], {"note": "x"}).to_dict()
    assert (repaired["rack"], repaired["spare"]) == (again, [again, racks[2]])
    assert [member.get("rack") for member in repaired["uplinks"]] == [None]
    assert repaired["uplinks"][0]["_id"] == one["uplinks"][0]["_id"]


def test_a_duplicate_is_repointed_in_all_schemas_and_deleted(client, racks):
    hosts = client.entities("host")
    hosts.create(
        {"name": "a", "rack": racks[0], "spare": [racks[0], racks[1], racks[2]], "nest": {"r": racks[0]}}
    )
    hosts.create({"name": "b", "spare": [racks[3], racks[3]]})
    client.entities("plan").create({"title": "move", "rack": racks[0]})
    plans = repoint(client.entities("rack"), {racks[0]: racks[1]})
    assert len(plans) == 2
    assert sorted(plans.frame()["schema"].unique()) == ["host", "plan"]
    assert "references to 1 row of rack change" in repr(plans)
    for report in plans.push(progress=False, journal=False):
        report.raise_for_failures()
    assert referrers(client, "rack", [racks[0]]).empty
    client.entities("rack").delete(racks[0])
    frame = fetch(hosts, progress=False).frame()
    assert frame["spare"].tolist() == [(racks[1], racks[2]), (racks[3], racks[3])]
    assert frame["nest.r"].tolist()[0] == racks[1]


def test_repoint_refuses_what_leads_nowhere(client, racks):
    with pytest.raises(ValueError, match=r"rack has no row f{24} to point to"):
        repoint(client.entities("rack"), {racks[0]: "f" * 24})
    with pytest.raises(ValueError, match="is to be replaced itself"):
        repoint(client.entities("rack"), {racks[0]: racks[1], racks[1]: racks[2]})
    nothing = repoint(client.entities("rack"), {racks[0]: racks[1]})
    assert (len(nothing), repr(nothing), nothing.frame().shape) == (0, "nothing to change", (0, 6))


def test_a_reference_to_a_table_that_is_gone_dangles_without_a_proposal(client, racks):
    client.entities("plan").create({"title": "move", "rack": racks[0]})
    client.schemas.delete("rack")
    assert dangling(client, "plan", progress=False)[["field", "was", "proposal"]].to_numpy().tolist() == [
        ["rack", None, None]
    ]


@pytest.mark.soak
def test_more_referrers_than_a_page(client, racks):
    client.entities("plan").create([{"title": str(i), "rack": racks[0]} for i in range(10_050)])
    assert len(referrers(client, "rack", [racks[0]])) == 10_050
