"""The command line: `sispy COMMAND`."""

from .root import main

__all__ = ["main"]
