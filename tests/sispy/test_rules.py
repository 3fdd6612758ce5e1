"""What a profile says about writing holds for every way to write."""

import pytest

import sispy
from sispy.rules import Rules


def test_nothing_is_written_with_a_profile_for_reading(sis_sandbox, sis_client):
    sis, client = sis_sandbox, sis_client
    client.rules = Rules("prod", read_only=True)
    hosts = client.entities("host")
    seen = len(sis.requests)

    for write in (
        lambda: hosts.create({"name": "x"}),
        lambda: hosts.update("x", {"a": 1}),
        lambda: hosts.delete("x"),
        lambda: hosts.update_bulk([{"_id": "x"}]),
        lambda: client.schemas.delete("host"),
        lambda: client.tokens("root").create({}),
    ):
        with pytest.raises(sispy.Unauthorized, match="profile 'prod' is read-only"):
            write()

    assert len(sis.requests) == seen
    assert client.authenticate(sis.user, sis.password)
    assert client.info()


def test_a_note_is_asked_for():
    rules = Rules("prod", require_note="^CHG[0-9]+")

    for note, said in ((None, "there is none"), ("chg1", "'chg1' does not"), ("see CHG1", "does not")):
        with pytest.raises(ValueError, match=f"asks for a note with .*, and .*{said}: note= gives one"):
            rules.refuse_note(note)
    rules.refuse_note("CHG1 move")
    Rules().refuse_note(None)
