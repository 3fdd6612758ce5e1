import sispy_pandas as sp
from sispy.sandbox import Sandbox


def test_all_fields_of_all_schemas_are_in_one_frame():
    rack = {"name": {"type": "String", "required": True, "unique": True}, "size": "Number"}
    host = {
        "name": {"type": "String", "enum": ["a", "b"], "default": "a"},
        "racks": [{"type": "ObjectId", "ref": "rack"}],
        "nics": [{"mac": "String", "in": {"type": "ObjectId", "ref": "rack"}}],
    }
    with Sandbox() as sis:
        client = sis.client()
        for name, definition in (("rack", rack), ("host", host)):
            client.schemas.create({"name": name, "definition": definition, "_sis": {"owner": ["ops"]}})
        client.entities("rack").create({"name": "r"})
        found = sp.schemas(client)
    assert found[["schema", "field", "type", "refers_to", "referred_to_by", "rows"]].values.tolist() == [
        ["host", "name", "String", None, (), 0],
        ["host", "racks", "[ObjectId]", "rack", (), 0],
        ["host", "nics", "[document]", None, (), 0],
        ["host", "nics.mac", "String", None, (), 0],
        ["host", "nics.in", "ObjectId", "rack", (), 0],
        ["rack", "name", "String", None, ("host.racks", "host.nics.in"), 1],
        ["rack", "size", "Number", None, (), 1],
    ]
    assert found[["enum", "default", "required", "unique"]].iloc[[0, 5]].values.tolist() == [
        [("a", "b"), "a", False, False],
        [(), None, True, True],
    ]
