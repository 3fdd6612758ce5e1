"""Patterns mean here what they mean to JavaScript and to the database, and cost little to compile."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sispy import patterns
from sispy.patterns import database, javascript

READ: dict[str, Callable[..., Any]] = {"javascript": javascript, "database": database}


def found(pattern, texts):
    return [text for text in texts if pattern.search(text)]


@pytest.mark.parametrize(
    ("source", "flags", "finds", "not_"),
    [
        (r"^\d{1,3}(\.\d{1,3}){3}$", "", ["10.0.0.1"], ["10.0.0", "१.0.0.1"]),
        (r"^\w+$", "", ["web_01"], ["é", "a b"]),
        (r"^\w+\s\w+$", "", ["a b", "a\u00a0b", "a\u3000b"], ["a-b"]),
        (r"^[\w\s]+$", "", ["a b", "a\ufeffb"], ["a-b"]),
        (r"^\S+$", "", ["a-b"], ["a\u00a0b"]),
        (r"^[\s\S]*$", "", ["", "a\nb"], []),
        ("^é$", "i", ["é", "É"], ["e"]),
        ("^a.b$", "", ["axb"], ["a\nb", "a\rb", "a\u2028b"]),
        ("^a.b$", "s", ["a\nb"], ["ab"]),
        ("a$", "", ["a"], ["a\n"]),
        ("a$", "m", ["a\nb", "a\rb"], ["ab"]),
        ("^b", "m", ["a\nb", "a\rb"], ["ab"]),
        ("^a{1}{$", "", ["a{"], ["a"]),
        ("^a{,2}$", "", ["a{,2}"], ["aa"]),
        ("^(?:ab){e<=1}$", "", ["ab{e<=1}"], ["ax"]),
        ("^[[:alpha:]]$", "", ["a]", ":]"], ["a", "z"]),
        ("^[(?:{2}]+$", "", ["(?:{2}"], ["x"]),
        ("a[]", "", [], ["a", "a]"]),
        ("a[^]", "", ["a\n"], ["a"]),
        ("^[+--]+$", "", ["+,-"], ["a"]),
        ("^[a&&b]+$", "", ["a&b"], ["c"]),
        ("^(?<x>a)b(?!c)", "", ["ab"], ["abc"]),
        ("(?<=a)b(?<!xb)", "", ["ab"], ["b"]),
        (r"^\A\Z\p\h\-\_\/$", "", ["AZph-_/"], [""]),
        (r"^\cA\x41\u0042[\cB\b]$", "", ["\x01AB\x02", "\x01AB\b"], ["cAAB"]),
        (r"^\u{2}$", "", ["uu"], ["\x02"]),
        (r"^\u{41}\p{L}[\p{N}]$", "u", ["Aé१"], ["Aaa"]),
    ],
)
def test_signs_of_javascript(source, flags, finds, not_):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pattern = javascript(source, flags)
    assert found(pattern, finds + not_) == finds


@pytest.mark.parametrize(
    ("source", "options", "finds", "not_"),
    [
        (r"^\w+$", "", ["web_01"], ["é"]),
        ("^É", "i", ["été"], ["ete"]),
        ("a$", "", ["a", "a\n"], ["a\nb"]),
        (r"a\Z", "m", ["a", "a\n"], ["a\nb"]),
        (r"a\z", "", ["a"], ["a\n"]),
        ("^a.b$", "", ["a\rb"], ["a\nb"]),
        ("^(?:ab){e<=1}$", "", ["ab{e<=1}"], ["ax"]),
        ("^a{,2}$", "", ["a{,2}"], ["aa"]),
        ("^[[:digit:]x]+$", "", ["1x"], ["d"]),
        ("^[]a]+$", "", ["a]"], ["b"]),
        ("^(?i)ab(?#c)$", "", ["AB"], ["abc"]),
        ("^(?i:a)b$", "", ["Ab"], ["AB"]),
        ("^a b {2}$ # (both", "x", ["abb"], ["a b"]),
        ("^(?<n>a|b)(?P=n)$", "", ["aa"], ["ab"]),
        (r"^\((?:[^()]|(?R))*\)$|^\(\)$", "", ["()"], ["("]),
        (r"^\x{41}\x42\e\p{Lu}\-$", "", ["AB\x1bÉ-"], ["AB\x1bé-"]),
        ("^(?>a+)b++$", "", ["aabb"], ["a"]),
    ],
)
def test_signs_of_the_database(source, options, finds, not_):
    assert found(database(source, options), finds + not_) == finds


@pytest.mark.parametrize(
    ("kind", "source", "flags", "reason"),
    [
        ("javascript", "(", "", "missing )"),
        ("javascript", ")", "", "unbalanced parenthesis"),
        ("javascript", "[a", "", "[ opens nothing"),
        ("javascript", "a\\", "", "bad escape"),
        ("javascript", "a++", "", "Nothing to repeat"),
        ("javascript", "a{2}+", "", "Nothing to repeat"),
        ("javascript", "^*a", "", "Nothing to repeat"),
        ("javascript", r"\b+", "", "Nothing to repeat"),
        ("javascript", "*a", "", "nothing to repeat"),
        ("javascript", "(?>a)", "", "( opens nothing"),
        ("javascript", "(?R)", "", "( opens nothing"),
        ("javascript", "(*PRUNE)a", "", "( opens nothing"),
        ("javascript", "(?i)a", "", "( opens nothing"),
        ("javascript", r"\k<x>", "", "a group that is referred to by its name"),
        ("javascript", "a{99999999999999999999}", "", "regular expression is too large"),
        ("database", "a", "g", "invalid flag in regex options: g"),
        ("database", "(?V1)a", "", "( opens nothing"),
        ("database", "(?x)a{1 000 000}", "", "( opens nothing"),
        ("database", r"\Qa\E", "", r"\Q means nothing in a pattern"),
        ("database", r"\L<a>", "", r"\L means nothing in a pattern"),
        ("database", "(?#()#(\n((a{1000}){1000}){1000}", "x", "regular expression is too large"),
        ("database", "(" * 3_000 + ")" * 3_000, "", "maximum recursion depth exceeded"),
    ],
)
def test_what_is_no_pattern(kind, source, flags, reason):
    with pytest.raises(ValueError, match=r"[Rr]egular expression|invalid flag") as raised:
        READ[kind](source, flags)
    assert reason in str(raised.value)


LARGE = {
    "groups": "((a{1000}){1000}){1000}",
    "at least": "((((((a?){20}){20}){20}){20}){20}){20,}",
    "sign": "a{1000000000}",
    "set": "[ab]{10000000}",
    "large set": f"[{''.join(map(chr, range(300, 8300)))}]{{5000}}",
    "alternatives": "((?:a|bc){1000}){1000}",
    "look": "((?=a){1000}){1000}",
    "behind": "((?<=a{1000})b){10000}",
    "reference": r"(a)(\1{1000}){1000}",
    "escape": r"(?:\x41{1000}){1000}",
    "closed first": "a)(?:(?:a{1000}){1000}){1000}",
    "behind a quantifier": "(?:(?:a{1000})?{1000}){1000}",
    "long": "a|" * 10_000,
}


def compile_all():
    """Say what becomes of large patterns and of a search for a long text; run with little memory and time."""
    for name, source in LARGE.items():
        for kind, read in READ.items():
            try:
                read(source)
            except ValueError as error:
                sys.stdout.write(f"{name} {kind} {str(error).split(': ')[1]}\n")
    for read in READ.values():
        for source in (
            "a" * 8000,
            "[a]" * 4000,
            "x?" + "a" * 8000,
            "(?i)"[: 4 * (read is database)] + "a" * 8000,
        ):
            assert read(source).search("ab" * 10_000, timeout=1) is None
            assert read(source).search("a" * 8001, timeout=1)


def test_patterns_are_compiled_within_bounds():
    code = (
        "import resource, test_patterns\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({512 << 20},) * 2)\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (30, 30))\n"
        "test_patterns.compile_all()"
    )
    folder = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=110,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(folder.parent / "support")])},
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [
        f"{name} {kind} regular expression is too large" for name in LARGE for kind in READ
    ]


def test_what_a_url_can_hold_is_not_too_large():
    names = "|".join(f"web-{i:04}" for i in range(1_700))
    assert 15_000 < len(names) < patterns.LARGEST
    assert found(database(f"^(?:{names})$"), ["web-1699", "web-1700"]) == ["web-1699"]
