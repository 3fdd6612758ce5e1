"""Rows that refer to each other and were deleted come back with their references, to the new rows."""

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.pushing.record import read

QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=3.0)
REF = {"type": "ObjectId", "ref": "node"}
NODE = {
    "name": {"type": "String", "required": True, "unique": True},
    "peer": REF,
    "near": {"best": REF},
    "peers": [REF],
    "links": [{"to": REF, "n": {"type": "Number", "default": 1}}],
    "facts": "Mixed",
    "note": "String",
}
REFS = ("peer", "near", "peers", "links")


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


class Nodes:
    """A table whose rows refer to its rows, by name."""

    def __init__(self, server, name="node", definition=NODE):
        server.client.schemas.create({"name": name, "_sis": {"owner": ["ops"]}, "definition": definition})
        self.table = server.client.entities(name)

    def ids(self):
        return {row["name"]: row["_id"] for row in self.table.fetch_all({"populate": False})}

    def add(self, *names, **more):
        for name in names:
            self.table.create({"name": name, **more})

    def refer(self, name, **to):
        """Let a row refer to others in every way."""
        ids = self.ids()
        peer = ids.get(to.get("peer"))
        values = {
            "peer": peer,
            "near": {"best": peer},
            "peers": [ids[other] for other in to.get("peers", ())],
            "links": [{"to": ids[other], "n": None} for other in to.get("links", ())],
        }
        self.table.update(ids[name], values)

    def held(self):
        """Return what refers to what, by name."""
        rows = self.table.fetch_all({"populate": False})
        names = {row["_id"]: row["name"] for row in rows} | {None: None}

        def name(id_):
            return names.get(id_, "nobody")

        return {
            row["name"]: (
                name(row.get("peer")),
                name(row.get("near", {}).get("best")),
                [name(id_) for id_ in row["peers"]],
                [(name(link.get("to")), link.get("n")) for link in row["links"]],
            )
            for row in rows
        }

    def delete(self, *names, **options):
        live = sp.fetch(self.table, progress=False)
        ids = self.ids()
        plan = live.diff(live.frame(), delete=[ids[name] for name in names])
        return push(plan, allow_dangling=True, **options)


@pytest.fixture
def nodes(server):
    nodes = Nodes(server)
    nodes.add("a", "b", "c", "d", "other")
    nodes.refer("a", peer="b", peers=["b", "other", "c"], links=["c", "a"])
    nodes.refer("b", peer="a", peers=["a"])
    nodes.refer("c", peer="c", links=["other", "b"])
    nodes.refer("d", peer="a", peers=["b", "c"], links=["a", "b"])
    return nodes


def test_rows_that_refer_to_each_other_come_back_with_their_references(nodes, server):
    before = nodes.held()
    gone = nodes.delete("a", "b", "c", "d").raise_for_failures()
    assert set(nodes.held()) == {"other"}

    back = push(sp.undo(gone)).raise_for_failures()
    assert nodes.held() == before

    push(sp.undo(back)).raise_for_failures()
    assert set(nodes.held()) == {"other"}
    push(sp.undo(gone.journal, client=server.client)).raise_for_failures()
    assert nodes.held() == before


def test_they_are_sent_in_few_requests(nodes, server):
    gone = nodes.delete("a", "b", "c", "d")
    seen = len(server.sandbox.requests)

    push(sp.undo(gone)).raise_for_failures()

    assert [one.method for one in server.writes(seen)] == ["POST", "PUT"]


def test_a_tree_is_created_from_its_root(server):
    tree = Nodes(server, definition=NODE | {"peer": REF | {"required": False}})
    tree.add("root")
    for name, up in [("x", "root"), ("y", "root"), ("x1", "x"), ("x2", "x"), ("x11", "x1")]:
        tree.add(name)
        tree.refer(name, peer=up)
    before = tree.held()
    gone = tree.delete(*before)
    seen = len(server.sandbox.requests)

    push(sp.undo(gone)).raise_for_failures()

    assert tree.held() == before
    assert [one.method for one in server.writes(seen)] == ["POST"] * 4


def test_what_is_required_waits_for_what_it_refers_to(server):
    schema = NODE | {"must": {"type": "ObjectId", "ref": "node", "required": True}}
    nodes = Nodes(server)
    nodes.add("a")
    document = server.client.schemas.get("node").to_dict()
    server.client.schemas.update("node", document | {"definition": schema})
    a = nodes.ids()["a"]
    nodes.add("b", must=a)
    nodes.add("c", must=nodes.ids()["b"])
    live = sp.fetch(nodes.table, progress=False)
    gone = push(live.diff(live.frame(), delete=[nodes.ids()["b"], nodes.ids()["c"]]))

    push(sp.undo(gone)).raise_for_failures()

    names = {row["_id"]: row["name"] for row in nodes.table.fetch_all({"populate": False})}
    assert {r["name"]: names.get(r.get("must")) for r in nodes.table.fetch_all({"populate": False})} == {
        "a": None,
        "b": "a",
        "c": "b",
    }


@pytest.mark.parametrize("guard", ["check", "cas", "off"])
def test_references_that_were_cleared_in_the_same_push_come_back(nodes, guard):
    before = nodes.held()
    live = sp.fetch(nodes.table, progress=False)
    ids = nodes.ids()
    frame = live.frame().loc[[ids["a"], ids["b"], ids["d"]]].astype(object)
    frame[["peer", "near.best"]] = None
    frame["peers"] = [(ids["other"],), (), ()]
    frame["links"] = [()] * 3
    gone = push(live.diff(frame, delete=[ids["c"]]), allow_dangling=True).raise_for_failures()

    push(sp.undo(gone), guard=guard).raise_for_failures()

    assert nodes.held() == before


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("lost", ["POST *", "PUT *"])
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_a_push_that_is_cut_is_resumed_and_doubles_nothing(server, named, lost, cut):
    definition = dict(NODE)
    if not named:
        definition["name"] = "String"
    nodes = Nodes(server, definition=definition)
    nodes.add("a", "b", "c", "d")
    for one, other in [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]:
        nodes.refer(one, peer=other, peers=[other, one], links=[other])
    before = nodes.held()
    gone = nodes.delete(*before)
    written = 0

    def cut_off(seen):
        nonlocal written
        written += seen.method in ("POST", "PUT")
        if written > cut:
            server.sandbox.faults = Faults(drop_after={lost: 1.0})

    server.sandbox.faults = Faults(before=cut_off)
    limits = sp.Limits(settle=0.0, settle_row=0.0, patience=0.3, attempts=1, rows=2)
    back = push(sp.undo(gone), limits=limits)
    server.sandbox.faults = Faults()
    if not back.ok:
        assert back.stopped is not None
        push(sp.resume(back.journal, client=server.client)).raise_for_failures()

    assert nodes.held() == before
    assert len(nodes.table.fetch_all({})) == 4
    push(sp.undo(back.journal, client=server.client)).raise_for_failures()
    assert nodes.held() == {}


def test_what_did_not_come_back_is_named_by_the_row_that_refers_to_it(nodes, server):
    gone = nodes.delete("a", "b")
    plan = sp.undo(gone)
    nodes.add("b", note="somebody else's")

    report = push(plan, skip_problems=True)

    assert {o.key: o.word for o in report.outcomes} == {"a": "failed", "b": "problem"}
    (a,) = (o for o in report.outcomes if o.key == "a")
    assert a.reason == "created, but peer, near.best, peers refer to rows that did not come back"
    assert nodes.held()["a"] == (None, None, ["other", "c"], [("c", None), ("a", None)])


def test_somebody_else_fills_in_a_reference_first(nodes, server):
    gone = nodes.delete("a", "b")
    plan = sp.undo(gone)

    def intrude(seen):
        if seen.method == "GET" and "b" in nodes.ids():
            server.sandbox.faults = Faults()
            nodes.table.update(nodes.ids()["b"], {"peer": nodes.ids()["other"]})

    server.sandbox.faults = Faults(before=intrude)
    report = push(plan)

    assert {o.key: o.word for o in report.outcomes} == {"a": "done", "b": "conflict"}
    assert nodes.held()["b"] == ("other", "a", ["a"], [])


def test_a_cancelled_push_says_what_waits_and_resume_finishes_it(nodes, server):
    before = nodes.held()
    gone = nodes.delete("a", "b", "c", "d")
    asked = iter([False, True])

    back = push(sp.undo(gone), cancel=lambda: next(asked, True))

    assert {o.word for o in back.outcomes} == {"unsent"}
    assert {o.reason for o in back.outcomes} == {
        "created, but what it refers to is not put in yet (cancelled): sp.resume finishes it"
    }
    push(sp.resume(back.journal, client=server.client)).raise_for_failures()
    assert nodes.held() == before
    assert read(back.journal).ended


def test_a_copy_refers_to_what_the_original_refers_to(nodes):
    """Who names the label of a new row that is the `_id` of one that is there means the latter."""
    ids = nodes.ids()
    live = sp.fetch(nodes.table, progress=False)
    frame = live.frame().astype(object)[["name", "peer"]]
    frame["name"] = [f"{name}2" for name in frame["name"]]

    push(live.diff(frame.rename_axis(None), new=True)).raise_for_failures()

    rows = {row["name"]: row.get("peer") for row in nodes.table.fetch_all({"populate": False})}
    assert [rows[f"{name}2"] for name in "abcd"] == [ids["b"], ids["a"], ids["c"], ids["a"]]


def test_revert_brings_them_back_as_well(nodes, server):
    before = nodes.held()
    known = list(nodes.ids().values())
    ids = [nodes.ids()[name] for name in "abcd"]
    nodes.delete("a", "b", "c", "d")
    found = sp.changes(nodes.table, since="2001-01-01T00:00Z", known=known, progress=False)
    at = min(edit.at for edit in found.edits if edit.action == "delete")

    push(sp.revert(found.only(ids=ids, since=pd.Timestamp(at, unit="ms", tz="UTC")))).raise_for_failures()

    assert nodes.held() == before


@pytest.fixture
def two(server):
    """Hosts and certificates that refer to each other: (hosts, certs)."""
    for name, other in [("box", "paper"), ("paper", "box")]:
        ref = {"type": "ObjectId", "ref": other}
        definition = {"name": NODE["name"], "to": ref, "all": [ref], "docs": [{"at": ref}], "n": "Number"}
        server.client.schemas.create({"name": name, "_sis": {"owner": ["ops"]}, "definition": definition})
    boxes, papers = server.client.entities("box"), server.client.entities("paper")
    for table in (boxes, papers):
        table.create([{"name": "x"}, {"name": "y"}])
    for table, others in [(boxes, papers), (papers, boxes)]:
        ids = {row["name"]: row["_id"] for row in others.fetch_all({"populate": False})}
        for name, other in [("x", "y"), ("y", "x")]:
            values = {"to": ids[other], "all": [ids["x"], ids["y"]], "docs": [{"at": ids[name]}]}
            table.update(name, values)
    return boxes, papers


def across(tables):
    """Return what the rows of two tables refer to, by name."""
    rows = [list(table.fetch_all({"populate": False})) for table in tables]
    names = {row["_id"]: f"{n}{row['name']}" for n, some in enumerate(rows) for row in some} | {None: None}
    return {
        names[row["_id"]]: (
            names.get(row.get("to"), "nobody"),
            [names.get(id_, "nobody") for id_ in row["all"]],
            [names.get(one.get("at"), "nobody") for one in row["docs"]],
        )
        for some in rows
        for row in some
    }


def deleted(table):
    live = sp.fetch(table, progress=False)
    return push(live.diff(live.frame(), delete=list(live.ids)), allow_dangling=True)


@pytest.mark.parametrize("first", [0, 1])
def test_rows_of_two_tables_that_refer_to_each_other_come_back_in_three_undos(two, server, first):
    before = across(two)
    gone = [deleted(table).journal for table in two]

    plan = sp.undo(gone[first], client=server.client)
    target = two[1 - first].name
    assert plan.notes[-1] == (
        f"left out: 8 references to rows of {target} that are deleted; "
        "once those are back, another undo of this push puts them in"
    )
    push(plan).raise_for_failures()
    assert sp.undo(gone[first], client=server.client).changes == ()  # they are still gone
    push(sp.undo(gone[1 - first], client=server.client)).raise_for_failures()
    plan = sp.undo(gone[first], client=server.client)
    assert plan.notes[-1] == "completes 2 rows that came back"
    push(plan).raise_for_failures()

    assert across(two) == before
    for journal_of in gone:
        assert sp.undo(journal_of, client=server.client).changes == ()


def test_a_list_is_completed_as_its_rows_come_back_one_by_one(two, server):
    boxes, papers = two
    before = across(two)
    gone = deleted(boxes).journal
    ids = {row["name"]: row["_id"] for row in papers.fetch_all({"populate": False})}
    live = sp.fetch(papers, progress=False)
    later = [push(live.diff(live.frame(), delete=[ids[name]]), allow_dangling=True).journal for name in "xy"]

    for journal_of in (gone, later[0], gone, later[1], gone, later[0], later[1]):
        push(sp.undo(journal_of, client=server.client)).raise_for_failures()

    assert across(two) == before


def test_what_somebody_else_put_there_meanwhile_is_in_conflict(two, server):
    boxes, papers = two
    gone = [deleted(table).journal for table in two]
    for path in gone:
        push(sp.undo(path, client=server.client)).raise_for_failures()
    theirs = papers.get("x")["_id"]
    boxes.update("x", {"to": theirs})

    plan = sp.undo(gone[0], client=server.client)
    report = push(plan)

    assert [(o.key, o.word) for o in report.outcomes] == [("x", "conflict"), ("y", "done")]
    assert boxes.fetch_page({"q": {"name": "x"}, "populate": False})[0]["to"] == theirs


def test_the_undo_of_an_undo_deletes_a_row_that_was_completed_since(two, server):
    before = across(two)
    gone = [deleted(table).journal for table in two]
    back = push(sp.undo(gone[0], client=server.client))
    push(sp.undo(gone[1], client=server.client))
    completed = push(sp.undo(gone[0], client=server.client))
    assert across(two) == before

    push(sp.undo([back.journal, completed.journal], client=server.client), allow_dangling=True)
    assert {name for name in across(two) if name.startswith("0")} == set()
    push(sp.undo(gone[0], client=server.client)).raise_for_failures()
    assert {name for name in across(two) if name.startswith("0")} == {"0x", "0y"}


def deletion_of(table, known):
    """Return the changes that deleted all rows of a table; `known` had them."""
    found = sp.changes(table, since="2001-01-01T00:00Z", known=known, progress=False)
    last = min(edit.at for edit in found.edits if edit.action == "delete")
    return found.only(since=pd.Timestamp(last, unit="ms", tz="UTC"))


def deleted_with_their_papers(two):
    """Return the deletion of all boxes, its journal, and those of the papers x and y, deleted after it."""
    boxes, papers = two
    known = sp.fetch(boxes, progress=False)
    gone = deleted(boxes).journal
    deletion = deletion_of(boxes, known)
    ids = {row["name"]: row["_id"] for row in papers.fetch_all({"populate": False})}
    live = sp.fetch(papers, progress=False)
    later = [push(live.diff(live.frame(), delete=[ids[name]]), allow_dangling=True).journal for name in "xy"]
    return deletion, gone, later


@pytest.mark.parametrize("ways", ["rrr", "rur", "rru", "urr", "uur", "uru", "ruu", "uuu"])
def test_a_list_is_completed_by_reverts_and_undos_in_turn(two, server, ways):
    before = across(two)
    deletion, gone, later = deleted_with_their_papers(two)

    for way, paper in zip(ways, [later[0], later[1], None], strict=True):
        plan = sp.revert(deletion) if way == "r" else sp.undo(gone, client=server.client)
        push(plan).raise_for_failures()
        if paper is not None:
            push(sp.undo(paper, client=server.client)).raise_for_failures()
    for paper in later:  # they are complete, too
        push(sp.undo(paper, client=server.client)).raise_for_failures()

    assert across(two) == before
    assert sp.revert(deletion).changes == sp.undo(gone, client=server.client).changes == ()


@pytest.mark.parametrize("way", ["revert", "undo"])
def test_what_somebody_took_out_of_a_list_that_was_half_complete_is_in_conflict(two, server, way):
    boxes, _ = two
    deletion, gone, later = deleted_with_their_papers(two)

    def again():
        return sp.revert(deletion) if way == "revert" else sp.undo(gone, client=server.client)

    for plan in (again, lambda: sp.undo(later[0], client=server.client), again):
        push(plan()).raise_for_failures()
    boxes.update("x", {"all": []})
    push(sp.undo(later[1], client=server.client)).raise_for_failures()

    report = push(again())

    assert [(o.key, o.word) for o in report.outcomes] == [("x", "conflict"), ("y", "done")]
    found = report.conflicts[["key", "field", "theirs"]]
    assert list(found.itertuples(index=False, name=None)) == [("x", "all", [])]
    assert boxes.get("x")["all"] == []


def test_revert_knows_which_deleted_rows_are_back(server):
    definition = {"name": "String", "n": "Number", "peer": {"type": "ObjectId", "ref": "note"}}
    server.client.schemas.create({"name": "note", "_sis": {"owner": ["ops"]}, "definition": definition})
    notes = server.client.entities("note")
    notes.create({"name": "a", "n": 1})
    a = notes.fetch_all({})[0]["_id"]
    notes.create({"name": "b", "peer": a})
    b = notes.fetch_all({"q": {"name": "b"}})[0]["_id"]
    edited = sp.fetch(notes, {"q": {"name": "a"}}, progress=False)
    push(edited.diff(edited.frame().assign(n=2)))
    live = sp.fetch(notes, progress=False)
    gone = push(live.diff(live.frame(), delete=[a, b]))
    found = sp.changes(notes, since="2001-01-01T00:00Z", known=[a, b], progress=False)
    (edit,) = (edit for edit in found.edits if (edit.field, edit.before, edit.after) == ("n", 1, 2))
    later = found.only(since=pd.Timestamp(edit.at, unit="ms", tz="UTC"))
    push(sp.undo(gone)).raise_for_failures()

    plan = sp.revert(later)

    assert "back already: 2 deleted rows" in plan.notes
    assert plan.notes[-1] == "completes 1 row that came back"
    push(plan).raise_for_failures()
    assert [(row["name"], row.get("n")) for row in notes.fetch_all({})] == [("a", 1), ("b", None)]
