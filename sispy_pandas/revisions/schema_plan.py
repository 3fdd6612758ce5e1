"""The change of a schema, told by its effects on the rows that are there before it is made.

SIS applies a new definition at once (SIS-API 4.5): fields that it lacks are erased from all rows without
history, while values that no longer fit stay and block every later write of their row. The safe way to a new
required field is in three steps: add it optional, fill it, make it required.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sispy.delta import same
from sispy.remedies import Argument, Message, no_list
from sispy.text import SENTENCE, printable, shorten

from ..reading.chunks import selecting
from ..reading.listing import schema_of
from ..values.blocks import count, show
from ..values.progress import bar
from ..values.records import table
from ..values.schema import Schema, parse_schema
from .schema_effects import BREAKING, WORDS, Comparison, Effect, is_within

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from sispy import Client

_KEPT = ("description", "locked_fields", "is_open", "is_public", "any_owner_can_modify", "track_history")
"""What a schema is besides name, owner, definition and id field: sent again as it is."""


class SchemaPlanRefused(ValueError):  # noqa: N818 - named like PlanRefused
    """A schema change that must not be made as it is, and why.

    Example:
        >>> definition = dict(client.schemas.get("host")["definition"])
        >>> del definition["notes"]
        >>> try:
        ...     sp.plan_schema(client, "host", definition, progress=False).push()
        ... except SchemaPlanRefused as refused:
        ...     "notes" in str(refused)
        True
    """


@dataclass(frozen=True, eq=False)
class SchemaPlan:
    """The change of a schema and its effects. Making one writes nothing; it has a length (the effects).

    Example:
        >>> definition = client.schemas.get("host")["definition"] | {"asset": "String"}
        >>> sp.plan_schema(client, "host", definition, progress=False).total
        10
    """

    client: Client
    before: Mapping[str, Any]
    """The schema as the server has it."""
    body: Mapping[str, Any]
    """The complete schema that a push sends."""
    effects: tuple[Effect, ...] = ()
    total: int = 0
    """Rows of the table."""

    def __len__(self) -> int:
        return len(self.effects)

    def __repr__(self) -> str:
        head = f"schema {self.body['name']} on {self.client.url}: {count(self.total, 'row')}"
        if not self.effects:
            return printable(f"{head}, no change")
        lines = [head]
        for effect in self.effects:
            rows = f"{count(len(effect.rows), 'row')}, " if effect.rows else ""
            example = (
                f" (such as {show(effect.rows[0][2])})" if effect.rows and effect.kind != "required" else ""
            )
            told = effect.detail or WORDS[effect.kind]
            lines.append(f"  {effect.kind:<9} {effect.field}: {rows}{told}{example}")
        return "\n".join(shorten(line, SENTENCE) for line in lines)

    def frame(self) -> pd.DataFrame:
        """Return one line per effect: effect, field, rows, meaning."""
        return table(
            [(e.kind, e.field, len(e.rows), e.detail or WORDS[e.kind]) for e in self.effects],
            ("effect", "field", "rows", "meaning"),
        )

    def rows(self) -> pd.DataFrame:
        """Return one line per row and effect: effect, field, _id, key, value; all that is erased is here."""
        return table(
            [(e.kind, e.field, *row) for e in self.effects for row in e.rows],
            ("effect", "field", "_id", "key", "value"),
        )

    @property
    def broken(self) -> int:
        """How many rows could not be written any more."""
        return len({row[0] for e in self.effects if e.kind in BREAKING for row in e.rows})

    def push(self, *, erase: Collection[str] = (), expect_broken: int = 0) -> Schema:
        """Send the complete schema, and return it as the server has it then.

        It is no transaction: a change that somebody makes between the look and the write is lost.

        Args:
            erase: Every field whose values the change erases, by name; a document's name covers its fields.
            expect_broken: How many rows will be left that cannot be written, exactly; see `broken`.

        Raises:
            SchemaPlanRefused: The server would refuse it; values would be erased, or rows broken, that the
                arguments do not name; or the schema has changed since the plan was made.
            sispy.Error: The server refused, or could not be reached.
        """
        self._refuse(erase, expect_broken)
        name = self.body["name"]
        now = self.client.schemas.get(name).to_dict()
        if not same(_content(now), _content(self.before)):
            raise SchemaPlanRefused(f"schema {name!r} has changed since the plan was made: make it anew")
        return parse_schema(self.client.schemas.update(name, dict(self.body)).to_dict())

    def _refuse(self, erase: Collection[str], expect_broken: int) -> None:
        if isinstance(erase, str):
            raise no_list("erase", erase)
        for effect in self.effects:
            if effect.kind == "refused":
                raise SchemaPlanRefused(f"{effect.field}: {effect.detail}")
        erased = [e for e in self.effects if e.kind == "erased"]
        lost = [e for e in erased if e.field not in erase and not is_within(e.field, erase)]
        if lost:
            told = ", ".join(f"{e.field} ({count(len(e.rows), 'value')})" for e in lost)
            meant = Argument("erase", "says that it is meant", [e.field for e in lost])
            raise SchemaPlanRefused(Message(f"it erases {told}", meant))
        if self.broken != expect_broken:
            meant = Argument("expect_broken", "says that it is meant", self.broken)
            told = f"{count(self.broken, 'row')} could not be written any more: fix them first"
            raise SchemaPlanRefused(Message(told, meant))


def plan_schema(
    client: Client,
    name: str,
    definition: Mapping[str, Any],
    *,
    id_field: str | None = None,
    progress: Any = True,
) -> SchemaPlan:
    """Return the plan of giving a schema another definition, by its effects on the rows there are.

    It reads the fields concerned of all rows. Everything else of the schema stays: a plain PUT would reset
    its id_field and description.

    Args:
        client: Of the server.
        name: Of the schema.
        definition: The new one, complete.
        id_field: Another id field; None: that of today.
        progress: As in `fetch`.

    Raises:
        ValueError: There is no such schema.
        sispy.Error: The server could not be asked.

    Example:
        >>> definition = dict(schema_of(client, "host").definition)
        >>> plan = plan_schema(client, "host", {**definition, "asset": "String"}, progress=False)
        >>> plan.frame()["effect"].tolist()
        ['added']
    """
    schema_of(client, name)  # says which names there are
    before = client.schemas.get(name).to_dict()
    old = parse_schema(before)
    body = {
        "name": name,
        "_sis": {"owner": before["_sis"]["owner"]},
        "definition": dict(definition),
        "id_field": id_field or old.id_field,
        **{key: before[key] for key in _KEPT if key in before},
    }
    found = Comparison(old, parse_schema({**before, **body}))
    if found.fields:
        asked = {**selecting(found.fields), "populate": False}
        with bar(progress, total=None, unit=" rows", desc=name) as shown:
            for page in client.entities(name).pages(asked):
                for row in page:
                    found.look(row)
                shown.update(len(page))
    total = found.total if found.fields else client.entities(name).count()
    return SchemaPlan(client, before, body, found.effects(), total)


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a schema says, without who wrote it last and when."""
    own = {name: value for name, value in document.items() if not name.startswith("_")}
    return {**own, "owner": document.get("_sis", {}).get("owner")}
