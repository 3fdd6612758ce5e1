"""One row in the browser: its form, its history, the plans that come of them; and the history of the rest."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

pytest.importorskip("anywidget")

from gate import Gate
from sispy.sandbox import Sandbox  # skipped before it is needed
from sispy_pandas.values.times import iso
from sispy_pandas.widgets.browser import SchemaBrowser

SITE = {"name": {"type": "String", "required": True, "unique": True}}
HOST = {
    "name": {"type": "String", "required": True, "unique": True},
    "status": {"type": "String", "enum": ["live", "spare"]},
    "cores": {"type": "Number", "min": 1, "max": 64},
    "since": "Date",
    "up": "Boolean",
    "site": {"type": "ObjectId", "ref": "site"},
    "os": {"name": "String", "version": "String"},
    "tags": ["String"],
    "disks": [{"dev": "String", "gb": "Number", "chip": {"vendor": "String"}, "sizes": ["Number"]}],
    "any": [],
    "extra": "Mixed",
}


@pytest.fixture
def sis(tmp_path, monkeypatch):
    """A server with two hosts at one of two sites."""
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))
    with Sandbox() as sis:
        client = sis.client()
        for name, definition in (("site", SITE), ("host", HOST)):
            content = {"name": name, "_sis": {"owner": ["ops", "web"]}, "definition": definition}
            client.schemas.create({**content, "id_field": "name"})
        sites = [client.entities("site").create({"name": name})["_id"] for name in ("fra1", "par1")]
        for name in ("a", "b"):
            client.entities("host").create(
                {
                    "name": name,
                    "status": "live",
                    "cores": 8,
                    "site": sites[0],
                    "os": {"name": "rhel"},
                    "tags": ["x", "y"],
                    "disks": [{"dev": "sda", "gb": 10, "chip": {"vendor": "acme"}}],
                    "extra": {"k": 1},
                    "_sis": {"owner": ["ops"]},
                }
            )
        yield sis


@pytest.fixture
def browser(sis):
    browser = SchemaBrowser(sis.client())
    browser.wait()
    browser.visit("host", "rows")
    browser.wait()
    return browser


@pytest.fixture
def row(sis):
    """Return a function that gives a host as it is stored."""
    hosts = sis.client().entities("host")
    return lambda name="a": hosts.get(name, {"populate": False}).to_dict()


@pytest.fixture
def drawer(browser, row):
    """The drawer with the host named a."""
    act(browser._rows, "row", table="host", row=row()["_id"])
    browser.wait()
    return browser._drawer


def act(panel, name, /, **said):
    """Do what the page does when somebody clicks or types, and wait for what comes of it."""
    act_at_once(panel, name, **said)
    panel.wait()


def act_at_once(panel, name, /, **said):
    """Do what the page does, and wait for nothing."""
    panel.view._receive(panel.view, {"act": name, **said}, [])


def text(panel):
    return unescape(re.sub(r"<[^>]+>", " ", panel.view.html))


def edit(drawer, *at, value):
    act(drawer, "edit", at=json.dumps(at), value=value)


def cells(plan):
    """What a plan changes."""
    return {path: value for change in plan.changes for path, value in change.after.items()}


def push_row(browser, drawer):
    """Review what was typed into a row, push it, and wait."""
    act(drawer, "review")
    return push(browser)


def push(browser):
    """Push what is reviewed, and wait."""
    (review,) = browser._below.children
    review._row.push.click()
    review.wait()
    browser.wait()
    return review.report


def lines(review):
    """What a review says of each cell: its tick, its value before, after and of others, what became of it."""
    model = review._parts[0].table.model
    shown = {column.field.path for column in model.all_columns}
    names = ("field", "send", "before", "after", "theirs", "outcome")
    return [
        tuple(model.value(row, name) if name in shown else None for name in names)
        for row in range(len(model.base))
    ]


def decide(review, keep):
    """Decide the conflict in the first line."""
    review._parts[0].table.model.edit([(0, "keep", keep)])


def reviewed(browser, drawer):
    """Review what was typed, and return the review."""
    act(drawer, "review")
    return browser._below.children[0]


def test_a_row_is_a_form_and_its_changes_are_reviewed_and_pushed(browser, drawer, row):
    for at, value in (
        (("status",), "spare"),
        (("cores",), "16"),
        (("since",), "2026-11-23 08:30"),
        (("up",), "true"),
        (("os",), None),
    ):
        if value is not None:
            edit(drawer, *at, value=value)
    edit(drawer, "os.version", value="9")
    edit(drawer, "tags", 1, value="z")
    edit(drawer, "disks", 0, "gb", value="20")
    edit(drawer, "disks", 0, "chip.vendor", value="other")
    edit(drawer, "extra", value='{"k": 2}')
    act(drawer, "more", at='["_sis.tags"]')
    edit(drawer, "_sis.tags", 0, value="moved")
    edit(drawer, "_sis.locked", value="true")
    assert "Review 10 changed fields" in text(drawer)
    act(drawer, "review")
    assert "The plan is below" in text(drawer)
    report = push(browser)
    assert report.counts["done"] == 1
    after = row()
    (disk,) = after["disks"]
    assert {name: after[name] for name in ("status", "cores", "since", "up", "os", "tags", "extra")} == {
        "status": "spare",
        "cores": 16,
        "since": "2026-11-23T08:30:00.000Z",
        "up": True,
        "os": {"name": "rhel", "version": "9"},
        "tags": ["x", "z"],
        "extra": {"k": 2},
    }
    assert (disk["gb"], disk["chip"], disk["dev"]) == (20, {"vendor": "other"}, "sda")
    assert (after["_sis"]["tags"], after["_sis"]["locked"]) == (["moved"], True)
    assert ("Review" in text(drawer), drawer.draft.changed) == (False, ())  # it shows what is stored now


def test_members_are_added_and_removed_and_what_was_never_filled_in_is_not_sent(browser, drawer):
    act(drawer, "more", at='["disks"]')
    act(drawer, "more", at='["tags"]')
    act(drawer, "more", at='["tags"]')
    assert drawer.draft.changed == ()
    edit(drawer, "disks", 1, "dev", value="sdb")
    edit(drawer, "tags", 2, value="w")
    act(drawer, "less", at='["tags", 0]')
    plan = drawer.draft.plan()
    assert [disk["dev"] for disk in cells(plan)["disks"]] == ["sda", "sdb"]
    assert cells(plan)["tags"] == ["y", "w"]
    act(drawer, "discard")
    assert drawer.draft.changed == ()


def test_nulls_that_are_stored_in_arrays_are_no_edits_and_stay(sis, browser, drawer, row):
    hosts = sis.client().entities("host")
    disks = [{"dev": "sda", "sizes": [1, None]}, {}]
    id_ = hosts.create({"name": "n", "tags": ["x", None, "y"], "any": [None, {"a": None}], "disks": disks})[
        "_id"
    ]
    act(browser._rows, "row", table="host", row=id_)
    browser.wait()
    assert (drawer.draft.is_touched, drawer.draft.changed) == (False, ())
    edit(drawer, "tags", 2, value="z")
    edit(drawer, "any", 0, value="5")
    edit(drawer, "disks", 0, "dev", value="sdb")
    for at in (["tags"], ["any"], ["disks"], ["disks", 0, "sizes"]):
        act(drawer, "more", at=json.dumps(at))  # is never filled in
    edit(drawer, "tags", 0, value="")  # is taken out
    found = cells(drawer.draft.plan())
    assert (found["tags"], found["any"]) == ([None, "z"], [5, {"a": None}])
    ids = [disk["_id"] for disk in row("n")["disks"]]
    assert found["disks"] == [{"dev": "sdb", "sizes": [1, None], "_id": ids[0]}, {"_id": ids[1], "sizes": []}]
    assert push_row(browser, drawer).counts["done"] == 1
    assert row("n")["tags"] == [None, "z"]


def test_what_was_typed_is_there_again_when_its_row_is_shown_again(sis, browser, drawer, row):
    edit(drawer, "cores", value="16")
    edit(drawer, "since", value="soon")
    act(browser._rows, "row", table="host", row=row("b")["_id"])
    browser.wait()
    assert "Edited, not reviewed yet: a ✕" in " ".join(text(browser._rows).split())
    sis.client().entities("host").update(row()["_id"], {"status": "spare"})
    act(browser._rows, "row", table="host", row=row()["_id"])
    browser.wait()
    assert (drawer.draft.values["cores"], drawer.draft.values["status"]) == (16, "spare")
    assert (drawer.draft.changed, drawer.draft.refused[("since",)].text) == (("cores",), "soon")
    act(browser._top, "reload")
    browser.wait()
    assert drawer.draft.changed == ("cores",)


@pytest.mark.parametrize("way", ["push", "reload", "leave"])
def test_what_was_typed_stays_in_conflict_with_what_others_wrote_until_that_is_decided(
    sis, browser, drawer, row, way
):
    edit(drawer, "cores", value="55")
    if way == "push":
        act(drawer, "review")
    sis.client().entities("host").update(row()["_id"], {"cores": 11})
    if way == "push":
        assert push(browser).counts["conflict"] == 1
    elif way == "reload":
        act(browser._top, "reload")
    else:
        act(drawer, "close")
        act(browser._rows, "row", table="host", row=row()["_id"])
    browser.wait()
    assert "somebody else changed it meanwhile, from 8 to 11" in text(drawer)
    for _ in range(2):  # however often it is reviewed and pushed
        review = reviewed(browser, drawer)
        assert lines(review) == [("cores", None, "8", "55", "11", "conflict")]
        assert (push(browser), row()["cores"]) == (None, 11)
    decide(review, "mine")
    assert push(browser).counts["done"] == 1
    assert (row()["cores"], drawer.draft.changed, "meanwhile" in text(drawer)) == (55, (), False)


def test_a_conflict_in_which_the_other_value_stays_takes_the_edit_back(sis, browser, drawer, row):
    edit(drawer, "cores", value="55")
    edit(drawer, "status", value="spare")
    review = reviewed(browser, drawer)
    sis.client().entities("host").update(row()["_id"], {"cores": 11})
    push(browser)
    assert (row()["cores"], row()["status"], drawer.draft.changed) == (11, "spare", ("cores",))
    decide(review, "theirs")
    push(browser)
    assert (row()["cores"], drawer.draft.changed, drawer.draft.values["cores"]) == (11, (), 11)


def test_what_is_typed_while_a_push_runs_is_in_conflict_with_others_alone(sis, browser, drawer, row):
    edit(drawer, "cores", value="16")
    edit(drawer, "status", value="spare")
    review = reviewed(browser, drawer)
    with Gate(sis, "PUT /entities/host") as gate:
        review._row.push.click()
        gate.wait()
        edit(drawer, "cores", value="17")
    review.wait()
    browser.wait()
    assert (row()["cores"], drawer.draft.changed, drawer.draft.values["cores"]) == (16, ("cores",), 17)
    assert lines(reviewed(browser, drawer)) == [("cores", True, "16", "17", None, None)]


def test_a_value_that_was_corrected_in_the_review_is_no_edit_any_more(browser, drawer, row):
    edit(drawer, "cores", value="16")
    review = reviewed(browser, drawer)
    review._parts[0].table.model.edit([(0, "after", "18")])
    assert push(browser).counts["done"] == 1
    assert (row()["cores"], drawer.draft.changed, drawer.draft.values["cores"]) == (18, (), 18)


def test_edits_of_a_row_that_is_gone_can_be_forgotten(sis, browser, drawer, row):
    edit(drawer, "cores", value="16")
    act(drawer, "close")
    gone = row()["_id"]
    sis.client().entities("host").delete(gone)
    act(browser._rows, "row", table="host", row=gone)
    browser.wait()
    assert "does not exist" in text(drawer)
    assert "Edited, not reviewed yet: a ✕" in " ".join(text(browser._rows).split())
    act(browser._rows, "forget", table="host", row=gone)
    assert ("not reviewed" in text(browser._rows), drawer.kept) == (False, {})


def test_a_push_that_runs_stays_in_sight(sis, browser, drawer):
    edit(drawer, "cores", value="16")
    act(drawer, "review")
    (review,) = browser._below.children
    with Gate(sis, "PUT /entities/host") as gate:
        review._row.push.click()
        gate.wait()
        browser.visit("site")
        assert browser._below.children == (review,)
        assert "a push is running" in text(browser._list)
    review.wait()
    browser.visit("host")
    assert browser._below.children == ()


def test_what_is_no_value_is_said_beside_its_field_and_nothing_is_planned(browser, drawer):
    edit(drawer, "cores", value="many")
    assert 'aria-invalid="true"' in drawer.view.html
    assert drawer.draft.refused[("cores",)].text == "many"
    assert "Review the row" in text(drawer)
    act(drawer, "review")
    assert (browser._below.children, "cores: " in drawer.refused) == ((), True)
    edit(drawer, "cores", value="65")
    assert "65" in drawer.draft.refused[("cores",)].text
    edit(drawer, "cores", value="8")
    act(drawer, "review")
    assert drawer.refused == "nothing was changed"


def test_a_reference_is_chosen_by_name_and_followed_and_back(sis, drawer, row):
    at = json.dumps(["site"])
    assert 'value="fra1"' in drawer.view.html
    act(drawer, "offer", at=at, value="R")
    assert [name for _, name in drawer.offered] == ["fra1", "par1"]
    assert '<option value="par1">' in drawer.view.html
    act(drawer, "refer", at=at, value="par2")
    assert "no row of site is called so" in text(drawer)
    act(drawer, "refer", at=at, value="par1")
    site = sis.client().entities("site").get("par1")["_id"]
    assert (cells(drawer.draft.plan()), drawer.draft.refused) == ({"site": site}, {})
    act(drawer, "row", table="site", row=row()["site"])
    assert ("fra1" in text(drawer), drawer.trail) == (
        True,
        [("host", row()["_id"]), ("site", row()["site"])],
    )
    act(drawer, "back")
    assert drawer.here == ("host", row()["_id"])
    act(drawer, "close")
    assert drawer.view.html == ""


def test_a_row_is_cloned_without_what_is_unique_and_without_the_ids_of_its_members(browser, drawer, row):
    act(drawer, "clone")
    assert "New row of host" in text(drawer)
    edit(drawer, "name", value="c")
    act(drawer, "review")
    assert push(browser).counts["done"] == 1
    old, new = row(), row("c")
    assert new["disks"][0]["_id"] != old["disks"][0]["_id"]
    assert {k: v for k, v in new.items() if k not in ("_id", "_sis", "_v", "name", "disks")} == {
        k: v for k, v in old.items() if k not in ("_id", "_sis", "_v", "name", "disks")
    }
    assert new["_sis"]["owner"] == ["ops"]


def test_a_row_is_deleted_through_a_review(browser, drawer, sis):
    act(drawer, "delete")
    assert push(browser).counts["done"] == 1
    assert drawer.here is None
    assert [host["name"] for host in sis.client().entities("host").fetch_all()] == ["b"]


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_a_delete_stays_in_conflict_until_that_is_decided(sis, browser, drawer, row, keep):
    act(drawer, "delete")
    sis.client().entities("host").update(row()["_id"], {"cores": 11})
    assert push(browser).counts["conflict"] == 1
    for _ in range(2):
        act(drawer, "delete")
        review = browser._below.children[0]
        assert lines(review) == [(None, None, "(the whole row)", None, "cores: 11", "conflict")]
        assert (push(browser), row()["cores"]) == (None, 11)
    decide(review, keep)
    push(browser)
    names = [host["name"] for host in sis.client().entities("host").fetch_all()]
    assert (names, drawer.here is None) == ((["b"], True) if keep == "mine" else (["a", "b"], False))
    if keep == "theirs":
        act(drawer, "delete")  # of the row as it is shown now
        assert lines(browser._below.children[0]) == [(None, True, "(the whole row)", None, None, None)]


def test_the_json_view_holds_the_row_as_it_is_stored(drawer, row):
    act(drawer, "tab", name="json")
    (shown,) = re.findall(r"<pre>(.*)</pre>", drawer.view.html, re.DOTALL)
    assert json.loads(unescape(shown)) == row()


def test_an_error_is_said_in_the_drawer(browser):
    act(browser._rows, "row", table="host", row="0" * 24)
    browser.wait()
    assert ("does not exist" in text(browser._drawer), "Loading" in text(browser._drawer)) == (True, False)


def test_commits_of_a_row_stand_side_by_side_and_one_is_put_back(sis, browser, drawer, row):
    hosts = sis.client().entities("host")
    for cores in (9, 10, 11):
        hosts.update(row()["_id"], {"cores": cores})
    hosts.update(row()["_id"], {"status": "spare"})
    act(drawer, "tab", name="history")
    browser._drawer.reload()
    browser.wait()
    head, *lines = [
        [unescape(re.sub(r"<[^>]+>", " ", cell)).split() for cell in re.findall(r"<t[hd].*?</t[hd]>", line)]
        for line in re.findall(r"<tr>(.*?)</tr>", drawer.view.html)
    ]
    assert [cell[:3] for cell in head[1:]] == [["changed", "by", "root"]] * 4 + [["created", "by", "root"]]
    assert lines[0] == [["status"], ["live", "spare"], [], [], [], ["live"]]
    assert lines[1] == [["cores"], [], ["10", "11"], ["9", "10"], ["8", "9"], ["8"]]
    act(drawer, "undo", at=0)
    assert push(browser).counts["done"] == 1
    assert row()["status"] == "live"


@pytest.mark.parametrize(
    ("writes", "theirs"),
    [
        ([{"cores": 9, "since": "2026-11-23"}], "cores: 9, since: 2026-11-23"),
        ([{"cores": 9}, {"cores": 8}], r"cores: 8, _updated_at: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(.\d+)?"),
    ],
)
def test_the_commit_that_created_a_row_is_taken_back_by_a_delete_that_says_so(
    sis, browser, drawer, row, writes, theirs
):
    for values in writes:
        sis.client().entities("host").update(row()["_id"], values)
    act(drawer, "tab", name="history")
    drawer.reload()
    browser.wait()
    buttons = re.findall(r'<button [^>]*data-act="undo"[^>]*>(.*?)</button>', drawer.view.html)
    assert buttons == [*["Take this change back"] * len(writes), "Delete the row"]
    act(drawer, "undo", at=len(writes))
    review = browser._below.children[0]
    ((path, send, before, after, shown, outcome),) = lines(review)
    assert (path, send, before, after, outcome) == (None, None, "(the whole row)", None, "conflict")
    assert re.fullmatch(theirs, shown)
    assert (push(browser), row()["name"]) == (None, "a")
    decide(review, "mine")
    assert push(browser).counts["done"] == 1
    assert [host["name"] for host in sis.client().entities("host").fetch_all()] == ["b"]


def test_older_commits_are_a_page_away(sis, browser, drawer, row):
    hosts = sis.client().entities("host")
    for cores in range(20, 27):
        hosts.update(row()["_id"], {"cores": cores})
    act(drawer, "tab", name="history")
    drawer.reload()
    browser.wait()
    assert "commits 1 to 6 of 8, the newest first" in text(drawer)
    assert text(drawer).count("changed by") == 6
    act(drawer, "versions", first=6)
    assert "commits 7 to 8 of 8" in text(drawer)
    act(drawer, "undo", at=6)
    assert cells(browser._below.children[0].plan) == {"cores": 8}


def test_changes_of_a_span_are_narrowed_and_put_back(sis, browser, row):
    hosts = sis.client().entities("host")
    for name in ("a", "b"):
        hosts.update(row(name)["_id"], {"cores": 32, "status": "spare"})
    browser.visit("host", "history")
    browser.wait()
    changes = browser._changes
    assert len(changes.chosen()) == 20  # the creation of both, too
    act(changes, "span", value="1h")
    act(changes, "by", value="root")
    act(changes, "field", value="status")
    assert [(edit.before, edit.after) for edit in changes.chosen().edits] == [
        *[("live", "spare")] * 2,
        *[(None, "live")] * 2,
    ]
    moment = changes.chosen().edits[1].at
    act(changes, "since", value=iso(moment).removesuffix("Z"))
    assert "live spare" in " ".join(text(changes).split())
    assert '<option value="" selected>…</option>' in changes.view.html  # no span is chosen
    assert "Put these 2 cells back" in text(changes)
    act(changes, "revert")
    assert push(browser).counts["done"] == 2
    assert [row(name)["status"] for name in ("a", "b")] == ["live", "live"]
    assert [row(name)["cores"] for name in ("a", "b")] == [32, 32]
    act(changes, "since", value="yesterday")
    assert "not a time such as" in text(changes)


def test_what_differs_in_long_values_is_in_sight(sis, browser, row):
    """Before and after were cut at the same place, and looked alike."""
    tags = [f"member{n:02}" for n in range(40)]
    hosts = sis.client().entities("host")
    hosts.update(row()["_id"], {"tags": tags})
    hosts.update(row()["_id"], {"tags": [*tags[:-1], "another"]})
    browser.visit("host", "history")
    browser.wait()
    changes = browser._changes
    act(changes, "field", value="tags")
    before, after = re.findall(r"\.\.\.[^(]*member38, (\w+)\b", text(changes))
    assert (before, after) == ("member39", "another")


def test_what_a_plan_leaves_as_it_is_is_said_in_its_review(sis, browser, row):
    sis.client().entities("host").update(row()["_id"], {"cores": 9})
    browser.visit("host", "history")
    browser.wait()
    changes = browser._changes
    act(changes, "field", value="cores")
    assert len(changes.chosen()) == 3  # two of them are of rows that were created
    act(changes, "revert")
    assert cells(browser._below.children[0].plan) == {"cores": 8}
    note = "left as it is: 2 new or deleted rows, of which only some fields are meant"
    assert note in browser._below.children[0]._parts[0].notes.value  # once: in the review
    assert note not in text(changes)
    assert "The plan is below: nothing is written before you push it." in text(changes)
    act(changes, "field", value="site")  # only of rows that were created
    assert "left as it is" not in text(changes)  # that was of other cells
    browser._below.children = ()
    act(changes, "revert")
    assert browser._below.children == ()
    assert "There is nothing to change." in text(changes)
    assert "left as it is: 2 new or deleted rows" in text(changes)


def test_the_history_of_a_row_that_was_left_is_not_shown_for_another_one(sis, browser, drawer, row):
    sis.client().entities("host").update(row()["_id"], {"cores": 9})
    drawer.reload()
    drawer.wait()
    with Gate(sis, f"GET /entities/host/{row()['_id']}/commits") as gate:
        act_at_once(drawer, "tab", name="history")
        gate.wait()
        act_at_once(drawer, "tab", name="form")
        act_at_once(browser._rows, "row", table="host", row=row("b")["_id"])
        drawer.work.wait()
    drawer.wait()
    act(drawer, "tab", name="history")
    assert ([step.id for step in drawer.history.steps], "changed by" in text(drawer)) == (
        [row("b")["_id"]],
        False,
    )


def test_the_definition_has_a_history_and_an_old_one_comes_back_as_a_plan(sis, browser):
    schema = sis.client().schemas.get("host").to_dict()
    schema["definition"] = {**schema["definition"], "asset": "String"}
    sis.client().schemas.update("host", schema)
    browser.visit("host", "history")
    browser.wait()
    panel = browser._definition
    assert "definition.asset" in text(panel)
    act(panel, "old", at=0)
    assert "no row has a value" in text(panel)
    act(panel, "push")
    assert "asset" not in sis.client().schemas.get("host")["definition"]
    assert "asset" not in browser._list.tables.schemas["host"].columns


def test_a_definition_that_is_put_back_while_another_table_is_shown_is_read_again(sis, browser):
    schema = sis.client().schemas.get("host").to_dict()
    schema["definition"] = {**schema["definition"], "asset": "String"}
    sis.client().schemas.update("host", schema)
    act(browser._top, "reload")
    browser.wait()
    browser.visit("host", "history")
    browser.wait()
    panel = browser._definition
    act(panel, "old", at=0)
    with Gate(sis, "PUT /schemas/host") as gate:
        act_at_once(panel, "push")
        gate.wait()
        browser.visit("site", "history")
        panel.work.wait()
        assert "is changed." not in text(panel)
    panel.wait()
    browser.wait()
    assert "asset" not in browser._list.tables.schemas["host"].columns
    assert (panel.name, "The definition of host is changed." in text(panel)) == ("site", True)


def test_values_are_erased_by_an_old_definition_only_if_somebody_says_so(sis, browser, row):
    schema = sis.client().schemas.get("host").to_dict()
    schema["definition"] = {**schema["definition"], "asset": "String"}
    sis.client().schemas.update("host", schema)
    sis.client().entities("host").update(row()["_id"], {"asset": "A1"})
    browser.visit("host", "history")
    browser.wait()
    panel = browser._definition
    act(panel, "old", at=0)
    act(panel, "push")
    assert ("it erases asset (1 value)" in panel.problem, row()["asset"]) == (True, "A1")
    act(panel, "mean", value=True)
    act(panel, "push")
    assert "asset" not in row()


@pytest.fixture
def past(sis, browser):
    """Return a function that shows the history of the only object of a kind."""

    def shown(kind):
        act(browser._top, "tab", name=kind)
        browser.wait()
        act(browser._objects[kind], "history", name=browser._objects[kind].found[0]["name"])
        panel = browser._histories[kind]
        panel.wait()
        return panel

    return shown


def test_an_entry_has_a_history_and_an_old_state_comes_back_as_a_plan(sis, browser, past):
    hiera, own = sis.client().hiera, {"name": "common", "_sis": {"owner": ["ops"]}}
    old = {"ntp": ["a"], "n": 1, "web": {"port": 80}}
    hiera.create({**own, "hieradata": old})
    hiera.update("common", {**own, "hieradata": {"ntp": ["b"], "web": {"tls": True}, "more": "<b>"}})
    panel = past("hiera")
    assert "hieradata.ntp" in text(panel)
    act(panel, "old", at=0)
    lines = re.findall(r"<tr><td.*?</tr>", panel.view.html.split("What it would change", 1)[1])
    assert [
        [unescape(re.sub("<[^>]+>", "", one)) for one in re.findall("<td.*?</td>", x)] for x in lines
    ] == [
        ["hieradata.ntp", '["b"]', '["a"]'],
        ["hieradata.web.tls", "true", ""],
        ["hieradata.more", "<b>", ""],
    ]
    act(panel, "push")
    browser.wait()
    assert hiera.get("common").to_dict() == {"common": old}
    assert "common is put back." in text(panel)
    assert text(panel).count("changed by") == 2
    assert "3 keys" in text(browser._objects["hiera"])
    act(panel, "old", at=1)
    assert "It is today's state: nothing would change." in text(panel)


def test_a_hook_has_a_history_and_an_old_state_comes_back_as_a_plan(sis, browser, past):
    hooks = sis.client().hooks
    hook = {"name": "tell", "entity_type": "host", "events": ["update"], "_sis": {"owner": ["ops"]}}
    old = {"url": "http://a.example/", "action": "POST"}
    hooks.create({**hook, "target": old, "retry_count": 3})
    hooks.update("tell", {**hook, "target": {"url": "http://b.example/", "action": "PUT", "to": "x"}})
    panel = past("hooks")
    act(panel, "old", at=0)
    assert list(panel.plan.parts) == ["target.url", "target.action", "target.to"]
    act(panel, "push")
    browser.wait()
    assert (hooks.get("tell")["target"], hooks.get("tell")["retry_count"]) == (old, 3)
    assert "http://a.example/" in text(browser._objects["hooks"])


def test_an_entry_that_somebody_changed_meanwhile_is_not_put_back(sis, past):
    hiera, own = sis.client().hiera, {"name": "common", "_sis": {"owner": ["ops"]}}
    for number in (1, 2):
        hiera.upsert("common", {**own, "hieradata": {"n": number}})
    panel = past("hiera")
    act(panel, "old", at=0)
    hiera.update("common", {**own, "hieradata": {"n": 3}})
    act(panel, "push")
    assert "'common' has changed since the plan was made: make it anew" in text(panel)
    assert hiera.get("common").to_dict() == {"common": {"n": 3}}
    hiera.delete("common")
    act(panel, "push")
    assert "there is no 'common' any more" in text(panel)


def test_an_old_state_is_put_back_once_however_often_one_clicks(sis, past):
    hiera, own = sis.client().hiera, {"name": "common", "_sis": {"owner": ["ops"]}}
    for number in (1, 2):
        hiera.upsert("common", {**own, "hieradata": {"n": number}})
    panel = past("hiera")
    act(panel, "old", at=0)
    seen = len(sis.requests)
    with Gate(sis, "PUT /hiera/common") as gate:
        act_at_once(panel, "push")
        gate.wait()
        act_at_once(panel, "push")
        assert re.search("<button[^>]*disabled[^>]*>Put it back", panel.view.html)
    panel.wait()
    assert [one.method for one in sis.requests[seen:] if one.method != "GET"] == ["PUT"]
