"""Notebook widgets: browse schemas, edit frames, review plans."""

from .browser import SchemaBrowser
from .editor import FrameEditor
from .review import PlanReview

__all__ = ["FrameEditor", "PlanReview", "SchemaBrowser"]
