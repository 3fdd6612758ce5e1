"""A change of any size before it is pushed, as a reviewer reads it."""

from __future__ import annotations

import sispy_pandas as sp


def parts_of(server, **cells):
    parts = lambda: (p.diff(p.frame().assign(**cells)) for p in sp.iter_snapshots(server.hosts, rows=4))  # noqa: E731
    return sp.PlanParts(parts)


def test_equal_changes_of_all_parts_are_one_group(server):
    plans = parts_of(server, cpus=40, live=None)

    assert plans.parts == 5
    (plan,) = plans.plans
    every = plan.groups()
    whole = server.fetch()
    assert every.to_dict("list") == whole.diff(whole.frame().assign(cpus=40, live=None)).groups().to_dict(
        "list"
    )
    assert len(every) > 4
    assert every["rows"].sum() == plans.counts["cells"]
    most = every.iloc[0]
    assert f"~  {most['field']}" in str(plans)
    assert str(plans).count(f"~  {most['field']}  ") == (every["field"] == most["field"]).sum()


def test_what_equals_nothing_is_shown_by_itself_and_counted_beyond_that(server):
    frame = lambda part: part.frame().assign(serial=[f"s-{id_}" for id_ in part.ids])  # noqa: E731
    plans = sp.PlanParts(lambda: (part.diff(frame(part)) for part in sp.iter_snapshots(server.hosts, rows=4)))

    assert len(plans) == 20
    assert f"s-{server.fetch().ids[0]}" in str(plans)
