"""A schema's definition, parsed: what every column of a frame is and which values it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Type = Literal["String", "Number", "Boolean", "Date", "ObjectId", "IpAddress", "Mixed", "Array", "Documents"]


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf of a definition, which is one column of a frame.

    Nested documents are no fields of their own: their leaves have dotted paths (`os.version`).
    """

    path: str
    type: Type
    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] = ()
    min: float | None = None
    """Number: the least value; Date: ms since 1970."""
    max: float | None = None
    minlength: int | None = None
    maxlength: int | None = None
    match: str | None = None
    """A JavaScript regex in slashes, as the definition has it."""
    default: Any = None
    trim: bool = False
    case: Literal["lower", "upper"] | None = None
    ref: str | None = None
    """ObjectId: name of the schema that is referred to."""
    item: Field | None = None
    """Array: what its members are."""
    fields: tuple[Field, ...] = ()
    """Documents (an array of documents): fields of a member, paths relative to it."""
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """A SIS schema, parsed."""

    name: str
    fields: tuple[Field, ...]
    """In the order of the definition."""
    id_field: str
    """The field that may stand for `_id` in URLs; `_id` if there is none."""
    definition: Mapping[str, Any]
    owner: tuple[str, ...] = ()
    locked_fields: tuple[str, ...] = ()
    track_history: bool = True
    is_open: bool = False
    is_public: bool = False
