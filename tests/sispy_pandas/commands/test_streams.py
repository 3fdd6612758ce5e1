"""Standard streams that are closed, full, or without a reader: a sentence and a status, never a traceback."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("sispy")

READING = [
    (["whoami"], 0),
    (["schemas"], 0),
    (["schemas", "host"], 0),
    (["diff", "old.csv", "new.csv"], 2),
    (["diff", "host", "new.csv", "--output", "csv"], 2),
    (["history", "host", "web-fra1-001"], 0),
    (["changes", "host", "--since", "1h"], 0),
    (["changes", "host", "--since", "1h", "--output", "csv"], 0),
    (["plan", "host", "new.csv"], 0),
    (["plan", "host", "new.csv", "--output", "md"], 0),
    (["pushes"], 0),
]
"""Commands that print a result, and how they end."""

WRITING = [
    ["undo", "--yes"],  # first: once a push was tried since, it asks for a name
    ["push", "host", "new.csv", "--yes"],
    ["revert", "host", "--since", "1h", "--yes"],
    ["import", "rows.json", "--schema", "another", "--yes"],
]


@pytest.fixture(autouse=True)
def files(sispy):
    """An export and an edit of it, and a push that can be undone."""
    Path("rows.json").write_text('[{"name": "a"}]')
    assert sispy("export", "host", "-o", "old.csv", "os.name=rhel", "-q").exit_code == 0
    Path("new.csv").write_text(Path("old.csv").read_text().replace(",rhel,8,", ",rhel,10,"))
    Path("pushed.csv").write_text("name,notes\nweb-fra1-001,pushed\n")
    assert sispy("push", "host", "pushed.csv", "--key", "name", "--yes").exit_code == 0


@pytest.mark.parametrize(
    ("stdout", "reason"), [("/dev/full", "No space left on device"), (None, "it is closed")]
)
def test_results_that_cannot_be_printed_are_a_file_that_cannot_be_written(streams, stdout, reason):
    for args, _ in READING:
        assert streams(*args, stdout=stdout) == (3, "", f"sispy: standard output: {reason}\n"), args


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "json", "xlsx", "parquet"])
def test_an_export_that_cannot_be_printed_names_standard_output(streams, suffix):
    args = ("export", "host", "-o", "-", "--format", suffix)
    assert streams(*args, stdout="/dev/full") == (3, "", "sispy: standard output: No space left on device\n")


def test_help_that_cannot_be_printed(streams):
    for args in (["--help"], ["--version"], ["plan", "--help"]):
        assert streams(*args, stdout="/dev/full") == (3, "", "sispy: No space left on device\n")
        assert streams(*args, stdout=None) == (0, "", "")


@pytest.mark.parametrize("stdout", ["/dev/full", None])
def test_nothing_is_written_where_the_plan_cannot_be_shown(streams, sis, stdout):
    writes = [request for request in sis.requests if request.method != "GET"]
    for args in WRITING:
        status, _, stderr = streams(*args, stdout=stdout)
        assert (status, stderr.splitlines()[-1].startswith("sispy: standard output: ")) == (3, True), args
    assert [request for request in sis.requests if request.method != "GET"] == writes


def test_a_command_without_a_result_needs_no_standard_output(streams):
    assert streams("export", "host", "-o", "x.csv", stdout=None) == (0, "", "x.csv is written: 60 rows\n")


@pytest.mark.parametrize("stderr", ["/dev/full", None])
def test_hints_that_nobody_can_read_stop_nothing(streams, stderr):
    for args, expected in [*READING, *((args, 0) for args in WRITING[:1])]:
        status, stdout, _ = streams(*args, stderr=stderr)
        assert (status, bool(stdout)) == (expected, True), args
    assert streams("export", "host", "-o", "x.csv", stderr=stderr) == (0, "", "")
    assert streams("nonsense", stderr=stderr) == (64, "", "")
    assert streams("schemas", "nonsense", stderr=stderr) == (64, "", "")
    assert streams("plan", "host", "nothing.csv", stderr=stderr) == (64, "", "")


@pytest.mark.parametrize("args", [["--help"], ["schemas"], ["plan", "host", "new.csv", "--output", "json"]])
def test_a_reader_that_went_away_ends_the_printing_alone(streams, args):
    read, write = os.pipe()
    os.close(read)
    status, _, stderr = streams(*args, stdout=write)
    os.close(write)

    assert (status, stderr) == (0, "")


def test_a_log_on_a_full_disk_ends_and_the_command_goes_on(streams):
    status, stdout, stderr = streams("schemas", "host", "--log-file", "/dev/full")

    assert (status, stdout.startswith("host: 60 rows")) == (0, True)
    assert stderr == "/dev/full: the log ends here ([Errno 28] No space left on device)\n"


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet", "ndjson"])
def test_an_export_to_a_full_disk_names_the_file_and_leaves_yesterdays(streams, suffix):
    path = Path(f"hosts.{suffix}")
    path.write_text("yesterday")
    status, stdout, stderr = streams("export", "host", "-o", path, kilobytes=8)

    assert (status, stdout) == (3, "")
    assert stderr.startswith(f"sispy: {path}: ")
    assert stderr.endswith("File too large\n")
    assert path.read_text() == "yesterday"
    assert list(Path().glob(".*.part")) == []


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet", "ndjson"])
def test_a_folder_that_is_not_there_is_named(sispy, suffix):
    result = sispy("export", "host", "-o", f"nowhere/x.{suffix}")

    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "sispy: nowhere: there is no such folder\n"


@pytest.mark.slow
def test_a_push_whose_journal_fills_the_disk_says_how_to_go_on(streams, sispy, sis):
    names = [row["name"] for row in sis.client().entities("host").fetch_all({"fields": "name"})]
    notes = "".join(f"{name},{name * 10}\n" for name in names)
    Path("notes.csv").write_text(f"name,notes\n{notes}")
    push = ("push", "host", "notes.csv", "--key", "name", "--yes", "--journal", "push.jsonl")
    status, _, stderr = streams(*push, kilobytes=19)  # the plan fits, what comes of it does not

    assert status == 3
    assert stderr == (
        "the push has stopped: once its journal can be written, `sispy pushes` tells how far it came and "
        "`sispy resume` goes on\nsispy: push.jsonl: File too large\n"
    )
    assert sispy("resume", "push.jsonl", "--yes").exit_code == 0
    assert sis.client().entities("host").count({"notes": {"$regex": "(web-fra1-001){10}"}}) == 1


def test_a_sandbox_needs_no_standard_input(env):
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$@" <&-', "sh", PROGRAM, "sandbox", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("url    http://127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)

    assert process.returncode == 0


def test_demo_and_import_need_no_standard_input(streams, steady):
    assert streams("demo", stdin=None)[::2] == (0, "")
    status, stdout, stderr = streams("import", "rows.json", "--schema", "new", "--yes", stdin=None)
    assert (status, stdout.endswith(" as root: 1 done\n"), "made table new" in stderr) == (0, True, True)
    assert streams("login", "--user", "root", "--password-stdin", stdin=None) == (
        64,
        "",
        "sispy: the password is empty.\n",
    )


def test_a_push_that_can_keep_no_journal_sends_nothing_and_names_the_way_out(sispy, sis, monkeypatch):
    monkeypatch.setenv("SISPY_JOURNALS", "/dev/null/x")
    before = len(sis.requests)
    result = sispy("push", "host", "new.csv", "--yes")

    assert result.exit_code == 3
    assert re.fullmatch(
        r"sispy: nothing was sent: /dev/null/x/\S+jsonl, the journal of the push, cannot be written "
        r"\(Not a directory\); SISPY_JOURNALS names another folder",
        result.stderr.splitlines()[-1],
    )
    assert "resume" not in result.stderr
    assert {seen.method for seen in sis.requests[before:]} == {"GET"}


def test_a_push_whose_plan_fills_the_disk_sends_nothing(streams, sis):
    names = [row["name"] for row in sis.client().entities("host").fetch_all({"fields": "name"})]
    notes = "".join(f"{name},{name * 10}\n" for name in names)
    Path("notes.csv").write_text(f"name,notes\n{notes}")
    before = len(sis.requests)
    push = ("push", "host", "notes.csv", "--key", "name", "--yes", "--journal", "push.jsonl")
    status, _, stderr = streams(*push, kilobytes=8)

    assert (status, stderr) == (
        3,
        "sispy: nothing was sent: push.jsonl, the journal of the push, cannot be written (File too large); "
        "--journal FILE names another file\n",
    )
    assert {seen.method for seen in sis.requests[before:]} == {"GET"}
