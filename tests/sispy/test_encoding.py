from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sispy.encoding import iso, json_text, milliseconds, one_address, path_part, query_string

NOON = datetime(2020, 1, 2, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_id_survives_the_path(text):
    part = path_part("id", text)

    assert unquote(part) == text
    assert not set(part) & set("/?# ")
    assert part.strip(".")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (None, ""),
        ({}, ""),
        ({"q": None}, ""),
        ({"upsert": True, "populate": False}, "?upsert=true&populate=false"),
        ({"fields": ["a", "b.c"], "sort": ("-a",)}, "?fields=a%2Cb.c&sort=-a"),
        ({"sort": "+a"}, "?sort=%2Ba"),
        ({"limit": 5, "offset": 0}, "?limit=5&offset=0"),
        ({"q": '{"a":1}'}, "?q=%7B%22a%22%3A1%7D"),
        (
            {"q": {"a": None, "b": {"$in": (1, True)}}},
            "?q=%7B%22a%22%3Anull%2C%22b%22%3A%7B%22%24in%22%3A%5B1%2Ctrue%5D%7D%7D",
        ),
    ],
)
def test_query_values_are_written_as_the_server_reads_them(query, expected):
    assert query_string(query) == expected


def test_times_in_queries():
    q = {
        "when": {"$gt": NOON},
        "_sis._updated_at": {"$gt": NOON},
        "one._sis._created_at": NOON,
        "day": date(2020, 1, 2),
    }
    wide = {"$or": [{"date_modified": NOON}]}

    (text,) = parse_qs(query_string({"q": q})[1:])["q"]
    assert text == (
        '{"when":{"$gt":"2020-01-02T10:00:00.123Z"},"_sis._updated_at":{"$gt":1577959200123},'
        '"one._sis._created_at":1577959200123,"day":"2020-01-02"}'
    )
    assert unquote(query_string({"q": wide})) == '?q={"$or":[{"date_modified":1577959200123}]}'


def test_a_query_is_a_mapping():
    with pytest.raises(TypeError, match=r"a query is a dict such as .*, got str"):
        query_string("q=1")  # type: ignore[arg-type]


def test_times_need_a_zone():
    for call in (milliseconds, iso):
        with pytest.raises(ValueError, match="has no time zone"):
            call(datetime(2020, 1, 2))  # noqa: DTZ001 -- the mistake under test
    for bad in ("noon", None, float("inf"), float("nan"), date(2020, 1, 2)):
        with pytest.raises(ValueError, match="a time is a datetime or milliseconds since 1970, got"):
            milliseconds(bad)  # type: ignore[arg-type]
    assert milliseconds(NOON) == 1577959200123
    assert milliseconds(1577959200123.7) == 1577959200123
    assert iso(datetime(2020, 1, 2, tzinfo=UTC)) == "2020-01-02T00:00:00.000Z"


def test_bodies_are_strict_json():
    numpy = pytest.importorskip("numpy")

    assert json_text({"a": NOON, "b": numpy.int64(5), "c": numpy.bool_(True), "ü": (1, 2.5)}) == (
        '{"a":"2020-01-02T10:00:00.123Z","b":5,"c":true,"\\u00fc":[1,2.5]}'
    )
    for bad in (float("nan"), float("inf"), numpy.float64("nan"), numpy.float32("nan")):
        with pytest.raises(ValueError, match="NaN and infinity are not JSON: send None"):
            json_text({"a": bad})
    with pytest.raises(TypeError, match="Decimal has no JSON form"):
        json_text(Decimal(1))


def test_missing_times_of_pandas_are_refused():
    pandas = pytest.importorskip("pandas")

    with pytest.raises(ValueError, match="NaT has no time zone"):
        json_text({"a": pandas.NaT})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://sis.example.com", "https://sis.example.com"),
        ("HTTPS://SIS.Example.com:443/", "https://sis.example.com"),
        ("http://sis:80/Cmdb/", "http://sis/Cmdb"),
        ("http://sis:443", "http://sis:443"),
        ("http://[::1]:80/", "http://[::1]"),
        ("http://[FE80::1]:3000", "http://[fe80::1]:3000"),
        ("http://sis:/", "http://sis"),
        ("http://sis:none", "http://sis:none"),
        ("", ""),
    ],
)
def test_an_address_has_one_spelling(url, expected):
    assert one_address(url) == expected
    assert one_address(expected) == expected
