"""In which encoding a text file is: what its bytes tell, and what the cells tell that nobody touched."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any

from sispy.remedies import Argument, Message
from sispy.text import printable

from ..values.types.boolean import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

USUAL = "cp1252"
"""What a file is taken for that is not in UTF-8."""
AS_BYTES = "latin-1"
"""What every file can be read in, each byte as one character."""
ASKED = Argument("encoding", "says in which one it is")
GUESSED = Message(
    "the file is not in UTF-8: it was read as Windows-1252",
    Argument("encoding", "says so, another name reads another one", USUAL),
)
_UNMARKED = {
    name: Message(
        f"the file has no mark of its encoding: it was read as {name}",
        Argument("encoding", "says so, another name reads another one", name),
    )
    for name in ("utf-16-le", "utf-16-be")
}
_OTHERS = (
    *("cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "mac_roman", "mac_latin2"),
    *("cp437", "cp850", "cp852", "cp866", "cp932", "gb18030", "big5", "euc_kr", "koi8_r", "iso8859_2"),
)
"""What programs save in, besides: in the order in which they are tried."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_IN_NUMBERS = frozenset("\u00a0\u2009\u202f\N{RIGHT SINGLE QUOTATION MARK}")
"""What stands between thousands."""
_HEAD = 1 << 12
"""Bytes that are looked at for the zeros of UTF-16."""
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NO_1252 = re.compile(
    rb"[\x81\x8d\x8f\x90\x9d]"  # it has no such characters
    rb"|[a-z][\x80\x82\x84\x86\x87\x89\x8b\x93\x94\x98\x9b\xa1-\xa6\xa8\xac][a-z]"
    rb"|[\xc0-\xff]{4}|[\x80-\x84\x86-\x94\x98-\x9f\xa1-\xff]{6}",  # a sign amid letters; another script
)
"""What no text of Windows-1252 has."""

_BESIDE = r"[\u00a8\u00af\u00b8\u02c7\u02d8-\u02dd\u200c-\u200f]"
_NO_TEXT = re.compile(rf"[\ufffd\x80-\x9f]|[A-Za-z]{_BESIDE}|{_BESIDE}[A-Za-z]")
"""What no text has: characters that there are not, or that nobody sees, and an accent beside its letter."""


_AS_READ = {ord(bytes([code]).decode(USUAL, "ignore") or chr(code)): code for code in range(0x80, 0x100)}
"""Character of Windows-1252 -> its byte."""
_SECOND = "".join(chr(sign) for sign, code in _AS_READ.items() if code < 0xC0) + "\x80-\xbf"
_TWICE = re.compile(f"[\xc2-\xdf][{_SECOND}]|[\xe0-\xef][{_SECOND}]{{2}}|[\xf0-\xf4][{_SECOND}]{{3}}")
"""A character in UTF-8 whose bytes were read as Windows-1252."""


class EncodingUnknown(ValueError):  # noqa: N818 - the state that a file is in
    """Nobody can tell in which encoding a file is."""


def known_encoding(data: bytes | bytearray) -> str | None:
    """Return the encoding that the first bytes of a file tell; None if they tell none."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    head = bytes(data[:_HEAD])
    even, odd = head[::2].count(0), head[1::2].count(0)
    if 2 * odd > len(head[1::2]) and not even:
        return "utf-16-le"
    return "utf-16-be" if 2 * even > len(head[::2]) and not odd else None


def decode(
    data: bytes | bytearray, name: object, encoding: str | None, *, guess: bool = True
) -> tuple[str, str, Message | None]:
    """Return the text of a file, its encoding, and what to say if that is a guess.

    Args:
        data: The bytes.
        name: Of the file, for messages.
        encoding: In which it is said to be.
        guess: It may be in Windows-1252, too.

    Raises:
        EncodingUnknown: It is in none of the encodings that can be told without being told.
        ValueError: It is not in the encoding that was told, or there is none of that name.
    """
    known = encoding or known_encoding(data)
    try:
        return (
            data.decode(known or "utf-8"),
            known or "utf-8",
            None if encoding else _UNMARKED.get(known or ""),
        )
    except LookupError:
        raise ValueError(f"there is no encoding {encoding!r}: cp1252, cp1250 and utf-16 are some") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        if known:
            raise ValueError(f"{printable(name)} is not in the encoding {known}: line {line:,}") from None
    lines = f"{printable(name)}, line {line:,}"
    if not guess:
        raise EncodingUnknown(Message(f"{lines}: no text in UTF-8", ASKED))
    high = sum(map(len, re.findall(rb"[\x80-\xff]+", data)))
    if 2 * sum(map(len, _UTF8.findall(data))) > high:
        raise EncodingUnknown(Message(f"{lines}: text in UTF-8 that was damaged", ASKED))
    if _NO_1252.search(data):
        raise EncodingUnknown(Message(f"{lines}: neither UTF-8 nor Windows-1252: save it as UTF-8", ASKED))
    return data.decode(USUAL), USUAL, GUESSED


def read_once(text: str) -> str | None:
    r"""Return the text that was saved in UTF-8, read as Windows-1252 and saved so; None if it was not.

    >>> read_once("K\xc3\xb6ln \xe2\u20ac\u201c Bahnhof"), read_once("K\xf6ln"), read_once("Koeln")
    ('K\xf6ln \u2013 Bahnhof', None, None)
    """
    if text.isascii() or not _TWICE.sub("", text).isascii():
        return None
    try:
        found = text.translate(_AS_READ).encode(AS_BYTES).decode()
    except UnicodeDecodeError:
        return None
    return found if found.isprintable() else None


def own_encoding(
    cells: Mapping[tuple[str, Any], int], every: Collection[str], least: int, sure: float
) -> str | None:
    """Return the encoding in which cells mean what was exported; None where none leaves no doubt.

    Args:
        cells: (Cell as bytes, each as one character; what was exported) -> how often that is so.
        every: All cells of the file, in the same form, that are not of ASCII.
        least: Cells that must be unchanged.
        sure: Part that must be, in this encoding and in no other one that reads the file as another text, of
            those that are unchanged in any; and half of all.
    """
    kept = {name: {one for one in cells if _means(_read(one[0], name), one[1])} for name in (USUAL, *_OTHERS)}
    telling = sum(cells[one] for one in set().union(*kept.values()))
    enough = max(least, sure * telling, sum(cells.values()) / 2)
    all_cells = {*every, *(cell for cell, _ in cells)}
    found = {
        name: {cell: _read(cell, name) for cell in all_cells}
        for name, ones in kept.items()
        if sum(cells[one] for one in ones) >= enough
    }
    if not _are_alike(found):
        found = {
            name: texts for name, texts in found.items() if not any(map(_NO_TEXT.search, texts.values()))
        }
    return next(iter(found)) if found and _are_alike(found) else None


def _are_alike(readings: Mapping[str, Mapping[str, str]]) -> bool:
    found = list(readings.values())
    return all(texts == found[0] for texts in found)


def _read(cell: str, name: str) -> str:
    return cell.encode(AS_BYTES).decode(name, "replace")


def _means(text: str, before: Any) -> bool:
    """Return whether a text is what was exported: text, a word for a boolean, or blanks between thousands."""
    if isinstance(before, str):
        return text == before
    if isinstance(before, bool):
        return WORDS.get(text.strip().lower()) is before
    return all(char.isascii() or char in _IN_NUMBERS for char in text)
