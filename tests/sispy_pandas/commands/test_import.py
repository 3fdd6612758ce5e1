import datetime
import json
from decimal import Decimal

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

import sispy_pandas as sp

SWITCHES = [
    {
        "name": "sw1",
        "u_height": 1.0,
        "position": 4.5,
        "installed": "2020-12-20T00:00:00Z",
        "enabled": True,
        "asset": "00123",
        "interfaces": [{"name": "Gi0/0", "enabled": True}, {"name": "Gi0/1", "enabled": False}],
        "location": {"site": "fra1", "hall": "B"},
        "tags": ["core", "edge"],
        "comments": "=1+1\nsecond line",
    },
    {
        "name": "sw2",
        "u_height": 2,
        "enabled": False,
        "asset": "7",
        "interfaces": [],
        "location": {"site": "ams1"},
    },
    {
        "name": "sw3",
        "u_height": 1,
        "enabled": True,
        "asset": "NA",
        "interfaces": [{"name": "Gi0/0", "enabled": True}],
    },
]

PREVIEW = """\
switch: a new table on URL, 11 fields
key     name
owners  root

├─ name        String       required, unique
├─ u_height    Number       required
├─ position    Number
├─ installed   Date
├─ enabled     Boolean      required
├─ asset       String       required
├─ interfaces  [documents]
│  ├─ name     String       required
│  └─ enabled  Boolean      required
├─ location
│  ├─ site     String
│  └─ hall     String
├─ tags        [String]
└─ comments    String

switch on URL as root: 3 done
"""


@pytest.fixture
def file(tmp_path):
    def write(content, name="switch.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


def without_member_ids(record):
    return {
        key: [
            {k: v for k, v in member.items() if k != "_id"} if isinstance(member, dict) else member
            for member in value
        ]
        if isinstance(value, list)
        else value
        for key, value in record.items()
        if not key.startswith("_") and value != []
    }


def test_a_file_becomes_a_table_with_every_value_as_it_was(sispy, sis, file):
    result = sispy("import", file(SWITCHES), "--schema", "switch", "--yes")

    assert result.exit_code == 0
    assert result.stdout.replace(sis.url, "URL").partition("journal:")[0] == PREVIEW
    snapshot = sp.fetch(sis.client().entities("switch"), progress=False)
    stored = {record["name"]: without_member_ids(record) for record in snapshot.records()}
    expected = {record["name"]: without_member_ids(record) for record in SWITCHES}
    expected["sw1"]["installed"] = "2020-12-20T00:00:00.000Z"
    assert stored == expected


def test_the_same_file_again_is_nothing_to_do(sispy, file):
    path = file(SWITCHES)
    sispy("import", path, "--schema", "switch", "--yes")

    result = sispy("import", path, "--schema", "switch")

    assert (result.exit_code, result.stderr) == (0, "nothing to push\n")


def test_new_and_changed_rows_join_the_table_by_its_key(sispy, sis, file):
    sispy("import", file(SWITCHES), "--schema", "switch", "--yes")
    changed = [{**SWITCHES[1], "asset": "8"}, {"name": "sw4", "u_height": 1, "enabled": True, "asset": "9"}]

    result = sispy("import", file(changed), "--schema", "switch", "--yes")

    assert result.exit_code == 0
    frame = sp.fetch(sis.client().entities("switch"), progress=False).frame()
    assert dict(zip(frame["name"], frame["asset"], strict=True)) == {
        "sw1": "00123",
        "sw2": "8",
        "sw3": "NA",
        "sw4": "9",
    }


def test_a_csv_becomes_a_table(sispy, sis, file):
    path = file("hostname,cpus,since\nweb1,8,2020-01-02\nweb2,,2020-01-03\n", "hosts.csv")

    result = sispy("import", path, "--schema", "machine", "--key", "hostname", "--yes")

    assert result.exit_code == 0
    frame = sp.fetch(sis.client().entities("machine"), progress=False).frame()
    assert [str(dtype) for dtype in frame.dtypes[:3]] == ["str", "Int64", "datetime64[ms, UTC]"]
    assert frame["hostname"].tolist() == ["web1", "web2"]


def test_a_workbook_and_a_file_of_another_encoding_become_tables(sispy, sis, tmp_path):
    pd.DataFrame({"name": ["a", "b"], "cpus": [8, None], "live": [True, False]}).to_excel(
        tmp_path / "x.xlsx", index=False
    )
    (tmp_path / "y.csv").write_bytes("name;ort\na;Köln\n".encode("cp1252"))

    assert sispy("import", tmp_path / "x.xlsx", "--schema", "x", "--yes").exit_code == 0
    assert (
        sispy("import", tmp_path / "y.csv", "--schema", "y", "--yes", "--encoding", "cp1252").exit_code == 0
    )
    frame = sp.fetch(sis.client().entities("x"), progress=False).frame()
    assert frame["cpus"].tolist() == [8, pd.NA]
    assert frame["live"].tolist() == [True, False]
    assert sp.fetch(sis.client().entities("y"), progress=False).frame()["ort"].tolist() == ["Köln"]


def test_a_definition_file_decides_and_its_problems_prevent_everything(sispy, sis, file):
    definition = file(
        {"name": {"type": "String", "unique": True}, "asset": {"type": "String", "enum": ["7", "NA"]}},
        "def.json",
    )
    rows = file([{"name": "a", "asset": "7"}, {"name": "b", "asset": "8"}])

    result = sispy("import", rows, "--schema", "switch", "--definition", definition, "--yes")

    assert result.exit_code == 3
    assert "asset" in result.stdout
    assert "'8'" in result.stdout or "8" in result.stdout
    assert [s["name"] for s in sis.client().schemas.fetch_all({"q": {"name": "switch"}})] == []


def test_without_a_terminal_it_does_not_ask(sispy, sis, file):
    result = sispy("import", file(SWITCHES), "--schema", "switch")

    assert result.exit_code == 64
    assert result.stderr == (
        f"sispy: Make table switch with 3 rows on {sis.url}? There is no terminal to ask: --yes answers yes\n"
    )
    assert sis.client().schemas.count({"name": "switch"}) == 0


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ("[1, 2", "x.json", "x.json is not JSON: Expecting ',' delimiter at line 1, column 6"),
        ("1", "x.json", "x.json holds a number: an array of objects is needed"),
        (
            '{"kind": "List", "items": [{"a": 1}, {"a": 2}]}',
            "x.json",
            "holds an object with lists of objects in it: --at items reads 2 rows, --at . takes the object",
        ),
        ("[1]", "x.json", "x.json: item 1 is a number: an array of objects is needed"),
        (
            '{"a": 1}\n{',
            "x.ndjson",
            "x.ndjson is not JSON: Expecting property name enclosed in double quotes at line 2",
        ),
        ("[]", "x.json", "has no rows to read a definition off"),
    ],
)
def test_an_unreadable_file_is_named_with_the_place(sispy, file, content, name, sentence):
    result = sispy("import", file(content, name), "--schema", "switch", "--yes")

    assert result.exit_code == 3
    assert sentence in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("name", ["cable.csv", "cable.json"])
def test_references_are_given_by_label(sispy, sis, file, name):
    racks = sp.fetch(sis.client().entities("rack"), progress=False).frame()
    labels = racks["name"].tolist()[:2]
    records = [{"name": "c1", "rack": labels[0], "length": 2}, {"name": "c2", "rack": labels[1], "length": 3}]
    text = "name,rack,length\n" + "".join(f"{r['name']},{r['rack']},{r['length']}\n" for r in records)
    path = file(text if name.endswith("csv") else records, name)

    told = sispy("import", path, "--schema", "cable", "--yes").stderr
    made = sispy("import", path, "--schema", "wire", "--reference", "rack", "--yes")
    again = sispy("import", path, "--schema", "wire")
    moved = file(text.replace(labels[1], labels[0]), "moved.csv")
    joined = sispy("import", moved, "--schema", "wire", "--yes")

    assert "rack names rows of table rack: --reference rack makes it point there" in told
    assert (made.exit_code, again.stderr, joined.exit_code) == (0, "nothing to push\n", 0)
    wires = sp.fetch(sis.client().entities("wire"), progress=False).frame()
    assert wires["rack"].tolist() == [racks.index[0]] * 2
    stored = sp.fetch(sis.client().entities("cable"), progress=False).frame()
    assert stored["rack"].tolist() == labels
    wrong = sispy(
        "import", file([{"name": "c9", "rack": "nowhere"}]), "--schema", "line", "--reference", "rack"
    )
    assert (wrong.exit_code, "has name 'nowhere'" in wrong.stdout) == (3, True)


def test_rows_without_a_key_are_said_to_be_new(sispy, sis, file):
    path = file([{"n": 1}, {"n": 1}])
    assert sispy("import", path, "--schema", "log", "--yes").exit_code == 0

    result = sispy("import", path, "--schema", "log", "--again")

    assert result.exit_code == 64
    assert "log has no unique field to know rows by: whole rows are compared" in result.stderr
    rows = [{"entry": n, "log": "x"} for n in range(50)]
    refused = sispy("import", file(rows), "--schema", "line", "--reference", "log")
    assert (refused.exit_code, "1 and 49 more  log " in refused.stdout) == (3, True)
    assert "schema 'log' has no unique field to name its rows by" in refused.stdout
    assert refused.stderr == "nothing was made: fix the problems above and run it again\n"


def test_a_joining_row_with_a_problem_prevents_everything(sispy, sis, file):
    sispy("import", file(SWITCHES), "--schema", "switch", "--yes")

    result = sispy("import", file([{"name": "sw9"}]), "--schema", "switch", "--yes")

    assert (result.exit_code, result.stderr) == (
        3,
        "nothing was pushed: fix the problems above and run it again\n",
    )
    assert sis.client().entities("switch").count() == 3


def sheet(path, *rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_cells_of_several_kinds_in_a_column_of_a_workbook_are_text(sispy, sis, tmp_path):
    day, moment = datetime.datetime(2024, 1, 31), datetime.datetime(2024, 1, 31, 10, 30)  # noqa: DTZ001 - a workbook has none
    path = sheet(
        tmp_path / "a.xlsx",
        ["name", "serial", "bought", "backup", "price", "live"],
        ["w1", 70012, day, datetime.time(10, 30), 1234.5, True],
        ["w2", "AB-7", "unknown", datetime.time(0, 0), "1234.50", "perhaps"],
        ["w3", 1.5, moment, datetime.timedelta(hours=26), "n/a", "  "],
    )

    made = sispy("import", path, "--schema", "t", "--yes")
    again = sispy("import", path, "--schema", "t")

    assert (made.exit_code, again.exit_code, again.stderr) == (0, 0, "nothing to push\n")
    frame = sp.fetch(sis.client().entities("t"), progress=False).frame().set_index("name")
    assert frame["serial"].tolist() == ["70012", "AB-7", "1.5"]
    assert frame["bought"].tolist() == ["2024-01-31", "unknown", "2024-01-31T10:30:00"]
    assert frame["backup"].tolist() == ["10:30:00", "00:00:00", "26:00:00"]
    assert frame["price"].tolist() == ["1234.5", "1234.50", "n/a"]
    assert frame["live"].fillna("").tolist() == ["TRUE", "perhaps", ""]


def test_keys_that_hold_only_empty_lists_and_objects_are_stored(sispy, sis, file):
    rows = [
        {"name": "vm1", "codes": [], "ipv6": {}, "nic": [{"mac": "02:00", "ipv6": []}]},
        {"name": "vm2", "codes": [], "ipv6": {}, "nic": []},
    ]

    made = sispy("import", file(rows), "--schema", "vm", "--yes")
    again = sispy("import", file(rows), "--schema", "vm")

    assert (made.exit_code, again.exit_code, again.stderr) == (0, 0, "nothing to push\n")
    definition = sis.client().schemas.get("vm").to_dict()["definition"]
    assert (definition["codes"], definition["ipv6"]) == ([], "Mixed")
    assert definition["nic"] == [{"mac": {"type": "String", "required": True}, "ipv6": []}]


def test_what_is_told_of_a_file_says_what_its_columns_are(sispy, sis, file):
    text = "name;price;bought;live\nw1;1.234,50;04.03.2024;ja\nw2;-;24.12.2023;nein\n"
    told = [
        "--decimal",
        ",",
        "--thousands",
        ".",
        "--dayfirst",
        "--true",
        "ja",
        "--false",
        "nein",
        "--na",
        "-",
    ]

    result = sispy("import", file(text, "a.csv"), "--schema", "t", "--yes", *told)

    assert result.exit_code == 0
    frame = sp.fetch(sis.client().entities("t"), progress=False).frame()
    assert [str(dtype) for dtype in frame.dtypes[1:4]] == ["Float64", "datetime64[ms, UTC]", "boolean"]
    assert frame.iloc[0].tolist()[1:4] == [1234.5, pd.Timestamp("2024-03-04", tz="UTC"), True]


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("t.json", '[{"name": "a", "v": 1, "v": 2}]', ""),
        ("t.json", '[{"name": "a", "o": [{"v": 1, "v": 2}]}]', ""),
        ("t.ndjson", '{"name": "b"}\n{"name": "a", "v": 1, "v": 2}\n', ", line 2"),
    ],
)
def test_a_key_twice_in_one_object_is_refused(sispy, file, name, text, place):
    path = file(text, name)

    result = sispy("import", path, "--schema", "t", "--yes")

    said = f"{path} is not readable JSON{place}: an object has the key 'v' more than once, with 1 and 2"
    assert (result.exit_code, said in result.stderr) == (3, True)


def test_durations_and_bytes_of_parquet_are_text(sispy, sis, tmp_path):
    durations = pd.to_timedelta([None, "26:30:00", "1.5s"])
    frame = pd.DataFrame({"name": ["a", "b", "c"], "t": durations, "u": [b"x", None, "é".encode()]})
    frame.assign(v=[b"\xff", b"\x00", b"x"]).to_parquet(tmp_path / "p.parquet")

    assert sispy("import", tmp_path / "p.parquet", "--schema", "t", "--yes").exit_code == 0

    rows = [without_member_ids(row) for row in sp.fetch(sis.client().entities("t"), progress=False).records()]
    assert rows == [
        {"name": "a", "u": "x", "v": "ff"},
        {"name": "b", "t": "26:30:00", "v": "00"},
        {"name": "c", "t": "00:00:01.500000", "u": "é", "v": "78"},
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (
            '{"a": 1}\n{"a": 2}\n',
            "is not JSON: it has one JSON value per line: call it .ndjson, or give --format ndjson",
        ),
        ('{"a": 1} {"a": 2}', "is not JSON: Extra data at line 1, column 10"),
    ],
)
def test_a_file_that_is_no_json_names_the_cause(sispy, file, text, said):
    path = file(text)

    result = sispy("import", path, "--schema", "t", "--yes")

    assert (result.exit_code, f"{path} {said}" in result.stderr) == (3, True)


def test_a_column_has_one_new_name_given_in_any_case(sispy, sis, file):
    path = file("name,B\na,1\n", "t.csv")

    twice = sispy("import", path, "--schema", "t", "--yes", "--rename", "B=p", "--rename", "B=q")
    once = sispy("import", path, "--schema", "t", "--yes", "--rename", "b=p", "--ignore-case")

    assert (twice.exit_code, "B is p and q: one column is one field" in twice.stderr) == (64, True)
    assert once.exit_code == 0
    assert sp.fetch(sis.client().entities("t"), progress=False).frame()["p"].tolist() == [1]


def test_an_option_of_reading_that_is_none_names_the_nearest(file):
    schema = sp.parse_schema({"name": "t", "definition": {"name": "String"}})
    said = r"^there is no option 'decimel'; did you mean 'decimal' or 'delimiter'\?$"
    with pytest.raises(TypeError, match=said):
        sp.read_csv(file("name\na\n", "t.csv"), schema, decimel=",")  # type: ignore[call-arg] # a slip


def test_half_a_character_of_json_is_a_problem_of_its_row(sispy, file):
    result = sispy("import", file('[{"name": "a", "v": "\\ud800"}]'), "--schema", "t", "--yes")

    assert (result.exit_code, "holds half a character: UTF-8 has no such text" in result.output) == (3, True)


@pytest.mark.parametrize(
    ("rows", "stored"),
    [
        ([{"a.b": 1}, {"a": {"b": 2}}], [{"a_b": 1}, {"a": {"b": 2}}]),
        ([{"a": {"b": 1}, "a.b": 2}], [{"a": {"b": 1}, "a_b": 2}]),
    ],
)
def test_a_key_with_a_dot_is_not_the_path_of_an_object_beside_it(sispy, sis, file, rows, stored):
    made = sispy("import", file(rows), "--schema", "t", "--yes")
    again = sispy("import", file(rows), "--schema", "t")

    assert (made.exit_code, "'a.b' becomes 'a_b'" in made.stderr) == (0, True)
    assert (again.exit_code, "nothing to push" in again.stderr) == (0, True)
    found = sp.fetch(sis.client().entities("t"), progress=False).records()
    assert [without_member_ids(row) for row in found] == stored


def test_zero_among_booleans_of_a_workbook_is_not_false(sispy, sis, tmp_path):
    path = sheet(tmp_path / "t.xlsx", ["name", "v"], ["a", False], ["b", 0])

    assert sispy("import", path, "--schema", "t", "--yes").exit_code == 0

    assert sp.fetch(sis.client().entities("t"), progress=False).frame()["v"].tolist() == ["FALSE", "0"]


TOLD = [
    (
        "j.json",
        '[{"n": "a", "p": "1,75", "b": "nein", "o": {"p": "1,5"}}, {"n": "b", "p": "2,5", "b": "ja"}]',
    ),
    (
        "l.ndjson",
        '{"n": "a", "p": "1,75", "b": "nein", "o": {"p": "1,5"}}\n{"n": "b", "p": "2,5", "b": "ja"}',
    ),
    ("c.csv", "n;p;b;o.p\na;1,75;nein;1,5\nb;2,5;ja;\n"),
]


@pytest.mark.parametrize(("name", "text"), TOLD)
def test_what_is_told_counts_in_every_format(sispy, sis, file, name, text):
    told = ["--decimal", ",", "--true", "ja", "--false", "nein"]

    assert sispy("import", file(text, name), "--schema", "t", "--yes", *told).exit_code == 0

    rows = [without_member_ids(row) for row in sp.fetch(sis.client().entities("t"), progress=False).records()]
    assert rows == [{"n": "a", "p": 1.75, "b": False, "o": {"p": 1.5}}, {"n": "b", "p": 2.5, "b": True}]


def test_texts_of_json_stay_texts_where_nothing_that_was_told_speaks_of_them(sispy, sis, file):
    rows = [{"n": "a", "v": "8", "w": "1,5"}, {"n": "b", "v": "9", "w": "x"}]

    assert sispy("import", file(rows), "--schema", "t", "--yes", "--decimal", ",").exit_code == 0

    found = sp.fetch(sis.client().entities("t"), progress=False).records()
    assert [without_member_ids(row) for row in found] == rows


def test_words_for_true_false_and_nothing_may_be_numbers(sispy, sis, file, tmp_path):
    rows = [{"n": "a", "up": 1, "v": 0}, {"n": "b", "up": 2, "v": 7}]
    files = {
        "c": file("n,up,v\na,1,0\nb,2,7\n", "c.csv"),
        "j": file(rows, "j.json"),
        "x": sheet(tmp_path / "x.xlsx", ["n", "up", "v"], ["a", 1, 0], ["b", 2, 7]),
    }
    told = ["--true", "1", "--false", "2", "--na", "0"]
    for name, path in files.items():
        assert sispy("import", path, "--schema", name, "--yes", *told).exit_code == 0

    stored = {name: sp.fetch(sis.client().entities(name), progress=False).records() for name in files}
    found = [{"n": "a", "up": True}, {"n": "b", "up": False, "v": 7}]
    assert [[without_member_ids(row) for row in rows] for rows in stored.values()] == [found] * 3


def test_a_number_that_the_server_would_round_is_named_before_a_table_is_made(sispy, sis, file):
    result = sispy("import", file([{"n": [{"x": 2**53 + 1}, 1]}]), "--schema", "t", "--yes")

    said = "column 'n': 9007199254740993 is beyond 2**53, the server would round it: write it as text"
    assert (result.exit_code, said in result.stderr) == (3, True)
    assert sis.client().schemas.count({"name": "t"}) == 0


DIGITS = "12345678901234567890.12"


def test_no_digit_of_a_decimal_is_lost(sispy, sis, file, tmp_path):
    frame = pd.DataFrame({"name": ["a", "b"], "n": [Decimal(DIGITS), Decimal("1.50")]})
    frame.to_parquet(tmp_path / "p.parquet")
    files = {
        "j": file(f'[{{"name": "a", "n": {DIGITS}}}, {{"name": "b", "n": 1.5}}]'),
        "l": file(f'{{"name": "a", "n": {DIGITS}}}\n{{"name": "b", "n": 1.5}}\n', "l.ndjson"),
        "p": tmp_path / "p.parquet",
    }
    for name, path in files.items():
        assert sispy("import", path, "--schema", name, "--yes").exit_code == 0

    stored = {name: list(sp.fetch(sis.client().entities(name)).frame()["n"]) for name in files}
    assert stored == {"j": [DIGITS, "1.5"], "l": [DIGITS, "1.5"], "p": [DIGITS, "1.5"]}


def test_a_decimal_that_a_number_field_would_round_is_a_problem(sispy, file):
    sispy("import", file([{"name": "a", "n": 1}]), "--schema", "t", "--yes")

    result = sispy("import", file(f'[{{"name": "a", "n": {DIGITS}}}]'), "--schema", "t", "--yes")

    assert result.exit_code == 3
    assert f"{DIGITS} is beyond 2**53: the server would round it" in result.output


def test_rows_without_a_key_that_are_there_already_are_left_out_unless_they_shall_come_twice(
    sispy, sis, file, monkeypatch, tmp_path
):
    rows = [{"part": "SFP", "n": 1}, {"part": "DAC", "n": 2, "l": [{"a": 1}]}, {"part": "DAC", "n": 2}]
    sispy("import", file(rows), "--schema", "spare", "--yes")
    endpoint = sis.client().entities("spare")
    there = "3 rows of these are there already, just so: --again makes new ones of them"

    unknown = sispy("plan", "spare", file(rows))
    assert (unknown.exit_code, unknown.stderr.rpartition(": ")[2].strip()) == (
        3,
        f"`sispy import {file(rows)} --schema spare` compares whole rows",
    )
    same = sispy("import", file(rows), "--schema", "spare", "--yes")
    with monkeypatch.context() as other_machine:
        other_machine.setenv("SISPY_JOURNALS", str(tmp_path / "others"))
        elsewhere = sispy("import", file(rows), "--schema", "spare", "--yes")

    assert [(r.exit_code, there in r.stdout) for r in (same, elsewhere)] == [(0, True), (0, True)]
    assert endpoint.count() == 3
    again = sispy("import", file(rows), "--schema", "spare", "--yes", "--again")
    assert (again.exit_code, "3 creates" in again.stdout, endpoint.count()) == (0, True, 6)
    more = sispy("import", file([*rows, *rows, rows[0]]), "--schema", "spare", "--yes")
    assert (more.exit_code, "1 create," in more.stdout, endpoint.count()) == (0, True, 7)
    endpoint.delete_bulk({"q": {"part": "DAC"}})
    back = sispy("import", file(rows), "--schema", "spare", "--yes")
    assert (back.exit_code, "2 creates" in back.stdout, endpoint.count()) == (0, True, 5)


def test_rows_with_a_key_are_never_made_twice(sispy, file):
    sispy("import", file(SWITCHES), "--schema", "switch", "--yes")

    result = sispy("import", file(SWITCHES), "--schema", "switch", "--again")

    assert (result.exit_code, result.stderr) == (
        64,
        "sispy: rows of switch are known by name: leave --again out.\n",
    )


def test_headings_that_no_field_can_have_are_mended_and_said(sispy, sis, file):
    text = 'Tag ,Serial No.,"two\nlines",Exp. date,_rack,Tag,get,os.name,,$\n' + "".join(
        f"T{n},S{n},x,{n},r{n},,1,rhel,,\n" for n in range(3)
    )
    path = file(text, "a.csv")

    made = sispy("import", path, "--schema", "t", "--yes")
    again = sispy("import", path, "--schema", "t")
    told = sispy(
        "import", path, "--schema", "u", "--yes", "--rename", "Serial No.=serial", "--rename", "Tag 2=x"
    )

    assert (made.exit_code, again.exit_code, again.stderr) == (0, 0, "nothing to push\n")
    assert made.stderr.splitlines()[0] == (
        "6 columns of names that no field can have: 'Serial No.' becomes 'Serial No', 'two\\nlines' becomes "
        "'two lines', 'Exp. date' becomes 'Exp date' and 3 more; --rename 'Serial No.=NAME' names it "
        "otherwise"
    )
    names = ["Tag", "Serial No", "two lines", "Exp date", "rack", "Tag 2", "get_", "os"]
    assert list(sis.client().schemas.get("t").to_dict()["definition"]) == names
    assert told.exit_code == 0
    assert list(sis.client().schemas.get("u").to_dict()["definition"])[1:6:4] == ["serial", "x"]


def test_cells_without_a_name_are_named_by_their_place(sispy, sis, file):
    path = file("name,$,\na,1,x\nb,2,y\n", "a.csv")

    refused = sispy("import", path, "--schema", "t", "--yes")
    told = sispy(
        "import", path, "--schema", "t", "--yes", "--rename", "column 2=cost", "--rename", "column 3=note"
    )

    assert refused.exit_code == 3
    assert (
        "column 2 ($) has cells, but no name; --header-row N says which row has the names" in refused.stderr
    )
    assert "--rename 'column 2=NAME' names it" in refused.stderr
    assert told.exit_code == 0
    assert list(sis.client().schemas.get("t").to_dict()["definition"]) == ["name", "cost", "note"]


def test_a_saved_index_that_counts_the_rows_is_no_column(sispy, sis, tmp_path):
    pd.DataFrame({"name": ["a", "b"]}).to_csv(tmp_path / "a.csv")

    result = sispy("import", tmp_path / "a.csv", "--schema", "t", "--yes")

    assert result.exit_code == 0
    assert list(sis.client().schemas.get("t").to_dict()["definition"]) == ["name"]


def test_keys_of_json_are_mended_together_with_what_is_below_them(sispy, sis, file):
    rows = [{"name": f"n{n}", "get": {"x": n}, "_meta": {"a.b": n}, "k8s.io/os": "linux"} for n in range(2)]

    made = sispy("import", file(rows), "--schema", "t", "--yes", "--rename", "name=id")
    again = sispy("import", file(rows), "--schema", "t", "--rename", "name=id")

    assert (made.exit_code, again.exit_code, again.stderr) == (0, 0, "nothing to push\n")
    stored = sp.fetch(sis.client().entities("t"), progress=False).records()[1]
    assert {key: stored[key] for key in stored if not key.startswith("_")} == {
        "id": "n1",
        "get_": {"x": 1},
        "meta": {"a.b": 1},
        "k8s_io/os": "linux",
    }


def test_what_an_export_has_beside_the_fields_is_left_out_and_said(sispy, sis, file):
    row = {"_id": "5" * 24, "_sis": {"owner": ["x"]}, "_v": 1, "name": "a"}

    result = sispy("import", file([row]), "--schema", "t", "--yes")

    assert (result.exit_code, "left out, as the server has its own: _id, _sis, _v" in result.stderr) == (
        0,
        True,
    )
    assert list(sis.client().schemas.get("t").to_dict()["definition"]) == ["name"]


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_keys_of_one_name_stay_apart_beside_a_document(sispy, sis, file, suffix):
    rows = [{"name": "a", "_x": {"y": 1}}, {"name": "b", "$x": "z"}]
    path = file(rows)
    if suffix == "parquet":
        path = path.with_suffix(".parquet")
        pa.parquet.write_table(
            pa.Table.from_pylist(
                rows,
                pa.schema(
                    [("name", pa.string()), ("_x", pa.struct([("y", pa.int64())])), ("$x", pa.string())]
                ),
            ),
            path,
        )

    made = sispy("import", path, "--schema", "t", "--yes")

    assert made.exit_code == 0
    assert [(row.get("x"), row.get("x 2")) for row in sis.client().entities("t").fetch_all()] == [
        ({"y": 1}, None),
        (None, "z"),
    ]


def test_a_key_without_a_name_is_told_what_names_it(sispy, sis, file):
    path = file([{"name": "a", "": 1}])

    refused = sispy("import", path, "--schema", "t", "--dry-run")
    told = sispy("import", path, "--schema", "t", "--yes", "--rename", "column 2=size")

    assert (
        refused.stderr
        == f"sispy: {path}: column 2 has cells, but no name; --rename 'column 2=NAME' names it\n"
    )
    assert (told.exit_code, list(sis.client().schemas.get("t").to_dict()["definition"])) == (
        0,
        ["name", "size"],
    )


@pytest.mark.parametrize("id_", [7, {"$oid": "5" * 24}])
def test_an_id_of_another_program_is_said_once(sispy, file, id_):
    result = sispy("import", file([{"_id": id_, "name": "a"}]), "--schema", "t", "--dry-run")

    assert [line for line in result.stderr.splitlines() if "_id" in line] == [
        "column _id is left out: none of its cells is an id of 24 hex digits;"
        " --rename _id=FIELD takes it for a field"
    ]


def test_titles_and_totals_are_left_out_once_somebody_has_said_so(sispy, sis, tmp_path):
    rows = ["Servers, all sites"], [], ["name", "cost"], ["w1", 5], ["w2", 6.5], [], ["Total", None]
    path = sheet(tmp_path / "a.xlsx", *rows)
    text = "Servers, all sites\n\nname;cost\nw1;5\nw2;6.5\n\nTotal;\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")

    for name in ("a.xlsx", "a.csv"):
        refused = sispy("import", tmp_path / name, "--schema", "t", "--yes")
        half = sispy("import", tmp_path / name, "--schema", "t", "--yes", "--header-row", 3)
        told = sispy(
            "import", tmp_path / name, "--schema", name[2:], "--yes", "--header-row", 3, "--footer-rows", 1
        )

        said = "row 1 is left out: the names of the columns are in row 3; --header-row 3 says so"
        assert (refused.exit_code, said in refused.stderr) == (64, True)
        assert (half.exit_code, "--footer-rows 1 says so, --footer-rows 0 keeps all" in half.stderr) == (
            64,
            True,
        )
        assert told.exit_code == 0
        frame = sp.fetch(sis.client().entities(name[2:]), progress=False).frame()
        assert frame[["name", "cost"]].values.tolist() == [["w1", 5], ["w2", 6.5]]
    assert path.exists()


def test_a_table_without_names_is_refused_until_they_are_told(sispy, sis, file):
    path = file("w1,8,10.0.0.1\nw2,4,10.0.0.2\n", "a.csv")
    named = ["--rename", "column 1=name", "--rename", "column 3=ip"]

    refused = sispy("import", path, "--schema", "t", "--yes")
    told = sispy("import", path, "--schema", "t", "--yes", "--header-row", 0, *named)
    again = sispy("import", path, "--schema", "t", "--header-row", 0, *named)

    said = "8 in row 1 looks like data, not like a name; --header-row 0 says that there are no names"
    assert (refused.exit_code, said in refused.stderr) == (3, True)
    assert (told.exit_code, again.exit_code, again.stderr) == (0, 0, "nothing to push\n")
    frame = sp.fetch(sis.client().entities("t"), progress=False).frame()
    assert frame.iloc[:, :3].to_dict("list") == {
        "name": ["w1", "w2"],
        "column 2": [8, 4],
        "ip": ["10.0.0.1", "10.0.0.2"],
    }


DRY = """\
t: a new table on URL, 4 fields
key     name
owners  root

├─ name    String  required, unique
├─ cost    Number
├─ serial  String
└─ end     String

name  cost  serial  end
w1    5     A
w2
w3    6.5
w4    1
w5    1
w6    1
... and 1 more row

"""


def test_a_dry_run_shows_everything_and_makes_nothing(sispy, sis, file):
    path = file(
        "List\n\nname;cost;_serial;end\nw1;5;A;\nw2;;;\nw3;6.5\nw4;1\nw5;1\nw6;1\nw7;1\nTotal;9\n", "a.csv"
    )

    result = sispy("import", path, "--schema", "t", "--dry-run")

    assert result.exit_code == 0
    assert result.stdout.replace(sis.url, "URL") == DRY
    assert result.stderr.splitlines() == [
        "1 column of names that no field can have: '_serial' becomes 'serial'; --rename _serial=NAME names "
        "it otherwise",
        "no row has a value for end: assumed to be text",
        "row 1 is left out: the names of the columns are in row 3; --header-row 3 says so",
        "row 11 is left out: it looks like a total, or a remark; --footer-rows 1 says so, --footer-rows 0 "
        "keeps all",
        "nothing was made: without --dry-run it is a table with 7 rows",
    ]
    assert sis.client().schemas.count({"name": "t"}) == 0


def test_a_dry_run_shows_problems_and_what_would_change(sispy, sis, file):
    definition = file(
        {"name": {"type": "String", "unique": True, "required": True}, "n": "Number"}, "def.json"
    )
    rows = file([{"name": "a", "n": "x"}])

    wrong = sispy("import", rows, "--schema", "t", "--definition", definition, "--dry-run")
    sispy("import", file(SWITCHES), "--schema", "switch", "--yes")
    changed = file([{**SWITCHES[0], "asset": "9"}])
    joined = sispy("import", changed, "--schema", "switch", "--dry-run")

    assert (wrong.exit_code, "'x' is not a number" in wrong.stdout) == (3, True)
    assert sis.client().schemas.count({"name": "t"}) == 0
    assert (joined.exit_code, joined.stderr) == (0, "nothing was pushed: this was a dry run\n")
    assert "sw1" in joined.stdout
    stored = sis.client().entities("switch").fetch_all()
    assert sorted(row["asset"] for row in stored) == ["00123", "7", "NA"]


def test_an_import_is_taken_back_together_with_its_table(sispy, sis, file):
    made = sispy("import", file(SWITCHES), "--schema", "switch", "--yes")
    journal = made.stderr.split("`sispy undo ")[1].split()[0]

    undone = sispy("undo", journal, "--drop-table", "--yes")

    assert made.stderr.splitlines()[-1] == f"`sispy undo {journal} --drop-table` takes it back"
    assert undone.exit_code == 0
    assert undone.stderr.splitlines()[0] == (
        "table switch is dropped, too, once it is empty: only another import brings it back"
    )
    assert undone.stderr.splitlines()[-1] == "dropped table switch"
    assert sis.client().schemas.count({"name": "switch"}) == 0


def test_a_table_is_dropped_by_the_undo_of_its_own_import_alone_and_only_if_it_is_empty(sispy, sis, file):
    made = sispy("import", file(SWITCHES), "--schema", "switch", "--yes")
    journal = made.stderr.split("`sispy undo ")[1].split()[0]
    more = [{"name": "sw9", "u_height": 1, "enabled": True, "asset": "9", "interfaces": []}]
    sispy("import", file(more), "--schema", "switch", "--yes")

    other = sispy("undo", "--drop-table", "--yes")
    full = sispy("undo", journal, "--drop-table", "--yes")
    both = sispy("undo", journal, "--drop-table", "--fields", "asset", "--yes")

    assert (other.exit_code, other.stderr.splitlines()[-1]) == (
        64,
        "sispy: table switch was not made by this push: leave --drop-table out.",
    )
    assert (full.exit_code, full.stderr.splitlines()[-1]) == (
        4,
        "table switch still has 1 row, and is not dropped",
    )
    assert (both.exit_code, sis.client().entities("switch").count()) == (64, 1)
    sis.client().entities("switch").delete_bulk({"q": {"name": "sw9"}})
    asks = sispy("undo", journal, "--drop-table")
    assert (asks.exit_code, "Drop table switch on" in asks.stderr) == (64, True)
    late = sispy("undo", journal, "--drop-table", "--yes")
    assert (late.exit_code, sis.client().schemas.count({"name": "switch"})) == (0, 0)


def test_what_is_guessed_of_files_that_are_compared_is_said(sispy, file):
    one = file("List\n\nname;cost\nw1;5\nw2;6\nTotal;\n", "a.csv")
    other = file("name;cost\nw1;5\nw2;7\n", "b.csv")

    result = sispy("diff", one, other, "--key", "name")

    assert result.exit_code == 2
    assert "row 1 is left out: the names of the columns are in row 3; --header-row 3 says so" in result.stderr
    assert "row 6 is left out: it looks like a total, or a remark" in result.stderr


@pytest.mark.parametrize("ids", [("x1", "x2"), ("1", "2"), ("0af1-77", "")])
@pytest.mark.parametrize("key", [(1, 2), ("web-1", "web-2")])
def test_ids_of_another_program_are_left_out_and_said(sispy, sis, file, ids, key):
    text = f"_id,name,cpus\n{ids[0]},{key[0]},4\n{ids[1]},{key[1]},8\n"

    made = sispy("import", file(text, "a.csv"), "--schema", "t", "--yes")
    again = sispy("plan", "t", file(text.replace("8", "9"), "a.csv"), "--key", "name", "--output", "json")
    kept = sispy("import", file(text, "a.csv"), "--schema", "u", "--yes", "--rename", "_id=ident")

    said = "column _id is left out: none of its cells is an id of 24 hex digits; --rename _id=FIELD"
    assert (made.exit_code, said in made.stderr) == (0, True)
    rows = [{**row, "_id": None} for row in sis.client().entities("t").fetch_all()]
    assert [(row["name"], row["cpus"]) for row in rows] == [(key[0], 4), (key[1], 8)]
    told = json.loads(again.stdout)
    assert [(cell["key"], cell["after"]) for cell in told["cells"]] == [(key[1], 9)]
    assert (told["problems"], any(note.startswith(said[:30]) for note in told["notes"])) == ([], True)
    assert kept.exit_code == 0
    assert "ident" in sis.client().schemas.get("u").to_dict()["definition"]


def test_a_row_whose_id_lost_its_form_is_named_by_its_number(sispy, file):
    good = "5" * 23
    text = f"_id,name\nbroken,1\n{good}a,2\n{good}b,3\n{good}b,4\n"
    assert sispy("import", file("name\n1\n", "a.csv"), "--schema", "t", "--yes").exit_code == 0

    plan = sispy("plan", "t", file(text, "a.csv"), "--key", "name", "--output", "json")

    told = json.loads(plan.stdout)["problems"]
    assert [(problem["key"], problem["reason"].split(":")[0]) for problem in told] == [
        (1, "the _id was damaged"),
        (3, f"the _id {good}b stands in rows 4, 5"),
        (4, f"the _id {good}b stands in rows 4, 5"),
    ]


def test_what_a_column_of_text_or_of_units_holds_is_told(sispy, sis, tmp_path):
    book = openpyxl.Workbook()
    for row in (["name", "serial", "size", "share"], ["a", 1e20, "12 GB", "50%"], ["b", "x7", "8 GB", "5%"]):
        book.active.append(row)
    book.save(tmp_path / "disks.xlsx")

    plain = sispy("import", "disks.xlsx", "--schema", "disk", "--dry-run")
    told = ("--text", "serial", "--unit", "GB", "--unit", "%", "--save-mapping", "m.toml")
    made = sispy("import", "disks.xlsx", "--schema", "disk", "--yes", *told)
    again = sispy("import", "disks.xlsx", "--schema", "disk", "--yes", "--mapping", "m.toml")

    assert (plain.exit_code, made.exit_code, again.exit_code) == (3, 0, 0)
    way = "2 cells look like numbers and are taken for text"
    assert plain.stderr.splitlines()[:2] == [
        f"size: {way}: 12 GB (row 2), 8 GB (row 3); --unit GB reads numbers without it",
        f"share: {way}: 50% (row 2), 5% (row 3); --unit % reads 50% as 50, --unit %=0.01 reads it as 0.5",
    ]
    line = (
        "1 cell in 1 column looks like 1e+20 (row 2): --text serial takes all cells of the column for texts"
    )
    assert f"{line}, as they are shown" in plain.stdout.splitlines()
    rows = [
        [row[name] for name in ("serial", "size", "share")]
        for row in sis.client().entities("disk").fetch_all()
    ]
    assert rows == [["100000000000000000000", 12, 50], ["x7", 8, 5]]
    assert again.stderr.splitlines()[-1] == "nothing to push"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            ["5", "n/a", " - "],
            "1 of 3 cells looks like a number and is taken for text: 5 (row 2);"
            " --na - says that it means no value, --na n/a says that it means no value",
        ),
        (
            ["5,5", "?"],
            "1 of 2 cells looks like a number and is taken for text: 5,5 (row 2);"
            " --na '?' says that it means no value, --decimal , reads decimal commas",
        ),
        (
            ["2026-01-31", "TBD"],
            "1 of 2 cells looks like a date and is taken for text: 2026-01-31 (row 2);"
            " --na TBD says that it means no value",
        ),
        (
            ["yes", "No"],
            "2 cells look like booleans and are taken for text: yes (row 2), No (row 3);"
            " --true YES says that it is true, --false NO says that it is false",
        ),
        (["-", "n/a"], None),
        (["a", "-"], None),
        (["1", "--", "-", "?", "nil"], None),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_column_of_words_for_nothing_and_values_is_told_its_options(sispy, tmp_path, suffix, cells, said):
    book = openpyxl.Workbook()
    rows = [["name", "c"], *([f"w{n}", cell] for n, cell in enumerate(cells))]
    for row in rows:
        book.active.append([int(cell) if cell.isdigit() else cell for cell in row])
    book.save(tmp_path / "t.xlsx")
    (tmp_path / "t.csv").write_text("\n".join(";".join(row) for row in rows))

    shown = sispy("import", f"t{suffix}", "--schema", "t", "--dry-run")

    told = [line for line in shown.stderr.splitlines() if line.startswith("c: ")]
    assert told == ([] if said is None else [f"c: {said}"])


def test_what_a_file_is_instead_is_said(sispy, tmp_path):
    (tmp_path / "t.ndjson").write_text('[{"name": "w1"}]')
    (tmp_path / "t.csv").write_text("name,site\n")

    assert [sispy("import", name, "--schema", "t").stderr.strip() for name in ("t.ndjson", "t.csv")] == [
        "sispy: t.ndjson holds an array, not an object per line: call it .json, or give --format json",
        "sispy: t.csv has no rows to read a definition off: --definition FILE tells what the table is",
    ]


def test_the_only_sheet_with_cells_is_the_one_and_a_preview_shows_texts_as_they_are(sispy, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Data")
    for row in (["name"], ["-5 °C"], ["@home"]):
        sheet.append(row)
    book.create_sheet("Notes")
    book.save(tmp_path / "t.xlsx")

    shown = sispy("import", "t.xlsx", "--schema", "t", "--dry-run")

    assert shown.exit_code == 0
    title, *lines = shown.stdout.splitlines()
    assert title.endswith(", 1 field")
    assert lines == [
        "key     name",
        "owners  root",
        "",
        "└─ name  String  required, unique",
        "",
        "name",
        "-5 °C",
        "@home",
        "",
    ]
