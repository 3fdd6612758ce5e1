"""Sample data: the same sites, racks, services, hosts and users for the same seed and size."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

from sispy.sandbox.sis import writes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sispy.sandbox.mongo.store import Document
    from sispy.sandbox.sis.resources import Resource
    from sispy.sandbox.sis.world import World

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
BEGIN = 1_767_600_000_000
"""2026-01-05T08:00:00Z: when the first object was made; each one takes a second."""

CITIES = (
    ("ams", "Amsterdam", "NL", 52.37, 4.9),
    ("fra", "Frankfurt", "DE", 50.11, 8.68),
    ("par", "Paris", "FR", 48.86, 2.35),
    ("lon", "London", "GB", 51.51, -0.13),
    ("dub", "Dublin", "IE", 53.35, -6.26),
    ("sto", "Stockholm", "SE", 59.33, 18.07),
    ("zrh", "Zürich", "CH", 47.37, 8.54),
    ("nyc", "New York", "US", 40.71, -74.01),
    ("sjc", "San José", "US", 37.34, -121.89),
    ("sin", "Singapore", "SG", 1.35, 103.82),
)
SERVICES: tuple[tuple[str, str, str, str, list[int]], ...] = (
    ("shop", "web", "gold", "The shop that customers see.", [443]),
    ("checkout", "web", "gold", "Carts, payments, receipts.", [443, 8443]),
    ("search", "web", "silver", "Finds products.", [9200]),
    ("accounts", "data", "gold", "Who the customers are.", [5432]),
    ("orders", "data", "gold", "What they have ordered.", [5432, 5433]),
    ("events", "data", "silver", "The bus between all others.", [9092]),
    ("sessions", "data", "silver", "Sessions of the shop.", [6379]),
    ("backup", "infra", "bronze", "Copies of everything, twice.", []),
    ("dns", "infra", "gold", "Names.", [53]),
    ("mail", "infra", "bronze", "Mail to customers.", [25, 587]),
    ("metrics", "infra", "silver", "Numbers about everything.", [9090]),
    ("wiki", "infra", "bronze", "What people know.", [443]),
)
SYSTEMS = (("debian", "12"), ("debian", "13"), ("rhel", "8"), ("rhel", "9"), ("ubuntu", "24.04"))
MODELS = (
    ("Dell", "PowerEdge R660", 32, 256),
    ("Dell", "PowerEdge R760", 64, 512),
    ("HPE", "ProLiant DL360", 48, 384),
    ("Supermicro", "SYS-121H", 96, 1024),
)
NOTES = (
    "waits for a new fan",
    "moved from the old hall",
    'label says "do not touch", ask first',
    "memory to be doubled, see ticket",
    "noisy neighbour; limit = 80 %",
)
LABELS = ("pci", "edge", "canary", "legacy", "gpu", "backup-night")


def load(world: World, size: int, seed: int = 1) -> None:
    """Fill an empty world with sample data.

    Args:
        world: Where to.
        size: How many hosts; sites, racks follow from it.
        seed: Of everything that varies.
    """
    context = world.context
    clock, ids = context.clock, context.ids
    seconds, numbers = itertools.count(), itertools.count(1)
    context.clock = lambda: BEGIN + 1000 * next(seconds)
    context.ids = lambda: f"{BEGIN // 1000:08x}{seed & 0xFFFFFFFF:08x}{next(numbers):08x}"
    try:
        _Builder(world, size, seed).build()
    finally:
        context.clock, context.ids = clock, ids


class _Builder:
    def __init__(self, world: World, size: int, seed: int) -> None:
        self.world = world
        self.context = world.context
        self.size = size
        self.random = random.Random(seed)  # noqa: S311  # samples are no secrets
        self.alice: Document = {"name": "alice", "super_user": True}

    def build(self) -> None:
        users = self.world.users
        for name, roles in USERS.items():
            body = {
                "name": name,
                "email": f"{name}@example.com",
                "roles": roles,
                "verified": True,
            }
            self.add(users, body)
        for name, (description, definition) in SCHEMAS.items():
            sis = {"owner": list(GROUPS)}
            body = {"name": name, "description": description, "definition": definition, "_sis": sis}
            self.add(self.world.schemas, body)
        sites = [self.put("site", body, "infra") for body in self.sites()]
        racks = [self.put("rack", body, "infra") for body in self.racks(sites)]
        services = self.services()
        for body, group in self.hosts(sites, racks, services):
            self.put("host", body, group)
        self.history()

    def add(self, resource: Resource, body: Document) -> Document:
        document = writes.create(resource, body, self.alice)
        resource.record("insert", "alice", document)
        return document

    def put(self, schema: str, body: Document, owner: str) -> Document:
        return self.add(self.world.entities[schema], {**body, "_sis": {"owner": [owner]}})

    def sites(self) -> Iterator[Document]:
        pick = self.random
        for i in range(min(len(CITIES), 2 + self.size // 250)):
            code, city, country, lat, lon = CITIES[i]
            site: Document = {
                "name": f"{code}1",
                "city": city,
                "country": country,
                "address": {"street": f"{pick.choice(('Dock', 'Mill', 'Canal'))} Road {pick.randint(1, 99)}"},
                "location": {"lat": lat, "lon": lon},
                "tier": pick.randint(2, 4),
                "opened": f"20{pick.randint(10, 24)}-{pick.randint(1, 12):02}-01",
                "contacts": [
                    {
                        "_id": self.context.ids(),
                        "name": f"{city} desk",
                        "email": f"desk-{code}@example.com",
                    },
                    *(
                        [{"_id": self.context.ids(), "name": "guard", "phone": "+1 555 0100"}]
                        if i % 3 == 0
                        else []
                    ),
                ],
            }
            if i % 4 != 3:
                site["staffed"] = i % 2 == 0
            if i % 2:
                site["address"]["postcode"] = f"{pick.randint(0, 99999):05}"
            yield site

    def racks(self, sites: list[Document]) -> Iterator[Document]:
        for i in range(max(2, self.size // 25)):
            site = sites[i % len(sites)]
            number = i // len(sites) + 1
            rack: Document = {
                "name": f"{site['name']}-r{number:02}",
                "site": site["_id"],
                "row": "ABCDEFGH"[(number - 1) // 8 % 8],
                "units": self.random.choice((42, 42, 47)),
                "power": {
                    "feeds": ["a", "b"] if i % 5 else ["a"],
                    "limit_kw": self.random.choice((5.5, 11, 17.25)),
                },
            }
            if i % 7 == 0:
                rack["reserved"] = True
            yield rack

    def services(self) -> list[Document]:
        made: list[Document] = []
        for i, (name, team, level, description, ports) in enumerate(SERVICES):
            body: Document = {
                "name": name,
                "description": description,
                "team": team,
                "ports": ports,
                "depends_on": [other["_id"] for other in self.random.sample(made, min(len(made), i % 3))],
                "on_call": {"primary": next(user for user, roles in USERS.items() if team in roles)},
                "repositories": [f"git/{name}", *([f"git/{name}-charts"] if i % 2 else [])],
                "settings": {
                    "replicas": 1 + i % 4,
                    "limits": {"cpu": 0.5 * (1 + i % 3), "burst": i % 2 == 0},
                },
            }
            if level != "bronze":
                body["level"] = level
            if 443 in ports:
                body["url"] = f"https://{name}.example.com/"
            made.append(self.put("service", body, team))
        return made

    def hosts(
        self, sites: list[Document], racks: list[Document], services: list[Document]
    ) -> Iterator[tuple[Document, str]]:
        roles = list(TEAMS)
        counts: dict[str, int] = {}
        by_team: dict[Any, list[Document]] = {}
        for service in services:
            by_team.setdefault(service["team"], []).append(service)
        sites_by_id = {site["_id"]: site for site in sites}
        for i in range(self.size):
            role = self.random.choice(roles)
            rack = racks[self.random.randrange(len(racks))]
            site = sites_by_id[rack["site"]]
            stem = f"{role}-{site['name']}"
            counts[stem] = counts.get(stem, 0) + 1
            group = TEAMS[role]
            host = self.host(i, f"{stem}-{counts[stem]:03}", role)
            if not host["virtual"]:
                host |= {"rack": rack["_id"], "position": self.random.randint(1, rack["units"])}
            chosen = self.random.sample(by_team[group], self.random.randint(0, 2))
            host["services"] = [service["_id"] for service in chosen]
            yield host, group

    def host(self, i: int, name: str, role: str) -> Document:
        pick = self.random
        vendor, model, cores, memory = pick.choice(MODELS)
        system, version = pick.choice(SYSTEMS)
        virtual = pick.random() < 0.4
        address = f"10.{i // 62500 + 20}.{i // 250 % 250}.{i % 250 + 1}"
        host: Document = {
            "name": name,
            "status": pick.choices(("live", "planned", "maintenance", "retired"), (80, 8, 7, 5))[0],
            "environment": pick.choices(("production", "staging", "test"), (6, 2, 2))[0],
            "role": role,
            "virtual": virtual,
            "os": {"name": system, "version": version},
            "ip": f"{address}/24",
            "interfaces": [self.interface(i, 0, address), *([] if virtual else [self.interface(i, 1, None)])],
            "labels": sorted(pick.sample(LABELS, pick.choice((0, 0, 1, 2)))),
            "facts": {
                "kernel": f"6.{pick.randint(1, 12)}.{pick.randint(0, 90)}",
                "uptime_days": pick.randint(0, 900),
            },
        }
        if virtual:
            host["hardware"] = {"cores": pick.choice((2, 4, 8)), "memory_gb": pick.choice((4, 8, 16, 32))}
        else:
            host["hardware"] = {"model": model, "cores": cores, "memory_gb": memory}
            host["serial"] = f"{pick.choice('CJX')}{pick.randrange(36**2):02X}{i:06}"
            host["bought"] = f"20{pick.randint(17, 25)}-{pick.randint(1, 12):02}-{pick.randint(1, 28):02}"
            host["price"] = round(pick.uniform(2000, 24000), 2)
            host["facts"]["bios"] = {"vendor": vendor, "secure_boot": pick.random() < 0.7}
        if pick.random() < 0.9:
            host["monitored"] = host["status"] == "live"
        if pick.random() < 0.12:
            host["notes"] = pick.choice(NOTES)
        return host

    def interface(self, i: int, number: int, address: str | None) -> Document:
        entry: Document = {
            "_id": self.context.ids(),
            "name": f"eth{number}",
            "mac": f"02:00:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}:{number:02x}",
            "gbit": self.random.choice((1, 10, 25)),
            "up": number == 0,
        }
        return entry if address is None else {**entry, "ip": f"{address}/24"}

    def history(self) -> None:
        """Let users change every tenth host afterwards, so that there is a past to look at."""
        hosts = self.world.entities["host"]
        for i, stored in enumerate(list(hosts.collection)[::10]):
            user = self.world.users.collection.find("name", "alice" if i % 3 else "dave")
            if user is None or (user["name"] == "dave" and stored["_sis"]["owner"] != ["infra"]):
                continue
            body: Document = {"status": "maintenance", "monitored": False}
            if i % 2:
                body = {"os": {"name": "debian", "version": "13"}, "labels": [*stored["labels"], "upgraded"]}
            after = writes.install(hosts, writes.prepare(hosts, stored, body, user)).after
            hosts.record("update", user["name"], after, stored)
