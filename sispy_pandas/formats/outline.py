"""Where in a file its table is: titles above the names, totals below the rows; what is left out is said."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sispy.remedies import Argument, Message

from ..values.types.base import PLAIN, TYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .options import ReadOptions

Row: TypeAlias = "tuple[int, Sequence[Any]]"
"""The number of a row in the file, and its cells."""
_TOP = 20
"""Rows among which the names are."""
_NATIVE = {bool: "Boolean", int: "Number", float: "Number", datetime.date: "Date"}
_TYPED = ("Number", "Date", "Boolean", "IpAddress")
_TOTAL = re.compile(
    r"\W*(?:grand |sub[ -]?|zwischen|gesamt|end)?"
    r"(?:totals?|totale|totaux|totaal|sums?|summen?|gesamt|итого)(?:[\s:(].*)?",
    re.IGNORECASE,
)
_PART = re.compile(
    r"\W*(?:incl\.? |excl\.? |inkl\.? |zzgl\.? |plus )?(?:vat|(?:sales )?tax|mwst|ust|mehrwertsteuer|"
    r"umsatzsteuer|tva|iva|btw|net(?:to)?|gross|brutto|(?:netto|brutto)betrag)(?:[\s:.(].*)?",
    re.IGNORECASE,
)
"""What stands beside a total; alone it may be a name."""
_REMARK = re.compile(
    r"[*†]|(?:notes?|remarks?|source|legend|stand|quelle|hinweise?|anmerkung(?:en)?|bemerkung(?:en)?)\s*:|"
    r"(?:as of|stand|page|seite) \d|\(?\d+ rows?(?:\)| in set)|"
    r"(?:exported|generated|printed|created|erstellt|exportiert) \w",
    re.IGNORECASE,
)
_RULE = re.compile(r"[-+=:|\u2500-\u257f ]{3,}")
"""A line that is drawn: between the names and the rows, and around a table."""
_AMOUNT = re.compile(r"\W*\d+(?:[.,'\s]\d{3})*(?:[.,]\d+)?(?:\W*|\W?(?:EUR|USD|CHF|GBP))", re.IGNORECASE)
_CENT = 0.015
"""What a sum may be off by rounding."""
_FEW = 2
"""Rows below which nothing but its name tells a total."""
_SHOWN = 5
BOTTOM = 20
"""Rows at the end among which totals and remarks are."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The rows of a table, apart from what stands above and below it."""

    header: Sequence[Any]
    rows: Sequence[Row]
    guesses: tuple[str, ...] = ()
    """What of it is a guess, and the options that say so."""


def outlined(rows: Sequence[Row], options: ReadOptions, known: Collection[str] = ()) -> Outline:
    """Return the table among the rows of a file.

    Its names are in the first row that names all columns with cells below it, if those above are titles.

    Args:
        rows: Of the file; rows of blanks alone do not count.
        options: May say in which row the names are (0: in none), and how many rows at the end to leave out.
        known: Names of columns: a row with one of them has the names.
    """
    rows = [row for row in rows if not all(map(is_nothing, row[1]))]
    wanted, width = options.header_row, max((len(cells) for _, cells in rows), default=0)
    guesses: list[str] = []
    drawn = [number for number, cells in rows if is_rule(cells)] if width > 1 and wanted != 0 else []
    if drawn:  # the cells are as wide as their column there
        rows = [(number, list(map(_text, cells))) for number, cells in rows if number not in set(drawn)]
    header: Sequence[Any]
    body: Sequence[Row]
    if wanted == 0:
        top, header, body = 0, [""] * width, rows
    else:
        first = wanted or 1
        body = [row for row in rows if row[0] >= first]
        at = _names_at(body, known) if wanted is None else 0
        if at:
            number, last = body[at][0], body[at - 1][0]
            above = f"row {last} is" if at == 1 else f"rows {body[0][0]} to {last} are"
            said = f"{above} left out: the names of the columns are in row {number}"
            guesses.append(Message(said, Argument("header_row", "says so", number)))
        top, header = body[at] if body else (1, ())
        body = body[at + 1 :]
    if drawn and wanted is None:
        guesses.append(
            Message(f"{_listed(drawn)} left out, which draw lines", Argument("header_row", "says so", top))
        )
    again = _again(body, header)
    body = [row for row in body if row[0] not in again] if again else body
    if again and wanted is None:
        says = Argument("header_row", "says so", top)
        guesses.append(Message(f"{_listed(again)} left out, with the names of the columns again", says))
    if options.footer_rows is not None:
        return Outline(header, body[: len(body) - options.footer_rows], tuple(guesses))
    below = 0 if "_id" in map(str, header) else _below(body, header)
    if below:
        numbers = [number for number, _ in body[-below:]]
        what = f"row {numbers[0]} is" if below == 1 else f"rows {numbers[0]} to {numbers[-1]} are"
        said = f"{what} left out: {'it looks' if below == 1 else 'they look'} like a total, or a remark"
        keeps = Argument("footer_rows", "keeps all", 0)
        guesses.append(Message(said, Argument("footer_rows", "says so", below), keeps))
    return Outline(header, body[: len(body) - below], tuple(guesses))


def _again(rows: Sequence[Row], header: Sequence[Any]) -> list[int]:
    """Return the numbers of the rows in which the names of several columns stand once more."""
    filled, names = _filled(header), list(map(_text, header))
    if len(filled) < 2:
        return []
    first = min(filled)
    like = (row for row in rows if row[1][first : first + 1] and _text(row[1][first]) == names[first])
    return [number for number, cells in like if list(map(_text, cells)) == names]


def is_rule(cells: Sequence[Any]) -> bool:
    """Return whether a row is a line that is drawn."""
    there = [cell for cell in cells if not is_nothing(cell)]
    return bool(there) and all(isinstance(cell, str) and _RULE.fullmatch(cell) for cell in there)


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN]))
    more = f" and {len(numbers) - _SHOWN:,} more" if len(numbers) > _SHOWN else ""
    return f"row {shown} is" if len(numbers) == 1 else f"rows {shown}{more} are"


def _names_at(rows: Sequence[Row], known: Collection[str]) -> int:
    """Return which row has the names of the columns: the first, unless titles stand above the names."""
    top = rows[:_TOP]
    count = [sum(str(cell).strip() in known for cell in cells if cell is not None) for _, cells in top]
    if any(count):
        return 0 if count[0] else next((at for at, some in enumerate(count) if some > 1), 0)
    named = [_filled(cells) for _, cells in top]
    needed = [set[int]().union(*(_filled(cells) for _, cells in rows[_TOP:]))]
    for names in reversed(named):
        needed.insert(0, needed[0] | names)
    for at, names in enumerate(named[:-1]):
        titles = all(_is_title(above, names) for above in named[:at])
        if titles and needed[at + 1] <= names and all(map(_is_name, top[at][1])):
            return at
    return 0


def _is_title(above: set[int], names: set[int]) -> bool:
    return len(names) > 1 and len(above) <= len(names) // 2 and above <= names and min(names) in above


def _filled(cells: Sequence[Any]) -> set[int]:
    return {at for at, cell in enumerate(cells) if not is_nothing(cell)}


def is_nothing(cell: Any) -> bool:
    """Return whether a cell of a file has nothing in it but blanks."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _text(cell: Any) -> Any:
    return cell.strip() if isinstance(cell, str) else cell


def _is_name(cell: Any) -> bool:
    return is_nothing(cell) or (isinstance(cell, str) and type_of(cell) is None)


def type_of(cell: Any) -> str | None:
    """Return the type that a cell surely has, for people; None for one of text."""
    if not isinstance(cell, str):
        return next((name for kind, name in _NATIVE.items() if isinstance(cell, kind)), "other")
    return next((name for name in _TYPED if TYPES[name].is_spelt(cell.strip(), PLAIN)), None)


def _below(rows: Sequence[Row], header: Sequence[Any]) -> int:
    """Return how many rows at the end are totals or remarks.

    Once there is one, so is what stands below it in a single cell, and what stands beside a total.
    """
    columns, found, parts = len(_filled(header)), 0, 0
    for n in range(1, min(len(rows) - 1, BOTTOM) + 1):
        cells, above = rows[-n][1], rows[:-n]
        filled = _filled(cells)
        if not filled:
            break
        first, *others = (cells[at] for at in sorted(filled))
        sums = all(map(_is_amount, others))
        parts = parts + 1 if others and sums and _PART.fullmatch(str(first)) else 0
        if _TOTAL.fullmatch(str(first)):
            is_none = len(filled) < columns or sums
        elif parts:
            is_none = parts > 1 or found == n - 1 > 0
        elif len(above) < _FEW:
            is_none = False  # a row alone tells nothing of what others look like
        elif len(filled) == 1 and columns > 1:
            is_apart = columns > 2 and above[-1][0] < rows[-n][0] - 1
            is_none = is_apart or _is_remark(cells[0], above) or _is_sum(cells, above)
        else:
            is_none = _is_sum(cells, above)
        if is_none:
            found = n
        elif not parts and (len(filled) > 1 or columns < 3):
            break
    return found


def _is_amount(cell: Any) -> bool:
    kind = type_of(cell)
    return kind == "Number" or (kind is None and _AMOUNT.fullmatch(cell.strip()) is not None)


def _is_sum(cells: Sequence[Any], above: Sequence[Row]) -> bool:
    """Return whether a row is of sums alone, without the name that all the others have."""
    if not is_nothing(cells[0]) or any(is_nothing(row[0]) for _, row in above):
        return False
    amounts = {at: cell for at, cell in enumerate(cells) if not is_nothing(cell)}
    return all(map(_is_amount, amounts.values())) and any(
        abs(sum(_number(row[at]) for _, row in above if len(row) > at) - _number(cell)) < _CENT
        for at, cell in amounts.items()
    )


def _number(cell: Any) -> float:
    """Return the number of an amount, whichever of its marks is that of the decimals; else 0.0."""
    if is_nothing(cell) or not _is_amount(cell):
        return 0.0
    if not isinstance(cell, str):
        return float(cell)
    whole, mark, rest = re.sub(r"[^\d.,]", "", cell).strip(".,").rpartition(max(".,", key=cell.rfind))
    decimals = rest if mark and len(rest) != 3 else ""
    number = float(re.sub(r"\D", "", whole if decimals else whole + rest) + "." + (decimals or "0"))
    return -number if cell.strip().startswith("-") else number


def _is_remark(cell: Any, above: Sequence[Row]) -> bool:
    """Return whether the first and only cell of a row is a sentence, as none is above it."""
    if not isinstance(cell, str):
        return False
    if _REMARK.match(cell.strip()):
        return True
    return len(cell.split()) > 1 and not any(
        len(_filled(row)) < 2 or len(str(row[0]).split()) > 1 for _, row in above
    )
