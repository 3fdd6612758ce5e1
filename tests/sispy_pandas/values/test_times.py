"""Times as users give them."""

import time
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from sispy_pandas.values.times import duration_text, milliseconds_of, times

MS = 1795183500000


@pytest.mark.parametrize(
    ("when", "tz"),
    [
        (MS, None),
        ("2026-11-20T14:05Z", None),
        ("2026-11-20 15:05+01:00", None),
        ("2026-11-20 15:05", "Europe/Berlin"),
        ("2026-11-20 15:05", ZoneInfo("Europe/Berlin")),
        ("2026-11-20 15:05+01:00", "America/New_York"),
        (datetime(2026, 11, 20, 14, 5, tzinfo=UTC), None),
        (datetime(2026, 11, 20, 15, 5, tzinfo=timezone(timedelta(hours=1))), None),
        (pd.Timestamp("2026-11-20 14:05", tz="UTC"), None),
    ],
)
def test_a_moment_is_read(when, tz):
    assert milliseconds_of(when, tz=tz) == MS


def test_a_while_ago():
    before = time.time_ns() // 10**6
    then = milliseconds_of(timedelta(hours=2))

    assert before <= then + 7_200_000 <= time.time_ns() // 10**6 + 1


@pytest.mark.parametrize(
    ("when", "tz", "words"),
    [
        ("2026-11-20 14:05", None, "has no time zone"),
        (pd.Timestamp("2026-11-20"), None, "has no time zone"),
        ("2026-11-20 14:05", "Nowhere/City", "is not a time zone"),
        ("2026-11-20 14:05", "../etc", "is not a time zone"),
        ("soon", None, "is not a time such as"),
        ("", None, "is not a time such as"),
        (pd.NaT, None, "is not a time such as"),
        ("9999-12-31 23:30", "America/New_York", "is not a time such as"),
    ],
)
def test_what_is_no_moment_is_named(when, tz, words):
    with pytest.raises(ValueError, match=words):
        milliseconds_of(when, tz=tz)


@pytest.mark.parametrize("when", [None, True, 1.5, date(2026, 11, 20)])
def test_other_things_are_a_type_error(when):
    with pytest.raises(TypeError, match="is not a time"):
        milliseconds_of(when)


def test_times_of_a_column():
    column = times([MS, None])
    assert str(column.dtype) == "datetime64[ms, UTC]"
    assert column[0] == pd.Timestamp("2026-11-20 14:05", tz="UTC")
    assert pd.isna(column[1])


def test_the_last_moment_is_read_with_its_offset():
    assert milliseconds_of("9999-12-31T23:30-05:00") == 253_402_317_000_000


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "00:00:00"), (1, "00:00:00.000001"), (-1, "-00:00:00.000001"), (-(10**6), "-00:00:01")],
)
def test_a_duration_has_a_sign_below_nothing_alone(micros, text):
    assert duration_text(timedelta(microseconds=micros)) == text
