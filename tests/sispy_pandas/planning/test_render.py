"""What people see of a plan: problems of one kind together, with the option that would solve them."""

from __future__ import annotations

from dataclasses import replace

import pytest

import sispy_pandas as sp
from sispy import Client
from sispy.remedies import Argument, Message, what_of
from sispy_pandas.planning.change_set import Origin
from sispy_pandas.planning.render import blocks, kinds, object_of
from sispy_pandas.values.blocks import as_markdown, as_page, as_text
from sispy_pandas.values.changes import Change, Delete, Stale, Update
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.workflow.objects import Plan


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
        "2 cells in 1 column look like 1,5 (row 2, row 3): decimal=',' reads decimal commas",
        "2 cells in 1 column look like ja (row 2, row 3): true=['ja'] says that it is true, "
        "false=['ja'] says that it is false",
        "3 cells in 1 column look like 04.03.2024 (row 2, row 3): "
        "dayfirst=True takes 3/4/2026 for the third of April",
        "2 cells in 2 columns look like n/a (row 4, row 5): na=['n/a'] says that it means no value",
        "1 cell in 1 column looks like nein (row 4): true=['nein'] says that it is true, "
        "false=['nein'] says that it is false",
        "1 cell in 1 column looks like 1.002,5 (row 5): decimal=',' reads decimal commas, "
        "thousands='.' lets groups have points",
    ]
    assert "dayfirst=True takes" in as_text(blocks(plan))


@pytest.mark.parametrize(
    ("field", "text", "option"),
    [
        ("since", "04.03.2024", "dayfirst=True takes 3/4/2026 for the third of April"),
        ("cpus", '"3,5"', "decimal=',' reads decimal commas"),
        ("cpus", "n/a", "na=['n/a'] says that it means no value"),
        (
            "live",
            "WAHR",
            "true=['WAHR'] says that it is true, false=['WAHR'] says that it is false",
        ),
    ],
)
def test_a_single_cell_is_named_with_what_reads_it(server, tmp_path, field, text, option):
    live = server.fetch()
    (tmp_path / "t.csv").write_text(f"name,{field}\nh00000,{text}\n")

    plan = live.diff(sp.read_csv(tmp_path / "t.csv", live.schema), key="name")

    seen = text.strip('"')
    assert list(map(str, kinds(plan))) == [f"1 cell in 1 column looks like {seen} (row 2): {option}"]


def test_of_cells_each_of_its_own_kind_a_few_are_named(server, tmp_path):
    live = server.fetch()
    units = [f"{more}{unit}" for unit in ("B", "bit", "Hz", "W", "bps") for more in ("k", "M", "G")]
    words = [f"1 {unit}" for unit in units]
    rows = "".join(f"h{n:05},{word}\n" for n, word in enumerate(words))
    (tmp_path / "t.csv").write_text(f"name,cpus\n{rows}")

    plan = live.diff(sp.read_csv(tmp_path / "t.csv", live.schema), key="name")

    assert [what_of(line) for line in kinds(plan)] == [
        f"1 cell in 1 column looks like {word} (row {n})" for n, word in enumerate(words[:3], start=2)
    ]


def test_names_in_the_place_of_ids_and_edits_of_programs_have_an_option_too(server, tmp_path):
    live = server.fetch()
    sp.to_csv(live, tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text()
    for n, site in enumerate(server.sites):
        text = text.replace(site, f"s{n}")
    (tmp_path / "t.csv").write_text(text.replace("T03:04:05.000Z", "T03:04:00.000Z"))

    plan = live.diff(sp.read_csv(tmp_path / "t.csv", live.schema))

    assert [what_of(line) for line in kinds(plan)] == [
        "20 cells in 1 column look like 2024-01-02T03:04:00.000Z (row 2, row 3)",
        "20 cells in 1 column look like s0 (row 2, row 3)",
    ]
    assert [one.name for line in kinds(plan) for one in line.remedies] == ["accept_program_changes", "refs"]


def test_values_that_no_option_reads_are_problems_of_their_own(server):
    live = server.fetch()

    plan = live.diff(live.frame().astype(object).assign(cpus="1,5"))

    assert (plan.counts["problems"], kinds(plan)) == (20, [])


def plan_of(n: int) -> Plan:
    """A plan of n updates: one version for most rows, some prices of their own, some rows to be deleted."""
    schema = parse_schema(
        {
            "name": "host",
            "definition": {"name": {"type": "String", "unique": True}, "os": "String", "price": "Number"},
        }
    )
    client = Client("https://sis.example.com", auth_token="t")
    client.username = "alice"
    rows: list[Change] = [
        Update(
            f"{i:024x}",
            {"os": "8", "price": i},
            {"os": "9"} | ({"price": i + 0.5} if i % 9 == 0 else {}),
            f"h{i:04d}",
        )
        for i in range(n - n // 40)
    ]
    rows += [Delete(f"{i:024x}", {}, f"h{i:04d}") for i in range(n - n // 40, n)]
    origin = Origin("alice", "2026-11-28T09:30:00Z", "CHG0012345", "hosts.xlsx", "0" * 64)
    return Plan(client.entities("host"), schema, tuple(rows), origin=origin)


@pytest.mark.parametrize("n", [1, 47, 7635])
@pytest.mark.parametrize("form", ["text", "md", "html"])
def test_a_reviewer_reads(golden, form, n):
    plan = plan_of(n)

    shown = {
        "text": lambda: as_text(blocks(plan)),
        "md": lambda: as_markdown(blocks(plan, None)),
        "html": lambda: as_page(blocks(plan, None)).replace("<tr>", "\n<tr>"),
    }[form]().splitlines()

    middle = len(shown) - 40
    if middle > 40:  # of thousands of lines the file keeps both ends
        shown = [*shown[:40], f"... {middle - 40} lines", *shown[-40:]]
    golden(f"plan-{n}.{form}", shown)


def test_markdown_and_a_page_hold_every_cell():
    plan = plan_of(7635)
    cells = len(plan.grouped)

    assert (
        sum(line.startswith(("| ~ | h", "| - | h")) for line in as_markdown(blocks(plan, None)).splitlines())
        == cells
    )
    assert as_page(blocks(plan, None)).count("<tr><td>~</td><td>h") + plan.counts["deletes"] == cells


def test_what_is_shown_costs_what_is_shown(monkeypatch):
    plan = plan_of(7635)
    assert len(plan.grouped) > 8000
    made: list[object] = []
    monkeypatch.setattr("sispy_pandas.planning.render.action", lambda change: made.append(change) or "~")

    as_text(blocks(plan))

    assert len(made) == 40


def test_a_program_reads_each_face_its_own_words(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(1).assign(cpus=99))
    problem = replace(plan.problem_list[0], reason=Message("wrong", Argument("cpus", "mends it", 9)))

    found = object_of(replace(plan, problem_list=(problem,), notes=(problem.reason,)), told=what_of)

    assert ([one["reason"] for one in found["problems"]], found["notes"]) == (["wrong"], ["wrong"])


def test_a_plan_as_an_object_has_all_there_is_to_tell(server):
    live = server.fetch()
    frame = live.frame().head(2).astype(object)
    frame.iloc[0, frame.columns.get_loc("cpus")] = 9
    frame.iloc[1, frame.columns.get_loc("os")] = "dos"
    plan = live.diff(frame, delete=[live.ids[2]])
    plan = replace(plan, stale=(Stale(live.ids[3], "why", "h00003"),), origin=Origin("anna", note="CHG1"))

    found = object_of(plan)

    cells = found.pop("cells")
    assert found == {
        "table": "host",
        "server": server.client.url,
        "user": server.client.username,
        "counts": {
            "creates": 0, "updates": 2, "deletes": 1, "cells": 2, "problems": 1, "stale": 1, "conflicts": 0,
        },
        "sendable": {"creates": 0, "updates": 1, "deletes": 1, "cells": 1},
        "notes": [],
        "digest": plan.digest,
        "made": {"author": "anna", "at": None, "note": "CHG1", "source": None, "sha256": None},
        "groups": [],
        "problems": [
            {
                "row": live.ids[1],
                "key": "h00001",
                "column": "os",
                "value": "dos",
                "reason": "'dos' is not allowed; allowed are rhel8, rhel9",
            }
        ],
        "stale": [{"_id": live.ids[3], "key": "h00003", "reason": "why"}],
        "conflicts": [],
    }  # fmt: skip
    assert cells[:2] == [
        {"_id": live.ids[0], "key": "h00000", "action": "~", "field": "cpus", "before": 1, "after": 9},
        {
            "_id": live.ids[1],
            "key": "h00001",
            "action": "~",
            "field": "os",
            "before": "rhel8",
            "after": "dos",
        },
    ]
    assert {(cell["_id"], cell["key"], cell["action"], cell["after"]) for cell in cells[2:]} == {
        (live.ids[2], "h00002", "-", None)
    }
    assert {cell["field"]: cell["before"] for cell in cells[2:]} == plan.changes[-1].before


def test_groups_that_are_not_shown_are_counted_as_such():
    plan = plan_of(1)
    rows = [Update(f"{i:024x}", {"os": "8"}, {"os": str(i // 2)}, f"h{i}") for i in range(20, 2000)]

    shown = as_text(blocks(replace(plan, changes=tuple(rows)))).splitlines()

    assert [line.split(":")[0] for line in shown if line.startswith("... and")] == ["... and 950 more groups"]
