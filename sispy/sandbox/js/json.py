"""JSON as the server reads and writes it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(value: Any) -> bytes:
    """Encode a JSON value."""
    return _encoder.encode(value)


def decode(content: bytes) -> Any:
    """Decode JSON text; `NaN` and its like are errors, lone surrogates become U+FFFD as in JavaScript.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
    """
    try:
        return _decoder.decode(content)
    except msgspec.DecodeError:
        return _repair(
            json.loads(content.decode(), parse_int=_integer, parse_constant=_refuse, object_pairs_hook=_whole)
        )


def _integer(text: str) -> float:
    """Read an integer; one that no double can hold is infinite."""
    return int(text) if len(text) < 400 else float(text)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {_repair(key): _repair(value) for key, value in pairs}


def _repair(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_repair(item) for item in value]
    return value
