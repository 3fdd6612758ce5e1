"""The order of rows that hand on unique values."""

from sispy_pandas.planning.order import batches, swaps
from sispy_pandas.values.changes import Create, Delete, Update
from sispy_pandas.values.schema import parse_schema

UNIQUE = {"type": "String", "unique": True}
SCHEMA = parse_schema({"name": "seat", "definition": {"name": UNIQUE, "place": UNIQUE, "note": "String"}})


def move(row, field, before, after):
    return Update(row, {field: before}, {field: after})


def rows(found):
    return [[change.id if isinstance(change, Update | Delete) else change.row for change in w] for w in found]


def test_a_row_goes_after_all_rows_whose_values_it_takes():
    both = Update("a", {"name": "1", "place": "x"}, {"name": "2", "place": "y"})
    changes = [
        both,
        move("b", "name", "2", "3"),
        move("c", "place", "y", "z"),
        Create("new", {"name": "1"}),
        Delete("d", {"name": "3", "place": "z"}),
        move("e", "note", "2", "1"),
    ]

    assert rows(batches(SCHEMA, changes)) == [["d", "e"], ["b", "c"], ["a"], ["new"]]
    assert swaps(SCHEMA, changes) == []


def test_rows_that_wait_for_each_other_are_named_and_those_that_wait_for_them_are_not():
    changes = [
        move("waits", "name", "0", "1"),
        move("a", "name", "1", "2"),
        move("b", "name", "2", "3"),
        move("c", "name", "3", "1"),
        move("frees", "name", "9", "8"),
    ]

    assert [(p.row, p.column, p.value, p.reason.split(":")[0]) for p in swaps(SCHEMA, changes)] == [
        ("a", "name", "2", "swaps unique values with row b"),
        ("b", "name", "3", "swaps unique values with row c"),
        ("c", "name", "1", "swaps unique values with row a"),
    ]
    assert rows(batches(SCHEMA, changes)) == [["frees"], ["waits", "a", "b", "c"]]


def test_a_long_chain_of_handed_on_values_is_put_in_order():
    chain = [move(f"r{i}", "name", str(i), str(i + 1)) for i in range(5_000)]

    assert rows(batches(SCHEMA, chain)) == [[f"r{i}"] for i in reversed(range(5_000))]
    assert len(swaps(SCHEMA, [*chain, move("r5000", "name", "5000", "0")])) == 5_001


REF = {"type": "ObjectId", "ref": "node"}
NODES = parse_schema(
    {"name": "node", "definition": {"name": UNIQUE, "up": REF, "must": REF | {"required": True}}}
)


def node(row, **refers):
    return Create(row, {"name": row, **refers})


def test_a_row_goes_after_the_new_rows_that_it_refers_to():
    changes = [
        Update("edit", {"up": None}, {"up": "leaf"}),
        node("leaf", up="mid"),
        node("mid", up="root"),
        node("root", up="elsewhere"),
        node("self", up="self"),
    ]

    found = batches(NODES, changes, {name: name for name in ("leaf", "mid", "root", "self")})

    assert rows(found) == [["root", "self"], ["mid"], ["leaf"], ["edit"]]


def test_a_long_chain_of_new_rows_goes_at_once():
    chain = [node(f"r{i}", up=f"r{i + 1}") for i in range(2_000)]

    assert len(batches(NODES, chain, {f"r{i}": f"r{i}" for i in range(1, 2_000)})) == 1


def test_what_refers_to_each_other_goes_at_once_unless_it_cannot_do_without():
    changes = [
        Update("edit", {"up": None}, {"up": "a"}),
        node("a", up="b"),
        node("b", up="a"),
        node("needs", must="c", up="a"),
        node("c", up="needs"),
    ]

    assert rows(batches(NODES, changes, {name: name for name in ("a", "b", "c", "needs")})) == [
        ["a", "b", "c"],
        ["edit", "needs"],
    ]
