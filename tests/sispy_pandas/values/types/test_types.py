"""Every question that the toolkit asks of a type, asked of every type: a new one needs a row here."""

from __future__ import annotations

import copy
import datetime
import json
import pickle
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from addresses import IP
from sispy_pandas.formats.excel_cells import excel_column, read_excel_column
from sispy_pandas.reading.decode import Decoder
from sispy_pandas.values.columns import Column
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.times import LATEST
from sispy_pandas.values.types.base import PLAIN, TYPES, Field, Style
from sispy_pandas.values.types.cell_text import read_cell, read_column, write_cell, write_column
from sispy_pandas.values.types.cells import STRINGS
from sispy_pandas.values.types.convert import cast, check, from_json, is_declared, json_values, to_json
from sispy_pandas.values.types.date import TIMES
from sispy_pandas.values.types.equality import equal

ID = "0123456789abcdef01234567"
TIME = "2020-01-02T03:04:05.678Z"


OBJECTS = np.dtype(object)
IPS = Field("", "IpAddress")


def sample(field: Field, declared: Any, value: Any, **forms: Any) -> SimpleNamespace:
    """Return a field and one of its values in all forms that the toolkit knows.

    Args:
        field: The field.
        declared: How a schema declares it.
        value: As plans and files have it.
        forms: `other`: another value; `odd`: a JSON value against the type. What is not named is the value:
            `stored` by the server, `cell` of a frame, `text` of a text file, `sheet`: cell of a workbook (the
            text), `arrow`: in Parquet. `dtype` and `shown` are as the type says.
    """
    made = {"odd": 5, "stored": value, "cell": value, "text": value, "arrow": value, **forms}
    return SimpleNamespace(field=field, declared=declared, value=value, **{"sheet": made["text"], **made})


SAMPLES = {
    "String": sample(
        Field("f", "String"),
        "String",
        "=a",
        other="b",
        text="'=a",
        dtype=STRINGS,
        shown="text",
    ),
    "enum": sample(
        Field("f", "String", enum=("live", "spare")),
        {"type": "string", "enum": ["live", "spare"]},
        "live",
        other="spare",
        dtype=pd.CategoricalDtype(pd.Index(["live", "spare"], dtype=STRINGS)),
        shown="choice",
    ),
    "Number": sample(
        Field("f", "Number", min=0),
        {"type": "Number", "min": 0},
        8,
        other=8.5,
        odd="x",
        text="8",
        sheet=8,
        dtype=pd.Int64Dtype(),
        shown="number",
    ),
    "Boolean": sample(
        Field("f", "Boolean"),
        "Boolean",
        True,
        other=False,
        text="true",
        sheet=True,
        dtype=pd.BooleanDtype(),
        shown="boolean",
    ),
    "Date": sample(
        Field("f", "Date", max=0),
        {"type": "Date", "max": "1970-01-01"},
        TIME,
        other="2020-01-02",
        cell=pd.Timestamp(TIME),
        sheet=43832.12784349537,
        arrow=pd.Timestamp(TIME),
        dtype=TIMES,
        shown="date",
    ),
    "ObjectId": sample(
        *(Field("f", "ObjectId"), "ObjectId", ID),
        other="1" * 24,
        dtype=STRINGS,
        shown="text",
    ),
    "reference": sample(
        Field("f", "ObjectId", ref="rack"),
        {"type": "ObjectId", "ref": "rack"},
        ID,
        other="1" * 24,
        dtype=STRINGS,
        shown="reference",
    ),
    "IpAddress": sample(
        Field("f", "IpAddress"),
        "IpAddress",
        "10.1.2.3/24",
        other="10.1.2.3",
        odd=IP | {"cidr": 99},
        stored=IP,
        dtype=STRINGS,
        shown="text",
    ),
    "Mixed": sample(
        Field("f", "Mixed"),
        {},
        {"b": [1, None]},
        other=[],
        odd=None,
        cell={"b": (1, None)},
        text='{"b": [1, null]}',
        arrow='{"b": [1, null]}',
        dtype=OBJECTS,
        shown="json",
    ),
    "Array": sample(
        Field("f", "Array", item=Field("", "String")),
        ["String"],
        ["a", None],
        other=["a"],
        odd=[5],
        cell=("a", None),
        text='["a", null]',
        dtype=OBJECTS,
        shown="json",
    ),
    "addresses": sample(
        Field("f", "Array", item=IPS),
        ["IpAddress"],
        ["10.1.2.3/24", None],
        other=["::1"],
        stored=[IP, None],
        cell=("10.1.2.3/24", None),
        text='["10.1.2.3/24", null]',
        arrow='["10.1.2.3/24", null]',
        dtype=OBJECTS,
        shown="json",
    ),
    "Documents": sample(
        Field("f", "Documents", fields=(Field("dev", "String"), Field("size.gb", "Number"))),
        [{"dev": "String", "size": {"gb": "Number"}}],
        [{"_id": ID, "dev": "sda", "size": {"gb": 8}}],
        other=[{"_id": ID, "dev": "sda", "size": {"gb": 9}}],
        cell=({"_id": ID, "dev": "sda", "size": {"gb": 8}},),
        text=f'[{{"_id": "{ID}", "dev": "sda", "size": {{"gb": 8}}}}]',
        arrow=f'[{{"_id": "{ID}", "dev": "sda", "size": {{"gb": 8}}}}]',
        dtype=OBJECTS,
        shown="json",
    ),
}
ALL = pytest.mark.parametrize("one", SAMPLES.values(), ids=SAMPLES)


def nothing_of(one: SimpleNamespace) -> Any:
    return [] if one.field.kind.is_array else None


def column_of(one: SimpleNamespace, *values: Any) -> Column:
    column = Column(one.field)
    column.add(values)
    return column


def test_every_type_has_its_row():
    assert {one.field.type for one in SAMPLES.values()} == set(TYPES)


@ALL
def test_a_definition_declares_it(one):
    (field,) = parse_schema({"name": "t", "definition": {"f": one.declared}}).fields
    assert (field, type(field.kind)) == (one.field, TYPES[one.field.type])


@ALL
def test_a_field_is_copied_and_pickled_with_its_type(one):
    for again in (copy.deepcopy(one.field), pickle.loads(pickle.dumps(one.field)), replace(one.field)):
        assert (again, hash(again)) == (one.field, hash(one.field))
        assert (type(again.kind), again.kind.field) == (type(one.field.kind), again)


@ALL
def test_it_is_cast_from_all_its_forms_and_from_nothing(one):
    assert [cast(one.field, form) for form in (one.value, one.cell, one.stored)] == [one.value] * 3
    nothing = (None, float("nan"), pd.NA, pd.NaT)
    assert [cast(one.field, cell) for cell in nothing] == [nothing_of(one)] * len(nothing)


@ALL
def test_a_required_value_has_to_be_there(one):
    required = replace(one.field, required=True, max=None)
    assert (check(required, one.value), check(required, nothing_of(one))) == (None, "a value is required")


@ALL
def test_values_are_equal_in_all_their_forms_and_unlike_others(one):
    for form in (copy.deepcopy(one.value), one.stored, to_json(one.field, one.cell)):
        assert equal(one.field, one.value, form)
        assert equal(one.field, form, one.value)
    for form in (one.other, nothing_of(one)):
        assert not equal(one.field, one.value, form)
    assert equal(one.field, nothing_of(one), None)


@ALL
def test_history_speaks_of_what_the_server_stores(one):
    assert (one.field.kind.stored(one.value), one.field.kind.stored(None)) == (one.stored, None)


def test_history_speaks_so_of_members_too():
    nics = Field("f", "Documents", fields=(Field("ip", "IpAddress"), Field("dns.at", "Array", item=IPS)))
    member: dict[str, Any] = {"_id": ID, "ip": "10.1.2.3/24", "dns": {"at": ["10.1.2.3/24", None]}}
    stored = {"_id": ID, "ip": IP, "dns": {"at": [IP, None]}}
    assert nics.kind.stored([member, None, {}]) == [stored, None, {}]
    assert member["dns"]["at"] == ["10.1.2.3/24", None]


@ALL
def test_a_frame_shows_its_cell(one):
    assert [from_json(one.field, value) for value in (one.value, one.stored)] == [one.cell] * 2
    blank = () if one.field.kind.is_array else None
    assert [from_json(one.field, nothing) for nothing in (None, {}, nothing_of(one))] == [blank] * 3
    assert to_json(one.field, one.cell) == one.value


@ALL
def test_a_column_has_its_dtype_and_cells_however_many_pages_there_are(one):
    column = Column(one.field)
    for page in ([one.value], [], [None, one.stored]):
        column.add(page)
    found = column.series()
    assert (found.dtype, column.odd) == (one.dtype, [])
    assert json_values(one.field, found) == [one.value, nothing_of(one), one.value]


@ALL
def test_a_column_without_values_has_its_dtype(one):
    found = [
        Column(one.field).series().dtype,
        column_of(one).series().dtype,
        column_of(one, None).series().dtype,
    ]
    assert found == [one.dtype] * 3


@ALL
def test_a_value_that_contradicts_it_is_kept_and_told(one):
    column = column_of(one, one.value, one.odd, None)
    assert column.odd == ([] if one.odd is None else [(1, one.odd)])
    assert json_values(one.field, column.series()) == [one.value, one.odd, nothing_of(one)]
    assert (is_declared(one.field, one.odd), is_declared(one.field, None)) == (one.odd is None, True)


@ALL
@pytest.mark.parametrize("fast", [True, False])
def test_a_page_of_the_server_holds_it(one, fast):
    page = json.dumps([{"_id": ID, "f": one.stored}, {"_id": ID}]).encode()
    (rows,) = Decoder([one.field], fast=fast).open(page).blocks()
    column = Column(one.field)
    column.add(rows.columns["f"], checked=rows.checked)
    assert (rows.checked, column.odd) == (fast, [])
    assert json_values(one.field, column.series()) == [one.value, nothing_of(one)]


@ALL
def test_a_text_file_holds_it_both_ways(one):
    cells, texts = column_of(one, one.value, None).series(), [one.text, ""]
    assert [write_cell(one.field, cell) for cell in cells] == texts
    assert [write_column(one.field, cells), write_column(one.field, cells.astype(object))] == [texts] * 2
    assert [read_cell(one.field, text) for text in texts] == [one.value, None]
    assert read_column(one.field, texts) == [one.value, None]


@ALL
def test_an_object_against_the_type_comes_back_from_a_text_file(one):
    text = write_cell(one.field, {"a": [1]})
    assert read_cell(one.field, text) == {"a": [1]}


@ALL
def test_a_workbook_holds_it_both_ways(one):
    held = excel_column(one.field, column_of(one, one.value, None).series(), PLAIN)
    assert held == [one.sheet, None]
    if one.dtype == TIMES:  # readers make times of such numbers
        held = [datetime.datetime.fromisoformat(TIME).replace(tzinfo=None), None]
    assert read_excel_column(one.field, held, PLAIN) == [one.value, None]


@ALL
def test_arrow_holds_it(one):
    array = one.field.kind.to_arrow(column_of(one, one.value).series(), pa)
    assert array.to_pylist() == [one.arrow]


@ALL
def test_it_is_presented_as_what_it_is(one):
    assert one.field.kind.presentation == one.shown


def facts(fact: str) -> set[str]:
    return {name for name, kind in TYPES.items() if getattr(kind, fact)}


def test_what_the_types_are():
    five = {"String", "Number", "Boolean", "Date", "ObjectId"}
    assert facts("is_scalar") == five
    assert facts("is_ordered") == {"String", "Number", "Date", "ObjectId", "IpAddress"}
    assert facts("is_searched") == {"String", "IpAddress", "Mixed"}
    assert facts("is_name") == {"String", "Number"}
    assert facts("is_array") == {"Array", "Documents"}
    assert facts("is_untyped") == {"Mixed"}
    assert facts("has_empty") == {"String"}
    assert facts("parts") == {"IpAddress"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        *[(text, {"Number"}) for text in ("0", "12", "-5", "0.25")],
        *[(text, set()) for text in ("007", "1.10", "1e5", "yes", "10.1.2.3/32", "2020-13-01", "")],
        *[(text, {"Boolean"}) for text in ("true", "FALSE")],
        *[(text, {"Date"}) for text in ("2020-01-02", "2020-01-02 03:04Z", TIME)],
        *[(text, {"IpAddress"}) for text in ("10.1.2.3", "10.1.2.3/24", "::1")],
    ],
)
def test_a_text_that_is_surely_of_a_type(text, names):
    assert {name for name, kind in TYPES.items() if kind.is_spelt(text, PLAIN)} == names


@pytest.mark.parametrize(
    ("text", "style", "names"),
    [
        ("1,50", Style(decimal=","), {"Number"}),
        ("1.234,5", Style(decimal=",", thousands="."), {"Number"}),
        ("1.5", Style(decimal=","), set()),
        ("007,5", Style(decimal=","), set()),
        ("04.03.2024", Style(dayfirst=True), {"Date"}),
        ("04.13.2024", Style(dayfirst=True), set()),
        ("Ja", Style(true=frozenset({"ja"})), {"Boolean"}),
    ],
)
def test_what_was_told_of_a_file_says_what_its_texts_surely_are(text, style, names):
    assert {name for name, kind in TYPES.items() if kind.is_spelt(text, style)} == names


def test_a_time_is_a_text_in_utc_or_in_the_metadata_a_number_that_a_date_can_be():
    values: list[Any] = [
        0,
        -5,
        LATEST,
        -LATEST,
        LATEST + 1,
        -LATEST - 1,
        1.5,
        True,
        [5],
        {},
        TIME,
        TIME[:-1],
        "soon",
    ]
    good: list[Any] = [0, -5, LATEST, -LATEST, TIME]
    meta, plain = Field("_sis._updated_at", "Date"), Field("d", "Date")

    assert [value for value in values if is_declared(meta, value)] == good
    assert [value for value in values if is_declared(plain, value)] == [TIME]
    assert [meta.kind.cell_of(value) for value in good] == [
        *(pd.Timestamp(value, unit="ms", tz="UTC") for value in good[:-1]),
        pd.Timestamp(TIME),
    ]
    assert [plain.kind.cell_of(value) for value in (5, TIME[:-1])] == [5, TIME[:-1]]


def test_the_parts_of_a_stored_address_have_the_types_that_they_are_searched_as():
    names = {str: "String", int: "Number"}

    assert Field("ip", "IpAddress").kind.parts == {part: names[type(value)] for part, value in IP.items()}
