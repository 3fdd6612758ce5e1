"""Strategies of hypothesis that the tests share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]


def recursive(base: Strategy, extend: Callable[[Strategy], Strategy], *, max_leaves: int = 100) -> Strategy:
    """Return `st.recursive(...)` of a function whose source nobody looks at.

    Hypothesis reads it to see whether the argument is used, and warns of what it finds there instead if the
    file was changed since it was loaded: by an edit or a commit, beneath tests that run for an hour.
    """
    return st.recursive(base, partial(extend), max_leaves=max_leaves)
