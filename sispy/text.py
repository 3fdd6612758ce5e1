"""Texts from a server, made fit for people: secrets masked, pages cut down to their words."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"


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
        text = re.sub(r"(?is)<(script|style|head)\b.*?</\1\s*>|<[^>]*>", " ", text)
        text = html.unescape(text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
