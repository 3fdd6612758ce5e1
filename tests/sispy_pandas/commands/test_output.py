"""What `--output` gives: the same answer in each form, JSON with the very keys that the reference lists."""

import csv
import io
import json
import re
from pathlib import Path

import click
import pytest

import sispy_pandas as sp
from pages import blocks
from sispy.text import cells

FORMS = ["text", "md", "csv", "json"]
KINDS = {
    "whoami": ["whoami"],
    "schemas": ["schemas"],
    "schema": ["schemas", "rack"],
    "rows": ["show", "host", "os.name=rhel", "--fields", "name,rack,services,os", "--limit", "3"],
    "row": ["show", "host", "web-fra1-001"],
    "history": ["history", "host", "web-fra1-001"],
    "blame": ["history", "host", "web-fra1-001", "--blame"],
    "changes": ["changes", "host", "--since", "1h"],
    "diff": ["diff", "old.csv", "new.csv"],
    "plan": ["plan", "host", "typo.csv", "--key", "name"],
    "push": ["push", "host", "typo.csv", "--key", "name", "--yes", "--skip-problems"],
    "plans": ["plan", "new.csv", "racks.csv"],
    "pushed": ["push", "new.csv", "racks.csv", "--yes", "--note", "CHG2"],
    "pushes": ["pushes"],
    "check": ["check", "host", "--by", "rack,os.name,os.version,role"],
    "verify": ["verify"],
    "mirror": ["mirror", "rack", "mirrored", "--fields", "name"],
}
"""A command for every kind of answer."""
WRITING = {"push", "pushed", "mirror"}
"""Those of them after which another answer would differ; that of mirror tells a path, too."""
PUSHES = {
    "set": ["set", "host", "name~fra1-00[12]", "--to", "notes=set", "--yes", "--expect-updates", "12"],
    "undo": ["undo", "--yes"],
    "revert": ["revert", "host", "--since", "1h", "--yes"],
    "import": ["import", "rows.json", "--schema", "shelf", "--key", "name", "--yes"],
    "resume": ["resume", "stopped.jsonl", "--yes"],
}
"""Other commands whose answer is that of a push."""


@pytest.fixture(autouse=True)
def pushed(sispy):
    """A push that was done, an export, an edit of it, and a file with a problem."""
    Path("pushed.csv").write_text("name,notes\nweb-fra1-001,=pushed\n")
    assert sispy("push", "host", "pushed.csv", "--key", "name", "--yes", "--note", "CHG1").exit_code == 0
    assert sispy("export", "host", "-o", "old.csv", "os.name=rhel", "-q").exit_code == 0
    Path("new.csv").write_text(Path("old.csv").read_text().replace(",rhel,8,", ",rhel,10,", 1))
    assert sispy("export", "rack", "-o", "racks.csv", "-q").exit_code == 0
    Path("racks.csv").write_text(re.sub(r",(fra1|ams1)-r01,", r",\1-r98,", Path("racks.csv").read_text()))
    Path("new.csv.meta.json").write_bytes(Path("old.csv.meta.json").read_bytes())
    Path("typo.csv").write_text("name,notes,status\nweb-fra1-001,seen,live\nweb-fra1-002,,lvie\n")
    Path("rows.json").write_text('[{"name": "a", "depth": 60}, {"name": "b", "depth": 80.5}]')


def shapes() -> dict[str, dict]:
    """Return the keys of each kind of JSON, as listed in the reference: of objects a dict, of lists one."""
    (block,) = blocks("docs/reference.md", "text")
    found: dict[str, dict] = {}
    known: dict[str, dict] = {}
    for line in re.split(r"\n(?=\S)", block.strip()):
        kind, _, keys = line.partition(":")
        found[kind] = known[kind] = keys_of(iter(re.findall(r"\w+|[\[\]{}]", keys)), known)
    return found


def keys_of(tokens, known) -> dict:
    keys: dict = {}
    name = ""
    for token in tokens:
        if token in "]}":
            break
        if token in "[{":
            inner = keys_of(tokens, known)
            inner = known[[*inner][-1]] if "as" in inner else inner
            keys[name] = [inner] if token == "[" else inner
            known.setdefault(name, inner)
        else:
            name = token
            keys[name] = None
    return keys


def check(value, shape, where: str) -> None:
    """Compare a value's keys with a shape, at every depth."""
    if isinstance(shape, dict):
        assert value.keys() == shape.keys(), where
        for key, inner in shape.items():
            check(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        for member in value:
            check(member, shape[0], f"{where}[]")


def test_a_command_for_every_kind_that_is_listed():
    assert KINDS.keys() == shapes().keys()


@pytest.mark.parametrize("kind", KINDS)
def test_json_has_the_keys_that_the_reference_lists(sispy, kind):
    result = sispy(*KINDS[kind], "--output", "json")
    document = json.loads(result.stdout)

    assert list(document)[:2] == ["kind", "version"]
    assert (document.pop("kind"), document.pop("version"), result.stderr) == (kind, 1, "")
    check(document, shapes()[kind], kind)


@pytest.fixture
def stopped(sis):
    """A push of two rows that was cancelled after the first."""
    hosts = sis.client().entities("host")
    plan = sp.set_values(hosts, "name ~ ^web-fra1-00[23]", {"notes": "resumed"}, progress=False)
    since = len(sis.requests)
    plan.push(
        journal="stopped.jsonl",
        progress=False,
        limits=sp.Limits(rows=1),
        cancel=lambda: any(request.method == "PUT" for request in sis.requests[since:]),
    )


@pytest.mark.parametrize(
    ("kind", "forms"),
    [
        *((kind, FORMS) for kind in sorted({*KINDS} - WRITING)),
        *((kind, [form]) for kind in sorted({*PUSHES, *WRITING} - {"mirror"}) for form in FORMS),
    ],
)
def test_each_form_of_each_answer(sispy, steady, golden, kind, forms, request):
    if kind == "resume":
        request.getfixturevalue("stopped")
    command = {**KINDS, **PUSHES}[kind]
    for form in forms:
        result = sispy(*command, "--output", form)

        said = [*steady(result.stdout), *(f"! {line}" for line in steady(result.stderr))]
        golden(f"output/{kind}.{form}", [f"$ sispy {' '.join(command)} --output {form}", *map(still, said)])


@pytest.mark.parametrize("kind", PUSHES)
def test_json_of_other_pushes_has_the_keys_of_a_push(sispy, kind, request):
    if kind == "resume":
        request.getfixturevalue("stopped")
    document = json.loads(sispy(*PUSHES[kind], "--output", "json").stdout)

    assert (document.pop("kind"), document.pop("version")) == ("push", 1)
    check(document, shapes()["push"], kind)


def still(line: str) -> str:
    """Return a line without parts of seconds, folders, and names of pushes."""
    line = re.sub(r"/[^, \"]+/pushes/[^, \"]+-(\w+)-\w{6}\.jsonl", r".../pushes/TIME-\1-PPPPPP.jsonl", line)
    line = re.sub(r"(_at\": )\d{13}", r"\1MS", line)
    line = re.sub(r"(SS|HH:MM)\.\d{3}Z", r"\1.mmmZ", line)
    return re.sub(r"\b(?!facade|decade)[0-9a-f]{6}\b(?![-:])", "PPPPPP", line)


def test_csv_is_text_for_spreadsheets(sispy):
    rows = list(csv.DictReader(io.StringIO(sispy(*KINDS["changes"], "--output", "csv").stdout)))

    assert [(row["key"], row["field"], row["after"]) for row in rows] == [
        ("web-fra1-001", "notes", "'=pushed")
    ]


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (
            ["schemas", "hots"],
            {
                "error": "{url} has no table 'hots'. Did you mean host?",
                "status": 64,
                "remedy": [
                    {"do": "host", "does": "was perhaps meant"},
                    {"do": "sispy schemas", "does": "lists them"},
                ],
            },
        ),
        (
            ["show", "host", "statsu=live"],
            {
                "error": "schema 'host' has no field 'statsu'; did you mean 'status'?",
                "status": 64,
                "remedy": [{"do": "status", "does": "was perhaps meant"}],
            },
        ),
        (
            ["show", "host", "--limti", "3"],
            {
                "error": "No such option '--limti'. Did you mean '--limit'?",
                "status": 64,
                "remedy": [{"do": "--limit", "does": "was perhaps meant"}],
            },
        ),
        (
            ["push", "host", "typo.csv", "--key", "name", "--yes"],
            {
                "error": "nothing was pushed: fix the problems above and run it again",
                "status": 3,
                "remedy": [{"do": "--skip-problems", "does": "pushes the other rows"}],
            },
        ),
        (
            ["undo"],
            {
                "error": "Push 1 row to host on {url}? There is no terminal to ask",
                "status": 64,
                "remedy": [{"do": "--yes", "does": "answers yes"}],
            },
        ),
        (["changes", "host"], {"error": "Missing option '--since'.", "status": 64, "remedy": []}),
        (
            ["plan", "host", "none.csv"],
            {
                "error": "Invalid value: File 'none.csv' does not exist.",
                "status": 64,
                "remedy": [],
            },
        ),
        (
            ["schemas", "--url", "http://127.0.0.1:9"],
            {
                "error": "http://127.0.0.1:9: cannot connect (Connection refused) - is the address right, "
                "and the server up?",
                "status": 6,
                "remedy": [],
            },
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_an_error_is_an_object_on_standard_error(sispy, sis, command, error):
    result = sispy(*command, "--output", "json")

    said = json.loads(result.stderr)
    assert said | {"error": said["error"].replace(sis.url, "{url}")} == error
    assert result.exit_code == error["status"]


def test_a_refused_token_is_told_in_the_answer_and_as_an_error(sispy, monkeypatch):
    monkeypatch.setenv("SIS_TOKEN", "no-such-token")

    result = sispy("whoami", "--output", "json")

    assert json.loads(result.stdout)["token"] == {"value": "refused", "from": "SIS_TOKEN"}
    assert json.loads(result.stderr) == {
        "error": "the server refuses the token of SIS_TOKEN: correct or unset it",
        "status": 7,
        "remedy": [{"do": "sispy login", "does": "gets another"}],
    }


def test_a_refused_push_tells_its_plan_all_the_same(sispy):
    result = sispy("push", "host", "typo.csv", "--key", "name", "--yes", "--output", "json")
    document = json.loads(result.stdout)

    assert document["report"] is None
    assert [(p["column"], p["value"]) for p in document["plan"]["problems"]] == [("status", "lvie")]


def test_the_next_steps_of_a_push_are_data(sispy):
    document = json.loads(sispy(*KINDS["push"], "--output", "json").stdout)
    (name,) = re.findall(r"-(\w{6})\.jsonl$", document["report"]["journal"])

    assert document["report"]["counts"]["done"] == 1
    assert document["next"] == [{"do": f"sispy undo {name}", "does": "puts the old values back"}]


def test_who_asks_for_json_in_a_terminal_reads_the_plan_before_the_question(terminal, screen):
    status, lines = screen(terminal("undo", "--output", "json"))

    assert status == 0
    assert lines[0].startswith("host on http://127.0.0.1:NNNNN as root: 1 update")
    assert [line for line in lines if "[y/N]: y" in line] != []
    assert lines[-1] == "}"


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_no_answer_is_wider_than_its_terminal(sispy, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))

    for args in KINDS.values():
        for line in click.unstyle(sispy(*args).stdout).splitlines():
            assert cells(line) <= columns, (args, line)
