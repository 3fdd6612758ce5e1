"""Nobody's work is lost, whatever a network, colleagues and kills do to a push.

A round is made from its seed alone: the guard, the table, the plan, the edits of others, the faults and the
requests at which the push is killed. To run one again:

    SISPY_TORTURE=17 pytest -m soak tests/stories/test_torture.py -k again -s

300 rounds take three minutes of two cores, if nobody else needs them.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

import pytest

from ledger import Ledger
from sispy.sandbox import Faults, Sandbox
from torture import Round, Settings, definition

PLAIN = range(10)
AT_A_TIME = 6
"""Rounds; much of their time is waiting."""


@pytest.fixture
def torture(tmp_path, monkeypatch):
    """Carry out the rounds of some seeds, and tell of each."""
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "journals"))

    def a_round(seed):
        return Round(Settings(seed), Path(mkdtemp(dir=tmp_path))).run()

    def go(*seeds):
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            for result in pool.map(a_round, seeds):
                print(result)  # noqa: T201 - pytest shows it where a test fails
                yield result

    return go


def violated(results):
    """Give the settings of the rounds that violate anything."""
    return [result.settings for result in results if result.violations]


def test_what_is_lost_is_told_by_what_is_stored():
    with Sandbox() as sandbox:
        root = sandbox.client()
        root.schemas.create(definition(unique=True))
        ledger = Ledger("box")
        ledger.keep(sandbox)
        boxes = root.entities("box")
        id_ = boxes.create({"name": "b0", "s": "base", "n": 1}).to_dict()["_id"]
        root.users.create({"name": "ann", "email": "ann@example.com", "pw": "ann", "roles": {"ops": "admin"}})
        theirs = sandbox.client("ann").entities("box")
        sandbox.faults = Faults(between=lambda seen: theirs.update(id_, {"s": "theirs"}))
        boxes.update_bulk([{"_id": id_, "n": 2}])  # its commit shows `s` as it was read

        assert [(w.by, w.after["s"], w.after["n"]) for w in ledger.writes if w.after is not None] == [
            ("root", "base", 1),
            ("ann", "theirs", 1),
            ("root", "theirs", 2),
        ]
        assert list(ledger.losses("root", 1)) == []


@pytest.mark.slow
@pytest.mark.timeout(900)  # ten of them are 6 s of CPU and much waiting: a busy machine takes its time
def test_ten_rounds(torture):
    assert violated(torture(*PLAIN)) == []


@pytest.mark.soak
def test_three_hundred_rounds(torture):
    assert violated(torture(*range(300))) == []


@pytest.mark.soak
def test_rounds_of_one_seed_are_alike(torture):
    # how many requests meet a fault depends on how often the push looks while it waits
    first, second = ([result.words for result in torture(*range(20))] for _ in range(2))

    assert first == second


@pytest.mark.soak
def test_a_round_again(torture):
    assert violated(torture(int(os.environ.get("SISPY_TORTURE", "0")))) == []
