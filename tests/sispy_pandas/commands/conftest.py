"""The command line against a sandbox: in this process as in a pipe, and in a terminal of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pexpect
import pytest
from click.testing import CliRunner

from sispy.cli import main
from sispy.sandbox import Sandbox

PROGRAM = Path(sys.executable).with_name("sispy")
HOSTS = 60


@pytest.fixture
def sis():
    with Sandbox(samples=HOSTS) as sis:
        yield sis


@pytest.fixture
def env(sis, tmp_path, monkeypatch):
    """Environment of a user at home in a fresh folder, logged in to the sandbox by variables."""
    for name in (
        "SIS_PROFILE",
        "SIS_PASSWORD",
        "SIS_TOKEN_FILE",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    env = {
        "HOME": str(tmp_path),
        "SIS_URL": sis.url,
        "SIS_TOKEN": sis.token,
        "SIS_USER": sis.user,
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(tmp_path)
    return env


@pytest.fixture
def sispy(env):
    """Run a command in this process, as in a pipe: without a terminal."""

    def run(*args, typed=None):
        result = CliRunner().invoke(main, [str(arg) for arg in args], prog_name="sispy", input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def terminal(env):
    """Start a command in a terminal of 80 columns; `screen(child)` is what it shows until its end."""

    def start(*args):
        size = {"dimensions": (40, 80), "encoding": "utf-8", "timeout": 30}
        return pexpect.spawn(str(PROGRAM), [str(arg) for arg in args], **size)

    return start


@pytest.fixture
def screen(sis):
    """Read a terminal to its end: (exit status, lines without colours, bars and what differs each time)."""

    def read(child) -> tuple[int, list[str]]:
        text = child.before if isinstance(child.before, str) else ""
        text += child.read()
        child.close()
        status = child.exitstatus if child.exitstatus is not None else -child.signalstatus
        return status, steady(text, sis.url)

    return read


def steady(text: str, url: str) -> list[str]:
    """Return the lines of an output with what differs from run to run replaced by what it is."""
    text = click.unstyle(text).replace("\r\n", "\n").replace(url, "URL")
    lines = [line.rsplit("\r", 1)[-1] for line in text.split("\n") if "%|" not in line]
    text = "\n".join(lines).strip("\n")
    text = re.sub(r"\b[0-9a-f]{24}\b", "ID", text)
    return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?", "TIME", text).split("\n")


@pytest.fixture
def closed():
    """Run a command whose standard input is closed: (status, stdout, stderr)."""

    def run(*args):
        done = subprocess.run(
            ["sh", "-c", '"$@" <&-', "sh", PROGRAM, *args], capture_output=True, text=True, timeout=60
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def golden():
    """Compare lines with those kept in a file; SISPY_WRITE_GOLDEN=1 keeps these instead."""

    def compare(name: str, lines: list[str]) -> None:
        path = Path(__file__).parent / "golden" / f"{name}.txt"
        if os.environ.get("SISPY_WRITE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        assert lines == path.read_text(encoding="utf-8").splitlines()

    return compare
