"""The definition language: what is accepted and how, what is refused in which words."""

import re

import pytest

from sispy.sandbox.mongoose.definition import (
    check_locked,
    choose_id_field,
    compile_definition,
    paths_of,
    removed_paths,
)
from sispy.sandbox.mongoose.nodes import Reference
from sispy.sandbox.mongoose.parser import SchemaError

KEY = {"type": "String", "required": True, "unique": True}
REF = {"type": "ObjectId", "ref": "node"}


def test_a_definition_tells_its_paths():
    definition = compile_definition(
        {
            "name": KEY,
            "sub": {"l": ["String"], "deep": {"n": {"type": "Number", "unique": True, "sparse": True}}},
            "docs": [{"k": "String", "r": REF, "rs": [REF]}],
            "one": REF,
            "many": [REF],
            "dflt": {"type": "Boolean", "default": True},
        }
    )
    assert list(definition.leaves) == ["name", "sub.l", "sub.deep.n", "docs", "one", "many", "dflt"]
    assert definition.arrays == ("sub.l", "docs", "many")
    assert definition.unique == {"name": False, "sub.deep.n": True}
    assert definition.fills is True
    assert definition.references == (
        Reference("docs.r", "node", many=False, documents="docs"),
        Reference("docs.rs", "node", many=True, documents="docs"),
        Reference("one", "node", many=False),
        Reference("many", "node", many=True),
    )


@pytest.mark.parametrize(
    ("default", "fills"),
    [("x", True), (0, False), (False, False), ("", False), (None, False), ({"a": 1}, True)],
)
def test_only_a_truthy_default_fills_reads(default, fills):
    assert compile_definition({"a": {"type": "Mixed", "default": default}}).fills is fills


def test_a_default_of_an_array_does_not_fill_reads():
    assert compile_definition({"a": {"type": ["String"], "default": ["x"]}}).fills is False


@pytest.mark.parametrize(
    ("entry", "kind", "kind_of_type"),
    [
        ("String", "scalar", "String"),
        ("string", "scalar", "String"),
        ({"type": "number"}, "scalar", "Number"),
        ("Mixed", "mixed", "Mixed"),
        ("Object", "mixed", "Mixed"),
        ("", "mixed", "Mixed"),
        ({}, "mixed", "Mixed"),
        ({"type": {"x": 1}}, "mixed", "Mixed"),
        ([], "array", "Array"),
        (["Nope"], "array", "Array"),
        ([["Number"]], "array", "Array"),
        ({"type": ["String"]}, "array", "Array"),
        ([{"k": "String"}], "documents", "Documents"),
        ([{"type": "Mixed"}], "documents", "Documents"),
        ([{"type": {"type": "String"}}], "documents", "Documents"),
        ({"a": "String"}, "nested", ""),
        ({"type": {"type": "String"}}, "nested", ""),
    ],
)
def test_notations(entry, kind, kind_of_type):
    node = compile_definition({"f": entry}).fields["f"]
    assert (node.kind, node.type) == (kind, kind_of_type)


def test_type_at_the_top_is_an_ordinary_field():
    assert list(compile_definition({"type": "String", "x": "Number"}).leaves) == ["type", "x"]


REFUSED = [
    ({}, "Cannot add an empty schema."),
    ("text", "Schema definition must be an object."),
    ([], "Schema definition must be an object."),
    (None, "Schema definition must be an object."),
    ({"_x": "Number"}, "_x is a reserved field"),
    ({"x": "Nope"}, "Schema is invalid: TypeError: Undefined type `Nope` at `x`"),
    ({"x": "objectid"}, "Undefined type `objectid` at `x`"),
    ({"x": "ipaddress"}, "Undefined type `ipaddress` at `x`"),
    ({"x": None}, "Undefined type"),
    ({"x": 5}, "Undefined type"),
    ({"x": True}, "Undefined type"),
    ({"x": {"type": None}}, "Undefined type"),
    ({"x": [5]}, "Undefined type"),
    ({"x": {"type": "String", "validate": "f"}}, "validate option"),
    ({"x": {"type": "String", "match": "abc"}}, "no regular expression in slashes"),
    ({"x": {"type": "String", "match": "/(/"}}, "Regular expression is invalid"),
    ({"x": {"type": "Number", "default": "abc"}}, 'Cast to Number failed for value "abc" at path "x"'),
    ({"x": {"type": "Number", "min": "abc"}}, 'Cast to Number failed for value "abc" at path "x"'),
    ({"x": {"type": "String", "maxlength": "abc"}}, "maxlength of `x` is no number."),
    ({"x": {"type": "ObjectId", "ref": 5}}, "no name of a schema"),
    ({"x": {"b": {}}}, "the nested object `x.b` is empty"),
    ({"x": [{}]}, "the members of `x` have no type"),
    ({"a.b": "String"}, "no name of a field"),
    ({"$a": "String"}, "no name of a field"),
    ({"save": "String"}, "`save` may not be used as a schema pathname"),
    ({"x": {"errors": "String"}}, "`errors` may not be used as a schema pathname"),
    ({"a": "String", "_sis": {"owner": "String"}}, "owner"),
]


@pytest.mark.parametrize(("definition", "text"), REFUSED)
def test_refused(definition, text):
    with pytest.raises(SchemaError, match=re.escape(text)):
        compile_definition(definition)


@pytest.mark.usefixtures("deep")
def test_deep_definitions_are_refused():
    definition: object = "String"
    for _ in range(300):
        definition = {"a": definition}
    with pytest.raises(SchemaError, match="too deeply"):
        compile_definition(definition)


@pytest.mark.parametrize(
    ("definition", "wanted", "pick", "chosen"),
    [
        ({"id": KEY, "name": KEY}, None, True, "name"),
        ({"zz": KEY, "id": KEY}, None, True, "id"),
        ({"n": "Number", "zz": KEY}, None, True, "zz"),
        ({"n": "Number", "zz": KEY}, "_id", True, "zz"),
        ({"name": {"type": "String", "unique": True}}, None, True, "_id"),
        ({"name": KEY}, None, False, "_id"),
        ({"name": KEY, "id": KEY}, "id", False, "id"),
    ],
)
def test_the_id_field_is_chosen(definition, wanted, pick, chosen):
    assert choose_id_field(definition, wanted, pick=pick) == chosen


@pytest.mark.parametrize("wanted", ["a", "zz", 5, "sub.k"])
def test_an_id_field_must_be_required_and_unique(wanted):
    with pytest.raises(SchemaError, match=r"ID Field must be required and unique\."):
        choose_id_field({"a": "String", "sub": {"k": KEY}}, wanted, pick=True)


def test_removed_paths_are_the_topmost_ones():
    old = compile_definition(
        {"a": "String", "sub": {"x": "String", "y": "String"}, "docs": [{"k": "String", "v": "String"}]}
    )
    new = compile_definition({"b": "String", "sub": {"y": "String"}, "docs": [{"k": "String"}]})
    assert removed_paths(old, new) == ["a", "docs.v", "sub.x"]
    assert removed_paths(old, compile_definition({"a": "Number"})) == ["docs", "sub"]


def test_paths_of_a_definition():
    assert paths_of({"a": "String", "sub": {"x": "String"}, "docs": [{"k": "String"}]}) == {
        "a",
        "sub",
        "sub.x",
        "docs",
        "docs.k",
    }


def test_locked_fields_are_protected_by_their_exact_path():
    old = compile_definition({"a": "String", "n": "Number", "sub": {"x": "String"}})
    check_locked(
        old, compile_definition({"a": "String", "n": "Number", "sub": {"y": "String"}}), ["sub", "n"]
    )
    with pytest.raises(SchemaError, match="Cannot remove field n"):
        check_locked(old, compile_definition({"a": "String"}), ["n"])
