"""Foreign texts, made fit for people: what cannot be seen is shown, long ones are cut, secrets masked.

Whatever a server or a file holds goes through `printable` (or what is built on it) before it reaches a
terminal, a log, a message, Markdown or a page. Frames and data files keep exact values.
"""

from __future__ import annotations

import html
import json
import numbers
import os.path
import re
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

MASK = "***"
WIDTH = 40
"""Characters of a value that are shown beside others."""
SENTENCE = 500
"""Characters of a line of words, or of a cell of a table, that are shown."""
_STUMP = 8
"""Columns below which a cell that is cut says little."""
_CONTEXT = 12
"""Characters that are shown before the first difference of two long texts."""
_IGNORABLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_INVISIBLE = re.compile(f"[{_IGNORABLE}]")
"""Letters and marks that leave no trace, which `str.isprintable` takes for printable."""


def printable(text: object, *, lines: bool = False) -> str:
    r"""Return a text in which every character can be seen: others are written as escapes.

    Those are control characters, marks that turn the direction of writing, characters without width, blanks
    other than the space, halves of surrogate pairs and separators of lines.

    >>> printable("a\x1b[2J\u202eb")
    'a\\x1b[2J\\u202eb'

    Args:
        text: Anything; of what is not text, its `str`.
        lines: The text has several lines by design: their ends stay.
    """
    whole = text if isinstance(text, str) else str(text)
    if whole.isprintable() and (whole.isascii() or not _INVISIBLE.search(whole)):
        return whole
    if lines:
        return "\n".join(map(printable, whole.split("\n")))
    return "".join(map(_seen, whole))


def _seen(char: str) -> str:
    return (
        char
        if char.isprintable() and not _INVISIBLE.match(char)
        else char.encode("unicode_escape").decode("ascii")
    )


def json_seen(value: Any, **options: Any) -> str:
    r"""Return a value as JSON in readable characters, what cannot be seen as JSON's own escapes: exact.

    >>> json_seen({"name": "Zo\u00eb\u202e"})
    '{"name": "Zoë\\u202e"}'

    Args:
        value: What JSON has.
        options: Of `json.dumps`.
    """
    text = json.dumps(value, ensure_ascii=False, **options)
    if printable(text, lines=True) == text:
        return text
    return "".join(char if char == "\n" or _seen(char) == char else json.dumps(char)[1:-1] for char in text)


def in_html(text: object) -> str:
    """Return a text as it stands in a page: printable, and no markup."""
    return html.escape(printable(text, lines=True))


def shorten(text: object, width: int = WIDTH) -> str:
    """Return a text on one line, printable; a long one ends with its length in characters.

    >>> shorten("k" * 30_000, 8)
    'kkkkk... (30,000 characters)'
    """
    return _window(text if isinstance(text, str) else str(text), 0, width)


def shorten_apart(*texts: str, width: int = WIDTH) -> list[str]:
    """Return texts as `shorten` would, but long ones cut around the place where they begin to differ.

    >>> shorten_apart("a" * 100 + "b", "a" * 100 + "c", width=12)
    ['...aaab (101 characters)', '...aaac (101 characters)']
    """
    if max(map(len, texts)) <= width:
        return list(map(printable, texts))
    given = {text for text in texts if text}
    same = len(os.path.commonprefix(list(given))) if len(given) > 1 else 0  # noqa: RUF071 - of characters
    start = max(0, same - min(_CONTEXT, (width - 6) // 2))
    return [_window(text, start, width) for text in texts]


def _window(text: str, start: int, width: int) -> str:
    """Return what fits of a text from a character on, with dots where something is left out."""
    if len(text) <= width:
        return printable(text)
    start = min(start, len(text) - 1)
    start = 0 if start <= 3 else start
    part = text[start : start + max(1, width - (6 if start else 3))]
    rest = start + len(part) < len(text)
    return f"{'...' if start else ''}{printable(part)}{'...' if rest else ''} ({len(text):,} characters)"


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def cut(text: str, limit: int) -> str:
    """Shorten a text to a number of columns; the last one shows that something was cut."""
    if cells(text) <= limit:
        return text
    kept, used = [], 1
    for char in text:
        used += cells(char)
        if used > limit:
            break
        kept.append(char)
    return "".join(kept) + "…"


def fitted(text: str, limit: int | None) -> str:
    """Return a text whose lines are broken at words where they are wider than a number of columns."""
    if limit is None:
        return text
    return "\n".join(
        "\n".join(textwrap.wrap(line, limit, break_on_hyphens=False, break_long_words=False)) if line else ""
        for line in text.split("\n")
    )


def aligned(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    limit: int | None = None,
    wrap: bool = False,
    keep: Collection[str] = (),
    spare: Sequence[str] = (),
) -> list[list[str]]:
    """Return the lines of each row of a table, its head first: cells below each other, numbers to the right.

    Args:
        head: Titles of the columns.
        rows: Cells of each row, as many as there are titles.
        limit: Columns there are to print in; the widest columns are cut until the table fits. None: no limit.
        wrap: Break the texts of the last column into several lines instead of cutting them.
        keep: Titles of columns that are never cut.
        spare: Titles of columns that are left out, the last first, where the others would be cut to stumps.
    """
    body = [list(row) for row in rows]
    texts = [[shorten("" if cell is None else cell, SENTENCE) for cell in row] for row in (head, *body)]
    right = [bool(body) and all(_is_number(row[i]) for row in body) for i in range(len(head))]
    wanted = [max(cells(row[i]) for row in texts) for i in range(len(head))]
    least = [size if title in keep else min(size, _STUMP) for title, size in zip(head, wanted, strict=True)]
    shown = list(range(len(head)))
    for title in reversed(spare):
        if limit is not None and _whole([least[i] for i in shown]) > limit:
            shown.remove(head.index(title))
    widths = _fit([wanted[i] for i in shown], limit, [n for n, i in enumerate(shown) if head[i] not in keep])
    is_right = [right[i] for i in shown]
    wrap = wrap and shown[-1] == len(head) - 1
    return [_lines([row[i] for i in shown], widths, is_right, wrap=wrap) for row in texts]


def _lines(row: Sequence[str], widths: Sequence[int], right: Sequence[bool], *, wrap: bool) -> list[str]:
    """Return a row as one line, or several where its last cell is wrapped."""
    shown = [cut(text, size) for text, size in zip(row, widths, strict=True)]
    more: list[str] = []
    if wrap and cells(row[-1]) > widths[-1]:
        shown[-1], *more = textwrap.wrap(row[-1], widths[-1], break_on_hyphens=False)
    pads = [" " * (size - cells(text)) for text, size in zip(shown, widths, strict=True)]
    line = "  ".join(
        pad + text if is_right else text + pad for text, pad, is_right in zip(shown, pads, right, strict=True)
    )
    indent = " " * (sum(widths[:-1]) + 2 * (len(widths) - 1))
    return [line.rstrip(), *(indent + rest for rest in more)]


def _is_number(cell: object) -> bool:
    return cell is None or (isinstance(cell, numbers.Real) and not isinstance(cell, bool))


def _whole(widths: Sequence[int]) -> int:
    """Return how wide a table of such columns is."""
    return sum(widths) + 2 * (len(widths) - 1)


def _fit(widths: list[int], limit: int | None, elastic: Sequence[int]) -> list[int]:
    """Narrow the widest of the elastic columns, a step at a time, until all fit; none below 4."""
    widths = list(widths)
    while limit is not None and _whole(widths) > limit:
        widest = max(elastic, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= 4:
            break
        widths[widest] -= 1
    return widths


def mask(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret in the text by `***`; secrets below 4 characters would hit words and stay."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, MASK)
    return text


def mask_deep(value: Any, secrets: Iterable[str]) -> Any:
    """Return a copy of a JSON value with every secret in its strings and keys masked."""
    secrets = tuple(secrets)
    if isinstance(value, str):
        return mask(value, secrets)
    if isinstance(value, list):
        return [mask_deep(item, secrets) for item in value]
    if isinstance(value, dict):
        return {mask(key, secrets): mask_deep(item, secrets) for key, item in value.items()}
    return value


def mask_path(path: str, secrets: Iterable[str] = ()) -> str:
    """Mask what stands below `/tokens/` in a path, and every known secret."""
    return mask(re.sub(r"(?i)(/tokens/)[^/?]+", rf"\1{MASK}", path), secrets)


def as_object(body: bytes) -> dict[str, Any]:
    """Decode a body that should be a JSON object; empty if it is anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def excerpt(body: bytes, limit: int = 200) -> str:
    """Return the readable words of a body, at most `limit` characters: of HTML pages without tags."""
    text = body[:20_000].decode("utf-8", "replace")
    if re.match(r"\s*<", text):
        text = re.sub(r"(?is)<(script|style|head)\b.*?(?:</\1\s*>|\Z)|<[^<>]*>", " ", text)
        text = html.unescape(text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
