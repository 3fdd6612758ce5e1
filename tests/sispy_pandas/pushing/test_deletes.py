"""Deletes: exactly the state that was read goes, and what is refused is told with its reason."""

import pytest

import sispy_pandas as sp
from sispy.sandbox import Faults
from sispy_pandas.values.changes import Conflict, Overwrite

QUICK = sp.Limits(settle=0.0, settle_row=0.0, patience=2.0)


def push(plan, **options):
    return plan.push(progress=False, **{"limits": QUICK, **options})


def deletion(live, n=1):
    return live.diff(live.frame().head(0), delete=list(live.ids[:n]))


def deletes(server):
    return [seen for seen in server.sandbox.requests if seen.method == "DELETE"]


def racing(server, plan, change, times):
    """Let somebody else write between the reading and the deleting, so many times."""

    def before(seen):
        if seen.method == "DELETE" and len(deletes(server)) < times:
            change(plan.changes[0].id, len(deletes(server)))

    return Faults(before=before)


def test_a_row_that_changes_between_reading_and_deleting_stays(server):
    plan = deletion(server.fetch(), 2)
    server.sandbox.faults = racing(server, plan, lambda id_, _: server.hosts.update(id_, {"cpus": 6}), 1)

    report = push(plan)

    assert [o.word for o in report.outcomes] == ["conflict", "done"]
    assert report.conflict_list == (Conflict(plan.changes[0].id, "cpus", 1, None, 6, "h00000"),)
    assert server.stored()["h00000"]["cpus"] == 6
    assert len(deletes(server)) == 1


def test_what_others_wrote_in_the_moment_that_was_read_is_told_by_the_answer_alone(server):
    plan = deletion(server.fetch(), 2)
    id_ = plan.changes[0].id

    def write(seen):  # within the millisecond of what was read: its time does not move
        if seen.method == "DELETE":
            document(server, id_).update({"cpus": 6, "tags": []})

    server.sandbox.faults = Faults(before=write)

    report = push(plan, verify=False)

    lost = (
        Overwrite(id_, "cpus", 1, None, 6, "h00000"),
        Overwrite(id_, "tags", ["a", "b"], None, [], "h00000"),
    )
    assert [(o.word, o.overwrites) for o in report.outcomes] == [("done", lost), ("done", ())]


def test_a_row_that_was_only_touched_in_between_is_compared_and_deleted_again(server):
    plan = deletion(server.fetch())
    server.sandbox.faults = racing(server, plan, lambda id_, _: server.hosts.update(id_, {"cpus": 1}), 1)

    assert push(plan, on_conflict="mine").counts["done"] == 1
    assert len(deletes(server)) == 2
    assert "h00000" not in server.stored()


def test_a_row_that_changes_at_every_attempt_is_a_conflict_once_the_attempts_are_used_up(server):
    plan = deletion(server.fetch())
    server.sandbox.faults = racing(server, plan, lambda id_, n: server.hosts.update(id_, {"cpus": n + 2}), 9)

    report = push(plan, on_conflict="mine", limits=sp.Limits(settle=0.0, settle_row=0.0, attempts=3))

    assert [(o.word, o.reason) for o in report.outcomes] == [
        ("conflict", "it changed at every attempt to delete it")
    ]
    assert report.conflict_list == (
        Conflict(plan.changes[0].id, "_id", plan.changes[0].id, None, plan.changes[0].id, "h00000"),
    )
    assert len(deletes(server)) == 3
    assert "h00000" in server.stored()


@pytest.mark.parametrize(
    ("on_conflict", "word", "reason", "there"),
    [
        ("skip", "conflict", "somebody else changed cpus", True),
        ("mine", "done", "", False),
        ("theirs", "unchanged", "kept, because somebody else changed it", True),
    ],
)
def test_on_conflict_decides_about_a_row_that_somebody_changed_and_about_no_other(
    server, on_conflict, word, reason, there
):
    plan = deletion(server.fetch(), 2)
    server.hosts.update(plan.changes[0].id, {"cpus": 6})

    report = push(plan, on_conflict=on_conflict)

    assert [(o.word, o.reason) for o in report.outcomes] == [(word, reason), ("done", "")]
    assert ("h00000" in server.stored()) == there
    assert "h00001" not in server.stored()


def test_without_a_guard_a_changed_row_goes(server):
    plan = deletion(server.fetch())
    server.hosts.update(plan.changes[0].id, {"cpus": 6})

    assert push(plan, guard="off").counts["done"] == 1


def test_a_delete_that_the_server_refuses_has_failed_with_its_reason_and_is_not_sent_again(server):
    plan = deletion(server.fetch(), 2)
    server.sandbox.faults = Faults(before=lambda seen: seen.method == "DELETE" and lock(server, plan))

    report = push(plan)

    assert [(o.word, o.status, o.reason, o.written) for o in report.outcomes] == [
        ("failed", 401, "Unauthorized. Cannot delete a locked object.", {}),
        ("done", 200, "", report.outcomes[1].written),
    ]
    assert len(deletes(server)) == 1


def lock(server, plan):
    """Lock the first row without moving its time: as if the right to delete it had gone."""
    document(server, plan.changes[0].id)["_sis"]["locked"] = True


def document(server, id_):
    return server.sandbox.world.entities["host"].collection.documents[id_]


FOUND_GONE = "found deleted after the answer got lost; by whom is not known"


@pytest.mark.parametrize("kept", [None, False])
@pytest.mark.parametrize(
    ("history", "known", "told", "back", "note"),
    [
        (True, True, ("unchanged", "it was deleted already"), [], None),
        (
            True,
            False,
            ("done", FOUND_GONE),
            [44],
            "gives back what others had written into 1 row",
        ),
        (
            False,
            True,
            ("done", FOUND_GONE),
            [1],
            "1 row found deleted after the answer got lost: by whom is not",
        ),
    ],
)
def test_what_somebody_wrote_and_deleted_while_the_delete_was_cut_is_told(
    server, history, known, told, back, note, kept
):
    schema = server.client.schemas.get("host").to_dict()
    server.client.schemas.update("host", {**schema, "track_history": history})
    server.client.users.create({"name": "bob", "email": "b@x.org", "pw": "bob", "roles": {"ops": "user"}})
    bob = server.sandbox.client("bob").entities("host")
    bob.update("h00000", {"_sis": {"owner": ["ops"]}})
    plan = deletion(server.fetch())
    server.client.username = "root" if known else None

    def intrude(seen):
        if deletes(server) and seen.method == "GET":  # to find out what became of the row
            server.sandbox.faults = Faults()
            bob.update("h00000", {"cpus": 44})
            bob.delete("h00000")

    server.sandbox.faults = Faults(before=intrude, drop_before={"DELETE *": 1.0})
    report = push(plan, journal=kept)
    undo = sp.undo(report)

    assert [(o.word, o.reason) for o in report.outcomes] == [told]
    assert [change.values["cpus"] for change in undo.changes] == back
    assert [one for one in undo.notes if note and one.startswith(note)] == list(undo.notes)[1:]


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_delete_whose_answer_got_lost_is_done_with_what_it_deleted(server, carried_out):
    plan = deletion(server.fetch(), 2)
    lost, kept = {"DELETE *": 1.0}, {"DELETE *": 0.0}
    ends = lambda seen: seen.method == "DELETE" and setattr(server.sandbox, "faults", Faults())  # noqa: E731
    before, after = (kept, lost) if carried_out else (lost, kept)
    server.sandbox.faults = Faults(before=ends, drop_before=before, drop_after=after)

    report = push(plan)

    assert [(o.word, o.written["cpus"]) for o in report.outcomes] == [
        ("done", (1, None)),
        ("done", (2, None)),
    ]
    assert push(sp.undo(report)).counts["done"] == 2
    assert len(server.stored()) == 20
