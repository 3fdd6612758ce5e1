"""Rows that a list from elsewhere does not have."""

import pandas as pd
import pytest

import sispy_pandas as sp


def test_they_are_those_that_no_row_of_the_list_names(server):
    live = server.fetch()
    audit = pd.DataFrame({"name": [" H00003", "h00005", "h00099", None]})  # as the definition stores it

    left = sp.missing(live, audit, key="name")

    names = live.frame()["name"]
    assert left.frame()["name"].tolist() == [name for name in names if name not in ("h00003", "h00005")]
    assert list(sp.missing(live, live.frame().iloc[3:]).ids) == list(live.ids[:3])


def test_they_can_be_marked_and_deleted(server, tmp_path):
    live = server.fetch({"q": {"cpus": 1}})
    left = sp.missing(live, live.frame().iloc[1:])

    sp.to_csv(left, tmp_path / "gone.csv")
    frame = sp.read_csv(tmp_path / "gone.csv", live.schema).assign(_delete="x")
    sp.snapshot_of(server.hosts, frame, progress=False).diff(frame).push(progress=False)

    assert set(live.frame()["name"]) - set(server.stored()) == {live.frame()["name"].iloc[0]}


def test_a_list_without_the_key_is_refused(server):
    with pytest.raises(ValueError, match=r"there is no column 'name' to match by, only \['host'\]"):
        sp.missing(server.fetch(), pd.DataFrame({"host": ["h1"]}), key="name")
