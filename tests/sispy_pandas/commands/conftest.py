"""The command line against a sandbox: in this process as in a pipe, and in a terminal of its own."""

import contextlib
import fcntl
import gc
import logging
import os
import pty
import re
import resource
import signal
import struct
import sys
import termios
import warnings
from pathlib import Path
from typing import Any, NoReturn

import click
import pexpect.fdpexpect
import pytest
from click.testing import CliRunner

from sispy.cli import main
from sispy.sandbox import Sandbox

PROGRAM = Path(sys.executable).with_name("sispy")
HOSTS = 60


@pytest.fixture
def sis():
    with Sandbox(samples=HOSTS) as sis:
        yield sis


@pytest.fixture
def env(sis, tmp_path, monkeypatch):
    """Environment of a user at home in a fresh folder, logged in to the sandbox by variables."""
    for name in (
        "SIS_PROFILE",
        "SIS_PASSWORD",
        "SIS_TOKEN_FILE",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    env = {
        "HOME": str(tmp_path),
        "SIS_URL": sis.url,
        "SIS_TOKEN": sis.token,
        "SIS_USER": sis.user,
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "PAGER": "cat",
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return env


@pytest.fixture
def sispy(env):
    """Run a command in this process, as in a pipe: without a terminal."""

    def run(*args, typed=None):
        result = CliRunner().invoke(main, [str(arg) for arg in args], prog_name="sispy", input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


class Terminal(pexpect.fdpexpect.fdspawn):  # type: ignore[misc] # without types
    """A command at work in a terminal of 80 columns, in a process of its own.

    The process is forked from this one: what takes most of a command's time, its imports, is there already.
    """

    def __init__(self, args):
        with _forking():
            self.pid, fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
            sys.stdin, sys.stdout, sys.stderr = (os.fdopen(fd, mode) for fd, mode in enumerate("rww"))
            _work(args)
        super().__init__(fd, encoding="utf-8", timeout=30)

    def ended(self) -> int:
        """Return the exit status, or the signal as a negative number."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextlib.contextmanager
def _forking():
    """Allow a fork of a process with threads, of which newer Pythons warn: the child needs none of them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
        yield


def _work(args) -> NoReturn:
    """Be a command: never return to the test."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts tests may ignore it
    gc.callbacks.clear()  # an interrupt in one of the test tools' would be swallowed
    status: Any = 1
    try:
        logging.getLogger().handlers.clear()
        main([str(arg) for arg in args], prog_name="sispy")
    except SystemExit as end:
        status = end.code
    finally:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(status)


@pytest.fixture
def in_terminal():
    """Start a command in a terminal of 80 columns, in the environment of now."""
    return lambda *args: Terminal(args)


@pytest.fixture
def terminal(env, in_terminal):
    """Start a command in a terminal of 80 columns, as a user who is logged in."""
    return in_terminal


@pytest.fixture
def steady(sis):
    """Return the lines of an output with what differs from run to run replaced by what it is."""

    def steady(text: str) -> list[str]:
        text = click.unstyle(text).replace("\r\n", "\n")
        lines = [line.rsplit("\r", 1)[-1] for line in text.split("\n") if "%|" not in line]
        address = sis.url.removeprefix("http://")
        text = "\n".join(lines).strip("\n").replace(address, "127.0.0.1:NNNNN"[: len(address)])
        text = re.sub(r"\b[0-9a-f]{24}\b", "I" * 24, text)
        text = re.sub(r"\b[0-9a-f]{64}\b", "D" * 64, text)
        text = re.sub(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d\b", "YYYY-MM-DD HH:MM", text)
        text = re.sub(r"(?m)(HH:MM):\d\d", r"\1:SS", text)
        text = re.sub(r"\(\d\d:\d\d, ", "(HH:MM, ", text)
        for name in re.findall(r"`sispy undo (\w{6})`|^(\w{6})  YYYY|^undoing (\w{6})", text, re.MULTILINE):
            text = text.replace("".join(name), "PPPPPP")
        return text.split("\n") if text else []

    return steady


@pytest.fixture
def screen(steady):
    """Read a terminal to its end and answer what it asks: (exit status, lines)."""

    def read(child, answer="y") -> tuple[int, list[str]]:
        shown = ""
        while child.expect([r"\[y/N\]: ", pexpect.EOF]) == 0:
            shown += child.before + child.after
            child.sendline(answer)
        return child.ended(), steady(shown + child.before)

    return read


@pytest.fixture
def streams(env, tmp_path):
    """Run a command with other standard streams: (status, stdout, stderr).

    Each of them is a path, None for a closed one, a number for an open file, or "" for what a test usually
    gives: nothing to read, and files to write to. With `kilobytes` the command can write no larger file, as
    on a full disk. Like `terminal` it is a fork of this process.
    """
    usual = ["/dev/null", tmp_path / ".stdout", tmp_path / ".stderr"]

    def run(*args, stdin="", stdout="", stderr="", kilobytes=None):
        for path in usual[1:]:
            path.write_text("")
        paths = [usual[n] if path == "" else path for n, path in enumerate((stdin, stdout, stderr))]
        with _forking():
            pid = os.fork()
        if pid == 0:
            if kilobytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))
            _redirect(paths)
            _work(args)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status, *(path.read_text() for path in usual[1:])

    return run


def _redirect(paths) -> None:
    """Open or close the standard streams of this process."""
    opened = [path if path is None or isinstance(path, int) else os.open(path, os.O_RDWR) for path in paths]
    for fd, source in enumerate(opened):
        if source is None:
            os.close(fd)
        else:
            os.dup2(source, fd)
    streams = (None if path is None else os.fdopen(fd, "rww"[fd]) for fd, path in enumerate(paths))
    sys.stdin, sys.stdout, sys.stderr = streams
