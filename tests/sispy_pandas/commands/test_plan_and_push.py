"""Files of every kind and from anywhere on their way to the server."""

import json
import re
from hashlib import sha256
from pathlib import Path

import openpyxl
import pytest

import sispy_pandas as sp


def edit_cell(path, name, column, value):
    """Type a value into a workbook, in the row of that name."""
    book = openpyxl.load_workbook(path)
    sheet = book["host"]
    titles = [cell.value for cell in sheet[1]]
    (row,) = [row for row in sheet.iter_rows(min_row=2) if row[titles.index("name")].value == name]
    row[titles.index(column)].value = value
    book.save(path)


def host(sis, name):
    return sis.client().entities("host").get(name, {"populate": False}).to_dict()


def test_a_workbook_is_planned_marked_pushed_and_written_back(sispy, sis):
    assert sispy("export", "host", "-o", "hosts.xlsx", "os.name=rhel").exit_code == 0
    edit_cell("hosts.xlsx", "web-fra1-001", "os.version", "9")
    edit_cell("hosts.xlsx", "web-ams1-001", "environment", "nowhere")

    result = sispy("plan", "host", "hosts.xlsx", "--mark", "marked.xlsx")
    assert (result.exit_code, Path("marked.xlsx").is_file()) == (3, True)
    assert sispy("push", "host", "hosts.xlsx", "--yes").exit_code == 3
    assert host(sis, "web-fra1-001")["os"]["version"] == "8"

    result = sispy("push", "host", "hosts.xlsx", "--yes", "--skip-problems", "--write-back", "left.xlsx")
    assert result.exit_code == 3
    assert host(sis, "web-fra1-001")["os"]["version"] == "9"
    assert "left.xlsx: a copy of hosts.xlsx" in result.stderr
    edit_cell("left.xlsx", "web-ams1-001", "environment", "test")
    result = sispy("push", "host", "left.xlsx", "--yes")
    assert result.exit_code == 0
    assert host(sis, "web-ams1-001")["environment"] == "test"


def test_a_file_from_elsewhere_is_matched_by_key(sispy, sis):
    rack = sis.client().entities("rack").fetch_all({"limit": 1})[0]
    Path("audit.csv").write_text(
        f"Host Name,notes,rack,colour\nweb-fra1-001,seen,{rack['name']},red\nweb-new-001,new,,\n"
    )
    how = ["--key", "name", "--rename", "Host Name=name", "--refs", "label"]

    result = sispy("plan", "host", "audit.csv", *how, "--output", "json")

    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert {cell["field"]: cell["after"] for cell in found["cells"]}.items() <= {
        "notes": "seen",
        "rack": rack["_id"],
    }.items()
    assert [note.split(":")[0] for note in found["notes"]] == [
        "no match for 1 row, left out",
        "column 'colour' is left alone",
    ]


def test_a_plan_for_a_merge_request_and_for_a_browser(sispy):
    sispy("export", "host", "-o", "hosts.csv", "name=web-fra1-001")
    path = Path("hosts.csv")
    path.write_text(path.read_text().replace(",rhel,8,", ",rhel,9|*,"))

    markdown = sispy("plan", "host", "hosts.csv", "--output", "md").stdout
    page = sispy("plan", "host", "hosts.csv", "--output", "html").stdout

    assert "| ~ | web-fra1-001 | os.version | 8 | 9\\|\\* |" in markdown.splitlines()
    assert page.startswith("<!doctype html>")
    assert "9|*" in page


def test_what_was_not_pushed_goes_into_a_file(sispy, sis):
    sispy("export", "host", "-o", "hosts.csv", "name=web-fra1-001")
    path = Path("hosts.csv")
    path.write_text(path.read_text().replace(",rhel,8,", ",rhel,9,"))
    sis.client("alice").entities("host").update("web-fra1-001", {"os": {"version": "7"}})

    result = sispy("push", "host", "hosts.csv", "--yes", "--conflicts-out", "left.csv")

    assert result.exit_code == 4
    assert "somebody else changed os.version" in Path("left.csv").read_text()
    assert sispy("push", "host", "hosts.csv", "--yes", "--on-conflict", "mine").exit_code == 0
    assert host(sis, "web-fra1-001")["os"]["version"] == "9"


@pytest.mark.parametrize("name", ["left.csv", "left.xlsx"])
def test_where_all_was_pushed_no_file_of_an_earlier_push_is_left(sispy, name):
    Path(name).write_bytes(b"of yesterday")
    Path("audit.csv").write_text("name,notes\nweb-fra1-001,seen\n")

    result = sispy("push", "host", "audit.csv", "--key", "name", "--yes", "--conflicts-out", name)

    assert (result.exit_code, Path(name).exists()) == (0, False)
    assert f"{name}: removed, all rows were pushed" in result.stderr


def test_a_checked_plan_shows_what_others_changed_since(sispy, sis):
    sispy("export", "host", "-o", "hosts.csv", "name=web-fra1-001")
    path = Path("hosts.csv")
    path.write_text(path.read_text().replace(",rhel,8,", ",rhel,9,"))
    sis.client("alice").entities("host").update("web-fra1-001", {"os": {"version": "7"}})

    unasked = sispy("plan", "host", "hosts.csv", "--no-check")
    checked = {
        how: sispy("plan", "host", "hosts.csv", "--output", how) for how in ("text", "json", "md", "html")
    }

    assert (unasked.exit_code, {result.exit_code for result in checked.values()}) == (0, {4})
    assert [line.split() for line in checked["text"].stdout.splitlines()[-2:]] == [
        ["conflict", "in", "field", "base", "mine", "theirs"],
        ["web-fra1-001", "os.version", "8", "9", "7"],
    ]
    (conflict,) = json.loads(checked["json"].stdout)["conflicts"]
    assert {key: conflict[key] for key in ("key", "field", "base", "mine", "theirs")} == {
        "key": "web-fra1-001", "field": "os.version", "base": "8", "mine": "9", "theirs": "7",
    }  # fmt: skip
    assert "| web-fra1-001 | os.version | 8 | 9 | 7 |" in checked["md"].stdout.splitlines()
    assert "<td>os.version</td><td>8</td><td>9</td><td>7</td>" in checked["html"].stdout


def test_only_some_fields_of_a_push_are_undone(sispy, sis):
    Path("audit.csv").write_text("name,notes,os.version\nweb-fra1-001,seen,9\n")
    assert sispy("push", "host", "audit.csv", "--key", "name", "--yes").exit_code == 0

    assert sispy("undo", "--fields", "os.version", "--yes").exit_code == 0

    assert (host(sis, "web-fra1-001")["os"]["version"], host(sis, "web-fra1-001")["notes"]) == ("8", "seen")


def test_a_log_file_holds_what_happened_and_no_secret(sispy, sis):
    sispy("export", "host", "-o", "hosts.csv", "--log-file", "sispy.log", "--quiet")
    sispy("schemas", "nothing", "--log-file", "sispy.log")

    text = Path("sispy.log").read_text()

    assert "exit status 0 after" in text
    assert "has no table 'nothing'" in text
    assert "exit status 64 after" in text
    assert "GET" in text
    assert sis.token not in text


def test_a_password_in_an_address_is_refused_and_not_logged(sispy, monkeypatch):
    args = ["schemas", "--url", "http://root:hunter2@127.0.0.1:9", "--log-file", "sispy.log"]
    monkeypatch.setattr("sys.argv", ["sispy", *args])

    result = sispy(*args)

    assert (result.exit_code, "`sispy login` logs in" in result.stderr) == (64, True)
    assert "//***@127.0.0.1:9" in Path("sispy.log").read_text()
    assert "hunter2" not in Path("sispy.log").read_text() + result.stderr


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_results_go_to_standard_output_and_all_else_to_standard_error(sispy, quiet):
    sispy("export", "host", "-o", "a.csv", "-q")

    result = sispy("diff", "a.csv", "a.csv", *quiet)

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == ("" if quiet else "no difference\n")


def test_nothing_that_only_looks_ever_writes_to_the_server(sispy, sis):
    sispy("export", "host", "-o", "hosts.csv", "os.name=rhel")
    path = Path("hosts.csv")
    path.write_text(path.read_text().replace(",rhel,8,", ",rhel,9,"))
    begun = len(sis.requests)

    assert sispy("plan", "host", "hosts.csv", "--check", "-o", "plan.json").exit_code == 0
    for output in ("json", "md", "html"):
        assert sispy("plan", "host", "hosts.csv", "--output", output).exit_code == 0
    assert sispy("diff", "host", "hosts.csv").exit_code == 2
    assert sispy("changes", "host", "--since", "1h").exit_code == 0
    assert sispy("schemas", "host").exit_code == 0
    assert {request.method for request in sis.requests[begun:]} <= {"GET", "HEAD"}


def test_rows_that_others_refer_to_are_deleted_if_the_plan_is_told_so(sispy):
    sispy("export", "rack", "-o", "racks.csv", "--fields", "name")
    lines = Path("racks.csv").read_text().splitlines()
    Path("racks.csv").write_text(f"{lines[0]},_delete\n{lines[1]},x\n")

    asked = sispy("plan", "rack", "racks.csv")
    told = sispy("plan", "rack", "racks.csv", "--allow-dangling")

    assert (asked.exit_code, told.exit_code) == (3, 0)
    assert "--allow-dangling deletes it anyway" in " ".join(asked.stdout.split())
    assert "referred to by" not in told.stdout
    assert sispy("plan", "rack", "racks.csv", "--no-check", "--allow-dangling").exit_code == 64


@pytest.fixture
def mass_change(sispy):
    """A file that gives all hosts of one version the next one, and a few a note of their own."""
    sispy("export", "host", "-o", "hosts.csv", "--fields", "name,os.version,notes")
    path = Path("hosts.csv")
    head, *lines = path.read_text().splitlines()
    cells = [line.split(",") for line in lines]
    for at, row in enumerate(cells):
        row[2] = "99"
        row[3:-1] = [f"seen {at}" if at < 3 else ""]
    path.write_text("\n".join([head, *map(",".join, cells), ""]))
    return path


def test_a_long_plan_is_grouped_split_and_shown_whole_on_demand(sispy, mass_change):
    grouped = sispy("plan", "host", mass_change).stdout
    split = sispy("plan", "host", mass_change, "--by", "rack.site.name").stdout
    whole = sispy("plan", "host", mass_change, "--all").stdout
    found = json.loads(sispy("plan", "host", mass_change, "--by", "os.name", "--output", "json").stdout)

    assert re.search(r"^~  os\.version +\w* +99 +\d+ +[\w-]+, [\w-]+, [\w-]+$", grouped, re.MULTILINE)
    assert grouped.rstrip().endswith("cells in all: --all shows each")
    assert re.search(r"^~  os\.version +\w* +99 +fra1 +\d+ ", split, re.MULTILINE)
    assert len(re.findall(r"^~  [a-z]+-\w+-\d+ +os\.version ", whole, re.MULTILINE)) == 60
    page = sispy("plan", "host", mass_change, "--output", "html").stdout
    assert page.count("<td>os.version</td>") == whole.count(" os.version ")
    assert "shows each" not in whole + page
    assert {group["by"] for group in found["groups"]} >= {"rhel", "debian"}
    assert sum(group["rows"] for group in found["groups"]) <= len(found["cells"])
    wrong = sispy("plan", "host", mass_change, "--by", "rak.name")
    assert (wrong.exit_code, "'rak.name'" in wrong.stderr) == (64, True)


def test_a_saved_plan_is_reviewed_and_pushed_by_another_user_as_it_is(sispy, sis, mass_change, monkeypatch):
    saved = sispy("plan", "host", mass_change, "-o", "plan.json", "--note", "CHG0012345")
    (digest,) = re.findall(r"`sispy push plan.json --expect-digest ([0-9a-f]{64})`", saved.stderr)
    before = len(sis.requests)

    read = sispy("plan", "plan.json", "--no-check", "--all", "--by", "rack.site.name")
    made = json.loads(sispy("plan", "plan.json", "--output", "json").stdout)

    assert re.search(r"^planned by root, .* UTC, of hosts\.csv, CHG0012345$", read.stdout, re.MULTILINE)
    assert made["digest"] == digest
    assert f"\ndigest {digest}\n" in read.stdout
    assert f"digest {digest}\n" in sispy("plan", "plan.json", "--output", "md").stdout
    assert f"digest {digest}<" in sispy("plan", "plan.json", "--output", "html").stdout
    both = sispy("plan", "host", mass_change, "-o", "plan.json", "--note", "CHG0012345", "--output", "md")
    assert (f"digest {digest}\n" in both.stdout, "digest" in saved.stdout) == (True, False)
    assert (made["made"]["author"], made["made"]["sha256"]) == (
        "root",
        sha256(mass_change.read_bytes()).hexdigest(),
    )
    assert {seen.method for seen in sis.requests[before:]} == {"GET"}

    alice = sis.client("alice")
    monkeypatch.setenv("SIS_TOKEN", alice.auth_token)
    monkeypatch.setenv("SIS_USER", "alice")
    other = sispy("push", "plan.json", "--yes", "--expect-digest", "0" * 64)
    assert (other.exit_code, f"its digest is {digest}" in other.stderr) == (3, True)
    pushed = sispy("push", "plan.json", "--yes", "--expect-digest", digest, "--reviewer", "carol")
    assert pushed.exit_code == 0, pushed.stderr
    (push,) = json.loads(sispy("pushes", "--output", "json").stdout)["pushes"]
    assert {key: push[key] for key in ("user", "author", "reviewer", "note", "source", "digest")} == {
        "user": "alice",
        "author": "root",
        "reviewer": "carol",
        "note": "CHG0012345",
        "source": "hosts.csv",
        "digest": digest,
    }
    assert "alice (reviewed by carol)" in sispy("pushes").stdout


def test_a_split_plan_of_which_each_cell_is_shown_promises_no_more(sispy):
    Path("one.csv").write_text("name,notes\nweb-fra1-001,a\nweb-fra1-002,b\n")

    result = sispy("plan", "host", "one.csv", "--key", "name", "--by", "role")

    assert result.exit_code == 0
    assert result.stdout.count("web-fra1-00") == 2
    assert "shows each" not in result.stdout


def test_the_same_file_planned_again_has_the_digest_of_the_reviewed_plan(sispy, mass_change):
    saved = sispy("plan", "host", mass_change, "-o", "plan.json")
    (digest,) = re.findall(r"--expect-digest ([0-9a-f]{64})`", saved.stderr)

    result = sispy("push", "host", mass_change, "--yes", "--expect-digest", digest)

    assert result.exit_code == 0, result.stderr


def test_a_saved_plan_has_the_digest_that_a_push_of_it_expects_whatever_the_server_holds_by_now(
    sispy, sis, mass_change
):
    sispy("plan", "host", mass_change, "-o", "plan.json")
    shown = json.loads(sispy("plan", "plan.json", "--output", "json").stdout)
    hosts = sis.client().entities("host")
    for cell, theirs in zip(shown["cells"][-2:], ("99", "7"), strict=True):
        hosts.update(cell["_id"], {"os": {"version": theirs}})

    later = json.loads(sispy("plan", "plan.json", "--output", "json").stdout)

    assert len(later["cells"]) == len(shown["cells"]) - 1
    assert later["digest"] == shown["digest"]
    result = sispy("push", "plan.json", "--yes", "--expect-digest", later["digest"])
    assert result.exit_code == 4
    saved = json.loads(sispy("plan", "plan.json", "-o", "again.json", "--output", "json").stdout)
    assert saved["digest"] == sp.load_plan("again.json", sis.client()).digest != shown["digest"]


def test_pushes_are_chosen_by_note_time_table_and_user(sispy):
    for note, value in (("CHG0000001", "a"), ("CHG0000002", "b")):
        Path("one.csv").write_text(f"name,notes\nweb-fra1-001,{value}\n")
        sispy("push", "host", "one.csv", "--key", "name", "--yes", "--note", note)

    def notes(*options):
        found = json.loads(sispy("pushes", "--output", "json", *options).stdout)["pushes"]
        return [push["note"] for push in found]

    assert notes("--note", "chg0000001", "--since", "1h", "--table", "host", "--user", "root") == [
        "CHG0000001"
    ]
    assert notes("--since", "1h") == ["CHG0000002", "CHG0000001"]
    assert notes("--table", "rack") == notes("--user", "bob") == notes("--since", "2030-01-01T00:00Z") == []
    assert sispy("pushes", "--since", "soon").exit_code == 64
    result = sispy("pushes", "--table", "rack")
    assert (result.stdout, result.stderr, result.exit_code) == ("", "no such pushes\n", 0)


def test_a_push_of_several_tables_is_one_to_each_of_them(sispy):
    for table, field in (("rack", "row"), ("host", "notes")):
        sispy("export", table, "-o", f"{table}.csv", "--fields", f"name,{field}")
        header, first, *_ = Path(f"{table}.csv").read_text().splitlines()
        cells = first.split(",")
        cells[2] = "moved"
        Path(f"{table}.csv").write_text(f"{header}\n{','.join(cells)}\n")
    sispy("push", "rack.csv", "host.csv", "--yes", "--note", "CHG0000003")

    found = [json.loads(sispy("pushes", "--table", t, "--output", "json").stdout) for t in ("rack", "host")]

    assert [[push["note"] for push in each["pushes"]] for each in found] == [["CHG0000003"]] * 2


def test_where_nothing_is_left_to_push_another_digest_is_told(sispy):
    sispy("export", "host", "-o", "hosts.csv")
    (digest,) = {
        part["digest"] for part in [json.loads(sispy("plan", "hosts.csv", "--output", "json").stdout)]
    }

    other = sispy("push", "hosts.csv", "--yes", "--expect-digest", "0" * 64)
    same = sispy("push", "hosts.csv", "--yes", "--expect-digest", digest)

    assert (other.exit_code, same.exit_code, same.stderr) == (0, 0, "nothing to push\n")
    assert (
        other.stderr == f"nothing to push\nthis is not the plan that was reviewed: its digest is {digest}\n"
    )


def test_what_there_is_to_tell_of_a_file_without_changes_is_told_among_several(sispy):
    Path("hosts.csv").write_text("name,notes\nweb-fra1-001,a\n")
    Path("racks.csv").write_text("name,rwo\nfra1-r99,A\n")

    result = sispy("plan", "host=hosts.csv", "rack=racks.csv", "--key", "name")
    told = json.loads(
        sispy("plan", "host=hosts.csv", "rack=racks.csv", "--key", "name", "--output", "json").stdout
    )

    notes = [
        "rack: no match for 1 row, left out: fra1-r99; --create-missing makes them",
        "rack: column 'rwo' is left alone: schema 'rack' has no such field; did you mean 'row'?",
    ]
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:3] == notes
    assert (told["kind"], told["table"], told["notes"]) == ("plan", "host", notes)


def test_several_files_without_changes_are_a_plan_that_is_empty(sispy):
    for table in ("host", "rack"):
        sispy("export", table, "-o", f"{table}.csv")
    Path("rack.csv").write_text(Path("rack.csv").read_text().replace(",row,", ",rwo,"))

    plan = sispy("plan", "host.csv", "rack.csv", "--detailed-exitcode")
    told = json.loads(sispy("plan", "host.csv", "rack.csv", "--output", "json").stdout)
    push = sispy("push", "host.csv", "rack.csv", "--yes", "--output", "json")

    assert (plan.exit_code, push.exit_code, plan.stdout.count(": 0 updates")) == (0, 0, 2)
    assert [part["notes"] for part in told["parts"]] == [
        [],
        ["column 'rwo' is left alone: schema 'rack' has no such field; did you mean 'row'?"],
    ]
    assert [part["report"] for part in json.loads(push.stdout)["parts"]] == [None, None]


def test_the_number_of_deletes_that_a_push_will_need_is_named_by_the_plan(sispy):
    sispy("export", "host", "-o", "hosts.csv", "--fields", "name")
    head, *lines = Path("hosts.csv").read_text().splitlines()
    Path("hosts.csv").write_text("\n".join([f"{head},_delete", *(f"{line},x" for line in lines[:12]), ""]))

    result = sispy("plan", "host", "hosts.csv", "--allow-dangling", "-o", "plan.json")

    said = "12 deletes have to be confirmed: `sispy push ... --expect-deletes 12` does so"
    assert said in result.stdout
    assert re.search(r"`sispy push plan.json --expect-digest \w{64} --expect-deletes 12`", result.stderr)
    assert "48 rows of the export are not in the file: left alone" in result.stdout


def test_a_plan_with_problems_is_printed_once(sispy, terminal, screen):
    Path("bad.csv").write_text(
        "name,status,rack\nweb-fra1-001,lvie,\nweb-fra1-002,,5f43a0000000000000000000\n"
    )

    status, lines = screen(terminal("push", "host", "bad.csv", "--key", "name"))
    piped = sispy("push", "host", "bad.csv", "--key", "name", "--yes", "--skip-problems")

    assert status == 3
    assert [sum("lvie" in line for line in lines), sum("refers to a" in line for line in lines)] == [2, 1]
    assert piped.stdout.count("problem in") == 1


def test_the_sheets_of_a_workbook_are_one_push(sispy, sis):
    client = sis.client()
    live = {name: sp.fetch(client.entities(name), refs="label", progress=False) for name in ("host", "rack")}
    sp.to_excel(live, "both.xlsx")
    book = openpyxl.load_workbook("both.xlsx")
    racks, hosts = book["rack"], book["host"]
    titles = {sheet.title: [cell.value for cell in sheet[1]] for sheet in (racks, hosts)}
    racks.cell(racks.max_row + 1, titles["rack"].index("name") + 1).value = "fra1-r99"
    for row in hosts.iter_rows(min_row=2):
        if row[titles["host"].index("name")].value == "web-fra1-001":
            row[titles["host"].index("rack")].value = "fra1-r99"
    book.save("both.xlsx")

    result = sispy("push", "both.xlsx", "--yes", "--note", "CHG5")

    assert result.exit_code == 0, result.stdout + result.stderr
    made = client.entities("rack").get("fra1-r99", {"populate": False})
    assert host(sis, "web-fra1-001")["rack"] == made["_id"]
    assert json.loads(sispy("pushes", "--output", "json").stdout)["pushes"][0]["table"] == "rack, host"
    assert sispy("undo", "--yes").exit_code == 0
    assert client.entities("rack").count({"name": "fra1-r99"}) == 0
