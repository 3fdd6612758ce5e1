import json
from typing import Any

import pytest

import sispy
from sispy_pandas.reading.decode import Decoder
from sispy_pandas.reading.table import Table
from sispy_pandas.values.schema import META, parse_schema
from sispy_pandas.values.types.frozen import FrozenDict

SCHEMA = parse_schema(
    {
        "name": "t",
        "definition": {
            "name": "String",
            "n": "Number",
            "b": {"c": {"d": "Boolean"}, "when": "Date"},
            "l": ["Number"],
            "docs": [{"k": "String"}],
            "m": "Mixed",
        },
    }
)
ROWS: list[dict[str, Any]] = [
    {"_id": "1", "name": "é\n", "n": 1, "b": {"c": {"d": True}, "when": "x"}, "l": [1, 2.5, None], "m": [1],
     "docs": [{"k": "a"}], "_sis": {"_updated_at": 5, "owner": ["g"], "x": 1}, "_v": 0, "zzz": {"y": 1}},
    {"_id": "2", "n": None, "b": {}, "docs": [], "_sis": {"_updated_at": 6}},
    {"_id": "3", "name": "", "_sis": {"_updated_at": 7}},
]  # fmt: skip
COLUMNS = {
    "_id": ["1", "2", "3"],
    "_updated_at": [5, 6, 7],
    "name": ["é\n", None, ""],
    "n": [1, None, None],
    "b.c.d": [True, None, None],
    "b.when": ["x", None, None],
    "l": [[1, 2.5, None], None, None],
    "docs": [[{"k": "a"}], [], None],
    "m": [[1], None, None],
    "_sis.owner": [["g"], None, None],
}


def decoded(body, fast=True):
    """Decode a page of one block."""
    (rows,) = Decoder(FIELDS, fast=fast).open(body).blocks()
    return rows


FIELDS = (*SCHEMA.fields, *(f for f in META if f.path == "_sis.owner"))


def columns(rows):
    return {
        name: [list(v) if isinstance(v, tuple) else v for v in values]
        for name, values in rows.columns.items()
    }


@pytest.mark.parametrize("fast", [True, False])
def test_both_ways_give_the_same_columns(fast):
    rows = decoded(fast=fast, body=json.dumps(ROWS).encode())
    assert columns(rows) == COLUMNS
    assert (len(rows), rows.checked, rows.invalid) == (3, fast, ())


def test_a_page_longer_than_a_block_keeps_its_order():
    body = json.dumps([{"_id": str(i), "n": i, "_sis": {}} for i in range(1000)]).encode()
    page = Decoder(FIELDS).open(body)
    numbers = [n for rows in page.blocks() for n in rows.columns["n"]]
    assert numbers == list(map(float, range(1000)))
    assert (len(page), list(page.bounds)) == (1000, ["0", "999"])


@pytest.mark.parametrize(
    "odd", [{"n": "12"}, {"name": 5}, {"b": "x"}, {"l": "x"}, {"l": [1, "x"]}, {"_sis": {"owner": "g"}}]
)
def test_a_value_of_another_type_sends_the_page_through_json(odd):
    rows = decoded(json.dumps([ROWS[0], {**ROWS[2], **odd}]).encode())
    assert (rows.checked, rows.columns["name"][0]) == (False, "é\n")


def test_invalid_bytes_are_replaced_and_the_row_is_named():
    body = json.dumps(ROWS, ensure_ascii=False).encode().replace("é".encode(), b"\xff")
    rows = decoded(body)
    assert (rows.columns["name"][0], rows.invalid) == ("\ufffd\n", (0,))


def test_invalid_bytes_in_mixed_values_are_replaced_too():
    rows = decoded(b'[{"_id": "1", "m": 1, "_sis": {}}, {"_id": "2", "m": {"k": "\xff"}, "_sis": {}}]')
    assert (list(rows.columns["m"]), rows.checked, rows.invalid) == ([1, {"k": "\ufffd"}], False, (1,))


@pytest.mark.parametrize("path", ["name", "m"])
def test_a_lone_surrogate_survives(path):
    rows = decoded(b'[{"_id": "1", "%s": "\\ud800", "_sis": {}}]' % path.encode())
    assert list(rows.columns[path]) == ["\ud800"]


def test_equal_mixed_values_share_one_cell_that_cannot_be_changed():
    values = [{"k": [1]}, {}, {"k": [1]}, None, {"k": [1.0]}, 1, True, "1", [{"k": 1}]]
    records = [{"_id": str(i), "m": value, "_sis": {}} for i, value in enumerate(values)]
    cells = decoded(json.dumps(records).encode()).columns["m"]
    frozen = FrozenDict(k=(1,))
    assert list(map(repr, cells)) == list(
        map(repr, [frozen, None, frozen, None, FrozenDict(k=(1.0,)), 1, True, "1", (FrozenDict(k=1),)])
    )
    assert cells[0] is cells[2]
    with pytest.raises(TypeError, match="read-only"):
        cells[0]["k"] = 2


@pytest.mark.parametrize("body", [b"", b'[{"_id": "1"', b'{"a": 1}', b"[1]", b'[{"name": "x"}]'])
def test_what_is_no_page_is_an_error(body):
    with pytest.raises(sispy.NotJSON, match="the page is no"):
        decoded(body)


def test_an_empty_page_has_all_columns():
    assert {name: list(cells) for name, cells in decoded(b"[]").columns.items()} == {k: [] for k in COLUMNS}


ODD = ['a"b', "in\\out", "x\ny", "\x01", "\ud800", "class", "1st", "é😀", "a b", "\u2028", "\x7f", "f0", "$x"]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("kind", ["String", "Number", ["Number"], "Mixed", {"in\\ner": "Boolean"}])
def test_any_name_of_a_field_is_read(kind, fast):
    schema = parse_schema({"name": "t", "definition": dict.fromkeys(ODD, kind) | {"plain": {'q"': "String"}}})
    value: Any = {"String": "v", "Number": 1, "Mixed": {"k": "v"}}.get(str(kind), {"in\\ner": True})
    value = [1, 2] if isinstance(kind, list) else value
    stored = [
        {"_id": "1", "_sis": {"_updated_at": 5}, **dict.fromkeys(ODD[:7], value), "other": {"plain": 1}}
    ]
    rest = {"_id": "2", "_sis": {"_updated_at": 6}, **dict.fromkeys(ODD[7:], value), "plain": {'q"': "x"}}

    (rows,) = Decoder(schema.fields, fast=fast).open(json.dumps([*stored, rest]).encode()).blocks()

    at = schema.columns[0].removeprefix(ODD[0])
    leaf = value["in\\ner"] if at else value
    found = columns(rows)
    assert found.pop('plain.q"') == [None, "x"]
    assert (found.pop("_id"), found.pop("_updated_at")) == (["1", "2"], [5, 6])
    assert found == {f"{name}{at}": [leaf, None] if i < 7 else [None, leaf] for i, name in enumerate(ODD)}


def test_odd_names_do_not_take_the_fast_way_away():
    schema = parse_schema({"name": "t", "definition": {'a"b': "Number", "c\nd": "Mixed"}})
    (rows,) = Decoder(schema.fields).open(b'[{"_id": "1", "a\\"b": 1, "_sis": {}}]').blocks()
    assert (rows.checked, columns(rows)['a"b'], columns(rows)["c\nd"]) == (True, [1.0], [None])


def test_names_beyond_ascii_beside_odd_ones_are_read_where_json_escapes_them():
    schema = parse_schema(
        {"name": "t", "definition": {'a"b': "Number", "e\u0301": "Number", "n": {"\ufeff": "Number"}}}
    )
    page = json.dumps([{"_id": "1", "e\u0301": 1, "n": {"\ufeff": 2}, "_sis": {}}], ensure_ascii=True)

    (rows,) = Decoder(schema.fields).open(page.encode()).blocks()

    assert (columns(rows)["e\u0301"], columns(rows)["n.\ufeff"]) == ([1], [2])


def nested(levels, open_="[", close="]"):
    return open_ * levels + close * levels


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("levels", [201, 900, 100_000])
@pytest.mark.parametrize(
    "body",
    [
        '[{"_id": "1", "m": %s, "_sis": {}}]',
        '[{"_id": "1", "docs": [%s], "_sis": {}}]',
        '[{"_id": "1", "x": %s}]',
        "%s",
    ],
)
@pytest.mark.usefixtures("deep")
def test_a_page_that_is_nested_too_deeply_is_an_error(body, levels, fast):
    page = (body % nested(levels)).encode()
    table = Table(FIELDS)
    if '"x"' in body and levels < 1000:  # what is not asked for does not matter
        table.add(Decoder(FIELDS, fast=fast).open(page))
    else:
        with pytest.raises(sispy.NotJSON, match=r"nested (too|more)|not a list of objects"):
            table.add(Decoder(FIELDS, fast=fast).open(page))


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.usefixtures("deep")
def test_what_a_server_can_store_is_not_too_deep(fast):
    table = Table(FIELDS)
    table.add(Decoder(FIELDS, fast=fast).open(b'[{"_id": "1", "m": %s, "_sis": {}}]' % nested(199).encode()))
    assert json.dumps(table.finish()[0]["m"].iloc[0]) == nested(199)
