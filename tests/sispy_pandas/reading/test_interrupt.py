"""Ctrl-C while pages travel: it ends at once, and leaves neither a thread nor half a file."""

import io
import os
import signal
import threading
from functools import partial
from multiprocessing import Pipe

import pytest

import processes
import sispy_pandas as sp
from gate import Gate


def interrupted(server, work, args, *, answered):
    """Press Ctrl-C in another process when it waits for a page; return its code and the threads left."""
    told, tell = Pipe(duplex=False)
    reader = processes.process(
        processes.interrupted, server.client.url, partial(work, progress=False), args, tell
    )
    with Gate(server.sandbox, "GET /entities/host", after=6) as page:
        reader.start()
        page.wait()
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGINT)
        if answered:
            page.open()
        assert told.poll(60), "it does not end"
        threads = told.recv()
        reader.join()  # while the server still holds the page, if it does
    return reader.exitcode, threads


@pytest.mark.parametrize(("work", "answered"), [(sp.fetch, True), (sp.to_csv, True), (sp.to_csv, False)])
def test_ctrl_c_stops_at_once_and_leaves_nothing_behind(server, tmp_path, work, answered):
    for folder in (tmp_path / "once", tmp_path / "again"):
        folder.mkdir()
        path = folder / "hosts.csv"
        path.write_text("old")
        args = () if work is sp.fetch else (path,)
        code, threads = interrupted(server, work, args, answered=answered)
        if threads is not None:  # one of a thousand meets NumPy comparing types with pandas', which loses it
            break

    assert (code, len(threads)) == (0, 0 if answered else 1)
    assert [p.read_text() for p in folder.iterdir()] == ["old"]


class Full(io.StringIO):
    """A file at whose second write somebody presses Ctrl-C."""

    writes = 0

    def write(self, text):
        self.writes += 1
        if self.writes == 2:
            raise KeyboardInterrupt
        return super().write(text)


def test_ctrl_c_while_a_page_is_written_ends_the_threads_at_once(server, monkeypatch):
    monkeypatch.setattr("sispy_pandas.reading.pages.MAX_PAGE", 2)

    with pytest.raises(KeyboardInterrupt) as caught:
        sp.to_csv(server.hosts, Full(), progress=False)
    assert caught.tb is not None  # which a notebook keeps, and with it what was not closed
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("sispy-page")] == []
