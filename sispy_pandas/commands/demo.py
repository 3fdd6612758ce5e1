"""`sispy demo`: the whole way once, on a server with sample data."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sispy.cli.options import examples
from sispy.cli.remedies import program
from sispy.cli.terminal import is_terminal, out, styled, table
from sispy_pandas.commands.output import report_text, shown

if TYPE_CHECKING:
    from sispy.client import Endpoint
    from sispy_pandas.workflow.objects import Plan, Snapshot

HOSTS = 2000
ROLE, SYSTEM, OLD, NEW = "web", "rhel", "8", "9"
COLUMNS = ["name", "status", "os.name", "os.version", "position", "bought"]


@click.command(epilog=examples("sispy demo", "sispy demo --directory /tmp/demo"))
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("sispy-demo"),
    help="Where the files go.",
)
def demo(directory: Path) -> None:
    """Take a tour: fetch, edit a file, plan, push, report, history.

    Needs no server of yours: it starts one on this machine, with sample data, and stops it at the end.
    """
    from sispy.sandbox import Sandbox  # late: its packages are an extra, and their absence has a hint

    directory.mkdir(parents=True, exist_ok=True)
    with Sandbox(samples=HOSTS) as sis:
        out(f"For this demo, a SIS server with sample data runs at {sis.url}.")
        hosts = sis.client().entities("host")
        file = directory / "hosts.csv"
        live = _fetch(hosts)
        _edit(live, file)
        plan = _plan(hosts, live, file)
        chosen = str(plan.frame()["_id"].iloc[0])
        _push(plan, sis.client("bob").entities("host"), chosen, directory / "push.jsonl")
        _history(hosts, chosen)
    _next(directory)


def _fetch(hosts: Endpoint) -> Snapshot:
    from sispy_pandas.workflow.fetch import fetch

    _step(1, "Fetch a table as a typed DataFrame", "live = sp.fetch(hosts)", "df = live.frame()")
    live = fetch(hosts, progress=is_terminal(sys.stderr))
    df = live.frame()
    few = df[COLUMNS].head(4).assign(bought=df["bought"].dt.strftime("%Y-%m-%d")).astype(object)
    rows = [[str(kind) for kind in df[COLUMNS].dtypes], *few.where(few.notna(), None).to_numpy().tolist()]
    out(table(COLUMNS, rows))
    out(f"... {len(df):,} rows indexed by _id, {len(df.columns)} columns")
    return live


def _edit(live: Snapshot, file: Path) -> None:
    from sispy_pandas.workflow.to_files import to_csv

    _step(2, "Write it to a file, and edit that in any program", f'sp.to_csv(live, "{file.name}")')
    to_csv(live, file)
    with file.open(encoding="utf-8", newline="") as lines:
        head, *rows = csv.reader(lines)
    role, system, version = (head.index(column) for column in ("role", "os.name", "os.version"))
    chosen = [row for row in rows if (row[role], row[system], row[version]) == (ROLE, SYSTEM, OLD)]
    for row in chosen:
        row[version] = NEW
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([head, *rows])
    out(f"As with find and replace in a spreadsheet, {len(chosen)} {ROLE} hosts with {SYSTEM} {OLD}")
    out(f"now say {NEW} in column os.version of {file}.")


def _plan(hosts: Endpoint, live: Snapshot, file: Path) -> Plan:
    from sispy_pandas.planning.render import blocks
    from sispy_pandas.workflow.edited import snapshot_of
    from sispy_pandas.workflow.from_files import read_csv

    _step(
        3,
        "See what that would change, before anything is written",
        f'edited = sp.read_csv("{file.name}", live.schema)',
        "plan = sp.snapshot_of(hosts, edited).diff(edited)",
    )
    edited = read_csv(file, live.schema)
    plan = snapshot_of(hosts, edited, progress=False).diff(edited)
    out(shown(blocks(plan, 5), 5))
    return plan


def _push(plan: Plan, colleague: Endpoint, chosen: str, journal: Path) -> None:
    colleague.update(chosen, {"os": {"version": "7"}})
    _step(4, "Push it; a colleague has just changed one of the same cells", "report = plan.push()")
    journal.unlink(missing_ok=True)  # of an earlier demo
    report = plan.push(progress=is_terminal(sys.stderr), journal=journal)
    out(report_text(report))
    out("\nThe colleague's value stands; to insist:")
    out(styled('   >>> plan.rebase(report, keep="mine").push()', "cyan"))


def _history(hosts: Endpoint, chosen: str) -> None:
    from sispy_pandas.revisions.history import history

    _step(5, "See who changed that row", f'sp.history(hosts, "{chosen}")')
    found = history(hosts, chosen)
    rows = [
        [f"{c.at:%Y-%m-%d %H:%M}", c.by, c.action, c.field, c.before, c.after] for c in found.itertuples()
    ]
    out(table(["at", "by", "action", "field", "before", "after"], rows[:4]))


def _next(directory: Path) -> None:
    out(f"\n{styled('The files are in', 'bold')} {directory}/. What to try next:")
    sispy = program()
    rows = {
        f"{sispy} sandbox --samples 2000": "this server again; it prints how to log in",
        f"{sispy} notebooks": "the same in Jupyter, with a grid to edit in",
        f"{sispy} login URL": "your own server",
    }
    for command, text in rows.items():
        out(f"  {styled(command.ljust(max(map(len, rows))), 'cyan')}  {text}")


def _step(number: int, title: str, *code: str) -> None:
    """Print the head of a step: what happens, and the Python that does it."""
    out(f"\n{styled(f'{number}. {title}', 'bold')}")
    for line in code:
        out(styled(f"   >>> {line}", "cyan"))
