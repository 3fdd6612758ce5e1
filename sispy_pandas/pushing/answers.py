"""What counts as an answer: one of another shape than the contract's leaves the fate of a write open.

A proxy may say anything, and so may an answer to another request that comes late on a kept connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy import errors

from ..values.entity import receipt
from .server import FateUnknown

if TYPE_CHECKING:
    from collections.abc import Collection

    from sispy.response import Response

Entity = dict[str, Any]


def of_bulk(answer: Response, ids: Collection[str] | None = None) -> tuple[list[Entity], list[Any]]:
    """Return the entities written and the error entries of a bulk answer (SIS-API 7).

    Args:
        answer: The answer.
        ids: The `_id`s that were sent; an answer with others is not ours. None: of new rows, sent without.

    Raises:
        FateUnknown: It is no such answer.
    """
    found = _object(answer)
    success, failed = found.get("success"), found.get("errors")
    if not (
        isinstance(success, list)
        and isinstance(failed, list)
        and all(map(_is_entity, success))
        and all(map(_is_refusal, failed))
    ):
        raise FateUnknown(f"the answer is not one to a bulk request: {answer!s:.100}")
    strange = [entity["_id"] for entity in success if ids is not None and entity["_id"] not in ids]
    if strange:
        raise FateUnknown(f"the answer is about a row that was not sent: {strange[0]:.100}")
    return success, failed


def of_one(answer: Response, id_: str) -> Entity:
    """Return the entity that a single write answers with.

    Raises:
        FateUnknown: It answers with no entity, or with another one.
    """
    found = _object(answer)
    if not _is_entity(found) or found["_id"] != id_:
        raise FateUnknown(f"the answer is not about row {id_}: {answer!s:.100}")
    return found


def id_of(entry: Any) -> str | None:
    """Return the `_id` in an error entry of a bulk answer; most have none (SIS-API 7.2)."""
    value = entry.get("value") if isinstance(entry, dict) else None
    found = value.get("_id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def status_and_text(entry: Any) -> tuple[int | None, str]:
    """Read an error entry of a bulk answer; `err` has two elements or three (SIS-API 7)."""
    err = entry.get("err") if isinstance(entry, dict) else None
    if not isinstance(err, list) or not err:
        return None, "the server gave no reason"
    said = err[1] if len(err) > 1 else None
    text = said.get("error") if isinstance(said, dict) else said
    return err[0] if isinstance(err[0], int) else None, str(text or "the server gave no reason")


def _object(answer: Response) -> dict[str, Any]:
    try:
        return answer.to_dict()
    except errors.Error:
        return {}


def _is_entity(found: Any) -> bool:
    """Return whether this is an entity: all have an `_id` and `_sis` with times (SIS-API 3)."""
    sis = found.get("_sis") if isinstance(found, dict) else None
    return (
        isinstance(sis, dict)
        and isinstance(found.get("_id"), str)
        and ("_updated_at" not in sis or receipt(found) is not None)
    )


def _is_refusal(entry: Any) -> bool:
    """Return whether this is an error entry: `err` begins with a status and what is wrong (SIS-API 7)."""
    match entry:
        case {"err": [bool(), *_]}:
            return False
        case {"err": [int(), dict() | str() as said, *_]}:
            return bool(said)
    return False
