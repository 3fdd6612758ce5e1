"""The journals of pushes made from here, and the short names that they go by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from sispy.cli.completion import of_list, offered
from sispy.cli.exits import Misuse
from sispy.cli.options import Session
from sispy.encoding import one_address
from sispy_pandas.pushing import journal
from sispy_pandas.values.blocks import count
from sispy_pandas.values.blocks import show as shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import click

    from sispy_pandas.pushing.record import Record


def named(name: str) -> Path:
    """Return the journal of that path or short name.

    Args:
        name: A path, or what `journal.short` says of one.

    Raises:
        Misuse: There is none.
    """
    if Path(name).is_file():
        return Path(name)
    for path in sorted(journal.folder().glob("*.jsonl"), reverse=True):
        if name in (journal.short(path), path.name):
            return path
    raise Misuse(f"{name!r} is not a journal: give a file or a name that `sispy pushes` lists.")


def _kept() -> tuple[list[Record], dict[Path, str]]:
    """Return the journals in the folder without their rows, and a sentence for each other file there."""
    from sispy_pandas.pushing.pushes import kept

    unreadable: dict[Path, str] = {}
    return [record.brief() for record in kept(unreadable)], unreadable


def latest_open(session: Session) -> Path:
    """Return the latest push that did not come to its end, was not taken back, and that nobody finishes now.

    Raises:
        Misuse: There is none.
    """
    from sispy_pandas.pushing.parts import is_cut, is_undone

    known, unreadable = _kept()
    records = [one for one in known if one.open and not journal.in_use(one.path) and not is_undone(one.path)]
    record = next(iter(_own(session, records)), None)
    if record is None:
        cuts = (one for one in _own(session, known) if is_cut(one.path) and not is_undone(one.path))
        if (cut := next(cuts, None)) is not None:
            name = journal.short(cut.path)
            raise Misuse(f"{name} was cut off between two parts: the same command again does the rest.")
        raise _none(session, "unfinished", records, unreadable)
    session.say(f"resuming {described(record)}")
    return record.path


def latest_written(session: Session) -> Path:
    """Return the push that wrote last, to the session's server.

    Raises:
        Misuse: There is none.
    """
    return _latest_written(session, *_kept()).path


def _latest_written(session: Session, records: Sequence[Record], unreadable: Mapping[Path, str]) -> Record:
    records = [record for record in records if record.wrote]
    record = max(_own(session, records), key=lambda r: r.last, default=None)
    if record is None:
        raise _none(session, "written", records, unreadable)
    return record


def _of(session: Session, records: Sequence[Record]) -> list[Record]:
    """Return the pushes to the session's server; all of them where it has none."""
    here = session.address
    return [record for record in records if here in ("", one_address(record.head["server"]))]


def _own(session: Session, records: Sequence[Record]) -> list[Record]:
    """Return one's own pushes to the session's server: in a team's folder there are others' as well."""
    me = session.user
    return [
        record
        for record in _of(session, records)
        if (me == record.begin["user"] if me and record.begin.get("user") else journal.is_mine(record.path))
    ]


def _none(session: Session, kind: str, records: Sequence[Record], unreadable: Mapping[Path, str]) -> Misuse:
    """Return what to say where there is no push of that kind; `records`: of others, or to other servers."""
    there = ""
    if others := _of(session, records):
        there = f" of yours, but {described(others[0])} by {shown(others[0].begin.get('user'))}"
    elif records:
        there = f" to this server, but {described(records[0])} to {records[0].head['server']}"
    said = f"there is no {kind} push{there}; `sispy pushes` lists those there are."
    return Misuse("\n".join([said, *unreadable.values()]))


def to_be_undone(session: Session, *, yes: bool) -> Path:
    """Return the push that wrote last to the session's server, and say which one that is.

    Args:
        session: How much to say.
        yes: Nobody will be asked whether it is the right one: it must be the last thing that was tried.

    Raises:
        Misuse: There is no such push, or something else was tried later.
    """
    from sispy_pandas.pushing.recall import last_attempt
    from sispy_pandas.values.times import clock

    records, unreadable = _kept()
    record = _latest_written(session, records, unreadable)
    in_vain = [record for record in _own(session, records) if not record.wrote]
    tried = [(r.begin["at"], f"the push {journal.short(r.path)}") for r in in_vain]
    tried += [(int(path.stat().st_mtime * 1000), f"what {path} cannot tell") for path in unreadable]
    when, what = max([*tried, last_attempt(session.address)])
    if yes and when > record.last:
        raise Misuse(
            f"the push that wrote last is {described(record)}, but {what} was tried since, {clock(when)}: "
            f"if the former is meant, `sispy undo {journal.short(record.path)} --yes`."
        )
    session.say(f"undoing {described(record)}")
    return record.path


def described(record: Record) -> str:
    """Return a push in words: when, tables, rows, note."""
    from sispy_pandas.pushing.parts import parts_of
    from sispy_pandas.pushing.record import read
    from sispy_pandas.values.times import clock

    rows = sent = 0
    undoes: dict[str, None] = {}
    tables: dict[str, None] = {}
    for part in map(read, parts_of(record.path)):  # one after the other: each may be large
        rows += sum(bool(entry.written) for entry in part.entries.values())
        sent += sum(entry.word is None or entry.ambiguous for entry in part.entries.values())
        undoes |= dict.fromkeys(journal.short(Path(path)) for path in part.head.get("undoes", ()))
        tables[str(part.head["schema"])] = None
    note = record.begin.get("note")
    told = [
        f"{journal.short(record.path)} ({clock(record.begin['at'])}, {', '.join(tables)}",
        f"{count(rows, 'row')} written",
        *([f"{sent:,} sent without an answer"] if sent else []),
        *([f"the undo of {', '.join(undoes)}"] if undoes else []),
        *([shown(note)] if note else []),
    ]
    return ", ".join(told) + ")"


def users(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return who has pushed."""
    from sispy_pandas.pushing.pushes import pushes

    return offered(set(pushes()["user"].dropna()), incomplete)


def written_fields(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the fields that a push wrote: the one that is named, or the latest; the last of a list."""
    from sispy_pandas.pushing.parts import parts_of
    from sispy_pandas.pushing.record import read

    session = Session(ctx.params.get("profile"), ctx.params.get("url"), quiet=True)
    try:
        name = next(filter(None, [ctx.params.get("name"), *ctx.args]), None)
        journals = parts_of(latest_written(session) if name is None else named(name))
        entries = [entry for path in journals for entry in read(path).entries.values()]
    except (Misuse, OSError, ValueError):
        return []
    return of_list({path for entry in entries for path in entry.written}, incomplete)


def completed(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str] | list[CompletionItem]:
    """Return the short names that match, for the shell to complete, else let it complete a file."""
    from sispy_pandas.pushing.pushes import pushes

    names = offered(map(journal.short, map(Path, pushes()["journal"])), incomplete)
    return names or [CompletionItem(incomplete, type="file")]
