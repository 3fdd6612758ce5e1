"""What a file does not tell by itself is told: the same options for all formats and functions."""

from __future__ import annotations

import datetime
from dataclasses import fields
from inspect import signature
from typing import Any

import openpyxl
import pandas as pd
import pytest

import sispy_pandas as sp
from sispy_pandas.formats.options import ReadKeywords, ReadOptions

READERS = (sp.read_csv, sp.read_excel, sp.read_parquet, sp.read_ndjson)


@pytest.mark.parametrize("read", READERS)
def test_every_reader_names_every_option(read):
    names = [*(one.name for one in fields(ReadOptions)), "mapping"]

    assert list(ReadKeywords.__annotations__) == names
    assert list(signature(read).parameters) == ["path", "schema", *names]


def test_a_foreign_text_file_is_read_as_told(host_schema, tmp_path):
    rows = [
        "Bestand;;;;;",
        "",
        "NAME;CPUS;Live;Installed;OS.Name;note",
        "w1;1.234,5;JA;04.03.2024;RHEL8;n/a",
        "w2;-2.000;nein;n/a;rhel9;Plzeň",
        "w3;n/a;;05.03.2024 10:30;;1.2",
    ]
    (tmp_path / "t.csv").write_bytes("\r\n".join(rows).encode("cp1250"))

    frame = sp.read_csv(
        tmp_path / "t.csv",
        host_schema,
        encoding="cp1250",
        header_row=3,
        ignore_case=True,
        decimal=",",
        thousands=".",
        dayfirst=True,
        na=["n/a"],
        true=["Ja"],
        false=["Nein"],
    )

    assert frame.astype(object).where(frame.notna(), None).to_dict("list") == {
        "name": ["w1", "w2", "w3"],
        "note": [None, "Plzeň", "1.2"],
        "os.name": ["rhel8", "rhel9", None],
        "cpus": [1234.5, -2000, None],
        "live": [True, False, None],
        "installed": [*map(pd_time, ("2024-03-04", None, "2024-03-05T10:30"))],
    }


def pd_time(text):
    return None if text is None else pd.Timestamp(text, tz="UTC")


def test_a_column_of_whole_numbers_with_points_is_not_taken_for_fractions(host_schema, tmp_path):
    id_ = "a" * 24
    (tmp_path / "t.csv").write_text(f"_id,cpus\n{id_},1.500\n")

    plain = sp.read_csv(tmp_path / "t.csv", host_schema)
    german = sp.read_csv(tmp_path / "t.csv", host_schema, decimal=",", thousands=".")
    refused = sp.read_csv(tmp_path / "t.csv", host_schema, decimal=",")

    assert (plain["cpus"].tolist(), german["cpus"].tolist()) == ([1.5], [1500])
    assert refused["cpus"][id_].reason == "'1.500' is not a number"


def test_a_workbook_with_a_title_is_read_from_the_row_of_names(host_schema, tmp_path):
    book = openpyxl.Workbook()
    for row in (["Servers, all sites"], [], ["Name", "cpus"], ["w1", "n/a"], ["w2", 8]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")

    frame = sp.read_excel(tmp_path / "t.xlsx", host_schema, header_row=3, ignore_case=True, na=["n/a"])

    assert frame["name"].tolist() == ["w1", "w2"]
    assert frame["cpus"].isna().tolist() == [True, False]


def test_contradictions_are_refused():
    with pytest.raises(ValueError, match="decimal and thousands cannot both be ','"):
        ReadOptions(decimal=",", thousands=",")
    with pytest.raises(TypeError, match="na takes a list: na=\\['n/a'\\] is one"):
        ReadOptions(na="n/a")
    for unit in ("", " ", "=2", "GB=", "GB=x", "GB=-1"):
        with pytest.raises(ValueError, match=r"unit='.*': it is a text, or one and a number, as TB=1024"):
            ReadOptions(unit=[unit])


def test_a_time_of_day_in_a_workbook_is_text(host_schema, tmp_path):
    book = openpyxl.Workbook()
    for row in (["name", "note", "cpus"], ["w1", datetime.time(10, 30), datetime.time(0, 0)]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")

    frame = sp.read_excel(tmp_path / "t.xlsx", host_schema)

    assert frame["note"].tolist() == ["10:30:00"]
    assert frame["cpus"][0].reason == "'00:00:00' is not a number"


@pytest.mark.parametrize(
    ("name", "option", "words"),
    [
        ("t.csv", {"sheet": "Hosts"}, "sheet=: F is a file of format CSV, which has none"),
        ("t.xlsx", {"encoding": "cp1252"}, "encoding=: F is a file of format Excel, which has none"),
        ("t.parquet", {"header_row": 2}, "header_row=: F is a file of format Parquet, which has none"),
        ("t.ndjson", {"delimiter": ";"}, "delimiter=: F is a file of format NDJSON, which has none"),
        ("t.csv", {"delimiter": ";;"}, "delimiter=';;': it is one character"),
        ("t.csv", {"decimal": ";"}, "decimal=';': '.' or ','"),
    ],
)
def test_what_means_nothing_is_refused(host_schema, tmp_path, name, option, words):
    read = dict(zip((".csv", ".xlsx", ".parquet", ".ndjson"), READERS, strict=True))
    path = tmp_path / name
    path.write_bytes(b"")

    with pytest.raises(ValueError) as refused:
        read[path.suffix](path, host_schema, **option)

    assert str(refused.value).replace(str(path), "F") == words


def test_what_was_told_may_be_no_or_none():
    told = ReadOptions(header_row=0, footer_rows=0, dayfirst=False).told

    assert told - ReadOptions().told == {"header_row", "footer_rows", "dayfirst"}


@pytest.mark.parametrize(
    ("unit", "told", "cells", "numbers"),
    [
        (
            ["€"],
            {"decimal": ",", "thousands": "."},
            ["€ 1.234,50", "-€5", "- 3 €", "7,5€"],
            [1234.5, -5, -3, 7.5],
        ),
        (["$", "US$"], {}, ["$5", "US$ 6.25", "-$7", "8"], [5, 6.25, -7, 8]),
        (["TB=1024", "GB", "%=0.01"], {}, ["2 TB", "0.5TB", "3 GB", "7%"], [2048, 512, 3, 0.07]),
        ([" % "], {}, ["50%", "0.5 %", "1e2%", "-3%"], [50, 0.5, 100, -3]),
        (["GB"], {"thousands": " "}, ["12 GB", "1 024 GB", "12", "+3GB"], [12, 1024, 12, 3]),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".ndjson"])
def test_a_unit_beside_numbers_is_told(host_schema, tmp_path, suffix, unit, told, cells, numbers):
    rows = pd.DataFrame({"name": [f"w{n}" for n in range(len(cells))], "cpus": cells})
    if suffix == ".csv":
        rows.to_csv(tmp_path / "t.csv", index=False)
    elif suffix == ".xlsx":
        rows.to_excel(tmp_path / "t.xlsx", index=False)
    else:
        rows.to_json(tmp_path / "t.ndjson", orient="records", lines=True)
    read = {".csv": sp.read_csv, ".xlsx": sp.read_excel, ".ndjson": sp.read_ndjson}[suffix]

    frame = read(tmp_path / f"t{suffix}", host_schema, unit=unit, **told)

    assert frame["cpus"].tolist() == numbers


def test_another_unit_than_the_one_that_was_told_is_no_number(host_schema, tmp_path):
    (tmp_path / "t.csv").write_text("name,cpus\nw1,5 GB\nw2,5 MB\nw3,GB\n")

    frame = sp.read_csv(tmp_path / "t.csv", host_schema, unit=["GB"])

    assert frame["cpus"].tolist() == [5, "5 MB", "GB"]
    assert frame["cpus"][1].reason == "'5 MB' is not a number"


def test_cells_of_a_column_that_is_told_to_be_text_are_what_people_see(host_schema, tmp_path):
    cells = [1e20, 1234567890123456, 0.5, True, datetime.datetime(2026, 1, 2), "{'a'", "5", None]  # noqa: DTZ001 - a workbook has no zone
    book = openpyxl.Workbook()
    rows: list[list[Any]] = [[f"w{n}", cell, cell] for n, cell in enumerate(cells)]
    for row in (["name", "note", "extra"], *rows):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    seen = [
        "100000000000000000000",
        "1234567890123456",
        "0.5",
        "TRUE",
        "2026-01-02",
        "{'a'",
        "5",
        None,
    ]

    frame = sp.read_excel(tmp_path / "t.xlsx", host_schema, text=["note", "extra"])

    for column in ("note", "extra"):
        assert frame[column].astype(object).where(frame[column].notna(), None).tolist() == seen
    with pytest.raises(ValueError, match="text: the file has no column 'notes'; did you mean 'note'"):
        sp.read_excel(tmp_path / "t.xlsx", host_schema, text=["notes"])
