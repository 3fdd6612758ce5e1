"""HTML that Python writes: all text in it is escaped, unless it is Html already."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

from sispy.text import in_html, shorten, shorten_apart

from ..values.blocks import side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_VOID = ("input", "br", "col")
CELL = 60
"""Characters of a cell that are shown; its title has more."""
TITLE = 1_000
"""Characters of that title."""
PREVIOUS, NEXT = "\u2039", "\u203a"
"""Signs of buttons that turn pages."""


class Html(str):
    """A piece of a page."""

    __slots__ = ()


def h(tag: str, *children: object, **attributes: object) -> Html:
    """Write an element; texts among its children are escaped, None and False are left out.

    Args:
        tag: Its name.
        children: Html, or anything else as its text.
        attributes: True stands for the name alone, None and False for none; `aria_label` is `aria-label`,
            `class_` is `class`, and `with_` are the arguments of `act`.

    Example:
        >>> h("button", "<a>", act="visit", with_={"table": "host"})
        '<button data-act="visit" data-with="{&quot;table&quot;: &quot;host&quot;}">&lt;a&gt;</button>'
    """
    parts = [f"<{tag}"]
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        name = _NAMES.get(name) or name.rstrip("_").replace("_", "-")
        if name == "data-with":
            value = json.dumps(value)
        parts.append(f" {name}" if value is True else f' {name}="{html.escape(str(value))}"')
    parts.append(">")
    if tag in _VOID:
        return Html("".join(parts))
    return Html("".join([*parts, joined(*children), f"</{tag}>"]))


_NAMES = {
    "act": "data-act",
    "with_": "data-with",
    "live": "data-live",
    "enter": "data-enter",
    "key": "data-key",
}


def joined(*children: object) -> Html:
    """Return pieces of a page as one."""
    return Html(
        "".join(
            child if isinstance(child, Html) else in_html(child)
            for child in children
            if child is not None and child is not False
        )
    )


def button(text: object, act: str, *, style: str = "", **options: Any) -> Html:
    """Write a button; with a `style` of link it looks like one."""
    return h("button", text, type="button", act=act, class_=style or None, **options)


def choice(options: Iterable[tuple[str, str]], chosen: str, act: str, *, label: str, **more: Any) -> Html:
    """Write a list to choose from of (value, text)."""
    shown = [h("option", text, value=value, selected=value == chosen) for value, text in options]
    return h("select", *shown, act=act, aria_label=label, **more)


def text_field(value: str, act: str, *, label: str, **more: Any) -> Html:
    """Write a field for a line of text, which it holds exactly."""
    return h("input", type=more.pop("type", "text"), value=value, act=act, aria_label=label, **more)


def area(value: str, act: str, *, label: str, rows: int = 3, **more: Any) -> Html:
    """Write a field for several lines of text, which it holds exactly."""
    text = Html("\n" + html.escape(value))  # a first line break does not count
    return h("textarea", text, rows=rows, act=act, aria_label=label, **more)


def tabs(names: Mapping[str, str], chosen: str, act: str, *, label: str, end: object = None) -> Html:
    """Write a row of tabs of key -> text, which tell `name`."""
    found = [
        button(text, act, with_={"name": key}, aria_current="page" if key == chosen else None)
        for key, text in names.items()
    ]
    return h("nav", *found, end, class_="tabs", aria_label=label)


def alert(text: str, **attributes: str) -> Html:
    """Show what went wrong; nothing for an empty text."""
    return h("div", text, class_="alert", role="alert", **attributes) if text else Html()


def calm(text: str) -> Html:
    """Write what happened as it was asked for; a screen reader tells it when it has time."""
    return h("div", text, role="status")


def loading(text: str = "Loading …") -> Html:
    """Write that something is on its way."""
    return h("div", text, class_="faint loading", role="status")


def table(head: Sequence[object], rows: Iterable[Sequence[object]], *, label: str, class_: str = "") -> Html:
    """Write a table that scrolls; numbers stand to the right, also where no stylesheet is."""
    lines = list(rows)
    like = lines[0] if lines else head  # a title stands above its numbers
    top = h("tr", *(cell("th", one, like=cell_, scope="col") for one, cell_ in zip(head, like, strict=True)))
    body = [h("tr", *(cell("td", one) for one in line)) for line in lines]
    return scrolling(h("table", h("thead", top), h("tbody", *body), class_=class_ or None), label=label)


def cell(tag: str, shown: object, *, like: object = None, **attributes: object) -> Html:
    """Write a cell of a table at its side, or at that of another one."""
    text = f"{shown:,}" if isinstance(shown, int) and not isinstance(shown, bool) else shown
    return Html(f"<{tag}{side(shown if like is None else like)}{h(tag, text, **attributes)[len(tag) + 1 :]}")


def scrolling(*children: object, label: str) -> Html:
    """Give what may be large a place in which it scrolls, by keys, too."""
    return h("div", *children, class_="scroll", tabindex="0", role="region", aria_label=label)


def short(text: str, width: int = CELL) -> Html:
    """Write a text that is cut where it is long, with a title that has more of it."""
    return _cut(text, shorten(text, width))


def short_apart(*texts: str, width: int = CELL) -> list[Html]:
    """Write texts as `short` does, but long ones cut around the place where they begin to differ."""
    return list(map(_cut, texts, shorten_apart(*texts, width=width)))


def _cut(text: str, shown: str) -> Html:
    return joined(text) if shown == text else h("span", shown, title=shorten(text, TITLE))
