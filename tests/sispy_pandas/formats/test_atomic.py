"""Files that appear when they are complete, whatever writes them and whatever stands in the way."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import resource
import stat
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter

import sispy_pandas as sp
from sispy_pandas.formats.atomic import OutFile, refuse_unwritable, replaced

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0)


@contextlib.contextmanager
def disk_of(size):
    """Let no file of this process grow beyond some bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def half_written(path, data):
    with path.open("wb") as file:
        file.write(data[:600])
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


@contextlib.contextmanager
def full_once_put_together(monkeypatch):
    """Let the disk be full once a workbook's pieces, which are other files, were put together."""
    with contextlib.ExitStack() as stack:
        close = xlsxwriter.Workbook.close

        def closed(book):
            close(book)
            stack.enter_context(disk_of(600))

        monkeypatch.setattr(xlsxwriter.Workbook, "close", closed)
        monkeypatch.setattr(Path, "write_bytes", half_written)
        yield


@pytest.fixture
def pushed(server, tmp_path):
    """Return a snapshot, a plan of it, a report with rows that were not pushed, and a workbook."""
    live = server.fetch()
    sp.to_excel(live, tmp_path / "hosts.xlsx")
    plan = live.diff(live.frame().assign(cpus=99))
    mixed = live.frame().assign(cpus=[8, *[99] * (len(live) - 1)])
    report = live.diff(mixed).push(progress=False, limits=QUICK, skip_problems=True)
    return live, plan, report


WRITERS = {
    "csv": lambda _, path, live, plan, report: sp.to_csv(live, path),
    "streamed csv": lambda server, path, *_: sp.to_csv(server.hosts, path, progress=False),
    "workbook": lambda _, path, live, plan, report: sp.to_excel(live, path),
    "parquet": lambda _, path, live, plan, report: sp.to_parquet(live, path),
    "ndjson": lambda _, path, live, plan, report: sp.to_ndjson(live, path),
    "plan": lambda _, path, live, plan, report: plan.save(path),
    "record": lambda _, path, live, plan, report: report.to_html(path),
    "retry csv": lambda _, path, live, plan, report: report.to_csv(path),
    "retry workbook": lambda _, path, live, plan, report: report.to_excel(path),
    "write-back": lambda _, path, live, plan, report: sp.mark_problems(
        path.parent.parent / "hosts.xlsx", report, path, write_back=True
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_names_the_file_and_leaves_the_old_one(
    kind, server, pushed, tmp_path, capfd, monkeypatch
):
    folder = tmp_path / "out"
    folder.mkdir()
    path = folder / f"file{'.xlsx' if 'workbook' in kind or kind == 'write-back' else '.csv'}"
    path.write_text("old")
    (folder / "file.csv.meta.json").write_text("{}")

    full = full_once_put_together(monkeypatch) if path.suffix == ".xlsx" else disk_of(600)

    with full, pytest.raises(OSError) as caught:
        WRITERS[kind](server, path, *pushed)
    gc.collect()

    assert caught.value.filename == str(path)
    assert {file.name: file.read_text() for file in folder.iterdir()} == {
        path.name: "old",
        "file.csv.meta.json": "{}",
    }
    assert capfd.readouterr() == ("", "")


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such folder") as missing:
        refuse_unwritable(tmp_path / "nowhere" / "a.csv")
    assert missing.value.filename == str(tmp_path / "nowhere")
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        refuse_unwritable(tmp_path)
    with disk_of(0):
        refuse_unwritable(tmp_path / "a.csv")  # who knows how much it will be
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_one(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "real.csv").write_text("old")
    link = tmp_path / "hosts.csv"
    link.symlink_to(tmp_path / "shared" / "real.csv")

    with replaced(link) as file:
        file.write("new")

    assert (link.is_symlink(), (tmp_path / "shared" / "real.csv").read_text()) == (True, "new")
    assert [p.name for p in (tmp_path / "shared").iterdir()] == ["real.csv"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_a_pipe_or_device_is_left_where_it_is(tmp_path):
    pipe, link = tmp_path / "pipe.csv", tmp_path / "link.csv"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")

    for path in (pipe, link):
        with pytest.raises(OSError, match="it is not a regular file"), replaced(path):
            pass
        with pytest.raises(OSError, match="it is not a regular file"):
            refuse_unwritable(path)
    assert (stat.S_ISFIFO(pipe.stat().st_mode), link.is_symlink()) == (True, True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.csv", "pipe.csv"]


def test_a_private_file_is_its_owners_alone_whatever_was_there(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o644)

    with replaced(path, private=True) as file:
        file.write("new")

    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)


@pytest.fixture
def half(server):
    """A frame with a text that ends in the midst of a character, as servers may hold it; and its schema."""
    live = server.fetch()
    frame = live.frame()
    texts = ["ac\ud800me", *frame["bios.vendor"].tolist()[1:]]
    return frame.assign(**{"bios.vendor": pd.Series(texts, frame.index, dtype=object)}), live.schema


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.xlsx"])
def test_half_a_character_is_named_where_a_file_has_no_place_for_it(half, tmp_path, name):
    frame, schema = half
    write: Any = sp.to_excel if name.endswith("xlsx") else sp.to_csv

    with pytest.raises(ValueError, match=r"'.*ac\\ud800me.*' holds half a character") as refused:
        write(frame, tmp_path / name, schema=schema)

    assert not isinstance(refused.value, UnicodeError)
    assert list(tmp_path.glob("t*")) == []


def test_json_holds_half_a_character(half, tmp_path):
    frame, schema = half

    sp.to_ndjson(frame, tmp_path / "t.ndjson", schema=schema)

    again = sp.read_ndjson(tmp_path / "t.ndjson", schema)
    assert again["bios.vendor"].iloc[0] == "ac\ud800me"


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", ""), ("utf-8-sig", "\ufeff")])
def test_text_that_is_open_begins_with_a_mark_where_its_encoding_has_one(encoding, mark):
    target = io.StringIO()

    with OutFile.of(target).text(encoding) as file:
        file.write("name")

    assert target.getvalue() == f"{mark}name"
