"""What the SIS server was recorded to answer: 872 requests in 23 topics, and the sandbox answers the same."""

from pathlib import Path

import pytest

from recordings import MismatchError, Player, load, matched
from sispy.sandbox import Faults, Sandbox

TOPICS = load(Path(__file__).with_name("recordings.jsonl.gz"))


@pytest.mark.parametrize("topic", TOPICS)
def test_every_answer_is_as_recorded(topic):
    differences = []
    with (
        Sandbox(password="secret", cors=True, allow_hosts=["x"], faults=Faults(defects=True)) as sis,
        Player(sis) as player,
    ):
        for step in TOPICS[topic]:
            try:
                player.play(step)
            except MismatchError as mismatch:
                differences.append(f"{step['step']}: {mismatch}")
    assert differences == []


def test_no_topic_is_missing():
    assert sum(map(len, TOPICS.values())) == 872


ID, OTHER = "a" * 24, "b" * 24


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {}),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        (1, True),
        (0, False),
        ("<ms>", 5),
        ("<id:1>", "no id"),
        (["<id:1>", "<id:1>"], [ID, OTHER]),
        (["<id:1>", "<id:2>"], [ID, ID]),
        ("<token>", ID),
        ("<text>", ""),
        ("<trans>", None),
    ],
)
def test_a_pattern_does_not_match_everything(pattern, value):
    with pytest.raises(MismatchError):
        matched(pattern, value, {})


def test_ids_in_lists_without_order_are_told_apart_by_what_follows():
    pattern = {"l": [{"n": "<id:1>"}, {"n": "<id:2>"}], "first": "<id:1>"}
    value = {"l": [{"n": OTHER}, {"n": ID}], "first": OTHER}
    assert matched(pattern, value, {}, {"body.l"}) == {"<id:1>": OTHER, "<id:2>": ID}
