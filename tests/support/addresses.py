"""An address as the server stores it (SIS-API 4.3)."""

from typing import Any

IP: dict[str, Any] = {
    "ip_address": "10.1.2.3",
    "version": "v4",
    "cidr": 24,
    "network": "10.1.2.0",
    "broadcast": "10.1.2.255",
    "subnet_mask": "255.255.255.0",
}
