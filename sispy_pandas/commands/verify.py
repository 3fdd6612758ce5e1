"""`sispy verify`: what the server's commits tell about a push."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sispy.cli.exits import Exit
from sispy.cli.options import Session, answers, examples, session
from sispy.cli.remedies import in_shell
from sispy_pandas.commands.journals import completed, latest_written, named
from sispy_pandas.commands.output import Answer, tell
from sispy_pandas.planning.render import whereabouts
from sispy_pandas.pushing.render import evidence, replaced, unverified_rows
from sispy_pandas.pushing.verify import is_open
from sispy_pandas.revisions.undo import verify as verify_push
from sispy_pandas.values.blocks import Lines, count, objects

if TYPE_CHECKING:
    from sispy_pandas.workflow.objects import Report


@click.command(epilog=examples("sispy verify", "sispy verify f460df --html f460df.html"))
@click.argument("name", metavar="[JOURNAL]", required=False, shell_complete=completed)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the record of the push with the evidence as a page.",
)
@answers("json", "csv", "md")
@session
def verify(session: Session, name: str | None, html: Path | None) -> Exit:
    """Show which values of others a push has replaced: JOURNAL, or else the latest push that wrote something.

    JOURNAL is a file or a name that `sispy pushes` lists.

    A push looks at each row right before it writes it; what somebody else writes in between, only the
    server's commits show. They are read row by row, which takes one request for each. Nothing is written
    but the journal: `sispy undo` gives back what was replaced.
    """
    path = latest_written(session) if name is None else named(name)
    report = verify_push(path, session.client_if_named(), progress=session.progress)
    if html is not None:
        report.to_html(html)
    tell(session, _answer(report, path))
    if html is not None:
        session.say(f"{html} is written")
    if len(report.overwritten):
        return Exit.CONFLICT
    return _STATUS[report.broken_off]


_STATUS = {None: Exit.DONE, "interrupted": Exit.INTERRUPTED, "server": Exit.SERVER}


def _answer(report: Report, journal: Path) -> Answer:
    unverified = unverified_rows(report)
    facts = {
        "server": report.plan.endpoint.client.url,
        "table": report.plan.schema.name,
        "journal": str(journal),
        "unverified": objects(unverified, in_shell),
    }
    seen = [Lines((_headline(report),)), *evidence(report)]
    return Answer("verify", replaced(report), facts, blocks=lambda: seen)


def _headline(report: Report) -> str:
    """Return how many rows were looked at, and what came of it, in a line."""
    rows = [outcome for outcome in report.outcomes if is_open(outcome)]
    lost = sum(bool(outcome.overwrites) for outcome in rows)
    said = f"{count(lost, 'row')} replaced values of others" if lost else "no value of others was replaced"
    head = f"{report.plan.schema.name} {whereabouts(report.plan)}: {count(len(rows), 'written row')}"
    known = sum(not outcome.unverified for outcome in rows)
    return f"{head}, {said}" if known or lost or not rows else head
