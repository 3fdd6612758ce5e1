"""Changes as a workbook: what is counted, drawn and listed."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import openpyxl
import pytest

import sispy_pandas as sp
from sispy.sandbox import Sandbox
from sispy_pandas.formats.atomic import OutFile
from sispy_pandas.revisions.changes_book import Counted, counted, every_edit, write_book

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


def test_fields_of_several_tables_are_told_apart_and_nothing_is_a_workbook_too(work, sandbox):
    racks = sp.changes(sandbox.client().entities("rack"), since=BEGIN, progress=False)

    book = book_of(work(("alice", 0, 1)), racks)

    assert book["Cells"]["C2"].value == "host: notes"
    assert book["Changes"]["A1"].value == "Changes of host, rack"
    assert [len(sheet._charts) for sheet in book_of(racks).worksheets] == [0, 0]
