"""What is in a column, in a few words: what is missing, how many values differ, which is most frequent."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...values.types.convert import is_blank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...values.types.base import Field


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of a column's values, the most frequent one, and their range where they are numbers or dates."""

    missing: int
    distinct: int
    top: Any = None
    top_count: int = 0
    low: Any = None
    high: Any = None


def summary_of(field: Field, values: Sequence[Any]) -> Summary:
    """Return the summary of JSON values of a field.

    >>> from ...values.types.base import Field
    >>> summary_of(Field("cores", "Number"), [8, 2, None, 8])
    Summary(missing=1, distinct=2, top=8, top_count=2, low=2, high=8)
    >>> summary_of(Field("load", "Number"), [3, 1.5])
    Summary(missing=0, distinct=2, top=3, top_count=1, low=1.5, high=3)
    """
    there = [value for value in values if not is_blank(value, field)]
    counts = Counter(map(_known_by, there))
    if not counts:
        return Summary(len(values), 0)
    ((top, times),) = counts.most_common(1)
    value = next(value for value in there if _known_by(value) == top)
    types = {type(value) for value in there}
    ranged = field.kind.presentation in ("number", "date") and (types <= {int, float} or len(types) == 1)
    low, high = (min(there), max(there)) if ranged else (None, None)
    return Summary(len(values) - len(there), len(counts), value, times, low, high)


def _known_by(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
