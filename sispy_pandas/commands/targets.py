"""Files that a command writes beside its work: refused before it if they cannot be, told of after it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sispy.cli.exits import Exit, Misuse, explain, refuse_stream
from sispy.cli.terminal import tell_error
from sispy_pandas.formats.atomic import refuse_unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sispy.cli.options import Session

log: logging.Logger = logging.getLogger("sispy.cli")


def refuse_target(
    option: str, target: Path | None, suffixes: Iterable[str] = (), *, others: Iterable[Path | None] = ()
) -> None:
    """Refuse a file that could not be written afterwards.

    Args:
        option: By which it was named.
        target: The file; None: there is none to be written.
        suffixes: What its name must end in; none: in anything.
        others: Files that it must not take the place of.

    Raises:
        Misuse: Its name does not say that it is of a kind that can be written, or is that of another file.
        OSError: It cannot be written.
    """
    if target is None:
        return
    refuse_stream(option, target)
    if suffixes and target.suffix.lower() not in suffixes:
        raise Misuse(f"{option} {target}: the name must end in {' or '.join(suffixes)}.")
    if any(other is not None and other.absolute() == target.absolute() for other in others):
        raise Misuse(f"{option} {target}: the command reads or writes that very file: name another one.")
    refuse_unwritable(target)


def written(session: Session, write: Callable[[], str]) -> Exit:
    """Write a file after a push, and say so, or why not: the push is done either way.

    Args:
        session: How much to say.
        write: Writes it, and returns what there is to say, if anything.
    """
    try:
        if told := write():
            session.say(told)
    except Exception as error:
        log.info("failed", exc_info=error)
        status, message = explain(error) or (Exit.PROBLEMS, f"{type(error).__name__}: {error}")
        tell_error(message, status, as_json=session.output == "json")
        return status
    return Exit.DONE
