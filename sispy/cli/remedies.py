"""Remedies as one would type them in a shell: an option of the command in use, or another command."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sispy.remedies import Argument, Meant, Message, worded

if TYPE_CHECKING:
    from sispy.remedies import Remedy


def program(name: str = "sispy") -> str:
    """Return what to type to call `sispy` again: its path, if it was called by one and is not on the PATH.

    Args:
        name: Another program that is installed beside it, such as `pip`.
    """
    called = Path(sys.argv[0])
    found = shutil.which("sispy")
    if called.stem != "sispy" or (found is not None and called.samefile(found)):
        return name
    return shlex.quote(str(called.with_name(name)))


def in_shell(text: str) -> str:
    """Return a text with its ways out on the command line, without those that the command in use lacks.

    >>> from sispy.remedies import Call, Message
    >>> told = Message("no table", Argument("fields", "leaves it out"), Call("", "lists them", ("schemas",)))
    >>> in_shell(told)  # outside of a command
    'no table: `sispy schemas` lists them'
    """
    return worded(text, _spelled)


def ways_out(text: str) -> list[dict[str, str]]:
    """Return the ways out of a text as data: what to type (`do`), and what comes of it (`does`).

    >>> from sispy.remedies import Call, Message
    >>> ways_out(Message("no table", Call("", "lists them", ("schemas",))))
    [{'do': 'sispy schemas', 'does': 'lists them'}]
    """
    remedies = text.remedies if isinstance(text, Message) else ()
    spelled = [
        (remedy.name if isinstance(remedy, Meant) else _spelled(remedy), remedy.does) for remedy in remedies
    ]
    return [{"do": do.strip("`"), "does": does} for do, does in spelled if do is not None]


def _spelled(remedy: Remedy) -> str | None:
    if isinstance(remedy, Argument):
        return _option(remedy)
    if isinstance(remedy, Meant) or not remedy.shell:
        return None
    words = shlex.join(remedy.shell)
    if not words.startswith("--"):
        return f"`{program()} {words}`"
    return words if any(remedy.shell[0] in option.opts for option in _options(_command())) else None


_LEADS_TO = {"plan": "push", "show": "export"}
"""Command -> the one that it prepares, or that does more than it, and whose options it may name, too."""


def _option(argument: Argument) -> str | None:
    """Return the option for an argument, with its value: of the command in use, or of the one it leads to."""
    command = _command()
    if command is None:
        return None
    found = _of_command(command, argument)
    later = _LEADS_TO.get(command.name or "")
    context = click.get_current_context()
    group = context.find_root().command
    if found is not None or later is None or not isinstance(group, click.Group):
        return found
    other = group.get_command(context, later)
    option = None if other is None else _of_command(other, argument)
    return None if option is None else f"`{program()} {later} ... {option}`"


def _of_command(command: click.Command, argument: Argument) -> str | None:
    """Return the option of a command for an argument: that of the same name, or a flag for that value."""
    for option in _options(command):
        name = max(option.opts, key=len)
        if option.is_flag and option.name in (argument.name, f"{argument.name}_{argument.value}"):
            off = option.secondary_opts
            return off[0] if off and argument.value is False else name
        if option.name == argument.name:
            asked = option.make_metavar(click.get_current_context())
            return f"{name} {asked if argument.is_asked else shlex.quote(_text(argument.value))}"
    return None


def _text(value: Any) -> str:
    """Return a value as an option takes it: of several pairs the first, of several names all."""
    match value:
        case dict():
            return next(f"{key}={cell}" for key, cell in value.items())
        case list():
            return ",".join(map(str, value))
    return str(value)


def _command() -> click.Command | None:
    """Return the command in use."""
    context = click.get_current_context(silent=True)
    if context is None:
        return None
    command, name = context.command, context.invoked_subcommand
    if isinstance(command, click.Group) and name is not None:
        return command.get_command(context, name) or command
    return command


def _options(command: click.Command | None) -> list[click.Option]:
    return [] if command is None else [one for one in command.params if isinstance(one, click.Option)]
