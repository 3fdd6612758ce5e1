"""Work on a SIS CMDB as DataFrames: fetch, edit anywhere, see the plan, push it.

What a user holds, and the verbs that lead from one to the next::

    Endpoint --fetch--> Snapshot --frame()--> DataFrame .. edited anywhere .. DataFrame
                           '-------------------diff(frame)------> Plan --push()--> Report
    a file from another day: snapshot_of(endpoint, frame).diff(frame)  '<--rebase(report, keep=)
    several tables at once:  Plans.of(Plan, Plan) --push()--> Reports, with one note and one way back
    more than memory holds:  iter_snapshots --diff(frame)--> Plan, Plan, .. --push_parts()--> PartsReport

The house: a folder is a stage of this way, and imports only what lies below it, in functions and for type
checkers, too (`tests/test_imports.py` has the floors):

    8  widgets    browser, editor, review; *.js          commands   what `sispy` does, a module per command
    7  revisions  what was, and how to have it back: history, revert, undo, dangling references, schemas
    6  workflow   what a user holds: Snapshot, Plan, Report (`objects`), fetch, references, files in and out
    5  pushing    from changes to outcomes: run, guards, creates, deletes, journal, verify -> PushResult
    4  planning   from a frame to changes: matching, comparing, validating, merging        -> ChangeSet
    3  reading    from a query to columns, and the commits of rows       formats    tables as files
    2  values     what a value is: types, schema, columns, records, blocks for people      -> RowSet
    1  sispy      the client

Data are frozen and lie below; engines are functions that take and return them. Only `workflow` and what is
above it makes a Snapshot, a Plan or a Report, which add the verbs to the data. What a SIS type is, a column,
a cell, a text, an order, is asked of `field.kind`; what people see of a plan or a report is blocks
(`values.blocks`), written as text, Markdown, HTML or JSON.

How to add
    a type     `values/types/NAME.py`, a class below `Type` that answers what differs from the others, and its
               import in `values/types/__init__`; in the sandbox a cast in `js/scalars`, and its line in
               `mongoose/parser`. The table of tests in `values/types/test_types.py` asks for a row.
    a format   `formats/NAME.py`, a class below `Format` that reads and writes; a line for each of its
               suffixes in `formats.registry`.
    a guard    `pushing/guards/NAME.py`, a function `(run, updates)`; its name and its line in
               `pushing.guards`.
    a command  `commands/NAME.py`, and its line in the table of `sispy.cli.root`.
"""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path

__all__ = [
    "Changes", "Field", "FrameEditor", "FrozenDict", "HistoryWarning", "Limits", "MirrorReport",
    "PartsReport", "Plan", "PlanParts", "PlanRefused", "PlanReview", "Plans", "PushFailed", "Report",
    "Reports", "Schema", "SchemaBrowser", "SchemaPlan", "SchemaPlanRefused", "Snapshot", "TableInUse",
    "added", "as_of", "blame", "changes", "dangling", "duplicates", "explode", "fetch", "history", "implode",
    "infer_schema", "iter_frames", "iter_snapshots", "load_plan", "mark_problems", "merge_rows", "mirror",
    "missing", "parse_schema", "plan_schema", "push_parts", "pushes", "read_csv", "read_dask", "read_excel",
    "read_mirror", "read_ndjson", "read_parquet", "referrers", "removed", "repoint", "resume", "revert",
    "schemas", "set_values", "snapshot_of", "to_csv", "to_excel", "to_ndjson", "to_parquet", "undo", "verify",
    "where",
]  # fmt: skip


@cache
def _homes() -> dict[str, str]:
    """Return which module has which public name, as the stub beside this file tells."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    found = (node for node in stub.body if isinstance(node, ast.ImportFrom))
    return {alias.name: f"{__name__}.{node.module}" for node in found for alias in node.names}


def __getattr__(name: str) -> object:
    """Import what a name stands for when it is used: neither pandas nor widgets before."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_homes()[name]), name)
    return found


def __dir__() -> list[str]:
    return __all__
