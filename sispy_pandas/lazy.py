"""Public names that are imported when they are used: the command line needs no widgets."""

from __future__ import annotations

from importlib import import_module

_HOMES = {"FrameEditor": "widgets", "PlanReview": "widgets", "SchemaBrowser": "widgets"}
"""Name -> module of this package that has it."""


def __getattr__(name: str) -> object:
    """Find a name for the package, which imports this function as its own."""
    if name not in _HOMES:
        raise AttributeError(f"module {__package__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__package__}.{_HOMES[name]}"), name)
