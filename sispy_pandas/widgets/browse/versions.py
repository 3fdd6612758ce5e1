"""Versions of one thing side by side: what each commit made of it, by whom and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...reading.commits import Step, cells, commits_of, replay
from ...revisions.object_plan import parts_changed
from ...values.blocks import show
from ...values.times import iso
from ..markup import NEXT, PREVIOUS, Html, button, h, joined, scrolling, short_apart

if TYPE_CHECKING:
    from sispy import Endpoint

    from ...values.schema import Schema

SHOWN = 6
"""Versions side by side."""
Cells = Callable[[Step], Iterator[tuple[str, Any, Any]]]
"""Yields (path, before, after) of what a step has changed."""


@dataclass(frozen=True)
class History:
    """The commits of one thing, the newest first, and what each has changed; `why`: why there are none."""

    steps: tuple[Step, ...]
    changed: tuple[Mapping[str, tuple[Any, Any]], ...]
    why: str = ""


def row_history(endpoint: Endpoint, schema: Schema, entity: Mapping[str, Any]) -> History:
    """Read the commits of a row.

    Raises:
        sispy.Error: The server could not be asked.
        ValueError: The commits do not lead to what is stored.
    """
    steps = replay(entity, commits_of(endpoint, entity["_id"]))
    found = tuple({path: (before, after) for path, before, after, _ in cells(schema, step)} for step in steps)
    why = "" if schema.track_history else "The table does not keep history."
    return History(tuple(steps), found, why or ("" if steps else "It was not changed since history is kept."))


def object_history(endpoint: Endpoint, document: Mapping[str, Any]) -> History:
    """Read the commits of a schema, a hook or a hiera entry; the server knows them by its name.

    Raises:
        sispy.Error: The server could not be asked.
        ValueError: The commits do not lead to what is stored.
    """
    steps = replay(document, commits_of(endpoint, str(document["name"])))
    found = tuple(parts_changed(step.before, step.after) for step in steps)
    return History(tuple(steps), found, "" if steps else "It was not changed since history is kept.")


def versions_html(
    history: History, first: int, told: Callable[[str, Any], str], *, back: str, whole: bool = False
) -> Html:
    """Write versions side by side, the newest left: a column for each commit, a line for each path.

    Args:
        history: From above.
        first: The newest one to show.
        told: Writes a value of a path.
        back: The act of the button that makes a plan of a commit.
        whole: Whether that takes back this commit alone, also the first one, which takes the thing away;
            otherwise it puts back the whole state before it.
    """
    if not history.steps:
        return h("p", history.why, class_="faint")
    shown = range(first, min(first + SHOWN, len(history.steps)))
    head = [_head(history.steps[at], at, back, whole=whole) for at in shown]
    paths = dict.fromkeys(path for at in shown for path in history.changed[at])
    body = [
        h(
            "tr",
            h("th", path, scope="row", style="text-align: left"),
            *(_cell(history.changed[at].get(path), path, told) for at in shown),
        )
        for path in paths
    ]
    top = h("thead", h("tr", h("th", "Field", scope="col"), *head))
    found = h("table", top, h("tbody", *body), class_="rows versions")
    return joined(_pager(len(history.steps), first), scrolling(found, label="Versions"))


def _head(step: Step, at: int, back: str, *, whole: bool) -> Html:
    undone = {"insert": "created", "update": "changed", "delete": "deleted"}[step.action]
    return h(
        "th",
        h("div", f"{undone} by ", h("b", step.by)),
        h("div", time_of(step.at), class_="faint"),
        _way_back(step, whole=whole, act=back, with_={"at": at}),
        scope="col",
    )


def _way_back(step: Step, *, whole: bool, **options: Any) -> Html | None:
    """Write the button that goes behind a commit."""
    is_first = step.before is None
    if is_first and not whole:
        return None
    if is_first:
        text, title = (
            "Delete the row",
            "Takes back that it was created; what was written since is in conflict",
        )
    elif whole:
        text, title = "Take this change back", "Of this commit alone; what was changed since is in conflict"
    else:
        text, title = "Put this back", "The state before this commit"
    return button(text, style="link", title=title, **options)


def _cell(change: tuple[Any, Any] | None, path: str, told: Callable[[str, Any], str]) -> Html:
    if change is None:
        return h("td")
    both = short_apart(*(told(path, value) for value in change))
    before, after = (h(tag, text) if text else None for tag, text in zip(("del", "ins"), both, strict=True))
    return h("td", before, " " if before and after else None, after)


def _pager(total: int, first: int) -> Html | None:
    if total <= SHOWN:
        return None
    last = min(first + SHOWN, total)
    return h(
        "div",
        h("span", f"commits {first + 1} to {last} of {total:,}, the newest first", class_="faint"),
        button(
            f"{PREVIOUS} newer",
            "versions",
            with_={"first": max(0, first - SHOWN)},
            style="quiet push",
            disabled=first == 0,
        ),
        button(
            f"older {NEXT}", "versions", with_={"first": first + SHOWN}, style="quiet", disabled=last == total
        ),
        class_="line",
    )


def time_of(ms: int) -> str:
    """Return a time for people, in UTC."""
    return iso(ms)[:19].replace("T", " ")


def plain(_path: str, value: Any) -> str:
    """Write a JSON value."""
    return show(value, 10_000)
