"""The commits of a schema, a hook or a hiera entry, side by side, and how to have an old state back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...revisions.object_plan import ObjectPlan, object_plan, stored_object
from ...revisions.schema_plan import SchemaPlan, plan_schema
from ...values.blocks import count
from ..background import Background
from ..markup import Html, alert, button, h, joined, loading, short_apart, table
from .panel import Panel
from .versions import History, object_history, plain, versions_html

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sispy import Client

    from ..background import Job

Document = dict[str, Any]


class ObjectHistoryPanel(Panel):
    """Show the versions of one object of the server.

    Args:
        client: The server.
        kind: "schemas", "hooks" or "hiera".
        changed: Called when an old state was put back.
    """

    def __init__(self, client: Client, kind: str, *, changed: Callable[[], None] = lambda: None) -> None:
        self._client, self._kind, self._changed = client, kind, changed
        self._endpoint = getattr(client, kind)
        self.name: str | None = None
        self.history: History | None = None
        self.first: int = 0
        self.plan: SchemaPlan | ObjectPlan | None = None
        self.meant: bool = False
        self.told: str = ""
        super().__init__(
            close=self.close,
            versions=self._turn,
            old=self._show_old,
            push=self._push,
            mean=self._mean,
        )
        self.is_pushing: bool = False
        self.pushing: Background = Background(busy=self._show_pushing, say=self.say)

    def wait(self, seconds: float = 10) -> None:
        self.pushing.wait(seconds)
        super().wait(seconds)

    def show(self, name: str) -> None:
        """Read the commits of an object."""
        self.name = name
        self.history, self.first, self.plan, self.told = None, 0, None, ""
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
            found = stored_object(self._endpoint, name)
            job.check()
            return object_history(self._endpoint, found)

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
            (self.busy or self.is_pushing) and loading(),
            self.history and versions_html(self.history, self.first, plain, back="old"),
            self._planned(),
            self.told and h("div", self.told, class_="note"),
            class_="stack" if self._kind == "schemas" else "drawer stack",
        )

    def _planned(self) -> Html | None:
        if self.plan is None:
            return None
        title, word, act, head, effects = _told_of(self.plan)
        if not effects:
            return h("p", f"It is today's {word}: nothing would change.", class_="faint")
        return joined(
            h("h3", title),
            table(head, effects, label="Effects"),
            self._meaning(self.plan) if isinstance(self.plan, SchemaPlan) else None,
            h("div", button(act, "push", style="main", disabled=self.busy or self.is_pushing)),
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
        before = self.history.steps[at].before if self.history is not None else None
        if before is None:
            return
        self.plan, self.told, self.meant = None, "", False

        def work(_: Job) -> SchemaPlan | ObjectPlan:
            if self._kind != "schemas":
                return object_plan(self._endpoint, before)
            id_field = before.get("id_field")
            return plan_schema(
                self._client, before["name"], before["definition"], id_field=id_field, progress=False
            )

        def take(plan: SchemaPlan | ObjectPlan) -> None:
            self.plan = plan
            self.draw()

        self.work.start(work, take)

    def _push(self) -> None:
        plan = self.plan
        if plan is None or self.busy or self.is_pushing:
            return
        meant = self.meant

        def work(_: Job) -> None:
            if isinstance(plan, ObjectPlan):
                plan.push()
                return
            erased = [one for one in plan.effects if one.kind == "erased" and (meant or not one.rows)]
            plan.push(erase=[one.field for one in erased], expect_broken=plan.broken if meant else 0)

        def take(_: None) -> None:
            if self.plan is plan:
                self.plan = None
            what, verb = ("The definition of ", "changed") if self._kind == "schemas" else ("", "put back")
            self.told = f"{what}{plan.before['name']} is {verb}."
            self._changed()
            self.reload()

        self.pushing.start(work, take)

    def _show_pushing(self, busy: bool) -> None:
        self.is_pushing = busy
        self.draw()

    def _mean(self, value: bool) -> None:
        self.meant = value
        self.draw()


def _told_of(
    plan: SchemaPlan | ObjectPlan,
) -> tuple[str, str, str, Sequence[str], list[Sequence[object]]]:
    """Return how a plan is shown: its title, the word for a state, the button, and a table."""
    if isinstance(plan, ObjectPlan):
        parts: list[Sequence[object]] = [
            (path, *short_apart(*(plain(path, one) for one in both))) for path, both in plan.parts.items()
        ]
        return "What it would change", "state", "Put it back", ("Part", "Today", "Then"), parts
    title = "What the definition before this commit would do to today's rows"
    effects: list[Sequence[object]] = [tuple(row) for row in plan.frame().itertuples(index=False)]
    return title, "definition", "Change the definition", ("Effect", "Field", "Rows", "Meaning"), effects
