"""The text of a CSV file."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sispy_pandas.formats.bounds import InFile
from sispy_pandas.formats.csv import Csv, as_text, write_columns
from sispy_pandas.formats.options import ReadOptions
from sispy_pandas.formats.untyped import read_rows
from sispy_pandas.values.schema import parse_schema

ROWS = st.integers(1, 4).flatmap(
    lambda n: st.lists(
        st.lists(st.text(st.sampled_from('ab",;\t\r\n é')), min_size=n, max_size=n), min_size=1
    )
)


def expected(rows, delimiter=","):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return file.getvalue()


def written(rows, delimiter=","):
    file = io.StringIO()
    write_columns(file, list(zip(*rows, strict=True)), delimiter=delimiter)
    return file.getvalue()


@given(ROWS, st.sampled_from(",;\t|"))
def test_it_is_what_the_standard_library_writes(rows, delimiter):
    assert written(rows, delimiter) == expected(rows, delimiter)
    assert as_text(rows) == expected(rows)


def test_no_line_of_a_long_table_is_lost():
    rows = [[str(n), "x"] for n in range(20_001)]

    assert written(rows) == expected(rows)


def read(tmp_path, text, schema=None, **options):
    file = tmp_path / "t.csv"
    file.write_text(text, encoding="utf-8", newline="")
    return Csv().read(InFile.of(file), schema, ReadOptions(**options))


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("Artikel;Preis, netto\nA;1,50\nB;2,50\n", ("Artikel", "Preis, netto")),
        ("Datum;Betrag, EUR\n01.02.2024;1,50\n", ("Datum", "Betrag, EUR")),
        ("Name (last, first);Ort\nMeier, A;Bonn\n", ("Name (last, first)", "Ort")),
        ("host;cpu, mem\nx;1, 2\n", ("host", "cpu, mem")),
        ("host\tcpu, mem\nx\t1,2\n", ("host", "cpu, mem")),
        ("host|cpu, mem\nx|1,2\n", ("host", "cpu, mem")),
        ("Prices, net\n\nname;cost\nA;1,50\nB;2,50\n", ("name", "cost")),
        ('name,"x;y;z"\na,1\n', ("name", "x;y;z")),
        ('"a;b",c\n"1;2",3\n', ("a;b", "c")),
        ('"a ""x;y""",c\n"1;2",3\n', ('a "x;y"', "c")),
        ("name, place\nA, B\n", ("name", "place")),
        ("name,tags\na,x;y\nb,v;w\n", ("name", "tags")),
        ("a,b\n1,2\n", ("a", "b")),
        ("name;v\nx;1;\ny;2\n", ("name", "v")),
        ("name,a,b,c\nx|y,35,6,16\nx|y,12,62,64\nx|y,12,62,64\n", ("name", "a", "b", "c")),
    ],
)
def test_the_sign_between_the_cells_is_found_by_what_stands_around_it(tmp_path, text, header):
    found = read(tmp_path, text)

    assert (found.table.header, [one for one in found.guesses if "delimiter" in one]) == (header, [])


def test_of_two_signs_that_both_fit_one_has_to_be_told(tmp_path):
    text = "name,a;b\nx,1;2\ny,3;4\n"

    guessed = read(tmp_path, text)
    told = read(tmp_path, text, delimiter=";")

    assert guessed.guesses == (
        "',' or ';' may separate the cells, ',' is assumed: delimiter=',' says so, "
        "delimiter=';' takes the other",
    )
    assert (told.table.header, told.guesses) == (("name,a", "b"), ())


def test_a_comma_within_one_number_leaves_both_signs_possible(tmp_path):
    text = "name;size,x\nweb;1,234\ndb;small,y\n"

    found = read(tmp_path, text)

    assert (found.table.header, len(found.guesses)) == (("name;size", "x"), 1)
    assert read(tmp_path, text.replace("small,y", "2,345")).table.header == ("name", "size,x")


@pytest.mark.parametrize(
    "text",
    [
        'name,v\na,"unclosed\nb,2\nc,3\n',
        'name,v\na,"unclosed\nb,"2"\nc,3\n',
        'name,v\na,"unclosed',
        'name,v\r\na,"un""closed""\r\nb,2',
        f'_id,name,v\r\n{"1" * 24},"a,2\r\n{"2" * 24},b,3\r\n',
        f'_id,name,v\r\n{"1" * 24},a,"2\r\n{"2" * 24},b,3\r\n',
        f'_id,name,v\r\n{"1" * 24},a,"2\r\n{"2" * 24},b,"3\r\n',
    ],
)
@pytest.mark.parametrize("has_schema", [True, False])
def test_a_quote_that_nothing_ends_is_named_by_its_line(tmp_path, text, has_schema):
    definition = {"name": {"type": "String"}, "v": {"type": "String"}}
    schema = parse_schema({"name": "t", "definition": definition}) if has_schema else None

    with pytest.raises(ValueError) as refused:
        read(tmp_path, text, schema)

    said = f"{tmp_path / 't.csv'}, line 2: a quote begins a cell, and none ends it: close it in the file"
    assert str(refused.value) == said


@pytest.mark.parametrize("has_schema", [True, False])
def test_a_quote_that_a_database_wrote_with_a_backslash_is_refused(tmp_path, has_schema):
    definition = {"name": {"type": "String"}, "v": {"type": "String"}}
    schema = parse_schema({"name": "t", "definition": definition}) if has_schema else None

    with pytest.raises(ValueError) as refused:
        read(tmp_path, 'name,v\na,"C:\\"\nb,"the \\"old\\" one"\nc,d', schema)

    said = """line 3: within a cell in quotes a quote is written "", not \\\""""
    assert str(refused.value) == f"{tmp_path / 't.csv'}, {said}"


@pytest.mark.parametrize("row", ['"ab"c"d"', '"x"y', '"3.5" disk"', '"x" ', '"x";z', '"x"y\r\nc,"z'])
@pytest.mark.parametrize("text", ["name,v\r\na,{}", "_id,v\r\n111111111111111111111111,{}\r\n"])
@pytest.mark.parametrize("has_schema", [True, False])
def test_a_quote_within_quotes_that_is_not_doubled_is_refused(tmp_path, row, text, has_schema):
    definition = {"name": {"type": "String"}, "v": {"type": "String"}}
    schema = parse_schema({"name": "t", "definition": definition}) if has_schema else None

    with pytest.raises(ValueError) as refused:
        read(tmp_path, text.format(row), schema, delimiter=",")

    said = 'line 2: within a cell in quotes a quote is written "", not "'
    assert str(refused.value) == f"{tmp_path / 't.csv'}, {said}"


def test_quotes_that_end_may_have_lines_and_quotes_between_them(tmp_path):
    found = read(tmp_path, 'name,v\na,"1\n""2"",\r\n"\nb,x"y"\nc,5" disk\n"d","z!"')

    assert found.table.columns == (("a", "b", "c", "d"), ('1\n"2",\r\n', 'x"y"', '5" disk', "z!"))


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("name:cpus\nweb1:8\nweb2:4\n", ":"),
        ("name  cpus mem\nweb1  8    16 \n\n  web2 4   8\n", " "),
        ("name ip\nweb1 10.0.0.1\nweb2 ::1\n", " "),
        ("name~cpus\nweb1~8\n", "~"),
    ],
)
def test_lines_of_one_cell_that_a_rarer_sign_would_part_name_it(tmp_path, text, sign):
    found = read(tmp_path, text)
    told = read(tmp_path, text, delimiter=sign)

    assert found.guesses == (
        f"each line is taken for one cell, but {sign!r} may separate cells: delimiter={sign!r} parts them, "
        "delimiter=',' takes each line for one cell",
    )
    assert (told.table.header, told.guesses) == (tuple(text.splitlines()[0].replace(sign, " ").split()), ())
    assert [len(cells) for cells in told.table.columns] == [text.count("web")] * len(told.table.header)
    assert (told.table.columns[0][0], told.problems) == ("web1", ())


def test_a_table_that_a_client_of_a_database_has_drawn_is_one(tmp_path):
    line = "+------+------+"
    rows = ["| name | cpus |", line, "| web1 |    8 |", "| web2 |    4 |", line, "2 rows in set (0.00 sec)"]
    found = read(tmp_path, "\n".join([line, *rows, ""]))

    assert (found.table.header, found.table.columns) == (("name", "cpus"), (("web1", "web2"), ("8", "4")))
    assert [guess.partition(":")[0] for guess in found.guesses] == [
        "rows 3, 6 are left out, which draw lines",
        "row 7 is left out",
    ]


@pytest.mark.parametrize(
    "text", ["mac\n00:11:22:33:44:55\n", "full name\nAnn Lee\nBob May\n", "a:b\n", "a:b\nx:\n", "a b\nc\n"]
)
def test_texts_of_one_column_have_no_delimiter(tmp_path, text):
    assert read(tmp_path, text).guesses == ()


def test_lines_of_one_column_with_a_delimiter_in_them_name_the_cause(tmp_path):
    numbers = read(tmp_path, "Preis\n1,50\n2,50\n")
    names = read(tmp_path, "Name\nMeier, A\nMay, B\n")
    told = read(tmp_path, "Preis\n1,50\n2,50\n", delimiter=";")

    one = "delimiter=';' takes each line for one cell"
    reason = "2 cells, but the header has 1: ',' is assumed to separate cells"
    assert [problem.reason for problem in numbers.problems] == [f"{reason}; {one}"] * 2
    assert names.guesses[0].endswith(f"; header_row=2 says so, {one}")
    assert (told.table.columns, told.problems) == ((("1,50", "2,50"),), ())


@pytest.mark.parametrize(
    ("text", "is_other"),
    [
        ('[{"name": "a"}]', "is JSON, not a table: its name has to say so"),
        ('{"name": "a"}\n{"name": "b"}\n', "is JSON, not a table: its name has to say so"),
        ("<!DOCTYPE html>\n<html><title>Sign in</title></html>\n", "is a web page or XML, not a table"),
        ('\n<?xml version="1.0"?>\n<a/>\n', "is a web page or XML, not a table"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, text, is_other):
    file = tmp_path / "t.csv"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError) as refused:
        read_rows(InFile.of(file), Csv(), ReadOptions())

    assert str(refused.value) == f"{file} {is_other}"
    assert read_rows(InFile.of(file), Csv(), ReadOptions(header_row=0, delimiter="|")).types == {
        "column 1": "String"
    }
