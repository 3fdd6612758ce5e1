"""Schemas, users and groups of the sample data: a small hosting company."""

from __future__ import annotations

from typing import Any

Definition = dict[str, Any]

GROUPS = ("infra", "web", "data")
TEAMS = {
    "web": "web",
    "app": "web",
    "api": "web",
    "db": "data",
    "queue": "data",
    "cache": "data",
    "store": "infra",
}
"""What a host is for -> the group that owns it."""

USERS: dict[str, dict[str, str]] = {
    "alice": {"infra": "admin", "web": "admin", "data": "admin"},
    "bob": {"web": "admin"},
    "carol": {"data": "admin", "infra": "user"},
    "dave": {"infra": "user"},
    "erin": {"web": "user", "data": "user"},
}
"""Name -> roles; a user's password is the name."""

_KEY = {"type": "String", "required": True, "unique": True, "lowercase": True, "trim": True}

SITE: Definition = {
    "name": {**_KEY, "match": "/^[a-z]{3}[0-9]$/"},
    "city": {"type": "String", "required": True},
    "country": {"type": "String", "uppercase": True, "minlength": 2, "maxlength": 2},
    "address": {"street": "String", "postcode": "String"},
    "location": {
        "lat": {"type": "Number", "min": -90, "max": 90},
        "lon": {"type": "Number", "min": -180, "max": 180},
    },
    "tier": {"type": "Number", "min": 1, "max": 4},
    "opened": "Date",
    "staffed": "Boolean",
    "contacts": [{"name": "String", "email": {"type": "String", "match": "/@/"}, "phone": "String"}],
}
RACK: Definition = {
    "name": _KEY,
    "site": {"type": "ObjectId", "ref": "site"},
    "row": "String",
    "units": {"type": "Number", "min": 1, "max": 60},
    "power": {"feeds": ["String"], "limit_kw": "Number"},
    "reserved": "Boolean",
}
SERVICE: Definition = {
    "name": _KEY,
    "description": {"type": "String", "maxlength": 200},
    "level": {"type": "String", "enum": ["gold", "silver", "bronze"], "default": "bronze"},
    "team": {"type": "String", "enum": list(GROUPS)},
    "url": "String",
    "depends_on": [{"type": "ObjectId", "ref": "service"}],
    "on_call": {"primary": "String", "deputy": "String"},
    "repositories": ["String"],
    "ports": ["Number"],
    "settings": "Mixed",
}
HOST: Definition = {
    "name": {**_KEY, "match": "/^[a-z][a-z0-9-]+$/"},
    "status": {"type": "String", "required": True, "enum": ["planned", "live", "maintenance", "retired"]},
    "environment": {"type": "String", "enum": ["production", "staging", "test"]},
    "role": {"type": "String", "enum": list(TEAMS)},
    "virtual": "Boolean",
    "serial": {"type": "String", "unique": True, "sparse": True},
    "os": {"name": "String", "version": "String"},
    "hardware": {
        "model": "String",
        "cores": {"type": "Number", "min": 1, "max": 256},
        "memory_gb": {"type": "Number", "min": 0},
    },
    "ip": "IpAddress",
    "rack": {"type": "ObjectId", "ref": "rack"},
    "position": {"type": "Number", "min": 1, "max": 60},
    "services": [{"type": "ObjectId", "ref": "service"}],
    "interfaces": [{"name": "String", "mac": "String", "ip": "IpAddress", "gbit": "Number", "up": "Boolean"}],
    "labels": ["String"],
    "bought": "Date",
    "price": {"type": "Number", "min": 0},
    "monitored": "Boolean",
    "facts": "Mixed",
    "notes": {"type": "String", "maxlength": 500},
}
SCHEMAS: dict[str, tuple[str, Definition]] = {
    "site": ("Places where there are machines.", SITE),
    "rack": ("Racks, each at a site.", RACK),
    "service": ("What runs on the machines.", SERVICE),
    "host": ("Machines, real and virtual.", HOST),
}
"""Name -> description, definition; each refers only to those before it, and to itself."""
