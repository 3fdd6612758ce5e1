"""What to do about a refusal travels as data, beside what is wrong."""

import copy
import pickle

import pytest

from sispy.remedies import Argument, Call, Meant, Message, in_python, message_of, nearest, what_of, worded

ANYWAY = Argument("allow_dangling", "deletes it anyway", True)
GOING_ON = Call("sp.resume('a.jsonl').push()", "goes on", ("resume", "a.jsonl"))


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("it is locked",), "it is locked"),
        (("it is referred to", ANYWAY), "it is referred to: allow_dangling=True deletes it anyway"),
        (("it ended", GOING_ON, ANYWAY), "it ended: sp.resume('a.jsonl').push() goes on, "
         "allow_dangling=True deletes it anyway"),
        (("which sheet?", Argument("sheet", "names one")), "which sheet? sheet= names one"),
        (("it is", " unknown", Argument("base", "will do", "now")), "it is unknown: base='now' will do"),
        ((ANYWAY,), "allow_dangling=True deletes it anyway"),
    ],
)  # fmt: skip
def test_as_a_text_a_message_says_what_is_wrong_and_then_the_ways_out_in_python(parts, text):
    assert (str(Message(*parts)), f"{Message(*parts)}") == (text, text)


def test_a_message_in_a_message_brings_its_remedies_once():
    inner = Message("referred to", ANYWAY)

    whole = Message("a: ", inner, "; b: ", inner, GOING_ON)

    assert (whole.what, whole.remedies) == ("a: referred to; b: referred to", (ANYWAY, GOING_ON))


def test_a_face_leaves_out_what_it_has_no_words_for():
    text = Message("it ended", GOING_ON, ANYWAY)

    assert worded(text, lambda remedy: "Delete" if remedy == ANYWAY else None) == (
        "it ended: Delete deletes it anyway"
    )
    assert worded(text, lambda _: None) == what_of(text) == "it ended"
    assert worded("no message", in_python) == what_of("no message") == "no message"


def test_an_error_gives_its_message_back():
    message = Message("refused", ANYWAY)

    assert message_of(ValueError(message)) is message
    assert message_of(ValueError("refused")) == "refused"
    assert message_of(KeyError("a")) == "'a'"
    assert message_of(OSError(2, "no such file")) == "[Errno 2] no such file"


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_is_the_same_message(again):
    message = Message("refused", ANYWAY, GOING_ON)

    copied = again(message)

    assert (copied, copied.what, copied.remedies) == (message, "refused", (ANYWAY, GOING_ON))


def test_a_name_that_was_meant_is_told_by_the_text_alone():
    told = Message("no field 'statsu'", nearest("statsu", ["status", "name"]))

    assert told == worded(told, in_python) == "no field 'statsu'; did you mean 'status'?"
    assert told.remedies == (Meant("status"),)
    assert nearest("other", ["status"]) == ""
