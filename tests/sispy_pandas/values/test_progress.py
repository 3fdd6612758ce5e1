import contextlib
import io
import sys
from types import SimpleNamespace

import pytest
from tqdm import tqdm

from sispy_pandas.values.progress import bar


def work(progress):
    with bar(progress, total=None, unit="row", desc="host") as it:
        it.total = 5
        it.update(2)
        it.set_postfix_str("1 MB")
        it.update(3)


def test_true_shows_a_bar_on_stderr_alone(capsys):
    work(True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "host: " in err
    assert " 5/5 " in err


@pytest.mark.parametrize(
    ("kind", "tty", "pace"),
    [("notebook", False, (0.1, True)), ("std", True, (0.1, False)), ("std", False, (10.0, False))],
)
def test_a_notebook_and_a_terminal_want_more_lines_than_a_log(monkeypatch, kind, tty, pace):
    given = []

    class Own(contextlib.AbstractContextManager):
        __module__ = f"tqdm.{kind}"
        total = 3

        def __init__(self, **how):
            given.append(how)

        def __exit__(self, *_):
            return None

    monkeypatch.setattr("tqdm.auto.tqdm", Own)
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: tty))

    with bar(True, total=3, unit="row", desc="host\n", delay=0.5):
        pass

    seconds, fits_in = pace
    assert given == [
        {
            "total": 3,
            "unit": "row",
            "desc": "host\\n",
            "mininterval": seconds,
            "delay": 0.5,
            "dynamic_ncols": fits_in,
            "file": sys.stderr,
        }
    ]


def test_false_shows_nothing(capsys):
    work(False)
    assert capsys.readouterr() == ("", "")


def test_a_function_is_called_with_done_and_total():
    seen = []
    work(lambda done, total: seen.append((done, total)))
    assert seen == [(2, 5), (5, 5)]


def test_an_object_with_update_is_used_as_it_is():
    mine = tqdm(file=io.StringIO())
    work(mine)
    assert (mine.n, mine.total) == (5, 5)
    mine.close()
    seen = []
    work(SimpleNamespace(update=seen.append))
    assert seen == [2, 3]


def test_nothing_to_do_shows_no_bar(capsys):
    with bar(True, total=0, unit="row", desc="revisions"):
        pass

    assert capsys.readouterr() == ("", "")


def test_work_that_is_over_at_once_shows_no_bar_that_was_to_come_later(capsys):
    with bar(True, total=5, unit="row", desc="check host", delay=60) as it:
        it.update(5)

    assert capsys.readouterr() == ("", "")


def test_a_bar_to_come_later_that_has_told_a_wait_ends_its_line(capsys):
    with bar(True, total=2, unit=" rows", desc="check", delay=60) as shown:
        shown.update()
        shown.set_postfix_str("busy, again in 1 s")
        shown.set_postfix_str("")

    told = capsys.readouterr().err
    assert ("busy, again in 1 s" in told, told.endswith("\n")) == (True, True)
