"""Two exports side by side: which rows were added or removed, which cells changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sispy_pandas.formats.reader import Texts
    from sispy_pandas.values.row_set import RowSet
    from sispy_pandas.values.schema import Schema


def _by(texts: Texts, key: str) -> dict[str, dict[str, str]]:
    """Return the rows by their text in column `key`.

    Raises:
        ValueError: There is no such column, or a key is there twice.
    """
    if key not in texts.columns:
        raise ValueError(f"no column {key!r} to recognise rows by; there are {', '.join(texts.columns)}")
    at = texts.columns.index(key)
    found = {row[at]: dict(zip(texts.columns, row, strict=True)) for row in texts.rows}
    if len(found) != len(texts.rows):
        seen: set[str] = set()
        twice = next(row[at] for row in texts.rows if row[at] in seen or seen.add(row[at]))  # type: ignore[func-returns-value] # add is called for its effect
        raise ValueError(f"{key} {twice!r} is there more than once: name a unique column with --key")
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell that differs; a row that is on one side alone is one per cell that it has."""

    action: str
    """`+` added, `-` removed, `~` changed."""
    key: str
    field: str
    before: str
    after: str


def compare(old: Texts, new: Texts, *, key: str) -> list[Difference]:
    """Return the differing cells of the columns that both sides have; receipts are no difference."""
    from sispy_pandas.values.schema import RECEIPT

    before, after = _by(old, key), _by(new, key)
    shared = [c for c in old.columns if c in new.columns and c != key and c != RECEIPT.path]
    title = _title(old, new, key)

    def name(row: dict[str, str]) -> str:
        return row[title] or row[key]

    found = []
    for identity, row in before.items():
        if identity in after:
            other = after[identity]
            changed = [c for c in shared if row[c] != other[c]]
            found += [Difference("~", name(row), c, row[c], other[c]) for c in changed]
        else:
            found += [Difference("-", name(row), c, row[c], "") for c in shared if row[c]]
    for identity, row in after.items():
        if identity not in before:
            found += [Difference("+", name(row), c, "", row[c]) for c in shared if row[c]]
    return found


def _title(old: Texts, new: Texts, key: str) -> str:
    """Return the column by which people recognise a row: the first one whose texts all differ."""
    from sispy_pandas.values.schema import RECEIPT

    if key != "_id":
        return key
    for at, column in enumerate(old.columns):
        texts = [row[at] for row in old.rows]
        if (
            column not in (key, RECEIPT.path)
            and column in new.columns
            and len({*texts, ""}) == len(texts) + 1
        ):
            return column
    return key


def texts_of(source: RowSet, schema: Schema) -> Texts:
    """Return a snapshot as the texts that an export of it would hold."""
    from sispy_pandas.formats.reader import Texts
    from sispy_pandas.formats.table import as_table
    from sispy_pandas.values.types.cell_text import write_column

    table = as_table(source, schema=schema)
    columns = [write_column(field, cells) for field, cells in table]
    return Texts(tuple(field.path for field, _ in table), tuple(zip(*columns, strict=True)))
