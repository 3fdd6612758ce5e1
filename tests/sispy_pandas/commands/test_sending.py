"""The status that ends a push is the first that applies to any row, in the order of the reference."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from sispy.cli.exits import Exit
from sispy_pandas.commands.endings import status_of_report
from sispy_pandas.values.changes import Outcome
from sispy_pandas.workflow.objects import Plan, Report

ORDER = [
    (Exit.DENIED, ("failed", 401)),
    (Exit.SERVER, ("unsent", None)),
    (Exit.FAILED, ("failed", 400)),
    (Exit.CONFLICT, ("conflict", 200)),
    (Exit.PROBLEMS, ("problem", None)),
    (Exit.DONE, ("done", 200)),
]


def ended(*rows: tuple[Any, int | None]) -> Report:
    nowhere: Any = None
    outcomes = [
        Outcome(str(i), "update", word, str(i), None, status) for i, (word, status) in enumerate(rows)
    ]
    return Report(Plan(nowhere, nowhere), tuple(outcomes))


@pytest.mark.parametrize("several", [3, 2, 1])
def test_the_first_that_applies_counts(several: int) -> None:
    for chosen in combinations(ORDER, several):
        rows = [row for _, row in reversed(chosen)]
        assert status_of_report(ended(*rows)) == chosen[0][0], rows


def test_nothing_to_do_is_done() -> None:
    assert status_of_report(ended()) == Exit.DONE


@pytest.fixture
def ruled(sis, env, monkeypatch):
    """The profile of a production server."""

    def write(*lines: str) -> None:
        path = Path(".config/sispy/config.toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        told = [f'url = "{sis.url}"', f'username = "{sis.user}"', f'token = "{sis.token}"', *lines]
        path.write_text("\n".join(["[profiles.prod]", *told, ""]))
        path.chmod(0o600)

    for name in ("SIS_URL", "SIS_TOKEN", "SIS_USER"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("SIS_PROFILE", "prod")
    Path("edit.csv").write_text("name,notes\nweb-fra1-001,seen\n")
    return write


PUSH = ("push", "host", "edit.csv", "--key", "name")


def test_a_production_server_is_named_in_the_question(ruled, terminal, screen):
    ruled("production = true")

    status, lines = screen(terminal(*PUSH), answer="n")

    assert status == 130
    assert any(line.endswith("(production) as root: 1 update, 0 creates, 0") for line in lines)
    assert any("(production)?" in line for line in lines)


def test_a_push_needs_the_note_that_the_profile_asks_for(ruled, sispy, terminal, screen, sis):
    ruled('require_note = "^CHG"')

    status, lines = screen(terminal(*PUSH))
    without = sispy(*PUSH, "--yes")
    other = sispy("import", "edit.csv", "--schema", "fresh", "--yes")
    wrong = sispy(*PUSH, "--yes", "--note", "todo")
    right = sispy(*PUSH, "--yes", "--note", "CHG1")

    assert (status, any("?" in line for line in lines)) == (3, False)
    assert without.exit_code == wrong.exit_code == other.exit_code == 3
    assert (
        "profile 'prod' asks for a note with ^CHG, and there is none; --note TEXT gives one" in without.stderr
    )
    assert "'todo' does not" in wrong.stderr
    assert right.exit_code == 0, right.stderr
    assert "fresh" not in {schema["name"] for schema in sis.client().schemas.fetch_all({})}


def test_nothing_is_pushed_with_a_profile_for_reading(ruled, sispy):
    ruled("read_only = true")

    assert sispy("plan", *PUSH[1:]).exit_code == 0
    pushed = sispy(*PUSH, "--yes")

    said = "sispy: profile 'prod' is read-only: another one writes to this server\n"
    assert (pushed.exit_code, pushed.stderr[-len(said) :]) == (7, said)  # no login helps
    assert "read-only" in sispy("whoami").stdout
