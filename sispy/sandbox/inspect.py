"""Values in error texts, as Node.js shows them."""

from __future__ import annotations

import re
from typing import Any

from sispy.sandbox.numbers import text_of_number

_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_DEPTH = 2
_MEMBERS = 100


def inspect(value: Any, depth: int = 0) -> str:
    """Show a JSON value as Node.js's `util.inspect`: `{ a: [ 1, 'x' ] }`.

    Example:
        >>> inspect({"a": [1, None, "x"], "b-c": {"d": {"e": {}}}})
        "{ a: [ 1, null, 'x' ], 'b-c': { d: [Object] } }"
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    if isinstance(value, dict):
        if not value:
            return "{}"
        if depth >= _DEPTH:
            return "[Object]"
        shown = (
            f"{key if _NAME.fullmatch(key) else inspect(key)}: {inspect(one, depth + 1)}"
            for key, one in value.items()
        )
        return f"{{ {', '.join(shown)} }}"
    if isinstance(value, list):
        if not value:
            return "[]"
        if depth > _DEPTH:
            return "[Array]"
        members = [inspect(one, depth + 1) for one in value[:_MEMBERS]]
        if len(value) > _MEMBERS:
            members.append(f"... {len(value) - _MEMBERS} more items")
        return f"[ {', '.join(members)} ]"
    return text_of_number(value)
