"""What tests of the browser have on their servers, besides the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sispy import Client


def hooked(client: Client) -> str:
    """Make a hook, a hiera entry, and change a host; return its name."""
    web = {"_sis": {"owner": ["web"]}}
    client.hiera.create({"name": "common", "hieradata": {"ntp": ["a", "b"]}, **web})
    hook = {"entity_type": "host", "target": {"url": "http://h.example/", "action": "POST"}, **web}
    client.hooks.create({"name": "tell", "events": ["update"], **hook})
    hosts = client.entities("host")
    name: str = hosts.fetch_page({"limit": 1, "sort": "name"})[0]["name"]
    hosts.update(name, {"notes": "moved", "price": 1})
    return name


def many_tables(client: Any) -> None:
    """Make 200 tables, one of them with 80 fields of 500 values."""
    key = {"type": "String", "required": True, "unique": True}
    for number in range(200):
        definition: dict[str, Any] = {"name": key, "text": "String"}
        if number > 4:
            definition["to"] = {"type": "ObjectId", "ref": f"t{number // 5:03}"}
        if number == 150:
            values = [f"value{one}" for one in range(500)]
            told = "A long description of a field. " * 6
            wide = {"type": "String", "enum": values, "description": told}
            definition |= {f"wide{one}": wide for one in range(80)}
        client.schemas.create(
            {
                "name": f"t{number:03}",
                "_sis": {"owner": ["ops"]},
                "definition": definition,
                "id_field": "name",
            }
        )
