"""IpAddress values: the object of six keys that SIS stores, and `10.1.2.3/24`, the text that people edit."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Any

_FORM = re.compile(r"[0-9A-Fa-f:.]+(?:/\d{1,3})?")
_KEYS = {"ip_address", "version", "cidr", "network", "broadcast", "subnet_mask"}


def ip_text(value: Any) -> str | None:
    """Return `10.1.2.3/24` for a stored IpAddress object; None if the text would not reproduce the object.

    A /32 of version 4 and a /128 of version 6 have no prefix in the text (SIS-API 4.3).
    """
    if not isinstance(value, dict) or value.keys() != _KEYS:
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
        return _version6(address, int(prefix or 128), text)
    try:
        packed = socket.inet_aton(address)
    except OSError:
        return None
    cidr = int(prefix or 32)
    if cidr > 32 or socket.inet_ntoa(packed) != address:
        return None
    mask = (0xFFFFFFFF << (32 - cidr)) & 0xFFFFFFFF
    network = int.from_bytes(packed, "big") & mask
    return {
        "ip_address": address,
        "version": "v4",
        "cidr": cidr,
        "network": _dotted(network),
        "broadcast": _dotted(network | (mask ^ 0xFFFFFFFF)),
        "subnet_mask": _dotted(mask),
    }


def _dotted(number: int) -> str:
    return socket.inet_ntoa(number.to_bytes(4, "big"))


def _version6(address: str, cidr: int, text: str) -> dict[str, Any] | None:
    try:
        network = ipaddress.IPv6Interface(text).network
    except ValueError:
        return None
    return {
        "ip_address": address,
        "version": "v6",
        "cidr": cidr,
        "network": network.network_address.exploded,
        "broadcast": network.broadcast_address.exploded,
        "subnet_mask": network.netmask.exploded,
    }
