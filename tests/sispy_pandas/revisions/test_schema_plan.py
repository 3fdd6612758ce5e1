"""Schema changes told by their effects, and made, against a sandbox."""

from typing import Any

import pandas as pd
import pytest

from sispy import BadRequest
from sispy.sandbox import Sandbox
from sispy_pandas.revisions.schema_plan import SchemaPlanRefused, plan_schema
from sispy_pandas.workflow.fetch import fetch

KEY = {"type": "String", "required": True, "unique": True}
BEFORE = {
    "name": KEY,
    "os": "String",
    "size": "String",
    "sub": {"a": "String", "b": "Number"},
    "disks": [{"dev": "String", "gb": "Number"}],
    "serial": "String",
}
ROWS: list[dict[str, Any]] = [
    {
        "name": "a",
        "os": "rhel6",
        "size": "1",
        "sub": {"a": "x"},
        "disks": [{"dev": "sda", "gb": 1}],
        "serial": "s1",
    },
    {"name": "b", "os": "debian", "size": "big", "serial": "s1"},
    {"name": "c", "size": "", "serial": "s2", "disks": [{"gb": 5}]},
]


@pytest.fixture
def client():
    with Sandbox() as sis:
        client = sis.client()
        client.schemas.create(
            {
                "name": "host",
                "_sis": {"owner": ["g"]},
                "definition": BEFORE,
                "description": "machines",
                "locked_fields": ["serial"],
            }
        )
        client.entities("host").create(ROWS)
        yield client


def effects(plan):
    return [tuple(row) for row in plan.frame()[["effect", "field", "rows"]].itertuples(index=False)]


def changed(**entries):
    return {name: kind for name, kind in {**BEFORE, **entries}.items() if kind is not None}


def plan(client, **entries):
    return plan_schema(client, "host", changed(**entries), progress=False)


def test_no_change(client):
    same = plan(client)
    assert (len(same), same.total, same.broken) == (0, 3, 0)
    assert repr(same).endswith("3 rows, no change")


def test_what_no_row_can_show_is_not_asked_of_them():
    with Sandbox() as sis:
        client = sis.client()
        client.schemas.create({"name": "host", "_sis": {"owner": ["g"]}, "definition": BEFORE})
        client.entities("host").create(ROWS)
        asked = []
        for entries in ({}, {"new": "String"}, {"os": None}, {"name": {**KEY, "match": "/^a/"}}):
            before = len(sis.requests)
            plan(client, **entries)
            lists = [seen.query for seen in sis.requests[before:] if seen.path.endswith("/entities/host")]
            asked.append([query.get("fields") for query in lists])

    assert asked == [["_id"], ["_id"], ["name,os"], ["name"]]


def test_a_schema_keeps_what_it_is_besides_its_fields(client):
    told = {
        "description": "machines", "locked_fields": ["name"], "is_open": True, "is_public": True,
        "any_owner_can_modify": True, "track_history": True,
    }  # fmt: skip
    client.schemas.create({"name": "kept", "_sis": {"owner": ["g"]}, "definition": {"name": KEY}, **told})

    more = plan_schema(client, "kept", {"name": KEY, "more": "String"}, progress=False)
    assert {name: more.body[name] for name in told} == told
    more.push()

    found = client.schemas.get("kept").to_dict()
    assert {name: found[name] for name in told} == told
    assert (found["_sis"]["owner"], found["id_field"], list(found["definition"])) == (
        *(["g"], "name", ["name", "more"]),
    )


def test_removed_fields_name_what_is_lost(client):
    lost = plan(client, os=None, sub={"b": "Number"}, disks=[{"gb": "Number"}])
    assert effects(lost) == [("erased", "disks.dev", 1), ("erased", "os", 2), ("erased", "sub.a", 1)]
    assert lost.rows()[["field", "key", "value"]].to_numpy().tolist() == [
        ["disks.dev", "a", "sda"],
        ["os", "a", "rhel6"],
        ["os", "b", "debian"],
        ["sub.a", "a", "x"],
    ]
    with pytest.raises(SchemaPlanRefused) as refused:
        lost.push(erase=["os"])
    assert str(refused.value) == (
        "it erases disks.dev (1 value), sub.a (1 value): erase=['disks.dev', 'sub.a'] says that it is meant"
    )
    assert client.entities("host").count({"os": "rhel6"}) == 1
    lost.push(erase=["os", "disks.dev", "sub.a"])
    assert list(fetch(client.entities("host"), progress=False).frame().columns) == [
        "name", "size", "sub.b", "disks", "serial", "_updated_at",
    ]  # fmt: skip


def test_a_field_without_values_goes_without_a_word(client):
    empty = plan(client, sub={"a": "String"})
    assert effects(empty) == [("erased", "sub.b", 0)]
    with pytest.raises(SchemaPlanRefused, match=r"sub\.b"):
        empty.push()


def test_a_whole_document_is_named_once_and_covers_its_fields(client):
    lost = plan(client, disks=None, sub=None)
    assert effects(lost) == [("erased", "disks", 2), ("erased", "sub.a", 1), ("erased", "sub.b", 0)]
    lost.push(erase=["disks", "sub"])
    assert "disks" not in client.schemas.get("host")["definition"]


def test_fields_that_come_out_of_a_mixed_one_are_looked_at(client):
    client.schemas.create({"name": "box", "_sis": {"owner": ["g"]}, "definition": {"any": "Mixed"}})
    row = client.entities("box").create({"any": {"n": "many"}})
    made = plan_schema(client, "box", {"any": {"n": "Number", "m": "Number"}}, progress=False)
    assert effects(made) == [("invalid", "any.n", 1), ("added", "any.m", 0)]
    assert made.rows()["_id"].tolist() == [row["_id"]]


def test_a_type_that_is_not_known_is_told(client):
    made = plan(client, os="Strng", more={"type": "Nmber"})
    told = "its type {!r} is not known here: the server may refuse it"
    assert made.frame()[["effect", "field", "meaning"]].values.tolist() == [
        ["added", "more", told.format("Nmber")],
        ["changed", "os", told.format("Strng")],
    ]


def test_new_demands_name_the_rows_that_break(client):
    demands = plan(
        client,
        os={"type": "String", "required": True, "enum": ["rhel6"]},
        size="Number",
        serial={"type": "String", "unique": True},
        owner_team={"type": "String", "required": True},
        stage={"type": "String", "required": True, "default": "live"},
        disks=[{"dev": "String", "gb": {"type": "Number", "max": 4}}],
    )
    never = "every later write of these rows would fail"
    _, *lines = repr(demands).splitlines()
    assert lines[:3] + lines[4:] == [
        f"  required  os: 1 row, without a value: {never}",
        f"  required  owner_team: 3 rows, without a value: {never}",
        "  duplicate serial: 2 rows, the same value more than once: the index cannot be built (such as s1)",
        f"  invalid   os: 1 row, values that do not fit: {never} (such as debian)",
        f"  invalid   size: 1 row, values that do not fit: {never} (such as big)",
        "  added     stage: new",
    ]
    assert effects(demands) == [
        ("required", "os", 1),
        ("required", "owner_team", 3),
        ("duplicate", "serial", 2),
        ("invalid", "disks", 1),
        ("invalid", "os", 1),
        ("invalid", "size", 1),
        ("added", "stage", 0),
    ]
    assert demands.broken == 3
    assert demands.rows().query("effect == 'invalid'")[["field", "key", "value"]].to_numpy().tolist()[1:] == [
        ["os", "b", "debian"],
        ["size", "b", "big"],
    ]
    with pytest.raises(SchemaPlanRefused, match=r"3 rows could not be written any more.*expect_broken=3"):
        demands.push()


def test_looser_rules_and_new_fields_hurt_nobody(client):
    harmless = plan(client, asset="String", os={"type": "String", "maxlength": 50})
    assert effects(harmless) == [("added", "asset", 0), ("changed", "os", 0)]
    harmless.push()
    assert client.schemas.get("host")["definition"]["asset"] == "String"


def test_the_rest_of_the_schema_stays(client):
    plan(client, asset="String").push()
    schema = client.schemas.get("host").to_dict()
    assert (schema["id_field"], schema["description"], schema["locked_fields"]) == (
        "name",
        "machines",
        ["serial"],
    )


def test_what_the_server_would_refuse_is_told_before(client):
    with pytest.raises(SchemaPlanRefused, match="serial: the field is locked"):
        plan(client, serial=None).push(erase=["serial"])
    with pytest.raises(SchemaPlanRefused, match="name: the id field has to stay required and unique"):
        plan(client, name="String").push()


def test_a_schema_that_changed_meanwhile_is_not_overwritten(client):
    mine = plan(client, asset="String")
    plan(client, theirs="Number").push()
    with pytest.raises(SchemaPlanRefused, match="has changed since the plan was made"):
        mine.push()
    assert "theirs" in client.schemas.get("host")["definition"]


def test_an_unknown_schema_is_named(client):
    with pytest.raises(ValueError, match=r"the server has no schema 'hots'; did you mean 'host'\?"):
        plan_schema(client, "hots", BEFORE, progress=False)


def test_optional_filled_required(client, tmp_path):
    """The safe way to a new required field, filled from another system's CSV that knows hosts by name."""
    hosts = client.entities("host")
    required = {"type": "String", "required": True}
    assert plan(client, cost_centre=required).broken == 3
    plan(client, cost_centre="String").push()
    file = tmp_path / "finance.csv"
    file.write_text("hostname,cc\na,100\nb,200\nc,300\n")
    finance = pd.read_csv(file, dtype=str).rename(columns={"hostname": "name", "cc": "cost_centre"})
    report = fetch(hosts, progress=False).diff(finance, key="name").push(progress=False, journal=False)
    report.raise_for_failures()
    last = plan(client, cost_centre=required)
    assert (effects(last), last.broken) == ([("changed", "cost_centre", 0)], 0)
    last.push()
    hosts.update("a", {"os": "rhel9"})
    with pytest.raises(BadRequest, match="cost_centre"):
        hosts.create({"name": "d"})


def test_a_pattern_that_takes_too_long_is_named(client):
    client.entities("host").create({"name": "d", "size": "a" * 60 + "!"})

    found = plan(client, size={"type": "String", "match": "/^(a|aa)+$/"})

    assert effects(found) == [("invalid", "size", 2), ("unchecked", "size", 0)]
    assert [effect.detail for effect in found.effects] == [
        "",
        "the pattern takes too long, only the server can tell whether these values fit: 1",
    ]
