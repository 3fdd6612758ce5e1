"""What is checked of changes without a server."""

from sispy_pandas.planning.validate import hashable, taken_twice
from sispy_pandas.values.changes import Problem, Update
from sispy_pandas.values.schema import Schema
from sispy_pandas.values.types.base import Field

SCHEMA = Schema(
    "app", (Field("name", "String", unique=True), Field("tag", "String", unique=True)), "name", {}
)


def test_the_other_row_that_gets_a_value_is_called_by_its_key():
    changes = [Update(str(n), {"tag": None}, {"tag": "APP-1"}, f"app {n}") for n in (1, 2)]
    assert taken_twice(SCHEMA, changes, {}) == [
        Problem("1", "row app 2 gets the same value, and it must be unique", "tag", "APP-1", "app 1"),
        Problem("2", "row app 1 gets the same value, and it must be unique", "tag", "APP-1", "app 2"),
    ]


def test_numbers_that_are_one_to_the_server_are_found_by_one_key():
    assert hashable(1.0) == hashable(1) != hashable(True)
    assert hashable({"b": 1, "a": [1.5]}) == hashable({"a": [1.5], "b": 1}) != hashable({"a": [1.5], "b": 2})
