"""The `sispy` command: the names of all commands, where each lives, and what an exit status means.

A command's module is imported when the command is used, so that `sispy --help` starts without pandas.
"""

from __future__ import annotations

from importlib import import_module, metadata

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "sandbox": ("sispy.sandbox.__main__", "Run a SIS server of your own on this machine."),
}
"""Name -> (module that holds the click command of that name, one line of help)."""


class _Commands(click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_Commands)
@click.version_option(metadata.version("sispy"))
def main() -> None:
    """Work on a SIS CMDB as tables: fetch, edit anywhere, see the plan, push it."""
