from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sispy_pandas as sp
from sispy_pandas.formats.atomic import OutFile
from sispy_pandas.formats.base import Outgoing
from sispy_pandas.formats.excel_base import read_note
from sispy_pandas.formats.options import WriteOptions
from sispy_pandas.formats.registry import by_suffix
from sispy_pandas.planning.program_edits import REASON
from sispy_pandas.values.records import frame_of
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.source import source_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sispy_pandas.values.schema import Schema

A, B = "a" * 24, "1" * 24


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hosts.xlsx"


def _round_trip(frames: st.SearchStrategy[pd.DataFrame], schema: Schema, path: Path, count: int) -> None:
    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
    @given(frames, st.sampled_from(["UTC", "Europe/Berlin"]))
    def check(frame: pd.DataFrame, tz: str) -> None:
        sp.to_excel(frame, path, schema=schema, tz=tz)
        pd.testing.assert_frame_equal(sp.read_excel(path, schema), frame)

    check()


def test_any_table_comes_back_equal(host_frames, host_schema: Schema, file: Path) -> None:
    _round_trip(host_frames, host_schema, file, 25)


@pytest.mark.soak
def test_any_table_comes_back_equal_500_times(host_frames, host_schema: Schema, file: Path) -> None:
    _round_trip(host_frames, host_schema, file, 500)


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        (["2020-01-02T00:00:00.000Z", "1999-12-31T00:00:00.000Z"], "yyyy-mm-dd"),
        (["2020-01-02T00:00:00.000Z", "2020-01-02T03:04:00.000Z"], "yyyy-mm-dd hh:mm"),
        (["2020-01-02T03:04:00.000Z", "2020-01-02T03:04:05.000Z"], "yyyy-mm-dd hh:mm:ss"),
        (["2020-01-02T03:04:05.000Z", "2020-01-02T00:00:00.001Z"], "yyyy-mm-dd hh:mm:ss.000"),
    ],
)
def test_times_are_shown_as_short_as_hides_nothing_of_them(file: Path, times: Any, shown: str) -> None:
    schema = parse_schema({"name": "t", "id_field": "_id", "definition": {"at": "Date"}})
    sp.to_excel(frame_of(schema, {"at": times}, [A, B], [1, 1]), file, schema=schema)

    sheet = openpyxl.load_workbook(file)["t"]
    at = next(cell.column_letter for cell in sheet[1] if str(cell.value).startswith("at"))
    assert [sheet[f"{at}{row}"].number_format for row in (2, 3)] == [shown, shown]


def test_members_of_a_frame_get_no_sheet_of_their_own(server, file: Path) -> None:
    live = server.fetch()

    sp.to_excel(live.frame(), file, schema=live.schema, explode=["disks"])

    assert openpyxl.load_workbook(file).sheetnames == ["host", "About this workbook", "_lists", "_base1"]


def test_a_frame_that_was_read_from_a_file_is_written_with_the_rows_as_they_were_exported(
    server, file: Path
) -> None:
    live = server.fetch()
    sp.to_excel(live, file)
    edited = sp.read_excel(file, live.schema).head(3).assign(cpus=9)
    other = file.with_name("other.xlsx")

    sp.to_excel(edited, other, schema=live.schema)

    frame = sp.read_excel(other, live.schema)
    source, first = source_of(frame), source_of(edited)
    assert source is not None
    assert first is not None
    assert first.fetched_at is not None
    assert (source.server, source.schema) == (server.client.url, "host")
    assert (source.fetched_at, source.query) == (first.fetched_at, first.query)
    assert source.base is not None
    assert source.base["cpus"].head(3).tolist() == [1, 2, 3]
    assert [(c.before, c.after) for c in sp.snapshot_of(server.hosts, frame).diff(frame).changes] == [
        ({"cpus": n}, {"cpus": 9}) for n in (1, 2, 3)
    ]

    sp.to_csv(live, file.with_name("t.csv"))
    sp.to_excel(sp.read_csv(file.with_name("t.csv"), live.schema), other, schema=live.schema)

    assert len(live.diff(sp.read_excel(other, live.schema))) == 0


def test_nasty_texts_and_a_million_characters_come_back(nasty_texts, host_schema: Schema, file: Path) -> None:
    texts = [*nasty_texts, "x" * 1_000_000, "_x0041_" * 10_000]
    ids = [f"{i:024}" for i in range(len(texts))]
    columns = {"name": texts, "note": texts, "tags": [[text] for text in texts]}
    frame = frame_of(host_schema, columns, ids, [1] * len(ids))
    sp.to_excel(frame, file, schema=host_schema)
    pd.testing.assert_frame_equal(sp.read_excel(file, host_schema), frame)


@pytest.fixture
def book(server, file: Path) -> Any:
    """A workbook of the server's hosts with the columns of `_sis`, as openpyxl sees it."""
    sp.to_excel(server.fetch(), file, meta=True, tz="Europe/Berlin")
    return openpyxl.load_workbook(file)


def column(sheet: Any, name: str) -> str:
    return next(cell.column_letter for cell in sheet[1] if cell.value == name)


def rule(sheet: Any, name: str) -> Any:
    (found,) = [r for r in sheet.data_validations.dataValidation if f"{column(sheet, name)}2" in r.sqref]
    return found


def test_the_sheet_is_easy_to_edit(server, book: Any) -> None:
    sheet = book["host"]
    base = read_note(cell.value for cell in book["_base1"][1])
    assert base["columns"][:3] == ["name", "os", "cpus"]
    titles = [cell.value for cell in sheet[1]]
    assert titles == [
        "_id", "name", "os", "cpus", "live", "since (Europe/Berlin)", "ip", "tags", "disks", "extra",
        "bios.vendor", "bios.version", "site", "serial", "_sis._created_at (Europe/Berlin)",
        "_sis._created_by", "_sis._updated_by", "_sis.owner", "_sis.tags", "_sis.locked", "_sis.immutable",
        "_sis.any_owner_can_modify", "_delete", "_updated_at",
    ]  # fmt: skip
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C2", "A1:X21")
    assert (sheet.page_setup.orientation, sheet.print_title_rows) == ("landscape", "$1:$1")
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
    hidden = [title for title in titles if sheet.column_dimensions[column(sheet, title)].hidden]
    assert hidden == ["_id", "_updated_at"]
    assert [type(cell.value).__name__ for cell in sheet[2]] == [
        "str", "str", "str", "int", "bool", "datetime", "str", "str", "str", "str", "str", "str", "str",
        "str", "datetime", "str", "str", "NoneType", "NoneType", "bool", "bool", "bool", "NoneType", "str",
    ]  # fmt: skip
    assert sheet["F2"].value.isoformat() == "2024-01-02T04:04:05"
    assert {
        sheet[f"{column(sheet, name)}2"].number_format for name in ("_id", "name", "serial", "_updated_at")
    } == {"@"}
    sides = [
        (sheet[f"{letter}2"].alignment.horizontal, sheet[f"{letter}2"].alignment.indent) for letter in "BDEF"
    ]
    assert sides == [(None, 0), ("right", 1), ("left", 0), ("left", 0)]
    grey = [title for title in titles if sheet[f"{column(sheet, title)}2"].fill.fgColor.rgb == "FFEDEDED"]
    assert grey == [
        "_sis._created_at (Europe/Berlin)", "_sis._created_by", "_sis._updated_by", "_sis.immutable",
        "_sis.any_owner_can_modify",
    ]  # fmt: skip
    assert [book[name].sheet_state for name in book.sheetnames] == [
        "visible",
        "visible",
        "hidden",
        "veryHidden",
    ]


def test_headers_stand_out_and_columns_are_as_wide_as_what_they_hold(book: Any) -> None:
    sheet = book["host"]
    headers = {
        name: (
            cell.font.bold,
            cell.font.color.rgb,
            cell.fill.fgColor.rgb,
            cell.alignment.vertical,
            {getattr(cell.border, side).style for side in ("left", "right", "top", "bottom")},
        )
        for name in ("name", "os")
        for cell in [sheet[f"{column(sheet, name)}1"]]
    }
    assert headers == {
        "name": (True, "FFFFFFFF", "FF1F4E79", "center", {"thin"}),  # it is required
        "os": (True, "FFFFFFFF", "FF44546A", "center", {"thin"}),
    }
    assert round(sheet.row_dimensions[1].height) == 20
    assert [int(sheet.column_dimensions[cell.column_letter].width) for cell in sheet[1]] == [
        26, 9, 9, 10, 10, 26, 14, 12, 48, 26, 16, 17, 26, 11, 37, 21, 21, 15, 14, 16, 19, 30, 12, 24,
    ]  # fmt: skip
    assert sheet["O2"].font.color.rgb == "FF7F7F7F"


def test_a_key_stays_in_view_where_nothing_but_the_id_is_before_it(file: Path) -> None:
    panes = []
    for names in (["key", "a"], ["a", "key"]):
        definition = {name: {"type": "String", "unique": name == "key"} for name in names}
        schema = parse_schema({"name": "t", "definition": definition, "id_field": "key"})
        sp.to_excel(frame_of(schema, {name: ["x"] for name in names}, [A], [1]), file, schema=schema)
        panes.append(openpyxl.load_workbook(file)["t"].freeze_panes)
    assert panes == ["C2", "A2"]


def test_headers_explain_their_field(book: Any) -> None:
    sheet = book["host"]
    said = {
        name: sheet[f"{column(sheet, name)}1"].comment.text for name in ("name", "os", "cpus", "site", "tags")
    }
    assert said == {
        "name": "String\nrequired\nunique",
        "os": "String\none of: rhel8, rhel9\ndefault: rhel9",
        "cpus": "Number\nat least 1\nat most 64",
        "site": "ObjectId of site",
        "tags": "list of String",
    }


def test_dropdowns_and_bounds_reach_below_the_data(book: Any) -> None:
    sheet = book["host"]
    lists = book["_lists"]
    for name, values in (("os", ["rhel8", "rhel9"]), ("live", [True, False]), ("_delete", ["x"])):
        found = rule(sheet, name)
        _, _, area = found.formula1.partition("!")
        cells = lists[area.replace("$", "")]
        assert [(row[0].value, row[0].number_format) for row in cells] == [(value, "@") for value in values]
        assert str(found.sqref).endswith("1021")
    bounds = rule(sheet, "cpus")
    assert (bounds.type, bounds.operator, bounds.formula1, bounds.formula2) == ("decimal", None, "1", "64")
    assert (bounds.errorTitle, bounds.error) == ("cpus", "A number from 1 to 64.")
    kinds = rule(sheet, "os")
    assert (kinds.errorTitle, kinds.error) == ("os", "Choose one of the list.")


def test_a_bound_of_one_side_is_checked_from_there_on(file: Path) -> None:
    definition = {"low": {"type": "Number", "min": -3}, "high": {"type": "Number", "max": 2.5}}
    schema = parse_schema({"name": "t", "definition": definition})
    sp.to_excel(frame_of(schema, {"low": [1], "high": [1]}, [A], [1]), file, schema=schema)
    sheet = openpyxl.load_workbook(file)["t"]
    assert {
        name: (str(found.sqref), found.operator, found.formula1, found.formula2, found.error)
        for name in ("low", "high")
        for found in [rule(sheet, name)]
    } == {
        "low": ("B2:B1002", "greaterThanOrEqual", "-3", None, "A number from -3 on."),
        "high": ("C2:C1002", "lessThanOrEqual", "2.5", None, "A number up to 2.5."),
    }


def test_an_enum_may_be_long_and_have_commas(file: Path) -> None:
    values = [f"value {n}, with a comma" for n in range(400)]
    definition = {"name": {"type": "String", "unique": True}, "kind": {"type": "String", "enum": values}}
    schema = parse_schema({"name": "t", "definition": definition})
    sp.to_excel(frame_of(schema, {"name": ["x"], "kind": values[:1]}, [A], [1]), file, schema=schema)
    book = openpyxl.load_workbook(file)
    area = rule(book["t"], "kind").formula1
    assert area == "=_lists!$A$1:$A$400" or area == "_lists!$A$1:$A$400"
    assert [row[0].value for row in book["_lists"]["A1:A400"]] == values


def test_a_long_text_is_grey_and_left_alone(host_schema: Schema, file: Path) -> None:
    frame = frame_of(host_schema, {"name": ["x" * 40_000, "y"]}, [A, B], [1, 1])
    sp.to_excel(frame, file, schema=host_schema)
    book = openpyxl.load_workbook(file)
    cell = book["host"]["B2"]
    assert cell.value.endswith("… [40000 characters: too long for a workbook, import leaves it alone]")
    assert cell.fill.fgColor.rgb == "FFEDEDED"
    cell.value = "short"
    book.save(file)
    changed = sp.read_excel(file, host_schema)["name"].iloc[0]
    without_ids = openpyxl.load_workbook(file)
    without_ids["host"].delete_cols(1)
    without_ids.save(file.with_name("without.xlsx"))
    assert "_id" not in sp.read_excel(file.with_name("without.xlsx"), host_schema).columns
    assert changed.reason == "its text of 40000 characters is too long for a workbook: change it elsewhere"


def test_the_about_sheet_tells_where_the_table_is_from(server, book: Any) -> None:
    facts = {row[0].value: row[1].value for row in book["About this workbook"].iter_rows() if row[1].value}
    assert {key: facts[key] for key in ("Server", "Schema", "Rows", "Times are in")} == {
        "Server": server.client.url, "Schema": "host", "Rows": "20", "Times are in": "Europe/Berlin",
    }  # fmt: skip
    assert facts["Format version"].startswith("1 (sispy ")
    sheet = book["About this workbook"]
    assert (sheet["A1"].value, sheet["A1"].font.bold, sheet["A1"].font.size) == (
        "About this workbook",
        True,
        14,
    )
    for title, text in sheet.iter_rows(min_row=2):
        assert (title.font.bold, title.font.color.rgb, title.alignment.vertical) == (True, "FF44546A", "top")
        assert (text.alignment.wrap_text, text.alignment.vertical) == (True, "top")
    assert [cell.value for cell in sheet["B"][:3]] == [None, "", "host"]
    widths = {letter: (int(one.width), one.min, one.max) for letter, one in sheet.column_dimensions.items()}
    assert widths == {"A": (18, 1, 1), "B": (84, 2, 2)}
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (
        *("landscape", 1, 0),
    )
    assert not sheet.sheet_view.showGridLines


def test_a_long_name_is_cut_to_what_a_sheet_can_have(file: Path, host_schema: Schema) -> None:
    sp.to_excel({"n" * 40: frame_of(host_schema, {}, [], [])}, file)

    assert openpyxl.load_workbook(file).sheetnames[0] == "n" * 31


def test_parts_are_no_workbook(file: Path, host_schema: Schema) -> None:
    with pytest.raises(TypeError, match="a workbook is written from whole tables"):
        by_suffix(file.suffix).write(
            OutFile.of(file), Outgoing("t", host_schema, [pd.DataFrame()]), WriteOptions()
        )


@pytest.mark.parametrize("name", ["About this workbook", "_lists", "_base1", "a/b", ""])
def test_a_sheet_cannot_have_every_name(host_schema: Schema, file: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be the name of a sheet"):
        sp.to_excel({name: frame_of(host_schema, {}, [], [])}, file)
    assert not file.exists()


def test_a_workbook_is_written_to_a_folder_that_is_there_under_a_name_that_programs_know(
    host_schema: Schema, tmp_path: Path
) -> None:
    frame = frame_of(host_schema, {}, [], [])
    with pytest.raises(ValueError, match=r"hosts.xls: the name of a workbook ends in .xlsx"):
        sp.to_excel(frame, tmp_path / "hosts.xls", schema=host_schema)
    with pytest.raises(FileNotFoundError, match=r"no such folder: '.*/nowhere'$"):
        sp.to_excel(frame, tmp_path / "nowhere" / "hosts.xlsx", schema=host_schema)
    with pytest.raises(FileNotFoundError, match=r"no such folder: '.*/nowhere'$"):
        sp.to_csv(frame, tmp_path / "nowhere" / "hosts.csv", schema=host_schema)


def test_more_rows_than_a_workbook_has_are_refused(file: Path) -> None:
    with pytest.raises(
        ValueError, match=r"a sheet holds 1,048,575 rows and 16,384 columns, not 1,048,576 and 1"
    ):
        sp.to_excel(pd.DataFrame({"a": range(1_048_576)}), file)


@pytest.fixture(scope="module")
def soffice() -> Callable[[Path], Path]:
    """Opens a file with LibreOffice, saves it in its own format again, and returns the new one."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice (soffice) is not installed")

    def saved(path: Path) -> Path:
        out = path.parent / "saved"
        profile = f"-env:UserInstallation=file://{path.parent / 'profile'}"
        command = [
            program,
            profile,
            "--headless",
            "--convert-to",
            path.suffix[1:],
            "--outdir",
            str(out),
            str(path),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=100)
        beside = path.with_name(f"{path.name}.meta.json")
        if beside.exists():
            shutil.copy(beside, out)
        return out / path.name

    return saved


@pytest.fixture
def nasty_snapshot(server, nasty_texts: list[str], host_schema: Schema, suffix: str) -> sp.Snapshot:
    """A snapshot with all types and all nasty texts, all-digit ids among its."""
    texts = [text for text in nasty_texts if len(text) < 32_767]
    n = 10_000 if suffix == "csv" else 2_000
    few: dict[str, list[Any]] = {
        "note": texts,
        "os.name": ["rhel8", None, "win, 2022"],
        "os.version": [0.1, 12345678901234567, 2**53, None, -5, 1e300, 123456789.12345679],
        "cpus": [1, None, -5],
        "live": [True, False, None],
        "installed": [
            "2020-01-02T03:04:05.678Z",
            None,
            "1901-01-01T00:00:00.001Z",
            "2020-01-02T00:00:00.000Z",
        ],
        "rack": ["1" * 24, "12e" + "4" * 21, None],
        "ip": ["10.1.2.3/24", "::1", None],
        "tags": [[text] for text in texts],
        "ports": [[1, 2.5], []],
        "disks": [[{"_id": "1" * 24, "dev": "=1"}], []],
        "extra": [{"a": None}, -5, "x", True, [1, "=1"], "", None],
    }
    columns = {path: [values[i % len(values)] for i in range(n)] for path, values in few.items()}
    columns["name"] = [f"{texts[i % len(texts)]}{i}" for i in range(n)]
    ids = [f"{i:024}" if i % 3 else f"{i:022}e5" if i % 2 else f"f{i:023x}" for i in range(n)]
    frame = frame_of(host_schema, columns, ids, [1_795_436_355_529 + i for i in range(n)])
    return replace(server.fetch(), schema=host_schema, _frame=frame)


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_libreoffice_makes_no_edits(nasty_snapshot, tmp_path: Path, soffice, suffix: str) -> None:
    path = tmp_path / f"hosts.{suffix}"
    write, read = (sp.to_excel, sp.read_excel) if suffix == "xlsx" else (sp.to_csv, sp.read_csv)
    write(nasty_snapshot, path)
    frame = read(soffice(path), nasty_snapshot.schema)
    plan = nasty_snapshot.diff(frame)
    named = {problem.row for problem in plan.problem_list}
    assert len(frame) == len(nasty_snapshot)
    assert [cell for cell in plan.cells() if cell[0].id not in named] == []
    assert named == {problem.row for problem in plan.problem_list if problem.reason == REASON}
    assert suffix == "csv" or {p.value for p in plan.problem_list if p.column == "note"} <= {"a\nb", "\nx"}


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_nothing_is_calculated(host_schema: Schema, tmp_path: Path, soffice, suffix: str) -> None:
    evil = [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(1)",
        "\t=1+1",
        '=HYPERLINK("http://x")',
        "=cmd|' /C calc'!A0",
        "'=1+1",
    ]
    ids = [f"{i:024x}" for i in range(len(evil))]
    frame = frame_of(host_schema, {"name": evil, "tags": [[text] for text in evil]}, ids, [1] * len(evil))
    path = tmp_path / f"evil.{suffix}"
    write, read = (sp.to_excel, sp.read_excel) if suffix == "xlsx" else (sp.to_csv, sp.read_csv)
    write(frame, path, schema=host_schema)
    after = read(soffice(path), host_schema)
    pd.testing.assert_frame_equal(after, frame)
    if suffix == "xlsx":
        sheet = openpyxl.load_workbook(path.parent / "saved" / path.name)["host"]
        assert [cell.data_type for row in sheet["B2:B9"] for cell in row] == ["s"] * 8


def test_numbers_that_a_workbook_does_not_have_are_text(file: Path) -> None:
    frame = pd.DataFrame({"price": [1.5, float("inf"), float("-inf"), float("nan")]})

    sp.to_excel(frame, file)

    sheet = openpyxl.load_workbook(file).worksheets[0]
    assert [cell.value for cell in sheet["A"]] == ["price", 1.5, "inf", "-inf"]
