import shlex
import sys

import pytest

import sispy
from sispy import token_command
from sispy.config import config_file, read_config, resolve
from sispy.errors import Unauthorized
from sispy.token_command import ask_token

URL = "https://sis.example.com"


@pytest.fixture
def program(tmp_path):
    """Return a function that makes the command of a small Python program."""

    def make(text):
        path = tmp_path / "keyring of anna.py"
        path.write_text(text, encoding="utf-8")
        return shlex.join([sys.executable, str(path)])

    return make


@pytest.fixture
def profile(tmp_path):
    """Return a function that writes a profile whose token a command prints."""

    def write(command, *lines):
        text = ["[profiles.prod]", f'url = "{URL}"', 'username = "anna"', f"token_command = '''{command}'''"]
        config_file().write_text("\n".join([*text, *lines]), encoding="utf-8")

    return write


def test_the_token_is_what_the_command_prints(program):
    assert ask_token(program("print('t0ken')"), "profile 'prod'") == "t0ken"


def test_there_is_no_shell_and_no_input(program, capfd):
    command = program("import sys; print('|'.join([*sys.argv[1:], repr(sys.stdin.read())]))")

    assert ask_token(f"{command} $HOME '>x'", "profile 'prod'") == "$HOME|>x|''"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "import sys; print('s3cret'); sys.stderr.write('s3cret'); sys.exit(3)",
            "ended with status 3; run it in a terminal to see why",
        ),
        ("", "has to print the token and nothing else"),
        ("print('Token: s3cret')", "has to print the token and nothing else"),
        ("print('s3cret\\nlogin: anna')", "has to print the token and nothing else"),
        ("print('s3cret\\x1b[2J')", "has to print the token and nothing else"),
        ("while True: print('s3cret')", "has to print the token and nothing else"),
    ],
)
def test_what_a_command_says_is_not_shown(program, capfd, text, why):
    with pytest.raises(Unauthorized) as refused:
        ask_token(program(text), "profile 'prod'")

    assert str(refused.value) == f"profile 'prod': its token_command {why}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "text",
    [
        "import time; time.sleep(60)",
        "import os, time; os.close(1); time.sleep(60)",
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3)'])",
    ],
    ids=["silent", "without output", "leaves a child"],
)
def test_a_command_that_hangs_is_ended(program, monkeypatch, text):
    monkeypatch.setattr(token_command, "PATIENCE", 0.5)

    with pytest.raises(Unauthorized, match=r"its token_command took longer than 0.5 seconds"):
        ask_token(program(text), "profile 'prod'")


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(Unauthorized) as refused:
        ask_token("no-such-keyring get t0ken", "profile 'prod'")

    assert str(refused.value) == (
        "profile 'prod': its token_command cannot start 'no-such-keyring' (No such file or directory)"
    )


def test_a_client_has_the_token_and_the_file_does_not(program, profile):
    profile(program("print('t0ken')"))

    assert sispy.Client.from_profile("prod").auth_token == "t0ken"
    assert (resolve("prod").username, resolve("prod").token) == ("anna", None)
    assert "t0ken" not in config_file().read_text(encoding="utf-8")
    assert resolve("prod").sources["token"] == f"token_command, {config_file()}, profile 'prod'"
    assert "keyring" not in repr(resolve("prod"))


def test_the_command_is_not_run_for_another_server_or_where_a_token_is_given(profile, monkeypatch):
    profile("no-such-keyring")
    monkeypatch.setenv("SIS_PROFILE", "prod")

    assert sispy.Client.from_profile(url="https://other.example.com").auth_token is None
    assert sispy.Client.from_profile(auth_token="given").auth_token == "given"
    monkeypatch.setenv("SIS_TOKEN", "t")
    assert sispy.Client.from_profile().auth_token == "t"


@pytest.mark.parametrize(
    ("command", "lines", "said"),
    [
        ("pass", ['token = "t"'], "token or token_command, not both: delete one of the lines"),
        ("pass 'sis", [], "token_command is quoted as in a shell: No closing quotation"),
        (" ", [], "token_command names no program"),
    ],
)
def test_a_command_that_is_none_is_named(profile, command, lines, said):
    profile(command, *lines)

    with pytest.raises(ValueError, match="profile 'prod'") as refused:
        read_config()

    assert str(refused.value) == f"{config_file()}, profile 'prod': {said}"
