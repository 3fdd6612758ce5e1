"""Which rows of a grid cannot be edited or deleted, told before anybody tries: their `_sis` says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..planning.rights import why_fixed, why_kept, why_no_row, why_not

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from ..values.schema import Schema


@dataclass(frozen=True)
class Rights:
    """What cannot be done with rows of a frame: number of the row -> why."""

    fixed: Mapping[int, str] = field(default_factory=dict)
    """Rows that cannot be edited."""
    kept: Mapping[int, str] = field(default_factory=dict)
    """Rows that cannot be deleted."""


def rights_in(schema: Schema, meta: pd.DataFrame, roles: Collection[str] | None) -> Rights:
    """Return what cannot be done with rows, by what stands in their `_sis`.

    Args:
        schema: Of the rows.
        meta: Their frame with the columns of `_sis`; what it lacks forbids nothing.
        roles: The groups of who edits them; None if they are not known, or do not matter.
    """
    nowhere = None if roles is None else why_no_row(schema, roles)
    names = ("owner", "any_owner_can_modify", "locked", "immutable")
    there = [name for name in names if f"_sis.{name}" in meta.columns]
    columns = [
        meta[f"_sis.{name}"].astype(object).where(meta[f"_sis.{name}"].notna(), None) for name in there
    ]
    known: dict[tuple[Any, ...], tuple[str | None, str | None]] = {}  # most rows are alike
    fixed, kept = {}, {}
    for row, values in enumerate(zip(*columns, strict=True) if columns else [()] * len(meta)):
        if values not in known:
            known[values] = _why(dict(zip(there, values, strict=True)), roles, nowhere)
        no_edit, no_delete = known[values]
        if no_edit is not None:
            fixed[row] = no_edit
        if no_delete is not None:
            kept[row] = no_delete
    return Rights(fixed, kept)


def _why(
    sis: Mapping[str, Any], roles: Collection[str] | None, nowhere: str | None
) -> tuple[str | None, str | None]:
    """Return why a row cannot be edited, and why it cannot be deleted."""
    denied = nowhere
    if roles is not None and denied is None:
        denied = why_not(roles, sis.get("owner"), any_owner=bool(sis.get("any_owner_can_modify")))
    return denied or why_fixed(sis), denied or why_kept(sis)
