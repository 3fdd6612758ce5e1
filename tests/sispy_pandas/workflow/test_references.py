from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import sispy_pandas as sp
from sispy_pandas.workflow.references import find_references, labelled, to_ids

if TYPE_CHECKING:
    from pathlib import Path

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0)


def names(frame: pd.DataFrame) -> list[Any]:
    return frame["site"].tolist()


def cells(plan: sp.Plan) -> list[tuple[Any, ...]]:
    return [(change.key, path, before, after) for change, path, before, after in plan.cells()]


def test_labels_are_shown_and_taken(server) -> None:
    live = server.fetch(refs="label")
    assert names(live.frame())[:4] == ["s0", "s1", "s2", "s0"]
    assert len(live.diff(live.frame())) == 0
    assert len(live.diff(server.fetch().frame())) == 0
    df = live.frame()
    df.loc[df.index[0], "site"] = "s2"
    df.loc[df.index[1], "site"] = server.sites[0]
    plan = live.diff(df)
    s0, s1, s2 = server.sites
    assert cells(plan) == [("h00000", "site", s0, s2), ("h00001", "site", s1, s0)]
    plan.push(progress=False, limits=QUICK).raise_for_failures()
    assert names(server.fetch(refs="label").frame())[:3] == ["s2", "s0", "s2"]


def test_a_label_that_was_not_seen_is_looked_up(server) -> None:
    new = server.client.entities("site").create({"name": "s9"})["_id"]
    live = server.fetch({"q": {"name": "h00000"}}, refs="label")
    df = live.frame().assign(site="s9")
    assert cells(live.diff(df)) == [("h00000", "site", server.sites[0], new)]


def test_unknown_and_ambiguous_labels_are_problems(server) -> None:
    sites = server.client.entities("site")
    for id_ in server.sites[:2]:
        sites.update(id_, {"note": "twin"})
    sites.update(server.sites[2], {"note": "only"})
    live = server.fetch(refs={"site": "note"})
    assert names(live.frame())[:3] == [server.sites[0], server.sites[1], "only"]
    assert len(live.diff(live.frame())) == 0
    live = server.fetch(refs="label")
    df = live.frame()
    df.loc[df.index[0], "site"] = "nowhere"
    assert [(p.key, p.column, p.value, p.reason) for p in live.diff(df).problem_list] == [
        ("h00000", "site", "nowhere", "no row of site has name 'nowhere'")
    ]
    by_note = to_ids(
        server.client, pd.DataFrame({"site": ["twin", "only"]}), live.schema, refs={"site": "note"}
    )
    assert by_note["site"].tolist() == ["twin", server.sites[2]]
    assert by_note["site"][0].reason == "2 rows of site have note 'twin': write the _id"


@pytest.mark.parametrize("many", [False, True])
def test_the_cheaper_way_is_taken(server, many: bool) -> None:
    if many:
        sites = server.client.entities("site").create([{"name": f"m{n}"} for n in range(900)])["success"]
        server.hosts.create([{"name": f"x{n}", "site": site["_id"]} for n, site in enumerate(sites)])
    live = server.fetch()
    before = len(server.sandbox.requests)
    shown = labelled(live)
    asked = [seen for seen in server.sandbox.requests[before:] if seen.path.startswith("/entities/site")]
    assert len(asked) <= (3 if many else 1)
    assert shown.frame()["site"].str.len().max() < 24


def test_a_workbook_with_labels_has_dropdowns_and_comes_back(server, tmp_path: Path) -> None:
    file = tmp_path / "hosts.xlsx"
    server.client.entities("site").create({"name": "s9"})
    sp.to_excel(server.fetch(refs="label"), file)
    book = openpyxl.load_workbook(file)
    sheet = book["host"]
    at = next(cell.column for cell in sheet[1] if cell.value == "site")
    (rule,) = [r for r in sheet.data_validations.dataValidation if sheet.cell(2, at).coordinate in r.sqref]
    lists, _, area = rule.formula1.partition("!")
    assert [cell[0].value for cell in book[lists][area.replace("$", "")]] == ["s0", "s1", "s2", "s9"]
    sheet.cell(2, at).value = "s9"
    book.save(file)
    server.client.entities("site").update(server.sites[1], {"name": "renamed"})
    frame = sp.read_excel(file, server.fetch().schema)
    plan = sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)
    assert [(key, path) for key, path, _, _ in cells(plan)] == [("h00000", "site")]
    assert plan.problem_list == ()


def test_csv_with_labels(server, tmp_path: Path) -> None:
    file = tmp_path / "hosts.csv"
    sp.to_csv(server.fetch(refs="label"), file)
    text = file.read_text()
    file.write_text(text.replace(",s0,", ",s1,", 1))
    frame = sp.read_csv(file, server.fetch().schema)
    plan = sp.snapshot_of(server.hosts, frame, progress=False).diff(frame)
    assert cells(plan) == [("h00000", "site", server.sites[0], server.sites[1])]


def test_a_file_with_labels_is_compared_with_any_snapshot_by_what_it_knows(server, tmp_path: Path) -> None:
    live = server.fetch()
    file = tmp_path / "hosts.csv"
    sp.to_csv(server.fetch(refs="label"), file)
    frame = sp.read_csv(file, live.schema)
    frame.loc[frame.index[:2], "site"] = ["s2", "s9"]
    _, s1, s2 = server.sites

    plan = live.diff(frame)

    assert cells(plan) == [("h00000", "site", server.sites[0], s2), ("h00001", "site", s1, "s9")]
    assert [(p.key, p.reason) for p in plan.problem_list] == [
        (
            "h00001",
            "'s9' is a name that the file did not hold: "
            "sp.snapshot_of(endpoint, frame).diff(frame) asks the server for it",
        )
    ]


def test_a_foreign_file_names_its_references(server, tmp_path: Path) -> None:
    file = tmp_path / "foreign.csv"
    file.write_text("Host Name;site;cpus\nh00001;s2;9\nnew1;s1;\nh00002;;\n")
    live = server.fetch(refs="label")
    frame = sp.read_csv(file, live.schema, rename={"Host Name": "name"}, refs="label")
    assert find_references(server.client, frame) == {"site": "site"}
    plan = live.diff(frame, key="name", create_missing=True)
    _, s1, s2 = server.sites
    assert sorted(cells(plan)[2:]) == [("new1", "name", None, "new1"), ("new1", "site", None, s1)]
    assert cells(plan)[:2] == [("h00001", "cpus", 2, 9), ("h00001", "site", s1, s2)]


def test_lists_of_references(server) -> None:
    server.client.schemas.create(
        {
            "name": "service",
            "_sis": {"owner": ["ops"]},
            "definition": {
                "name": {"type": "String", "required": True, "unique": True},
                "hosts": [{"type": "ObjectId", "ref": "host"}],
            },
        }
    )
    ids = server.fetch().ids.tolist()
    services = server.client.entities("service")
    services.create({"name": "dns", "hosts": ids[:2]})
    live = sp.fetch(services, refs="label", progress=False)
    df = live.frame()
    assert df["hosts"].tolist() == [("h00000", "h00001")]
    for hosts in (("h00001", "h00002"), np.array(["h00001", "h00002"], dtype=object)):  # as Parquet gives it
        df["hosts"] = pd.Series([hosts], index=df.index)
        assert cells(live.diff(df)) == [("dns", "hosts", ids[:2], ids[1:3])]
    df["hosts"] = [("h00001", "h9")]
    assert [p.reason for p in live.diff(df).problem_list] == ["no row of host has name 'h9'"]
