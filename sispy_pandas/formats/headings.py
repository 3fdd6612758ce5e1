"""Names of columns in a file: what no field can be called is mended in an obvious way, and said."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from sispy.remedies import Argument, Message, nearest
from sispy.text import printable, shorten

from ..values.blocks import count
from ..values.infer import RESERVED
from ..values.records import DELETE
from ..values.schema import RECEIPT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .table import Table

_FIRST = re.compile(r"[^\W\d_](?:[\w -]*[\w-])?")
_INNER = re.compile(r"(?!\d+$)[^\W_](?:[\w -]*[\w-])?")
"""Parts of a path, the first and others: `os.version` is one; `Serial No.`, `Exp. date`, `1.5` are none."""
_BETWEEN = re.compile(r"(?<=\S)\.+(?=\S)")
_BESIDE = frozenset({"_id", "_v", "_sis", RECEIPT.path, DELETE, "_reason"})
_SHOWN = 3


def mended(headings: Sequence[str]) -> list[str]:
    r"""Return names that fields can have, each once; a heading of which nothing is left has none.

    The columns that an export has beside the fields keep their names.

    >>> mended(["Serial No.", "os.version", "Exp. date", "_rack", "$ net", "two\nlines", "get", "_rack", ""])
    ['Serial No', 'os.version', 'Exp date', 'rack', 'net', 'two lines', 'get_', 'rack 2', '']
    """
    found = [_mended(heading) for heading in headings]
    parents = set(found)
    found = [name.replace(".", "_") if _is_below(name, parents) else name for name in found]
    kept = {name for heading, name in zip(headings, found, strict=True) if heading == name}
    names: dict[str, None] = {}
    for heading, name in zip(headings, found, strict=True):
        number, own = 1, name
        while own and (own in names or (own in kept and own != heading)):
            number += 1
            own = f"{name} {number}"
        names[own or f" {len(names)}"] = None  # no name begins with a blank
    return [name if name[0] != " " else "" for name in names]


def documents(
    keys: Sequence[str], inner: Collection[str], rename: Mapping[str, str], fields: Collection[str] = ()
) -> dict[str, str]:
    """Return the names of those keys that stand for documents of a schema under another name.

    So do those that are a field of their own under a name that the others make of them: with a dot, as
    objects are under the part before it; with a number, as another key has the name.

    Args:
        keys: Of records, outermost ones.
        inner: Paths of the documents.
        rename: Key -> name that is wanted instead.
        fields: Paths of the fields.
    """
    names = {key: rename.get(key, name) for key, name in zip(keys, mended(keys), strict=True)}
    named = {key for key, name in names.items() if name in fields}
    apart = {key for key in named if key not in fields or _is_below(key, keys)}
    return {key: name for key, name in names.items() if key not in inner and (name in inner or key in apart)}


def _is_below(name: str, parents: Collection[str]) -> bool:
    return not is_beside(name) and any(name[:at] in parents for at, sign in enumerate(name) if sign == ".")


def _mended(heading: str) -> str:
    if is_beside(heading):
        return heading
    text = _bare(heading)
    first, *others = text.split(".")
    if others and not (_FIRST.fullmatch(first) and all(map(_INNER.fullmatch, others))):
        text = " ".join(_BETWEEN.sub("_", text).replace(".", " ").split())
    return ".".join(filter(None, map(_allowed, text.split("."))))


def _bare(heading: str) -> str:
    """Return a heading without blanks around it, signs that nobody sees, and lines."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in heading).split())


def _allowed(part: str) -> str:
    part = part.lstrip("$_ ").rstrip()
    return f"{part}_" if part in RESERVED else part


def by_place(place: int) -> str:
    """Return what a column is called that has no name: by its number in the file."""
    return f"column {place}"


def is_beside(name: str) -> bool:
    """Return whether a column is one that an export has beside the fields of the table."""
    return name in _BESIDE or name.startswith("_sis.")


class Names:
    """The names that the columns of a file have, and those that people may call them by.

    Args:
        table: The file.
        rename: Name in the file -> name that is wanted instead; a column without a name is `column 3`.
        ignore_case: It may be written in another case.

    Raises:
        ValueError: A column that is to be renamed is not there.
    """

    def __init__(self, table: Table, rename: Mapping[str, str], *, ignore_case: bool = False) -> None:
        self.headings: tuple[str, ...] = table.header
        if ignore_case:
            there = {name.lower(): name for name in table.header[::-1]}
            alike = {name: name if name in table.header else there.get(name.lower(), name) for name in rename}
            rename = {alike[name]: wanted for name, wanted in rename.items()}
        self.mended: list[str] = mended(table.header)
        self.places: tuple[int, ...] = table.places or tuple(range(1, len(table.header) + 1))
        self.told: list[str | None] = []
        wanted = {_bare(name): own for name, own in rename.items()} | dict(rename)
        known: set[str] = {*table.given}
        for at, (heading, name) in enumerate(zip(self.headings, self.mended, strict=True)):
            own = [name or by_place(self.places[at])]
            own += [_bare(heading), heading] if heading not in self.headings[:at] else []
            known.update(own)
            self.told.append(next((wanted[one] for one in own[::-1] if one in wanted), None))
        absent = [name for name in rename if not known & {name, _bare(name)}]
        if absent:
            raise ValueError(
                Message(f"rename: the file has no column {absent[0]!r}", nearest(absent[0], known))
            )

    @property
    def names(self) -> list[str]:
        """What the columns are called in a table that is made for them.

        Raises:
            ValueError: Two were given one name.
        """
        both = zip(self.told, self.mended, strict=True)
        names = [told or name or by_place(self.places[at]) for at, (told, name) in enumerate(both)]
        refuse_twice(names)
        for name in names:
            if _is_below(name, names):
                raise ValueError(f"column {name!r} cannot be beside one of which it is a part: rename one")
        return names

    def refuse_nameless(self, file: object, *, in_rows: bool) -> None:
        """Raise if a column has cells, but no name, and nobody has told one.

        Args:
            file: For the message.
            in_rows: Names stand in a row of the file, and it may be another one.

        Raises:
            ValueError: There is one.
        """
        for at, (name, told) in enumerate(zip(self.mended, self.told, strict=True)):
            if not (name or told):
                shown = f" ({shorten(self.headings[at])})" if self.headings[at] else ""
                text = f"{printable(file)}: column {self.places[at]}{shown} has cells, but no name"
                row = [Argument("header_row", "says which row has the names")] if in_rows else []
                own = Argument("rename", "names it", {by_place(self.places[at]): "NAME"})
                raise ValueError(Message(text, *row, own))

    def notes(self) -> tuple[str, ...]:
        """Return in words which columns are called otherwise than in the file."""
        pairs = [
            (heading, name)
            for heading, name, told in zip(self.headings, self.mended, self.told, strict=True)
            if told is None and heading != name and heading
        ]
        if not pairs:
            return ()
        shown = ", ".join(f"'{shorten(heading)}' becomes {name!r}" for heading, name in pairs[:_SHOWN])
        more = f" and {len(pairs) - _SHOWN:,} more" if len(pairs) > _SHOWN else ""
        said = f"{count(len(pairs), 'column')} of names that no field can have: {shown}{more}"
        heading, name = pairs[0]
        is_one = self.headings.count(heading) == 1 and shorten(heading) == heading
        own = heading if is_one else name  # what people can type, and no other column has
        other = Argument("rename", "names it otherwise", {own: "NAME"})
        return (Message(said, other),)


def refuse_twice(names: Sequence[str]) -> None:
    """Raise if two columns have one name.

    Raises:
        ValueError: They have.
    """
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise ValueError(f"{', '.join(map(repr, twice))}: more than one column of that name")
