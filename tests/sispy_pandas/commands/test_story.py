"""A day with the command line: in a pipe, in a terminal of 80 columns, with standard input closed."""

import re
from pathlib import Path

import click
import pytest

from sispy.cli.root import COMMANDS, main

DAY = [
    ["whoami"],
    ["schemas"],
    ["schemas", "rack"],
    ["show", "host", "rack.site.name=fra1", "os.name=rhel"],
    ["show", "host", "web-fra1-001"],
    ["export", "host", "-o", "yesterday.csv"],
    ["set", "host", "rack.site.name=fra1", "os.name=rhel", "--to", "labels+=moved"],
    ["export", "host", "-o", "hosts.csv", "status=live", "os.name=rhel"],
    "edit",
    ["plan", "host", "hosts.csv", "-o", "plan.json"],
    ["push", "plan.json", "--yes", "--note", "CHG0012345"],
    ["push", "host", "hosts.csv"],
    ["export", "host", "-o", "today.csv", "--quiet"],
    ["diff", "yesterday.csv", "today.csv"],
    ["diff", "host", "today.csv"],
    ["check", "rack"],
    ["history", "host", "web-fra1-001"],
    ["pushes"],
    ["verify"],
    ["changes", "host", "--since", "1h"],
    ["revert", "host", "--since", "1h", "--yes"],
    ["undo", "--yes"],
    ["resume"],
    ["logout"],
]
"""What the commands of a day do, `edit` being what a person does to hosts.csv in between."""

ELSEWHERE = {"demo", "edit", "import", "login", "merge", "mirror", "notebooks", "sandbox"}
"""Commands with tests of their own."""


def edit() -> None:
    """Replace an operating system's version in one row of the exported file, as a person would."""
    path = Path("hosts.csv")
    path.write_text(path.read_text().replace(",rhel,8,", ",rhel,9,", 1))


def test_the_day_has_every_command():
    assert {step[0] for step in DAY if step != "edit"} | ELSEWHERE == set(COMMANDS)


def told_of(run, steady) -> list[str]:
    """Return what the commands of a day tell, with standard error marked, and how they end."""
    told = []
    for step in DAY:
        if step == "edit":
            edit()
            continue
        status, stdout, stderr = run(*step)
        said = [*steady(stdout), *(f"! {line}" for line in steady(stderr))]
        told += [f"$ sispy {' '.join(step)}", *said, f"-> {status}", ""]
    return told


def test_a_day_in_a_pipe(sispy, steady, golden):
    def run(*step):
        result = sispy(*step)
        return result.exit_code, result.stdout, result.stderr

    golden("day-in-a-pipe", told_of(run, steady))


def test_a_day_with_standard_input_closed(streams, steady, golden):
    golden("day-in-a-pipe", told_of(lambda *step: streams(*step, stdin=None), steady))


def test_a_day_in_a_terminal(terminal, screen, golden):
    told = []
    for step in DAY:
        if step == "edit":
            edit()
            continue
        status, lines = screen(terminal(*[word for word in step if word != "--yes"]), answer="y")
        told += [f"$ sispy {' '.join(step)}", *lines, f"-> {status}", ""]

    golden("day-in-a-terminal", told)
    assert [line for line in told if len(line) > 80] == []


def test_login_in_a_terminal(terminal, screen, steady, sis, monkeypatch):
    for name in ("SIS_URL", "SIS_TOKEN", "SIS_USER"):
        monkeypatch.delenv(name)
    child = terminal("login")
    for question, answer in [
        ("Address of the server: ", sis.url),
        ("User: ", "root"),
        (f"Password of root at {sis.url}: ", sis.password),
    ]:
        child.expect_exact(question)
        child.sendline(answer)
    child.expect_exact("Logged in to ")

    told = " ".join(steady(child.read()))
    assert child.ended() == 0
    assert told.endswith("/.config/sispy/config.toml")
    status, lines = screen(terminal("whoami"))
    assert (status, [line.split()[0] for line in lines if line[0] != " "]) == (0, ["server", "user", "token"])
    assert max(map(len, lines)) <= 80


def test_import_in_a_terminal(terminal, screen, sis):
    Path("new.json").write_text('[{"name": "a", "n": 1}, {"name": "b", "n": 2}]')

    status, (*lines, back) = screen(terminal("import", "new.json", "--schema", "new"))

    assert status == 0
    assert re.fullmatch("`sispy undo [0-9a-f]+ --drop-table` takes it back", back)
    assert lines == [
        "new: a new table on http://127.0.0.1:NNNNN, 2 fields",
        "key     name",
        "owners  root",
        "",
        "├─ name  String  required, unique",
        "└─ n     Number  required",
        "",
        "name  n",
        "a     1",
        "b     2",
        "",
        "Make table new with 2 rows on http://127.0.0.1:NNNNN? [y/N]: y",
        "made table new",
        "new on http://127.0.0.1:NNNNN as root: 2 done",
    ]


@pytest.mark.parametrize("command", ["push", "undo", "import", "revert", "login"])
def test_nothing_is_asked_where_standard_input_is_closed(sispy, streams, command):
    sispy("export", "host", "-o", "hosts.csv", "os.name=rhel")
    edit()
    Path("new.json").write_text('[{"name": "a"}]')
    if command in ("undo", "revert"):
        sispy("push", "host", "hosts.csv", "--yes")
    arguments = {
        "push": ["host", "hosts.csv"],
        "undo": [],
        "import": ["new.json", "--schema", "new"],
        "revert": ["host", "--since", "1h"],
        "login": ["--user", "alice"],
    }

    status, _, stderr = streams(command, *arguments[command], stdin=None)

    assert status == 64
    assert "no terminal to ask" in stderr
    assert re.search("give --|--yes answers yes", stderr)


def test_every_command_explains_itself_with_an_example(sispy, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for name in COMMANDS:
        result = sispy(name, "--help")
        assert [line for line in result.stdout.splitlines() if len(line) > 80] == []
        assert result.exit_code == 0
        assert f"Examples:\n    sispy {name}" in result.stdout
    assert main.get_command(click.Context(main), "nothing") is None
