"""Which row of a frame is which entity: by `_id`, by a unique field, or none at all."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sispy.remedies import Argument, Call, Message, message_of

from ..values.blocks import count
from ..values.changes import Problem
from ..values.schema import RECEIPT, Schema
from ..values.source import row_numbers
from ..values.types.cells import is_missing
from ..values.types.convert import cast
from ..values.types.object_id import OBJECT_ID

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

_NAMED = 5
"""Keys without a match that are named."""
_HYPHENS = re.compile("[\N{HYPHEN}\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}]")
"""What programs make of a hyphen; NFKC makes the first of the one that does not break."""
_NO_ID = Message(
    "the frame has no _id, so its rows cannot be recognised: merge, concat and reset_index lose it",
    Call("frame.set_index('_id')", "brings the column back"),
    Call("left.reset_index().merge(right, ...).set_index('_id')", "keeps it"),
    Call("pd.concat([frame.reset_index(), new])", "keeps it beside new rows"),
    Argument("key", "names a unique field instead"),
    Argument("new", "makes every row a new one", True),
)


@dataclass(frozen=True)
class Matched:
    """The rows of a frame, told apart."""

    at: np.ndarray[Any, Any]
    """Positions in the frame of rows that the snapshot knows."""
    base: np.ndarray[Any, Any]
    """Their positions in the snapshot, one each."""
    new: tuple[int, ...] = ()
    """Positions in the frame of new rows."""
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[tuple[int, str], ...] = ()
    """Position and `_id` of rows that the snapshot does not have."""
    labels: tuple[Hashable, ...] = field(default=(), repr=False)
    """What names a new row, by position."""
    left: Mapping[Hashable, tuple[int, ...]] = field(default_factory=dict, repr=False)
    """Row of a problem, or `_id` that the snapshot does not have -> its positions in the frame."""


def match_by_id(ids: pd.Index[Any], frame: pd.DataFrame, *, schema: Schema) -> Matched:
    """Match the rows of a frame by `_id`, the name of its index or of a column.

    Raises:
        ValueError: The frame has no `_id`, or has those of another table; or the snapshot holds a row twice.
    """
    if not ids.is_unique:
        doubled = ids[ids.duplicated()][0]
        raise ValueError(
            f"the snapshot of {schema.name!r} holds the row {doubled} more than once: fetch it again"
        )
    given = _ids_of(frame)
    labels = row_numbers(frame) or tuple(range(len(frame)))
    if _same_values(given, ids):
        everything = np.arange(len(ids))
        return Matched(everything, everything, labels=labels)
    cells = [_text(cell) for cell in given.tolist()]
    problems: list[Problem] = []
    receipts = frame[RECEIPT.path].isna().tolist() if RECEIPT.path in frame.columns else None
    new: list[int] = []
    seen: dict[str, int] = {}
    twice: dict[str, list[int]] = {}
    left: dict[Hashable, tuple[int, ...]] = {}
    for position, cell in enumerate(cells):
        if cell is None:
            if receipts and not receipts[position]:
                reason = (
                    "its _id is blank although it was exported: put the _id back, or clear _updated_at too"
                )
                problems.append(Problem(labels[position], reason, "_id"))
                left[labels[position]] = (position,)
            else:
                new.append(position)
        elif not OBJECT_ID.fullmatch(cell):
            problems.append(
                Problem(
                    labels[position],
                    "this is not an _id (24 hex digits): copy it from the export again",
                    "_id",
                    cell,
                )
            )
            left[labels[position]] = (position,)
        elif cell in seen:
            twice.setdefault(cell, [seen[cell]]).append(position)
        else:
            seen[cell] = position
    for cell in sorted(twice):
        del seen[cell]
        left[cell] = tuple(twice[cell])
        problems.append(Problem(cell, "more than one row has this _id", "_id", cell))
    base = ids.get_indexer(pd.Index(list(seen), dtype=ids.dtype))
    at = np.fromiter(seen.values(), dtype=np.intp, count=len(seen))
    unknown = tuple(
        (position, cell) for (cell, position), there in zip(seen.items(), base, strict=True) if there < 0
    )
    if len(unknown) > 2 and 2 * len(unknown) > len(seen):
        raise ValueError(
            f"{len(unknown)} of {len(seen)} values in _id are not rows of this snapshot of {schema.name!r} "
            f"({', '.join(cell for _, cell in unknown[:3])}, ...): are they the ids of another table?"
        )
    left |= {cell: (position,) for position, cell in unknown}
    return Matched(
        at[base >= 0],
        base[base >= 0],
        tuple(new),
        tuple(problems),
        unknown=unknown,
        labels=labels,
        left=left,
    )


def match_by_key(keys: list[Any], frame: pd.DataFrame, *, schema: Schema, key: str, create: bool) -> Matched:
    """Match the rows of a frame by a unique field.

    Args:
        keys: The snapshot's values of that field, in the JSON form.
        frame: Has the field as a column, or as the name of its index.
        schema: Of the table.
        key: The field.
        create: Rows that the snapshot does not have are new ones; else they are named in the notes.

    Raises:
        ValueError: The field is not unique, or the frame lacks it.
    """
    column = schema.field(key)
    if not (column.unique or key == schema.id_field):
        unique = [f.path for f in schema.fields if f.unique]
        raise ValueError(
            f"{key!r} is not unique in schema {schema.name!r}, so it tells no rows apart; these are: "
            f"{', '.join(unique) or 'none'}"
        )
    if key in frame.columns:
        cells = frame[key].tolist()
    elif frame.index.name == key:
        cells = frame.index.tolist()
    else:
        raise ValueError(f"there is no column {key!r} to match by, only {list(map(str, frame.columns))}")
    labels = labels_of(frame)
    known: dict[Any, int] = {}
    doubled: set[Any] = set()
    for position, value in enumerate(keys):
        if value is not None and value in known:
            doubled.add(value)
        known[value] = position
    problems: list[Problem] = []
    seen: dict[Any, int] = {}
    twice: dict[Any, list[int]] = {}
    for position, cell in enumerate(cells):
        try:
            value = cast(column, cell)
        except ValueError as error:
            problems.append(Problem(labels[position], message_of(error), key, str(cell)))
            continue
        if value is None:
            problems.append(Problem(labels[position], "the key is blank", key))
        elif value in doubled:
            problems.append(
                Problem(labels[position], "more than one stored row has this key", key, value, value)
            )
        elif value in seen:
            twice.setdefault(value, [seen[value]]).append(position)
        else:
            seen[value] = position
    for value in twice:
        position = seen.pop(value)
        problems.append(Problem(labels[position], "more than one row has this key", key, value, value))
    left: dict[Hashable, tuple[int, ...]] = {labels[at[0]]: tuple(at) for at in twice.values()}
    there = [(position, known[value]) for value, position in seen.items() if value in known]
    missing = [(value, position) for value, position in seen.items() if value not in known]
    notes: tuple[str, ...] = ()
    if missing and not create:
        more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
        names = ", ".join(str(value) for value, _ in missing[:_NAMED]) + more
        making = Argument("create_missing", "makes them", True)
        told = f"no match for {count(len(missing), 'row')}, left out: {names}"
        notes = (Message(told, making), *near_misses([value for value, _ in missing], known))
    return Matched(
        np.array([position for position, _ in there], dtype=np.intp),
        np.array([base for _, base in there], dtype=np.intp),
        tuple(position for _, position in missing) if create else (),
        tuple(problems),
        notes,
        labels=labels,
        left={label: (position,) for position, label in enumerate(labels)} | left,
    )


def near_misses(new: Iterable[Any], known: Iterable[Any]) -> list[str]:
    """Return a note if new keys differ from known ones only in what people hardly see.

    That is case, blanks, characters without width, whether one is of full width, and which hyphen it is.
    """
    seen = {folded(name): name for name in known if isinstance(name, str)}
    found = [(name, seen[folded(name)]) for name in new if isinstance(name, str) and folded(name) in seen]
    if not found:
        return []
    pairs = ", ".join(f"{name!r} and {other!r}" for name, other in found[:_NAMED])
    more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    are = "is" if len(found) == 1 else "are"
    return [f"{count(len(found), 'new row')} {are} nearly the same as existing ones: {pairs}{more}"]


def folded(name: str) -> str:
    """Return a text without what people hardly see: case, blanks, width, kinds of hyphens, unseen signs."""
    alike = _HYPHENS.sub("-", unicodedata.normalize("NFKC", name))
    return "".join(c for c in alike if not c.isspace() and unicodedata.category(c) != "Cf").casefold()


def all_new(frame: pd.DataFrame) -> Matched:
    """Take every row for a new one."""
    nothing = np.array([], dtype=np.intp)
    return Matched(nothing, nothing, tuple(range(len(frame))), labels=labels_of(frame))


def labels_of(frame: pd.DataFrame) -> tuple[Hashable, ...]:
    """Return what names each row of a frame without ids: number in the file, else label, else position."""
    numbers = row_numbers(frame)
    if numbers is not None:
        return numbers
    labels = frame.index.tolist()
    if all(isinstance(label, int | str) for label in labels) and frame.index.is_unique:
        return tuple(labels)
    return tuple(range(len(frame)))


def ids_in(frame: pd.DataFrame) -> dict[int, str]:
    """Return the well-formed ids of a frame by position, each once; none for a frame without `_id`."""
    if frame.index.name != "_id" and "_id" not in frame.columns:
        return {}
    found: dict[str, int] = {}
    for position, cell in enumerate(_ids_of(frame).tolist()):
        text = cell if type(cell) is str and OBJECT_ID.fullmatch(cell) else _text(cell)
        if text is not None and (text is cell or OBJECT_ID.fullmatch(text)):
            found.setdefault(text, position)
    return {position: id_ for id_, position in found.items()}


def _ids_of(frame: pd.DataFrame) -> pd.Index[Any]:
    in_index, in_columns = frame.index.name == "_id", "_id" in frame.columns
    if in_index and in_columns and not pd.Index(frame["_id"]).equals(frame.index):
        raise ValueError("the frame has _id both as index and as a column, and they differ: drop one of them")
    if in_index or in_columns:
        ids: pd.Index[Any] = frame.index if in_index else pd.Index(frame["_id"])
        return ids
    if "_id" in frame.index.names:
        raise ValueError(
            "_id is one of several levels of the index: `frame.reset_index().set_index('_id')` makes it the "
            "only one; members of arrays (sp.explode) go back into their rows by sp.implode"
        )
    raise ValueError(_NO_ID)


def _same_values(given: pd.Index[Any], ids: pd.Index[Any]) -> bool:
    return len(given) == len(ids) and given.dtype == ids.dtype and bool(given.equals(ids))


def _text(cell: Any) -> str | None:
    if is_missing(cell) or (isinstance(cell, str) and not cell.strip()):
        return None
    return cell.strip().lower() if isinstance(cell, str) else str(cell)
