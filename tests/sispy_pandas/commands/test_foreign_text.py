"""A server, files and names that hold what no terminal should get: nothing of it leaves any face as it is."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

import sispy
import sispy_pandas as sp
from sispy.cli import main
from sispy.cli.completion import offered
from sispy.http.by_requests import RequestsHandler
from sispy.text import printable

EVIL = "e\x1b[2J\x1b]52;c;ZQ==\x07\x9b5m\x7f\u202e\u2066\u200b\u2028\r\ufeffv"
MARKUP = "|`x` <script>alert(1)</script> ![i](http://e.example) [l](http://e.example) @all #1 ~~s~~ &lt; "
MARKUP += "www.e.example"
NAME_ALONE = {"name": {"type": "String", "unique": True, "required": True}}
LONG = "k" * 30_000
COLOURS = re.compile("\x1b\\[(?:0|1|3[1236])m")


def clean(text: str, name: str = "") -> None:
    """Assert that a text holds nothing but text, and no line without end."""
    plain = COLOURS.sub("", text)
    seen = printable(plain, lines=True)
    at = next((i for i, (a, b) in enumerate(zip(plain, seen, strict=False)) if a != b), 0)
    assert seen == plain, f"{name}: {plain[max(0, at - 60) : at + 20]!r}"
    if plain[:1] not in ("{", "[", "<"):  # JSON and pages may be as wide as what they hold
        assert max(map(len, plain.split("\n"))) < 4000, name


@pytest.fixture
def run(env, tmp_path):
    """Run a command as on a terminal that shows colours; what it prints is checked and returned."""

    def run(*args, check=True):
        arguments = [str(arg) for arg in args]
        result = CliRunner().invoke(main, arguments, prog_name="sispy", color=True)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if check:
            clean(result.stdout, f"{arguments}: stdout")
        clean(result.stderr, f"{arguments}: stderr")
        return result

    return run


@pytest.fixture
def evil(sis):
    """Return the endpoint of a table that is evil in all that the server lets one write."""
    client = sis.client()
    definition = {
        "name": {"type": "String", "unique": True, "required": True, "description": EVIL},
        f"f{EVIL}".replace(".", ""): {"type": "String", "enum": [EVIL, "other"], "description": MARKUP},
        "x": {"type": "String", "match": "/^[^0]/"},
        "m": {"type": "Mixed", "default": {EVIL: EVIL}},
        "l": ["String"],
    }
    document = {"name": "evil", "definition": definition, "id_field": "name", "_sis": {"owner": [EVIL]}}
    client.schemas.create(document | {"_sis": {"owner": ["ops", EVIL]}})
    endpoint = client.entities("evil")
    path = f"f{EVIL}"
    rows = [
        {"name": EVIL, "x": EVIL, path: EVIL, "m": {EVIL: [EVIL]}, "l": [EVIL]},
        {"name": MARKUP, "x": MARKUP, "l": [MARKUP]},
        {"name": LONG, "x": LONG, "m": {"long": LONG}},
    ]
    endpoint.create(rows)
    return endpoint


def edit(path: str, **values: str) -> None:
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, **values} for row in rows)


def test_every_command_shows_text_alone(run, evil, sis):
    file = f"{EVIL}.csv"
    run("schemas")
    run("schemas", "evil")
    run("schemas", EVIL)
    run("export", "evil", "-o", file)
    run("export", "evil", "-o", f"{EVIL}.xlsx")
    run("export", "evil", "-o", "old.csv")
    run("export", "evil", "-o", "a.csv", f"nothing{EVIL}=1")
    run("export", "evil", "-o", f"no{EVIL}/a.csv")
    run("history", "evil", EVIL)
    run("history", "evil", EVIL, "--blame")
    run("history", "evil", "nobody" + EVIL)
    edit(file, x=f"new {EVIL}{MARKUP}{'y' * 3000}", l=json.dumps([EVIL, MARKUP]))
    for output in ("text", "md", "html", "json"):
        run("plan", "evil", file, "--output", output)
    run("plan", "evil", file, "--check", "-o", f"plan{EVIL}.json")
    for output in ("text", "html", "json"):
        run("diff", "old.csv", file, "--output", output)
    run("diff", "evil", file)
    pushed = run("push", "evil", file, "--yes", "--note", EVIL, "--log-file", "log")
    assert pushed.exit_code == 0
    run("pushes")
    for name in ("evil", EVIL):
        run("changes", name, "--since", "1h")
    run("changes", "evil", "--since", "1h", "--cells", "--by", "root")
    run("undo", "--yes")
    run("undo", f"no{EVIL}", "--yes")
    run("resume", "--yes")
    run("revert", "evil", "--since", "1h", "--yes")
    run("import", file, "--schema", f"x{EVIL}", "--yes")
    run("import", file, "--schema", "evil", "--yes")
    run("whoami")
    run("whoami", "--profile", EVIL)
    run("whoami", "--url", f"http://{EVIL}")
    run("logout", "--profile", EVIL)
    run("login", f"http://127.0.0.1:1/{EVIL}", "--user", EVIL)
    run(EVIL)
    run("plan", "evil", f"missing{EVIL}.csv")
    run("push", f"missing{EVIL}.json")
    clean(Path("log").read_text(encoding="utf-8"), "log")


def test_problems_conflicts_and_stale_rows_show_text_alone(run, evil, sis):
    file = f"{EVIL}.csv"
    run("export", "evil", "-o", file)
    run("export", "evil", "-o", f"{EVIL}.xlsx")
    evil.update(EVIL, {"x": f"theirs{EVIL}"})
    edit(file, x="mine" + EVIL)
    run("push", "evil", file, "--yes", "--conflicts-out", f"left{EVIL}.csv", "--log-file", "log")
    edit(file, x="0" + EVIL + MARKUP)
    for output in ("text", "md", "html", "json"):
        run("plan", "evil", file, "--output", output)
    run("push", "evil", file, "--yes", "--skip-problems")
    run("plan", "evil", f"{EVIL}.xlsx", "--mark", f"marked{EVIL}.xlsx")
    edit(file, _id=f"lost{EVIL}")
    run("plan", "evil", file)
    Path(file).write_text(f"_id,{EVIL},{EVIL}\n", encoding="utf-8")
    run("plan", "evil", file)
    Path(f"{EVIL}.json").write_text(json.dumps({"sispy_plan": EVIL}), encoding="utf-8")
    run("push", f"{EVIL}.json")
    Path(f"{EVIL}.xlsx").write_text("no workbook", encoding="utf-8")
    run("plan", "evil", f"{EVIL}.xlsx")
    clean(Path("log").read_text(encoding="utf-8"), "log")


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 429, 500, 503])
def test_refusals_of_a_server_are_text(run, evil, sis, status, caplog, monkeypatch):
    monkeypatch.setattr("sispy.transport.time.sleep", lambda _: None)
    body = {"error": f"{EVIL}\n2026-01-01 INFO sispy forged {LONG}", "code": EVIL, "errmsg": EVIL}
    send, refused = RequestsHandler.send, False

    def refuse(self, request, **how):
        answer = send(self, request, **how)
        return replace(answer, status=status, body=json.dumps(body).encode()) if refused else answer

    monkeypatch.setattr(RequestsHandler, "send", refuse)
    run("export", "evil", "-o", "evil.csv")
    edit("evil.csv", x="new")
    refused = True
    caplog.set_level(logging.DEBUG, "sispy")
    for command in (["schemas"], ["export", "evil", "-o", "b.csv"], ["push", "evil", "evil.csv", "--yes"]):
        run(*command, "--log-file", "log")
    clean(caplog.text, "logger")
    clean(Path("log").read_text(encoding="utf-8"), "log")


def test_data_for_programs_keep_exact_values(run, evil):
    evil.update(EVIL, {"x": f"theirs{EVIL}"})

    rows = list(
        csv.reader(
            io.StringIO(run("changes", "evil", "--since", "1h", "--output", "csv", check=False).stdout)
        )
    )

    assert f"theirs{EVIL}" in [row[4] for row in rows]
    assert {len(row) for row in rows} == {8}


def test_shown_values_in_python_are_text(evil, tmp_path):
    live = sp.fetch(evil, progress=False)
    plan = live.diff(live.frame().assign(x=f"new{EVIL}", l=[(EVIL,)] * 3))
    problems = live.diff(live.frame().assign(x=f"0{EVIL}"))
    evil.update(EVIL, {"x": f"theirs{EVIL}"})
    report = plan.push(progress=False, note=EVIL)
    changes = sp.changes(evil, since="2020-01-01T00:00Z", progress=False)
    shown = {
        "snapshot": live,
        "plan": plan,
        "problems": problems,
        "report": report,
        "changes": changes,
        "undo": sp.undo(report),
        "revert": sp.revert(changes),
        "schema": live.schema,
        "schema plan": sp.plan_schema(
            evil.client,
            "evil",
            {"name": {"type": "String", "unique": True, "required": True}},
            progress=False,
        ),
        "client": evil.client,
        "response": evil.get(EVIL),
        "endpoint": evil.client.entities(EVIL),
        "error": sispy.Error(EVIL, response_dict={"error": EVIL}),
    }
    for name, one in shown.items():
        text = repr(one)
        clean(text[:3000] if name == "response" else text, f"repr of {name}")
        if hasattr(one, "_repr_html_"):
            page = one._repr_html_()
            clean(page[:3000], f"page of {name}")
            assert "<script" not in page, name
    page = report.to_html(tmp_path / f"{EVIL}.html")
    assert "<script" not in page
    assert printable(page, lines=True) == page


def test_long_texts_are_cut_in_comments_previews_and_messages(sis, tmp_path):
    client = sis.client()
    definition = {
        "name": {**NAME_ALONE["name"], "description": LONG},
        "x": {"type": "String", "default": LONG},
    }
    client.schemas.create({"name": "long", "definition": definition, "_sis": {"owner": ["ops"]}})
    client.entities("long").create({"name": "a"})
    live = sp.fetch(client.entities("long"), progress=False)
    sp.to_excel(live, tmp_path / "long.xlsx")

    comments = [cell.comment for sheet in openpyxl.load_workbook(tmp_path / "long.xlsx") for cell in sheet[1]]
    assert max(len(comment.text) for comment in comments if comment) < 2000
    preview = sp.FrameEditor(live)._html()
    assert max(map(len, re.findall(">([^<]*)<", preview))) < 1000
    for read in (
        lambda: live.schema.field(LONG),
        lambda: live.diff(live.frame(), delete=[LONG]),
        lambda: live.diff(live.frame().assign(x="b")).without(fields=[LONG]),
    ):
        with pytest.raises(ValueError) as caught:
            read()
        assert len(str(caught.value)) < 200


def test_a_field_of_any_name_is_read_whole(evil):
    assert sp.fetch(evil, progress=False).frame()[f"f{EVIL}"].tolist()[0] == EVIL


def test_errors_about_files_are_text(evil, tmp_path):
    live = sp.fetch(evil, progress=False)
    book = openpyxl.Workbook()
    for title in ("a\u202eb", "c\u200bd"):
        book.create_sheet(title).append([EVIL.replace("\x1b", "").replace("\x07", "")])
    book.save(tmp_path / f"sheets{EVIL}.xlsx")
    garbage = tmp_path / f"garbage{EVIL}.xlsx"
    garbage.write_bytes(b"\x81\x8d no workbook")
    (tmp_path / f"head{EVIL}.csv").write_text(f"{EVIL},{EVIL}\n", encoding="utf-8")
    (tmp_path / f"empty{EVIL}.csv").write_text("", encoding="utf-8")
    for read in (
        lambda: sp.read_excel(tmp_path / f"sheets{EVIL}.xlsx", live.schema),
        lambda: sp.read_excel(tmp_path / f"sheets{EVIL}.xlsx", live.schema, sheet=EVIL),
        lambda: sp.read_excel(garbage, live.schema),
        lambda: sp.read_csv(garbage, live.schema),
        lambda: sp.read_csv(tmp_path / f"head{EVIL}.csv", live.schema),
        lambda: sp.read_csv(tmp_path / f"empty{EVIL}.csv", live.schema),
        lambda: sp.load_plan(garbage.rename(garbage.with_name(f"plan{EVIL}")), evil.client),
        lambda: sp.load_plan(tmp_path / f"head{EVIL}.csv", evil.client),
        lambda: sp.undo(tmp_path / f"head{EVIL}.csv", client=evil.client),
        lambda: sp.to_csv(live, tmp_path / f"no{EVIL}" / "a.csv"),
        lambda: sp.to_excel(live, tmp_path / f"no{EVIL}.ods"),
        lambda: sp.fetch(evil, {"q": {EVIL: 1}}, progress=False),
        lambda: live.schema.field(EVIL),
        lambda: live.diff(live.frame(), delete=[EVIL]),
    ):
        with pytest.raises((ValueError, OSError)) as caught:
            read()
        clean(str(caught.value), repr(caught.value))


def test_markdown_shows_markup_as_text(run, evil):
    run("export", "evil", "-o", "evil.csv")
    edit("evil.csv", x=MARKUP)

    page = run("plan", "evil", "evil.csv", "--output", "md").stdout

    table = [line for line in page.splitlines() if line.startswith("| ~")]
    assert len(table) == 2
    for line in table:
        assert len(re.findall(r"(?<!\\)\|", line)) == 6
        assert re.search(r"(?<!\\)[`<\[\]@#&]", line) is None
        assert "http://" not in line
        assert "www.e" not in line


def test_the_shell_is_offered_plain_names_alone():
    assert offered(["host", EVIL, "a b", "$(reboot)", "a;b", "é.x-1", "a@b"], "") == ["a@b", "host", "é.x-1"]
