"""What TAB completes: commands and options by click; tables, journals, profiles and files as said here."""

import os
import sys
from pathlib import Path

import pexpect
import pytest
import xlsxwriter
from click.testing import CliRunner

from sispy.cli import main


@pytest.fixture
def tab(env, monkeypatch):
    """Return what a shell is told when TAB is pressed at the end of a line."""

    def press(line: str) -> list[str]:
        monkeypatch.setenv("_SISPY_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        result = CliRunner().invoke(main, prog_name="sispy")
        assert (result.exit_code, result.stderr) == (0, "")
        return [word.removeprefix("plain,") for word in result.stdout.split()]

    return press


TABLES = ["host", "rack", "service", "site"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("sispy schemas ", TABLES),
        ("sispy export ho", ["host"]),
        ("sispy plan r", ["rack"]),
        ("sispy history s", ["service", "site"]),
        ("sispy changes h", ["host"]),
        ("sispy show host web-ams1-00", [f"web-ams1-00{n}" for n in (1, 2, 3, 4)]),
        ("sispy show host stat", [f"status={s}" for s in ("live", "maintenance", "planned", "retired")]),
        ("sispy show host os.v", ["os.version=", "os.version~"]),
        ("sispy show host status=li", ["status=live"]),
        ("sispy export host status = li", ["live"]),
        ("sispy export host virtual=", ["virtual=false", "virtual=true"]),
        ("sispy set host --to stat", [f"status={s}" for s in ("live", "maintenance", "planned", "retired")]),
        ("sispy set host --to status = li", ["live"]),
        ("sispy show host --fields name,pri", ["name,price"]),
        ("sispy show host --sort pri", ["price"]),
        ("sispy export host --sort name,-pri", ["name,-price"]),
        ("sispy export host --fields pri", ["price"]),
        ("sispy plan host x.csv --key seri", ["serial"]),
        ("sispy show nowhere stat", []),
        ("sispy diff host x.csv --key seri", ["serial"]),
        ("sispy import x.csv --schema host --key seri", ["serial"]),
        ("sispy export host --expand ra", ["rack"]),
        ("sispy export host --where status=li", ["status=live"]),
        ("sispy plan host x.csv --within status=li", ["status=live"]),
        ("sispy check host --by name,seri", ["name,serial"]),
        ("sispy changes host,ra", ["host,rack"]),
        ("sispy revert host,s", ["host,service", "host,site"]),
        ("sispy export host --tz Europe/Berl", ["Europe/Berlin"]),
        ("sispy history host web-ams1-00", [f"web-ams1-00{n}" for n in (1, 2, 3, 4)]),
        ("sispy revert h", ["host"]),
        ("sispy import x.csv --schema ra", ["rack"]),
        ("sispy push h", ["host"]),
        ("sispy diff h", ["host"]),
        ("sispy push plan", ["file,plan"]),
        ("sispy diff yest", ["file,yest"]),
        ("sispy diff old.csv n", ["file,n"]),
        ("sispy plan host h", ["file,h"]),
        ("sispy push host h", ["file,h"]),
        ("sispy import h", ["file,h"]),
        ("sispy export host -o h", ["file,h"]),
        ("sispy plan host hosts.csv --output ", ["text", "json", "csv", "md", "html"]),
        ("sispy undo push", ["file,push"]),
        ("sispy demo --directory d", ["dir,d"]),
    ],
)
def test_what_people_complete(tab, line, offered):
    assert tab(line) == offered


@pytest.mark.parametrize("line", ["sispy schemas --url http://127.0.0.1:9 ", "sispy schemas --url nonsense "])
def test_where_no_server_answers_nothing_is_offered_and_nothing_asked(tab, sis, line):
    assert tab(line) == []
    assert len(sis.requests) == 0


def test_pushes_and_profiles_by_name(tab, sispy, monkeypatch, tmp_path):
    Path("new.json").write_text('[{"name": "a"}]')
    assert sispy("import", "new.json", "--schema", "new", "--yes").exit_code == 0
    name = sispy("pushes").stdout.splitlines()[1].split()[0]
    (tmp_path / ".config" / "sispy").mkdir(parents=True)
    config = tmp_path / ".config" / "sispy" / "config.toml"
    config.write_text('[profiles.prod]\nurl = "https://prod.example.com"\n[profiles.test]\n')
    config.chmod(0o600)

    assert tab(f"sispy undo {name[:3]}") == [name]
    assert tab(f"sispy resume {name[:3]}") == [name]
    assert tab("sispy undo --fields na") == tab(f"sispy undo {name} --fields na") == ["name"]
    assert tab("sispy undo nothing --fields na") == []
    assert tab("sispy pushes --user ro") == ["root"]
    assert tab("sispy whoami --profile p") == ["prod"]


@pytest.mark.parametrize(
    ("shell", "blank"), [("bash", "'Old hosts'"), ("zsh", "Old hosts"), ("fish", "Old hosts")]
)
def test_sheets_of_the_workbook_that_is_named(env, monkeypatch, shell, blank):
    with xlsxwriter.Workbook("hosts.xlsx") as book:
        for name in ("Old hosts", "Hosts", "R&D", "_base"):
            book.add_worksheet(name)
    Path("broken.xlsx").write_bytes(b"PK")
    monkeypatch.setenv("_SISPY_COMPLETE", f"{shell}_complete")

    def press(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
        lines = CliRunner().invoke(main, prog_name="sispy").stdout.splitlines()
        return [line.removeprefix("plain,") for line in lines if line not in ("plain", "_", "")]

    assert press("sispy plan host hosts.xlsx --sheet ") == ["Hosts", blank]
    assert press("sispy push host hosts.xlsx --sheet O") == [blank]
    assert press("sispy import hosts.xlsx --sheet H") == ["Hosts"]
    assert press("sispy plan host broken.xlsx --sheet ") == []
    assert press("sispy plan host none.xlsx --sheet ") == []


def test_in_bash(env, tmp_path):
    Path("hosts.csv").touch()
    env = {**env, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PS1": "$ ", "TERM": "dumb"}
    bash = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], env=env, encoding="utf-8", timeout=30)
    bash.sendline('eval "$(_SISPY_COMPLETE=bash_source sispy)"; echo rea""dy')
    bash.expect("ready\r\n")
    bash.send("sispy pl\t")
    bash.expect("sispy plan ")
    bash.send("ho\t")
    bash.expect("host ")
    bash.send("ho\t")
    bash.expect(r"hosts\.csv ")
    bash.sendintr()
    bash.close(force=True)
