"""Files that are read in pieces: together they are what the whole is, with its numbers of rows and lines."""

import gzip
import json

import pandas as pd
import pytest

from sispy_pandas.formats.base import NotCut
from sispy_pandas.formats.bounds import InFile
from sispy_pandas.formats.options import ReadOptions
from sispy_pandas.formats.reader import read_frame
from sispy_pandas.formats.registry import format_of
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.source import source_of

DEFINITION = {
    "name": {"type": "String", "unique": True},
    "cpus": "Number",
    "notes": "String",
    "site": {"city": "String", "floor": "Number"},
}
SCHEMA = parse_schema({"name": "host", "id_field": "name", "definition": DEFINITION})


def read_both(name, rows, **options):
    """Return what is read of a file in pieces of so many rows, and whole: frames, and problems."""
    file, form, how = InFile.of(name), format_of(str(name)), ReadOptions(**options)
    whole = read_frame(file, form, SCHEMA, how)
    pieces = [read_frame(piece, form, SCHEMA, own) for piece, own in form.pieces(file, SCHEMA, how, rows)]
    assert form.exceeds(file, rows)
    found = [source_of(frame) for frame in [whole, *pieces]]
    assert None not in found
    numbers = [number for source in found[1:] for number in source.rows]
    problems = [problem for source in found[1:] for problem in source.problems]
    assert numbers == list(found[0].rows)
    assert problems == list(found[0].problems)
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index="_id" not in whole.index.names), whole)
    return [len(frame) for frame in pieces], numbers, problems


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ids(n):
    return [f"{i:024x}" for i in range(1, n + 1)]


def exported(n, end="\r\n", sign=","):
    rows = [f'{id_}{sign}h{i}{sign}"line 1{end}line {sign} 2"{sign}{i}' for i, id_ in enumerate(ids(n))]
    return end.join([sign.join(("_id", "name", "notes", "cpus")), *rows]) + end


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("end", "sign"), [("\r\n", ","), ("\n", ";"), ("\r", "\t")])
def test_cells_of_several_lines_are_not_cut_in_any_dialect(at_home, end, sign, encoding):
    (at_home / "h.csv").write_bytes(exported(7, end, sign).replace("h3", "hé").encode(encoding))

    assert read_both("h.csv", 3) == ([3, 3, 1], [2, 3, 4, 5, 6, 7, 8], [])


def test_what_is_packed_is_read_so_too(at_home):
    (at_home / "h.csv.gz").write_bytes(gzip.compress(exported(5).encode()))

    assert read_both("h.csv.gz", 2)[0] == [2, 2, 1]


def test_blank_rows_count_and_a_damaged_row_has_its_number_in_the_file(at_home):
    text = exported(8).replace(ids(8)[5], "5E+10").replace(ids(8)[3], f"\r\n{ids(8)[3]}")
    (at_home / "h.csv").write_text(f"\r\n{text}", newline="")

    lengths, numbers, (problem,) = read_both("h.csv", 3)

    assert lengths == [3, 2, 2]
    assert numbers == [3, 4, 5, 7, 8, 10, 11]
    assert (problem.row, problem.column, problem.value) == (9, "_id", "5E+10")


def test_a_total_at_the_end_is_looked_for_in_the_last_piece_alone(at_home):
    rows = [f"h{i},{i}\n" for i in range(0, 60, 2)]
    (at_home / "h.csv").write_text("".join(["name,cpus\n", *rows, f"Total,{sum(range(0, 60, 2))}\n"]))

    assert read_both("h.csv", 5)[0] == [5, 5, 20]


@pytest.mark.parametrize(
    ("text", "options", "lengths", "numbers"),
    [
        ("Hosts\n\nname,cpus\na,1\nb,2\nc,3\n", {"header_row": 3, "footer_rows": 0}, [2, 1], [4, 5, 6]),
        (
            "a,1\nb,2\nc,3\n",
            {"header_row": 0, "rename": {"column 1": "name", "column 2": "cpus"}},
            [3],
            [1, 2, 3],
        ),
        ("name,cpus\na,1\nb,2\nc,3\nd,4\nSum,10\nend,\n", {"footer_rows": 2}, [2, 2], [2, 3, 4, 5]),
        ("name,cpus\na,1\nb,2\nc,3\nd,4\ne,5\nSum,15\n", {"footer_rows": 1}, [2, 2, 1], [2, 3, 4, 5, 6]),
        ("sep=;\nname;cpus\na;1\nb;2\nc;3\n", {"footer_rows": 0}, [2, 1], [2, 3, 4]),
    ],
)
def test_the_names_and_what_stands_below_are_those_of_the_whole(at_home, text, options, lengths, numbers):
    (at_home / "h.csv").write_text(text)

    assert read_both("h.csv", 2, **options) == (lengths, numbers, [])


def test_a_key_that_records_of_other_pieces_have_is_no_value_here(at_home):
    rows = [{"_id": id_, "name": f"h{i}"} for i, id_ in enumerate(ids(5))]
    rows[4] |= {"notes": "x", "site": {"city": "Ulm"}, "own": 1}
    (at_home / "h.ndjson").write_text("".join(f"{json.dumps(row)}\n\n" for row in rows))

    assert read_both("h.ndjson", 4) == ([2, 2, 1], [1, 3, 5, 7, 9], [])


def test_a_parquet_file_is_read_in_pieces_with_its_note(at_home):
    pq = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    note = json.dumps({"format": 1, "server": "https://sis", "schema": "host", "rows": 5})
    table = pa.table({"_id": ids(5), "name": list("abcde"), "site": [{"city": "Ulm"}] * 5})
    pq.write_table(table.replace_schema_metadata({"sispy": note}), "h.parquet", row_group_size=2)

    assert read_both("h.parquet", 3) == ([3, 2], [1, 2, 3, 4, 5], [])
    file, form = InFile.of("h.parquet"), format_of("h.parquet")
    notes = [form.note(piece) for piece, _ in form.pieces(file, SCHEMA, ReadOptions(), 3)]
    assert notes == [form.note(file)] * 2


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("h.csv", exported(5) + f'{"f" * 24},"never ends,x,1\r\n', "h.csv, line 12: a quote begins a cell"),
        ("h.ndjson", '{"name": "a"}\n' * 5 + "{]\n", "h.ndjson is not JSON: .* line 6"),
    ],
)
def test_an_error_names_the_line_of_the_whole(at_home, name, text, said):
    (at_home / name).write_text(text, newline="")
    file, form = InFile.of(name), format_of(name)

    with pytest.raises(ValueError, match=said):
        for piece, own in form.pieces(file, SCHEMA, ReadOptions(), 2):
            read_frame(piece, form, SCHEMA, own)


@pytest.mark.parametrize(
    ("name", "data", "options", "why"),
    [
        ("h.csv", "name\nä\nb\nc\n".encode("cp1252"), {}, "its text is not in UTF-8"),
        ("h.ndjson", b'{"rows": []}\n' * 3, {"at": "rows"}, "rows at a path of each line"),
        ("h.json", b"[]", {}, "a file of format JSON is read whole"),
    ],
)
def test_what_has_to_be_read_whole_says_why(at_home, name, data, options, why):
    (at_home / name).write_bytes(data)
    form = format_of(name)

    with pytest.raises(NotCut, match=why):
        next(form.pieces(InFile.of(name), SCHEMA, ReadOptions(**options), 1))


def test_what_expands_beyond_all_measure_is_refused(at_home):
    (at_home / "h.csv.gz").write_bytes(gzip.compress(b"name\n" + b"\n" * (20 << 20)))

    with pytest.raises(ValueError, match="would unpack to more than any real table"):
        next(format_of("h.csv.gz").pieces(InFile.of("h.csv.gz"), SCHEMA, ReadOptions(), 1))


def test_documents_by_another_name_have_the_keys_of_all_records_too(at_home):
    rows = [{"name": f"h{i}", "Site": {"city": "Ulm"}} for i in range(4)]
    rows[3]["Site"] = {"floor": 3}
    (at_home / "h.ndjson").write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    assert read_both("h.ndjson", 2, rename={"Site": "site"}) == ([2, 2], [1, 2, 3, 4], [])
