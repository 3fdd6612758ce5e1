import numpy as np
import pandas as pd
import pytest

from sispy_pandas.values.marked import is_marked


@pytest.mark.parametrize("cell", [True, np.bool_(True), 1, 1.0, "x", " X ", "yes", "TRUE", "1", "delete"])
def test_yes(cell):
    assert is_marked(cell) is True


@pytest.mark.parametrize("cell", [None, pd.NA, np.nan, False, 0, 0.0, "", " ", "no", "False", "0"])
def test_no(cell):
    assert is_marked(cell) is False


@pytest.mark.parametrize("cell", ["perhaps", "n", 2, 0.5, ["x"], pd.Timestamp("2020-01-01")])
def test_neither(cell):
    assert is_marked(cell) is None
