"""The picture of references: tables in layers, ways around them, circles."""

from __future__ import annotations

import re

from sispy_pandas.values.schema import parse_schema
from sispy_pandas.widgets.browse.picture import around, layers, picture
from sispy_pandas.widgets.browse.tables import Tables


def tables(**references):
    """Tables of these names, each with the references to others that are listed."""
    schemas = {}
    for name, targets in references.items():
        definition = {f"to_{target}": {"type": "ObjectId", "ref": target} for target in targets}
        schemas[name] = parse_schema({"name": name, "definition": {"name": "String", **definition}})
    return Tables(schemas, dict.fromkeys(schemas, 1))


def test_what_a_table_refers_to_is_on_its_right_also_in_circles():
    edges = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "d"), ("d", "c")]
    found = layers(["a", "b", "c", "d"], edges)
    place = {node: at for at, layer in enumerate(found) for node in layer if isinstance(node, str)}
    assert (place["a"], place["b"], place["c"], place["d"]) == (0, 1, 2, 1)


def test_a_reference_over_a_layer_has_a_way_of_its_own():
    found = layers(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    ways = [[node for node in layer if isinstance(node, tuple)] for layer in found]
    assert ways == [[], [("a", "c", 1)], []]


def test_tables_that_meet_the_same_ones_stand_beside_them():
    edges = [(f"a{n}", f"b{9 - n}") for n in range(10)]
    left, right = layers([*(f"a{n}" for n in range(10)), *(f"b{n}" for n in range(10))], edges)
    assert [f"b{9 - int(str(name)[1])}" for name in left] == right  # no two references cross


def test_around_a_table_are_its_neighbours_alone():
    server = tables(host=["rack"], rack=["site"], site=[], note=[], tag=["host"])
    assert around(server, "host") == {"host", "rack", "tag"}
    drawn = picture(server, around(server, "host"), here="host")
    assert re.findall(r'aria-label="([^"]+)" data-act="visit"', drawn) == [
        "tag, 1 row, refers to host",
        "host, 1 row, refers to rack",
        "rack, 1 row",
    ]
    assert "host.to_rack → rack" in drawn


def test_every_table_has_a_place_of_its_own():
    server = tables(**{f"t{n}": [f"t{n // 3}"] if n % 4 else [] for n in range(60)})
    boxes = re.findall(r'transform="translate\(([\d.]+),([\d.]+)\)"', picture(server, server.schemas))
    assert (len(boxes), len(set(boxes))) == (60, 60)
    assert "There are no tables." in picture(Tables(), [])
