"""`sispy undo`: what a push changed is put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sispy.cli.options import Session, examples, session, yes
from sispy_pandas.commands.journals import completed, named, to_be_undone
from sispy_pandas.commands.sending import send
from sispy_pandas.commands.writing import pushing
from sispy_pandas.revisions.undo import undo as undo_plan

if TYPE_CHECKING:
    from sispy.cli.exits import Exit


@click.command(epilog=examples("sispy undo", "sispy undo f460df --fields os.version,notes"))
@click.argument("name", metavar="[JOURNAL]", required=False, shell_complete=completed)
@click.option("--fields", metavar="A,B", help="Put back these fields only.")
@pushing
@yes
@session
def undo(session: Session, how: dict[str, Any], name: str | None, fields: str | None, yes: bool) -> Exit:
    """Put back the values that a push changed: JOURNAL, or else the latest push that wrote something.

    JOURNAL is a file or a name that `sispy pushes` lists. With --yes and no name nothing may have been tried
    since that push.

    Cells that somebody edited since are conflicts and stay as they are. The undo is a push of its own, with
    a journal: undoing it does the push again.
    """
    path = to_be_undone(session, yes=yes) if name is None else named(name)
    plan = undo_plan(path, client=session.client_if_named())
    if fields is not None:
        plan = plan.only(fields=[name.strip() for name in fields.split(",")])
    _, status = send(session, plan, yes=yes, **how)
    return status
