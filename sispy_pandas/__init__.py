"""Work on a SIS CMDB as DataFrames: fetch, edit anywhere, see the plan, push it."""

from .records import FrozenDict
from .schema import Field, Schema, parse_schema

__all__ = ["Field", "FrozenDict", "Schema", "parse_schema"]
