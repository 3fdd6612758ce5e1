"""What the server tells of a plan before the first write, each thing once."""

from __future__ import annotations

import sispy_pandas as sp
from sispy_pandas.planning.render import kinds


def test_a_name_of_no_row_is_told_once(server, tmp_path):
    (tmp_path / "h.csv").write_text("name,site\nh00001,nowhere\nn1,nowhere\n")
    live = server.fetch(refs="label")
    frame = sp.read_csv(tmp_path / "h.csv", live.schema, refs="label")

    plan = live.diff(frame, key="name", create_missing=True).check()

    assert plan.problems[["key", "column", "value", "reason"]].values.tolist() == [
        ["h00001", "site", "nowhere", "no row of site has name 'nowhere'"],
        ["n1", "site", "nowhere", "no row of site has name 'nowhere'"],
    ]


def test_names_where_ids_are_expected_name_the_option_that_takes_them(server, tmp_path):
    (tmp_path / "h.csv").write_text("name,site\nh00001,s1\nh00002,s2\n")
    live = server.fetch()

    plan = live.diff(sp.read_csv(tmp_path / "h.csv", live.schema), key="name").check()

    assert plan.problems["reason"].tolist() == [
        "'s1' is no id of 24 hex digits",
        "'s2' is no id of 24 hex digits",
    ]
    assert list(map(str, kinds(plan))) == [
        "2 cells in 1 column look like s1 (h00001, h00002): refs='label' takes it for the name of a row"
    ]


def test_a_reference_to_nothing_is_a_problem_of_its_cell(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(2).assign(site=["0" * 24, server.sites[2]])).check()

    assert plan.problems[["key", "column", "reason"]].values.tolist() == [
        ["h00000", "site", "refers to a site that does not exist"]
    ]
