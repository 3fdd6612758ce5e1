"""The change of a hiera entry or a hook to an older state, told by its parts before it is made.

SIS merges the data of a hiera entry that are sent into those that are stored (SIS-API 10): a key that shall
go is sent as null. Of a hook it replaces what is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sispy.delta import same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sispy import Endpoint

    Document = Mapping[str, Any]


class ObjectPlanRefused(ValueError):  # noqa: N818 - named like PlanRefused
    """A change of an object that was not made, or not as it was wanted, and why."""


@dataclass(frozen=True, eq=False)
class ObjectPlan:
    """The change of an object to another state. Making one writes nothing; it has a length (the parts)."""

    endpoint: Endpoint
    before: Document
    """The object as the server has it."""
    after: Document
    """What it shall be; names that begin with `_` do not count."""

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def parts(self) -> dict[str, tuple[Any, Any]]:
        """What differs: path -> (before, after), None where there is none."""
        return parts_changed(self.before, self.after)

    def push(self) -> Document:
        """Send the change, and return the object as the server has it then.

        It is no transaction: a change that somebody makes between the look and the write is lost.

        Raises:
            ObjectPlanRefused: The object has changed since the plan was made, or is gone; or the server took
                not all of it.
            sispy.Error: The server refused, or could not be reached.
        """
        name = self.before["name"]
        now = stored_object(self.endpoint, name)
        if parts_changed(now, self.before):
            raise ObjectPlanRefused(f"{name!r} has changed since the plan was made: make it anew")
        body = {**_own(self.after), "_sis": {"owner": now["_sis"]["owner"]}}
        if "hieradata" in body:
            body["hieradata"] = _merging(now.get("hieradata"), body["hieradata"])
        answer: Document = self.endpoint.update(name, body).to_dict()
        left = ", ".join(parts_changed(answer, self.after))
        if left:
            raise ObjectPlanRefused(f"the server has not taken all of it: {left} is not as it was")
        return answer


def object_plan(endpoint: Endpoint, document: Document) -> ObjectPlan:
    """Return the plan that makes an object what it once was.

    Args:
        endpoint: `client.hiera` or `client.hooks`.
        document: The wanted state, with its name.

    Raises:
        ObjectPlanRefused: There is no such object any more.
        sispy.Error: The server could not be asked.
    """
    return ObjectPlan(endpoint, stored_object(endpoint, document["name"]), document)


def stored_object(endpoint: Endpoint, name: str) -> Document:
    """Read a schema, a hook or a hiera entry whole.

    Raises:
        ObjectPlanRefused: There is none of that name.
        sispy.Error: The server could not be asked.
    """
    found = endpoint.fetch_page(
        {"q": {"name": name}, "limit": 1}
    ).to_list()  # GET /hiera/:name has the data alone
    if not found:
        raise ObjectPlanRefused(f"there is no {name!r} any more")
    document: Document = found[0]
    return document


def parts_changed(before: Document | None, after: Document | None) -> dict[str, tuple[Any, Any]]:
    """Return what differs between two states of an object: path -> (before, after)."""
    old, new = dict(_leaves(_own(before or {}))), dict(_leaves(_own(after or {})))
    paths = [*old, *(path for path in new if path not in old)]
    return {path: (old.get(path), new.get(path)) for path in paths if not same(old.get(path), new.get(path))}


def _own(document: Document) -> dict[str, Any]:
    """Return what an object is without what the server keeps of it."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


def _leaves(document: Document, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _merging(now: Any, wanted: Any) -> Any:
    """Return what makes a stored value the wanted one when it is merged into it."""
    if not (isinstance(now, dict) and isinstance(wanted, dict)):
        return wanted
    gone = {name: None for name in now if name not in wanted}
    return {**gone, **{name: _merging(now.get(name), value) for name, value in wanted.items()}}
