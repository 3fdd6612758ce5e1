from __future__ import annotations

import zoneinfo
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sispy.remedies import Argument
from sispy_pandas.values.types.base import Field, Style
from sispy_pandas.values.types.cell_text import read_cell, read_column, unescape, write_cell, write_column
from sispy_pandas.values.types.cells import Refused
from sispy_pandas.values.types.convert import cast

if TYPE_CHECKING:
    from sispy_pandas.values.schema import Schema

BERLIN = Style(zoneinfo.ZoneInfo("Europe/Berlin"))
STRING, NUMBER, BOOLEAN = Field("f", "String"), Field("f", "Number"), Field("f", "Boolean")
DATE, MIXED, ID = Field("f", "Date"), Field("f", "Mixed"), Field("f", "ObjectId")
ARRAY = Field("f", "Array", item=Field("", "String"))


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (STRING, None, ""),
        (STRING, "", "'"),
        (STRING, "'", "''"),
        (STRING, "=1+1", "'=1+1"),
        (STRING, "-5", "'-5"),
        (STRING, "\tx", "'\tx"),
        (STRING, " x ", " x "),
        (STRING, "00123", "00123"),
        (STRING, {"a": 1}, '\'{"a": 1}'),
        (STRING, "{x", "{x"),
        (STRING, '\'{"a": 1}', "''{\"a\": 1}"),
        (NUMBER, -5, "-5"),
        (NUMBER, 0.1, "0.1"),
        (NUMBER, {"a": 1}, '{"a": 1}'),
        (BOOLEAN, False, "false"),
        (DATE, "2020-01-02T03:04:05.678Z", "2020-01-02T03:04:05.678Z"),
        (ID, "1" * 24, "'" + "1" * 24),
        (ID, "12e" + "3" * 21, "'12e" + "3" * 21),
        (ID, "a" * 24, "a" * 24),
        (ARRAY, [], ""),
        (ARRAY, ["a", None], '["a", null]'),
        (MIXED, "", '""'),
        (MIXED, "=1", '"=1"'),
        (MIXED, -5, "-5"),
        (MIXED, False, "false"),
        (MIXED, [], "[]"),
        (MIXED, {"b": None, "a": "é"}, '{"a": "é", "b": null}'),
    ],
)
def test_a_value_is_written_and_read_back(field: Field, value: Any, text: str) -> None:
    cell = tuple(value) if isinstance(value, list) else value
    back = read_cell(field, text)
    assert (write_cell(field, cell), [] if field is ARRAY and back is None else back) == (text, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [(w, True) for w in ("true", "TRUE", "1", "Yes", " yes ")] + [(w, False) for w in ("False", "0", "no")],
)
def test_booleans_in_any_spelling(text: str, value: bool) -> None:
    assert read_cell(BOOLEAN, text) is value


PAIRS = """
    yes/no wahr/falsch vrai/faux verdadero/falso vero/falso verdadeiro/falso waar/onwaar sant/falskt
    sand/falsk sann/usann tosi/epätosi prawda/fałsz pravda/nepravda igaz/hamis adevărat/fals doğru/yanliş
    истина/ложь αληθης/ψευδης 真/假 ja/nein ja/nee ja/nej ja/nei oui/non sí/no si/no sì/no sim/não
    kyllä/ei tak/nie ano/ne áno/nie igen/nem da/nu evet/hayir да/нет ναι/όχι はい/いいえ 是/否
    on/off y/n j/n o/n s/n t/f
"""  # noqa: RUF001


@pytest.mark.parametrize("pair", PAIRS.split())
def test_booleans_of_other_languages_are_proposed_where_no_pair_fits_better(pair: str) -> None:
    words = frozenset(pair.split("/"))

    found = BOOLEAN.kind.other_styles(words, Style())

    assert words in [style.true | style.false for style in found]
    assert all(BOOLEAN.kind.read(word, style) in (True, False) for style in found for word in words)


@pytest.mark.parametrize(
    ("field", "text", "style", "reason"),
    [
        (BOOLEAN, "maybe", Style(), "'maybe' is neither true nor false"),
        (NUMBER, "1,5", Style(), "'1,5' is not a number"),
        (NUMBER, "1.500,0", Style(decimal=","), "'1.500,0' is not a number"),
        (NUMBER, "1_000", Style(), "'1_000' is not a number"),
        (NUMBER, "nan", Style(), "'nan' is not a number"),
        (NUMBER, "50%", Style(), "'50%' may be 0.5 or 50: write it without %"),
        (NUMBER, " 12,5 % ", Style(decimal=","), "'12,5 %' may be 0.125 or 12.5: write it without %"),
        (DATE, "3/4/2020", Style(), "'3/4/2020' is not an ISO date or time"),
        (DATE, "3/4/20", Style(), "'3/4/20' has a year of two digits: write all four"),
        *[
            (DATE, text, style, f"{text!r} is not an ISO date or time")
            for text in ("2020-02-30", "soon", "13/13/2020", "3/4/2020 0:05 PM", "3/4/2020 13:05 PM")
            for style in (Style(), BERLIN, replace(BERLIN, dayfirst=False))
        ],
        (
            DATE,
            "2020-10-25 02:30",
            BERLIN,
            "the clocks of Europe/Berlin skipped or repeated this time: add an offset such as +01:00",
        ),
        (ID, "1.2E+23", Style(), "'1.2E+23' is not an id of 24 hex digits"),
        (ARRAY, "a", Style(), '\'a\' is not JSON: a list is written as ["a", "b"]'),
        (MIXED, "NaN", Style(), "'NaN' is not JSON: text is written as \"text\""),
    ],
)
def test_what_is_no_value_is_refused_with_a_reason(
    field: Field, text: str, style: Style, reason: str
) -> None:
    with pytest.raises(ValueError) as caught:
        read_cell(field, text, style)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("text", "style", "value"),
    [
        ("2020-01-02", Style(), "2020-01-02T00:00:00.000Z"),
        ("2020-01-02 03:04", BERLIN, "2020-01-02T02:04:00.000Z"),
        ("2020-01-02T03:04:05+05:30", BERLIN, "2020-01-01T21:34:05.000Z"),
        ("3/4/2020", Style(dayfirst=True), "2020-04-03T00:00:00.000Z"),
        *[
            (f"3/4/2020 {hour}", Style(dayfirst=False), f"2020-03-04T{there}:05:00.000Z")
            for hour, there in (
                *(("1:05 PM", "13"), ("12:05 pm", "12"), ("11:05 p.m.", "23")),
                *(("1:05 am", "01"), ("12:05 AM", "00"), ("11:05 AM", "11"), ("0:05", "00"), ("23:05", "23")),
            )
        ],
        ("03.04.2020 13:05", replace(BERLIN, dayfirst=True), "2020-04-03T11:05:00.000Z"),
        ("03.04.2020 13:05:06,5", Style(dayfirst=True), "2020-04-03T13:05:06.500Z"),
    ],
)
def test_dates_in_the_zone_of_the_file(text: str, style: Style, value: str) -> None:
    assert read_cell(DATE, text, style) == value


@pytest.mark.parametrize(
    ("zone", "text"),
    [("Asia/Tokyo", "9999-12-31T23:59:59.999Z"), ("America/New_York", "0001-01-01T00:00:00.000Z")],
)
def test_a_time_that_is_beyond_the_years_in_a_zone_is_written_in_utc(zone: str, text: str) -> None:
    style = Style(zoneinfo.ZoneInfo(zone))

    assert (write_cell(DATE, text, style), read_cell(DATE, text, style)) == (text, text)


def test_a_time_of_a_zone_that_is_beyond_the_years_in_utc_is_told() -> None:
    style = Style(zoneinfo.ZoneInfo("America/New_York"))
    (value,) = read_column(DATE, ["9999-12-31 23:30"], style)

    assert value.reason == "only times of the years 0 to 9999 can be written"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-31 10:00:00 +0100", "2024-01-31T09:00:00.000Z"),
        ("2024-01-31 10:00:00+01", "2024-01-31T09:00:00.000Z"),
        ("2024-01-31 10:00:00 UTC", "2024-01-31T10:00:00.000Z"),
        ("2024-01-31 10:00:00", "2024-01-31T09:00:00.000Z"),
        ("3. März 2024 10:00", "2024-03-03T09:00:00.000Z"),
        ("3 août 2024", "2024-08-02T22:00:00.000Z"),
        ("Sat, Feb 3, 2024", "2024-02-02T23:00:00.000Z"),
    ],
)
def test_the_zone_is_that_of_times_without_one(text: str, moment: str) -> None:
    assert read_cell(DATE, text, BERLIN) == moment


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(123.45)", "'(123.45)' may be -123.45: write it so"),
        ("123.45-", "'123.45-' may be -123.45: write it so"),
        ("(a)", "'(a)' is not a number"),
    ],
)
def test_numbers_of_accountants_are_refused_with_how_to_write_them(text: str, reason: str) -> None:
    (value,) = read_column(NUMBER, [text])
    assert value.reason == reason


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("31.01.2024 13:05", True),
        ("31.01.2024 13:05:07", True),
        ("31.01.2024", True),
        ("31.01.2024 12:05", False),
        ("30.01.2024", False),
        ("soon", False),
    ],
)
def test_a_text_shows_a_time_by_the_clocks_of_its_zone_cut_to_what_it_has(text: str, shows: bool) -> None:
    style = replace(BERLIN, dayfirst=True)

    assert Field("f", "Date").kind.shows("2024-01-31T12:05:07.000Z", text, style) is shows


def test_times_are_written_with_the_offset_of_the_zone() -> None:
    assert write_cell(DATE, "2020-01-02T02:04:00.000Z", BERLIN) == "2020-01-02T03:04:00.000+01:00"


def test_a_decimal_comma_is_read_where_it_was_announced() -> None:
    assert read_cell(NUMBER, "-1,5", Style(decimal=",")) == -1.5


def test_a_column_that_holds_other_values_as_well_is_written_cell_by_cell() -> None:
    for kind, cells, texts in (
        ("Boolean", [True, "maybe", None, False], ["true", "maybe", "", "false"]),
        ("Number", [1, "many", None, 2.5], ["1", "many", "", "2.5"]),
        (
            "Date",
            ["soon", None, pd.Timestamp("2024-01-31", tz="UTC")],
            ["soon", "", "2024-01-31T00:00:00.000Z"],
        ),
    ):
        assert write_column(Field("f", kind), pd.Series(cells, dtype=object)) == texts


def test_a_column_keeps_what_it_cannot_read_as_refused_text() -> None:
    values = read_column(NUMBER, ["1", "", "1\n2", "x"])
    assert values == [1, None, "1\n2", "x"]
    assert [type(value) for value in values] == [int, type(None), Refused, Refused]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("1.234,5", {"decimal": ",", "thousands": "."}),
        (" -1.234.567,5 ", {"decimal": ",", "thousands": "."}),
        ("1,234.5", {"thousands": ","}),
        ("1234,5", {"decimal": ","}),
        ("1?234,5", {"decimal": ",", "thousands": "?"}),
        ("1.2345,5", {}),
        ("1,234", {"decimal": ",", "thousands": ","}),
        ("1,234.5 EUR", {"thousands": ",", "unit": ["EUR"]}),
        ("3GB", {"unit": ["GB"]}),
        ("3GBs", {}),
        ("12abc", {}),
    ],
)
def test_what_a_number_of_another_country_needs_is_named(text: str, options: dict[str, Any]) -> None:
    found = NUMBER.kind.remedies(text)
    assert {one.name: one.value for one in found if isinstance(one, Argument) and one.name != "na"} == options


NOTHING = """
    N/A na n.a. k.a. - -- --- \u2013 \u2014 ? ?? none nil null (none) (blank) unknown unbekannt inconnu
    tbd tbc TBA empty
"""


@pytest.mark.parametrize(
    ("text", "nothing"), [("abc", []), ("0", []), *((word, [[word]]) for word in NOTHING.split())]
)
def test_a_word_means_nothing_only_where_that_is_usual(text: str, nothing: list[list[str]]) -> None:
    assert [one.value for one in NUMBER.kind.remedies(text) if isinstance(one, Argument)] == nothing


@pytest.mark.parametrize("text", ["1e999", "-1e999"])
def test_a_number_beyond_all_that_can_be_stored_is_refused_among_others(text: str) -> None:
    values = read_column(NUMBER, ["1", text, "2"])
    assert values == [1, text, 2]
    assert isinstance(values[1], Refused)


@pytest.mark.parametrize("field", [MIXED, STRING, NUMBER, ARRAY])
def test_refused_text_is_cast_to_nothing(field: Field) -> None:
    with pytest.raises(ValueError, match=r"^because$"):
        cast(field, Refused("x", "because"))


@pytest.mark.parametrize("field", [MIXED, STRING, NUMBER, ARRAY])
def test_what_no_file_can_hold_is_named_with_its_column(field: Field) -> None:
    with pytest.raises(ValueError, match=rf"^column '{field.path}': a Timedelta cannot be written as JSON$"):
        write_cell(field, pd.Timedelta("1D"))


@pytest.mark.parametrize("field", [MIXED, ARRAY])
def test_a_key_twice_in_the_json_of_a_cell_is_refused(field: Field) -> None:
    with pytest.raises(ValueError, match=r"^an object has the key 'a' more than once, with 1 and 2$"):
        read_cell(field, '[{"a": 1, "a": 2}]')


def test_a_whole_column_is_what_its_cells_are_one_by_one(host_schema: Schema, host_frames: Any) -> None:
    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(host_frames, st.sampled_from([Style(), BERLIN]))
    def check(frame: pd.DataFrame, style: Style) -> None:
        for field in host_schema.fields:
            cells = frame[field.path]
            texts = [write_cell(field, cell, style) for cell in cells.tolist()]
            assert write_column(field, cells, style) == texts
            assert write_column(field, cells.astype(object), style) == texts
            assert [as_read(field, text, style) for text in texts] == read_column(field, texts, style)

    check()


def as_read(field: Field, text: str, style: Style) -> Any:
    try:
        return read_cell(field, text, style)
    except ValueError as error:
        return Refused(unescape(text), str(error))


@pytest.mark.parametrize(
    ("text", "styles"),
    [
        ("3/4/2024", [(True, False), (False, False)]),
        ("3/4/24", [(True, True), (False, True)]),
        ("April 2024", []),
    ],
)
def test_years_of_two_digits_are_proposed_for_pasted_dates_that_have_such(text: str, styles: Any) -> None:
    assert [(one.dayfirst, one.has_short_years) for one in DATE.kind.pasted_styles([text])] == styles


@pytest.mark.parametrize("dayfirst", [True, False])
def test_which_number_of_a_date_is_the_day_is_told(dayfirst: bool) -> None:
    (told,) = DATE.kind.told(Style(dayfirst=dayfirst))

    assert isinstance(told, Argument)
    assert (told.name, told.value) == ("dayfirst", dayfirst)
    assert ("third of April" in told.does) is dayfirst


@pytest.mark.parametrize(
    ("text", "number"), [("3 B", 3), ("3 iB", 6), ("3MiB", 9), ("3 XMiB", 12), ("XYMiB 3", 15)]
)
def test_of_units_that_end_or_begin_alike_the_longest_counts(text: str, number: int) -> None:
    style = Style(unit=frozenset({"B", "iB=2", "MiB=3", "XMiB=4", "XYMiB=5", "XY=6", "X=7"}))

    assert read_cell(NUMBER, text, style) == number
