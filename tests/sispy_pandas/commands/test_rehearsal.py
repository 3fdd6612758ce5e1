"""A push is rehearsed on a sandbox's copy of the server, with the very file or plan that is to be pushed."""

from pathlib import Path

import openpyxl
import pytest

from sispy import Client
from sispy.sandbox import Sandbox


@pytest.fixture
def copy(sis):
    with Sandbox(copy_from=Client(sis.url)) as copy:
        yield copy


@pytest.fixture
def edited(sispy):
    """An edited export of the server, as CSV and as a workbook, and the plan that was made of it."""
    for name in ("hosts.csv", "hosts.xlsx"):
        assert sispy("export", "host", "-o", name, "os.name=rhel").exit_code == 0
    path = Path("hosts.csv")
    path.write_text(path.read_text().replace(",rhel,8,", ",rhel,9,"))
    book = openpyxl.load_workbook("hosts.xlsx")
    (notes,) = [cell.col_idx for cell in book["host"][1] if cell.value == "notes"]
    for row in range(2, book["host"].max_row + 1):
        book["host"].cell(row, notes).value = "rehearsed"
    book.save("hosts.xlsx")
    assert sispy("plan", "host", "hosts.csv", "-o", "plan.json").exit_code == 0


@pytest.fixture
def on(monkeypatch):
    """Turn to another server, as one does by logging in there."""

    def turn(sandbox):
        monkeypatch.setenv("SIS_URL", sandbox.url)
        monkeypatch.setenv("SIS_TOKEN", sandbox.token)

    return turn


@pytest.mark.parametrize("args", [["host", "hosts.csv"], ["host", "hosts.xlsx"], ["plan.json"]])
def test_what_was_made_on_the_server_is_pushed_to_its_copy_and_then_to_the_server(
    sispy, sis, copy, edited, on, args
):
    writes = len([request for request in sis.requests if request.method != "GET"])
    on(copy)
    rehearsed = sispy("push", *args, "--yes")
    assert len([request for request in sis.requests if request.method != "GET"]) == writes
    on(sis)
    pushed = sispy("push", *args, "--yes")

    assert (rehearsed.exit_code, pushed.exit_code) == (0, 0)
    assert rehearsed.stdout.replace(copy.url, sis.url) == pushed.stdout


def test_no_other_server_takes_it(sispy, sis, copy, edited, on):
    assert sispy("export", "host", "-o", "hosts.csv", "--url", copy.url).exit_code == 0
    result = sispy("push", "host", "hosts.csv", "--yes")
    assert result.exit_code == 3
    assert f"hosts.csv was exported from server {copy.url}, not from {sis.url}" in result.stderr

    with Sandbox(samples=5) as other:
        on(other)
        for args in (["host", "hosts.xlsx"], ["plan.json"]):
            result = sispy("push", *args, "--yes", "--url", other.url)
            assert (result.exit_code, sis.url in result.stderr) == (3, True)
        assert {request.method for request in other.requests} == {"GET"}


def test_a_workbook_that_was_written_back_by_the_copy_is_one_of_the_copy(sispy, sis, copy, edited, on):
    on(copy)
    assert sispy("push", "host", "hosts.xlsx", "--yes", "--write-back", "next.xlsx").exit_code == 0
    assert sispy("push", "host", "next.xlsx").exit_code == 0
    on(sis)
    result = sispy("push", "host", "next.xlsx", "--yes")

    assert result.exit_code == 3
    assert f"next.xlsx was exported from server {copy.url}, not from {sis.url}" in result.stderr


def test_a_copy_that_is_kept_in_a_file_stays_one(sis, tmp_path):
    for source in (Client(sis.url), None):
        with Sandbox(data=tmp_path / "copy.sqlite", copy_from=source) as copy:
            assert copy.client().info()["copy_of"] == sis.url
    assert "copy_of" not in sis.client().info()


@pytest.mark.parametrize("command", ["resume", "undo"])
def test_a_journal_of_the_server_is_not_one_of_its_copy(sispy, sis, copy, edited, on, command):
    assert sispy("push", "host", "hosts.csv", "--yes", "--journal", "push.jsonl").exit_code == 0
    kept = Path("push.jsonl").read_bytes()
    on(copy)

    result = sispy(command, "push.jsonl", "--yes")

    assert (result.exit_code, f"push.jsonl is for {sis.url}, not for {copy.url}" in result.stderr) == (
        3,
        True,
    )
    assert Path("push.jsonl").read_bytes() == kept
