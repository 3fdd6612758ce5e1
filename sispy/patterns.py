r"""Regular expressions of others, compiled as those read them, and within bounds.

The `match` of a definition is JavaScript's, the `$regex` of a query the database's (PCRE); some signs mean
something else to `regex`, which compiles them here. And its compiler writes out what is repeated, so that
`((a{1000}){1000}){1000}` takes all memory there is: what is larger than `LARGEST` is refused before it is
tried, as the server refuses what is too large.

Searches may take long all the same (`^(a+)+$`): give them a timeout.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[str, str], str]

LARGEST = 16_384
"""Characters of a pattern, or parts of it (`a{9}` counts nine times); no URL has more."""
_LONG = 200
"""Characters from which on a pattern may hold a long text, see `_compiled`."""
_OF_SET = 10
"""So many characters of a set weigh as much as a part."""


_TIMES = r"\{(?P<least>\d+)(?:,\d*)?\}"


def _tokens(escape: str, set_: str, group: str, whole: str) -> re.Pattern[str]:
    """Return the pattern of a pattern's parts; the `(` of an unknown kind of group is a `sign`."""
    return re.compile(
        rf"(?P<whole>{whole})|(?P<escape>\\(?:{escape}|.))|(?P<set>{set_})"
        rf"|(?P<open>\((?:\?(?:{group}))?(?![?*]))|(?P<close>\))|(?P<times>{_TIMES})|(?P<sign>.)",
        re.DOTALL | re.ASCII,
    )


_ESCAPE = r"u[\dA-Fa-f]{4}|x[\dA-Fa-f]{2}|c[A-Za-z]"
_UNICODE = r"[pP]\{[\w=]+\}|u\{[\dA-Fa-f]+\}|"
_SET, _GROUP = r"\[(?:\\.|[^\]\\])*\]", r"<?[=!]|:|<[A-Za-z_]\w*>"
_NOTHING = r"(?:[*+?]|\{\d+(?:,\d*)?\})\+|(?:[\^$]|\\[bB])(?:[*+?]|\{\d+(?:,\d*)?\})"
"""Repetitions of what cannot be repeated."""
_JAVASCRIPT = _tokens(_ESCAPE, _SET, _GROUP, _NOTHING)
_JAVASCRIPT_UNICODE = _tokens(_UNICODE + _ESCAPE, _SET, _GROUP, _NOTHING)
_DATABASE, _VERBOSE = (
    _tokens(
        r"[pP]\{\^?\w+\}|x\{[\dA-Fa-f]+\}|x[\dA-Fa-f]{2}|c[A-Za-z]",
        r"\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]",
        r"<?[=!]|[:>|]|P?<[A-Za-z_]\w*>|[ims]*(?:-[ims]+)?:|\((?:\d+|<\w+>)\)",
        r"\(\?(?:\#[^)]*|R|[+-]?\d+|&\w+|P[>=]\w+|[ims]+)\)" + comment,
    )
    for comment in ("", r"|\#[^\n]*")
)

_SPACES = r"\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What is white space to JavaScript beyond that of ASCII."""
_COMMON = frozenset("dDwWsSbBnrtf")
"""Letters that mean the same behind a backslash in all of these languages."""
_OPTIONS = {"i": regex.I, "m": regex.M, "s": regex.S, "x": regex.X}


def javascript(source: str, flags: str = "", *, largest: int = LARGEST) -> regex.Pattern[str]:
    """Compile what stands between the slashes of a JavaScript regex.

    Args:
        source: The pattern.
        flags: What stands behind the second slash.
        largest: How large it may be.

    Raises:
        ValueError: It is no pattern, or too large.
    """
    signs = {
        "{": r"\{",
        "}": r"\}",
        ".": r"[\s\S]" if "s" in flags else r"[^\n\r\u2028\u2029]",
        "^": r"(?:^|(?<=[\r\u2028\u2029]))" if "m" in flags else "^",
        "$": r"(?=[\n\r\u2028\u2029]|\Z)" if "m" in flags else r"\Z",
    }

    def read(kind: str, text: str) -> str:
        if kind == "escape":
            return _javascript_escape(text, inside=False)
        if kind == "whole":
            raise ValueError("Nothing to repeat")
        if kind != "set":
            return signs.get(text, text)
        if text in ("[]", "[^]"):
            return "(?!)" if text == "[]" else r"[\s\S]"
        return "[" + _INSIDE.sub(lambda found: _javascript_escape(found[0], inside=True), text[1:-1]) + "]"

    tokens = _JAVASCRIPT_UNICODE if "u" in flags else _JAVASCRIPT
    return _compiled(source, tokens, read, flags, largest)


_INSIDE = re.compile(r"\[|\\(?:" + _UNICODE + _ESCAPE + "|.)", re.DOTALL | re.ASCII)


def _javascript_escape(text: str, *, inside: bool) -> str:
    """Translate an escape, or a bracket in a set; a letter without a meaning stands for itself."""
    letter = text[1:2]
    if text == "[":
        return r"\["
    if letter in ("s", "S"):
        if inside:
            return text + _SPACES if letter == "s" else text
        return f"[{'^' if letter == 'S' else ''}\\s{_SPACES}]"
    if letter == "c" and len(text) == 3:
        return f"\\x{ord(text[2]) % 32:02x}"
    if text.startswith(r"\u{"):
        return re.escape(chr(int(text[3:-1], 16)))
    if len(text) > 2 or letter in _COMMON or letter == "v" or not letter.isalpha():
        return text
    if letter == "k":
        raise ValueError("a group that is referred to by its name")
    return letter


def database(source: str, options: str = "") -> regex.Pattern[str]:
    """Compile the operand of `$regex` with its `$options`.

    Raises:
        ValueError: It is no pattern, it is too large, or the options are wrong.
    """
    if wrong := set(options) - _OPTIONS.keys():
        raise ValueError(f"invalid flag in regex options: {min(wrong)}")

    def read(kind: str, text: str) -> str:
        if kind == "escape":
            return _database_escape(text)
        if kind == "whole" and text[0] == "#":
            return ""
        return f"\\{text}" if text in ("{", "}") else text

    return _compiled(source, _VERBOSE if "x" in options else _DATABASE, read, options, LARGEST)


_DATABASE_ENDS = {r"\z": r"\Z", r"\Z": r"(?=\n?\Z)", r"\e": r"\x1b"}


def _database_escape(text: str) -> str:
    letter = text[1]
    if text.startswith(r"\x{"):
        return re.escape(chr(int(text[3:-1], 16)))
    if letter in _COMMON or letter in "aAGhHRXxpPc" or not (letter.isascii() and letter.isalpha()):
        return text
    if text not in _DATABASE_ENDS:
        raise ValueError(f"{text} means nothing in a pattern")
    return _DATABASE_ENDS[text]


def _compiled(
    source: str, tokens: re.Pattern[str], read: Read, flags: str, largest: int
) -> regex.Pattern[str]:
    """Compile a pattern once it is translated and known not to be too large.

    A search for a text of thousands of characters first makes a table, in a time that grows with their cube
    and that no timeout ends; it makes none for one of two alternatives.
    """
    try:
        text = "".join(_translated(source, tokens, read, largest))
        if len(text) > _LONG:
            text = "(?!)|" + text
        # \w is of ASCII alone, there; but here this flag also cuts what \p finds, and what has another case.
        ascii_alone = r"\p" not in source.lower() and (source.isascii() or "i" not in flags)
        options = regex.VERSION0 | (regex.ASCII if ascii_alone else regex.UNICODE)
        for flag in flags:
            options |= _OPTIONS.get(flag, 0)
        compiled: regex.Pattern[str] = regex.compile(text, options, cache_pattern=False)
    except (regex.error, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"Regular expression is invalid: {error}") from error
    return compiled


def _translated(source: str, tokens: re.Pattern[str], read: Read, largest: int) -> Iterator[str]:
    """Yield the parts of a pattern in the syntax of `regex`, as long as it is not too large."""
    if len(source) > largest:
        raise ValueError("regular expression is too large")
    groups, last, weight = [0], 0, 0  # weights of the groups that are open, of what may be repeated, of all
    for token in tokens.finditer(source):
        kind, text = token.lastgroup or "", token[0]
        if kind == "open":
            groups.append(0)
            more = 0
        elif kind == "close":
            last = groups.pop() + 1 if len(groups) > 1 else 1
            groups[-1] += last
            more = 1
        elif kind == "times":
            more = last * max(0, int(token["least"]) - 1)
            groups[-1] += more
        else:
            more = last = 1 + len(text) // _OF_SET
            groups[-1] += more
        weight += more
        if weight > largest:
            raise ValueError("regular expression is too large")
        if kind == "sign" and text in ("(", "["):
            raise ValueError(f"{text} opens nothing")
        yield read(kind, text)
