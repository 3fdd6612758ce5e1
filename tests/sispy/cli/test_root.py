import os
import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from sispy import errors
from sispy.cli import root
from sispy.cli.exits import Declined, Exit, Misuse, first


@pytest.fixture
def run(monkeypatch):
    """Run the command line; with `doing`, a command `boom` that does just that."""

    def run(*args, doing=None, **options):
        command = click.Command("boom", callback=doing)
        monkeypatch.setitem(sys.modules, "boom_command", SimpleNamespace(boom=command))
        monkeypatch.setitem(root.COMMANDS, "boom", ("boom_command", "Fails."))
        return CliRunner().invoke(root.main, args or ["boom"], prog_name="sispy", **options)

    return run


def raising(error):
    def callback():
        raise error

    return callback


def test_help_lists_every_command_once_in_sections():
    assert sorted(name for names in root.SECTIONS.values() for name in names) == sorted(root.COMMANDS)


def test_help_is_a_page_for_newcomers(run):
    result = run("--help")

    assert result.exit_code == 0
    assert "New here? `sispy demo` shows the whole way" in result.stdout
    assert "  export   Write a table to a CSV, Excel, Parquet or NDJSON file." in result.stdout


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (
            errors.Refused("http://x: cannot connect"),
            6,
            "sispy: http://x: cannot connect - is the address right, and the server up?\n",
        ),
        (Misuse("no table 'x'"), 64, "sispy: no table 'x'\n"),
        (errors.NotJSON("a login page,\nnot JSON"), 6, "sispy: a login page, not JSON\n"),
        (errors.NotFound("404 page"), 6, "sispy: 404 page\n"),
        (errors.BadRequest("no"), 3, "sispy: the server refuses it: no\n"),
        (
            errors.Unauthorized("Token has expired."),
            7,
            "sispy: Token has expired. `sispy whoami` shows who you are, `sispy login` logs in\n",
        ),
        (ValueError("no column 'hostname'"), 3, "sispy: no column 'hostname'\n"),
        (
            FileNotFoundError(2, "No such file or directory", "x.csv"),
            3,
            "sispy: x.csv: No such file or directory\n",
        ),
        (ImportError('needs pip install ".[excel]"'), 64, 'sispy: needs pip install ".[excel]"\n'),
        (KeyboardInterrupt(), 130, "\nsispy: interrupted\n"),
        (Declined("no"), 130, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_exception_becomes_one_sentence_and_a_status(run, error, status, sentence):
    result = run(doing=raising(error))

    assert (result.exit_code, result.stdout, result.stderr) == (status, "", sentence)


def test_a_defect_keeps_its_traceback(run):
    with pytest.raises(ZeroDivisionError):
        run(doing=raising(ZeroDivisionError()), catch_exceptions=False)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--nonsense"], "No such option"),
        (["exprt"], "No command 'exprt'. Did you mean `export`?"),
        (["qqq"], "No command 'qqq'. `sispy --help` lists the commands."),
        (["boom", "surplus"], "unexpected extra argument"),
    ],
)
def test_wrong_use_ends_with_64(run, args, words):
    result = run(*args, doing=lambda: None)

    assert (result.exit_code, result.stdout) == (64, "")
    assert words in result.stderr


def test_a_command_returns_its_status(run):
    assert [run(doing=lambda s=s: s).exit_code for s in (None, Exit.CHANGES, Exit.CONFLICT)] == [0, 2, 4]


def test_where_several_statuses_apply_the_first_in_order_counts():
    assert first([Exit.CHANGES, Exit.PROBLEMS, Exit.FAILED, Exit.CONFLICT]) == Exit.FAILED
    assert first([Exit.DENIED, Exit.USAGE]) == Exit.USAGE
    assert first([]) == Exit.DONE


def test_names_are_completed_from_the_table_alone(run, monkeypatch):
    monkeypatch.setenv("COMP_WORDS", "sispy ex")
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("_SISPY_COMPLETE", "bash_complete")

    result = run("sispy")

    assert (result.exit_code, result.stdout) == (0, "plain,export\n")


def test_the_help_is_there_at_once():
    """What takes time is what is imported: nothing but click, and no command."""
    told = "atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    code = f"import atexit, sys; {told}; from sispy.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())

    others = {name for name in metadata.packages_distributions() if not name.startswith("_")}
    assert loaded & (others - {"sispy"}) == {"click"}
    assert "sispy.cli.login" not in loaded


def test_ctrl_c_while_a_command_starts_ends_it_without_a_traceback(tmp_path):
    package = tmp_path / "click"
    package.mkdir()
    (package / "__init__.py").write_text("raise KeyboardInterrupt\n")
    start = [sys.executable, "-c", "from sispy.cli import main; main()"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}

    ended = subprocess.run(start, env=env, capture_output=True, text=True)

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
