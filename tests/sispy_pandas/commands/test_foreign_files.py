"""Files that programs of other countries saved, or that others wrote, on the command line."""

import csv
import json
import re
from pathlib import Path


def german(text):
    """Return the text of a cell as a German spreadsheet shows it."""
    if text in ("true", "false"):
        return {"true": "WAHR", "false": "FALSCH"}[text]
    if re.fullmatch(r"-?\d+\.\d+", text):
        return text.replace(".", ",")
    day = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T00:00:00\.000Z", text)
    return f"{day[3]}.{day[2]}.{day[1]}" if day else text


def rewritten(path, edit=lambda row: None):
    """Save an exported file as a German spreadsheet would, with edits made to its rows."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = ("_id", "_updated_at", "os.version")
    saved = [{name: cell if name in kept else german(cell) for name, cell in row.items()} for row in rows]
    for row in saved:
        edit(row)
    with Path(path).open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(saved)


def set_note(row):
    if row["name"] == "web-fra1-001":
        row.update(notes="geprüft", price="1234,5")


def test_a_file_from_a_german_spreadsheet_is_exactly_its_edits(sispy, sis):
    assert sispy("export", "host", "-o", "hosts.csv").exit_code == 0
    rewritten("hosts.csv", set_note)
    hosts = sis.client().entities("host")
    other = next(row for row in hosts.fetch_all({"populate": False}) if row["name"] == "web-ams1-001")
    hosts.update(other["_id"], {"price": 1.5})  # what the file says of it is old, and no edit

    told = json.loads(sispy("plan", "host", "hosts.csv", "--output", "json").stdout)

    assert {(cell["key"], cell["field"], cell["after"]) for cell in told["cells"]} == {
        ("web-fra1-001", "notes", "geprüft"),
        ("web-fra1-001", "price", 1234.5),
    }
    assert [note.split(",")[0] for note in told["notes"] if "nobody touched" in note] == [
        "virtual",
        "bought: read with the day first",
        "price: read with a decimal comma",
    ]
    assert told["problems"] == []


def test_a_file_from_elsewhere_is_read_as_its_rows_say_that_are_known(sispy, sis):
    assert sispy("export", "host", "-o", "hosts.csv").exit_code == 0
    rewritten("hosts.csv", set_note)
    text = Path("hosts.csv").read_text(encoding="cp1252")
    Path("hosts.csv").write_text(
        "\n".join(line.partition(";")[2].rpartition(";")[0] for line in text.splitlines()), encoding="cp1252"
    )

    told = json.loads(sispy("plan", "host", "hosts.csv", "--key", "name", "--output", "json").stdout)

    assert {(cell["key"], cell["field"], cell["after"]) for cell in told["cells"]} == {
        ("web-fra1-001", "notes", "geprüft"),
        ("web-fra1-001", "price", 1234.5),
    }


def test_nothing_is_written_by_a_guess_that_nobody_has_seen(sispy, sis):
    assert sispy("export", "host", "-o", "hosts.csv").exit_code == 0
    rewritten("hosts.csv", set_note)
    guess = "the file is not in UTF-8: it was read as Windows-1252"

    shown = sispy("plan", "host", "hosts.csv")
    refused = [sispy("push", "host", "hosts.csv", *yes) for yes in (("--yes",), ())]
    made = sispy("push", "host", "hosts.csv", "--yes", "--encoding", "cp1252")

    assert (shown.exit_code, guess in shown.stdout) == (0, True)
    assert [(one.exit_code, one.stderr.strip()) for one in refused] == [
        (64, f"sispy: {guess}; --encoding cp1252 says so, another name reads another one")
    ] * 2
    assert made.exit_code == 0


def test_a_table_is_not_made_by_a_guess_that_nobody_has_seen(sispy, sis):
    Path("a.csv").write_bytes("name,city\nw1,Plzeň\n".encode("cp1250"))
    Path("b.csv").write_bytes("имя,город\nw1,Москва\n".encode("cp1251"))
    Path("c.csv").write_bytes("name,city\nw1,Düren\n".encode("utf-16-le"))
    new = ("--owner", "ops", "--yes")

    statuses = [
        sispy("import", "a.csv", "--schema", "a", *new).exit_code,
        sispy("import", "a.csv", "--schema", "a", *new, "--encoding", "cp1250").exit_code,
        sispy("import", "b.csv", "--schema", "b", *new).exit_code,
        sispy("import", "b.csv", "--schema", "b", *new, "--encoding", "cp1251").exit_code,
        sispy("import", "c.csv", "--schema", "c", *new).exit_code,
        sispy("import", "c.csv", "--schema", "d", *new, "--encoding", "klingon").exit_code,
    ]

    assert statuses == [64, 0, 3, 0, 0, 3]
    client = sis.client()
    cities = [row["city"] for name in ("a", "c") for row in client.entities(name).fetch_all()]
    assert cities == ["Plzeň", "Düren"]
