import json

import pandas as pd
import pytest


def names(path):
    return [line.split(",")[1] for line in path.read_text().splitlines()[1:]]


@pytest.fixture(autouse=True)
def machines(sis):
    client = sis.client()
    name = {"type": "String", "required": True, "unique": True}
    room = {"name": name, "floor": "Number"}
    client.schemas.create({"name": "room", "definition": room, "_sis": {"owner": ["ops"]}})
    ids = [client.entities("room").create({"name": f"r{i}", "floor": i})["_id"] for i in range(2)]
    machine = {"name": name, "cpus": "Number", "room": {"type": "ObjectId", "ref": "room"}}
    client.schemas.create({"name": "machine", "definition": machine, "_sis": {"owner": ["ops"]}})
    rows = [{"name": f"m{i}", "cpus": i, "room": ids[i % 2]} for i in range(9)]
    client.entities("machine").create(rows)
    return client.entities("machine")


def test_a_table_to_a_csv_file(sispy, tmp_path):
    result = sispy("export", "machine", "-o", "hosts.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "hosts.csv is written: 9 rows" in result.stderr
    assert len(names(tmp_path / "hosts.csv")) == 9


def test_filters_fields_and_sort(sispy, tmp_path):
    sispy(
        "export",
        "machine",
        "-o",
        "a.ndjson",
        "cpus in 3,5,7",
        "cpus<6",
        "--fields",
        "name",
        "--sort",
        "-name",
    )
    rows = [json.loads(line) for line in (tmp_path / "a.ndjson").read_text().splitlines()]
    assert [row["name"] for row in rows] == ["m5", "m3"]
    assert {*rows[0]} == {"_id", "_sis", "name"}
    sispy("export", "machine", "-o", "b.csv", "--where", "name!=m1", "--query", '{"cpus": {"$lt": 3}}')
    assert names(tmp_path / "b.csv") == ["m0", "m2"]


def test_rows_referred_to_by_name_and_beside(sispy, tmp_path):
    result = sispy("export", "machine", "-o", "a.csv", "cpus<2", "--refs", "label", "--expand", "room.floor")
    assert result.exit_code == 0
    lines = [line.split(",")[1:-1] for line in (tmp_path / "a.csv").read_text().splitlines()]
    assert lines == [["name", "cpus", "room", "room.floor"], ["m0", "0", "r0", "0"], ["m1", "1", "r1", "1"]]
    assert sispy("export", "machine", "-o", "a.csv", "room.name=r1", "room.floor=1").exit_code == 0
    assert names(tmp_path / "a.csv") == ["m1", "m3", "m5", "m7"]


def test_excel_and_parquet(sispy, tmp_path):
    for name in ("a.xlsx", "a.parquet"):
        assert sispy("export", "machine", "-o", name).exit_code == 0
    assert pd.read_parquet(tmp_path / "a.parquet")["name"].tolist() == [f"m{i}" for i in range(9)]
    assert (tmp_path / "a.xlsx").stat().st_size > 5000


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["machine", "-o", "x.doc"], "x.doc: the name must end in one of .csv, .xlsx, .parquet, .ndjson"),
        (["machine", "-o", "x.ods"], "x.ods: save it as .xlsx or .csv"),
        (["machine", "-o", "-"], "- has no name that tells what it is: give --format"),
        (["machin", "-o", "x.csv"], "has no table 'machin'. Did you mean machine"),
        (["machine", "-o", "x.csv", "nme=a"], "schema 'machine' has no field 'nme'; did you mean 'name'"),
        (["machine", "-o", "x.csv", "--query", "{"], "--query is not JSON"),
        (["machine", "-o", "x.csv", "--query", ""], "--query is not JSON"),
        (["machine", "-o", "x.csv", "--query", "null"], "--query is a JSON object, got null"),
        (["machine", "-o", "x.csv", "--query", "[]"], "--query is a JSON object, got []"),
        (["machine", "-o", "x.ndjson", "--expand", "room.floor"], "NDJSON holds the records of the table"),
        (["machine", "-o", "x.csv", "--sort", "nme"], "schema 'machine' has no field 'nme'"),
    ],
)
def test_misuse_is_named_before_anything_is_written(sispy, tmp_path, args, message):
    result = sispy("export", *args)
    assert result.exit_code == 64
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []
