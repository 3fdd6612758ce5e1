"""Entities that are deleted come back as they were, or the plan says beforehand what cannot."""

import pytest

import sispy_pandas as sp
from sispy_pandas.values.entity import as_created
from sispy_pandas.values.schema import parse_schema

QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=2.0)


def push(plan):
    return plan.push(progress=False, limits=QUICK)


def make(server, definition, row):
    definition = {"a": "Number", **definition}
    server.client.schemas.create({"name": "t", "_sis": {"owner": ["net", "ops"]}, "definition": definition})
    table = server.client.entities("t")
    table.create(row)
    return table


def shown(table):
    flags = ("owner", "tags", "locked", "immutable", "any_owner_can_modify")
    rows = table.fetch_all()
    return [
        {key: value for key, value in row.items() if key not in ("_id", "_v", "_sis")}
        | {"_sis": {flag: row["_sis"][flag] for flag in flags}}
        for row in rows
    ]


def delete_all(table):
    live = sp.fetch(table, progress=False)
    return push(live.diff(live.frame().head(0), delete=list(live.ids))).raise_for_failures()


@pytest.mark.parametrize(
    ("definition", "row"),
    [
        ({"d": {"type": "String", "default": "x"}}, {"a": 1, "d": None}),
        ({"d": {"type": "Number", "default": 5}}, {"a": 1, "d": None}),
        ({"d": {"type": "Boolean", "default": True}}, {"a": 1, "d": None}),
        ({"d": {"type": ["String"], "default": ["x"]}}, {"a": 1, "d": []}),
        ({"d": {"type": [{"k": "String"}], "default": [{"k": "x"}]}}, {"a": 1, "d": []}),
        ({"d": {"type": "Mixed", "default": {"k": 1}}}, {"a": 1, "d": None}),
        ({"s": {"d": {"type": "String", "default": "x"}}}, {"a": 1, "s": {"d": None}}),
        ({"d": {"type": "String", "enum": ["x"], "default": "x"}}, {"a": 1}),
        ({}, {"a": None}),
        ({"l": ["String"]}, {"a": None, "l": []}),
        ({"m": "Mixed"}, {"a": 1, "m": []}),
        ({"m": "Mixed"}, {"a": 1, "m": {"x": None, "y": [None, {}]}}),
        ({"d": "Date"}, {"a": 1, "d": "+010000-01-01T00:00:00.000Z"}),
        ({}, {"a": 12345678901234567890}),
        ({}, {"a": 1, "_sis": {"immutable": True, "owner": ["net"], "tags": ["t"]}}),
        ({}, {"a": 1, "_sis": {"any_owner_can_modify": True, "owner": ["net"]}}),
    ],
)
def test_what_was_stored_comes_back(server, definition, row):
    table = make(server, definition, row)
    before = shown(table)
    report = delete_all(table)

    back = push(sp.undo(report)).raise_for_failures()

    assert shown(table) == before
    assert push(sp.undo(back)).ok
    assert shown(table) == []


@pytest.mark.parametrize(
    ("definition", "row", "later", "reason"),
    [
        ({"d": "String"}, {"a": 1}, {"type": "String", "required": True}, "a value is required"),
        ({"d": "Number"}, {"d": 5}, {"type": "Number", "max": 3}, "more than 3"),
        ({"d": "String"}, {"d": "x"}, {"type": "Number", "max": 3, "required": True}, "'x' is not a number"),
        ({"d": "Mixed"}, {"a": 1, "d": {"k": 1}}, "String", "an object is not text"),
        ({"d": "String"}, {"d": "x"}, ["String"], "'x' is one value: an array takes a list"),
    ],
)
def test_what_cannot_come_back_is_a_problem_of_the_plan(server, definition, row, later, reason):
    table = make(server, definition, row)
    schema = server.client.schemas.get("t").to_dict()
    schema["definition"]["d"] = later
    server.client.schemas.update("t", schema)
    report = delete_all(table)

    plan = sp.undo(report)

    assert [(p.column, p.reason) for p in plan.problem_list] == [("d", reason)]


def test_an_empty_list_in_a_mixed_column_is_a_value_of_a_new_row(server):
    table = make(server, {"m": "Mixed"}, {"a": 1})
    live = sp.fetch(table, progress=False)
    new = live.frame().head(0).reset_index(drop=True)
    new.loc[0, "a"] = 2
    new["m"] = [[]]

    push(live.diff(new, new=True)).raise_for_failures()

    assert [row["m"] for row in table.fetch_all({"q": {"a": 2}})] == [[]]


def test_a_new_row_is_given_no_null_that_the_server_refuses():
    definition = {
        "plain": {"type": "Number", "default": 5},
        "required": {"type": "Number", "default": 5, "required": True},
        "chosen": {"type": "String", "default": "a", "enum": ["a", "b"]},
        "list": {"type": ["String"], "default": ["a"]},
        "without": "Number",
    }
    schema = parse_schema({"name": "t", "definition": definition})

    assert as_created(schema, {"without": 1}) == {"without": 1, "plain": None, "list": []}
    assert as_created(schema, {}) == {"plain": None, "list": []}
