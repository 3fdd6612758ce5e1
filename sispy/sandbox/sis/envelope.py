"""The metadata of objects: what of a sent `_sis` counts, and what the server sets in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sispy.sandbox.js.scalars import MISSING
from sispy.sandbox.sis.errors import Bad

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.mongoose.nodes import Definition


VERSION = "v1.1"
_CREATION = {"_created_at", "_created_by"}


def now() -> int:
    """Return the milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def sent_sis(body: Document) -> Document:
    """Return the `_sis` of a body.

    Raises:
        Bad: It is null or no object.
    """
    sent = body.get("_sis", {})
    if not isinstance(sent, dict):
        raise Bad("_sis is invalid.")
    return sent


def for_create(body: Document) -> Document:
    """Return a body whose `_sis` has only what a create may set, its owners sorted."""
    sent = {key: value for key, value in sent_sis(body).items() if not key.startswith("_")}
    return {**body, "_sis": _sorted(sent)}


def for_update(body: Document, *, keeps_creation: bool) -> Document:
    """Return a body whose `_sis` has only what an update may set, its owners sorted.

    Args:
        body: As sent.
        keeps_creation: Whether time and author of the creation cannot be changed.
    """
    if "_sis" not in body:
        return body
    dropped = {"_updated_at", "_updated_by", "_trans_id", "_references"}
    if keeps_creation:
        dropped |= _CREATION
    sent = {key: value for key, value in sent_sis(body).items() if key not in dropped}
    if not sent.get("_version", VERSION):
        del sent["_version"]
    return {**body, "_sis": _sorted(sent)}


def _sorted(sis: Document) -> Document:
    owner = sis.get("owner")
    if isinstance(owner, list) and all(isinstance(group, str) for group in owner):
        return {**sis, "owner": sorted(owner)}
    return sis


def stamped(sis: Document, user: str, at: int) -> Document:
    """Return the `_sis` of a new object with times and authors."""
    return {
        "_version": VERSION,
        "_created_at": at,
        "_created_by": user,
        "_updated_at": at,
        "_updated_by": user,
        **{key: value for key, value in sis.items() if not key.startswith("_")},
    }


def with_defaults(definition: Definition, sis: Document) -> Document:
    """Return a `_sis` as answers to writes show it: missing flags, tags and owners are filled in."""
    filled = dict(sis)
    for name, node in definition.meta.fields.items():
        if name not in filled:
            if node.kind == "array":
                filled[name] = []
            elif node.default is not MISSING:
                filled[name] = node.default
    return filled
