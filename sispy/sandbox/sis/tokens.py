"""Tokens: those of a login, which expire, and persistent ones."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from sispy.sandbox.mongoose import casting
from sispy.sandbox.mongoose.definition import ENTITY_META, compile_definition
from sispy.sandbox.sis import access
from sispy.sandbox.sis.envelope import VERSION, now
from sispy.sandbox.sis.errors import Bad, Denied, Missing
from sispy.sandbox.sis.resources import Resource, Shown

if TYPE_CHECKING:
    from sispy.sandbox.mongo.store import Document

META: Document = {name: ENTITY_META[name] for name in ("tags", "immutable", "locked")}
TOKEN = compile_definition(
    {
        "name": {"type": "String", "required": True, "unique": True},
        "username": {"type": "String", "required": True},
        "desc": "String",
        "expires": "Number",
    },
    META,
)


def has_expired(token: Document) -> bool:
    """Return whether the end of a token has come; one without an end has none."""
    return "expires" in token and bool(token["expires"] <= now())


class Tokens(Resource):
    """All tokens by name, which is the token itself; `expires` is stored as a time, shown as what is left."""

    type = "sis_tokens"
    definition = TOKEN
    tracked = False
    fires = False

    def finished(self, shown: Shown) -> Shown:
        """Return a token; `expires` is the number of milliseconds left."""
        return {**shown, "expires": shown["expires"] - now()} if "expires" in shown else shown

    def encoded(self, document: Document) -> bytes:
        """Return the JSON of a token, always anew."""
        self.collection.encoded.pop(document["_id"], None)
        return super().encoded(document)

    def issue(self, user: Document, lifetime_ms: int) -> Document:
        """Make the temporary token of a login."""
        token = self._new(user["name"], {"expires": now() + lifetime_ms})
        self.collection.insert(token)
        return token

    def purge(self) -> None:
        """Delete tokens that have expired."""
        for token in [token for token in self.collection if has_expired(token)]:
            self.collection.delete(token["_id"])

    def grant(self, user: Document, body: Any) -> Document:
        """Make a persistent token.

        Raises:
            Bad: The user is a super user, or the body is an array.
        """
        if isinstance(body, list):
            raise Bad("Tokens are created one by one.")
        if access.is_super(user):
            raise Bad("Cannot create a persistent token for a super user.")
        desc = body.get("desc") if isinstance(body, dict) else None
        fields, errors = casting.build(self.definition, {} if desc is None else {"desc": desc})
        errors = {path: text for path, text in errors.items() if path == "desc"}
        if errors:
            raise Bad(f"ValidationError: {errors}")
        token = self._new(user["name"], {"desc": fields["desc"]} if "desc" in fields else {})
        self.collection.insert(token)
        return token

    def _new(self, username: str, more: Document) -> Document:
        sis = {"tags": [], "immutable": False, "locked": False}
        return {
            "_id": self.context.ids(),
            "name": secrets.token_hex(16),
            "username": username,
            **more,
            "_sis": sis,
            "_v": 0,
        }

    def forget(self, username: str) -> None:
        """Delete the tokens of a deleted user."""
        for token in [t for t in self.collection if t.get("username") == username]:
            self.collection.delete(token["_id"])

    def check_reader(self, reader: Document, user: Document) -> None:
        """Refuse who may not see a user's tokens.

        Raises:
            Denied: He is neither the user, nor a super user, nor admin of all roles of the user.
        """
        if access.is_super(reader) or reader["name"] == user["name"]:
            return
        roles, own = user.get("roles") or {}, reader.get("roles") or {}
        if user.get("super_user") or not roles or not all(own.get(group) == "admin" for group in roles):
            raise Denied("Cannot read tokens for user.")

    def of(self, user: Document, name: str) -> Document:
        """Return a token of a user.

        Raises:
            Missing: It is not his, or there is none.
        """
        found = self.collection.find("name", name)
        if found is None or found["username"] != user["name"]:
            raise Missing(f"Token for {user['name']}", name)
        return found

    def describe(self, token: Document, author: Document, body: Any) -> Document:
        """Change the description of a persistent token.

        Raises:
            Bad: It is temporary.
        """
        if "expires" in token:
            raise Bad("Cannot change a temporary token.")
        desc = body.get("desc") if isinstance(body, dict) else None
        sis = {**token["_sis"], "_updated_at": now(), "_updated_by": author["name"], "_version": VERSION}
        changed = {**token, "_sis": sis}
        if isinstance(desc, str):
            changed["desc"] = desc
        self.collection.replace(changed)
        return changed

    def revoke(self, token: Document, author: Document) -> Document:
        """Delete a token.

        Raises:
            Bad: It is temporary and of another user.
        """
        if "expires" in token and token["username"] != author["name"]:
            raise Bad("Cannot create a temp token for another user.")
        deleted = self.collection.delete(token["_id"])
        return {**deleted, "_sis": {"_version": VERSION, **deleted["_sis"]}}
