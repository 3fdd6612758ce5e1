"""Plans out of files: which server they are for, and who talks to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sispy import Client
from sispy.config import read_config
from sispy.encoding import one_address
from sispy.remedies import Call, Message
from sispy.text import printable

from ..formats.bounds import InFile
from ..planning.plan_file import parse, split_plans
from ..values.source import takes
from .objects import Plan, plan_of
from .parts import Plans

if TYPE_CHECKING:
    from collections.abc import Iterable


def load_plan(path: str | Path, client: Client | None = None) -> Plan | Plans:
    """Read a plan that `Plan.save` wrote, or the plans that `Plans.save` did.

    Args:
        path: The file.
        client: For the server that the plan was made on, or a sandbox that is a copy of it; without one, the
            profile with that address is used.

    Raises:
        ValueError: The file was altered, is for another server, or a field of it is another now; there is no
            client for its server.
        sispy.Error: The schema could not be read.

    Example:
        >>> plan = live.diff(live.frame().assign(notes="planned"))
        >>> load_plan(plan.save("plan.json"), client).counts == plan.counts
        True
    """
    found = [
        read_plan(text, client, where=str(path), copies=True)
        for text in split_plans(InFile.of(path).text().split("\n"), str(path))
    ]
    return found[0] if len(found) == 1 else Plans(tuple(found))


def read_plan(text: Iterable[str], client: Client | None, *, where: str, copies: bool = False) -> Plan:
    """Return the plan of some lines; see `load_plan`. Only with `copies` a copy of its server takes it."""

    def connect(server: str) -> Client:
        chosen = client or client_for(server)
        if chosen.url != one_address(server) and not (copies and takes(chosen, server)):
            raise ValueError(f"{printable(where)} is for {printable(server)}, not for {chosen.url}")
        return chosen

    return plan_of(parse(text, connect, where=where))


def client_for(url: str) -> Client:
    """Return a client for an address out of the profiles.

    Raises:
        ValueError: No profile has this address.
    """
    profiles: dict[str, Any] = read_config().get("profiles", {})
    for name, profile in profiles.items():
        if one_address(str(profile.get("url", ""))) == one_address(url):
            return Client.from_profile(name, url=url)
    if one_address(os.environ.get("SIS_URL", "")) == one_address(url):
        return Client.from_profile(url=url)
    raise ValueError(
        Message(
            f"no profile has the address {url}",
            Call(f"client=sispy.Client({url!r}, auth_token=...)", "leads there", ("--url", url)),
        )
    )
