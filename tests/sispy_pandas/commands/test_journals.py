"""`undo`, `resume` and `pushes` without a name: which journal they take, what they say, when they refuse."""

import os
import re
from functools import partial
from pathlib import Path

import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults, Sandbox
from sispy_pandas.pushing import journal


@pytest.fixture
def pushed(sispy, sis):
    """Push an edit of some hosts: the short name of its journal."""

    def push(notes, *more, rows=2):
        names = [
            row["name"] for row in sis.client().entities("host").fetch_page({"limit": rows, "sort": "_id"})
        ]
        Path("edit.csv").write_text("name,notes\n" + "".join(f"{name},{notes}\n" for name in names))
        result = sispy("push", "host", "edit.csv", "--key", "name", "--yes", *more)
        (name,) = re.findall(r"`sispy undo (\w+)`", result.stderr) or [""]
        return name

    return push


def written(sis, notes):
    return sis.client().entities("host").count({"notes": notes})


def test_undo_says_which_push_it_takes_and_pushes_mark_it(sispy, sis, pushed):
    name = pushed("one", "--note", "CHG7")

    result = sispy("undo", "--yes")

    assert result.exit_code == 0
    said = rf"undoing {name} \(\d\d:\d\d, host, 2 rows written, CHG7\)\n"
    assert re.match(said, result.stderr)
    (back,) = re.findall(r"`sispy undo (\w+)`", result.stderr)
    lines = [re.split(r"  +", line) for line in sispy("pushes").stdout.splitlines()]
    assert lines[0][:6] == ["push", "when", "table", "done", "ended", "undo"]
    assert [(line[0], line[5]) for line in lines[1:]] == [(back, f"of {name}"), (name, "undone")]
    again = sispy("undo", name, "--yes")
    assert (again.exit_code, again.stderr) == (0, "nothing to push\n")
    assert re.search(rf"2 rows undone already, \d\d:\d\d by {back}", again.stdout)
    redone = sispy("undo", "--yes")
    assert redone.exit_code == 0
    assert re.match(
        rf"undoing {back} \(\d\d:\d\d, host, 2 rows written, the undo of {name}\)\n", redone.stderr
    )
    assert written(sis, "one") == 2


def test_a_row_written_in_part_is_a_write_that_can_be_undone(sispy, sis):
    hosts = sis.client().entities("host")
    host = hosts.fetch_page({"limit": 1, "q": {"os.name": "rhel"}})[0]
    live = sp.fetch(hosts, {"q": {"_id": host["_id"]}}, progress=False)
    live.diff(live.frame().assign(**{"notes": "mine", "os.name": "sles"})).save("plan.json")
    hosts.update(host["_id"], {"notes": "bob's"})

    result = sispy("push", "plan.json", "--yes")

    assert result.exit_code == 4
    (name,) = re.findall(r"`sispy undo (\w+)` puts the old values back\n", result.stderr)
    _, line = sispy("pushes").stdout.splitlines()
    assert re.split(r"  +", line)[3] == "0/1, 1 partly"
    assert sispy("undo", name, "--yes").exit_code == 0
    assert hosts.get(host["_id"])["os"]["name"] == "rhel"
    assert hosts.get(host["_id"])["notes"] == "bob's"


def test_a_push_that_was_refused_in_python_was_tried_too(sispy, sis, pushed):
    name = pushed("one")
    live = sp.fetch(sis.client().entities("host"), progress=False)
    with pytest.raises(sp.PlanRefused):
        live.diff(live.frame().astype(object).head(1).assign(status="gone")).push(progress=False)

    result = sispy("undo", "--yes")

    assert result.exit_code == 64
    assert f"the push that wrote last is {name} (" in result.stderr
    assert "but a push to host was tried since, " in result.stderr


@pytest.mark.parametrize("journal", ["else.jsonl", False])
def test_a_push_from_python_of_which_the_folder_knows_nothing_was_tried_too(sispy, sis, pushed, journal):
    name = pushed("one")
    live = sp.fetch(sis.client().entities("host"), progress=False)
    plan = live.diff(live.frame().head(1).assign(notes="two"))
    plan.push(progress=False, journal=journal)

    result = sispy("undo", "--yes")

    assert result.exit_code == 64
    assert f"the push that wrote last is {name} (" in result.stderr
    assert "but a push to host was tried since, " in result.stderr


@pytest.mark.parametrize(
    "tried", ["problems", "no file", "refused by the server", "nothing to push", "a plan"]
)
def test_undo_without_asking_and_without_a_name_takes_no_other_than_the_last_that_was_tried(
    sispy, sis, pushed, tried
):
    name = pushed("one")
    match tried:
        case "problems":
            Path("bad.csv").write_text(Path("edit.csv").read_text().replace("notes", "status"))
            assert sispy("push", "host", "bad.csv", "--key", "name", "--yes").exit_code == 3
        case "no file":
            assert sispy("push", "missing.json", "--yes").exit_code == 64
        case "refused by the server":
            sis.faults = Faults(errors={"PUT /entities/host": (400, 1.0)})
            pushed("two")
            sis.faults = Faults()
        case "nothing to push":
            pushed("one")
        case "a plan":
            path = journal.folder() / "29990101T000000.000Z-host-abcdef.jsonl"
            path.write_bytes(b"null\n")
            os.utime(path, (2**33, 2**33))

    result = sispy("undo", "--yes")

    assert result.exit_code == 64
    assert f"the push that wrote last is {name} (" in result.stderr
    assert f"if the former is meant, `sispy undo {name} --yes`." in result.stderr
    assert written(sis, "one") == 2
    assert sispy("undo", name, "--yes").exit_code == 0
    assert written(sis, "one") == 0


@pytest.mark.parametrize("tried", ["push", "missing", "cancelled"])
def test_what_was_tried_on_another_server_does_not_count(sispy, sis, pushed, monkeypatch, tried):
    pushed("one")
    with Sandbox(samples=2) as other:
        if tried == "cancelled":
            cancelled(other, "there")
        else:
            monkeypatch.setenv("SIS_TOKEN", other.token)
            file = "edit.csv" if tried == "push" else "missing.csv"
            sispy("push", "host", file, "--key", "name", "--yes", "--url", other.url)
            monkeypatch.setenv("SIS_TOKEN", sis.token)

    result = sispy("undo", "--yes", "--url", sis.url.replace("http", "HTTP", 1) + "/")

    assert result.exit_code == 0, result.stderr
    assert written(sis, "one") == 0


def test_an_undo_that_was_declined_was_not_tried(sispy, terminal, screen, sis, pushed):
    pushed("one")
    status, _ = screen(terminal("undo"), answer="n")

    assert status == 130
    assert sispy("undo", "--yes").exit_code == 0
    assert written(sis, "one") == 0


def cancelled(sis, notes):
    """Begin to push an edit of two hosts, and send nothing."""
    live = sp.fetch(sis.client().entities("host"), progress=False)
    edited = live.frame().astype(object).head(2).assign(notes=notes)
    live.diff(edited).push(progress=False, cancel=lambda: True)


def test_a_push_whose_token_is_refused_leaves_nothing_to_resume(sispy, sis, monkeypatch):
    name = sis.client().entities("host").fetch_page({"limit": 1})[0]["name"]
    Path("edit.csv").write_text(f"name,notes\n{name},x\n")
    monkeypatch.setenv("SIS_TOKEN", "f" * 64)

    result = sispy("push", "host", "edit.csv", "--key", "name", "--yes")

    assert result.exit_code == 7
    assert "nothing was pushed: `sispy whoami`" in result.stderr
    assert f"{result.stdout}{result.stderr}".count("does not accept the token") == 1
    assert "sis_tokens" not in result.output
    monkeypatch.setenv("SIS_TOKEN", sis.token)
    result = sispy("resume", "--yes")
    assert (result.exit_code, "there is no unfinished push; " in result.stderr) == (64, True)


def test_resume_takes_a_push_of_this_server_and_names_those_of_others(sispy, sis, monkeypatch):
    cancelled(sis, "here")
    with Sandbox(samples=2) as other:
        cancelled(other, "there")
        result = sispy("resume", "--yes")
        assert (result.exit_code, written(sis, "here")) == (0, 2)
        result = sispy("resume", "--yes")
        assert result.exit_code == 64
        there = rf"there is no unfinished push to this server, but (\w+) \(.*\) to {other.url}; "
        (name,) = re.findall(there, result.stderr)
        monkeypatch.setenv("SIS_TOKEN", other.token)
        assert sispy("resume", name, "--yes", "--url", other.url).exit_code == 0
        assert written(other, "there") == 2


def test_resume_skips_what_is_being_resumed(sispy, sis):
    cancelled(sis, "one")
    cancelled(sis, "two")
    late, early = sorted(journal.folder().glob("*.jsonl"), reverse=True)

    with journal.Journal(late):
        result = sispy("resume", "--yes")
    assert result.stderr.startswith(f"resuming {journal.short(early)} (")
    assert written(sis, "one") == 2
    result = sispy("resume", "--yes")
    assert result.stderr.startswith(f"resuming {journal.short(late)} (")
    assert sispy("resume", "--yes").exit_code == 64


def test_interrupted_pushes_are_listed_first(sispy, sis, pushed):
    cancelled(sis, "one")
    name = pushed("two")

    (interrupted, *_), (later, *_) = (line.split() for line in sispy("pushes").stdout.splitlines()[1:])

    assert later == name
    assert sispy("resume", interrupted, "--yes").exit_code in (0, 4)


def test_what_was_cut_off_and_taken_back_is_not_resumed_but_by_its_name(sispy, sis, pushed):
    live = sp.fetch(sis.client().entities("host"), progress=False)
    edited = live.frame().astype(object).head(2).assign(notes="cut")
    sent = iter([False, True])
    limits = sp.Limits(rows=1)
    live.diff(edited).push(progress=False, limits=limits, cancel=lambda: next(sent, True))
    assert written(sis, "cut") == 1
    (name,) = map(journal.short, journal.folder().glob("*.jsonl"))

    assert sispy("undo", "--yes").exit_code == 0

    assert sispy("resume", "--yes").exit_code == 64
    later = pushed("two")
    listed = [line.split()[0] for line in sispy("pushes").stdout.splitlines()[1:]]
    assert (listed[0], listed[2]) == (later, name)
    for one in listed[:2]:
        assert sispy("undo", one, "--yes").exit_code == 0
    result = sispy("resume")
    assert result.stderr.startswith(f"resuming {name} (")


@pytest.mark.parametrize(
    "content", [b"", b"null\n", b"[]\n", b"{}\n", b"\xff\xfe\n", b'{"event": "begin"}\n', b"[" * 5000]
)
@pytest.mark.usefixtures("deep")
def test_what_is_no_journal_is_named_and_hides_no_others(sispy, sis, pushed, content):
    name = pushed("one")
    path = journal.folder() / "20000101T000000.000Z-host-abcdef.jsonl"
    path.write_bytes(content)
    os.utime(path, (1, 1))

    result = sispy("pushes")
    assert result.stdout.splitlines()[1].startswith(name)
    assert result.stderr.startswith(f"{path} is not a journal of a push: ")
    assert len(result.stderr.splitlines()) == 1
    result = sispy("undo", "abcdef", "--yes")
    assert result.exit_code == 3
    assert result.stderr.startswith(f"sispy: {path} is not a journal of a push: ")
    assert sispy("undo", "--yes").exit_code == 0


def test_a_new_row_in_doubt_is_looked_for_and_sent_on_demand(sispy, sis, monkeypatch):
    quick = partial(sp.Limits, settle=0.05, settle_row=0.0)
    monkeypatch.setattr("sispy_pandas.pushing.push.Limits", quick)
    root = sis.client()
    owner = root.schemas.get("host")["_sis"]["owner"]
    root.schemas.create({"name": "log", "_sis": {"owner": owner}, "definition": {"text": "String"}})
    logs = root.entities("log")

    def others(seen):
        if seen.method == "POST":
            sis.faults = Faults()
            logs.create([{"text": "a"}, {"text": "c"}])

    sis.faults = Faults(before=others, drop_before={"POST *": 1.0})
    Path("new.csv").write_text("_id,text\n,a\n,b\n")
    first = sispy("push", "log", "new.csv", "--yes")
    assert first.exit_code == 5
    (name,) = re.findall(
        r"2 new rows may have been created: `sispy resume (\w+)` looks again, and with --again", first.stderr
    )

    again = sispy("resume", name, "--yes")
    assert (again.exit_code, logs.count()) == (5, 2)
    assert "--again then sends it all the same" in re.sub(r"\s+", " ", again.stdout)
    assert sispy("resume", name, "--yes", "--again").exit_code == 0
    assert logs.count() == 4
