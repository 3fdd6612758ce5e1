"""Who may write which rows, as far as his roles are known (SIS-API 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sispy.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sispy.client import Endpoint

    from ..values.schema import Schema


def roles_of(users: Endpoint, name: str | None) -> frozenset[str] | None:
    """Return a user's groups; None if they do not matter or are not known.

    Raises:
        sispy.Error: The server could not be asked.
    """
    if not name:
        return None
    try:
        user = users.get(name).to_dict()
    except NotFound:
        return None
    return None if user.get("super_user") else frozenset(user.get("roles") or {})


def why_no_row(schema: Schema, roles: Collection[str]) -> str | None:
    """Return why somebody with these roles may write no row of a schema; None if he may write some."""
    if schema.is_public or schema.is_open or set(roles) & set(schema.owner):
        return None
    return f"you have no role in an owner of schema {schema.name!r} ({', '.join(schema.owner)})"


def why_not(roles: Collection[str], owners: Collection[str] | None, *, any_owner: bool) -> str | None:
    """Return why somebody with these roles may not write a row; None if he may.

    Args:
        roles: His groups.
        owners: The row's; without any everybody may.
        any_owner: Whether a role in one of them is enough: the row's `_sis.any_owner_can_modify`.
    """
    lacking = sorted(set(owners or ()) - set(roles))
    if not lacking or (any_owner and set(owners or ()) & set(roles)):
        return None
    return f"you have no role in {', '.join(lacking)}, which owns the row"


def why_kept(sis: Mapping[str, Any]) -> str | None:
    """Return why nobody can delete a row, by its `_sis`; None if that is possible."""
    return "the row is locked: it cannot be deleted" if sis.get("locked") else None


def why_fixed(sis: Mapping[str, Any]) -> str | None:
    """Return why nobody can change a row, by its `_sis`; None if that is possible."""
    return "the row is immutable: it cannot be changed" if sis.get("immutable") else None
