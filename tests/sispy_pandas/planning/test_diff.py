"""What a diff finds: exactly the user's edits, whatever happened to the frame on its way."""

import json
from decimal import Decimal
from enum import Enum
from ipaddress import ip_interface
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy_pandas.values.changes import Create, Problem, Update


def cells(plan):
    return [(c.key, path, before, after) for c, path, before, after in plan.cells()]


def reasons(plan):
    return [(p.key, p.column, p.reason) for p in plan.problem_list]


def test_an_unedited_frame_is_an_empty_plan(server):
    live = server.fetch()

    plan = live.diff(live.frame(meta=True))

    assert (plan.changes, plan.problem_list, plan.stale, plan.notes) == ((), (), (), ())


def made(client, name, frame):
    """Make a table as is inferred of a frame, push the frame, and return its records."""
    document = sp.infer_schema(frame, name=name, key="name") | {"_sis": {"owner": ["ops"]}}
    client.schemas.create(document)
    table = client.entities(name)
    plan = sp.fetch(table, progress=False).diff(frame, key="name", create_missing=True)
    assert plan.notes == ()
    assert len(plan.push(progress=False, journal=False).done) == len(frame)
    live = sp.fetch(table, progress=False)
    assert live.diff(frame, key="name").empty
    return [{k: v for k, v in row.items() if not k.startswith("_")} for row in live.records()]


def test_columns_may_be_labelled_by_numbers(sis_client):
    frame = pd.DataFrame({"name": ["a", "b"], 1: [2, 3]})

    assert made(sis_client, "numbered", frame) == [{"name": "a", "1": 2}, {"name": "b", "1": 3}]


def test_labels_that_are_the_same_as_text_are_refused(server):
    with pytest.raises(ValueError, match="the frame has more than one column '1'"):
        server.fetch().diff(pd.DataFrame({"name": ["a"], 1: [2], "1": [3]}), key="name")


def test_documents_may_be_objects(sis_client):
    frame = pd.DataFrame({"name": ["a", "b"], "x": [{"a": 1, "o": {"b": "c"}}, None]})

    assert made(sis_client, "objects", frame) == [
        {"name": "a", "x": {"a": 1, "o": {"b": "c"}}},
        {"name": "b"},
    ]


def test_a_field_of_an_object_that_the_schema_lacks_is_said(sis_client):
    made(sis_client, "lacking", pd.DataFrame({"name": ["a"], "x": [{"a": 1}]}))

    live = sp.fetch(sis_client.entities("lacking"), progress=False)
    plan = live.diff(pd.DataFrame({"name": ["a"], "x": [{"a": 2, "c": 3}]}), key="name")

    assert cells(plan) == [("a", "x.a", 1, 2)]
    assert plan.notes == (
        "column 'x.c' is left alone: schema 'lacking' has no such field; did you mean 'x.a'?",
    )


@pytest.mark.parametrize(
    "travel",
    [
        lambda df: df.sample(frac=1, random_state=1),
        lambda df: df[df.columns[::-1]],
        lambda df: df.reset_index(),
        lambda df: df.astype(object),
        lambda df: pd.concat([df.tail(3), df.head(2)]),
        lambda df: df.convert_dtypes(),
        lambda df: df.merge(pd.DataFrame({"os": ["rhel8"], "eol": [2029]}), on="os").set_axis(df.index),
        lambda df: df.astype({"cpus": "float64", "os": "str", "live": object}),
        lambda df: df[["cpus"]],
        lambda df: df.head(0),
        lambda df: df.assign(os=df["os"].cat.set_categories(["rhel9", "rhel8"])),
        lambda df: df.assign(tags=df["tags"].map(list), extra=df["extra"].map(dict)),
        lambda df: df.assign(name=" " + df["name"].str.upper() + " "),
        lambda df: df.assign(
            name=df["name"].map(PurePosixPath).astype(object),
            os=df["os"].astype(object).map(Enum("Os", {"8": "rhel8", "9": "rhel9"})),
            cpus=df["cpus"].map(Decimal).astype(object),
            since=df["since"].map(pd.Timestamp.to_pydatetime).astype(object),
            ip=df["ip"].map(ip_interface).astype(object),
            extra=df["extra"].map(lambda cell: {"a": Decimal(cell["a"]), "b": dict(cell["b"])}),
        ),
    ],
)
def test_what_happens_to_a_frame_on_its_way_is_no_edit(server, travel):
    live = server.fetch()

    plan = live.diff(travel(live.frame()))

    assert (plan.changes, plan.problem_list, plan.stale) == ((), (), ())


def test_edited_cells_of_every_type_and_nothing_else(server):
    live = server.fetch()
    df = live.frame()
    first = df.index[0]
    df.loc[first, "cpus"] = 7.0
    df.loc[first, "os"] = "rhel9"
    df.loc[first, "live"] = pd.NA
    df.loc[first, "since"] = pd.Timestamp("2025-01-01", tz="UTC")
    df.loc[first, "ip"] = "10.9.9.9/16"
    df.at[first, "tags"] = ["x"]
    df.at[first, "extra"] = {"a": 2}
    df.loc[first, "bios.version"] = " 2"
    df.loc[first, "serial"] = None

    (update,) = live.diff(df).changes

    assert update == Update(
        first,
        before={
            "os": "rhel8",
            "cpus": 1,
            "live": True,
            "since": "2024-01-02T03:04:05.000Z",
            "ip": "10.0.0.1/24",
            "tags": ["a", "b"],
            "extra": {"a": 1, "b": {"c": 0}},
            "bios.version": "1",
            "serial": "sn0",
        },
        after={
            "os": "rhel9",
            "cpus": 7,
            "live": None,
            "since": "2025-01-01T00:00:00.000Z",
            "ip": "10.9.9.9/16",
            "tags": ["x"],
            "extra": {"a": 2},
            "bios.version": " 2",
            "serial": None,
        },
        key="h00000",
        receipt=update.receipt,
    )


def test_bad_cells_are_problems_with_row_column_value_and_reason(server):
    live = server.fetch()
    df = live.frame().head(3).astype({"os": "str"}).astype(object)
    a, b, c = df.index
    df.loc[a, "cpus"] = "many"
    df.loc[a, "bios.version"] = "123456789"
    df.loc[b, "os"] = "rhel7"
    df.loc[b, "name"] = None
    df.loc[c, "tags"] = "x"
    df.loc[c, "cpus"] = 65

    plan = live.diff(df)

    assert list(plan.problems.itertuples(index=False, name=None)) == [
        (a, "h00000", "cpus", "many", "'many' is not a number"),
        (c, "h00002", "tags", "x", "'x' is one value: an array takes a list"),
        (a, "h00000", "bios.version", "123456789", "longer than 8 characters"),
        (b, "h00001", "name", None, "a value is required"),
        (b, "h00001", "os", "rhel7", "'rhel7' is not allowed; did you mean 'rhel9' or 'rhel8'?"),
        (c, "h00002", "cpus", 65, "more than 64"),
    ]


def test_a_tuple_assigned_under_a_mask_is_a_problem_and_added_is_the_way(server):
    live = server.fetch()
    df = live.frame().head(2)
    wrong = df.copy()
    wrong.loc[[True, True], "tags"] = ("x", "y")
    right = df.copy()
    right.loc[[True, False], "tags"] = sp.added(right.loc[[True, False], "tags"], "x")

    assert [p.column for p in live.diff(wrong).problem_list] == ["tags", "tags"]
    assert cells(live.diff(right)) == [("h00000", "tags", ["a", "b"], ["a", "b", "x"])]


def test_a_frame_without_ids_is_refused_with_the_line_that_repairs_it(server):
    live = server.fetch()
    merged = live.frame().merge(pd.DataFrame({"os": ["rhel8"], "eol": [2029]}), on="os")

    with pytest.raises(ValueError, match=r"set_index\('_id'\)"):
        live.diff(merged)


def test_an_id_within_several_levels_of_an_index_is_refused_with_the_line_that_repairs_it(server):
    live = server.fetch()

    with pytest.raises(ValueError, match=r"_id is one of several levels of the index.*reset_index\(\)"):
        live.diff(live.frame().set_index("name", append=True))
    with pytest.raises(ValueError, match="implode"):
        live.diff(sp.explode(live, "disks"))


@pytest.mark.parametrize("text", [str, lambda cell: json.dumps(cell)])
def test_the_text_of_an_object_is_no_edit_but_an_edit_of_the_text_is_a_problem(server, text):
    live = server.fetch()
    df = live.frame().head(4).astype(object)
    df["tags"], df["disks"], df["extra"] = (df[name].map(text) for name in ("tags", "disks", "extra"))
    df.loc[df.index[1], "extra"] = "a text"
    df.loc[df.index[2], "extra"] = text({"a": 2})
    df.loc[df.index[3], "tags"] = text(["a"])

    plan = live.diff(df)

    reason = "the text of an object or a list, not the value: leave the column out, or parse its cells"
    assert reasons(plan) == [
        ("h00002", "extra", reason),
        ("h00003", "tags", f"{text(['a'])!r} is one value: an array takes a list"),
    ]
    assert cells(plan) == [
        ("h00001", "extra", {"a": 1, "b": {"c": 1}}, "a text"),
        ("h00002", "extra", {"a": 1, "b": {"c": 2}}, text({"a": 2})),
        ("h00003", "tags", ["a", "b"], text(["a"])),
    ]


def test_an_object_whose_keys_have_columns_of_their_own_is_no_blank(server):
    live = server.fetch()
    flat = pd.json_normalize(live.records()).set_index("_id").head(3)
    flat["extra"] = None
    flat["extra.a"], flat["extra.b.c"] = [1, None, None], [None, 2, None]

    plan = live.diff(flat)

    reason = "its keys have columns of their own, as of json_normalize: leave the column out, or fill it"
    assert reasons(plan) == [("h00000", "extra", reason), ("h00001", "extra", reason)]


def test_ids_of_another_table_are_refused(server):
    live = server.fetch()
    df = live.frame().head(6).reset_index()
    df["_id"] = [site for site in server.sites for _ in range(2)]
    df["_id"] = [f"{i:024x}" for i in range(6)]

    with pytest.raises(ValueError, match="are they the ids of another table"):
        live.diff(df)


def test_damaged_blank_and_doubled_ids(server):
    live = server.fetch()
    df = live.frame().head(5).reset_index()
    ids = df["_id"].tolist()
    df["_id"] = [ids[0], ids[0], "6.3e+23", None, f"{1:024x}"]
    df["cpus"] = 8

    plan = live.diff(df)

    assert plan.changes == ()
    assert [(p.row, p.column) for p in plan.problem_list] == [
        (2, "_id"),
        (3, "_id"),
        (ids[0], "_id"),
        (f"{1:024x}", "_id"),
    ]


def test_blank_ids_are_creates_with_blank_cells_left_out(server):
    live = server.fetch()
    df = live.frame().head(1).reset_index()
    new = pd.DataFrame(
        {"_id": [None, None], "name": ["New-1 ", "new-2"], "cpus": [None, 4], "_updated_at": [None, None]}
    )

    plan = live.diff(pd.concat([df, new.astype(object)], ignore_index=True))

    assert plan.changes == (
        Create(1, {"name": "new-1"}, "new-1"),
        Create(2, {"name": "new-2", "cpus": 4}, "new-2"),
    )


def test_new_rows_that_are_there_already_are_no_change(server):
    live = server.fetch()
    new = pd.DataFrame({"name": ["h00003", "h00004", "fresh"], "cpus": [4, 99, 1]})

    plan = live.diff(new, new=True)

    assert [change.key for change in plan.changes] == ["h00004", "fresh"]
    assert ("h00004", "cpus", "more than 64") in reasons(plan)
    assert "has this value already" in plan.problem_list[-1].reason


def test_key_matches_rows_keeps_blanks_and_names_what_it_does_not_find(server):
    live = server.fetch()
    foreign = pd.DataFrame(
        {"name": ["H00001", "h00002", "h00002", "h00003", "gone"], "cpus": [9, 1, 2, None, 3]}
    )

    plan = live.diff(foreign, key="name")

    assert cells(plan) == [("h00001", "cpus", 2, 9)]
    assert reasons(plan) == [("h00002", "name", "more than one row has this key")]
    assert plan.notes == (
        "no match for 1 row, left out: gone; create_missing=True makes them",
        "1 blank cell keeps what is stored: blank='clear' clears it",
    )
    assert live.diff(foreign, key="name", blank="keep").notes == plan.notes[:1]
    assert [c.key for c in live.diff(foreign, key="name", create_missing=True).changes] == ["h00001", "gone"]
    assert ("h00003", "cpus", 4, None) in cells(live.diff(foreign, key="name", blank="clear"))
    with pytest.raises(ValueError, match="is not unique"):
        live.diff(foreign, key="cpus")


@pytest.mark.parametrize("rows", [[{"cpus": 1}], pd.Series([1]), None], ids=["list", "Series", "NoneType"])
def test_what_is_no_frame_is_refused(server, rows):
    with pytest.raises(TypeError, match=f"a DataFrame, got {type(rows).__name__}: pd.DataFrame"):
        server.fetch().diff(rows)


def test_an_index_that_is_no_column_is_named(server):
    live = server.fetch()
    new = pd.DataFrame({"serial": ["s1"]}, index=pd.Index(["n1"], name="name"))

    assert live.diff(new, new=True).notes == (
        "the index 'name' is left alone: frame.reset_index() makes a column of it",
    )
    assert live.diff(new, key="name", create_missing=True).notes == ()


def test_unknown_columns_are_named_with_the_nearest_and_read_only_ones_are_problems(server):
    live = server.fetch()
    df = live.frame(meta=True).head(2)
    df["cpu"] = df["CPUS"] = 5
    df["bios"] = [{"vendor": "dell"}, None]
    df["_sis._created_by"] = ["root", "somebody"]
    df["_sis.tags"] = [("x",), ()]

    plan = live.diff(df)

    assert plan.notes == (
        *(
            f"column {name!r} is left alone: schema 'host' has no such field; did you mean 'cpus'?"
            for name in ("cpu", "CPUS")
        ),
        "column 'bios' is left alone: its fields are columns of their own: bios.vendor, bios.version",
    )
    assert reasons(plan) == [
        ("h00001", "_sis._created_by", "only the server writes _sis._created_by; it holds 'root'")
    ]
    assert cells(plan) == [("h00000", "_sis.tags", [], ["x"])]


def test_swapped_and_doubled_unique_values(server):
    live = server.fetch()
    df = live.frame().head(4)
    a, b, c, d = df.index
    df.loc[[a, b], "serial"] = ["sn1", "sn0"]
    df.loc[c, "serial"] = "sn9"
    df.loc[d, "serial"] = "sn2"

    plan = live.diff(df)

    assert sorted(reasons(plan)) == [
        ("h00000", "serial", f"swaps unique values with row {b}: push an interim value first"),
        ("h00001", "serial", f"swaps unique values with row {a}: push an interim value first"),
        ("h00002", "serial", f"row {live.frame().index[9]} has this value already, and it must be unique"),
    ]


def test_deletes_are_named_or_marked(server):
    live = server.fetch()
    df = live.frame().head(3)
    df["_delete"] = [None, "x", "no"]

    plan = live.diff(df, delete=[live.ids[9]])

    assert [c.id for c in plan.changes] == [live.ids[9], live.ids[1]]
    with pytest.raises(ValueError, match="not in this snapshot"):
        live.diff(df, delete=[f"{1:024x}"])
    with pytest.raises(TypeError, match="takes a list"):
        live.diff(df, delete=live.ids[0])


def test_a_row_is_validated_as_a_whole(server):
    live = server.fetch()
    definition = server.client.schemas.get("host").to_dict()
    definition["definition"]["bios"]["vendor"] = {"type": "String", "enum": ["dell"]}
    server.client.schemas.update("host", definition)
    live = server.fetch()
    df = live.frame().head(1)
    df["cpus"] = 3

    assert live.diff(df).problem_list == (
        Problem(
            live.ids[0],
            "the stored value stands in the way of every change to this row: 'acme' is not allowed; "
            "allowed are dell",
            "bios.vendor",
            "acme",
            "h00000",
        ),
    )


def test_a_row_from_another_state_than_the_snapshot_is_stale(server):
    old = server.fetch().frame().head(2)
    server.hosts.update(old.index[0], {"cpus": 9})
    live = server.fetch()
    old["bios.vendor"] = "dell"

    plan = live.diff(old)

    assert [change.id for change in plan.changes] == [old.index[1]]
    assert [stale.id for stale in plan.stale] == [old.index[0]]


def test_a_row_from_another_state_is_not_deleted_and_named_once(server):
    old = server.fetch().frame().head(2)
    server.hosts.update(old.index[0], {"cpus": 9})
    live = server.fetch()
    old["_delete"] = "x"
    old["bios.vendor"] = "dell"

    plan = live.diff(old)

    assert [change.id for change in plan.changes] == [old.index[1]]
    assert [stale.id for stale in plan.stale] == [old.index[0]]
    assert [change.id for change in live.diff(old.drop(columns="bios.vendor")).changes] == [old.index[1]]


def test_new_rows_beside_a_snapshot_without_the_unique_fields(server):
    live = server.fetch(fields=["cpus"])
    new = pd.DataFrame({"name": ["fresh"], "serial": ["sn1"], "cpus": [1]})

    plan = live.diff(new, new=True)

    assert plan.changes == (Create(0, {"name": "fresh", "serial": "sn1", "cpus": 1}, "fresh"),)
    assert plan.problem_list == ()


def test_a_pattern_that_takes_too_long_is_left_to_the_server_with_a_note(server):
    client = server.client
    name = {"type": "String", "required": True, "unique": True}
    slow = {"type": "String", "match": "/^(a|aa)+$/"}
    definition = {"name": name, "code": slow, "codes": [slow]}
    client.schemas.create({"name": "slow", "definition": definition, "_sis": {"owner": ["g"]}})
    endpoint = client.entities("slow")
    endpoint.create([{"name": f"n{i}", "code": "a"} for i in range(9)])
    live = sp.fetch(endpoint, progress=False)
    hard = "a" * 60 + "!"

    codes: list[Any] = [[hard, hard]] + [[]] * 8
    plan = live.diff(live.frame().assign(code=["b", *[hard] * 8], codes=codes))

    assert reasons(plan) == [("n0", "code", "does not match /^(a|aa)+$/")]
    assert plan.notes == (
        "column 'code': its pattern takes too long; 8 cells are left to the server to check",
        "column 'codes': its pattern takes too long; 1 cell is left to the server to check",
    )


def test_a_new_row_needs_no_value_where_the_server_has_a_default_and_unique_addresses_are_left_to_it(server):
    definition = {
        "name": {"type": "String", "required": True},
        "kind": {"type": "String", "required": True, "default": "vm"},
        "ip": {"type": "IpAddress", "unique": True},
    }
    server.client.schemas.create({"name": "box", "_sis": {"owner": ["net"]}, "definition": definition})
    boxes = server.client.entities("box")
    new = pd.DataFrame({"name": ["a", None], "ip": ["10.0.0.1", "10.0.0.1"]})

    plan = sp.fetch(boxes, progress=False).diff(new, new=True)

    assert plan.problem_list == (Problem(1, "a value is required", "name", None),)


def test_new_rows_that_are_there_just_so_are_left_out_as_often_as_they_are(sis_client):
    definition = {"part": "String", "n": {"type": "Number", "default": 1}, "at": "Date", "extra": "Mixed"}
    sis_client.schemas.create({"name": "spare", "definition": definition, "_sis": {"owner": ["ops"]}})
    endpoint = sis_client.entities("spare")
    stored = [
        {"part": "DAC", "at": "2024-01-02", "extra": {"a": 1}},
        {"part": "DAC"},
        {"part": "DAC", "n": 2},
    ]
    endpoint.create(stored)
    frame = pd.DataFrame(
        {
            "part": ["DAC", "DAC", "DAC", "DAC", "SFP"],
            "n": [None, None, 2, None, 1],
            "at": [pd.Timestamp("2024-01-02"), None, None, None, None],
            "extra": [{"a": 1.0}, None, None, None, None],
        },
        dtype=object,
    )

    plan = sp.fetch(endpoint, progress=False).diff(frame, new="missing")

    assert [(c.row, c.values) for c in plan.changes] == [(3, {"part": "DAC"}), (4, {"part": "SFP", "n": 1})]
    assert plan.notes == ("3 rows of these are there already, just so: new=True makes new ones of them",)
    with pytest.raises(ValueError, match="new='some': True, or 'missing' for the rows that are not there"):
        sp.fetch(endpoint, progress=False).diff(frame, new="some")  # type: ignore[arg-type] # what is refused


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"key": "name", "new": True},
            "key= matches rows and new=True says that there is nothing to match: give",
        ),
        ({"new": "all"}, "new='all': True, or 'missing' for the rows that are not there just so"),
        ({"blank": "drop"}, "blank='drop': 'keep' or 'clear'"),
        ({"delete": "a" * 24}, "delete takes a list"),
        ({"owner": "ops"}, "owner takes a list"),
        (
            {"key": "os"},
            "'os' is not unique in schema 'host', so it tells no rows apart; these are: name, serial",
        ),
        ({"key": "serial"}, "there is no column 'serial' to match by, only ['name', 'os']"),
    ],
)
def test_what_cannot_be_meant_is_refused(server, given, said):
    live = server.fetch()
    frame = live.frame().reset_index(drop=True)[["name", "os"]]

    with pytest.raises((ValueError, TypeError)) as refused:
        live.diff(frame, **given)

    assert str(refused.value).startswith(said)


def test_a_frame_with_two_different_ids_is_refused(server):
    live = server.fetch()
    frame = live.frame().assign(_id=list(reversed(live.ids)))

    with pytest.raises(
        ValueError, match="the frame has _id both as index and as a column, and they differ: drop"
    ):
        live.diff(frame)


def test_columns_that_cannot_be_compared_are_said(sis_client):
    sis_client.schemas.create(
        {
            "name": "t",
            "_sis": {"owner": ["ops"]},
            "definition": {"name": "String", "a": "Number", "odd": "Buffer"},
        }
    )
    table = sis_client.entities("t")
    table.create([{"name": "x", "a": 1}])
    live = sp.fetch(table, fields=["name"], progress=False)

    plan = live.diff(live.frame().assign(a=2, odd="x"))

    assert (plan.changes, plan.notes) == (
        (),
        (
            "column 'odd' is left alone: its type 'Buffer' is not known here",
            "column 'a' is left alone in known rows: it was not fetched",
        ),
    )


def test_a_mark_that_says_nothing_is_a_problem_of_its_row(server):
    live = server.fetch()
    frame = live.frame().head(2)[["name"]].astype(object).assign(_delete=["perhaps", True])

    plan = live.diff(frame)

    assert [(p.row, p.reason, p.column, p.value) for p in plan.problem_list] == [
        (live.ids[0], "mark rows to be deleted with x", "_delete", "perhaps")
    ]
    assert [change.id for change in plan.changes] == [live.ids[1]]
