"""The language of filters: what is read, what it prints as, and what is said of texts that are none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sispy_pandas.reading.filters import (
    DEEPEST,
    LONGEST,
    Condition,
    Group,
    Not,
    Value,
    joined,
    meant_for,
    parse,
)
from strategies import recursive

ONE = "filter {!r}: {}"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("status=live", "status = live"),
        (" status  !=\tlive ", "status != live"),
        ("status in live, dead ,x", "status in live, dead, x"),
        ("status not  IN live", "status nin live"),
        ("status in (live, 'a, b')", 'status in (live, "a, b")'),
        ("c in 'p,q'", "c in p, q"),
        ("c in ('p,q')", 'c in ("p,q")'),
        ("c in 'new york, x'", 'c in ("new york", x)'),
        ("cpus>-1 AND cpus<=1e3", "cpus > -1 and cpus <= 1e3"),
        ('a > 1 and (b like "x.*" or c in "p,q")', 'a > 1 and (b like "x.*" or c in p, q)'),
        ("a=1 or b=2 and c=3", "a = 1 or (b = 2 and c = 3)"),
        ("(a=1 and b=2) and (c=3)", "a = 1 and b = 2 and c = 3"),
        ("not (a=1 or not b=2) and NOT c=3", "not (a = 1 or not b = 2) and not c = 3"),
        ("not not a=1", "not not a = 1"),
        ("a in(1,2)and(b=1)", "a in 1, 2 and b = 1"),
        ("owner Is  Empty", "owner is empty"),
        ("(owner is not empty)", "owner is not empty"),
        ("name~^(web|db)-[(]\\)", "name ~ ^(web|db)-[(]\\)"),
        ("(name~^(web|db))", "name ~ ^(web|db)"),
        ("name !~ a,b", "name !~ a,b"),
        ("name not like x", "name not like x"),
        ("notes ~ /two words(a)?/i", "notes ~ /two words(a)?/i"),
        ("notes like '/x/i'", 'notes like "/x/i"'),
        ("mount ~ /var/log", "mount ~ /var/log"),
        ("name=a=b", "name = a=b"),
        ("name = ~1.2", "name = ~1.2"),
        ("name=it's", "name = it's"),
        ("name='it\\'s'", 'name = "it\'s"'),
        ('name="a\\\\b\\d\\""', 'name = "a\\\\b\\\\d\\""'),
        ("name = $where", "name = $where"),
        ("name = \"\"", 'name = ""'),
        ("name = and", "name = and"),
        ("'my field' = 3", '"my field" = 3'),
        ("not = 3", '"not" = 3'),
        ("in in in", "in in in"),
        ("rack.site.name = fra1", "rack.site.name = fra1"),
        ("a = “web 1” and b in (\u2018x\u2019, „y“, «z»)", 'a = "web 1" and b in ("x", "y", "z")'),
        ("“my field” = O\u2019Brien", '"my field" = O\u2019Brien'),
        ("a = '“web”'", 'a = "“web”"'),
    ],
)  # fmt: skip
def test_a_filter_is_read_and_printed(text, printed):
    assert str(parse(text)) == printed
    assert parse(printed) == parse(text)


def test_a_filter_is_a_tree():
    a, b = (
        Condition("a", "=", (Value("1"),)),
        Condition("b", "in", (Value("x y", is_quoted=True), Value("2"))),
    )
    assert parse("not a = 1 or (b in ('x y', 2) and a = 1)") == Group("or", (Not(a), Group("and", (b, a))))
    assert joined("and", [Group("and", (a, b)), a]) == Group("and", (a, b, a))


@pytest.mark.parametrize(
    ("text", "regex"),
    [
        ("a ~ ^x", ("^x", "")),
        ("a like /x y/im", ("x y", "im")),
        ("a ~ '/x/i'", ("/x/i", "")),
        ("a ~ /x", ("/x", "")),
    ],
)  # fmt: skip
def test_a_regex_may_stand_in_slashes_with_options(text, regex):
    assert parse(text).values[0].pattern == regex


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("status", "after 'status' an operator and a value are missing, as in 'status = live'"),
        ("status=", "no value after '='; to find rows without one: 'status is empty'"),
        ("(a like )", "no value after 'like'; to find rows without one: 'a is empty'"),
        ("a == b", "there is no operator '==': it is '=' here"),
        ("a<>b", "there is no operator '<>': it is '!=' here"),
        ("a =~ b", "there is no operator '=~': it is '~' here"),
        ("a =! b", "there is no operator '=!': a value that begins so is put in quotes: a = \"...\""),
        ("name is empty x", "'and' or 'or' is missing before 'x'"),
        ("a = 'x' y", "'and' or 'or' is missing before 'y'"),
        ("a = 'x", "the quote before 'x' is not closed"),
        ("a = “x", "the quote before 'x' is not closed"),
        (
            "a = \u2018it\u2019s\u2019",
            "'s\u2019' follows a closing quote; within a text it is put in plain quotes, \"...\"",
        ),
        ("a = 'it's'", "\"s'\" follows a closing quote; within a text it is written \\'"),
        ("a in b,", "a value is missing beside a comma"),
        ("a in (b,,c)", "a value is missing beside a comma"),
        ("a in 'b,'", "a value is missing beside a comma"),
        ("a in (b", "a ) is missing at the end"),
        ("(a = 1", "a ) is missing at the end"),
        ("a = 1)", "a ) closes nothing"),
        ("a ~ (x y)", "a ( is not closed in '(x': a value with blanks is put in quotes"),
        ("a = 1 and", "the name of a field is missing at the end"),
        ("a = 1 and , b", "the name of a field is missing before ', b'"),
        ("not", "the name of a field is missing at the end"),
        ("a = \udc80", "it holds half a character"),
    ],
)  # fmt: skip
def test_what_is_no_filter_is_told(text, reason):
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value) == ONE.format(text, reason)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("name = new york", '"new york"'),
        ("(name=new york or a=1)", '"new york"'),
        ("name=new york (east) and a=1", '"new york (east)"'),
        ("name like two words", '"two words"'),
        ('name = my "pc"', '"my \\"pc\\""'),
        ("city in new york,x", '"new york,x"'),
    ],
)
def test_a_value_with_blanks_is_shown_in_quotes(text, quoted):
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value).endswith(f"; a value with blanks is put in quotes: {quoted}")


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_filter_is_none(text):
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value) == "the filter is empty: one is 'status = live'; leave it out to find all rows"


def test_what_is_no_text_is_no_filter():
    with pytest.raises(TypeError, match="a filter is a text such as 'status = live', got dict"):
        parse({"status": "live"})  # type: ignore[arg-type]


def test_other_words_are_no_operators():
    with pytest.raises(
        ValueError, match="after 'a' comes no operator but 'resembles': there are =, !=, in, nin"
    ):
        parse("a resembles b")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a contains b", "there is no operator 'contains': it is 'a ~ ...' here"),
        ("a startsWith b", "there is no operator 'startsWith': it is 'a ~ ^...' here"),
        ("a is null", "there is no operator 'is': it is 'a is empty' or 'a is not empty' here"),
        ("a between 1 and 2", "there is no operator 'between': it is 'a >= ... and a <= ...' here"),
        ("a gte 2", "there is no operator 'gte': it is 'a >= ...' here"),
        ("a = 1 && b = 2", "there is no '&&': it is 'and' here"),
        ("a = 1 || b = 2", "there is no '||': it is 'or' here"),
        ("!a = 1", "there is no '!' before a condition: it is 'not' here"),
        (
            "a in [b, c]",
            "a list is put in parentheses, (a, b), and a value that begins with [ in quotes",
        ),
    ],
)
def test_what_other_languages_have_is_told_in_the_words_of_this_one(text, reason):
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value) == ONE.format(text, reason)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a = web*", "a ~ ^web"),
        ("a = *web", "a ~ web$"),
        ("not (b = 1 or a like %web%)", "a ~ web"),
        ("a in web*, b", "a ~ ^web"),
        ("a = w*b", None),
        ("a ~ web*", None),
        ("a = web", None),
        ("a > *", None),
        ("a is empty", None),
        ('a = ""', None),
        ("a = 10.20.0.0/24", r"a ~ ^10\.20\.0\."),
        ("a in 10.0.0.0/8,b", r"a ~ ^10\."),
        ("a = 10.20.0.0/23", None),
        ("a ~ 10.20.0.0/24", None),
    ],
)
def test_what_a_value_may_have_been_meant_for(text, meant):
    told = meant_for(parse(text))
    assert (told and re.split(" (?:is|are) found by ", told)[1]) == (meant and f"'{meant}'")


def test_length_and_depth_are_bounded():
    assert parse("(" * DEEPEST + "a=1" + ")" * DEEPEST) == parse("a=1")
    for text in ("(" * 5000 + "a=1" + ")" * 4000, "not " * 2000 + "a=1"):
        with pytest.raises(ValueError, match=f"it is nested more than {DEEPEST} levels deep"):
            parse(text)
    with pytest.raises(ValueError, match=f"at most {LONGEST:,} characters, this one 10,001"):
        parse("a=" + "x" * (LONGEST - 1))


PIECES = st.sampled_from(
    [*"()=!<>~,'\"\\/[] \n$a1", "and", "or", "not", "in", "like", "is empty", "is not empty", "b.c", "x y"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=30))
def test_any_text_is_a_filter_or_a_value_error(text):
    try:
        found = parse(text)
    except ValueError:
        return
    assert parse(str(found)) == found


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
PATHS = TEXTS.filter(bool)
CONDITIONS = st.one_of(
    st.builds(
        lambda path, operator, text: Condition(path, operator, (Value.of(text),)),
        PATHS, st.sampled_from(["=", "!=", "<", ">=", "~", "not like"]), TEXTS,
    ),
    st.builds(
        lambda path, operator, texts: Condition(path, operator, tuple(map(Value.of, texts))),
        PATHS, st.sampled_from(["in", "nin"]), st.lists(TEXTS, min_size=1, max_size=3),
    ),
    st.builds(Condition, PATHS, st.sampled_from(["is empty", "is not empty"])),
)  # fmt: skip
FILTERS = recursive(
    CONDITIONS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(joined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)


@given(FILTERS)
def test_a_printed_filter_is_read_as_the_same(built):
    assert parse(str(built)) == built
