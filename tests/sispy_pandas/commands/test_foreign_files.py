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
