"""Changes as a workbook: what is counted, drawn and listed."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import openpyxl
import pytest

import sispy_pandas as sp
from sispy.sandbox import Sandbox
from sispy.text import shorten
from sispy_pandas.formats.atomic import OutFile
from sispy_pandas.reading.commits import Edit
from sispy_pandas.revisions.changes_book import Counted, counted, every_edit, write_book
from sispy_pandas.values.types.cells import json_text

BEGIN = datetime(2026, 11, 2, 12, tzinfo=UTC)  # a Monday


@pytest.fixture
def sandbox():
    with Sandbox(samples=20) as sandbox:
        yield sandbox


@pytest.fixture
def work(sandbox):
    """Return a function that has users write notes on days after the beginning, and returns the changes."""

    def do(*days):
        before = sandbox.now
        clients = {name: sandbox.client(name).entities("host") for name in {name for name, _, _ in days}}
        for user, day, rows in days:
            sandbox.now = BEGIN + timedelta(days=day)
            names = [row["_id"] for row in clients[user].fetch_page({"limit": rows, "sort": "name"})]
            clients[user].update_bulk({"notes": f"={user} {day}"}, {"q": {"_id": {"$in": names}}})
        sandbox.now = before
        root = sandbox.client().entities("host")
        until = BEGIN + timedelta(days=100)
        return sp.changes(root, since=BEGIN, until=until, fields=["notes"], progress=False)

    return do


def noon(day):
    """Return a time of November as a workbook has it: without a zone."""
    return datetime(2026, 11, day, 12, tzinfo=UTC).replace(tzinfo=None)


def book_of(*found):
    file = BytesIO()
    write_book(OutFile.of(file), found)
    return openpyxl.load_workbook(file)


def test_cells_are_counted_by_week_user_and_field(work):
    found = work(("alice", 0, 2), ("bob", 6, 1), ("alice", 20, 3))

    assert counted(list(every_edit([found]))) == [
        Counted(
            "Changed cells in each week, by user",
            "week",
            ("alice", "bob"),
            ((date(2026, 11, 2), (2, 1)), (date(2026, 11, 9), (0, 0)), (date(2026, 11, 16), (3, 0))),
        ),
        Counted("Changed cells by user", "user", ("cells",), (("alice", (5,)), ("bob", (1,)))),
        Counted("Changed cells by field", "field", ("cells",), (("notes", (6,)),)),
    ]


@pytest.mark.parametrize(("users", "others"), [(8, 0), (9, 1), (11, 3)])
def test_users_beyond_those_that_a_picture_shows_are_one(users, others):
    at = int(BEGIN.timestamp() * 1000)
    edits = [
        ("notes", Edit("a" * 24, "h1", "notes", None, "x", f"u{n}", at, "update"))
        for n in range(users)
        for _ in range(2 if n < 8 else 1)
    ]

    by_time, by_user, _ = counted(edits)

    names = [f"u{n}" for n in range(8)]
    rest = [("all others", (others,))] if others else []
    assert by_time.parts == (*names, *(name for name, _ in rest))
    assert by_time.lines == ((BEGIN.date(), (*[2] * 8, *(n for _, (n,) in rest))),)
    assert list(by_user.lines) == [*((name, (2,)) for name in names), *rest]


def test_a_short_span_is_counted_by_day(work):
    found = work(("alice", 0, 2), ("bob", 2, 1))

    assert counted(list(every_edit([found])))[0] == Counted(
        "Changed cells in each day, by user",
        "day",
        ("alice", "bob"),
        ((date(2026, 11, 2), (2, 0)), (date(2026, 11, 3), (0, 0)), (date(2026, 11, 4), (0, 1))),
    )


def test_a_workbook_has_a_chart_for_each_and_every_cell(work, sandbox):
    found = work(("alice", 0, 2), ("bob", 20, 1))

    book = book_of(found)

    drawn, cells = book.worksheets
    assert (book.sheetnames, len(drawn._charts)) == (["Changes", "Cells"], 3)
    assert [row[0].value for row in drawn.iter_rows(max_row=4)] == [
        "Changes of host",
        f"3 cells of 2 rows, on {sandbox.url}",
        "2026-11-02 to 2026-11-22, in UTC",
        "rows deleted since are not looked for",
    ]
    first, second = found.frame()["key"].iloc[[1, 2]]
    assert list(cells.iter_rows(values_only=True)) == [
        ("at (UTC)", "name", "field", "before", "after", "by", "action"),
        (noon(22), found.frame()["key"].iloc[0], "notes", "'=alice 0", "'=bob 20", "bob", "update"),
        (noon(2), first, "notes", None, "'=alice 0", "alice", "update"),
        (noon(2), second, "notes", None, "'=alice 0", "alice", "update"),
    ]


def test_numbers_are_beside_their_chart(work):
    sheet = book_of(work(("alice", 0, 2), ("bob", 20, 1)))["Changes"]

    assert {
        cell.coordinate: (cell.value, cell.number_format, bool(cell.font.bold), cell.alignment.horizontal)
        for row in sheet.iter_rows(min_row=5)
        for cell in row
        if cell.value is not None
    } == {
        "A6": ("week", "General", True, None),
        "B6": ("alice", "General", True, "right"),
        "C6": ("bob", "General", True, "right"),
        "A7": (datetime(2026, 11, 2), "yyyy-mm-dd", False, "left"),  # noqa: DTZ001 - as workbooks have it
        "B7": (2, "#,##0", False, None),
        "C7": (0, "#,##0", False, None),
        "A8": (datetime(2026, 11, 9), "yyyy-mm-dd", False, "left"),  # noqa: DTZ001
        "B8": (0, "#,##0", False, None),
        "C8": (0, "#,##0", False, None),
        "A9": (datetime(2026, 11, 16), "yyyy-mm-dd", False, "left"),  # noqa: DTZ001
        "B9": (0, "#,##0", False, None),
        "C9": (1, "#,##0", False, None),
        "A25": ("user", "General", True, None),
        "B25": ("cells", "General", True, "right"),
        "A26": ("alice", "General", False, None),
        "B26": (2, "#,##0", False, None),
        "A27": ("bob", "General", False, None),
        "B27": (1, "#,##0", False, None),
        "A44": ("field", "General", True, None),
        "B44": ("cells", "General", True, "right"),
        "A45": ("notes", "General", False, None),
        "B45": (3, "#,##0", False, None),
    }
    assert [sheet[name].border.bottom.style for name in ("A6", "B6", "A7")] == ["thin", "thin", None]
    assert [
        (one.anchor._from.col, one.anchor._from.row, one.anchor.to.col, one.anchor.to.row, one.anchor.editAs)
        for one in sheet._charts
    ] == [(4, 5, 15, 23, "oneCell"), (4, 24, 15, 42, "oneCell"), (4, 43, 15, 61, "oneCell")]


def test_charts_show_what_was_counted(work):
    drawn = book_of(work(("alice", 0, 2), ("bob", 20, 1)))["Changes"]._charts

    assert [
        [(one.tx.strRef.f, (one.cat.numRef or one.cat.strRef).f, one.val.numRef.f) for one in chart.series]
        for chart in drawn
    ] == [
        [
            ("Changes!$B$6", "Changes!$A$7:$A$9", "Changes!$B$7:$B$9"),
            ("Changes!$C$6", "Changes!$A$7:$A$9", "Changes!$C$7:$C$9"),
        ],
        [("Changes!$B$25", "Changes!$A$26:$A$27", "Changes!$B$26:$B$27")],
        [("Changes!$B$44", "Changes!$A$45", "Changes!$B$45")],
    ]
    assert [
        (
            chart.title.tx.rich.p[0].r[0].t,
            (chart.barDir, chart.grouping, chart.overlap, chart.gapWidth),
            [one.graphicalProperties.solidFill.srgbClr for one in chart.series],
            [one.dLbls and (one.dLbls.showVal, one.dLbls.numFmt) for one in chart.series],
            chart.legend and chart.legend.position,
            (chart.x_axis.scaling.orientation, chart.x_axis.numFmt and chart.x_axis.numFmt.formatCode),
            (bool(chart.y_axis.delete), chart.y_axis.scaling.min, chart.y_axis.numFmt.formatCode),
            (chart.y_axis.majorGridlines is not None, chart.y_axis.title is not None),
        )
        for chart in drawn
    ] == [
        (
            "Changed cells in each week, by user",
            ("col", "stacked", 100, 40),
            ["4472C4", "ED7D31"],
            [None, None],
            "b",
            ("minMax", "d mmm"),
            (False, 0, "#,##0"),
            (True, True),
        ),
        *(
            (
                title,
                ("bar", "clustered", None, 40),
                ["4472C4"],
                [(True, "#,##0")],
                None,
                ("maxMin", None),  # the first line on top
                (True, 0, "#,##0"),
                (False, False),
            )
            for title in ("Changed cells by user", "Changed cells by field")
        ),
    ]


def test_both_sheets_are_set_to_be_read_and_printed(work):
    drawn, cells = book_of(work(("alice", 0, 2))).worksheets

    assert [
        (
            sheet.page_setup.paperSize,
            sheet.page_setup.orientation,
            sheet.page_setup.fitToWidth or 1,
            sheet.page_setup.fitToHeight,
            sheet.print_title_rows,
            sheet.freeze_panes,
            sheet.auto_filter.ref,
            sheet.sheet_view.showGridLines,
        )
        for sheet in (drawn, cells)
    ] == [
        (9, "portrait", 1, 0, None, None, None, False),
        (9, "landscape", 1, 0, "$1:$1", "C2", "A1:G3", None),
    ]
    first = drawn.column_dimensions["A"]
    assert (int(first.width), first.min, first.max, list(drawn.column_dimensions)) == (14, 1, 1, ["A"])
    assert [int(cells.column_dimensions[letter].width) for letter in "ABCDFG"] == [20, 28, 22, 30, 12, 10]
    assert [(drawn[name].font.bold, drawn[name].font.size) for name in ("A1", "A2")] == [
        (True, 16),
        (False, 11),
    ]
    assert (drawn["A2"].font.color.rgb, cells["A1"].font.bold) == ("FF595959", True)
    assert (cells["A2"].number_format, cells["A2"].alignment.horizontal) == ("yyyy-mm-dd hh:mm:ss", "left")


def test_cells_keep_their_kind_and_long_ones_are_cut(sandbox):
    hosts = sandbox.client().entities("host")
    row = hosts.fetch_page({"q": {"price": {"$gt": 0}, "monitored": True}, "limit": 1, "sort": "name"})[0]
    since = sandbox.now
    hosts.update(
        row["_id"], {"price": 7.5, "monitored": False, "labels": ["new"], "facts": {"a": "x" * 3000}}
    )

    cells = book_of(sp.changes(hosts, since=since, progress=False))["Cells"]

    assert {
        field: (before, after) for _, _, field, before, after, *_ in cells.iter_rows(2, values_only=True)
    } == {
        "price": (row["price"], 7.5),
        "monitored": (True, False),
        "labels": (None, '["new"]'),
        "facts": (json_text(row["facts"]), shorten(json_text({**row["facts"], "a": "x" * 3000}), 2000)),
    }


def test_fields_of_several_tables_are_told_apart_and_nothing_is_a_workbook_too(work, sandbox):
    racks = sp.changes(sandbox.client().entities("rack"), since=BEGIN, progress=False)

    book = book_of(work(("alice", 0, 1)), racks)

    assert book["Cells"]["C2"].value == "host: notes"
    assert book["Changes"]["A1"].value == "Changes of host, rack"
    assert [len(sheet._charts) for sheet in book_of(racks).worksheets] == [0, 0]


def test_more_changes_than_a_sheet_has_rows_are_refused(work, monkeypatch):
    found = work(("alice", 0, 3))
    monkeypatch.setattr("sispy_pandas.revisions.changes_book.MOST_ROWS", 3)

    with pytest.raises(ValueError, match="a sheet holds 2 rows, not 3: choose a shorter span"):
        book_of(found)


def test_nothing_is_counted_in_weeks():
    assert [(one.of, one.lines) for one in counted([])] == [("week", ()), ("user", ()), ("field", ())]
