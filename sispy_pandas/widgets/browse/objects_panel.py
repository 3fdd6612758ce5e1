"""Hiera entries, hooks and users: what a server has besides tables."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sispy.text import SENTENCE

from ...values.blocks import count
from ..markup import NEXT, PREVIOUS, Html, alert, button, h, joined, loading, short, table, text_field
from .fields_html import owner
from .panel import Panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from sispy import Client

    from ..background import Job

PAGE = 50
Document = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of objects: its endpoint, what one is called, and what a line tells of it."""

    name: str
    noun: str
    head: tuple[str, ...]
    told: Callable[[Document], tuple[object, ...]]
    has_history: bool = True


def _owners(document: Document) -> Html:
    found = (document.get("_sis") or {}).get("owner") or []
    names = [found] if isinstance(found, str) else found
    return joined(*[piece for name in names for piece in (", ", owner(str(name)))][1:])


def _hiera(document: Document) -> tuple[object, ...]:
    data = document.get("hieradata")
    text = json.dumps(data, indent=2, ensure_ascii=False)
    keys = count(len(data), "key") if isinstance(data, dict) else type(data).__name__
    return _owners(document), h("details", h("summary", keys), h("pre", text[:20_000]))


def _hook(document: Document) -> tuple[object, ...]:
    target = document.get("target") or {}
    again = document.get("retry_count", 0)
    watched = str(document.get("entity_type", ""))
    return (
        button(watched, "visit", style="link", with_={"name": watched}, title=f"Show {watched}"),
        ", ".join(map(str, document.get("events") or [])),
        short(f"{target.get('action', '')} {target.get('url', '')}", SENTENCE),
        f"{again} times, every {document.get('retry_delay', 1)} s" if again else "no",
        _owners(document),
    )


def _user(document: Document) -> tuple[object, ...]:
    roles = document.get("roles") or {}
    groups = [piece for name, role in sorted(roles.items()) for piece in (", ", owner(name), f" ({role})")][
        1:
    ]
    return (
        str(document.get("email", "")),
        joined(*groups),
        "yes" if document.get("super_user") else "",
        "yes" if document.get("verified") else "",
    )


KINDS = {
    "hiera": Kind("hiera", "entry", ("Owners", "Data"), _hiera),
    "hooks": Kind("hooks", "hook", ("Watches", "Events", "Calls", "Tries again", "Owners"), _hook),
    "users": Kind("users", "user", ("E-mail", "Roles", "Super user", "Verified"), _user, has_history=False),
}


class ObjectsPanel(Panel):
    """List one kind of objects, found by name, page by page; read when it is looked at first.

    Args:
        client: The server.
        kind: What is listed.
        visit: Called with the name of a table.
        owner: Called with the name of a group.
        history: Called with the name of one of the objects.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind,
        *,
        visit: Callable[[str], None],
        owner: Callable[[str], None],
        history: Callable[[str], None],
    ) -> None:
        self._kind = kind
        self._endpoint = getattr(client, kind.name)
        self.searched: str = ""
        self.group: str | None = None
        self.number: int = 0
        self.found: list[Document] | None = None
        self.total: int = 0
        super().__init__(
            visit=visit,
            owner=owner,
            history=history,
            search=self._search,
            turn=self._turn,
            everybody=lambda: self.show_group(None),
        )

    def look(self) -> None:
        """Read the objects, unless they are there or on their way."""
        if self.found is None and not self.busy:
            self.reload()

    def reload(self) -> None:
        conditions: Document = {}
        if self.searched:
            conditions["name"] = {"$regex": re.escape(self.searched), "$options": "i"}
        if self.group is not None:
            conditions[f"roles.{self.group}"] = {"$exists": True}
        query = {"q": conditions or None, "sort": "name", "limit": PAGE, "offset": self.number * PAGE}

        def work(job: Job) -> tuple[list[Document], int]:
            found = self._endpoint.fetch_page(query).to_list()
            job.check()
            return found, self._endpoint.count(conditions or None)

        self.work.start(work, self._take)

    def show_group(self, group: str | None) -> None:
        """Show the users of a group; None: all."""
        self.group, self.number, self.searched = group, 0, ""
        self.reload()

    def content(self) -> Html:
        name, noun = self._kind.name, self._kind.noun
        search = text_field(
            self.searched,
            "search",
            label=f"Search {name}",
            type="search",
            placeholder=f"Search {name} by name",
            live="search",
        )
        group = self.group is not None and h(
            "div",
            f"{noun.capitalize()}s of the group ",
            h("b", self.group),
            button("Show all", "everybody", style="quiet"),
            class_="line",
        )
        return h(
            "div",
            h("div", search, self.busy and loading(), class_="line"),
            group,
            alert(self.problem),
            self._list() if self.found is not None else None,
            class_="stack",
        )

    def _list(self) -> Html:
        kind = self._kind
        if not self.found:
            return h("p", "There are none.", class_="faint")
        head = ("Name", *kind.head, *(("History",) if kind.has_history else ()))
        rows = [
            (
                h("b", str(one.get("name", ""))),
                *kind.told(one),
                *(
                    (button("History", "history", style="link", with_={"name": one["name"]}),)
                    if kind.has_history
                    else ()
                ),
            )
            for one in self.found
        ]
        return joined(table(head, rows, label=kind.name), self._pager())

    def _pager(self) -> Html | None:
        if self.total <= PAGE:
            return None
        first = self.number * PAGE + 1
        last = (self.number + 1) * PAGE >= self.total
        return h(
            "div",
            h(
                "span",
                f"{first:,} to {first + len(self.found or ()) - 1:,} of {self.total:,}",
                class_="faint push",
            ),
            button(
                PREVIOUS,
                "turn",
                with_={"to": self.number - 1},
                disabled=not self.number,
                aria_label="Previous page",
            ),
            button(NEXT, "turn", with_={"to": self.number + 1}, disabled=last, aria_label="Next page"),
            class_="line",
        )

    def _take(self, found: tuple[list[Document], int]) -> None:
        self.found, self.total = found
        self.draw()

    def _search(self, value: str) -> None:
        self.searched, self.number = value.strip(), 0
        self.reload()

    def _turn(self, to: int) -> None:
        self.number = max(0, to)
        self.reload()
