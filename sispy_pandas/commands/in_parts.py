"""The plan of a file that is larger than a bound: it is read and planned in parts, none of which is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.exits import Misuse
from sispy.remedies import Message, message_of
from sispy_pandas.commands.inputs import TableFile
from sispy_pandas.commands.planning import (
    has_hints,
    plan_of_rows,
    refuse_guessed,
    snapshot_by_id,
)
from sispy_pandas.commands.tables import refuse_unknown, table_of
from sispy_pandas.values.source import source_of, with_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import pandas as pd

    from sispy import Endpoint
    from sispy.cli.options import Session
    from sispy_pandas.commands.planning import Asked
    from sispy_pandas.commands.reading import Reading
    from sispy_pandas.formats.options import ReadOptions
    from sispy_pandas.values.schema import Schema
    from sispy_pandas.values.source import Source
    from sispy_pandas.values.types.base import Field
    from sispy_pandas.workflow.objects import Plan, Snapshot
    from sispy_pandas.workflow.parts import Plans
    from sispy_pandas.workflow.plan_parts import PlanParts

LARGE, PART_ROWS = 50_000, 10_000
"""Rows beyond which a file goes in parts, and those of a part, where nothing else is said."""

part_rows = click.option(
    "--part-rows",
    type=click.IntRange(min=1),
    metavar="N",
    help="A CSV, NDJSON or Parquet file of more rows goes in parts of N;"
    f" default: parts of {PART_ROWS:,} from {LARGE:,} rows on.",
)
"""Gives a command the size of a part; it receives it as `part_rows`."""


def planned(
    session: Session,
    asked: Asked,
    how: Reading,
    *,
    rows: int | None,
    told: Mapping[str, Any],
    yes: bool | None = None,
) -> Plan | Plans | PlanParts:
    """Return the plan that was asked for: of a large file part by part, unless something needs it whole.

    Args:
        session: Of the command.
        asked: What the command is to plan or push.
        how: The files are read.
        rows: Of a part; None: as usual.
        told: Options that need the whole file, as people type them; None: not given.
        yes: As for `Asked.plan`.

    Raises:
        Misuse: Parts were asked for, and the file is not read in parts; or as `Asked.plan`.
        ValueError: As there.
    """
    needs = [option for option, value in told.items() if value is not None]
    if session.output != "text":
        needs.append(f"--output {session.output}")
    found = None
    if rows is not None and len(asked.files) != 1:
        raise Misuse("--part-rows cuts one file, neither a saved plan nor several files.")
    if needs:
        refuse_parts(rows, needs[0])
    if not needs and len(asked.files) == 1:
        found = _in_parts(session, *asked.only_file, how, rows=rows, yes=yes)
    return asked.plan(session, how, yes=yes) if found is None else found


def refuse_parts(rows: int | None, option: str) -> None:
    """Raise Misuse if parts are asked for beside what needs the whole file; `rows`: of a part, or None."""
    if rows is not None:
        raise Misuse(f"--part-rows: {option} is for a file that is planned whole: leave one of them out.")


def _in_parts(
    session: Session, name: str, file: TableFile, how: Reading, *, rows: int | None, yes: bool | None
) -> PlanParts | None:
    """Return the plan of a large file, part by part; None: it is read whole."""
    from sispy_pandas.formats.base import NotCut
    from sispy_pandas.workflow.plan_parts import PlanParts

    try:
        most = rows or LARGE
        if not file.form.exceeds(file.file, most):
            return None
        endpoint, schema = table_of(session.client(), name)
        refuse_unknown(schema, [how.key] if how.key else ())
        options = file.heeding(replace(how.options, save_mapping=None))
        parts = _Parts(file, endpoint, schema, replace(how, options=options), most, rows or PART_ROWS, yes)
        learnt = parts.learnt()
    except NotCut as why:
        if rows is not None:
            said = Message(f"--part-rows: {file.file} is not read in parts: ", message_of(why))
            raise Misuse(said) from why
        return None
    if learnt is None:
        return None
    if how.options.save_mapping is not None:
        from sispy_pandas.formats.mapping import write_mapping

        write_mapping(how.options.save_mapping, learnt.how.options)
    return PlanParts(learnt.plans, progress=session.progress, what=learnt.what)


@dataclass(frozen=True)
class _Parts:
    """The parts of a file, and what the first one tells for all."""

    file: TableFile
    endpoint: Endpoint
    schema: Schema
    how: Reading
    most: int
    """Rows of a file that is read whole."""
    rows: int
    """Of a part."""
    yes: bool | None
    notes: tuple[str, ...] = ()
    """How the file is read, as the first part told."""
    stamp: tuple[int, int] | None = None
    """Size of the file and when it was written, as long as it is the same."""
    what: str = ""
    """See `PlanParts.what`."""

    def learnt(self) -> _Parts | None:
        """Return the parts, read as the untouched cells of the first one show; None: there are too few.

        Raises:
            NotCut: It takes a guess to read the file.
        """
        from sispy_pandas.formats.base import NotCut
        from sispy_pandas.formats.dialect import known_rows
        from sispy_pandas.formats.reader import learnt

        stamp, pieces = self._stamp(), self._pieces()
        first = next(pieces, None)
        if first is None or not any(piece.file.rows_above >= self.most for piece, _ in pieces):
            return None
        file, options = first
        del pieces
        frame = file.frame(self.schema, options)
        snapshot = self._snapshot(file, frame)
        known = known_rows(snapshot, self.how.key) if has_hints(frame, snapshot) else None
        told, notes, guesses = learnt(file.file, file.form, self.schema, options, known)
        if guesses:
            raise NotCut(guesses[0])
        given = self.how.options
        options = replace(told, header_row=given.header_row, footer_rows=given.footer_rows)
        how = replace(self.how, options=options)
        return replace(self, how=how, notes=notes, stamp=stamp, what=self._what())

    def plans(self) -> Iterator[Plan]:
        """Make the plans, one after the other.

        Raises:
            ValueError: A part cannot be read, a row stands in two of them, or the file is another one now.
        """
        from sispy_pandas.pushing.cut import Cut, cut_push
        from sispy_pandas.values.times import clock

        if not (done := cut_push(self.what)):
            return self._planned()
        cut = Cut.of(done, self.schema.name)
        return cut.left_of(
            self._planned(
                f"goes on with the push {cut.name}, cut off {clock(cut.at)}: what it wrote is left out"
            )
        )

    def _planned(self, *told: str) -> Iterator[Plan]:
        """Make the plans as the file says, the first one with a note of what else there is to tell."""
        seen = _Seen(str(self.file.file))
        for number, (file, options) in enumerate(self._pieces()):
            if self._stamp() != self.stamp:
                raise ValueError(f"{self.file.file} was written to meanwhile: begin again")
            frame = file.frame(self.schema, options)
            source = source_of(frame)
            if source is None:  # pragma: no cover - a file was read
                continue
            if self.yes is not None:
                refuse_guessed(source.guesses, yes=self.yes)
            seen.add(frame, source, self.schema.field(self.how.key) if self.how.key else None)
            notes = (*self.notes, *told) if number == 0 else ()
            fresh = dict.fromkeys((*notes, *source.notes))
            frame = with_source(frame, replace(source, exported=None, notes=tuple(fresh)))
            plan = plan_of_rows(self._snapshot(file, frame), frame, self.how)
            if self.how.key is None:  # else they were matched by it
                seen.add_new(plan, frame, source)
            yield self._noted(plan, frame)

    def _what(self) -> str:
        """Return a fingerprint of what goes where: the same file, read as it is told, to the same table."""
        table = self.endpoint.client.url, self.schema.name
        how = replace(self.how, options=replace(self.how.options, save_mapping=None))
        return hashlib.sha256(repr([*table, self.file.file.sha256(), how]).encode()).hexdigest()

    def _snapshot(self, file: TableFile, frame: pd.DataFrame) -> Snapshot:
        """Return the rows of a part, as it is to be compared with them."""
        from sispy_pandas.workflow.edited import snapshot_by_key

        if self.how.key is not None:
            return snapshot_by_key(self.endpoint, frame, self.how.key)
        return snapshot_by_id(self.endpoint, self.schema, file, frame, self.how, progress=False)

    def _noted(self, plan: Plan, frame: pd.DataFrame) -> Plan:
        """Return a plan with a note on keys that nearly match rows which are not in its part."""
        from sispy_pandas.planning.matching import near_misses
        from sispy_pandas.workflow.edited import values_in

        key = self.how.key
        if key is None or key not in frame.columns or plan.snapshot is None:
            return plan
        found = set(plan.snapshot.frame()[key])
        new = [v for v in values_in(self.schema.field(key), frame[key]) if v is not None and v not in found]
        notes = near_misses(new, self.keys) if new else []
        return replace(plan, notes=tuple(dict.fromkeys((*plan.notes, *notes))))

    @cached_property
    def keys(self) -> list[Any]:
        """The keys of all rows of the table."""
        from sispy_pandas.workflow.fetch import fetch

        key = str(self.how.key)
        return fetch(self.endpoint, fields=[key], progress=False).frame()[key].dropna().tolist()

    def _pieces(self) -> Iterator[tuple[TableFile, ReadOptions]]:
        form = self.file.form
        for piece, options in form.pieces(self.file.file, self.schema, self.how.options, self.rows):
            yield TableFile(piece, form), options

    def _stamp(self) -> tuple[int, int] | None:
        path = self.file.file.path
        if path is None or self.file.file.content is not None:
            return None
        found = path.stat()
        return found.st_size, found.st_mtime_ns


@dataclass
class _Seen:
    """Values that a file may hold only once, and the row of each: a few bytes for each."""

    name: str
    prints: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    """Column -> fingerprints of its values so far, in their order."""
    numbers: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    """The rows of these."""

    def add(self, frame: pd.DataFrame, source: Source, key: Field | None) -> None:
        """Add the rows of a part; `key`: the field by which they are known, if not by their `_id`.

        Raises:
            ValueError: One stands in an earlier part, too.
        """
        from sispy_pandas.values.types.object_id import OBJECT_ID
        from sispy_pandas.workflow.edited import values_in

        if key is not None:
            if key.path in frame.columns:
                self._once(key.path, values_in(key, frame[key.path]), source.rows)
        elif frame.index.name == "_id":
            apart = [p for p in source.problems if OBJECT_ID.fullmatch(str(p.value))]  # copies in this part
            ids = [*frame.index.tolist(), *(problem.value for problem in apart)]
            self._once("_id", ids, [*source.rows, *(problem.row for problem in apart)])

    def add_new(self, plan: Plan, frame: pd.DataFrame, source: Source) -> None:
        """Add what the rows of a part get that no other row may have.

        Raises:
            ValueError: A row of an earlier part gets it, too.
        """
        from sispy_pandas.planning.validate import new_value, unique_fields
        from sispy_pandas.values.changes import Create

        by_id = frame.index.name == "_id"
        for path in (one.path for one in unique_fields(plan.schema)):
            found = [(c, value) for c in plan.changes if (value := new_value(c, path)) is not None]
            if not found:
                continue
            rows = dict(zip(frame.index, source.rows, strict=True)) if by_id else {}
            numbers = [c.row if isinstance(c, Create) else rows.get(c.id, 0) for c, _ in found]
            self._once(path, [value for _, value in found], numbers)

    def _once(self, path: str, values: Sequence[Any], numbers: Sequence[Any]) -> None:
        """Add the values of some rows, and raise if one of them is there."""
        import numpy as np
        import pandas as pd

        from sispy_pandas.values.types.cells import is_missing

        there = np.array([not is_missing(value) for value in values], bool)
        texts = np.array([str(v) for v, is_there in zip(values, there, strict=True) if is_there], object)
        prints, rows = pd.util.hash_array(texts), np.array(numbers, np.int64)[there]
        known, before = self.prints.get(path), self.numbers.get(path)
        if known is not None and before is not None and len(known):
            places = np.minimum(np.searchsorted(known, prints), len(known) - 1)
            for at in np.flatnonzero(known[places] == prints)[:1]:
                both = f"rows {before[places[at]]:,} and {rows[at]:,}"
                raise ValueError(
                    f"{self.name}: the {path} {texts[at]} stands in {both}: clear or change it in one of them"
                )
            prints, rows = np.append(known, prints), np.append(before, rows)
        order = np.argsort(prints, kind="stable")
        self.prints[path], self.numbers[path] = prints[order], rows[order]
