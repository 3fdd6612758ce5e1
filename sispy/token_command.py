"""A profile's token from a program, such as a keyring's: asked for with each client, and kept nowhere."""

from __future__ import annotations

import shlex
import subprocess
import threading
import time

from .errors import Unauthorized
from .remedies import Message

PATIENCE = 60.0
"""Seconds: a keyring may first have to be unlocked by a person."""
_LONGEST = 1 << 12
"""Characters of a token and the end of its line."""


def ask_token(command: str, who: str) -> str:
    """Return the token that a command prints.

    It is started without a shell and without input. Whatever it says is not shown, for it may be the token.

    Args:
        command: The program and its arguments, quoted as in a shell.
        who: Whose command it is, for errors: "profile 'prod'".

    Raises:
        Unauthorized: It cannot be started, fails, takes longer than 60 s, or prints anything but one word.
    """
    program, *arguments = shlex.split(command)
    until = time.monotonic() + PATIENCE
    try:
        process = subprocess.Popen(  # noqa: S603 -- the user's own, from a file that only they may write
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as exc:
        raise _refused(who, f"cannot start {program!r} ({exc.strerror})") from exc
    said: list[bytes] = []

    def read() -> None:
        with process.stdout as pipe:  # type: ignore[union-attr] # it was asked for
            said.append(pipe.read(_LONGEST))

    # aside: what the program has started may hold the pipe for longer than the program lives
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(PATIENCE)
    try:
        status = process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        said.clear()
    if not said:
        raise _refused(who, f"took longer than {PATIENCE:g} seconds")
    if len(said[0]) < _LONGEST and status:
        raise _refused(who, f"ended with status {status}; run it in a terminal to see why")
    token = said[0].decode("latin-1").strip()
    if len(said[0]) == _LONGEST or not (token.isascii() and token.isprintable() and len(token.split()) == 1):
        raise _refused(who, "has to print the token and nothing else")
    return token


def _refused(who: str, why: str) -> Unauthorized:
    return Unauthorized(Message(f"{who}: its token_command {why}"))
