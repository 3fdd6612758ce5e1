"""The status that ends a push is the first that applies to any row, in the order of the README."""

from itertools import combinations
from typing import Any

import pytest

from sispy.cli.exits import Exit
from sispy_pandas.commands.sending import status_of_report
from sispy_pandas.values.changes import Outcome
from sispy_pandas.workflow.objects import Plan, Report

ORDER = [
    (Exit.DENIED, ("failed", 401)),
    (Exit.SERVER, ("unsent", None)),
    (Exit.FAILED, ("failed", 400)),
    (Exit.CONFLICT, ("conflict", 200)),
    (Exit.PROBLEMS, ("problem", None)),
    (Exit.DONE, ("done", 200)),
]


def ended(*rows: tuple[Any, int | None]) -> Report:
    nowhere: Any = None
    outcomes = [
        Outcome(str(i), "update", word, str(i), None, status) for i, (word, status) in enumerate(rows)
    ]
    return Report(Plan(nowhere, nowhere), tuple(outcomes))


@pytest.mark.parametrize("several", [3, 2, 1])
def test_the_first_that_applies_counts(several: int) -> None:
    for chosen in combinations(ORDER, several):
        rows = [row for _, row in reversed(chosen)]
        assert status_of_report(ended(*rows)) == chosen[0][0], rows


def test_nothing_to_do_is_done() -> None:
    assert status_of_report(ended()) == Exit.DONE
