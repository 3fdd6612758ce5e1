"""A file tells its own dialect: the cells that nobody touched mean what was exported."""

from __future__ import annotations

import csv
import datetime
import io
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sispy
import sispy_pandas as sp
from sispy.remedies import Message, what_of
from sispy_pandas.values.records import frame_of
from sispy_pandas.values.schema import parse_schema

SCHEMA = parse_schema(
    {
        "name": "asset",
        "id_field": "name",
        "definition": {
            "name": {"type": "String", "required": True, "unique": True},
            "note": "String",
            "price": "Number",
            "units": "Number",
            "live": "Boolean",
            "rare": "Boolean",
            "bought": "Date",
            "seen": "Date",
            "tags": ["String"],
        },
    }
)
DAY = 86_400_000


def snapshot_of(rows: list[dict[str, Any]]) -> sp.Snapshot:
    """Return a snapshot of rows, without a server."""
    columns = {field.path: [row.get(field.path) for row in rows] for field in SCHEMA.fields}
    ids = [f"{n:024x}" for n in range(1, len(rows) + 1)]
    return sp.Snapshot(
        schema=SCHEMA,
        endpoint=sispy.Client("http://127.0.0.1:9").entities("asset"),
        query={},
        fields=None,
        fetched_at=datetime.datetime.now(datetime.UTC),
        warnings=pd.DataFrame(),
        _frame=frame_of(SCHEMA, columns, ids, [1_700_000_000_000] * len(rows)),
    )


def iso(ms: int) -> str:
    return f"{datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def row(n: int) -> dict[str, Any]:
    return {
        "name": f"asset-{n:03}",
        "note": ["Büro", "Straße 5", "3,5", None, "WAHR"][n % 5],
        "price": n * 123.25,
        "units": n * 1000 + n % 3,
        "live": n % 3 > 0,
        "rare": None if n % 7 else True,
        "bought": iso(1_600_000_000_000 // DAY * DAY + n * 11 * DAY),
        "seen": iso(1_700_000_000_000 + n * 4_567_000),
        "tags": ["a", "b"] if n % 2 else [],
    }


ROWS = [row(n) for n in range(40)]


@dataclass(frozen=True)
class Locale:
    """How a program of a country saves a table: a plain model."""

    delimiter: str = ";"
    encoding: str = "cp1252"
    decimal: str = ","
    thousands: str = ""
    day: str = "%d.%m.%Y"
    time: str = "%d.%m.%Y %H:%M:%S"
    true: str = "WAHR"
    false: str = "FALSCH"

    def number(self, value: float) -> str:
        whole, _, rest = f"{value!r}".partition(".")
        grouped = f"{int(whole):,}".replace(",", self.thousands)
        return grouped + (self.decimal + rest if rest.strip("0") else "")

    def text(self, path: str, value: Any) -> str:
        if value is None or value == []:
            return ""
        match SCHEMA.field(path).type:
            case "Number":
                return self.number(value)
            case "Boolean":
                return self.true if value else self.false
            case "Date":
                moment = datetime.datetime.fromisoformat(value)
                return moment.strftime(self.day if value.endswith("T00:00:00.000Z") else self.time)
        return str(value) if isinstance(value, str) else '["a", "b"]'

    def save(self, path, rows, ids) -> None:
        path.write_bytes(self.data(rows, ids))

    def data(self, rows, ids) -> bytes:
        file = io.StringIO()
        writer = csv.writer(file, delimiter=self.delimiter)
        names = [field.path for field in SCHEMA.fields]
        writer.writerow(["_id", *names, "_updated_at"])
        for id_, one in zip(ids, rows, strict=True):
            stamp = "2023-11-14T22:13:20.000Z" if id_ else ""
            writer.writerow([id_, *(self.text(name, one.get(name)) for name in names), stamp])
        return file.getvalue().encode(self.encoding)


GERMAN = Locale()
LOCALES = {
    "German": GERMAN,
    "German, grouped": Locale(thousands="."),
    "German, short years": Locale(day="%d.%m.%y", time="%d.%m.%y %H:%M"),
    "French": Locale(
        thousands="\u202f",
        encoding="utf-8-sig",
        day="%d/%m/%Y",
        time="%d/%m/%Y %H:%M",
        true="VRAI",
        false="FAUX",
    ),
    "French, cp1252": Locale(thousands="\u00a0", day="%d/%m/%Y", true="VRAI", false="FAUX"),
    "Swiss": Locale(decimal=".", thousands="'"),
    "Swiss, typographic": Locale(decimal=".", thousands="\u2019"),
    "Spanish": Locale(thousands=".", day="%d/%m/%Y", time="%d/%m/%Y %H:%M", true="VERDADERO", false="FALSO"),
    "Italian": Locale(thousands=".", day="%d/%m/%Y", time="%d/%m/%Y %H.%M.%S", true="VERO", false="FALSO"),
    "Dutch": Locale(day="%d-%m-%Y", time="%d-%m-%Y %H:%M", true="WAAR", false="ONWAAR"),
    "Portuguese": Locale(day="%d/%m/%Y", true="VERDADEIRO", false="FALSO"),
    "Polish": Locale(encoding="utf-8", thousands=" ", true="PRAWDA", false="FAŁSZ"),
    "Polish, cp1250": Locale(encoding="cp1250", thousands="\u00a0", true="PRAWDA", false="FAŁSZ"),
    "Finnish": Locale(day="%d.%m.%Y", time="%d.%m.%Y %H.%M", true="TOSI", false="EPÄTOSI"),
    "American": Locale(",", "utf-8", ".", ",", "%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p", "TRUE", "FALSE"),
    "British": Locale(",", "cp1252", ".", "", "%d/%m/%Y", "%d/%m/%Y %H:%M", "TRUE", "FALSE"),
    "Japanese": Locale(",", "utf-8-sig", ".", "", "%Y/%m/%d", "%Y/%m/%d %H:%M", "TRUE", "FALSE"),
    "tabs in UTF-16": Locale("\t", "utf-16"),
}


def plan(path, locale: Locale, rows, ids=None, snapshot=None) -> sp.Plan:
    snapshot = snapshot or snapshot_of(ROWS)
    locale.save(path, rows, list(snapshot.ids) if ids is None else ids)
    return snapshot.diff(sp.read_csv(path, snapshot))


@pytest.mark.parametrize("name", LOCALES)
def test_a_file_that_nobody_edited_is_an_empty_plan_in_every_country(name, tmp_path):
    found = plan(tmp_path / "a.csv", LOCALES[name], ROWS)

    assert (found.counts["cells"], list(found.problem_list)) == (0, [])


@pytest.mark.parametrize("name", LOCALES)
def test_edits_are_read_as_the_country_writes_them(name, tmp_path):
    edits = {
        "price": 9876.5,
        "live": not ROWS[7]["live"],
        "bought": "2021-05-06T00:00:00.000Z",
        "note": "Zoë",
    }
    rows = [*ROWS[:7], ROWS[7] | edits, *ROWS[8:]]

    found = plan(tmp_path / "a.csv", LOCALES[name], rows)

    refused = {fault.column for fault in found.problem_list}
    (change,) = found.changes
    assert {path: change.after[path] for path in edits if path not in refused} == {
        path: value for path, value in edits.items() if path not in refused
    }
    assert refused == ({"bought"} if "short" in name else set())


@pytest.mark.parametrize(
    ("encoding", "words", "edit"),
    [
        ("cp1250", "Łódź Gdańsk Kraków", "Poznań"),
        ("cp1251", "Москва Тверь", "Сочи"),
        ("cp932", "東京 大阪", "札幌"),
    ],
)
def test_the_encoding_is_told_by_texts_that_nobody_touched(tmp_path, encoding, words, edit):
    rows = [one | {"note": words.split()[n % 2]} for n, one in enumerate(ROWS)]
    edited = [*rows[:3], rows[3] | {"note": edit}, *rows[4:]]

    found = plan(tmp_path / "a.csv", Locale(encoding=encoding), edited, snapshot=snapshot_of(rows))

    assert [change.after for change in found.changes] == [{"note": edit}]
    assert f"the file is read in {encoding}, as 40 cells tell that nobody touched" in found.notes
    assert list(found.problem_list) == []


def test_a_letter_that_stands_in_an_edited_cell_alone_tells_the_encoding_with_those_nobody_touched(tmp_path):
    rows = [*ROWS[:3], ROWS[3] | {"note": "Bou\u0159e \u0165uk\u00e1"}, *ROWS[4:]]

    found = plan(tmp_path / "a.csv", Locale(encoding="cp1250"), rows)

    assert list(found.problem_list) == []
    assert [change.after for change in found.changes] == [{"note": "Bou\u0159e \u0165uk\u00e1"}]
    assert "the file is read in cp1250, as 16 cells tell that nobody touched" in found.notes


def test_the_head_says_how_a_file_was_read(tmp_path):
    found = plan(tmp_path / "a.csv", GERMAN, ROWS)

    assert [str(note) for note in found.notes][1:] == [
        "price: read with a decimal comma, as 30 cells tell that nobody touched",
        "live, rare: read with WAHR and FALSCH, as 46 cells tell that nobody touched",
        "bought, seen: read with the day first, as 80 cells tell that nobody touched",
    ]


def edited(locale: Locale, path, **texts: str) -> sp.Plan:
    """Return the plan of a file in which cells of the fifth row, as the country writes them, were changed."""
    locale.save(path, ROWS, list(snapshot_of(ROWS).ids))
    lines = path.read_bytes().decode(locale.encoding).split("\r\n")
    names, cells = (line.split(locale.delimiter) for line in (lines[0], lines[5]))
    cells = [texts.get(name, cell) for name, cell in zip(names, cells, strict=True)]
    path.write_bytes(
        "\r\n".join([*lines[:5], locale.delimiter.join(cells), *lines[6:]]).encode(locale.encoding)
    )
    snapshot = snapshot_of(ROWS)
    return snapshot.diff(sp.read_csv(path, snapshot))


@pytest.mark.parametrize(
    ("texts", "option"),
    [
        ({"price": "12.345"}, "decimal"),  # with a comma, points may stand between thousands, or it is a slip
        ({"live": "JA"}, "true"),
        ({"bought": "31.02.2024"}, "dayfirst"),
        ({"bought": "04.03.24"}, None),  # nothing tells the century
    ],
)
def test_what_may_mean_more_than_one_thing_is_a_problem(tmp_path, texts, option):
    found = edited(GERMAN, tmp_path / "a.csv", **texts)

    (fault,) = found.problem_list
    assert (fault.column, fault.value) == next(iter(texts.items()))
    assert option is None or option in [one.name for one in remedies_of(fault)]


def remedies_of(fault):
    known = SCHEMA.field(fault.column).kind.remedies(fault.value)
    return fault.reason.remedies if isinstance(fault.reason, Message) else known


def test_points_between_thousands_are_no_decimal_points_where_the_cells_say_so(tmp_path):
    rows = [one | {"units": n * 1000 + 345, "price": None} for n, one in enumerate(ROWS, start=1)]
    snapshot = snapshot_of(rows)

    untouched = plan(tmp_path / "a.csv", Locale(thousands="."), rows, snapshot=snapshot)
    one_edit = [*rows[:3], rows[3] | {"units": 12_345}, *rows[4:]]
    changed = plan(tmp_path / "a.csv", Locale(thousands="."), one_edit, snapshot=snapshot)

    assert (untouched.counts["cells"], list(untouched.problem_list)) == (0, [])
    assert [(c.before, c.after) for c in changed.changes] == [({"units": 4345}, {"units": 12345})]


@pytest.mark.parametrize("part", [2, 4, 6, 9])
@pytest.mark.parametrize("name", ["German, grouped", "French, cp1252", "Swiss", "American"])
def test_marks_between_thousands_may_stand_in_few_cells(name, part, tmp_path):
    rows = [one | {"price": n + (0.25 if n % 10 >= part else 5000.25)} for n, one in enumerate(ROWS)]
    snapshot = snapshot_of(rows)

    untouched = plan(tmp_path / "a.csv", LOCALES[name], rows, snapshot=snapshot)
    one_edit = [*rows[:3], rows[3] | {"price": 9_876.5}, *rows[4:]]
    changed = plan(tmp_path / "a.csv", LOCALES[name], one_edit, snapshot=snapshot)

    assert (untouched.counts["cells"], list(untouched.problem_list)) == (0, [])
    assert list(changed.problem_list) == []
    assert [(c.before, c.after) for c in changed.changes] == [
        ({"price": rows[3]["price"]}, {"price": 9_876.5})
    ]


def test_too_few_cells_tell_nothing_but_what_was_exported_is_no_edit(tmp_path):
    rows = [row(n) | {"units": 12_345 if n == 3 else n} for n in range(10)]

    found = plan(tmp_path / "a.csv", Locale(",", thousands="."), rows, snapshot=snapshot_of(rows))

    (fault,) = [fault for fault in found.problem_list if fault.column == "units"]
    assert (fault.value, what_of(fault.reason)) == (
        "12.345",
        "'12.345': what was exported, written in another way?",
    )
    assert [one.name for one in remedies_of(fault)] == ["decimal", "thousands"]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])  # that it is foreign, one of the two signs tells
@pytest.mark.parametrize("price", [1.5, 12.345, 1234.5])
def test_a_point_is_a_guess_where_too_few_cells_tell_what_it_is_to_a_program_of_another_country(
    tmp_path, price, encoding
):
    rows = [one | {"price": n} for n, one in enumerate(ROWS[:4])]
    edited = [*rows[:3], rows[3] | {"price": price}]

    found = plan(tmp_path / "a.csv", Locale(";", encoding, "."), edited, snapshot=snapshot_of(rows))

    (fault,) = [fault for fault in found.problem_list if fault.column == "price"]
    assert (fault.value, what_of(fault.reason)) == (str(price), f"'{price}': it may mean more than one thing")
    assert [(one.name, one.value) for one in remedies_of(fault)] == [("decimal", ","), ("thousands", ".")]


@pytest.mark.parametrize(("n", "sure"), [(4, False), (5, True)])
def test_five_cells_tell_how_a_column_is_written(tmp_path, n, sure):
    rows = [one | {"price": n + 0.25} for n, one in enumerate(ROWS[:n])]

    found = plan(tmp_path / "a.csv", GERMAN, rows, snapshot=snapshot_of(rows))

    assert ("price" not in {fault.column for fault in found.problem_list}) is sure


def test_new_rows_are_never_read_by_a_guess(tmp_path):
    new = {"name": "new", "price": 1234.5, "units": 7, "live": True, "bought": "2024-03-04T00:00:00.000Z"}

    found = plan(tmp_path / "a.csv", GERMAN, [*ROWS, new], [*snapshot_of(ROWS).ids, ""])

    assert [(fault.column, fault.value) for fault in found.problem_list] == [
        ("price", "1234,5"),
        ("live", "WAHR"),
        ("bought", "04.03.2024"),
    ]
    assert {one.name for fault in found.problem_list for one in remedies_of(fault)} == {
        "decimal",
        "dayfirst",
        "true",
        "false",
    }


def test_what_is_told_is_not_guessed(tmp_path):
    new = {"name": "new", "price": 1234.5, "live": True, "bought": "2024-03-04T00:00:00.000Z"}
    GERMAN.save(tmp_path / "a.csv", [*ROWS, new], [*snapshot_of(ROWS).ids, ""])
    snapshot = snapshot_of(ROWS)

    frame = sp.read_csv(
        tmp_path / "a.csv", snapshot, decimal=",", dayfirst=True, true=["WAHR"], false=["FALSCH"]
    )
    found = snapshot.diff(frame)

    assert ([change.values for change in found.changes], list(found.problem_list)) == ([new], [])


def test_a_schema_alone_tells_nothing(tmp_path):
    GERMAN.save(tmp_path / "a.csv", ROWS, list(snapshot_of(ROWS).ids))

    frame = sp.read_csv(tmp_path / "a.csv", SCHEMA)

    assert frame["price"].tolist()[1] == "123,25"


def test_edits_of_a_tenth_of_a_column_leave_doubt(tmp_path):
    rows = [one | ({"price": n + 0.5} if n % 9 == 0 else {}) for n, one in enumerate(ROWS)]

    found = plan(tmp_path / "a.csv", GERMAN, rows)

    assert {fault.column for fault in found.problem_list} == {"price"}
    assert all("decimal" in [one.name for one in remedies_of(fault)] for fault in found.problem_list)


@pytest.mark.parametrize(("n", "doubtful"), [(25, True), (29, False)])
def test_one_edit_leaves_doubt_in_a_column_of_few_cells(tmp_path, n, doubtful):
    rows = [ROWS[0] | {"price": 0.5}, *ROWS[1:n]]

    found = plan(tmp_path / "a.csv", GERMAN, rows, snapshot=snapshot_of(ROWS[:n]))

    assert ("price" in {problem.column for problem in found.problem_list}) is doubtful


def test_a_column_with_many_edits_is_read_as_another_one_proves_that_is_of_its_type(tmp_path):
    bought = {n: {"bought": f"2024-03-{n:02}T00:00:00.000Z"} for n in (3, 7, 11, 14)}
    rows = [one | bought.get(n, {}) for n, one in enumerate(ROWS)]

    found = plan(tmp_path / "a.csv", GERMAN, rows)

    assert list(found.problem_list) == []
    assert [change.after for change in found.changes] == list(bought.values())


def test_a_column_of_which_a_part_is_written_in_another_way_is_not_read_as_another_one(tmp_path):
    snapshot, american = snapshot_of(ROWS), Locale(day="%m/%d/%Y")
    lines = GERMAN.data(ROWS, list(snapshot.ids)).splitlines(keepends=True)
    lines[30:] = american.data(ROWS, list(snapshot.ids)).splitlines(keepends=True)[30:]
    (tmp_path / "a.csv").write_bytes(b"".join(lines))

    found = snapshot.diff(sp.read_csv(tmp_path / "a.csv", snapshot))

    assert {fault.column for fault in found.problem_list} == {"bought"}
    assert found.sendable["updates"] == 0


VALUES = {
    "price": st.one_of(
        st.integers(0, 10**7), st.integers(1, 10**7).map(lambda n: n / 1000), st.sampled_from([12.345, 1.5])
    ),
    "units": st.one_of(st.integers(0, 10**6), st.sampled_from([1234, 12_345, 1.234])),
    "live": st.booleans(),
    "rare": st.booleans(),
    "bought": st.dates(datetime.date(2001, 1, 1), datetime.date(2039, 1, 1)).map(
        lambda d: f"{d}T00:00:00.000Z"
    ),
    "seen": st.integers(10**7, 3 * 10**7).map(lambda minutes: iso(minutes * 60_000)),
    "note": st.sampled_from(["x", "1,5", "é", "WAHR", "04.03.2024"]),
}
EDIT = st.sampled_from(sorted(VALUES)).flatmap(lambda path: st.tuples(st.just(path), VALUES[path]))
LOCALE = st.builds(
    Locale,
    st.sampled_from(",;\t|"),
    st.sampled_from(["cp1252", "utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(".,"),
    st.sampled_from(["", ".", ",", "'", " ", "\u00a0"]),
    st.sampled_from(["%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d.%m.%y", "%Y-%m-%d"]),
    st.sampled_from(["%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S"]),
    st.just("VRAI"),
    st.just("FAUX"),
).filter(lambda one: one.decimal not in (one.thousands, one.delimiter))


@settings(max_examples=40)
@given(LOCALE, st.sampled_from([0, 1, 3, 8, 40]), st.dictionaries(st.integers(0, 39), EDIT, max_size=4))
def test_a_file_of_any_country_is_exactly_its_edits_or_problems_with_a_way_out(locale, size, edits):
    base = ROWS[:size]
    snapshot = snapshot_of(base)
    wanted = [one | dict([edits[n]] if n in edits else []) for n, one in enumerate(base)]

    found = snapshot.diff(sp.read_csv(io.BytesIO(locale.data(wanted, list(snapshot.ids))), snapshot))

    refused = {(fault.row, fault.column) for fault in found.problem_list}
    made = {(c.id, path): value for c in found.changes for path, value in c.after.items()}
    edited = {
        (id_, path): new[path]
        for id_, old, new in zip(snapshot.ids, base, wanted, strict=True)
        for path in new
        if new[path] != old[path]
    }
    assert {at: value for at, value in made.items() if at not in refused} == {
        at: value for at, value in edited.items() if at not in refused
    }
    assert not [f for f in found.problem_list if not remedies_of(f) and "%y" not in locale.day]
