"""What the widgets cost a kernel: `python tests/benchmarks/widgets.py [--scale 1] [--only TEXT]`.

A table of 100,000 rows and 24 columns, and what a person waits for: an edit, Find, the whole table copied, a
review that opens; against what pandas needs for about the same. No server is asked, and nothing is drawn. In
seconds of CPU, Find shall answer within 0.3, the table be copied within 3, and a review of 50,000 changes
open within 0.5.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sispy_pandas as sp
from paired import Benchmark, Pair, Task, Work, main
from plans import plan
from sispy_pandas.values.records import frame_of
from sispy_pandas.widgets.grid import Grid
from sispy_pandas.widgets.grid_model import GridModel
from sispy_pandas.widgets.review import PlanReview

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    **{f"text{n}": "String" for n in range(7)},
    **{f"state{n}": {"type": "String", "enum": ["live", "spare", "retired"]} for n in range(3)},
    **{f"count{n}": "Number" for n in range(4)},
    **{f"flag{n}": "Boolean" for n in range(2)},
    **{f"day{n}": "Date" for n in range(2)},
    "ip": "IpAddress",
    "rack": "ObjectId",
    **{f"tags{n}": ["String"] for n in range(2)},
    "facts": "Mixed",
}
"""24 columns."""


def table(rows: int) -> tuple[sp.Schema, pd.DataFrame]:
    """Return a schema and its table; every fifth cell is blank."""
    schema = sp.parse_schema({"name": "host", "definition": DEFINITION})
    make: dict[str, Callable[[int], Any]] = {
        "String": lambda n: f"host{n * 7919 % 999_983:06}.example.com",
        "Number": lambda n: n * 31 % 100_003 if n % 2 else n / 8,
        "Boolean": lambda n: n % 3 == 0,
        "Date": lambda n: f"2025-{1 + n % 12:02}-11T10:20:30.{n % 1000:03}Z",
        "ObjectId": lambda n: f"{n % 977:024x}",
        "IpAddress": lambda n: f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}/24",
        "Array": lambda n: ["web", f"eu{n % 50}"][: n % 3],
        "Mixed": lambda n: {"slot": n, "board": {"serial": f"SN{n}"}},
    }
    columns = {}
    for at, field in enumerate(schema.fields):
        value = (lambda n: field.enum[n % 3]) if field.enum else make[field.type]  # noqa: B023 - used at once
        columns[field.path] = [None if (n + at) % 5 == 4 and at else value(n) for n in range(rows)]
    return schema, frame_of(schema, columns, [f"{n:024x}" for n in range(rows)], [1_795_436_355_529] * rows)


class Counted(Grid):
    """A grid that counts the bytes that a page is sent."""

    def __init__(self, model: GridModel) -> None:
        self.bytes = 0
        super().__init__(model)
        self.observe(lambda change: self._sent({change.name: change.new}), ["status", "columns"])

    def send(self, content: Any, buffers: Any = None) -> None:
        self._sent(content)

    def _sent(self, content: Any) -> None:
        self.bytes += len(json.dumps(content))

    def hears(self, kind: str, **content: Any) -> dict[str, float]:
        """Take a message of the page, and return how many bytes were sent for it."""
        before = self.bytes
        self._receive(self, {"type": kind, "order": self._order, **content}, [])
        return {"bytes": self.bytes - before}


def grid(rows: int) -> Counted:
    return Counted(GridModel(*table(rows)))


def find(shown: Counted, text: str) -> dict[str, float]:
    return shown.hears("find", id="1", text=text, row=0, column=0, back=False)


def edited(task: Task) -> Work:
    shown = grid(task.rows)
    return lambda: shown.hears("edit", cells=[[5, 1, "another"]])


def window(task: Task) -> Work:
    shown = grid(task.rows)
    return lambda: shown.hears("window", start=0, stop=100)


def found(task: Task) -> Work:
    shown = grid(task.rows)
    shown.hears("seek")  # when the bar of Find opens
    return lambda: find(shown, "12")


def found_at_once(task: Task) -> Work:
    shown = grid(task.rows)
    return lambda: find(shown, "12")


def found_after_an_edit(task: Task) -> Work:
    shown = grid(task.rows)
    find(shown, "12")
    shown.hears("edit", cells=[[5, 1, "another"]])
    return lambda: find(shown, "12")


def found_by_pandas(task: Task) -> Work:
    _, frame = table(task.rows)
    return lambda: frame.apply(lambda cells: cells.astype("str").str.contains("12", case=False, regex=False))


def copied(task: Task) -> Work:
    shown = grid(task.rows)
    columns = len(shown.model.columns)
    return lambda: shown.hears(
        "copy", id="1", rows=[[0, task.rows - 1]], columns=list(range(columns)), headers=False
    )


def copied_by_pandas(task: Task) -> Work:
    _, frame = table(task.rows)
    return lambda: frame.to_csv(sep="\t")


def reviewed(task: Task) -> Work:
    changes = plan(task.rows)
    PlanReview(plan(1))
    return lambda: PlanReview(changes)


def saved(task: Task) -> Work:
    changes = plan(task.rows)
    return lambda: changes.save(task.folder / "plan.json")


ROUTES = {
    one.__name__: one
    for one in (
        edited, window, found, found_at_once, found_after_an_edit, found_by_pandas, copied, copied_by_pandas,
        reviewed, saved,
    )
}  # fmt: skip
PAIRS = (
    Pair("bytes of an edit to those of a window", "edited", "window", 0.02, measure="bytes"),
    Pair("CPU of an edit to that of a window", "edited", "window", 1.5),
    Pair("Find to `str.contains` of all columns", "found", "found_by_pandas", 0.15),
    Pair("the same, texts not yet made", "found_at_once", "found_by_pandas", 0.6),
    Pair("the same text after an edit", "found_after_an_edit", "found_by_pandas", 0.05),
    Pair("Ctrl+A Ctrl+C to `to_csv`", "copied", "copied_by_pandas", 0.8),
    Pair("a review that opens to `plan.save`", "reviewed", "saved", 2, 50_000),
)
BENCHMARK = Benchmark(Path(__file__), ROUTES, PAIRS)

if __name__ == "__main__":
    main(__doc__, BENCHMARK)
