"""What commands answer: one model, and a writer for each `--output` that people and programs may want.

JSON and CSV hold all there is, in exact values; text and Markdown what a person wants to see of it. The keys
of each kind of JSON stand in docs/reference.md, and change with `JSON_VERSION` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.options import JSON_VERSION
from sispy.cli.remedies import in_shell, ways_out
from sispy.cli.terminal import out, page, styled, width
from sispy.text import json_seen, printable
from sispy_pandas.values.blocks import SHOWN, Lines, as_markdown, as_object, as_page, as_text, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sispy.cli.options import Session
    from sispy_pandas.planning.change_set import ChangeSet
    from sispy_pandas.planning.groups import Split
    from sispy_pandas.pushing.outcome import PushResult
    from sispy_pandas.values.blocks import Block, Table

_BEGUN = "sispy.told"
"""Key in the `meta` of a command's context that is there once a part of its answer was printed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command tells.

    Attributes:
        kind: What it is: "plan".
        table: What CSV holds.
        facts: The keys of its JSON beside that of the table.
        document: Makes its JSON; None: of facts and table.
        blocks: Makes what people see; None: the table alone.
        limit: Rows of a table that they see at most in text; None: all.
        as_csv: Makes its CSV; None: of the table.
    """

    kind: str
    table: Table
    facts: Mapping[str, Any] = field(default_factory=dict)
    document: Callable[[], Mapping[str, Any]] | None = None
    blocks: Callable[[], Iterable[Block]] | None = None
    limit: int | None = SHOWN
    as_csv: Callable[[], str] | None = None

    def seen(self) -> Iterable[Block]:
        """Return what people see."""
        return (self.table,) if self.blocks is None else self.blocks()


def whole(session: Session, *, every: bool) -> int | None:
    """Return how many rows of a table people see: all in Markdown and HTML, or if they ask for every one."""
    return None if every or session.output in ("md", "html") else SHOWN


def tell(session: Session, answer: Answer, *, paged: bool = False) -> None:
    """Print an answer in the form that `--output` asks for; `paged`: people may page through it."""
    text = _WRITERS[session.output](answer)
    if paged and session.is_told_at_once:
        page(text)
    else:
        is_csv = session.output == "csv"
        out(text, newline=not is_csv, data=is_csv)


def show(
    session: Session, blocks: Iterable[Block], *, limit: int | None = SHOWN, paged: bool = False
) -> None:
    """Print a part of a long answer at once, if it is for people; after other parts, if there are such.

    Args:
        session: Knows the form.
        blocks: The part.
        limit: Rows of a table in text at most; None: all.
        paged: People may page through it.
    """
    blocks = list(blocks)
    if not (blocks and session.is_told_at_once):
        return
    context = click.get_current_context()
    text = shown(blocks, limit) if session.output == "text" else as_markdown(blocks, told=in_shell)
    (page if paged else out)(f"\n{text}" if _BEGUN in context.meta else text)
    context.meta[_BEGUN] = True


def plan_answer(
    plans: Sequence[ChangeSet],
    limit: int | None = SHOWN,
    splits: Sequence[Split | None] = (None,),
    *,
    planned_as: Sequence[ChangeSet] | None = None,
    names_digest: bool = False,
) -> Answer:
    """Return a plan as an answer: a cell a line, in CSV; see `planned.blocks` for what people see.

    Args:
        plans: Several are the parts of one change.
        limit: Cells of each that people see; None: all.
        splits: Of each the column that splits its groups.
        planned_as: What they were before the server was asked: those have the digests.
        names_digest: People see it as well: of a saved plan, which is pushed by it.
    """
    from sispy_pandas.planning import render as planned
    from sispy_pandas.planning.parts import digest_of
    from sispy_pandas.planning.plan_file import digest

    first = plans if planned_as is None else planned_as
    every = list(zip(plans, splits, first, strict=True))
    tables = [planned.every_cell(plan) for plan in plans]

    def document() -> dict[str, Any]:
        told = [
            planned.object_of(plan, in_shell, split) | {"digest": digest(one)} for plan, split, one in every
        ]
        return told[0] if len(told) == 1 else {"digest": digest_of(first), "parts": told}

    def blocks() -> list[Block]:
        head, *others = plan_blocks(plans, limit, splits)
        if names_digest and isinstance(head, Lines):
            named = digest(first[0]) if len(first) == 1 else digest_of(first)
            head = Lines((*head.lines, f"digest {named}"))
        return [head, *others]

    return Answer(
        "plan" if len(plans) == 1 else "plans",
        replace(tables[0], rows=[row for table in tables for row in table.rows]),
        document=document,
        blocks=blocks,
        limit=limit,
    )


def plan_blocks(
    plans: Sequence[ChangeSet], limit: int | None, splits: Sequence[Split | None] | None = None
) -> list[Block]:
    """Return what there is to see of the plans of a change; of several a line says how many there are."""
    from sispy_pandas.planning import render as planned

    both = zip(plans, splits or [None] * len(plans), strict=True)
    found = [block for plan, split in both for block in planned.blocks(plan, limit, split)]
    if len(plans) < 2:
        return found
    rows = sum(len(plan) for plan in plans)
    tables = ", ".join(dict.fromkeys(printable(plan.schema.name) for plan in plans))
    return [Lines((f"one change of {tables}, in this order: {count(rows, 'row')}",)), *found]


def tell_push(
    session: Session,
    plans: Sequence[ChangeSet],
    reports: Sequence[PushResult],
    ways: Iterable[str] = (),
) -> None:
    """Print a push for a program, if it asked: a row a line, or one document. People have seen it by then.

    Args:
        session: Knows the form.
        plans: What was to be pushed; several are the parts of one change.
        reports: What became of each; none: nothing was pushed.
        ways: How to go on, or back.
    """
    from sispy_pandas.pushing import render as pushed
    from sispy_pandas.pushing.outcome import PushResult

    if session.is_told_at_once:
        return
    tables = [pushed.every_row(one) for one in reports or [PushResult(plan, ()) for plan in plans]]
    rows = replace(tables[0], rows=[row for table in tables for row in table.rows])

    def document() -> dict[str, Any]:
        from sispy_pandas.planning import render as planned

        told = [
            {
                "plan": planned.object_of(plan, in_shell),
                "report": pushed.object_of(reports[number], in_shell) if reports else None,
            }
            for number, plan in enumerate(plans)
        ]
        following = {"next": [way for message in ways for way in ways_out(message)]}
        return {**told[0], **following} if len(told) == 1 else {"parts": told, **following}

    tell(session, Answer("push" if len(plans) == 1 else "pushed", rows, document=document))


def _as_json(answer: Answer) -> str:
    document = answer.document
    whole = as_object(answer.facts, (answer.table,), told=in_shell) if document is None else document()
    return json_seen({"kind": answer.kind, "version": JSON_VERSION, **whole}, indent=2, default=str)


def _as_csv(answer: Answer) -> str:
    from sispy_pandas.formats import csv

    if answer.as_csv is not None:
        return answer.as_csv()
    named = [at for at, column in enumerate(answer.table.columns) if column.name is not None]
    head = [str(answer.table.columns[at].name) for at in named]
    return csv.as_text([head, *([_cell(row[at]) for at in named] for row in answer.table.rows)])


def _cell(cell: Any) -> str:
    """Return a cell as the text of a CSV file."""
    from sispy_pandas.values.types.cell_text import escape
    from sispy_pandas.values.types.cells import is_missing, json_text

    if is_missing(cell) or cell in ([], ()):
        return ""
    if isinstance(cell, str):
        return escape(in_shell(cell)) if cell else ""
    return json_text(cell) if isinstance(cell, bool | dict | list | tuple) else str(cell)


_WRITERS: dict[str, Callable[[Answer], str]] = {
    "text": lambda answer: shown(answer.seen(), answer.limit),
    "json": _as_json,
    "csv": _as_csv,
    "md": lambda answer: as_markdown(answer.seen(), told=in_shell),
    "html": lambda answer: as_page(answer.seen(), told=in_shell),
}


def shown(blocks: Iterable[Block], limit: int | None = SHOWN) -> str:
    """Return blocks fitted to the terminal, at most so many rows of a table."""
    return as_text(blocks, told=in_shell, shown=limit, limit=width(), styled=styled)


def time_text(moment: Any) -> str | None:
    """Return a time of a frame as JSON and CSV have it, in ISO 8601 and UTC; None for a missing one."""
    from sispy_pandas.values.times import iso
    from sispy_pandas.values.types.cells import is_missing

    return None if is_missing(moment) else iso(round(moment.timestamp() * 1000))


def report_text(report: PushResult) -> str:
    """Return a report fitted to the terminal; the journal is named by what comes next."""
    from sispy_pandas.pushing import render as pushed

    return shown(pushed.blocks(report, journal=False))


def later(report: PushResult) -> list[Block]:
    """Return what has to be told of a report that was shown before the commits were read; may be empty."""
    from sispy_pandas.pushing import render as pushed

    counts = [Lines((pushed.headline(report),))] if any(o.overwrites for o in report.outcomes) else []
    return [*counts, *pushed.evidence(report)]
