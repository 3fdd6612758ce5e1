"""What is remembered of earlier pushes: nothing is sent twice, and what was undone may be sent again."""

import re
import shutil

import pandas as pd
import pytest

import sispy
import sispy_pandas as sp
from sispy.remedies import what_of
from sispy.sandbox import Sandbox
from sispy_pandas.pushing import journal

QUICK = sp.Limits(settle=0.1, settle_row=0.0, patience=3.0)


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


def words(report):
    return [outcome.word for outcome in report.outcomes]


def new_logs(server, n=3):
    """Return the plan of some new rows of a table without a unique field."""
    logs = server.client.entities("log")
    return sp.fetch(logs, progress=False).diff(pd.DataFrame({"text": ["x"] * n, "n": range(n)}), new=True)


def test_a_journal_is_finished_once_whoever_pushes_the_rest(server):
    plan = new_logs(server)
    chunks = iter([False, True])
    report = push(plan, cancel=lambda: next(chunks, True), limits=sp.Limits(rows=1, settle=0.1))
    assert report.counts["unsent"] == 2
    one, other = (sp.resume(report.journal, client=server.client) for _ in range(2))

    first, second = push(one), push(other)

    assert (words(first), words(second)) == (["done", "done"], ["unchanged", "unchanged"])
    assert second.outcomes[0].reason.startswith("another push of this journal ended it ")
    assert server.client.entities("log").count({}) == 3


def test_new_rows_that_went_with_a_part_of_a_plan_are_known_in_the_whole_and_in_other_parts(server, tmp_path):
    plan = new_logs(server)
    part = plan.only(ids=[0]).save(tmp_path / "part")
    first = push(sp.load_plan(part, server.client))
    second = push(plan.without(ids=[0, 2]))

    rest = push(plan)
    assert words(rest) == ["unchanged", "unchanged", "done"]
    push(sp.undo(second)).raise_for_failures()
    left = plan.rebase(first, keep="mine")
    assert [(o.row, o.word) for o in push(left).outcomes] == [(1, "done"), (2, "unchanged")]
    assert server.client.entities("log").count({}) == 3


def test_new_rows_that_went_without_a_field_are_not_sent_again_and_the_report_names_it(server):
    plan = new_logs(server, 1)
    push(plan.without(fields=["n"]))

    report = push(plan)

    assert words(report) == ["unchanged"]
    assert " without n: again=True sends it all the same" in report.outcomes[0].reason
    assert server.client.entities("log").count({}) == 1


@pytest.mark.parametrize("kept", ["in the folder", "elsewhere", "nowhere"])
def test_a_colleague_who_takes_the_old_value_back_is_not_overwritten_by_the_same_plan(server, tmp_path, kept):
    live = server.fetch()
    plan = live.diff(live.frame().head(2).assign(cpus=9))
    places = {
        "in the folder": [None, None],
        "elsewhere": [tmp_path / "a", tmp_path / "b"],
        "nowhere": [False, False],
    }
    first, second = places[kept]
    report = push(plan, journal=first)
    server.hosts.update(live.ids[0], {"cpus": 1})

    again = push(plan, journal=second)

    assert (words(report), words(again)) == (["done", "done"], ["unchanged", "unchanged"])
    name = f" as {journal.short(report.journal)}" if report.journal else ""
    assert again.outcomes[0].reason.endswith(f"{name}: again=True sends it all the same")
    assert f"2 rows left out: {what_of(again.outcomes[0].reason)}; again=True sends" in str(again)
    assert server.stored()["h00000"]["cpus"] == 1
    assert words(push(plan, again=True)) == ["done", "unchanged"]
    assert server.stored()["h00000"]["cpus"] == 9


def test_a_saved_plan_is_known_again_and_its_rows_that_failed_are_sent(server, tmp_path):
    live = server.fetch()
    plan = live.diff(live.frame().head(3).assign(cpus=9))
    server.hosts.update(live.ids[1], {"cpus": 5})
    saved = plan.save(tmp_path / "plan")
    assert words(push(plan)) == ["done", "conflict", "done"]
    server.hosts.update(live.ids[1], {"cpus": 2})  # the base again

    again = push(sp.load_plan(saved, server.client))

    assert words(again) == ["unchanged", "done", "unchanged"]


def test_after_its_undo_a_plan_is_as_new_and_after_the_undo_of_that_it_is_done(server):
    live = server.fetch()
    df = live.frame().reset_index().astype(object).head(3)
    df.loc[0, "cpus"] = 9
    df["_delete"] = [None, None, "x"]
    plan = live.diff(pd.concat([df, pd.DataFrame({"name": ["new"], "cpus": [3]})], ignore_index=True))
    before, report = server.stored(), push(plan)
    after = server.stored()

    undone = push(sp.undo(report)).raise_for_failures()
    assert server.stored() == before
    redone = push(sp.undo(undone)).raise_for_failures()
    assert server.stored() == after
    assert words(push(plan)) == ["unchanged"] * 3
    push(sp.undo(redone)).raise_for_failures()
    assert words(push(plan)) == ["done", "done", "unchanged"]  # the row to be deleted has another `_id` now


def test_after_the_undo_of_a_push_without_a_journal_its_plan_is_as_new(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(2).assign(cpus=9))
    report = push(plan, journal=False)
    push(sp.undo(report), journal=False).raise_for_failures()

    assert words(push(plan, journal=False)) == ["done", "done"]


def test_a_new_row_that_came_back_by_the_undo_of_its_undo_is_not_made_once_more(server):
    plan = new_logs(server, 1)
    push(sp.undo(push(sp.undo(push(plan)))))

    assert words(push(plan)) == ["unchanged"]
    assert server.client.entities("log").count({}) == 1


def test_other_spellings_of_an_address_are_the_same_server(server):
    push(new_logs(server, 1))
    client = sispy.Client(
        server.client.url.replace("http", "HTTP") + "/", auth_token=server.client.auth_token
    )

    plan = sp.fetch(client.entities("log"), progress=False).diff(
        pd.DataFrame({"text": ["x"], "n": range(1)}), new=True
    )

    assert words(push(plan)) == ["unchanged"]
    assert client.url == server.client.url


def test_a_delete_that_is_pushed_again_was_pushed(server):
    live = server.fetch()
    plan = live.diff(live.frame(), delete=live.ids[:1])
    assert words(push(plan)) == ["done"]

    (outcome,) = push(plan).outcomes

    assert outcome.word == "unchanged"
    assert re.fullmatch(r"pushed \d\d:\d\d as \w+: again=True sends it all the same", outcome.reason)


def test_a_new_row_that_somebody_deleted_since_stays_deleted(server):
    plan = new_logs(server, 2)
    report = push(plan)
    server.client.entities("log").delete(report.outcomes[0].id)

    again = push(plan)

    assert words(again) == ["unchanged", "unchanged"]
    assert re.match(
        rf"deleted since, \d\d:\d\d by {server.sandbox.user}; pushed .* again=True sends it all the same",
        again.outcomes[0].reason,
    )
    assert server.client.entities("log").count({}) == 1
    assert words(push(plan, again=True)) == ["done", "done"]


def test_a_new_row_that_was_deleted_while_there_was_no_history_is_made_once_more(server):
    plan = new_logs(server, 1)
    report = push(plan)
    schema = server.client.schemas.get("log").to_dict()
    server.client.schemas.update("log", {**schema, "track_history": False})
    server.client.entities("log").delete(report.outcomes[0].id)
    server.client.schemas.update("log", {**schema, "track_history": True})

    assert words(push(plan)) == ["done"]


@pytest.mark.parametrize("harm", ["damaged", "deleted"])
def test_new_rows_are_not_sent_again_when_the_journal_that_knows_them_is_gone(server, harm):
    plan = new_logs(server, 2)
    path = push(plan).journal
    if harm == "damaged":
        path.write_bytes(path.read_bytes() + b"{oops}\n")
    else:
        path.unlink()

    with pytest.raises(ValueError, match=f"{path}.*; again=True sends them all$"):
        push(plan)

    assert server.client.entities("log").count({}) == 2
    assert words(push(plan, again=True)) == ["done", "done"]


def test_rows_that_a_revert_brought_back_are_known_to_older_undos(server):
    live = server.fetch()
    edited = push(live.diff(live.frame().head(1).assign(cpus=9)))
    live = server.fetch()
    deleted = push(live.diff(live.frame(), delete=live.ids[:1]))
    found = sp.changes(server.hosts, since=deleted.started, known=live.ids, progress=False)
    back = push(sp.revert(found)).raise_for_failures()

    assert sp.undo(deleted).changes == ()
    plan = sp.undo(edited)

    assert [change.id for change in plan.changes] == [back.outcomes[0].id]
    assert words(push(plan)) == ["done"]
    assert server.stored()["h00000"]["cpus"] == 1
    push(sp.undo(back), on_conflict="mine").raise_for_failures()
    assert len(sp.undo(deleted)) == 1


def test_an_undone_push_says_so_and_what_was_undone_in_part_is_undone_in_the_rest(server):
    live = server.fetch()
    report = push(live.diff(live.frame().head(3).assign(cpus=9)))
    first = push(sp.undo(report).only(ids=[live.ids[0]]))

    rest = sp.undo(report)
    assert [change.id for change in rest.changes] == live.ids[1:3].tolist()
    assert rest.notes[0].startswith("1 row undone already, ")
    assert rest.notes[0].endswith(f" by {journal.short(first.journal)}")
    push(rest).raise_for_failures()
    assert sp.undo(report.journal, client=server.client).changes == ()


def test_a_rehearsal_does_not_count_nor_does_a_sandbox_begun_anew_at_the_same_address(tmp_path, monkeypatch):
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))
    with Sandbox(samples=5) as real, Sandbox(copy_from=real.client()) as copy:
        live = sp.fetch(real.client().entities("host"), progress=False)
        plan = live.diff(live.frame().assign(notes="x"))
        saved = plan.save(tmp_path / "plan")
        assert push(sp.load_plan(saved, copy.client())).counts["done"] == 5
        assert push(plan).counts["done"] == 5
        port = real.port
    with Sandbox(samples=5, port=port) as anew:
        live = sp.fetch(anew.client().entities("host"), progress=False)
        plan = live.diff(live.frame().assign(notes="x"))
        assert push(plan).counts["done"] == 5


def test_a_plan_that_cannot_be_found_in_damaged_notes_is_pushed(server):
    live = server.fetch()
    plan = live.diff(live.frame().head(2).assign(cpus=9))
    report = push(plan)
    for note in (journal.folder() / "index").iterdir():
        note.write_bytes(b"\xff\n[]\nnull\n" + note.read_bytes() + b'"/nowhere"\n"')
    assert words(push(plan)) == ["unchanged", "unchanged"]
    report.journal.write_bytes(b"null\n")
    assert words(push(plan)) == ["unchanged", "unchanged"]
    shutil.rmtree(journal.folder())
    assert words(push(plan)) == ["unchanged", "unchanged"]
    assert push(plan).outcomes[0].reason.startswith("the server holds these values already")


def test_a_row_of_which_an_older_state_is_back_is_sent_again(server):
    """As on a server that was restored from a backup."""
    live = server.fetch({"q": {"name": "h00000"}})
    plan = live.diff(live.frame().assign(cpus=9))
    table = server.sandbox.world.entities["host"].collection
    backup = table.documents[live.ids[0]]
    assert words(push(plan)) == ["done"]
    assert words(push(plan)) == ["unchanged"]

    table.replace(backup)

    assert words(push(plan)) == ["done"]
    assert server.stored()["h00000"]["cpus"] == 9
