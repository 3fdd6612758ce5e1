"""A cell of a file that is no value of its column: the text as it stands there, and why it was refused."""

from __future__ import annotations


class Refused(str):
    """Text that stands in a frame where a value should be, so that the diff can name the cell.

    It equals the plain text. `cast` raises its reason, also in Mixed columns, where other text is a value.

    >>> Refused("abc", "no number").reason
    'no number'
    """

    __slots__ = ("reason",)
    reason: str

    def __new__(cls, text: str, reason: str) -> Refused:
        """Take the text and the reason in words."""
        cell = super().__new__(cls, text)
        cell.reason = reason
        return cell

    def __reduce__(self) -> tuple[type[Refused], tuple[str, str]]:
        return Refused, (str(self), self.reason)
