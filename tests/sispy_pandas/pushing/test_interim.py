"""New rows with values that a POST refuses and a PUT stores (SIS-API 4.3), also those of an undone delete."""

from typing import Any

import pytest

import sispy
import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.values.changes import Conflict, Create

QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=3.0)
NODE = {
    "name": "node",
    "_sis": {"owner": ["ops"]},
    "id_field": "name",
    "definition": {
        "name": {"type": "String", "required": True, "unique": True},
        "labels": "Mixed",
        "must": {"type": "Mixed", "required": True},
        "any": [],
        "sub": {"m": "Mixed", "n": "Number"},
        "docs": [{"k": "String", "m": "Mixed"}],
        "list": {"type": [{"k": "String", "m": {"type": "Mixed", "required": True}}], "required": True},
    },
}
FIT = {"must": {"a": 1}, "list": [{"k": "x", "m": 1}]}
BARRED = {
    "labels": {"example.com/os": "linux", "n": None, "deep": [{"$set": 1}]},
    "must": {"$a": 1},
    "any": [{"a.b": 1}, 5],
    "sub": {"m": {"a": {"b": [{"c": {"$d": [1]}}]}}, "n": 1},
    "docs": [{"k": "x", "m": {"a.b": 1, "c": 2}}, {"k": "y", "m": 3}],
    "list": [{"k": "x", "m": {"a.b": None}}],
}


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


@pytest.fixture
def nodes(server):
    server.client.schemas.create(NODE)
    return server.client.entities("node")


BLANK = {"k": "x", "v": None, "w": {"x": None}, "l": [], "m": None, "lit": None}
"""A member whose fields have defaults, and hold none of them."""


@pytest.fixture
def shelves(server):
    """A table with a row of two members: one is blank, one has the defaults."""
    member = {
        "k": "String",
        "v": {"type": "Number", "default": 5},
        "w": {"x": {"type": "String", "default": "d"}},
        "l": {"type": ["String"], "default": ["a"]},
        "m": {"type": "Mixed", "default": {"q": 1}},
        "lit": {"type": "Boolean", "default": False},
        "kind": {"type": "String", "enum": ["a", "b"], "default": "a"},
    }
    definition = {"name": {"type": "String", "required": True, "unique": True}, "docs": [member]}
    server.client.schemas.create({"name": "shelf", "_sis": {"owner": ["ops"]}, "definition": definition})
    shelves = server.client.entities("shelf")
    shelves.create({"name": "s", "docs": [{"k": "y"}]})
    shelves.update("s", {"docs": [BLANK, {"k": "y"}]})
    return shelves


def members(shelves):
    return [{k: v for k, v in one.items() if k != "_id"} for one in shelves.get("s")["docs"]]


def test_blanks_in_members_stay_blank_where_there_is_a_default(shelves):
    defaults: dict[str, Any] = {"v": 5, "w": {"x": "d"}, "l": ["a"], "m": {"q": 1}, "lit": False, "kind": "a"}
    before = [{**BLANK, "kind": "a"}, {"k": "y", **defaults}]
    assert members(shelves) == before
    live = sp.fetch(shelves, progress=False)
    (id_,) = live.ids

    push(sp.undo(push(live.diff(live.frame(), delete=[id_])))).raise_for_failures()
    assert members(shelves) == before  # of a row that came back

    live = sp.fetch(shelves, progress=False)
    emptied = live.frame().assign(docs=[()])
    push(sp.undo(push(live.diff(emptied)))).raise_for_failures()
    assert members(shelves) == before  # of a cell that was changed back

    live = sp.fetch(shelves, progress=False)
    (docs,) = live.frame()["docs"]
    push(live.diff(live.frame().assign(docs=[(docs[0], docs[1] | {"k": "z"})]))).raise_for_failures()
    assert members(shelves) == [before[0], {**before[1], "k": "z"}]  # beside one that is edited

    live = sp.fetch(shelves, progress=False)
    (docs,) = live.frame()["docs"]
    push(
        live.diff(live.frame().assign(docs=[(docs[1] | {"v": None, "m": None}, {"k": "new"})]))
    ).raise_for_failures()
    assert members(shelves) == [{**before[1], "k": "z", "v": None, "m": None}, {"k": "new", **defaults}]


def test_what_a_member_does_not_name_is_no_edit_of_its_default(shelves):
    live = sp.fetch(shelves, progress=False)
    (docs,) = live.frame()["docs"]
    bare = (
        {key: value for key, value in docs[0].items() if value is not None},
        {"_id": docs[1]["_id"], "k": "y"},
    )

    assert live.diff(live.frame().assign(docs=[bare])).empty
    assert live.diff(live.frame().assign(docs=[(docs[0], docs[1] | {"v": None})])).counts["updates"] == 1


def plain(rows):
    """Return what entities hold, by name, without ids and what every write changes."""
    found = {}
    for row in rows:
        row = {key: value for key, value in row.items() if not key.startswith("_")}
        for docs in (row["docs"], row["list"]):
            for member in docs:
                member.pop("_id", None)
        found[row["name"]] = row
    return found


def held(nodes):
    return plain(nodes.fetch_all())


def plan_of(nodes, *creates):
    return sp.Plan(nodes, sp.fetch(nodes, progress=False).schema, creates)


def new(name, **values):
    """Make a new row of a plan out of nested values."""
    nested = values.pop("sub", {})
    flat = {"name": name, **FIT, **values, **{f"sub.{key}": value for key, value in nested.items()}}
    return Create(name, flat, name)


def test_the_double_refuses_to_create_such_values_and_stores_them(nodes):
    for field, value in BARRED.items():
        with pytest.raises(sispy.ServerError, match="must not contain"):
            nodes.create({"name": "n1", **FIT, field: value})
    nodes.create({"name": "n1", **FIT})

    nodes.update("n1", BARRED, force_mixed=True)

    assert held(nodes) == {"n1": {"name": "n1", **BARRED}}


@pytest.mark.parametrize("field", BARRED)
def test_a_new_row_with_such_a_value_is_created_once_and_undone_and_redone(nodes, field):
    report = push(plan_of(nodes, new("n1", **{field: BARRED[field]}), new("n2")))
    after = held(nodes)

    assert [(o.word, o.status, o.reason) for o in report.outcomes] == [("done", 200, "")] * 2
    assert after["n1"][field] == BARRED[field]
    assert after["n2"] == {"name": "n2", **FIT, "any": [], "docs": []}
    assert push(plan_of(nodes, new("n1", **{field: BARRED[field]}))).counts["unchanged"] == 1

    back = push(sp.undo(report))
    assert held(nodes) == {}
    assert push(sp.undo(back)).ok
    assert held(nodes) == after


def test_deleted_rows_with_such_values_come_back(nodes):
    for name in ("n1", "n2", "n3"):
        nodes.create({"name": name, **FIT})
    for name in ("n1", "n2"):
        nodes.update(name, BARRED, force_mixed=True)
    before = held(nodes)
    live = sp.fetch(nodes, progress=False)
    report = push(live.diff(live.frame().head(0), delete=list(live.ids)))
    assert held(nodes) == {}

    back = push(sp.undo(report))

    assert back.counts["done"] == 3
    assert held(nodes) == before
    assert push(sp.undo(back)).ok
    assert held(nodes) == {}


@pytest.mark.parametrize("lost", ["POST *", "PUT *"])
@pytest.mark.parametrize("rate", [0.5, 1.0])
def test_no_row_is_doubled_or_left_half_when_answers_get_lost(server, nodes, lost, rate):
    plan = plan_of(nodes, *(new(f"n{i}", **BARRED) for i in range(4)), new("n4"))
    server.sandbox.faults = Faults(drop_after={lost: rate}, seed=1)
    once = sp.Limits(settle=0.0, settle_row=0.0, attempts=1 if rate == 1.0 else 9)

    report = push(plan, limits=once)
    server.sandbox.faults = Faults()
    if rate == 1.0:
        assert report.stopped is not None
        report = push(sp.resume(report.journal, client=server.client))

    assert report.ok, report
    assert held(nodes) == {name: {"name": name, **BARRED} for name in ("n0", "n1", "n2", "n3")} | {
        "n4": held(nodes)["n4"]
    }
    push(sp.undo(report.journal, client=server.client))
    assert held(nodes) == {}


def test_rows_that_nothing_identifies_are_found_half_made_and_completed(server):
    definition = {"text": "String", "m": "Mixed"}
    server.client.schemas.create({"name": "note", "_sis": {"owner": ["ops"]}, "definition": definition})
    notes = server.client.entities("note")
    values: list[dict[str, Any]] = [
        {"text": "a", "m": {"x.y": 1}},
        {"text": "a", "m": {"x.y": 2}},
        {"text": "a"},
    ]
    creates = [Create(n, row, None) for n, row in enumerate(values)]
    plan = sp.Plan(notes, sp.fetch(notes, progress=False).schema, tuple(creates))

    def cut_off(seen):
        if seen.method == "PUT":  # this first one is carried out
            server.sandbox.faults = Faults(drop_before={"*": 1.0})

    server.sandbox.faults = Faults(before=cut_off)
    report = push(plan, limits=sp.Limits(settle=0.0, settle_row=0.0, patience=0.5, attempts=1))
    server.sandbox.faults = Faults()
    assert report.stopped is not None

    assert push(sp.resume(report.journal, client=server.client)).ok
    found = [{key: row[key] for key in ("text", "m") if row.get(key)} for row in notes.fetch_all()]
    assert sorted(found, key=str) == sorted(values, key=str)


def test_what_somebody_else_writes_into_a_row_that_is_not_complete_stays(server, nodes):
    def intrude(seen):
        if seen.method == "GET" and nodes.count():
            server.sandbox.faults = Faults()
            nodes.update("n1", {"labels": {"theirs": 1}})

    plan = plan_of(nodes, new("n1", labels=BARRED["labels"]))
    server.sandbox.faults = Faults(before=intrude)
    report = push(plan)

    (outcome,) = report.outcomes
    assert (outcome.word, outcome.written) == (
        "conflict",
        {"name": (None, "n1"), "must": (None, {"a": 1}), "list": (None, [{"k": "x", "m": 1}])},
    )
    assert report.conflict_list == (
        Conflict(str(outcome.id), "labels", None, BARRED["labels"], {"theirs": 1}, "n1"),
    )
    assert held(nodes)["n1"]["labels"] == {"theirs": 1}


def test_a_row_that_somebody_deletes_before_it_is_complete_is_a_conflict(server, nodes):
    def intrude(seen):
        if seen.method == "PUT":
            server.sandbox.faults = Faults()
            nodes.delete("n1")

    server.sandbox.faults = Faults(before=intrude, drop_before={"PUT *": 1.0})
    report = push(plan_of(nodes, new("n1", labels=BARRED["labels"])))

    assert [(o.word, o.reason, o.status) for o in report.outcomes] == [
        ("conflict", "somebody deleted the row before it was complete", 404)
    ]
    id_ = str(report.outcomes[0].id)
    assert report.conflict_list == (Conflict(id_, "_id", id_, id_, None, "n1"),)


def test_a_value_that_no_put_stores_either_is_named_and_the_row_can_be_undone(server, nodes):
    server.sandbox.faults = Faults(errors={"PUT *": (400, 1.0)})

    report = push(plan_of(nodes, new("n1", labels=BARRED["labels"])))
    server.sandbox.faults = Faults()

    assert [(o.word, o.status, o.reason) for o in report.outcomes] == [
        ("failed", 400, "created, but labels was refused: Internal error injected fault")
    ]
    push(sp.undo(report))
    assert held(nodes) == {}


def test_only_a_row_to_be_completed_costs_a_request_more(server, nodes):
    before = len(server.sandbox.requests)

    push(plan_of(nodes, new("n1"), new("n2", labels=BARRED["labels"])))

    assert [seen.method for seen in server.writes(before)] == ["POST", "PUT"]


def test_a_token_that_dies_before_a_row_is_complete_leaves_it_to_the_resume(server, nodes):
    doomed = sispy.Client(server.client.url)
    doomed.authenticate(server.sandbox.user, server.sandbox.password)
    mine = sp.Plan(
        doomed.entities("node"),
        sp.fetch(nodes, progress=False).schema,
        (new("n1", labels=BARRED["labels"]), new("n2", labels=BARRED["labels"])),
    )
    tokens = server.sandbox.world.tokens.collection

    def end(seen):
        if seen.method == "PUT":
            server.sandbox.faults = Faults()
            tokens.delete(tokens.find("name", doomed.auth_token)["_id"])

    server.sandbox.faults = Faults(before=end)
    report = push(mine)

    assert report.stopped is not None
    assert ["whether it arrived is not known" in o.reason for o in report.outcomes] == [True, True]
    assert push(sp.resume(report.journal, client=server.client)).counts["done"] == 2
    assert [row["labels"] for row in held(nodes).values()] == [BARRED["labels"]] * 2
