"""What two lists have in common, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIMIT = 4_000_000
"""Comparisons at most: beyond it a rewritten huge list is told as such."""


def common(old: Sequence[str], new: Sequence[str]) -> tuple[set[int], set[int]]:
    """Return the positions of a longest common subsequence in both lists.

    >>> common("pqr", "qrs")
    ({1, 2}, {0, 1})
    """
    if not old or not new or len(old) * len(new) > _LIMIT:
        return set(), set()
    lengths = [[0] * (len(new) + 1)]
    for one in old:
        above, row = lengths[-1], [0]
        for j, other in enumerate(new):
            row.append(above[j] + 1 if one == other else max(above[j + 1], row[j]))
        lengths.append(row)
    i, j = len(old), len(new)
    kept_old, kept_new = set(), set()
    while i and j:
        if old[i - 1] == new[j - 1]:
            i, j = i - 1, j - 1
            kept_old.add(i)
            kept_new.add(j)
        elif lengths[i][j - 1] > lengths[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return kept_old, kept_new
