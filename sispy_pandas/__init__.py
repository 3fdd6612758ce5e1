"""Work on a SIS CMDB as DataFrames: fetch, edit anywhere, see the plan, push it."""

from .excel import to_excel
from .excel_read import read_excel
from .fetch import fetch
from .files import read_csv, to_csv
from .infer import infer_schema
from .records import FrozenDict
from .schema import Field, Schema, parse_schema
from .snapshot import Snapshot

__all__ = [
    "Field", "FrozenDict", "Schema", "Snapshot", "fetch", "infer_schema", "parse_schema", "read_csv",
    "read_excel", "to_csv", "to_excel",
]  # fmt: skip
