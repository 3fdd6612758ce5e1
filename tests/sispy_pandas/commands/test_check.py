"""`sispy check`: what is wrong in a table although the server takes it."""

import csv
import io
import json
import shlex


def test_a_table_in_order_ends_with_0(sispy, sis):
    result = sispy("check", "rack")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("0 dangling references, 0 duplicates\n")


def test_dangling_references_and_duplicates_are_found_in_every_form(sispy, sis):
    client = sis.client()
    racks, hosts = client.entities("rack"), client.entities("host")
    site = racks.fetch_page({"limit": 1, "populate": False})[0]["site"]
    made = racks.create([{"name": "Z9", "site": site}, {"name": "z 9", "site": site}])["success"]
    hosts.update("web-fra1-001", {"rack": made[0]["_id"]})
    racks.delete(made[0]["_id"])
    racks.create({"name": "z9", "site": site})

    text = sispy("check")
    found = json.loads(sispy("check", "--output", "json").stdout)["findings"]
    rows = list(csv.DictReader(io.StringIO(sispy("check", "rack", "--output", "csv").stdout)))

    assert text.exit_code == 2
    assert "1 dangling reference, 2 duplicates" in text.stdout
    assert text.stderr == "`sispy merge rack 'z 9' z9` makes one row of the first ones\n"
    assert [(f["finding"], f["table"], f["key"], f["field"], f["was"]) for f in found] == [
        ("dangling reference", "host", "web-fra1-001", "rack", "z9"),
        ("duplicate", "rack", "z 9", "name", None),
        ("duplicate", "rack", "z9", "name", None),
    ]
    assert [(row["key"], row["proposal"]) for row in rows] == [
        ("z 9", made[1]["_id"]),
        ("z9", made[1]["_id"]),
    ]


def test_fields_to_compare_are_named(sispy):
    assert sispy("check", "host", "--by", "serial,ip").exit_code == 0
    assert sispy("check", "host", "--by", "os.name").exit_code == 2
    assert sispy("check", "host", "--by", "os.nme").exit_code == 64
    assert sispy("check", "--by", "serial").exit_code == 64


def test_duplicates_become_one_row_and_come_apart_by_one_undo(sispy, sis, terminal, screen):
    racks, hosts = sis.client().entities("rack"), sis.client().entities("host")
    kept = racks.fetch_page({"limit": 1, "populate": False})[0]
    twin = racks.create({"name": "twin", "site": kept["site"]})
    hosts.update("web-fra1-001", {"rack": twin["_id"]})

    def held():
        return hosts.get("web-fra1-001", {"populate": False})["rack"], racks.count({"name": "twin"})

    for args, sentence in [
        ([kept["name"], "nothing"], "rack has no row 'nothing'"),
        ([kept["name"], kept["name"]], "a row is named twice: it cannot be merged with itself"),
        ([kept["name"], "twin", "--journal", "j.jsonl"], "each table has a journal of its own: leave it out"),
        ([kept["name"], "twin"], "There is no terminal to ask: --yes answers yes"),
    ]:
        result = sispy("merge", "rack", *args)
        assert (result.exit_code, sentence in result.stderr) == (64, True)
    status, lines = screen(terminal("merge", "rack", kept["name"], "twin", "--note", "CHG1"))

    assert (status, held()) == (0, (kept["_id"], 0))
    assert f"~  web-fra1-001  rack   twin    {kept['name']}" in lines
    assert sispy("undo", "--yes", "-q").exit_code == 0
    assert held()[1] == 1


def test_the_merge_that_is_proposed_takes_no_name_of_a_row_for_an_option(sispy, sis):
    client = sis.client()
    definition = {"name": {"type": "String", "required": True, "unique": True}}
    client.schemas.create({"name": "thing", "definition": definition, "_sis": {"owner": ["web"]}})
    names = ["--yes", "--YES", "-- yes", "--y\nes", "--y\x1bes"]
    made = client.entities("thing").create([{"name": name} for name in names])["success"]

    result = sispy("check", "thing")

    _, *words = shlex.split(result.stderr.split("`")[1])
    assert words[:2] == ["merge", "thing"]
    assert sorted(words[2:]) == sorted(row["_id"] for row in made if "\x1b" not in row["name"])
    assert sispy(*words).exit_code == 64  # it would have to ask
