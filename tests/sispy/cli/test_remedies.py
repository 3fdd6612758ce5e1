"""On the command line a way out is an option of the command in use, or another command."""

import click
import pytest

from sispy.cli.remedies import in_shell
from sispy.remedies import Argument, Call, Message

COMMAND = click.Command(
    "boom",
    params=[
        click.Option(["--skip-problems"], is_flag=True),
        click.Option(["--expect-deletes"], type=int),
        click.Option(["--base-now"], is_flag=True),
        click.Option(["--rename"], multiple=True),
        click.Option(["-s", "--sheet"], metavar="NAME"),
        click.Option(["--url"]),
    ],
)


@pytest.mark.parametrize(
    ("remedy", "words"),
    [
        (Argument("skip_problems", "helps", True), "--skip-problems helps"),
        (Argument("expect_deletes", "helps", 12), "--expect-deletes 12 helps"),
        (Argument("base", "helps", "now"), "--base-now helps"),
        (Argument("rename", "helps", {"Host name": "name"}), "--rename 'Host name=name' helps"),
        (Argument("rename", "helps", {"$(x)": "name"}), "--rename '$(x)=name' helps"),
        (Argument("sheet", "helps"), "--sheet NAME helps"),
        (Argument("sheet", "helps", ["a", "b"]), "--sheet a,b helps"),
        (Call("sp.resume('a b')", "helps", ("resume", "a b")), "`sispy resume 'a b'` helps"),
        (Call("client=...", "helps", ("--url", "http://a")), "--url http://a helps"),
    ],
)
def test_a_remedy_is_what_one_would_type(remedy, words):
    with click.Context(COMMAND):
        assert in_shell(Message("it failed", remedy)) == f"it failed: {words}"


@pytest.mark.parametrize(
    "remedy",
    [
        Argument("create_missing", "helps", True),
        Argument("base", "helps", "then"),
        Call("frame.attrs.clear()", "helps"),
        Call("sispy.Client.from_profile('a')", "helps", ("--profile", "a")),
    ],
)
def test_what_the_command_has_no_option_for_is_no_way_out(remedy):
    with click.Context(COMMAND):
        assert in_shell(Message("it failed", remedy)) == "it failed"
    assert in_shell(Message("it failed", Argument("skip_problems", "helps", True))) == "it failed"


def test_sispy_is_named_as_it_was_called_where_the_shell_does_not_find_it(tmp_path, monkeypatch):
    program = tmp_path / "my venv" / "bin" / "sispy"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    told = Message("no table", Call("", "lists them", ("schemas",)))
    monkeypatch.setattr("sys.argv", [str(program), "export"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert in_shell(told) == f"no table: `'{program}' schemas` lists them"
    monkeypatch.setenv("PATH", str(program.parent))
    assert in_shell(told) == "no table: `sispy schemas` lists them"
    monkeypatch.setattr("sys.argv", ["/usr/lib/python3/pytest"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert in_shell(told) == "no table: `sispy schemas` lists them"
