"""How the database compares two values: by type first, then by value."""

from __future__ import annotations

from typing import Any

from sispy.sandbox.scalars import MISSING, Json

NUMBER_RANK = 1


def rank_of(value: Json) -> int:
    """Order of the types: missing and null, numbers, texts, objects, arrays, booleans."""
    if value is None or value is MISSING:
        return 0
    if isinstance(value, bool):
        return 5
    if isinstance(value, int | float):
        return NUMBER_RANK
    if isinstance(value, str):
        return 2
    return 3 if isinstance(value, dict) else 4


def order_key(value: Json) -> tuple[Any, ...]:
    """Give a key that orders any two values as the database does."""
    rank = rank_of(value)
    if rank == 3:
        return (rank, tuple((rank_of(one), name, order_key(one)) for name, one in value.items()))
    if rank == 4:
        return (rank, tuple(order_key(one) for one in value))
    return (rank,) if rank == 0 else (rank, value)


def identical(left: Json, right: Json) -> bool:
    """Compare as the database compares documents: by type, value and order of keys."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and len(left) == len(right)
            and all(
                key == other and identical(one, another)
                for (key, one), (other, another) in zip(left.items(), right.items(), strict=True)
            )
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(identical, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)
