import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sispy.cli import main


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def steady(text: str) -> list[str]:
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:NNNNN", click.unstyle(text))
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD HH:MM", text).rstrip().splitlines()


def test_the_demo_in_a_pipe(here, golden):
    result = CliRunner().invoke(main, ["demo"])

    assert (result.exit_code, result.stderr) == (0, "")
    golden("demo", steady(result.stdout))
    assert sorted(path.name for path in Path("sispy-demo").iterdir()) == [
        "hosts.csv",
        "hosts.csv.meta.json",
        "push.jsonl",
    ]
    assert CliRunner().invoke(main, ["demo"]).exit_code == 0  # again, over its own files


def test_the_demo_runs_on_the_standard_library(here, golden, monkeypatch):
    monkeypatch.setattr("sispy.http.HTTP_LIB", "stdlib")

    result = CliRunner().invoke(main, ["demo"])

    assert result.exit_code == 0
    golden("demo", steady(result.stdout))


def test_the_demo_fits_a_terminal_of_80_columns(here, in_terminal):
    child = in_terminal("demo")
    shown = child.read()

    assert child.ended() == 0
    lines = [line.rsplit("\r", 1)[-1] for line in click.unstyle(shown).replace("\r\n", "\n").split("\n")]
    assert [line for line in lines if len(line) > 80] == []
    assert "100%" in shown
    assert "\x1b[" in shown


def test_ctrl_c_ends_the_demo_and_its_server(here, in_terminal):
    child = in_terminal("demo")
    child.expect(r"runs at (http://[0-9.:]+)\.")
    child.send("\x03")
    child.expect("interrupted")
    child.read()

    assert child.ended() == 130
