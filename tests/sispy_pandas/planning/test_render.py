"""What people see of a plan: problems of one kind together, with the option that would solve them."""

from __future__ import annotations

import sispy_pandas as sp
from sispy_pandas.planning.render import blocks, kinds
from sispy_pandas.values.blocks import as_text


def test_cells_of_one_kind_are_named_together_with_what_reads_them(server, tmp_path):
    live = server.fetch()
    (tmp_path / "t.csv").write_text(
        "name,since,cpus,live\n"
        'h00000,04.03.2024,"1,5",ja\n'
        'h00001,05.03.2024,"2,5",ja\n'
        "h00002,06.03.2024,n/a,nein\n"
        'h00003,n/a,"1.002,5",\n'
    )

    plan = live.diff(sp.read_csv(tmp_path / "t.csv", live.schema), key="name")

    assert list(map(str, kinds(plan))) == [
        "2 cells in 1 column look like 1,5 (h00000, h00001): decimal=',' reads decimal commas",
        "2 cells in 1 column look like ja (h00000, h00001): true=['ja'] says that it is true, "
        "false=['ja'] says that it is false, na=['ja'] says that it means no value",
        "3 cells in 1 column look like 04.03.2024 (h00000, h00001): "
        "dayfirst=True takes 3/4/2026 for the third of April",
        "2 cells in 2 columns look like n/a (h00002, h00003): na=['n/a'] says that it means no value",
    ]
    assert "dayfirst=True takes" in as_text(blocks(plan))


def test_values_that_no_option_reads_are_problems_of_their_own(server):
    live = server.fetch()

    plan = live.diff(live.frame().astype(object).assign(cpus="1,5"))

    assert (plan.counts["problems"], kinds(plan)) == (20, [])
