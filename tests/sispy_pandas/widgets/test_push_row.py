"""The row that asks how to push has its own names for what a refusal asks for."""

import pytest

from sispy.remedies import Argument, Call, Message
from sispy_pandas.widgets.push_row import PushRow


@pytest.fixture
def row():
    nothing = dict.fromkeys(("push", "cancel", "resume", "verify", "undo"), lambda: None)
    return PushRow(**nothing)


@pytest.mark.parametrize(
    ("remedy", "words"),
    [
        (Argument("expect_deletes", "helps", 12), "12 in “Rows to delete” helps"),
        (Argument("guard", "helps", "off"), "Write over others' edits in “Guard” helps"),
        (Argument("on_conflict", "helps", "mine"), "Keep mine in “Conflicts” helps"),
        (Argument("again", "helps", True), "again=True helps"),
        (Call("sp.resume('a').push()", "helps", ("resume", "a")), "sp.resume('a').push() helps"),
    ],
)
def test_a_remedy_is_a_control_if_there_is_one(row, remedy, words):
    assert row.told(Message("refused", remedy)) == f"refused: {words}"


def test_cancel_says_that_it_was_heard_until_the_push_has_ended(row):
    row.show_busy(True)
    row.cancel.click()
    assert (row.cancel.description, row.cancel.disabled) == ("Cancelling …", True)
    row.show_busy(False)
    assert (row.cancel.description, row.cancel.disabled) == ("Cancel", False)
