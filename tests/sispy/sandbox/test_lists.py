"""Lists as anybody may ask for them, answered by the sandbox and by a plain model of the contract."""

from typing import Any

import pytest

from list_model import Refused, Table, answer
from list_queries import MIDDLE, OTHER, ROW, Asker, fill


@pytest.mark.parametrize("numbers", [range(100), pytest.param(range(2_000), marks=pytest.mark.soak)])
def test_lists_are_those_of_the_plain_model(call, numbers):
    fill(call)
    all_of = {"populate": "false", "sort": "_id"}
    tables = {
        name: Table(definition, call("GET", f"/entities/{name}", query=all_of)[1])
        for name, definition in (("other", OTHER), ("middle", MIDDLE), ("row", ROW))
    }
    ids = [row["_id"] for table in tables.values() for row in table.shown]
    for number in numbers:
        asked = Asker(number, ids).options()
        try:
            rows, count = answer(tables, "row", asked)
            expected: tuple[int, str | None, Any] = (200, str(count), rows)
        except Refused as refusal:
            expected = (refusal.status, None, None)
        query = {name: value if name == "q" else str(value) for name, value in asked.items()}
        status, found = call("GET", "/entities/row", query=query)
        listed = (call.headers["x-total-count"], found) if status == 200 else (None, None)
        assert (status, *listed) == expected, (number, asked)
