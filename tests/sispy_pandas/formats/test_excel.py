"""Workbooks after people had them: what import takes, and what it names."""

from __future__ import annotations

import datetime
import re
import zipfile
from copy import copy
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd
import pytest
import xlsxwriter

import sispy_pandas as sp
from sispy_pandas import parse_schema
from sispy_pandas.formats.bounds import InFile
from sispy_pandas.formats.excel import Excel
from sispy_pandas.formats.excel_base import Base
from sispy_pandas.formats.excel_file import _NAMESPACES
from sispy_pandas.formats.mapping import read_options
from sispy_pandas.formats.untyped import read_rows
from sispy_pandas.planning.render import kinds
from sispy_pandas.values.changes import Create, Stale
from sispy_pandas.values.source import source_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0)


class Book:
    """A workbook in the hands of a person; columns by name, rows as in a spreadsheet."""

    def __init__(self, path: Path, sheet: str = "host") -> None:
        self.path = path
        self.book = openpyxl.load_workbook(path)
        self.sheet = self.book[sheet]

    def column(self, name: str) -> int:
        return next(cell.col_idx for cell in self.sheet[1] if str(cell.value).split(" (")[0] == name)

    def row(self, name: str) -> int:
        at = self.column("name")
        return next(row for row in range(2, self.sheet.max_row + 1) if self.sheet.cell(row, at).value == name)

    def set(self, row: int, name: str, value: Any) -> None:
        self.sheet.cell(row, self.column(name)).value = value

    def copy_row(self, row: int) -> int:
        below = self.sheet.max_row + 1
        for cell in self.sheet[row]:
            other = self.sheet.cell(below, cell.col_idx, cell.value)
            other.number_format = copy(cell.number_format)
        return below

    def sort(self, key: Callable[[tuple[Any, ...]], Any]) -> None:
        rows = sorted((tuple(c.value for c in row) for row in self.sheet.iter_rows(min_row=2)), key=key)
        for number, row in enumerate(rows, start=2):
            for column, value in enumerate(row, start=1):
                self.sheet.cell(number, column).value = value

    def save(self) -> Path:
        self.book.save(self.path)
        return self.path


@pytest.fixture
def book(server, tmp_path: Path) -> Book:
    """The 20 hosts of the server, exported."""
    sp.to_excel(server.fetch(), tmp_path / "hosts.xlsx")
    return Book(tmp_path / "hosts.xlsx")


def read(server, book: Book, **options: Any):
    schema = server.fetch().schema
    return sp.read_excel(book.save(), schema, **options)


def plan_of(server, book: Book, **options: Any):
    frame = read(server, book, **options)
    return sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)


def cells(plan) -> list[tuple[Any, ...]]:
    return [(change.key, path, before, after) for change, path, before, after in plan.cells()]


def test_an_untouched_workbook_is_an_empty_plan(server, book: Book) -> None:
    plan = plan_of(server, book)
    assert (len(plan), plan.problem_list, plan.stale, plan.notes) == (0, (), (), ())


def test_edits_of_every_type_arrive(server, book: Book) -> None:
    row = book.row("h00003")
    edits = {
        "os": "rhel9", "cpus": 16, "live": True, "since": "2025-01-02 03:04", "ip": "10.9.9.9/8",
        "tags": '["x"]', "disks": '[{"dev": "sdb"}]', "extra": '{"a": 2}', "bios.vendor": "'=cmd",
        "serial": 4711,
    }  # fmt: skip
    for name, value in edits.items():
        book.set(row, name, value)
    plan = plan_of(server, book)
    assert plan.problem_list == ()
    assert {path: after for _, path, _, after in cells(plan)} == {
        "os": "rhel9", "cpus": 16, "live": True, "since": "2025-01-02T03:04:00.000Z", "ip": "10.9.9.9/8",
        "tags": ["x"], "disks": [{"dev": "sdb"}], "extra": {"a": 2}, "bios.vendor": "=cmd", "serial": "4711",
    }  # fmt: skip


def test_what_is_no_value_is_named_with_its_place(server, book: Book) -> None:
    bad = {
        "cpus": "many",
        "live": "maybe",
        "since": "3/4/2025",
        "ip": "300.1.1.1",
        "tags": "x",
        "extra": "x",
        "os": "dos",
    }
    for row, (name, value) in enumerate(bad.items(), start=2):
        book.set(row, name, value)
    frame = read(server, book)
    plan = sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)
    assert [(p.key, p.column, p.value) for p in plan.problem_list] == [
        (f"h{n:05d}", name, value) for n, (name, value) in enumerate(bad.items())
    ]
    source = source_of(frame)
    assert (source.path, source.sheet, source.rows[2]) == (str(book.path), "host", 4)


def test_formulas_errors_and_merged_cells(server, book: Book) -> None:
    book.set(2, "cpus", "=2+2")
    book.set(3, "bios.vendor", "=NA()")
    book.sheet.merge_cells(
        start_row=5, start_column=book.column("tags"), end_row=6, end_column=book.column("tags")
    )
    plan = plan_of(server, book)
    never = "a formula without a result: open it in Excel or LibreOffice, save, try again"
    merged = "merged cells have one value for all: undo the merge"
    assert [(p.key, p.column, p.reason) for p in plan.problem_list] == [
        ("h00000", "cpus", never),
        ("h00001", "bios.vendor", never),
        ("h00003", "tags", merged),
        ("h00004", "tags", merged),
    ]
    assert kinds(plan) == []  # no option tells a value that is not there


def test_a_formula_counts_as_what_a_program_calculated(server, tmp_path: Path) -> None:
    path, live = tmp_path / "calculated.xlsx", server.fetch()
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["name", "cpus"])
        for row, (name, result) in enumerate([("h00000", 7), ("h00001", "#DIV/0!")], 1):
            sheet.write(row, 0, name)
            sheet.write_formula(row, 1, "=1+6", None, result)

    plan = live.diff(sp.read_excel(path, live.schema), key="name")

    assert next((c.key, dict(c.after)) for c in plan.changes) == ("h00000", {"cpus": 7})
    assert [(p.key, p.column, p.value, p.reason) for p in plan.problem_list] == [
        ("h00001", "cpus", "#DIV/0!", "an error of the program: na=['#DIV/0!'] says that it means no value")
    ]


def test_a_truth_that_a_program_writes_as_a_formula_is_no_result_of_one(server, tmp_path: Path) -> None:
    path, live = tmp_path / "never-calculated.xlsx", server.fetch()
    book = openpyxl.Workbook()
    for row in (["name", "live", "cpus"], ["h00000", "=FALSE()", 2], ["h00001", "=FALSE()", "=1+6"]):
        book.active.append(row)
    book.save(path)

    frame = sp.read_excel(path, live.schema)
    plan = live.diff(frame, key="name")

    assert frame["live"].tolist() == [False, False]
    assert [(p.key, p.column) for p in plan.problem_list] == [("h00001", "cpus")]


@pytest.mark.parametrize("cells", [["x", "y"], [None, "y"], [None, None]])
def test_a_column_without_a_heading_is_there_if_anything_is_in_it(server, tmp_path: Path, cells) -> None:
    book = openpyxl.Workbook()
    for row in (["name", None, "cpus"], ["h00000", cells[0], 1], ["h00001", cells[1], 2]):
        book.active.append(row)
    book.save(tmp_path / "hosts.xlsx")

    frame = sp.read_excel(tmp_path / "hosts.xlsx", server.fetch().schema)

    found = {name: frame[name].tolist() for name in frame.columns}
    assert found == {"name": ["h00000", "h00001"], "cpus": [1, 2]} | (
        {"column 2": cells} if any(cells) else {}
    )


def test_a_copied_row_is_a_problem_or_a_new_row(server, book: Book) -> None:
    for number in (1, 2):
        row = book.copy_row(book.row("h00007"))
        book.set(row, "name", f"new{number}")
        book.set(row, "serial", f"new{number}")
    book.sort(lambda row: str(row[1]))
    plan = plan_of(server, book)
    row = book.row("h00007")
    assert [(p.row, p.reason, p.key) for p in plan.problem_list] == [
        (row + 13, f"copy of h00007 (row {row}): clear its _id to make a new row", "new1"),
        (row + 14, f"copy of h00007 (row {row}): clear its _id to make a new row", "new2"),
    ]
    plan = plan_of(server, book, copies="new")
    assert plan.problem_list == ()
    assert [(type(change), change.key) for change in plan.changes] == [(Create, "new1"), (Create, "new2")]


def test_of_a_row_and_its_unchanged_copy_the_first_is_the_row(server, book: Book) -> None:
    row = book.row("h00007")
    copy = book.copy_row(row)

    plan = plan_of(server, book)

    reason = f"copy of h00007 (row {row}): clear its _id to make a new row"
    assert [(p.row, p.reason) for p in plan.problem_list] == [(copy, reason)]


def test_a_renamed_column_is_asked_for_and_taken_when_told(server, book: Book) -> None:
    book.sheet.cell(1, book.column("bios.vendor")).value = "BIOS vendor"
    book.set(2, "BIOS vendor", "hp")
    plan = plan_of(server, book)
    assert len(plan) == 0
    said = "renamed from 'bios.vendor'? rename={'BIOS vendor': 'bios.vendor'} reads it so"
    assert plan.notes[0] == f"column 'BIOS vendor': {said}"
    assert cells(plan_of(server, book, rename={"BIOS vendor": "bios.vendor"})) == [
        ("h00000", "bios.vendor", "acme", "hp")
    ]


def test_a_workbook_of_another_schema_or_server_is_refused(server, book: Book) -> None:
    site = sp.fetch(server.client.entities("site"), progress=False).schema
    with pytest.raises(ValueError, match=r"is a workbook of schema host, not of 'site'"):
        sp.read_excel(book.path, site)
    frame = read(server, book)
    server.client.url = "https://other.example.com"
    with pytest.raises(
        ValueError, match=r"was exported from server http://127.0.0.1:\d+, not from https://other"
    ):
        sp.snapshot_of(server.hosts, frame, progress=False)


@pytest.mark.parametrize(
    ("name", "message"),
    [("h.csv", "is not an .xlsx workbook: save it as one"), ("h.xlsx", "is not a workbook, or a")],
)
def test_what_is_no_workbook_is_refused(host_schema, tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_text("name\nweb1\n")
    with pytest.raises(ValueError, match=message):
        sp.read_excel(tmp_path / name, host_schema)


def test_a_stale_workbook_merges_without_history(server, tmp_path: Path) -> None:
    logs = server.client.entities("log")
    schema = server.client.schemas.get("log").to_dict()
    server.client.schemas.update("log", {**schema, "track_history": False})
    made = [logs.create({"text": f"t{n}", "n": n}) for n in range(2)]
    sp.to_excel(sp.fetch(logs, progress=False), tmp_path / "log.xlsx")
    logs.update(made[0]["_id"], {"n": 50})
    book = Book(tmp_path / "log.xlsx", "log")
    book.set(2, "text", "edited")
    frame = sp.read_excel(book.save(), sp.fetch(logs, progress=False).schema)
    plan = sp.snapshot_of(logs, frame, progress=False).diff(frame)
    assert [(path, before, after) for _, path, before, after in plan.cells()] == [("text", "t0", "edited")]
    plan.push(progress=False, limits=QUICK).raise_for_failures()
    assert {k: v for k, v in logs.get(made[0]["_id"]).to_dict().items() if k in ("text", "n")} == {
        "text": "edited",
        "n": 50,
    }


def test_the_week_of_a_colleague(server, tmp_path: Path) -> None:
    server.add(range(20, 500))
    sp.to_excel(server.fetch(), tmp_path / "hosts.xlsx")
    others = server.fetch().frame()
    others["extra"] = [{"by": "others", "n": n} for n in range(500)]
    server.fetch().diff(others).push(progress=False, limits=QUICK).raise_for_failures()

    book = Book(tmp_path / "hosts.xlsx")
    book.sort(lambda row: str(row[1])[::-1])
    book.sheet.auto_filter.add_filter_column(2, ["rhel8"])
    edited = [f"h{n:05d}" for n in range(100, 112)]
    for name in edited:
        book.set(book.row(name), "bios.version", "2.0")
    for n in range(30):
        row = book.copy_row(book.row(f"h{n:05d}"))
        book.set(row, "name", f"new{n:02}")
        book.set(row, "serial", None)
        book.set(row, "extra", None)
    for name in [f"h{n:05d}" for n in range(300, 305)]:
        book.sheet.delete_rows(book.row(name))
    comment = book.sheet.max_column + 1
    book.sheet.cell(1, comment).value = "Comment"
    book.sheet.cell(5, comment).value = "ask Jane"
    book.sheet.cell(1, book.column("cpus")).value = "CPUs"

    plan = plan_of(server, book, copies="new")
    updates = [change for change in plan.changes if not isinstance(change, Create)]
    creates = [change for change in plan.changes if isinstance(change, Create)]
    assert sorted((u.key, dict(u.after)) for u in updates) == [
        (name, {"bios.version": "2.0"}) for name in edited
    ]
    assert sorted(create.key for create in creates) == [f"new{n:02}" for n in range(30)]
    assert (plan.problem_list, plan.stale) == ((), ())
    assert plan.notes[0] == "column 'CPUs': renamed from 'cpus'? rename={'CPUs': 'cpus'} reads it so"
    assert plan.notes[1].startswith("5 rows of the export are not in the file: left alone")
    left = [note.partition(" is left alone")[0] for note in plan.notes[2:]]
    assert left == ["column 'CPUs'", "column 'Comment'"]

    report = plan.push(progress=False, limits=QUICK).raise_for_failures()
    stored = server.stored()
    assert (report.counts["done"], len(stored)) == (42, 530)
    assert [stored[f"h{n:05d}"]["bios"]["version"] for n in (99, 100, 111, 112)] == ["1", "2.0", "2.0", "1"]
    assert [stored[f"h{n:05d}"]["extra"]["by"] for n in (0, 100, 499)] == ["others"] * 3


def test_a_push_with_every_outcome(server, book: Book) -> None:
    for name in ("h00001", "h00002", "h00003"):
        book.set(book.row(name), "cpus", 32)
    book.set(book.row("h00004"), "os", "dos")
    book.set(book.row("h00005"), "serial", "sn6")
    book.set(book.row("h00007"), "cpus", 33)
    book.set(book.row("h00008"), "cpus", 34)
    server.hosts.delete("h00007")
    server.hosts.update("h00008", {"cpus": 60})
    frame = read(server, book)
    plan = sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)
    with pytest.raises(sp.PlanRefused):
        plan.push(progress=False, limits=QUICK)
    assert server.stored()["h00001"]["cpus"] == 2
    report = plan.push(progress=False, limits=QUICK, skip_problems=True)
    assert {o.key: o.word for o in report.outcomes} == {
        "h00001": "done", "h00002": "done", "h00003": "done", "h00004": "problem", "h00005": "problem",
        "h00008": "conflict", None: "unsent",
    }  # fmt: skip
    assert [(c.key, c.base, c.mine, c.theirs) for c in report.conflict_list] == [("h00008", 1, 34, 60)]
    assert [type(stale) for stale in plan.stale] == [Stale]
    assert [server.stored()[f"h0000{n}"]["cpus"] for n in (1, 2, 3, 8)] == [32, 32, 32, 60]


def test_several_sheets_of_one_workbook(server, tmp_path: Path) -> None:
    sites = sp.fetch(server.client.entities("site"), progress=False)
    sp.to_excel([server.fetch(), sites], tmp_path / "both.xlsx")
    book = Book(tmp_path / "both.xlsx", "site")
    book.set(2, "note", "here")
    book.sheet.title = "Places"
    frame = sp.read_excel(book.save(), sites.schema)
    assert cells(sites.diff(frame)) == [("s0", "note", None, "here")]
    assert len(server.fetch().diff(sp.read_excel(book.path, server.fetch().schema))) == 0


def test_a_hidden_sheet_that_is_called_like_ours_is_no_table(server, tmp_path: Path) -> None:
    sp.to_excel({"host": server.fetch()}, tmp_path / "hosts.xlsx")
    book = openpyxl.load_workbook(tmp_path / "hosts.xlsx")
    for name, text in (("_base9", "notes"), ("_base10", '{"a": 1}')):
        book.create_sheet(name).append([text])
    book.save(tmp_path / "hosts.xlsx")

    assert Excel().tables(InFile.on_disk(tmp_path / "hosts.xlsx")) == ["host"]


def test_members_of_arrays_on_sheets_of_their_own(server, tmp_path: Path) -> None:
    live = server.fetch({"q": {"name": {"$in": ["h00000", "h00001", "h00002"]}}})
    sp.to_excel(live, tmp_path / "hosts.xlsx", explode=["disks", "tags"])
    assert len(live.diff(sp.read_excel(tmp_path / "hosts.xlsx", live.schema))) == 0
    disks = Book(tmp_path / "hosts.xlsx", "host.disks")
    assert [cell.value for cell in disks.sheet[1]] == ["_id", "_member", "host.name", "dev", "gb", "_delete"]
    assert [disks.sheet.cell(2, n).value for n in (3, 4, 5)] == ["h00000", "sda", 10]
    disks.set(2, "gb", 20)
    disks.set(3, "_delete", "x")
    disks.set(5, "host.name", "h00002")
    disks.set(5, "dev", "sdb")
    tags = disks.book["host.tags"]
    tags.cell(2, 4).value = "web"
    disks.save()
    plan = live.diff(sp.read_excel(disks.path, live.schema))
    assert [
        (key, path, [m if path == "tags" else (m["dev"], m.get("gb")) for m in after])
        for key, path, _, after in cells(plan)
    ] == [
        ("h00000", "tags", ["web", "b"]),
        ("h00000", "disks", [("sda", 20)]),
        ("h00001", "disks", []),
        ("h00002", "disks", [("sda", 10), ("sdb", None)]),
    ]
    disks.set(5, "host.name", "h9")
    with pytest.raises(ValueError, match=r"members of disks, row 5: which row do they belong to\?"):
        sp.read_excel(disks.save(), live.schema)
    disks.set(5, "host.name", "h00002")
    disks.set(5, "gb", "many")
    assert [(p.key, p.reason) for p in live.diff(sp.read_excel(disks.save(), live.schema)).problem_list] == [
        ("h00002", "member 1: gb: 'many' is not a number")
    ]
    disks.set(3, "_delete", "perhaps")
    with pytest.raises(ValueError, match=r"members of disks, row 3: mark rows to be deleted with x"):
        sp.read_excel(disks.save(), live.schema)


def test_members_of_a_row_that_is_not_in_the_table_change_nothing(server, tmp_path: Path) -> None:
    live = server.fetch({"q": {"name": {"$in": ["h00000", "h00001", "h00002"]}}})
    sp.to_excel(live, tmp_path / "hosts.xlsx", explode=["disks"])
    disks = Book(tmp_path / "hosts.xlsx", "host.disks")
    disks.book["host"].delete_rows(3)
    for row, size in ((2, 20), (3, 30)):
        disks.set(row, "gb", size)
    frame = sp.read_excel(disks.save(), live.schema)
    assert frame["name"].tolist() == ["h00000", "h00002"]
    assert [(key, after[0]["gb"]) for key, _, _, after in cells(live.diff(frame))] == [("h00000", 20)]


def test_members_of_an_array_of_anything_have_a_sheet_too(server, tmp_path: Path) -> None:
    table = {"name": "box", "_sis": {"owner": ["net"]}, "definition": {"name": "String", "anything": []}}
    server.client.schemas.create(table)
    boxes = server.client.entities("box")
    boxes.create({"name": "b", "anything": ["a", 1, {"k": [2]}]})
    live = sp.fetch(boxes, progress=False)
    sp.to_excel(live, tmp_path / "boxes.xlsx", explode=["anything"])
    book = Book(tmp_path / "boxes.xlsx", "box.anything")
    assert len(live.diff(sp.read_excel(book.path, live.schema))) == 0
    book.set(3, "anything", 5)

    plan = live.diff(sp.read_excel(book.save(), live.schema))

    assert [(path, before, after) for _, path, before, after in cells(plan)] == [
        ("anything", ["a", 1, {"k": [2]}], ["a", 5, {"k": [2]}])
    ]


def test_edits_in_the_grey_column_of_an_exploded_array_are_reported(server, tmp_path: Path) -> None:
    """The sheet of its members is where they are edited: two sheets must not say two things of one cell."""
    live = server.fetch({"q": {"name": {"$in": ["h00000", "h00001", "h00002"]}}})
    sp.to_excel(live, tmp_path / "hosts.xlsx", explode=["disks", "tags"])
    assert source_of(sp.read_excel(tmp_path / "hosts.xlsx", live.schema)).server == server.client.url
    book = Book(tmp_path / "hosts.xlsx")
    book.set(2, "disks", '[{"dev": "sdz"}]')
    book.set(3, "disks", "no JSON")
    book.set(4, "tags", None)
    book.set(4, "disks", 7)
    disks = book.book["host.disks"]
    disks.cell(2, 5).value = 77
    plan = live.diff(sp.read_excel(book.save(), live.schema))
    assert {p.reason for p in plan.problem_list if p.column == "tags"} == {
        "a grey cell, for reading only: edit sheet host.tags instead"
    }
    assert [(p.key, p.column, p.value) for p in plan.problem_list] == [
        ("h00000", "disks", '[{"dev": "sdz"}]'),
        ("h00001", "disks", "no JSON"),
        ("h00002", "tags", ""),
        ("h00002", "disks", "7"),
    ]
    assert {p.reason for p in plan.problem_list if p.column == "disks"} == {
        "a grey cell, for reading only: edit sheet host.disks instead"
    }
    del book.book["host.disks"]
    again = live.diff(sp.read_excel(book.save(), live.schema))
    assert again.problem_list == plan.problem_list


def strict(path: Path) -> Path:
    """Make a workbook one of the kind Strict Open XML, whose times are ISO texts."""
    other = path.with_name("strict.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            for its, usual in _NAMESPACES:
                data = data.replace(usual, its)
            data = re.sub(rb'<c r="B2"[^>]*><v>[^<]*', b'<c r="B2" s="1" t="d"><v>2024-01-31T10:00:00', data)
            new.writestr(name, data)
    return other


def test_strict_open_xml_is_read_and_copied(server, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["name", "since"])
    book.active.append(["h00000", datetime.datetime(2024, 1, 31, 10, tzinfo=None)])  # noqa: DTZ001 - as workbooks have them
    book.active.append(["h00001", None])
    book.save(tmp_path / "a.xlsx")
    live = server.fetch()

    frame = sp.read_excel(strict(tmp_path / "a.xlsx"), live.schema)
    plan = live.diff(frame, key="name")

    assert cells(plan) == [("h00000", "since", "2024-01-02T03:04:05.000Z", "2024-01-31T10:00:00.000Z")]
    sp.mark_problems(tmp_path / "strict.xlsx", plan, tmp_path / "marked.xlsx")
    assert sp.read_excel(tmp_path / "marked.xlsx", live.schema).equals(frame)


def test_an_open_document_is_named_whatever_it_is_called(server, tmp_path: Path) -> None:
    for name in ("a.xlsx", "a.ods"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            archive.writestr("content.xml", "<office:document-content/>")
        with pytest.raises(ValueError, match=f"{name} is an OpenDocument file: save it as .xlsx or .csv"):
            sp.read_excel(tmp_path / name, server.fetch().schema)


def test_zeros_that_a_format_shows_are_kept_where_text_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    book = openpyxl.Workbook()
    for line in (["tag", "n"], [123, 7], [-4, 8.5], [54321, True], ["A1", None]):
        book.active.append(line)
    for cell in (cell for row in book.active.iter_rows() for cell in row):
        cell.number_format = "00000"
    book.save(path)
    texts = parse_schema({"name": "t", "definition": {"tag": {"type": "String"}, "n": {"type": "Mixed"}}})

    frame = sp.read_excel(path, texts)
    told, untold = (
        read_rows(InFile.of(path), Excel(), read_options({"text": names})) for names in (["tag", "n"], [])
    )

    assert frame["tag"].tolist() == ["00123", "-00004", "54321", "A1"]
    assert list(map(repr, frame["n"].dropna())) == ["7", "8.5", "True"]
    assert (pd.DataFrame(told.data)["tag"].tolist(), told.notes) == (frame["tag"].tolist(), ())
    assert pd.DataFrame(told.data)["n"].tolist() == ["00007", "8.5", "TRUE", None]
    assert untold.notes == (
        "column 'tag': 2 numbers are shown with zeros in front, such as 00123; text=['tag'] keeps them",
        "column 'n': 1 number is shown with zeros in front, such as 00007; text=['n'] keeps them",
    )


def test_of_two_sheets_of_one_table_one_has_to_be_told(server, tmp_path: Path) -> None:
    live = server.fetch()
    sp.to_excel({"a": live, "b": live}, path := tmp_path / "hosts.xlsx")

    with pytest.raises(
        ValueError, match=r"hosts\.xlsx has several sheets of schema 'host': sheet= names one$"
    ):
        sp.read_excel(path, live.schema)
    assert len(sp.read_excel(path, live.schema, sheet="b")) == len(live)


def test_a_sheet_of_another_table_is_named_as_such(server, tmp_path: Path) -> None:
    sites = sp.fetch(server.client.entities("site"), progress=False)
    sp.to_excel({"places": sites}, path := tmp_path / "sites.xlsx")

    with pytest.raises(
        ValueError, match=r"^sheet 'places' of .*sites\.xlsx is a table of 'site', not of 'host'$"
    ):
        sp.read_excel(path, server.fetch().schema, sheet="places")
    with pytest.raises(ValueError, match=r"sites\.xlsx has no sheet 'plac'; it has places$"):
        sp.read_excel(path, sites.schema, sheet="plac")


def test_a_renamed_sheet_is_found_if_it_can_only_be_that(server, tmp_path: Path) -> None:
    live = server.fetch()
    sp.to_excel(live, path := tmp_path / "hosts.xlsx")
    book = openpyxl.load_workbook(path)
    book["host"].title = "mine"
    book.save(path)

    assert len(sp.read_excel(path, live.schema)) == len(live)

    book.create_sheet("more")
    book.save(path)
    with pytest.raises(
        ValueError, match=r"^sheet 'host' is not in .*hosts\.xlsx any more: mine, more; sheet= names one$"
    ):
        sp.read_excel(path, live.schema)


@pytest.mark.parametrize("cells", [["[1"], ['["a", null]'], ["7"], ["[" * 100_000]])
@pytest.mark.usefixtures("deep")
def test_hidden_rows_that_were_damaged_are_named(cells: list[str]) -> None:
    base = Base({"columns": ["name"]}, [['["a", null, ["x"]]'], [], cells])

    with pytest.raises(ValueError, match="the workbook's hidden rows, as exported, were damaged: "):
        base.values("name")
    assert base.values("os") == {}
    assert Base({"columns": ["name"]}, [['["a", null,', ' ["x"]]'], []]).values("name") == {"a": "x"}


@pytest.mark.parametrize("keep", ["yours", "both"])
def test_a_decision_that_is_none_is_named(server, book: Book, tmp_path: Path, keep: str) -> None:
    book.set(2, "cpus", 9)
    server.hosts.update("h00000", {"cpus": 60})
    report = plan_of(server, book).push(progress=False)
    marked = sp.mark_problems(book.path, report, tmp_path / "marked.xlsx")
    decided = openpyxl.load_workbook(marked)
    decided["Conflicts to decide"]["G2"].value = keep
    decided.save(marked)

    with pytest.raises(
        ValueError, match=rf"^sheet 'Conflicts to decide', row 2: keep is mine or theirs, not '{keep}'$"
    ):
        sp.read_excel(marked, server.fetch().schema)
