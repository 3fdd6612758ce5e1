"""`sispy verify`: what the server's commits tell about a push."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sispy.cli.exits import Exit, first
from sispy.cli.options import Session, answers, examples, session
from sispy.cli.remedies import in_shell
from sispy_pandas.commands.journals import completed, latest_written, named
from sispy_pandas.commands.output import Answer, tell
from sispy_pandas.commands.targets import refuse_target
from sispy_pandas.values.blocks import Lines, count, objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sispy_pandas.values.blocks import Block
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
    """Show whose values a push replaced: that of JOURNAL, or else the latest one that wrote something.

    JOURNAL is a file or a name that `sispy pushes` lists; of a push of several tables it stands for all.

    A push looks at each row right before it writes it; what somebody else writes in between, only the
    server's commits show. They are read row by row, which takes one request for each. Nothing is written
    but the journal: `sispy undo` gives back what was replaced.
    """
    from sispy_pandas.pushing.parts import lost_parts, parts_of
    from sispy_pandas.revisions.undo import verify as verify_push
    from sispy_pandas.workflow.parts import Reports

    refuse_target("--html", html)
    journal = latest_written(session) if name is None else named(name)
    journals = parts_of(journal)
    for why in lost_parts(journal):
        session.say(why)
    client = session.client_if_named()
    reports = Reports(tuple(verify_push(path, client, progress=session.progress) for path in journals))
    if html is not None:
        reports.to_html(html)
    tell(session, _answer(reports.reports, journals[0]))
    if html is not None:
        session.say(f"{html} is written")
    if any(len(report.overwritten) for report in reports):
        return Exit.CONFLICT
    return first(_STATUS[report.broken_off] for report in reports)


_STATUS = {None: Exit.DONE, "interrupted": Exit.INTERRUPTED, "server": Exit.SERVER}


def _answer(reports: Sequence[Report], journal: Path) -> Answer:
    from sispy_pandas.planning.render import whereabouts
    from sispy_pandas.pushing.render import evidence, replaced, unverified_rows

    facts = {
        "server": reports[0].plan.endpoint.client.url,
        "table": ", ".join(dict.fromkeys(report.plan.schema.name for report in reports)),
        "journal": str(journal),
        "unverified": [row for report in reports for row in objects(unverified_rows(report), in_shell)],
    }
    tables = [replaced(report) for report in reports]
    by_table: dict[str, list[Report]] = {}
    for report in reports:
        by_table.setdefault(f"{report.plan.schema.name} {whereabouts(report.plan)}", []).append(report)
    seen: list[Block] = []
    for table, parts in by_table.items():
        seen += [Lines((_headline(table, parts),)), *(block for part in parts for block in evidence(part))]
    rows = [row for table in tables for row in table.rows]
    return Answer("verify", replace(tables[0], rows=rows), facts, blocks=lambda: seen)


def _headline(table: str, parts: Sequence[Report]) -> str:
    """Return how many rows of a table were looked at, in all parts, and what came of it, in a line."""
    from sispy_pandas.pushing.verify import is_open

    rows = [outcome for part in parts for outcome in part.outcomes if is_open(outcome)]
    lost = sum(bool(outcome.overwrites) for outcome in rows)
    said = f"{count(lost, 'row')} replaced values of others" if lost else "no value of others was replaced"
    head = f"{table}: {count(len(rows), 'written row')}{f' in {len(parts)} parts' if len(parts) > 1 else ''}"
    known = sum(not outcome.unverified for outcome in rows)
    return f"{head}, {said}" if known or lost or not rows else head
