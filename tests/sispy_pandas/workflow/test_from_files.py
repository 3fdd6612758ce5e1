from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sispy_pandas.formats.encodings import GUESSED
from sispy_pandas.values.changes import Problem
from sispy_pandas.values.records import frame_of
from sispy_pandas.values.source import source_of
from sispy_pandas.workflow.from_files import read_csv
from sispy_pandas.workflow.to_files import to_csv

if TYPE_CHECKING:
    from sispy_pandas.values.schema import Schema

A, B = "a" * 24, "1" * 24


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hosts.csv"


@pytest.fixture
def two(host_schema: Schema) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {
        "name": ["web1", "00123"],
        "cpus": [8, None],
        "tags": [["a"], []],
        "note": ["=1+1", ""],
    }
    return frame_of(host_schema, columns, [A, B], [1795436355529, 1795436355530])


def _round_trip(frames: st.SearchStrategy[pd.DataFrame], schema: Schema, path: Path, count: int) -> None:
    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
    @given(frames, st.sampled_from(["UTC", "Asia/Kolkata"]), st.booleans(), st.sampled_from(",;\t|"))
    def check(frame: pd.DataFrame, tz: str, bom: bool, delimiter: str) -> None:
        to_csv(frame, path, schema=schema, tz=tz, bom=bom, delimiter=delimiter)
        pd.testing.assert_frame_equal(read_csv(path, schema, tz=tz), frame)

    check()


def test_any_table_comes_back_equal(host_frames, host_schema: Schema, file: Path) -> None:
    _round_trip(host_frames, host_schema, file, 40)


@pytest.mark.soak
def test_any_table_comes_back_equal_500_times(host_frames, host_schema: Schema, file: Path) -> None:
    _round_trip(host_frames, host_schema, file, 500)


def test_nasty_texts_and_a_million_characters_come_back(nasty_texts, host_schema: Schema, file: Path) -> None:
    texts = [*nasty_texts, "x" * 1_000_000]
    ids = [f"{i:024}" for i in range(len(texts))]
    frame = frame_of(
        host_schema, {"name": texts, "note": texts, "tags": [[t] for t in texts]}, ids, [1] * len(ids)
    )
    to_csv(frame, file, schema=host_schema)
    pd.testing.assert_frame_equal(read_csv(file, host_schema), frame)


def test_the_file_byte_by_byte(two: pd.DataFrame, host_schema: Schema, file: Path) -> None:
    to_csv(two, file, schema=host_schema)
    assert file.read_bytes() == (
        b"_id,name,note,cpus,tags,_updated_at\r\n"
        b'aaaaaaaaaaaaaaaaaaaaaaaa,web1,\'=1+1,8,"[""a""]",2026-11-23T12:19:15.529Z\r\n'
        b"'111111111111111111111111,00123,',,,2026-11-23T12:19:15.530Z\r\n"
    )
    assert [path.name for path in file.parent.iterdir()] == ["hosts.csv"]


@pytest.mark.parametrize(
    ("delimiter", "encoding"),
    [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16"), ("|", "utf-8"), (";", "cp1252")],
)
def test_what_programs_do_to_a_csv_does_no_harm(
    two: pd.DataFrame, host_schema: Schema, file: Path, delimiter: str, encoding: str
) -> None:
    to_csv(two.assign(note=["é", "ß"]), file, schema=host_schema, delimiter=delimiter)
    header, *rows = file.read_text("utf-8").splitlines()
    lines = [header, rows[1], delimiter * 9, rows[0], "", delimiter * 5]
    file.write_text("\n".join(lines) + "\n", encoding=encoding)
    frame = read_csv(file, host_schema)
    pd.testing.assert_frame_equal(
        frame, two.assign(note=pd.Series(["é", "ß"], two.index, dtype="str")).iloc[::-1]
    )
    source = source_of(frame)
    assert source is not None
    said = (GUESSED,) if encoding == "cp1252" else ()
    assert (source.path, source.rows, source.notes) == (str(file), (2, 4), said)


def test_columns_may_move_be_missing_or_be_strange(host_schema: Schema, file: Path) -> None:
    file.write_text(f"sep=;\nComment;cpus;_id;Host Name\nhello;9;{A};web1\n;;{B};\n")
    frame = read_csv(file, host_schema, rename={"Host Name": "name"})
    expected = frame_of(host_schema, {"name": ["web1", None], "cpus": [9, None]}, [A, B], [None, None])
    expected = expected.drop(columns="_updated_at").assign(
        Comment=pd.Series(["hello", None], expected.index, object)
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_damaged_and_doubled_ids_become_problems(two: pd.DataFrame, host_schema: Schema, file: Path) -> None:
    file.write_text(
        "_id,name,_updated_at\n"
        f"{A},web2,11/23/26\n"
        "1.11E+23,web1,2026-11-23T12:19:15.529Z\n"
        ",web3,2026-11-23T12:19:15.529Z\n"
        f"{B},web4,2026-11-23T12:19:15.529Z\n"
        f"'{B},web5,2026-11-23T12:19:15.529Z\n"
        f"{A},web6\n"
        f"{A},web7,2026-11-23T12:19:15.529Z,x\n"
        ",web8,\n"
        ",web9,11/24/26\n"
    )
    frame = read_csv(file, host_schema)
    source = source_of(frame)
    assert source is not None
    assert (frame["name"].tolist(), frame.index.isna().tolist(), source.rows) == (["web8"], [True], (9,))
    assert source.problems == (
        Problem(7, "the row ends before its receipt", column="_updated_at"),
        Problem(8, "4 cells, but the header has 3"),
        Problem(
            2,
            "the _updated_at was damaged: copy it from the export again",
            column="_updated_at",
            value="11/23/26",
            key="web2",
        ),
        Problem(
            3,
            "the _id was damaged: copy it from the export again",
            column="_id",
            value="1.11E+23",
            key="web1",
        ),
        Problem(4, "a receipt without an _id: clear _updated_at to make a new row", column="_id", key="web3"),
        *(
            Problem(
                row,
                f"the _id {B} stands in rows 5, 6: clear it in the copies to make new rows",
                "_id",
                B,
                key,
            )
            for row, key in ((5, "web4"), (6, "web5"))
        ),
        Problem(
            10,
            "the _updated_at was damaged: copy it from the export again",
            column="_updated_at",
            value="11/24/26",
            key="web9",
        ),
    )


def test_rows_are_marked_for_deletion_in_a_column(host_schema: Schema, file: Path) -> None:
    file.write_text(f"_id,name,_delete\n{A},web1,x\n{B},web2,\n{'c' * 24},web3,perhaps\n")
    frame = read_csv(file, host_schema)
    assert frame["_delete"].tolist() == [True, False]
    source = source_of(frame)
    assert source is not None
    assert source.problems == (Problem(4, "mark rows to be deleted with x", "_delete", "perhaps", "web3"),)


def test_an_uncastable_cell_leaves_the_others_typed(host_schema: Schema, file: Path) -> None:
    file.write_text("name,cpus,live\na,8,yes\nb,eight,no\n")
    frame = read_csv(file, host_schema)
    assert (frame["cpus"].tolist(), frame["cpus"].iloc[1].reason) == ([8, "eight"], "'eight' is not a number")
    assert frame["live"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no header"),
        (
            b"nam,cpu\n1,2\n",
            "is one of schema 'host'; its first row has ['nam', 'cpu']; did you mean 'name'",
        ),
        (b"name,name\n1,2\n", "'name': more than one column of that name"),
        (
            b"NAME,Nothing\n1,2\n",
            "did you mean 'name' or 'os.name'? ignore_case=True takes names in any case",
        ),
        (
            b"what,else\n1,2\n",
            "its first row has ['what', 'else']: rename={'what': 'FIELD'} says which field a co",
        ),
        (b"name\n\x81\n", "line 2: neither UTF-8 nor Windows-1252"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    host_schema: Schema, file: Path, content: bytes, message: str
) -> None:
    file.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        read_csv(file, host_schema)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ('{"schema": "rack"}', "is a table of schema 'rack', not of 'host'"),
        ('{"format": 99}', "has format 99: a later sispy wrote it, this one reads 1"),
        ("{", "was damaged"),
        ("[]", "was damaged (it is not the note of an export): remove it to read the table without"),
        ("null", "was damaged (it is not the note of an export)"),
        ("{}", "was damaged (it is not the note of an export)"),
        ("[" * 5000, "was damaged"),
        ('{"schema": "host"}', "was damaged: it names no server"),
        ('{"server": null}', "was damaged (its server is null)"),
        ('{"server": "u", "format": "x"}', 'was damaged (its format is "x")'),
        ('{"server": "u", "labels": [1]}', "was damaged (its labels is [1])"),
    ],
)
@pytest.mark.usefixtures("deep")
def test_the_note_beside_a_file_is_heeded(host_schema: Schema, file: Path, note: str, message: str) -> None:
    file.write_text("name\nx\n")
    file.with_name("hosts.csv.meta.json").write_text(note)
    with pytest.raises(ValueError) as caught:
        read_csv(file, host_schema)
    assert message in str(caught.value)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/null")])
def test_a_note_that_is_no_regular_file_is_not_opened(host_schema: Schema, file: Path, make: Any) -> None:
    file.write_text("name\nx\n")
    beside = file.with_name("hosts.csv.meta.json")
    make(beside)
    with pytest.raises(ValueError, match="was damaged") as caught:
        read_csv(file, host_schema)
    why = "it is not a regular file of a size that is read"
    assert str(caught.value) == f"{beside} was damaged ({why}): remove it to read the table without"


def test_a_failed_export_leaves_the_old_file(two: pd.DataFrame, host_schema: Schema, file: Path) -> None:
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        to_csv(two.assign(note="\ud800").astype({"note": object}), file, schema=host_schema)
    assert (file.read_text(), [path.name for path in file.parent.iterdir()]) == ("old", ["hosts.csv"])


def test_a_frame_without_schema_is_written_by_its_dtypes(two: pd.DataFrame, file: Path) -> None:
    to_csv(two.assign(live=True), file)
    assert file.read_text().splitlines()[1] == (f'{A},web1,\'=1+1,8,"[""a""]",2026-11-23T12:19:15.529Z,true')
