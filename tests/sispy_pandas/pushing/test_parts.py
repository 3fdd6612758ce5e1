"""What becomes of a part whose turn does not come."""

from pathlib import Path

from sispy_pandas.planning.change_set import ChangeSet
from sispy_pandas.pushing.options import Options
from sispy_pandas.pushing.outcome import PushResult
from sispy_pandas.pushing.parts import left
from sispy_pandas.values.changes import Create, Outcome, Update


def test_a_part_that_is_left_says_why_and_for_whom_as_all_parts_do(server):
    changes = (Update("a" * 24, {"cpus": 1}, {"cpus": 2}, "h1"), Create(0, {"name": "n1"}, "n1"))
    plan = ChangeSet(server.hosts, server.fetch().schema, changes)
    options = Options(note="CHG1", reviewer="carol")

    assert left(plan, Path("j"), options, "cancelled") == PushResult(
        plan,
        (
            Outcome("a" * 24, "update", "unsent", "a" * 24, "h1", None, "cancelled"),
            Outcome(0, "create", "unsent", None, "n1", None, "cancelled"),
        ),
        journal=Path("j"),
        note="CHG1",
        reviewer="carol",
        user=server.client.username,
        stopped="cancelled",
    )
