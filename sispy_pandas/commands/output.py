"""Plans and reports as a terminal, a script, a merge request or a browser shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sispy.cli.remedies import in_shell
from sispy.cli.terminal import styled, width
from sispy_pandas.planning.render import blocks, json_of
from sispy_pandas.pushing import render as pushed
from sispy_pandas.values.blocks import LONG, SHOWN, Lines, as_markdown, as_page, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sispy_pandas.planning.change_set import ChangeSet
    from sispy_pandas.pushing.outcome import PushResult
    from sispy_pandas.values.blocks import Block


def shown(blocks: Iterable[Block], limit: int = SHOWN) -> str:
    """Return blocks fitted to the terminal, at most so many rows of a table."""
    return as_text(blocks, told=in_shell, shown=limit, limit=width(), styled=styled)


def plan_text(plan: ChangeSet, *, limit: int = SHOWN) -> str:
    """Return a plan fitted to the terminal."""
    return shown(blocks(plan, limit), limit)


def report_text(report: PushResult) -> str:
    """Return a report fitted to the terminal; the journal is named by what comes next."""
    return shown(pushed.blocks(report, journal=False))


def later_text(report: PushResult) -> str:
    """Return what has to be told of a report that was shown before the commits were read; may be empty."""
    counts = [Lines((pushed.headline(report),))] if any(o.overwrites for o in report.outcomes) else []
    return shown([*counts, *pushed.evidence(report)])


def plan_markdown(plan: ChangeSet) -> str:
    """Return a plan as Markdown, short enough for a merge request."""
    return as_markdown(blocks(plan), told=in_shell)


def plan_page(plan: ChangeSet) -> str:
    """Return a plan as a page of its own."""
    return as_page(blocks(plan, LONG), told=in_shell)


FORMATS: dict[str, Callable[[ChangeSet], str]] = {
    "text": plan_text,
    "json": lambda plan: json_of(plan, in_shell),
    "md": plan_markdown,
    "html": plan_page,
}
