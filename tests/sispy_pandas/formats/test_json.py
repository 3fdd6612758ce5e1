"""Records: one per line or in an array, nested or by dotted keys, of exports and of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sispy_pandas as sp
from sispy_pandas.formats.bounds import InFile
from sispy_pandas.formats.options import ReadOptions
from sispy_pandas.formats.reader import read_frame
from sispy_pandas.formats.registry import format_of
from sispy_pandas.formats.untyped import read_rows
from sispy_pandas.values.types.convert import json_values

A, B = "a" * 24, "b" * 24


def read(records, schema, path, **how):
    texts = [json.dumps(record) for record in records]
    path.write_text(f"[{','.join(texts)}]" if path.suffix == ".json" else "\n".join(texts), encoding="utf-8")
    return read_frame(InFile.of(path), format_of(path.name), schema, ReadOptions(**how))


@pytest.fixture(params=["t.ndjson", "t.json"])
def path(request, tmp_path):
    return tmp_path / request.param


def test_documents_of_the_schema_are_columns_and_other_objects_are_cells(host_schema, path):
    records = [
        {"name": "a", "os": {"name": "rhel8"}, "extra": {"x": {"y": 1}}, "tags": ["t"]},
        {"name": "b", "os.version": 9, "os": None, "extra": "text", "size": {"u": 2}},
    ]

    frame = read(records, host_schema, path)

    assert list(frame.columns) == ["name", "os.name", "os.version", "tags", "extra", "size"]
    assert frame["os.name"].tolist()[:1] == ["rhel8"]
    assert json_values(host_schema.field("extra"), frame["extra"]) == [{"x": {"y": 1}}, "text"]
    assert frame["size"].tolist() == [None, {"u": 2}]


def test_ids_receipts_and_sis_are_those_of_the_server(server, path):
    live = server.fetch()
    records = [dict(record) for record in server.hosts.fetch_all({"populate": False})]
    records[0]["_id"] = "broken"

    frame = read(records, live.schema, path)

    plan = sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)
    assert (len(frame), len(plan)) == (19, 0)
    assert [(p.row, p.column, p.reason) for p in plan.problem_list] == [
        (1, "_id", "the _id was damaged: copy it from the export again")
    ]


@pytest.mark.parametrize("records", [[{}], [{}, {}]])
def test_rows_without_any_key_are_no_table(host_schema, path, records):
    with pytest.raises(ValueError) as refused:
        read(records, host_schema, path)

    assert str(refused.value) == "no column of the file is one of schema 'host'; its first row has []"


def test_a_key_that_some_records_lack_is_blank_and_a_null_is_too(server, path):
    live = server.fetch({"q": {"name": {"$in": ["h00000", "h00001"]}}})
    records = live.records()
    del records[0]["serial"]
    for record in records:
        del record["cpus"]
        record["ip"] = None

    plan = live.diff(read(records, live.schema, path))

    assert [(change.key, field, after) for change, field, _, after in plan.cells()] == [
        ("h00000", "ip", None),
        ("h00000", "serial", None),
        ("h00001", "ip", None),
    ]


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_nothing_in_place_of_a_document_is_no_column(host_schema, path, nothing):
    frame = read([{"name": "a", "os": {"name": "x"}}, {"name": "b", "os": nothing}], host_schema, path)

    assert list(frame.columns) == ["name", "os.name"]


def test_texts_are_numbers_dates_and_booleans_where_the_field_is(host_schema, path):
    records = [
        {"name": 7, "cpus": "8", "live": "yes", "installed": "2024-01-31", "extra": "8"},
        {"cpus": "1,5", "live": "so so", "installed": "31.1.2024"},
    ]

    frame = read(records, host_schema, path)

    assert [str(cell) for cell in frame.iloc[0]] == ["7", "8.0", "True", "2024-01-31 00:00:00+00:00", "8"]
    assert [cell.reason for cell in frame.iloc[1][["cpus", "live", "installed"]]] == [
        "'1,5' is not a number",
        "'so so' is neither true nor false",
        "'31.1.2024' is not an ISO date or time",
    ]
    decimal = read(records, host_schema, path, decimal=",", dayfirst=True)
    assert decimal[["cpus", "installed"]].astype(str).to_numpy().tolist()[1] == [
        "1.5",
        "2024-01-31 00:00:00+00:00",
    ]

    codes = read([{"live": 1}, {"live": 2}, {"live": True}], host_schema, path, true=["2"], false=["1"])
    assert codes["live"].tolist() == [False, True, True]


def test_lines_end_at_lf_alone(host_schema, tmp_path):
    notes = ["first\u2028second", "next\x85line", "a\x0bb\x0cc\x1cd\x1de\x1ef", "x\ry"]
    lines = [json.dumps({"name": note, "note": note}, ensure_ascii=False) for note in notes]
    (tmp_path / "t.ndjson").write_text("\r\n".join(lines) + "\n\n", encoding="utf-8", newline="")

    frame = sp.read_ndjson(tmp_path / "t.ndjson", host_schema)

    assert frame["note"].tolist() == notes


def test_rows_are_numbered_as_people_find_them(host_schema, tmp_path):
    lines = '{"_id": "x", "name": "a"}', "", '{"_id": "y", "name": "b"}', f'{{"_id": "{"5" * 24}"}}'
    (tmp_path / "t.ndjson").write_text("\n".join(lines))

    frame = sp.read_ndjson(tmp_path / "t.ndjson", host_schema)

    problems = frame.attrs["sispy"].problems
    assert [(p.row, p.key, p.value) for p in problems] == [(1, "a", "x"), (3, "b", "y")]


def test_an_empty_export_is_an_empty_table(server, path):
    path.write_text("[]" if path.suffix == ".json" else "")

    frame = read_frame(InFile.of(path), format_of(path.name), server.fetch().schema, ReadOptions())

    assert sp.snapshot_of(server.hosts, frame, progress=False).diff(frame).empty


def rows_in(file: Path, *, at: str | None = None) -> list[dict[str, Any]]:
    found = read_rows(InFile.of(file), format_of(file.name), ReadOptions(at=at)).data
    assert isinstance(found, list)
    return found


def test_the_rows_of_a_file_may_lie_inside_of_it(tmp_path):
    inside = {
        "sites": [{"hosts": [{"name": "a"}, {"name": "b"}]}, {"hosts": [{"name": "c"}], "x.y": {"name": "d"}}]
    }
    file = tmp_path / "t.json"
    file.write_text(json.dumps(inside), encoding="utf-8")

    def names(path):
        rows = rows_in(file, at=path)
        return [row.get("name", sorted(row)) for row in rows]

    assert names("sites.hosts") == ["a", "b", "c"]
    assert names("sites.x.y") == ["d"]
    assert names("sites") == [["hosts", "x"], ["hosts", "x"]]  # a key with a dot is a path, as a heading is
    assert names(".") == [["sites"]]
    with pytest.raises(ValueError) as refused:
        names(None)
    assert str(refused.value) == (
        f"{file} holds an object with lists of objects in it: at='sites' reads 2 rows, at='sites.hosts'"
        " reads 3 rows, at='.' takes the object itself for a row"
    )
    with pytest.raises(ValueError, match="has nothing at 'hosts'; there is 'sites'"):
        names("hosts")
    with pytest.raises(ValueError, match=r"has a text at 'sites\.hosts\.name': objects are needed"):
        names("sites.hosts.name")


def test_lists_of_objects_are_named_down_to_the_third_level(tmp_path):
    file = tmp_path / "t.json"
    file.write_text('{"a": {"b": {"c": [{"n": 1}], "d": {"e": [{"n": 2}, {"n": 3}]}}}}', encoding="utf-8")

    with pytest.raises(ValueError) as refused:
        rows_in(file)

    assert str(refused.value) == (
        f"{file} holds an object with lists of objects in it: at='a.b.c' reads 1 row,"
        " at='.' takes the object itself for a row"
    )
    assert rows_in(file, at="a.b.d.e") == [{"n": 2}, {"n": 3}]


def test_one_object_without_lists_of_objects_is_one_row(tmp_path):
    file = tmp_path / "t.json"
    rows = [
        {"name": "a", "facts": {"n": 1}, "tags": ["x"]},
        {"os": {"name": "rhel"}, "cpu": {"n": 8}},
        {"a": {}, "b": {}},
        {},
    ]

    for row in rows:
        file.write_text(json.dumps(row), encoding="utf-8")
        assert rows_in(file) == [row]


@pytest.mark.parametrize(("before", "path"), [("%s", "*"), ('{"hosts": %s}', "hosts.*")])
def test_objects_that_are_alike_under_their_names_are_rows_if_that_is_told(tmp_path, before, path):
    hosts = {"web1": {"cpus": 8, "ip": "::1"}, "web2": {"cpus": 4, "key": "k", "nics": [{"dev": "eth0"}]}}
    file = tmp_path / "t.json"
    file.write_text(before % json.dumps(hosts), encoding="utf-8")

    with pytest.raises(ValueError) as refused:
        rows_in(file)
    rows = rows_in(file, at=path)

    assert str(refused.value) == (
        f"{file} holds an object of 2 objects that are alike: at={path!r} takes each for a row, at='.' takes"
        " the object itself for a row"
    )
    named = [{"key 2": name, "key": None, "ip": None, "nics": None} for name in hosts]
    assert rows == [one | host for one, host in zip(named, hosts.values(), strict=True)]
    assert rows_in(file, at=f"{path}.nics") == [{"dev": "eth0"}]
    with pytest.raises(ValueError, match=r"has a number at '.*\*\.cpus': objects are needed"):
        rows_in(file, at=f"{path}.cpus")


def test_the_rows_of_each_line_may_lie_inside_of_it(tmp_path):
    file = tmp_path / "t.ndjson"
    lines = [{"r": {"name": "a"}}, {"r": [{"name": "b"}, {"name": "c"}]}]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    rows = rows_in(file, at="r")

    assert [row["name"] for row in rows] == ["a", "b", "c"]


def test_other_formats_have_no_rows_inside_of_others(host_schema, tmp_path):
    (tmp_path / "t.csv").write_text("name\na\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"at=: .*t.csv is a file of format CSV, which has none"):
        sp.read_csv(tmp_path / "t.csv", host_schema, at="items")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ('{"items": []}', "items"),
        ('{"total": 2, "items": [], "next": null}', "items"),
        ('{"data": {"rows": []}, "links": ["x"]}', "data.rows"),
    ],
)
def test_an_object_whose_list_is_empty_is_no_row_unless_told(tmp_path, text, at):
    file = tmp_path / "t.json"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError) as refused:
        rows_in(file)

    said = f"{file}: '{at}' has no rows; at='.' takes the object itself for a row"
    assert str(refused.value) == said
    assert (rows_in(file, at=at), rows_in(file, at=".")) == ([], [json.loads(text)])
