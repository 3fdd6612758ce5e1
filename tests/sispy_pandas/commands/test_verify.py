"""`sispy verify`: what a push replaced unseen, told right after it or later."""

import json
import re
from pathlib import Path

import pytest

from sispy.sandbox import Faults


@pytest.fixture
def edited(sispy, tmp_path):
    """Export hosts with an edit in one of them, and return the file."""
    path = tmp_path / "hosts.csv"
    assert sispy("export", "host", "-o", path, "os.name=rhel", "-q").exit_code == 0
    path.write_text(path.read_text().replace(",rhel,8,", ",rhel,9,", 1))
    return path


@pytest.fixture
def alice(sis):
    """Let alice write to each row right before a push writes to it."""
    hosts = sis.client("alice").entities("host")

    def write(seen):
        if seen.matches("PUT /entities/host"):
            for row in json.loads(seen.body):
                hosts.update(row["_id"], {"os": {"version": "7"}})

    sis.faults = Faults(before=write)


def test_a_push_that_replaced_a_value_says_whose_and_ends_with_status_4(sispy, edited, alice):
    pushed = sispy("push", "host", edited, "--yes")

    assert pushed.exit_code == 4
    assert "1 done, replaced somebody's value" in pushed.stdout
    assert [line.split()[1:6] for line in pushed.stdout.splitlines() if "alice" in line] == [
        ["os.version", "8", "9", "7", "alice"]
    ]
    assert "gives theirs back" in pushed.stderr


def test_a_push_that_is_too_large_to_be_verified_names_the_way(sispy, sis, edited, monkeypatch):
    monkeypatch.setattr("sispy_pandas.pushing.verify.AUTOMATIC", 0)

    pushed = sispy("push", "host", edited, "--yes")

    assert "not verified: 1 (more than 0 rows); `sispy verify` looks them up" in pushed.stdout
    assert re.search(r"`sispy verify \w+` looks up whether values of others were replaced", pushed.stderr)


def test_it_is_told_later_as_well_and_written_into_a_page(sispy, sis, edited, alice, tmp_path):
    before = sis.client().entities("host").count({"os.name": "rhel", "os.version": "7"})
    pushed = sispy("push", "host", edited, "--yes", "--no-verify")
    assert pushed.exit_code == 0
    assert "not verified: 1 (not asked for)" in pushed.stdout

    told = sispy("verify", "--html", tmp_path / "record.html")

    assert told.exit_code == 4
    assert "1 written row, 1 row replaced values of others" in told.stdout
    assert "alice" in told.stdout
    assert "alice" in (tmp_path / "record.html").read_text()
    assert "1/1, 1 replaced" in sispy("pushes").stdout
    sis.faults = Faults()
    assert sispy("undo", "--yes").exit_code == 0
    given_back = sis.client().entities("host").count({"os.name": "rhel", "os.version": "7"})
    assert given_back == before + 1


def test_nothing_replaced_is_status_0(sispy, edited):
    assert sispy("push", "host", edited, "--yes", "-q").exit_code == 0

    told = sispy("verify")

    assert (told.exit_code, told.stdout.count("no value of others was replaced")) == (0, 1)


def test_a_server_that_does_not_answer_is_status_6(sispy, edited, sis):
    assert sispy("push", "host", edited, "--yes", "-q").exit_code == 0
    sis.faults = Faults(errors={"GET */commits": (500, 1.0)})

    told = sispy("verify")

    assert told.exit_code == 6
    assert "not verified: 1 (the server could not be asked" in told.stdout


def test_a_table_without_history_is_no_failure_of_the_server(sispy, edited, sis):
    schema = sis.client().schemas.get("host").to_dict()
    sis.client().schemas.update("host", {**schema, "track_history": False})
    assert sispy("push", "host", edited, "--yes", "-q").exit_code == 0

    told = sispy("verify")

    assert told.exit_code == 0
    assert "not verified: 1 (the table keeps no history)" in told.stdout


def test_without_a_push_there_is_nothing_to_verify(sispy):
    assert sispy("verify").exit_code == 64


def test_a_push_of_several_tables_is_verified_whole(sispy):
    sispy("export", "rack", "-o", "racks.csv", "--fields", "name,units")
    sispy("export", "host", "-o", "hosts.csv", "name=web-fra1-001", "--fields", "name,notes")
    Path("racks.csv").write_text(Path("racks.csv").read_text().replace(",42,", ",44,"))
    Path("hosts.csv").write_text(
        Path("hosts.csv").read_text().replace("web-fra1-001,,", "web-fra1-001,seen,")
    )
    pushed = sispy("push", "hosts.csv", "racks.csv", "--yes", "--no-verify")
    assert pushed.exit_code == 0, pushed.stderr

    result = sispy("verify", "--html", "record.html")

    assert result.exit_code == 0
    assert re.findall(
        r"^(rack|host) on .*, no value of others was replaced$", result.stdout, re.MULTILINE
    ) == [
        "rack",
        "host",
    ]
    page = Path("record.html").read_text()
    assert ("web-fra1-001" in page, "ams1-r01" in page) == (True, True)
