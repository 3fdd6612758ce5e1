"""Work in processes of its own that begins at once: they are forked from one with all imports done."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import sispy
import sispy_pandas as sp
from sispy_pandas.reading import pages
from sispy_pandas.reading.lookup import each

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["__main__", "sispy_pandas"])


def process(work: Callable[..., object], *args: Any, **options: Any) -> ForkServerProcess:
    """Make a process, not started yet, that does some work in the environment of now."""
    return _FORKING.Process(target=_begin, args=(dict(os.environ), work, args, options))


def _begin(
    environ: Mapping[str, str], work: Callable[..., object], args: tuple[Any, ...], options: dict[str, Any]
) -> None:
    os.environ.update(environ)
    work(*args, **options)


def push(url: str, token: str, plan: Path, **options: Any) -> sp.Report:
    """Push a plan that was saved."""
    client = sispy.Client(url, auth_token=token)
    client.username = "root"
    loaded = sp.load_plan(plan, client)
    report = loaded.push(progress=False, expect_deletes=loaded.counts["deletes"], **options)
    assert isinstance(report, sp.Report)
    return report


def waiting(url: str, ids: list[str], told: Connection) -> None:
    """Ask for rows one by one, each held back for an hour, until Ctrl-C; tell when both happen."""
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def hold() -> None:
        told.send("waiting")
        time.sleep(3600)

    try:
        dict(each(sispy.Client(url).entities("host").paced(hold), lambda host, id_: host.get(id_), ids))
    except KeyboardInterrupt:
        told.send("interrupted")


def interrupted(url: str, work: Callable[..., object], args: tuple[object, ...], told: Connection) -> None:
    """Read hosts in pages of two until Ctrl-C, and tell which threads are left; None: it was lost."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts tests may ignore it
    pages.MAX_PAGE = 2  # type: ignore[attr-defined] # its own name for it
    try:
        work(sispy.Client(url).entities("host"), *args)
        told.send(None)
    except KeyboardInterrupt:
        told.send([thread.name for thread in threading.enumerate() if thread.name.startswith("sispy-page")])
