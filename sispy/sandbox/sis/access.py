"""Who may do what: levels of permission of a user on a list of owners."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from sispy.sandbox.sis.errors import Bad, Denied

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Document

SOURCE = "Insufficient permissions on source document."
UPDATE = "Insufficient permissisons on update object."  # spelt like this by the server


class Level(IntEnum):
    """What a user is to a list of owners."""

    NONE = 0
    SOME = 1
    ALL = 2
    ADMIN = 3


def level(user: Document, owners: list[str]) -> Level:
    """Return the permission level of a user on a list of owners."""
    if user.get("super_user"):
        return Level.ADMIN
    roles = user.get("roles") or {}
    if all(roles.get(owner) == "admin" for owner in owners):
        return Level.ADMIN
    if all(owner in roles for owner in owners):
        return Level.ALL
    return Level.SOME if any(owner in roles for owner in owners) else Level.NONE


def owners(document: Document) -> list[str]:
    """Return the owners of a document."""
    sis = document.get("_sis")
    found = sis.get("owner") if isinstance(sis, dict) else None
    if isinstance(found, str):
        return [found]
    return [group for group in found if isinstance(group, str)] if isinstance(found, list) else []


def is_super(user: Document) -> bool:
    """Return whether a user passes every check of ownership."""
    return bool(user.get("super_user"))


def check_owned(user: Document, document: Document, text: str = SOURCE) -> None:
    """Refuse a user who lacks a role in one of the owners (hiera, hooks)."""
    if level(user, owners(document)) < Level.ALL:
        raise Denied(text)


def check_schema(user: Document, schema: Document) -> None:
    """Refuse a user who may not insert, change or delete a schema."""
    if schema.get("is_open"):
        return
    roles = user.get("roles") or {}
    if schema.get("any_owner_can_modify") and any(roles.get(o) == "admin" for o in owners(schema)):
        return
    if level(user, owners(schema)) < Level.ADMIN:
        raise Denied("Insufficient permissions.")


def is_shared(schema: Document) -> bool:
    """Return whether anybody with a role may create entities of a schema."""
    return bool(schema.get("is_public") or schema.get("is_open"))


def check_entities(user: Document, schema: Document) -> None:
    """Refuse a user who may not operate on entities of a schema at all."""
    if is_super(user):
        return
    if is_shared(schema):
        if not user.get("roles"):
            raise Bad("User must have roles assigned.")
    elif level(user, owners(schema)) < Level.SOME:
        raise Denied("Insufficient privileges to operate on entities in this schema.")


def check_entity(user: Document, entity: Document, text: str = SOURCE) -> None:
    """Refuse a user who may not write an entity with these owners."""
    sis = entity.get("_sis") or {}
    wanted = Level.SOME if sis.get("any_owner_can_modify") and owners(entity) else Level.ALL
    if level(user, owners(entity)) < wanted:
        raise Denied(text)


def default_owners(user: Document, schema: Document) -> list[str]:
    """Return the groups that become owners of a new entity without owners."""
    if is_super(user):
        return []
    groups = sorted(user.get("roles") or {})
    return groups if is_shared(schema) else [group for group in groups if group in owners(schema)]
