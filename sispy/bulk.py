"""Which rows of a bulk call were not carried out: the server's own error entries mostly do not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .response import Response


def failed_by_list(response: Response, rows: Sequence[Mapping[str, Any]], key: str) -> Response:
    """Set `failed_ids`: the ids sent minus the ids that came back as success, in the order sent."""
    sent = dict.fromkeys(
        str(row[key]) for row in rows if isinstance(row, Mapping) and row.get(key) is not None
    )
    success = _objects(response, "success")
    done = {str(item[key]) for item in success if key in item}
    strange = [item for item in success if str(item.get(key)) not in sent]
    if strange:  # addressed by the value of the schema's id field instead of `_id`
        done |= _other_ids(strange, set(sent) - done)
    response._failed_ids = tuple(id_ for id_ in sent if id_ not in done)
    return response


def failed_by_query(response: Response, key: str) -> Response:
    """Set `failed_ids`: the ids of the error entries."""
    failed = [entry.get("value") for entry in _objects(response, "errors")]
    response._failed_ids = tuple(
        str(item[key]) for item in failed if isinstance(item, Mapping) and key in item
    )
    return response


def _objects(response: Response, part: str) -> list[dict[str, Any]]:
    found = response._result.get(part) if isinstance(response._result, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _other_ids(strange: list[dict[str, Any]], missing: set[str]) -> set[str]:
    """Return the ids of objects addressed by another field: the one that holds a missing id in each."""
    for field in strange[0]:
        values = {str(item.get(field)) for item in strange}
        if values <= missing and len(values) == len(strange):
            return values
    return set()
