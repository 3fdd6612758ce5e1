"""Three people write, and take back what they wrote, in any order: nobody loses what came later.

After every undo and revert the server's commits are read, and say which cells it wrote: none that somebody
else wrote after the step that was taken back, and no row with such a cell is gone; and what nobody touched
since is what it was before that step.
"""

import itertools
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import sispy_pandas as sp
from sispy.sandbox import Sandbox
from written import Told

DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "os": "String",
    "cpus": "Number",
    "tags": ["String"],
    "site": {"room": "String", "row": "Number"},
    "disks": [{"dev": "String", "gb": "Number"}],
    "facts": "Mixed",
}
CELLS: dict[str, list[Any]] = {
    "os": [None, "one", "two"],
    "cpus": [None, 1, 2],
    "tags": [[], ["a"], ["a", "b"]],
    "site.room": [None, "r", "s"],
    "site.row": [None, 1],
    "disks": [[], [{"gb": 1}], [{"gb": 2}, {"gb": 1}]],
    "facts": [None, {"k": 1}, {"k": {"x": [1]}}, {"j": [1, None]}],
}
NAMES = ("h0", "h1", "h2")
PEOPLE = ("alice", "bob", "carol")
SINCE = "2001-01-01T00:00Z"

people = st.sampled_from(PEOPLE)
numbers = st.integers(0, 1000)
paths = st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=3, unique=True)
cells = paths.flatmap(lambda some: st.fixed_dictionaries({p: st.sampled_from(CELLS[p]) for p in some}))
what = st.sampled_from([*["write"] * 7, *["change back"] * 4, "tag"])
acts = st.lists(st.tuples(people, what, cells), min_size=1, max_size=3)
lately = st.sampled_from([-1, -1, -1, -2, -2, -3, -4])
policies = st.sampled_from(["skip", "skip", "skip", "theirs", "mine"])
between = st.none() | st.none() | st.tuples(people, numbers)
undos = st.fixed_dictionaries(
    {"number": lately, "policy": policies, "without_journal": st.booleans(), "between": between}
)
some_fields = st.lists(st.sampled_from(["name", *CELLS]), min_size=1, max_size=4, unique=True)
reverts = st.fixed_dictionaries(
    {
        "user": people,
        "by": st.sets(people, min_size=1, max_size=2),
        "fields": st.none() | st.none() | some_fields,
        "only": st.none() | st.none() | st.lists(numbers, min_size=1, max_size=3),
        "policy": policies,
        "between": between,
    }
)
ends = st.lists(undos | reverts, max_size=2)
there_are_rows = precondition(lambda self: self.alive())
names = itertools.count()


def body(values):
    found = {}
    for path, value in values.items():
        parent, _, last = path.rpartition(".")
        (found.setdefault(parent, {}) if parent else found)[last] = value
    return found


class TakingBack(RuleBasedStateMachine):
    """A table of its own on a server, and what was pushed to it."""

    def __init__(self, sis):
        super().__init__()
        name = f"host{next(names)}"
        sis.client().schemas.create({"name": name, "_sis": {"owner": ["g"]}, "definition": DEFINITION})
        self.tables = {user: sis.client(user).entities(name) for user in PEOPLE}
        self.told = Told(sis.client().entities(name))
        self.ids = []
        self.tagged = set()
        self.reports = []
        self.new_ids = {}
        """Rows that were brought back: old `_id` -> new `_id`."""
        self.folder = tempfile.TemporaryDirectory()

    def teardown(self):
        self.folder.cleanup()

    def alive(self):
        return [id_ for id_ in self.ids if not self.told.is_gone(id_)]

    def look(self):
        rows = self.told.endpoint.fetch_all({"fields": "name", "populate": False, "sort": "_id"})
        self.ids += [row["_id"] for row in rows if row["_id"] not in self.ids]
        return self.told.look(self.ids)

    def one(self, number):
        alive = self.alive()
        return alive[number % len(alive)]

    # What people do

    @initialize(makers=st.lists(people, min_size=1, max_size=2))
    def begin(self, makers):
        for user, name in zip(makers, NAMES, strict=False):
            self.create(user, name)

    @rule(user=people, name=st.sampled_from(NAMES), acts=acts, ends=ends)
    def create_and_write(self, user, name, acts, ends):
        if name not in {self.told.state(id_)["name"] for id_ in self.alive()}:
            self.create(user, name)
            self.write(self.ids[-1], acts)
            self.take_back(ends)

    @there_are_rows
    @rule(user=people, number=numbers, acts=acts, ends=ends)
    def write_and_delete(self, user, number, acts, ends):
        id_ = self.one(number)
        self.write(id_, acts)
        self.tables[user].delete(id_)
        self.look()
        self.take_back(ends)

    def create(self, user, name):
        self.tables[user].create({"name": name, "os": "one"})
        self.look()

    def write(self, id_, acts):
        """Let people write to a row."""
        for user, what, values in acts:
            old = self.told.state(id_)
            if what == "tag":
                self.tables[user].update(id_, {"_sis": {"tags": [user]}})
                self.tagged.add(id_)
                continue
            self.tables[user].update(id_, body(values))
            if what == "change back":
                back = {path: old.get(path, [] if path in ("tags", "disks") else None) for path in values}
                self.tables[user].update(id_, body(back))
            self.look()

    @there_are_rows
    @rule(
        user=people,
        few=st.lists(numbers, min_size=1, max_size=3),
        values=cells,
        deletes=st.booleans(),
        acts=acts,
        ends=ends,
    )
    def push(self, user, few, values, deletes, acts, ends):
        live = sp.fetch(self.tables[user], progress=False)
        some = list(dict.fromkeys(self.one(number) for number in few))
        frame = live.frame().astype(object).loc[some]
        for path, value in values.items():
            frame[path] = [value] * len(frame)
        plan = live.diff(frame, delete=some[1:] if deletes else ())
        self.send(plan, user)
        self.write(some[0], acts)
        self.take_back(ends)

    @rule(user=people, values=cells, name=st.sampled_from(NAMES), acts=acts, ends=ends)
    def push_a_new_row(self, user, values, name, acts, ends):
        live = sp.fetch(self.tables[user], progress=False)
        frame = live.frame().astype(object).head(0).drop(columns="_updated_at")
        frame.loc["new"] = {"name": name} | values
        for write in self.send(live.diff(frame.reset_index(drop=True), new=True), user):
            self.write(write.row, acts)
            self.take_back(ends)

    def send(self, plan, user, **options):
        journal = Path(self.folder.name) / f"{next(names)}.jsonl"
        report = plan.push(progress=False, skip_problems=True, journal=journal, **options)
        wrote = self.look()
        note(f"{user}: {plan}\n{report}\n{wrote}")
        assert {write.by for write in wrote} <= {user}
        self.new_ids |= report.new_ids
        if wrote:
            self.reports.append((user, report, wrote))
        return wrote

    # What they take back

    @rule(ends=ends)
    def take_back(self, ends):
        for how in ends:
            if "by" in how:
                self.revert(**how)
            elif self.reports:
                self.undo(**how)

    def undo(self, number, policy, without_journal, between):
        user, report, steps = self.reports[max(number, -len(self.reports))]
        plan = sp.undo(report if without_journal else report.journal, self.tables[user].client)
        meanwhile = self.between(between)
        wrote = self.send(plan, user, on_conflict=policy)
        if policy == "mine":
            return
        for write in wrote:
            step = next((s for s in steps if s.row == write.row), None)
            later = [] if step is None else self.since(step, write)
            foreign = {path for w in later if w.by != user for path in w.cells}
            if write.action == "update":
                assert not foreign & write.cells.keys(), (write, later)
            if write.action == "delete":
                assert not foreign, (write, later)
                assert write.row not in self.tagged
        for step in {s.row: s for s in steps}.values():
            before = [w for w in self.told.writes[step.row] if w not in wrote]
            later = before[before.index(step) + 1 :]
            if step.row == meanwhile or any(w.action == "delete" for w in later):
                continue
            if step.action == "update":
                touched = {path for w in later for path in w.cells}
                now = self.told.state(step.row)
                for path in step.cells.keys() - touched:
                    assert now.get(path) == step.cells[path][0], (path, step, now)
            elif step.action == "insert" and not later and step.row not in self.tagged:
                assert self.told.is_gone(step.row)
            elif step.action == "delete":
                self.must_be_back(step)

    def revert(self, user, by, fields, only, policy, between):
        ids = None if only is None else {self.ids[n % len(self.ids)] for n in only if self.ids}
        found = sp.changes(self.tables[user], since=SINCE, known=self.ids, progress=False)
        plan = sp.revert(found.only(by=by, fields=fields, ids=ids))
        before = {id_: list(writes) for id_, writes in self.told.writes.items()}

        def meant(write):
            """The cells of a write that are to be taken back."""
            if write.by not in by or (ids is not None and write.row not in ids):
                return set()
            return {path for path in write.cells if fields is None or path in fields}

        def was_there(id_):
            """Whether a row that is gone was there before all that is to be taken back."""
            made, *_, gone = before.get(id_) or [None, None]
            whole = [w for w in (made, gone) if w is not None and meant(w) == w.cells.keys()]
            return gone in whole and (made not in whole or was_there(self.earlier(id_)))

        meanwhile = self.between(between)
        wrote = self.send(plan, user, on_conflict=policy)
        if policy == "mine":
            return
        for write in wrote:
            past = [w for w in self.told.writes[write.row] if w not in wrote]
            if write.action == "update":
                for path in write.cells:
                    chain = [w for w in past if path in w.cells]
                    last = self.first_written(chain[-1], path)
                    assert path in meant(chain[-1]) | meant(last), (path, write, chain)
            elif write.action == "delete":
                assert all(w.cells.keys() == meant(w) for w in past), (write, past)
                assert write.row not in self.tagged
        for id_, past in before.items():
            if id_ == meanwhile or not past:
                continue
            whole = [w for w in past if w.action != "update" and meant(w) == w.cells.keys()]
            if past[-1].action == "delete":
                if past[-1] in whole and past[0] not in whole:
                    self.must_be_back(past[-1])
            elif past[0] in whole:
                if was_there(self.earlier(id_)):
                    assert not self.told.is_gone(id_)
                elif all(w.cells.keys() == meant(w) for w in past) and id_ not in self.tagged:
                    assert self.told.is_gone(id_)
            else:
                now = self.told.state(id_)
                for path in {path for w in past for path in w.cells}:
                    chain = [w for w in past if path in w.cells]
                    run = list(itertools.takewhile(lambda w, p=path: p in meant(w), reversed(chain)))  # type: ignore[misc] # a default names it
                    if run and run[-1].action == "update":
                        assert now.get(path) == run[-1].cells[path][0], (path, past, now)

    def between(self, given):
        """Somebody writes to a row after the plan was made; return which."""
        if given is None or not self.alive():
            return None
        user, number = given
        id_ = self.one(number)
        self.tables[user].update(id_, {"os": f"meanwhile {next(names)}"})
        self.look()
        return id_

    def since(self, step, write):
        """The writes of a row between two of them."""
        writes = self.told.writes[step.row]
        return writes[writes.index(step) + 1 : writes.index(write)]

    def earlier(self, id_):
        """Under which `_id` a row that came back was deleted; None if it did not."""
        return next((old for old, new in self.new_ids.items() if new == id_), None)

    def first_written(self, write, path):
        """The write that gave a cell its value: of a row that came back, one from before it was deleted."""
        old = self.earlier(write.row)
        if old is None or write.action != "insert":
            return write
        same = [
            w
            for w in self.told.writes.get(old, ())
            if w.action != "delete" and path in w.cells and w.cells[path][1] == write.cells[path][1]
        ]
        return self.first_written(same[-1], path) if same else write

    def must_be_back(self, gone):
        """A row that was deleted is there again, as it was or as somebody made it meanwhile.

        If it was back before, and was deleted once more since, that is a step of its own; not so an undo of
        what had brought it back.
        """
        id_ = gone.row
        while id_ in self.new_ids:
            id_ = self.new_ids[id_]
        last = self.told.writes[id_][-1]
        undone = any(report.plan.undoes and last in wrote for _, report, wrote in self.reports)
        name = gone.cells["name"][0]
        there = {self.told.state(id_)["name"] for id_ in self.alive()}
        assert name in there or (last.action == "delete" and last != gone and not undone), gone


@pytest.fixture(scope="module")
def sis():
    with Sandbox() as sis:
        for name in PEOPLE:
            user = {"name": name, "email": f"{name}@example.com", "pw": name, "roles": {"g": "admin"}}
            sis.client().users.create(user)
        yield sis


@pytest.mark.parametrize("examples", [15, pytest.param(600, marks=pytest.mark.soak)])
def test_nobody_loses_what_came_after_the_step_that_is_taken_back(sis, examples):
    run_state_machine_as_test(
        lambda: TakingBack(sis),  # type: ignore[arg-type] # anything that makes a machine
        settings=settings(
            max_examples=examples,
            stateful_step_count=10,
            deadline=None,
            phases=[Phase.generate],  # a failing example tells its steps, and is too slow to be made smaller
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
