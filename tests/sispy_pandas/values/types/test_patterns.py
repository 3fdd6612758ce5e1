"""Patterns of a server: as JavaScript has them, and never for long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sispy_pandas.values.types.base import Field
from sispy_pandas.values.types.convert import check
from sispy_pandas.values.types.patterns import Patterns

SLOW = "/^(a|aa)+$/"
HARD = "a" * 60 + "!"


def test_what_takes_too_long_is_left_to_the_server_and_counted():
    patterns = Patterns()

    assert [patterns.fits(SLOW, text, "name") for text in ("aaa", "b", HARD)] == [True, False, None]

    field = Field("name", "String", match=SLOW)
    assert check(field, HARD, patterns=patterns) is None
    assert check(field, "b", patterns=patterns) == f"does not match {SLOW}"
    assert patterns.left == {"name": 1}
    assert patterns.notes == (
        "column 'name': its pattern takes too long; 1 cell is left to the server to check",
    )


def test_after_a_few_such_cells_the_rest_of_the_field_is_left_too():
    patterns = Patterns()
    fields = [Field(path, "String", match=SLOW) for path in ("name", "title")]

    assert {check(fields[0], HARD, patterns=patterns) for _ in range(100_000)} == {None}
    assert check(fields[0], "b", patterns=patterns) is None
    assert check(fields[1], "b", patterns=patterns) == f"does not match {SLOW}"
    assert patterns.left == {"name": 100_001, "title": 0}


def test_many_cells_that_are_only_just_decided_have_a_bound_too():
    patterns = Patterns()

    found = [patterns.fits(SLOW, "a" * 26 + "!", "name") for _ in range(1_000)]

    assert found[-1] is None


def test_cells_are_counted_once_whatever_number_of_members_they_have():
    patterns = Patterns()
    item = Field("", "String", match=SLOW)
    array = Field("tags", "Array", item=item)
    documents = Field("disks", "Documents", fields=(Field("dev", "String", match=SLOW),))

    assert check(array, ["b", HARD], patterns=patterns) == f"member 0: does not match {SLOW}"
    assert check(array, [HARD, "aa", HARD], patterns=patterns) is None
    assert check(array, ["aa", "b"], patterns=patterns) == f"member 1: does not match {SLOW}"
    assert check(documents, [{"dev": HARD}, {"dev": HARD}], patterns=patterns) is None
    assert patterns.left == {"tags": 1, "disks": 1}


@pytest.mark.parametrize(
    ("match", "texts"),
    [
        (r"/^\d{1,3}(\.\d{1,3}){3}$/", {"10.0.0.1": True, "10.0.0": False}),
        (r"/^[\w\s]+$/", {"web 01": True, "web\u00a001": True, "é": False}),
        ("/(?<=a)b(?<!xb)$/m", {"ab\n": True, "b": False}),
        ("/^é$/i", {"É": True, "e": False}),
    ],
)
def test_signs_mean_what_they_mean_in_javascript(match, texts):
    assert {text: Patterns().fits(match, text, "f") for text in texts} == texts


@pytest.mark.parametrize(
    "match",
    [
        r"/\p{L}/u",
        "/[a--b]/v",
        "/(/",
        r"/\k<x>/",
        "/" + "(" * 3_000 + ")" * 3_000 + "/",
        "/((a{1000}){1000}){1000}/",
        "/" + "b|" * 1_000 + "b/",
        "no pattern",
        "/",
    ],
)
def test_what_is_no_pattern_here_or_too_large_is_the_servers(match):
    assert Patterns().fits(match, "a", "f") is True


PIECES = st.sampled_from(
    [
        "a",
        "b",
        ".",
        "a*",
        "b+",
        "(ab)?",
        "[ab]",
        "[^a]",
        "$",
        "^",
        "|",
        r"\d",
        r"\.",
        "(?:b|c)",
        "a{2}",
        "c{1,2}",
    ]
)


@given(
    pieces=st.lists(PIECES, max_size=6), text=st.text("abc.1", max_size=8), flags=st.sampled_from(["", "i"])
)
def test_plain_patterns_find_what_re_finds(pieces, text, flags):
    body = "".join(pieces)
    found = re.search(body.replace("$", r"\Z"), text, re.ASCII | (re.IGNORECASE if flags else 0)) is not None

    assert Patterns().fits(f"/{body}/{flags}", text, "f") is found
