"""Rows that refer to each other, deleted by some pushes, are what they were once all pushes are undone.

In whatever order that happens, each until there is nothing left to do.
"""

import itertools
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import sispy_pandas as sp
from sispy.sandbox import Sandbox

QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=3.0, rows=2)
ROWS = tuple((table, name) for table in (0, 1) for name in "abc")
NAMES = itertools.count()

others = st.sampled_from(ROWS)
references = st.fixed_dictionaries(
    {
        "one": st.none() | others,
        "all": st.lists(others, max_size=3, unique=True),
        "docs": st.lists(others, max_size=2),
    }
)
scenes = st.fixed_dictionaries(
    {
        "refers": st.fixed_dictionaries(dict.fromkeys(ROWS, references)),
        "pushes": st.permutations(ROWS).flatmap(
            lambda rows: st.lists(st.integers(1, 3), min_size=6, max_size=6).map(
                lambda sizes: split(rows, sizes)
            )
        ),
        "order": st.lists(st.integers(0, 5), min_size=6, max_size=6),
    }
)


def split(rows, sizes):
    """Return some deletions: each of some rows of one table."""
    found, left = [], list(rows)
    for size in sizes:
        table = left[0][0] if left else None
        some = [row for row in left[:size] if row[0] == table]
        if some:
            found.append(some)
            left = [row for row in left if row not in some]
    return found


class World:
    """Two tables of a server whose rows refer to rows of both."""

    def __init__(self, client, refers):
        names = [f"t{next(NAMES)}" for _ in range(2)]
        self.client = client
        self.tables = [client.entities(name) for name in names]
        for name in names:
            definition: dict[str, Any] = {"name": {"type": "String", "required": True, "unique": True}}
            for n, target in enumerate(names):
                ref = {"type": "ObjectId", "ref": target}
                definition |= {f"one{n}": ref, f"all{n}": [ref], f"docs{n}": [{"at": ref, "n": "Number"}]}
            client.schemas.create({"name": name, "_sis": {"owner": ["g"]}, "definition": definition})
        for table, name in ROWS:
            self.tables[table].create({"name": name})
        ids = {row: id_ for id_, row in self.rows().items()}
        for (table, name), to in refers.items():
            values = {}
            for n in (0, 1):
                values[f"one{n}"] = ids[to["one"]] if to["one"] and to["one"][0] == n else None
                values[f"all{n}"] = [ids[row] for row in to["all"] if row[0] == n]
                values[f"docs{n}"] = [{"at": ids[row], "n": n} for row in to["docs"] if row[0] == n]
            self.tables[table].update(name, values)

    def fetched(self, table):
        return self.tables[table].fetch_all({"populate": False})

    def rows(self):
        return {row["_id"]: (n, row["name"]) for n in (0, 1) for row in self.fetched(n)}

    def held(self):
        """Return what refers to what, by name."""
        names = self.rows() | {None: None}

        def told(value):
            if isinstance(value, list):
                return [told(one) for one in value]
            return told(value["at"]) if isinstance(value, dict) else names.get(value, "nobody")

        return {
            names[row["_id"]]: {
                key: told(value) for key, value in row.items() if key[:3] in ("one", "all", "doc") and value
            }
            for n in (0, 1)
            for row in self.fetched(n)
        }

    def delete(self, some):
        ids = {row: id_ for id_, row in self.rows().items()}
        live = sp.fetch(self.tables[some[0][0]], progress=False)
        plan = live.diff(live.frame(), delete=[ids[row] for row in some])
        return plan.push(progress=False, limits=QUICK, allow_dangling=True).raise_for_failures().journal

    def undo(self, journal):
        """Undo a push, and point to the new rows what refers to the old ones; tell if that is anything."""
        plan = sp.undo(journal, self.client)
        if len(plan):
            report = plan.push(progress=False, limits=QUICK, skip_problems=True)
            new = {str(old): new for old, new in report.new_ids.items() if old not in self.rows()}
            if new:
                sp.repoint(plan.endpoint, new).push(progress=False, limits=QUICK)
        return bool(len(plan))


@pytest.fixture(scope="module")
def sis():
    with Sandbox() as sis:
        yield sis


@pytest.mark.parametrize("examples", [4, pytest.param(400, marks=pytest.mark.soak)])
def test_all_rows_are_what_they_were_once_all_pushes_are_undone(sis, examples, monkeypatch):
    @settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate],  # a failing example tells its steps, and is too slow to be made smaller
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(scene=scenes)
    def work(scene):
        with tempfile.TemporaryDirectory() as folder:
            monkeypatch.setenv("SISPY_JOURNALS", str(Path(folder)))
            world = World(sis.client(), scene["refers"])
            before = world.held()
            journals = [world.delete(some) for some in scene["pushes"]]
            order = [journals[n] for n in scene["order"] if n < len(journals)]
            for journal in order:
                world.undo(journal)
            rounds = 0
            while sum(map(world.undo, journals)):
                rounds += 1
                assert rounds < 4, world.held()
            left = {row for some in scene["pushes"] for row in some}
            assert {row: refs for row, refs in world.held().items() if row in left} == {
                row: refs for row, refs in before.items() if row in left
            }

    work()
