"""`sispy diff`: two exports, or an export and today, cell by cell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sispy.cli.completion import fields as field_names
from sispy.cli.completion import tables_or_files
from sispy.cli.exits import Exit
from sispy.cli.options import Session, answers, examples, session
from sispy_pandas.commands.exports import Difference, compare, texts_of
from sispy_pandas.commands.inputs import INPUT, TableFile, format_option
from sispy_pandas.commands.output import Answer, tell
from sispy_pandas.commands.reading import understood
from sispy_pandas.commands.tables import table_of
from sispy_pandas.values.blocks import Column, Lines, Table, count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sispy_pandas.formats.options import ReadOptions
    from sispy_pandas.formats.reader import Texts
    from sispy_pandas.values.schema import Schema


@click.command(
    epilog=examples(
        "sispy diff yesterday.csv today.csv",
        "sispy diff host yesterday.csv",
        "sispy diff old.xlsx new.csv --key hostname --output html > changes.html",
    )
)
@click.argument("old", metavar="OLD|SCHEMA", shell_complete=tables_or_files)
@click.argument("new", metavar="NEW|OLD", type=INPUT)
@format_option
@click.option(
    "--key",
    default="_id",
    metavar="FIELD",
    shell_complete=field_names,
    help="Recognise rows by this column.",
)
@understood
@answers("json", "csv", "md", "html")
@session
def diff(session: Session, options: ReadOptions, old: str, new: Path, form: str | None, key: str) -> Exit:
    """Compare two exports, or the export OLD with what table SCHEMA holds today.

    Prints added (+), removed (-) and changed (~) cells; columns that one side lacks are left out, a new
    _updated_at alone is no difference. Ends with 0 if there is none, with 2 if there are some.
    """
    second = TableFile.of(new, form)
    if Path(old).exists() and not Path(old).is_dir():
        first = TableFile.of(old)
        before, after = _of_both(first, second, options, key)
        names = [one.form.note(one.file).get("labels") for one in (first, second)]
        if names[0] is None or names[1] is None:  # a file with names of references, and one with ids
            before, after = _named(before, names[1] or {}), _named(after, names[0] or {})
    else:
        before, after = _against_today(session, old, second, options, key)
    for note in dict.fromkeys(before.notes + after.notes):
        session.say(note)
    found = compare(before, after, key=key)
    only = sorted({*before.columns} ^ {*after.columns})
    if only:
        session.say(f"left out, as one side lacks them: {', '.join(only)}")
    if found or session.output in ("json", "html"):
        tell(session, _answer(found, only, headed=session.output != "text"))
    if session.output in ("text", "csv"):  # else it is in the answer
        session.say(_count(found))
    return Exit.CHANGES if found else Exit.DONE


def _of_both(old: TableFile, new: TableFile, options: ReadOptions, key: str) -> tuple[Texts, Texts]:
    """Return the texts of two files; where one does not tell what its columns are, the other may."""
    from sispy_pandas.formats.note import schema_in

    schemas = [schema_in(one.form.note(one.file)) for one in (old, new)]
    first, second = schemas
    first, second = first or second, second or first
    for_old, for_new = (
        options.without(set(one.form.unheeded(options)) & other.form.heeds)  # it is meant for the other one
        for one, other in ((old, new), (new, old))
    )
    before = old.texts(first, for_old)
    if second is None or not _has(before, second, key):
        return before, new.texts(second, for_new)
    after = new.texts(second, for_new, before.known(second, key))
    if first is not None and not after.notes and _has(after, first, key):
        before = old.texts(first, for_old, after.known(first, key))
    return before, after


def _against_today(
    session: Session, name: str, old: TableFile, options: ReadOptions, key: str
) -> tuple[Texts, Texts]:
    from sispy_pandas.workflow.fetch import fetch

    endpoint, schema = table_of(session.client(), name)
    labels = old.form.note(old.file).get("labels")  # of an export with --refs label
    today = fetch(endpoint, refs="id" if labels is None else "label", progress=session.progress)
    after = texts_of(today, schema)
    return old.texts(schema, options, after.known(schema, key) if _has(after, schema, key) else None), after


def _named(texts: Texts, labels: Mapping[str, Mapping[str, str]]) -> Texts:
    """Return a table with names of rows in place of their ids, as far as they are known.

    Args:
        texts: The table.
        labels: Column -> name -> id.
    """
    from sispy_pandas.values.types.cell_text import escape, unescape
    from sispy_pandas.values.types.cells import json_text

    names = {column: {id_: name for name, id_ in ids.items()} for column, ids in labels.items()}
    own = [names.get(column) for column in texts.columns]

    def named(text: str, known: Mapping[str, str] | None) -> str:
        if not known or not text:
            return text
        if text[0] != "[":
            name = known.get(unescape(text))
            return text if name is None else escape(name)
        try:
            return json_text([known.get(str(member), member) for member in json.loads(text)])
        except ValueError:
            return text

    rows = tuple(tuple(map(named, row, own)) for row in texts.rows) if any(own) else texts.rows
    return replace(texts, rows=rows)


def _has(texts: Texts, schema: Schema, key: str) -> bool:
    return key in texts.columns and key in ("_id", *schema.columns)


def _count(found: Sequence[Difference]) -> str:
    rows = {action: len({d.key for d in found if d.action == action}) for action in "+-~"}
    cells = sum(d.action == "~" for d in found)
    if not found:
        return "no difference"
    words = f"{count(rows['+'], 'row')} added, {rows['-']:,} removed, {rows['~']:,} changed"
    return f"{words} ({count(cells, 'cell')})"


def _answer(found: Sequence[Difference], left_out: Sequence[str], *, headed: bool) -> Answer:
    from sispy_pandas.values.types.cell_text import unescape

    columns = (
        Column("", "action"),
        *(Column(name, name) for name in ("key", "field")),
        *(Column(name, name, "value") for name in ("before", "after")),
    )
    rows = [(d.action, d.key, d.field, unescape(d.before), unescape(d.after)) for d in found]
    cells = Table(columns, rows, noun="cell", name="cells")
    head = [Lines((_count(found),))] if headed else []
    return Answer("diff", cells, {"left_out": list(left_out)}, blocks=lambda: [*head, cells], limit=None)
