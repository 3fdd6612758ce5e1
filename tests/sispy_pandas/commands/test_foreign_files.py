"""Files that programs of other countries saved, or that others wrote, on the command line."""

import csv
import json
import re
from pathlib import Path

import openpyxl
import pytest


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
        sispy("import", "c.csv", "--schema", "c", *new, "--encoding", "utf-16-le").exit_code,
        sispy("import", "c.csv", "--schema", "d", *new, "--encoding", "klingon").exit_code,
    ]

    assert statuses == [64, 0, 3, 0, 64, 0, 64]
    client = sis.client()
    cities = [row["city"] for name in ("a", "c") for row in client.entities(name).fetch_all()]
    assert cities == ["Plzeň", "Düren"]


def test_a_difference_to_a_file_of_another_country_is_its_edits(sispy, sis):
    assert sispy("export", "host", "-o", "hosts.csv").exit_code == 0
    Path("mine.csv").write_bytes(Path("hosts.csv").read_bytes())
    rewritten("mine.csv", set_note)
    edits = {("notes", "geprüft"), ("price", "1234.5")}

    two = json.loads(sispy("diff", "hosts.csv", "mine.csv", "--output", "json").stdout)
    back = json.loads(sispy("diff", "mine.csv", "hosts.csv", "--output", "json").stdout)
    today = json.loads(sispy("diff", "host", "mine.csv", "--output", "json").stdout)

    assert {(cell["field"], cell["after"]) for cell in two["cells"]} == edits
    assert {(cell["field"], cell["before"]) for cell in back["cells"]} == edits
    assert {(cell["field"], cell["before"]) for cell in today["cells"]} == edits


def test_a_blank_cell_of_a_row_known_by_its_key_keeps_or_clears_as_is_said(sispy, sis):
    Path("a.ndjson").write_text('{"name": "web-fra1-001", "price": null}\n', encoding="utf-8")
    command = ("plan", "host", "a.ndjson", "--key", "name", "--output", "json")

    kept, cleared = (json.loads(sispy(*command, *more).stdout) for more in ((), ("--blank", "clear")))

    assert (kept["cells"], kept["notes"]) == (
        [],
        ["1 blank cell keeps what is stored: --blank clear clears it"],
    )
    assert ([cell["field"] for cell in cleared["cells"]], cleared["notes"]) == (["price"], [])


def test_a_mapping_is_saved_and_tells_how_the_next_file_is_read(sispy, sis):
    assert sispy("export", "host", "-o", "hosts.csv").exit_code == 0
    rewritten("hosts.csv", set_note)
    saved, again = (sispy("plan", "host", "hosts.csv", "--save-mapping", "m.toml") for _ in range(2))
    new = "name;site;virtual;price;bought\nw9;1;WAHR;1234,5;04.03.2024\n"
    Path("new.csv").write_text(new)

    told = sispy(
        *("plan", "host", "new.csv", "--mapping", "m.toml", "--key", "name", "--create-missing"),
        *("--rename", "site=notes", "--output", "json"),
    )

    assert (saved.exit_code, again.exit_code) == (0, 64)
    assert again.stderr == "sispy: --save-mapping m.toml: it is there already: name another one.\n"
    assert Path("m.toml").read_text() == (
        'encoding = "cp1252"\ndelimiter = ";"\ndecimal = ","\ndayfirst = true\n\n'
        '[words]\ntrue = ["wahr"]\nfalse = ["falsch"]\n'
    )
    cells = {cell["field"]: cell["after"] for cell in json.loads(told.stdout)["cells"]}
    assert (cells["virtual"], cells["price"], cells["bought"]) == (True, 1234.5, "2024-03-04T00:00:00.000Z")


def test_what_a_list_of_another_program_may_be_is_said_with_the_option_that_tells_it(sispy, sis):
    Path("t.csv").write_text("name:cpus\nwÃ©b1:8\nweb2:4\n", encoding="utf-8")
    part = "--delimiter : parts them, --delimiter , takes each line for one cell"
    Path("u.csv").write_text(
        "name,rack,bought\nw1,nowhere,31 Jan 2024\nw2,n/a,2024/02/01\n", encoding="utf-8"
    )

    refused = [
        sispy("import", "t.csv", "--schema", "t", "--yes").stderr,
        sispy("plan", "host", "t.csv", "--key", "name").stderr,
    ]
    Path("v.csv").write_text("NAME,CPUs\nw1,8\n", encoding="utf-8")
    Path("w.csv").write_text("Server,Kerne\nw1,8\n", encoding="utf-8")
    strange = [sispy("plan", "host", name, "--key", "name").stderr for name in ("v.csv", "w.csv")]
    made = sispy("import", "t.csv", "--schema", "t", "--yes", "--delimiter", ":")
    unknown = sispy("import", "u.csv", "--schema", "host", "--dry-run").stdout
    dated = sispy("import", "u.csv", "--schema", "u", "--dry-run").stdout

    assert [told.strip().endswith(part) for told in refused] == [True, True]
    assert strange[0].strip().endswith("? --ignore-case takes names in any case")
    assert strange[1].strip().endswith(" --rename Server=FIELD says which field a column is")
    assert "1 cell looks like UTF-8 that was read as Windows-1252 before: 'wÃ©b1' was 'wéb1'" in made.stderr
    assert made.exit_code == 0
    assert "no row of rack has name 'n/a': --na n/a says that it means no value" in unknown
    assert (" look" in unknown, "--refs" in unknown) == (False, False)
    assert "bought  Date    required" in dated


def test_options_that_a_format_does_not_have_are_refused(sispy, sis):
    assert sispy("export", "host", "-o", "hosts.csv").exit_code == 0
    assert sispy("export", "host", "-o", "hosts.xlsx").exit_code == 0
    refused = [
        sispy("plan", "host", "hosts.csv", "--sheet", "host"),
        sispy("push", "host", "hosts.xlsx", "--encoding", "cp1252", "--yes"),
        sispy("import", "hosts.xlsx", "--schema", "new", "--delimiter", ";", "--yes"),
        sispy("diff", "hosts.xlsx", "hosts.xlsx", "--delimiter", ";"),
    ]

    assert [(one.exit_code, one.stderr.strip()) for one in refused] == [
        (64, "sispy: --sheet: hosts.csv is a file of format CSV, which has none."),
        (64, "sispy: --encoding: hosts.xlsx is a file of format Excel, which has none."),
        *[(64, "sispy: --delimiter: hosts.xlsx is a file of format Excel, which has none.")] * 2,
    ]
    assert sispy("diff", "hosts.xlsx", "hosts.csv", "--sheet", "host").exit_code == 0


def test_rows_that_a_list_from_elsewhere_does_not_have_are_written(sispy, sis):
    rows = [row for row in sis.client().entities("host").fetch_all() if row["status"] == "live"]
    names = [row["name"] for row in rows]
    Path("audit.csv").write_text("\n".join(["name", *names[2:]]) + "\n")
    command = ("plan", "host", "audit.csv", "--key", "name", "--missing-out")

    within = sispy(*command, "gone.csv", "--within", "status = live")
    every = sispy(*command, "all.xlsx")

    assert (within.exit_code, every.exit_code) == (0, 0)
    assert "gone.csv: 2 rows that audit.csv does not have" in within.stderr
    with Path("gone.csv").open(encoding="utf-8", newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == names[:2]
    assert f"all.xlsx: {60 - len(names) + 2} rows" in every.stderr
    assert sispy("plan", "host", "gone.csv").exit_code == 0
    refused = [
        sispy("plan", "host", "gone.csv", "--missing-out", "x.csv"),
        sispy("plan", "host", "audit.csv", "--key", "name", "--within", "status = live"),
        sispy(*command, "audit.csv"),
        sispy(*command, "x.csv", "--within", "staus = live"),
    ]
    assert [one.exit_code for one in refused] == [64] * 4


def test_a_file_with_names_of_references_is_planned_with_names(sispy, sis):
    assert sispy("export", "host", "-o", "hosts.csv", "--refs", "label", "name ~ ^web-fra1").exit_code == 0
    text = Path("hosts.csv").read_text(encoding="utf-8")
    racks = sorted({row["rack"] for row in csv.DictReader(text.splitlines())} - {""})
    Path("hosts.csv").write_text(text.replace(racks[0], "ams1-r01"), encoding="utf-8")

    shown = sispy("plan", "host", "hosts.csv").stdout
    by_key = sispy("plan", "host", "hosts.csv", "--key", "name").stdout
    told = json.loads(sispy("plan", "host", "hosts.csv", "--output", "json").stdout)

    lines = [line.split() for line in shown.splitlines() if line.startswith("~")]
    assert lines
    assert {(line[2], line[3], line[4]) for line in lines} == {("rack", racks[0], "ams1-r01")}
    assert [line.split() for line in by_key.splitlines() if line.startswith("~")] == lines
    assert {len(cell[side]) for cell in told["cells"] for side in ("before", "after")} == {24}


@pytest.mark.parametrize("names", ["names.csv", "names.xlsx"])
def test_a_file_with_names_of_references_and_one_with_ids_differ_by_their_edits(sispy, sis, names):
    told = ("name ~ ^web", "--fields", "name,rack,services")
    sispy("export", "host", "-o", "ids.parquet", *told)
    sispy("export", "host", "-o", names, "--refs", "label", *told)
    pairs = (("ids.parquet", names), (names, "ids.parquet"))
    before = [sispy("diff", *pair).stderr.splitlines()[-1] for pair in pairs]
    hosts = sis.client().entities("host")
    web = (row for row in hosts.fetch_all({"populate": False}) if row["name"].startswith("web"))
    host = next(row for row in web if row.get("rack"))
    hosts.update(host["_id"], {"services": []})
    hosts.update(host["_id"], {"rack": None})
    sispy("export", "host", "-o", "today.csv", *told)

    edits = json.loads(sispy("diff", names, "today.csv", "--output", "json").stdout)["cells"]

    assert before == ["no difference", "no difference"]
    rack = sis.client().entities("rack").get(host["rack"]).to_dict()["name"]
    found = {(edit["key"], edit["field"], edit["before"], edit["after"]) for edit in edits}
    assert (host["name"], "rack", rack, "") in found
    assert {edit[0] for edit in found} == {host["name"]}


QUOTED = [["'t Hart", "place"], ["a", "'s-Hertogenbosch"], ["b", "'x'"], ["c", "'99"], ["d", "'=1+1"]]
"""What people write with an apostrophe in front; and one that an export writes."""


@pytest.mark.parametrize("suffix", ["csv", "tsv", "xlsx"])
def test_an_apostrophe_that_people_wrote_is_stored(sispy, sis, suffix):
    if suffix == "xlsx":
        book = openpyxl.Workbook()
        for row in QUOTED:
            book.active.append(row)
        book.save("towns.xlsx")
    else:
        mark = {"csv": ",", "tsv": "\t"}[suffix]
        Path(f"towns.{suffix}").write_text("\n".join(map(mark.join, QUOTED)) + "\n", encoding="utf-8")

    rename = ("--rename", "'t Hart=name")
    told = sispy("import", f"towns.{suffix}", "--schema", "town", "--owner", "ops", "--yes", *rename)

    assert told.exit_code == 0, told.stderr
    towns = sis.client().entities("town")
    assert {row["name"]: row["place"] for row in towns.fetch_all()} == {
        "a": "'s-Hertogenbosch",
        "b": "'x'",
        "c": "'99",
        "d": "=1+1",
    }


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_an_apostrophe_that_was_typed_into_ones_own_file_is_planned(sispy, suffix):
    file = f"hosts.{suffix}"
    assert sispy("export", "host", "-o", file).exit_code == 0
    if suffix == "xlsx":
        book = openpyxl.load_workbook(file)
        sheet = book["host"]
        at = {cell.value: place for place, cell in enumerate(sheet[1])}
        row = next(row for row in sheet if row[at["name"]].value == "web-fra1-001")
        row[at["notes"]].value = "'s Hage"
        book.save(file)
    else:
        with Path(file).open(encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
        next(row for row in rows if row["name"] == "web-fra1-001")["notes"] = "'s Hage"
        with Path(file).open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    told = json.loads(sispy("plan", "host", file, "--output", "json").stdout)

    assert [(c["key"], c["field"], c["after"]) for c in told["cells"]] == [
        ("web-fra1-001", "notes", "'s Hage")
    ]


def test_numbers_and_dates_that_became_text_are_told_with_their_options(sispy, sis):
    Path("fees.csv").write_text("name;fee;due\na;1.234,50;25.03.2024\nb;2,50;\n", encoding="utf-8")

    told = sispy("import", "fees.csv", "--schema", "fee", "--owner", "ops", "--yes")

    assert told.exit_code == 0, told.stderr
    assert [line.strip() for line in told.stderr.splitlines() if "taken for text" in line] == [
        "fee: 2 cells look like numbers and are taken for text: 1.234,50 (row 2), 2,50 (row 3); "
        "--decimal , reads decimal commas, --thousands . lets groups have points",
        "due: 1 cell looks like a date and is taken for text: 25.03.2024 (row 2); "
        "--dayfirst takes 3/4/2026 for the third of April",
    ]


def test_a_table_is_not_made_of_cells_that_may_be_apart_otherwise(sispy):
    Path("a.csv").write_text("name,a;b\nx,1;2\n", encoding="utf-8")

    refused = sispy("import", "a.csv", "--schema", "t", "--yes")
    told = sispy("import", "a.csv", "--schema", "t", "--yes", "--delimiter", ",")

    assert (refused.exit_code, told.exit_code) == (64, 0)
    assert "--delimiter , says so, --delimiter ';' takes the other" in refused.stderr


def test_amounts_and_words_of_json_fields_are_told_with_their_options(sispy, sis):
    Path("a.csv").write_text(
        "name,price,facts\nweb-fra1-001,€ 5,red\nweb-fra1-002,€ 7.5,blue\nweb-fra1-003,8%,{a\n",
        encoding="utf-8",
    )
    rows = [{"name": "web-fra1-001", "price": True}, {"name": "web-fra1-002", "ips": [], "price": 1}]
    Path("b.ndjson").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    lines = sispy("plan", "host", "a.csv", "--key", "name").stdout.splitlines()
    of_json = json.loads(sispy("plan", "host", "b.ndjson", "--key", "name", "--output", "json").stdout)

    assert [line for line in lines if " look" in line] == [
        "2 cells in 1 column look like € 5 (row 2, row 3): --unit '€' reads numbers without it",
        "2 cells in 1 column look like red (row 2, row 3): --text facts takes all cells of the column for"
        " texts, as they are shown",
        "1 cell in 1 column looks like 8% (row 4): --unit % reads 50% as 50, --unit %=0.01 reads it as 0.5",
    ]
    assert [(one["key"], one["column"], one["reason"]) for one in of_json["problems"]] == [
        ("web-fra1-001", "price", "a boolean is not a number")
    ]


def test_a_file_that_joins_a_table_is_read_as_its_unchanged_cells_tell(sispy, sis):
    assert sispy("export", "host", "-o", "hosts.csv").exit_code == 0
    rewritten("hosts.csv", set_note)
    text = Path("hosts.csv").read_text(encoding="cp1252")
    lines = [line.partition(";")[2].rpartition(";")[0] for line in text.splitlines()]
    header = lines[0].split(";")
    fresh = dict.fromkeys(header, "") | {"name": "web-new-001", "status": "planned", "price": "7,5"}
    Path("hosts.csv").write_text(
        "\n".join([*lines, ";".join(fresh[name] for name in header)]), encoding="cp1252"
    )

    shown = sispy("import", "hosts.csv", "--schema", "host", "--dry-run", "--output", "json")
    told = json.loads(shown.stdout)["plan"]

    cells = {(cell["key"], cell["field"], cell["after"]) for cell in told["cells"]}
    assert {cell for cell in cells if cell[0] != "web-new-001"} == {
        ("web-fra1-001", "notes", "geprüft"),
        ("web-fra1-001", "price", 1234.5),
    }
    assert [(one["key"], one["column"]) for one in told["problems"]] == [("web-new-001", "price")]
    assert "--decimal , reads decimal commas" in told["problems"][0]["reason"]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_are_left_out_and_named(sispy, sis, state):
    book = openpyxl.Workbook()
    for row in (["name", "ip"], ["w1", "10.0.0.1"]):
        book.active.append(row)
    other = book.create_sheet("Lists")
    for row in (["name"], ["x"], ["y"]):
        other.append(row)
    other.sheet_state = state
    book.save("vendor.xlsx")

    seen = sispy("import", "vendor.xlsx", "--schema", "seen", "--yes", "--owner", "ops")
    named = sispy("import", "vendor.xlsx", "--schema", "named", "--yes", "--owner", "ops", "--sheet", "Lists")

    assert (seen.exit_code, named.exit_code) == (0, 0)
    assert "left out, as hidden: 1 sheet (Lists); --sheet Lists reads it" in seen.stderr
    assert "left out" not in named.stderr
    assert [sis.client().entities(name).count() for name in ("seen", "named")] == [1, 2]


def test_why_a_column_that_is_called_like_a_key_is_none(sispy):
    Path("rows.ndjson").write_text('{"name": "a", "v": 1}\n{"name": "a", "v": 1}\n{"v": 2}\n')

    made = sispy("import", "rows.ndjson", "--schema", "keyless", "--yes", "--owner", "ops")

    said = "name is not the key: there are 1 row without it and 2 rows with the same value as others"
    assert (made.exit_code, said in made.stderr) == (0, True)


def test_of_columns_with_one_name_that_one_is_renamed_which_got_another(sispy):
    Path("rows.csv").write_text("name,disk,disk\na,1,2\n")

    made = sispy("import", "rows.csv", "--schema", "twice", "--yes", "--owner", "ops", "--dry-run")

    assert "'disk' becomes 'disk 2'; --rename 'disk 2=NAME' names it otherwise" in made.stderr
