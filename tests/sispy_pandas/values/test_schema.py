from typing import Any

import pytest

from sispy_pandas.values.schema import Schema, parse_schema
from sispy_pandas.values.types.base import Field


def parsed(definition, **options):
    return parse_schema({"name": "t", "definition": definition, **options}).fields


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("String", Field("f", "String")),
        ("number", Field("f", "Number")),
        ("Mixed", Field("f", "Mixed")),
        ({}, Field("f", "Mixed")),
        ("", Field("f", "Mixed")),
        ({"type": "Object"}, Field("f", "Mixed")),
        ({"type": "Mixed"}, Field("f", "Mixed")),
        ("Buffer", Field("f", "Mixed", unknown="Buffer")),
        ("objectid", Field("f", "Mixed", unknown="objectid")),
        (["String"], Field("f", "Array", item=Field("", "String"))),
        ([], Field("f", "Array", item=Field("", "Mixed"))),
        ("Array", Field("f", "Array", item=Field("", "Mixed"))),
        ([{}], Field("f", "Array", item=Field("", "Mixed"))),
        (["Nope"], Field("f", "Array", item=Field("", "Mixed", unknown="Nope"))),
        ([["Number"]], Field("f", "Array", item=Field("", "Array", item=Field("", "Number")))),
        ({"type": ["String"], "enum": ["a"]}, Field("f", "Array", item=Field("", "String"))),
        ([{"type": "String", "enum": ["a"]}], Field("f", "Array", item=Field("", "String", enum=("a",)))),
        ({"type": {"type": "String"}}, Field("f.type", "String")),
        ([{"type": "ObjectId", "ref": "o"}], Field("f", "Array", item=Field("", "ObjectId", ref="o"))),
        (
            [{"k": "String", "at": {"x": "Number"}}],
            Field("f", "Documents", fields=(Field("k", "String"), Field("at.x", "Number"))),
        ),
        (
            {
                "type": "String",
                "enum": ["a", "b", "a", None],
                "lowercase": True,
                "trim": True,
            },
            Field("f", "String", enum=("a", "b"), case="lower", trim=True),
        ),
        ({"type": "Number", "min": 0, "max": 1.5}, Field("f", "Number", min=0, max=1.5)),
        ({"type": "Date", "min": "2020-01-01"}, Field("f", "Date", min=1577836800000)),
        (
            {"type": "String", "match": "/^a/", "minlength": 1, "maxlength": 3, "default": "a"},
            Field("f", "String", match="/^a/", minlength=1, maxlength=3, default="a"),
        ),
    ],
)
def test_every_notation_of_a_type_is_one_field(value, field):
    assert parsed({"f": value}) == (field,)


def test_a_key_called_type_at_the_top_is_a_field():
    assert parsed({"type": "String", "x": "Number"}) == (Field("type", "String"), Field("x", "Number"))


def test_nested_documents_become_dotted_fields_in_order():
    schema = parse_schema(
        {"name": "t", "definition": {"os": {"name": "String", "v": {"n": "Number"}}, "a": "Date"}}
    )
    assert schema.columns == ("os.name", "os.v.n", "a")
    assert schema.tops == ("os", "os", "a")
    assert schema.field("os.v.n") == Field("os.v.n", "Number")
    assert schema.field("_sis.owner").type == "Array"


def test_a_schema_has_all_that_its_document_tells():
    definition = {"name": "String"}
    told: dict[str, Any] = {
        "id_field": "name",
        "locked_fields": ["name"],
        "track_history": False,
        "is_open": True,
        "is_public": True,
        "any_owner_can_modify": True,
        "description": "machines",
    }
    fields = (Field("name", "String"),)
    document = {"name": "host", "definition": definition, "_sis": {"owner": ["net"]}}

    assert parse_schema(document) == Schema(
        name="host", fields=fields, id_field="_id", definition=definition, owner=("net",)
    )
    assert parse_schema({**document, **told}) == Schema(
        name="host",
        fields=fields,
        definition=definition,
        owner=("net",),
        **{**told, "locked_fields": ("name",)},
    )


def test_an_unknown_field_is_answered_with_its_nearest_names():
    schema = parse_schema({"name": "host", "definition": {"hostname": "String", "cpus": "Number"}})
    with pytest.raises(ValueError, match=r"schema 'host' has no field 'hostnme'; did you mean 'hostname'\?"):
        schema.field("hostnme")


@pytest.mark.parametrize(
    ("definition", "id_field", "key"),
    [
        ({"a": "String", "b": {"type": "Number", "unique": True}}, "_id", "b"),
        ({"a": "String", "b": {"type": "String", "unique": True}}, "b", "b"),
        ({"a": "String"}, None, None),
    ],
)
def test_the_key_is_the_id_field_or_the_first_unique_one(definition, id_field, key):
    assert parse_schema({"name": "t", "definition": definition, "id_field": id_field}).key == key


def test_the_hash_does_not_depend_on_the_order_of_keys():
    one = parse_schema({"name": "t", "definition": {"a": "String", "b": {"type": "Number", "min": 1}}})
    two = parse_schema({"name": "t", "definition": {"b": {"min": 1, "type": "Number"}, "a": "String"}})
    other = parse_schema({"name": "t", "definition": {"a": "String"}})
    assert one.hash == two.hash != other.hash


def test_what_is_no_schema_is_refused():
    with pytest.raises(ValueError, match="not a schema"):
        parse_schema({"name": "t"})
