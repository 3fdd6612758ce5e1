import click
import pytest

from sispy.cli import terminal
from sispy.cli.exits import Declined, Misuse


def plain(text: str) -> str:
    return click.unstyle(text)


def test_a_table_aligns_numbers_right_and_texts_left():
    table = terminal.table(["name", "cpus"], [["web-1", 8], ["db", 128], ["x", None]])

    assert plain(table) == "name   cpus\nweb-1     8\ndb      128\nx"


def test_control_characters_of_the_data_do_not_reach_the_terminal(capsys):
    evil = "a\x1b[5mred\x1b]52;c;ZQ==\x07\u202e\r\u2028"
    shown = r"a\x1b[5mred\x1b]52;c;ZQ==\x07\u202e\r\u2028"

    assert plain(terminal.table(["n"], [[evil + "\n"]])) == f"n\n{shown}\\n"
    terminal.out(f"{evil}\nnext")
    terminal.say(f"{evil}\nnext")

    assert capsys.readouterr() == (f"{shown}\nnext\n", f"{shown}\nnext\n")


def test_data_for_a_program_stay_as_they_are(capsys):
    terminal.out("a\x1b[2J\u202e,b", data=True)

    assert capsys.readouterr().out == "a\x1b[2J\u202e,b\n"


def test_data_on_a_terminal_are_shown_like_any_text(capsys, monkeypatch):
    monkeypatch.setattr(terminal, "is_terminal", lambda _: True)

    terminal.out("a\x1b[2J\u202e,b", data=True)

    assert capsys.readouterr().out == "a\\x1b[2J\\u202e,b\n"


def test_a_question_holds_text_alone(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)

    with pytest.raises(Misuse, match=r"Push to \\x1b\[2J\?"):
        terminal.confirm("Push to \x1b[2J?", yes=False)


def test_nobody_is_asked_without_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)

    with pytest.raises(Misuse, match="There is no terminal to ask: --yes answers yes") as caught:
        terminal.confirm("Push?", yes=False)
    assert caught.value.exit_code == 64
    terminal.confirm("Push?", yes=True)


def test_an_answer_of_no_is_told_apart_from_an_error():
    assert Declined("x").exit_code == 130


def test_a_table_is_fitted_to_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")

    assert (
        plain(terminal.table(["a", "b"], [["x" * 30, "short"]])) == "a              b\nxxxxxxxxxxxx…  short"
    )
