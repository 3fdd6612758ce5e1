import logging

import pytest
from click.testing import CliRunner

from sispy.cli.options import Session
from sispy.cli.root import main
from sispy.config import update_profile


def test_progress_in_a_log_is_at_most_a_line_in_ten_seconds(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    progress = Session().progress

    for second in range(25):
        now = float(second)
        progress(second * 100, 2500)

    assert capsys.readouterr() == ("", "1,000 of 2,500\n2,000 of 2,500\n")


def test_what_long_work_waits_for_is_said_in_a_log(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    progress = Session().progress

    progress(20, 60)
    for second in range(15):
        now = float(second)
        progress.set_postfix_str(f"no answer, again in {15 - second} s")
    progress.set_postfix_str("")

    assert capsys.readouterr() == ("", "20 of 60: no answer, again in 5 s\n")


def test_short_work_leaves_no_line_in_a_log(capsys):
    Session().progress(5, 5)

    assert capsys.readouterr() == ("", "")


def test_quiet_means_no_progress():
    assert Session(quiet=True).progress is False


@pytest.mark.parametrize("quiet", [True, False])
def test_hints_are_for_those_who_want_them(quiet, capsys):
    Session(quiet=quiet).say("a hint")

    assert capsys.readouterr() == ("", "" if quiet else "a hint\n")


def test_who_names_no_server_is_told_which_profiles_there_are():
    update_profile("sandbox", {"url": "http://127.0.0.1:3000"})

    result = CliRunner().invoke(main, ["schemas"])

    assert (result.exit_code, result.stderr) == (
        64,
        "sispy: which server? --profile sandbox is http://127.0.0.1:3000, --url URL or SIS_URL names one, "
        "`sispy login URL` remembers one\n",
    )


def test_a_command_leaves_logging_as_it_was(tmp_path, caplog):
    loggers = [logging.getLogger(name) for name in ("sispy", "sispy_pandas")]
    for logger in loggers:
        caplog.set_level(logging.ERROR, logger.name)
    before = [(logger.level, logger.handlers[:]) for logger in loggers]

    CliRunner().invoke(main, ["whoami", "--quiet", "--log-file", str(tmp_path / "log")])

    assert "exit status 64" in (tmp_path / "log").read_text()
    assert [(logger.level, logger.handlers) for logger in loggers] == before
