"""Files that are endless, packed, damaged or too large: one sentence each, within little memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import openpyxl
import pytest

import hostile
import sispy_pandas as sp
from sispy_pandas.formats import delimited, excel_file
from sispy_pandas.formats.bounds import InFile
from sispy_pandas.formats.csv import Csv
from sispy_pandas.formats.options import ReadOptions
from sispy_pandas.formats.reader import read_frame, read_texts
from sispy_pandas.formats.registry import format_of
from sispy_pandas.formats.untyped import read_rows as read_untyped
from sispy_pandas.pushing.workbook import copy_to_mark

NAME = {"type": "String", "unique": True, "required": True}
SCHEMA = sp.parse_schema({"name": "host", "definition": {"name": NAME}, "_sis": {"owner": ["g"]}})
MEMORY = 2 << 30
"""Beyond what Python and its libraries take."""


def read_rows(path: Path, schema: sp.Schema = SCHEMA):
    return read_frame(InFile.of(path), format_of(path.name), schema, ReadOptions())


def read_cells(path: Path) -> object:
    return read_texts(InFile.of(path), format_of(path.name), None, ReadOptions())


READERS = {
    "rows": read_rows,
    "cells": read_cells,
    "mark": lambda path: copy_to_mark(path, path.with_name("out.xlsx"), SCHEMA),
    "plan": sp.load_plan,
}


def told(path: Path, reader: str) -> str:
    """Return what a reader says of a file, without the file's name."""
    try:
        READERS[reader](path)
    except ValueError as error:
        text = str(error)
        return f"{'' if str(path) in text else 'NAMELESS '}{text.replace(str(path), 'F')}"
    return "read"


def bounded(kind: str, suffix: str, readers: list[str], folder: Path) -> list[str]:
    """Return what readers say of a hostile file, in a process of its own that has little memory."""
    code = f"import test_bounds; test_bounds.say({kind!r}, {suffix!r}, {readers!r}, {str(folder)!r})"
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(hostile.__file__).parent)])
    environment = {**os.environ, "PYTHONPATH": paths}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=110, env=environment
    )
    assert run.stderr == ""
    return run.stdout.splitlines()


def say(kind: str, suffix: str, readers: list[str], folder: str) -> None:
    """Print what readers say of a hostile file; run by `bounded`."""
    path = {**hostile.BOOKS, **hostile.TEXTS}[kind](Path(folder) / f"f{suffix}")
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    size = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmSize"))
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    for reader in readers:
        print(told(path, reader).splitlines()[0])  # noqa: T201 - the parent reads it


EXPANDS = "F would unpack to more than any real workbook: it is not opened"
DAMAGED = "F is not a workbook, or a damaged one:"
DAMAGED_GZIP = "F is not a gzip file, or a damaged one:"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("16,000 headers", "F has 16,000 columns: at most 4,096 are read; does it begin with their names?"),
        ("a row far beyond", "F is too large: a sheet has 1,048,576 rows at most"),
        ("a merge of all", "read"),
        ("a link of all", "read"),
        ("a sheet that expands", EXPANDS),
        ("texts that expand", EXPANDS),
        ("a style that expands", EXPANDS),
        ("locked", "F is locked by a password: save it without one"),
        ("old", "F is an old .xls: save it as .xlsx"),
        ("no rows", "sheet 'host' of F has no header"),
        ("cut", f"{DAMAGED} File is not a zip file"),
        ("no zip", f"{DAMAGED} it does not begin like one"),
        ("empty", "F is empty: it is not a workbook"),
    ],
)
def test_workbooks_end_in_one_sentence(tmp_path, kind, words):
    path = hostile.BOOKS[kind](tmp_path / "f.xlsx")

    assert {reader: told(path, reader) for reader in ("rows", "cells")} == {"rows": words, "cells": words}


def test_texts_of_many_rows_are_none_that_expand(tmp_path, monkeypatch):
    """As programs write them: each once, in a part of their own."""
    path = tmp_path / "texts.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["name"])
    for n in range(2_000):
        book.active.append([f"{n:024x}" * 5])
    book.save(path)
    monkeypatch.setattr(excel_file, "FREE", 60_000)

    frame = sp.read_excel(path, SCHEMA)

    assert frame["name"].tolist() == [f"{n:024x}" * 5 for n in range(2_000)]


def test_an_entity_that_expands_is_refused(tmp_path):
    path = hostile.BOOKS["entities"](tmp_path / "f.xlsx")

    assert [told(path, reader).startswith(DAMAGED) for reader in ("rows", "cells", "mark")] == [True] * 3


def test_cells_are_merged_up_to_a_bound(tmp_path):
    """Each range is read once: these differ, and hold one row of cells more than may be merged."""
    wide, rows, left = 16, 2048, (1 << 22) // 16 + 1
    head = "".join(f'<c t="inlineStr"><is><t>c{i}</t></is></c>' for i in range(wide))
    body = "".join(hostile.row(n, f'<c r="A{n}"><v>1</v></c>') for n in range(2, rows + 2))
    merges = []
    for first in range(2, rows + 2):
        high = min(rows + 2 - first, left)
        merges += [f'<mergeCell ref="A{first}:P{first + high - 1}"/>'] if high else []
        left -= high
    path = hostile.book(
        tmp_path / "f.xlsx",
        hostile.row(1, head) + body,
        after=f"<mergeCells>{''.join(merges)}</mergeCells>",
    )

    assert told(path, "rows") == "F has more than 4,194,304 merged cells: undo that"


@pytest.mark.parametrize("kind", ["a merge of all", "a link of all"])
def test_a_workbook_is_copied_only_if_it_fits(tmp_path, kind):
    path = hostile.BOOKS[kind](tmp_path / "f.xlsx")

    words = "F has 17,179,869,184 cells that are merged or linked: undo it, at most 2,097,152 are copied"
    assert told(path, "mark") == words


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("far apart", ["read", "read"]),
        ("cells without end", ["F is too large: 67,108,864 cells are read at most", "read"]),
        ("rows without end", ["F is too large: a sheet has 1,048,576 rows at most", "read"]),
    ],
)
@pytest.mark.soak
def test_large_workbooks_take_little_memory(tmp_path, kind, words):
    assert bounded(kind, ".xlsx", ["rows", "mark"], tmp_path) == words


@pytest.mark.soak
def test_empty_rows_take_little_memory(tmp_path):
    assert bounded("8,000,000 empty rows", ".csv", ["rows", "cells"], tmp_path) == ["read", "read"]


def test_a_line_without_an_end_takes_little_memory(tmp_path):
    line = "F has a line without an end: is it a table?"
    assert bounded("no end of a line", ".csv", ["rows", "cells"], tmp_path) == [line, line]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("16,000 headers", "F has 16,001 columns: at most 4,096 are read; does it begin with their names?"),
        ("no line of names", "F has no line of names: its first 262,144 characters are one line"),
        ("too large", "F is too large: 2,048 MiB are read at most"),
        ("packed", "read"),
        ("bomb", "F would unpack to more than any real table"),
        ("cut", f"{DAMAGED_GZIP} Compressed file ended before the end-of-stream marker was reached"),
        ("a workbook", "F is a workbook or another zip file, not text: its name has to say so"),
        ("zeros", "F is not text: save it as CSV in UTF-8; encoding= says in which one it is"),
    ],
)
def test_tables_end_in_one_sentence(tmp_path, kind, words):
    path = hostile.TEXTS[kind](tmp_path / "f.csv")

    assert {reader: told(path, reader) for reader in ("rows", "cells")} == {"rows": words, "cells": words}


@pytest.mark.parametrize("suffix", [".json", ".ndjson"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("deep", "F is nested too deeply to be read"),
        ("packed", "F is not JSON: Expecting value at line 1, column 1"),
        ("binary", "F, line 2: no text in UTF-8; encoding= says in which one it is"),
        ("zeros", "F is not JSON: Expecting value at line 1, column 1"),
        ("too large", "F is too large: 2,048 MiB are read at most"),
    ],
)
def test_records_end_in_one_sentence(tmp_path, suffix, kind, words):
    assert told(hostile.TEXTS[kind](tmp_path / f"f{suffix}"), "rows") == words


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("deep", "F is not a plan of this version of sispy"),
        ("empty", "F is not a plan of this version of sispy"),
        ("packed", "F is not a plan of this version of sispy"),
        ("binary", "F, line 2: no text in UTF-8; encoding= says in which one it is"),
        ("too large", "F is too large: 2,048 MiB are read at most"),
    ],
)
def test_plans_end_in_one_sentence(tmp_path, kind, words):
    assert told(hostile.TEXTS[kind](tmp_path / "plan.json"), "plan") == words


@pytest.mark.parametrize("kind", ["empty", "packed", "zeros", "too large"])
def test_what_is_no_parquet_file_is_named(tmp_path, kind):
    assert told(hostile.TEXTS[kind](tmp_path / "f.parquet"), "cells").startswith("F is ")


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".ndjson", ".parquet", ".json"])
def test_a_device_is_no_file(tmp_path, suffix):
    (tmp_path / f"f{suffix}").symlink_to("/dev/zero")

    assert told(tmp_path / f"f{suffix}", "rows") == "F is a device, not a file"
    assert told(tmp_path / f"f{suffix}", "plan") == "F is a device, not a file"


def test_a_cell_that_does_not_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "LONGEST_LINE", 1_000)
    (tmp_path / "f.csv").write_text('name\n"' + "a\n" * 2_000)

    assert told(tmp_path / "f.csv", "rows") == "F, line 502: field larger than field limit (1000)"


@pytest.fixture
def piped(tmp_path):
    """Return a function that makes a pipe of some bytes, written by another thread."""
    threads = []

    def make(name: str, content: bytes, times: int = 1) -> Path:
        path = tmp_path / name
        os.mkfifo(path)

        def write() -> None:
            try:
                with path.open("wb") as file:
                    for _ in range(times):
                        file.write(content)
            except BrokenPipeError:
                pass

        threads.append(threading.Thread(target=write))
        threads[-1].start()
        return path

    yield make
    for thread in threads:
        thread.join(60)


def test_a_pipe_is_read_to_its_end(piped, tmp_path):
    made = hostile.book(tmp_path / "made.xlsx", hostile.row(1, hostile.HEAD)).read_bytes()

    assert read_rows(piped("f.csv", b"name\nh1\n"))["name"].tolist() == ["h1"]
    assert read_rows(piped("f.json", b'[{"name": "h1"}]'))["name"].tolist() == ["h1"]
    assert read_rows(piped("f.xlsx", made)).columns.tolist() == ["name"]


def test_a_pipe_without_an_end_is_not(piped):
    assert told(piped("f.csv", b"name\nh1\n" * 20_000, 10**9), "rows") == (
        "F is too large: 512 MiB are read at most"
    )


def test_a_pipe_is_read_only_once(tmp_path):
    os.mkfifo(tmp_path / "f.xlsx")

    words = "F is a pipe, which can be read only once: save it as a file first"
    assert told(tmp_path / "f.xlsx", "mark") == words


def test_damaged_workbooks_are_read_or_named(server, tmp_path):
    live = server.fetch()
    sp.to_excel(live, tmp_path / "whole.xlsx")
    whole = (tmp_path / "whole.xlsx").read_bytes()
    path = tmp_path / "f.xlsx"

    for seed in range(60):
        path.write_bytes(hostile.flipped(whole, seed))
        for read in (lambda p: sp.read_excel(p, live.schema), read_cells, lambda p: copy(p, live.schema)):
            try:
                read(path)
            except ValueError as error:
                assert str(path) in str(error), (seed, error)
                assert "\n" not in str(error), (seed, error)


def test_a_sheet_that_is_lost_in_a_workbook_is_named(server, tmp_path):
    sp.to_excel(server.fetch(), tmp_path / "whole.xlsx")
    path = tmp_path / "f.xlsx"
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(path, "w") as other:
        parts = {name: whole.read(name) for name in whole.namelist()}
        lost = max(name for name in parts if name.startswith("xl/worksheets/sheet"))
        for name in parts.keys() - {lost}:
            other.writestr(name, parts[name])

    assert told(path, "rows") == "F is not a workbook, or a damaged one: Worksheet _base1 does not exist."


def copy(path: Path, schema: sp.Schema) -> object:
    return copy_to_mark(path, path.with_name("out.xlsx"), schema)


@pytest.mark.parametrize("keys", [1, 5000])
def test_records_with_ever_more_keys_are_refused_before_they_fill_the_memory(tmp_path, keys):
    records = ({f"c{i}": i for i in range(start, start + keys)} for start in range(0, 5000, keys))
    (tmp_path / "f.ndjson").write_text("".join(f"{json.dumps(record)}\n" for record in records))

    said = told(tmp_path / "f.ndjson", "cells")

    assert said == f"F: more than 4,096 columns, by item {4097 if keys == 1 else 1}"


class Hungry(Csv):
    def read(self, file, schema, options):
        raise MemoryError


def test_a_file_that_does_not_fit_into_memory_is_named(tmp_path):
    file, told = InFile(str(tmp_path / "large.csv")), r"large\.csv needs more memory than there is"

    with pytest.raises(ValueError, match=told):
        read_frame(file, Hungry(), SCHEMA, ReadOptions())
    with pytest.raises(ValueError, match=told):
        read_texts(file, Hungry(), SCHEMA, ReadOptions())
    with pytest.raises(ValueError, match=told):
        read_untyped(file, Hungry(), ReadOptions())
