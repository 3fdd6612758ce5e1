"""IpAddress: an object of six keys that SIS stores, and `10.1.2.3/24`, the text that people edit."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING, Any

from .base import Contradiction
from .cell_text import escape, structure_or_refuse
from .cells import is_missing, json_text, plain, shown
from .frozen import freeze
from .text import Text, read_text, strings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import Style

_FORM = re.compile(r"[0-9A-Fa-f:.]+(?:/\d{1,3})?")


class IpAddress(Text, name="IpAddress"):
    """An address with an optional prefix."""

    is_ordered = is_searched = True
    json_types = (str, dict)
    suspect = "['{]"
    parts = {  # noqa: RUF012 - nobody changes it
        "ip_address": "String",
        "version": "String",
        "cidr": "Number",
        "network": "String",
        "broadcast": "String",
        "subnet_mask": "String",
    }

    @staticmethod
    def is_spelt(text: str, style: Style) -> bool:
        """Return whether an address comes back as it is written; the server drops /32 and /128."""
        try:
            interface = ipaddress.ip_interface(text)
        except ValueError:
            return False
        return "/" not in text or (
            interface.network.prefixlen != interface.max_prefixlen and "." not in text.split("/")[1]
        )

    def cast(self, cell: Any) -> Any:
        if isinstance(cell, dict):
            if all(map(is_missing, cell.values())):
                return None
            text = ip_text(cell)
            return plain(cell) if text is None else text
        if isinstance(cell, str):
            text = cell.strip()
            if not text:
                return None
            stored = ip_object(text)
            if stored:
                return ip_text(stored)
        raise ValueError(f"{shown(cell)} is not an IP address")

    def stored(self, value: Any) -> Any:
        return (ip_object(value) if isinstance(value, str) else None) or value

    def holds(self, value: Any) -> bool:
        return isinstance(value, str) or ip_text(value) is not None

    def why_odd(self, value: Any) -> str:
        return "address and prefix do not reproduce what is stored"

    def cell_of(self, value: Any) -> Any:
        text = ip_text(value)
        return freeze(value) if text is None else text

    def page(self, values: Sequence[Any], *, checked: bool) -> Any:
        return strings([_text_of(value) for value in values])

    def text(self, value: Any, style: Style) -> str:
        return escape(value) if isinstance(value, str) else json_text(value)

    def read(self, text: str, style: Style) -> Any:
        return structure_or_refuse(text, "not an IP address") if text[0] == "{" else read_text(text)

    def at(self, path: str) -> str:
        return f"{path}.ip_address"

    def split(self, text: str) -> dict[str, Any]:
        if ip_object(text) is None:
            raise ValueError(f"{shown(text)} is not an IP address")
        address, slash, prefix = text.partition("/")
        return {"ip_address": address} | ({"cidr": int(prefix)} if slash else {})


def _text_of(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    text = ip_text(value)
    if text is None:
        raise Contradiction
    return text


def ip_text(value: Any) -> str | None:
    """Return `10.1.2.3/24` for a stored IpAddress object; None if the text would not reproduce the object.

    A /32 of version 4 and a /128 of version 6 have no prefix in the text (SIS-API 4.3).
    """
    if not isinstance(value, dict) or value.keys() != IpAddress.parts.keys():
        return None
    address, cidr = value["ip_address"], value["cidr"]
    is_whole = isinstance(cidr, int) or (isinstance(cidr, float) and cidr.is_integer())  # Arrow makes doubles
    if not isinstance(address, str) or isinstance(cidr, bool) or not is_whole:
        return None
    text = address if cidr == (32 if ":" not in address else 128) else f"{address}/{int(cidr)}"
    return text if ip_object(text) == value else None


def ip_object(text: str) -> dict[str, Any] | None:
    """Return the object that SIS stores for an address with optional prefix; None if it is no address."""
    if not _FORM.fullmatch(text):
        return None
    address, _, prefix = text.partition("/")
    if ":" in address:
        try:
            network = ipaddress.IPv6Interface(text).network
        except ValueError:
            return None
        ends = (network.network_address, network.broadcast_address, network.netmask)
        return _object(address, "v6", int(prefix or 128), *(end.exploded for end in ends))
    try:
        packed = socket.inet_aton(address)
    except OSError:
        return None
    cidr = int(prefix or 32)
    if cidr > 32 or socket.inet_ntoa(packed) != address:
        return None
    mask = (0xFFFFFFFF << (32 - cidr)) & 0xFFFFFFFF
    network4 = int.from_bytes(packed, "big") & mask
    return _object(
        address, "v4", cidr, _dotted(network4), _dotted(network4 | (mask ^ 0xFFFFFFFF)), _dotted(mask)
    )


def _object(*values: Any) -> dict[str, Any]:
    return dict(zip(IpAddress.parts, values, strict=True))


def _dotted(number: int) -> str:
    return socket.inet_ntoa(number.to_bytes(4, "big"))
