"""One thing twice: found by folded keys or fields, merged in one push, taken back by one undo."""

from __future__ import annotations

import pytest

import sispy_pandas as sp

RACK = {
    "name": "rack",
    "_sis": {"owner": ["ops"]},
    "definition": {
        "name": {"type": "String", "required": True, "unique": True},
        "serial": {"type": "String", "unique": True, "sparse": True},
        "room": "String",
        "units": "Number",
        "labels": ["String"],
        "below": {"type": "ObjectId", "ref": "rack"},
    },
}
HOST = {
    "name": "box",
    "_sis": {"owner": ["ops"]},
    "definition": {
        "name": {"type": "String", "required": True, "unique": True},
        "rack": {"type": "ObjectId", "ref": "rack"},
        "racks": [{"type": "ObjectId", "ref": "rack"}],
    },
}


@pytest.fixture
def client(sis_client, tmp_path, monkeypatch):
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))
    for schema in (RACK, HOST):
        sis_client.schemas.create(schema)
    racks, boxes = sis_client.entities("rack"), sis_client.entities("box")
    made = racks.create(
        [
            {"name": "R 1", "room": "a"},
            {"name": "r1", "serial": "S9", "room": "b", "units": 42, "labels": ["x"]},
            {"name": "other", "serial": "s8"},
        ]
    )["success"]
    keep, twin, other = (row["_id"] for row in made)
    racks.update(other, {"below": twin})
    boxes.create(
        [
            {"name": "b1", "rack": twin, "racks": [keep, twin, other]},
            {"name": "b2", "rack": keep},
            {"name": "b3", "racks": [twin]},
        ]
    )
    return sis_client


def stored(client, schema):
    """Rows by name, references told by the names of what they refer to."""
    names = {row["_id"]: row["name"] for row in client.entities("rack").fetch_all({"populate": False})}

    def told(value):
        return [told(one) for one in value] if isinstance(value, list) else names.get(value, value)

    return {
        row["name"]: {key: told(value) for key, value in row.items() if not key.startswith("_")}
        for row in client.entities(schema).fetch_all({"populate": False})
    }


def test_rows_whose_keys_differ_in_case_and_blanks_are_found(client):
    found = sp.duplicates(client, "rack", progress=False)

    assert found[["group", "key", "field", "value"]].values.tolist() == [
        [1, "R 1", "name", "r1"],
        [1, "r1", "name", "r1"],
    ]
    assert sp.duplicates(client, "rack", by=["serial"], progress=False).empty
    with pytest.raises(ValueError, match="has no field 'serail'"):
        sp.duplicates(client, "rack", by=["serail"], progress=False)


def test_rows_that_are_alike_in_several_fields_are_found(client):
    client.entities("rack").create(
        [{"name": f"n{i}", "room": room} for i, room in enumerate(["A", "a ", "c"])]
    )

    found = sp.duplicates(client, "rack", by=["room"], progress=False)

    assert found[["group", "key", "value"]].values.tolist() == [
        [1, "R 1", "a"],
        [1, "n0", "a"],
        [1, "n1", "a"],
    ]


def test_rows_are_merged_in_one_push_and_come_apart_by_one_undo(client):
    before = {name: stored(client, name) for name in ("rack", "box")}

    plans = sp.merge_rows(client.entities("rack"), "R 1", ["r1"])
    assert len(plans.check().problems) == 0
    assert [plan.notes for plan in plans.plans[:2]] == [
        ("keeps R 1, and makes r1 part of it", "its own values stay where others differ: room"),
        ("references to 1 row of rack change",),
    ]
    reports = plans.push(progress=False, note="CHG9").raise_for_failures()

    assert stored(client, "rack") == {
        "R 1": {"name": "R 1", "serial": "S9", "room": "a", "units": 42, "labels": ["x"]},
        "other": {"name": "other", "serial": "s8", "labels": [], "below": "R 1"},
    }
    assert stored(client, "box") == {
        "b1": {"name": "b1", "rack": "R 1", "racks": ["R 1", "other"]},
        "b2": {"name": "b2", "rack": "R 1", "racks": []},
        "b3": {"name": "b3", "racks": ["R 1"]},
    }
    assert sp.pushes()["note"].tolist() == ["CHG9"]
    assert sp.duplicates(client, "rack", progress=False).empty

    back = sp.undo(reports).push(progress=False)

    assert back.ok, back.failures
    after = {name: stored(client, name) for name in ("rack", "box")}
    told = {name: {k: v for k, v in row.items() if v is not None} for name, row in after["rack"].items()}
    assert told == before["rack"]
    assert after["box"] == before["box"]


def test_what_cannot_be_merged_is_named(client):
    racks = client.entities("rack")

    with pytest.raises(ValueError, match="rack has no row 'nowhere'"):
        sp.merge_rows(racks, "R 1", ["nowhere"])
    with pytest.raises(ValueError, match="named twice"):
        sp.merge_rows(racks, "R 1", ["R 1"])
    with pytest.raises(TypeError, match="others takes a list"):
        sp.merge_rows(racks, "R 1", "r1")


def test_what_tells_no_rows_apart_is_refused(client):
    client.schemas.create({"name": "log", "_sis": {"owner": ["ops"]}, "definition": {"text": "String"}})

    with pytest.raises(TypeError, match="by takes a list"):
        sp.duplicates(client, "rack", by="room", progress=False)
    with pytest.raises(ValueError, match="schema 'log' has no key to tell rows by: by= names fields"):
        sp.duplicates(client, "log", progress=False)
