import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sispy import Error
from sispy.failures import bad_answer
from sispy.text import (
    aligned,
    cells,
    cut,
    excerpt,
    fitted,
    in_html,
    json_seen,
    printable,
    shorten,
    shorten_apart,
)
from strategies import recursive

UNSEEN = [
    *map(
        chr, [*range(0x20), *range(0x7F, 0xA1), 0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x2028, 0x202F)]
    ),
    *map(
        chr, [*range(0x2060, 0x2070), 0x180E, 0x3164, 0x115F, 0x34F, 0xFEFF, 0xFFF9, 0xFE0F, 0xE0001, 0xE0100]
    ),
    "\ud800",
    "\udfff",
]


@pytest.mark.parametrize("char", UNSEEN, ids=ascii)
def test_what_cannot_be_seen_is_shown_as_an_escape(char):
    shown = printable(f"a{char}b")

    assert shown == f"a{char.encode('unicode_escape').decode()}b"
    assert shown.isascii()


def test_no_character_of_a_kind_that_cannot_be_seen_is_left():
    kinds = {unicodedata.category(c) for c in map(chr, range(sys.maxunicode + 1)) if printable(c) == c}

    assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@pytest.mark.parametrize("text", ["Zoë", "日本", "e\u0301", "naïve, “quoted”", "a b", "\U0001f600"])
def test_what_can_be_seen_stays(text):
    assert printable(text) == text


def test_lines_stay_where_a_text_has_some():
    assert printable("a\r\nb\tc\n\u2028", lines=True) == "a\\r\nb\\tc\n\\u2028"
    assert printable("a\nb") == "a\\nb"


@given(recursive(st.text() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_shows_everything_and_loses_nothing(value):
    text = json_seen(value, indent=1)

    assert json.loads(text) == value
    assert printable(text, lines=True) == text


def test_a_page_holds_text_alone():
    assert in_html('<b>\u202e&"\n') == "&lt;b&gt;\\u202e&amp;&quot;\n"


def test_long_texts_end_with_their_length():
    assert shorten("k" * 30_000, 10) == "kkkkkkk... (30,000 characters)"
    assert shorten("short") == "short"


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["", "b" * 50], ["", f"{'b' * 37}... (50 characters)"]),
        (["a" * 50, "a" * 50], [f"{'a' * 37}... (50 characters)"] * 2),
        (
            ["x" * 15_000 + "1" + "x" * 15_000, "x" * 15_000 + "2"],
            [f"...{'x' * 12}1{'x' * 21}... (30,001 characters)", f"...{'x' * 12}2 (15,001 characters)"],
        ),
        (["1" + "x" * 100, "2"], [f"1{'x' * 36}... (101 characters)", "2"]),
    ],
)
def test_texts_are_cut_where_they_begin_to_differ(texts, shown):
    assert shorten_apart(*texts) == shown


@given(st.text(max_size=99), st.text(min_size=1), st.text(min_size=1))
def test_what_differs_is_shown_apart(same, one, other):
    texts = [f"{same}[{one}", f"{same}]{other}"]

    shown = shorten_apart(*texts)

    assert "[" in shown[0]
    assert "]" in shown[1]
    assert all(printable(text) == text for text in shown)


def test_the_words_of_a_server_are_text():
    said = "no \x1b]52;c;ZQ==\x07 \u202ehere\nthere"
    error = bad_answer(400, json.dumps({"error": said, "code": 1001}).encode())

    assert str(error) == r"no \x1b]52;c;ZQ==\x07 \u202ehere" + "\nthere"
    assert error.response_dict["error"] == said
    assert printable(repr(error)) == repr(error)


def test_an_error_is_text_whatever_it_was_made_of():
    assert str(Error("\x1b[2J")) == r"\x1b[2J"


@pytest.mark.parametrize("page", ["<" * 20_000, "<script " * 2_500, "</style" * 2_500, " " * 20_000 + "<p"])
def test_pages_that_are_none_are_read_at_once(page):
    assert len(excerpt(page.encode())) <= 200


def test_a_page_is_its_readable_words():
    page = "<html><style>p {}</style><script>x<y</script ><p class='a'>Bad &amp; worse <b>gateway"

    assert excerpt(page.encode()) == "Bad & worse gateway"
    assert excerpt(b"<p>no end <script>alert(1)") == "no end"


@pytest.mark.parametrize(
    ("head", "rows", "options", "lines"),
    [
        (["name", "cpus"], [["web", 8], ["x", None]], {}, [["name  cpus"], ["web      8"], ["x"]]),
        (["a", "b"], [["x" * 30, "short"]], {"limit": 20}, [["a              b"], ["xxxxxxxxxxxx…  short"]]),
        (
            ["at", "b"],
            [["16:33 01", "x" * 30]],
            {"limit": 15, "keep": ["at"]},
            [["at        b"], ["16:33 01  xxxx…"]],
        ),
        (
            ["a", "why"],
            [["w", "none of the values"]],
            {"limit": 14, "wrap": True},
            [["a  why"], ["w  none of the", "   values"]],
        ),
        (["a", "b"], [], {}, [["a  b"]]),
        (
            ["name", "by", "note"],
            [["web-1", "bob", "long " * 5]],
            {"limit": 13, "spare": ["by", "note"]},
            [["name   by"], ["web-1  bob"]],
        ),
        (
            ["name", "from"],
            [["web-1", "a b c d e f g"]],
            {"limit": 10, "wrap": True, "spare": ["from"]},
            [["name"], ["web-1"]],
        ),
    ],
    ids=[
        "numbers to the right",
        "widest column cut",
        "a column kept",
        "a sentence wrapped",
        "no rows",
        "a column spared",
        "a sentence spared",
    ],
)
def test_a_table_is_aligned(head, rows, options, lines):
    assert aligned(head, rows, **options) == lines


def test_wide_and_combining_characters_count_as_they_are_shown():
    assert [cells(text) for text in ("abc", "日本", "e\u0301")] == [3, 4, 1]
    assert cut("日本語", 5) == "日本…"


def test_lines_are_broken_at_words():
    assert fitted("one two three four\n\nfive", 12) == "one two\nthree four\n\nfive"
    assert fitted("one two", None) == "one two"
