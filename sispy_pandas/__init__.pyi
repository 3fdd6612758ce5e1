# What `sispy_pandas` names, and where each is: read by type checkers, and by `__init__` when a name is used.

from .planning.change_set import PlanRefused
from .pushing.options import Limits
from .pushing.pushes import pushes
from .pushing.turns import TableInUse
from .pushing.workbook import mark_problems
from .reading.catalog import schemas
from .reading.listing import where
from .revisions.dangling import dangling, referrers, repoint
from .revisions.duplicates import duplicates, merge_rows
from .revisions.edits import Changes, changes
from .revisions.history import HistoryWarning, as_of, blame, history
from .revisions.revert import revert
from .revisions.schema_plan import SchemaPlan, SchemaPlanRefused, plan_schema
from .revisions.undo import undo, verify
from .values.explode import added, explode, implode, removed
from .values.infer import infer_schema
from .values.schema import Schema, parse_schema
from .values.types.base import Field
from .values.types.frozen import FrozenDict
from .widgets import FrameEditor, PlanReview, SchemaBrowser
from .workflow.assign import set_values
from .workflow.dask import read_dask
from .workflow.edited import snapshot_of
from .workflow.fetch import fetch
from .workflow.from_files import read_csv, read_excel, read_ndjson, read_parquet
from .workflow.mirror import MirrorReport, mirror, read_mirror
from .workflow.missing import missing
from .workflow.objects import Plan, PushFailed, Report, Snapshot
from .workflow.parts import Plans, Reports
from .workflow.plan_parts import PlanParts
from .workflow.rest import resume
from .workflow.saved import load_plan
from .workflow.series import PartsReport, push_parts
from .workflow.to_files import iter_frames, iter_snapshots, to_csv, to_excel, to_ndjson, to_parquet

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
