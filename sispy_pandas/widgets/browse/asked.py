"""What is asked of a table: filter, order, columns; as a query, as Python and as a command."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...reading.query import parse_query

if TYPE_CHECKING:
    from ...reading.paths import Lookup
    from ...values.schema import Schema


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter as it was typed, the order of the rows, and the columns that are wanted."""

    text: str = ""
    sort: tuple[tuple[str, bool], ...] = ()
    """Pairs of path and whether it descends."""
    fields: tuple[str, ...] | None = None
    """None: all."""

    def query(self, schema: Schema, lookup: Lookup) -> dict[str, Any]:
        """Return it as `sp.fetch` takes it, the filter as a `q`.

        Raises:
            ValueError: It names what the server would not find.
        """
        typed = self.as_typed()
        q = parse_query(schema, typed, None, lookup).q
        return {**typed, "q": dict(q)} if q else typed

    def as_typed(self) -> dict[str, Any]:
        """Return it as `sp.fetch` takes it, the filter as text."""
        found: dict[str, Any] = {"q": self.text} if self.text else {}
        if self.sort:
            found["sort"] = ",".join(f"-{path}" if descends else path for path, descends in self.sort)
        if self.fields is not None:
            found["fields"] = list(self.fields)
        return found

    def sorted_by(self, path: str) -> Asked:
        """Return it in the order of a column: rising, then falling, then none."""
        falls = dict(self.sort).get(path)
        return replace(self, sort=() if falls else ((path, falls is False),))

    def python(self, url: str, schema: str) -> str:
        """Write the fetch as a script."""
        asked = self.as_typed()
        what = f", {self.text!r}" if list(asked) == ["q"] else f", {asked!r}" if asked else ""
        return (
            f"import sispy, sispy_pandas as sp\n\n"
            f"client = sispy.Client({url!r})\n"
            f"snapshot = sp.fetch(client.entities({schema!r}){what})\n"
            f"frame = snapshot.frame()"
        )

    def shell(self, schema: str) -> str:
        """Write it as a command."""
        asked = self.as_typed()
        words = ["sispy", "export", schema, *([self.text] if self.text else [])]
        words += ["--fields", ",".join(self.fields)] if self.fields is not None else []
        words += [f"--sort={asked['sort']}"] if self.sort else []
        return shlex.join([*words, "-o", f"{schema}.csv"])
