import pytest

import sispy_pandas as sp
from sispy.sandbox import Sandbox

KEY = {"type": "String", "required": True, "unique": True}


@pytest.fixture(scope="module")
def client():
    with Sandbox() as sis:
        client = sis.client()

        def make(name, definition, rows):
            definition = {"name": KEY, **definition}
            client.schemas.create({"name": name, "definition": definition, "_sis": {"owner": ["ops"]}})
            made = client.entities(name).create([{"name": key, **row} for key, row in rows.items()])
            assert made["errors"] == []
            return {row["name"]: row["_id"] for row in made["success"]}

        site = make("site", {"floor": "Number"}, {"fra1": {"floor": 3}, "ber1": {}})
        rack = make(
            "rack",
            {"site": {"type": "ObjectId", "ref": "site"}},
            {"r1": {"site": site["fra1"]}, "r2": {"site": site["ber1"]}, "r3": {}},
        )
        service = make("service", {"port": "Number"}, {"web": {"port": 80}, "db": {"port": 5432}})
        make(
            "host",
            {
                "place": {"rack": {"type": "ObjectId", "ref": "rack"}},
                "services": [{"type": "ObjectId", "ref": "service"}],
            },
            {
                "a": {"place": {"rack": rack["r1"]}, "services": [service["web"], service["db"]]},
                "b": {"place": {"rack": rack["r2"]}},
                "c": {"place": {"rack": rack["r3"]}, "services": [service["db"]]},
                "d": {},
            },
        )
        yield client


def fetched(client, **options):
    return sp.fetch(client.entities("host"), progress=False, **options)


def test_columns_of_referenced_entities_come_before_the_receipt(client):
    paths = ["place.rack.site.name", "place.rack.site.floor", "place.rack.name", "services.port"]
    snapshot = fetched(client, expand=paths)
    frame = snapshot.frame().set_index("name")
    assert list(frame.columns) == ["place.rack", "services", *paths, "_updated_at"]
    assert snapshot.expanded == tuple(paths)
    assert frame["place.rack.site.name"].fillna("-").tolist() == ["fra1", "ber1", "-", "-"]
    assert frame["place.rack.site.floor"].fillna(0).tolist() == [3, 0, 0, 0]
    assert str(frame["place.rack.site.floor"].dtype) == "Int64"
    assert frame["place.rack.name"].fillna("-").tolist() == ["r1", "r2", "r3", "-"]
    assert frame["services.port"].tolist() == [(80, 5432), (), (5432,), ()]


def test_expanded_columns_are_no_changes(client):
    snapshot = fetched(client, expand=["place.rack.name"], fields=["name"])
    frame = snapshot.frame()
    assert list(frame.columns) == ["name", "place.rack.name", "_updated_at"]
    frame["place.rack.name"] = "other"
    frame.loc[frame.index[0], "name"] = "aa"
    plan = snapshot.diff(frame)
    assert plan.frame()[["field", "before", "after"]].values.tolist() == [["name", "a", "aa"]]


def test_each_schema_is_read_once(client):
    import unittest.mock as mock

    sent = []
    honest = type(client)._send
    with mock.patch.object(type(client), "_send", lambda self, r: sent.append(r.uri) or honest(self, r)):
        fetched(client, expand=["place.rack.name", "place.rack.site.name", "place.rack.site.floor"])
    lists = [uri.split("/entities/")[1].partition("?")[0] for uri in sent if "/entities/" in uri]
    assert sorted(lists) == ["host", "rack", "site"]


def test_a_dangling_reference_has_no_value(client):
    racks = client.entities("rack")
    gone = racks.create({"name": "gone"})["_id"]
    client.entities("host").create({"name": "e", "place": {"rack": gone}})
    racks.delete(gone)
    frame = fetched(client, expand=["place.rack.name"]).frame().set_index("name")
    assert frame["place.rack"].loc["e"] == gone
    assert frame["place.rack.name"].isna().loc["e"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("rack.name", "expand: 'rack.name' does not begin with a reference of schema 'host'"),
        ("place.rack.nme", "schema 'rack' has no field 'nme'; did you mean 'name'"),
        ("place.rack.site.flor", "schema 'site' has no field 'flor'; did you mean 'floor'"),
    ],
)
def test_a_path_that_leads_nowhere_is_named(client, path, message):
    with pytest.raises(ValueError, match=message):
        fetched(client, expand=[path])
