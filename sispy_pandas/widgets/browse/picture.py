"""The references between tables as a picture: tables in layers, what they refer to on their right."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from sispy.text import shorten

from ...values.blocks import count
from ..markup import Html, h

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from .tables import Reference, Tables

_BOX = (156, 40)
_GAP = (84, 16)
_MARGIN = 20
_SWEEPS = 6
_NAME = 20  # characters
_SMALLEST = 0.7
"""To which share of its size a picture shrinks where there is less room; a larger one scrolls."""

Edges = dict[tuple[str, str], list[str]]
"""(table, target) -> paths of the fields that refer."""
Node = str | tuple[str, str, int]
"""A table, or where the reference of two tables passes a layer."""


def around(tables: Tables, name: str) -> set[str]:
    """Return a table, those it refers to, and those that refer to it."""
    found = {name}
    for one in tables.references:
        if name in (one.table, one.target):
            found |= {one.table, one.target}
    return found


def picture(tables: Tables, names: Collection[str], *, here: str | None = None, scale: float = 1) -> Html:
    """Draw tables and the references between them as SVG; a click on one tells `visit`.

    Args:
        tables: Of the server.
        names: Those to be drawn.
        here: The one that is marked.
        scale: 1 for its full size.
    """
    edges = _edges(tables.references, names)
    joined = {name for pair in edges if pair[0] != pair[1] for name in pair}
    places = _places(layers(sorted(joined), edges), [name for name in sorted(names) if name not in joined])
    if not places:
        return h("p", "There are no tables.", class_="faint")
    width = max(x for x, _ in places.values()) + _BOX[0] + _MARGIN
    height = max(y for _, y in places.values()) + _BOX[1] + _MARGIN
    lines = [_edge(places, pair, paths) for pair, paths in edges.items()]
    boxes = [
        _box(tables, node, place, edges, is_here=node == here)
        for node, place in places.items()
        if isinstance(node, str)
    ]
    tip = h("path", d="M0,0 L8,4 L0,8 z", class_="tip")
    marker = h(
        "marker",
        tip,
        id="sispy-tip",
        markerWidth=8,
        markerHeight=8,
        refX=8,
        refY=4,
        orient="auto-start-reverse",
    )
    label = f"References of {here}" if here else "References between the tables"
    return h(
        "svg",
        h("defs", marker),
        *lines,
        *boxes,
        viewBox=f"0 0 {width} {height}",
        width=round(width * scale),
        height=round(height * scale),
        style=f"min-width: {round(width * scale * _SMALLEST)}px",
        role="group",
        aria_label=label,
    )


def layers(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[list[Node]]:
    """Put tables in layers, each left of what it refers to where that is possible, with few crossings.

    A reference that passes a layer has a place of its own there, so that no table stands in its way.

    >>> layers(["host", "rack", "site"], [("host", "rack"), ("rack", "site"), ("host", "site")])
    [['host'], ['rack', ('host', 'site', 1)], ['site']]
    """
    targets: dict[str, list[str]] = defaultdict(list)
    for table, target in edges:
        if table != target:
            targets[table].append(target)
    back = _back(names, targets)
    depth: dict[str, int] = {}
    for name in reversed(_order(names, targets, back)):
        depth[name] = max((depth[t] + 1 for t in targets[name] if (name, t) not in back), default=0)
    deepest = max(depth.values(), default=-1)
    found: list[list[Node]] = [[] for _ in range(deepest + 1)]
    for name in names:
        found[deepest - depth[name]].append(name)
    near: dict[Node, list[Node]] = defaultdict(list)
    for table, linked in targets.items():
        for target in linked:
            first, last = sorted((deepest - depth[table], deepest - depth[target]))
            ways: list[Node] = [(table, target, at) for at in range(first + 1, last)]
            for way, layer in zip(ways, found[first + 1 : last], strict=True):
                layer.append(way)
            ends = (table, target) if depth[table] > depth[target] else (target, table)
            for left, right in pairwise([ends[0], *ways, ends[1]]):
                near[left].append(right)
                near[right].append(left)
    _untangle(found, near)
    return found


def _back(names: Iterable[str], targets: Mapping[str, Sequence[str]]) -> set[tuple[str, str]]:
    """Return the references that close a circle: without them there is none."""
    back: set[tuple[str, str]] = set()
    state: dict[str, int] = {}
    for start in names:
        stack = [(start, iter(targets.get(start, ())))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            name, following = stack[-1]
            target = next(following, None)
            if target is None:
                state[name] = 2
                stack.pop()
            elif target not in state:
                state[target] = 1
                stack.append((target, iter(targets.get(target, ()))))
            elif state[target] == 1:
                back.add((name, target))
    return back


def _order(
    names: Iterable[str], targets: Mapping[str, Sequence[str]], back: Collection[tuple[str, str]]
) -> list[str]:
    """Return the tables so that each comes before what it refers to."""
    done: list[str] = []
    seen: set[str] = set()
    for start in names:
        stack = [(start, False)]
        while stack:
            name, is_left = stack.pop()
            if is_left:
                done.append(name)
            elif name not in seen:
                seen.add(name)
                stack.append((name, True))
                stack += [(t, False) for t in targets.get(name, ()) if (name, t) not in back]
    return done[::-1]


def _untangle(found: list[list[Node]], near: Mapping[Node, Sequence[Node]]) -> None:
    """Order each layer by where the neighbours of what is in it stand."""
    for sweep in range(_SWEEPS):
        place = {node: at / max(1, len(layer) - 1) for layer in found for at, node in enumerate(layer)}
        for layer in found if sweep % 2 else reversed(found):
            wanted = {n: sum(map(place.__getitem__, near[n])) / len(near[n]) for n in layer if near.get(n)}
            layer.sort(key=lambda node: wanted.get(node, place[node]))
            place |= {node: at / max(1, len(layer) - 1) for at, node in enumerate(layer)}


def _edges(references: Iterable[Reference], names: Collection[str]) -> Edges:
    found: Edges = {}
    for one in references:
        if one.table in names and one.target in names:
            found.setdefault((one.table, one.target), []).append(one.path)
    return found


def _places(found: Sequence[Sequence[Node]], alone: Sequence[str]) -> dict[Node, tuple[float, float]]:
    """Return where each box, and each way of a reference, begins; tables without references stand below."""
    wide = _BOX[0] + _GAP[0]
    heights = [sum(map(_height, layer)) for layer in found]
    tallest = max(heights, default=0)
    places: dict[Node, tuple[float, float]] = {}
    for at, layer in enumerate(found):
        y = _MARGIN + (tallest - heights[at]) / 2
        for node in layer:
            places[node] = (_MARGIN + at * wide, y)
            y += _height(node)
    step = _BOX[0] + _GAP[1]
    across = max(4, len(found) * wide // step)
    for number, name in enumerate(alone):
        row, column = divmod(number, across)
        places[name] = (_MARGIN + column * step, _MARGIN + tallest + row * (_BOX[1] + _GAP[1]))
    return places


def _height(node: Node) -> int:
    return (_BOX[1] if isinstance(node, str) else 0) + _GAP[1]


def _edge(places: Mapping[Node, tuple[float, float]], pair: tuple[str, str], paths: Sequence[str]) -> Html:
    (x1, y1), (x2, y2) = places[pair[0]], places[pair[1]]
    wide, half = _BOX[0], _BOX[1] / 2
    right = x1 + wide
    if pair[0] == pair[1]:
        d = f"M{right - 40},{y1} C{right - 40},{y1 - 26} {right + 44},{y1 + half} {right},{y1 + half}"
    elif x1 == x2:
        d = f"M{right},{y1 + half} C{right + 40},{y1 + half} {right + 40},{y2 + half} {right},{y2 + half}"
    else:
        leads_right = x2 > x1
        ways = sorted(places[node] for node in places if isinstance(node, tuple) and node[:2] == pair)
        stops = [(right if leads_right else x1, y1 + half)]
        for x, y in ways if leads_right else reversed(ways):
            stops += [(x, y), (x + wide, y)] if leads_right else [(x + wide, y), (x, y)]
        stops.append((x2 if leads_right else x2 + wide, y2 + half))
        d = f"M{stops[0][0]},{stops[0][1]}"
        for (ax, ay), (bx, by) in pairwise(stops):
            middle = (ax + bx) / 2
            d += f" C{middle},{ay} {middle},{by} {bx},{by}"
    told = f"{pair[0]}.{', '.join(paths)} → {pair[1]}"
    return h("path", h("title", told), d=d, class_="edge", marker_end="url(#sispy-tip)")


def _box(tables: Tables, name: str, place: tuple[float, float], edges: Edges, *, is_here: bool) -> Html:
    x, y = place
    rows = tables.counts.get(name)
    number = "" if rows is None else count(rows, "row")
    to = sorted({target for table, target in edges if table == name})
    label = ", ".join(filter(None, [name, number, f"refers to {' and '.join(to)}" if to else ""]))
    return h(
        "g",
        h("title", label),
        h("rect", width=_BOX[0], height=_BOX[1], rx=6, class_="box"),
        h("text", shorten(name, _NAME) if len(name) > _NAME + 4 else name, x=10, y=17),
        h("text", number, x=10, y=32, class_="number"),
        transform=f"translate({x},{y})",
        class_="here" if is_here else None,
        role="button",
        tabindex=0,
        aria_label=label,
        act="visit",
        with_={"name": name},
    )
