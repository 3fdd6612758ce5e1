r"""The language of filters, as people type it: text to conditions and back.

| filter | finds rows where |
|---|---|
| `status = live`, `name = "web 1"` | the field has this value; put texts with blanks in quotes |
| `bought = 2024-01-31`, `bought = 2024-01` | the date is any time of that day, that month (or year), in UTC |
| `status != live` | the field has another value, or none |
| `price > 8`, `price >= 8`, `price < 8`, `price <= 8` | it is above or below; texts by their characters |
| `status in live,planned`, `status in (live, planned)` | the value is one of these |
| `status nin live,planned`, `status not in live,planned` | the value is none of these |
| `name ~ ^web`, `name ~ /^web/i` | the regular expression is found in the text; `i` for any case |
| `name !~ ^web` | it is not found |
| `name like "^web.*"` | it is found, in any case |
| `name not like "^web.*"` | it is not found, in any case |
| `rack is empty` | there is no value, an empty text, or an empty list |
| `rack is not empty` | there is one |
| `not status = live` | the condition is not met |
| `role = web and price > 1`, `role = web or price > 1` | both are met; one is |
| `(status = live or not role = web) and price > 1` | parentheses bind first, then `not`, `and`, `or` |

* A path leads into documents, members of arrays and rows that are referred to: `os.version`, `interfaces.up`,
  `rack.site.name`. Where there are several values, one that meets the condition is enough; `!=`, `nin`, `!~`,
  `not like` and `is empty` find exactly the rows that `=`, `in`, `~`, `like` and `is not empty` do not.
  `interfaces.0.up` is of the first member alone; a path through a reference takes no such number.
* Words may be in any case, blanks around symbols may be left out: `cpus>=8`.
* A value or a name with blanks, and a value that begins with a quote, is put in quotes: `'New York'` or
  `"New York"`. In them `\` before the quote or before another backslash makes it literal; all other
  backslashes are themselves, as in `"web\d"`. Without quotes all of them are, and so they are in the
  quotes of a text processor: `“New York”`.
* A comma parts values only behind `in` and `nin`, and there also in a single quoted text. Between parentheses
  quoted texts are whole.
* Below Mixed, where the server casts nothing, `3` is a number and `true` a boolean; `"3"` is a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

EQUAL = ("=", "!=", "in", "nin")
ORDER = (">", ">=", "<", "<=")
SEARCH = ("~", "!~", "like", "not like")
EMPTY = ("is empty", "is not empty")

LONGEST = 10_000
"""Characters of a filter: it travels in a URL."""
DEEPEST = 30
"""Parentheses and `not` within each other; a server's queries have about twice as many levels."""

_SHOWN = 80
_DOUBLE, _SINGLE = "“”„«»", "\u2018\u2019\u201a"
_QUOTES = f"\"'{_DOUBLE}{_SINGLE}"
"""Those of a keyboard, and those that a text processor makes of them."""
_PATH = re.compile(rf"[^\s=!<>~(),{_QUOTES}][^\s=!<>~(),]*")
_SYMBOL = re.compile(r"!=|>=|<=|!~|[=<>~]")
_WORD = re.compile(
    rf"(is\s+not\s+empty|is\s+empty|not\s+like|not\s+in|like|nin|in)(?![^\s(){_QUOTES}])", re.IGNORECASE
)
_JOIN = re.compile(rf"(and|or)(?![^\s(){_QUOTES}])", re.IGNORECASE)
_NOT = re.compile(rf"not(?![^\s(){_QUOTES}])(?!\s*[=!<>~])", re.IGNORECASE)
_QUOTED = re.compile(
    r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'"
    rf"|[{_DOUBLE}][^{_DOUBLE}]*[{_DOUBLE}]|[{_SINGLE}][^{_SINGLE}]*[{_SINGLE}]",
    re.DOTALL,
)
_QUOTE = re.compile(f"[{_QUOTES}]")
_SLASHES = re.compile(r"/((?:[^/\\\[]|\\.|\[(?:[^\]\\]|\\.)+\])+)/([imsx]*)(?=[\s)]|$)")
_PLAIN = re.compile(rf"[^\s(),/\\=!<>~\[{_QUOTES}][^\s()\"',\\\[]*")
_NETWORK = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}/(8|16|24)")
_FOREIGN = {"==": "=", "===": "=", "<>": "!=", "!==": "!=", "=~": "~", "=>": ">=", "=<": "<="}
"""Operators of other languages, and what they are here."""
_MEANT = {
    **dict.fromkeys(("contains", "has", "includes", "matches", "regex", "regexp", "rlike"), "{0} ~ ..."),
    **dict.fromkeys(("startswith", "starts", "beginswith", "begins"), "{0} ~ ^..."),
    **dict.fromkeys(("endswith", "ends"), "{0} ~ ...$"),
    **dict.fromkeys(("is", "isnull", "null", "exists", "missing"), "{0} is empty' or '{0} is not empty"),
    **dict.fromkeys(("equals", "eq", "equal"), "{0} = ..."),
    "between": "{0} >= ... and {0} <= ...",
    "ne": "{0} != ...",
    "gt": "{0} > ...",
    "ge": "{0} >= ...",
    "gte": "{0} >= ...",
    "lt": "{0} < ...",
    "le": "{0} <= ...",
    "lte": "{0} <= ...",
}
"""Words of other languages, and what is typed here."""
_JOINED = {"&&": "and", "&": "and", "||": "or", "|": "or"}


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was typed: what was in quotes is a text in all places."""

    text: str
    is_quoted: bool = False

    @classmethod
    def of(cls, text: str) -> Value:
        """Make a value of any text, in quotes where they are needed."""
        return cls(text, not _PLAIN.fullmatch(text))

    def __str__(self) -> str:
        return _quote(self.text) if self.is_quoted else self.text

    @property
    def pattern(self) -> tuple[str, str]:
        """Return it as a regex and its options: `/x/i` without quotes has some."""
        found = None if self.is_quoted else _SLASHES.fullmatch(self.text)
        return (found[1], found[2]) if found else (self.text, "")


@dataclass(frozen=True, slots=True)
class Condition:
    """A path, an operator of EQUAL, ORDER, SEARCH or EMPTY, and its values: several for `in` and `nin`."""

    path: str
    operator: str
    values: tuple[Value, ...] = ()

    def __str__(self) -> str:
        is_plain = _PATH.fullmatch(self.path) and not _NOT.fullmatch(self.path)
        path = self.path if is_plain else _quote(self.path)
        if self.operator not in ("in", "nin"):
            return " ".join([path, self.operator, *map(str, self.values)])
        is_list = not any(v.is_quoted or v.text.startswith("(") for v in self.values)
        values = ", ".join(map(str, self.values))
        return f"{path} {self.operator} {values if is_list else f'({values})'}"


@dataclass(frozen=True, slots=True)
class Not:
    """What a filter does not find."""

    part: Filter

    def __str__(self) -> str:
        return f"not ({self.part})" if isinstance(self.part, Group) else f"not {self.part}"


@dataclass(frozen=True, slots=True)
class Group:
    """Two or more filters, all of which have to be met ("and") or one ("or")."""

    operator: str
    parts: tuple[Filter, ...]

    def __str__(self) -> str:
        texts = (f"({part})" if isinstance(part, Group) else str(part) for part in self.parts)
        return f" {self.operator} ".join(texts)


Filter = Condition | Not | Group


def joined(operator: str, parts: list[Filter]) -> Filter:
    """Return filters joined by "and" or "or", in one group; there has to be one at least."""
    flat: list[Filter] = []
    for part in parts:
        flat += part.parts if isinstance(part, Group) and part.operator == operator else (part,)
    return flat[0] if len(flat) == 1 else Group(operator, tuple(flat))


def meant_for(found: Filter) -> str | None:
    """Return in words what `*`, `%` or a network in a filter may have been meant for; None: it has none."""
    if isinstance(found, Not):
        return meant_for(found.part)
    if isinstance(found, Group):
        return next(filter(None, map(meant_for, found.parts)), None)
    text = found.values[0].text if found.values else ""
    if found.operator in EQUAL and (network := _NETWORK.fullmatch(text)):
        bytes_ = text.split(".")[: int(network[1]) // 8]
        meant = Condition(found.path, "~", (Value("^" + "".join(rf"{byte}\." for byte in bytes_)),))
        return f"{text!r} is taken as it is; the addresses of a network are found by '{meant}'"
    if not text or not {text[0], text[-1]} & {"*", "%"} or found.operator in ORDER:
        return None
    if found.operator in SEARCH and "%" not in text:
        return None
    start = "" if text[0] in "*%" else "^"
    end = "" if text[-1] in "*%" else "$"
    meant = Condition(found.path, "~", (Value.of(f"{start}{text.strip('*%')}{end}"),))
    return f"{text!r} is taken as it is; a part of a text is found by '{meant}'"


def parse(text: str) -> Filter:
    """Read a filter; `str` of what it returns is a text that means the same.

    >>> str(parse("a>1 AND (b like 'x.*' or c in 'p,q')"))
    'a > 1 and (b like "x.*" or c in p, q)'

    Raises:
        ValueError: The text is no filter; the message says where, and what was expected.
        TypeError: It is not text.
    """
    if not isinstance(text, str):
        raise TypeError(f"a filter is a text such as 'status = live', got {type(text).__name__}")
    return _Reader(text).whole()


class _Reader:
    """A text and how far it was read. Each method reads one rule of the language, and blanks before it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._value_at = 0
        """Where the last value without quotes begins; 0: something else was read since."""

    def whole(self) -> Filter:
        if not self._text.strip():
            raise ValueError("the filter is empty: one is 'status = live'; leave it out to find all rows")
        if len(self._text) > LONGEST:
            raise self._error(f"a filter has at most {LONGEST:,} characters, this one {len(self._text):,}")
        if any("\ud800" <= char <= "\udfff" for char in self._text):
            raise self._error("it holds half a character")
        found = self._or()
        if self._next():
            raise self._error("a ) closes nothing" if self._next() == ")" else self._misplaced())
        return found

    def _or(self) -> Filter:
        return self._chain("or", lambda: self._chain("and", self._not))

    def _chain(self, word: str, part: Callable[[], Filter]) -> Filter:
        parts = [part()]
        while (found := self._peek(_JOIN)) and found[1].lower() == word:
            self._at = found.end()
            parts.append(part())
        return joined(word, parts)

    def _not(self) -> Filter:
        if self._take(_NOT):
            return Not(self._deeper(self._not))
        if self._next() != "(":
            return self._condition()
        self._at += 1
        found = self._deeper(self._or)
        if self._next() != ")":
            raise self._error(self._misplaced() if self._next() else "a ) is missing at the end")
        self._at += 1
        return found

    def _deeper(self, rule: Callable[[], Filter]) -> Filter:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"it is nested more than {DEEPEST} levels deep")
        found = rule()
        self._depth -= 1
        return found

    def _condition(self) -> Filter:
        self._value_at = 0
        path = self._path()
        word = self._take(_WORD)
        if word:
            operator = " ".join(word[1].lower().split())
            operator = "nin" if operator == "not in" else operator
        else:
            operator = self._symbol(path)
        if operator in EMPTY:
            return Condition(path, operator)
        if not self._next() or self._next() == ")":
            raise self._error(f"no value after {operator!r}; to find rows without one: '{path} is empty'")
        if operator in ("in", "nin"):
            return Condition(path, operator, self._list())
        return Condition(path, operator, (self._value(searched=operator in SEARCH),))

    def _path(self) -> str:
        if self._peek(_QUOTE):
            path = self._quoted()
        else:
            found = self._take(_PATH)
            path = found[0] if found else ""
        if not path:
            if self._next() == "!":
                raise self._error("there is no '!' before a condition: it is 'not' here")
            where = f"before {self._rest()!r}" if self._next() else "at the end"
            raise self._error(f"the name of a field is missing {where}")
        return path

    def _symbol(self, path: str) -> str:
        found = self._take(_SYMBOL)
        if not found:
            if self._next() and self._next() not in "()":
                typed = self._rest().split()[0]
                if meant := _MEANT.get(typed.lower()):
                    raise self._error(f"there is no operator {typed!r}: it is '{meant.format(path)}' here")
                raise self._error(
                    f"after {path!r} comes no operator but {typed!r}: there are "
                    f"{', '.join((*EQUAL, *ORDER, *SEARCH, *EMPTY))}; a text with blanks is put in quotes"
                )
            raise self._error(f"after {path!r} an operator and a value are missing, as in 'status = live'")
        signs = re.compile(r"[=!<>~]*").match(self._text, found.start())
        if signs and len(signs[0]) > len(found[0]):
            meant = _FOREIGN.get(signs[0])
            hint = (
                f"it is {meant!r} here"
                if meant
                else f'a value that begins so is put in quotes: {path} {found[0]} "..."'
            )
            raise self._error(f"there is no operator {signs[0]!r}: {hint}")
        return found[0]

    def _list(self) -> tuple[Value, ...]:
        is_closed = self._next() == "("
        self._at += is_closed
        if self._next() == "[":
            raise self._error(
                "a list is put in parentheses, (a, b), and a value that begins with [ in quotes"
            )
        values = [self._value(stop=",")]
        while self._next() == ",":
            self._at += 1
            values.append(self._value(stop=","))
        if is_closed:
            if self._next() != ")":
                raise self._error(self._misplaced() if self._next() else "a ) is missing at the end")
            self._at += 1
        elif len(values) == 1 and values[0].is_quoted:
            parts = [part.strip() for part in values[0].text.split(",")]
            if not all(parts):
                raise self._error("a value is missing beside a comma")
            values = list(map(Value.of, parts))
        return tuple(values)

    def _value(self, *, stop: str = "", searched: bool = False) -> Value:
        """Read a value: with `stop`, up to this sign; `searched`: it may be a regex in slashes."""
        if self._peek(_QUOTE):
            self._value_at = 0
            return Value(self._quoted(), is_quoted=True)
        if searched and (found := self._take(_SLASHES)):
            return Value(found[0])
        start, depth = self._at, 0
        self._value_at = start
        atoms = _ATOMS if searched else _SIGNS
        while (atom := atoms.match(self._text, self._at)) and atom[0] != stop:
            depth += (atom[0] == "(") - (atom[0] == ")")
            if depth < 0:
                break
            self._at = atom.end()
        text = self._text[start : self._at]
        if depth > 0:
            raise self._error(f"a ( is not closed in {text!r}: a value with blanks is put in quotes")
        if not text and stop:
            raise self._error("a value is missing beside a comma")
        return Value(text)

    def _quoted(self) -> str:
        found = self._take(_QUOTED)
        if not found:
            raise self._error(f"the quote before {self._rest()[1:]!r} is not closed")
        mark, text = found[0][0], found[0][1:-1]
        if re.compile(r"[^\s),=!<>~]").match(self._text, self._at):
            inside = f"written \\{mark}" if mark in "\"'" else 'put in plain quotes, "..."'
            raise self._error(f"{self._rest()!r} follows a closing quote; within a text it is {inside}")
        return text if mark not in "\"'" else re.sub(rf"\\([{mark}\\])", r"\1", text)

    # What the rules are made of

    def _next(self) -> str:
        """Skip blanks and return the sign that follows; nothing at the end."""
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _peek(self, form: re.Pattern[str]) -> re.Match[str] | None:
        self._next()
        return form.match(self._text, self._at)

    def _take(self, form: re.Pattern[str]) -> re.Match[str] | None:
        found = self._peek(form)
        if found:
            self._at = found.end()
        return found

    def _rest(self) -> str:
        return _short(self._text[self._at :].strip())

    def _misplaced(self) -> str:
        """Return in words what stands where `and` or `or` should: mostly the second word of a value."""
        sign = self._rest().split(maxsplit=1)[0]
        if sign in _JOINED:
            return f"there is no {sign!r}: it is {_JOINED[sign]!r} here"
        missing = f"'and' or 'or' is missing before {self._rest()!r}"
        if not self._value_at:
            return missing
        tail = re.split(r"\s+(?:and|or)\s", self._text[self._at :], maxsplit=1, flags=re.IGNORECASE)[0]
        tail = tail if "(" in tail else tail.partition(")")[0]
        value = self._text[self._value_at : self._at] + tail.rstrip()
        return f"{missing}; a value with blanks is put in quotes: {_short(_quote(value))}"

    def _error(self, reason: str) -> ValueError:
        return ValueError(f"filter {_short(self._text)!r}: {reason}")


_SIGNS = re.compile(r"[^\s(),]+|[(),]")
_ATOMS = re.compile(r"\\.|\[\^?\]?(?:\[:\w+:\]|[^\[\]\\\s]|\\.)*\]|[^\s(),\\\[]+|[^\s]")
"""What a value without quotes consists of: in a regex, escaped signs and brackets are whole."""


def _quote(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
