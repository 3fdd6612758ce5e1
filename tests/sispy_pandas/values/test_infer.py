from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from sispy.sandbox.mongoose.parser import REFUSED_NAMES
from sispy_pandas.values.infer import RESERVED, infer_schema
from sispy_pandas.values.records import frame_of, records_of
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.types.cells import get_path
from sispy_pandas.values.types.convert import cast
from sispy_pandas.values.types.equality import equal
from sispy_pandas.workflow.from_files import read_csv
from sispy_pandas.workflow.to_files import to_csv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TABLES: dict[str, list[dict[str, Any]]] = {
    "device": [
        {
            "name": "sw-1",
            "status": {"value": "active", "label": "Active"},
            "rack": None,
            "position": 12.5,
            "primary_ip": {"family": 4, "address": "10.0.0.1/24"},
            "tags": ["core", "lab"],
            "custom_fields": {"asset tag": "A-1", "warranty": {"until": "2031-02-03"}},
            "local_context": None,
            "created": "2024-02-29T12:30:00.250Z",
            "comments": "first line\nsecond, with a comma",
        },
        {
            "name": "sw-2",
            "status": {"value": "planned", "label": "Planned"},
            "rack": "r 7",
            "position": None,
            "primary_ip": None,
            "tags": [],
            "custom_fields": {"asset tag": None, "warranty": None},
            "local_context": {"ntp": ["10.0.0.9"], "vlan": {"10": "mgmt"}},
            "created": "2024-03-01",
            "comments": "",
        },
    ],
    "interface": [
        {
            "device": "sw-1",
            "name": "ge1",
            "mtu": 9216,
            "enabled": True,
            "tagged": [{"vid": 10}, {"vid": 20}],
        },
        {"device": "sw-1", "name": "ge2", "mtu": None, "enabled": False, "tagged": []},
    ],
    "prefix": [
        {"prefix": "2001:db8::/32", "vrf": None, "is_pool": False, "depth": 0, "serial": "00123"},
        {"prefix": "10.0.0.0/8", "vrf": "blue", "is_pool": True, "depth": 1, "serial": "1e5"},
    ],
}
"""Tables in the shapes that CMDBs export: objects in objects, nulls, lists of either, texts of digits."""


def definition(*records: Mapping[Any, Any], **options: Any) -> dict[str, Any]:
    return infer_schema(records, name="t", **options)["definition"]


def inferred(*values: Any, **options: Any) -> Any:
    """The type of a column that no row lacks, beside a row that lacks it."""
    return definition(*({"a": value} for value in values), {"b": 1}, **options)["a"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["x", "y"], "String"),
        ([1, 2.5], "Number"),
        ([2**53 + 1], "String"),
        ([2**54], "Number"),
        ([[2**53 + 1]], ["String"]),
        ([Decimal("12345678901234567890.12"), Decimal("1.50")], "String"),
        ([Decimal("0.123456789012345678901")], "String"),
        ([Decimal("1.50"), Decimal("0.10000000000000001")], "Number"),
        ([True, False], "Boolean"),
        ([1, True], "Mixed"),
        ([1, "x"], "Mixed"),
        ([None], "String"),
        ([[]], []),
        ([{}], "Mixed"),
        ([[], {}], "Mixed"),
        ([[], "x"], "Mixed"),
        ([{}, "x"], "String"),
        ([{"x": {}}, "x"], "Mixed"),
        ([{"x": {}}], {"x": "Mixed"}),
        ([{"x": []}, {"y": 1}], {"x": [], "y": "Number"}),
        ([[{"k": []}, {"k": []}]], [{"k": []}]),
        ([[{}]], []),
        ([[], {"x": 1}], "Mixed"),
        (["  ", 1], "Number"),
        (["  "], "String"),
        ([{"a\0": 1}], "Mixed"),
        (["00123", "1e5"], "String"),
        (["2020-12-20T00:00:00Z", "2020-12-20"], "Date"),
        (["31 Jan 2024", "Feb 1st, 2024", "2024/03/04 13:05", "2020-12-20"], "Date"),
        (["3. März 2024", "4 mars 2024", "5 de mayo de 2024", "Monday, March 4, 2024"], "Date"),
        (["2024-01-31 10:00:00+00", "2024-01-31 10:00:00 UTC", "2024-01-31 10:00:00 +0100"], "Date"),
        (["2024-01-31 10:00:00.1230000"], "Date"),
        (["2024-01-31 10:00:00.123456"], "String"),
        (["31 Jan 24"], "String"),
        (["31 Meh 2024"], "String"),
        (["3/4/2024"], "String"),
        (["2024.1.3"], "String"),
        (["2020-12-20", "today"], "String"),
        (["2020-13-20"], "String"),
        (["2020-12-20T00:00:00.000001Z"], "String"),
        (["192.168.0.1/22"], "String"),
        ([["a"], ["b", "c"]], ["String"]),
        ([[1], [2.5]], ["Number"]),
        ([[True], [False, True]], ["Boolean"]),
        ([[True], [1]], []),
        ([[1], ["x"]], []),
        ([[[1]]], []),
        ([{"x": 1}, {"x": 2, "y": "z"}], {"x": "Number", "y": "String"}),
        ([{"type": "x"}], {"type": {"type": "String"}}),
        ([{"type": ["x"]}, {}], {"type": {"type": ["String"]}}),
        ([{"type": {"x": 1}}], "Mixed"),
        ([np.int64(1), np.float64(2.5)], "Number"),
        ([pd.Timestamp("2020-12-20"), datetime.date(2020, 12, 21)], "Date"),
        ([{"a.b": 1}], "Mixed"),
        ([[{"k": "a"}, {"k": "b", "n": 1}]], [{"k": {"type": "String", "required": True}, "n": "Number"}]),
    ],
)
def test_a_type_is_chosen_that_every_value_survives(values: list[Any], kind: Any) -> None:
    assert inferred(*values) == kind


def test_a_nested_field_called_type_does_not_make_its_object_one_of_that_type() -> None:
    nested = {"type": {"type": "String", "required": True}}
    assert definition({"a": {"type": "x"}}, {"a": {"type": "y"}})["a"] == nested


def test_what_is_missing_in_records_of_a_frame_is_not_required() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "n": [1, None], "since": [pd.NaT, pd.Timestamp("2020-12-20")]})
    expected = {"name": {"type": "String", "required": True, "unique": True}, "n": "Number", "since": "Date"}
    assert definition(*frame.to_dict("records")) == expected
    assert infer_schema(frame, name="t")["definition"] == expected


def test_addresses_and_enums_on_request() -> None:
    assert inferred("10.0.0.1", "10.0.0.0/8", addresses=True) == "IpAddress"
    assert inferred("10.0.0.1/32", "10.0.0.0/8", addresses=True) == "String"
    assert inferred("b", "a", "a", "b", enums=True) == {"type": "String", "enum": ["a", "b"]}
    assert inferred("b", "a", enums=True) == "String"


def test_required_and_key() -> None:
    document = infer_schema(
        [
            {"tag": "x", "name": "a", "os": {"v": 1}, "l": [1]},
            {"tag": "y", "name": "a", "os": {"v": 2}, "l": [2]},
        ],
        name="host",
        owner=["ops"],
    )
    assert document == {
        "name": "host",
        "definition": {
            "tag": {"type": "String", "required": True, "unique": True},
            "name": {"type": "String", "required": True},
            "os": {"v": {"type": "Number", "required": True}},
            "l": {"type": ["Number"], "required": True},
        },
        "id_field": "tag",
        "_sis": {"owner": ["ops"]},
    }


def test_a_frame_of_text_is_read_by_its_spelling() -> None:
    frame = pd.DataFrame(
        {
            "name": ["a", "b"],
            "cpus": ["8", "16"],
            "load": ["0.5", "2.25"],
            "version": ["1.10", "1.9"],
            "zip": ["00123", "10115"],
            "live": ["true", "FALSE"],
            "os.name": ["rhel", None],
            "_row": ["1", "2"],
        }
    )
    types = {f.path: f.type for f in parse_schema(infer_schema(frame, name="t")).fields}
    assert types == {
        "name": "String",
        "cpus": "Number",
        "load": "Number",
        "version": "String",
        "zip": "String",
        "live": "Boolean",
        "os.name": "String",
    }


def test_texts_of_a_frame_that_has_other_values_as_well_are_texts() -> None:
    frame = pd.DataFrame(
        {"code": ["1", "2"], "live": ["true", "false"], "n": [1, 2], "price": ["1.234,50", "2,50"]}
    )

    assert infer_schema(frame, name="t")["definition"] == {
        "code": {"type": "String", "required": True, "unique": True},
        "live": {"type": "String", "required": True},
        "n": {"type": "Number", "required": True},
        "price": {"type": "String", "required": True},
    }


@pytest.mark.parametrize("value", [{"b.c": {"d": 2**53 + 1}}, {"type": {"x": [1, 2**53 + 1]}}, [[2**53 + 1]]])
def test_a_number_that_the_server_would_round_is_named_wherever_it_stands_in_a_value(value) -> None:
    with pytest.raises(
        ValueError, match=r"^column 'a': 9007199254740993 is beyond 2\*\*53, the server would"
    ):
        infer_schema([{"a": value}], name="t")


def test_references_are_named_by_the_caller() -> None:
    assert inferred("ams1", references={"a": "site"}) == {"type": "ObjectId", "ref": "site"}
    assert inferred(["ams1"], references={"a": "site"}) == [{"type": "ObjectId", "ref": "site"}]


@pytest.mark.parametrize(
    ("records", "options", "message"),
    [
        ([], {}, "there are no rows to infer a schema from"),
        (
            [{"get": 1}],
            {},
            "no field can be called 'get': rename it. A name has no dot, begins with neither _ nor $, "
            "and is not one of the server's own, such as get and save",
        ),
        ([{"a": "x"}, {"a": "x"}], {"key": "a"}, "'a' cannot be the key: some rows lack it or share a value"),
        ([{"a": "x"}], {"key": "b"}, "there is no column 'b' to be the key; there are a"),
        *(
            (
                [{"a": cell} for cell in cells],
                {"key": "a"},
                "'a' cannot be the key: some rows lack it or share a value",
            )
            for cells in (["x", "x"], ["x", None], ["x", " "], [["x"], ["y"]], [{"b": 1}, {"b": 2}])
        ),
        ([{"a": "x"}], {"references": {"b": "site"}}, "no column 'b': there are a"),
        (
            [{"a": "x"}],
            {"name": "sis_x"},
            "'sis_x' cannot name a schema: use a-z, 0-9 and _, and do not begin with sis_",
        ),
    ],
)
def test_what_cannot_be_a_schema_is_refused(
    records: list[Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        infer_schema(records, **{"name": "t", **options})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame({"a": ["x"], "a.b": [1]}), "columns 'a' and 'a.b' cannot both be: rename one"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the frame has more than one column 'a'"),
        (pd.DataFrame({"a.": ["x"]}), "column 'a.': a name has something on either side of a dot; rename it"),
        (pd.DataFrame({"a": [pd.Timedelta("1D")]}), "column 'a': a Timedelta cannot be written as JSON"),
        ([{"a": {"b": {1}}}], "column 'a': a set cannot be written as JSON"),
    ],
)
def test_what_no_table_of_the_server_can_hold_is_named(data: Any, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        infer_schema(data, name="t")
    assert str(refused.value) == message


@pytest.mark.parametrize("data", [pd.Series([1]), {"name": ["a"]}, [["a"]], "name"])
def test_what_is_no_table_is_refused(data: Any) -> None:
    with pytest.raises(TypeError, match="a frame or records"):
        infer_schema(data, name="t")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_another_cmdb_is_inferred_and_survives_a_file(name: str, tmp_path: Path) -> None:
    records = TABLES[name]
    schema = parse_schema(infer_schema(records, name=name))
    values = {f.path: [cast(f, get_path(record, f.path)) for record in records] for f in schema.fields}
    frame = frame_of(schema, values, [f"{i:024}" for i in range(len(records))], [1] * len(records))
    to_csv(frame, tmp_path / "t.csv", schema=schema)
    back = records_of(schema, read_csv(tmp_path / "t.csv", schema))
    different = [
        (f.path, record, found)
        for f in schema.fields
        for record, found in zip(records, back, strict=True)
        if not equal(f, get_path(record, f.path), get_path(found, f.path))
    ]
    assert different == []
    assert {key for record in records for key in record} == set(schema.definition)


def test_a_column_of_a_frame_of_texts_that_looks_otherwise_is_warned_of():
    frame = pd.DataFrame(
        {"name": ["a", "b"], "price": ["1.234,50", "2,50"], "cpus": ["8", "4"]}, index=[5, 7]
    )

    with pytest.warns(UserWarning) as told:
        document = infer_schema(frame, name="t")

    assert {name: kind["type"] for name, kind in document["definition"].items()} == {
        "name": "String",
        "price": "String",
        "cpus": "Number",
    }
    assert [str(one.message) for one in told] == [
        "price: 2 cells look like numbers and are taken for text: 1.234,50 (row 5), 2,50 (row 7)"
    ]
    assert [one.filename for one in told] == [__file__]


def test_names_that_the_server_refuses_are_known():
    assert RESERVED == REFUSED_NAMES


@pytest.mark.parametrize("inner", [{}, {"a": 1}, {"a": {}}])
def test_an_object_with_a_type_that_is_an_object_is_mixed(inner):
    """In a definition `type` would say what the object around it is."""
    found = infer_schema([{"a": {"type": inner}}, {"b": 1}], name="t")
    assert found["definition"]["a"] == "Mixed"
