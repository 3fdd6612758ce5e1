from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sispy_pandas.excel import to_excel
from sispy_pandas.excel_read import read_excel
from sispy_pandas.records import frame_of

if TYPE_CHECKING:
    from pathlib import Path

    from sispy_pandas.schema import Schema

A, B = "a" * 24, "1" * 24


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hosts.xlsx"


def _round_trip(frames: st.SearchStrategy[pd.DataFrame], schema: Schema, path: Path, count: int) -> None:
    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
    @given(frames, st.sampled_from(["UTC", "Europe/Berlin"]))
    def check(frame: pd.DataFrame, tz: str) -> None:
        to_excel(frame, path, schema=schema, tz=tz)
        pd.testing.assert_frame_equal(read_excel(path, schema), frame)

    check()


def test_any_table_comes_back_equal(host_frames, host_schema: Schema, file: Path) -> None:
    _round_trip(host_frames, host_schema, file, 100)


@pytest.mark.soak
def test_any_table_comes_back_equal_500_times(host_frames, host_schema: Schema, file: Path) -> None:
    _round_trip(host_frames, host_schema, file, 500)


def test_nasty_texts_and_a_million_characters_come_back(nasty_texts, host_schema: Schema, file: Path) -> None:
    texts = [*nasty_texts, "x" * 1_000_000, "_x0041_" * 10_000]
    ids = [f"{i:024}" for i in range(len(texts))]
    columns = {"name": texts, "note": texts, "tags": [[text] for text in texts]}
    frame = frame_of(host_schema, columns, ids, [1] * len(ids))
    to_excel(frame, file, schema=host_schema)
    pd.testing.assert_frame_equal(read_excel(file, host_schema), frame)
