"""The plan of an edited file of a table, or a saved one: what `sispy plan` shows and `sispy push` sends."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sispy.cli.completion import tables_or_files
from sispy.cli.exits import Misuse
from sispy.cli.terminal import is_terminal
from sispy.remedies import Call, Message
from sispy_pandas.commands.inputs import INPUT, STANDARD, TableFile
from sispy_pandas.commands.sending import with_references
from sispy_pandas.commands.tables import refuse_unknown, table_of
from sispy_pandas.values.source import source_of

if TYPE_CHECKING:
    import pandas as pd

    from sispy import Endpoint
    from sispy.cli.options import Session
    from sispy_pandas.commands.reading import Reading
    from sispy_pandas.formats.options import ReadOptions
    from sispy_pandas.values.schema import Schema
    from sispy_pandas.workflow.objects import Plan, Snapshot
    from sispy_pandas.workflow.parts import Plans


def plan_of_file(
    session: Session, name: str, file: TableFile, how: Reading, *, yes: bool | None = None
) -> Plan:
    """Return the plan of pushing a file to a table. Nothing is written.

    Args:
        session: Of the command.
        name: Of the table.
        file: With the rows.
        how: The file is read.
        yes: Nobody will be asked before the plan is pushed; None: it will not be pushed.

    Raises:
        Misuse: The file was read by a guess, and nobody will be asked.
        ValueError: The rows of the file cannot be identified, or read.
    """
    snapshot, frame = edited_file(session, name, file, how, yes=yes)
    return plan_of_rows(snapshot, frame, how)


def plan_of_rows(snapshot: Snapshot, frame: pd.DataFrame, how: Reading) -> Plan:
    """Return the plan of an edited file that was read."""
    return snapshot.diff(
        frame, key=how.key, create_missing=how.create_missing, blank=how.blank, owner=how.owner
    )


def edited_file(
    session: Session, name: str, file: TableFile, how: Reading, *, yes: bool | None = None
) -> tuple[Snapshot, pd.DataFrame]:
    """Return the rows that a file is to be compared with, and its own; see `plan_of_file`."""
    from sispy_pandas.workflow.fetch import fetch
    from sispy_pandas.workflow.references import labelled

    client = session.client()
    endpoint, schema = table_of(client, name)
    refuse_unknown(schema, [how.key] if how.key else ())
    frame, is_read = first_reading(file, schema, how.options)
    if how.key is not None:
        snapshot = fetch(endpoint, progress=session.progress)
    else:
        snapshot = snapshot_by_id(endpoint, schema, file, frame, how, progress=session.progress)
    frame = second_reading(file, how.options, frame, snapshot, how.key, is_read=is_read)
    if yes is not None:
        refuse_guesses(frame, yes=yes)
    source = source_of(frame)
    if how.key is not None and source is not None and source.labels is not None:
        snapshot = labelled(snapshot, known=source.labels)
    return snapshot, frame


def snapshot_by_id(
    endpoint: Endpoint, schema: Schema, file: TableFile, frame: pd.DataFrame, how: Reading, *, progress: Any
) -> Snapshot:
    """Return the rows of a file, found by their `_id`, in the state that it shows.

    Raises:
        ValueError: It has no ids.
    """
    from sispy_pandas.workflow.edited import snapshot_of

    if "_id" not in (frame.index.name, *frame.columns):
        raise ValueError(_unknown_rows(file, schema))
    return snapshot_of(endpoint, frame, base=how.base, progress=progress)


def _unknown_rows(file: TableFile, schema: Schema) -> Message:
    """Return in words what to do with a file that does not identify its rows."""
    said = f"{file.file} has no column _id, so its rows cannot be recognised"
    if any(field.unique for field in schema.fields):
        such = f" such as {schema.key}" if schema.key else ""
        return Message(f"{said}: give --key FIELD to match them by a unique field{such}")
    said += f", and {schema.name} has no unique field"
    words = ("import", str(file.file), "--schema", schema.name)
    return Message(said, Call("snapshot.diff(frame, new='missing')", "compares whole rows", words))


def first_reading(file: TableFile, schema: Schema, options: ReadOptions) -> tuple[pd.DataFrame, bool]:
    """Return the frame of a file, and whether its encoding is known: else only ids of rows can be read."""
    from sispy_pandas.formats.encodings import AS_BYTES, EncodingUnknown

    try:
        return file.frame(schema, options), True
    except EncodingUnknown:
        return file.frame(schema, replace(options, encoding=AS_BYTES)), False


def second_reading(
    file: TableFile,
    options: ReadOptions,
    frame: pd.DataFrame,
    snapshot: Snapshot,
    key: str | None,
    *,
    is_read: bool,
) -> pd.DataFrame:
    """Return the frame of a file, read as the cells that nobody touched show that it is written.

    Args:
        file: The file.
        options: How it is to be understood.
        frame: As `first_reading` returned it.
        snapshot: What is known of its rows.
        key: The field by which they are known; None: their `_id`.
        is_read: Whether the encoding is known, as `first_reading` returned it.
    """
    from sispy_pandas.formats.dialect import known_rows

    if is_read and not has_hints(frame, snapshot):
        return frame
    return file.frame(snapshot.schema, options, known_rows(snapshot, key))


def has_hints(frame: pd.DataFrame, snapshot: Snapshot) -> bool:
    """Return whether the cells that nobody touched may show that a file is to be read in another way.

    They may if its encoding is a guess, if a cell was refused, or if a number or a time differs from before.
    """
    import pandas as pd

    from sispy_pandas.planning.compare import candidates
    from sispy_pandas.values.types.cells import Refused

    source = source_of(frame)
    if source is not None and source.guesses:
        return True
    base = snapshot.frame(meta=True)
    at = base.index.get_indexer(frame.index) if frame.index.name == base.index.name else None
    for path in frame.columns.intersection(base.columns):
        cells = frame[path]
        if not snapshot.schema.field(path).kind.told_by or pd.api.types.is_bool_dtype(cells.dtype):
            continue
        if cells.dtype == object:
            if any(isinstance(cell, Refused) for cell in cells):
                return True
        elif at is None or len(candidates(base[path].iloc[at[at >= 0]], cells.iloc[at >= 0])):
            return True
    return False


what = click.argument(
    "names", nargs=-1, required=True, metavar="SCHEMA FILE|FILE...|PLAN", shell_complete=tables_or_files
)
"""Gives a command what is to be planned or pushed; it receives it as `names`, for `Asked.of`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command is to plan or push.

    Attributes:
        names: As they were typed.
        files: Each with the table that was named for it; None: the file tells. None at all: a saved plan.
    """

    names: tuple[str, ...]
    files: tuple[tuple[str | None, TableFile], ...]

    @classmethod
    def of(cls, names: tuple[str, ...], form: str | None) -> Asked:
        """Return what was typed: a table and its file, several files, or a saved plan.

        Raises:
            Misuse: It is none of these.
        """
        if len(names) == 2 and not _names_a_file(names[0]):
            return cls(names, ((names[0], TableFile.of(_there(names[1]), form)),))
        if len(names) == 1 and not (form or _names_a_file(names[0])):
            return cls(names, ())
        if len(names) == 1 and _is_plan(names[0]):
            return cls(names, ())
        files = []
        for text in names:
            table, _, path = ("", "", text) if Path(text).exists() else text.rpartition("=")
            files.append((table or None, TableFile.of(_there(path), form)))
        return cls(names, tuple(files))

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that the command reads."""
        return tuple(file.file.path for _, file in self.files if file.file.path) or (Path(self.names[0]),)

    def workbook(self, option: str) -> TableFile:
        """Return the workbook that an option speaks of.

        Raises:
            Misuse: The file is no workbook, or there are several files.
        """
        from sispy_pandas.formats.excel import Excel

        if not self.files:
            raise Misuse(f"{option} copies the workbook FILE; a saved plan knows none.")
        if len(self.files) > 1 or not isinstance(self.files[0][1].form, Excel):
            raise Misuse(
                f"{option} copies a workbook, and {', '.join(self.names[-len(self.files) :])} is none."
            )
        return self.files[0][1]

    @property
    def only_file(self) -> tuple[str, TableFile]:
        """The only file, and its table.

        Raises:
            Misuse: It does not tell which that is.
        """
        ((named, file),) = self.files
        return named or _tables(file)[0], file

    def plan(self, session: Session, how: Reading, *, yes: bool | None = None) -> Plan | Plans:
        """Return the plan of it; of several tables the plans, in the order of their references.

        Args:
            session: Of the command.
            how: The files are read.
            yes: As for `plan_of_file`.

        Raises:
            Misuse: It cannot be told which tables are meant.
            ValueError: Rows of a file cannot be identified, or read.
        """
        from sispy_pandas.workflow.parts import Plans

        if not self.files:
            return _saved(session, self.names[0])
        found = [
            plan_of_file(session, table, file, how, yes=yes)
            for named, file in self.files
            for table in ([named] if named else _tables(file))
        ]
        if len(found) == 1:
            return found[0]
        first, *others = Plans.of(*found).plans or found
        if first.empty:
            return Plans(tuple(found))
        # a plan without changes is none of the parts, which tell their own
        rest = [Message(f"{one.schema.name}: ", note) for one in found if one.empty for note in one.notes]
        return Plans((replace(first, notes=(*first.notes, *rest)), *others))


def _names_a_file(text: str) -> bool:
    from sispy_pandas.formats.registry import find_format

    return text == STANDARD or "=" in text or find_format(text) is not None


def _there(text: str) -> Path:
    """Return the path of a file that can be read."""
    return Path(str(INPUT.convert(text, None, click.get_current_context())))


def _is_plan(text: str) -> bool:
    path = Path(text)
    if not path.is_file():
        return not path.exists() and "=" not in text
    with path.open("rb") as file:
        return file.read(16).startswith(b'{"sispy_plan')


def _tables(file: TableFile) -> list[str]:
    """Return the tables of a file, as it says itself."""
    found = file.form.tables(file.file)
    if not found:
        verb = click.get_current_context().info_name
        name = str(file.file)
        raise Misuse(f"{name!r} is not a plan; to {verb} a file: sispy {verb} SCHEMA {name}")
    return found


def _saved(session: Session, path: str) -> Plan | Plans:
    """Return the plan of a file that `sispy plan -o` wrote."""
    from sispy_pandas.workflow.saved import load_plan

    verb = click.get_current_context().info_name
    if not Path(path).exists() or Path(path).is_dir():
        raise Misuse(f"there is no plan file {path!r}; to {verb} a file: sispy {verb} SCHEMA FILE")
    return with_references(load_plan(path, session.client_if_named()))


def refuse_guesses(frame: pd.DataFrame, *, yes: bool) -> None:
    """Refuse to write what was read by a guess that nobody can have seen.

    Args:
        frame: As it was read from a file.
        yes: Nobody is asked.

    Raises:
        Misuse: There are guesses, and nobody is asked; the message names the options that say what they say.
    """
    source = source_of(frame)
    refuse_guessed(() if source is None else source.guesses, yes=yes)


def refuse_guessed(guesses: tuple[str, ...], *, yes: bool) -> None:
    """Refuse guesses that nobody can have seen; see `refuse_guesses`."""
    if guesses and (yes or not is_terminal(sys.stdin)):
        raise Misuse(guesses[0])
