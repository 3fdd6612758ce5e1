"""The list of pushes, by their journals."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from sispy.sandbox import Sandbox
from sispy_pandas.planning.plan_file import lines
from sispy_pandas.pushing.pushes import pushes
from sispy_pandas.revisions.undo import undo
from sispy_pandas.workflow.fetch import fetch


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path))
    return tmp_path


def test_no_pushes_yet():
    assert pushes().shape == (0, 18)


def test_pushes_are_listed_and_can_be_undone(folder):
    with Sandbox(samples=5) as sis:
        hosts = sis.client().entities("host")
        frame = fetch(hosts, progress=False).frame()
        plan = fetch(hosts, progress=False).diff(frame.assign(notes="x"))
        before = pd.Timestamp(datetime.now(UTC)).floor("ms")
        plan.push(progress=False, note="CHG1", reviewer="carol", expect_digest=plan.digest)
        after = datetime.now(UTC)
        (folder / "other.jsonl").write_text("{}\n")
        found = pushes()
        row = found.iloc[0].to_dict()
        assert before <= row.pop("at") <= after
        assert row.pop("journal").startswith(str(folder))
        assert row.pop("user") == "root"
        assert row == {
            "schema": "host",
            "rows": 5,
            "done": 5,
            "ended": True,
            "note": "CHG1",
            "server": sis.url,
            "undoes": (),
            "undone": 0,
            "replaced": 0,
            "partly": 0,
            "lost": 0,
            "reviewer": "carol",
            "author": None,
            "source": None,
            "digest": plan.digest,
        }
        undo(found["journal"][0], client=sis.client()).push(progress=False).raise_for_failures()
        listed = pushes()
        assert listed["rows"].tolist() == [5, 5]
        assert listed["undoes"].tolist() == [(found["journal"][0],), ()]
        assert listed["undone"].tolist() == [0, 5]


def test_what_was_killed_before_it_began_is_neither_a_push_nor_worth_a_word(folder, caplog):
    with Sandbox(samples=5) as sis:
        live = fetch(sis.client().entities("host"), progress=False)
        plan = live.diff(live.frame().assign(notes="x"))
        (folder / "a-host-abcdef.jsonl").write_text("\n".join(lines(plan)[:3]) + "\n")

        found = pushes()

    assert (len(found), found.attrs["unreadable"], caplog.text) == (0, [], "")
