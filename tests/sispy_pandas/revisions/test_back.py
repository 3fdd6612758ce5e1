"""What a row that came back gets later: what it could not have then, not what was taken out on purpose."""

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults, Sandbox

REF = {"type": "ObjectId", "ref": "host"}
DEFINITION = {
    "name": {"type": "String", "required": True, "unique": True},
    "os": "String",
    "cpus": "Number",
    "peer": REF,
    "peers": [REF],
}
PEOPLE = ("alice", "bob", "carol")
COMPLETES = "completes 1 row that came back"


class Hosts:
    """A table as people see it; rows go by their names."""

    def __init__(self, sis):
        root, self.sandbox = sis.client(), sis
        for name in PEOPLE:
            user = {"name": name, "email": f"{name}@example.com", "pw": name, "roles": {"g": "admin"}}
            root.users.create(user)
        root.schemas.create({"name": "host", "_sis": {"owner": ["g"]}, "definition": DEFINITION})
        self.of = {name: sis.client(name).entities("host") for name in PEOPLE}
        self.known = set()

    def rows(self):
        return {row["name"]: row for row in self.of["alice"].fetch_all({"populate": False})}

    def id(self, name):
        return self.rows()[name]["_id"]

    def held(self, name):
        """Return the cells of a row; references by name."""
        row = self.rows()[name]
        names = {other["_id"]: other["name"] for other in self.rows().values()} | {None: None}
        peers = [names.get(id_, "nobody") for id_ in row["peers"]]
        return row.get("os"), row.get("cpus"), names.get(row.get("peer"), "nobody"), peers

    def add(self, name, **values):
        self.known.add(self.of["alice"].create({"name": name, **values})["_id"])

    def write(self, who, name, **values):
        """Let somebody write to a row, as a push that can be undone."""
        live = sp.fetch(self.of[who], {"q": {"name": name}}, progress=False)
        frame = live.frame().astype(object)
        for path, value in values.items():
            frame[path] = [value]
        return push(live.diff(frame))

    def delete(self, who, *names):
        live = sp.fetch(self.of[who], progress=False)
        return push(live.diff(live.frame(), delete=[self.id(name) for name in names]), allow_dangling=True)

    def taking_back(self, *by, of):
        """Return a revert of what some people did to a row, or to several, by their first `_id`s."""
        found = sp.changes(
            self.of["alice"],
            since="2001-01-01T00:00Z",
            known=self.known | {*map(self.id, self.rows())},
            progress=False,
        )
        return sp.revert(found.only(by=by, ids=[of] if isinstance(of, str) else of))

    def undoing(self, *reports, who="alice"):
        journals = [report.journal for report in reports]
        return sp.undo(journals if reports[1:] else journals[0], self.of[who].client)


def push(plan, **options):
    return plan.push(progress=False, **options).raise_for_failures()


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))
    with Sandbox() as sis:
        yield Hosts(sis)


def test_what_a_revert_of_two_took_out_is_not_put_back_by_a_revert_of_one(hosts):
    hosts.add("h", os="a")
    h = hosts.id("h")
    hosts.write("carol", "h", cpus=4)
    hosts.write("bob", "h", os="b")
    hosts.delete("bob", "h")
    push(hosts.taking_back("bob", "carol", of=h))
    assert hosts.held("h") == ("a", None, None, [])

    assert hosts.taking_back("bob", of=h).changes == ()
    assert hosts.taking_back("carol", of=h).changes == ()


def test_nor_where_both_wrote_to_one_cell(hosts):
    hosts.add("h", os="a")
    h = hosts.id("h")
    hosts.write("carol", "h", os="b")
    hosts.write("bob", "h", os="c")
    hosts.delete("bob", "h")
    push(hosts.taking_back("bob", "carol", of=h))
    assert hosts.held("h") == ("a", None, None, [])

    assert hosts.taking_back("bob", of=h).changes == ()


@pytest.mark.parametrize("gone", [False, True])
def test_nor_a_reference_also_where_its_target_was_deleted_as_well(hosts, gone):
    hosts.add("h")
    hosts.add("x")
    h, x = hosts.id("h"), hosts.id("x")
    hosts.write("carol", "h", peer=x, peers=[x])
    hosts.delete("bob", "h")
    deleted = hosts.delete("bob", "x") if gone else None
    push(hosts.taking_back("bob", "carol", of=h))
    if deleted:
        push(hosts.undoing(deleted))
    assert hosts.held("h") == (None, None, None, [])

    assert hosts.taking_back("bob", of=h).changes == ()


def test_what_a_revert_of_one_left_is_taken_out_by_a_revert_of_two(hosts):
    hosts.add("h", os="a")
    h = hosts.id("h")
    hosts.write("carol", "h", cpus=4)
    hosts.write("bob", "h", os="b")
    hosts.delete("bob", "h")
    push(hosts.taking_back("bob", of=h))
    assert hosts.held("h") == ("a", 4, None, [])

    plan = hosts.taking_back("bob", "carol", of=h)

    assert plan.notes[-1] == COMPLETES
    push(plan)
    assert hosts.held("h") == ("a", None, None, [])
    assert hosts.taking_back("bob", of=h).changes == ()


def test_an_undo_of_a_deletion_does_not_put_back_what_the_undo_of_an_edit_with_it_took_out(hosts):
    hosts.add("h", cpus=1)
    edit = hosts.write("bob", "h", cpus=2)
    gone = hosts.delete("bob", "h")
    push(hosts.undoing(edit, gone))
    assert hosts.held("h") == (None, 1, None, [])

    assert hosts.undoing(gone).changes == ()
    assert hosts.undoing(edit).changes == ()


def test_an_undo_does_not_put_back_what_a_revert_took_out(hosts):
    hosts.add("h", cpus=1)
    h = hosts.id("h")
    hosts.write("bob", "h", cpus=2)
    gone = hosts.delete("bob", "h")
    push(hosts.taking_back("bob", of=h))
    assert hosts.held("h") == (None, 1, None, [])

    assert hosts.undoing(gone).changes == ()


def test_a_revert_and_an_undo_do_not_write_in_turn(hosts):
    hosts.add("h", cpus=1)
    h = hosts.id("h")
    hosts.write("bob", "h", cpus=2)
    gone = hosts.delete("bob", "h")
    push(hosts.undoing(gone))
    assert hosts.held("h") == (None, 2, None, [])
    push(hosts.taking_back("bob", of=h))
    assert hosts.held("h") == (None, 1, None, [])

    assert hosts.undoing(gone).changes == ()
    assert hosts.taking_back("bob", of=h).changes == ()


def test_what_somebody_wrote_before_a_row_was_deleted_once_more_stays(hosts):
    hosts.add("h", cpus=1)
    h = hosts.id("h")
    hosts.write("bob", "h", cpus=2)
    push(hosts.undoing(hosts.delete("bob", "h")))
    hosts.write("carol", "h", cpus=5)
    push(hosts.undoing(hosts.delete("alice", "h")))
    assert hosts.held("h") == (None, 5, None, [])

    assert hosts.taking_back("bob", of=h).changes == ()


def test_what_somebody_wrote_away_and_back_since_is_in_conflict(hosts):
    hosts.add("h", cpus=1)
    h = hosts.id("h")
    hosts.write("bob", "h", cpus=2)
    push(hosts.undoing(hosts.delete("bob", "h")))
    hosts.write("carol", "h", cpus=5)
    hosts.write("carol", "h", cpus=2)

    plan = hosts.taking_back("bob", of=h)

    assert [(c.field, c.mine, c.theirs) for c in plan.conflict_list] == [("cpus", 1, 2)]
    assert plan.push(progress=False).counts["conflict"] == 1
    assert hosts.held("h") == (None, 2, None, [])


@pytest.mark.parametrize("way", ["revert", "undo"])
def test_a_reference_that_was_left_out_is_put_in_also_where_the_row_was_deleted_once_more(hosts, way):
    hosts.add("h")
    hosts.add("x")
    hosts.add("y")
    h, x, y = (hosts.id(name) for name in "hxy")
    hosts.write("carol", "h", peer=x, peers=[x, y])
    gone, target = hosts.delete("bob", "h"), hosts.delete("bob", "x")
    push(hosts.undoing(gone))
    assert hosts.held("h") == (None, None, None, ["y"])
    push(hosts.undoing(hosts.delete("alice", "h")))
    push(hosts.undoing(target))
    assert hosts.held("h") == (None, None, None, ["y"])

    plan = hosts.undoing(gone) if way == "undo" else hosts.taking_back("bob", of=h)

    assert plan.notes[-1] == COMPLETES
    push(plan)
    assert hosts.held("h") == (None, None, "x", ["x", "y"])


def test_a_reference_that_was_left_out_is_not_put_in_where_somebody_chose_another_before_the_next_deletion(
    hosts,
):
    hosts.add("h")
    hosts.add("x")
    hosts.add("y")
    h, x, y = (hosts.id(name) for name in "hxy")
    hosts.write("carol", "h", peer=x)
    gone, target = hosts.delete("bob", "h"), hosts.delete("bob", "x")
    push(hosts.undoing(gone))
    hosts.write("carol", "h", peer=y)
    push(hosts.undoing(hosts.delete("alice", "h")))
    push(hosts.undoing(target))

    assert hosts.undoing(gone).changes == ()
    assert hosts.taking_back("bob", of=h).changes == ()


def test_the_reference_before_another_that_was_left_out_is_what_a_revert_of_both_puts_in(hosts):
    hosts.add("x")
    hosts.add("y")
    x, y = hosts.id("x"), hosts.id("y")
    hosts.add("h", peer=y)
    h = hosts.id("h")
    hosts.write("bob", "h", peer=x)
    gone = hosts.delete("bob", "h")
    target = hosts.delete("alice", "x")
    push(hosts.undoing(gone))
    assert hosts.held("h") == (None, None, None, [])

    push(hosts.taking_back("bob", of=h))

    assert hosts.held("h") == (None, None, "y", [])
    push(hosts.undoing(target))
    assert hosts.undoing(gone).changes == ()


def test_a_revert_of_what_was_written_before_and_after_a_row_came_back_takes_back_both(hosts):
    hosts.add("h", cpus=1)
    h = hosts.id("h")
    hosts.write("bob", "h", cpus=2)
    push(hosts.undoing(hosts.delete("bob", "h")))
    back = hosts.id("h")
    hosts.write("bob", "h", os="b", cpus=3)

    push(hosts.taking_back("bob", of=[h, back]))

    assert hosts.held("h") == (None, 1, None, [])


def test_what_verify_finds_out_only_after_an_undo_comes_back_with_the_next_one(hosts):
    hosts.add("h", cpus=1)
    h, writes = hosts.id("h"), [{"cpus": 5}]

    def carol_writes(seen):
        if seen.method == "DELETE" and writes:
            hosts.of["carol"].update(h, writes.pop())

    hosts.sandbox.faults = Faults(between=carol_writes, drop_after={"DELETE *": 1.0})
    live = sp.fetch(hosts.of["bob"], progress=False)
    limits = sp.Limits(settle=0.0, settle_row=0.0)
    gone = push(live.diff(live.frame(), delete=[h]), verify=False, limits=limits)
    hosts.sandbox.faults = Faults()
    push(hosts.undoing(gone))
    assert hosts.held("h") == (None, 1, None, [])
    assert hosts.undoing(gone).changes == ()

    assert len(sp.verify(gone.journal, hosts.of["bob"].client, progress=False).overwritten) == 1
    push(hosts.undoing(gone))

    assert hosts.held("h") == (None, 5, None, [])
    assert hosts.undoing(gone).changes == ()


def test_nor_does_it_take_back_what_somebody_wrote_between_them(hosts):
    hosts.add("h", cpus=1)
    h = hosts.id("h")
    hosts.write("bob", "h", cpus=2)
    push(hosts.undoing(hosts.delete("bob", "h")))
    back = hosts.id("h")
    hosts.write("carol", "h", cpus=7)
    hosts.write("carol", "h", cpus=2)
    hosts.write("bob", "h", cpus=3)

    push(hosts.taking_back("bob", of=[h, back]))

    assert hosts.held("h") == (None, 2, None, [])


@pytest.mark.parametrize("also", [False, True])
def test_an_undo_of_an_edit_and_a_deletion_puts_in_the_reference_from_before_both(hosts, also):
    for name in "xyh":
        hosts.add(name)
    x, y = hosts.id("x"), hosts.id("y")
    hosts.write("carol", "h", peer=y, peers=[y])
    edit = hosts.write("bob", "h", peer=x, peers=[x, y])
    gone = hosts.delete("bob", "h")
    targets = [hosts.delete("bob", "x"), *([hosts.delete("bob", "y")] if also else [])]

    push(hosts.undoing(edit, gone))

    assert hosts.held("h") == (None, None, *((None, []) if also else ("y", ["y"])))
    for target in targets:
        push(hosts.undoing(target))
    assert len(hosts.undoing(gone)) == also
    push(hosts.undoing(edit, gone))
    assert hosts.held("h") == (None, None, "y", ["y"])


def test_a_plan_keeps_what_it_leaves_out_in_its_file_and_in_its_parts(hosts, tmp_path):
    for name in "xyh":
        hosts.add(name)
    hosts.write("carol", "h", peer=hosts.id("x"), peers=[hosts.id("x"), hosts.id("y")])
    gone, target = hosts.delete("bob", "h"), hosts.delete("bob", "x")
    plan = hosts.undoing(gone).without(fields=["peer"])

    push(sp.load_plan(plan.save(tmp_path / "plan"), hosts.of["bob"].client))
    push(hosts.undoing(target))
    push(hosts.undoing(gone))

    assert hosts.held("h") == (None, None, None, ["x", "y"])


def test_an_undo_of_an_edit_knows_the_reference_that_the_row_came_back_without(hosts):
    for name in "xyh":
        hosts.add(name)
    x, y = hosts.id("x"), hosts.id("y")
    hosts.write("carol", "h", peer=x, peers=[x])
    edit = hosts.write("bob", "h", peer=y, peers=[y], cpus=2)
    gone, target = hosts.delete("bob", "h"), hosts.delete("bob", "y")
    push(hosts.undoing(gone))
    assert hosts.held("h") == (None, 2, None, [])

    back = push(hosts.undoing(edit, who="bob"))

    assert hosts.held("h") == (None, None, "x", ["x"])
    push(hosts.undoing(target))
    assert hosts.undoing(edit).changes == hosts.undoing(gone).changes == ()
    push(hosts.undoing(back, who="bob"))
    push(hosts.undoing(gone))
    assert hosts.held("h") == (None, 2, "y", ["y"])


def test_an_undo_counts_as_what_was_meant_also_what_was_so_before(hosts):
    for name in "xh":
        hosts.add(name)
    edit = hosts.write("bob", "h", peer=hosts.id("x"), cpus=2)
    gone, target = hosts.delete("bob", "h"), hosts.delete("bob", "x")
    for one in (gone, edit, target):
        push(hosts.undoing(one))

    assert hosts.undoing(gone).changes == ()
    assert hosts.held("h") == (None, None, None, [])


def test_a_row_that_is_back_once_more_is_not_doubled_by_the_undo_of_what_deleted_it_between(hosts):
    hosts.add("h", cpus=1)
    gone = hosts.delete("bob", "h")
    back = push(hosts.undoing(gone))
    deleted = push(hosts.undoing(back))
    once_more = push(hosts.undoing(gone))

    assert hosts.undoing(deleted).changes == hosts.undoing(back).changes == ()
    push(hosts.undoing(once_more))
    assert hosts.rows() == {}
    push(hosts.undoing(gone))
    assert hosts.held("h") == (None, 1, None, [])


def test_references_to_a_row_that_was_back_between_are_pointed_to_it_as_well(hosts):
    for name in "xh":
        hosts.add(name)
    hosts.write("carol", "h", peer=hosts.id("x"))
    gone = hosts.delete("bob", "x")
    back = push(hosts.undoing(gone))
    sp.repoint(hosts.of["bob"], back.new_ids).push(progress=False)
    push(hosts.undoing(back), allow_dangling=True)

    plan = hosts.undoing(gone)

    assert plan.notes[0].startswith("1 deleted row will come back with a new _id; 1 reference of host to")
    sp.repoint(hosts.of["bob"], push(plan).new_ids).push(progress=False)
    assert hosts.held("h") == (None, None, "x", [])


def test_a_new_row_that_was_pointed_to_a_row_that_came_back_is_deleted_by_the_undo_of_its_creation(hosts):
    hosts.add("x")
    live = sp.fetch(hosts.of["bob"], progress=False)
    made = push(live.diff(pd.DataFrame([{"name": "h", "peer": hosts.id("x")}]), new=True))
    back = push(hosts.undoing(hosts.delete("bob", "x"), who="bob"))
    sp.repoint(hosts.of["bob"], back.new_ids).push(progress=False)

    push(hosts.undoing(made, who="bob"))

    assert set(hosts.rows()) == {"x"}


def test_a_new_row_that_was_edited_deleted_and_brought_back_is_deleted_once_all_of_that_is_undone(hosts):
    live = sp.fetch(hosts.of["bob"], progress=False)
    made = push(live.diff(pd.DataFrame([{"name": "h", "cpus": 1}]), new=True))
    edit = hosts.write("bob", "h", os="b", cpus=2)
    gone = hosts.delete("bob", "h")

    for one in (gone, edit, made):
        push(hosts.undoing(one, who="bob"))

    assert hosts.rows() == {}


def test_a_row_whose_deletion_and_return_are_taken_back_stays(hosts):
    hosts.add("h", os="a", cpus=1)
    first = hosts.id("h")
    hosts.write("bob", "h", os="b")
    gone = hosts.delete("bob", "h")
    push(hosts.undoing(gone, who="carol"))
    again = hosts.id("h")
    hosts.known.add(again)
    hosts.write("carol", "h", cpus=2)

    plan = hosts.taking_back("bob", "carol", of=[first, again])
    assert (plan.counts["creates"], plan.counts["deletes"], plan.conflict_list) == (0, 0, ())
    push(plan)
    assert (hosts.id("h"), hosts.held("h")) == (again, ("a", 1, None, []))
    assert hosts.taking_back("bob", "carol", of=[first, again]).changes == ()


def test_a_row_that_was_deleted_twice_comes_back_once(hosts):
    hosts.add("h", os="a")
    first = hosts.id("h")
    hosts.write("bob", "h", cpus=4)
    push(hosts.undoing(hosts.delete("bob", "h"), who="carol"))
    again = hosts.id("h")
    hosts.known.add(again)
    hosts.write("carol", "h", os="b")
    hosts.delete("bob", "h")

    plan = hosts.taking_back("bob", of=[first, again])
    assert plan.counts["creates"] == 1
    push(plan)
    assert hosts.held("h") == ("b", None, None, [])
    assert hosts.taking_back("bob", of=[first, again]).changes == ()


def test_a_row_that_was_deleted_and_came_back_in_turn_is_there_as_it_was_before(hosts):
    hosts.add("h", os="a")
    first = hosts.id("h")
    push(hosts.undoing(hosts.delete("bob", "h"), who="carol"))
    again = hosts.id("h")
    hosts.known.add(again)
    hosts.delete("bob", "h")

    push(hosts.taking_back("bob", "carol", of=[first, again]))
    assert hosts.held("h") == ("a", None, None, [])
