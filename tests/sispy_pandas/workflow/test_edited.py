"""Files that come back days later: exactly the edits of the user arrive, whatever others did meanwhile."""

import pandas as pd
import pytest

import sispy_pandas as sp

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0)


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


def of(server, frame, **options):
    return sp.snapshot_of(server.hosts, frame, progress=False, **options)


def cells(plan):
    return [(c.key, path, before, after) for c, path, before, after in plan.cells()]


def test_a_file_pushed_three_days_later_brings_exactly_its_edits(server, tmp_path):
    live = server.fetch()
    sp.to_csv(live, tmp_path / "hosts.csv")
    a, b, c, d, e = live.ids[:5]
    # meanwhile: other rows, other cells, the same cells
    server.hosts.update(e, {"cpus": 30})
    server.hosts.update(b, {"bios": {"vendor": "theirs"}, "tags": ["theirs"]})
    server.hosts.update(c, {"cpus": 31})
    server.hosts.delete(d)
    edited = sp.read_csv(tmp_path / "hosts.csv", live.schema)
    edited.loc[[a, b, c, d], "cpus"] = 8

    snapshot = of(server, edited)
    plan = snapshot.diff(edited)

    assert cells(plan) == [("h00000", "cpus", 1, 8), ("h00001", "cpus", 2, 8), ("h00002", "cpus", 3, 8)]
    assert [(s.id, s.reason) for s in plan.stale] == [(d, "the server has no such row any more")]
    report = push(plan)
    assert [(o.key or o.id, o.word) for o in report.outcomes] == [
        ("h00000", "done"),
        ("h00001", "done"),
        ("h00002", "conflict"),
        (d, "unsent"),
    ]
    assert cells_of(report) == [(c, "cpus", 3, 8, 31)]
    stored = server.stored()
    assert [stored[f"h0000{i}"]["cpus"] for i in (0, 1, 2, 4)] == [8, 8, 31, 30]
    assert stored["h00001"]["tags"] == ["theirs"]
    revisions = [seen for seen in server.sandbox.requests if "/revision/" in seen.path]
    assert len(revisions) == 3  # those of the rows that differ from today, one of them not by an edit


def test_of_rows_that_hold_the_same_today_no_history_is_read(server):
    df = server.fetch().frame().head(3)
    for id_, cpus in zip(df.index, df["cpus"], strict=True):
        server.hosts.update(id_, {"cpus": cpus})
    df.loc[df.index[0], "os"] = "rhel9"
    before = server.sandbox.requests[-1].number

    plan = of(server, df).diff(df)

    assert cells(plan) == [("h00000", "os", "rhel8", "rhel9")]
    revisions = [s.path for s in server.sandbox.requests if s.number > before and "/revision/" in s.path]
    assert [path.split("/")[3] for path in revisions] == [df.index[0]]


def cells_of(report):
    return list(
        report.conflicts[["_id", "field", "base", "mine", "theirs"]].itertuples(index=False, name=None)
    )


def test_the_same_file_pushed_twice_is_an_empty_plan_creates_and_deletes_included(server, tmp_path):
    live = server.fetch()
    df = live.frame().reset_index().astype(object)
    df["_delete"] = [*[None] * 19, "x"]
    df.loc[0, "cpus"] = 8
    new = pd.DataFrame({"name": ["n1", "n2"], "cpus": [1, 2], "tags": [["q"], []]}).astype(object)
    df = pd.concat([df, new], ignore_index=True)

    assert push(of(server, df).diff(df)).counts["done"] == 4
    again = of(server, df).diff(df)

    assert (again.changes, again.problem_list, again.stale) == ((), (), ())


def test_a_row_that_changed_and_has_no_history_is_stale_and_never_sent(server):
    schema = server.client.schemas.get("host").to_dict()
    server.client.schemas.update("host", schema | {"track_history": False})
    server.hosts.create({"name": "young", "cpus": 1})
    df = server.fetch({"q": {"name": "young"}}).frame()
    server.hosts.update("young", {"tags": ["theirs"]})
    df["cpus"] = 8

    plan = of(server, df).diff(df)

    assert plan.changes == ()
    assert "no history" in plan.stale[0].reason
    assert push(plan).counts["unsent"] == 1


def test_of_owner_tags_and_locked_there_is_no_history(server):
    df = server.fetch().frame(meta=True).head(1)
    server.hosts.update(df.index[0], {"_sis": {"tags": ["theirs"]}})

    unedited = of(server, df).diff(df)
    other = df.drop(columns="_sis.tags").assign(cpus=8)

    assert [s.reason for s in unedited.stale] == [
        "it changed since its export, and of owner, tags and locked the server keeps no history"
    ]
    assert cells(of(server, other).diff(other)) == [("h00000", "cpus", 1, 8)]


@pytest.mark.parametrize("shown", [True, False])
def test_defaults_are_part_of_the_base_if_reads_show_them(server, shown):
    # any default that is not falsy makes reads show all of them
    before = {
        "name": "box",
        "_sis": {"owner": ["net"]},
        "definition": {"a": "String", "n": "Number", "net": {"card": "String"}},
    }
    zone = {"type": "String", **({"default": "dmz"} if shown else {})}
    number = {"type": "Number", "default": 0}
    port = {"vlan": number, "deep": {"slot": number}}
    net = {"card": "String", **port}
    after = {"a": "String", "n": number, "zone": zone, "net": net, "lan": port}
    server.client.schemas.create(before)
    boxes = server.client.entities("box")
    ids = [row["_id"] for row in boxes.create([{"a": "x", "net": {"card": "c"}}, {"a": "y"}])["success"]]
    server.client.schemas.update("box", {**before, "definition": after})
    df = sp.fetch(boxes, progress=False).frame()
    theirs = {"n": 7, "zone": "lan", **{name: {"vlan": 7, "deep": {"slot": 7}} for name in ("net", "lan")}}
    for id_ in ids:
        boxes.update(id_, theirs)
    df["a"] = ["mine", "too"]

    snapshot = sp.snapshot_of(boxes, df, progress=False)

    filled = {"zone": "dmz", **dict.fromkeys(["n", "net.vlan", "net.deep.slot", "lan.vlan"], 0)}
    columns = snapshot.frame()[list(filled)].astype(object)
    assert (
        columns.where(columns.notna(), None).to_dict("records")
        == [filled if shown else dict.fromkeys(filled)] * 2
    )
    assert list(snapshot.lost) == []
    assert [(path, old, new) for _, path, old, new in snapshot.diff(df).cells()] == [
        ("a", "x", "mine"),
        ("a", "y", "too"),
    ]


def test_a_frame_without_receipts_needs_base_now(server):
    df = server.fetch().frame().head(2).drop(columns="_updated_at")
    df["cpus"] = 8

    with pytest.raises(ValueError, match="base='now'"):
        of(server, df)
    assert len(of(server, df, base="now").diff(df)) == 2
    with pytest.raises(ValueError, match="'receipt' or 'now'"):
        of(server, df, base="today")


def test_a_stale_row_marked_for_deletion_is_a_conflict(server):
    df = server.fetch().frame().head(2)
    df["_delete"] = ["x", None]
    server.hosts.update(df.index[0], {"cpus": 30})

    report = push(of(server, df).diff(df))

    assert [(o.key, o.word) for o in report.outcomes] == [("h00000", "conflict")]
    assert "h00000" in server.stored()


def test_a_big_file_pages_the_schema(server):
    server.add(range(20, 1000))
    df = server.fetch().frame()
    df.loc[df.index[0], "cpus"] = 8
    before = server.sandbox.requests[-1].number

    plan = of(server, df).diff(df)

    reads = [
        seen for seen in server.sandbox.requests if seen.number > before and seen.path == "/entities/host"
    ]
    assert cells(plan) == [("h00000", "cpus", 1, 8)]
    assert len(reads) <= 3
