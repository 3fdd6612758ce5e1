"""A mapping: how the files of one source are to be understood, told once, in a TOML file.

encoding = "cp1252"
decimal = ","
text = ["serial"]          # columns whose cells are texts, as they are shown

[columns]                  # name in the file = name in the schema
"Host Name" = "hostname"

[words]
na = ["n/a", "-"]
true = ["ja"]
unit = ["EUR"]

[constants]                # a column that the file lacks = its text in all rows
status = "live"
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sispy.remedies import Message, nearest
from sispy.text import printable

from .atomic import replaced
from .options import ReadKeywords, ReadOptions, is_told

_KINDS: dict[str, Any] = {
    **dict.fromkeys(("encoding", "delimiter", "decimal", "thousands", "tz", "sheet", "at", "refs"), str),
    **dict.fromkeys(("dayfirst", "ignore_case"), bool),
    **dict.fromkeys(("header_row", "footer_rows"), int),
    "text": list,
}
"""What stands at the top of a mapping, and of which type."""
_TABLES = {"columns": "rename", "constants": "constants"}
"""Its tables, and the options that they are."""
_BARE = re.compile("[A-Za-z0-9_-]+")
"""Keys that TOML takes without quotes."""
_WORDS = ("na", "true", "false", "unit")
"""The lists in its table `words`."""


def read_options(given: Mapping[str, Any]) -> ReadOptions:
    """Return how a file is to be understood: as its mapping says where it is not told otherwise.

    Args:
        given: As for `ReadOptions`, and `mapping`, the path of a mapping.

    Raises:
        TypeError: There is no such option.
        ValueError: The file is no mapping, or an option has no such value.
        OSError: It cannot be read.
    """
    for name in given:
        if name not in ReadKeywords.__annotations__:
            raise TypeError(
                Message(f"there is no option {name!r}", nearest(name, ReadKeywords.__annotations__))
            )
    told = {name: value for name, value in given.items() if name != "mapping"}
    path = given.get("mapping")
    if path is None:
        return ReadOptions(**told)
    known = read_mapping(path)
    for name, value in told.items():
        if isinstance(value, Mapping):
            known[name] = {**known.get(name, {}), **value}
        elif is_told(name, value) or name not in known:
            known[name] = value
    return ReadOptions(**known)


def read_mapping(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the options that a mapping tells.

    Raises:
        ValueError: It is not a mapping; the message names what is wrong.
        OSError: It cannot be read.
    """
    name = printable(str(path))
    try:
        with Path(path).open("rb") as file:
            found = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{name} is not a mapping in TOML: {error}") from None
    options: dict[str, Any] = {}
    for key, value in found.items():
        if key in _KINDS:
            if type(value) is not _KINDS[key]:
                raise ValueError(f"{name}: {key} is {value!r}, not of type {_KINDS[key].__name__}")
            options[key] = _words(value, key, name) if key == "text" else value
        elif key in _TABLES and isinstance(value, dict):
            options[_TABLES[key]] = {of: _text(value[of], f"{name}: {key}.{of}") for of in value}
        elif key == "words" and isinstance(value, dict):
            for word in value:
                if word not in _WORDS:
                    raise ValueError(Message(f"{name}: words.{word} is not an option", nearest(word, _WORDS)))
                options[word] = _words(value[word], f"words.{word}", name)
        elif key in (*_TABLES, "words"):
            raise ValueError(f"{name}: {key} is a table: put what it holds below a line [{key}]")
        else:
            known = [*_KINDS, *_TABLES, "words"]
            raise ValueError(Message(f"{name}: {key!r} is not an option", nearest(key, known)))
    return options


def _text(value: Any, place: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"{place} is {value!r}: write it as a text")


def _words(value: Any, place: str, name: str) -> list[str]:
    if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise ValueError(f"{name}: {place} is {value!r}, not a list of texts")
    return value


def write_mapping(path: str | os.PathLike[str], options: ReadOptions) -> None:
    """Write what was used to read a file as a mapping, for the next one of its source.

    Raises:
        OSError: It cannot be written.
    """
    lines = [f"{key} = {_toml(getattr(options, key))}" for key in _KINDS if _is_told(options, key)]
    tables = {
        "columns": options.rename,
        "words": {word: list(getattr(options, word)) for word in _WORDS if getattr(options, word)},
        "constants": options.constants,
    }
    for name, table in tables.items():
        if table:
            lines += ["", f"[{name}]", *(f"{_key(key)} = {_toml(value)}" for key, value in table.items())]
    with replaced(Path(path)) as file:
        file.write("\n".join(lines).lstrip("\n") + "\n")


def _is_told(options: ReadOptions, key: str) -> bool:
    return key in options.told and (key != "refs" or options.refs != "id")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _toml(name)


def _toml(value: Any) -> str:
    """Return a value in TOML, whose texts and lists are those of JSON but for one character."""
    plain = list(value) if isinstance(value, tuple) else value
    plain = plain if isinstance(plain, bool | int | list) else str(plain)
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")
