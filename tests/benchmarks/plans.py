"""Plans and records in memory and on disk: `python tests/benchmarks/plans.py [--scale 1] [--only TEXT]`.

No server is asked: plans of updates of one cell each, and rows of 30 columns.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import files
import sispy
import sispy_pandas as sp
from paired import Benchmark, Pair, Task, Work, growth, main
from sispy_pandas.planning.plan_file import lines
from sispy_pandas.values.changes import Update


class Schemas:
    """The schemas of a server that has one."""

    def get(self, name: str) -> Any:
        return self

    def to_dict(self) -> dict[str, Any]:
        fields = dict.fromkeys(("name", "os", "site"), "String")
        return {"name": "host", "definition": fields, "_sis": {"owner": ["g"]}}


CLIENT = sispy.Client("http://127.0.0.1:1")
CLIENT.schemas = Schemas()  # type: ignore[assignment]


def plan(rows: int) -> sp.Plan:
    """Return a plan of so many updates of one cell each."""
    schema = sp.parse_schema(Schemas().to_dict())
    changes = tuple(
        Update(
            f"{n:024x}", {"os": f"rhel{n % 7}"}, {"os": f"rhel{n % 5 + 9}"}, f"host{n:06}", 1_795_436_355_529
        )
        for n in range(rows)
    )
    return sp.Plan(CLIENT.entities("host"), schema, changes)


def shown(task: Task) -> Work:
    found = plan(task.rows)
    return lambda: repr(found)


def shown_as_html(task: Task) -> Work:
    found = plan(task.rows)
    return found._repr_html_


def saved(task: Task) -> Work:
    found = plan(task.rows)
    return lambda: found.save(task.folder / "plan.json")


def saved_by_json(task: Task) -> Work:
    values = [json.loads(line) for line in lines(plan(task.rows))]
    path = task.folder / "other.json"
    return lambda: path.write_text("".join(f"{json.dumps(value)}\n" for value in values), encoding="utf-8")


def loaded(task: Task) -> Work:
    path = plan(task.rows).save(task.folder / f"plan{task.rows}.json")
    return lambda: sp.load_plan(path, CLIENT)


def loaded_by_json(task: Task) -> Work:
    path = plan(task.rows).save(task.folder / f"plan{task.rows}.json")
    return lambda: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def records(task: Task) -> Work:
    return files.exported(task.rows).records


def records_by_json(task: Task) -> Work:
    text = json.dumps(files.exported(task.rows).records())
    return lambda: json.loads(text)


ROUTES = {
    one.__name__: one
    for one in (
        shown, shown_as_html, saved, saved_by_json, loaded, loaded_by_json, records, records_by_json
    )
}  # fmt: skip
PAIRS = (
    Pair("`repr(plan)` of 100 times the changes", "shown", "shown", 3, 100_000, 1_000),
    Pair("`_repr_html_` of 100 times the changes", "shown_as_html", "shown_as_html", 3, 100_000, 1_000),
    Pair("`plan.save` to `json.dumps` of its lines", "saved", "saved_by_json", 4),
    Pair("`load_plan` to `json.loads` of its lines", "loaded", "loaded_by_json", 4),
    Pair("`records()` to `json.loads` of the same rows", "records", "records_by_json", 3),
    growth("`plan.save`", "saved"),
    growth("`load_plan`", "loaded"),
    growth("`records()`", "records"),
)
BENCHMARK = Benchmark(Path(__file__), ROUTES, PAIRS)

if __name__ == "__main__":
    main(__doc__, BENCHMARK)
