"""Sort and projection of lists (SIS-API 6.2, 6.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sispy.sandbox.js.dates import date_order
from sispy.sandbox.js.scalars import MISSING, Json
from sispy.sandbox.mongo.errors import QueryError
from sispy.sandbox.mongo.operators import is_date, order_key
from sispy.sandbox.mongo.paths import node_at, values_at

if TYPE_CHECKING:
    from sispy.sandbox.mongoose.nodes import Definition

_MAX_KEYS = 32
"""By how many paths the database sorts at most."""
Sorter = Callable[[Iterable[Mapping[str, Json]]], list[Mapping[str, Json]]]


def sorter(spec: str, definition: Definition | None = None) -> Sorter:
    """Compile the parameter `sort`: `-a,b`.

    Null and missing come first, then numbers, texts, objects, arrays, booleans. An array counts by its least
    member, descending by its greatest. Documents with equal keys keep their order.

    Raises:
        QueryError: An empty name, or too many.
    """
    keys = []
    parts = spec.split(",")
    if len(parts) > _MAX_KEYS:
        raise QueryError("too many compound keys")
    for part in parts:
        descending = part.startswith("-")
        name = part.removeprefix("-") if descending else part.removeprefix("+")
        if not name or name.startswith(("$", ".")) or ".." in name or name.endswith("."):
            raise QueryError("FieldPath cannot be constructed with empty string")
        node = node_at(definition, name)
        keys.append((_key(name.split("."), descending=descending, dates=is_date(node)), descending))
    keys.reverse()

    def run(documents: Iterable[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
        result = list(documents)
        for key, descending in keys:
            result.sort(key=key, reverse=descending)
        return result

    return run


_EMPTY: tuple[Any, ...] = (-1,)


def _key(
    parts: list[str], *, descending: bool, dates: bool
) -> Callable[[Mapping[str, Json]], tuple[Any, ...]]:
    name = parts[0] if len(parts) == 1 else None
    choose = max if descending else min

    def of_value(value: Json) -> tuple[Any, ...]:
        kind = type(value)
        if kind is str:
            return (2, date_order(value) if dates else value)
        if kind is int or kind is float:
            return (1, value)
        if kind is list:
            return choose((order_key(one) for one in value), default=_EMPTY)
        return order_key(value)

    if name is not None:
        return lambda document: of_value(document.get(name))
    return lambda document: choose(map(of_value, values_at(document, parts)), default=(0,))


class Projection:
    """The parameter `fields`, compiled; call it with a document.

    Attributes:
        exclude: Whether the names are what is left out.
    """

    def __init__(self, spec: str, *, extra: Iterable[str] = ()) -> None:
        """Compile a comma list of paths.

        Args:
            spec: `a,b.c` or `-a,-b`; blanks around names do not count.
            extra: Paths to include as well: those of references, if they are populated. Not for exclusions.

        Raises:
            QueryError: Inclusion and exclusion are mixed, or a path stands beside its parent.
        """
        names = [name for part in spec.split(",") if (name := part.strip()) and name != "-"]
        excluded = [name[1:] for name in names if name.startswith("-")]
        included = [name.removeprefix("+") for name in names if not name.startswith("-")]
        if included and [name for name in excluded if name != "_id"]:
            raise QueryError("Projection cannot have a mix of inclusion and exclusion.")
        self.exclude: bool = bool(excluded) and not included
        paths = list(dict.fromkeys(excluded if self.exclude else included))
        with_id = "_id" not in excluded
        if not self.exclude and names:
            paths += [path for path in extra if path not in paths]
        self._tree: dict[str, Any] = {}
        for path in paths:
            if path != "_id" or self.exclude:
                _add_path(self._tree, path)
        if with_id and not self.exclude:
            self._tree = {"_id": True, **self._tree}
        self.empty: bool = not names

    def __call__(self, document: Mapping[str, Json]) -> Mapping[str, Json]:
        """Show the selected part of a document; the document itself if that is all."""
        if self.empty:
            return document
        if self.exclude:
            return _without(document, self._tree)
        return _only(document, self._tree)

    def selects(self, path: str) -> bool:
        """Return whether a path is shown, in whole or in part."""
        if self.empty:
            return True
        tree: Any = self._tree
        for part in path.split("."):
            if tree is True:
                break
            if part not in tree:
                return self.exclude
            tree = tree[part]
        return not (self.exclude and tree is True)


def _add_path(tree: dict[str, Any], path: str) -> None:
    parts = path.split(".")
    if "" in parts or any(part.startswith("$") for part in parts):
        raise QueryError(f"FieldPath {path!r} is not valid")
    for part in parts[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise QueryError(f"Path collision at {path}")
    if parts[-1] in tree:
        raise QueryError(f"Path collision at {path}")
    tree[parts[-1]] = True


def _only(document: Mapping[str, Json], tree: Mapping[str, Any]) -> dict[str, Json]:
    result = {}
    for name, below in tree.items():
        value = document.get(name, MISSING)
        if value is MISSING:
            continue
        if below is not True:
            value = _part(value, below, _only)
            if value is MISSING:
                continue
        result[name] = value
    return result


def _without(document: Mapping[str, Json], tree: Mapping[str, Any]) -> dict[str, Json]:
    result = {}
    for name, value in document.items():
        below = tree.get(name)
        if below is None:
            result[name] = value
        elif below is not True:
            part = _part(value, below, _without)
            result[name] = value if part is MISSING else part
    return result


def _part(value: Json, tree: Mapping[str, Any], select: Callable[..., dict[str, Json]]) -> Json:
    if isinstance(value, dict):
        return select(value, tree)
    if isinstance(value, list):
        members = (
            _part(member, tree, select) if isinstance(member, dict | list) else MISSING for member in value
        )
        if select is _without:
            return [one if new is MISSING else new for one, new in zip(value, members, strict=True)]
        return [member for member in members if member is not MISSING]
    return MISSING
