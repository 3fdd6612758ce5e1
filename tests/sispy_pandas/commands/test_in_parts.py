"""A file of more rows than a bound: planned part by part, asked about once, one push and one way back."""

import json
import os
import re
import signal
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

import sispy_pandas as sp
from gate import Gate

HOSTS = 60
"""Rows of the sandbox."""
ROWS = ("--part-rows", "10")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Wait for no server that may still be at work."""
    limits = partial(sp.Limits, rows=20, settle=0.05, settle_row=0.0)
    monkeypatch.setattr("sispy_pandas.pushing.push.Limits", limits)


@pytest.fixture
def hosts(sis):
    return sis.client().entities("host")


@pytest.fixture
def edited(env, hosts):
    """Write an export whose texts are changed, as a spreadsheet would; return the cells."""

    def edit(change, path="hosts.csv"):
        live = sp.fetch(hosts, progress=False)
        sp.to_csv(live, path)
        cells = pd.read_csv(path, dtype=str, keep_default_na=False)
        cells = change(cells)
        cells.to_csv(path, index=False)
        return cells

    return edit


def notes(text):
    return lambda cells: cells.assign(notes=text)


def written(hosts, text):
    return hosts.count({"notes": text})


def test_a_large_file_is_one_push_with_one_note_and_one_way_back(sispy, edited, hosts, sis):
    before = sp.fetch(hosts, progress=False).frame()
    edited(notes("two\nlines"))

    planned = sispy("plan", "host", "hosts.csv", *ROWS, "--detailed-exitcode")
    assert planned.exit_code == 2
    assert planned.stdout.splitlines()[0] == "one change of host in 6 parts: 60 rows"
    assert "60 updates, 0 creates, 0 deletes (60 changed cells)" in planned.stdout
    assert written(hosts, "two\nlines") == 0

    pushed = sispy("push", "host", "hosts.csv", *ROWS, "--yes", "--note", "CHG1")
    assert (pushed.exit_code, written(hosts, "two\nlines")) == (0, HOSTS)
    assert "60 done" in pushed.stdout
    (line,) = json.loads(sispy("pushes", "--output", "json").stdout)["pushes"]
    assert line["note"] == "CHG1"
    again = sispy("push", "host", "hosts.csv", *ROWS, "--yes")
    assert (again.exit_code, again.stderr) == (0, "nothing to push\n")

    (name,) = re.findall(r"sispy undo (\w{6})", pushed.stderr)
    undone = sispy("undo", name, "--yes")
    assert undone.exit_code == 0
    after = sp.fetch(hosts, progress=False).frame()
    pd.testing.assert_frame_equal(after.drop(columns="_updated_at"), before.drop(columns="_updated_at"))


def test_a_problem_in_a_late_part_keeps_all_from_being_sent_and_names_its_row(sispy, edited, hosts):
    def wrong(cells):
        cells.loc[57, "hardware.cores"] = "many"
        return notes("seen")(cells)

    edited(wrong)

    refused = sispy("push", "host", "hosts.csv", *ROWS, "--yes")
    assert (refused.exit_code, written(hosts, "seen")) == (3, 0)
    assert "59" in refused.stdout
    assert "many" in refused.stdout
    rest = sispy("push", "host", "hosts.csv", *ROWS, "--yes", "--skip-problems")
    assert (rest.exit_code, written(hosts, "seen")) == (3, 59)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("_id", "the _id {} stands in rows 3 and 57: clear or change it in one of them"),
        ("name", "the name {} stands in rows 3 and 57: clear or change it in one of them"),
    ],
)
def test_a_row_that_stands_in_two_parts_is_an_error_that_names_both(sispy, edited, hosts, column, said):
    def twice(cells):
        cells.loc[[1, 55], column] = cells.loc[1, "_id"] if column == "_id" else "new-name"
        return notes("seen")(cells)

    cells = edited(twice)

    refused = sispy("push", "host", "hosts.csv", *ROWS, "--yes")
    assert refused.exit_code != 0
    assert said.format(cells.loc[1, column]) in refused.stderr
    assert written(hosts, "seen") == 0


def test_deletes_are_counted_over_all_parts(sispy, edited, hosts):
    def doomed(cells):
        return cells.assign(_delete=["x" if i % 5 == 0 else "" for i in range(len(cells))])

    edited(doomed)
    push = partial(sispy, "push", "host", "hosts.csv", *ROWS, "--yes", "--allow-dangling")

    refused = push()
    assert refused.exit_code != 0
    assert "--expect-deletes 12" in refused.stderr
    assert hosts.count({}) == HOSTS
    assert push("--expect-deletes", "12").exit_code == 0
    assert hosts.count({}) == HOSTS - 12


@pytest.mark.slow
def test_a_push_that_is_killed_between_requests_is_resumed_and_the_same_command_does_the_rest(
    terminal, sispy, edited, hosts, sis
):
    edited(notes("seen"))
    command = ("push", "host", "hosts.csv", *ROWS, "--yes")
    with Gate(sis, "PUT /entities/host", after=3) as gate:
        child = terminal(*command)
        gate.wait()
        os.kill(child.pid, signal.SIGKILL)
        child.read()
        assert child.ended() == -signal.SIGKILL

    assert written(hosts, "seen") <= 40
    resumed = sispy("resume", "--yes")
    assert resumed.exit_code == 0
    assert (
        "cut off before it had all of its parts: after this, the same loop or command again" in resumed.stdout
    )
    assert written(hosts, "seen") == 40
    nothing_left = sispy("resume", "--yes").stderr
    assert "was cut off between two parts: the same command again does the rest" in nothing_left
    assert sispy(*command).exit_code == 0
    assert written(hosts, "seen") == HOSTS


def cut_off(terminal, sis, command, request, after):
    """Run a command that is killed at a request."""
    with Gate(sis, request, after=after) as gate:
        child = terminal(*command)
        gate.wait()
        os.kill(child.pid, signal.SIGKILL)
        child.read()
        assert child.ended() == -signal.SIGKILL


def listed(sispy):
    return json.loads(sispy("pushes", "--output", "json").stdout)["pushes"]


@pytest.mark.parametrize("resumed", [True, False])
def test_the_same_command_goes_on_with_the_push_that_was_cut_off_and_one_undo_takes_all_back(
    terminal, sispy, edited, hosts, sis, resumed
):
    before = sp.fetch(hosts, progress=False).frame()["notes"]
    edited(notes("seen"))
    command = ("push", "host", "hosts.csv", *ROWS, "--yes")
    cut_off(terminal, sis, (*command, "--note", "CHG1"), "PUT /entities/host", 3)
    if resumed:
        assert sispy("resume", "--yes").exit_code == 0
    hosts.update(before.index[0], {"notes": "of a colleague"})

    rest = sispy(*command)

    assert (rest.exit_code, written(hosts, "seen")) == (0, HOSTS - 1)
    (push,) = listed(sispy)
    assert (push["rows"], push["done"], push["ended"], push["note"]) == (HOSTS, HOSTS, True, "CHG1")
    assert f"goes on with the push {push['push']}, cut off" in rest.stdout
    assert f"`sispy undo {push['push']}` puts the old values back" in rest.stderr
    undone = sispy("undo", push["push"], "--yes")
    assert undone.exit_code == 4  # the colleague's note stays
    after = sp.fetch(hosts, progress=False).frame()["notes"]
    pd.testing.assert_series_equal(after.iloc[1:], before.iloc[1:])


def test_a_cut_push_is_in_the_way_of_no_other_file_and_ends_when_nothing_is_left(
    terminal, sispy, edited, hosts, sis
):
    edited(notes("seen"))
    command = ("push", "host", "hosts.csv", *ROWS, "--yes")
    cut_off(terminal, sis, command, "PUT /entities/host", 3)
    assert sispy("resume", "--yes").exit_code == 0
    edited(notes("newer"), "newer.csv")

    assert sispy("push", "host", "newer.csv", *ROWS, "--yes").exit_code == 0
    assert written(hosts, "newer") == HOSTS
    newer = listed(sispy)[0]["push"]
    assert sispy("undo", newer, "--yes").exit_code == 0
    cells = sp.fetch(hosts, progress=False)
    cells.diff(cells.frame().assign(notes="seen")).push(progress=False)

    nothing = sispy(*command)
    assert nothing.exit_code == 0
    assert "nothing to push\nso the push that was cut off has ended: `sispy undo" in nothing.stderr
    assert all(push["ended"] for push in listed(sispy))


def test_a_cut_push_that_is_taken_back_has_ended_and_nobody_is_told_to_go_on(
    terminal, sispy, edited, hosts, sis
):
    edited(notes("seen"))
    cut_off(terminal, sis, ("push", "host", "hosts.csv", *ROWS, "--yes"), "PUT /entities/host", 3)
    assert sispy("resume", "--yes").exit_code == 0
    (cut,) = listed(sispy)

    assert sispy("undo", cut["push"], "--yes").exit_code == 0

    assert (cut["ended"], [push["ended"] for push in listed(sispy)]) == (False, [True, True])
    resumed = sispy("resume", "--yes")
    assert (resumed.exit_code, "there is no unfinished push" in resumed.stderr) == (64, True)
    assert written(hosts, "seen") == 0


def test_new_rows_without_a_unique_value_are_made_once_and_counted_rightly(terminal, sispy, env, sis):
    definition = {"message": "String"}
    sis.client().schemas.create({"name": "event", "_sis": {"owner": ["ops"]}, "definition": definition})
    events = sis.client().entities("event")
    sp.to_csv(sp.fetch(events, progress=False), "events.csv")
    titles = pd.read_csv("events.csv").columns
    rows = pd.DataFrame({"message": [f"cut {n}" for n in range(HOSTS)]}).reindex(columns=titles)
    rows.to_csv("events.csv", index=False)
    assert "60 creates" in sispy("plan", "event", "events.csv").stdout
    command = ("push", "event", "events.csv", "--yes", "--part-rows")
    cut_off(terminal, sis, (*command, "10"), "POST /entities/event", 3)
    assert sispy("resume", "--yes").exit_code == 0

    rest = sispy(*command, "15")

    assert rest.exit_code == 0
    assert events.count({}) == HOSTS
    (push,) = listed(sispy)
    assert (push["rows"], push["done"], push["ended"]) == (HOSTS, HOSTS, True)
    assert sispy("undo", push["push"], "--yes", "--expect-deletes", str(HOSTS)).exit_code == 0
    assert events.count({}) == 0


def test_a_file_that_changes_during_the_push_ends_it_with_what_is_written_and_the_way_back(
    terminal, sispy, edited, hosts, sis
):
    edited(notes("seen"))
    with Gate(sis, "PUT /entities/host", after=1) as gate:
        child = terminal("push", "host", "hosts.csv", *ROWS, "--yes")
        gate.wait()
        with Path("hosts.csv").open("a") as file:
            file.write("\n")
    shown = " ".join(child.read().split())

    assert child.ended() == 3
    (push,) = listed(sispy)
    assert f"the push ended early, and 20 rows are written: `sispy undo {push['push']}` puts" in shown
    assert "hosts.csv was written to meanwhile: begin again" in shown
    assert sispy("undo", push["push"], "--yes").exit_code == 0
    assert written(hosts, "seen") == 0


def test_verify_of_a_push_in_parts_sums_up_what_was_looked_at(sispy, edited, hosts):
    edited(notes("seen"))
    assert sispy("push", "host", "hosts.csv", *ROWS, "--yes").exit_code == 0

    verified = sispy("verify")

    (head,) = verified.stdout.splitlines()
    assert ": 60 written rows in 6 parts, no value of others was replaced" in head


@pytest.mark.parametrize("part", [0, 2, 5])
def test_a_part_whose_journal_is_gone_is_told(sispy, edited, hosts, part):
    edited(notes("seen"))
    assert sispy("push", "host", "hosts.csv", *ROWS, "--yes").exit_code == 0
    (whole,) = json.loads(sispy("pushes", "--output", "json").stdout)["pushes"]
    journals = sorted(Path(whole["journal"]).parent.glob("*.jsonl"))
    journals[part].unlink()

    (line,) = json.loads(sispy("pushes", "--output", "json").stdout)["pushes"]
    cells = sispy("pushes").stdout.split()

    last_is_gone = part == 5  # which alone tells that it was the last
    assert (whole["rows"], whole["lost"], whole["ended"]) == (HOSTS, 0, True)
    assert (line["rows"], line["lost"], line["ended"]) == (
        HOSTS - 10,
        int(not last_is_gone),
        not last_is_gone,
    )
    assert ("50/50, 1 part lost" in " ".join(cells)) != last_is_gone


def test_an_answer_is_asked_for_once_and_after_all_parts_were_planned(terminal, screen, edited, hosts):
    edited(notes("seen"))

    status, lines = screen(terminal("push", "host", "hosts.csv", *ROWS), "n")

    assert (status != 0, written(hosts, "seen")) == (True, 0)
    assert sum("[y/N]" in line for line in lines) == 1
    assert any("Push 60 rows to host" in line for line in lines)


def test_how_the_first_part_is_written_holds_for_all(sispy, edited, hosts):
    def in_german(cells):
        cells.loc[20:, "notes"] = "seen"
        return cells.assign(price=cells["price"].str.replace(".", ","))

    cells = edited(in_german)
    cells.to_csv("hosts.csv", index=False, sep=";")

    planned = sispy("plan", "host", "hosts.csv", *ROWS, "--save-mapping", "how.toml")

    assert planned.exit_code == 0
    assert "40 updates, 0 creates, 0 deletes (40 changed cells)" in planned.stdout
    assert "price: read with a decimal comma" in sispy("plan", "host", "hosts.csv", *ROWS).stdout
    assert 'delimiter = ";"\ndecimal = ","\n' in Path("how.toml").read_text()


def test_rows_from_elsewhere_are_matched_by_key_and_what_is_left_out_is_told(sispy, env, hosts):
    rows = list(hosts.fetch_all({"fields": "name,status"}))
    names, status = [str(row["name"]) for row in rows], [row["status"] for row in rows]
    push = partial(sispy, "push", "host", "hosts.csv", "--key", "name", *ROWS, "--yes")

    names[45:47] = "not-there", "nor-this"
    pd.DataFrame({"name": names, "status": status}).to_csv("hosts.csv", index=False)
    same = push()
    assert (same.exit_code, same.stderr) == (0, "nothing to push\n")
    assert "no match for 2 rows, left out: not-there, nor-this" in same.stdout
    pd.DataFrame({"name": names, "notes": "keyed"}).to_csv("hosts.csv", index=False)
    assert push().exit_code == 0
    assert written(hosts, "keyed") == 58

    names[40] = names[0]
    pd.DataFrame({"name": names, "notes": "twice"}).to_csv("hosts.csv", index=False)
    assert f"the name {names[0]} stands in rows 2 and 42" in push().stderr
    assert written(hosts, "twice") == 0


def test_new_keys_that_nearly_are_those_of_rows_in_other_parts_are_told(sispy, env, hosts):
    names = sp.fetch(hosts, progress=False).frame()["name"].tolist()
    near = names[2].replace("-", "\N{NON-BREAKING HYPHEN}", 1)
    pd.DataFrame({"name": [*names[:40], near], "notes": "keyed"}).to_csv("hosts.csv", index=False)

    planned = sispy("plan", "host", "hosts.csv", "--key", "name", "--create-missing", *ROWS)

    assert "1 new row is nearly the same as existing ones" in planned.stdout
    assert "40 updates, 0 of 1 create" in planned.stdout


def test_what_needs_the_whole_file_says_so_if_parts_are_asked_for(sispy, edited, hosts):
    edited(notes("seen"))
    sp.to_excel(sp.fetch(hosts, progress=False), "hosts.xlsx")
    Path("racks.csv").write_text("name\n")
    told = "{} is for a file that is planned whole: leave one of them out."
    for args, said in (
        ("plan host hosts.csv -o plan.json", told.format("-o")),
        ("plan host hosts.csv --output json", told.format("--output json")),
        ("plan host hosts.csv --key name --missing-out gone.csv", told.format("--missing-out")),
        ("push host hosts.csv --yes --all", told.format("--all")),
        ("push host hosts.csv --yes --journal j.jsonl", told.format("--journal")),
        ("plan hosts.csv racks.csv", "--part-rows cuts one file, neither a saved plan nor several files."),
        ("plan host hosts.xlsx", "hosts.xlsx is not read in parts: a file of format Excel is read whole"),
    ):
        refused = sispy(*args.split(), *ROWS)
        assert (refused.exit_code, said in refused.stderr + refused.stdout) == (64, True), args
    assert written(hosts, "seen") == 0


def test_a_file_of_more_rows_than_usual_goes_in_parts_unless_it_is_needed_whole(
    sispy, edited, hosts, monkeypatch
):
    monkeypatch.setattr("sispy_pandas.commands.in_parts.LARGE", 20)
    monkeypatch.setattr("sispy_pandas.commands.in_parts.PART_ROWS", 10)
    edited(notes("seen"))
    edited(lambda cells: notes("first")(cells).head(20), "few.csv")

    assert "in 6 parts" in sispy("plan", "host", "hosts.csv").stdout
    assert "part" not in sispy("plan", "host", "few.csv").stdout
    assert "saved as plan.json" in sispy("plan", "host", "hosts.csv", "-o", "plan.json").stderr
    assert sispy("push", "plan.json", "--yes").exit_code == 0
    assert written(hosts, "seen") == HOSTS


def test_a_file_that_is_written_to_between_the_question_and_the_answer_is_not_sent(
    terminal, screen, edited, hosts
):
    edited(notes("seen"))
    child = terminal("push", "host", "hosts.csv", *ROWS)
    child.expect(r"\[y/N\]: ")
    edited(notes("other"))
    child.sendline("y")
    shown = " ".join(child.read().split())

    assert child.ended() != 0
    assert "hosts.csv was written to meanwhile: begin again" in shown
    assert (written(hosts, "seen"), written(hosts, "other")) == (0, 0)
