"""Rows of a file become rows of a table that is made for them, and nothing of them is lost on the way."""

from __future__ import annotations

import csv
import datetime
import io
import itertools
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sispy_pandas.formats.bounds import InFile
from sispy_pandas.formats.csv import Csv
from sispy_pandas.formats.excel import Excel
from sispy_pandas.formats.headings import mended
from sispy_pandas.formats.json import Json
from sispy_pandas.formats.options import ReadOptions
from sispy_pandas.formats.reader import read_frame
from sispy_pandas.formats.untyped import read_rows
from sispy_pandas.values.infer import infer_typed
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.times import milliseconds
from sispy_pandas.values.types.cell_text import unescape
from sispy_pandas.values.types.cells import set_path
from sispy_pandas.values.types.convert import json_values
from sispy_pandas.workflow.fetch import fetch
from strategies import Strategy, recursive

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy import Client
    from sispy_pandas.formats.base import Format
    from sispy_pandas.values.schema import Schema
    from sispy_pandas.workflow.objects import Snapshot

NUMBERS = itertools.count()
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""To shrink would take minutes: each example makes a table."""

_TEXT = st.one_of(
    st.sampled_from(
        (
            *("", "  ", "AB-7", "00123", "1.10", "1234.50", "12", "-3", "1e5", "true", "FALSE", "2024-01-31"),
            *("2024-01-31T10:30:00Z", "10:30:00", "unknown", "[1]", "{}", "null", "'x", "=1+1", "a\nb", "٣"),
            *("31 Jan 2024", "10.0.0.1/24", "0000-01-01", "9999-12-31", "NaN", "-0", "1.0", " 8 ", "x" * 300),
        )
    ),
    st.text(st.characters(codec="utf-8"), max_size=6),
)
_NUMBER = st.integers(-1000, 1000) | st.floats(allow_nan=False, allow_infinity=False) | st.just(-0.0)
_KEY = st.sampled_from(
    ["a", "b", "c", "type", "get", "a.b", "$set", "_id", "_x", "name", "x y", "", "nul\0", "é"]
)
_SMALL = st.integers(-(2**53), 2**53)
_DEEP = recursive(
    st.none() | st.booleans() | _SMALL | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEY, inner, max_size=3),
    max_leaves=8,
)
_HEADINGS = ["name", "serial", "os.name", "os.version", "type", "x y"]


def json_rows() -> Strategy:
    """Rows as another system has them: a column is mostly of one kind, sometimes of any."""
    column = st.sampled_from(
        (
            *(_TEXT, _NUMBER, st.integers(), st.booleans(), _TEXT | _SMALL, _DEEP),
            *(st.none(), st.just([]), st.just({}), st.dates().map(str), st.times().map(str)),
            *(st.lists(_TEXT, max_size=2), st.lists(_SMALL, max_size=2)),
            st.dictionaries(_KEY, _TEXT | _SMALL | st.just([]) | st.just({}), max_size=2),
            st.lists(st.dictionaries(_KEY, _DEEP, max_size=3), max_size=2),
        )
    )

    def rows(columns: dict[str, Any]) -> Strategy:
        some = {name: values | st.none() for name, values in columns.items()}
        return st.lists(st.fixed_dictionaries({}, optional=some), min_size=1, max_size=4)

    names = st.sampled_from(["a", "b", "type", "name", "x y", "é", "get", "a.b", "$x", "_x", "Serial No."])
    return st.dictionaries(names, column, min_size=1, max_size=4).flatmap(rows)


_IN_CSV = _TEXT.filter(lambda text: "\0" not in text)
_IN_SHEETS = _TEXT.filter(lambda text: text.isprintable() and not text.startswith("="))
_SHEET_CELLS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**14), 10**14)
    | st.floats(-1e9, 1e9).map(lambda number: float(f"{number:.12g}"))
    | _IN_SHEETS
    | st.datetimes(datetime.datetime(1950, 1, 1), datetime.datetime(2100, 1, 1)).map(  # noqa: DTZ001 - a workbook has none
        lambda moment: moment.replace(microsecond=0)
    )
    | st.times().map(lambda time: time.replace(microsecond=0))
)


def read_as_table(content: bytes, form: Format, name: str) -> tuple[Schema, dict[str, Any], Any]:
    """Return the schema that a file asks for, its document, and the file's rows as a frame of it."""
    file = InFile("rows", content=content)
    options = ReadOptions(footer_rows=0 if "footer_rows" in form.heeds else None)  # a text below dates is one
    rows = read_rows(file, form, options)
    document = infer_typed(
        rows.data, types=rows.types, style=rows.style, name=name, key=None, enums=False, references={}
    )
    schema = parse_schema(document)
    return schema, document, read_frame(file, form, schema, options)


def imported(client: Client, content: bytes, form: Format) -> Snapshot:
    """Return the rows of a file as a table that was made for it stores them."""
    name = f"t{next(NUMBERS)}"
    _, document, frame = read_as_table(content, form, name)
    client.schemas.create(document | {"_sis": {"owner": ["ops"]}})
    endpoint = client.entities(name)
    empty = fetch(endpoint, progress=False)
    plan = empty.diff(frame, new=True)
    assert plan.problems.empty
    report = plan.push(progress=False, journal=None if empty.schema.key is None else False)
    assert report.failures.empty
    assert len(report.done) == len(plan)
    live = fetch(endpoint, progress=False)
    assert live.warnings.empty
    key = live.schema.key
    if key is not None:
        assert live.diff(frame, key=key, create_missing=True).empty
    return live


def bare(value: Any) -> Any:
    """Return a value without what is nothing, and with times as numbers: as one may compare it."""
    if isinstance(value, dict):
        found = {key: bare(inner) for key, inner in value.items() if key != "_id" and key != "_sis"}
        return {key: inner for key, inner in found.items() if inner not in (None, "", [], {})}
    if isinstance(value, list):
        return [bare(member) or None for member in value]
    if isinstance(value, str):
        ms = milliseconds({"31 Jan 2024": "2024-01-31"}.get(value.strip(), value))
        return value.strip() if ms is None else ("time", ms)
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, int | float):
        return float(value) + 0.0 if float(value) == value else str(value)
    return value


def called(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows under the names that their columns have in the table."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    names = dict(zip(keys, mended(keys), strict=True))
    found: list[dict[str, Any]] = [{} for _ in rows]
    for record, row in zip(found, rows, strict=True):
        for key, value in row.items():
            set_path(record, names[key], value)
    return found


def spelled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with the numbers of a column as texts if no double holds one of them: all are texts."""
    inexact = {key for row in rows for key, v in row.items() if type(v) is int and float(v) != v}
    return [
        {key: str(v) if key in inexact and type(v) is int else v for key, v in row.items()} for row in rows
    ]


def counted(rows: list[Any]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows if row)


EXAMPLES = pytest.mark.parametrize("examples", [40, pytest.param(3_000, marks=pytest.mark.soak)])


def searched(examples: int, rows: Strategy, check: Callable[[Any], None]) -> None:
    """Check so many examples; the sandbox is the same for all."""
    quick = settings(max_examples=examples, suppress_health_check=list(HealthCheck), phases=PHASES)
    quick(given(rows)(check))()


@EXAMPLES
def test_rows_of_json_come_back(sis_client: Client, examples: int) -> None:
    def check(rows: list[dict[str, Any]]) -> None:
        if any(rows):
            live = imported(sis_client, json.dumps(rows).encode(), Json())
            wanted = [bare(row) for row in called(spelled(rows))]
            assert counted([bare(row) for row in live.records()]) == counted(wanted)

    searched(examples, json_rows(), check)


def tables(texts: Strategy, cells: Strategy) -> Strategy:
    """Rows of cells, a column mostly of one kind, below their headings."""
    kinds = st.sampled_from([cells, texts, st.integers(0, 99).map(str), st.dates().map(str), st.just("")])

    def rows(columns: list[Any]) -> Strategy:
        lines = st.lists(st.tuples(*columns).map(list), min_size=1, max_size=4)
        return lines.map(lambda found: [_HEADINGS[: len(columns)], *found])

    return st.lists(kinds, min_size=2, max_size=len(_HEADINGS)).flatmap(rows)


def seen(value: Any) -> Any:
    """Return what people see of a cell: numbers and times as such, whether they are text or not."""
    if isinstance(value, str):
        text = unescape(value).strip()
        with suppress(ValueError):
            return float(text) + 0.0 if text.isascii() else text
        return text.lower() if text.lower() in ("true", "false") else bare(text)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return bare(value.isoformat())
    if isinstance(value, datetime.time):
        return value.isoformat()
    return None if value is None else float(value) + 0.0


def lines(live: Snapshot) -> list[list[Any]]:
    frame = live.frame()
    paths = [name for name in _HEADINGS if name in frame.columns]
    values = {name: json_values(live.schema.field(name), frame[name]) for name in paths}
    return [[seen(values[name][i]) for name in paths] for i in range(len(frame))]


def same_rows(found: list[list[Any]], rows: list[list[Any]]) -> bool:
    wanted = [[None if (s := seen(cell)) in ("", None) else s for cell in row] for row in rows]
    return sorted(map(repr, found)) == sorted(repr(row) for row in wanted if any(c is not None for c in row))


@EXAMPLES
def test_rows_of_csv_come_back(sis_client: Client, examples: int) -> None:
    def check(rows: list[list[str]]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        if any(cell.strip() for row in rows[1:] for cell in row):
            live = imported(sis_client, text.getvalue().encode(), Csv())
            assert same_rows(lines(live), rows[1:])

    searched(examples, tables(_IN_CSV, _IN_CSV), check)


@EXAMPLES
def test_rows_of_workbooks_come_back(sis_client: Client, examples: int) -> None:
    def check(rows: list[list[Any]]) -> None:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        file = io.BytesIO()
        book.save(file)
        if any(str(cell).strip() for row in rows[1:] for cell in row if cell is not None):
            live = imported(sis_client, file.getvalue(), Excel())
            assert same_rows(lines(live), rows[1:])

    searched(examples, tables(_IN_SHEETS, _SHEET_CELLS), check)


def test_a_file_of_which_no_row_fits_says_why(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("Preis\n1,50\n2,50\n", encoding="utf-8")

    with pytest.raises(ValueError) as refused:
        read_rows(InFile.of(file), Csv(), ReadOptions())

    assert str(refused.value) == (
        f"{file}, row 2: 2 cells, but the header has 1: ',' is assumed to separate cells; "
        "delimiter=';' takes each line for one cell"
    )


@pytest.mark.parametrize("text", [",a\n0,x\n1,y\n", ",a\n1,x\n2,y\n", ",a\n,x\n,y\n", "a,\nx,\ny,\n"])
def test_a_first_column_without_a_name_that_counts_the_rows_is_left_out(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)

    found = read_rows(InFile.on_disk(tmp_path / "t.csv"), Csv(), ReadOptions()).data

    assert found.to_dict("list") == {"a": ["x", "y"]}


@pytest.mark.parametrize(
    ("text", "place"), [(",a\n2,x\n3,y\n", 1), (",a\n0,x\n,y\n", 1), ("a,\nx,0\ny,1\n", 2)]
)
def test_another_column_without_a_name_has_to_be_given_one(tmp_path, text, place):
    (tmp_path / "t.csv").write_text(text)

    with pytest.raises(ValueError, match=f"column {place} has cells, but no name"):
        read_rows(InFile.on_disk(tmp_path / "t.csv"), Csv(), ReadOptions())
