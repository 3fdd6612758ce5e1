"""A plan as people and files see it."""

import hashlib
import json
import re
from dataclasses import replace

import pandas as pd
import pytest

import sispy_pandas as sp
from sispy_pandas.values.changes import Create, Delete, Problem, Stale, Update

APART = "padding: 4px 12px 4px 8px"
LEFT, RIGHT = f' style="text-align: left; {APART}"', f' align="right" style="{APART}"'
"""What puts cells to their sides."""


@pytest.fixture
def plan(server):
    live = server.fetch()
    df = live.frame().head(4).reset_index().astype(object)
    df["cpus"] = [8, 99, 3, 4]
    df["bios.vendor"] = ["dell", "dell", "acme", "acme"]
    new = pd.DataFrame({"name": ["n1"], "os": ["rhel8"]}).astype(object)
    return live.diff(pd.concat([df, new], ignore_index=True), delete=[live.ids[9]], owner=["ops"])


def test_the_frame_has_one_row_per_cell(server, plan):
    a, _b, *_ = server.fetch().ids

    frame = plan.only(ids=[a, 4]).frame()

    assert list(frame.itertuples(index=False, name=None)) == [
        (a, "h00000", "cpus", 1, 8),
        (a, "h00000", "bios.vendor", "acme", "dell"),
        (None, "n1", "name", None, "n1"),
        (None, "n1", "os", None, "rhel8"),
    ]


def test_the_text_says_where_how_much_and_what(server, plan):
    lines = str(plan.without(ids=[server.fetch().ids[9]])).splitlines()

    assert lines[:3] == [
        f"host on {server.client.url} as root: "
        "1 of 2 updates, 1 create, 0 deletes can be sent (2 changed cells)",
        "new rows will be owned by ops",
        "1 row has problems: .problems names them",
    ]
    assert "~  h00000  cpus         1       8" in lines
    assert "h00001      cpus    99     more than 64" in lines


def test_equal_changes_of_a_long_plan_are_one_line(server):
    server.add(range(20, 300))
    live = server.fetch()
    df = live.frame()
    df["bios.vendor"] = "dell"
    df.loc[df.index[0], "bios.version"] = "<2>"

    plan = live.diff(df)

    assert str(plan).splitlines()[1:] == [
        "",
        "   field        before  after  rows  such as",
        "~  bios.vendor  acme    dell   300   h00000, h00001, h00002",
        "",
        "   name    field         before  after",
        "~  h00000  bios.version  1       <2>",
        "",
        "301 cells in all: .frame() shows each",
    ]
    html = plan._repr_html_().replace(LEFT, "").replace(RIGHT, "")
    assert "<td>acme</td><td>dell</td><td>300</td>" in html
    assert "&lt;2&gt;" in html
    assert "<2>" not in html
    assert len(html) < 100_000


def test_a_deleted_row_is_one_line(server):
    live = server.fetch()

    plan = live.diff(live.frame().head(0), delete=list(live.ids[:2]))

    assert str(plan).splitlines()[1:] == [
        "",
        "   name    field        before  after",
        "-  h00000  (whole row)",
        "-  h00001  (whole row)",
    ]
    assert plan._repr_html_().count("<tr>") == 3
    assert set(plan.frame()["key"]) == {"h00000", "h00001"}


def test_new_rows_beside_those_of_a_frame(server):
    live = server.fetch()
    new = pd.DataFrame({"name": ["n1"], "os": ["rhel8"]}).astype(object)

    with pytest.raises(ValueError, match=r"pd\.concat\(\[frame\.reset_index\(\), new\]\)"):
        live.diff(pd.concat([live.frame(), new]))
    assert live.diff(pd.concat([live.frame().reset_index(), new])).counts["creates"] == 1


def test_only_and_without_take_rows_and_fields(server, plan):
    a, _b, *_ = server.fetch().ids

    assert [type(change) for change in plan.only(fields=["cpus"]).changes] == [Update, Update]
    assert plan.without(fields=["cpus"]).problem_list == ()
    assert [type(c) for c in plan.without(fields=["cpus"]).changes] == [Update, Update, Create, Delete]
    assert len(plan.without(ids=[a, 4])) == 2
    assert plan.only(ids=[a]).problem_list == ()
    with pytest.raises(ValueError, match="did you mean 'cpus'"):
        plan.only(fields=["cpu"])
    with pytest.raises(TypeError, match=r"fields=\['cpus'\]"):
        plan.only(fields="cpus")


def test_a_part_of_a_plan_has_the_problems_and_the_old_values_of_its_cells_alone(server, plan):
    a, b, *_ = server.fetch().ids
    fault = Problem(b, "more than 64", "cpus", 99, "h00001")

    assert plan.problem_list == (fault,)
    assert plan.only(fields=["cpus"]).problem_list == (fault,)
    assert plan.only(fields=["bios.vendor"]).problem_list == ()
    assert [(c.id, c.before, c.after) for c in plan.only(fields=["cpus"]).changes] == [
        (a, {"cpus": 1}, {"cpus": 8}),
        (b, {"cpus": 2}, {"cpus": 99}),
    ]
    head = "<tr><th>problem in</th><th>column</th><th>value</th><th>reason</th></tr>"
    assert head in plan._repr_html_().replace(LEFT, "")


def test_a_row_is_in_a_plan_once(server, plan):
    first, second, *_ = plan.changes
    with pytest.raises(ValueError, match=f"^row {second.id!r} is changed twice in one plan$"):
        sp.Plan(plan.endpoint, plan.schema, changes=(first, second, replace(second, after={"cpus": 5})))


def test_a_saved_plan_is_sorted_lines_and_comes_back_equal(server, plan, tmp_path):
    (tmp_path / "host.plan").touch(mode=0o644)
    path = plan.save(tmp_path / "host.plan")
    lines = path.read_text().split("\n")
    loaded = sp.load_plan(path, server.client)

    assert path.stat().st_mode & 0o777 == 0o600
    assert lines[1:-2] == sorted(lines[1:-2])
    assert json.loads(lines[0])["counts"] == plan.counts
    assert sorted(loaded.changes, key=repr) == sorted(_sorted(plan.changes), key=repr)
    assert (loaded.problem_list, loaded.owner) == (plan.problem_list, plan.owner)
    assert (loaded.origin.author, re.sub(r"\d", "0", str(loaded.origin.at))) == (
        "root",
        "0000-00-00T00:00:00Z",
    )
    assert loaded.save(tmp_path / "again").read_text() == path.read_text()


@pytest.mark.parametrize("action", ["create", "delete"])
def test_new_and_deleted_rows_of_another_type_by_now_need_a_new_plan(server, tmp_path, action):
    live = server.fetch()
    new = pd.DataFrame({"name": ["n1"], "cpus": [2]})
    plan = live.diff(new, new=True) if action == "create" else live.diff(live.frame(), delete=[live.ids[0]])
    path = plan.save(tmp_path / "host.plan")
    schema = server.client.schemas.get("host").to_dict()
    server.client.schemas.update("host", {**schema, "definition": {**schema["definition"], "cpus": "String"}})

    with pytest.raises(
        ValueError, match=r"field 'cpus' of 'host' was Number when .* and is String: make a new"
    ):
        sp.load_plan(path, server.client)


def test_rows_that_are_stale_are_saved_with_their_reason(server, plan, tmp_path):
    stale = (Stale(plan.changes[0].id, "it changed since", "h00000"),)

    loaded = sp.load_plan(replace(plan, stale=stale).save(tmp_path / "host.plan"), server.client)

    assert loaded.stale == stale
    edited = replace(stale[0], rows=({"cpus": 9},))
    assert (edited, repr(edited)) == (stale[0], repr(stale[0]))


def test_a_plan_knows_its_server_by_the_profiles_and_any_text_can_be_saved(
    server, plan, tmp_path, monkeypatch
):
    half = Problem("r", "holds half a character: \ud800", "name", "é\ud800", "k")
    plan = replace(plan, problem_list=(half,), notes=("a note",), undoes=("push",), completes=("undo",))
    profile = f'url = "{server.client.url}/"\ntoken = "{server.sandbox.token}"\n'
    (tmp_path / "config.toml").write_text(
        f"[profiles.other]\nurl = 'http://127.0.0.1:9'\n[profiles.one]\n{profile}"
    )
    (tmp_path / "config.toml").chmod(0o600)
    monkeypatch.setenv("SIS_CONFIG", str(tmp_path / "config.toml"))

    loaded = sp.load_plan(plan.save(tmp_path / "host.plan"))

    found = loaded.endpoint.client
    assert (found.url, found.auth_token) == (server.client.url, server.sandbox.token)
    assert (loaded.problem_list, loaded.notes) == ((half,), ("a note",))
    assert (loaded.undoes, loaded.completes) == (("push",), ("undo",))


def _sorted(changes):
    for change in changes:
        if isinstance(change, Create):
            yield Create(change.row, dict(sorted(change.values.items())), change.key)
        elif isinstance(change, Update):
            before, after = (dict(sorted(side.items())) for side in (change.before, change.after))
            yield Update(change.id, before, after, change.key, change.receipt)
        else:
            yield Delete(change.id, dict(sorted(change.before.items())), change.key, change.receipt)


def test_a_plan_that_was_altered_or_is_for_something_else_is_refused(server, plan, tmp_path):
    path = plan.save(tmp_path / "host.plan")
    text = path.read_text()
    (tmp_path / "altered").write_text(text.replace('"after": 8', '"after": 9'))
    (tmp_path / "cut").write_text(text[:-9])
    (tmp_path / "other").write_text("_id,name\n")

    for name in ("altered", "cut"):
        with pytest.raises(ValueError, match="was altered"):
            sp.load_plan(tmp_path / name, server.client)
    with pytest.raises(ValueError, match="is not a plan"):
        sp.load_plan(tmp_path / "other", server.client)
    with pytest.raises(ValueError, match="no profile has the address"):
        sp.load_plan(path)


def sealed(lines):
    """Return the text of a plan with these lines, and the right checksum."""
    seal = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return "\n".join([*lines, json.dumps({"sha256": seal}), ""])


@pytest.mark.parametrize("value", ["[" * 300 + "]" * 300, "[" * 9999 + "]" * 9999, "", '8, "problem": 1'])
@pytest.mark.usefixtures("deep")
def test_a_plan_with_a_line_that_is_none_is_refused_by_name(server, plan, tmp_path, value):
    *lines, _ = plan.save(tmp_path / "host.plan").read_text().splitlines()
    text = sealed([line.replace('"after": 8', f'"after": {value}') for line in lines])
    (tmp_path / "host.plan").write_text(text)

    with pytest.raises(ValueError, match="does not belong to a plan") as caught:
        sp.load_plan(tmp_path / "host.plan", server.client)

    assert str(caught.value) == f"{tmp_path / 'host.plan'} has a line that does not belong to a plan"


@pytest.mark.parametrize(
    "head", [{"fields": []}, {"server": None}, {"notes": "x"}, {"owner": "x"}, {"schema": 1}]
)
def test_a_plan_whose_head_is_none_is_refused(server, plan, tmp_path, head):
    first, *lines, _ = plan.save(tmp_path / "host.plan").read_text().splitlines()
    (tmp_path / "host.plan").write_text(sealed([json.dumps(json.loads(first) | head), *lines]))

    with pytest.raises(ValueError, match="is not a plan of this version of sispy"):
        sp.load_plan(tmp_path / "host.plan", server.client)


def redefine(server, **fields):
    """Give fields of the table another definition; None removes one."""
    schema = server.client.schemas.get("host").to_dict()
    definition = {**schema["definition"], **fields}
    schema["definition"] = {path: kind for path, kind in definition.items() if kind is not None}
    server.client.schemas.update("host", schema)


def test_a_plan_outlives_changes_of_the_definition_that_leave_its_fields_what_they_are(
    server, plan, tmp_path
):
    path = plan.save(tmp_path / "host.plan")
    cpus = server.client.schemas.get("host")["definition"]["cpus"]

    redefine(server, more="String", cpus={**cpus, "max": 128, "description": "cores"})
    loaded = sp.load_plan(path, server.client)
    assert (loaded.counts, "more" in loaded.schema.columns) == (plan.counts, True)

    redefine(server, cpus="String")
    with pytest.raises(ValueError) as refused:
        sp.load_plan(path, server.client)
    assert str(refused.value) == (
        f"field 'cpus' of 'host' was Number when {path} was made, and is String: make a new plan"
    )
    redefine(server, cpus=None)
    with pytest.raises(ValueError, match=r"field .cpus. of .host. was Number when .*, and is gone"):
        sp.load_plan(path, server.client)


def test_refresh_names_the_cells_that_went_stale(server, plan):
    a, _b, *_ = server.fetch().ids
    server.hosts.update(a, {"cpus": 6, "bios": {"vendor": "dell"}})

    fresh = plan.refresh()

    assert list(fresh.conflicts.itertuples(index=False, name=None)) == [(a, "h00000", "cpus", 1, 8, 6)]
    assert fresh.changes[0].after == {"cpus": 8}
    assert "1 cell changed by others since: .conflicts names them" in str(fresh)
    assert plan.rebase(fresh, keep="mine").changes[0].before["cpus"] == 6
    with pytest.raises(ValueError, match="keep='both'"):
        plan.rebase(fresh, keep="both")


def test_refresh_says_which_rows_are_there_already(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(2).assign(cpus=8))
    plan.push(progress=False).raise_for_failures()

    fresh = plan.refresh()

    assert (len(plan), len(fresh)) == (2, 0)
    assert fresh.notes == ("left out: 2 rows that the server holds as planned already",)


def test_check_finds_what_only_the_server_knows(server):
    live = server.fetch()
    a, b, c, _d, e = live.ids[:5]
    df = live.frame().head(4)
    df["cpus"] = 8
    df.loc[a, "serial"] = "later"
    df.loc[b, "site"] = f"{1:024x}"
    plan = live.diff(df, delete=[e])
    server.hosts.create({"name": "new", "serial": "later"})
    new_id = server.hosts.get("new")["_id"]
    server.hosts.update(c, {"_sis": {"immutable": True}})
    server.hosts.update(e, {"_sis": {"locked": True}})

    assert plan.problem_list == ()
    assert plan.check().problem_list == (
        Problem(b, "refers to a site that does not exist", "site", f"{1:024x}", "h00001"),
        Problem(
            a, f"row {new_id} has this value already, and it must be unique", "serial", "later", "h00000"
        ),
        Problem(c, "the row is immutable: it cannot be changed", "_sis.immutable", True, "h00002"),
        Problem(e, "the row is locked: it cannot be deleted", "_sis.locked", True, "h00004"),
    )


def test_check_and_refresh_count_what_they_look_up(server, plan):
    seen = []

    plan.check(progress=lambda done, of: seen.append((done, of)))
    checked, seen[:] = seen[-1], []
    plan.refresh(progress=lambda done, of: seen.append((done, of)))

    rows, racks, names = 3, 2, 1  # of which none is new, which they refer to, which another row might have
    looked_up = rows + racks + names
    assert (checked, seen) == ((looked_up, looked_up), [(rows, rows)])


def test_check_knows_values_that_the_plan_itself_frees_and_those_that_nobody_can_ask_for(server):
    unique = {"type": "Number", "unique": True}
    seats = server.client.entities("seat")
    definition = {"name": {"type": "String", "unique": True, "required": True}, "place": unique}
    server.client.schemas.create({"name": "seat", "_sis": {"owner": ["ops"]}, "definition": definition})
    seats.create([{"name": "a", "place": 0}, {"name": "b", "place": 1}, {"name": "c"}])
    live = sp.fetch(seats, progress=False)

    freed = live.diff(live.frame().assign(place=[2, 0, None]))
    long = live.diff(live.frame().assign(name=["a", "b", "é" * 2000]))

    assert freed.check().problem_list == ()
    reason = "too long for a unique value: the server cannot be asked whether another row has it"
    assert long.check().problem_list == (Problem(live.ids[2], reason, "name", "é" * 2000, "c"),)
    assert freed.push(progress=False).ok


def test_check_finds_references_that_lead_nowhere_in_members_and_reads_no_more_than_it_needs(server):
    definition = {
        "name": {"type": "String", "required": True, "unique": True},
        "parts": [
            {"site": {"type": "ObjectId", "ref": "site"}, "at": {"site": {"type": "ObjectId", "ref": "site"}}}
        ],
    }
    server.client.schemas.create({"name": "box", "_sis": {"owner": ["net"]}, "definition": definition})
    boxes = server.client.entities("box")
    nowhere = [f"{n:024x}" for n in (1, 2)]
    parts = [{"site": server.sites[0], "at": {"site": nowhere[0]}}, {"site": nowhere[1]}]
    plan = sp.fetch(boxes, progress=False).diff(pd.DataFrame({"name": ["b"], "parts": [parts]}), new=True)
    before = server.sandbox.requests[-1].number

    reason = "refers to a site that does not exist"
    assert plan.check().problem_list == (
        Problem(0, reason, "parts.site", nowhere[1], "b"),
        Problem(0, reason, "parts.at.site", nowhere[0], "b"),
    )
    paths = {seen.path for seen in server.sandbox.requests if seen.number > before}
    assert paths == {"/entities/box", "/entities/site", "/users/root"}  # a list of schemas is for deletes


def test_check_names_the_rows_that_the_user_may_not_write(server):
    server.client.users.create({"name": "anna", "email": "a@b.cd", "pw": "x", "roles": {"ops": "user"}})
    live = server.fetch()
    server.hosts.update(live.ids[0], {"_sis": {"owner": ["net"]}})
    server.hosts.update(live.ids[1], {"_sis": {"owner": ["ops"]}})
    anna = server.sandbox.client()
    anna.authenticate("anna", "x")
    mine = sp.fetch(anna.entities("host"), progress=False)
    df = mine.frame().head(2)
    df["cpus"] = 8

    problems = mine.diff(df).check().problems

    assert list(problems["reason"]) == ["you have no role in net, which owns the row"]
    new = pd.DataFrame({"name": ["n1"]})
    assert list(mine.diff(new, new=True, owner=["hr"]).check().problems["reason"]) == [
        "owners must be among those of the schema: net, ops",
        "you have no role in hr, which owns the row",
    ]
