"""Users: who they are, who may change them, how they log in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from sispy.sandbox.js.scalars import text_of
from sispy.sandbox.mongoose.definition import ENTITY_META, compile_definition
from sispy.sandbox.sis import access
from sispy.sandbox.sis.errors import Bad, Denied, Missing
from sispy.sandbox.sis.resources import Resource, Shown
from sispy.sandbox.sis.tokens import has_expired

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.sis.context import Context
    from sispy.sandbox.sis.tokens import Tokens

_ROLES = ("user", "admin")
META: Document = {
    name: node for name, node in ENTITY_META.items() if name not in {"any_owner_can_modify", "owner"}
}
USER = compile_definition(
    {
        "name": {"type": "String", "required": True, "unique": True, "match": "/^[a-z0-9_-]+$/"},
        "email": {
            "type": "String",
            "required": True,
            "match": r"/^[\w.+-]+@([\w-]+\.)+\w{2,4}$/",
        },
        "roles": "Mixed",
        "super_user": {"type": "Boolean", "default": False},
        "verified": {"type": "Boolean", "default": False},
        "pw": "String",
    },
    META,
)


class Users(Resource):
    """All users by name."""

    type = "sis_users"
    replaces_mixed = True
    definition = USER
    tracked = False
    fires = False
    keeps_creation = False

    def __init__(self, context: Context, tokens: Tokens) -> None:
        super().__init__(context)
        self.tokens = tokens
        self.password: str | None = None
        """Of all users without one of their own: the super user, those of the samples; it is kept nowhere."""

    def finished(self, shown: Shown) -> Shown:
        """Return a user without the password."""
        return {key: value for key, value in shown.items() if key != "pw"}

    def check_body(self, body: Document) -> None:
        """Check name and roles.

        Raises:
            Bad: One is missing, or a role is neither user nor admin.
        """
        if not body.get("name") or not isinstance(body["name"], str):
            raise Bad("User has an invalid or missing name.")
        roles = body.get("roles")
        if roles is None and body.get("super_user") is True:
            return
        if not isinstance(roles, dict):
            raise Bad("roles are missing.")
        for role in roles.values():
            if role not in _ROLES:
                raise Bad(f"invalid role specified: {role}")

    def fields(self, body: Document) -> Document:
        """Return the fields of a user, the password stretched."""
        fields = super().fields(body)
        password = text_of(fields.get("pw"))
        if password is not None and fields["pw"] is not None:
            fields["pw"] = _stretched(password)
        return fields

    def may_insert(self, user: Document, body: Document) -> None:
        """Refuse who is not admin of all roles of the new user."""
        if access.is_super(user):
            return
        if body.get("super_user"):
            raise Denied("Only super users can add super users.")
        self._check_roles(user, body.get("roles") or {})

    def _check_roles(self, user: Document, roles: Document) -> None:
        own = user.get("roles") or {}
        if not own or not all(own.get(group) == "admin" for group in roles):
            raise Denied("Insufficient permissions.")

    def may_change(self, user: Document, before: Document, after: Document) -> None:
        """Refuse changes of others, of own roles, of super users.

        Raises:
            Bad: A user verifies himself.
            Denied: The change is not his.
        """
        if access.is_super(user):
            return
        if before.get("super_user") or after.get("super_user"):
            raise Denied("Only super users can change super users.")
        own = user["name"] == before["name"]
        old, new = before.get("roles") or {}, after.get("roles") or {}
        others = {key for key in before.keys() | after.keys() if not key.startswith("_")} - {"roles"}
        changed = {key for key in others if before.get(key) != after.get(key)}
        if old != new:
            if own:
                raise Denied("User's cannot change their own roles.")
            if changed:
                raise Denied("Cannot change roles and other fields together.")
            moved = {group for group in old.keys() | new.keys() if old.get(group) != new.get(group)}
            self._check_roles(user, dict.fromkeys(moved))
        elif not own:
            raise Denied("Only the user can change these fields.")
        elif "verified" in changed:
            raise Bad("Cannot change the verified state.")

    def may_delete(self, user: Document, document: Document) -> None:
        """Refuse to delete oneself, super users, and users of other groups."""
        if user["name"] == document["name"]:
            raise Denied("Users cannot delete themselves.")
        if access.is_super(user):
            return
        if document.get("super_user"):
            raise Denied("Only super users can delete super users.")
        self._check_roles(user, document.get("roles") or {})

    def after_delete(self, document: Document) -> None:
        """Delete the tokens of a deleted user."""
        self.tokens.forget(document["name"])

    def of_token(self, name: str | None) -> Document:
        """Return the user that a request's token belongs to.

        Raises:
            Bad: There is no token.
            Missing: Nobody has this token.
            Denied: It has expired.
        """
        if not name:
            raise Bad("Missing x-auth-token")
        token = self.tokens.collection.find("name", name)
        user = None if token is None else self.collection.find("name", token["username"])
        if token is None or user is None:
            raise Missing(self.tokens.type, name)
        if has_expired(token):
            raise Denied("Token has expired.")
        return user

    def log_in(self, authorization: str | None) -> Document:
        """Return the user that Basic credentials belong to.

        Raises:
            Denied: The header is missing or malformed, the password is wrong, or the user has no role.
            Missing: There is no such user.
        """
        scheme, _, coded = (authorization or "").partition(" ")
        try:
            name, colon, password = base64.b64decode(coded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            colon = ""
        if scheme.lower() != "basic" or not colon or not name:
            raise Denied("Invalid credentials")
        user = self.collection.find("name", name)
        own = None if user is None else user.get("pw")
        fits = _is_stored(password, own)  # also where there is none: how long it takes tells nothing
        if user is None:
            raise Missing(self.type, name)
        if not fits and (own or not _equal(password, self.password)):
            raise Denied("Invalid password.")
        if not user.get("super_user") and not user.get("roles"):
            raise Denied("Invalid user.")
        return user


_COST = 2**12
"""A tenth of what a real server should take: sandboxes log in often and keep nothing worth stealing."""

_NOBODYS = f"{'0' * 32}${'0' * 128}"


def _stretched(password: str) -> str:
    """Return what is stored of a password."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_hash(password, salt).hex()}"


def _is_stored(password: str, stored: object) -> bool:
    """Return whether a password is the stored one; where none is stored, it takes as long."""
    salt, _, expected = (stored if isinstance(stored, str) and "$" in stored else _NOBODYS).partition("$")
    return hmac.compare_digest(_hash(password, bytes.fromhex(salt)), bytes.fromhex(expected))


def _equal(password: str, other: str | None) -> bool:
    """Return whether two passwords are the same, in a time that does not tell how much of them is."""
    if other is None:
        return False
    return hmac.compare_digest(password.encode("utf-8", "surrogatepass"), other.encode())


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=_COST, r=8, p=1)
