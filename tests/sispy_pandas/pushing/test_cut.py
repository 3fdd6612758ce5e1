"""What is said of a push that was cut off."""

import time
from pathlib import Path

import numpy as np
import pytest

from sispy.remedies import what_of
from sispy_pandas.pushing.cut import Cut
from sispy_pandas.values.changes import Create, Update
from sispy_pandas.values.times import clock

NOTHING = np.array([], "S8")
UPDATE = Update("a" * 24, {"cpus": 1}, {"cpus": 2}, "h1")


@pytest.mark.parametrize(
    ("found", "said", "again"),
    [
        (
            [UPDATE, UPDATE],
            "2 rows, such as h1, would be changed a second time: the push b94b47 wrote to them before",
            "changes them once more",
        ),
        (
            [Create(0, {"name": "n1"}, "n1")],
            "1 row, such as n1, would be created a second time: the push b94b47 made them, or was about to,"
            " before",
            "creates them once more",
        ),
    ],
)
def test_the_question_says_what_would_be_done_twice_and_how_to_go_on(found, said, again):
    now = int(time.time() * 1000)
    path = Path("/j/1.jsonl")
    cut = Cut(
        "b94b47", now, (path,), NOTHING, NOTHING, frozenset(), NOTHING, NOTHING, frozenset(), named=True
    )

    question = cut.question(found)

    assert what_of(question) == f"{said} it was cut off, {clock(now)}"
    assert str(question).endswith(
        f"; sp.push_parts(..., resume={str(path)!r}) goes on with that push, again=True {again}"
    )
