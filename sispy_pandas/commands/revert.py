"""`sispy revert`: what somebody changed is put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import tables
from sispy.cli.options import Session, examples, session, yes
from sispy_pandas.commands.sending import send
from sispy_pandas.commands.spans import changes_of, span
from sispy_pandas.commands.writing import pushing
from sispy_pandas.revisions.revert import revert as revert_plan

if TYPE_CHECKING:
    from sispy.cli.exits import Exit


@click.command(epilog=examples("sispy revert host --since 2h --by alice --fields os,tags"))
@click.argument("name", metavar="SCHEMA", shell_complete=tables)
@span
@pushing
@yes
@session
def revert(session: Session, name: str, chosen: dict[str, Any], how: dict[str, Any], yes: bool) -> Exit:
    """Put back what was changed in table SCHEMA in a span of time, and spare what others changed later.

    `sispy changes` with the same options and FILTERs shows what is meant. Cells that were changed again since
    are conflicts and stay as they are. Rows that the changes created are deleted. The revert is a push like
    any other: `sispy undo` takes it back.
    """
    found = changes_of(session, name, chosen)
    for note in found.notes:
        session.say(note)
    _, status = send(session, revert_plan(found), yes=yes, **how)
    return status
