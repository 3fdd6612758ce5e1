"""Files beside a push: what cannot be written is refused before it; what fails after it is a sentence."""

from __future__ import annotations

import errno
from pathlib import Path

import openpyxl
import pytest

from sispy_pandas.pushing import workbook as marks

NOWHERE = "there is no such folder"


@pytest.fixture
def edited(sispy, sis):
    """Export the web hosts as CSV and workbook, with an edit, and return a way to count the writes since."""
    sispy("export", "host", "-o", "hosts.csv", "name~^web-fra1")
    sispy("export", "host", "-o", "hosts.xlsx", "name~^web-fra1")
    path = Path("hosts.csv")
    path.write_text(path.read_text().replace(",rhel,8,", ",rhel,9,"))
    return lambda: [request.method for request in sis.requests if request.method not in ("GET", "HEAD")]


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (
            ["hosts.csv", "--write-back", "b.xlsx"],
            64,
            "--write-back copies a workbook, and hosts.csv is none",
        ),
        (["hosts.xlsx", "--write-back", "b.csv"], 64, "--write-back b.csv: the name must end in .xlsx"),
        (["hosts.xlsx", "--write-back", "hosts.xlsx"], 64, "that very file"),
        (["hosts.xlsx", "--write-back", "no/b.xlsx"], 3, NOWHERE),
        (["hosts.csv", "--conflicts-out", "no/b.csv"], 3, NOWHERE),
        (["hosts.csv", "--journal", "no/x.jsonl"], 3, NOWHERE),
        (["hosts.csv", "--conflicts-out", "b.parquet"], 64, "the name must end in .csv or .xlsx"),
        (["hosts.csv", "--conflicts-out", "hosts.csv"], 64, "that very file"),
        (["hosts.xlsx", "--conflicts-out", "b.xlsx", "--write-back", "b.xlsx"], 64, "that very file"),
        (["hosts.csv", "--conflicts-out", "folder"], 64, "the name must end in"),
        (["hosts.csv", "--conflicts-out", "folder.csv"], 64, "is a directory"),
        (["hosts.csv", "--journal", "-"], 64, "--journal -: it goes to a file, not to standard output"),
    ],
)
def test_a_push_refuses_what_it_could_not_write_before_anything_is_sent(sispy, edited, args, status, said):
    Path("folder.csv").mkdir()
    before = edited()
    names = sorted(Path().glob("[!.]*"))  # that it was tried is noted in the folder of journals

    result = sispy("push", "host", *args, "--yes")

    assert (result.exit_code, said in result.stderr) == (status, True), result.stderr
    assert edited() == before
    assert sorted(Path().glob("[!.]*")) == names


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["hosts.csv", "--mark", "b.xlsx"], 64, "--mark copies a workbook, and hosts.csv is none"),
        (["hosts.xlsx", "--mark", "b.csv"], 64, "the name must end in .xlsx"),
        (["hosts.xlsx", "--mark", "no/b.xlsx"], 3, NOWHERE),
        (["hosts.csv", "-o", "no/plan.json"], 3, NOWHERE),
        (["hosts.csv", "-o", "hosts.csv"], 64, "that very file"),
    ],
)
def test_a_plan_refuses_them_likewise(sispy, edited, args, status, said):
    result = sispy("plan", "host", *args)

    assert (result.exit_code, said in result.stderr) == (status, True), result.stderr


def test_an_export_asks_no_server_for_what_it_cannot_write(sispy, sis):
    before = len(sis.requests)

    result = sispy("export", "host", "-o", "no/hosts.csv")

    assert (result.exit_code, NOWHERE in result.stderr, len(sis.requests)) == (3, True, before)


def test_what_cannot_be_written_after_a_push_is_a_sentence(sispy, sis, edited, monkeypatch):
    sis.client("alice").entities("host").update("web-fra1-001", {"os": {"version": "7"}})

    def full(_report, path, _form):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("sispy_pandas.pushing.retry.write", full)

    result = sispy("push", "host", "hosts.csv", "--yes", "--conflicts-out", "left.csv")

    assert "sispy: left.csv: No space left on device" in result.stderr
    assert "1 conflict" in result.stdout
    assert result.exit_code == 4


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), TypeError("a defect")])
def test_no_traceback_ends_a_push_that_was_made(sispy, edited, monkeypatch, error):
    def broken(*_args, **_how):
        raise error

    monkeypatch.setattr(marks, "_put_back", broken)
    edit_workbook()

    result = sispy("push", "host", "hosts.xlsx", "--yes", "--write-back", "b.xlsx", "--log-file", "log")

    assert "1 done" in result.stdout
    assert str(error.args[-1]) in result.stderr
    assert (result.exit_code, Path("b.xlsx").exists()) == (3, False)
    assert "Traceback" in Path("log").read_text()


def edit_workbook():
    book = openpyxl.load_workbook("hosts.xlsx")
    sheet = book["host"]
    at = next(cell.column for cell in sheet[1] if cell.value == "notes")
    sheet.cell(2, at).value = "edited"
    book.save("hosts.xlsx")


def test_no_plan_and_no_page_is_written_to_a_file_that_is_called_like_standard_output(sispy, edited):
    plan = sispy("plan", "hosts.csv", "-o", "-")
    page = sispy("verify", "--html", "-")

    assert [(plan.exit_code, plan.stdout), (page.exit_code, page.stdout)] == [(64, "")] * 2
    assert "-o -: it goes to a file, not to standard output" in plan.stderr
    assert "--html -: it goes to a file, not to standard output" in page.stderr
    assert not Path("-").exists()
