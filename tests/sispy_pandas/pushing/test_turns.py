"""Pushes to one table from one machine take turns: threads, processes, other users, and those that die."""

import getpass
import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from pathlib import Path

import pytest

import processes
import sispy_pandas as sp
from gate import Gate
from sispy.sandbox import Faults
from sispy_pandas.pushing import journal, turns
from sispy_pandas.pushing.locks import try_lock
from sispy_pandas.pushing.record import read

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=10.0, rows=5)


@pytest.fixture(autouse=True)
def locks(tmp_path, monkeypatch):
    """Keep the locks of these tests in a folder of their own."""
    folder = tmp_path / "locks"
    folder.mkdir()
    monkeypatch.setenv("SISPY_LOCKS", str(folder))
    return folder


def edit(server, **values):
    live = server.fetch()
    return live.diff(live.frame().assign(**values))


def test_the_second_of_two_threads_waits_says_for_whom_and_overwrites_nothing(server):
    mine, theirs = edit(server, cpus=9), edit(server, cpus=10)
    gate, told = Gate(server.sandbox, "PUT *"), []

    def tell(text):
        told.append(text)
        gate.open()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(mine.push, progress=False, limits=QUICK, note="CHG1")
        gate.wait()
        second = pool.submit(theirs.push, progress=False, limits=QUICK, wait=tell)
        one, other = first.result(), second.result()

    assert (one.counts["done"], other.counts["conflict"]) == (20, 20)
    assert [row["cpus"] for row in server.stored().values()] == [9] * 20
    assert told[0].startswith(f"waiting for the push of root (pid {os.getpid()}, since ")
    assert told[0].endswith(", CHG1): 0 of 20 rows")
    assert told[-1] == ""


def test_who_has_the_turn_since_when_and_how_far_stands_in_its_file(server, locks):
    plan, said = edit(server, cpus=9), []

    def read_file(seen):
        if seen.method == "PUT":
            said.extend(json.loads(path.read_bytes()) for path in locks.iterdir())

    server.sandbox.faults = Faults(before=read_file)
    before = int(time.time() * 1000)
    plan.push(progress=False, note="n" * 300)

    (told,) = said
    at = told.pop("at")
    assert told == {"user": server.sandbox.user, "pid": os.getpid(), "note": "n" * 200, "rows": 20, "done": 0}
    assert before <= at <= time.time() * 1000


def test_a_push_that_is_not_to_wait_sends_nothing_and_leaves_no_journal(server):
    mine, theirs = edit(server, cpus=9), edit(server, cpus=10)
    gate = Gate(server.sandbox, "PUT *")

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(mine.push, progress=False, limits=QUICK)
        gate.wait()
        with pytest.raises(
            sp.TableInUse, match=r"^host is in use by the push of root \(pid \d+, since .*20 rows$"
        ):
            theirs.push(progress=False, wait=False)
        gate.open()
        assert first.result().ok
    assert len(sp.pushes()) == 1
    assert theirs.push(progress=False, wait=False).counts["conflict"] == 20


def test_who_waits_can_cancel(server):
    mine, theirs = edit(server, cpus=9), edit(server, cpus=10)
    gate, cancelled = Gate(server.sandbox, "PUT *"), threading.Event()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(mine.push, progress=False, limits=QUICK)
        gate.wait()
        report = theirs.push(progress=False, cancel=cancelled, wait=lambda text: cancelled.set())
        gate.open()
        first.result()

    assert (report.stopped, report.counts["unsent"], report.journal) == ("cancelled", 20, None)
    assert [outcome.reason for outcome in report.outcomes] == ["cancelled"] * 20


def test_ctrl_c_while_it_waits_says_that_nothing_was_sent(server):
    mine, theirs = edit(server, cpus=9), edit(server, cpus=10)
    gate = Gate(server.sandbox, "PUT *")

    def interrupt(text):
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(mine.push, progress=False, limits=QUICK)
        gate.wait()
        with pytest.raises(KeyboardInterrupt) as caught:
            theirs.push(progress=False, wait=interrupt)
        gate.open()
        first.result()

    assert caught.value.__notes__ == ["interrupted before anything was sent"]


@pytest.mark.parametrize("moment", ["try_lock", "_is_at", "_Told", "unlink", "unlock"])
def test_ctrl_c_at_any_moment_frees_the_turn(server, monkeypatch, moment):
    plan = edit(server, cpus=9)
    owner = Path if moment == "unlink" else turns
    work = getattr(owner, moment)

    def interrupted(*args, **options):
        if moment == "unlink" and args[0].suffix != ".lock":
            return work(*args, **options)
        if moment in ("try_lock", "_is_at", "_Told"):  # it comes when they have done their work
            work(*args, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as caught:
        patch.setattr(owner, moment, interrupted)
        plan.push(progress=False, limits=QUICK, journal=False)

    assert caught.tb is not None  # which a notebook keeps, and with it what was not closed
    assert edit(server, cpus=10).push(progress=False, limits=QUICK, wait=False).counts["done"] == 20


def test_pushes_to_different_tables_do_not_wait(server):
    logs = server.client.entities("site")
    live = sp.fetch(logs, progress=False)
    sites = live.diff(live.frame().assign(note="x"))
    mine, gate = edit(server, cpus=9), Gate(server.sandbox, "PUT *")

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(mine.push, progress=False, limits=QUICK)
        gate.wait()
        assert sites.push(progress=False, wait=False).ok
        gate.open()
        assert first.result().ok


def other_process(server, plan, path, **options):
    """Start a push in a process of its own."""
    plan.save(path)
    pusher = processes.process(
        processes.push, server.client.url, server.client.auth_token, path, limits=QUICK, **options
    )
    pusher.start()
    return pusher


def test_another_process_waits_and_the_system_frees_the_turn_of_one_that_was_killed(server, tmp_path, locks):
    killed, waiting = edit(server, cpus=9), edit(server, cpus=10)
    gate, (told, tell) = Gate(server.sandbox, "PUT *"), Pipe(duplex=False)
    first = other_process(server, killed, tmp_path / "killed", note="CHG2")
    gate.wait()
    second = other_process(server, waiting, tmp_path / "waiting", wait=tell.send)
    said = told.recv()

    first.kill()
    first.join()
    gate.open()
    second.join()

    assert said.startswith(f"waiting for the push of {getpass.getuser()} (pid {first.pid}, since ")
    assert said.endswith(", CHG2): 0 of 20 rows")
    assert (first.exitcode, second.exitcode) == (-signal.SIGKILL, 0)
    (interrupted,) = [path for path in journal.folder().glob("*.jsonl") if read(path).open]
    assert (
        sp.resume(interrupted, client=server.client).push(progress=False, limits=QUICK).counts["failed"] == 0
    )
    assert list(locks.iterdir()) == []


@pytest.mark.parametrize("kind", ["symlink", "hard link", "fifo", "folder", "long", "private"])
def test_what_others_put_in_the_place_of_the_lock_is_not_written_to(server, locks, tmp_path, kind):
    plan = edit(server, cpus=9)
    path = turns.path_of(server.client.url, "host")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    match kind:
        case "symlink":
            path.symlink_to(victim)
        case "hard link":
            path.hardlink_to(victim)
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "long":
            path.write_text("x" * 10_000)
        case "private" if os.getuid():
            path.touch(0o000)
            os.utime(path, (1, 1))
        case "private":
            path.mkdir()  # nothing is private to root

    with pytest.raises(
        ValueError, match=r"^nothing was sent: .*sispy-\w+\.lock, by which pushes take turns, cannot be used"
    ):
        plan.push(progress=False)
    assert victim.read_text() == "precious"
    assert sp.pushes().empty


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"null", b'{"user": "a\x1b[2Jb"}', b'{"at": 1e400}', b"[" * 1000]
)
def test_what_a_lock_says_is_believed_in_nothing(server, content):
    path = turns.path_of(server.client.url, "host")
    path.write_bytes(content)

    with path.open("rb") as held:
        assert try_lock(held.fileno())
        with pytest.raises(sp.TableInUse, match=r"^host is in use by another push from this machine$"):
            edit(server, cpus=9).push(progress=False, wait=False)
    assert edit(server, cpus=9).push(progress=False).ok


def test_what_a_lock_says_is_shown_as_text(server):
    path = turns.path_of(server.client.url, "host")
    says = {"user": "a\x1b[2Jb\u202ec", "pid": 1, "at": 0, "note": "x" * 3000, "rows": 2, "done": 1}
    path.write_text(json.dumps(says))

    with path.open("rb") as held:
        assert try_lock(held.fileno())
        with pytest.raises(sp.TableInUse) as caught:
            edit(server, cpus=9).push(progress=False, wait=False)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_the_lock_is_for_all_users_whatever_the_umask(server, locks):
    before = os.umask(0o077)
    modes = []

    def look(seen):
        if seen.method == "PUT":
            modes.extend(path.stat().st_mode & 0o777 for path in locks.iterdir())

    server.sandbox.faults = Faults(before=look)
    try:
        assert edit(server, cpus=9).push(progress=False).ok
    finally:
        os.umask(before)
    assert modes == [0o666]
