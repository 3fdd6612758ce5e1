"""The commits of a schema, a hook or a hiera entry, side by side, and how to have an old state back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...revisions.schema_plan import SchemaPlan, plan_schema
from ...values.blocks import count
from ..markup import Html, alert, button, h, joined, loading, table
from .panel import Panel
from .versions import History, object_history, plain, versions_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy import Client

    from ...reading.commits import Step
    from ...values.schema import Schema
    from ..background import Job

Document = dict[str, Any]


class ObjectHistoryPanel(Panel):
    """Show the versions of one object of the server.

    Args:
        client: The server.
        kind: "schemas", "hooks" or "hiera".
        changed: Called when an old definition of a schema was put back.
    """

    def __init__(self, client: Client, kind: str, *, changed: Callable[[], None] = lambda: None) -> None:
        self._client, self._kind, self._changed = client, kind, changed
        self._endpoint = getattr(client, kind)
        self.name: str | None = None
        self.history: History | None = None
        self.first = 0
        self.old: Step | None = None
        self.plan: SchemaPlan | None = None
        self.meant = False
        self.told = ""
        super().__init__(
            close=self.close,
            versions=self._turn,
            old=self._show_old,
            push=self._push,
            mean=self._mean,
        )

    def show(self, name: str) -> None:
        """Read the commits of an object."""
        self.name = name
        self.history, self.first, self.old, self.plan, self.told = None, 0, None, None, ""
        self.meant = False
        self.reload()

    def close(self) -> None:
        """Show nothing."""
        self.cancel()
        self.name = self.history = None
        self.draw()

    def reload(self) -> None:
        name = self.name
        if name is None:
            return

        def work(job: Job) -> History:
            found = self._endpoint.fetch_page({"q": {"name": name}, "limit": 1}).to_list()
            job.check()
            if not found:
                raise ValueError(f"there is no {name!r} any more")
            return object_history(self._endpoint, found[0])

        self.work.start(work, self._take)

    def content(self) -> Html:
        if self.name is None:
            return Html()
        close = button("✕", "close", style="quiet push", aria_label="Close the history")
        what = "the definition" if self._kind == "schemas" else self.name
        return h(
            "div",
            h(
                "div",
                h("h3" if self._kind == "schemas" else "h2", f"History of {what}"),
                self._kind != "schemas" and close,
                class_="line",
            ),
            alert(self.problem),
            self.busy and loading(),
            self.history and versions_html(self.history, self.first, plain, back="old"),
            self._old(),
            self.told and h("div", self.told, class_="note"),
            class_="stack" if self._kind == "schemas" else "drawer stack",
        )

    def _old(self) -> Html | None:
        if self.old is None or self.old.before is None:
            return None
        if self.plan is None:
            return joined(
                h("h3", "To have the state before this commit back"),
                h("pre", _code(self._client.url, self._kind, self.old.before)),
            )
        effects = [tuple(row) for row in self.plan.frame().itertuples(index=False)]
        return joined(
            h("h3", "What the definition before this commit would do to today's rows"),
            table(("effect", "field", "rows", "meaning"), effects, label="Effects")
            if effects
            else h("p", "It is today's definition: nothing would change.", class_="faint"),
            self._meaning(self.plan),
            h("div", button("Change the definition", "push", style="main")) if effects else None,
        )

    def _meaning(self, plan: SchemaPlan) -> Html | None:
        """Ask whether it is meant, where values would be lost or rows broken."""
        erased = sum(len(one.rows) for one in plan.effects if one.kind == "erased")
        told = [f"erase {count(erased, 'value')}"] if erased else []
        told += [f"leave {count(plan.broken, 'row')} that cannot be written"] if plan.broken else []
        tick = h("input", type="checkbox", checked=self.meant, act="mean")
        return h("label", tick, f"Yes, {' and '.join(told)}") if told else None

    def _take(self, history: History) -> None:
        self.history = history
        self.draw()

    def _turn(self, first: int) -> None:
        self.first = first
        self.draw()

    def _show_old(self, at: int) -> None:
        if self.history is None:
            return
        step = self.history.steps[at]
        self.old, self.plan, self.told, self.meant = step, None, "", False
        before = step.before
        if self._kind != "schemas" or before is None:
            self.draw()
            return

        def work(_: Job) -> SchemaPlan:
            id_field = before.get("id_field")
            return plan_schema(
                self._client, before["name"], before["definition"], id_field=id_field, progress=False
            )

        def take(plan: SchemaPlan) -> None:
            self.plan = plan
            self.draw()

        self.work.start(work, take)

    def _push(self) -> None:
        plan = self.plan
        if plan is None:
            return

        def take(_: Schema) -> None:
            self.old = self.plan = None
            self.told = "The definition is changed."
            self.draw()
            self._changed()

        erase = [one.field for one in plan.effects if one.kind == "erased" and (self.meant or not one.rows)]
        broken = plan.broken if self.meant else 0
        self.work.start(lambda _: plan.push(erase=erase, expect_broken=broken), take)

    def _mean(self, value: bool) -> None:
        self.meant = value
        self.draw()


def _code(url: str, kind: str, before: Any) -> str:
    """Write the update that puts a hook or a hiera entry back."""
    kept = {name: value for name, value in before.items() if not name.startswith("_")}
    kept["_sis"] = {"owner": (before.get("_sis") or {}).get("owner")}
    body = json.dumps(kept, indent=4, ensure_ascii=False)
    return (
        "import json, sispy\n\n"
        f"client = sispy.Client({url!r}, auth_token=TOKEN)\n"
        f"client.{kind}.update({before['name']!r}, json.loads({body!r}))"
    )
