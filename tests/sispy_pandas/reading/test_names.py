from __future__ import annotations

import pytest

from sispy.sandbox import Sandbox
from sispy_pandas.reading.listing import schema_of
from sispy_pandas.reading.names import ids_by_name, names_by_id, names_with

DEFINITION = {"name": {"type": "String", "unique": True, "required": True}, "alias": "String", "no": "Number"}


@pytest.fixture(scope="module")
def racks():
    with Sandbox() as sis:
        client = sis.client()
        client.schemas.create({"name": "rack", "definition": DEFINITION, "_sis": {"owner": ["g"]}})
        rows = [{"name": f"r{n:03}", "alias": "twin" if n < 2 else None, "no": n / 2} for n in range(700)]
        ids = client.entities("rack").create(rows).to_dict()["success"]
        by_name = {row["name"]: row["_id"] for row in ids}
        yield sis, client, schema_of(client, "rack"), [by_name[row["name"]] for row in rows]


def asked(sis: Sandbox, first: int) -> int:
    return len(sis.requests) - first


def test_some_rows_are_named_in_one_request(racks):
    sis, client, rack, ids = racks
    before = len(sis.requests)

    assert names_by_id(client, rack, "name", [ids[3], ids[1], "0" * 24]) == {ids[3]: "r003", ids[1]: "r001"}
    assert asked(sis, before) == 1


def test_many_rows_are_read_by_pages_of_the_table(racks):
    sis, client, rack, ids = racks
    before = len(sis.requests)

    assert names_by_id(client, rack, "name", ids) == {id_: f"r{n:03}" for n, id_ in enumerate(ids)}
    assert asked(sis, before) == 2  # how many there are, and a page of all


def test_rows_of_one_name_are_all_there_to_be_told_apart(racks):
    _, client, rack, ids = racks

    assert names_by_id(client, rack, "alias", ids[:1]) == {ids[0]: "twin", ids[1]: "twin"}
    assert ids_by_name(client, rack, "alias", ["twin", "none"]) == {"twin": ids[:2]}


def test_a_number_is_a_name_in_any_spelling(racks):
    _, client, rack, ids = racks

    assert ids_by_name(client, rack, "no", ["0.5", "1", "1.0", "x", "-1"]) == {
        "0.5": [ids[1]],
        "1": [ids[2]],
        "1.0": [ids[2]],
    }


def test_names_are_found_by_a_part_of_them(racks):
    _, client, rack, ids = racks

    assert names_with(client, rack, "name", "R69", 2) == [(ids[690], "r690"), (ids[691], "r691")]
    assert names_with(client, rack, "name", ".*", 2) == []
    assert names_with(client, rack, "name", "", 1) == [(ids[0], "r000")]
