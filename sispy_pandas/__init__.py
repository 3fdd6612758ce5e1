"""Work on a SIS CMDB as DataFrames: fetch, edit anywhere, see the plan, push it."""

from typing import TYPE_CHECKING

from .arrays import added, removed
from .base import snapshot_of
from .dask import read_dask
from .excel import to_excel
from .explode import explode, implode
from .export import iter_frames, to_csv, to_ndjson, to_parquet
from .fetch import fetch
from .fetching.catalog import schemas
from .files import read_csv
from .history import HistoryWarning, as_of, blame, history
from .infer import infer_schema
from .lazy import __getattr__ as __getattr__
from .past.edits import Changes, changes
from .plan import Plan, PlanRefused
from .planning.plan_file import load_plan
from .pushes import pushes
from .pushing.limits import Limits
from .pushing.turns import TableInUse
from .records import FrozenDict
from .relations import RepointPlans, dangling, referrers, repoint
from .repair import resume, undo, verify
from .report import PushFailed, Report
from .revert import revert
from .schema import Field, Schema, parse_schema
from .schema_plan import SchemaPlan, SchemaPlanRefused, plan_schema
from .sheets.excel_read import read_excel
from .sheets.marks import mark_problems
from .snapshot import Snapshot

if TYPE_CHECKING:
    from .widgets import FrameEditor, PlanReview, SchemaBrowser

__all__ = [
    "Changes", "Field", "FrameEditor", "FrozenDict", "HistoryWarning", "Limits", "Plan", "PlanRefused",
    "PlanReview", "PushFailed", "RepointPlans", "Report", "Schema", "SchemaBrowser", "SchemaPlan",
    "SchemaPlanRefused", "Snapshot", "TableInUse", "added", "as_of", "blame", "changes", "dangling",
    "explode", "fetch", "history", "implode", "infer_schema", "iter_frames", "load_plan", "mark_problems",
    "parse_schema", "plan_schema", "pushes", "read_csv", "read_dask", "read_excel", "referrers", "removed",
    "repoint", "resume", "revert", "schemas", "snapshot_of", "to_csv", "to_excel", "to_ndjson", "to_parquet",
    "undo", "verify",
]  # fmt: skip
