"""Every exit status, reached; where several apply, the first in the order of the reference."""

import csv
import http.server

import pytest

from sispy.sandbox import Faults
from wire import serving


def first_row(path, text):
    """Return _id and name of the first row of a file that has this text."""
    with path.open() as lines:
        row = next(csv.DictReader(line for line in lines if line.startswith("_id,") or text in line))
    return row["_id"], row["name"]


@pytest.fixture
def edited(sispy, tmp_path):
    """Export hosts, replace a text in the file, and return its path."""

    def edit(*pairs, filters=("os.name=rhel",)):
        path = tmp_path / "hosts.csv"
        assert sispy("export", "host", "-o", path, *filters, "-q").exit_code == 0
        text = path.read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text)
        return path

    return edit


@pytest.fixture
def page():
    """Serve a login page for every address, as a proxy does."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"<html><body>Please log in</body></html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    with serving(server) as port:
        yield f"http://127.0.0.1:{port}"


def host(sis, name):
    return sis.client().entities("host").get(name, {"populate": False}).to_dict()


def test_0_done_and_nothing_to_do(sispy, edited):
    path = edited((",rhel,8,", ",rhel,9,"))

    assert sispy("plan", "host", path).exit_code == 0
    assert sispy("push", "host", path, "--yes").exit_code == 0
    assert sispy("push", "host", path).exit_code == 0


def test_2_changes_exist(sispy, edited):
    assert sispy("plan", "host", edited((",rhel,8,", ",rhel,9,")), "--detailed-exitcode").exit_code == 2
    assert sispy("plan", "host", edited(), "--detailed-exitcode").exit_code == 0


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(",production,", ",live,")], "'live' is not allowed; allowed are production, staging, test"),
        ([("_id,", "id,")], "has no column _id, so its rows cannot be recognised: give --key FIELD"),
    ],
)
def test_3_problems_in_the_input(sispy, sis, edited, pairs, words):
    before = sis.client().entities("host").count({"environment": "production"})

    result = sispy("push", "host", edited(*pairs), "--yes")

    assert result.exit_code == 3
    assert words in " ".join((result.stdout + result.stderr).split())
    assert sis.client().entities("host").count({"environment": "production"}) == before


def test_3_an_unreadable_file(sispy, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\x00\xff\xfe\x00")
    (tmp_path / "empty.csv").write_text("")

    assert sispy("plan", "host", tmp_path / "a.csv").exit_code == 3
    result = sispy("plan", "host", tmp_path / "empty.csv")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "has no header" in result.stderr


def test_4_conflicts(sispy, sis, edited):
    id_, name = first_row(edited(), ",rhel,8,")
    path = edited((",rhel,8,", ",rhel,9,"))
    sis.client("alice").entities("host").update(id_, {"os": {"version": "7"}})

    result = sispy("push", "host", path, "--yes")

    assert result.exit_code == 4
    assert "conflict in" in result.stdout
    assert result.stderr == (
        "cells in conflict are left as others wrote them: --on-conflict mine writes over them\n"
    )
    assert host(sis, name)["os"]["version"] == "7"


def test_4_a_stale_plan_where_a_fresh_one_is_required(sispy, sis, edited, tmp_path):
    id_, _ = first_row(edited(), ",rhel,8,")
    path = edited((",rhel,8,", ",rhel,9,"), (",rhel,8,", ",rhel,9,"))
    assert sispy("plan", "host", path, "-o", tmp_path / "plan.json").exit_code == 0
    sis.client("alice").entities("host").update(id_, {"os": {"version": "7"}})

    result = sispy("push", tmp_path / "plan.json", "--yes", "--require-fresh")

    assert result.exit_code == 4
    assert "nothing was pushed: the plan is stale" in result.stderr
    assert sispy("pushes").stdout == ""


@pytest.fixture
def snatched(sis):
    """Let a colleague take the serial number NEW in the moment before it is written."""
    client = sis.client()

    def take(seen):
        if (
            seen.method == "PUT"
            and b"NEW" in seen.body
            and not client.entities("host").count({"serial": "NEW"})
        ):
            client.entities("host").update("queue-fra1-001", {"serial": "NEW"})

    sis.faults = Faults(before=take)


def test_5_some_rows_failed(sispy, edited, snatched):
    id_, _ = first_row(edited(), ",rhel,8,")
    serial = next(
        cell for cell in edited().read_text().partition(id_)[2].split(",") if cell.startswith(("C", "J", "X"))
    )
    path = edited((serial, "NEW"), (",rhel,8,", ",rhel,9,"), (",rhel,8,", ",rhel,9,"))

    result = sispy("push", "host", path, "--yes")

    assert result.exit_code == 5
    assert "1 done, 1 failed" in result.stdout


def test_4_before_3_where_both_apply(sispy, sis, edited):
    id_, _ = first_row(edited(), ",rhel,8,")
    path = edited((",rhel,8,", ",rhel,9,"), (",test,", ",nowhere,"))
    sis.client("alice").entities("host").update(id_, {"os": {"version": "7"}})

    result = sispy("push", "host", path, "--yes", "--skip-problems")

    assert result.exit_code == 4
    assert "'nowhere' is not allowed" in " ".join(result.stdout.split())
    assert "conflict in" in result.stdout


def test_5_before_4_where_both_apply(sispy, sis, edited, snatched):
    id_, _ = first_row(edited(), ",rhel,8,")
    text = edited().read_text().partition(id_)[2]
    serial = next(cell for cell in text.split(",") if cell.startswith(("C", "J", "X")))
    last = text.splitlines()[-1]
    path = edited((serial, "NEW"), (last, last.replace(",rhel,", ",debian,")))
    sis.client("alice").entities("host").update(last.split(",")[0], {"os": {"name": "beos"}})

    result = sispy("push", "host", path, "--yes")

    assert result.exit_code == 5
    assert "1 conflict, 1 failed" in result.stdout


def test_6_nobody_listens(sispy):
    result = sispy("schemas", "--url", "http://127.0.0.1:9", "--quiet")

    assert (result.exit_code, result.stdout) == (6, "")
    assert result.stderr == (
        "sispy: http://127.0.0.1:9: cannot connect (Connection refused) "
        "- is the address right, and the server up?\n"
    )


def test_6_a_page_instead_of_json(sispy, page):
    result = sispy("schemas", "--url", page)

    assert (result.exit_code, result.stdout) == (6, "")
    assert result.stderr.startswith("sispy: ")
    assert result.stderr.count("\n") == 1


def test_7_a_dead_token(sispy, edited, monkeypatch):
    path = edited((",rhel,8,", ",rhel,9,"))
    monkeypatch.setenv("SIS_TOKEN", "0123456789abcdef0123456789abcdef")

    result = sispy("push", "host", path, "--yes")

    assert result.exit_code == 7
    assert "0123456789abcdef" not in result.stdout + result.stderr


@pytest.mark.parametrize("command", ["push", "import"])
def test_7_no_token_at_all(sis, env, terminal, screen, edited, tmp_path, monkeypatch, command):
    """It is said before anything is asked or written."""
    path = edited((",rhel,8,", ",rhel,9,"))
    table, path = ("host", path) if command == "push" else ("new", tmp_path / "new.csv")
    (tmp_path / "new.csv").write_text("name\na\n")
    monkeypatch.delenv("SIS_TOKEN")
    args = ["push", table, path] if command == "push" else ["import", path, "--schema", table, "--owner", "g"]

    status, lines = screen(terminal(*args))

    said = " ".join(" ".join(lines[-4:]).split())
    assert status == 7
    assert said.endswith(
        f"sispy: there is no token for {'http://127.0.0.1:NNNNN'[: len(sis.url)]}, and writing needs one "
        "(SIS_TOKEN may hold it): `sispy login` gets one"
    )
    assert not any("[y/N]" in line for line in lines)
    assert {request.method for request in sis.requests} == {"GET"}


def test_7_rows_that_the_user_may_not_write(sispy, sis, edited, monkeypatch):
    path = edited((",rhel,8,", ",rhel,9,"), filters=("os.name=rhel", "role=db"))
    monkeypatch.setenv("SIS_TOKEN", sis.client("bob").auth_token)
    monkeypatch.setenv("SIS_USER", "bob")

    pushed = sispy("push", "host", path, "--yes")
    checked = sispy("plan", "host", path, "--check", "-o", "plan.json")
    others = sispy("push", "host", path, "--yes", "--skip-problems")

    assert (pushed.exit_code, checked.exit_code, others.exit_code) == (7, 7, 7)
    assert "you have no role in" in " ".join(pushed.stdout.split())
    assert pushed.stdout.count("host on http") == 1  # the plan is shown once
    assert sispy("push", "plan.json", "--yes").exit_code == 7


def test_7_before_4_and_3_where_all_apply(sispy, sis, edited, monkeypatch):
    path = edited()
    path.write_text(path.read_text().replace(",rhel,8,", ",rhel,10,").replace(",test,", ",nowhere,", 1))
    sis.client().entities("host").update("web-fra1-001", {"os": {"version": "7"}})
    monkeypatch.setenv("SIS_TOKEN", sis.client("bob").auth_token)
    monkeypatch.setenv("SIS_USER", "bob")

    result = sispy("push", "host", path, "--yes", "--skip-problems")

    assert result.exit_code == 7
    assert "you have no role in" in " ".join(result.stdout.split())
    assert "'nowhere' is not allowed" in " ".join(result.stdout.split())
    assert "1 conflict," in result.stdout


def test_64_a_profile_that_does_not_exist(sispy, sis, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "sispy").mkdir()
    path = tmp_path / "sispy" / "config.toml"
    path.write_text('[profiles.prod]\nurl = "https://prod.example.com"\n')
    path.chmod(0o600)

    result = sispy("schemas", "--profile", "prd")

    assert (result.exit_code, "no profile 'prd' (it has: prod)" in result.stderr) == (64, True)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["schemas", "hots"], "has no table 'hots'. Did you mean host? `sispy schemas` lists them"),
        (["plan", "hots", "f.csv"], "has no table 'hots'. Did you mean host?"),
        (["export", "hots", "-o", "x.csv"], "hots"),
        (["schemas", "--url", "sis.example.com"], "url is an address such as 'https://sis.example.com'"),
        (["plan", "host", "f.csv", "--create-missing"], "give --key FIELD"),
        (["push", "plan.json", "--yes"], "there is no plan file 'plan.json'"),
        (["push", "f.csv", "--yes"], "'f.csv' is not a plan; to push a file: sispy push SCHEMA f.csv"),
        (["undo", "nothing"], "'nothing' is not a journal"),
        (["show", "host", "nobody"], "host has no row 'nobody'"),
        (["show", "host", ""], "host has no row ''; the filter is empty"),
        (["merge", "host", " ", "nobody", "--yes"], "host has no row ' '"),
        (["show", "host", "status", "=", "live"], "with blanks in quotes alone: 'status = live'"),
        (["export", "host", "-o", "x.csv", "a", "b"], "filter 'a': after 'a' an operator and a value"),
        (["history", "host", "nobody"], "host has no row 'nobody'"),
        (["history", "host", "0" * 24], f"host has no row {'0' * 24!r}, and no history of one"),
        (["changes", "host", "--since", "1h", "--fields", "nane"], "no field 'nane'; did you mean 'name'?"),
        (["changes", "host", "--since", "1h", "--tz", "Berlin"], "'Berlin' is not a time zone"),
        (["export", "host", "-o", "-", "--format", "csv", "--expand", "rack.nane"], "no field 'nane'"),
        (
            ["export", "host", "-o", "x.csv", "--fields", "name,"],
            "'name,' has no name before or after a comma",
        ),
        (["export", "host", "-o", "x.csv", "--tz", "Berlin"], "'Berlin' is not a time zone"),
        (["plan", "host", "f.csv", "--encoding", "utf-7b"], "there is no encoding 'utf-7b'"),
        (["plan", "host", "f.csv", "--key", "nane"], "no field 'nane'; did you mean 'name'?"),
        (["import", "f.csv", "--schema", "host", "--key", "nane"], "no field 'nane'; did you mean 'name'?"),
    ],
)
def test_64_wrong_use(sispy, tmp_path, args, sentence):
    (tmp_path / "f.csv").write_text("name\nx\n")

    result = sispy(*args)

    assert (result.exit_code, result.stdout) == (64, "")
    assert sentence in result.stderr


def test_rows_with_problems_are_not_among_those_asked_about(terminal, screen, edited):
    path = edited((",rhel,8,", ",rhel,9,"), (",test,", ",nowhere,"))

    status, lines = screen(terminal("push", "host", path, "--skip-problems", "-q"), answer="y")

    assert status == 3
    assert [line.partition(" on ")[0] for line in lines if "[y/N]" in line] == ["Push 1 row to host"]


def test_130_no_is_an_answer(terminal, screen, edited, sis):
    path = edited((",rhel,8,", ",rhel,9,"))

    status, _ = screen(terminal("push", "host", path), answer="n")

    assert status == 130
