"""The pushes made from here: `sispy pushes` lists them, `sispy resume` goes on, `sispy undo` goes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import tables
from sispy.cli.exits import Exit, Misuse, misuse
from sispy.cli.options import Session, answers, asked_output, examples, session, yes
from sispy.cli.terminal import confirm
from sispy_pandas.commands.inputs import several, when
from sispy_pandas.commands.journals import completed, latest_open, named, to_be_undone, users, written_fields
from sispy_pandas.commands.output import Answer, tell, time_text
from sispy_pandas.commands.sending import pushing, send, with_references
from sispy_pandas.pushing.journal import folder, short
from sispy_pandas.values.blocks import Column, Table, count

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sispy_pandas.workflow.objects import Plan
    from sispy_pandas.workflow.parts import Plans
    from sispy_pandas.workflow.plan_parts import PlanParts


@click.command(epilog=examples("sispy pushes", "sispy pushes --note CHG0012345 --since 1w --output json"))
@click.option("--limit", type=click.IntRange(min=1), default=20, help="Show at most N.")
@click.option("--note", metavar="TEXT", help="Only those with TEXT in their note.")
@click.option("--since", metavar="TIME", help="Only later ones: 2h, 3d, or 2026-11-20T14:05+01:00.")
@click.option("--table", metavar="SCHEMA", shell_complete=tables, help="Only those to this table.")
@click.option("--user", metavar="NAME", shell_complete=users, help="Only those of NAME.")
@answers("json", "csv", "md")
def pushes(limit: int, note: str | None, since: str | None, table: str | None, user: str | None) -> None:
    """List the pushes in the folder of journals: those to be resumed, then the newest.

    `sispy resume`, `sispy undo` and `sispy verify` take the names in the first column. "replaced" are rows
    that wrote over a value of somebody else (`sispy verify` shows it), "partly" rows that were written except
    for cells in conflict, "lost" parts whose journals are not there. Journals are those of your own pushes on
    this machine, or of a team: `SISPY_JOURNALS` may name a folder that several write to.
    """
    import pandas as pd

    from sispy_pandas.pushing.pushes import pushes as list_pushes

    session = Session(output=asked_output())
    found = list_pushes()
    unreadable = found.attrs["unreadable"]
    for sentence in unreadable:
        session.say(sentence)
    if not len(found):
        session.say(f"no pushes yet; their journals will be in {folder()}")
    has_any = len(found) > 0
    if table is not None:
        found = found[[table in its.split(", ") for its in found["schema"]]]
    if user is not None:
        found = found[found["user"] == user]
    if note is not None:
        found = found[found["note"].fillna("").astype(str).str.contains(note, case=False, regex=False)]
    if since is not None:
        found = found[found["at"] >= pd.Timestamp(when(since, None, "--since"), unit="ms", tz="UTC")]
    if has_any and not len(found):
        session.say("no such pushes")
    if len(found) or not session.is_told_at_once:
        rows = list(map(_push_row, found.head(limit).to_dict("records")))
        tell(session, Answer("pushes", Table(_PUSHES, rows, "push", "pushes"), {"unreadable": unreadable}))


_PUSHES = (
    Column("push", "push", whole=True),
    Column("when", whole=True),
    Column(None, "at"),
    Column("table", "table"),
    Column("done", whole=True),
    *(Column(None, name) for name in ("rows", "done", "partly", "replaced", "lost")),
    Column("ended", spare=True),
    Column(None, "ended"),
    Column("undo", spare=True),
    *(Column(None, name) for name in ("undoes", "undone")),
    Column("user", spare=True),
    *(Column(None, name) for name in ("user", "reviewer", "author", "source", "digest")),
    Column("note", "note", spare=True),
    Column("server", spare=True),
    *(Column(None, name) for name in ("server", "journal")),
)


def _push_row(row: dict[Hashable, Any]) -> tuple[Any, ...]:
    return (
        short(Path(row["journal"])),
        row["at"].to_pydatetime().astimezone().strftime("%Y-%m-%d %H:%M"),
        time_text(row["at"]),
        row["schema"],
        _done(row),
        *(row[name] for name in ("rows", "done", "partly", "replaced", "lost")),
        "yes" if row["ended"] else "no",
        row["ended"],
        _undo(row),
        [short(Path(path)) for path in row["undoes"]],
        row["undone"],
        f"{row['user']} (reviewed by {row['reviewer']})" if row["reviewer"] else row["user"],
        *(row[name] for name in ("user", "reviewer", "author", "source", "digest", "note")),
        row["server"].partition("://")[2],
        row["server"],
        row["journal"],
    )


def _done(row: dict[Hashable, Any]) -> str:
    """Return in words how many rows are as the plan wanted, what else was written, and what is not known."""
    parts = [f"{row['done']}/{row['rows']}"]
    parts += [f"{row[word]} {word}" for word in ("partly", "replaced") if row[word]]
    parts += [f"{count(row['lost'], 'part')} lost"] if row["lost"] else []
    return ", ".join(parts)


def _undo(row: dict[Hashable, Any]) -> str:
    """Return in words what a push takes back, and what of it was taken back."""
    undoes, undone, done = row["undoes"], row["undone"], row["done"]
    parts = list(dict.fromkeys(f"of {short(Path(path))}" for path in undoes))
    parts += ["undone" if undone >= done else f"{undone}/{done} undone"] if undone else []
    return ", ".join(parts)


@click.command(epilog=examples("sispy resume", "sispy resume push.jsonl --yes"))
@click.argument("name", metavar="[JOURNAL]", required=False, shell_complete=completed)
@answers("json", "csv", "md")
@pushing
@yes
@session
def resume(session: Session, how: dict[str, Any], name: str | None, yes: bool) -> Exit:
    """Go on with an interrupted push: JOURNAL, or else the latest unfinished one.

    JOURNAL is a file or a name that `sispy pushes` lists. Without it, pushes that are in use or were undone
    are left out.

    Rows that were sent without an answer are read again first: nothing is written twice. New rows that may
    have been created are looked for again; --again sends those that remain in doubt.
    """
    from sispy_pandas.workflow.rest import resume as resume_plan

    path = latest_open(session) if name is None else named(name)
    plan = resume_plan(path, client=session.client_if_named())
    _, status = send(session, with_references(plan), yes=yes, **how)
    return status


@click.command(
    epilog=examples(
        "sispy undo",
        "sispy undo f460df --fields os.version,notes",
        "sispy undo f460df --drop-table",
    )
)
@click.argument("name", metavar="[JOURNAL]", required=False, shell_complete=completed)
@click.option(
    "--fields", type=several, metavar="A,B", shell_complete=written_fields, help="Put back these fields only."
)
@click.option("--drop-table", "drop", is_flag=True, help="Of an import: drop the table that it made, too.")
@answers("json", "csv", "md")
@pushing
@yes
@session
def undo(
    session: Session, how: dict[str, Any], name: str | None, fields: list[str] | None, drop: bool, yes: bool
) -> Exit:
    """Put back the values that a push changed: JOURNAL, or else the latest push that wrote something.

    JOURNAL is a file or a name that `sispy pushes` lists. With --yes and no JOURNAL it is refused if anything
    was tried since that push.

    Cells that somebody edited since are conflicts and stay as they are. The undo is a push of its own, with a
    journal: undoing it does the push again.

    With --drop-table the table goes as well that `sispy import` made for the rows, if it is empty then.
    """
    from sispy_pandas.revisions.undo import undo as undo_plan

    path = to_be_undone(session, yes=yes) if name is None else named(name)
    if drop and fields is not None:
        raise Misuse("--drop-table takes all back, and --fields a part: leave one of them out.")
    plan = undo_plan(path, client=session.client_if_named(), progress=session.progress)
    if fields is not None:
        try:
            plan = plan.only(fields=fields)
        except ValueError as error:
            raise misuse(error) from error
    plan = with_references(plan)
    if drop:
        return _with_table(session, plan, path, how, yes=yes)
    _, status = send(session, plan, yes=yes, **how)
    return status


def _with_table(
    session: Session, plan: Plan | Plans | PlanParts, path: Path, how: dict[str, Any], *, yes: bool
) -> Exit:
    """Take back the rows of an import, and drop the table that was made for them if it is empty then."""
    from sispy_pandas.pushing.options import need_token
    from sispy_pandas.pushing.recall import has_made
    from sispy_pandas.workflow.objects import Plan

    if not isinstance(plan, Plan):
        raise Misuse("--drop-table is for the import of one table.")
    endpoint = plan.endpoint
    client, table = endpoint.client, plan.schema.name
    if not has_made(client, client.schemas.get(table).to_dict(), path):
        raise Misuse(f"table {table} was not made by this push: leave --drop-table out.")
    session.say(f"table {table} is dropped, too, once it is empty: only another import brings it back")
    status = Exit.DONE
    if len(plan):
        _, status = send(session, plan, yes=yes, **how)
    else:
        need_token(client)
        confirm(f"Drop table {table} on {client.rules.told_at(client.url)}?", yes=yes)
    if status is not Exit.DONE:
        return status
    if left := endpoint.count():
        session.say(f"table {table} still has {count(left, 'row')}, and is not dropped")
        return Exit.CONFLICT
    client.schemas.delete(table)
    session.say(f"dropped table {table}")
    return status
