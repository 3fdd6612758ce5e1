"""Exit statuses of the command line, and which exception ends in which of them, with which sentence."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import click

from sispy.cli.remedies import in_shell
from sispy.remedies import Call, Message, message_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class Exit(IntEnum):
    """What a command's exit status means; where several apply, the first in this order."""

    USAGE = 64
    """The command was called wrongly, or would have to ask without a terminal."""
    DENIED = 7
    """Not authenticated, or not allowed."""
    SERVER = 6
    """The server or the network failed."""
    FAILED = 5
    """Some rows failed."""
    CONFLICT = 4
    """Somebody else changed the same cells, or a row went stale."""
    PROBLEMS = 3
    """The input has problems, or a file could not be read or written."""
    CHANGES = 2
    """Changes exist (`diff`, and `plan --detailed-exitcode`)."""
    DONE = 0
    INTERRUPTED = 130


def first(statuses: Iterable[Exit]) -> Exit:
    """Return the status that counts where several apply; `DONE` for none."""
    order = list(Exit)
    return min(statuses, key=order.index, default=Exit.DONE)


_WHO = (Call("", "shows who you are", ("whoami",)), Call("", "logs in", ("login",)))


class Misuse(click.ClickException):
    """The command was called in a way that cannot work here; unlike a typing error it needs no usage line."""

    exit_code = Exit.USAGE

    def format_message(self) -> str:
        """Return what is wrong with its ways out on the command line."""
        return in_shell(self.message)


def misuse(error: ValueError) -> Misuse:
    """Return the error of a refused value as a `Misuse` of the command that was given it."""
    return Misuse(message_of(error))


def refuse_stream(option: str, target: object, kind: str = "file") -> None:
    """Raise Misuse for `-` where a name is wanted of what is to be written: a file or a folder."""
    if str(target) == "-":
        raise Misuse(f"{option} -: it goes to a {kind}, not to standard output: name one.")


class Declined(click.ClickException):
    """The user answered no: nothing was done, and nothing has to be said."""

    exit_code = Exit.INTERRUPTED


def explain(error: Exception) -> tuple[Exit, str] | None:
    """Return status and message for an exception that a user can act on; None for a defect of sispy."""
    # late: `sispy --help` needs no client
    from sispy.errors import BadRequest, DuplicateKey, Error, Refused, Unauthorized, UnknownHost

    message = message_of(error)
    match error:
        case Misuse():
            return Exit.USAGE, error.message
        case Unauthorized():
            return Exit.DENIED, message if isinstance(message, Message) else Message(message, *_WHO)
        case Refused() | UnknownHost():
            return Exit.SERVER, f"{error} - is the address right, and the server up?"
        case BadRequest() | DuplicateKey():
            return Exit.PROBLEMS, f"the server refuses it: {error}"
        case Error():
            return Exit.SERVER, message
        case ImportError() if "pip install" in str(error):
            return Exit.USAGE, message
        case UnicodeDecodeError():
            return Exit.PROBLEMS, f"the file is not UTF-8 text: {error}"
        case OSError():
            name = f"{error.filename}: " if error.filename else ""
            return Exit.PROBLEMS, f"{name}{error.strerror or error}"
        case ValueError():
            return Exit.PROBLEMS, message
        case MemoryError():
            return Exit.PROBLEMS, "it needs more memory than there is"
        case RecursionError():
            return Exit.PROBLEMS, "a value is nested too deeply: a server stores 100 levels"
    return None
