"""What is wrong with a query, and the raw answers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sispy.sandbox.js import scalars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sispy.sandbox.js.scalars import CastFailure, Json


class QueryError(ValueError):
    """A query, sort or projection that the server answers with 500 and a raw error object."""

    name = "MongoError"

    def document(self) -> dict[str, Json]:
        """Return the body of that answer (SIS-API 13.2)."""
        text = str(self)
        return {
            "name": self.name,
            "message": text,
            "ok": 0,
            "errmsg": text,
            "code": 2,
            "codeName": "BadValue",
        }


class CastError(QueryError):
    """A query that the server cannot run: lists swallow it, bulk writes answer 500."""

    def __init__(
        self, text: str, *, name: str = "MongoError", details: Mapping[str, Json] | None = None
    ) -> None:
        super().__init__(text)
        self.name = name
        self._details = details

    @classmethod
    def of(cls, failure: CastFailure, path: str) -> CastError:
        """Make the error of a value that its path's type does not take."""
        kind = failure.kind if failure.kind == "ObjectID" else failure.kind.lower()
        shown = scalars.quoted(failure.value)
        text = f'Cast to {kind} failed for value {shown} at path "{path}"'
        details = {"kind": kind, "value": failure.value, "path": path, "stringValue": shown}
        return cls(text, name="CastError", details=details)

    def document(self) -> dict[str, Json]:
        """Return the body of the answer to a bulk write."""
        if self._details is None:
            return super().document()
        return {"message": str(self), "name": self.name, **self._details}
