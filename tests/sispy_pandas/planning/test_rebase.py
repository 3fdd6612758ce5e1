"""What is left of a plan."""

import pytest

from sispy_pandas.values.changes import Problem, Update


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_problems_stay_with_the_rows_that_are_left_and_those_of_no_row_at_all(server, keep):
    live = server.fetch()
    df = live.frame().head(3)
    a, b, c = df.index
    nowhere = f"{1:024x}"
    df["cpus"] = [99, 98, 3]
    df = df.rename(index={c: nowhere})
    plan = live.diff(df)
    server.hosts.update(b, {"cpus": 6})

    left = plan.rebase(plan.refresh(), keep=keep)

    unknown = Problem(nowhere, "this _id is not in this snapshot", "_id", nowhere)
    of_a = Problem(a, "more than 64", "cpus", 99, "h00000")
    of_b = Problem(b, "more than 64", "cpus", 98, "h00001")
    assert plan.problem_list == (unknown, of_a, of_b)
    assert left.problem_list == ((unknown, of_a, of_b) if keep == "mine" else (unknown, of_a))
    assert [(c.id, c.before, c.after) for c in left.changes if isinstance(c, Update)] == [
        (a, {"cpus": 1}, {"cpus": 99}),
        *([(b, {"cpus": 6}, {"cpus": 98})] if keep == "mine" else []),
    ]
