"""`sispy resume`: an interrupted push goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sispy.cli.options import Session, examples, session, yes
from sispy_pandas.commands.journals import completed, latest_open, named
from sispy_pandas.commands.sending import send
from sispy_pandas.commands.writing import pushing
from sispy_pandas.revisions.undo import resume as resume_plan

if TYPE_CHECKING:
    from sispy.cli.exits import Exit


@click.command(epilog=examples("sispy resume", "sispy resume push.jsonl --yes"))
@click.argument("name", metavar="[JOURNAL]", required=False, shell_complete=completed)
@pushing
@yes
@session
def resume(session: Session, how: dict[str, Any], name: str | None, yes: bool) -> Exit:
    """Go on with an interrupted push: JOURNAL, or else the latest unfinished one that is not in use.

    JOURNAL is a file or a name that `sispy pushes` lists.

    Rows whose fate is open are read again first: nothing is written twice. New rows that failed because they
    may have been created are looked for again; --again sends those that remain in doubt.
    """
    path = latest_open(session) if name is None else named(name)
    plan = resume_plan(path, client=session.client_if_named())
    _, status = send(session, plan, yes=yes, **how)
    return status
