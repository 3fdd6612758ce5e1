"""A workbook's problems shown in a copy of it, decided there, and taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

import sispy_pandas as sp

if TYPE_CHECKING:
    from pathlib import Path

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0)


def column(sheet: Any, name: str) -> int:
    return next(cell.column for cell in sheet[1] if str(cell.value).split(" (")[0] == name)


def edited(path: Path, cells: dict[tuple[int, str], Any], sheet: str = "host") -> Path:
    book = openpyxl.load_workbook(path)
    for (row, name), value in cells.items():
        book[sheet].cell(row, column(book[sheet], name)).value = value
    book.save(path)
    return path


def marked(path: Path, colour: str) -> dict[tuple[int, str], str]:
    sheet: Any = openpyxl.load_workbook(path)["host"]
    return {
        (cell.row, str(sheet.cell(1, cell.column).value)): cell.comment.text
        for row in sheet.iter_rows(min_row=2)
        for cell in row
        if cell.fill.fgColor.rgb == colour
    }


def values(path: Path) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(path)["host"].iter_rows()]


def plan_of(server, path: Path, **options: Any) -> sp.Plan:
    frame = sp.read_excel(path, server.fetch().schema, **options)
    return sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)


@pytest.fixture
def file(server, tmp_path: Path) -> Path:
    sp.to_excel(server.fetch(), tmp_path / "hosts.xlsx")
    return tmp_path / "hosts.xlsx"


RED, YELLOW = "FFFFC7CE", "FFFFEB9C"


def test_every_problem_is_shown_in_its_cell(server, file: Path, tmp_path: Path) -> None:
    edited(
        file,
        {(2, "cpus"): "many", (3, "os"): "dos", (4, "_id"): "1.5E+23", (30, "name"): "new", (30, "cpus"): 99},
    )
    before = file.read_bytes()
    plan = plan_of(server, file)
    out = sp.mark_problems(file, plan, tmp_path / "marked.xlsx")
    assert marked(out, RED) == {
        (2, "cpus"): "'many' is not a number",
        (3, "os"): "'dos' is not allowed; allowed are rhel8, rhel9",
        (4, "name"): "_id: the _id was damaged: copy it from the export again",
        (30, "cpus"): "more than 64",
    }
    assert file.read_bytes() == before
    by_table = sp.mark_problems(file, plan.problems, tmp_path / "by_table.xlsx")
    assert set(marked(by_table, RED).values()) == set(marked(out, RED).values())
    again = plan_of(server, out)
    assert [(p.row, p.column, p.reason) for p in again.problem_list] == [
        (p.row, p.column, p.reason) for p in plan.problem_list
    ]
    with pytest.raises(ValueError, match=r"is the workbook itself"):
        sp.mark_problems(file, plan, file)


def test_the_first_and_the_last_row_are_found(server, file: Path, tmp_path: Path) -> None:
    edited(file, {(2, "cpus"): "x", (21, "cpus"): "y", (21, "since"): "z"})

    out = sp.mark_problems(file, plan_of(server, file), tmp_path / "marked.xlsx")

    assert sorted(marked(out, RED)) == [(2, "cpus"), (21, "cpus"), (21, "since (UTC)")]


def test_what_has_no_column_is_shown_at_the_name_of_its_row_wherever_that_stands(
    server, file: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(file)
    sheet = book["host"]
    name, cpus = column(sheet, "name"), column(sheet, "cpus")
    for row in sheet.iter_rows():
        row[name - 1].value, row[cpus - 1].value = row[cpus - 1].value, row[name - 1].value
    book.save(file)
    edited(file, {(4, "_id"): "1.5E+23"})

    out = sp.mark_problems(file, plan_of(server, file), tmp_path / "marked.xlsx")

    assert marked(out, RED) == {(4, "name"): "_id: the _id was damaged: copy it from the export again"}


def test_rows_that_failed_or_were_not_sent_are_marked_and_no_others(
    server, file: Path, tmp_path: Path
) -> None:
    edited(file, {(row, "cpus"): 40 + row for row in (2, 3, 4, 5)})
    report = plan_of(server, file).push(progress=False, limits=QUICK)
    words: list[Any] = ["done", "failed", "unsent", "unchanged"]
    outcomes = [
        replace(outcome, word=word, reason=f"is {word}")
        for outcome, word in zip(report.outcomes, words, strict=True)
    ]

    out = sp.mark_problems(file, replace(report, outcomes=tuple(outcomes)), tmp_path / "marked.xlsx")

    assert marked(out, RED) == {(3, "name"): "is failed", (4, "name"): "is unsent"}


def test_conflicts_are_decided_in_a_sheet(server, file: Path, tmp_path: Path) -> None:
    edited(file, {(row, "cpus"): 40 + row for row in (2, 3, 4)})
    for n in range(3):
        server.hosts.update(f"h{n:05d}", {"cpus": 60 + n})
    report = plan_of(server, file).push(progress=False, limits=QUICK)
    out = sp.mark_problems(file, report, tmp_path / "marked.xlsx")
    assert list(marked(out, YELLOW)) == [(2, "cpus"), (3, "cpus"), (4, "cpus")]
    sheet = openpyxl.load_workbook(out)["Conflicts to decide"]
    assert [[cell.value for cell in row[1:]] for row in sheet.iter_rows()] == [
        ["key", "field", "base", "mine", "theirs", "keep"],
        ["h00000", "cpus", "1", "42", "60", None],
        ["h00001", "cpus", "2", "43", "61", None],
        ["h00002", "cpus", "3", "44", "62", None],
    ]
    (rule,) = sheet.data_validations.dataValidation
    assert (str(rule.sqref), rule.type, rule.formula1) == ("G2:G4", "list", '"mine,theirs"')
    assert [sheet.column_dimensions[letter].width for letter in "ABCDEFG"] == [26, 28, 20, 28, 28, 28, 12]
    assert [sheet.column_dimensions[letter].hidden for letter in "AB"] == [True, False]
    assert {(cell.font.bold, cell.font.color.rgb, cell.fill.fgColor.rgb) for cell in sheet[1]} == {
        (True, "FFFFFFFF", "FF44546A")
    }
    assert sheet["G1"].comment.text == (
        "mine: write my value over theirs. theirs: take their value. Empty: decide later."
    )
    assert {(cell.number_format, cell.data_type) for row in sheet.iter_rows(2) for cell in row[:6]} == {
        ("@", "s")
    }
    assert (sheet.freeze_panes, sheet.page_setup.orientation, rule.allowBlank) == ("A2", "landscape", True)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    notes = [openpyxl.load_workbook(out)["host"].cell(row, 4).comment for row in (2, 3)]
    assert [(note.text, note.width, note.height) for note in notes] == [
        (f"somebody else changed it meanwhile to {theirs}: decide in sheet 'Conflicts to decide'", 144, 79)
        for theirs in (60, 61)
    ]
    again = sp.mark_problems(out, report, tmp_path / "again.xlsx")
    assert openpyxl.load_workbook(again).sheetnames == openpyxl.load_workbook(out).sheetnames
    edited(out, {(2, "keep"): "mine", (3, "keep"): "theirs"}, "Conflicts to decide")
    plan = plan_of(server, out)
    assert [(c.key, dict(c.before), dict(c.after)) for c in plan.changes] == [
        ("h00000", {"cpus": 60}, {"cpus": 42}),
        ("h00002", {"cpus": 3}, {"cpus": 44}),
    ]
    report = plan.push(progress=False, limits=QUICK)
    assert {o.key: o.word for o in report.outcomes} == {"h00000": "done", "h00002": "conflict"}
    assert [server.stored()[f"h0000{n}"]["cpus"] for n in range(3)] == [42, 61, 62]


def test_ids_and_receipts_are_written_back(server, file: Path, tmp_path: Path) -> None:
    edited(file, {(2, "cpus"): 42, (30, "name"): "new_x005F_x0041_", (30, "bios.vendor"): "'=x"})
    server.hosts.update("h00000", {"live": False})
    report = plan_of(server, file).push(progress=False, limits=QUICK).raise_for_failures()
    marked_alone = sp.mark_problems(file, report, tmp_path / "marked.xlsx")
    assert values(marked_alone) == values(file)
    out = sp.mark_problems(file, report, tmp_path / "next.xlsx", write_back=True)
    assert len(plan_of(server, file)) == 0
    plan = plan_of(server, out)
    assert (len(plan), plan.problem_list, plan.stale) == (0, (), ())
    edited(out, {(2, "cpus"): 43, (30, "cpus"): 5})
    server.hosts.update("new_x0041_", {"live": True})
    plan = plan_of(server, out)
    assert [(c.key, dict(c.before), dict(c.after)) for c in plan.changes] == [
        ("h00000", {"cpus": 42}, {"cpus": 43}),
        ("new_x0041_", {"cpus": None}, {"cpus": 5}),
    ]
    plan.push(progress=False, limits=QUICK).raise_for_failures()
    assert server.stored()["new_x0041_"]["live"] is True
    with pytest.raises(ValueError, match=r"needs the report of a push"):
        sp.mark_problems(file, plan, tmp_path / "x.xlsx", write_back=True)


def test_rows_that_were_deleted_are_left_as_they_are_when_others_are_written_back(
    server, tmp_path: Path
) -> None:
    sp.to_excel(server.fetch(), tmp_path / "hosts.xlsx")
    frame = sp.read_excel(tmp_path / "hosts.xlsx", server.fetch().schema)
    frame.loc[frame.index[0], "cpus"] = 42
    plan = server.fetch().diff(frame, delete=[frame.index[1]])
    report = plan.push(progress=False, limits=QUICK).raise_for_failures()

    out = sp.mark_problems(tmp_path / "hosts.xlsx", report, tmp_path / "next.xlsx", write_back=True)

    sheet = openpyxl.load_workbook(out)["host"]
    rows = [[sheet.cell(n, column(sheet, name)).value for name in ("name", "cpus")] for n in (2, 3, 4)]
    assert rows == [["h00000", 42], ["h00001", 2], ["h00002", 3]]


def test_a_row_that_became_shorter_is_written_back_whole(server, tmp_path: Path) -> None:
    server.hosts.update("h00000", {"bios": {"vendor": "v" * 20_000}, "serial": "s" * 20_000})
    file = tmp_path / "hosts.xlsx"
    sp.to_excel(server.fetch(), file)
    edited(file, {(2, "bios.vendor"): "short"})
    report = plan_of(server, file).push(progress=False, limits=QUICK).raise_for_failures()
    out = sp.mark_problems(file, report, tmp_path / "next.xlsx", write_back=True)
    server.hosts.update("h00000", {"cpus": 60})
    edited(out, {(2, "bios.vendor"): "shorter"})
    assert [dict(c.after) for c in plan_of(server, out).changes] == [{"bios.vendor": "shorter"}]


def test_labels_stay_labels_when_rows_are_written_back(server, tmp_path: Path) -> None:
    live = server.fetch(refs="label")
    sp.to_excel(live, tmp_path / "hosts.xlsx")
    edited(tmp_path / "hosts.xlsx", {(2, "site"): "s2"})
    report = plan_of(server, tmp_path / "hosts.xlsx").push(progress=False, limits=QUICK).raise_for_failures()
    out = sp.mark_problems(tmp_path / "hosts.xlsx", report, tmp_path / "next.xlsx", write_back=True)
    sheet = openpyxl.load_workbook(out)["host"]
    assert sheet.cell(2, column(sheet, "site")).value == "s2"
    assert len(plan_of(server, out)) == 0
